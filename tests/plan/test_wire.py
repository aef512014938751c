import json

from plan.model import Marker, Plan
from plan.wire import from_wire, to_wire
from tests.plan.diff.prepared import as_it_is


def test_a_plan_survives_the_way_between_two_processes() -> None:
    plan = as_it_is("dev")
    copy = from_wire(json.loads(json.dumps(to_wire(plan))))
    assert to_wire(copy) == to_wire(plan)
    assert [resource.urn for resource in copy.resources] == [
        resource.urn for resource in plan.resources
    ]
    [claim] = [resource for resource in copy.resources if resource.name == "network-nat"]
    assert isinstance(claim.inputs["vpcId"], Marker)
    assert {urn.rpartition("::")[2] for urn in claim.inputs["vpcId"].origin} == {"network-vpc"}


def test_a_map_of_a_program_stays_a_map() -> None:
    plan = Plan("shop", "dev", (), outputs={"origin": ["a"], "digest": {"b": "c"}})
    assert from_wire(to_wire(plan)).outputs == plan.outputs
