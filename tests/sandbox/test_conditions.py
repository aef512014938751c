import threading
from collections.abc import Callable

import pytest

from sandbox.conditions import Conditions, Injected, Operation

POOL = "alicloud:cs/nodePool:NodePool"
BUCKET = "alicloud:oss/bucket:Bucket"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited, none of them in truth."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def fails(begin: Callable[[], object]) -> bool:
    try:
        begin()
    except Injected:
        return True
    return False


def test_an_operation_fails_once_and_then_works() -> None:
    conditions = Conditions(failing={(Operation.CREATE, POOL)})
    tries = [fails(lambda: conditions.begin(Operation.CREATE, POOL)) for _ in range(3)]
    assert tries == [True, False, False]
    assert conditions.failed == [(Operation.CREATE, POOL)]


def test_a_failure_says_that_it_was_wanted() -> None:
    conditions = Conditions(failing={(Operation.CREATE, POOL)})
    with pytest.raises(Injected, match=f"^the sandbox was told to let create of {POOL} fail once$"):
        conditions.begin(Operation.CREATE, POOL)


def test_a_failure_hits_its_own_operation_of_its_own_type_only() -> None:
    conditions = Conditions(failing={(Operation.DELETE, POOL)})
    conditions.begin(Operation.DELETE, BUCKET)
    conditions.begin(Operation.CREATE, POOL)
    assert conditions.failed == []
    assert conditions.failing == {(Operation.DELETE, POOL)}


def test_an_operation_is_left_unfinished_once() -> None:
    conditions = Conditions(unfinished={(Operation.UPDATE, POOL)})
    conditions.begin(Operation.UPDATE, POOL)
    answers = [conditions.leaves_unfinished(Operation.UPDATE, POOL) for _ in range(3)]
    assert answers == [True, False, False]
    assert conditions.failed == [(Operation.UPDATE, POOL)]


def test_what_goes_wrong_is_told_in_order() -> None:
    conditions = Conditions(
        failing={(Operation.DELETE, BUCKET)}, unfinished={(Operation.CREATE, POOL)}
    )
    conditions.leaves_unfinished(Operation.CREATE, POOL)
    assert fails(lambda: conditions.begin(Operation.DELETE, BUCKET))
    assert conditions.failed == [(Operation.CREATE, POOL), (Operation.DELETE, BUCKET)]


def test_every_beginning_counts_also_one_that_fails() -> None:
    conditions = Conditions(failing={(Operation.CREATE, POOL)})
    assert fails(lambda: conditions.begin(Operation.CREATE, POOL))
    conditions.begin(Operation.CREATE, POOL)
    conditions.begin(Operation.READ, POOL)
    assert conditions.begun == {(Operation.CREATE, POOL): 2, (Operation.READ, POOL): 1}


def test_a_type_takes_its_time_to_create_and_to_update(slept: list[float]) -> None:
    conditions = Conditions(seconds={POOL: 90})
    for operation in Operation:
        conditions.begin(operation, POOL)
    conditions.begin(Operation.CREATE, BUCKET)
    assert [seconds for seconds in slept if seconds] == [90, 90]


def test_what_fails_takes_no_time(slept: list[float]) -> None:
    conditions = Conditions(seconds={POOL: 90}, failing={(Operation.CREATE, POOL)})
    assert fails(lambda: conditions.begin(Operation.CREATE, POOL))
    assert slept == []


def test_a_resource_may_take_another_time_than_its_type(slept: list[float]) -> None:
    conditions = Conditions(seconds={POOL: 4, "urn:cpu": 2})
    for urn in ("urn:cpu", "urn:gpu"):
        conditions.begin(Operation.CREATE, POOL, urn)
    assert slept == [2, 4]


def test_who_waits_for_quiet_waits_for_a_change_that_nobody_waits_for_any_more() -> None:
    conditions, done, ends = Conditions(), [], threading.Event()

    def change() -> None:
        with conditions.change():
            begun.set()
            ends.wait()
            done.append(True)

    begun = threading.Event()
    worker = threading.Thread(target=change)
    worker.start()
    begun.wait()
    with pytest.raises(TimeoutError, match="still run after"):
        conditions.wait_until_quiet(0.01)
    threading.Timer(0.05, ends.set).start()
    conditions.wait_until_quiet()
    assert done == [True]
    worker.join()


def test_a_change_that_fails_has_ended_too() -> None:
    conditions = Conditions(failing={(Operation.CREATE, POOL)})
    with pytest.raises(Injected), conditions.change():
        conditions.begin(Operation.CREATE, POOL)
    conditions.wait_until_quiet(0)
