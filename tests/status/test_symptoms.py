"""Last words of servers, as reports of users have them, and what is said of each."""

import pytest

from status.symptoms import symptom_in

WORDS = [
    (
        "ValueError: Model architectures ['Qwen3_5ForConditionalGeneration'] are not supported for "
        "now. Supported architectures: dict_keys(['AquilaModel'])",
        "releases_are_as_new_as_their_models",
    ),
    (
        "The checkpoint you are trying to load has model type `qwen3_5` but Transformers does not "
        "recognize this architecture.",
        "releases_are_as_new_as_their_models",
    ),
    (
        "ValueError: The output_size of gate's and up's weight = 192 is not divisible by weight "
        "quantization block_n = 128.",
        "experts_are_split_by_whole_blocks",
    ),
    (
        "ValueError: User-specified max_model_len (131072) is greater than the derived "
        "max_model_len (max_position_embeddings=40960 in model's config.json).",
        "sequences_are_no_longer_than_the_models",
    ),
    (
        "ValueError: The quantization method fp8 is not supported for the current GPU. Minimum "
        "capability: 80. Current capability: 75.",
        "formats_of_names_run_on_the_cards",
    ),
    (
        "CompilationError: type fp8e4nv not supported in this architecture.",
        "formats_of_names_run_on_the_cards",
    ),
    ("RuntimeError: Failed to infer device type", "servers_ask_for_their_cards"),
    ("torch.cuda.OutOfMemoryError", "models_fill_their_cards"),
    (
        "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
        "models_fill_their_cards",
    ),
    (
        "ValueError: Invalid repository ID or local directory specified: '/mnt/models/qwen'.",
        "paths_are_mounted",
    ),
    ("OSError: We couldn't connect to 'https://huggingface.co' to load", "hubs_are_in_reach"),
    (
        "OSError: /mnt/models does not appear to have a file named config.json.",
        "the model's files are not in the bucket",
    ),
    (
        "SafetensorError: Error while deserializing header: HeaderTooLarge",
        "the model's files are not whole",
    ),
    ("Fatal Python error: Bus error", "the shared memory of a pod is full"),
    (
        "ValueError: World size (8) is larger than the number of available GPUs (4) in this node.",
        "more cards than the pod has",
    ),
    (
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        "an adapter of a higher rank",
    ),
    (
        "The repository /mnt/models contains custom code. Please pass the argument "
        "`trust_remote_code=True` to allow custom code to be run.",
        "a model with code of its own",
    ),
    ("ImportError: Please install vllm[audio] for audio support", "packages that an image lacks"),
    ("RuntimeError: CUDA error: uncorrectable ECC error encountered", "a card is broken"),
]


@pytest.mark.parametrize(("text", "row"), WORDS)
def test_last_words_are_told_by_what_they_mean(text: str, row: str):
    symptom = symptom_in(text)
    assert symptom is not None
    assert symptom.row == row


@pytest.mark.parametrize(
    "text",
    [
        "INFO: loading configuration file /mnt/models/qwen/config.json",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
    ],
)
def test_words_that_tell_nothing_are_left_alone(text: str):
    assert symptom_in(text) is None
