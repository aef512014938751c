"""Names of things: what `make lint` holds them to."""

from .names import faults

_PLAIN = "".join(f"pool{number} = {number}\n" for number in range(99))


def test_function_words_may_be_one_binding_in_a_hundred() -> None:
    assert faults({"a.py": f"{_PLAIN}one = 1\n"}) == []
    assert faults({"a.py": f"{_PLAIN}one = 1\n", "b.py": "def area(_known): pass\n"}) == [
        "a.py:100 binds 'one'",
        "b.py:1 binds '_known'",
    ]


def test_tests_have_a_share_of_their_own() -> None:
    rooms = {"a.py": _PLAIN, "b.py": _PLAIN}
    assert faults({**rooms, "tests/a.py": f"{_PLAIN}one = 1\n"}) == []
    assert faults({**rooms, "tests/a.py": "one = 1\n"}) == ["tests/a.py:1 binds 'one'"]
    assert faults({"a.py": "one = 1\n", "tests/a.py": _PLAIN}) == ["a.py:1 binds 'one'"]


def test_a_class_has_its_name_for_itself() -> None:
    assert faults({"a.py": "class Row: ...\n", "b.py": "class Line: ...\n"}) == []
    assert faults({"a.py": "class Row: ...\n", "b.py": "class Row: ...\n"}) == [
        "Row is two classes"
    ]


def test_a_test_may_call_a_class_as_what_it_stands_for() -> None:
    assert faults({"a.py": "class Clock: ...\n", "tests/a.py": "class Clock: ...\n"}) == []


def test_what_the_library_promises_twice_stays() -> None:
    assert faults({"a.py": "class Medium: ...\n", "b.py": "class Medium: ...\n"}) == []
