"""KServe: models that scale on metrics of vLLM or of the GPU."""

from collections.abc import Iterator
from functools import partial
from typing import Final, TypeVar

from components.args import MISSING, Fault, Words
from components.crds.kserve_annotations import SERVING_CONTAINER, deployment_name
from components.platform import KServeFlavor
from components.platform.kserve import SHIPPED_LIMIT, default_cpu_limit
from components.quantity import difference
from components.serving import (
    CanaryRouteArgs,
    KServeMetric,
    KServeModel,
    KServeModelArgs,
    ModelArgs,
    ModelServer,
)
from components.serving.ingress import IngressKind, gateway_of
from components.serving.kserve_model import KServeScale, cluster_url, host, render, service_labels
from components.serving.shutdown import (
    END_SECONDS,
    ENDPOINTS_SECONDS,
    FLAG,
    GRACE_SECONDS,
    finishes_requests,
    standard_shutdown,
)

from ..arguments.base import required
from ..arguments.namespaces import namespace_of
from ..checks.rules import check, check_by_needs, warning
from ..checks.views import served
from ..needs import Needs
from ..platforms import KNATIVE, KSERVE, Platform
from ..platforms.ingress import ingress_class
from ..sections.environment import Environment
from ..sections.models import ModelSection
from .runtime import CanaryPart, Endpoints, Runtime

S = TypeVar("S", bound=KServeScale)


def model_args(environment: Environment, model: ModelSection, args: ModelArgs) -> KServeModelArgs:
    """The InferenceService of a model."""
    server, serve = limited(environment, args.server), required(model.serve.kserve)
    is_on_knative = KNATIVE in platforms(model)
    longest = environment.knative.max_request_seconds if is_on_knative else None
    return args.model_copy(update={"server": server}).completed(
        partial(
            KServeModelArgs,
            serve=serve.model_copy(update={"scale": with_prometheus(environment, serve.scale)}),
            domain=(environment.knative if is_on_knative else environment.kserve).domain,
            ingress_class=ingress_class(environment),
            max_request_seconds=longest,
        )
    )


def with_prometheus(environment: Environment, scale: S) -> S:
    """A scale, with the Prometheus of the cluster where KEDA is told no other."""
    keda, metrics = scale.keda, environment.gpu_metrics
    if keda is None or keda.server is not None or metrics is None or metrics.url is None:
        return scale
    return scale.model_copy(update={"keda": keda.model_copy(update={"server": metrics.url})})


def limited(environment: Environment, server: ModelServer) -> ModelServer:
    """The server, with its CPU request as its limit where a lower one would be put upon it.

    Nobody knows the values of ack-kserve, or of a KServe that is there: they are taken for what it
    ships.
    """
    chart, resources = environment.kserve.chart, server.resources
    is_ours = environment.kserve.install
    is_upstream = is_ours and (chart is None or chart.flavor is not KServeFlavor.ACK)
    if is_upstream or resources.cpu_limit is not None or default_cpu_limit(chart) is not None:
        return server
    room = difference(SHIPPED_LIMIT, resources.cpu)
    if room is None or room >= 0:
        return server
    limit = resources.model_copy(update={"cpu_limit": resources.cpu})
    return server.model_copy(update={"resources": limit})


def pod_labels(model: ModelSection) -> dict[str, str]:
    """The label that KServe puts on pods."""
    return service_labels(model.name, required(model.serve.kserve).scale.metric)


def endpoints(model: ModelSection) -> Endpoints | None:
    """The pods of its Deployment; Knative's are reached by Knative."""
    if required(model.serve.kserve).scale.on_knative:
        return None
    return Endpoints(pod_labels(model), deployment_name(model.name))


def platforms(model: ModelSection) -> tuple[Platform, ...]:
    """KServe, and Knative for a model that it runs there."""
    return (KNATIVE, KSERVE) if required(model.serve.kserve).scale.on_knative else (KSERVE,)


def canary_args(
    environment: Environment, model: ModelSection, args: KServeModelArgs
) -> CanaryPart | None:
    """The share of a model's requests that another one gets."""
    canary = args.serve.canary
    if canary is None or canary.model is None:
        return None
    route = CanaryRouteArgs(
        host=host(model.name, args),
        service=deployment_name(canary.model),
        namespace=args.namespace,
        percent=canary.percent,
        ingress_class=ingress_class(environment),
    )
    return CanaryPart(canary.model, route)


# --- checks --------------------------------------------------------------------------------------


@warning
def updates_see_their_own_generation(environment: Environment) -> Iterator[str]:
    """KServe writes its Deployment's observedGeneration into the InferenceService.

    What is waited for goes by it, by a condition and by a JSONPath alike: pulumi-kubernetes,
    provider/pkg/await/condition, 2026-01. See findings/kserve-generation-of-its-deployment.sh.
    """
    wait = environment.waits.service_seconds
    for path, _, kserve in served(environment, lambda serve: serve.kserve):
        if wait and not kserve.scale.on_knative:
            yield (
                f"waits.service_seconds is {wait}, and KServe says of {path} which generation of "
                "its Deployment it has seen, in place of the model's own. After a change that "
                "leaves the Deployment as it is (of request_seconds, or of min and max where "
                f"KServe scales), `up` waits {wait} s for a model that is ready, and fails. Leave "
                "it at 0; `ack-inference status` says what is ready."
            )


@warning
def requests_end_before_their_pod(environment: Environment) -> Iterator[str]:
    """What a pod has in hand for longer than its grace period is cut off."""
    for path, model, kserve in served(environment, lambda serve: serve.kserve):
        if kserve.scale.on_knative or kserve.request_seconds is None:
            continue
        grace = kserve.grace_seconds or GRACE_SECONDS
        end, finishes = standard_shutdown(model.server, grace), finishes_requests(model.server)
        command = model.server.vllm_command
        drain = command.number(FLAG) if command else None
        time = min(grace, end.pause_seconds + (drain or end.drain_seconds))
        if kserve.request_seconds <= time:
            continue
        need = kserve.request_seconds + END_SECONDS + (ENDPOINTS_SECONDS if finishes else 0)
        why = (
            " This server aborts at SIGTERM what it has in hand (vLLM finishes it from 0.18 on), "
            "so requests have the pause before SIGTERM alone."
        )
        yield (
            f"{path}.serve.kserve.request_seconds is {kserve.request_seconds}, but when a pod "
            f"ends, its requests have {time} s left, and longer ones are cut off: grace_seconds "
            f"{need} would do{f' with {FLAG} {kserve.request_seconds}' if drain else ''}."
            f"{'' if finishes else why}"
        )


@check
def keda_is_there(environment: Environment) -> Iterator[Fault]:
    """KServe hands a query to KEDA, as we do ours, and without it nobody scales."""
    for path, _, kserve in served(environment, lambda serve: serve.kserve):
        scale = kserve.scale
        if not environment.keda and (scale.keda or scale.metric is KServeMetric.PROMETHEUS):
            asks = "keda is given" if scale.keda else "metric is prometheus, which KEDA asks for"
            yield keda_fault(f"{path}.serve.kserve.scale.{asks}")


def keda_fault(why: str) -> Fault:
    """Refuses what asks for KEDA, which the stack file does not say that there is."""
    return Fault("keda", False, "true, once KEDA is installed", why)


@check_by_needs
def canaries_share_requests(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A weight of NGINX's between two models that answer to the same question."""
    for path, model, kserve in served(environment, lambda serve: serve.kserve):
        canary = kserve.canary
        if canary is None or canary.model is None or needs.on_knative(model):
            continue
        field, other = f"{path}.serve.kserve.canary", environment.model(canary.model)
        theirs = other.serve.kserve if other else None
        if other is None or other is model:
            want = "the name of another entry of models"
            yield Fault(f"{field}.model", canary.model, want, "it is the new version")
        elif theirs is None or needs.on_knative(other) or theirs.canary is not None:
            want = "a model of KServe that Knative does not run, and that shares with no other"
            yield Fault(f"{field}.model", canary.model, want, "an Ingress has one share beside it")
        else:
            yield from _likeness_faults(environment, model, other)
        if gateway_of(ingress_class(environment)) is not IngressKind.NGINX:
            want = "left out, or kserve.ingress_class one of NGINX's"
            why = (
                "requests are shared by annotations that NGINX reads; elsewhere, let the gateway "
                "share them between the two models' Services"
            )
            yield Fault(field, Words("given"), want, why)


def _likeness_faults(
    environment: Environment, model: ModelSection, other: ModelSection
) -> Iterator[Fault]:
    """Refuses a new version that would answer other questions than the one before."""
    path = f"models[{other.name}]"
    if (space := namespace_of(environment, model)) != namespace_of(environment, other):
        want = f"{space}, that of models[{model.name}]"
        why = "an Ingress leads to Services of its own namespace"
        yield Fault(f"{path}.namespace", namespace_of(environment, other), want, why)
    first, second = (part.server.served_name or part.name for part in (model, other))
    if first != second:
        want = f"one whose served name is {first!r}, as that of models[{model.name}]"
        why = "clients ask for one name, and the other would answer 404"
        yield Fault(f"{path}.server", Words(f"served as {second}"), want, why)
    if model.api_key_secret != other.api_key_secret:
        got = MISSING if other.api_key_secret is None else Words("another one")
        want = f"that of models[{model.name}]"
        yield Fault(f"{path}.api_key_secret", got, want, "clients have one key")


RUNTIME: Final = Runtime(
    args=model_args,
    component=KServeModel,
    render=render,
    fields={
        "metadata.name": "name",
        "metadata.annotations": "serve.kserve.annotations",
        "spec.predictor": "serve.kserve",
        "serve.request_seconds": "serve.kserve.request_seconds",
        "serve.scale.keda": "serve.kserve.scale.keda",
        f"predictor.containers[{SERVING_CONTAINER}].env": "server.env",
        f"predictor.containers[{SERVING_CONTAINER}].volume_mounts": "server.mount_path",
        f"predictor.containers[{SERVING_CONTAINER}].ports": "server.port",
    },
    needs=platforms,
    pod_labels=pod_labels,
    canary=canary_args,
    url=lambda environment, model: cluster_url(model.name, namespace_of(environment, model)),
    endpoints=endpoints,
)
