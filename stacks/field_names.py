"""What the stack file calls the fields of components' arguments, where it calls them otherwise."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from components.args import Fault

Fields = Mapping[str, str]
"""Fields of a component's arguments, and what the stack file calls them."""


def _of(section: str, *fields: str) -> Fields:
    """Fields that a section has under the same names."""
    return {field: f"{section}.{field}" for field in fields}


def _claim_on(folder: str) -> Fields:
    """Fields of the claim on a folder whose path has that name."""
    return {"claim_name": "name"} | dict.fromkeys(("oss.path", "nas.path", "cpfs.path"), folder)


CLUSTER: Final = {
    "version": "cluster.version",
    "pod_cidr": "network.pod_cidr",
    "service_cidr": "network.service_cidr",
    "vswitch_ids": "network.zones",
    "log_project_name": "cluster.log_project",
    "vpc_cidr": "network.cidr",
    "node_cidr_mask": "network.node_cidr_mask",
    **_of("cluster", "addons", "autoscaling", "encryption_key_id", "kubeconfig_minutes"),
    **_of("cluster", "log_retention_days", "maintenance_window", "public_endpoint"),
    **_of("cluster", "security_group_id"),
}
NETWORK: Final = _of("network", "cidr", "vpc_id", "zones", "nat", "egress_mbps")
ELASTIC: Final = {"groups": "elastic_quota.groups"}
PRIORITIES: Final = {"classes": "priorities"}
POOL: Final = {"node_pool_name": "name", "nvidia_driver_version": "driver"}
STORE: Final = {"bucket": "oss.bucket", "access_group_name": "name"}
CLAIM: Final = _claim_on("volume.path")
CHECKPOINT: Final = _claim_on("checkpoint.path")
RESULTS: Final = _claim_on("results.path")
FOLDER: Final = _claim_on("path")
IMPORT_CLAIM: Final = {**FOLDER, "oss.written_path": "path"}
IMPORT: Final = {"image": "source.image", "folder": "path"}
TRAINING: Final = {
    "checkpoint_path": "checkpoint.mount_path",
    "checkpoint_folder": "checkpoint.path",
    "model_path": "volume.mount_path",
    "model_folder": "volume.path",
}
METRICS: Final = {
    "namespaces[0]": "namespace",
    **_of("gpu_metrics", "url", "labels", "honor_labels", "gpu_node_label"),
}
CACHE: Final = {
    "tieredstore.levels[0]": "cache",
    "worker.resources": "cache.quota",
    "replicas": "cache.workers",
}


def called(fault: Fault, fields: Fields) -> Fault:
    """A fault of a component's arguments under the name that the stack file has for the field."""
    fault = replace(fault, want=_renamed(fault.want, fields), why=_renamed(fault.why, fields))
    for field, name in fields.items():
        if fault.field == field or fault.field.startswith((f"{field}.", f"{field}[")):
            renamed = name + fault.field.removeprefix(field)
            return Fault(renamed, fault.got, fault.want, fault.why, fault.source)
    return fault


def _renamed(text: str, fields: Fields) -> str:
    """A clause with the stack file's names for fields; one that is a plain word is left alone."""
    for field, name in fields.items():
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", field):
            text = re.sub(rf"(?<![\w.]){field}(?!\w)", name, text)
    return text
