"""What each alert fires on, and what it stays silent on: series as promtool writes them.

`first+stepxcount` is a series of a sample per minute. https://prometheus.io/docs/prometheus/latest/
configuration/unit_testing_rules/
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.catalog.metrics import MetricsFlavor
from components.crds.monitoring import GroupRule, PrometheusRuleSpec
from components.platform.alert_rules import AlertedModel, InstancePrice, ModelObjective
from components.platform.alerts import AlertsArgs, rules_spec

POD: Final = "chat-predictor-7d9-x1"
_WHERE: Final = f'namespace="inference",pod="{POD}"'
_STEP: Final = 30
"""Minutes between two samples, and two looks, of a case that takes days."""
_LONG: Final = 150
"""Steps in 3 days and 3 hours."""
MODEL: Final = AlertedModel(
    name="chat",
    namespace="inference",
    pods="chat-predictor-.+",
    replicas="kube_deployment_spec_replicas",
    workload="chat-predictor",
    max_replicas=6,
    vllm="0.28.0",
    objective=ModelObjective(ttft_seconds=2.5, percent=99, price_per_million_tokens=50),
    dataset="chat-dataset",
    spot=True,
    prices=[InstancePrice(instance_type="ecs.gn7i-c32g1.8xlarge", hourly=13.3)],
)
"""A model that has every alert."""


@dataclass(frozen=True)
class AlertCase:
    """Series, and whether an alert fires on them."""

    alert: str
    title: str
    steps: int
    """When it is looked at."""
    series: Mapping[str, str]
    """By series, its values, one a step."""
    fires: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the alert beside those of its rule."""
    value: str = ""
    """What its texts show of the value, where they do."""
    step: int = 1
    """Minutes of a step."""


def _ttft(good: str, late: str, total: str) -> dict[str, str]:
    """First tokens within 2.5 s, and those after it that came within 5 s."""
    name = "vllm:time_to_first_token_seconds"
    return {
        f'{name}_bucket{{{_WHERE},le="2.5"}}': good,
        f'{name}_bucket{{{_WHERE},le="5.0"}}': late,
        f'{name}_bucket{{{_WHERE},le="+Inf"}}': total,
        f"{name}_count{{{_WHERE}}}": total,
    }


def _late(percent: float, minutes: int) -> dict[str, str]:
    """A thousand requests a minute, of which a share is late."""
    good = f"0+{1000 - round(10 * percent)}x{minutes}"
    return _ttft(good, f"0+1000x{minutes}", f"0+1000x{minutes}")


def _queue(seconds: str, minutes: int) -> dict[str, str]:
    """Requests that all wait as long as a bucket is wide."""
    name = "vllm:request_queue_time_seconds_bucket"
    within = {bound: float(bound) >= float(seconds) for bound in ("5.0", "10.0", "20.0", "+Inf")}
    return {
        f'{name}{{{_WHERE},le="{bound}"}}': f"0+{10 if is_within else 0}x{minutes}"
        for bound, is_within in within.items()
    }


_TOKENS: Final = f"vllm:generation_tokens_total{{{_WHERE}}}"
_PROMPTS: Final = f"vllm:prompt_tokens_total{{{_WHERE}}}"
_WAITING: Final = f"vllm:num_requests_waiting{{{_WHERE}}}"
_GPU: Final = f'DCGM_FI_DEV_GPU_UTIL{{exported_namespace="inference",exported_pod="{POD}",gpu="0"}}'
_BROKEN: Final = (
    'runtime_sync_healthcheck_error_total{runtime_type="jindo",runtime="inference/chat-dataset"}'
)
_REPLICAS: Final = (
    'kube_deployment_spec_replicas{namespace="inference",deployment="chat-predictor"}'
)
_ON_NODE: Final = f'kube_pod_info{{{_WHERE},node="gpu-1"}}'
_NODE: Final = 'kube_node_info{node="gpu-1"}'
_POD_LABEL: Final = {"pod": POD}

CASES: Final[Sequence[AlertCase]] = (
    AlertCase("ModelFirstTokenLate", "a tenth is late", 20, _late(10, 20), True),
    AlertCase("ModelFirstTokenLate", "one in 25 is late", 20, _late(4, 20), False),
    AlertCase("ModelFirstTokenLate", "for 8 minutes", 8, _late(10, 8), False),
    AlertCase("ModelFirstTokenLate", "nobody asks", 20, _late(10, 0), False),
    AlertCase("ModelErrorBudgetBurnsFast", "a fifth for an hour", 70, _late(20, 70), True),
    AlertCase("ModelErrorBudgetBurnsFast", "8 % for 6 hours", 372, _late(8, 372), True),
    AlertCase("ModelErrorBudgetBurnsFast", "5 % for 6 hours", 372, _late(5, 372), False),
    AlertCase(
        "ModelErrorBudgetBurnsFast",
        "half of them, until 40 minutes ago",
        100,
        _ttft("0+500x60 31000+1000x39", "0+1000x100", "0+1000x100"),
        False,
    ),
    AlertCase(
        "ModelErrorBudgetBurnsSlowly",
        "1.5 % for 3 days",
        _LONG,
        _late(1.5, _LONG),
        True,
        step=_STEP,
    ),
    AlertCase(
        "ModelErrorBudgetBurnsSlowly",
        "0.5 % for 3 days",
        _LONG,
        _late(0.5, _LONG),
        False,
        step=_STEP,
    ),
    AlertCase("ModelQueueOld", "20 s in the queue", 20, _queue("20", 20), True),
    AlertCase("ModelQueueOld", "5 s in the queue", 20, _queue("5", 20), False),
    AlertCase(
        "ModelQueueStuck",
        "waiting, and no token",
        20,
        {_WAITING: "5x20", _TOKENS: "700x20"},
        True,
        _POD_LABEL,
    ),
    AlertCase(
        "ModelQueueStuck",
        "waiting, and tokens",
        20,
        {_WAITING: "5x20", _TOKENS: "0+700x20"},
        False,
    ),
    AlertCase("ModelQueueStuck", "idle", 20, {_WAITING: "0x20", _TOKENS: "700x20"}, False),
    AlertCase("ModelGpuIdle", "for 80 minutes", 80, {_GPU: "0x80"}, True, {"exported_pod": POD}),
    AlertCase("ModelGpuIdle", "busy for a minute in ten", 80, {_GPU: "0 90 0x7 " * 9}, False),
    AlertCase(
        "ModelCacheMiss",
        "found broken again and again",
        30,
        {_BROKEN: "0+1x30"},
        True,
        {"runtime_type": "jindo", "runtime": "inference/chat-dataset"},
    ),
    AlertCase("ModelCacheMiss", "found broken long ago", 60, {_BROKEN: "0 1x60"}, False),
    AlertCase("ModelScaleLimitReached", "6 of 6", 30, {_REPLICAS: "6x30"}, True),
    AlertCase("ModelScaleLimitReached", "5 of 6", 30, {_REPLICAS: "5x30"}, False),
    AlertCase(
        "ModelScaleLimitReached", "6 of 6 now and then", 30, {_REPLICAS: "6x10 5 6x10 5 6x6"}, False
    ),
    AlertCase(
        "ModelSpotNodeLost",
        "its node is gone",
        20,
        {_ON_NODE: "1x12 stale", _NODE: "1x12 stale"},
        True,
    ),
    AlertCase(
        "ModelSpotNodeLost", "its pod has moved", 20, {_ON_NODE: "1x12 stale", _NODE: "1x30"}, False
    ),
    AlertCase(
        "ModelTokensDear",
        "100 tokens a second on 2 cards",
        180,
        {
            _ON_NODE: "1x180",
            f'kube_pod_info{{{_WHERE[:-1]}2",node="gpu-2"}}': "1x180",
            _TOKENS: "0+3000x180",
            _PROMPTS: "0+3000x180",
        },
        True,
        {"currency": "CNY"},
        "73.8888888888889",
    ),
    AlertCase(
        "ModelTokensDear",
        "1000 tokens a second on a card",
        180,
        {_ON_NODE: "1x180", _TOKENS: "0+30000x180", _PROMPTS: "0+30000x180"},
        False,
    ),
)


def rules(*models: AlertedModel, **settings: Any) -> PrometheusRuleSpec:
    """The rules of models on a cluster with kube-prometheus-stack.

    Args:
        models: The models; without any, `MODEL`.
        settings: Further fields of `AlertsArgs`.
    """
    fields = {"flavor": MetricsFlavor.UPSTREAM, "namespace": "inference", **settings}
    return rules_spec(AlertsArgs(models=list(models or (MODEL,)), **fields))


def unit_tests(spec: PrometheusRuleSpec, file: str) -> Iterator[dict[str, Any]]:
    """What promtool is asked to test: a document per length of a step.

    Args:
        spec: The rules.
        file: The file that has them.
    """
    alerts = {rule.alert: rule for group in spec.groups for rule in group.rules if rule.alert}
    for step in sorted({case.step for case in CASES}):
        yield {
            "rule_files": [file],
            "evaluation_interval": f"{step}m",
            "tests": [
                {
                    "name": f"{case.alert}: {case.title}",
                    "interval": f"{step}m",
                    "input_series": [
                        {"series": name, "values": values} for name, values in case.series.items()
                    ],
                    "alert_rule_test": [
                        {
                            "eval_time": f"{case.steps * step}m",
                            "alertname": case.alert,
                            "exp_alerts": list(_expected(case, alerts[case.alert])),
                        }
                    ],
                }
                for case in CASES
                if case.step == step
            ],
        }


def _expected(case: AlertCase, rule: GroupRule) -> Iterator[dict[str, Any]]:
    if not case.fires:
        return
    labels = {**case.labels, **(rule.labels or {})}
    texts = {
        name: text.replace("{{ $labels.pod }}", case.labels.get("pod", "")).replace(
            "{{ $value }}", case.value
        )
        for name, text in (rule.annotations or {}).items()
    }
    yield {"exp_labels": labels, "exp_annotations": texts}
