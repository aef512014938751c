"""What the two distributions hold, and what the installed one shows."""

import json
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import components

from .conftest import ROOT, Built, build

FACE = """
import json, sys
import pulumi_ack_inference as library
before = [name for name in sys.modules if name.startswith("pulumi_")]
each = {name: getattr(library, name).__module__ for name in library.__all__}
print(json.dumps({"before": before, "each": each, "file": library.__file__}))
"""


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_library_and_nothing_of_the_repository_around_it(built: Built):
    tops = {name.split("/")[0] for name in names(built.wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pulumi_ack_inference"}


def test_the_wheel_holds_every_module_of_the_library_unchanged(built: Built):
    with zipfile.ZipFile(built.wheel) as archive:
        packed = {
            name.removeprefix("pulumi_ack_inference/"): archive.read(name)
            for name in archive.namelist()
            if name.endswith(".py")
        }
    folder = ROOT / "components"
    modules = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.py")
        if path.parent.name != "plugin"  # It runs from a checkout, and is no part of the library.
    }
    assert packed == modules


def test_the_wheel_says_that_it_is_typed(built: Built):
    assert "pulumi_ack_inference/py.typed" in names(built.wheel)


def test_the_wheel_depends_on_the_two_sdks_and_pydantic_alone(built: Built):
    with zipfile.ZipFile(built.wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    needed = [line.split()[1] for line in lines if line.startswith("Requires-Dist")]
    packages = sorted(re.split("[<>]", requirement)[0] for requirement in needed)
    assert packages == ["pulumi", "pulumi-alicloud", "pulumi-kubernetes", "pydantic"]


def test_the_sdist_holds_the_library_with_its_examples_and_papers(built: Built):
    with tarfile.open(built.sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    papers = {"CHANGELOG.md", "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", ".gitignore"}
    assert tops == {"components", "examples", *papers}


def test_the_wheel_made_from_the_sdist_is_the_same_wheel(built: Built, tmp_path: Path):
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    again = build(source, tmp_path / "dist", "wheel")
    assert again.wheel.read_bytes() == built.wheel.read_bytes()


def test_every_public_name_is_there_under_the_name_of_the_wheel(clean_python: Path, tmp_path: Path):
    """A room is loaded when it is first asked for, so that a program loads no SDK in vain."""
    result = subprocess.run(
        [str(clean_python), "-P", "-W", "ignore", "-c", FACE],
        cwd=tmp_path,
        env={},
        capture_output=True,
        check=True,
    )
    face = json.loads(result.stdout)
    assert sorted(face["before"]) == ["pulumi_ack_inference", "pulumi_ack_inference.lazy"]
    assert list(face["each"]) == components.__all__
    assert all(module.startswith("pulumi_ack_inference.") for module in face["each"].values())
    assert face["file"].startswith(str(clean_python.parents[1]))
