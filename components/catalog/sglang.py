"""What each release of SGLang's server knows: its flags, and their values.

`sglang_releases.json` is made by `python -m reference.sglang` out of the wheels' sources, read on
2026-11-30. A release in between is validated against the nearest older one.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Version = tuple[int, int, int, int]
"""The last part is that of a repair: 5 of 0.4.6.post5."""

_FORM: Final = re.compile(
    r"v?(0)\.(\d{1,2})\.(\d{1,3})(?:[.-]?post(\d{1,2}))?(?![\d.]|[-.]?(?:rc|dev)\d*)"
)
"""Of no candidate: 0.5.0rc2 has flags of 0.5.0, which is no release."""
_REPOSITORY: Final = (
    r"((docker|hub|io|mirror|library|lmsys|lmsysorg)[-_.])*sglang([-_.](sglang|openai|api|server|"
    r"serving|inference|gpu|cuda|cu\d+|rocm|arm64|aarch64|amd64|x86|64|release|repo|base|mirror))*"
)
"""Names of repositories that hold SGLang itself, and not a program of somebody's with its own
releases."""


@dataclass(frozen=True)
class SglangFlag:
    """A flag and what is known of it."""

    values: tuple[str, ...]
    """The only values that it takes; empty where others may do."""


def sglang_version(image: str) -> Version | None:
    """The release of an image of SGLang by its tag, such as `v0.5.3-cu126`; None if none tells."""
    repository, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    match = _FORM.match(tag) if re.fullmatch(_REPOSITORY, repository.lower()) else None
    return read_version(match[0]) if match else None


def read_version(text: str) -> Version:
    """A version as a tuple."""
    match = _FORM.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no version of SGLang")
    major, minor, patch, repair = match.groups(default="0")
    return int(major), int(minor), int(patch), int(repair)


def sglang_name(version: Version) -> str:
    """A version as its makers write it, e.g. `0.4.6.post5`."""
    *release, repair = version
    return ".".join(map(str, release)) + (f".post{repair}" if repair else "")


def sglang_releases() -> tuple[Version, ...]:
    """The releases that were read, the oldest first."""
    return tuple(read_version(name) for name in _table()["releases"])


@functools.cache
def sglang_flags(version: Version | None) -> Mapping[str, SglangFlag]:
    """Flags by their spelling, of a release; None stands for all: what they lack, none has."""
    rows: Mapping[str, Any] = _table()["flags"]
    if version is None:
        return {flag: SglangFlag(()) for flag in rows}
    read = sglang_releases()
    nearest = [entry for entry in read if entry <= version][-1:] or [read[0]]
    return {
        flag: SglangFlag(tuple(values))
        for flag, spans in rows.items()
        for values, first, last in spans
        if read_version(first) <= nearest[0] <= read_version(last)
    }


def sglang_lifetime(flag: str) -> tuple[Version, Version] | None:
    """The first and the last release that was read with a flag; None where none has it."""
    spans = _table()["flags"].get(flag)
    return (read_version(spans[0][1]), read_version(spans[-1][2])) if spans else None


@functools.cache
def _table() -> Mapping[str, Any]:
    path = Path(__file__).with_name("sglang_releases.json")
    content: Mapping[str, Any] = json.loads(path.read_text())
    return content
