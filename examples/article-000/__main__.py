"""Qwen on A10 first, then T4, ahead of training; cached by Fluid, scaled on requests by Knative."""

import pulumi
import pulumi_ack_inference as ack
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
namespace = config.require("namespace")
cluster = kubernetes.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

high = ack.PriorityClass(name="inference-high-priority", value=1000000, description="Serves users.")
cache_args = ack.ModelCacheArgs(
    namespace=namespace,
    source_claim=config.require("claim"),
    tier=ack.CacheTier(workers=2, quota="20Gi"),
    node_labels={"node.kubernetes.io/instance-type": ["ecs.g8i.24xlarge"]},
)
placement_args = ack.PlacementArgs(
    namespace=namespace,
    selector={"release": "qwen"},
    pools=[
        ack.PlacementPool(name=card, node_selector={"aliyun.accelerator/nvidia_name": card})
        for card in ("NVIDIA-A10", "Tesla-T4")
    ],
    preempt_policy=ack.PreemptPolicy.BEFORE_NEXT_UNIT,
)
server = ack.ModelServer(
    image="kube-ai-registry.cn-shanghai.cr.aliyuncs.com/kube-ai/vllm:0.4.1",
    mount_path="/mnt/models/Qwen-7B-Chat-Int8",
    resources=ack.Resources(cpu="16", cpu_limit="32", memory="64Gi", gpus=1),
    vllm=ack.Vllm(
        served_model_name="qwen",
        quantization=ack.Quantization.GPTQ,
        max_model_len=6144,
        gpu_memory_utilization=0.95,
        trust_remote_code=True,
    ),
)
scale = ack.Scale(metric=ack.Metric.CONCURRENCY, target=2, min=1, max=3)

in_cluster = pulumi.ResourceOptions(providers=[cluster])
priorities = ack.Priorities("priorities", ack.PrioritiesArgs(classes=[high]), in_cluster)
cache = ack.ModelCache("qwen", cache_args, in_cluster)
placement = ack.Placement("qwen", placement_args, in_cluster)
qwen = ack.KnativeModel(
    "qwen",
    ack.KnativeModelArgs(
        namespace=namespace,
        labels=placement.labels,
        node_affinity=placement.node_affinity,
        claim=cache.claim_name,
        priority_class=high.name,
        server=server,
        serve=ack.KnativeServe(scale=scale, reserve=ack.Reserve()),
    ),
    pulumi.ResourceOptions(providers=[cluster], depends_on=[priorities, cache, placement]),
)

pulumi.export("host", qwen.host)
