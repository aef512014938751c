"""Who answers at the door: KServe makes an Ingress whether there is a controller for it or not."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from components.args import MISSING, Fault, Words
from components.crds.kserve_annotations import DeploymentMode
from components.platform import KServeFlavor
from components.platform.kserve import (
    ALB_INGRESS_CLASS,
    ALB_ZONES,
    DEFAULT_INGRESS_CLASS,
    INGRESS_ADDONS,
    chart_value,
    default_cpu_limit,
)
from components.quantity import difference, is_quantity

from ..checks.rules import check_by_needs, warning_by_needs
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.platform import IngressController
from .ingress import addon_is_named, ingress_controller
from .kserve import KSERVE

_GATEWAY: Final = ("kserve", "controller", "gateway")
_DECIDED: Final[Mapping[tuple[str, ...], str]] = MappingProxyType(
    {
        (*_GATEWAY, "domain"): "kserve.domain",
        (*_GATEWAY, "ingressGateway", "className"): "kserve.ingress_class",
    }
)
"""Values of kserve-resources that a field decides."""
_MODE: Final = ("kserve", "controller", "deploymentMode")
_INGRESS_ADDON: Final = "-ingress-controller"
"""How the names of ACK's add-ons end that answer to an IngressClass."""


@check_by_needs
def ingress_controllers_are_installed_once(
    environment: Environment, needs: Needs
) -> Iterator[Fault]:
    """The add-on is ACK's, answers to one class, and stands in a cluster once."""
    section = environment.kserve
    field = "kserve.ingress_controller"
    controller = ingress_controller(environment, needs)
    addon = INGRESS_ADDONS.get(section.ingress_class)
    if controller is not IngressController.ADDON and section.public_ingress:
        why = "it is a setting of the add-on that KServe brings, and the stack brings none"
        if addon_is_named(environment):
            why = f"cluster.addons names {addon}, whose config decides"
        yield Fault("kserve.public_ingress", True, "left out", why)
    if controller is IngressController.ADDON and environment.existing:
        yield Fault(field, controller, "'present'", "the add-on belongs to a cluster of the stack")
    elif controller is IngressController.ADDON and addon is None:
        classes = " and ".join(INGRESS_ADDONS)
        why = f"ACK's add-ons answer to {classes}, and kserve.ingress_class is another"
        yield Fault(field, controller, "'present'", why)
    elif controller is IngressController.ADDON and addon_is_named(environment):
        why = f"cluster.addons names {addon}, and a cluster has it once"
        yield Fault(field, controller, "'present', or left out", why)


@check_by_needs
def alb_stands_in_several_zones(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """ACK makes no ALB instance in one zone."""
    section, network = environment.kserve, environment.network
    is_alb = section.ingress_class == ALB_INGRESS_CLASS
    installs = ingress_controller(environment, needs) is IngressController.ADDON
    zones = network.zones if network else []
    if is_alb and installs and len(zones) < ALB_ZONES and not environment.existing:
        want = f"{DEFAULT_INGRESS_CLASS}, or network.zones of {ALB_ZONES} zones or more"
        why = "an ALB instance stands in as many"
        yield Fault("kserve.ingress_class", section.ingress_class, want, why)


@KSERVE.check
def ingresses_have_a_controller(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """In a new cluster nobody answers to a class unless somebody installs what does."""
    section = environment.kserve
    named = any(name.endswith(_INGRESS_ADDON) for name in environment.cluster.addon_names)
    if _is_assumed(environment, needs) and not environment.existing and not named:
        addon = INGRESS_ADDONS.get(section.ingress_class)
        brought = f"'addon' for ACK's {addon}, or " if addon else ""
        want = f"{brought}'present', or kserve.ingress_class {DEFAULT_INGRESS_CLASS}"
        why = (
            f"cluster.addons names no add-on that could answer to {section.ingress_class}, and "
            "without one the models are reached inside the cluster alone"
        )
        yield Fault("kserve.ingress_controller", MISSING, want, why)


@KSERVE.check
def default_limits_leave_room(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """KServe's webhook gives a limit to a container without one, be it below the request."""
    default = default_cpu_limit(environment.kserve.chart)
    for path, model in needs.models(KSERVE.name):
        resources = model.server.resources
        if resources.cpu_limit is not None or not default:
            continue
        if (room := difference(default, resources.cpu)) is not None and room < 0:
            want = f"{resources.cpu} or more"
            why = (
                f"by kserve.chart.values a container without one is given {default}, below the "
                "request, and the API server refuses the Deployment"
            )
            yield Fault(f"{path}.server.resources.cpu_limit", Words("left out"), want, why)


@KSERVE.check
def values_agree_with_fields(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """Values are laid over those of fields, by which hosts and time-outs are reckoned."""
    section = environment.kserve
    values = section.chart.values if section.chart else None
    if not values:
        return
    if section.chart and section.chart.flavor is KServeFlavor.ACK:
        return  # What its values mean is not known here.
    where = "kserve.chart.values"
    if not isinstance(values.get("kserve", {}), Mapping):
        want = "a section of keys and values"
        yield Fault(f"{where}.kserve", values["kserve"], want, "the chart has all of its own there")
        return
    for path, field in _DECIDED.items():
        text = chart_value(values, *path, default=None)
        decided = getattr(section, field.removeprefix("kserve."))
        if text not in (None, decided):
            why = f"{field} says {decided}, and hosts and time-outs follow that"
            yield Fault(f"{where}.{'.'.join(path)}", text, f"left out, and {field} set", why)
    mode = chart_value(values, *_MODE, default=None)
    if mode not in (None, DeploymentMode.STANDARD, "RawDeployment"):
        why = "each model's scale.metric decides its mode, and Standard is that of the others"
        yield Fault(f"{where}.{'.'.join(_MODE)}", mode, "left out", why)
    limit = default_cpu_limit(section.chart)
    if limit and not is_quantity(limit):
        field = f"{where}.kserve.inferenceservice.resources.limits.cpu"
        why = "KServe's webhook reads it for each model"
        yield Fault(field, limit, "a quantity such as '2', or empty for none", why)


@warning_by_needs
def hosts_follow_the_template(environment: Environment, needs: Needs) -> Iterator[str]:
    """Hosts in outputs and sentences are made as KServe ships."""
    chart = environment.kserve.chart
    for key in ("domainTemplate", "urlScheme", "disableIngressCreation"):
        values = (chart and chart.values) or {}
        if needs.behind_ingress(environment) and chart_value(values, *_GATEWAY, key, default=None):
            yield (
                f"kserve.chart.values.{'.'.join(_GATEWAY)}.{key} is given: KServe makes other "
                "addresses by it, or none, and the outputs of the stack have those that KServe "
                "makes as it ships."
            )


@warning_by_needs
def existing_clusters_have_a_controller(environment: Environment, needs: Needs) -> Iterator[str]:
    """Nobody looks into an existing cluster."""
    if _is_assumed(environment, needs) and environment.existing:
        yield (
            f"KServe makes Ingresses of class {environment.kserve.ingress_class}, and calls them "
            "ready also where nobody answers to them: have a controller for it, and say "
            "kserve.ingress_controller: present."
        )


def _is_assumed(environment: Environment, needs: Needs) -> bool:
    """Whether nobody says that there is the controller which models count upon."""
    controller = ingress_controller(environment, needs)
    return controller is IngressController.PRESENT and environment.kserve.ingress_controller is None
