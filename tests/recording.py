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
    [resource] = resources
    return resource


def options(component: Component, name: str, args: Any) -> dict[str, pulumi.ResourceOptions]:
    """Options of what a component registers, by name."""
    opts: dict[str, pulumi.ResourceOptions] = {}

    def note(registration: pulumi.ResourceTransformationArgs) -> None:
        opts[registration.name] = registration.opts

    record(lambda: component(name, args, pulumi.ResourceOptions(transformations=[note])))
    return opts


def refused(component: Component, name: str, args: Any) -> list[str]:
    """The sentences that refuse a component, of which nothing was registered by then."""
    sentences: list[str] = []

    def program() -> None:
        with pytest.raises(pulumi.RunError) as caught:
            component(name, args, None)
        heading, *faults = str(caught.value).splitlines()
        assert heading.endswith(" is refused:")
        sentences.extend(faults)

    assert record(program).resources == []
    return sentences


def outputs(component: Component, name: str, args: Any, *names: str) -> dict[str, Any]:
    """Outputs of a component, as a program can export them."""

    def program() -> None:
        resource = component(name, args, None)
        for output in names:
            pulumi.export(output, getattr(resource, output))

    return dict(record(program).outputs)


def assert_is_a_good_parent(component: Component, token: str, args: Any, roles: set[str]) -> None:
    """Its children are called after it, below it, and get what the caller told it."""

    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="{}")
        first = kubernetes.core.v1.Namespace("first", opts=pulumi.ResourceOptions())
        opts = pulumi.ResourceOptions(providers=[provider], depends_on=[first])
        component("it", args, opts)

    plan = record(program)
    parent = only(plan.of(f"ack-inference:index:{token}"))
    [first] = [resource for resource in plan.resources if resource.name == "first"]
    children = [resource for resource in plan.resources if resource.parent == parent.urn]
    assert (parent.name, parent.custom) == ("it", False)
    assert {child.name for child in children} == {f"it-{role}" for role in roles}
    assert all(first.urn in child.dependencies for child in children)
    inside = [child for child in children if child.type.startswith("kubernetes:")]
    assert inside
    assert all("::cluster::" in child.provider for child in inside)
