"""Values and counts of a diff as text."""

import json
from collections import Counter
from typing import Any, Final

from ..changes import ABSENT
from ..model import Marker, name_in
from ..pods import pods_of
from .compare import ChangeKind, Property, ResourceChange, StackDiff
from .kserve import INFERENCE_SERVICE

LONGEST: Final = 200
"""Characters of a value that are shown."""

_MOST_OWNERS: Final = 2
_SCALES: Final = tuple(
    f"spec.predictor.{field}"
    for field in ("autoScaling", "deploymentStrategy", "maxReplicas", "minReplicas", "scale")
)
"""Fields of KServe beside those of a pod, which change no pod: v0.20.0, ComponentExtensionSpec."""
_COPIED: Final = ("metadata.annotations", "metadata.labels")
"""What KServe gives to the pods of an InferenceService too: v0.20.0, buildObjectMeta."""


def written(value: Any) -> str:
    """A value on one line: text as it is where it can be read, everything else as JSON."""
    plain = isinstance(value, str) and (isinstance(value, Marker) or value.isprintable())
    return value if plain and value else json.dumps(value, ensure_ascii=False)


def excerpt(value: Any) -> str:
    """The same, cut where it is long."""
    text = written(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def difference(property_: Property) -> str:
    """The value before and after; of one that only the cloud knows, whose it is."""
    if property_.old is ABSENT:
        return f"+ {excerpt(property_.new)}"
    if property_.new is ABSENT:
        return f"- {excerpt(property_.old)}"
    old, new = (f"{excerpt(value)}{owner(value)}" for value in (property_.old, property_.new))
    return f"{excerpt(property_.old)} -> {new}" if old == new else f"{old} -> {new}"


def telling(change: ResourceChange) -> list[Property]:
    """The properties that say more than why the resource is dragged along."""
    if change.kind is not ChangeKind.REPLACED or not change.because:
        return list(change.properties)
    return [
        property_
        for property_ in change.properties
        if not (isinstance(property_.old, Marker) and isinstance(property_.new, Marker))
        or property_.old.origin != property_.new.origin
    ]


def owner(value: Any) -> str:
    """Of a value that only the cloud knows, whose it is: ` of a10-pool`; empty of any other."""
    names = sorted(map(name_in, getattr(value, "origin", ())))
    if not names:
        return ""
    return f" of {', '.join(names[:_MOST_OWNERS])}{' ...' if names[_MOST_OWNERS:] else ''}"


def by_kind(diff: StackDiff) -> dict[ChangeKind, int]:
    """How many resources it touches, by what happens to them; the most dangerous first."""
    counted = Counter(change.kind for change in diff.resources)
    return {kind: counted[kind] for kind in ChangeKind if counted[kind]}


def counts(diff: StackDiff) -> str:
    """The same in one line."""
    parts = [f"{count} {kind}" for kind, count in by_kind(diff).items()]
    if diff.unchanged:
        parts.append(f"{diff.unchanged} unchanged")
    return ", ".join(parts) or "nothing changes"


def reason(change: ResourceChange) -> str:
    """Why a resource is touched, where its own properties do not say it; empty otherwise."""
    names = ", ".join(map(name_in, change.because))
    if not names:
        return ""
    return f"because {names} {'are' if len(change.because) > 1 else 'is'} replaced"


def restarts(change: ResourceChange) -> bool:
    """Whether an object that is changed in place makes its pods anew: their template differs."""
    manifest = change.resource.manifest
    if change.kind is not ChangeKind.UPDATED or manifest is None:
        return False
    # Labels and annotations of a template count too. A patch of a leader begins as the leader does.
    templates = tuple(pods.path.removesuffix(".spec") for pods in pods_of(manifest))
    if change.resource.type == INFERENCE_SERVICE:
        templates += _COPIED
    return any(
        property_.path.startswith(templates) and not property_.path.startswith(_SCALES)
        for property_ in change.properties
    )


def notes(diff: StackDiff, change: ResourceChange) -> list[str]:
    """What else is to be said of a change, in a few words each."""
    former = name_in(change.former)
    sentences = [
        "protected: the engine refuses this" if diff.protected(change) else "",
        reason(change),
        "the old one is deleted before the new one is made" if change.deletes_first else "",
        "its pods are made anew" if restarts(change) else "",
        f"was {excerpt(former)}" if former else "",
    ]
    return [note for note in sentences if note]
