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
}


def pretended(
    objects: Iterable[Manifest], outputs: Mapping[str, Any], **told: Any
) -> dict[str, Behaviour]:
    """A server for each model that a cluster holds, by the host at which the model answers.

    Args:
        objects: Objects of the cluster.
        outputs: Outputs of the stack, which tell the hosts.
        told: Fields of `Behaviour` that hold for all of them.
    """
    models = [one for one in objects if RUNTIMES.get(str(one["apiVersion"])) == one["kind"]]
    return {
        str(outputs[f"{name_of(one)}_host"]): behaviour_of(one, **told)
        for one in models
        if f"{name_of(one)}_host" in outputs
    }


def behaviour_of(service: Manifest, **told: Any) -> Behaviour:
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
    own = {
        "model": _flag(line, "served-model-name") or name_of(service),
        "running": int(_flag(line, "max-num-seqs") or Behaviour().running),
        "cold": service["kind"] == "Service" and least == "0",
    }
    return Behaviour(**{**own, **told})


def _flag(line: str, name: str) -> str | None:
    found = re.search(rf"--{name}[ =](\S+)", line)
    return found[1] if found else None
