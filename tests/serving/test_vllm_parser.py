"""vLLM's own parsers, where their wheels lie unpacked: in WHEELS, or where `make proof` keeps them.

An item with a blank in it, such as `--seed 1`, argparse takes for a positional word, and the server
takes that for the model.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.catalog.vllm import table
from proof.command_lines import CommandLine, lines_of
from proof.vllm_command_lines import field_lines, refused, table_fault, wheel
from tests.stacks.environments import NAMES, planned, raw_of

ROOT = Path(__file__).parents[2]
WORDS = {None: table.VALUE, 0: table.SWITCH, "?": table.OPTIONAL, "+": table.VALUES}
OPTIONS = """
import json, sys
from pathlib import Path
from proof.vllm_parser import real_parser
parser = real_parser(Path(sys.stdin.read()))
actions = parser._option_string_actions.items()
nargs = {word: action.nargs for word, action in actions}
choices = {word: [str(c) for c in action.choices] for word, action in actions if action.choices}
print("\\n" + json.dumps([nargs, choices]))
"""

each_release = pytest.mark.parametrize("release", ["0.4.1", "0.19.0", "0.28.0", "0.33.0"])


def folder_of(release: str) -> Path:
    folder = wheel(release)
    if folder is None:
        pytest.skip(f"there is no unpacked wheel of vLLM {release}: `make proof` fetches it")
    return folder


@pytest.mark.parametrize("stack", NAMES)
def test_the_table_takes_what_a_stack_renders(stack: str) -> None:
    lines = list(lines_of(stack, planned(raw_of(stack))))
    assert lines
    assert [line for line in lines if table_fault(line)] == []


def test_the_table_refuses_a_flag_that_is_gone() -> None:
    line = CommandLine("here", (0, 28, 0), ("--model", "/m", "--swap-space", "4"))
    assert "'--swap-space'" in (table_fault(line) or "")


@pytest.mark.parametrize("stack", NAMES)
def test_the_parser_takes_what_a_stack_renders(stack: str) -> None:
    for line in lines_of(stack, planned(raw_of(stack))):
        assert line.release
        assert refused(folder_of(table.release_name(line.release)), [line.words]) == [None]


@each_release
def test_the_parser_takes_every_value_of_a_field_that_the_release_is_said_to_take(
    release: str,
) -> None:
    folder = folder_of(release)
    lines = list(field_lines(table.read_version(release)))
    assert len(lines) > 10
    refusals = refused(folder, [line.words for line in lines])
    assert [line for line, why in zip(lines, refusals, strict=True) if why] == []


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "/m", "--task", "embed"],
        ["--model", "/m", "--swap-space", "4"],
        ["--model", "/m", "--disable-log-requests"],
        ["--model", "/m", "--max-num", "4"],
        ["--model", "/m", "--enable-lora=true"],
        ["--model", "/m", "--seed"],
    ],
)
def test_the_parser_refuses_what_our_rules_refuse(words: list[str]) -> None:
    [sentence] = refused(folder_of("0.28.0"), [words])
    assert sentence is not None
    assert "error" in sentence


def test_two_words_in_one_item_are_taken_for_the_model() -> None:
    """Without a word from the parser, so that the rule has to be ours."""
    assert refused(folder_of("0.28.0"), [["--seed 1"]]) == [None]


def options_of(release: str) -> list[Any]:
    """Of the parser's flags, how many words follow each, and which values it offers."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OPTIONS],
        input=str(folder_of(release)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    options: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return options


@each_release
def test_the_table_refuses_no_value_that_the_parser_offers(release: str) -> None:
    _, offered = options_of(release)
    version = table.read_version(release)
    judged = {
        flag: {*table.choices(flag, version)}
        for flag in table.names("choices", version)
        if flag in offered  # The rest are of the API server, whose parser is not asked here.
    }
    assert judged
    assert {
        flag for flag, values in judged.items() if not {*offered[flag]} - {"None"} <= values
    } == set()


@each_release
def test_the_table_has_the_flags_of_the_parser_and_the_words_that_follow(release: str) -> None:
    parsed, _ = options_of(release)
    flags = table.release(table.read_version(release)).of_module.flags
    assert set(parsed) - {"-h", "--help"} == set(flags)
    kinds = {flag: flags.get(kind, kind) for flag, kind in flags.items()}
    assert {flag: WORDS.get(parsed[flag], parsed[flag]) for flag in flags} == kinds
