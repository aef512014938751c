"""Several namespaces: everything of a model lands in its own one."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from plan.model import Plan, Resource
from tests import crd_schemas

from .checks.parts import own_ack_cluster, own_vpc
from .environments import Raw, dev, existing, hybrid, merged, planned

QWEN: Final = "models[qwen].namespace"
TUNE: Final = "training[finetune].namespace"
TEAM: Final[Raw] = {QWEN: "team-a", "network.policies": True}
TEAM_MODEL: Final[Raw] = {QWEN: "team-a"}


def of(plan: Plan, kind: str) -> list[Resource]:
    return [resource for resource in plan.resources if resource.inputs.get("kind") == kind]


def places(plan: Plan) -> dict[str, set[str]]:
    """Namespaces of the objects of each kind."""
    namespaces: dict[str, set[str]] = {}
    for resource in plan.resources:
        about = resource.inputs.get("metadata")
        if isinstance(about, dict) and "namespace" in about:
            namespaces.setdefault(str(resource.inputs.get("kind")), set()).add(about["namespace"])
    return namespaces


def two_teams() -> Raw:
    """Dev with the same model, from the same store, in a namespace each."""
    raw = merged(dev(), {**TEAM, "training": []})
    [model] = raw["models"]
    raw["models"].append({**model, "name": "second", "namespace": "team-b"})
    return raw


def test_all_of_a_model_is_in_its_namespace_and_the_job_stays_in_that_of_the_stack() -> None:
    namespaces = places(planned(merged(dev(), TEAM)))
    for kind in ("Service", "Dataset", "JindoRuntime", "DataLoad"):
        assert namespaces[kind] == {"team-a"}, kind
    assert namespaces["Job"] == {"inference"}
    assert namespaces["ResourcePolicy"] == {"team-a", "inference"}
    assert namespaces["PersistentVolumeClaim"] == {"team-a", "inference"}


def test_the_namespace_of_the_stack_is_made_only_where_something_is_in_it() -> None:
    plan = planned(merged(dev(), {**TEAM, TUNE: "team-a"}))
    names = [resource.inputs["metadata"]["name"] for resource in of(plan, "Namespace")]
    assert names == ["team-a"]


def test_two_models_of_one_store_have_a_claim_in_each_namespace_and_volumes_of_their_own() -> None:
    plan = planned(two_teams())
    claims = of(plan, "PersistentVolumeClaim")
    volumes = [resource.inputs["metadata"]["name"] for resource in of(plan, "PersistentVolume")]
    assert {claim.inputs["metadata"]["namespace"] for claim in claims} == {"team-a", "team-b"}
    assert len(set(volumes)) == len(volumes) == 2
    assert all(volume.startswith(("team-a-", "team-b-")) for volume in volumes)


def test_hosts_addresses_and_keys_are_of_the_model_s_namespace() -> None:
    raw = merged(dev(), {**TEAM, "models[qwen].api_key_secret": "qwen-key"})
    outputs = planned(raw).outputs
    assert outputs["qwen_host"] == "qwen.team-a.example.com"
    assert "--namespace team-a get secret qwen-key" in str(outputs["qwen_curl"])


def test_prometheus_reads_the_models_of_every_namespace() -> None:
    changes = {"models[qwen-chat].namespace": "team-a", "models[qwen-queue].namespace": "team-b"}
    [monitor] = of(planned(merged(hybrid(), changes)), "PodMonitor")
    assert monitor.inputs["spec"]["namespaceSelector"] == {"matchNames": ["team-a", "team-b"]}


def test_a_namespace_that_is_there_is_not_made() -> None:
    listed = {"namespaces": [{"name": "team-a", "create": False, "quota": {"gpus": 4}}]}
    plan = planned(merged(dev(), {**TEAM, **listed, TUNE: "team-a"}))
    assert of(plan, "Namespace") == []
    [quota] = of(plan, "ResourceQuota")
    assert quota.inputs["metadata"]["namespace"] == "team-a"
    assert quota.inputs["spec"] == {"hard": {"requests.nvidia.com/gpu": "4"}}


def test_the_namespace_of_a_claim_is_there() -> None:
    claim = {"stores[models].claim.namespace": "team-a", QWEN: "team-a", TUNE: "team-a"}
    namespaces = of(planned(merged(existing(), claim)), "Namespace")
    assert "team-a" not in [resource.inputs["metadata"]["name"] for resource in namespaces]


def test_a_namespace_is_there_with_its_rules_before_anything_in_it() -> None:
    plan = planned(merged(dev(), TEAM))
    [policy] = [r for r in of(plan, "ResourcePolicy") if r.inputs["metadata"]["name"] == "qwen"]
    before = {urn.rpartition("::")[2] for urn in policy.dependencies}
    assert {"team-a-namespace", "team-a-isolation"} <= before


def isolation(raw: Raw) -> dict[str, Any]:
    policies = of(planned(raw), "NetworkPolicy")
    [spec] = [p.inputs["spec"] for p in policies if p.inputs["metadata"]["namespace"] == "team-a"]
    return spec


def test_only_gateways_prometheus_and_a_namespace_itself_reach_its_pods() -> None:
    spec = isolation(merged(dev(), TEAM))
    assert spec["podSelector"] == {}
    assert spec["policyTypes"] == ["Ingress"]
    [rule] = spec["ingress"]
    pods, namespaces, nodes = rule["from"]
    assert pods == {"podSelector": {}}
    [names] = namespaces["namespaceSelector"]["matchExpressions"]
    assert names["values"] == [
        *("knative-serving", "kourier-system", "fluid-system", "arms-prom", "monitoring")
    ]
    assert nodes == {"ipBlock": {"cidr": "10.0.0.0/20"}}


@pytest.mark.parametrize("base", [own_vpc, own_ack_cluster])
def test_a_network_that_exists_can_hold_teams(base: Callable[[], Raw]) -> None:
    """Of its vSwitches, nobody knows the addresses."""
    [rule] = isolation(merged(base(), TEAM_MODEL))["ingress"]
    assert [*map(set, rule["from"])] == [{"podSelector"}, {"namespaceSelector"}]


def test_a_prometheus_in_the_cluster_is_let_in_from_where_it_is() -> None:
    metrics = {"url": "http://prometheus.observability.svc.cluster.local:9090"}
    claim = {TUNE: "team-a", "stores[models].claim.namespace": "team-a"}
    text = str(isolation(merged(existing(), {**TEAM_MODEL, **claim, "gpu_metrics": metrics})))
    assert "'observability'" in text


def test_others_are_let_in_where_they_are_named() -> None:
    more = {"allow_namespaces": ["queue"], "allow_cidrs": ["10.9.0.0/16"]}
    text = str(isolation(merged(dev(), {**TEAM, "network_policies": more})))
    assert "'queue'" in text
    assert "'10.9.0.0/16'" in text


def test_nothing_is_closed_where_nobody_asks_for_teams() -> None:
    assert of(planned(dev()), "NetworkPolicy") == []
    quota = {"namespaces": [{"name": "inference", "quota": {"gpus": 4}}]}
    assert of(planned(merged(dev(), quota)), "NetworkPolicy") == []


def test_everything_can_be_closed_without_teams_and_left_open_with_them() -> None:
    closed = planned(merged(dev(), {"network_policies": {"enabled": True}}))
    [policy] = of(closed, "NetworkPolicy")
    assert policy.inputs["metadata"]["namespace"] == "inference"
    left_open = {**TEAM, "network_policies": {"enabled": False}}
    assert of(planned(merged(dev(), left_open)), "NetworkPolicy") == []


def test_terway_is_told_to_enforce_policies_when_the_cluster_is_created() -> None:
    [cluster] = planned(merged(dev(), TEAM)).of("alicloud:cs/managedKubernetes:ManagedKubernetes")
    terway = cluster.inputs["addons"][0]
    assert terway == {"name": "terway-eniip", "config": '{"NetworkPolicy":"true"}'}


def test_a_tree_of_quotas_has_a_leaf_per_group_below_a_root_that_bounds_nothing() -> None:
    groups = [
        {"name": "a", "namespaces": ["inference"], "min": {"gpus": 2}, "max": {"gpus": 4}},
        {
            "name": "b",
            "namespaces": ["team-b"],
            "min": {"gpus": 0, "memory": "64Gi"},
            "max": {"gpus": 4, "memory": "1Ti"},
        },
    ]
    [tree] = of(planned(merged(dev(), {"elastic_quota": {"groups": groups}})), "ElasticQuotaTree")
    assert tree.inputs["apiVersion"] == "scheduling.sigs.k8s.io/v1beta1"
    assert tree.inputs["metadata"] == {"name": "elasticquotatree", "namespace": "kube-system"}
    root = tree.inputs["spec"]["root"]
    assert root["min"] == root["max"] == {"nvidia.com/gpu": "100000", "memory": "400000Gi"}
    assert root["children"] == [
        {
            "name": "a",
            "namespaces": ["inference"],
            "min": {"nvidia.com/gpu": "2"},
            "max": {"nvidia.com/gpu": "4"},
        },
        {
            "name": "b",
            "namespaces": ["team-b"],
            "min": {"nvidia.com/gpu": "0", "memory": "64Gi"},
            "max": {"nvidia.com/gpu": "4", "memory": "1Ti"},
        },
    ]


@crd_schemas.needs_crds
def test_what_lands_elsewhere_fits_its_crd() -> None:
    plan = planned(two_teams())
    kinds = ("ResourcePolicy", "Dataset", "JindoRuntime", "DataLoad")
    assert [
        line for kind in kinds for r in of(plan, kind) for line in crd_schemas.errors(r.manifest)
    ] == []
