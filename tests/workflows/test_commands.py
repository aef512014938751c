"""The commands of the workflows, run on Pulumi's engine and a simulated cloud.

Does not prove that Pulumi's own plugins answer as the simulated ones do.
"""

import itertools
import json
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cli import main
from sandbox.clusters import LocalClusters
from sandbox.run import OWN_CLUSTER
from tests.sandbox.boxes import needs_engine

from .files import NAMES, parse, scripts, text
from .node import Call, changes, needs_node, run
from .runner import Runner, runner_of

PASSPHRASE = "correct horse"  # noqa: S105
MATRIX = parse(text("preview.yml"))["jobs"]["preview"]["strategy"]["matrix"]["include"]
FOREIGN = "encryptionsalt: v1:08s91hzIZnY=:v1:vutY1MxUYRrX/ptB:XiwkGaK9YBQtyzEZw7CVejsxggXFrQ==\n"
"""Of a passphrase that nobody knows."""

OURS = [
    command
    for name in NAMES
    for code in scripts(parse(text(name)))
    for command in re.findall(r"\.venv/bin/ack-inference ([^>\n]+)", code)
]


@pytest.mark.parametrize("command", OURS)
def test_a_command_of_ours_takes_the_options_that_it_is_given(command: str):
    verb, *options = shlex.split(command)
    subcommand = main.commands[verb]
    subcommand.make_parser(click.Context(subcommand)).parse_args(options)


@needs_engine
@pytest.mark.parametrize("row", MATRIX, ids=[row["stack"] for row in MATRIX])
def test_a_new_stack_is_previewed_without_account_and_passphrase(row: dict[str, str]):
    with runner_of(row["stack"]) as runner:
        runner.known = {f"matrix.{key}": value for key, value in row.items()}
        if "kubeconfig" in row.values():
            # The simulated plugin asks the cluster, where Pulumi's own does without.
            runner.known["matrix.value"] = runner.box.clusters.find(OWN_CLUSTER).kubeconfig
        with (runner.checkout / f"Pulumi.{row['stack']}.yaml").open("a") as file:
            file.write(FOREIGN)
        ended = runner.job("preview.yml", "preview")
        assert ended.returncode == 0, ended.stderr
        preview = json.loads((runner.checkout / "preview.json").read_text())
        assert {step["op"] for step in preview["steps"]} == {"create"}
        assert row["stack"] in runner.summary()


@pytest.fixture(scope="module")
def dev() -> Iterator[Runner]:
    """A machine whose stack was made by hand, and deployed once; every kubeconfig is a new one."""
    fetched = itertools.count()
    once = LocalClusters.kubeconfig

    def fresh(self: LocalClusters, cluster_id: str) -> str:
        return f"{once(self, cluster_id)}# {next(fetched)}\n"

    with pytest.MonkeyPatch.context() as patch, runner_of("dev") as runner:
        patch.setattr(LocalClusters, "kubeconfig", fresh)
        runner.known = {
            "matrix.stack": "dev",
            "vars.PULUMI_BACKEND_URL": f"file://{runner.folder}/state",
            "secrets.PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        }
        (runner.folder / "state").mkdir()
        runner.env["PULUMI_CONFIG_PASSPHRASE"] = PASSPHRASE
        runner.env["PULUMI_BACKEND_URL"] = runner.known["vars.PULUMI_BACKEND_URL"]
        result = runner.do("pulumi stack init dev")
        assert result.returncode == 0, result.stderr
        deployed = runner.job("deploy.yml", "deploy")
        assert deployed.returncode == 0, deployed.stdout
        yield runner


def drift(dev: Runner, issues: list[dict[str, object]]) -> list[Call]:
    """What a night does to the issues."""
    ended = dev.job("drift.yml", "drift")
    assert ended.returncode == 0, ended.stderr
    answers = {"issues.listForRepo": issues}
    return changes(run("drift.yml", dev.checkout, answers, {}, STACK="dev"))


@needs_engine
def test_a_deployment_creates_the_stack(dev: Runner):
    types = {resource.type for resource in dev.box.cloud.resources()}
    assert "alicloud:cs/managedKubernetes:ManagedKubernetes" in types


@needs_engine
@needs_node
def test_the_night_after_a_deployment_opens_no_issue(dev: Runner):
    assert drift(dev, []) == []


@needs_engine
def test_the_engine_counts_a_fresh_kubeconfig_as_a_change(dev: Runner):
    """Why `drift` does not expect no changes."""
    flags = "--refresh --run-program --expect-no-changes --non-interactive"
    assert dev.do(f"pulumi preview --stack dev {flags}").returncode == 7


@needs_engine
@needs_node
def test_what_is_changed_by_hand_opens_an_issue_whose_remedy_closes_it(dev: Runner):
    pool = next(
        resource for resource in dev.box.cloud.resources() if resource.type.endswith("NodePool")
    )
    dev.box.cloud.change(pool.type, pool.id, nodePoolName="renamed")
    [(name, request)] = drift(dev, [])
    assert name == "issues.create"
    assert f"- update `{pool.name}` (alicloud:cs/nodePool:NodePool)" in request["body"]
    assert "would change 1 resources" in request["body"]
    [remedy] = re.findall(r"```sh\n(.+)\n```", request["body"])
    assert dev.do(f"{remedy} --yes").returncode == 0
    assert dev.box.cloud.find(pool.type, pool.id) == pool
    closed = drift(dev, [{"number": 5, "title": "Drift: dev"}])
    assert closed[-1][1]["state"] == "closed"


@needs_engine
def test_a_preview_writes_nothing_into_the_state(dev: Runner):
    def state() -> dict[str, bytes]:
        files = (dev.folder / "state").rglob("*")
        return {str(path): path.read_bytes() for path in files if path.is_file()}

    before = state()
    assert dev.job("drift.yml", "drift").returncode == 0
    assert state() == before


@needs_engine
def test_nothing_is_deployed_over_an_update_that_was_cut_off(dev: Runner):
    path = dev.folder / "state" / ".pulumi" / "stacks" / "ack-inference" / "dev.json"
    content = path.read_text()
    state = json.loads(content)
    latest = state["checkpoint"]["latest"]
    pool = next(
        resource for resource in latest["resources"] if resource["urn"].endswith("::a10-pool")
    )
    latest["pending_operations"] = [{"resource": pool, "type": "creating"}]
    path.write_text(json.dumps(state))
    ended = dev.job("deploy.yml", "deploy")
    path.write_text(content)
    assert ended.returncode == 1
    assert "The last update was cut off in a10-pool" in ended.stderr
    assert "Updating" not in ended.stdout
