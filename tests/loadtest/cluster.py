"""Objects of a cold start, with the fields and the spelling of the Kubernetes API."""

from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

SENT = datetime(2024, 11, 22, 8, 0, 0, 250_000, UTC)


def at(seconds: float, *, fraction: bool = False) -> str:
    """A time after the request, as the API server writes it: in whole seconds, mostly."""
    moment = SENT + timedelta(seconds=seconds)
    text = moment.isoformat(timespec="microseconds" if fraction else "seconds")
    return text.replace("+00:00", "Z")


def condition(kind: str, seconds: float, status: str = "True") -> Json:
    return {"type": kind, "status": status, "lastTransitionTime": at(seconds)}


def pod(name: str = "qwen-00001-abc", created: float = 2, **changes: Any) -> Json:
    """A pod of Knative that was scheduled after 52 s and ready after 90 s."""
    conditions = {"PodScheduled": 52.0, "Ready": 90.0, **changes.pop("since", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "inference",
            "uid": f"uid-of-{name}",
            "creationTimestamp": at(created),
            "labels": {"serving.knative.dev/service": "qwen", "release": "qwen"},
            **changes.pop("metadata", {}),
        },
        "spec": {
            "nodeName": "cn-beijing.10.0.0.7",
            "containers": [
                {"name": "user-container", "image": "registry.example.com/vllm:0.19.0"},
                {"name": "queue-proxy", "image": "registry.example.com/queue:1.18"},
            ],
            **changes.pop("spec", {}),
        },
        "status": {
            "conditions": [
                condition(kind, seconds) for kind, seconds in conditions.items() if seconds
            ],
            **changes.pop("status", {}),
        },
    }


def node(created: float = 40, ready: float | None = 48) -> Json:
    """A node that came up for the pod."""
    conditions = [] if ready is None else [condition("Ready", ready)]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "cn-beijing.10.0.0.7", "creationTimestamp": at(created)},
        "status": {"conditions": conditions},
    }


def event(reason: str, seconds: float, message: str = "", **changes: Any) -> Json:
    """An event of the pod, as the kubelet writes it: whole seconds, and no `eventTime`."""
    path = changes.pop("path", None)
    involved = {"kind": "Pod", "namespace": "inference", "name": "qwen-00001-abc"}
    involved["uid"] = "uid-of-qwen-00001-abc"
    if path:
        involved["fieldPath"] = f"spec.containers{{{path}}}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"qwen-00001-abc.{reason.lower()}.{path or ''}{seconds:g}".rstrip("."),
            "namespace": "inference",
        },
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Normal",
        "source": {"component": "kubelet"},
        "firstTimestamp": at(seconds),
        "lastTimestamp": at(seconds),
        "count": 1,
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "cn-beijing.10.0.0.7",
        **changes,
    }


def events() -> list[Json]:
    """What is said of the pod: a node is asked for, two images are pulled."""
    image = "registry.example.com/vllm:0.19.0"
    return [
        event("Pulled", 53, 'Container image "queue" already present', path="queue-proxy"),
        event("Pulling", 53, f'Pulling image "{image}"', path="user-container"),
        event(
            "Pulled",
            75,
            f'Successfully pulled image "{image}" in 21.724s (21.724s including waiting). '
            "Image size: 9126805504 bytes.",
            path="user-container",
        ),
        event(
            "ProvisionNode",
            3,
            "Provision node asa-2ze for pod",
            reportingComponent="goatscaler",
            source={"component": "goatscaler"},
        ),
    ]


LOG = f"""\
{at(76, fraction=True)[:-1]}117Z INFO 11-22 08:01:16 [api_server.py:1024] vLLM API server
{at(88, fraction=True)[:-1]}004Z INFO:     Waiting for application startup.
{at(88, fraction=True)[:-1]}911Z INFO:     Application startup complete.
{at(95, fraction=True)[:-1]}000Z INFO:     127.0.0.1:0 - "GET /health HTTP/1.1" 200 OK
"""
