"""Prompts from a file, asked in turn, in place of such as are drawn at random."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plan.refused import Refused

from .results import Prompts

OPTION = "--prompts"


@dataclass(frozen=True)
class PromptFile:
    """What a file of prompts holds."""

    about: Prompts
    """What results say of it."""
    texts: tuple[str, ...]
    """The prompts, in the order of the file."""


def read(path: Path) -> PromptFile:
    """Reads a file with a prompt on each line; in one that ends in .jsonl, as `{"prompt": "..."}`.

    Raises:
        Refused: It cannot be read, has no prompt, or a line is none; what a line says is not shown.
    """
    try:
        content = path.read_bytes()
        lines = content.decode().splitlines()
    except OSError as error:
        raise Refused(OPTION, f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise Refused(OPTION, f"{path.name} must be text in UTF-8, but it is not.") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if path.suffix == ".jsonl":
        texts = {number: _prompt(line) for number, line in numbered}
        faults = list(_faults(path.name, texts))
        if faults:
            raise Refused(OPTION, *faults)
    else:
        texts = dict(numbered)
    prompts = tuple(text for text in texts.values() if text is not None)
    if not prompts:
        raise Refused(OPTION, f"{path.name} must have a prompt on each line, but it has none.")
    digest = hashlib.sha256(content).hexdigest()
    return PromptFile(Prompts(file=path.name, lines=len(prompts), sha256=digest), prompts)


def _prompt(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    text = entry.get("prompt") if isinstance(entry, dict) else None
    return text if isinstance(text, str) and text.strip() else None


def _faults(name: str, texts: dict[int, str | None]) -> Iterator[str]:
    for number, text in texts.items():
        if text is None:
            yield f'{name}, line {number}, must be a JSON object such as {{"prompt": "Hello"}}.'
