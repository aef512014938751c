"""LLMInferenceServices of KServe: models with an endpoint picker, and pods by role."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from components.args import MISSING, Fault, Words, refuse
from components.crds.llm_inference_service_labels import (
    PORT,
    serving_labels,
    workload_service,
)
from components.quantity import parse
from components.serving import KVOffload, LLMModel, LLMModelArgs, LLMServe, ModelArgs
from components.serving.llm_model import at_port, cluster_host, render
from components.serving.llm_serve import LLMActuator, LLMGateway

from ..arguments.base import required
from ..arguments.gateway import gateways_of, is_attached
from ..arguments.namespaces import namespace_of
from ..checks.rules import check, warning
from ..checks.views import own_pools, served
from ..platforms import LEADER_WORKER_SETS, LLM_INFERENCE_SERVICES, Platform
from ..platforms.ingress import ingress_class
from ..sections.environment import Environment
from ..sections.models import ModelSection, ServeSection
from .kserve import keda_fault, with_prometheus
from .runtime import Endpoints, Runtime

DISK_SHARE: Final = 0.9
"""Part of a node's disk that pods get: dumps of ACK's nodes, 120 GiB of which 106 are allocatable,
seen 2026-11."""


def model_args(environment: Environment, model: ModelSection, args: ModelArgs) -> LLMModelArgs:
    """The LLMInferenceService of a model."""
    return args.model_copy(update={"server": at_port(args.server)}).completed(
        partial(
            LLMModelArgs,
            serve=completed(environment, model, required(model.serve.llm)),
            ingress_class=ingress_class(environment),
        )
    )


def completed(environment: Environment, model: ModelSection, serve: LLMServe) -> LLMServe:
    """How a model is served, with what is the stack's where nothing else is said.

    The Prometheus that KEDA asks, and the Gateway to which KServe attaches a route.
    """
    scale, prefill, router = with_prometheus(environment, serve.scale), serve.prefill, serve.router
    if prefill is not None:
        reading = with_prometheus(environment, prefill.scale)
        prefill = prefill.model_copy(update={"scale": reading})
    if router is not None and router.gateway is None and is_attached(environment, model):
        name = gateways_of(environment, model)[0]
        gateway = LLMGateway(name=name, namespace=environment.namespace)
        router = router.model_copy(update={"gateway": gateway})
    return serve.model_copy(update={"scale": scale, "prefill": prefill, "router": router})


def model_url(environment: Environment, model: ModelSection) -> str:
    """Address of the Service of its pods, past the endpoint picker."""
    return f"http://{cluster_host(model.name, namespace_of(environment, model))}:{PORT}"


def model_path(namespace: str, model: ModelSection) -> str:
    """What its route has before the paths of vLLM, behind a Gateway."""
    routed = model.serve.router is not None and model.ingress is None
    return f"/{namespace}/{model.name}" if routed else ""


def endpoints(model: ModelSection) -> Endpoints:
    """The pods that KServe's Service leads to.

    Raises:
        Refusal: KServe makes a route, a pool and a picker of its own.
    """
    if model.serve.router is not None:
        want = "left out beside serve.llm.router, or that left out"
        why = "KServe makes a route and a pool for the same pods, and two pickers see half each"
        raise refuse("route", Words("given"), want, why)
    return Endpoints(serving_labels(model.name), workload_service(model.name), PORT)


def platforms(model: ModelSection) -> Sequence[Platform]:
    """The controller, and that of groups for a replica on several nodes."""
    groups = (LEADER_WORKER_SETS,) if model.pods_per_replica > 1 else ()
    return (*groups, LLM_INFERENCE_SERVICES)


# --- checks --------------------------------------------------------------------------------------


@check
def autoscalers_are_there(environment: Environment) -> Iterator[Fault]:
    """KEDA, or the Workload Variant Autoscaler: without them nobody scales."""
    for path, _, llm in served(environment, lambda serve: serve.llm):
        for role, scale in llm.scales.items():
            field = f"{path}.serve.llm.{role}.wva"
            if scale.keda is not None and not environment.keda:
                yield keda_fault(f"{path}.serve.llm.{role}.keda is given")
            if scale.wva is None:
                continue
            if not environment.llm_inference_services.variant_autoscaler:
                want = "true, once the Workload Variant Autoscaler is installed"
                where = "llm_inference_services.variant_autoscaler"
                yield Fault(where, False, want, f"{field} is given, and it says how many pods")
            if scale.wva.actuator is LLMActuator.KEDA and not environment.keda:
                yield keda_fault(f"{field}.actuator is keda")


@check
def actuators_keep_to_what_is_said(environment: Environment) -> Iterator[Fault]:
    """KServe 0.20 gives its HPA a target that is multiplied by the replicas that are ready.

    kserve v0.20.0, pkg/controller/v1alpha2/llmisvc/scaling.go, expectedHPA: of type Value. See
    findings/kserve-llm-hpa-multiplies.sh.
    """
    if not environment.llm_inference_services.install:
        return
    for path, _, llm in served(environment, lambda serve: serve.llm):
        for role, scale in llm.scales.items():
            if scale.wva is not None and scale.wva.actuator is LLMActuator.HPA:
                why = "the HPA that KServe 0.20 makes multiplies by the replicas that are ready, up"
                why += " to max, and never comes back"
                field = f"{path}.serve.llm.{role}.wva.actuator"
                yield Fault(field, scale.wva.actuator, f"'{LLMActuator.KEDA}'", why)


@check
def routers_have_a_gateway(environment: Environment) -> Iterator[Fault]:
    """KServe would attach a route to the Gateway of its ConfigMap, which nobody here knows."""
    for path, model, router in served(environment, lambda serve: serve.router):
        if router.gateway is None and not is_attached(environment, model):
            want, why = "given, or the stack's section `gateway`", "KServe attaches a route to it"
            if environment.gateway is not None:
                want, why = "given", "with gateway.flavor router the stack makes no Gateway"
            yield Fault(f"{path}.serve.llm.router.gateway", MISSING, want, why)


@check
def offloaded_blocks_fit_the_disk(environment: Environment) -> Iterator[Fault]:
    """KServe has a pod request the disk for them, and a node that has less never gets it."""
    for path, model, offload in served(environment, _offload):
        if offload.disk is None:
            continue
        for pool in own_pools(environment, model.placement):
            size = (pool.data_disk or pool.root_disk).size_gib
            if parse(offload.disk) > size * DISK_SHARE * 2**30:
                want = f"at most {int(size * DISK_SHARE)}Gi, or a larger disk for pool {pool.name}"
                why = f"a node of it has {size} GiB, of which pods get 90 %"
                yield Fault(f"{path}.serve.llm.kv_offload.disk", offload.disk, want, why)


def _offload(serve: ServeSection) -> KVOffload | None:
    """What of a KV cache leaves the cards."""
    return serve.llm.kv_offload if serve.llm else None


@warning
def offloaded_blocks_pile_up(environment: Environment) -> Iterator[str]:
    """What is written and never taken away fills any disk.

    vllm/v1/kv_offload/tiering/fs of 0.22.0 to 0.33.0 takes no block away, and knows no size.
    """
    for path, _, offload in served(environment, _offload):
        field = f"{path}.serve.llm.kv_offload"
        if offload.disk is not None:
            yield (
                f"{field}.disk is {offload.disk}, and vLLM takes no block off it again: "
                "once it is full the kubelet evicts the pod, with all its requests. Left out, "
                "what memory has no room for is dropped."
            )
        elif offload.claim is not None:
            yield (
                f"{field}.claim is {offload.claim}, and vLLM takes no block off it again: "
                "have something delete old files there, or it is full one day."
            )


@warning
def routes_have_names_of_their_own(environment: Environment) -> Iterator[str]:
    """KServe's routes by the model's name: of two services of one name, one gets all requests."""
    owners: dict[tuple[str, str | None], tuple[str, str | None]] = {}
    for path, model, router in served(environment, lambda serve: serve.router):
        name = model.server.served_name or model.name
        owner, group = owners.setdefault(
            (namespace_of(environment, model), name), (path, router.group)
        )
        if owner != path and (group is None or group != router.group):
            yield (
                f"{path} is served as {name}, as is {owner}: KServe's routes at /publishers and "
                "by the header X-Gateway-Model-Name lead to one of the two. Another name, or one "
                "router.group for both, which shares the requests."
            )


@warning
def shares_are_of_a_group(environment: Environment) -> Iterator[str]:
    """A group of one shares nothing, and a member of another namespace is none."""
    members: dict[tuple[str, str], list[str]] = {}
    for path, model, router in served(environment, lambda serve: serve.router):
        if router.group:
            key = (namespace_of(environment, model), router.group)
            members.setdefault(key, []).append(path)
    for (space, group), paths in members.items():
        if len(paths) == 1:
            yield (
                f"{paths[0]}.serve.llm.router.group is {group}, and no other model of namespace "
                f"{space} is in it: it gets all requests, whatever its weight."
            )


@warning
def gateways_of_routes_are_there(environment: Environment) -> Iterator[str]:
    """KServe attaches routes to a Gateway that nobody here makes, and reads its class."""
    gateways: dict[str, list[str]] = {}
    for path, model, router in served(environment, lambda serve: serve.router):
        gateway = router.gateway
        if gateway is not None and not is_attached(environment, model):
            space = gateway.namespace or namespace_of(environment, model)
            gateways.setdefault(f"{space}/{gateway.name}", []).append(path)
    for gateway_name, paths in gateways.items():
        yield (
            f"The Gateway {gateway_name} of {', '.join(paths)} is not made here: have it, its "
            "GatewayClass and the Gateway API before the controller of LLMInferenceServices "
            "starts, which looks for them once. It has to take routes of the models' namespaces "
            "(allowedRoutes), and to know InferencePools where a model has an endpoint picker."
        )


RUNTIME: Final = Runtime(
    args=model_args,
    component=LLMModel,
    render=render,
    fields={
        "metadata.name": "name",
        "disruption_budget": "pod_disruption_budget",
        "serve": "serve.llm",
        "template.containers[main].command": "server",
        "template.containers[main].env": "server.env",
        "template.containers[main].volume_mounts": "server.mount_path",
        "template.containers[main].ports": "server.port",
        "template.volumes": "volumes",
        "template.init_containers": "init_containers",
        "annotations": "serve.llm.annotations",
    },
    needs=platforms,
    url=model_url,
    path=model_path,
    endpoints=endpoints,
)
