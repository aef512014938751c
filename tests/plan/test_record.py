"""What a recorded plan knows of values that it does not show."""

import asyncio
from typing import Any, Final

import pulumi
import pytest
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace

from plan.model import Marker, Plan
from plan.record import record

CANARY: Final = "canary-of-a-secret"


def inputs(plan: Plan, name: str) -> Any:
    [match] = [resource.inputs for resource in plan.resources if resource.name == name]
    return match


def owners(value: Any) -> set[str]:
    assert isinstance(value, Marker)
    return {urn.rpartition("::")[2] for urn in value.origin}


def test_each_unknown_value_knows_the_resources_that_it_comes_from() -> None:
    def program() -> None:
        first, second = (Namespace(name, metadata={"name": name}) for name in ("one", "two"))
        mixed = pulumi.Output.concat(first.id, "/", second.id)
        ConfigMap("all", data={"one": first.id, "two": second.id, "both": mixed, "name": "known"})

    data = inputs(record(program), "all")["data"]
    assert {key: owners(data[key]) for key in ("one", "two", "both")} == {
        "one": {"one"},
        "two": {"two"},
        "both": {"one", "two"},
    }
    assert data["name"] == "known"
    assert not isinstance(data["name"], Marker)


def test_what_a_resource_is_given_it_hands_on_at_once() -> None:
    def program() -> None:
        space = Namespace("space", metadata={"name": pulumi.Output.from_input("models")})
        ConfigMap("user", metadata={"namespace": space.metadata["name"]})

    assert inputs(record(program), "user")["metadata"] == {"namespace": "models"}


def test_a_secret_has_a_digest_of_this_run_and_nothing_else() -> None:
    def program(value: str = CANARY) -> None:
        ConfigMap("user", data={"a": pulumi.Output.secret(value)})

    def secret(salt: bytes, value: str = CANARY) -> Marker:
        plan = record(lambda: program(value), salt=salt)
        assert CANARY not in repr(plan)
        data = inputs(plan, "user")["data"]["a"]
        assert isinstance(data, Marker)
        assert (data, data.origin) == ("[secret]", frozenset())
        return data

    assert secret(b"a").digest == secret(b"a").digest
    assert secret(b"a").digest != secret(b"b").digest
    assert secret(b"a").digest != secret(b"a", "another").digest


def test_a_secret_that_is_not_known_yet_knows_whose_it_is() -> None:
    def program() -> None:
        space = Namespace("space")
        ConfigMap("user", data={"a": pulumi.Output.secret(space.id)})

    data = inputs(record(program), "user")["data"]["a"]
    assert (str(data), data.digest, owners(data)) == ("[secret]", "", {"space"})


def test_a_secret_stays_secret_on_its_way_through_a_resource() -> None:
    def program() -> None:
        first = ConfigMap("first", data={"a": pulumi.Output.secret(CANARY)})
        ConfigMap("second", data=first.data)

    plan = record(program)
    assert CANARY not in repr(plan)
    assert inputs(plan, "second")["data"] == "[secret]"


def test_options_that_decide_over_a_change_are_recorded() -> None:
    def program() -> None:
        options = pulumi.ResourceOptions(
            replace_on_changes=["data"], delete_before_replace=True, ignore_changes=["metadata"]
        )
        space = Namespace("space")
        ConfigMap("user", data={"a": space.id}, opts=options)

    [user] = [resource for resource in record(program).resources if resource.name == "user"]
    assert tuple(user.replace_on_changes) == ("data",)
    assert user.delete_before_replace
    assert tuple(user.ignore_changes) == ("metadata",)
    assert [urn.rpartition("::")[2] for urn in user.property_dependencies["data"]] == ["space"]


class Group(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Group", name, {}, opts)
        ConfigMap(f"{name}-notes", opts=pulumi.ResourceOptions(parent=self))
        ConfigMap("own", opts=pulumi.ResourceOptions(parent=self, aliases=[OLD]))


OLD: Final = pulumi.Alias(name="former")
MAP: Final = "kubernetes:core/v1:ConfigMap"


@pytest.mark.parametrize(
    ("alias", "group", "notes"),
    [
        (pulumi.Alias(name="old"), "shop:index:Group::old", f"shop:index:Group${MAP}::old-notes"),
        (
            pulumi.Alias(type_="shop:index:Team"),
            "shop:index:Team::new",
            f"shop:index:Team${MAP}::new-notes",
        ),
    ],
)
def test_aliases_reach_the_children_as_they_do_in_the_engine(
    alias: pulumi.Alias, group: str, notes: str
) -> None:
    plan = record(lambda: Group("new", pulumi.ResourceOptions(aliases=[alias])))
    aliases = {resource.name: list(resource.aliases) for resource in plan.resources}
    head = "urn:pulumi:test::ack-inference"
    assert aliases["new"] == [f"{head}::{group}"]
    assert aliases["new-notes"] == [f"{head}::{notes}"]
    parents = ["shop:index:Group", group.rpartition("::")[0]]
    assert set(aliases["own"]) >= {f"{head}::{parent}${MAP}::former" for parent in parents}


def test_an_alias_may_name_another_place_altogether() -> None:
    def program() -> None:
        aliases = [
            pulumi.Alias(parent="urn:pulumi:test::ack-inference::shop:index:Group::far"),
            pulumi.Alias(stack="other", project="shop"),
            "urn:pulumi:a::b::c::d",
        ]
        ConfigMap("here", opts=pulumi.ResourceOptions(aliases=aliases))

    [moved] = record(program).resources
    assert set(moved.aliases) == {
        f"urn:pulumi:test::ack-inference::shop:index:Group${MAP}::here",
        f"urn:pulumi:other::shop::{MAP}::here",
        "urn:pulumi:a::b::c::d",
    }


def test_a_program_is_recorded_where_an_event_loop_has_come_and_gone():
    asyncio.run(asyncio.sleep(0))
    assert record(lambda: pulumi.export("is", "there")).outputs == {"is": "there"}
