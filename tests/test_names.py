"""Names of things: what `make lint` holds them to."""

from .names import faults

_PLAIN = "".join(f"pool{number} = {number}\n" for number in range(99))


def test_function_words_may_be_one_binding_in_a_hundred() -> None:
    assert faults({"a.py": f"{_PLAIN}one = 1\n"}) == []
    assert faults({"a.py": f"{_PLAIN}one = 1\n", "b.py": "def area(_known): pass\n"}) == [
        "a.py:100 binds 'one'",
        "b.py:1 binds '_known'",
    ]


def test_a_class_has_its_name_for_itself() -> None:
    assert faults({"a.py": "class Row: ...\n", "b.py": "class Line: ...\n"}) == []
    assert faults({"a.py": "class Row: ...\n", "b.py": "class Row: ...\n"}) == [
        "Row is two classes"
    ]


def test_what_the_library_promises_twice_stays() -> None:
    assert faults({"a.py": "class Medium: ...\n", "b.py": "class Medium: ...\n"}) == []
