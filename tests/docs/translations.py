"""Pages in other languages, held level with the English ones.

A page says at its top what it is a translation of, and above each heading which section it tells,
with a digest of the English text as it was then:

    <!-- translation of: README.md -->
    <!-- en: Deploy 1f0c2a9d -->

`python -m tests.docs.translations` says which sections have moved since, and ends with an error.
Whoever has brought a page level has it say so: `python -m tests.docs.translations README.zh-CN.md`.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_OF: Final = re.compile(r"^<!-- translation of: (\S+) -->$", re.MULTILINE)
_TELLS: Final = re.compile(r"<!-- en: (?P<title>.+) (?P<digest>[0-9a-f]{8}) -->")
_FENCE: Final = re.compile(r"^```[^\n]*\n.*?^```$", re.DOTALL | re.MULTILINE)
_HEADING: Final = re.compile(r"^(?P<level>#{1,6}) (?P<title>.+)$", re.MULTILINE)
_COMMENT: Final = re.compile(r"(^|\s+)#\s.*$", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next one."""

    title: str
    level: int
    text: str

    @property
    def digest(self) -> str:
        """Changes with every word, but not with where lines break."""
        words = " ".join(f"{self.title}\n{self.text}".split())
        return hashlib.sha256(words.encode()).hexdigest()[:8]

    @property
    def code(self) -> list[str]:
        """Its code blocks, without comments, which are translated."""
        return [_COMMENT.sub("", block) for block in _FENCE.findall(self.text)]

    @property
    def links(self) -> set[str]:
        """Where its links lead."""
        return {*_LINK.findall(_FENCE.sub("", self.text))}


def sections(text: str) -> list[Section]:
    """The sections of a page; marks of translations and of tests are no part of them."""
    # A heading in a code block is none: block by block, the blocks are kept aside.
    blocks = _FENCE.findall(text)
    outside = _FENCE.sub("\0", text)
    starts = [*_HEADING.finditer(outside)]
    ends = [*(start.start() for start in starts[1:]), len(outside)]
    rest = iter(blocks)
    return [
        Section(
            start["title"],
            len(start["level"]),
            re.sub("\0", lambda _: next(rest), re.sub(r"<!--.*?-->", "", body)).strip(),
        )
        for start, end in zip(starts, ends, strict=True)
        for body in [outside[start.end() : end]]
    ]


@dataclass(frozen=True)
class Translation:
    """A page in another language."""

    root: Path
    path: Path

    @cached_property
    def text(self) -> str:
        """The whole page."""
        return self.path.read_text()

    @property
    def original(self) -> Path | None:
        """The English page."""
        match = _OF.match(self.text)
        return self.root / match[1] if match else None

    @property
    def name(self) -> str:
        """As people call it."""
        return str(self.path.relative_to(self.root))

    def faults(self) -> Iterator[str]:
        """In what the page is not level with the English one, in sentences."""
        original = self.original
        if original is None:
            yield f"{self.name} does not say in its first line what it is a translation of."
            return
        english, chinese = sections(original.read_text()), sections(self.text)
        claims = [(mark["title"], mark["digest"]) for mark in _TELLS.finditer(self.text)]
        page = original.relative_to(self.root)
        titles = [section.title for section in english]
        if [title for title, _ in claims] != titles or len(chinese) != len(claims):
            yield from self._misplaced(
                str(page), titles, [title for title, _ in claims], len(chinese)
            )
            return
        for section, translated, (_, digest) in zip(english, chinese, claims, strict=True):
            where = f"{page}, section {section.title!r}"
            if digest != section.digest:
                yield (
                    f"{where} has changed: bring {self.name}, section {translated.title!r}, level, "
                    f"then run python -m tests.docs.translations {self.name}"
                )
            if translated.level != section.level:
                yield f"{where} is a heading of another level in {self.name}."
            if translated.code != section.code:
                yield f"{where} has other commands or snippets in {self.name}."
            lost = _resolved(original, section.links) - _resolved(self.path, translated.links)
            stood_for = self._counterparts(translated)
            if [link for link in lost if link[0] not in stood_for]:
                yield f"{where} has a link that {self.name} lacks."
            prose = _FENCE.sub("", section.text).strip()
            if prose and not _HAN.search(_FENCE.sub("", translated.text)):
                yield f"{where} is not translated in {self.name}."

    def _counterparts(self, section: Section) -> set[Path | str]:
        """What links to translations stand for: to this page from the English one, and others."""
        pages = {path.resolve() for path in _pages(self.root)}
        linked = {
            (self.path.parent / link.partition("#")[0]).resolve() for link in section.links
        } & pages
        originals = (Translation(self.root, path).original for path in linked)
        return {self.path.resolve(), *(page.resolve() for page in originals if page)}

    def _misplaced(
        self, page: str, titles: list[str], marks: list[str], headings: int
    ) -> Iterator[str]:
        for title in titles:
            if title not in marks:
                yield f"{page} has a section {title!r} that {self.name} does not tell."
        for title in marks:
            if title not in titles:
                yield f"{self.name} tells a section {title!r} that {page} does not have."
        if sorted(titles) == sorted(marks) and titles != marks:
            yield f"{self.name} tells the sections of {page} in another order."
        if headings != len(marks):
            yield f"{self.name} has {headings} headings, and says of {len(marks)} what they tell."

    def accept(self) -> None:
        """Has the page say that it is level."""
        original = self.original
        assert original is not None
        digests = {section.title: section.digest for section in sections(original.read_text())}

        def levelled(mark: re.Match[str]) -> str:
            title = mark["title"]
            return f"<!-- en: {title} {digests.get(title, mark['digest'])} -->"

        self.path.write_text(_TELLS.sub(levelled, self.text))


def translations(root: Path = ROOT) -> list[Translation]:
    """Every page in another language."""
    return [Translation(root, path) for path in _pages(root)]


def _pages(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.zh-CN.md")), *sorted((root / "docs" / "zh").rglob("*.md"))]


def _resolved(page: Path, links: set[str]) -> set[tuple[Path | str, str]]:
    """Where links lead, whichever page they stand on: a file or an address, and a heading."""
    parts = (link.partition("#") for link in links)
    return {
        (path if ":" in path else (page.parent / path if path else page).resolve(), anchor)
        for path, _, anchor in parts
    }


def main() -> None:
    """Accepts the pages that are named, or says what is not level."""
    named = [Path(name).resolve() for name in sys.argv[1:]]
    for translation in translations():
        if translation.path in named:
            translation.accept()
    faults = [fault for translation in translations() for fault in translation.faults()]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main()
