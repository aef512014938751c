"""What the account is asked for: network, cluster, pools, stores, and their names there."""

from collections.abc import Iterator, Sequence
from typing import Any

from components import cloud
from components.catalog.labels import GPU_SCHEDULE
from components.catalog.sharing import ERDMA, ERDMA_ADDON, SHARING_ADDON, GpuSharing

from .. import placeholders
from ..sections.environment import Environment
from ..sections.network import NetworkPlugin
from ..sections.pools import EdgePoolSection, PoolSection
from ..sections.stores import StoreSection
from .base import Unresolved, made_of, required
from .folders import mounts


def name_prefix(project: str, stack: str) -> str:
    """What begins each name that has to be unique beyond a cluster, e.g. `ack-inference-dev`."""
    return f"{project}-{stack}"


def _account(environment: Environment) -> dict[str, Any]:
    """What everything in the account is given."""
    return {"tags": environment.tags or None, "resource_group_id": environment.resource_group_id}


def network_args(environment: Environment) -> cloud.NetworkArgs:
    """The VPC with a vSwitch per zone, created or there already."""
    return made_of(cloud.NetworkArgs, required(environment.network), **_account(environment))


def cluster_args(environment: Environment, prefix: str) -> cloud.AckClusterArgs:
    """The ACK cluster; it scales nodes if any pool is autoscaled."""
    cluster, network = environment.cluster, required(environment.network)
    zones = network.zone_ids
    elastic = any(pool.autoscale for pool in environment.pools)
    terway = network.plugin is not NetworkPlugin.FLANNEL
    return made_of(
        cloud.AckClusterArgs,
        cluster,
        cluster_name=prefix,
        profile=cloud.ClusterProfile(cluster.profile.value),
        vpc_cidr=network.cidr,
        vswitch_ids=[*map(placeholders.vswitch_id, zones)],
        pod_vswitch_ids=[*map(placeholders.pod_vswitch_id, zones)] if terway else None,
        pod_cidr=network.pod_cidr,
        service_cidr=network.service_cidr,
        network_policies=network.policies or None,
        log_project_name=log_project_name(environment, prefix),
        autoscaling=cluster.autoscaling if elastic else None,
        addons=[*cluster.addons, *_device_addons(environment)],
        node_cidr_mask=network.node_cidr_mask,
        protect=cluster.deletion_protection,
        **_account(environment),
    )


def existing_ack_cluster_args(environment: Environment) -> cloud.ExistingAckClusterArgs:
    """An ACK cluster that exists; the secret kubeconfig is not here."""
    cluster = environment.cluster
    stores = [environment.store(mount.volume.store) for mount in mounts(environment)]
    return made_of(
        cloud.ExistingAckClusterArgs,
        cluster,
        cluster_id=required(cluster.id),
        addons=cluster.addons,
        rrsa=any(store and store.is_read_by_role for store in stores),
        autoscaling=cluster.autoscaling if "autoscaling" in cluster.model_fields_set else None,
    )


def _device_addons(environment: Environment) -> Iterator[cloud.Addon]:
    """Add-ons that make resources of nodes which pods ask for, where nobody names them."""
    named = environment.cluster.addon_names
    workloads = [
        model.resources_of(section)
        for model in environment.models
        for section in model.serve.sections.values()
    ]
    workloads += [job.resources for job in environment.training]
    shares = any(pool.gpu_sharing is not GpuSharing.EXCLUSIVE for pool in environment.pools)
    if shares and environment.cluster.gpu_sharing_addon and SHARING_ADDON not in named:
        yield cloud.Addon(name=SHARING_ADDON)
    if any(ERDMA in (resources.extended or {}) for resources in workloads):
        yield from () if ERDMA_ADDON in named else [cloud.Addon(name=ERDMA_ADDON)]


def pool_args(environment: Environment, pool: PoolSection) -> cloud.NodePoolArgs:
    """A node pool in its zones."""
    zones = required(environment.network).zone_ids
    schedule = {GPU_SCHEDULE: pool.gpu_sharing.label} if pool.gpu else {}
    return made_of(
        cloud.NodePoolArgs,
        pool,
        cluster_id=placeholders.CLUSTER_ID,
        node_pool_name=pool.name,
        vswitch_ids=[placeholders.vswitch_id(_zone(zone, zones)) for zone in pool.zones or zones],
        labels={**schedule, **pool.labels},
        taints=pool.all_taints,
        nvidia_driver_version=pool.driver,
        system_disk=_disk(pool, pool.root_disk),
        data_disk=_disk(pool, pool.data_disk) if pool.data_disk else None,
        tags={**environment.tags, **pool.tags} or None,
        resource_group_id=environment.resource_group_id,
    )


def _disk(pool: PoolSection, disk: cloud.NodeDisk) -> cloud.NodeDisk:
    """A disk of the pool, with its key where it has none of its own."""
    if pool.kms_key_id is None or disk.kms_key_id is not None:
        return disk
    return disk.model_copy(update={"kms_key_id": pool.kms_key_id})


def edge_pool_args(environment: Environment, pool: EdgePoolSection) -> cloud.EdgePoolArgs:
    """A pool of IDC machines, adopted by its ID or created."""
    common = {"cluster_id": placeholders.CLUSTER_ID, "join_hours": pool.join_hours}
    if pool.node_pool_id is not None:
        return cloud.EdgePoolArgs(**common, node_pool_id=pool.node_pool_id)
    return cloud.EdgePoolArgs(
        **common,
        node_pool_name=pool.name,
        labels=pool.labels or None,
        taints=pool.taints or None,
        resource_group_id=environment.resource_group_id,
    )


def cluster_id(environment: Environment) -> str | None:
    """ID of the ACK cluster; None for an existing one of any kind."""
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


def bucket_args(environment: Environment, store: StoreSection) -> cloud.ModelBucketArgs:
    """The bucket of a store."""
    return made_of(
        cloud.ModelBucketArgs,
        required(store.oss),
        protect=environment.cluster.deletion_protection,
        **_account(environment),
    )


def file_system_args(
    environment: Environment, store: StoreSection, prefix: str
) -> cloud.ModelFileSystemArgs:
    """The file system of a store, mounted from the whole VPC."""
    nas, network = required(store.nas), required(environment.network)
    zones = network.zone_ids
    return made_of(
        cloud.ModelFileSystemArgs,
        nas,
        access_group_name=access_group_name(prefix, store),
        vpc_id=placeholders.VPC_ID,
        vswitch_id=placeholders.vswitch_id(_zone(nas.zone or zones[0], zones)),
        zone_id=nas.zone,
        writer_cidr=required(network.cidr),
        protect=environment.cluster.deletion_protection,
        **_account(environment),
    )


def _zone(zone: str, zones: Sequence[str]) -> str:
    """A zone of the network."""
    if zone not in zones:
        raise Unresolved(zone)
    return zone
