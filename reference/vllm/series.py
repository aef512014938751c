"""Series that a release reports at /metrics."""

import ast

from .sources import Sources


def read_series(sources: Sources) -> list[str]:
    """Names of series, without the `_total` that a counter's name gets anyway."""
    names: set[str] = set()
    for tree in sources.under("vllm/v1/", "vllm/engine/metrics"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                word = node.value
                if word.startswith("vllm:") and word[5:].replace("_", "").isalnum():
                    names.add(word.removesuffix("_total"))
    return sorted(names)
