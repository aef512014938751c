"""What KServe does not put right by itself when a model changes in place.

Read in kserve v0.20.0, pkg/controller/v1beta1/inferenceservice/reconcilers: `autoscaler`, `hpa`,
`keda`, `ingress`; pkg/apis/serving/v1beta1/inference_service_validation.go; and
pkg/controller/v1alpha2/llmisvc: `workload_single_node`, `workload_multi_node`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    KSERVE_VISIBILITY,
)

from ..changes import ABSENT, parse_path
from .compare import ChangeKind, Property, ResourceChange, StackDiff

INFERENCE_SERVICE: Final = "kubernetes:serving.kserve.io/v1beta1:InferenceService"
LLM_INFERENCE_SERVICE: Final = "kubernetes:serving.kserve.io/v1alpha2:LLMInferenceService"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"


def left_behind(diff: StackDiff, change: ResourceChange) -> Iterator[str]:
    """What somebody has to do by hand around an update of a model; nothing in all other changes."""
    if change.kind is not ChangeKind.UPDATED:
        return
    if change.resource.type == LLM_INFERENCE_SERVICE:
        yield from _of_roles(change)
    if change.resource.type != INFERENCE_SERVICE:
        return
    about = change.resource.inputs["metadata"]
    model = about["name"]
    command = f"kubectl delete --namespace {about['namespace']}"
    changed = dict(_entries(change, "annotations"))
    if DEPLOYMENT_MODE in changed:
        yield (
            f"KServe refuses to run the model {model} by Knative now, or no longer: take it out, "
            "`pulumi up`, and put it in again."
        )
        return
    scaler = changed.get(AUTOSCALER_CLASS)
    if scaler and scaler.old == "hpa" and scaler.new == "keda":
        # scaledobject_webhook.go of KEDA 2.18 and 2.21; findings/hpa-stops-where-pods-have-two.sh
        yield (
            f"KServe leaves the old HPA of the model {model} behind, beside which KEDA's webhook "
            "refuses the new ScaledObject, or else neither of the two scales it: after the update, "
            f"`{command} hpa {model}-predictor`."
        )
    if scaler and scaler.old == "keda":
        yield (
            f"KServe leaves the old ScaledObject of the model {model} behind, and beside an HPA "
            "neither of the two scales it: after the update, "
            f"`{command} scaledobject {model}-predictor`."
        )
    if any("ingress" in key for key in changed):
        yield (
            f"KServe gives annotations to the Ingress of the model {model} only when it makes it: "
            f"after the update, `{command} ingress {model}` has it made anew."
        )
    hidden = dict(_entries(change, "labels")).get(KSERVE_VISIBILITY)
    if hidden and hidden.new is not ABSENT and not _has_ingress(diff, about):
        yield (
            f"KServe leaves the old Ingress of the model {model} in place, which leads past the "
            f"keys and limits of its gateway: after the update, `{command} ingress {model}`."
        )


def _of_roles(change: ResourceChange) -> Iterator[str]:
    """What becomes of the pods of a model whose roles, or pods of a replica, are others."""
    model = change.resource.inputs["metadata"]["name"]
    changed = {property_.path for property_ in change.properties}
    if "spec.worker" in changed:
        yield (
            f"KServe ends all pods of the model {model} at once, as a Deployment and a "
            "LeaderWorkerSet take turns: it answers nobody until new ones are ready."
        )
    elif "spec.prefill" in changed:
        # Its selector has a label of the role, and a selector is for life.
        yield (
            f"KServe cannot give the Deployment of the model {model} another role, and says so at "
            "each try: take the model out, `pulumi up`, and put it in again."
        )


def _has_ingress(diff: StackDiff, about: Mapping[str, Any]) -> bool:
    """Whether the stack has an Ingress that takes over the one of KServe's name."""
    places = {
        (resource.inputs["metadata"]["namespace"], resource.inputs["metadata"]["name"])
        for resource in (diff.after.resources if diff.after else ())
        if resource.type == INGRESS
    }
    return (about["namespace"], about["name"]) in places


def _entries(change: ResourceChange, field: str) -> Iterator[tuple[str, Property]]:
    """Annotations or labels that differ, by key; all where there were none or are none."""
    for property_ in change.properties:
        path = parse_path(property_.path)
        if path[:2] != ("metadata", field):
            continue
        if len(path) > len(("metadata", field)):
            yield str(path[2]), property_
            continue
        old = property_.old if isinstance(property_.old, dict) else {}
        new = property_.new if isinstance(property_.new, dict) else {}
        for key in {*old, *new}:
            yield key, Property(key, old.get(key, ABSENT), new.get(key, ABSENT))
