"""Cases of the rules of `stacks.checks.availability`."""

from typing import Final

from ..environments import Raw, dev, prod
from .cases import Case, refusals, surprises

BUDGET: Final = "models[qwen].pod_disruption_budget"
SPREAD: Final = "models[qwen].topology_spread"
SCALE: Final = "models[qwen].serve.knative.scale"
TWO_ZONES: Raw = {
    "network.zones[+]": {
        "id": "cn-beijing-l",
        "cidr": "10.0.16.0/20",
        "pod_cidr": "10.0.128.0/18",
    }
}

SPARED: Raw = {
    "priorities[+]": {"name": "batch", "value": 5000, "description": "Can wait for long."},
    "models[embed].priority": "batch",
    "models[embed].pod_disruption_budget": {"max_unavailable": 1},
}

CASES = [
    Case(
        "budgets_can_be_kept",
        "a budget of more replicas than there can be",
        dev,
        {BUDGET: {"min_available": 4}},
        (
            f"{BUDGET}.min_available is 4, but it must be at most 2, one less than scale.max: no "
            "node with a replica could be drained or upgraded."
        ),
        {BUDGET: {"min_available": 3}},
    ),
    Case(
        "DisruptionBudget",
        "a budget that is counted in two ways",
        dev,
        {BUDGET: {"min_available": 1, "max_unavailable": 1}},
        (
            f"{BUDGET}.min_available is given beside max_unavailable, but it must be the only one "
            "of min_available, max_unavailable: a budget is counted in one way."
        ),
        {BUDGET: {"max_unavailable": 1}},
    ),
    Case(
        "DisruptionBudget",
        "a budget of nothing",
        dev,
        {BUDGET: {}},
        (
            f"{BUDGET}.min_available is missing, but it must be given, or else max_unavailable: a "
            "budget is counted in one way."
        ),
        {BUDGET: {"min_available": 1}},
    ),
    Case(
        "ModelArgs",
        "replicas that are spread over zones in two ways",
        dev,
        {SPREAD: [{"topology": "zone"}, {"topology": "zone", "required": True}]},
        (
            f"{SPREAD}[zone].topology is 'zone', but it must be given once: replicas are spread "
            "over it in one way."
        ),
        {SPREAD: [{"topology": "zone"}, {"topology": "node", "required": True}]},
    ),
]

SURPRISES = [
    Case(
        "budgets_let_nodes_go",
        "a budget that keeps the only replica",
        dev,
        {BUDGET: {"min_available": 1}},
        (
            f"{BUDGET}.min_available is 1, and scale.min 1: with 1 replica no node that has one is "
            "drained, upgraded or scaled in. scale.min 2 would do."
        ),
        {BUDGET: {"min_available": 1}, f"{SCALE}.min": 2},
    ),
    Case(
        "budgets_do_not_turn_priorities_round",
        "a budget of a low priority beside a higher one without",
        prod,
        SPARED,
        (
            "models[embed].pod_disruption_budget has models[qwen-int8], of a higher priority, make "
            "room for qwen-chat first, wherever no replica of embed may go just now: the scheduler "
            "spares budgets before it looks at priorities. A budget of models[qwen-int8] too would "
            "have it go by priorities."
        ),
        {**SPARED, "models[qwen-int8].pod_disruption_budget": {"max_unavailable": 1}},
    ),
    Case(
        "budgets_do_not_turn_priorities_round",
        "the same without a model that preempts",
        prod,
        SPARED,
        (
            "models[embed].pod_disruption_budget has models[qwen-int8], of a higher priority, make "
            "room for qwen-chat first, wherever no replica of embed may go just now: the scheduler "
            "spares budgets before it looks at priorities. A budget of models[qwen-int8] too would "
            "have it go by priorities."
        ),
        {**SPARED, "priorities[inference-critical].preempts": False},
    ),
    Case(
        "spreading_has_room",
        "a spread over one zone",
        dev,
        {SPREAD: [{"topology": "zone"}]},
        f"{SPREAD} is over zones, and its pools have nodes in cn-beijing-h alone.",
        {**TWO_ZONES, SPREAD: [{"topology": "zone"}]},
    ),
    Case(
        "spreading_has_room",
        "a spread of one replica",
        dev,
        {SPREAD: [{"topology": "node"}], f"{SCALE}.max": 1},
        f"{SPREAD} does nothing: scale.max is 1.",
        {SPREAD: [{"topology": "node"}], f"{SCALE}.max": 2},
    ),
]

test_it_is_refused, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
