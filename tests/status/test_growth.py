"""What a look costs with more models: calls are counted, since seconds depend on the machine."""

import copy
import sys
from collections.abc import Callable
from typing import Any

import pytest

from plan.graph import build, graph_of
from plan.model import Plan
from status.ways import assess
from tests.stacks.environments import Raw, planned, raw_of
from tests.status.live import Live, conditions

LINEAR = 2.1
"""Highest growth where there is twice as much of everything, with what is the same for all."""


def with_more(stack: str, times: int) -> Plan:
    """A stack that has each of its models and jobs so often, and room for them."""
    raw = copy.deepcopy(raw_of(stack))
    for pool in raw.get("pools", []):
        scale = pool.get("autoscale", pool)
        key = "max" if "autoscale" in pool else "size"
        scale[key] = (scale[key] + 1) * times
    for key in {"models", "training"} & raw.keys():
        raw[key] = [_renamed(entry, number) for entry in raw[key] for number in range(times)]
    raw.pop("load_tests", None)
    return planned(raw, stack=stack)


def _renamed(entry: Raw, number: int) -> Raw:
    name = f"{entry['name']}-{number}"
    changed = {**copy.deepcopy(entry), "name": name}
    if "server" in changed:
        changed["volume"]["path"] = f"/{name}"
        if "vllm" in changed["server"]:
            changed["server"]["vllm"]["served_model_name"] = name
    return changed


def calls(work: Callable[[], object]) -> int:
    """Functions that are called."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def pending(live: Live) -> None:
    """Takes every pod off its node, each with words of its own."""
    for pod in live.all("Pod"):
        pod["spec"].pop("nodeName", None)
        pod["status"] = {"phase": "Pending", "conditions": conditions(PodScheduled="False")}
        for number in range(3):
            live.event("Pod", pod["metadata"]["name"], f"FailedScheduling{number}", "no room")


def edited(live: Live) -> None:
    """Has somebody own a field of everything, and change what the stack file says."""
    for manifest in live.objects:
        fields = {"f:spec": {"f:replicas": {}}}
        entry: dict[str, Any] = {"manager": "kubectl-edit", "time": "now", "fieldsV1": fields}
        manifest["metadata"]["managedFields"] = [entry]
        if "template" in manifest.get("spec", {}):
            manifest["spec"]["template"] = {}


@pytest.mark.parametrize("change", [None, pending, edited], ids=["healthy", "pending", "edited"])
@pytest.mark.parametrize("stack", ["dev", "hybrid"])
def test_a_look_at_twice_as_many_models_costs_twice_as_much(stack, change):
    counts = []
    for times in (8, 16):
        of = with_more(stack, times)
        live = Live(of)
        if change:
            change(live)
        cluster = live.cluster()
        counts.append(calls(lambda of=of, cluster=cluster: assess(of, cluster)))
    assert counts[1] / counts[0] <= LINEAR


def test_the_graph_of_a_plan_is_read_once_for_all_looks(monkeypatch):
    reads = []
    read = build.read
    monkeypatch.setattr(build, "read", lambda inventory: reads.append(1) or read(inventory))
    of = with_more("dev", 2)
    cluster = Live(of).cluster()
    assert assess(of, cluster) == assess(of, cluster)
    assert graph_of(of) is graph_of(of)
    assert len(reads) == 1
