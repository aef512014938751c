"""Shows a diff as one HTML page that needs nothing beside itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..changes import ABSENT
from ..cost_render import comparison_cells, comparison_notes
from ..graph.model import Cache, Node, Pool, Preemption, Workload
from ..model import Marker, type_name
from ..words import facts
from .compare import ChangeKind, Property, ResourceChange, StackDiff
from .dangers import alarms, by_danger
from .report import PlanRefusal, Report, StackReport, comparison
from .text import by_kind, notes, owner, telling, written
from .topology import DiffTopology, Fact, Landing, Part, holding, landing, topology_of

SIGNS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.REPLACED: "±",
    ChangeKind.DELETED: "−",  # noqa: RUF001  as wide as the plus
    ChangeKind.UPDATED: "~",
    ChangeKind.CREATED: "+",
    ChangeKind.MOVED: "→",
}
"""Marks beside the words and colours, so that none of them stands alone."""

_WHOLE: Final = (ChangeKind.CREATED, ChangeKind.DELETED)
"""What becomes of all of a part, and so of each of its stations."""
CONTEXT: Final = 48
"""Characters that are shown of what two values share, on either side of the difference."""
SHORT: Final = 24
"""Characters of a fact that is shown as a whole, before and after."""
LONGEST: Final = 1200
"""Characters that are shown of what differs."""
OPEN: Final = 12
"""Changes up to which all of them are open; of more, only what makes others be replaced."""


def render_page(report: Report) -> str:
    """The page of everything between two revisions: what runs where, what it costs, what changes.

    Nothing in it comes from elsewhere, and nothing runs.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "breakable": breakable,
        "coded": coded,
        "pieces": pieces,
        "type_name": type_name,
    }
    return environment.get_template("page.html.j2").render(
        report=report, stacks=[_stack(section) for section in report.sections], signs=SIGNS
    )


@dataclass(frozen=True)
class Value:
    """A value before or after, in pieces: what it shares with the other one is not marked."""

    start: str
    differs: str
    end: str
    marker: bool = False
    """Whether it stands for a value that is not shown."""


@dataclass(frozen=True)
class PropertyRow:
    """A property before and after."""

    path: str
    old: Value
    new: Value
    replaces: bool


@dataclass(frozen=True)
class Entry:
    """A resource that changes."""

    change: ResourceChange
    notes: Sequence[str]
    rows: Sequence[PropertyRow]
    open: bool


@dataclass(frozen=True)
class Station:
    """A workload or a cache in the lane of a pool."""

    kind: ChangeKind | None
    place: str
    """`1st`, `2nd` and so on; what a cache does there."""
    order: int
    words: Sequence[str]
    joined: bool = False
    """Whether the track goes on to the right."""


@dataclass(frozen=True)
class Track:
    """A row of the topology, with a cell for each pool."""

    part: Part[Node]
    kind: str
    """`workload` or `cache`."""
    cells: Sequence[Station | str]
    """A station, `passed` where the track goes through, or nothing."""


@dataclass(frozen=True)
class Costs:
    """Node-hours and money, in words."""

    headings: Sequence[str]
    pools: Sequence[Sequence[Sequence[str]]]
    """The rows of each pool that changes, and of the total."""
    notes: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Stack:
    """A stack on the page."""

    name: str
    verdict: str
    refusals: Sequence[PlanRefusal]
    alarms: Sequence[str] = ()
    advice: Sequence[str] = ()
    counts: Mapping[ChangeKind, int] | None = None
    """None where the stack is refused."""
    unchanged: int | None = None
    """Resources that stay; None where that is not known."""
    topology: DiffTopology | None = None
    lanes: Sequence[Part[Pool]] = ()
    tracks: Sequence[Track] = ()
    readers: Mapping[str, str] | None = None
    """Who reads a store, by its name."""
    costs: Costs | None = None
    entries: Sequence[Entry] = ()
    outputs: Sequence[PropertyRow] = ()

    @property
    def changed(self) -> bool:
        """Whether anything happens to it."""
        return bool(self.entries or self.outputs)

    @property
    def rest(self) -> str:
        """How many resources stay, in words."""
        return "others are not known" if self.unchanged is None else f"{self.unchanged} unchanged"

    @property
    def summary(self) -> str:
        """The stack in a line."""
        counts = [f"{SIGNS[kind]} {count} {kind}" for kind, count in (self.counts or {}).items()]
        return ", ".join(counts) or self.verdict


def _stack(section: StackReport) -> Stack:
    diff = section.diff
    if diff is None:
        return Stack(section.stack, "cannot be compared", section.refusals)
    topology = topology_of(diff)
    lanes = _lanes(topology)
    return Stack(
        name=section.stack,
        verdict=_verdict(diff),
        refusals=section.refusals,
        alarms=alarms(section),
        advice=section.advice,
        counts=by_kind(diff),
        unchanged=diff.unchanged,
        topology=topology,
        lanes=lanes,
        tracks=_tracks(topology, lanes),
        readers=_readers(topology),
        costs=_costs(diff),
        entries=_entries(diff),
        outputs=_rows(diff.outputs),
    )


def _verdict(diff: StackDiff) -> str:
    if diff.before is None:
        return "is new"
    if diff.after is None:
        return "is given up"
    return "changes" if diff.resources or diff.outputs else "stays as it is"


def _lanes(topology: DiffTopology) -> list[Part[Pool]]:
    """The pools in the order in which most pods try them; caches, then the rest, come last."""

    def rank(pool: Part[Pool]) -> tuple[int, float]:
        places = [
            stop.after or stop.before or 0
            for workload in topology.workloads
            if (stop := landing(workload, pool))
        ]
        if places:
            return 0, sum(places) / len(places)
        return (1 if any(holding(cache, pool)[0] for cache in topology.caches) else 2), 0

    return sorted(topology.pools, key=rank)


def _tracks(topology: DiffTopology, lanes: Sequence[Part[Pool]]) -> list[Track]:
    """Each workload, and below it the caches that it alone or first reads through."""
    tracks = []
    unplaced = list(topology.caches)
    for workload in topology.workloads:
        tracks.append(_workload_track(workload, topology, lanes))
        sides = [side for side in (workload.before, workload.after) if side]
        names = {name for side in sides for name in side.caches}
        for cache in [cache for cache in unplaced if cache.now.name in names]:
            unplaced.remove(cache)
            tracks.append(_cache_track(cache, lanes))
    return tracks + [_cache_track(cache, lanes) for cache in unplaced]


def _workload_track(
    workload: Part[Workload], topology: DiffTopology, lanes: Sequence[Part[Pool]]
) -> Track:
    stations: list[Station | None] = []
    for pool in lanes:
        stop = landing(workload, pool)
        if stop is None:
            stations.append(None)
            continue
        kind = workload.kind if workload.kind in _WHOLE else stop.kind
        place, words = stop.after or stop.before or 0, _words(workload, stop, pool, topology)
        stations.append(Station(kind, ordinal(place), place, words))
    return Track(workload, "workload", _cells(stations))


def _cells(stations: Sequence[Station | None]) -> list[Station | str]:
    """The stations of a track, and how it goes on between them."""
    last = max((number for number, station in enumerate(stations) if station), default=-1)
    return [
        replace(station, joined=number < last) if station else "passed" if number < last else ""
        for number, station in enumerate(stations)
    ]


def _words(
    workload: Part[Workload], landed: Landing, pool: Part[Pool], topology: DiffTopology
) -> list[str]:
    """What happens to a pod that comes to a pool."""
    now = workload.now
    names = (topology.after if workload.after else topology.before).yielding(now)
    yielding = [
        lower.now.name
        for lower in topology.workloads
        if lower.now.name in names and lower.now.place(pool.now.name)
    ]
    ends_here = now.preemption is Preemption.BEFORE_NEXT or landed.last
    words = []
    if landed.before and landed.after and landed.before != landed.after:
        words.append(f"was {ordinal(landed.before)}")
    if landed.stop.most_pods is not None:
        words.append(f"at most {landed.stop.most_pods} pods")
    if yielding and ends_here:
        words.append(f"if full, {', '.join(yielding)} {_gives(yielding)} way")
    if landed.stop.waits:
        words.append("waits for new nodes")
    return words


def _gives(names: Sequence[str]) -> str:
    return "gives" if len(names) == 1 else "give"


def _cache_track(cache: Part[Cache], lanes: Sequence[Part[Pool]]) -> Track:
    about = facts(cache.now)
    words = [f"{about.get('workers', '?')} x {about.get('each', '?')}"]
    stations = [
        Station(cache.kind if cache.kind in _WHOLE else kind, "holds", 0, words) if is_on else None
        for is_on, kind in (holding(cache, pool) for pool in lanes)
    ]
    return Track(cache, "cache", _cells(stations))


def _readers(topology: DiffTopology) -> Mapping[str, str]:
    readers = {}
    for store in topology.stores:
        names = [
            f"{now.name} (through its cache)" if now.caches else now.name
            for now in (workload.now for workload in topology.workloads)
            if any(files.store.name == store.now.name for files in now.files)
        ]
        # A model with roles is a workload for each.
        readers[store.now.name] = f", used by {', '.join(dict.fromkeys(names))}" if names else ""
    return readers


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th`."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _costs(diff: StackDiff) -> Costs | None:
    compared = comparison(diff)
    billed = compared.before.lines or compared.after.lines
    if not billed or not diff.changes:
        return None
    headings, cells = comparison_cells(compared)
    pools: list[list[Sequence[str]]] = []
    for row in cells:
        if row[0]:
            pools.append([])
        pools[-1].append(row)
    return Costs(headings, pools, [note for note in comparison_notes(compared) if note[1]])


def _entries(diff: StackDiff) -> list[Entry]:
    changes = by_danger(diff.resources)
    is_short = sum(bool(change.properties) for change in changes) <= OPEN
    return [
        Entry(
            change,
            notes(diff, change),
            _rows(telling(change)),
            is_short or (change.kind is ChangeKind.REPLACED and not change.because),
        )
        for change in changes
    ]


def _rows(properties: Iterable[Property]) -> list[PropertyRow]:
    return [
        PropertyRow(changed.path, *difference(changed.old, changed.new), changed.replaces)
        for changed in properties
    ]


def difference(old: Any, new: Any) -> tuple[Value, Value]:
    """Two values, with the words marked in which they differ."""
    if isinstance(old, Marker) or isinstance(new, Marker):
        return _in_one_piece(old), _in_one_piece(new)
    olds, news = (re.findall(r"\w+|\W", written(value)) for value in (old, new))
    start = _shared(olds, news)
    before, olds, news = "".join(olds[:start]), olds[start:], news[start:]
    end = _shared(olds[::-1], news[::-1])
    after = "".join(olds[len(olds) - end :])
    if len(before) > CONTEXT:
        before = f"…{before[-CONTEXT:]}"
    if len(after) > CONTEXT:
        after = f"{after[:CONTEXT]}…"
    was, becomes = (_cut("".join(words[: len(words) - end])) for words in (olds, news))
    return Value(before, was, after), Value(before, becomes, after)


def _shared(olds: Sequence[str], news: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(olds, news, strict=False)))


def pieces(fact: Fact) -> tuple[str, str, str, str]:
    """What a fact was and is: what both begin with, what each has of its own, how both end."""
    if fact.before == fact.after:
        return fact.after, "", "", ""
    if not (fact.before and fact.after) or len(fact.after) <= SHORT:
        return "", fact.before, fact.after, ""
    old, new = difference(fact.before, fact.after)
    return old.start, old.differs, new.differs, old.end


def coded(sentence: str) -> Markup:
    """A sentence with what stands between backticks as code."""
    parts = enumerate(re.split(r"`([^`]+)`", sentence))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in parts
    )


def breakable(path: str) -> Markup:
    """A path or a range that may be broken after each of its parts."""
    return Markup("<wbr>").join(re.split(r"(?<=[.\]])(?!\.)", path))


def _in_one_piece(value: Any) -> Value:
    """A value in one piece; of one that only the cloud knows, whose it is."""
    if value is ABSENT:
        return Value("", "", "")
    return Value("", _cut(written(value)), owner(value), isinstance(value, Marker))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
