"""What add-ons and charts bring into a cluster, as far as a stack's own objects meet it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from ..controllers import fluid, keda, kserve, leader_worker
from ..controllers.controller import Controller
from ..controllers.knative import KNATIVE
from . import crds
from .client import ApiClient, namespace_manifest

INSTALLER: Final = "installer"
"""Who sets what an installation is told: its keys of a ConfigMap, and no others."""


class Install(NamedTuple):
    """What is there once something is installed."""

    groups: tuple[str, ...] = ()
    """API groups of its custom resources, of `crds.KINDS`."""
    namespace: str | None = None
    """Namespace that it makes."""
    config_maps: tuple[str, ...] = ()
    """ConfigMaps in that namespace, empty of what the stack sets."""
    config: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """What it sets in them itself, by their names without `config-`."""
    controllers: tuple[Controller, ...] = ()
    """Its real controllers, which run in a sandbox with nodes, in the order in which they start."""


KNATIVE_CORE: Final = Install(
    ("serving.knative.dev", "networking.internal.knative.dev"),
    config_maps=(
        "config-autoscaler",
        "config-defaults",
        "config-deployment",
        "config-domain",
        "config-features",
        "config-network",
    ),
    controllers=(KNATIVE,),
)

KEDA: Final = Install(controllers=(keda.CONTROLLER,))
"""What a cluster has of which a stack file says `keda: true`: no stack installs it."""

BASE: Final = Install(("scheduling.alibabacloud.com", "scheduling.sigs.k8s.io"))
"""What a cluster of ACK has from the start."""

INFERENCE: Final = Install(("inference.networking.k8s.io", "inference.networking.x-k8s.io"))
"""The resource types of the inference extension, which no chart brings."""

ADDONS: Final[Mapping[str, Install]] = MappingProxyType(
    {
        "ack-gateway-with-inference-extension": Install(
            (
                "gateway.envoyproxy.io",
                *INFERENCE.groups,
                "inferenceextension.alibabacloud.com",
            ),
            "envoy-gateway-system",
        ),
        "arms-prometheus": Install(("monitoring.coreos.com",)),
        "gateway-api": Install(("gateway.networking.k8s.io",)),
        # Knative's own default is svc.cluster.local, which nobody outside reaches; ACK's pages have
        # services at example.com.
        "knative": KNATIVE_CORE._replace(
            namespace="knative-serving", config={"domain": {"example.com": ""}}
        ),
    }
)
"""Add-ons of ACK that bring something a stack uses."""

_FLUID: Final = Install(("data.fluid.io",), controllers=(fluid.CONTROLLER,))

CHARTS: Final[Mapping[str, Install]] = MappingProxyType(
    {
        "ack-fluid": _FLUID,
        "ack-kserve": Install(("serving.kserve.io",), controllers=(kserve.CONTROLLER,)),
        "cert-manager": Install(("cert-manager.io",)),
        "fluid": _FLUID,
        "gateway-helm": Install(("gateway.networking.k8s.io", "gateway.envoyproxy.io")),
        "knative-operator": Install(("operator.knative.dev",)),
        "kserve-crd": Install(("serving.kserve.io",)),
        "kserve-resources": Install(controllers=(kserve.CONTROLLER,)),
        "kserve-runtime-configs": Install(controllers=(kserve.RUNTIMES,)),
        "lws": Install(("leaderworkerset.x-k8s.io",), controllers=(leader_worker.CONTROLLER,)),
        "kube-prometheus-stack": Install(("monitoring.coreos.com",)),
    }
)
"""Charts that do, by the last part of their name; those of ACK are taken for upstream's."""


def install(client: ApiClient, what: Install, folder: Path | None) -> None:
    """Installs something; a second time changes nothing."""
    for group in what.groups:
        crds.install(client, group, folder)
    if what.namespace:
        client.apply(namespace_manifest(what.namespace), crds.MANAGER)
        configure(client, what, what.namespace, what.config)


def configure(
    client: ApiClient,
    what: Install,
    in_namespace: str,
    data: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> None:
    """Makes its ConfigMaps in a namespace that is there.

    Args:
        client: The cluster.
        what: What is installed.
        in_namespace: The namespace.
        data: What is set in them, by their names without `config-`; the rest stays as it is.
    """
    for name in what.config_maps:
        about = {"name": name, "namespace": in_namespace}
        values = dict(data.get(name.removeprefix("config-"), {}))
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": values}
        client.apply(manifest, INSTALLER, force=True)


def uninstall(client: ApiClient, what: Install) -> None:
    """Removes it, with every object of its kinds."""
    for group in what.groups:
        crds.uninstall(client, group)
    if what.namespace:
        client.remove(namespace_manifest(what.namespace))
