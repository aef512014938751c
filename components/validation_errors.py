"""Turns an error of pydantic into one fault per field: where, what was found, what is right."""

import ast
import functools
import inspect
import itertools
import re
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from .faults import MISSING, Fault, Refusal, Words
from .keys import (
    TYPO,
    UNIONS,
    beginning,
    mappings,
    meant_key,
    meant_places,
    models_in,
    nearest,
    related_key,
    snake,
)
from .text_forms import text_readers

_NAME_OF_OTHERS = re.compile("[./]")
"""What names of labels, resources and the like have, and no key of ours."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
"""What YAML reads as a number where no quotes are around it."""
_BOOLS = re.compile("true|false")
"""The same of true and false."""
_SECONDS: Mapping[str, int] = types.MappingProxyType({"s": 1, "m": 60, "h": 3600})
_UNITS: Mapping[str, int] = types.MappingProxyType({"seconds": 1, "minutes": 60, "hours": 3600})
"""How names of fields with a time end, with the seconds of its unit."""
_SHARES = frozenset({"percent", "percentage"})
"""How names of fields with a share in percent end."""
_DURATION = re.compile(r"(\d{1,6}(\.\d{1,3})?(h|m(in)?|s(ec)?))+")
"""A time as Kubernetes and Knative write it, or people, where a field has seconds."""
_BYTES = re.compile(r"\d+(\.\d+)?[KMGT]i?B")
"""A size as people write it, of which Kubernetes has no B."""
_MAY_HOLD_SECRETS = frozenset({"env", "secret_env"})
"""Fields whose text is not shown, since people write tokens there."""
_MOST_CHOICES = 20
"""Values of a field that a sentence names where one of them is near."""
_FIRST_KEYS = 4
"""Keys of a section that a sentence names where none was given."""


def faults(model: type[BaseModel], error: ValidationError, raw: object) -> list[Fault]:
    """Turns a pydantic error into one fault per field.

    pydantic reports one line per arm of a union (`pulumi.Input[str]` has three); the arms of a
    field are folded into one fault here.

    Args:
        model: Model that refused.
        error: What pydantic raised.
        raw: The input it was given; list items that have a `name` are called by it.
    """
    groups: dict[tuple[str, bool], list[Fault]] = {}
    lone_arms: dict[str, Fault] = {}
    for detail in error.errors():
        steps = _steps(model, detail["loc"])
        path = path_of(raw, steps)
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Refusal):
            groups.setdefault((path, True), []).extend(
                nested.under(path) for nested in cause.faults
            )
            continue
        fault = _fault(model, steps, path, detail, raw)
        is_other_arm = detail["type"] == "enum" and isinstance(detail["input"], Mapping)
        if detail["type"] == "is_instance_of" or is_other_arm:
            # Of Input[str], the arm for text says it better, and of a section that of its keys;
            # where there is no other, this must.
            lone_arms.setdefault(path, fault)
        elif fault not in (alternatives := groups.setdefault((path, False), [])):
            alternatives.append(fault)
    for path, fault in lone_arms.items():
        paths = [where for where, _ in groups]
        inner = (f"{path}.", f"{path}[")
        if path not in paths and not any(where.startswith(inner) for where in paths):
            groups[path, False] = [fault]
    return [
        fault
        for (_, by_rule), group in groups.items()
        for fault in (group if by_rule else _folded(group))
    ]


def faults_of(error: ValidationError | Refusal) -> list[Fault]:
    """The faults that rules and bounds raised, where all types are right."""
    if isinstance(error, Refusal):
        return [*error.faults]
    raised: list[Fault] = []
    for detail in error.errors():
        path, cause = path_of(None, detail["loc"]), detail.get("ctx", {}).get("error")
        if isinstance(cause, Refusal):
            raised += [fault.under(path) for fault in cause.faults]
        else:
            want, why = _want(detail["type"], detail, None), "nothing else is taken"
            raised.append(Fault(path, detail["input"], want, why))
    return raised


def path_of(raw: object, steps: Iterable[str | int]) -> str:
    """Writes a location as a reader would: `pools[a10].autoscale.max`."""
    path, value = "", raw
    for step in steps:
        value = _child(value, step)
        if isinstance(step, int):
            name = value.get("name") if isinstance(value, Mapping) else None
            path += f"[{name if isinstance(name, str) else step}]"
        elif path and _NAME_OF_OTHERS.search(step):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def field_at(model: type[BaseModel], steps: Sequence[str | int]) -> FieldInfo | None:
    """Finds the declaration of a field, through lists, dicts, optionals and unions."""
    models, field = [model], None
    for step in steps:
        if isinstance(step, int):
            continue
        field = next((f for m in models if (f := _field(m, step))), None)
        if field is not None:
            models = list(models_in(field.annotation))
    return field


def keys_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[str]:
    """The keys that may stand at a location, in the order they are declared."""
    models = _models_at(model, steps)
    keys = (info.alias or name for m in models for name, info in m.model_fields.items())
    return list(dict.fromkeys(keys))


def _models_at(model: type[BaseModel], steps: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models of the section at a location."""
    field = field_at(model, steps)
    return list(models_in(field.annotation)) if field else [] if steps else [model]


def _folded(group: list[Fault]) -> list[Fault]:
    wants = dict.fromkeys(fault.want for fault in group)
    if len({fault.field for fault in group}) > 1 or len(wants) < 2:
        return group
    first = group[0]
    return [Fault(first.field, first.got, " or ".join(wants), first.why, first.source)]


@functools.cache
def descriptions(model: type[BaseModel]) -> Mapping[str, str]:
    """The text under each field of a model, inherited ones among them.

    pydantic's own `use_attribute_docstrings` reads the source of every model at its import.
    """
    docstrings: dict[str, str] = {}
    for class_ in reversed(model.__mro__):
        if issubclass(class_, BaseModel) and class_ is not BaseModel:
            docstrings |= _attribute_docstrings(class_.__module__).get(class_.__qualname__, {})
    return docstrings


@functools.cache
def _attribute_docstrings(module: str) -> Mapping[str, Mapping[str, str]]:
    """By class and attribute, what stands under the attributes of a module's classes."""
    classes = ast.parse(inspect.getsource(sys.modules[module])).body
    return {
        class_.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in itertools.pairwise(class_.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for class_ in classes
        if isinstance(class_, ast.ClassDef)
    }


def _fault(
    model: type[BaseModel], steps: Sequence[str | int], path: str, detail: Any, raw: object
) -> Fault:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, steps, path, raw)
    got = _at(raw, steps)
    for fault in _entry_faults(model, steps, got):
        return fault.under(path_of(raw, steps[:-2]))
    info = _field_around(model, steps)
    if kind == "missing":
        return Fault(path, MISSING, "given", _purpose(info))
    models = [*models_in(info.annotation)] if info else [model]
    if _is_secret(info) or any(map(_holds_secret, models)):
        got = Words("given in plain")
    elif isinstance(got, pulumi.Output):
        got = Words("an Output, known only later")
    elif not _MAY_HOLD_SECRETS.isdisjoint(steps):
        hidden, got = got, Words(_kind_of(got))
        if kind == "string_type" and isinstance(hidden, bool | int | float):
            return Fault(path, got, "text in quotes", _purpose(info))
        if kind == "string_type" and isinstance(hidden, Mapping):
            want = "text, or left out where secret_env names the Secret that has it"
            return Fault(path, Words("a section of keys and values"), want, _purpose(info))
    elif _is_nested(got):
        got = Words("a list" if isinstance(got, list) else "a section of keys and values")
    want = _want(kind, detail, info)
    if models and kind in ("list_type", "model_type", "dict_type", "model_attributes_type"):
        want += f" of sections{_keys_of(models)}" if kind == "list_type" else _keys_of(models)
    if kind == "string_type" and isinstance(got, float):
        why = "without them YAML reads a number, by which 1.30 is 1.3"
        return Fault(path, got, "text in quotes", why)
    if kind == "string_type" and isinstance(got, int):
        texts = [text for text in (info.examples if info else None) or [] if isinstance(text, str)]
        want = f"text in quotes, as {str(got).lower()!r} is"
        if texts and not _NUMBER.fullmatch(texts[0]) and not isinstance(got, bool):
            want = f"text such as {texts[0]!r}"
    if isinstance(got, str) and kind in ("int_type", "float_type", "bool_type"):
        is_bool = kind == "bool_type"
        want += ", without quotes" if (_BOOLS if is_bool else _NUMBER).fullmatch(got) else ""
        unit = str(steps[-1]).rpartition("_")[2]
        if unit in _SHARES and got.endswith("%") and _NUMBER.fullmatch(got[:-1]):
            want += f" (did you mean {got[:-1]}?)"
        if unit in _UNITS and (time := _time_in(got, _UNITS[unit])) is not None:
            want += f" (did you mean {time}?)"
    if isinstance(got, str) and kind == "enum":
        want = _choice(want, got, path)
    if isinstance(got, str) and kind == "string_pattern_mismatch" and _BYTES.fullmatch(got):
        want += f" (did you mean {got[:-1]!r}?)"
    return Fault(path or "args", got, want, _purpose(info))


def _choice(want: str, got: str, path: str) -> str:
    """The values that a field takes, with the one that a text is but for its spelling."""
    choices = re.findall(r"'([^']*)'", want)
    spelled = {snake(choice): choice for choice in choices}
    meant = spelled.get(nearest(snake(got), spelled, TYPO) or "")
    if meant is None:
        return want
    if len(choices) <= _MOST_CHOICES:
        return f"{want} (did you mean {meant!r}?)"
    field = re.sub(r"\[[^\]]*\]", "", path)
    return f"{meant!r}, or another of the {len(choices)} that `ack-inference explain {field}` lists"


def _time_in(text: str, unit: int) -> int | None:
    """A time such as 1m30s, in whole units of so many seconds; None of what is no such number."""
    if not _DURATION.fullmatch(text):
        return None
    parts = re.findall(r"([\d.]+)([hms])", text)
    time = sum(float(number) * _SECONDS[letter] for number, letter in parts) / unit
    return int(time) if time.is_integer() else None


def _kind_of(value: object) -> str:
    """What a value is, without saying it."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "nothing" if value is None else "something else"


def _is_nested(value: object) -> bool:
    """Whether there are sections in it, of which nobody knows what they hold."""
    inner = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, list | Mapping) and any(
        isinstance(item, list | Mapping) for item in typing.cast("Iterable[object]", inner)
    )


def _entry_faults(
    model: type[BaseModel], steps: Sequence[str | int], got: object
) -> Iterator[Fault]:
    """What is wrong with the key of an entry whose value cannot be read."""
    if len(steps) < 2 or not isinstance(steps[-1], str):
        return
    field, key = str(steps[-2]), steps[-1]
    for holder in _models_at(model, steps[:-2]):
        for read in text_readers(holder).get(field, ()):
            yield from read(field, {key: got})


def _keys_of(models: Sequence[type[BaseModel]]) -> str:
    """The first keys of a section, where something else was given."""
    fields = {name: info for model in models for name, info in model.model_fields.items()}
    keys = sorted(fields, key=lambda name: not (fields[name].is_required() or name == "install"))
    first, more = keys[:_FIRST_KEYS], " and others" if len(keys) > _FIRST_KEYS else ""
    return f", with {', '.join(first)}{more}" if first else ""


def _field_around(model: type[BaseModel], steps: Sequence[str | int]) -> FieldInfo | None:
    """The declaration of a field, or of the dict or list that holds a value."""
    paths = (steps[:end] for end in range(len(steps), 0, -1))
    return next((info for path in paths if (info := field_at(model, path))), None)


def _unknown_key(
    model: type[BaseModel], steps: Sequence[str | int], path: str, raw: object
) -> Fault:
    key, section, keys = str(steps[-1]), steps[:-1], keys_at(model, steps[:-1])
    models = _models_at(model, section)
    close = meant_key(key, keys)
    hints = [each.place_of(key) for each in models if hasattr(each, "place_of")]
    guess = [] if close else [hint for hint in hints if hint][:1]
    first, _, rest = key.partition(".")
    if first in keys and rest and not guess:
        guess = [f"{rest} inside {first}, which `pulumi config set` writes with --path"]
    if _NAME_OF_OTHERS.search(key) and not close and not guess:
        guess = [f"an entry of {field}" for field in mappings(models)]
    close = close or beginning(key, keys)
    if not guess and not close:
        guess = _places_of(model, steps, raw)
        close = related_key(key, keys)
    guess = guess or ([repr(close)] if close else [])
    want = f"left out (did you mean {' or '.join(guess)}?)" if guess else "left out"
    why = f"the keys here are {', '.join(keys)}" if keys else "no key is allowed here"
    return Fault(path, Words("not a known key"), want, why)


def _places_of(model: type[BaseModel], steps: Sequence[str | int], raw: object) -> list[str]:
    """Where else a key is known, as a reader would write it; the nearest sections come first."""
    ends = [end for end in range(len(steps) - 1, -1, -1) if not isinstance(steps[end], int)]
    around = [steps[:end] for end in ends]
    end, places = meant_places(
        [_models_at(model, section) for section in around],
        str(steps[-1]),
        _at(raw, steps),
        lambda number, place: (
            None
            if _is_instead(model, steps, around[number], place)
            else _is_there(_at(raw, around[number]), place)
        ),
    )
    above = path_of(raw, around[end]) if places else ""
    return [
        f"{above}.{place}" if above else place if "." in place else f"{place!r} at the top"
        for place in places
    ]


def _is_instead(
    model: type[BaseModel], steps: Sequence[str | int], around: Sequence[str | int], place: str
) -> bool:
    """Whether a place is in a section that takes the place of the one where the key stands."""
    path = [step for step in steps[len(around) :] if isinstance(step, str)]
    pairs = zip(path, place.replace("[]", "").split("."), strict=False)
    shared = [step for step, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]
    is_inside = len(shared) < len(path) - 1
    return is_inside and any(map(_is_choice, _models_at(model, [*around, *shared])))


def _is_choice(model: type[BaseModel]) -> bool:
    """Whether a model has nothing but sections that may be left out: one of them is given."""
    fields = model.model_fields.values()
    return len(fields) > 1 and all(
        info.default is None and any(models_in(info.annotation)) for info in fields
    )


def _is_there(section: object, place: str) -> bool:
    """Whether a section holds the one, or the list, that a key deeper inside belongs to."""
    value = section
    for step in place.split(".")[:-1]:
        value = _child(value, step.removesuffix("[]"))
        if step.endswith("[]"):
            break
    return value not in (None, MISSING, [])


_WANTS: Mapping[str, str] = types.MappingProxyType(
    {
        "string_type": "text",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "finite_number": "a finite number",
        "float_parsing": "a number",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "list_type": "a list",
        "dict_type": "a section of keys and values",
        "model_type": "a section of keys and values",
        "model_attributes_type": "a section of keys and values",
        "ip_v4_network": "an IPv4 address range such as 10.0.0.0/16, no host bits set",
        "ip_any_network": "an address range such as 10.0.0.0/16, no host bits set",
    }
)


def _want(kind: str, detail: Any, info: FieldInfo | None) -> str:
    ctx = detail.get("ctx", {})
    match kind:
        case "greater_than_equal":
            return f"{ctx['ge']} or more"
        case "greater_than":
            return f"more than {ctx['gt']}"
        case "less_than_equal":
            return f"{ctx['le']} or less"
        case "less_than":
            return f"less than {ctx['lt']}"
        case "string_pattern_mismatch" if info and info.examples:
            return f"text such as {info.examples[0]}"
        case "string_pattern_mismatch":
            return f"text that matches {ctx['pattern']}"
        case "too_short" | "string_too_short":
            return f"at least {ctx['min_length']} long"
        case "too_long" | "string_too_long":
            return f"at most {ctx['max_length']} long"
        case "is_instance_of":
            return f"a {ctx['class']}"
        case "enum" | "literal_error":
            return f"one of {ctx['expected']}"
    return _WANTS.get(kind) or str(detail["msg"])


def _purpose(info: FieldInfo | None) -> str:
    text = " ".join((info.description or "").split()) if info else ""
    sentence = re.split(r"(?<!e\.g)\. ", text)[0].rstrip(".")
    if not sentence:
        return "nothing else is understood here"
    word = sentence.split()[0]
    return sentence if word[1:] != word[1:].lower() else sentence[0].lower() + sentence[1:]


def _is_secret(info: FieldInfo | None) -> bool:
    extra = info.json_schema_extra if info else None
    return isinstance(extra, dict) and extra.get("secret") is True


def _holds_secret(model: type[BaseModel]) -> bool:
    fields = model.model_fields.values()
    return any(
        _is_secret(info) or any(map(_holds_secret, models_in(info.annotation))) for info in fields
    )


def _steps(model: type[BaseModel], loc: Sequence[str | int]) -> list[str | int]:
    """The part of a pydantic location that exists in the input, without names of union arms."""
    steps: list[str | int] = []
    kinds: list[object] = [model]
    names_an_arm = False
    for step in loc:
        if names_an_arm:
            names_an_arm = False
            continue
        if step == "[key]":  # pydantic's mark of a dict's key, as opposed to its value
            break
        steps.append(step)
        kinds = [arm for kind in kinds for arm in _arms(_inside(kind, step))]
        names_an_arm = len(kinds) > 1
    return steps


def _inside(kind: object, step: str | int) -> object:
    """What an annotation says about the field, item or value that a step leads to."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        info = _field(kind, str(step))
        return info.annotation if info else None
    is_container = typing.get_origin(kind) in (list, dict, Sequence, Mapping)
    return typing.get_args(kind)[-1] if is_container else None


def _arms(annotation: object) -> list[object]:
    """The alternatives of a union; None is none, as pydantic does not count it either."""
    if typing.get_origin(annotation) in UNIONS:
        return [arm for part in typing.get_args(annotation) for arm in _arms(part)]
    return [] if annotation in (None, types.NoneType) else [annotation]


def _child(value: object, step: str | int) -> object:
    if isinstance(value, BaseModel):
        return getattr(value, str(step), MISSING)
    if isinstance(value, Mapping):
        # A custom resource's fields may be spelled as on the wire: `volumeMounts`.
        spelled = (key for key in value if isinstance(key, str) and snake(key) == step)
        return value[step] if step in value else value.get(next(spelled, step), MISSING)
    if isinstance(value, Sequence) and not isinstance(value, str) and isinstance(step, int):
        return value[step] if step < len(value) else MISSING
    return MISSING


def _at(raw: object, steps: Iterable[str | int]) -> object:
    value = raw
    for step in steps:
        value = _child(value, step)
    return value


def _field(model: type[BaseModel], step: str) -> FieldInfo | None:
    """The declaration of a field, by its name or alias, with the text under it."""
    fields = model.model_fields
    name = step if step in fields else next((n for n, f in fields.items() if f.alias == step), "")
    if (info := fields.get(name)) and info.description is None:
        info.description = descriptions(model).get(name)
    return info
