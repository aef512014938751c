"""What stands in the cluster that the stack file does not say: other values, and who set them.

The API server keeps a list of fields for each manager of an object. Fields that a person's tool
owns are drift where the stack plans the object; what controllers own is their work.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.quantity import parse
from plan.model import Marker
from plan.objects import Manifest, Objects, items, kind_of, name_of, namespace_of, section

from .model import UP_AGAIN

BY_HAND: Final = re.compile(r"kubectl|k9s|lens|headlamp|rancher|Mozilla", re.IGNORECASE)
"""Managers behind which a person stands. https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
TAKEN_OVER: Final = "kubectl"
"""How the name of a manager begins whose fields each update of an object makes Pulumi's own.

It then removes those which the program does not say. pulumi-kubernetes v4.32.0,
provider/pkg/await/await.go, fixCSAFieldManagers; findings/pulumi-takes-back-what-kubectl-set.sh
"""
MOST_FIELDS: Final = 4


def drift(planned: Objects, live: Objects) -> Iterator[str]:
    """A sentence per object of the stack that differs, or that a person's tool owns fields of."""
    for manifest in planned:
        there = live.get(*kind_of(manifest), name_of(manifest), namespace_of(manifest))
        if there is None:
            continue
        if fields := [*_differing(section(manifest, "spec"), section(there, "spec"), "spec")]:
            yield (
                f"{_subject(manifest)}: {_some(fields)} not as the stack file says; "
                f"{UP_AGAIN} puts it back, unless this is another stack's cluster."
            )
        for entry in items(section(there, "metadata"), "managedFields"):
            manager = str(entry.get("manager"))
            if not BY_HAND.match(manager) or entry.get("subresource"):
                continue
            paths = [*_paths(section(entry, "fieldsV1"))]
            if paths:
                yield (
                    f"{_subject(manifest)}: {manager} has set {_some(paths)} at "
                    f"{entry.get('time')}; {_fate(manager)}."
                )


def _subject(manifest: Manifest) -> str:
    return f"{manifest['kind']} {namespace_of(manifest)}/{name_of(manifest)}"


def _fate(manager: str) -> str:
    """What the next update of an object does to the fields of a manager."""
    conflict = "ends in a conflict where it says another value"
    if manager.startswith(TAKEN_OVER):
        return (
            "the object's next update removes what the stack file does not say, which no preview "
            f"shows, and its preview {conflict}"
        )
    return f"an update keeps what the stack file does not say, and {conflict}"


def _some(paths: list[str]) -> str:
    more = len(paths) - MOST_FIELDS
    return ", ".join(paths[:MOST_FIELDS]) + (f" and {more} more" if more > 0 else "")


def _differing(planned: object, live: object, path: str) -> Iterator[str]:
    """Fields whose planned value is not what stands there; what is added beside them is not ours.

    Values are never shown: some are secret.
    """
    if planned is None or planned == live or isinstance(planned, Marker):
        return
    if isinstance(planned, Mapping) and isinstance(live, Mapping):
        for key, value in planned.items():
            yield from _differing(value, live.get(key), f"{path}.{key}")
    elif isinstance(planned, list | tuple) and isinstance(live, list):
        if len(planned) != len(live):
            yield path
            return
        for number, pair in enumerate(zip(planned, live, strict=True)):
            yield from _differing(*pair, f"{path}[{number}]")
    elif _number(planned) != _number(live):
        yield path


def _number(value: object) -> object:
    """A quantity by its size, as the API server may write it in another form."""
    try:
        return parse(str(value))
    except ValueError:
        return value


def _paths(fields: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Fields of a list as paths, without what only says that a map is there."""
    for key, below in fields.items():
        if key == ".":
            continue
        kind, _, name = key.partition(":")
        here = f"{path}.{name}" if kind == "f" else f"{path}[{name}]"
        here = here.removeprefix(".")
        inner = [*_paths(below, here)] if isinstance(below, Mapping) else []
        yield from inner or [here]
