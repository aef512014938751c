"""What the proof of metrics holds an HPA against; that the HPA does it is `make proof`'s affair."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from components.catalog.metrics import ACK_LABELS, METRICS, OWN_LABELS, PodLabels
from proof.metrics import ScalingCase, ScalingDecision, documented, faults, folded, setups
from sandbox.controllers.metrics import ScrapeTarget, scrape_configuration
from sandbox.gpu_exporter import GpuExporter, serving

BUSY = ScalingCase("busy", "DCGM_CUSTOM_PROCESS_SM_UTIL", 50, [[80]])
SILENT = ScalingCase("silent", "vllm_num_requests_waiting", 2, [])


@pytest.mark.parametrize(
    ("pods", "values", "target", "replicas"),
    [
        (1, [80], 50, 2),
        (1, [55], 50, 1),
        (1, [55.1], 50, 2),
        (2, [90, 30], 50, 3),
        (3, [30, 40, 20], 80, 2),
        (1, [0.9], 0.8, 2),
    ],
)
def test_replicas_follow_the_formula_that_kubernetes_documents(
    pods: int, values: list[float], target: float, replicas: int
) -> None:
    assert documented(pods, values, target) == replicas


def test_the_cards_of_a_pod_come_to_what_the_metric_says() -> None:
    cards = [70.0, 60.0]
    assert folded(METRICS["DCGM_CUSTOM_PROCESS_SM_UTIL"], cards) == 130
    assert folded(METRICS["gpu_utilization"], cards) == 65
    assert folded(METRICS["vllm_kv_cache_usage"], cards) == 70


def test_a_decision_as_documented_is_no_fault() -> None:
    assert not [*faults(BUSY, ScalingDecision(2, "ValidMetricFound"))]
    assert not [*faults(SILENT, ScalingDecision(1, "FailedGetPodsMetric"))]


@pytest.mark.parametrize(
    ("case", "decision", "sentence"),
    [
        (
            BUSY,
            ScalingDecision(1, "ValidMetricFound"),
            "1 replicas, but 2 by Kubernetes' arithmetic",
        ),
        (BUSY, ScalingDecision(2, "FailedGetPodsMetric"), "but the series is there"),
        (SILENT, ScalingDecision(1, "ValidMetricFound"), "but there is no series"),
        (SILENT, ScalingDecision(2, "FailedGetPodsMetric"), "2 replicas, but 1"),
    ],
)
def test_any_other_decision_is_a_fault(
    case: ScalingCase, decision: ScalingDecision, sentence: str
) -> None:
    assert [text for text in faults(case, decision) if sentence in text]


def test_every_metric_that_is_offered_has_a_case_in_every_setup() -> None:
    for setup in setups():
        offered = {
            name for name in METRICS if setup.name == "arms" or not name.startswith("DCGM_CUSTOM")
        }
        assert {case.metric for case in setup.cases} == offered


def test_labels_are_kept_where_a_monitor_honors_them_and_renamed_elsewhere() -> None:
    exporter = ScrapeTarget("127.0.0.1:1", {"pod": "exporter"}, honor_labels=True)
    renamed = ScrapeTarget("127.0.0.1:2", {"pod": "model"})
    jobs = scrape_configuration([exporter, renamed])["scrape_configs"]
    by_honor = {job["honor_labels"]: job["static_configs"] for job in jobs}
    assert by_honor == {
        True: [{"targets": ["127.0.0.1:1"], "labels": {"pod": "exporter"}}],
        False: [{"targets": ["127.0.0.1:2"], "labels": {"pod": "model"}}],
    }


@pytest.mark.parametrize("labels", [ACK_LABELS, OWN_LABELS])
def test_the_exporter_reports_cards_under_the_labels_of_its_flavor(labels: PodLabels) -> None:
    exporter = GpuExporter(labels)
    exporter.report("DCGM_FI_DEV_GPU_UTIL", "inference", "qwen-0", [90, 70])
    with serving(exporter.text) as port:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    values = {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "DCGM_FI_DEV_GPU_UTIL"
    }
    pod = {labels.namespace: "inference", labels.pod: "qwen-0"}
    assert values == {
        tuple(sorted({**pod, "gpu": card}.items())): value for card, value in (("0", 90), ("1", 70))
    }
