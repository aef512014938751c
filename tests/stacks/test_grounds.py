"""One entry of `models` on grounds of six kinds: where it runs changes, and what it is does not."""

import copy
from collections.abc import Mapping
from typing import Any, Final

import pytest

from .environments import Raw, configuration, existing, hybrid, planned, sentences
from .example_stacks import FOLDER


def example(name: str) -> Raw:
    return configuration(FOLDER / f"Pulumi.{name}.yaml")


[MODEL] = example("smallest")["models"]
CARD: Final = {"cpu": "6", "memory": "24Gi", "gpus": 1}
PART: Final = {"cpu": "6", "memory": "24Gi", "gpu_memory": "20Gi"}
GROUNDS: Final[Mapping[str, tuple[Raw, list[str]]]] = {
    "pro": (example("smallest"), ["a10"]),
    "edge": (hybrid(), ["elastic"]),
    "existing VPC": (example("own-vpc"), ["a10"]),
    "existing ACK": (example("own-ack-cluster"), ["own-a10", "a10"]),
    "any Kubernetes": (existing(), ["gpu"]),
    "shared cards": (example("gpu-sharing"), ["a10"]),
}
PLACEMENT: Final = ("affinity", "tolerations", "schedulerName")
"""What of a pod says where it runs."""


def service(ground: str) -> Mapping[str, Any]:
    """The Knative Service of the model, without what says where its pods run and its files are."""
    raw, pools = copy.deepcopy(GROUNDS[ground])
    model = {**copy.deepcopy(MODEL), "placement": {"pools": pools}}
    model["server"]["image"] = "docker.io/vllm/vllm-openai:v0.8.5"
    model["server"]["vllm"]["dtype"] = "half"
    model["server"]["resources"] = PART if ground == "shared cards" else CARD
    stack = {key: value for key, value in raw.items() if key not in ("training", "load_tests")}
    stack = {**stack, "models": [model]}
    assert sentences(stack) == []
    kind = "kubernetes:serving.knative.dev/v1:Service"
    [resource] = [r for r in planned(stack).resources if r.type == kind]
    spec = copy.deepcopy(resource.inputs["spec"])
    pod = spec["template"]["spec"]
    for key in PLACEMENT:
        pod.pop(key, None)
    for volume in pod["volumes"]:
        volume.pop("persistentVolumeClaim", None)
    [container] = pod["containers"]
    for mount in container["volumeMounts"]:
        mount.pop("subPath", None)
    # A part of a card is asked for by another name.
    del container["resources"]
    return spec


@pytest.mark.parametrize("ground", [*GROUNDS][1:])
def test_a_model_is_the_same_on_every_ground(ground: str) -> None:
    assert service(ground) == service("pro")
