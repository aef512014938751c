from dataclasses import replace

import pytest

from components.catalog.gpus import GPUS, Gpu
from simulate.engine_profiles import (
    EngineSettings,
    Precision,
    Unprofiled,
    derived_shape,
    download_bytes,
    engine_estimate,
    precision_of,
    profile_of,
    rates_of,
    settings_of,
    shape_of,
)
from simulate.times import network_bytes
from stacks.sections.environment import Environment
from tests.stacks.environments import GONE, Raw, dev, merged

A10 = GPUS["A10"]
QWEN = shape_of(["Qwen2.5-7B-Instruct"], None, 2)
FP16 = Precision()


def model_of(raw: Raw, name: str = "qwen", pool_name: str = "a10"):
    environment = Environment.model_validate(raw)
    [model] = [model for model in environment.models if model.name == name]
    pool = environment.pool(pool_name)
    return model, pool, environment.card(pool)


def with_server(**server) -> Raw:
    [model] = dev()["models"]
    changed = {**model, "server": {**model["server"], **server}}
    return {**dev(), "models": [changed]}


@pytest.mark.parametrize("card", GPUS)
def test_every_card_has_a_profile_with_bounds_and_a_source(card):
    small = shape_of(["Qwen2.5-0.5B"], None, 2)
    estimate = engine_estimate(small, FP16, GPUS[card], EngineSettings(longest=1024))
    fast, likely, slow = (
        profile.prefill(500) for profile in vars(estimate).values() if profile_like(profile)
    )
    assert fast < likely < slow
    assert estimate.fast.tpot(8, 4000) < estimate.likely.tpot(8, 4000) < estimate.slow.tpot(8, 4000)
    assert estimate.fast.kv_tokens > estimate.likely.kv_tokens > estimate.slow.kv_tokens
    assert estimate.source
    assert [estimate.at(place) for place in (0, 0.5, 1)] == [
        estimate.fast,
        estimate.likely,
        estimate.slow,
    ]


def profile_like(value: object) -> bool:
    return hasattr(value, "prefill")


def test_what_nobody_measured_is_an_assumption():
    assert not engine_estimate(QWEN, FP16, A10).assumption
    assert engine_estimate(QWEN, FP16, GPUS["L20"]).assumption
    assert engine_estimate(derived_shape(7e9), FP16, A10).assumption
    assert engine_estimate(QWEN, FP16, A10, rates=0.5, memory_gib=20).assumption


@pytest.mark.parametrize(
    ("names", "parameters", "layers"),
    [
        (["Qwen2.5-7B-Instruct"], 7.62e9, 28),
        (["chat", "Qwen/Qwen3-30B-A3B-FP8"], 30.5e9, 48),
        (["DeepSeek-R1-Distill-Qwen-7B"], 7.62e9, 28),
        (["DeepSeek-R1"], 671e9, 61),
        (["Meta-Llama-3.1-8B-Instruct"], 8.03e9, 32),
        (["llama_2_7b_hf"], 6.74e9, 32),
        (["Qwen-7B-Chat-Int8"], 7.72e9, 32),
    ],
)
def test_a_model_is_known_by_its_name(names, parameters, layers):
    shape = shape_of(names, None, 2)
    assert (shape.parameters, shape.layers) == (parameters, layers)


def test_a_model_that_is_not_known_is_as_large_as_its_name_or_its_files_say():
    assert shape_of(["baichuan2-13b-chat"], None, 2).parameters == 13e9
    assert shape_of(["some-8x7b"], None, 2).parameters == pytest.approx(46.5e9, rel=0.01)
    experts = shape_of(["ernie-21b-a3b"], None, 2)
    assert (experts.parameters, experts.active) == (21e9, 3e9)
    assert shape_of(["qwen1.5-moe-a2.7b"], 28.6e9, 2).parameters == 14.3e9
    assert shape_of(["chat"], 16e9, 2).parameters == 8e9
    assert shape_of(["chat"], 16e9, 2).assumption
    with pytest.raises(Unprofiled, match="how large it is: give"):
        shape_of(["chat"], None, 2)


def test_a_derived_shape_is_near_that_of_a_model_of_its_size():
    derived = derived_shape(QWEN.parameters)
    assert derived.layers == pytest.approx(QWEN.layers, rel=0.25)
    assert derived.hidden == pytest.approx(QWEN.hidden, rel=0.25)


@pytest.mark.parametrize(
    ("names", "quantization", "precision"),
    [
        (["qwen-7b"], None, Precision(2.0)),
        (["qwen-7b-int8"], "gptq", Precision(1.0)),
        (["qwen-7b-int8"], None, Precision(1.0)),
        (["qwen-7b"], "awq_marlin", Precision(0.52)),
        (["qwen-7b-awq"], None, Precision(0.52)),
        (["qwen-7b-gptq-int8"], None, Precision(1.0)),
        (["qwen-7b"], "fp8", Precision(1.0, multiplied=True)),
        (["qwen-7b-fp8"], "compressed-tensors", Precision(1.0, multiplied=True)),
        (["qwen-7b-w8a8"], "compressed-tensors", Precision(1.0, multiplied=True)),
        (["qwen-7b-w4a16"], "compressed-tensors", Precision(0.52)),
    ],
)
def test_a_format_has_its_bytes(names, quantization, precision):
    assert precision_of(names, quantization, None) == precision
    if precision == FP16:
        assert precision_of(names, quantization, "float32").bytes == 4


def test_fewer_bits_make_answers_faster_and_8_bits_in_which_it_multiplies_prompts_too():
    sixteen = engine_estimate(QWEN, FP16, GPUS["L20"]).likely
    eight = engine_estimate(QWEN, Precision(1.0), GPUS["L20"]).likely
    multiplied = engine_estimate(QWEN, Precision(1.0, multiplied=True), GPUS["L20"]).likely
    assert eight.tpot(1) < 0.7 * sixteen.tpot(1)
    assert eight.token_seconds == sixteen.token_seconds == 2 * multiplied.token_seconds
    on_a10 = engine_estimate(QWEN, Precision(1.0, multiplied=True), A10).likely
    assert on_a10.token_seconds == engine_estimate(QWEN, FP16, A10).likely.token_seconds


def test_weights_and_cache_share_the_card():
    profile = engine_estimate(QWEN, FP16, A10, EngineSettings(memory_share=0.9)).likely
    weights = 7.62e9 * 2
    beside = 2.4 * 3584 / 4096 * 2**30
    per_token = 2 * 28 * 512 * 2
    assert profile.kv_tokens == int((22 * 2**30 * 0.9 - weights - beside) / per_token)
    assert engine_estimate(QWEN, FP16, A10, EngineSettings(cache_bytes=1)).likely.kv_tokens == (
        pytest.approx(2 * profile.kv_tokens, abs=1)
    )


def test_a_model_that_does_not_fit_is_said_to_need_so_much():
    large = shape_of(["Qwen2.5-32B"], None, 2)
    with pytest.raises(Unprofiled, match="take 70 GiB of a card that has 22"):
        engine_estimate(large, FP16, A10)


def test_more_cards_share_weights_matrices_and_cache_at_the_price_of_an_exchange():
    single = engine_estimate(QWEN, FP16, A10).likely
    two = engine_estimate(QWEN, FP16, A10, EngineSettings(tensor=2)).likely
    assert two.weight_seconds == single.weight_seconds / 2
    assert single.token_seconds / 2 < two.token_seconds < single.token_seconds
    assert two.step_seconds > single.step_seconds
    assert two.kv_tokens > 3 * single.kv_tokens
    pipeline = engine_estimate(QWEN, FP16, A10, EngineSettings(pipeline=2)).likely
    assert pipeline.weight_seconds == single.weight_seconds
    assert pipeline.kv_tokens == two.kv_tokens


def test_a_mixture_of_experts_reads_and_multiplies_what_tokens_go_through():
    dense, mixture = (shape_of([name], None, 2) for name in ("qwen3-32b", "qwen3-30b-a3b"))
    card = GPUS["H20"]
    slow, fast = (engine_estimate(shape, FP16, card).likely for shape in (dense, mixture))
    assert fast.token_seconds < slow.token_seconds / 8
    assert slow.weight_seconds / 3 < fast.weight_seconds < 0.7 * slow.weight_seconds


def test_releases_before_0_8_read_whole_prompts_and_have_overheads_of_their_own():
    old = engine_estimate(QWEN, FP16, A10, EngineSettings((0, 7, 3), longest=4096)).likely
    new = engine_estimate(QWEN, FP16, A10, EngineSettings((0, 8, 0), longest=4096)).likely
    assert (old.chunked, old.budget) == (False, 4096)
    assert (new.chunked, new.budget) == (True, 2048)
    assert old.sequence_seconds > new.sequence_seconds
    settings = EngineSettings((0, 7, 3), longest=4096, chunked=True)
    assert engine_estimate(QWEN, FP16, A10, settings).likely.chunked


def test_large_cards_take_more_in_a_step():
    sizes = {
        name: (profile.budget, profile.max_sequences)
        for name in ("A10", "A100", "H20")
        for profile in [engine_estimate(QWEN, FP16, GPUS[name]).likely]
    }
    assert sizes == {"A10": (2048, 256), "A100": (2048, 256), "H20": (8192, 1024)}


def test_a_card_of_a_stack_file_has_its_own_rates_or_those_of_a_similar_one():
    h20_3e = Gpu("NVIDIA-H20-3e", 140, 9.0, bandwidth_gbs=4800, tflops=148)
    assert rates_of(h20_3e) == (4.8e12, 148e12, False)
    like_h200 = rates_of(Gpu("NVIDIA-H20-3e", 140, 9.0))
    assert like_h200 == (4.8e12, 989e12, True)
    a30 = rates_of(Gpu("NVIDIA-A30", 23, 8.0))
    assert a30[0] == pytest.approx(1555e9 * 23 / 39)
    assert engine_estimate(QWEN, FP16, Gpu("NVIDIA-A30", 23, 8.0)).assumption


def test_rates_of_cards_and_nodes_can_be_described():
    raw = dev(
        gpus=[
            {
                "name": "H20-3e",
                "memory_gib": 140,
                "compute_capability": 9.0,
                "bandwidth_gbs": 4800,
                "tflops": 148,
            }
        ],
        instance_types=[
            {"name": "ecs.gn9.large", "vcpus": 8, "memory_gib": 64, "network_gbits": 25}
        ],
    )
    environment = Environment.model_validate(raw)
    assert rates_of(environment.cards["H20-3e"]) == (4.8e12, 148e12, False)
    assert network_bytes(environment.instances["ecs.gn9.large"]) == 25e9 / 8


def test_flags_of_the_command_line_count():
    flags = ["--max-num-seqs", "32", "--max-num-batched-tokens", "1024"]
    raw = with_server(
        image="docker.io/vllm/vllm-openai:v0.19.0",
        vllm={
            "served_model_name": "qwen",
            "max_model_len": 4096,
            "gpu_memory_utilization": 0.8,
            "extra_args": [*flags, "--kv-cache-dtype", "fp8"],
        },
    )
    settings = settings_of(model_of(raw)[0].server)
    assert settings == EngineSettings((0, 19, 0), 1, 1, 0.8, 4096, 32, 1024, None, 1.0)


@pytest.mark.parametrize(
    ("flags", "chunked"),
    [
        ([], None),
        (["--enable-chunked-prefill"], True),
        (["--no-enable-chunked-prefill"], False),
    ],
)
def test_chunks_are_on_or_off_by_their_flag(flags, chunked):
    raw = with_server(
        image="docker.io/vllm/vllm-openai:v0.10.0",
        vllm={"served_model_name": "qwen", "extra_args": flags},
    )
    assert settings_of(model_of(raw)[0].server).chunked is chunked


def test_a_server_that_is_no_vllm_has_the_defaults():
    raw = with_server(vllm=None, command=["sglang", "serve"])
    assert settings_of(model_of(raw)[0].server) == EngineSettings()


def test_the_article_s_model_is_faster_on_an_a10_than_on_a_t4():
    a10, t4 = (profile_of(*model_of(dev(), pool_name=name)).likely for name in ("a10", "t4"))
    assert a10.tpot(8, 4000) < 0.6 * t4.tpot(8, 4000)
    assert a10.prefill(1000) < 0.4 * t4.prefill(1000)
    assert a10.kv_tokens > 2 * t4.kv_tokens
    assert a10.longest == 6144


def test_files_that_are_smaller_than_the_name_says_are_in_fewer_bits():
    [model] = dev()["models"]
    smaller = {**model["volume"], "path": "/Qwen2.5-7B-Instruct", "size": "8Gi"}
    vllm = {key: value for key, value in model["server"]["vllm"].items() if key != "quantization"}
    server = {**model["server"], "vllm": vllm, "mount_path": "/mnt/models/qwen"}
    raw = {**dev(), "models": [{**model, "volume": smaller, "server": server}]}
    volume = {**smaller, "size": "16Gi"}
    full = merged(raw, {"models": [{**raw["models"][0], "volume": volume}]})
    smaller_profile, larger_profile = (profile_of(*model_of(stack)).likely for stack in (raw, full))
    assert smaller_profile.weight_seconds == pytest.approx(
        larger_profile.weight_seconds * 8.6 / 15.2, rel=0.1
    )


@pytest.mark.parametrize(
    ("name", "gib"), [("gpt-oss-20b", 13), ("gpt-oss-20b-BF16", 39), ("DeepSeek-V3.2", 627)]
)
def test_a_hub_s_model_has_as_many_bits_as_its_makers_publish(name: str, gib: int):
    server = {"served_model_name": "large", "model": f"owner/{name}"}
    raw = with_server(image="docker.io/vllm/vllm-openai:v0.28.0", mount_path="/hub", vllm=server)
    model, _, _ = model_of(merged(raw, {"models[qwen].volume": GONE, "models[qwen].cache": GONE}))
    assert download_bytes(model) / 2**30 == pytest.approx(gib, rel=0.1)


def test_a_shape_that_is_told_is_taken():
    estimate = profile_of(*model_of(dev()), shape=replace(QWEN, parameters=3e9))
    assert estimate.likely.token_seconds < profile_of(*model_of(dev())).likely.token_seconds / 2
