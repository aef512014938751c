"""Environments of programs that are not the project's own: from a hashed lock, in `.venv/proof`."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from .step import Say, Skipped

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = os.environ.get("PROOF_PYTHON") or ">=3.12,<3.15"
"""Python of the environments, as `uv venv --python` takes it; the programs want 3.12 or later."""

_MINUTES: Final = 15


def environment(lock: Path, say: Say, python: str = PYTHON) -> Path:
    """The folder of programs of an environment, which is made where it is not there yet.

    Args:
        lock: Requirements with their hashes.
        say: Told before it is made.
        python: Its Python, as `uv venv --python` takes it.

    Raises:
        Skipped: There is no such Python, or a package cannot be had.
    """
    digest = hashlib.sha256(lock.read_bytes() + python.encode()).hexdigest()[:12]
    name = lock.stem.removeprefix("requirements-")
    folder = ROOT / ".venv" / "proof" / f"{name}-{digest}"
    done = folder / ".done"
    if not done.exists():
        say(f"Making the environment of {name}; this is done once.")
        # What uv would download is a program that nobody has pinned.
        interpreter = ("--no-python-downloads", "--python", python)
        reason = f"{name} wants Python {python}, and there is none here; PROOF_PYTHON names one."
        _uv("venv", "--quiet", "--clear", *interpreter, str(folder), otherwise=reason)
        installed = str(folder / "bin" / "python")
        _uv("pip", "sync", "--quiet", "--python", installed, "--require-hashes", str(lock))
        done.touch()
    return folder / "bin"


def _uv(*arguments: str, otherwise: str | None = None) -> None:
    """Runs uv; raises Skipped with uv's own reason, or with another sentence."""
    uv = Path(sys.executable).parent / "uv"
    if not uv.exists():
        raise Skipped(f"{uv} is not there: make .venv/.dev brings it.")
    try:
        result = subprocess.run(  # noqa: S603  the arguments are our own
            [str(uv), *arguments],
            capture_output=True,
            text=True,
            timeout=60 * _MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Skipped(f"uv {arguments[0]} took more than {_MINUTES} minutes.") from None
    if result.returncode:
        reason = next(iter(result.stderr.strip().splitlines()), "no reason given")
        raise Skipped(otherwise or f"uv {arguments[0]}: {reason.removeprefix('error: ')}")
