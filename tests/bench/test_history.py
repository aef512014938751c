"""A run of the benchmarks as a whole is a line of the history, and a column of the page."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from bench import __main__, history
from bench.__main__ import FigureFiles
from bench.history import MeasuredRun
from bench.table import RatioRow

PAGE: Final = "<!-- measured -->\n<!-- end -->\nbetween\n<!-- history -->\n<!-- end -->\n"


def run_of(day: int, **ratios: float) -> MeasuredRun:
    return MeasuredRun(f"2026-11-{day:02}", f"c{day}", ratios)


def results_of(*rows: tuple[str, float, float | None]) -> dict[str, Any]:
    fields = [
        {"what": what, "ratio": ratio, "limit": limit, "detail": ""} for what, ratio, limit in rows
    ]
    return {"plan": {"date": "2026-11-30", "machine": "2 cores", "rows": fields}}


@pytest.fixture
def files(tmp_path: Path) -> FigureFiles:
    files = FigureFiles(tmp_path / "results.json", tmp_path / "history.jsonl", tmp_path / "page.md")
    files.page.write_text(PAGE)
    return files


def test_a_run_is_one_line_after_those_before_it(files: FigureFiles) -> None:
    runs = [run_of(1, dev=0.5), run_of(2, dev=0.6)]
    for number, run in enumerate(runs):
        files.add({}, runs[:number], run)
    lines = files.runs.read_text().splitlines()
    assert [json.loads(line)["ratios"] for line in lines] == [{"dev": 0.5}, {"dev": 0.6}]
    assert history.read(files.runs) == runs


def test_a_run_that_goes_on_to_another_part_stays_one_line(files: FigureFiles) -> None:
    earlier = [run_of(1, dev=0.5)]
    files.add({}, earlier, run_of(2, dev=0.6))
    files.add({}, earlier, run_of(2, dev=0.6, peers=1.0))
    assert history.read(files.runs) == [*earlier, run_of(2, dev=0.6, peers=1.0)]


def test_the_page_shows_what_has_a_target_beside_the_runs_before(files: FigureFiles) -> None:
    results = results_of(("dev", 0.61, 1.2), ("untold", 3.0, None))
    files.add(results, [run_of(1, dev=0.5, untold=2.0)], run_of(2, dev=0.61, untold=3.0))
    measured, table = files.page.read_text().split("between\n")
    assert "| dev | 0.61 | ≤ 1.20 |  |" in measured
    assert table == (
        "<!-- history -->\n\n| ratio of | 2026-11-01 c1 | 2026-11-02 c2 |\n|---|---|---|\n"
        "| dev | 0.50 | **0.61** |\n\n<!-- end -->\n"
    )


def test_only_the_last_ten_runs_are_shown_and_all_are_kept(files: FigureFiles) -> None:
    runs = [run_of(day, dev=0.5) for day in range(1, 13)]
    files.add(results_of(("dev", 0.5, 1.2)), runs[:-1], runs[-1])
    assert len(history.read(files.runs)) == 12
    header = next(line for line in files.page.read_text().splitlines() if "ratio of | 2026" in line)
    assert [cell.split()[1] for cell in header.split("|")[2:-1]] == [f"c{n}" for n in range(3, 13)]


@pytest.mark.parametrize(
    ("ratios", "cells"),
    [
        ([1.0, 1.05], "1.00 | 1.05"),
        ([1.0, 1.06], "1.00 | **1.06**"),
        ([1.0, 0.5, 0.6], "1.00 | 0.50 | **0.60**"),
        ([1.0, None, 1.06], "1.00 |  | **1.06**"),
        ([None, 2.0], " | 2.00"),
    ],
    ids=["five per cent", "more", "against the run before", "not measured between", "first"],
)
def test_what_rose_by_more_than_five_per_cent_is_bold(
    ratios: list[float | None], cells: str
) -> None:
    runs = [
        run_of(day, **({} if ratio is None else {"dev": ratio}))
        for day, ratio in enumerate(ratios, 1)
    ]
    [_, _, row] = history.table(runs, ["dev"])
    assert row == f"| dev | {cells} |"


def test_without_a_run_there_is_no_table() -> None:
    assert [*history.table([], ["dev"])] == []
    assert [*history.table([run_of(1, other=1.0)], ["dev"])] == []


def test_the_revision_is_the_commit_and_says_whether_files_differ_from_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        about = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path)]
        command = ["git", *about, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert history.revision(tmp_path) == ""
    git("init", "-q")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "first")
    git("tag", "-a", "v1", "-m", "")
    commit = git("rev-parse", "--short", "HEAD")
    assert history.revision(tmp_path) == commit
    (tmp_path / "file").write_text("two")
    assert history.revision(tmp_path) == f"{commit}+"


@pytest.mark.parametrize("is_whole", [True, False])
def test_only_a_whole_run_is_kept(
    is_whole: bool, files: FigureFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {name: [RatioRow(f"{name} : bare", 0.51239, 1.0, "")] for name in ("plan", "peers")}
    parts = {
        name: (name, lambda r=row: r, lambda r=row: r)  # type: ignore[misc]
        for name, row in rows.items()
    }
    monkeypatch.setattr(__main__, "PARTS", parts)
    monkeypatch.setattr("sys.argv", ["bench", "plan", "peers", *(["--whole"] if is_whole else [])])
    __main__.main(files)
    runs = history.read(files.runs)
    ratios = {"plan : bare": 0.5124, "peers : bare": 0.5124}
    assert [run.ratios for run in runs] == ([ratios] if is_whole else [])
    assert files.results.exists() is is_whole
