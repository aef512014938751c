"""The verb `adopt`: reads a cluster, plans, tells, and writes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from plan.model import Plan
from plan.objects import Objects, name_of
from plan.refused import Refused
from policy.configuration import read_configuration
from policy.validation import enforced, validate
from status.cluster import Connection, Unanswered, read
from wizard.draft import new_path, plan_of, write

from .description import Description, describe, live_version
from .difference import differences, objects_there
from .workloads import READ, without_nulls

Say = Callable[[str], None]
TAKE_OVER: Final = (
    "The objects are there, and Pulumi's provider creates none that is: run the first update with "
    "PULUMI_K8S_UPSERT_EXISTING_OBJECTS=true, and with PULUMI_K8S_ENABLE_PATCH_FORCE=true where "
    "kubectl has set what becomes another. `pulumi preview` shows it before."
)
"""pulumi-kubernetes 4.29.0 and later, `upsertExistingObjects` and `enablePatchForce`."""

BESIDE: Final = (
    "Not asked for, and left as they are: routes of a Gateway and alerts of Prometheus. Write "
    "gateway, route, slo and alerts by hand, or keep those beside the stack."
)
"""What a stack file may have and no kind that is listed tells."""


def adopt(
    stack: str,
    project: Path,
    kubeconfig: Path,
    context: str | None,
    namespace: str | None,
    say: Say,
) -> Path:
    """Writes the stack file that describes a cluster, once it plans, and tells what is not in it.

    Args:
        stack: Name of the stack.
        project: Folder of the project.
        kubeconfig: Access to the cluster, which is read alone.
        context: Context of that file; None for its current one.
        namespace: The one whose models are described; None for all.
        say: Tells a line.

    Raises:
        Refused: The file is there, the cluster cannot be read, or nothing of it can be described.
    """
    path = new_path(stack, project)
    connection = Connection(kubeconfig, context)
    snapshot = read(connection, [namespace] if namespace else [], READ)
    cluster = replace(snapshot, objects=Objects(map(without_nulls, snapshot.objects)))
    description = describe(cluster, stack, namespace, _version(connection), context)
    description, plan = allowed(description, stack, project)
    changes = [*differences(plan, cluster.objects, description.workloads)]
    write(description.draft, path)
    for (group, kind), why in cluster.unread.items():
        notes = f"{kind}{'.' if group else ''}{group}"
        say(f"Not read: {notes}: {why}.")
    _list(say, "What the stack file could not say, or says otherwise:", description.notes)
    _list(say, "What the first update would change:", [*map(str, changes)])
    _list(say, "Warnings:", plan.warnings)
    say(BESIDE)
    if any(objects_there(plan, cluster.objects)):
        say(TAKE_OVER)
    if not changes:
        say("The stack file and the cluster agree: the first update would change nothing.")
    return path


def allowed(description: Description, stack: str, project: Path) -> tuple[Description, Plan]:
    """A description that no policy of the project refuses, and its plan.

    Raises:
        Refused: A policy refuses what no entry is behind, or no model is left.
    """
    while True:
        plan = plan_of(description.draft, stack, project)
        broken = validate(plan, read_configuration(project)).mandatory
        if not broken:
            return description, enforced(plan, project)
        if any(violation.rule == "gpu-priority" for violation in broken):
            description = description.ranked()
            continue
        names = {
            name_of(v.resource.manifest): v for v in broken if v.resource and v.resource.manifest
        }
        guilty = [name for name in names if name in description.workloads]
        if not guilty:
            raise Refused(f"The plan of {stack}", *map(str, broken))
        description = description.without(guilty[0], str(names[guilty[0]]))


def _version(connection: Connection) -> str:
    try:
        return live_version(connection.get("/version").json())
    except (Unanswered, Refused, ValueError):
        return ""


def _list(say: Say, title: str, sentences: Sequence[str]) -> None:
    if sentences:
        say(title)
    for sentence in sentences:
        say(f"  {sentence}")
