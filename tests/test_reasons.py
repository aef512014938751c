"""Every text of a form is refused with a reason."""

from collections.abc import Iterator

import pytest

import components
from components.args import Args
from components.text_forms import text_readers
from stacks.sections.environment import Environment

WRONG = "Bad Name!"
"""What no form takes that a host, a name or a key has."""


def _sections(section: type[Args]) -> Iterator[type[Args]]:
    for kind in section.__subclasses__():
        yield kind
        yield from _sections(kind)


def _kinds() -> list[type[Args]]:
    assert Environment.model_fields
    for name in dir(components):
        getattr(components, name)  # Loads it.
    kinds = {kind for kind in _sections(Args) if kind.__module__.startswith(("comp", "stacks."))}
    return sorted(kinds, key=lambda kind: (kind.__module__, kind.__qualname__))


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.__qualname__)
def test_a_text_of_a_form_is_refused_for_a_reason(kind: type[Args]) -> None:
    for name, readers in text_readers(kind).items():
        for read in readers:
            for value in (WRONG, [WRONG], {WRONG: WRONG}):
                assert all(fault.why for fault in read(name, value))
