"""Command lines that the proof hands to vLLM's parsers: filled in as a kubelet does it."""

from typing import Any

import pytest

from proof.command_lines import CommandLine, filled, lines_of
from proof.vllm_command_lines import table_fault
from tests.stacks.checks.parts import groups, llm, roles
from tests.stacks.environments import dev, merged, planned

ENV: list[dict[str, Any]] = [
    {"name": "FOLDER", "value": "/mnt"},
    {"name": "MODEL", "value": "$(FOLDER)/qwen"},
    {"name": "EARLY", "value": "$(LATE)"},
    {"name": "LATE", "value": "late"},
    {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}},
]
_RANKS, _RANK, _ADDRESS = (
    f"--data-parallel-{option}" for option in ("size-local", "start-rank", "address")
)


@pytest.mark.parametrize(
    ("word", "run"),
    [
        ("$(MODEL)", "/mnt/qwen"),
        ("--model=$(MODEL)/$(LATE)", "--model=/mnt/qwen/late"),
        ("$(EARLY)", "$(LATE)"),
        ("$(NOBODY)", "$(NOBODY)"),
        ("$$(MODEL)", "$(MODEL)"),
        ("$MODEL $(MODEL", "$MODEL $(MODEL"),
        ("$(HOST)", "10.0.0.1"),
        ("$(KEY)", "text"),
        ("$(ADDED)", "3"),
    ],
)
def test_a_word_is_filled_in_as_a_kubelet_does_it(word: str, run: str) -> None:
    assert filled({"command": [word], "env": ENV}, {"ADDED": "3"}) == [run]


def test_a_container_may_set_what_a_webhook_adds() -> None:
    env = [{"name": "ADDED", "value": "mine"}]
    assert filled({"command": ["$(ADDED)"], "env": env}, {"ADDED": "3"}) == ["mine"]


def test_leader_and_workers_have_their_numbers_and_only_the_leader_is_asked() -> None:
    leader, worker, *_ = lines_of("groups", planned(groups()))
    ranks = [line.words[line.words.index("--node-rank") + 1] for line in (leader, worker)]
    assert ranks == ["0", "1"]
    assert (leader.answers, worker.answers) == (True, False)
    assert not any("$(" in word for line in (leader, worker) for word in line.words)
    assert [table_fault(line) for line in (leader, worker)] == [None, None]
    leading = CommandLine(worker.where, worker.release, worker.words)
    assert "the server then has no API" in (table_fault(leading) or "")


def test_a_shell_tells_workers_of_kserve_their_rank_and_where_their_leader_is() -> None:
    [leader, worker] = [line for line in lines_of("llm", planned(llm())) if _RANKS in line.words]
    assert _RANK not in leader.words
    assert worker.words[worker.words.index(_RANK) + 1] == "2"
    for line in (leader, worker):
        assert line.words[line.words.index(_ADDRESS) + 1] == "10.0.0.1"


def test_pods_of_a_role_have_their_numbers() -> None:
    fixed = {"nodes": 2, "scale": {"min": 1, "max": 1}}
    raw = merged(roles(), {"models[qwen].serve.roles.prefill": fixed, "pools[a10].size": 4})
    words = [line.words for line in lines_of("roles", planned(raw)) if "--node-rank" in line.words]
    assert sorted(line[line.index("--node-rank") + 1] for line in words) == ["0", "1"]
    assert not any("$(" in word for line in words for word in line)


def test_what_a_component_is_told_is_no_container() -> None:
    of = planned(dev())
    components = [resource for resource in of.resources if "server" in resource.inputs]
    assert components
    assert all(line.answers for line in lines_of("dev", of))
