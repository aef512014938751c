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


def edge(found: Plan) -> set[str]:
    """Nobody knows which machines stand in an edge pool, so nothing waits for one."""
    return {urn for urn in urns(found, POOL) if "EdgePool" in urn}


def served(stack: str) -> dict[str, str]:
    """Which way each model of a stack is served."""
    return {one["name"]: next(iter(one["serve"])) for one in raw_of(stack)["models"]}


def workloads(found: Plan) -> Iterator[tuple[Mapping[str, str], Mapping[str, Any]]]:
    """Labels and specs of the pods of models and training jobs."""
    for one in found.manifests():
        if one["kind"] in ("Service", "Job") and "template" in one["spec"]:
            template = one["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]
        elif one["kind"] == "InferenceService":
            predictor = one["spec"]["predictor"]
            # kserve/kserve: pkg/constants, and the reconciler of raw deployments.
            added = {"app": f"isvc.{one['metadata']['name']}-predictor"}
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


def before(found: Plan, resource: Resource) -> set[str]:
    """URNs of everything that exists before a resource, and so is destroyed after it."""
    by_urn = {one.urn: one for one in found.resources}
    seen: set[str] = set()
    waiting = [resource]
    while waiting:
        one = waiting.pop()
        provider = one.provider.rsplit("::", 1)[0]
        for urn in {*one.dependencies, provider, one.parent} & by_urn.keys() - seen:
            seen.add(urn)
            waiting.append(by_urn[urn])
    return seen


def urns(found: Plan, *types: str) -> set[str]:
    return {one.urn for one in found.resources if one.type in types}


def test_there_are_stacks_of_both_profiles() -> None:
    assert {"dev", "prod"} <= set(OURS)
    assert THEIRS


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_plans(stack: str) -> None:
    found = plan_of(stack)
    assert len(found.resources) > 20
    for way, component in COMPONENTS.items():
        models = [name for name, other in served(stack).items() if other == way]
        planned_so = [one.name for one in found.of(f"ack-inference:index:{component}")]
        assert sorted(planned_so) == sorted(models)


@pytest.mark.parametrize("stack", NAMES)
def test_a_stack_deploys_what_it_plans_once_ids_are_known(stack: str) -> None:
    names = [
        {(one.type, one.name) for one in p.resources} for p in (plan_of(stack), deployed(stack))
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
    found = deployed(stack)
    cards = {card.label: name for name, card in GPUS.items()}
    cards |= {"NVIDIA-A10": "A10", "Tesla-T4": "T4"}
    policies = {
        one["metadata"]["name"]: one["spec"]["units"] for one in found.manifests("ResourcePolicy")
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
    found = plan_of(stack)
    assert found.manifests("ResourcePolicy") == []
    for _, spec in workloads(found):
        affinity = spec["affinity"]["nodeAffinity"]
        assert affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]


@crd_schemas.needs_crds
@pytest.mark.parametrize("stack", NAMES)
def test_every_custom_resource_passes_its_crd(stack: str) -> None:
    checked = set()
    for one in plan_of(stack).manifests():
        group = one["apiVersion"].rpartition("/")[0]
        is_custom = "." in group and not group.endswith(".k8s.io")
        if is_custom and one["kind"] not in NO_CRD:
            assert crd_schemas.errors(one) == [], one["metadata"]
            checked.add(one["kind"])
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
    seen = []
    for one in deployed(stack).manifests():
        metadata = one["metadata"]
        assert DNS_LABEL.fullmatch(metadata["name"])
        assert DNS_LABEL.fullmatch(metadata.get("namespace", "default"))
        seen.append((one["apiVersion"], one["kind"], metadata.get("namespace"), metadata["name"]))
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("stack", NAMES)
def test_every_label_is_one_that_kubernetes_takes(stack: str) -> None:
    labels = [label for one in deployed(stack).manifests() for label in labels_in(one)]
    assert labels
    assert [key for key, _ in labels if not LABEL_KEY.fullmatch(key)] == []
    texts = [value for _, value in labels if isinstance(value, str)]
    assert [text for text in texts if text and not LABEL_NAME.fullmatch(text)] == []


@pytest.mark.parametrize("stack", NAMES)
def test_knative_has_the_flags_that_the_services_need_and_no_other(stack: str) -> None:
    found = plan_of(stack)
    needed: dict[str, str] = {}
    services = found.manifests("Service")
    for one in (service for service in services if service["apiVersion"] != "v1"):
        needed |= features(RevisionTemplate.model_validate(one["spec"]["template"]))
    given = [
        one["data"]
        for one in found.manifests("ConfigMap")
        if one["metadata"]["name"] == "config-features"
    ]
    given += [one["spec"]["config"]["features"] for one in found.manifests("KnativeServing")]
    assert given == ([needed] if "knative" in served(stack).values() else [])


@pytest.mark.parametrize("stack", NAMES)
def test_no_secret_is_in_the_export(stack: str) -> None:
    found = deployed(stack)
    assert "CANARY" not in to_json(found) + repr(found)
    secrets = [
        one.inputs["kubeconfig"] for one in deployed(stack).of("pulumi:providers:kubernetes")
    ]
    assert all(isinstance(one, Marker) for one in secrets)
    assert secrets


@pytest.mark.parametrize("stack", NAMES)
def test_every_resource_belongs_to_a_component(stack: str) -> None:
    found = plan_of(stack)
    components = {one.urn for one in found.resources if not one.custom}
    loose = [one for one in found.resources if one.custom and one.parent not in components]
    assert {(one.type, one.name) for one in loose} <= {
        # What all components need, and no component owns.
        ("pulumi:providers:alicloud", "alicloud"),
        ("kubernetes:core/v1:Namespace", "namespace"),
    }
    outer = [one for one in found.resources if not one.custom and one.parent not in components]
    assert all(one.parent.split("::")[2] == STACK_TYPE for one in outer)


@pytest.mark.parametrize("stack", NAMES)
def test_a_service_is_destroyed_before_all_that_it_stands_on(stack: str) -> None:
    found = plan_of(stack)
    for model, way in served(stack).items():
        [service] = [one for one in found.of(SERVICES[way]) if one.name == f"{model}-service"]
        [spec] = [one for one in raw_of(stack)["models"] if one["name"] == model]
        behind = before(found, service)
        assert urns(found, f"ack-inference:index:{PLATFORMS[way]}") <= behind
        nodes = {f"{pool}-pool" for pool in spec["placement"].get("pools", [])}
        assert {one.urn for one in found.of(POOL) if one.name in nodes} - edge(found) <= behind
        assert urns(found, "kubernetes:scheduling.k8s.io/v1:PriorityClass") <= behind
        own = {one.urn for one in found.resources if one.name.startswith(f"{model}-")}
        cached = {u for u in own if "fluid.io" in u.split("::")[2]}
        policy = {u for u in own if "ResourcePolicy" in u.split("::")[2]}
        claim = {u for u in own if u.endswith((f"{model}-claim", f"{model}-volume"))}
        assert bool(cached) == ("cache" in spec)
        assert bool(policy) == (stack in OURS)
        assert cached | policy | claim <= behind


@pytest.mark.parametrize("stack", OURS)
def test_nodes_are_destroyed_before_their_way_out(stack: str) -> None:
    found = plan_of(stack)
    assert found.of(SNAT)
    pools = [one for one in found.of(POOL) if one.urn not in edge(found)]
    assert pools
    assert all(urns(found, SNAT) <= before(found, one) for one in pools)


@pytest.mark.parametrize("stack", OURS)
def test_what_runs_pods_is_destroyed_before_its_nodes(stack: str) -> None:
    found = plan_of(stack)
    platform = [
        *found.of("kubernetes:helm.sh/v3:Release"),
        *found.of("alicloud:cs/kubernetesAddon:KubernetesAddon"),
    ]
    mine = [
        one
        for one in platform
        if one.name.startswith(PLATFORM) and one.name != "kserve-crd"  # resource types alone
    ]
    pools = {one.urn for one in found.of(POOL) if one.name in ("system-pool", "default-pool")}
    assert pools
    assert mine
    assert all(pools <= before(found, one) for one in mine)


@pytest.mark.parametrize("stack", THEIRS)
def test_an_existing_environment_creates_nothing_in_the_cloud(stack: str) -> None:
    assert [one for one in plan_of(stack).resources if "alicloud" in one.type] == []


def test_dev_is_what_the_article_describes() -> None:
    found = plan_of("dev")
    [service], [runtime] = found.manifests("Service"), found.manifests("JindoRuntime")
    template = service["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    [container] = template["spec"]["containers"]
    policies = {one["metadata"]["name"]: one["spec"] for one in found.manifests("ResourcePolicy")}

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
