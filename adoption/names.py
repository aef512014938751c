"""Names of a stack file, from those of a cluster, which may have more in them."""

from collections.abc import Collection
from itertools import chain, count
from typing import Final

from components.names import DNS_1035_LABEL, LONGEST_LABEL, dashed

LONGEST: Final = 48
"""Letters of a name, of which KServe makes the label `isvc.<name>-predictor`, of 63 at most."""


def longest_in(namespace: str) -> int:
    """Letters of a name in a namespace: KServe makes `<name>-predictor-<namespace>` of both."""
    return max(1, min(LONGEST, LONGEST_LABEL - len(f"-predictor-{namespace}")))


def label(text: str, fallback: str, longest: int = LONGEST) -> str:
    """A name in lower-case letters, digits and `-`, from a letter on.

    Args:
        text: What something is called in the cluster, e.g. `qwen2.5-7b`.
        fallback: Stands before a digit, and for a text without letters and digits.
        longest: How long it may be.
    """
    words = dashed(text)
    return dashed(words if words[:1].isalpha() else f"{fallback}-{words}", longest)


def is_label(text: str, longest: int) -> bool:
    """Whether a text can stand as it is."""
    return len(text) <= longest and DNS_1035_LABEL.allows(text)


def unused(name: str, names: Collection[str]) -> str:
    """A name, with a number where others have it already."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(entry for entry in chain([name], numbered) if entry not in names)
