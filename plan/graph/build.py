"""Joins the parts of a graph."""

from collections.abc import Iterable, Mapping
from itertools import chain

from ..kinds import RESOURCE_POLICY
from ..model import Plan, kept
from ..objects import Manifest, Objects, name_of, section
from ..pods import containers, pods_of, policies_of
from .gateways import ways_of
from .inventory import AnyNode, Inventory, by_name
from .model import Cache, Graph, Policy, Stop, Workload
from .nodes import policy_of, priority_of, wishes_of
from .scale import WorkloadKind, shares_of, workloads
from .volumes import Caches, caches_of, volumes_of

Policies = Mapping[int, Policy]
"""By the identity of the manifest."""


@kept
def graph_of(plan: Plan) -> Graph:
    """What runs where, if a plan is carried out."""
    return read(Inventory(Objects(plan.manifests()), plan))


def read(inventory: Inventory) -> Graph:
    """What runs where, by the objects of a cluster, and by what else is known of them."""
    objects, caches = inventory.objects, caches_of(inventory)
    manifests = objects.of(*RESOURCE_POLICY)
    policies = {id(manifest): policy_of(inventory, manifest) for manifest in manifests}
    runs = [_workload(inventory, caches, policies, *pair) for pair in workloads(objects)]
    stops = chain.from_iterable(workload.stops for workload in runs)
    readers: list[Cache | Workload] = [*caches.values(), *runs]
    holders: list[Cache | Stop] = [*caches.values(), *stops]
    pods = chain.from_iterable(map(pods_of, objects))
    busy = {id(policy) for group in pods for policy in policies_of(objects, group)}
    pools = _with_used(inventory.pools, (pool for node in holders for pool in node.pools))
    links = chain.from_iterable(node.files for node in readers)
    stores = _with_used(inventory.stores, (files.store for files in links))
    return Graph(
        inventory.clusters,
        pools,
        [*caches.values()],
        stores,
        runs,
        [policy for key, policy in policies.items() if key not in busy],
        inventory.groups([*inventory.clusters, *pools, *caches.values(), *stores, *runs]),
        inventory.bill,
    )


def _with_used(nodes: list[AnyNode], linked: Iterable[AnyNode]) -> list[AnyNode]:
    """Nodes of the stack, then those that are only linked to, each by name."""
    used: dict[str, AnyNode] = {}
    for node in linked:
        if not node.urn:
            used.setdefault(node.name, node)
    return [*nodes, *by_name(used.values())]


def _workload(
    inventory: Inventory, caches: Caches, policies: Policies, kind: WorkloadKind, manifest: Manifest
) -> Workload:
    pods = kind.pods(manifest)
    selecting = policies_of(inventory.objects, pods)
    volumes = tuple(volumes_of(inventory, caches, pods))
    identity = inventory.identity(manifest)
    boxes = (box for path, box in containers(pods) if ".initContainers[" not in path)
    main = next(boxes, {})
    return Workload(
        name_of(manifest),
        identity.urn,
        identity.urns.union(
            *(inventory.identity(policy).urns for policy in selecting),
            *(files.urns for volume in volumes for files in volume.files),
        ),
        kind.title,
        namespace=pods.namespace,
        scale=kind.scale(inventory.objects, manifest),
        shares=tuple(shares_of(inventory.objects, manifest)),
        ways=tuple(ways_of(inventory.objects, manifest, pods)),
        image=str(main.get("image", "")),
        resources={
            **section(main, "resources", "limits"),
            **section(main, "resources", "requests"),
        },
        volumes=volumes,
        policies=tuple(policies[id(policy)] for policy in selecting),
        wishes=tuple(wishes_of(inventory, manifest, pods)),
        priority=priority_of(inventory, pods),
    )
