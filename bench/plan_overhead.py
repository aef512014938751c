"""How much slower is a plan than the SDK alone?

Times whole processes in alternated pairs: `ack-inference plan`, and a bare program that imports the
same SDK modules and registers the same resources. The SDK's part cannot be made faster here, so
the ratio is what to watch. Target: 1.5 or less.

    python -m bench.plan_overhead dev
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from plan.model import Plan
from plan.run import plan

PLAN = "from cli import main; main()"
BARE = """
import importlib
import json
import sys

import pulumi

given = json.load(open(sys.argv[1]))
for module in given["modules"]:
    importlib.import_module(module)


class Accept(pulumi.runtime.Mocks):
    def call(self, args):
        return {}

    def new_resource(self, args):
        return None, args.inputs


def program():
    made = {}
    for one in given["resources"]:
        opts = pulumi.ResourceOptions(parent=made.get(one["parent"]))
        kind = pulumi.CustomResource if one["custom"] else pulumi.ComponentResource
        made[one["urn"]] = kind(one["type"], one["name"], one["inputs"], opts)


pulumi.runtime.set_mocks(Accept(), given["project"], given["stack"], preview=True)
pulumi.runtime.test(program)()
"""


def bare_input(found: Plan) -> str:
    """What the bare program imports and registers, parents first."""
    return json.dumps(
        {
            "project": found.project,
            "stack": found.stack,
            "modules": [name for name, module in sys.modules.items() if _is_loaded(name, module)],
            "resources": [
                {
                    "urn": one.urn,
                    "type": one.type,
                    "name": one.name,
                    "parent": one.parent,
                    "custom": one.custom,
                    "inputs": one.inputs,
                }
                for one in found.resources
            ],
        }
    )


def _is_loaded(name: str, module: object) -> bool:
    """The SDKs leave stand-ins for modules that nobody has touched yet."""
    return name.startswith("pulumi_") and type(module) is ModuleType


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Wall-clock time of a process that must succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
    return time.perf_counter() - start


def main() -> None:
    """Measures, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("stack", nargs="?", default="dev")
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--pairs", type=int, default=10)
    asked = parser.parse_args()

    found = plan(asked.stack, asked.project)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.json"
        given.write_text(bare_input(found))
        python = [sys.executable, "-c"]
        ours = [*python, PLAN, "plan", asked.stack, "--project", str(asked.project)]
        bare = [*python, BARE, str(given)]
        compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        seconds(ours, compiled), seconds(bare, compiled)  # the first run compiles
        pairs = [(seconds(ours, compiled), seconds(bare, compiled)) for _ in range(asked.pairs)]

    plans, bares = zip(*pairs, strict=True)
    print(f"{len(found.resources)} resources, {asked.pairs} pairs, seconds per process")
    for name, times in (("ack-inference plan", plans), ("bare SDK program", bares)):
        print(f"{name:20} min {min(times):5.2f}  median {statistics.median(times):5.2f}")
    print(
        f"{'ratio':20} min {min(plans) / min(bares):5.2f}  "
        f"median {statistics.median(plans) / statistics.median(bares):5.2f}"
    )


if __name__ == "__main__":
    main()
