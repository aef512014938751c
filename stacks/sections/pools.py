"""What pods run on: node pools, machines of an IDC, nodes of an existing cluster."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from components.args import MISSING, Args, Because, Fault, Words, one_of_faults
from components.catalog.gpus import GPUS, Gpu
from components.catalog.instances import Architecture, Instance, known_architecture
from components.catalog.labels import GPU_SCHEDULE, GPU_TAINT
from components.catalog.sharing import GpuSharing
from components.cloud.node_pool import (
    Autoscale,
    Containerd,
    ImageType,
    InstancePattern,
    NodeDisk,
    Spot,
    Taint,
)
from components.cloud.node_upgrade import (
    NodeUpgrade,
    RollingPolicy,
    VulnerabilityFix,
    management_faults,
)
from components.names import (
    INSTANCE_TYPE,
    DeploymentSetId,
    DriverVersion,
    KeyPairName,
    KmsKeyId,
    LabelKey,
    LabelValue,
    PartOfNames,
    RamRoleName,
    SecurityGroupId,
    ServiceName,
    TagKey,
    TagValue,
)
from components.serving.server import Resources

from .marks import IMMUTABLE

LINGJUN_DOCS: Final = (
    "https://www.alibabacloud.com/help/en/ack/ack-lingjun-managed-clusters/user-guide/"
    "overview-of-lingjun-node-pools"
)


class GpuSection(Args):
    """A GPU card that the catalogue does not know."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", examples=["H20-3e"])
    """What the stack file calls the card, e.g. H20-3e."""
    label: LabelValue | None = Field(default=None, min_length=1, examples=["NVIDIA-H20-3e"])
    """Value of the node label aliyun.accelerator/nvidia_name, e.g. NVIDIA-H20-3e: see `kubectl get
    nodes -L aliyun.accelerator/nvidia_name`. Left out, pods find the nodes by the pool's ID."""
    memory_gib: int = Field(ge=1)
    """Memory of one card that a program can use, in GiB, rounded down, as nvidia-smi shows it."""
    compute_capability: float = Field(ge=1, lt=100, examples=[9.0])
    """CUDA compute capability, e.g. 9.0: NVIDIA's table at developer.nvidia.com/cuda-gpus."""
    bandwidth_gbs: int | None = Field(default=None, ge=1, examples=[4800])
    """Bandwidth of its memory, in GB/s, of its data sheet: for a simulation alone. Left out, as of
    the most similar card."""
    tflops: float | None = Field(default=None, gt=0, examples=[148])
    """Dense matrix compute in FP16 or BF16, in TFLOPS: likewise."""
    driver: DriverVersion | None = Field(default=None, examples=["550.144.03"])
    """Lowest version of the NVIDIA driver that runs the card. Left out, it is not checked."""
    mig: dict[str, Annotated[int, Field(ge=1)]] = Field(default={}, examples=[{"1g.18gb": 7}])
    """Instances that one card holds of each MIG profile, e.g. 1g.18gb: 7."""

    def card(self) -> Gpu:
        """The row that the catalogue would have."""
        return Gpu(
            self.label,
            self.memory_gib,
            self.compute_capability,
            self.mig,
            driver=self.driver,
            bandwidth_gbs=self.bandwidth_gbs,
            tflops=self.tflops,
        )


class PoolType(StrEnum):
    """What the nodes of a pool are, as ACK calls it."""

    ECS = "ess"
    """ECS instances."""
    LINGJUN = "lingjun"
    """Bare metal of Lingjun, which no stack creates."""


def sharing_faults(
    sharing: GpuSharing, card: str | None, field: str, labels: Mapping[str, str]
) -> Iterator[Fault]:
    """Refuses a way to share cards that there are none for, or of which a label says another."""
    if sharing is GpuSharing.EXCLUSIVE:
        return
    if card is None:
        yield Fault("gpu_sharing", sharing, "left out, or gpu given", "there are no cards to share")
    label = labels.get(GPU_SCHEDULE, sharing.label)
    if label != sharing.label:
        why = f"gpu_sharing is {sharing.value}, of which that label is made"
        yield Fault(f"{field}[{GPU_SCHEDULE}]", label, f"{sharing.label!r}, or left out", why)


class InstanceTypeSection(Args):
    """An ECS instance type that the catalogue does not know."""

    name: str = Field(pattern=INSTANCE_TYPE.json_pattern, examples=["ecs.gn7i-c32g1.8xlarge"])
    """Name of the type, e.g. ecs.gn7i-c32g1.8xlarge."""
    vcpus: int = Field(ge=1)
    """vCPUs."""
    memory_gib: float = Field(gt=0)
    """Memory in GiB."""
    gpus: int = Field(default=0, ge=0)
    """GPU cards."""
    gpu: str | None = None
    """Card, a key of the catalogue's GPUs or the name of an entry of `gpus`."""
    enis: int | None = Field(default=None, ge=1)
    """Elastic network interfaces, which bound the pods under Terway."""
    ips_per_eni: int | None = Field(default=None, ge=1)
    """Private IPv4 addresses per interface."""
    network_gbits: float | None = Field(default=None, gt=0, examples=[16])
    """Base bandwidth of its network, in Gbit/s: for a simulation alone, which takes 10 where it is
    left out."""
    architecture: Architecture | None = None
    """Instruction set: amd64 or arm64. Default: arm64 for the ARM families g8y, c8y, r8y, g6r and
    c6r, else amd64."""

    def _faults(self) -> Iterator[Fault]:
        arm = known_architecture(self.name) is Architecture.ARM64
        if arm and self.architecture is Architecture.AMD64:
            why = "the family is one of ARM processors"
            yield Fault("architecture", self.architecture, "arm64, or left out", why)
        if self.gpus and self.gpu is None:
            yield Fault("gpu", MISSING, "given", f"gpus is {self.gpus}, and a card is of a kind")
        if self.gpu is not None and not self.gpus:
            want = "1 or more, or gpu left out"
            yield Fault("gpus", self.gpus, want, f"gpu is {self.gpu}, and of that there is one")

    def instance(self) -> Instance:
        """The row that the catalogue would have."""
        return Instance(
            self.vcpus,
            self.memory_gib,
            self.gpus,
            self.gpu,
            self.enis,
            self.ips_per_eni,
            self.network_gbits,
            self.architecture or known_architecture(self.name) or Architecture.AMD64,
        )


class PoolSection(Args):
    """A node pool of ACK."""

    name: PartOfNames
    """Name of the pool, unique in the environment."""
    instance_types: list[str] = Field(min_length=1, max_length=10)
    """ECS instance types, best first; the autoscaler takes what a zone has."""
    type: PoolType = PoolType.ECS
    """What its nodes are: ess, which are ECS instances."""
    gpu: str | None = Field(default=None, examples=[*GPUS])
    """Card of a GPU pool, e.g. A10: one of the catalogue, or the name of an entry of `gpus`. Left
    out for a pool without GPUs."""
    gpu_sharing: GpuSharing = GpuSharing.EXCLUSIVE
    """How its nodes hand out their cards: whole ones, or parts for `resources.gpu_memory` or
    `resources.mig`. Another way replaces no node: drain the pool first."""
    size: int | None = Field(default=None, ge=0, le=1000)
    """Number of nodes. Exactly one of this and `autoscale`."""
    autoscale: Autoscale | None = None
    """Bounds between which GOATScaler adds and removes nodes."""
    spot: Spot | None = None
    """Buys spot instances. Left out, nodes are pay-as-you-go."""
    zones: list[str] | None = Field(default=None, min_length=1)
    """Zones of the pool, a part of the network's. Default: all."""
    image_type: ImageType = ImageType.ALIYUN_LINUX_3
    """Operating system; for ARM types one for Arm64."""
    driver: DriverVersion | None = Field(default=None, examples=["550.144.03"])
    """NVIDIA driver, e.g. 550.144.03. Left out, ACK's default for the Kubernetes version."""
    system_disk_gib: int = Field(default=120, ge=40, le=2048)
    """Encrypted system disk in GiB; images are unpacked on it, unless there is a `data_disk`."""
    system_disk: NodeDisk | None = None
    """Kind and size of the encrypted system disk, in place of `system_disk_gib`."""
    data_disk: NodeDisk | None = None
    """Encrypted disk for images and volumes of pods. Left out, they live on the system disk."""
    kms_key_id: KmsKeyId | None = None
    """ID of the KMS key that encrypts the disks. Default: the service key of ECS."""
    key_name: KeyPairName | None = None
    """Name of the key pair for SSH. Left out, nobody can log in."""
    security_group_ids: list[SecurityGroupId] | None = Field(
        default=None, min_length=1, json_schema_extra=IMMUTABLE
    )
    """IDs of the security groups of the nodes. Default: the cluster's."""
    worker_role_name: RamRoleName | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """Name of the RAM role that nodes act as, trusted by ECS. Default: the one ACK makes."""
    deployment_set_id: DeploymentSetId | None = Field(default=None, json_schema_extra=IMMUTABLE)
    """ID of a deployment set, which spreads the nodes over physical machines."""
    auto_repair: bool = True
    """Whether ACK repairs broken nodes."""
    auto_repair_restart: bool | None = None
    """Whether ACK restarts a node to repair it. Left out, ACK decides."""
    auto_upgrade: bool = False
    """Whether ACK upgrades nodes in the maintenance window, and so drains them."""
    auto_upgrade_kubelet: bool | None = None
    """Whether the kubelet is upgraded with `auto_upgrade`. Left out, ACK decides."""
    auto_vul_fix: VulnerabilityFix | None = None
    """Has ACK patch vulnerabilities of the operating system by itself. Left out, it does not."""
    max_unavailable: int | None = Field(default=None, ge=1, le=1000)
    """Nodes that ACK may take out at once when it repairs, patches or upgrades by itself. Left
    out, 1."""
    rolling: RollingPolicy | None = None
    """How nodes are rolled by `upgrade`, and when `containerd` changes. Left out, as ACK has it."""
    upgrade: NodeUpgrade | None = None
    """Upgrades the nodes, by the next `pulumi up` and by every later change of the pool: take it
    out again once it is done. `ack-inference upgrade-plan` says what to write, and when."""
    cloud_monitor: bool = True
    """Whether nodes report to CloudMonitor."""
    containerd: Containerd | None = None
    """How nodes pull images: mirrors, and how many layers at a time."""
    pre_user_data: str | None = None
    """Script that a new node runs before it joins. No secrets: pods on the node can read it."""
    user_data: str | None = None
    """Script that a new node runs once it has joined. No secrets: pods on the node can read it."""
    instance_patterns: list[InstancePattern] = []
    """Further instance types of a pool without GPUs, by vCPUs and memory."""
    tags: dict[TagKey, TagValue] = {}
    """Tags of the nodes, beside those of the environment, and before them."""
    dedicated: bool | None = None
    """Taints the nodes for pods that need a GPU. Default: true for a GPU pool."""
    labels: dict[str, str] = {}
    """Further node labels."""
    taints: list[Taint] = []
    """Further node taints; models on the pool tolerate them."""

    def _faults(self) -> Iterator[Fault]:
        why = "a pool has a fixed size or is autoscaled"
        yield from one_of_faults(self, ("size", "autoscale"), why)
        if self.system_disk is not None and "system_disk_gib" in self.model_fields_set:
            why = "system_disk says how large it is"
            yield Fault("system_disk_gib", self.system_disk_gib, "left out", why)
        if self.driver is not None and self.gpu is None:
            yield Fault("driver", self.driver, "left out", "the pool has no gpu")
        if self.type is PoolType.LINGJUN:
            want = "left out, for ECS instances"
            why = "Lingjun nodes are bought and put into node groups in the console of Lingjun, "
            why += "and no stack creates them; once they are in a cluster, profile existing serves "
            why += "models on them, as nodes with the label alibabacloud.com/lingjun-worker"
            yield Fault("type", self.type, want, why, LINGJUN_DOCS)
        for taint in self.taints if self.is_dedicated else []:
            same = taint.key == GPU_TAINT["key"] and taint.effect == GPU_TAINT["effect"]
            if same and taint.value != GPU_TAINT["value"]:
                want = f"{GPU_TAINT['value']}, or the taint left out, or dedicated false"
                why = "the nodes have it by themselves, for pods that need a GPU, and Kubernetes "
                why += "takes one taint per key and effect"
                yield Fault(f"taints[{taint.key}].value", taint.value or MISSING, want, why)
        yield from sharing_faults(self.gpu_sharing, self.gpu, "labels", self.labels)
        yield from management_faults(
            self.auto_repair, self.auto_upgrade, self.auto_repair_restart, self.auto_upgrade_kubelet
        )

    @property
    def root_disk(self) -> NodeDisk:
        """The system disk of its nodes, however it is said."""
        return self.system_disk or NodeDisk(size_gib=self.system_disk_gib)

    @property
    def has_gpus(self) -> bool:
        """Whether there are cards."""
        return self.gpu is not None

    @property
    def is_dedicated(self) -> bool:
        """Whether only pods that ask for a GPU run there."""
        return self.gpu is not None if self.dedicated is None else self.dedicated

    @property
    def all_taints(self) -> list[Taint]:
        """Taints of the nodes, the one that dedicates them to GPU pods among them."""
        own = [Taint.model_validate(GPU_TAINT)] if self.is_dedicated else []
        return [*own, *(taint for taint in self.taints if taint not in own)]


class MachinesSection(Args):
    """Machines that this stack does not buy: what it has to be told about them."""

    gpu: str | None = Field(default=None, examples=[*GPUS])
    """Card of the machines, e.g. V100: of the catalogue, or the name of an entry of `gpus`. Left
    out for machines without GPUs, or with `allocatable.gpus` for cards that are not checked."""
    gpu_sharing: GpuSharing = GpuSharing.EXCLUSIVE
    """How the machines hand out their cards, as whoever runs the cluster has set it up."""
    driver: DriverVersion | None = Field(default=None, examples=["550.144.03"])
    """NVIDIA driver of the machines. Left out, it is not checked."""
    allocatable: Resources | None = None
    """What the smallest of the machines offers to pods. Left out, fit is not checked."""
    taints: list[Taint] = []
    """Taints of the machines; models on them tolerate these."""

    def _faults(self) -> Iterator[Fault]:
        for field in ("gpu_memory", "gpu_cores", "mig"):
            part = getattr(self.allocatable, field, None)
            if part is not None:
                why = "gpus says how many cards there are, gpu what each has, and gpu_sharing the "
                why += "parts"
                yield Fault(f"allocatable.{field}", part, "left out", why)

    @property
    def has_gpus(self) -> bool:
        """Whether there are cards, of a known kind or not."""
        offer = self.allocatable
        unknown = offer is not None and "gpus" in offer.model_fields_set and offer.gpus > 0
        return self.gpu is not None or unknown

    @property
    def all_taints(self) -> list[Taint]:
        """Taints of the machines."""
        return self.taints


class EdgePoolSection(MachinesSection):
    """Machines of an IDC, in a pool that they join by script."""

    name: PartOfNames
    """Name of the pool, unique in the environment."""
    node_pool_id: str | None = Field(default=None, pattern=r"^np[0-9a-z]+$", examples=["np1a2b3c"])
    """ID of an edge pool that exists. Left out, the stack creates the pool."""
    labels: dict[LabelKey, LabelValue] = {}
    """Labels of each node of a pool that is created."""
    join_hours: int = Field(default=1, ge=1, le=168)
    """Life of the script that the join command fetches, in hours."""
    interconnected: bool = False
    """Whether pods of all machines reach each other and those in the cloud."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        if self.gpu_sharing is not GpuSharing.EXCLUSIVE:
            why = "ACK shares cards on managed Pro clusters, and isolates their memory on ECS alone"
            yield Fault("gpu_sharing", self.gpu_sharing, "'exclusive', or left out", why)
        if self.labels and self.node_pool_id is not None:
            why = "an adopted pool is left as it is"
            yield Fault("labels", Words("given"), "left out, or node_pool_id left out", why)


class NodesSection(MachinesSection):
    """Nodes of an existing cluster, known by their labels: takes the place of a pool."""

    name: Annotated[ServiceName, Because("pools and models refer to it")]
    """Name of the group, used by `placement.pools` and `cache.pool`."""
    node_selector: dict[LabelKey, LabelValue] = Field(min_length=1)
    """Labels that these nodes, and no others, carry."""

    def _faults(self) -> Iterator[Fault]:
        yield from super()._faults()
        card = self.gpu if self.gpu is not None or not self.has_gpus else "unknown"
        yield from sharing_faults(self.gpu_sharing, card, "node_selector", self.node_selector)


AnyPoolSection = PoolSection | EdgePoolSection | NodesSection
