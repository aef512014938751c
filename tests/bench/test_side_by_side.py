import pytest

from bench import side_by_side
from bench.side_by_side import Task
from loadtest.fake_vllm import Behaviour
from sandbox.binaries import Unavailable

RECORD = {"complete": True, "came": 10.0, "first_token": 10.2, "ended": 11.0}


def test_a_generator_is_held_against_what_the_server_wrote_and_not_what_it_was_told() -> None:
    late = {**RECORD, "came": 11.0, "first_token": 11.4, "ended": 12.0}
    cut = {**RECORD, "complete": False, "first_token": None, "ended": 99.0}
    comparison = side_by_side._compared(0.36, [RECORD, late, cut])
    assert comparison.written == pytest.approx(0.3)
    assert (comparison.rate, comparison.requests) == (1.0, 2)


def test_a_server_that_answered_nothing_is_no_measure() -> None:
    with pytest.raises(Unavailable, match="answered 0 requests"):
        side_by_side._compared(0.3, [])


def test_a_table_has_each_tool_at_each_number_of_clients_and_its_ceiling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what is this project's own has a target."""
    calls: list[tuple[Behaviour, int]] = []

    def measured(
        tool: side_by_side.Tool, behaviour: Behaviour, clients: int, seconds: int, tokens: int
    ) -> side_by_side.ToolResult:
        calls.append((behaviour, clients))
        return side_by_side.ToolResult(0.21, 0.2, 100.0 if tool is side_by_side.laptop else 50.0, 9)

    def rival(_: Task) -> float:
        return 0.2

    monkeypatch.setattr(side_by_side, "_measured", measured)
    tools = {"laptop tool": side_by_side.laptop, "other": rival}
    rows = list(side_by_side._rows(tools, 8, 6))
    assert [(row.what, row.limit) for row in rows] == [
        ("TTFT, 1 client: laptop tool : server", 1.05),
        ("TTFT, 1 client: other : server", None),
        ("TTFT, 5 clients: laptop tool : server", 1.05),
        ("TTFT, 5 clients: other : server", None),
        ("TTFT, 50 clients: laptop tool : server", 1.05),
        ("TTFT, 50 clients: other : server", None),
        ("ceiling: other : laptop tool", None),
    ]
    assert rows[-1].ratio == 0.5
    assert calls[-1] == (side_by_side.AT_ONCE, 50)
