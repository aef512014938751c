"""What stands in the way of a model that KEDA scales no longer.

Read in github.com/kedacore/keda/v2 v2.21.0, `controllers/keda/hpa.go`: the HPA of a
ScaledObject is its own, and goes with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .compare import ChangeKind, ResourceChange, StackDiff

SCALED_OBJECT: Final = "kubernetes:keda.sh/v1alpha1:ScaledObject"
HPA: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


def in_the_way(diff: StackDiff) -> Iterator[str]:
    """One sentence per HPA that is made under the name of one of KEDA's."""
    made = {_place(change) for change in diff.resources if _is(change, HPA, ChangeKind.CREATED)}
    for change in diff.resources:
        if not _is(change, SCALED_OBJECT, ChangeKind.DELETED):
            continue
        space, name = _place(change)
        hpa = _hpa_name(change.resource.inputs)
        if (space, hpa) in made:
            yield (
                f"KEDA has an HPA {hpa} already, which goes with its ScaledObject: before the "
                f"update, `kubectl delete --namespace {space} scaledobject {name}`, or the update "
                "fails at it."
            )


def _is(change: ResourceChange, type_: str, kind: ChangeKind) -> bool:
    return change.resource.type == type_ and change.kind is kind


def _place(change: ResourceChange) -> tuple[str, str]:
    about = change.resource.inputs["metadata"]
    return about["namespace"], about["name"]


def _hpa_name(inputs: Mapping[str, Any]) -> str | None:
    advanced = inputs["spec"].get("advanced") or {}
    config: dict[str, str] = advanced.get("horizontalPodAutoscalerConfig") or {}
    return config.get("name")
