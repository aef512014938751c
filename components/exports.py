"""What a package offers: the names that it imports as themselves, each written once."""

from collections.abc import Mapping
from types import ModuleType


def public_names(namespace: Mapping[str, object]) -> list[str]:
    """The names of a package for its `__all__`: all but modules, and what begins with `_`.

    A type checker finds them by `from .module import Name as Name`.
    """
    return sorted(
        name
        for name, value in namespace.items()
        if not (name.startswith("_") or isinstance(value, ModuleType))
    )
