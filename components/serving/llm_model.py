"""A model served by an LLMInferenceService of KServe: its pods by role, and an endpoint picker.

KServe lays the pods below over its own presets, which have an image, a command line and probes:
whatever a preset says too is said here, so that a pod runs as it does under every other runtime.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi

from .. import crds
from ..args import (
    MISSING,
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
from ..crds.leader_worker_labels import API_VERSION as GROUPS
from ..crds.leader_worker_labels import KIND as GROUP
from ..crds.leader_worker_labels import LEADER_ADDRESS, POD_INDEX
from ..crds.llm_inference_service_labels import PORT, PROXY, SERVER, workload_name, workload_service
from ..quantity import difference
from .autoscaler import AutoscalerSpec, declare_autoscaler, hpa_spec
from .availability import declare_budget
from .engines import engine_faults
from .ingress import annotations as door_annotations
from .ingress import declare_ingress, gateway_faults, ingress_spec
from .keda_scale import scaled_object
from .kv_transfer import SIDE_CHANNEL, connector, transfer_words
from .llm_serve import TIER_FOLDER, KVOffload, LLMServe
from .pod import ModelArgs, model_pod, service_metadata
from .pod_group import SILENT, last_group_faults, serve_words, with_server
from .server import ModelServer, shared_memory_size
from .shutdown import GRACE_SECONDS, standard_shutdown
from .vllm_rules import extra_faults

DECODE_PORT: Final = 8001
"""Port of a server beside the preset's proxy, which asks the prefill pods first: v0.20.0,
config/llmisvcconfig/config-llm-decode-template.yaml."""
SUFFIX: Final = "-llm"
"""End of the names of objects beside the service. A model that moves here has others of another
runtime: under one name the new one would be gone with the old one, as the engine deletes last."""
OFFLOADING_SINCE: Final[Version] = (0, 22, 0)
"""First release with tiers of the KV cache: the presets of v0.20.0; vllm pull 40020."""
FILES_SINCE: Final[Version] = (0, 23, 0)
"""First release that knows the tier of files by the name that KServe gives it: it was `fs_python`
in 0.22.0, vllm/v1/kv_offload/tiering/factory.py."""


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


def at_port(server: ModelServer) -> ModelServer:
    """The server at KServe's port; as it is where it says its own, or its command not once."""
    flag, words = re.compile(rf"(--port[ =\0]){server.port}\b"), server.command or []
    text, count = flag.subn(rf"\g<1>{PORT}", "\0".join(words))
    if "port" in server.model_fields_set if server.vllm else count != 1:
        return server
    command = text.split("\0") if server.command else None
    return server.model_copy(update={"port": PORT, "command": command})


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
