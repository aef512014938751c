"""`python -m website [--versioned]`: builds the documentation site, or says what is wrong.

Runs in website/.venv, which has the generator: `make site`. With --versioned, pages offer the other
versions, which have to lie beside them: see `versions.py`.
"""

import re
import subprocess
import sys
from pathlib import Path

from . import built
from .layout import Homeless
from .pages import ROOT
from .stage import stage


def build(folder: Path, *, versioned: bool) -> list[str]:
    """Builds the site into `html` of a folder, and gives what is wrong with it."""
    try:
        configuration = stage(folder, versioned=versioned)
    except Homeless as homeless:
        return [str(homeless)]
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(  # noqa: S603  the generator of website/.venv
        [*command, "--config-file", str(configuration)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        # Its own traceback says no more than that it was strict.
        said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        return [said.partition("Traceback")[0].strip()]
    return [*built.faults(folder / "html")]


def main(arguments: list[str]) -> int:
    """Builds, and says what came of it."""
    folder = ROOT / ".site"
    if faults := build(folder, versioned="--versioned" in arguments):
        sys.stderr.write("\n".join([*faults, ""]))
        return 1
    pages = built.documents(folder / "html")
    largest = max(pages, key=built.sizes)
    size, sent = built.sizes(largest)
    sys.stdout.write(
        f"{folder / 'html' / 'index.html'}: {len(pages)} pages, no dead link; the largest is "
        f"{largest.path.parent.relative_to((folder / 'html').resolve())}, {size:,} bytes, "
        f"{sent:,} with what it loads.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
