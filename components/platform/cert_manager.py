"""cert-manager: issues the certificates that webhooks of other add-ons serve."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pulumi

from ..args import Args, Fault, child_options
from ..catalog.charts import CERT_MANAGER_ONE_REGISTRY, CHARTS
from ..crds.formats import ImagePrefix
from .releases import HelmChart, install, merged

RELEASE: Final = "cert-manager"
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.\d+")


class CertManagerArgs(Args):
    """What cert-manager is installed with."""

    chart: HelmChart | None = None
    """Which chart installs it. Default: upstream's, pinned."""
    image_prefix: ImagePrefix | None = None
    """Registry path that has cert-manager's images, e.g. a mirror. Default: quay.io/jetstack."""

    def _faults(self) -> Iterator[Fault]:
        version = self.chart.version if self.chart else None
        if version is None:
            return
        match = _VERSION.match(version)
        if match is None:
            want = f"written like {CHARTS['cert-manager'].version}"
            yield Fault("chart.version", version, want, "the charts are tagged so")
        elif self.image_prefix and (int(match[1]), int(match[2])) < CERT_MANAGER_ONE_REGISTRY:
            oldest = f"v{'.'.join(map(str, CERT_MANAGER_ONE_REGISTRY))}.0"
            want = f"{oldest} or later beside image_prefix, or chart.values used instead"
            why = "older charts name the registry of each image, and refuse other values"
            yield Fault("chart.version", version, want, why)


class CertManager(pulumi.ComponentResource):
    """cert-manager in the namespace of its name. One per cluster: leave it out if there is one.

    Its resource types stay when it is uninstalled, and with them every certificate.
    """

    release_name: pulumi.Output[str]
    """Name of the Helm release."""

    def __init__(
        self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = CertManagerArgs.of(args)

        super().__init__("ack-inference:index:CertManager", name, args.dump(), opts)

        values, options = cert_manager_values(args), child_options(self, opts)
        install(f"{name}-release", CHARTS[RELEASE], args.chart, values, options)

        self.release_name = pulumi.Output.from_input(RELEASE)
        self.register_outputs({"release_name": self.release_name})


def cert_manager_values(args: CertManagerArgs) -> dict[str, Any]:
    """Values of the chart: ours, then the user's over them."""
    values: dict[str, Any] = {
        # Deleting the resource types would delete every certificate in the cluster.
        "crds": {"enabled": True, "keep": True},
    }
    if args.image_prefix:
        values |= {"imageRegistry": args.image_prefix, "imageNamespace": ""}
    return merged(values, args.chart.values if args.chart else None)
