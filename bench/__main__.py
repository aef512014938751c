"""Runs the benchmarks, keeps what they found in `results.json`, and writes it into the README.

    python -m bench
    python -m bench plan peers

A part that is not asked for keeps the figures of its last run, with their date.
"""

import argparse
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

from sandbox.binaries import Unavailable

from . import critical_path, engine_overhead, peers, plan_overhead, start_up
from .table import Row, show

RESULTS: Final = Path(__file__).with_name("results.json")
README: Final = Path(__file__).parents[1] / "README.md"
PARTS: Final[Mapping[str, tuple[str, Callable[[], Sequence[Row]]]]] = {
    "plan": ("A plan", plan_overhead.measure),
    "engine": ("Pulumi's engine", engine_overhead.measure),
    "path": ("The critical path", critical_path.measure),
    "peers": ("Peers", peers.measure),
    "start": ("Start-up", start_up.measure),
}
"""What is measured: its title in the README, and by what."""

_MARKED: Final = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)


def machine() -> str:
    """What measured."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}"


def part(title: str, found: Mapping[str, Any]) -> Iterator[str]:
    """The lines of one part."""
    yield f"**{title}**, {found['date']}, {found['machine']}:"
    yield ""
    yield "| ratio of | median | wanted | figures |"
    yield "|---|---|---|---|"
    for one in found["rows"]:
        row = Row(**one)
        wanted = "" if row.limit is None else f"≤ {row.limit:.2f}"
        median = f"{row.ratio:.2f}" if row.is_met else f"**{row.ratio:.2f}**"
        yield f"| {row.what} | {median} | {wanted} | {row.detail} |"
    yield ""


def section(results: Mapping[str, Any]) -> str:
    """What the README says of everything that was measured; bold where it is more than wanted."""
    return "\n".join(
        line
        for name, (title, _) in PARTS.items()
        if name in results
        for line in part(title, results[name])
    )


def filled(text: str, results: Mapping[str, Any]) -> str:
    """A text with the figures between its marks."""
    return _MARKED.sub(lambda mark: f"{mark[1]}\n{section(results)}\n{mark[2]}", text)


def main() -> None:
    """Measures, prints, and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all of them")
    asked = parser.parse_args().parts or list(PARTS)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in asked:
        title, measure = PARTS[name]
        start = time.monotonic()
        try:
            rows = measure()
        except Unavailable as missing:
            print(f"{title}: not measured. {missing}")
            continue
        print(f"\n{title} ({time.monotonic() - start:.0f} s)")
        show(rows)
        found = {"date": date.today().isoformat(), "machine": machine()}
        results[name] = {**found, "rows": [asdict(row) for row in rows]}
        RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    README.write_text(filled(README.read_text(), results))


if __name__ == "__main__":
    main()
