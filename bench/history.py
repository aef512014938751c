"""What every run of `make figures` found, a line each, so that a slow drift is seen.

`history.jsonl` has a run per line, the oldest first. The page shows the last ones. The first seven
were taken from the commits of `results.json`, and name these.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

HISTORY: Final = Path(__file__).with_name("history.jsonl")
SHOWN: Final = 10
"""Runs that the page shows."""
NOTABLE: Final = 1.05
"""How much more than the run before is shown in bold."""


@dataclass(frozen=True)
class MeasuredRun:
    """One run of the benchmarks as a whole."""

    date: str
    revision: str
    """The commit that was measured, with a `+` where files differed from it; empty without Git."""
    ratios: Mapping[str, float]
    """By what is compared with what, to four digits. Parts that were not measured are not here."""


def revision(root: Path) -> str:
    """The commit of a working tree, with a `+` where files differ from it; empty without Git."""
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def read(path: Path = HISTORY) -> list[MeasuredRun]:
    """The runs of a file, the oldest first; none where there is no file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [MeasuredRun(**json.loads(line)) for line in lines]


def write(runs: Sequence[MeasuredRun], path: Path = HISTORY) -> None:
    """Writes runs, the oldest first."""
    path.write_text("".join(f"{json.dumps(asdict(run), ensure_ascii=False)}\n" for run in runs))


def table(runs: Sequence[MeasuredRun], wanted: Sequence[str]) -> Iterator[str]:
    """The last runs side by side, the newest at the right.

    Args:
        runs: The oldest first.
        wanted: What is shown, in this order, of what was measured in any of them.
    """
    shown = runs[-SHOWN:]
    names = [name for name in wanted if any(name in run.ratios for run in shown)]
    if not names:
        return
    yield "| ratio of | " + " | ".join(f"{run.date} {run.revision}".strip() for run in shown) + " |"
    yield "|---|" + "---|" * len(shown)
    for name in names:
        yield f"| {name} | " + " | ".join(_cells(shown, name)) + " |"


def _cells(runs: Sequence[MeasuredRun], name: str) -> Iterator[str]:
    """A ratio in each run, in bold where it is notably more than when it was last measured."""
    before: float | None = None
    for run in runs:
        ratio = run.ratios.get(name)
        if ratio is None:
            yield ""
            continue
        rose = before is not None and ratio > before * NOTABLE
        yield f"**{ratio:.2f}**" if rose else f"{ratio:.2f}"
        before = ratio
