"""What the providers know of a change before they ask a cloud: whether it replaces, in which order.

The tables of a provider are in the module of its name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..changes import Change, touches
from . import alicloud, kubernetes


def replaces(type_: str, inputs: Mapping[str, Any], change: Change) -> bool:
    """Whether only a new resource can have this change.

    Args:
        type_: Type token.
        inputs: Its inputs before the change.
        change: One property that differs.
    """
    match type_.split(":"):
        case ["alicloud", *_]:
            return alicloud.replaces(type_, change)
        case ["kubernetes", *_]:
            return kubernetes.replaces(type_, inputs, change)
        case ["pulumi", "providers", "kubernetes"]:
            return kubernetes.replaces_provider(inputs, change)
    return False


def deletes_first(type_: str, changes: Iterable[Change]) -> bool:
    """Whether a new resource has to wait until the old one is gone, since it has the same ID.

    Args:
        type_: Type token.
        changes: All properties that differ.
    """
    match type_.split(":"):
        case ["alicloud", *_]:
            identity = alicloud.IDENTITIES.get(type_)
        case ["kubernetes", *_]:
            identity = kubernetes.identity(type_)
        case _:
            identity = None
    return identity is not None and not any(
        touches(change, path) for change in changes for path in identity
    )
