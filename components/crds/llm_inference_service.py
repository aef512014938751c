"""LLMInferenceService of KServe: a model, its pods by role, and how requests find them.

CRD: kserve v0.20.0, config/crd/full/llmisvc, version v1alpha2. Its main branch of 2026-08-21 has
more: `rolloutStrategy`, `scaling.keda` and `router.scheduler.tokenizer`, which 0.20.0 prunes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Fault, Input, Words, one_of_faults
from ..names import DNS_1035_LABEL, LabelKey, LabelValue
from ..quantity import parse
from .autoscaling import ScalingBehavior
from .custom_resource import CustomResource
from .formats import Amount
from .leader_worker_set import GroupPodSpec
from .llm_inference_service_labels import API_VERSION, KIND, EvictionPolicy
from .model import CrdModel
from .volumes import LocalObjectReference

_VALIDATION: Final = (
    "https://github.com/kserve/kserve/blob/v0.20.0/pkg/apis/serving/v1alpha2/"
    "llm_inference_service_validation.go"
)
PRESET_VOLUMES: Final = frozenset({"dshm", "home", "model-cache", "tls-certs", "tmp-dir"})
"""Volumes of the controller's presets: config/llmisvcconfig of v0.20.0."""
PRESET_CONTAINERS: Final = frozenset({"storage-initializer"})
"""Init containers that the controller takes for its own."""
_SCHEMES: Final = ("hf", "oci", "oci+native", "pvc", "s3")
"""Schemes of 0.20.0: pkg/controller/v1alpha2/llmisvc/workload_storage.go."""


class LLMModelSpec(CrdModel):
    """A model, or an adapter of one."""

    uri: Input[str] = Field(examples=["hf://Qwen/Qwen3-8B"])
    """Where its files are: hf://, s3://, oci://, oci+native:// or pvc://."""
    name: str | None = Field(default=None, min_length=1)
    """What clients put into `model`. Default the service's name; of an adapter it has to be."""

    def _faults(self) -> Iterator[Fault]:
        uri = self.uri
        if isinstance(uri, str) and uri.partition("://")[0] not in _SCHEMES:
            want = f"one that begins with {', '.join(f'{scheme}://' for scheme in _SCHEMES)}"
            yield Fault("uri", uri, want, "the controller reads no other")


class LoRASpec(CrdModel):
    """LoRA adapters of a model, which KServe loads."""

    adapters: list[LLMModelSpec] | None = None
    """The adapters."""
    max_rank: int | None = Field(default=None, ge=1)
    """Highest rank. Default vLLM's."""
    max_adapters: int | None = Field(default=None, ge=1)
    """Adapters in one batch. Default vLLM's."""
    max_cpu_adapters: int | None = Field(default=None, ge=1)
    """Adapters in memory of the CPU. Default vLLM's."""


class BaseModelSpec(LLMModelSpec):
    """The model that is served."""

    lora: LoRASpec | None = None
    """Its adapters."""


class StorageInitializer(CrdModel):
    """The container that fetches a model before its server starts."""

    enabled: bool | None = None
    """Whether there is one. Default true."""


class HpaActuator(CrdModel):
    """An HPA that follows the Workload Variant Autoscaler."""

    behavior: ScalingBehavior | None = None
    """How fast pods come and go."""


class KedaActuator(CrdModel):
    """A ScaledObject of KEDA that follows the Workload Variant Autoscaler."""

    polling_interval: int | None = Field(default=None, ge=1)
    """Seconds between questions. Default 30."""
    cooldown_period: int | None = Field(default=None, ge=0)
    """Seconds without load before only `idle_replica_count` are left. Default 300."""
    initial_cooldown_period: int | None = Field(default=None, ge=0)
    """Seconds after it is made, before which it takes no pod away."""
    idle_replica_count: int | None = Field(default=None, ge=1)
    """Replicas without load, fewer than `min_replicas`. 0.20.0 takes no 0."""


class WorkloadVariantAutoscaler(CrdModel):
    """The Workload Variant Autoscaler of llm-d, which says how many replicas there should be."""

    variant_cost: str | None = Field(default=None, pattern=r"^\d+(\.\d+)?$")
    """Cost of a replica beside that of other variants. Default 10.0."""
    hpa: HpaActuator | None = None
    """An HPA carries it out, over a metrics adapter. That of 0.20.0 multiplies what it is told by
    the replicas that are ready."""
    keda: KedaActuator | None = None
    """KEDA carries it out."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("hpa", "keda"), "one of them scales")


class LLMScaling(CrdModel):
    """How the number of replicas changes by itself."""

    min_replicas: int | None = Field(default=None, ge=1)
    """Fewest. Default 1; 0.20.0 takes no 0."""
    max_replicas: int = Field(ge=1)
    """Most."""
    wva: WorkloadVariantAutoscaler
    """Who says how many; 0.20.0 knows nobody else."""

    def _faults(self) -> Iterator[Fault]:
        least = self.min_replicas or 1
        if least > self.max_replicas:
            want = f"at most max_replicas ({self.max_replicas})"
            yield Fault("min_replicas", least, want, "the range is ordered", _VALIDATION)
        idle = self.wva.keda.idle_replica_count if self.wva.keda else None
        if idle is not None and (self.min_replicas is None or idle >= least):
            want = "less than min_replicas, which is given"
            why = "it is what is left without load"
            yield Fault("wva.keda.idle_replica_count", idle, want, why, _VALIDATION)


class ParallelismSpec(CrdModel):
    """How a replica is split over cards and pods."""

    tensor: int | None = Field(default=None, ge=1)
    """Cards that each layer is split over."""
    pipeline: int | None = Field(default=None, ge=1)
    """Pods that the layers are split over. Not beside `data`."""
    data: int | None = Field(default=None, ge=1)
    """Copies of the model in a replica."""
    data_local: int | None = Field(default=None, ge=1)
    """Copies in each of its pods."""
    data_rpc_port: int | None = Field(default=None, ge=1, le=65535, alias="dataRPCPort")
    """Port of the leader at which the copies meet. Default 5555."""
    expert: bool | None = None
    """Whether the experts of a layer are split over the cards too."""

    def _faults(self) -> Iterator[Fault]:
        if (self.data is None) != (self.data_local is None):
            field = "data_local" if self.data_local is None else "data"
            yield Fault(field, MISSING, "given too", "both say how many pods", _VALIDATION)
        if self.pipeline is not None and self.data is not None:
            want = "left out beside data"
            yield Fault("pipeline", self.pipeline, want, "one of them says the pods", _VALIDATION)

    @property
    def pods(self) -> int:
        """Pods of a replica, as the controller counts them."""
        if self.data is not None:
            return max(self.data // (self.data_local or 1), 1)
        return self.pipeline or 1


class KVEmptyDir(CrdModel):
    """A folder of the node."""

    size: Amount
    """Its size, which the pod requests as ephemeral storage."""


class KVClaim(CrdModel):
    """A claim that is there."""

    name: Input[str]
    """Its name."""
    path: str | None = None
    """Folder in it."""


class KVClaimTier(CrdModel):
    """Blocks on a claim."""

    ref: KVClaim
    """The claim."""


class KVFileSystem(CrdModel):
    """Blocks in files."""

    empty_dir: KVEmptyDir | None = None
    """In a folder of the node."""
    pvc: KVClaimTier | None = None
    """On a claim."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, ("empty_dir", "pvc"), "blocks lie in one place")


class KVTier(CrdModel):
    """Where blocks go that the memory of the CPU has no room for."""

    file_system: KVFileSystem
    """A file system; 0.20.0 knows nothing else."""


class KVCacheOffloading(CrdModel):
    """Blocks of the KV cache outside the memory of the card."""

    cpu: Amount
    """Memory of the CPU for them."""
    eviction_policy: EvictionPolicy | None = None
    """Which go first. Default lru."""
    secondary: list[KVTier] | None = None
    """Where they go next, in this order."""

    def _faults(self) -> Iterator[Fault]:
        if not parse(self.cpu):
            yield Fault("cpu", self.cpu, "more than 0", "blocks go there first", _VALIDATION)


class LLMWorkload(CrdModel):
    """Pods of one role."""

    replicas: int | None = Field(default=None, ge=0)
    """How many there are; left out beside `scaling`, and where somebody else scales."""
    scaling: LLMScaling | None = None
    """How their number changes by itself."""
    parallelism: ParallelismSpec | None = None
    """How each is split."""
    labels: dict[LabelKey, LabelValue] | None = None
    """Labels of the pods."""
    annotations: dict[str, str] | None = None
    """Annotations of the pods."""
    template: GroupPodSpec | None = None
    """The pod, or the leader of several; laid over the controller's own preset."""
    worker: GroupPodSpec | None = None
    """The other pods of a replica on several nodes."""
    kv_cache_offloading: KVCacheOffloading | None = Field(default=None, alias="kvCacheOffloading")
    """Where blocks of its KV cache go."""

    def _faults(self) -> Iterator[Fault]:
        if self.replicas is not None and self.scaling is not None:
            why = "one of them says how many there are"
            yield Fault("replicas", self.replicas, "left out beside scaling", why, _VALIDATION)
        parallelism = self.parallelism
        if self.worker is not None and not (
            parallelism and (parallelism.data or parallelism.pipeline)
        ):
            want = "left out, or parallelism.data or parallelism.pipeline given"
            yield Fault("worker", Words("given"), want, "it says how many there are", _VALIDATION)
        if self.worker is not None and parallelism and parallelism.pipeline:
            want = "left out, and data and data_local given"
            why = "KServe 0.20.0 has no preset of workers that split layers, and makes no pod"
            yield Fault("parallelism.pipeline", parallelism.pipeline, want, why)


class RouteRefs(CrdModel):
    """HTTPRoutes of one's own."""

    refs: list[LocalObjectReference] | None = None
    """Their names. Left out, the controller makes one."""


class LLMRoute(CrdModel):
    """How requests come from a Gateway."""

    http: RouteRefs
    """By an HTTPRoute."""
    group: str | None = Field(
        default=None, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
    )
    """Services of one group share requests."""
    weight: int | None = Field(default=None, ge=0, le=1_000_000)
    """Share of this one, beside the weights of the others."""

    def _faults(self) -> Iterator[Fault]:
        if (self.group is None) != (self.weight is None):
            field = "weight" if self.weight is None else "group"
            yield Fault(field, MISSING, "given too", "a share is one of a group", _VALIDATION)
        if self.group is not None and self.http.refs:
            why = "requests are shared by the controller's own routes"
            yield Fault("http.refs", Words("given"), "left out with group", why, _VALIDATION)


class LLMGatewayRef(CrdModel):
    """A Gateway that is there."""

    name: Input[str]
    """Its name."""
    namespace: Input[str] | None = None
    """Its namespace. Default the service's."""
    section_name: str | None = None
    """A listener of it. Left out, all of them."""


class LLMGateways(CrdModel):
    """Where routes are attached."""

    refs: list[LLMGatewayRef] | None = None
    """The Gateways. Left out, that of KServe's ConfigMap."""


class SchedulerConfig(CrdModel):
    """What the endpoint picker scores."""

    inline: dict[str, Any]
    """An EndpointPickerConfig."""


class LLMScheduler(CrdModel):
    """The endpoint picker, which chooses the pod of each request."""

    replicas: int | None = Field(default=None, ge=1)
    """Pickers, of which one is at work. Default 1."""
    template: GroupPodSpec | None = None
    """Its pod, laid over the controller's own preset."""
    config: SchedulerConfig | None = None
    """What it scores. Left out, queue, KV cache and prefix."""


class LLMRouter(CrdModel):
    """How requests find pods."""

    route: LLMRoute | None = None
    """From a Gateway."""
    gateway: LLMGateways | None = None
    """From which one."""
    scheduler: LLMScheduler | None = None
    """By an endpoint picker. Left out, by the Service."""


class LLMInferenceServiceSpec(LLMWorkload):
    """A model, its pods, and how requests find them."""

    model: BaseModelSpec
    """The model."""
    storage_initializer: StorageInitializer | None = None
    """Who fetches it."""
    prefill: LLMWorkload | None = None
    """Pods that read prompts; those above then only write."""
    router: LLMRouter | None = None
    """How requests find pods."""
    base_refs: list[LocalObjectReference] | None = None
    """LLMInferenceServiceConfigs that it is laid over."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from _adapter_faults(self.model)
        scalings = [part.scaling for part in (self, self.prefill) if part and part.scaling]
        if len({scaling.wva.hpa is None for scaling in scalings}) > 1:
            why = "both roles follow one autoscaler"
            want = "of the same actuator"
            yield Fault("prefill.scaling.wva", Words("of another one"), want, why, _VALIDATION)
        lora = self.model.lora
        is_off = self.storage_initializer and self.storage_initializer.enabled is False
        if is_off and lora and lora.adapters:
            want = "left out without the storage initializer"
            why = "the controller then fetches and mounts no adapter, and makes no pod at all"
            yield Fault("model.lora.adapters", Words("given"), want, why)


def _adapter_faults(model: BaseModelSpec) -> Iterator[Fault]:
    """Refuses adapters that no request tells apart from another one, or from their model."""
    names = [adapter.name for adapter in (model.lora and model.lora.adapters) or []]
    for number, name in enumerate(names):
        field = f"model.lora.adapters[{number}].name"
        if name is None:
            yield Fault(field, MISSING, "given", "clients ask for it", _VALIDATION)
        elif name in (".", ".."):
            yield Fault(field, name, "a name", "it becomes a folder", _VALIDATION)
        elif name == model.name or name in names[:number]:
            want = "another one than that of the model, and of every other adapter"
            yield Fault(field, name, want, "clients ask for it", _VALIDATION)


def _preset_faults(pod: GroupPodSpec) -> Iterator[Fault]:
    """Refuses names by which the controller would mix a part of a pod with one of its preset."""
    names: dict[str, tuple[Sequence[str | None], frozenset[str]]] = {
        "volumes": ([volume.name for volume in pod.volumes or []], PRESET_VOLUMES),
        "init_containers": ([part.name for part in pod.init_containers or []], PRESET_CONTAINERS),
    }
    for field, (parts, reserved) in names.items():
        for name in parts:
            if name in reserved:
                want = f"none of {', '.join(sorted(reserved))}"
                why = "KServe's preset has one of that name and another kind, and mixes the two"
                yield Fault(f"{field}[{name}].name", name, want, why)


def _brace_faults(value: object, path: str) -> Iterator[Fault]:
    """Refuses two braces: the controller reads the whole service as a template of Go's.

    v0.20.0, pkg/controller/v1alpha2/llmisvc/config_merge.go, ReplaceVariables.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _brace_faults(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            named = item.get("name", number) if isinstance(item, Mapping) else number
            yield from _brace_faults(item, f"{path}[{named}]")
    elif isinstance(value, str) and "{{" in value:
        want = "one without {{, such as a file of a volume"
        why = "KServe reads it as a template of its own, and makes no pod"
        yield Fault(path, Words("a text with {{"), want, why)


def service_faults(spec: LLMInferenceServiceSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
    """Refuses names, and what the controller makes no pod of though its webhooks take it."""
    pods = {"template": spec.template, "worker": spec.worker}
    if spec.prefill is not None:
        pods["prefill.template"] = spec.prefill.template
    for path, pod in pods.items():
        yield from (fault.under(path) for fault in _preset_faults(pod)) if pod else ()
    yield from _brace_faults(spec.manifest(), "")
    name = metadata.name
    why = "Services are called after it, and it is a label of its pods"
    yield from DNS_1035_LABEL.faults("metadata.name", name, why)
    if spec.model.name is None and isinstance(name, str):
        named = spec.model.model_copy(update={"name": name})
        yield from (fault.under("spec") for fault in _adapter_faults(named))


class LLMInferenceService(
    CustomResource[LLMInferenceServiceSpec], api_version=API_VERSION, kind=KIND
):
    """A model that is served. Its pods cost what their nodes cost."""

    def _faults(self, spec: LLMInferenceServiceSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        yield from service_faults(spec, metadata)
