"""Every fenced block of every page is run, planned or excused, and says who does it."""

import json
import re
import shlex
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from cli import main
from policy.configuration import configuration_faults
from proof.__main__ import STEPS
from stacks.sections.environment import PROJECT
from stacks.validation import validate
from tests.guides.extensions import copy_of_the_repository, extension, outcomes, put, stack_file
from website.snippets import Snippet, edited, is_part, missing_part, snippets

from .commands import RULES, rule_of
from .pages import PAGES, ROOT
from .translations import translations

TRANSLATED = [translation.path for translation in translations()]
"""Their blocks are those of the English pages: test_translations.py."""
SNIPPETS = [snippet for page in PAGES if page not in TRANSLATED for snippet in snippets(page)]
SHELL = [snippet for snippet in SNIPPETS if snippet.language == "sh"]
COMMANDS = sorted({command for snippet in SHELL for command in snippet.commands()})
FRAGMENTS = [snippet for snippet in SNIPPETS if snippet.mark.startswith("in ")]


class MissingFile(Exception):
    """A command line is right, but for a file."""


UNTESTED = "with an account"
KINDS = (
    r"shows: \S+",
    r"part of: \S+",
    r"part of plan:deployment",
    r"file: \S+",
    r"in \S+(: \S+)?",
    r"output",
    r"output of: python -m proof\.\w+",
    r"seen in: tests/\w+",
    r"(below|instead of): .+ in \S+",
    r"a drawing",
    r"policy configuration",
    UNTESTED,
)
"""Marks that a test here or the proof takes, whatever page they are on."""


def where(snippet: Snippet) -> str:
    return f"{snippet.page.relative_to(ROOT)}:{snippet.line}"


def marks_taken() -> set[str]:
    """The marks that tests ask for by name."""
    texts = [path.read_text() for path in (ROOT / "tests").rglob("*.py")]
    return {
        mark.replace("{mark}", "")
        for text in texts
        for mark in re.findall(r'(?:blocks|block|script|shown)\(f?"([^"]+)"', text)
    }


def untested(snippet: Snippet, marks: set[str]) -> str | None:
    """Why nobody takes a block, or None."""
    if any(re.fullmatch(kind, snippet.mark) for kind in KINDS):
        return None
    if snippet.mark in marks or any(
        mark.endswith(": ") and snippet.mark.startswith(mark) for mark in marks
    ):
        return None
    if snippet.language == "sh":
        commands = [command for command in snippet.commands() if rule_of(command) is None]
        return f"{where(snippet)}: nobody runs {commands}" if commands else None
    return (
        f"{where(snippet)}: no test takes this {snippet.language} block. Give it a mark, "
        "as <!-- in dev: models[qwen] --> has it planned: see website/snippets.py."
    )


def test_no_snippet_is_untested() -> None:
    marks = marks_taken()
    assert [why for snippet in SNIPPETS if (why := untested(snippet, marks))] == []


def test_a_block_that_nobody_takes_is_told(tmp_path: Path) -> None:
    page = ROOT / "docs" / "none.md"
    for language, text in (("yaml", "a: 1\n"), ("text", "x\n"), ("sh", "rm --recursive /\n")):
        assert untested(Snippet(page, 1, language, "", text), marks_taken())
        assert untested(Snippet(page, 1, language, "no such mark", text), marks_taken())


def test_who_runs_a_command_is_there_and_every_rule_is_used() -> None:
    assert [rule for rule in RULES if rule.run_by and not (ROOT / rule.run_by).exists()] == []
    assert [rule for rule in RULES if bool(rule.run_by) == bool(rule.why_not)] == []
    used = {rule_of(command) for command in COMMANDS}
    assert [rule.form for rule in RULES if rule not in used] == []


def ack_inference(command: str) -> list[list[str]]:
    """The arguments of every call of the program in a command."""
    calls = re.findall(r"(?:^|[&|] *)(?:\.venv/bin/)?ack-inference ([^|&>]*)", command)
    return [shlex.split(re.sub(r"\$\([^)]*\)", "x", call)) for call in calls]


def parse(command: click.Command, arguments: list[str], parent: click.Context | None) -> None:
    """Reads a command line as the program does, and runs nothing of it."""
    if not isinstance(command, click.Group):
        try:
            command.make_context(command.name, arguments, parent=parent)
        except click.BadParameter as fault:
            raise (MissingFile if "does not exist" in str(fault) else AssertionError) from fault
        return
    context = command.make_context(command.name, [arguments[0]], parent=parent)
    verb = command.get_command(context, arguments[0])
    assert verb, f"{arguments[0]} is no verb"
    parse(verb, arguments[1:], context)


@pytest.mark.parametrize("command", [line for line in COMMANDS if ack_inference(line)])
def test_every_command_line_of_ours_is_one_that_the_program_reads(command: str) -> None:
    for arguments in ack_inference(command):
        # Files that a reader has, and this machine has not.
        with suppress(MissingFile):
            parse(main, arguments, None)


def test_every_shell_block_is_one_that_a_shell_reads() -> None:
    for snippet in SHELL:
        done = subprocess.run(
            ["/bin/bash", "-n"], input=snippet.text, capture_output=True, text=True
        )
        assert done.stderr == "", where(snippet)


def test_the_paths_and_modules_that_commands_name_are_there() -> None:
    steps = {step.name for step in STEPS}
    for command in COMMANDS:
        for path in re.findall(r"\b((?:tests|examples|docs)/[\w./-]+)", command):
            assert (ROOT / path).exists(), command
        for module in re.findall(r"-m ((?:proof|bench|reference|website)[\w.]*)", command):
            path = ROOT / module.replace(".", "/")
            assert path.is_dir() or path.with_suffix(".py").exists(), command
        for names in re.findall(r'make proof STEPS="?([\w -]+)"?', command):
            assert {*names.split()} - {"--ci"} <= steps, command


def configuration(stack: str) -> dict[str, Any]:
    """The configuration of a stack, of this repository or of an example."""
    folders = (ROOT, ROOT / "examples" / "stacks")
    [path] = [p for folder in folders if (p := folder / f"Pulumi.{stack}.yaml").exists()]
    keys = yaml.safe_load(path.read_text())["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in keys.items()}


def joined(value: Any, more: Any) -> Any:
    """A part of a configuration with what a page shows of it: entries go by their names."""
    if isinstance(value, dict) and isinstance(more, dict):
        return value | more
    if isinstance(value, list) and isinstance(more, list):
        names = {entry["name"]: entry for entry in value}
        return [*(names | {e["name"]: names.get(e["name"], {}) | e for e in more}).values()]
    return more


@pytest.mark.parametrize("snippet", FRAGMENTS, ids=where)
def test_a_part_of_a_stack_file_is_accepted_in_the_stack_that_the_page_names(
    snippet: Snippet,
) -> None:
    stack, _, path = snippet.mark.removeprefix("in ").partition(": ")
    environment = configuration(stack)
    part = yaml.safe_load(snippet.text)
    if entry := re.fullmatch(r"(\w+)\[([\w-]+)\]", path):
        part = {entry[1]: [{"name": entry[2], **part}]}
    elif path:
        part = {path: part}
    for key, value in part.items():
        name = key.removeprefix(f"{PROJECT}:")
        environment[name] = joined(environment.get(name), value)
    assert [str(fault) for fault in validate(environment).faults] == []


def test_the_configuration_of_policies_that_is_shown_has_no_fault() -> None:
    blocks = [snippet for snippet in SNIPPETS if snippet.mark == "policy configuration"]
    assert blocks
    for snippet in blocks:
        assert [str(fault) for fault in configuration_faults(json.loads(snippet.text))] == []


def test_every_json_that_is_shown_is_json() -> None:
    for snippet in SNIPPETS:
        if snippet.language == "json":
            json.loads(snippet.text)


def test_the_plan_of_the_runtime_that_the_guide_adds_is_the_one_shown(tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path / "copy")
    put(extension("deployment"), copy)
    [snippet] = [s for s in SNIPPETS if s.mark == "part of plan:deployment"]
    planned = outcomes(copy, {"deployment": stack_file("deployment")}).plan("deployment")
    [deployment] = planned.manifests("Deployment")
    assert deployment["metadata"]["name"] in snippet.text
    [claim] = deployment["spec"]["template"]["spec"]["volumes"][:1]
    assert claim["persistentVolumeClaim"]["claimName"] in snippet.text


def test_an_edit_is_made_where_its_mark_says(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("models:\n  - name: a\n")
    assert edited(tmp_path, Snippet(path, 1, "yaml", "below: models in a.yaml", "  - name: b\n"))
    assert edited(tmp_path, Snippet(path, 1, "yaml", "instead of: name: a in a.yaml", "name: c\n"))
    assert path.read_text() == "models:\n  - name: b\n  - name: c\n"
    assert not edited(tmp_path, Snippet(path, 1, "yaml", "output", ""))
    with pytest.raises(ValueError, match=r"nothing is 0 times in a\.yaml"):
        edited(tmp_path, Snippet(path, 1, "yaml", "below: nothing in a.yaml", ""))


def test_what_is_not_printed_is_told() -> None:
    assert missing_part(["a", "...", "c"], [*"abc"]) is None
    assert missing_part(["c", "...", "a"], [*"abc"]) == "a"
    assert is_part(["a", "b"], [*"abc"])
