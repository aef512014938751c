"""What names and orders of RoleBasedGroups may be, apart from the models of their bodies."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator

from ..args import Because, Fault, TextForm, Words
from ..names import LONGEST_LABEL, Form

SOURCE: Final = "https://github.com/sgl-project/rbg/blob/v0.7.0"
SKEW: Final = Form(r"(100|[1-9]?\d)%", "a percentage such as '10%', at most 100%", 4, SOURCE)
"""Text of a share of 100 %."""
Percent = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    TextForm(SKEW.faults),
    Because("the controller reads no number, and ends each reconcile with an error"),
]
"""Type of a share: the controller reads a skew as a percentage alone. The CRD takes numbers too:
one of scaling ends each reconcile with an error (pkg/coordination/coordinationscaling, scaler.go),
and one of an update counts as 0 (calculateCoordinationUpdatedReplicasBound of
internal/controller/workloads/rolebasedgroup_controller.go)."""


class UpdateType(StrEnum):
    """How an update changes pods."""

    RECREATE_POD = "RecreatePod"
    """By new pods."""
    IN_PLACE_IF_POSSIBLE = "InPlaceIfPossible"
    """By a new image in the pod as it is, where nothing else changes; else by new pods."""
    IN_PLACE_ONLY = "InPlaceOnly"
    """In the pod as it is; any other change is not carried out."""


class Progression(StrEnum):
    """What the next step of coordinated scaling waits for."""

    ORDER_SCHEDULED = "OrderScheduled"
    """As many pods with a node as there are instances."""
    ORDER_READY = "OrderReady"
    """All instances ready."""


def dependency_faults(dependencies: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Refuses roles that wait for one that is not there, or for themselves.

    pkg/dependency/dependency.go, SortRoles.
    """
    cycle_members: set[str] = set()
    for name, before in dependencies.items():
        field = f"roles[{name}].dependencies"
        for dependency in before:
            if dependency not in dependencies:
                want, why = "a role of the group", "it would never be made"
                yield Fault(field, dependency, want, why, SOURCE)
        if name in _before(dependencies, name) and name not in cycle_members:
            cycle_members |= _before(dependencies, name)
            why = "it would wait for itself, be it by way of others"
            yield Fault(field, Words(", ".join(before)), "without a cycle", why, SOURCE)


def _before(dependencies: Mapping[str, Sequence[str]], name: str) -> set[str]:
    """All roles that one waits for."""
    before: set[str] = set()
    ahead = [*dependencies[name]]
    while ahead:
        if (dependency := ahead.pop()) not in before:
            before.add(dependency)
            ahead += dependencies.get(dependency, ())
    return before


def role_service(group: str, role: str) -> str:
    """Name of the headless Service of a role."""
    return f"s-{group}-{role}"


def pod_name(group: str, role: str, instance: int, number: int | None = None) -> str:
    """Name of a pod: of an instance of one pod, or of its number in an instance of several."""
    return f"{group}-{role}-{instance}" + ("" if number is None else f"-{number}")


def name_faults(group: str, role: str, instances: int, pods: int) -> Iterator[Fault]:
    """Refuses a name of a group that is too long: what is made of it would be cut, or refused.

    Names of RoleInstanceSets and Services are cut at 63 (GetWorkloadName, GetServiceName of
    api/workloads/v1alpha2/helper.go), and then no longer those by which pods are found.
    """
    last = pod_name(group, role, max(0, instances - 1), pods - 1 if pods > 1 else None)
    longest = max(role_service(group, role), last, key=len)
    if (over := len(longest) - LONGEST_LABEL) > 0:
        want = f"{len(group) - over} characters or fewer"
        why = f"{longest} is made of it, which may have {LONGEST_LABEL} characters"
        yield Fault("metadata.name", group, want, why, SOURCE)
