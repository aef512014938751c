"""Messages of others as they are shown: in one line, not too long, and without credentials."""

import re
from typing import Final

MOST_LETTERS: Final = 300
"""Longest message of others that is shown."""
_CREDENTIALS: Final = (
    (re.compile(r"://[^/@\s]+@"), "://[hidden]@"),
    (
        re.compile(
            r"(?i)\b([\w-]*(?:password|passwd|token|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?"
            r"|credential|authorization))([\"']?\s*[:=]\s*[\"']?)(?:bearer\s+|basic\s+)?[^\s\"',;]+"
        ),
        r"\1\2[hidden]",
    ),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/-]{8,}=*"), "Bearer [hidden]"),
    (re.compile(r"\b(?:LTAI|STS\.|hf_|sk-|ghp_|eyJ)[\w.-]{8,}"), "[hidden]"),
)
"""Forms of keys and tokens: URLs with a password, `name=value`, and prefixes of their makers."""


def text(value: object) -> str:
    """A message of others in one line, cut where it is long, without its full stop.

    What looks like a credential is not shown, whoever wrote it there.
    """
    line = re.sub(r"\s+", " ", str(value or "")).strip().rstrip(".")
    for pattern, instead in _CREDENTIALS:
        line = pattern.sub(instead, line)
    return line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]}..."
