"""What is lost with a resource is said in the first lines of a diff."""

import pytest

from plan.diff.compare import compare
from plan.diff.dangers import headlines
from plan.model import Plan
from tests.resources import resource
from tests.stacks.environments import dev, planned

LOGS = "alicloud:log/project:Project"
ADDRESS = "alicloud:ecs/eipAddress:EipAddress"
PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"


def said(type_: str, old: dict[str, object], new: dict[str, object] | None) -> list[str]:
    before = Plan("shop", "dev", (resource(type_, "it", old),))
    after = Plan("shop", "dev", () if new is None else (resource(type_, "it", new),))
    return headlines(compare(before, after))


@pytest.mark.parametrize(
    ("type_", "old", "new", "says"),
    [
        (LOGS, {"projectName": "a"}, {"projectName": "b"}, "the logs in the old one are lost"),
        (LOGS, {"projectName": "a"}, None, "the logs in it are lost"),
        (ADDRESS, {"isp": "BGP"}, {"isp": "BGP_PRO"}, "has to be told the new one"),
        (ADDRESS, {"isp": "BGP"}, None, "lets them in no more"),
        (PRIORITY, {"value": 1}, None, "a pod that still names it is not made"),
    ],
)
def test_what_is_lost_with_logs_addresses_and_priorities_is_said(type_, old, new, says):
    [sentence] = said(type_, old, new)
    assert sentence.startswith("This replaces" if new else "This deletes")
    assert says in sentence


def test_tags_of_logs_cost_nothing():
    assert (
        said(LOGS, {"projectName": "a", "tags": {}}, {"projectName": "a", "tags": {"a": "b"}}) == []
    )


def test_another_value_of_a_priority_is_told_of_a_whole_stack():
    old, new = dev(), dev()
    new["priorities"][0]["value"] += 5
    [sentence] = headlines(compare(planned(old), planned(new)))
    assert "another value): no pod that names it is made meanwhile" in sentence
