"""Reads which level and which settings a team gives the rules.

The file is the one that the engine takes with `--policy-pack-config`, so that one file configures
both ways to run the rules: https://www.pulumi.com/docs/insights/policy/policy-packs/configuration/.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.args import Fault, Refusal, Words, nearest
from plan.refused import Refused

from .model import Level, Rule, Settings
from .rules import RULES

CONFIGURATION_FILE: Final = "policy-config.json"
"""Name of the file, beside Pulumi.yaml."""

_ALL: Final = "all"
_LEVEL: Final = "enforcementLevel"
_OF_THE_ENGINE: Final = "environments"
"""Key of the same file that the engine alone reads."""


@dataclass(frozen=True)
class Configured:
    """A rule with the level and the settings that hold for it."""

    rule: Rule
    level: Level
    settings: Settings


Configuration = Sequence[Configured]

DEFAULTS: Final[Configuration] = tuple(
    Configured(rule, rule.level, rule.settings()) for rule in RULES
)


def read_configuration(root: Path) -> Configuration:
    """Reads the configuration of a project; without a file, the defaults hold.

    Raises:
        Refused: The file says something that no rule understands, in one sentence per fault.
    """
    path = root / CONFIGURATION_FILE
    if not path.is_file():
        return DEFAULTS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(path.name, f"{path.name} is not JSON: {error}.") from None
    if not isinstance(document, Mapping):
        raise Refused(path.name, f"{path.name} must hold rules by their names, in braces.")
    faults = list(configuration_faults(document))
    if faults:
        raise Refused(path.name, *map(str, faults))
    return configure(document)


def configure(document: Mapping[str, Any]) -> Configuration:
    """What holds where a sound configuration is laid over the defaults."""
    entries = {name: _entry(entry) for name, entry in document.items()}
    everywhere = entries.get(_ALL, {}).get(_LEVEL)
    return tuple(
        Configured(
            rule,
            Level(entries.get(rule.name, {}).get(_LEVEL) or everywhere or rule.level),
            rule.settings_of(_settings(entries.get(rule.name, {}))),
        )
        for rule in RULES
    )


def configuration_faults(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Finds everything in a configuration that would be passed over or misread."""
    rules = {rule.name: rule for rule in RULES}
    for name, entry in document.items():
        if name == _OF_THE_ENGINE:
            continue
        if name != _ALL and name not in rules:
            close = nearest(name, rules)
            want = f"left out (did you mean {close!r}?)" if close else "left out"
            yield Fault(name, Words("not a rule"), want, f"the rules are {', '.join(rules)}")
        elif not isinstance(entry, str | Mapping):
            yield Fault(name, entry, "a level or a section of settings", "nothing else is read")
        else:
            yield from _level_faults(name, entry)
            yield from _settings_faults(name, rules.get(name), _settings(_entry(entry)))


def _level_faults(name: str, entry: str | Mapping[str, Any]) -> Iterator[Fault]:
    level = _entry(entry).get(_LEVEL, Level.MANDATORY)
    if level not in list(Level):
        field = name if isinstance(entry, str) else f"{name}.{_LEVEL}"
        yield Fault(field, level, f"one of {', '.join(Level)}", "a rule has no other level")


def _settings_faults(name: str, rule: Rule | None, settings: Mapping[str, Any]) -> Iterator[Fault]:
    if rule is None:
        for field in settings:
            why = "only a level can be set for all rules at once"
            yield Fault(f"{name}.{field}", Words("given"), "left out", why)
        return
    try:
        rule.settings_of(settings)
    except Refusal as refusal:
        yield from refusal.faults


def _entry(entry: object) -> Mapping[str, Any]:
    """A rule's section; a level alone is short for a section with nothing else."""
    if isinstance(entry, str):
        return {_LEVEL: entry}
    return entry if isinstance(entry, Mapping) else {}


def _settings(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {field: value for field, value in entry.items() if field != _LEVEL}
