"""What holds of every cluster, whatever happens to it: nothing is given twice, nobody forgotten."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.crds.scheduling import NextUnitPolicy
from simulate.placement import Event, Evicted, Placement
from simulate.policies import UnitPolicy
from simulate.rooms import Pod, SimulatedNode
from simulate.templates import PodTemplate

from .clusters import node, policy, template, told, unit

PRIORITIES = (0, 5, 9)
CARDS = ("a10", "t4", "l20")

CountChange = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["submit", "submit", "submit", "end", "gone", "gone", "node", "lose", "cordon", "wait"]
        ),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=40,
)


@st.composite
def policies(draw: st.DrawFn) -> UnitPolicy | None:
    """A policy of two units, or none."""
    if draw(st.booleans()):
        return None
    most = draw(st.one_of(st.none(), st.integers(0, 3)))
    return policy(
        unit("a10", max=most, waits=draw(st.booleans())),
        unit("t4", max=draw(st.one_of(st.none(), st.integers(0, 3)))),
        when=draw(st.sampled_from(list(NextUnitPolicy))),
        timeout=draw(st.sampled_from([0.0, 7.0])),
        before_next_unit=draw(st.booleans()),
        required=draw(st.booleans()),
    )


class Play:
    """A cluster that something happens to, step by step."""

    def __init__(self, rule: UnitPolicy | None, *, preempts: bool = True) -> None:
        self.now = 0.0
        self.rule = rule
        self.placement = Placement([rule] if rule else [])
        self.events: list[Event] = []
        self.made = 0
        self.templates = [
            template(
                "qwen",
                priority,
                gpus=gpus,
                preempts=preempts,
                labels={"of": f"{priority}-{gpus}"},
            )
            for priority in PRIORITIES
            for gpus in (1, 2)
        ]

    def run(self, steps: Sequence[CountChange]) -> None:
        for what, first, second in steps:
            self.now += 0.25
            getattr(self, what)(first, second)
            self.events += self.placement.schedule(self.now)
            check(self)

    def settle(self) -> None:
        """Lets all time-outs run off, and everybody go who was told to."""
        for _ in range(200):
            self.events += self.placement.schedule(self.now)
            check(self)
            ending = [pod for pod in self.placement.pods.values() if pod.ending is not None]
            for pod in ending:
                self.placement.remove(self.now, pod)
            if not ending and (due := self.placement.next_time()) == float("inf"):
                return
            self.now = self.now if ending else due
        raise AssertionError("it goes on for ever")

    def submit(self, first: int, _: int) -> None:
        self.made += 1
        of = self.templates[first % len(self.templates)]
        self.placement.submit(self.now, f"p{self.made}", of)

    def end(self, first: int, _: int) -> None:
        if pod := self._pod(first):
            self.placement.end(self.now, pod)

    def gone(self, first: int, _: int) -> None:
        if pod := self._pod(first):
            self.placement.remove(self.now, pod)

    def node(self, first: int, second: int) -> None:
        self.made += 1
        card, gpus = CARDS[first % len(CARDS)], 1 + second % 2
        self.placement.add_node(self.now, node(card, self.made, gpus=gpus))

    def lose(self, first: int, _: int) -> None:
        if host := self._node(first):
            self.placement.remove_node(self.now, host.name)

    def cordon(self, first: int, second: int) -> None:
        if host := self._node(first):
            self.placement.cordon(self.now, host.name, unschedulable=bool(second % 2))

    def wait(self, first: int, _: int) -> None:
        self.now += first

    def _pod(self, number: int) -> Pod | None:
        pods = [*self.placement.pods.values()]
        return pods[number % len(pods)] if pods else None

    def _node(self, number: int) -> SimulatedNode | None:
        nodes = [*self.placement.nodes.values()]
        return nodes[number % len(nodes)] if nodes else None


def check(play: Play) -> None:
    """Nothing is given twice, nothing is negative, no max is exceeded."""
    placement = play.placement
    placed = [pod for node in placement.nodes.values() for pod in node.pods.values()]
    assert len(placed) == len(set(placed))
    assert {pod for pod in placement.pods.values() if pod.node} == set(placed)
    for host in placement.nodes.values():
        used: Counter[str] = Counter()
        for pod in host.pods.values():
            assert pod.node is host
            used.update(pod.template.requests)
        for name, amount in host.allocatable.items():
            assert 0 <= host.free[name] == amount - used[name]
        for pod in host.nominees.values():
            assert pod.nominated is host
            assert pod.node is None
    if play.rule:
        for number, rule in enumerate(play.rule.units):
            pods = [pod for pod in placed if pod.unit == number and pod.ending is None]
            assert rule.max is None or len(pods) <= rule.max
        if play.rule.required:
            assert all(pod.unit is not None and pod.unit < 2 for pod in placed)
    for event in play.events:
        if isinstance(event, Evicted):
            assert event.pod.template.priority < event.by.template.priority
            assert event.by.template.preempts


@settings(max_examples=150, deadline=None)
@given(policies(), STEPS, st.booleans())
def test_no_card_is_given_twice_and_no_max_is_exceeded(
    rule: UnitPolicy | None, steps: list[CountChange], preempts: bool
):
    play = Play(rule, preempts=preempts)
    play.run(steps)
    play.settle()


@settings(max_examples=150, deadline=None)
@given(policies(), STEPS, st.booleans())
def test_in_the_end_no_pod_waits_for_what_is_free_or_for_what_lower_priority_holds(
    rule: UnitPolicy | None, steps: list[CountChange], preempts: bool
):
    play = Play(rule, preempts=preempts)
    play.run(steps)
    play.settle()
    for pod in play.placement.pods.values():
        if pod.node is None:
            for host in play.placement.nodes.values():
                if is_open(play, pod.template, host):
                    ends_others = preempts and tries_to_preempt(play)
                    assert not helps(pod, host, ends_others), (pod.name, host.name)


def is_open(play: Play, of: PodTemplate, host: SimulatedNode) -> bool:
    """Whether a node is in a unit that takes one more pod, now that no time runs any more."""
    if host.unschedulable:
        return False
    if play.rule is None:
        return True
    counts = Counter(
        pod.unit for node in play.placement.nodes.values() for pod in node.pods.values()
    )
    for number, rule in enumerate(play.rule.units):
        full = rule.max is not None and counts[number] >= rule.max
        if host.units_of(play.rule) == (number,):
            return not full
        if play.rule.when is NextUnitPolicy.EXCEED_MAX and rule.bounded and not full:
            return False
    return not play.rule.required


def tries_to_preempt(play: Play) -> bool:
    """Whether others are ended in the end: AfterAllUnits waits until the last unit was tried.

    Under ExceedMax a pod does not get there while an earlier unit may take more.
    """
    if play.rule is None or play.rule.before_next_unit:
        return True
    if play.rule.when is not NextUnitPolicy.EXCEED_MAX:
        return True
    nodes = play.placement.nodes.values()
    counts = Counter(pod.unit for node in nodes for pod in node.pods.values())
    return all(
        unit.max is None or counts[number] >= unit.max
        for number, unit in enumerate(play.rule.units[:-1])
    )


def helps(pod: Pod, host: SimulatedNode, preempts: bool) -> bool:
    """Whether a pod would fit a node, once those of lower priority are gone that it may end."""
    freed: Counter[str] = Counter()
    for neighbour in host.pods.values():
        if preempts and neighbour.template.priority < pod.template.priority:
            freed.update(neighbour.template.requests)
    return all(
        host.free.get(name, 0) + freed[name] >= amount
        for name, amount in pod.template.requests.items()
    )


@settings(max_examples=50, deadline=None)
@given(policies(), STEPS)
def test_the_same_input_has_the_same_outcome(rule: UnitPolicy | None, steps: list[CountChange]):
    outcomes: list[Any] = []
    for _ in range(2):
        play = Play(rule)
        play.run(steps)
        play.settle()
        outcomes.append(told(play.events))
    assert outcomes[0] == outcomes[1]
