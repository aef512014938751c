"""Node objects, as ACK registers them."""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any, Final

from components.catalog.instances import MIB
from plan.machines import LivePool, Site, Size, node_labels, region_of

from ..kubernetes.server import KUBELET_ADDRESS

VERSION: Final = "v1.34.1"
"""Version of the kubelet that no node has."""

POOL: Final = "sandbox.ack-inference/pool"
"""Label of every node of the sandbox: ID of its pool."""

_FIRST_ADDRESS: Final = 10


def render_node(
    pool: LivePool, size: Size, zone: Site, taken: Collection[str], *, scaled: bool = False
) -> dict[str, Any]:
    """The Node object of a new node, not ready yet: kwok makes it so.

    Labels are those that were seen on nodes of ACK, and the pool's own; what pods can ask for is
    what the catalogue and the checks say, the node's agents taken off.

    Args:
        pool: The pool that it belongs to.
        size: Its kind.
        zone: Where it stands.
        taken: Names of the nodes that there are.
        scaled: Whether the autoscaler added it.
    """
    region = region_of(zone)
    address, name = _free(zone, region, taken)
    labels = {POOL: pool.id, **node_labels(pool, size, zone, name, scaled=scaled)}
    offers = size.offers(labels)
    capacity = dict(offers)
    if size.vcpus:
        capacity |= {"cpu": 1000 * size.vcpus, "memory": int(size.memory_gib * 1024) * MIB}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "taints": [dict(taint) for taint in pool.taints],
            "providerID": f"{region}.i-{address.replace('.', '-')}",
        },
        "status": {
            "capacity": _quantities(capacity),
            "allocatable": _quantities(offers),
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": name},
                # The API server takes this one to a kubelet: `--kubelet-preferred-address-types`.
                {"type": KUBELET_ADDRESS, "address": "localhost"},
            ],
            "nodeInfo": {
                "architecture": size.architecture,
                "operatingSystem": "linux",
                "osImage": "simulated",
                "kubeletVersion": VERSION,
                "kubeProxyVersion": VERSION,
                "containerRuntimeVersion": "simulated",
                "kernelVersion": "simulated",
                "machineID": name,
                "systemUUID": name,
                "bootID": name,
            },
        },
    }


def _free(zone: Site, region: str, taken: Collection[str]) -> tuple[str, str]:
    """The first free address of a zone, and the name that ACK makes of it."""
    network = ipaddress.ip_network(zone.cidr)
    for number in range(_FIRST_ADDRESS, network.num_addresses - 1):
        address = str(network[number])
        name = f"{region}.{address}"
        if name not in taken:
            return address, name
    raise LookupError(f"zone {zone.name} has no address left in {zone.cidr}")


def _quantities(amounts: Mapping[str, int]) -> dict[str, str]:
    return {
        name: f"{amount}m" if name == "cpu" else str(amount) for name, amount in amounts.items()
    }
