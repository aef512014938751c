"""Plans the stacks of one revision in a process of its own, with that revision's modules.

Of this project only `plan` is loaded from where the worker is; `components`, `stacks` and whatever
else the program imports come from the revision.
"""

import atexit
import gc
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from ..refused import Refused
from ..run import plan
from ..wire import to_wire


def main(text: str) -> None:
    """Writes what became of each stack to a file.

    Args:
        text: JSON with the keys `root`, `stacks`, `salt` (hexadecimal) and `answer`, the file.
    """
    gc.disable()  # A fifth of the time, and the process ends before its garbage matters.
    atexit.register(gc.freeze)  # Not at the end either.
    question = json.loads(text)
    sys.path.remove(str(Path(__file__).parents[2]))
    salt = bytes.fromhex(question["salt"])
    outcomes = {name: _planned(name, Path(question["root"]), salt) for name in question["stacks"]}
    Path(question["answer"]).write_text(json.dumps(outcomes))


def _planned(stack: str, root: Path, salt: bytes) -> dict[str, Any]:
    try:
        return {"plan": to_wire(plan(stack, root, salt=salt))}
    except Refused as refused:
        return {"refused": refused.sentences}
    except Exception as error:  # The program of a revision may do anything.
        traceback.print_exc()
        return {"refused": [f"__main__.py fails: {type(error).__name__}: {error}"]}
