import json
import os
import subprocess
import sys
import types
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

import cli

EXAMPLE = Path(__file__).parent / "plan" / "example"
ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def project(root: Path, stack_file: str, program: str = "") -> str:
    (root / "Pulumi.yaml").write_text("name: shop\n")
    (root / "Pulumi.dev.yaml").write_text(stack_file)
    (root / "__main__.py").write_text(program)
    return str(root)


def test_a_plan_goes_to_stdout_and_exits_0() -> None:
    result = run("plan", "dev", "--project", str(EXAMPLE))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("example dev: 18 resources")


def shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a shell does with the program, `$0` in the line, and the example."""
    program = str(Path(sys.executable).with_name("ack-inference"))
    environment = {**os.environ, **variables}
    words = ["sh", "-c", line, program, str(EXAMPLE)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_a_terminal_without_the_letters_of_a_plan_gets_others() -> None:
    result = shell('"$0" plan dev --project "$1"', PYTHONIOENCODING="ascii", COLUMNS="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "+-- " in result.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_output_that_nobody_takes_leaves_no_traceback() -> None:
    closed = shell('"$0" plan dev --project "$1" >&-')
    assert (closed.returncode, closed.stderr) == (0, "")
    full = shell('"$0" plan dev --project "$1" > /dev/full')
    sentence = "The output cannot be written: No space left on device.\n"
    assert (full.returncode, full.stderr) == (2, sentence)


def test_an_option_before_its_verb_is_told_to_stand_behind_it() -> None:
    result = run("--json", "plan", "dev")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: --json is an option of plan, and stands behind it.\n")
    assert "No such option '--jsn'" in run("--jsn", "plan", "dev").stderr


def test_json_is_all_that_stdout_holds(tmp_path: Path) -> None:
    root = project(tmp_path, "config: {}\n", "print('hello')")
    result = run("plan", "dev", "--project", root, "--json", "--manifests", str(tmp_path / "out"))
    assert json.loads(result.stdout)["stack"] == "dev"
    assert result.exit_code == 0


def test_manifests_are_written_and_counted(tmp_path: Path) -> None:
    result = run("plan", "dev", "--project", str(EXAMPLE), "--manifests", str(tmp_path / "out"))
    assert len(list((tmp_path / "out").iterdir())) == 12
    assert result.stderr == f"Wrote 12 Kubernetes objects to {tmp_path / 'out'}.\n"


@pytest.mark.parametrize(
    ("stack_file", "program", "sentence"),
    [
        ("config:\n  region: x\n", "", "Pulumi.dev.yaml: 'region' under config must read"),
        ("config: {}\n", "import pulumi; raise pulumi.RunError('no pool.')", "  no pool.\n"),
    ],
)
def test_a_refused_input_exits_2_with_sentences_and_no_traceback(
    tmp_path: Path, stack_file: str, program: str, sentence: str
) -> None:
    result = run("plan", "dev", "--project", project(tmp_path, stack_file, program))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Pulumi.dev.yaml is refused:\n  ")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_of_manifests_that_is_not_ours_exits_2(tmp_path: Path) -> None:
    (tmp_path / "namespace-models.yaml").write_text("kind: Namespace\n")
    result = run("plan", "dev", "--project", str(EXAMPLE), "--manifests", str(tmp_path))
    assert result.exit_code == 2
    assert "namespace-models.yaml was not written by a plan" in result.stderr


def test_a_defect_exits_1_with_its_traceback(tmp_path: Path) -> None:
    root = project(tmp_path, "config: {}\n", "1 / 0")
    command = [sys.executable, "-c", "from cli import main; main()", "plan", "dev"]
    done = subprocess.run(
        [*command, "--project", root], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_stack_has_to_be_named() -> None:
    result = run("plan")
    assert result.exit_code == 2
    assert "Missing argument 'STACK'" in result.stderr


def test_no_secret_is_shown_in_any_format(tmp_path: Path) -> None:
    """Canaries stand in the stack file, a resource, a component, a provider and an output."""
    assert "CANARY" in (EXAMPLE / "Pulumi.dev.yaml").read_text()
    results = [
        run("plan", "dev", "--project", str(EXAMPLE)),
        run("plan", "dev", "--project", str(EXAMPLE), "--json", "--manifests", str(tmp_path)),
    ]
    texts = [result.output for result in results] + [
        path.read_text() for path in tmp_path.iterdir()
    ]
    assert len(texts) == 14
    assert not [text for text in texts if "CANARY" in text]
    assert results[1].output.count("[secret]") == 7


def test_stacks_complete_from_their_files(tmp_path: Path) -> None:
    for name in ("dev", "prod", "preview.eu"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    completion = ShellComplete(cli.main, {}, "ack-inference", "_ACK_INFERENCE_COMPLETE")
    items = completion.get_completions(["plan", "--project", str(tmp_path)], "pr")
    assert [item.value for item in items] == ["preview.eu", "prod"]


@pytest.mark.parametrize("verb", [[], ["plan"], ["schema"]])
def test_help_teaches_without_loading_what_is_slow(verb: list[str]) -> None:
    program = f"""
import sys
from cli import main
try:
    main({[*verb, "--help"]!r})
finally:
    slow = {{"pulumi", "pydantic", "rich", "yaml"}} & set(sys.modules)
    sys.exit(f"loaded {{slow}}" if slow else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ack-inference plan" in done.stdout or verb == ["schema"]


@pytest.mark.parametrize("code", ["0  done", "1  a defect", "2  the input is refused"])
def test_help_lists_the_exit_codes(code: str) -> None:
    assert code in run("--help").stdout


@pytest.fixture
def schema_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    environment = types.ModuleType("stacks.sections.environment")
    environment.stack_schema = lambda: {"type": "object"}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stacks.sections.environment", environment)
    monkeypatch.setattr("cli.stack_file.SCHEMA", tmp_path / "stack.schema.json")
    plugin = tmp_path / "schema.json"
    plugin.write_text("{}")
    monkeypatch.setattr("components.plugin.host.SCHEMA", plugin)
    monkeypatch.setattr("components.plugin.schema.schema_text", lambda: "{}")
    return tmp_path / "stack.schema.json"


def test_the_schema_is_written_and_then_passes_its_check(schema_file: Path) -> None:
    assert run("schema").exit_code == 0
    assert json.loads(schema_file.read_text()) == {"type": "object"}
    assert run("schema", "--check").exit_code == 0


@pytest.mark.parametrize("text", [None, "{}\n"])
def test_a_stale_or_missing_schema_fails_the_check_and_stays(
    schema_file: Path, text: str | None
) -> None:
    if text:
        schema_file.write_text(text)
    result = run("schema", "--check")
    assert result.exit_code == 1
    assert result.stderr == "stack.schema.json is stale; run: ack-inference schema\n"
    assert (schema_file.read_text() if schema_file.exists() else None) == text


def test_every_option_says_what_it_does() -> None:
    options = [
        option
        for verb in cli.main.commands.values()
        for option in verb.params
        if isinstance(option, click.Option)
    ]
    assert options
    assert all(option.help for option in options)


def test_a_diff_of_two_revisions_goes_to_stdout_and_exits_0() -> None:
    result = run("diff", "--base", str(EXAMPLE), "--project", str(EXAMPLE))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "dev" in result.stdout


def test_a_diff_with_a_refused_revision_is_written_and_exits_2(tmp_path: Path) -> None:
    root = project(tmp_path, "config: {}\n", "import pulumi; raise pulumi.RunError('no pool.')")
    result = run("diff", "--base", str(EXAMPLE), "--project", root, "--format", "markdown", "dev")
    assert result.exit_code == 2
    assert "no pool." in result.stdout


def test_a_diff_needs_exactly_one_thing_to_compare_with() -> None:
    both = ("--base", str(EXAMPLE), "--engine", str(EXAMPLE / "Pulumi.yaml"))
    for arguments in ((), both):
        result = run("diff", *arguments)
        assert result.exit_code == 2
        assert "Give --base, or --engine." in result.stderr


def test_a_diff_with_an_unknown_revision_exits_2_with_a_sentence() -> None:
    result = run("diff", "--base", "no-such-branch", "--project", str(ROOT))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Revision 'no-such-branch' is refused:\n  ")


def preview(*options: str, text: str | None = None) -> Result:
    """The verb `diff` on the output of a preview that creates a pool, or on another text."""
    urn = "urn:pulumi:dev::shop::shop:index:Pool::t4"
    new = {"urn": urn, "type": "shop:index:Pool", "custom": True, "inputs": {}}
    steps = json.dumps({"steps": [{"op": "create", "urn": urn, "newState": new}]})
    arguments = ["diff", "--engine", "-", *options, "dev"]
    return CliRunner().invoke(cli.main, arguments, input=steps if text is None else text)


@pytest.mark.parametrize(
    ("form", "mark"),
    [
        ("terminal", "\ndev: 1 created"),
        ("markdown", "\n### dev: 1 created"),
        ("json", '\n  "'),
        ("html", "<!DOCTYPE html>"),
    ],
)
def test_a_diff_of_the_engine_is_read_from_standard_input_and_written_in_every_form(
    form: str, mark: str
) -> None:
    result = preview("--format", form)
    assert (result.exit_code, result.stderr) == (0, "")
    assert mark in result.stdout
    assert "t4" in result.stdout


def test_what_is_no_preview_is_refused() -> None:
    refused = preview(text="no JSON")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("The preview is refused:\n  It is not JSON: ")
