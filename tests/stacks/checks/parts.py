"""What the cases of several topics put into a stack file."""

import copy
from collections.abc import Callable
from typing import Any, Final

from components.catalog.gpus import GPUS

from ..environments import GONE, Raw, configuration, hybrid
from ..example_stacks import FOLDER

CARDS: Final = ", ".join(GPUS)
"""The cards that have a row."""
NO_CARD: Final = "B9000"
"""One that nobody gives a row."""

MODEL: Raw = {
    "name": "llama",
    "volume": {"store": "models", "path": "/llama", "size": "11Gi"},
    "server": {
        "image": "registry/server:1",
        "command": ["serve"],
        "mount_path": "/mnt/llama",
        "resources": {"cpu": "1", "memory": "8Gi"},
    },
    "placement": {"pools": ["a10"]},
    "priority": "inference-high-priority",
    "serve": {"knative": {"scale": {"max": 1, "target": 1}}},
}
TERWAY: Raw = {
    "network.plugin": "terway",
    "network.pod_cidr": GONE,
    "network.zones[cn-hangzhou-i].pod_cidr": "10.16.64.0/18",
}
TERWAY_EDGE: Raw = {**TERWAY, "network.plugin": "terway-edge", "network.dedicated_line": True}
CHAT: Final = "models[qwen-chat].serve.kserve.scale"
BIG_NODES: Raw = {
    "models[qwen].placement.pools": ["a10"],
    "pools[a10].instance_types": ["ecs.gn7i-c32g1.32xlarge"],
}
ASKED: Raw = {
    "metric": "prometheus",
    "target": 2,
    "max": 3,
    "query": {"server": "http://prometheus.monitoring:9090", "query": "sum(up)"},
}
PROMETHEUS: Raw = {"url": "http://prometheus.monitoring.svc:9090"}
COPY: Raw = {"pool": "default", "workers": 2, "quota": "20Gi"}
ACK_KSERVE: Raw = {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
BASE_MODEL: Raw = {"store": "models", "path": "/qwen", "size": "15Gi", "mount_path": "/models"}
SMALL: Raw = {
    "name": "ecs.gn6x.large",
    "vcpus": 32,
    "memory_gib": 128,
    "gpus": 1,
    "gpu": "T4",
    "enis": 2,
}
ON_DISK: Raw = {"models[qwen].cache.medium": "SSD", "models[qwen].cache.path": "/var/lib/fluid"}
ARM: Raw = {"name": "ecs.g8y.2xlarge", "vcpus": 8, "memory_gib": 32, "enis": 4, "ips_per_eni": 15}


def groups(**changes: Any) -> Raw:
    """Two groups of two pods with eight cards each, and one of two pods with one card."""
    return {**configuration(FOLDER / "Pulumi.multi-node.yaml"), **changes}


LLM_CHAT: Final = "models[chat].serve.llm"
LLM_SPLIT: Final = "models[split].serve.llm"
GATEWAY: Final = {"gateway": {"version": "v1.4.0-apsara.4"}, "cluster.version": "1.34"}
ATTACHED: Final = {**GATEWAY, f"{LLM_CHAT}.router": {}, f"{LLM_SPLIT}.router": {}}
"""Routers that say no Gateway, which is the stack's own."""
ENVOY: Final = {**ATTACHED, "gateway": {"flavor": "envoy"}}


def llm(**changes: Any) -> Raw:
    """LLMInferenceServices: with an endpoint picker, with prefill apart, and on two nodes."""
    return {**configuration(FOLDER / "Pulumi.llm-inference-service.yaml"), **changes}


def roles(**changes: Any) -> Raw:
    """Prefill and decode of one pod each, which scale, and of two pods each, in a gang."""
    return {**configuration(FOLDER / "Pulumi.prefill-and-decode.yaml"), **changes}


def scale(metric: str, target: float = 50, **more: Any) -> Raw:
    """How KServe scales a model."""
    return {"metric": metric, "target": target, "max": 3, **more}


def started(folder: str, *more: str) -> list[str]:
    """A command of the vLLM that hybrid has."""
    module = "vllm.entrypoints.openai.api_server"
    flags = ("--model", folder, "--port", "8080", "--dtype", "half")
    return ["python3", "-m", module, *flags, *more]


def at_port(port: int) -> Raw:
    """A server of hybrid at another port, by a command that says none."""
    server = "models[qwen-chat].server"
    return {f"{server}.port": port, f"{server}.command": ["serve"]}


def load_test(**changes: Any) -> Raw:
    return {"name": "spike", "model": "qwen", "scenario": {"spike": {}}, **changes}


SCALING: Final = "autoscaling.knative.dev/"
NOTES: Final = "models[qwen].serve.knative.annotations"
NEW_IMAGE: Raw = {
    "models[qwen-queue].server.image": "registry/vllm:0.18.0",
    "models[qwen-queue].placement.pools": ["elastic"],
    "pools[elastic].gpu": "T4",
    "pools[elastic].instance_types": ["ecs.gn6i-c24g1.6xlarge"],
}
ON_ELASTIC: Raw = {"priority": None, "placement": {"pools": ["elastic"]}}
CONNECTED: Raw = {"name": "idc", "gpu": "V100", "interconnected": True}
LOW: Raw = {"priorities": [{"name": "low", "value": -1, "preempts": False}]}


def pair(**changes: Any) -> Raw:
    """A training of two pods, for a stack that has none."""
    smallest = {
        "name": "pair",
        "image": "registry/train:1",
        "command": ["train"],
        "resources": {"cpu": "2", "memory": "8Gi"},
        "placement": {"pools": ["idc"]},
        "priority": "low",
        "checkpoint": {"store": "shared", "size": "1Gi", "mount_path": "/checkpoints"},
        "parallelism": 2,
    }
    return {**smallest, **changes}


NEXT: Raw = {"percent": 10}
"""A share of the requests."""


def with_next(**changes: Any) -> Callable[..., Raw]:
    """Hybrid with a new version of its first model beside it."""

    def build() -> Raw:
        raw = hybrid()
        candidate = {**copy.deepcopy(raw["models"][0]), "name": "next", **changes}
        raw["models"].append(candidate)
        return raw

    return build


def own_vpc() -> Raw:
    """A new cluster in a VPC that exists."""
    return configuration(FOLDER / "Pulumi.own-vpc.yaml")


def own_ack_cluster() -> Raw:
    """An ACK cluster that exists, with a pool of the stack's beside its nodes."""
    return configuration(FOLDER / "Pulumi.own-ack-cluster.yaml")


def own_keys() -> Raw:
    """Keys, tags, disks and the like, as a company prescribes them."""
    return configuration(FOLDER / "Pulumi.own-keys.yaml")


def own_bucket() -> Raw:
    """Any cluster, and a bucket that is read by a Secret."""
    return configuration(FOLDER / "Pulumi.own-bucket.yaml")


HUB: Raw = {
    "models[qwen].volume": GONE,
    "models[qwen].cache": GONE,
    "models[qwen].server.vllm.model": "Qwen/Qwen2.5-7B-Instruct",
    "models[qwen].server.vllm.quantization": GONE,
    "models[qwen].server.vllm.dtype": "half",
    "models[qwen].server.mount_path": "/hub",
}
ARM_POOL: Raw = {
    "instance_types": [ARM],
    "pools[+]": {
        "name": "arm",
        "instance_types": ["ecs.g8y.2xlarge"],
        "size": 3,
        "image_type": "AliyunLinux3Arm64",
        "taints": [{"key": "kubernetes.io/arch", "value": "arm64"}],
    },
}
