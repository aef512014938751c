"""Every stack on the real controllers and scheduler: where its models, caches and jobs land."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plan.fit import FreeRoom, fits, requests
from plan.stack_file import stack_names
from sandbox import binaries
from sandbox.conditions import NodeConditions
from sandbox.guard import guarded
from sandbox.kubernetes.client import ApiClient, Manifest
from sandbox.nodes.manifests import POOL
from sandbox.nodes.scaling import Snapshot, key_of, rooms
from sandbox.run import Sandbox
from stacks.sections.environment import Environment
from tests.crd_schemas import CRDS
from tests.stacks.environments import ROOT, accepted, raw_of

from .step import Row, Say, Skipped, Step

SECONDS: Final = 180
"""Longest that pods may take until all of them run."""
SETTLED_SECONDS: Final = 5
"""How long all pods have to run until a cluster counts as settled."""
STALLED_SECONDS: Final = 40
"""How long nothing may change while some pod does not run; no latency of the sandbox is longer."""


@dataclass(frozen=True)
class ExpectedPods:
    """A model, cache or job of a stack, and where its pods have to be."""

    case: str
    pools: Sequence[str]
    """Names of the pools, best first."""
    labels: Mapping[str, str]
    """What its pods carry."""
    pods: int
    """Pods that it has at least."""
    may_wait: bool = False
    """Whether pods may wait while others hold all of its pools: training gives way."""


def landings(environment: Environment, claims: Mapping[str, str]) -> Iterator[ExpectedPods]:
    """Everything of an environment that runs pods.

    Args:
        environment: The environment.
        claims: Name of the claim that each model reads, which is that of its cache too.
    """
    for model in environment.models:
        placement = model.placement.pools
        kinds = {
            "knative": {"serving.knative.dev/service": model.name},
            "kserve": {"app": f"isvc.{model.name}-predictor"},
        }
        least = model.serve.sections[model.serve.kind].scale.min
        least = 1 if least is None else least
        yield ExpectedPods(f"model {model.name}", placement, kinds[model.serve.kind], least)
        if model.cache:
            labels = {"release": claims[model.name], "role": "jindofs-worker"}
            case = f"cache of {model.name}"
            yield ExpectedPods(case, [model.cache.pool], labels, model.cache.workers)
    for job in environment.training:
        labels = {"batch.kubernetes.io/job-name": job.name}
        pools, pods = job.placement.pools, job.parallelism or 1
        yield ExpectedPods(f"job {job.name}", pools, labels, pods, may_wait=True)


def landing_faults(
    landing: ExpectedPods, cluster: Snapshot, names: Mapping[str, str]
) -> tuple[str, list[str]]:
    """What was seen of a landing, and what is wrong with it.

    Args:
        landing: Where pods have to be.
        cluster: Where all pods are.
        names: Name of each pool by its ID.
    """
    there = rooms(cluster)
    pool_of = {room.name: names.get(room.labels.get(POOL, ""), "") for room in there}
    pods = [pod for pod in cluster.pods if _is_of(pod, landing.labels)]
    faults = []
    if len(pods) < landing.pods:
        faults.append(f"it has {len(pods)} pods, but it must be {landing.pods} at the least")
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node is None:
            room = _room_for(pod, landing.pools, there, pool_of)
            if room or not landing.may_wait:
                where = f", though {room} has room" if room else ""
                faults.append(f"{key_of(pod)} has no node{where}: {_why(pod)}")
        elif pool_of.get(node) not in landing.pools:
            want = " or ".join(landing.pools)
            faults.append(f"{key_of(pod)} is on pool {pool_of.get(node)}, but it must be {want}")
        else:
            faults += _passed_over(pod, landing.pools, there, pool_of)
    seen = ", ".join(
        f"{key_of(pod).partition('/')[2]} on {pool_of.get(pod['spec'].get('nodeName'), 'none')}"
        for pod in pods
    )
    return seen or "no pod", faults


def _passed_over(
    pod: Manifest, pools: Sequence[str], there: Sequence[FreeRoom], pool_of: Mapping[str, str]
) -> Iterator[str]:
    """Better pools that a pod would fit, though it is on another one."""
    at = pools.index(pool_of[pod["spec"]["nodeName"]])
    for room in there:
        if pool_of[room.name] in pools[:at] and fits(pod, room, there):
            better = pool_of[room.name]
            yield (
                f"{key_of(pod)} is on pool {pools[at]}, but it must be {better}, which comes "
                f"first and has room on {room.name}"
            )
            return


def _room_for(
    pod: Manifest, pools: Sequence[str], there: Sequence[FreeRoom], pool_of: Mapping[str, str]
) -> str | None:
    """A node that a pod would fit, or could clear of pods of a lower priority."""
    priority = pod["spec"].get("priority") or 0
    for room in there:
        kept = [other for other in room.pods if (other["spec"].get("priority") or 0) >= priority]
        emptied = FreeRoom(room.name, room.labels, room.taints, dict(room.free), list(kept))
        for other in room.pods:
            if other not in kept:
                for name, amount in requests(other).items():
                    emptied.free[name] = emptied.free.get(name, 0) + amount
        if pool_of[room.name] in pools and fits(pod, emptied, [emptied]):
            return room.name
    return None


def settle(client: ApiClient, seconds: float = SECONDS) -> Snapshot:
    """Waits until every pod runs, or nothing more happens; gives what is there then."""
    until = time.monotonic() + seconds
    before: list[Any] = []
    since = time.monotonic()
    while True:
        cluster = Snapshot(client.list_objects("v1", "Node"), client.list_objects("v1", "Pod"))
        now = sorted(
            (pod["metadata"]["name"], (pod.get("status") or {}).get("phase"))
            for pod in cluster.pods
        )
        if now != before:
            before, since = now, time.monotonic()
        all_run = bool(now) and all(phase in ("Running", "Succeeded") for _, phase in now)
        still = time.monotonic() - since
        patience = SETTLED_SECONDS if all_run else STALLED_SECONDS
        if still > patience or time.monotonic() > until:
            return cluster
        time.sleep(0.5)


def _stack(stack: str, folder: Path) -> Iterator[Row]:
    begun = time.monotonic()
    definitions = CRDS if CRDS.is_dir() else None
    box = Sandbox(ROOT, stack, folder, definitions, NodeConditions(node_seconds=1))
    try:
        with box.running():
            outcome = box.up()
            if outcome.errors:
                yield Row(f"{stack}: up", "failed", tuple(outcome.errors))
                return
            [name] = box.clusters.names()
            client = box.clusters.find(name).client
            cluster = settle(client)
            names = {pool.id: pool.name for pool in box.pools(name)}
            environment = accepted(raw_of(stack))
            for landing in landings(environment, _claims(client)):
                seen, faults = landing_faults(landing, cluster, names)
                yield Row(f"{stack}: {landing.case}", seen, tuple(faults))
            seconds = time.monotonic() - begun
            figures = f"{len(cluster.pods)} pods on {len(cluster.nodes)} nodes in {seconds:.0f} s"
            yield Row(f"{stack}: all", figures)
    finally:
        box.remove()


def _claims(client: ApiClient) -> dict[str, str]:
    """Name of the cache's claim by that of the model, as the models' objects have it."""
    claims = {}
    for api_version, kind in (
        ("serving.knative.dev/v1", "Service"),
        ("serving.kserve.io/v1beta1", "InferenceService"),
    ):
        for manifest in client.list_objects(api_version, kind):
            spec = manifest["spec"]
            pods = spec["template"]["spec"] if "template" in spec else spec["predictor"]
            for volume in pods.get("volumes") or ():
                if claim := volume.get("persistentVolumeClaim"):
                    claims[manifest["metadata"]["name"]] = claim["claimName"]
    return claims


def _run(say: Say) -> Iterator[Row]:
    if reason := binaries.why_unavailable(nodes=True):
        raise Skipped(reason)
    for program in binaries.PROGRAMS:
        try:
            binaries.find(program, say)
        except binaries.Unavailable as error:
            raise Skipped(str(error)) from None
    for stack in stack_names(ROOT):
        say(f"{stack} comes up with nodes")
        folder = Path(tempfile.mkdtemp(prefix="ack-inference-"))
        with guarded(folder):
            yield from _stack(stack, folder / "box")


def _is_of(pod: Manifest, labels: Mapping[str, str]) -> bool:
    return (
        labels.items() <= (pod["metadata"].get("labels") or {}).items()
        and "deletionTimestamp" not in pod["metadata"]
        and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    )


def _why(pod: Manifest) -> str:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return "; ".join(c["message"] for c in conditions if c.get("message")) or "nobody says why"


STEP: Final = Step("nodes", _run, seconds=290)
