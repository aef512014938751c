"""What the proof puts rules and models through; that Prometheus and KEDA do it is its affair."""

import pytest

from components.platform.alert_rules import ALERTS
from proof.alert_cases import CASES, MODEL, rules, unit_tests
from proof.signals import manifest, query_tests, rule_sets, scaled_models


@pytest.mark.parametrize("alert", [kind.name for kind in ALERTS])
def test_each_alert_has_a_case_and_a_counter_case(alert: str) -> None:
    assert {case.fires for case in CASES if case.alert == alert} == {True, False}


def test_a_case_that_fires_expects_the_texts_of_its_rule() -> None:
    [first, *_] = unit_tests(rules(), "rules.json")
    tests = {test["name"]: test["alert_rule_test"][0]["exp_alerts"] for test in first["tests"]}
    [stuck] = tests["ModelQueueStuck: waiting, and no token"]
    assert stuck["exp_labels"]["severity"] == "critical"
    assert (
        "pod chat-predictor-7d9-x1, and it has written" in stuck["exp_annotations"]["description"]
    )
    assert tests["ModelQueueStuck: idle"] == []


def test_rules_of_old_releases_are_proven_too() -> None:
    sets = dict(rule_sets())
    assert "gpu_cache" not in str(sets["vLLM 0.28.0"])
    assert "request_queue_time" not in str(sets["vLLM 0.4.1"])
    assert MODEL.vllm == "0.28.0"


def test_every_figure_is_asked_for_with_and_without_its_series() -> None:
    answers = [test["promql_expr_test"][0]["exp_samples"] for test in query_tests()]
    assert [] in answers
    assert len(answers) == 10


def test_models_are_scaled_by_what_their_component_renders() -> None:
    objects = {case.name: manifest(case, "http://prometheus:9090") for case in scaled_models()}
    assert objects["woken"]["spec"]["minReplicaCount"] == 0
    assert [trigger["type"] for trigger in objects["open"]["spec"]["triggers"]] == [
        "prometheus",
        "cron",
    ]
