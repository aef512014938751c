"""Where pods go: kube-scheduler 1.34 with ResourcePolicy, as a state machine handed the time.

The queue is that of pkg/scheduler/backend/queue, preemption that of
pkg/scheduler/framework/preemption and plugins/defaultpreemption (k8s.io/kubernetes v1.34.1), the
order of units that of `policies`. A round of scheduling takes no time. Where the scheduler draws
lots between nodes that it likes alike, the one that has been there longest is taken.
"""

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Final

from components.crds.scheduling import NextUnitPolicy

from .policies import UnitDecision, UnitPolicy, UnitState, UnitStop, decide
from .rooms import Pod, SimulatedNode, gets_on, resource_score, spread_scores
from .templates import PodTemplate

INITIAL_BACKOFF: Final = 1.0
MOST_BACKOFF: Final = 10.0
"""How long a pod that found no node is kept back, in seconds: doubled from the one to the other.
Defaults of KubeSchedulerConfiguration v1, 1.34."""
RETRY_SECONDS: Final = 0.01
"""From a preemption in vain until the next unit is tried: plugin.go, `retryAfter`."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A pod was placed."""

    pod: Pod
    node: SimulatedNode


@dataclass(frozen=True, slots=True)
class Evicted:
    """A pod was told to end, to make room. It is gone once `Placement.remove` says so."""

    pod: Pod
    by: Pod
    """For which pod."""


@dataclass(frozen=True, slots=True)
class Waits:
    """No node was found for a pod."""

    pod: Pod
    until: float
    """When it wants to be tried again by itself; infinite where only a change helps."""
    why: str


Event = Bound | Evicted | Waits


class _PendingQueue(Enum):
    """Where a pod is that has no node."""

    ACTIVE = auto()
    BACKOFF = auto()
    UNSCHEDULABLE = auto()


@dataclass(slots=True)
class _Pending:
    """What is known of a pod from one attempt to the next, until it has a node."""

    pod: Pod
    queue: _PendingQueue
    since: float
    """When it came into the queue, or was last tried."""
    failures: int = 0
    preempted: int = 0
    """In how many units, from the first, preemption was tried in vain just now."""
    deadlines: dict[int, float] = field(default_factory=dict)
    """Until when it waits in each unit in which it has begun to."""
    timer: float = math.inf
    entry: int = 0
    """Number of its entry in a heap that holds; older ones are void."""


@dataclass(slots=True)
class _Tiers:
    """Nodes that pods of a template may go to, by unit; what is said of them holds for a while."""

    nodes: Sequence[Sequence[SimulatedNode]]
    are_full: bool = False
    """Whether no pod of the template fits any of them."""
    are_firm: bool = False
    """Whether preemption makes room for it on none of them."""

    def have(self, node: SimulatedNode) -> bool:
        """Whether a node is among them."""
        return any(node in tier for tier in self.nodes)


class Placement:
    """Nodes and pods of a cluster, and who goes where."""

    def __init__(
        self,
        policies: Iterable[UnitPolicy] = (),
        *,
        keeps_back: bool = False,
    ) -> None:
        """Has neither nodes nor pods yet.

        Args:
            policies: Every ResourcePolicy.
            keeps_back: Whether a pod waits for the end of its back-off though nothing else is to
                be done, as it did before Kubernetes 1.33 (SchedulerPopFromBackoffQ).
        """
        self.nodes: dict[str, SimulatedNode] = {}
        self.pods: dict[str, Pod] = {}
        self.policies = tuple(policies)
        self.version = 0
        """Grows whenever something changes that plays a part in where pods go."""
        self._nodes_of: dict[str, dict[str, SimulatedNode]] = {}
        self._seen: dict[tuple[object, ...], Any] = {}
        """What was worked out for pods of a template since the last change."""
        self._keeps_back = keeps_back
        self._pending: dict[Pod, _Pending] = {}
        self._active: list[tuple[int, float, int, _Pending]] = []
        self._backoff: list[tuple[float, int, float, int, _Pending]] = []
        self._timers: list[tuple[float, int, _Pending]] = []
        self._entries = 0
        self._policies_of: dict[PodTemplate, Sequence[UnitPolicy]] = {}
        self._minds: dict[PodTemplate, bool] = {}

    # Nodes

    def add_node(self, now: float, node: SimulatedNode) -> None:
        """Adds a node that is ready."""
        self._entries += 1
        node.number, node.added, node.idle_since = self._entries, now, now
        self.nodes[node.name] = node
        self._nodes_of.setdefault(node.pool, {})[node.name] = node
        self._changed()
        self._move(now, lambda pod: node.allows(pod.template))

    def remove_node(self, now: float, name: str) -> list[Pod]:
        """Removes a node, with the pods on it, which are gone at once; gives them."""
        node = self.nodes.pop(name)
        del self._nodes_of[node.pool][name]
        self._changed()
        lost = list(node.pods.values())
        for pod in lost:
            self._forget(pod)
            self._move_after(now, pod, node)
        for pod in list(node.nominees.values()):
            self._nominate(pod, None)
            self._activate(pod)
        return lost

    def nodes_of(self, pool: str) -> Collection[SimulatedNode]:
        """The nodes of a pool."""
        return self._nodes_of.get(pool, {}).values()

    def cordon(self, now: float, name: str, *, unschedulable: bool = True) -> None:
        """Keeps new pods off a node, or lets them on again."""
        node = self.nodes[name]
        node.unschedulable = unschedulable
        self._changed()
        if not unschedulable:
            self._move(now, lambda pod: node.allows(pod.template))

    def drain(self, now: float, name: str) -> list[Pod]:
        """Keeps pods off a node, and tells those on it to end; gives them."""
        self.cordon(now, name)
        pods = [pod for pod in self.nodes[name].pods.values() if pod.ending is None]
        for pod in pods:
            self.end(now, pod)
        return pods

    # Pods

    def submit(self, now: float, name: str, template: PodTemplate, node: str | None = None) -> Pod:
        """A new pod, which waits for `schedule`.

        Args:
            now: The time.
            name: Its name, which no other pod has.
            template: What it is of.
            node: The node that it is on already. Default: it has none.
        """
        if template not in self._policies_of:
            self._learn(template)
        self._entries += 1
        pod = Pod(name, template, now, number=self._entries)
        self.pods[name] = pod
        if node is None:
            pending = self._pending[pod] = _Pending(pod, _PendingQueue.ACTIVE, now)
            self._push(pending)
        else:
            self._put(now, pod, self.nodes[node])
        return pod

    def end(self, now: float, pod: Pod) -> None:
        """Tells a pod to end. It keeps what it holds until `remove`; without a node it is gone."""
        if pod.node is None:
            self.remove(now, pod)
        elif pod.ending is None:
            pod.ending, pod.ready = now, None
            self._changed()
            for policy in self._policies_of[pod.template]:
                for peer in [*self._pending]:
                    if policy in self._policies_of[peer.template]:
                        self._activate(peer)

    def remove(self, now: float, pod: Pod) -> None:
        """A pod is gone."""
        node = pod.node
        if node is not None and node.pods.get(pod.name) is pod:
            node.release(pod)
            self._changed()
            if not node.pods:
                node.idle_since = now
        was_nominated = pod.nominated is not None
        self._forget(pod)
        if node is not None:
            self._move_after(now, pod, node)
        elif was_nominated:
            self._move_behind(now, pod)

    def set_ready(self, now: float, pod: Pod) -> None:
        """Says that a pod is ready: who ends first at scale-in depends on it."""
        pod.ready = now

    def unplaced(self) -> list[Pod]:
        """Pods that no node was found for, those of the highest priority first, then the oldest.

        Those for which room is being made are left out.
        """
        pods = [pod for pod in self._pending if pod.attempts and pod.nominated is None]
        return sorted(pods, key=lambda pod: (-pod.template.priority, pod.created, pod.number))

    def policies_of(self, template: PodTemplate) -> Sequence[UnitPolicy]:
        """The policies that select pods of a template; more than one, and they are not placed."""
        if template not in self._policies_of:
            self._learn(template)
        return self._policies_of[template]

    def minds(self, template: PodTemplate) -> bool:
        """Whether which pods are on a node plays a part for where pods of a template go."""
        return self._minds[template]

    # Scheduling

    def schedule(self, now: float) -> list[Event]:
        """Tries every pod that is to be tried, in the scheduler's order; says what came of it."""
        events: list[Event] = []
        while self._timers and self._timers[0][0] <= now:
            due, _, pending = heapq.heappop(self._timers)
            if pending.timer == due:
                pending.timer = math.inf
                self._activate(pending.pod)
        while self._backoff and self._backoff[0][0] < math.floor(now):
            self._to_active(heapq.heappop(self._backoff))
        while (first := self._pop()) is not None:
            self._attempt(now, first, events)
        return events

    def next_time(self) -> float:
        """When `schedule` is to be called again though nothing changed; infinite for never."""
        while self._timers and self._timers[0][2].timer != self._timers[0][0]:
            heapq.heappop(self._timers)
        times = [self._timers[0][0]] if self._timers else []
        if self._keeps_back:
            # What is in a window is let go once the window is over.
            times += [
                entry[0] + 1
                for entry in self._backoff
                if _holds(entry[3], entry[-1], _PendingQueue.BACKOFF)
            ]
        return min(times, default=math.inf)

    def _attempt(self, now: float, pending: _Pending, events: list[Event]) -> None:
        pod, policies = pending.pod, self._policies_of[pending.pod.template]
        if refusal := _refusal(pod.template, policies):
            self._fail(now, pending, refusal, events)
            return
        policy = policies[0] if policies else None
        decision = self._decide(now, pending, policy) if policy else None
        tiers = self._tiers(pod.template, policy, decision)
        if node := self._choose(pod, tiers):
            self._settle(pod)
            was_nominated = pod.nominated is not None
            self._put(now, pod, node, policy, decision)
            events.append(Bound(pod, node))
            self._move(now, lambda peer: self._minds[peer.template])
            if was_nominated:
                self._move_behind(now, pod)
            return
        why = "no node has room"
        if policy and decision:
            why = _explain(policy, decision)
            self._post_filter(now, pending, policy, decision, tiers, events)
        elif pod.template.preempts and not _is_waited_for(pod, tiers):
            self._preempt(now, pod, tiers, events)
        if pod.nominated is not None:
            why = f"others make room on {pod.nominated.name}"
        self._fail(now, pending, why, events)

    def _decide(self, now: float, pending: _Pending, policy: UnitPolicy) -> UnitDecision:
        pod = pending.pod
        key = ("states", policy, pod.template)
        if key not in self._seen:
            self._seen[key] = self._survey(policy, pod)
        states = [replace(state) for state in self._seen[key]]
        for number, deadline in pending.deadlines.items():
            states[number].waited = policy.timeout - (deadline - now)
        nominated = -1
        if pod.nominated is not None:
            nominated = next(iter(pod.nominated.units_of(policy)), -1)
        decision = decide(
            policy,
            states,
            pod.template.requests,
            preempted=pending.preempted,
            nominated=nominated,
        )
        if decision.stop is UnitStop.TIME_RUNS:
            pending.deadlines.setdefault(decision.last, now + policy.timeout)
        return decision

    def _survey(self, policy: UnitPolicy, pod: Pod) -> list[UnitState]:
        """What the units of a policy look like to a pod."""
        states = [UnitState() for _ in policy.units]
        waits_for_others = policy.when is NextUnitPolicy.LACK_RESOURCE_AND_NO_TERMINATING
        counts = waits_for_others or any(unit.bounded for unit in policy.units)
        seeks_victims = policy.before_next_unit and pod.template.preempts
        for node in self.nodes.values() if counts or seeks_victims else ():
            for number in node.units_of(policy):
                state = states[number]
                if seeks_victims and not state.victims:
                    state.victims = node.lowest_priority() < pod.template.priority
                for peer in node.pods.values() if counts else ():
                    self._count(policy, number, state, pod, peer)
        return states

    def _count(
        self, policy: UnitPolicy, number: int, state: UnitState, pod: Pod, peer: Pod
    ) -> None:
        template = peer.template
        if policy not in self._policies_of[template] or not _is_of(policy, number, peer):
            return
        state.terminating = state.terminating or peer.ending is not None
        if peer.ending is not None and policy.ignore_terminating:
            return
        labels, peers = pod.template.labels, template.labels
        if any(labels.get(key) != peers.get(key) for key in policy.match_label_keys):
            return
        if policy.ignore_previous and peer.bound is not None and peer.bound < policy.created:
            return
        state.pods += 1
        for name in policy.units[number].max_resources:
            state.used[name] = state.used.get(name, 0) + template.requests.get(name, 0)

    def _tiers(
        self, template: PodTemplate, policy: UnitPolicy | None, decision: UnitDecision | None
    ) -> "_Tiers":
        """The nodes that pods of a template may go to, by unit, in the order of units."""
        key = (template, *decision.open) if decision else (template,)
        if key not in self._seen:
            self._seen[key] = _Tiers(self._nodes_by_unit(template, policy, decision))
        tiers: _Tiers = self._seen[key]
        return tiers

    def _nodes_by_unit(
        self, template: PodTemplate, policy: UnitPolicy | None, decision: UnitDecision | None
    ) -> list[list[SimulatedNode]]:
        nodes = [
            node for node in self.nodes.values() if not node.unschedulable and node.allows(template)
        ]
        if policy is None or decision is None:
            return [nodes]
        by_unit: dict[int, list[SimulatedNode]] = {number: [] for number in decision.open}
        rest = len(policy.units)
        for node in nodes:
            units = node.units_of(policy)
            number = next((unit for unit in units if unit in by_unit), None) if units else rest
            if number in by_unit:
                by_unit[number].append(node)
        return [*by_unit.values()]

    def _choose(self, pod: Pod, tiers: "_Tiers") -> SimulatedNode | None:
        """The node that a pod is placed on: the one that room was made on, or the best."""
        nominated = pod.nominated
        if nominated and tiers.have(nominated) and self._fits(pod, nominated):
            return nominated
        if tiers.are_full:
            return None
        for tier in tiers.nodes:
            fitting = [node for node in tier if self._fits(pod, node)]
            if len(fitting) == 1:
                return fitting[0]
            if fitting:
                return self._best(pod, fitting)
        tiers.are_full = True
        return None

    def _fits(self, pod: Pod, node: SimulatedNode) -> bool:
        return node.has_room(pod) and (
            not self._minds[pod.template] or gets_on(pod.template, node, self.nodes.values())
        )

    def _best(self, pod: Pod, fitting: Sequence[SimulatedNode]) -> SimulatedNode:
        spread = spread_scores(pod.template, fitting, self.nodes.values())
        return max(
            fitting,
            key=lambda node: (
                resource_score(pod.template, node) + 2 * spread.get(node.name, 0),
                -node.number,
            ),
        )

    def _put(
        self,
        now: float,
        pod: Pod,
        node: SimulatedNode,
        policy: UnitPolicy | None = None,
        decision: UnitDecision | None = None,
    ) -> None:
        self._nominate(pod, None)
        pod.node, pod.bound = node, now
        if policy and decision:
            units = node.units_of(policy)
            rest = len(policy.units)
            pod.unit = next((unit for unit in units if unit in decision.open), rest)
            pod.cost = policy.deletion_cost(pod.unit)
        node.take(pod)
        self._changed()

    # Making room

    def _post_filter(
        self,
        now: float,
        pending: _Pending,
        policy: UnitPolicy,
        decision: UnitDecision,
        tiers: "_Tiers",
        events: list[Event],
    ) -> None:
        """Preempts, waits or goes on, as none of the open units has room."""
        pod = pending.pod
        if decision.preempts(policy) and pod.template.preempts:
            if _is_waited_for(pod, tiers):
                return
            if self._preempt(now, pod, tiers, events):
                return
        pending.preempted = 0
        if decision.stop is UnitStop.PREEMPTION:
            pending.preempted = decision.last + 1
            self._wake(pending, now + RETRY_SECONDS)
        elif decision.stop is UnitStop.TIME_RUNS:
            self._wake(pending, pending.deadlines[decision.last])

    def _preempt(self, now: float, pod: Pod, tiers: "_Tiers", events: list[Event]) -> bool:
        """Has others ended on a node of the first unit where that helps; False where none is."""
        candidates: list[tuple[SimulatedNode, list[Pod]]] = []
        for tier in tiers.nodes if not tiers.are_firm or pod.nominated else ():
            candidates = [(node, gone) for node in tier if (gone := self._victims(pod, node))]
            if candidates:
                break
        else:
            tiers.are_firm = True
            self._nominate(pod, None)
            return False
        node, victims = min(
            candidates, key=lambda candidate: (_harm(candidate[1]), candidate[0].number)
        )
        for victim in victims:
            victim.preempted = True
            if victim.ending is None:
                self.end(now, victim)
                events.append(Evicted(victim, pod))
        for peer in list(node.nominees.values()):
            if peer.template.priority < pod.template.priority:
                self._nominate(peer, None)
                self._activate(peer)
        self._nominate(pod, node)
        return True

    def _victims(self, pod: Pod, node: SimulatedNode) -> list[Pod]:
        """The fewest pods of a node whose end makes room, the most important ones spared."""
        priority = pod.template.priority
        lower = [peer for peer in node.pods.values() if peer.template.priority < priority]
        if not lower:
            return []
        gone = set(lower)
        if not self._would_fit(pod, node, gone):
            return []
        victims = []
        for peer in sorted(lower, key=_importance):
            gone.discard(peer)
            if not self._would_fit(pod, node, gone):
                gone.add(peer)
                victims.append(peer)
        return victims

    def _would_fit(self, pod: Pod, node: SimulatedNode, gone: Collection[Pod]) -> bool:
        freed: dict[str, int] = {}
        for peer in gone:
            for name, amount in peer.template.requests.items():
                freed[name] = freed.get(name, 0) + amount
        return node.has_room(pod, freed) and (
            not self._minds[pod.template] or gets_on(pod.template, node, self.nodes.values(), gone)
        )

    def _nominate(self, pod: Pod, node: SimulatedNode | None) -> None:
        if pod.nominated is not None:
            pod.nominated.nominees.pop(pod.name, None)
            self._changed()
        pod.nominated = node
        if node is not None:
            node.nominees[pod.name] = pod
            self._changed()

    # The queue

    def _learn(self, template: PodTemplate) -> None:
        """Takes note of a template of which there was no pod."""
        self._policies_of[template] = [
            policy
            for policy in self.policies
            if policy.selects(template.namespace, template.labels)
        ]
        self._minds = {
            candidate: candidate.minds(self._policies_of) for candidate in self._policies_of
        }
        self._changed()

    def _pop(self) -> _Pending | None:
        while self._active:
            *_, entry, pending = heapq.heappop(self._active)
            if _holds(entry, pending, _PendingQueue.ACTIVE):
                return pending
        while self._backoff and not self._keeps_back:
            *_, entry, pending = heapq.heappop(self._backoff)
            if _holds(entry, pending, _PendingQueue.BACKOFF):
                return pending
        return None

    def _fail(self, now: float, pending: _Pending, why: str, events: list[Event]) -> None:
        pending.failures += 1
        pending.pod.attempts += 1
        if pending.pod.attempts == 1:
            self.version += 1
        pending.since = now
        pending.queue = _PendingQueue.UNSCHEDULABLE
        events.append(Waits(pending.pod, pending.timer, why))

    def _changed(self) -> None:
        self.version += 1
        self._seen.clear()

    def _forget(self, pod: Pod) -> None:
        self.pods.pop(pod.name, None)
        self._nominate(pod, None)
        self._settle(pod)

    def _settle(self, pod: Pod) -> None:
        """Ends the waiting of a pod."""
        if pending := self._pending.pop(pod, None):
            pending.entry, pending.timer = 0, math.inf

    def _wake(self, pending: _Pending, due: float) -> None:
        self._entries += 1
        pending.timer = due
        heapq.heappush(self._timers, (due, self._entries, pending))

    def _activate(self, pod: Pod) -> None:
        """Has a pod tried at once, whatever its back-off."""
        pending = self._pending.get(pod)
        if pending and pending.queue is not _PendingQueue.ACTIVE:
            pending.queue = _PendingQueue.ACTIVE
            self._push(pending)

    def _move(self, now: float, helps: Callable[[Pod], bool]) -> None:
        """Something changed: has those tried again whom it may help, after their back-off."""
        for pod, pending in self._pending.items():
            if pending.queue is _PendingQueue.UNSCHEDULABLE and helps(pod):
                backs_off = self._is_backing_off(pending, now)
                pending.queue = _PendingQueue.BACKOFF if backs_off else _PendingQueue.ACTIVE
                self._push(pending)

    def _move_after(self, now: float, pod: Pod, node: SimulatedNode) -> None:
        """A pod on a node is gone: that helps those which may go there, or counted it."""
        policies = self._policies_of[pod.template]
        self._move(
            now,
            lambda peer: (
                node.allows(peer.template)
                or self._minds[peer.template]
                or any(policy in policies for policy in self._policies_of[peer.template])
            ),
        )

    def _move_behind(self, now: float, pod: Pod) -> None:
        """Room was kept for a pod, which no longer needs it: others may have it."""
        priority = pod.template.priority
        self._move(now, lambda peer: peer.template.priority <= priority)

    def _to_active(self, entry: tuple[float, int, float, int, _Pending]) -> None:
        *_, number, pending = entry
        if _holds(number, pending, _PendingQueue.BACKOFF):
            pending.queue = _PendingQueue.ACTIVE
            self._push(pending)

    def _push(self, pending: _Pending) -> None:
        self._entries += 1
        pending.entry = self._entries
        priority = -pending.pod.template.priority
        if pending.queue is _PendingQueue.ACTIVE:
            heapq.heappush(self._active, (priority, pending.since, pending.entry, pending))
        else:
            window = _backoff_window(pending)
            heapq.heappush(self._backoff, (window, priority, pending.since, pending.entry, pending))

    def _is_backing_off(self, pending: _Pending, now: float) -> bool:
        return pending.failures > 0 and _backoff_window(pending) >= math.floor(now)


def _refusal(template: PodTemplate, policies: Sequence[UnitPolicy]) -> str:
    """Why pods of a template are not tried at all; empty where they are."""
    if len(policies) > 1:
        names = " and ".join(sorted(policy.name for policy in policies))
        return f"{names} select the pod, but one policy can"
    for policy in policies:
        for key in policy.match_label_keys:
            if key not in template.labels:
                return f"{policy.name} asks for the label {key}, which the pod lacks"
    return ""


def _is_of(policy: UnitPolicy, number: int, pod: Pod) -> bool:
    """Whether a pod on a node of a unit counts as one of its pods."""
    if pod.unit is not None:
        return pod.unit == number
    return policy.units[number].labels.items() <= pod.template.labels.items()


def _holds(entry: int, pending: _Pending, queue: _PendingQueue) -> bool:
    """Whether an entry of a heap is the pod's last, and it is still in that queue."""
    return pending.entry == entry and pending.queue is queue


def _backoff_window(pending: _Pending) -> float:
    """The second in which a pod's back-off ends; pods of one second go by priority."""
    seconds = min(INITIAL_BACKOFF * 2.0 ** min(pending.failures - 1, 10), MOST_BACKOFF)
    return math.floor(pending.since + seconds)


def _is_waited_for(pod: Pod, tiers: "_Tiers") -> bool:
    """Whether others are ending already on the node that room is made on for a pod."""
    node = pod.nominated
    return (
        node is not None
        and tiers.have(node)
        and any(
            peer.ending is not None
            and peer.preempted
            and peer.template.priority < pod.template.priority
            for peer in node.pods.values()
        )
    )


def _importance(pod: Pod) -> tuple[int, float, int]:
    """Pods of higher priority are more important, then those that were placed before."""
    return -pod.template.priority, pod.bound or 0, pod.number


def _harm(victims: Sequence[Pod]) -> tuple[int, int, int, float]:
    """What ending some pods means, to be compared: pickOneNodeForPreemption, without budgets."""
    highest = victims[0].template.priority
    oldest = min(pod.bound or 0 for pod in victims if pod.template.priority == highest)
    total = sum(pod.template.priority + 2**31 for pod in victims)
    return highest, total, len(victims), -oldest


def _explain(policy: UnitPolicy, decision: UnitDecision) -> str:
    unit = f"unit {decision.last + 1} of {policy.name}"
    match decision.stop:
        case UnitStop.PREEMPTION:
            return f"goes on to the next unit, as preemption makes no room in {unit}"
        case UnitStop.TIME_RUNS:
            return f"waits in {unit} for {decision.wait:.0f} s"
        case UnitStop.MAX_NOT_REACHED:
            return f"waits in {unit}, whose max is not reached"
        case UnitStop.PODS_END:
            return f"waits in {unit}, where pods are ending"
    return f"no unit of {policy.name} has room"
