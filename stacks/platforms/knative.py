"""Knative, for models of its own and for those that KServe runs on it."""

from collections.abc import Iterator, Sequence
from typing import Final

from components.args import Fault, Words
from components.catalog.charts import (
    KNATIVE_SERVING_MINIMUM,
    KNATIVE_SERVING_VERSION,
    KNATIVE_SERVING_WANTED,
    serving_release,
)
from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from components.crds.knative_rules import RESERVED_PORTS, RESERVED_VARIABLES
from components.platform import Knative, KnativeArgs, KnativeInstaller
from components.serving import KnativeModelArgs, ModelArgs
from components.serving.knative_model import render
from components.serving.pod import model_pod

from ..arguments.base import made_of
from ..arguments.cloud import cluster_id
from ..checks.cluster import kubernetes_faults
from ..checks.rules import check
from ..checks.views import lowest_size
from ..needs import KNATIVE as NAME
from ..needs import Needs
from ..sections.environment import Environment
from .platform import Platform

ADDON_NODES: Final = 3
"""Worker nodes that ACK wants before it installs Knative: ACK, "Deploy Knative"."""
ADDON_KUBERNETES: Final = "1.28"
"""Lowest Kubernetes version of ACK's Knative add-on: ACK, "Deploy Knative"."""
GATEWAY_CLASS: Final = "gateway-api.ingress.networking.knative.dev"
"""Ingress class of services behind a gateway of the Gateway API: ACK, "LLM service deployment and
intelligent routing based on AI inference gateway", 2026-06."""


def knative_args(
    environment: Environment, needs: Needs, models: Sequence[ModelArgs]
) -> KnativeArgs | None:
    """Knative, unless the cluster has it."""
    return needed_knative(environment, needs, models) if environment.knative.install else None


def needed_knative(
    environment: Environment, needs: Needs, models: Sequence[ModelArgs]
) -> KnativeArgs:
    """Knative, with exactly the flags that the pods of its models need, whoever serves them."""
    flags: dict[str, str] = {}
    section = environment.gateway
    behind_gateway = section is not None and section.knative_annotations is not None
    for model, args in zip(needs.sections(NAME), models, strict=True):
        flags |= features(_template(model.name, args))
    return made_of(
        KnativeArgs,
        environment.knative,
        installer=KnativeInstaller.OPERATOR if environment.existing else KnativeInstaller.ADDON,
        cluster_id=cluster_id(environment),
        # Of one that is there it is only known which it is.
        version=environment.knative.version if environment.knative.install else None,
        features=flags,
        ingress_class=GATEWAY_CLASS if behind_gateway else None,
    )


def _template(name: str, args: ModelArgs) -> RevisionTemplate:
    """The pods of a model of a name, as Knative is asked for them."""
    if isinstance(args, KnativeModelArgs):
        return render(name, args).template
    return RevisionTemplate.model_validate({"spec": model_pod(args)})  # KServe asks for them


KNATIVE: Final = Platform(NAME, knative_args, Knative, section="knative", nodes=ADDON_NODES)


# --- checks --------------------------------------------------------------------------------------


@KNATIVE.check
def knative_runs_on_the_kubernetes(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """ACK's add-on and the operator's releases have floors."""
    section = environment.knative
    if section.install and not environment.existing:
        why = "ACK's Knative add-on needs it"
        yield from kubernetes_faults(environment, ADDON_KUBERNETES, why)
        return
    release = section.version or (KNATIVE_SERVING_VERSION if section.install else "")
    release = ".".join(release.split(".")[:2])
    if floor := KNATIVE_SERVING_MINIMUM.get(release):
        yield from kubernetes_faults(environment, floor, f"Knative Serving {release} needs it")


@check
def knative_release_is_served(environment: Environment) -> Iterator[Fault]:
    """The operator serves a few releases of Serving."""
    version = environment.knative.version
    installs = environment.existing and environment.knative.install
    if installs and version is not None and serving_release(version) is None:
        why = "these are the releases that the pinned Knative operator installs"
        yield Fault("knative.version", version, KNATIVE_SERVING_WANTED, why)


@KNATIVE.check
def enough_nodes_carry_knative(environment: Environment, _needs: Needs) -> Iterator[Fault]:
    """ACK counts the nodes before it installs the add-on."""
    lowest = sum(map(lowest_size, environment.pools))
    is_addon = environment.knative.install and environment.creates_cluster
    if is_addon and environment.pools and lowest < ADDON_NODES:
        got = Words(f"{lowest} node{'' if lowest == 1 else 's'} at the least")
        want = f"{ADDON_NODES} nodes or more, over all pools"
        yield Fault("pools", got, want, "ACK installs Knative only on that many")


@KNATIVE.check
def requests_end_in_time(environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Knative refuses a service that allows longer requests than the cluster does."""
    longest = environment.knative.max_request_seconds
    for path, model in needs.models(NAME):
        for kind, section in model.serve.sections.items():
            if (section.request_seconds or 0) > longest:
                want = f"at most knative.max_request_seconds ({longest})"
                why = "Knative's webhook refuses longer requests"
                field = f"{path}.serve.{kind}.request_seconds"
                yield Fault(field, section.request_seconds, want, why)


@KNATIVE.check
def reserved_names_are_free(_environment: Environment, needs: Needs) -> Iterator[Fault]:
    """Ports and variables that Knative's queue-proxy has for itself."""
    for path, model in needs.models(NAME):
        server = model.server
        if server.port in RESERVED_PORTS:
            want = f"none of {', '.join(map(str, sorted(RESERVED_PORTS)))}"
            yield Fault(f"{path}.server.port", server.port, want, "Knative's queue-proxy has it")
        for name in sorted({*RESERVED_VARIABLES, "PORT"} & set(server.env or {})):
            why = "Knative sets this variable itself"
            yield Fault(f"{path}.server.env.{name}", Words("set"), "left out", why)
