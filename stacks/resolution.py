"""Works out every part of an environment once: what is accepted here is what composition declares.

A part holds the arguments of a component, and with them what they render to. What the component
would refuse is a fault in the section of the stack file that the part is made of.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import ValidationError

from components.args import Fault, Refusal, faults_of
from components.cloud import (
    AckClusterArgs,
    ExistingAckClusterArgs,
    ModelBucketArgs,
    ModelFileSystemArgs,
)
from components.crds.role_based_group_labels import ROLE_NAME
from components.platform import DashboardsArgs, PrioritiesArgs
from components.serving import (
    ModelArgs,
    ModelCacheArgs,
    PlacementArgs,
    PlacementPool,
    TrainingJobArgs,
)
from components.serving.model_cache import render as render_cache
from components.serving.placement import render as render_placement
from components.serving.training_job import name_faults

from .arguments import (
    caches,
    cloud,
    folders,
    gateway,
    metrics,
    namespaces,
    placement,
    teams,
    workloads,
)
from .arguments.base import required
from .arguments.claims import claim_args, import_args
from .checks.rules import overlaps
from .field_names import (
    CACHE,
    CHECKPOINT,
    CLAIM,
    CLUSTER,
    ELASTIC,
    FOLDER,
    IMPORT,
    IMPORT_CLAIM,
    METRICS,
    NETWORK,
    POOL,
    PRIORITIES,
    RESULTS,
    STORE,
    TRAINING,
    Fields,
    called,
)
from .needs import Needs
from .parts import (
    ClaimPart,
    CloudParts,
    ImportPart,
    LoadTestParts,
    ModelParts,
    ResolvedEnvironment,
    TrainingParts,
)
from .platforms import PLATFORMS, Platform
from .runtimes import (
    RUNTIMES,
    CanaryPart,
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

P = ParamSpec("P")
Part = TypeVar("Part")


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
        prefix: What begins the names of what an account knows, see `cloud.name_prefix`.
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
            self.faults += [called(fault, fields).under(section) for fault in faults_of(error)]
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
        cloud_parts = None if environment.existing else self.cloud()
        needs = Needs(needs_of(environment))
        stores = self.stores()
        models = [self.model(model) for model in environment.models]
        return ResolvedEnvironment(
            environment=environment,
            cloud=cloud_parts,
            namespaces=self.part("", {}, teams.namespace_args, environment, needs),
            elastic_quota=self.part("", ELASTIC, teams.elastic_quota_args, environment),
            stores=stores,
            priorities=self.part("", PRIORITIES, PrioritiesArgs, classes=environment.priorities),
            fluid=self.part("", {}, caches.fluid_args, environment),
            platforms=self.platforms(models, needs),
            awaited=awaited_platforms(environment),
            metrics=self.part("", METRICS, metrics.gpu_metrics_args, environment),
            dashboards=self.dashboards(),
            body_router=self.part("gateway", {}, gateway.body_router_args, environment),
            alerts=self.part("", self.alert_fields(), metrics.alerts_args, environment),
            models=models,
            training=[self.training(job) for job in environment.training],
            load_tests=[self.load_test(test) for test in environment.load_tests],
        )

    def cloud(self) -> CloudParts:
        """Network, cluster and pools."""
        environment = self.environment
        network = None
        if environment.network is not None or environment.creates_cluster:
            network = self.part("", NETWORK, cloud.network_args, environment)
        cluster: AckClusterArgs | ExistingAckClusterArgs
        if environment.creates_cluster:
            cluster = self.part("", CLUSTER, cloud.cluster_args, environment, self.prefix)
        else:
            cluster = self.part("", CLUSTER, cloud.existing_ack_cluster_args, environment)
        return CloudParts(
            network=network,
            cluster=cluster,
            edge_pools={
                pool.name: self.part(
                    f"edge_pools[{pool.name}]", POOL, cloud.edge_pool_args, environment, pool
                )
                for pool in environment.edge_pools
            },
            pools={
                pool.name: self.part(
                    f"pools[{pool.name}]", POOL, cloud.pool_args, environment, pool
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
                bucket = self.part(section, STORE, cloud.bucket_args, environment, store)
                if store.creates_bucket:
                    parts[store.name] = bucket
            if store.creates_file_system:
                parts[store.name] = self.part(
                    section, STORE, cloud.file_system_args, environment, store, self.prefix
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
        return self.part("", fields, metrics.dashboards_args, self.environment)

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
        space = namespaces.namespace_of(environment, model)
        claims = self.claim(section, CLAIM, model.name, model.volume and model.volume.read, space)
        for volume in model.volumes:
            owner, files = folders.volume_owner(model, volume), volume.files and volume.files.read
            field = f"{section}.volumes[{volume.name}]"
            claims += self.claim(field, FOLDER, owner, files, space, writable=volume.writable)
        pools = self.rendered(section, {}, placement.placement_pools, environment, model)
        runtime = self.part(section, {}, lambda: RUNTIMES[model.serve.kind])

        def service() -> ModelArgs:
            shared = workloads.model_args(environment, model, required(pools))
            args: ModelArgs = runtime.args(environment, model, shared)
            runtime.render(model.name, args)
            return args

        def cache() -> ModelCacheArgs | None:
            if model.cache is None:
                return None
            args = caches.cache_args(environment, model, required(pools))
            render_cache(model.name, args)
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
            imports=[*map(self.imported, folders.imports_of(environment, model))],
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
            placed = self.rendered(field, {}, placement.placement_pools, self.environment, own)
            labels = {**selected_labels(model), ROLE_NAME: name}
            parts[f"{model.name}-{name}"] = self.placement(field, own, placed, labels)
        return parts

    def training(self, job: TrainingSection) -> TrainingParts:
        """A training job."""
        environment, section = self.environment, f"training[{job.name}]"
        space = namespaces.namespace_of(environment, job)
        claims = self.claim(
            section, CHECKPOINT, folders.checkpoint(job), job.checkpoint, space, writable=True
        )
        volume = job.volume and job.volume.read
        claims += self.claim(section, CLAIM, folders.base_model(job), volume, space)
        pools = self.rendered(section, {}, placement.placement_pools, environment, job)

        def args() -> TrainingJobArgs:
            built = workloads.training_args(environment, job, required(pools))
            if faults := list(name_faults(job.name)):
                raise Refusal(*faults)
            return built

        return TrainingParts(
            section=job,
            claims=claims,
            imports=[*map(self.imported, folders.imports_of(environment, job))],
            placement=self.placement(section, job, pools),
            job=self.rendered(section, TRAINING, args),
        )

    def imported(self, folder: folders.ImportedFolder) -> ImportPart:
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
        args = self.rendered(folder.field, IMPORT, import_args, self.environment, folder)
        return ImportPart(folder.owner, claims, args)

    def load_test(self, test: LoadTestSection) -> LoadTestParts:
        """A load test."""
        section = f"load_tests[{test.name}]"
        owner = folders.results(test)
        space = namespaces.namespace_of_test(self.environment, test)
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
            args = placement.placement_args(self.environment, workload, required(pools), labels)
            render_placement(workload.name, args)
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
            args = claim_args(
                environment,
                owner,
                volume,
                self.prefix,
                namespace,
                writable=writable,
                written=written,
            )
            filled = any(folder.owner == owner for folder in folders.imports(environment))
            return [ClaimPart(owner, volume.store, args, filled)]

        return self.part(section, fields, build) or []
