"""What autoscalers and Fluid cannot do."""

from collections.abc import Iterator

from components.args import MISSING, Fault, Words
from components.catalog.metrics import METRICS, offered

from ..arguments import DEFAULT_PORT, is_scaled_on_vllm, metrics_flavor
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.pools import EdgePoolSection
from .rules import check, check_by_needs, warning
from .views import cached, models, scales


@check
def metrics_have_an_adapter(environment: Environment) -> Iterator[Fault]:
    """An HPA whose metric nobody serves never adds a pod."""
    names = [metric.name for metric in offered(metrics_flavor(environment))]
    for path, scale in scales(environment):
        metric = scale.metric
        if metric not in METRICS or getattr(scale, "keda", None):
            continue
        if environment.gpu_metrics is None:
            want = f"given, for {path}.metric"
            why = f"without its adapter nobody tells the autoscaler {metric}"
            yield Fault("gpu_metrics", MISSING, want, why)
        elif metric not in names:
            want = f"one of {', '.join(names)}"
            why = "only ACK's GPU exporter reports it"
            yield Fault(f"{path}.metric", metric, want, why)


@check
def metrics_have_a_source(environment: Environment) -> Iterator[Fault]:
    """The adapter asks one Prometheus."""
    section = environment.gpu_metrics
    if section is None or not section.install:
        return
    if not section.adapter:
        for field in ("prometheus_url", "prometheus_token"):
            if getattr(environment, field) is not None:
                want = "left out, or gpu_metrics.adapter true"
                yield Fault(field, Words("given"), want, "the adapter alone asks there")
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


@check
def metrics_come_from_one_port(environment: Environment) -> Iterator[Fault]:
    """One PodMonitor collects the metrics of all models."""
    ports = {
        path: model.port or DEFAULT_PORT
        for path, model in models(environment)
        if is_scaled_on_vllm(model)
    }
    for path, port in ports.items():
        if port != (first := min(ports.values())):
            want = f"{first}, as of the other models that are scaled on vLLM's metrics"
            why = "these are collected at one port, and a model without them never scales"
            yield Fault(f"{path}.server.port", port, want, why)


@check
def caches_reach_their_readers(environment: Environment) -> Iterator[Fault]:
    """Fluid's pods talk to each other, which machines of an IDC often cannot."""
    for path, cache, model in cached(environment):
        for name in dict.fromkeys([cache.pool, *model.pools]):
            pool = environment.pool(name)
            if isinstance(pool, EdgePoolSection) and not pool.interconnected:
                want = f"left out, or edge_pools[{name}].interconnected true where it is so"
                why = f"machines of {name} cannot reach the pods that hold the copy"
                yield Fault(path, Words("given"), want, why)


@check_by_needs
def cold_starts_begin_without_a_pod(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A model that keeps a pod is never at zero, and only Knative holds a request until one is."""
    for test in environment.load_tests:
        model = environment.model(test.model)
        if test.scenario.cold_start is None or model is None:
            continue
        field = f"load_tests[{test.name}].scenario.cold_start"
        kind, knative = model.serve.kind, model.serve.knative
        path = f"models[{model.name}].serve.{kind}"
        if not needs.on_knative(model):
            want = f"left out, or {path} served by Knative"
            why = "while there is no pod, only Knative keeps a request waiting"
            yield Fault(field, Words("given"), want, why)
            continue
        least = model.serve.sections[kind].scale.min
        if least:
            want = f"left out, or {path}.scale.min 0"
            why = f"with {least} it always keeps a pod"
            yield Fault(field, Words("given"), want, why)
        elif knative and knative.reserve:
            want = f"left out, or {path}.reserve"
            why = "a reserve instance answers as long as there is no replica"
            yield Fault(field, Words("given"), want, why)


@warning
def one_adapter_serves_external_metrics(environment: Environment) -> Iterator[str]:
    """Two owners of one API group undo each other."""
    metrics = environment.gpu_metrics
    installs = metrics is not None and metrics.install and metrics.adapter
    if environment.keda and installs and not environment.existing:
        yield (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it. Where "
            "KEDA scales all models, set gpu_metrics.adapter to false."
        )
