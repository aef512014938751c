"""In which order Kubernetes is upgraded under a stack, and what stands in the way.

Needs no cluster: what is too old for the new version is what the checks say of the same stack file
with it, and what has no room while nodes are rolled is what they say of pools that are smaller.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from components.versions import kubernetes_minor, version_numbers
from plan.refused import Refused
from plan.stack_file import own_settings, read_stack
from stacks.arguments.cloud import name_prefix
from stacks.checks.views import models, placements_of, workloads
from stacks.sections.environment import Environment
from stacks.sections.pools import PoolSection
from stacks.validation import Validation, validate

from .pods import duration

ONE_BY_ONE: Final = 1
"""Nodes of a pool that are rolled at once, where its `rolling` does not say it."""


@dataclass(frozen=True)
class Batches:
    """How a pool is rolled."""

    pool: str
    nodes: str
    """How many there are, as words."""
    at_once: int
    spare: int
    """Nodes that it needs beside for that time, so that all that runs at the least has room."""
    why: Sequence[str]
    """What has no room without them."""
    workloads: Sequence[str]
    """Models and jobs whose pods may be on its nodes."""
    fields: Mapping[str, Any]
    """Fields of the stack file that roll it, and what they are for that time."""
    taken_out: str
    """The one of them that is taken out again, before anything else of the pool changes."""


@dataclass(frozen=True)
class UpgradePlan:
    """The upgrade of a stack's cluster."""

    stack: str
    versions: Sequence[str]
    """Versions that the control plane goes through; the first is that of now, where it is known."""
    too_old: Sequence[str]
    """What does not run on the new version, as the checks say it."""
    pools: Sequence[Batches]
    """In the order in which they are rolled."""
    interrupted: Sequence[str]
    """Models that are below their fewest replicas for a while."""
    unknown: Sequence[str]
    """What no table says."""
    by_owner: bool = False
    """Whether the cluster is not of the stack."""


def show(stack: str, project: Path, to: str, console: Console, *, as_json: bool) -> int:
    """Shows the upgrade of a stack, and gives the exit code: 0, or 1 where something is too old.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        to: Version of Kubernetes, e.g. `1.35`.
        console: Where it is shown.
        as_json: Prints JSON.

    Raises:
        Refused: The stack file or the version is refused.
    """
    upgrade = upgrade_plan(stack, project, to)
    if as_json:
        console.print(json.dumps(asdict(upgrade), indent=2, ensure_ascii=False), soft_wrap=True)
    else:
        for line in sentences(upgrade):
            console.print(Text(line), soft_wrap=True)
    return int(bool(upgrade.too_old))


def upgrade_plan(stack: str, project: Path, to: str) -> UpgradePlan:
    """The upgrade of a stack.

    Raises:
        Refused: The stack file or the version is refused.
    """
    file = read_stack(project, stack)
    return upgrade_of(stack, own_settings(file), to, name_prefix(file.project, file.stack))


def upgrade_of(stack: str, settings: Mapping[str, Any], to: str, prefix: str) -> UpgradePlan:
    """The upgrade of a stack file.

    Args:
        stack: Name of the stack.
        settings: What its file says, without the project's name.
        to: Version of Kubernetes.
        prefix: What its names begin with.

    Raises:
        Refused: The stack file or the version is refused.
    """
    now = validate(settings, prefix)
    if now.environment is None:
        raise Refused(f"Stack {stack!r}", *now.sentences)
    cluster = settings.get("cluster") or {}
    versions = _versions(cluster.get("version"), to)
    later = validate({**settings, "cluster": {**cluster, "version": to}}, prefix)
    environment = now.environment
    return UpgradePlan(
        stack,
        versions,
        [*_beyond(later, now)],
        [*_rolled(environment, settings, prefix, to)],
        [*_interrupted(environment)],
        [*_unknown(environment)],
        environment.existing,
    )


def _versions(now: str | None, to: str) -> list[str]:
    """One minor version after the other: a control plane skips none, and goes never back."""
    wanted = kubernetes_minor(to)
    if wanted is None:
        raise Refused("--to", f"{to} is no version of Kubernetes such as 1.35 or 1.35.1-aliyun.1.")
    here = kubernetes_minor(now) if now else None
    if here is None:
        return [to]
    former, later = version_numbers(str(now)), version_numbers(to)
    if later == former[: len(later)]:
        raise Refused("--to", f"{to} is what the stack file says already.")
    if later < former[: len(later)]:
        raise Refused("--to", f"{to} is older than {now}: Kubernetes never goes back.")
    between = [f"1.{minor}" for minor in range(here + 1, wanted)]
    return [str(now), *between, to]


def _beyond(later: Validation, now: Validation) -> Iterator[str]:
    """What is said of one stack file, and not of the other."""
    before = {*now.sentences}
    yield from (sentence for sentence in later.sentences if sentence not in before)


def _rolled(
    environment: Environment, settings: Mapping[str, Any], prefix: str, to: str
) -> Iterator[Batches]:
    """Pools without cards first: the platform runs there, and no model."""
    pools = sorted(environment.pools, key=lambda pool: pool.gpu is not None)
    for pool in pools:
        at_once = pool.rolling.max_parallelism if pool.rolling else ONE_BY_ONE
        faults = _without(pool, at_once, settings, prefix)
        nodes = (
            f"{pool.size} nodes"
            if pool.autoscale is None
            else f"{pool.autoscale.min} to {pool.autoscale.max} nodes"
        )
        on_it = [
            workload.name
            for path, workload in workloads(environment)
            if any(pool.name in place.pools for _, place in placements_of(path, workload))
        ]
        path = f"pools[{pool.name}]"
        rolling = {} if pool.rolling else {f"{path}.rolling": {"max_parallelism": at_once}}
        fields = {**rolling, f"{path}.upgrade": {"kubernetes_version": to}}
        spare = at_once if faults else 0
        yield Batches(pool.name, nodes, at_once, spare, faults, on_it, fields, f"{path}.upgrade")


def _without(pool: PoolSection, nodes: int, settings: Mapping[str, Any], prefix: str) -> list[str]:
    """What the checks say of a stack whose pool lacks the nodes that are rolled."""
    smaller = []
    for section in settings.get("pools") or ():
        entry = dict(section)
        if entry.get("name") == pool.name:
            if pool.autoscale is None:
                entry["size"] = max(0, (pool.size or 0) - nodes)
            else:
                most = max(1, pool.autoscale.max - nodes)
                least = min(pool.autoscale.min, most)
                entry["autoscale"] = {**section["autoscale"], "max": most, "min": least}
        smaller.append(entry)
    return validate({**settings, "pools": smaller}, prefix).sentences


def _interrupted(environment: Environment) -> Iterator[str]:
    """Models whose fewest replicas are one, or none: nobody answers while the next one loads."""
    for _, model in models(environment):
        for section in model.serve.sections.values():
            least = section.scale.min
            longest = duration(section.startup_seconds)
            if least == 1:
                yield (
                    f"{model.name} has 1 replica at its fewest: while its node is drained none "
                    f"answers, until another has loaded, for {longest} at most. Set scale.min to 2 "
                    "for that time."
                )
            elif least:
                yield (
                    f"{model.name} has {least} replicas at its fewest, and one less while its node "
                    f"is drained, for {longest} at most."
                )


def _unknown(environment: Environment) -> Iterator[str]:
    yield (
        "Up to which Kubernetes Knative, KServe and Fluid run is in no table: read the notes of "
        "their releases."
    )
    machines = [pool.name for pool in environment.edge_pools]
    if machines:
        yield (
            f"Machines of {', '.join(machines)} are upgraded in ACK's console, once the control "
            "plane is."
        )
    unpinned = [pool.name for pool in environment.pools if pool.gpu and pool.driver is None]
    if unpinned:
        yield (
            f"Which NVIDIA driver new nodes of {', '.join(unpinned)} get is ACK's to say with each "
            "version: give the pool a driver, and images that it runs."
        )


def sentences(upgrade: UpgradePlan) -> Iterator[str]:
    """An upgrade as a person reads it, in the order of the work."""
    yield f"{upgrade.stack}: upgrade to Kubernetes {upgrade.versions[-1]}"
    if upgrade.too_old:
        yield "Before: these are too old for it, or are refused with it."
        yield from (f"  {sentence}" for sentence in upgrade.too_old)
    first = upgrade.versions[0] if len(upgrade.versions) > 1 else None
    steps = upgrade.versions[1:] or upgrade.versions
    yield f"1. The cluster: {' -> '.join([first or 'the version of now', *steps])}."
    yield from (f"   {sentence}" for sentence in _control_plane(upgrade, steps))
    if first is None:
        yield (
            "   The stack file does not say the version of now: `ack-inference doctor` asks the "
            "cluster. One minor version at a time."
        )
    for number, batches in enumerate(upgrade.pools, start=2):
        yield f"{number}. Pool {batches.pool}: {batches.nodes}, {batches.at_once} at a time."
        yield from (f"   {sentence}" for sentence in _pool(batches))
    if upgrade.interrupted:
        yield "Meanwhile:"
        yield from (f"  {sentence}" for sentence in upgrade.interrupted)
    yield "Not known:"
    yield from (f"  {sentence}" for sentence in upgrade.unknown)


def _control_plane(upgrade: UpgradePlan, steps: Sequence[str]) -> Iterator[str]:
    """How it is upgraded, and when its nodes follow."""
    if upgrade.by_owner:
        yield "Its owner upgrades it, and its nodes; then say so in cluster.version."
        return
    yield (
        f"Set cluster.control_plane_only: true, cluster.version: {steps[0]}, and run `pulumi up`: "
        "without control_plane_only ACK upgrades the nodes of all pools with it, at its own pace."
    )
    if len(steps) > 1:
        yield (
            f"Then the pools below, each to {steps[0]}, and all of it again for "
            f"{', '.join(steps[1:])}: ACK upgrades no control plane whose nodes are behind."
        )


def _pool(batches: Batches) -> Iterator[str]:
    if batches.workloads:
        yield f"Its nodes may have pods of {', '.join(batches.workloads)}."
    if batches.spare:
        more = f"{batches.spare} node{'s' * (batches.spare != 1)} more"
        yield f"Give it {more} for that time: without it, what runs at the least has no room."
        yield from (f"  {sentence}" for sentence in batches.why)
    fields = ", ".join(f"{path}: {_flow(value)}" for path, value in batches.fields.items())
    yield f"Set {fields}, and run `pulumi up`."
    yield (
        f"Then take {batches.taken_out} out again, before anything else of the pool changes: each "
        "change would roll its nodes once more."
    )


def _flow(settings: Mapping[str, Any]) -> str:
    """Settings as YAML in one line."""
    return "{" + ", ".join(f"{key}: {value}" for key, value in settings.items()) + "}"
