"""As much of a section is read as can be, and what is wrong within it is said."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import Field

from components.args import Args, Fault
from stacks.reading import read_rest, until_missing


class Disk(Args):
    """An entry of a list."""

    name: str
    size: int = Field(ge=1)
    used: int = 0

    def _faults(self) -> Iterator[Fault]:
        if self.used > self.size:
            yield Fault("used", self.used, f"at most {self.size}", "it is full")


class Machine(Args):
    """A section with every kind of field."""

    name: str
    cores: int = 1
    labels: dict[str, str] = {}
    disks: list[Disk] = []
    boot: Disk | None = None

    def _faults(self) -> Iterator[Fault]:
        if self.name == "reserved":
            yield Fault("name", self.name, "another one", "it is reserved")
        if self.labels.get("spot") and self.cores > 8:
            yield Fault("labels[spot]", "true", "left out", "large ones are not spot")


def sentences(raw: dict[str, Any]) -> list[str]:
    return [f"{fault.field} {fault.why}" for fault in read_rest(Machine, raw).faults]


SOUND = {
    "name": "a",
    "cores": 4,
    "labels": {"x": "y"},
    "disks": [{"name": "d", "size": 2}],
    "boot": {"name": "b", "size": 1},
}


def test_what_can_all_be_read_is_complete_and_equal_to_what_is_validated() -> None:
    rest = read_rest(Machine, SOUND)
    assert rest.is_complete
    assert rest.faults == []
    assert rest.section == Machine.model_validate(SOUND)
    assert rest.section.model_fields_set == set(SOUND)


def test_a_field_that_is_left_out_or_null_has_its_default() -> None:
    rest = read_rest(Machine, {"name": "a", "cores": None})
    assert (rest.section.cores, rest.section.disks, rest.section.boot) == (1, [], None)
    assert rest.is_complete


def test_two_sections_do_not_share_a_default() -> None:
    first, second = (read_rest(Machine, {"name": "a"}).section for _ in range(2))
    assert first.disks is not second.disks


@pytest.mark.parametrize("cores", ["4", True, 1.5, [4], {}])
def test_what_cannot_be_read_is_missing_and_no_fault_of_a_rule(cores: Any) -> None:
    rest = read_rest(Machine, {**SOUND, "cores": cores})
    with pytest.raises(AttributeError):
        _ = rest.section.cores
    assert rest.section.labels == {"x": "y"}
    assert not rest.is_complete
    assert rest.faults == []


def test_a_required_field_that_is_not_there_is_missing() -> None:
    rest = read_rest(Machine, {"cores": 2})
    assert not hasattr(rest.section, "name")
    assert rest.section.cores == 2


@pytest.mark.parametrize("disks", [{"name": "d"}, ["d"], "d", 1])
def test_a_list_that_is_none_is_missing(disks: Any) -> None:
    rest = read_rest(Machine, {**SOUND, "disks": disks})
    assert not hasattr(rest.section, "disks")
    assert rest.section.boot == Disk(name="b", size=1)


def test_an_entry_lacks_what_cannot_be_read_and_others_come_before_it() -> None:
    disks = [{"name": "bad", "size": "2"}, {"name": "low", "size": 0}, {"name": "good", "size": 2}]
    rest = read_rest(Machine, {**SOUND, "disks": disks})
    assert [disk.name for disk in rest.section.disks] == ["good", "bad", "low"]
    assert [hasattr(disk, "size") for disk in rest.section.disks] == [True, False, False]


def test_a_fault_of_a_rule_is_under_the_name_of_its_entry() -> None:
    disks = [{"name": "d", "size": 1, "used": 2}, {"name": "e", "size": "1", "used": 2}]
    assert sentences({**SOUND, "disks": disks}) == ["disks[d].used it is full"]
    boot = {"name": "b", "size": 1, "used": 2}
    assert sentences({**SOUND, "boot": boot}) == ["boot.used it is full"]


def test_an_entry_without_a_name_is_called_by_its_number() -> None:
    disks = [{"name": "d", "size": 1}, {"size": 1, "used": 2}]
    assert sentences({**SOUND, "disks": disks}) == ["disks[1].used it is full"]


def test_what_a_rule_refuses_is_missing_but_a_name_stays() -> None:
    rest = read_rest(Machine, {**SOUND, "disks": [{"name": "d", "size": 1, "used": 2}]})
    [disk] = rest.section.disks
    assert not hasattr(disk, "used")
    assert disk.size == 1
    assert read_rest(Machine, {**SOUND, "name": "reserved"}).section.name == "reserved"
    spot = read_rest(Machine, {**SOUND, "cores": 9, "labels": {"spot": "true"}})
    assert not hasattr(spot.section, "labels")
    assert not spot.is_complete


def test_a_rule_says_what_it_can_until_it_asks_for_what_is_missing() -> None:
    raw = {**SOUND, "name": "reserved", "cores": "9", "labels": {"spot": "true"}}
    assert sentences(raw) == ["name it is reserved"]
    assert [type(error) for error in read_rest(Machine, raw).missed] == [AttributeError]


def test_other_errors_of_a_rule_are_no_answer() -> None:
    def rule(error: Exception) -> Iterator[int]:
        yield 1
        raise error

    missed: list[Exception] = []
    assert [*until_missing(rule(AttributeError()), missed)] == [1]
    assert [*until_missing(rule(KeyError()), missed)] == [1]
    assert [type(error) for error in missed] == [AttributeError, KeyError]
    with pytest.raises(ZeroDivisionError):
        [*until_missing(rule(ZeroDivisionError()), missed)]
