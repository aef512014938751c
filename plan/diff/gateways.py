"""Whom a gateway answers no more, though it stays."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..objects import items, section
from .compare import StackDiff

GATEWAY: Final = "kubernetes:gateway.networking.k8s.io/v1:Gateway"


def left_alone(diff: StackDiff) -> Iterator[str]:
    """One sentence per gateway that listens elsewhere, or to another host."""
    for change, old in diff.updated(GATEWAY):
        now = [*_addresses(change.resource.inputs)]
        gone = [
            _words(host, door)
            for host, door in _addresses(old.inputs)
            if not any(by == door and name in (None, host) for name, by in now)
        ]
        if gone:
            yield (
                f"The gateway {change.resource.name} answers no more at {' and '.join(gone)}, but "
                f"at {' and '.join(_words(*address) for address in now)}: its clients have to ask "
                "there."
            )


def _addresses(inputs: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """Host of each listener, None for every host, and how it is asked."""
    for listener in items(section(inputs, "spec"), "listeners"):
        yield listener.get("hostname"), f"{listener.get('protocol')} (port {listener.get('port')})"


def _words(host: str | None, door: str) -> str:
    return f"{host or 'every host'} by {door}"
