"""Helm releases: recorded as Helm does; what their charts bring is in `installs`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from . import installs, records
from .client import ApiClient, namespace_manifest

MANAGER: Final = "helm"


Bring = Callable[[installs.Install], None]
"""Installs something in a cluster, or removes it."""


def install(client: ApiClient, inputs: Mapping[str, Any], bring: Bring) -> str:
    """Records a release, with what its chart brings; returns its ID, `namespace/name`."""
    namespace, name = inputs.get("namespace", "default"), inputs["name"]
    if inputs.get("createNamespace"):
        client.apply(namespace_manifest(namespace), MANAGER)
    client.apply(records.render(namespace, name, inputs), MANAGER)
    # Afterwards: a real controller looks up what values it was installed with.
    bring(_brought(inputs))
    return f"{namespace}/{name}"


def find(client: ApiClient, id_: str) -> dict[str, Any] | None:
    """What a release was installed with, or None where there is none."""
    record = client.get(records.address(*id_.split("/")))
    return None if record is None else records.read(record)


def uninstall(client: ApiClient, id_: str, inputs: Mapping[str, Any], remove: Bring) -> None:
    """Removes a release. A namespace that Helm made stays, as it does in Helm."""
    remove(_brought(inputs))
    client.delete(records.address(*id_.split("/")))


def _brought(inputs: Mapping[str, Any]) -> installs.Install:
    return installs.CHARTS.get(records.chart_name(inputs), installs.Install())
