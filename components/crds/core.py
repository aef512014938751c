"""Containers and pods, as custom resources embed them.

API: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#podspec-v1-core
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import ConfigDict, Field, field_validator

from ..args import MISSING, Because, Fault, Input, Words, one_of_faults, repeated
from ..names import LabelName
from ..quantity import parse
from .affinity import Scheduling, TopologySpreadConstraint
from .formats import Amount, PullPolicy, is_amount
from .model import CrdModel
from .volumes import (
    LocalObjectReference,
    ObjectFieldSelector,
    ResourceFieldSelector,
    Volume,
    VolumeMount,
    mount_faults,
    volume_faults,
)

HANDLERS: Final = ("exec", "grpc", "http_get", "tcp_socket")
"""Fields of a Probe that say how the container is asked."""


class Protocol(StrEnum):
    """Transport of a port."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class Scheme(StrEnum):
    """Scheme of an HTTP probe."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"


class SeccompType(StrEnum):
    """Which system calls a process may make."""

    RUNTIME_DEFAULT = "RuntimeDefault"
    UNCONFINED = "Unconfined"
    LOCALHOST = "Localhost"


class TerminationMessagePolicy(StrEnum):
    """Where the last words of a container come from."""

    FILE = "File"
    FALLBACK_TO_LOGS_ON_ERROR = "FallbackToLogsOnError"


class DnsPolicy(StrEnum):
    """How the pod resolves names."""

    CLUSTER_FIRST = "ClusterFirst"
    CLUSTER_FIRST_WITH_HOST_NET = "ClusterFirstWithHostNet"
    DEFAULT = "Default"
    NONE = "None"


class ResourceRequirements(CrdModel):
    """What a container is given, as quantities such as `15Gi`, `100m` or `1`."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    limits: dict[str, Amount] | None = None
    """Most that the container may use."""
    requests: dict[str, Amount] | None = None
    """What a node must have free. Default: the limits."""

    def _faults(self) -> Iterator[Fault]:
        limits, requests = self.limits or {}, self.requests or {}
        if all(map(is_amount, (*limits.values(), *requests.values()))):
            yield from request_faults(limits, requests)


def request_faults(limits: Mapping[str, str], requests: Mapping[str, str]) -> Iterator[Fault]:
    """Refuses requests above their limit, and devices that are not given whole."""
    for resource, request in requests.items():
        field = f"requests[{resource}]"
        limit = limits.get(resource)
        if limit is not None and parse(request) > parse(limit):
            yield Fault(field, request, f"{limit} or less", f"the limit is {limit}")
        elif _is_device(resource) and (limit is None or parse(request) != parse(limit)):
            want = f"{limit}, as the limit" if limit else f"given as limits[{resource}] too"
            yield Fault(field, request, want, "a device is neither shared nor overcommitted")
    for resource, limit in limits.items():
        if _is_device(resource) and parse(limit) % 1:
            yield Fault(f"limits[{resource}]", limit, "a whole number", "a device is not divided")


def _is_device(resource: str) -> bool:
    domain, slash, _ = resource.partition("/")
    return bool(slash) and not domain.endswith("kubernetes.io")


class KeySelector(CrdModel):
    """A key of a Secret or ConfigMap."""

    name: Input[str]
    """Name of the object."""
    key: str = Field(min_length=1)
    """Key in the object."""
    optional: bool | None = None
    """Whether the container starts without it."""


class EnvVarSource(CrdModel):
    """Where the value of an environment variable comes from."""

    config_map_key_ref: KeySelector | None = None
    """A key of a ConfigMap."""
    secret_key_ref: KeySelector | None = None
    """A key of a Secret."""
    field_ref: ObjectFieldSelector | None = None
    """A field of the pod."""
    resource_field_ref: ResourceFieldSelector | None = None
    """A limit or request of a container."""

    def _faults(self) -> Iterator[Fault]:
        names = ("config_map_key_ref", "secret_key_ref", "field_ref", "resource_field_ref")
        yield from one_of_faults(self, names, "a variable has one value")


class EnvVar(CrdModel):
    """An environment variable."""

    name: str = Field(min_length=1)
    """Name of the variable."""
    value: Input[str] | None = None
    """Its value. Default empty."""
    value_from: EnvVarSource | None = None
    """Where its value comes from."""

    @field_validator("value")
    @classmethod
    def _unset(cls, value: Input[str] | None) -> Input[str] | None:
        """Webhooks store an empty value as none, and Pulumi would see another one each time."""
        return None if isinstance(value, str) and not value else value

    def _faults(self) -> Iterator[Fault]:
        if self.value is not None and self.value_from is not None:
            want = "left out, or value left out"
            yield Fault("value_from", Words("given beside value"), want, "a variable has one value")


class EnvSource(CrdModel):
    """A Secret or ConfigMap whose keys become variables."""

    name: Input[str]
    """Name of the object."""
    optional: bool | None = None
    """Whether the container starts without it."""


class EnvFromSource(CrdModel):
    """Variables from all keys of a Secret or ConfigMap."""

    config_map_ref: EnvSource | None = None
    """The ConfigMap."""
    secret_ref: EnvSource | None = None
    """The Secret."""
    prefix: str | None = None
    """Put before each key."""

    def _faults(self) -> Iterator[Fault]:
        names = ("config_map_ref", "secret_ref")
        yield from one_of_faults(self, names, "each source is listed by itself")


class ContainerPort(CrdModel):
    """A port that a container listens on."""

    container_port: int = Field(ge=1, le=65535)
    """Number of the port."""
    name: str | None = None
    """Name of the port; Knative reads the protocol from it, `http1` or `h2c`."""
    protocol: Protocol | None = None
    """Transport. Default TCP."""


class ExecAction(CrdModel):
    """A command that ends with 0."""

    command: list[str] = Field(min_length=1)
    """The command and its arguments, without a shell."""


class GrpcAction(CrdModel):
    """A gRPC health check that says SERVING."""

    port: int = Field(ge=1, le=65535)
    """Number of the port."""
    service: str | None = None
    """Service that is asked about. Default empty."""


class HttpHeader(CrdModel):
    """A header of a probe's request."""

    name: str = Field(min_length=1)
    """Name of the header."""
    value: str
    """Value of the header."""


class HttpGetAction(CrdModel):
    """A request that is answered with 200 to 399."""

    path: str | None = Field(default=None, pattern=r"^/")
    """Path of the request. Default /."""
    port: int | str | None = None
    """Number or name of the port. Knative takes its one port if it is left out."""
    host: str | None = None
    """Host header and address. Default the pod's."""
    scheme: Scheme | None = None
    """HTTP or HTTPS. Default HTTP."""
    http_headers: list[HttpHeader] | None = None
    """Headers of the request."""


class TcpSocketAction(CrdModel):
    """A connection that is accepted."""

    port: int | str | None = None
    """Number or name of the port. Knative takes its one port if it is left out."""
    host: str | None = None
    """Address. Default the pod's."""


class Probe(CrdModel):
    """A question that the kubelet asks a container again and again."""

    exec: ExecAction | None = None
    """A command that ends with 0."""
    grpc: GrpcAction | None = None
    """A gRPC health check."""
    http_get: HttpGetAction | None = None
    """A request that is answered with 200 to 399."""
    tcp_socket: TcpSocketAction | None = None
    """A connection that is accepted."""
    initial_delay_seconds: int | None = Field(default=None, ge=0)
    """Wait before the first question, in seconds. Default 0."""
    period_seconds: int | None = Field(default=None, ge=0)
    """Time between questions, in seconds. Default 10; 0 lets Knative choose for readiness."""
    timeout_seconds: int | None = Field(default=None, ge=1)
    """Time to answer, in seconds. Default 1."""
    success_threshold: int | None = Field(default=None, ge=1)
    """Good answers in a row that count. Default 1."""
    failure_threshold: int | None = Field(default=None, ge=1)
    """Bad answers in a row that count. Default 3."""

    def _faults(self) -> Iterator[Fault]:
        yield from one_of_faults(self, HANDLERS, "a probe asks in one way")


class SleepAction(CrdModel):
    """A pause of the kubelet's own, from Kubernetes 1.30 on."""

    seconds: int = Field(ge=1)
    """How long, in seconds."""


class LifecycleHandler(CrdModel):
    """What the kubelet does when a container starts or ends."""

    exec: ExecAction | None = None
    """A command in the container."""
    http_get: HttpGetAction | None = None
    """A request."""
    sleep: SleepAction | None = None
    """A pause."""
    tcp_socket: TcpSocketAction | None = None
    """A connection. Kubernetes knows it, and refuses it in new objects."""

    def _faults(self) -> Iterator[Fault]:
        names = ("exec", "http_get", "sleep", "tcp_socket")
        yield from one_of_faults(self, names, "the kubelet does one thing")


class Lifecycle(CrdModel):
    """What happens around the life of a container."""

    post_start: LifecycleHandler | None = None
    """Runs beside the start of the container."""
    pre_stop: LifecycleHandler | None = None
    """Runs before SIGTERM; its time is part of the grace period."""


class Capabilities(CrdModel):
    """Linux capabilities beside the default set."""

    add: list[str] | None = None
    """Added, e.g. `IPC_LOCK`."""
    drop: list[str] | None = None
    """Taken away, e.g. `ALL`."""

    def _faults(self) -> Iterator[Fault]:
        for name in self.drop or []:
            if name != name.upper():
                yield Fault("drop", name, repr(name.upper()), "any other spelling does nothing")


class SeccompProfile(CrdModel):
    """Which system calls a process may make."""

    type: SeccompType
    """RuntimeDefault, Unconfined or Localhost."""
    localhost_profile: str | None = None
    """File of the profile on the node; with Localhost only."""

    def _faults(self) -> Iterator[Fault]:
        is_local = self.type is SeccompType.LOCALHOST
        if is_local and self.localhost_profile is None:
            yield Fault("localhost_profile", MISSING, "given", "Localhost reads it from the node")
        if not is_local and self.localhost_profile is not None:
            why = f"{self.type} needs no file"
            yield Fault("localhost_profile", self.localhost_profile, "left out", why)


class ProcessContext(CrdModel):
    """As whom processes run, and which system calls they may make."""

    run_as_group: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Group ID of the processes."""
    run_as_non_root: bool | None = None
    """Whether the kubelet refuses to start user 0."""
    run_as_user: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """User ID of the processes."""
    seccomp_profile: SeccompProfile | None = None
    """Which system calls they may make."""

    def _faults(self) -> Iterator[Fault]:
        if self.run_as_non_root and self.run_as_user == 0:
            why = "run_as_non_root is true, so the kubelet would never start the container"
            yield Fault("run_as_user", 0, "1 or more", why)


class SecurityContext(ProcessContext):
    """What a container may do on its node."""

    allow_privilege_escalation: bool | None = None
    """Whether a process may get more rights than its parent."""
    capabilities: Capabilities | None = None
    """Linux capabilities beside the default set."""
    privileged: bool | None = None
    """Whether the container is root on the node. Default false."""
    read_only_root_filesystem: bool | None = None
    """Whether only volumes can be written."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if self.privileged and self.allow_privilege_escalation is False:
            why = "a privileged container has every right already"
            yield Fault("allow_privilege_escalation", False, "left out", why)


class PodSecurityContext(ProcessContext):
    """What all containers of a pod may do, where they do not say it themselves."""

    fs_group: int | None = Field(default=None, ge=0, le=2**31 - 1)
    """Group ID that owns the volumes."""
    supplemental_groups: list[int] | None = None
    """More group IDs of the processes."""


class Container(CrdModel):
    """A process of a pod, and what it is given."""

    image: Input[str]
    """Image, with tag or digest."""
    name: Annotated[LabelName | None, Because("logs and metrics are found by it")] = None
    """Name, unique in the pod. Knative fills it in."""
    command: list[Input[str]] | None = None
    """What is started, in place of the image's entrypoint."""
    args: list[Input[str]] | None = None
    """Arguments of the command."""
    env: list[EnvVar] | None = None
    """Environment variables."""
    env_from: list[EnvFromSource] | None = None
    """Environment variables from whole objects."""
    image_pull_policy: PullPolicy | None = None
    """When the image is pulled."""
    lifecycle: Lifecycle | None = None
    """What happens around its life. Not with Knative, which has a hook of its own."""
    liveness_probe: Probe | None = None
    """Restarts the container when it fails."""
    readiness_probe: Probe | None = None
    """Holds traffic back while it fails."""
    startup_probe: Probe | None = None
    """Holds the other probes back until it succeeds."""
    ports: list[ContainerPort] | None = None
    """Ports that it listens on."""
    resources: ResourceRequirements | None = None
    """What it is given."""
    security_context: SecurityContext | None = None
    """What it may do on its node."""
    termination_message_path: str | None = None
    """File with its last words. Default /dev/termination-log."""
    termination_message_policy: TerminationMessagePolicy | None = None
    """Where its last words come from. Default File."""
    volume_mounts: list[VolumeMount] | None = None
    """Volumes that it sees."""
    working_dir: str | None = None
    """Directory that it starts in. Default the image's."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(variable.name for variable in self.env or []):
            yield Fault(f"env[{name}].name", name, "unique", "only the last of them would count")
        for name in ("liveness_probe", "startup_probe"):
            threshold = probe.success_threshold if (probe := getattr(self, name)) else None
            if threshold not in (None, 1):
                field = f"{name}.success_threshold"
                yield Fault(field, threshold, "1, or left out", "one good answer is enough here")


class HostAlias(CrdModel):
    """A line of the pod's /etc/hosts."""

    ip: Input[str]
    """Address."""
    hostnames: list[str] = Field(min_length=1)
    """Names of the address."""


class DnsOption(CrdModel):
    """An option of the resolver."""

    name: str
    """Name of the option, e.g. `ndots`."""
    value: str | None = None
    """Its value."""


class DnsConfig(CrdModel):
    """How the pod resolves names, beside its policy."""

    nameservers: list[str] | None = None
    """Addresses of name servers."""
    searches: list[str] | None = None
    """Search domains."""
    options: list[DnsOption] | None = None
    """Options of the resolver."""


class PodSpec(Scheduling):
    """Containers that run together, and where."""

    containers: list[Container] = Field(min_length=1)
    """The processes."""
    init_containers: list[Container] | None = None
    """Processes that end before the containers start."""
    volumes: list[Volume] | None = None
    """Files that containers can mount."""
    automount_service_account_token: bool | None = None
    """Whether the token of the service account is mounted. Default true."""
    dns_config: DnsConfig | None = None
    """How names are resolved, beside the policy."""
    dns_policy: DnsPolicy | None = None
    """How names are resolved. Default ClusterFirst."""
    enable_service_links: bool | None = None
    """Whether each Service of the namespace becomes variables. Knative's default is false."""
    host_aliases: list[HostAlias] | None = None
    """Lines of /etc/hosts."""
    host_ipc: bool | None = Field(default=None, alias="hostIPC")
    """Whether the pod shares the node's IPC namespace."""
    host_network: bool | None = None
    """Whether the pod shares the node's network."""
    host_pid: bool | None = Field(default=None, alias="hostPID")
    """Whether the pod shares the node's processes."""
    image_pull_secrets: list[LocalObjectReference] | None = None
    """Secrets for the image registries."""
    priority_class_name: Input[str] | None = None
    """PriorityClass: who preempts whom."""
    runtime_class_name: str | None = None
    """RuntimeClass, for another container runtime."""
    security_context: PodSecurityContext | None = None
    """What all containers may do."""
    service_account_name: Input[str] | None = None
    """Service account of the pod. Default `default`."""
    share_process_namespace: bool | None = None
    """Whether the containers see each other's processes."""
    topology_spread_constraints: list[TopologySpreadConstraint] | None = None
    """How evenly pods are spread."""

    def _faults(self) -> Iterator[Fault]:
        yield from volume_faults(self.volumes or [])
        volumes = [volume.name for volume in self.volumes or []]
        for where, container in named_containers(self):
            yield from mount_faults(
                container.volume_mounts or [], volumes, f"{where}.volume_mounts"
            )
        yield from container_name_faults(self)


def named_containers(pod: PodSpec) -> Iterator[tuple[str, Container]]:
    """The containers of a pod, init containers last, each with its field path."""
    yield from named("containers", pod.containers)
    yield from named("init_containers", pod.init_containers or [])


def named(field: str, containers: list[Container]) -> Iterator[tuple[str, Container]]:
    """Containers, each with its field path: its name, or its index if it has none."""
    for index, container in enumerate(containers):
        yield f"{field}[{container.name or index}]", container


def container_name_faults(pod: PodSpec) -> Iterator[Fault]:
    """Refuses containers that have the same name."""
    names: set[str] = set()
    for where, container in named_containers(pod):
        if container.name in names:
            yield Fault(f"{where}.name", container.name, "unique", "logs are found by it")
        if container.name is not None:
            names.add(container.name)
