"""Knative, for models of its own and for those that KServe runs on it."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault, Words
from components.catalog.charts import KNATIVE_SERVING_MINIMUM, KNATIVE_SERVING_VERSION
from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from components.platform import Knative, KnativeArgs, KnativeInstaller
from components.serving import ModelArgs
from components.serving.pod import model_pod

from ..arguments import cluster_id
from ..checks.cluster import kubernetes_faults
from ..checks.rules import check
from ..checks.views import lowest_size
from ..sections.environment import Environment
from .platform import Platform

ADDON_NODES: Final = 3
"""Worker nodes that ACK wants before it installs Knative: ACK, "Deploy Knative"."""
ADDON_KUBERNETES: Final = "1.28"
"""Lowest Kubernetes version of ACK's Knative add-on: ACK, "Deploy Knative"."""


def knative_args(environment: Environment, models: Sequence[ModelArgs]) -> KnativeArgs:
    """Knative, with exactly the flags that the pods of its models need, whoever serves them."""
    flags: dict[str, str] = {}
    for model in models:
        flags |= features(RevisionTemplate.model_validate({"spec": model_pod(model)}))
    return KnativeArgs(
        installer=KnativeInstaller.OPERATOR if environment.existing else KnativeInstaller.ADDON,
        cluster_id=cluster_id(environment),
        features=flags,
        version=environment.knative.version,
        domain=environment.knative.domain,
        skip_tag_resolving=environment.knative.skip_tag_resolving or None,
        max_request_seconds=environment.knative.max_request_seconds,
    )


KNATIVE: Final = Platform("knative", knative_args, Knative, section="knative", nodes=ADDON_NODES)


# --- checks --------------------------------------------------------------------------------------


@KNATIVE.check
def knative_runs_on_the_kubernetes(environment: Environment) -> Iterator[Fault]:
    """ACK's add-on and the operator's releases have floors."""
    if not environment.existing:
        why = "ACK's Knative add-on needs it"
        yield from kubernetes_faults(environment, ADDON_KUBERNETES, why)
        return
    release = environment.knative.version or KNATIVE_SERVING_VERSION
    if floor := KNATIVE_SERVING_MINIMUM.get(release):
        yield from kubernetes_faults(environment, floor, f"Knative Serving {release} needs it")


@check
def knative_release_is_served(environment: Environment) -> Iterator[Fault]:
    """The operator serves a few releases of Serving."""
    version = environment.knative.version
    if environment.existing and version is not None and version not in KNATIVE_SERVING_MINIMUM:
        want = f"one of {', '.join(KNATIVE_SERVING_MINIMUM)}"
        why = "these are the releases that the pinned Knative operator installs"
        yield Fault("knative.version", version, want, why)


@KNATIVE.check
def enough_nodes_carry_knative(environment: Environment) -> Iterator[Fault]:
    """ACK counts the nodes before it installs the add-on."""
    lowest = sum(map(lowest_size, environment.pools))
    if not environment.existing and environment.pools and lowest < ADDON_NODES:
        got = Words(f"{lowest} node{'' if lowest == 1 else 's'} at the least")
        want = f"{ADDON_NODES} nodes or more, over all pools"
        yield Fault("pools", got, want, "ACK installs Knative only on that many")
