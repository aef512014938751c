"""What this project runs on may be used, changed and passed on."""

import json
from collections.abc import Sequence
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from supply.licences import (
    ALLOWED,
    EXEMPT,
    OTHERWISE,
    go_faults,
    is_allowed,
    licence,
    python_faults,
)

ROOT = Path(__file__).parents[2]


class Package(Distribution):
    """A package that says of its licence what a test has it say."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self.message = Message()
        for key, value in (("Name", "widget"), ("Version", "1.2.0"), *lines):
            self.message[key] = value

    @property
    def metadata(self) -> Message:  # type: ignore[override]
        return self.message

    def read_text(self, filename: str) -> str | None:
        return None

    def locate_file(self, path: object) -> Path:
        return ROOT


def test_every_package_of_the_development_environment_has_a_licence_that_is_allowed() -> None:
    """All that a user's plan, sandbox and plugin run on, and what the tests need beside it."""
    packages = [*distributions()]
    assert len(packages) > 80
    assert [*python_faults(packages)] == []


@pytest.mark.parametrize(
    ("lines", "expression"),
    [
        ([("License-Expression", "Apache-2.0 OR GPL-2.0")], "Apache-2.0 OR GPL-2.0"),
        ([("License-Expression", "MIT"), ("License", "GPL")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("Classifier", "License :: OSI Approved"), ("License", "MIT")], "MIT"),
        ([("License", "BSD License")], "BSD-3-Clause"),
        ([], ""),
    ],
)
def test_a_licence_is_what_a_package_says_of_it(
    lines: Sequence[tuple[str, str]], expression: str
) -> None:
    assert licence(Package(*lines)) == expression


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([("License-Expression", "AGPL-3.0-only")], "is under AGPL-3.0-only"),
        ([("License-Expression", "MIT AND GPL-3.0-only")], "is under MIT AND GPL-3.0-only"),
        ([("Classifier", "License :: Other/Proprietary License")], "is under Other/Proprietary"),
        ([], "does not say its licence"),
    ],
)
def test_a_package_under_another_licence_is_refused(
    lines: Sequence[tuple[str, str]], reason: str
) -> None:
    [fault] = python_faults([Package(*lines)])
    assert fault.startswith(f"widget 1.2.0 {reason}")
    assert "supply/licences.py does not allow" in fault


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("(MIT OR GPL-3.0-only)", True),
        ("(MIT OR GPL-3.0-only) AND ISC", True),
        ("(MIT OR ISC) AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR (ISC AND Zlib))", True),
        ("MIT AND BSD-3-Clause", True),
        ("MIT AND GPL-3.0-only", False),
        ("", False),
        ("MITX", False),
    ],
)
def test_of_alternatives_one_has_to_be_allowed_and_of_a_sum_all(
    expression: str, allowed: bool
) -> None:
    assert is_allowed(expression) is allowed


def test_no_licence_that_reaches_what_uses_a_component_is_allowed() -> None:
    assert [name for name in ALLOWED if "GPL" in name or "SSPL" in name or "BUSL" in name] == []


def component(name: str, *licences: str) -> dict[str, object]:
    evidence = {"licenses": [{"license": {"id": id_}} for id_ in licences]}
    return {"name": name, "version": "v1.0.0", "evidence": evidence}


def test_a_go_module_under_another_licence_is_refused() -> None:
    bill = {
        "components": [component("example.com/a", "MIT"), component("example.com/b", "GPL-3.0")]
    }
    [fault] = go_faults(json.dumps(bill))
    assert fault.startswith("example.com/b v1.0.0 is under GPL-3.0,")


def test_a_go_module_without_a_licence_is_refused() -> None:
    [fault] = go_faults(json.dumps({"components": [component("example.com/a")]}))
    assert fault.startswith("example.com/a v1.0.0 does not say its licence")


def test_what_is_detected_of_a_module_gives_way_to_what_was_read_of_it() -> None:
    for name, expression in OTHERWISE.items():
        assert is_allowed(expression)
        assert [*go_faults(json.dumps({"components": [component(name, "CC-BY-SA-4.0")]}))] == []


def test_a_module_is_exempt_by_name_and_for_a_reason() -> None:
    for name, reason in EXEMPT.items():
        assert [*go_faults(json.dumps({"components": [component(name)]}))] == []
        assert reason.endswith(".")
    assert len(EXEMPT) <= 3
