"""Compares two plans of a stack as the engine would compare a program with the state of the other.

Neither engine nor state is needed: every value in a plan that only the cloud can give knows the
resources that it comes from, so a value stays what it is unless one of these is made anew.
"""

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from ..changes import Change, Same, changes, touches, value_at
from ..model import Marker, Plan, Resource
from ..providers import deletes_first, replaces


class ChangeKind(StrEnum):
    """What happens to a resource; the most dangerous first."""

    REPLACED = "replaced"
    DELETED = "deleted"
    UPDATED = "updated"
    CREATED = "created"
    MOVED = "moved"
    """The same resource under another name or parent; nothing happens in the cloud."""

    @property
    def is_loss(self) -> bool:
        """Whether a resource goes."""
        return self in (ChangeKind.REPLACED, ChangeKind.DELETED)


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

    kind: ChangeKind
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
        return [change for change in self.changes if change.resource.custom]

    @cached_property
    def _olds(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.before.resources} if self.before else {}

    def _old(self, change: ResourceChange) -> Resource | None:
        return self._olds.get(change.former or change.urn)

    def protected(self, change: ResourceChange) -> bool:
        """Whether the engine refuses a change, since the resource may not be deleted."""
        old = self._old(change)
        return change.kind.is_loss and old is not None and old.protect

    def updated(self, *types: str) -> Iterator[tuple[ResourceChange, Resource]]:
        """Changes of resources of some types that stay what they are, each with the old one."""
        for change in self.resources:
            old = self._old(change)
            if change.kind is ChangeKind.UPDATED and change.resource.type in types and old:
                yield change, old


def compare(before: Plan | None, after: Plan | None) -> StackDiff:
    """What an update from one plan to the other does.

    Args:
        before: Plan of what stands; None for a stack that does not exist yet.
        after: Plan of what is wanted; None for a stack that is given up.
    """
    plan = after or before
    if plan is None:
        raise ValueError("a stack that is in neither revision cannot be compared")
    return _Comparison(before or _nothing(plan), after or _nothing(plan)).result(before, after)


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
        olds = {resource.urn: resource for resource in self.old.resources}
        pairs = _pairs(olds, self.new)
        self.now = {old.urn: urn for urn, old in pairs.items()}
        results = [self._change(new, pairs.get(new.urn)) for new in self.new.resources]
        gone = [
            ResourceChange(ChangeKind.DELETED, old)
            for old in olds.values()
            if old.urn not in self.now
        ]
        news = {resource.urn: resource for resource in self.new.resources}
        return StackDiff(
            self.new.project,
            self.new.stack,
            before,
            after,
            tuple([result for result in results if result is not None] + gone),
            sum(
                resource.custom
                for resource, change in zip(self.new.resources, results, strict=True)
                if not change
            ),
            tuple(differing(self.old.outputs, self.new.outputs, self._same)),
            tuple(urn for urn, old in pairs.items() if old.protect and not news[urn].protect),
        )

    def _change(self, new: Resource, old: Resource | None) -> ResourceChange | None:
        if old is None:
            self.fresh.add(new.urn)
            return ResourceChange(ChangeKind.CREATED, new)
        differing = [
            change
            for change in changes(old.inputs, new.inputs, same=self._same)
            if not any(touches(change, path) for path in new.ignore_changes)
        ]
        replacing = {change for change in differing if _replaces(new, old.inputs, change)}
        because = self._causes(new, old, differing)
        if replacing or (new.custom and self._must_go(new, old)):
            kind = ChangeKind.REPLACED
        elif differing:
            kind = ChangeKind.UPDATED
        elif old.urn != new.urn:
            kind = ChangeKind.MOVED
        else:
            return None
        first = kind is ChangeKind.REPLACED and self._goes_first(new, differing)
        if kind is ChangeKind.REPLACED:
            self.fresh.add(new.urn)
        if first:
            self._force_dependents(old)
        former = old.urn if old.urn != new.urn else ""
        properties = tuple(_property(old, new, change, change in replacing) for change in differing)
        return ResourceChange(kind, new, former, properties, because, first)

    def _same(self, old: object, new: object) -> bool:
        """Whether a value stays what it is, also one that only the cloud knows."""
        if not (isinstance(old, Marker) and isinstance(new, Marker)):
            return old == new
        origin = {self.now.get(urn, urn) for urn in old.origin}
        same_origin = origin == new.origin and not (new.origin & self.fresh)
        return old == new and old.digest == new.digest and same_origin

    def _must_go(self, new: Resource, old: Resource) -> bool:
        """Whether it is replaced though none of its own properties asks for that."""
        return old.urn in self.forced or new.provider_urn in self.fresh

    def _goes_first(self, new: Resource, differing: list[Change]) -> bool:
        # The provider of another cluster makes another object, also under the same name.
        elsewhere = new.provider_urn in self.fresh
        return new.delete_before_replace or (not elsewhere and deletes_first(new.type, differing))

    def _force_dependents(self, root: Resource) -> None:
        """Finds what cannot stay without a resource that is deleted before its successor is made.

        As the engine does: what depends on it takes part if a value that is not known would replace
        it, and so does what depends on that.
        """
        going = {root.urn}
        for resource in self.old.resources:
            if not resource.custom or resource.urn in going:
                continue
            open_ = [key for key, urns in resource.property_dependencies.items() if going & {*urns}]
            if resource.provider_urn in going or any(
                _replaces(resource, resource.inputs, Change((key,), "UPDATE")) for key in open_
            ):
                going.add(resource.urn)
                self.forced.setdefault(resource.urn, root.urn)

    def _causes(self, new: Resource, old: Resource, differing: list[Change]) -> tuple[str, ...]:
        origins = {
            urn
            for change in differing
            for marker in _markers(value_at(new.inputs, change.path))
            for urn in marker.origin
        }
        causes = {
            urn
            for urn in {*origins, new.provider_urn}
            if urn in self.fresh and urn in self.now.values()
        }
        if old.urn in self.forced:
            causes.add(self.now.get(self.forced[old.urn], self.forced[old.urn]))
        return tuple(sorted(causes))


def differing(
    old: Mapping[str, Any], new: Mapping[str, Any], same: Same = operator.eq
) -> Iterator[Property]:
    """The properties of two maps that are not the same."""
    for change in changes(old, new, same=same):
        yield Property(change.name, value_at(old, change.path), value_at(new, change.path))


def _pairs(olds: Mapping[str, Resource], new: Plan) -> dict[str, Resource]:
    """Old resources by the URN that they have from now on."""
    pairs = {resource.urn: olds[resource.urn] for resource in new.resources if resource.urn in olds}
    used = set(pairs)
    for resource in new.resources:
        former = next((urn for urn in resource.aliases if urn in olds and urn not in used), None)
        if resource.urn not in pairs and former is not None:
            pairs[resource.urn] = olds[former]
            used.add(former)
    return pairs


def _replaces(resource: Resource, before: Mapping[str, Any], change: Change) -> bool:
    return replaces(resource.type, before, change) or any(
        touches(change, path) for path in resource.replace_on_changes
    )


def _property(old: Resource, new: Resource, change: Change, replacing: bool) -> Property:
    path = change.path
    return Property(change.name, value_at(old.inputs, path), value_at(new.inputs, path), replacing)


def _markers(value: object) -> Iterator[Marker]:
    if isinstance(value, Marker):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _markers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _markers(inner)
