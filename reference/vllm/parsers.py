"""Names that a release has registered: parsers, connectors, variables, architectures of models."""

import ast
import re
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


Form = str | list[str] | dict[str, list[str]]
"""What a variable has to be."""


def read_connectors(sources: Sources, kind: str) -> list[str]:
    """Names that a release has registered of connectors: of `kv`, or of `ec`.

    Args:
        sources: The release.
        kind: How the keys of the flag begin that names one.
    """
    names: set[str] = set()
    for tree in sources.under(f"vllm/distributed/{kind}_transfer/"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("register_connector"):
                names |= {str(ast.literal_eval(word)) for word in node.args[:1]}
    return sorted(names)


def read_architectures(sources: Sources) -> list[str]:
    """What config.json of a model may name for the release to load it.

    They stand in tables by name, with the module and the class that load each.
    """
    folder = "vllm/model_executor/models/"
    trees = sources.under(f"{folder}registry.py", f"{folder}__init__.py")
    tables = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Dict))
    rows = (row for table in tables for row in zip(table.keys, table.values, strict=True))
    return sorted(
        {
            key.value
            for key, value in rows
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
            if isinstance(value, ast.Tuple)
        }
    )


def read_variables(sources: Sources) -> dict[str, Form]:
    """Environment variables that a release reads, of those that begin with VLLM_, and as what.

    `int` and `float` are numbers, which vLLM fails without; a list has the only texts that it
    takes, in lower case where it makes no difference. `on` has those at which a variable is on that
    is off at any other. "" is anything else. None of 0.4.1, which has no table of them.
    """
    for node in (node for tree in sources.under("vllm/envs.py") for node in ast.walk(tree)):
        if isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(node.value, ast.Dict):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if ast.unparse(target) == "environment_variables":
                table = zip(node.value.keys, node.value.values, strict=True)
                rows = {ast.literal_eval(key): _form(value) for key, value in table if key}
                return {name: rows[name] for name in sorted(rows) if name.startswith("VLLM_")}
    return {}


_NUMBERS: Final = {
    "int": "int",
    "maybe_convert_int": "int",
    "maybe_convert_bool": "int",
    "float": "float",
}
"""By function that reads a variable, the kind of number that it has to be."""
_PORT: Final = "get_vllm_port"


def _form(reader: ast.expr) -> Form:
    """What a variable has to be, by what reads it."""
    if ast.unparse(reader) == _PORT:
        return "int"
    if on := _texts_on(reader):
        return {"on": on}
    for call in (node for node in ast.walk(reader) if isinstance(node, ast.Call)):
        name, text = ast.unparse(call.func), ast.unparse(call)
        if name in _NUMBERS and ("getenv" in text or "environ" in text):
            return _NUMBERS[name]
        if name == "env_with_choices" and isinstance(call.args[2], ast.List):
            choices = [str(choice) for choice in ast.literal_eval(call.args[2])]
            return [choice.lower() for choice in choices] if "case_sensitive" in text else choices
    return ""


def _texts_on(reader: ast.expr) -> list[str]:
    """The texts at which a variable is on, if any other is off: what it is compared with."""
    comparison = reader.body if isinstance(reader, ast.Lambda) else None
    if not isinstance(comparison, ast.Compare):
        return []
    read, [operator], [texts] = comparison.left, comparison.ops, comparison.comparators
    if not re.search(r"\b(getenv|environ)\b", ast.unparse(read)):
        return []
    match operator:
        case ast.Eq():
            return [ast.literal_eval(texts)]
        case ast.In():
            return sorted(ast.literal_eval(texts))
    return []
