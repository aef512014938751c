"""Changes of the stacks of this repository, and what each of them does."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from plan.diff.compare import ChangeKind, StackDiff, compare
from plan.model import Plan
from plan.run import plan
from tests.stacks.environments import GONE, ROOT, merged

Rows = dict[ChangeKind, set[str]]

SALT: Final = b"one run"
MODEL: Final = {
    "name": "second",
    "volume": {"store": "models", "path": "/Second", "size": "5Gi"},
    "server": {
        "image": "registry.example.com/vllm:0.8.5",
        "mount_path": "/mnt/models/second",
        "resources": {"cpu": "4", "memory": "16Gi", "gpus": 1},
        "vllm": {"served_model_name": "second"},
    },
    "placement": {"pools": ["a10"]},
    "priority": "inference-high-priority",
    "serve": {"knative": {"scale": {"metric": "concurrency", "target": 2, "min": 1, "max": 3}}},
}


_PARTS: Final = (
    "claim",
    "dataset",
    "identity-attachment",
    "identity-policy",
    "identity-role",
    "load",
    "policy",
    "runtime",
    "service",
    "volume",
)


@dataclass(frozen=True)
class Prepared:
    """A change of a stack file, and the rows that it has to show."""

    title: str
    stack: str
    changes: Mapping[str, Any]
    rows: Rows
    headline: str = ""
    """How the first sentence begins; empty where there is none."""


def planned(stack: str, changes: Mapping[str, Any]) -> Plan:
    """The plan of a stack with changes in its file."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, folder)
        file = yaml.load((ROOT / f"Pulumi.{stack}.yaml").read_text(), yaml.CSafeLoader)
        config = {
            key.removeprefix("ack-inference:"): value for key, value in file["config"].items()
        }
        config.update(merged(config, dict(changes)))
        file["config"] = {f"ack-inference:{key}": value for key, value in config.items()}
        Path(folder, f"Pulumi.{stack}.yaml").write_text(yaml.dump(file, Dumper=yaml.CSafeDumper))
        return plan(stack, Path(folder), salt=SALT)


@cache
def as_it_is(stack: str) -> Plan:
    """The plan of a stack of this repository."""
    return planned(stack, {})


def diff_of(stack: str, changes: Mapping[str, Any]) -> StackDiff:
    """What a change of its file does to a stack."""
    return compare(as_it_is(stack), planned(stack, changes))


def rows(diff: StackDiff) -> Rows:
    """Names of the resources by what happens to them."""
    by_kind: Rows = {}
    for change in diff.resources:
        by_kind.setdefault(change.kind, set()).add(change.resource.name)
    return by_kind


PREPARED: Final = [
    Prepared(
        "a pool grows",
        "dev",
        {"pools[t4].autoscale.max": 8},
        {ChangeKind.UPDATED: {"t4-pool"}},
    ),
    Prepared(
        "a model is added",
        "dev",
        {"models[+]": MODEL},
        {
            ChangeKind.CREATED: {
                "second-claim",
                "second-identity-attachment",
                "second-identity-policy",
                "second-identity-role",
                "second-policy",
                "second-service",
                "second-volume",
            }
        },
    ),
    Prepared(
        "a model may have more replicas",
        "dev",
        {"models[qwen].serve.knative.scale.max": 5},
        {ChangeKind.UPDATED: {"qwen-service"}},
    ),
    Prepared(
        "a pool gets another instance type",
        "dev",
        {"pools[a10].instance_types": ["ecs.gn7i-c32g1.8xlarge", "ecs.gn7i-c32g1.16xlarge"]},
        {ChangeKind.UPDATED: {"a10-pool"}},
    ),
    Prepared(
        "the VPC gets a wider range",
        "dev",
        {"network.cidr": "10.0.0.0/15"},
        {ChangeKind.UPDATED: {"checkpoints-writers", "network-vpc"}},
    ),
    Prepared(
        "services get another range, which replaces the cluster",
        "dev",
        {"network.service_cidr": "172.30.0.0/16"},
        {
            ChangeKind.UPDATED: {"qwen-identity-role"},
            ChangeKind.REPLACED: {
                "a10-pool",
                "cache-pool",
                "cluster-addon-ack-pod-identity-webhook",
                "cluster-autoscaling",
                "cluster-cluster",
                "cluster-kubernetes",
                "finetune-checkpoint-claim",
                "finetune-checkpoint-volume",
                "finetune-job",
                "finetune-policy",
                "fluid-release",
                "knative-addon",
                "knative-config-deployment",
                "knative-config-features",
                "namespace",
                "priorities-class-inference-high-priority",
                "priorities-class-training-low-priority",
                "qwen-claim",
                "qwen-dataset",
                "qwen-load",
                "qwen-policy",
                "qwen-runtime",
                "qwen-service",
                "qwen-volume",
                "system-pool",
                "t4-pool",
            },
        },
        "This replaces the cluster cluster-cluster (another serviceCidr): ",
    ),
    Prepared(
        "a zone gets another range, which replaces its vSwitch",
        "dev",
        {"network.zones[cn-beijing-h].cidr": "10.0.128.0/20"},
        {
            ChangeKind.REPLACED: {
                "checkpoints-mount-target",
                "finetune-checkpoint-claim",
                "finetune-checkpoint-volume",
                "network-snat-cn-beijing-h",
                "network-vswitch-cn-beijing-h",
            },
            ChangeKind.UPDATED: {
                "a10-pool",
                "cache-pool",
                "cluster-cluster",
                "network-nat",
                "system-pool",
                "t4-pool",
            },
        },
        "This replaces the vSwitch network-vswitch-cn-beijing-h (another cidrBlock): ",
    ),
    Prepared(
        "a model is renamed",
        "dev",
        {"models[qwen].name": "qwen-next"},
        {
            ChangeKind.CREATED: {f"qwen-next-{part}" for part in _PARTS},
            ChangeKind.DELETED: {f"qwen-{part}" for part in _PARTS},
        },
        "This deletes the model qwen-service: it answers nobody any more.",
    ),
    Prepared(
        "a cache is removed",
        "dev",
        {"models[qwen].cache": GONE},
        {
            ChangeKind.UPDATED: {"qwen-service"},
            ChangeKind.DELETED: {"fluid-release", "qwen-dataset", "qwen-load", "qwen-runtime"},
        },
        "This deletes the Helm release fluid-release: ",
    ),
    Prepared(
        "a model gets other files",
        "dev",
        {"models[qwen].volume.path": "/Other"},
        {
            ChangeKind.UPDATED: {"qwen-identity-policy", "qwen-service"},
            ChangeKind.REPLACED: {
                "qwen-claim",
                "qwen-dataset",
                "qwen-load",
                "qwen-runtime",
                "qwen-volume",
            },
        },
        "This replaces the claim qwen-claim (another metadata.name, spec.volumeName): ",
    ),
    Prepared(
        "a model moves from Knative to KServe",
        "dev",
        {
            "models[qwen].serve": {
                "kserve": {"scale": {"metric": "cpu", "target": 70, "min": 1, "max": 3}}
            }
        },
        {
            ChangeKind.CREATED: {
                "cert-manager-release",
                "kserve-crd",
                "kserve-ingress",
                "kserve-resources",
                "qwen-service",
            },
            ChangeKind.UPDATED: {"qwen-policy"},
            ChangeKind.DELETED: {
                "knative-addon",
                "knative-config-deployment",
                "knative-config-features",
                "qwen-service",
            },
        },
        "This deletes the model qwen-service, and makes one of another kind: "
        "serving.kserve.io/v1beta1 InferenceService.",
    ),
    Prepared(
        "a job is removed",
        "dev",
        {"training": []},
        {
            ChangeKind.DELETED: {
                "finetune-checkpoint-claim",
                "finetune-checkpoint-volume",
                "finetune-job",
                "finetune-policy",
            }
        },
        "This deletes the claim finetune-checkpoint-claim: pods that mount it do not start.",
    ),
    Prepared(
        "a job gets another image",
        "dev",
        {"training[finetune].image": "registry.example.com/job:2"},
        {ChangeKind.REPLACED: {"finetune-job"}},
        "This replaces the job finetune-job (another spec.template): ",
    ),
    Prepared(
        "a model tries its pools in another order",
        "prod",
        {"models[qwen-chat].placement.pools": ["a10-spot", "a10"]},
        {ChangeKind.UPDATED: {"qwen-chat-policy", "qwen-chat-service"}},
    ),
    Prepared(
        "the cluster is no longer protected",
        "prod",
        {"cluster.deletion_protection": False},
        {ChangeKind.UPDATED: {"cluster-cluster"}},
        "Protection is taken off ",
    ),
    Prepared(
        "an elastic pool grows beside machines of an IDC",
        "hybrid",
        {"pools[elastic].autoscale.max": 6},
        {ChangeKind.UPDATED: {"elastic-pool"}},
    ),
    Prepared(
        "a model is removed",
        "hybrid",
        {"models[qwen-queue]": GONE},
        {
            ChangeKind.DELETED: {
                "qwen-queue-autoscaler",
                "qwen-queue-claim",
                "qwen-queue-policy",
                "qwen-queue-service",
                "qwen-queue-volume",
            }
        },
        "This deletes the model qwen-queue-service: it answers nobody any more.",
    ),
    Prepared(
        "nodes are found by another label",
        "existing",
        {"nodes[gpu].node_selector": {"nvidia.com/gpu.product": "A10"}},
        {ChangeKind.REPLACED: {"finetune-job"}, ChangeKind.UPDATED: {"qwen-service"}},
        "This replaces the job finetune-job (another spec.template): ",
    ),
]
