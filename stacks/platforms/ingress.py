"""Where the ingress controller comes from that KServe's Ingresses need."""

from components.platform.kserve import DEFAULT_INGRESS_CLASS, INGRESS_ADDONS, serves_by_gateway

from ..needs import Needs
from ..sections.environment import Environment
from ..sections.platform import IngressController


def ingress_class(environment: Environment) -> str:
    """IngressClass of the models; empty where KServe makes HTTPRoutes, which read time-outs."""
    section = environment.kserve
    return "" if serves_by_gateway(section.chart) else section.ingress_class


def ingress_controller(environment: Environment, needs: Needs) -> IngressController | None:
    """Whence the ingress controller comes; None where no model has an Ingress."""
    section = environment.kserve
    if not ingress_class(environment) or not needs.behind_ingress(environment):
        return None
    if section.ingress_controller is not None:
        return section.ingress_controller
    is_default = section.ingress_class == DEFAULT_INGRESS_CLASS and not environment.existing
    return (
        IngressController.ADDON
        if is_default and not addon_is_named(environment)
        else IngressController.PRESENT
    )


def addon_is_named(environment: Environment) -> bool:
    """Whether the stack file adds the controller itself."""
    controller = INGRESS_ADDONS.get(environment.kserve.ingress_class)
    return controller in environment.cluster.addon_names
