"""A copy of a model in the memory of two nodes, for pods that somebody else runs."""

import pulumi
import pulumi_ack_inference as ack
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
cluster = kubernetes.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

fluid = ack.Fluid(
    "fluid",
    ack.FluidArgs(chart=ack.FluidChart()),
    pulumi.ResourceOptions(providers=[cluster]),
)
cache = ack.ModelCache(
    "qwen",
    ack.ModelCacheArgs(
        namespace=config.require("namespace"),
        source_claim=config.require("claim"),
        tier=ack.CacheTier(workers=2, quota="20Gi"),
        node_labels={"node.kubernetes.io/instance-type": [config.require("instance_type")]},
    ),
    pulumi.ResourceOptions(providers=[cluster], depends_on=[fluid]),
)

pulumi.export("claim", cache.claim_name)
