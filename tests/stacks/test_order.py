"""What waits for what: the order of a first `up`, and backwards that of a `destroy`.

Does not prove that the engine keeps to it; the lives of the stacks in tests/sandbox do.
"""

import pytest

from components.cloud import NodePoolArgs
from components.cloud.node_pool import has_gpu
from plan.model import Plan, Resource
from stacks.compose import platform_pools

from .environments import changed, dev, planned
from .test_plans import CLUSTER, OURS, POOL, SNAT, before, plan_of, urns

RELEASE = "kubernetes:helm.sh/v3:Release"
ADDON = "alicloud:cs/kubernetesAddon:KubernetesAddon"
NAT = "alicloud:vpc/natGateway:NatGateway"
BASE = {"cluster_id": "c1", "node_pool_name": "pool", "vswitch_ids": ["vsw-h"]}
CPU = {"instance_types": ["ecs.g7.2xlarge"], "size": 2}
GPU = {"instance_types": ["ecs.gn7i-c32g1.8xlarge"], "size": 2}
FROM_ZERO = {"size": None, "autoscale": {"min": 0, "max": 3}}
FROM_ONE = {"size": None, "autoscale": {"min": 1, "max": 3}}
TAINTED = {"taints": [{"key": "team", "effect": "NoSchedule"}]}
DISLIKED = {"taints": [{"key": "team", "effect": "PreferNoSchedule"}]}
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


def own_pools(plan: Plan) -> set[str]:
    """Nobody knows which machines stand in an edge pool, so nothing waits for one."""
    return {urn for urn in urns(plan, POOL) if "EdgePool" not in urn}


def pools_without_gpus(plan: Plan) -> set[str]:
    """Own pools with nodes from the start that have no GPU; of our stacks, all without taints."""
    return {
        resource.urn
        for resource in plan.of(POOL)
        if resource.urn in own_pools(plan)
        and not any(map(has_gpu, resource.inputs["instanceTypes"]))
        and "scalingConfig" not in resource.inputs
    }


def runs_pods(resource: Resource) -> bool:
    """An add-on that is a part of the cluster is there before any node, and KServe's types are no
    pods."""
    is_core = resource.type == ADDON and resource.name.startswith("cluster-")
    return resource.type in RUNS_PODS and not is_core and resource.name != "kserve-crd"


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_pods_comes_after_nodes_without_gpus_and_goes_before_them(stack: str) -> None:
    """The platform's pods wait for nodes, or a chart is given up after 15 minutes and taken back;
    without them, nothing finishes what is deleted."""
    plan = plan_of(stack)
    nodes = pools_without_gpus(plan)
    mine = [resource for resource in plan.resources if runs_pods(resource)]
    assert mine
    assert nodes
    late = {resource.name for resource in mine if not nodes <= before(plan, resource)}
    assert late == set()


@pytest.mark.parametrize("stack", OURS)
def test_the_platform_and_the_caches_do_not_wait_for_gpus(stack: str) -> None:
    """None of their pods needs one: charts are installed, and caches filled, while drivers are."""
    plan = plan_of(stack)
    gpus = own_pools(plan) - pools_without_gpus(plan)
    mine = [
        resource
        for resource in plan.resources
        if resource.type in (RELEASE, ADDON) or resource.type.startswith("kubernetes:data.fluid.io")
    ]
    assert gpus
    assert mine
    assert {resource.name for resource in mine if gpus & before(plan, resource)} == set()


@pytest.mark.parametrize("stack", OURS)
def test_nodes_wait_for_their_way_out(stack: str) -> None:
    """A node without one loads neither packages nor images, and never joins."""
    plan = plan_of(stack)
    pools = [pool for pool in plan.of(POOL) if pool.urn in own_pools(plan)]
    assert pools
    assert all(urns(plan, SNAT) <= before(plan, pool) for pool in pools)


@pytest.mark.parametrize("stack", OURS)
def test_a_cluster_is_made_beside_the_way_out_unless_it_is_one_of_ack_edge(stack: str) -> None:
    """No node of profile pro is there yet; what an edge cluster runs by itself is not
    documented."""
    plan = plan_of(stack)
    [cluster] = plan.of(CLUSTER)
    waits = cluster.inputs["profile"] == "Edge"
    assert urns(plan, SNAT, NAT) & before(plan, cluster) == (
        urns(plan, SNAT, NAT) if waits else set()
    )


def test_a_cache_waits_for_fluid_and_a_load_for_its_dataset() -> None:
    """Fluid's chart brings the types of a Dataset and what binds it, and only what is bound can be
    loaded."""
    plan = plan_of("dev")
    fluid = {resource.urn for resource in plan.of(RELEASE) if resource.name == "fluid-release"}
    [dataset] = plan.of("kubernetes:data.fluid.io/v1alpha1:Dataset")
    [load] = plan.of("kubernetes:data.fluid.io/v1alpha1:DataLoad")
    assert fluid
    assert fluid <= before(plan, dataset)
    assert dataset.urn in before(plan, load)


@pytest.mark.parametrize("tainted", [False, True])
def test_a_cache_waits_for_its_own_pool_even_if_the_platform_does_not(tainted: bool) -> None:
    """Its workers run nowhere else."""
    taints = TAINTED["taints"] if tainted else []
    raw = changed(changed(dev(), "pools[system].size", 3), "pools[cache].taints", taints)
    plan = planned(raw)
    [pool] = [resource for resource in plan.of(POOL) if resource.name == "cache-pool"]
    [fluid] = [resource for resource in plan.of(RELEASE) if resource.name == "fluid-release"]
    [workers] = plan.of("kubernetes:data.fluid.io/v1alpha1:JindoRuntime")
    assert (pool.urn in before(plan, fluid)) is not tainted
    assert pool.urn in before(plan, workers)


@pytest.mark.parametrize(
    ("pools", "nodes", "names"),
    [
        ({"cpu": CPU, "gpu": GPU}, 1, {"cpu"}),
        ({"cpu": CPU, "elastic": CPU | FROM_ZERO, "gpu": GPU}, 1, {"cpu"}),
        ({"cpu": CPU, "tainted": CPU | TAINTED}, 1, {"cpu"}),
        ({"cpu": CPU, "disliked": CPU | DISLIKED}, 1, {"cpu", "disliked"}),
        ({"elastic": CPU | FROM_ONE, "gpu": GPU}, 1, {"elastic"}),
        ({"elastic": CPU | FROM_ZERO, "gpu": GPU}, 1, {"elastic", "gpu"}),
        ({"empty": CPU | {"size": 0}, "gpu": GPU}, 1, {"empty", "gpu"}),
        ({"tainted": CPU | TAINTED, "gpu": GPU}, 1, {"tainted", "gpu"}),
        ({"gpu": GPU}, 1, {"gpu"}),
        ({}, 1, set()),
        ({"cpu": CPU, "gpu": GPU}, 2, {"cpu"}),
        ({"cpu": CPU, "gpu": GPU}, 3, {"cpu", "gpu"}),
        ({"cpu": CPU, "cache": CPU, "gpu": GPU}, 3, {"cpu", "cache"}),
    ],
)
def test_the_platform_waits_for_pools_that_its_pods_fit_or_else_for_all(
    pools: dict[str, dict[str, object]], nodes: int, names: set[str]
) -> None:
    args = {name: NodePoolArgs.of(BASE | fields) for name, fields in pools.items()}
    assert platform_pools(args, nodes) == names


def test_knative_waits_for_the_nodes_that_ack_counts_before_it_installs_the_add_on() -> None:
    """Two nodes without GPUs are one too few."""
    plan = planned(changed(dev(), "pools[cache].taints", TAINTED["taints"]))
    [addon] = [resource for resource in plan.of(ADDON) if resource.name == "knative-addon"]
    assert own_pools(plan) <= before(plan, addon)


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_no_pod_does_not_wait_for_a_node(stack: str) -> None:
    plan = plan_of(stack)
    mine = [resource for resource in plan.resources if resource.type in RUNS_NONE]
    assert mine
    waiting = {resource.name for resource in mine if own_pools(plan) & before(plan, resource)}
    assert waiting == set()


def test_a_policy_waits_for_no_pool_but_those_that_it_names_by_id() -> None:
    plan = plan_of("dev")
    policies = plan.of("kubernetes:scheduling.alibabacloud.com/v1alpha1:ResourcePolicy")
    assert policies
    for policy in policies:
        assert own_pools(plan) & before(plan, policy) == set(), policy.name


def test_the_types_of_kserve_wait_for_neither_nodes_nor_certificates() -> None:
    plan = plan_of("hybrid")
    [types] = [resource for resource in plan.of(RELEASE) if resource.name == "kserve-crd"]
    assert before(plan, types) & urns(plan, POOL, RELEASE) == set()
    [controller] = [
        resource for resource in plan.of(RELEASE) if resource.name == "kserve-resources"
    ]
    certificates = {
        resource.urn for resource in plan.of(RELEASE) if resource.name == "cert-manager-release"
    }
    assert {types.urn} | certificates <= before(plan, controller)


@pytest.mark.parametrize("stack", OURS)
def test_storage_is_made_beside_the_cluster(stack: str) -> None:
    plan = plan_of(stack)
    storage = [
        resource
        for resource in plan.resources
        if resource.type.startswith(("alicloud:oss", "alicloud:nas"))
    ]
    assert storage
    waiting = {
        resource.name for resource in storage if urns(plan, CLUSTER) & before(plan, resource)
    }
    assert waiting == set()


def test_a_service_names_the_pools_that_nothing_else_waits_for_and_no_claim() -> None:
    """Each dependency of each model is expanded by the SDK: needless ones cost time. Its own
    nodes are waited for, since they go after it."""
    plan = plan_of("dev")
    [service] = [resource for resource in plan.resources if resource.name == "qwen-service"]
    pools = {urn for urn in service.dependencies if urn in own_pools(plan)}
    assert pools == own_pools(plan) - pools_without_gpus(plan)
    assert (
        urns(plan, "kubernetes:core/v1:PersistentVolumeClaim") & set(service.dependencies) == set()
    )
