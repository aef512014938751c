"""Flags with both of which vLLM exits."""

import pytest

from components.serving import ModelServer
from tests.cloud.refusals import refusal

from .test_vllm_rules import typed

DRAFT = ["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 3}']
EAGLE = DRAFT[0], DRAFT[1].replace("ngram", "eagle3").replace("{", '{"model": "/mnt/models/qwen",')


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        (
            "0.11.0",
            ["--async-scheduling", *EAGLE],
            "vllm.extra_args is '--async-scheduling', but it must be left out beside "
            "--speculative-config: vLLM exits when it starts.",
        ),
        (
            "0.10.2",
            ["--async-scheduling", "--pipeline-parallel-size", "2"],
            "must be left out beside --pipeline-parallel-size",
        ),
        (
            "0.19.0",
            ["--async-scheduling", *DRAFT],
            "must be left out beside --speculative-config with method ngram",
        ),
        (
            "0.19.0",
            ["--enable-eplb"],
            "vllm.extra_args is '--enable-eplb', but it must be given with "
            "--enable-expert-parallel: without it vLLM exits.",
        ),
    ],
)
def test_switches_that_exclude_others_are_refused(release: str, words: list[str], sentence: str):
    assert sentence in refusal(ModelServer, typed(release, *words))


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("0.19.0", ["--async-scheduling", *EAGLE]),
        ("0.13.0", ["--async-scheduling", *DRAFT]),
        ("0.11.0", ["--async-scheduling", "--pipeline-parallel-size", "1"]),
        ("0.19.0", ["--enable-eplb", "--enable-expert-parallel"]),
    ],
)
def test_switches_that_go_together_pass(release: str, words: list[str]):
    assert ModelServer.of(typed(release, *words)).command_line()


@pytest.mark.parametrize(
    ("release", "fields", "words", "sentence"),
    [
        (
            "0.19.0",
            {"quantization": "awq", "dtype": "bfloat16"},
            [],
            "vllm.extra_args is '--quantization awq with --dtype bfloat16', but it must be left "
            "out, or awq_marlin, or --dtype half: awq computes in float16 alone, and vLLM exits "
            "when it starts.",
        ),
        (
            "0.28.0",
            {"quantization": "fp8"},
            ["--kv-cache-dtype", "fp8_e5m2"],
            "is '--kv-cache-dtype fp8_e5m2 with --quantization fp8', but it must be fp8 or auto",
        ),
    ],
)
def test_formats_that_exclude_others_are_refused(
    release: str, fields: dict[str, str], words: list[str], sentence: str
):
    assert sentence in refusal(ModelServer, typed(release, *words, **fields))


@pytest.mark.parametrize(
    ("release", "fields", "words"),
    [
        ("0.19.0", {"quantization": "awq_marlin", "dtype": "bfloat16"}, []),
        ("0.28.0", {"quantization": "awq", "dtype": "bfloat16"}, []),
        ("0.28.0", {"quantization": "fp8"}, ["--kv-cache-dtype", "fp8_e4m3"]),
    ],
)
def test_formats_that_go_together_pass(release: str, fields: dict[str, str], words: list[str]):
    assert ModelServer.of(typed(release, *words, **fields)).command_line()


def test_on_cpus_awq_is_computed_in_bfloat16() -> None:
    raw = typed("0.10.0", quantization="awq", dtype="bfloat16")
    image = "public/vllm-cpu-release-repo:v0.10.0"
    assert ModelServer.of({**raw, "image": image}).command_line()
