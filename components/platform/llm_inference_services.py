"""KServe's controller of LLMInferenceServices, beside KServe's own or without it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi

from ..args import Args, Fault, child_options
from ..catalog.charts import CHARTS
from .kserve import NAMESPACE, KServeChart, chart_source, shared_images
from .releases import install, merged, null_faults

PRESETS: Final = "kserve-llmisvc-configs"
"""Helm release of KServe's presets, of the chart that has its serving runtimes too."""


class LLMInferenceServicesArgs(Args):
    """What the controller of LLMInferenceServices is installed with."""

    chart: KServeChart | None = None
    """Which charts install it: path, version, images. Default: upstream's, pinned."""
    shared: bool = True
    """Whether it comes with what it shares with KServe: the ConfigMap inferenceservice-config, the
    Issuer of its certificates, and the ClusterStorageContainer. False where KServe is there."""
    inference_pools: bool = True
    """Whether it comes with the resource types of the inference extension."""
    values: dict[str, Any] | None = None
    """Values of kserve-llmisvc-resources, laid over ours."""
    protect_crds: bool = True
    """Whether Pulumi refuses to uninstall the resource types, which would delete every model of
    theirs in the cluster."""

    def _faults(self) -> Iterator[Fault]:
        yield from null_faults(self.values)


class LLMInferenceServices(pulumi.ComponentResource):
    """Resource types, controller and presets, in the namespace kserve.

    cert-manager has to be there before, and what the controller looks for once, when it starts:
    the Gateway API, KEDA and LeaderWorkerSets.
    """

    namespace: pulumi.Output[str]
    """Namespace of the controller."""

    def __init__(
        self, name: str, args: LLMInferenceServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = LLMInferenceServicesArgs.of(args)
        super().__init__("ack-inference:index:LLMInferenceServices", name, args.dump(), opts)

        chart, options = args.chart or KServeChart(), child_options(self, opts)
        parts: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
            ("kserve-llmisvc-crd", "kserve-llmisvc-crd", {}),
            ("kserve-llmisvc-resources", "kserve-llmisvc-resources", controller_values(args)),
            (PRESETS, "kserve-runtime-configs", preset_values()),
        )
        for release, key, values in parts:
            pinned = CHARTS[key]
            is_type = release == "kserve-llmisvc-crd"
            part = pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(protect=is_type and args.protect_crds)
            )
            source = chart_source(chart, pinned)
            deployed = install(f"{name}-{release}", pinned, source, values, part, release)
            options = child_options(self, opts, depends_on=[deployed])

        self.namespace = pulumi.Output.from_input(NAMESPACE)
        self.register_outputs({"namespace": self.namespace})


def controller_values(args: LLMInferenceServicesArgs) -> dict[str, Any]:
    """Values of kserve-llmisvc-resources: ours, then the user's over them."""
    chart = args.chart or KServeChart()
    llmisvc: dict[str, Any] = {"createGIECRDs": args.inference_pools}
    kserve: dict[str, Any] = {"createSharedResources": args.shared, "llmisvc": llmisvc}
    if prefix := chart.image_prefix:
        llmisvc["controller"] = {"image": f"{prefix}/llmisvc-controller"}
        kserve |= shared_images(prefix)
    return merged({"kserve": kserve}, args.values)


def preset_values() -> dict[str, Any]:
    """Values of kserve-runtime-configs: the presets alone."""
    return {"kserve": {"llmisvcConfigs": {"enabled": True}, "servingruntime": {"enabled": False}}}
