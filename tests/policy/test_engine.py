"""The real engine runs the pack over a stack of this repository, and refuses what a plan refuses.

Does not prove that Pulumi's Python host starts the pack, which cannot be built here: the engine
looks for that host first, and takes the launcher below where there is none.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policy.configuration import configure
from policy.validation import validate
from sandbox.engine import Outcome
from sandbox.run import Sandbox
from tests.sandbox.boxes import done, needs_engine, sandbox_of
from tests.stacks.environments import dev, merged, planned

from .packs import PACK, PYTHON, needs_pack

pytestmark = [needs_pack, needs_engine]

LAUNCHER = f'#!/bin/sh\nexec "{PYTHON}" -u -m pulumi.policy "$1" "$2"\n'

CLUSTER = "alicloud:cs/managedKubernetes:ManagedKubernetes"
BREAKING = {
    "cluster.public_endpoint": {"allowed_cidrs": ["203.0.113.7/32"]},
    "training[finetune].image": "docker.io/pytorch/pytorch",
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("bin")
    launcher = folder / "pulumi-analyzer-policy-python"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch, sandbox_of("dev") as box:
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        yield box


@pytest.fixture
def breaking(box: Sandbox) -> Iterator[Sandbox]:
    """The same sandbox with a configuration that breaks rules."""

    def edit(config: dict[str, Any]) -> None:
        config.update(merged(config, BREAKING))

    box.configure(edit)
    yield box
    box.configure()


def under_rules(box: Sandbox, operation: str, folder: Path, **configuration: Any) -> Outcome:
    path = folder / "policy-config.json"
    path.write_text(json.dumps(configuration))
    run = getattr(box, operation)
    outcome = run(policy_packs=[str(PACK)], policy_pack_configs=[str(path)])
    assert isinstance(outcome, Outcome)
    return outcome


def sentences(**configuration: Any) -> set[str]:
    """What a plan of the same configuration is refused with."""
    verdict = validate(planned(merged(dev(), BREAKING)), configure(configuration))
    return {finding.sentence for finding in verdict.mandatory}


def printed(outcome: Outcome) -> str:
    return " ".join(outcome.log.split())


class TestRules:
    def test_a_preview_refuses_what_a_plan_refuses(self, breaking: Sandbox, tmp_path: Path):
        outcome = under_rules(breaking, "preview", tmp_path)
        refused = sentences()
        assert len(refused) == 2
        assert outcome.errors
        assert printed(outcome).count("[mandatory]") == 2
        assert all(sentence in printed(outcome) for sentence in refused)

    def test_one_configuration_serves_the_engine_and_the_plan(
        self, breaking: Sandbox, tmp_path: Path
    ):
        configuration = {
            "no-public-api-server": {"exempt": ["dev/cluster-cluster"]},
            "fixed-images": "disabled",
        }
        assert sentences(**configuration) == set()
        assert not under_rules(breaking, "preview", tmp_path, **configuration).errors

    def test_an_up_without_a_preview_refuses_before_the_resource_is_made(
        self, breaking: Sandbox, tmp_path: Path
    ):
        outcome = under_rules(breaking, "up", tmp_path)
        assert outcome.errors
        assert CLUSTER not in {resource.type for resource in breaking.cloud.resources()}

    def test_a_rule_over_the_whole_stack_refuses_a_preview(self, box: Sandbox, tmp_path: Path):
        bound = {"most_gpus": 1, "enforcementLevel": "mandatory"}
        outcome = under_rules(box, "preview", tmp_path, **{"cost-bounds": bound})
        assert outcome.errors
        assert "GPUs of all node pools at their largest is 6, but" in printed(outcome)

    def test_a_setting_that_no_rule_has_is_refused_with_the_key_that_was_meant(
        self, box: Sandbox, tmp_path: Path
    ):
        outcome = under_rules(box, "preview", tmp_path, **{"encrypted-disks": {"exemt": []}})
        assert outcome.errors
        assert "encrypted-disks.exemt is not a known key" in printed(outcome)
        assert "did you mean 'exempt'?" in printed(outcome)

    def test_a_stack_that_keeps_the_rules_comes_up_with_advice(self, box: Sandbox, tmp_path: Path):
        outcome = under_rules(box, "up", tmp_path, **{"cost-bounds": {"most_gpus": 1}})
        assert {op for op, _ in done(outcome)} == {"create"}
        assert "[mandatory]" not in printed(outcome)
        assert "[advisory] cost-bounds" in printed(outcome)
        assert done(under_rules(box, "up", tmp_path)) == set()
