"""KServe, with the ingress controller that its models need."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault
from components.platform import KServe, KServeArgs, KServeFlavor
from components.serving import ModelArgs

from ..arguments import cluster_id
from ..checks.cluster import kubernetes_faults
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode, IngressController
from .cert_manager import CERT_MANAGER
from .ingress import ingress_controller
from .platform import Platform

KUBERNETES: Final = "1.32"
"""Lowest Kubernetes version of KServe 0.20: KServe, administrator guide, 2026-08."""


def kserve_args(environment: Environment, _models: Sequence[ModelArgs]) -> KServeArgs:
    """KServe as its section has it."""
    section = environment.kserve
    installs = ingress_controller(environment) is IngressController.ADDON
    ack = section.chart is not None and section.chart.flavor is KServeFlavor.ACK
    return KServeArgs(
        chart=section.chart,
        domain=None if ack else section.domain,
        ingress_class=None if ack else section.ingress_class,
        runtimes=section.runtimes,
        protect_crds=environment.cluster.deletion_protection,
        cluster_id=cluster_id(environment) if installs else None,
        public_ingress=section.public_ingress if installs and not environment.existing else None,
    )


KSERVE: Final = Platform("kserve", kserve_args, KServe, needs=(CERT_MANAGER,), section="kserve")


# --- checks --------------------------------------------------------------------------------------


@KSERVE.check
def kserve_runs_on_the_kubernetes(environment: Environment) -> Iterator[Fault]:
    """The pinned release has a floor; of another one it is not known."""
    if not environment.kserve.chart:
        yield from kubernetes_faults(environment, KUBERNETES, "the pinned KServe needs it")


@KSERVE.check
def kserve_has_cert_manager(environment: Environment) -> Iterator[Fault]:
    """KServe's webhooks refuse everything until they have a certificate."""
    if environment.cert_manager is CertManagerMode.ABSENT:
        why = "KServe's webhooks get their certificate from it"
        yield Fault("cert_manager", environment.cert_manager, "'install' or 'present'", why)
