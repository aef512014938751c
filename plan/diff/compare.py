"""Compares two plans of a stack as the engine would compare a program with the state of the other.

Neither engine nor state is needed: every value in a plan that only the cloud can give knows the
resources that it comes from, so a value stays what it is unless one of these is made anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..changes import Change, changes, touches, value_at
from ..model import Marker, Plan, Resource
from ..providers import deletes_first, replaces


class Kind(StrEnum):
    """What happens to a resource; the most dangerous first."""

    REPLACED = "replaced"
    DELETED = "deleted"
    UPDATED = "updated"
    CREATED = "created"
    MOVED = "moved"
    """The same resource under another name or parent; nothing happens in the cloud."""


@dataclass(frozen=True)
class Property:
    """A property that is not what it was."""

    path: str
    """As the engine writes it, e.g. `spec.units[0].resource`."""
    old: Any
    """Value before; `ABSENT` where there was none."""
    new: Any
    replaces: bool = False
    """True where only a new resource can have it."""


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one resource, and why."""

    kind: Kind
    resource: Resource
    """As it will be; as it was, where it is deleted."""
    former: str = ""
    """URN before, where it is another one."""
    properties: tuple[Property, ...] = ()
    because: tuple[str, ...] = ()
    """URNs of the replaced resources that drag it along."""
    deletes_first: bool = False
    """True where the old one goes before the new one comes."""

    @property
    def urn(self) -> str:
        """URN after; before, where it is deleted."""
        return self.resource.urn


@dataclass(frozen=True)
class StackDiff:
    """What happens to a stack."""

    project: str
    stack: str
    before: Plan | None
    """None where the stack is new."""
    after: Plan | None
    """None where the stack's file is gone."""
    changes: tuple[ResourceChange, ...] = ()
    """In the order in which the program declares the resources, deleted ones last; with components,
    which are groups of resources and nothing in the cloud."""
    unchanged: int | None = 0
    """Resources that stay as they are, components left out; None where that is not known."""
    outputs: tuple[Property, ...] = ()
    """Outputs of the stack that differ."""
    unprotected: tuple[str, ...] = ()
    """URNs of resources that the engine may delete from now on."""

    @property
    def resources(self) -> list[ResourceChange]:
        """The changes of what is something in the cloud or in the cluster."""
        return [one for one in self.changes if one.resource.custom]

    def protected(self, change: ResourceChange) -> bool:
        """Whether the engine refuses a change, since the resource may not be deleted."""
        before = {one.urn: one for one in self.before.resources} if self.before else {}
        old = before.get(change.former or change.urn)
        gone = change.kind in (Kind.REPLACED, Kind.DELETED)
        return gone and old is not None and old.protect


def compare(before: Plan | None, after: Plan | None) -> StackDiff:
    """What an update from one plan to the other does.

    Args:
        before: Plan of what stands; None for a stack that does not exist yet.
        after: Plan of what is wanted; None for a stack that is given up.
    """
    known = after or before
    if known is None:
        raise ValueError("a stack that is in neither revision cannot be compared")
    return _Comparison(before or _nothing(known), after or _nothing(known)).result(before, after)


def _nothing(like: Plan) -> Plan:
    return Plan(like.project, like.stack, ())


@dataclass
class _Comparison:
    old: Plan
    new: Plan
    fresh: set[str] = field(default_factory=set)
    """URNs after, of resources that are made: nothing of them is known before the update."""
    now: dict[str, str] = field(default_factory=dict)
    """URN after, by URN before."""
    forced: dict[str, str] = field(default_factory=dict)
    """URNs before, of resources that have to go with one that is deleted first, and its URN."""

    def result(self, before: Plan | None, after: Plan | None) -> StackDiff:
        olds = {one.urn: one for one in self.old.resources}
        pairs = _pairs(olds, self.new)
        self.now = {old.urn: urn for urn, old in pairs.items()}
        found = [self._change(new, pairs.get(new.urn)) for new in self.new.resources]
        gone = [
            ResourceChange(Kind.DELETED, old) for old in olds.values() if old.urn not in self.now
        ]
        kept = {one.urn: one for one in self.new.resources}
        return StackDiff(
            self.new.project,
            self.new.stack,
            before,
            after,
            tuple([one for one in found if one is not None] + gone),
            sum(
                one.custom
                for one, change in zip(self.new.resources, found, strict=True)
                if not change
            ),
            tuple(self._properties(self.old.outputs, self.new.outputs)),
            tuple(urn for urn, old in pairs.items() if old.protect and not kept[urn].protect),
        )

    def _change(self, new: Resource, old: Resource | None) -> ResourceChange | None:
        if old is None:
            self.fresh.add(new.urn)
            return ResourceChange(Kind.CREATED, new)
        differing = [
            one
            for one in changes(old.inputs, new.inputs, same=self._same)
            if not any(touches(one, path) for path in new.ignore_changes)
        ]
        replacing = {one for one in differing if _replaces(new, one)}
        because = self._causes(new, old, differing)
        if replacing or (new.custom and self._must_go(new, old)):
            kind = Kind.REPLACED
        elif differing:
            kind = Kind.UPDATED
        elif old.urn != new.urn:
            kind = Kind.MOVED
        else:
            return None
        first = kind is Kind.REPLACED and self._goes_first(new, differing)
        if kind is Kind.REPLACED:
            self.fresh.add(new.urn)
        if first:
            self._force_dependents(old)
        former = old.urn if old.urn != new.urn else ""
        properties = tuple(_property(old, new, one, one in replacing) for one in differing)
        return ResourceChange(kind, new, former, properties, because, first)

    def _same(self, old: object, new: object) -> bool:
        """Whether a value stays what it is, also one that only the cloud knows."""
        if not (isinstance(old, Marker) and isinstance(new, Marker)):
            return old == new
        origin = {self.now.get(urn, urn) for urn in old.origin}
        kept = origin == new.origin and not (new.origin & self.fresh)
        return old == new and old.digest == new.digest and kept

    def _must_go(self, new: Resource, old: Resource) -> bool:
        """Whether it is replaced though none of its own properties asks for that."""
        return old.urn in self.forced or _provider(new) in self.fresh

    def _goes_first(self, new: Resource, differing: list[Change]) -> bool:
        # The provider of another cluster makes another object, also under the same name.
        elsewhere = _provider(new) in self.fresh
        return new.delete_before_replace or (not elsewhere and deletes_first(new.type, differing))

    def _force_dependents(self, root: Resource) -> None:
        """Finds what cannot stay without a resource that is deleted before its successor is made.

        As the engine does: what depends on it takes part if a value that is not known would replace
        it, and so does what depends on that.
        """
        going = {root.urn}
        for one in self.old.resources:
            if not one.custom or one.urn in going:
                continue
            open_ = [key for key, urns in one.property_dependencies.items() if going & {*urns}]
            if _provider(one) in going or any(
                _replaces(one, Change((key,), "UPDATE")) for key in open_
            ):
                going.add(one.urn)
                self.forced.setdefault(one.urn, root.urn)

    def _causes(self, new: Resource, old: Resource, differing: list[Change]) -> tuple[str, ...]:
        origins = {
            urn
            for one in differing
            for marker in _markers(value_at(new.inputs, one.path))
            for urn in marker.origin
        }
        causes = {
            urn
            for urn in {*origins, _provider(new)}
            if urn in self.fresh and urn in self.now.values()
        }
        if old.urn in self.forced:
            causes.add(self.now.get(self.forced[old.urn], self.forced[old.urn]))
        return tuple(sorted(causes))

    def _properties(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Property]:
        for one in changes(old, new, same=self._same):
            yield Property(one.name, value_at(old, one.path), value_at(new, one.path))


def _pairs(olds: Mapping[str, Resource], new: Plan) -> dict[str, Resource]:
    """Old resources by the URN that they have from now on."""
    pairs = {one.urn: olds[one.urn] for one in new.resources if one.urn in olds}
    taken = set(pairs)
    for one in new.resources:
        former = next((urn for urn in one.aliases if urn in olds and urn not in taken), None)
        if one.urn not in pairs and former is not None:
            pairs[one.urn] = olds[former]
            taken.add(former)
    return pairs


def _replaces(one: Resource, change: Change) -> bool:
    return replaces(one.type, one.inputs, change) or any(
        touches(change, path) for path in one.replace_on_changes
    )


def _property(old: Resource, new: Resource, change: Change, replacing: bool) -> Property:
    path = change.path
    return Property(change.name, value_at(old.inputs, path), value_at(new.inputs, path), replacing)


def _provider(one: Resource) -> str:
    """URN of its explicit provider, empty without one."""
    return one.provider.rpartition("::")[0]


def _markers(value: object) -> Iterator[Marker]:
    if isinstance(value, Marker):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _markers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _markers(inner)
