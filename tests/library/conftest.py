"""The library as other projects get it: built, and installed where nothing else is."""

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Built:
    wheel: Path
    sdist: Path


def build(source: Path, folder: Path, *targets: str) -> Built:
    """Both distributions, or those asked for; two builds of the same files are the same."""
    options = [word for target in targets for word in ("-t", target)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *options],
        cwd=source,
        check=True,
        capture_output=True,
    )
    name = folder / "pulumi_ack_inference-0.1.0"
    return Built(Path(f"{name}-py3-none-any.whl"), Path(f"{name}.tar.gz"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel")


@pytest.fixture(scope="session")
def clean_python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    # The locked versions, since others would test other SDKs than the ones that we have.
    locked = ["--constraint", str(ROOT / "requirements.lock")]
    install = ["uv", "pip", "install", "--quiet", "--python", str(python), *locked]
    done = subprocess.run(
        [*install, str(built.wheel)],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return python
