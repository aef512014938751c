"""What KServe does not put right by itself when a model changes in place.

Read in kserve v0.20.0, pkg/controller/v1beta1/inferenceservice/reconcilers: `autoscaler`, `hpa`,
`keda`, `ingress`; and pkg/apis/serving/v1beta1/inference_service_validation.go.
"""

from collections.abc import Iterator
from typing import Final

from ..changes import ABSENT, parse_path
from .compare import ChangeKind, Property, ResourceChange

INFERENCE_SERVICE: Final = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
_ANNOTATIONS: Final = ("metadata", "annotations")
_SCALER: Final = "serving.kserve.io/autoscalerClass"
_MODE: Final = "serving.kserve.io/deploymentMode"


def left_behind(change: ResourceChange) -> Iterator[str]:
    """What somebody has to do by hand around an update of a model; nothing in all other changes."""
    if change.resource.type != INFERENCE_SERVICE or change.kind is not ChangeKind.UPDATED:
        return
    about = change.resource.inputs["metadata"]
    model = about["name"]
    command = f"kubectl delete --namespace {about['namespace']}"
    changed = dict(_annotations(change))
    if _MODE in changed:
        yield (
            f"KServe refuses to run the model {model} by Knative now, or no longer: take it out, "
            "`pulumi up`, and put it in again."
        )
        return
    scaler = changed.get(_SCALER)
    if scaler and scaler.old == "hpa" and scaler.new == "keda":
        yield (
            f"KServe leaves the old HPA of the model {model} behind, and both scale it: after the "
            f"update, `{command} hpa {model}-predictor`."
        )
    if scaler and scaler.old == "keda":
        yield (
            f"KServe leaves the old ScaledObject of the model {model} behind, and both scale it: "
            f"after the update, `{command} scaledobject {model}-predictor`."
        )
    if any("ingress" in key for key in changed):
        yield (
            f"KServe gives annotations to the Ingress of the model {model} only when it makes it: "
            f"after the update, `{command} ingress {model}` has it made anew."
        )


def _annotations(change: ResourceChange) -> Iterator[tuple[str, Property]]:
    """Annotations that differ, by key; all of them where there were none or are none."""
    for property_ in change.properties:
        path = parse_path(property_.path)
        if path[:2] != _ANNOTATIONS:
            continue
        if len(path) > len(_ANNOTATIONS):
            yield str(path[2]), property_
            continue
        old = property_.old if isinstance(property_.old, dict) else {}
        new = property_.new if isinstance(property_.new, dict) else {}
        for key in {*old, *new}:
            yield key, Property(key, old.get(key, ABSENT), new.get(key, ABSENT))
