"""Where images are pulled from, and whether nodes get there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.args import Fault
from components.catalog.regions import is_mainland
from components.catalog.registries import CHART_REGISTRIES, ImageRegistry, registry_of
from components.hosts import LOOPBACK
from components.platform import FluidFlavor, KServeFlavor
from components.serving.gateway_program import IMAGES
from components.serving.load_generators import GENERATORS
from components.serving.load_test import KUBECTL_IMAGE
from components.serving.route import GatewayFlavor

from ..arguments.folders import imports
from ..needs import (
    CERT_MANAGER,
    GATEWAY,
    KSERVE,
    LEADER_WORKER_SETS,
    LLM_INFERENCE_SERVICES,
    ROLE_BASED_GROUPS,
    Needs,
)
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode
from .rules import check_by_needs, warning_by_needs
from .views import models

SERVICE_HOST: Final = r"[a-z0-9-]+\.[a-z0-9-]+\.svc(\.cluster\.local)?"
"""Host by which pods find a Service."""


@dataclass(frozen=True)
class ImageSource:
    """An image that a stack pulls, or all of a chart's."""

    field: str
    """Field that names it, or would."""
    image: str
    """Reference, or the start of one."""
    resolved: bool = False
    """Whether Knative's controller asks the registry what the tag stands for."""

    @property
    def registry(self) -> ImageRegistry:
        """Where it is."""
        return registry_of(self.image)


@check_by_needs
def vpc_registries_are_of_the_region(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A registry's VPC address answers in the VPCs of its region."""
    region = environment.region
    for source in image_sources(environment, needs) if region else []:
        registry_region = source.registry.vpc_region
        if registry_region is not None and registry_region != region:
            host = source.registry.host
            want = f"at {host.replace(registry_region, region or '')}, or at a public address"
            if source.registry.is_personal:  # Of its public address nothing is pulled.
                want = f"in a registry of {region}"
            why = f"{host} answers in VPCs of {registry_region} only"
            yield Fault(source.field, source.image.removesuffix("/"), want, why)


@warning_by_needs
def nodes_resolve_the_registry(environment: Environment, needs: Needs) -> Iterator[str]:
    """Nodes pull images, and neither their own host nor their DNS is that of a cluster's pods."""
    for source in image_sources(environment, needs):
        host = source.registry.host.partition(":")[0]
        about = ""
        if re.fullmatch(LOOPBACK, host):
            about = "is the node itself: no registry is there"
        elif re.fullmatch(SERVICE_HOST, host):
            about = "is a Service, whose name the DNS of the cluster alone knows"
        if about:
            yield (
                f"{source.field} is {source.image.removesuffix('/')}, which the nodes pull, and to "
                f"them {host} {about}. Unless they were set up for it, name a registry that they "
                "reach."
            )


@warning_by_needs
def personal_registries_are_asked_inside(environment: Environment, needs: Needs) -> Iterator[str]:
    """ACR: "you cannot use the public endpoints of new Personal Edition instances to pull"."""
    for source in image_sources(environment, needs):
        if (host := source.registry.vpc_host) is not None:
            yield (
                f"{source.field} is at {source.registry.host}: public endpoints of ACR's personal "
                f"instances made since 2024-09-09 are not for pulls. In VPCs of "
                f"{source.registry.region} it is {host}."
            )


@warning_by_needs
def registries_are_in_reach(environment: Environment, needs: Needs) -> Iterator[str]:
    """From mainland China, registries abroad are slow at best."""
    region = environment.region
    if region is None or not is_mainland(region):
        return
    abroad: dict[str, list[ImageSource]] = {}
    for source in image_sources(environment, needs):
        if source.registry.is_abroad:
            abroad.setdefault(source.registry.host, []).append(source)
    for host, sources in abroad.items():
        fields = dict.fromkeys(source.field for source in sources)
        skipped = {registry_of(f"{name}/").host for name in environment.knative.skip_tag_resolving}
        unskipped = host not in skipped
        advice = (
            f" Where nodes have a mirror for {host}, Knative's controller has none: "
            f"knative.skip_tag_resolving: [{host}] keeps it from asking there."
            if unskipped and any(source.resolved for source in sources)
            else ""
        )
        yield (
            f"{host} is outside mainland China, and pulls from {region} are slow or fail: "
            f"{', '.join(fields)}. Copy the images to a registry of the region, which ACR does by "
            f"artifact subscription, and name that.{advice}"
        )


def image_sources(environment: Environment, needs: Needs) -> Iterator[ImageSource]:
    """Whence a stack's images come, whoever names them."""
    for path, model in models(environment):
        image = model.server.image
        resolved = needs.on_knative(model) and "@sha256:" not in image
        yield ImageSource(f"{path}.server.image", image, resolved)
        if model.serve.roles is not None:
            yield ImageSource(f"{path}.serve.roles.router.image", model.serve.roles.router.image)
        for kind in ("init_containers", "sidecars"):
            for part in getattr(model, kind):
                resolved = needs.on_knative(model) and "@sha256:" not in part.image
                yield ImageSource(f"{path}.{kind}[{part.name}].image", part.image, resolved)
        if (llm := model.serve.llm) and llm.router and llm.router.scheduler:
            field = f"{path}.serve.llm.router.scheduler_image"
            yield ImageSource(field, llm.router.scheduler_image)
        if llm and llm.prefill:
            yield ImageSource(f"{path}.serve.llm.prefill.proxy_image", llm.prefill.proxy_image)
    for job in environment.training:
        yield ImageSource(f"training[{job.name}].image", job.image)
    for folder in imports(environment):
        if folder.files.source and folder.files.source.image:
            yield ImageSource(f"{folder.field}.source.image", folder.files.source.image)
    for test in environment.load_tests:
        path = f"load_tests[{test.name}]"
        if generator := test.image or GENERATORS[test.generator].image:
            yield ImageSource(f"{path}.image", generator)
        if test.scenario.cold_start is not None:
            yield ImageSource(f"{path}.kubectl_image", test.kubectl_image or KUBECTL_IMAGE)
    yield from _chart_sources(environment, needs)
    if needs.sections(GATEWAY):
        yield from _gateway_sources(environment)


def _chart_sources(environment: Environment, needs: Needs) -> Iterator[ImageSource]:
    """The charts' own, unless values of the user decide."""
    fluid, kserve = environment.fluid, environment.kserve.chart
    if fluid.install and environment.has_caches:
        is_shipped = fluid.flavor is not FluidFlavor.ACK and not fluid.values
        yield from _chart_images("fluid.image_prefix", fluid.image_prefix, "fluid", is_shipped)
    prefix = kserve.image_prefix if kserve else None
    if environment.kserve.install and needs.sections(KSERVE):
        is_shipped = kserve is None or (kserve.flavor is not KServeFlavor.ACK and not kserve.values)
        field = "kserve.chart.image_prefix"
        yield from _chart_images(field, prefix, "kserve-resources", is_shipped)
    llm = environment.llm_inference_services
    if llm.install and needs.sections(LLM_INFERENCE_SERVICES):
        field, is_shipped = "kserve.chart.image_prefix", not llm.values
        yield from _chart_images(field, prefix, "kserve-llmisvc-resources", is_shipped)
    for platform, chart in ((LEADER_WORKER_SETS, "lws"), (ROLE_BASED_GROUPS, "rbgs")):
        field = platform.replace("-", "_")
        own = getattr(environment, field)
        if own.install and needs.sections(platform):
            field = f"{field}.image_prefix"
            yield from _chart_images(field, own.image_prefix, chart, not own.values)
    if needs.sections(CERT_MANAGER) and environment.cert_manager_mode is CertManagerMode.INSTALL:
        yield from _chart_images("cert_manager", prefix, "cert-manager", is_shipped=True)


def _gateway_sources(environment: Environment) -> Iterator[ImageSource]:
    """Envoy Gateway's, and those of the programs beside it; ACK's are ACK's affair."""
    section, flavor = environment.gateway, environment.gateway_flavor
    if section is None or flavor is GatewayFlavor.ACK:
        return
    is_asked = any(model.route for model in environment.models)
    programs = {"gateway.picker.image": section.picker} if is_asked else {}
    if flavor is GatewayFlavor.ENVOY:
        if environment.reads_names:
            programs["gateway.body_router.image"] = section.body_router
        chart, field = section.chart, "gateway.chart.image_prefix"
        if section.install:
            is_shipped = chart is None or not chart.values
            prefix = chart.image_prefix if chart else None
            yield from _chart_images(field, prefix, "gateway-helm", is_shipped)
    for field, program in programs.items():
        yield ImageSource(field, (program and program.image) or f"{IMAGES}/")


def _chart_images(
    field: str, prefix: str | None, chart: str, is_shipped: bool
) -> Iterator[ImageSource]:
    if prefix is not None:
        yield ImageSource(field, f"{prefix}/")
    elif is_shipped:
        yield from (ImageSource(field, f"{host}/") for host in CHART_REGISTRIES[chart])
