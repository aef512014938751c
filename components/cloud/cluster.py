"""An ACK cluster, and the provider that reaches into it."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, child_options, nearest, repeated
from ..bindings import alicloud, kubernetes
from ..catalog.addons import ADDONS
from ..names import ClusterName, KmsKeyId, LogProjectName, ResourceGroupId, SecurityGroupId
from ..quantity import plain
from ..versions import ack_version_faults, kubernetes_minor
from .network import not_a_range, overlap_faults, parse_range, private_range_faults


class ClusterProfile(StrEnum):
    """Kind of an ACK cluster."""

    PRO = "pro"
    """Nodes of Alibaba Cloud only."""
    EDGE = "edge"
    """Takes in nodes from elsewhere, such as those of an IDC."""


_PROVIDER_DOCS: Final = (
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
    "cs_managed_kubernetes"
)
_CREATE_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/developer-reference/"
    "api-cs-2015-12-15-createcluster"
)
_OSS_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "use-dynamically-provisioned-oss-volumes"
)
_RRSA_ADDON: Final = "ack-pod-identity-webhook"
_CSI_ADDONS: Final = ("csi-plugin", "csi-provisioner")
REPAIR_ADDON: Final = "ack-node-problem-detector"
"""Watches nodes for pools that repair or upgrade themselves. New clusters lack it, and ACK refuses
such a pool then: `InvalidParameter.Management: addon ack-node-problem-detector is not installed`,
cloud-barista/cb-spider pull 1835, Kubernetes 1.36.2, 2026-09."""
# Its settings as the provider's page has them; without the name of a project it sends nothing.
_REPAIR_CONFIG: Final = '{"sls_project_name":""}'
_CNI_ADDONS: Final = MappingProxyType(
    {
        (ClusterProfile.PRO, True): "terway-eniip",
        (ClusterProfile.PRO, False): "flannel",
        (ClusterProfile.EDGE, True): "terway-edge",
        (ClusterProfile.EDGE, False): "flannel",
    }
)
# Texts, as the provider's page writes them (cs_managed_kubernetes, read 2026-11).
_ENFORCED: Final = '{"NetworkPolicy":"true"}'
_PROFILES: Final = MappingProxyType({ClusterProfile.PRO: "Default", ClusterProfile.EDGE: "Edge"})
_LOGGED_COMPONENTS: Final = ("apiserver", "kcm", "scheduler", "ccm", "controlplane-events")
_API_SERVER_PORT: Final = 6443

# Load balancers that Services made die with the cluster, or they cost money for good. The log
# project is a resource of its own here, so ACK keeps its hands off it.
_DELETE_OPTIONS: Final = (
    {"resource_type": "SLB", "delete_mode": "delete"},
    {"resource_type": "ALB", "delete_mode": "delete"},
    {"resource_type": "SLS_Data", "delete_mode": "retain"},
    {"resource_type": "SLS_ControlPlane", "delete_mode": "retain"},
)

_OLDEST_MINOR: Final = 26
_SERVICE_MASKS: Final = range(16, 25)
_POD_MASKS: Final = range(8, 25)
_MAX_VSWITCHES: Final = 5
_WIDEST_ALLOWED_PREFIX: Final = 8
_ACCESS_DOCS: Final = "https://www.alibabacloud.com/help/en/ack/cluster-access-control"
# The control plane itself comes from there: _ACCESS_DOCS, read 2026-11
_CONTROL_PLANE_CIDR: Final = "100.104.0.0/16"
# Of the 50 entries that a list takes at once, two are the VPC and the control plane.
# https://www.alibabacloud.com/help/en/server-load-balancer/latest/createaccesscontrollist
_MAX_ALLOWED_CIDRS: Final = 48
_SERVER: Final = re.compile(r"^(\s*server:\s*).*$", re.MULTILINE)


class ClusterSpec(StrEnum):
    """Size of a Pro control plane; the xlarge sizes are provisioned, and cost more."""

    SMALL = "ack.pro.small"
    """Grows with the cluster, as ACK sees fit."""
    XLARGE = "ack.pro.xlarge"
    """Provisioned, the smallest size."""
    XLARGE_2 = "ack.pro.2xlarge"
    """Provisioned, the middle size."""
    XLARGE_4 = "ack.pro.4xlarge"
    """Provisioned, the largest size."""


class ProxyMode(StrEnum):
    """How kube-proxy routes Services."""

    IPVS = "ipvs"
    """By IPVS, fast with many Services."""
    IPTABLES = "iptables"
    """By iptables, Kubernetes' own default."""
    NFTABLES = "nftables"
    """By nftables, the successor of the other two."""


class Weekday(StrEnum):
    """Day of a maintenance window."""

    MONDAY = "Monday"
    """Every Monday."""
    TUESDAY = "Tuesday"
    """Every Tuesday."""
    WEDNESDAY = "Wednesday"
    """Every Wednesday."""
    THURSDAY = "Thursday"
    """Every Thursday."""
    FRIDAY = "Friday"
    """Every Friday."""
    SATURDAY = "Saturday"
    """Every Saturday."""
    SUNDAY = "Sunday"
    """Every Sunday."""


class Addon(Args):
    """An add-on of ACK, installed once the cluster stands."""

    name: str
    """Name of the add-on, e.g. `knative`."""
    version: Input[str] | None = None
    """Version of the add-on. Default: the newest for the cluster."""
    config: dict[str, Any] | None = None
    """Configuration, under the keys of the add-on's own schema."""


class PublicEndpoint(Args):
    """An API server that can be reached from the Internet."""

    allowed_cidrs: list[str]
    """Address ranges that may reach it, 1 to 48, each /8 or narrower; that of whoever deploys is
    one of them."""


class MaintenanceWindow(Args):
    """When ACK may maintain the cluster."""

    start: str
    """First start, RFC 3339, e.g. `2026-11-26T03:00:00.000+08:00`."""
    duration_hours: int = Field(default=3, ge=1, le=24)
    """Length in hours, 1 to 24."""
    weekdays: list[Weekday] | None = None
    """Days it recurs on. Default Thursday, as ACK has it."""


class ClusterAutoscaling(Args):
    """How nodes are added and removed; defaults are the documented ones."""

    cool_down_minutes: int = Field(default=10, ge=1)
    """How long a node has to be idle before it is removed, in minutes, 1 or more."""
    unneeded_minutes: int = Field(default=10, ge=1)
    """How long nothing is removed after a node was added, in minutes, 1 or more."""
    scan_interval_seconds: int = Field(default=30, ge=1)
    """Time between two looks at the cluster, in seconds, 1 or more."""
    utilization_threshold: float = Field(default=0.5, ge=0, le=1)
    """A node whose requests stay below this share may be removed, 0 to 1."""
    gpu_utilization_threshold: float = Field(default=0.5, ge=0, le=1)
    """The same for a node with GPUs, by its GPU requests, 0 to 1."""
    max_graceful_termination_seconds: int = Field(default=14400, ge=0)
    """Longest wait for the pods of a node to end, in seconds, 0 or more."""
    scale_down: bool = True
    """Whether nodes are removed at all."""
    evict_daemonsets: bool = False
    """Whether pods of DaemonSets are ended before their node."""


class AckClusterArgs(Args):
    """What an ACK cluster is made of."""

    cluster_name: ClusterName
    """Name of the cluster, 1 to 63 letters, digits and hyphens, no hyphen first."""
    vswitch_ids: list[Input[str]]
    """IDs of 1 to 5 vSwitches that the control plane stands in."""
    service_cidr: str
    """Address range of Services, private, mask /16 to /24, apart from VPC and pods, e.g.
    `172.21.0.0/20`."""
    log_project_name: LogProjectName
    """Name of the SLS project for audit and control plane logs, 3 to 63 lowercase letters, digits
    and hyphens; no other account may have it."""
    pod_vswitch_ids: list[Input[str]] | None = None
    """IDs of the vSwitches for pods: the cluster runs Terway."""
    network_policies: bool | None = None
    """Whether Terway enforces NetworkPolicies, on profile pro. Default false. Read at creation."""
    pod_cidr: str | None = None
    """Address range of pods, private: the cluster runs Flannel."""
    node_cidr_mask: int | None = Field(default=None, ge=24, le=28)
    """Mask of one node's share of `pod_cidr`, 24 to 28; 26 leaves room for 64 pods. Default 24."""
    vpc_cidr: str | None = None
    """Address range of the VPC, which pods and Services stay apart from; `public_endpoint` needs
    it, because nodes come through the same listener."""
    profile: ClusterProfile = ClusterProfile.PRO
    """Kind of the cluster: `pro`, or `edge` to take in nodes from elsewhere."""
    spec: ClusterSpec = ClusterSpec.SMALL
    """Size of the control plane, a Pro one because only its scheduler knows ResourcePolicy."""
    version: Input[str] | None = None
    """Kubernetes version, e.g. `1.34.1-aliyun.1`, 1.26 or newer. Default: the newest of ACK."""
    control_plane_only: bool | None = None
    """Whether a newer `version` upgrades the control plane alone. Default: ACK upgrades the nodes
    of all pools with it, and drains them."""
    proxy_mode: ProxyMode = ProxyMode.IPVS
    """How kube-proxy routes Services; a change replaces the cluster."""
    public_endpoint: PublicEndpoint | None = None
    """Present: the API server has a public address too. Default: a private one only."""
    log_retention_days: int = Field(default=30, ge=1)
    """How long control plane logs are kept, in days, 1 or more."""
    encryption_key_id: Input[KmsKeyId] | None = None
    """ID of the KMS key that encrypts Secrets. Default: they are not encrypted once more."""
    security_group_id: Input[SecurityGroupId] | None = None
    """ID of a security group that exists, for nodes and pods. Default: ACK makes one."""
    maintenance_window: MaintenanceWindow | None = None
    """When ACK may maintain the cluster. Default: whenever it sees fit."""
    autoscaling: ClusterAutoscaling | None = None
    """Present: nodes are added and removed by instant elasticity (GOATScaler)."""
    addons: list[Addon] | None = None
    """Add-ons beside network, storage and RRSA, which every cluster gets."""
    kubeconfig_minutes: int = Field(default=120, ge=15, le=4320)
    """How long the credentials of one deployment live, in minutes, 15 to 4320.
    `pulumi destroy` needs fresh ones: run it with `--run-program`."""
    protect: bool = True
    """Whether Pulumi and ACK refuse to delete the cluster and its logs."""
    tags: dict[str, Input[str]] | None = None
    """Tags of the cluster and its log project."""
    resource_group_id: Input[ResourceGroupId] | None = None
    """ID of the resource group of the cluster and its log project. Default: the account's default
    group."""

    def _faults(self) -> Iterator[Fault]:
        yield from _vswitch_faults(self.vswitch_ids)
        yield from _pod_network_faults(self)
        yield from private_range_faults(
            "service_cidr", self.service_cidr, _SERVICE_MASKS, _CREATE_DOCS
        )
        yield from _vpc_faults(self)
        yield from _version_faults(self.version)
        yield from allowed_cidr_faults(self.public_endpoint)
        yield from _window_faults(self.maintenance_window)
        yield from addon_faults(self.addons or [])
        yield from _addon_version_faults(self.addons or [], self.version)


class AckCluster(pulumi.ComponentResource):
    """A managed cluster with network, storage, RRSA and logs, but without nodes.

    The control plane, its load balancer and the logs cost money.
    """

    cluster_id: pulumi.Output[str]
    """ID of the cluster."""
    rrsa_oidc_issuer_url: pulumi.Output[str]
    """Issuer of the tokens that service accounts carry."""
    rrsa_oidc_provider_arn: pulumi.Output[str]
    """ARN of the identity provider that RAM knows the cluster by."""
    kubeconfig_command: pulumi.Output[str]
    """Command that fetches a kubeconfig for 15 minutes."""
    restrict_api_server_command: pulumi.Output[str] | None
    """Commands that close the public API server to all but `allowed_cidrs`, if it has one."""
    provider: kubernetes.Provider
    """Reaches into the cluster."""

    def __init__(
        self, name: str, args: AckClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = AckClusterArgs.of(args)

        super().__init__("ack-inference:index:AckCluster", name, args.dump(), opts)

        protect = args.protect
        logs = alicloud.log.Project(
            f"{name}-logs",
            project_name=args.log_project_name,
            description=f"Audit and control plane logs of {args.cluster_name}.",
            resource_group_id=args.resource_group_id,
            tags=args.tags,
            opts=child_options(self, opts, protect=protect),
        )
        cluster = alicloud.cs.ManagedKubernetes(
            f"{name}-cluster",
            **_render_cluster(args),
            audit_log_config={"enabled": True, "sls_project_name": logs.project_name},
            control_plane_log_project=logs.project_name,
            opts=child_options(
                self,
                opts,
                protect=protect,
                # The provider does not mark it by itself.
                additional_secret_outputs=["certificateAuthorities"],
            ),
        )
        addons = [Addon(name=_RRSA_ADDON), *(args.addons or [])]
        declare_addons(self, name, cluster.id, addons, child_options(self, opts))
        if args.autoscaling:
            declare_autoscaling(name, cluster.id, args.autoscaling, child_options(self, opts))
        if args.public_endpoint:
            pulumi.log.warn(
                f"The API server of {args.cluster_name} is open to the whole Internet until the "
                "commands in the output restrict_api_server_command have been run: the provider "
                "cannot set the access list of its load balancer.",
                resource=self,
            )

        self.cluster_id = cluster.id
        self.rrsa_oidc_issuer_url = cluster.rrsa_metadata.apply(_issuer_url)
        self.rrsa_oidc_provider_arn = cluster.rrsa_metadata.apply(_provider_arn)
        self.kubeconfig_command = cluster.id.apply(
            lambda cluster_id: fetch_kubeconfig(cluster_id, private=not args.public_endpoint)
        )
        self.restrict_api_server_command = _restriction(cluster.slb_id, args)
        self.provider = self._declare_provider(name, cluster, args, opts)
        self.register_outputs(
            {
                "cluster_id": self.cluster_id,
                "rrsa_oidc_issuer_url": self.rrsa_oidc_issuer_url,
                "rrsa_oidc_provider_arn": self.rrsa_oidc_provider_arn,
                "kubeconfig_command": self.kubeconfig_command,
                "restrict_api_server_command": self.restrict_api_server_command,
                "provider": self.provider,
            }
        )

    def _declare_provider(
        self,
        name: str,
        cluster: alicloud.cs.ManagedKubernetes,
        args: AckClusterArgs,
        opts: pulumi.ResourceOptions | None,
    ) -> kubernetes.Provider:
        credential = alicloud.cs.get_cluster_credential_output(
            cluster_id=cluster.id,
            temporary_duration_minutes=args.kubeconfig_minutes,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        kubeconfig = credential.kube_config
        if args.public_endpoint is None:
            # The provider always asks for the public address.
            # Alone: within Output.all, the connections would be plain dictionaries.
            private = cluster.connections.apply(private_address)
            kubeconfig = pointed(kubeconfig, private)
        options = child_options(self, opts)
        return declare_provider(name, cluster.id, pulumi.Output.secret(kubeconfig), options)


def declare_provider(
    name: str,
    cluster_id: Input[str],
    kubeconfig: Input[str],
    opts: pulumi.ResourceOptions,
    context: Input[str] | None = None,
) -> kubernetes.Provider:
    """What reaches into an ACK cluster."""
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=kubeconfig,
        context=context,
        # Without it, each fresh kubeconfig would look like another cluster.
        cluster_identifier=cluster_id,
        enable_server_side_apply=True,
        opts=opts,
    )


def pointed(
    kubeconfig: pulumi.Output[str], private: pulumi.Output[str | None]
) -> pulumi.Output[str]:
    """A kubeconfig with the private address of the API server, once that is known."""
    return pulumi.Output.all(kubeconfig, private).apply(
        lambda values: point_at_private_address(*values)
    )


def declare_addons(
    component: pulumi.ComponentResource,
    name: str,
    cluster_id: Input[str],
    addons: Sequence[Addon],
    opts: pulumi.ResourceOptions,
) -> None:
    """Installs add-ons; warns of those that the catalogue does not have."""
    for addon in addons:
        alicloud.cs.KubernetesAddon(
            f"{name}-addon-{addon.name}",
            cluster_id=cluster_id,
            name=addon.name,
            version=addon.version,
            config=pulumi.Output.json_dumps(addon.config, sort_keys=True) if addon.config else None,
            opts=opts,
        )
        if addon.name not in (*ADDONS, _RRSA_ADDON):
            close = nearest(addon.name, ADDONS)
            meant = f"; did you mean {close}?" if close else "."
            pulumi.log.warn(
                f"The add-on {addon.name} is not known here, so only ACK can tell whether it "
                f"exists{meant}",
                resource=component,
            )


def declare_autoscaling(
    name: str, cluster_id: Input[str], scaling: ClusterAutoscaling, opts: pulumi.ResourceOptions
) -> None:
    """Has instant elasticity add and remove nodes."""
    alicloud.cs.AutoscalingConfig(
        f"{name}-autoscaling", cluster_id=cluster_id, **_render_autoscaling(scaling), opts=opts
    )


def fetch_kubeconfig(cluster_id: str, *, private: bool) -> str:
    """Renders the command that fetches a kubeconfig for 15 minutes."""
    command = (
        f"aliyun cs DescribeClusterUserKubeconfig --ClusterId {cluster_id}"
        " --TemporaryDurationMinutes 15"
    )
    return f"{command} --PrivateIpAddress true" if private else command


def point_at_private_address(kubeconfig: str, private: str | None) -> str:
    """Puts the private address of the API server into a kubeconfig, if it is known."""
    return _SERVER.sub(rf"\g<1>{private}", kubeconfig) if kubeconfig and private else kubeconfig


def restrict_api_server(slb_id: str, cluster_name: str, allowed_cidrs: Sequence[str]) -> str:
    """Renders the commands that put an access list before the API server, in the CLI's region.

    Args:
        slb_id: ID of its load balancer.
        cluster_name: Name of the cluster, for the name of the list.
        allowed_cidrs: Ranges to let in, that of the nodes among them.
    """
    cidrs = [_CONTROL_PLANE_CIDR, *allowed_cidrs]
    entries = json.dumps([{"entry": cidr, "comment": cluster_name} for cidr in cidrs])
    return "\n".join(
        (
            f"ACL_ID=$(aliyun slb CreateAccessControlList --AclName {cluster_name}-api-server"
            " | jq -r .AclId)",
            'aliyun slb AddAccessControlListEntry --AclId "$ACL_ID"'
            f" --AclEntrys {shlex.quote(entries)}",
            f"aliyun slb SetLoadBalancerTCPListenerAttribute --LoadBalancerId {slb_id}"
            f" --ListenerPort {_API_SERVER_PORT} --AclStatus on --AclType white"
            ' --AclId "$ACL_ID"',
        )
    )


def private_address(connections: Sequence[Any] | None) -> str | None:
    """Address of the API server inside the VPC, if there is a cluster by now."""
    return next((connection.api_server_intranet for connection in connections or ()), None)


def _issuer_url(rrsa: Any) -> str:
    return rrsa.rrsa_oidc_issuer_url if rrsa else ""


def _provider_arn(rrsa: Any) -> str:
    return rrsa.ram_oidc_provider_arn if rrsa else ""


def _restriction(slb_id: pulumi.Output[str], args: AckClusterArgs) -> pulumi.Output[str] | None:
    if args.public_endpoint is None or args.vpc_cidr is None:
        return None
    cidrs = [args.vpc_cidr, *args.public_endpoint.allowed_cidrs]
    return slb_id.apply(lambda id_: restrict_api_server(id_, args.cluster_name, cidrs))


def allowed_cidr_faults(endpoint: PublicEndpoint | None) -> Iterator[Fault]:
    """Finds what makes an access list no restriction at all."""
    if endpoint is None:
        return
    field, cidrs = "public_endpoint.allowed_cidrs", endpoint.allowed_cidrs
    if not 1 <= len(cidrs) <= _MAX_ALLOWED_CIDRS:
        got, want = f"{len(cidrs)} ranges", f"1 to {_MAX_ALLOWED_CIDRS} ranges"
        why = "an access list takes so many at once, and an empty one lets nobody in"
        yield Fault(field, got, want, why, _ACCESS_DOCS)
        return
    want = f"an IPv4 range of /{_WIDEST_ALLOWED_PREFIX} or narrower, such as 203.0.113.7/32"
    for index, cidr in enumerate(cidrs):
        network = parse_range(cidr)
        if network is None or network.prefixlen < _WIDEST_ALLOWED_PREFIX:
            why = "the API server is for named networks, not for the Internet"
            yield Fault(f"{field}[{index}]", cidr, want, why)


def _pod_network_faults(args: AckClusterArgs) -> Iterator[Fault]:
    if bool(args.pod_vswitch_ids) == (args.pod_cidr is not None):
        got = MISSING if args.pod_cidr is None else args.pod_cidr
        want = f"{'given' if args.pod_cidr is None else 'left out'}, or pod_vswitch_ids"
        why = "pods get their addresses from vSwitches (Terway) or from a range (Flannel)"
        yield Fault("pod_cidr", got, want, why, _PROVIDER_DOCS)
        return
    if args.pod_cidr is not None:
        yield from private_range_faults("pod_cidr", args.pod_cidr, _POD_MASKS, _CREATE_DOCS)
    if args.node_cidr_mask is not None and args.pod_cidr is None:
        why = "under Terway a node's pods have no range of their own"
        yield Fault("node_cidr_mask", args.node_cidr_mask, "left out", why)


def _vpc_faults(args: AckClusterArgs) -> Iterator[Fault]:
    ranges = {
        "vpc_cidr": args.vpc_cidr,
        "pod_cidr": args.pod_cidr,
        "service_cidr": args.service_cidr,
    }
    yield from overlap_faults({field: cidr for field, cidr in ranges.items() if cidr})
    if args.vpc_cidr is not None and parse_range(args.vpc_cidr) is None:
        yield not_a_range("vpc_cidr", args.vpc_cidr)
    if args.vpc_cidr is None and args.public_endpoint is not None:
        why = "an access list without the nodes would cut them off from the API server"
        yield Fault("vpc_cidr", MISSING, "given", why, _ACCESS_DOCS)


def _version_faults(version: object) -> Iterator[Fault]:
    if faults := [*ack_version_faults("version", version)]:
        yield from faults
        return
    minor = kubernetes_minor(version)
    if minor is not None and minor < _OLDEST_MINOR:
        want = f"1.{_OLDEST_MINOR} or newer, such as '1.34.1-aliyun.1'"
        why = "OSS volumes take their rights from RRSA since then"
        yield Fault("version", version, want, why, _OSS_DOCS)


def _vswitch_faults(vswitch_ids: Sequence[object]) -> Iterator[Fault]:
    if not 1 <= len(vswitch_ids) <= _MAX_VSWITCHES:
        got, want = f"{len(vswitch_ids)} vSwitches", f"1 to {_MAX_VSWITCHES}"
        why = "a control plane stands in so many"
        yield Fault("vswitch_ids", got, want, why, _PROVIDER_DOCS)


def _window_faults(window: MaintenanceWindow | None) -> Iterator[Fault]:
    if window is not None and not _is_instant(window.start):
        want = "a time with its zone, such as '2026-11-26T03:00:00.000+08:00'"
        why = "without one, nobody knows when it is"
        yield Fault("maintenance_window.start", window.start, want, why)


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def addon_faults(addons: Sequence[Addon]) -> Iterator[Fault]:
    """Finds add-ons that are named twice, or that every cluster has."""
    built_in = {_RRSA_ADDON, *_CSI_ADDONS, *_CNI_ADDONS.values()}
    names = [addon.name for addon in addons]
    for name in dict.fromkeys(name for name in names if name in built_in):
        yield Fault(f"addons[{name}].name", name, "left out", "the cluster installs it by itself")
    for name in repeated(name for name in names if name not in built_in):
        why = "an add-on is installed once per cluster"
        yield Fault(f"addons[{name}].name", name, "named once", why)


def _addon_version_faults(addons: Sequence[Addon], version: object) -> Iterator[Fault]:
    minor = kubernetes_minor(version)
    for name in dict.fromkeys(addon.name for addon in addons if addon.name in ADDONS):
        floor, source = ADDONS[name].min_kubernetes, ADDONS[name].source
        if minor is not None and (kubernetes_minor(floor) or 0) > minor:
            want = f"left out, or version {floor} or newer"
            yield Fault(f"addons[{name}].name", name, want, f"it does not run on {version}", source)


def _render_cluster(args: AckClusterArgs) -> dict[str, Any]:
    """Renders what the args alone decide."""
    profile = args.profile
    cni = _CNI_ADDONS[profile, args.pod_vswitch_ids is not None]
    return {
        "name": args.cluster_name,
        "profile": _PROFILES[profile],
        "cluster_spec": args.spec,
        "version": args.version,
        # Read where the version changes, and only there, so that it may stay.
        "upgrade_policy": {"control_plane_only": True} if args.control_plane_only else None,
        "vswitch_ids": args.vswitch_ids,
        "pod_vswitch_ids": args.pod_vswitch_ids,
        "pod_cidr": args.pod_cidr,
        "node_cidr_mask": args.node_cidr_mask,
        "service_cidr": args.service_cidr,
        "proxy_mode": args.proxy_mode,
        "new_nat_gateway": False,
        "slb_internet_enabled": args.public_endpoint is not None,
        # Of a group of its own, ACK makes the advanced kind, which has room for Terway's pods.
        "is_enterprise_security_group": True if args.security_group_id is None else None,
        "security_group_id": args.security_group_id,
        "resource_group_id": args.resource_group_id,
        "enable_rrsa": True,
        "skip_set_certificate_authority": True,
        "addons": [
            {"name": cni, **({"config": _ENFORCED} if args.network_policies else {})},
            *({"name": name} for name in _CSI_ADDONS),
            *(
                [_render_repair_addon(args.addons or [])]
                if args.profile is ClusterProfile.PRO
                else []
            ),
        ],
        "control_plane_log_components": list(_LOGGED_COMPONENTS),
        "control_plane_log_ttl": str(args.log_retention_days),
        "maintenance_window": _render_window(args.maintenance_window),
        "delete_options": list(_DELETE_OPTIONS),
        "deletion_protection": args.protect,
        "tags": args.tags,
    } | (
        {"encryption_provider_key": args.encryption_key_id, "disable_encryption": False}
        if args.encryption_key_id is not None
        else {}
    )


def _render_repair_addon(addons: Sequence[Addon]) -> dict[str, Any]:
    """The add-on that pools need as they are made: as somebody names it, or by itself."""
    named = next((addon for addon in addons if addon.name == REPAIR_ADDON), None)
    if named is None:
        return {"name": REPAIR_ADDON, "config": _REPAIR_CONFIG}
    config = pulumi.Output.json_dumps(named.config, sort_keys=True) if named.config else None
    return {"name": REPAIR_ADDON, "version": named.version, "config": config or _REPAIR_CONFIG}


def _render_window(window: MaintenanceWindow | None) -> dict[str, Any] | None:
    if window is None:
        return None
    return {
        "enable": True,
        "maintenance_time": window.start,
        "duration": f"{window.duration_hours}h",
        "weekly_period": ",".join(window.weekdays or [Weekday.THURSDAY]),
    }


def _render_autoscaling(scaling: ClusterAutoscaling) -> dict[str, Any]:
    return {
        "scaler_type": "goatscaler",
        "expander": "least-waste",
        "cool_down_duration": f"{scaling.cool_down_minutes}m",
        "unneeded_duration": f"{scaling.unneeded_minutes}m",
        "scan_interval": f"{scaling.scan_interval_seconds}s",
        "utilization_threshold": plain(scaling.utilization_threshold),
        "gpu_utilization_threshold": plain(scaling.gpu_utilization_threshold),
        "max_graceful_termination_sec": scaling.max_graceful_termination_seconds,
        "scale_down_enabled": scaling.scale_down,
        "daemonset_eviction_for_nodes": scaling.evict_daemonsets,
        "scale_up_from_zero": True,
        "skip_nodes_with_local_storage": False,
        "skip_nodes_with_system_pods": True,
    }
