"""The cloud: one file with every resource that exists, which tests read and change."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..private import write_private


class Existing(NamedTuple):
    """A resource in the cloud."""

    type: str
    id: str
    name: str
    """Name in the program that made it: for people, the cloud itself does not know it."""
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class CloudFile:
    """Every resource of one account, by type and ID."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()

    def resources(self) -> list[Existing]:
        """All resources, in the order in which they were made."""
        with self._lock:
            return self._load()

    def created(self) -> list[Existing]:
        """Those that a program made: without what the account had before."""
        return [resource for resource in self.resources() if resource.name]

    def find(self, type_: str, id_: str) -> Existing | None:
        """The resource of this type and ID."""
        return next(
            (
                resource
                for resource in self.resources()
                if (resource.type, resource.id) == (type_, id_)
            ),
            None,
        )

    @contextmanager
    def changing(self) -> Iterator[list[Existing]]:
        """Gives all resources to change, and stores them whole; nothing where it raises."""
        with self._lock:
            resources = self._load()
            yield resources
            self._store(resources)

    def change(self, type_: str, id_: str, **inputs: Any) -> None:
        """Changes a resource behind everybody's back."""
        with self.changing() as resources:
            [existing] = [
                resource for resource in resources if (resource.type, resource.id) == (type_, id_)
            ]
            existing.inputs.update(inputs)
            existing.outputs.update(inputs)

    def _load(self) -> list[Existing]:
        try:
            return [Existing(**row) for row in json.loads(self.path.read_text())]
        except FileNotFoundError:
            return []

    def _store(self, resources: list[Existing]) -> None:
        rows: list[Mapping[str, Any]] = [resource._asdict() for resource in resources]
        write_private(self.path, json.dumps(rows, indent=1))
