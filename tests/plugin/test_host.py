"""The host by itself: values and sentences between the engine and a component."""

import subprocess
import sys
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertiesError

from components.plugin.host import NAME, Host
from components.serving import Placement, PlacementArgs
from plan.model import Plan, Resource
from plan.record import record
from tests.serving.arguments import placement
from tests.stacks.environments import ROOT

from .cases import CASES, Case, spelled

# The SDK leaves its plugin descriptions open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


def made_by(host: Host, component: str, inputs: dict[str, Any]) -> Plan:
    return record(lambda: host.construct("it", f"{NAME}:index:{component}", inputs, None))


def by_urn(plan: Plan) -> dict[str, Resource]:
    """Resources that do not wait for each other are registered in any order."""
    return {resource.urn: resource for resource in plan.resources}


def refused(host: Host, component: str, inputs: dict[str, Any]) -> str:
    with pytest.raises(InputPropertiesError) as caught:
        host.construct("it", f"{NAME}:index:{component}", inputs, None)
    return str(caught.value)


def sentences(case: type[PlacementArgs], args: Any) -> str:
    with pytest.raises(pulumi.RunError) as caught:
        case.of(args)
    return str(caught.value)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_plugin_registers_what_python_registers(host: Host, case: Case) -> None:
    args = case.model.of(case.inputs)
    local = record(lambda: case.component("it", args, None))
    remote = made_by(host, str(case), spelled(args))
    assert len(local.resources) > 1
    assert by_urn(remote) == by_urn(local)


def test_a_plugin_that_starts_has_not_imported_what_it_may_never_make() -> None:
    code = "import sys; from components.plugin.host import Host; Host(); print(*sys.modules)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    modules = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    rooms = ("components.cloud.", "components.platform.", "components.serving.")
    early = [name for name in modules.split() if name.startswith((*rooms, "pulumi_alicloud."))]
    assert early == []


def test_what_is_no_component_is_refused_by_its_type(host: Host) -> None:
    with pytest.raises(ValueError, match="ack-inference:index:Skale is not in the schema"):
        host.construct("it", f"{NAME}:index:Skale", {}, None)


def test_every_fault_is_told_in_the_words_of_python(host: Host) -> None:
    wire: dict[str, Any] = {
        "pools": [{"name": "a10", "nodeSelctor": {}}, {"nodeSelector": {}, "maxPods": 0.0}],
        "preemptPolicy": "never",
        "namespace": 3.0,
    }
    python: dict[str, Any] = {
        "pools": [{"name": "a10", "nodeSelctor": {}}, {"node_selector": {}, "max_pods": 0}],
        "preempt_policy": "never",
        "namespace": 3,
    }
    text = refused(host, "Placement", wire)
    assert text == sentences(PlacementArgs, python)
    assert len(text.splitlines()) >= 7


def test_a_name_that_no_component_can_have_is_refused_too(host: Host) -> None:
    inputs = spelled(PlacementArgs.of(placement()))
    with pytest.raises(InputPropertiesError, match="name is 'It_'"):
        host.construct("It_", f"{NAME}:index:Placement", inputs, None)


def test_an_output_in_place_of_a_section_is_refused_and_not_lost(host: Host) -> None:
    inputs = {
        **spelled(PlacementArgs.of(placement())),
        "selector": pulumi.Output.secret({"a": "b"}),
    }
    assert "selector is an Output, known only later" in refused(host, "Placement", inputs)


def test_outputs_are_plain_values_under_the_names_of_the_schema(host: Host) -> None:
    state: dict[str, Any] = {}

    def program() -> None:
        component = Placement("it", PlacementArgs.of(placement()))
        state.update(host.outputs(component))

    record(program)
    [term, _] = state["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    [expression] = term["matchExpressions"]
    assert expression["operator"] == "In"
    assert type(expression["operator"]) is str
    assert state["tolerations"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
    assert state["labels"] == {"release": "qwen"}


def test_outputs_that_are_absent_are_left_out(host: Host) -> None:
    state: dict[str, Any] = {}

    def program() -> None:
        component = Placement("it", PlacementArgs.of(placement(enforcer="NodeAffinity")))
        state.update(host.outputs(component))

    record(program)
    assert "policyName" not in state
