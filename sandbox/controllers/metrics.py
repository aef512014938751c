"""Prometheus and its adapter: from the series of pods to the metrics that an HPA asks for."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ..kubernetes.client import Manifest
from .controller import Controller, ControlPlane, Daemon

CUSTOM_METRICS: Final = "custom.metrics.k8s.io"
ADAPTER: Final = "metrics-adapter"
RBAC: Final = "rbac.authorization.k8s.io"
_NAMESPACE: Final = "kube-system"
_RELIST: Final = "2s"
_SCRAPE: Final = "1s"
"""Time between two scrapes."""


@dataclass(frozen=True)
class ScrapeTarget:
    """What Prometheus scrapes, where it is reached here instead of at its pod's address."""

    address: str
    """Host and port."""
    labels: Mapping[str, str]
    """Labels that the operator would give it: `namespace` and `pod` of the scraped pod."""
    honor_labels: bool = False
    """Whether labels of its series win over those; if not, they are renamed to `exported_...`."""


def scrape_configuration(targets: Iterable[ScrapeTarget]) -> dict[str, Any]:
    """Prometheus' configuration for targets, as the operator writes it for monitors.

    Args:
        targets: What is scraped: one job for those with `honor_labels`, one for those without.
    """
    scraped = list(targets)
    jobs = [
        {
            "job_name": "honored" if honored else "plain",
            "honor_labels": honored,
            "static_configs": [
                {"targets": [target.address], "labels": dict(target.labels)}
                for target in scraped
                if target.honor_labels is honored
            ],
        }
        for honored in (False, True)
    ]
    return {
        "global": {"scrape_interval": _SCRAPE, "scrape_timeout": _SCRAPE},
        "scrape_configs": [job for job in jobs if job["static_configs"]],
    }


def prometheus(targets: Sequence[ScrapeTarget], name: str = "prometheus") -> Controller:
    """A Prometheus that scrapes targets of this machine.

    Args:
        targets: What it scrapes.
        name: Name of its process: another one with other targets takes another name.
    """

    def daemons(plane: ControlPlane) -> list[Daemon]:
        configuration = plane.folder / f"{name}.yaml"
        configuration.write_text(yaml.safe_dump(scrape_configuration(targets)))
        arguments = [
            f"--config.file={configuration}",
            f"--storage.tsdb.path={plane.folder / name}",
            f"--web.listen-address=127.0.0.1:{plane.port(name)}",
            "--log.level=error",
        ]
        return [Daemon(name, "prometheus", arguments)]

    return Controller("Prometheus", "3.8.0", daemons)


def metrics_api(group: str, adapter: str, namespace: str, port: int) -> list[Manifest]:
    """What has the API server ask an adapter on a port of this machine for metrics.

    Args:
        group: Group of the API that the adapter serves.
        adapter: Name of the adapter's Service.
        namespace: Where that is.
        port: Where the adapter listens.
    """
    about = {"name": adapter, "namespace": namespace}
    # Nobody routes to pods here: the name is that of the machine, and the port the adapter's.
    service = {"type": "ExternalName", "externalName": "localhost"}
    spec = {
        "group": group,
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {**about, "port": port},
    }
    # The API server asks as nobody: it has no certificate of a front proxy here.
    rule = {"apiGroups": [group], "resources": ["*"], "verbs": ["get", "list"]}
    nobody = {"apiGroup": RBAC, "kind": "User", "name": "system:anonymous"}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": adapter}
    grants = {"apiVersion": f"{RBAC}/v1", "metadata": {"name": adapter}}
    return [
        {**grants, "kind": "ClusterRole", "rules": [rule]},
        {**grants, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [nobody]},
        {"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": service},
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1beta1.{group}"},
            "spec": spec,
        },
    ]


def access(plane: ControlPlane) -> list[str]:
    """Arguments of an adapter: how it asks the API server, and that anybody may ask it."""
    options = ("lister-kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [
        "--authentication-skip-lookup",
        "--authorization-always-allow-paths=/apis/*,/apis,/openapi/*,/livez,/readyz",
        *(f"--{option}={plane.kubeconfig}" for option in options),
    ]


def adapter(
    rules: Sequence[Mapping[str, Any]], prometheus: str = "prometheus", name: str = ADAPTER
) -> Controller:
    """The upstream adapter with rules in its own form, which owns the custom metrics API.

    Args:
        rules: What the chart's `rules.custom` has.
        prometheus: Name of the Prometheus that it asks.
        name: Name of its process: another one with other rules takes another name.
    """

    def manifests(plane: ControlPlane) -> list[Manifest]:
        return metrics_api(CUSTOM_METRICS, ADAPTER, _NAMESPACE, plane.port(name))

    def daemons(plane: ControlPlane) -> list[Daemon]:
        configuration = plane.folder / f"{name}.yaml"
        configuration.write_text(json.dumps({"rules": list(rules)}))
        arguments = [
            f"--config={configuration}",
            f"--prometheus-url=http://127.0.0.1:{plane.port(prometheus)}",
            f"--metrics-relist-interval={_RELIST}",
            "--metrics-max-age=10s",
            "--bind-address=127.0.0.1",
            f"--secure-port={plane.port(name)}",
            f"--cert-dir={plane.folder / name}",
            *access(plane),
        ]
        return [Daemon(name, "metrics-adapter", arguments)]

    return Controller("prometheus-adapter", "0.12.0", daemons, manifests)
