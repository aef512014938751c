"""What several verbs share: options, completions, and how a process spares itself work."""

import atexit
import gc
from pathlib import Path

import click
from click.shell_completion import CompletionItem


def collect_no_garbage() -> None:
    """Has Python look for no garbage, neither now nor at the end: a fifth of a plan's time.

    The process ends before its garbage matters, but Python looks at all objects once more then. At
    those that are frozen it does not.
    """
    gc.disable()
    atexit.register(gc.freeze)


def complete_stacks(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of the project's stacks that begin so."""
    from plan.stack_file import stack_names

    names = stack_names(Path(context.params.get("project") or "."))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


PROJECT = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    default=".",
    show_default="this folder",
    help="Folder of Pulumi.yaml.",
)
"""Where the project is."""


CONTEXT = click.option(
    "--context", metavar="NAME", help="Context of that file. Default: its current one."
)
"""Which cluster of a kubeconfig."""
