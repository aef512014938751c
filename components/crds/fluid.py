"""Dataset, JindoRuntime and DataLoad of Fluid: a cache in front of the model store.

Nothing of this is validated when it is created; a bad object is stored and its controller fails.
CRDs: https://github.com/fluid-cloudnative/fluid/tree/master/config/crd/bases
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pydantic import Field

from ..args import MISSING, Fault, Input, Words, one_of_faults
from ..quantity import binary, is_quantity, parse
from .affinity import NodeSelector, Scheduling, Toleration
from .core import ResourceRequirements
from .custom_resource import CustomResource
from .fluid_names import load_name_faults, name_faults
from .formats import PullPolicy, is_cron
from .model import CrdModel, plain_texts
from .volumes import (
    AccessMode,
    LocalObjectReference,
    Volume,
    VolumeMount,
    mount_faults,
    volume_faults,
)

API_VERSION: Final = "data.fluid.io/v1alpha1"

OSS_ENDPOINT: Final = "fs.oss.endpoint"
OSS_KEY_ID: Final = "fs.oss.accessKeyId"
OSS_KEY_SECRET: Final = "fs.oss.accessKeySecret"  # noqa: S105  the name of an option

_JINDO: Final = (
    "https://github.com/fluid-cloudnative/fluid/blob/master/pkg/ddc/jindocache/transform.go"
)
_CREDENTIALS: Final = (OSS_KEY_ID, OSS_KEY_SECRET)


class Placement(StrEnum):
    """Whether cache workers of several Datasets share a node."""

    EXCLUSIVE = "Exclusive"
    SHARED = "Shared"


class MediumType(StrEnum):
    """What a cache is kept on."""

    MEM = "MEM"
    SSD = "SSD"
    HDD = "HDD"


class VolumeType(StrEnum):
    """Where a cache directory comes from."""

    HOST_PATH = "hostPath"
    EMPTY_DIR = "emptyDir"


class NetworkMode(StrEnum):
    """Which network the cache pods use."""

    HOST_NETWORK = "HostNetwork"
    CONTAINER_NETWORK = "ContainerNetwork"


class CleanPolicy(StrEnum):
    """When fuse pods are removed from a node."""

    ON_DEMAND = "OnDemand"
    ON_RUNTIME_DELETED = "OnRuntimeDeleted"
    ON_FUSE_CHANGED = "OnFuseChanged"


class LoadPolicy(StrEnum):
    """When data is loaded."""

    ONCE = "Once"
    CRON = "Cron"
    ON_EVENT = "OnEvent"


class OperationKind(StrEnum):
    """A data operation of Fluid."""

    DATA_LOAD = "DataLoad"
    DATA_BACKUP = "DataBackup"
    DATA_MIGRATE = "DataMigrate"
    DATA_PROCESS = "DataProcess"


class AffinityPolicy(StrEnum):
    """How firmly an operation runs where the one before it ran."""

    REQUIRE = "Require"
    PREFER = "Prefer"


class SecretKeyRef(CrdModel):
    """A key of a Secret."""

    name: Input[str]
    """Name of the Secret, in the Dataset's namespace."""
    key: str = Field(min_length=1)
    """Key in the Secret."""


class EncryptOptionSource(CrdModel):
    """Where the value of a secret option comes from."""

    secret_key_ref: SecretKeyRef
    """A key of a Secret."""


class EncryptOption(CrdModel):
    """A mount option whose value is secret."""

    name: str = Field(min_length=1)
    """Name of the option, e.g. `fs.oss.accessKeyId`."""
    value_from: EncryptOptionSource
    """Where its value comes from."""


class Mount(CrdModel):
    """A store that is cached."""

    mount_point: Input[str]
    """Address of the store: `oss://bucket/path`, `pvc://claim/path`, `local:///path`."""
    name: str | None = Field(default=None, min_length=1)
    """Name of the mount, unique in the Dataset."""
    path: str | None = Field(default=None, pattern=r"^/")
    """Where it lies in the Dataset. Default `/` and the name."""
    options: dict[str, Input[str]] | None = None
    """Options of the store, e.g. `fs.oss.endpoint` and `metaPolicy`."""
    encrypt_options: list[EncryptOption] | None = None
    """Options of the store whose values are secret."""
    read_only: bool | None = None
    """Whether it cannot be written. Default false."""
    shared: bool | None = None
    """Whether it is shared. Default false."""

    def _faults(self) -> Iterator[Fault]:
        if isinstance(self.mount_point, str):
            yield from address_faults(self.mount_point)
        yield from option_faults("options", self.options)


def address_faults(address: str) -> Iterator[Fault]:
    """Refuses a mount point that names no store."""
    scheme, mark, rest = address.partition("://")
    if not scheme or not mark:
        want = "an address such as oss://bucket/path or pvc://claim"
        yield Fault("mount_point", address, want, "its scheme says what kind of store it is")
    elif not rest.partition("/")[0] and scheme != "local":
        want = f"{scheme}:// and a name"
        yield Fault("mount_point", address, want, "the store has to be named")


def option_faults(field: str, options: Mapping[str, object] | None) -> Iterator[Fault]:
    """Refuses options that Jindo cannot read, and credentials in plain text."""
    for name in _CREDENTIALS:
        if name in (options or {}):
            why = "it would lie in the cluster in plain text"
            yield Fault(f"{field}[{name}]", Words("given in plain"), "one of encrypt_options", why)
    plain = plain_texts(options)
    meta = plain.get("metaPolicy", "ONCE")
    if meta not in ("ONCE", "ALWAYS"):
        why = "it says how often metadata is read from the store"
        yield Fault(f"{field}[metaPolicy]", meta, "ONCE or ALWAYS", why, _JINDO)
    for name, value in (("cacheStrategy", "DHT"), ("writePolicy", "CACHE_ONLY")):
        if plain.get(name) == value and meta != "ONCE":
            why = f"Jindo takes it with metaPolicy ONCE only, not {meta}"
            yield Fault(f"{field}[{name}]", value, "left out", why, _JINDO)
    for name in ("readCacheReplica", "writeCacheReplica"):
        if not plain.get(name, "1").isdecimal():
            why = "it is how many workers keep a copy"
            yield Fault(f"{field}[{name}]", plain[name], "a whole number", why, _JINDO)


class CacheableNodeAffinity(CrdModel):
    """Nodes that may hold the cache."""

    required: NodeSelector
    """Conditions that they must meet."""


class User(CrdModel):
    """An owner of files, as numbers and names."""

    uid: int = Field(ge=0)
    """User ID."""
    gid: int = Field(ge=0)
    """Group ID."""
    user: str
    """Name of the user."""
    group: str
    """Name of the group."""


class DataRestoreLocation(CrdModel):
    """Where a backup of the Dataset lies."""

    path: str = Field(pattern=r"^(local|pvc)://")
    """`local://subpath` or `pvc://claim/subpath`."""
    node_name: str | None = None
    """Node of a local path."""


class DatasetSpec(CrdModel):
    """What is cached, and where. Once bound, there is a claim of the Dataset's name."""

    mounts: list[Mount] = Field(min_length=1)
    """Stores that are cached."""
    access_modes: list[AccessMode] | None = None
    """How the claim may be mounted. Default ReadOnlyMany."""
    node_affinity: CacheableNodeAffinity | None = None
    """Nodes that may hold the cache."""
    tolerations: list[Toleration] | None = None
    """Taints that the cache puts up with."""
    placement: Placement | None = None
    """Whether caches share a node. Default Exclusive."""
    shared_options: dict[str, Input[str]] | None = None
    """Options of all stores."""
    shared_encrypt_options: list[EncryptOption] | None = None
    """Options of all stores whose values are secret."""
    owner: User | None = None
    """Owner of the files."""
    data_restore_location: DataRestoreLocation | None = None
    """Where a backup lies that is restored."""

    def _faults(self) -> Iterator[Fault]:
        yield from option_faults("shared_options", self.shared_options)
        shared_secrets = {option.name for option in self.shared_encrypt_options or []}
        for index, mount in enumerate(self.mounts):
            options = {*(self.shared_options or {}), *(mount.options or {})}
            secrets = shared_secrets | {option.name for option in mount.encrypt_options or []}
            for fault in oss_faults(mount.mount_point, options, secrets):
                yield fault.under(f"mounts[{mount.name or index}]")
        yield from mount_place_faults(self.mounts)


def oss_faults(address: object, options: set[str], secrets: set[str]) -> Iterator[Fault]:
    """Refuses an OSS mount without endpoint, or with half a key pair.

    Args:
        address: Mount point; an Output passes unread.
        options: Names of its options, shared ones among them.
        secrets: Names of its secret options, shared ones among them.
    """
    if not isinstance(address, str) or not address.startswith("oss://"):
        return
    if OSS_ENDPOINT not in options:
        want = "given, e.g. oss-cn-beijing-internal.aliyuncs.com"
        why = "Jindo does not guess the region of a bucket"
        yield Fault(f"options[{OSS_ENDPOINT}]", MISSING, want, why, _JINDO)
    secret_names = [name for name in _CREDENTIALS if name in secrets]
    if len(secret_names) == 1:
        [absent] = set(_CREDENTIALS) - set(secret_names)
        want = f"given beside {secret_names[0]}, or both left out"
        why = "an AccessKey is a pair"
        yield Fault(f"encrypt_options[{absent}]", MISSING, want, why, _JINDO)


def mount_place_faults(mounts: list[Mount]) -> Iterator[Fault]:
    """Refuses mounts that hide one another."""
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        place = mount.path or f"/{mount.name or ''}"
        if place in places:
            why = "another mount of the Dataset lies there"
            yield Fault(f"mounts[{mount.name or index}].path", place, "unique", why)
        places.add(place)


class PodMetadata(CrdModel):
    """Labels and annotations of pods."""

    labels: dict[str, Input[str]] | None = None
    """Labels of the pods."""
    annotations: dict[str, Input[str]] | None = None
    """Annotations of the pods."""


class JindoVersion(CrdModel):
    """An image of Jindo."""

    image: Input[str] | None = None
    """Image without tag."""
    image_tag: str | None = None
    """Tag of the image."""
    image_pull_policy: PullPolicy | None = None
    """When the image is pulled."""


class JindoPods(CrdModel):
    """Pods of one kind."""

    properties: dict[str, str] | None = None
    """Jindo properties."""
    resources: ResourceRequirements | None = None
    """What a pod is given."""
    env: dict[str, Input[str]] | None = None
    """Environment variables."""
    node_selector: dict[str, Input[str]] | None = None
    """Labels that the node must have."""
    tolerations: list[Toleration] | None = None
    """Taints that the pods put up with."""
    pod_metadata: PodMetadata | None = None
    """Labels and annotations of the pods."""
    disabled: bool | None = None
    """Whether there are no such pods. Default false."""
    image_pull_secrets: list[LocalObjectReference] | None = None
    """Secrets for the image registry."""


class JindoComponent(JindoPods):
    """The master, or the workers."""

    replicas: int | None = Field(default=None, ge=1)
    """Number of masters, 1 or 3. Workers are counted by the runtime's `replicas`."""
    ports: dict[str, int] | None = None
    """Ports by name. Default chosen by Fluid."""
    volume_mounts: list[VolumeMount] | None = None
    """Volumes of the runtime that a pod sees."""


class ClientMetrics(CrdModel):
    """Metrics of fuse pods."""

    enabled: bool | None = None
    """Whether there are any. Default false."""
    scrape_target: str | None = None
    """Which pods are scraped: MountPod, Sidecar, All or None, by comma. Default None."""


class JindoFuse(JindoPods, JindoVersion):
    """The client on each node that mounts the Dataset."""

    args: list[str] | None = None
    """Arguments of the client, e.g. `-okernel_cache`."""
    clean_policy: CleanPolicy | None = None
    """When the pods are removed. Default OnRuntimeDeleted."""
    log_config: dict[str, str] | None = None
    """Log levels."""
    metrics: ClientMetrics | None = None
    """Metrics of the pods."""


class TieredStoreLevel(CrdModel):
    """What a worker keeps its part of the cache on."""

    mediumtype: MediumType
    """MEM, SSD or HDD."""
    path: str = Field(pattern=r"^/")
    """Directories, by comma, e.g. `/dev/shm`."""
    quota: str | None = None
    """Size of the one directory, as a quantity such as `20Gi`."""
    quota_list: str | None = None
    """Sizes of the directories, by comma."""
    high: str
    """Part of the quota at which data is evicted, e.g. `0.9`."""
    low: str
    """Part of the quota down to which data is evicted, e.g. `0.8`."""
    volume_type: VolumeType | None = None
    """Where the directories come from. Default hostPath."""

    @property
    def paths(self) -> list[str]:
        """The directories."""
        return self.path.split(",")

    @property
    def quotas(self) -> list[str]:
        """The sizes of the directories."""
        return (self.quota or self.quota_list or "").split(",")

    def _faults(self) -> Iterator[Fault]:
        names = ("quota", "quota_list")
        yield from one_of_faults(self, names, "Jindo needs the size of each directory")
        if self.quota is not None or self.quota_list is not None:
            yield from self._quota_faults()
        yield from watermark_faults(self.low, self.high)

    def _quota_faults(self) -> Iterator[Fault]:
        field = "quota" if self.quota is not None else "quota_list"
        units = ("Gi",) if self.mediumtype is MediumType.MEM else ("Gi", "Mi")
        for quota in self.quotas:
            yield from size_faults(field, quota, units)
        if len(self.quotas) != len(self.paths):
            want = f"{len(self.paths)} quantities, one for each of {self.path}"
            why = "each directory has its own size"
            yield Fault(field, ",".join(self.quotas), want, why, _JINDO)
        if self.mediumtype is MediumType.MEM and len(self.quotas) > 1:
            why = "Fluid adds the one memory quota to the worker's request"
            yield Fault(field, ",".join(self.quotas), "one quantity", why, _JINDO)


def size_faults(field: str, quota: str, units: tuple[str, ...]) -> Iterator[Fault]:
    """Refuses a size that Fluid does not hand on to Jindo as it stands.

    Args:
        field: Field that has the size.
        quota: The size, as a quantity.
        units: Units that are handed on.
    """
    is_whole = is_quantity(quota) and quota.endswith("i") and binary(parse(quota)).endswith(units)
    if not is_whole or parse(quota) <= 0:
        want = f"a whole number of {' or '.join(units)}, not of Ti"
        yield Fault(field, quota, want, "Jindo is handed the number in this unit", _JINDO)


def watermark_faults(low: str, high: str) -> Iterator[Fault]:
    """Refuses watermarks between which nothing can be evicted."""
    for field, mark in (("low", low), ("high", high)):
        if not is_quantity(mark) or not 0 < parse(mark) <= 1:
            yield Fault(field, mark, "a part of 1 such as 0.9", "it is a part of the quota")
            return
    if parse(low) >= parse(high):
        yield Fault("low", low, f"less than high ({high})", "data is evicted from high to low")


class TieredStore(CrdModel):
    """What workers keep the cache on."""

    levels: list[TieredStoreLevel]
    """The one level."""

    def _faults(self) -> Iterator[Fault]:
        if len(self.levels) != 1:
            got = [level.mediumtype.value for level in self.levels]
            yield Fault("levels", got, "one level", "Jindo uses the first and no other", _JINDO)


class CleanCachePolicy(CrdModel):
    """How the cache is cleaned when the runtime goes."""

    grace_period_seconds: int | None = Field(default=None, ge=0)
    """Time for it, in seconds. Default 60."""
    max_retry_attempts: int | None = Field(default=None, ge=0)
    """How often it is tried again. Default 3."""


class JindoRuntimeSpec(CrdModel):
    """The cache of a Dataset; it has the Dataset's name and namespace."""

    replicas: int = Field(ge=1)
    """Number of workers; each holds its quota."""
    tieredstore: TieredStore | None = None
    """What workers keep the cache on. Default 1Gi of memory each."""
    master: JindoComponent | None = None
    """Keeps the metadata."""
    worker: JindoComponent | None = None
    """Keep the data."""
    fuse: JindoFuse | None = None
    """The client on each node."""
    jindo_version: JindoVersion | None = None
    """Image of master and workers."""
    properties: dict[str, str] | None = None
    """Jindo properties of all parts."""
    networkmode: NetworkMode | None = None
    """Network of the pods. Default HostNetwork."""
    clean_cache_policy: CleanCachePolicy | None = None
    """How the cache is cleaned when the runtime goes."""
    pod_metadata: PodMetadata | None = None
    """Labels and annotations of all pods."""
    volumes: list[Volume] | None = None
    """Volumes that master and workers can mount."""
    image_pull_secrets: list[LocalObjectReference] | None = None
    """Secrets for the image registry."""
    hadoop_config: Input[str] | None = None
    """ConfigMap with Hadoop settings, for HDFS."""
    secret: Input[str] | None = None
    """Secret that the pods mount."""
    run_as: User | None = None
    """Who the client runs as."""
    user: str | None = None
    """Who accesses the store, for HDFS."""
    log_config: dict[str, str] | None = None
    """Log levels."""

    def _faults(self) -> Iterator[Fault]:
        yield from self._replica_faults()
        yield from self._volume_faults()
        if self.tieredstore is not None:
            limits = self.worker.resources.limits if self.worker and self.worker.resources else None
            yield from memory_faults(self.tieredstore.levels[0], (limits or {}).get("memory"))

    def _replica_faults(self) -> Iterator[Fault]:
        if self.worker is not None and self.worker.replicas is not None:
            want = "left out"
            why = "workers are counted by the runtime's replicas alone"
            yield Fault("worker.replicas", self.worker.replicas, want, why)
        if self.master is not None and self.master.replicas not in (None, 1, 3):
            why = "three masters elect a leader, any other number is taken for 1"
            yield Fault("master.replicas", self.master.replicas, "1 or 3", why, _JINDO)

    def _volume_faults(self) -> Iterator[Fault]:
        volumes = self.volumes or []
        yield from volume_faults(volumes)
        for volume in volumes:
            if volume.image is not None:
                field = f"volumes[{volume.name}].image"
                yield Fault(
                    field, Words("given"), "another source", "Fluid does not know image volumes"
                )
        names = [volume.name for volume in volumes]
        for part in ("master", "worker"):
            component: JindoComponent | None = getattr(self, part)
            mounts = component.volume_mounts if component else None
            yield from mount_faults(mounts or [], names, f"{part}.volume_mounts")


def memory_faults(level: TieredStoreLevel, limit: str | None) -> Iterator[Fault]:
    """Refuses a cache in memory that is larger than its worker.

    Args:
        level: What the worker keeps the cache on.
        limit: Memory limit of the worker, as a quantity.
    """
    if level.mediumtype is not MediumType.MEM or limit is None:
        return
    quota = sum((parse(quota) for quota in level.quotas), Decimal())
    if quota > parse(limit):
        why = f"the cache lies in the worker's memory, which is limited to {limit}"
        yield Fault("tieredstore.levels[0].quota", level.quotas[0], f"{limit} or less", why, _JINDO)


class TargetDataset(CrdModel):
    """The Dataset that is loaded."""

    name: Input[str]
    """Name of the Dataset."""
    namespace: Input[str]
    """Namespace of the Dataset, which is the DataLoad's own; nothing defaults it."""


class TargetPath(CrdModel):
    """A part of the Dataset that is loaded."""

    path: str = Field(pattern=r"^/")
    """Path in the Dataset."""
    replicas: int | None = Field(default=None, ge=1)
    """Copies in the cache. Default 1."""


class OperationRef(CrdModel):
    """A data operation."""

    kind: OperationKind
    """DataLoad, DataBackup, DataMigrate or DataProcess."""
    name: Input[str]
    """Name of the operation."""
    namespace: Input[str] | None = None
    """Namespace of the operation. Default the DataLoad's."""
    api_version: str | None = None
    """API version of the operation."""


class NodeLabel(CrdModel):
    """A node label of the operation before, which is required again."""

    name: str
    """Key of the label."""


class WeightedNodeLabel(NodeLabel):
    """A node label of the operation before, which is preferred again."""

    weight: int = Field(ge=1, le=100)
    """How much it counts, 1 to 100."""


class AffinityStrategy(CrdModel):
    """How firmly the load runs where the operation before it ran."""

    policy: AffinityPolicy
    """Require or Prefer."""
    depend_on: OperationRef | None = None
    """The operation. Default the one it runs after."""
    requires: list[NodeLabel] | None = None
    """Labels that must be equal. Default the node."""
    prefers: list[WeightedNodeLabel] | None = None
    """Labels that should be equal. Default the node."""


class RunAfter(OperationRef):
    """The operation that must end first."""

    affinity_strategy: AffinityStrategy | None = None
    """How firmly the load runs where that operation ran."""


class DataLoadSpec(Scheduling):
    """What is read into the cache before it is asked for."""

    dataset: TargetDataset
    """The Dataset that is loaded."""
    load_metadata: bool | None = None
    """Whether metadata is read from the store again first. Default false."""
    target: list[TargetPath] | None = None
    """What is loaded. Default all of it."""
    options: dict[str, str] | None = None
    """Options of the load."""
    policy: LoadPolicy | None = None
    """When it is loaded. Default Once."""
    schedule: str | None = None
    """When Cron loads, e.g. `0 3 * * *`."""
    run_after: RunAfter | None = None
    """The operation that must end first."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0)
    """When the DataLoad is deleted after its end, in seconds. Left out, never."""
    pod_metadata: PodMetadata | None = None
    """Labels and annotations of the pod."""
    resources: ResourceRequirements | None = None
    """What the pod is given."""

    def _faults(self) -> Iterator[Fault]:
        yield from schedule_faults(self.policy, self.schedule)
        if self.policy in (LoadPolicy.CRON, LoadPolicy.ON_EVENT):
            ttl = self.ttl_seconds_after_finished
            if ttl is not None:
                why = f"a load by {self.policy} never finishes"
                yield Fault("ttl_seconds_after_finished", ttl, "left out", why)


def schedule_faults(policy: LoadPolicy | None, schedule: str | None) -> Iterator[Fault]:
    """Refuses Cron without a schedule, and a schedule without Cron."""
    want = "a schedule such as '0 3 * * *' or '@daily'"
    if policy is LoadPolicy.CRON:
        if schedule is None:
            yield Fault("schedule", MISSING, want, "the policy is Cron")
        elif not is_cron(schedule):
            yield Fault("schedule", schedule, want, "it has five fields or a name")
    elif schedule is not None:
        why = f"the policy is {policy or LoadPolicy.ONCE}, and only Cron has a schedule"
        yield Fault("schedule", schedule, "left out", why)


def pair_faults(dataset: ObjectMetaArgs, runtime: ObjectMetaArgs) -> Iterator[Fault]:
    """Refuses a runtime whose Dataset is another one, as far as names are known."""
    for part in ("name", "namespace"):
        runtime_value, dataset_value = getattr(runtime, part), getattr(dataset, part)
        is_text = isinstance(runtime_value, str) and isinstance(dataset_value, str)
        if is_text and runtime_value != dataset_value:
            want = f"{dataset_value!r}, as of its Dataset"
            why = "a Dataset and its runtime find each other by name"
            yield Fault(f"metadata.{part}", runtime_value, want, why)


def namespace_faults(metadata: ObjectMetaArgs, target: object) -> Iterator[Fault]:
    """Refuses a load of a Dataset of another namespace, as far as it is known."""
    namespace = metadata.namespace
    if isinstance(namespace, str) and isinstance(target, str) and namespace != target:
        why = "a DataLoad loads a Dataset of its own namespace"
        yield Fault("dataset.namespace", target, repr(namespace), why)


class Dataset(CustomResource[DatasetSpec], api_version=API_VERSION):
    """A cached store; once bound, there is a claim of its name to mount."""

    def _faults(self, spec: DatasetSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        yield from name_faults(metadata)


class JindoRuntime(CustomResource[JindoRuntimeSpec], api_version=API_VERSION):
    """The cache of the Dataset of its name. Its workers take memory or disks of nodes."""

    def _faults(self, spec: JindoRuntimeSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        yield from name_faults(metadata)


class DataLoad(CustomResource[DataLoadSpec], api_version=API_VERSION):
    """Reads a Dataset into its cache."""

    def _faults(self, spec: DataLoadSpec, metadata: ObjectMetaArgs) -> Iterator[Fault]:
        yield from namespace_faults(metadata, spec.dataset.namespace)
        yield from load_name_faults(metadata)
