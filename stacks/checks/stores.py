"""Where files lie: buckets, NAS and CPFS, how they are reached, and who mounts them.

Of CPFS: ACK, "CPFS General-purpose volumes" and "CPFS for Lingjun volumes", read 2026-11.
"""

import re
from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault
from components.catalog.regions import is_oss_accelerator, oss_internal_endpoint
from components.cloud.node_pool import ImageType

from ..arguments.folders import mounts
from ..sections.environment import Environment
from ..sections.pools import EdgePoolSection, PoolSection
from ..sections.stores import CpfsSection
from .architecture import is_arm
from .cluster import kubernetes_faults
from .rules import check, warning
from .views import models, placements_of, unknown_faults, workloads

MOUNT_TARGET: Final = (
    r"[^.]+(\.[^.]+)*?\.(?P<region>[a-z]{2}(-[a-z0-9]+)+)\.(nas|cpfs)\.aliyuncs\.com"
)
"""What mount targets are called: NAS and CPFS, "Manage mount targets", read 2026-11."""
EXTREME: Final = ".extreme.nas.aliyuncs.com"
"""How mount targets of Extreme NAS end."""
SHARE: Final = "/share/"
"""The folder of such a file system that can be mounted: "Mount a dynamically provisioned NAS
volume", https://www.alibabacloud.com/help/doc-detail/204404.htm, read 2026-11."""
DAEMON: Final = "cnfs-nas-daemon"
"""Add-on whose processes mount either edition, from csi-plugin 1.33 on."""
RRSA_OSS_KUBERNETES: Final = "1.26"
"""Lowest Kubernetes version of OSS volumes with RRSA: ACK, "Mount OSS volumes"."""


@check
def cpfs_has_a_mount_target(environment: Environment) -> Iterator[Fault]:
    """ECS instances mount CPFS for Lingjun from the VPC, and Lingjun nodes alone by its ID."""
    for store in environment.stores:
        if store.cpfs and store.cpfs.server is None and not environment.existing:
            why = "the stack's nodes are ECS instances, which mount it from its VPC mount target"
            yield Fault(f"stores[{store.name}].cpfs.server", MISSING, "given", why)


@check
def nodes_mount_cpfs(environment: Environment) -> Iterator[Fault]:
    """CPFS General-purpose has a client for x86, and none for ContainerOS."""
    general = {
        mount.name for mount in mounts(environment) if _is_general(environment, mount.volume.store)
    }
    for path, workload in workloads(environment):
        for field, placement in placements_of(path, workload) if workload.name in general else ():
            for pool in environment.placed(placement):
                if is_arm(environment, pool):
                    want, why = "a pool of x86 nodes", "CPFS has no client for ARM"
                    yield Fault(f"{field}.pools", pool.name, want, why)
                elif isinstance(pool, PoolSection) and pool.image_type is ImageType.CONTAINER_OS:
                    want, why = (
                        "a pool of another image than ContainerOS",
                        "CPFS cannot be mounted there",
                    )
                    yield Fault(f"{field}.pools", pool.name, want, why)


@check
def lingjun_file_systems_are_mounted_once(environment: Environment) -> Iterator[Fault]:
    """Of one file system, a pod mounts one volume: the second one fails."""
    cached = {f"models[{model.name}].volume" for model in environment.models if model.cache}
    first: dict[tuple[str, str], str] = {}
    for test in environment.load_tests:
        # It reads the model's own files beside its results.
        model = environment.model(test.model)
        if model and model.volume and (system := _file_system(environment, model.volume.store)):
            first[f"load_tests[{test.name}].name", system] = f"models[{model.name}].volume"
    for mount in mounts(environment):
        system = _file_system(environment, mount.volume.store)
        if system is None or mount.field in cached:
            continue
        if first.setdefault((mount.name_field, system), mount.field) != mount.field:
            want, why = "a store on another file system", "a pod cannot mount two volumes of one "
            yield Fault(f"{mount.field}.store", mount.volume.store, want, f"{why}CPFS for Lingjun")


@warning
def clusters_have_the_drivers_of_cpfs(environment: Environment) -> Iterator[str]:
    """ACK does not install them by itself."""
    if environment.existing:
        return
    stores = [store for store in environment.stores if store.cpfs]
    if stores and DAEMON not in environment.cluster.addon_names:
        names = ", ".join(f"stores[{store.name}]" for store in stores)
        lingjun = any(store.cpfs and store.cpfs.file_system_id for store in stores)
        beside = " and the components of bmcpfs-csi" if lingjun else ""
        yield (
            f"{names}: nodes mount CPFS by the add-on {DAEMON}{beside}: name them in "
            "cluster.addons, and have feature gate AlinasMountProxy=true in csi-plugin, or pods "
            "wait for their volume."
        )


def _is_general(environment: Environment, name: str) -> bool:
    store = environment.store(name)
    return store is not None and store.cpfs is not None and store.cpfs.file_system_id is None


def _file_system(environment: Environment, name: str) -> str | None:
    store = environment.store(name)
    cpfs: CpfsSection | None = store.cpfs if store else None
    return cpfs.file_system_id if cpfs else None


@check
def stores_are_known(environment: Environment) -> Iterator[Fault]:
    """A volume is a folder of a store."""
    stores = [store.name for store in environment.stores]
    for mount in mounts(environment):
        if environment.store(mount.volume.store) is None:
            why = "the files are mounted from it"
            yield from unknown_faults(f"{mount.field}.store", mount.volume.store, stores, why)


@check
def stores_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """On an existing cluster there is neither our VPC nor our RRSA roles."""
    for store in environment.stores if environment.existing else []:
        field = f"stores[{store.name}]"
        why = "profile existing creates nothing in a cloud"
        if store.creates_bucket:
            yield Fault(f"{field}.oss.create", True, "false, for a bucket that exists", why)
        if store.is_read_by_role:
            want = "the name of a Secret with an AccessKey, or the store a claim"
            reason = "only an ACK cluster has RRSA, by which a RAM role reads a bucket"
            yield Fault(f"{field}.oss.secret", MISSING, want, reason)
        if store.oss is not None and environment.region is None:
            yield Fault("region", MISSING, "given", f"{field}.oss is a bucket of that region")
        if store.creates_file_system:
            yield Fault(f"{field}.nas.server", MISSING, "given", why)


@check
def roles_read_buckets_where_they_can(environment: Environment) -> Iterator[Fault]:
    """A new cluster has RRSA, so that no AccessKey need lie in it."""
    for store in environment.stores if environment.creates_cluster else []:
        if store.oss is not None and store.oss.secret is not None:
            why = "the cluster has RRSA, by which a RAM role reads the bucket without an AccessKey"
            yield Fault(f"stores[{store.name}].oss.secret", store.oss.secret, "left out", why)


@check
def new_file_systems_have_a_network(environment: Environment) -> Iterator[Fault]:
    """A mount target stands in a vSwitch."""
    if environment.cluster.id is None or environment.network is not None:
        return
    for store in environment.stores:
        if store.creates_file_system:
            want = "given, or network with vpc_id and a zone"
            why = "the mount target of a new file system stands in a vSwitch"
            yield Fault(f"stores[{store.name}].nas.server", MISSING, want, why)


@check
def oss_endpoints_are_internal(environment: Environment) -> Iterator[Fault]:
    """The public endpoint is slower, and its traffic is billed."""
    if environment.region is None or environment.existing:
        return
    internal = oss_internal_endpoint(environment.region)
    for store in environment.stores:
        endpoint = store.oss.endpoint if store.oss else None
        if endpoint not in (None, internal) and not is_oss_accelerator(
            endpoint, environment.region
        ):
            why = "traffic over another endpoint leaves the VPC, is billed and slower"
            yield Fault(f"stores[{store.name}].oss.endpoint", endpoint, internal, why)


@check
def extreme_file_systems_are_mounted_below_share(environment: Environment) -> Iterator[Fault]:
    """Of a file system of Extreme NAS nothing else can be mounted."""
    for mount in mounts(environment):
        store = environment.store(mount.volume.store)
        server = (store.nas.server if store and store.nas else None) or ""
        path = f"{mount.volume.path.rstrip('/')}/"
        if server.endswith(EXTREME) and not path.startswith(SHARE):
            why = f"stores[{mount.volume.store}].nas.server is a file system of Extreme NAS, of "
            why += "which nothing else can be mounted"
            yield Fault(f"{mount.field}.path", mount.volume.path, f"{SHARE} or below it", why)


@check
def nas_zones_are_known(environment: Environment) -> Iterator[Fault]:
    """A mount target stands in a vSwitch of the network."""
    zone_ids = environment.network.zone_ids if environment.network else []
    for store in environment.stores:
        zone = store.nas.zone if store.nas else None
        if zone is not None and zone not in zone_ids:
            why = "the mount target stands in a vSwitch of the network"
            yield from unknown_faults(f"stores[{store.name}].nas.zone", zone, zone_ids, why)


@warning
def file_systems_answer_in_the_network(environment: Environment) -> Iterator[str]:
    """A mount target answers in its own VPC, and its name has the region of that."""
    makes_network = environment.network is not None and environment.network.vpc_id is None
    for store in environment.stores:
        section = store.nas or store.cpfs
        server, kind = section.server if section else None, "nas" if store.nas else "cpfs"
        if server is None or environment.existing:
            continue
        match = re.fullmatch(MOUNT_TARGET, server)
        if match and environment.region not in (None, match["region"]):
            yield (
                f"stores[{store.name}].{kind}.server is {server}, by its name in "
                f"{match['region']}, and region is {environment.region}: a mount target answers in "
                "its own VPC, and nodes elsewhere wait for their volume unless both VPCs are "
                "connected."
            )
        elif makes_network:
            yield (
                f"stores[{store.name}].{kind}.server is {server}, which exists, and the stack "
                "makes a VPC of its own: a mount target answers in its own VPC, and pods wait "
                "for their volume unless both VPCs are connected. network.vpc_id names the one "
                "that it is in."
            )


@check
def buckets_are_made_once(environment: Environment) -> Iterator[Fault]:
    """A name of a bucket is given once in all of OSS."""
    owners: dict[str, str] = {}
    for store in environment.stores:
        if store.oss is None or not store.creates_bucket:
            continue
        if (owner := owners.setdefault(store.oss.bucket, store.name)) != store.name:
            want = "another one, or one store for both: models take folders of it"
            why = f"stores[{owner}] makes the bucket"
            yield Fault(f"stores[{store.name}].oss.bucket", store.oss.bucket, want, why)


@warning
def machines_reach_the_stores(environment: Environment) -> Iterator[str]:
    """OSS' internal endpoint and NAS answer inside the VPC."""
    if environment.network is None or environment.network.dedicated_line:
        return
    for path, model in models(environment):
        if model.volume is None:
            continue
        edge = [p for p in environment.placed(model.reach) if isinstance(p, EdgePoolSection)]
        if edge:
            yield (
                f"{path}.volume is read over the VPC's own network, and network.dedicated_line is "
                f"false: machines of {', '.join(pool.name for pool in edge)} read it only over a "
                "leased line or a VPN."
            )


@warning
def nodes_of_others_reach_the_buckets(environment: Environment) -> Iterator[str]:
    """An existing cluster may be anywhere."""
    for store in environment.stores if environment.existing else []:
        if store.oss is not None and store.oss.endpoint is None:
            yield (
                f"stores[{store.name}].oss is read at the endpoint that answers inside the VPCs of "
                f"{environment.region} alone: for nodes elsewhere, set its endpoint, whose traffic "
                "is billed."
            )


@check
def kubernetes_is_new_enough(environment: Environment) -> Iterator[Fault]:
    """OSS volumes without an AccessKey have a floor."""
    if not environment.existing and any(store.oss for store in environment.stores):
        why = "OSS volumes without an AccessKey need it"
        yield from kubernetes_faults(environment, RRSA_OSS_KUBERNETES, why)
