"""Records of Helm's releases: a Secret beside each, as Helm keeps them."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .client import ApiClient, Manifest

TYPE: Final = "helm.sh/release.v1"
"""Type of such a Secret."""


def render(namespace: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a release that was installed with some inputs."""
    text = base64.b64encode(json.dumps(dict(inputs)).encode()).decode()
    return {**address(namespace, name), "type": TYPE, "data": {"release": text}}


def address(namespace: str, name: str) -> dict[str, Any]:
    """The record of a release, without its content."""
    about = {
        "name": f"sh.helm.release.v1.{name}.v1",
        "namespace": namespace,
        "labels": {"owner": "helm", "name": name, "status": "deployed", "version": "1"},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about}


def read(record: Manifest) -> dict[str, Any]:
    """What a release was installed with."""
    release: dict[str, Any] = json.loads(base64.b64decode(record["data"]["release"]))
    return release


def chart_name(release: Mapping[str, Any]) -> str:
    """Name of a release's chart, without where it comes from."""
    name = str(release["chart"]).rpartition("/")[2]
    return re.sub(r"-v?\d+(\.\d+)+[^/]*\.tgz$", "", name)


def values(client: ApiClient, chart: str) -> Mapping[str, Any] | None:
    """Values that a chart was installed with; None where it is not installed.

    Args:
        client: The cluster.
        chart: Name of the chart, such as `kserve-resources`.
    """
    for secret in client.list_objects("v1", "Secret"):
        if secret.get("type") == TYPE and chart_name(release := read(secret)) == chart:
            return release.get("values") or {}
    return None
