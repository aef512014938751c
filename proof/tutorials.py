"""Follows the tutorials as a reader does: each command in a copy, each change, each output shown.

Beside them, the commands of other pages that this machine can run are run, page by page.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sandbox import binaries
from website.pages import ROOT, pages
from website.snippets import Snippet, edited, missing_part, snippets

from .step import Row, Say, Skipped, Step

TUTORIALS: Final = ROOT / "docs" / "tutorials"
NOT_HERE: Final = "with an account"
"""Mark of a block that needs an account, or a cluster of one's own."""
SECONDS: Final = 1800
"""Longest that a block may take: the sandbox's programs are built before."""
RUN_ON_OTHER_PAGES: Final = re.compile(
    r"make (plan|diff)( \w+=\S+)*|(\.venv/bin/)?ack-inference (plan|diff) (?!.*--project).*"
    r"|make sandbox( STACK=dev)?|make sandbox-down|cp examples/stacks/\S+ \."
)
"""Of the pages that are no tutorials. The examples need the package installed: `tests/library`."""
_LEFT_OUT: Final = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".sandbox", ".site", "node_modules"
)
_SCRIPT: Final = """#!{python}
import sys
sys.path.insert(0, "{root}")
from cli import main
sys.exit(main())
"""


def checkout(folder: Path) -> Path:
    """A copy of the repository as it stands, committed, with a `.venv` that runs its own code."""
    copy = folder / "ack-inference"
    shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
    programs = copy / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("uv", "ack-inference"):
        (programs / name).write_text(_SCRIPT.format(python=sys.executable, root=copy))
        (programs / name).chmod(0o755)
    for name in ("python", "pip"):
        (programs / name).symlink_to(Path(sys.executable).parent / name)
    for name in (".plan", ".dev"):
        (copy / ".venv" / name).touch()
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "--all"],
        ["-c", "user.name=reader", "-c", "user.email=reader@example.com", "commit", "-qm", "All"],
        ["config", "user.name", "reader"],
        ["config", "user.email", "reader@example.com"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
        *(["tag", name] for name in ("v0.1.0", "v0.2.0", "v1.2", "v1.3")),
    ):
        subprocess.run(["git", *command], cwd=copy, check=True)  # noqa: S603, S607  our own copy
    return copy


def run(text: str, folder: Path) -> tuple[int, list[str]]:
    """How a shell ends that runs a block in a folder, and the lines that it printed."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.Popen(  # noqa: S603  the commands of our own pages
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = shell.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        printed = f"{shell.communicate()[0]}\nIt takes longer than {SECONDS} s."
    return shell.returncode, [line.rstrip() for line in printed.splitlines()]


def follow(page: Path, folder: Path) -> Iterator[str]:
    """What a page says that is not so, in a copy of the repository."""
    printed: list[str] = []
    for snippet in snippets(page):
        at = f"line {snippet.line}"
        if snippet.language == "sh" and snippet.mark != NOT_HERE:
            code, printed = run(snippet.text, folder)
            wanted = snippet.mark.removeprefix("exit: ") if "exit: " in snippet.mark else "0"
            if str(code) not in wanted.split(" or "):
                last = "\n".join(printed[-12:])
                yield f"{at}: it ends with {code}, but it must be {wanted}:\n{last}"
                return
        elif snippet.mark == "output":
            shown = snippet.text.strip("\n").splitlines()
            if (part := missing_part(shown, printed)) is not None:
                yield f"{at}: this is not printed:\n{part}\nbut:\n" + "\n".join(printed[:60])
        elif edited(folder, snippet):
            continue


def other(page: Path) -> list[Snippet]:
    """The blocks of a page that can be run here, command by command."""
    return [
        Snippet(page, snippet.line, "sh", "", command)
        for snippet in snippets(page)
        if snippet.language == "sh"
        for command in snippet.commands()
        if RUN_ON_OTHER_PAGES.fullmatch(command)
    ]


def stack_of(command: str) -> str:
    """The stack that a command is about."""
    name = re.search(r"STACK=([\w-]+)|ack-inference plan (\w[\w-]*)", command)
    return next(word for word in name.groups() if word) if name else "dev"


def rows(say: Say) -> Iterator[Row]:
    """A row per tutorial, and one for all commands of the other pages."""
    if why := binaries.why_unavailable(nodes=True):
        raise Skipped(why)
    with tempfile.TemporaryDirectory() as folder:
        for page in sorted(TUTORIALS.glob("*.md")):
            start = time.monotonic()
            copy = checkout(Path(folder) / page.stem)
            say(f"{page.stem} is followed")
            faults = tuple(follow(page, copy))
            run("ack-inference sandbox down || true", copy)
            blocks = [s for s in snippets(page) if s.language == "sh" and s.mark != NOT_HERE]
            yield Row(page.stem, f"{len(blocks)} blocks, {time.monotonic() - start:.0f} s", faults)
        copy = checkout(Path(folder) / "others")
        followed = {page.name for page in TUTORIALS.glob("*.md")}
        commands = {
            snippet.text: snippet
            for page in pages()
            if page.name not in followed  # In any language: all have the same commands.
            for snippet in other(page)
        }
        wrong = []
        for text, snippet in commands.items():
            if not (copy / f"Pulumi.{stack_of(text)}.yaml").exists():
                continue
            code, printed = run(text, copy)
            if code:
                where = f"{snippet.page.relative_to(ROOT)}:{snippet.line}"
                wrong.append(f"{where}: {text} ends with {code}: {printed[-1:]}")
        yield Row("the other pages", f"{len(commands)} commands", tuple(wrong))


STEP: Final = Step("tutorials", rows, seconds=900)
