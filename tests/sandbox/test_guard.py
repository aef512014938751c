"""What runs in a folder ends with the process that uses it, also if that is killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from sandbox.kubernetes.processes import end, runs, spawn
from tests.stacks.environments import ROOT

PROGRAM = """
import json, shutil, sys, time
from pathlib import Path
from sandbox.guard import guarded
from sandbox.kubernetes.processes import spawn

folder = Path(sys.argv[1])
with guarded(folder):
    pid = spawn(folder / "log", [shutil.which("sleep"), "600"])
    (folder / "daemons.json").write_text(json.dumps({"sleep": pid}))
    print(pid, flush=True)
    if sys.argv[2] == "stays":
        time.sleep(600)
"""


def started(folder: Path, how: str) -> tuple[subprocess.Popen[str], int]:
    folder.mkdir()
    command = [sys.executable, "-c", PROGRAM, str(folder), how]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def ended(pid: int, folder: Path) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not runs(pid) and not folder.exists():
            return True
        time.sleep(0.1)
    return False


def test_what_a_killed_process_started_ends_and_its_folder_goes(tmp_path: Path):
    process, pid = started(tmp_path / "box", "stays")
    assert runs(pid)
    process.kill()
    process.wait()
    assert ended(pid, tmp_path / "box")


def test_what_a_process_started_ends_with_its_use_of_the_folder(tmp_path: Path):
    process, pid = started(tmp_path / "box", "goes")
    assert process.wait(20) == 0
    assert ended(pid, tmp_path / "box")


def test_nothing_else_ends(tmp_path: Path):
    folder = tmp_path / "other"
    folder.mkdir()
    pid = spawn(folder / "log", ["/bin/sleep", "600"])
    (folder / "daemons.json").write_text(json.dumps({"sleep": pid}))
    process, _ = started(tmp_path / "box", "goes")
    process.wait(20)
    assert runs(pid)
    end(pid)
