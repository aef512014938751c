"""What mounts file systems of CPFS.

ACK, "CPFS General-purpose volumes" and "CPFS for Lingjun volumes", read 2026-11.
"""

from collections.abc import Iterator
from typing import Final

from components.args import MISSING, Fault
from components.cloud.node_pool import ImageType

from ..arguments import mounts
from ..sections.environment import Environment
from ..sections.pools import PoolSection
from ..sections.stores import CpfsSection
from .architecture import is_arm
from .rules import check, warning
from .views import placements_of, workloads

DAEMON: Final = "cnfs-nas-daemon"
"""Add-on whose processes mount either edition, from csi-plugin 1.33 on."""


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
