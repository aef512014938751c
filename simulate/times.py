"""How long things take: a node, an image, a model, an engine, an end. Each is a band.

What comes out of a size and a bandwidth is divided here; no sum of both is typed in. A row whose
`assumption` is set has no source that measured it, and says what it was taken from instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType
from typing import Final, Self

from components.catalog.instances import Instance
from components.catalog.vllm.table import Version
from components.cloud.model_file_system import StorageType
from components.cloud.model_store import FuseType
from components.cloud.node_pool import ImageType
from components.serving.vllm import LoadFormat

GB: Final = 10**9


@dataclass(frozen=True)
class Band:
    """What a value is at least, most likely and at most, and whence that is known."""

    low: float
    likely: float
    high: float
    source: str = ""
    """Who measured it, of what, and when."""
    assumption: bool = False
    """Whether some part of it was measured by nobody."""

    def __post_init__(self) -> None:
        """Refuses what is out of order."""
        if not 0 <= self.low <= self.likely <= self.high:
            raise ValueError(f"{self.low}, {self.likely}, {self.high} are no band")

    def at(self, place: float) -> float:
        """A value of the band: 0 is its low end, 0.5 the likely value, 1 its high end."""
        if place < 0.5:
            return self.low + (self.likely - self.low) * place * 2
        return self.likely + (self.high - self.likely) * (place * 2 - 1)

    def __add__(self, other: "Band") -> "Band":
        """One after the other."""
        ends = (self.low + other.low, self.likely + other.likely, self.high + other.high)
        return Band(*ends, *self._origin(other))

    def longest(self, other: "Band") -> "Band":
        """Both at the same time."""
        low, likely, high = map(max, self._ends, other._ends)
        return Band(low, likely, high, *self._origin(other))

    def at_most(self, most: float) -> Self:
        """The same, but no more than a value."""
        low, likely, high = (min(end, most) for end in self._ends)
        return replace(self, low=low, likely=likely, high=high)

    def times(self, factor: float) -> Self:
        """The same, times a number."""
        low, likely, high = (end * factor for end in self._ends)
        return replace(self, low=low, likely=likely, high=high)

    def seconds(self, size: float) -> Self:
        """How long a size takes at this rate: the lowest rate takes the longest."""
        high, likely, low = (size / end if end else inf for end in self._ends)
        return replace(self, low=low, likely=likely, high=high)

    @property
    def _ends(self) -> tuple[float, float, float]:
        return self.low, self.likely, self.high

    def _origin(self, other: "Band") -> tuple[str, bool]:
        sources = dict.fromkeys(source for source in (self.source, other.source) if source)
        return "; ".join(sources), self.assumption or other.assumption


NOTHING: Final = Band(0, 0, 0)
"""What takes no time."""

# Nodes. cloud-elastic-pilot (github.com/lanhung), 2026-07: 17 nodes of GOATScaler 0.6.2 on ACK
# 1.36, CPU nodes with Alibaba Cloud Linux 4, from Unschedulable to Ready 44 to 53 s, other series
# 69 to 94 s. ACK "auto-scaling-overview", 2025-08-28: 45 s with ContainerOS, 103 s with others, for
# 100 nodes at a time.
_NODE: Final = Band(44, 50, 103, "cloud-elastic-pilot, 2026-07; ACK auto-scaling-overview, 2025-08")
_CONTAINER_OS: Final = Band(35, 45, 53, "ACK auto-scaling-overview, 2025-08-28", assumption=True)
# The driver is installed while a GPU node joins; ACK says no duration. NVIDIA's DKMS takes about
# 100 s on Azure (AgentBaker pull 8661, 2026); 4 to 6 minutes a node in all with OpenShift (Red
# Hat, precompiled drivers). A node that has it was ready in 35 s (Karpenter, 2026-05).
_DRIVER: Final = Band(
    0, 120, 300, "AgentBaker pull 8661, 2026; Red Hat on precompiled drivers", assumption=True
)
# 21 of 21 pods on new nodes lost 15 to 20 s to the network plugin, which was not ready: the pilot.
_NETWORK_READY: Final = Band(0, 18, 20, "cloud-elastic-pilot, 2026-07")
NODE_REMOVED: Final = Band(648, 690, 732, "cloud-elastic-pilot, 2026-07: idle nodes of GOATScaler")
"""How long a node is idle until it is gone."""


def node_added(*, gpu: bool, image: ImageType = ImageType.ALIYUN_LINUX_3) -> Band:
    """From a pod that fits nowhere to one that can start on a new node of GOATScaler.

    Args:
        gpu: Whether ACK installs a driver on it.
        image: Its operating system.
    """
    node = _CONTAINER_OS if image is ImageType.CONTAINER_OS else _NODE
    return node + (_DRIVER if gpu else NOTHING) + _NETWORK_READY


# Images, compressed: vllm issues 7609 (0.5, 2024-08: 5 GB), 27154 (0.11, 2025-10: 12.6 GB); of
# releases between, the mean.
_IMAGES: Final[tuple[tuple[Version, float], ...]] = (
    ((0, 10, 0), 12.6e9),
    ((0, 6, 0), 8.8e9),
    ((0, 0, 0), 5e9),
)
# Pull and unpack of an image, in bytes a second: 112 MB/s on an 8-card node (note on 14.29 GB,
# 2026-08), 55 to 70 (AWS on SOCI, 2026-06), 26 to 42 for 1000 nodes at once (ACK Edge, 2025-07), 5
# from ACR Personal edition (the pilot). Likely: between, for one node and ACR Enterprise edition.
PULL: Final = Band(
    26e6, 80e6, 112e6, "ACK Edge, 2025-07; AWS on SOCI, 2026-06; 2026-08 note", assumption=True
)
"""Rate at which an image is pulled and unpacked, in bytes a second."""
# A container whose image is there: 1.8 s from the pod to its start (the pilot).
_CONTAINER: Final = Band(1, 1.8, 4, "cloud-elastic-pilot, 2026-07", assumption=True)


def image_bytes(release: Version | None) -> float:
    """Compressed size of vLLM's image; of a release that is not known, as of the newest."""
    if release is None:
        return _IMAGES[0][1]
    return next(size for since, size in _IMAGES if release >= since)


def image_pulled(size: float, *, cached: bool, network: float = inf) -> Band:
    """From a pod on its node to its container's start.

    Args:
        size: Compressed size of the image, in bytes.
        cached: Whether the node has the image.
        network: What the node's network carries, in bytes a second.
    """
    return _CONTAINER if cached else PULL.at_most(network).seconds(size) + _CONTAINER


@dataclass(frozen=True)
class WeightsSource:
    """Whence weights come to a node."""

    rate: Band
    """Bytes a second that one pod gets of it."""
    shared: float = inf
    """Bytes a second that all pods together get of it."""
    through_disk: bool = False
    """Whether they are written to disk first, and then read."""
    on_node: bool = False
    """Whether they do not come over the network."""


# ossfs 1.91: one thread reads 355 MB/s in sequence on a large instance (ACK, stress test of ossfs
# 2.0). Weights are not read so: a mount of S3 gives 0.14 to 0.19 GB/s for a 7B model's (SkyPilot,
# training_best_practices, 2025), OSS 0.08 (Fluid's article on Bloom-175B). ossfs 2: 3.0 GB/s for
# one thread; no page says what loading weights gives, so the lower end is that of ossfs, the likely
# value the geometric mean.
_OSSFS: Final = Band(
    0.08e9, 0.17e9, 0.355e9, "Fluid on Bloom-175B, 2023; SkyPilot on a mount of S3, 2025; ACK"
)
_OSSFS2: Final = Band(
    0.355e9, 1.03e9, 3.0e9, "ACK, stress test of ossfs 2.0, ecs.g7.32xlarge", assumption=True
)
_OSS_SHARED: Final = 10e9 / 8
"""Bytes a second of an account in a region: 10 Gbit/s at least in the mainland (OSS, 2024-04)."""
# NAS Performance starts at 600 MB/s (FC doc, 2025-06-12); Capacity at 150 (NAS docs). CPFS has 100
# or 200 MB/s for each TiB, 3.6 TiB at least.
_NAS: Final[Mapping[StorageType, Band]] = MappingProxyType(
    {
        StorageType.PERFORMANCE: Band(
            0.3e9, 0.6e9, 1.2e9, "FC docs, 2025-06-12: 600 MB/s to begin with", assumption=True
        ),
        StorageType.CAPACITY: Band(0.1e9, 0.15e9, 0.6e9, "NAS docs", assumption=True),
    }
)
CPFS: Final = WeightsSource(Band(0.36e9, 0.72e9, 3e9, "CPFS docs, 2024-04", assumption=True))
"""A file system of CPFS."""
CLAIM: Final = WeightsSource(Band(0.15e9, 0.6e9, 3e9, "a claim of any kind", assumption=True))
"""A claim that exists, of which nothing is known."""
# Hub: the download of Llama-3.1-8B, 16 GB, took 61 s (Tensorfuse, L40S, 2025).
HUB: Final = WeightsSource(
    Band(0.05e9, 0.26e9, 0.5e9, "Tensorfuse on Llama-3.1-8B, 2025", assumption=True),
    through_disk=True,
)
"""A hub on the internet."""
# JindoFS in memory, read by one pod over the network: bloom-560m (1.12 GB of weights) in 4.8 s,
# bloom-7b1 (14.14 GB) in 24.1 s, so 0.67 GB/s (kserve, docs/samples/fluid, 2023-04, m5.4xlarge).
# On the cache's own node: Llama-3.3-70B (141 GB) ready in 80 s, engine and all (NVIDIA Dynamo docs,
# "Model Caching with Fluid", 2025-10): 1.8 GB/s or more. A cache over several nodes, read from
# elsewhere, took 18 minutes there: 0.13 GB/s.
_CACHE: Final = Band(0.24e9, 0.67e9, 2e9, "kserve on Fluid, 2023-04")
_SCATTERED_CACHE: Final = Band(
    0.13e9, 0.67e9, 2e9, "kserve on Fluid, 2023-04; NVIDIA Dynamo docs, 2025-10"
)
_CACHE_ON_NODE: Final = Band(1.8e9, 2.5e9, 8e9, "NVIDIA Dynamo docs, 2025-10", assumption=True)
# From a node's memory to a card, safetensors of Qwen-7B (15.4 GB): 1.9 s with an EPYC 9354, 2.8 s
# with a Xeon 8568Y+, 8.7 s beside an A100 ("Breaking the Ice", arXiv 2606.07362, 2026).
_DESERIALISE: Final = Band(
    1.8e9, 2e9, 8.2e9, "Breaking the Ice, 2026: Qwen-7B from the page cache", assumption=True
)
_STREAM: Final = Band(1.2e9, 1.6e9, 3.1e9, "KAITO and Run:ai on the model streamer, 2025")
_STREAMED: Final = frozenset({LoadFormat.RUNAI_STREAMER, LoadFormat.RUNAI_STREAMER_SHARDED})
_DISK: Final = Band(0.12e9, 0.35e9, 0.75e9, "ECS docs: ESSD PL0, PL1 and PL2", assumption=True)
# Bandwidth of a node whose type is not in the catalogue, or of a machine of an IDC.
_UNKNOWN_NETWORK: Final = 10.0


def network_bytes(instance: Instance | None) -> float:
    """What a node's network carries, in bytes a second; 10 Gbit/s where that is not known."""
    gbits = instance.network_gbits if instance else None
    return (gbits or _UNKNOWN_NETWORK) * GB / 8


def bucket(fuse: FuseType) -> WeightsSource:
    """A bucket of OSS, as a client mounts it."""
    rate = _OSSFS2 if fuse is FuseType.OSSFS2 else _OSSFS
    return WeightsSource(rate, shared=_OSS_SHARED)


def file_system(storage: StorageType) -> WeightsSource:
    """A file system of NAS."""
    rate = _NAS[storage]
    return WeightsSource(rate, shared=rate.high)


def cached(workers: int, network: float, *, on_node: bool = False) -> WeightsSource:
    """A copy of the model in the memory of a cache's workers.

    Args:
        workers: Nodes that share the copy.
        network: What the network of each carries, in bytes a second.
        on_node: Whether the pod runs on a node that has all of it.
    """
    if on_node:
        return WeightsSource(_CACHE_ON_NODE, on_node=True)
    return WeightsSource(_CACHE if workers == 1 else _SCATTERED_CACHE, shared=workers * network)


def model_loaded(
    size: float,
    source: WeightsSource,
    network: float,
    *,
    readers: int = 1,
    load_format: LoadFormat | None = None,
) -> Band:
    """Until the weights are on the card: what they come through, and what is made of them.

    Args:
        size: Size of the weights that a pod reads, in bytes.
        source: Whence they come.
        network: What the network of the pod's node carries, in bytes a second.
        readers: Pods that load at the same time and share what is shared.
        load_format: How vLLM reads them.
    """
    most = source.shared / max(1, readers)
    rate = source.rate.at_most(most if source.on_node else min(most, network))
    made = (_STREAM if load_format in _STREAMED else _DESERIALISE).seconds(size)
    if source.through_disk:
        return rate.seconds(size) + _DISK.seconds(size).longest(made)
    return rate.seconds(size).longest(made)


# Engine, besides weights: by release (OPT-6.7B on an H100, "Breaking the Ice", arXiv 2606.07362,
# data of upb-cn/vllm-startup-profiler, 2026-02: 8.3 s for 0.4, 9.8 for 0.5, 34 and 34.8 for 0.8 and
# 0.9, 19.2 and 13.6 for 0.10 and 0.11), and the imports of Python before, 8 to 12 s there.
_STARTS: Final[tuple[tuple[Version, Band], ...]] = (
    ((0, 10, 0), Band(20, 23, 40, "Breaking the Ice, 2026: vLLM 0.10 and 0.11")),
    ((0, 8, 0), Band(30, 43, 60, "Breaking the Ice, 2026: vLLM 0.8 and 0.9")),
    ((0, 6, 0), Band(8, 20, 45, "between 0.5 and 0.8", assumption=True)),
    ((0, 0, 0), Band(5, 8, 10, "HydraServe, 2025: vLLM 0.4 on A10")),
)
# An empty compile cache: +22 s (ICE, L40S), +25 s (vllm pull 11005, H100), +67 s (pull 11078, L4),
# +75 s (Tensorfuse, L40S).
_COMPILE: Final = Band(15, 22, 75, "Breaking the Ice, 2026; vllm pulls 11005 and 11078; Tensorfuse")
_COMPILES_SINCE: Final[Version] = (0, 8, 0)
_OTHER_ENGINE: Final = Band(5, 20, 60, "a server that is not vLLM", assumption=True)


def engine_started(release: Version | None, *, compile_cache: bool, vllm: bool = True) -> Band:
    """From the container's start to its first answer, besides its weights.

    Args:
        release: Release of vLLM; None is taken for the newest.
        compile_cache: Whether compiled kernels are kept from an earlier start.
        vllm: Whether it is vLLM.
    """
    if not vllm:
        return _OTHER_ENGINE
    number = release or (99, 0, 0)
    start = next(band for since, band in _STARTS if number >= since)
    cold = number >= _COMPILES_SINCE and not compile_cache
    return start + (_COMPILE if cold else NOTHING)


def victim_ended(grace: float = 30.0) -> Band:
    """From a decision to take a pod's place to the place being free.

    Args:
        grace: The pod's `terminationGracePeriodSeconds`; Kubernetes' default is 30.
    """
    decision = Band(1, 1.5, 2, "kube-scheduler", assumption=True)
    source = "kubernetes.io, pod-priority-preemption, 2026"
    return decision + Band(0, grace, grace, source)
