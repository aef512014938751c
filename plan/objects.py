"""Kubernetes objects, planned or live, found as the API server would find them."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from .model import Marker

Manifest = Mapping[str, Any]
MAPPINGS: Final = (dict, Mapping)
"""For `isinstance`: most are dicts, which it sees at once, and any other one takes longer."""
Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)


class Objects:
    """Looks objects up by API group, kind, name and namespace."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        self._manifests = sorted(
            manifests, key=lambda manifest: (namespace_of(manifest), name_of(manifest))
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
        for manifest in self.by(name_of, group, kind).get(str(name), ()):
            if namespace in (None, namespace_of(manifest)):
                return manifest
        return None


def grouped(values: Iterable[Item], key: Callable[[Item], Key]) -> Mapping[Key, Sequence[Item]]:
    """What is said of each, with all of which it is said, in their order."""
    groups: dict[Key, list[Item]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups


def section(value: object, *path: str) -> Mapping[str, Any]:
    """The mapping at a path, empty where there is none, or none that is known yet."""
    for key in path:
        value = value.get(key) if isinstance(value, MAPPINGS) else None
    return value if isinstance(value, MAPPINGS) else {}


def items(value: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """The mappings in the list under a key, none where there is no list."""
    entries = value.get(key)
    if not isinstance(entries, list):
        return []
    return [entry for entry in entries if isinstance(entry, MAPPINGS)]


def text_of(value: Mapping[str, Any], key: str) -> str:
    """The text under a key; empty where there is none, or none that is known yet."""
    text = value.get(key)
    return text if isinstance(text, str) and not isinstance(text, Marker) else ""


def texts_of(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The texts in the list under a key, none where there is no list."""
    entries = value.get(key)
    return tuple(map(str, entries)) if isinstance(entries, list | tuple) else ()


def pairs(labels: Mapping[str, Any]) -> str:
    """Labels as a selector is written: `app=x, tier=y`."""
    return ", ".join(f"{key}={value}" for key, value in labels.items())


def kind_of(manifest: Manifest) -> tuple[str, str]:
    """API group and kind; the core group is `""`."""
    return str(manifest["apiVersion"]).rpartition("/")[0], str(manifest["kind"])


def name_of(manifest: Manifest) -> str:
    """`metadata.name`."""
    return str(section(manifest, "metadata").get("name", "unnamed"))


def namespace_of(manifest: Manifest) -> str:
    """`metadata.namespace`, or the one that is meant where none is given."""
    return str(section(manifest, "metadata").get("namespace", "default"))
