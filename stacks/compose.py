"""Turns a resolved environment into components, in the order in which they come to exist.

Network -> cluster -> pools -> platform -> per model: store -> cache -> placement -> service.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import pulumi

import components.serving as serving
from components.bindings import alicloud, kubernetes
from components.cloud import (
    AckCluster,
    AckClusterArgs,
    ClusterProfile,
    EdgePool,
    ExistingAckCluster,
    ExistingCluster,
    ExistingClusterArgs,
    ModelBucket,
    ModelBucketArgs,
    ModelFileSystem,
    ModelStore,
    Network,
    NodePool,
    NodePoolArgs,
)
from components.cloud.node_pool import has_gpu
from components.crds.affinity import TaintEffect
from components.platform import (
    Alerts,
    Dashboards,
    ElasticQuotas,
    Fluid,
    GpuMetrics,
    Priorities,
    TeamNamespace,
)
from components.serving import (
    CanaryRoute,
    LoadTest,
    ModelCache,
    ModelImport,
    Placement,
    TrainingJob,
)

from . import placeholders
from .arguments.base import required
from .arguments.gateway import is_attached
from .arguments.namespaces import namespace_of, namespace_of_test, used_namespaces
from .arguments.teams import created_namespaces
from .exports import export_address, export_run_command, export_way
from .parts import (
    ClaimPart,
    CloudParts,
    ImportPart,
    LoadTestParts,
    ModelParts,
    ResolvedEnvironment,
    TrainingParts,
)
from .placeholders import bind
from .platforms import Platform
from .runtimes import Served
from .sections.environment import Environment

Part = TypeVar("Part")


@dataclass(frozen=True)
class Secrets:
    """The secrets of a stack: Outputs from the engine to a resource, and nowhere else."""

    kubeconfig: pulumi.Output[str] | None = None
    """Reaches an existing cluster."""
    prometheus_url: pulumi.Output[str] | None = None
    """Address of Managed Service for Prometheus."""
    prometheus_token: pulumi.Output[str] | None = None
    """Its token."""
    content_safety_access_key: pulumi.Output[str] | None = None
    """AccessKey ID for content moderation."""
    content_safety_secret_key: pulumi.Output[str] | None = None
    """Its AccessKey secret."""


@dataclass(frozen=True)
class TargetCluster:
    """The cluster that components are declared in, whoever made it."""

    provider: kubernetes.Provider
    """Reaches the cluster's API."""
    pools: Mapping[str, NodePool] = field(default_factory=dict)
    """The stack's own pools, by name."""
    platform_pools: frozenset[str] = frozenset()
    """Names of those that the platform runs on; all of them where no pool is made for it."""
    cloud: alicloud.Provider | None = None
    """Reaches Alibaba Cloud; absent for an existing cluster."""
    stores: Mapping[str, ModelBucket | ModelFileSystem] = field(default_factory=dict)
    """What the stack keeps files in, by name."""
    values: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What has come into being, by placeholder."""

    def bound(self, part: Part) -> Part:
        """A part with what has come into being."""
        return bind(part, self.values)

    def options(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a component in this cluster that needs no node, or what waits for them."""
        providers = [self.provider, *([self.cloud] if self.cloud else [])]
        return pulumi.ResourceOptions(providers=providers, depends_on=depends_on)

    def on_nodes(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a component whose pods run anywhere: nodes come before it, and go after it."""
        return self.options(*self.pools.values(), *depends_on)

    def on_platform_nodes(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a part of the platform: nodes of its pods come before it, and go after it.

        GPU nodes come beside it: its DaemonSets reach them as they reach any later node.
        """
        pools = [pool for name, pool in self.pools.items() if name in self.platform_pools]
        return self.options(*pools, *depends_on)

    def further_pools(self, names: Iterable[str]) -> list[NodePool]:
        """Those of these pools that the platform does not wait for."""
        wanted = {*names} - self.platform_pools
        return [pool for name, pool in self.pools.items() if name in wanted]


def deploy(resolved: ResolvedEnvironment, secrets: Secrets) -> None:
    """Declares everything that an environment is made of."""
    environment = resolved.environment
    nodes = max((platform.nodes for platform in resolved.platforms), default=1)
    cluster = (
        declare_cloud(environment, resolved.cloud, secrets, nodes)
        if resolved.cloud
        else reach_existing_cluster(environment, required(secrets.kubeconfig))
    )
    namespaces = declare_namespaces(resolved, cluster)
    namespace = [resource for resources in namespaces.values() for resource in resources]
    stores = declare_stores(resolved, cluster)
    cluster = replace(cluster, stores=stores, values={**cluster.values, **mount_targets(stores)})
    priorities = declare_priorities(resolved, cluster)
    fluid = [Fluid("fluid", resolved.fluid, cluster.on_platform_nodes())] if resolved.fluid else []
    platforms = declare_platforms(resolved, cluster)
    metrics = declare_metrics(resolved, cluster, secrets, namespace)

    services: dict[str, Served] = {}
    ready = [*priorities, *platforms, *metrics]
    for model in resolved.models:
        before = namespaces[namespace_of(environment, model.section)]
        service = declare_model(environment, model, cluster, before, fluid, ready)
        services[model.section.name] = service
    if resolved.body_router is not None:
        options = cluster.on_platform_nodes(*namespace, *platforms)
        serving.BodyRouter("body-router", resolved.body_router, options)
    for model in resolved.models:
        declare_route(environment, model, cluster, secrets, services, platforms)
    for job in resolved.training:
        before = namespaces[namespace_of(environment, job.section)]
        declare_training(job, cluster, before, priorities)
    for number, test in enumerate(resolved.load_tests):
        if test.section.run is None:
            export_run_command(number, test.section)
        else:
            before = namespaces[namespace_of_test(environment, test.section)]
            declare_load_test(test, cluster, before, services[test.section.model])


def reach_existing_cluster(
    environment: Environment, kubeconfig: pulumi.Output[str]
) -> TargetCluster:
    """A cluster that is used as it is."""
    section = environment.cluster
    args = ExistingClusterArgs(
        kubeconfig=kubeconfig, context=section.context, identifier=section.identifier
    )
    return TargetCluster(ExistingCluster("cluster", args).provider)


def declare_cloud(
    environment: Environment, parts: CloudParts, secrets: Secrets, nodes: int
) -> TargetCluster:
    """Network, ACK cluster and pools; the platform waits for so many nodes of a new cluster."""
    cloud = alicloud.Provider(
        "alicloud",
        region=environment.region,
        # Left out, the provider asks the billing API for it at every start.
        account_type=environment.account_type,
        skip_region_validation=True,
    )
    in_cloud = pulumi.ResourceOptions(providers=[cloud])
    network = [Network("network", parts.network, in_cloud)] if parts.network else []
    after_network = pulumi.ResourceOptions(providers=[cloud], depends_on=network)
    values = network_values(network[0]) if network else {}
    if isinstance(parts.cluster, AckClusterArgs):
        cluster: AckCluster | ExistingAckCluster = AckCluster(
            "cluster",
            bind(parts.cluster, values),
            # Without nodes, nothing in a cluster of profile pro needs a way out: ACK gives one to
            # clusters that exist (enable-an-existing-ack-cluster-to-access-the-internet, read
            # 2026-11). That it asks for none before is an assumption: the provider's page
            # (cs_managed_kubernetes) wants one in general, and recommends clusters without nodes.
            # What an edge cluster runs by itself is not documented, so that one waits.
            after_network if parts.cluster.profile is ClusterProfile.EDGE else in_cloud,
        )
    else:
        args = parts.cluster.model_copy(update={"kubeconfig": secrets.kubeconfig})
        # Before a first preview, nobody need have an account: the provider is not there yet.
        after_cloud = pulumi.ResourceOptions(providers=[cloud], depends_on=[cloud])
        cluster = ExistingAckCluster("cluster", args, after_cloud)
        nodes = 0  # It has nodes of its own, which need not be waited for.
    values |= cluster_values(cluster)
    # Nodes that cannot reach the Internet through SNAT never join.
    pools = {
        name: NodePool(name, bind(args, values), after_network)
        for name, args in parts.pools.items()
    }
    edge_pools = {
        name: EdgePool(name, bind(args, values), in_cloud)
        for name, args in parts.edge_pools.items()
    }
    for name, edge_pool in edge_pools.items():
        pulumi.export(f"{name}_join_command", edge_pool.join_command)
    pulumi.export("cluster_id", cluster.cluster_id)
    pulumi.export("kubeconfig_command", cluster.kubeconfig_command)
    values |= {placeholders.pool_id(name): pool.node_pool_id for name, pool in pools.items()}
    values |= {placeholders.pool_id(name): pool.node_pool_id for name, pool in edge_pools.items()}
    awaited = platform_pools(parts.pools, nodes)
    return TargetCluster(cluster.provider, pools, awaited, cloud, values=values)


def platform_pools(pools: Mapping[str, NodePoolArgs], nodes: int) -> frozenset[str]:
    """Names of the pools that the platform waits for: those without GPUs and taints.

    A node registers once its drivers are installed (ACK, introduction-to-node-initialization,
    2026-03-07), so nodes without GPUs come first. Where they are too few, the platform waits for
    all pools: any may have the others.

    Args:
        pools: All pools, by name.
        nodes: How many nodes there have to be.
    """
    sizes = {name: _fewest(args) for name, args in pools.items() if _hosts_platform(args)}
    names = frozenset(name for name, size in sizes.items() if size)
    return names if sum(sizes.values()) >= nodes else frozenset(pools)


def _fewest(args: NodePoolArgs) -> int:
    return (args.autoscale.min if args.autoscale else args.size) or 0


def _hosts_platform(args: NodePoolArgs) -> bool:
    taints = [
        taint for taint in args.taints or [] if taint.effect is not TaintEffect.PREFER_NO_SCHEDULE
    ]
    return not taints and not any(map(has_gpu, args.instance_types))


def network_values(network: Network) -> dict[str, pulumi.Input[str]]:
    """What a network gives, by placeholder."""
    return {
        placeholders.VPC_ID: network.vpc_id,
        **{placeholders.vswitch_id(zone): id_ for zone, id_ in network.vswitch_ids.items()},
        **{placeholders.pod_vswitch_id(zone): id_ for zone, id_ in network.pod_vswitch_ids.items()},
    }


def cluster_values(cluster: AckCluster | ExistingAckCluster) -> dict[str, pulumi.Input[str]]:
    """What a cluster gives, by placeholder."""
    return {
        placeholders.CLUSTER_ID: cluster.cluster_id,
        placeholders.ISSUER_URL: cluster.rrsa_oidc_issuer_url,
        placeholders.ISSUER_ARN: cluster.rrsa_oidc_provider_arn,
    }


def mount_targets(
    stores: Mapping[str, ModelBucket | ModelFileSystem],
) -> dict[str, pulumi.Input[str]]:
    """Where file systems of the stack are mounted, by placeholder."""
    return {
        placeholders.mount_target(name): store.server
        for name, store in stores.items()
        if isinstance(store, ModelFileSystem)
    }


def declare_namespaces(
    resolved: ResolvedEnvironment, cluster: TargetCluster
) -> dict[str, list[pulumi.Resource]]:
    """What has to be there before an object in a namespace, by its name."""
    environment = resolved.environment
    declared: dict[str, list[pulumi.Resource]] = {name: [] for name in used_namespaces(environment)}
    if environment.namespace in created_namespaces(environment):
        options = pulumi.ResourceOptions(provider=cluster.provider)
        namespace = kubernetes.core.v1.Namespace(
            "namespace", metadata={"name": environment.namespace}, opts=options
        )
        declared[environment.namespace].append(namespace)
    for args in resolved.namespaces:
        before = declared[args.namespace]
        team = TeamNamespace(args.namespace, args, cluster.options(*before))
        declared[args.namespace] = [*before, team]
    if resolved.elastic_quota is not None:
        after = [resource for resources in declared.values() for resource in resources]
        ElasticQuotas("elastic-quotas", resolved.elastic_quota, cluster.options(*after))
    return declared


def declare_stores(
    resolved: ResolvedEnvironment, cluster: TargetCluster
) -> dict[str, ModelBucket | ModelFileSystem]:
    """The buckets and file systems that the stack creates."""
    options = pulumi.ResourceOptions(providers=[cluster.cloud] if cluster.cloud else None)
    return {
        name: ModelBucket(name, args, options)
        if isinstance(args, ModelBucketArgs)
        else ModelFileSystem(name, cluster.bound(args), options)
        for name, args in resolved.stores.items()
    }


def declare_priorities(resolved: ResolvedEnvironment, cluster: TargetCluster) -> list[Priorities]:
    """The PriorityClasses, if there are any."""
    args = resolved.priorities
    return [Priorities("priorities", args, cluster.options())] if args.classes else []


def declare_platforms(
    resolved: ResolvedEnvironment, cluster: TargetCluster
) -> list[pulumi.Resource]:
    """What runtimes need of the cluster, each once; gives what models wait for."""
    components: dict[Platform, pulumi.Resource] = {}
    for platform, args in resolved.platforms.items():
        first = (*platform.needs, *platform.after)
        earlier = [components[part] for part in first if part in components]
        options = cluster.on_platform_nodes(*earlier)
        components[platform] = platform.component(platform.name, cluster.bound(args), options)
    return [part for platform, part in components.items() if platform in resolved.awaited]


def declare_metrics(
    resolved: ResolvedEnvironment,
    cluster: TargetCluster,
    secrets: Secrets,
    namespace: Sequence[pulumi.Resource],
) -> list[GpuMetrics]:
    """The way of metrics to the autoscaler, and what shows them to people."""
    if resolved.dashboards is not None:
        Dashboards("dashboards", resolved.dashboards, cluster.options(*namespace))
    metrics = _declare_gpu_metrics(resolved, cluster, secrets, namespace)
    if resolved.alerts is not None:
        # What collects the series brings the kind of object that rules are.
        after = cluster.options(*namespace, *metrics)
        Alerts("alerts", cluster.bound(resolved.alerts), after)
    return metrics


def _declare_gpu_metrics(
    resolved: ResolvedEnvironment,
    cluster: TargetCluster,
    secrets: Secrets,
    namespace: Sequence[pulumi.Resource],
) -> list[GpuMetrics]:
    if resolved.metrics is None:
        return []
    args = cluster.bound(resolved.metrics)
    endpoint = args.prometheus
    if endpoint is not None:
        if endpoint.url == placeholders.PROMETHEUS_URL:
            required(secrets.prometheus_url)
        secret = {"url": secrets.prometheus_url, "token": secrets.prometheus_token}
        update = {field: value for field, value in secret.items() if value is not None}
        args = args.model_copy(update={"prometheus": endpoint.model_copy(update=update)})
    return [GpuMetrics("gpu-metrics", args, cluster.on_platform_nodes(*namespace))]


def declare_files(
    part: ModelParts | TrainingParts, cluster: TargetCluster, namespace: Sequence[pulumi.Resource]
) -> list[pulumi.Resource]:
    """The claims on what a model or a job reads and writes, and what fills it first."""
    claims = declare_claims(part.claims, cluster, namespace)
    return [*claims, *declare_imports(part.imports, cluster, namespace)]


def declare_claims(
    claims: Sequence[ClaimPart], cluster: TargetCluster, namespace: Sequence[pulumi.Resource]
) -> list[ModelStore]:
    """The claims on folders of stores, each after its store."""
    declared = []
    for claim in claims:
        store = [cluster.stores[claim.store]] if claim.store in cluster.stores else []
        options = cluster.options(*namespace, *store)
        component = ModelStore(claim.name, cluster.bound(claim.args), options)
        if not claim.args.writable and not claim.is_filled:
            pulumi.export(f"{claim.name}_upload_command", component.upload_command)
        declared.append(component)
    return declared


def declare_imports(
    imports: Sequence[ImportPart], cluster: TargetCluster, namespace: Sequence[pulumi.Resource]
) -> list[ModelImport]:
    """What fills folders of stores, each with a claim by which it writes."""
    declared = []
    for part in imports:
        claims = declare_claims(part.claims, cluster, namespace)
        options = cluster.on_platform_nodes(*namespace, *claims)
        component = ModelImport(part.name, cluster.bound(part.args), options)
        pulumi.export(f"{part.name}_import_log_command", component.log_command)
        declared.append(component)
    return declared


def declare_cache(
    model: ModelParts, cluster: TargetCluster, after: Sequence[pulumi.Resource]
) -> list[ModelCache]:
    """The model's copy on the cache nodes, where it has one."""
    if model.cache is None:
        return []
    # Its pods run on the nodes of its pool: it is filled while GPU nodes come.
    nodes = cluster.further_pools([required(model.section.cache).pool])
    args, options = cluster.bound(model.cache), cluster.options(*after, *nodes)
    return [ModelCache(model.section.name, args, options)]


def declare_model(
    environment: Environment,
    model: ModelParts,
    cluster: TargetCluster,
    namespace: Sequence[pulumi.Resource],
    fluid: Sequence[pulumi.Resource],
    ready: Sequence[pulumi.Resource],
) -> Served:
    """A model, from its files to its service, which comes after what has to be `ready`."""
    section, name = model.section, model.section.name
    files = declare_files(model, cluster, namespace)
    cache = declare_cache(model, cluster, [*namespace, *files, *fluid])
    in_space = cluster.options(*namespace)
    placements = [
        Placement(role, cluster.bound(args), in_space) for role, args in model.placements.items()
    ]
    # The cache waits for the claim, and the platform for its nodes.
    pools = cluster.further_pools(section.pools)
    # Its cache has waited for the model's files, but nobody has for those of further volumes.
    read = files if not cache or section.volumes else []
    options = cluster.options(*ready, *placements, *cache, *read, *pools)
    service: Served = model.runtime.component(name, cluster.bound(model.service), options)
    path = model.runtime.path(namespace_of(environment, section), section)
    if is_attached(environment, section) and section.ingress is None:
        pulumi.export(f"{name}_host", required(environment.gateway).host or service.host)
        export_way(environment, section, service.host, path)
    else:
        export_address(environment, section, service.host, path)
    return service


def declare_route(
    environment: Environment,
    model: ModelParts,
    cluster: TargetCluster,
    secrets: Secrets,
    services: Mapping[str, Served],
    platforms: Sequence[pulumi.Resource],
) -> None:
    """A model's way behind the gateway, and the share of its requests that another one gets."""
    section, name = model.section, model.section.name
    if model.route is not None:
        options = cluster.on_platform_nodes(_resource(services[name]), *platforms)
        route = with_keys(cluster.bound(model.route), secrets)
        way = serving.ModelRoute(name, route, options)
        if route.exposed:
            export_way(environment, section, way.address)
    if model.canary is not None:
        both = [_resource(services[served]) for served in (name, model.canary.model)]
        CanaryRoute(name, model.canary.args, cluster.options(*both))


def with_keys(route: "serving.ModelRouteArgs", secrets: Secrets) -> "serving.ModelRouteArgs":
    """A route whose content moderation, where it has it, signs with the stack's AccessKey."""
    if route.moderation is None:
        return route
    keys = {
        "access_key": required(secrets.content_safety_access_key),
        "secret_key": required(secrets.content_safety_secret_key),
    }
    moderation = route.moderation.model_copy(update=keys)
    return route.model_copy(update={"moderation": moderation})


def _resource(service: Served) -> pulumi.Resource:
    return cast(pulumi.Resource, service)


def declare_training(
    job: TrainingParts,
    cluster: TargetCluster,
    namespace: Sequence[pulumi.Resource],
    priorities: Sequence[pulumi.Resource],
) -> None:
    """A training job, with its files and its order of pools."""
    name = job.section.name
    files = declare_files(job, cluster, namespace)
    placement = Placement(name, cluster.bound(job.placement), cluster.options(*namespace))
    options = cluster.on_nodes(*priorities, placement, *files)
    TrainingJob(name, cluster.bound(job.job), options)


def declare_load_test(
    test: LoadTestParts,
    cluster: TargetCluster,
    namespace: Sequence[pulumi.Resource],
    service: Served,
) -> None:
    """A load test, once its model is there."""
    name = test.section.name
    claims = declare_claims(test.claims, cluster, namespace)
    options = cluster.options(_resource(service), *claims)
    load = LoadTest(name, cluster.bound(test.job), options)
    pulumi.export(f"{name}_log_command", load.log_command)
