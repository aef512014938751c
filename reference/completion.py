"""Has a shell complete the verbs, options, stacks and fields of `ack-inference`."""

import os
import shlex
import shutil
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

PROGRAM: Final = "ack-inference"
VARIABLE: Final = "_ACK_INFERENCE_COMPLETE"
"""By which a shell's script asks the program what may follow."""
SHELLS: Final = ("bash", "zsh", "fish")

# Without its completion system, zsh does not know what a completion is.
_ZSH: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"


class Unsupported(Exception):
    """No completion can be installed; a sentence says why."""


def install(shell: str | None, command: click.Command) -> list[str]:
    """Writes the script of a shell, and has the shell read it.

    Args:
        shell: One of `SHELLS`. Default: the one that the variable SHELL names.
        command: Whose verbs and options are completed.

    Returns:
        What was done, and what there is still to do, in sentences.

    Raises:
        Unsupported: The shell is another one.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        got = f"The shell is {name!r}" if name else "The variable SHELL is not set"
        raise Unsupported(f"{got}, but it must be one of {', '.join(SHELLS)}: name one of these.")
    script = _script_path(name)
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_script(name, command))
    sentences = [f"Wrote {script}.", *_read_from(_startup_path(name), script)]
    sentences.append(f"It holds in each new {name}.")
    if shutil.which(PROGRAM) is None:
        sentences.append(f"{PROGRAM} is not on PATH: add its folder, or link it from one that is.")
    return sentences


def _script(shell: str, command: click.Command) -> str:
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101
    source = kind(command, {}, PROGRAM, VARIABLE).source()
    return f"{_ZSH}{source}" if shell == "zsh" else source


def _script_path(shell: str) -> Path:
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    if shell == "fish":  # It reads what lies there.
        return configuration / "fish" / "completions" / f"{PROGRAM}.fish"
    return configuration / PROGRAM / f"completion.{shell}"


def _startup_path(shell: str) -> Path | None:
    """The file that a shell reads when it starts; None where it finds the script by itself."""
    if shell == "bash":
        return Path.home() / ".bashrc"
    return Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc" if shell == "zsh" else None


def _read_from(startup: Path | None, script: Path) -> list[str]:
    """Adds a line that reads the script, unless it is there."""
    if startup is None:
        return []
    line = f"source {shlex.quote(str(script))}"
    text = startup.read_text() if startup.exists() else ""
    if line in text.splitlines():
        return [f"{startup} reads it already."]
    with startup.open("a") as file:
        file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
    return [f"Added to {startup}: {line}"]
