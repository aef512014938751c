"""What of an update that was cut off stops the next one, and what does not."""

import json
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest

from sandbox.engine import UP, Engine, Pending

from .boxes import needs_engine

pytestmark = needs_engine

PREFIX: Final = "urn:pulumi:dev::ack-inference::"
COMPONENT: Final = "ack-inference:index:ModelFileSystem"
PROVIDER: Final = "pulumi:providers:kubernetes"
NAT: Final = "alicloud:vpc/natGateway:NatGateway"


class Component(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__(COMPONENT, "one")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "Pulumi.yaml").write_text("name: ack-inference\nruntime: python\n")
    engine = Engine(tmp_path, "dev", tmp_path / ".sandbox")
    engine.stack_file.parent.mkdir(parents=True)
    engine.stack_file.write_text("{}")
    return engine


def leave_behind(engine: Engine, type_: str, **of_resource: Any) -> None:
    """Makes the state say that an update was cut off while it made this; `import` would not."""
    resource = {"urn": f"{PREFIX}{type_}::one", "type": type_, **of_resource}
    [path] = (engine.folder / "state" / ".pulumi" / "stacks").rglob("dev.json")
    state = json.loads(path.read_text())
    state["checkpoint"]["latest"]["pending_operations"] = [
        {"resource": resource, "type": "creating"}
    ]
    path.write_text(json.dumps(state))
    assert engine.export()["pending_operations"]


@pytest.mark.parametrize("of_resource", [{"type_": COMPONENT}, {"type_": PROVIDER, "custom": True}])
def test_what_exists_in_the_state_only_does_not_stop_the_next_up(
    engine: Engine, of_resource: dict[str, Any]
):
    assert not engine.run(UP, "", program=Component).errors
    leave_behind(engine, **of_resource)
    assert engine.pending() == []
    outcome = engine.run(UP, "", program=Component)
    assert not outcome.errors
    assert not outcome.changes


def test_what_may_exist_outside_the_state_stops_the_next_up(engine: Engine):
    assert not engine.run(UP, "", program=Component).errors
    provider = f"{PREFIX}pulumi:providers:alicloud::default::9f6c"
    leave_behind(engine, NAT, custom=True, provider=provider)
    with pytest.raises(Pending, match=f"creating {NAT} one"):
        engine.run(UP, "", program=Component)
