"""One operation of the engine in a process of its own, as a language host would be.

    python -m bench.engine_run preview --root . --stack dev --folder ... --plugins ... [--raw FILE]

Prints what it took as JSON: wall time, and processor time of the program and the engine. The
program's imports count, as they do under `pulumi preview`; the interpreter, the Automation API and
the selected stack are there before the clock starts. Plugins and API servers run elsewhere.
"""

import argparse
import json
import resource
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.engine import Engine

from .raw import program


class _Bare(Engine):
    """Leaves out what the sandbox asks the engine beside the operation itself."""

    def pending(self) -> Sequence[Mapping[str, Any]]:
        return ()


def processor_seconds() -> float:
    """What this process and the engines that it has run used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    """Runs the operation, and fails where the engine does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("operation")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--typed", action="store_true")
    parser.add_argument("--spared", action="store_true")
    options = parser.parse_args()

    engine = _Bare(options.root, options.stack, options.folder)
    _ = engine._stack  # selected before the clock starts
    raw = options.raw.resolve() if options.raw else None
    wall, processor = time.perf_counter(), processor_seconds()
    outcome = engine.run(
        options.operation,
        options.plugins,
        program=partial(program, raw, typed=options.typed, spared=options.spared) if raw else None,
    )
    took = {
        "wall": time.perf_counter() - wall,
        "processor": processor_seconds() - processor,
        "changed": [f"{step.op} {step.type} {step.name}" for step in outcome.changes],
        "paths": {step.name: sorted(step.paths) for step in outcome.changes if step.paths},
        "errors": outcome.errors,
        "steps": len(outcome.steps),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main()
