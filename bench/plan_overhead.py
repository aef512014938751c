"""How much slower is a plan than the same resources written raw, and how does it grow?

Takes the processor time of whole processes, by turns: `ack-inference plan`, and a program that
imports the same packages of the SDKs, and registers the same resources with the same dependencies
under Pulumi's mocks:

- bare: by `pulumi.CustomResource`, past the classes that it has imported;
- raw: by the SDKs' classes with plain values, as one would write it by hand.

A plan is held against both: the SDKs' part cannot be made faster here, so the ratio is what to
watch.

    python -m bench.plan_overhead
    python -m bench.plan_overhead --models 10 100 1000
    python -m bench.plan_overhead dev prod --times 10
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from plan.model import Plan
from plan.run import plan
from plan.stack_file import stack_names

from .models import STACK, project
from .process import ProcessCost, by_turns, compiling_into, cost, middle
from .raw import classes, packages
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
MODELS: Final = (10, 100, 1000)
PLAN: Final = "from cli import main; main()"
OURS: Final = "ours"
RAW: Final = "raw"
BARE: Final = "bare"
FLOORS: Final = (BARE, RAW)
FLOOR: Final = """
import importlib
import json
import sys

import pulumi

from bench.raw import registered

given, typed = json.load(open(sys.argv[1])), sys.argv[2] == "raw"
for package in given["packages"]:
    hasattr(importlib.import_module(package), "loaded")  # they load when they are asked something


class Accept(pulumi.runtime.Mocks):
    def call(self, args):
        return {}

    def new_resource(self, args):
        return None, args.inputs


def program():
    made = {}
    for one in given["resources"]:
        after = [made[urn] for urn in one["dependencies"]]
        opts = pulumi.ResourceOptions(parent=made.get(one["parent"]), depends_on=after)
        made[one["urn"]] = registered(one, one["inputs"], opts, typed=typed)


pulumi.runtime.set_mocks(Accept(), given["project"], given["stack"], preview=True)
pulumi.runtime.test(program)()
"""


def floor_input(planned: Plan) -> str:
    """What the raw and the bare program import and register, parents first."""
    urns = {resource.urn for resource in planned.resources if resource.custom}
    by_type = classes()
    return json.dumps(
        {
            "project": planned.project,
            "stack": planned.stack,
            "packages": packages(),
            "resources": [
                {
                    "urn": resource.urn,
                    "type": resource.type,
                    "class": by_type.get(resource.type),
                    "name": resource.name,
                    "parent": resource.parent,
                    "custom": resource.custom,
                    "inputs": resource.inputs,
                    "dependencies": [urn for urn in resource.dependencies if urn in urns],
                }
                for resource in planned.resources
            ],
        }
    )


def against_floors(stack: str, root: Path, times: int) -> tuple[int, dict[str, list[ProcessCost]]]:
    """Number of resources of a stack, and costs: of its plan (`OURS`), and of each floor."""
    planned = plan(stack, root)
    with tempfile.TemporaryDirectory() as folder:
        input_file = Path(folder) / "input.json"
        input_file.write_text(floor_input(planned))
        python = [sys.executable, "-W", "ignore", "-c"]
        program = [*python, PLAN, "plan", stack, "--project", str(root)]
        commands = {OURS: program} | {
            floor: [*python, FLOOR, str(input_file), floor] for floor in FLOORS
        }
        compiled = compiling_into(folder)
        cost([*python, PLAN, "plan", "dev", "--project", str(ROOT)], compiled)  # compiles
        return len(planned.resources), by_turns(commands, times, compiled)


def of_stacks(stacks: Sequence[str], times: int) -> Iterator[RatioRow]:
    """A row per stack and floor."""
    for stack in stacks:
        count, costs = against_floors(stack, ROOT, times)
        mine = middle(costs[OURS])
        for floor in FLOORS:
            floor_seconds = middle(costs[floor])
            detail = f"{mine:.2f} s : {floor_seconds:.2f} s, {count} resources"
            yield RatioRow(f"plan {stack} : {floor}", mine / floor_seconds, 1.2, detail)


def of_models(sizes: Sequence[int], times: Mapping[int, int]) -> Iterator[RatioRow]:
    """A row per number of models and floor, then how time grows over the two largest."""
    per_model: dict[int, float] = {}
    base = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder), ROOT, size)
            count, costs = against_floors(STACK, root, times.get(size, 3))
        mine = costs[OURS]
        base = base or (middle(mine), size, mine[0].bytes)
        memory = mine[0].bytes
        if size > base[1]:
            per_model[size] = (middle(mine) - base[0]) / (size - base[1])
            more = f", {(memory - base[2]) / (size - base[1]) / 1024:.0f} KiB per model"
        else:
            more = ""
        for floor in FLOORS:
            floor_costs = costs[floor]
            detail = (
                f"{middle(mine):.2f} s : {middle(floor_costs):.2f} s, {count} resources, "
                f"{memory >> 20} : {floor_costs[0].bytes >> 20} MiB{more}"
            )
            limit = 1.15 if size == MODELS[-1] else None
            yield RatioRow(
                f"plan {size} models : {floor}", middle(mine) / middle(floor_costs), limit, detail
            )
    if len(per_model) > 1:
        small, large = sorted(per_model)[-2:]
        detail = (
            f"{per_model[large] * 1000:.1f} ms : {per_model[small] * 1000:.1f} ms per further model"
        )
        what = f"time per model at {large} : at {small}"
        yield RatioRow(what, per_model[large] / per_model[small], 1.1, detail)


def measure(times: int = 5, sizes: Sequence[int] = MODELS) -> list[RatioRow]:
    """Every stack, and stacks of many models; the largest is asked for once."""
    repeats = {size: 1 if size == MODELS[-1] else times for size in sizes}
    return [*of_stacks(stack_names(ROOT), times), *of_models(sizes, repeats)]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("stacks", nargs="*")
    parser.add_argument("--models", nargs="*", type=int, default=[])
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    if not options.stacks and not options.models:
        show(measure())
        return
    sizes = dict.fromkeys(options.models, options.times)
    show([*of_stacks(options.stacks, options.times), *of_models(options.models, sizes)])


if __name__ == "__main__":
    main()
