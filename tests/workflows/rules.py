"""What every workflow has to keep to, each rule a function from its text to what is wrong."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from sandbox.binaries import ENGINE_VERSION

from .files import Yaml, parse, scripts, steps

KNOWN: Final = frozenset(
    {
        "actions/attest",
        "actions/cache",
        "actions/checkout",
        "actions/deploy-pages",
        "actions/download-artifact",
        "actions/github-script",
        "actions/setup-go",
        "actions/setup-python",
        "actions/upload-artifact",
        "aliyun/configure-aliyun-credentials-action",
        "pulumi/actions",
    }
)
"""Well-kept actions, whose inputs were read at the commit that is pinned."""
OF_THIS_REPOSITORY: Final = "github.event.pull_request.head.repo.full_name == github.repository"
"""Condition of a job that forks do not reach."""

_USES: Final = re.compile(r"uses: *(?P<rest>.*)")
_PINNED: Final = re.compile(r"(?P<action>[\w-]+/[\w-]+)@[0-9a-f]{40} # v\d+\.\d+\.\d+")
_SECRET: Final = re.compile(r"\bsecrets\b")

Rule = Callable[[str], Iterator[str]]


def actions_are_known_and_pinned(text: str) -> Iterator[str]:
    for match in _USES.finditer(text):
        pinned = _PINNED.fullmatch(match["rest"])
        if pinned is None or pinned["action"] not in KNOWN:
            yield f"{match['rest']} is no known action at a full commit with its version beside it"


def nothing_is_permitted_by_default(text: str) -> Iterator[str]:
    workflow = parse(text)
    if workflow.get("permissions") != {}:
        yield "permissions of the workflow are not {}"
    for name, job in workflow["jobs"].items():
        if not isinstance(job.get("permissions", {}), dict):
            yield f"permissions of {name} are not listed one by one"


def every_job_ends(text: str) -> Iterator[str]:
    for name, job in parse(text)["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name} has no timeout-minutes"


def runs_are_in_a_group(text: str) -> Iterator[str]:
    workflow = parse(text)
    for name, job in workflow["jobs"].items():
        if "concurrency" not in {*workflow, *job} and name != "switched-off":
            yield f"{name} is in no concurrency group"


def checkouts_keep_no_token(text: str) -> Iterator[str]:
    for step in steps(parse(text)):
        keeps = step.get("with", {}).get("persist-credentials") != "false"
        if "actions/checkout" in step.get("uses", "") and keeps:
            yield "a checkout leaves its token to the steps that follow"


def no_expression_is_code(text: str) -> Iterator[str]:
    for code in scripts(parse(text)):
        for line in code.splitlines():
            if "${{" in line:
                yield f"an expression is written into code: {line.strip()}"


def forks_reach_nothing(text: str) -> Iterator[str]:
    """What runs the code of a pull request from anywhere has no secret, and may not write."""
    workflow = parse(text)
    if "pull_request_target" in workflow["on"]:
        yield "pull_request_target runs with secrets"
    if "pull_request" not in workflow["on"]:
        return
    if _SECRET.search(str({**workflow, "jobs": {}})):
        yield "a secret is named for all jobs"
    for name, job in workflow["jobs"].items():
        condition = job.get("if", "")
        if OF_THIS_REPOSITORY in condition and "||" not in condition:
            continue
        if _SECRET.search(str(job)):
            yield f"{name} names a secret, and runs for forks"
        if not set(job.get("permissions", {}).items()) <= {("contents", "read")}:
            yield f"{name} may do more than read, and runs for forks"
        if "environment" in job:
            yield f"{name} enters an environment, and runs for forks"
        if not re.fullmatch(r"ubuntu-\d+\.\d+", job["runs-on"]):
            yield f"{name} runs for forks on {job['runs-on']}, which is no runner of GitHub's"


def workflow_run_touches_no_code(text: str) -> Iterator[str]:
    """What follows a run of a fork may write, so all that it runs stands in the workflow."""
    workflow = parse(text)
    if "workflow_run" not in workflow["on"]:
        return
    if _SECRET.search(text):
        yield "a secret is named"
    for step in steps(workflow):
        if not step.get("uses", "").startswith("actions/github-script@"):
            yield f"{step.get('uses') or step.get('run')} is more than a script of this file"


def the_engine_is_the_one_that_is_tested(text: str) -> Iterator[str]:
    version = ".".join(map(str, ENGINE_VERSION))
    for step in steps(parse(text)):
        if "pulumi/actions" in step.get("uses", ""):
            pin = step.get("with", {}).get("pulumi-version")
            if pin != version:
                yield f"Pulumi is {pin}, and the sandbox is tested with {version}"


def updates_have_a_preview(text: str) -> Iterator[str]:
    """A protected cluster is refused last without: findings/pulumi-protects-a-cluster-last.sh."""
    for code in scripts(parse(text)):
        if "--skip-preview" in code:
            yield "an update has no preview, which alone refuses before anything is deleted"


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            actions_are_known_and_pinned,
            nothing_is_permitted_by_default,
            every_job_ends,
            runs_are_in_a_group,
            checkouts_keep_no_token,
            no_expression_is_code,
            forks_reach_nothing,
            workflow_run_touches_no_code,
            the_engine_is_the_one_that_is_tested,
            updates_have_a_preview,
        )
    }
)


def broken(text: str) -> dict[str, list[str]]:
    """What a workflow breaks, by rule."""
    results = {name: list(rule(text)) for name, rule in RULES.items()}
    return {name: faults for name, faults in results.items() if faults}


def permissions(workflow: Yaml) -> set[str]:
    """All that any job may do."""
    jobs = workflow["jobs"].values()
    return {f"{key}: {value}" for job in jobs for key, value in job.get("permissions", {}).items()}
