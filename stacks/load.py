"""Reads the configuration of a stack once, as the engine hands it over."""

import json
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

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
    if validation.resolved is None:
        sentences = [f"  {sentence}" for sentence in validation.sentences]
        title = f"Pulumi.{pulumi.get_stack()}.yaml is refused:"
        raise pulumi.RunError("\n".join([title, *sentences]))
    for sentence in find_warnings(validation.resolved.environment):
        pulumi.log.warn(sentence)
    return validation.resolved


def read() -> dict[str, Any]:
    """The project's configuration, without the namespace of its keys, and without any secret."""
    values = {**get_config_env(), **CONFIG.get()}
    namespace = f"{PROJECT}:"
    return {
        (name := key.removeprefix(namespace)): (
            {"secure": "set"} if is_config_secret(key) else _plain(name, text)
        )
        for key, text in values.items()
        if key.startswith(namespace)
    }


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
