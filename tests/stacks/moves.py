"""Stack files whose models move from KServe's InferenceServices to its LLMInferenceServices."""

import copy
from typing import Any

from components.serving.leader_worker_model import GroupMetric
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
        scale = {key: kserve["scale"][key] for key in ("min", "max") if key in kserve["scale"]}
        if kserve["scale"]["metric"] in [*GroupMetric]:
            scale |= {key: kserve["scale"][key] for key in ("metric", "target")}
        else:
            scale["min"] = scale["max"]
        kept = ("startup_seconds", "request_seconds", "grace_seconds")
        times = {key: kserve[key] for key in kept if key in kserve}
        entry["serve"] = {"llm": {"scale": scale, **times}}
    return changed
