import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import sse
from loadtest.sse import EventStream

LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
EVENTS = st.lists(st.lists(LINES, min_size=1, max_size=3), max_size=5)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
NOISE = st.sampled_from([": a comment", "event: token", "id: 7", "retry: 10", "unknown"])


def read(*pieces: bytes) -> list[str]:
    stream = EventStream()
    return [event.data for piece in pieces for event in stream.feed(piece)]


@given(EVENTS, ENDS, st.booleans(), st.lists(NOISE, max_size=2), st.data())
def test_events_are_the_same_wherever_the_stream_is_cut(
    events: list[list[str]], end: str, space: bool, noise: list[str], data: st.DataObject
) -> None:
    # One space after the colon belongs to the syntax, so a line that begins with one needs it.
    lines = [
        line
        for event in events
        for line in [
            *noise,
            *(f"data:{' ' if space or text[:1] == ' ' else ''}{text}" for text in event),
            "",
        ]
    ]
    stream = "".join(f"{line}{end}" for line in lines).encode()
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
    bounds = itertools.pairwise([0, *cuts, len(stream)])
    assert read(*(stream[a:b] for a, b in bounds)) == ["\n".join(event) for event in events]


def test_an_event_is_there_as_soon_as_its_empty_line_is() -> None:
    stream = EventStream()
    assert list(stream.feed(b"data: one\r")) == []
    assert list(stream.feed(b"\r")) == [("one", "")]
    assert list(stream.feed(b"\ndata: two\n\n")) == [("two", "")]


def test_an_event_has_its_own_name_and_not_that_of_the_one_before() -> None:
    """Nor that of an event without data, which is none."""
    stream = EventStream()
    piece = b"event: ping\ndata: 1\n\ndata: 2\n\nevent: ping\n\ndata: 3\n\n"
    assert list(stream.feed(piece)) == [("1", "ping"), ("2", ""), ("3", "")]


def test_a_byte_order_mark_before_the_first_event_is_skipped() -> None:
    assert read(b"\xef\xbb\xbfdata: one\n\n") == ["one"]


def test_an_event_without_its_empty_line_is_none() -> None:
    assert read(b"data: one\n\ndata: tw") == ["one"]


def test_comments_and_events_without_data_are_none() -> None:
    assert read(b": ping\n\nevent: x\n\ndata\n\n") == [""]


def test_what_is_not_utf_8_is_replaced() -> None:
    """As the standard decodes streams; also half of a pair that was cut between two events."""
    assert read(b"data: a\xed\xa0\xbd\n\n")[0].startswith("a\ufffd")


@pytest.mark.parametrize("piece", [b"x" * 50, b"data: y\n" * 10])
def test_an_endless_event_is_refused(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LONGEST", 100)
    with pytest.raises(ValueError, match="longer than 100 bytes"):
        read(*itertools.repeat(piece, 10), *itertools.repeat(b"data: z\n", 30))
