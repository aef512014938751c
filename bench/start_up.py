"""What does it cost to start: the library, the Pulumi SDKs, and the parts of them that are used?

Imports in processes of their own, with compiled files: by turns, so that a busy minute hits all.

    python -m bench.start_up
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .process import Cost, cost, middle
from .table import Row, show

ROOT: Final = Path(__file__).parents[1]
TIMES: Final = 9

NAMES: Final = (
    "KnativeModel, KnativeModelArgs, ModelCache, ModelCacheArgs, Placement, PlacementArgs"
)
LIBRARY: Final = "import components"
SOME: Final = f"from components import {NAMES}"
ALL: Final = "from components import *"
SDKS: Final = "import pulumi, pulumi_kubernetes, pulumi_alicloud"

# The SDKs leave stand-ins for modules that nobody has touched yet; those cost nothing.
LOADED: Final = """
import sys
from types import ModuleType

for name, module in sys.modules.items():
    if type(module) is ModuleType:
        print(name)
"""
USED: Final = "import importlib\nfor name in {names!r}:\n    importlib.import_module(name)\n"


def loaded(program: str, environment: Mapping[str, str]) -> list[str]:
    """Modules that a program has loaded at its end."""
    command = [sys.executable, "-W", "ignore", "-c", program + LOADED]
    done = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.split()


def of_sdks(modules: list[str]) -> list[str]:
    """Those of the Pulumi SDKs."""
    return [name for name in modules if name.partition(".")[0].partition("_")[0] == "pulumi"]


def measure(times: int = TIMES) -> list[Row]:
    """The library against the SDKs it needs, at three depths."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": folder,
        }

        def imported(program: str) -> Cost:
            return cost([sys.executable, "-W", "ignore", "-c", program], environment)

        def needed(program: str) -> str:
            return USED.format(names=of_sdks(loaded(program, environment)))

        programs = {
            "nothing": "",
            "library": LIBRARY,
            "sdks": SDKS,
            "some": SOME,
            "some sdks": needed(SOME),
            "all": ALL,
            "all sdks": needed(ALL),
        }
        for program in programs.values():
            imported(program)  # the first run compiles
        costs: dict[str, list[Cost]] = {name: [] for name in programs}
        for _ in range(times):
            for name, program in programs.items():
                costs[name].append(imported(program))
        counts = {name: len(loaded(program, environment)) for name, program in programs.items()}

    base = middle(costs["nothing"])

    def row(what: str, ours: str, theirs: str, limit: float | None = None) -> Row:
        mine, other = (middle(costs[one]) - base for one in (ours, theirs))
        memory = max(one.bytes for one in costs[ours]) >> 20
        detail = (
            f"{mine:.2f} s : {other:.2f} s, {counts[ours]} : {counts[theirs]} modules, {memory} MiB"
        )
        return Row(what, mine / other, limit, detail)

    return [
        row("import pulumi_ack_inference : import of the three SDKs", "library", "sdks", 1.15),
        row(
            f"import of {NAMES.count(',') + 1} names : the SDK modules they load",
            "some",
            "some sdks",
        ),
        row("import of every public name : the SDK modules they load", "all", "all sdks"),
    ]


if __name__ == "__main__":
    show(measure())
