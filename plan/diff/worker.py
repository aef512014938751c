"""Plans the stacks of one revision in a process of its own, with that revision's modules.

Of this project only `plan` is loaded from where the worker is; `components`, `stacks` and whatever
else the program imports come from the revision.
"""

import gc
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from ..run import plan
from ..stack_file import Refused
from ..wire import to_wire


def main(asked: str) -> None:
    """Writes what became of each stack to a file.

    Args:
        asked: JSON with the keys `root`, `stacks`, `salt` (hexadecimal) and `answer`, the file.
    """
    gc.disable()  # A tenth of the time, and the process ends before its garbage matters.
    wanted = json.loads(asked)
    sys.path.remove(str(Path(__file__).parents[2]))
    salt = bytes.fromhex(wanted["salt"])
    found = {name: _planned(name, Path(wanted["root"]), salt) for name in wanted["stacks"]}
    Path(wanted["answer"]).write_text(json.dumps(found))


def _planned(stack: str, root: Path, salt: bytes) -> dict[str, Any]:
    try:
        return {"plan": to_wire(plan(stack, root, salt=salt))}
    except Refused as refused:
        return {"refused": refused.sentences}
    except Exception as error:  # The program of a revision may do anything.
        traceback.print_exc()
        return {"refused": [f"__main__.py fails: {type(error).__name__}: {error}"]}
