from typing import Any

import pytest

from sandbox.kubernetes import waiting
from sandbox.kubernetes.waiting import is_met, unfinished, wait

READY = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
UNREADY = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
BOUND = {"status": {"phase": "Bound"}}


class Clock:
    """Stands in for `time`: sleeping moves it on at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Server:
    """Stands in for a client: shows a status per look, and the last one for good."""

    def __init__(self, *looks: dict[str, Any] | None) -> None:
        self._looks = list(looks)
        self.seen = 0

    def get(self, manifest: dict[str, Any]) -> dict[str, Any] | None:
        look = self._looks[min(self.seen, len(self._looks) - 1)]
        self.seen += 1
        return None if look is None else {**manifest, **look}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(waiting, "time", stopped)
    return stopped


def waited(server: Server, **annotations: str) -> tuple[dict[str, Any], str | None]:
    notes = {f"pulumi.com/{key}": value for key, value in annotations.items()}
    metadata = {"name": "qwen", **({"annotations": notes} if notes else {})}
    return wait(server, {"kind": "Dataset", "metadata": metadata})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("live", "condition"),
    [
        (READY, "condition=Ready"),
        (READY, "condition=Ready=True"),
        (UNREADY, "condition=Ready=False"),
        (BOUND, "jsonpath={.status.phase}=Bound"),
        (BOUND, "jsonpath={.status.phase}"),
        ({"status": {"replicas": 2}}, "jsonpath={.status.replicas}=2"),
        ({"status": {"bound": True}}, "jsonpath={.status.bound}=true"),
    ],
)
def test_an_object_meets_what_it_shows(live: dict[str, Any], condition: str) -> None:
    assert is_met(live, condition)


@pytest.mark.parametrize(
    ("live", "condition"),
    [
        (UNREADY, "condition=Ready"),
        (READY, "condition=Ready=False"),
        (READY, "condition=Available"),
        ({}, "condition=Ready"),
        ({"status": None}, "condition=Ready"),
        ({"status": {"conditions": None}}, "condition=Ready"),
        ({"status": {"conditions": []}}, "condition=Ready"),
        (BOUND, "jsonpath={.status.phase}=Complete"),
        (BOUND, "jsonpath={.status.mounts}"),
        (BOUND, "jsonpath={.status.phase.name}"),
        ({}, "jsonpath={.status.phase}=Bound"),
    ],
)
def test_an_object_does_not_meet_what_it_does_not_show(
    live: dict[str, Any], condition: str
) -> None:
    assert not is_met(live, condition)


def test_an_object_that_asks_for_nothing_is_not_waited_for(clock: Clock) -> None:
    live, missing = waited(Server(UNREADY))
    assert (live["status"], missing, clock.now) == (UNREADY["status"], None, 0)


def test_an_object_is_looked_at_until_it_shows_what_it_is_to_show() -> None:
    server = Server({}, UNREADY, READY)
    live, missing = waited(server, waitFor="condition=Ready")
    assert (live["status"], missing, server.seen) == (READY["status"], None, 3)


def test_an_object_that_is_not_there_yet_is_waited_for() -> None:
    live, missing = waited(Server(None, READY), waitFor="condition=Ready")
    assert (live["status"], missing) == (READY["status"], None)


def test_what_is_missing_is_told_when_time_runs_out(clock: Clock) -> None:
    condition = "jsonpath={.status.phase}=Complete"
    live, missing = waited(Server(BOUND), waitFor=condition, timeoutSeconds="30")
    assert missing == f"Dataset qwen did not reach {condition} in time"
    assert live["status"] == BOUND["status"]
    assert clock.now == pytest.approx(30, abs=2 * waiting.PAUSE_SECONDS)


def test_a_timeout_of_its_own_is_not_needed(clock: Clock) -> None:
    assert waited(Server(UNREADY), waitFor="condition=Ready")[1]
    assert clock.now == pytest.approx(600, abs=2 * waiting.PAUSE_SECONDS)


def test_each_condition_of_a_list_has_to_be_met() -> None:
    several = '["condition=Ready", "jsonpath={.status.phase}=Bound", "jsonpath={.status.url}"]'
    live = {"status": {**READY["status"], "phase": "Waiting"}}
    _, missing = waited(Server(live), waitFor=several, timeoutSeconds="1")
    assert missing == (
        "Dataset qwen did not reach jsonpath={.status.phase}=Bound and jsonpath={.status.url} "
        "in time"
    )


def test_a_list_of_conditions_that_are_all_met_is_met() -> None:
    live = {"status": {**READY["status"], **BOUND["status"]}}
    several = '["condition=Ready", "jsonpath={.status.phase}=Bound"]'
    assert waited(Server({}, live), waitFor=several)[1] is None


JOB = {"apiVersion": "batch/v1", "kind": "Job"}
SKIPPED = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
WAITED = {"metadata": {"annotations": {"pulumi.com/waitFor": "jsonpath={.metadata.uid}"}}}
COMPLETE = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
FAILED = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}


@pytest.mark.parametrize(
    ("inputs", "live", "broken"),
    [
        (WAITED, {**JOB}, True),
        (WAITED, {**JOB, **FAILED}, True),
        ({}, {**JOB}, True),
        (WAITED, {**JOB, **COMPLETE}, False),
        (SKIPPED, {**JOB}, False),
        (SKIPPED, {**JOB, **FAILED}, False),
        (WAITED, {"apiVersion": "v1", "kind": "ConfigMap"}, False),
    ],
)
def test_a_refresh_asks_whether_a_job_has_ended_unless_nothing_is_waited_for(
    inputs: dict[str, Any], live: dict[str, Any], broken: bool
) -> None:
    assert (unfinished(inputs, live) is not None) is broken
