"""Cases of the rules of `stacks.checks.vllm`."""

import json
from typing import Any

import pytest

from components.catalog.vllm.table import table_date

from ..environments import GONE, Raw, dev, existing, merged, sentences, warnings
from .cases import Case, refusals, surprises
from .parts import HUB, groups, llm

FROM_A_HUB = {
    "models[qwen].volume": GONE,
    "models[qwen].cache": GONE,
    "models[qwen].server.vllm.model": "acme/Qwen3-8B-GGUF:Q4_K_M",
}

STREAMED = {
    "models[qwen].server.vllm.load_format": "runai_streamer",
    "models[qwen].server.resources.memory": "15Gi",
}
CARDS = {"cpu": "16", "memory": "60Gi", "gpus": 4}

CPU_IMAGE = {
    "models[qwen].server.image": "registry/vllm-openai-cpu:v0.28.0",
    "models[qwen].server.resources.gpus": 0,
    "models[qwen].volume.path": "/Qwen3-8B",
    "models[qwen].server.vllm.quantization": GONE,
}


def experts() -> Raw:
    """A mixture of experts in FP8, by its name, on eight cards of each of two nodes."""
    return merged(
        groups(),
        {
            "models[deepseek].volume.path": "/Qwen3-235B-A22B-FP8",
            "models[deepseek].server.image": "registry/vllm:0.19.0",
        },
    )


BLACKWELL: Raw = {
    "gpus": [{"name": "B200", "label": "NVIDIA-B200", "memory_gib": 179, "compute_capability": 10}],
    "nodes[gpu].gpu": "B200",
}


def asked_for(name: str, method: Any, *words: str) -> Raw:
    """A model of some name, and the format that vLLM is told."""
    return {
        "models[qwen].server.image": "registry/vllm:0.19.0",
        "models[qwen].volume.path": f"/{name}",
        "models[qwen].server.vllm.quantization": method,
        "models[qwen].server.vllm.extra_args": [*words],
    }


EIGHT_CARDS: Raw = {
    "nodes[gpu].gpu": "H20",
    "nodes[gpu].allocatable": {"cpu": "180", "memory": "900Gi", "gpus": 8},
    "models[qwen].volume.path": "/Qwen3-235B-A22B",
    "models[qwen].server.resources.gpus": 8,
}


def drafted(name: str, method: str) -> Raw:
    """A model of some name whose own layers draft."""
    config = json.dumps({"method": method, "num_speculative_tokens": 2})
    return {
        "models[qwen].volume.path": f"/{name}",
        "models[qwen].server.vllm.extra_args": ["--speculative-config", config],
    }


def handed_over(name: str, connector: str) -> Raw:
    """A model of some name whose KV cache is handed to a connector."""
    config = json.dumps({"kv_connector": connector, "kv_role": "kv_both"})
    return {
        "models[qwen].volume.path": f"/{name}",
        "models[qwen].server.vllm.extra_args": ["--kv-transfer-config", config],
    }


GROWING = {"models[qwen].server.env": {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}}
ASLEEP = {"models[qwen].server.vllm.sleep_mode": True}
GROWING_FIELD = (
    "models[qwen].server.env[PYTORCH_CUDA_ALLOC_CONF] is 'expandable_segments:True', but it must "
    "be without expandable_segments:True, or left out, beside "
)

CASES = [
    Case(
        "segments_that_grow_suit_the_server",
        "a pool of vLLM's own, by a release that does not turn them off",
        existing,
        {**GROWING, **ASLEEP, "models[qwen].server.image": "registry/vllm:0.19.1"},
        f"{GROWING_FIELD}--enable-sleep-mode: vLLM 0.19.1 exits when it starts with both.",
        {**GROWING, **ASLEEP, "models[qwen].server.image": "registry/vllm:0.28.0"},
    ),
    Case(
        "segments_that_grow_suit_the_server",
        "a connector, which keeps addresses",
        existing,
        {**GROWING, **handed_over("Qwen3-8B", "NixlConnector")},
        f"{GROWING_FIELD}--kv-transfer-config: vLLM 0.28.0 exits when it starts with both.",
        {**GROWING, **ASLEEP, **handed_over("Qwen3-8B", "NixlConnector")},
    ),
    Case(
        "segments_that_grow_suit_the_server",
        "a KV cache in the memory of the pod",
        existing,
        {**GROWING, "models[qwen].server.vllm.extra_args": ["--kv-offloading-size", "4"]},
        f"{GROWING_FIELD}--kv-offloading-size: vLLM 0.28.0 exits when it starts with both.",
        {
            **GROWING,
            "models[qwen].server.vllm.extra_args": ["--kv-offloading-size", "4"],
            "models[qwen].server.image": "registry/vllm:0.19.1",
        },
    ),
    *(
        Case(
            "vllm_runs_on_the_cards",
            f"a Blackwell card under vLLM {release}",
            existing,
            {**BLACKWELL, "models[qwen].server.image": f"registry/vllm:{release}"},
            (
                f"models[qwen].server.image is 'registry/vllm:{release}', but it must be vLLM "
                "0.9.0 or later but 0.10.0, or placed without pool gpu: the image of vLLM "
                f"{release} has no code for compute capability 10.0, which B200 has."
            ),
            {**BLACKWELL, "models[qwen].server.image": fine},
        )
        for release, fine in (("0.8.5", "registry/vllm:0.9.0"), ("0.10.0", "vllm:0.10.0-cu128"))
    ),
    Case(
        "vllm_runs_on_the_cards",
        "the engine V1 asked for on a card that it is not for",
        existing,
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.vllm.dtype": "half",
            "models[qwen].server.image": "registry/vllm:0.8.5",
            "models[qwen].server.env": {"VLLM_USE_V1": "1"},
        },
        (
            "models[qwen].server.env[VLLM_USE_V1] is '1', but it must be left out: vLLM 0.8.5 "
            "exits with it on cards below compute capability 8.0, and T4 of pool gpu has 7.5."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.vllm.dtype": "half",
            "models[qwen].server.image": "registry/vllm:0.10.2",
            "models[qwen].server.env": {"VLLM_USE_V1": "1"},
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "an attention backend that is not for the card",
        existing,
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:0.19.0",
            "models[qwen].server.vllm.extra_args": ["--attention-backend", "flash_attn"],
        },
        (
            "models[qwen].server.vllm.extra_args is '--attention-backend FLASH_ATTN', but it must "
            "be left out, or placed without pool gpu: FLASH_ATTN runs on compute capability 8.0 "
            "or more, T4 has 7.5, and vLLM exits when it starts."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:0.19.0",
            "models[qwen].server.vllm.extra_args": ["--attention-backend", "flashinfer"],
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a vLLM that has dropped the card",
        existing,
        {"nodes[gpu].gpu": "V100", "models[qwen].server.image": "registry/vllm:0.9.0"},
        (
            "models[qwen].server.image is 'registry/vllm:0.9.0', but it must be a vLLM below "
            "0.9.0, or placed without pool gpu: vLLM 0.9.0 has no kernels for V100."
        ),
        {
            "nodes[gpu].gpu": "V100",
            "models[qwen].server.image": "registry/vllm:0.8.5",
            "models[qwen].server.vllm.dtype": "half",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a format of Turing on Volta, whatever the release",
        existing,
        {
            "nodes[gpu].gpu": "V100",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
        (
            "models[qwen].server.vllm.quantization is 'awq', but it must be another format, or "
            "placed without pool gpu: awq needs compute capability 7.5, V100 has 7.0."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a card before Ampere under a release that does not choose float16 by itself",
        existing,
        {"nodes[gpu].gpu": "T4", "models[qwen].server.image": "registry/vllm:0.8.5"},
        (
            "models[qwen].server.vllm.dtype is missing, but it must be half: most models are "
            "stored as bfloat16, which T4 does not have; half loads any of them, and vLLM 0.8.5 "
            "does not choose it by itself, as 0.9.0 and later do."
        ),
        {"nodes[gpu].gpu": "T4", "models[qwen].server.image": "registry/vllm:0.9.0"},
    ),
    Case(
        "releases_still_load_their_models",
        "the articles' model under a release that no longer loads it",
        existing,
        {
            "models[qwen].volume.path": "/models/Qwen-7B-Chat",
            "models[qwen].server.image": "registry/vllm:0.24.0-cu129",
        },
        (
            "models[qwen].server.image is 'registry/vllm:0.24.0-cu129', but it must be vLLM "
            "0.23.0 or earlier, or a newer model: Qwen-7B-Chat is by its name of the architecture "
            "QWenLMHeadModel, and vLLM 0.23.0 was the last release to load that. See "
            "docs/guides/upgrade.md"
        ),
        {
            "models[qwen].volume.path": "/models/Qwen-7B-Chat",
            "models[qwen].server.image": "registry/vllm:0.23.0-cu129",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a weight format that the card has no kernels for",
        dev,
        {
            "models[qwen].server.vllm.quantization": "gptq_marlin",
            "models[qwen].server.image": "registry/vllm:0.13.0",
        },
        (
            "models[qwen].server.vllm.quantization is 'gptq_marlin', but it must be another "
            "format, or placed without pool t4: gptq_marlin needs compute capability 8.0 in vLLM "
            "0.13.0, T4 has 7.5."
        ),
        {
            "models[qwen].server.vllm.quantization": "gptq_marlin",
            "models[qwen].server.image": "registry/vllm:0.14.0",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a number format that the card does not have",
        dev,
        {"models[qwen].server.vllm.dtype": "bfloat16"},
        (
            "models[qwen].server.vllm.dtype is 'bfloat16', but it must be another format, or "
            "placed without pool t4: bfloat16 needs compute capability 8.0, T4 has 7.5."
        ),
        {"models[qwen].server.vllm.dtype": "half"},
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a KV cache in FP8 on a card that no attention of the release keeps it on",
        existing,
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:0.24.0-cu129",
            "models[qwen].server.vllm.extra_args": ["--kv-cache-dtype", "fp8"],
        },
        (
            "models[qwen].server.vllm.extra_args is '--kv-cache-dtype fp8', but it must be auto, "
            "or placed without pool gpu: vLLM 0.24.0 keeps a KV cache in FP8 on cards of compute "
            "capability 8.0 or more, and T4 has 7.5."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].server.image": "registry/vllm:0.23.0-cu129",
            "models[qwen].server.vllm.extra_args": ["--kv-cache-dtype", "fp8"],
        },
    ),
    Case(
        "drivers_run_the_image",
        "a driver that is too old for the image's CUDA",
        dev,
        {"pools[t4].driver": "515.105.01"},
        (
            "pools[t4].driver is '515.105.01', but it must be 525 or later: "
            "models[qwen].server.image is vLLM 0.4.1 with CUDA 12."
        ),
        {"pools[t4].driver": "525.105.17"},
    ),
    Case(
        "drivers_run_the_image",
        "an image with CUDA 13 on nodes whose driver nobody has chosen",
        existing,
        {"nodes[gpu].driver": GONE},
        (
            "nodes[gpu].driver is missing, but it must be given, at 580 or later: "
            "models[qwen].server.image is vLLM 0.28.0 with CUDA 13."
        ),
        {
            "nodes[gpu].driver": GONE,
            "models[qwen].server.image": "docker.io/vllm/vllm-openai:v0.28.0-cu129",
        },
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a card that no vLLM runs on",
        existing,
        {"nodes[gpu].gpu": "P4"},
        (
            "models[qwen].server.image is 'docker.io/vllm/vllm-openai:v0.28.0', but it must be "
            "another server, or placed without pool gpu: vLLM needs compute capability 7.0, P4 "
            "has 6.1."
        ),
        {"nodes[gpu].gpu": "L4"},
    ),
    Case(
        "vllm_runs_on_the_cards",
        "a described card that a format is too new for",
        existing,
        {
            "gpus": [{"name": "OLD", "memory_gib": 24, "compute_capability": 7.2}],
            "nodes[gpu].gpu": "OLD",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
        (
            "models[qwen].server.vllm.quantization is 'awq', but it must be another format, or "
            "placed without pool gpu: awq needs compute capability 7.5, OLD has 7.2."
        ),
        {
            "gpus": [{"name": "OLD", "memory_gib": 24, "compute_capability": 7.5}],
            "nodes[gpu].gpu": "OLD",
            "models[qwen].server.image": "registry/vllm:latest",
            "models[qwen].server.vllm.quantization": "awq",
        },
    ),
]
LENGTH = "models[qwen].server.vllm.max_model_len"
LLAMA = {
    "models[qwen].volume": {"store": "models", "path": "/Llama-3.1-8B-Instruct/", "size": "16Gi"},
    "models[qwen].server.image": "registry/vllm:0.8.5",
    "models[qwen].server.vllm.quantization": GONE,
    "models[qwen].server.vllm.dtype": "half",
    "models[qwen].placement.pools": ["a10"],
    LENGTH: 131072,
}
QWEN_65536 = {**LLAMA, "models[qwen].volume.path": "/Qwen2.5-7B-Instruct", LENGTH: 65536}
EXPERTS = {
    "models[qwen].server.image": "registry/vllm:0.8.5",
    "models[qwen].server.vllm.quantization": GONE,
    "models[qwen].server.vllm.dtype": "half",
    "models[qwen].server.vllm.extra_args": ["--enable-expert-parallel"],
}

SURPRISES = [
    Case(
        "formats_of_names_are_asked_for",
        "a flag that says another format than the name",
        existing,
        asked_for("Qwen3-4B-AWQ", "gptq"),
        (
            "models[qwen].server has vLLM take gptq, and Qwen3-4B-AWQ is stored in awq by its "
            "name: of another format than config.json says, vLLM exits when it starts. Leave "
            "--quantization out, or take another model."
        ),
        asked_for("Qwen3-4B-AWQ", "awq_marlin"),
    ),
    Case(
        "formats_of_names_are_asked_for",
        "a KV cache that weights in FP8 do not go with",
        existing,
        asked_for("Qwen3-4B-FP8", None, "--kv-cache-dtype", "fp8_e5m2"),
        (
            "models[qwen].server has vLLM keep the KV cache in fp8_e5m2, and Qwen3-4B-FP8 is "
            "stored in FP8 by its name: with such weights vLLM takes fp8 or auto alone, and exits "
            "when it starts."
        ),
        asked_for("Qwen3-4B-FP8", None, "--kv-cache-dtype", "fp8"),
    ),
    Case(
        "sequences_are_no_longer_than_the_models",
        "an embedding model that is told more tokens than it has positions",
        existing,
        {**asked_for("bge-m3", None), "models[qwen].server.vllm.max_model_len": 32768},
        (
            "models[qwen].server.vllm.max_model_len gives a request up to 32,768 tokens, and "
            "bge-m3 has 8,192 by its name: unless its config.json says more, vLLM exits when it "
            "starts. Give no more than that, or a rope scaling by --hf-overrides."
        ),
        {**asked_for("bge-m3", None), "models[qwen].server.vllm.max_model_len": 8192},
    ),
    Case(
        "releases_are_as_new_as_their_models",
        "a model that came after the release",
        existing,
        {
            "models[qwen].volume.path": "/models/Qwen3.5-27B",
            "models[qwen].server.image": "registry/vllm:0.16.0",
        },
        (
            "models[qwen].server.image is vLLM 0.16.0, and Qwen3.5-27B is by its name of the "
            "architecture Qwen3_5ForConditionalGeneration, which vLLM 0.17.0 is the first release "
            "to load: an older one exits when it starts, unless its Transformers know the model. "
            "Take 0.17.0 or later."
        ),
        {
            "models[qwen].volume.path": "/models/Qwen3.5-27B",
            "models[qwen].server.image": "registry/vllm:0.17.0",
        },
    ),
    Case(
        "releases_are_as_new_as_their_models",
        "the same of a model that is imported into a folder of another name",
        existing,
        {
            "models[qwen].volume.path": "/models/chat",
            "models[qwen].volume.source": {"modelscope": "Qwen/Qwen3-Next-80B", "revision": "v1"},
            "models[qwen].server.image": "registry/vllm:0.10.1",
        },
        (
            "models[qwen].server.image is vLLM 0.10.1, and Qwen/Qwen3-Next-80B is by its name of "
            "the architecture Qwen3NextForCausalLM, which vLLM 0.10.2 is the first release to "
            "load: an older one exits when it starts, unless its Transformers know the model. Take "
            "0.10.2 or later."
        ),
        {
            "models[qwen].volume.path": "/models/chat",
            "models[qwen].volume.source": {"modelscope": "Qwen/Qwen3-Next-80B", "revision": "v1"},
            "models[qwen].server.image": "registry/vllm:0.10.2",
        },
    ),
    Case(
        "formats_of_names_run_on_the_cards",
        "weights in FP8, by the model's name, on a card that its release loads none on",
        existing,
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].volume.path": "/models/Qwen3-8B-FP8",
            "models[qwen].server.image": "registry/vllm:0.11.0",
        },
        (
            "models[qwen].server.image is vLLM 0.11.0, which loads fp8 on cards of compute "
            "capability 8.0 or more, and T4 of pool gpu has 7.5: Qwen3-8B-FP8 is in that format by "
            "its name, and the server then exits when it starts. Take another format of the model, "
            "or other cards."
        ),
        {
            "nodes[gpu].gpu": "T4",
            "models[qwen].volume.path": "/models/Qwen3-8B-FP8",
            "models[qwen].server.image": "registry/vllm:0.19.0",
        },
    ),
    Case(
        "layers_in_bitsandbytes_stay_whole",
        "weights in bitsandbytes on several cards",
        experts,
        {"models[deepseek].volume.path": "/Llama-3.3-70B-Instruct-bnb-4bit"},
        (
            "models[deepseek].server splits each layer over 8 cards, and "
            "Llama-3.3-70B-Instruct-bnb-4bit is stored in bitsandbytes by its name, whose layers "
            "vLLM does not split: it exits when it starts. Take one card, "
            "--pipeline-parallel-size, or another format of the model."
        ),
        {"models[deepseek].volume.path": "/Llama-3.3-70B-Instruct-AWQ"},
    ),
    Case(
        "experts_are_split_by_whole_blocks",
        "experts in blocks that do not divide by the cards",
        experts,
        {},
        (
            "models[deepseek].server splits each expert over 8 cards, and Qwen3-235B-A22B-FP8 is "
            "stored by its name in FP8 with a scale for each 128 of an expert's 1536 rows: 192 "
            "rows for a card are no whole blocks, and vLLM exits when it starts. Cards that do: 1 "
            "or 2 or 4; with --enable-expert-parallel each card has whole experts."
        ),
        {"models[deepseek].server.vllm.extra_args": ["--enable-expert-parallel"]},
    ),
    Case(
        "experts_are_split_by_whole_blocks",
        "the same under the last release that does not divide blocks",
        experts,
        {"models[deepseek].server.image": "registry/vllm:0.30.0-cu129"},
        (
            "models[deepseek].server splits each expert over 8 cards, and Qwen3-235B-A22B-FP8 is "
            "stored by its name in FP8 with a scale for each 128 of an expert's 1536 rows: 192 "
            "rows for a card are no whole blocks, and vLLM exits when it starts. Cards that do: 1 "
            "or 2 or 4; with --enable-expert-parallel each card has whole experts."
        ),
        {"models[deepseek].server.image": "registry/vllm:0.31.0-cu129"},
    ),
    *(
        Case(
            "longest_sequences_fit_their_cards",
            f"131072 tokens of Llama-3.1-8B on an A10, and {title}",
            dev,
            LLAMA,
            (
                f"{LENGTH} gives a request up to 131,072 tokens, which take 16.0 GiB of KV cache "
                "in a model of the shape that Llama-3.1-8B-Instruct has by its name, and a replica "
                "on pool a10 has 5.9 GiB for it at the most, beside 15.0 GiB of weights: vLLM then "
                "exits when it starts. Fewer than 48,128 fit; other or more cards hold more."
            ),
            {**LLAMA, **edge},
        )
        for title, edge in (
            ("fewer", {LENGTH: 47104}),
            (
                "what vLLM finds out",
                {LENGTH: "auto", "models[qwen].server.image": "registry/vllm:1"},
            ),
            (
                "a cache of 8 bits",
                {
                    "models[qwen].server.vllm.extra_args": ["--kv-cache-dtype", "fp8"],
                    LENGTH: 96000,
                },
            ),
            (
                "weights in the pod's memory",
                {
                    "models[qwen].server.vllm.extra_args": ["--cpu-offload-gb", "8"],
                },
            ),
            ("embeddings", {"models[qwen].server.vllm.extra_args": ["--task", "embed"]}),
            ("layers that keep the last tokens", {"models[qwen].volume.path": "/Mistral-7B-v0.1"}),
            (
                "another model of 4 bits",
                {"models[qwen].volume.path": "/Llama-3.1-8B-AWQ", LENGTH: 130000},
            ),
        )
    ),
    *(
        Case(
            "longest_sequences_fit_their_cards",
            f"the 131072 tokens that Llama-3.1-8B has by itself on an A10, and {title}",
            dev,
            {**LLAMA, LENGTH: GONE},
            (
                f"{LENGTH} is left out, and a request then gets up to the model's own 131,072 "
                "tokens: they take 16.0 GiB of KV cache in a model of the shape that "
                "Llama-3.1-8B-Instruct has by its name, and a replica on pool a10 has 5.9 GiB for "
                "it at the most, beside 15.0 GiB of weights: vLLM then exits when it starts. Fewer "
                "than 48,128 fit; other or more cards hold more."
            ),
            {**LLAMA, LENGTH: GONE, **edge},
        )
        for title, edge in (
            ("as many as fit", {LENGTH: 47104}),
            (
                "what else decides it",
                {"models[qwen].server.vllm.extra_args": ["--hf-overrides", "{}"]},
            ),
        )
    ),
    *(
        Case(
            "sequences_are_no_longer_than_the_models",
            f"more tokens than Qwen2.5-7B-Instruct has, and {title}",
            dev,
            QWEN_65536,
            (
                f"{LENGTH} gives a request up to 65,536 tokens, and Qwen2.5-7B-Instruct has 32,768 "
                "by its name: unless its config.json says more, vLLM exits when it starts. Give no "
                "more than that, or a rope scaling by --hf-overrides."
            ),
            {**QWEN_65536, **edge},
        )
        for title, edge in (
            ("all that it has", {LENGTH: 32768}),
            ("a model that has them", {"models[qwen].volume.path": "/Qwen2.5-7B-Instruct-1M"}),
            ("one that nobody knows", {"models[qwen].volume.path": "/our-finetune"}),
            (
                "a rope scaling",
                {"models[qwen].server.vllm.extra_args": ["--hf-overrides", "{}"]},
            ),
            (
                "a variable that lets it",
                {"models[qwen].server.env": {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}},
            ),
        )
    ),
    Case(
        "tokens_are_shared_out_by_cards_with_the_same_heads",
        "as many cards as heads of keys",
        existing,
        {
            **EIGHT_CARDS,
            "models[qwen].server.resources.gpus": 4,
            "models[qwen].server.vllm.extra_args": ["--decode-context-parallel-size", "2"],
        },
        (
            "models[qwen].server has --decode-context-parallel-size 2 beside 4 cards for each "
            "layer, and Qwen3-235B-A22B has 4 heads of keys and 64 of attention by its name: only "
            "cards beyond 4 hold the same heads, and vLLM exits when it starts. Leave it out, or "
            "take more cards."
        ),
        {**EIGHT_CARDS, "models[qwen].server.vllm.extra_args": ["-dcp", "2"]},
    ),
    Case(
        "tokens_are_shared_out_by_cards_with_the_same_heads",
        "more shares than cards with the same heads",
        existing,
        {
            **EIGHT_CARDS,
            "models[qwen].server.vllm.extra_args": ["--decode-context-parallel-size", "4"],
        },
        (
            "models[qwen].server has --decode-context-parallel-size 4 beside 8 cards for each "
            "layer, and Qwen3-235B-A22B has 4 heads of keys and 64 of attention by its name: only "
            "cards beyond 4 hold the same heads, and vLLM exits when it starts. With these cards "
            "it may be 2."
        ),
        # Latent attention has no heads of keys.
        {
            **EIGHT_CARDS,
            "models[qwen].volume.path": "/DeepSeek-R1",
            "models[qwen].server.vllm.extra_args": ["--decode-context-parallel-size", "4"],
        },
    ),
    Case(
        "drafts_come_from_layers_that_are_there",
        "layers that draft, of a model that has none",
        existing,
        drafted("Qwen3-8B", "mtp"),
        (
            "models[qwen].server has vLLM draft by mtp, and Qwen3-8B is by its name a model "
            "without layers for that: it exits when it starts. Take ngram, or eagle3 with a draft "
            "that was trained for it."
        ),
        drafted("Qwen3-Coder-Next", "mtp"),
    ),
    *(
        Case(
            "rerankers_are_told_that_they_rank",
            f"{name} as its makers publish it",
            existing,
            {"models[qwen].volume.path": f"/{name}"},
            (
                f"models[qwen].server has vLLM serve {name}, which by its config.json is a model "
                "that writes: /rerank and /score are not there, or rank by chance. Give it "
                f'--hf-overrides {{"architectures": ["{kind}"], "classifier_from_token": ["no", '
                '"yes"], "is_original_qwen3_reranker": true}; and have requests, or '
                "--chat-template, bring the template of its model card."
            ),
            {"models[qwen].volume.path": f"/{other}", **changes},
        )
        for name, kind, other, changes in (
            (
                "Qwen3-Reranker-4B",
                "Qwen3ForSequenceClassification",
                "Qwen3-Reranker-4B-seq-cls",
                {},
            ),
            (
                "Qwen3-VL-Reranker-2B",
                "Qwen3VLForSequenceClassification",
                "Qwen3-VL-Reranker-2B",
                {
                    "models[qwen].server.vllm.extra_args": [
                        "--hf_overrides",
                        '{"architectures": ["Qwen3VLForSequenceClassification"]}',
                    ]
                },
            ),
        )
    ),
    Case(
        "connectors_keep_the_states_of_hybrids",
        "a connector that knows caches of one kind",
        existing,
        handed_over("Qwen3.6-27B-FP8", "LMCacheConnectorV1"),
        (
            "models[qwen].server hands its KV cache to LMCacheConnectorV1, and Qwen3.6-27B-FP8 is "
            "by its name of the architecture Qwen3_5ForConditionalGeneration, most of whose layers "
            "keep a state in its place: with that connector vLLM 0.28.0 cannot keep both, and "
            "exits when it starts. Leave it out, or take a connector that can: NixlConnector, or "
            "OffloadingConnector of a later release."
        ),
        handed_over("Qwen3-8B", "LMCacheConnectorV1"),
    ),
    Case(
        "connectors_keep_the_states_of_hybrids",
        "memory of the pod, by a release whose connector knows caches of one kind",
        existing,
        {
            "models[qwen].volume.path": "/Qwen3-Next-80B-A3B-Instruct-FP8",
            "models[qwen].server.image": "registry/vllm:0.19.1",
            "models[qwen].server.vllm.extra_args": ["--kv-offloading-size", "8"],
        },
        (
            "models[qwen].server hands its KV cache to OffloadingConnector, and "
            "Qwen3-Next-80B-A3B-Instruct-FP8 is by its name of the architecture "
            "Qwen3NextForCausalLM, most of whose layers keep a state in its place: with that "
            "connector vLLM 0.19.1 cannot keep both, and exits when it starts. Leave it out, or "
            "take a connector that can: NixlConnector, or OffloadingConnector of a later release."
        ),
        {
            "models[qwen].volume.path": "/Qwen3-Next-80B-A3B-Instruct-FP8",
            "models[qwen].server.image": "registry/vllm:0.28.0",
            "models[qwen].server.vllm.extra_args": ["--kv-offloading-size", "8"],
        },
    ),
    Case(
        "models_fill_their_cards",
        "a hub's model of 2026 that is larger than its card",
        existing,
        {
            "models[qwen].volume": GONE,
            "models[qwen].cache": GONE,
            "models[qwen].server.vllm.model": "Qwen/Qwen3.6-27B",
        },
        (
            "models[qwen].server.vllm.model is Qwen/Qwen3.6-27B, whose weights take 50.3 GiB or "
            "more by its name, and a replica on pool gpu has 19.8 GiB of GPU memory for weights "
            "and KV cache together: it may fail to load."
        ),
        {
            "models[qwen].volume": GONE,
            "models[qwen].cache": GONE,
            "models[qwen].server.vllm.model": "Qwen/Qwen3.6-27B-AWQ",
        },
    ),
    Case(
        "experts_are_of_models_that_have_some",
        "experts of a model that has none",
        dev,
        {**EXPERTS, "models[qwen].volume.path": "/Qwen3-32B"},
        (
            "models[qwen].server.vllm.extra_args has --enable-expert-parallel, and Qwen3-32B is a "
            "model without experts by its name: vLLM then exits when it starts. Leave it out."
        ),
        {**EXPERTS, "models[qwen].volume.path": "/Qwen3-30B-A3B"},
    ),
    Case(
        "experts_are_of_models_that_have_some",
        "experts of an LLMInferenceService whose model has none",
        llm,
        {"models[moe].volume.path": "/Qwen3-32B"},
        (
            "models[moe].serve.llm.parallelism.expert is true, and Qwen3-32B is a model without "
            "experts by its name: vLLM then exits when it starts. Leave it out."
        ),
        {},
    ),
    Case(
        "servers_ask_for_their_cards",
        "an image for cards, and no card",
        dev,
        {
            "models[qwen].server.resources.gpus": 0,
            "models[qwen].server.image": "registry/vllm:0.4.1",
        },
        (
            "models[qwen].server.resources.gpus is 0, and server.image is vLLM 0.4.1, whose name "
            "tells no other hardware than NVIDIA's cards: it exits on a node without any, and on a "
            "node with some takes what other pods were given. Ask for cards, or name an image for "
            "CPUs."
        ),
        CPU_IMAGE,
    ),
    Case(
        "models_fill_their_cards",
        "a hub's model whose weights are larger than the card",
        dev,
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-14B-Instruct"},
        (
            "models[qwen].server.vllm.model is Qwen/Qwen2.5-14B-Instruct, whose weights take 27.6 "
            "GiB or more by its name, and a replica on pool a10 has 20.9 GiB of GPU memory for "
            "weights and KV cache together: it may fail to load."
        ),
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-14B-Instruct-AWQ"},
    ),
    Case(
        "models_fill_their_cards",
        "a model whose makers publish it in 8 bits",
        dev,
        {**HUB, "models[qwen].server.vllm.model": "deepseek-ai/DeepSeek-V3.1"},
        (
            "models[qwen].server.vllm.model is deepseek-ai/DeepSeek-V3.1, whose weights take 624.9 "
            "GiB or more by its name, and a replica on pool a10 has 20.9 GiB of GPU memory for "
            "weights and KV cache together: it may fail to load."
        ),
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-14B-Instruct-AWQ"},
    ),
    Case(
        "models_fill_their_cards",
        "a model whose shape the table lacks, of a family that is published in 16 bits",
        dev,
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-VL-72B-Instruct"},
        (
            "models[qwen].server.vllm.model is Qwen/Qwen2.5-VL-72B-Instruct, whose weights take "
            "127.4 GiB or more by its name, and a replica on pool a10 has 20.9 GiB of GPU memory "
            "for weights and KV cache together: it may fail to load."
        ),
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-VL-32B-Instruct-AWQ"},
    ),
    Case(
        "models_fill_their_cards",
        "such a model that somebody stored in 16 bits",
        dev,
        {**HUB, "models[qwen].server.vllm.model": "unsloth/DeepSeek-R1-BF16"},
        (
            "models[qwen].server.vllm.model is unsloth/DeepSeek-R1-BF16, whose weights take 1249.8 "
            "GiB or more by its name, and a replica on pool a10 has 20.9 GiB of GPU memory for "
            "weights and KV cache together: it may fail to load."
        ),
        {**HUB, "models[qwen].server.vllm.model": "Qwen/Qwen2.5-14B-Instruct-AWQ"},
    ),
    *(
        Case(
            "models_are_of_a_format_that_is_read",
            title,
            existing,
            {
                "models[qwen].server.image": f"registry/vllm-openai:v{release}",
                "models[qwen].volume.path": path,
            },
            f"models[qwen].volume.path is {path}, by its name a model in the format {about}",
            {"models[qwen].volume.path": path, **edge},
        )
        for title, release, path, about, edge in (
            (
                "files of GGUF, which the release does not load any more",
                "0.28.0",
                "/Qwen2.5-7B-Instruct-GGUF",
                "GGUF, which vLLM 0.28.0 does not load; 0.5.5 to 0.23.0 do.",
                {
                    "models[qwen].server.image": "registry/vllm-openai:v0.23.0",
                    "models[qwen].server.vllm.model": "/mnt/models/qwen/q4.gguf",
                },
            ),
            (
                "a folder with files of GGUF",
                "0.19.0",
                "/Qwen2.5-7B-Instruct-GGUF/",
                "GGUF, of which vLLM loads one file: name it in server.vllm.model.",
                {
                    "models[qwen].server.image": "registry/vllm-openai:v0.19.0",
                    "models[qwen].server.vllm.model": "/mnt/models/qwen/q4.gguf",
                },
            ),
            (
                "a model of MLX",
                "0.28.0",
                "/Qwen3-8B-MLX-4bit",
                "MLX, which vLLM 0.28.0 does not load.",
                {"models[qwen].volume.path": "/Qwen3-8B-AWQ"},
            ),
        )
    ),
    Case(
        "models_are_of_a_format_that_is_read",
        "a format of a hub's repository that the release does not know yet",
        existing,
        {**FROM_A_HUB, "models[qwen].server.image": "registry/vllm-openai:v0.11.0"},
        (
            "models[qwen].server.vllm.model is acme/Qwen3-8B-GGUF:Q4_K_M, by its name a model in "
            "the format GGUF, which vLLM 0.11.0 loads from no hub; 0.12.0 to 0.23.0 do."
        ),
        {**FROM_A_HUB, "models[qwen].server.image": "registry/vllm-openai:v0.12.0"},
    ),
    Case(
        "images_are_for_the_cards",
        "AMD's own image, which is called as vLLM's",
        existing,
        {"models[qwen].server.image": "docker.io/rocm/vllm:v0.28.0"},
        (
            "models[qwen].server.image is docker.io/rocm/vllm:v0.28.0, which is vLLM for AMD GPUs "
            "by its name, and its pods ask for an NVIDIA card, which that leaves idle, or does not "
            "start on."
        ),
        {"models[qwen].server.image": "docker.io/rocmo/vllm:v0.28.0"},
    ),
    Case(
        "images_are_for_the_cards",
        "an image for other hardware",
        existing,
        {"models[qwen].server.image": "registry/vllm-cpu-release-repo:v0.28.0"},
        (
            "models[qwen].server.image is registry/vllm-cpu-release-repo:v0.28.0, which is vLLM "
            "for CPUs by its name, and its pods ask for an NVIDIA card, which that leaves idle, or "
            "does not start on."
        ),
        {"models[qwen].server.image": "registry/vllm-openai:v0.28.0-cu130-x86_64"},
    ),
    Case(
        "cards_keep_memory_for_their_driver",
        "all of a card's memory",
        existing,
        {"models[qwen].server.vllm.gpu_memory_utilization": 1},
        (
            "models[qwen].server.vllm.gpu_memory_utilization is all of a card's memory: vLLM "
            "0.28.0 exits when less is free as it starts, and CUDA has taken its part by then. "
            "Give 0.95."
        ),
        {"models[qwen].server.vllm.gpu_memory_utilization": 0.99},
    ),
    Case(
        "cards_keep_memory_for_their_driver",
        "the same in a command, beside a release that does not look before",
        existing,
        {
            "models[qwen].server.vllm": GONE,
            "models[qwen].server.port": 8000,
            "models[qwen].server.command": [
                *("vllm", "serve", "/mnt/models/qwen", "--gpu-memory-utilization=1.0")
            ],
        },
        (
            "models[qwen].server.command is all of a card's memory: vLLM 0.28.0 exits when less is "
            "free as it starts, and CUDA has taken its part by then. Give 0.95."
        ),
        {
            "models[qwen].server.vllm.gpu_memory_utilization": 1,
            "models[qwen].server.image": "registry/vllm-openai:v0.9.0",
        },
    ),
    Case(
        "streams_fit_their_pods",
        "weights that are streamed through less memory than they take",
        existing,
        STREAMED,
        (
            "models[qwen].volume.size is 15Gi, and with runai_streamer vLLM reads ahead into the "
            "pod's own memory, 15 GiB in all, of 15Gi: the container is ended for want of it. "
            "RUNAI_STREAMER_MEMORY_LIMIT: '4000000000' in server.env bounds what each process "
            "takes, in bytes."
        ),
        {**STREAMED, "models[qwen].server.resources.memory": "16Gi"},
    ),
    Case(
        "streams_fit_their_pods",
        "a bound of the streamer that is none",
        existing,
        {**STREAMED, "models[qwen].server.env": {"RUNAI_STREAMER_MEMORY_LIMIT": "-1"}},
        (
            "models[qwen].volume.size is 15Gi, and with runai_streamer vLLM reads ahead into the "
            "pod's own memory, 15 GiB in all, of 15Gi: the container is ended for want of it. "
            "RUNAI_STREAMER_MEMORY_LIMIT: '4000000000' in server.env bounds what each process "
            "takes, in bytes."
        ),
        {**STREAMED, "models[qwen].server.env": {"RUNAI_STREAMER_MEMORY_LIMIT": "4000000000"}},
    ),
    Case(
        "streams_fit_their_pods",
        "a stream that each card's process reads for itself",
        existing,
        {
            **{key: value for key, value in STREAMED.items() if "memory" not in key},
            "models[qwen].server.resources": CARDS,
            "nodes[gpu].allocatable.gpus": 4,
        },
        (
            "models[qwen].volume.size is 15Gi, and with runai_streamer each of 4 processes reads "
            "ahead into the pod's own memory, 60 GiB in all, of 60Gi: the container is ended for "
            "want of it. RUNAI_STREAMER_MEMORY_LIMIT: '4000000000' in server.env bounds what each "
            "process takes, in bytes."
        ),
        {
            "models[qwen].server.vllm.load_format": "runai_streamer",
            "models[qwen].server.env": {"RUNAI_STREAMER_MEMORY_LIMIT": "4000000000"},
            "models[qwen].server.resources": CARDS,
            "nodes[gpu].allocatable.gpus": 4,
        },
    ),
    Case(
        "models_fill_their_cards",
        "weights that leave no room in a card's memory",
        dev,
        {"models[qwen].volume.size": "15Gi"},
        (
            "models[qwen].volume.size is 15Gi, and a replica on pool t4 has 14.2 GiB of GPU "
            "memory for weights and KV cache together: it may fail to load."
        ),
        {"models[qwen].volume.size": "14Gi"},
    ),
    Case(
        "releases_are_in_the_table",
        "a vLLM that is newer than the table",
        existing,
        {"models[qwen].server.image": "registry/vllm:0.99.0-cu129"},
        (
            "models[qwen].server.image is vLLM 0.99.0, which is newer than what is known here: "
            f"its flags and formats are validated against 0.33.0, read {table_date()}."
        ),
        {"models[qwen].server.image": "registry/vllm:0.33.0-cu129"},
    ),
    Case(
        "releases_are_in_the_table",
        "a vLLM that is older than the table",
        existing,
        {"models[qwen].server.image": "registry/vllm:0.3.3"},
        (
            "models[qwen].server.image is vLLM 0.3.3, which is older than what is known here: "
            f"its flags and formats are validated against 0.4.1, read {table_date()}."
        ),
        {"models[qwen].server.image": "registry/vllm:0.4.1"},
    ),
    Case(
        "releases_are_in_the_table",
        "a vLLM whose tag does not tell its release",
        existing,
        {"models[qwen].server.image": "registry/vllm:latest"},
        (
            "models[qwen].server.image does not tell its release of vLLM: flags and formats are "
            "validated against what any release knows, the driver against none. A tag that "
            "begins with the release, e.g. v0.19.0-mirror, tells it."
        ),
        {"models[qwen].server.image": "registry/vllm:v0.9.1-mirror"},
    ),
    Case(
        "models_fill_their_cards",
        "a model that is larger than its part of a card",
        existing,
        {
            "nodes[gpu].gpu_sharing": "cgpu",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "11Gi"},
            "training": [],
        },
        (
            "models[qwen].volume.size is 15Gi, and a replica on pool gpu has 9.9 GiB of GPU memory "
            "for weights and KV cache together: it may fail to load."
        ),
        {
            "nodes[gpu].gpu_sharing": "cgpu",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "gpu_memory": "22Gi"},
            "training": [],
        },
    ),
    Case(
        "models_fill_their_cards",
        "a model that is larger than its instance of MIG",
        existing,
        {
            "nodes[gpu].gpu": "A100",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "1g.10gb"},
            "training": [],
        },
        (
            "models[qwen].volume.size is 15Gi, and a replica on pool gpu has 9.0 GiB of GPU memory "
            "for weights and KV cache together: it may fail to load."
        ),
        {
            "nodes[gpu].gpu": "A100",
            "nodes[gpu].gpu_sharing": "mig",
            "models[qwen].server.resources": {"cpu": "8", "memory": "48Gi", "mig": "2g.20gb"},
            "training": [],
        },
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)


def test_an_image_for_cpus_needs_no_driver_and_no_card() -> None:
    """It has the same release as the one with CUDA 13, whose driver the pools do not name."""
    assert not sentences(merged(dev(), CPU_IMAGE))
    old = {"pools[t4].gpu": "V100", "pools[t4].instance_types": ["ecs.gn6v-c8g1.2xlarge"]}
    fits = {"models[qwen].server.resources": {"cpu": "4", "memory": "24Gi", "gpus": 0}}
    assert not sentences(merged(dev(), {**CPU_IMAGE, **old, **fits, "training": []}))


@pytest.mark.parametrize(
    "edge",
    [
        {"models[qwen].volume.path": "/Mistral-7B-v0.1"},
        {"models[qwen].volume.path": "/Some-8B"},
        {"models[qwen].server.vllm.extra_args": ["--cpu-offload-gb", "8"]},
        {"models[qwen].server.vllm.extra_args": ["--task", "embed"]},
    ],
)
def test_a_cache_of_which_less_is_known_is_no_matter_of_a_warning(edge: Raw) -> None:
    sentences = warnings(merged(dev(), {**LLAMA, **edge}))
    assert not [sentence for sentence in sentences if "KV cache in a model" in sentence]


@pytest.mark.parametrize(
    "changes",
    [
        {"models[qwen].server.resources.memory": "16Gi"},
        {"models[qwen].server.env": {"RUNAI_STREAMER_MEMORY_LIMIT": "4000000000"}},
        {"models[qwen].server.vllm.load_format": "auto"},
    ],
)
def test_weights_that_fit_their_pod_or_are_bounded_may_be_streamed(changes: dict[str, Any]) -> None:
    texts = warnings(merged(existing(), {**STREAMED, **changes}))
    assert not [text for text in texts if "reads ahead" in text]
