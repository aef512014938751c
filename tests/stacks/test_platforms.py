"""What runtimes share is installed once, for whoever needs it."""

from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

import pytest

from plan.model import Plan
from plan.record import record
from stacks import Secrets, deploy
from stacks.platforms import CERT_MANAGER, KNATIVE, KSERVE, PLATFORMS, Platform
from stacks.runtimes import RUNTIMES, models_by_platform
from stacks.validation import validate

from .environments import NAMES, Raw, accepted, dev, hybrid, planned, raw_of


def platforms(plan: Plan) -> list[str]:
    """Names of the platforms that a plan installs, as often as it does."""
    names = [platform.name for platform in PLATFORMS]
    return sorted(resource.name for resource in plan.resources if resource.name in names)


def planned_with_another_runtime(raw: Raw, needs: Sequence[Platform]) -> Plan:
    """The plan of a stack whose Knative models are served by a third runtime instead."""
    third = replace(RUNTIMES["knative"], needs=lambda _model: needs)
    with patch.dict(RUNTIMES, {"knative": third}):  # type: ignore[arg-type]  # it is a dict
        parts = validate(raw).resolved
        assert parts is not None
        return record(lambda: deploy(parts, Secrets()), stack="dev")


def test_a_third_runtime_over_kserve_brings_kserve_and_what_it_needs() -> None:
    plan = planned_with_another_runtime(dev(), [KSERVE])
    assert platforms(plan) == ["cert-manager", "kserve"]
    [service] = [one for one in plan.resources if one.name == "qwen-service"]
    [kserve] = [one for one in plan.resources if one.name == "kserve"]
    assert any(urn.startswith(f"{kserve.urn.rpartition('::')[0]}$") for urn in service.dependencies)


def test_a_runtime_that_needs_nothing_has_nothing_installed() -> None:
    assert platforms(planned_with_another_runtime(dev(), [])) == []


def test_what_two_runtimes_need_is_installed_once() -> None:
    assert platforms(planned_with_another_runtime(dev(), [KSERVE, KNATIVE, KSERVE])) == [
        "cert-manager",
        "knative",
        "kserve",
    ]


def test_models_of_kserve_on_knative_count_for_both_platforms() -> None:
    raw = hybrid()
    [queue, *_] = [m for m in raw["models"] if m["serve"]["kserve"]]
    queue["serve"]["kserve"]["scale"] = {"metric": "concurrency", "target": 2, "max": 2}
    environment = accepted(raw)
    models = models_by_platform(environment)
    assert [*models] == [KNATIVE, CERT_MANAGER, KSERVE]
    assert [model.name for model in models[KNATIVE]] == [queue["name"]]
    assert models[CERT_MANAGER] == models[KSERVE] == environment.models


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_what_a_platform_needs_is_installed_before_it(platform: Platform) -> None:
    before = PLATFORMS[: PLATFORMS.index(platform)]
    assert set(platform.needs) <= set(before)


@pytest.mark.parametrize("stack", NAMES)
def test_every_platform_that_a_runtime_names_is_listed(stack: str) -> None:
    for model in accepted(raw_of(stack)).models:
        assert set(RUNTIMES[model.serve.kind].needs(model)) <= set(PLATFORMS)


def test_dev_installs_knative_alone() -> None:
    assert platforms(planned(dev())) == ["knative"]
