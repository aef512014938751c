"""RoleBasedGroup: roles of one model, such as prefill and decode, which come and go together.

CRDs: github.com/sgl-project/rbg v0.7.0 (01df6fc, 2026-06-04), config/crd/bases and
api/workloads/v1alpha2. v0.7.0 has a webhook for conversion alone, and its controller ends with an
event where it takes no object; v0.8.0-alpha.5 (993491f) refuses some of that at once. Each rule
here names the file that it was read from; what is of v0.8 was read at 993491f.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from ..args import MISSING, Because, Fault, Words, one_of_faults, repeated
from ..names import LabelKey, LabelName, LabelValue
from .custom_resource import CustomResource
from .leader_worker_set import GroupPodTemplate, GroupRollingUpdate
from .model import CrdModel
from .role_based_group_labels import API_VERSION, KIND, POLICY, WORKLOAD_TYPE
from .role_based_group_rules import Percent, Progression, UpdateType, dependency_faults

_NEXT: Final = "https://github.com/sgl-project/rbg/blob/993491fb"
RoleName = Annotated[LabelName, Because("a Service and pods are called by it")]
"""Type of the name of a role."""


class ServiceSelection(StrEnum):
    """Which pods are behind the headless Service of a role."""

    ALL = "All"
    LEADER_ONLY = "LeaderOnly"


class InstanceRestartPolicy(StrEnum):
    """What happens to an instance of several pods of which one ends."""

    NONE = "None"
    """That pod alone starts again."""
    RECREATE = "RecreateRoleInstanceOnPodRestart"
    """All its pods are made again."""


class RoleTemplate(CrdModel):
    """A pod that several roles share."""

    name: RoleName
    """By what roles name it."""
    template: GroupPodTemplate
    """The pod."""


class TemplateRef(CrdModel):
    """A template of the group, with what a role has otherwise."""

    name: str
    """Name of the template."""
    patch: dict[str, Any]
    """Strategic merge patch. The CRD takes a reference without, which the controller then refuses:
    `{}` changes nothing (api/workloads/v1alpha2/roletemplate_validation.go)."""


class Pattern(CrdModel):
    """Pods of an instance of a role: one template, of its own or of the group."""

    template: GroupPodTemplate | None = None
    """The pod."""
    template_ref: TemplateRef | None = None
    """The pod, by a template of the group."""

    def _faults(self) -> Iterator[Fault]:
        why = "an instance is made of one template"
        yield from one_of_faults(self, ("template", "template_ref"), why)


class StandalonePattern(Pattern):
    """An instance of one pod."""


class LeaderWorkerPattern(Pattern):
    """An instance of several pods."""

    size: int = Field(ge=1, le=2**31 - 1)
    """Pods of an instance, the leader among them."""
    leader_template_patch: dict[str, Any] | None = None
    """What the leader has otherwise, a strategic merge patch."""
    worker_template_patch: dict[str, Any] | None = None
    """What workers have otherwise."""
    shared_service_selection: ServiceSelection | None = None
    """Which pods are behind the role's Service. Default All."""
    restart_policy: InstanceRestartPolicy | None = None
    """What happens when one of its pods ends. Default RecreateRoleInstanceOnPodRestart."""


class InPlaceUpdate(CrdModel):
    """How a pod is changed as it is."""

    grace_period_seconds: int = Field(ge=0)
    """Seconds between its being unready and the new image."""


class RoleRollingUpdate(GroupRollingUpdate):
    """How an update goes over the instances of a role: 1 may be missing by default, 0 too many."""

    type: UpdateType | None = None
    """How it changes pods. Default InPlaceIfPossible."""
    paused: bool | None = None
    """Whether nothing is updated for now."""
    in_place_update_strategy: InPlaceUpdate | None = None
    """How a pod is changed as it is."""


class RolloutStrategy(CrdModel):
    """How an update replaces instances; RollingUpdate is the only way."""

    type: str = Field(default="RollingUpdate", pattern="^RollingUpdate$")
    """RollingUpdate."""
    rolling_update: RoleRollingUpdate
    """How it goes over them."""


class RoleScalingAdapter(CrdModel):
    """Whether a role has a scale of its own, at a RoleBasedGroupScalingAdapter."""

    enable: bool
    """Whether the controller makes one, called `<group>-<role>`."""
    labels: dict[LabelKey, LabelValue] | None = None
    """Further labels of it."""


class RoleSpec(CrdModel):
    """A role of a group."""

    name: RoleName
    """Its name."""
    labels: dict[LabelKey, LabelValue] | None = None
    """Labels of its RoleInstanceSet."""
    annotations: dict[str, str] | None = None
    """Annotations of its RoleInstanceSet and pods."""
    replicas: int | None = Field(default=None, ge=0)
    """Instances. Left out where an autoscaler says it. Default 1."""
    rollout_strategy: RolloutStrategy | None = None
    """How an update goes over them."""
    dependencies: list[str] | None = None
    """Roles that have to be ready before it is made."""
    standalone_pattern: StandalonePattern | None = None
    """An instance is one pod."""
    leader_worker_pattern: LeaderWorkerPattern | None = None
    """An instance is several pods."""
    scaling_adapter: RoleScalingAdapter | None = None
    """Whether an autoscaler can scale it."""
    min_ready_seconds: int | None = Field(default=None, ge=0)
    """Seconds that a new instance has to be ready before it counts."""

    def _faults(self) -> Iterator[Fault]:
        # pkg/reconciler/roleinstanceset_reconciler.go: "no valid pattern found"
        names = ("standalone_pattern", "leader_worker_pattern")
        why = "the controller makes an instance by one of them"
        yield from one_of_faults(self, names, why)
        if WORKLOAD_TYPE in (self.annotations or {}):
            why = "controller.deprecatedWorkloadTypes.enabled false refuses all but RoleInstanceSet"
            field = f"annotations[{WORKLOAD_TYPE}]"
            yield Fault(field, Words("given"), "left out", why, _NEXT)
        update = self.rollout_strategy and self.rollout_strategy.rolling_update
        if update and self.scaling_adapter is None and update.partition is not None:
            replicas = 1 if self.replicas is None else self.replicas
            if replicas and update.partition >= replicas:
                # api/workloads/v1alpha2/rolebasedgroup_validation.go, ValidateRollingUpdate
                field, want = "rollout_strategy.rolling_update.partition", f"less than {replicas}"
                yield Fault(field, update.partition, want, "no instance would be updated", _NEXT)

    @property
    def pods(self) -> int:
        """Pods of an instance."""
        return self.leader_worker_pattern.size if self.leader_worker_pattern else 1

    @property
    def pattern(self) -> Pattern:
        """The pattern that is given."""
        return self.leader_worker_pattern or self.standalone_pattern or Pattern.model_construct()


class RoleBasedGroupSpec(CrdModel):
    """The roles of a group."""

    roles: list[RoleSpec] = Field(min_length=1)
    """Its roles."""
    role_templates: list[RoleTemplate] | None = None
    """Pods that several of them share."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(role.name for role in self.roles):
            yield Fault(
                f"roles[{name}].name", name, "given once", "roles are merged by their names"
            )
        templates = [template.name for template in self.role_templates or []]
        for role in self.roles:
            reference = role.pattern.template_ref
            if reference is not None and reference.name not in templates:
                field = f"roles[{role.name}].template_ref.name"
                yield Fault(field, reference.name, "a name of role_templates", "it is made of it")
        yield from dependency_faults({role.name: role.dependencies or [] for role in self.roles})


class ScalingCoordination(CrdModel):
    """How far roles may be from each other while they grow."""

    max_skew: Percent
    """Most difference of their progress, each from none to what it should have. The CRD's default
    is 100%."""
    progression: Progression
    """What the next step waits for. Left out, the controller waits for nothing, whatever its
    documents say (getProgressionType of pkg/coordination/coordinationscaling/scaler.go)."""


class UpdateCoordination(CrdModel):
    """How far roles may be from each other while they are updated."""

    max_skew: Percent | None = None
    """Most difference of their progress."""
    partition: int | None = Field(default=None, ge=0)
    """Instances of lower numbers stay as they are."""
    max_unavailable: Percent | None = None
    """Instances of each that may be missing."""


class CoordinationStrategy(CrdModel):
    """What roles do together."""

    scaling: ScalingCoordination | None = None
    """How they grow."""
    rolling_update: UpdateCoordination | None = None
    """How they are updated."""

    def _faults(self) -> Iterator[Fault]:
        if self.scaling is None and self.rolling_update is None:
            yield Fault("strategy", MISSING, "scaling or rolling_update", "it would do nothing")


class CoordinationRule(CrdModel):
    """Roles that do something together."""

    name: str = Field(min_length=1)
    """Name of the rule."""
    roles: list[str] = Field(min_length=2)
    """The roles. One alone has nobody to keep pace with."""
    strategy: CoordinationStrategy
    """What they do together."""


class CoordinatedPolicySpec(CrdModel):
    """Rules for roles of the RoleBasedGroup of the same name: another name is never read.

    handleCoordinationStrategies of internal/controller/workloads/rolebasedgroup_controller.go;
    upstream's own samples have another one.
    """

    policies: list[CoordinationRule] = Field(min_length=1)
    """The rules."""


class AdapterTarget(CrdModel):
    """The role that an adapter scales."""

    name: str
    """Name of the group."""
    role: str
    """Name of the role."""


class ScalingAdapterSpec(CrdModel):
    """The scale of a role. The controller makes it; one of one's own it does not look at."""

    replicas: int | None = Field(default=None, ge=0)
    """Instances that the role should have."""
    scale_target_ref: AdapterTarget
    """The role."""


class RoleBasedGroup(CustomResource[RoleBasedGroupSpec], api_version=API_VERSION, kind=KIND):
    """Roles of one model."""


class CoordinatedPolicy(
    CustomResource[CoordinatedPolicySpec], api_version=API_VERSION, kind=POLICY
):
    """What roles of a group do together."""
