"""Every rule, by the sentences it says of small stacks and by its silence on others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from plan import pods
from plan.model import Plan
from plan.objects import Manifest
from policy.configuration import DEFAULTS, Configuration, configure
from policy.model import Level
from policy.rules import RULES
from policy.validation import validate
from tests.stacks.environments import NAMES, planned, raw_of

from .cases import Case, bucket, plan_of
from .object_cases import ACCEPTED, REFUSED

LEVELS = {rule.name: rule.level for rule in RULES}


def configured(case: Case) -> Configuration:
    return configure({case.rule: case.settings})


def without(rule: str) -> Configuration:
    return [section for section in DEFAULTS if section.rule.name != rule]


def sentences_of(plan: Plan, configuration: Configuration = DEFAULTS) -> list[str]:
    verdict = validate(plan, configuration)
    return [str(violation) for violation in (*verdict.mandatory, *verdict.advisory)]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.about)
def test_a_stack_that_breaks_a_rule_is_told_so_by_that_rule_alone(case: Case):
    assert sentences_of(case.plan, configured(case)) == [
        f"{sentence} [{case.rule}]" for sentence in case.sentences
    ]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.about)
def test_without_the_rule_nothing_is_said(case: Case):
    assert sentences_of(case.plan, without(case.rule)) == []


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.about)
def test_a_stack_that_keeps_a_rule_is_accepted(case: Case):
    assert sentences_of(case.plan, configured(case)) == []


def test_every_rule_has_a_case_that_breaks_it_and_one_that_keeps_it():
    names = {rule.name for rule in RULES}
    assert {case.rule for case in REFUSED} - names == set()
    assert names - {case.rule for case in REFUSED} == set()
    assert names - {case.rule for case in ACCEPTED} - {"public-access-block"} == set()


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.about)
def test_only_advice_leaves_the_stack_accepted(case: Case):
    verdict = validate(case.plan, configured(case))
    broken = verdict.advisory if LEVELS[case.rule] is Level.ADVISORY else verdict.mandatory
    assert [finding.sentence for finding in broken] == list(case.sentences)


@pytest.mark.parametrize("stack", NAMES)
def test_the_stacks_of_this_repository_keep_every_rule(stack: str):
    assert sentences_of(planned(raw_of(stack), stack=stack)) == []


@pytest.mark.parametrize("stack", NAMES)
def test_what_only_an_up_knows_breaks_no_rule_either(stack: str):
    assert sentences_of(planned(raw_of(stack), stack=stack, preview=False)) == []


@pytest.mark.parametrize("case", [*REFUSED, *ACCEPTED], ids=lambda case: case.about)
def test_a_rule_over_single_resources_says_the_same_of_each_alone(case: Case):
    alone = [section for section in configured(case) if not section.rule.whole_stack]
    batches = [
        sentences_of(plan_of(resource, stack=case.stack), alone) for resource in case.resources
    ]
    assert [sentence for batch in batches for sentence in batch] == sentences_of(case.plan, alone)


def test_a_value_of_a_key_is_in_no_sentence():
    sentences = "".join(
        sentence
        for case in REFUSED
        if case.rule == "no-access-key"
        for sentence in sentences_of(case.plan)
    )
    assert sentences
    assert "LTAI" not in sentences
    assert "6Vg" not in sentences


def test_an_exemption_names_a_resource_of_a_stack():
    open_ = [bucket(acl="public-read")]
    rule = [section for section in DEFAULTS if section.rule.name == "no-public-bucket"]

    def exempt(pattern: str, stack: str) -> list[str]:
        configuration = [
            replace(section, settings=section.settings.model_copy(update={"exempt": [pattern]}))
            for section in rule
        ]
        return sentences_of(plan_of(*open_, stack=stack), configuration)

    assert exempt("dev/one", "dev") == exempt("*/one", "prod") == exempt("dev/*", "dev") == []
    assert len(exempt("dev/two", "dev")) == len(exempt("dev/*", "prod")) == 1


def test_all_rules_look_for_the_pods_of_each_object_once(monkeypatch: pytest.MonkeyPatch):
    plan = replace(planned(raw_of("prod")))  # what others looked for stays with their plan
    objects = []
    look = pods.pods_of

    def counted(manifest: Manifest) -> Iterator[pods.Pods]:
        objects.append((manifest["kind"], manifest["metadata"]["name"]))
        return look(manifest)

    monkeypatch.setattr(pods, "pods_of", counted)
    validate(plan)
    assert len(objects) == len(plan.manifests()) > 0
