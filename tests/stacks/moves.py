"""Stack files whose models move from KServe's InferenceServices to its LLMInferenceServices."""

import copy
from typing import Any

from stacks.validation import validate

from .environments import Raw


def moved(raw: Raw) -> Raw:
    """A stack file in which every model of KServe's with vLLM has another `serve` block.

    Nothing else of it changes. What an LLMInferenceService is not scaled on, it has all of.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(raw))
    environment = validate(raw).environment
    for entry in changed.get("models", ()):
        model = environment.model(entry["name"]) if environment else None
        if model is None or model.serve.kserve is None or model.server.vllm_command is None:
            continue
        kserve = entry["serve"]["kserve"]
        scale = dict(kserve["scale"])
        if scale["metric"] in ("cpu", "memory", "concurrency"):
            scale = {"min": scale["max"], "max": scale["max"]}
        elif scale["metric"] == "prometheus":
            scale.setdefault("keda", {})
        keys = ("startup_seconds", "request_seconds", "grace_seconds")
        times = {key: kserve[key] for key in keys if key in kserve}
        entry["serve"] = {"llm": {"scale": scale, **times}}
    return changed
