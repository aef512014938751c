"""What a stack has to know of a part of a cluster that runtimes share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ..sections.environment import Environment
from ..sections.models import ModelSection


@dataclass(frozen=True)
class Platform:
    """Something that is installed once, whichever and however many runtimes need it."""

    name: str
    """Name of its component."""
    args: Callable[[Environment, Sequence[ModelSection], pulumi.Input[str] | None], Any]
    """Builds its arguments for the models that need it, from the ID of the stack's own cluster;
    None where the cluster has it already."""
    component: Callable[[str, Any, pulumi.ResourceOptions], pulumi.Resource]
    """The component, which installs it."""
    needs: tuple["Platform", ...] = ()
    """What has to work before it."""
    section: str | None = None
    """Section of the stack file under which a preview tells what its arguments refuse; None where
    they hold nothing that is not judged elsewhere."""
