"""Packages whose names are imported when they are first asked for.

Type checkers read what a package offers in its `__init__.pyi`, and so does the package itself: a
name stands there once, as `from .module import Name as Name`, and `from .room import *` is all that
a room of it offers.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from pkgutil import get_data
from typing import Any, Final

_STUB: Final = "__init__.pyi"


def members(package: str) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """What a package offers: its `__all__`, `__getattr__` and `__dir__`.

    A name loads no more than the module that it is from.

    Args:
        package: Its `__name__`. Its stub is the file `__init__.pyi` beside its own.
    """
    module, homes = sys.modules[package], _homes(package, _STUB)
    names = sorted(homes)

    def member(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name], package), name)
        setattr(module, name, value)  # asked for once
        return value

    return names, member, lambda: sorted({*vars(module), *names})


def _homes(package: str, stub: str) -> dict[str, str]:
    """The module that each name of a stub is from."""
    text = get_data(package, stub) or b""  # also out of a wheel that is not unpacked
    homes: dict[str, str] = {}
    for line in text.decode().splitlines():
        _, home, _, name, *_ = line.split()
        offered = _homes(package, f"{home[1:]}/{_STUB}") if name == "*" else [name]
        homes |= dict.fromkeys(offered, home)
    return homes
