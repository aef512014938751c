"""KServe's controller of LLMInferenceServices."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault, Words
from components.platform import KServeFlavor, LLMInferenceServices, LLMInferenceServicesArgs
from components.serving import ModelArgs

from ..arguments import made_of
from ..checks.cluster import kubernetes_faults
from ..checks.rules import warning_by_needs
from ..needs import KSERVE as OTHER
from ..needs import LLM_INFERENCE_SERVICES as NAME
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.platform import KSERVE_RELEASE, CertManagerMode
from .cert_manager import CERT_MANAGER
from .kserve import KSERVE, KUBERNETES, ingress_fields
from .leader_worker import LEADER_WORKER_SETS
from .platform import Platform

SINCE: Final = (0, 20)
"""Release whose v1alpha2, presets and webhooks were read: kserve v0.20.0, 2026-08-06."""


def llm_inference_services_args(
    environment: Environment, needs: Needs, _models: Sequence[ModelArgs]
) -> LLMInferenceServicesArgs | None:
    """The controller as its section has it, unless the cluster has it."""
    section, kserve = environment.llm_inference_services, environment.kserve
    if not section.install:
        return None
    return made_of(
        LLMInferenceServicesArgs,
        section,
        chart=kserve.chart,
        # KServe, which has them too, comes before it, or is there.
        shared=kserve.install and not needs.sections(OTHER),
        protect_crds=environment.cluster.deletion_protection,
        **({} if needs.sections(OTHER) else ingress_fields(environment, needs)),
    )


LLM_INFERENCE_SERVICES: Final = Platform(
    NAME,
    llm_inference_services_args,
    LLMInferenceServices,
    needs=(CERT_MANAGER,),
    # It looks once, when it starts, for the resource types that others bring.
    after=(KSERVE, LEADER_WORKER_SETS),
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
    if installs and chart is None:
        yield from kubernetes_faults(environment, KUBERNETES, "the pinned KServe needs it")
    if installs and chart and chart.flavor is KServeFlavor.ACK:
        want = "upstream, or llm_inference_services.install false"
        why = "no page of ack-kserve names LLMInferenceServices"
        yield Fault("kserve.chart.flavor", chart.flavor, want, why)
        return
    field, version = "kserve.version", kserve.version
    if installs and chart:
        field, version = "kserve.chart.version", chart.version
    match = re.fullmatch(KSERVE_RELEASE, version or "")
    if match is not None and (int(match[1]), int(match[2])) < SINCE:
        want = f"v{'.'.join(map(str, SINCE))}.0 or later"
        why = "models are served by LLMInferenceService v1alpha2 as that release has it"
        yield Fault(field, version, want, why)


@LLM_INFERENCE_SERVICES.check
def llm_webhooks_have_cert_manager(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Its webhooks, of which one converts the resource type, refuse all without a certificate."""
    is_absent = environment.cert_manager_mode is CertManagerMode.ABSENT
    if environment.llm_inference_services.install and is_absent:
        why = "the webhooks of LLMInferenceServices get their certificate from it"
        yield Fault("cert_manager", Words("absent"), "'install' or 'present'", why)


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
