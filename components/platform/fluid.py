"""Fluid: keeps copies of models near the GPUs."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pulumi
from pydantic import Field

from ..args import Args, Fault, child_options
from ..catalog.charts import CHARTS
from ..crds.affinity import Toleration
from ..crds.formats import ImagePrefix
from .releases import (
    INSTALL_SECONDS,
    address_faults,
    install,
    merged,
    null_faults,
    source_faults,
)

RELEASE = "fluid"


class FluidFlavor(StrEnum):
    """Who publishes the chart."""

    UPSTREAM = "upstream"
    """The chart of the Fluid project."""
    ACK = "ack"
    """ack-fluid of Alibaba Cloud. Its chart address is not published: give it."""


class FluidChart(Args):
    """Which chart installs Fluid."""

    flavor: FluidFlavor = FluidFlavor.UPSTREAM
    """upstream, or ack for ack-fluid. Both exclude each other in a cluster."""
    chart: str | None = None
    """Name of the chart, or an oci:// reference. Default: upstream's."""
    repository: str | None = None
    """HTTP repository of the chart. Default: upstream's."""
    version: str | None = None
    """Version of the chart. Default: upstream's newest stable release."""
    image_prefix: ImagePrefix | None = None
    """Registry path that has Fluid's images and those of Jindo, smartdata and jindo-fuse, e.g. a
    mirror. Default: the chart's, Docker Hub and Jindo's registry in Shanghai."""
    values: dict[str, Any] | None = None
    """Values laid over ours."""
    timeout_seconds: int = Field(default=INSTALL_SECONDS, ge=60)
    """How long an installation may take, in seconds."""

    def _faults(self) -> Iterator[Fault]:
        yield from source_faults(self.chart, self.repository, self.version)
        yield from null_faults(self.values)
        if self.flavor is FluidFlavor.ACK:
            yield from address_faults(self, "ack-fluid")


class FluidArgs(Args):
    """What Fluid is installed with."""

    chart: FluidChart
    """Which chart installs it."""
    tolerations: list[Toleration] | None = None
    """Taints of the nodes that mount cached models; the CSI plugin runs on each of them.
    Left out, it runs on every node."""


class Fluid(pulumi.ComponentResource):
    """Fluid's controllers and its CSI plugin, in the namespace fluid-system."""

    release_name: pulumi.Output[str]
    """Name of the Helm release."""

    def __init__(
        self, name: str, args: FluidArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = FluidArgs.of(args)

        super().__init__("ack-inference:index:Fluid", name, args.dump(), opts)

        values, options = fluid_values(args), child_options(self, opts)
        install(f"{name}-release", CHARTS[RELEASE], args.chart, values, options)

        self.release_name = pulumi.Output.from_input(RELEASE)
        self.register_outputs({"release_name": self.release_name})


def fluid_values(args: FluidArgs) -> dict[str, Any]:
    """Values of the chart: ours for the upstream chart, then the user's over them."""
    values = _upstream_values(args) if args.chart.flavor is FluidFlavor.UPSTREAM else {}
    return merged(values, args.chart.values)


def _upstream_values(args: FluidArgs) -> dict[str, Any]:
    values: dict[str, Any] = {
        # A controller that only starts on demand is stopped by every upgrade of the chart.
        "runtime": {"jindo": {"enabled": True}},
    }
    if args.tolerations:
        # The chart's own value tolerates everything; an empty list would tolerate nothing.
        values["csi"] = {"tolerations": [toleration.manifest() for toleration in args.tolerations]}
    return merged(values, _images(args.chart.image_prefix)) if args.chart.image_prefix else values


def _images(prefix: str) -> dict[str, Any]:
    # The chart's top-level imagePrefix is a YAML anchor: overriding it alone changes nothing.
    image = {"imagePrefix": prefix}
    return {
        "crdUpgrade": image,
        "dataset": {"controller": image},
        "csi": {"registrar": image, "plugins": image},
        # smartdata and fuse are Jindo itself, which the controller starts for each cache.
        "runtime": {"jindo": dict.fromkeys(("controller", "init", "smartdata", "fuse"), image)},
        "webhook": {**image, "filePrefetcher": image},
        "fluidapp": {"controller": image},
    }
