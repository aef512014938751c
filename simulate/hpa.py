"""The HorizontalPodAutoscaler: how many pods a Deployment gets, decision by decision.

Read, and compared decision by decision with the controller itself (`proof/autoscalers.py`):
k8s.io/kubernetes v1.34.1 (2025-09), `pkg/controller/podautoscaler` with `replica_calculator.go` and
`metrics/utilization.go`, and the defaults of `pkg/apis/autoscaling/v2/defaults.go`. Flags of the
controller are as it ships. All amounts are whole thousandths, as in its own arithmetic.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from components.catalog.metrics import HPA_TOLERANCE
from components.crds.autoscaling import MetricTargetType, MetricType, PolicySelect, PolicyType
from components.quantity import parse

SYNC_SECONDS: Final = 15
"""How often the controller decides."""
TOLERANCE: Final = float(HPA_TOLERANCE)
_LOOK_BACK_SECONDS: Final = 300
_CPU_START_SECONDS: Final = 300
_CPU_READY_SECONDS: Final = 30
_DOUBLED: Final = 2
_FIRST_PODS: Final = 4
"""Without rules of its own, pods are doubled at a time, or four."""


@dataclass(frozen=True, slots=True)
class ScaledMetric:
    """A metric, and what it is held at."""

    source: MetricType
    name: str
    type: MetricTargetType
    amount: int
    """In thousandths; with Utilization in percent of what the pods request."""


class RatePolicy(NamedTuple):
    """How much may change in a time."""

    type: PolicyType
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class RateRules:
    """How fast pods come, or go."""

    stabilization_seconds: int
    policies: tuple[RatePolicy, ...]
    select: PolicySelect = PolicySelect.MAX
    tolerance: float = TOLERANCE


_UP: Final = RateRules(
    0,
    (
        RatePolicy(PolicyType.PODS, _FIRST_PODS, SYNC_SECONDS),
        RatePolicy(PolicyType.PERCENT, 100, SYNC_SECONDS),
    ),
)
_DOWN: Final = RateRules(_LOOK_BACK_SECONDS, (RatePolicy(PolicyType.PERCENT, 100, SYNC_SECONDS),))


@dataclass(frozen=True, slots=True)
class HpaSettings:
    """What the autoscaler goes by."""

    max_replicas: int
    metrics: tuple[ScaledMetric, ...]
    """The one that asks for most pods wins."""
    min_replicas: int = 1
    up: RateRules | None = None
    """Rules for more pods; with those for fewer, None where the manifest has no behaviour."""
    down: RateRules | None = None
    """Rules for fewer pods."""


@dataclass(frozen=True, slots=True)
class PodMetrics:
    """A pod, as the controller and the metrics API have it."""

    values: Mapping[str, int] = field(default_factory=dict)
    """What it reports by name of a metric, in thousandths; what is not in it is missing."""
    requests: Mapping[str, int] = field(default_factory=dict)
    """What it requests of a resource, in thousandths."""
    is_running: bool = True
    """Whether its containers were started; else it is pending."""
    is_ready: bool = True
    is_leaving: bool = False
    """Whether it failed, or is being deleted."""
    started: float = -math.inf
    """When it was started, in seconds."""
    ready_since: float = -math.inf
    """When its readiness changed last, in seconds."""
    measured: float = math.inf
    """When its metrics end, in seconds."""
    measured_seconds: float = 60
    """Time that its metrics are of, until then."""


class Hpa:
    """The autoscaler of one Deployment. Times are seconds since a start, and never go back."""

    __slots__ = ("_downs", "_recommendations", "_ups", "settings")

    def __init__(self, settings: HpaSettings) -> None:
        self.settings = settings
        self._recommendations: list[tuple[float, int]] = []
        self._ups: list[tuple[float, int]] = []
        self._downs: list[tuple[float, int]] = []

    def decide(
        self,
        now: float,
        replicas: int,
        pods: Sequence[PodMetrics],
        amounts: Mapping[str, int] | None = None,
    ) -> int:
        """Gives the pods that the Deployment is asked for; to be called every `SYNC_SECONDS`.

        Args:
            now: The time.
            replicas: Pods that the Deployment was asked for last.
            pods: Those that there are.
            amounts: Metrics of objects and of outside by name, in thousandths; what is not in it is
                missing.
        """
        settings = self.settings
        if not self._recommendations:
            self._recommendations.append((now, replicas))
        if replicas == 0 and settings.min_replicas != 0:
            return 0
        if replicas > settings.max_replicas:
            desired = settings.max_replicas
        elif replicas < settings.min_replicas:
            desired = settings.min_replicas
        else:
            proposal = self._proposal(now, replicas, pods, amounts or {})
            if proposal is None:
                return replicas
            if settings.up is None or settings.down is None:
                desired = self._limited(now, replicas, proposal)
            else:
                desired = self._governed(now, replicas, proposal, settings.up, settings.down)
        if desired > replicas and settings.up is not None:
            _remember(self._ups, (now, desired - replicas), settings.up)
        elif desired < replicas and settings.down is not None:
            _remember(self._downs, (now, replicas - desired), settings.down)
        return desired

    def _proposal(
        self, now: float, replicas: int, pods: Sequence[PodMetrics], amounts: Mapping[str, int]
    ) -> int | None:
        """What the metrics ask for; None where too few of them are there."""
        proposals = [
            self._asked(metric, now, replicas, pods, amounts) for metric in self.settings.metrics
        ]
        available = [proposal for proposal in proposals if proposal is not None]
        if not available:
            return None
        most = max(available)
        return None if len(available) < len(proposals) and most < replicas else most

    def _asked(
        self,
        metric: ScaledMetric,
        now: float,
        replicas: int,
        pods: Sequence[PodMetrics],
        amounts: Mapping[str, int],
    ) -> int | None:
        """What a metric asks for; None where it is missing."""
        if metric.source in (MetricType.RESOURCE, MetricType.PODS):
            return self._by_pods(metric, now, replicas, pods)
        amount = amounts.get(metric.name)
        if amount is None:
            return None
        if metric.type is MetricTargetType.AVERAGE_VALUE:
            there = sum(not pod.is_leaving for pod in pods)
            if there and self._is_within(amount / (metric.amount * there)):
                return there
            return math.ceil(amount / metric.amount)
        ratio = amount / metric.amount
        if self._is_within(ratio):
            return replicas
        if not pods:
            return None
        return math.ceil(ratio * sum(pod.is_running and pod.is_ready for pod in pods))

    def _is_within(self, ratio: float) -> bool:
        """Whether a change would be too small."""
        up, down = self.settings.up or _UP, self.settings.down or _DOWN
        return 1.0 - down.tolerance <= ratio <= 1.0 + up.tolerance

    def _by_pods(
        self, metric: ScaledMetric, now: float, replicas: int, pods: Sequence[PodMetrics]
    ) -> int | None:
        name = metric.name
        is_cpu = metric.source is MetricType.RESOURCE and name == "cpu"
        by_request = metric.type is MetricTargetType.UTILIZATION
        measured: list[PodMetrics] = []
        unready: list[PodMetrics] = []
        missing: list[PodMetrics] = []
        for pod in pods:
            if pod.is_leaving:
                continue
            if not pod.is_running:
                unready.append(pod)
            elif name not in pod.values:
                missing.append(pod)
            elif is_cpu and _is_starting(pod, now):
                unready.append(pod)
            else:
                measured.append(pod)
        if not measured or (by_request and any(name not in pod.requests for pod in pods)):
            return None
        ratio_of = _utilization_ratio if by_request else _usage_ratio
        values = [(pod.values[name], pod.requests.get(name, 0)) for pod in measured]
        ratio = ratio_of(values, metric.amount)
        if ratio is None:
            return None
        raises = bool(unready) and ratio > 1
        if not raises and not missing:
            return replicas if self._is_within(ratio) else math.ceil(ratio * len(measured))
        if missing and ratio < 1:
            values += [(_assumed(metric, pod), pod.requests.get(name, 0)) for pod in missing]
        elif missing and ratio > 1:
            values += [(0, pod.requests.get(name, 0)) for pod in missing]
        if raises:
            values += [(0, pod.requests.get(name, 0)) for pod in unready]
        again = ratio_of(values, metric.amount)
        if again is None or self._is_within(again) or (ratio < 1 < again) or (ratio > 1 > again):
            return replicas
        proposal = math.ceil(again * len(values))
        turns = (again < 1 and proposal > replicas) or (again > 1 and proposal < replicas)
        return replicas if turns else proposal

    def _limited(self, now: float, replicas: int, proposal: int) -> int:
        """Without rules of its own: the most that was asked for of late, doubled at most."""
        cutoff = now - _LOOK_BACK_SECONDS
        kept = [entry for entry in self._recommendations if entry[0] >= cutoff]
        desired = max([proposal, *(pods for _, pods in kept)])
        self._recommendations = [*kept, (now, proposal)]
        most = min(self.settings.max_replicas, max(_DOUBLED * replicas, _FIRST_PODS))
        return max(self.settings.min_replicas, min(desired, most))

    def _governed(
        self, now: float, replicas: int, proposal: int, up: RateRules, down: RateRules
    ) -> int:
        """Between the least and the most that was asked for of late, as fast as rules allow."""
        ups, downs = now - up.stabilization_seconds, now - down.stabilization_seconds
        kept = [entry for entry in self._recommendations if entry[0] > min(ups, downs)]
        least = min([proposal, *(pods for when, pods in kept if when > ups)])
        most = max([proposal, *(pods for when, pods in kept if when > downs)])
        self._recommendations = [*kept, (now, proposal)]
        desired = min(max(replicas, least), most)
        if desired > replicas:
            limit = max(replicas, self._limit(now, replicas, up, _raised, max, min))
            return min(desired, limit, self.settings.max_replicas)
        if desired < replicas:
            limit = min(replicas, self._limit(now, replicas, down, _lowered, min, max))
            return max(desired, limit, self.settings.min_replicas)
        return desired

    def _limit(
        self,
        now: float,
        replicas: int,
        rules: RateRules,
        change: Callable[[int, RatePolicy], int],
        furthest: Callable[[list[int]], int],
        nearest: Callable[[list[int]], int],
    ) -> int:
        """How far policies allow to go, from the pods at the beginning of each period."""
        if rules.select is PolicySelect.DISABLED:
            return replicas
        limits = []
        for policy in rules.policies:
            cutoff = now - policy.period_seconds
            came = sum(pods for when, pods in self._ups if when > cutoff)
            went = sum(pods for when, pods in self._downs if when > cutoff)
            limits.append(change(replicas - came + went, policy))
        return nearest(limits) if rules.select is PolicySelect.MIN else furthest(limits)


def thousandths(value: float) -> int:
    """A figure of a pod as the metrics API has it: what is finer is cut off.

    Source: sigs.k8s.io/prometheus-adapter v0.12.0, `pkg/custom-provider/provider.go`.
    """
    return int(value * 1000)


def hpa_settings(manifest: Mapping[str, Any]) -> HpaSettings:
    """What a HorizontalPodAutoscaler says, with the defaults that the API server adds.

    Raises:
        ValueError: A quantity cannot be read. The checks of a stack file refuse it before.
    """
    spec = manifest["spec"]
    behavior = spec.get("behavior")
    return HpaSettings(
        max_replicas=spec["maxReplicas"],
        metrics=tuple(map(_metric_target, spec["metrics"])),
        min_replicas=spec.get("minReplicas", 1),
        up=None if behavior is None else _rules(behavior.get("scaleUp"), _UP),
        down=None if behavior is None else _rules(behavior.get("scaleDown"), _DOWN),
    )


def _metric_target(metric: Mapping[str, Any]) -> ScaledMetric:
    source = MetricType(metric["type"])
    body = metric[source.lower()]
    target = body["target"]
    name = body["name"] if source is MetricType.RESOURCE else body["metric"]["name"]
    kind = MetricTargetType(target["type"])
    if kind is MetricTargetType.UTILIZATION:
        return ScaledMetric(source, name, kind, target["averageUtilization"])
    text = target["value" if kind is MetricTargetType.VALUE else "averageValue"]
    return ScaledMetric(source, name, kind, math.ceil(parse(str(text)) * 1000))


def _rules(rules: Mapping[str, Any] | None, default: RateRules) -> RateRules:
    rules = rules or {}
    policies = tuple(
        RatePolicy(PolicyType(policy["type"]), policy["value"], policy["periodSeconds"])
        for policy in rules.get("policies") or ()
    )
    return RateRules(
        rules.get("stabilizationWindowSeconds", default.stabilization_seconds),
        policies or default.policies,
        PolicySelect(rules.get("selectPolicy", default.select)),
    )


def _remember(events: list[tuple[float, int]], event: tuple[float, int], rules: RateRules) -> None:
    """Keeps a change in the place of one that its own rules count no more, if there is one.

    Rules of the other way may still have counted that: Kubernetes forgets it.
    """
    cutoff = event[0] - max(policy.period_seconds for policy in rules.policies)
    old = [index for index, (when, _) in enumerate(events) if when < cutoff]
    if old:
        events[old[-1]] = event
    else:
        events.append(event)


def _is_starting(pod: PodMetrics, now: float) -> bool:
    """Whether the CPU of a pod is not counted yet: a start takes more than work does."""
    if pod.started + _CPU_START_SECONDS > now:
        return not pod.is_ready or pod.measured < pod.ready_since + pod.measured_seconds
    return not pod.is_ready and pod.started + _CPU_READY_SECONDS > pod.ready_since


def _usage_ratio(values: Sequence[tuple[int, int]], target: int) -> float | None:
    """Average of the pods to the target; the average is whole."""
    return sum(value for value, _ in values) // len(values) / target


def _utilization_ratio(values: Sequence[tuple[int, int]], target: int) -> float | None:
    """Use in whole percent of all requests, to the target; None where nothing is requested."""
    requested = sum(request for _, request in values)
    if requested == 0:
        return None
    return sum(value for value, _ in values) * 100 // requested / target


def _assumed(metric: ScaledMetric, pod: PodMetrics) -> int:
    """What a pod is taken to use before pods are taken away, where its own figure is missing."""
    if metric.type is MetricTargetType.UTILIZATION:
        return pod.requests[metric.name] * max(100, metric.amount) // 100
    return metric.amount


def _raised(replicas: int, policy: RatePolicy) -> int:
    if policy.type is PolicyType.PODS:
        return replicas + policy.value
    return math.ceil(replicas * (1 + policy.value / 100))


def _lowered(replicas: int, policy: RatePolicy) -> int:
    if policy.type is PolicyType.PODS:
        return replicas - policy.value
    return int(replicas * (1 - policy.value / 100))
