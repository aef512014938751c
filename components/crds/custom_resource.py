"""Base of every custom resource: its spec decides what is declared."""

from collections.abc import Iterator
from typing import ClassVar, Generic, TypeVar

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from ..args import Fault, check
from ..bindings import kubernetes
from .model import CrdModel

Spec = TypeVar("Spec", bound=CrdModel)


class CustomResource(kubernetes.apiextensions.CustomResource, Generic[Spec]):
    """A custom resource of one kind; a subclass says which, and the type of its spec."""

    token: ClassVar[str]
    """Its type, as the engine knows it."""

    def __init_subclass__(cls, api_version: str, kind: str | None = None) -> None:
        """Takes the kind, which by default is the name of the class."""
        super().__init_subclass__()
        cls.token = f"kubernetes:{api_version}:{kind or cls.__name__}"

    def __init__(
        self,
        name: str,
        spec: Spec,
        metadata: ObjectMetaArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        check(f"{type(self).__name__} {name}", self._faults(spec, metadata))
        _, api_version, kind = self.token.split(":")
        super().__init__(name, api_version, kind, spec.manifest(), metadata, opts)

    def _faults(self, spec: Spec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        """What the cluster would refuse beside what the spec alone shows."""
        yield from ()
