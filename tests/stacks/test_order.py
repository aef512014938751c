"""What waits for what: the order of a first `up`, and backwards that of a `destroy`.

Does not prove that the engine keeps to it; the lives of the stacks in tests/sandbox do.
"""

import pytest

from plan.model import Plan, Resource

from .test_plans import CLUSTER, OURS, POOL, before, plan_of, urns

RELEASE = "kubernetes:helm.sh/v3:Release"
ADDON = "alicloud:cs/kubernetesAddon:KubernetesAddon"
RUNS_PODS = (
    RELEASE,
    ADDON,
    "kubernetes:batch/v1:Job",
    "kubernetes:data.fluid.io/v1alpha1:JindoRuntime",
    "kubernetes:serving.knative.dev/v1:Service",
    "kubernetes:serving.kserve.io/v1beta1:InferenceService",
)
RUNS_NONE = (
    "kubernetes:scheduling.k8s.io/v1:PriorityClass",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "alicloud:ram/role:Role",
)


def own_pools(found: Plan) -> set[str]:
    """Nobody knows which machines stand in an edge pool, so nothing waits for one."""
    return {urn for urn in urns(found, POOL) if "EdgePool" not in urn}


def runs_pods(one: Resource) -> bool:
    """An add-on that is a part of the cluster is there before any node, and KServe's types are no
    pods."""
    is_core = one.type == ADDON and one.name.startswith("cluster-")
    return one.type in RUNS_PODS and not is_core and one.name != "kserve-crd"


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_pods_comes_after_all_nodes_and_goes_before_them(stack: str) -> None:
    found = plan_of(stack)
    mine = [one for one in found.resources if runs_pods(one)]
    assert mine
    late = {one.name for one in mine if not own_pools(found) <= before(found, one)}
    assert late == set()


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_no_pod_does_not_wait_for_a_node(stack: str) -> None:
    found = plan_of(stack)
    mine = [one for one in found.resources if one.type in RUNS_NONE]
    assert mine
    waiting = {one.name for one in mine if own_pools(found) & before(found, one)}
    assert waiting == set()


def test_a_policy_waits_for_no_pool_but_those_that_it_names_by_id() -> None:
    found = plan_of("dev")
    policies = found.of("kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy")
    assert policies
    for one in policies:
        assert own_pools(found) & before(found, one) == set(), one.name


def test_the_types_of_kserve_wait_for_neither_nodes_nor_certificates() -> None:
    found = plan_of("hybrid")
    [types] = [one for one in found.of(RELEASE) if one.name == "kserve-crd"]
    assert before(found, types) & urns(found, POOL, RELEASE) == set()
    [controller] = [one for one in found.of(RELEASE) if one.name == "kserve-resources"]
    certificates = {one.urn for one in found.of(RELEASE) if one.name == "cert-manager-release"}
    assert {types.urn} | certificates <= before(found, controller)


@pytest.mark.parametrize("stack", OURS)
def test_storage_is_made_beside_the_cluster(stack: str) -> None:
    found = plan_of(stack)
    storage = [
        one for one in found.resources if one.type.startswith(("alicloud:oss", "alicloud:nas"))
    ]
    assert storage
    waiting = {one.name for one in storage if urns(found, CLUSTER) & before(found, one)}
    assert waiting == set()


def test_a_service_names_no_pool_and_no_claim_that_others_wait_for_already() -> None:
    """Each dependency of each model is expanded by the SDK: needless ones cost time."""
    found = plan_of("dev")
    [service] = [one for one in found.resources if one.name == "qwen-service"]
    assert own_pools(found) & set(service.dependencies) == set()
    assert (
        urns(found, "kubernetes:core/v1:PersistentVolumeClaim") & set(service.dependencies) == set()
    )
