"""A real API server, to which clusters of plain YAML are applied."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.kubernetes import crds, server

CLUSTERS: Final = Path(__file__).parent / "clusters"
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "knative": ("serving.knative.dev",),
    "kserve": ("serving.kserve.io",),
    "deployment": (),
    "groups": ("leaderworkerset.x-k8s.io",),
}
"""By cluster, the groups of kinds that its controllers have defined."""


@contextmanager
def applied(name: str, folder: Path) -> Iterator[Path]:
    """A kubeconfig of an API server with the objects of a cluster."""
    api = server.start(folder / "api")
    try:
        for group in GROUPS[name]:
            crds.install(api.client, group, None)
        for manifest in manifests(name):
            api.client.apply(manifest, "kubectl")
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(api.kubeconfig)
        yield kubeconfig
    finally:
        api.remove()


def manifests(name: str) -> list[dict[str, Any]]:
    """The objects of a cluster, as its YAML has them."""
    return [*yaml.safe_load_all((CLUSTERS / f"{name}.yaml").read_text())]
