from typing import Any

import pytest

from components.crds import PodMonitorSpec
from tests.cloud.refusals import refusal


def spec(**endpoint: Any) -> dict[str, Any]:
    return {
        "selector": {"match_labels": {"app": "qwen"}},
        "namespace_selector": {"match_names": ["models"]},
        "pod_metrics_endpoints": [endpoint],
    }


def test_a_monitor_is_written_as_its_crd_spells_it() -> None:
    manifest = PodMonitorSpec.of(spec(port="metrics", path="/metrics", interval="30s")).manifest()
    assert manifest == {
        "selector": {"matchLabels": {"app": "qwen"}},
        "namespaceSelector": {"matchNames": ["models"]},
        "podMetricsEndpoints": [{"port": "metrics", "path": "/metrics", "interval": "30s"}],
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            spec(),
            "pod_metrics_endpoints[0].port is missing, but it must be given, or else target_port",
        ),
        (
            spec(port="metrics", target_port=8080),
            "pod_metrics_endpoints[0].port is given beside target_port, but it must be the only",
        ),
        (
            spec(target_port=8080, interval="often"),
            "pod_metrics_endpoints[0].interval is 'often', but it must be a duration such as 15s",
        ),
        (spec(target_port=0), "pod_metrics_endpoints[0].target_port is 0, but it must be"),
        (
            {**spec(port="metrics"), "namespace_selector": {"match_names": []}},
            "namespace_selector.match_names is [], but it must be at least 1 long",
        ),
    ],
)
def test_a_monitor_that_would_find_nothing_is_refused(
    changes: dict[str, Any], sentence: str
) -> None:
    assert refusal(PodMonitorSpec, changes).startswith(sentence)
