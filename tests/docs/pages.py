"""The pages that people read, and what stands in them."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
README: Final = ROOT / "README.md"
PAGES: Final = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "README.md",
    *sorted(ROOT.glob("examples/*/README.md")),
    *sorted(ROOT.glob("examples/extensions/*/README.md")),
]

_FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"""(?:\]\(|src(?:set)?=")(?!https?:)([^)\s"]+)""")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


def blocks(mark: str) -> list[list[str]]:
    """The lines of every code block below a mark, page by page."""
    shown = rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```"
    return [
        block.strip("\n").splitlines()
        for page in PAGES
        for block in re.findall(shown, page.read_text(), re.DOTALL)
    ]


def prose(text: str) -> str:
    """A text without its code blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Every target inside the repository, as it is written: a path, an anchor, or both."""
    return _LINK.findall(prose(text))


def anchors(text: str) -> list[str]:
    """The headings, as GitHub names them in links; the second of one name is `name-1`."""
    slugs: list[str] = []
    for heading in _HEADING.findall(prose(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
        again = sum(
            re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in slugs
        )
        slugs.append(f"{slug}-{again}" if again else slug)
    return slugs


def dead_links(page: Path) -> list[str]:
    """The links of a page that lead to no file, no folder and no heading."""
    dead = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            dead.append(link)
    return dead
