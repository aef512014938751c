"""Which versions run, and of which day the facts are."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from components import catalog
from components.bindings import PACKAGES, installed_version
from components.catalog import prices
from components.catalog.prices import Price, PriceList

ROOT: Final = Path(__file__).parents[1]
WAIT_SECONDS: Final = 10
"""Longest time that the Pulumi CLI may take to say its version."""

_DAY: Final = re.compile(r"\b20\d\d-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?\b")


def versions(sandbox_engine: str) -> list[tuple[str, str]]:
    """Each part with its version, then each catalogue with the day of its newest fact.

    Args:
        sandbox_engine: Version of the engine that the sandbox builds.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [
        ("ack-inference", project["version"]),
        ("Pulumi CLI", cli_version() or "not on PATH"),
        ("sandbox engine", sandbox_engine),
        ("Pulumi SDK", version("pulumi")),
        *((f"plugin {name}", installed_version(name)) for name in PACKAGES),
        *((f"facts on {name}", day) for name, day in catalogues()),
        ("price lists", ", ".join(_list_days())),
    ]


def cli_version() -> str | None:
    """What the Pulumi CLI on PATH says; None where there is none, or it says nothing."""
    program = shutil.which("pulumi")
    try:
        done = subprocess.run(  # noqa: S603
            [program or "", "version"],
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip().removeprefix("v") or None


def catalogues() -> Iterator[tuple[str, str]]:
    """Each table of facts, with the newest day that is named beside its rows."""
    for path in sorted(Path(str(catalog.__file__)).parent.iterdir()):
        files = [path] if path.suffix == ".py" else sorted(path.glob("*.py"))
        days = [day for file in files for day in _DAY.findall(file.read_text())]
        if days:
            yield path.stem, max(days)


def _list_days() -> list[str]:
    """The days of the lists that prices stand in; those that bear none are called undated."""
    return sorted({listed.date for listed in _lists(vars(prices).values())})


def _lists(values: Iterable[object]) -> Iterator[PriceList]:
    for value in values:
        if isinstance(value, PriceList):
            yield value
        elif isinstance(value, Price):
            yield value.listed
        elif isinstance(value, Mapping):
            yield from _lists(value.values())
        elif isinstance(value, tuple):
            yield from _lists(value)
