"""Has KServe's webhooks and controller of LLMInferenceServices work on what is rendered here.

Every model of a stack or an example that KServe serves with vLLM moves there by its `serve` block,
and goes through the webhooks; so do services at the edges of our rules, and some that our rules
refuse. The models of an example become what the controller makes of them, beside the controller of
LeaderWorkerSets, and their pods run on nodes that kwok keeps, one for each pool. What the webhooks
take and the controller makes no pod of, our rules have to refuse too.

A stand-in accepts routes and pools, as a gateway does. Does not prove that a model answers, nor
what an endpoint picker chooses.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pulumi import RunError
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.catalog.labels import GPU_CARD
from components.crds.llm_inference_service import LLMInferenceServiceSpec, service_faults
from components.crds.llm_inference_service_labels import (
    API_VERSION,
    KIND,
    NAME,
    SERVER,
    workload_name,
    workload_service,
)
from plan.model import Plan
from plan.objects import Objects
from sandbox.controllers import core, leader_worker, llm
from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest
from tests.stacks.environments import GONE, ROOT, configuration, merged, planned
from tests.stacks.example_stacks import FOLDER
from tests.stacks.moves import moved

from . import plans
from .cluster import MANAGER, bind_claim, cluster, until
from .kserve import apply_node, is_ready
from .step import Row, Say, Step
from .webhook_rows import LONGEST, camel, edge_row, refused_row, source_row

EXAMPLE: Final = "llm-inference-service"
"""The example whose models run."""
SECONDS: Final = 120
"""Longest until a model is ready, or a controller says why not."""
GATEWAYS: Final = "gateway.networking.k8s.io/v1"
POOLS: Final = "inference.networking.k8s.io/v1"
_PARENT: Final = {
    "group": "gateway.networking.k8s.io",
    "kind": "Gateway",
    "name": "models",
    "namespace": "gateways",
}
_SERVER: Final = {
    "name": SERVER,
    "image": "vllm/vllm-openai:v0.24.0",
    "command": ["vllm", "serve", "/mnt/models/qwen"],
}
_POD: Final = {"containers": [_SERVER]}
_WVA: Final[dict[str, Any]] = {"wva": {"keda": {}}}
_ADAPTER: Final = {"uri": "pvc://adapters/sql", "name": "sql"}


@dataclass(frozen=True)
class LLMCase:
    """An LLMInferenceService at an edge of our rules."""

    title: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    """Fields beside its model and its pod, as our model takes them."""
    model: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the model beside where its files are."""
    name: str = "qwen"

    @property
    def whole(self) -> dict[str, Any]:
        """What is served, as our model takes it."""
        model = {"uri": "pvc://models/qwen", **self.model}
        off = {"enabled": False}
        return {"model": model, "template": _POD, "storage_initializer": off, **self.spec}


def _scaling(least: int, most: int) -> dict[str, Any]:
    return {"min_replicas": least, "max_replicas": most, **_WVA}


EDGES: Final[Sequence[LLMCase]] = (
    LLMCase("the longest name", name="q" * 63),
    LLMCase("no replica", {"replicas": 0}),
    LLMCase(
        "as many at least as at most", {"scaling": {"min_replicas": 2, "max_replicas": 2} | _WVA}
    ),
    LLMCase(
        "one replica without load",
        {
            "scaling": {
                "min_replicas": 2,
                "max_replicas": 3,
                "wva": {"variant_cost": "0.5", "keda": {"idle_replica_count": 1}},
            }
        },
    ),
    LLMCase(
        "prefill without parallelism", {"prefill": {"replicas": 1, "template": _POD}, "router": {}}
    ),
    LLMCase(
        "copies on two nodes",
        {"parallelism": {"data": 2, "data_local": 1, "expert": True}, "worker": _POD},
    ),
    LLMCase(
        "an adapter that KServe mounts",
        {"storage_initializer": {"enabled": True}},
        {"name": "base", "lora": {"adapters": [_ADAPTER], "max_rank": 1}},
    ),
    LLMCase(
        "blocks on a claim",
        {
            "kv_cache_offloading": {
                "cpu": "1Gi",
                "eviction_policy": "arc",
                "secondary": [{"file_system": {"pvc": {"ref": {"name": "blocks"}}}}],
            }
        },
    ),
    LLMCase(
        "a group, and no share of it",
        {"router": {"route": {"http": {}, "group": "qwen", "weight": 0}, "scheduler": {}}},
    ),
)
"""What our rules just accept."""

REFUSED: Final[Sequence[LLMCase]] = (
    LLMCase("a name that begins with a capital", name="Qwen"),
    LLMCase("replicas and scaling", {"replicas": 1, "scaling": {"max_replicas": 2} | _WVA}),
    LLMCase(
        "fewer at most than at least", {"scaling": {"min_replicas": 3, "max_replicas": 2} | _WVA}
    ),
    LLMCase("none at least", {"scaling": {"min_replicas": 0, "max_replicas": 2} | _WVA}),
    LLMCase("scaling by nobody", {"scaling": {"max_replicas": 2}}),
    LLMCase("two actuators", {"scaling": {"max_replicas": 2, "wva": {"hpa": {}, "keda": {}}}}),
    LLMCase(
        "no replica without load",
        {
            "scaling": {
                "min_replicas": 1,
                "max_replicas": 2,
                "wva": {"keda": {"idle_replica_count": 0}},
            }
        },
    ),
    LLMCase(
        "two roles of two actuators",
        {
            "scaling": {"max_replicas": 2} | _WVA,
            "prefill": {"template": _POD, "scaling": {"max_replicas": 2, "wva": {"hpa": {}}}},
        },
    ),
    LLMCase("a worker of no group", {"worker": _POD}),
    LLMCase("a worker of prefill alone", {"prefill": {"template": _POD, "worker": _POD}}),
    LLMCase("copies, and not how many in a pod", {"parallelism": {"data": 2}}),
    LLMCase(
        "layers and copies split", {"parallelism": {"data": 2, "data_local": 1, "pipeline": 2}}
    ),
    LLMCase("an adapter without a name", model={"lora": {"adapters": [{"uri": "hf://a/b"}]}}),
    LLMCase(
        "an adapter called as its model",
        {"storage_initializer": {"enabled": True}},
        {"name": "sql", "lora": {"adapters": [_ADAPTER]}},
    ),
    LLMCase(
        "two adapters of one name",
        {"storage_initializer": {"enabled": True}},
        {"name": "base", "lora": {"adapters": [_ADAPTER, _ADAPTER]}},
    ),
    LLMCase("a weight without a group", {"router": {"route": {"http": {}, "weight": 1}}}),
    LLMCase(
        "a group with routes of one's own",
        {"router": {"route": {"http": {"refs": [{"name": "mine"}]}, "group": "a", "weight": 1}}},
    ),
    LLMCase("no endpoint picker", {"router": {"scheduler": {"replicas": 0}}}),
    LLMCase(
        "blocks in two places",
        {
            "kv_cache_offloading": {
                "cpu": "1Gi",
                "secondary": [
                    {
                        "file_system": {
                            "empty_dir": {"size": "1Gi"},
                            "pvc": {"ref": {"name": "blocks"}},
                        }
                    }
                ],
            }
        },
    ),
    LLMCase("a field of v1alpha1", model={"criticality": "Critical"}),
    LLMCase("a field of a later release", {"rollout_strategy": {"max_surge": 1}}),
    LLMCase("KEDA of a later release", {"scaling": {"max_replicas": 2, "keda": {"triggers": []}}}),
)
"""What the API server or the webhooks refuse; our rules have to refuse it first."""

NO_POD: Final[Sequence[LLMCase]] = (
    LLMCase("layers split over nodes", {"parallelism": {"pipeline": 2}, "worker": _POD}),
    LLMCase(
        "two braces in a command",
        {"template": {"containers": [{**_SERVER, "args": ["--chat-template", "{{ messages }}"]}]}},
    ),
    LLMCase("an adapter that nobody fetches", model={"lora": {"adapters": [_ADAPTER]}}),
    LLMCase(
        "files of a scheme that nobody reads", {"storage_initializer": {}}, {"uri": "oss://a/b"}
    ),
    LLMCase(
        "a volume called as one of the preset",
        {
            "template": {
                "containers": [_SERVER],
                "volumes": [
                    {"name": "home", "persistent_volume_claim": {"claim_name": "home"}},
                ],
            }
        },
    ),
)
"""What the webhooks take, and the controller makes no pod of; our rules have to refuse it."""


def our_faults(case: LLMCase) -> list[str]:
    """What our rules say against a service."""
    try:
        spec = LLMInferenceServiceSpec.of(case.whole)
    except RunError as refused:
        return [str(refused)]
    return [str(fault) for fault in service_faults(spec, ObjectMetaArgs(name=case.name))]


def manifest(case: LLMCase, name: str = "") -> dict[str, Any]:
    """The service as an object, in the form that a cluster takes, whatever our rules say."""
    about = {"name": name or case.name, "namespace": "default"}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": about, "spec": camel(case.whole)}


def services(of: Plan) -> list[dict[str, Any]]:
    """The LLMInferenceServices of a plan, with a word for what only a cloud can give."""
    objects = [item for item in of.manifests(KIND) if item["apiVersion"] == API_VERSION]
    return [plans.without_unknown(item) for item in objects]


def _sources() -> Iterator[tuple[str, Plan]]:
    """The stacks and examples whose models move, and those that are there already."""
    for path in sorted([*ROOT.glob("Pulumi.*.yaml"), *FOLDER.glob("Pulumi.*.yaml")]):
        raw = configuration(path)
        changed = moved(raw)
        if changed != raw:
            yield f"{path.name}, moved", planned(changed)
        elif any("llm" in model.get("serve", {}) for model in raw.get("models", ())):
            yield path.name, planned(raw)


def run(say: Say) -> Iterator[Row]:
    """A row per file of services, per edge, per refusal, and per model that runs.

    Raises:
        Skipped: Go is missing, or a program or chart cannot be had.
    """
    parts = (llm.GATEWAY_API, leader_worker.CONTROLLER, llm.CONTROLLER, llm.PRESET_OBJECTS)
    with cluster(say, (*core.CONTROL_PLANE, *parts)) as plane:
        for row, cases in ((edge_row, EDGES), (refused_row, REFUSED)):
            for case in cases:
                yield row(plane.client, case.title, manifest(case), our_faults(case))
        yield from (_makes_no_pod(plane.client, case) for case in NO_POD)
        yield from _running(plane.client)
        yield _other_role(plane.client)
        for where, of in _sources():
            yield source_row(plane.client, where, services(of))


def _makes_no_pod(client: ApiClient, case: LLMCase) -> Row:
    number = NO_POD.index(case)
    service = manifest(case, f"stuck-{number}")
    client.apply(service, MANAGER)
    until(lambda: bool(_why_not(client, service)), SECONDS)
    why, faults = _why_not(client, service), []
    if _pods(client, service) or not why:
        faults.append("the controller made pods of it, though our rules are said to refuse it")
    if not our_faults(case):
        faults.append("our rules accept it, and the controller makes no pod of it")
    client.remove(service)
    return Row(f"no pod: {case.title}", why.replace("\n", " ")[:LONGEST], tuple(faults))


def _conditions(client: ApiClient, service: Manifest) -> Sequence[Manifest]:
    return ((client.get(service) or {}).get("status") or {}).get("conditions") or ()


def _why_not(client: ApiClient, service: Manifest) -> str:
    """What the controller says of a service for which it makes no Deployment."""
    messages = [
        part.get("message", "")
        for part in _conditions(client, service)
        if part["status"] == "False"
    ]
    return next((text for text in messages if text and "minimum availability" not in text), "")


def _pods(client: ApiClient, service: Manifest) -> list[dict[str, Any]]:
    """Pods of its roles, without those of its endpoint picker."""
    name = service["metadata"]["name"]
    return [
        pod
        for pod in client.list_objects("v1", "Pod")
        if (pod["metadata"].get("labels") or {}).get(NAME) == name
        and not pod["metadata"]["labels"]["app.kubernetes.io/component"].endswith("scheduler")
    ]


# --- models that run -----------------------------------------------------------------------------


def _running(client: ApiClient) -> Iterator[Row]:
    """The models of the example, until the controller says that they are ready."""
    of = planned(configuration(FOLDER / f"Pulumi.{EXAMPLE}.yaml"))
    objects = services(of)
    for namespace in ("gateways", *{item["metadata"]["namespace"] for item in objects}):
        client.apply(namespace_manifest(namespace), MANAGER)
    _apply_gateway(client)
    for item in objects:
        for volume in item["spec"]["template"]["volumes"]:
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                bind_claim(client, item["metadata"]["namespace"], claim)
    for card in ("NVIDIA-A10", "NVIDIA-H20"):
        apply_node(client, card.lower(), {GPU_CARD: card}, (), size=4)
    # Twice as large as either, so that the scheduler likes it better where nothing forbids it.
    apply_node(client, "of-no-pool", {}, (), size=8)
    for item in objects:
        client.apply(item, MANAGER)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and not all(is_ready(client.get(item)) for item in objects):
        _accept(client)
        time.sleep(0.5)
    for item in objects:
        yield _made(client, of, item)


def _other_role(client: ApiClient) -> Row:
    """What becomes of a model whose prefill goes in place, which the diff says is refused."""
    raw = merged(configuration(FOLDER / f"Pulumi.{EXAMPLE}.yaml"), {f"{SPLIT}.prefill": GONE})
    [service] = [each for each in services(planned(raw)) if each["metadata"]["name"] == "split"]
    client.apply(service, MANAGER)
    until(lambda: IMMUTABLE in _why_not(client, service), SECONDS)
    why = _why_not(client, service)
    faults = [] if IMMUTABLE in why else ["its Deployment takes another role: `left_behind`"]
    return Row("no other role in place: split", IMMUTABLE if not faults else why, tuple(faults))


IMMUTABLE: Final = "field is immutable"
"""What the API server says of another selector of a Deployment."""
SPLIT: Final = "models[split].serve.llm"
"""The model of the example with prefill apart."""


def _made(client: ApiClient, of: Plan, service: Manifest) -> Row:
    """What the controller made of a service, against what is planned."""
    about, spec = service["metadata"], service["spec"]
    name, namespace, groups = about["name"], about["namespace"], "worker" in spec
    roles = {"spec.template": workload_name(name, groups=groups)}
    if "prefill" in spec:
        roles["spec.prefill.template"] = workload_name(name, prefill=True)
    kind = (
        ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet") if groups else ("apps/v1", "Deployment")
    )
    makes = [(*kind, deployment) for deployment in roles.values()]
    makes.append(("v1", "Service", workload_service(name)))
    if "router" in spec:
        makes += [
            (GATEWAYS, "HTTPRoute", f"{name}-kserve-route"),
            (POOLS, "InferencePool", f"{name}-inference-pool"),
        ]
    faults = [
        f"there is no {kind} {called}"
        for api_version, kind, called in makes
        if client.get(_address(api_version, kind, called, namespace)) is None
    ]
    if not is_ready(client.get(service)):
        messages = [f"{c['type']}: {c.get('message')}" for c in _conditions(client, service)]
        faults.append(f"it is not ready after {SECONDS} s: {'; '.join(messages) or 'no status'}")
    pods, planned_pods = _pods(client, service), len(roles) * _size(spec)
    if len(pods) != planned_pods:
        faults.append(f"it has {len(pods)} pods, and {planned_pods} are planned")
    faults += [fault for pod in pods for fault in _pod_faults(of, service, pod)]
    if "router" in spec:
        faults += _route_faults(client, service)
    figures = f"ready; {', '.join(dict.fromkeys(kind for _, kind, _ in makes))}; {len(pods)} pods"
    return Row(f"{EXAMPLE}: {name}", figures, tuple(faults))


def _address(api_version: str, kind: str, name: str, namespace: str) -> Manifest:
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": about}


def _size(spec: Manifest) -> int:
    parallel = spec.get("parallelism", {})
    return parallel["data"] // parallel["dataLocal"] if "worker" in spec else 1


def _pod_faults(of: Plan, service: Manifest, pod: Manifest) -> Iterator[str]:
    """What a pod lost of what is planned for it, and where it is."""
    labels, spec = pod["metadata"]["labels"], service["spec"]
    name, component = pod["metadata"]["name"], labels["app.kubernetes.io/component"]
    template = spec["template"]
    if component.endswith("worker"):
        template = spec["worker"]
    elif "prefill" in component:
        template = spec["prefill"]["template"]
    policies = Objects(of.manifests()).of("scheduling.alibabacloud.com", "ResourcePolicy")
    if not any(policy["spec"]["selector"].items() <= labels.items() for policy in policies):
        yield f"{name} has no label that its ResourcePolicy selects"
    terms = template["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    [card] = terms["nodeSelectorTerms"][0]["matchExpressions"][0]["values"]
    if (node := pod["spec"].get("nodeName")) != card.lower():
        yield f"{name} is on {node}, but it must be on {card.lower()}"
    [server, *_] = [c for c in pod["spec"]["containers"] if c["name"] == SERVER]
    [template_server, *_] = template["containers"]
    for key in ("command", "image", "args"):
        if server.get(key) != template_server.get(key):
            yield f"{name} has another {key}"
    for key in ("startupProbe", "readinessProbe", "livenessProbe"):
        for part, value in template_server.get(key, {}).items():
            if part != "httpGet" and server.get(key, {}).get(part) != value:
                yield f"{name} has another {key}.{part}"
    for mount in template_server.get("volumeMounts", ()):
        if not any(mount.items() <= mounted.items() for mounted in server["volumeMounts"]):
            yield f"{name} lost the mount {mount['mountPath']}"
    for kind in ("requests", "limits"):
        if not template_server["resources"][kind].keys() <= server["resources"][kind].keys():
            yield f"{name} lost {kind}"
    if server["securityContext"]["runAsNonRoot"]:
        yield f"{name} may not run as root, as the image does"
    if pod["spec"]["terminationGracePeriodSeconds"] != template["terminationGracePeriodSeconds"]:
        yield f"{name} has another grace period"


def _route_faults(client: ApiClient, service: Manifest) -> Iterator[str]:
    about = service["metadata"]
    address = partial(_address, namespace=about["namespace"])
    route = client.get(address(GATEWAYS, "HTTPRoute", f"{about['name']}-kserve-route")) or {}
    parents = [parent["name"] for parent in route["spec"]["parentRefs"]]
    expected = [parent["name"] for parent in service["spec"]["router"]["gateway"]["refs"]]
    if parents != expected:
        yield f"its route is at {parents}, but it must be at {expected}"
    path = f"/{about['namespace']}/{about['name']}"
    paths = [
        match["path"]["value"]
        for rule in route["spec"]["rules"]
        for match in rule.get("matches", ())
        if "path" in match
    ]
    if f"{path}/v1/chat/completions" not in paths:
        yield f"its route has no path {path}/v1/chat/completions, which the outputs name"


def _apply_gateway(client: ApiClient) -> None:
    """The Gateway that the example names, as its controller leaves it."""
    gateway_class = {
        "apiVersion": GATEWAYS,
        "kind": "GatewayClass",
        "metadata": {"name": "sandbox"},
        "spec": {"controllerName": "example.com/none"},
    }
    listener = {
        "name": "http",
        "port": 80,
        "protocol": "HTTP",
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    gateway = {
        "apiVersion": GATEWAYS,
        "kind": "Gateway",
        "metadata": {"name": _PARENT["name"], "namespace": _PARENT["namespace"]},
        "spec": {"gatewayClassName": "sandbox", "listeners": [listener]},
    }
    for item in (gateway_class, gateway):
        client.apply(item, MANAGER)
    status = {
        "addresses": [{"type": "IPAddress", "value": "10.0.0.9"}],
        "conditions": [_condition("Accepted", 1), _condition("Programmed", 1)],
    }
    client.merge(gateway, {"status": status}, "gateway", "status")


def _accept(client: ApiClient) -> None:
    """Says of routes and pools what a gateway says of those that it serves."""
    for api_version, kind in ((GATEWAYS, "HTTPRoute"), (POOLS, "InferencePool")):
        for item in client.list_objects(api_version, kind):
            generation = item["metadata"]["generation"]
            parent = {
                "parentRef": _PARENT,
                "controllerName": "example.com/none",
                "conditions": [
                    _condition(type_, generation) for type_ in ("Accepted", "ResolvedRefs")
                ],
            }
            client.merge(item, {"status": {"parents": [parent]}}, "gateway", "status")


def _condition(type_: str, generation: int) -> dict[str, Any]:
    return {
        "type": type_,
        "status": "True",
        "reason": type_,
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": generation,
    }


STEP: Final = Step("llm", run, seconds=120)
