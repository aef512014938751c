"""Variables that are secrets by their name or their value, and must not be given in plain."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ..args import Fault, Words

_NAME: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|"
    r"(API|ACCESS|SECRET|PRIVATE|AUTH|ENCRYPTION|SIGNING|MASTER)_?KEY)"
    r"(_?(ID|SECRET|VALUE|[0-9]+))?$"
)
"""Ends of names, in capitals and with `_` between their words: HF_TOKEN, OPENAI_API_KEY."""
_VALUE: Final = re.compile(
    r"(?<![A-Za-z0-9])("
    r"hf_[A-Za-z0-9]{16,}"  # Hugging Face
    r"|sk-[A-Za-z0-9_-]{16,}"  # OpenAI, DashScope and others
    r"|ms-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ModelScope
    r"|nvapi-[A-Za-z0-9_-]{16,}"  # NVIDIA NGC
    r"|LTAI[A-Za-z0-9]{12,26}"  # Alibaba Cloud AccessKey ID
    r"|AKIA[A-Z0-9]{16}"  # AWS access key ID
    r"|gh[oprsu]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}"  # GitHub
    r"|glpat-[A-Za-z0-9_-]{16,}"  # GitLab
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."  # JSON Web Token
    r")|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]*:[^/\s@]+@"
)
"""Forms that those who hand out keys give them; and a password in a URL."""
_HARMLESS: Final = re.compile(r"|[0-9]+|true|false|yes|no|on|off|none|/.*|<.*>", re.IGNORECASE)
"""Values of a variable with such a name that are none: a switch, a number of tokens, the path of
a file, a special token such as `</s>`."""


def secret_faults(field: str, env: Mapping[str, str] | None) -> Iterator[Fault]:
    """Refuses variables that are secrets: whoever reads the stack file or the pod has them.

    Args:
        field: Path of the section of variables, e.g. `env`.
        env: The variables; None passes.
    """
    for name, value in (env or {}).items():
        if is_secret_name(name) and not _HARMLESS.fullmatch(value):
            got = Words("set in plain")
        elif is_secret_value(value):
            got = Words("a value that looks like a key or a password")
        else:
            continue
        want = f"left out, and the key {name} of a Secret that secret_env names"
        why = "whoever may read the stack file, its state or the pods could use it"
        yield Fault(f"{field}[{name}]", got, want, why)


def secret_word_faults(field: str, words: list[str] | None) -> Iterator[Fault]:
    """Refuses words of a command line that look like keys; None passes."""
    for index, word in enumerate(words or []):
        if is_secret_value(word):
            got = Words("a text that looks like a key or a password")
            want = "$(NAME), with the key NAME in a Secret that secret_env names"
            why = "whoever may read the stack file, its state or the pods could use it"
            yield Fault(f"{field}[{index}]", got, want, why)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name is a secret: HF_TOKEN is, TOKENIZERS_PARALLELISM is not."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _NAME.search(re.sub(r"[^A-Z0-9]+", "_", spaced.upper())) is not None


def is_secret_value(value: str) -> bool:
    """Whether a text holds a key in one of the usual forms, whatever it is called."""
    return _VALUE.search(value) is not None
