"""The parts that an environment is made of: arguments of components, and what they belong to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.cloud import (
    AckClusterArgs,
    EdgePoolArgs,
    ExistingAckClusterArgs,
    ModelBucketArgs,
    ModelFileSystemArgs,
    ModelStoreArgs,
    NetworkArgs,
    NodePoolArgs,
)
from components.platform import (
    AlertsArgs,
    DashboardsArgs,
    ElasticQuotasArgs,
    FluidArgs,
    GpuMetricsArgs,
    PrioritiesArgs,
    TeamNamespaceArgs,
)
from components.serving import (
    LoadTestArgs,
    ModelArgs,
    ModelCacheArgs,
    ModelImportArgs,
    PlacementArgs,
    TrainingJobArgs,
)

from .platforms import Platform
from .runtimes import (
    CanaryPart,
    Runtime,
)
from .sections.environment import Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection
from .sections.training import TrainingSection


@dataclass(frozen=True)
class CloudParts:
    """The ACK cluster, created or there already, and the nodes that the stack creates."""

    network: NetworkArgs | None
    """None where the cluster is there, and gets no pools."""
    cluster: AckClusterArgs | ExistingAckClusterArgs
    pools: Mapping[str, NodePoolArgs]
    edge_pools: Mapping[str, EdgePoolArgs]


@dataclass(frozen=True)
class ClaimPart:
    """A claim on a folder of a store, made by the stack."""

    name: str
    """Name of its component: the model, or what of a job it keeps."""
    store: str
    """Name of the store."""
    args: ModelStoreArgs
    is_filled: bool = False
    """Whether the stack itself puts the files there."""


@dataclass(frozen=True)
class ImportPart:
    """What fills a folder before it is read."""

    name: str
    """Name of its component: what the folder's claim belongs to."""
    claims: Sequence[ClaimPart]
    """The writable claim; none where the store is itself a claim."""
    args: ModelImportArgs


@dataclass(frozen=True)
class ModelParts:
    """A model, from its claim to its service."""

    section: ModelSection
    runtime: Runtime[Any]
    claims: Sequence[ClaimPart]
    imports: Sequence[ImportPart]
    placements: Mapping[str, PlacementArgs]
    """Its order of pools, by the name of its component; one per role where a role has its own."""
    cache: ModelCacheArgs | None
    service: ModelArgs
    canary: CanaryPart | None
    """What shares its requests with another model."""
    route: Any
    """Its way behind the gateway; None where it is not there, or Knative makes it."""


@dataclass(frozen=True)
class TrainingParts:
    """A training job, with its checkpoint and the model that it starts from."""

    section: TrainingSection
    claims: Sequence[ClaimPart]
    imports: Sequence[ImportPart]
    placement: PlacementArgs
    job: TrainingJobArgs


@dataclass(frozen=True)
class LoadTestParts:
    """A load test, with the claim that keeps its reports."""

    section: LoadTestSection
    claims: Sequence[ClaimPart]
    job: LoadTestArgs


@dataclass(frozen=True)
class ResolvedEnvironment:
    """Everything that an environment is made of, with placeholders for what a cloud gives."""

    environment: Environment
    cloud: CloudParts | None
    """None where the cluster may be of any kind."""
    namespaces: Sequence[TeamNamespaceArgs]
    """Those that have rules, or are not the stack's own."""
    elastic_quota: ElasticQuotasArgs | None
    stores: Mapping[str, ModelBucketArgs | ModelFileSystemArgs]
    """Those that the stack creates."""
    priorities: PrioritiesArgs
    fluid: FluidArgs | None
    platforms: Mapping[Platform, Any]
    """Arguments of what runtimes need and the cluster lacks, in the order of installation."""
    awaited: Collection[Platform]
    """The platforms that models wait for."""
    metrics: GpuMetricsArgs | None
    dashboards: DashboardsArgs | None
    body_router: Any
    """What reads the names of models in requests for the gateway; None where nobody has to."""
    alerts: AlertsArgs | None
    models: Sequence[ModelParts]
    training: Sequence[TrainingParts]
    load_tests: Sequence[LoadTestParts]
