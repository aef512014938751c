"""What is new comes into a module wherever its place in it stands."""

import ast
from types import SimpleNamespace
from typing import Any

import pytest

from .additions import added, entries

MODULE = '''"""A module."""

from a import x
from b import y

ROWS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "é": Row(1),
    }
)


class Section(Args):
    """A section."""

    first: int
    """The first."""

    def _faults(self):
        """Not a field."""


def body(args):
    if args.none:
        return None
    return {"one": 1}


def call(section):
    return Args(one=section.one, **section.more)
'''


def names(text: str) -> dict[str, Any]:
    """The names of a module, run with stand-ins for what it imports."""
    start = text.index("ROWS")
    stubs = {"Final": dict, "Mapping": dict, "Row": int, "MappingProxyType": dict}
    namespace: dict[str, Any] = {**stubs, "Args": SimpleNamespace}
    exec(text[start:], namespace)  # noqa: S102
    return namespace


def test_an_entry_comes_into_a_mapping() -> None:
    text = added(MODULE, 'ROWS = {\n    "b": Row(2),\n}\n')
    assert names(text)["ROWS"] == {"é": 1, "b": 2}
    assert '        "é": Row(1),\n        "b": Row(2),\n    }\n' in text


def test_a_field_comes_after_the_others_with_its_docstring() -> None:
    addition = 'class Section:\n    second: int = 2\n    """The second."""\n'
    text = added(MODULE, addition)
    assert '"""The first."""\n    second: int = 2\n    """The second."""\n\n    def' in text


def test_what_a_function_returns_has_more_entries_or_arguments() -> None:
    addition = 'def body(args):\n    return {"two": args.two}\n\n\n'
    addition += "def call(section):\n    return Args(two=section.two)\n"
    namespace = names(added(MODULE, addition))
    args = SimpleNamespace(one=1, two=2, none=False, more={"three": 3})
    assert namespace["body"](args) == {"one": 1, "two": 2}
    assert vars(namespace["call"](args)) == {"one": 1, "two": 2, "three": 3}


def test_an_import_stands_below_the_others_once() -> None:
    text = added(MODULE, "from a import x\nfrom c import z\n")
    imports = [ast.unparse(node) for node in ast.parse(text).body[1:4]]
    assert imports == ["from a import x", "from b import y", "from c import z"]


@pytest.mark.parametrize(
    "addition",
    [
        'ROWS = {\n    "b": Row(2),\n}\n',
        'class Section:\n    second: int = 2\n    """The second."""\n',
        'def body(args):\n    return {"two": args.two}\n',
        "from c import z\n",
    ],
)
def test_what_is_there_already_is_there_once(addition: str) -> None:
    once = added(MODULE, addition)
    assert added(once, addition) == once != MODULE


def test_another_entry_of_the_same_name_is_replaced() -> None:
    assert names(added(MODULE, 'ROWS = {"é": Row(3)}\n'))["ROWS"] == {"é": 3}


def test_what_has_no_place_in_the_module_is_told() -> None:
    with pytest.raises(AssertionError, match="0 of the name Rows"):
        added(MODULE, 'Rows = {"b": Row(2)}\n')


def test_the_entries_of_an_addition_are_known_by_name() -> None:
    assert entries('from a import x\nROWS = {"b": Row(2)}\n') == {"'b'": '"b": Row(2)'}
