"""A small program with one of everything that a plan shows."""

import pulumi
import pulumi_alicloud as alicloud
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

config = pulumi.Config()
sizes = config.require_object("sizes")
token = config.require_secret("token")


class Cluster(pulumi.ComponentResource):
    """A cluster with two pools."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "example:index:Cluster", name, {"password": pulumi.Output.secret("CANARY-component")}
        )
        child = pulumi.ResourceOptions(parent=self)
        cluster = alicloud.cs.ManagedKubernetes(
            f"{name}-cluster",
            name="dev",
            cluster_spec="ack.pro.small",
            tags={"owner": pulumi.Output.secret("CANARY-resource")},
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        alicloud.cs.NodePool(
            f"{name}-a10-pool",
            cluster_id=cluster.id,
            node_pool_name="a10",
            instance_types=["ecs.gn7i-c32g1.8xlarge"],
            desired_size="2",
            password=token,
            opts=child,
        )
        alicloud.cs.NodePool(
            f"{name}-t4-pool",
            cluster_id=cluster.id,
            node_pool_name="t4",
            instance_types=["ecs.gn6i-c24g1.6xlarge", "ecs.gn6i-c24g1.12xlarge"],
            spot_strategy="SpotAsPriceGo",
            scaling_config={"enable": True, "min_size": sizes["min"], "max_size": sizes["max"]},
            opts=child,
        )
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=pulumi.Output.secret("CANARY-kubeconfig"),
            cluster_identifier=cluster.id,
            opts=child,
        )
        self.register_outputs({})


cluster = Cluster("ack")
on = pulumi.ResourceOptions(provider=cluster.provider)


def custom(name: str, api_version: str, kind: str, spec: object, **metadata: object) -> None:
    """Declares a custom resource in namespace `models`."""
    metadata = {"name": name, "namespace": "models", **metadata}
    CustomResource(f"{name}-{kind.lower()}", api_version, kind, spec, metadata, on)


kubernetes.core.v1.Namespace("models", metadata={"name": "models"}, opts=on)
kubernetes.core.v1.Secret(
    "pull",
    metadata={"name": "pull", "namespace": "models"},
    string_data={"k": "CANARY-data"},
    opts=on,
)
kubernetes.core.v1.ConfigMapPatch(
    "features",
    metadata={"name": "config-features", "namespace": "knative-serving"},
    data={"kubernetes.podspec-priorityclassname": "enabled"},
    opts=on,
)
kubernetes.helm.v3.Release("fluid", chart="fluid", opts=on)
kubernetes.scheduling.v1.PriorityClass("high", metadata={"name": "high"}, value=1000, opts=on)
kubernetes.core.v1.PersistentVolume(
    "weights-pv",
    metadata={"name": "qwen-weights"},
    spec={
        "capacity": {"storage": "15Gi"},
        "access_modes": ["ReadOnlyMany"],
        "csi": {
            "driver": "ossplugin.csi.alibabacloud.com",
            "volume_handle": "qwen-weights",
            "volume_attributes": {"bucket": "llm-models", "path": "/Qwen-7B-Chat-Int8"},
        },
    },
    opts=on,
)
kubernetes.core.v1.PersistentVolumeClaim(
    "weights-pvc",
    metadata={"name": "qwen-weights", "namespace": "models"},
    spec={"volume_name": "qwen-weights", "storage_class_name": ""},
    opts=on,
)
fluid = "data.fluid.io/v1alpha1"
custom("qwen", fluid, "Dataset", {"mounts": [{"mountPoint": "pvc://qwen-weights", "name": "w"}]})
level = {"mediumtype": "MEM", "path": "/dev/shm", "quota": "20Gi"}  # noqa: S108
custom("qwen", fluid, "JindoRuntime", {"replicas": 2, "tieredstore": {"levels": [level]}})
custom("qwen-warm", fluid, "DataLoad", {"dataset": {"name": "qwen", "namespace": "models"}})
custom(
    "qwen",
    "scheduling.alibabacloud.com/v1alpha1",
    "ResourcePolicy",
    {
        "selector": {"release": "qwen"},
        "preemptPolicy": "BeforeNextUnit",
        "units": [
            {"resource": "ecs", "nodeSelector": {"aliyun.accelerator/nvidia_name": card}}
            for card in ("NVIDIA-A10", "Tesla-T4")
        ],
    },
)
custom(
    "qwen",
    "serving.knative.dev/v1",
    "Service",
    {
        "template": {
            "metadata": {
                "labels": {"release": "qwen"},
                "annotations": {
                    "autoscaling.knative.dev/metric": "concurrency",
                    "autoscaling.knative.dev/target": "2",
                    "autoscaling.knative.dev/min-scale": "1",
                    "autoscaling.knative.dev/max-scale": "3",
                    "knative.aliyun.com/reserve-instance": "enable",
                    "knative.aliyun.com/reserve-instance-type": "ecs",
                },
            },
            "spec": {
                "priorityClassName": "high",
                "containers": [{"image": "vllm"}],
                "volumes": [{"name": "w", "persistentVolumeClaim": {"claimName": "qwen"}}],
            },
        }
    },
)
kubernetes.batch.v1.Job(
    "finetune",
    metadata={"name": "finetune", "namespace": "models"},
    spec={
        "template": {
            "spec": {
                "restart_policy": "Never",
                "priority_class_name": "low",
                "containers": [{"name": "train", "image": "train"}],
                "volumes": [{"name": "d", "persistent_volume_claim": {"claim_name": "corpus"}}],
            }
        }
    },
    opts=on,
)
pulumi.log.warn("The API endpoint is private, so pulumi up has to run inside the VPC.")
pulumi.log.warn("The cluster keeps one node awake.", resource=cluster)
pulumi.export("url", pulumi.Output.concat("http://qwen.models.", cluster.urn))
pulumi.export("region", config.require("region"))
pulumi.export("token", token)
pulumi.export("login", config.require_secret_object("login"))
