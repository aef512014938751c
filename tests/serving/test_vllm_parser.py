"""vLLM's own parser, where its wheels lie unpacked: WHEELS has a folder per release.

It takes `--seed 1` in one word for the model, as argparse does with a word that has a blank.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components.catalog.vllm import table
from proof.vllm_parser import lines_of_the_stacks

ROOT = Path(__file__).parents[2]
WORDS = {None: table.VALUE, 0: table.SWITCH, "?": table.OPTIONAL, "+": table.VALUES}
OPTIONS = """
import json, sys
from pathlib import Path
from proof.vllm_parser import real_parser
parser = real_parser(Path(sys.stdin.read()))
found = {word: action.nargs for word, action in parser._option_string_actions.items()}
print("\\n" + json.dumps(found))
"""


def run(program: str, text: str) -> object:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def folder_of(release: str) -> Path:
    folder = Path(os.environ.get("WHEELS", "no folder is named")) / release
    if not (folder / "vllm").is_dir():
        pytest.skip(
            f"WHEELS has no unpacked wheel of vLLM {release}; proof/vllm_parser.py gets one"
        )
    return folder


def refused(release: str, lines: list[list[str]]) -> object:
    text = json.dumps([str(folder_of(release)), lines])
    return run("from proof.vllm_parser import worker; worker()", text)


def test_the_real_parser_takes_what_the_stacks_render() -> None:
    lines = [words for _, version, words in lines_of_the_stacks(ROOT) if version == (0, 28, 0)]
    assert len(lines) >= 3
    assert refused("0.28.0", lines) == []


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
def test_the_real_parser_refuses_what_our_rules_refuse(words: list[str]) -> None:
    [sentence] = refused("0.28.0", [words])  # type: ignore[misc]
    assert "error" in sentence


@pytest.mark.parametrize("release", ["0.28.0", "0.33.0"])
def test_the_table_has_the_flags_of_the_real_parser_and_the_words_that_follow(release: str) -> None:
    found = run(OPTIONS, str(folder_of(release)))
    assert isinstance(found, dict)
    known = table.release(table.read_version(release)).flags
    assert set(found) - {"-h", "--help"} == set(known)
    kinds = {flag: known.get(kind, kind) for flag, kind in known.items()}
    assert {flag: WORDS.get(found[flag], found[flag]) for flag in known} == kinds
