"""When simulated controllers work; what they say is asked where a stack comes up."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import requests

from sandbox.kubernetes import controllers
from sandbox.kubernetes.client import Manifest
from sandbox.kubernetes.controllers import SimulatedControllers

LOOKS: Final = 5


class Cluster:
    """Stands in for an API server and what it stores, and counts."""

    def __init__(self) -> None:
        self.number = 1
        self.asked = 0
        self.rounds = 0
        self.broken = 0
        """Rounds that are still to fail."""
        self._looked = threading.Event()

    def revision(self) -> int:
        self.asked += 1
        self._looked.set()
        return self.number

    def objects(self) -> list[Manifest]:
        self.rounds += 1
        if self.broken:
            self.broken -= 1
            raise requests.ConnectionError
        return []

    def wait(self) -> None:
        """Until it was looked at several times more."""
        until, goal = time.monotonic() + 30, self.asked + LOOKS
        while self.asked < goal and time.monotonic() < until:
            self._looked.wait(0.1)
            self._looked.clear()
        assert self.asked >= goal


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(controllers, "SECONDS", 0.001)
    return Cluster()


@pytest.fixture
def working(cluster: Cluster) -> Iterator[Callable[[], int]]:
    """Rounds until now, once those that were to come have come."""
    running = SimulatedControllers(cluster, cluster, lambda _: None)  # type: ignore[arg-type]

    def rounds() -> int:
        cluster.wait()
        return cluster.rounds

    yield rounds
    running.stop()


def test_nothing_is_done_while_nothing_changes(working: Callable[[], int]) -> None:
    assert [working(), working()] == [1, 1]


def test_a_change_is_answered_by_another_round(
    cluster: Cluster, working: Callable[[], int]
) -> None:
    assert working() == 1
    cluster.number += 1
    assert [working(), working()] == [2, 2]


def test_a_round_that_broke_off_is_made_again_though_nothing_changed(
    cluster: Cluster, working: Callable[[], int]
) -> None:
    working()
    cluster.broken = 2
    cluster.number += 1
    assert working() == 4
