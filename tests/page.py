"""A page of HTML as a test reads it."""

import re
from html.parser import HTMLParser
from typing import Final

VOID: Final = {"meta", "link", "img", "br", "hr", "wbr", "input", "col"}
FOREIGN: Final = {"script", "link", "img", "image", "iframe", "object", "embed", "base", "form"}
"""Elements that run something, fetch something, or send something."""
CELLS: Final = {"dt", "dd", "th", "td"}


class Page(HTMLParser):
    """Elements of a page with their attributes, and its text; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in CELLS:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def assert_self_contained(page: Page) -> None:
    """Nothing of a page is run, and nothing of it comes from elsewhere."""
    for tag, attributes in page.elements:
        assert tag not in FOREIGN
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (attributes.get("href") or "#").startswith("#")
        for value in attributes.values():
            assert "url(" not in (value or "") or re.fullmatch(r"url\(#[\w-]+\)", value or "")
    [policy] = [element for element in page.of("meta") if "http-equiv" in element]
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
