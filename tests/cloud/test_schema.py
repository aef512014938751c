from typing import Any

import pytest

from plan.model import UNKNOWN, Resource
from tests.provider_schema import errors, needs_schema

pytestmark = needs_schema


def resource(type_: str, **inputs: Any) -> Resource:
    return Resource("urn", type_, "one", "", True, "", [], inputs, False)


def pool(**inputs: Any) -> Resource:
    return resource("alicloud:cs/nodePool:NodePool", clusterId="c1", nodePoolName="a", **inputs)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"instanceType": "a"}, "instanceType is not a property"),
        ({"scalingConfig": {"maximum": 1}}, "scalingConfig.maximum is not a property"),
        ({"labels": [{"value": "a"}]}, "labels[0].key is required"),
        ({"labels": {"a": "b"}}, "labels is {'a': 'b'}, not a List"),
        ({"labels": ["a"]}, "labels[0] is 'a', not an object"),
        ({"scalingConfig": [{}]}, "scalingConfig is [{}], not an object"),
        ({"desiredSize": 2}, "desiredSize is 2, not a String"),
        ({"systemDiskSize": "120"}, "systemDiskSize is '120', not a Int"),
        ({"unschedulable": "true"}, "unschedulable is 'true', not a Bool"),
        ({"nodePoolId": "np1"}, "nodePoolId is computed by the provider"),
        ({"platform": "CentOS"}, "platform is deprecated"),
        ({"keyName": "a", "password": "b"}, "keyName conflicts with password"),
        ({"instances": ["i"] * 101}, "instances has 101 items, 100 are allowed"),
    ],
)
def test_what_the_provider_refuses_is_found(inputs: dict[str, Any], sentence: str) -> None:
    assert sentence in errors(pool(**inputs))


def test_what_is_missing_is_found() -> None:
    faults = errors(resource("alicloud:cs/nodePool:NodePool"))
    assert "clusterId is required" in faults
    assert "exactly one of name, nodePoolName is required" in faults


def test_two_of_one_choice_are_found() -> None:
    faults = errors(resource("alicloud:log/project:Project", projectName="a", name="a"))
    assert "exactly one of name, projectName is required" in faults


def test_what_is_unknown_yet_fits_everywhere() -> None:
    assert errors(pool(systemDiskSize=UNKNOWN, labels=UNKNOWN, scalingConfig=UNKNOWN)) == []


def test_a_type_of_no_schema_is_found() -> None:
    assert errors(resource("alicloud:x/y:Z")) == ["alicloud:x/y:Z is not in the schema"]
