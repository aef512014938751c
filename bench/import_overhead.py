"""How much slower is importing the library than the Pulumi SDKs that it needs?

Takes the processor time of whole processes in alternated pairs, with compiled files: one imports
the library and uses every public name once, so that every module of it is loaded; one imports the
modules of the SDKs that were loaded by then. Target: 1.15 or less.

    python -m bench.import_overhead
    python -m bench.import_overhead KnativeModel Placement
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

import components

OURS = "import components\nfor name in {names!r}:\n    getattr(components, name)\n"
SDKS = "import importlib\nfor name in {modules!r}:\n    importlib.import_module(name)\n"
# The SDKs leave stand-ins for modules that nobody has touched yet.
LOADED = """
import sys
from types import ModuleType

for name, module in sys.modules.items():
    if name.partition(".")[0].partition("_")[0] == "pulumi" and type(module) is ModuleType:
        print(name)
"""


def run(program: str, environment: Mapping[str, str]) -> str:
    """What a program prints, in a process of its own that must succeed."""
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(  # noqa: S603
        command, check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout


def seconds(program: str, environment: Mapping[str, str]) -> float:
    """Processor time of its process: what else runs on the machine does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(program, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="public names that are used; default all")
    parser.add_argument("--pairs", type=int, default=15)
    asked = parser.parse_args(arguments)

    names = asked.names or components.__all__
    ours = OURS.format(names=names)
    with tempfile.TemporaryDirectory() as folder:
        compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder}
        modules = run(ours + LOADED, compiled).split()
        sdks = SDKS.format(modules=modules)
        seconds(sdks, compiled)  # the first run compiles
        pairs = [(seconds(ours, compiled), seconds(sdks, compiled)) for _ in range(asked.pairs)]

    mine, theirs = zip(*pairs, strict=True)
    print(
        f"{len(names)} names, {len(modules)} SDK modules, {asked.pairs} pairs, seconds per process"
    )
    for title, times in (("the library", mine), ("the SDKs it needs", theirs)):
        print(f"{title:20} min {min(times):5.2f}  median {statistics.median(times):5.2f}")
    print(
        f"{'ratio':20} min {min(mine) / min(theirs):5.2f}  "
        f"median {statistics.median(mine) / statistics.median(theirs):5.2f}"
    )


if __name__ == "__main__":
    main()
