"""By what LLMInferenceServices, and what their controller makes of them, are known.

github.com/kserve/kserve v0.20.0, pkg/controller/v1alpha2/llmisvc, `workload*.go`
"""

import hashlib
from enum import StrEnum
from typing import Final

from ..names import LONGEST_LABEL

API_VERSION: Final = "serving.kserve.io/v1alpha2"
KIND: Final = "LLMInferenceService"
SERVER: Final = "main"
"""Name of the container that serves, which the controller's own presets have too."""
PROXY: Final = "llm-d-routing-sidecar"
"""Name of the init container of a preset that asks prefill pods first."""
PORT: Final = 8000
"""Port that the controller's Service, pool and routes lead to; nothing says another one."""
NAME: Final = "app.kubernetes.io/name"
"""Label of every pod: the service's name."""


class EvictionPolicy(StrEnum):
    """Which blocks of a KV cache go first."""

    LRU = "lru"
    """Those that nobody used for the longest time."""
    ARC = "arc"
    """Those by age and by how often they were used."""


def _derived(name: str, suffix: str) -> str:
    """A name as the controller makes it of another one: knative/pkg, kmeta/names.go."""
    if len(name) + len(suffix) <= LONGEST_LABEL:
        return name + suffix
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return name[: LONGEST_LABEL - len(digest) - len(suffix)] + digest + suffix


def workload_name(name: str, *, prefill: bool = False, groups: bool = False) -> str:
    """Name of the Deployment, or LeaderWorkerSet, of a service."""
    role = "-prefill" if prefill else ""
    return _derived(name, f"-kserve-mn{role}" if groups else f"-kserve{role}")


def workload_service(name: str) -> str:
    """Name of the Service of its pods."""
    return _derived(name, "-kserve-workload-svc")


def serving_labels(name: str) -> dict[str, str]:
    """Labels of the pods that its Service leads to: of several pods of a replica, the leader.

    v0.20.0, workload.go, GetWorkloadLabelSelector.
    """
    return {**pod_labels(name), "kserve.io/component": "workload"}


def pod_labels(name: str) -> dict[str, str]:
    """Labels that the controller gives every pod of a service."""
    return {NAME: name, "app.kubernetes.io/part-of": "llminferenceservice"}
