"""Cases of the rules of `stacks.checks.training`."""

from typing import Any

from ..environments import Raw, hybrid
from .cases import Case, refusals

CONNECTED: Raw = {"name": "idc", "gpu": "V100", "interconnected": True}
LOW: Raw = {"priorities": [{"name": "low", "value": -1, "preempts": False}]}


def pair(**changes: Any) -> Raw:
    """A training of two pods, for a stack that has none."""
    smallest = {
        "name": "pair",
        "image": "registry/train:1",
        "command": ["train"],
        "resources": {"cpu": "2", "memory": "8Gi"},
        "placement": {"pools": ["idc"]},
        "priority": "low",
        "checkpoint": {"store": "shared", "size": "1Gi", "mount_path": "/checkpoints"},
        "parallelism": 2,
    }
    return {**smallest, **changes}


CASES = [
    Case(
        "rendezvous_names_are_free",
        "a job whose pods would meet at the Service of a model",
        hybrid,
        {"training": [pair(name="qwen-chat-predictor")], **LOW, "edge_pools[idc]": CONNECTED},
        (
            "training[qwen-chat-predictor].name is 'qwen-chat-predictor', but it must be another "
            "one than qwen-chat-predictor: KServe makes a Service of that name for "
            "models[qwen-chat]."
        ),
        {
            "training": [pair(name="qwen-chat-predictor", parallelism=1)],
            **LOW,
            "edge_pools[idc]": CONNECTED,
        },
    ),
    Case(
        "pods_of_a_job_reach_each_other",
        "a job of two pods on machines that cannot reach each other",
        hybrid,
        {"training": [pair()], **LOW},
        (
            "training[pair].parallelism is 2, but it must be 1, or "
            "edge_pools[idc].interconnected true where it is so: pods of the job talk to each "
            "other, and those on idc cannot."
        ),
        {"training": [pair()], **LOW, "edge_pools[idc]": CONNECTED},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
