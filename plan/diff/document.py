"""Writes a diff as JSON, for other tools."""

import json
from typing import Any, Final

from ..changes import ABSENT
from ..cost_export import comparison_document
from .compare import Property, ResourceChange, StackDiff
from .dangers import by_danger, headlines
from .report import Report, StackReport, comparison

VERSION: Final = 1
"""Raised when a key changes its meaning or goes."""


def to_json(report: Report) -> str:
    """All that was found, with `[secret]` and `[unknown]` in place of such values."""
    document = {
        "version": VERSION,
        "base": report.base,
        "head": report.head,
        "stacks": [_section(section) for section in report.sections],
    }
    return json.dumps(document, indent=2)


def _section(section: StackReport) -> dict[str, Any]:
    diff = section.diff
    if diff is None:
        refused = {refusal.revision: list(refusal.sentences) for refusal in section.refusals}
        return {"stack": section.stack, "refused": refused}
    return {
        "stack": section.stack,
        "headlines": headlines(diff),
        "violations": list(section.violations),
        "advice": list(section.advice),
        "changes": [_change(diff, change) for change in by_danger(diff.changes)],
        "unchanged": diff.unchanged,
        "unprotected": list(diff.unprotected),
        "outputs": [_property(output) for output in diff.outputs],
        "cost": comparison_document(comparison(diff)),
    }


def _change(diff: StackDiff, change: ResourceChange) -> dict[str, Any]:
    return {
        "kind": change.kind.value,
        "urn": change.urn,
        "type": change.resource.type,
        "name": change.resource.name,
        "component": not change.resource.custom,
        "formerUrn": change.former or None,
        "because": list(change.because),
        "deletesFirst": change.deletes_first,
        "protected": diff.protected(change),
        "properties": [_property(property_) for property_ in change.properties],
    }


def _property(property_: Property) -> dict[str, Any]:
    """`old` or `new` is missing where there is no such value."""
    ends = {"old": property_.old, "new": property_.new}
    present = {key: value for key, value in ends.items() if value is not ABSENT}
    return {"path": property_.path, **present, "replaces": property_.replaces}
