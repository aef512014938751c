"""Qwen on V100 machines of an IDC first, then on elastic ones in the cloud; served by KServe."""

import pulumi
import pulumi_ack_inference as ack
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
namespace = config.require("namespace")
cluster = kubernetes.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

elastic = ack.NodePool(
    "elastic",
    ack.NodePoolArgs(
        cluster_id=config.require("cluster_id"),
        node_pool_name="elastic",
        vswitch_ids=config.require_object("vswitch_ids"),
        instance_types=["ecs.gn6v-c8g1.2xlarge"],
        autoscale=ack.Autoscale(min=0, max=3),
    ),
)
pool_id = "alibabacloud.com/nodepool-id"
idc = ack.PlacementPool(name="idc", node_selector={pool_id: config.require("idc_pool_id")})
cloud = ack.PlacementPool(
    name="elastic", node_selector={pool_id: elastic.node_pool_id}, autoscaled=True
)
# The label that KServe gives the pods of a service called qwen-chat.
selector = {"app": "isvc.qwen-chat-predictor"}
placement = ack.Placement(
    "qwen-chat",
    ack.PlacementArgs(namespace=namespace, selector=selector, pools=[idc, cloud]),
    pulumi.ResourceOptions(providers=[cluster]),
)
server = ack.ModelServer(
    image="kube-ai-registry.cn-shanghai.cr.aliyuncs.com/kube-ai/vllm:0.4.1",
    mount_path="/mnt/models/Qwen",
    resources=ack.Resources(cpu="4", cpu_limit="4", memory="12Gi", gpus=1),
    vllm=ack.Vllm(
        served_model_name="qwen",
        quantization=ack.Quantization.GPTQ,
        max_model_len=6144,
        gpu_memory_utilization=0.95,
        trust_remote_code=True,
    ),
)
scale = ack.KServeScale(metric=ack.KServeMetric.SM_UTILIZATION, target=50, min=1, max=3)
qwen = ack.KServeModel(
    "qwen-chat",
    ack.KServeModelArgs(
        namespace=namespace,
        labels={"release": "qwen-chat"},
        node_affinity=placement.node_affinity,
        claim=config.require("claim"),
        server=server,
        serve=ack.KServeServe(scale=scale),
    ),
    pulumi.ResourceOptions(providers=[cluster], depends_on=[placement]),
)

pulumi.export("host", qwen.host)
