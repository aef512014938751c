"""Which resources belong together, and what a reader calls them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ..model import Marker, Plan, Resource
from ..objects import Manifest, name_of, namespace_of
from .model import Element

COMPONENTS: Final = "ack-inference:index:"
"""Type tokens of our components begin so."""


class Groups:
    """The resources of a plan, by object, and by the component of ours that declares them.

    Components of others are left out: they may hold everything there is.
    """

    def __init__(self, plan: Plan) -> None:
        self.known = {one.urn: one for one in plan.resources}
        self._owners = {
            _address(manifest): one
            for one in plan.resources
            if (manifest := one.manifest) is not None
        }
        self._children: dict[str, list[Resource]] = defaultdict(list)
        for one in plan.resources:
            self._children[one.parent].append(one)

    def owner(self, found: Manifest) -> Resource:
        """The resource that declares an object."""
        return self._owners[_address(found)]

    def element(
        self, one: Resource, title: str, facts: Mapping[str, str], name: str = ""
    ) -> Element:
        """What a resource is the heart of.

        Args:
            one: What it stands or falls with.
            title: What it is.
            facts: What is known of it; empty ones are left out.
            name: What it is called; as its component, where this is not said.
        """
        known = {label: text for label, text in facts.items() if text}
        return Element(name or self.name(one), title, known, one.urn, self.members(one))

    def name(self, one: Resource) -> str:
        """What the program calls it: the component that it is the heart of, or itself."""
        return name_in(_root(one))

    def members(self, one: Resource) -> frozenset[str]:
        """URNs of what is declared with a resource by the component that it is the heart of."""
        return frozenset([one.urn, *self._below(_root(one))])

    def top(self, one: Resource) -> str:
        """URN of the outermost component of ours around a resource, or its own."""
        root = self.known.get(_root(one))
        return _root(one) if root is None or root is one else self.top(root)

    def _below(self, urn: str) -> Iterator[str]:
        for child in self._children[urn]:
            if child.custom:
                yield child.urn
            yield from self._below(child.urn)


def by_name(elements: Iterable[Element]) -> list[Element]:
    """Elements in an order that does not depend on which registration came first."""
    return sorted(elements, key=lambda one: (one.name, one.title))


def name_in(urn: str) -> str:
    """The name in a URN."""
    return urn.rpartition("::")[2]


def type_in(urn: str) -> str:
    """The type token in a URN, without those of what is around it; empty at the top."""
    return urn.rpartition("::")[0].rpartition("::")[2].rpartition("$")[2]


def text_of(inputs: Mapping[str, Any], key: str) -> str:
    """A text input; empty where it is not given or not known."""
    value = inputs.get(key)
    return value if isinstance(value, str) and not isinstance(value, Marker) else ""


def texts_of(inputs: Mapping[str, Any], key: str) -> list[str]:
    """A list of texts; empty where it is not given or not known."""
    value = inputs.get(key)
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def sources_of(one: Resource) -> frozenset[str]:
    """URNs of the resources whose outputs are among its inputs."""
    return frozenset(urn for urns in one.property_dependencies.values() for urn in urns)


def _root(one: Resource) -> str:
    """URN of the component that declares it, where that is ours; the plan need not hold it."""
    return one.parent if type_in(one.parent).startswith(COMPONENTS) else one.urn


def _address(found: Manifest) -> tuple[str, str, str, str]:
    """What tells an object from all others of a cluster."""
    return str(found["apiVersion"]), str(found["kind"]), namespace_of(found), name_of(found)
