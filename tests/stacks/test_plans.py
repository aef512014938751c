"""Every stack file of the repository plans, and what it plans fits together.

Does not prove that a cluster accepts it: schemas, names and references are all that is held
against it here.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from components.catalog.gpus import GPUS
from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from plan.export import to_json
from plan.model import STACK_TYPE, Marker, Plan, Resource
from plan.run import plan
from tests import crd_schemas, provider_schema

from .environments import NAMES, ROOT, accepted, dev, planned, raw_of

NO_CRD: Final = {"KnativeServing", "PodMonitor"}
"""Kinds whose CRD is a part of a chart, and in no file of the folder. Their specs are held against
the models in components/crds when they are rendered."""
DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
LABEL_KEY: Final = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
SERVICES: Final = {
    "knative": "kubernetes:serving.knative.dev/v1:Service",
    "kserve": "kubernetes:serving.kserve.io/v1beta1:InferenceService",
}
COMPONENTS: Final = {"knative": "KnativeModel", "kserve": "KServeModel"}
PLATFORMS: Final = {"knative": "Knative", "kserve": "KServe"}
PLATFORM: Final = ("fluid", "knative", "kserve", "cert-manager", "gpu-metrics")
SNAT: Final = "alicloud:vpc/snatEntry:SnatEntry"
CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
POOL: Final = "alicloud:cs/nodePool:NodePool"

OURS: Final = [stack for stack in NAMES if raw_of(stack)["cluster"]["profile"] != "existing"]
THEIRS: Final = [stack for stack in NAMES if stack not in OURS]


@cache
def plan_of(stack: str) -> Plan:
    """The plan of a stack file by its program, as `ack-inference plan` makes it."""
    return plan(stack, ROOT)


@cache
def deployed(stack: str) -> Plan:
    """The same as in `pulumi up`, where IDs are known, though nothing else that a cloud returns."""
    return planned(raw_of(stack), stack=stack, preview=False)


def edge(plan: Plan) -> set[str]:
    """Nobody knows which machines stand in an edge pool, so nothing waits for one."""
    return {urn for urn in urns(plan, POOL) if "EdgePool" in urn}


def served(stack: str) -> dict[str, str]:
    """Which way each model of a stack is served."""
    return {model["name"]: next(iter(model["serve"])) for model in raw_of(stack)["models"]}


def workloads(plan: Plan) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Labels and specs of the pods of models and training jobs."""
    for manifest in plan.manifests():
        if manifest["kind"] in ("Service", "Job") and "template" in manifest["spec"]:
            template = manifest["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]
        elif manifest["kind"] == "InferenceService":
            predictor = manifest["spec"]["predictor"]
            # kserve/kserve: pkg/constants, and the reconciler of raw deployments.
            added = {"app": f"isvc.{manifest['metadata']['name']}-predictor"}
            yield {**predictor["labels"], **added}, predictor


def labels_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Every label and selector in an object."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in ("labels", "nodeSelector", "matchLabels", "selector", "podLabels"):
                yield from inner.items()
            yield from labels_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from labels_in(inner)


def before(plan: Plan, resource: Resource) -> set[str]:
    """URNs of everything that exists before a resource, and so is destroyed after it."""
    by_urn = {node.urn: node for node in plan.resources}
    predecessors: set[str] = set()
    waiting = [resource]
    while waiting:
        node = waiting.pop()
        provider = node.provider.rsplit("::", 1)[0]
        for urn in {*node.dependencies, provider, node.parent} & by_urn.keys() - predecessors:
            predecessors.add(urn)
            waiting.append(by_urn[urn])
    return predecessors


def urns(plan: Plan, *types: str) -> set[str]:
    return {resource.urn for resource in plan.resources if resource.type in types}


def test_there_are_stacks_of_both_profiles() -> None:
    assert {"dev", "prod"} <= set(OURS)
    assert THEIRS


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_plans(stack: str) -> None:
    plan = plan_of(stack)
    assert len(plan.resources) > 20
    for way, component in COMPONENTS.items():
        models = [name for name, runtime in served(stack).items() if runtime == way]
        planned_so = [resource.name for resource in plan.of(f"ack-inference:index:{component}")]
        assert sorted(planned_so) == sorted(models)


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_deploys_what_it_plans_once_ids_are_known(stack: str) -> None:
    names = [
        {(resource.type, resource.name) for resource in p.resources}
        for p in (plan_of(stack), deployed(stack))
    ]
    assert names[0] == names[1]


@pytest.mark.parametrize("stack", OURS)
def test_each_policy_selects_the_pods_of_exactly_one_workload(stack: str) -> None:
    pods = [labels.items() for labels, _ in workloads(plan_of(stack))]
    policies = plan_of(stack).manifests("ResourcePolicy")
    assert len(policies) == len(pods)
    for policy in policies:
        assert sum(policy["spec"]["selector"].items() <= labels for labels in pods) == 1


@pytest.mark.parametrize("stack", OURS)
def test_each_policy_tries_the_pools_in_the_order_of_the_file(stack: str) -> None:
    environment = accepted(raw_of(stack))
    plan = deployed(stack)
    cards = {card.label: name for name, card in GPUS.items()}
    cards |= {"NVIDIA-A10": "A10", "Tesla-T4": "T4"}
    policies = {
        policy["metadata"]["name"]: policy["spec"]["units"]
        for policy in plan.manifests("ResourcePolicy")
    }
    for workload in [*environment.models, *environment.training]:
        units = policies[workload.name]
        assert len(units) == len(workload.placement.pools)
        for name, unit in zip(workload.placement.pools, units, strict=True):
            pool = environment.pool(name)
            [(key, value)] = unit["nodeSelector"].items()
            assert pool is not None
            assert (key, cards.get(value, value)) in (
                ("aliyun.accelerator/nvidia_name", pool.gpu),
                ("alibabacloud.com/nodepool-id", f"{name}-pool-id"),
            )


@pytest.mark.parametrize("stack", THEIRS)
def test_without_its_scheduler_there_is_no_policy_but_affinity_to_the_pools(stack: str) -> None:
    plan = plan_of(stack)
    assert plan.manifests("ResourcePolicy") == []
    for _, spec in workloads(plan):
        affinity = spec["affinity"]["nodeAffinity"]
        assert affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]


@crd_schemas.needs_crds
@pytest.mark.parametrize("stack", NAMES)
def test_every_custom_resource_passes_its_crd(stack: str) -> None:
    checked = set()
    for manifest in plan_of(stack).manifests():
        group = manifest["apiVersion"].rpartition("/")[0]
        is_custom = "." in group and not group.endswith(".k8s.io")
        if is_custom and manifest["kind"] not in NO_CRD:
            assert crd_schemas.errors(manifest) == [], manifest["metadata"]
            checked.add(manifest["kind"])
    ways = served(stack).values()
    assert ("Service" in checked) == ("knative" in ways)
    assert ("InferenceService" in checked) == ("kserve" in ways)
    assert ("ResourcePolicy" in checked) == (stack in OURS)
    cached = any("cache" in model for model in raw_of(stack)["models"])
    assert ({"Dataset", "JindoRuntime", "DataLoad"} <= checked) == cached


@provider_schema.needs_schema
@pytest.mark.parametrize("stack", NAMES)
def test_every_cloud_resource_passes_the_schema_of_its_provider(stack: str) -> None:
    assert provider_schema.errors_in(plan_of(stack)) == {}


@pytest.mark.parametrize("stack", NAMES)
def test_every_object_has_a_name_of_its_own_that_kubernetes_takes(stack: str) -> None:
    identities = []
    for manifest in deployed(stack).manifests():
        metadata = manifest["metadata"]
        assert DNS_LABEL.fullmatch(metadata["name"])
        assert DNS_LABEL.fullmatch(metadata.get("namespace", "default"))
        identities.append(
            (manifest["apiVersion"], manifest["kind"], metadata.get("namespace"), metadata["name"])
        )
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("stack", NAMES)
def test_every_label_is_one_that_kubernetes_takes(stack: str) -> None:
    labels = [label for manifest in deployed(stack).manifests() for label in labels_in(manifest)]
    assert labels
    assert [key for key, _ in labels if not LABEL_KEY.fullmatch(key)] == []
    texts = [value for _, value in labels if isinstance(value, str)]
    assert [text for text in texts if text and not LABEL_NAME.fullmatch(text)] == []


@pytest.mark.parametrize("stack", NAMES)
def test_knative_has_the_flags_that_the_services_need_and_no_other(stack: str) -> None:
    plan = plan_of(stack)
    needed: dict[str, str] = {}
    services = plan.manifests("Service")
    for service in (service for service in services if service["apiVersion"] != "v1"):
        needed |= features(RevisionTemplate.model_validate(service["spec"]["template"]))
    flags = [
        manifest["data"]
        for manifest in plan.manifests("ConfigMap")
        if manifest["metadata"]["name"] == "config-features"
    ]
    flags += [
        manifest["spec"]["config"]["features"] for manifest in plan.manifests("KnativeServing")
    ]
    assert flags == ([needed] if "knative" in served(stack).values() else [])


@pytest.mark.parametrize("stack", NAMES)
def test_no_secret_is_in_the_export(stack: str) -> None:
    plan = deployed(stack)
    assert "CANARY" not in to_json(plan) + repr(plan)
    secrets = [
        resource.inputs["kubeconfig"]
        for resource in deployed(stack).of("pulumi:providers:kubernetes")
    ]
    assert all(isinstance(secret, Marker) for secret in secrets)
    assert secrets


@pytest.mark.parametrize("stack", NAMES)
def test_every_resource_belongs_to_a_component(stack: str) -> None:
    plan = plan_of(stack)
    components = {resource.urn for resource in plan.resources if not resource.custom}
    loose = [
        resource
        for resource in plan.resources
        if resource.custom and resource.parent not in components
    ]
    assert {(resource.type, resource.name) for resource in loose} <= {
        # What all components need, and no component owns.
        ("pulumi:providers:alicloud", "alicloud"),
        ("kubernetes:core/v1:Namespace", "namespace"),
    }
    outer = [
        resource
        for resource in plan.resources
        if not resource.custom and resource.parent not in components
    ]
    assert all(resource.parent.split("::")[2] == STACK_TYPE for resource in outer)


@pytest.mark.parametrize("stack", NAMES)
def test_a_service_is_destroyed_before_all_that_it_stands_on(stack: str) -> None:
    plan = plan_of(stack)
    for model, way in served(stack).items():
        [service] = [
            resource for resource in plan.of(SERVICES[way]) if resource.name == f"{model}-service"
        ]
        [spec] = [entry for entry in raw_of(stack)["models"] if entry["name"] == model]
        behind = before(plan, service)
        assert urns(plan, f"ack-inference:index:{PLATFORMS[way]}") <= behind
        nodes = {f"{pool}-pool" for pool in spec["placement"].get("pools", [])}
        assert {pool.urn for pool in plan.of(POOL) if pool.name in nodes} - edge(plan) <= behind
        assert urns(plan, "kubernetes:scheduling.k8s.io/v1:PriorityClass") <= behind
        members = {
            resource.urn for resource in plan.resources if resource.name.startswith(f"{model}-")
        }
        cached = {u for u in members if "fluid.io" in u.split("::")[2]}
        policy = {u for u in members if "ResourcePolicy" in u.split("::")[2]}
        claim = {u for u in members if u.endswith((f"{model}-claim", f"{model}-volume"))}
        assert bool(cached) == ("cache" in spec)
        assert bool(policy) == (stack in OURS)
        assert cached | policy | claim <= behind


@pytest.mark.parametrize("stack", OURS)
def test_nodes_are_destroyed_before_their_way_out(stack: str) -> None:
    plan = plan_of(stack)
    assert plan.of(SNAT)
    pools = [pool for pool in plan.of(POOL) if pool.urn not in edge(plan)]
    assert pools
    assert all(urns(plan, SNAT) <= before(plan, pool) for pool in pools)


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_pods_is_destroyed_before_its_nodes(stack: str) -> None:
    plan = plan_of(stack)
    platform = [
        *plan.of("kubernetes:helm.sh/v3:Release"),
        *plan.of("alicloud:cs/kubernetesAddon:KubernetesAddon"),
    ]
    mine = [
        resource
        for resource in platform
        if resource.name.startswith(PLATFORM)
        and resource.name != "kserve-crd"  # resource types alone
    ]
    pools = {pool.urn for pool in plan.of(POOL) if pool.name in ("system-pool", "default-pool")}
    assert pools
    assert mine
    assert all(pools <= before(plan, resource) for resource in mine)


@pytest.mark.parametrize("stack", THEIRS)
def test_an_existing_environment_creates_nothing_in_the_cloud(stack: str) -> None:
    assert [resource for resource in plan_of(stack).resources if "alicloud" in resource.type] == []


def test_dev_is_what_the_article_describes() -> None:
    plan = plan_of("dev")
    [service], [runtime] = plan.manifests("Service"), plan.manifests("JindoRuntime")
    template = service["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    [container] = template["spec"]["containers"]
    policies = {
        policy["metadata"]["name"]: policy["spec"] for policy in plan.manifests("ResourcePolicy")
    }

    assert annotations["autoscaling.knative.dev/class"] == "kpa.autoscaling.knative.dev"
    assert annotations["autoscaling.knative.dev/metric"] == "concurrency"
    assert annotations["autoscaling.knative.dev/target"] == "2"
    assert annotations["autoscaling.knative.dev/min-scale"] == "1"
    assert annotations["autoscaling.knative.dev/max-scale"] == "3"
    assert policies["qwen"]["preemptPolicy"] == "BeforeNextUnit"
    assert [unit["nodeSelector"] for unit in policies["qwen"]["units"]] == [
        {"aliyun.accelerator/nvidia_name": "NVIDIA-A10"},
        {"aliyun.accelerator/nvidia_name": "Tesla-T4"},
    ]
    [level] = runtime["spec"]["tieredstore"]["levels"]
    assert runtime["spec"]["replicas"] == 2
    assert (level["quota"], level["high"], level["low"]) == ("20Gi", "0.9", "0.8")
    assert (level["mediumtype"], level["volumeType"], level["path"]) == (
        "MEM",
        "emptyDir",
        "/dev/shm",  # noqa: S108  a path in a worker
    )
    command = container["command"]
    flags = dict(itertools.pairwise(command))
    assert flags["--quantization"] == "gptq"
    assert flags["--max-model-len"] == "6144"
    assert flags["--gpu-memory-utilization"] == "0.95"
    assert "--trust-remote-code" in command
    assert container["resources"]["requests"] == {
        "cpu": "16",
        "memory": "64Gi",
        "nvidia.com/gpu": "1",
    }


def test_a_change_of_name_reaches_every_place_that_bears_it() -> None:
    text = to_json(planned(dev(models=[{**dev()["models"][0], "name": "mistral"}])))
    assert '"release": "mistral"' in text
    assert '"release": "qwen"' not in text
