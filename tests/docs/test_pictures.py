"""The pictures of the pages are what commands write, and say which."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from .pages import PAGES, ROOT

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 300_000
SHOWN = re.compile(r'(?:src(?:set)?="|\]\()(?:\.\./|docs/)*images/([\w-]+\.(?:svg|png|cast))')


@pytest.fixture(scope="module", autouse=True)
def scripts() -> Iterator[None]:
    """The scripts that draw lie beside the pictures, and are no package."""
    sys.path.insert(0, str(IMAGES))
    yield
    sys.path.remove(str(IMAGES))


@pytest.fixture(scope="module")
def terminal(scripts: None) -> ModuleType:
    import terminal

    return terminal


@pytest.fixture(scope="module")
def recording(scripts: None) -> ModuleType:
    import recording

    return recording


def make_source(name: str) -> str:
    """The value of a constant of make.py, which needs what draws pages to be imported."""
    text = (IMAGES / "make.py").read_text()
    match = re.search(rf"^{name}: Final(?:\[.*\])? = (.+?)(?=^\S|^\"\"\")", text, re.M | re.S)
    assert match
    return match[1]


def rows(text: str, terminal: ModuleType) -> list[str]:
    return ["".join(span.text for span in row) for row in terminal.rows(text)]


def test_every_picture_is_shown_by_a_page_or_stands_for_one_that_is() -> None:
    """A dark one for a light one, one of a phone for one of a desk."""
    names = {name for page in PAGES for name in SHOWN.findall(page.read_text())}
    files = {path.name for path in IMAGES.iterdir() if path.suffix in (".svg", ".png")}

    def kin(name: str) -> str:
        return re.sub(r"-(wide|phone|light|dark)\b|\.\w+$", "", name)

    assert names - {"tour.cast"} <= files
    assert {kin(name) for name in files} == {kin(name) for name in names - {"tour.cast"}}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_picture_of_a_command_names_it(page: Path) -> None:
    text = page.read_text()
    for match in re.finditer(
        r"^(?:</picture>|!\[.*\]\((?:\.\./|docs/)*images/[\w-]+\.png\))$", text, re.M
    ):
        before, after = text[: match.end()], text[match.end() :]
        drawn = before.rpartition("<picture>")[2] if match[0] == "</picture>" else match[0]
        if not SHOWN.search(drawn):
            continue  # A drawing.
        [caption] = re.match(r"\n\n(\*[^*].*?\*)\n", after, re.S).groups()  # type: ignore[union-attr]
        assert re.search(r"`(ack-inference|python -m) [^`]+`", caption), caption


@pytest.mark.parametrize("path", sorted(IMAGES.glob("*.svg")), ids=lambda path: path.name)
def test_a_terminal_is_small_and_well_formed(path: Path) -> None:
    text = path.read_text()
    assert len(text.encode()) < MOST_BYTES
    root = ElementTree.fromstring(text)  # noqa: S314  our own
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace(
        "http://$GATEWAY", ""
    )


@pytest.mark.parametrize(
    ("name", "columns"), [("tour", "COLUMNS"), ("tour-phone", "PHONE_COLUMNS")]
)
def test_the_film_is_drawn_of_the_recording(
    name: str, columns: str, terminal: ModuleType, recording: ModuleType
) -> None:
    tour = recording.read((IMAGES / "tour.cast").read_text())
    width, still = int(make_source(columns)), int(make_source("TOUR_STILL"))
    drawn = terminal.film("sandbox, change, diff, up", tour, width, still)
    assert drawn == (IMAGES / f"{name}.svg").read_text(), "run `make pictures PARTS=terminals`"


def test_the_recording_is_of_the_commands_of_make(recording: ModuleType) -> None:
    for name, constant in (("tour", "TOUR"), ("shots", "SHOTS")):
        commands = [
            step.command for step in recording.read((IMAGES / f"{name}.cast").read_text()).steps
        ]
        source = make_source(constant)
        assert commands
        assert [command for command in commands if command not in source] == []


def test_the_film_says_how_fast_it_is_and_stands_still_for_whoever_wants_that() -> None:
    film = (IMAGES / "tour.svg").read_text()
    assert re.search(r"1 of 6: took \d+ s, shown \d\.\d times as fast", film)
    assert "@media (prefers-reduced-motion:reduce){*{animation:none!important}}" in film
    assert re.search(r"\.t\d+\{opacity:1", film)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path, recording: ModuleType) -> None:
    commands = ["printf 'a\\nb\\n'", "sleep 0.2; echo 你好", "exit 3"]
    recorded = recording.record(commands, tmp_path, 80, {})
    assert [step.code for step in recorded.steps] == [0, 0, 3]
    assert recorded.steps[1].seconds >= 0.2
    again = recording.read(recorded.text())
    assert [step.command for step in again.steps] == commands
    assert ["".join(text for _, text in step.output) for step in again.steps] == [
        "a\r\nb\r\n",
        "你好\r\n",
        "",
    ]


def test_looks_are_those_of_the_terminal(terminal: ModuleType) -> None:
    [[red, plain, bold]] = terminal.rows("\x1b[31mred\x1b[0m plain \x1b[1;32mbold\x1b[0m")
    assert (red.text, red.style.colour) == ("red", terminal.COLOURS[1])
    assert plain.style == terminal.Style()
    assert (bold.style.bold, bold.style.colour) == (True, terminal.COLOURS[2])


def test_a_return_writes_over_the_line(terminal: ModuleType) -> None:
    assert rows("10 %\r20 %\r\ndone\r\n", terminal) == ["20 %", "done", ""]


def test_what_moves_the_cursor_is_refused(terminal: ModuleType) -> None:
    with pytest.raises(ValueError, match="moves the cursor"):
        terminal.rows("a\x1b[2Ab")


def test_a_long_line_ends_in_an_ellipsis_and_blanks_at_the_end_do_not(
    terminal: ModuleType,
) -> None:
    def shown(text: str, columns: int) -> str:
        root = ElementTree.fromstring(terminal.picture("x", terminal.rows(text), columns))  # noqa: S314
        return "".join(
            "".join(element.itertext())
            for element in list(root)[-1].iter()
            if element.tag.endswith("tspan")
        )

    assert shown("abcdef", 4) == "abc…"
    assert shown("abcd    ", 4) == "abcd"
    assert shown("你好吗", 5) == "你好…"


@pytest.mark.parametrize(("seconds", "speed"), [(0.1, 1), (5, 1), (50, 3.03), (500, 17.8)])
def test_the_longer_a_command_takes_the_faster_it_is_shown(
    seconds: float, speed: float, terminal: ModuleType
) -> None:
    assert terminal.speed_of(seconds) == pytest.approx(speed, rel=0.01)
