"""The program `ack-inference` itself: its help, its exit code where an input is refused."""

import errno
import io
import os
import sys
from typing import Final

import click

from plan.refused import Refused

REFUSED: Final = 2
"""Exit code where the input is refused."""


class _Program(click.Group):
    """Says what is wrong with an input, whichever verb refuses it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            taken = {
                name
                for name, verb in self.commands.items()
                for option in verb.params
                if error.option_name in option.opts
            }
            if verb := next((word for word in args if word in taken), None):
                what = f"{error.option_name} is an option of {verb}, and stands behind it."
                raise click.UsageError(what, ctx) from None
            raise

    def invoke(self, ctx: click.Context) -> object:
        _open_output()
        try:
            return super().invoke(ctx)
        except Refused as refused:
            click.echo(refused, err=True)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            click.echo(f"The output cannot be written: {error.strerror}.", err=True)
            # What is left of it goes nowhere, or Python would tell once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(REFUSED)


def _open_output() -> None:
    """Has any terminal take what is printed: a letter that its encoding lacks becomes `?`."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  None where it is closed
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if not os.environ.get("COLUMNS", "80").strip("0"):
        del os.environ["COLUMNS"]  # Some containers say 0 where there is no terminal.


def _print_versions(context: click.Context, _: click.Parameter, flag: bool) -> None:
    if not flag or context.resilient_parsing:
        return
    from reference.versions import versions
    from sandbox.binaries import ENGINE_VERSION

    parts = versions(".".join(map(str, ENGINE_VERSION)))
    width = max(len(name) for name, _ in parts)
    for name, version in parts:
        click.echo(f"{name:{width}}  {version}")
    context.exit()


def _install_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell is None or context.resilient_parsing:
        return
    from reference.completion import Unsupported, install

    try:
        for sentence in install(None if shell == "this" else shell, context.command):
            click.echo(sentence)
    except Unsupported as unsupported:
        click.echo(unsupported, err=True)
        sys.exit(REFUSED)
    context.exit()


@click.group(
    cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions of this, of Pulumi and its plugins, and the days of all facts.",
)
@click.option(
    "--install-completion",
    is_flag=False,
    flag_value="this",
    is_eager=True,
    expose_value=False,
    callback=_install_completion,
    metavar="[bash|zsh|fish]",
    help="Have the shell complete verbs, options, stacks and fields. Default: the shell in SHELL.",
)
def main() -> None:
    """Elastic LLM inference on Alibaba Cloud ACK: see what a stack creates before it exists.

    A stack is a file, Pulumi.<stack>.yaml: node pools, models, and where each model may run.
    Begin with

    \b
        ack-inference plan dev

    which reads Pulumi.dev.yaml and needs no account, no cluster and no Pulumi CLI. It says what
    would be created, or what is wrong with the file, in one sentence per mistake. Then create it:

    \b
        pulumi up -s dev

    or try the whole of it on this machine, with the real engine and a simulated cloud:

    \b
        ack-inference sandbox up dev

    \b
    Exit codes:
      0  done
      1  a defect of ack-inference (a traceback follows), or a check that failed
      2  the input is refused; each sentence on stderr says what to change
    """  # noqa: D301  click reads \b as "keep these lines"
