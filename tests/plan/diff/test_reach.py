"""What `diff` says of a region that changes, of hosts, of claims in use, and of pods made anew."""

from typing import Any

import pytest

from plan.diff.dangers import headlines
from plan.diff.text import notes
from tests.plan.diff.prepared import diff_of
from tests.stacks.environments import GONE

ZONES = [{"id": "cn-hangzhou-i", "cidr": "10.0.0.0/20", "pod_cidr": "10.0.64.0/18"}]
IMAGE = "kube-ai-registry.cn-shanghai.cr.aliyuncs.com/kube-ai/vllm:0.4.2"


def anew(stack: str, changes: dict[str, Any]) -> set[str]:
    """Names of what makes its pods anew."""
    diff = diff_of(stack, changes)
    return {
        change.resource.name
        for change in diff.resources
        if "its pods are made anew" in notes(diff, change)
    }


def test_another_region_finds_nothing_of_what_stands() -> None:
    moved = {"region": "cn-hangzhou", "network.zones": ZONES, "models[qwen].server.image": IMAGE}
    first, *_ = headlines(diff_of("dev", moved))
    assert first.startswith("This looks for everything in cn-hangzhou that stands in cn-beijing: ")


def test_another_host_is_told_to_those_who_ask_the_old_one() -> None:
    sentences = headlines(diff_of("dev", {"knative": {"domain": "new.example.com"}}))
    assert sentences == [
        "Another host, and no answer under the old one: qwen (was qwen.inference.example.com, will "
        "be qwen.inference.new.example.com). Tell whoever asks, and mend names and certificates."
    ]


def test_claims_of_a_volume_that_is_made_anew_under_its_name_have_to_be_free() -> None:
    sentences = headlines(diff_of("dev", {"stores[checkpoints].nas.storage_type": "Performance"}))
    assert "Claims go before their successors come (finetune-checkpoint-claim)" in sentences[1]
    beside = headlines(diff_of("dev", {"models[qwen].volume.size": "20Gi"}))
    assert not any("go before their successors" in sentence for sentence in beside)


@pytest.mark.parametrize(
    ("stack", "changes", "names"),
    [
        ("dev", {"models[qwen].server.image": IMAGE}, {"qwen-service"}),
        ("dev", {"models[qwen].serve.knative.scale.max": 5}, {"qwen-service"}),
        ("dev", {"pools[t4].autoscale.max": 8}, set()),
        ("dev", {"training": []}, set()),
        ("hybrid", {"models[qwen-queue].server.image": IMAGE}, {"qwen-queue-service"}),
        ("hybrid", {"models[qwen-queue].serve.kserve.scale.max": 5}, set()),
        (
            "hybrid",
            {"models[qwen-queue].serve.kserve.annotations": {"team": "chat"}},
            {"qwen-queue-service"},
        ),
        (
            "hybrid",
            {"waits": {"service_seconds": 900}},
            {"qwen-chat-service", "qwen-queue-service"},
        ),
        ("hybrid", {"models[qwen-queue]": GONE}, set()),
    ],
)
def test_a_change_says_whether_pods_are_made_anew(stack, changes, names) -> None:
    assert anew(stack, changes) == names
