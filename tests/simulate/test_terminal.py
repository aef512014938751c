"""Variants on a terminal: narrow, wide, without colours, and in a pipe."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from simulate.comparison import StrategyComparison
from simulate.results import DAY, Ending
from simulate.terminal import show
from simulate.world import BandPoint
from tests.simulate.comparisons import comparison, outcome, two_models
from tests.simulate.made import cases, model, requests, results

TITLES = [
    "TTFT p50", "TTFT p95", "TTFT p99", "within 2 s", "failed", "met no pod", "GPU-h/day",
    "training GPU-h/day", "gave way", "CNY/day",
]  # fmt: skip
PLAIN = comparison()


def shown(shown_comparison: StrategyComparison = PLAIN, width: int = 200, **options: Any) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False, **options)
    show(shown_comparison, console)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_figure_is_there_once_and_no_table_is_wider_than_the_screen(width: int) -> None:
    text = shown(width=width)
    tables = text.split("Variants\n")[0]
    for title in TITLES:
        assert len(re.findall(rf"  {re.escape(title)}(?!\S)", tables)) == 1
    assert max(map(len, tables.splitlines())) <= max(width, 74)
    assert "…" not in text
    blocks = tables.count("zero+cache+reserve")
    assert blocks == tables.count("as-is")
    assert blocks > 1 if width < 200 else blocks == 1


def test_figures_stand_with_their_ends_and_without_where_there_are_none() -> None:
    line = next(line for line in shown().splitlines() if line.startswith("as-is"))
    assert re.search(r"\d+ ms \(\d+\.\.\d+ ms\)", line)
    assert line.endswith("  1,067")


def test_variants_that_were_not_simulated_say_why() -> None:
    text = shown()
    assert "  cache: It has no volume." in text
    assert "  a10+1: pools[a10].size is too large." in text
    assert "always-on: words of always-on" in text


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in shown(force_terminal=True, color_system="truecolor")
    assert "\x1b[" not in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3\d", shown(force_terminal=True))


def test_sentences_in_a_pipe_are_not_folded() -> None:
    why = "word " * 60
    text = shown(comparison(outcome("as-is", cases()), outcome("x", None, why)), width=80)
    assert any(line.count("word") == 60 for line in text.splitlines())


def test_a_stack_of_several_models_has_a_line_for_each_and_its_money_once() -> None:
    text = shown(two_models())
    lines = [line for line in text.splitlines() if re.match(r"(as-is|always-on|  )", line)]
    assert sum("embed" in line and "(" in line for line in lines) == 2
    assert text.count("1,067") == 2
    assert "of the whole stack" in text
    assert "of the whole stack" not in shown()


def test_it_says_how_long_it_is_and_whence_times_are() -> None:
    assert shown().startswith("dev, simulated: 24 hours, seed 7, times not measured")
    longer = comparison(outcome("as-is", cases(seconds=3 * DAY)), calibrated="cal.json")
    assert shown(longer).startswith("dev, simulated: 3 days, seed 7, times of cal.json")


def test_what_has_no_price_is_told() -> None:
    text = shown(comparison(outcome("as-is", cases(hourly={}, fees_hourly={}, notes=("Note.",)))))
    assert "Money leaves out nodes of a10, t4, which have no known price." in text
    assert "  Note." in text
    assert "CNY/day" not in text


def test_it_says_how_requests_failed() -> None:
    endings = {0: Ending.REJECTED, 1: Ending.REJECTED, 2: Ending.TIMED_OUT}
    failing = results(model(requests=requests([1.0] * 9, endings=endings)))
    text = shown(comparison(outcome("as-is", dict.fromkeys(BandPoint, failing))))
    assert "as-is: 1 timed out, 2 rejected" in text
    assert "Failed" not in shown()


def test_where_nothing_could_be_simulated_the_reasons_are_shown_alone() -> None:
    text = shown(comparison(outcome("as-is", None, "It is wrong.")))
    assert "as-is: It is wrong." in text
    assert "TTFT" not in text
