"""The plugin, started by the engine itself, and remote components as a program declares them."""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel

from components.plugin.host import NAME, SCHEMA

LAUNCHER = f'#!/bin/sh\nexec "{sys.executable}" -W ignore "{SCHEMA.parent}" "$@"\n'
"""What Pulumi's Python host does, once it has installed what the plugin requires."""


def put_on_path(folder: Path) -> None:
    """Makes the plugin one that the engine finds on PATH, if the folder is there."""
    launcher = folder / f"pulumi-resource-{NAME}"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


class Remote(pulumi.ComponentResource):
    """A component that the plugin makes, with its outputs under the names of Python."""

    def __init__(
        self,
        component: Any,
        name: str,
        inputs: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        token = f"{NAME}:index:{component.__name__}"
        outputs = [name for name in inspect.get_annotations(component) if name[0] != "_"]
        properties = dict.fromkeys(map(to_camel, outputs))
        super().__init__(token, name, {**properties, **inputs}, opts, remote=True)
        for output in outputs:
            setattr(self, output, getattr(self, to_camel(output)))
