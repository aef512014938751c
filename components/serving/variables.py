"""Variables of a container: which of them name others, and in which order they stand."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from ..args import Fault
from .secrets import secret_faults

REFERENCE: Final = r"(?<!\$)\$\((?P<name>[A-Za-z_][A-Za-z0-9_]*)\)"
"""A variable in a text, as Kubernetes fills it in; `$$(NAME)` stays as it is."""

_HUB: Final = "HF_ENDPOINT"
"""Where Hugging Face's libraries find the hub, put before the path of each request:
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables."""

Value = TypeVar("Value")


def env_faults(field: str, env: Mapping[str, str] | None) -> Iterator[Fault]:
    """Refuses variables that are secrets, or that no program can read.

    Args:
        field: Path of the section of variables, e.g. `env`.
        env: The variables; None passes.
    """
    yield from secret_faults(field, env)
    hub = (env or {}).get(_HUB)
    if hub is not None and not re.match(rf"https?://.|{REFERENCE}", hub):
        want = "an address with its scheme, such as https://hf-mirror.com"
        why = "requests to the hub begin with it, and fail without one"
        yield Fault(f"{field}[{_HUB}]", hub, want, why)


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
