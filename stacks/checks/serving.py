"""What autoscalers and Fluid cannot do."""

from collections.abc import Iterator

from components.args import MISSING, Fault, Words
from components.catalog.metrics import METRICS, MetricsFlavor, offered

from ..environment import EdgePool, Environment
from .views import models, sections


def metrics_have_an_adapter(environment: Environment) -> Iterator[Fault]:
    """An HPA whose metric nobody serves never adds a pod."""
    flavor = MetricsFlavor.UPSTREAM if environment.existing else MetricsFlavor.ARMS
    names = [metric.name for metric in offered(flavor)]
    for path, section in sections(environment):
        metric = section.scale.metric
        if metric not in METRICS:
            continue
        if environment.gpu_metrics is None:
            want = f"given, for {path}.scale.metric"
            why = f"without its adapter nobody tells the autoscaler {metric}"
            yield Fault("gpu_metrics", MISSING, want, why)
        elif metric not in names:
            want = f"one of {', '.join(names)}"
            why = "only ACK's GPU exporter reports it"
            yield Fault(f"{path}.scale.metric", metric, want, why)


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
