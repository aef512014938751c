"""Cases of the rules of `stacks.runtimes.front_door`."""

from ..environments import existing, hybrid
from .cases import Case, refusals, surprises

ON_KSERVE = {"kserve": {"scale": {"metric": "cpu", "target": 80, "max": 2}}}
LIMITS_2 = {"kserve": {"inferenceservice": {"resources": {"limits": {"cpu": "2"}}}}}


CASES = [
    Case(
        "ingress_controllers_are_installed_once",
        "ACK's add-on for a class that it does not answer to",
        hybrid,
        {"kserve": {"ingress_controller": "addon", "ingress_class": "alb"}},
        (
            "kserve.ingress_controller is 'addon', but it must be 'present': the add-on answers to "
            "nginx, and kserve.ingress_class is another."
        ),
        {"kserve": {"ingress_controller": "present", "ingress_class": "alb"}},
    ),
    Case(
        "ingresses_have_a_controller",
        "a class that nobody answers to in a new cluster",
        hybrid,
        {"kserve": {"ingress_class": "alb"}},
        (
            "kserve.ingress_controller is missing, but it must be 'present', or "
            "kserve.ingress_class nginx: cluster.addons names no add-on that could answer to alb, "
            "and without one the models are reached inside the cluster alone."
        ),
        {
            "kserve": {"ingress_class": "alb"},
            "cluster.addons": [{"name": "alb-ingress-controller"}],
        },
    ),
    Case(
        "default_limits_leave_room",
        "a default limit of KServe below a request",
        hybrid,
        {"kserve": {"chart": {"values": LIMITS_2}}},
        (
            "models[qwen-queue].server.resources.cpu_limit is left out, but it must be 4 or more: "
            "by kserve.chart.values a container without one is given 2, below the request, and the "
            "API server refuses the Deployment."
        ),
        {"kserve": {"chart": {"values": LIMITS_2}}, "models[qwen-queue].server.resources.cpu": "2"},
    ),
]
SURPRISES = [
    Case(
        "existing_clusters_have_a_controller",
        "an existing cluster of which nobody says that it has an ingress controller",
        existing,
        {"models[qwen].serve": ON_KSERVE},
        (
            "KServe makes Ingresses of class nginx, and calls them ready also where nobody answers "
            "to them: have a controller for it, and say kserve.ingress_controller: present."
        ),
        {"models[qwen].serve": ON_KSERVE, "kserve": {"ingress_controller": "present"}},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
