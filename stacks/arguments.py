"""What each component of an environment is given: pure functions, the same for checks and deploy.

Values that only exist later (IDs, addresses) come in as inputs; a check hands in stand-ins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pulumi

from components.catalog.gpus import GPUS
from components.catalog.labels import GPU_CARD, GPU_SCHEDULE, INSTANCE_TYPE, NODE_POOL_ID
from components.cloud import (
    AckClusterArgs,
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
from components.crds.knative_features import features
from components.platform import FluidArgs, KnativeArgs, KnativeInstaller
from components.serving import (
    Enforcer,
    KnativeModelArgs,
    ModelCacheArgs,
    PlacementArgs,
    PlacementPool,
    TrainingJobArgs,
)
from components.serving.knative_model import service_spec
from components.serving.placement import distinct_tolerations, node_affinity

from .environment import Environment, Model, Nodes, Pool, Store, Training, Volume

T = TypeVar("T")
Ids = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Issuer:
    """Who vouches for the cluster's service accounts towards RAM."""

    url: pulumi.Input[str]
    provider_arn: pulumi.Input[str]


class Unresolved(LookupError):
    """The environment refers to something that is not there; a check says so in a sentence."""


def given(value: T | None) -> T:
    """A value that the checks have made sure of.

    Raises:
        Unresolved: It is not there.
    """
    if value is None:
        raise Unresolved("The checks let an incomplete environment pass.")
    return value


# --- cloud ---------------------------------------------------------------------------------------


def network_args(environment: Environment) -> NetworkArgs:
    """The VPC with a vSwitch per zone."""
    network = given(environment.network)
    return NetworkArgs(cidr=network.cidr, zones=network.zones)


def cluster_args(
    environment: Environment, name: str, vswitch_ids: Ids, pod_vswitch_ids: Ids
) -> AckClusterArgs:
    """The ACK cluster; it scales nodes if any pool is autoscaled."""
    cluster, network = environment.cluster, given(environment.network)
    elastic = any(pool.autoscale for pool in environment.pools)
    return AckClusterArgs(
        cluster_name=name,
        vpc_cidr=network.cidr,
        vswitch_ids=[*vswitch_ids.values()],
        pod_vswitch_ids=[*pod_vswitch_ids.values()] or None,
        pod_cidr=network.pod_cidr,
        service_cidr=network.service_cidr,
        log_project_name=cluster.log_project or f"{name}-{given(environment.region)}",
        spec=cluster.spec,
        version=cluster.version,
        public_endpoint=cluster.public_endpoint,
        maintenance_window=cluster.maintenance_window,
        autoscaling=cluster.autoscaling if elastic else None,
        addons=cluster.addons,
        protect=cluster.deletion_protection,
    )


def pool_args(pool: Pool, cluster_id: pulumi.Input[str], vswitch_ids: Ids) -> NodePoolArgs:
    """A node pool in its zones."""
    whole_cards = {GPU_SCHEDULE: "default"} if pool.gpu else {}
    return NodePoolArgs(
        cluster_id=cluster_id,
        node_pool_name=pool.name,
        vswitch_ids=[vswitch_ids[zone] for zone in pool.zones or vswitch_ids],
        instance_types=pool.instance_types,
        size=pool.size,
        autoscale=pool.autoscale,
        spot=pool.spot,
        labels={**whole_cards, **pool.labels},
        taints=pool.all_taints,
        nvidia_driver_version=pool.driver,
        image_type=pool.image_type,
        system_disk=NodeDisk(size_gib=pool.system_disk_gib),
    )


def bucket_args(environment: Environment, store: Store) -> ModelBucketArgs:
    """The bucket of a store."""
    protect = environment.cluster.deletion_protection
    return ModelBucketArgs(bucket=given(store.oss).bucket, protect=protect)


def file_system_args(
    environment: Environment,
    store: Store,
    name: str,
    vpc_id: pulumi.Input[str],
    vswitch_ids: Ids,
) -> ModelFileSystemArgs:
    """The file system of a store, mounted from the whole VPC."""
    nas = given(store.nas)
    return ModelFileSystemArgs(
        access_group_name=name,
        vpc_id=vpc_id,
        vswitch_id=vswitch_ids[nas.zone or next(iter(vswitch_ids))],
        zone_id=nas.zone,
        writer_cidr=given(environment.network).cidr,
        storage_type=nas.storage_type,
        protect=environment.cluster.deletion_protection,
    )


# --- platform ------------------------------------------------------------------------------------


def fluid_args(environment: Environment) -> FluidArgs | None:
    """Fluid, if any model is cached; its plugin runs on all nodes that hold or read a cache."""
    cached = [model for model in environment.models if model.cache]
    if not cached:
        return None
    names = {name for model in cached for name in model.placement.pools}
    names |= {given(model.cache).pool for model in cached}
    used = [pool for pool in environment.all_pools if pool.name in names]
    return FluidArgs(chart=environment.fluid, tolerations=_each_once(map(tolerations, used)))


def knative_platform_args(
    environment: Environment, cluster_id: pulumi.Input[str] | None
) -> KnativeArgs:
    """Knative with exactly the feature flags that the models' pods need."""
    flags: dict[str, str] = {}
    any_ids = {pool.name: "" for pool in environment.pools}
    for model in environment.models:
        flags |= features(service_spec(knative_args(environment, model, any_ids)).template)
    return KnativeArgs(
        installer=KnativeInstaller.OPERATOR if cluster_id is None else KnativeInstaller.ADDON,
        cluster_id=cluster_id,
        features=flags,
        version=environment.knative.version,
        domain=environment.knative.domain,
        max_request_seconds=environment.knative.max_request_seconds,
    )


# --- files ---------------------------------------------------------------------------------------


def claim_args(
    environment: Environment,
    claim_name: str,
    volume: Volume,
    role_name: str,
    issuer: Issuer | None,
    server: pulumi.Input[str] | None,
    *,
    writable: bool = False,
) -> ModelStoreArgs:
    """The claim on a folder of a bucket or file system.

    Args:
        environment: What the stack file says.
        claim_name: Name of the claim.
        volume: The folder.
        role_name: Name of the RAM role that reads a bucket.
        issuer: The cluster's, for a bucket.
        server: Mount target of a file system that the stack creates.
        writable: Whether pods may write.
    """
    store = given(environment.store(volume.store))
    if (store.oss is None) == (store.nas is None):
        raise Unresolved(store.name)
    oss = nas = None
    if store.oss:
        oss = OssFolder(
            bucket=store.oss.bucket,
            region=given(environment.region),
            role_name=role_name,
            oidc_issuer_url=given(issuer).url,
            oidc_provider_arn=given(issuer).provider_arn,
            path=volume.path,
        )
    if store.nas:
        nas = NasStore(server=store.nas.server or given(server), path=volume.path)
    return ModelStoreArgs(
        claim_name=claim_name,
        namespace=environment.namespace,
        size=volume.size,
        oss=oss,
        nas=nas,
        writable=writable,
    )


def claim_address(environment: Environment, claim_name: str, volume: Volume) -> str:
    """`claim` or `claim/folder`: our claims are of the folder, an existing one is of everything."""
    store = given(environment.store(volume.store))
    if store.claim is None:
        return claim_name
    folder = volume.path.strip("/")
    return f"{store.claim.name}/{folder}" if folder else store.claim.name


def cache_args(
    environment: Environment, model: Model, pool_id: pulumi.Input[str] | None
) -> ModelCacheArgs:
    """The model's copy on the cache nodes."""
    tier = given(model.cache)
    pool = _pool(environment, tier.pool)
    readers = [_pool(environment, name) for name in model.placement.pools]
    return ModelCacheArgs(
        namespace=environment.namespace,
        source_claim=claim_address(environment, model.name, model.volume),
        tier=tier,
        node_labels=cache_labels(environment, pool, pool_id),
        tolerations=tolerations(pool) or None,
        fuse_tolerations=_each_once(map(tolerations, readers)) or None,
        dataset_wait_seconds=environment.waits.dataset_seconds,
        load_wait_seconds=environment.waits.data_load_seconds,
    )


# --- where pods run ------------------------------------------------------------------------------


def placement_args(
    environment: Environment, workload: Model | Training, pool_ids: Ids
) -> PlacementArgs:
    """The order of pools for the pods that carry the workload's label."""
    return PlacementArgs(
        selector=pod_labels(workload),
        pools=placement_pools(environment, workload, pool_ids),
        namespace=environment.namespace,
        preempt_policy=workload.placement.preempt_policy,
        enforcer=enforcer(environment),
    )


def enforcer(environment: Environment) -> Enforcer:
    """What keeps the order of pools: a ResourcePolicy wherever its scheduler is."""
    return Enforcer.NODE_AFFINITY if environment.existing else Enforcer.RESOURCE_POLICY


def placement_pools(
    environment: Environment, workload: Model | Training, pool_ids: Ids
) -> list[PlacementPool]:
    """The pools of a workload, as placement sees them."""
    return [
        PlacementPool(
            name=pool.name,
            node_selector=node_selector(environment, pool, pool_ids.get(pool.name)),
            autoscaled=isinstance(pool, Pool) and pool.autoscale is not None,
            tolerations=tolerations(pool) or None,
        )
        for pool in (_pool(environment, name) for name in workload.placement.pools)
    ]


def pod_labels(workload: Model | Training) -> dict[str, str]:
    """Labels of a workload's pods, and what its ResourcePolicy selects."""
    return {"release": workload.name}


def node_selector(
    environment: Environment, pool: Pool | Nodes, pool_id: pulumi.Input[str] | None
) -> dict[str, pulumi.Input[str]]:
    """Labels that only the pool's nodes carry: its card, or its ID where pools share a card."""
    if isinstance(pool, Nodes):
        return dict(pool.node_selector)
    sharing = [other for other in environment.pools if other.gpu == pool.gpu]
    if pool.gpu is not None and len(sharing) == 1:
        return {GPU_CARD: GPUS[pool.gpu].label}
    return {NODE_POOL_ID: _known(pool_id)}


def cache_labels(
    environment: Environment, pool: Pool | Nodes, pool_id: pulumi.Input[str] | None
) -> dict[str, list[pulumi.Input[str]]]:
    """Labels that only cache nodes carry: their types, or the pool's ID where pools share one."""
    if isinstance(pool, Nodes):
        return {key: _one(value) for key, value in pool.node_selector.items()}
    others = [other for other in environment.pools if other.name != pool.name]
    if any(set(pool.instance_types) & set(other.instance_types) for other in others):
        return {NODE_POOL_ID: _one(_known(pool_id))}
    return {INSTANCE_TYPE: [*pool.instance_types]}


def tolerations(pool: Pool | Nodes) -> list[Toleration]:
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


def knative_args(environment: Environment, model: Model, pool_ids: Ids) -> KnativeModelArgs:
    """The Knative Service of a model, on its cache or else on its claim."""
    pools = placement_pools(environment, model, pool_ids)
    claim, _, folder = claim_address(environment, model.name, model.volume).partition("/")
    cached = model.cache is not None
    return KnativeModelArgs(
        server=model.server,
        serve=given(model.serve.knative),
        namespace=environment.namespace,
        labels=pod_labels(model),
        claim=f"{model.name}-dataset" if cached else claim,
        sub_path=None if cached else folder or None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
        priority_class=model.priority,
        max_request_seconds=environment.knative.max_request_seconds,
        domain=environment.knative.domain,
        wait_seconds=environment.waits.service_seconds,
    )


def training_args(environment: Environment, job: Training, pool_ids: Ids) -> TrainingJobArgs:
    """The Job of a training, with its checkpoint."""
    pools = placement_pools(environment, job, pool_ids)
    address = claim_address(environment, checkpoint_claim(job), job.checkpoint)
    claim, _, folder = address.partition("/")
    return TrainingJobArgs(
        image=job.image,
        command=job.command,
        resources=job.resources,
        namespace=environment.namespace,
        labels=pod_labels(job),
        priority_class=job.priority,
        checkpoint_claim=claim,
        checkpoint_folder=folder or None,
        checkpoint_path=job.checkpoint.mount_path,
        env=job.env or None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
        parallelism=job.parallelism,
        retries=job.retries,
    )


def checkpoint_claim(job: Training) -> str:
    """Name of the claim on a job's checkpoint, where the stack makes it."""
    return f"{job.name}-checkpoint"


def _pool(environment: Environment, name: str) -> Pool | Nodes:
    pool = environment.pool(name)
    if pool is None:
        raise Unresolved(name)
    return pool


def _known(pool_id: pulumi.Input[str] | None) -> pulumi.Input[str]:
    if pool_id is None:
        raise Unresolved("node pool ID")
    return pool_id


def _one(value: pulumi.Input[str]) -> list[pulumi.Input[str]]:
    return [value]


def _each_once(lists: Iterable[Sequence[Toleration]]) -> list[Toleration]:
    return list({one.model_dump_json(): one for many in lists for one in many}.values())
