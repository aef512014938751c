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
        r"CUDA out of memory|OutOfMemoryError|No available memory for the cache blocks"
        r"|less than desired GPU memory utilization|increase --mem-fraction-static",
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
        r"quantization method .* is not supported for the current GPU|fp8e4nv"
        r"|FP8 KV cache is not supported",
        "the card does not compute in the format of the weights, or of the KV cache",
        "take another format, or another card",
        "formats_of_names_run_on_the_cards",
    ),
    _symptom(
        r"Failed to infer device type|libcuda\.so\.1: cannot open",
        "its container sees no card",
        "give it resources.gpus, or take an image for CPUs",
        "servers_ask_for_their_cards",
    ),
    _symptom(
        r"uncorrectable ECC|fallen off the bus|Error 802: system not yet initialized",
        "a card of the node is broken, or not ready",
        "drain the node, and have it repaired: auto_repair of the pool",
        "a card is broken",
    ),
    _symptom(
        r"Model architectures .* are not supported|does not recognize this architecture"
        r"|has no vLLM implementation|is not supported anymore",
        "the server's release does not know the architecture of the model",
        "take a release that does, or another model",
        "releases_are_as_new_as_their_models",
    ),
    _symptom(
        r"is not divisible by weight quantization block",
        "the experts of the model cannot be split over this number of cards",
        "take fewer cards per layer, or --enable-expert-parallel",
        "experts_are_split_by_whole_blocks",
    ),
    _symptom(
        r"max_model_len .* is greater than the derived",
        "max_model_len is more than the model's own longest sequence",
        "lower vllm.max_model_len, or give a rope scaling by --hf-overrides",
        "sequences_are_no_longer_than_the_models",
    ),
    _symptom(
        r"number of available GPUs|invalid device ordinal",
        "the server is told more cards than its pod has",
        "give as many resources.gpus as all parallel sizes multiply to",
        "more cards than the pod has",
    ),
    _symptom(
        r"greater than max_lora_rank",
        "an adapter has a higher rank than the server makes room for",
        "raise vllm.lora.max_rank",
        "an adapter of a higher rank",
    ),
    _symptom(
        r"pass the (argument|option) `?(--)?trust.remote.code",
        "the model brings code of its own, which the server does not run unasked",
        "set vllm.trust_remote_code, if you trust whoever made the model",
        "a model with code of its own",
    ),
    _symptom(
        r"install vllm\[\w+\]",
        "the image lacks packages that models of this kind need",
        "take an image that has them: vllm/vllm-openai with the package named in the log on top",
        "packages that an image lacks",
    ),
    _symptom(
        r"Bus error|No space left on device: '/(psm_|dev/shm)",
        "its shared memory is full",
        "raise server.shared_memory",
        "the shared memory of a pod is full",
    ),
    _symptom(
        r"deserializing header|PytorchStreamReader failed",
        "files of the model are incomplete, or pointers of Git LFS in their place",
        "load them up again, whole: output <model>_upload_command",
        "the model's files are not whole",
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
        r"|is not a local folder|Invalid repository ID or local directory",
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
        r"We couldn't connect to|Max retries exceeded with url|Failed to resolve '",
        "the server does not reach the hub that it asks",
        "vllm.hub: modelscope, a mirror by HF_ENDPOINT, or volume with a source",
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
        r"(No such file or directory|does not appear to have a file named).*"
        r"(config\.json|safetensors)|no file named config\.json|Cannot find any model weights",
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
