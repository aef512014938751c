"""cert-manager, of which webhooks have their certificates."""

from collections.abc import Sequence
from typing import Final

from components.platform import CertManager, CertManagerArgs
from components.serving import ModelArgs

from ..needs import CERT_MANAGER as NAME
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode
from .platform import Platform


def cert_manager_args(
    environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]
) -> CertManagerArgs | None:
    """cert-manager, unless the cluster has it, from the registry that KServe comes from."""
    if environment.cert_manager is not CertManagerMode.INSTALL:
        return None
    chart = environment.kserve.chart
    return CertManagerArgs(image_prefix=chart.image_prefix if chart else None)


CERT_MANAGER: Final = Platform(NAME, cert_manager_args, CertManager)
