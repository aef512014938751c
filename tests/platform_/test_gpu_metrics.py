import json
from typing import Any

import pulumi
import pytest

from components.platform import GpuMetrics, GpuMetricsArgs
from components.platform.gpu_metrics import adapter_rules, exporter_values
from plan.model import SECRET, UNKNOWN, Plan, Resource
from plan.record import record
from tests.cloud.refusals import refusal, refusals
from tests.provider_schema import errors_in, needs_schema

from .requests import ADDON, RELEASE, requests

CANARY = "canary-7b1f"
URL = "http://cn-beijing-intranet.arms.example.com:9090/api/v1/prometheus/1"


def arms(**changes: Any) -> dict[str, Any]:
    return {"flavor": "arms", "cluster_id": "c1", "prometheus": {"url": URL}, **changes}


def upstream(**changes: Any) -> dict[str, Any]:
    prometheus = {"url": "http://prometheus.monitoring.svc:9090"}
    return {"flavor": "upstream", "prometheus": prometheus, **changes}


def planned(args: dict[str, Any], *, preview: bool = True) -> Plan:
    def program() -> None:
        component = GpuMetrics("metrics", GpuMetricsArgs.of(args))
        pulumi.export("metric_names", component.metric_names)

    return record(program, preview=preview)


def releases(args: dict[str, Any]) -> dict[str, Resource]:
    return {resource.inputs["name"]: resource for resource in planned(args).of(RELEASE)}


def arms_prometheus(args: dict[str, Any]) -> Any:
    release = releases(args)["ack-alibaba-cloud-metrics-adapter"]
    return release.inputs["values"]["AlibabaCloudMetricsAdapter"]["prometheus"]


def rule(args: dict[str, Any], name: str) -> Any:
    [match] = [
        entry for entry in adapter_rules(GpuMetricsArgs.of(args)) if entry["name"]["as"] == name
    ]
    return match


@pytest.mark.parametrize("arguments", [arms, upstream])
def test_without_an_adapter_the_monitor_is_where_the_models_are(arguments: Any) -> None:
    """KEDA asks Prometheus itself, and owns the API of the adapter on ACK."""
    vllm = {"namespaces": ["inference", "batch"]}
    plan = planned(arguments(prometheus=None, adapter=False, vllm=vllm))
    assert not [release for release in plan.of(RELEASE) if "adapter" in release.name]
    [monitor] = plan.of("kubernetes:monitoring.coreos.com/v1:PodMonitor")
    assert monitor.inputs["metadata"]["namespace"] == "inference"
    addons = [addon.urn for addon in plan.of(ADDON)]
    assert set(addons) <= set(monitor.dependencies), "which bring the kind of monitors"
    assert plan.outputs["metric_names"] == []


@pytest.mark.parametrize("field", ["prometheus", "rules"])
def test_what_only_the_adapter_reads_is_refused_without_it(field: str) -> None:
    readers = {"prometheus": {"url": URL}, "rules": [{"seriesQuery": "a", "metricsQuery": "b"}]}
    args = {**arms(prometheus=None, adapter=False), field: readers[field]}
    with pytest.raises(pulumi.RunError, match=f"{field} is given, .* left out without adapter"):
        GpuMetricsArgs.of(args)


def test_an_adapter_needs_a_prometheus() -> None:
    with pytest.raises(pulumi.RunError, match=r"prometheus is missing, .* given with adapter"):
        GpuMetricsArgs.of(arms(prometheus=None))


def test_on_ack_the_exporter_is_an_addon_and_the_adapter_waits_for_it() -> None:
    plan = planned(arms())
    [addon], [adapter] = plan.of(ADDON), plan.of(RELEASE)
    assert addon.inputs == {"clusterId": "c1", "name": "arms-prometheus"}
    assert addon.urn in adapter.dependencies
    assert adapter.inputs["namespace"] == "kube-system"
    assert adapter.inputs["chart"].endswith("/ack-alibaba-cloud-metrics-adapter-1.3.3.tgz")


@needs_schema
def test_the_provider_knows_every_input_of_the_addon() -> None:
    assert errors_in(planned(arms(addon_version="1.1.20"))) == {}


def test_the_adapter_serves_our_rules_and_not_every_series_of_the_cluster() -> None:
    rules = arms_prometheus(arms())["adapter"]["rules"]
    assert rules["default"] is False
    assert rules["custom"] == adapter_rules(GpuMetricsArgs.of(arms()))
    assert arms_prometheus(arms())["url"] == URL


def test_the_adapter_is_uninstalled_before_another_version_is_installed() -> None:
    """ACK knows no smooth upgrade. New rules alone do not replace it."""
    request = requests(lambda: GpuMetrics("metrics", GpuMetricsArgs.of(arms())))["metrics-adapter"]
    assert request.deleteBeforeReplace
    assert list(request.replaceOnChanges) == ["chart", "version"]


def test_another_version_of_the_adapter_is_another_address() -> None:
    by_name = releases(arms(adapter_chart={"version": "1.3.7"}))
    chart = by_name["ack-alibaba-cloud-metrics-adapter"].inputs["chart"]
    assert chart.endswith("/ack-alibaba-cloud-metrics-adapter-1.3.7.tgz")


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("is_marked", [True, False])
def test_the_token_of_prometheus_is_never_shown(preview: bool, is_marked: bool) -> None:
    def program() -> None:
        make = pulumi.Output.secret if is_marked else pulumi.Output.from_input
        args = arms(prometheus={"url": URL, "token": make(CANARY)})
        GpuMetrics("metrics", GpuMetricsArgs.of(args))

    plan = record(program, preview=preview)
    assert CANARY not in repr(plan)
    [component] = plan.of("ack-inference:index:GpuMetrics")
    assert component.inputs["prometheus"]["token"] == SECRET
    [adapter] = plan.of(RELEASE)
    prometheus = adapter.inputs["values"]["AlibabaCloudMetricsAdapter"]["prometheus"]
    assert prometheus["prometheusHeader"] == [{"Authorization": SECRET}]


def test_what_helm_answers_is_as_secret_as_the_address_and_the_token_in_it() -> None:
    request = requests(lambda: GpuMetrics("metrics", GpuMetricsArgs.of(arms())))["metrics-adapter"]
    assert set(request.additionalSecretOutputs) == {"values", "manifest"}


def test_a_token_in_plain_is_refused_without_being_repeated() -> None:
    sentence = refusal(GpuMetricsArgs, arms(prometheus={"url": URL, "token": CANARY}))
    assert sentence.startswith("prometheus.token is given in plain, but it must be a secret Output")
    assert CANARY not in sentence


def test_a_password_in_the_address_is_refused_without_being_repeated() -> None:
    address = f"https://me:{CANARY}@prometheus.example.com"
    sentence = refusal(GpuMetricsArgs, upstream(prometheus={"url": address}))
    assert sentence.startswith("prometheus.url is given with a password in it")
    assert CANARY not in sentence


def test_a_secret_address_is_never_shown() -> None:
    def program() -> None:
        args = arms(prometheus={"url": pulumi.Output.secret(CANARY)})
        GpuMetrics("metrics", GpuMetricsArgs.of(args))

    assert CANARY not in repr(record(program))


def test_without_a_token_no_header_is_sent() -> None:
    assert "prometheusHeader" not in arms_prometheus(arms())


def test_an_address_that_is_known_only_later_is_waited_for() -> None:
    def program() -> None:
        url = pulumi.Output.from_input(pulumi.UNKNOWN)
        GpuMetrics("metrics", GpuMetricsArgs.of(arms(prometheus={"url": url})))

    [adapter] = record(program).of(RELEASE)
    prometheus = adapter.inputs["values"]["AlibabaCloudMetricsAdapter"]["prometheus"]
    assert prometheus["url"] == UNKNOWN


def test_elsewhere_exporter_and_adapter_are_upstreams() -> None:
    plan, by_name = planned(upstream()), releases(upstream())
    assert plan.of(ADDON) == []
    assert set(by_name) == {"dcgm-exporter", "prometheus-adapter"}
    assert {release.inputs["namespace"] for release in by_name.values()} == {"monitoring"}
    assert by_name["prometheus-adapter"].inputs["version"] == "5.3.0"
    assert by_name["dcgm-exporter"].inputs["version"] == "4.8.2"


def test_the_address_of_prometheus_is_used_as_it_is() -> None:
    """The chart would add port 9090 to it, unless it is told 0."""
    values = releases(upstream())["prometheus-adapter"].inputs["values"]
    assert values["prometheus"] == {"url": "http://prometheus.monitoring.svc:9090", "port": 0}
    assert values["rules"]["default"] is False


def test_an_exporter_that_is_there_is_not_installed_again() -> None:
    assert set(releases(upstream(exporter=False))) == {"prometheus-adapter"}
    assert planned(arms(exporter=False, cluster_id=None)).of(ADDON) == []


def test_the_exporter_runs_on_gpu_nodes_and_on_tainted_ones_too() -> None:
    values = releases(upstream())["dcgm-exporter"].inputs["values"]
    [term] = values["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert term == {
        "matchExpressions": [{"key": "aliyun.accelerator/nvidia_name", "operator": "Exists"}]
    }
    assert values["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


def test_label_and_taints_of_gpu_nodes_are_settings() -> None:
    args = upstream(
        gpu_node_label="nvidia.com/gpu.present",
        tolerations=[{"key": "team", "operator": "Equal", "value": "ai"}],
    )
    values = json.dumps(exporter_values(GpuMetricsArgs.of(args)))
    assert '"key": "nvidia.com/gpu.present"' in values
    assert '[{"key": "team", "operator": "Equal", "value": "ai"}]' in values


def test_rules_follow_the_labels_that_prometheus_keeps() -> None:
    renamed, honoring = upstream(), upstream(honor_labels=True)
    assert set(rule(renamed, "gpu_utilization")["resources"]["overrides"]) == {
        "exported_namespace",
        "exported_pod",
    }
    assert set(rule(honoring, "gpu_utilization")["resources"]["overrides"]) == {"namespace", "pod"}
    monitor = exporter_values(GpuMetricsArgs.of(honoring))["serviceMonitor"]
    assert monitor["honorLabels"] is True
    assert exporter_values(GpuMetricsArgs.of(renamed))["serviceMonitor"]["honorLabels"] is False


def test_the_labels_of_acks_exporter_are_a_setting_because_no_page_tells_them() -> None:
    name = "DCGM_CUSTOM_PROCESS_SM_UTIL"
    assert set(rule(arms(), name)["resources"]["overrides"]) == {"NamespaceName", "PodName"}
    args = arms(labels={"namespace": "ns", "pod": "pod_name"})
    assert set(rule(args, name)["resources"]["overrides"]) == {"ns", "pod_name"}


@pytest.mark.parametrize("args", [arms(), upstream(), upstream(honor_labels=True)])
def test_vllm_is_asked_itself_so_its_series_have_the_pods_own_labels(args: dict[str, Any]) -> None:
    overrides = rule(args, "vllm_num_requests_waiting")["resources"]["overrides"]
    assert set(overrides) == {"namespace", "pod"}


def test_a_rule_of_the_user_takes_the_place_of_ours() -> None:
    mine = {
        "seriesQuery": "DCGM_FI_DEV_GPU_UTIL",
        "metricsQuery": "max(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
        "name": {"as": "gpu_utilization"},
    }
    assert rule(upstream(rules=[mine]), "gpu_utilization") == mine


def test_the_names_that_an_hpa_may_give_are_told() -> None:
    further = {"seriesQuery": "up", "metricsQuery": "max(up)", "name": {"as": "mine"}}
    assert planned(upstream(rules=[further])).outputs["metric_names"] == [
        "vllm_num_requests_waiting",
        "vllm_kv_cache_usage",
        "vllm_num_requests_running",
        "gpu_utilization",
        "mine",
    ]
    assert planned(arms()).outputs["metric_names"][-1] == "DCGM_CUSTOM_PROCESS_SM_UTIL"


def test_vllm_is_scraped_in_the_namespaces_of_its_models() -> None:
    args = upstream(
        vllm={"namespaces": ["models"], "port": 8000}, monitor_labels={"release": "prometheus"}
    )
    plan = planned(args)
    [monitor] = plan.manifests("PodMonitor")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert monitor["metadata"] == {
        "name": "vllm",
        "namespace": "monitoring",
        "labels": {"release": "prometheus"},
    }
    assert monitor["spec"] == {
        "selector": {
            "matchExpressions": [
                {"key": "serving.kserve.io/inferenceservice", "operator": "Exists"}
            ]
        },
        "namespaceSelector": {"matchNames": ["models"]},
        "podMetricsEndpoints": [{"targetPort": 8000, "path": "/metrics", "interval": "15s"}],
    }
    service_monitor = exporter_values(GpuMetricsArgs.of(args))["serviceMonitor"]
    assert service_monitor["additionalLabels"] == {"release": "prometheus"}


def test_managed_prometheus_discovers_the_monitor_by_its_annotation() -> None:
    plan = planned(arms(vllm={"namespaces": ["models"]}))
    [monitor] = plan.manifests("PodMonitor")
    assert monitor["metadata"]["annotations"] == {"arms.prometheus.io/discovery": "true"}
    assert monitor["metadata"]["namespace"] == "kube-system"
    [declared] = plan.of("kubernetes:monitoring.coreos.com/v1:PodMonitor")
    assert plan.of(RELEASE)[0].urn in declared.dependencies


def test_vllm_is_left_alone_unless_asked_for() -> None:
    assert planned(upstream()).manifests("PodMonitor") == []


def test_images_come_from_a_mirror_where_there_is_one() -> None:
    by_name = releases(upstream(image_prefix="mirror/metrics"))
    assert {name: release.inputs["values"]["image"] for name, release in by_name.items()} == {
        name: {"repository": f"mirror/metrics/{name}"} for name in by_name
    }


def test_the_values_of_the_user_have_the_last_word() -> None:
    chart = {"values": {"prometheus": {"path": "/select"}, "replicas": 2}}
    values = releases(upstream(adapter_chart=chart))["prometheus-adapter"].inputs["values"]
    assert values["replicas"] == 2
    assert values["prometheus"]["path"] == "/select"
    assert values["prometheus"]["port"] == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (arms(cluster_id=None), "cluster_id is missing, but it must be given: the add-on belongs"),
        (
            arms(addon_version="1.1.6"),
            "addon_version is '1.1.6', but it must be 1.1.7 or later: older ones know no GPUs",
        ),
        (arms(honor_labels=True), "honor_labels is True, but it must be left out with flavor arms"),
        (arms(image_prefix="m"), "image_prefix is 'm', but it must be left out with flavor arms"),
        (arms(exporter_chart={}), "exporter_chart is given, but it must be left out with flavor"),
        (arms(tolerations=[]), "tolerations is given, but it must be left out with flavor arms"),
        (arms(gpu_node_label="a"), "gpu_node_label is 'a', but it must be left out with flavor"),
        (upstream(cluster_id="c1"), "cluster_id is 'c1', but it must be left out with flavor up"),
        (
            upstream(addon_version="1.1.7"),
            "addon_version is '1.1.7', but it must be left out with flavor upstream",
        ),
        (
            upstream(exporter=False, gpu_node_label="a"),
            "gpu_node_label is 'a', but it must be left out with exporter false: nothing here",
        ),
        (
            upstream(honor_labels=True, labels={"namespace": "n", "pod": "p"}),
            "honor_labels is True, but it must be left out beside labels",
        ),
        (
            upstream(labels={"namespace": "n-s", "pod": "p"}),
            "labels.namespace is 'n-s', but it must be letters, digits and '_'",
        ),
        (
            upstream(prometheus={"url": "prometheus:9090"}),
            "prometheus.url is 'prometheus:9090', but it must be an address such as",
        ),
        (
            upstream(prometheus={"url": "http://a", "token": pulumi.Output.secret("t")}),
            "prometheus.token is given, but it must be left out with flavor upstream",
        ),
        (
            upstream(rules=[{"seriesQuery": "up"}]),
            "rules[0].metricsQuery is missing, but it must be given: the adapter needs it",
        ),
        (upstream(vllm={"namespaces": []}), "vllm.namespaces is [], but it must be"),
        (
            upstream(vllm={"namespaces": ["Models"]}),
            "vllm.namespaces[0] is 'Models', but it must be lower-case letters",
        ),
    ],
)
def test_settings_that_would_do_nothing_or_harm_are_refused(
    args: dict[str, Any], sentence: str
) -> None:
    assert refusal(GpuMetricsArgs, args).startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    args = arms(cluster_id=None, addon_version="1.0.0", image_prefix="m", rules=[{}])
    assert len(refusals(GpuMetricsArgs, args)) == 5


@pytest.mark.parametrize(
    "args",
    [
        arms(addon_version="1.1.7"),
        arms(addon_version="1.2.0-aliyun.1"),
        arms(labels={"namespace": "n", "pod": "p"}),
        upstream(labels={"namespace": "n", "pod": "p"}),
        upstream(prometheus={"url": "https://prometheus.example.com/select/0/prometheus"}),
    ],
)
def test_the_edges_of_what_is_allowed_are_accepted(args: dict[str, Any]) -> None:
    assert GpuMetricsArgs.of(args)
