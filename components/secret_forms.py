"""What is a secret by its name or its form: variables, flags, and texts such as tokens."""

import re
from collections.abc import Collection, Sequence
from typing import Final

_NAME: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|(?<=[A-Z]_)(PWD|PAT|AK|SK)|^(PASS|AK|SK)|"
    r"(DB|USER|ADMIN|ROOT|SMTP|REDIS|MYSQL|POSTGRES|PG|MONGO|PROXY|AUTH)_?PASS|"
    r"CREDENTIALS?|CONNECTION_?STRING|"
    r"(API|ACCESS|SECRET|PRIVATE|AUTH|ENCRYPTION|SIGNING|MASTER|ACCOUNT|STORAGE|LICENSE|SSH)_?KEY)"
    r"(_?(ID|SECRET|VALUE|JSON|BASE64|[0-9]+))?_*$"
)
"""Ends of names, in capitals and with `_` between their words: HF_TOKEN, OPENAI_API_KEY."""
_PART_OF_TEXT: Final = re.compile(
    r"(^|_)(EOS|BOS|PAD|UNK|SEP|CLS|MASK|STOP|START|END|THINK|IMAGE|AUDIO|VIDEO|SPECIAL|MAX|MIN|NEW"
    r"|NUM|PER|FIRST|NEXT|LAST|RANK)_TOKEN(_ID)?$"
)
"""Names of tokens that texts are made of."""
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
    r"|Bearer (?!\$)[A-Za-z0-9._~+/-]{8,}=*(?![A-Za-z0-9 ])"  # what an HTTP header has
    r"|Basic (?=[A-Za-z+/]*[0-9=])[A-Za-z0-9+/]{8,}=*"
    r"|AccountKey=[A-Za-z0-9+/]{16,}"  # Azure Storage
    r")|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]*:(?!\$)[^/\s@]+@"
)
"""Forms that those who hand out keys give them; and a password in a URL."""
_HARMLESS: Final = re.compile(
    r"|[01]|true|false|yes|no|on|off|none|(en|dis)abled|/.*|<.*>|\[\w+\]|[$`].*", re.IGNORECASE
)
"""Values of a variable with such a name that are none: a switch, the path of a file, a special
token such as `</s>`, what another variable has."""
_COUNT: Final = re.compile(r"[0-9]+[kKmM]?")
"""Number of tokens, e.g. 4096 or 4k."""
_ASSIGNED: Final = re.compile(r"(?:--?)?(?P<name>[A-Za-z][\w-]*)=(?P<value>.*)", re.DOTALL)
_NAMED: Final = re.compile(r"--?(?P<name>[A-Za-z][\w-]*)")


def is_secret(name: str, value: str) -> bool:
    """Whether a variable or a flag of this name holds a secret, and not a switch or a number."""
    counts = re.search(r"token", name, re.IGNORECASE) and _COUNT.fullmatch(value)
    return is_secret_name(name) and not counts and not _HARMLESS.fullmatch(value)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name is a secret: HF_TOKEN is, TOKENIZERS_PARALLELISM is not."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    capitals = re.sub(r"[^A-Z0-9]+", "_", spaced.upper())
    return _NAME.search(capitals) is not None and _PART_OF_TEXT.search(capitals) is None


def is_secret_value(value: str) -> bool:
    """Whether a text holds a key in one of the usual forms, whatever it is called."""
    return _VALUE.search(value) is not None


def named_secrets(words: Sequence[str], validated: Collection[str] = ()) -> dict[int, str]:
    """By place of a word, the flag or variable in it, or before it, that is a secret by name."""
    secrets: dict[int, str] = {}
    flag = ""
    for index, word in enumerate(words):
        for part in _parts(word):
            assigned, named = _ASSIGNED.fullmatch(part), _NAMED.fullmatch(part)
            if flag and not part.startswith("-") and is_secret(flag.lstrip("-"), part):
                secrets.setdefault(index, flag)
            if assigned and is_secret(assigned["name"], assigned["value"].strip("'\"")):
                spelled = part.partition("=")[0]
                if spelled not in validated:
                    secrets.setdefault(index, spelled)
            flag = part if named and part not in validated else ""
    return secrets


def _parts(word: str) -> list[str]:
    """The words of a script; any other word as it is."""
    if not re.search(r"\s", word):
        return [word]
    return [part.strip("'\"").rstrip(";'\"") for part in word.split()]
