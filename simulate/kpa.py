"""Knative's Pod Autoscaler: how many pods a revision gets, decision by decision.

Read, and compared decision by decision with the code itself (`proof/autoscalers.py`):
knative.dev/serving v0.50.0 (2026-11), `pkg/autoscaler/aggregation`, `metrics/collector.go`,
`scaling/autoscaler.go`, `scaling/multiscaler.go`, `pkg/reconciler/autoscaling/kpa`,
`pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go`; and of `pkg/reconciler/serverlessservice`, when the
activator stands before the pods. Sums are kept in Knative's own order, because a last digit can
make a pod.

Not part of it: a scrape that samples some of many pods, and pods that do not answer one.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from math import ceil, floor, inf
from typing import Any, Final, NamedTuple

from components.crds.formats import seconds
from components.crds.knative_annotations import AUTOSCALING, KPA, PROGRESS_DEADLINE
from components.crds.knative_autoscaling import TICK_SECONDS

NEVER: Final = inf
_UNKNOWN: Final = -1
"""The number of pods before there are figures."""
_LEAST_TARGET: Final = 0.01
_ACTIVATION_BUFFER_SECONDS: Final = 30
"""What is waited beyond the progress deadline, before a start counts as failed."""
_AFTER_ITERATION_SECONDS: Final = 3
_PROBE_SECONDS: Final = 1
_MICRO: Final = 1e6
"""Averages are rounded to so many parts."""
_DECAYS: Final = (
    0.9999,
    0.99,
    0.9535841116638721,
    0.9,
    0.8415106807538886,
    0.7845565309968116,
    0.7317304204720274,
    0.683772233983162,
    0.6406186336195372,
    0.6018928294465027,
    0.5671238718916941,
    0.535841116638722,
    0.507611736829326,
    0.4820525320768788,
    0.45883047345353634,
    0.4376586748096509,
    0.41829086706256413,
    0.40051574968105896,
    0.3841517889339736,
    0.36904265551980675,
    0.3550533228962376,
    0.342066775342432,
    0.3299812496490411,
    0.31870793094203875,
    0.3081690290810636,
    0.29829617132961717,
    0.28902905676875645,
    0.28031432699884795,
    0.27210461560168486,
    0.2643577455403586,
    0.25703604924050527,
    0.2501057906675441,
    0.24353667244537114,
    0.23730141409765548,
    0.231375389960226,
    0.2257363173188729,
    0.22036398695947668,
    0.21524002964853872,
    0.21034771315002732,
    0.2056717652757185,
    0.20119821919842973,
)
"""Weight of the last second of weighted windows of 1 s, 2 s and so on: 1 - 0.0001^(1/size), to the
digit that Go has (1.26, amd64), which is not that of the C library."""
_LEAST_DECAY: Final = 0.2
"""Of longer windows."""


class Metric(StrEnum):
    """What is counted."""

    CONCURRENCY = "concurrency"
    """Requests in hand, buffered ones with them."""
    RPS = "rps"
    """Requests per second."""


@dataclass(frozen=True, slots=True)
class KpaSettings:
    """What the autoscaler goes by; defaults are those that Knative ships."""

    metric: Metric = Metric.CONCURRENCY
    target: float = 70.0
    """Amount of the metric that a pod is filled to, at least 0.01."""
    total: float = 100.0
    """Amount of the metric that a pod may have."""
    window_seconds: int = 60
    panic_window_seconds: int = 6
    panic_threshold: float = 2.0
    """Pods that a burst needs, as a multiple of those that are ready."""
    max_scale_up_rate: float = 1000.0
    max_scale_down_rate: float = 2.0
    scale_down_delay_seconds: float = 0.0
    target_burst_capacity: float = 211.0
    """Room for a burst that the pods must have, or the activator stays before them, in the unit of
    the metric; 0 has it stay only before none, -1 always."""
    activation_scale: int = 0
    """Fewest pods where any are needed; 0 and 1 for any."""
    min_scale: int = 0
    max_scale: int = 0
    """Most pods; 0 for any."""
    initial_scale: int = 1
    """Pods that a revision starts with."""
    to_zero: bool = True
    """Whether the cluster lets a revision have no pod."""
    grace_seconds: float = 30.0
    """Time for which the activator must stand before the last pod until that goes."""
    retention_seconds: float = 0.0
    """Time for which the last pod stays without requests, after the window."""
    progress_deadline_seconds: float = 600.0
    """Time to the first pod, after which a start has failed."""
    reachable: bool = True
    """Whether traffic is routed to the revision."""
    weighted: bool = False
    """Whether later seconds of a window weigh more."""
    network_seconds: float = 0.0
    """Time until a change of the way to the pods holds everywhere, less than the 45 s after which a
    probe gives up. Assumed to be none."""


class KpaDecision(NamedTuple):
    """What holds after a tick or a reconciliation."""

    desired: int
    """Pods that the Deployment is asked for."""
    recommended: int
    """Pods that the figures ask for, before bounds and the way to zero; -1 before there are any."""
    excess_burst: int
    """Room for a burst that is left, in the unit of the metric; below 0 there is too little."""
    panicking: bool
    """Whether a burst is being answered, while which no pod goes."""
    proxied: bool
    """Whether requests go through the activator, which buffers them."""
    valid: bool
    """Whether there were figures to decide by."""


class Kpa:
    """The autoscaler of one revision, from its creation on.

    Times are seconds since a start, and never go back. Whoever runs it calls

    - `record` once a second, with what the collector then has, while there are pods or requests, or
      `record_each` for several seconds at once;
    - `decide` every `TICK_SECONDS` after the creation, or `tick`, which does the same and says
      nothing but `desired`;
    - `first_request` at a request after a second without any: where it is `asleep`, it decides;
    - `reconcile` when the number of ready pods changes, and at `next_time`.
    """

    __slots__ = (
        "_active",
        "_active_since",
        "_delay",
        "_excess_burst",
        "_initialized",
        "_most_panic_pods",
        "_panic",
        "_panic_since",
        "_probed_until",
        "_proxied",
        "_proxied_since",
        "_ready",
        "_recommended",
        "_reported",
        "_stable",
        "desired",
        "next_time",
        "settings",
    )

    def __init__(self, settings: KpaSettings, now: float, ready_pods: int = 0) -> None:
        """Begins with a Deployment of the initial scale, and with what is ready of it."""
        self.settings = settings
        window = _WeightedWindow if settings.weighted else _Window
        self._stable = window(settings.window_seconds)
        self._panic = window(settings.panic_window_seconds)
        delay = settings.scale_down_delay_seconds
        self._delay = _Delay(delay) if delay > 0 else None
        self._panic_since = now if ready_pods > 1 else None
        self._most_panic_pods = ready_pods
        self._recommended = _UNKNOWN
        capacity = settings.target_burst_capacity
        room = settings.initial_scale * settings.total - capacity
        self._excess_burst = int(capacity if capacity in (-1, 0) else room)
        self.desired = settings.initial_scale
        """Pods that the Deployment is asked for."""
        starts = max(self._min_scale, settings.initial_scale) > 0
        self._active = _Active.QUEUED if starts else _Active.NO_TRAFFIC
        self._active_since = floor(now)
        self._initialized = False
        self._ready = 0
        self._proxied = True
        self._proxied_since = floor(now)
        self._probed_until = -NEVER
        self._reported = False
        self.next_time = NEVER
        self._reconcile(now, ready_pods)

    @property
    def asleep(self) -> bool:
        """Whether the figures ask for no pod, so that a first request is acted on at once."""
        return self._recommended == 0

    def record(self, now: float, value: float) -> None:
        """Takes what the collector has for a second.

        Args:
            now: When it has it.
            value: The average over the second of the requests in hand, in all pods and in the
                activator; with rps, the requests that came in it.
        """
        self.record_each(floor(now), [value])

    def record_each(self, second: int, values: Sequence[float]) -> None:
        """Takes what the collector has for seconds that follow one another.

        Args:
            second: The first of them.
            values: One for each of them, as `record` takes it; one at least.
        """
        if self._reported:
            self._reported = False
            value = values[0] - 1
            if self.settings.metric is Metric.CONCURRENCY:
                value = max(value, 0.0)
            values = [value, *values[1:]]
        self._stable.record(second, values)
        self._panic.record(second, values)

    def first_request(self, now: float, ready_pods: int) -> KpaDecision:
        """Takes the first request after a second without any, which the activator reports at once.

        It counts as one request for a whole second; the next `record` is less by it. Where it is
        `asleep`, it decides.
        """
        self.record(now, 1.0)
        self._reported = True
        if self.asleep:
            return self.decide(now, ready_pods)
        return self._decision(self._recommended != _UNKNOWN)

    def decide(self, now: float, ready_pods: int) -> KpaDecision:
        """Decides, as at each tick."""
        return self._decision(self.tick(now, ready_pods))

    def tick(self, now: float, ready_pods: int) -> bool:
        """Decides, and says whether there were figures to decide by."""
        result = self._scale(now, ready_pods)
        if result is None:
            changed = False
        else:
            recommended, excess = result
            changed = recommended != self._recommended or (excess < 0) != (self._excess_burst < 0)
            self._recommended = recommended
            self._excess_burst = excess
        if changed or now >= self.next_time:
            self._reconcile(now, ready_pods)
        return result is not None

    def reconcile(self, now: float, ready_pods: int) -> KpaDecision:
        """Brings Deployment and network to what was decided last."""
        self._reconcile(now, ready_pods)
        return self._decision(self._recommended != _UNKNOWN)

    def _decision(self, valid: bool) -> KpaDecision:
        return KpaDecision(
            self.desired,
            self._recommended,
            self._excess_burst,
            self._panic_since is not None,
            self._proxied,
            valid,
        )

    def _scale(self, now: float, ready_pods: int) -> tuple[int, int] | None:
        """Pods that the figures ask for, and the room that is left; None without figures."""
        settings = self.settings
        second = floor(now)
        capacity = settings.target_burst_capacity
        if capacity != -1 and self._stable.is_empty(second):
            return None
        of_burst = self._panic.average(second)
        target = settings.target
        ready = ready_pods or 1
        most = ceil(settings.max_scale_up_rate * ready)
        fewest = floor(ready / settings.max_scale_down_rate) if settings.reachable else 0
        stable = ceil(self._stable.average(second) / target)
        burst = ceil(of_burst / target)
        pods = stable if stable > fewest else fewest
        if pods > most:
            pods = most
        if settings.activation_scale > pods and stable > 0:
            pods = settings.activation_scale
        if burst / ready >= settings.panic_threshold:
            self._panic_since = now
        elif self._panic_since is not None and self._panic_since + settings.window_seconds < now:
            self._panic_since = None
            self._most_panic_pods = 0
        if self._panic_since is not None:
            burst_pods = burst if burst > fewest else fewest
            if burst_pods > most:
                burst_pods = most
            if settings.activation_scale > burst_pods and burst > 0:
                burst_pods = settings.activation_scale
            if burst_pods > pods:
                pods = burst_pods
            if pods < self._most_panic_pods:
                pods = self._most_panic_pods
            self._most_panic_pods = pods
        if self._delay is not None and settings.reachable:
            pods = self._delay.largest(now, pods)
        if capacity > 0:
            return pods, floor(ready_pods * settings.total - capacity - of_burst)
        return pods, 0 if capacity == 0 else -1

    def _reconcile(self, now: float, ready_pods: int) -> None:
        """Reconciles until nothing changes: each change of a status asks for another round."""
        if now >= self.next_time:
            self.next_time = NEVER
        before = None
        while before != (before := (self._active, self._initialized, self._proxied, self._ready)):
            wanted = self._apply(now)
            self._route(now, ready_pods, wanted)
            self._mark(now, ready_pods, wanted)

    def _apply(self, now: float) -> int:
        """Asks the Deployment for pods; gives the number that is wanted, -1 for not known."""
        settings = self.settings
        wanted = self._recommended
        if wanted < 0 and self._active is not _Active.QUEUED:
            return wanted
        low = self._min_scale
        if settings.reachable and settings.initial_scale > 1 and not self._initialized:
            low = max(low, settings.initial_scale)
        if wanted < low:
            wanted = low
        elif settings.max_scale and wanted > settings.max_scale:
            wanted = settings.max_scale
        applies = True
        if wanted == 0:
            wanted, applies = self._to_zero(now)
        if applies:
            self.desired = wanted
        return wanted

    @property
    def _min_scale(self) -> int:
        return self.settings.min_scale if self.settings.reachable else 0

    def _to_zero(self, now: float) -> tuple[int, bool]:
        """What is wanted where no pod is, and whether the Deployment is asked for it already."""
        settings = self.settings
        since = self._active_since
        if not settings.to_zero:
            return 1, True
        if self._active is _Active.QUEUED:
            span = settings.progress_deadline_seconds + _ACTIVATION_BUFFER_SECONDS
            if now >= since + span:
                return 0, True
            self._wake(now + span)
            return _UNKNOWN, False
        if self._active is _Active.ACTIVE:
            if now < since + settings.window_seconds:
                self._wake(since + settings.window_seconds)
                return 1, True
            if self._proxied:
                self._wake(now + _AFTER_ITERATION_SECONDS)
            return 0, False
        if settings.target_burst_capacity != -1 and now < self._in_path_from:
            self._probe(now)
            return 0, False
        retention = settings.retention_seconds if settings.reachable else 0.0
        if now >= since + max(settings.grace_seconds, retention):
            return 0, True
        if now < since + retention:
            self._wake(since + retention)
            return 0, False
        if now < self._proxied_since + settings.grace_seconds:
            self._wake(self._proxied_since + settings.grace_seconds)
            return 0, False
        return 0, True

    @property
    def _in_path_from(self) -> float:
        return self._proxied_since + self.settings.network_seconds

    def _probe(self, now: float) -> None:
        """Has the activator looked for once a second, and what comes of it reconciled."""
        if now >= self._probed_until:
            probes = ceil((self._in_path_from - now) / _PROBE_SECONDS)
            self._probed_until = now + probes * _PROBE_SECONDS
        self._wake(self._probed_until + _PROBE_SECONDS)

    def _wake(self, when: float) -> None:
        self.next_time = min(self.next_time, when)

    def _route(self, now: float, ready_pods: int, wanted: int) -> None:
        """Puts the activator before the pods, or takes it away; before none it stands always."""
        stood = self._proxied or not self._ready
        self._proxied = wanted <= 0 or self._excess_burst < 0
        self._ready = ready_pods
        if not stood and (self._proxied or not ready_pods):
            self._proxied_since = floor(now)

    def _mark(self, now: float, ready_pods: int, wanted: int) -> None:
        """Sets the condition Active, by what is wanted and what is ready."""
        enough = max(self._min_scale, 1 if self._initialized else self.settings.initial_scale)
        if ready_pods >= enough:
            self._initialized = True
        is_kept = wanted > 0 or self._active not in (_Active.NO_TRAFFIC, _Active.TIMED_OUT)
        if wanted == 0 or enough == 0:
            timed_out = self._active is _Active.QUEUED and enough > 0
            active = _Active.TIMED_OUT if timed_out else _Active.NO_TRAFFIC
        elif ready_pods >= enough:
            active = _Active.ACTIVE if is_kept else self._active
        else:
            active = _Active.QUEUED if is_kept else _Active.NO_TRAFFIC
        if active is not self._active:
            self._active, self._active_since = active, floor(now)


def kpa_settings(
    service: Mapping[str, Any],
    autoscaler: Mapping[str, str] | None = None,
    network_seconds: float = 0.0,
) -> KpaSettings | None:
    """What a Knative Service and its cluster say; None where another autoscaler scales it.

    Args:
        service: Manifest of the Service.
        autoscaler: Data of the ConfigMap config-autoscaler. Default: as Knative ships it.
        network_seconds: As in `KpaSettings`.

    Raises:
        ValueError: A number cannot be read. The checks of a stack file refuse it before.
    """
    template = service["spec"]["template"]
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    data = autoscaler or {}

    def text(name: str, default: str, key: str | None = None) -> str:
        value = annotations.get(f"{AUTOSCALING}{name}")
        return str(data.get(key or name, default) if value is None else value)

    if text("class", KPA, "pod-autoscaler-class") != KPA:
        return None
    metric = Metric(text("metric", Metric.CONCURRENCY))
    limit = float((template.get("spec") or {}).get("containerConcurrency") or 0)
    target, total = _targets(metric, annotations, data, limit)
    window = _seconds(text("window", "60s", "stable-window"))
    percent = float(text("panic-window-percentage", "10"))
    initial = int(text("initial-scale", "1"))
    if initial == 0 and not _is_true(data.get("allow-zero-initial-scale", "")):
        initial = int(data.get("initial-scale", "1"))
    algorithm = annotations.get(f"{AUTOSCALING}metric-aggregation-algorithm", "")
    return KpaSettings(
        metric=metric,
        target=target,
        total=total,
        window_seconds=int(window),
        panic_window_seconds=max(1, floor(window * percent / 100 + 0.5)),
        panic_threshold=float(text("panic-threshold-percentage", "200")) / 100,
        max_scale_up_rate=float(data.get("max-scale-up-rate", "1000")),
        max_scale_down_rate=float(data.get("max-scale-down-rate", "2")),
        scale_down_delay_seconds=_seconds(text("scale-down-delay", "0s")),
        target_burst_capacity=float(text("target-burst-capacity", "211")),
        activation_scale=int(annotations.get(f"{AUTOSCALING}activation-scale", "0")),
        min_scale=int(text("min-scale", "0")),
        max_scale=int(text("max-scale", "0")),
        initial_scale=initial,
        to_zero=_is_true(data.get("enable-scale-to-zero", "true")),
        grace_seconds=_seconds(data.get("scale-to-zero-grace-period", "30s")),
        retention_seconds=_seconds(text("scale-to-zero-pod-retention-period", "0s")),
        progress_deadline_seconds=_seconds(annotations.get(PROGRESS_DEADLINE, "600s")),
        weighted=algorithm in ("weighted-exponential", "weightedExponential"),
        network_seconds=network_seconds,
    )


def _targets(
    metric: Metric, annotations: Mapping[str, Any], data: Mapping[str, str], limit: float
) -> tuple[float, float]:
    """What a pod is filled to, and what it may have."""
    if metric is Metric.RPS:
        total, part = float(data.get("requests-per-second-target-default", "200")), 0.7
    else:
        total = limit or float(data.get("container-concurrency-target-default", "100"))
        part = float(data.get("container-concurrency-target-percentage", "0.7"))
        if part > 1:
            part /= 100
    if (target := annotations.get(f"{AUTOSCALING}target")) is not None:
        total = float(target)
        if metric is Metric.CONCURRENCY and limit:
            total = min(total, limit)
    percent = annotations.get(f"{AUTOSCALING}target-utilization-percentage")
    if percent is not None:
        part = float(percent) / 100
    return max(_LEAST_TARGET, total * part), total


def _seconds(text: str) -> float:
    span = seconds(text)
    if span is None:
        raise ValueError(f"{text} is no duration such as 30s.")
    return float(span)


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "t", "true")


class _Active(Enum):
    """Condition Active of the PodAutoscaler, and why."""

    QUEUED = auto()
    ACTIVE = auto()
    NO_TRAFFIC = auto()
    TIMED_OUT = auto()


class _Window:
    """Sums per second of the last seconds, and their average."""

    __slots__ = ("first", "last", "size", "sums", "total")

    def __init__(self, size: int) -> None:
        self.size = size
        self.sums = deque([0.0] * size, size)
        """Of as many seconds, the last one last."""
        self.total = 0.0
        self.first = 0
        self.last: float = -NEVER

    def is_empty(self, second: int) -> bool:
        """Whether a whole window and a second have passed since the last record."""
        return second - self.last > self.size

    def record(self, second: int, values: Sequence[float]) -> None:
        """Adds to the sums of seconds that follow one another, from the last one or a later one."""
        if second - self.last != 1:
            self._move_to(second)
            self.sums[-1] += values[0]
            self.total += values[0]
            second, values = second + 1, values[1:]
        sums, total = self.sums, self.total
        for value in values:  # as nearly always
            total = total - sums[0] + value
            sums.append(value)
        self.total = total
        self.last = second + len(values) - 1

    def _move_to(self, second: int) -> None:
        """Has a second be the last one, and nothing in it or before it since the last record."""
        gap = second - self.last
        if gap >= self.size:
            self.first = second
            self.sums.extend([0.0] * self.size)
            self.total = 0.0
        else:
            for _ in range(int(gap)):
                self.total -= self.sums[0]
                self.sums.append(0.0)
        self.last = second

    def average(self, second: int) -> float:
        """The average until a second; seconds before the first record do not count."""
        size, last, total = self.size, self.last, self.total
        gap = second - last
        if gap >= size:
            return 0.0
        seconds = last - self.first + 1
        if gap:
            for index in range(int(gap)):
                total -= self.sums[index]
            size -= int(gap)
        return _rounded(total / (seconds if seconds < size else size))


class _WeightedWindow(_Window):
    """The same, but each second weighs a part less than the one after it."""

    __slots__ = ("decay",)

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.decay = _DECAYS[size - 1] if size <= len(_DECAYS) else _LEAST_DECAY

    def average(self, second: int) -> float:
        """The weighted average until a second."""
        if self.is_empty(second):
            return 0.0
        gap = second - int(self.last)
        weight = self.decay * _power(1 - self.decay, gap)
        total = 0.0
        for place in range(1, self.size - gap + 1):
            total += self.sums[-place] * weight
            weight *= 1 - self.decay
        return total


def _power(base: float, exponent: int) -> float:
    """By squares, as Go does it: the last digit is another one than that of the C library."""
    power = 1.0
    while exponent:
        if exponent & 1:
            power *= base
        base *= base
        exponent >>= 1
    return power


def _rounded(value: float) -> float:
    """To six digits, halves away from 0."""
    parts = value * _MICRO
    if parts < 0:
        return -_rounded(-value)
    micros = floor(parts)
    return (micros + 1 if parts - micros >= 0.5 else micros) / _MICRO


class _Delay:
    """The largest number of pods of late, by intervals of a tick."""

    __slots__ = ("entries", "size")

    def __init__(self, span_seconds: float) -> None:
        self.size = ceil(span_seconds / TICK_SECONDS)
        self.entries: deque[tuple[int, int]] = deque()

    def largest(self, now: float, pods: int) -> int:
        """Takes a number of pods, and gives the largest one that is not too old."""
        entries, interval = self.entries, floor(now) // TICK_SECONDS
        while entries and entries[-1][1] <= pods:
            entries.pop()
        while entries and interval - entries[0][0] >= self.size:
            entries.popleft()
        if entries and entries[-1][0] == interval:
            pods = entries.pop()[1]
        entries.append((interval, pods))
        return entries[0][1]
