"""What a plan says beside the objects of a cluster: resources, what they depend on, and the bill.

An inventory of an empty plan does where there is none, as for the objects of a live cluster.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from components.catalog.labels import GPU_CARD, INSTANCE_TYPE

from .. import kinds
from ..cost import bill
from ..hardware import cards, cards_of_types
from ..model import Marker, Plan, Resource, name_in, type_in, type_name
from ..objects import (
    Manifest,
    Objects,
    grouped,
    items,
    kind_of,
    name_of,
    namespace_of,
    section,
    text_of,
    texts_of,
)
from ..pods import label_to_find, labels_to_try
from ..tariff import tariff
from .model import Cluster, Group, Node, Pool, Store

AnyNode = TypeVar("AnyNode", bound=Node)

_COMPONENTS: Final = "ack-inference:index:"
"""Type tokens of our components begin so; those of others may hold everything there is."""
_PLACEMENT: Final = f"{_COMPONENTS}Placement"


class Identity(NamedTuple):
    """The first fields of a node."""

    name: str
    urn: str = ""
    urns: frozenset[str] = frozenset()


class Inventory:
    """The clusters, pools and stores of a plan, and whose resource an object is."""

    def __init__(self, objects: Objects, plan: Plan) -> None:
        self.objects = objects
        self._plan = plan
        self._resources = {resource.urn: resource for resource in plan.resources}
        self._children = grouped(plan.resources, lambda resource: resource.parent)
        self._owners = {
            _address(manifest): resource
            for resource in plan.resources
            if (manifest := resource.manifest) is not None
        }
        self._identities: dict[str, Identity] = {}
        self._placements = grouped(plan.of(_PLACEMENT), _selected)
        self.bill = bill(plan)
        self.clusters = [*self._clusters()]
        self.pools = by_name(self._pools())
        self.stores = by_name(self._stores())

    def identity(self, manifest: Manifest) -> Identity:
        """Name and resources of what declares an object; of one in no plan, just its name."""
        resource = self._owners.get(_address(manifest))
        return self._identity(resource) if resource else Identity(name_of(manifest))

    def sources(self, manifest: Manifest, value: object = None) -> frozenset[str]:
        """URNs of what an object's value comes from; where that is not known, any of its values."""
        if isinstance(value, Marker) and value.origin:
            return value.origin
        resource = self._owners.get(_address(manifest))
        dependencies = resource.property_dependencies.values() if resource else ()
        return frozenset(urn for urns in dependencies for urn in urns)

    def placed(self, namespace: str, labels: Mapping[str, Any]) -> Sequence[str]:
        """Names of the pools in our placement of what carries some labels; none without one."""
        for label in labels_to_try(labels):
            for placement in self._placements.get((namespace, label), ()):
                if section(placement.inputs, "selector").items() <= labels.items():
                    return [str(pool.get("name")) for pool in items(placement.inputs, "pools")]
        return []

    def groups(self, nodes: Iterable[Node]) -> list[Group]:
        """What belongs to no node, by the outermost component of ours around it."""
        covered = frozenset[str]().union(*(node.urns for node in nodes))
        rest = (
            resource
            for resource in self._plan.resources
            if resource.custom and resource.urn not in covered
        )
        return by_name(
            Group(
                name_in(urn),
                urn,
                frozenset(resource.urn for resource in resources),
                type_name(type_in(urn)),
            )
            for urn, resources in grouped(rest, self._top).items()
        )

    def _clusters(self) -> Iterator[Cluster]:
        for resource in self._plan.of(kinds.CLUSTER):
            inputs = resource.inputs
            identity = self._identity(resource)
            size = text_of(inputs, "clusterSpec")
            zones = {text_of(switch.inputs, "zoneId") for switch in self._plan.of(kinds.SWITCH)}
            edge = text_of(inputs, "profile") == "Edge"
            yield Cluster(
                text_of(inputs, "name") or identity.name,
                *identity[1:],
                "ACK Edge" if edge else "ACK Pro" if size.startswith("ack.pro") else "ACK",
                region=tariff(self._plan).region or "",
                zones=tuple(sorted(zones - {""})),
                size=size,
                version=text_of(inputs, "version"),
                public=inputs.get("slbInternetEnabled") is True,
            )
        if not self._plan.of(kinds.CLUSTER):
            for resource in self._plan.of(kinds.CONNECTION):
                yield Cluster(*self._identity(resource)._replace(urn=""), "existing cluster")

    def _pools(self) -> Iterator[Pool]:
        billed = {pool.name: pool for pool in self.bill.pools}
        by_type, catalogue = cards_of_types(self._plan), cards(self._plan)
        for resource in self._plan.of(kinds.NODE_POOL):
            inputs = resource.inputs
            name = text_of(inputs, "nodePoolName") or resource.name
            edge = text_of(inputs, "type") == "edge"
            types = texts_of(inputs, "instanceTypes")
            names = sorted({kind for name in types if (kind := by_type.get(name, (0, None))[1])})
            gpus = {kind: catalogue[kind] for kind in names if kind in catalogue}
            labels = items(inputs, "labels")
            yield Pool(
                name,
                *self._identity(resource)[1:],
                "IDC machines" if edge else "ECS nodes",
                labels={
                    **{str(label.get("key")): [str(label.get("value"))] for label in labels},
                    INSTANCE_TYPE: types,
                    GPU_CARD: [gpu.label for gpu in gpus.values() if gpu.label],
                },
                edge=edge,
                cards=tuple(names),
                gpus=gpus,
                cost=billed.get(name),
            )

    def _stores(self) -> Iterator[Store]:
        for resource in self._plan.of(kinds.BUCKET):
            texts = (text_of(resource.inputs, key) for key in ("bucket", "redundancyType"))
            yield Store(*self._identity(resource), "OSS bucket", *texts)
        for resource in self._plan.of(kinds.FILE_SYSTEM):
            kind = text_of(resource.inputs, "storageType")
            yield Store(*self._identity(resource), "NAS file system", storage_type=kind)

    def _identity(self, resource: Resource) -> Identity:
        """Called as the component of ours that it is the heart of, and made of all of that."""
        root = _root(resource)
        if resource.urn not in self._identities:
            urns = frozenset([resource.urn, *self._below(root)])
            self._identities[resource.urn] = Identity(name_in(root), resource.urn, urns)
        return self._identities[resource.urn]

    def _below(self, urn: str) -> Iterator[str]:
        for child in self._children.get(urn, ()):
            if child.custom:
                yield child.urn
            yield from self._below(child.urn)

    def _top(self, resource: Resource) -> str:
        root = _root(resource)
        parent = self._resources.get(root)
        return root if parent is None or parent is resource else self._top(parent)


def by_name(nodes: Iterable[AnyNode]) -> list[AnyNode]:
    """Nodes in an order that does not depend on which registration came first."""
    return sorted(nodes, key=lambda node: (node.name, node.title))


def _root(resource: Resource) -> str:
    """URN of the component that declares it, where that is ours; the plan need not hold it."""
    parent = resource.parent
    return parent if type_in(parent).startswith(_COMPONENTS) else resource.urn


def _selected(placement: Resource) -> Hashable:
    selector = section(placement.inputs, "selector")
    return str(placement.inputs.get("namespace")), label_to_find(selector)


def _address(manifest: Manifest) -> tuple[str, ...]:
    """What tells an object from all others of a cluster."""
    return *kind_of(manifest), namespace_of(manifest), name_of(manifest)
