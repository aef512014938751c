"""What namespaces are made of: their quotas, and who reaches them."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from components import platform

from ..needs import GATEWAY, KNATIVE, KSERVE, Needs
from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from .folders import MountedFolder, mounts
from .namespaces import SYSTEM_NAMESPACES, namespace_of_claim, used_namespaces, workloads_of

KNATIVE_GATEWAYS: Final = ("knative-serving", "kourier-system")
"""Namespaces of Knative's activator and autoscaler, and of Kourier: knative/net-kourier, config,
v1.20; its operator has Kourier in knative-serving."""
INGRESS_GATEWAYS: Final = ("kube-system", "ingress-nginx")
"""Namespaces of ACK's add-on nginx-ingress-controller, and of ingress-nginx by its own chart."""
GATEWAY_PROXIES: Final = ("envoy-gateway-system",)
"""Namespace of the proxies of the gateway before the models, ACK's and Envoy Gateway's."""
CACHE_CONTROLLERS: Final = ("fluid-system",)
"""Namespace of Fluid's controllers."""
PROMETHEUS: Final = ("arms-prom", "monitoring")
"""Namespaces of the agent of Managed Service for Prometheus, and of a Prometheus by custom."""


def created_namespaces(environment: Environment) -> list[str]:
    """Those of them that the stack creates: none that has to be there for a claim or a Secret."""
    present = {namespace_of_claim(environment, store) for store in environment.stores}
    folders = [mount for mount in mounts(environment) if _has_secret(environment, mount)]
    present |= {mount.namespace for mount in folders}
    present |= {section.name for section in environment.namespaces if not section.create}
    return [
        name
        for name in used_namespaces(environment)
        if name not in present and name not in SYSTEM_NAMESPACES
    ]


def _has_secret(environment: Environment, mount: MountedFolder) -> bool:
    """Whether a folder is read by a Secret, which is in the namespace before the stack is."""
    store = environment.store(mount.volume.store)
    return store is not None and store.oss is not None and not store.is_read_by_role


def namespace_args(environment: Environment, needs: Needs) -> list[platform.TeamNamespaceArgs]:
    """What namespaces are made of, beside the stack's own one where it has no rules."""
    created = created_namespaces(environment)
    quotas = {section.name: section.quota for section in environment.namespaces}
    isolation = isolation_of(environment, needs)
    every = (
        platform.TeamNamespaceArgs(
            namespace=name,
            create=name in created and name != environment.namespace,
            quota=quotas.get(name),
            isolation=isolation if name not in SYSTEM_NAMESPACES else None,
        )
        for name in used_namespaces(environment)
    )
    return [args for args in every if args.create or args.quota or args.isolation]


def has_teams(environment: Environment) -> bool:
    """Whether anything names another namespace than the stack's own."""
    names = {workload.namespace for workload in workloads_of(environment)}
    names |= {section.name for section in environment.namespaces}
    return bool(names - {None, environment.namespace})


def knows_network_policies(environment: Environment) -> bool:
    """Whether the network plugin may enforce them; of an existing cluster that is not known."""
    network = environment.network
    return network is None or network.plugin is not NetworkPlugin.FLANNEL


def isolation_of(environment: Environment, needs: Needs) -> platform.Isolation | None:
    """Who reaches a namespace of the stack; None where everybody does."""
    section, network = environment.network_policies, environment.network
    enabled = section.enabled
    if enabled is None:
        enabled = has_teams(environment) and knows_network_policies(environment)
    if not enabled:
        return None
    gateways = [
        *(KNATIVE_GATEWAYS if needs.sections(KNATIVE) else ()),
        *(INGRESS_GATEWAYS if needs.sections(KSERVE) else ()),
        *(GATEWAY_PROXIES if needs.sections(GATEWAY) else ()),
        *(CACHE_CONTROLLERS if environment.has_caches else ()),
        *PROMETHEUS,
        *_namespaces_of_prometheus(environment),
    ]
    # Of vSwitches that exist, nobody says the addresses; those of the VPC are pods' too.
    nodes = [zone.cidr for zone in network.zones if zone.cidr is not None] if network else []
    return platform.Isolation(
        namespaces=list(dict.fromkeys([*gateways, *section.allow_namespaces])),
        cidrs=list(dict.fromkeys([*nodes, *section.allow_cidrs])),
    )


def _namespaces_of_prometheus(environment: Environment) -> Iterator[str]:
    """Namespace of a Prometheus in the cluster, by its address there."""
    url = environment.gpu_metrics.url if environment.gpu_metrics else None
    host = (urlsplit(url or "").hostname or "").split(".")
    if host[2:3] == ["svc"]:
        yield host[1]


def elastic_quota_args(environment: Environment) -> platform.ElasticQuotasArgs | None:
    """The tree of quotas, where there is one."""
    section = environment.elastic_quota
    return platform.ElasticQuotasArgs(groups=section.groups) if section else None
