"""The diff of two plans says what the engine says, which compares a program with a real state.

The prepared changes of each stack are previewed in its life, where it is up: test_lifecycle.py.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pulumi

from plan.diff.compare import ChangeKind, StackDiff, compare
from plan.diff.preview import read_preview
from plan.model import STACK_TYPE
from plan.record import record
from sandbox.engine import PREVIEW, UP, Engine, Outcome
from sandbox.run import Sandbox
from tests.plan.diff.prepared import Prepared, diff_of, rows

from .boxes import changing, needs_engine

KINDS: Final = {
    "create": ChangeKind.CREATED,
    "update": ChangeKind.UPDATED,
    "replace": ChangeKind.REPLACED,
    "delete": ChangeKind.DELETED,
}
"""What the engine calls them."""

Found = dict[str, tuple[ChangeKind, frozenset[str]]]
"""What happens to a resource, and the properties that differ, by URN."""


def by_engine(outcome: Outcome) -> Found:
    assert not outcome.errors, "\n".join(outcome.errors)
    return {
        step.urn: (KINDS[step.op], _of_resources(step.urn, step.paths))
        for step in outcome.changes
        if step.type != STACK_TYPE
    }


def by_diff(diff: StackDiff) -> Found:
    return {
        change.urn: (
            change.kind,
            _of_resources(change.urn, frozenset(p.path for p in change.properties)),
        )
        for change in diff.changes
    }


def _of_resources(urn: str, paths: frozenset[str]) -> frozenset[str]:
    """The engine compares the inputs of components as a whole."""
    is_component = urn.split("::")[2].rpartition("$")[2].startswith("ack-inference:")
    return frozenset() if is_component else paths


def assert_agree(box: Sandbox, change: Prepared) -> None:
    """The engine previews a change of a stack that is up as the diff of two plans has it."""
    box.configure(changing(**change.changes))
    outcome = box.preview(json=True)
    expected = diff_of(change.stack, change.changes)
    assert by_engine(outcome) == by_diff(expected)
    [section] = read_preview(outcome.log, [change.stack]).sections
    assert section.diff is not None
    assert rows(section.diff) == rows(expected) == change.rows


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Group", name, {}, opts)
        below = pulumi.ResourceOptions(parent=self)
        pulumi.ComponentResource("shop:index:Part", f"{name}-part", {}, below)
        pulumi.ComponentResource("shop:index:Part", "own", {}, below)


def program(name: str, *aliases: pulumi.Alias) -> Callable[[], None]:
    def declare() -> None:
        above = pulumi.ComponentResource("shop:index:Shop", "shop")
        Group(name, pulumi.ResourceOptions(parent=above, aliases=list(aliases)))

    return declare


@needs_engine
def test_the_engine_moves_what_the_diff_moves(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    engine = Engine(tmp_path, "dev", tmp_path / "engine")
    engine.configure({}, {})
    before, after = program("old"), program("new", pulumi.Alias(name="old"))
    assert not engine.run(UP, "", program=before).errors
    outcome = engine.run(PREVIEW, "", program=after, json=True)
    assert {step.op for step in outcome.steps} == {"same"}
    about = {"project": "shop", "stack": "dev"}
    diff = compare(record(before, **about), record(after, **about))
    assert {change.kind for change in diff.changes} == {ChangeKind.MOVED}
    assert {change.urn for change in diff.changes} <= {step.urn for step in outcome.steps}
    unaliased = engine.run(PREVIEW, "", program=program("new"))
    assert Counter(step.op for step in unaliased.changes) == {"create": 2, "delete": 2}
