"""What runtimes share is installed once, for whoever needs it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from unittest.mock import patch

import pytest

from plan.model import Plan
from plan.record import record
from stacks import Secrets, deploy
from stacks.needs import Needs
from stacks.platforms import CERT_MANAGER, KNATIVE, KSERVE, PLATFORMS, Platform
from stacks.runtimes import RUNTIMES, needs_of
from stacks.validation import find_warnings, validate

from .checks.parts import MODEL, load_test, pair
from .checks.test_front_door import gateway, limits
from .checks.test_kserve import MODE
from .environments import GONE, NAMES, Raw, accepted, dev, existing, hybrid, merged, planned, raw_of


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


@contextmanager
def a_runtime_without_rules(needs: Sequence[Platform]) -> Iterator[None]:
    """The same, by a runtime whose component refuses nothing."""
    with (
        another_runtime(needs),
        patch.dict(
            RUNTIMES,  # type: ignore[arg-type]  # it is a dict
            {
                "knative": replace(
                    RUNTIMES["knative"],
                    args=lambda _environment, _model, args: args,
                    render=lambda _name, _args: None,
                    needs=lambda _model: needs,
                )
            },
        ),
    ):
        yield


def refusals_with_another_runtime(raw: Raw, needs: Sequence[Platform]) -> list[str]:
    """Sentences that such a stack is refused with."""
    with a_runtime_without_rules(needs):
        return [str(fault) for fault in validate(raw).faults]


def warnings_with_another_runtime(raw: Raw, needs: Sequence[Platform]) -> list[str]:
    """Sentences that such a stack is warned with; what is validated so is kept for nobody else."""
    with a_runtime_without_rules(needs):
        environment = validate(raw).environment
        assert environment is not None
        return find_warnings(environment)


def test_a_third_runtime_over_kserve_brings_kserve_and_what_it_needs() -> None:
    plan = planned_with_another_runtime(dev(), [KSERVE])
    assert platforms(plan) == ["cert-manager", "kserve"]
    [service] = [resource for resource in plan.resources if resource.name == "qwen-service"]
    [kserve] = [resource for resource in plan.resources if resource.name == "kserve"]
    assert any(urn.startswith(f"{kserve.urn.rpartition('::')[0]}$") for urn in service.dependencies)


QWEN: Final = "models[qwen]"
PREDICTOR: Raw = {"name": "qwen-predictor", "placement": {"pools": ["a10"]}}
JOB: Raw = {
    "priority": "training-low-priority",
    "checkpoint": {"store": "checkpoints", "size": "1Gi", "mount_path": "/checkpoints"},
}
REGISTRY: Final = "registry-vpc.cn-shanghai.aliyuncs.com/mirror"


@pytest.mark.parametrize(
    ("changes", "platform", "field"),
    [
        ({"cluster.version": "1.27.8-aliyun.1"}, KNATIVE, "cluster.version"),
        ({"pools[system].size": 0, "pools[a10].size": 0}, KNATIVE, "pools"),
        (
            {f"{QWEN}.serve.knative.request_seconds": 601},
            KNATIVE,
            f"{QWEN}.serve.knative.request_seconds",
        ),
        ({f"{QWEN}.server.env": {"PORT": "80"}}, KNATIVE, f"{QWEN}.server.env.PORT"),
        ({f"{QWEN}.server.port": 8012}, KNATIVE, f"{QWEN}.server.port"),
        ({"cert_manager": "absent"}, KSERVE, "cert_manager"),
        ({"cluster.version": "1.30.1-aliyun.1"}, KSERVE, "cluster.version"),
        ({"kserve": {"ingress_class": "alb"}}, KSERVE, "kserve.ingress_controller"),
        (
            {"kserve": {"ingress_class": "traefik", "ingress_controller": "addon"}},
            KSERVE,
            "kserve.ingress_controller",
        ),
        (
            {
                "kserve": {"chart": {"values": limits("2")}},
                f"{QWEN}.server.resources.cpu_limit": GONE,
            },
            KSERVE,
            f"{QWEN}.server.resources.cpu_limit",
        ),
        (
            {"kserve": {"domain": "example.org", **gateway(domain="example.net")}},
            KSERVE,
            "kserve.chart.values.kserve.controller.gateway.domain",
        ),
        (
            {"kserve": {"chart": {"image_prefix": REGISTRY}}, "cert_manager": "present"},
            KSERVE,
            "kserve.chart.image_prefix",
        ),
        (
            {f"{QWEN}.serve.knative.annotations": {MODE: "Knative"}},
            KSERVE,
            f"{QWEN}.serve.knative.annotations[{MODE}]",
        ),
        ({"models[+]": {**MODEL, **PREDICTOR}}, KSERVE, "models[qwen-predictor].name"),
        (
            {"training": [pair(**PREDICTOR, **JOB)]},
            KSERVE,
            "training[qwen-predictor].name",
        ),
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


def test_the_stack_of_these_refusals_is_accepted_over_either_platform() -> None:
    for platform in (KNATIVE, KSERVE):
        assert refusals_with_another_runtime(dev(), [platform]) == []


def test_a_model_of_kserve_on_knative_may_have_the_mode_of_that() -> None:
    raw = merged(dev(), {f"{QWEN}.serve.knative.annotations": {MODE: "Knative"}})
    assert refusals_with_another_runtime(raw, [KNATIVE, KSERVE]) == []


def test_an_ingress_is_made_of_what_knative_does_not_run() -> None:
    raw = merged(dev(), {"kserve": {"ingress_class": "alb"}})
    assert refusals_with_another_runtime(raw, [KNATIVE, KSERVE]) == []


def test_a_cold_start_needs_knative_whoever_serves_the_model() -> None:
    test = load_test(scenario={"cold_start": {}})
    raw = merged(dev(load_tests=[test]), {f"{QWEN}.serve.knative.scale.min": 0})
    assert refusals_with_another_runtime(raw, [KNATIVE]) == []
    [sentence] = refusals_with_another_runtime(raw, [KSERVE])
    assert sentence.startswith("load_tests[spike].scenario.cold_start is given")


@pytest.mark.parametrize(
    ("base", "changes", "platform", "words"),
    [
        (dev, {}, KSERVE, "kserve.chart.image_prefix"),
        (dev, {}, KSERVE, "cert_manager"),
        (
            dev,
            {f"{QWEN}.server.image": "docker.io/vllm/vllm-openai:v0.19.0"},
            KNATIVE,
            "Knative's controller has none",
        ),
        (
            dev,
            {"kserve": gateway(domainTemplate="{{ .Name }}")},
            KSERVE,
            "KServe makes other addresses by it",
        ),
        (existing, {}, KSERVE, "KServe makes Ingresses of class nginx"),
        (
            dev,
            {f"{QWEN}.serve.knative.scale.window_seconds": 10},
            KNATIVE,
            "it misses the bursts of every other second",
        ),
        (
            dev,
            {
                f"{QWEN}.serve.knative.scale.min": 2,
                f"{QWEN}.serve.knative.scale.max": 6,
                "pools[a10].size": 1,
            },
            KNATIVE,
            "may order nodes in vain",
        ),
        (
            dev,
            {f"{QWEN}.placement.pools": ["a10"], f"{QWEN}.serve.knative.scale.max": 2},
            KNATIVE,
            "Knative ends no old revision before",
        ),
        (
            dev,
            {
                "waits": {"service_seconds": 2000},
                f"{QWEN}.placement.pools": ["t4"],
                f"{QWEN}.serve.knative.scale.min": 2,
            },
            KNATIVE,
            "may take 3600 s: 2 starts",
        ),
    ],
)
def test_what_surprises_on_a_platform_surprises_whoever_needs_it(
    base: Callable[..., Raw], changes: Raw, platform: Platform, words: str
) -> None:
    raw = merged(base(), changes)
    assert any(words in sentence for sentence in warnings_with_another_runtime(raw, [platform]))
    assert not any(words in sentence for sentence in warnings_with_another_runtime(raw, []))


def test_a_runtime_without_a_rollout_is_not_told_of_it() -> None:
    changes = {f"{QWEN}.placement.pools": ["a10"], f"{QWEN}.serve.knative.scale.max": 2}
    [sentence] = [
        sentence
        for sentence in warnings_with_another_runtime(merged(dev(), changes), [])
        if "an update needs room for 1 more replica" in sentence
    ]
    assert sentence.endswith("Give a pool one more node.")


def test_a_runtime_without_a_grace_period_is_not_told_of_it() -> None:
    image, drain = "docker.io/vllm/vllm-openai:v0.19.0", ["--shutdown-timeout", "900"]
    changes = {f"{QWEN}.server.image": image, f"{QWEN}.server.vllm.extra_args": drain}
    raw = merged(dev(), changes)
    words = "gives vLLM 900 s after SIGTERM"
    assert any(words in sentence for sentence in warnings_with_another_runtime(raw, [KNATIVE]))
    assert not any(words in sentence for sentence in warnings_with_another_runtime(raw, []))


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
    needs = Needs(needs_of(environment))
    assert [model.name for model in needs.sections(KNATIVE.name)] == [queue["name"]]
    for platform in (CERT_MANAGER, KSERVE):
        assert needs.sections(platform.name) == environment.models
    assert [*map(needs.on_knative, environment.models)] == [
        model.name == queue["name"] for model in environment.models
    ]


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
