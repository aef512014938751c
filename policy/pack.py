"""The rules as a policy pack of Pulumi's engine (CrossGuard): the one module that knows its SDK.

A rule over single resources is asked before each of them is created, with its inputs. One over the
whole stack is asked at the end, with what the resources then are; since an `up` begins with a
preview, it refuses too before anything is created.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from plan.model import UNKNOWN, Plan, Resource

from .model import Rule
from .rules import RULES

NAME: Final = "ack-inference"

_ANNOTATIONS: Final = {"title", "default"}
"""Keys of a JSON Schema that the engine does not need; it would hand defaults back to us."""


def serve() -> None:
    """Answers the engine until it ends."""
    PolicyPack(NAME, [_policy(rule) for rule in RULES])


def _policy(rule: Rule) -> Policy:
    kind, validate = (
        (StackValidationPolicy, _validate_stack)
        if rule.whole_stack
        else (ResourceValidationPolicy, _validate_resource)
    )
    return kind(
        name=rule.name,
        description=rule.description,
        enforcement_level=EnforcementLevel(rule.level.value),
        config_schema=PolicyConfigSchema(_schema(rule)),
        validate=partial(validate, rule),
    )


def _schema(rule: Rule) -> dict[str, Any]:
    properties = rule.settings.model_json_schema()["properties"]
    return {
        field: {key: value for key, value in about.items() if key not in _ANNOTATIONS}
        for field, about in properties.items()
    }


def _validate_resource(rule: Rule, args: ResourceValidationArgs, report: ReportViolation) -> None:
    _validate(rule, [_resource(args)], args, report)


def _validate_stack(rule: Rule, args: StackValidationArgs, report: ReportViolation) -> None:
    _validate(rule, list(map(_resource, args.resources)), args, report)


def _validate(
    rule: Rule,
    resources: Sequence[Resource],
    args: ResourceValidationArgs | StackValidationArgs,
    report: ReportViolation,
) -> None:
    settings = rule.settings_of(args.get_config())
    for violation in rule.violations(_plan(resources), settings):
        report(violation.sentence, violation.resource.urn if violation.resource else None)


def _plan(resources: Sequence[Resource]) -> Plan:
    """The resources as a plan; which stack they are of stands in each URN."""
    urn = resources[0].urn if resources else "urn:pulumi:::"
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    return Plan(project, stack, resources)


def _resource(resource: ResourceValidationArgs | PolicyResource) -> Resource:
    return Resource(
        urn=resource.urn,
        type=resource.resource_type,
        name=resource.name,
        parent=resource.opts.parent or "",
        custom=True,  # A component is none, and has no inputs that any rule reads.
        provider=resource.provider.urn if resource.provider else "",
        dependencies=(),
        inputs=dict(_items(resource.props)),
        protect=resource.opts.protect,
        ignore_changes=tuple(resource.opts.ignore_changes),
    )


def _plain(value: Any) -> Any:
    """Takes a value of the SDK apart, as far as it is known."""
    if isinstance(value, Mapping):
        return dict(_items(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_at(value, number) for number in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _items(mapping: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, _at(mapping, key)) for key in mapping)


def _at(holder: Any, key: Any) -> Any:
    """What stands in a mapping or list; the SDK raises where that is not known yet."""
    try:
        return _plain(holder[key])
    except UnknownValueError:
        return UNKNOWN
