"""What each component of an environment is given: pure functions of what the stack file says.

For values that only exist later (IDs, addresses), `placeholders` stand.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pulumi

from components.args import Args
from components.catalog.gpus import GPUS
from components.catalog.labels import GPU_CARD, GPU_SCHEDULE, INSTANCE_TYPE, NODE_POOL_ID
from components.catalog.metrics import METRICS, Origin
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import release_name
from components.cloud import (
    AckClusterArgs,
    ClusterProfile,
    EdgePoolArgs,
    ModelBucketArgs,
    ModelFileSystemArgs,
    ModelStoreArgs,
    NasStore,
    NetworkArgs,
    NodeDisk,
    NodePoolArgs,
)
from components.cloud import OssStore as OssFolder
from components.crds import Toleration
from components.crds.fluid import LONGEST_NAME as LONGEST_DATASET_NAME
from components.platform import (
    DashboardsArgs,
    ElasticQuotasArgs,
    FluidArgs,
    GpuMetricsArgs,
    Isolation,
    MetricsFlavor,
    PrometheusEndpoint,
    TeamNamespaceArgs,
    VllmMonitor,
)
from components.serving import (
    Enforcer,
    LoadTestArgs,
    ModelArgs,
    ModelCacheArgs,
    ModelServer,
    PlacementArgs,
    PlacementPool,
    TrainingJobArgs,
)
from components.serving.placement import distinct_tolerations, node_affinity

from . import placeholders
from .needs import KNATIVE, KSERVE, Needs
from .sections.environment import Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection
from .sections.network import NetworkPlugin
from .sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .sections.stores import StoreSection, VolumeSection
from .sections.training import TrainingSection

A = TypeVar("A", bound=Args)
T = TypeVar("T")

SYSTEM_NAMESPACES: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that every cluster has."""
KNATIVE_GATEWAYS: Final = ("knative-serving", "kourier-system")
"""Namespaces of Knative's activator and autoscaler, and of Kourier: knative/net-kourier, config,
v1.20; its operator has Kourier in knative-serving."""
INGRESS_GATEWAYS: Final = ("kube-system", "ingress-nginx")
"""Namespaces of ACK's add-on nginx-ingress-controller, and of ingress-nginx by its own chart."""
CACHE_CONTROLLERS: Final = ("fluid-system",)
"""Namespace of Fluid's controllers."""
PROMETHEUS: Final = ("arms-prom", "monitoring")
"""Namespaces of the agent of Managed Service for Prometheus, and of a Prometheus by custom."""
DEFAULT_PORT: Final = 8080
"""Port of a server that names none."""


class Unresolved(LookupError):
    """The environment refers to something that is not there; a check says so in a sentence."""


def name_prefix(project: str, stack: str) -> str:
    """What begins each name that has to be unique beyond a cluster, e.g. `ack-inference-dev`."""
    return f"{project}-{stack}"


def required(value: T | None) -> T:
    """A value that the checks have made sure of.

    Raises:
        Unresolved: It is not there.
    """
    if value is None:
        raise Unresolved("The checks let an incomplete environment pass.")
    return value


def made_of(kind: type[A], section: Args, **fields: Any) -> A:
    """Arguments of a component, which has most of its settings from one section.

    Args:
        kind: The component's class of arguments.
        section: What it calls as `kind` does is handed over as it is.
        fields: Whatever is called otherwise, comes from elsewhere, or is not handed over as it is.
    """
    shared = kind.model_fields.keys() & type(section).model_fields.keys() - fields.keys()
    return kind(**{field: getattr(section, field) for field in shared}, **fields)


# --- cloud ---------------------------------------------------------------------------------------


def network_args(environment: Environment) -> NetworkArgs:
    """The VPC with a vSwitch per zone."""
    return made_of(NetworkArgs, required(environment.network))


def cluster_args(environment: Environment, prefix: str) -> AckClusterArgs:
    """The ACK cluster; it scales nodes if any pool is autoscaled."""
    cluster, network = environment.cluster, required(environment.network)
    zones = [zone.id for zone in network.zones]
    elastic = any(pool.autoscale for pool in environment.pools)
    terway = network.plugin is not NetworkPlugin.FLANNEL
    return made_of(
        AckClusterArgs,
        cluster,
        cluster_name=prefix,
        profile=ClusterProfile(cluster.profile.value),
        vpc_cidr=network.cidr,
        vswitch_ids=[*map(placeholders.vswitch_id, zones)],
        pod_vswitch_ids=[*map(placeholders.pod_vswitch_id, zones)] if terway else None,
        pod_cidr=network.pod_cidr,
        service_cidr=network.service_cidr,
        network_policies=network.policies or None,
        log_project_name=log_project_name(environment, prefix),
        autoscaling=cluster.autoscaling if elastic else None,
        protect=cluster.deletion_protection,
    )


def pool_args(environment: Environment, pool: PoolSection) -> NodePoolArgs:
    """A node pool in its zones."""
    zones = [zone.id for zone in required(environment.network).zones]
    whole_cards = {GPU_SCHEDULE: "default"} if pool.gpu else {}
    return made_of(
        NodePoolArgs,
        pool,
        cluster_id=placeholders.CLUSTER_ID,
        node_pool_name=pool.name,
        vswitch_ids=[placeholders.vswitch_id(_zone(zone, zones)) for zone in pool.zones or zones],
        labels={**whole_cards, **pool.labels},
        taints=pool.all_taints,
        nvidia_driver_version=pool.driver,
        system_disk=NodeDisk(size_gib=pool.system_disk_gib),
    )


def edge_pool_args(pool: EdgePoolSection) -> EdgePoolArgs:
    """A pool of IDC machines, adopted by its ID or created."""
    cluster_id = placeholders.CLUSTER_ID
    if pool.node_pool_id is not None:
        return EdgePoolArgs(cluster_id=cluster_id, node_pool_id=pool.node_pool_id)
    return EdgePoolArgs(cluster_id=cluster_id, node_pool_name=pool.name, taints=pool.taints or None)


def cluster_id(environment: Environment) -> str | None:
    """ID of the stack's own cluster; None for an existing one."""
    return None if environment.existing else placeholders.CLUSTER_ID


def log_project_name(environment: Environment, prefix: str) -> str:
    """Name of the SLS project; no other account may have it."""
    return environment.cluster.log_project or f"{prefix}-{required(environment.region)}"


def role_name(prefix: str, owner: str) -> str:
    """Name of the RAM role, and of its policy, by which the claim of an owner reads a bucket."""
    return f"{prefix}-{owner}"


def access_group_name(prefix: str, store: StoreSection) -> str:
    """Name of the NAS access group of a store."""
    return f"{prefix}-{store.name}"


def bucket_args(environment: Environment, store: StoreSection) -> ModelBucketArgs:
    """The bucket of a store."""
    protect = environment.cluster.deletion_protection
    return ModelBucketArgs(bucket=required(store.oss).bucket, protect=protect)


def file_system_args(
    environment: Environment, store: StoreSection, prefix: str
) -> ModelFileSystemArgs:
    """The file system of a store, mounted from the whole VPC."""
    nas, network = required(store.nas), required(environment.network)
    zones = [zone.id for zone in network.zones]
    return ModelFileSystemArgs(
        access_group_name=access_group_name(prefix, store),
        vpc_id=placeholders.VPC_ID,
        vswitch_id=placeholders.vswitch_id(_zone(nas.zone or zones[0], zones)),
        zone_id=nas.zone,
        writer_cidr=network.cidr,
        storage_type=nas.storage_type,
        protect=environment.cluster.deletion_protection,
    )


def _zone(zone: str, zones: Sequence[str]) -> str:
    """A zone of the network."""
    if zone not in zones:
        raise Unresolved(zone)
    return zone


# --- platform ------------------------------------------------------------------------------------


def fluid_args(environment: Environment) -> FluidArgs | None:
    """Fluid, if any model is cached. Its chart tolerates every taint by itself."""
    if not any(model.cache for model in environment.models):
        return None
    return FluidArgs(chart=environment.fluid)


def gpu_metrics_args(environment: Environment) -> GpuMetricsArgs | None:
    """The way of metrics to the autoscaler, if the environment has one; the token is not here."""
    section = environment.gpu_metrics
    if section is None:
        return None
    secret = environment.prometheus_url is not None or not environment.existing
    return made_of(
        GpuMetricsArgs,
        section,
        flavor=metrics_flavor(environment),
        prometheus=PrometheusEndpoint(
            url=placeholders.PROMETHEUS_URL if secret else required(section.url)
        ),
        cluster_id=cluster_id(environment) if section.exporter else None,
        vllm=VllmMonitor(
            namespaces=list(
                dict.fromkeys(namespace_of(environment, model) for model in environment.models)
            ),
            port=_metrics_port(environment),
        ),
    )


def metrics_flavor(environment: Environment) -> MetricsFlavor:
    """Whose Prometheus it is: Alibaba's on the stack's own cluster."""
    return MetricsFlavor.UPSTREAM if environment.existing else MetricsFlavor.ARMS


def _metrics_port(environment: Environment) -> int:
    """The port of models that are scaled on vLLM's metrics, which have one; else of any model."""
    models = [*filter(is_scaled_on_vllm, environment.models)] or environment.models
    return min((model.server.port for model in models), default=DEFAULT_PORT)


def is_scaled_on_vllm(model: ModelSection) -> bool:
    """Whether a model is scaled on a metric that vLLM itself reports."""
    metrics = [METRICS.get(section.scale.metric or "") for section in model.serve.sections.values()]
    return any(metric and metric.series.origin is Origin.VLLM for metric in metrics)


def dashboards_args(environment: Environment) -> DashboardsArgs | None:
    """Grafana's dashboards, if the environment has metrics and wants them."""
    section = environment.gpu_metrics
    if section is None or not section.dashboards:
        return None
    return made_of(
        DashboardsArgs,
        section,
        flavor=metrics_flavor(environment),
        namespace=section.dashboards_namespace or environment.namespace,
        vllm_releases=_vllm_releases(environment),
    )


def _vllm_releases(environment: Environment) -> list[str] | None:
    """The releases of vLLM that serve; None where an image does not tell its own."""
    images = [vllm_image(model.server.image) for model in environment.models]
    versions = {image.version for image in images if image}
    if not versions or None in images:
        return None
    return [release_name(version) for version in sorted(versions)]


@dataclass(frozen=True)
class MountedFolder:
    """A folder that a model, a job or a load test mounts."""

    name: str
    """Name of the one that does."""
    field: str
    """Field path of the folder."""
    owner: str
    """What the claim belongs to, and is called after."""
    volume: VolumeSection
    namespace: str
    """Namespace of the one that mounts it."""

    @property
    def name_field(self) -> str:
        """Field path of the name."""
        return f"{self.field.rpartition('.')[0]}.name"


def mounts(environment: Environment) -> Iterator[MountedFolder]:
    """Every folder of a store that is mounted."""
    for model in environment.models:
        path, space = f"models[{model.name}].volume", namespace_of(environment, model)
        yield MountedFolder(model.name, path, model.name, model.volume, space)
    for job in environment.training:
        path, space = f"training[{job.name}]", namespace_of(environment, job)
        yield MountedFolder(job.name, f"{path}.checkpoint", checkpoint(job), job.checkpoint, space)
        if job.volume:
            yield MountedFolder(job.name, f"{path}.volume", base_model(job), job.volume, space)
    for test in environment.load_tests:
        if test.results:
            path = f"load_tests[{test.name}].results"
            space = namespace_of_test(environment, test)
            yield MountedFolder(test.name, path, results(test), test.results, space)


# --- namespaces ----------------------------------------------------------------------------------


def namespace_of(environment: Environment, workload: ModelSection | TrainingSection) -> str:
    """Namespace of all that is made for a model or a training job."""
    return workload.namespace or environment.namespace


def _workloads(environment: Environment) -> list[ModelSection | TrainingSection]:
    return [*environment.models, *environment.training]


def namespace_of_test(environment: Environment, test: LoadTestSection) -> str:
    """Namespace of a load test: its model's, where it reads the model's claim."""
    model = environment.model(test.model)
    return environment.namespace if model is None else namespace_of(environment, model)


def namespace_of_claim(environment: Environment, store: StoreSection) -> str | None:
    """Namespace of a claim that exists."""
    return (store.claim.namespace or environment.namespace) if store.claim else None


def used_namespaces(environment: Environment) -> list[str]:
    """Namespaces of what the stack makes for models, jobs and people, in their order."""
    metrics = environment.gpu_metrics
    shows = metrics and metrics.dashboards and not metrics.dashboards_namespace
    used = [namespace_of(environment, workload) for workload in _workloads(environment)]
    listed = [section.name for section in environment.namespaces]
    return list(dict.fromkeys([*([environment.namespace] if shows else []), *used, *listed]))


def created_namespaces(environment: Environment) -> list[str]:
    """Those of them that the stack creates: none that is there from the start, or with a claim."""
    present = {namespace_of_claim(environment, store) for store in environment.stores}
    present |= {section.name for section in environment.namespaces if not section.create}
    return [
        name
        for name in used_namespaces(environment)
        if name not in present and name not in SYSTEM_NAMESPACES
    ]


def namespace_args(environment: Environment, needs: Needs) -> list[TeamNamespaceArgs]:
    """What namespaces are made of, beside the stack's own one where it has no rules."""
    created = created_namespaces(environment)
    quotas = {section.name: section.quota for section in environment.namespaces}
    isolation = isolation_of(environment, needs)
    every = (
        TeamNamespaceArgs(
            namespace=name,
            create=name in created and name != environment.namespace,
            quota=quotas.get(name),
            isolation=isolation if name not in SYSTEM_NAMESPACES else None,
        )
        for name in used_namespaces(environment)
    )
    return [args for args in every if args.create or args.quota or args.isolation]


def has_teams(environment: Environment) -> bool:
    """Whether anything names another namespace than the stack's own."""
    names = {workload.namespace for workload in _workloads(environment)}
    names |= {section.name for section in environment.namespaces}
    return bool(names - {None, environment.namespace})


def knows_network_policies(environment: Environment) -> bool:
    """Whether the network plugin may enforce them; of an existing cluster that is not known."""
    network = environment.network
    return network is None or network.plugin is not NetworkPlugin.FLANNEL


def isolation_of(environment: Environment, needs: Needs) -> Isolation | None:
    """Who reaches a namespace of the stack; None where everybody does."""
    section, network = environment.network_policies, environment.network
    enabled = section.enabled
    if enabled is None:
        enabled = has_teams(environment) and knows_network_policies(environment)
    if not enabled:
        return None
    gateways = [
        *(KNATIVE_GATEWAYS if needs.sections(KNATIVE) else ()),
        *(INGRESS_GATEWAYS if needs.sections(KSERVE) else ()),
        *(CACHE_CONTROLLERS if any(model.cache for model in environment.models) else ()),
        *PROMETHEUS,
    ]
    nodes = [zone.cidr for zone in network.zones] if network else []
    return Isolation(
        namespaces=list(dict.fromkeys([*gateways, *section.allow_namespaces])),
        cidrs=list(dict.fromkeys([*nodes, *section.allow_cidrs])),
    )


def elastic_quota_args(environment: Environment) -> ElasticQuotasArgs | None:
    """The tree of quotas, where there is one."""
    section = environment.elastic_quota
    return ElasticQuotasArgs(groups=section.groups) if section else None


# --- files ---------------------------------------------------------------------------------------


def claim_name(environment: Environment, owner: str, volume: VolumeSection) -> str:
    """Name of the claim that the stack makes for a model or a checkpoint.

    Another source has another name. Neither a volume's source nor its size can be changed, and a
    claim in use cannot be deleted: so the new one is made beside it, and goes when no pod is left.
    """
    return f"{owner}-{_digest(owner, required(environment.store(volume.store)), volume)}"


def dataset_name(environment: Environment, model: ModelSection) -> str:
    """Name of the model's Dataset, and of the claim that Fluid makes for it; see `claim_name`.

    Fluid calls the pods of the cache after it, so that of a long name as much stays as has room.
    """
    store = required(environment.store(model.volume.store))
    digest = _digest(model.name, store, model.volume)
    name = f"{model.name}-dataset-{digest}"
    if len(name) <= LONGEST_DATASET_NAME:
        return name
    return f"{model.name[: LONGEST_DATASET_NAME - len(digest) - 1].rstrip('-')}-{digest}"


@functools.lru_cache(maxsize=1024)
def _digest(owner: str, store: StoreSection, volume: VolumeSection) -> str:
    """Tells sources apart; of frozen values, so that each is worked out once."""
    bucket, server = store.oss and store.oss.bucket, store.nas and store.nas.server
    claim = store.claim and store.claim.name
    source = json.dumps([owner, store.name, bucket, server, claim, volume.path, volume.size])
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def claim_args(
    environment: Environment,
    owner: str,
    volume: VolumeSection,
    prefix: str,
    namespace: str,
    *,
    writable: bool = False,
) -> ModelStoreArgs:
    """The claim on a folder of a bucket or file system.

    Args:
        environment: What the stack file says.
        owner: The model that it is of, or the checkpoint.
        volume: The folder.
        prefix: What begins the name of the RAM role that reads a bucket, see `name_prefix`.
        namespace: Namespace of the claim.
        writable: Whether pods may write.
    """
    store = required(environment.store(volume.store))
    if (store.oss is None) == (store.nas is None):
        raise Unresolved(store.name)
    oss = nas = None
    if store.oss:
        oss = OssFolder(
            bucket=store.oss.bucket,
            region=required(environment.region),
            role_name=role_name(prefix, owner),
            oidc_issuer_url=placeholders.ISSUER_URL,
            oidc_provider_arn=placeholders.ISSUER_ARN,
            path=volume.path,
        )
    if store.nas:
        server = store.nas.server or placeholders.mount_target(store.name)
        nas = NasStore(server=server, path=volume.path)
    return ModelStoreArgs(
        claim_name=claim_name(environment, owner, volume),
        namespace=namespace,
        size=volume.size,
        oss=oss,
        nas=nas,
        writable=writable,
    )


def claim_and_folder(
    environment: Environment, owner: str, volume: VolumeSection | None
) -> tuple[str | None, str | None]:
    """Our claims are of the folder, an existing one is of everything; no claim without a volume."""
    if volume is None:
        return None, None
    store = required(environment.store(volume.store))
    if store.claim is None:
        return claim_name(environment, owner, volume), None
    return store.claim.name, volume.path.strip("/") or None


def cache_args(
    environment: Environment,
    model: ModelSection,
    pools: list[PlacementPool],
) -> ModelCacheArgs:
    """The model's copy on the cache nodes, for pods on its pools."""
    tier = required(model.cache)
    pool = _pool(environment, tier.pool)
    source = claim_and_folder(environment, model.name, model.volume)
    return ModelCacheArgs(
        namespace=namespace_of(environment, model),
        dataset_name=dataset_name(environment, model),
        source_claim="/".join(filter(None, source)),
        tier=tier,
        node_labels=cache_labels(environment, pool),
        tolerations=tolerations(pool) or None,
        fuse_tolerations=distinct_tolerations(pools) or None,
        dataset_wait_seconds=environment.waits.dataset_seconds,
        load_wait_seconds=environment.waits.data_load_seconds,
    )


# --- where pods run ------------------------------------------------------------------------------


def placement_args(
    environment: Environment,
    workload: ModelSection | TrainingSection,
    pools: list[PlacementPool],
    labels: dict[str, str],
) -> PlacementArgs:
    """The order of pools for the workload's pods, which carry the labels."""
    return PlacementArgs(
        selector=labels,
        pools=pools,
        namespace=namespace_of(environment, workload),
        preempt_policy=workload.placement.preempt_policy,
        enforcer=enforcer(environment),
    )


def enforcer(environment: Environment) -> Enforcer:
    """What keeps the order of pools: a ResourcePolicy wherever its scheduler is."""
    return Enforcer.NODE_AFFINITY if environment.existing else Enforcer.RESOURCE_POLICY


def placement_pools(
    environment: Environment, workload: ModelSection | TrainingSection
) -> list[PlacementPool]:
    """The pools of a workload, as all that is declared for it sees them."""
    return [
        PlacementPool(
            name=pool.name,
            node_selector=node_selector(environment, pool),
            autoscaled=isinstance(pool, PoolSection) and pool.autoscale is not None,
            tolerations=tolerations(pool) or None,
        )
        for pool in (_pool(environment, name) for name in workload.placement.pools)
    ]


def pod_labels(workload: ModelSection | TrainingSection) -> dict[str, str]:
    """Labels that we put on a workload's pods."""
    return {"release": workload.name}


def node_selector(environment: Environment, pool: AnyPoolSection) -> dict[str, pulumi.Input[str]]:
    """Labels that only the pool's nodes carry: its card, or its ID where pools share a card."""
    if isinstance(pool, NodesSection):
        return dict(pool.node_selector)
    sharing = [sibling for sibling in environment.all_pools if sibling.gpu == pool.gpu]
    if isinstance(pool, PoolSection) and pool.gpu is not None and len(sharing) == 1:
        return {GPU_CARD: GPUS[pool.gpu].label}
    return {NODE_POOL_ID: placeholders.pool_id(pool.name)}


def cache_labels(
    environment: Environment, pool: AnyPoolSection
) -> dict[str, list[pulumi.Input[str]]]:
    """Labels that only cache nodes carry: their types, or the pool's ID where pools share one."""
    if isinstance(pool, NodesSection):
        return {key: [value] for key, value in pool.node_selector.items()}
    beside = [neighbour for neighbour in environment.pools if neighbour.name != pool.name]
    if isinstance(pool, EdgePoolSection) or any(
        set(pool.instance_types) & set(neighbour.instance_types) for neighbour in beside
    ):
        return {NODE_POOL_ID: [placeholders.pool_id(pool.name)]}
    return {INSTANCE_TYPE: [*pool.instance_types]}


def tolerations(pool: AnyPoolSection) -> list[Toleration]:
    """Tolerations of everything that the pool's nodes are tainted with."""
    return [
        Toleration.model_validate(
            {
                "key": taint.key,
                "operator": "Equal" if taint.value else "Exists",
                "value": taint.value or None,
                "effect": taint.effect,
            }
        )
        for taint in pool.all_taints
    ]


# --- what runs -----------------------------------------------------------------------------------


def model_args(
    environment: Environment, model: ModelSection, pools: list[PlacementPool]
) -> ModelArgs:
    """What a model is given whoever serves it: on its cache, or else on its claim."""
    claim, folder = (
        (dataset_name(environment, model), None)
        if model.cache
        else claim_and_folder(environment, model.name, model.volume)
    )
    return ModelArgs(
        server=server(model),
        namespace=namespace_of(environment, model),
        labels=pod_labels(model),
        claim=required(claim),
        sub_path=folder,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
        priority_class=model.priority,
        topology_spread=model.topology_spread or None,
        disruption_budget=model.pod_disruption_budget,
        wait_seconds=environment.waits.service_seconds,
    )


def training_args(
    environment: Environment, job: TrainingSection, pools: list[PlacementPool]
) -> TrainingJobArgs:
    """The Job of a training, with its checkpoint."""
    claim, folder = claim_and_folder(environment, checkpoint(job), job.checkpoint)
    model, part = claim_and_folder(environment, base_model(job), job.volume)
    return made_of(
        TrainingJobArgs,
        job,
        namespace=namespace_of(environment, job),
        labels=pod_labels(job),
        priority_class=job.priority,
        checkpoint_claim=claim,
        checkpoint_folder=folder,
        checkpoint_path=job.checkpoint.mount_path,
        checkpoint_per_rank=job.checkpoint.per_rank or None,
        model_claim=model,
        model_folder=part,
        model_path=job.volume.mount_path if job.volume else None,
        env=job.env or None,
        secret_env=job.secret_env or None,
        image_pull_secrets=job.image_pull_secrets or None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
    )


def checkpoint(job: TrainingSection) -> str:
    """Name of a job's checkpoint, to which a claim belongs."""
    return f"{job.name}-checkpoint"


def base_model(job: TrainingSection) -> str:
    """Name of the model that a job starts from, to which a claim belongs."""
    return f"{job.name}-model"


def server(model: ModelSection) -> ModelServer:
    """The container of a model, with the Secret of its key among its variables."""
    secret, secrets = model.api_key_secret, model.server.secret_env or []
    if secret is None or secret in secrets:
        return model.server
    return model.server.model_copy(update={"secret_env": [*secrets, secret]})


def load_test_args(
    environment: Environment, test: LoadTestSection, url: str, labels: dict[str, str]
) -> LoadTestArgs:
    """The Job of a load test, next to its model.

    Args:
        environment: What the stack file says.
        test: The load test.
        url: Address of the model inside the cluster.
        labels: Labels that the model's pods have, and no others.
    """
    model = required(environment.model(test.model))
    # The tokenizer is small: the store has it on every node, and no cache has to come there.
    claim, folder = claim_and_folder(environment, model.name, model.volume)
    results_claim, results_folder = claim_and_folder(environment, results(test), test.results)
    vllm = model.server.vllm
    return made_of(
        LoadTestArgs,
        test,
        url=test.url or url,
        served_model_name=model.server.served_name or model.name,
        namespace=namespace_of(environment, model),
        model_claim=claim,
        model_folder=folder,
        trust_remote_code=vllm.trust_remote_code if vllm else None,
        api_key_secret=model.api_key_secret,
        pod_labels=labels,
        results_claim=results_claim,
        results_folder=results_folder,
    )


def results(test: LoadTestSection) -> str:
    """Name of a load test's reports, to which a claim belongs."""
    return f"{test.name}-results"


def _pool(environment: Environment, name: str) -> AnyPoolSection:
    pool = environment.pool(name)
    if pool is None:
        raise Unresolved(name)
    return pool
