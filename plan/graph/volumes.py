"""Where the files behind a claim are: claim, dataset, volume, store."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import kinds
from ..model import Marker
from ..objects import Manifest, items, name_of, namespace_of, pairs, section
from ..pods import Pods
from .inventory import Inventory
from .model import Cache, Files, Missing, MountedClaim, Store
from .nodes import required_pools
from .scale import number

_SOURCES: Final = ("csi", "hostPath", "local", "nfs")
_CPFS: Final = "existing CPFS file system"
_CPFS_DRIVER: Final = "bmcpfsplugin.csi.alibabacloud.com"

Caches = Mapping[tuple[str, str], Cache]
"""By namespace and name of the dataset."""


def caches_of(inventory: Inventory) -> Caches:
    """Every dataset, with its runtime and its loads."""
    return {
        (namespace_of(dataset), name_of(dataset)): _cache(inventory, dataset)
        for dataset in inventory.objects.of(*kinds.DATASET)
    }


def volumes_of(inventory: Inventory, caches: Caches, pods: Pods) -> Iterator[MountedClaim]:
    """A claim is bound to a volume, or Fluid made it for the dataset of its name."""
    for volume in items(pods.spec, "volumes"):
        claim = section(volume, "persistentVolumeClaim").get("claimName")
        if claim is None:
            continue
        if cache := caches.get((pods.namespace, str(claim))):
            yield MountedClaim(str(claim), cache.files, cache)
        else:
            yield MountedClaim(str(claim), (_claimed(inventory, pods.namespace, str(claim)),))


def _cache(inventory: Inventory, dataset: Manifest) -> Cache:
    name, namespace = name_of(dataset), namespace_of(dataset)
    runtime = inventory.objects.get(*kinds.JINDO_RUNTIME, name, namespace)
    spec = section(runtime, "spec")
    loads = inventory.objects.by(dataset_of, *kinds.DATA_LOAD).get((namespace, name), ())
    required = section(dataset, "spec", "nodeAffinity", "required")
    pools = {pool.name: pool for pool in required_pools(inventory, dataset, required)}
    return Cache(
        *inventory.identity(dataset),
        title="Fluid cache",
        namespace=namespace,
        dataset=name,
        replicas=number(spec.get("replicas")),
        levels=tuple(
            (str(level.get("quota")), str(level.get("mediumtype")))
            for level in items(section(spec, "tieredstore"), "levels")
        ),
        loads=tuple(map(name_of, loads)),
        files=tuple(
            _mounted(inventory, namespace, str(mount.get("mountPoint")))
            for mount in items(section(dataset, "spec"), "mounts")
        ),
        pools=tuple(pools.values()),
        missing=None if runtime else Missing(kinds.JINDO_RUNTIME[1], name),
    )


def dataset_of(load: Manifest) -> tuple[str, str]:
    """Namespace and name of the Dataset that a DataLoad fills."""
    dataset = section(load, "spec", "dataset")
    return str(dataset.get("namespace", namespace_of(load))), str(dataset.get("name"))


def _mounted(inventory: Inventory, namespace: str, source: str) -> Files:
    scheme, _, rest = source.partition("://")
    root, _, folder = rest.partition("/")
    if scheme == "pvc":
        return _claimed(inventory, namespace, root, folder)
    return Files(Store(f"{scheme}://{root}", title="existing store"), f"/{folder}", address=source)


def _claimed(inventory: Inventory, namespace: str, name: str, folder: str = "") -> Files:
    claim = inventory.objects.get(*kinds.CLAIM, name, namespace)
    below = f"/{folder}" if folder else ""
    if claim is None:
        store = Store(f"PVC {name}", title="existing claim")
        return Files(store, below, name, missing=Missing(kinds.CLAIM[1], name))
    volume = _bound(inventory, claim)
    urns = inventory.identity(claim).urns
    if volume is None:
        spec = section(claim, "spec")
        bound_to = spec.get("volumeName") or pairs(section(spec, "selector", "matchLabels"))
        return Files(
            Store(f"PVC {name}", title="new volume"),
            below,
            name,
            volume=str(bound_to),
            storage_class="" if bound_to else spec.get("storageClassName") or "(the default)",
            urns=urns,
            missing=Missing(kinds.VOLUME[1], str(bound_to)) if bound_to else None,
        )
    attributes = section(volume, "spec", "csi", "volumeAttributes")
    return Files(
        _store(inventory, volume, attributes),
        f"/{str(attributes.get('path', '')).strip('/')}{below}",
        name,
        volume=name_of(volume),
        address=_address(volume, attributes),
        urns=urns | inventory.identity(volume).urns,
    )


def _bound(inventory: Inventory, claim: Manifest) -> Manifest | None:
    """The volume of a claim: by name, by labels, or by what a name that is not known comes from."""
    name = section(claim, "spec").get("volumeName")
    if name and not isinstance(name, Marker):
        return inventory.objects.get(*kinds.VOLUME, name)
    selector = section(claim, "spec", "selector", "matchLabels")
    sources = inventory.sources(claim, name) if name else frozenset[str]()
    for volume in inventory.objects.of(*kinds.VOLUME) if name or selector else ():
        labels = section(volume, "metadata", "labels")
        if inventory.identity(volume).urn in sources or (
            selector and selector.items() <= labels.items()
        ):
            return volume
    return None


def _store(inventory: Inventory, volume: Manifest, attributes: Mapping[str, Any]) -> Store:
    """What a volume mounts: a bucket by its name, a server by what it comes from."""
    sources = inventory.sources(volume)
    for store in inventory.stores:
        if (store.bucket and store.bucket == attributes.get("bucket")) or store.urns & sources:
            return store
    if used := _used(volume, attributes):
        return Store(used[0], title=used[1])
    return Store(f"PV {name_of(volume)}", title="existing volume")


def _used(volume: Manifest, attributes: Mapping[str, Any]) -> tuple[str, str] | None:
    """The address of what a volume mounts, and what that is; None where it says neither."""
    csi = section(volume, "spec", "csi")
    if csi.get("driver") == _CPFS_DRIVER:
        return f"cpfs://{csi.get('volumeHandle')}", _CPFS
    if "bucket" in attributes:
        return f"oss://{attributes['bucket']}", "existing OSS bucket"
    if "server" not in attributes:
        return None
    if str(attributes.get("mountProtocol", "")).startswith("cpfs"):
        return f"cpfs://{attributes['server']}", _CPFS
    return f"nas://{attributes['server']}", "existing NAS file system"


def _address(volume: Manifest, attributes: Mapping[str, Any]) -> str:
    path = str(attributes.get("path", "")).lstrip("/")
    if used := _used(volume, attributes):
        return f"{used[0]}/{path}"
    spec = section(volume, "spec")
    return next((source for source in _SOURCES if source in spec), "a store that is not known")
