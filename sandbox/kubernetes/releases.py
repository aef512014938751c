"""Helm releases: recorded as Helm does, in a Secret beside them; their charts are not rendered."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from . import installs
from .client import ApiClient

MANAGER: Final = "helm"


Bring = Callable[[installs.Install], None]
"""Installs something in a cluster, or removes it."""


def install(client: ApiClient, inputs: Mapping[str, Any], bring: Bring) -> str:
    """Records a release, with what its chart brings; returns its ID, `namespace/name`."""
    namespace, name = inputs.get("namespace", "default"), inputs["name"]
    if inputs.get("createNamespace"):
        client.apply(installs.namespace(namespace), MANAGER)
    text = base64.b64encode(json.dumps(dict(inputs)).encode()).decode()
    client.apply(
        {
            **_record(namespace, name),
            "type": "helm.sh/release.v1",
            "data": {"release": text},
        },
        MANAGER,
    )
    # Afterwards: a real controller looks up what values it was installed with.
    bring(_brought(inputs))
    return f"{namespace}/{name}"


def find(client: ApiClient, id_: str) -> dict[str, Any] | None:
    """What a release was installed with, or None where there is none."""
    stored = client.get(_record(*id_.split("/")))
    if stored is None:
        return None
    release: dict[str, Any] = json.loads(base64.b64decode(stored["data"]["release"]))
    return release


def uninstall(client: ApiClient, id_: str, inputs: Mapping[str, Any], remove: Bring) -> None:
    """Removes a release. A namespace that Helm made stays, as it does in Helm."""
    remove(_brought(inputs))
    client.delete(_record(*id_.split("/")))


def _brought(inputs: Mapping[str, Any]) -> installs.Install:
    chart = inputs["chart"].rpartition("/")[2]
    return installs.CHARTS.get(chart, installs.Install())


def _record(namespace: str, name: str) -> dict[str, Any]:
    about = {
        "name": f"sh.helm.release.v1.{name}.v1",
        "namespace": namespace,
        "labels": {"owner": "helm", "name": name, "status": "deployed", "version": "1"},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about}
