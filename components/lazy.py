"""Packages whose names are imported when they are first asked for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def importer(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for a package, which imports no more than the module of a name.

    Args:
        package: Its `__name__`.
        modules: Modules as it would import from them, e.g. `.pod`, each with the names that it
            offers of it, by spaces.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def member(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name], package), name)
        setattr(import_module(package), name, value)  # asked for once
        return value

    return member
