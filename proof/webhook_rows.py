"""What webhooks say of services at the edges of our rules, of such as they refuse, and of plans."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic.alias_generators import to_camel

from sandbox.kubernetes.client import ApiClient, Manifest, namespace_manifest

from .cluster import MANAGER, refusal
from .step import Row

LONGEST: Final = 160
"""Characters of a refusal that a row shows."""
_OPAQUE: Final = frozenset({"requests", "limits", "annotations", "labels"})


def edge_row(client: ApiClient, title: str, manifest: Manifest, faults: Sequence[str]) -> Row:
    """A service that our rules just accept: webhooks have to take it.

    Args:
        client: The cluster.
        title: What is special about it.
        manifest: The service.
        faults: What our rules say against it.
    """
    why = refusal(client, manifest)
    refused = [f"KServe refuses it: {why}"] if why else []
    return Row(f"just accepted: {title}", "taken by both", (*faults, *refused))


def refused_row(client: ApiClient, title: str, manifest: Manifest, faults: Sequence[str]) -> Row:
    """A service that webhooks refuse: our rules have to refuse it first."""
    why, wrong = refusal(client, manifest), []
    if not why:
        wrong.append("KServe takes it, though our rules are said to refuse it first")
    if not faults:
        wrong.append("our rules accept it, and KServe does not")
    return Row(f"refused: {title}", why.partition("\n")[0][:LONGEST], tuple(wrong))


def source_row(client: ApiClient, where: str, services: Sequence[Manifest]) -> Row:
    """The services of a plan: webhooks have to take all of them."""
    for namespace in {service["metadata"]["namespace"] for service in services}:
        client.apply(namespace_manifest(namespace), MANAGER)
    faults = [
        f"{service['kind']} {service['metadata']['name']}: {why}"
        for service in services
        if (why := refusal(client, service))
    ]
    return Row(f"webhooks: {where}", f"{len(services)} objects taken", tuple(faults))


def camel(value: Any) -> Any:
    """A spec as our model takes it, in the form that a cluster takes, whatever our rules say."""
    if isinstance(value, Mapping):
        return {
            to_camel(key): dict(item) if key in _OPAQUE else camel(item)
            for key, item in value.items()
        }
    return [camel(item) for item in value] if isinstance(value, list) else value
