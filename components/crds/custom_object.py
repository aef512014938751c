"""A custom resource before it is declared, for components that render several of them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from .model import CrdModel


class CustomObject(NamedTuple):
    """A custom resource that a component declares among others."""

    role: str
    """What it is there for, which ends its Pulumi name."""
    kind: Callable[[str, Any, ObjectMetaArgs, pulumi.ResourceOptions], pulumi.Resource]
    """Class of it."""
    spec: CrdModel
    """Its body."""
    name: str
    """Its name."""
    namespace: pulumi.Input[str] | None
    """Its namespace; None where it has none."""
    annotations: dict[str, str] | None = None
    """Its annotations."""

    def declare(self, name: str, options: pulumi.ResourceOptions) -> None:
        """Declares it, as a part of a component of a name."""
        # Pulumi would wait for an address, or for a pod that comes with a GPU node.
        notes = {**(self.annotations or {}), "pulumi.com/skipAwait": "true"}
        about = ObjectMetaArgs(name=self.name, namespace=self.namespace, annotations=notes)
        self.kind(f"{name}-{self.role}", self.spec, about, options)
