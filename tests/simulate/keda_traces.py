"""What triggers find, and what our KEDA makes of it at each poll, as KEDA's own is asked."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulate.keda import Keda, keda_settings

_SECOND_MS: Final = 1000


@dataclass(frozen=True)
class Trace:
    """What KEDA finds at each poll."""

    name: str
    spec: Mapping[str, Any]
    """Of the ScaledObject, without triggers and target."""
    values: Sequence[float | None]
    """What the trigger finds; None for an error."""
    others: Sequence[float | None] = ()
    """What a second trigger finds, whose activation is 0; without it, there is none."""
    scaled: Sequence[int | None] = ()
    """What the HPA has made of the number of pods since the poll before."""
    replicas: int = 1
    created: int = 300
    """When the object is made, and polled first, in milliseconds."""
    activation: str = "0"

    def manifest(self) -> dict[str, Any]:
        """The ScaledObject."""
        trigger = {
            "type": "prometheus",
            "metadata": {
                "serverAddress": "http://prometheus:9090",
                "query": "load",
                "threshold": "2",
                "activationThreshold": self.activation,
            },
        }
        triggers = [trigger]
        if self.others:
            metadata = {**trigger["metadata"], "activationThreshold": "0"}
            triggers.append({**trigger, "metadata": metadata})
        target = {"name": "model"}
        return {"spec": {**self.spec, "scaleTargetRef": target, "triggers": triggers}}

    def figures(self) -> list[dict[str, float | None]]:
        """What is found at each poll, by name of the metric."""
        if not self.others:
            return [{"s0-prometheus": value} for value in self.values]
        pairs = zip(self.values, self.others, strict=True)
        return [{"s0-prometheus": value, "s1-prometheus": second} for value, second in pairs]

    def asked(self) -> dict[str, Any]:
        """As KEDA's own executor is asked."""
        activation = {"s0-prometheus": float(self.activation), "s1-prometheus": 0.0}
        polls: list[dict[str, Any]] = [
            {
                "active": any(
                    value is not None and value > activation[name]
                    for name, value in figures.items()
                ),
                "failed": None in figures.values(),
            }
            for figures in self.figures()
        ]
        for poll, pods in zip(polls, self.scaled, strict=False):
            if pods is not None:
                poll["scaled"] = pods
        return {
            "name": self.name,
            "manifest": self.manifest(),
            "replicas": self.replicas,
            "created": self.created,
            "polls": polls,
        }


def play(trace: Trace) -> list[int]:
    """Pods after each poll of ours."""
    settings = keda_settings(trace.manifest())
    now, replicas, decided = trace.created / _SECOND_MS, trace.replicas, []
    keda = Keda(settings, now)
    scaled = [*trace.scaled, *[None] * len(trace.values)]
    for figures, pods in zip(trace.figures(), scaled, strict=False):
        if pods is not None and replicas > 0:
            replicas = pods
        replicas = keda.poll(now, replicas, figures)
        decided.append(replicas)
        now = round(now + settings.polling_seconds, 3)
    return decided


def _steps(*parts: tuple[int, float | None]) -> list[float | None]:
    return [value for count, value in parts for _ in range(count)]


TRACES: Final[tuple[Trace, ...]] = (
    Trace("to zero and back", {"maxReplicaCount": 8}, _steps((4, 3.0), (14, 0.0), (3, 1.0))),
    Trace(
        "cool-down 600 s, polled each 10 s",
        {"cooldownPeriod": 600, "pollingInterval": 10},
        _steps((4, 3.0), (70, 0.0), (3, 1.0), (70, 0.0)),
        replicas=0,
    ),
    Trace(
        "cool-down that ends at a poll",
        {"cooldownPeriod": 60},
        _steps((2, 3.0), (6, 0.0), (2, 1.0), (6, 0.0)),
        created=0,
    ),
    Trace(
        "activation 5",
        {"cooldownPeriod": 30},
        _steps((3, 5.0), (3, 5.001), (4, 4.9), (2, 9.0)),
        replicas=0,
        activation="5",
    ),
    Trace("at least 2", {"minReplicaCount": 2}, _steps((4, 0.0), (4, 3.0), (20, 0.0)), replicas=1),
    Trace("at least 2, from none", {"minReplicaCount": 2}, _steps((3, 3.0), (4, 0.0)), replicas=0),
    Trace(
        "idle 0 of at least 3",
        {"minReplicaCount": 3, "idleReplicaCount": 0, "cooldownPeriod": 90},
        _steps((3, 0.0), (4, 3.0), (8, 0.0), (2, 1.0)),
        replicas=3,
    ),
    Trace(
        "idle 1 of at least 3",
        {"minReplicaCount": 3, "idleReplicaCount": 1, "initialCooldownPeriod": 120},
        _steps((7, 0.0), (4, 3.0), (14, 0.0), (2, 1.0)),
        replicas=3,
    ),
    Trace(
        "errors",
        {"cooldownPeriod": 60},
        _steps((2, 3.0), (6, None), (1, 3.0), (2, 0.0), (3, None), (4, 0.0), (2, None), (1, 1.0)),
    ),
    Trace(
        "two triggers, one with errors",
        {"cooldownPeriod": 90},
        _steps((3, 3.0), (3, 3.0), (4, 0.0), (2, None), (4, 0.0), (2, 3.0), (6, 0.0)),
        others=_steps((3, 0.0), (3, None), (4, 0.0), (2, 1.0), (4, 0.0), (2, None), (6, 0.0)),
    ),
    Trace(
        "two triggers, woken with an error",
        {"cooldownPeriod": 90, "initialCooldownPeriod": 0},
        _steps((2, 3.0), (8, 0.0)),
        others=_steps((2, None), (8, 0.0)),
        replicas=0,
    ),
    Trace(
        "at least 2, the HPA above",
        {"minReplicaCount": 2, "cooldownPeriod": 30},
        _steps((2, 3.0), (8, 0.0)),
        scaled=[None, 5],
        replicas=2,
    ),
    Trace(
        "the HPA between",
        {"maxReplicaCount": 9, "cooldownPeriod": 120},
        _steps((8, 9.0), (9, 0.0), (2, 1.0)),
        scaled=[None, 4, 8, 9, 9, 5, None, 2, None, 3, 1],
    ),
)
"""Of each bound, error and cool-down one or more."""


def drawn(count: int, seed: int) -> Iterator[Trace]:
    """Objects and loads by chance, of any combination."""
    draw = random.Random(seed)  # noqa: S311  no secret
    for index in range(count):
        low = draw.choice((0, 0, 1, 3))
        bounds = {
            "minReplicaCount": low,
            "idleReplicaCount": draw.randrange(low) if low else None,
            "maxReplicaCount": draw.choice((3, 8)),
            "cooldownPeriod": draw.choice((0, 29, 30, 60, 300)),
            "initialCooldownPeriod": draw.choice((0, 30, 200)),
            "pollingInterval": draw.choice((5, 30, 45)),
        }
        values: list[float | None] = []
        while len(values) < 60:
            values += [draw.choice((0.0, 0.0, 1.0, 4.0, None))] * draw.randrange(1, 14)
        yield Trace(
            f"drawn {index}",
            {
                key: value
                for key, value in bounds.items()
                if value is not None and draw.random() < 0.6 and key != "idleReplicaCount"
            }
            | (
                {"minReplicaCount": low, "idleReplicaCount": bounds["idleReplicaCount"]}
                if low and draw.random() < 0.5
                else {}
            ),
            values,
            scaled=[draw.choice((None, None, 1, 2, 3)) for _ in values],
            replicas=draw.choice((0, 1, 3)),
            created=draw.choice((0, 300, 1_700)),
            activation=draw.choice(("0", "1", "2.5")),
        )
