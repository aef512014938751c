"""Variables that are secrets by their name or their value, and must not be given in plain."""

from collections.abc import Collection, Iterator, Mapping

from ..args import Fault, Words
from ..secret_forms import is_secret, is_secret_value, named_secrets


def secret_faults(field: str, env: Mapping[str, str] | None) -> Iterator[Fault]:
    """Refuses variables that are secrets: whoever reads the stack file or the pod has them.

    Args:
        field: Path of the section of variables, e.g. `env`.
        env: The variables; None passes.
    """
    for name, value in (env or {}).items():
        if is_secret(name, value):
            got = Words("set in plain")
        elif is_secret_value(value):
            got = Words("a value that looks like a key or a password")
        else:
            continue
        want = f"left out, and the key {name} of a Secret that secret_env names"
        why = "whoever may read the stack file, its state or the pods could use it"
        yield Fault(f"{field}[{name}]", got, want, why)


def secret_word_faults(
    field: str, words: list[str] | None, validated: Collection[str] = ()
) -> Iterator[Fault]:
    """Refuses words of a command line that are keys by their form or their flag; None passes.

    Args:
        field: Path of the command line.
        words: The command line, maybe with a script for a shell.
        validated: Flags whose value another rule validates.
    """
    named = named_secrets(words or [], validated)
    for index, word in enumerate(words or []):
        if is_secret_value(word) or index in named:
            got = Words("a text that looks like a key or a password")
            if index in named:
                got = Words(f"{named[index]} with its value in plain")
            want = "$(NAME), with the key NAME in a Secret that secret_env names"
            why = "whoever may read the stack file, its state or the pods could use it"
            yield Fault(f"{field}[{index}]", got, want, why)
