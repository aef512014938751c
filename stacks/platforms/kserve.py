"""KServe, with the ingress controller that its models need."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault
from components.crds.kserve_annotations import DEPLOYMENT_MODE, DeploymentMode, deployment_name
from components.platform import KServe, KServeArgs, KServeFlavor
from components.platform.kserve import ALB_INGRESS_CLASS
from components.serving import ModelArgs

from ..arguments.base import made_of
from ..arguments.cloud import cluster_id
from ..checks.cluster import kubernetes_faults
from ..needs import KSERVE as NAME
from ..needs import Needs
from ..placeholders import vswitch_id
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode, IngressController
from .cert_manager import CERT_MANAGER
from .ingress import ingress_controller
from .platform import Platform, release_faults

MODES_RENAMED: Final = (0, 16)
"""First KServe release that knows the modes Knative and Standard: kserve v0.15.2 and v0.16.0,
pkg/constants/constants.go."""
KUBERNETES: Final = "1.32"
"""Lowest Kubernetes version of KServe 0.20: KServe, administrator guide, 2026-08."""


def kserve_args(
    environment: Environment, needs: Needs, _models: Sequence[ModelArgs]
) -> KServeArgs | None:
    """KServe as its section has it, unless the cluster has it."""
    section = environment.kserve
    if not section.install:
        return None
    installs = ingress_controller(environment, needs) is IngressController.ADDON
    ack = section.chart is not None and section.chart.flavor is KServeFlavor.ACK
    alb = installs and section.ingress_class == ALB_INGRESS_CLASS and environment.network
    vswitches = {zone.id: vswitch_id(zone.id) for zone in alb.zones} if alb else None
    return made_of(
        KServeArgs,
        section,
        domain=None if ack else section.domain,
        ingress_class=None if ack else section.ingress_class,
        protect_crds=environment.cluster.deletion_protection,
        cluster_id=cluster_id(environment) if installs else None,
        alb_vswitch_ids=vswitches,
        public_ingress=section.public_ingress if installs and not environment.existing else None,
    )


KSERVE: Final = Platform(NAME, kserve_args, KServe, needs=(CERT_MANAGER,), section="kserve")


# --- checks --------------------------------------------------------------------------------------


@KSERVE.check
def kserve_runs_on_the_kubernetes(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """The pinned release has a floor; of another one it is not known."""
    if environment.kserve.install and not environment.kserve.chart:
        yield from kubernetes_faults(environment, KUBERNETES, "the pinned KServe needs it")


@KSERVE.check
def present_kserve_knows_the_mode(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """A mode of another name is the cluster's default to an older release, without a word."""
    version = environment.kserve.version
    for path, model in needs.models(NAME):
        if needs.on_knative(model):
            why = (
                f"{path} scales on concurrency, in mode {DeploymentMode.KNATIVE}, which older "
                "releases call otherwise"
            )
            yield from release_faults("kserve.version", version, MODES_RENAMED, why)


@KSERVE.check
def kserve_has_cert_manager(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """KServe's webhooks refuse everything until they have a certificate."""
    if environment.kserve.install and environment.cert_manager is CertManagerMode.ABSENT:
        why = "KServe's webhooks get their certificate from it"
        yield Fault("cert_manager", environment.cert_manager, "'install' or 'present'", why)


@KSERVE.check
def modes_follow_the_metric(_environment: Environment, needs: Needs) -> Iterator[Fault]:
    """What scales a model of KServe is there in one mode alone."""
    for path, model in needs.models(NAME):
        required = DeploymentMode.KNATIVE if needs.on_knative(model) else DeploymentMode.STANDARD
        for kind, section in model.serve.sections.items():
            mode = (section.annotations or {}).get(DEPLOYMENT_MODE)
            if mode not in (None, required):
                why = f"with scale.metric {section.scale.metric} the mode is {required}"
                field = f"{path}.serve.{kind}.annotations[{DEPLOYMENT_MODE}]"
                yield Fault(field, mode, "left out", why)


@KSERVE.check
def services_have_their_own_names(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """KServe calls its predictor's Service after the model, where another model's may be."""
    owners = {model.name: f"models[{model.name}]" for model in environment.models}
    for path, model in needs.models(NAME):
        predictor = deployment_name(model.name) if model.serve.llm is None else ""
        if (owner := owners.get(predictor)) is not None:
            why = f"KServe makes a Service of that name for {path}"
            yield Fault(f"{owner}.name", predictor, "another one", why)


@KSERVE.check
def rendezvous_names_are_free(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Pods of a job meet at a Service of its name, and KServe makes one for each model."""
    services = {
        deployment_name(model.name): path
        for path, model in needs.models(NAME)
        if model.serve.llm is None
    }
    for job in environment.training:
        if job.parallelism > 1 and job.name in services:
            want = f"another one than {job.name}"
            why = f"KServe makes a Service of that name for {services[job.name]}"
            yield Fault(f"training[{job.name}].name", job.name, want, why)
