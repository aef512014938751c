"""Cases of the rules of `stacks.checks.sglang`."""

from typing import Any

import pytest

from ..environments import GONE, Raw, existing, merged, sentences, warnings
from .cases import Case, refusals, surprises

STARTED = ("python3", "-m", "sglang.launch_server", "--model-path", "/mnt/models/qwen")
LISTENS = ("--host", "0.0.0.0", "--port", "8080")  # noqa: S104
"""Where the server of the smallest stack is asked."""


def served(
    *words: str,
    name: str = "Qwen2.5-7B-Instruct",
    tag: str = "v0.5.23",
    start: tuple[str, ...] = STARTED,
    **changes: Any,
) -> Raw:
    """A model of some name under SGLang, with flags beside those that everybody needs."""
    return {
        "models[qwen].server.image": f"registry/sglang:{tag}",
        "models[qwen].server.vllm": GONE,
        "models[qwen].server.command": [*start, *LISTENS, *words],
        "models[qwen].volume.path": f"/{name}",
        "models[qwen].server.mount_path": "/mnt/models/qwen",
        "models[qwen].cache": GONE,
        **changes,
    }


SERVES = ("sglang", "serve", "--model-path", "/mnt/models/qwen")
CARDS = {"models[qwen].server.resources": {"cpu": "16", "memory": "60Gi", "gpus": 3}}
NODE = {"nodes[gpu].allocatable": {"cpu": "60", "memory": "300Gi", "gpus": 8}}
FOUR = {**CARDS, **NODE, "models[qwen].server.resources.gpus": 4}
T4 = {"nodes[gpu].gpu": "T4"}
EXITS = "SGLang 0.5.23 exits when it starts."

CASES = [
    Case(
        "served_models_are_told_what_their_release_knows",
        "a flag of vLLM's after sglang serve, for a model that writes by its name",
        existing,
        served("--max-model-len", "8192", start=SERVES),
        "models[qwen].server.command is '--max-model-len', but it must be --context-length: it is "
        "a flag of vLLM, and SGLang exits when it starts.",
        served("--max-model-len", "8192", start=SERVES, name="Wan2.2"),
    ),
    Case(
        "served_models_are_told_what_their_release_knows",
        "flags that do not go together after sglang serve, of a model that writes as it says",
        existing,
        served("--model-type", "llm", "--enable-lora", start=SERVES, name="mine"),
        "models[qwen].server.command is '--enable-lora', but it must be given with "
        "--max-lora-rank and --lora-target-modules, or with --lora-paths: no adapter says what it "
        f"needs, and {EXITS}",
        served("--model-type", "diffusion", "--enable-lora", start=SERVES, name="mine"),
    ),
    Case(
        "files_of_sglang_are_mounted",
        "an adapter below no mount",
        existing,
        served("--lora-paths", "law=/mnt/models/qwen/law", "sql=/mnt/lora/sql"),
        "models[qwen].server.command is '/mnt/lora/sql', but it must be below /mnt/models/qwen: "
        "--lora-paths reads it, and nothing else is mounted.",
        served("--lora-paths", "law=/mnt/models/qwen/law", "sql=owner/sql", "--tp", "1"),
    ),
    Case(
        "files_of_sglang_are_mounted",
        "a draft below no mount",
        existing,
        served("--speculative-algorithm", "EAGLE3", "--speculative-draft-model=/mnt/draft"),
        "models[qwen].server.command is '/mnt/draft', but it must be below /mnt/models/qwen: "
        "--speculative-draft-model-path reads it, and nothing else is mounted.",
        served("--speculative-algorithm", "EAGLE3", "--speculative-draft-model=owner/draft"),
    ),
    *(
        Case(
            "sglang_runs_on_the_cards",
            f"{backend} on {card}",
            existing,
            served("--attention-backend", backend, **{"nodes[gpu].gpu": card}),
            f"models[qwen].server.command is '--attention-backend {backend}', but it must be "
            f"another one, or left out, or placed without pool gpu: {backend} runs on compute "
            f"capability {bounds}, {card} has {has}, and SGLang exits when it starts.",
            served("--attention-backend", backend, tag="latest", **{"nodes[gpu].gpu": card}),
        )
        for backend, card, bounds, has in (
            ("fa3", "T4", "8.0 to 9.9", "7.5"),
            ("trtllm_mha", "H20", "10.0 or more", "9.0"),
        )
    ),
    Case(
        "sglang_runs_on_the_cards",
        "a format that the card is too old for",
        existing,
        served("--quantization", "fp8", **T4),
        "models[qwen].server.command is '--quantization fp8', but it must be another format, or "
        "placed without pool gpu: fp8 needs compute capability 8.0 in SGLang, T4 has 7.5.",
        served("--quantization", "fp8"),
    ),
]
SURPRISES = [
    Case(
        "sglang_releases_are_in_the_table",
        "a release that is newer than the table",
        existing,
        served(tag="v0.99.1"),
        "models[qwen].server.image is SGLang 0.99.1, which is newer than what is known here (0.4.2 "
        "to 0.5.23): whether it knows the flags of its command is not validated.",
        served(),
    ),
    Case(
        "sglang_finds_its_templates",
        "a template below no mount",
        existing,
        served("--chat-template", "/templates/own.jinja"),
        "models[qwen].server starts SGLang with --chat-template /templates/own.jinja, which lies "
        "below no mount: it starts only if the image has that.",
        served("--chat-template", "chatml"),
    ),
    Case(
        "sglang_models_fill_their_cards",
        "weights as large as the card",
        existing,
        served(**{"models[qwen].volume.size": "30Gi"}),
        "models[qwen].volume.size is 30Gi, and a copy of the model on pool gpu has 22.0 GiB of GPU "
        "memory for weights and KV cache together: SGLang may fail to load.",
        served("--cpu-offload-gb", "20", **{"models[qwen].volume.size": "30Gi"}),
    ),
    Case(
        "sglang_models_fill_their_cards",
        "copies that share the cards of a replica, of which each has half",
        existing,
        served(
            "--dp",
            "2",
            **{
                **CARDS,
                **NODE,
                "models[qwen].server.resources.gpus": 2,
                "models[qwen].volume.size": "30Gi",
            },
        ),
        "models[qwen].volume.size is 30Gi, and a copy of the model on pool gpu has 22.0 GiB of GPU "
        "memory for weights and KV cache together: SGLang may fail to load.",
        served(
            "--tp",
            "2",
            "--dp",
            "2",
            "--enable-dp-attention",
            **{
                **CARDS,
                **NODE,
                "models[qwen].server.resources.gpus": 2,
                "models[qwen].volume.size": "30Gi",
            },
        ),
    ),
    Case(
        "caches_of_sglang_fit_their_pod",
        "more than the pod's memory on four cards, each of which keeps its own",
        existing,
        served("--enable-hierarchical-cache", "--hicache-size", "20", "--tp", "4", **FOUR),
        "models[qwen].server.command has --hicache-size 20: 4 cards of a pod keep so many GB each "
        "in its memory from the start on, and resources.memory is 60Gi. The pod is killed; give it "
        "more, or keep less.",
        served("--enable-hierarchical-cache", "--hicache-size", "10", "--tp", "4", **FOUR),
    ),
    Case(
        "sglang_splits_layers_evenly",
        "heads that three cards cannot share out",
        existing,
        served("--tp", "3", **CARDS, **NODE),
        "models[qwen].server.command splits the attention of each layer over 3 cards, and "
        "Qwen2.5-7B-Instruct has 28 heads and 4 of keys and values by its name: SGLang exits when "
        "it starts where they cannot be shared out evenly. 1, 2 or 4 cards do; --pp-size splits by "
        "layers instead.",
        served("--tp", "3", "--dp", "3", "--enable-dp-attention", **CARDS, **NODE),
    ),
    Case(
        "sglang_sequences_are_no_longer_than_the_models",
        "a context that is longer than the model's",
        existing,
        served("--context-length", "131072"),
        "models[qwen].server.command gives a request up to 131,072 tokens, and Qwen2.5-7B-Instruct "
        "has 32,768 by its name: unless its config.json says more, SGLang exits when it starts. "
        "Give --context-length no more than that, or a rope scaling by "
        "--json-model-override-args.",
        served("--context-length", "131072", tag="v0.4.6.post5"),
    ),
    Case(
        "drafts_have_weights_of_their_own",
        "a draft that nobody names",
        existing,
        served("--speculative-algorithm", "EAGLE3"),
        "models[qwen].server.command has --speculative-algorithm EAGLE3 without "
        "--speculative-draft-model-path, and Qwen2.5-7B-Instruct is by its name a model without "
        "layers that draft: SGLang then loads the model a second time in their place, and exits. "
        "Name a draft that was trained for it.",
        served("--speculative-algorithm", "EAGLE", name="DeepSeek-R1"),
    ),
    Case(
        "halves_of_a_split_server_are_asked_together",
        "a server that reads prompts alone",
        existing,
        served("--disaggregation-mode", "prefill"),
        "models[qwen].server.command has --disaggregation-mode prefill, and requests come to the "
        "server of models[qwen].serve.knative directly: without a router that asks one of each "
        "role, none is answered. serve.roles has both, and a router.",
        served("--disaggregation-mode", "null"),
    ),
]
test_a_command_with_which_sglang_exits_is_refused, test_what_it_starts_with_is_accepted = refusals(
    CASES
)
test_what_surprises_under_sglang_is_said, test_what_does_not_is_not = surprises(SURPRISES)


@pytest.mark.parametrize("way", ["env", "flag"])
def test_a_context_that_is_longer_on_purpose_is_nothing_to_say(way: str):
    words = ["--json-model-override-args", "{}"] if way == "flag" else []
    raw = merged(existing(), served("--context-length", "131072", *words))
    if way == "env":
        env = {"SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN": "1"}
        raw = merged(raw, {"models[qwen].server.env": env})
    assert not [text for text in warnings(raw) if "131,072" in text]


def test_the_name_of_a_hub_s_model_is_that_of_the_command():
    hub = ("python3", "-m", "sglang.launch_server", "--model-path", "Qwen/Qwen2.5-7B-Instruct")
    raw = merged(existing(), served("--context-length", "131072", start=hub, name="mine"))
    assert any("Qwen/Qwen2.5-7B-Instruct has 32,768" in text for text in warnings(raw))


def test_a_beginning_of_a_flag_counts_its_cards():
    cards = {"models[qwen].server.resources.gpus": 4}
    raw = merged(existing(), served("--tensor-parallel", "4", **CARDS, **NODE, **cards))
    assert sentences(raw) == []
