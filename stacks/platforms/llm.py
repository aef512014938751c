"""KServe's controller of LLMInferenceServices."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault
from components.platform import KServeFlavor, LLMInferenceServices, LLMInferenceServicesArgs
from components.serving import GatewayFlavor, ModelArgs

from ..arguments.base import made_of
from ..arguments.gateway import brings_pools
from ..checks.rules import warning_by_needs
from ..needs import LLM_INFERENCE_SERVICES as NAME
from ..needs import Needs
from ..sections.environment import Environment
from .cert_manager import CERT_MANAGER
from .gateway import GATEWAY
from .kserve import KSERVE
from .leader_worker import LEADER_WORKER_SETS
from .platform import Platform, release_faults

SINCE: Final = (0, 20)
"""Release whose v1alpha2, presets and webhooks were read: kserve v0.20.0, 2026-08-06."""


def llm_inference_services_args(
    environment: Environment, _needs: Needs, _models: Sequence[ModelArgs]
) -> LLMInferenceServicesArgs | None:
    """The controller as its section has it, unless the cluster has it."""
    section, kserve = environment.llm_inference_services, environment.kserve
    if not section.install:
        return None
    return made_of(
        LLMInferenceServicesArgs,
        section,
        chart=kserve.chart,
        inference_pools=section.inference_pools is not False and not brings_pools(environment),
        shared=False,
        protect_crds=environment.cluster.deletion_protection,
    )


LLM_INFERENCE_SERVICES: Final = Platform(
    NAME,
    llm_inference_services_args,
    LLMInferenceServices,
    # Both have a ConfigMap, which Helm lets one release have: were it the other one's at times, a
    # model that moves between the two would end at that, as the engine deletes last.
    needs=(CERT_MANAGER, KSERVE),
    # It looks once, when it starts, for the resource types that others bring.
    after=(LEADER_WORKER_SETS, GATEWAY),
    section="llm_inference_services",
)


# --- checks --------------------------------------------------------------------------------------


@LLM_INFERENCE_SERVICES.check
def releases_have_llm_inference_services(
    environment: Environment, _needs: Needs
) -> Iterator[Fault]:
    """v1alpha2 as it is written here, from a chart that has it."""
    kserve, installs = environment.kserve, environment.llm_inference_services.install
    chart = kserve.chart
    if installs and chart and chart.flavor is KServeFlavor.ACK:
        want = "upstream, or llm_inference_services.install false"
        why = "no page of ack-kserve names LLMInferenceServices"
        yield Fault("kserve.chart.flavor", chart.flavor, want, why)
        return
    field, version = "kserve.version", kserve.version
    if installs and chart:
        field, version = "kserve.chart.version", chart.version
    why = "models are served by LLMInferenceService v1alpha2 as that release has it"
    yield from release_faults(field, version, SINCE, why)


@LLM_INFERENCE_SERVICES.check
def types_of_pools_come_once(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Helm takes no resource type that another one has installed."""
    if environment.llm_inference_services.inference_pools and brings_pools(environment):
        is_ack = environment.gateway_flavor is GatewayFlavor.ACK
        why = "ACK's add-on brings them" if is_ack else "gateway.inference_types says there are"
        want = "left out, or false"
        yield Fault("llm_inference_services.inference_pools", True, want, why)


@warning_by_needs
def present_llm_controller_is_configured(environment: Environment, needs: Needs) -> Iterator[str]:
    """What the controller reads of a ConfigMap, and finds of presets, decides what pods become."""
    if environment.llm_inference_services.install or not needs.sections(NAME):
        return
    yield (
        "llm_inference_services.install is false, so nobody sets what the models need of the "
        "cluster's KServe: have in its ConfigMap inferenceservice-config no "
        "enableLLMInferenceServiceTLS true, by which probes ask by HTTPS and no pod is ever "
        "ready, and in the namespace kserve the presets kserve-config-llm-* of its release."
    )
