"""The smallest valid inputs of the components that are declared per model."""

from typing import Any

GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
CARD = "aliyun.accelerator/nvidia_name"


def server(**changes: Any) -> dict[str, Any]:
    smallest = {
        "image": "registry/vllm:0.4.1",
        "resources": {"cpu": "16", "memory": "64Gi"},
        "mount_path": "/mnt/models/qwen",
        "vllm": {"served_model_name": "qwen"},
    }
    return _changed(smallest, changes)


def serve(**changes: Any) -> dict[str, Any]:
    return _changed({"scale": {"max": 3, "target": 2}}, changes)


def model(**changes: Any) -> dict[str, Any]:
    smallest = {
        "server": server(),
        "serve": serve(),
        "namespace": "inference",
        "labels": {"release": "qwen"},
        "claim": "qwen-dataset",
    }
    return _changed(smallest, changes)


def placement(**changes: Any) -> dict[str, Any]:
    pools = [
        {"name": "a10", "node_selector": {CARD: "NVIDIA-A10"}, "tolerations": [GPU_TAINT]},
        {
            "name": "t4",
            "node_selector": {CARD: "Tesla-T4"},
            "tolerations": [GPU_TAINT],
            "autoscaled": True,
        },
    ]
    smallest = {"selector": {"release": "qwen"}, "pools": pools, "namespace": "inference"}
    return _changed(smallest, changes)


def cache(**changes: Any) -> dict[str, Any]:
    smallest = {
        "namespace": "inference",
        "source_claim": "qwen",
        "tier": {"workers": 2, "quota": "20Gi"},
        "node_labels": {"node.kubernetes.io/instance-type": ["ecs.g8i.24xlarge"]},
    }
    return _changed(smallest, changes)


def job(**changes: Any) -> dict[str, Any]:
    smallest = {
        "image": "registry/train:1",
        "command": ["python3", "train.py"],
        "resources": {"cpu": "8", "memory": "32Gi"},
        "namespace": "inference",
        "labels": {"release": "finetune"},
        "priority_class": "low",
        "checkpoint_claim": "finetune-checkpoint",
        "checkpoint_path": "/checkpoint",
    }
    return _changed(smallest, changes)


def load_test(**changes: Any) -> dict[str, Any]:
    smallest = {
        "scenario": {"spike": {}},
        "url": "http://qwen.inference.svc.cluster.local",
        "served_model_name": "qwen",
        "namespace": "inference",
        "model_claim": "qwen",
        "run": "first",
    }
    return _changed(smallest, changes)


def _changed(smallest: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**smallest, **changes}.items() if value is not None}
