"""`python -m tests.names`: names are nouns of the thing, and no two classes of rooms have one."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

_WORDS = """one ones found known given made told asked said seen shown held kept taken wanted left
    other others own ours theirs here there every each many few some whole it they"""
FUNCTION_WORDS = frozenset(_WORDS.split())
"""They say nothing of what they are bound to."""
SHARE = 0.01
"""Most of the bindings of all rooms, and of all tests; what Python asks for, such as
`__add__(self, other)`, is far below it."""
TWO_PROMISES = frozenset({"Medium", "Metric", "Placement"})
"""Exported by the library twice: of a custom resource, and of a component."""
COPIED = "examples/extensions/"
"""Their classes are in a room too, once somebody has put them there."""
TESTS = "tests/"
"""What stands for a thing in a test is called as the thing is: `Server`, `Clock`, `Kubelet`."""


def faults(sources: Mapping[str, str]) -> list[str]:
    """What is wrong with the names in modules, given by their paths."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    rooms = {path: tree for path, tree in trees.items() if not path.startswith(TESTS)}
    tests = {path: tree for path, tree in trees.items() if path.startswith(TESTS)}
    return [*vague_bindings(rooms), *vague_bindings(tests), *shared_classes(rooms.values())]


def vague_bindings(trees: Mapping[str, ast.Module]) -> list[str]:
    """Every binding of a function word, where they are more than a share of all bindings."""
    nodes = [(path, node) for path, tree in trees.items() for node in ast.walk(tree)]
    stores = [(p, n) for p, n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    names = [(f"{path}:{node.lineno}", node.id) for path, node in stores]
    names += [(f"{path}:{n.lineno}", n.arg) for path, n in nodes if isinstance(n, ast.arg)]
    vague = [f"{at} binds {name!r}" for at, name in names if name.strip("_") in FUNCTION_WORDS]
    return vague if len(vague) > SHARE * len(names) else []


def shared_classes(trees: Iterable[ast.Module]) -> list[str]:
    """Names that two classes have."""
    nodes = (node for tree in trees for node in ast.walk(tree))
    classes = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    return [f"{c} is two classes" for c, n in classes.items() if n > 1 and c not in TWO_PROMISES]


if __name__ == "__main__":
    paths = subprocess.check_output(["/usr/bin/env", "git", "ls-files", "*.py"], text=True).split()
    modules = [path for path in paths if not path.startswith(COPIED)]
    sys.exit("\n".join(faults({path: Path(path).read_text() for path in modules})) or 0)
