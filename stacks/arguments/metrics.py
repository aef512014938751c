"""The way of metrics to autoscalers, dashboards and alerts."""

from typing import Final

from components import platform, serving
from components.catalog.metrics import METRICS, SIGNALS, Origin
from components.catalog.prices import NODE_LIST, NODES
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import release_name
from components.crds.llm_inference_service_labels import workload_name

from .. import placeholders
from ..sections.environment import Environment
from ..sections.models import ModelSection, scales_of
from ..sections.pools import PoolSection
from .base import made_of, required
from .claims import dataset_name
from .cloud import cluster_id
from .namespaces import namespace_of
from .placement import pod_labels

DEFAULT_PORT: Final = 8080
"""Port of a server that names none."""


def gpu_metrics_args(environment: Environment) -> platform.GpuMetricsArgs | None:
    """The way of metrics to the autoscaler, if the environment has one; the token is not here."""
    section = environment.gpu_metrics
    if section is None or not section.install:
        return None
    secret = environment.prometheus_url is not None or not environment.existing
    endpoint = None
    if section.adapter:
        url = placeholders.PROMETHEUS_URL if secret else required(section.url)
        endpoint = platform.PrometheusEndpoint(url=url)
    return made_of(
        platform.GpuMetricsArgs,
        section,
        flavor=metrics_flavor(environment),
        prometheus=endpoint,
        adapter=None if section.adapter else False,
        cluster_id=cluster_id(environment) if section.exporter else None,
        vllm=platform.VllmMonitor(
            namespaces=list(
                dict.fromkeys(namespace_of(environment, model) for model in environment.models)
            ),
            port=_metrics_port(environment),
            **_monitored(environment),
        ),
    )


def _monitored(environment: Environment) -> dict[str, str]:
    """The label of monitored pods: our own, where pods are not all KServe's."""
    label = next(iter(pod_labels(environment.models[0])), None)
    has_groups = any(model.is_grouped for model in environment.models)
    return {"pod_label": label} if label and has_groups else {}


def metrics_flavor(environment: Environment) -> platform.MetricsFlavor:
    """Whose Prometheus it is: Alibaba's on the stack's own cluster."""
    return platform.MetricsFlavor.UPSTREAM if environment.existing else platform.MetricsFlavor.ARMS


def _metrics_port(environment: Environment) -> int:
    """The port of models that are scaled on vLLM's metrics, which have one; else of any model."""
    models = [*filter(is_scaled_on_vllm, environment.models)] or environment.models
    return min((model.port for model in models), default=DEFAULT_PORT)


def is_scaled_on_vllm(model: ModelSection) -> bool:
    """Whether a model is scaled on a metric that vLLM itself reports."""
    scales = [each for part in model.serve.sections.values() for each in scales_of(part).values()]
    metrics = [METRICS.get(scale.metric or "") for scale in scales]
    is_asked = any(metric and metric.series.origin is Origin.VLLM for metric in metrics)
    return is_asked or bool(signals_of(model))


def signals_of(model: ModelSection) -> list[tuple[str, serving.KedaMetric]]:
    """Metrics of vLLM that KEDA scales a model on, each with its field in the stack file."""
    fields: list[tuple[str, serving.KedaMetric]] = []
    for path, scale in model.serve.keda_scales.items():
        if scale.keda is None:
            continue
        fields.append((f"{path}.metric", serving.KedaMetric(scale.metric)))
        for index, trigger in enumerate(scale.keda.triggers):
            fields.append((f"{path}.keda.triggers[{index}].metric", trigger.metric))
    return [(field, metric) for field, metric in fields if metric in SIGNALS]


def dashboards_args(environment: Environment) -> platform.DashboardsArgs | None:
    """Grafana's dashboards, if the environment has metrics and wants them."""
    section = environment.gpu_metrics
    if section is None or not section.dashboards:
        return None
    return made_of(
        platform.DashboardsArgs,
        section,
        flavor=metrics_flavor(environment),
        namespace=section.dashboards_namespace or environment.namespace,
        objectives=None if environment.alerts is None else True,
        vllm_releases=_vllm_releases(environment),
    )


def alerts_args(environment: Environment) -> platform.AlertsArgs | None:
    """Rules on the models, if the environment wants them."""
    section = environment.alerts
    if section is None:
        return None
    metrics = environment.gpu_metrics
    return made_of(
        platform.AlertsArgs,
        section,
        flavor=metrics_flavor(environment),
        models=[_alerted(environment, model) for model in environment.models],
        namespace=section.namespace or environment.namespace,
        rule_labels=section.rule_labels or (metrics and metrics.monitor_labels),
        labels=metrics and metrics.labels,
        honor_labels=metrics and metrics.honor_labels,
    )


def _alerted(environment: Environment, model: ModelSection) -> platform.AlertedModel:
    image, prices = vllm_image(model.server.image), environment.prices
    pools = environment.placed(model.reach)
    # Of several roles, one may have all that it may have, and another one none.
    scales = [section.scale for section in model.serve.sections.values()]
    most = scales[0].max if len(scales) == 1 and scales[0].max > scales[0].min else None
    pods, replicas, workload = _alerted_pods(model)
    return platform.AlertedModel(
        name=model.name,
        namespace=namespace_of(environment, model),
        pods=pods,
        replicas=replicas,
        workload=workload,
        max_replicas=most,
        vllm=release_name(image.version) if image and image.version else None,
        objective=model.slo,
        dataset=dataset_name(environment, model) if model.cache else None,
        spot=any(isinstance(pool, PoolSection) and pool.spot for pool in pools),
        prices=replica_prices(environment, model),
        currency=prices.currency if prices else NODE_LIST.currency,
    )


def _alerted_pods(model: ModelSection) -> tuple[str, str, str]:
    """Names of a model's pods, the series of its replicas, and the names of what has them."""
    name, deployments = model.name, "kube_deployment_spec_replicas"
    if model.serve.leader_worker is not None:
        return rf"{name}-[0-9]+(-[0-9]+)?", "kube_statefulset_replicas", name
    if model.serve.llm is not None:
        groups = model.pods_per_replica > 1
        kind = "kube_statefulset_replicas" if groups else deployments
        owner = workload_name(name, groups=groups)
        # Those that read prompts are called after another Deployment.
        role = "(prefill-)?" if model.serve.llm.prefill else ""
        return rf"{owner}-{role}[^-]+(-[^-]+)?", kind, owner
    if model.serve.roles is not None:
        roles = f"{name}-({'|'.join(model.serve.roles.engines)})"
        return rf"{roles}-[0-9]+(-[0-9]+)?", "kube_statefulset_replicas", roles
    kserve = model.serve.kserve
    owner = name if kserve is None else f"{name}-predictor"
    if kserve is None or kserve.scale.on_knative:
        owner = f"{owner}-[0-9]{{5}}-deployment"
    return f"{owner}-.+", deployments, owner


def replica_prices(environment: Environment, model: ModelSection) -> list[platform.InstancePrice]:
    """What a pod costs on each type of node; nothing where that of one is not known."""
    own, cards = environment.prices, model.server.resources.whole_cards
    if model.serve.roles is not None:
        return []  # Its pods are of several sizes.
    listed = {} if own and own.currency != NODE_LIST.currency else NODES
    on_demand = {
        **{name: float(price) for name, price in listed.get(environment.region or "", {}).items()},
        **(own.nodes_hourly if own else {}),
    }
    prices: dict[str, float] = {}
    for pool in map(environment.pool, model.placement.pools):
        spot = own.spot_hourly if own and isinstance(pool, PoolSection) and pool.spot else {}
        for name in pool.instance_types if isinstance(pool, PoolSection) else [""]:
            hourly, instance = {**on_demand, **spot}.get(name), environment.instances.get(name)
            if hourly is None or instance is None or not cards or not instance.gpus:
                return []
            prices[name] = max(prices.get(name, 0), round(hourly * cards / instance.gpus, 6))
    return [
        platform.InstancePrice(instance_type=name, hourly=price) for name, price in prices.items()
    ]


def _vllm_releases(environment: Environment) -> list[str] | None:
    """The releases of vLLM that serve; None where an image does not tell its own."""
    images = [vllm_image(model.server.image) for model in environment.models]
    versions = {image.version for image in images if image}
    if not versions or None in images:
        return None
    return [release_name(version) for version in sorted(versions)]
