"""The table of rules."""

from typing import Final

from . import cloud, downloads, limits, network, workloads
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
        "no-plain-secret",
        "No pod and no ConfigMap holds a key or a password; a Secret does.",
        Level.MANDATORY,
        workloads.plain_secrets,
    ),
    Rule(
        "no-node-access",
        "Pods keep to what the baseline of Kubernetes' Pod Security Standards lets them.",
        Level.MANDATORY,
        workloads.pods_on_the_node,
        workloads.ContainerCapabilities,
    ),
    Rule(
        "no-root",
        "No container is told to run as root, or may become it.",
        Level.ADVISORY,
        workloads.root_by_choice,
    ),
    Rule(
        "no-open-role",
        "No role grants every verb or resource, and none is bound to everybody.",
        Level.MANDATORY,
        workloads.open_roles,
    ),
    Rule(
        "no-open-service",
        "A Service of a load balancer answers in the VPC, or says who is let in.",
        Level.MANDATORY,
        network.open_services,
    ),
    Rule(
        "no-public-ingress",
        "What is behind a public Ingress controller of ACK says who is let in.",
        Level.ADVISORY,
        network.public_ingresses,
        whole_stack=True,
    ),
    Rule(
        "tls-hosts",
        "Hosts that clients ask have a certificate.",
        Level.ADVISORY,
        network.plain_hosts,
    ),
    Rule(
        "closed-gateways",
        "Gateways have a certificate, ask for keys, and limit what each client gets.",
        Level.ADVISORY,
        network.plain_gateways,
        whole_stack=True,
    ),
    Rule(
        "no-open-network-policy",
        "No NetworkPolicy lets everybody in.",
        Level.MANDATORY,
        network.open_policies,
    ),
    Rule(
        "network-policy-selects",
        "A NetworkPolicy selects pods of the stack.",
        Level.ADVISORY,
        network.idle_policies,
        whole_stack=True,
    ),
    Rule(
        "quotas-leave-room",
        "No quota keeps the stack's pods from ever starting.",
        Level.MANDATORY,
        limits.empty_quotas,
        whole_stack=True,
    ),
    Rule(
        "nodes-drain",
        "Disruption budgets let nodes be drained.",
        Level.ADVISORY,
        limits.stuck_nodes,
        whole_stack=True,
    ),
    Rule(
        "checked-imports",
        "An import by plain HTTP holds its files against checksums.",
        Level.MANDATORY,
        downloads.unchecked_imports,
    ),
    Rule(
        "pinned-models",
        "Models of a hub are named by a revision that stays.",
        Level.ADVISORY,
        downloads.moving_models,
        workloads.Images,
    ),
    Rule(
        "closed-folders",
        "A folder of S3 that KServe fetches ends with a slash.",
        Level.ADVISORY,
        downloads.open_folders,
    ),
    Rule(
        "whole-models",
        "KServe fetches no model of Hugging Face as a pod starts.",
        Level.ADVISORY,
        downloads.half_models,
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
