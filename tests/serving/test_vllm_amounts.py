"""Amounts with which vLLM exits, or its pod is killed."""

import pytest

from components.serving import ModelServer
from tests.cloud.refusals import refusal

from .test_server import shortage
from .test_vllm_rules import started, typed

EXITS = "vLLM exits when it starts."
OFFLOADING = (
    '{"kv_connector": "OffloadingConnector", "kv_role": "kv_both", '
    '"kv_connector_extra_config": {"cpu_bytes_to_use": BYTES}}'
)
LMCACHE = '{"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}'


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        (
            "0.28.0",
            ["--max-num-seqs", "0"],
            "vllm.extra_args is '--max-num-seqs 0', but it must be 1 or more, or left out: "
            f"{EXITS}",
        ),
        ("0.11.2", ["--max-num-batched-tokens=0"], "is '--max-num-batched-tokens 0', but it must"),
        (
            "0.6.6",
            ["--max-num-seqs", "256", "--max-num-batched-tokens", "255"],
            "vllm.extra_args is '--max-num-batched-tokens 255', but it must be at least "
            f"--max-num-seqs (256), each of which may take a token: {EXITS}",
        ),
        (
            "0.28.0",
            ["--enable-lora", "--max-loras", "8", "--max-cpu-loras", "4"],
            "vllm.extra_args is '--max-cpu-loras 4', but it must be at least --max-loras (8), or "
            f"left out: {EXITS}",
        ),
        (
            "0.28.0",
            ["--decode-context-parallel-size", "2"],
            "is '--decode-context-parallel-size 2', but it must be a divisor of "
            f"--tensor-parallel-size (1), whose cards it is spread over: {EXITS}",
        ),
    ],
)
def test_amounts_that_do_not_go_together_are_refused(
    release: str, words: list[str], sentence: str
) -> None:
    assert sentence in refusal(ModelServer, typed(release, *words))


@pytest.mark.parametrize(
    ("release", "words", "passes"),
    [
        ("0.7.3", [], False),
        ("0.7.3", ["--enable-chunked-prefill"], True),
        ("0.8.0", [], True),
        ("0.11.0", ["--no-enable-chunked-prefill"], True),
        ("0.13.0", ["--no-enable-chunked-prefill"], False),
    ],
)
def test_a_batch_holds_a_prompt_that_is_read_as_a_whole(
    release: str, words: list[str], passes: bool
) -> None:
    raw = typed(release, "--max-num-batched-tokens", "2048", *words, max_model_len=8192)
    if passes:
        ModelServer.of(raw)
        return
    assert refusal(ModelServer, raw) == (
        "vllm.extra_args is '--max-num-batched-tokens 2048', but it must be at least "
        "--max-model-len (8192), or prompts read in parts by --enable-chunked-prefill: "
        f"{EXITS}"
    )


def test_a_batch_of_an_engine_that_somebody_chose_passes() -> None:
    raw = typed("0.7.3", "--max-num-batched-tokens", "2048", max_model_len=8192)
    ModelServer.of({**raw, "env": {"VLLM_USE_V1": "1"}})


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        (
            "0.28.0",
            ["--cpu-offload-gb", "64"],
            "vllm.extra_args is one that keeps 64 GiB in the pod's memory, but it must be one that "
            "keeps less than resources.memory (64Gi): memory for --cpu-offload-gb counts against "
            "it, and the pod is killed.",
        ),
        (
            "0.28.0",
            ["--cpu-offload-gb", "24.5", "--kv-offloading-size", "40"],
            "memory for --cpu-offload-gb and --kv-offloading-size counts against it",
        ),
        (
            "0.28.0",
            ["--kv-transfer-config", OFFLOADING.replace("BYTES", "70000000000")],
            "keeps 65.2 GiB in the pod's memory, but it must be one that keeps less than "
            "resources.memory (64Gi): memory for cpu_bytes_to_use counts against it",
        ),
    ],
)
def test_amounts_that_the_pod_has_no_memory_for_are_refused(
    release: str, words: list[str], sentence: str
) -> None:
    assert sentence in shortage(typed(release, *words))


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("0.28.0", ["--max-num-seqs", "256", "--max-num-batched-tokens", "256"]),
        ("0.28.0", ["--max-num-seqs", "256", "--max-num-batched-tokens", "8k"]),
        ("0.28.0", ["--max-num-seqs", "$(SEQUENCES)", "--max-num-batched-tokens", "255"]),
        ("0.28.0", ["--cpu-offload-gb", "20", "--kv-offloading-size", "40"]),
        ("0.28.0", ["--decode-context-parallel-size", "1"]),
        ("0.28.0", ["--enable-lora", "--max-loras", "4", "--max-cpu-loras", "4"]),
        ("0.28.0", ["--max-loras", "4", "--max-cpu-loras", "2"]),
        ("0.28.0", ["--kv-transfer-config", OFFLOADING.replace("BYTES", "60000000000")]),
        # Older releases were not seen to refuse it.
        ("0.8.5", ["--max-num-seqs", "0"]),
    ],
)
def test_amounts_that_do_pass(release: str, words: list[str]) -> None:
    assert not [*ModelServer.of(typed(release, *words)).resource_faults()]


def test_what_lmcache_keeps_counts_where_it_is_the_connector() -> None:
    raw = typed("0.28.0", "--kv-transfer-config", LMCACHE)
    raw["env"] = {"LMCACHE_MAX_LOCAL_CPU_SIZE": "100"}
    assert "memory for LMCACHE_MAX_LOCAL_CPU_SIZE counts against it" in shortage(raw)
    for words in ([], ["--kv-transfer-config", LMCACHE.replace("ConnectorV1", "MPConnector")]):
        raw["vllm"] = {**raw["vllm"], "extra_args": words}
        assert not [*ModelServer.of(raw).resource_faults()]


def test_weights_are_kept_for_each_card() -> None:
    words = ["vllm", "serve", "/mnt/models/qwen", "--cpu-offload-gb", "32", "-tp", "2"]
    raw = started("0.28.0", *words)
    raw["resources"] = {**raw["resources"], "gpus": 2}
    assert "command is one that keeps 64 GiB in the pod's memory" in shortage(raw)
    words[4] = "31"
    assert not [*ModelServer.of({**raw, "command": words}).resource_faults()]
