"""What cards, parts of cards and further resources come to: labels, add-ons, flags and limits."""

from pathlib import Path
from typing import Any, Final

import pytest

from components.catalog.labels import GPU_CARD, GPU_SCHEDULE, NODE_POOL_ID
from plan.cost import bill
from plan.graph import graph_of
from plan.run import plan

from .environments import GONE, Raw, dev, existing, merged, planned, resolved
from .example_stacks import project

RESOURCES: Final = "models[qwen].server.resources"
SHARE: Final = "models[qwen].server.vllm.gpu_memory_utilization"
PART: Final = {"cpu": "16", "memory": "64Gi", "gpu_memory": "8Gi"}
TYPE: Final = {"name": "ecs.gn9.large", "vcpus": 32, "memory_gib": 128, "gpus": 1, "gpu": "NEW"}
CARD: Final = {"name": "NEW", "memory_gib": 32, "compute_capability": 9.0}


def alone(**changes: Any) -> Raw:
    """The stack dev with its model on one pool, and no training."""
    return {"models[qwen].placement.pools": ["a10"], "training": [], **changes}


def shared(mode: str, resources: Raw = PART, **changes: Any) -> Raw:
    return merged(dev(), alone(**{"pools[a10].gpu_sharing": mode, RESOURCES: resources}) | changes)


def flag(raw: Raw) -> str:
    [model] = resolved(raw).models
    words = model.service.server.command_line()
    return words[words.index("--gpu-memory-utilization") + 1]


def addons(raw: Raw) -> list[str]:
    cloud = resolved(raw).cloud
    assert cloud is not None
    return [addon.name for addon in cloud.cluster.addons or []]


def limits(raw: Raw) -> dict[str, str]:
    [service] = planned(raw).manifests("Service")
    [container] = service["spec"]["template"]["spec"]["containers"]
    both = [container["resources"][kind] for kind in ("requests", "limits")]
    requests, limits = ({key: text for key, text in part.items() if "/" in key} for part in both)
    assert requests == limits
    return limits


@pytest.mark.parametrize(
    ("mode", "resources", "counted"),
    [
        ("exclusive", {"gpus": 1}, {"nvidia.com/gpu": "1"}),
        ("cgpu", {"gpu_memory": "8Gi"}, {"aliyun.com/gpu-mem": "8"}),
        ("mps", {"gpu_memory": "8Gi", "gpus": 0}, {"aliyun.com/gpu-mem": "8"}),
        (
            "core_mem",
            {"gpu_memory": "8Gi", "gpu_cores": 30},
            {"aliyun.com/gpu-mem": "8", "aliyun.com/gpu-core.percentage": "30"},
        ),
    ],
)
def test_a_pod_asks_for_what_its_pool_hands_out(mode: str, resources: Raw, counted: Raw) -> None:
    raw = shared(mode, {"cpu": "16", "memory": "64Gi", **resources})
    assert limits(raw) == counted
    cloud = resolved(raw).cloud
    assert cloud is not None
    label = "default" if mode == "exclusive" else mode
    assert (cloud.pools["a10"].labels or {})[GPU_SCHEDULE] == label


def test_an_instance_of_mig_is_a_resource_of_its_profile() -> None:
    changes = {"nodes[gpu].gpu": "H20", "nodes[gpu].gpu_sharing": "mig", "training": []}
    resources = {"cpu": "8", "memory": "48Gi", "mig": "2g.24gb"}
    raw = merged(existing(), {**changes, RESOURCES: resources})
    assert limits(raw) == {"nvidia.com/mig-2g.24gb": "1"}


def test_further_resources_are_passed_on_and_bring_their_addon() -> None:
    raw = merged(dev(), {f"{RESOURCES}.extended": {"aliyun/erdma": 2}})
    assert limits(raw) == {"nvidia.com/gpu": "1", "aliyun/erdma": "2"}
    assert addons(raw) == ["ack-erdma-controller"]
    assert addons(merged(raw, {"cluster.addons": [{"name": "ack-erdma-controller"}]})) == [
        "ack-erdma-controller"
    ]


def test_a_pool_that_shares_brings_the_addon_unless_the_cluster_has_it() -> None:
    assert addons(dev()) == []
    assert addons(shared("cgpu")) == ["ack-ai-installer"]
    assert addons(shared("cgpu", **{"cluster.gpu_sharing_addon": False})) == []


def test_a_pool_that_shares_by_memory_scales_as_such() -> None:
    raw = shared("cgpu", **{"pools[a10].size": GONE, "pools[a10].autoscale": {"min": 0, "max": 2}})
    pools = {pool.name: pool.inputs for pool in planned(raw).of("alicloud:cs/nodePool:NodePool")}
    assert pools["a10-pool"]["scalingConfig"]["type"] == "gpushare"
    assert pools["t4-pool"]["scalingConfig"]["type"] == "gpu"


def test_vllm_takes_its_share_of_a_card_that_it_sees_whole() -> None:
    unset = {SHARE: GONE}
    assert flag(shared("cgpu", **unset)) == "0.9"
    assert flag(shared("share", **unset)) == "0.32"
    assert flag(shared("share", **{SHARE: 0.3})) == "0.3"
    both = {"pools[t4].gpu_sharing": "share", "models[qwen].placement.pools": ["t4", "a10"]}
    assert flag(shared("share", **unset, **both)) == "0.32"


def test_a_described_card_is_selected_by_its_label_or_else_by_its_pool() -> None:
    pool = {"name": "new", "gpu": "NEW", "instance_types": [TYPE["name"]], "size": 1}
    new = {"pools[+]": pool, "instance_types": [TYPE], "models[qwen].placement.pools": ["new"]}
    for card, key in ((CARD, NODE_POOL_ID), ({**CARD, "label": "NVIDIA-NEW"}, GPU_CARD)):
        [model] = resolved(merged(dev(), {**new, "gpus": [card], "training": []})).models
        [placement] = model.placements.values()
        [place] = placement.pools
        assert list(place.node_selector) == [key]


def test_a_plan_counts_the_cards_of_a_described_type(tmp_path: Path) -> None:
    example = plan("cards-and-rdma", project("cards-and-rdma", tmp_path))
    [line] = [line for line in bill(example).pools if line.name == "a30"]
    assert str(line.gpus) == "1"
    [node] = [node for node in graph_of(example).pools if node.name == "a30"]
    assert (node.cards, node.gpus["A30"].memory_gib) == (("A30",), 23)
