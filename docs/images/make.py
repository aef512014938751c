"""Makes the pictures of what `ack-inference` writes, pages and terminals, by the command itself.

    make pictures                          # all of them
    make pictures PARTS="diffs terminals"  # some

| Part | What it makes | What it takes |
|---|---|---|
| diffs | `diff --format html` of two changes | seconds |
| simulation | `simulate dev --format html` | a minute |
| load-tests | `loadtest report` of runs against the server that pretends | seven minutes |
| recordings | `*.cast`: what commands print, and when; it brings a sandbox up | Go; two minutes |
| terminals | pictures and the film of what the recordings hold | seconds |

Pages need Chromium on PATH. Ends with an error if a page is wider than the screen.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

import recording
import terminal
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
SIMULATION: Final = """(() => {
  const top = (id) => document.querySelector(id).getBoundingClientRect().top - 12;
  const day = document.querySelectorAll('.pictures')[1].getBoundingClientRect().bottom + 24;
  return {'': [0, top('#group-1') - 40], '-day': [top('#group-2'), day]};
})()"""
"""What is shown of a simulation: strategies side by side, and a day of the stack as it is."""
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


def diffs() -> Iterator[tuple[str, str, str]]:
    """The page of each change, with the beginning of its pictures' names and what is shown."""
    for changed in (dev, hybrid):
        stack = changed.__name__
        diff = compare(planned(stack, before(stack)), planned(stack, changed()))
        report = Report("origin/main", "working tree", [StackReport(stack, diff)])
        yield render_page(report), f"diff-{stack}", DIFF


def simulation() -> Iterator[tuple[str, str, str]]:
    """The page of a day of `dev`, likewise."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "day.html")
        run("simulate", "dev", "--format", "html", "--output", str(page))
        yield page.read_text(), "simulate-dev", SIMULATION


LOADS: Final = (
    ("baseline", "cold-start", ("--cold", "--load-seconds", "27")),
    ("baseline", "spike", ("--cold", "--load-seconds", "27", "--running", "4")),
    ("cache", "cold-start", ("--cold", "--load-seconds", "6")),
    ("cache", "spike", ("--cold", "--load-seconds", "6", "--running", "4")),
    ("reserve", "cold-start", ("--ttft", "2.5", "--tokens-per-second", "20")),
)
"""Labels, scenarios, and how the server pretends."""


def load_tests() -> Iterator[tuple[str, str, str]]:
    """The page of some runs, likewise."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for label, scenario, behaviour in LOADS:
            paths.append(Path(folder, f"{label}-{scenario}.json"))
            idle = ("--assume-idle",) if scenario == "cold-start" else ()
            with pretending(behaviour) as address:
                run(
                    *("loadtest", "run", address, "--model", "qwen", "--label", label),
                    *("--scenario", scenario, *idle, "--output", str(paths[-1])),
                )
        yield render([load(path) for path in paths]), "loadtest", RUNS


@contextmanager
def pretending(behaviour: Sequence[str]) -> Iterator[str]:
    """A server that pretends to be vLLM, and its address."""
    port = 8731
    server = subprocess.Popen([*PROGRAM, "loadtest", "serve-fake", "--port", str(port), *behaviour])
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _await(port: int) -> None:
    """Waits until something listens, or ends after a minute."""
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit(f"Nothing listens on port {port}.")


PROGRAM: Final = (str(ROOT / ".venv" / "bin" / "ack-inference"),)


def run(*arguments: str) -> None:
    """Runs `ack-inference` on this repository."""
    subprocess.run([*PROGRAM, *arguments], cwd=ROOT, check=True)


COLUMNS: Final = 100
PHONE_COLUMNS: Final = 56
"""Of what a phone shows at a readable size."""
TOUR: Final = (
    "ack-inference sandbox up dev",
    "sed -i 's/max: 4/max: 8/; s/max: 3/max: 5/' Pulumi.dev.yaml",
    "git diff -U0 Pulumi.dev.yaml",
    "ack-inference diff --base HEAD dev",
    "ack-inference sandbox up dev",
    "ack-inference sandbox down dev",
)
TOUR_STILL: Final = 4
"""The command whose end is shown where nothing moves: the diff."""
SHOTS: Final = {
    "plan-dev": ("ack-inference plan dev", "Node pools", "Outputs"),
    "sandbox-up-dev": ("ack-inference sandbox up dev --nodes", None, "In the cloud"),
    "sandbox-watch-dev": ("ack-inference sandbox watch dev --once", None, None),
    "status-dev": ("ack-inference status dev --kubeconfig .sandbox/dev/*.kubeconfig", None, None),
    "explain": ("ack-inference explain models.serve.knative.scale.target", None, None),
    "day": ("python -m proof.day", None, None),
}
"""Pictures of commands: from which line on, and up to which one, what they print is shown."""
UNSHOWN: Final = ("sandbox-up-dev",)
"""Commands that only prepare others."""


def record() -> None:
    """Runs the commands in a clone of this repository, and writes down what they print."""
    clone = Path(tempfile.gettempdir(), "ack-inference")
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "GIT_PAGER": "cat", "PYTHONWARNINGS": "ignore"}
    shots = [command for command, *_ in SHOTS.values()]
    try:
        for name, commands in (("tour", TOUR), ("shots", shots)):
            recorded = recording.record(commands, clone, COLUMNS, environment)
            if failed := [step.command for step in recorded.steps if step.code]:
                sys.exit(f"{', '.join(failed)} failed.")
            (HERE / f"{name}.cast").write_text(recorded.text())
            subprocess.run(["git", "checkout", "--quiet", "."], cwd=clone, check=True)
    finally:
        subprocess.run([*PROGRAM, "sandbox", "down"], cwd=clone, check=True)
        shutil.rmtree(clone)


def draw() -> None:
    """Draws what the recordings hold."""
    tour = recording.read((HERE / "tour.cast").read_text())
    for name, columns in (("tour", COLUMNS), ("tour-phone", PHONE_COLUMNS)):
        text = terminal.film("sandbox, change, diff, up", tour, columns, TOUR_STILL)
        (HERE / f"{name}.svg").write_text(text)
    shots = recording.read((HERE / "shots.cast").read_text())
    for (name, (_, first, end)), step in zip(SHOTS.items(), shots.steps, strict=True):
        if name in UNSHOWN:
            continue
        lines = terminal.part(terminal.rows("".join(text for _, text in step.output)), first, end)
        for suffix, columns in (("", COLUMNS), ("-phone", PHONE_COLUMNS)):
            picture = terminal.picture(f"$ {step.command}", lines, columns)
            (HERE / f"{name}{suffix}.svg").write_text(picture)


PAGES: Final[dict[str, Callable[[], Iterator[tuple[str, str, str]]]]] = {
    "diffs": diffs,
    "simulation": simulation,
    "load-tests": load_tests,
}
OTHERS: Final[dict[str, Callable[[], None]]] = {"recordings": record, "terminals": draw}


def main() -> None:
    """Makes the parts that are named, or all."""
    parts = sys.argv[1:] or [*PAGES, *OTHERS]
    if unknown := {*parts} - {*PAGES, *OTHERS}:
        sys.exit(f"{', '.join(unknown)}: the parts are {', '.join([*PAGES, *OTHERS])}.")
    if pages := [make for name, make in PAGES.items() if name in parts]:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if chromium is None:
            sys.exit("Chromium is not on PATH.")
        with sync_playwright() as playwright:
            # The pages are our own, and as root Chromium has no sandbox.
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for make in pages:
                for html, name, script in make():
                    photograph(browser, html, name, script)
            browser.close()
    for name, make_other in OTHERS.items():
        if name in parts:
            make_other()


if __name__ == "__main__":
    main()
