"""Reads a site that is built: dead links and anchors, how large its pages are, what it loads."""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

MOST_BYTES: Final = 300_000
"""Most of a page without pictures: its document as it is, and all that it loads as it is sent."""
_LOADS: Final = {"script": "src", "link": "href"}


@dataclass
class Document(HTMLParser):
    """What a page of the site links to, is linked by, and loads."""

    path: Path
    links: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    loads: list[str] = field(default_factory=list)
    headings: int = 0

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text())

    __hash__ = object.__hash__

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes in one element."""
        values = {name: value or "" for name, value in attrs}
        self.names |= {values[name] for name in ("id", "name") if name in values}
        self.headings += tag == "h1"
        if tag == "link" and values.get("rel") != "stylesheet":
            return
        if target := values.get(_LOADS.get(tag, "")):
            self.loads.append(target)
        elif tag in ("a", "img", "source") and (target := values.get("href", values.get("src"))):
            self.links.append(target)


def documents(site: Path) -> list[Document]:
    """Every page, but the one for addresses that do not exist."""
    paths = sorted(site.rglob("*.html"))
    return [Document(path) for path in paths if path.name != "404.html"]


def faults(site: Path) -> Iterator[str]:
    """What is wrong with a site, a sentence each."""
    read = {document.path: document for document in documents(site)}
    for document in read.values():
        at = document.path.relative_to(site)
        if document.headings != 1:
            yield f"{at} has {document.headings} first headings, but it must have one."
        for link in document.links:
            yield from (f"{at}: {fault}" for fault in _dead(site, document, link, read))
        for load in document.loads:
            if urlsplit(load).netloc:
                yield f"{at} loads {load}, but it must load nothing from elsewhere."
            elif not (document.path.parent / load).exists():
                yield f"{at} loads {load}, which is not there."
        if "```" in re.sub(r"<code.*?</code>", "", document.path.read_text(), flags=re.DOTALL):
            yield f"{at} shows the fence of a code block: indent a block in a list by 4 spaces."
        size, sent = sizes(document)
        if size > MOST_BYTES or sent > MOST_BYTES:
            yield (
                f"{at} is {size:,} bytes, {sent:,} with what it loads, but it must be "
                f"{MOST_BYTES:,} at most."
            )


def sizes(document: Document) -> tuple[int, int]:
    """Bytes of a page, and of it and what it loads as a server sends them, compressed."""
    text = document.path.read_bytes()
    paths = (document.path.parent / load for load in document.loads)
    return len(text), sum(len(gzip.compress(part)) for part in (text, *map(_bytes, paths)))


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _dead(site: Path, document: Document, link: str, read: dict[Path, Document]) -> Iterator[str]:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        # Nobody is asked: what others serve is not ours to break a build by.
        if parts.scheme not in ("http", "https", "mailto") or (
            parts.scheme != "mailto" and not re.fullmatch(r"[\w.-]+(:\d+)?", parts.netloc)
        ):
            yield f"{link} is no address."
        return
    target = document.path.parent / unquote(parts.path) if parts.path else document.path
    target = (target / "index.html" if target.is_dir() else target).resolve()
    if not target.exists():
        yield f"{link} leads nowhere."
    elif not target.is_relative_to(site.resolve()):
        yield f"{link} leads out of the site."
    elif parts.fragment and target in read and not _named(read[target], parts.fragment):
        yield f"{link} leads to no heading."


def _named(document: Document, name: str) -> bool:
    return name in document.names or name in ("only-light", "only-dark")
