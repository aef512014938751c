"""The pages that people read, and what stands in them."""

import re

from website.pages import README, ROOT, anchors, dead_links, links, pages, prose

__all__ = ["PAGES", "README", "ROOT", "anchors", "blocks", "dead_links", "links", "prose"]

PAGES = pages()


def blocks(mark: str) -> list[list[str]]:
    """The lines of every code block below a mark, page by page."""
    pattern = rf"<!-- {re.escape(mark)} -->\n```\w+\n(.*?)```"
    return [
        block.strip("\n").splitlines()
        for page in PAGES
        for block in re.findall(pattern, page.read_text(), re.DOTALL)
    ]
