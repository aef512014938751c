"""The smallest arguments that each public component takes."""

from collections.abc import Mapping
from typing import Any, Final

CARD: Final = "aliyun.accelerator/nvidia_name"
ISSUER: Final = {"oidc_issuer_url": "https://issuer", "oidc_provider_arn": "acs:ram::1:oidc/issuer"}
SERVER: Final = {
    "image": "registry/vllm:0.4.1",
    "resources": {"cpu": "16", "memory": "64Gi"},
    "mount_path": "/mnt/models/qwen",
    "vllm": {"served_model_name": "qwen"},
}
MODEL: Final = {
    "server": SERVER,
    "namespace": "inference",
    "labels": {"release": "it"},
    "claim": "it",
}

MINIMAL: Final[Mapping[str, Mapping[str, Any]]] = {
    "AckCluster": {
        "cluster_name": "it",
        "vswitch_ids": ["vsw-1"],
        "pod_vswitch_ids": ["vsw-2"],
        "service_cidr": "172.21.0.0/20",
        "log_project_name": "it-logs",
    },
    "Alerts": {
        "flavor": "upstream",
        "namespace": "inference",
        "models": [
            {
                "name": "qwen",
                "namespace": "inference",
                "pods": "qwen-.*",
                "replicas": "qwen",
                "workload": "Deployment",
            }
        ],
    },
    "BodyRouter": {"namespace": "inference"},
    "CanaryRoute": {
        "host": "it.example.com",
        "service": "next-predictor",
        "namespace": "inference",
        "percent": 10,
    },
    "CertManager": {},
    "Dashboards": {"flavor": "arms"},
    "EdgePool": {"cluster_id": "c1", "node_pool_name": "it"},
    "ElasticQuotas": {
        "groups": [
            {"name": "team", "namespaces": ["team"], "min": {"gpus": 1}, "max": {"gpus": 2}}
        ],
    },
    "ExistingAckCluster": {"cluster_id": "c1"},
    "ExistingCluster": {"kubeconfig": "{}"},
    "Fluid": {"chart": {}},
    "GpuMetrics": {
        "flavor": "upstream",
        "prometheus": {"url": "http://prometheus.monitoring:9090"},
    },
    "KServe": {},
    "KServeModel": {**MODEL, "serve": {"scale": {"max": 3, "target": 2, "metric": "cpu"}}},
    "Knative": {"installer": "addon", "features": {}, "cluster_id": "c1"},
    "KnativeModel": {**MODEL, "serve": {"scale": {"max": 3, "target": 2}}},
    "InferenceGateway": {
        "installer": "present",
        "namespace": "inference",
        "class_name": "ack-gateway",
        "pickers": False,
        "by_name": False,
    },
    "LLMInferenceServices": {},
    "LLMModel": {
        **MODEL,
        "server": {**SERVER, "image": "registry/vllm:0.19.0", "port": 8000},
        "serve": {"scale": {"max": 1}},
    },
    "LeaderWorkerModel": {
        **MODEL,
        "server": {**SERVER, "image": "registry/vllm:0.19.0"},
        "serve": {"nodes": 2, "scale": {"max": 1}},
    },
    "LeaderWorkerSets": {},
    "ModelRoute": {
        "route": {},
        "flavor": "envoy",
        "namespace": "inference",
        "names": ["qwen"],
        "labels": {"release": "it"},
        "port": 8000,
        "service": "it",
        "gateways": ["models"],
        "request_seconds": 600,
    },
    "RoleBasedGroups": {},
    "RolesModel": {
        **MODEL,
        "server": {**SERVER, "image": "registry/vllm:0.19.0"},
        "serve": {
            "prefill": {"scale": {"max": 1}},
            "decode": {"scale": {"max": 1}},
            "router": {"image": "registry/vllm-router:0.1.17"},
        },
    },
    "LoadTest": {
        "scenario": {"spike": {}},
        "url": "http://it",
        "served_model_name": "it",
        "namespace": "inference",
        "model_claim": "it",
    },
    "ModelBucket": {"bucket": "it-models"},
    "ModelCache": {
        "namespace": "inference",
        "source_claim": "it",
        "tier": {"workers": 2, "quota": "20Gi"},
        "node_labels": {"node.kubernetes.io/instance-type": ["ecs.g8i.24xlarge"]},
    },
    "ModelFileSystem": {
        "access_group_name": "it-models",
        "vpc_id": "vpc-1",
        "vswitch_id": "vsw-1",
        "writer_cidr": "10.0.0.0/20",
    },
    "ModelImport": {
        "source": {"modelscope": "Qwen/Qwen2.5-7B-Instruct", "revision": "v1"},
        "namespace": "inference",
        "claim": "it",
        "folder": "it/v1",
        "size": "15Gi",
        "image": "registry/vllm:0.19.0",
    },
    "ModelStore": {
        "claim_name": "it",
        "namespace": "inference",
        "size": "15Gi",
        "oss": {"bucket": "it-models", "region": "cn-beijing", "role_name": "it", **ISSUER},
    },
    "Network": {"cidr": "10.0.0.0/16", "zones": [{"id": "cn-beijing-h", "cidr": "10.0.0.0/20"}]},
    "NodePool": {
        "cluster_id": "c1",
        "node_pool_name": "it",
        "vswitch_ids": ["vsw-1"],
        "instance_types": ["ecs.g7.xlarge"],
        "size": 1,
    },
    "Placement": {
        "selector": {"release": "it"},
        "namespace": "inference",
        "pools": [{"name": "a10", "node_selector": {CARD: "NVIDIA-A10"}}],
    },
    "Priorities": {"classes": [{"name": "high", "value": 1000}]},
    "RrsaRole": {
        "role_name": "it",
        "namespace": "inference",
        "service_account": "reader",
        "statements": [{"actions": ["oss:GetObject"], "resources": ["acs:oss:*:*:it-models/*"]}],
        **ISSUER,
    },
    "TeamNamespace": {"namespace": "team"},
    "TrainingJob": {
        "image": "registry/train:1",
        "command": ["train"],
        "resources": {"cpu": "8", "memory": "32Gi"},
        "namespace": "inference",
        "labels": {"release": "it"},
        "priority_class": "low",
        "checkpoint_claim": "it",
        "checkpoint_path": "/checkpoint",
    },
}
"""By the component's name. A new optional input changes nothing here; a required one does."""
