"""What stands for a value that only a cloud can give, until the cloud has given it.

Every part of an environment is worked out before anything exists, with a placeholder for each ID
and address. Composition binds the parts to what has come into being; nothing is rendered again.
"""

import hashlib
from collections.abc import Mapping
from typing import Final, TypeVar, cast

import pulumi

from components.args import Args

Part = TypeVar("Part")

MARK: Final = "placeholder-of-"
"""Part of every placeholder, and of nothing that anybody is shown."""
CLUSTER_ID: Final = f"{MARK}cluster"
VPC_ID: Final = f"{MARK}vpc"
ISSUER_URL: Final = f"https://{MARK}issuer"
"""Who vouches for the cluster's service accounts towards RAM."""
ISSUER_ARN: Final = f"acs:ram::1:oidc-provider/{MARK}issuer"
"""The same, as RAM knows it."""
PROMETHEUS_URL: Final = f"https://{MARK}prometheus"


def vswitch_id(zone: str) -> str:
    """Stands for the ID of the vSwitch of nodes in a zone."""
    return _of("vswitch", zone)


def pod_vswitch_id(zone: str) -> str:
    """Stands for the ID of the vSwitch of pods in a zone."""
    return _of("pod-vswitch", zone)


def pool_id(pool: str) -> str:
    """Stands for the ID of a node pool."""
    return _of("pool", pool)


def mount_target(store: str) -> str:
    """Stands for the address at which a file system of the stack is mounted."""
    return _of("mount-target", store)


def _of(thing: str, name: str) -> str:
    """Short enough for a label's value and for a part of a host, whatever the name."""
    return f"{MARK}{thing}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def bind(part: Part, values: Mapping[str, pulumi.Input[str]]) -> Part:
    """The same part, with the values in place of their placeholders.

    What was rendered of arguments goes with them. Whatever holds no placeholder is handed on as it
    is.

    Args:
        part: Arguments, or what they are made of.
        values: What has come into being, by placeholder.
    """
    return cast(Part, _bound(part, values))


def _bound(part: object, values: Mapping[str, pulumi.Input[str]]) -> object:
    match part:
        case str():
            return values.get(part, part)
        case Args():
            return _copy(part, changes) if (changes := _changes(part.__dict__, values)) else part
        case dict():
            return {**part, **changes} if (changes := _changes(part, values)) else part
        case list() | tuple():
            items = [_bound(item, values) for item in part]
            same = all(new is old for new, old in zip(items, part, strict=True))
            return part if same else type(part)(items)
    return part


def _copy(part: Args, changes: Mapping[str, object]) -> Args:
    copy = part.model_copy()
    copy.__dict__.update(changes)
    return copy


def _changes(
    entries: Mapping[str, object], values: Mapping[str, pulumi.Input[str]]
) -> dict[str, object]:
    bound = {key: _bound(value, values) for key, value in entries.items()}
    return {key: value for key, value in bound.items() if value is not entries[key]}
