"""The pod of a model: the same whoever serves it."""

from typing import Any

import pulumi

from ..crds.affinity import NodeAffinity, Toleration
from ..crds.volumes import PullPolicy
from .server import (
    HEALTH_PERIOD_SECONDS,
    SHARED_MEMORY_PATH,
    ModelServer,
    shared_memory_size,
    startup_failures,
)
from .shutdown import AT_ONCE, Shutdown

MODEL_VOLUME = "llm-model"
"""Volume that holds the model, named as in the articles."""


def model_pod(
    server: ModelServer,
    claim: pulumi.Input[str],
    sub_path: str | None,
    startup_seconds: int,
    *,
    tolerations: list[Toleration] | None,
    node_affinity: NodeAffinity | None,
    priority_class: pulumi.Input[str] | None,
    shutdown: Shutdown = AT_ONCE,
) -> dict[str, Any]:
    """Fields of a PodSpec, under their Python names.

    Args:
        server: The container that serves the model.
        claim: Claim that holds the model's files, or the cache's.
        sub_path: Folder of the claim; None for all of it.
        startup_seconds: Longest start of the container, weights included.
        tolerations: Tolerations of the placement.
        node_affinity: Node affinity of the placement.
        priority_class: PriorityClass of the pods; None for the cluster's default.
        shutdown: How the server ends. Default: at once.
    """
    return {
        "containers": [_container(server, sub_path, startup_seconds, shutdown)],
        "volumes": _volumes(server, claim),
        "priority_class_name": priority_class,
        "tolerations": tolerations or None,
        "affinity": {"node_affinity": node_affinity} if node_affinity else None,
        "image_pull_secrets": _references(server.image_pull_secrets),
    }


def _container(
    server: ModelServer, sub_path: str | None, startup_seconds: int, shutdown: Shutdown
) -> dict[str, Any]:
    health = {"path": server.health_path or "/health", "port": server.port or 8080}
    mounts: list[dict[str, Any]] = [
        {
            "name": MODEL_VOLUME,
            "mount_path": server.mount_path,
            "sub_path": sub_path,
            "read_only": True,
        }
    ]
    if shared_memory_size(server.resources, server.shared_memory):
        mounts.append({"name": "shared-memory", "mount_path": SHARED_MEMORY_PATH})
    return {
        "image": server.image,
        # Images are large and tagged: a node that has one need not ask for it again.
        "image_pull_policy": PullPolicy.IF_NOT_PRESENT,
        "command": server.command_line(shutdown.drain_seconds),
        # Prometheus finds only a port that is declared.
        "ports": [{"container_port": server.port or 8080}],
        "env": [{"name": k, "value": v} for k, v in server.variables().items()] or None,
        "env_from": [{"secret_ref": ref} for ref in _references(server.secret_env) or []] or None,
        "resources": server.resources.manifest(),
        "lifecycle": _pause(shutdown.pause_seconds) if shutdown.pause_seconds else None,
        "volume_mounts": mounts,
        # The server answers only once the weights are loaded, so nothing kills it before.
        "startup_probe": {
            "http_get": health,
            "period_seconds": HEALTH_PERIOD_SECONDS,
            "timeout_seconds": 5,
            "failure_threshold": startup_failures(startup_seconds),
        },
        "readiness_probe": {"http_get": health, "period_seconds": 5, "timeout_seconds": 5},
        "security_context": {"allow_privilege_escalation": False},
    }


def _pause(seconds: int) -> dict[str, Any]:
    """A hook that holds SIGTERM back.

    The image's own `sleep`, not the kubelet's: that one needs Kubernetes 1.30, and a KServe whose
    CRD knows it. Where an image has none, the hook fails and SIGTERM comes at once.
    """
    return {"pre_stop": {"exec": {"command": ["sleep", str(seconds)]}}}


def _volumes(server: ModelServer, claim: pulumi.Input[str]) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": MODEL_VOLUME, "persistent_volume_claim": {"claim_name": claim, "read_only": True}}
    ]
    if size := shared_memory_size(server.resources, server.shared_memory):
        memory = {"medium": "Memory", "size_limit": size}
        volumes.append({"name": "shared-memory", "empty_dir": memory})
    return volumes


def _references(names: list[str] | None) -> list[dict[str, str]] | None:
    return [{"name": name} for name in names] if names else None
