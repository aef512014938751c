"""Builds the documentation site, and looks at every page in Chromium, wide, narrow, light and dark.

No page may have a dead link, be too large, be wider than the screen, ask anybody else for anything,
or have a finding of axe-core that is serious.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any, Final

from website.pages import ROOT

from .step import Row, Say, Skipped, Step

WEBSITE: Final = ROOT / "website"
PYTHON: Final = WEBSITE / ".venv" / "bin" / "python"
AXE: Final = WEBSITE / "node_modules" / "axe-core" / "axe.min.js"
GRAVE: Final = ("serious", "critical")
"""Impacts that axe-core gives to findings that no page may have."""


def faults(seen: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a page on a screen, by what the browser saw."""
    at = f"{seen['page']} ({seen['screen']}, {seen['scheme']})"
    for finding in seen["violations"]:
        if finding["impact"] in GRAVE:
            where = ", ".join(finding["targets"])
            yield f"{at}: {finding['help']} ({finding['id']}, {finding['nodes']} times: {where})"
    if seen["width"] > seen["most_width"]:
        yield f"{at} is {seen['width']} pixels wide, but it must be {seen['most_width']} at most."
    for address in seen["elsewhere_or_missing"]:
        yield f"{at} asks for {address}, which is elsewhere or not there."


def rows(say: Say) -> Iterator[Row]:
    """A row for the build, and one for each screen and scheme."""
    start = time.monotonic()
    done = _run("make", "--no-print-directory", "site")
    built = (done.stdout.strip(), () if done.returncode == 0 else (done.stderr.strip(),))
    yield Row("built without a fault", f"{built[0]}, {time.monotonic() - start:.0f} s", built[1])
    if done.returncode:
        return
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        raise Skipped("Chromium is not on the PATH: no page was looked at.")
    if not AXE.exists() and (npm := shutil.which("npm")):
        _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(WEBSITE))
    if not AXE.exists():
        raise Skipped("axe-core is not there: npm ci --ignore-scripts --prefix website.")
    say("Every page is looked at, four times")
    with tempfile.TemporaryFile("w+") as answers:
        subprocess.run(  # noqa: S603  our own environment
            [PYTHON, "-m", "website.browser", ROOT / ".site" / "html"],
            cwd=ROOT,
            stdout=answers,
            check=True,
        )
        answers.seek(0)
        pages = [json.loads(line) for line in answers]
    kinds = sorted({(page["screen"], page["scheme"]) for page in pages})
    for kind in kinds:
        own = [page for page in pages if (page["screen"], page["scheme"]) == kind]
        lesser = sum(v["impact"] not in GRAVE for page in own for v in page["violations"])
        wrong = tuple(fault for page in own for fault in faults(page))
        figures = f"{len(own)} pages, {len(wrong)} faults, {lesser} findings of lesser impact"
        yield Row(" ".join(kind), figures, wrong)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  make and npm
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


STEP: Final = Step("site", rows, seconds=700)
