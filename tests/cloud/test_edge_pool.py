import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pulumi
import pulumi_alicloud as alicloud
import pytest

from components.cloud import EdgePool, EdgePoolArgs
from components.cloud.edge_pool import JOIN_OPTIONS, join_command
from plan.model import UNKNOWN, Plan
from plan.record import record
from tests.provider_schema import errors_in, needs_schema

from .refusals import refusal, refusals

POOL = "alicloud:cs/nodePool:NodePool"
COMPONENT = "ack-inference:index:EdgePool"
BASH = shutil.which("bash")
JQ = shutil.which("jq")
needs_bash = pytest.mark.skipif(BASH is None, reason="the shell that reads the command is missing")
needs_jq = pytest.mark.skipif(JQ is None, reason="jq, which writes the request, is missing")


def pool(**changes: Any) -> dict[str, Any]:
    """The smallest pool that is created."""
    smallest = {"cluster_id": "c1", "node_pool_name": "idc"}
    return {key: value for key, value in {**smallest, **changes}.items() if value is not None}


def adopted(**changes: Any) -> dict[str, Any]:
    return pool(**{"node_pool_name": None, "node_pool_id": "np1", **changes})


def planned(args: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> Plan:
    def program() -> None:
        component = EdgePool("idc", EdgePoolArgs.of(args), opts)
        pulumi.export("node_pool_id", component.node_pool_id)
        pulumi.export("join_command", component.join_command)

    return record(program)


def inputs(args: dict[str, Any]) -> Any:
    [resource] = planned(args).of(POOL)
    return resource.inputs


def test_a_pool_that_exists_is_left_as_it_is() -> None:
    plan = planned(adopted())
    assert [resource.type for resource in plan.resources] == [COMPONENT]
    assert plan.outputs["node_pool_id"] == "np1"


def test_the_join_command_of_a_pool_that_exists_is_known_at_preview() -> None:
    command = planned(adopted(join_hours=2)).outputs["join_command"]
    assert command == join_command("c1", "np1", 2)


def test_the_id_of_a_pool_may_be_known_later() -> None:
    plan = planned(adopted(node_pool_id=pulumi.Output.from_input("np2")))
    assert plan.outputs["join_command"] == join_command("c1", "np2", 1)


def test_a_pool_of_its_own_is_an_edge_pool_and_buys_no_machine() -> None:
    assert inputs(pool()) == {"clusterId": "c1", "nodePoolName": "idc", "type": "edge"}


def test_labels_and_taints_are_put_on_each_machine() -> None:
    taint = {"key": "site", "value": "idc"}
    rendered = inputs(pool(labels={"pool": "idc"}, taints=[taint, {"key": "a"}]))
    assert rendered["labels"] == [{"key": "pool", "value": "idc"}]
    assert rendered["taints"] == [
        {**taint, "effect": "NoSchedule"},
        {"key": "a", "value": "", "effect": "NoSchedule"},
    ]


def test_machines_that_join_by_themselves_are_not_counted() -> None:
    [resource] = planned(pool()).of(POOL)
    assert resource.ignore_changes == ("desiredSize",)
    assert not {"desiredSize", "scalingConfig"} & set(resource.inputs)


def test_the_id_of_a_new_pool_is_known_once_it_is_there() -> None:
    plan = planned(pool())
    assert plan.outputs == {"node_pool_id": UNKNOWN, "join_command": UNKNOWN}


def test_the_pool_belongs_to_its_component_and_waits_for_what_that_waits_for() -> None:
    def program() -> None:
        line = alicloud.vpc.Network("line")
        opts = pulumi.ResourceOptions(depends_on=[line], protect=True)
        EdgePool("idc", EdgePoolArgs.of(pool()), opts)

    plan = record(program)
    line, component, child = plan.resources
    assert (component.type, component.custom) == (COMPONENT, False)
    assert (child.name, child.parent) == ("idc-pool", component.urn)
    assert line.urn in child.dependencies
    assert child.protect


@needs_schema
@pytest.mark.parametrize(
    "args",
    [pool(), pool(labels={"a": "b"}, taints=[{"key": "a", "effect": "NoExecute"}])],
)
def test_the_provider_knows_every_input(args: dict[str, Any]) -> None:
    assert errors_in(planned(args)) == {}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (
            pool(node_pool_id="np1"),
            "node_pool_name is given beside node_pool_id, but it must be the only one of",
        ),
        (
            pool(node_pool_name=None),
            "node_pool_name is missing, but it must be given, or else node_pool_id: a pool is",
        ),
        (pool(node_pool_name=""), "node_pool_name is '', but it must be at least 1 long"),
        (adopted(labels={"a": "b"}), "labels is given, but it must be left out: an adopted pool"),
        (adopted(taints=[{"key": "a"}]), "taints is given, but it must be left out: an adopted"),
        (pool(labels={"a b": "c"}), "labels[a b] is 'a b', but it must be a label key such as"),
        (pool(labels={"a": "b c"}), "labels[a] is 'b c', but it must be 63 letters, digits"),
        (
            pool(labels={"ack.aliyun.com/nvidia-driver-version": "1"}),
            "labels[ack.aliyun.com/nvidia-driver-version] is '1', but it must be left out",
        ),
        (pool(taints=[{"key": "a", "effect": "Never"}]), "taints[0].effect is 'Never', but it"),
        (pool(join_hours=0), "join_hours is 0, but it must be 1 or more: life of the script"),
        (pool(join_hours=169), "join_hours is 169, but it must be 168 or less"),
    ],
)
def test_a_pool_that_is_neither_made_nor_found_is_refused(
    args: dict[str, Any], sentence: str
) -> None:
    assert refusal(EdgePoolArgs, args).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    args = pool(node_pool_id="np1", labels={"a b": "c d"}, taints=[{"key": "a"}])
    assert len(refusals(EdgePoolArgs, args)) == 5


def test_a_refused_pool_registers_nothing() -> None:
    def program() -> None:
        with pytest.raises(pulumi.RunError, match="EdgePoolArgs is refused"):
            EdgePool("idc", {"cluster_id": "c1"})  # type: ignore[arg-type]  # as the host does

    assert record(program).resources == []


@pytest.mark.parametrize(
    "args",
    [
        pool(labels={"a" * 63: "b" * 63, "example.com/pool": ""}),
        pool(labels={"topology.kubernetes.io/zone": "idc-1"}),
        pool(labels={"later": pulumi.Output.from_input("not known yet")}),
        pool(join_hours=1),
        pool(join_hours=168),
        adopted(labels={}, taints=[]),
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(args: dict[str, Any]) -> None:
    assert EdgePoolArgs.of(args)


def test_a_script_is_good_for_an_hour_unless_told_otherwise() -> None:
    for hours in ({}, {"join_hours": None}):
        command = planned({**adopted(), **hours}).outputs["join_command"]
        assert command == join_command("c1", "np1", 1)


def test_the_join_command_holds_no_token() -> None:
    """Every word of it is known before any cluster is asked."""
    command = join_command("c1", "np1", 1)
    assert "token" not in command.lower()
    assert "expired $(($(date +%s) + 3600))" in command


@needs_bash
def test_the_join_command_is_well_formed_shell() -> None:
    command = join_command("c1", "np1", 1)
    done = subprocess.run(
        [str(BASH), "-n"], input=command, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@needs_bash
@needs_jq
def test_the_join_command_asks_for_the_script_of_this_pool(tmp_path: Path) -> None:
    """Does not prove that ACK understands the request."""
    stub = tmp_path / "aliyun"
    stub.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    stub.chmod(0o755)
    before = int(time.time())
    done = subprocess.run(
        [str(BASH), "-c", join_command("c1", "np1", 2)],
        env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    *words, body = done.stdout.removesuffix("\0").split("\0")
    assert words == ["cs", "DescribeClusterAttachScripts", "--ClusterId", "c1", "--body"]
    request = json.loads(body)
    assert json.loads(request.pop("options")) == JOIN_OPTIONS
    assert before + 7200 <= request.pop("expired") <= int(time.time()) + 7200
    assert request == {"nodepool_id": "np1", "arch": "amd64"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"node_pool_name": "-idc"}, "node_pool_name is '-idc', but it must be 1 to 63 letters"),
        ({"taints": [{"key": "no key"}]}, "taints[no key].key is 'no key'"),
        ({"labels": {"kubernetes.io/os": "linux"}}, "labels[kubernetes.io/os] is 'linux'"),
    ],
)
def test_what_ack_refuses_of_a_pool_is_refused_of_an_edge_pool_too(changes: Any, sentence: str):
    with pytest.raises(pulumi.RunError) as refusal:
        EdgePoolArgs.of({"cluster_id": "c1", "node_pool_name": "idc", **changes})
    assert sentence in str(refusal.value)
