"""One model on an ACK cluster that is there already: Qwen on A10, scaled on its requests."""

import pulumi
import pulumi_ack_inference as ack
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
namespace = config.require("namespace")
labels = {"app": "qwen"}

cluster = kubernetes.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

placement = ack.Placement(
    "qwen",
    ack.PlacementArgs(
        namespace=namespace,
        selector=labels,
        pools=[
            ack.PlacementPool(
                name="a10", node_selector={"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}
            )
        ],
    ),
    pulumi.ResourceOptions(providers=[cluster]),
)
qwen = ack.KnativeModel(
    "qwen",
    ack.KnativeModelArgs(
        namespace=namespace,
        labels=labels,
        claim=config.require("claim"),
        sub_path="Qwen2.5-7B-Instruct",
        server=ack.ModelServer(
            image="docker.io/vllm/vllm-openai:v0.28.0",
            mount_path="/mnt/models/qwen",
            resources=ack.Resources(cpu="8", memory="48Gi", gpus=1),
            vllm=ack.Vllm(served_model_name="qwen", max_model_len=8192),
        ),
        serve=ack.KnativeServe(scale=ack.Scale(target=4, min=0, max=2)),
    ),
    pulumi.ResourceOptions(providers=[cluster], depends_on=[placement]),
)

pulumi.export("host", qwen.host)
