"""Has KServe's own webhooks and manager work on what this repository renders for them.

Every InferenceService of a stack, an example, a page or an accepted case goes through the webhooks;
so do services at the edges of our rules, and some that our rules refuse. The models of one stack
become what the manager makes of them, and their pods run on a node that kwok keeps.

Does not prove that a model answers, nor what an ingress controller does with its Ingress.
"""

import copy
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pulumi import RunError
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.crds.kserve import API_VERSION, InferenceServiceSpec, inference_service_faults
from components.crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    deployment_name,
    pod_label,
)
from components.crds.llm_inference_service_labels import KIND as LLM
from plan.model import Plan
from sandbox.controllers import core
from sandbox.controllers.kserve import CONTROLLER
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from tests.stacks.environments import Raw, hybrid, merged, planned

from . import plans
from .cluster import MANAGER, bind_claim, cluster, until
from .step import Row, Say, Step
from .webhook_rows import camel, edge_row, refused_row, source_row

STACK: Final = "hybrid"
"""The stack whose models run."""
SECONDS: Final = 120
"""Longest until a model is ready."""
NODE: Final = "sandbox"
POOL_NODE: Final = "of-the-pool"
OTHER_NODE: Final = "of-no-pool"

_CONTAINER: Final = {
    "name": "kserve-container",
    "image": "vllm/vllm-openai:v0.9.1",
    "resources": {
        "requests": {"cpu": "4", "memory": "12Gi", "nvidia.com/gpu": "1"},
        "limits": {"nvidia.com/gpu": "1"},
    },
}
_QUERY: Final = {
    "type": "External",
    "external": {
        "metric": {"backend": "prometheus", "server_address": "http://p:9090", "query": "up"},
        "target": {"type": "Value", "value": "2"},
    },
}


@dataclass(frozen=True)
class KServeCase:
    """An InferenceService at an edge of our rules."""

    title: str
    predictor: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the predictor beside its container."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    name: str = "qwen"

    @property
    def spec(self) -> dict[str, Any]:
        """What is served, as our model takes it."""
        return {"predictor": {"containers": [_CONTAINER], **self.predictor}}


HPA: Final = {AUTOSCALER_CLASS: "hpa"}
KEDA: Final = {AUTOSCALER_CLASS: "keda"}
KNATIVE: Final = {DEPLOYMENT_MODE: "Knative"}

EDGES: Final[Sequence[KServeCase]] = (
    KServeCase("the longest name", name="q" * 48),
    KServeCase(
        "an HPA on CPU", {"max_replicas": 3, "scale_metric": "cpu", "scale_target": 100}, HPA
    ),
    KServeCase("an HPA on memory", {"scale_metric": "memory", "scale_target": 1}, HPA),
    KServeCase("no autoscaler", {"min_replicas": 2}, {AUTOSCALER_CLASS: "none"}),
    KServeCase("an autoscaler of one's own", {}, {AUTOSCALER_CLASS: "external"}),
    KServeCase("KEDA from zero", {"min_replicas": 0, "auto_scaling": {"metrics": [_QUERY]}}, KEDA),
    KServeCase("one replica, and one at most", {"min_replicas": 1, "max_replicas": 1}, HPA),
    KServeCase("Knative, no pod at least", {"min_replicas": 0, "max_replicas": 1}, KNATIVE),
    KServeCase(
        "Knative, by requests per second",
        {"scale_metric": "rps", "scale_target": 101, "container_concurrency": 0, "timeout": 600},
        KNATIVE,
    ),
)
"""What our rules just accept."""

REFUSED: Final[Sequence[KServeCase]] = (
    KServeCase("a name that begins with a digit", name="7b"),
    KServeCase("fewer at most than at least", {"min_replicas": 3, "max_replicas": 1}, HPA),
    KServeCase("negative replicas", {"min_replicas": -1}, HPA),
    KServeCase("an autoscaler that does not exist", {}, {AUTOSCALER_CLASS: "kpa"}),
    KServeCase("a share above the whole", {"scale_metric": "cpu", "scale_target": 101}, HPA),
    KServeCase("Knative's metric on an HPA", {"scale_metric": "rps", "scale_target": 10}, HPA),
    KServeCase("a metric beside KEDA's", {"scale_metric": "cpu", "scale_target": 50}, KEDA),
    KServeCase(
        "an HPA's metric on Knative", {"scale_metric": "memory", "scale_target": 10}, KNATIVE
    ),
    KServeCase("KEDA's trigger on an HPA", {"auto_scaling": {"metrics": [_QUERY]}}, HPA),
)
"""What the webhooks refuse though the resource type takes it; our rules have to refuse it first."""


def our_faults(case: KServeCase) -> list[str]:
    """What our rules say against a service."""
    about = ObjectMetaArgs(name=case.name, annotations=dict(case.annotations))
    try:
        spec = InferenceServiceSpec.of(case.spec)
    except RunError as refused:
        return [str(refused)]
    return [str(fault) for fault in inference_service_faults(spec, about)]


def manifest(case: KServeCase) -> dict[str, Any]:
    """The service as an object, in the form that a cluster takes, whatever our rules say."""
    return {
        "apiVersion": API_VERSION,
        "kind": "InferenceService",
        "metadata": {
            "name": case.name,
            "namespace": "default",
            "annotations": dict(case.annotations),
        },
        "spec": camel(case.spec),
    }


def services(of: Plan) -> list[dict[str, Any]]:
    """What of a plan KServe serves, with a word for what only a cloud can give.

    LLMInferenceServices have a step of their own, with their resource type: `proof.llm`.
    """
    objects = [
        item
        for item in of.manifests()
        if item["apiVersion"].startswith("serving.kserve.") and item["kind"] != LLM
    ]
    return [plans.without_unknown(item) for item in objects]


def _models(raw: Raw) -> object:
    return [model for model in raw.get("models", ()) if "kserve" in model.get("serve", {})]


def _sources() -> Iterator[tuple[str, Plan]]:
    yield from plans.stacks()
    yield from plans.examples()
    yield from plans.pages()
    yield from plans.cases(_models)


def run(say: Say) -> Iterator[Row]:
    """A row per source of services, per edge, and per model that runs.

    Raises:
        Skipped: Go is missing, or a program or chart cannot be had.
    """
    with cluster(say, (*core.CONTROL_PLANE, CONTROLLER)) as plane:
        yield from _running(plane.client)
        yield from _placed(plane.client)
        for row, cases in ((edge_row, EDGES), (refused_row, REFUSED)):
            for case in cases:
                yield row(plane.client, case.title, manifest(case), our_faults(case))
        say("Planning what KServe is given; this takes minutes.")
        for where, of in _sources():
            if objects := services(of):
                yield source_row(plane.client, where, objects)


def _running(client: ApiClient) -> Iterator[Row]:
    """The models of a stack, until the manager says that they are ready."""
    of = next(of for where, of in plans.stacks() if where == f"Pulumi.{STACK}.yaml")
    objects = services(of)
    claims = {name for item in objects for name in _claims(item)}
    for namespace in {item["metadata"]["namespace"] for item in objects}:
        client.apply(namespace_manifest(namespace), MANAGER)
        for claim in claims:
            bind_claim(client, namespace, claim)
    for kind in ("PriorityClass", "ServiceAccount"):
        for item in of.manifests(kind):
            client.apply(plans.without_unknown(item), MANAGER)
    for item in objects:
        client.apply(item, MANAGER)
    deadline = time.monotonic() + SECONDS
    prepared = False
    for item in objects:
        while time.monotonic() < deadline:
            if not prepared and (pods := client.list_objects("v1", "Pod")):
                _add_node(client, pods)
                prepared = True
            if is_ready(client.get(item)):
                break
            time.sleep(0.3)
        yield _made(client, item)
    # What comes next is made, not changed: a mode, for one, cannot be.
    for item in objects:
        client.remove(item)


def _made(client: ApiClient, service: Manifest) -> Row:
    """What the manager made of a service, and what it says of it."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    scaler = service["metadata"].get("annotations", {}).get(AUTOSCALER_CLASS)
    predictor = {"name": deployment_name(name), "namespace": namespace}
    wanted: list[tuple[str, str, dict[str, str]]] = [
        ("apps/v1", "Deployment", predictor),
        ("v1", "Service", predictor),
        ("networking.k8s.io/v1", "Ingress", {"name": name, "namespace": namespace}),
    ]
    autoscaler = ("autoscaling/v2", "HorizontalPodAutoscaler", predictor)
    faults = [
        f"there is no {kind} {about['name']}"
        for api_version, kind, about in [*wanted, *([autoscaler] if scaler == "hpa" else [])]
        if client.get({"apiVersion": api_version, "kind": kind, "metadata": about}) is None
    ]
    if scaler == "external" and _there(client, autoscaler):
        faults.append("KServe made an HPA beside ours")
    current = client.get(service) or {}
    if not is_ready(current):
        conditions = (current.get("status") or {}).get("conditions") or []
        reasons = [f"{c['type']}: {c.get('message') or c['status']}" for c in conditions]
        faults.append(f"it is not ready after {SECONDS} s: {'; '.join(reasons) or 'no status'}")
    pods = [
        pod
        for pod in client.list_objects("v1", "Pod")
        if pod_label(name).items() <= pod["metadata"].get("labels", {}).items()
    ]
    faults += _pod_faults(service, pods)
    kinds = ", ".join(kind for _, kind, _ in wanted)
    return Row(f"{STACK}: {name}", f"ready; {kinds}, {len(pods)} pods", tuple(faults))


def _pod_faults(service: Manifest, pods: Sequence[Manifest]) -> Iterator[str]:
    """What a pod lost of what the service says of it."""
    if not pods:
        yield "no pod has the label that policies select it by"
    predictor = service["spec"]["predictor"]
    for pod in pods:
        for key in ("affinity", "priorityClassName", "nodeSelector", "enableServiceLinks"):
            if key in predictor and pod["spec"].get(key) != predictor[key]:
                yield f"{pod['metadata']['name']} has another {key} than the service"
        for toleration in predictor.get("tolerations", ()):
            if toleration not in pod["spec"].get("tolerations", ()):
                yield f"{pod['metadata']['name']} lost the toleration {toleration}"
        ours, [container, *_] = predictor["containers"][0], pod["spec"]["containers"]
        for kind in ("requests", "limits"):
            theirs = container["resources"].get(kind, {})
            if set(theirs) != set(ours.get("resources", {}).get(kind, {})):
                yield f"{pod['metadata']['name']} has {kind} of its own: {sorted(theirs)}"


def _placed(client: ApiClient) -> Iterator[Row]:
    """A model on a pool of its own, beside a node that suits it but for its pool."""
    service = _dedicated()
    namespace, predictor = service["metadata"]["namespace"], service["spec"]["predictor"]
    for claim in _claims(service):
        bind_claim(client, namespace, claim)
    labels = _wanted_labels(predictor)
    taints = [
        {"key": toleration["key"], "value": toleration.get("value", ""), "effect": "NoSchedule"}
        for toleration in predictor["tolerations"]
    ]
    until(partial(_is_gone, client, service), SECONDS)  # The stack has a model of this name.
    client.remove({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
    apply_node(client, POOL_NODE, labels, taints)
    # Twice as large, so that the scheduler likes it better, and does not draw lots.
    apply_node(client, OTHER_NODE, {}, (), size=2)
    for lacks, expected in ((None, POOL_NODE), ("tolerations", None), ("affinity", OTHER_NODE)):
        item = copy.deepcopy(service)
        if lacks:
            item["spec"]["predictor"].pop(lacks)
        client.apply(item, MANAGER)
        seen = _node_of(client, item)
        case = f"on its pool{f', without {lacks}' if lacks else ''}"
        faults = () if seen == expected else (f"it is on {seen}, but it must be {expected}",)
        yield Row(case, f"{'goes wrong: ' if lacks else ''}on {seen or 'no node'}", faults)
        client.remove(item)
        until(partial(_is_gone, client, item), SECONDS)


def _is_gone(client: ApiClient, service: Manifest) -> bool:
    return not _pods(client, service)


def _dedicated() -> dict[str, Any]:
    changes = {
        "pools[elastic].dedicated": True,
        "models[qwen-chat].placement.pools": ["elastic"],
    }
    [service] = [
        item
        for item in services(planned(merged(hybrid(), changes)))
        if item["metadata"]["name"] == "qwen-chat"
    ]
    return service


def _node_of(client: ApiClient, service: Manifest) -> str | None:
    """The node of a model's pod once it has one, or the scheduler has found none for it."""

    def decided() -> bool:
        return any(
            condition["type"] == "PodScheduled"
            for pod in _pods(client, service)
            for condition in (pod.get("status") or {}).get("conditions") or ()
        )

    until(decided, SECONDS)
    nodes = {pod["spec"].get("nodeName") for pod in _pods(client, service)}
    return nodes.pop() if len(nodes) == 1 else None


def _pods(client: ApiClient, service: Manifest) -> list[dict[str, Any]]:
    label = pod_label(service["metadata"]["name"]).items()
    return [
        pod
        for pod in client.list_objects("v1", "Pod")
        if label <= pod["metadata"].get("labels", {}).items()
    ]


def _there(client: ApiClient, entry: tuple[str, str, dict[str, str]]) -> bool:
    api_version, kind, about = entry
    return client.get({"apiVersion": api_version, "kind": kind, "metadata": about}) is not None


def is_ready(service: Manifest | None) -> bool:
    """Whether a service is there, and its controller says that it is ready."""
    conditions = ((service or {}).get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _claims(service: Manifest) -> Iterator[str]:
    for volume in service["spec"].get("predictor", {}).get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def _add_node(client: ApiClient, pods: Sequence[Manifest]) -> None:
    """A node that every pod fits: it has the labels that they ask for, and cards for all."""
    labels: dict[str, str] = {}
    for pod in pods:
        labels |= _wanted_labels(pod["spec"])
    apply_node(client, NODE, labels, ())


def _wanted_labels(spec: Manifest) -> dict[str, str]:
    """Labels that a node needs for a pod: the first value of each requirement."""
    labels = dict(spec.get("nodeSelector", {}))
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in required.get("nodeSelectorTerms", ())[:1]:
        for wish in term.get("matchExpressions", ()):
            if wish["operator"] == "In":
                labels[wish["key"]] = wish["values"][0]
    return labels


def apply_node(
    client: ApiClient,
    name: str,
    labels: Mapping[str, str],
    taints: Sequence[Mapping[str, str]],
    size: int = 1,
) -> None:
    """A node with eight cards that kwok keeps."""
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **labels}
    amounts = {
        "cpu": str(96 * size),
        "memory": f"{400 * size}Gi",
        "ephemeral-storage": f"{100 * size}Gi",
        "pods": "100",
        "nvidia.com/gpu": str(8 * size),
    }
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {"capacity": amounts, "allocatable": amounts},
    }
    client.apply(node, MANAGER)


STEP: Final = Step("kserve", run, seconds=100)
