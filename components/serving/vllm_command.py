"""Reads a command line of vLLM's server, however it is spelled."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..catalog.vllm import table
from ..catalog.vllm.table import Version
from .variables import REFERENCE

MODULES: Final = ("vllm.entrypoints.openai.api_server", "vllm.entrypoints.cli.main")
"""Modules that `python -m` starts the server with; the second takes `serve` first."""

LEVELS_TAKE_KEYS_SINCE: Final[Version] = (0, 13, 0)
"""The first release that takes `-O.mode 3` for a level, called .mode, and 3 for the model: before,
it is --compilation-config.mode. vllm/utils/argparse_utils.py, 0.12.0 and 0.13.0."""

OMNI: Final = "--omni"
"""Has the server of vLLM-Omni started: docs.vllm.ai/projects/vllm-omni, CLI guide, stable, 2026."""

_SEPARATORS: Final = "();<>|&\n"
_PRESENT: Final = ""
_SHELL: Final = r"(ba|da|a|z|k)?sh"
UNFILLED: Final = r"\$(?P<brace>\{)?[A-Za-z_][A-Za-z0-9_]*(?(brace)(:?[-=?+][^}]*)?\})([:/].*)?"
"""A word, or the value of a flag, that only a shell would fill in."""
_QUOTED_OR_COMMENT: Final = (
    r"(?P<quoted>'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.)|(?:(?<=[\s;&|(])|^)#[^\n]*"
)
_VARIABLE: Final = r"(?<![\\$])\$(?P<brace>\{)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?(brace)\})"
# As argparse tells a flag from a value: no negative number, and no space before an equals sign.
_FLAG: Final = r"-(?!\d|\.\d)[^\s=]+(=|$)"


@dataclass(frozen=True)
class Option:
    """A flag as it stands on a command line."""

    spelled: str
    """As it was written, without its value, e.g. `--max_model_len`, `-tp`."""
    name: str
    """The flag that vLLM reads, e.g. `--max-model-len`; as written where it knows none."""
    values: tuple[str, ...] = ()
    """The words that it takes; empty for a switch."""


@dataclass(frozen=True)
class VllmCommand:
    """What a command line tells vLLM."""

    model: str | None
    """Path or hub name of the model, from `--model` or from the word after `serve`."""
    options: tuple[Option, ...]
    """The flags in the order in which they stand."""
    loose: tuple[str, ...] = ()
    """Words that belong to no flag; of `vllm serve`, the model alone."""
    is_serve: bool = False
    """Whether `vllm serve` reads it, which knows more flags than the server's module."""

    @property
    def flags(self) -> Mapping[str, str]:
        """By flag, e.g. `--port`, its value; "" for a switch. The last one counts, as in vLLM."""
        return {
            option.name: option.values[0] if option.values else _PRESENT for option in self.options
        }

    @property
    def is_whole(self) -> bool:
        """Whether all flags are seen: none stands in a file, or in what a shell fills in."""
        hidden = any(word[:1] in "$`" for word in self.loose)
        return "--config" not in self.flags and not self.is_omni and not hidden

    @property
    def is_omni(self) -> bool:
        """Whether vLLM-Omni reads it, which has stages on cards of their own, and more flags."""
        return self.is_serve and OMNI in self.flags

    def number(self, flag: str) -> int | None:
        """The value of a flag as a whole number; None where there is none, or no number."""
        value = self.flags.get(flag, "")
        return int(value) if re.fullmatch(r"\d{1,9}", value) else None


def read_command(words: Sequence[str], release: Version | None = None) -> VllmCommand | None:
    """What a container's command tells vLLM; None where it starts something else.

    Args:
        words: A command in exec form. `sh -c` and what stands before the server are seen through.
        release: vLLM's release, which says what a shortened flag stands for. None: the newest.
    """
    for is_serve, arguments in _servers(words):
        return replace(read_arguments(arguments, release), is_serve=is_serve)
    return None


def read_arguments(words: Sequence[str], release: Version | None = None) -> VllmCommand:
    """What the words after the server's name say: a model perhaps, and flags.

    Args:
        words: E.g. `/mnt/models/qwen --port 8080 -tp=2`.
        release: As in `read_command`.
    """
    features = table.release(release)
    options: list[Option] = []
    loose: list[str] = []
    for spelled, values in _grouped(words):
        if spelled is None:
            loose += values
            continue
        option, rest = _option(spelled, values, features)
        options.append(option)
        loose += rest
    command = VllmCommand(loose[0] if loose else None, tuple(options), tuple(loose))
    return replace(command, model=command.flags.get("--model") or command.model)


def server_arguments(words: Sequence[str]) -> tuple[str, ...] | None:
    """The words after `vllm serve`, or after `python3 -m` and vLLM's module; None without."""
    return next((arguments for _, arguments in _servers(words)), None)


def _servers(words: Sequence[str]) -> Iterator[tuple[bool, tuple[str, ...]]]:
    """The servers that a command starts: whether by `vllm serve`, and the words after that."""
    for statement in statements(words):
        for place, word in enumerate(statement):
            rest = tuple(statement[place + 1 :])
            if word.rpartition("/")[2] == "vllm" and rest[:1] == ("serve",):
                yield True, rest[1:]
            if word == "-m" and rest[:1] == (MODULES[0],):
                yield False, rest[1:]
            if word == "-m" and rest[:2] == (MODULES[1], "serve"):
                yield True, rest[2:]


def statements(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """The command itself, or the statements of the script that a shell is given."""
    script = shell_script(words)
    if script is None:
        yield words
        return
    joined = re.sub(r"(?<=\s)\d(?=>)", "", _uncommented(script).replace("\\\n", " "))
    lexer = shlex.shlex(joined, posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    statement: list[str] = []
    try:
        for token in lexer:
            if set(token) <= set(_SEPARATORS):
                yield statement
                statement = []
            else:
                statement.append(token)
    except ValueError:  # an open quote: the shell will say so
        return
    yield statement


def _uncommented(script: str) -> str:
    """A script without its comments; a quoted # begins none."""
    return re.sub(_QUOTED_OR_COMMENT, lambda part: part["quoted"] or "", script)


def shell_script(words: Sequence[str]) -> str | None:
    """What `sh -c` runs; None where no shell is given a script."""
    rest = after_shell(words)
    return rest[0] if rest else None


def after_shell(words: Sequence[str]) -> Sequence[str]:
    """The script that a shell is given by -c, and the words after it; nothing without."""
    for place, word in enumerate(words):
        if not re.fullmatch(_SHELL, word.rpartition("/")[2]):
            continue
        for at in range(place + 1, len(words)):
            if re.fullmatch(r"-[a-z]*c", words[at]):
                return words[at + 1 :]
            if not words[at].startswith(("-", "+")) and not re.fullmatch(
                r"[-+][a-z]*o", words[at - 1]
            ):
                break
    return ()


def expanded(words: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """Words with variables filled in: `$(NAME)` as Kubernetes does, in a script as a shell does.

    Args:
        words: A command in exec form.
        env: Variables by name; others stay as they are.
    """
    script = shell_script(words)
    return [
        _filled(_filled(word, env, REFERENCE), env, _VARIABLE)
        if word == script
        else _filled(word, env, REFERENCE)
        for word in words
    ]


def _filled(word: str, env: Mapping[str, str], pattern: str) -> str:
    return re.sub(pattern, lambda part: env.get(part["name"], part[0]), word)


def _grouped(words: Sequence[str]) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    """Flags with the words up to the next one; None for the words before the first."""
    spelled: str | None = None
    values: list[str] = []
    for word in words:
        if re.match(_FLAG, word):
            yield spelled, tuple(values)
            spelled, values = word, []
        else:
            values.append(word)
    yield spelled, tuple(values)


def _option(
    word: str, following: tuple[str, ...], features: table.Release
) -> tuple[Option, tuple[str, ...]]:
    """A flag with the values that it takes, and the words that it leaves."""
    spelled, equals, value = word.partition("=")
    flag = base_flag(spelled, features)
    name = features.flag(flag) or flag
    if level := re.fullmatch(r"-O=?(\d+)", word):
        return Option("-O", name, (level[1],)), following
    if equals:
        return Option(spelled, name, (value,)), following
    kind = table.VALUE if "." in spelled else features.flags.get(name, table.VALUES)
    most = {table.SWITCH: 0, table.VALUE: 1, table.OPTIONAL: 1}.get(kind, len(following))
    return Option(spelled, name, following[:most]), following[most:]


def base_flag(spelled: str, features: table.Release) -> str:
    """A flag with dashes, without the keys of `--compilation-config.level`, and -O in full."""
    flag = spelled.partition(".")[0]
    if spelled.startswith("-O.") and features.version < LEVELS_TAKE_KEYS_SINCE:
        return "--compilation-config"
    if flag.startswith("-O"):
        return "--optimization-level" if "--optimization-level" in features.flags else "-O"
    return flag.replace("_", "-") if flag.startswith("--") else flag
