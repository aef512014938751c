"""A model on several nodes: vLLM splits each layer over the cards of a node, and layers over nodes.

A replica is a group of pods of a LeaderWorkerSet, one per node. The leader answers requests.
"""

import shlex
from collections.abc import Iterator
from typing import Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from .. import crds
from ..args import Args, Fault, Refusal, Words, child_options, once, validated
from ..catalog.labels import HOST_NAME
from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import Version, release_name
from ..crds.leader_worker_labels import (
    API_VERSION,
    EXCLUSIVE_TOPOLOGY,
    KIND,
    LEADER_ADDRESS,
    POD_INDEX,
    SET_NAME,
    WORKER_INDEX,
)
from ..names import LabelKey
from .autoscaler import declare_autoscaler, hpa_spec
from .availability import declare_budget
from .engines import engine_faults, read_engine
from .pod import STARTUP_SECONDS, ModelArgs, model_pod
from .pod_group import (
    POD_GROUP,
    POD_GROUP_SIZE,
    SILENT,
    GroupBackend,
    GroupScale,
    declare_service,
    group_flags,
    last_group_faults,
    serve_words,
    with_server,
)
from .rollout import Rollout
from .server import ModelServer, program_faults
from .shutdown import standard_shutdown
from .vllm_command import read_arguments, read_command
from .vllm_rules import command_faults
from .waiting import metadata

PIPELINE_SINCE: Final[Version] = (0, 5, 1)
"""First release that splits layers over nodes: github.com/vllm-project/vllm, issue 6054,
read 2026-11-29."""
MP_SINCE: Final[Version] = (0, 11, 1)
"""First release that does without Ray: --nnodes of the release table, github.com/vllm-project/vllm
pull 23691."""
RAY_DROPPED: Final[Version] = (0, 18, 0)
"""First release that does not bring Ray: Requires-Dist of its wheel; 0.17.0 has it. Wheels of
0.4.1 to 0.28.0, read 2026-11-29."""
RAY_PORT: Final = 6379
"""Port of Ray's head, its own default."""
_OWN_FLAGS: Final = (
    "--data-parallel-size",
    "--distributed-executor-backend",
    "--headless",
    "--master-addr",
    "--nnodes",
    "--node-rank",
    "--pipeline-parallel-size",
    "--prefill-context-parallel-size",
)
"""Flags that say how the group works together, which `nodes` does."""


class LeaderWorkerServe(Args):
    """How a LeaderWorkerSet serves a model: by groups of pods, each on several nodes."""

    nodes: int = Field(ge=2, le=64)
    """Pods of a group, each with `server.resources` on a node of its own: cards times nodes hold
    the model. Layers are split over the nodes, and each layer over the cards of a node."""
    scale: GroupScale
    """How many groups there are."""
    backend: GroupBackend | None = None
    """By what vLLM's processes work together. Left out, mp where the release knows it, and of an
    image that does not tell its release; else ray."""
    worker_command: list[str] | None = None
    """Command of the workers beside `server.command`, which is then the leader's. Left out, all
    pods run `server.command`. Both may name $(LWS_LEADER_ADDRESS), $(LWS_GROUP_SIZE) and
    $(LWS_WORKER_INDEX), which is 0 for the leader."""
    gang: bool | None = None
    """Whether ACK's scheduler places all pods of a group or none, so that half a group holds no
    cards. Left out, it does on a cluster of ACK where `scale.max` is 1 and `max_surge` 0."""
    exclusive_topology: LabelKey | None = Field(
        default=None, examples=["topology.kubernetes.io/zone"]
    )
    """Label of nodes of which a group has one value for itself: all its pods are there, and those
    of no other group. Left out, pods are placed one by one."""
    max_surge: int = Field(default=0, ge=0)
    """Groups that an update starts before it ends an old one, each with cards of its own. With 0
    it ends one group, and the model has one less until the new one is ready."""
    startup_seconds: int = Field(default=STARTUP_SECONDS, ge=60, le=86400)
    """Longest start of a leader, from its container to its answer: it waits for its workers."""
    request_seconds: int | None = Field(default=None, ge=1)
    """Longest request, for which `<model>_load` waits; a Service bounds none. Left out, 600."""
    grace_seconds: int | None = Field(default=None, ge=1)
    """Time that a leader has to finish its requests. Left out, 30."""
    annotations: dict[str, str] | None = None
    """Annotations of the pods."""

    def _faults(self) -> Iterator[Fault]:
        if self.gang and (self.scale.max > 1 or self.max_surge):
            field = "scale.max" if self.scale.max > 1 else "max_surge"
            why = (
                f"with {field} {self.scale.max if self.scale.max > 1 else self.max_surge} there "
                "may be several groups, whose pods have the same labels: the scheduler would take "
                "leaders of two groups for one group"
            )
            yield Fault("gang", True, "left out, or one group alone", why)
        if self.exclusive_topology == HOST_NAME:
            why = "a group needs several nodes, and would have one"
            yield Fault("exclusive_topology", self.exclusive_topology, "left out", why)
        yield from program_faults("worker_command", self.worker_command)

    def nodes_of_command(self, server: ModelServer) -> int:
        """Nodes whose cards a server has together: all, where it is a leader's own command.

        What all pods run alike, and `server.vllm`, says what is of one node.
        """
        return 1 if self.worker_command is None or server.vllm is not None else self.nodes

    @property
    def rollout(self) -> Rollout:
        """How an update replaces groups."""
        return Rollout(max_surge=self.max_surge, max_unavailable=0 if self.max_surge else 1)


class LeaderWorkerModelArgs(ModelArgs):
    """A model, its server, and how many groups of how many nodes serve it."""

    serve: LeaderWorkerServe
    """How a LeaderWorkerSet serves it."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from self._resource_faults(self.serve.nodes_of_command(self.server))
        yield from engine_faults(self.server)
        serve, server = self.serve, self.server
        if not server.gpus:
            why = "the model is split over cards"
            yield Fault("server.resources.gpus", server.gpus, "1 or more", why)
        if self.topology_spread:
            want = "left out, or serve.exclusive_topology"
            why = "it would spread the pods of a group, which belong together"
            yield Fault("topology_spread", Words("given"), want, why)
        if self.ingress:
            want = f"left out, and an Ingress of your own to the Service <model>{_SUFFIX}"
            why = "nothing that is installed for a LeaderWorkerSet makes one"
            yield Fault("ingress", Words("given"), want, why)
        if server.vllm is None:
            if serve.backend is not None:
                why = "server.command says it by itself"
                yield Fault("serve.backend", serve.backend, "left out without server.vllm", why)
            yield from self._command_faults()
            yield from self._worker_command_faults()
            return
        if serve.worker_command is not None:
            why = "workers are started as server.vllm says"
            want = "left out with server.vllm"
            yield Fault("serve.worker_command", Words("given"), want, why)
        for flag in read_arguments(server.vllm.extra_args or []).flags:
            if flag in _OWN_FLAGS:
                why = "serve.nodes says how many nodes work together, and how"
                yield Fault("server.vllm.extra_args", flag, "left out", why)
        yield from self._release_faults()

    def _command_faults(self) -> Iterator[Fault]:
        """Refuses a command that starts a server of its own on each node."""
        engine = read_engine(self.server.command or [])
        knows_nodes = engine is None or "--nnodes" in engine.engine.nodes
        command = self.server.vllm_command or (engine if knows_nodes else None)
        if command is None or self.serve.worker_command is not None or not command.is_whole:
            return
        if "--nnodes" not in command.flags:
            want = "one with --nnodes, server.vllm in its place, or serve.worker_command given"
            why = "every pod of a group runs it, and each would serve the whole model alone"
            yield Fault("server.command", Words("one without --nnodes"), want, why)

    def _worker_command_faults(self) -> Iterator[Fault]:
        """Refuses a command of the workers on which vLLM exits."""
        words, image = self.serve.worker_command or [], vllm_image(self.server.image)
        command = read_command(words, image.version if image else None)
        if command is not None:
            field = "serve.worker_command"
            yield from command_faults(command, words, image, field, answers=False)

    def _release_faults(self) -> Iterator[Fault]:
        image = vllm_image(self.server.image)
        if image is None:
            return
        field, text = "server.image", self.server.image
        if image.version < PIPELINE_SINCE:
            want = f"a release from {release_name(PIPELINE_SINCE)} on"
            yield Fault(field, text, want, "older ones split no model over nodes by layers")
        elif self.serve.backend is GroupBackend.MP and image.version < MP_SINCE:
            want = f"'ray', or a release from {release_name(MP_SINCE)} on"
            why = f"vLLM {image.release} does not know --nnodes"
            yield Fault("serve.backend", self.serve.backend, want, why)


class LeaderWorkerModel(pulumi.ComponentResource):
    """A LeaderWorkerSet, the Service of its leaders, and an HPA where its size is not fixed.

    Each group costs what the nodes of its pods cost.
    """

    host: pulumi.Output[str]
    """Host name of the leaders' Service inside the cluster."""

    def __init__(
        self, name: str, args: LeaderWorkerModelArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = LeaderWorkerModelArgs.of(args)
        groups, scaler = validated(f"LeaderWorkerModel {name}", lambda: render(name, args))

        super().__init__("ack-inference:index:LeaderWorkerModel", name, args.dump(), opts)

        options = child_options(self, opts)
        deployed = crds.LeaderWorkerSet(f"{name}-groups", groups, set_metadata(name, args), options)
        after = child_options(self, opts, depends_on=[deployed])
        leaders = {SET_NAME: name, WORKER_INDEX: "0"}
        declare_service(name, service_name(name), args, leaders, args.server.port, after)
        declare_autoscaler(name, scaler, args.namespace, args.labels, after, hpa=name)
        budget = args.disruption_budget and args.disruption_budget.over(args.serve.nodes)
        declare_budget(name, budget, args.namespace, {SET_NAME: name}, options)

        self.host = pulumi.Output.format(cluster_host(name, "{0}"), args.namespace)
        self.register_outputs({"host": self.host})


_SUFFIX: Final = "-leader"


def service_name(name: str) -> str:
    """Name of the leaders' Service; the set itself has a headless one, called as it is."""
    return f"{name}{_SUFFIX}"


def cluster_host(name: str, namespace: str) -> str:
    """Host name of the leaders' Service inside the cluster."""
    return f"{service_name(name)}.{namespace}.svc.cluster.local"


@once
def render(
    name: str, args: LeaderWorkerModelArgs
) -> "tuple[crds.LeaderWorkerSetSpec, crds.HorizontalPodAutoscalerSpec | None]":
    """The LeaderWorkerSet of a model of a name, and the HPA over it where it scales.

    Raises:
        ValidationError: The API server, or the webhook of LeaderWorkerSets, takes no such objects.
        Refusal: Of the name others are made that nobody takes.
    """
    target = {"api_version": API_VERSION, "kind": KIND, "name": name}
    groups, scaler = group_spec(name, args), hpa_spec(target, args.serve.scale)
    if faults := [*name_faults(name, args.serve)]:
        raise Refusal(*faults)
    return groups, scaler


def name_faults(name: str, serve: LeaderWorkerServe) -> Iterator[Fault]:
    """Refuses a name that is too long: workers of each group are a StatefulSet of their own."""
    yield from last_group_faults(name, f"{name}-{serve.scale.max + serve.max_surge - 1}", "group")


def set_metadata(name: str, args: LeaderWorkerModelArgs) -> ObjectMetaArgs:
    """Metadata of the set, for whose groups an update waits."""
    topology = args.serve.exclusive_topology
    return metadata(
        name,
        args.namespace,
        wait_for="condition=Available",
        seconds=args.wait_seconds,
        labels=args.labels,
        annotations={EXCLUSIVE_TOPOLOGY: topology} if topology else None,
    )


def group_spec(name: str, args: LeaderWorkerModelArgs) -> "crds.LeaderWorkerSetSpec":
    """The LeaderWorkerSet; where it scales, its HPA alone says how many groups it has."""
    serve, scale = args.serve, args.serve.scale
    gang = {POD_GROUP: name, POD_GROUP_SIZE: str(serve.nodes)} if serve.gang else {}
    about = {"labels": {**args.labels, **gang}, "annotations": serve.annotations}
    return crds.LeaderWorkerSetSpec.model_validate(
        {
            "replicas": scale.max if scale.metric is None else None,
            "leader_worker_template": {
                "size": serve.nodes,
                "leader_template": {"metadata": about, "spec": leader_pod(args)},
                "worker_template": {"metadata": about, "spec": worker_pod(args)},
            },
            "rollout_strategy": {
                "rolling_update_configuration": {
                    "max_surge": serve.rollout.max_surge,
                    "max_unavailable": serve.rollout.max_unavailable,
                }
            },
        }
    )


def leader_pod(args: LeaderWorkerModelArgs) -> dict[str, Any]:
    """Fields of the leader's PodSpec."""
    serve = args.serve
    end = standard_shutdown(args.server, serve.grace_seconds)
    pod = model_pod(args, serve.startup_seconds, container="leader", shutdown=end)
    command = leader_command(args.server, serve, end.drain_seconds)
    return with_server(pod, {"command": command}) | {
        "termination_grace_period_seconds": serve.grace_seconds,
    }


def worker_pod(args: LeaderWorkerModelArgs) -> dict[str, Any]:
    """Fields of a worker's PodSpec: it answers nobody, and is ready once it runs."""
    pod = model_pod(args, container="worker")
    return with_server(pod, {**SILENT, "command": worker_command(args.server, args.serve)})


def backend_of(server: ModelServer, serve: LeaderWorkerServe) -> GroupBackend:
    """By what the processes of a group work together."""
    image = vllm_image(server.image)
    is_old = image is not None and image.version < MP_SINCE
    return serve.backend or (GroupBackend.RAY if is_old else GroupBackend.MP)


def leader_command(
    server: ModelServer, serve: LeaderWorkerServe, drain_seconds: int = 0
) -> list[str]:
    """What the leader runs: the server, with the nodes of its group.

    Args:
        server: The container.
        serve: The group.
        drain_seconds: How long vLLM may finish its requests after SIGTERM; 0 leaves the flag out.
    """
    if server.vllm is None:
        return server.command_line()
    if backend_of(server, serve) is GroupBackend.MP:
        return _vllm_serve(server, serve, drain_seconds)
    line = [*server.command_line(drain_seconds), *_ray_flags(serve)]
    wait = _SEEN_BY_RAY.format(nodes=serve.nodes)
    head = f"ray start --head --port={RAY_PORT}"
    return ["sh", "-c", f"{head} && python3 -c {shlex.quote(wait)} && exec {shlex.join(line)}"]


def worker_command(server: ModelServer, serve: LeaderWorkerServe) -> list[str]:
    """What workers run."""
    if server.vllm is None:
        return [*(serve.worker_command or server.command_line())]
    if backend_of(server, serve) is GroupBackend.MP:
        return [*_vllm_serve(server, serve), "--headless"]
    head = f"$({LEADER_ADDRESS}):{RAY_PORT}"
    wait = f"until ray health-check --address {head} >/dev/null 2>&1; do sleep 2; done"
    return ["sh", "-c", f"{wait}; exec ray start --address={head} --block"]


_SEEN_BY_RAY: Final = (
    "import ray, time; ray.init(address='auto', log_to_driver=False)\n"
    "while sum(node['Alive'] for node in ray.nodes()) < {nodes}: time.sleep(2)"
)
"""Ends once Ray knows all nodes of the group: vLLM counts their cards when it starts."""


def _vllm_serve(server: ModelServer, serve: LeaderWorkerServe, drain_seconds: int = 0) -> list[str]:
    flags = group_flags(serve.nodes, POD_INDEX, LEADER_ADDRESS, server, serve.startup_seconds)
    return [*serve_words(server, drain_seconds), *flags]


def _ray_flags(serve: LeaderWorkerServe) -> list[str]:
    return [
        "--pipeline-parallel-size",
        str(serve.nodes),
        "--distributed-executor-backend",
        GroupBackend.RAY.value,
    ]
