"""A status on a terminal and as JSON: a line where all is well, else the first broken link."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.text import Text

from .model import Finding, Stage, Status, Way

WORDS: Final = {
    Stage.READY: "ready",
    Stage.UNSEEN: "not seen",
    Stage.COMING: "on its way",
    Stage.BROKEN: "broken",
}
STYLES: Final = {
    Stage.READY: "green",
    Stage.UNSEEN: "yellow",
    Stage.COMING: "yellow",
    Stage.BROKEN: "bold red",
}


def render(status: Status, console: Console) -> None:
    """Shows a status."""
    for line in lines(status):
        console.print(line, soft_wrap=True)


def lines(status: Status) -> Iterator[Text]:
    """A status line by line."""
    count = len(status.ways)
    counts = {state: sum(way.state is state for way in status.ways) for state in Stage}
    parts = [f"{number} {WORDS[state]}" for state, number in counts.items() if number]
    models = "1 model or job" if count == 1 else f"{count} models and jobs"
    yield Text(f"{status.stack}: {models}" + (f", {', '.join(parts)}" if parts else ""))
    width = max((len(way.name) for way in status.ways), default=0)
    for way in status.ways:
        yield _way(way, width)
        for finding in _shown(way):
            yield from _finding(finding, " " * (width + 4))
    yield from (Text(f"Drift: {sentence}") for sentence in status.drift)
    yield from (Text(f"Not seen: {sentence}") for sentence in status.unseen)


def to_json(status: Status) -> str:
    """All of a status with every finding; states are `ready`, `unseen`, `coming`, `broken`."""
    document = {
        "stack": status.stack,
        "state": status.state.name.lower(),
        "models": [
            {
                **asdict(way),
                "state": way.state.name.lower(),
                "findings": [
                    {**asdict(finding), "state": finding.state.name.lower()}
                    for finding in way.findings
                ],
            }
            for way in status.ways
        ],
        "drift": status.drift,
        "unseen": status.unseen,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _way(way: Way, width: int) -> Text:
    facts = [
        ", ".join(f"{place.ready} of {place.pods} pods on {place.pool}" for place in way.places)
        or "no pods",
        way.note,
        _scaling(way),
    ]
    return Text.assemble(
        f"  {way.name:<{width}}  ",
        (f"{WORDS[way.state]:<10}", STYLES[way.state]),
        f"  {way.title}; {'; '.join(filter(None, facts))}",
    )


def _scaling(way: Way) -> str:
    scaling = way.autoscaling
    if scaling is None:
        return ""
    metrics = ", ".join(scaling.metrics)
    limit = f", held by {scaling.limit}" if scaling.limit else ""
    wants = f"wants {scaling.desired}, has {scaling.current}"
    return f"{wants}{f' ({metrics})' if metrics else ''}{limit}"


def _shown(way: Way) -> list[Finding]:
    """The first broken link; or all that is on its way, each thing once."""
    if way.state is Stage.BROKEN:
        return [finding for finding in [way.first] if finding]
    return list({finding.why: finding for finding in way.findings}.values())


def _finding(finding: Finding, indent: str) -> Iterator[Text]:
    yield Text(f"{indent}{finding.subject} {finding.why}.")
    if finding.remedy:
        yield Text(f"{indent}Do: {finding.remedy}.")
    if finding.row:
        yield Text(f"{indent}See: {finding.row} in docs/guides/troubleshooting.md")
