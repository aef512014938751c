"""What the simulated provider refuses before it asks the cloud.

Does not prove that the table is the schema of the plugin that a stack is deployed with.
"""

import importlib
import inspect
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pytest

from plan.changes import Change
from plan.model import Resource
from plan.providers.alicloud import replaces, resources
from plan.run import plan
from sandbox.cloud.schema import computed, defaults, faults, secret
from sandbox.plugin import PropertyFault
from sandbox.values import UNKNOWN
from tests.provider_schema import NEWER, SCHEMA, needs_schema
from tests.stacks.environments import NAMES, ROOT

CLUSTER: Final = "alicloud:cs/managedKubernetes:ManagedKubernetes"
POOL: Final = "alicloud:cs/nodePool:NodePool"
BUCKET: Final = "alicloud:oss/bucket:Bucket"
POLICY: Final = "alicloud:ram/policy:Policy"


@cache
def declared() -> list[tuple[str, Resource]]:
    """What every stack declares in the cloud, with the name of the stack."""
    return [
        (stack, resource)
        for stack in NAMES
        for resource in plan(stack, ROOT).resources
        if resource.type.startswith("alicloud:")
    ]


def pool(**inputs: Any) -> list[tuple[str, str]]:
    """What is wrong with a node pool that has nothing but these inputs and what it must have."""
    return said(faults(POOL, {"clusterId": "c1", "nodePoolName": "a10", **inputs}))


def said(findings: list[PropertyFault]) -> list[tuple[str, str]]:
    return [(fault.property, fault.reason) for fault in findings]


def rows(properties: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of the facts file as the table has them: Pulumi's names, and nothing deprecated.

    Args:
        properties: Some properties of a resource.
        top: All properties of the resource, which rivals are named after at any depth.
    """
    return {name: _row(definition, top) for name, definition in properties.items()}


def _row(definition: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in definition.items() if key != "deprecated"}
    for key in ("conflicts_with", "exactly_one_of"):
        if key in row:
            row[key] = sorted(_pulumi_name(name, top) for name in row[key])
    if "fields" in row:
        row["fields"] = rows(row["fields"], top)
    return row


def _pulumi_name(terraform_name: str, top: Mapping[str, Any]) -> str:
    name = _camel(terraform_name)
    return name if name in top else f"{name}s"


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


@needs_schema
@pytest.mark.parametrize("type_", resources())
def test_a_row_of_the_table_says_what_the_facts_say(type_: str) -> None:
    properties = {**json.loads(SCHEMA.read_text())[type_]["properties"], **NEWER.get(type_, {})}
    assert resources()[type_] == rows(properties, properties)


@pytest.mark.parametrize("type_", resources())
def test_a_row_has_every_input_that_the_sdk_has(type_: str) -> None:
    """What it lacks, the sandbox refuses, and a diff takes for an update."""
    _, module, name = type_.split(":")
    sdk = importlib.import_module(f"pulumi_alicloud.{module.partition('/')[0]}")
    inputs = inspect.signature(getattr(sdk, name)._internal_init).parameters
    further = {"__self__", "__props__", "opts", "resource_name"}
    assert {_camel(word) for word in inputs.keys() - further} <= set(resources()[type_])


def test_another_way_to_outlive_a_zone_replaces_a_nat_gateway() -> None:
    change = Change(("availabilityMode",), "UPDATE")
    assert replaces("alicloud:vpc/natGateway:NatGateway", change)


@pytest.mark.parametrize("type_", resources())
def test_a_rival_in_the_table_is_a_property_of_the_resource(type_: str) -> None:
    properties = resources()[type_]
    nested = [
        inner
        for definition in properties.values()
        for inner in definition.get("fields", {}).values()
    ]
    rivals = {
        rival
        for definition in [*properties.values(), *nested]
        for rival in [*definition.get("conflicts_with", ()), *definition.get("exactly_one_of", ())]
    }
    assert rivals <= set(properties)


def test_the_table_has_a_row_for_each_type_that_a_stack_declares_and_no_other() -> None:
    assert {resource.type for _, resource in declared()} == set(resources())


def test_nothing_that_a_stack_declares_has_a_fault() -> None:
    findings = {
        f"{stack} {resource.name}": said(faults(resource.type, resource.inputs))
        for stack, resource in declared()
    }
    assert {name: wrong for name, wrong in findings.items() if wrong} == {}


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"instanceType": "a"}, ("instanceType", "no such property")),
        ({"scalingConfig": {"most": 1}}, ("scalingConfig.most", "no such property")),
        (
            {"labels": [{"key": "a"}, {"key": "b", "name": "c"}]},
            ("labels.name", "no such property"),
        ),
        (
            {"management": {"autoVulFixPolicy": {"level": "asap"}}},
            ("management.autoVulFixPolicy.level", "no such property"),
        ),
        ({"taints": [{"value": "present"}]}, ("taints.key", "missing, but required")),
        (
            {"internetChargeType": "PayByTraffic", "scalingConfig": {"eipBandwidth": 5}},
            ("scalingConfig.eipBandwidth", "conflicts with internetChargeType"),
        ),
        ({"instances": ["i"] * 101}, ("instances", "more than 100 items")),
        (
            {"nodePoolName": "a", "name": "a"},
            ("name", "exactly one of name, nodePoolName must be given"),
        ),
    ],
)
def test_what_the_provider_refuses_is_a_fault_of_that_property(
    inputs: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert pool(**inputs) == [fault]


@pytest.mark.parametrize(
    "inputs",
    [
        {"instanceTypes": ["a"]},
        {"scalingConfig": {"maxSize": 1}},
        {"labels": [{"key": "a"}, {"key": "b", "value": "c"}]},
        {"management": {"autoVulFixPolicy": {"vulLevel": "asap"}}},
        {"taints": [{"key": "nvidia.com/gpu"}]},
        {"taints": []},
        {"internetChargeType": "PayByTraffic", "scalingConfig": {"maxSize": 5}},
        {"instances": ["i"] * 100},
        {"tags": {"any": "key"}},
        {"labels": UNKNOWN, "scalingConfig": UNKNOWN, "systemDiskSize": UNKNOWN},
    ],
)
def test_what_the_provider_takes_has_no_fault(inputs: dict[str, Any]) -> None:
    assert pool(**inputs) == []


def test_two_rivals_are_each_told_of_the_other() -> None:
    assert pool(keyName="a", password="b") == [  # noqa: S106
        ("keyName", "conflicts with password"),
        ("password", "conflicts with keyName"),
    ]
    assert pool(keyName="a") == pool(password="b") == []  # noqa: S106


def test_a_rival_whose_name_is_plural_in_pulumi_is_one_all_the_same() -> None:
    inputs = {"policyName": "a", "policyDocument": "{}"}
    statement = {"actions": ["oss:Get*"], "effect": "Allow", "resources": ["*"]}
    assert faults(POLICY, inputs) == []
    assert said(faults(POLICY, {**inputs, "statements": [statement]})) == [
        ("policyDocument", "conflicts with statements")
    ]


def test_what_is_required_is_missed() -> None:
    assert said(faults(POOL, {"nodePoolName": "a10"})) == [("clusterId", "missing, but required")]


@pytest.mark.parametrize("names", [[], ["vswitchIds", "zoneIds"]])
def test_a_choice_has_to_be_made_once(names: list[str]) -> None:
    sentence = "exactly one of vswitchIds, workerVswitchIds, zoneIds must be given"
    assert said(faults(CLUSTER, {name: ["a"] for name in names})) == [("vswitchIds", sentence)]


@pytest.mark.parametrize("name", ["vswitchIds", "workerVswitchIds", "zoneIds"])
def test_a_choice_that_is_made_once_has_no_fault(name: str) -> None:
    assert faults(CLUSTER, {name: ["a"]}) == []


def test_every_fault_of_a_resource_is_told_at_once() -> None:
    findings = pool(instanceType="a", taints=[{}], keyName="a", password="b")  # noqa: S106
    assert len(findings) == 4


@pytest.mark.parametrize(
    ("type_", "path", "only_a_new_one"),
    [
        (BUCKET, ("storageClass",), True),
        (BUCKET, ("tags", "team"), False),
        (POOL, ("instanceMetadataOptions", "httpTokens"), True),
        (POOL, ("securityGroupIds", 0), True),
        (POOL, ("scalingConfig", "maxSize"), False),
        (POOL, ("labels", 0, "key"), False),
        (CLUSTER, ("autoMode", "enabled"), True),
        (CLUSTER, ("serviceCidr",), True),
        (CLUSTER, ("version",), False),
        (CLUSTER, ("unheard", "of"), False),
    ],
)
def test_a_change_replaces_where_the_provider_says_so(
    type_: str, path: tuple[str | int, ...], only_a_new_one: bool
) -> None:
    assert replaces(type_, Change(path, "UPDATE")) is only_a_new_one


def test_a_property_replaces_with_the_one_that_it_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"inner": {"fields": {"old": {}, "fixed": {"replaces": True}}}}
    monkeypatch.setattr("plan.providers.alicloud.resources", lambda: {"a:b:C": fields})
    assert replaces("a:b:C", Change(("inner", 0, "fixed"), "ADD"))
    assert not replaces("a:b:C", Change(("inner", 0, "old"), "ADD"))


def test_the_table_tells_what_is_secret_computed_or_has_a_default() -> None:
    assert secret(POOL) == {"kmsEncryptedPassword", "password"}
    assert computed(POOL) == {"nodePoolId": "String", "scalingGroupId": "String", "vpcId": "String"}
    assert defaults(BUCKET)["storageClass"] == "Standard"
    assert "bucket" not in defaults(BUCKET)
