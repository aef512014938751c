"""What the name of a model tells of its shape, and of its longest sequence."""

import pytest

from components.catalog.model_shapes import SHAPES, known_length, known_shape, named_parameters


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("Qwen/Qwen3-8B", 40_960),
        ("Qwen/Qwen3-30B-A3B-FP8", 40_960),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", 262_144),
        ("Qwen/Qwen3-8B-Base", None),
        ("unsloth/Qwen3-8B-128K", None),
        ("Qwen/Qwen2.5-7B-Instruct", 32_768),
        ("Qwen2.5-Coder-32B-Instruct-AWQ", 32_768),
        ("Qwen/Qwen2.5-7B-Instruct-1M", 1_010_000),
        ("Qwen/Qwen2.5-VL-7B-Instruct", None),
        ("Qwen/Qwen2.5-7B", None),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", 131_072),
        ("deepseek-ai/DeepSeek-R1", 163_840),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", None),
        ("meta-llama/Llama-3.1-8B-Instruct", 131_072),
        ("meta-llama/Meta-Llama-3-8B", 8192),
        ("gradientai/Llama-3-8B-Instruct-262k", None),
        ("Qwen/CodeQwen1.5-7B-Chat", None),
        ("Qwen/Qwen1.5-7B-Chat", 32_768),
        ("deepseek-ai/DeepSeek-R1-671B", 163_840),
        ("deepseek-ai/DeepSeek-V3.1", 163_840),
        ("DeepSeek-R1-7B", None),
        ("our/DeepSeek-R1-Medical-8B-AWQ", None),
        ("openai/whisper-large-v3-turbo", 448),
        ("our-finetune", None),
    ],
)
def test_a_name_tells_the_longest_sequence_or_nothing(name: str, length: int | None) -> None:
    assert known_length(name) == length


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/CodeQwen1.5-7B-Chat",  # 4 heads of keys and values, where Qwen1.5-7B has 32.
        "open-r1/OpenR1-Qwen-7B",  # Of Qwen2.5-Math-7B.
        "DeepSeek-R1-32B-AWQ",
        "our/DeepSeek-R1-Medical-COT-8B",
    ],
)
def test_a_name_within_another_tells_no_shape(name: str) -> None:
    assert known_shape(name) is None
    assert known_length(name) is None


@pytest.mark.parametrize(
    ("name", "heads"),
    [
        ("Qwen/Qwen-7B-Chat-Int8", 32),
        ("Qwen-14B-Chat", 40),
        ("Qwen/Qwen1.5-7B-Chat", 32),
        ("deepseek-ai/DeepSeek-V3-0324", 128),
    ],
)
def test_a_name_tells_the_shape(name: str, heads: int) -> None:
    shape = known_shape(name)
    assert shape is not None
    assert shape.heads == heads


def test_the_width_of_attention_is_one_of_whole_heads() -> None:
    for name, shape in SHAPES.items():
        assert shape.query == shape.heads * shape.head, name
        assert shape.key_heads is None or shape.heads % shape.key_heads == 0, name


def test_latent_attention_is_split_by_its_heads_alone() -> None:
    shape = known_shape("deepseek-ai/DeepSeek-R1")
    assert shape is not None
    assert (shape.heads, shape.key_heads) == (128, None)
    assert shape.splits_over(16)
    assert not shape.splits_over(3)


@pytest.mark.parametrize(
    ("name", "bytes_of_a_token"),
    [
        # 16 of 64 layers, 10 of 40, 15 of 60 and 12 of 48 have attention.
        ("Qwen/Qwen3.6-27B-FP8", 2 * 16 * 4 * 256 * 2),
        ("Qwen/Qwen3.5-35B-A3B", 2 * 10 * 2 * 256 * 2),
        ("Qwen/Qwen3.5-397B-A17B", 2 * 15 * 2 * 256 * 2),
        ("Qwen/Qwen3-Coder-Next", 2 * 12 * 2 * 256 * 2),
        # Every other layer keeps a window.
        ("openai/gpt-oss-20b", 2 * 12 * 8 * 64 * 2),
        ("zai-org/GLM-4.5-Air", 2 * 46 * 8 * 128 * 2),
        ("moonshotai/Kimi-K2.6", 61 * 576 * 2),
    ],
)
def test_a_token_takes_room_in_the_layers_that_keep_it(name: str, bytes_of_a_token: int) -> None:
    shape = known_shape(name)
    assert shape is not None
    assert shape.cache_bytes(2) == bytes_of_a_token


@pytest.mark.parametrize(
    ("name", "gib"),
    [("openai/gpt-oss-120b", 61), ("moonshotai/Kimi-K2.5", 555), ("MiniMaxAI/MiniMax-M2.5", 214)],
)
def test_weights_take_what_their_makers_publish(name: str, gib: int) -> None:
    """Within a tenth of what the files of these models take."""
    shape = known_shape(name)
    assert shape is not None
    assert shape.weight_bytes(shape.stored) / 2**30 == pytest.approx(gib, rel=0.1)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("Qwen/Qwen3-VL-32B-Instruct", 32),
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", 30),
        ("Qwen/Qwen-1_8B-Chat", 1.8),
        ("OpenGVLab/InternVL3_5-38B", 38),
        ("meta-llama/Llama-3.2-90B-Vision-Instruct", 90),
        ("google/gemma-3-27b-it", 27),
        # The least of several numbers: the other one may be tokens, or what it was made of.
        ("Qwen3-8B-Base-100B", 8),
        # None of what a token goes through, of experts, or of families of other formats.
        ("Qwen1.5-MoE-A2.7B", None),
        ("google/gemma-3n-E4B-it", None),
        ("mistralai/Devstral-2-123B-Instruct-2512", None),
        ("deepseek-ai/DeepSeek-V3", None),
    ],
)
def test_a_name_tells_the_least_parameters(name: str, billions: float | None):
    expected = billions and pytest.approx(billions * 0.95e9)
    assert named_parameters(name) == expected
