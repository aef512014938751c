"""What Knative's webhook refuses in a pod and its traffic, beyond what Kubernetes does.

Source: https://github.com/knative/serving/blob/main/pkg/apis/serving/k8s_validation.go
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from posixpath import normpath
from typing import Final

from ..args import MISSING, Fault, Words
from .core import HANDLERS, Container, PodSpec, Probe, named, named_containers
from .volumes import VOLUME_KINDS, MountPropagation, Volume, VolumeMount

_SOURCE: Final = "https://github.com/knative/serving/blob/main/pkg/apis/serving/k8s_validation.go"
RESERVED_PORTS: Final = (8008, 8012, 8013, 8022, 9090, 9091)
RESERVED_PATHS: Final = ("/", "/dev", "/dev/log")
RESERVED_VARIABLES: Final = ("K_SERVICE", "K_CONFIGURATION", "K_REVISION")
_WRITABLE: Final = ("empty_dir", "ephemeral", "persistent_volume_claim")
_UNKNOWN_KINDS: Final = ("downward_api", "nfs")
_DEFAULT_PORT_NAME: Final = "http"
_GIVEN: Final = Words("given")


class Role(StrEnum):
    """What a container is to Knative."""

    SERVING = "serving"
    SIDECAR = "sidecar"
    INIT = "init"


def roles(pod: PodSpec) -> Iterator[tuple[str, Container, Role]]:
    """The containers of a pod, each with its field path and its role."""
    for where, container in named("containers", pod.containers):
        serves = bool(container.ports) or len(pod.containers) == 1
        yield where, container, Role.SERVING if serves else Role.SIDECAR
    for where, container in named("init_containers", pod.init_containers or []):
        yield where, container, Role.INIT


def pod_faults(pod: PodSpec) -> Iterator[Fault]:
    """Everything that the webhook refuses in the pod of a revision."""
    if pod.automount_service_account_token:
        why = "Knative lets it be switched off only; it is on by default"
        yield Fault("automount_service_account_token", True, "false, or left out", why, _SOURCE)
    yield from port_faults(pod)
    yield from volume_kind_faults(pod)
    volumes = {volume.name: volume for volume in pod.volumes or []}
    for where, container, role in roles(pod):
        for fault in container_faults(container, role, volumes):
            yield fault.under(where)


def port_faults(pod: PodSpec) -> Iterator[Fault]:
    """Refuses containers of which not exactly one serves, on one port."""
    ports = [port.container_port for container in pod.containers for port in container.ports or []]
    if len(ports) > 1:
        why = "Knative routes to one port"
        yield Fault("ports", ports, "one port in all containers", why, _SOURCE)
    if not ports and len(pod.containers) > 1:
        why = "Knative has to know which container it routes to"
        yield Fault("ports", MISSING, "given in the container that serves", why, _SOURCE)


def volume_kind_faults(pod: PodSpec) -> Iterator[Fault]:
    """Refuses volumes that nothing mounts, and kinds that Knative does not know."""
    mounted = {
        m.name for _, container in named_containers(pod) for m in container.volume_mounts or []
    }
    for volume in pod.volumes or []:
        field = f"volumes[{volume.name}]"
        if volume.name not in mounted:
            want = "mounted by a container, or left out"
            yield Fault(
                field, Words("not mounted"), want, "Knative refuses unused volumes", _SOURCE
            )
        if volume.kind in _UNKNOWN_KINDS:
            kinds = ", ".join(kind for kind in VOLUME_KINDS if kind not in _UNKNOWN_KINDS)
            why = "Knative knows no other kind of volume"
            yield Fault(f"{field}.{volume.kind}", _GIVEN, f"one of {kinds}", why, _SOURCE)


def container_faults(
    container: Container, role: Role, volumes: Mapping[str, Volume]
) -> Iterator[Fault]:
    """Everything that the webhook refuses in a container of this role."""
    if container.name == "queue-proxy":
        yield Fault("name", container.name, "another name", "Knative's own sidecar has it", _SOURCE)
    if container.security_context is not None and container.security_context.privileged:
        why = "Knative never runs privileged containers"
        yield Fault("security_context.privileged", True, "false, or left out", why, _SOURCE)
    if container.lifecycle is not None:
        why = "Knative's own hook holds SIGTERM back while its queue-proxy drains"
        yield Fault("lifecycle", _GIVEN, "left out", why, _SOURCE)
    yield from container_port_faults(container, role)
    yield from variable_faults(container, role)
    yield from probe_faults(container, role)
    for mount in container.volume_mounts or []:
        volume = volumes.get(mount.name)
        for fault in mount_faults(mount, volume):
            yield fault.under(f"volume_mounts[{mount.name}]")


def container_port_faults(container: Container, role: Role) -> Iterator[Fault]:
    """Refuses ports that are Knative's own, and protocols that it does not serve."""
    for port in container.ports or []:
        field = f"ports[{port.container_port}]"
        if port.container_port in RESERVED_PORTS:
            reserved = ", ".join(map(str, RESERVED_PORTS))
            want = f"another port than {reserved}"
            why = "Knative's own sidecar listens there"
            yield Fault(f"{field}.container_port", port.container_port, want, why, _SOURCE)
        if role is Role.INIT:
            continue
        if port.name not in (None, "", "http1", "h2c"):
            why = "Knative reads the protocol from it"
            yield Fault(f"{field}.name", port.name, "http1, h2c or left out", why, _SOURCE)
        if port.protocol not in (None, "TCP"):
            yield Fault(f"{field}.protocol", port.protocol, "TCP", "Knative serves HTTP", _SOURCE)


def variable_faults(container: Container, role: Role) -> Iterator[Fault]:
    """Refuses environment variables that Knative sets itself."""
    reserved = RESERVED_VARIABLES + (("PORT",) if role is Role.SERVING else ())
    for variable in container.env or []:
        if variable.name in reserved:
            field = f"env[{variable.name}]"
            yield Fault(field, _GIVEN, "left out", "Knative sets it", _SOURCE)


def probe_faults(container: Container, role: Role) -> Iterator[Fault]:
    """Refuses probes that Knative cannot rewrite for its sidecar."""
    for name in ("liveness_probe", "readiness_probe", "startup_probe"):
        probe: Probe | None = getattr(container, name)
        if probe is None:
            continue
        if role is Role.INIT:
            yield Fault(name, _GIVEN, "left out", "an init container just ends", _SOURCE)
            continue
        for fault in probe_port_faults(probe, container, role):
            yield fault.under(name)
        if name == "readiness_probe":
            for fault in readiness_faults(probe):
                yield fault.under(name)


def probe_port_faults(probe: Probe, container: Container, role: Role) -> Iterator[Fault]:
    """Refuses a named port that is not the container's, and no port where it is not known."""
    handler = next(name for name in HANDLERS if getattr(probe, name) is not None)
    if handler not in ("http_get", "tcp_socket"):
        return
    port: int | str | None = getattr(probe, handler).port
    if role is Role.SIDECAR and port in (None, "", 0):
        why = "a sidecar has no port of its own in Knative"
        yield Fault(f"{handler}.port", port or MISSING, "the number of a port", why, _SOURCE)
    if role is Role.SERVING and isinstance(port, str):
        port_name = (container.ports[0].name if container.ports else None) or _DEFAULT_PORT_NAME
        if port != port_name:
            want = f"{port_name!r}, a number or left out"
            yield Fault(f"{handler}.port", port, want, "the one port is called so", _SOURCE)


def readiness_faults(probe: Probe) -> Iterator[Fault]:
    """Refuses limits on a readiness probe that Knative times itself."""
    if probe.period_seconds:
        return
    for name in ("failure_threshold", "timeout_seconds"):
        if (value := getattr(probe, name)) is not None:
            want = "left out, or period_seconds 1 or more"
            why = "without a period Knative asks many times a second and counts nothing"
            yield Fault(name, value, want, why, _SOURCE)


def mount_faults(mount: VolumeMount, volume: Volume | None) -> Iterator[Fault]:
    """Refuses mounts over system paths, and writable ones of what cannot be written."""
    path = normpath(f"/{mount.mount_path.lstrip('/')}")
    if path in RESERVED_PATHS:
        want = f"another path than {', '.join(RESERVED_PATHS)}"
        yield Fault("mount_path", mount.mount_path, want, "the container needs its own", _SOURCE)
    if mount.sub_path_expr is not None:
        why = "Knative knows sub_path only"
        yield Fault("sub_path_expr", mount.sub_path_expr, "left out", why, _SOURCE)
    if mount.mount_propagation is MountPropagation.BIDIRECTIONAL:
        want = "None or HostToContainer"
        why = "Bidirectional needs a privileged container"
        yield Fault("mount_propagation", mount.mount_propagation, want, why, _SOURCE)
    if volume is not None and not mount.read_only:
        yield from _read_only_faults(mount, volume)


def _read_only_faults(mount: VolumeMount, volume: Volume) -> Iterator[Fault]:
    got = MISSING if mount.read_only is None else mount.read_only
    if volume.kind not in _WRITABLE:
        why = f"a volume of kind {volume.kind} cannot be written"
        yield Fault("read_only", got, "true", why, _SOURCE)
    elif volume.persistent_volume_claim is not None and volume.persistent_volume_claim.read_only:
        yield Fault("read_only", got, "true", "its claim is mounted read-only", _SOURCE)


def percent_faults(percents: Sequence[int]) -> Iterator[Fault]:
    """Refuses shares of traffic that do not add up."""
    if percents and sum(percents) != 100:
        want = "100 in sum"
        yield Fault("traffic", list(percents), want, "every request goes somewhere", _SOURCE)
