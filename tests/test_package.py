"""The library as other teams get it: a wheel, and components that the plugin host can read."""

import inspect
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components import cloud, platform, serving

ROOT = Path(__file__).parents[1]
COMPONENTS = [
    value
    for room in (cloud, platform, serving)
    for value in vars(room).values()
    if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource)
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_library_and_nothing_of_the_repository_around_it(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pulumi_ack_inference"}


def test_the_wheel_can_be_imported_under_its_own_name(wheel: Path, tmp_path: Path):
    rooms = "from pulumi_ack_inference import cloud, crds, platform, serving"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", rooms],
        cwd=tmp_path,
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# The SDK leaves its plugin descriptions open.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_plugin_host_can_read_all_components_together():
    """Does not prove that a program in another language can construct them."""
    host = ComponentProvider(COMPONENTS, "ack-inference", version="0.1.0")  # type: ignore[arg-type]
    names = {f"ack-inference:index:{component.__name__}" for component in COMPONENTS}
    assert names == set(json.loads(host.schema)["resources"])


def test_every_component_says_what_exists_afterwards():
    assert [one.__name__ for one in COMPONENTS if not (one.__doc__ or "").strip()] == []
