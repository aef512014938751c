"""The cluster: created, or used as it is."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from components.args import Args, Fault
from components.cloud.cluster import (
    Addon,
    ClusterAutoscaling,
    ClusterSpec,
    MaintenanceWindow,
    PublicEndpoint,
)
from components.names import (
    KubernetesVersion,
    LogProjectName,
    ack_version_faults,
)

from .marks import IMMUTABLE


class Profile(StrEnum):
    """Kind of cluster."""

    PRO = "pro"
    """ACK managed Pro cluster, created by the stack."""
    EDGE = "edge"
    """ACK Edge cluster, created by the stack, which machines of an IDC join."""
    EXISTING = "existing"
    """Any Kubernetes cluster, by kubeconfig."""


OF_AN_EXISTING_CLUSTER: Final = frozenset({"profile", "version", "context"})
"""What can be said of a cluster that is there already; every other setting makes one."""


class ClusterSection(Args):
    """The cluster, or how to reach an existing one."""

    profile: Profile = Field(json_schema_extra=IMMUTABLE)
    """Kind of cluster: pro, edge for IDC machines too, or existing for any by kubeconfig."""
    version: KubernetesVersion | None = Field(default=None, examples=["1.34.1-aliyun.1"])
    """Kubernetes version, e.g. 1.34.1-aliyun.1. Left out, ACK takes its newest."""
    spec: ClusterSpec = ClusterSpec.SMALL
    """Size of ACK's control plane."""
    public_endpoint: PublicEndpoint | None = None
    """Opens the API server to the internet. Left out, it answers inside the VPC alone."""
    deletion_protection: bool = True
    """Refuses deletion of the cluster, in ACK and in Pulumi."""
    log_project: LogProjectName | None = None
    """Name of the SLS project for audit and control plane logs. Default: derived from the stack."""
    autoscaling: ClusterAutoscaling = ClusterAutoscaling()
    """Settings of GOATScaler, for pools with `autoscale`."""
    maintenance_window: MaintenanceWindow | None = None
    """When ACK may maintain the control plane. Left out, ACK decides."""
    addons: list[Addon] = []
    """Further ACK add-ons. What the environment needs is installed without being named here."""
    gpu_sharing_addon: bool = True
    """Whether ack-ai-installer is installed as an add-on where a pool shares its cards. False where
    the cluster has it from the cloud-native AI suite of ACK's console."""
    context: str | None = None
    """Context of the kubeconfig of an existing cluster. Default: its current one."""

    def _faults(self) -> Iterator[Fault]:
        if self.profile is Profile.EXISTING:
            for field in sorted(self.model_fields_set - OF_AN_EXISTING_CLUSTER):
                why = "an existing cluster is used as it is"
                yield Fault(field, getattr(self, field), "left out", why)
            return
        yield from ack_version_faults("version", self.version)
        if self.context is not None:
            why = "the kubeconfig of a cluster of this stack comes from ACK"
            yield Fault("context", self.context, "left out", why)
