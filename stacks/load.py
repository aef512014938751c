"""Reads the configuration of a stack once, as the engine hands it over."""

import json
from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from components.args import Fault, Words
from components.keys import SAME, nearest, snake

from .arguments.cloud import name_prefix
from .parts import ResolvedEnvironment
from .sections.environment import PROJECT, Environment
from .validation import find_warnings, validate


def load() -> ResolvedEnvironment:
    """Reads and validates the stack's configuration; warnings go to the engine's log.

    Raises:
        pulumi.RunError: The configuration cannot be deployed; one sentence per fault.
    """
    prefix = name_prefix(pulumi.get_project(), pulumi.get_stack())
    validation = validate(read(), prefix)
    misspelt = [*map(str, _misspelt_keys())]
    if validation.resolved is None:
        sentences = [f"  {sentence}" for sentence in [*validation.sentences, *misspelt]]
        title = f"Pulumi.{pulumi.get_stack()}.yaml is refused:"
        raise pulumi.RunError("\n".join([title, *sentences]))
    for sentence in [*find_warnings(validation.resolved.environment), *misspelt]:
        pulumi.log.warn(sentence)
    return validation.resolved


def read() -> dict[str, Any]:
    """The project's configuration, without the namespace of its keys, and without any secret.

    A key of which the engine hands over an empty text is left out: it has null in the stack file.
    """
    values = _values()
    namespace = f"{PROJECT}:"
    return {
        (name := key.removeprefix(namespace)): (
            {"secure": "set"} if is_config_secret(key) else _plain(name, text)
        )
        for key, text in values.items()
        if key.startswith(namespace) and text
    }


def _misspelt_keys() -> Iterator[Fault]:
    """Keys of a namespace that is all but ours: what they say is read by nobody."""
    for key in _values():
        namespace, _, name = key.partition(":")
        if namespace in (PROJECT, pulumi.get_project()):
            continue
        if nearest(snake(namespace), [snake(PROJECT)], SAME):
            why = "keys of other namespaces are not read"
            yield Fault(key, Words(f"of namespace {namespace}"), f"{PROJECT}:{name}", why)


def _values() -> dict[str, str]:
    return {**get_config_env(), **CONFIG.get()}


def _plain(name: str, text: str) -> Any:
    """Objects and lists come as JSON, everything else as text, true and false too."""
    info = Environment.model_fields.get(name)
    if info is not None and info.annotation is bool:
        return {"true": True, "false": False}.get(text, text)
    if not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:  # No JSON, or a number of thousands of digits.
        return text
