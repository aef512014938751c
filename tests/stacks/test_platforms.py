"""What runtimes share is installed once, for whoever needs it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest

from plan.model import Plan
from plan.record import record
from stacks import Secrets, deploy
from stacks.platforms import CERT_MANAGER, KNATIVE, KSERVE, PLATFORMS, Platform
from stacks.runtimes import RUNTIMES, models_by_platform
from stacks.validation import validate

from .environments import NAMES, Raw, accepted, dev, hybrid, merged, planned, raw_of


def platforms(plan: Plan) -> list[str]:
    """Names of the platforms that a plan installs, as often as it does."""
    names = [platform.name for platform in PLATFORMS]
    return sorted(resource.name for resource in plan.resources if resource.name in names)


@contextmanager
def another_runtime(needs: Sequence[Platform]) -> Iterator[None]:
    """Serves what Knative would by a third runtime, which needs other platforms."""
    third = replace(RUNTIMES["knative"], needs=lambda _model: needs)
    with patch.dict(RUNTIMES, {"knative": third}):  # type: ignore[arg-type]  # it is a dict
        yield


def planned_with_another_runtime(raw: Raw, needs: Sequence[Platform]) -> Plan:
    """The plan of a stack whose Knative models are served by a third runtime instead."""
    with another_runtime(needs):
        parts = validate(raw).resolved
        assert parts is not None
        return record(lambda: deploy(parts, Secrets()), stack="dev")


def refusals_with_another_runtime(raw: Raw, needs: Sequence[Platform]) -> list[str]:
    """Sentences that such a stack is refused with."""
    with another_runtime(needs):
        return [str(fault) for fault in validate(raw).faults]


def test_a_third_runtime_over_kserve_brings_kserve_and_what_it_needs() -> None:
    plan = planned_with_another_runtime(dev(), [KSERVE])
    assert platforms(plan) == ["cert-manager", "kserve"]
    [service] = [one for one in plan.resources if one.name == "qwen-service"]
    [kserve] = [one for one in plan.resources if one.name == "kserve"]
    assert any(urn.startswith(f"{kserve.urn.rpartition('::')[0]}$") for urn in service.dependencies)


@pytest.mark.parametrize(
    ("changes", "platform", "field"),
    [
        ({"cert_manager": "absent"}, KSERVE, "cert_manager"),
        ({"cluster.version": "1.30.1-aliyun.1"}, KSERVE, "cluster.version"),
        ({"cluster.version": "1.27.8-aliyun.1"}, KNATIVE, "cluster.version"),
        ({"pools[system].size": 0, "pools[a10].size": 0}, KNATIVE, "pools"),
    ],
    ids=lambda value: value.name if isinstance(value, Platform) else None,
)
def test_what_a_platform_asks_for_holds_for_whoever_needs_it(
    changes: Raw, platform: Platform, field: str
) -> None:
    raw = merged(dev(), changes)
    [sentence] = refusals_with_another_runtime(raw, [platform])
    assert sentence.startswith(f"{field} is ")
    assert refusals_with_another_runtime(raw, []) == []


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
