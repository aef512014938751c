"""What a team sets about the rules, read from the file that the engine takes too."""

import json
from pathlib import Path
from typing import Any

import pytest

from plan.refused import Refused
from policy.configuration import (
    CONFIGURATION_FILE,
    DEFAULTS,
    configure,
    read_configuration,
)
from policy.model import Level
from policy.rules import RULES
from policy.validation import enforced

from .cases import CLUSTER, POOL, REFUSED, plan_of, resource

PUBLIC = resource(CLUSTER, {"slbInternetEnabled": True})
PLAIN = resource(POOL, {})
NAMES = ", ".join(rule.name for rule in RULES)


def project(root: Path, document: Any) -> Path:
    (root / CONFIGURATION_FILE).write_text(
        document if isinstance(document, str) else json.dumps(document)
    )
    return root


def levels(document: dict[str, Any]) -> dict[str, Level]:
    return {section.rule.name: section.level for section in configure(document)}


def test_without_a_file_the_defaults_hold(tmp_path: Path):
    assert read_configuration(tmp_path) == DEFAULTS == configure({})


def test_a_level_alone_is_short_for_a_section():
    short = configure({"encrypted-disks": "advisory"})
    assert short == configure({"encrypted-disks": {"enforcementLevel": "advisory"}})
    assert {section.level for section in short if section.rule.name == "encrypted-disks"} == {
        Level.ADVISORY
    }


def test_a_level_for_all_gives_way_to_that_of_a_rule():
    by_rule = levels({"all": "disabled", "cost-bounds": "mandatory"})
    assert by_rule.pop("cost-bounds") is Level.MANDATORY
    assert set(by_rule.values()) == {Level.DISABLED}


def test_settings_leave_the_level_as_it_is():
    document = {"cost-bounds": {"most_gpus": 8}}
    assert levels(document) == levels({})
    [settings] = [
        section.settings for section in configure(document) if section.rule.name == "cost-bounds"
    ]
    assert settings.model_dump() == {"exempt": [], "most_gpus": 8, "most_node_hours": 50_000}


def test_what_only_the_engine_reads_is_left_to_it(tmp_path: Path):
    assert read_configuration(project(tmp_path, {"environments": ["team/prod"]})) == DEFAULTS


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (
            {"no-public-api-serve": "disabled"},
            "no-public-api-serve is not a rule, but it must be left out (did you mean "
            f"'no-public-api-server'?): the rules are {NAMES}.",
        ),
        (
            {"cost-bounds": 7},
            "cost-bounds is 7, but it must be a level or a section of settings: nothing else is "
            "read.",
        ),
        (
            {"all": "strict"},
            "all is 'strict', but it must be one of mandatory, advisory, disabled: a rule has no "
            "other level.",
        ),
        (
            {"cost-bounds": {"enforcementLevel": ["mandatory"]}},
            "cost-bounds.enforcementLevel is ['mandatory'], but it must be one of mandatory, "
            "advisory, disabled: a rule has no other level.",
        ),
        (
            {"all": {"exempt": ["dev/*"]}},
            "all.exempt is given, but it must be left out: only a level can be set for all rules "
            "at once.",
        ),
        (
            {"encrypted-disks": {"exemt": []}},
            "encrypted-disks.exemt is not a known key, but it must be left out (did you mean "
            "'exempt'?): the keys here are exempt.",
        ),
        (
            {"cost-bounds": {"most_gpus": -1}},
            "cost-bounds.most_gpus is -1, but it must be 0 or more: GPUs of all node pools at "
            "their largest.",
        ),
    ],
)
def test_what_the_rules_do_not_understand_is_refused(
    tmp_path: Path, document: dict[str, Any], sentence: str
):
    with pytest.raises(Refused) as refused:
        read_configuration(project(tmp_path, document))
    assert (refused.value.subject, refused.value.sentences) == (CONFIGURATION_FILE, (sentence,))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "policy-config.json is not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "policy-config.json must hold rules by their names, in braces."),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(Refused) as refused:
        read_configuration(project(tmp_path, text))
    assert refused.value.sentences[0].startswith(sentence)


def test_a_plan_that_breaks_rules_is_refused_with_every_sentence(tmp_path: Path):
    with pytest.raises(Refused) as refused:
        enforced(plan_of(PUBLIC, PLAIN), tmp_path)
    assert refused.value.subject == "The plan of dev"
    assert [sentence.rpartition(" ")[2] for sentence in refused.value.sentences] == [
        "[no-public-api-server]",
        "[encrypted-disks]",
    ]


def test_advice_is_among_the_warnings_of_a_plan(tmp_path: Path):
    case = next(refusal for refusal in REFUSED if refusal.rule == "cost-bounds")
    root = project(tmp_path, {case.rule: dict(case.settings)})
    assert enforced(case.plan, root).warnings == [
        f"{sentence} [{case.rule}]" for sentence in case.sentences
    ]


def test_a_team_may_allow_a_public_api_server_for_one_stack(tmp_path: Path):
    root = project(tmp_path, {"no-public-api-server": {"exempt": ["dev/*"]}})
    assert enforced(plan_of(PUBLIC), root).warnings == []
    with pytest.raises(Refused):
        enforced(plan_of(PUBLIC, stack="staging"), root)
