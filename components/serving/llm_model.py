"""A model served by an LLMInferenceService of KServe: its pods by role, and an endpoint picker.

KServe lays the pods below over its own presets, which have an image, a command line and probes:
whatever a preset says too is said here, so that a pod runs as it does under every other runtime.
"""

import math
import re
import shlex
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pydantic import Field

from .. import crds
from ..args import (
    MISSING,
    Args,
    Fault,
    Input,
    Refusal,
    Words,
    child_options,
    left_out_faults,
    once,
    validated,
)
from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import Version, release_name
from ..crds.formats import ImageReference
from ..crds.leader_worker_labels import API_VERSION as GROUPS
from ..crds.leader_worker_labels import KIND as GROUP
from ..crds.leader_worker_labels import LEADER_ADDRESS, POD_INDEX
from ..crds.llm_inference_service_labels import (
    PORT,
    PROXY,
    SERVER,
    EvictionPolicy,
    workload_name,
    workload_service,
)
from ..names import NamespaceName, ObjectName
from ..quantity import Quantity, difference, parse
from .autoscaler import AutoscalerSpec, declare_autoscaler, hpa_spec, range_faults
from .availability import declare_budget
from .engines import engine_faults
from .ingress import annotations as door_annotations
from .ingress import declare_ingress, gateway_faults, ingress_spec
from .keda_scale import scaled_object
from .kserve_model import KServeMetric, KServeScale
from .kv_transfer import SIDE_CHANNEL, connector, transfer_words
from .pod import STARTUP_SECONDS, ModelArgs, model_pod, service_metadata
from .pod_group import SILENT, last_group_faults, serve_words, with_server
from .rollout import Rollout
from .server import ModelServer, shared_memory_size
from .shutdown import GRACE_SECONDS, standard_shutdown
from .vllm_rules import extra_faults

DECODE_PORT: Final = 8001
"""Port of a server beside the preset's proxy, which asks the prefill pods first: v0.20.0,
config/llmisvcconfig/config-llm-decode-template.yaml."""
TIER_FOLDER: Final = "/mnt/kv-cache-0"
"""Where KServe mounts the first tier on a disk or a claim: v0.20.0, workload_kvcache.go."""
SUFFIX: Final = "-llm"
"""End of the names of objects beside the service. A model that moves here has others of another
runtime: under one name the new one would be gone with the old one, as the engine deletes last."""
OFFLOADING_SINCE: Final[Version] = (0, 22, 0)
"""First release with tiers of the KV cache: the presets of v0.20.0; vllm pull 40020."""
FILES_SINCE: Final[Version] = (0, 23, 0)
"""First release that knows the tier of files by the name that KServe gives it: it was `fs_python`
in 0.22.0, vllm/v1/kv_offload/tiering/factory.py."""


class LLMActuator(StrEnum):
    """Who carries out what the Workload Variant Autoscaler says."""

    KEDA = "keda"
    """KEDA, which asks Prometheus itself."""
    HPA = "hpa"
    """An HPA, over a metrics adapter that has the autoscaler's metric."""


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


class LLMModelArgs(ModelArgs):
    """A model, its server, and how KServe serves it."""

    serve: LLMServe
    """How KServe serves it."""
    namespace: str
    """Namespace of the service."""
    ingress_class: str = "nginx"
    """IngressClass of the Ingress that a model with a host of its own has."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from self._resource_faults()
        yield from engine_faults(self.server)
        serve, server = self.serve, self.server
        if server.port != PORT:
            want = (
                f"{PORT}, and that of server.command" if server.command else f"{PORT}, or left out"
            )
            yield Fault("server.port", server.port, want, "KServe's Service and pool lead there")
        if self.ingress:
            yield from gateway_faults(self.ingress, self.ingress_class)
        if serve.router and serve.router.gateway is None:
            why = "KServe would attach the route to a Gateway that its ConfigMap names"
            yield Fault("serve.router.gateway", MISSING, "given", why)
        if server.vllm is None:
            fields = ("parallelism", "prefill", "kv_offload")
            want = "left out, or server.vllm in place of server.command"
            why = "its flags go to vLLM, and server.command is as it is"
            for fault in left_out_faults(serve, fields, want, why):
                yield fault.under("serve")
        for field, scale in serve.scales.items():
            if scale.lacks_prometheus:
                yield Fault(f"serve.{field}.keda.server", MISSING, "given", "KEDA asks it")
        yield from self._size_faults()
        if server.vllm is not None:
            field = "server.vllm.extra_args"
            yield from _flag_faults(field, server, role_server(self))

    def _size_faults(self) -> Iterator[Fault]:
        serve, server = self.serve, self.server
        offload, image = serve.kv_offload, vllm_image(server.image)
        if offload:
            yield from _held_faults(offload, server, serve.copies)
        if offload and image is not None and image.version < OFFLOADING_SINCE:
            want = f"left out, or an image from {release_name(OFFLOADING_SINCE)} on"
            why = f"vLLM {image.release} knows no tiers of the KV cache"
            yield Fault("serve.kv_offload", Words("given"), want, why)
        elif offload and image is not None and image.version < FILES_SINCE:
            want = f"left out, or an image from {release_name(FILES_SINCE)} on"
            why = f"vLLM {image.release} knows no tier of files by its name"
            for fault in left_out_faults(offload, ("disk", "claim"), want, why):
                yield fault.under("serve.kv_offload")
        paths = {"server.mount_path": server.mount_path} | {
            f"volumes[{volume.name}].mount_path": volume.mount_path for volume in self.volumes or []
        }
        for field, path in paths.items() if offload and (offload.disk or offload.claim) else ():
            if path.rstrip("/") == TIER_FOLDER:
                why = "KServe mounts the blocks there, and makes no pod with two volumes at one"
                yield Fault(field, path, "another path", why)
        if server.gpus % serve.copies:
            want = f"a multiple of the copies in a pod ({serve.copies})"
            yield Fault("server.resources.gpus", server.gpus, want, "each has cards of its own")
        if serve.prefill and self.disruption_budget:
            why = "it would count prefill and decode together, and a model needs some of each"
            yield Fault("disruption_budget", Words("given"), "left out with prefill", why)
        if serve.nodes > 1 and self.topology_spread:
            why = "it would spread the pods of a replica, which belong together"
            yield Fault("topology_spread", Words("given"), "left out", why)


def _held_faults(offload: KVOffload, server: ModelServer, copies: int) -> Iterator[Fault]:
    """Refuses blocks that the memory of a pod, or its /dev/shm, has no room for."""
    memory, shared = server.resources.memory, server.shared_memory
    held = str(offload.held(copies))
    each = f", for {copies} copies in a pod" if copies > 1 else ""
    if (room := difference(memory, held)) is not None and room <= 0:
        want = f"less than server.resources.memory ({memory}){each}"
        yield Fault("serve.kv_offload.memory", offload.memory, want, "it is a part of it")
    elif (room := difference(shared, held)) is not None and room <= 0:
        want = f"left out, or more than serve.kv_offload.memory ({offload.memory}){each}"
        why = "vLLM keeps these blocks in /dev/shm, and does not start where they have no room"
        yield Fault("server.shared_memory", shared, want, why)


def _flag_faults(field: str, server: ModelServer, extended: ModelServer) -> Iterator[Fault]:
    """Refuses flags that follow from `serve`, and those of `serve` that the release lacks."""
    words, extra = ((part.vllm and part.vllm.extra_args) or [] for part in (server, extended))
    flags = extra[len(words) :]
    for flag in flags:
        if flag.startswith("--") and flag in words:
            yield Fault(field, flag, "left out", "serve.llm says it")
    for fault in extra_faults(flags, vllm_image(server.image), {}):
        yield fault.under("server")


class LLMModel(pulumi.ComponentResource):
    """An LLMInferenceService, and the HPAs of its roles that scale on a metric.

    Each pod costs what its node costs; an endpoint picker asks for 1 CPU and 2 GiB.
    """

    host: pulumi.Output[str]
    """Its own host, or that of the Service of its pods inside the cluster."""

    def __init__(
        self, name: str, args: LLMModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = LLMModelArgs.of(args)
        service, scalers = validated(f"LLMModel {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:LLMModel", name, args.dump(), opts)

        options, about = child_options(self, opts), service_metadata(name, args, labels=args.labels)
        deployed = crds.LLMInferenceService(f"{name}-service", service, about, options)
        # KServe makes what it scales.
        after = child_options(self, opts, depends_on=[deployed])
        for role, scaler in scalers.items():
            called, title = f"{name}{SUFFIX}{role}", f"{name}{role}"
            names = {"hpa": f"{called}-hpa", "keda": called}
            declare_autoscaler(title, scaler, args.namespace, args.labels, after, **names)
        if args.ingress:
            door, called = args.ingress, f"{name}{SUFFIX}"
            spec = ingress_spec(door, args.ingress_class, workload_service(name), PORT)
            notes = door_annotations(door, args.ingress_class, args.serve.request_seconds)
            declare_ingress(self, name, door, spec, args.namespace, notes, opts, deployed, called)
        budget = args.disruption_budget and args.disruption_budget.over(args.serve.nodes)
        declare_budget(f"{name}{SUFFIX}", budget, args.namespace, args.labels, options)

        host = args.ingress.host if args.ingress else cluster_host(name, args.namespace)
        self.host = pulumi.Output.from_input(host)
        self.register_outputs({"host": self.host})


def cluster_host(name: str, namespace: str) -> str:
    """Host name of the Service of a model's pods, inside the cluster."""
    return f"{workload_service(name)}.{namespace}.svc.cluster.local"


@once
def render(
    name: str, args: LLMModelArgs
) -> "tuple[crds.LLMInferenceServiceSpec, dict[str, AutoscalerSpec]]":
    """The LLMInferenceService of a model of a name, and the HPA of each role that has one.

    Raises:
        ValidationError: The API server, or KServe's webhook, takes no such objects.
        Refusal: KServe would make nothing of it.
    """
    from ..crds.llm_inference_service import service_faults

    service = service_spec(name, args)
    about = service_metadata(name, args, labels=args.labels)
    if faults := [*service_faults(service, about), *_name_faults(name, args.serve)]:
        raise Refusal(*faults)
    return service, dict(_scalers(name, args))


def _name_faults(name: str, serve: LLMServe) -> Iterator[Fault]:
    """Refuses a name that is too long: workers of each replica are a StatefulSet of their own."""
    groups = workload_name(name, groups=True)
    if serve.nodes > 1:
        yield from last_group_faults(name, f"{groups}-{serve.scale.max - 1}", "replica")


def service_spec(name: str, args: LLMModelArgs) -> "crds.LLMInferenceServiceSpec":
    """The LLMInferenceService of a model."""
    serve, served = args.serve, args.server.served_name or name
    about = {"labels": args.labels, "annotations": serve.annotations}
    prefill = serve.prefill and {
        **about,
        **serve.prefill.scale.manifest(),
        "template": _pod(args, PORT),
    }
    parallelism = serve.parallelism
    return crds.LLMInferenceServiceSpec.model_validate(
        {
            **about,
            **serve.scale.manifest(),
            "model": {"uri": model_uri(args), "name": served},
            # Pods mount their volumes themselves, and vLLM asks a hub itself.
            "storage_initializer": {"enabled": False},
            "parallelism": _parallelism(args),
            "template": _pod(args, DECODE_PORT if serve.prefill else PORT),
            "worker": worker_pod(args) if parallelism and parallelism.pods > 1 else None,
            "kv_cache_offloading": serve.kv_offload.manifest() if serve.kv_offload else None,
            "prefill": prefill,
            "router": serve.router.manifest() if serve.router else None,
        }
    )


def at_port(server: ModelServer, port: int = PORT) -> ModelServer:
    """The server at another port; as it is where it says its own, or its command not once."""
    flag, words = re.compile(rf"(--port[ =\0]){server.port}\b"), server.command or []
    text, count = flag.subn(rf"\g<1>{port}", "\0".join(words))
    if "port" in server.model_fields_set if server.vllm else count != 1:
        return server
    command = text.split("\0") if server.command else None
    return server.model_copy(update={"port": port, "command": command})


def model_uri(args: LLMModelArgs) -> Input[str]:
    """Where the model's files are, for whoever reads the service; KServe fetches nothing."""
    vllm, folder = args.server.vllm, f"/{args.sub_path}" if args.sub_path else ""
    if isinstance(args.claim, str):
        return f"pvc://{args.claim}{folder}"
    if args.claim is not None:
        return pulumi.Output.concat("pvc://", args.claim, folder)
    if vllm and vllm.model and args.server.loads_from_a_hub:
        return f"hf://{vllm.model}"
    return f"oci://{args.server.image}"


def _parallelism(args: LLMModelArgs) -> dict[str, Any] | None:
    parallelism, command = args.serve.parallelism, role_server(args).vllm_command
    tensor = command.number("--tensor-parallel-size") if command else None
    if parallelism is None:
        return {"tensor": tensor} if tensor else None
    return {
        "tensor": tensor,
        "data": parallelism.data,
        "data_local": parallelism.local,
        "expert": parallelism.expert or None,
    }


def role_server(args: LLMModelArgs, port: int = PORT) -> ModelServer:
    """The server with what `serve` adds to vLLM's flags, at a port."""
    serve, vllm = args.serve, args.server.vllm
    # A preset names this folder too, and the variable goes before HF_HOME.
    caches = {"HF_HUB_CACHE": f"{args.server.mount_path.rstrip('/')}/huggingface/hub"}
    offload = serve.kv_offload
    env = {
        **(caches if args.claim is None else {}),
        **(offload.env if offload else {}),
        **(args.server.env or {}),
    }
    update: dict[str, Any] = {"port": port, "env": env or None}
    if offload is not None:
        resources, shared = args.server.resources, args.server.shared_memory
        held = offload.held(serve.copies)
        update["shared_memory"] = shared_memory_size(resources, shared, held)
    if vllm is not None:
        flags = [*(serve.parallelism.flags if serve.parallelism else [])]
        config = offload.connector if offload else None
        if serve.prefill is not None:
            config = connector(serve.prefill.connector)
        if config is not None:
            flags += transfer_words(config)
        # KServe's routes by a header ask for the model under this name.
        name = f"publishers/{args.namespace}/models/{vllm.served_model_name}"
        aliases = [*(vllm.aliases or []), name] if serve.router else None
        update["vllm"] = vllm.model_copy(
            update={
                "extra_args": [*(vllm.extra_args or []), *flags] or None,
                "aliases": aliases or vllm.aliases,
            }
        )
    return args.server.model_copy(update=update)


def _pod(args: LLMModelArgs, port: int) -> dict[str, Any]:
    """A pod that answers at a port: alone, or as the leader of several."""
    server = role_server(args, port)
    end = standard_shutdown(server, args.serve.grace_seconds)
    pod = model_pod(
        args.model_copy(update={"server": server}),
        args.serve.startup_seconds,
        container=SERVER,
        shutdown=end,
    )
    health = pod["containers"][0]["readiness_probe"]
    channel = [SIDE_CHANNEL] if args.serve.prefill else []
    fields: dict[str, Any] = {
        # A preset kills a pod after ten answers that took over a second.
        "liveness_probe": {**health, "period_seconds": 10, "failure_threshold": 10},
        "env": [*(pod["containers"][0]["env"] or []), *channel] or None,
    }
    if args.serve.nodes > 1:
        fields["command"] = _script(serve_words(server, end.drain_seconds))
    if args.serve.prefill and port == DECODE_PORT:
        proxy = {"name": PROXY, "image": args.serve.prefill.proxy_image}
        pod = {**pod, "init_containers": [*(pod["init_containers"] or []), proxy]}
    return _as_ours(pod, args, fields)


def worker_pod(args: LLMModelArgs) -> dict[str, Any]:
    """A further pod of a replica: it answers nobody, and is ready once it runs."""
    server = role_server(args)
    pod = model_pod(args.model_copy(update={"server": server}), container=SERVER)
    rank = f'--headless --data-parallel-start-rank "$(({POD_INDEX} * {args.serve.copies}))"'
    return _as_ours(pod, args, {**SILENT, "command": _script(serve_words(server), rank)})


def _as_ours(pod: dict[str, Any], args: LLMModelArgs, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A pod whose server keeps nothing of a preset that would change what it does."""
    # vLLM's image runs as root, which the presets forbid: the kubelet would start no container.
    context = {**pod["containers"][0]["security_context"], "run_as_non_root": False}
    return with_server(pod, {**fields, "security_context": context}) | {
        "termination_grace_period_seconds": args.serve.grace_seconds or GRACE_SECONDS,
    }


def _script(words: list[str], *more: str) -> list[str]:
    """A shell that waits until the leader has an address, as vLLM binds to no name."""
    wait = f"until host=$(getent hosts ${LEADER_ADDRESS}); do sleep 1; done"
    line = " ".join([shlex.join(words), *more, '--data-parallel-address "${host%% *}"'])
    return ["sh", "-c", f"{wait}; exec {line}"]


def _scalers(name: str, args: LLMModelArgs) -> "Iterator[tuple[str, AutoscalerSpec]]":
    """What scales what KServe makes of each role, by what its name ends in."""
    serve, groups = args.serve, args.serve.nodes > 1
    for field, scale in serve.scales.items():
        role = "" if field == "scale" else "-prefill"
        workload = workload_name(name, prefill=bool(role), groups=groups)
        target = {
            "api_version": GROUPS if groups else "apps/v1",
            "kind": GROUP if groups else "Deployment",
            "name": workload,
        }
        pods = f'namespace="{args.namespace}",pod=~"{workload}-[^-]+(-[^-]+)?"'
        called = f"{name}{SUFFIX}{role}"
        scaler = scaled_object(called, args.server.image, scale, target, pods)
        if (spec := scaler or hpa_spec(target, scale)) is not None:
            yield role, spec
