"""Custom resources with every field set, so that nothing of a model escapes the CRD's schema."""

from typing import Any

EXPRESSION = {"key": "zone", "operator": "In", "values": ["h"]}
TERM = {
    "match_expressions": [EXPRESSION],
    "match_fields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}],
}
LABELS = {"match_labels": {"app": "a"}, "match_expressions": [EXPRESSION]}
PODS = {
    "topology_key": "zone",
    "label_selector": LABELS,
    "namespaces": ["default"],
    "namespace_selector": LABELS,
    "match_label_keys": ["a"],
    "mismatch_label_keys": ["b"],
}
NEAR = {
    "required_during_scheduling_ignored_during_execution": [PODS],
    "preferred_during_scheduling_ignored_during_execution": [
        {"pod_affinity_term": PODS, "weight": 1}
    ],
}
AFFINITY = {
    "node_affinity": {
        "required_during_scheduling_ignored_during_execution": {"node_selector_terms": [TERM]},
        "preferred_during_scheduling_ignored_during_execution": [{"preference": TERM, "weight": 1}],
    },
    "pod_affinity": NEAR,
    "pod_anti_affinity": NEAR,
}
TOLERATIONS = [
    {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "toleration_seconds": 1}
]
RESOURCES = {
    "limits": {"cpu": 4, "memory": "64Gi", "nvidia.com/gpu": "1"},
    "requests": {"cpu": "500m", "nvidia.com/gpu": "1"},
}
LABELLED = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
ITEMS = [{"key": "a", "path": "b", "mode": 0o400}]
FACTS = [
    {"path": "name", "field_ref": {"field_path": "metadata.name", "api_version": "v1"}},
    {
        "path": "memory",
        "mode": 0o400,
        "resource_field_ref": {
            "resource": "limits.memory",
            "container_name": "vllm",
            "divisor": "1Mi",
        },
    },
]
SECURITY = {
    "run_as_group": 1,
    "run_as_non_root": True,
    "run_as_user": 1,
    "seccomp_profile": {"type": "Localhost", "localhost_profile": "a.json"},
}

VOLUMES: list[dict[str, Any]] = [
    {
        "name": "config",
        "config_map": {"name": "a", "items": ITEMS, "default_mode": 0o444, "optional": True},
    },
    {
        "name": "csi",
        "csi": {
            "driver": "ossplugin.csi.alibabacloud.com",
            "fs_type": "ext4",
            "read_only": True,
            "volume_attributes": {"bucket": "models"},
            "node_publish_secret_ref": {"name": "a"},
        },
    },
    {"name": "tmp", "empty_dir": {"medium": "Memory", "size_limit": "8Gi"}},
    {
        "name": "scratch",
        "ephemeral": {
            "volume_claim_template": {
                "spec": {
                    "access_modes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}, "limits": {"storage": "2Gi"}},
                    "storage_class_name": "fast",
                    "volume_mode": "Filesystem",
                    "volume_name": "pv-1",
                },
            }
        },
    },
    {"name": "host", "host_path": {"path": "/mnt", "type": "Directory"}},
    {"name": "claim", "persistent_volume_claim": {"claim_name": "qwen", "read_only": True}},
    {
        "name": "projected",
        "projected": {
            "default_mode": 0o444,
            "sources": [
                {"config_map": {"name": "a", "items": ITEMS, "optional": True}},
                {"secret": {"name": "a", "items": ITEMS, "optional": True}},
                {"downward_api": {"items": FACTS}},
                {
                    "service_account_token": {
                        "path": "token",
                        "audience": "sts.aliyuncs.com",
                        "expiration_seconds": 3600,
                    }
                },
            ],
        },
    },
    {
        "name": "secret",
        "secret": {"secret_name": "a", "items": ITEMS, "default_mode": 0o444, "optional": True},
    },
]
DOWNWARD = {"name": "downward", "downward_api": {"items": FACTS, "default_mode": 0o444}}
NFS = {"name": "nas", "nfs": {"server": "nas", "path": "/models", "read_only": True}}
IMAGE = {"name": "image", "image": {"reference": "models:1", "pull_policy": "Always"}}

RESOURCE_POLICY: dict[str, Any] = {
    "selector": {"release": "qwen"},
    "strategy": "prefer",
    "preempt_policy": "BeforeNextUnit",
    "when_try_next_units": {"policy": "TimeoutOrExceedMax", "timeout": "15m"},
    "ignore_previous_pod": True,
    "ignore_terminating_pod": True,
    "match_expressions": [EXPRESSION],
    "match_label_keys": ["version"],
    "consumer_ref": {
        "api_version": "apps/v1",
        "kind": "Deployment",
        "name": "qwen",
        "namespace": "default",
        "field_path": "spec",
        "resource_version": "1",
        "uid": "u",
    },
    "units": [
        {
            "resource": "ecs",
            "node_selector": {"a": "b"},
            "max": 3,
            "pod_labels": {"a": "b"},
            "pod_annotations": {"a": "b"},
            "spot_instance": True,
            "scale_in_weight": 1,
        },
        {"resource": "eci"},
    ],
}

USER = {"uid": 1, "gid": 1, "user": "a", "group": "b"}
SECRET_OPTIONS = [
    {"name": name, "value_from": {"secret_key_ref": {"name": "access-key", "key": name}}}
    for name in ("fs.oss.accessKeyId", "fs.oss.accessKeySecret")
]

DATASET: dict[str, Any] = {
    "mounts": [
        {
            "mount_point": "oss://models/qwen",
            "name": "qwen",
            "path": "/",
            "options": {"fs.oss.endpoint": "oss-cn-beijing-internal.aliyuncs.com"},
            "encrypt_options": SECRET_OPTIONS,
            "read_only": True,
            "shared": True,
        }
    ],
    "access_modes": ["ReadOnlyMany"],
    "node_affinity": {"required": {"node_selector_terms": [TERM]}},
    "tolerations": TOLERATIONS,
    "placement": "Shared",
    "shared_options": {"metaPolicy": "ONCE"},
    "shared_encrypt_options": SECRET_OPTIONS,
    "owner": USER,
    "data_restore_location": {"path": "pvc://backup/qwen", "node_name": "node-1"},
}

COMPONENT: dict[str, Any] = {
    "properties": {"a": "b"},
    "ports": {"rpc": 18000},
    "resources": RESOURCES,
    "env": {"A": "b"},
    "node_selector": {"a": "b"},
    "tolerations": TOLERATIONS,
    "pod_metadata": LABELLED,
    "disabled": False,
    "volume_mounts": [
        {
            "name": "claim",
            "mount_path": "/mnt",
            "read_only": True,
            "sub_path": "a",
            "mount_propagation": "None",
        },
        {"name": "tmp", "mount_path": "/tmp/a", "sub_path_expr": "$(A)"},  # noqa: S108
    ],
    "image_pull_secrets": [{"name": "a"}],
}

JINDO_RUNTIME: dict[str, Any] = {
    "replicas": 2,
    "tieredstore": {
        "levels": [
            {
                "mediumtype": "SSD",
                "path": "/mnt/a,/mnt/b",
                "quota_list": "20Gi,10Gi",
                "high": "0.9",
                "low": "0.8",
                "volume_type": "emptyDir",
            }
        ]
    },
    "master": COMPONENT | {"replicas": 3},
    "worker": COMPONENT,
    "fuse": {
        "image": "jindo-fuse",
        "image_tag": "6.9.1",
        "image_pull_policy": "Always",
        "image_pull_secrets": [{"name": "a"}],
        "properties": {"a": "b"},
        "env": {"A": "b"},
        "resources": RESOURCES,
        "args": ["-okernel_cache"],
        "node_selector": {"a": "b"},
        "tolerations": TOLERATIONS,
        "pod_metadata": LABELLED,
        "clean_policy": "OnDemand",
        "disabled": False,
        "log_config": {"level": "2"},
        "metrics": {"enabled": True, "scrape_target": "All"},
    },
    "jindo_version": {"image": "smartdata", "image_tag": "6.9.1", "image_pull_policy": "Always"},
    "properties": {"a": "b"},
    "networkmode": "ContainerNetwork",
    "clean_cache_policy": {"grace_period_seconds": 60, "max_retry_attempts": 3},
    "pod_metadata": LABELLED,
    "volumes": [*VOLUMES, DOWNWARD, NFS],
    "image_pull_secrets": [{"name": "a"}],
    "hadoop_config": "hadoop",
    "secret": "s",
    "run_as": USER,
    "user": "hdfs",
    "log_config": {"level": "2"},
}
JINDO_RUNTIME_IN_MEMORY: dict[str, Any] = {
    "replicas": 1,
    "tieredstore": {
        "levels": [
            {"mediumtype": "MEM", "path": "/mnt", "quota": "20Gi", "high": "0.9", "low": "0.8"}
        ]
    },
}

OPERATION = {
    "kind": "DataMigrate",
    "name": "copy",
    "namespace": "default",
    "api_version": "data.fluid.io/v1alpha1",
}
DATA_LOAD: dict[str, Any] = {
    "dataset": {"name": "qwen", "namespace": "default"},
    "load_metadata": True,
    "target": [{"path": "/", "replicas": 1}],
    "options": {"atomicCache": "true"},
    "policy": "Cron",
    "schedule": "0 3 * * *",
    "run_after": OPERATION
    | {
        "affinity_strategy": {
            "policy": "Prefer",
            "depend_on": OPERATION,
            "requires": [{"name": "zone"}],
            "prefers": [{"name": "zone", "weight": 1}],
        }
    },
    "pod_metadata": LABELLED,
    "affinity": AFFINITY,
    "tolerations": TOLERATIONS,
    "node_selector": {"a": "b"},
    "scheduler_name": "default-scheduler",
    "resources": RESOURCES,
}
DATA_LOAD_ONCE: dict[str, Any] = {
    "dataset": {"name": "qwen", "namespace": "default"},
    "policy": "Once",
    "ttl_seconds_after_finished": 60,
}


def probe(**handler: Any) -> dict[str, Any]:
    """A probe with every limit set."""
    return handler | {
        "initial_delay_seconds": 1,
        "period_seconds": 5,
        "timeout_seconds": 1,
        "success_threshold": 1,
        "failure_threshold": 3,
    }


CONTAINER: dict[str, Any] = {
    "image": "vllm:0.9",
    "name": "vllm",
    "command": ["vllm"],
    "args": ["serve"],
    "env": [
        {"name": "A", "value": "b"},
        {"name": "B", "value_from": {"config_map_key_ref": {"name": "a", "key": "b"}}},
        {
            "name": "C",
            "value_from": {"secret_key_ref": {"name": "a", "key": "b", "optional": True}},
        },
        {"name": "D", "value_from": {"field_ref": FACTS[0]["field_ref"]}},
        {"name": "E", "value_from": {"resource_field_ref": FACTS[1]["resource_field_ref"]}},
    ],
    "env_from": [
        {"config_map_ref": {"name": "a", "optional": True}, "prefix": "A_"},
        {"secret_ref": {"name": "a"}},
    ],
    "image_pull_policy": "IfNotPresent",
    "liveness_probe": probe(exec={"command": ["true"]}),
    "readiness_probe": probe(
        http_get={
            "path": "/health",
            "port": "http1",
            "host": "localhost",
            "scheme": "HTTP",
            "http_headers": [{"name": "a", "value": "b"}],
        }
    ),
    "startup_probe": probe(tcp_socket={"port": 8080, "host": "localhost"}),
    "ports": [{"container_port": 8080, "name": "http1", "protocol": "TCP"}],
    "resources": RESOURCES,
    "security_context": SECURITY
    | {
        "allow_privilege_escalation": False,
        "capabilities": {"add": ["IPC_LOCK"], "drop": ["ALL"]},
        "privileged": False,
        "read_only_root_filesystem": True,
    },
    "termination_message_path": "/dev/termination-log",
    "termination_message_policy": "File",
    "volume_mounts": [
        {"name": volume["name"], "mount_path": f"/mnt/{volume['name']}", "read_only": True}
        for volume in [*VOLUMES, IMAGE]
    ]
    + [
        {
            "name": "claim",
            "mount_path": "/mnt/part",
            "read_only": True,
            "sub_path": "a",
            "mount_propagation": "HostToContainer",
        }
    ],
    "working_dir": "/",
}

KNATIVE_SERVICE: dict[str, Any] = {
    "template": {
        "metadata": {"name": "qwen-1"} | LABELLED,
        "spec": {
            "containers": [CONTAINER, {"image": "proxy", "liveness_probe": {"grpc": {"port": 1}}}],
            "init_containers": [{"image": "warm", "name": "warm"}],
            "volumes": [*VOLUMES, IMAGE],
            "affinity": AFFINITY,
            "automount_service_account_token": False,
            "dns_config": {
                "nameservers": ["10.0.0.1"],
                "searches": ["a"],
                "options": [{"name": "ndots", "value": "2"}],
            },
            "dns_policy": "None",
            "enable_service_links": False,
            "host_aliases": [{"ip": "10.0.0.1", "hostnames": ["a"]}],
            "host_ipc": True,
            "host_network": True,
            "host_pid": True,
            "image_pull_secrets": [{"name": "a"}],
            "node_selector": {"a": "b"},
            "priority_class_name": "high",
            "runtime_class_name": "nvidia",
            "scheduler_name": "default-scheduler",
            "security_context": SECURITY | {"fs_group": 1, "supplemental_groups": [1]},
            "service_account_name": "qwen",
            "share_process_namespace": True,
            "tolerations": TOLERATIONS,
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "zone",
                    "when_unsatisfiable": "DoNotSchedule",
                    "label_selector": LABELS,
                    "match_label_keys": ["a"],
                    "min_domains": 1,
                    "node_affinity_policy": "Honor",
                    "node_taints_policy": "Ignore",
                }
            ],
            "timeout_seconds": 600,
            "response_start_timeout_seconds": 600,
            "idle_timeout_seconds": 60,
            "container_concurrency": 2,
        },
    },
    "traffic": [
        {"percent": 90, "latest_revision": True, "tag": "new"},
        {"percent": 10, "revision_name": "qwen-0", "tag": "old"},
    ],
}
KNATIVE_SERVICE_WITH_GRPC: dict[str, Any] = {
    "template": {
        "spec": {
            "containers": [
                {"image": "triton", "readiness_probe": {"grpc": {"port": 8001, "service": "a"}}}
            ]
        }
    }
}

REVISION = KNATIVE_SERVICE["template"]["spec"]
ONLY_IN_A_REVISION = ("response_start_timeout_seconds", "idle_timeout_seconds", "timeout_seconds")
SERVER: dict[str, Any] = CONTAINER | {
    "name": "kserve-container",
    "lifecycle": {
        "post_start": {"exec": {"command": ["true"]}},
        "pre_stop": {"sleep": {"seconds": 5}},
    },
    "volume_mounts": [
        *CONTAINER["volume_mounts"],
        {"name": "nas", "mount_path": "/mnt/nas", "read_only": True, "sub_path_expr": "$(A)"},
        {"name": "downward", "mount_path": "/mnt/downward", "read_only": True},
    ],
}
PROXY = {
    "image": "proxy",
    "name": "proxy",
    "lifecycle": {
        "post_start": {"tcp_socket": {"port": 1}},
        "pre_stop": {"http_get": {"path": "/drain", "port": 1}},
    },
    "liveness_probe": {"grpc": {"port": 1, "service": "a"}},
}
BEHAVIOR = {
    "scale_up": {
        "policies": [{"type": "Pods", "value": 1, "period_seconds": 60}],
        "select_policy": "Max",
        "stabilization_window_seconds": 0,
    },
    "scale_down": {"stabilization_window_seconds": 300},
}
CPU_METRIC = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "average_utilization": 80}},
}

INFERENCE_SERVICE: dict[str, Any] = {
    "predictor": {name: value for name, value in REVISION.items() if name not in ONLY_IN_A_REVISION}
    | LABELLED
    | {
        "containers": [SERVER, PROXY],
        "volumes": [*VOLUMES, IMAGE, NFS, DOWNWARD],
        "termination_grace_period_seconds": 120,
        "min_replicas": 1,
        "max_replicas": 3,
        "scale_target": 80,
        "scale_metric": "cpu",
        "timeout": 600,
        "canary_traffic_percent": 10,
        "deployment_strategy": {
            "type": "RollingUpdate",
            "rolling_update": {"max_surge": "25%", "max_unavailable": 1},
        },
        "batcher": {"max_batch_size": 32, "max_latency": 500, "timeout": 60},
        "logger": {
            "mode": "all",
            "url": "http://logs",
            "metadata_headers": ["a"],
            "metadata_annotations": ["b"],
        },
    }
}
INFERENCE_SERVICE_WITH_MODEL: dict[str, Any] = {
    "predictor": {
        "model": {name: value for name, value in SERVER.items() if name != "name"}
        | {
            "model_format": {"name": "vLLM", "version": "1"},
            "runtime": "vllm",
            "runtime_version": "0.9",
            "protocol_version": "v2",
            "storage_uri": "oss://models/qwen",
            "storage": {
                "key": "models",
                "path": "qwen",
                "parameters": {"bucket": "models"},
                "schema_path": "schema.json",
            },
        },
        "storage_container_name": "oss",
        "auto_scaling": {
            "metrics": [
                CPU_METRIC,
                {
                    "type": "Resource",
                    "resource": {
                        "name": "memory",
                        "target": {"type": "AverageValue", "average_value": "8Gi"},
                    },
                },
                {
                    "type": "External",
                    "external": {
                        "metric": {
                            "backend": "prometheus",
                            "server_address": "http://prometheus:9090",
                            "query": "sum(vllm:num_requests_waiting)",
                            "namespace": "default",
                        },
                        "target": {"type": "Value", "value": 5},
                        "authentication_ref": {
                            "authentication_ref": {"name": "prometheus"},
                            "auth_modes": "bearer",
                        },
                    },
                },
            ],
            "behavior": BEHAVIOR,
        },
    }
}

SERVING_RUNTIME: dict[str, Any] = LABELLED | {
    "containers": [SERVER, PROXY],
    "supported_model_formats": [
        {"name": "vLLM", "version": "1", "auto_select": True, "priority": 2}
    ],
    "protocol_versions": ["v2", "grpc-v2"],
    "multi_model": False,
    "disabled": False,
    "volumes": [*VOLUMES, IMAGE, NFS, DOWNWARD],
    "affinity": AFFINITY,
    "host_ipc": True,
    "image_pull_secrets": [{"name": "a"}],
    "node_selector": {"a": "b"},
    "scheduler_name": "default-scheduler",
    "tolerations": TOLERATIONS,
}

METRIC = {"name": "requests", "selector": LABELS}
HORIZONTAL_POD_AUTOSCALER: dict[str, Any] = {
    "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": "qwen-predictor"},
    "min_replicas": 1,
    "max_replicas": 3,
    "metrics": [
        CPU_METRIC,
        {
            "type": "Pods",
            "pods": {
                "metric": {"name": "DCGM_CUSTOM_PROCESS_SM_UTIL"},
                "target": {"type": "AverageValue", "average_value": "50"},
            },
        },
        {
            "type": "Object",
            "object": {
                "described_object": {"api_version": "v1", "kind": "Service", "name": "qwen"},
                "metric": METRIC,
                "target": {"type": "Value", "value": "100"},
            },
        },
        {
            "type": "External",
            "external": {
                "metric": METRIC,
                "target": {"type": "AverageValue", "average_value": "500m"},
            },
        },
    ],
    "behavior": BEHAVIOR,
}
