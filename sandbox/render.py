"""Shows on a terminal what a sandbox holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from plan.diff.preview import resource_in
from plan.model import STACK_TYPE, Resource, type_name
from plan.render import output_lines, resource_tree

from .cloud.cloud_file import Existing
from .engine import EngineStep, Outcome
from .kubernetes.client import Manifest

_DONE = {
    "create": ("created", "green"),
    "update": ("updated", "yellow"),
    "replace": ("replaced", "magenta"),
    "delete": ("deleted", "red"),
}


def step_line(step: EngineStep) -> Text | None:
    """One line for a step that changed something, else None."""
    if step.op not in _DONE or step.type == STACK_TYPE:
        return None
    word, style = _DONE[step.op]
    return Text.assemble((f"  {word:9}", style), (step.name, "bold"), f"  {type_name(step.type)}")


def summary(stack: str, outcome: Outcome) -> Text:
    """What an operation changed, in one line."""
    counts = Counter(step.op for step in outcome.changes if step.type != STACK_TYPE)
    parts = [f"{counts[op]} {word}" for op, (word, _) in _DONE.items() if counts[op]]
    unchanged = sum(step.op == "same" for step in outcome.steps if step.type != STACK_TYPE)
    parts += [f"{unchanged} unchanged"] if unchanged else []
    return Text.assemble((f"{stack} in the sandbox: ", "bold"), ", ".join(parts) or "nothing to do")


def render(
    console: Console,
    state: Mapping[str, Any],
    outputs: Mapping[str, Any],
    cloud: Sequence[Existing],
    objects: Mapping[str, Sequence[Manifest]],
) -> None:
    """Prints the tree, the outputs, and what exists now.

    Args:
        console: Where to print.
        state: State of the stack, as its file has it.
        outputs: Its outputs.
        cloud: Resources in the cloud.
        objects: Objects by cluster.
    """
    parts: list[tuple[str, RenderableType | None]] = [
        ("", resource_tree(_resources(state))),
        ("Outputs", output_lines(outputs)),
        ("In the cloud (simulated)", _cloud(cloud) if cloud else None),
    ]
    for cluster, manifests in objects.items():
        parts.append((f"In cluster {cluster} (a real API server)", _objects(manifests)))
    for heading, body in parts:
        if body is not None:
            console.print(Text(f"\n{heading}" if heading else "", style="bold"))
            console.print(body, crop=False)


def _resources(state: Mapping[str, Any]) -> list[Resource]:
    # An export shows secrets: the inputs stay where they are.
    resources = [resource_in({**fields, "inputs": {}}) for fields in state.get("resources") or []]
    return [resource for resource in resources if resource.type != STACK_TYPE]


def _cloud(resources: Sequence[Existing]) -> Table:
    rows = [
        (type_name(resource.type), resource.name, resource.id) for resource in sorted(resources)
    ]
    return _table(("TYPE", "NAME", "ID"), rows)


def _objects(manifests: Sequence[Manifest]) -> Table:
    rows = [
        (manifest["kind"], about.get("namespace", ""), about["name"], _status(manifest))
        for manifest in manifests
        for about in [manifest["metadata"]]
    ]
    return _table(("KIND", "NAMESPACE", "NAME", "STATUS"), sorted(rows))


def _status(manifest: Manifest) -> str:
    status = manifest.get("status") or {}
    if "phase" in status:
        return str(status["phase"])
    conditions = {
        condition["type"]: condition["status"] for condition in status.get("conditions") or []
    }
    return {"True": "Ready", "False": "NotReady"}.get(conditions.get("Ready", ""), "")


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    # Of its own width: where it is wider than the terminal, whole columns would vanish.
    width = sum(widths) + 2 * (len(widths) - 1)
    table = Table(box=None, pad_edge=False, header_style="dim", width=width)
    for heading, least in zip(headings, widths, strict=True):
        table.add_column(heading, no_wrap=True, min_width=least)
    for row in rows:
        table.add_row(*row)
    return table


def kubectl_lines(kubeconfigs: Mapping[str, Path]) -> list[str]:
    """Commands that look into the clusters."""
    return [f"kubectl --kubeconfig {path} get all -A" for path in kubeconfigs.values()]
