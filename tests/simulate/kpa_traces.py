"""Loads on a revision, and what our pod autoscaler decides on each, as Knative's own is asked."""

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from components.crds.knative_annotations import AUTOSCALING
from simulate.kpa import NEVER, TICK_SECONDS, Kpa, KpaDecision, KpaSettings, kpa_settings

_FIRST_REQUEST_MS: Final = 150
_RECORD_MS: Final = 100
_SECOND_MS: Final = 1000


@dataclass(frozen=True)
class Trace:
    """A load, what answers it, and the settings of who decides; times in milliseconds."""

    name: str
    values: Sequence[float]
    """The load of each second: the average of requests in hand, or requests with rps."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0
    """The revision's containerConcurrency."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Data of config-autoscaler."""
    unreachable: bool = False
    created: int = 300
    """When the revision is; its ticks come every two seconds after."""
    ready: Sequence[tuple[int, int]] | None = None
    """When there are how many ready pods; without it, pods that are wanted are ready after
    `start`."""
    start: int = 20_200
    network: int = 0
    """How long a change of the way to the pods takes: such that no probe ends at a tick, when it
    would be open what comes first."""

    def asked(self) -> dict[str, Any]:
        """As Knative's own autoscaler is asked."""
        prefixed = {
            key if "/" in key else f"{AUTOSCALING}{key}": text
            for key, text in self.annotations.items()
        }
        return {**asdict(self), "annotations": prefixed}

    def settings(self) -> KpaSettings:
        """What our autoscaler reads off the Service."""
        template = {
            "metadata": {"annotations": self.asked()["annotations"]},
            "spec": {"containerConcurrency": self.limit},
        }
        service = {"spec": {"template": template}}
        settings = kpa_settings(service, self.config, self.network / _SECOND_MS)
        assert settings is not None
        if self.unreachable:
            values = {name: getattr(settings, name) for name in KpaSettings.__slots__}
            settings = KpaSettings(**{**values, "reachable": False})
        return settings


@dataclass
class Decisions:
    """What was decided at each tick, and what came of it when."""

    ticks: list[tuple[int, ...]] = field(default_factory=list)
    """Pods, excess burst capacity, whether it is valid, whether in panic."""
    changes: list[tuple[int, ...]] = field(default_factory=list)
    """Millisecond, pods that the Deployment is asked for, whether through the activator."""


def differences(expected: Mapping[str, Any], decisions: Decisions) -> list[str]:
    """Each decision that differs, in words."""
    kinds = (("ticks", decisions.ticks), ("changes", decisions.changes))
    return [
        f"{kind}[{index}] is {answer}, but it must be {reference}"
        for kind, all_ours in kinds
        for index, (answer, reference) in enumerate(
            itertools.zip_longest(all_ours, map(tuple, expected[kind]))
        )
        if answer != reference
    ]


class _Player:
    """One revision, its pods and its load."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.settings = trace.settings()
        self.now = 0
        self.replicas: list[int] = []
        self.ready = 0
        self.decisions = Decisions()
        self.kpa: Kpa

    def play(self) -> Decisions:
        trace = self.trace
        self.now = trace.created
        self.scaled(self.settings.initial_scale)
        self.ready = self.count_ready()
        self.kpa = Kpa(self.settings, self.seconds, self.ready)
        self.after(self.kpa.reconcile(self.seconds, self.ready))
        self.tick = trace.created + TICK_SECONDS * _SECOND_MS
        for second, value in enumerate(trace.values):
            before = trace.values[second - 1] if second else 0.0
            first = second * _SECOND_MS + _FIRST_REQUEST_MS
            is_first = value > 0 and before == 0 and first > trace.created
            if is_first:
                self.move_to(first)
                asleep = self.kpa.asleep
                decision = self.kpa.first_request(self.seconds, self.ready)
                if asleep:
                    self.ticked(decision)
                self.after(decision)
            self.move_to((second + 1) * _SECOND_MS + _RECORD_MS)
            if value != 0 or is_first or self.ready:
                self.kpa.record(self.seconds, value)
        return self.decisions

    @property
    def seconds(self) -> float:
        return self.now / _SECOND_MS

    def move_to(self, when: int) -> None:
        while True:
            wake = self.kpa.next_time
            wake_ms = round(wake * _SECOND_MS) if wake != NEVER else NEVER
            ready = self.next_ready()
            self.now = int(min(self.tick, wake_ms, ready, when))
            if self.now == when:
                return
            if self.now == ready:
                self.ready = self.count_ready()
                self.after(self.kpa.reconcile(self.seconds, self.ready))
            elif self.now == self.tick:
                self.tick += TICK_SECONDS * _SECOND_MS
                decision = self.kpa.decide(self.seconds, self.ready)
                self.ticked(decision)
                self.after(decision)
            else:
                self.after(self.kpa.reconcile(wake, self.ready))

    def ticked(self, decision: KpaDecision) -> None:
        pods = decision.recommended if decision.valid else 0
        excess = decision.excess_burst if decision.valid else 0
        self.decisions.ticks.append((pods, excess, decision.valid, decision.panicking))

    def after(self, decision: KpaDecision) -> None:
        """Gives the Deployment its pods, and notes what changed."""
        self.scaled(decision.desired)
        if (ready := self.count_ready()) != self.ready:
            self.ready = ready
            self.after(self.kpa.reconcile(self.seconds, ready))
            return
        change = (self.now, decision.desired, decision.proxied)
        changes = self.decisions.changes
        if not changes or changes[-1][1:] != change[1:]:
            changes.append(change)

    def scaled(self, replicas: int) -> None:
        if self.trace.ready is None:
            start = self.now // _SECOND_MS * _SECOND_MS + self.trace.start
            self.replicas += [start] * (replicas - len(self.replicas))
            del self.replicas[replicas:]

    def count_ready(self) -> int:
        if self.trace.ready is None:
            return sum(start <= self.now for start in self.replicas)
        return next((pods for at, pods in reversed(self.trace.ready) if at <= self.now), 0)

    def next_ready(self) -> float:
        times: Iterable[int] = self.replicas
        if self.trace.ready is not None:
            times = (at for at, _ in self.trace.ready)
        return min((at for at in times if at > self.now), default=NEVER)


def play(trace: Trace) -> Decisions:
    """What our autoscaler decides on a load."""
    return _Player(trace).play()


def _steady(seconds: int, value: float) -> list[float]:
    return [value] * seconds


def _step(*parts: tuple[int, float]) -> list[float]:
    return [value for seconds, value in parts for _ in range(seconds)]


def _tide(seconds: int, low: float, high: float, period: int) -> list[float]:
    swing = (high - low) / 2
    return [
        round(low + swing * (1 - math.cos(2 * math.pi * second / period)), 3)
        for second in range(seconds)
    ]


def _noise(seconds: int, mean: float, seed: int) -> list[float]:
    draw = random.Random(seed)  # noqa: S311  no secret
    return [round(max(0.0, draw.gauss(mean, mean)), 3) for _ in range(seconds)]


def _bursts(seconds: int, period: int, length: int, value: float) -> list[float]:
    return [value if second % period < length else 0.0 for second in range(seconds)]


def _walk(seconds: int, most: int, seed: int) -> Iterator[tuple[int, int]]:
    draw = random.Random(seed)  # noqa: S311  no secret
    pods = 0
    for second in range(2, seconds, 7):
        pods = max(0, min(most, pods + draw.choice((-2, -1, 0, 1, 1, 2))))
        yield second * _SECOND_MS + 200, pods


TRACES: Final[tuple[Trace, ...]] = (
    Trace("steady, as Knative ships", _steady(240, 130.0)),
    Trace("steady, target 1", _steady(240, 3.2), {"target": "1", "max-scale": "8"}),
    Trace(
        "step up and down, target 2, limit 2",
        _step((60, 1.0), (120, 7.5), (240, 1.0)),
        {"target": "2", "max-scale": "10"},
        limit=2,
    ),
    Trace(
        "spike, panic, target 5",
        _step((90, 2.0), (20, 80.0), (300, 2.0)),
        {"target": "5", "target-utilization-percentage": "100", "min-scale": "1"},
        start=45_200,
    ),
    Trace(
        "spike, window 6 s",
        _step((30, 2.0), (3, 60.0), (90, 2.0), (5, 90.0), (60, 0.0)),
        {"target": "10", "window": "6s"},
        start=3_200,
    ),
    Trace(
        "tide, window 10 min, target 50",
        _tide(2400, 0.0, 400.0, 1800),
        {"target": "50", "window": "600s", "panic-window-percentage": "5"},
        start=90_200,
    ),
    Trace(
        "tide, window 120 s, target 3",
        _tide(1800, 0.5, 30.0, 900),
        {"target": "3", "window": "120s", "max-scale": "12", "min-scale": "2"},
        start=60_200,
    ),
    Trace("noise, target 4", _noise(900, 9.0, 1), {"target": "4"}, created=700),
    Trace(
        "noise, target 1.4, delay 5 min",
        _noise(1200, 2.5, 2),
        {"target": "2", "scale-down-delay": "300s", "max-scale": "6"},
        start=75_200,
    ),
    Trace(
        "noise, rps, target 7",
        [float(round(value)) for value in _noise(600, 25.0, 3)],
        {"metric": "rps", "target": "7", "window": "30s"},
    ),
    Trace(
        "to zero and back",
        _step((90, 3.0), (200, 0.0), (60, 2.0), (200, 0.0), (1, 0.4), (150, 0.0)),
        {"target": "2", "max-scale": "4"},
        start=40_200,
    ),
    Trace(
        "to zero, retention 10 min",
        _step((60, 3.0), (900, 0.0), (30, 5.0), (100, 0.0)),
        {"target": "2", "scale-to-zero-pod-retention-period": "600s"},
    ),
    Trace(
        "to zero, retention 45.5 s, grace 60 s, network 3.9 s",
        _step((40, 3.0), (260, 0.0), (20, 1.0), (260, 0.0)),
        {"target": "2", "scale-to-zero-pod-retention-period": "45.5s"},
        config={"scale-to-zero-grace-period": "60s"},
        network=3_900,
    ),
    Trace(
        "to zero, capacity 0, network 7.9 s",
        _step((40, 3.0), (160, 0.0), (20, 1.0), (200, 0.0)),
        {"target": "2", "target-burst-capacity": "0"},
        network=7_900,
    ),
    Trace(
        "to zero, capacity -1",
        _step((40, 3.0), (160, 0.0), (20, 1.0), (200, 0.0)),
        {"target": "2", "target-burst-capacity": "-1", "window": "20s"},
    ),
    Trace(
        "capacity 5, bursts",
        _bursts(500, 90, 35, 11.0),
        {"target": "4", "target-burst-capacity": "5", "min-scale": "1"},
        start=10_200,
    ),
    Trace(
        "activation scale 3",
        _step((50, 1.0), (170, 0.0), (50, 1.0), (170, 0.0)),
        {"target": "10", "activation-scale": "3", "max-scale": "9"},
    ),
    Trace(
        "slow up and down",
        _step((60, 4.0), (240, 90.0), (400, 3.0)),
        {"target": "4"},
        config={"max-scale-up-rate": "1.5", "max-scale-down-rate": "1.2"},
        start=8_200,
    ),
    Trace(
        "initial scale 4, bounds 2 and 5",
        _step((200, 0.2), (100, 60.0), (200, 0.2)),
        {"target": "3", "initial-scale": "4", "min-scale": "2", "max-scale": "5"},
        start=33_200,
    ),
    Trace(
        "initial scale 0",
        _step((100, 0.0), (40, 3.0), (200, 0.0)),
        {"target": "3", "initial-scale": "0"},
        config={"allow-zero-initial-scale": "true"},
    ),
    Trace(
        "a start that fails",
        _step((150, 1.0), (200, 0.0)),
        {"target": "3", "serving.knative.dev/progress-deadline": "60s"},
        start=600_200,
    ),
    Trace(
        "a start that fails, after a moment's load",
        _step((5, 1.0), (300, 0.0)),
        {
            "target": "3",
            "target-burst-capacity": "-1",
            "serving.knative.dev/progress-deadline": "60s",
        },
        start=600_200,
    ),
    Trace(
        "grace 1 s, network 7.9 s",
        _step((40, 3.0), (160, 0.0), (20, 1.0), (200, 0.0)),
        {"target": "2", "window": "10s", "target-burst-capacity": "0"},
        config={"scale-to-zero-grace-period": "1s"},
        network=7_900,
    ),
    Trace("the least target", _steady(100, 0.035), {"target": "0.01"}),
    Trace(
        "figures on the edge of a pod",
        _step((130, 1.4), (130, 1.4004), (130, 1.4000004), (130, 2.8), (130, 0.1)),
        {"target": "1.4", "target-utilization-percentage": "100"},
    ),
    Trace(
        "weighted, large figures",
        _noise(300, 20_000.0, 9),
        {"target": "5000", "metric-aggregation-algorithm": "weighted-exponential"},
    ),
    Trace("not to zero", _step((60, 3.0), (200, 0.0)), config={"enable-scale-to-zero": "false"}),
    Trace(
        "unreachable",
        _step((120, 9.0), (200, 0.0)),
        {"target": "3", "min-scale": "2", "scale-to-zero-pod-retention-period": "600s"},
        config={"max-scale-down-rate": "1.05"},
        unreachable=True,
    ),
    Trace(
        "pods given, noise, target 2",
        _noise(700, 9.0, 4),
        {"target": "2", "panic-threshold-percentage": "150", "panic-window-percentage": "30"},
        ready=list(_walk(700, 9, 5)),
        created=30,
    ),
    Trace(
        "pods given, bursts, window 45 s",
        _bursts(700, 60, 9, 40.0),
        {"target": "6", "window": "45s", "scale-down-delay": "31s"},
        config={"target-burst-capacity": "70"},
        ready=list(_walk(700, 7, 6)),
        created=1_030,
    ),
    Trace(
        "weighted, window 60 s",
        _noise(500, 9.0, 7),
        {"target": "3", "metric-aggregation-algorithm": "weighted-exponential"},
        created=700,
    ),
    Trace(
        "weighted, window 12 s, gaps",
        _bursts(500, 40, 8, 14.0),
        {"target": "3", "window": "12s", "metric-aggregation-algorithm": "weighted-exponential"},
        ready=list(_walk(500, 3, 8)),
    ),
    Trace(
        "begins with ready pods",
        _step((200, 12.0), (200, 1.0)),
        {"target": "3", "target-utilization-percentage": "80"},
        ready=[(100, 4), (150_200, 5), (250_200, 2), (350_200, 1)],
    ),
    Trace(
        "cluster's own figures",
        _tide(900, 0.0, 60.0, 400),
        config={
            "container-concurrency-target-default": "8",
            "container-concurrency-target-percentage": "65",
            "stable-window": "40s",
            "panic-window-percentage": "20",
            "panic-threshold-percentage": "300",
            "scale-down-delay": "15s",
            "max-scale": "11",
            "initial-scale": "2",
        },
        created=1_700,
    ),
)
"""Of each kind of load and setting one or more."""


def drawn(count: int, seed: int) -> Iterator[Trace]:
    """Loads and settings by chance, of any combination."""
    draw = random.Random(seed)  # noqa: S311  no secret
    for index in range(count):
        yield _drawn(draw, f"drawn {index}")


def _drawn(draw: random.Random, name: str) -> Trace:
    seconds = draw.randrange(120, 700)
    annotations = {
        "target": draw.choice(("0.5", "1", "2", "3.3", "7", "10", "24", "50")),
        "target-utilization-percentage": draw.choice(("100", "70", "85", "33")),
        "window": draw.choice(("6s", "7s", "15s", "30s", "60s", "61s", "240s", "600s")),
        "panic-window-percentage": draw.choice(("1", "10", "15", "33.3", "100")),
        "panic-threshold-percentage": draw.choice(("110", "150", "200", "400", "1000")),
        "scale-down-delay": draw.choice(("0s", "1s", "2s", "5s", "30s", "121s")),
        "target-burst-capacity": draw.choice(("-1", "0", "3", "20", "211")),
        "activation-scale": draw.choice(("2", "3", "5")),
        "min-scale": draw.choice(("0", "1", "2", "4")),
        "max-scale": draw.choice(("0", "4", "5", "9", "40")),
        "initial-scale": draw.choice(("0", "1", "2", "4")),
        "scale-to-zero-pod-retention-period": draw.choice(("0s", "10s", "33.5s", "90s")),
        "metric": draw.choice(("concurrency", "rps")),
        "metric-aggregation-algorithm": draw.choice(("linear", "weighted-exponential")),
        "serving.knative.dev/progress-deadline": draw.choice(("20s", "60s", "600s")),
    }
    subset = {key: text for key, text in annotations.items() if draw.random() < 0.4}
    config = {
        "max-scale-up-rate": draw.choice(("1.1", "1.5", "10", "1000")),
        "max-scale-down-rate": draw.choice(("1.05", "1.5", "2", "5")),
        "scale-to-zero-grace-period": draw.choice(("1s", "12s", "30s", "75s")),
        "enable-scale-to-zero": draw.choice(("true", "true", "true", "false")),
        "allow-zero-initial-scale": draw.choice(("true", "false")),
        "requests-per-second-target-default": draw.choice(("5", "200")),
        "container-concurrency-target-default": draw.choice(("4", "100")),
    }
    return Trace(
        name,
        _load(draw, seconds),
        subset,
        limit=draw.choice((0, 0, 1, 4, 30)),
        config={key: text for key, text in config.items() if draw.random() < 0.4},
        unreachable=draw.random() < 0.1,
        created=draw.choice((30, 300, 700, 1_030, 1_700)),
        ready=list(_walk(seconds, 9, draw.randrange(99))) if draw.random() < 0.25 else None,
        start=draw.choice((200, 3_200, 20_200, 75_200)),
        network=draw.choice((0, 0, 3_900, 7_900, 41_900)),
    )


def _load(draw: random.Random, seconds: int) -> list[float]:
    """Some parts of any kind, many of them without a request."""
    values: list[float] = []
    while len(values) < seconds:
        span, value = draw.randrange(3, 150), draw.choice((0.1, 0.7, 2.0, 7.0, 20.0, 130.0))
        part = draw.choice((_steady, _steady, _noise, _tide, _bursts))
        if draw.random() < 0.4:
            values += _steady(span, 0.0)
        elif part is _steady:
            values += _steady(span, value)
        elif part is _noise:
            values += _noise(span, value, draw.randrange(99))
        elif part is _tide:
            values += _tide(span, 0.0, value, draw.randrange(20, 200))
        else:
            values += _bursts(span, draw.randrange(5, 70), draw.randrange(1, 9), value)
    return values[:seconds]


RECORDED: Final = (*TRACES, *drawn(80, seed=1))
"""What the real one's decisions are written down of."""
