"""Hosts of the models' own: who else has them, and who gets in."""

from collections.abc import Iterator

from components.args import Fault

from ..checks.rules import check, warning, warning_by_needs
from ..checks.views import models
from ..needs import Needs
from ..sections.environment import Environment
from ..sections.platform import CertManagerMode, IngressController
from .cert_manager import issuer_faults
from .ingress import ingress_controller


@check
def hosts_lead_to_one_model(environment: Environment) -> Iterator[Fault]:
    """Of two Ingresses of a host the older one has it, and Knative lets a host be claimed once."""
    owners: dict[str, str] = {}
    for path, model in models(environment):
        if model.ingress is None:
            continue
        if (owner := owners.setdefault(model.ingress.host, path)) != path:
            want = f"another one than that of {owner}"
            yield Fault(f"{path}.ingress.host", model.ingress.host, want, "a host leads to one")


@check
def issuers_have_cert_manager(environment: Environment) -> Iterator[Fault]:
    """A ClusterIssuer is cert-manager's."""
    for path, model in models(environment):
        if model.ingress is not None:
            yield from issuer_faults(environment, f"{path}.ingress.tls", model.ingress.tls)


@warning
def issuers_come_after_cert_manager(environment: Environment) -> Iterator[str]:
    """Nobody but its owner knows how an issuer proves that a host is ours."""
    names = {
        model.ingress.tls.issuer
        for _, model in models(environment)
        if model.ingress and model.ingress.tls and model.ingress.tls.issuer
    }
    if names and environment.cert_manager_mode is CertManagerMode.INSTALL:
        yield (
            f"The ClusterIssuer {', '.join(sorted(names))} is not made here: apply it once "
            "cert-manager is installed. Until then the certificate is pending, and the gateway "
            "answers with one of its own."
        )


@warning
def keys_travel_encrypted(environment: Environment) -> Iterator[str]:
    """Whoever is on the way reads what is sent in plain."""
    for path, model in models(environment):
        if model.ingress and model.ingress.tls is None and model.api_key_secret:
            yield (
                f"{path}.ingress has no tls, and clients send the key of {path}.api_key_secret "
                "to it: by plain HTTP everyone on the way reads it."
            )


@warning_by_needs
def public_models_ask_for_a_key(environment: Environment, needs: Needs) -> Iterator[str]:
    """A model that the internet reaches works for the internet."""
    is_public = environment.kserve.public_ingress
    if not is_public or ingress_controller(environment, needs) is not IngressController.ADDON:
        return
    for model in needs.behind_ingress(environment):
        path = f"models[{model.name}]"
        is_limited = model.ingress is not None and model.ingress.allow_cidrs is not None
        if not (is_limited or model.api_key_secret):
            yield (
                f"kserve.public_ingress is true, and {path} asks for no key: the whole internet "
                "may use it. Set api_key_secret, or ingress.allow_cidrs."
            )
