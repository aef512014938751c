"""What a plan is: the resources that a program registers, as plain data."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

Answer = TypeVar("Answer")


class Marker(str):
    """Stands in for a value that is not shown; prints as its name in JSON and YAML too.

    Two markers of one name are equal as text; `origin` and `digest` tell whether they stand for the
    same value.
    """

    origin: frozenset[str]
    """URNs of the resources that decide the value, where it is not known yet."""
    digest: str
    """Of a secret that is known: changes when the value does, and does not give it away."""

    def __new__(cls, name: str, origin: Iterable[str] = (), digest: str = "") -> "Marker":
        """Makes a marker that prints as `name`."""
        marker = super().__new__(cls, name)
        marker.origin = frozenset(origin)
        marker.digest = digest
        return marker


SECRET: Final = Marker("[secret]")
"""In place of a secret. The value itself never enters a plan."""
UNKNOWN: Final = Marker("[unknown]")
"""In place of a value that only the cloud can decide, such as an ID."""

STACK_TYPE: Final = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One registration, as the engine would receive it."""

    urn: str
    type: str
    """Type token, e.g. `alicloud:cs/nodePool:NodePool`."""
    name: str
    parent: str
    """URN of the parent, empty at the top."""
    custom: bool
    """False for a component."""
    provider: str
    """Reference of an explicit provider (`<urn>::<id>`), empty for the default one."""
    dependencies: Sequence[str]
    """URNs of what must exist before."""
    inputs: Mapping[str, Any]
    """Inputs under their wire names, with `SECRET` and `UNKNOWN` in place of such values."""
    protect: bool
    """True where the engine refuses to delete it."""
    ignore_changes: Sequence[str] = ()
    replace_on_changes: Sequence[str] = ()
    """Paths of inputs that the program wants to see replaced rather than updated."""
    delete_before_replace: bool = False
    """True where the old one goes before the new one comes, whatever the provider says."""
    aliases: Sequence[str] = ()
    """URNs under which an earlier program may have registered it."""
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """URNs that each input depends on."""

    @property
    def provider_urn(self) -> str:
        """URN of its explicit provider, empty without one."""
        return self.provider.rpartition("::")[0]

    @property
    def manifest(self) -> dict[str, Any] | None:
        """The Kubernetes object that this resource declares, if it declares one."""
        if not self.custom or "apiVersion" not in self.inputs or "kind" not in self.inputs:
            return None
        return dict(self.inputs)


@dataclass(frozen=True)
class Plan:
    """Everything that a first deployment of a stack creates."""

    project: str
    stack: str
    resources: Sequence[Resource]
    """In order of registration."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Stack outputs, with `SECRET` and `UNKNOWN` in place of such values."""
    warnings: Sequence[str] = ()
    """What the program logged as a warning."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Full keys (`ack-inference:region`) to values, with `SECRET` in place of secrets."""

    def of(self, type_: str) -> list[Resource]:
        """The resources of a type token."""
        return [resource for resource in self.resources if resource.type == type_]

    def manifests(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The Kubernetes objects, all or of one kind."""
        return [
            manifest
            for resource in self.resources
            if (manifest := resource.manifest) is not None and kind in (None, manifest["kind"])
        ]


def kept(work: Callable[[Plan], Answer]) -> Callable[[Plan], Answer]:
    """Has a function of a plan worked out once: the answer stays with the plan, which is frozen."""
    key = f"{work.__module__}.{work.__qualname__}"

    @functools.wraps(work)
    def answer(plan: Plan) -> Answer:
        answers = vars(plan)
        if key not in answers:
            answers[key] = work(plan)
        return cast(Answer, answers[key])

    return answer


def name_in(urn: str) -> str:
    """The name in a URN."""
    return urn.rpartition("::")[2]


def type_in(urn: str) -> str:
    """The type token in a URN, without those of what is around it; empty at the top."""
    return urn.rpartition("::")[0].rpartition("::")[2].rpartition("$")[2]


def type_name(token: str) -> str:
    """A type token as a reader calls it: `cs.NodePool`, `core/v1 Namespace`."""
    package, module, name = token.split(":")
    if package == "pulumi" and module == "providers":
        return f"{name} provider"
    if package == "kubernetes":
        return f"{module} {name}"
    folder = module.partition("/")[0]
    return name if folder == "index" else f"{folder}.{name}"
