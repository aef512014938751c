"""The pages that people read: where they lie, what they link to, how headings are named."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
README: Final = ROOT / "README.md"

_BLOCK: Final = r"^ *```.*?^ *```[^\n]*$"
BLOCK: Final = re.compile(f"({_BLOCK})", re.DOTALL | re.MULTILINE)
_CODE: Final = re.compile(f"({_BLOCK}|`[^`\\n]+`)", re.DOTALL | re.MULTILINE)
LINK: Final = re.compile(r"""(?P<before>\]\(|src(?:set)?="|href=")(?P<target>[^)\s"]+)""")
HEADING: Final = re.compile(r"^(?P<level>#+) (?P<words>.+)$", re.MULTILINE)
_NUMBER: Final = re.compile(r"-\d+\Z")
_LANGUAGE: Final = re.compile(r"(?:docs/|[^/]+\.)(?P<language>[a-z]{2}(?:-[A-Z]{2})?)(?:/.+|\.md)")


def pages(root: Path = ROOT) -> list[Path]:
    """Every page of the repository that the site shows."""
    paths = [
        *sorted(root.glob("*.md")),
        *sorted((root / "docs").rglob("*.md")),
        *sorted((root / "examples").rglob("README.md")),
    ]
    return [path for path in paths if not _installed(path.relative_to(root))]


def _installed(path: Path) -> bool:
    """Whether a page belongs to a package that an example has installed."""
    return any(part in ("node_modules", "venv") or part[0] == "." for part in path.parts)


def language(page: Path, root: Path = ROOT) -> str:
    """The language of a page, by its name (`README.zh-CN.md`) or its folder (`docs/zh`)."""
    match = _LANGUAGE.fullmatch(page.relative_to(root).as_posix())
    return match["language"] if match else "en"


def prose(text: str) -> str:
    """A text without its code blocks."""
    return BLOCK.sub("", text)


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """A text in pieces, each with whether it is code: a block, or a span."""
    for at, piece in enumerate(_CODE.split(text)):
        yield at % 2 == 1, piece


def links(text: str) -> list[str]:
    """Every target inside the repository, as it is written: a path, an anchor, or both."""
    targets = (match["target"] for match in LINK.finditer(prose(text)))
    return [target for target in targets if not is_external(target)]


def is_external(target: str) -> bool:
    """Whether a link leads out of the repository."""
    return re.match(r"[a-z]+:", target) is not None


def anchors(text: str) -> list[str]:
    """The headings, as GitHub names them in links; the second of one name is `name-1`."""
    slugs: list[str] = []
    taken: Counter[str] = Counter()
    for heading in HEADING.finditer(prose(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["words"])
        slug = re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")
        name = f"{slug}-{taken[slug]}" if taken[slug] else slug
        slugs.append(name)
        taken.update({name, _NUMBER.sub("", name)})
    return slugs


def dead_links(page: Path) -> list[str]:
    """The links of a page that lead to no file, no folder and no heading."""
    headings = cache(lambda target: {*anchors(target.read_text())})
    dead = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            dead.append(link)
    return dead
