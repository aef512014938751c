"""What a chart was installed with, as the sandbox records it in a cluster."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from ..kubernetes.client import ApiClient


def values(client: ApiClient, chart: str) -> Mapping[str, Any] | None:
    """Values of the release of a chart; None where there is none.

    Args:
        client: The cluster.
        chart: Name of the chart, such as `kserve-resources`.
    """
    for secret in client.list_objects("v1", "Secret"):
        if secret.get("type") == "helm.sh/release.v1":
            release = json.loads(base64.b64decode(secret["data"]["release"]))
            if release["chart"].rpartition("/")[2] == chart:
                return release.get("values") or {}
    return None
