"""KServe: serves models as Deployments that an HPA scales."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import pulumi
from pydantic import Field

from ..args import Args, Because, Fault, Input, Words, child_options
from ..bindings import alicloud, kubernetes
from ..catalog.charts import CHARTS, KSERVE_RBAC_PROXY, KSERVE_RENAMED, KSERVE_RUNTIME_IMAGES, Chart
from ..crds.formats import ImagePrefix
from ..crds.knative_annotations import DEFAULT_DOMAIN
from ..hosts import DomainName
from ..names import ObjectName
from .releases import (
    INSTALL_SECONDS,
    HelmChart,
    address_faults,
    install,
    merged,
    null_faults,
    source_faults,
)

NAMESPACE: Final = "kserve"
DEFAULT_INGRESS_CLASS: Final = "nginx"
ACK_RELEASE: Final = "ack-kserve"
ModelsDomain = Annotated[DomainName, Because("models are hosts below it")]
"""Type of the domain of models."""
IngressClassName = Annotated[ObjectName, Because("each model's Ingress names its class")]
"""Type of the name of an IngressClass."""
ALB_INGRESS_CLASS: Final = "alb"
INGRESS_ADDONS: Final[Mapping[str, str]] = MappingProxyType(
    {DEFAULT_INGRESS_CLASS: "nginx-ingress-controller", ALB_INGRESS_CLASS: "alb-ingress-controller"}
)
"""Add-on of ACK that answers to an IngressClass."""
ALB_ZONES: Final = 2
"""Fewest zones of an ALB instance: ACK, "Use Terraform to create an ACK cluster", read 2026-11."""
SHIPPED_LIMIT: Final = "1"
"""CPU limit that KServe gives a container without one, as it ships."""
_CPU_LIMIT: Final = ("kserve", "inferenceservice", "resources", "limits", "cpu")
_GATEWAY_API: Final = ("kserve", "controller", "gateway", "ingressGateway", "enableGatewayApi")
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)\.\d+(-rc\d+)?")


class KServeFlavor(StrEnum):
    """Who publishes the charts."""

    UPSTREAM = "upstream"
    """The charts of the KServe project."""
    ACK = "ack"
    """ack-kserve of Alibaba Cloud. Its chart address is not published: give it."""


class KServeChart(Args):
    """Which charts install KServe."""

    flavor: KServeFlavor = KServeFlavor.UPSTREAM
    """upstream, or ack for ack-kserve. They own the same resource types."""
    chart: str | None = None
    """Name of ack-kserve's chart, an oci:// reference, or the URL of a .tgz."""
    repository: str | None = None
    """OCI path that has KServe's charts, e.g. of a mirror, or HTTP repository of ack-kserve."""
    version: str | None = None
    """Version of all charts. Default: upstream's newest stable release."""
    image_prefix: ImagePrefix | None = None
    """Registry path that has KServe's images, those of its serving runtimes where they are
    installed, and in a stack cert-manager's, e.g. a mirror. Default: each chart's own registries.
    """
    values: dict[str, Any] | None = None
    """Values laid over ours: of kserve-resources, or all that ack-kserve is given."""
    timeout_seconds: int = Field(default=INSTALL_SECONDS, ge=60)
    """How long the installation of one chart may take, in seconds."""

    def _faults(self) -> Iterator[Fault]:
        yield from null_faults(self.values)
        if self.flavor is KServeFlavor.ACK:
            yield from self._ack_faults()
        else:
            yield from self._upstream_faults()

    def _ack_faults(self) -> Iterator[Fault]:
        yield from address_faults(self, "ack-kserve")
        if self.image_prefix is not None:
            why = "the values of ack-kserve are not known here"
            yield Fault("image_prefix", self.image_prefix, "put into values", why)
        yield from source_faults(self.chart, self.repository, self.version)

    def _upstream_faults(self) -> Iterator[Fault]:
        if self.chart is not None:
            why = "KServe is several charts, whose path `repository` names"
            yield Fault("chart", self.chart, "left out, or flavor ack", why)
        if self.repository is not None and not self.repository.startswith("oci://"):
            want = "an oci:// path that has all of KServe's charts"
            why = "KServe publishes them in an OCI registry alone"
            yield Fault("repository", self.repository, want, why)
        if self.version is not None:
            yield from _version_faults(self.version)


class KServeArgs(Args):
    """What KServe is installed with."""

    chart: KServeChart | None = None
    """Which charts install it. Default: upstream's, pinned."""
    domain: ModelsDomain | None = None
    """Domain below which models are reached. Default example.com."""
    ingress_class: IngressClassName | None = None
    """IngressClass of the models' Ingresses. Default nginx, which ACK's controller answers to."""
    runtimes: bool = False
    """Whether KServe's own serving runtimes are installed too. A model with an image of its own
    needs none."""
    protect_crds: bool = True
    """Whether Pulumi refuses to uninstall the resource types, which would delete every model that
    KServe serves in the cluster, also those of others."""
    cluster_id: Input[str] | None = None
    """Cluster of ACK, Edge among them, that gets the add-on of the class, nginx-ingress-controller
    or alb-ingress-controller, and with it a load balancer, which costs money. Left out, an ingress
    controller has to be there."""
    alb_vswitch_ids: dict[str, Input[str]] | None = None
    """ID of a vSwitch of each zone, two or more, in which the ALB instance of class alb stands."""
    public_ingress: bool = False
    """Whether that load balancer has a public address. Without, it answers in the VPC."""

    def _faults(self) -> Iterator[Fault]:
        yield from self._ingress_faults()
        if self.chart and self.chart.flavor is KServeFlavor.ACK:
            for field in ("domain", "ingress_class", "runtimes"):
                if got := getattr(self, field):
                    why = "the values of ack-kserve are not known here"
                    yield Fault(field, got, "left out, and put into chart.values", why)

    def _ingress_faults(self) -> Iterator[Fault]:
        if self.public_ingress and self.cluster_id is None:
            why = "it is a setting of the add-on that the stack installs"
            yield Fault("public_ingress", True, "left out, or cluster_id given", why)
        ingress_class = self.ingress_class or DEFAULT_INGRESS_CLASS
        if self.cluster_id is not None and ingress_class not in INGRESS_ADDONS:
            want = f"{' or '.join(INGRESS_ADDONS)}, or cluster_id left out"
            yield Fault("ingress_class", ingress_class, want, "ACK's add-ons answer to no other")
        zones = len(self.alb_vswitch_ids or {})
        if self.cluster_id is not None and ingress_class == ALB_INGRESS_CLASS:
            if zones < ALB_ZONES:
                got = Words(f"those of {zones} zone{'' if zones == 1 else 's'}")
                want = f"those of {ALB_ZONES} zones or more"
                yield Fault("alb_vswitch_ids", got, want, "an ALB instance stands in as many")
        elif zones:
            why = "only the add-on of class alb makes an ALB instance"
            yield Fault("alb_vswitch_ids", Words("given"), "left out", why)


class KServe(pulumi.ComponentResource):
    """KServe's resource types and controller, in the namespace kserve, without Istio and Knative.

    cert-manager has to be there before: name it in `depends_on`.
    """

    namespace: pulumi.Output[str]
    """Namespace of the controller."""
    domain: pulumi.Output[str] | None
    """Domain below which models are reached; absent with ack-kserve, whose values decide."""

    def __init__(
        self, name: str, args: KServeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = KServeArgs.of(args)
        chart = args.chart or KServeChart()

        # A child waits for its component: what this one waits for would hold up the resource types.
        at_once = pulumi.ResourceOptions.merge(opts, None)
        at_once.depends_on = None
        super().__init__("ack-inference:index:KServe", name, args.dump(), at_once)

        if args.cluster_id is not None:
            self._declare_ingress(name, args, opts)
        if chart.flavor is KServeFlavor.ACK:
            self._declare_ack(name, chart, opts)
            self.domain = None
        else:
            self._declare_upstream(name, args, chart, opts)
            self.domain = pulumi.Output.from_input(args.domain or DEFAULT_DOMAIN)

        self.namespace = pulumi.Output.from_input(NAMESPACE)
        self.register_outputs({"namespace": self.namespace, "domain": self.domain})

    def _declare_ingress(
        self, name: str, args: KServeArgs, opts: pulumi.ResourceOptions | None
    ) -> None:
        # https://registry.terraform.io/providers/aliyun/alicloud/latest/docs/resources/cs_managed_kubernetes
        is_alb = args.ingress_class == ALB_INGRESS_CLASS
        addon = alicloud.cs.KubernetesAddon(
            f"{name}-ingress",
            cluster_id=args.cluster_id,
            name=INGRESS_ADDONS[args.ingress_class or DEFAULT_INGRESS_CLASS],
            config=pulumi.Output.json_dumps(_alb(args) if is_alb else _nginx(args)),
            opts=child_options(self, opts),
        )
        if is_alb:
            # The add-on makes the AlbConfig alb, and its pages have the class made by hand: ACK,
            # "Access Services by using an ALB Ingress", read 2026-11. One that is there is taken.
            kubernetes.networking.v1.IngressClass(
                f"{name}-ingress-class",
                metadata={
                    "name": ALB_INGRESS_CLASS,
                    "annotations": {"pulumi.com/patchForce": "true"},
                },
                spec={
                    "controller": "ingress.k8s.alibabacloud/alb",
                    "parameters": {
                        "api_group": "alibabacloud.com",
                        "kind": "AlbConfig",
                        "name": ALB_INGRESS_CLASS,
                    },
                },
                opts=child_options(self, opts, depends_on=[addon]),
            )

    def _declare_ack(
        self, name: str, chart: KServeChart, opts: pulumi.ResourceOptions | None
    ) -> None:
        pinned = Chart(ACK_RELEASE, chart.version or "", NAMESPACE)
        options = child_options(self, opts)
        install(f"{name}-release", pinned, chart, chart.values or {}, options)

    def _declare_upstream(
        self, name: str, args: KServeArgs, chart: KServeChart, opts: pulumi.ResourceOptions | None
    ) -> None:
        def release(
            role: str, values: Mapping[str, Any], options: pulumi.ResourceOptions
        ) -> kubernetes.helm.v3.Release:
            pinned = CHARTS[f"kserve-{role}"]
            return install(f"{name}-{role}", pinned, chart_source(chart, pinned), values, options)

        # Not `retain_on_delete`: a release that Pulumi has forgotten keeps its name, so the next
        # installation would fail on it.
        types = release(
            "crd",
            {},
            # Resource types run no pod and need no certificate: they wait for nothing.
            pulumi.ResourceOptions(parent=self, protect=args.protect_crds),
        )
        # Its webhook needs a certificate of cert-manager; where that comes too late, the release
        # is rolled back, and a second `pulumi up` succeeds: kserve/kserve issue 5037.
        controller = release(
            "resources", kserve_values(args), child_options(self, opts, depends_on=[types])
        )
        if args.runtimes:
            release(
                "runtime-configs",
                runtime_values(chart),
                child_options(self, opts, depends_on=[controller]),
            )


def _nginx(args: KServeArgs) -> dict[str, Any]:
    return {"IngressSlbNetworkType": "internet" if args.public_ingress else "intranet"}


def _alb(args: KServeArgs) -> dict[str, Any]:
    zones = {zone: [vswitch] for zone, vswitch in (args.alb_vswitch_ids or {}).items()}
    return {
        "albIngress": {
            "AddressType": "Internet" if args.public_ingress else "Intranet",
            "ZoneMappings": zones,
            "CreateDefaultALBConfig": True,
        }
    }


def kserve_values(args: KServeArgs) -> dict[str, Any]:
    """Values of kserve-resources: ours, then the user's over them."""
    chart = args.chart or KServeChart()
    controller = {
        # Neither Knative nor Istio; RawDeployment is the old word for it.
        "deploymentMode": "Standard",
        "gateway": {
            "domain": args.domain or DEFAULT_DOMAIN,
            # Otherwise each model is told that VirtualService does not exist.
            "disableIstioVirtualHost": True,
            "ingressGateway": {"className": args.ingress_class or DEFAULT_INGRESS_CLASS},
        },
    }
    # Its webhook gives a container without a limit this one, even one below the request, and the
    # API server then refuses the Deployment; it leaves an empty one alone. Requests and the memory
    # limit need nothing, since every model says them.
    # kserve v0.20.0, pkg/apis/serving/v1beta1/inference_service_defaults.go
    unlimited = {"resources": {"limits": {"cpu": ""}}}
    values = {"kserve": {"controller": controller, "inferenceservice": unlimited}}
    images = _images(chart.image_prefix) if chart.image_prefix else {}
    return merged(merged(values, images), chart.values)


def runtime_values(chart: KServeChart) -> dict[str, Any]:
    """Values of kserve-runtime-configs."""
    prefix = chart.image_prefix
    images = {name: {"image": f"{prefix}/{image}"} for name, image in KSERVE_RUNTIME_IMAGES.items()}
    return {"kserve": {"servingruntime": {"enabled": True, **(images if prefix else {})}}}


def default_cpu_limit(chart: KServeChart | None) -> str | None:
    """CPU limit that a container without one is given, by the user's values; None by others'."""
    limit = chart_value(chart.values or {}, *_CPU_LIMIT, default=None) if chart else None
    return None if limit is None else str(limit)


def serves_by_gateway(chart: KServeChart | None) -> bool:
    """Whether KServe makes HTTPRoutes of the Gateway API instead of Ingresses."""
    values = chart.values if chart else None
    return bool(chart_value(values or {}, *_GATEWAY_API, default=False))


def chart_value(values: Mapping[str, Any], *path: str, default: Any) -> Any:
    """What values have at a path; the default where they have nothing, or no section."""
    for key in path:
        if not isinstance(values, Mapping) or values.get(key) is None:
            return default
        values = values[key]
    return values


def _images(prefix: str) -> dict[str, Any]:
    controller = {
        "image": f"{prefix}/kserve-controller",
        "rbacProxyImage": f"{prefix}/{KSERVE_RBAC_PROXY}",
    }
    return {"kserve": {"controller": controller, **shared_images(prefix)}}


def shared_images(prefix: str) -> dict[str, Any]:
    """Images of the ConfigMap that KServe's two controllers share, below `kserve`."""
    return {
        "agent": {"image": f"{prefix}/agent"},
        "router": {"image": f"{prefix}/router"},
        "storage": {"image": f"{prefix}/storage-initializer"},
        "localmodel": {"defaultJobImage": f"{prefix}/storage-initializer"},
        "servingruntime": {"art": {"image": f"{prefix}/art-explainer"}},
    }


def chart_source(chart: KServeChart, pinned: Chart) -> HelmChart:
    """Where one of KServe's charts comes from."""
    path = chart.repository.rstrip("/") if chart.repository else None
    return HelmChart(
        chart=f"{path}/{pinned.name}" if path else None,
        version=chart.version,
        timeout_seconds=chart.timeout_seconds,
    )


def _version_faults(version: str) -> Iterator[Fault]:
    newest = CHARTS["kserve-resources"].version
    match = _VERSION.fullmatch(version)
    if match is None:
        yield Fault("version", version, f"written like {newest}", "the charts are tagged so")
    elif (int(match[1]), int(match[2])) < KSERVE_RENAMED:
        oldest = f"v{'.'.join(map(str, KSERVE_RENAMED))}.0"
        why = "older releases have charts of other names"
        yield Fault("version", version, f"{oldest} or later", why)
