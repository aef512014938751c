"""Secrets that pods name: put into the clusters of a sandbox, and looked for outside of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from plan.model import Plan, Resource
from plan.objects import namespace_of
from sandbox.kubernetes.client import Manifest
from sandbox.run import Sandbox
from status.cluster import Connection
from status.ways import status_of
from status.words import to_json

from .boxes import done
from .test_secrets import everything, texts_outside

CANARY: Final = "canary-of-a-cluster-5d1b"
_FIELDS: Final = ("secretKeyRef", "secretRef", "nodePublishSecretRef")
"""Fields whose `name` is that of a Secret; `secretName` is one by itself."""


def named_secrets(resources: Sequence[Resource]) -> list[tuple[str, str]]:
    """Namespace and name of each Secret that objects name and the stack does not make."""
    return sorted(
        {
            secret
            for resource in resources
            if resource.manifest is not None
            for secret in _named(resource.inputs, namespace_of(resource.inputs))
        }
    )


def _named(value: Any, namespace: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "secretName":
                yield namespace, str(inner)
            elif key in _FIELDS and "name" in inner:
                yield str(inner.get("namespace", namespace)), str(inner["name"])
            elif key in ("imagePullSecrets", "credentialRefs", "certificateRefs"):
                yield from ((namespace, str(entry["name"])) for entry in inner)
            else:
                yield from _named(inner, namespace)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, namespace)


def assert_secrets_stay(box: Sandbox, plan: Plan) -> int:
    """Puts a canary into each Secret that a stack names; neither engine nor status has it then.

    The engine finds nothing to change meanwhile. Returns how many Secrets there are.
    """
    secrets = named_secrets(plan.resources)
    [cluster] = box.clusters.names()
    client = box.clusters.find(cluster).client
    manifests = []
    for namespace, name in secrets:
        about = {"name": name, "namespace": namespace}
        secret: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": about}
        if client.get(secret) is None:
            client.apply({**secret, "stringData": {"value": CANARY}}, "canaries")
            manifests.append(secret)
    # The preview first: after a refresh it would go on with Jobs that still run.
    outcomes = [box.preview(json=True), box.refresh(debug=True)]
    assert done(outcomes[0]) == set()
    status = to_json(status_of(plan, Connection(box.kubeconfigs[cluster])))
    texts = {
        "what the engine said": " ".join(map(everything, outcomes)).encode(),
        "the status": status.encode(),
        **texts_outside(box),
    }
    for secret in manifests:
        client.delete(secret)
    assert [where for where, text in texts.items() if CANARY.encode() in text] == []
    return len(secrets)
