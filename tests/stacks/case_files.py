"""Public stack files as stacks, and the fields that say a need which they spell otherwise.

The files lie in the folder `cases` of ACK_INFERENCE_SHARED, by default `../shared`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from .environments import (
    CASE_FILES,
    GONE,
    PROJECT,
    Raw,
    configuration,
    merged,
    sentences,
)
from .example_stacks import program

missing: Final = (
    None
    if CASE_FILES.is_dir()
    else f"there are no stack files in {CASE_FILES}; ACK_INFERENCE_SHARED names their parent"
)
"""Why none of them can be read; None where they can."""

REWRITTEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "c17_gpushare": {
        "pools[a10].labels": GONE,
        "pools[a10].gpu_sharing": "cgpu",
        "models[qwen].server.resources": {"cpu": "4", "memory": "16Gi", "gpu_memory": "8Gi"},
    },
    "c22_existing_ack_with_pools": {
        "cluster.profile": "pro",
        "cluster.version": "1.34.1-aliyun.1",
        "cluster.deletion_protection": False,
        "network": {
            "vpc_id": "vpc-example",
            "zones": [{"id": "cn-beijing-h", "vswitch_id": "vsw-example"}],
        },
    },
    "c27_data_disk": {"pools[a10].data_disk_gib": GONE, "pools[a10].data_disk": {"size_gib": 500}},
    "c28_rdma": {
        "models[qwen].server.resources": {
            "cpu": "12",
            "memory": "64Gi",
            "gpus": 1,
            "extended": {"aliyun/erdma": 1},
        },
    },
    "c29b_canary_kserve": {
        "models[qwen].serve.kserve.canary_traffic_percent": GONE,
        "models[qwen].serve.kserve.scale": {"metric": "concurrency", "target": 8, "max": 2},
        "models[qwen].serve.kserve.canary": {"percent": 10},
    },
    "c30_domain_tls": {
        "models[qwen].serve.knative.host": GONE,
        "models[qwen].serve.knative.tls_secret": GONE,
        "models[qwen].ingress": {"host": "chat.example.org", "tls": {"secret": "chat-tls"}},
    },
    "c34_lora": {"models[qwen].volumes[0].name": "adapters"},
    "c35_pdb_topology": {
        "models[qwen].topology_spread": [{"topology": "zone"}],
        "network_policies": {"enabled": True},
        "quota": GONE,
        "namespaces": [{"name": "inference", "quota": {"gpus": 4}}],
    },
    "c19_multinode": {
        "models[qwen].server.nodes": GONE,
        "models[qwen].serve": {"leader_worker": {"nodes": 2, "scale": {"max": 1}}},
    },
    "c40_tags": {"cluster.resource_group_id": GONE, "resource_group_id": "rg-example"},
    "d07_existing_oss": {"region": "cn-beijing", "stores[models].oss.secret": "oss-reader"},
    "c89_init_container": {
        "models[qwen].server.init_containers": GONE,
        "models[qwen].init_containers": [{"name": "prepare", "image": "registry/tools:1"}],
    },
}
"""What has another spelling here, and is planned in it: the fields that say it."""


def in_our_fields(file: str) -> Raw:
    """What a file says, rewritten where it has another spelling."""
    return merged(configuration(CASE_FILES / f"{file}.yaml"), REWRITTEN.get(file, {}))


def case_stacks() -> dict[str, str]:
    """The files that are to plan by the names of their stacks, the rewritten ones first.

    Names of resources are made of that of the stack, and take no underscore.
    """
    files = sorted(path.stem for path in CASE_FILES.glob("*.yaml") if path.stem not in REWRITTEN)
    planned = [file for file in files if not sentences(in_our_fields(file))]
    return {file.replace("_", "-"): file for file in (*REWRITTEN, *planned)}


def case_project(name: str, folder: Path) -> Path:
    """Makes a project of this repository's program and a file in our fields, by its stack."""
    raw = in_our_fields(case_stacks()[name])
    config = {f"{PROJECT}:{key}": value for key, value in raw.items()}
    (program(folder) / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": config}))
    return folder
