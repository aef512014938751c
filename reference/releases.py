"""What a table of a server's releases is made with: their wheels, and spans in place of rows."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Spans = list[list[object]]
"""What holds, and the first and last release in which it does."""


def download(
    package: str, release: str, folder: Path, platforms: Sequence[Sequence[str]] = ((),)
) -> Path:
    """Has pip fetch the wheel of a release into a folder.

    Args:
        package: Its name at the index.
        release: E.g. `0.4.1`.
        folder: Where it is to lie.
        platforms: Options of pip by which wheels are tried, one after the other. By default those
            of this machine.

    Raises:
        LookupError: There is none, or no index is reached.
    """
    base = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    arguments = ["--only-binary", ":all:", "--dest", str(folder), f"{package}=={release}"]
    for options in platforms:
        command = [*base, *options, *arguments]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        if done.returncode == 0:
            return next(folder.glob("*.whl"))
    tried = " or ".join(" ".join(options) or "this machine" for options in platforms)
    raise LookupError(f"pip finds no wheel of {package} {release} for {tried}")


def spans(per_release: Mapping[str, Mapping[str, object]]) -> dict[str, Spans]:
    """Turns tables by release into one table: by name, what it is from when to when."""
    order = list(per_release)
    spans_by_name: dict[str, Spans] = {}
    for place, release in enumerate(order):
        for name, value in per_release[release].items():
            rows = spans_by_name.setdefault(name, [])
            if rows and rows[-1][0] == value and place and rows[-1][2] == order[place - 1]:
                rows[-1][2] = release
            else:
                rows.append([value, release, release])
    return dict(sorted(spans_by_name.items()))


def text(content: Mapping[str, object]) -> str:
    """The table as JSON with a line per name, so that a newer one can be reviewed."""
    parts = []
    for key, value in content.items():
        if isinstance(value, dict):
            lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            parts.append(f" {json.dumps(key)}: {{\n{lines}\n }}")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
