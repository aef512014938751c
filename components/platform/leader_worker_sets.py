"""The controller of LeaderWorkerSets, which makes the pods of models on several nodes."""

from typing import Any, Final

import pulumi

from ..args import Args, child_options
from ..catalog.charts import CHARTS
from ..crds.formats import ImagePrefix
from .releases import HelmChart, install, merged

RELEASE: Final = "lws"


class LeaderWorkerSetsChart(HelmChart):
    """Which chart installs the controller of LeaderWorkerSets."""

    image_prefix: ImagePrefix | None = None
    """Registry path that has the image `lws`, e.g. a mirror. Default: registry.k8s.io/lws."""


class LeaderWorkerSetsArgs(Args):
    """What the controller of LeaderWorkerSets is installed with."""

    chart: LeaderWorkerSetsChart | None = None
    """Which chart installs it. Default: upstream's, pinned."""


class LeaderWorkerSets(pulumi.ComponentResource):
    """The controller of LeaderWorkerSets and its webhooks, in the namespace lws-system.

    One per cluster: leave it out if there is one. The resource type stays when it is uninstalled.
    """

    release_name: pulumi.Output[str]
    """Name of the Helm release."""

    def __init__(
        self, name: str, args: LeaderWorkerSetsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = LeaderWorkerSetsArgs.of(args)

        super().__init__("ack-inference:index:LeaderWorkerSets", name, args.dump(), opts)

        chart, options = args.chart or LeaderWorkerSetsChart(), child_options(self, opts)
        install(f"{name}-release", CHARTS[RELEASE], chart, controller_values(chart), options)

        self.release_name = pulumi.Output.from_input(RELEASE)
        self.register_outputs({"release_name": self.release_name})


def controller_values(chart: LeaderWorkerSetsChart) -> dict[str, Any]:
    """Values of the chart: ours, then the user's over them."""
    # Its webhooks have their certificate from the controller itself, not from cert-manager.
    prefix = chart.image_prefix
    image = {"image": {"manager": {"repository": f"{prefix}/lws"}}} if prefix else {}
    return merged(image, chart.values)
