"""Every stack of this repository from nothing to nothing, on the real engine and API server.

The tests of a class follow one sandbox through its life: first those of `Lifecycle`, in the order
in which they stand, then what other modules ask of a stack that is up, and at last its end.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from sandbox.run import Sandbox
from tests.bench.test_raw import RawProgram
from tests.plan.diff.prepared import PREPARED, Prepared
from tests.stacks.environments import NAMES

from .boxes import (
    Life,
    assert_consistent,
    assert_destroyed,
    cluster_of,
    done,
    first,
    name_of,
    needs_engine,
    object_of,
    recorded,
    sandbox_of,
    unprotect,
)
from .recording import FOLDER
from .test_changes import Changes, Hotfix
from .test_diff_agreement import assert_agree
from .test_load_test import LoadTests
from .test_secrets import KEYS, Secrets


@needs_engine
class Lifecycle:
    stack: ClassVar[str]
    protected: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Any]] = {}
    """Further options of the first preview and of the first update."""

    @pytest.fixture(scope="class")
    @classmethod
    def life(cls) -> Iterator[Life]:
        with sandbox_of(cls.stack) as box, pytest.MonkeyPatch.context() as patch:
            for name, value in KEYS.items():
                patch.setenv(name, value)
            steps: list[str] = []
            options = {**cls.options, "on_step": lambda step: steps.append(str(step))}
            yield Life(box, box.preview(**options), box.up(**options), steps)

    @pytest.fixture
    def box(self, life: Life) -> Sandbox:
        return life.box

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "change" in metafunc.fixturenames:
            changes = [change for change in PREPARED if change.stack == self.stack]
            metafunc.parametrize("change", changes, ids=lambda change: change.title)

    def test_a_first_up_does_what_the_first_preview_said(self, life: Life):
        assert done(life.came_up) == done(life.previewed)
        assert {op for op, _ in done(life.came_up)} == {"create"}

    def test_what_the_state_knows_is_what_exists(self, life: Life):
        assert_consistent(life.box)

    def test_a_second_up_changes_nothing(self, life: Life):
        assert done(life.box.up()) == set()

    def test_a_refresh_of_what_nobody_touched_changes_nothing(self, life: Life):
        before = {resource["urn"]: resource["inputs"] for resource in recorded(life.box)}
        assert not life.box.refresh().errors
        assert {resource["urn"]: resource["inputs"] for resource in recorded(life.box)} == before
        assert done(life.box.preview()) == set()

    def test_a_change_is_previewed_as_the_diff_of_its_plans_has_it(
        self, life: Life, change: Prepared
    ):
        try:
            assert_agree(life.box, change)
        finally:
            life.box.configure()

    def test_what_was_changed_or_deleted_behind_its_back_is_put_right(self, life: Life):
        pools = [pool for pool in life.box.cloud.resources() if pool.type.endswith("NodePool")][:1]
        for pool in pools:
            life.box.cloud.change(pool.type, pool.id, nodePoolName="renamed")
        deleted = first(life.box, "PriorityClass", "ConfigMap")
        cluster_of(life.box).remove(object_of(deleted))
        assert not life.box.refresh().errors
        mended = {("update", pool.name) for pool in pools} | {("create", name_of(deleted))}
        assert done(life.box.up()) == mended
        for pool in pools:
            assert life.box.cloud.find(pool.type, pool.id) == pool
        assert_consistent(life.box)


class Ending(Lifecycle):
    """Comes last in a class whose first base it is."""

    def test_a_destroy_leaves_nothing_in_the_cloud_and_in_the_cluster(self, life: Life):
        if self.protected:
            assert any("protected" in error for error in life.box.destroy().errors)
            unprotect(life.box)
        assert_destroyed(life.box)


class TestDev(Ending, RawProgram, Changes, Lifecycle):
    stack = "dev"


class TestProd(Ending):
    stack = "prod"
    protected = True


class TestHybrid(Ending, Secrets, Lifecycle):
    stack = "hybrid"


class TestExisting(Ending, Secrets, Hotfix, LoadTests, Lifecycle):
    stack = "existing"


def test_every_stack_with_a_recorded_state_has_its_life_and_each_prepared_change_a_stack():
    states = {path.stem for path in FOLDER.glob("*.json")}
    assert states == {case.stack for case in Ending.__subclasses__()} <= set(NAMES)
    assert {change.stack for change in PREPARED} <= set(NAMES)
