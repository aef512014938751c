"""How a model is told to be served by an LLMInferenceService: scale, copies, roles and routing."""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from ..args import MISSING, Args, Fault, Words, left_out_faults
from ..crds.formats import ImageReference
from ..crds.llm_inference_service_labels import SERVER, EvictionPolicy
from ..names import NamespaceName, ObjectName
from ..quantity import Quantity, parse
from .autoscaler import range_faults
from .kserve_model import KServeMetric, KServeScale
from .kv_transfer import connector
from .pod import STARTUP_SECONDS
from .rollout import Rollout

TIER_FOLDER: Final = "/mnt/kv-cache-0"
"""Where KServe mounts the first tier on a disk or a claim: v0.20.0, workload_kvcache.go."""


class LLMActuator(StrEnum):
    """Who carries out what the Workload Variant Autoscaler says."""

    KEDA = "keda"
    """KEDA, which asks Prometheus itself."""
    HPA = "hpa"
    """An HPA, over a metrics adapter that has the autoscaler's metric. That of KServe 0.20
    multiplies what it is told by the replicas that are ready, up to `max`."""


class WvaScale(Args):
    """Scaling by the Workload Variant Autoscaler of llm-d, which the cluster has to have."""

    actuator: LLMActuator = LLMActuator.KEDA
    """Who carries it out."""
    cost: float = Field(default=10.0, ge=0)
    """Cost of a replica beside that of other variants of the model."""
    idle: int | None = Field(default=None, ge=1)
    """Replicas without load, fewer than `min`, with keda. KServe 0.20 takes no 0."""


class LLMScale(KServeScale):
    """Between which bounds, and on what, the number of replicas scales."""

    metric: KServeMetric | None = None  # type: ignore[assignment]  # the number may be fixed
    """What it is scaled on: of the figures of pods by an HPA, with `keda` by KEDA, also to 0. Left
    out where min is max, and the number stays."""
    target: float | None = Field(  # type: ignore[assignment]
        default=None, ge=0.001, le=9 * 10**15
    )
    """What one replica should have of it, in thousandths at the finest."""
    wva: WvaScale | None = None
    """The Workload Variant Autoscaler, in place of `metric` and `target`."""

    def _faults(self) -> Iterator[Fault]:
        if self.wva is None and self.metric is not None and self.target is not None:
            yield from super()._faults()
            if self.metric in _BY_KSERVE:
                want = "one that pods report, or prometheus with keda"
                yield Fault("metric", self.metric, want, "KServe scales this kind on no other")
            elif self.metric is KServeMetric.PROMETHEUS and self.keda is None:
                yield Fault("keda", MISSING, "given with prometheus", "KEDA asks for it")
            return
        yield from range_faults(self.min, self.max)
        for field in ("metric", "target", "query", "keda"):
            if getattr(self, field) is not None:
                why = "one of them scales, by what it looks at"
                want = "left out beside wva" if self.wva else "given beside metric and target"
                yield Fault(field, Words("given"), want, why)
        if self.wva is not None:
            yield from self._wva_faults(self.wva)
        elif self.min != self.max and self.metric is None:
            yield Fault("metric", MISSING, "given, or min set to max", "somebody has to scale")

    def _wva_faults(self, wva: WvaScale) -> Iterator[Fault]:
        if not self.min:
            yield Fault("min", 0, "1 or more with wva", "KServe 0.20 takes no 0")
        by_keda = wva.actuator is LLMActuator.KEDA
        if wva.idle is not None and (wva.idle >= self.min or not by_keda):
            want = f"less than min ({self.min}), with actuator keda"
            yield Fault("wva.idle", wva.idle, want, "it is what is left without load")

    def manifest(self) -> dict[str, Any]:
        """What KServe is told: a number, its own scaling, or nothing where an HPA of ours scales.

        KServe leaves the number of a Deployment alone for which it is told nothing: v0.20.0,
        workload.go, PreserveDeploymentReplicas.
        """
        if self.wva is None:
            return {"replicas": self.max if self.metric is None else None}
        actuator: dict[str, Any] = {}
        if self.wva.idle is not None:
            actuator["idle_replica_count"] = self.wva.idle
        wva = {"variant_cost": f"{self.wva.cost:g}", self.wva.actuator.value: actuator}
        return {"scaling": {"min_replicas": self.min, "max_replicas": self.max, "wva": wva}}


_BY_KSERVE: Final = (KServeMetric.CPU, KServeMetric.MEMORY, KServeMetric.CONCURRENCY)
"""What KServe scales an InferenceService on by itself."""


class LLMParallelism(Args):
    """Copies of the model in a replica, each on cards of its own."""

    data: int = Field(ge=2)
    """Copies in a replica, which answer as one server."""
    data_local: int | None = Field(default=None, ge=1)
    """Copies in each of its pods, which share the cards of `server.resources`. Left out, all are in
    one pod. With fewer than `data`, a replica is several pods, each on a node of its own."""
    expert: bool = False
    """Whether the experts of a layer are split over all cards too."""

    def _faults(self) -> Iterator[Fault]:
        if self.data % self.local:
            want = f"a divisor of data ({self.data})"
            yield Fault("data_local", self.local, want, "all pods of a replica are alike")

    @property
    def local(self) -> int:
        """Copies in each pod."""
        return self.data_local or self.data

    @property
    def pods(self) -> int:
        """Pods of a replica."""
        return self.data // self.local

    @property
    def flags(self) -> list[str]:
        """What vLLM is told."""
        local = ["--data-parallel-size-local", str(self.local)] if self.pods > 1 else []
        expert = ["--enable-expert-parallel"] if self.expert else []
        return ["--data-parallel-size", str(self.data), *local, *expert]


class KVOffload(Args):
    """Where blocks of the KV cache go that the card has no room for; from vLLM 0.22 on."""

    memory: Quantity = Field(examples=["20Gi"])
    """Memory of the CPU for them, of each copy in a pod, out of `server.resources.memory`. vLLM
    keeps them in /dev/shm, whose size follows from it unless `server.shared_memory` says one."""
    disk: Quantity | None = Field(default=None, examples=["100Gi"])
    """Room on the node's disk for what memory has none for, requested as ephemeral storage. vLLM
    takes no block off it again, and a pod that has filled it is evicted."""
    claim: ObjectName | None = None
    """Existing claim for it, in place of `disk`, which all replicas share. Nobody deletes old
    blocks there."""
    eviction: EvictionPolicy = EvictionPolicy.LRU
    """Which blocks go first: lru or arc."""

    def _faults(self) -> Iterator[Fault]:
        if self.disk is not None and self.claim is not None:
            yield Fault("claim", self.claim, "left out beside disk", "blocks lie in one place")
        if not parse(self.memory):
            yield Fault("memory", self.memory, "more than 0", "blocks go there first")

    def manifest(self) -> dict[str, Any]:
        """What KServe is told, which mounts the volume."""
        volume: dict[str, Any] = {"pvc": {"ref": {"name": self.claim}}}
        if self.disk is not None:
            volume = {"empty_dir": {"size": self.disk}}
        secondary = [{"file_system": volume}] if self.disk or self.claim else None
        return {"cpu": self.memory, "eviction_policy": self.eviction, "secondary": secondary}

    def held(self, copies: int) -> int:
        """Bytes of /dev/shm that the copies in a pod keep: vLLM has a file there for each.

        vllm/v1/kv_offload/cpu/shared_offload_region.py of 0.22.0 to 0.33.0: filled at the start,
        which ends where there is less room.
        """
        return math.ceil(parse(self.memory)) * copies

    @property
    def env(self) -> dict[str, str]:
        """Variables by which replicas find each other's blocks on a claim.

        Blocks are files called after a hash, which each process begins at random without: the same
        releases, vllm/v1/kv_offload/tiering/fs/manager.py.
        """
        return {"PYTHONHASHSEED": "0"} if self.claim else {}

    @property
    def connector(self) -> dict[str, Any]:
        """What vLLM is told; the folder is where KServe mounts the volume."""
        extra: dict[str, Any] = {
            "spec_name": "TieringOffloadingSpec",
            "cpu_bytes_to_use": math.ceil(parse(self.memory)),
            "eviction_policy": self.eviction.value,
        }
        if self.disk or self.claim:
            extra["secondary_tiers"] = [{"type": "fs", "root_dir": TIER_FOLDER}]
        return connector("OffloadingConnector") | {"kv_connector_extra_config": extra}


class LLMPrefill(Args):
    """Pods that read prompts, and hand their KV cache to those that write."""

    scale: LLMScale
    """How many there are."""
    connector: str = "NixlConnector"
    """What vLLM hands the KV cache over by. The default wants NIXL in the image; llm-d's have it.
    """
    proxy_image: ImageReference = "ghcr.io/llm-d/llm-d-router-disagg-sidecar:v0.9.0"
    """Image beside each server that writes, which asks a prefill pod first. The default is that of
    KServe 0.20's preset."""


class LLMGateway(Args):
    """A Gateway that is there, which leads requests to the model."""

    name: ObjectName
    """Its name."""
    namespace: NamespaceName | None = None
    """Its namespace. Left out, the model's."""
    listener: str | None = None
    """One of its listeners. Left out, all of them."""


class LLMRouting(Args):
    """How requests find pods."""

    gateway: LLMGateway | None = None
    """The Gateway to which KServe attaches an HTTPRoute, at the path /<namespace>/<model>. Left
    out, that of the stack's `gateway`; without a stack it has to be given."""
    scheduler: bool = True
    """Whether an endpoint picker chooses the pod of a request, by queue, KV cache and prefix. It
    needs a Gateway that knows InferencePools."""
    scheduler_replicas: int = Field(default=1, ge=1)
    """Endpoint pickers, of which one is at work."""
    scheduler_image: ImageReference = "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.0"
    """Image of the endpoint picker. The default is that of KServe 0.20's preset."""
    scheduler_config: dict[str, Any] | None = None
    """EndpointPickerConfig of the endpoint picker, in its own form: its plugins, and what each
    counts. Left out, KServe's: queue, KV cache and prefix, of prefill and decode each their own."""
    group: str | None = Field(
        default=None, max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
    )
    """Models of one group share the requests that any of them gets: a canary is two."""
    weight: int | None = Field(default=None, ge=0, le=1_000_000)
    """Share of this model, beside the weights of the others."""

    def _faults(self) -> Iterator[Fault]:
        if (self.group is None) != (self.weight is None):
            field = "weight" if self.weight is None else "group"
            yield Fault(field, MISSING, "given too", "a share is one of a group")
        if not self.scheduler and self.scheduler_replicas > 1:
            want = "left out without scheduler"
            yield Fault("scheduler_replicas", self.scheduler_replicas, want, "there is none")
        if self.scheduler_config is not None:
            if not self.scheduler:
                want = "left out without scheduler"
                yield Fault("scheduler_config", Words("given"), want, "nobody reads it")
            yield from picker_config_faults("scheduler_config", self.scheduler_config)

    def manifest(self) -> dict[str, Any]:
        """What KServe is told."""
        gateway, replicas = self.gateway, self.scheduler_replicas
        reference = gateway and {
            "name": gateway.name,
            "namespace": gateway.namespace,
            "section_name": gateway.listener,
        }
        scheduler = {
            "replicas": replicas if replicas > 1 else None,
            "template": {"containers": [{"name": SERVER, "image": self.scheduler_image}]},
            "config": {"inline": self.scheduler_config} if self.scheduler_config else None,
        }
        return {
            "route": {"http": {}, "group": self.group, "weight": self.weight},
            "gateway": {"refs": [reference]} if reference else None,
            "scheduler": scheduler if self.scheduler else None,
        }


def picker_config_faults(field: str, config: Mapping[str, Any]) -> Iterator[Fault]:
    """Refuses a configuration with which an endpoint picker does not start.

    kubernetes-sigs/gateway-api-inference-extension v1.5.0, pkg/epp/config/loader.
    """
    if config.get("kind") != PICKER_CONFIG or not isinstance(config.get("apiVersion"), str):
        want = f"one with apiVersion and kind {PICKER_CONFIG}"
        yield Fault(field, Words("given otherwise"), want, "the picker reads no other")
    plugins = [entry for entry in _entries(config, "plugins") if isinstance(entry, Mapping)]
    names = [str(plugin.get("name", plugin.get("type"))) for plugin in plugins]
    for number, name in enumerate(names):
        if name in names[:number]:
            want = "another one, which is given as its name"
            yield Fault(f"{field}.plugins[{number}]", name, want, "profiles refer to it by this")
    for profile in _entries(config, "schedulingProfiles"):
        for entry in _entries(profile, "plugins"):
            plugin = entry.get("pluginRef") if isinstance(entry, Mapping) else None
            if plugin not in names:
                where = f"{field}.schedulingProfiles[{_called(profile)}].plugins.pluginRef"
                want = f"one of {', '.join(names)}" if names else "the name of an entry of plugins"
                why = "the picker ends where it finds no such plugin"
                yield Fault(where, str(plugin), want, why)


def _entries(value: object, field: str) -> list[Any]:
    """A list in a configuration; empty where there is none."""
    entries = value.get(field) if isinstance(value, Mapping) else None
    return entries if isinstance(entries, list) else []


def _called(entry: object) -> object:
    return entry.get("name") if isinstance(entry, Mapping) else None


PICKER_CONFIG: Final = "EndpointPickerConfig"


class LLMServe(Args):
    """How an LLMInferenceService of KServe serves a model."""

    scale: LLMScale
    """How many replicas there are."""
    parallelism: LLMParallelism | None = None
    """Copies of the model in a replica. Left out, one, split over all its cards."""
    prefill: LLMPrefill | None = None
    """Pods that read prompts, each as large as the others, which then only write. Left out, every
    pod does both."""
    router: LLMRouting | None = None
    """How requests find pods. Left out, by a Service inside the cluster."""
    kv_offload: KVOffload | None = None
    """Where blocks of the KV cache go that the card has no room for. Left out, they are dropped."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start of a pod."""
    request_seconds: int | None = Field(default=None, ge=1)
    """Longest request, for which `<model>_load` waits; KServe's routes bound none. Left out, 600.
    """
    grace_seconds: int | None = Field(default=None, ge=1)
    """Time that a pod has to finish its requests. Left out, 30."""
    annotations: dict[str, str] | None = None
    """Annotations of the pods."""

    def _faults(self) -> Iterator[Fault]:
        if self.prefill is None:
            return
        want = "left out with prefill"
        why = "vLLM takes one connector of the KV cache, and prefill has it"
        yield from left_out_faults(self, ["kv_offload"], want, why)
        why = "the two roles are of one size here; RoleBasedGroups have one each"
        yield from left_out_faults(self, ["parallelism"], want, why)
        if self.router is None or not self.router.scheduler:
            why = "without its endpoint picker nobody sends a prompt to the prefill pods first"
            yield Fault("router.scheduler", Words("left out"), "true with prefill", why)
        config = self.router.scheduler_config if self.router else None
        profiles = [_called(profile) for profile in _entries(config, "schedulingProfiles")]
        if config and "prefill" not in profiles:
            why = "no pod would be chosen for it, and decode would read each prompt itself"
            field = "router.scheduler_config.schedulingProfiles"
            yield Fault(field, Words("without prefill"), "one called prefill too", why)
        wva, reading = self.scale.wva, self.prefill.scale.wva
        if wva and reading and wva.actuator is not reading.actuator:
            why = "KServe refuses two kinds of actuators"
            want = f"'{wva.actuator}', as that of scale"
            yield Fault("prefill.scale.wva.actuator", reading.actuator, want, why)

    @property
    def rollout(self) -> Rollout | None:
        """How an update replaces replicas; None for a Deployment, as Kubernetes does.

        KServe 0.20 tells neither a Deployment nor a LeaderWorkerSet.
        """
        return Rollout(max_surge=0, max_unavailable=1) if self.nodes > 1 else None

    @property
    def nodes(self) -> int:
        """Pods of a replica."""
        return self.parallelism.pods if self.parallelism else 1

    @property
    def copies(self) -> int:
        """Copies of the model in each pod."""
        return self.parallelism.local if self.parallelism else 1

    @property
    def scales(self) -> Mapping[str, LLMScale]:
        """How many pods of each role there are, by field."""
        prefill = {"prefill.scale": self.prefill.scale} if self.prefill else {}
        return MappingProxyType({"scale": self.scale, **prefill})
