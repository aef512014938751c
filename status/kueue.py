"""What Kueue writes on the objects that it holds back until a queue has room for them.

pkg/controller/constants and pkg/controller/jobs/pod/constants of Kueue 0.17.0, read 2026-11-30.
"""

from typing import Final

from plan.objects import Manifest, section

GATE: Final = "kueue.x-k8s.io/admission"
"""Scheduling gate of a pod that no queue has admitted yet."""
QUEUE: Final = "kueue.x-k8s.io/queue-name"
"""Label of an object, and of the pods that it makes: the LocalQueue of its namespace."""

LOCAL_QUEUE: Final = ("kueue.x-k8s.io", "LocalQueue")
DEFAULT: Final = "default"
"""A LocalQueue of this name takes in what is made in its namespace, asked or not."""


def queue_name(manifest: Manifest | None) -> str:
    """LocalQueue that an object stands in; empty without one."""
    return str(section(manifest, "metadata", "labels").get(QUEUE) or "")


def queue_of(manifest: Manifest) -> str:
    """The same in words."""
    name = queue_name(manifest)
    return f"Kueue's queue {name}" if name else "Kueue"
