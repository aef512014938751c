"""Cases of the rules of `stacks.checks.teams`."""

from typing import Any, Final

from ..environments import Raw, configuration, dev, existing, hybrid, merged, sentences
from ..example_stacks import FOLDER
from .cases import Case, refusals, surprises
from .parts import groups, llm, own_ack_cluster, own_vpc

QWEN: Final = "models[qwen].namespace"
SCALE: Final = "models[qwen].serve.knative.scale"
TUNE: Final = "training[finetune].namespace"
TEAM: Raw = {QWEN: "team-a"}


TEAM_CLAIM: Raw = {
    TUNE: "team-a",
    "stores[models].claim.namespace": "team-a",
}


def existing_kserve() -> Raw:
    """A model of KServe in a namespace of its own, on a cluster that exists."""
    serve = {"kserve": {"scale": {"metric": "cpu", "target": 80, "max": 2}}}
    kserve = {"ingress_controller": "present"}
    changes = {**TEAM, **TEAM_CLAIM, "models[qwen].serve": serve, "kserve": kserve}
    return merged(existing(), changes)


def shared() -> Raw:
    """Models on parts of cards."""
    return configuration(FOLDER / "Pulumi.gpu-sharing.yaml")


def quota(**bounds: int) -> Raw:
    """Bounds of the namespace that everything of dev is in."""
    return {"namespaces": [{"name": "inference", "quota": bounds}]}


def group(name: str = "a", space: str = "inference", **more: Any) -> Raw:
    """A group that is guaranteed a card, and may have four."""
    return {
        "name": name,
        "namespaces": [space],
        "min": {"gpus": 1},
        "max": {"gpus": 4},
        **more,
    }


def tree(*groups: Raw) -> Raw:
    return {"elastic_quota": {"groups": [*groups]}}


CASES = [
    Case(
        "namespaces_are_listed",
        "a model in a namespace that the list does not have",
        dev,
        {"namespaces": [{"name": "team-a"}], QWEN: "team-b"},
        f"{QWEN} is 'team-b', but it must be 'team-a': namespaces lists those that there are.",
        {"namespaces": [{"name": "team-a"}], QWEN: "team-a", TUNE: "inference"},
    ),
    Case(
        "claims_are_mounted_where_they_are",
        "a model in another namespace than the claim that it mounts",
        existing,
        {QWEN: "team-a"},
        (
            "models[qwen].volume.store is 'models', but it must be a store of namespace team-a, "
            "such as another claim on the same files: its claim is in inference, and pods mount "
            "claims of their own namespace alone."
        ),
        {QWEN: "team-a", TUNE: "team-a", "stores[models].claim.namespace": "team-a"},
    ),
    Case(
        "quotas_hold_what_always_runs",
        "a quota below the cards of the fewest replicas",
        dev,
        {**quota(gpus=1), f"{SCALE}.min": 2},
        (
            "namespaces[inference].quota.gpus is 1, but it must be 2 or more: so many are needed "
            "at the least by models[qwen]."
        ),
        {**quota(gpus=2), f"{SCALE}.min": 2},
    ),
    Case(
        "quotas_hold_what_always_runs",
        "a quota below the pods of a model and its cache",
        dev,
        quota(pods=4),
        (
            "namespaces[inference].quota.pods is 4, but it must be 5 or more: so many are needed "
            "at the least by models[qwen]."
        ),
        quota(pods=5),
    ),
    *(
        Case(
            "quotas_hold_what_always_runs",
            f"a quota below the {what} of {whose}",
            stack,
            quota(**{what: count - 1}),
            (
                f"namespaces[inference].quota.{what} is {count - 1}, but it must be {count} or "
                f"more: so many are needed at the least by {names}."
            ),
            quota(**{what: count}),
        )
        for stack, whose, names, counts in (
            (groups, "all nodes of groups", "models[deepseek], models[qwen]", (34, 6)),
            (
                llm,
                "prefill and decode apart",
                "models[chat], models[split], models[moe]",
                (1 + (1 + 1) + 2 * 8, 1 + (1 + 1) + 2),
            ),
        )
        for what, count in zip(("gpus", "pods"), counts, strict=True)
    ),
    Case(
        "quotas_hold_what_always_runs",
        "a quota that no pods of a job fit by themselves",
        dev,
        {**quota(gpus=1), "training[finetune].parallelism": 2},
        (
            "namespaces[inference].quota.gpus is 1, but it must be 2 or more: so many are needed "
            "at the least by training[finetune]."
        ),
        {**quota(gpus=2), "training[finetune].parallelism": 2},
    ),
    Case(
        "Quota",
        "a quota of nothing",
        dev,
        quota(),
        (
            "namespaces[inference].quota.gpus is missing, but it must be given, or pods: a quota "
            "bounds something."
        ),
        quota(gpus=4),
    ),
    Case(
        "elastic_quotas_have_their_scheduler",
        "guarantees on any Kubernetes",
        existing,
        tree(group()),
        (
            "elastic_quota is given, but it must be left out; namespaces[].quota bounds what a "
            "team uses on any cluster: only the scheduler of ACK Pro reads the tree, and brings "
            "its CRD."
        ),
        {},
    ),
    Case(
        "guarantees_are_kept",
        "more cards guaranteed than there can be",
        dev,
        tree(group(min={"gpus": 4}), group("b", "team-b", min={"gpus": 3})),
        (
            "elastic_quota.groups is 7 gpus guaranteed over all groups, but it must be 6 or less: "
            "that is what the pools have at the most, in whole cards."
        ),
        tree(group(min={"gpus": 3}), group("b", "team-b", min={"gpus": 3})),
    ),
    Case(
        "guarantees_are_kept",
        "more cards guaranteed than the largest of several types has",
        dev,
        {
            **tree(group(min={"gpus": 9}, max={"gpus": 9})),
            "pools[a10].instance_types": ["ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c32g1.16xlarge"],
        },
        (
            "elastic_quota.groups is 9 gpus guaranteed over all groups, but it must be 8 or less: "
            "that is what the pools have at the most, in whole cards."
        ),
        {
            **tree(group(min={"gpus": 8}, max={"gpus": 9})),
            "pools[a10].instance_types": ["ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c32g1.16xlarge"],
        },
    ),
    Case(
        "guarantees_are_kept",
        "a bound below the fewest replicas",
        dev,
        {**tree(group(max={"gpus": 1})), f"{SCALE}.min": 2},
        (
            "elastic_quota.groups[a].max.gpus is 1, but it must be 2 or more: so many are needed "
            "at the least by models[qwen]."
        ),
        {**tree(group(max={"gpus": 2})), f"{SCALE}.min": 2},
    ),
    Case(
        "guarantees_are_kept",
        "a bound that no pods of a job fit by themselves",
        dev,
        {**tree(group(max={"gpus": 1})), "training[finetune].parallelism": 2},
        (
            "elastic_quota.groups[a].max.gpus is 1, but it must be 2 or more: so many are needed "
            "at the least by training[finetune]."
        ),
        {**tree(group(max={"gpus": 2})), "training[finetune].parallelism": 2},
    ),
    Case(
        "ElasticGroup",
        "a guarantee beyond its bound",
        dev,
        tree(group(min={"gpus": 5})),
        (
            "elastic_quota.groups[a].min.gpus is 5, but it must be at most max.gpus (4): the "
            "bound covers what is guaranteed."
        ),
        tree(group(min={"gpus": 4})),
    ),
    Case(
        "ElasticGroup",
        "a guarantee without a bound",
        dev,
        tree(group(min={"gpus": 1, "memory": "64Gi"})),
        (
            "elastic_quota.groups[a].max.memory is missing, but it must be given: what is "
            "guaranteed has a bound."
        ),
        tree(group(min={"gpus": 1, "memory": "64Gi"}, max={"gpus": 4, "memory": "64Gi"})),
    ),
    Case(
        "ElasticQuotasArgs",
        "two groups of one name",
        dev,
        tree(group(), group(space="team-b")),
        (
            "elastic_quota.groups[a].name is 'a', but it must be given to one group only: usage "
            "is counted by name."
        ),
        tree(group(), group("b", "team-b")),
    ),
    Case(
        "ElasticQuotasArgs",
        "a namespace in two groups",
        dev,
        tree(group(), group("b")),
        (
            "elastic_quota.groups[b].namespaces is 'inference', but it must be left out: it is in "
            "group a, and pods count for one group."
        ),
        tree(group(), group("b", "team-b")),
    ),
    Case(
        "policies_are_enforced",
        "namespaces closed by a plugin that knows no policies",
        hybrid,
        {"network_policies": {"enabled": True}},
        (
            "network_policies.enabled is True, but it must be left out, or network.plugin terway: "
            "network.plugin is flannel, which enforces no NetworkPolicy."
        ),
        {"network_policies": {"enabled": False}},
    ),
    Case(
        "Network",
        "a switch that Flannel does not have",
        hybrid,
        {"network.policies": True},
        (
            "network.policies is True, but it must be left out, or plugin terway: what the others "
            "enforce has no setting."
        ),
        {"network.policies": False},
    ),
    Case(
        "Isolation",
        "an address where a range is asked for",
        dev,
        {"network_policies": {"allow_cidrs": ["10.0.0.1/16"]}},
        (
            "network_policies.allow_cidrs[0] is '10.0.0.1/16', but it must be a range of addresses "
            "such as '10.0.0.0/16': traffic is let in from it."
        ),
        {"network_policies": {"allow_cidrs": ["10.0.0.0/16"]}},
    ),
    Case(
        "namespaces_are_made_once",
        "models in a namespace that Fluid makes",
        dev,
        {"namespace": "fluid-system"},
        (
            "namespace is 'fluid-system', but it must be another one: Fluid makes that one, and "
            "the stack makes the models' namespace."
        ),
        {"namespace": "kube-system"},
    ),
    Case(
        "namespaces_are_made_once",
        "a model of its own namespace in one that Knative makes",
        dev,
        {"models[qwen].namespace": "knative-serving"},
        (
            "models[qwen].namespace is 'knative-serving', but it must be another one: Knative "
            "makes that one, and the stack makes the models' namespace."
        ),
        {
            "models[qwen].namespace": "knative-serving",
            "namespaces": [{"name": "knative-serving", "create": False}],
        },
    ),
]

SURPRISES = [
    Case(
        "quotas_hold_what_may_run",
        "a quota below what may be asked for at the same time",
        dev,
        quota(gpus=3),
        (
            "namespaces[inference].quota.gpus is 3, but models[qwen], training[finetune] may ask "
            "for 4 at the same time: what comes last is not created until the others leave room."
        ),
        quota(gpus=4),
    ),
    Case(
        "quotas_hold_what_may_run",
        "a quota below what prefill and decode may ask for",
        llm,
        quota(gpus=3 + (1 + 1) + 2 * 8 - 1),
        (
            "namespaces[inference].quota.gpus is 20, but models[chat], models[split], models[moe] "
            "may ask for 21 at the same time: what comes last is not created until the others "
            "leave room."
        ),
        quota(gpus=3 + (1 + 1) + 2 * 8),
    ),
    Case(
        "quotas_hold_what_may_run",
        "a quota that leaves no room for an update",
        dev,
        {**quota(gpus=2), "training": [], f"{SCALE}.min": 2, f"{SCALE}.max": 2},
        (
            "namespaces[inference].quota.gpus is 2: an update of models[qwen] needs 2 more than "
            "the 2 that always run, so it never ends."
        ),
        {**quota(gpus=4), "training": [], f"{SCALE}.min": 2, f"{SCALE}.max": 2},
    ),
    Case(
        "guarantees_cover_what_always_runs",
        "replicas on cards that are borrowed",
        dev,
        {**tree(group()), f"{SCALE}.min": 2},
        (
            "elastic_quota.groups[a].min.gpus is 1, but models[qwen] always run on 2: the rest is "
            "borrowed, and pods of another group that is below its guarantee end them, whatever "
            "their priority."
        ),
        {**tree(group(min={"gpus": 2})), f"{SCALE}.min": 2},
    ),
    Case(
        "priorities_reach_their_jobs",
        "a priority above that of a job of another group",
        dev,
        {**tree(group(), group("b", "team-b")), TUNE: "team-b"},
        (
            "models[qwen].priority is inference-high-priority, above that of training[finetune], "
            "but beyond its guarantee (min.gpus 1) the group a preempts nobody of another one: it "
            "waits until they end."
        ),
        {**tree(group(min={"gpus": 3}), group("b", "team-b")), TUNE: "team-b"},
    ),
    Case(
        "priorities_reach_their_jobs",
        "a priority in a namespace of no group",
        dev,
        tree(group(space="team-b")),
        (
            "models[qwen].priority is inference-high-priority, above that of training[finetune], "
            "but its namespace is in no group of elastic_quota, and its pods preempt nobody: it "
            "waits until they end."
        ),
        tree(group()),
    ),
    Case(
        "quotas_count_whole_cards",
        "a bound of cards where a model takes a part of one",
        shared,
        quota(gpus=1),
        (
            "namespaces[inference].quota.gpus counts whole cards alone, and models[chat], "
            "models[embed], models[code] may take parts of any number: quota.pods bounds those."
        ),
        quota(pods=40),
    ),
    Case(
        "policies_let_gateways_in",
        "policies before an ingress controller whose namespace nobody knows",
        existing_kserve,
        {"kserve.ingress_class": "traefik"},
        (
            "NetworkPolicies are declared, and kserve.ingress_class is traefik: pods of a gateway "
            "reach the models only from kube-system, ingress-nginx, fluid-system, arms-prom, "
            "monitoring. Name the namespace of another one in network_policies.allow_namespaces."
        ),
        {
            "kserve.ingress_class": "traefik",
            "network_policies": {"allow_namespaces": ["traefik"]},
        },
    ),
    Case(
        "policies_let_gateways_in",
        "policies before a Knative that the stack did not install",
        existing,
        {**TEAM, **TEAM_CLAIM, "knative": {"install": False}},
        (
            "NetworkPolicies are declared, and knative.install is false: pods of a gateway reach "
            "the models only from knative-serving, kourier-system, fluid-system, arms-prom, "
            "monitoring. Name the namespace of another one in network_policies.allow_namespaces."
        ),
        {**TEAM, **TEAM_CLAIM},
    ),
    Case(
        "policies_let_nodes_in",
        "policies where the stack knows the vSwitches by their IDs alone",
        own_vpc,
        {**TEAM, "network.policies": True},
        (
            "NetworkPolicies are declared, and the stack does not know the addresses of nodes in "
            "vSwitches that exist: load balancers and what ACK manages come from there. Name "
            "those ranges in network_policies.allow_cidrs."
        ),
        {
            **TEAM,
            "network.policies": True,
            "network_policies": {"allow_cidrs": ["10.0.0.0/20"]},
        },
    ),
    Case(
        "policies_have_their_switch",
        "policies that Terway was not told to enforce",
        dev,
        TEAM,
        (
            "NetworkPolicies are declared, but Terway enforces them only with network.policies "
            "true when the cluster is created, or once NetworkPolicy is switched on in the "
            "settings of its component terway-eniip."
        ),
        {**TEAM, "network.policies": True},
    ),
    Case(
        "policies_have_their_switch",
        "teams on a plugin that knows no policies",
        hybrid,
        {"models[qwen-chat].namespace": "team-a"},
        (
            "Models are in namespaces of their own, but every pod of the cluster reaches them: "
            "network.plugin is flannel, which enforces no NetworkPolicy."
        ),
        {
            "models[qwen-chat].namespace": "team-a",
            "network_policies": {"enabled": False},
        },
    ),
]

test_it_is_refused, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


def test_parts_of_cards_are_no_cards_of_a_quota() -> None:
    assert sentences(merged(shared(), quota(gpus=0))) == []


def test_parts_of_cards_cannot_be_guaranteed() -> None:
    [sentence] = sentences(merged(shared(), tree(group())))
    assert "over all groups, but it must be 0 or less" in sentence


def test_cards_of_nodes_that_exist_can_be_guaranteed() -> None:
    """The stack's pool has one card, the cluster others."""
    groups = tree(group(min={"gpus": 2}))
    assert sentences(merged(own_ack_cluster(), groups)) == []


def test_a_quota_beside_an_unknown_type_is_no_traceback() -> None:
    unknown = {"pools[a10].instance_types": ["ecs.gn99-c8g1.2xlarge"]}
    [sentence] = sentences(merged(dev(), {**tree(group()), **unknown}))
    assert sentence.startswith("pools[a10].instance_types is 'ecs.gn99-c8g1.2xlarge'")
