"""What a component registers, with which options, and what it refuses."""

from collections.abc import Callable, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from plan.model import Plan, Resource
from plan.record import record

Component = Callable[[str, Any, pulumi.ResourceOptions | None], pulumi.ComponentResource]


def planned(component: Component, name: str, args: Any) -> Plan:
    """A first preview of one component."""
    return record(lambda: component(name, args, None))


def only(resources: Sequence[Resource]) -> Resource:
    """The one resource of a list."""
    [found] = resources
    return found


def options(component: Component, name: str, args: Any) -> dict[str, pulumi.ResourceOptions]:
    """Options of what a component registers, by name."""
    seen: dict[str, pulumi.ResourceOptions] = {}

    def note(found: pulumi.ResourceTransformationArgs) -> None:
        seen[found.name] = found.opts

    record(lambda: component(name, args, pulumi.ResourceOptions(transformations=[note])))
    return seen


def refused(component: Component, name: str, args: Any) -> list[str]:
    """The sentences that refuse a component, of which nothing was registered by then."""
    sentences: list[str] = []

    def program() -> None:
        with pytest.raises(pulumi.RunError) as caught:
            component(name, args, None)
        heading, *found = str(caught.value).splitlines()
        assert heading.endswith(" is refused:")
        sentences.extend(found)

    assert record(program).resources == []
    return sentences


def outputs(component: Component, name: str, args: Any, *names: str) -> dict[str, Any]:
    """Outputs of a component, as a program can export them."""

    def program() -> None:
        made = component(name, args, None)
        for each in names:
            pulumi.export(each, getattr(made, each))

    return dict(record(program).outputs)


def assert_is_a_good_parent(component: Component, token: str, args: Any, roles: set[str]) -> None:
    """Its children are called after it, below it, and get what the caller told it."""

    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="{}")
        first = kubernetes.core.v1.Namespace("first", opts=pulumi.ResourceOptions())
        told = pulumi.ResourceOptions(providers=[provider], depends_on=[first])
        component("it", args, told)

    plan = record(program)
    parent = only(plan.of(f"ack-inference:index:{token}"))
    [first] = [one for one in plan.resources if one.name == "first"]
    children = [one for one in plan.resources if one.parent == parent.urn]
    assert (parent.name, parent.custom) == ("it", False)
    assert {one.name for one in children} == {f"it-{role}" for role in roles}
    assert all(first.urn in one.dependencies for one in children)
    inside = [one for one in children if one.type.startswith("kubernetes:")]
    assert inside
    assert all("::cluster::" in one.provider for one in inside)
