"""Says all that is known of one field of a stack file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stacks.sections.environment import PROJECT, Environment

from .examples import Example, example
from .fields import StackField, below, declared_at, field_of, words_of
from .readers import Reader, readers


@dataclass(frozen=True)
class Explanation:
    """What a field is. That of the stack file as a whole has fields below it, and no more."""

    field: str
    """Its path, e.g. `models[].serve.knative.scale.target`; empty for the whole."""
    description: str
    type: str
    bounds: str
    words: Mapping[str, str]
    """What it may say, each with what it means, where it takes certain words only."""
    required: bool
    default: str
    """As JSON; empty where there is none, or null."""
    immutable: bool
    """Whether a change replaces what the field describes."""
    secret: bool
    source: str
    """File and line of its declaration."""
    checks: Sequence[Reader]
    """The rules that read it, as far as this repository's stack files show it."""
    example: Example | None
    """What a stack file of this repository says."""
    examples: Sequence[str]
    """Values of the schema, as JSON."""
    fields: Mapping[str, str]
    """The fields right below it, by path, each with its description."""


def explain(text: str) -> Explanation:
    """Explains the field that somebody means; empty is the stack file as a whole.

    Raises:
        UnknownField: There is none.
    """
    field = field_of(text)
    inner = {part.path: part.key.description for part in below(field)}
    if field is None:
        described = " ".join((Environment.__doc__ or "").split())
        kind = f"section, each key under {PROJECT}:"
        return Explanation(
            "", described, kind, "", {}, True, "", False, False, "", [], None, [], inner
        )
    key = field.key
    return Explanation(
        field=field.path,
        description=key.description,
        type=" or ".join(key.kind),
        bounds=key.bounds,
        words=words_of(field),
        required=key.required,
        default=_default(field),
        immutable=key.immutable,
        secret=key.secret,
        source=declared_at(field),
        checks=readers(field),
        example=None if key.secret else example(field),
        examples=key.examples,
        fields=inner,
    )


def to_json(explanation: Explanation) -> str:
    """An explanation as JSON: default and examples as the values that they are."""
    values: dict[str, Any] = asdict(explanation)
    values["default"] = json.loads(explanation.default) if explanation.default else None
    values["examples"] = [json.loads(value) for value in explanation.examples]
    return json.dumps(values, indent=2, ensure_ascii=False)


def render(explanation: Explanation, console: Console) -> None:
    """Prints an explanation."""
    console.print(Text(explanation.field or "Pulumi.<stack>.yaml", style="bold"))
    console.print(explanation.description)
    console.print()
    console.print(_table(_facts(explanation)))
    if explanation.words:
        _heading("One of", console)
        console.print(_table(explanation.words))
    if explanation.checks:
        _heading("Read by", console)
        console.print(_table({_called(reader): reader.sentence for reader in explanation.checks}))
    if explanation.example:
        place = f"{explanation.example.file}:{explanation.example.line}"
        _heading(f"Example, {place}", console)
        for line in explanation.example.text.splitlines():
            console.print(f"  {line}", soft_wrap=True)
    if explanation.fields:
        _heading("Fields below", console)
        console.print(_table(explanation.fields))


def _facts(explanation: Explanation) -> Mapping[str, str]:
    kind = ", ".join(filter(None, (explanation.type, explanation.bounds)))
    no_reader = "no check, as far as the stack files of this repository show"
    facts = {
        "type": f"{kind}, secret" if explanation.secret else kind,
        "required": "yes" if explanation.required and explanation.field else "",
        "default": explanation.default,
        "a change": "replaces what it describes" if explanation.immutable else "",
        "such as": ", ".join(explanation.examples),
        "declared in": explanation.source,
        "read by": no_reader if explanation.field and not explanation.checks else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _default(field: StackField) -> str:
    """A section's defaults are those of its fields."""
    is_section = field.key.default.startswith("{") and below(field)
    return "" if is_section else field.key.default


def _called(reader: Reader) -> str:
    """A rule's name, and what it is where it is no check across sections."""
    notes = {"warning": " (warns)", "section": " (its section)"}
    return f"{reader.name}{notes.get(reader.kind, '')}"


def _heading(text: str, console: Console) -> None:
    console.print(Text(f"\n{text}", style="bold"))


def _table(rows: Mapping[str, str]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows.items():
        table.add_row(f"  {name}", Text(text))
    return table
