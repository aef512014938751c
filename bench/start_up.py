"""What does it cost to start: the library, the Pulumi SDKs, and the parts of them that are used?

Imports in processes of their own, with compiled files: by turns, so that a busy minute hits all.

    python -m bench.start_up
"""

import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .plan_overhead import PLAN
from .process import by_turns, compiling_into, middle
from .table import RatioRow, show

ROOT: Final = Path(__file__).parents[1]
TIMES: Final = 9
MOST: Final = 6
"""How many packages are named that are loaded in vain."""

NAMES: Final = (
    "KnativeModel, KnativeModelArgs, ModelCache, ModelCacheArgs, Placement, PlacementArgs"
)
LIBRARY: Final = "import components"
SOME: Final = f"from components import {NAMES}"
ALL: Final = "from components import *"
SDKS: Final = "import pulumi, pulumi_kubernetes, pulumi_alicloud"
WRITTEN_RAW: Final = """
import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import AffinityArgs, PodSpecArgs, TolerationArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
"""
"""What a program imports that declares the same objects as `SOME` by the SDK, their pods typed."""
PLUGIN: Final = "from components.plugin.host import Host; Host()"
PLUGIN_RAW: Final = "import pulumi.provider.experimental"
"""What any plugin imports whose components are in Python."""

# The SDKs leave stand-ins for modules that nobody has touched yet; those cost nothing.
LOADED: Final = """
import sys
from types import ModuleType

for name, module in sys.modules.items():
    if type(module) is ModuleType:
        print(name)
"""
# A module is run if a function of it is; bodies of modules and classes run in every import.
RUN: Final = """
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType

from plan.run import plan

files = set()


def note(frame, event, argument):
    if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        files.add(frame.f_code.co_filename)


sys.setprofile(note)
plan(sys.argv[1], Path.cwd())
sys.setprofile(None)
loaded = {name: one.__file__ for name, one in sys.modules.items() if type(one) is ModuleType
          and getattr(one, "__file__", None) and not hasattr(one, "__path__")}
print(json.dumps({name: file in files for name, file in loaded.items()}))
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


def loaded_in_vain(stack: str, environment: Mapping[str, str]) -> RatioRow:
    """SDK modules that a plan of a stack loads, against those of them that it runs.

    A package of an SDK imports all of its modules, so that one class brings the others with it.
    """
    command = [sys.executable, "-W", "ignore", "-c", RUN, stack]
    done = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    ran: dict[str, bool] = json.loads(done.stdout)
    modules = of_sdks(list(ran))
    idle = Counter(_package(name) for name in modules if not ran[name])
    used = len(modules) - idle.total()
    times = _import_seconds(stack, environment)
    seconds = sum(took for name, took in times if name in modules and not ran[name])
    most = ", ".join(f"{name} {count}" for name, count in idle.most_common(MOST))
    detail = f"{len(modules)} : {used} modules; the rest costs {seconds:.2f} s, most of it: {most}"
    return RatioRow(
        f"plan {stack}: modules of the SDKs loaded : run", len(modules) / used, None, detail
    )


def _import_seconds(stack: str, environment: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """What the import of each module takes by itself, as Python tells it."""
    command = [sys.executable, "-W", "ignore", "-X", "importtime", "-c", PLAN, "plan", stack]
    done = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT
    )
    for took, name in re.findall(r"^import time: +(\d+) \|.*\| +(\S+)$", done.stderr, re.MULTILINE):
        yield name, int(took) / 1e6


def _package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def measure(times: int = TIMES) -> list[RatioRow]:
    """The library against the SDKs it needs, at three depths, and what they load in vain."""
    with tempfile.TemporaryDirectory() as folder:
        environment = compiling_into(folder)

        def needed(program: str) -> str:
            return USED.format(names=of_sdks(loaded(program, environment)))

        programs = {
            "nothing": "",
            "library": LIBRARY,
            "sdks": SDKS,
            "some": SOME,
            "some sdks": needed(SOME),
            "some raw": WRITTEN_RAW,
            "all": ALL,
            "all sdks": needed(ALL),
            "plugin": PLUGIN,
            "plugin raw": PLUGIN_RAW,
        }
        python = [sys.executable, "-W", "ignore", "-c"]
        commands = {name: [*python, program] for name, program in programs.items()}
        by_turns(commands, 1, environment)  # compiles
        costs = by_turns(commands, times, environment)
        counts = {name: len(loaded(program, environment)) for name, program in programs.items()}
        in_vain = [loaded_in_vain(stack, environment) for stack in ("dev", "hybrid")]

    base, count = middle(costs["nothing"]), NAMES.count(",") + 1

    def row(what: str, program: str, rival: str, limit: float | None = None) -> RatioRow:
        seconds, floor_seconds = (middle(costs[side]) - base for side in (program, rival))
        memory = max(cost.bytes for cost in costs[program]) >> 20
        modules = f"{counts[program]} : {counts[rival]} modules"
        detail = f"{seconds:.2f} s : {floor_seconds:.2f} s, {modules}, {memory} MiB"
        return RatioRow(what, seconds / floor_seconds, limit, detail)

    return [
        row("import pulumi_ack_inference : import of the three SDKs", "library", "sdks", 1.15),
        row(f"import of {count} names : the SDK's types for the same", "some", "some raw", 1.0),
        # What is loaded is part of the import: this is over 1 by what is ours, and pydantic.
        row(f"import of {count} names : the SDK modules they load", "some", "some sdks"),
        row("import of every public name : the SDK modules they load", "all", "all sdks"),
        row("start of the plugin : import of the SDK's own host", "plugin", "plugin raw"),
        *in_vain,
    ]


if __name__ == "__main__":
    show(measure())
