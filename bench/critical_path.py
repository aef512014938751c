"""How much longer does `up` take than the longest chain of resources that wait for one another?

Clouds and charts take minutes, the engine seconds: what an `up` takes is its critical path, as long
as everything beside that path runs beside it. `MINUTES` says how long each type takes, and
`WITHOUT_GPUS` how long a pool without GPUs does. The path is computed from the plan (dependencies,
parents, providers), and the sandbox takes as long, on a smaller scale, when it makes a resource.

On that scale the engine, the program and the API server take as long as the cloud, so each stack
comes up twice, with the latencies and without. What is compared is what the latencies add to an
`up` : the path on that scale. Target: 1.05 or less. More means that something waits beside the
path. Less than 1 means that the engine works while the cloud is waited for. Beside it stands what
that makes of an `up` of full length: path times ratio, and what an `up` takes without latencies.

    python -m bench.critical_path                       # every stack, an hour as a minute
    python -m bench.critical_path dev --scale 1000
    python -m bench.critical_path --only-paths          # the paths alone, at once
"""

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console

from components.cloud.node_pool import has_gpu
from plan.model import Plan, Resource
from plan.run import plan
from sandbox.run import Sandbox

from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
STACKS: Final = ("dev", "prod", "hybrid")
LIMIT: Final = 1.05
SCALE: Final = 60

MINUTES: Final[Mapping[str, float]] = MappingProxyType(
    {
        # Assumed: control plane, its load balancer and its core add-ons.
        "alicloud:cs/managedKubernetes:ManagedKubernetes": 15,
        # With GPUs; assumed: as much again as without for the driver, for which ACK names no
        # figure. A node registers once it is installed (introduction-to-node-initialization,
        # 2026-03-07).
        "alicloud:cs/nodePool:NodePool": 4,
        # Assumed, as are the add-ons and charts: a few pods that pull small images.
        "alicloud:vpc/natGateway:NatGateway": 2,
        "alicloud:cs/kubernetesAddon:KubernetesAddon": 1,
        "kubernetes:helm.sh/v3:Release": 1,
        "alicloud:nas/fileSystem:FileSystem": 0.5,
        "alicloud:nas/mountTarget:MountTarget": 1,
        # Assumed: master and workers of a cache start.
        "kubernetes:data.fluid.io/v1alpha1:Dataset": 1,
        # 15 GB from OSS in 90 s: the article on Knative, ResourcePolicy and Fluid.
        "kubernetes:data.fluid.io/v1alpha1:DataLoad": 1.5,
        # Pulling 5 GB at 80 MB/s is 63 s (vLLM 0.4's image, vllm-project/vllm issue 7609; 112 MB/s
        # at best), reading 15 GB out of a cache 20 s (the same article), starting vLLM 8 to 45 s
        # (arXiv 2606.07362).
        "kubernetes:serving.knative.dev/v1:Service": 2,
        "kubernetes:serving.kserve.io/v1beta1:InferenceService": 2,
        "kubernetes:serving.kserve.io/v1alpha2:LLMInferenceService": 2,
        "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": 2,
    }
)
"""How long a create takes, in minutes; what is not listed takes no time."""

WITHOUT_GPUS: Final[Mapping[str, float]] = MappingProxyType(
    # A node is ready after 45 to 103 s (ACK, auto-scaling-overview, 2025-08-28); assumed: the rest
    # for the scaling group.
    {"alicloud:cs/nodePool:NodePool": 2}
)
"""How long it takes in minutes where no node has a GPU, and so no driver is installed."""

_WAIT_FOR: Final = "pulumi.com/waitFor"


@dataclass(frozen=True)
class Link:
    """A resource on a path."""

    resource: Resource
    minutes: float
    """How long its create takes."""


def minutes_of(planned: Plan) -> dict[str, float]:
    """How long a create of each type takes in a stack: where nobody waits, it takes no time.

    Returns:
        Minutes by type, and by URN where a resource takes another time than its type.
    """
    waited = {
        resource.type
        for resource in planned.resources
        if resource.type in MINUTES and _is_waited_for(resource)
    }
    types = {type_: minutes for type_, minutes in MINUTES.items() if type_ in waited}
    without_gpus = {
        resource.urn: WITHOUT_GPUS[resource.type]
        for resource in planned.resources
        if resource.type in WITHOUT_GPUS
        and not any(map(has_gpu, resource.inputs.get("instanceTypes") or ()))
    }
    return types | without_gpus


def _takes(resource: Resource, minutes: Mapping[str, float]) -> float:
    return minutes.get(resource.urn, minutes.get(resource.type, 0))


def _is_waited_for(resource: Resource) -> bool:
    about = resource.inputs.get("metadata")
    return not isinstance(about, Mapping) or _WAIT_FOR in (about.get("annotations") or {})


def critical_path(resources: Sequence[Resource], minutes: Mapping[str, float]) -> list[Link]:
    """The chain of resources that takes longest, each of which waits for the one before.

    Args:
        resources: Parents and dependencies before what needs them, as they are registered.
        minutes: How long a create takes, by URN or else by type; 0 for others.

    Returns:
        The links that take time, first to last.
    """
    by_urn: dict[str, Resource] = {}
    ready: dict[str, float] = {}
    after: dict[str, str | None] = {}
    for resource in resources:
        waits = [urn for urn in _waits_for(resource) if urn in by_urn]
        last = max(waits, key=lambda urn: ready[urn], default=None)
        by_urn[resource.urn], after[resource.urn] = resource, last
        ready[resource.urn] = _takes(resource, minutes) + (ready[last] if last else 0)
    links = []
    last = max(ready, key=lambda urn: ready[urn], default=None)
    while last is not None:
        resource = by_urn[last]
        links.append(Link(resource, _takes(resource, minutes)))
        last = after[last]
    return [link for link in reversed(links) if link.minutes]


def _waits_for(resource: Resource) -> set[str]:
    """URNs of what exists before a resource is made."""
    return {*resource.dependencies, resource.provider.rpartition("::")[0], resource.parent}


def length(path: Sequence[Link]) -> float:
    """How long a path takes, in minutes."""
    return sum(link.minutes for link in path)


def measure(
    stacks: Sequence[str] = STACKS, scale: float = SCALE, rounds: int = 3
) -> list[RatioRow]:
    """What latencies add to an `up` : the critical path, by stack.

    Args:
        stacks: Names of stacks of this repository.
        scale: How many times faster than in the cloud everything is.
        rounds: How often each stack comes up with latencies, and without.
    """
    return [_measured(stack, scale, rounds) for stack in stacks]


def _measured(stack: str, scale: float, rounds: int) -> RatioRow:
    planned = plan(stack, ROOT)
    minutes = minutes_of(planned)
    links = critical_path(planned.resources, minutes)
    path = length(links) * 60
    slow = {key: 60 * duration / scale for key, duration in minutes.items()}
    durations = [(_up(stack, slow), _up(stack, {})) for _ in range(rounds)]
    longer, shorter = map(statistics.median, zip(*durations, strict=True))
    ratio = (longer - shorter) * scale / path
    full = path * ratio + shorter
    pairs = "1 pair" if rounds == 1 else f"{rounds} pairs"
    chain = ", ".join(f"{link.resource.name} {link.minutes:g}" for link in links)
    detail = (
        f"path {path / 60:.1f} min ({chain}), at 1:{scale:g} {path / scale:.1f} s; "
        f"up {longer:.1f} s with latencies, {shorter:.1f} s without; "
        f"at full length {full / 60:.1f} min = {full / path:.2f} x path; {pairs}"
    )
    return RatioRow(f"{stack}: what latencies add to up : critical path", ratio, LIMIT, detail)


def _up(stack: str, seconds: Mapping[str, float]) -> float:
    """Wall time of a first `up`, in a sandbox of its own."""
    memory = "/dev/shm"  # noqa: S108  kept in memory, since every step is written
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ack-inference-", dir=where) as folder:
        box = Sandbox(ROOT, stack, Path(folder) / "box", None)
        box.conditions.seconds.update(seconds)
        try:
            with box.running():
                box.engine.export()  # the stack is created before the clock starts
                start = time.perf_counter()
                outcome = box.up()
                took = time.perf_counter() - start
        finally:
            box.remove()
    if outcome.errors:
        raise RuntimeError("\n".join(outcome.errors))
    return took


def print_path(stack: str) -> None:
    """Prints the critical path of a stack, link by link."""
    planned = plan(stack, ROOT)
    path = critical_path(planned.resources, minutes_of(planned))
    ends = itertools.accumulate(link.minutes for link in path)
    console = Console(highlight=False)
    console.print(f"{stack}: {length(path):.1f} minutes")
    for link, end in zip(path, ends, strict=True):
        type_ = link.resource.type.rpartition(":")[2]
        console.print(f"  {end:5.1f}  +{link.minutes:<4g} {link.resource.name}  {type_}")


def main() -> None:
    """Prints the paths, measures, and prints the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stacks", nargs="*", default=STACKS)
    parser.add_argument("--scale", type=float, default=SCALE)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only-paths", action="store_true")
    options = parser.parse_args()
    for stack in options.stacks:
        print_path(stack)
    if options.only_paths:
        return
    show(measure(options.stacks, options.scale, options.rounds))


if __name__ == "__main__":
    main()
