"""What a server says in its last words, and what it means.

The texts are those that the troubleshooting page has (`docs/guides/troubleshooting.md`), each
with the check of this project that would have said it before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Symptom:
    """A text in a log, and what it means."""

    pattern: re.Pattern[str]
    why: str
    remedy: str
    row: str


def _symptom(pattern: str, why: str, remedy: str, row: str) -> Symptom:
    return Symptom(re.compile(pattern, re.IGNORECASE), why, remedy, row)


SYMPTOMS: Final[Sequence[Symptom]] = (
    _symptom(
        r"CUDA driver version is insufficient|driver on your system is too old"
        r"|unsatisfied condition: cuda|forward compatibility was attempted",
        "the node's NVIDIA driver is too old for the CUDA release of the image",
        "give the pool a newer driver, or take the image for an older CUDA",
        "drivers_run_the_image",
    ),
    _symptom(
        r"CUDA out of memory|No available memory for the cache blocks"
        r"|less than desired GPU memory utilization",
        "the model does not fit the memory of its cards",
        "take a quantized model, more cards per replica or a larger card, or lower max_model_len",
        "models_fill_their_cards",
    ),
    _symptom(
        r"max seq len .* is larger than the maximum number of tokens|KV cache is needed, which is",
        "the context that max_model_len asks for does not fit beside the model",
        "lower vllm.max_model_len, or take a larger card",
        "models_fill_their_cards",
    ),
    _symptom(
        r"no kernel image is available",
        "the image has no code for this card",
        "take an image that knows the card",
        "vllm_runs_on_the_cards",
    ),
    _symptom(
        r"bfloat16 is only supported on GPUs",
        "the card does not compute in bfloat16",
        "set vllm.dtype to half",
        "vllm_runs_on_the_cards",
    ),
    _symptom(
        r"must be divisible by tensor parallel size",
        "the heads of the model cannot be split over this number of cards",
        "take 1, 2, 4 or 8 cards",
        "tensor_parallel_divides_the_heads",
    ),
    _symptom(
        r"Repo id must be in the form|HFValidationError|LocalEntryNotFoundError"
        r"|is not a local folder",
        "the server does not find the model's files at its path, and asks a hub",
        "put the model into its store (output <model>_upload_command), or mend the path",
        "paths_are_mounted",
    ),
    _symptom(
        r"401 Client Error|403 Client Error|GatedRepoError|HTTP(?: Error)? 40[13]\b"
        r"|answers 40[13]\b|Invalid (?:user token|credentials in Authorization)",
        "the hub or the store refuses the token: it is wrong, or has no right to these files",
        "put a token that may read them into the Secret that the stack file names",
        "hubs_are_in_reach",
    ),
    _symptom(
        r"unrecognized arguments|invalid choice",
        "the server refuses a flag of its command line",
        "take the flag out, or take the release that knows it",
        "extra_faults",
    ),
    _symptom(
        r"invalid (tool call|reasoning) parser",
        "the server's release has no parser of that name",
        "name one that it has, or take the release that has it",
        "parser_faults",
    ),
    _symptom(
        r"No such file or directory.*(config\.json|safetensors)|config\.json",
        "the folder that is mounted lacks files of the model",
        "fill the store: output <model>_upload_command",
        "the model's files are not in the bucket",
    ),
    _symptom(
        r"exec format error",
        "the image is for another architecture than the node",
        "take an image for the node's architecture",
        "images_suit_the_architecture",
    ),
)


def symptom_in(text: str) -> Symptom | None:
    """The first symptom that a text shows."""
    return next((symptom for symptom in SYMPTOMS if symptom.pattern.search(text)), None)
