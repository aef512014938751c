"""KServe, with the ingress controller that its models need."""

from collections.abc import Sequence
from typing import Final

from components.platform import KServe, KServeArgs, KServeFlavor
from components.serving import ModelArgs

from ..arguments import cluster_id
from ..sections.environment import Environment
from ..sections.platform import IngressController
from .cert_manager import CERT_MANAGER
from .ingress import ingress_controller
from .platform import Platform


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
