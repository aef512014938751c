"""Claims that have to go before their successors come, which they do not while pods mount them."""

from collections.abc import Iterator
from typing import Final

from .compare import ChangeKind, StackDiff

CLAIM: Final = "kubernetes:core/v1:PersistentVolumeClaim"


def held(diff: StackDiff) -> Iterator[str]:
    """A sentence where claims go first: the finalizer `pvc-protection` holds each that is mounted.

    Kubernetes, "Persistent Volumes", Storage Object in Use Protection, read 2026-11.
    """
    claims = [
        change.resource.name
        for change in diff.resources
        if change.resource.type == CLAIM
        and change.kind is ChangeKind.REPLACED
        and change.deletes_first
    ]
    if claims:
        yield (
            f"Claims go before their successors come ({', '.join(claims)}), and Kubernetes keeps a "
            "claim while a pod mounts it: take out the models and jobs that do, `pulumi up`, and "
            "put them in again."
        )
