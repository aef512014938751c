import json
import re
from typing import Any

import pytest
import yaml

from components.catalog.metrics import SERIES, MetricsFlavor
from components.crds.monitoring import GroupRule, PrometheusRuleSpec
from components.platform import Alerts, AlertsArgs, InstancePrice, ModelObjective
from components.platform.alert_rules import ALERTS, BURNS
from components.platform.alerts import RUNBOOK, rules_spec
from components.platform.dashboards import objectives_dashboard
from plan.model import Plan
from plan.record import record
from proof.alert_cases import MODEL, rules
from tests.cloud.refusals import refusal
from tests.stacks.environments import ROOT, planned, signals

_NAMES = re.compile(r"\b((?:vllm|model|DCGM|kube|runtime)[_:][A-Za-z0-9_:]+)\{?")
KNOWN = {
    f"{name}{ending}"
    for series in SERIES.values()
    for name in series.names
    for ending in {"gauge": [""], "counter": ["_total"], "histogram": ["_bucket", "_count"]}[
        series.kind
    ]
}


def args(**changes: Any) -> dict[str, Any]:
    return {"flavor": "upstream", "namespace": "monitoring", "models": [MODEL], **changes}


def plan(**changes: Any) -> Plan:
    return record(lambda: Alerts("alerts", AlertsArgs.of(args(**changes))))


def of(spec: PrometheusRuleSpec) -> list[GroupRule]:
    return [rule for group in spec.groups for rule in group.rules]


def alerts(**changes: Any) -> dict[str, GroupRule]:
    spec = rules(MODEL.model_copy(update=changes))
    return {rule.alert: rule for rule in of(spec) if rule.alert}


def series_of(expression: str) -> set[str]:
    bare = re.sub(r'"[^"]*"', "''", expression)
    return {name for name in _NAMES.findall(bare) if name != "runtime_type"}


def test_every_series_of_a_rule_is_in_the_table() -> None:
    unknown = {name for rule in of(rules()) for name in series_of(rule.expr)} - KNOWN
    assert unknown == set()


def test_what_a_rule_or_a_panel_asks_for_under_a_recorded_name_is_recorded() -> None:
    recorded = {rule.record for rule in of(rules()) if rule.record}
    panels = [
        query.expression for panel in objectives_dashboard().panels for query in panel.queries
    ]
    series = {
        name for text in [*panels, *(rule.expr for rule in of(rules()))] for name in series_of(text)
    }
    assert {name for name in series if name.startswith("model:")} <= recorded
    assert {name for name in SERIES if name.startswith("model:")} == recorded


@pytest.mark.parametrize("kind", ALERTS, ids=lambda kind: kind.name)
def test_an_alert_says_what_it_is_and_leads_to_its_heading(kind: Any) -> None:
    rule = alerts()[kind.name]
    notes, labels = rule.annotations or {}, rule.labels or {}
    assert notes["description"]
    assert re.fullmatch(r"[^{}]+", notes["summary"])
    assert labels["severity"] in {"critical", "warning", "info"}
    assert notes["runbook"] == f"{RUNBOOK}#{kind.anchor}"
    headings = re.findall(r"^### (\w+)$", (ROOT / RUNBOOK).read_text(), re.MULTILINE)
    assert kind.name in headings
    assert kind.anchor == kind.name.lower()


def test_the_guide_lists_every_alert() -> None:
    page = (ROOT / "docs/guides/alerts.md").read_text()
    listed = re.findall(
        r"^\| \[(\w+)\]\(troubleshooting\.md#(\w+)\) \| (\w+) \|", page, re.MULTILINE
    )
    assert listed == [(kind.name, kind.anchor, kind.severity) for kind in ALERTS]


def test_the_page_may_be_somewhere_else() -> None:
    [rule, *_] = [r for r in of(rules(runbook_url="https://git.example.com/runbook.md")) if r.alert]
    assert (rule.annotations or {})["runbook_url"].startswith("https://git.example.com/runbook.md#")
    assert "runbook" not in (rule.annotations or {})


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"objective": None}, {k.name for k in ALERTS if "Budget" in k.name or "Late" in k.name}),
        ({"dataset": None}, {"ModelCacheMiss"}),
        ({"spot": False}, {"ModelSpotNodeLost"}),
        ({"max_replicas": None}, {"ModelScaleLimitReached"}),
        ({"prices": []}, {"ModelTokensDear"}),
        ({"vllm": "0.4.1"}, {"ModelQueueOld"}),
    ],
)
def test_a_model_has_the_alerts_that_it_can_have(changes: dict[str, Any], gone: set[str]) -> None:
    missing = set(alerts()) - set(alerts(**changes))
    assert missing >= gone
    assert missing - gone <= {"ModelTokensDear"}


def test_a_budget_burns_as_the_workbook_says() -> None:
    assert [round(burn.factor(30), 3) for burn in BURNS] == [14.4, 6, 1]


def test_a_budget_of_another_window_burns_at_another_rate() -> None:
    objective = ModelObjective(ttft_seconds=1, percent=99, window_days=28)
    rule = alerts(objective=objective)["ModelErrorBudgetBurnsFast"]
    assert 'window="1h"} > 0.1344 and ignoring (window)' in rule.expr
    assert 'window="6h"} > 0.056 and' in rule.expr


def test_nodes_of_different_prices_are_told_apart_by_their_label() -> None:
    dear = InstancePrice(instance_type="ecs.gn6e-c12g1.3xlarge", hourly=19.7)
    spec = rules(MODEL.model_copy(update={"prices": [*MODEL.prices, dear]}))
    [rule] = [rule for rule in of(spec) if rule.record == "model:replicas:price_hourly"]
    label = "label_node_kubernetes_io_instance_type"
    assert f'19.7 * max by (node) (kube_node_labels{{{label}="{dear.instance_type}"}})' in rule.expr


def test_cards_are_found_by_the_labels_of_the_cluster() -> None:
    idle = {rule.alert: rule for rule in of(rules(flavor=MetricsFlavor.ARMS))}["ModelGpuIdle"]
    assert 'NamespaceName="inference",PodName=~"chat-predictor-.+"' in idle.expr


def test_rules_carry_the_labels_by_which_prometheus_picks_them() -> None:
    [rule] = plan(rule_labels={"release": "prometheus"}).manifests("PrometheusRule")
    assert rule["metadata"]["labels"] == {"release": "prometheus"}
    assert rule["spec"] == rules_spec(AlertsArgs.of(args())).manifest()


def test_without_an_operator_the_same_rules_are_a_file() -> None:
    [file] = plan(form="config_map").manifests("ConfigMap")
    text = file["data"]["ack-inference.yaml"]
    assert json.loads(text) == yaml.safe_load(text) == rules().manifest()


@pytest.mark.parametrize(("seconds", "near"), [(3, "2.5 or 5"), (5000, "2560"), (0.0005, "0.001")])
def test_a_promise_between_two_buckets_is_refused(seconds: float, near: str) -> None:
    model = MODEL.model_copy(update={"objective": ModelObjective(ttft_seconds=seconds)})
    sentence = refusal(AlertsArgs, args(models=[model]))
    assert f"models[0].objective.ttft_seconds is {float(seconds)!r}" in sentence
    assert f"the bound of a bucket, {near}:" in sentence


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"expr": "up"}, "a rule does one thing"),
        ({"expr": "up", "record": "a:b", "alert": "A"}, "a rule does one thing"),
        ({"expr": "up", "record": "a:b", "for": "5m"}, "an alert has it alone"),
        ({"expr": "up", "alert": "A", "for": "soon"}, "it is a time"),
    ],
)
def test_a_rule_that_prometheus_would_not_load_is_refused(
    rule: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(GroupRule, rule)


def test_two_groups_of_one_name_are_refused() -> None:
    group = {"name": "qwen", "rules": [{"expr": "up", "record": "a:b"}]}
    sentence = refusal(PrometheusRuleSpec, {"groups": [group, group]})
    assert "groups is 'qwen', but it must be given once" in sentence
    PrometheusRuleSpec.of({"groups": [group, {**group, "name": "chat"}]})


def test_the_pods_of_each_kind_of_model_are_found_by_their_names() -> None:
    raw = signals()
    [spec] = [item["spec"] for item in planned(raw).manifests("PrometheusRule")]
    text = json.dumps(spec)
    assert 'pod=~\\"chat-predictor-.+\\"' in text
    assert 'deployment=~\\"batch-predictor\\"' in text
