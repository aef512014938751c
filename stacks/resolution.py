"""Works out every part of an environment once: what is accepted here is what composition declares.

A part holds the arguments of a component, and with them what they render to. What the component
would refuse is a fault in the section of the stack file that the part is made of.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, ParamSpec, TypeVar, cast

from pydantic import ValidationError

from components.args import Fault, Refusal, faults_of
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
from components.crds.role_based_group_labels import ROLE_NAME
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
    PlacementPool,
    TrainingJobArgs,
    model_cache,
    placement,
)
from components.serving.training_job import name_faults

from . import arguments
from .arguments import required
from .checks.rules import overlaps
from .needs import Needs
from .platforms import PLATFORMS, Platform, gateway
from .runtimes import (
    RUNTIMES,
    CanaryPart,
    Runtime,
    awaited_platforms,
    load_test_args,
    needs_of,
    selected_labels,
)
from .sections.environment import Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection
from .sections.stores import VolumeSection
from .sections.training import TrainingSection

Fields = Mapping[str, str]
"""Fields of a component's arguments, and what the stack file calls them."""

CLUSTER: Final = {
    "version": "cluster.version",
    "pod_cidr": "network.pod_cidr",
    "service_cidr": "network.service_cidr",
    "vswitch_ids": "network.zones",
    "log_project_name": "cluster.log_project",
    "vpc_cidr": "network.cidr",
    "node_cidr_mask": "network.node_cidr_mask",
    **{
        field: f"cluster.{field}"
        for field in (
            *("addons", "autoscaling", "encryption_key_id", "kubeconfig_minutes"),
            *("log_retention_days", "maintenance_window", "public_endpoint", "security_group_id"),
        )
    },
}
NETWORK: Final = {
    field: f"network.{field}" for field in ("cidr", "vpc_id", "zones", "nat", "egress_mbps")
}
ELASTIC: Final = {"groups": "elastic_quota.groups"}
PRIORITIES: Final = {"classes": "priorities"}
POOL: Final = {
    "node_pool_name": "name",
    "nvidia_driver_version": "driver",
}
STORE: Final = {"bucket": "oss.bucket", "access_group_name": "name"}


def _claim_on(folder: str) -> Fields:
    """Fields of the claim on a folder whose path has that name."""
    return {"claim_name": "name"} | dict.fromkeys(("oss.path", "nas.path", "cpfs.path"), folder)


CLAIM: Final = _claim_on("volume.path")
CHECKPOINT: Final = _claim_on("checkpoint.path")
RESULTS: Final = _claim_on("results.path")
FOLDER: Final = _claim_on("path")
IMPORT_CLAIM: Final = {**FOLDER, "oss.written_path": "path"}
IMPORT: Final = {"image": "source.image", "folder": "path"}
TRAINING: Final = {
    "checkpoint_path": "checkpoint.mount_path",
    "checkpoint_folder": "checkpoint.path",
    "model_path": "volume.mount_path",
    "model_folder": "volume.path",
}
METRICS: Final = {
    "url": "gpu_metrics.url",
    "namespaces[0]": "namespace",
    "labels": "gpu_metrics.labels",
    "honor_labels": "gpu_metrics.honor_labels",
    "gpu_node_label": "gpu_metrics.gpu_node_label",
}
CACHE: Final = {
    "tieredstore.levels[0]": "cache",
    "worker.resources": "cache.quota",
    "replicas": "cache.workers",
}

P = ParamSpec("P")
Part = TypeVar("Part")


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


@dataclass(frozen=True)
class Resolution:
    """What an environment came to."""

    resolved: ResolvedEnvironment | None
    """None where a part is missing: it is refused, or refers to something that is not there."""
    faults: Sequence[Fault]
    """What components refuse, each under its section."""
    missed: Sequence[Exception]
    """Why further parts are missing: what they ask for is not there. Where nobody refuses that, it
    is a defect of ours."""


def resolve(environment: Environment, prefix: str, refused: Collection[str] = ()) -> Resolution:
    """Works out all parts.

    Args:
        environment: What the stack file says, as far as it could be read.
        prefix: What begins the names of what an account knows, see `arguments.name_prefix`.
        refused: Fields that are refused already; what is rendered of them would be refused again.
    """
    return _Resolver(environment, prefix, refused).resolution()


class _Resolver:
    """Builds one part after another, and keeps what is wrong with each."""

    def __init__(self, environment: Environment, prefix: str, refused: Collection[str]) -> None:
        self.environment = environment
        self.prefix = prefix
        self.refused = refused
        self.faults: list[Fault] = []
        self.missed: list[Exception] = []
        self.complete = True

    def resolution(self) -> Resolution:
        """All parts, where none is missing."""
        resolved = self.part("", {}, self.everything)
        return Resolution(resolved if self.complete else None, self.faults, self.missed)

    def part(
        self, section: str, fields: Fields, build: Callable[P, Part], *args: P.args, **kw: P.kwargs
    ) -> Part:
        """A part of a section; None stands for one that is missing, and is never handed out."""
        try:
            return build(*args, **kw)
        except (ValidationError, Refusal) as error:
            self.faults += [_called(fault, fields).under(section) for fault in faults_of(error)]
        except (LookupError, AttributeError) as error:
            self.missed.append(error)  # What is not there, or could not be read, others refuse.
        self.complete = False
        return cast(Part, None)

    def rendered(
        self, section: str, fields: Fields, build: Callable[P, Part], *args: P.args, **kw: P.kwargs
    ) -> Part:
        """A part that would be refused again where its section is."""
        if section and any(overlaps(section, field) for field in self.refused):
            self.complete = False
            return cast(Part, None)
        return self.part(section, fields, build, *args, **kw)

    def everything(self) -> ResolvedEnvironment:
        """The parts, in the order in which they come to exist."""
        environment = self.environment
        cloud = None if environment.existing else self.cloud()
        needs = Needs(needs_of(environment))
        stores = self.stores()
        models = [self.model(model) for model in environment.models]
        return ResolvedEnvironment(
            environment=environment,
            cloud=cloud,
            namespaces=self.part("", {}, arguments.namespace_args, environment, needs),
            elastic_quota=self.part("", ELASTIC, arguments.elastic_quota_args, environment),
            stores=stores,
            priorities=self.part("", PRIORITIES, PrioritiesArgs, classes=environment.priorities),
            fluid=self.part("", {}, arguments.fluid_args, environment),
            platforms=self.platforms(models, needs),
            awaited=awaited_platforms(environment),
            metrics=self.part("", METRICS, arguments.gpu_metrics_args, environment),
            dashboards=self.dashboards(),
            body_router=self.part("gateway", {}, gateway.body_router_args, environment),
            alerts=self.part("", self.alert_fields(), arguments.alerts_args, environment),
            models=models,
            training=[self.training(job) for job in environment.training],
            load_tests=[self.load_test(test) for test in environment.load_tests],
        )

    def cloud(self) -> CloudParts:
        """Network, cluster and pools."""
        environment = self.environment
        return CloudParts(
            network=None
            if environment.network is None and not environment.creates_cluster
            else self.part("", NETWORK, arguments.network_args, environment),
            cluster=self.part("", CLUSTER, arguments.cluster_args, environment, self.prefix)
            if environment.creates_cluster
            else self.part("", CLUSTER, arguments.existing_ack_cluster_args, environment),
            edge_pools={
                pool.name: self.part(
                    f"edge_pools[{pool.name}]", POOL, arguments.edge_pool_args, environment, pool
                )
                for pool in environment.edge_pools
            },
            pools={
                pool.name: self.part(
                    f"pools[{pool.name}]", POOL, arguments.pool_args, environment, pool
                )
                for pool in environment.pools
            },
        )

    def stores(self) -> dict[str, ModelBucketArgs | ModelFileSystemArgs]:
        """What the stack creates to keep files in."""
        environment = self.environment
        parts: dict[str, ModelBucketArgs | ModelFileSystemArgs] = {}
        for store in environment.stores:
            section = f"stores[{store.name}]"
            if store.oss is not None:
                bucket = self.part(section, STORE, arguments.bucket_args, environment, store)
                if store.creates_bucket:
                    parts[store.name] = bucket
            if store.creates_file_system:
                parts[store.name] = self.part(
                    section, STORE, arguments.file_system_args, environment, store, self.prefix
                )
        return parts

    def platforms(self, models: Sequence[ModelParts], needs: Needs) -> dict[Platform, Any]:
        """What runtimes need, unless the cluster has it."""
        services = {model.section.name: model.service for model in models}
        parts: dict[Platform, Any] = {}
        for platform in PLATFORMS:
            served = [services[section.name] for section in needs.sections(platform.name)]
            if served and all(served):
                args = self.rendered(
                    platform.section, {}, platform.args, self.environment, needs, served
                )
                parts |= {} if args is None else {platform: args}
        return parts

    def dashboards(self) -> DashboardsArgs | None:
        """Grafana's dashboards."""
        section = self.environment.gpu_metrics
        has_namespace = section is not None and section.dashboards_namespace is not None
        namespace = "gpu_metrics.dashboards_namespace" if has_namespace else "namespace"
        fields = {**METRICS, "namespace": namespace}
        return self.part("", fields, arguments.dashboards_args, self.environment)

    def alert_fields(self) -> Fields:
        """Where the stack file says what rules are made of."""
        models = enumerate(self.environment.models)
        objectives = {f"models[{n}].objective": f"models[{each.name}].slo" for n, each in models}
        return {
            **objectives,
            "namespace": "alerts.namespace",
            "labels": "gpu_metrics.labels",
            "honor_labels": "gpu_metrics.honor_labels",
        }

    def model(self, model: ModelSection) -> ModelParts:
        """A model, whoever serves it."""
        environment, section = self.environment, f"models[{model.name}]"
        space = arguments.namespace_of(environment, model)
        claims = self.claim(section, CLAIM, model.name, model.volume and model.volume.read, space)
        for volume in model.volumes:
            owner, field = (
                arguments.volume_owner(model, volume),
                f"{section}.volumes[{volume.name}]",
            )
            files = volume.files and volume.files.read
            claims += self.claim(field, FOLDER, owner, files, space, writable=volume.writable)
        pools = self.rendered(section, {}, arguments.placement_pools, environment, model)
        runtime = self.part(section, {}, lambda: RUNTIMES[model.serve.kind])

        def service() -> ModelArgs:
            shared = arguments.model_args(environment, model, required(pools))
            args: ModelArgs = runtime.args(environment, model, shared)
            runtime.render(model.name, args)
            return args

        def cache() -> ModelCacheArgs | None:
            if model.cache is None:
                return None
            args = arguments.cache_args(environment, model, required(pools))
            model_cache.render(model.name, args)
            return args

        args = self.rendered(section, runtime.fields if runtime else {}, service)

        def canary() -> CanaryPart | None:
            return runtime.canary(environment, model, args) if args else None

        def route() -> Any:
            if model.route is None or not args or environment.is_routed_by_knative(model):
                return None
            endpoints = runtime.endpoints(model)
            built = gateway.route_args(environment, model, endpoints)
            built.objects(model.name)
            return built

        return ModelParts(
            section=model,
            runtime=runtime,
            claims=claims,
            imports=[*map(self.imported, arguments.imports_of(environment, model))],
            placements=self.placements(section, model, pools),
            service=args,
            canary=self.rendered(section, {}, canary),
            route=self.rendered(section, {}, route),
            cache=self.rendered(section, CACHE, cache),
        )

    def placements(
        self, section: str, model: ModelSection, pools: list[PlacementPool]
    ) -> dict[str, PlacementArgs]:
        """The order of pools of a model, or of each of its roles."""
        roles = model.serve.roles
        if roles is None or all(role.placement is None for role in roles.engines.values()):
            return {model.name: self.placement(section, model, pools)}
        parts = {}
        for name, role in roles.engines.items():
            field = f"{section}.serve.roles.{name}"
            own = model.model_copy(update={"placement": model.placement_of(role)})
            placed = self.rendered(field, {}, arguments.placement_pools, self.environment, own)
            labels = {**selected_labels(model), ROLE_NAME: name}
            parts[f"{model.name}-{name}"] = self.placement(field, own, placed, labels)
        return parts

    def training(self, job: TrainingSection) -> TrainingParts:
        """A training job."""
        environment, section = self.environment, f"training[{job.name}]"
        space = arguments.namespace_of(environment, job)
        claims = self.claim(
            section, CHECKPOINT, arguments.checkpoint(job), job.checkpoint, space, writable=True
        )
        volume = job.volume and job.volume.read
        claims += self.claim(section, CLAIM, arguments.base_model(job), volume, space)
        pools = self.rendered(section, {}, arguments.placement_pools, environment, job)

        def args() -> TrainingJobArgs:
            built = arguments.training_args(environment, job, required(pools))
            if faults := list(name_faults(job.name)):
                raise Refusal(*faults)
            return built

        return TrainingParts(
            section=job,
            claims=claims,
            imports=[*map(self.imported, arguments.imports_of(environment, job))],
            placement=self.placement(section, job, pools),
            job=self.rendered(section, TRAINING, args),
        )

    def imported(self, folder: arguments.ImportedFolder) -> ImportPart:
        """What fills a folder, by a claim on its whole store: what is not there is not mounted."""
        # Whoever makes a folder makes those above it.
        written = "/" + folder.files.folder.strip("/").partition("/")[0]
        claims = self.claim(
            folder.field,
            IMPORT_CLAIM,
            folder.import_owner,
            folder.volume,
            folder.namespace,
            writable=True,
            written=written,
        )
        args = self.rendered(folder.field, IMPORT, arguments.import_args, self.environment, folder)
        return ImportPart(folder.owner, claims, args)

    def load_test(self, test: LoadTestSection) -> LoadTestParts:
        """A load test."""
        section = f"load_tests[{test.name}]"
        owner = arguments.results(test)
        space = arguments.namespace_of_test(self.environment, test)
        claims = self.claim(section, RESULTS, owner, test.results, space, writable=True)
        job = self.rendered(section, {}, load_test_args, self.environment, test)
        return LoadTestParts(section=test, claims=claims, job=job)

    def placement(
        self,
        section: str,
        workload: ModelSection | TrainingSection,
        pools: list[PlacementPool],
        selected: Mapping[str, str] | None = None,
    ) -> PlacementArgs:
        """The order of pools of a workload, or of the pods with some labels."""

        def build() -> PlacementArgs:
            labels = dict(selected or selected_labels(workload))
            args = arguments.placement_args(self.environment, workload, required(pools), labels)
            placement.render(workload.name, args)
            return args

        return self.rendered(section, {}, build)

    def claim(
        self,
        section: str,
        fields: Fields,
        owner: str,
        volume: VolumeSection | None,
        namespace: str,
        *,
        writable: bool = False,
        written: str | None = None,
    ) -> list[ClaimPart]:
        """The claim on a folder; none where there is no volume, or the store is itself a claim."""
        environment = self.environment

        def build() -> list[ClaimPart]:
            if volume is None or required(environment.store(volume.store)).claim:
                return []
            args = arguments.claim_args(
                environment,
                owner,
                volume,
                self.prefix,
                namespace,
                writable=writable,
                written=written,
            )
            filled = any(folder.owner == owner for folder in arguments.imports(environment))
            return [ClaimPart(owner, volume.store, args, filled)]

        return self.part(section, fields, build) or []


def _renamed(text: str, fields: Fields) -> str:
    """A clause with the stack file's names for fields; one that is a plain word is left alone."""
    for field, name in fields.items():
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", field):
            text = re.sub(rf"(?<![\w.]){field}(?!\w)", name, text)
    return text


def _called(fault: Fault, fields: Fields) -> Fault:
    """The same fault under the name that the stack file has for the field."""
    fault = replace(fault, want=_renamed(fault.want, fields), why=_renamed(fault.why, fields))
    for field, name in fields.items():
        if fault.field == field or fault.field.startswith((f"{field}.", f"{field}[")):
            renamed = name + fault.field.removeprefix(field)
            return Fault(renamed, fault.got, fault.want, fault.why, fault.source)
    return fault
