"""The pack says through the engine's own protocol what a plan says.

Does not prove that an engine starts it: `test_engine.py` does.
"""

from collections.abc import Iterator

import pytest
import yaml
from google.protobuf import empty_pb2, json_format

from policy.configuration import DEFAULTS, configure
from policy.rules import RULES
from policy.validation import validate
from tests.stacks.environments import NAMES, planned, raw_of

from .cases import Case
from .object_cases import ACCEPTED, REFUSED
from .packs import CANARY, LEVELS, PACK, Pack, needs_pack, running_pack

pytestmark = needs_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pack]:
    with running_pack(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


@pytest.mark.parametrize("case", [*REFUSED, *ACCEPTED], ids=lambda case: case.about)
def test_the_pack_says_what_a_plan_says(pack: Pack, case: Case):
    configuration = configure({case.rule: case.settings})
    verdict = validate(case.plan, configuration)
    pack.configure(configuration)
    diagnostics = pack.diagnostics(case.plan)
    assert {
        (diagnostic.policyName, diagnostic.message.partition("\n")[2], diagnostic.urn)
        for diagnostic in diagnostics
    } == {
        (finding.rule, finding.sentence, finding.resource.urn if finding.resource else "")
        for finding in (*verdict.mandatory, *verdict.advisory)
    }
    assert CANARY not in str(diagnostics)


@pytest.mark.parametrize("stack", NAMES)
def test_the_stacks_of_this_repository_are_accepted(pack: Pack, stack: str):
    pack.configure(DEFAULTS)
    assert pack.diagnostics(planned(raw_of(stack), stack=stack)) == []


def test_a_rule_that_is_disabled_is_not_run(pack: Pack):
    case = REFUSED[0]
    pack.configure(configure({case.rule: "disabled"}))
    assert pack.diagnostics(case.plan) == []


def test_the_engine_is_told_every_rule_with_its_level_and_settings(pack: Pack):
    policies = {
        policy.name: policy for policy in pack.stub.GetAnalyzerInfo(empty_pb2.Empty()).policies
    }
    assert list(policies) == [rule.name for rule in RULES]
    for rule in RULES:
        about = policies[rule.name]
        assert about.description == rule.description
        assert about.enforcementLevel == LEVELS[rule.level]
        schema = json_format.MessageToDict(about.configSchema)["properties"]
        assert set(schema) == set(rule.settings.model_fields)
        assert all(
            property_["description"] and "default" not in property_ for property_ in schema.values()
        )


def test_the_pack_is_installed_from_its_own_pinned_requirements():
    project = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
    pinned = (PACK / "requirements.txt").read_text()
    for line in (PACK / "requirements.in").read_text().splitlines():
        name = line.partition(">=")[0]
        assert line.startswith("#") or f"\n{name}==" in f"\n{pinned}"
