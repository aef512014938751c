"""What Knative, KServe and Fluid refuse or cannot do."""

from collections.abc import Iterator

from components.args import MISSING, Fault, Words
from components.catalog.metrics import METRICS, MetricsFlavor, Origin, offered
from components.crds.knative_rules import RESERVED_PORTS, RESERVED_VARIABLES
from components.serving.knative_model import ReserveType
from components.serving.kserve_model import KServeMetric

from ..environment import (
    CertManagerMode,
    EdgePool,
    Environment,
)
from .views import models


def requests_end_in_time(environment: Environment) -> Iterator[Fault]:
    """Knative refuses a service that allows longer requests than the cluster does."""
    longest = environment.knative.max_request_seconds
    for path, model in models(environment):
        knative = model.serve.knative
        if knative and (knative.request_seconds or 0) > longest:
            want = f"at most knative.max_request_seconds ({longest})"
            why = "Knative's webhook refuses longer requests"
            yield Fault(f"{path}.serve.knative.request_seconds", knative.request_seconds, want, why)


def reserved_names_are_free(environment: Environment) -> Iterator[Fault]:
    """Ports and variables that Knative's queue-proxy has for itself."""
    for path, model in models(environment):
        server = model.server
        if not model.on_knative:
            continue
        if server.port in RESERVED_PORTS:
            want = f"none of {', '.join(map(str, sorted(RESERVED_PORTS)))}"
            yield Fault(f"{path}.server.port", server.port, want, "Knative's queue-proxy has it")
        for name in sorted({*RESERVED_VARIABLES, "PORT"} & set(server.env or {})):
            why = "Knative sets this variable itself"
            yield Fault(f"{path}.server.env.{name}", Words("set"), "left out", why)


def reserve_instances_are_offered(environment: Environment) -> Iterator[Fault]:
    """Reserve instances are a feature of ACK's Knative; ECI and ACS need a virtual node."""
    addons = {addon.name for addon in environment.cluster.addons}
    for path, model in models(environment):
        reserve = model.serve.knative.reserve if model.serve.knative else None
        if reserve is None:
            continue
        field = f"{path}.serve.knative.reserve"
        if environment.existing:
            want = "left out; scale.min of 1 keeps a replica instead"
            yield Fault(field, Words("given"), want, "only ACK's Knative has reserve instances")
        elif reserve.type is not ReserveType.ECS and "ack-virtual-node" not in addons:
            want = "'ecs', or ack-virtual-node added under cluster.addons"
            yield Fault(f"{field}.type", reserve.type, want, "ECI and ACS run on a virtual node")


def metrics_have_an_adapter(environment: Environment) -> Iterator[Fault]:
    """An HPA whose metric nobody serves never adds a pod."""
    flavor = MetricsFlavor.UPSTREAM if environment.existing else MetricsFlavor.ARMS
    names = [metric.name for metric in offered(flavor)]
    for path, model in models(environment):
        metric = model.serve.kserve.scale.metric if model.serve.kserve else None
        if metric not in METRICS:
            continue
        if environment.gpu_metrics is None:
            want = f"given, for {path}.serve.kserve.scale.metric"
            why = f"without its adapter nobody tells the autoscaler {metric}"
            yield Fault("gpu_metrics", MISSING, want, why)
        elif metric not in names:
            want = f"one of {', '.join(names)}"
            why = "only ACK's GPU exporter reports it"
            yield Fault(f"{path}.serve.kserve.scale.metric", metric, want, why)


def metrics_have_a_source(environment: Environment) -> Iterator[Fault]:
    """The adapter asks one Prometheus."""
    section = environment.gpu_metrics
    if section is None:
        return
    if not environment.existing:
        if environment.prometheus_url is None:
            want = "set, by `pulumi config set --secret ack-inference:prometheus_url`"
            why = "the adapter asks Managed Service for Prometheus, whose address opens it"
            yield Fault("prometheus_url", MISSING, want, why)
        if section.url is not None:
            # Not shown: whoever has that of Managed Service for Prometheus is let in.
            why = "the adapter asks Managed Service for Prometheus, at the secret prometheus_url"
            yield Fault("gpu_metrics.url", Words("given"), "left out", why)
        return
    if section.url is None:
        why = "the adapter asks the Prometheus of the cluster"
        yield Fault("gpu_metrics.url", MISSING, "given", why)
    for field in ("prometheus_url", "prometheus_token"):
        if getattr(environment, field) is not None:
            why = "the adapter asks the Prometheus of the cluster, at gpu_metrics.url"
            yield Fault(field, Words("given"), "left out", why)


def metrics_come_from_one_port(environment: Environment) -> Iterator[Fault]:
    """One PodMonitor collects the metrics of all models."""
    ports = {
        path: model.server.port or 8080
        for path, model in models(environment)
        if model.serve.kserve and _is_of_vllm(model.serve.kserve.scale.metric)
    }
    for path, port in ports.items():
        if port != (first := min(ports.values())):
            want = f"{first}, as of the other models that are scaled on vLLM's metrics"
            why = "these are collected at one port, and a model without them never scales"
            yield Fault(f"{path}.server.port", port, want, why)


def kserve_has_cert_manager(environment: Environment) -> Iterator[Fault]:
    """KServe's webhooks refuse everything until they have a certificate."""
    served = any(model.serve.kserve for model in environment.models)
    if served and environment.cert_manager is CertManagerMode.ABSENT:
        why = "KServe's webhooks get their certificate from it"
        yield Fault("cert_manager", environment.cert_manager, "'install' or 'present'", why)


def keda_is_there(environment: Environment) -> Iterator[Fault]:
    """KServe hands a query to KEDA, and without it nobody scales."""
    for path, model in models(environment):
        metric = model.serve.kserve.scale.metric if model.serve.kserve else None
        if metric is KServeMetric.PROMETHEUS and not environment.keda:
            want = "true, once KEDA is installed"
            why = f"{path}.serve.kserve.scale.metric is prometheus, which KEDA asks for"
            yield Fault("keda", environment.keda, want, why)


def caches_reach_their_readers(environment: Environment) -> Iterator[Fault]:
    """Fluid's pods talk to each other, which machines of an IDC often cannot."""
    for path, model in models(environment):
        if model.cache is None:
            continue
        for name in dict.fromkeys([model.cache.pool, *model.placement.pools]):
            pool = environment.pool(name)
            if isinstance(pool, EdgePool) and not pool.interconnected:
                want = f"left out, or edge_pools[{name}].interconnected true where it is so"
                why = f"machines of {name} cannot reach the pods that hold the copy"
                yield Fault(f"{path}.cache", Words("given"), want, why)


def _is_of_vllm(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].series.origin is Origin.VLLM
