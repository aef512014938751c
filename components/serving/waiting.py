"""Lets an update wait until a custom resource works, instead of until it is stored."""

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs


def metadata(
    name: pulumi.Input[str],
    namespace: pulumi.Input[str],
    *,
    wait_for: str | None = None,
    seconds: int | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> ObjectMetaArgs:
    """Metadata of an object, with Pulumi's annotations for waiting.

    Args:
        name: Name of the object.
        namespace: Its namespace.
        wait_for: Condition, e.g. `condition=Ready` or `jsonpath={.status.phase}=Bound`.
        seconds: How long to wait; 0 or None does not wait.
        labels: Labels of the object.
        annotations: Further annotations of the object.
    """
    notes = dict(annotations or {})
    if wait_for and seconds:
        notes |= {"pulumi.com/waitFor": wait_for, "pulumi.com/timeoutSeconds": str(seconds)}
    return ObjectMetaArgs(name=name, namespace=namespace, labels=labels, annotations=notes or None)
