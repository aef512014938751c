"""What the workflows may do, read from their YAML. Does not prove that GitHub keeps to it."""

import re

import pytest
import yaml

from tests.stacks.environments import NAMES as STACKS

from .files import NAMES, ROOT, parse, text
from .rules import RULES, broken, permissions

DOCUMENT = (ROOT / "docs" / "pull-requests.md").read_text()
PINNED = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"

BREAKS = [
    ("checks.yml", PINNED, "actions/checkout@v7", "actions_are_known_and_pinned"),
    ("checks.yml", " # v7.0.1", "", "actions_are_known_and_pinned"),
    ("checks.yml", "uses: actions/", "uses: someone/", "actions_are_known_and_pinned"),
    ("checks.yml", PINNED, "./.github/actions/own", "actions_are_known_and_pinned"),
    ("deploy.yml", "permissions: {}\n", "", "nothing_is_permitted_by_default"),
    ("deploy.yml", "permissions: {}", "permissions: read-all", "nothing_is_permitted_by_default"),
    (
        "checks.yml",
        "permissions:\n      contents: read",
        "permissions: write-all",
        "nothing_is_permitted_by_default",
    ),
    ("drift.yml", "    timeout-minutes: 30\n", "", "every_job_ends"),
    ("drift.yml", "    timeout-minutes: 5\n", "", "every_job_ends"),
    ("diff.yml", "concurrency:", "env:", "runs_are_in_a_group"),
    ("deploy.yml", "    concurrency:", "    defaults:", "runs_are_in_a_group"),
    (
        "preview.yml",
        "persist-credentials: false",
        "persist-credentials: true",
        "checkouts_keep_no_token",
    ),
    (
        "diff.yml",
        "          fetch-depth: 2\n          persist-credentials: false\n",
        "          fetch-depth: 2\n",
        "checkouts_keep_no_token",
    ),
    ("diff.yml", "HEAD^1", "${{ github.head_ref }}", "no_expression_is_code"),
    (
        "deploy.yml",
        '--stack "$STACK" --yes',
        "--stack ${{ matrix.stack }}",
        "no_expression_is_code",
    ),
    (
        "diff-comment.yml",
        "const run = context.payload.workflow_run",
        "const run = ${{ toJSON(github.event.workflow_run) }}",
        "no_expression_is_code",
    ),
    ("deploy.yml", "--yes --non", "--yes --skip-preview --non", "updates_have_a_preview"),
    ("diff.yml", "  pull_request:", "  pull_request_target:", "forks_reach_nothing"),
    (
        "preview.yml",
        "ALICLOUD_SECRET_KEY: none",
        "ALICLOUD_SECRET_KEY: ${{ secrets.ALICLOUD_SECRET_KEY }}",
        "forks_reach_nothing",
    ),
    ("preview.yml", "permissions: {}", "env: {A: '${{ secrets.A }}'}", "forks_reach_nothing"),
    ("diff.yml", "contents: read", "pull-requests: write", "forks_reach_nothing"),
    ("checks.yml", "contents: read", "contents: write", "forks_reach_nothing"),
    ("checks.yml", "    timeout", "    environment: dev\n    timeout", "forks_reach_nothing"),
    ("checks.yml", "ubuntu-24.04", "${{ vars.VPC_RUNNER }}", "forks_reach_nothing"),
    (
        "trusted-preview.yml",
        "head.repo.full_name == github.repository",
        "head.repo.full_name != ''",
        "forks_reach_nothing",
    ),
    (
        "trusted-preview.yml",
        "github.repository &&",
        "github.repository ||",
        "forks_reach_nothing",
    ),
    (
        "diff-comment.yml",
        "    steps:\n",
        f"    steps:\n      - uses: {PINNED}\n",
        "workflow_run_touches_no_code",
    ),
    (
        "diff-comment.yml",
        "    steps:\n",
        "    steps:\n      - run: make\n",
        "workflow_run_touches_no_code",
    ),
    (
        "diff-comment.yml",
        "    steps:\n",
        "    env: {A: '${{ secrets.A }}'}\n    steps:\n",
        "workflow_run_touches_no_code",
    ),
    (
        "deploy.yml",
        "pulumi-version: 3.259.0",
        "pulumi-version: ^3",
        "the_engine_is_the_one_that_is_tested",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_keeps_every_rule(name: str):
    assert broken(text(name)) == {}


@pytest.mark.parametrize(("name", "right", "wrong", "rule"), BREAKS)
def test_what_breaks_a_rule_is_found(name: str, right: str, wrong: str, rule: str):
    assert right in text(name)
    assert list(RULES[rule](text(name).replace(right, wrong)))


def test_every_rule_can_be_broken():
    assert {rule for _, _, _, rule in BREAKS} == set(RULES)


def test_there_are_only_files_that_github_reads():
    assert {name.rpartition(".")[2] for name in NAMES} == {"yml"}


def test_the_comment_follows_the_workflow_that_is_called_diff():
    assert parse(text("diff-comment.yml"))["on"]["workflow_run"]["workflows"] == ["diff"]
    assert parse(text("diff.yml"))["name"] == "diff"


def test_a_workflow_is_called_as_its_file():
    assert {name: parse(text(name))["name"] for name in NAMES} == {
        name: name.removesuffix(".yml") for name in NAMES
    }


def test_an_update_is_never_cancelled_by_another():
    concurrency = parse(text("deploy.yml"))["jobs"]["deploy"]["concurrency"]
    assert concurrency["cancel-in-progress"] == "false"
    assert "matrix.stack" in concurrency["group"]


def test_every_stack_is_previewed_with_a_value_for_each_of_its_secrets():
    matrix = parse(text("preview.yml"))["jobs"]["preview"]["strategy"]["matrix"]["include"]
    secrets = {row["stack"]: {row["secret"]} if "secret" in row else set() for row in matrix}
    assert secrets == {stack: secrets_of(stack) for stack in STACKS}


def secrets_of(stack: str) -> set[str]:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    hidden = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
    return {key.partition(":")[2] for key in hidden}


def documented() -> dict[str, set[str]]:
    """Permissions by workflow, from the table in the document."""
    table = DOCUMENT.partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \|[^|]*\|([^|]*)\|", table, re.MULTILINE)
    return {f"{name}.yml": set(re.findall(r"`([\w-]+: \w+)`", cell)) for name, cell in rows}


def test_the_document_lists_every_workflow_with_its_permissions():
    assert documented() == {name: permissions(parse(text(name))) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_document_explains_every_setting_that_a_workflow_reads(name: str):
    read = set(re.findall(r"\b(?:vars|secrets)\.(\w+)", text(name)))
    assert {name for name in read if f"`{name}`" not in DOCUMENT} == set()
