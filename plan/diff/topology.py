"""What a change does to each part of a stack: to pools, caches, stores, models and jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from ..layout import Cache, Element, Layout, Stop, Workload, layout
from .compare import Kind, ResourceChange, StackDiff

E = TypeVar("E", bound=Element, covariant=True)


@dataclass(frozen=True)
class Fact:
    """Something that is known of a part, before and after; empty where it is not."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Part(Generic[E]):
    """An element before and after; one of the two may be absent."""

    before: E | None
    after: E | None
    kind: Kind | None
    """None where nothing of it changes."""

    @property
    def now(self) -> E:
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
        before, after = ((one or self.now).facts for one in (self.before, self.after))
        labels = dict.fromkeys([*after, *before])
        return [Fact(one, before.get(one, ""), after.get(one, "")) for one in labels]


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
    kind: Kind | None


@dataclass(frozen=True)
class Topology:
    """Everything in a stack, before and after."""

    clusters: Sequence[Part[Element]]
    pools: Sequence[Part[Element]]
    caches: Sequence[Part[Cache]]
    stores: Sequence[Part[Element]]
    workloads: Sequence[Part[Workload]]
    others: Sequence[Part[Element]]

    @property
    def parts(self) -> Sequence[Part[Element]]:
        """All of it."""
        return [
            *self.clusters,
            *self.pools,
            *self.caches,
            *self.stores,
            *self.workloads,
            *self.others,
        ]


def topology(diff: StackDiff) -> Topology:
    """What runs where before and after a change."""
    before, after = (layout(plan) if plan else Layout() for plan in (diff.before, diff.after))
    touched = {urn: one for one in diff.resources for urn in (one.urn, one.former) if urn}
    formers = {one.urn: one.former for one in diff.changes if one.former}

    def paired(olds: Sequence[E], news: Sequence[E]) -> list[Part[E]]:
        return [_part(old, new, touched) for old, new in _pairs(olds, news, formers)]

    return Topology(
        paired(before.clusters, after.clusters),
        paired(before.pools, after.pools),
        paired(before.caches, after.caches),
        paired(before.stores, after.stores),
        paired(before.workloads, after.workloads),
        paired(before.others, after.others),
    )


def landing(workload: Part[Workload], pool: Part[Element]) -> Landing | None:
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
        return Landing(before, after, stop, last, Kind.CREATED if before is None else Kind.DELETED)
    same = before == after and old is not None and _alike(old.stops[before - 1], stop)
    return Landing(before, after, stop, last, None if same else Kind.UPDATED)


def held(cache: Part[Cache], pool: Part[Element]) -> tuple[bool, Kind | None]:
    """Whether a pool holds a cache, and what becomes of that."""
    before = bool(cache.before and pool.before and pool.before.name in cache.before.pools)
    after = bool(cache.after and pool.after and pool.after.name in cache.after.pools)
    if before == after:
        return after, None
    return True, Kind.CREATED if after else Kind.DELETED


def _alike(old: Stop, new: Stop) -> bool:
    return (old.waits, old.most_pods) == (new.waits, new.most_pods)


def _pairs(
    olds: Sequence[E], news: Sequence[E], formers: Mapping[str, str]
) -> list[tuple[E | None, E | None]]:
    """Elements before and after, deleted ones last: of one resource, or else of one name."""
    left = list(olds)
    found: dict[int, E] = {}
    for same in (_same_resource, _same_name):
        for number, new in enumerate(news):
            old = next((one for one in left if same(one, new, formers)), None)
            if old is not None and number not in found:
                found[number] = old
                left.remove(old)
    kept = [(found.get(number), new) for number, new in enumerate(news)]
    return [*kept, *((one, None) for one in left)]


def _same_resource(old: Element, new: Element, formers: Mapping[str, str]) -> bool:
    return bool(new.main) and old.main == formers.get(new.main, new.main)


def _same_name(old: Element, new: Element, formers: Mapping[str, str]) -> bool:
    return old.name == new.name


def _part(old: E | None, new: E | None, touched: Mapping[str, ResourceChange]) -> Part[E]:
    urns = chain.from_iterable(one.urns for one in (old, new) if one)
    changes = {change.urn: change for urn in urns if (change := touched.get(urn)) is not None}
    return Part(old, new, _kind(old, new, changes))


def _kind(
    old: Element | None, new: Element | None, changes: Mapping[str, ResourceChange]
) -> Kind | None:
    """What becomes of an element: it stands or falls with its main resource."""
    if old is None or new is None:
        one = old or new
        used_only = one is None or not one.main
        return None if used_only else Kind.CREATED if old is None else Kind.DELETED
    kinds = {change.kind for change in changes.values()}
    main = changes.get(new.main)
    if main is not None:
        decisive = {main.kind}
    elif new.main in new.urns:
        decisive = set()
    else:
        decisive = kinds
    another = old.main != new.main and not (main and main.former == old.main)
    if Kind.REPLACED in decisive or (another and new.main in new.urns):
        return Kind.REPLACED
    if kinds - {Kind.MOVED}:
        return Kind.UPDATED
    return Kind.MOVED if kinds else None
