"""A plan is what it would be if the SDK registered each resource by itself."""

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import pulumi
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pulumi_alicloud import vpc
from pulumi_kubernetes import Provider
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ContainerArgs,
    Namespace,
    Pod,
    PodSpecArgs,
    Secret,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from plan import registrations
from plan.record import record
from plan.run import plan
from plan.wire import to_wire
from stacks import Secrets, deploy
from stacks.parts import ResolvedEnvironment
from tests.stacks.environments import NAMES, ROOT, Raw, validated
from tests.stacks.mutations import broken_files

EXAMPLES: Final = sorted(path.parent for path in ROOT.glob("examples/*/__main__.py"))
GENERATED: Final = 10 * int(os.environ.get("ACK_INFERENCE_EXAMPLES", "1"))
"""Environments that are planned both ways; every night they are 250."""

Planned = Callable[..., Any]
Outcome = dict[str, Any] | tuple[str, str]


def outcome(planned: Planned, *, by_sdk: bool) -> Outcome:
    """All that a plan holds, its resources by URN, or what was raised instead."""
    try:
        wire = to_wire(planned(by_sdk=by_sdk))
    except Exception as error:
        return type(error).__name__, str(error)
    resources = {resource["urn"]: resource for resource in wire.pop("resources")}
    return {**wire, "resources": resources}


def agree(planned: Planned) -> Outcome:
    """What comes of a plan, which is the same either way."""
    result, sdks = outcome(planned, by_sdk=False), outcome(planned, by_sdk=True)
    assert result == sdks
    # JSON tells 1 from 1.0, and the order of keys.
    assert (
        json.dumps(result) == json.dumps(sdks) or isinstance(result, tuple) or _sorted(result, sdks)
    )
    return result


def _sorted(result: Outcome, sdks: Outcome) -> bool:
    assert isinstance(result, dict)
    assert isinstance(sdks, dict)
    return all(
        json.dumps(resource["inputs"]) == json.dumps(sdks["resources"][urn]["inputs"])
        for urn, resource in result["resources"].items()
    )


@contextlib.contextmanager
def by_sdk() -> Iterator[Counter[str]]:
    """Counts the resources that are left to the SDK, by name."""
    names: Counter[str] = Counter()
    register = registrations.runtime.register_resource

    def counted(resource: Any, type_: str, name: str, *rest: Any) -> None:
        names[name] += 1
        register(resource, type_, name, *rest)

    with patch.object(registrations.runtime, "register_resource", counted):
        yield names


@pytest.mark.parametrize("stack", NAMES)
def test_each_stack_is_planned_as_the_sdk_would_register_it(stack: str) -> None:
    agree(lambda **how: plan(stack, ROOT, **how))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_each_example_is_planned_as_the_sdk_would_register_it(folder: Path) -> None:
    agree(lambda **how: plan("dev", folder, **how))


def generated_environments(count: int) -> list[ResolvedEnvironment]:
    """Environments of files that are changed at random and still accepted, no two the same."""
    environments: dict[str, ResolvedEnvironment] = {}

    @settings(
        max_examples=100 * count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(broken_files(most=6))
    def collect(generated: tuple[str, Raw]) -> None:
        _, raw = generated
        if len(environments) == count:
            raise Enough
        if (parts := validated(raw).resolved) is not None:
            environments[json.dumps(raw)] = parts

    with contextlib.suppress(Enough):
        collect()
    return list(environments.values())


class Enough(Exception):
    """There are as many as are wanted."""


def test_generated_environments_are_planned_as_the_sdk_would_register_them() -> None:
    environments = generated_environments(GENERATED)
    assert len(environments) == GENERATED
    for parts in environments:
        canaries = {
            secret.name: pulumi.Output.secret("https://CANARY")
            for secret in fields(Secrets)
            if getattr(parts.environment, secret.name)
        }
        secrets_ = Secrets(**canaries)
        agree(
            lambda parts=parts, secrets=secrets_, **how: record(
                lambda: deploy(parts, secrets), stack="dev", **how
            )
        )


def test_next_to_nothing_of_a_stack_is_left_to_the_sdk() -> None:
    """Aliases are; without this, all could be, and nobody would see it but by the time it takes."""
    with by_sdk() as names:
        planned = plan("dev", ROOT)
    aliased = {resource.name for resource in planned.resources if "priority" in resource.name}
    assert names.keys() <= aliased


# --- programs that ask for what a stack does not -------------------------------------------------


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Group", name, {"size": 3, "label": None}, opts)
        self.map = ConfigMap(f"{name}-map", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({"map": self.map.id, "own": self.map})


class Color(StrEnum):
    RED = "red"


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


def custom(name: str, spec: Any, **options: Any) -> CustomResource:
    return CustomResource(
        name,
        api_version="shop/v1",
        kind="Thing",
        spec=spec,
        metadata={"name": name},
        opts=pulumi.ResourceOptions(**options),
    )


def plain_values() -> None:
    spec = {"a": 1, "b": 1.5, "c": True, "d": None, "e": [], "f": {}, "g": [None, {"h": ()}]}
    first = custom("first", {**spec, "z": Color.RED, "ü": "ü", "n": 2.0, "k": -3})
    custom("second", first.spec)
    custom("third", {"text": pulumi.Output.format("{0}, {1}", first.spec["a"], first.spec["g"])})


def typed_values() -> None:
    metadata = ObjectMetaArgs(name="pod", labels={"app_name": "x"}, owner_references=[])
    containers = [ContainerArgs(name="a", image="b", ports=[{"container_port": 80}])]
    spec = PodSpecArgs(containers=containers, service_account_name="s", node_selector={"a_b": "c"})
    pod = Pod("pod", metadata=metadata, spec=spec)
    custom("user", {"ports": pod.spec.containers[0].ports, "meta": pod.metadata})
    custom("names", {"name": pod.metadata.name})


def secrets() -> None:
    deep = pulumi.Output.secret({"a": [1, "b"]})
    first = Secret("first", string_data={"a": pulumi.Output.secret("x"), "b": "plain"})
    second = custom("second", {"data": first.string_data, "deep": {"er": deep}, "id": first.id})
    custom("third", second.spec)
    custom("fourth", {"id": pulumi.Output.secret(first.id), "un": pulumi.Output.unsecret(deep)})
    pulumi.export("secret", deep)


def nested_outputs() -> None:
    space = Namespace("space")
    hidden = pulumi.Output.secret("x")
    mixed = pulumi.Output.from_input("x").apply(lambda _: {"a": [space.id], "b": hidden})
    custom("user", {"mixed": mixed, "both": pulumi.Output.all(space.id, hidden)})
    custom("sent", {"unknown": pulumi.runtime.rpc.UNKNOWN})


def dependencies() -> None:
    group = Group("group")
    space = Namespace("space", opts=pulumi.ResourceOptions(depends_on=group))
    listed = pulumi.Output.from_input([space, group.map])
    custom("listed", {}, depends_on=listed)
    custom("output", {"group": group.urn}, depends_on=[pulumi.Output.from_input(space)])


def late_child() -> None:
    group = Group("group")
    custom("user", {}, depends_on=[group])
    ConfigMap("late", opts=pulumi.ResourceOptions(parent=group))


def within_an_apply() -> None:
    text = pulumi.Output.from_input("x")
    text.apply(lambda value: Namespace(f"space-{value}"))
    text.apply(lambda value: custom("user", {"value": value}))


def providers() -> None:
    provider = Provider("cluster", kubeconfig=pulumi.Output.secret("x"), context="y")
    group = Group("group", pulumi.ResourceOptions(providers=[provider]))
    ConfigMap("map", opts=pulumi.ResourceOptions(provider=provider, parent=group))
    vpc.Network("net", cidr_block="10.0.0.0/8", opts=pulumi.ResourceOptions(provider=provider))


def options() -> None:
    bucket = vpc.Network(
        "net",
        cidr_block="10.0.0.0/8",
        opts=pulumi.ResourceOptions(
            protect=True,
            ignore_changes=["cidr_block"],
            replace_on_changes=["vpc_name"],
            additional_secret_outputs=["router_id"],
            delete_before_replace=True,
            import_="vpc-1",
            version="3.1.0",
            retain_on_delete=True,
        ),
    )
    custom("user", {"cidr": bucket.cidr_block, "router": bucket.router_id}, parent=bucket)


def aliases() -> None:
    group = Group("group", pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))
    custom("a", {"urn": group.urn}, aliases=["urn:pulumi:a::b::c::d", pulumi.Alias(name="b")])


def left_to_the_sdk() -> None:
    asset = ConfigMap("asset", data=pulumi.Output.from_input({"a": "b"}))
    custom("awaited", {"value": later(3), "asset": pulumi.StringAsset("x")})
    timed = custom("timed", {"a": 1}, custom_timeouts=pulumi.CustomTimeouts(create="5m"))
    custom("after", {"timed": timed.spec, "id": timed.id}, depends_on=[timed])
    custom("gone", {"big": 2**60}, deleted_with=asset)


def reference() -> None:
    custom("user", {"own": Namespace("space")})


def replaced_attribute() -> None:
    class Kept(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("shop:index:Kept", "kept", {"size": later(1)})
            self.size = pulumi.Output.from_input("mine")

    custom("user", {"size": Kept().size})


def transformed() -> None:
    def shout(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        return pulumi.ResourceTransformationResult({**args.props, "extra": "!"}, args.opts)

    custom("user", {}, transformations=[shout])
    custom("gentle", {}, transforms=[lambda args: None])


def exports() -> None:
    space = Namespace("space")
    pulumi.export("space", space)
    pulumi.export("values", {"id": space.id, "n": 1, "list": [1.5, None]})
    pulumi.export("none", None)


def warned() -> None:
    pulumi.log.warn("mind the gap")
    custom("user", {"text": f"{Namespace('space').id}"})


def duplicate() -> None:
    custom("user", {})
    custom("user", {})


def cycle() -> None:
    group = Group("group")
    ConfigMap("inside", opts=pulumi.ResourceOptions(parent=group, depends_on=[group]))


def wrong_value() -> None:
    custom("user", {"set": {1, 2}})


def wrong_key() -> None:
    custom("user", {"a": {1: 2}})


def wrong_text() -> None:
    custom("user", {"a": "\ud800"})


def wrong_type() -> None:
    ConfigMap("user", data="text", metadata=["list"])


def wrong_output_type() -> None:
    vpc.Network("user", cidr_block={"not": "text"})


def wrong_option() -> None:
    custom("user", {}, ignore_changes=[3])


def wrong_outputs() -> None:
    Group("group").register_outputs({"set": {1}})


def failing_apply() -> None:
    failed = pulumi.Output.from_input(1).apply(lambda value: value / 0)
    custom("after", {}, depends_on=[custom("user", {"a": failed})])


def called() -> None:
    custom("user", vpc.get_networks_output(name_regex="x").apply(lambda networks: networks.ids))


def called_later() -> None:
    space = Namespace("space")
    custom("user", {"ids": vpc.get_networks_output(name_regex=space.id).ids})


def raising() -> None:
    custom("user", {})
    raise pulumi.RunError("refused")


ACCEPTED: Final = (
    *(plain_values, typed_values, secrets, nested_outputs, dependencies, late_child),
    *(
        within_an_apply,
        providers,
        options,
        aliases,
        left_to_the_sdk,
        replaced_attribute,
        transformed,
    ),
    *(exports, warned, called_later),
)
REFUSED: Final = (
    *(reference, duplicate, cycle, wrong_value, wrong_key, wrong_text, wrong_type),
    *(wrong_output_type, wrong_option, wrong_outputs, failing_apply, called, raising),
)


@pytest.mark.parametrize("program", ACCEPTED, ids=lambda program: program.__name__)
def test_a_program_is_planned_as_the_sdk_would_register_it(program: Callable[[], None]) -> None:
    assert isinstance(agree(lambda **how: record(program, salt=b"x", **how)), dict)


@pytest.mark.parametrize("program", REFUSED, ids=lambda program: program.__name__)
def test_a_program_fails_as_it_would_with_the_sdk(program: Callable[[], None]) -> None:
    assert isinstance(agree(lambda **how: record(program, **how)), tuple)


def test_what_is_not_understood_is_left_to_the_sdk() -> None:
    with by_sdk() as names:
        record(left_to_the_sdk)
    assert names == {"awaited": 1, "timed": 1, "gone": 1}
