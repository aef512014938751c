"""Every rule is asked, and has cases beside it.

What the design asks for, and the cases or tests that prove it:

- a placement names a pool that exists and has GPUs: `placements_name_pools`
- requests fit the allocatable of every pool: `requests_fit_every_pool`
- pods per node under Terway: `pods_fit_the_network_plugin`
- vLLM against the card, CUDA against the driver: `vllm_runs_on_the_cards`, `drivers_run_the_image`
- GPU memory against the model: the warning `models_fill_their_cards`
- what shares nodes fits them together: `lowest_sums_fit`, and the warning `highest_sums_fit`
- cards are handed out whole: `pools_are_labelled_as_they_share`
- ARM nodes: `pools_have_one_architecture`, `platform_has_x86_nodes`, `arm_nodes_are_tainted`,
  `caches_are_on_x86`, and the warning `images_suit_the_architecture`
- registries can be reached: `vpc_registries_are_of_the_region`, and `registries_are_in_reach`
- quota times workers holds the model: `caches_hold_their_models`
- the cache's pool exists and is not ContainerOS: `caches_name_pools`, `fluid_runs_on_the_image`
- selector and labels agree: test_a_policy_selects_exactly_the_pods_of_its_workload
- an autoscaled pool's unit has no max: test_no_unit_has_a_max_because_no_stack_file_can_give_one
- min <= max, and 0 is refused for an HPA of KServe: `Scale`, `KServeScale`
- time-outs and deadline agree: test_one_setting_makes_both_request_timeouts and
  test_one_setting_makes_probe_and_progress_deadline
- names are DNS-1035 and unique: `Pool`, `Nodes`, `Store`, `Model`, `Training`, `names_are_unique`,
  `claims_are_unique`, `load_tests_have_their_own_jobs`
- a load test: `load_tests_name_models`, `cold_starts_begin_without_a_pod`, `Scenario`, `Steady`,
  `Tide`, `LoadTest`, `LoadTestArgs`
- reserved ports and variables: `reserved_names_are_free`
- what the profile cannot give: `fluid_runs_on_the_image`, `kubernetes_is_new_enough`,
  `knative_runs_on_the_kubernetes`, `kserve_runs_on_the_kubernetes`,
  `enough_nodes_carry_knative`, `reserve_instances_are_offered`, `stores_suit_the_profile`; there is
  no Standard cluster to choose and so no ResourcePolicy without its scheduler:
  test_a_cluster_without_the_scheduler_cannot_be_asked_for
- the OSS endpoint is internal: `oss_endpoints_are_internal`
- address ranges: `AckClusterArgs`
- what KServe needs: `metrics_have_an_adapter`, `metrics_have_a_source`, `kserve_has_cert_manager`,
  `metrics_come_from_one_port`
- what an IDC cannot give: `plugins_suit_the_profile`, `Network`, `caches_reach_their_readers`
- immutable fields are marked: test_what_replaces_a_cluster_is_marked
"""

import inspect
import pkgutil
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Final

import pytest

from components.args import Args, Fault
from stacks import checks, platforms, runtimes, sections
from stacks.checks.rules import Check
from stacks.validation import CHECKS, WARNINGS, validate

from ..environments import ROOT, dev, merged, sentences
from .cases import Case


def modules_of(*packages: str) -> list[ModuleType]:
    """The modules of packages."""
    return [
        import_module(f"{package}.{module.name}")
        for package in packages
        for module in pkgutil.iter_modules(import_module(package).__path__)
    ]


TOPICS: Final = {
    module.__name__.rpartition(".test_")[2]: module
    for module in modules_of(str(__package__))
    if module.__name__ != __name__
}
CASES: Final[list[Case]] = [
    case for module in TOPICS.values() for case in getattr(module, "CASES", ())
]
SURPRISES: Final[list[Case]] = [
    case for module in TOPICS.values() for case in getattr(module, "SURPRISES", ())
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.find.__name__)
def test_a_check_that_is_taken_out_fails_a_test(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [case for case in CASES if case.rule == check.find.__name__]
    monkeypatch.setattr("stacks.validation.CHECKS", [rule for rule in CHECKS if rule is not check])
    assert cases
    for case in cases:
        faults: Sequence[Fault] = ()
        with suppress(LookupError):  # Then nobody refuses what is not there, which is a defect.
            faults = validate(merged(case.base(), case.changes)).faults
        assert case.sentence not in map(str, faults)


def test_every_warning_has_a_case() -> None:
    assert {rule.find.__name__ for rule in WARNINGS} == {case.rule for case in SURPRISES}


def test_cases_stand_in_the_module_that_is_called_as_that_of_their_rule() -> None:
    homes = {
        rule.find.__name__: rule.find.__module__.rpartition(".")[2] for rule in (*CHECKS, *WARNINGS)
    }
    elsewhere = [
        (topic, case.rule)
        for topic, module in TOPICS.items()
        for case in (*getattr(module, "CASES", ()), *getattr(module, "SURPRISES", ()))
        if homes.get(case.rule, topic) != topic
    ]
    assert elsewhere == []


READ: Final = (["environment"], ["environment", "needs"])
"""What a rule is given."""


def test_every_function_that_looks_like_a_rule_is_asked() -> None:
    """One that lacks its decorator, or stands in a module that no list names, is never asked."""
    modules = modules_of(checks.__name__, platforms.__name__, runtimes.__name__)
    functions = {rule.find for rule in (*CHECKS, *WARNINGS)}
    values = [
        getattr(value, "find", value) for module in modules for value in vars(module).values()
    ]
    forgotten = [
        function
        for function in filter(inspect.isfunction, values)
        if function not in functions
        and not function.__name__.startswith("_")
        and function.__annotations__.get("return") in (Iterator[Fault], Iterator[str])
        and [name.strip("_") for name in inspect.signature(function).parameters] in READ
    ]
    assert forgotten == []


def test_every_rule_of_a_section_has_a_case() -> None:
    with_rules = {
        name
        for module in modules_of(sections.__name__)
        for name, section in vars(module).items()
        if isinstance(section, type) and issubclass(section, Args) and section is not Args
        if section.__module__ == module.__name__ and "_faults" in vars(section)
    }
    assert with_rules <= {case.rule for case in CASES}


def test_a_check_says_nothing_of_a_section_that_cannot_be_read() -> None:
    """A fault of the section itself is all that can be said of it."""
    raw = merged(dev(), {"region": ["cn-beijing"], "models[qwen].volume.store": "x"})
    assert [sentence.split(" is ")[0] for sentence in sentences(raw)] == [
        "region",
        "models[qwen].volume.store",
    ]


def test_each_topic_of_the_contributors_page_is_a_module_of_checks() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    [table] = re.findall(r"\n\| Module of `stacks/checks/`.*?\n\n", page, re.DOTALL)
    topics = re.findall(r"^\| `(\w+)\.py` \|", table, re.MULTILINE)
    modules = {path.stem for path in (ROOT / "stacks/checks").glob("*.py")}
    assert len(topics) == len({*topics}) > 20
    assert {*topics} <= modules
