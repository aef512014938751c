"""Who says how many pods there are, when an autoscaler comes or goes.

With server-side apply, a number that a program leaves out is taken back, and one that an HPA has
set is a conflict: https://kubernetes.io/docs/reference/using-api/server-side-apply, "Transferring
ownership", read 2026-11-30. Both types of object have 1 by default.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..objects import items, name_of, namespace_of, section
from .compare import StackDiff

GROUPS: Final = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
ROLES: Final = "kubernetes:workloads.x-k8s.io/v1alpha2:RoleBasedGroup"


def handed_over(diff: StackDiff) -> Iterator[str]:
    """One sentence per number of pods that is no longer the program's, or is again."""
    for change, old in diff.updated(GROUPS, ROLES):
        before, after = _numbers(old.inputs), _numbers(change.resource.inputs)
        for role in before.keys() & after.keys():
            was, is_ = before[role], after[role]
            of = change.resource.name if role is None else f"{role} of {change.resource.name}"
            if is_ is None and (was or 0) > 1:
                command = _apply(change.resource.inputs, role, was, "")
                yield (
                    f"The replicas of {of} go from {was} to 1 until the autoscaler brings them "
                    f"back. Before the update, {command} keeps them."
                )
            elif was is None and is_ is not None:
                command = _apply(change.resource.inputs, role, is_, " --force-conflicts")
                yield (
                    f"The update fails at the number of replicas of {of} that its autoscaler has "
                    f"set. Before it, delete that autoscaler, and then {command}."
                )


def _numbers(inputs: Mapping[str, Any]) -> dict[str | None, int | None]:
    """How many there are to be, of each role; the role None is that of groups. None if left out."""
    spec = section(inputs, "spec")
    if "roles" in spec:
        return {role["name"]: role.get("replicas") for role in items(spec, "roles")}
    return {None: spec.get("replicas")}


def _apply(inputs: Mapping[str, Any], role: str | None, number: int | None, options: str) -> str:
    """What has a manager that is neither Pulumi nor an autoscaler say the number."""
    part = {"replicas": number}
    document = {
        **{key: inputs[key] for key in ("apiVersion", "kind")},
        "metadata": {"name": name_of(inputs), "namespace": namespace_of(inputs)},
        "spec": part if role is None else {"roles": [{"name": role, **part}]},
    }
    text = json.dumps(document)
    return f"`kubectl apply --server-side{options} --field-manager=autoscaler -f - <<< '{text}'`"
