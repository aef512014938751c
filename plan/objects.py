"""The Kubernetes objects of a plan, found as the API server would find them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .model import Plan

Manifest = Mapping[str, Any]


class Objects:
    """Looks objects up by API group, kind, name and namespace."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._manifests = sorted(
            plan.manifests(), key=lambda one: (namespace_of(one), name_of(one))
        )

    def __iter__(self) -> Iterator[Manifest]:
        return iter(self._manifests)

    def of(self, group: str, kind: str) -> Iterator[Manifest]:
        """Objects of a kind in every namespace; the core group is `""`."""
        for found in self._manifests:
            if kind_of(found) == (group, kind):
                yield found

    def get(
        self, group: str, kind: str, name: object, namespace: str | None = None
    ) -> Manifest | None:
        """The object of a name, in a namespace unless the kind has none."""
        for found in self.of(group, kind):
            if name_of(found) == name and namespace in (None, namespace_of(found)):
                return found
        return None


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
