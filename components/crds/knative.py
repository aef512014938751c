"""Service of Knative Serving, and KnativeServing of its operator.

CRDs: https://github.com/knative/serving/blob/main/config/core/300-resources/service.yaml and
https://github.com/knative/operator/tree/main/config/crd/bases
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import pulumi
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import ConfigDict, Field

from ..args import MISSING, Because, Fault, Input, check, nearest, repeated
from ..names import DNS_1035_LABEL, ServiceName
from .affinity import NodeChoice, TopologySpreadConstraint
from .core import EnvVar, PodSpec, ResourceRequirements
from .custom_resource import CustomResource
from .knative_annotations import (
    SHIPPED,
    ServingLimits,
    annotation_faults,
    limit_faults,
    misplaced_faults,
)
from .knative_rules import percent_faults, pod_faults
from .model import CrdModel
from .volumes import LocalObjectReference

API_VERSION: Final = "serving.knative.dev/v1"
OPERATOR_API_VERSION: Final = "operator.knative.dev/v1beta1"

CONFIG_MAPS: Final = (
    "autoscaler",
    "certmanager",
    "contour",
    "defaults",
    "deployment",
    "domain",
    "features",
    "gateway",
    "gc",
    "istio",
    "kourier",
    "leader-election",
    "logging",
    "network",
    "observability",
    "tracing",
)
"""ConfigMaps of Knative Serving and its ingresses, without their prefix `config-`."""

_RESPONSE_START: Final = 300
"""Seconds that Knative gives a request for its first byte."""


class RevisionSpec(PodSpec):
    """The pod of a revision, and how requests reach it."""

    timeout_seconds: int | None = Field(default=None, ge=0)
    """Longest a request may take, in seconds. Default 300; the cluster's maximum is often 600."""
    response_start_timeout_seconds: int | None = Field(default=None, ge=0)
    """Longest until the first byte, in seconds. Default 300, also where timeout_seconds is more."""
    idle_timeout_seconds: int | None = Field(default=None, ge=0)
    """Longest between bytes, in seconds. Left out, for ever."""
    container_concurrency: int | None = Field(default=None, ge=0, le=1000)
    """Requests that a pod is sent at once, 0 for no limit. Default 0."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        yield from pod_faults(self)
        yield from self._time_faults()

    def _time_faults(self) -> Iterator[Fault]:
        longest = self.timeout_seconds
        if not longest:
            return
        for name in ("response_start_timeout_seconds", "idle_timeout_seconds"):
            if (value := getattr(self, name) or 0) > longest:
                want = f"{longest} (timeout_seconds) or less"
                yield Fault(name, value, want, "the request has ended by then")
        if longest > _RESPONSE_START and self.response_start_timeout_seconds is None:
            want = f"given, up to {longest} (timeout_seconds)"
            why = f"left out, a request without a first byte ends after {_RESPONSE_START} s"
            yield Fault("response_start_timeout_seconds", MISSING, want, why)


class RevisionMetadata(CrdModel):
    """Name, labels and annotations of each revision; its pods get the labels."""

    name: Annotated[
        Input[ServiceName] | None, Because("a revision is called after its Service")
    ] = None
    """Name of the revision, from the Service's name and a dash on; changes with the template."""
    labels: dict[str, Input[str]] | None = None
    """Labels of revision and pods, for a ResourcePolicy to select."""
    annotations: dict[str, Input[str]] | None = None
    """Annotations, those of the autoscaler among them."""

    def _faults(self) -> Iterator[Fault]:
        yield from annotation_faults(self.annotations)


class RevisionTemplate(CrdModel):
    """What each revision is made of."""

    spec: RevisionSpec
    """The pod, and how requests reach it."""
    metadata: RevisionMetadata | None = None
    """Name, labels and annotations."""


class TrafficTarget(CrdModel):
    """A share of the requests."""

    percent: int | None = Field(default=None, ge=0, le=100)
    """The share, 0 to 100. Default 0."""
    latest_revision: bool | None = None
    """Whether it follows the newest ready revision. Default true without a revision_name."""
    revision_name: Input[str] | None = None
    """The revision that gets it."""
    tag: Annotated[ServiceName | None, Because("it becomes part of a host name")] = None
    """Prefix of a host name of its own."""

    def _faults(self) -> Iterator[Fault]:
        if self.latest_revision is not None and self.latest_revision == bool(self.revision_name):
            want = str(not self.latest_revision).lower()
            why = "a share goes to one named revision or to the newest"
            yield Fault("latest_revision", self.latest_revision, want, why)


class KnativeServiceSpec(CrdModel):
    """What is served, and how requests are shared between revisions."""

    template: RevisionTemplate
    """What each revision is made of."""
    traffic: list[TrafficTarget] | None = None
    """Who gets the requests. Default all to the newest revision."""

    def _faults(self) -> Iterator[Fault]:
        targets = self.traffic or []
        yield from percent_faults([target.percent or 0 for target in targets])
        for tag in repeated(target.tag for target in targets if target.tag):
            yield Fault(f"traffic[{tag}].tag", tag, "unique", "it becomes part of a host name")


def service_faults(
    spec: KnativeServiceSpec, metadata: ObjectMetaArgs, limits: ServingLimits = SHIPPED
) -> Iterator[Fault]:
    """Refuses what depends on the Service's metadata or on the cluster.

    Args:
        spec: What is served.
        metadata: Metadata of the Service; Outputs in it pass unread.
        limits: What the cluster allows.
    """
    yield from DNS_1035_LABEL.faults(
        "metadata.name", metadata.name, "it becomes part of a host name"
    )
    annotations = metadata.annotations
    yield from misplaced_faults(annotations if isinstance(annotations, Mapping) else None)
    for fault in template_faults(spec.template, metadata.name, limits):
        yield fault.under("spec.template")


def template_faults(
    template: RevisionTemplate, service: object, limits: ServingLimits
) -> Iterator[Fault]:
    """Refuses a template that does not fit its Service or the cluster.

    Args:
        template: What each revision is made of.
        service: Name of the Service; an Output passes unread.
        limits: What the cluster allows.
    """
    metadata = template.metadata or RevisionMetadata()
    revision = metadata.name
    plain = isinstance(revision, str) and isinstance(service, str)
    if plain and not str(revision).startswith(f"{service}-"):
        want = f"{service}- and more, or left out"
        yield Fault("metadata.name", revision, want, "a revision is called after its Service")
    for fault in limit_faults(metadata.annotations, limits):
        yield fault.under("metadata")
    timeout, longest = template.spec.timeout_seconds or 0, limits.max_revision_timeout_seconds
    if timeout > longest:
        why = f"the cluster's max-revision-timeout-seconds is {longest}"
        yield Fault("spec.timeout_seconds", timeout, f"0 to {longest}", why)


class KnativeService(CustomResource[KnativeServiceSpec], api_version=API_VERSION, kind="Service"):
    """A model that is served, scaled by its requests. Its pods cost what their nodes cost."""

    def __init__(
        self,
        name: str,
        spec: KnativeServiceSpec,
        metadata: ObjectMetaArgs,
        opts: pulumi.ResourceOptions | None = None,
        limits: ServingLimits = SHIPPED,
    ) -> None:
        check(f"KnativeService {name}", service_faults(spec, metadata, limits))
        super().__init__(name, spec, metadata, opts)


class ServiceType(StrEnum):
    """How the ingress is reached."""

    CLUSTER_IP = "ClusterIP"
    LOAD_BALANCER = "LoadBalancer"
    NODE_PORT = "NodePort"


class _Dashed(CrdModel):
    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))


class Ingress(_Dashed):
    """An ingress that the operator sets up."""

    enabled: bool
    """Whether it is set up."""


class Kourier(Ingress):
    """The small ingress of the Knative project."""

    service_type: ServiceType | None = None
    """How it is reached. Default LoadBalancer."""
    service_load_balancer_ip: Input[str] | None = None
    """Address of the load balancer."""
    http_port: int | None = Field(default=None, ge=1, le=65535)
    """Node port for HTTP."""
    https_port: int | None = Field(default=None, ge=1, le=65535)
    """Node port for HTTPS."""
    bootstrap_configmap: str | None = None
    """ConfigMap with Envoy's bootstrap. Default kourier-bootstrap."""


class Ingresses(_Dashed):
    """The ingress that requests come in by; left out, Istio is expected to be there."""

    kourier: Kourier | None = None
    """The small ingress of the Knative project."""
    istio: Ingress | None = None
    """Istio, which has to be installed before."""
    contour: Ingress | None = None
    """Contour, which has to be installed before."""
    gateway_api: Ingress | None = None
    """A Gateway, whose controller has to be installed before."""

    @property
    def enabled(self) -> list[str]:
        """Names of the ingresses that are set up."""
        names = ("kourier", "istio", "contour", "gateway_api")
        return [name for name in names if (feature := getattr(self, name)) and feature.enabled]

    def _faults(self) -> Iterator[Fault]:
        if len(self.enabled) != 1:
            got = self.enabled or MISSING
            yield Fault("enabled", got, "one ingress", "requests come in by one")


class HighAvailability(CrdModel):
    """Replicas of the control plane."""

    replicas: int = Field(ge=1)
    """Replicas of each part."""


class Registry(CrdModel):
    """Where images of Knative come from."""

    default: str | None = None
    """Pattern of all images, with `${NAME}`."""
    override: dict[str, Input[str]] | None = None
    """Images by container, e.g. `queue-proxy`."""
    image_pull_secrets: list[LocalObjectReference] | None = None
    """Secrets for the registry."""


class ServiceOverride(CrdModel):
    """Changes of a Service of Knative."""

    name: str
    """Name of the Service, e.g. `kourier`."""
    labels: dict[str, Input[str]] | None = None
    """More labels."""
    annotations: dict[str, Input[str]] | None = None
    """More annotations, e.g. for the load balancer."""
    selector: dict[str, str] | None = None
    """More labels of its pods."""


class ContainerEnv(CrdModel):
    """Variables of a container."""

    container: str
    """Name of the container."""
    env_vars: list[EnvVar]
    """More variables."""


class ContainerResources(ResourceRequirements):
    """What a container is given."""

    container: str
    """Name of the container."""


class WorkloadOverride(NodeChoice):
    """Changes of a Deployment of Knative."""

    name: str
    """Name of the Deployment, e.g. `activator`."""
    replicas: int | None = Field(default=None, ge=0)
    """Replicas."""
    labels: dict[str, Input[str]] | None = None
    """More labels."""
    annotations: dict[str, Input[str]] | None = None
    """More annotations."""
    topology_spread_constraints: list[TopologySpreadConstraint] | None = None
    """How evenly pods are spread."""
    resources: list[ContainerResources] | None = None
    """What containers are given."""
    env: list[ContainerEnv] | None = None
    """Variables of containers."""


class KnativeServingSpec(CrdModel):
    """How the operator installs Knative Serving."""

    version: str = Field(pattern=r"^\d+\.\d+(\.\d+)?$")
    """Release to install, e.g. `1.20`; unpinned, an upgrade of the operator would upgrade it."""
    ingress: Ingresses
    """The ingress that requests come in by."""
    config: dict[str, dict[str, Input[str]]] | None = None
    """Entries of ConfigMaps, by their names without `config-`."""
    services: list[ServiceOverride] | None = None
    """Changes of Services."""
    high_availability: HighAvailability | None = Field(default=None, alias="high-availability")
    """Replicas of the control plane."""
    registry: Registry | None = None
    """Where images come from."""
    workloads: list[WorkloadOverride] | None = None
    """Changes of Deployments."""

    def _faults(self) -> Iterator[Fault]:
        yield from config_faults(self.config or {})
        [ingress] = self.ingress.enabled
        ingress_class = f"{ingress.replace('_', '-')}.ingress.networking.knative.dev"
        class_in_config = (self.config or {}).get("network", {}).get("ingress-class", MISSING)
        if class_in_config is MISSING or (
            isinstance(class_in_config, str) and class_in_config != ingress_class
        ):
            why = f"the ingress is {ingress}, and this class decides who routes"
            yield Fault("config[network][ingress-class]", class_in_config, repr(ingress_class), why)


def config_faults(config: Mapping[str, Any]) -> Iterator[Fault]:
    """Refuses ConfigMaps that Knative does not have, which the operator would ignore."""
    for name in config:
        if name not in CONFIG_MAPS:
            close = nearest(name.removeprefix("config-"), CONFIG_MAPS)
            want = repr(close) if close else f"one of {', '.join(CONFIG_MAPS)}"
            why = "these are the ConfigMaps that there are, without their prefix config-"
            yield Fault(f"config[{name}]", name, want, why)


class KnativeServing(CustomResource[KnativeServingSpec], api_version=OPERATOR_API_VERSION):
    """Knative Serving, installed by its operator; its pods and load balancer cost money."""
