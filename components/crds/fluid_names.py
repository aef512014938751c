"""Names of Fluid's objects, and what it calls others after them."""

from collections.abc import Iterator
from typing import Final

from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from ..args import MISSING, Fault
from ..names import DNS_1035_LABEL, HELM_RELEASE, STATEFUL_SET, shorter


def worker_name(name: str) -> str:
    """The StatefulSet of a JindoRuntime's workers.

    fluid 1.0.8, pkg/ddc/jindocache/utils.go, where charts/jindocache is given the same name.
    """
    return f"{name}-jindofs-worker"


LONGEST_NAME: Final = STATEFUL_SET.longest - len(worker_name(""))
"""Characters of the name of a Dataset and its JindoRuntime: 37, so that workers get pods."""


def load_release(name: str) -> str:
    """The Helm release that a DataLoad is: fluid 1.0.8, pkg/utils/dataload.go."""
    return f"{name}-loader"


LONGEST_LOAD_NAME: Final = HELM_RELEASE.longest - len(load_release(""))
"""Characters of the name of a DataLoad: 46."""


def name_faults(metadata: ObjectMetaArgs) -> Iterator[Fault]:
    """Refuses a name that Fluid cannot make pods, or a claim, of."""
    if metadata.name is None:
        why = "a Dataset and its runtime find each other by name"
        yield Fault("metadata.name", MISSING, "given", why)
    why = "Fluid makes Services and a claim of this name"
    yield from DNS_1035_LABEL.faults("metadata.name", metadata.name, why)
    name = metadata.name
    if isinstance(name, str) and len(name) > LONGEST_NAME:
        why = (
            f"its workers are the StatefulSet {worker_name(name)}, whose name is in a label of "
            f"each pod, beside a hash, and over {STATEFUL_SET.longest} long"
        )
        yield Fault("metadata.name", name, shorter(LONGEST_NAME), why, STATEFUL_SET.source)


def load_name_faults(metadata: ObjectMetaArgs) -> Iterator[Fault]:
    """Refuses a name of which Fluid can make no Helm release."""
    name = metadata.name
    if isinstance(name, str) and len(name) > LONGEST_LOAD_NAME:
        why = f"it is the Helm release {load_release(name)}, over {HELM_RELEASE.longest} long"
        yield Fault("metadata.name", name, shorter(LONGEST_LOAD_NAME), why, HELM_RELEASE.source)
