"""What a change does to each part of a stack: to pools, caches, stores, models and jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Generic, TypeVar

from ..graph import Graph, graph_of
from ..graph.model import Cache, Cluster, Group, Node, Pool, Stop, Store, Workload
from ..words import facts
from .compare import ChangeKind, ResourceChange, StackDiff

N = TypeVar("N", bound=Node, covariant=True)
KINDS: Final = ("clusters", "pools", "caches", "stores", "workloads", "groups")
"""Fields of a graph that have nodes."""


@dataclass(frozen=True)
class Fact:
    """Something that is known of a part, before and after; empty where it is not."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Part(Generic[N]):
    """A node of the graph before and after; one of the two may be absent."""

    before: N | None
    after: N | None
    kind: ChangeKind | None
    """None where nothing of it changes."""

    @property
    def now(self) -> N:
        """As it will be; as it was, where it goes."""
        now = self.after or self.before
        assert now is not None  # noqa: S101  one of the two is there
        return now

    @property
    def title(self) -> Fact:
        """What it is."""
        before, after = self.before or self.now, self.after or self.now
        return Fact("", before.title, after.title)

    @property
    def facts(self) -> list[Fact]:
        """What is known of it; the same on both sides where it is there on one only."""
        before, after = (facts(node or self.now) for node in (self.before, self.after))
        labels = dict.fromkeys([*after, *before])
        return [Fact(label, before.get(label, ""), after.get(label, "")) for label in labels]


@dataclass(frozen=True)
class Landing:
    """A pool at which the pods of a workload are tried."""

    before: int | None
    """Number of the stop, from 1; None where it was none."""
    after: int | None
    stop: Stop
    """As it will be; as it was, where it goes."""
    last: bool
    """Whether no other is tried after it."""
    kind: ChangeKind | None


@dataclass(frozen=True)
class DiffTopology:
    """Everything in a stack, before and after."""

    before: Graph
    after: Graph
    clusters: Sequence[Part[Cluster]]
    pools: Sequence[Part[Pool]]
    caches: Sequence[Part[Cache]]
    stores: Sequence[Part[Store]]
    workloads: Sequence[Part[Workload]]
    groups: Sequence[Part[Group]]

    @property
    def parts(self) -> Sequence[Part[Node]]:
        """All of it."""
        return [part for kind in KINDS for part in getattr(self, kind)]


def topology_of(diff: StackDiff) -> DiffTopology:
    """What runs where before and after a change."""
    before, after = (graph_of(plan) if plan else Graph() for plan in (diff.before, diff.after))
    touched = {
        urn: change for change in diff.resources for urn in (change.urn, change.former) if urn
    }
    formers = {change.urn: change.former for change in diff.changes if change.former}

    pairs = {kind: _pairs(getattr(before, kind), getattr(after, kind), formers) for kind in KINDS}
    parts = {kind: [_part(*pair, touched) for pair in pairs[kind]] for kind in KINDS}
    return DiffTopology(before, after, **parts)


def landing(workload: Part[Workload], pool: Part[Pool]) -> Landing | None:
    """How the pods of a workload come to a pool; None where they never do."""
    old, new = workload.before, workload.after
    before = old.place(pool.before.name) if old and pool.before else None
    after = new.place(pool.after.name) if new and pool.after else None
    if new is not None and after is not None:
        stops, number = new.stops, after
    elif old is not None and before is not None:
        stops, number = old.stops, before
    else:
        return None
    stop = stops[number - 1]
    last = number == len(stops)
    if before is None or after is None:
        return Landing(
            before, after, stop, last, ChangeKind.CREATED if before is None else ChangeKind.DELETED
        )
    same = before == after and old is not None and _alike(old.stops[before - 1], stop)
    return Landing(before, after, stop, last, None if same else ChangeKind.UPDATED)


def holding(cache: Part[Cache], pool: Part[Pool]) -> tuple[bool, ChangeKind | None]:
    """Whether a pool holds a cache, and what becomes of that."""
    before = _holds(cache.before, pool.before)
    after = _holds(cache.after, pool.after)
    if before == after:
        return after, None
    return True, ChangeKind.CREATED if after else ChangeKind.DELETED


def _holds(cache: Cache | None, pool: Pool | None) -> bool:
    return bool(cache and pool and any(holder.name == pool.name for holder in cache.pools))


def _alike(old: Stop, new: Stop) -> bool:
    return (old.waits, old.most_pods) == (new.waits, new.most_pods)


def _pairs(
    olds: Sequence[N], news: Sequence[N], formers: Mapping[str, str]
) -> list[tuple[N | None, N | None]]:
    """Nodes before and after, deleted ones last: of one resource, or else of one name."""
    unpaired = list(olds)
    pairs: dict[int, N] = {}
    for same in (_same_resource, _same_name):
        for number, new in enumerate(news):
            old = next((node for node in unpaired if same(node, new, formers)), None)
            if old is not None and number not in pairs:
                pairs[number] = old
                unpaired.remove(old)
    paired = [(pairs.get(number), new) for number, new in enumerate(news)]
    return [*paired, *((old, None) for old in unpaired)]


def _same_resource(old: Node, new: Node, formers: Mapping[str, str]) -> bool:
    return bool(new.urn) and old.urn == formers.get(new.urn, new.urn)


def _same_name(old: Node, new: Node, formers: Mapping[str, str]) -> bool:
    return old.name == new.name


def _part(old: N | None, new: N | None, touched: Mapping[str, ResourceChange]) -> Part[N]:
    urns = chain.from_iterable(node.urns for node in (old, new) if node)
    changes = {change.urn: change for urn in urns if (change := touched.get(urn)) is not None}
    return Part(old, new, _kind(old, new, changes))


def _kind(
    old: Node | None, new: Node | None, changes: Mapping[str, ResourceChange]
) -> ChangeKind | None:
    """What becomes of a node: it stands or falls with its main resource."""
    if old is None or new is None:
        node = old or new
        used_only = node is None or not node.urn
        return None if used_only else ChangeKind.CREATED if old is None else ChangeKind.DELETED
    kinds = {change.kind for change in changes.values()}
    main = changes.get(new.urn)
    if main is not None:
        decisive = {main.kind}
    elif new.urn in new.urns:
        decisive = set()
    else:
        decisive = kinds
    another = old.urn != new.urn and not (main and main.former == old.urn)
    if ChangeKind.REPLACED in decisive or (another and new.urn in new.urns):
        return ChangeKind.REPLACED
    if kinds - {ChangeKind.MOVED}:
        return ChangeKind.UPDATED
    return ChangeKind.MOVED if kinds else None
