"""The check of the guide works, in a copy of the repository, by a function and its case."""

import re
from pathlib import Path

import pytest
import yaml

from stacks.sections.environment import PROJECT
from tests.stacks.environments import dev, merged

from .extensions import ROOT, copy_of_the_repository, extension, outcomes, put, run_tests

MODULE, CASES = extension("spot-caches")
RULES = "tests/stacks/checks/test_rules.py"
ALONE = """
from stacks.checks.spot_caches import caches_keep_their_nodes as rule
from tests.stacks.checks.test_rules import CHECKS
from tests.stacks.checks.test_spot_caches import CASES
from tests.stacks.environments import accepted, merged

for case in CASES:
    for changes, want in ((case.changes, [case.sentence]), (case.edge, [])):
        environment = type(accepted(case.base())).model_validate(merged(case.base(), changes))
        assert [str(fault) for fault in rule.find(environment)] == want, changes


def test_each_case():
    assert rule in CHECKS
    assert [case.rule for case in CASES] == [rule.find.__name__]
"""
"""The rule by itself: what other rules say of the same stack is their affair."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    put([MODULE, CASES], copy)
    (copy / "tests" / "stacks" / "test_alone.py").write_text(ALONE)
    return copy


def test_a_check_is_one_function_and_its_case() -> None:
    assert MODULE.new
    assert CASES.new
    assert MODULE.text.count("\ndef ") == 1
    assert CASES.text.count("Case(\n") == 1


def test_the_rule_is_asked_and_says_the_sentence_of_its_case(copy: Path) -> None:
    """The tests of all rules take it out too, and miss it; not here, where another may say so."""
    expression = "called_as or looks_like or each_case"
    assert "3 passed" in run_tests(copy, RULES, "tests/stacks/test_alone.py", "-k", expression)


def test_a_rule_whose_decorator_was_forgotten_is_missed(copy: Path) -> None:
    path = copy / MODULE.target
    path.write_text(MODULE.text.replace("@check\n", ""))
    with pytest.raises(AssertionError, match="looks_like_a_rule_is_asked"):
        run_tests(copy, RULES, "-k", "looks_like")
    path.write_text(MODULE.text)


def test_the_new_check_refuses_a_stack_and_leaves_the_others_as_they_are(copy: Path) -> None:
    spot = merged(dev(), {"pools[cache].spot": {}})
    config = {f"{PROJECT}:{key}": value for key, value in spot.items()}
    calm = (ROOT / "Pulumi.dev.yaml").read_text()
    stacks = outcomes(copy, {"spot": yaml.safe_dump({"config": config}), "calm": calm})
    # What the code breaks over lines is put together.
    assert any(
        sentence in re.sub(r'"\n\s+"', "", CASES.text) for sentence in stacks.refusal("spot")
    )
    assert stacks.plan("calm").resources
