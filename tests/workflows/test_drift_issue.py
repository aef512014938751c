"""How drift becomes an issue, one per stack. The GitHub is a list of answers."""

import json
from pathlib import Path
from typing import Any

from .node import REPO, Call, changes, needs_node, run

pytestmark = needs_node

STACK = "urn:pulumi:dev::ack-inference::"
SAME = ("same", "ack-inference:index:AckCluster$alicloud:cs/managedKubernetes:ManagedKubernetes::c")
READ = ("refresh", "alicloud:vpc/network:Network::network-vpc")
PROVIDER = (
    "update",
    "ack-inference:index:AckCluster$pulumi:providers:kubernetes::cluster-kubernetes",
)
POOL = ("update", "ack-inference:index:NodePool$alicloud:cs/nodePool:NodePool::a10-pool")
OPEN = {"number": 5, "title": "Drift: dev"}


def called(folder: Path, *steps: tuple[str, str], issues: Any = ()) -> list[Call]:
    preview = {"steps": [{"op": op, "urn": f"{STACK}{urn}"} for op, urn in steps]}
    (folder / "preview.json").write_text(json.dumps(preview))
    return run("drift.yml", folder, {"issues.listForRepo": list(issues)}, {}, STACK="dev")


def test_drift_opens_an_issue_that_names_what_differs(tmp_path: Path):
    [(name, request)] = changes(called(tmp_path, SAME, READ, POOL))
    assert name == "issues.create"
    assert {**REPO, "title": "Drift: dev", "labels": ["drift"]}.items() <= request.items()
    assert "would change 1 resources" in request["body"]
    assert "- update `a10-pool` (alicloud:cs/nodePool:NodePool)" in request["body"]
    assert "https://github.com/team/inference/actions/runs/7" in request["body"]


def test_drift_that_stays_updates_the_issue(tmp_path: Path):
    [(name, request)] = changes(called(tmp_path, POOL, issues=[OPEN]))
    assert (name, request["issue_number"]) == ("issues.update", 5)
    assert "a10-pool" in request["body"]


def test_drift_that_is_gone_closes_the_issue(tmp_path: Path):
    comment, update = changes(called(tmp_path, SAME, READ, issues=[OPEN]))
    assert comment[0] == "issues.createComment"
    assert update == ("issues.update", {**REPO, "issue_number": 5, "state": "closed"})


def test_without_drift_and_without_an_issue_nothing_is_written(tmp_path: Path):
    assert changes(called(tmp_path, SAME, READ)) == []


def test_the_issue_of_another_stack_is_left_alone(tmp_path: Path):
    issue = {"number": 6, "title": "Drift: prod"}
    assert changes(called(tmp_path, SAME, issues=[issue])) == []
    [(name, _)] = changes(called(tmp_path, POOL, issues=[issue]))
    assert name == "issues.create"


def test_only_issues_with_the_label_are_looked_at(tmp_path: Path):
    [(_, request)] = [call for call in called(tmp_path, SAME) if call[0] == "issues.listForRepo"]
    assert (request["labels"], request["state"]) == ("drift", "open")


def test_a_fresh_kubeconfig_is_no_drift(tmp_path: Path):
    assert changes(called(tmp_path, SAME, PROVIDER)) == []


def test_a_long_list_is_cut_off(tmp_path: Path):
    [(_, request)] = changes(called(tmp_path, *[POOL] * 5000))
    assert len(request["body"]) < 65_536
    assert request["body"].endswith("- and more")
    assert "5000 resources" in request["body"]
