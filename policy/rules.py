"""The table of rules."""

from typing import Final

from . import cloud, workloads
from .model import Level, Rule

RULES: Final = (
    Rule(
        "no-public-api-server",
        "The API server of a cluster has no public address.",
        Level.MANDATORY,
        cloud.public_api_servers,
    ),
    Rule(
        "no-access-key",
        "No Kubernetes object and no chart holds an AccessKey.",
        Level.MANDATORY,
        workloads.access_keys,
    ),
    Rule(
        "encrypted-disks",
        "Disks of nodes and file systems are encrypted.",
        Level.MANDATORY,
        cloud.disks_in_plain,
    ),
    Rule(
        "no-public-bucket",
        "No bucket is public by its ACL, its policy or a lifted block.",
        Level.MANDATORY,
        cloud.public_buckets,
    ),
    Rule(
        "public-access-block",
        "Every bucket of the stack has public access blocked for good.",
        Level.MANDATORY,
        cloud.open_buckets,
        whole_stack=True,
    ),
    Rule(
        "deletion-protection",
        "In production, clusters, buckets and file systems are protected from deletion.",
        Level.MANDATORY,
        cloud.unprotected,
        cloud.Production,
    ),
    Rule(
        "gpu-priority",
        "GPU pods have a priority, in production and wherever a stack declares priorities.",
        Level.MANDATORY,
        workloads.gpu_pods_without_priority,
        cloud.Production,
        whole_stack=True,
    ),
    Rule(
        "gpu-placement",
        "GPU pods say where they run, by a ResourcePolicy or by themselves.",
        Level.MANDATORY,
        workloads.gpu_pods_without_placement,
        whole_stack=True,
    ),
    Rule(
        "fixed-images",
        "Images are named by a digest or by a tag that stays.",
        Level.MANDATORY,
        workloads.moving_images,
        workloads.Images,
    ),
    Rule(
        "cost-bounds",
        "Node pools at their largest stay within bounds of GPUs and node-hours.",
        Level.ADVISORY,
        cloud.costly,
        cloud.CostBounds,
        whole_stack=True,
    ),
)
"""Every rule, by the name that configuration and violations give it."""
