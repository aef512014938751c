"""A stack that an earlier version of this repository brought up goes on without replacements."""

import pytest

from tests.stacks.environments import NAMES

from .boxes import done, needs_engine, sandbox_of
from .recording import FOLDER, play_back


def test_every_stack_has_a_recorded_state():
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(NAMES)


@needs_engine
@pytest.mark.parametrize("stack", NAMES)
def test_a_recorded_stack_is_updated_in_place(stack: str):
    with sandbox_of(stack) as box:
        play_back(box)
        assert {op for op, _ in done(box.preview())} <= {"update"}
