"""What stands in the cluster that the stack file does not say, by who set it last.

The API server keeps a list of fields for each manager of an object. Fields that a person's tool
owns are drift where the stack plans the object; what controllers own is their work.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plan.objects import Objects, items, kind_of, name_of, namespace_of, section

BY_HAND: Final = re.compile(r"kubectl|k9s|lens|headlamp|rancher|Mozilla", re.IGNORECASE)
"""Managers behind which a person stands. https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
MOST_FIELDS: Final = 4


def drift(planned: Objects, live: Objects) -> Iterator[str]:
    """A sentence per object of the stack that a person's tool owns fields of."""
    for manifest in planned:
        there = live.get(*kind_of(manifest), name_of(manifest), namespace_of(manifest))
        for entry in items(section(there, "metadata"), "managedFields"):
            manager = str(entry.get("manager"))
            if not BY_HAND.match(manager) or entry.get("subresource"):
                continue
            paths = [*_paths(section(entry, "fieldsV1"))]
            if paths:
                more = len(paths) - MOST_FIELDS
                shown = ", ".join(paths[:MOST_FIELDS]) + (f" and {more} more" if more > 0 else "")
                subject = f"{manifest['kind']} {namespace_of(manifest)}/{name_of(manifest)}"
                yield (
                    f"{subject}: {manager} has set {shown} at {entry.get('time')}; the next "
                    "`pulumi up` may meet a conflict there."
                )


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
