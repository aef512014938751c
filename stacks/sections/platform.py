"""What a cluster has for its models: Knative, KServe, cert-manager, metrics."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from components.args import Args, Because, Fault, Words
from components.crds.formats import ImageReference
from components.hosts import HostName, WildcardName, prometheus_faults
from components.names import LabelName, NamespaceName, ObjectName, SecretName
from components.platform.alerts import RulesForm
from components.platform.fluid import FluidChart
from components.platform.gateway_settings import EnvoyGatewayChart, LimitStore
from components.platform.gpu_metrics import GpuLabels
from components.platform.knative import ServicesDomain, UnresolvedRegistry
from components.platform.kserve import IngressClassName, KServeChart, ModelsDomain
from components.platform.leader_worker_sets import LeaderWorkerSetsChart
from components.platform.role_based_groups import RoleBasedGroupsChart
from components.secret_forms import is_secret, is_secret_value
from components.serving.gateway_program import GatewayProgram
from components.serving.ingress import IngressTls
from components.serving.route import (
    DEFAULT_PICKER,
    TELEMETRY_IMAGE,
    GatewayFlavor,
    PoolVersion,
    RouteLimit,
    RouterKind,
    limit_faults,
)

KSERVE_RELEASE: Final = r"v?(\d+)\.(\d+)(\.\d+)?(-rc\d+)?"
"""How a release of KServe is written."""


def version_faults(version: str | None) -> Iterator[Fault]:
    """Refuses the release of a part that the stack installs, whose chart decides it."""
    if version is not None:
        why = "it says what is there already; what is installed, the chart decides"
        yield Fault("version", version, "left out, or install false", why)


def surplus_faults(section: Args, fields: set[str], cause: str) -> Iterator[Fault]:
    """Refuses fields that only what is installed has, in a section with `install: false`."""
    why = f"{cause}, and nothing is installed"
    for field in sorted(section.model_fields_set & fields):
        yield Fault(field, Words("given"), "left out with install false", why)


class InstalledChart(Args):
    """A chart that the stack installs, or the cluster has what it brings."""

    install: bool = True
    """Whether the stack installs it. False where the cluster has it."""

    # What the chart brings, in a sentence; fields that say something of what is there already.
    _brings: ClassVar[str] = "the controller"
    _tells: ClassVar[frozenset[str]] = frozenset({"install"})

    def _faults(self) -> Iterator[Fault]:
        if self.install:
            yield from super()._faults()
            return
        fields = self.model_fields_set - self._tells
        yield from surplus_faults(self, fields, f"the cluster has {self._brings}")


class KnativeSection(Args):
    """Settings of Knative Serving."""

    install: bool = True
    """Whether the stack installs it. False where the cluster has it, whose settings the others
    then say."""
    version: str | None = None
    """Add-on version on ACK, Serving release (1.20 to 1.23) elsewhere. Default: ACK's, or 1.23.
    With `install: false`, the release that is there."""
    domain: ServicesDomain = "example.com"
    """Domain below which services are reached. The default is Knative's own."""
    skip_tag_resolving: list[UnresolvedRegistry] = []
    """Registries that Knative's controller cannot reach, such as docker.io from the mainland."""
    max_request_seconds: int = Field(default=600, ge=1)
    """Longest request that any model may allow, in seconds. The default is Knative's own."""
    gateway_annotations: dict[str, str] | None = None
    """Annotations of Kourier's Service on an existing cluster, such as those by which its load
    balancer is private. On ACK's own Knative the gateway is ACK's."""


class IngressController(StrEnum):
    """Whence the ingress controller comes, which KServe's Ingresses need."""

    ADDON = "addon"
    """The stack installs ACK's add-on of the class: nginx-ingress-controller, or for class alb
    alb-ingress-controller, whose instance stands in all zones of the network."""
    PRESENT = "present"
    """The cluster has one that answers to `ingress_class`, or gets it from `cluster.addons`."""


class KServeSection(Args):
    """Settings of KServe."""

    install: bool = True
    """Whether the stack installs it. False where the cluster has it, whose settings the others
    then say."""
    version: str | None = Field(default=None, examples=["v0.20.0"])
    """Release that is there, with `install: false`; of one that is installed, `chart` says it."""
    chart: KServeChart | None = None
    """Which charts install it. Default: upstream's, pinned."""
    domain: ModelsDomain = "example.com"
    """Domain below which models are reached. The default is KServe's own."""
    ingress_class: IngressClassName = "nginx"
    """IngressClass of the models' Ingresses. ACK's add-ons answer to nginx and alb."""
    ingress_controller: IngressController | None = None
    """Whence the controller comes that answers to it. Default: addon for nginx on a cluster of the
    stack, unless `cluster.addons` names it; else present."""
    public_ingress: bool = False
    """Whether the add-on's load balancer has a public address. Without, it answers in the VPC
    alone."""
    runtimes: bool = False
    """Whether KServe's own serving runtimes are installed too."""

    def _faults(self) -> Iterator[Fault]:
        if self.install:
            yield from version_faults(self.version)
            return
        yield from surplus_faults(self, {"chart", "runtimes"}, "the cluster has KServe")
        if self.version is not None and not re.fullmatch(KSERVE_RELEASE, self.version):
            want = "a release such as v0.20.0"
            yield Fault("version", self.version, want, "checks of the models go by it")


class ContentSafetySection(Args):
    """Content moderation of Alibaba Cloud, by ACKTrafficFilter."""

    endpoint: HostName = Field(examples=["green-cip-vpc.cn-hangzhou.aliyuncs.com"])
    """Address of the service."""
    check_request: bool = True
    """Whether questions are moderated."""
    check_response: bool = False
    """Whether answers are."""


class GatewaySection(Args):
    """A gateway before the models: one address for all of them, which picks a pod by its load.

    A model is behind it by its `route`. With flavor router there is none: each such model has a
    router of its own inside the cluster.
    """

    flavor: GatewayFlavor | None = None
    """Which gateway it is: ack, envoy or router. Default: ack on ACK, envoy on an existing
    cluster."""
    install: bool = True
    """Whether the stack installs it. False where the cluster has it."""
    name: LabelName = "models"
    """Name of the Gateway."""
    class_name: ObjectName | None = None
    """GatewayClass of it. Default: ack-gateway, which the add-on brings, or one of this name with
    flavor envoy: models."""
    inference_types: bool = False
    """Whether the cluster has InferencePool v1 and InferenceObjective, which flavor envoy needs:
    no chart has them, and of the inference extension the releases up to v1.5.0. ACK's add-on
    brings them."""
    version: str | None = Field(default=None, examples=["v1.4.0-apsara.4"])
    """Release of ACK's add-on. Default: ACK's choice, taken for v1.4.0-apsara.4 or later."""
    gateway_api_version: str | None = Field(default=None, examples=["v1.5.1"])
    """Release of ACK's add-on Gateway API. Default: ACK's choice."""
    addon: str = "ack-gateway-with-inference-extension"
    """Name of ACK's add-on. No page has the name that its API takes: the default is that of the
    add-on's own page."""
    addon_config: dict[str, Any] | None = None
    """Configuration of ACK's add-on, which has to enable the inference extension: no page has the
    key, `cs.get_kubernetes_addon_metadata` tells it."""
    api_version: PoolVersion | None = None
    """API version of InferencePool: v1 or v1alpha2. Default: v1 from add-on release
    1.4.0-apsara.4 on."""
    pool_annotations: dict[str, str] | None = None
    """Annotations of the pools, by which ACK's picker is told more, such as to let requests wait:
    no page has their names."""
    picker_service: ObjectName = DEFAULT_PICKER
    """Service of ACK's picker, which a pool names."""
    telemetry_image: ImageReference = TELEMETRY_IMAGE
    """Module that counts tokens on ACK, for limits of tokens."""
    chart: EnvoyGatewayChart | None = None
    """Which chart installs Envoy Gateway. Default: upstream's, pinned."""
    host: Annotated[WildcardName, Because("without it, every host is answered")] | None = Field(
        default=None, examples=["*.llm.example.org"]
    )
    """Host of the gateway, or `*.` and a domain for all below it, of which models have one each by
    `route.host`. Left out, every host."""
    tls: IngressTls | None = None
    """Certificate of the host. Left out, HTTP alone."""
    public: bool = False
    """Whether its load balancer has a public address, on ACK."""
    annotations: dict[str, str] = {}
    """Annotations of its Service, such as those of its load balancer elsewhere than on ACK."""
    keys_secret: SecretName | None = None
    """Name of an existing Secret in the stack's namespace: each entry is a client, and its key,
    which clients send as `Authorization: Bearer`. Left out, everyone gets in."""
    limits: list[RouteLimit] = []
    """How much each key may have of a model, or all clients where there are no keys."""
    limit_store: LimitStore | None = None
    """Redis in which limits are counted, with flavor envoy; on ACK the add-on is told."""
    replicas: int = Field(default=2, ge=1)
    """Proxies of the gateway."""
    node_pools: list[str] = []
    """Pools that have a gateway each, reached by NodePort, on profile edge. Left out, all that
    models with a route run on."""
    picker: GatewayProgram | None = None
    """The picker of each model, with flavor envoy, or its router, whose image has to be given."""
    body_router: GatewayProgram | None = None
    """The program that reads the model's name in requests, with flavor envoy."""
    router: RouterKind = RouterKind.VLLM
    """Whose router it is, with flavor router."""
    content_safety: ContentSafetySection | None = None
    """Content moderation of Alibaba Cloud, on ACK."""
    knative_annotations: dict[str, str] | None = None
    """Annotations by which ACK's Knative makes the pool of a model itself: no page has their name.
    Given, models of Knative may have a route."""

    def _faults(self) -> Iterator[Fault]:
        if not self.install:
            fields = {"gateway_api_version", "addon", "addon_config", "chart", "limit_store"}
            yield from surplus_faults(self, fields, "the cluster has the gateway")
        yield from limit_faults(self.limits)
        for path, value in _texts(self.addon_config or {}, "addon_config"):
            if is_secret(path.rpartition(".")[2], value) or is_secret_value(value):
                want = "the name of a Secret, or left out and set at the add-on"
                why = "it would be in clear in the stack file, in the state and in plans"
                yield Fault(path, Words("a secret in plain"), want, why)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Texts of a configuration, by where they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value


class FluidSection(InstalledChart, FluidChart):
    """Settings of Fluid, and which chart installs it."""

    _brings = "Fluid"
    _tells = frozenset({"install", "version"})


class LLMInferenceServicesSection(Args):
    """Settings of KServe's LLMInferenceServices. `kserve.chart` says whence their charts come."""

    install: bool = True
    """Whether the stack installs their controller and KServe's presets. False where the cluster has
    them."""
    inference_pools: bool | None = None
    """Whether the resource types InferencePool, InferenceObjective and InferenceModelRewrite come
    with it. False where a gateway brings them. Default: false where the stack's `gateway` has them
    by its add-on or by `inference_types`, else true."""
    variant_autoscaler: bool = False
    """Whether the cluster has the Workload Variant Autoscaler of llm-d, and KServe's ConfigMap the
    Prometheus that KEDA asks, which `scale.wva` needs."""
    values: dict[str, Any] | None = None
    """Values of kserve-llmisvc-resources, laid over ours."""

    def _faults(self) -> Iterator[Fault]:
        if not self.install:
            fields = {"inference_pools", "values"}
            yield from surplus_faults(self, fields, "the cluster has the controller")


class LeaderWorkerSetsSection(InstalledChart, LeaderWorkerSetsChart):
    """Which chart installs the controller of LeaderWorkerSets."""


class RoleBasedGroupsSection(InstalledChart, RoleBasedGroupsChart):
    """Which chart installs the controller of RoleBasedGroups."""


class CertManagerMode(StrEnum):
    """Whence cert-manager comes, which KServe needs."""

    INSTALL = "install"
    """The stack installs it."""
    PRESENT = "present"
    """The cluster has it."""
    ABSENT = "absent"
    """There is none."""


class CertManagerSection(Args):
    """Settings of cert-manager."""

    install: bool = True
    """Whether the stack installs it. False where the cluster has it."""
    version: str | None = Field(default=None, pattern=r"^v\d+\.\d+\.\d+$", examples=["v1.21.1"])
    """Release that is installed, or that is there. Default: the one that is pinned here."""


class GpuMetricsSection(Args):
    """What carries metrics of vLLM and of GPUs to the autoscaler."""

    install: bool = True
    """Whether the stack installs the adapter and its sources. False where the cluster serves these
    metrics already; dashboards are still made."""
    url: str | None = None
    """Address of a Prometheus in the cluster, e.g. `http://prometheus.monitoring.svc:9090`. That
    of Managed Service for Prometheus lets in whoever has it: it is the secret prometheus_url."""
    adapter: bool = True
    """Whether the adapter is installed, by which HPAs scale on these metrics. False where KEDA
    scales all models, or where the cluster has one."""
    exporter: bool = True
    """Whether the GPU exporter is installed; false where the cluster has it."""
    labels: GpuLabels | None = None
    """Labels of the GPU series. Default NamespaceName and PodName on ACK: look at one series."""
    honor_labels: bool | None = None
    """Whether Prometheus keeps the exporter's own labels; on an existing cluster. Default false."""
    gpu_node_label: str | None = None
    """Label that GPU nodes carry; on an existing cluster."""
    monitor_labels: dict[str, str] | None = None
    """Labels by which Prometheus picks its monitors, e.g. `release: kube-prometheus-stack`."""
    dashboards: bool = True
    """Whether Grafana dashboards are installed as ConfigMaps."""
    dashboards_namespace: NamespaceName | None = None
    """Namespace of the dashboards, which has to exist. Default: the models'."""

    def _faults(self) -> Iterator[Fault]:
        if not self.install:
            kept = {"install", "labels", "dashboards", "dashboards_namespace"}
            fields = self.model_fields_set - kept
            yield from surplus_faults(self, fields, "the cluster serves its metrics")
        # One with a user in it is refused by the component, without being shown.
        if self.url is not None and "@" not in self.url:
            example = "http://prometheus.monitoring.svc:9090"
            yield from prometheus_faults("url", self.url, "the adapter connects to it", example)


class AlertsSection(Args):
    """Rules on what users of the models feel, on idle cards, and on what a token costs.

    Every model has alerts; those on promises to its users need its `slo`.
    """

    form: RulesForm = RulesForm.PROMETHEUS_RULE
    """As what rules are handed over: prometheus_rule where an operator reads them, config_map where
    not. Whether Managed Service for Prometheus reads them, no page says that we could read: look at
    `kubectl get crd prometheusrules.monitoring.coreos.com`, and whether rules show."""
    namespace: NamespaceName | None = None
    """Namespace of the rules, which has to exist. Default: the models'."""
    rule_labels: dict[str, str] | None = None
    """Labels by which Prometheus picks its rules. Default: `gpu_metrics.monitor_labels`."""
    runbook_url: str | None = Field(default=None, pattern=r"^https?://[^#]+$")
    """Address at which people read docs/guides/troubleshooting.md. Default: that path."""
    queue_seconds: float = Field(default=10, gt=0)
    """Time in the queue, in seconds, that 95 % of the requests have to stay below."""
    idle_minutes: int = Field(default=60, ge=10, le=10080)
    """How long a pod's cards may do nothing."""
    limit_minutes: int = Field(default=15, ge=1, le=1440)
    """How long a model may have as many replicas as it may have."""


class WaitsSection(Args):
    """How long an update waits until something works, in seconds; 0 does not wait."""

    dataset_seconds: int = Field(default=900, ge=0)
    """Until a Dataset is bound to its cache."""
    data_load_seconds: int = Field(default=3600, ge=0)
    """Until a model is loaded into its cache."""
    service_seconds: int = Field(default=0, ge=0)
    """Until a model's service is ready, with all replicas of `scale.min` on Knative: as many starts
    where nodes come one after another. By default nothing waits: a GPU node and a model take their
    time."""
