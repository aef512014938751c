"""cert-manager, of which webhooks have their certificates."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault
from components.platform import CertManager, CertManagerArgs
from components.platform.releases import HelmChart
from components.serving import ModelArgs
from components.serving.ingress import IngressTls

from ..needs import CERT_MANAGER as NAME
from ..needs import KSERVE, Needs
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode, CertManagerSection
from .platform import Platform, release_faults

KSERVE_MINIMUM: Final = (1, 15)
"""Lowest cert-manager release of KServe: KServe, administrator guide, 2026-08."""


def cert_manager_args(
    environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]
) -> CertManagerArgs | None:
    """cert-manager, unless the cluster has it, from the registry that KServe comes from."""
    if environment.cert_manager_mode is not CertManagerMode.INSTALL:
        return None
    chart, version = environment.kserve.chart, _version(environment)
    return CertManagerArgs(
        chart=HelmChart(version=version) if version else None,
        image_prefix=chart.image_prefix if chart else None,
    )


def _version(environment: Environment) -> str | None:
    section = environment.cert_manager
    return section.version if isinstance(section, CertManagerSection) else None


CERT_MANAGER: Final = Platform(NAME, cert_manager_args, CertManager, section="cert_manager")


# --- checks --------------------------------------------------------------------------------------


@CERT_MANAGER.check
def cert_manager_serves_kserve(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Whether the stack installs it or the cluster has it."""
    version, installs = _version(environment), environment.kserve.install
    if installs and needs.sections(KSERVE):
        why = "KServe has its certificates from it, and needs that release"
        yield from release_faults("cert_manager.version", version, KSERVE_MINIMUM, why)


def issuer_faults(environment: Environment, field: str, tls: IngressTls | None) -> Iterator[Fault]:
    """Refuses an issuer of certificates that nobody asks."""
    issuer = tls.issuer if tls else None
    if issuer is not None and environment.cert_manager_mode is CertManagerMode.ABSENT:
        want = "left out, and secret given; or cert_manager install or present"
        yield Fault(f"{field}.issuer", issuer, want, "it is one of cert-manager's")
