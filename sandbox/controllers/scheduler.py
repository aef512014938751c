"""The real kube-scheduler with our plugin for ResourcePolicy, in place of ACK Pro's scheduler."""

from pathlib import Path
from typing import Any, Final

import requests
import yaml

from .. import binaries
from ..private import write_private
from .controller import Controller, ControlPlane, Daemon

NAME: Final = "kube-scheduler"
PLUGIN: Final = "ResourcePolicy"
GANG: Final = "Gang"
UNITS_WEIGHT: Final = 10_000
"""Units come before anything else: the weights of the other plugins sum up to 12."""


def configuration(kubeconfig: Path) -> dict[str, Any]:
    """The KubeSchedulerConfiguration: upstream's plugins, and ours for units, preemption and gangs.

    Every node is looked at: otherwise enough nodes of a later unit could hide the first one.
    """
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        # One user, who need not be protected from this one.
        "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 500, "burst": 1000},
        "leaderElection": {"leaderElect": False},
        "percentageOfNodesToScore": 100,
        "profiles": [
            {
                "schedulerName": "default-scheduler",
                "plugins": {
                    "multiPoint": {
                        "enabled": [{"name": PLUGIN, "weight": UNITS_WEIGHT}, {"name": GANG}],
                        "disabled": [{"name": "DefaultPreemption"}],
                    },
                    # First of all filters: a node of another unit is refused for that.
                    "filter": {"enabled": [{"name": PLUGIN}]},
                },
            }
        ],
    }


def _daemons(plane: ControlPlane) -> list[Daemon]:
    path = plane.folder / f"{NAME}.yaml"
    write_private(path, yaml.safe_dump(configuration(plane.kubeconfig), sort_keys=False))
    arguments = [
        f"--config={path}",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.port(NAME)}",
        f"--cert-dir={_certificates(plane)}",
    ]
    return [Daemon(NAME, NAME, arguments)]


def _ready(plane: ControlPlane) -> str:
    certificate = _certificates(plane) / f"{NAME}.crt"
    url = f"https://127.0.0.1:{plane.port(NAME)}/readyz"
    try:
        if certificate.is_file() and requests.get(url, verify=str(certificate), timeout=5).ok:
            return ""
    except requests.RequestException:
        pass
    return "its first look at the cluster"


def _certificates(plane: ControlPlane) -> Path:
    return plane.folder / f"{NAME}-certs"


SCHEDULER: Final = Controller(NAME, binaries.KUBERNETES_VERSION, _daemons, ready=_ready)
"""Waits for the ResourcePolicy kind, which ACK's scheduler brings itself."""
