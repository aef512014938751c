"""How the step that breaks stacks takes its changes back, and what it holds for said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proof.status import BROKEN, STACKS, Ahead, StatusScene, _is_said, _undone
from status.cluster import KINDS, Connection
from status.model import Finding, Stage, Way
from tests.stacks.environments import merged, raw_of, sentences


def test_a_change_is_taken_back_field_by_field_and_what_was_not_there_goes():
    before = {"spec": {"unschedulable": False, "taints": [1]}, "status": {"allocatable": {"a": 1}}}
    change = {"spec": {"unschedulable": True}, "status": {"allocatable": {"a": None, "b": 2}}}
    assert _undone(before, change) == {
        "spec": {"unschedulable": False},
        "status": {"allocatable": {"a": 1, "b": None}},
    }


def test_only_the_right_link_state_and_reason_count():
    taint = next(broken for broken in BROKEN if broken.case == "taint")
    finding = Finding(Stage.BROKEN, "pods", "Pod q", f"its nodes have a taint that it {taint.why}")
    way = Way("qwen", "inference", "Service", Stage.BROKEN, [finding])
    assert _is_said(way, taint)
    assert not _is_said(replace(way, findings=[replace(finding, link="policy")]), taint)
    assert not _is_said(replace(way, findings=[replace(finding, why="else")]), taint)
    assert not _is_said(replace(way, findings=[], state=Stage.READY), taint)
    assert not _is_said(way, replace(taint, note="still answers"))
    assert _is_said(way, replace(taint, why="else", or_why=taint.why)), "the other one is as right"


def test_every_stack_is_accepted_as_it_is_changed_and_every_case_is_there_once():
    for stack, changes in STACKS.items():
        assert sentences(merged(raw_of(stack), changes)) == []
    cases = [broken.case for broken in BROKEN]
    assert len(cases) == len(set(cases)) >= 25
    assert {broken.stack for broken in BROKEN} == {*STACKS}


def test_a_clock_is_put_forward_until_something_was_looked_at(monkeypatch: pytest.MonkeyPatch):
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    monkeypatch.setattr(Connection, "__init__", lambda _: None)
    monkeypatch.setattr(Connection, "list", lambda *_: ([], noon))
    clock = cast(Any, Ahead)()
    scene = StatusScene(*cast(Any, (None, SimpleNamespace(), clock)))
    with scene.later(30):
        assert clock.list(KINDS[0]) == ([], noon + timedelta(seconds=30))
    assert clock.list(KINDS[0]) == ([], noon)
