"""What the Kubernetes provider knows of a change.

Source: pulumi-kubernetes, provider/pkg/provider/diff.go, and DiffConfig in provider.go, read at
commit 9497796 of 2026-07-01, after 4.32.0.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from ..changes import Change, touches
from ..kinds import HELM_RELEASE

_IDENTITY: Final = ("apiVersion", "kind", "metadata.name", "metadata.namespace")

_IMMUTABLE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("v1", "ConfigMap"): ("binaryData", "data"),
        ("v1", "PersistentVolume"): ("spec.csi", "spec.hostPath", "spec.local", "spec.nfs"),
        # Not its size, since 4.0: the API server refuses another one of a volume that is given.
        ("v1", "PersistentVolumeClaim"): (
            "spec.accessModes",
            "spec.selector",
            "spec.storageClassName",
            "spec.volumeName",
        ),
        ("v1", "ResourceQuota"): ("spec.scopes",),
        ("v1", "Secret"): ("data", "stringData", "type"),
        ("v1", "Service"): ("spec.clusterIP",),
        ("apps/v1", "Deployment"): ("spec.selector",),
        ("batch/v1", "Job"): (
            "spec.completions",
            "spec.parallelism",
            "spec.selector",
            "spec.template",
        ),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ("roleRef",),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"): ("roleRef",),
        ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    }
)
"""Properties that an object keeps for its life, by apiVersion and kind."""


def replaces(type_: str, inputs: Mapping[str, Any], change: Change) -> bool:
    """Whether only a new object or release can have this change."""
    if type_ == HELM_RELEASE:
        return change.path[0] in ("name", "namespace")
    kind = (str(inputs.get("apiVersion", "")), str(inputs.get("kind", "")))
    immutable = () if is_patch(type_) else _IMMUTABLE.get(kind, ())
    return any(touches(change, path) for path in (*_IDENTITY, *immutable))


def replaces_provider(inputs: Mapping[str, Any], change: Change) -> bool:
    """Whether a provider with this change speaks to another cluster.

    One that named its cluster before is told apart by that name; any other by its kubeconfig, also
    where it names the cluster from now on:
    findings/pulumi-takes-another-address-for-another-cluster.sh.

    Args:
        inputs: What it had before the change.
        change: One property that differs.
    """
    if "clusterIdentifier" in inputs:
        return change.path[0] == "clusterIdentifier" and change.kind == "UPDATE"
    return change.path[0] == "kubeconfig"


def identity(type_: str) -> tuple[str, ...]:
    """Properties by which an object or release is found in its cluster."""
    return () if type_ == HELM_RELEASE else _IDENTITY


def is_patch(type_: str) -> bool:
    """Whether it sets fields of an object that something else owns."""
    return type_.endswith("Patch")
