"""Variables of a container: which of them name others, and in which order they stand."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

REFERENCE: Final = r"(?<!\$)\$\((?P<name>[A-Za-z_][A-Za-z0-9_]*)\)"
"""A variable in a text, as Kubernetes fills it in; `$$(NAME)` stays as it is."""

Value = TypeVar("Value")


def references(value: object) -> Iterable[str]:
    """Names of the variables that Kubernetes fills in."""
    return (
        match["name"] for match in re.finditer(REFERENCE, value if isinstance(value, str) else "")
    )


def in_order(values: Mapping[str, Value]) -> dict[str, Value]:
    """Variables by name, each behind the ones that it names.

    Kubernetes fills in those that stand before alone: kubernetes 1.34.1, pkg/kubelet/
    kubelet_pods.go, makeEnvironmentVariables. Of two that name each other the first by name is
    first.
    """
    rest = dict(sorted(values.items()))
    ordered: dict[str, Value] = {}
    while rest:
        waits = {name for name in rest if ({*references(rest[name])} - {name}) & rest.keys()}
        name = next((name for name in rest if name not in waits), next(iter(rest)))
        ordered[name] = rest.pop(name)
    return ordered
