"""A server on several nodes, whoever makes its pods: their scale, what they run, how they meet."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault
from ..bindings import kubernetes
from ..catalog.vllm import vllm_image
from ..catalog.vllm.table import release
from ..names import STATEFUL_SET, shorter
from ..quantity import plain
from .autoscaler import SCALE_DOWN_SECONDS, look_back, range_faults, target_faults
from .kserve_model import KServeMetric
from .pod import ModelArgs
from .server import ModelServer
from .waiting import metadata

# ACK, "Use gang scheduling", 2026-09-21: the scheduler makes a PodGroup of these two labels.
POD_GROUP: Final = "pod-group.scheduling.sigs.k8s.io/name"
"""Label of pods: the group with which ACK's scheduler places them."""
POD_GROUP_SIZE: Final = "pod-group.scheduling.sigs.k8s.io/min-available"
"""Label of pods: how many of the group there have to be room for, before any is placed."""
TIMEOUT: Final = "--distributed-timeout-seconds"
"""Flag of how long processes wait for each other, from 0.18.0 on; NCCL's default is 600 s, which a
node that has to come, or a large image, exceeds: vllm/config/parallel.py."""
PORT: Final = 80
"""Port of the Service of the leaders."""


class GroupBackend(StrEnum):
    """By what vLLM's processes on several nodes work together."""

    MP = "mp"
    """Processes of vLLM's own; from 0.11.1 on."""
    RAY = "ray"
    """A Ray cluster of the group; images of vLLM bring Ray up to 0.17."""


class GroupMetric(StrEnum):
    """What groups are scaled on: what their leaders report."""

    VLLM_WAITING = KServeMetric.VLLM_WAITING.value
    """Requests in vLLM's queue: grows before users notice. First choice for an LLM."""
    VLLM_KV_CACHE = KServeMetric.VLLM_KV_CACHE.value
    """Share of vLLM's KV cache in use, 0 to 1."""
    VLLM_RUNNING = KServeMetric.VLLM_RUNNING.value
    """Requests that vLLM answers at the same time."""
    GPU_UTILIZATION = KServeMetric.GPU_UTILIZATION.value
    """Share of time with any kernel at work on the leader's cards, in percent."""
    SM_UTILIZATION = KServeMetric.SM_UTILIZATION.value
    """SM utilisation of the leader's cards, of ACK's GPU exporter, in percent."""


class GroupScale(Args):
    """Between which bounds, and on what, the number of groups scales."""

    min: int = Field(default=1, ge=1)
    """Fewest groups. An HPA cannot scale to 0, since no pod is left to measure."""
    max: int = Field(ge=1, le=1000)
    """Most groups."""
    metric: GroupMetric | None = None
    """What they are scaled on. Left out where min is max, and the number stays."""
    target: float | None = Field(default=None, ge=0.001, le=9 * 10**15)
    """What one group should have of it, in thousandths at the finest."""
    scale_down_seconds: int = Field(default=SCALE_DOWN_SECONDS, ge=0, le=3600)
    """How long the autoscaler looks back before it removes a group."""

    def _faults(self) -> Iterator[Fault]:
        yield from range_faults(self.min, self.max)
        if self.min < self.max and self.metric is None:
            yield Fault("metric", MISSING, "given, or min set to max", "somebody has to scale")
        if (self.metric is None) != (self.target is None):
            got = MISSING if self.target is None else plain(self.target)
            want = "given beside metric" if self.target is None else "left out without metric"
            yield Fault("target", got, want, "a group is held to so much of the metric")
        elif self.metric is not None and self.target is not None:
            yield from target_faults(self.metric, self.target)

    @property
    def window(self) -> int | None:
        """How long the autoscaler looks back; None where Kubernetes' default holds."""
        return look_back(self.scale_down_seconds)


def declare_service(
    name: str,
    called: str,
    args: ModelArgs,
    selector: dict[str, str],
    target_port: int,
    options: pulumi.ResourceOptions,
) -> None:
    """The Service, of a name of its own, by which requests come to some pods of a model."""
    kubernetes.core.v1.Service(
        f"{name}-service",
        # Pulumi would wait for a pod behind it, and give up long before a GPU node is there.
        metadata=metadata(
            called, args.namespace, labels=args.labels, annotations={"pulumi.com/skipAwait": "true"}
        ),
        spec={
            "selector": selector,
            "ports": [{"name": "http", "port": PORT, "target_port": target_port}],
        },
        opts=options,
    )


def last_group_faults(name: str, last: str, noun: str) -> Iterator[Fault]:
    """Refuses the name of a model whose last group has a name that is too long.

    Args:
        name: Of the model.
        last: Of the group.
        noun: What a group is to the reader.
    """
    if (over := len(last) - STATEFUL_SET.longest) > 0:
        why = f"the workers of its last {noun} are the StatefulSet {last}, which may have "
        why += f"{STATEFUL_SET.longest} characters"
        yield Fault("metadata.name", name, shorter(len(name) - over), why, STATEFUL_SET.source)


SILENT: Final[Mapping[str, None]] = MappingProxyType(
    dict.fromkeys(("ports", "startup_probe", "readiness_probe"))
)
"""Fields of a server that answers nobody."""


def with_server(pod: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """A pod whose server has other fields."""
    server, *sidecars = pod["containers"]
    # A Service called vllm would set VLLM_PORT, which vLLM takes for its own.
    return {**pod, "containers": [{**server, **fields}, *sidecars], "enable_service_links": False}


def serve_words(server: ModelServer, drain_seconds: int = 0) -> list[str]:
    """`vllm serve`, since the server's module does not read --headless, and its workers fail.

    github.com/vllm-project/vllm pull 36875, read 2026-11-29. It takes the model as its first word.
    """
    module = server.command_line(drain_seconds)
    words = module[module.index("--port") :]
    place = words.index("--model")
    model, rest = words[place + 1], [*words[:place], *words[place + 2 :]]
    return ["vllm", "serve", model, *rest]


def group_flags(
    nodes: int, index: str, address: str, server: ModelServer, startup_seconds: int
) -> list[str]:
    """Flags by which vLLM's own processes on several nodes find each other.

    Args:
        nodes: Nodes of a group.
        index: Variable of the container with its number in the group.
        address: Variable with the address of the leader.
        server: The container.
        startup_seconds: How long they wait for each other, where the release can be told.
    """
    group: dict[str, object] = {
        "--pipeline-parallel-size": nodes,
        "--distributed-executor-backend": GroupBackend.MP.value,
        "--nnodes": nodes,
        "--node-rank": f"$({index})",
        "--master-addr": f"$({address})",
    }
    image = vllm_image(server.image)
    words = server.command_line()
    if image is not None and TIMEOUT in release(image.version).flags and TIMEOUT not in words:
        group[TIMEOUT] = startup_seconds
    return [word for flag, value in group.items() for word in (flag, str(value))]
