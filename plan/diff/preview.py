"""Reads what Pulumi's own engine says of a change: the output of `pulumi preview --json`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pulumi.runtime import rpc

from ..changes import ABSENT, parse_path, value_at
from ..model import SECRET, STACK_TYPE, UNKNOWN, Plan, Resource, name_in, type_in
from ..refused import Refused
from ..stack_file import parsed
from .compare import ChangeKind, Property, ResourceChange, StackDiff, differing
from .report import PlanRefusal, Report, StackReport

_SUBJECT: Final = "The preview"
_KINDS: Final[Mapping[str, ChangeKind]] = {
    "create": ChangeKind.CREATED,
    "import": ChangeKind.CREATED,
    "update": ChangeKind.UPDATED,
    "replace": ChangeKind.REPLACED,
    "import-replacement": ChangeKind.REPLACED,
    "delete": ChangeKind.DELETED,
}


def read_preview(text: str, stacks: Sequence[str]) -> Report:
    """The diff of the one stack that the engine has previewed.

    Args:
        text: Output of `pulumi preview --json`; with `--show-sames`, also of what stays.
        stacks: Name of the stack, or nothing to take the one in the file.

    Raises:
        Refused: This is no such output, or of another stack.
    """
    document = _document(text)
    errors = [
        " ".join(str(diagnostic.get("message", "")).split())
        for diagnostic in document.get("diagnostics") or []
        if diagnostic.get("severity") == "error"
    ]
    steps = document.get("steps") or []
    if not steps and errors:
        name = ", ".join(stacks) or "the stack"
        return _report(StackReport(name, None, [PlanRefusal("the engine", errors)]))
    if not steps:
        raise Refused(_SUBJECT, "It holds no step; is it the output of `pulumi preview --json`?")
    stack = str(steps[0]["urn"]).split("::")[0].rpartition(":")[2]
    if {*stacks} - {stack}:
        raise Refused(
            _SUBJECT,
            f"It is of stack {stack!r}, not of {', '.join(stacks)!r}: name that one, or none.",
        )
    if errors:
        return _report(StackReport(stack, None, [PlanRefusal("the engine", errors)]))
    return _report(StackReport(stack, _diff(document, steps)))


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Refused(_SUBJECT, f"It is not JSON: {error}.") from None
    if not isinstance(document, Mapping):
        raise Refused(_SUBJECT, "It is not the output of `pulumi preview --json`.")
    return document


def _report(section: StackReport) -> Report:
    return Report("the state", "the program, by Pulumi's engine", [section])


def _diff(document: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> StackDiff:
    stack, project = str(steps[0]["urn"]).split("::")[:2]
    about = (project, stack.rpartition(":")[2])
    config = {
        key: SECRET if value == SECRET else parsed(str(value))
        for key, value in (document.get("config") or {}).items()
    }
    before, after = (
        Plan(*about, *_states(steps, side), config=config) for side in ("oldState", "newState")
    )
    resource_steps = [step for step in steps if _type(step) != STACK_TYPE]
    replaced = {
        step["urn"] for step in resource_steps if _KINDS.get(step["op"]) is ChangeKind.REPLACED
    }
    return StackDiff(
        *about,
        before if any("oldState" in step for step in steps) else None,
        after,
        tuple(_change(step, replaced) for step in resource_steps if _kind(step)),
        _unchanged(document, resource_steps),
        # A preview tells the outputs only where they are known already.
        tuple(differing(before.outputs, after.outputs)) if after.outputs else (),
        tuple(
            step["urn"]
            for step in resource_steps
            if (step.get("oldState") or {}).get("protect")
            and "newState" in step
            and not step["newState"].get("protect")
        ),
    )


def _states(
    steps: Iterable[Mapping[str, Any]], side: str
) -> tuple[list[Resource], Mapping[str, Any]]:
    """Resources and outputs of the stack, before or after."""
    states = [step[side] for step in steps if side in step and _is_whole(step)]
    outputs = next(
        (_values(state.get("outputs")) for state in states if state["type"] == STACK_TYPE), {}
    )
    return [resource_in(state) for state in states if state["type"] != STACK_TYPE], outputs


def _is_whole(step: Mapping[str, Any]) -> bool:
    """Whether it is more than one of the two parts of a replacement."""
    return step["op"] not in ("create-replacement", "delete-replaced")


def resource_in(state: Mapping[str, Any]) -> Resource:
    """The resource that an entry of the engine's state, or one side of a step, is of."""
    return Resource(
        urn=state["urn"],
        type=state["type"],
        name=name_in(state["urn"]),
        parent=state.get("parent", ""),
        custom=state["custom"],
        provider=state.get("provider", ""),
        dependencies=state.get("dependencies") or [],
        inputs=_values(state.get("inputs")),
        protect=state.get("protect", False),
        property_dependencies=state.get("propertyDependencies") or {},
    )


def _values(values: Any) -> dict[str, Any]:
    fields = _value(values)
    return fields if isinstance(fields, dict) else {}


def _value(value: Any) -> Any:
    match value:
        case {rpc._special_sig_key: rpc._special_secret_sig}:
            return SECRET
        case {rpc._special_sig_key: rpc._special_resource_sig}:
            return value.get("urn")
        case {}:
            return {key: _value(item) for key, item in value.items() if not key.startswith("__")}
        case [*_]:
            return [_value(item) for item in value]
        case str():
            return SECRET if value == SECRET else UNKNOWN if value == rpc.UNKNOWN else value
    return value


def _type(step: Mapping[str, Any]) -> str:
    return type_in(str(step["urn"]))


def _kind(step: Mapping[str, Any]) -> ChangeKind | None:
    if step["op"] == "same" and step["oldState"]["urn"] != step["newState"]["urn"]:
        return ChangeKind.MOVED
    return _KINDS.get(step["op"])


def _change(step: Mapping[str, Any], replaced: set[str]) -> ResourceChange:
    kind = _kind(step)
    assert kind is not None  # noqa: S101  the caller has asked
    old = resource_in(step["oldState"]) if "oldState" in step else None
    new = resource_in(step["newState"]) if "newState" in step else None
    resource = new or old
    assert resource is not None  # noqa: S101  a step is of something
    properties = tuple(_step_properties(step, old, new)) if old and new else ()
    former = old.urn if old and old.urn != resource.urn else ""
    return ResourceChange(
        kind, resource, former, properties, _causes(resource, properties, replaced)
    )


def _step_properties(step: Mapping[str, Any], old: Resource, new: Resource) -> Iterator[Property]:
    detailed = step.get("detailedDiff") or {}
    if not detailed:
        yield from differing(old.inputs, new.inputs)
    outputs = _values(step["oldState"].get("outputs"))
    for text, about in sorted(detailed.items()):
        path = parse_path(text)
        before = value_at(old.inputs, path)
        if before is ABSENT and not about.get("inputDiff"):
            before = value_at(outputs, path)
        after = value_at(new.inputs, path)
        yield Property(text, before, after, str(about.get("kind", "")).endswith("replace"))


def _causes(
    resource: Resource, properties: Sequence[Property], replaced: set[str]
) -> tuple[str, ...]:
    """The replaced resources on which its unknown values depend, or all of it if it has to go."""
    keys = {
        str(parse_path(property_.path)[0]) for property_ in properties if property_.new == UNKNOWN
    }
    origins = {
        urn
        for key, urns in resource.property_dependencies.items()
        if key in keys or not properties
        for urn in urns
    }
    return tuple(sorted({*origins, resource.provider_urn} & replaced))


def _unchanged(document: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> int | None:
    """How many resources stay, components left out; None where the output leaves them out."""
    same = [step for step in steps if step["op"] == "same" and _kind(step) is None]
    if not same and (document.get("changeSummary") or {}).get("same"):
        return None
    return sum(bool(step["newState"]["custom"]) for step in same)
