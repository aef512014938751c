"""The forms in which a diff is written to standard output."""

import click

from ..render import terminal
from .report import Report


def write(report: Report, form: str) -> None:
    """Writes a report.

    Args:
        report: What was found.
        form: `terminal`, `markdown`, `json` or `html`.
    """
    match form:
        case "terminal":
            from .terminal import render_report

            render_report(report, terminal())
        case "markdown":
            from .markdown import to_markdown

            click.echo(to_markdown(report))
        case "json":
            from .document import to_json

            click.echo(to_json(report))
        case "html":
            from .page import render_page

            click.echo(render_page(report))
