"""`python -m tests.names`: names are nouns of the thing, and no two classes have one name."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

_WORDS = """one ones found known given made told asked said seen shown held kept taken wanted left
    other others own ours theirs here there every each many few some whole it they"""
FUNCTION_WORDS = frozenset(_WORDS.split())
"""They say nothing of what they are bound to."""
SHARE = 0.01
"""Most of all bindings; what Python asks for, such as `__add__(self, other)`, is far below it."""
TWO_PROMISES = frozenset({"Medium", "Metric", "Placement"})
"""Exported by the library twice: of a custom resource, and of a component."""
COPIED = "examples/extensions/"
"""Their classes are in a room too, once somebody has put them there."""


def faults(sources: Mapping[str, str]) -> list[str]:
    """What is wrong with the names in modules, given by their paths."""
    nodes = [(path, node) for path, text in sources.items() for node in ast.walk(ast.parse(text))]
    stores = [(p, n) for p, n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    names = [(f"{path}:{node.lineno}", node.id) for path, node in stores]
    names += [(f"{path}:{n.lineno}", n.arg) for path, n in nodes if isinstance(n, ast.arg)]
    vague = [f"{at} binds {name!r}" for at, name in names if name.strip("_") in FUNCTION_WORDS]
    classes = Counter(node.name for _, node in nodes if isinstance(node, ast.ClassDef))
    shared = [name for name, n in classes.items() if n > 1 and name not in TWO_PROMISES]
    return (vague if len(vague) > SHARE * len(names) else []) + [
        f"{c} is two classes" for c in shared
    ]


if __name__ == "__main__":
    paths = subprocess.check_output(["/usr/bin/env", "git", "ls-files", "*.py"], text=True).split()
    rooms = [path for path in paths if not path.startswith(("tests/", COPIED))]
    sys.exit("\n".join(faults({path: Path(path).read_text() for path in rooms})) or 0)
