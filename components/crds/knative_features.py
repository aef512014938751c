"""Feature flags of Knative Serving that a revision needs.

Source: https://github.com/knative/serving/blob/main/config/core/configmaps/features.yaml
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from .core import Container, named_containers
from .knative import RevisionSpec, RevisionTemplate
from .knative_rules import Role, roles
from .volumes import Volume

_SET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "affinity": "kubernetes.podspec-affinity",
        "dns_config": "kubernetes.podspec-dnsconfig",
        "dns_policy": "kubernetes.podspec-dnspolicy",
        "priority_class_name": "kubernetes.podspec-priorityclassname",
        "runtime_class_name": "kubernetes.podspec-runtimeclassname",
        "scheduler_name": "kubernetes.podspec-schedulername",
        "security_context": "kubernetes.podspec-securitycontext",
        "share_process_namespace": "kubernetes.podspec-shareprocessnamespace",
    }
)
"""Flags by the pod's fields that need them whatever their value."""

_FILLED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "host_aliases": "kubernetes.podspec-hostaliases",
        "host_ipc": "kubernetes.podspec-hostipc",
        "host_network": "kubernetes.podspec-hostnetwork",
        "host_pid": "kubernetes.podspec-hostpid",
        "init_containers": "kubernetes.podspec-init-containers",
        "node_selector": "kubernetes.podspec-nodeselector",
        "tolerations": "kubernetes.podspec-tolerations",
        "topology_spread_constraints": "kubernetes.podspec-topologyspreadconstraints",
    }
)
"""Flags by the pod's fields that need them unless empty or false."""

_VOLUMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "csi": "kubernetes.podspec-volumes-csi",
        "empty_dir": "kubernetes.podspec-volumes-emptydir",
        "ephemeral": "kubernetes.podspec-volumes-ephemeral",
        "host_path": "kubernetes.podspec-volumes-hostpath",
        "image": "kubernetes.podspec-volumes-image",
        "persistent_volume_claim": "kubernetes.podspec-persistent-volume-claim",
    }
)
"""Flags by kind of volume; the other kinds need none."""


def features(template: RevisionTemplate) -> dict[str, str]:
    """The entries of ConfigMap config-features without which the template is refused.

    Flags that Knative ships enabled are listed too, for clusters that have them off.
    """
    pod = template.spec
    flags = {*_pod_flags(pod), *_container_flags(pod)}
    for volume in pod.volumes or []:
        flags.update(_volume_flags(volume))
    return dict.fromkeys(sorted(flags), "enabled")


def _pod_flags(pod: RevisionSpec) -> Iterator[str]:
    yield from (flag for field, flag in _SET.items() if getattr(pod, field) is not None)
    yield from (flag for field, flag in _FILLED.items() if getattr(pod, field))
    if len(pod.containers) > 1:
        yield "multi-container"
    if any(role is Role.SIDECAR and _is_probed(container) for _, container, role in roles(pod)):
        yield "multi-container-probing"


def _container_flags(pod: RevisionSpec) -> Iterator[str]:
    containers = [container for _, container in named_containers(pod)]
    if any(map(_reads_fields, containers)):
        yield "kubernetes.podspec-fieldref"
    if any(map(_adds_capabilities, containers)):
        yield "kubernetes.containerspec-addcapabilities"
    mounts = [mount for container in containers for mount in container.volume_mounts or []]
    if any(mount.mount_propagation for mount in mounts):
        yield "kubernetes.podspec-volumes-mount-propagation"


def _volume_flags(volume: Volume) -> Iterator[str]:
    if flag := _VOLUMES.get(volume.kind):
        yield flag
    claim = volume.persistent_volume_claim
    if claim is not None and not claim.read_only:
        yield "kubernetes.podspec-persistent-volume-write"


def _is_probed(container: Container) -> bool:
    probes = (container.liveness_probe, container.readiness_probe, container.startup_probe)
    return any(probe is not None for probe in probes)


def _reads_fields(container: Container) -> bool:
    sources = [variable.value_from for variable in container.env or []]
    return any(source and (source.field_ref or source.resource_field_ref) for source in sources)


def _adds_capabilities(container: Container) -> bool:
    context = container.security_context
    return bool(context and context.capabilities and context.capabilities.add)
