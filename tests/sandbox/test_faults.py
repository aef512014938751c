"""What goes wrong in the middle of an update, and that the next one finishes it.

Nothing may be lost, orphaned or there twice afterwards.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from plan.run import plan
from sandbox.conditions import Operation
from sandbox.engine import Outcome, Pending
from sandbox.run import Sandbox
from tests.stacks.environments import GONE, NAMES, ROOT

from .boxes import assert_consistent, changing, done, needs_engine, sandbox_of
from .failing import NAT, WITHOUT_UPDATE, assert_creates_survive, assert_updates_survive, types_of

RUNTIME: Final = "kubernetes:data.fluid.io/v1alpha1:JindoRuntime"
CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
SMALL: Final = {
    "models[qwen].cache": GONE,
    "models[qwen].placement.pools": ["a10"],
    "pools[cache]": GONE,
    "pools[t4]": GONE,
    "stores[checkpoints]": GONE,
    "training": [],
}
"""Leaves out of `dev` what an interruption of its network does not meet."""


@cache
def planned_types(stack: str) -> frozenset[str]:
    return frozenset(types_of(plan(stack, ROOT).resources))


class Faults:
    """Every type of a stack fails once in its create, half-way, and in its update."""

    stack: ClassVar[str]
    changes: ClassVar[Mapping[str, Any]] = {}
    """What is changed in its configuration."""
    more: ClassVar[frozenset[str]] = frozenset()
    """Types that the stack has by those changes."""
    tried: ClassVar[tuple[str, ...]] = ()
    """Stacks whose types another class tries."""

    @classmethod
    def types(cls) -> set[str]:
        types = planned_types(cls.stack).difference(*map(planned_types, cls.tried))
        return {*types, *cls.more}

    @pytest.fixture(scope="class")
    @classmethod
    def box(cls) -> Iterator[Sandbox]:
        with sandbox_of(cls.stack) as box:
            box.configure(changing(**cls.changes))
            yield box

    def test_a_create_that_fails_once_succeeds_the_next_time(
        self, box: Sandbox, record_property: Callable[[str, object], None]
    ):
        types = self.types()
        assert_creates_survive(box, types)
        assert done(box.preview()) == set()
        record_property("survived", [["create", type_] for type_ in sorted(types)])

    def test_an_update_that_fails_once_succeeds_the_next_time(
        self, box: Sandbox, record_property: Callable[[str, object], None]
    ):
        types = self.types() - WITHOUT_UPDATE
        assert_updates_survive(box, types)
        record_property("survived", [["update", type_] for type_ in sorted(types)])


@needs_engine
class TestDev(Faults):
    """Its training on several pods, which meet at a Service, as in `prod`."""

    stack = "dev"
    changes: ClassVar = {"training[finetune].parallelism": 2}
    more = frozenset({"kubernetes:core/v1:Service"})


@needs_engine
class TestHybrid(Faults):
    stack = "hybrid"
    tried = ("dev",)


@needs_engine
class TestExisting(Faults):
    stack = "existing"
    tried = ("dev", "hybrid")


def test_these_stacks_have_every_type_that_any_stack_has():
    tried = {type_ for case in Faults.__subclasses__() for type_ in case.types()}
    assert tried == {type_ for name in NAMES for type_ in planned_types(name)}


class Update:
    """An update in a thread, which a test disturbs."""

    def __init__(self, box: Sandbox) -> None:
        self._outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, args=(box,))
        self._thread.start()

    def _run(self, box: Sandbox) -> None:
        self._outcome = box.up()

    def result(self) -> Outcome:
        self._thread.join()
        assert self._outcome is not None
        return self._outcome


def wait_for(box: Sandbox, operation: Operation, type_: str) -> None:
    until = time.monotonic() + 60
    while not box.conditions.begun[operation, type_]:
        assert time.monotonic() < until, f"{operation} of {type_} did not begin"
        time.sleep(0.02)


def engine_process() -> int:
    """The engine that this process started."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        if name == "pulumi" and int(rest.split()[1]) == os.getpid():
            return int(status.parent.name)
    raise LookupError("no engine runs")


@needs_engine
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc")
class TestInterruptions:
    def test_an_interrupt_lets_a_running_create_finish_and_the_next_up_goes_on(self):
        with sandbox_of("dev") as box:
            box.configure(changing(**SMALL))
            box.conditions.seconds[NAT] = 2
            update = Update(box)
            wait_for(box, Operation.CREATE, NAT)
            os.kill(engine_process(), signal.SIGINT)
            assert update.result().errors
            assert [resource.type for resource in box.cloud.resources()].count(NAT) == 1
            assert not box.up().errors
            assert_consistent(box)

    @pytest.mark.parametrize("created", [True, False])
    def test_a_killed_engine_is_not_run_again_before_somebody_looked(self, created: bool):
        with sandbox_of("dev") as box:
            box.configure(changing(**SMALL))
            box.conditions.seconds[NAT] = 2
            box.conditions.seconds[CLUSTER] = 4
            update = Update(box)
            wait_for(box, Operation.CREATE, NAT)
            wait_for(box, Operation.CREATE, CLUSTER)
            os.kill(engine_process(), signal.SIGKILL)
            assert update.result().errors
            with pytest.raises(Pending) as refused:
                box.up()
            text = str(refused.value)
            assert f"  creating {NAT} network-nat\n" in text
            assert f"# pulumi import {NAT} network-nat <id> --parent parent=urn:" in text
            box.conditions.wait_until_quiet()
            if not created:
                with box.cloud.changing() as resources:
                    resources[:] = [resource for resource in resources if resource.type != NAT]
            assert [resource.type for resource in box.cloud.resources()].count(NAT) == int(created)
            box.settle()
            assert not box.up().errors
            assert [resource.type for resource in box.cloud.resources()].count(NAT) == 1
            assert_consistent(box)

    def test_an_api_server_that_goes_away_is_waited_for_by_the_next_up(self):
        with sandbox_of("existing") as box:
            box.conditions.seconds[RUNTIME] = 1
            update = Update(box)
            wait_for(box, Operation.CREATE, RUNTIME)
            [cluster] = box.clusters.names()
            os.kill(box.clusters.find(cluster).processes[0], signal.SIGKILL)
            assert update.result().errors
            assert box.up().errors
            box.clusters.start(cluster)
            assert not box.up().errors
            assert_consistent(box)
