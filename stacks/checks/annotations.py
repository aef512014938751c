"""Annotations that people write: beside fields which say the same, or for Pulumi."""

from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault
from components.catalog.pulumi_annotations import PULUMI_PREFIX, passed_over
from components.crds.knative_annotations import AUTOSCALING, HPA, KPA
from components.names import LABEL_KEY
from components.serving.knative_model import KnativeServe, annotations
from components.serving.kserve_model import KServeServe

from ..sections.environment import Environment
from .rules import check, warning
from .views import sections, served

FIELDS: Final = {
    f"{AUTOSCALING}metric": "metric",
    f"{AUTOSCALING}target": "target",
    f"{AUTOSCALING}min-scale": "min",
    f"{AUTOSCALING}max-scale": "max",
    f"{AUTOSCALING}target-utilization-percentage": "target_utilization_percent",
    f"{AUTOSCALING}window": "window_seconds",
    f"{AUTOSCALING}panic-window-percentage": "panic_window_percent",
    f"{AUTOSCALING}panic-threshold-percentage": "panic_threshold_percent",
    f"{AUTOSCALING}scale-down-delay": "scale_down_delay_seconds",
    f"{AUTOSCALING}scale-to-zero-pod-retention-period": "zero_retention_seconds",
}
"""Annotation of each field of a scale on Knative."""
_CLASS: Final = f"{AUTOSCALING}class"
_METRIC: Final = f"{AUTOSCALING}metric"


@check
def annotations_agree_with_fields(environment: Environment) -> Iterator[Fault]:
    """An annotation comes before its field, which the rest of the environment goes by."""
    for path, _, knative in served(environment, lambda serve: serve.knative):
        texts = knative.annotations
        if not texts:
            continue
        chosen = annotations(knative.model_copy(update={"annotations": None}))
        scaler = texts.get(_CLASS, KPA)
        for key, field in FIELDS.items():
            text, decided = texts.get(key), chosen.get(key)
            # Fields know the metrics of Knative's own autoscaler alone.
            if text in (None, decided) or decided is None or (key == _METRIC and scaler != KPA):
                continue
            want = f"left out, and scale.{field} set"
            why = f"scale.{field} says {decided}, which sums, figures and prices go by"
            yield Fault(f"{path}.serve.knative.annotations[{key}]", text, want, why)
        if scaler == HPA and _METRIC not in texts:
            want = "given, such as cpu"
            why = f"an HPA does not count requests, as scale.metric {knative.scale.metric} does"
            yield Fault(f"{path}.serve.knative.annotations[{_METRIC}]", MISSING, want, why)


@check
def annotations_have_keys(environment: Environment) -> Iterator[Fault]:
    """The API server refuses the whole object for one key."""
    for path, _, section in sections(environment):
        fields = {f"{path}.annotations": section.annotations}
        if isinstance(section, KnativeServe) and section.reserve is not None:
            fields[f"{path}.reserve.annotations"] = section.reserve.annotations
        for field, texts in fields.items():
            for key in texts or {}:
                if not LABEL_KEY.allows(key):
                    want = "a key such as 'team' or 'example.com/team'"
                    yield Fault(f"{field}[{key}]", key, want, "Kubernetes takes no other")


@warning
def annotations_that_pulumi_reads(environment: Environment) -> Iterator[str]:
    """Its provider passes over what it does not know, and whatever stands on pods.

    findings/pulumi-kubernetes-reads-annotations-by-the-letter.sh.
    """
    for path, _, section in sections(environment):
        of_pods = not isinstance(section, KServeServe)
        for key, value in (section.annotations or {}).items():
            field = f"{path}.annotations[{key}] is {value}"
            if of_pods and key.startswith(PULUMI_PREFIX):
                yield f"{field}: Pulumi reads no annotation of pods, and this does nothing."
            elif (offered := passed_over(key, value)) is not None:
                yield f"{field}: Pulumi passes it over in silence. It takes {offered}."
