"""Has Knative's, Kubernetes' and KEDA's own autoscalers decide on loads, and ours on the same.

Their code runs as it is, in a time of its own: `sandbox/tools/autoscalers/README.md`. Each decision
is compared: of Knative each tick of 2 s, with excess burst capacity and panic, and each change of
the Deployment and of the way to the pods, to the millisecond; of the HPA each 15 s; of KEDA each
poll. `python -m proof.autoscalers` writes down what they decide, for tests without Go.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox import binaries, modules
from tests.simulate import hpa_traces, keda_traces, kpa_traces, recorded

from .step import Broken, Row, Say, Skipped, Step

SEED: Final = 20
_SECONDS: Final = 300


@dataclass(frozen=True)
class RealAutoscaler:
    """An autoscaler of others, and ours beside it."""

    kind: str
    folder: str
    """Folder of its program, under `sandbox/tools/autoscalers`."""
    module: str
    """Module that it is from."""
    fixed: Sequence[Any]
    """Traces that are shown."""
    recorded: Sequence[Any]
    """Traces that are written down."""
    drawn: Callable[[int, int], Iterator[Any]]
    """Gives traces by chance."""
    draws: int
    """How many of them are tried."""
    play: Callable[[Any], Any]
    """What ours decides on a trace."""
    differences: Callable[[Any, Any], list[str]]
    """What differs from it."""
    count: Callable[[Any], int]
    """How many decisions there are."""
    beside: str = ""
    """As of `binaries.Program`."""

    @property
    def version(self) -> str:
        """Module and version."""
        return f"{self.module} {modules.version(self.module, f'autoscalers/{self.folder}')}"

    def decide(self, traces: Sequence[Any], say: Say) -> list[Any]:
        """What theirs decides on each trace.

        Raises:
            Skipped: Its program cannot be had.
            Broken: It does not do its work.
        """
        program = binaries.Program(f"autoscalers/{self.folder}", ".", beside=self.beside)
        try:
            path = binaries.built(f"autoscaler-{self.kind}", program, say)
        except binaries.Unavailable as reason:
            raise Skipped(str(reason)) from reason
        request = json.dumps([trace.asked() for trace in traces])
        done = subprocess.run(  # noqa: S603  our own
            [path], input=request, capture_output=True, text=True, timeout=_SECONDS
        )
        if done.returncode:
            raise Broken(f"{self.kind}: {done.stderr.strip()[-2000:]}")
        decided: list[Any] = json.loads(done.stdout)
        return decided

    def compare(self, traces: Sequence[Any], say: Say) -> Iterator[tuple[Any, int, list[str]]]:
        """Each trace, how many decisions there are, and what differs."""
        for trace, decisions in zip(traces, self.decide(traces, say), strict=True):
            yield trace, self.count(decisions), self.differences(decisions, self.play(trace))


def _count_of_kpa(decided: Mapping[str, Sequence[Any]]) -> int:
    return len(decided["ticks"]) + len(decided["changes"])


AUTOSCALERS: Final[tuple[RealAutoscaler, ...]] = (
    RealAutoscaler(
        "kpa",
        "knative",
        "knative.dev/serving",
        kpa_traces.TRACES,
        kpa_traces.RECORDED,
        kpa_traces.drawn,
        400,
        kpa_traces.play,
        kpa_traces.differences,
        _count_of_kpa,
        "knative.dev/serving/pkg/reconciler/autoscaling/kpa",
    ),
    RealAutoscaler(
        "hpa",
        "kubernetes",
        "k8s.io/kubernetes",
        hpa_traces.TRACES,
        hpa_traces.RECORDED,
        hpa_traces.drawn,
        400,
        hpa_traces.play,
        hpa_traces.differences,
        len,
    ),
    RealAutoscaler(
        "keda",
        "keda",
        "github.com/kedacore/keda/v2",
        keda_traces.TRACES,
        keda_traces.TRACES,
        keda_traces.drawn,
        400,
        keda_traces.play,
        hpa_traces.differences,
        len,
    ),
)


def run(say: Say) -> Iterator[Row]:
    """A row per trace, and one for all that are drawn of a kind.

    Raises:
        Skipped: Go is missing, or a program cannot be had.
        Broken: A program does not do its work.
    """
    for autoscaler in AUTOSCALERS:
        for trace, count, faults in autoscaler.compare(autoscaler.fixed, say):
            yield _row(f"{autoscaler.kind}: {trace.name}", count, faults)
        total, wrong = 0, []
        for trace, count, faults in autoscaler.compare(
            list(autoscaler.drawn(autoscaler.draws, SEED)), say
        ):
            total += count
            wrong += [f"{trace.name}: {fault}" for fault in faults]
        yield _row(f"{autoscaler.kind}: {autoscaler.draws} by chance", total, wrong)


def _row(case: str, count: int, faults: Sequence[str]) -> Row:
    return Row(case, f"{count} decisions, {len(faults)} differ", tuple(faults[:5]))


def record(say: Say) -> None:
    """Writes down what the autoscalers themselves decide on traces."""
    recorded.write(
        {
            autoscaler.kind: {
                "version": autoscaler.version,
                "traces": {
                    trace.name: {"asked": recorded.digest(trace.asked()), "decided": decisions}
                    for trace, decisions in zip(
                        autoscaler.recorded,
                        autoscaler.decide(autoscaler.recorded, say),
                        strict=True,
                    )
                },
            }
            for autoscaler in AUTOSCALERS
        }
    )


STEP: Final = Step("autoscalers", run, seconds=200)

if __name__ == "__main__":
    record(lambda line: print(line, file=sys.stderr))  # noqa: T201  told while a build runs
