"""Formats of quantized weights that a release loads, and the card that each needs."""

import ast
from collections.abc import Mapping
from typing import Final

from .sources import Sources

_FOLDER: Final = "vllm/model_executor/layers/quantization/"
_NAMES: Final = ("QUANTIZATION_METHODS", "QuantizationMethods", "_QUANTIZATION_CONFIG_REGISTRY")


def read_quantization(sources: Sources) -> dict[str, float]:
    """By method, the compute capability below which vLLM refuses to load it.

    0 where any card will do, or where a class outside of this folder decides.
    """
    tree = sources.tree(f"{_FOLDER}__init__.py")
    telling = [path for path, text in sources.texts.items() if "QuantizationConfig" in text]
    classes = sources.classes(*(path for path in telling if path.startswith(_FOLDER)))
    configs: dict[str, str] = {}
    methods: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = ast.unparse(target)
            if isinstance(node.value, ast.Dict):
                configs |= _entries(node.value)
            if name in _NAMES:
                methods += _texts(node.value)
    capabilities: dict[str, float] = {}
    for method in dict.fromkeys(methods or configs):
        config = configs.get(method, "OnlineQuantizationConfig")
        capabilities[method] = (_minimum(classes, config) or 0) / 10
    return capabilities


def _entries(table: ast.Dict) -> dict[str, str]:
    return {
        key.value: value.id
        for key, value in zip(table.keys, table.values, strict=True)
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value, ast.Name)
    }


def _texts(node: ast.expr) -> list[str]:
    items: list[ast.expr | None] = []
    if isinstance(node, ast.Dict):
        items = list(node.keys)
    elif isinstance(node, ast.List):
        items = list(node.elts)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        items = list(node.slice.elts)
    return [i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)]


def _minimum(classes: Mapping[str, ast.ClassDef], name: str) -> int | None:
    """What `get_min_capability` returns; -1, which some return for any card, is 0."""
    owner = classes.get(name)
    if owner is None:
        return None
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and node.name == "get_min_capability":
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    try:
                        return max(0, int(ast.literal_eval(inner.value)))
                    except ValueError:
                        return None
    for base in owner.bases:
        inherited = _minimum(classes, ast.unparse(base))
        if inherited is not None:
            return inherited
    return None
