import copy
import typing
from typing import Any

import pulumi
import pulumi_kubernetes.autoscaling.v2 as sdk
import pytest
import yaml
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic.alias_generators import to_camel

from components.crds import (
    CrdModel,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec,
    Metric,
    MetricIdentifier,
    MetricTarget,
    ScaledObjectSpec,
    ScalingPolicy,
    ScalingRules,
)
from tests.crd_schemas import CRDS, unset

from . import examples
from .refusals import refused
from .test_resources import registrations

ARENA = CRDS.parent / "expected" / "arena-qwen-chat.yaml"
LOAD = "DCGM_CUSTOM_PROCESS_SM_UTIL"
UTILIZATION = {"type": "Utilization", "average_utilization": 50}
VALUE = {"type": "Value", "value": "50"}
AVERAGE = {"type": "AverageValue", "average_value": "50"}

NOT_MODELLED = {
    "metrics.container_resource": "what a pod uses is what its one large container uses",
}
"""Inputs of Pulumi's SDK that the models leave out, with the reason."""


def pods(target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Pods", "pods": {"metric": {"name": LOAD}, "target": target}}


def resource(target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def of_service(target: dict[str, Any]) -> dict[str, Any]:
    service = {"api_version": "v1", "kind": "Service", "name": "qwen"}
    source = {"described_object": service, "metric": {"name": "requests"}, "target": target}
    return {"type": "Object", "object": source}


def external(target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "External", "external": {"metric": {"name": "waiting"}, "target": target}}


def scaled(**changes: Any) -> dict[str, Any]:
    return {
        "scale_target_ref": {
            "api_version": "apps/v1",
            "kind": "Deployment",
            "name": "qwen-predictor",
        },
        "max_replicas": 3,
        "metrics": [pods(AVERAGE)],
    } | changes


def test_an_autoscaler_by_the_load_of_gpus_renders_as_kubernetes_spells_it():
    assert HorizontalPodAutoscalerSpec.of(scaled(min_replicas=1)).manifest() == {
        "scaleTargetRef": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": "qwen-predictor",
        },
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": LOAD},
                    "target": {"type": "AverageValue", "averageValue": "50"},
                },
            }
        ],
    }


def test_an_autoscaler_is_registered_as_the_kind_it_is():
    spec = HorizontalPodAutoscalerSpec.of(copy.deepcopy(examples.HORIZONTAL_POD_AUTOSCALER))
    named = ObjectMetaArgs(name="qwen-hpa")
    [(kind, name, inputs)] = registrations(lambda: HorizontalPodAutoscaler("qwen", spec, named))
    assert (kind, name) == ("kubernetes:autoscaling/v2:HorizontalPodAutoscaler", "qwen")
    assert inputs["spec"] == spec.manifest()
    assert inputs["metadata"] == {"name": "qwen-hpa"}


def inputs_of(kind: Any, path: str = "") -> set[str]:
    """Paths of the fields that Pulumi's SDK has for an input, without those of selectors."""
    paths: set[str] = set()
    for name, hint in kind.__annotations__.items():
        child_path = f"{path}.{name}" if path else name
        paths.add(child_path)
        for inner in nested(hint):
            paths |= inputs_of(inner, child_path) if inner.__module__ == kind.__module__ else set()
    return paths


def nested(hint: object) -> list[Any]:
    if isinstance(hint, typing.ForwardRef):
        hint = getattr(sdk, hint.__forward_arg__, None)
    if isinstance(hint, type) and hint.__name__.endswith("ArgsDict"):
        return [hint]
    return list({nested_class for part in typing.get_args(hint) for nested_class in nested(part)})


def fields_of(model: type[CrdModel], path: str = "") -> set[str]:
    paths: set[str] = set()
    for name, field in model.model_fields.items():
        child_path = f"{path}.{name}" if path else name
        assert field.alias == to_camel(name)
        paths.add(child_path)
        for part in (field.annotation, *typing.get_args(field.annotation)):
            for hint in (part, *typing.get_args(part)):
                if isinstance(hint, type) and issubclass(hint, CrdModel) and name != "selector":
                    paths |= fields_of(hint, child_path)
    return paths


def test_every_input_of_the_sdk_is_modelled_or_left_out_for_a_reason():
    """Stands in for a CRD, which a built-in kind has not."""
    inputs = inputs_of(sdk.HorizontalPodAutoscalerSpecArgsDict)
    left_out = {path for path in inputs if any(path.startswith(prefix) for prefix in NOT_MODELLED)}
    optional = {"behavior.scale_up.tolerance", "behavior.scale_down.tolerance"}  # a beta API
    assert len(inputs) > 30
    assert inputs - left_out - optional == fields_of(HorizontalPodAutoscalerSpec)


def test_the_example_leaves_no_field_of_the_models_out():
    example = copy.deepcopy(examples.HORIZONTAL_POD_AUTOSCALER)
    spec = HorizontalPodAutoscalerSpec.of(example)
    assert unset([spec], HorizontalPodAutoscalerSpec) == set()


def test_an_autoscaler_keeps_one_pod():
    text = refused(HorizontalPodAutoscalerSpec, **scaled(min_replicas=0))
    assert "min_replicas is 0, but it must be 1 or more" in text
    assert "feature gate HPAScaleToZero" in text
    HorizontalPodAutoscalerSpec.of(scaled(min_replicas=1))


def test_the_range_of_an_autoscaler_is_ordered():
    text = refused(HorizontalPodAutoscalerSpec, **scaled(min_replicas=4))
    assert "max_replicas is 3, but it must be 4 (min_replicas) or more" in text
    HorizontalPodAutoscalerSpec.of(scaled(min_replicas=3))
    assert "max_replicas is 0, but it must be 1 or more" in refused(
        HorizontalPodAutoscalerSpec, **scaled(max_replicas=0)
    )


def test_the_range_of_a_scaled_object_is_ordered():
    trigger = {"type": "cron", "metadata": {}}
    target = {"api_version": "apps/v1", "kind": "Deployment", "name": "qwen"}
    scaled_object = {"scale_target_ref": target, "max_replica_count": 3, "triggers": [trigger]}
    text = refused(ScaledObjectSpec, **scaled_object, min_replica_count=4)
    assert "max_replica_count is 3, but it must be 4 (min_replica_count) or more" in text
    ScaledObjectSpec.of({**scaled_object, "min_replica_count": 3})


def test_an_autoscaler_says_what_it_scales_by():
    text = refused(HorizontalPodAutoscalerSpec, **scaled(metrics=[]))
    assert "metrics is [], but it must be at least 1 long" in text


def test_the_type_of_a_target_is_that_of_its_value():
    text = refused(MetricTarget, type="Utilization", average_value=50)
    assert "type is 'Utilization', but it must be 'AverageValue'" in text
    assert "the target is given as average_value" in text
    for target in (UTILIZATION, VALUE, AVERAGE):
        MetricTarget.of(target)


def test_a_target_is_one_value():
    assert "target is missing, but it must be value alone" in refused(MetricTarget, type="Value")
    text = refused(MetricTarget, type="Value", value="1", average_value="1")
    assert "target is value and average_value, but it must be value alone" in text


@pytest.mark.parametrize("amount", ["0", "-1", "half", ""])
def test_a_target_is_a_positive_quantity(amount: str):
    text = refused(MetricTarget, type="AverageValue", average_value=amount)
    assert f"average_value is '{amount}', but it must be a quantity of more than 0" in text
    assert "value is" in refused(MetricTarget, type="Value", value=amount)


@pytest.mark.parametrize("amount", [50, 0.5, "500m", "1k"])
def test_a_target_at_its_edge_is_accepted(amount: object):
    target = MetricTarget.of({"type": "AverageValue", "average_value": amount})
    assert target.manifest()["averageValue"] == str(amount)


@pytest.mark.parametrize("percent", [0, 101])
def test_a_utilization_is_a_percentage_of_the_request(percent: int):
    text = refused(MetricTarget, type="Utilization", average_utilization=percent)
    assert f"average_utilization is {percent}, but it must be 1" in text
    for edge in (1, 100):
        MetricTarget.of({"type": "Utilization", "average_utilization": edge})


@pytest.mark.parametrize(
    ("source", "accepted", "rejected", "want"),
    [
        (resource, [UTILIZATION, AVERAGE], [VALUE], "'Utilization' or 'AverageValue'"),
        (pods, [AVERAGE], [UTILIZATION, VALUE], "'AverageValue'"),
        (of_service, [VALUE, AVERAGE], [UTILIZATION], "'Value' or 'AverageValue'"),
        (external, [VALUE, AVERAGE], [UTILIZATION], "'Value' or 'AverageValue'"),
    ],
)
def test_a_metric_has_a_target_of_its_own_types(
    source: Any, accepted: list[Any], rejected: list[Any], want: str
):
    for target in accepted:
        Metric.of(source(target))
    for target in rejected:
        text = refused(Metric, **source(target))
        assert f"target.type is '{target['type']}', but it must be {want}: " in text


def test_a_metric_comes_from_where_it_says():
    text = refused(Metric, **pods(AVERAGE) | {"type": "External"})
    assert "type is 'External', but it must be 'Pods': the metric is given as pods" in text
    assert "resource is missing, but it must be given, or else pods or object" in refused(
        Metric, type="Pods"
    )
    assert "resource is given beside pods, but it must be the only one" in refused(
        Metric, **resource(AVERAGE) | pods(AVERAGE)
    )


@pytest.mark.parametrize("name", ["a/b", "a%b", ".", ".."])
def test_the_name_of_a_metric_is_a_part_of_a_path(name: str):
    text = refused(MetricIdentifier, name=name)
    assert f"name is '{name}', but it must be a name without '/' and '%'" in text
    MetricIdentifier(name="vllm:num_requests_waiting")


def test_a_stabilization_window_is_an_hour_at_most():
    text = refused(ScalingRules, stabilization_window_seconds=3601)
    assert "stabilization_window_seconds is 3601, but it must be 3600 or less" in text
    assert "must be 0 or more" in refused(ScalingRules, stabilization_window_seconds=-1)
    for edge in (0, 3600):
        ScalingRules(stabilization_window_seconds=edge)


def test_a_policy_allows_a_change_in_half_an_hour_at_most():
    policy = {"type": "Percent", "value": 100, "period_seconds": 1801}
    assert "period_seconds is 1801, but it must be 1800 or less" in refused(ScalingPolicy, **policy)
    policy = {"type": "Pods", "value": 0, "period_seconds": 0}
    text = refused(ScalingPolicy, **policy)
    assert "value is 0, but it must be 1 or more" in text
    assert "period_seconds is 0, but it must be 1 or more" in text
    ScalingPolicy.of({"type": "Pods", "value": 1, "period_seconds": 1800})


def test_rules_without_a_policy_leave_them_out():
    assert "policies is [], but it must be at least 1 long" in refused(ScalingRules, policies=[])


@pytest.mark.skipif(not ARENA.is_file(), reason=f"what arena renders is not in {ARENA}")
def test_the_autoscaler_that_arena_renders_is_expressed_but_for_its_wrong_type():
    [spec] = [
        manifest["spec"]
        for manifest in yaml.safe_load_all(ARENA.read_text())
        if manifest["kind"] == "HorizontalPodAutoscaler"
    ]
    with pytest.raises(pulumi.RunError, match="type is 'Utilization', but it must be 'AverageVal"):
        HorizontalPodAutoscalerSpec.of(spec)
    target = spec["metrics"][0]["pods"]["target"]
    target |= {"type": "AverageValue", "averageValue": str(target["averageValue"])}
    assert HorizontalPodAutoscalerSpec.of(spec).manifest() == spec
