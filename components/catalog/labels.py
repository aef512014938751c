"""Labels and taints of nodes, as Kubernetes and ACK set them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GPU_CARD: Final = "aliyun.accelerator/nvidia_name"
"""Card of a GPU node, e.g. `NVIDIA-A10`. Seen on ACK nodes."""
NODE_POOL_ID: Final = "alibabacloud.com/nodepool-id"
"""ID of the ACK node pool."""
HOST_NAME: Final = "kubernetes.io/hostname"
"""Name of the node; a well-known label of Kubernetes."""
INSTANCE_TYPE: Final = "node.kubernetes.io/instance-type"
"""ECS instance type; a well-known label of Kubernetes."""
GPU_RESOURCE: Final = "nvidia.com/gpu"
"""Extended resource of the NVIDIA device plugin, and key of our GPU taint."""
GPU_TAINT: Final[Mapping[str, str]] = MappingProxyType(
    {"key": GPU_RESOURCE, "value": "present", "effect": "NoSchedule"}
)
"""Keeps pods that need no GPU off GPU nodes. ACK sets no taint by itself."""
GPU_SCHEDULE: Final = "ack.node.gpu.schedule"
"""How a node hands out its cards: ACK, "Enable scheduling", 2026-03."""
WHOLE_CARDS: Final = "default"
"""Value of that label, and its default, by which `nvidia.com/gpu` counts whole cards. With every
other one (cgpu, core_mem, share, mps, topology, mig) a node has none of it: same page."""
SHARING_SWITCHES: Final = ("cgpu", "gpushare")
"""Labels that had cards shared, by the value `true`, before ACK had that one; clusters that were
made then still read them: ACK, "Upgrade cGPU Basic Edition to cGPU Professional Edition", 2021, and
kubeflow/arena, pkg/apis/types, read 2026-11."""
ARCHITECTURE: Final = "kubernetes.io/arch"
"""Instruction set of a node; a well-known label of Kubernetes."""
SET_BY_KUBELETS: Final = frozenset(
    {
        HOST_NAME,
        ARCHITECTURE,
        "kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/os",
    }
)
"""Labels that the kubelet sets on each node: KubeletLabels of k8s.io/kubelet v0.34.1,
pkg/apis/well_known_labels.go."""
SET_BY_CLOUDS: Final = frozenset(
    {
        INSTANCE_TYPE,
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "beta.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
    }
)
"""The rest of these, which a cloud's controller sets on its own nodes. Nobody sets them on machines
of an IDC but who runs these."""
SET_BY_KUBERNETES: Final = SET_BY_KUBELETS | SET_BY_CLOUDS
"""Both."""
KUBERNETES_DOMAINS: Final = re.compile(r"(?:[^/]+\.)?(?:kubernetes|k8s)\.io/")
"""Beginning of labels that Kubernetes keeps for itself: isKubernetesLabel of v1.36.0,
cmd/kubelet/app/options/options.go."""
KUBELET_DOMAINS: Final = re.compile(r"(?:[^/]+\.)?(?:kubelet|node)\.kubernetes\.io/")
"""Of these, what a kubelet may be told with --node-labels beside SET_BY_KUBERNETES; with any other
it exits: ValidateKubeletFlags there."""
STATES_OF_NODES: Final = frozenset(
    {
        *(f"node.kubernetes.io/{state}" for state in ("not-ready", "unreachable", "unschedulable")),
        *(f"node.kubernetes.io/{what}-pressure" for what in ("memory", "disk", "pid")),
        "node.kubernetes.io/network-unavailable",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "node.cloudprovider.kubernetes.io/shutdown",
    }
)
"""Taints that controllers put on a node and take away by its state: well_known_taints.go of
k8s.io/api v0.34.1, core/v1, and of k8s.io/cloud-provider v0.34.1, api."""
ARM_TAINT: Final[Mapping[str, str]] = MappingProxyType(
    {"key": ARCHITECTURE, "value": "arm64", "effect": "NoSchedule"}
)
"""Keeps pods of x86 images off ARM nodes, as ACK asks for: "Schedule workloads to ARM-based
nodes", read 2026-11. ACK sets it on virtual nodes alone."""
