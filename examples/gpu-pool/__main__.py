"""A pool of T4 nodes added to somebody else's ACK cluster, and the order in which pods use it."""

import pulumi
import pulumi_ack_inference as ack
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
cluster = kubernetes.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

t4 = ack.NodePool(
    "t4",
    ack.NodePoolArgs(
        cluster_id=config.require("cluster_id"),
        node_pool_name="t4",
        vswitch_ids=config.require_object("vswitch_ids"),
        instance_types=["ecs.gn6i-c24g1.6xlarge"],
        autoscale=ack.Autoscale(min=0, max=4),
        taints=[ack.Taint(key="nvidia.com/gpu", value="present")],
    ),
)
tolerated = ack.Toleration(
    key="nvidia.com/gpu",
    operator=ack.TolerationOperator.EQUAL,
    value="present",
    effect=ack.TaintEffect.NO_SCHEDULE,
)
placement = ack.Placement(
    "chat",
    ack.PlacementArgs(
        namespace=config.require("namespace"),
        selector={"app": "chat"},
        pools=[
            ack.PlacementPool(
                name="a10", node_selector={"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}
            ),
            ack.PlacementPool(
                name="t4",
                node_selector={"alibabacloud.com/nodepool-id": t4.node_pool_id},
                autoscaled=True,
                tolerations=[tolerated],
            ),
        ],
    ),
    pulumi.ResourceOptions(providers=[cluster]),
)

pulumi.export("node_pool_id", t4.node_pool_id)
pulumi.export("policy_name", placement.policy_name)
