"""Add-ons of ACK by the names that its API takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class KnownAddon:
    """One add-on, as far as its documentation goes."""

    name: str
    purpose: str
    source: str
    min_kubernetes: str | None = None
    """Oldest Kubernetes version it is said to run on; None where no page says so."""
    bills: str | None = None
    """What it brings that is billed by itself, beside the nodes that it runs on, in words."""


_OVERVIEW: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "component-overview"
)
_EDGE: Final = "https://www.alibabacloud.com/help/en/ack/ack-edge/user-guide/component-overview"
_PROVIDER: Final = (
    "https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/"
    "cs_managed_kubernetes"
)
_RAM_TOOL: Final = "https://github.com/AliyunContainerService/ack-ram-tool"
_SHARING: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "install-and-use-ack-ai-installer-and-the-gpu-inspection-tool"
)
_RRSA: Final = "https://www.alibabacloud.com/help/doc-detail/600451.html"
_SIE: Final = "https://github.com/superlinked/terraform-alicloud-sie"

_ADDONS: Final = (  # read 2026-11
    KnownAddon("terway-eniip", "pod network on VPC addresses", _PROVIDER),
    KnownAddon("terway-controlplane", "control plane of Terway", _RAM_TOOL),
    KnownAddon("terway-edge", "Terway in the cloud, Flannel at the edge", _EDGE),
    KnownAddon("flannel", "pod network on an overlay", _PROVIDER),
    KnownAddon("csi-plugin", "mounts disks, NAS and OSS", _PROVIDER),
    KnownAddon("csi-provisioner", "creates volumes", _PROVIDER),
    KnownAddon("managed-csiprovisioner", "creates volumes, run by ACK", _RAM_TOOL),
    KnownAddon("storage-operator", "lifecycle of storage components", _PROVIDER),
    KnownAddon("metrics-server", "CPU and memory for HPA", _OVERVIEW),
    KnownAddon("managed-coredns", "cluster DNS, run by ACK", _RAM_TOOL),
    KnownAddon(
        "arms-prometheus",
        "metrics in Managed Service for Prometheus",
        _PROVIDER,
        bills="Managed Service for Prometheus",
    ),
    KnownAddon("ack-node-problem-detector", "faults of nodes as events", _PROVIDER),
    KnownAddon("ack-nvidia-device-plugin", "GPUs as schedulable resources", _SIE, "1.32"),
    KnownAddon("loongcollector", "container logs to SLS", _RAM_TOOL, bills="SLS logs"),
    KnownAddon("logtail-ds", "container logs to SLS, older agent", _PROVIDER, bills="SLS logs"),
    KnownAddon("nginx-ingress-controller", "Ingress on NGINX", _PROVIDER),
    KnownAddon(
        "alb-ingress-controller",
        "Ingress on ALB",
        _PROVIDER,
        bills="capacity units of ALB instances, and further ones",
    ),
    KnownAddon(
        "mse-ingress-controller",
        "Ingress on MSE cloud-native gateway",
        _RAM_TOOL,
        bills="MSE cloud-native gateway",
    ),
    KnownAddon("gateway-api", "resource types of the Gateway API", _RAM_TOOL),
    KnownAddon("gatekeeper", "admission policies", _RAM_TOOL),
    KnownAddon("ack-cost-exporter", "cost analysis", _RAM_TOOL),
    KnownAddon("alicloud-monitor-controller", "CloudMonitor", _OVERVIEW),
    KnownAddon("managed-aliyun-acr-credential-helper", "pulls from ACR without secrets", _RAM_TOOL),
    KnownAddon("managed-security-inspector", "security inspections", _RAM_TOOL),
    KnownAddon("ack-helm-manager", "Helm charts from the console", _OVERVIEW),
    KnownAddon("ack-node-local-dns", "DNS cache on every node", _RAM_TOOL),
    KnownAddon("cluster-autoscaler", "adds and removes nodes by polling", _RAM_TOOL),
    KnownAddon("ack-goatscaler", "adds and removes nodes on events", _RAM_TOOL),
    KnownAddon("ack-alibaba-cloud-metrics-adapter", "cloud metrics for HPA", _RAM_TOOL),
    KnownAddon(
        "ack-virtual-node",
        "pods on Elastic Container Instance",
        _RAM_TOOL,
        bills="pods on virtual nodes",
    ),
    KnownAddon("kube-ai", "console of the cloud-native AI suite", _RAM_TOOL),
    KnownAddon(
        "ack-onepilot",
        "application monitoring agents",
        _RAM_TOOL,
        bills="application monitoring (ARMS)",
    ),
    KnownAddon(
        "arms-cmonitor",
        "application monitoring, network view",
        _RAM_TOOL,
        bills="application monitoring (ARMS)",
    ),
    KnownAddon(
        "knative",
        "request-driven services and scaling to zero",
        _RAM_TOOL,
        bills="load balancer of Knative's gateway",
    ),
    KnownAddon("kuberay-operator", "Ray clusters", _RAM_TOOL),
    KnownAddon("ack-ai-installer", "GPU sharing and topology-aware scheduling", _SHARING),
    KnownAddon("ack-workflow", "Argo Workflows", _RAM_TOOL),
    KnownAddon("ack-erdma-controller", "elastic RDMA devices", _RAM_TOOL),
    KnownAddon("ack-kubernetes-cronhpa-controller", "scaling by the clock", _RAM_TOOL),
    KnownAddon("ack-pod-identity-webhook", "RAM roles for service accounts", _RRSA),
    KnownAddon("kube-scheduler", "scheduler with ResourcePolicy", _OVERVIEW),
)

ADDONS: Final[Mapping[str, KnownAddon]] = MappingProxyType({addon.name: addon for addon in _ADDONS})
"""Known add-ons by name. ACK has more: a name that is missing here is not wrong for that."""
