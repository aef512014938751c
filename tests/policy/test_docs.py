"""The tables in docs/policies.md say what the table of rules says."""

import json
import re
from typing import Any

from policy.configuration import configuration_faults
from policy.model import Settings
from policy.rules import RULES
from tests.stacks.environments import ROOT

TEXT = (ROOT / "docs" / "policies.md").read_text()


def rows(mark: str) -> list[str]:
    """The rows of a table, its header left out."""
    _, _, after = TEXT.partition(f"<!-- {mark} -->")
    table = after.strip().splitlines()
    end = next(number for number, line in enumerate(table) if not line.startswith("|"))
    return table[2:end]


def test_the_table_of_rules_is_the_one_that_is_run():
    assert rows("rules") == [
        f"| `{rule.name}` | {rule.description} | {rule.level} | "
        f"{'the whole stack' if rule.whole_stack else 'each resource'} |"
        for rule in RULES
    ]


def test_the_table_of_settings_is_the_one_that_is_read():
    kinds = {rule.settings: rule.settings.model_json_schema()["properties"] for rule in RULES}
    shared = set(Settings.model_fields)
    assert rows("settings") == [
        *(f"| every rule | `{name}` | {_about(kinds[Settings][name])} |" for name in shared),
        *(
            f"| `{rule.name}` | `{name}` | {_about(about)} |"
            for rule in RULES
            for name, about in kinds[rule.settings].items()
            if name not in shared
        ),
    ]


def _about(about: dict[str, Any]) -> str:
    return f"{' '.join(about['description'].split())} | `{json.dumps(about['default'])}`"


def test_the_configuration_shown_is_a_sound_one():
    blocks = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for text in blocks:
        assert list(configuration_faults(json.loads(text))) == []
