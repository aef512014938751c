"""The Kubernetes objects of a plan, found as the API server would find them."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from .model import Plan, Resource

Manifest = Mapping[str, Any]
One = TypeVar("One")


class Objects:
    """Looks objects up by API group, kind, name and namespace."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._manifests = sorted(
            plan.manifests(), key=lambda one: (namespace_of(one), name_of(one))
        )
        self._kinds: Mapping[Hashable, Sequence[Manifest]] = grouped(self._manifests, kind_of)
        self._indexes: dict[Hashable, Mapping[Hashable, Sequence[Manifest]]] = {}

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._manifests)

    def of(self, group: str, kind: str) -> Sequence[Manifest]:
        """Objects of a kind in every namespace; the core group is `""`."""
        return self._kinds.get((group, kind), ())

    def by(
        self, key: Callable[[Manifest], Hashable], group: str, kind: str
    ) -> Mapping[Hashable, Sequence[Manifest]]:
        """Objects of a kind by what a function says of them, which is asked once."""
        index = (key, group, kind)
        if index not in self._indexes:
            self._indexes[index] = grouped(self.of(group, kind), key)
        return self._indexes[index]

    def get(
        self, group: str, kind: str, name: object, namespace: str | None = None
    ) -> Manifest | None:
        """The object of a name, in a namespace unless the kind has none."""
        named = self.by(name_of, group, kind).get(str(name), ())
        return next((one for one in named if namespace in (None, namespace_of(one))), None)

    @cached_property
    def placements(self) -> Mapping[Hashable, Sequence[Resource]]:
        """Our placements, by their names."""
        return grouped(self.plan.of("ack-inference:index:Placement"), lambda one: one.name)


def grouped(
    many: Iterable[One], key: Callable[[One], Hashable]
) -> Mapping[Hashable, Sequence[One]]:
    """What is said of each, with all of which it is said, in their order."""
    found: dict[Hashable, list[One]] = {}
    for one in many:
        found.setdefault(key(one), []).append(one)
    return found


def section(value: object, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty where there is none, or none that is known yet."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def items(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """The mappings in the list under a key, none where there is no list."""
    found = value.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def kind_of(found: Manifest) -> tuple[str, str]:
    """API group and kind; the core group is `""`."""
    return str(found["apiVersion"]).rpartition("/")[0], str(found["kind"])


def name_of(found: Manifest) -> str:
    """`metadata.name`."""
    return str(section(found, "metadata").get("name", "unnamed"))


def namespace_of(found: Manifest) -> str:
    """`metadata.namespace`, or the one that is meant where none is given."""
    return str(section(found, "metadata").get("namespace", "default"))
