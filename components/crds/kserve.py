"""InferenceService and ServingRuntime of KServe.

CRDs: https://github.com/kserve/kserve/tree/master/config/crd/full
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Fault, Input, Words, check, left_out_faults, repeated
from ..names import DNS_1123_LABEL
from ..quantity import is_quantity, parse, plain
from .affinity import Scheduling
from .autoscaling import (
    MetricTarget,
    MetricTargetType,
    ScalingBehavior,
    source_faults,
    target_faults,
)
from .core import Container, PodSpec, named, named_containers
from .custom_resource import CustomResource
from .knative_annotations import (
    AUTOSCALING,
    HPA,
    SHIPPED,
    ServingLimits,
    annotation_faults,
    limit_faults,
)
from .knative_rules import pod_faults
from .kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    SERVING_CONTAINER,
    AutoscalerClass,
    DeploymentMode,
    StrategyType,
    deployment_name,
    pod_label,
)
from .model import CrdModel, plain_texts
from .volumes import LocalObjectReference, Volume, mount_faults, volume_faults

API_VERSION: Final = "serving.kserve.io/v1beta1"
RUNTIME_API_VERSION: Final = "serving.kserve.io/v1alpha1"

PROMETHEUS_SCRAPING: Final = "serving.kserve.io/enable-prometheus-scraping"
"""Annotation with which KServe marks the pods for Prometheus, with value `"true"`."""

_CODE: Final = "https://github.com/kserve/kserve/blob/master/pkg"
_KEDA: Final = f"{_CODE}/controller/v1beta1/inferenceservice/reconcilers/keda/keda_reconciler.go"
_VALIDATION: Final = f"{_CODE}/apis/serving/v1beta1/inference_service_validation.go"
_CONSTANTS: Final = f"{_CODE}/constants/constants.go"
_RUNTIME: Final = f"{_CODE}/webhook/admission/servingruntime/servingruntime_webhook.go"
_STORAGE: Final = "https://kserve.github.io/website/docs/model-serving/storage/storage-containers"

_NAME: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_CLAIM: Final = re.compile(r"pvc://[a-z0-9][^/]*(/.*)?")
_SCHEME: Final = re.compile(r"([\w+.-]+)://.*", re.DOTALL)
_SHARE: Final = re.compile(r"\d+%")
# KEDA reads a threshold as a number of JSON: kedacore/keda v2.17.0,
# `pkg/scalers/scalersconfig/typed_config.go`.
_NUMBER: Final = re.compile(r"(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_LONGEST_LABEL: Final = 63
_LARGEST_CONCURRENCY: Final = 1000
_LEAST_MEMORY: Final = "1Mi"
_BLOCKED_VARIABLES: Final = ("PYTHONPATH",)
_STORAGE_VARIABLE: Final = "STORAGE_URI"
_GIVEN: Final = Words("given")
_SCALING: Final = ("scale_metric", "scale_target", "auto_scaling")

SCHEMES: Final = (
    "file",
    "gs",
    "hdfs",
    "hf",
    "http",
    "https",
    "oci",
    "oci+fetch",
    "oci+native",
    "pvc",
    "s3",
    "webhdfs",
)
"""Schemes of the storage URIs that KServe reads by itself."""


_MODES: Final = frozenset(DeploymentMode)
_SCALERS: Final = frozenset(AutoscalerClass)
_OLD_MODES: Final[Mapping[str, DeploymentMode]] = MappingProxyType(
    {"RawDeployment": DeploymentMode.STANDARD, "Serverless": DeploymentMode.KNATIVE}
)


class InferenceProtocol(StrEnum):
    """Protocol of the requests, as KServe's own clients speak it."""

    V1 = "v1"
    V2 = "v2"
    GRPC_V1 = "grpc-v1"
    GRPC_V2 = "grpc-v2"


class ScaleMetric(StrEnum):
    """What KServe's own autoscalers look at."""

    CPU = "cpu"
    MEMORY = "memory"
    CONCURRENCY = "concurrency"
    RPS = "rps"


_HPA_METRICS: Final = (ScaleMetric.CPU, ScaleMetric.MEMORY)
_KPA_METRICS: Final = (ScaleMetric.CONCURRENCY, ScaleMetric.RPS)


class LoggerMode(StrEnum):
    """What is logged."""

    ALL = "all"
    REQUEST = "request"
    RESPONSE = "response"


class ScalingSource(StrEnum):
    """Where a metric of an InferenceService comes from."""

    RESOURCE = "Resource"
    EXTERNAL = "External"


class ComputeResource(StrEnum):
    """What a metric of the pods measures."""

    CPU = "cpu"
    MEMORY = "memory"


class MetricBackend(StrEnum):
    """Who answers the query of a metric."""

    PROMETHEUS = "prometheus"
    GRAPHITE = "graphite"


class RollingUpdate(CrdModel):
    """How many pods may be missing or too many while they are replaced."""

    max_surge: int | str | None = None
    """Pods beyond the wanted ones, as a number or `25%`. Each takes GPUs of its own."""
    max_unavailable: int | str | None = None
    """Pods that may be missing, as a number or `25%`."""

    def _faults(self) -> Iterator[Fault]:
        for field in ("max_surge", "max_unavailable"):
            value = getattr(self, field)
            is_count = isinstance(value, int) and value >= 0
            is_share = isinstance(value, str) and _SHARE.fullmatch(value)
            if value is not None and not (is_count or is_share):
                want = "a number of 0 or more, or a share such as 25%"
                yield Fault(field, value, want, "Kubernetes reads nothing else")
        if self.max_surge in (0, "0%") and self.max_unavailable in (0, "0%"):
            why = "max_surge is 0 too, so no pod could ever be replaced"
            yield Fault("max_unavailable", self.max_unavailable, "1 or more", why)


class DeploymentStrategy(CrdModel):
    """How old pods make place for new ones."""

    type: StrategyType
    """RollingUpdate, or Recreate, which needs no GPU beside the ones in use."""
    rolling_update: RollingUpdate | None = None
    """How many pods may be missing or too many."""

    def _faults(self) -> Iterator[Fault]:
        if self.rolling_update is not None and self.type is StrategyType.RECREATE:
            want = "left out, or type RollingUpdate"
            yield Fault("rolling_update", _GIVEN, want, "Recreate ends all pods first")


class Batcher(CrdModel):
    """Requests that are sent to the model together."""

    max_batch_size: int | None = Field(default=None, ge=1)
    """Most requests in a batch. Default 32."""
    max_latency: int | None = Field(default=None, ge=1)
    """Longest wait for a full batch, in milliseconds. Default 5000."""
    timeout: int | None = Field(default=None, ge=1)
    """Longest a batch may take, in seconds. Default 60."""


class Logger(CrdModel):
    """Requests and responses that are sent elsewhere too."""

    mode: LoggerMode
    """all, request or response."""
    url: Input[str] | None = None
    """Where they are sent. Default the broker of Knative Eventing."""
    metadata_headers: list[str] | None = None
    """Headers of the request that are sent along."""
    metadata_annotations: list[str] | None = None
    """Annotations of the InferenceService that are sent along."""


class ScalingResource(CrdModel):
    """CPU or memory of the pods."""

    name: ComputeResource
    """cpu or memory."""
    target: MetricTarget
    """Utilization; for memory, AverageValue too."""

    def _faults(self) -> Iterator[Fault]:
        kinds: tuple[MetricTargetType, ...] = (MetricTargetType.UTILIZATION,)
        if self.name is ComputeResource.MEMORY:
            kinds = (*kinds, MetricTargetType.AVERAGE_VALUE)
        yield from target_faults(self.target, kinds, f"KServe knows no other for {self.name}")
        amount = self.target.average_value
        if amount is not None and parse(amount) < parse(_LEAST_MEMORY):
            want = f"{_LEAST_MEMORY} or more"
            yield Fault("target.average_value", amount, want, "it is memory", _VALIDATION)


class MetricQuery(CrdModel):
    """A query to a metrics server."""

    backend: MetricBackend
    """prometheus or graphite."""
    server_address: Input[str]
    """URL of the server."""
    query: str = Field(min_length=1)
    """The query; its result is one number."""
    namespace: Input[str] | None = None
    """Namespace of the query, for servers that need one."""


class SecretRef(CrdModel):
    """A TriggerAuthentication of KEDA."""

    name: Input[str]
    """Name of the object."""


class MetricAuthentication(CrdModel):
    """How the metrics server is told who asks."""

    authentication_ref: SecretRef
    """The TriggerAuthentication."""
    auth_modes: str | None = None
    """bearer, basic or tls, several with commas."""


class ScalingQuery(CrdModel):
    """A number from a metrics server, such as the requests that wait."""

    metric: MetricQuery
    """The query."""
    target: MetricTarget
    """Value."""
    authentication_ref: MetricAuthentication | None = None
    """How the metrics server is told who asks."""

    def _faults(self) -> Iterator[Fault]:
        why = "KServe hands KEDA target.value and nothing else"
        yield from target_faults(self.target, (MetricTargetType.VALUE,), why)
        amount = self.target.value
        if amount is not None and is_quantity(amount) and not _NUMBER.fullmatch(amount):
            why = "KServe hands KEDA the text, which reads a plain number"
            yield Fault("target.value", amount, repr(plain(parse(amount))), why, _KEDA)


class ScalingMetric(CrdModel):
    """A metric, and what it is held at."""

    type: ScalingSource
    """Resource or External."""
    resource: ScalingResource | None = None
    """CPU or memory of the pods."""
    external: ScalingQuery | None = None
    """A number from a metrics server; for KEDA."""

    def _faults(self) -> Iterator[Fault]:
        yield from source_faults(self, self.type, _VALIDATION)


class AutoScaling(CrdModel):
    """What an InferenceService is scaled by, in Standard mode."""

    metrics: list[ScalingMetric] = Field(min_length=1)
    """What it is scaled by; the metric that asks for most pods wins."""
    behavior: ScalingBehavior | None = None
    """Stabilization windows, for KEDA."""


class ModelFormat(CrdModel):
    """Format of a model, by which KServe finds a runtime."""

    name: str = Field(min_length=1)
    """Name of the format, e.g. `vLLM` or `huggingface`."""
    version: str | None = None
    """Version of the format."""


class ModelStorage(CrdModel):
    """Where a model lies, by an entry of KServe's storage Secret."""

    key: str | None = None
    """Entry of the Secret."""
    path: str | None = None
    """Path of the model in that store."""
    parameters: dict[str, Input[str]] | None = None
    """What overrides the entry, e.g. `type` and `bucket`."""
    schema_path: str | None = None
    """Path of the model's schema."""


class ModelSpec(Container):
    """A model for a runtime to serve; what is set here overrides the runtime's container."""

    model_format: ModelFormat
    """Format of the model."""
    image: Input[str] | None = None  # type: ignore[assignment]  # the runtime has one
    """Image, in place of the runtime's."""
    runtime: Input[str] | None = None
    """ServingRuntime or ClusterServingRuntime. Left out, one is found by the format."""
    runtime_version: str | None = None
    """Tag of the runtime's image."""
    protocol_version: InferenceProtocol | None = None
    """Protocol of the requests. Default v1; v2 for triton and vLLM."""
    storage_uri: Input[str] | None = None
    """Where the model lies, e.g. `pvc://models/qwen`."""
    storage: ModelStorage | None = None
    """Where the model lies, by an entry of KServe's storage Secret."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if self.name is not None:
            why = f"the container of a model is {SERVING_CONTAINER}"
            yield Fault("name", self.name, "left out", why, _VALIDATION)
        yield from blocked_faults(self)
        # The volumes may be the runtime's, so their names are not known here.
        mounts = self.volume_mounts or []
        yield from mount_faults(mounts, [mount.name for mount in mounts], "volume_mounts")


class PredictorSpec(PodSpec):
    """The pods that serve: a model for a runtime, or containers of one's own."""

    containers: list[Container] = Field(default=[], exclude_if=lambda containers: not containers)
    """The container that serves, and others beside it. Only the others with `model`."""
    model: ModelSpec | None = None
    """A model for a runtime to serve."""
    storage_container_name: str | None = None
    """ClusterStorageContainer that fetches the model. Left out, one is found by the URI."""
    termination_grace_period_seconds: int | None = Field(default=None, ge=0)
    """How long a pod may finish its answers, in seconds. Default 30. Not in Knative mode."""
    min_replicas: int | None = Field(default=None, ge=0)
    """Fewest pods. Default 1; 0 in Knative mode or with KEDA."""
    max_replicas: int | None = Field(default=None, ge=0)
    """Most pods. Default 0: no bound in Knative mode, min_replicas in Standard mode."""
    scale_target: int | None = Field(default=None, ge=1)
    """What the metric is held at; in Standard mode in percent of the request."""
    scale_metric: ScaleMetric | None = None
    """cpu or memory in Standard mode, concurrency or rps in Knative mode."""
    auto_scaling: AutoScaling | None = None
    """What it is scaled by, in place of scale_metric and scale_target. Standard mode only."""
    container_concurrency: int | None = Field(default=None, ge=0)
    """Requests that a pod is sent at once, 0 for no limit. Knative mode only."""
    timeout: int | None = Field(default=None, ge=0)
    """Longest a request may take, in seconds."""
    canary_traffic_percent: int | None = Field(default=None, ge=0, le=100)
    """Share of the requests that the newest revision gets. Knative mode only."""
    labels: dict[str, Input[str]] | None = None
    """Labels of the pods."""
    annotations: dict[str, Input[str]] | None = None
    """Annotations of the pods."""
    deployment_strategy: DeploymentStrategy | None = None
    """How old pods make place for new ones. Standard mode only."""
    batcher: Batcher | None = None
    """Requests that are sent to the model together."""
    logger: Logger | None = None
    """Requests and responses that are sent elsewhere too."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from self._implementation_faults()
        yield from self._storage_faults()
        for where, container in named_containers(self):
            for fault in blocked_faults(container):
                yield fault.under(where)
        low = 1 if self.min_replicas is None else self.min_replicas
        if self.max_replicas and self.max_replicas < low:
            want = f"{low} (min_replicas) or more, or left out"
            why = "the autoscaler needs an ordered range"
            yield Fault("max_replicas", self.max_replicas, want, why, _VALIDATION)

    def _implementation_faults(self) -> Iterator[Fault]:
        if self.model is None and not self.containers:
            want = "exactly one of model, containers"
            yield Fault("implementation", MISSING, want, "something has to serve", _VALIDATION)
        if self.model is not None:
            yield from self._sidecar_faults()
        elif self.containers:
            yield from self._server_faults()

    def _sidecar_faults(self) -> Iterator[Fault]:
        for where, container in named("containers", self.containers):
            if container.name == SERVING_CONTAINER:
                want = "exactly one of model, containers"
                got = Words(f"model and {where}")
                yield Fault("implementation", got, want, "one container serves", _VALIDATION)
            elif container.name is None:
                want = "given, or model left out"
                yield Fault(f"{where}.name", MISSING, want, "the model serves", _VALIDATION)

    def _server_faults(self) -> Iterator[Fault]:
        first, *sidecars = self.containers
        names = [first.name or SERVING_CONTAINER, *(sidecar.name for sidecar in sidecars)]
        if not sidecars and first.name not in (None, SERVING_CONTAINER):
            want = f"{SERVING_CONTAINER!r}, or left out"
            why = "KServe renames the container that serves"
            yield Fault(f"containers[{first.name}].name", first.name, want, why, _VALIDATION)
        elif names.count(SERVING_CONTAINER) != 1:
            want = f"one of them {SERVING_CONTAINER!r}"
            why = "KServe has to know which container serves"
            yield Fault("containers", names, want, why, _VALIDATION)
        for index, container in enumerate(sidecars, start=1):
            if container.name is None:
                why = f"KServe fills in {SERVING_CONTAINER} for the first container alone"
                yield Fault(f"containers[{index}].name", MISSING, "given", why, _VALIDATION)

    def _storage_faults(self) -> Iterator[Fault]:
        if self.model is not None:
            uri, fetcher = self.model.storage_uri, self.storage_container_name
            yield from storage_faults("model.storage_uri", uri, fetcher)
        for where, container in named("containers", self.containers):
            for variable in container.env or []:
                if variable.name == _STORAGE_VARIABLE:
                    field = f"{where}.env[{_STORAGE_VARIABLE}].value"
                    yield from storage_faults(field, variable.value, self.storage_container_name)


def blocked_faults(container: Container) -> Iterator[Fault]:
    """Refuses environment variables that KServe's webhook refuses."""
    for variable in container.env or []:
        if variable.name in _BLOCKED_VARIABLES:
            why = "KServe refuses it, since it decides which code runs; set it in the image"
            yield Fault(f"env[{variable.name}]", _GIVEN, "left out", why, _VALIDATION)


def storage_faults(field: str, uri: object, fetcher: str | None) -> Iterator[Fault]:
    """Refuses a storage URI that nothing in the cluster can fetch.

    Args:
        field: Field that has the URI.
        uri: The URI; an Output passes unread.
        fetcher: ClusterStorageContainer that fetches it, or None.
    """
    if not isinstance(uri, str) or (match := _SCHEME.fullmatch(uri)) is None:
        return
    if match[1] not in SCHEMES and fetcher is None:
        want = "pvc://<claim>/<path>, or storage_container_name given"
        why = f"KServe reads {match[1]}:// only through a ClusterStorageContainer"
        yield Fault(field, uri, want, why, _STORAGE)
    if match[1] == "pvc" and not _CLAIM.fullmatch(uri):
        yield Fault(field, uri, "pvc://<claim>/<path>", "it names a claim of the namespace")


class InferenceServiceSpec(CrdModel):
    """What is served."""

    predictor: PredictorSpec
    """The pods that serve."""


def inference_service_faults(
    spec: InferenceServiceSpec,
    metadata: ObjectMetaArgs,
    default_mode: DeploymentMode = DeploymentMode.STANDARD,
    limits: ServingLimits = SHIPPED,
) -> Iterator[Fault]:
    """Refuses what depends on the metadata or on the cluster.

    Args:
        spec: What is served.
        metadata: Metadata of the InferenceService; Outputs in it pass unread.
        default_mode: What KServe makes of it without an annotation; ack-kserve comes so.
        limits: What Knative allows, in Knative mode.
    """
    annotations = metadata.annotations if metadata.annotations is not None else {}
    if not isinstance(annotations, Mapping):
        yield from name_faults(metadata.name, default_mode)
        return
    for rule in (_mode_faults, _scaler_faults, _spelling_faults):
        yield from rule(annotations)
    mode = _mode(annotations, default_mode)
    yield from name_faults(metadata.name, mode or default_mode)
    match mode:
        case DeploymentMode.STANDARD:
            faults = standard_faults(spec.predictor, _scaler(annotations))
        case DeploymentMode.KNATIVE:
            yield from knative_metadata_faults(annotations, limits)
            faults = knative_faults(spec.predictor, annotations, limits)
        case DeploymentMode.MODEL_MESH:
            faults = model_mesh_faults(spec.predictor)
        case None:
            return
    for fault in faults:
        yield fault.under("spec.predictor")


def name_faults(name: object, mode: DeploymentMode) -> Iterator[Fault]:
    """Refuses a name that KServe refuses, or that is too long for what is called after it."""
    if not isinstance(name, str):
        return
    if not _NAME.fullmatch(name):
        want = "lower-case letters, digits and '-', from a letter to a letter or digit"
        yield Fault("metadata.name", name, want, "a Deployment is called after it", _VALIDATION)
    is_label = mode is DeploymentMode.STANDARD
    derived = pod_label(name)["app"] if is_label else deployment_name(name)
    if len(derived) > _LONGEST_LABEL:
        longest = _LONGEST_LABEL - (len(derived) - len(name))
        why = f"{'the label' if is_label else 'the name'} {derived} is longer than {_LONGEST_LABEL}"
        yield Fault("metadata.name", name, f"at most {longest} long", why, _CONSTANTS)


def standard_faults(predictor: PredictorSpec, scaler: AutoscalerClass | None) -> Iterator[Fault]:
    """Refuses what a Deployment cannot do, or what its autoscaler would not read.

    Args:
        predictor: The pods that serve.
        scaler: Who scales them; None where that is not known.
    """
    why = "a Deployment has nothing like it, so KServe would not read it"
    fields = ("canary_traffic_percent", "container_concurrency")
    yield from left_out_faults(predictor, fields, f"left out, or {DEPLOYMENT_MODE} Knative", why)
    by_kserve = f"left out, or {AUTOSCALER_CLASS} hpa"
    match scaler:
        case AutoscalerClass.HPA:
            yield from _hpa_faults(predictor)
        case AutoscalerClass.KEDA:
            yield from _keda_faults(predictor)
        case AutoscalerClass.EXTERNAL:
            why = "an autoscaler of your own decides, so KServe would not read it"
            bounds = ("min_replicas", "max_replicas")
            yield from left_out_faults(predictor, (*bounds, *_SCALING), by_kserve, why)
        case AutoscalerClass.NONE:
            why = "min_replicas is how many pods there are, so KServe would not read it"
            yield from left_out_faults(predictor, ("max_replicas", *_SCALING), by_kserve, why)


def _hpa_faults(predictor: PredictorSpec) -> Iterator[Fault]:
    if predictor.min_replicas == 0:
        want = f"1 or more, or {AUTOSCALER_CLASS} keda"
        yield Fault("min_replicas", 0, want, "an HPA cannot scale to 0; KServe would make it 1")
    yield from _metric_faults(predictor, _HPA_METRICS, "an HPA of KServe")
    yield from _percent_faults(predictor)
    if predictor.auto_scaling is None:
        if predictor.scale_metric is ScaleMetric.MEMORY and predictor.scale_target is None:
            why = "KServe has no default for memory, and would scale by CPU"
            yield Fault("scale_target", MISSING, "given", why, _VALIDATION)
        return
    why = "auto_scaling says what it is scaled by, so KServe would not read it"
    yield from left_out_faults(predictor, ("scale_metric", "scale_target"), "left out", why)
    for index, metric in enumerate(predictor.auto_scaling.metrics):
        if metric.external is not None:
            field = f"auto_scaling.metrics[{index}].type"
            want = f"'Resource', or {AUTOSCALER_CLASS} keda"
            yield Fault(field, metric.type, want, "an HPA of KServe knows no other", _VALIDATION)
    if predictor.auto_scaling.behavior is not None:
        want = f"left out, or {AUTOSCALER_CLASS} external, and an HPA of your own"
        why = "KServe does not hand it to its HPA"
        yield Fault("auto_scaling.behavior", _GIVEN, want, why)


def _keda_faults(predictor: PredictorSpec) -> Iterator[Fault]:
    why = "KEDA scales by auto_scaling"
    yield from left_out_faults(predictor, ("scale_metric", "scale_target"), "left out", why)
    if predictor.auto_scaling is None:
        yield Fault("auto_scaling", MISSING, "given", f"{why}, and would have no trigger")
        return
    behavior = predictor.auto_scaling.behavior
    for name in ("scale_up", "scale_down"):
        rules = getattr(behavior, name, None)
        for field in ("policies", "select_policy"):
            if getattr(rules, field, None) is not None:
                where = f"auto_scaling.behavior.{name}.{field}"
                why = "KServe hands KEDA the stabilization window alone"
                yield Fault(where, _GIVEN, "left out", why)


def knative_metadata_faults(
    annotations: Mapping[str, object], limits: ServingLimits
) -> Iterator[Fault]:
    """Refuses annotations that Knative refuses, or would not read.

    Args:
        annotations: Annotations of the InferenceService; its revisions get them.
        limits: What the cluster allows.
    """
    if AUTOSCALER_CLASS in annotations:
        field = f"metadata.annotations[{AUTOSCALER_CLASS}]"
        want = f"left out, or {DEPLOYMENT_MODE} Standard"
        why = f"Knative scales what it serves, by {AUTOSCALING}class"
        yield Fault(field, _GIVEN, want, why)
    for fault in (*annotation_faults(annotations), *limit_faults(annotations, limits)):
        yield fault.under("metadata")


def knative_faults(
    predictor: PredictorSpec, annotations: Mapping[str, object], limits: ServingLimits
) -> Iterator[Fault]:
    """Refuses what Knative refuses in the Service that KServe makes.

    Args:
        predictor: The pods that serve.
        annotations: Annotations of the InferenceService.
        limits: What the cluster allows.
    """
    if plain_texts(annotations).get(f"{AUTOSCALING}class") == HPA:
        yield from _metric_faults(predictor, _HPA_METRICS, "an HPA")
        yield from _percent_faults(predictor)
    else:
        yield from _metric_faults(predictor, _KPA_METRICS, "Knative's autoscaler")
    fields = ("auto_scaling", "deployment_strategy", "termination_grace_period_seconds")
    want, why = f"left out, or {DEPLOYMENT_MODE} Standard", "Knative has nothing like it"
    yield from left_out_faults(predictor, fields, want, why)
    timeout, longest = predictor.timeout or 0, limits.max_revision_timeout_seconds
    if timeout > longest:
        why = f"the cluster's max-revision-timeout-seconds is {longest}"
        yield Fault("timeout", timeout, f"0 to {longest}", why)
    if (requests := predictor.container_concurrency or 0) > _LARGEST_CONCURRENCY:
        want = f"{_LARGEST_CONCURRENCY} or less, or 0 for no limit"
        yield Fault("container_concurrency", requests, want, "Knative queues no more")
    yield from annotation_faults(predictor.annotations)
    if predictor.model is None:
        yield from pod_faults(predictor)


def model_mesh_faults(predictor: PredictorSpec) -> Iterator[Fault]:
    """Refuses what ModelMesh cannot serve."""
    if predictor.model is None:
        why = "ModelMesh loads models into the pods of a runtime"
        yield Fault("model", MISSING, "given", why, _VALIDATION)
    yield from _metric_faults(predictor, _KPA_METRICS, "ModelMesh")
    want = f"left out, or {DEPLOYMENT_MODE} Standard"
    yield from left_out_faults(predictor, ("deployment_strategy",), want, "pods are the runtime's")


def _metric_faults(
    predictor: PredictorSpec, metrics: tuple[ScaleMetric, ...], who: str
) -> Iterator[Fault]:
    metric = predictor.scale_metric
    if metric is not None and metric not in metrics:
        want = " or ".join(repr(allowed.value) for allowed in metrics)
        yield Fault("scale_metric", metric, want, f"{who} knows no other", _VALIDATION)


def _percent_faults(predictor: PredictorSpec) -> Iterator[Fault]:
    if (target := predictor.scale_target or 0) > 100:
        why = "it is in percent of what the pods request"
        yield Fault("scale_target", target, "1 to 100", why, _VALIDATION)


def _mode_faults(annotations: Mapping[str, object]) -> Iterator[Fault]:
    word = plain_texts(annotations).get(DEPLOYMENT_MODE)
    if word is None or word in _MODES:
        return
    if word in _OLD_MODES:
        want = repr(_OLD_MODES[word].value)
        why = f"{word} is its deprecated name, which KServe's webhook overwrites"
    else:
        want = f"one of {', '.join(DeploymentMode)}"
        why = "of any other, KServe silently makes the cluster's default"
    yield Fault(f"metadata.annotations[{DEPLOYMENT_MODE}]", word, want, why, _CONSTANTS)


def _scaler_faults(annotations: Mapping[str, object]) -> Iterator[Fault]:
    word = plain_texts(annotations).get(AUTOSCALER_CLASS)
    if word is not None and word not in _SCALERS:
        want = f"one of {', '.join(AutoscalerClass)}"
        why = "KServe knows no other; Knative's kpa needs no annotation"
        yield Fault(f"metadata.annotations[{AUTOSCALER_CLASS}]", word, want, why, _CONSTANTS)


def _spelling_faults(annotations: Mapping[str, object]) -> Iterator[Fault]:
    meant = {
        _squashed(key): key for key in (DEPLOYMENT_MODE, AUTOSCALER_CLASS, PROMETHEUS_SCRAPING)
    }
    for key in annotations:
        right = meant.get(_squashed(key), key)
        if key != right:
            field, got = f"metadata.annotations[{key}]", Words("not a known annotation")
            want = f"left out (did you mean {right}?)"
            yield Fault(field, got, want, "KServe ignores what it does not know", _CONSTANTS)


def _squashed(key: str) -> str:
    return re.sub(r"[-_]", "", key).lower()


def _mode(annotations: Mapping[str, object], default: DeploymentMode) -> DeploymentMode | None:
    """What KServe makes of an InferenceService; None where that is not known yet."""
    word = annotations.get(DEPLOYMENT_MODE, default)
    if not isinstance(word, str):
        return None
    return DeploymentMode(word) if word in _MODES else _OLD_MODES.get(word, default)


def _scaler(annotations: Mapping[str, object]) -> AutoscalerClass | None:
    """Who scales an InferenceService in Standard mode; None where that is not known yet."""
    word = annotations.get(AUTOSCALER_CLASS, AutoscalerClass.HPA)
    return AutoscalerClass(word) if isinstance(word, str) and word in _SCALERS else None


class InferenceService(CustomResource[InferenceServiceSpec], api_version=API_VERSION):
    """A model that is served. Its pods cost what their nodes cost."""

    def __init__(
        self,
        name: str,
        spec: InferenceServiceSpec,
        metadata: ObjectMetaArgs,
        opts: pulumi.ResourceOptions | None = None,
        default_mode: DeploymentMode = DeploymentMode.STANDARD,
        limits: ServingLimits = SHIPPED,
    ) -> None:
        faults = inference_service_faults(spec, metadata, default_mode, limits)
        check(f"InferenceService {name}", faults)
        super().__init__(name, spec, metadata, opts)


class SupportedModelFormat(CrdModel):
    """A format of models that a runtime serves."""

    name: str = Field(min_length=1)
    """Name of the format, e.g. `vLLM`."""
    version: str | None = None
    """Version of the format."""
    auto_select: bool | None = None
    """Whether models that name no runtime get this one. Default false."""
    priority: int | None = Field(default=None, ge=1)
    """Which runtime is chosen where several could be; the highest."""

    def _faults(self) -> Iterator[Fault]:
        if self.priority is not None and not self.auto_select:
            want = "left out, or auto_select true"
            yield Fault("priority", self.priority, want, "KServe chooses by it", _RUNTIME)


class ServingRuntimeSpec(Scheduling):
    """Pods that serve models of some formats."""

    containers: list[Container] = Field(min_length=1)
    """The container that serves, and others beside it; `{{.Name}}` is the InferenceService's."""
    supported_model_formats: list[SupportedModelFormat] = Field(min_length=1)
    """Formats of the models that it serves."""
    protocol_versions: list[InferenceProtocol] | None = None
    """Protocols that it speaks. Left out, all."""
    multi_model: bool | None = None
    """Whether a pod serves several models, by ModelMesh. Default false."""
    disabled: bool | None = None
    """Whether no model may use it. Default false."""
    volumes: list[Volume] | None = None
    """Files that containers can mount."""
    annotations: dict[str, Input[str]] | None = None
    """Annotations of the pods."""
    labels: dict[str, Input[str]] | None = None
    """Labels of the pods."""
    host_ipc: bool | None = Field(default=None, alias="hostIPC")
    """Whether the pods share the node's IPC namespace."""
    image_pull_secrets: list[LocalObjectReference] | None = None
    """Secrets for the image registries."""

    def _faults(self) -> Iterator[Fault]:
        yield from volume_faults(self.volumes or [])
        yield from self._name_faults()
        for where, container in named("containers", self.containers):
            for fault in blocked_faults(container):
                yield fault.under(where)
            # The volumes may be the InferenceService's, so their names are not known here.
            mounts = container.volume_mounts or []
            names = [mount.name for mount in mounts]
            yield from mount_faults(mounts, names, f"{where}.volume_mounts")
        yield from self._priority_faults()

    def _name_faults(self) -> Iterator[Fault]:
        names = [container.name for container in self.containers]
        for index, name in enumerate(names):
            if name is None:
                yield Fault(f"containers[{index}].name", MISSING, "given", "the CRD requires it")
        for name in repeated(name for name in names if name):
            yield Fault(f"containers[{name}].name", name, "unique", "logs are found by it")
        if not self.multi_model and SERVING_CONTAINER not in names:
            want = f"one of them {SERVING_CONTAINER!r}"
            why = "a model is served by the container of this name"
            yield Fault("containers", names, want, why)

    def _priority_faults(self) -> Iterator[Fault]:
        priorities: dict[str, int] = {}
        for model_format in self.supported_model_formats:
            name, priority = model_format.name, model_format.priority
            if priority is None:
                continue
            if (earlier := priorities.setdefault(name, priority)) != priority:
                field = f"supported_model_formats[{name}].priority"
                why = "all versions of a format have one priority in a runtime"
                yield Fault(field, priority, str(earlier), why, _RUNTIME)


class ServingRuntime(CustomResource[ServingRuntimeSpec], api_version=RUNTIME_API_VERSION):
    """Pods that serve models of some formats; costs nothing until a model uses it."""

    def _faults(self, spec: ServingRuntimeSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        why = "models name the runtime by it"
        yield from DNS_1123_LABEL.faults("metadata.name", metadata.name, why)
