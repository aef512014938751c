"""Parts of the platform that a cluster has already, and what they have to be set to."""

from collections.abc import Iterator, Mapping
from typing import Final

from components.args import Fault
from components.catalog.metrics import METRICS
from components.platform.gateway_settings import GATEWAY_API_ADDON
from components.platform.gpu_metrics import ARMS_ADDON
from components.platform.knative import configuration
from components.serving import GatewayFlavor

from ..arguments.metrics import signals_of
from ..arguments.placement import placement_pools
from ..arguments.workloads import model_args
from ..checks.rules import check_by_needs, warning, warning_by_needs
from ..checks.views import scales
from ..needs import (
    GATEWAY,
    KNATIVE,
    KSERVE,
    LEADER_WORKER_SETS,
    LLM_INFERENCE_SERVICES,
    ROLE_BASED_GROUPS,
    Needs,
)
from ..sections.environment import Environment
from .ingress import ingress_class
from .knative import needed_knative

KNATIVE_ADDON: Final = "knative"


@check_by_needs
def addons_of_the_platform_are_installed_once(
    environment: Environment, needs: Needs
) -> Iterator[Fault]:
    """A cluster of ACK has an add-on once, whoever names it."""
    metrics = environment.gpu_metrics
    exports = metrics is not None and metrics.install and metrics.exporter
    installed = {
        KNATIVE_ADDON: bool(needs.sections(KNATIVE)) and environment.knative.install,
        ARMS_ADDON: exports and not environment.existing,
    }
    settings = {KNATIVE_ADDON: "knative.install false", ARMS_ADDON: "gpu_metrics.exporter false"}
    section = environment.gateway
    if section is not None and environment.gateway_flavor is GatewayFlavor.ACK:
        names = (GATEWAY_API_ADDON, section.addon)
        installed |= dict.fromkeys(names, section.install and bool(needs.sections(GATEWAY)))
        settings |= dict.fromkeys(names, "gateway.install false")
    for addon in environment.cluster.addons:
        if installed.get(addon.name):
            want = f"left out, or {settings[addon.name]}"
            why = "the stack installs it by itself, and a cluster has it once"
            yield Fault(f"cluster.addons[{addon.name}]", addon.name, want, why)


def present_knative(environment: Environment, needs: Needs) -> dict[str, dict[str, str]]:
    """What the cluster's own Knative has to be set to, by ConfigMap without its `config-`.

    Empty where the stack installs Knative, or no model needs it.
    """
    served = needs.sections(KNATIVE)
    if environment.knative.install or not served:
        return {}
    models = [
        model_args(environment, model, placement_pools(environment, model)) for model in served
    ]
    config = configuration(needed_knative(environment, needs, models))
    return {**config, "domain": {environment.knative.domain: ""}}


@warning_by_needs
def present_knative_is_configured(environment: Environment, needs: Needs) -> Iterator[str]:
    """Without a flag Knative's webhook refuses the model's Service, at the end of an update."""
    config = present_knative(environment, needs)
    if not config:
        return
    texts = [f"config-{name} ({_entries(data)})" for name, data in config.items()]
    yield (
        "knative.install is false, so nobody sets what the models need of the cluster's Knative: "
        f"have in its namespace {'; '.join(texts)}. A flag that is missing shows when Knative's "
        "webhook refuses the Service."
    )


def _entries(data: Mapping[str, str]) -> str:
    return ", ".join(f"{key}: {value}" if value else key for key, value in data.items())


@warning_by_needs
def present_kserve_is_configured(environment: Environment, needs: Needs) -> Iterator[str]:
    """Hosts, Ingresses and limits follow the ConfigMap of the KServe that is there."""
    if environment.kserve.install or not needs.sections(KSERVE):
        return
    ingress = (
        f", ingressClassName {ingress_class(environment)}"
        if needs.behind_ingress(environment)
        else ""
    )
    yield (
        "kserve.install is false, so nobody sets what the models need of the cluster's KServe: "
        f"have in its ConfigMap inferenceservice-config ingressDomain {environment.kserve.domain}"
        f"{ingress} and disableIstioVirtualHost true. A container without a CPU limit is given "
        "its request as the limit, since the default there is not known."
    )


@warning
def present_fluid_runs_jindo(environment: Environment) -> Iterator[str]:
    """Its chart starts the controller of JindoRuntimes only where it is told to."""
    if not environment.fluid.install and environment.has_caches:
        yield (
            "fluid.install is false: the cluster's Fluid needs its controller of JindoRuntimes "
            "(runtime.jindo.enabled) and its CSI plugin on every node that the models run on, "
            "taints of GPU nodes tolerated."
        )


@warning
def present_metrics_are_served(environment: Environment) -> Iterator[str]:
    """An HPA whose metric nobody serves never adds a pod."""
    metrics = environment.gpu_metrics
    if metrics is None or (metrics.install and metrics.adapter):
        return
    by_hpa = [scale for _, scale in scales(environment) if not getattr(scale, "keda", None)]
    asked = sorted({str(scale.metric) for scale in by_hpa} & METRICS.keys())
    served = f"the cluster has to serve {', '.join(asked)} for pods at custom.metrics.k8s.io"
    if asked and metrics.install:
        yield f"gpu_metrics.adapter is false: {served}."
    elif asked:
        yield (
            f"gpu_metrics.install is false: {served}, and its Prometheus has to collect /metrics "
            "of the models' pods."
        )
    elif not metrics.install and any(map(signals_of, environment.models)):
        yield (
            "gpu_metrics.install is false: the Prometheus that KEDA asks has to collect /metrics "
            "of the models' pods."
        )


@warning_by_needs
def new_clusters_have_nothing(environment: Environment, needs: Needs) -> Iterator[str]:
    """What the stack does not install, a cluster that it creates does not have at first."""
    if not environment.creates_cluster:
        return
    named = KNATIVE_ADDON in environment.cluster.addon_names
    absent = {
        "knative": bool(needs.sections(KNATIVE)) and not named,
        "kserve": bool(needs.sections(KSERVE)),
        "llm_inference_services": bool(needs.sections(LLM_INFERENCE_SERVICES)),
        "leader_worker_sets": bool(needs.sections(LEADER_WORKER_SETS)),
        "role_based_groups": bool(needs.sections(ROLE_BASED_GROUPS)),
        "fluid": environment.has_caches,
    }
    for part, is_needed in absent.items():
        if is_needed and not getattr(environment, part).install:
            yield (
                f"{part}.install is false, and the stack creates the cluster: install it between "
                "the cluster and the models, or the first update ends at a resource type that "
                "the cluster does not know."
            )
