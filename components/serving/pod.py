"""What a model is, and its pod: the same whoever serves it."""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, repeated
from ..crds.affinity import NodeAffinity, Toleration
from ..crds.formats import PullPolicy
from .availability import DisruptionBudget, TopologySpread, spread
from .engines import health_seconds
from .ingress import ModelIngress
from .pod_parts import MODEL_VOLUME, SHARED_MEMORY, PodVolume, SideContainer, part_faults
from .server import (
    HEALTH_PERIOD_SECONDS,
    SHARED_MEMORY_PATH,
    FolderOfClaim,
    ModelServer,
    shared_memory_size,
    startup_failures,
)
from .shutdown import AT_ONCE, Shutdown
from .waiting import metadata

Complete = TypeVar("Complete", bound="ModelArgs")

STARTUP_SECONDS: Final = 1800
"""Longest start where nothing else is said."""


class ModelArgs(Args):
    """What a model is given whoever serves it; its server alone, and how it scales, is not here."""

    server: ModelServer
    """The container that serves it."""
    namespace: Input[str]
    """Namespace of the service."""
    labels: dict[str, str] = Field(min_length=1)
    """Labels of the pods, beside those that a controller sets."""
    claim: Input[str] | None = None
    """Claim that holds the model's files, or the cache's. Left out, the server downloads the model
    from a hub, and keeps it at `server.mount_path`: in a volume of `volumes` that is mounted there,
    or else in an empty folder of each pod."""
    sub_path: FolderOfClaim | None = None
    """Folder of the claim. Default: all of it."""
    volumes: list[PodVolume] | None = None
    """Further volumes, which all containers of the pod see."""
    init_containers: list[SideContainer] | None = None
    """Containers that run before the server, one after another, each to its end."""
    sidecars: list[SideContainer] | None = None
    """Containers that run beside the server."""
    tolerations: list[Toleration] | None = None
    """Tolerations of the placement."""
    node_affinity: NodeAffinity | None = None
    """Node affinity of the placement."""
    priority_class: Input[str] | None = None
    """PriorityClass of the pods. Left out, the cluster's default."""
    ingress: ModelIngress | None = None
    """Host under which it answers outside the cluster, and who gets in. Left out, the host that the
    runtime makes of name, namespace and domain."""
    cluster_local: bool | None = None
    """Whether it answers inside the cluster alone, as behind a gateway that asks for keys. Left
    out, it has an address outside too, where its runtime makes one."""
    topology_spread: list[TopologySpread] | None = None
    """How evenly the pods are spread over zones or nodes. Left out, not at all."""
    disruption_budget: DisruptionBudget | None = None
    """How many pods keep running while nodes are drained. Left out, none has to."""
    wait_seconds: int = Field(default=0, ge=0)
    """How long an update waits until the service is ready; 0 does not wait."""

    def _faults(self) -> Iterator[Fault]:
        server = self.server
        if self.claim is None and server.vllm is not None and server.vllm.model is None:
            why = "without a volume there is nothing at server.mount_path"
            yield Fault("server.vllm.model", MISSING, "given, or else a volume of the model", why)
        if self.claim is None and self.sub_path is not None:
            yield Fault("sub_path", self.sub_path, "left out without a claim", "it is part of one")
        yield from part_faults(
            self.volumes or [],
            self.init_containers or [],
            self.sidecars or [],
            None if self.claim is None else server.mount_path,
        )
        for volume in self.volumes or []:
            is_cache = self.claim is None and volume.mount_path == server.mount_path
            if is_cache and not volume.is_written and server.loads_from_a_hub:
                want = "writable, or mounted elsewhere than at server.mount_path"
                why = "what the server downloads is kept there"
                yield Fault(f"volumes[{volume.name}].writable", False, want, why)
        for topology in repeated(part.topology for part in self.topology_spread or []):
            field = f"topology_spread[{topology}].topology"
            why = "replicas are spread over it in one way"
            yield Fault(field, topology.value, "given once", why)

    def _resource_faults(self, nodes: int = 1) -> Iterator[Fault]:
        """Refuses what `server.resources` have no room for, where pods ask for these.

        Args:
            nodes: As in `ModelServer.resource_faults`.
        """
        for fault in self.server.resource_faults(nodes):
            yield fault.under("server")

    def completed(self, build: Callable[..., Complete]) -> Complete:
        """Arguments of a component: these, and the ones that `build` has beside them.

        Args:
            build: The component's class of arguments, with its own fields set:
                `partial(KnativeModelArgs, serve=...)`, which a type checker reads.
        """
        return build(**{field: getattr(self, field) for field in ModelArgs.model_fields})


def service_metadata(
    name: str,
    args: ModelArgs,
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> ObjectMetaArgs:
    """Metadata of a model's service, a custom resource that an update waits for.

    Args:
        name: Name of the model.
        args: Its namespace, and how long an update waits.
        labels: Labels of the object.
        annotations: Further annotations of the object.
    """
    return metadata(
        name,
        args.namespace,
        wait_for="condition=Ready",
        seconds=args.wait_seconds,
        labels=labels,
        annotations=annotations,
    )


def model_pod(
    args: ModelArgs,
    startup_seconds: int = STARTUP_SECONDS,
    *,
    container: str | None = None,
    shutdown: Shutdown = AT_ONCE,
) -> dict[str, Any]:
    """Fields of a PodSpec, under their Python names.

    Args:
        args: The model.
        startup_seconds: Longest start of the container, weights included.
        container: Name of the container; None where its controller gives it one.
        shutdown: How the server ends. Default: at once.
    """
    server = args.server
    parts = _mounted(args)
    mounts = [mount for mount, _ in parts]
    shared = _shared_memory(server)
    serving = _container(
        args, [*mounts, *(mount for mount, _ in shared)], startup_seconds, shutdown
    )
    return {
        "containers": [
            {**({"name": container} if container else {}), **serving},
            *(part.container(mounts) for part in args.sidecars or []),
        ],
        "init_containers": [part.container(mounts) for part in args.init_containers or []] or None,
        "volumes": [volume for _, volume in (*parts, *shared)],
        "priority_class_name": args.priority_class,
        "tolerations": args.tolerations or None,
        "affinity": {"node_affinity": args.node_affinity} if args.node_affinity else None,
        "topology_spread_constraints": spread(args.topology_spread, args.labels),
        "image_pull_secrets": _references(server.image_pull_secrets),
    }


def _container(
    args: ModelArgs, mounts: list[dict[str, Any]], startup_seconds: int, shutdown: Shutdown
) -> dict[str, Any]:
    server = args.server
    health = {"path": server.health_path, "port": server.port}
    variables = server.variables(downloads=args.claim is None)
    return {
        "image": server.image,
        # Images are large and tagged: a node that has one need not ask for it again.
        "image_pull_policy": PullPolicy.IF_NOT_PRESENT,
        "command": server.command_line(shutdown.drain_seconds),
        # Prometheus finds only a port that is declared.
        "ports": [{"container_port": server.port}],
        "env": [{"name": name, "value": value} for name, value in variables.items()] or None,
        "env_from": [{"secret_ref": ref} for ref in _references(server.secret_env) or []] or None,
        "resources": server.resources.manifest(),
        "lifecycle": _pause(shutdown.pause_seconds) if shutdown.pause_seconds else None,
        "volume_mounts": mounts,
        # The server answers only once the weights are loaded, so nothing kills it before.
        "startup_probe": {
            "http_get": health,
            "period_seconds": HEALTH_PERIOD_SECONDS,
            "timeout_seconds": 5,
            "failure_threshold": startup_failures(startup_seconds),
        },
        "readiness_probe": {
            "http_get": health,
            "period_seconds": 5,
            "timeout_seconds": health_seconds(server),
        },
        "security_context": {"allow_privilege_escalation": False},
    }


def _pause(seconds: int) -> dict[str, Any]:
    """A hook that holds SIGTERM back.

    The image's own `sleep`, not the kubelet's: that one needs Kubernetes 1.30, and a KServe whose
    CRD knows it. Where an image has none, the hook fails and SIGTERM comes at once.
    """
    return {"pre_stop": {"exec": {"command": ["sleep", str(seconds)]}}}


Mounted = tuple[dict[str, Any], dict[str, Any]]
"""How containers mount a volume, and what it is."""


def _mounted(args: ModelArgs) -> list[Mounted]:
    """The volumes that all containers see: the model's, or what is downloaded, and further ones."""
    further = [(volume.mount(), volume.volume()) for volume in args.volumes or []]
    path = args.server.mount_path
    mount: dict[str, Any] = {"name": MODEL_VOLUME, "mount_path": path}
    if args.claim is not None:
        mount |= {"sub_path": args.sub_path, "read_only": True}
        claim = {"claim_name": args.claim, "read_only": True}
        return [(mount, {"name": MODEL_VOLUME, "persistent_volume_claim": claim}), *further]
    if any(volume.mount_path == path for volume in args.volumes or []):
        return further
    return [(mount, {"name": MODEL_VOLUME, "empty_dir": {}}), *further]


def _shared_memory(server: ModelServer) -> list[Mounted]:
    """The volume at /dev/shm of the server, which alone has processes that share memory."""
    size = shared_memory_size(server.resources, server.shared_memory)
    if not size:
        return []
    mount = {"name": SHARED_MEMORY, "mount_path": SHARED_MEMORY_PATH}
    return [(mount, {"name": SHARED_MEMORY, "empty_dir": {"medium": "Memory", "size_limit": size}})]


def _references(names: list[str] | None) -> list[dict[str, str]] | None:
    return [{"name": name} for name in names] if names else None
