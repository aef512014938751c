"""What a kubelet says of a container that it cannot start, and of a pod that it gave up.

Reasons and messages as Kubernetes' `pkg/kubelet` and `pkg/volume` write them, read 2026-11 in
releases 1.33.5, 1.34.1, 1.35.0 and 1.36.0: a few reasons, each with several causes that only the
message tells apart. Beside a table stands which files it was read in.
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


_NO_ANSWER_YET: Final = (
    r"failed to sync (secret|configmap) cache|object \S+ not registered"
    r"|services have not yet been read"
)
"""The kubelet has no answer of the API server: `util/manager/watch_based_manager.go`."""
_PULLS: Final = "ImagePullBackOff|ErrImage.*|InvalidImageName|ImageInspectError|RegistryUnavailable"
_OF_CONFIG_MAPS: Final = r'configmap "|in ConfigMap |couldn\'t get configMap|configmap references'
_OF_SECRETS: Final = r'secret "|in Secret |couldn\'t get secret|references non-existent secret key'

# What a registry says stands in the message as containerd hands it on: core/remotes/docker and
# core/images of containerd 2, and the errors of the OCI distribution specification.
# images/types.go, images/image_manager.go, kuberuntime/kuberuntime_container.go,
# kuberuntime/security_context_others.go, kubelet_pods.go, container/sync_result.go.
WAITS: Final[Sequence[KubeletFailure]] = (
    _failure(
        "SignatureValidationFailed",
        "",
        PULL,
        "sign the image, or have the policy of the nodes' runtime leave its registry out",
    ),
    _failure(
        _PULLS,
        r"no match for platform",
        PULL,
        "take an image for the architecture of its node",
        "images_suit_the_architecture",
    ),
    _failure(
        _PULLS,
        r"\b40[13] (unauthorized|forbidden)|authentication required|authorization failed"
        r"|access( to .*)? (is )?denied|no basic auth credentials",
        PULL,
        "name a Secret that may pull it in server.image_pull_secrets, or mend the image's name: a "
        "registry answers so for names that it does not have, too",
        "registries_are_in_reach",
    ),
    _failure(
        _PULLS,
        r"manifest unknown|: not found|NAME_UNKNOWN|does not exist",
        PULL,
        "name an image and a tag that its registry has",
        "registries_are_in_reach",
    ),
    _failure(
        _PULLS,
        r"toomanyrequests|\b429 too many",
        PULL,
        "copy the image to a registry of the region: its own lets nobody pull so often",
        "registries_are_in_reach",
    ),
    _failure(
        _PULLS,
        r"x509|HTTP response to HTTPS",
        PULL,
        "have the containerd of the nodes trust its registry, or speak HTTP with it",
        "registries_are_in_reach",
    ),
    _failure(
        _PULLS,
        r"no space left",
        PULL,
        "give the pool a larger system_disk or data_disk: images are unpacked on it",
        "a disk is full",
    ),
    _failure(
        _PULLS,
        "",
        PULL,
        "name an image that exists, in a registry that the nodes reach, with its pull secret",
        "registries_are_in_reach",
    ),
    _failure(
        _SETTINGS,
        _NO_ANSWER_YET,
        _SET_UP,
        "wait: the kubelet has no answer of the API server yet. If it stays so, look at its node",
    ),
    _failure(
        _SETTINGS,
        _OF_CONFIG_MAPS,
        _SET_UP,
        "create the ConfigMap or the key that the message names, in this namespace",
    ),
    _failure(
        _SETTINGS,
        _OF_SECRETS,
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
        r"executable file not found",
        "cannot start its container",
        "take the image of that server, or the command of the image's own",
        "images_have_the_server_that_is_started",
    ),
    _failure(
        "",
        r"unsatisfied condition: cuda",
        "cannot start its container",
        "give the pool a newer driver, or take the image for an older CUDA",
        "drivers_run_the_image",
    ),
    _failure(
        "",
        r"nvidia-container-cli|CDI device",
        "cannot start its container",
        "look at the cards and the driver of its node with nvidia-smi, and restart the node",
        "a card is broken",
    ),
    _failure(
        "",
        "",
        "cannot start its container",
        "mend what the message names: a command, a device or a mount of the container",
    ),
)
"""In this order; the last one takes all."""

# volume/secret/secret.go, volume/configmap/configmap.go, volume/csi/csi_client.go.
MOUNTS: Final[Sequence[KubeletFailure]] = (
    _failure(
        "",
        _NO_ANSWER_YET,
        "",
        "wait: the kubelet has no answer of the API server yet. If it stays so, look at its node",
    ),
    _failure(
        "",
        rf"{_OF_CONFIG_MAPS}|{_OF_SECRETS}",
        "",
        "create what the message names, in this namespace",
    ),
    _failure(
        "",
        "not found in the list of registered CSI drivers",
        "",
        "look at the driver's pod on the node: it is not there, or has not started yet",
        "Volumes and caches",
    ),
    _failure(
        "",
        "",
        "",
        "look for the CSI driver on the node, the store's address, and the rights to it",
        "Volumes and caches",
    ),
)
"""Likewise, by the message of an event for a volume alone."""

# eviction/helpers.go, nodeshutdown/nodeshutdown_manager.go, preemption/preemption.go,
# active_deadline.go, lifecycle/predicate.go, lifecycle/handlers.go, cm/admission/errors.go,
# cm/topologymanager, cm/cpumanager, volumemanager (VolumeAttachmentLimitExceeded since 1.35).
FAILURES: Final[Sequence[KubeletFailure]] = (
    _failure(
        "Evicted",
        r"low on resource: memory|MemoryPressure",
        "",
        "have it ask for the memory that it uses (server.resources.memory): where a node is short, "
        "pods go first that use more than they ask for",
        "OOMKilled",
    ),
    _failure(
        "Evicted",
        r"low on resource: pids|PIDPressure",
        "",
        "look at what starts so many processes on node {node}: its pods go until there are fewer",
    ),
    _failure(
        "Evicted",
        r"ephemeral|DiskPressure|EmptyDir|inodes",
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
    # findings/kubelet-refuses-all-cards-with-few-cpus.sh
    _failure(
        "TopologyAffinityError",
        "",
        "",
        "ask for cards and CPUs that one NUMA node of {node} has; for more cards than that, ask "
        "for more CPUs than it has too, or for a fraction of one (16.5), or give the pool another "
        "policy than restricted: its kubelet refuses what the scheduler took for room",
        "TopologyAffinityError",
    ),
    _failure(
        "SMTAlignmentError|EmptyPodSharedPoolError",
        "",
        "",
        "ask for CPUs as the policy of {node} hands them out, or give the pool another one: its "
        "kubelet refuses what the scheduler took for room",
    ),
    _failure(
        "VolumeAttachmentLimitExceeded",
        "",
        "",
        "give it another node: {node} takes no more disks",
    ),
    _failure(
        "NodeAffinity|NodeName|NodePorts|TaintToleration|OutOf.*|InvalidNodeInfo"
        "|UnexpectedPredicateFailureType|UnknownReason",
        "",
        "",
        "look at what node {node} offers and at its labels, which changed; another pod is made",
    ),
    _failure(
        "Preempting",
        "",
        "",
        "give node {node} more room: it ended the pod for one that the node itself cannot do "
        "without; another pod is made",
    ),
    _failure(
        "Terminated|NodeShutdown",
        "",
        "",
        "look at node {node}, which was shut down; spot machines are taken back",
    ),
    _failure(
        "DeadlineExceeded",
        "",
        "",
        "give it more time (activeDeadlineSeconds), or less to do",
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
