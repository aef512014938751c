"""What a kubelet says of a container that it cannot start, and of a pod that it gave up.

Reasons and messages as Kubernetes' `pkg/kubelet` writes them (`images/types.go`, `kuberuntime`,
`kubelet_pods.go`, `eviction/helpers.go`): a few reasons, each with several causes that only the
message tells apart.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

COMING: Final = frozenset({"", "PodInitializing", "ContainerCreating"})
"""Reasons to wait by which a container is on its way; any other is a failure."""
CRASHED: Final = "CrashLoopBackOff"
PULL: Final = "cannot pull the image"
_SET_UP: Final = "cannot set up its container"
_SETTINGS: Final = "CreateContainerConfigError"


class KubeletFailure(NamedTuple):
    """A failure, told by its reason and a part of its message."""

    reason: re.Pattern[str]
    message: re.Pattern[str]
    why: str
    remedy: str
    row: str = ""


def _failure(reason: str, message: str, why: str, remedy: str, row: str = "") -> KubeletFailure:
    return KubeletFailure(re.compile(reason), re.compile(message, re.IGNORECASE), why, remedy, row)


WAITS: Final[Sequence[KubeletFailure]] = (
    _failure(
        "SignatureValidationFailed",
        "",
        PULL,
        "sign the image, or have the policy of the nodes' runtime leave its registry out",
    ),
    _failure(
        "ImagePullBackOff|ErrImage.*|InvalidImageName|ImageInspectError|RegistryUnavailable",
        "",
        PULL,
        "name an image that exists, in a registry that the nodes reach, with its pull secret",
        "registries_are_in_reach",
    ),
    _failure(
        _SETTINGS,
        r"configmap",
        _SET_UP,
        "create the ConfigMap or the key that the message names, in this namespace",
    ),
    _failure(
        _SETTINGS,
        r"secret",
        _SET_UP,
        "create what is missing: a Secret of secret_env or api_key_secret, in this namespace",
    ),
    _failure(
        _SETTINGS,
        r"non-?root",
        _SET_UP,
        "take an image whose user is a number other than 0, or have whoever puts runAsNonRoot into "
        "the pod leave it out",
    ),
    _failure(
        _SETTINGS,
        r"subpath",
        _SET_UP,
        "look at the folder of the volume: it is no folder, or may not be made there",
        "Volumes and caches",
    ),
    _failure(_SETTINGS, "", _SET_UP, "mend what the message names"),
    _failure(
        "",
        "",
        "cannot start its container",
        "mend what the message names: a command, a device or a mount of the container",
    ),
)
"""In this order; the last one takes all."""

FAILURES: Final[Sequence[KubeletFailure]] = (
    _failure(
        "Evicted",
        r"memory",
        "",
        "have it ask for the memory that it uses (server.resources.memory): where a node is short, "
        "pods go first that use more than they ask for",
        "OOMKilled",
    ),
    _failure(
        "Evicted",
        r"ephemeral|disk|emptydir|inode",
        "",
        "have it write to a claim instead, or give the pool a larger disk",
    ),
    _failure(
        "UnexpectedAdmissionError",
        "",
        "",
        "look at the cards of node {node} and at its device plugin: the node has promised one that "
        "it cannot give",
    ),
    _failure(
        "NodeAffinity|OutOf.*|UnexpectedPod.*",
        "",
        "",
        "look at what node {node} offers and at its labels, which changed; another pod is made",
    ),
    _failure(
        "Terminated|NodeShutdown|Shutdown|NodeLost",
        "",
        "",
        "look at node {node}, which was shut down; spot machines are taken back",
    ),
    _failure("", "", "", "read its events: kubectl describe pod -n {namespace} {name}"),
)
"""Likewise, of pods whose phase is Failed."""


def failure(failures: Sequence[KubeletFailure], reason: str, message: str) -> KubeletFailure:
    """The first entry of a table that a reason and a message fit."""
    return next(
        entry
        for entry in failures
        if (entry.reason.pattern == "" or entry.reason.fullmatch(reason))
        and entry.message.search(message)
    )
