"""Labels and taints of nodes, as Kubernetes and ACK set them."""

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
ARM_TAINT: Final[Mapping[str, str]] = MappingProxyType(
    {"key": ARCHITECTURE, "value": "arm64", "effect": "NoSchedule"}
)
"""Keeps pods of x86 images off ARM nodes, as ACK asks for: "Schedule workloads to ARM-based
nodes", read 2026-11. ACK sets it on virtual nodes alone."""
