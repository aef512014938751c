"""Stages the repository's pages for the generator: links, headings and pictures as it wants them.

The pages stay where they are, since GitHub shows them too. What one links to and is no page, such
as a stack file, becomes a page that shows it.
"""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from .layout import placed
from .pages import BLOCK, HEADING, LINK, ROOT, anchors, is_external, language, pages, pieces

HERE: Final = Path(__file__).parent
LANGUAGES: Final = {
    **{".py": "python", ".yaml": "yaml", ".json": "json", ".jsonl": "json", ".ts": "typescript"},
    **{".tf": "hcl", ".sh": "sh", ".md": "markdown"},
}
"""Of the files that are shown, by how their names end."""
MOST_BYTES: Final = 60_000
"""A file that is larger is linked as it is."""

_PICTURE: Final = re.compile(
    r'<picture>\s*<source media="[^"]*dark[^"]*" srcset="(?P<dark>[^"]+)">\s*'
    r'<img alt="(?P<alt>[^"]*)" src="(?P<light>[^"]+)">\s*</picture>'
)


@dataclass
class Staging:
    """A folder of pages for the generator, made of those of the repository."""

    root: Path
    folder: Path
    shown: set[Path] = field(default_factory=set)
    """Files and folders that are no pages, and that pages link to."""

    def staged(self, path: Path) -> Path:
        """Where a file of the repository lies in the folder: an image and a page, or one of it."""
        relative = path.relative_to(self.root)
        if path == self.root / "README.md":
            return self.folder / "index.md"
        if path.is_dir() and (path / "README.md") in self.pages:
            return self.staged(path / "README.md")
        if path in self.pages:
            name = relative.name.replace("README", "index")
            parts = relative.parts[1:-1] if relative.parts[0] == "docs" else relative.parts[:-1]
            return self.folder.joinpath(*parts, name.lower())
        if relative.parts[:2] == ("docs", "images"):
            return self.folder.joinpath(*relative.parts[1:])
        self.shown.add(path)
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            return self.folder / "files" / relative
        return self.folder / "files" / f"{relative}.md"

    def __post_init__(self) -> None:
        self.pages = frozenset(pages(self.root))

    def write(self) -> dict[str, list[Path]]:
        """Writes all pages, and gives them by section."""
        shutil.rmtree(self.folder, ignore_errors=True)
        sections = placed(self.root, sorted(self.pages))
        for page in sorted(self.pages):
            self._put(self.staged(page), self.text(page))
        written: set[Path] = set()
        while left := sorted(self.shown - written):
            for path in left:
                self._show(path)
            written |= {*left}
        shutil.copytree(self.root / "docs" / "images", self.folder / "images", dirs_exist_ok=True)
        shutil.copytree(HERE / "assets", self.folder / "assets", dirs_exist_ok=True)
        return {title: [self.staged(page) for page in own] for title, own in sections.items()}

    def text(self, page: Path) -> str:
        """A page as the generator reads it."""
        text = _PICTURE.sub(_both, page.read_text())
        slugs = iter(anchors(text))
        linked = "".join(
            piece if is_code else LINK.sub(lambda link: self._link(page, link), piece)
            for is_code, piece in pieces(_named(text, slugs))
        )
        return _in_language(linked, language(page, self.root))

    def _link(self, page: Path, link: re.Match[str]) -> str:
        target = link["target"]
        path, mark, anchor = target.partition("#")
        if is_external(target) or not path:
            return link[0]
        source = (page.parent / path).resolve()
        if not source.exists():
            return link[0]
        light_or_dark = anchor if anchor.startswith("only-") else ""
        staged = self.staged(source)
        relative = os.path.relpath(staged, self.staged(page).parent)
        if staged.suffix != ".md" or light_or_dark:
            return f"{link['before']}{relative}{mark}{anchor}"
        # A file that is shown has no headings of its own.
        inside = f"{mark}{anchor}" if source in self.pages or source.is_dir() else ""
        return f"{link['before']}{relative}{inside}"

    def _show(self, path: Path) -> None:
        name, target = path.relative_to(self.root), self.staged(path)
        if target.suffix != ".md":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        elif path.is_dir():
            rows = (f"- [{inner.name}]({self._relative(inner, target)})" for inner in _inside(path))
            self._put(target, _unsearched("\n".join([f"# {name}", "", *rows, ""])))
        elif path.suffix == ".md":
            self._put(target, _unsearched(self._other(path)))
        else:
            fence = "~~~~"
            language = LANGUAGES.get(path.suffix, "text")
            body = path.read_text().rstrip("\n")
            self._put(target, _unsearched(f"# {name}\n\n{fence}{language}\n{body}\n{fence}\n"))

    def _other(self, path: Path) -> str:
        """A Markdown file that is no page: read, but its links lead nowhere else."""
        text = path.read_text()
        plain = LINK.sub(lambda link: link[0] if is_external(link["target"]) else "](", text)
        return _named(plain.replace("]()", "]"), iter(anchors(text)))

    def _relative(self, path: Path, target: Path) -> str:
        return os.path.relpath(self.staged(path), target.parent)

    def _put(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _inside(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir(), key=lambda path: (path.is_file(), path.name))
    return [entry for entry in entries if entry.name[0] not in "._"]


def _unsearched(text: str) -> str:
    return f"---\nsearch: {{exclude: true}}\n---\n\n{text}"


def _in_language(text: str, language: str) -> str:
    """A text with its language, which screen readers and fonts go by; the site's own is English."""
    return text if language == "en" else f'<div lang="{language}" markdown>\n\n{text}\n\n</div>\n'


def _both(picture: re.Match[str]) -> str:
    """The generator's own switch between light and dark, which follows its button too."""
    return (
        f"![{picture['alt']}]({picture['light']}#only-light)"
        f"![{picture['alt']}]({picture['dark']}#only-dark)"
    )


def _named(text: str, slugs: Iterable[str]) -> str:
    """Each heading with the name that GitHub gives it."""
    names = iter(slugs)

    def heading(match: re.Match[str]) -> str:
        return f"{match[0]} {{#{next(names)}}}"

    return "".join(
        piece if at % 2 else HEADING.sub(heading, piece)
        for at, piece in enumerate(BLOCK.split(text))
    )


def settings(stage: Staging, sections: dict[str, Sequence[Path]], *, versioned: bool) -> str:
    """The generator's configuration: ours, with the navigation, and the selector of versions."""
    document = yaml.safe_load((HERE / "mkdocs.yml").read_text())
    document["docs_dir"] = stage.folder.name
    document["nav"] = [
        {title: [str(page.relative_to(stage.folder)) for page in own]}
        for title, own in sections.items()
    ]
    if versioned:
        document["extra"]["version"] = {"provider": "mike"}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def stage(folder: Path, root: Path = ROOT, *, versioned: bool = False) -> Path:
    """Stages everything in a folder, and gives the generator's configuration in it."""
    staged = Staging(root, folder / "pages")
    configuration = folder / "mkdocs.yml"
    sections = staged.write()
    configuration.write_text(settings(staged, dict(sections), versioned=versioned))
    return configuration
