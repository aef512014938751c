"""Shows a plan on a terminal, or in a pipe."""

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from .cost_render import beside_headings, cost_lines, indented, pool_table
from .graph import graph_of
from .graph.model import Workload
from .model import Plan, Resource, type_name
from .words import idle_policies, steps


def render(plan: Plan, console: Console) -> None:
    """Prints a plan: resources, pools, the way of each model, outputs, warnings, next step."""
    console.print(_title(plan))
    console.print()
    console.print(resource_tree(plan.resources))
    graph = graph_of(plan)
    for heading, body in (
        ("Node pools", pool_table(graph.bill)),
        ("Cost per month", cost_lines(graph.bill)),
        ("Models and jobs", _workloads(graph.workloads)),
        ("Outputs", output_lines(plan.outputs)),
        ("Warnings", _warnings([*sorted(plan.warnings), *idle_policies(graph.idle)])),
    ):
        if body is not None:
            console.print(Text(f"\n{heading}", style="bold"))
            console.print(body, crop=False)
    console.print(
        Text.assemble(
            "\nNothing was created. To create it: ", (f"pulumi up -s {plan.stack}", "bold green")
        )
    )


def terminal() -> Console:
    """Standard output, where names stay as they are.

    A terminal has a width of its own; a pipe has none, and nobody reads it folded.
    """
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return Console(width=width, markup=False, emoji=False, highlight=False)


def _title(plan: Plan) -> Text:
    counts = Counter(map(_room, plan.resources))
    parts = ", ".join(f"{counts[room]} {room}" for room in _ROOMS if counts[room])
    return Text.assemble(
        (f"{plan.project} {plan.stack}", "bold"), f": {len(plan.resources)} resources ({parts})"
    )


_ROOMS: Final = ("components", "cloud", "Kubernetes", "providers")


def _room(resource: Resource) -> str:
    if not resource.custom:
        return "components"
    package, _, _ = resource.type.partition(":")
    return {"kubernetes": "Kubernetes", "pulumi": "providers"}.get(package, "cloud")


def resource_tree(resources: Sequence[Resource]) -> Tree:
    """Resources below their parents."""
    urns = {resource.urn for resource in resources}
    children: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        children[resource.parent if resource.parent in urns else ""].append(resource)
    tree = Tree(Text("Resources", style="bold"), guide_style="dim")
    for top in _sorted(children[""]):
        tree.add(_branch(top, children))
    return tree


def _branch(resource: Resource, children: Mapping[str, Sequence[Resource]]) -> Tree:
    label = Text.assemble((resource.name, "bold"), "  ", (type_name(resource.type), "cyan"))
    if resource.protect:
        label.append("  protected", "yellow")
    tree = Tree(label, guide_style="dim")
    for child in _sorted(children.get(resource.urn, ())):
        tree.add(_branch(child, children))
    return tree


def _sorted(resources: Sequence[Resource]) -> list[Resource]:
    return sorted(resources, key=lambda resource: (resource.name, resource.type))


def _workloads(workloads: Sequence[Workload]) -> RenderableType | None:
    return indented(Group(*map(_workload, workloads))) if workloads else None


def _workload(workload: Workload) -> RenderableType:
    head = Text.assemble(
        (workload.name, "bold"), f"  {workload.title} in namespace {workload.namespace}"
    )
    answers = (
        (step.need, Text(step.answer, style="red" if step.broken else ""))
        for step in steps(workload)
    )
    return Group(head, beside_headings(answers))


def output_lines(outputs: Mapping[str, Any]) -> RenderableType | None:
    """One line each, never folded: an output is often a command to copy."""
    if not outputs:
        return None
    width = max(map(len, outputs))
    return Group(
        *(
            Text.assemble(
                (f"  {name:{width}}  ", "dim"),
                value if isinstance(value, str) else json.dumps(value),
                no_wrap=True,
                overflow="ignore",
            )
            for name, value in sorted(outputs.items())
        )
    )


def _warnings(sentences: Sequence[str]) -> RenderableType | None:
    lines = Group(*(Text(sentence, style="yellow") for sentence in sentences))
    return indented(lines) if sentences else None
