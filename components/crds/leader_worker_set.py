"""LeaderWorkerSet: groups of pods that are one server together, and come and go together.

CRD: https://github.com/kubernetes-sigs/lws/blob/v0.9.0/config/crd/bases, read 2026-11-29.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field

from ..args import Fault
from ..names import LabelKey, LabelValue
from .core import PodSpec
from .custom_resource import CustomResource
from .kserve import RollingUpdate
from .leader_worker_labels import API_VERSION, KIND
from .model import CrdModel

_INT32: Final = 2**31 - 1


class RestartPolicy(StrEnum):
    """What happens to a group of which a container ends; `Default` is the old name of `None`."""

    RECREATE_GROUP_ON_POD_RESTART = "RecreateGroupOnPodRestart"
    """All its pods are made again."""
    NONE = "None"
    """The container alone starts again."""


class StartupPolicy(StrEnum):
    """When the workers of a group are made."""

    LEADER_CREATED = "LeaderCreated"
    """With their leader."""
    LEADER_READY = "LeaderReady"
    """Once their leader is ready."""


class SubGroupType(StrEnum):
    """Whether a leader is in one of the subgroups."""

    LEADER_WORKER = "LeaderWorker"
    LEADER_EXCLUDED = "LeaderExcluded"


class SubdomainPolicy(StrEnum):
    """Which headless Services pods have their names by."""

    SHARED = "Shared"
    """One, called as the set."""
    UNIQUE_PER_REPLICA = "UniquePerReplica"
    """One of each group, called as its leader."""


class GroupPodMetadata(CrdModel):
    """Labels and annotations of pods of a group."""

    labels: dict[LabelKey, LabelValue] | None = None
    """Labels, the same in all groups."""
    annotations: dict[str, str] | None = None
    """Annotations."""


class GroupPodSpec(PodSpec):
    """Containers of a pod of a group, where it runs, and how it ends."""

    termination_grace_period_seconds: int | None = Field(default=None, ge=0)
    """Time that its containers have after SIGTERM. Default 30."""


class GroupPodTemplate(CrdModel):
    """Pods of a group."""

    metadata: GroupPodMetadata | None = None
    """Their labels and annotations."""
    spec: GroupPodSpec
    """Their containers, and where they run."""


class SubGroupPolicy(CrdModel):
    """Parts of a group that are placed together."""

    sub_group_policy_type: SubGroupType | None = None
    """Whether the leader is in one. Default LeaderWorker."""
    sub_group_size: int = Field(ge=1)
    """Pods of each; it divides the size of the group, or that without the leader."""


class LeaderWorkerTemplate(CrdModel):
    """What a group is made of."""

    size: int = Field(ge=1, le=_INT32)
    """Pods of a group, the leader among them."""
    worker_template: GroupPodTemplate
    """The workers, and the leader where it has no template of its own."""
    leader_template: GroupPodTemplate | None = None
    """The leader."""
    restart_policy: RestartPolicy | None = None
    """What happens when a container ends. Default RecreateGroupOnPodRestart."""
    sub_group_policy: SubGroupPolicy | None = None
    """Parts of the group. It cannot be given, taken away or resized later."""

    def _faults(self) -> Iterator[Fault]:
        policy = self.sub_group_policy
        if policy is None:
            return
        part, excluded = policy.sub_group_size, SubGroupType.LEADER_EXCLUDED
        workers = (self.size - 1) % part == 0
        divides = (
            workers
            if policy.sub_group_policy_type is excluded
            else workers or not (self.size % part)
        )
        if part > self.size or not divides:
            want = f"a divisor of size ({self.size}), or of size less the leader"
            why = "the webhook refuses parts of different sizes"
            yield Fault("sub_group_policy.sub_group_size", part, want, why)


class GroupRollingUpdate(RollingUpdate):
    """How many groups may be missing, 1 by default, or too many, 0 by default, in an update."""

    partition: int | None = Field(default=None, ge=0)
    """Groups of lower numbers stay as they are. Default 0."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        # The webhook of LeaderWorkerSets says it, and validateRolloutStrategy of
        # pkg/reconciler/sts_reconciler.go of RoleBasedGroups.
        if self.max_unavailable in (0, "0%") and self.max_surge is None:
            want = "1 or more, or max_surge given"
            why = "max_surge is 0 by default, and with neither an update takes no step"
            yield Fault("max_unavailable", self.max_unavailable, want, why)


class GroupRolloutStrategy(CrdModel):
    """How an update replaces groups; RollingUpdate is the only way."""

    rolling_update_configuration: GroupRollingUpdate
    """How many at a time."""


class GroupNetwork(CrdModel):
    """How pods of a group are called."""

    subdomain_policy: SubdomainPolicy
    """Which headless Services there are. Default Shared."""


class LeaderWorkerSetSpec(CrdModel):
    """Groups of pods."""

    replicas: int | None = Field(default=None, ge=0)
    """Number of groups; left out where an HPA says it. Default 1."""
    leader_worker_template: LeaderWorkerTemplate
    """What each is made of."""
    rollout_strategy: GroupRolloutStrategy | None = None
    """How an update replaces them."""
    startup_policy: StartupPolicy | None = None
    """When workers are made. Default LeaderCreated."""
    network_config: GroupNetwork | None = None
    """How pods are called."""

    def _faults(self) -> Iterator[Fault]:
        size = self.leader_worker_template.size
        if (self.replicas or 0) * size > _INT32:
            want = f"at most {_INT32 // size}"
            yield Fault("replicas", self.replicas, want, "pods are counted in 32 bits")


class LeaderWorkerSet(CustomResource[LeaderWorkerSetSpec], api_version=API_VERSION, kind=KIND):
    """Groups of pods, which an HPA scales by the scale subresource, looking at leaders alone."""
