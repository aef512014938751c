"""Which page stands where in the site's navigation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Section:
    """A part of the navigation."""

    title: str
    patterns: tuple[str, ...]
    """Paths in the repository, with wildcards; a page stands where a pattern first names it."""


SECTIONS: Final = (
    Section("Start", ("README.md", "README.*.md", "docs/start/*.md", "docs/zh/*.md")),
    Section(
        "Concepts",
        (
            "docs/architecture.md",
            "docs/concepts/component.md",
            "docs/concepts/placement.md",
            "docs/concepts/cache.md",
            "docs/concepts/knative.md",
            "docs/concepts/kserve.md",
            "docs/concepts/gateway.md",
            "docs/concepts/roles.md",
            "docs/concepts/*.md",
        ),
    ),
    Section(
        "Tutorials",
        (
            "docs/tutorials/sandbox-to-pull-request.md",
            "docs/tutorials/first-model.md",
            "docs/tutorials/*.md",
        ),
    ),
    Section("Troubleshooting", ("docs/guides/troubleshooting.md",)),
    Section("Decisions", ("docs/decisions.md", "docs/guides/article-to-project.md")),
    Section(
        "Guides",
        (
            "docs/models.md",
            "docs/plan.md",
            "docs/diff.md",
            "docs/sandbox.md",
            "docs/pull-requests.md",
            "docs/operations.md",
            "docs/state.md",
            "docs/policies.md",
            "docs/library.md",
            "docs/guides/*.md",
        ),
    ),
    Section(
        "Examples",
        ("examples/README.md", "examples/stacks/README.md", "examples/**/README.md"),
    ),
    Section("Reference", ("docs/reference/*.md",)),
    Section("Performance", ("docs/performance.md", "docs/performance/*.md")),
    Section("Security", ("docs/security.md", "docs/security/*.md", "SECURITY.md")),
    Section("Comparison", ("docs/comparison.md",)),
    Section("Project", ("CONTRIBUTING.md", "CHANGELOG.md", "docs/site.md")),
)
"""In the order in which pages are taken. A guide is found by itself."""
ORDER: Final = (
    *("Start", "Concepts", "Tutorials", "Guides", "Examples", "Reference", "Troubleshooting"),
    *("Decisions", "Comparison", "Performance", "Security", "Project"),
)
"""In the order in which sections are shown."""


class Homeless(Exception):
    """Pages stand in no section; the message says where one is given to them."""


def placed(root: Path, pages: Sequence[Path]) -> dict[str, list[Path]]:
    """The pages of every section, in its order.

    Raises:
        Homeless: A page is in no section.
    """
    left = list(pages)
    sections: dict[str, list[Path]] = {}
    for section in SECTIONS:
        for pattern in section.patterns:
            for page in sorted(root.glob(pattern)):
                if page in left:
                    left.remove(page)
                    sections.setdefault(section.title, []).append(page)
    if left:
        names = ", ".join(str(page.relative_to(root)) for page in left)
        raise Homeless(
            f"{names} is in no section of the site, but it must be: give it a pattern in SECTIONS "
            "of website/layout.py, or put it into docs/guides, docs/concepts or docs/tutorials."
        )
    return {title: sections[title] for title in ORDER if title in sections}
