import json
import re
from typing import Any

import pytest

from components.catalog.metrics import (
    ACK_LABELS,
    EXPORTED_LABELS,
    OWN_LABELS,
    SERIES,
    MetricsFlavor,
)
from components.platform import Dashboards, DashboardsArgs
from components.platform.dashboards import (
    gpu_dashboard,
    objectives_dashboard,
    vllm_dashboard,
)
from components.platform.grafana import Dashboard
from plan.record import record
from tests.cloud.refusals import refusal

ARMS, UPSTREAM = MetricsFlavor.ARMS, MetricsFlavor.UPSTREAM
DASHBOARDS = {
    "vllm": vllm_dashboard(),
    "arms": gpu_dashboard(ARMS, ACK_LABELS),
    "upstream": gpu_dashboard(UPSTREAM, EXPORTED_LABELS),
    "honoured": gpu_dashboard(UPSTREAM, OWN_LABELS),
    "objectives": objectives_dashboard(),
}
KNOWN = {
    f"{name}{ending}"
    for series in SERIES.values()
    for name in series.names
    for ending in {"gauge": [""], "counter": ["_total"], "histogram": ["_bucket"]}[series.kind]
}
EXPRESSIONS = [
    pytest.param(query.expression, id=f"{key}: {panel.title}, {query.legend}")
    for key, dashboard in DASHBOARDS.items()
    for panel in dashboard.panels
    for query in panel.queries
]
each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)
each_expression = pytest.mark.parametrize("expression", EXPRESSIONS)

CLOSING = {")": "(", "]": "[", "}": "{"}


def bare(expression: str) -> str:
    """The expression without its texts."""
    assert expression.count('"') % 2 == 0
    return re.sub(r'"[^"]*"', "''", expression)


def models(**args: Any) -> dict[str, Any]:
    plan = record(lambda: Dashboards("boards", DashboardsArgs.of({"flavor": "arms", **args})))
    return {manifest["metadata"]["name"]: manifest for manifest in plan.manifests("ConfigMap")}


@each_expression
def test_an_expression_closes_what_it_opens(expression: str) -> None:
    """Does not prove that Prometheus can read it."""
    opened: list[str] = []
    for character in bare(expression):
        if character in CLOSING.values():
            opened.append(character)
        elif character in CLOSING:
            assert opened.pop() == CLOSING[character]
    assert opened == []


@each_expression
def test_an_expression_asks_for_known_series_of_one_namespace_and_model(expression: str) -> None:
    selectors = re.findall(r"([\w:]+)\{([^}]*)\}", re.sub(r"\{\d+\}", "", expression))
    assert selectors
    assert {name for name, _ in selectors} <= KNOWN
    assert all('="$namespace"' in where and '=~"$model' in where for _, where in selectors)


@each_expression
def test_only_a_rate_is_shown_of_what_only_grows(expression: str) -> None:
    growing = re.findall(r"[\w:]+_(?:total|bucket)\b", bare(expression))
    assert len(growing) == expression.count("rate(")
    assert expression.count("rate(") == expression.count("[$__rate_interval]")


@each_dashboard
def test_a_variable_is_filled_from_a_known_series(dashboard: Dashboard) -> None:
    assert [variable.name for variable in dashboard.variables] == ["namespace", "model"]
    for variable in dashboard.variables:
        match = re.fullmatch(r"label_values\(([\w:]+)(\{.*\})?, \w+\)", variable.query)
        assert match is not None
        assert match[1] in KNOWN


@each_dashboard
def test_a_dashboard_is_what_grafana_imports(dashboard: Dashboard) -> None:
    """Does not prove that Grafana draws it."""
    model = json.loads(json.dumps(dashboard.model()))
    assert model["schemaVersion"] >= 36
    assert re.fullmatch(r"[a-z0-9-]{1,40}", model["uid"])
    [source, *variables] = model["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    sources = [part["datasource"] for part in [*variables, *model["panels"]]]
    sources += [target["datasource"] for panel in model["panels"] for target in panel["targets"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)


@each_dashboard
def test_panels_lie_side_by_side(dashboard: Dashboard) -> None:
    panels = dashboard.model()["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(
        x + panel["gridPos"]["w"] <= 24 for (x, _), panel in zip(places, panels, strict=True)
    )
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))


@each_dashboard
def test_every_panel_says_how_to_read_it(dashboard: Dashboard) -> None:
    assert all(panel.description.endswith(".") and panel.unit for panel in dashboard.panels)
    assert len({panel.title for panel in dashboard.panels}) == len(dashboard.panels)


@each_dashboard
def test_lines_of_a_panel_are_told_apart(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        assert len({query.legend for query in panel.queries}) == len(panel.queries)
        targets = [target for panel in dashboard.model()["panels"] for target in panel["targets"]]
        assert all(re.fullmatch("[A-Z]", target["refId"]) for target in targets)


def rendered(dashboard: Dashboard) -> str:
    return " ".join(query.expression for panel in dashboard.panels for query in panel.queries)


@pytest.mark.parametrize(
    "series",
    [
        "vllm:time_to_first_token_seconds_bucket",
        "vllm:inter_token_latency_seconds_bucket",
        "vllm:num_requests_running",
        "vllm:num_requests_waiting",
        "vllm:kv_cache_usage_perc",
        "vllm:generation_tokens_total",
    ],
)
def test_what_users_of_a_model_feel_is_shown(series: str) -> None:
    assert f"{series}{{" in rendered(vllm_dashboard())


def test_models_of_old_vllm_releases_are_shown_too() -> None:
    assert "vllm:gpu_cache_usage_perc{" in rendered(vllm_dashboard())
    assert "vllm:time_per_output_token_seconds_bucket{" in rendered(vllm_dashboard())


def test_models_that_are_served_under_one_name_are_told_apart_by_their_pods() -> None:
    text = rendered(vllm_dashboard())
    assert "model_name" not in text
    for panel in vllm_dashboard().panels:
        for query in panel.queries:
            assert 'pod=~"$model-(predictor|[0-9]{5}-deployment)-.*"' in query.expression
            assert '"model", "$1", "pod", "(.+?)-(predictor|[0-9]{5}-deployment)-.*")' in (
                query.expression
            )


@pytest.mark.parametrize(
    ("releases", "absent", "present"),
    [
        (["0.4.1"], {"Time in the queue", "Requests put back", "Answers"}, {"Tokens", "Replicas"}),
        (["0.4.1", "0.28.0"], set(), {"Time in the queue", "Requests that wait, by reason"}),
        (["0.19.1"], {"Requests that wait, by reason"}, {"Time in the queue", "Answers"}),
        (["0.20.0"], set(), {"Requests that wait, by reason"}),
        (["0.99.0"], set(), {"Requests that wait, by reason"}),
    ],
)
def test_what_a_release_does_not_report_has_no_panel(
    releases: list[str], absent: set[str], present: set[str]
) -> None:
    titles = {panel.title for panel in vllm_dashboard(releases).panels}
    assert titles.isdisjoint(absent)
    assert present <= titles
    assert titles <= {panel.title for panel in vllm_dashboard().panels}


def test_a_release_is_written_as_a_number() -> None:
    sentence = refusal(DashboardsArgs, {"flavor": "arms", "vllm_releases": ["latest"]})
    assert sentence.startswith("vllm_releases is 'latest', but it must be like 0.28.0")


def test_gpus_are_shown_with_utilisation_memory_and_power() -> None:
    text = rendered(gpu_dashboard(ARMS, ACK_LABELS))
    for series in ("GPU_UTIL", "FB_USED", "FB_FREE", "POWER_USAGE"):
        assert f'DCGM_FI_DEV_{series}{{NamespaceName="$namespace"' in text
    assert "DCGM_CUSTOM_PROCESS_SM_UTIL{" in text


def test_only_acks_exporter_reports_processes() -> None:
    assert "DCGM_CUSTOM" not in rendered(gpu_dashboard(UPSTREAM, EXPORTED_LABELS))


@pytest.mark.parametrize(
    ("pod", "model"),
    [
        ("qwen-predictor-6d5f7c9b8-x2x4z", "qwen"),
        ("qwen-chat-predictor-6d5f7c9b8-x2x4z", "qwen-chat"),
        ("qwen-00001-deployment-6d5f7c9b8-x2x4z", "qwen"),
        ("qwen-7b-00012-deployment-6d5f7c9b8-x2x4z", "qwen-7b"),
    ],
)
def test_the_model_of_a_gpu_is_read_from_the_name_of_its_pod(pod: str, model: str) -> None:
    dashboard = gpu_dashboard(UPSTREAM, OWN_LABELS)
    [_, variable] = dashboard.variables
    match = re.search(variable.regex.strip("/"), pod)
    assert match is not None
    assert match[1] == model
    [where] = set(re.findall(r',pod=~"([^"]*)"', rendered(dashboard)))
    assert re.fullmatch(where.replace("$model", model), pod)


def test_a_sidecar_finds_the_dashboards() -> None:
    config_maps = models()
    assert set(config_maps) == {"ack-inference-vllm", "ack-inference-gpu"}
    for name, config_map in config_maps.items():
        assert config_map["metadata"]["labels"] == {"grafana_dashboard": "1"}
        assert config_map["metadata"]["namespace"] == "monitoring"
        [(file, text)] = config_map["data"].items()
        assert file == f"{name}.json"
        assert json.loads(text)["uid"] == name


def test_where_the_sidecar_looks_is_a_setting() -> None:
    config_maps = models(namespace="grafana", label="dashboards", label_value="yes")
    metadata = config_maps["ack-inference-gpu"]["metadata"]
    assert (metadata["namespace"], metadata["labels"]) == ("grafana", {"dashboards": "yes"})


def test_gpu_series_are_found_by_the_labels_of_the_cluster() -> None:
    [text] = models(labels={"namespace": "ns", "pod": "p"})["ack-inference-gpu"]["data"].values()
    assert 'DCGM_FI_DEV_GPU_UTIL{ns=\\"$namespace\\",p=~' in text


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"namespace": "Grafana"}, "namespace is 'Grafana', but it must be lower-case letters"),
        ({"honor_labels": True}, "honor_labels is True, but it must be left out with flavor arms"),
        ({"flavor": "other"}, "flavor is 'other', but it must be one of"),
    ],
)
def test_what_no_grafana_would_show_is_refused(args: dict[str, Any], sentence: str) -> None:
    assert refusal(DashboardsArgs, {"flavor": "arms", **args}).startswith(sentence)
