"""Where the files behind a claim are: in a store of the stack, or in one that it only uses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ..model import Marker, Plan, Resource
from ..objects import Manifest, Objects, items, section
from .groups import Groups, by_name, sources_of, text_of
from .model import Element

FLUID: Final = "data.fluid.io"

_BUCKET: Final = "alicloud:oss/bucket:Bucket"
_FILE_SYSTEM: Final = "alicloud:nas/fileSystem:FileSystem"
_USED: Final = (
    ("bucket", "oss", "existing OSS bucket"),
    ("server", "nas", "existing NAS file system"),
)
"""Attributes of a volume, the scheme of what they name, and what that is."""


@dataclass(frozen=True)
class Files:
    """Files that a workload reads or writes."""

    store: str
    """Name of the store that they are in."""
    path: str = ""
    cache: str = ""
    """Name of the cache in between, empty without one."""
    urns: frozenset[str] = frozenset()
    """Resources that lead there."""


class Stores:
    """The stores of a plan, and those that it uses though they are not of it."""

    def __init__(self, plan: Plan, objects: Objects, groups: Groups) -> None:
        self._objects = objects
        self._groups = groups
        self._made = [
            *(groups.element(one, "OSS bucket", _bucket(one)) for one in plan.of(_BUCKET)),
            *(groups.element(one, "NAS file system", _disk(one)) for one in plan.of(_FILE_SYSTEM)),
        ]
        self._used: dict[str, Element] = {}

    @property
    def all(self) -> list[Element]:
        """Those of the plan, then those that were only asked for, each by name."""
        return [*by_name(self._made), *by_name(self._used.values())]

    def behind(self, namespace: str, claim: str) -> Iterator[Files]:
        """A claim is bound to a volume, or Fluid made it for the dataset of its name."""
        dataset = self._objects.get(FLUID, "Dataset", claim, namespace)
        if dataset is None:
            yield self._claimed(namespace, claim)
            return
        cache = self._groups.name(self._groups.owner(dataset))
        for files in self.mounted(dataset, namespace):
            yield replace(files, cache=cache)

    def mounted(self, dataset: Mapping[str, Any], namespace: str) -> Iterator[Files]:
        """What a dataset holds copies of."""
        for mount in items(section(dataset, "spec"), "mounts"):
            kind, _, rest = str(mount.get("mountPoint")).partition("://")
            root, _, folder = rest.partition("/")
            if kind != "pvc":
                yield Files(self._use(f"{kind}://{root}", "existing store"), f"/{folder}")
                continue
            files = self._claimed(namespace, root)
            yield replace(files, path=f"{files.path}/{folder}") if folder else files

    def _claimed(self, namespace: str, name: str) -> Files:
        claim = self._objects.get("", "PersistentVolumeClaim", name, namespace)
        volume = self._volume(claim) if claim is not None else None
        owners = [self._groups.owner(one) for one in (claim, volume) if one is not None]
        urns = frozenset[str]().union(*map(self._groups.members, owners))
        if volume is None:
            store = self._use(f"PVC {name}", "new volume" if claim else "existing claim")
            return Files(store, urns=urns)
        attributes = section(volume, "spec", "csi", "volumeAttributes")
        path = f"/{str(attributes.get('path', '')).strip('/')}"
        return Files(self._store(owners[-1], attributes), path, urns=urns)

    def _volume(self, claim: Manifest) -> Manifest | None:
        """The volume that a claim names; where its name is not known yet, it comes from it."""
        name = section(claim, "spec").get("volumeName")
        if not isinstance(name, Marker):
            return self._objects.get("", "PersistentVolume", name)
        sources = sources_of(self._groups.owner(claim))
        volumes = self._objects.of("", "PersistentVolume")
        return next((one for one in volumes if self._groups.owner(one).urn in sources), None)

    def _store(self, volume: Resource, attributes: Mapping[str, Any]) -> str:
        """Name of what a volume mounts: a bucket by its name, a server by what it comes from."""
        sources = sources_of(volume)
        for store in self._made:
            bucket = store.facts.get("bucket")
            if (bucket and bucket == attributes.get("bucket")) or store.urns & sources:
                return store.name
        for key, scheme, title in _USED:
            if key in attributes:
                return self._use(f"{scheme}://{attributes[key]}", title)
        return self._use(f"PV {volume.name}", "existing volume")

    def _use(self, name: str, title: str) -> str:
        self._used.setdefault(name, Element(name, title))
        return name


def files_text(files: Sequence[Files]) -> str:
    """Files in words, e.g. `models:/Qwen-7B-Chat-Int8`."""
    return ", ".join(f"{one.store}:{one.path}" if one.path else one.store for one in files)


def _bucket(one: Resource) -> Mapping[str, str]:
    bucket, redundancy = text_of(one.inputs, "bucket"), text_of(one.inputs, "redundancyType")
    return {"bucket": bucket, "redundancy": redundancy}


def _disk(one: Resource) -> Mapping[str, str]:
    return {"type": text_of(one.inputs, "storageType")}
