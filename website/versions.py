"""Builds the pages of every release beside those of this checkout, for publishing.

`python -m website.versions FOLDER`: FOLDER/site has a folder per version, `latest` and
`versions.json`, which the theme's version selector reads in the form that mike gave it, and a first
page that leads to the newest release. FOLDER/artifact.tar is the same as GitHub Pages takes it.

Each release is built by its own generator from its own pages: a release never changes any more. One
that has no site is left out.
"""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .pages import ROOT

NEXT: Final = "next"
"""Name of the pages of main, which no release has yet."""
_REDIRECT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>ack-inference</title>
<meta http-equiv="refresh" content="0; url={to}/">
</head>
<body><h1>ack-inference</h1><p><a href="{to}/">Documentation</a></p></body>
</html>
"""


def _git(*command: str) -> str:
    return subprocess.check_output(  # noqa: S603
        ["/usr/bin/env", "git", *command], cwd=ROOT, text=True
    ).strip()


def releases() -> list[str]:
    """Tags of the releases that have a site, the newest first."""
    tags = [tag for tag in _git("tag", "--list", "v*.*.*").splitlines() if re.search(r"\d$", tag)]
    have = [tag for tag in tags if _git("ls-tree", "--name-only", tag, "website/mkdocs.yml")]
    return sorted(have, key=_order, reverse=True)


def _order(tag: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", tag)]


def build(checkout: Path, target: Path) -> None:
    """Builds the pages of a checkout into a folder.

    Raises:
        CalledProcessError: They cannot be built; what is wrong was printed.
    """
    for command in (
        ["/usr/bin/env", "make", ".venv/.site"],
        ["website/.venv/bin/python", "-m", "website", "--versioned"],
    ):
        subprocess.run(command, cwd=checkout, check=True)  # noqa: S603
    shutil.copytree(checkout / ".site" / "html", target)


def catalogue(tags: Sequence[str]) -> list[dict[str, object]]:
    """What the version selector offers."""
    return [
        {
            "version": tag,
            "title": tag.removeprefix("v"),
            "aliases": ["latest"] * (tag in tags[:1]),
        }
        for tag in (*tags, NEXT)
    ]


def collect(folder: Path) -> None:
    """Builds all versions into a folder."""
    site = folder / "site"
    shutil.rmtree(folder, ignore_errors=True)
    build(ROOT, site / NEXT)
    tags = releases()
    for tag in tags:
        with tempfile.TemporaryDirectory() as name:
            checkout = Path(name) / "checkout"
            _git("worktree", "add", "--detach", str(checkout), tag)
            try:
                build(checkout, site / tag)
            finally:
                _git("worktree", "remove", "--force", str(checkout))
    if tags:
        shutil.copytree(site / tags[0], site / "latest")
    (site / "versions.json").write_text(json.dumps(catalogue(tags)))
    (site / "index.html").write_text(_REDIRECT.format(to="latest" if tags else NEXT))
    with tarfile.open(folder / "artifact.tar", "w") as archive:
        archive.add(site, ".")


if __name__ == "__main__":
    collect(Path(sys.argv[1]).resolve())
