"""The cluster: created, or used as it is."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from components.args import Args, Fault, Words
from components.cloud.cluster import (
    Addon,
    ClusterAutoscaling,
    ClusterSpec,
    MaintenanceWindow,
    ProxyMode,
    PublicEndpoint,
)
from components.names import ClusterId, KmsKeyId, LogProjectName, SecurityGroupId
from components.versions import KubernetesVersion, ack_version_faults

from .marks import IMMUTABLE


class Profile(StrEnum):
    """Kind of cluster."""

    PRO = "pro"
    """ACK managed Pro cluster, created by the stack."""
    EDGE = "edge"
    """ACK Edge cluster, created by the stack, which machines of an IDC join."""
    EXISTING = "existing"
    """Any Kubernetes cluster, by kubeconfig."""


OF_AN_EXISTING_CLUSTER: Final = frozenset({"profile", "version", "context", "identifier"})
"""What can be said of a cluster that is there already; every other setting makes one."""
OF_AN_ACK_CLUSTER: Final = OF_AN_EXISTING_CLUSTER | {
    *("id", "addons", "autoscaling", "deletion_protection", "kubeconfig_minutes"),
}
"""The same of an ACK cluster that is named by its ID: what is added to it, how it is reached, and
whether stores are protected."""


class ClusterSection(Args):
    """The cluster, or how to reach an existing one."""

    profile: Profile = Field(json_schema_extra=IMMUTABLE)
    """Kind of cluster: pro, edge for IDC machines too, or existing for any by kubeconfig."""
    id: ClusterId | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """ID of an ACK cluster that exists, of profile pro or edge: pools are created in it, and
    nothing of it is changed. Left out, the stack creates the cluster."""
    version: KubernetesVersion | None = Field(default=None, examples=["1.34.1-aliyun.1"])
    """Kubernetes version, e.g. 1.34.1-aliyun.1. Left out, ACK takes its newest."""
    control_plane_only: bool | None = None
    """Whether a newer `version` upgrades the control plane alone, and nodes wait for
    `pools[].upgrade`. Left out, ACK upgrades the nodes of all pools with it, and drains them."""
    spec: ClusterSpec = ClusterSpec.SMALL
    """Size of ACK's control plane."""
    public_endpoint: PublicEndpoint | None = None
    """Opens the API server to the internet. Left out, it answers inside the VPC alone."""
    proxy_mode: ProxyMode = Field(default=ProxyMode.IPVS, json_schema_extra=IMMUTABLE)
    """How kube-proxy routes Services."""
    security_group_id: SecurityGroupId | None = None
    """ID of a security group that exists, for nodes and pods. Left out, ACK makes one, of the
    advanced kind."""
    encryption_key_id: KmsKeyId | None = None
    """ID of the KMS key that encrypts Secrets in the control plane. Left out, they are not
    encrypted once more."""
    deletion_protection: bool = True
    """Refuses deletion of the cluster, in ACK and in Pulumi, and in Pulumi that of stores."""
    log_project: LogProjectName | None = None
    """Name of the SLS project for audit and control plane logs. Default: derived from the stack."""
    log_retention_days: int = Field(default=30, ge=1)
    """How long control plane logs are kept, in days."""
    kubeconfig_minutes: int = Field(default=120, ge=15, le=4320)
    """How long the credentials live that one deployment is given, in minutes."""
    autoscaling: ClusterAutoscaling = ClusterAutoscaling()
    """Settings of GOATScaler, for pools with `autoscale`. With `id`, they are only set where this
    is given."""
    maintenance_window: MaintenanceWindow | None = None
    """When ACK may maintain the control plane. Left out, ACK decides."""
    addons: list[Addon] = []
    """Further ACK add-ons. What the environment needs is installed without being named here."""
    gpu_sharing_addon: bool = True
    """Whether ack-ai-installer is installed as an add-on where a pool shares its cards. False where
    the cluster has it from the cloud-native AI suite of ACK's console."""
    context: str | None = None
    """Context of the key `kubeconfig`, for a cluster that exists. Default: its current one."""
    identifier: str | None = Field(default=None, min_length=1, json_schema_extra=IMMUTABLE)
    """Of profile existing, any text that stands for the cluster. While it stays, a kubeconfig with
    another address or certificate replaces nothing; another text makes every object anew, in the
    cluster that the kubeconfig leads to then. Default: `cluster`."""

    @property
    def addon_names(self) -> set[str]:
        """Names of the add-ons that the stack file adds itself."""
        return {addon.name for addon in self.addons}

    def _faults(self) -> Iterator[Fault]:
        if self.profile is Profile.EXISTING:
            for field in sorted(self.model_fields_set - OF_AN_EXISTING_CLUSTER):
                why = "an existing cluster is used as it is"
                want = "left out, or profile pro or edge" if field == "id" else "left out"
                yield Fault(field, getattr(self, field), want, why)
            return
        yield from ack_version_faults("version", self.version)
        if self.identifier is not None:
            why = "the ID of an ACK cluster stands for it"
            yield Fault("identifier", self.identifier, "left out, or profile existing", why)
        if self.id is not None:
            for field in sorted(self.model_fields_set - OF_AN_ACK_CLUSTER):
                value = getattr(self, field)
                got = Words("given") if isinstance(value, Args) else value
                why = "the cluster of that id exists, and nothing of it is changed"
                yield Fault(field, got, "left out, or id left out", why)
        elif self.context is not None:
            why = "the kubeconfig of a cluster of this stack comes from ACK"
            yield Fault("context", self.context, "left out", why)
