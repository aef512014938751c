"""Makes the pictures of the pages that `ack-inference` writes.

Needs Chromium on PATH, and beside the development environment what drives it and makes pictures
small. Without arguments it makes those of `diff --format html`; with files of runs, those of
`loadtest report`, one for each scenario:

    .venv/bin/uv pip install pillow playwright
    .venv/bin/python docs/images/make.py
    .venv/bin/python docs/images/make.py loadtest-*.json

Ends with an error if a page is wider than the screen.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from loadtest.report import render
from loadtest.results import load
from plan.diff.compare import compare
from plan.diff.page import render_page
from plan.diff.report import Report, StackReport
from plan.model import Plan
from plan.run import plan

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
SCREENS: Final = {"wide": (1280, 1), "phone": (390, 2)}
"""Widths in CSS pixels, and device pixels per CSS pixel."""
COLOURS: Final = 80
DIFF: Final = """(() => {
  const all = {'': [0, document.querySelector('.changes').offsetTop + 160]};
  const top = document.querySelector('.clusters').getBoundingClientRect().top - 12;
  const bottom = document.querySelector('.matrix').getBoundingClientRect().bottom + 12;
  return innerWidth < 1000 ? all : {...all, '-map': [top, bottom]};
})()"""
"""What is shown of a diff: all down to the list of changes, and the first of them; of a wide screen
besides the map of what runs where."""
RUNS: Final = """Object.fromEntries([...document.querySelectorAll('.group')].map((one, at) => {
  const name = one.querySelector('h2').firstChild.textContent.trim().toLowerCase();
  const below = one.querySelector('.pictures').getBoundingClientRect().bottom + 24;
  return ['-' + name.replaceAll(' ', '-'), [at ? one.offsetTop - 12 : 0, below]];
}))"""
"""What is shown of load tests: each scenario down to its pictures, the first with what is above."""


def before(stack: str) -> dict[str, Any]:
    """The configuration of a stack of this repository."""
    document: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    return document


def dev() -> dict[str, Any]:
    """A model more, a larger pool of T4, no cache any more, and training on T4 only."""
    document = before("dev")
    config = document["config"]
    pools, models = config["ack-inference:pools"], config["ack-inference:models"]
    [t4] = [pool for pool in pools if pool["name"] == "t4"]
    t4["autoscale"]["max"] = 8
    pools[:] = [pool for pool in pools if pool["name"] != "cache"]
    [qwen] = models
    del qwen["cache"]
    qwen["serve"]["knative"]["scale"]["max"] = 6
    models.append(
        {
            "name": "qwen-chat",
            "volume": {"store": "models", "path": "/Qwen2.5-7B-Instruct", "size": "15Gi"},
            "server": {
                "image": "docker.io/vllm/vllm-openai:v0.19.0",
                "mount_path": "/mnt/models/qwen",
                "resources": {"cpu": "12", "memory": "64Gi", "gpus": 1},
                "vllm": {"served_model_name": "qwen-chat", "max_model_len": 16384},
            },
            "placement": {"pools": ["a10"]},
            "priority": "inference-high-priority",
            "serve": {"knative": {"scale": {"target": 8, "min": 0, "max": 4}}},
        }
    )
    config["ack-inference:training"][0]["placement"]["pools"] = ["t4"]
    return document


def hybrid() -> dict[str, Any]:
    """A larger elastic pool, and one of the models served by Knative."""
    document = before("hybrid")
    config = document["config"]
    [elastic] = [pool for pool in config["ack-inference:pools"] if pool["name"] == "elastic"]
    elastic["autoscale"]["max"] = 6
    scale = {"metric": "concurrency", "target": 2, "min": 1, "max": 3}
    config["ack-inference:models"][0]["serve"] = {"knative": {"scale": scale}}
    return document


def planned(stack: str, document: dict[str, Any]) -> Plan:
    """The plan of a stack with another file."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, folder)
        Path(folder, f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(document))
        return plan(stack, Path(folder))


def photograph(browser: Browser, html: str, name: str, parts: str) -> None:
    """Takes parts of a page on every screen, in light and in dark.

    Args:
        browser: What shows it.
        html: The page.
        name: How the names of its pictures begin.
        parts: Script that says where each part begins and ends, by the end of its name.
    """
    for screen, (width, scale) in SCREENS.items():
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": width, "height": 800},
                device_scale_factor=scale,
                color_scheme=scheme,
            )
            page.set_content(html)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                sys.exit(f"{name}-{screen} is {wide} pixels wide, but it must be {width}.")
            for part, (top, bottom) in page.evaluate(parts).items():
                picture = HERE / f"{name}{part}-{screen}-{scheme}.png"
                page.screenshot(
                    path=picture,
                    full_page=True,
                    clip={"x": 0, "y": top, "width": width, "height": bottom - top},
                )
                shrink(picture)
            page.close()


def shrink(picture: Path) -> None:
    """Keeps the colours that come closest to all of them."""
    image = Image.open(picture).convert("RGB")
    reduced = image.quantize(COLOURS, kmeans=3, dither=Image.Dither.NONE)
    reduced.save(picture, optimize=True)


def pages(runs: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """Pages, with the beginning of their pictures' names and what is shown of them."""
    if runs:
        yield render([load(path) for path in runs]), "loadtest", RUNS
        return
    for changed in (dev, hybrid):
        stack = changed.__name__
        diff = compare(planned(stack, before(stack)), planned(stack, changed()))
        report = Report("origin/main", "working tree", [StackReport(stack, diff)])
        yield render_page(report), f"diff-{stack}", DIFF


def main() -> None:
    """Makes all pictures of diffs, or of the files of runs that are named."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not on PATH.")
    with sync_playwright() as playwright:
        # The pages are our own, and as root Chromium has no sandbox.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for html, name, parts in pages([Path(name) for name in sys.argv[1:]]):
            photograph(browser, html, name, parts)
        browser.close()


if __name__ == "__main__":
    main()
