"""Parsers of tool calls and of reasoning that a release has, by the names that flags take."""

import ast
from collections.abc import Iterator
from typing import Final

from .sources import Sources

TOOL: Final = "Tool"
"""Parsers of tool calls: names of `--tool-call-parser`."""
REASONING: Final = "Reasoning"
"""Parsers of reasoning: names of `--reasoning-parser`."""

_FOLDERS: Final = (
    "vllm/tool_parsers/",
    "vllm/reasoning/",
    "vllm/entrypoints/openai/tool_parsers/",
    "vllm/entrypoints/openai/reasoning_parsers/",
)


def read_parsers(sources: Sources, kind: str) -> list[str]:
    """Names that a release has registered: by a table of its own, or each class by a decorator.

    Args:
        sources: The release.
        kind: `TOOL` or `REASONING`.
    """
    names: set[str] = set()
    for tree in sources.under(*_FOLDERS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                if ast.unparse(node.targets[0]) == f"_{kind.upper()}_PARSERS_TO_REGISTER":
                    names |= {ast.literal_eval(key) for key in node.value.keys if key is not None}
            elif isinstance(node, ast.ClassDef):
                names |= {*_decorated(node, f"{kind}ParserManager.register_module")}
    return sorted(names)


def _decorated(owner: ast.ClassDef, decorator: str) -> Iterator[str]:
    """Names under which a decorator registers a class: one, or a list."""
    for call in owner.decorator_list:
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != decorator:
            continue
        values = [*call.args, *(word.value for word in call.keywords if word.arg == "name")]
        for value in map(ast.literal_eval, values[:1]):
            yield from [value] if isinstance(value, str) else value


def read_variables(sources: Sources) -> list[str]:
    """Environment variables that a release reads, of those that begin with VLLM_.

    None of 0.4.1, which has no table of them.
    """
    for node in (node for tree in sources.under("vllm/envs.py") for node in ast.walk(tree)):
        if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Dict):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if ast.unparse(target) == "environment_variables":
                keys = [ast.literal_eval(key) for key in node.value.keys if key is not None]
                return sorted(key for key in keys if key.startswith("VLLM_"))
    return []
