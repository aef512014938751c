"""The controller of RoleBasedGroups, for models with prefill and decode apart."""

from typing import Any, Final

import pulumi

from ..args import Args, child_options
from ..catalog.charts import CHARTS
from ..crds.formats import ImagePrefix
from .releases import HelmChart, install, merged

RELEASE: Final = "rbgs"


class RoleBasedGroupsChart(HelmChart):
    """Which chart installs the controller of RoleBasedGroups."""

    image_prefix: ImagePrefix | None = None
    """Registry path that has the images `rbgs-controller` and `rbgs-upgrade-crd`, e.g. a mirror.
    Default: rolebasedgroup of Docker Hub."""


class RoleBasedGroupsArgs(Args):
    """What the controller of RoleBasedGroups is installed with."""

    chart: RoleBasedGroupsChart | None = None
    """Which chart installs it. Default: upstream's, pinned."""


class RoleBasedGroups(pulumi.ComponentResource):
    """The controller of RoleBasedGroups, in the namespace rbgs-system.

    One per cluster: leave it out if there is one. A Job of the chart brings the resource types,
    which stay when it is uninstalled.
    """

    release_name: pulumi.Output[str]
    """Name of the Helm release."""

    def __init__(
        self, name: str, args: RoleBasedGroupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = RoleBasedGroupsArgs.of(args)

        super().__init__("ack-inference:index:RoleBasedGroups", name, args.dump(), opts)

        chart, options = args.chart or RoleBasedGroupsChart(), child_options(self, opts)
        values = group_values(chart)
        install(f"{name}-release", CHARTS[RELEASE], chart, values, options)

        self.release_name = pulumi.Output.from_input(RELEASE)
        self.register_outputs({"release_name": self.release_name})


def group_values(chart: RoleBasedGroupsChart) -> dict[str, Any]:
    """Values of the chart: ours, then the user's over them."""
    prefix = chart.image_prefix
    images = {
        "image": {"repository": f"{prefix}/rbgs-controller"},
        "crdUpgrade": {"repository": f"{prefix}/rbgs-upgrade-crd"},
    }
    return merged(images if prefix else {}, chart.values)
