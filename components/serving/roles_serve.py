"""How the roles of a model are told: prefill, decode, and the router before them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, ValidationError

from ..args import Args, Fault, Words, faults_of
from ..catalog.labels import HOST_NAME
from ..crds.affinity import NodeAffinity, Toleration
from ..crds.formats import ImageReference
from ..crds.role_based_group_labels import GROUP_NAME, OLD_GROUP_NAME, OLD_ROLE_NAME, ROLE_NAME
from ..crds.role_based_group_rules import Percent, Progression, UpdateType, dependency_faults
from ..names import LabelKey
from .engines import SGLANG, read_engine
from .kv_transfer import SIDE_CHANNEL, TRANSFER_FLAG, connector, transfer_words
from .pod import STARTUP_SECONDS, ModelArgs
from .pod_group import GroupScale
from .rollout import Rollout
from .server import ModelServer, Resources
from .sglang_rules import sglang_faults, together_faults
from .variables import env_faults
from .vllm_command import after_shell, read_arguments

UPSTREAM_POD_GROUP: Final = "scheduling.x-k8s.io/pod-group"
"""Label by which the coscheduling plugin of kubernetes-sigs/scheduler-plugins v0.33.5 finds the
PodGroup of a pod (apis/scheduling/v1alpha1/types.go). The controller of RoleBasedGroups makes such
a PodGroup, but labels pods with ACK's key, so that nobody would be held back
(pkg/scheduler/k8s-scheduler-plugin/manager.go)."""
BOOTSTRAP_PORT: Final = 8998
"""Port by which SGLang's prefill servers hand over, its own default."""
NIXL_PORT: Final = 5600
"""Port by which vLLM's servers hand over with NIXL, its own default."""
MASTER_PORT: Final = 29501
"""Port by which the processes of an instance on several nodes meet: vLLM's default, and SGLang's
too, as it is told."""
ROUTER_PORT: Final = 30000
"""Port of a router."""
NAMESPACE: Final = "POD_NAMESPACE"
"""Variable of a router with the namespace in which it looks for servers."""
TENSOR: Final = SGLANG.sizes[0]
"""What SGLang calls the cards that a layer is split over."""
_ALIKE: Final = ("--kv-cache-dtype", "--dtype", "--attention-backend")
"""Flags of vLLM by which a KV cache lies otherwise: prefill and decode compare a hash of them, and
hand nothing over where it differs (vllm/distributed/kv_transfer of 0.14.0 to 0.23.0,
compute_nixl_compatibility_hash)."""
_OWN_FLAGS: Final = frozenset(
    {
        TRANSFER_FLAG,
        "--disaggregation-mode",
        "--disaggregation-transfer-backend",
        "--dist-init-addr",
        "--headless",
        "--master-addr",
        "--nnodes",
        "--node-rank",
    }
)
"""Flags of servers that a role says by its fields."""
_ROUTER_FLAGS: Final = frozenset(
    {
        "--decode",
        "--decode-selector",
        "--pd-disaggregation",
        "--prefill",
        "--prefill-selector",
        "--selector",
        "--service-discovery",
        "--service-discovery-namespace",
        "--service-discovery-port",
        "--vllm-pd-disaggregation",
    }
)
"""Flags of routers by which they find servers. A list of addresses, as in upstream's samples, has
the first server of each role for good, however many there are."""


class RolesEngine(StrEnum):
    """What serves."""

    VLLM = "vllm"
    """By `server.vllm`."""
    SGLANG = "sglang"
    """By `server.command`."""


class Transfer(StrEnum):
    """By what the KV cache of a prompt gets from prefill to decode."""

    NIXL = "nixl"
    """NVIDIA's library: decode fetches it. vLLM's is told no part."""
    MOONCAKE = "mooncake"
    """Mooncake's transfer engine: prefill sends it. SGLang's default."""


class Gang(StrEnum):
    """How the scheduler learns which pods it places together."""

    LABELS = "labels"
    """By two labels of the pods, which ACK's scheduler reads."""
    POD_GROUP = "pod_group"
    """By a PodGroup of scheduling.x-k8s.io, for the coscheduling plugin of scheduler-plugins; a
    cluster without that resource type has the controller end in an error."""


class RoleUpdate(Args):
    """How an update goes over the instances of a role."""

    type: UpdateType = UpdateType.IN_PLACE_IF_POSSIBLE
    """How it changes pods: in place, where only the image is new, a node and its files are kept."""
    partition: int = Field(default=0, ge=0)
    """Instances of lower numbers stay as they are: a canary of the last ones."""
    max_unavailable: int = Field(default=1, ge=0)
    """Instances that may be missing."""
    max_surge: int = Field(default=0, ge=0)
    """Instances that may be too many, each with cards of its own."""
    paused: bool = False
    """Whether nothing is updated for now."""
    grace_seconds: int | None = Field(default=None, ge=0)
    """Seconds between a pod's being unready and its new image, in place. Left out, none."""

    def _faults(self) -> Iterator[Fault]:
        if not self.max_unavailable and not self.max_surge:
            why = "with neither an update takes no step"
            yield Fault("max_unavailable", 0, "1 or more, or max_surge given", why)

    def spec(self) -> dict[str, Any]:
        """The RollingUpdate of a role, under its Python names."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        grace = fields.pop("grace_seconds")
        in_place = None if grace is None else {"grace_period_seconds": grace}
        return {**fields, "in_place_update_strategy": in_place}


class PlacedRole(Args):
    """Where pods of a role run, if elsewhere than the model says."""

    node_affinity: NodeAffinity | None = None
    """Node affinity of its placement."""
    tolerations: list[Toleration] | None = None
    """Tolerations of its placement."""


class EngineRole(Args):
    """Servers of one kind: those that read prompts, or those that write answers."""

    scale: GroupScale
    """How many instances there are."""
    nodes: int = Field(default=1, ge=1, le=64)
    """Pods of an instance, each with `resources` on a node of its own."""
    resources: Resources | None = None
    """What each pod asks for. Left out, `server.resources`."""
    extra_args: list[str] | None = None
    """Flags beside those of the model's server."""
    env: dict[str, str] | None = Field(default=None, examples=[{"UCX_TLS": "rc,cuda_copy"}])
    """Environment variables of its pods; over those of the model's server."""
    update: RoleUpdate | None = None
    """How an update goes over its instances. Left out, one after another, in place if possible."""
    depends_on: list[str] | None = None
    """Roles that have to be ready before it is made."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start of a server, from its container to its answer."""
    request_seconds: int | None = Field(default=None, ge=1)
    """Longest request, for which `<model>_load` waits; a Service bounds none. Left out, 600."""
    grace_seconds: int | None = Field(default=None, ge=1)
    """Time that a server has to finish its requests. Left out, 30."""
    annotations: dict[str, str] | None = None
    """Annotations of the pods."""

    def _faults(self) -> Iterator[Fault]:
        yield from env_faults("env", self.env)
        for flag in flags(self.extra_args):
            if flag in _OWN_FLAGS:
                yield Fault("extra_args", flag, "left out", "the role says it by its fields")
        if self.nodes > 1 and self.scale.metric is not None:
            why = (
                "an HPA counts every pod of the role, and workers report nothing: it would add "
                "instances late, and never take one away (selector of RoleInstanceSets, "
                "pkg/reconciler/roleinstanceset/statefulmode of v0.7.0)"
            )
            want = "left out, and min set to max, where nodes is more than 1"
            yield Fault("scale.metric", self.scale.metric, want, why)
        update = self.update
        if update and update.partition and 0 < self.scale.min <= update.partition:
            want = f"less than scale.min ({self.scale.min})"
            yield Fault("update.partition", update.partition, want, "no instance would be updated")

    @property
    def rollout(self) -> Rollout:
        """How an update replaces instances: one is missing unless said otherwise."""
        update = self.update or RoleUpdate()
        return Rollout(max_surge=update.max_surge, max_unavailable=update.max_unavailable)


class RouterRole(Args):
    """What stands before prefill and decode: it sends a request to one of each."""

    image: ImageReference = Field(
        min_length=1, examples=["docker.io/lmsysorg/sglang-router:v0.3.2"]
    )
    """Image with sglang-router for SGLang, with vllm-router for vLLM."""
    resources: Resources = Resources(cpu="2", memory="4Gi", gpus=0)
    """What a router asks for."""
    replicas: int = Field(default=1, ge=1)
    """How many there are."""
    command: list[str] | None = None
    """Its program. Left out, that of sglang-router or vllm-router; flags follow either."""
    extra_args: list[str] | None = Field(default=None, examples=[["--policy", "cache_aware"]])
    """Flags beside those by which it finds servers."""
    env: dict[str, str] | None = Field(default=None, examples=[{"RUST_LOG": "info"}])
    """Environment variables. Those of the model's server are not for it."""
    port: int = Field(default=ROUTER_PORT, ge=1, le=65535)
    """Port that it listens on."""
    depends_on: list[str] | None = None
    """Roles that have to be ready before it is made. It finds them whenever they come."""

    def _faults(self) -> Iterator[Fault]:
        if self.resources.needs_card:
            yield Fault("resources.gpus", self.resources.gpus, "0", "a router computes nothing")
        yield from script_faults("command", self.command)
        yield from _router_word_faults("command", self.command or [])
        yield from _router_word_faults("extra_args", self.extra_args or [])
        yield from env_faults("env", self.env)
        if NAMESPACE in (self.env or {}):
            why = "the router finds the servers in the namespace of its own pod"
            yield Fault(f"env[{NAMESPACE}]", Words("set"), "left out", why)


def _router_word_faults(field: str, words: Sequence[str]) -> Iterator[Fault]:
    """Refuses words by which a router looks for servers in another way, or finds none."""
    for word in words:
        key = word.partition("=")[0]
        if key in _ROUTER_FLAGS:
            why = "it finds the servers of both roles by their labels, however many there are"
            yield Fault(field, key, "left out", why)
        elif word.startswith((OLD_GROUP_NAME, OLD_ROLE_NAME)):
            why = "pods of v1alpha2 have no such label, and nobody would be found"
            yield Fault(field, key, f"{GROUP_NAME} or {ROLE_NAME}", why)


class Coordination(Args):
    """How far prefill and decode may be from each other."""

    max_skew: Percent = "10%"
    """Most difference of their progress while they grow, each from none to what it should have. It
    is no ratio of one role to the other, and nothing holds them while they shrink."""
    progression: Progression = Progression.ORDER_READY
    """What the next step waits for."""
    update_max_skew: Percent | None = None
    """Most difference of their progress in an update. Left out, each goes its own way."""
    update_max_unavailable: Percent | None = None
    """Instances of each that may be missing in an update. Left out, as `update` of each says."""


class RolesServe(Args):
    """How a RoleBasedGroup serves a model: prefill, decode and a router, one model together."""

    prefill: EngineRole
    """Servers that read prompts: bound by compute."""
    decode: EngineRole
    """Servers that write answers: bound by memory."""
    router: RouterRole
    """What stands before them."""
    transfer: Transfer | None = None
    """By what the KV cache of a prompt gets across. Left out, nixl for vLLM, mooncake for
    SGLang."""
    gang: Gang | None = None
    """Whether the scheduler places prefill and decode whole or not at all. Left out, pods are
    placed one by one."""
    gang_seconds: int | None = Field(default=None, ge=1)
    """How long it waits for all of them, with `gang: pod_group`. Left out, 60."""
    exclusive_topology: LabelKey | None = Field(
        default=None, examples=["topology.kubernetes.io/zone"]
    )
    """Label of nodes of which the group has one value for itself: all servers are there, and those
    of no other RoleBasedGroup of the namespace. Left out, pods are placed one by one."""
    coordination: Coordination | None = None
    """How far prefill and decode may be from each other while they grow and are updated. Left out,
    each goes its own way."""

    @property
    def engines(self) -> Mapping[str, EngineRole]:
        """The roles that have the model, by name."""
        return {"prefill": self.prefill, "decode": self.decode}

    @property
    def roles(self) -> Mapping[str, EngineRole | RouterRole]:
        """All roles, by name."""
        return {**self.engines, "router": self.router}

    @property
    def fewest_pods(self) -> int:
        """Pods of prefill and decode that there are at the least."""
        return sum(role.scale.min * role.nodes for role in self.engines.values())

    def _faults(self) -> Iterator[Fault]:
        yield from self._dependency_faults()
        if self.gang_seconds is not None and self.gang is not Gang.POD_GROUP:
            why = "ACK's labels have no time"
            yield Fault("gang_seconds", self.gang_seconds, "left out without pod_group", why)
        if self.exclusive_topology == HOST_NAME:
            why = "prefill and decode would have one node"
            yield Fault("exclusive_topology", self.exclusive_topology, "left out", why)
        if self.gang is not None:
            yield from self._gang_faults()
        scaling = self.coordination
        several = [name for name, role in self.engines.items() if role.nodes > 1]
        if scaling and scaling.progression is Progression.ORDER_SCHEDULED and several:
            why = (
                f"{several[0]} has instances of several pods, and the controller compares pods "
                "that have a node with instances: half of them would do (getScheduledReplicas, "
                "v0.7.0)"
            )
            yield Fault("coordination.progression", scaling.progression, "OrderReady", why)

    def _dependency_faults(self) -> Iterator[Fault]:
        """Refuses dependencies under the names that the fields have here."""
        before = {name: role.depends_on or [] for name, role in self.roles.items()}
        for fault in dependency_faults(before):
            name = fault.field.partition("[")[2].partition("]")[0]
            yield replace(fault, field=f"{name}.depends_on")

    def _gang_faults(self) -> Iterator[Fault]:
        """Refuses what waits for pods that wait for it."""
        for name, role in self.roles.items():
            if role.depends_on and (self.gang is Gang.POD_GROUP or name != "router"):
                why = "no pod of the gang is placed before all are there, and it is made after them"
                got = Words(", ".join(role.depends_on))
                yield Fault(f"{name}.depends_on", got, "left out with gang", why)
        if self.coordination is not None and self.coordination.max_skew != "100%":
            why = (
                "no pod of the gang is placed before all are there, and the controller makes the "
                "next ones once the first are placed: both wait for good"
            )
            yield Fault("coordination.max_skew", self.coordination.max_skew, "100% with gang", why)


class RolesModelArgs(ModelArgs):
    """A model, its server, and the roles that serve it."""

    serve: RolesServe
    """How a RoleBasedGroup serves it."""
    placed: dict[str, PlacedRole] | None = None
    """Where prefill or decode run, if elsewhere than the model."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if any(role.resources is None for role in self.serve.engines.values()):
            yield from self._resource_faults()
        server = self.server
        if self.topology_spread:
            want = "left out, or serve.exclusive_topology"
            why = "it would spread prefill and decode as if they were the same"
            yield Fault("topology_spread", Words("given"), want, why)
        if self.ingress:
            why = "nothing that is installed for a RoleBasedGroup makes one"
            want = "left out, and an Ingress of your own to the Service of the model's name"
            yield Fault("ingress", Words("given"), want, why)
        if self.disruption_budget:
            why = "it would count prefill and decode together, and a model needs some of each"
            yield Fault("disruption_budget", Words("given"), "left out", why)
        if (engine := engine_of(server)) is None:
            want = "vllm, or a command with sglang.launch_server"
            why = "other servers are not known to hand a prompt's KV cache over"
            yield Fault("server.command", Words("another server's"), want, why)
            return
        extra = server.vllm.extra_args if server.vllm else None
        for flag in flags(server.command or extra):
            if flag in _OWN_FLAGS:
                field = "server.command" if server.command else "server.vllm.extra_args"
                why = "each role says it by its fields"
                yield Fault(field, flag, "left out", why)
        yield from script_faults("server.command", server.command)
        ports = {BOOTSTRAP_PORT, MASTER_PORT} | (
            {NIXL_PORT} if engine is RolesEngine.VLLM else set()
        )
        if server.port in ports:
            why = "prefill and decode talk to each other by it"
            yield Fault("server.port", server.port, "another port", why)
        yield from self._side_channel_faults()
        for name, role in self.serve.engines.items():
            yield from self._server_faults(name, role)
            yield from self.server.variable_faults(f"serve.{name}.env", role.env)
        if engine is RolesEngine.VLLM:
            yield from self._likeness_faults()

    def _side_channel_faults(self) -> Iterator[Fault]:
        """Refuses an address of NIXL's that would be the same in all pods."""
        name = str(SIDE_CHANNEL["name"])
        fields = {"server.env": self.server.env}
        fields |= {f"serve.{role}.env": part.env for role, part in self.serve.engines.items()}
        for field, env in fields.items() if is_told_address(self) else ():
            if name in (env or {}):
                why = "every pod is told its own address, at which others fetch from it"
                yield Fault(f"{field}[{name}]", (env or {})[name], "left out", why)

    def _likeness_faults(self) -> Iterator[Fault]:
        """Refuses KV caches that one role writes, and the other one cannot read."""
        roles = self.serve.engines
        said = {name: read_arguments(role.extra_args or []).flags for name, role in roles.items()}
        for flag in _ALIKE:
            values = {name: flags.get(flag) for name, flags in said.items()}
            if len(set(values.values())) > 1:
                name = next(role for role, value in values.items() if value is not None)
                want = "the same in both roles, or in server.vllm"
                why = "decode reads the KV cache as prefill writes it, and refuses any other"
                got = Words(f"{flag} {values[name]}")
                yield Fault(f"serve.{name}.extra_args", got, want, why)

    def _server_faults(self, name: str, role: EngineRole) -> Iterator[Fault]:
        """Refuses what the server of a role would not start with."""
        if not (role.resources or self.server.resources).gpus:
            why = "the model runs on cards"
            yield Fault(f"serve.{name}.resources.gpus", 0, "1 or more", why)
        metric = role.scale.metric or ""
        if self.server.vllm is None and metric.startswith("vllm"):
            why = "SGLang reports no such series, and nothing would scale"
            yield Fault(f"serve.{name}.scale.metric", metric, "gpu_utilization", why)
        if self.server.vllm is None:
            yield from self._command_faults(name, role)
        try:
            server = role_server(self, name)
        except ValidationError as error:
            refused = faults_of(error)
        else:
            # Of the model's own resources, the model speaks.
            refused = [*server.resource_faults()] if role.resources or role.extra_args else []
        for fault in refused:
            field = "extra_args" if fault.field.startswith("vllm.extra") else fault.field
            yield replace(fault, field=f"serve.{name}.{field}")

    def _command_faults(self, name: str, role: EngineRole) -> Iterator[Fault]:
        """Refuses flags of SGLang's by which nobody finds it, or more cards than there are."""
        cards = (role.resources or self.server.resources).gpus * role.nodes
        for field, words in (
            ("server.command", self.server.command),
            (f"serve.{name}.extra_args", role.extra_args),
        ):
            read = read_arguments(words or [])
            port, sizes = read.number("--port"), [read.number(flag) for flag in TENSOR]
            if port is not None and port != self.server.port:
                want = f"{self.server.port}, as server.port is, or left out"
                yield Fault(field, Words(f"one with --port {port}"), want, "routers ask this one")
            for size in sizes:
                if size is not None and size > cards:
                    want = f"at most {cards}, or left out"
                    why = f"{name} has so many cards, on each of which SGLang runs one process"
                    yield Fault(field, Words(f"one for {size} cards"), want, why)
        command, image = read_engine(self.server.command or []), self.server.image
        extra, field = role.extra_args or [], f"serve.{name}.extra_args"
        if command is not None and command.is_module:
            yield from sglang_faults("server.command", command.words, image)
            yield from sglang_faults(field, extra, image)
            if command.is_whole:
                # Cards that neither says follow from the role.
                words = [TENSOR[0], str(cards), *command.words]
                alone = [*together_faults("server.command", words, image)]
                joined = together_faults(field, [*words, *extra], image)
                values = {str(fault.got) for fault in alone}
                yield from alone
                yield from (fault for fault in joined if str(fault.got) not in values)


def script_faults(field: str, words: Sequence[str] | None) -> Iterator[Fault]:
    """Refuses a shell that hands the flags that follow it to nobody."""
    script = after_shell(words or [])
    if script and not (len(script) > 1 and "$@" in script[0]):
        want = 'the words of the program, or a script with "$@" and one word after it'
        why = "flags of the role follow it, and the shell hands them to nobody"
        yield Fault(field, Words("a script of a shell"), want, why)


def engine_of(server: ModelServer) -> RolesEngine | None:
    """What a server is; None where it is no engine that can be split so."""
    if server.vllm is not None:
        return RolesEngine.VLLM
    command = read_engine(server.command or [])
    return RolesEngine.SGLANG if command and command.engine is SGLANG else None


def flags(words: Sequence[str] | None) -> list[str]:
    """Flags of a command line, without their values."""
    return [word.partition("=")[0] for word in words or [] if word.startswith("--")]


def transfer_of(args: RolesModelArgs) -> Transfer:
    """By what its servers hand over: as it says, or what its engine is built for."""
    is_vllm = engine_of(args.server) is RolesEngine.VLLM
    return args.serve.transfer or (Transfer.NIXL if is_vllm else Transfer.MOONCAKE)


def is_told_address(args: RolesModelArgs) -> bool:
    """Whether its servers hand over by vLLM's NIXL connector, which needs the pod's address."""
    return engine_of(args.server) is RolesEngine.VLLM and transfer_of(args) is Transfer.NIXL


def role_server(args: RolesModelArgs, role: str) -> ModelServer:
    """The container of a role: the model's, with what the role has otherwise.

    Raises:
        ValidationError: It would not start.
    """
    server, part = args.server, args.serve.engines[role]
    fields = {field: getattr(server, field) for field in ModelServer.model_fields}
    fields["resources"] = part.resources or server.resources
    if part.env:
        fields["env"] = {**(server.env or {}), **part.env}
    if server.vllm is not None:
        config = connector(_CONNECTORS[transfer_of(args)], _kv_role(args, role))
        words = [*(server.vllm.extra_args or []), *(part.extra_args or [])]
        words += transfer_words(config)
        fields["vllm"] = server.vllm.model_copy(update={"extra_args": words})
    return ModelServer(**fields)


_CONNECTORS: Final = {Transfer.NIXL: "NixlConnector", Transfer.MOONCAKE: "MooncakeConnector"}


def _kv_role(args: RolesModelArgs, role: str) -> str:
    """NIXL's connector takes either part by the request; Mooncake's is told."""
    if transfer_of(args) is Transfer.NIXL:
        return "kv_both"
    return "kv_producer" if role == "prefill" else "kv_consumer"
