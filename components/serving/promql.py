"""Reads a query of Prometheus as far as it can be told without one whether it has an answer.

Held to what PromQL and MetricsQL have in common: prometheus v0.308.0, promql/parser/lex.go. KEDA
fails on an answer of more than one element, and on one that is no list of elements; of infinity it
makes 0: keda v2.21.0, pkg/scalers/prometheus_scaler.go, and findings/ run it.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from ..args import Because, Fault, TextForm, Words

_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>\#[^\n]*)"""
    r"""|(?P<quote>["'`])|(?P<opening>[(\[{])|(?P<closing>[)\]}])|(?P<end>;)|.""",
    re.DOTALL,
)
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_GATHERS: Final = re.compile(
    r"\b(sum|avg|min|max|count|group|stddev|stdvar|quantile|topk|bottomk|limitk|count_values|scalar"
    r"|vector|absent|absent_over_time)\b\s*((by|without)\s*\(|\()",
    re.IGNORECASE,
)
"""What makes one number, or few, of many series."""
_EACH: Final = re.compile(
    r"\s*\w+\s*by\s*\((?P<before>[^)]*)\).*|\s*\w+\s*\(.*\)\s*by\s*\((?P<after>[^)]*)\)\s*",
    re.IGNORECASE | re.DOTALL,
)
"""A query that is one aggregation, and the labels that it keeps apart."""
_ALONE: Final = re.compile(
    r"\s*(?P<name>avg|max|min|quantile|histogram_quantile)\b"
    r"\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(",
    re.IGNORECASE,
)
"""What begins a query whose figure stays as it is where there are more of what it is about."""
_COUNTED: Final = re.compile(r"\b(sum|count)\b(?!\s*(by|without)\s*\([^)]*\bpod)", re.IGNORECASE)
"""An aggregation that grows with what it is about; of one for each pod that is not known."""
_OF_PODS: Final = re.compile(r"\b(pod|pod_name|instance|exported_pod|kubernetes_pod_name)\b")
_OVER_TIME: Final = re.compile(
    r"\b(?P<name>rate|irate|increase|delta|idelta|deriv|changes|resets|\w+_over_time)\s*\("
)
"""Functions of what came in a time."""
_SCALAR: Final = re.compile(r"\b(?:scalar|time|pi)\s*\(")
_CONSTANT: Final = re.compile(
    r"(?:\d[\w.]*|\b(?:inf|nan|bool)\b|[\s().+\-*/%^<>=!])+", re.IGNORECASE
)
"""Numbers, and what is reckoned of them."""
_DIVISION: Final = re.compile(
    r"/(?:\s*\b(?:on|ignoring|group_left|group_right)\b\s*(?:\([^)]*\))?)*\s*"
)
_PART: Final = re.compile(r"\s*\b(?:by|without)\b|(?<!\))[\w:.]+|\s*(?P<opening>[(\[{])")
"""How what is divided by goes on: a name, or something in brackets."""
_NOT_ALONE: Final = re.compile(r"\b(?:clamp|clamp_min|or|rate|irate|increase)\b|_count\b|\+")
"""In a divisor: it is never 0, or only where what it divides is 0 too."""
_EQUAL: Final = re.compile(r"""(?P<label>\w+)\s*(?P<sign>!?=)\s*["'`](?P<text>[^"'`]*)["'`]""")


def query_faults(field: str, query: str, why: str) -> Iterator[Fault]:
    """Refuses a query whose brackets or quotes do not close, or that ends before its end."""
    open_: list[str] = []
    for token in _TOKEN.finditer(query):
        sign = token[0]
        if token["quote"]:
            yield Fault(field, Words(query), f"one whose {sign} closes", why)
            return
        if token["end"]:
            yield Fault(field, Words(query), "one without ;", why)
            return
        if token["opening"]:
            open_.append(sign)
        elif token["closing"] and (not open_ or _PAIRS[open_.pop()] != sign):
            yield Fault(field, Words(query), f"one whose {sign} closes what was opened last", why)
            return
    if open_:
        yield Fault(field, Words(query), f"one whose {open_[-1]} closes", why)


PromQuery = Annotated[str, TextForm(query_faults), Because("Prometheus cannot read it")]
"""Type of a query of Prometheus."""


def gathers(query: str) -> bool:
    """Whether a query makes one number of the series of several pods."""
    plain = _plain(query)
    match = _EACH.fullmatch(plain)
    labels = (match["before"] or match["after"] or "") if match else ""
    return _GATHERS.search(plain) is not None and not _OF_PODS.search(labels)


def does_not_add_up(query: str) -> bool:
    """Whether all of a query is a mean, an end or a quantile, which more pods do not raise."""
    plain = _plain(query)
    match = _ALONE.match(plain)
    if match is None:
        return False
    argument = _argument(plain[match.end() :])
    # The highest of a sum is that sum; only a quantile of buckets is none of how many there are.
    if match["name"].lower() != "histogram_quantile" and _COUNTED.search(argument):
        return False
    after = plain[match.end() + len(argument) + 1 :]
    return re.fullmatch(r"\s*(?:(?:by|without)\s*\([^)]*\)\s*)?", after) is not None


def range_mistakes(query: str) -> Iterator[str]:
    """Where Prometheus wants a range such as `[2m]` and has none, or the other way round."""
    plain = _plain(query)
    for match in _OVER_TIME.finditer(plain):
        argument = _argument(plain[match.end() :])
        if "[" not in argument:
            yield f"{match['name']} of no range, such as [2m]"
    if plain.rstrip().endswith("]"):
        yield "a range alone, which no function takes"


def is_scalar(query: str) -> bool:
    """Whether the answer of Prometheus is one number by itself, which is no list of one element."""
    plain = _plain(query)
    while match := _SCALAR.search(plain):
        after = plain[match.end() :]
        plain = f"{plain[: match.start()]}1{after[len(_argument(after)) + 1 :]}"
    return _CONSTANT.fullmatch(plain) is not None


def divisors(query: str) -> Iterator[str]:
    """What a query divides by that may be 0 while there is something to divide."""
    plain = _plain(query)
    for match in _DIVISION.finditer(plain):
        start = end = match.end()
        while part := _PART.match(plain, end):
            end = part.end()
            if part["opening"]:
                end += len(_argument(plain[end:])) + 1
        divisor = plain[start:end]
        if not _CONSTANT.fullmatch(divisor) and not _NOT_ALONE.search(divisor):
            yield query[start:end]


def _argument(text: str) -> str:
    """What stands up to the bracket that closes the one before."""
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign in _PAIRS) - (sign in _PAIRS.values())
        if not depth:
            return text[:place]
    return text


def _plain(query: str) -> str:
    """A query without its comments, and without what stands in quotes; each sign at its place."""
    return "".join(
        ("''" if token["text"] else "").ljust(len(token[0]))
        if token["text"] or token["comment"]
        else token[0]
        for token in _TOKEN.finditer(query)
    )


def equal_patterns(query: str) -> Iterator[tuple[str, str]]:
    """Matchers of a label whose text is a pattern, and is compared as it stands: as written, meant.

    `pod="chat-.*"` matches a pod that is called so, and not `chat-1`.
    """
    for match in _EQUAL.finditer(query):
        if re.search(r"\.[*+]|\w\|\w", match["text"]):
            sign = "!~" if match["sign"] == "!=" else "=~"
            yield match[0], f'{match["label"]}{sign}"{match["text"]}"'
