"""Cases of the rules of `stacks.checks.server`."""

from typing import Final

from ..environments import Raw, dev, hybrid
from .cases import Case, refusals, surprises
from .parts import started

BIG_NODES: Raw = {
    "models[qwen].placement.pools": ["a10"],
    "pools[a10].instance_types": ["ecs.gn7i-c32g1.32xlarge"],
}
LORA: Final = "/mnt/models/Qwen-7B-Chat-Int8/lora/sql"


CASES = [
    Case(
        "paths_are_mounted",
        "an adapter in a folder that nothing is mounted at",
        dev,
        {"models[qwen].server.vllm.extra_args": ["--lora-modules", "sql=/mnt/lora/sql"]},
        (
            "models[qwen].server.vllm.extra_args is '/mnt/lora/sql', but it must be below "
            "/mnt/models/Qwen-7B-Chat-Int8: --lora-modules reads it, and nothing else is mounted."
        ),
        {"models[qwen].server.vllm.extra_args": ["--lora-modules", f"sql={LORA}", "b=hub/lora"]},
    ),
    Case(
        "paths_are_mounted",
        "a model in another folder than its own",
        hybrid,
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen2")},
        (
            "models[qwen-chat].server.command is '/mnt/models/Qwen2', but it must be below "
            "/mnt/models/Qwen: --model reads it, and nothing else is mounted."
        ),
        {"models[qwen-chat].server.command": started("/mnt/models/Qwen/2")},
    ),
]
SURPRISES = [
    Case(
        "tensor_parallel_divides_the_heads",
        "layers split over a number that few models have heads for",
        dev,
        {**BIG_NODES, "models[qwen].server.resources.gpus": 3},
        (
            "models[qwen].server splits each layer over 3 cards: vLLM starts only if 3 divides the "
            "attention heads of the model, and those of most are 28, 32, 40 or 64. 1, 2, 4 or 8 "
            "cards do; --pipeline-parallel-size splits by layers instead."
        ),
        {**BIG_NODES, "models[qwen].server.resources.gpus": 4},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
