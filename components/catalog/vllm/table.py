"""What each release of vLLM knows: flags, choices, keys, formats, series, parsers, variables.

`releases.json` is made by `make vllm-table` out of the wheels' sources; it says when, and which
releases were read. A release in between is validated against the nearest older one, a newer
one against the newest, an older one against the oldest.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

Version = tuple[int, int, int]

SWITCH: Final = "switch"
"""A flag without a value."""
VALUE: Final = "value"
"""A flag with one value."""
OPTIONAL: Final = "optional"
"""A flag with a value or without."""
VALUES: Final = "values"
"""A flag with one value or more."""


@dataclass(frozen=True)
class Span:
    """Releases that know something."""

    first: Version
    last: Version | None = None
    """The last one; None where it is known still."""

    def has(self, version: Version) -> bool:
        """Whether a release is one of them."""
        return self.first <= version and (self.last is None or version <= self.last)

    def __str__(self) -> str:
        end = f"to {release_name(self.last)}" if self.last else "and later"
        return f"{release_name(self.first)} {end}"


@dataclass(frozen=True)
class Release:
    """What one release knows."""

    version: Version
    flags: Mapping[str, str]
    """By spelling, how many values follow; of a short one, the flag that it stands for."""
    serve: frozenset[str]
    """Of these, the ones of `vllm serve` alone, on which the module of the server exits."""
    quantization: Mapping[str, float]
    """By method, the compute capability that it needs."""
    series: frozenset[str]
    """Names at /metrics, without `_total`."""

    @property
    def name(self) -> str:
        """As people write it, e.g. `0.4.1`."""
        return release_name(self.version)

    @functools.cached_property
    def of_module(self) -> "Release":
        """What `python -m vllm.entrypoints.openai.api_server` knows of it."""
        flags = {flag: kind for flag, kind in self.flags.items() if flag not in self.serve}
        return replace(self, flags=flags) if self.serve else self

    def candidates(self, spelled: str) -> tuple[str, ...]:
        """The flags that a spelling may stand for: itself, or those that it begins.

        argparse takes any unambiguous beginning of a long flag for the flag.
        """
        if spelled in self.flags:
            return (spelled,)
        if not spelled.startswith("--") or spelled == "--":
            return ()
        return tuple(flag for flag in self.flags if flag.startswith(spelled))

    def flag(self, spelled: str) -> str | None:
        """The flag that a spelling stands for; None where there is none, or more than one."""
        flags = {self.main(flag) for flag in self.candidates(spelled)}
        return flags.pop() if len(flags) == 1 else None

    def main(self, flag: str) -> str:
        """The flag itself, or the one that a short flag stands for."""
        kind = self.flags[flag]
        return kind if kind.startswith("-") else flag


def release_name(version: Version) -> str:
    """A version as people write it, e.g. `0.4.1`."""
    return ".".join(map(str, version))


def table_date() -> str:
    """Day on which the wheels were read, e.g. `2026-11-28`."""
    return str(_table()["read"])


def releases() -> tuple[Version, ...]:
    """The releases that were read, the oldest first."""
    return tuple(read_version(name) for name in _table()["releases"])


@functools.cache
def release(version: Version | None) -> Release:
    """What a release knows.

    Args:
        version: None stands for the newest that was read.
    """
    read = releases()
    older = [entry for entry in read if version is None or entry <= version]
    nearest = older[-1] if older else read[0]
    columns = (_column(key, nearest) for key in ("flags", "serve", "quantization", "series"))
    flags, serve, quantization, series = columns
    return Release(nearest, flags, frozenset(serve), quantization, frozenset(series))


@functools.cache
def any_release() -> Release:
    """What some release knows: what it lacks, none has.

    Of a method's compute capability it says the lowest.
    """
    flags = {name: spans[-1][0] for name, spans in _table()["flags"].items()}
    rows = _table()["quantization"].items()
    lowest = {name: min(span[0] for span in spans) for name, spans in rows}
    return Release(releases()[-1], flags, frozenset(), lowest, frozenset(_table()["series"]))


def choices(flag: str, version: Version) -> tuple[str, ...]:
    """The only values that a release takes for a flag; empty where others may do."""
    rows = {flag: _table()["choices"].get(flag, [])}
    return tuple(dict(_entries_at(rows, release(version).version)).get(flag, ()))


def lifetime(key: str, name: str) -> Span | None:
    """The releases that know a name, from the first to the last; None where none does.

    Args:
        key: flags, serve, keys, quantization, series, tool_parsers, reasoning_parsers, variables,
            kv_connectors or ec_connectors.
        name: E.g. `--task`, `gguf`.
    """
    rows = _table()[key].get(name)
    if not rows:
        return None
    first, last = read_version(rows[0][1]), read_version(rows[-1][2])
    return Span(first, None if last == releases()[-1] else last)


def texts(name: str, version: Version | None) -> tuple[str, ...]:
    """The only texts that a release, or else any, takes for a key of a flag; empty is any.

    Args:
        name: Flag and key, e.g. `--kv-transfer-config.kv_role`.
        version: None stands for every release.
    """
    spans = _table()["keys"].get(name, [])
    if version is None:
        taken = [set(words) for words, _, _ in spans]
        return tuple(sorted(set().union(*taken))) if all(taken) else ()
    return tuple(dict(_entries_at({name: spans}, release(version).version)).get(name, ()))


@dataclass(frozen=True)
class Switch:
    """A variable that is on at some texts, and off at any other, without an error."""

    on: tuple[str, ...]


def variable_form(name: str, version: Version) -> str | tuple[str, ...] | Switch:
    """What a release reads a variable as: `int`, `float`, one of some texts, or "" for any."""
    spans = _table()["variables"].get(name, [])
    form = dict(_entries_at({name: spans}, release(version).version)).get(name, "")
    if isinstance(form, dict):
        return Switch(tuple(form["on"]))
    return form if isinstance(form, str) else tuple(form)


def gone_since(key: str, name: str, version: Version) -> Version | None:
    """The release that dropped a name, if one up to a version did, after others knew it."""
    last = max((listed for listed in _knowing(key, name) if listed <= version), default=None)
    return next((later for later in releases() if last and later > last), None)


def _knowing(key: str, name: str) -> Iterator[Version]:
    """Last releases of the spans in which a name is known."""
    return (read_version(last) for _, _, last in _table()[key].get(name, ()))


def names(key: str, version: Version | None = None) -> frozenset[str]:
    """Every name that some release knows, or that the one of a version does."""
    if version is None:
        return frozenset(_table()[key])
    return frozenset(_column(key, release(version).version))


def _column(key: str, version: Version) -> Mapping[str, Any]:
    return MappingProxyType(dict(_entries_at(_table()[key], version)))


def _entries_at(rows: Mapping[str, list[list[Any]]], version: Version) -> Iterator[tuple[str, Any]]:
    for name, spans in rows.items():
        for value, first, last in spans:
            if read_version(first) <= version <= read_version(last):
                yield name, value


@functools.cache
def read_version(name: str) -> Version:
    """A version as people write it, as numbers."""
    major, minor, patch = map(int, name.split("."))
    return major, minor, patch


@functools.cache
def _table() -> dict[str, Any]:
    """Read when the first vLLM image is validated."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name("releases.json").read_text())
    return content
