"""Which units of a ResourcePolicy a pod is tried in: the rule of ACK's scheduler, over plain data.

It is decision.go of the sandbox's scheduler, word for word: the README of sandbox/tools/scheduler
has the page, and what is assumed where it is silent. `python -m proof replay` plays the same
scenarios on both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from components.crds.formats import seconds
from components.crds.scheduling import (
    WAIT_FOR_SCALING,
    Capacity,
    NextUnitPolicy,
    PreemptPolicy,
)
from plan.fit import amount, matches
from plan.objects import Manifest

KIND: Final = "ResourcePolicy"
DEFAULT_TIMEOUT: Final = 15 * 60.0
"""How long a pod waits in a unit where the policy does not say it, in seconds."""
COST_STEP: Final = 100
"""Between the deletion costs of two units."""
_VIRTUAL: Final = ("type", "virtual-kubelet")
"""Label of ACK's virtual nodes."""
_ON_VIRTUAL: Final = frozenset({Capacity.ECI, Capacity.ACS})


@dataclass(frozen=True, eq=False)
class PolicyUnit:
    """One kind of capacity."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    resource: str = Capacity.ECS
    max: int | None = None
    """Most pods that it takes; None: any number."""
    max_resources: Mapping[str, int] = field(default_factory=dict)
    """Most that its pods ask for in all."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that pods get in it."""
    waits: bool = False
    """Whether it waits for new nodes."""

    @property
    def bounded(self) -> bool:
        """Whether it takes only so much."""
        return self.max is not None or bool(self.max_resources)

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether a node of some labels belongs to it."""
        key, value = _VIRTUAL
        if (self.resource in _ON_VIRTUAL) != (labels.get(key) == value):
            return False
        return self.node_selector.items() <= labels.items()


@dataclass(frozen=True, eq=False)
class UnitPolicy:
    """The order in which some pods try kinds of capacity."""

    name: str
    units: Sequence[PolicyUnit]
    namespace: str = "default"
    selector: Mapping[str, Any] = field(default_factory=lambda: {"matchLabels": {}})
    """A label selector, as Kubernetes writes it."""
    when: NextUnitPolicy = NextUnitPolicy.LACK_RESOURCE_OR_EXCEED_MAX
    timeout: float = DEFAULT_TIMEOUT
    """In seconds."""
    before_next_unit: bool = False
    """Whether preemption is tried in each unit before the next one; after all of them otherwise."""
    required: bool = False
    """Whether nodes of no unit are left out."""
    ignore_previous: bool = False
    """Whether pods do not count that were scheduled before the policy was there."""
    ignore_terminating: bool = True
    """Whether pods that are ending do not count."""
    match_label_keys: Sequence[str] = ()
    """Only pods of the same values of these labels count."""
    created: float = -math.inf
    """When the policy was made."""

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether it is for pods of a namespace and some labels."""
        return namespace == self.namespace and matches(self.selector, labels)

    def units_of(self, labels: Mapping[str, str]) -> tuple[int, ...]:
        """Numbers of the units that a node belongs to."""
        return tuple(number for number, unit in enumerate(self.units) if unit.has(labels))

    def deletion_cost(self, unit: int) -> int:
        """What it costs to end a pod of a unit: less in later ones, which scale in first."""
        return (len(self.units) - unit) * COST_STEP


def read_policy(manifest: Manifest) -> UnitPolicy:
    """A ResourcePolicy with its defaults filled in.

    Args:
        manifest: The object, as it is rendered.

    Raises:
        ValueError: `whenTryNextUnits.policy` has a value that is not known.
    """
    about, spec = manifest["metadata"], manifest["spec"]
    when = spec.get("whenTryNextUnits") or {}
    timeout = when.get("timeout")
    return UnitPolicy(
        name=about["name"],
        namespace=about.get("namespace", "default"),
        units=tuple(_unit(unit) for unit in spec.get("units") or ()),
        selector={
            "matchLabels": spec.get("selector") or {},
            "matchExpressions": spec.get("matchExpressions") or [],
        },
        when=_read_when(when.get("policy")),
        timeout=DEFAULT_TIMEOUT if timeout is None else float(seconds(timeout) or 0),
        before_next_unit=spec.get("preemptPolicy") == PreemptPolicy.BEFORE_NEXT_UNIT,
        required=spec.get("strategy") == "required",
        ignore_previous=bool(spec.get("ignorePreviousPod")),
        ignore_terminating=spec.get("ignoreTerminatingPod") is not False,
        match_label_keys=tuple(spec.get("matchLabelKeys") or ()),
    )


def _read_when(policy: str | None) -> NextUnitPolicy:
    """The documentation writes NoTerminating where the CRD has Noterminating: both are read."""
    name = policy or NextUnitPolicy.LACK_RESOURCE_OR_EXCEED_MAX
    for known_policy in NextUnitPolicy:
        if known_policy.lower() == name.lower():
            return known_policy
    raise ValueError(f"whenTryNextUnits.policy {policy!r} is not known")


def _unit(unit: Mapping[str, Any]) -> PolicyUnit:
    labels = unit.get("podLabels") or {}
    most = unit.get("max")
    return PolicyUnit(
        node_selector=unit.get("nodeSelector") or {},
        resource=unit.get("resource", Capacity.ECS),
        max=None if most is None else int(most),
        max_resources={
            name: amount(name, quantity)
            for name, quantity in (unit.get("maxResources") or {}).items()
        },
        labels={key: value for key, value in labels.items() if key != WAIT_FOR_SCALING},
        waits=labels.get(WAIT_FOR_SCALING) == "true",
    )


@dataclass(slots=True)
class UnitState:
    """What a unit looks like to a pod that may go there."""

    pods: int = 0
    """Count against its max."""
    used: dict[str, int] = field(default_factory=dict)
    """Counts against its maxResources."""
    terminating: bool = False
    """Whether a pod of the policy is ending there."""
    victims: bool = False
    """Whether a pod runs there that the pod may preempt."""
    waited: float = 0
    """How long the pod has waited in it, in seconds."""


class UnitStop(Enum):
    """Why a pod does not go on to further units by itself."""

    NOWHERE = auto()
    """Is left to go: every unit is tried."""
    PREEMPTION = auto()
    """Is tried in the unit before the next one."""
    TIME_RUNS = auto()
    """In the unit: the pod waits for new nodes, or for others to end."""
    MAX_NOT_REACHED = auto()
    """In the unit, which ExceedMax makes the pod wait for."""
    PODS_END = auto()
    """In the unit, which LackResourceAndNoterminating makes the pod wait for."""


@dataclass(frozen=True, slots=True)
class UnitDecision:
    """Which units a pod is tried in at once. The first of them that has room gets it."""

    open: Sequence[int]
    """Units in order, without those that are full; one more stands for nodes of no unit."""
    last: int
    """The unit that the pod does not go beyond; the number of units where it goes everywhere."""
    stop: UnitStop = UnitStop.NOWHERE
    wait: float = 0
    """How long it stays there at most, in seconds; 0 where no time is set."""

    def preempts(self, policy: UnitPolicy) -> bool:
        """Whether preemption is tried now that none of the open units has room."""
        return policy.before_next_unit or self.last >= len(policy.units) - 1


def decide(
    policy: UnitPolicy,
    states: Sequence[UnitState],
    requests: Mapping[str, int],
    *,
    preempted: int = 0,
    nominated: int = -1,
) -> UnitDecision:
    """Which units a pod is tried in, were each of them without room.

    Args:
        policy: The pod's policy.
        states: What each of its units looks like.
        requests: What the pod asks for.
        preempted: In how many units, from the first, preemption was tried in vain just now.
        nominated: The unit of the node that preemption makes room on; -1 where there is none.
    """
    tried: list[int] = []
    for number, (unit, state) in enumerate(zip(policy.units, states, strict=True)):
        full = _is_full(unit, state, requests)
        if not full:
            tried.append(number)
        if number < nominated:
            continue
        stop, wait = _stops_in(policy, unit, state, full)
        goes_on = stop is UnitStop.NOWHERE and not full and number >= preempted
        if goes_on and policy.before_next_unit and state.victims:
            stop = UnitStop.PREEMPTION
        if stop is not UnitStop.NOWHERE:
            return UnitDecision(tried, number, stop, wait)
    last = len(policy.units)
    return UnitDecision(tried if policy.required else [*tried, last], last)


def _is_full(unit: PolicyUnit, state: UnitState, requests: Mapping[str, int]) -> bool:
    if unit.max is not None and state.pods >= unit.max:
        return True
    return any(
        state.used.get(name, 0) + requests.get(name, 0) > most
        for name, most in unit.max_resources.items()
    )


def _stops_in(
    policy: UnitPolicy, unit: PolicyUnit, state: UnitState, full: bool
) -> tuple[UnitStop, float]:
    """What keeps a pod in a unit that is full or has no room, and for how long."""
    remaining = policy.timeout - state.waited
    match policy.when:
        case NextUnitPolicy.EXCEED_MAX if unit.bounded and not full:
            return UnitStop.MAX_NOT_REACHED, 0
        case NextUnitPolicy.LACK_RESOURCE_AND_NO_TERMINATING if state.terminating:
            return UnitStop.PODS_END, 0
        case NextUnitPolicy.TIMEOUT_OR_EXCEED_MAX if (
            not full and remaining > 0 and (unit.bounded or unit.waits)
        ):
            return UnitStop.TIME_RUNS, remaining
        case NextUnitPolicy.TIMEOUT if remaining > 0:
            return UnitStop.TIME_RUNS, remaining
    return UnitStop.NOWHERE, 0
