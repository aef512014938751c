"""Where the pods of a stack land: its manifests, before the real scheduler with our plugin.

A scenario is played with what the plan renders. Then something is taken away from it, the
ResourcePolicy, a toleration, an affinity or a priority, and it has to go wrong.
"""

import copy
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from sandbox import binaries
from tests.stacks.environments import Raw, dev, hybrid, merged

from .board import PENDING, Board, SchedulerEvent, Wrong, control_plane, words
from .simulated import SimulatedCluster
from .stack_objects import Manifest, StackObjects, stack_objects
from .step import Row, Say, Skipped, Step

ROUND_SECONDS: Final = 5.0
"""A round of scheduling, at the longest: half of what a pod that failed may have to back off."""
WAIT_SECONDS: Final = 6
"""Time-out of units in scenarios."""
TOGETHER_SECONDS: Final = 0.5
"""What a simulation does within so long counts as done side by side."""

AnyBoard = TypeVar("AnyBoard", bound=Board)
Take = Callable[[StackObjects], StackObjects]


@dataclass(frozen=True)
class SchedulingScenario(Generic[AnyBoard]):
    """A play, and what it cannot do without."""

    name: str
    play: Callable[[AnyBoard], str]
    """Plays it, and says what was seen; raises Wrong."""
    raw: Callable[[], Raw] = dev
    change: Take = lambda objects: objects
    """What a stack file has no field for."""
    needs: Sequence[str] = ()
    """Keys of `TAKEN`: without each of them, it goes wrong."""


def _without(field: str) -> Take:
    def drop(spec: Manifest) -> None:
        spec.pop(field, None)

    return lambda objects: objects.with_pods(drop)


TAKEN: Final[dict[str, Take]] = {
    "ResourcePolicy": lambda objects: replace(objects, policies=()),
    "tolerations": _without("tolerations"),
    "affinity": _without("affinity"),
    "priority": _without("priorityClassName"),
    "autoscaler": lambda objects: replace(
        objects,
        pools={name: replace(pool, most=pool.least) for name, pool in objects.pools.items()},
    ),
}


def _day(board: Board) -> str:
    for node in board.add_nodes("a10", 2):
        # A10s look busier than T4s, to a scheduler that knows no order.
        board.occupy(node, "12")
    board.add_nodes("t4", 2)
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}})
    board.scale("qwen", 3)
    board.expect({"qwen": {"a10": 2, "t4": 1}})
    board.train("finetune", 2)
    places = {"qwen": {"a10": 2, "t4": 1}, "finetune": {"t4": 1, PENDING: 1}}
    board.expect(places)
    return words(places)


def _morning(board: Board) -> str:
    board.add_nodes("a10", 2)
    board.add_nodes("t4", 2)
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}})
    board.train("finetune", 1)
    board.expect({"qwen": {"a10": 1}, "finetune": {"a10": 1}})
    board.scale("qwen", 2)  # T4s are free.
    board.expect({"qwen": {"a10": 2}, "finetune": {"t4": 1}})
    board.scale("qwen", 4)
    board.expect({"qwen": {"a10": 2, "t4": 2}, "finetune": {PENDING: 1}})
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 2}, "finetune": {"t4": 1}})
    return in_time(board)


def _ebb_and_flow(board: Board) -> str:
    board.add_nodes("a10", 4)
    board.add_nodes("t4", 4)
    board.train("finetune", 8)
    board.expect({"finetune": {"a10": 4, "t4": 4}})
    for replicas in (2, 6, 3, 8, 1):
        board.scale("qwen", replicas)
        a10, t4 = min(replicas, 4), max(replicas - 4, 0)
        training = {"a10": 4 - a10, "t4": 4 - t4, PENDING: replicas}
        board.expect({"qwen": _some(a10=a10, t4=t4), "finetune": _some(**training)})
    return in_time(board)


def _crowd(board: Board) -> str:
    begun = board.clock.monotonic()
    for pool, count in (("system", 60), ("a10", 70), ("t4", 70)):
        board.add_nodes(pool, count)
    board.serve("web", 260)
    board.train("finetune", 140)
    filled = {"web": {"system": 260}, "finetune": {"a10": 70, "t4": 70}}
    board.expect(filled, _CROWD_SECONDS, _CROWD_QUIET_SECONDS)
    board.scale("qwen", 100)
    board.expect(
        {
            "web": {"system": 260},
            "qwen": {"a10": 70, "t4": 30},
            "finetune": {"t4": 40, PENDING: 100},
        },
        _CROWD_SECONDS,
        _CROWD_QUIET_SECONDS,
    )
    if (seconds := board.clock.monotonic() - begun) > _CROWD_SECONDS:
        raise Wrong(f"it took {seconds:.0f} s, but it must be at most {_CROWD_SECONDS} s")
    return f"200 nodes, 500 pods, 100 preemptions in {seconds:.0f} s"


_CROWD_SECONDS: Final = 120
_CROWD_QUIET_SECONDS: Final = 30


def _some(**pods: int) -> dict[str, int]:
    return {pool: count for pool, count in pods.items() if count}


def in_time(board: Board) -> str:
    """Says that nobody waited for what was there.

    Raises:
        Wrong: Somebody did, for longer than a round of scheduling takes.
    """
    figures = (
        f"held up by lower priority {board.held_up:.1f} s, cards idle {board.idle:.1f} s at most"
    )
    if max(board.held_up, board.idle) > ROUND_SECONDS:
        raise Wrong(f"{figures}, but it must be at most {ROUND_SECONDS} s")
    return figures


def _full_house(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    board.add_nodes("a10", 1, card="NVIDIA-L20")
    board.scale("qwen", 3)
    places = {"qwen": {"a10": 1, "t4": 1, PENDING: 1}}
    board.expect(places)
    board.stays(places, 3)
    return f"{words(places)}, beside a free L20"


def _idc_first(board: Board) -> str:
    board.add_nodes("default", 1)
    board.add_nodes("idc", 1)
    board.scale("qwen-chat", 2)
    full = {"qwen-chat": {"idc": 1, PENDING: 1}}
    board.expect(full)
    board.stays(full, 2)
    board.add_nodes("elastic", 1)
    board.expect({"qwen-chat": {"idc": 1, "elastic": 1}})
    board.grow_old("qwen-chat")
    board.add_nodes("idc", 1)
    board.scale("qwen-chat", 3)
    board.expect({"qwen-chat": {"idc": 2, "elastic": 1}})
    board.ready_pods("qwen-chat")
    board.scale("qwen-chat", 2)
    board.expect({"qwen-chat": {"idc": 2}})
    if any(_WAIT_LABEL in pod["metadata"]["labels"] for pod in board.pods()):
        raise Wrong(f"a pod has the label {_WAIT_LABEL}, which is for its unit alone")
    return "idc, then elastic; the older pod on elastic goes first"


_WAIT_LABEL: Final = "k8s.aliyun.com/resource-policy-wait-for-ecs-scaling"


def _sold_out(board: Board) -> str:
    board.add_nodes("a10", 1)
    begun = board.clock.monotonic()
    board.scale("qwen", 1)
    board.expect({"qwen": {PENDING: 1}})
    board.stays({"qwen": {PENDING: 1}}, WAIT_SECONDS - 2)
    board.expect({"qwen": {"a10": 1}}, 3 * WAIT_SECONDS)
    seconds = board.clock.monotonic() - begun
    return f"t4 is sold out: a10 after {seconds:.1f} s, time-out {WAIT_SECONDS} s"


def _bought_in_time(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.scale("qwen", 1)
    board.expect({"qwen": {PENDING: 1}})
    board.stays({"qwen": {PENDING: 1}}, 1)
    board.add_nodes("t4", 1)
    board.expect({"qwen": {"t4": 1}})
    return "a node of t4 came within the time-out"


def _elastic_first() -> Raw:
    return merged(dev(), {"models[qwen].placement.pools": ["t4", "a10"]})


def sooner(objects: StackObjects) -> StackObjects:
    """Shortens the time-out of every policy that has one, which is 15 minutes otherwise."""
    policies = copy.deepcopy(objects.policies)
    for policy in policies:
        if when := policy["spec"].get("whenTryNextUnits"):
            when["timeout"] = f"{WAIT_SECONDS}s"
    return replace(objects, policies=policies)


def _at_once(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    board.scale("qwen", 2)
    after = board.expect({"qwen": {"a10": 1, "t4": 1}})
    return f"t4 after {after:.1f} s"


def _goes_on_while_a_pod_ends(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}})
    board.end_pods("qwen")
    board.expect({"qwen": {"t4": 1}})
    return "t4, while the pod on a10 was ending"


def _waits_while_a_pod_ends(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}})
    board.end_pods("qwen")
    board.expect({"qwen": {PENDING: 1}})
    board.expect({"qwen": {"a10": 1}})
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, "t4": 1}})
    return "a10 again; t4 once no pod was ending"


def _waits_for_the_max(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, PENDING: 1}})
    board.stays({"qwen": {"a10": 1, PENDING: 1}}, 3)
    board.add_nodes("a10", 1)
    board.expect({"qwen": {"a10": 2}})
    board.scale("qwen", 3)
    board.expect({"qwen": {"a10": 2, "t4": 1}})
    return "pending until a10 had two, then t4"


def _waits_for_its_time(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.add_nodes("t4", 1)
    begun = board.clock.monotonic()
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, PENDING: 1}})
    board.stays({"qwen": {"a10": 1, PENDING: 1}}, WAIT_SECONDS - 2)
    board.expect({"qwen": {"a10": 1, "t4": 1}}, 3 * WAIT_SECONDS)
    return f"t4 after {board.clock.monotonic() - begun:.1f} s, time-out {WAIT_SECONDS} s"


def _keeps_to_the_max(board: Board) -> str:
    board.add_nodes("a10", 2)
    board.add_nodes("t4", 2)
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, "t4": 1}})
    return "1 a10 of 2, then t4"


def _marks_its_pods(board: Board) -> str:
    board.add_nodes("a10", 2)
    board.add_nodes("t4", 1)
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, "t4": 1}})
    marks = sorted(str(pod["metadata"]["labels"].get("paid")) for pod in board.pods("qwen"))
    if marks != ["None", "yes"]:
        raise Wrong(f"pods have the label paid: {marks}, but it must be one of them, paid: yes")
    return "the pod in the unit has its label, and counts by it"


def _preempts_last(board: Board) -> str:
    board.add_nodes("a10", 1)
    board.train("finetune", 1)
    board.expect({"finetune": {"a10": 1}})
    board.add_nodes("t4", 1)
    board.scale("qwen", 1)
    board.expect({"finetune": {"a10": 1}, "qwen": {"t4": 1}})
    board.scale("qwen", 2)
    board.expect({"finetune": {PENDING: 1}, "qwen": {"a10": 1, "t4": 1}})
    return "t4 while it is free; then training on a10 gives way"


def _policy(**fields: Any) -> Take:
    return lambda objects: objects.with_policy(**fields)


def _when(policy: str, **unit: Any) -> Take:
    when = {"policy": policy, "timeout": f"{WAIT_SECONDS}s"}
    return _policy(whenTryNextUnits=when, units=[unit])


SCENARIOS: Final = (
    SchedulingScenario("a day", _day, needs=("ResourcePolicy", "tolerations")),
    SchedulingScenario(
        "the morning", _morning, needs=("ResourcePolicy", "priority", "tolerations")
    ),
    SchedulingScenario("ebb and flow", _ebb_and_flow, needs=("priority",)),
    SchedulingScenario("200 nodes, 500 pods", _crowd),
    SchedulingScenario("full house", _full_house, needs=("affinity",)),
    SchedulingScenario("IDC first", _idc_first, hybrid, needs=("ResourcePolicy",)),
    SchedulingScenario("sold out", _sold_out, _elastic_first, sooner, ("ResourcePolicy",)),
    SchedulingScenario(
        "bought in time", _bought_in_time, _elastic_first, sooner, ("ResourcePolicy",)
    ),
    SchedulingScenario("LackResourceOrExceedMax", _at_once),
    SchedulingScenario("LackResourceOrExceedMax, a pod ends", _goes_on_while_a_pod_ends),
    SchedulingScenario(
        "LackResourceAndNoterminating",
        _waits_while_a_pod_ends,
        change=_when("LackResourceAndNoterminating"),
        needs=("ResourcePolicy",),
    ),
    SchedulingScenario(
        "ExceedMax", _waits_for_the_max, change=_when("ExceedMax", max=2), needs=("ResourcePolicy",)
    ),
    SchedulingScenario("ExceedMax without a max", _at_once, change=_when("ExceedMax")),
    SchedulingScenario(
        "TimeoutOrExceedMax",
        _waits_for_its_time,
        change=_when("TimeoutOrExceedMax", max=2),
        needs=("ResourcePolicy",),
    ),
    SchedulingScenario(
        "TimeoutOrExceedMax at the max", _at_once, change=_when("TimeoutOrExceedMax", max=1)
    ),
    SchedulingScenario(
        "Timeout", _waits_for_its_time, change=_when("Timeout"), needs=("ResourcePolicy",)
    ),
    SchedulingScenario(
        "max", _keeps_to_the_max, change=_policy(units=[{"max": 1}]), needs=("ResourcePolicy",)
    ),
    SchedulingScenario(
        "maxResources",
        _keeps_to_the_max,
        change=_policy(units=[{"maxResources": {"nvidia.com/gpu": "1"}}]),
    ),
    SchedulingScenario(
        "podLabels",
        _marks_its_pods,
        change=_policy(units=[{"max": 1, "podLabels": {"paid": "yes"}}]),
    ),
    SchedulingScenario(
        "AfterAllUnits", _preempts_last, change=_policy(preemptPolicy="AfterAllUnits")
    ),
)


def _run(say: Say) -> Iterator[Row]:
    if reason := binaries.why_unavailable(nodes=True):
        raise Skipped(reason)
    if go := binaries.find_go():
        yield _tests(go)
    with control_plane(say) as plane:
        for scenario in SCENARIOS:
            yield from rows(scenario, lambda objects: Board(plane.client, objects), simulated)


def simulated(objects: StackObjects) -> Board:
    """A board of the simulator."""
    cluster = SimulatedCluster(objects)
    return Board(cluster, objects, cluster)


def _tests(go: str) -> Row:
    """The plugin's own tests, with the flags that its build has, so that both share a cache."""
    result = subprocess.run(  # noqa: S603  the arguments are our own
        [go, "test", "-trimpath", "-mod=readonly", "./..."],
        cwd=binaries.TOOLS / "scheduler",
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (result.stdout + result.stderr).strip().splitlines()
    faults = tuple(lines[-_LINES:]) if result.returncode else ()
    return Row("tests of the plugin", "" if faults else lines[-1].expandtabs(1), faults)


_LINES: Final = 20


def rows(
    scenario: SchedulingScenario[AnyBoard],
    board: Callable[[StackObjects], AnyBoard],
    beside: Callable[[StackObjects], AnyBoard] | None = None,
) -> Iterator[Row]:
    """Plays a scenario, and then without each thing that it needs.

    Args:
        scenario: The scenario.
        board: Where it is played.
        beside: Where it is played too: the scheduler has to do the same there. Default: nowhere.
    """
    objects = scenario.change(stack_objects(scenario.raw()))
    played = board(objects)
    try:
        yield Row(scenario.name, scenario.play(played))
        if beside:
            simulation = beside(objects)
            scenario.play(simulation)
            yield _same_decisions(f"{scenario.name}, simulated", played, simulation)
    except Wrong as wrong:
        yield Row(scenario.name, "", (str(wrong),))
    for name in scenario.needs:
        case = f"{scenario.name}, without {name}"
        try:
            scenario.play(board(TAKEN[name](objects)))
            yield Row(case, "", (f"it holds all the same, but it must need the {name}",))
        except Wrong as wrong:
            yield Row(case, f"goes wrong: {wrong}")


def _same_decisions(case: str, real: Board, simulated_board: Board) -> Row:
    history = real.history()
    faults = tuple(differences(history, simulated_board.history()))
    return Row(case, f"the same {len(history)} decisions in the same order", faults)


def differences(
    real: Sequence[SchedulerEvent], simulated_events: Sequence[SchedulerEvent]
) -> Iterator[str]:
    """What a simulation has otherwise: a pod placed or ended elsewhere, or in another order.

    Pods of a workload are alike. What the simulator does within `TOGETHER_SECONDS` may come in any
    order: a real scheduler binds side by side.

    Args:
        real: What the real scheduler did, in order.
        simulated_events: What the simulator did.
    """
    times = _times(real)
    expected = _times(simulated_events)
    for what in sorted({*times, *expected}):
        real_count, simulated_count = len(times.get(what, ())), len(expected.get(what, ()))
        if real_count != simulated_count:
            wrong = f"{' '.join(what)}: {simulated_count} times"
            yield f"{wrong}, but it must be {real_count}, as for real"
    pairs = sorted(
        (second, first, " ".join(what))
        for what, firsts in times.items()
        for first, second in zip(firsts, expected.get(what, ()), strict=False)
    )
    for number, (simulated_at, real_at, sooner_here) in enumerate(pairs):
        for later_at, later_real_at, later in pairs[number + 1 :]:
            if later_at - simulated_at > TOGETHER_SECONDS and later_real_at < real_at:
                yield f"{later} comes after {sooner_here}, but it must come before it, as for real"


def _times(events: Sequence[SchedulerEvent]) -> dict[tuple[str, str, str], list[float]]:
    times: dict[tuple[str, str, str], list[float]] = {}
    for event in events:
        times.setdefault((event.reason, event.workload, event.pool), []).append(event.seconds)
    return times


STEP: Final = Step("scheduling", _run, seconds=400)
