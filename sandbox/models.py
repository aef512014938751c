"""Pretends to be the models of a stack that is up: no pod ever runs in a sandbox."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from loadtest.fake_vllm import Behaviour
from plan.objects import name_of, section
from plan.pods import containers, pods_of

from .kubernetes.client import Manifest

RUNTIMES: Final = {
    "serving.knative.dev/v1": "Service",
    "serving.kserve.io/v1beta1": "InferenceService",
    "serving.kserve.io/v1alpha2": "LLMInferenceService",
    "leaderworkerset.x-k8s.io/v1": "LeaderWorkerSet",
    "workloads.x-k8s.io/v1alpha2": "RoleBasedGroup",
}


def pretended(
    objects: Iterable[Manifest], outputs: Mapping[str, Any], **options: Any
) -> dict[str, Behaviour]:
    """A server for each model that a cluster holds, by the host at which the model answers.

    Args:
        objects: Objects of the cluster.
        outputs: Outputs of the stack, which tell the hosts.
        options: Fields of `Behaviour` that hold for all of them.
    """
    models = [
        manifest
        for manifest in objects
        if RUNTIMES.get(str(manifest["apiVersion"])) == manifest["kind"]
    ]
    return {
        str(outputs[f"{name_of(service)}_host"]): behaviour_of(service, **options)
        for service in models
        if f"{name_of(service)}_host" in outputs
    }


def behaviour_of(service: Manifest, **options: Any) -> Behaviour:
    """What a server does that takes the place of a model's pods.

    The model's own are the name that it goes by, how many requests it answers at a time, and
    whether it is at zero until somebody asks.
    """
    line = " ".join(
        str(word)
        for pods in pods_of(service)
        for _, container in containers(pods)
        for key in ("command", "args")
        for word in container.get(key) or ()
    )
    notes = section(service, "spec", "template", "metadata", "annotations")
    least = notes.get("autoscaling.knative.dev/min-scale", "0")
    defaults = {
        "model": _flag(line, "served-model-name") or name_of(service),
        "running": int(_flag(line, "max-num-seqs") or Behaviour().running),
        "cold": service["kind"] == "Service" and least == "0",
    }
    return Behaviour(**{**defaults, **options})


def _flag(line: str, name: str) -> str | None:
    match = re.search(rf"--{name}[ =](\S+)", line)
    return match[1] if match else None
