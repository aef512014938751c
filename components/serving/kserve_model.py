"""A model served by KServe, scaled on what its pods or its GPUs report."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from .. import crds
from ..args import MISSING, Args, Because, Fault, Refusal, Words, child_options, once, validated
from ..catalog.metrics import METRICS
from ..crds.knative_annotations import (
    CLUSTER_LOCAL,
    DEFAULT_DOMAIN,
    PROGRESS_DEADLINE,
    SHIPPED,
    VISIBILITY,
    ServingLimits,
)
from ..crds.knative_annotations import default_host as knative_host
from ..crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    KSERVE_VISIBILITY,
    SERVING_CONTAINER,
    AutoscalerClass,
    DeploymentMode,
    default_host,
    deployment_name,
    pod_label,
)
from ..hosts import DomainName, derived_host_faults
from ..names import ServiceName
from ..quantity import plain
from .autoscaler import (
    SCALE_DOWN_SECONDS,
    AutoscalerSpec,
    behavior,
    declare_autoscaler,
    hpa_spec,
    look_back,
    range_faults,
    target_faults,
)
from .availability import declare_budget
from .engines import engine_faults
from .ingress import annotations as door_annotations
from .ingress import (
    declare_ingress,
    declare_mapping,
    gateway_faults,
    has_timeouts,
    ingress_spec,
    knative_faults,
    timeouts,
)
from .keda_scale import KedaScale, PrometheusQuery, pod_series, pods_of, scaled_object
from .pod import STARTUP_SECONDS, ModelArgs, model_pod, service_metadata
from .rollout import Rollout
from .server import ModelServer
from .shutdown import Shutdown, knative_shutdown, standard_shutdown


class KServeMetric(StrEnum):
    """What a model is scaled on."""

    VLLM_WAITING = "vllm_num_requests_waiting"
    """Requests in vLLM's queue: grows before users notice. First choice for an LLM."""
    VLLM_KV_CACHE = "vllm_kv_cache_usage"
    """Share of vLLM's KV cache in use, 0 to 1."""
    VLLM_RUNNING = "vllm_num_requests_running"
    """Requests that vLLM answers at the same time."""
    GPU_UTILIZATION = "gpu_utilization"
    """Share of time with any kernel at work, in percent."""
    SM_UTILIZATION = "DCGM_CUSTOM_PROCESS_SM_UTIL"
    """SM utilisation of ACK's GPU exporter, in percent. High with one request already."""
    CPU = "cpu"
    """CPU in percent of the request, scaled by KServe itself."""
    MEMORY = "memory"
    """Memory in percent of the request, scaled by KServe itself."""
    VLLM_TTFT_P95 = "vllm_time_to_first_token_p95"
    """Seconds to the first token that 95 % of the requests stay below, with `keda`."""
    CONCURRENCY = "concurrency"
    """Requests in hand, scaled by Knative under KServe."""
    PROMETHEUS = "prometheus"
    """Result of a query of one's own, asked by KEDA, which the cluster has to have."""


_TO_ZERO: Final = (KServeMetric.CONCURRENCY, KServeMetric.PROMETHEUS)
_LOOKING_BACK: Final = (AutoscalerClass.EXTERNAL, AutoscalerClass.KEDA)
_MOST_INT32: Final = 2**31 - 1


class KServeScale(Args):
    """Between which bounds, and on what, a model scales."""

    min: int = Field(default=1, ge=0)
    """Fewest replicas. 0 only with concurrency or prometheus, which no HPA scales alone, or with
    what wakes the model in `keda`."""
    max: int = Field(ge=1, le=1000)
    """Most replicas."""
    metric: KServeMetric
    """What it is scaled on."""
    target: float = Field(ge=0.001, le=9 * 10**15)
    """What one replica should have of it, in thousandths at the finest: autoscalers count in them.
    With concurrency Knative fills a replica to 70 % of it."""
    scale_down_seconds: int = Field(default=SCALE_DOWN_SECONDS, ge=0, le=3600)
    """How long the autoscaler looks back before it removes a replica. Not with cpu,
    memory or concurrency."""
    query: PrometheusQuery | None = None
    """What KEDA asks for, with metric prometheus."""
    keda: KedaScale | None = None
    """Present: KEDA scales, on `metric` and further figures at once, and by hours. Of `metric`,
    vllm_* and prometheus can be had."""

    def _faults(self) -> Iterator[Fault]:
        yield from range_faults(self.min, self.max)
        if self.min == 0:
            yield from self._zero_faults()
        if self.keda is not None:
            yield from self.keda.range_faults(self.min, self.max, self.metric, self.target)
        elif self.metric is KServeMetric.VLLM_TTFT_P95:
            why = "KEDA alone scales on it: it is one figure over all pods"
            yield Fault("keda", MISSING, f"given with metric {self.metric}", why)
        integral = {KServeMetric.CPU, KServeMetric.MEMORY, KServeMetric.CONCURRENCY}
        if self.metric in integral and not self.target.is_integer():
            want = "a whole number"
            yield Fault("target", self.target, want, f"KServe takes no other for {self.metric}")
        else:
            yield from target_faults(self.metric, self.target)
        if self.metric is KServeMetric.CONCURRENCY and self.target > _MOST_INT32:
            want, why = f"{_MOST_INT32} or less", "KServe's field has 32 bits"
            yield Fault("target", self.target, want, why)
        if self.metric in {KServeMetric.CPU, KServeMetric.MEMORY} and self.target > 100:
            why = "it is a percentage of the request"
            yield Fault("target", self.target, "100 or less", why)
        if (self.query is not None) != (self.metric is KServeMetric.PROMETHEUS):
            has_query = self.query is not None
            got = Words(f"given with metric {self.metric}") if has_query else MISSING
            want = "left out, or metric prometheus" if has_query else "given with metric prometheus"
            yield Fault("query", got, want, "KEDA asks for it, and for nothing else")
        if self.window is not None and self.scaler not in _LOOKING_BACK:
            want, why = f"left out with {self.metric}", "KServe hands it to no autoscaler"
            yield Fault("scale_down_seconds", self.window, want, why)

    def _zero_faults(self) -> Iterator[Fault]:
        """Refuses no pods where nothing could start the first one again."""
        reported = pod_series(self.query.query) if self.query else []
        wakes = self.metric in _TO_ZERO and not reported
        if wakes or (self.keda and self.keda.wakes):
            return
        if self.keda is None and self.query is None:
            want = f"1 or more, or metric {' or '.join(_TO_ZERO)}"
            yield Fault("min", 0, want, "an HPA cannot scale to 0, since no pod is left to measure")
            return
        want = "1 or more, or a query of what is there without pods, or keda.schedule"
        what = reported[0] if reported else self.metric
        why = f"no pod is left to report {what}, so nothing would start the first one"
        yield Fault("min", 0, want, why)

    @property
    def scaler(self) -> AutoscalerClass | None:
        """Who scales in Standard mode; None in Knative mode."""
        if self.keda is not None:
            return AutoscalerClass.EXTERNAL
        if self.metric is KServeMetric.CONCURRENCY:
            return None
        if self.metric is KServeMetric.PROMETHEUS:
            return AutoscalerClass.KEDA
        return AutoscalerClass.EXTERNAL if self.metric in METRICS else AutoscalerClass.HPA

    @property
    def on_knative(self) -> bool:
        """Whether Knative under KServe runs the pods, and scales them."""
        return self.scaler is None

    @property
    def lacks_prometheus(self) -> bool:
        """Whether KEDA is to ask for figures, and not told where."""
        keda = self.keda
        return bool(keda and keda.server is None and (self.query is None or keda.triggers))

    @property
    def window(self) -> int | None:
        """How long the autoscaler looks back, in seconds; None where Kubernetes' default holds."""
        return look_back(self.scale_down_seconds)


class KServeCanary(Args):
    """A new version of a model that gets a share of the requests, once it is ready."""

    percent: int = Field(ge=0, le=100)
    """Share of the requests, 0 to 100; 0 takes all of them back."""
    model: ServiceName | None = None
    """Name of the entry of `models` that is the new version. Left out with concurrency: Knative
    keeps the version before, and this model's own `server` is the new one."""


class KServeServe(Args):
    """How KServe serves a model."""

    scale: KServeScale
    """Between which bounds, and on what, it scales."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start: sets the start-up probe, and Knative's progress deadline."""
    request_seconds: int | None = Field(default=None, ge=1)
    """Longest request; with concurrency at most what the cluster's Knative allows, 600 as it ships.
    Behind an Ingress of NGINX it is the longest silence, since KServe tells an Ingress nothing of
    it. Left out, KServe's default, and behind NGINX 60. Not with ALB, whose AlbConfig has it."""
    grace_seconds: int | None = Field(default=None, ge=1)
    """Time that a pod has to finish its requests: vLLM from 0.18 on is given it after SIGTERM, any
    other server before, by a preStop pause of the whole time. Left out, 30. Not with concurrency.
    """
    rollout: Rollout | None = None
    """How an update replaces pods. Left out, as Kubernetes does: a new pod before an old one ends,
    which takes a spare card. Not with concurrency."""
    canary: KServeCanary | None = None
    """A new version that gets a share of the requests. Left out, there is none."""
    annotations: dict[str, str] | None = None
    """Further annotations of the InferenceService."""

    def _faults(self) -> Iterator[Fault]:
        on_knative = self.scale.on_knative
        if self.rollout is not None and on_knative:
            why = "Knative starts the new revision beside the old one, and knows no other way"
            yield Fault("rollout", Words("given"), "left out with concurrency", why)
        if self.canary is not None and (self.canary.model is None) != on_knative:
            got = self.canary.model if on_knative else MISSING
            want = "left out with concurrency" if on_knative else "given, or metric concurrency"
            why = (
                "Knative keeps the version before, and shares requests with it"
                if on_knative
                else "a Deployment of KServe's has one version, so another model has the new one"
            )
            yield Fault("canary.model", got, want, why)
        if self.grace_seconds is not None and on_knative:
            why = "Knative gives pods as long as a request may take"
            yield Fault("grace_seconds", self.grace_seconds, "left out with concurrency", why)
        autoscaler = (self.annotations or {}).get(AUTOSCALER_CLASS)
        if autoscaler is not None and autoscaler != self.scale.scaler:
            field = f"annotations[{AUTOSCALER_CLASS}]"
            yield Fault(field, autoscaler, "left out", "scale.metric decides who scales")


class KServeModelArgs(ModelArgs):
    """A model, its server, and how it scales."""

    serve: KServeServe
    """How KServe serves it."""
    namespace: str
    """Namespace of the service."""
    domain: Annotated[DomainName, Because("the model is a host below it")] = DEFAULT_DOMAIN
    """Domain of the cluster's KServe, with concurrency of its Knative."""
    ingress_class: str = "nginx"
    """IngressClass of the cluster's KServe. By nginx, alb or mse in its name it is known what its
    Ingresses can be told. Empty where KServe makes HTTPRoutes."""
    max_request_seconds: int | None = None
    """With concurrency, the longest request that the cluster's Knative allows. Left out, 600."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from self._resource_faults()
        yield from engine_faults(self.server)
        seconds, ingress = self.serve.request_seconds, self.ingress_class
        on_knative = self.serve.scale.on_knative
        if seconds and ingress and not (on_knative or has_timeouts(ingress)):
            want = f"left out, and set as the controller of class {ingress} wants it, such as by "
            why = "KServe hands it to no Ingress, and no annotation of that class is known here"
            yield Fault("serve.request_seconds", seconds, f"{want}serve.annotations", why)
        if self.ingress and on_knative:
            yield from knative_faults(self.ingress)
        elif self.ingress:
            yield from gateway_faults(self.ingress, self.ingress_class)
        if self.serve.scale.lacks_prometheus:
            why = "KEDA asks it for the figures"
            yield Fault("serve.scale.keda.server", MISSING, "given", why)


class KServeModel(pulumi.ComponentResource):
    """An InferenceService, and the HPA or ScaledObject where KServe does not scale it itself."""

    host: pulumi.Output[str]
    """Host name of the service, for the Host header of a request."""
    url: pulumi.Output[str]
    """Address of the predictor inside the cluster."""

    def __init__(
        self, name: str, args: KServeModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = KServeModelArgs.of(args)
        service, scaler = validated(f"KServeModel {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:KServeModel", name, args.dump(), opts)

        options, limits = child_options(self, opts), serving_limits(args)
        about = model_metadata(name, args)
        deployed = crds.InferenceService(f"{name}-service", service, about, options, limits=limits)
        if args.ingress and args.serve.scale.on_knative:
            target = deployment_name(name)
            declare_mapping(self, name, args.ingress, target, args.namespace, opts, deployed)
        elif args.ingress:
            spec = ingress_spec(args.ingress, args.ingress_class, deployment_name(name))
            notes = ingress_annotations(args)
            declare_ingress(self, name, args.ingress, spec, args.namespace, notes, opts, deployed)
        # KServe makes the Deployment that it scales.
        after = child_options(self, opts, depends_on=[deployed])
        names = {"hpa": f"{name}-hpa", "keda": f"{name}-keda"}
        declare_autoscaler(name, scaler, args.namespace, args.labels, after, **names)
        declare_budget(name, args.disruption_budget, args.namespace, args.labels, options)

        self.host = pulumi.Output.from_input(host(name, args))
        self.url = pulumi.Output.from_input(cluster_url(name, args.namespace))
        self.register_outputs({"host": self.host, "url": self.url})


@once
def render(
    name: str, args: KServeModelArgs
) -> "tuple[crds.InferenceServiceSpec, AutoscalerSpec | None]":
    """The InferenceService of a model of a name, and its autoscaler where KServe makes none.

    Raises:
        ValidationError: KServe takes no such service.
        Refusal: It would refuse it, or could make no host of the name.
    """
    service = inference_service_spec(args)
    scaler = scaled_object_spec(name, args) or autoscaler_spec(name, args.serve.scale)
    if faults := model_faults(name, args, service, model_metadata(name, args)):
        raise Refusal(*faults)
    return service, scaler


def model_metadata(name: str, args: KServeModelArgs) -> ObjectMetaArgs:
    """Metadata of the InferenceService, whose annotations KServe copies to the Ingress."""
    notes = annotations(args.serve, "" if args.ingress else args.ingress_class)
    return service_metadata(name, args, labels={**args.labels, **hidden(args)}, annotations=notes)


def hidden(args: KServeModelArgs) -> dict[str, str]:
    """Labels of a model that has no address of its runtime's outside the cluster."""
    if args.ingress is None and not args.cluster_local:
        return {}
    return {(VISIBILITY if args.serve.scale.on_knative else KSERVE_VISIBILITY): CLUSTER_LOCAL}


def ingress_annotations(args: KServeModelArgs) -> dict[str, str]:
    """Annotations of the Ingress of a model, where it has one of its own."""
    if args.ingress is None:
        return {}
    return door_annotations(args.ingress, args.ingress_class, args.serve.request_seconds)


def host(name: str, args: KServeModelArgs) -> str:
    """Host name of the service, as KServe's and Knative's templates come out of the box."""
    if args.ingress:
        return args.ingress.host
    # On Knative KServe takes the host that Knative gives the predictor, and drops its suffix.
    return _host_form(args)(name, args.namespace, args.domain)


def _host_form(args: KServeModelArgs) -> Callable[[str, str, str], str]:
    """Who makes hosts of names: Knative, or KServe itself."""
    return knative_host if args.serve.scale.on_knative else default_host


def model_faults(
    name: str, args: KServeModelArgs, service: "crds.InferenceServiceSpec", about: ObjectMetaArgs
) -> list[Fault]:
    """What KServe refuses of the service, and hosts that it cannot make."""
    from ..crds.kserve import inference_service_faults

    faults = [*inference_service_faults(service, about, limits=serving_limits(args))]
    named = any(fault.field == "metadata.name" for fault in faults)
    return faults if named else [*faults, *host_faults(name, args)]


def serving_limits(args: KServeModelArgs) -> ServingLimits:
    """What the cluster's Knative allows."""
    longest = args.max_request_seconds or SHIPPED.max_revision_timeout_seconds
    return ServingLimits(max_revision_timeout_seconds=longest)


def host_faults(name: str, args: KServeModelArgs) -> Iterator[Fault]:
    """Refuses a name of which hosts are made that KServe, or Knative below it, refuses.

    KServe logs that the name of the host is invalid, makes no Ingress, and the model is never
    ready. kserve 0.20.0, pkg/controller/v1beta1/inferenceservice/reconcilers/ingress/domain.go
    """
    why = "KServe then makes no Ingress, and the model is never reached"
    longest = max(hosts(name, args), key=len)
    yield from derived_host_faults("metadata.name", name, longest, why)


def hosts(name: str, args: KServeModelArgs) -> tuple[str, ...]:
    """Every host that KServe makes: of the service, and in Standard mode of its predictor too."""
    of_predictor = _host_form(args)(deployment_name(name), args.namespace, args.domain)
    return host(name, args), of_predictor


def cluster_url(name: str, namespace: str) -> str:
    """Address of the predictor inside the cluster: its Service, or the Knative Service it is."""
    return f"http://{deployment_name(name)}.{namespace}.svc.cluster.local"


def service_labels(name: str, metric: KServeMetric) -> dict[str, str]:
    """The label that KServe puts on the pods, for a policy to select."""
    if metric is KServeMetric.CONCURRENCY:
        return {"serving.kserve.io/inferenceservice": name}
    return pod_label(name)


def annotations(serve: KServeServe, ingress_class: str = "nginx") -> dict[str, str]:
    """Annotations of the InferenceService: who scales it, or that Knative does; and time-outs.

    KServe copies all of them to the Ingress that it makes, and `timeout` nowhere: kserve v0.20.0,
    pkg/controller/v1beta1/inferenceservice/reconcilers/ingress/kube_ingress_reconciler.go.
    """
    scaler = serve.scale.scaler
    if scaler is None:
        # Knative gives up a revision that takes longer; KServe hands annotations on to it.
        deadline = f"{serve.startup_seconds}s"
        chosen = {DEPLOYMENT_MODE: DeploymentMode.KNATIVE.value, PROGRESS_DEADLINE: deadline}
    else:
        chosen = {AUTOSCALER_CLASS: scaler.value}
        chosen |= timeouts(ingress_class, serve.request_seconds)
    return {**chosen, **(serve.annotations or {})}


def inference_service_spec(args: KServeModelArgs) -> "crds.InferenceServiceSpec":
    """The InferenceService of a model: one container of its own."""
    serve = args.serve
    end = shutdown(args.server, serve)
    pod = model_pod(args, serve.startup_seconds, container=SERVING_CONTAINER, shutdown=end)
    return crds.InferenceServiceSpec.model_validate(
        {
            "predictor": {
                **pod,
                **_scaling(serve.scale),
                "labels": args.labels,
                # Knative and HTTPRoutes read it; an Ingress has annotations instead.
                "timeout": serve.request_seconds,
                "canary_traffic_percent": _canary_percent(serve),
                # A Service called vllm would set VLLM_PORT, which vLLM takes for its own.
                "enable_service_links": False,
                "termination_grace_period_seconds": serve.grace_seconds,
                "deployment_strategy": serve.rollout.strategy() if serve.rollout else None,
            }
        }
    )


def _canary_percent(serve: KServeServe) -> int | None:
    """Knative's own share; of another model's a weighted Ingress takes care."""
    canary = serve.canary
    return canary.percent if canary is not None and canary.model is None else None


def shutdown(server: ModelServer, serve: KServeServe) -> Shutdown:
    """How a server ends, on Knative or on a Deployment of KServe's."""
    if serve.scale.on_knative:
        return knative_shutdown(server, serve.request_seconds)
    return standard_shutdown(server, serve.grace_seconds)


def _scaling(scale: KServeScale) -> Mapping[str, Any]:
    if scale.scaler is AutoscalerClass.EXTERNAL:
        return {}
    bounds = {"min_replicas": scale.min, "max_replicas": scale.max}
    if scale.query is not None:
        return {**bounds, "auto_scaling": _keda(scale, scale.query)}
    return {**bounds, "scale_metric": scale.metric.value, "scale_target": int(scale.target)}


def _keda(scale: KServeScale, query: PrometheusQuery) -> dict[str, Any]:
    metric = {"backend": "prometheus", "server_address": query.server, "query": query.query}
    # KServe hands KEDA the text as it is, and KEDA reads 1.5 but not 1500m.
    target = {"type": "Value", "value": plain(scale.target)}
    return {
        "metrics": [{"type": "External", "external": {"metric": metric, "target": target}}],
        "behavior": behavior(scale),
    }


def scaled_object_spec(name: str, args: KServeModelArgs) -> "crds.ScaledObjectSpec | None":
    """What KEDA scales the Deployment by that KServe makes; None where another one does."""
    where = pods_of(name, args.namespace)
    return scaled_object(name, args.server.image, args.serve.scale, _deployment(name), where)


def _deployment(name: str) -> dict[str, str]:
    return {"api_version": "apps/v1", "kind": "Deployment", "name": deployment_name(name)}


def autoscaler_spec(name: str, scale: KServeScale) -> "crds.HorizontalPodAutoscalerSpec | None":
    """The HPA over the Deployment that KServe makes; None where KServe scales by itself."""
    if scale.scaler is not AutoscalerClass.EXTERNAL:
        return None
    return hpa_spec(_deployment(name), scale)
