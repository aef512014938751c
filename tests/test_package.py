"""The public face of the library: its names, and components that the plugin host can read."""

import ast
import enum
import inspect
import json
import subprocess
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pulumi
import pytest
from pulumi.provider.experimental.component import ComponentProvider
from pydantic import BaseModel

import components
from components import cloud, crds, platform, serving
from components.annotations import simplify_annotations

ROOT = Path(__file__).parents[1]
ROOMS = (cloud, platform, serving)
COMPONENTS = [
    value
    for room in ROOMS
    for value in (getattr(room, name) for name in room.__all__)
    if inspect.isclass(value) and issubclass(value, pulumi.ComponentResource)
]


def parts(annotation: object) -> Iterator[type]:
    """The models and enums that a type is made of."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel | enum.Enum):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from parts(inner)


def reachable(*roots: type) -> set[type]:
    """Models, and the models and enums of their fields."""
    types: set[type] = set()
    waiting = [*roots]
    while waiting:
        type_ = waiting.pop()
        if type_ not in types:
            types.add(type_)
            fields = type_.model_fields.values() if issubclass(type_, BaseModel) else ()
            waiting += [part for field in fields for part in parts(field.annotation)]
    return types


def test_the_top_level_holds_the_rooms_of_components_what_they_are_made_of_and_the_policy():
    """No more of the custom resources: other kinds share names with ours, such as Placement."""
    of_rooms = {getattr(room, name) for room in ROOMS for name in room.__all__}
    models = [model for model in of_rooms if issubclass(model, BaseModel)]
    needed = reachable(*models, crds.ResourcePolicySpec) | of_rooms | {crds.ResourcePolicy}
    exports = {getattr(components, name) for name in components.__all__}
    assert exports == needed
    assert len(components.__all__) == len(needed)


def test_the_top_level_offers_nothing_private_and_no_tool_of_its_own():
    public = {name for name in dir(components) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(components, name))}
    assert public - modules == {*components.__all__}
    assert sorted(components.__all__) == components.__all__
    assert [
        name for name in components.__all__ if not inspect.isclass(getattr(components, name))
    ] == []


@pytest.mark.parametrize("name", ["Skale", "_ROOM", "service_spec"])
def test_a_name_that_the_library_does_not_have_is_an_error(name: str):
    with pytest.raises(AttributeError, match=f"module 'components' has no attribute '{name}'"):
        getattr(components, name)


def test_every_public_name_says_what_it_is():
    undocumented = [
        name for name in components.__all__ if not (getattr(components, name).__doc__ or "").strip()
    ]
    assert undocumented == []


@pytest.mark.parametrize("package", [components, *ROOMS, crds], ids=lambda room: room.__name__)
def test_a_package_offers_what_a_type_checker_reads_each_name_once(package: ModuleType):
    stub = ast.parse(Path(str(package.__file__)).with_name("__init__.pyi").read_text())
    assert {type(node) for node in stub.body} == {ast.ImportFrom}
    names: list[str] = []
    for node in stub.body:
        home = import_module("." * node.level + node.module, package.__name__)
        is_all = [alias.name for alias in node.names] == ["*"]
        assert is_all or all(alias.name == alias.asname for alias in node.names)
        offered = home.__all__ if is_all else [alias.name for alias in node.names]
        assert all(getattr(package, name) is getattr(home, name) for name in offered)
        names += offered
    assert sorted(names) == package.__all__
    assert len({*names}) == len(names)


@pytest.mark.parametrize("room", [*ROOMS, crds], ids=lambda room: room.__name__)
def test_a_name_that_a_room_does_not_have_is_an_error(room: ModuleType):
    unknown = "Skale"
    with pytest.raises(
        AttributeError, match=f"module '{room.__name__}' has no attribute '{unknown}'"
    ):
        getattr(room, unknown)


def test_a_name_loads_no_neighbour_that_it_does_not_need():
    names = "KnativeModel, KnativeModelArgs, ModelCache, ModelCacheArgs, Placement, PlacementArgs"
    program = f"from components import {names}; import sys; print(*sys.modules)"
    python = [sys.executable, "-W", "ignore", "-c", program]
    loaded = subprocess.run(python, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    unwanted = {
        f"components.{module}"
        for module in ("cloud", "platform", "crds.kserve", "crds.autoscaling", "crds.monitoring")
    } | {f"components.serving.{module}" for module in ("kserve_model", "load_test", "training_job")}
    assert unwanted & {*loaded.split()} == set()


@pytest.mark.parametrize(
    ("name", "unwanted"),
    [("catalog.gpus", "pulumi"), ("serving", "pulumi_alicloud")],
)
def test_a_part_of_the_library_loads_no_sdk_that_it_does_not_need(name: str, unwanted: str):
    program = f"import components.{name}, sys; sys.exit({unwanted!r} in sys.modules)"
    python = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.run(python, cwd=ROOT, check=False).returncode == 0


# The SDK leaves its plugin descriptions open.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_plugin_host_can_read_all_components_together():
    """Does not prove that a program in another language can construct them."""
    simplify_annotations()
    host = ComponentProvider(COMPONENTS, "ack-inference", version="0.1.0")  # type: ignore[arg-type]
    names = {f"ack-inference:index:{component.__name__}" for component in COMPONENTS}
    assert names == set(json.loads(host.schema)["resources"])


def test_every_component_says_what_exists_afterwards():
    assert [
        component.__name__ for component in COMPONENTS if not (component.__doc__ or "").strip()
    ] == []
