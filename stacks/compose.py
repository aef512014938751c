"""Turns an environment into components, in the order in which they come to exist.

Network -> cluster -> pools -> platform -> per model: store -> cache -> placement -> service.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pulumi

from components.bindings import alicloud, kubernetes
from components.cloud import (
    AckCluster,
    EdgePool,
    ExistingCluster,
    ExistingClusterArgs,
    ModelBucket,
    ModelFileSystem,
    ModelStore,
    Network,
    NodePool,
)
from components.platform import (
    Dashboards,
    Fluid,
    GpuMetrics,
    Priorities,
    PrioritiesArgs,
)
from components.serving import LoadTest, ModelCache, Placement, PlacementPool, TrainingJob
from components.serving.load_generators import REQUEST_SECONDS
from components.serving.server import API_KEY

from . import arguments
from .arguments import given
from .environment import PROJECT, Environment, Model, Store, Training, Volume
from .environment import LoadTest as LoadTestSection
from .platforms import Platform
from .runtimes import (
    RUNTIMES,
    Served,
    awaited_platforms,
    load_test_args,
    models_by_platform,
    selected_labels,
)
from .site import Site

SYSTEM_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})

MadeStore = ModelBucket | ModelFileSystem


@dataclass(frozen=True)
class Secrets:
    """The secrets of a stack: Outputs from the engine to a resource, and nowhere else."""

    kubeconfig: pulumi.Output[str] | None = None
    """Reaches an existing cluster."""
    prometheus_url: pulumi.Output[str] | None = None
    """Address of Managed Service for Prometheus."""
    prometheus_token: pulumi.Output[str] | None = None
    """Its token."""


def deploy(environment: Environment, secrets: Secrets) -> None:
    """Declares everything that an environment is made of."""
    if environment.existing:
        site = reach_existing_cluster(environment, given(secrets.kubeconfig))
    else:
        site = create_cluster(environment)

    namespace = declare_namespace(environment, site)
    stores = {store.name: declare_store(environment, store, site) for store in environment.stores}
    priorities = declare_priorities(environment, site)
    fluid = declare_fluid(environment, site)
    platforms = declare_platforms(environment, site)
    metrics = declare_metrics(environment, site, secrets, namespace)

    services: dict[str, Served] = {}
    for model in environment.models:
        claim = declare_claim(environment, model.name, model.volume, site, stores, namespace)
        pools = arguments.placement_pools(environment, model, site.pool_ids)
        cache = declare_cache(environment, model, pools, site, [*namespace, *claim, *fluid])
        placement = declare_placement(environment, model, pools, site, namespace)
        # The cache waits for the claim, and the servers for nodes.
        needed = [*priorities, placement, *platforms, *metrics, *(cache or claim)]
        service = declare_service(environment, model, pools, site, needed)
        export_address(environment.namespace, model, service.host)
        services[model.name] = service

    for job in environment.training:
        name = arguments.checkpoint(job)
        claim = declare_claim(
            environment, name, job.checkpoint, site, stores, namespace, writable=True
        )
        if job.volume:
            name = arguments.base_model(job)
            claim += declare_claim(environment, name, job.volume, site, stores, namespace)
        pools = arguments.placement_pools(environment, job, site.pool_ids)
        placement = declare_placement(environment, job, pools, site, namespace)
        TrainingJob(
            job.name,
            arguments.training_args(environment, job, pools),
            site.on_nodes(*priorities, placement, *claim),
        )

    for number, test in enumerate(environment.load_tests):
        if test.run is None:
            export_run_command(number, test)
        else:
            claim = declare_results(environment, test, site, stores, namespace)
            after = [cast(pulumi.Resource, services[test.model]), *claim]
            made = LoadTest(test.name, load_test_args(environment, test), site.options(*after))
            pulumi.export(f"{test.name}_log_command", made.log_command)


def reach_existing_cluster(environment: Environment, kubeconfig: pulumi.Output[str]) -> Site:
    """A cluster that is used as it is."""
    args = ExistingClusterArgs(kubeconfig=kubeconfig, context=environment.cluster.context)
    return Site(ExistingCluster("cluster", args).provider)


def create_cluster(environment: Environment) -> Site:
    """Network, ACK cluster and pools of the stack's own."""
    cloud = alicloud.Provider(
        "alicloud",
        region=environment.region,
        # Left out, the provider asks the billing API for it at every start.
        account_type=environment.account_type,
        skip_region_validation=True,
    )
    in_cloud = pulumi.ResourceOptions(providers=[cloud])
    network = Network("network", arguments.network_args(environment), in_cloud)
    cluster = AckCluster(
        "cluster",
        arguments.cluster_args(
            environment, _prefix(), network.vswitch_ids, network.pod_vswitch_ids
        ),
        # Nodes that cannot reach the internet through SNAT never join.
        pulumi.ResourceOptions(providers=[cloud], depends_on=[network]),
    )
    pools = {
        pool.name: NodePool(
            pool.name,
            arguments.pool_args(pool, cluster.cluster_id, network.vswitch_ids),
            in_cloud,
        )
        for pool in environment.pools
    }
    edge_pools = {
        pool.name: EdgePool(pool.name, arguments.edge_pool_args(pool, cluster.cluster_id), in_cloud)
        for pool in environment.edge_pools
    }
    for name, edge_pool in edge_pools.items():
        pulumi.export(f"{name}_join_command", edge_pool.join_command)
    pulumi.export("cluster_id", cluster.cluster_id)
    pulumi.export("kubeconfig_command", cluster.kubeconfig_command)
    return Site(cluster.provider, pools, edge_pools, cloud, network, cluster)


def declare_namespace(environment: Environment, site: Site) -> list[pulumi.Resource]:
    """The namespace of the models, unless it is there already: with a claim, or from the start."""
    if environment.namespace in SYSTEM_NAMESPACES or any(s.claim for s in environment.stores):
        return []
    options = pulumi.ResourceOptions(provider=site.provider)
    return [
        kubernetes.core.v1.Namespace(
            "namespace", metadata={"name": environment.namespace}, opts=options
        )
    ]


def declare_priorities(environment: Environment, site: Site) -> list[Priorities]:
    """The PriorityClasses, if there are any."""
    args = PrioritiesArgs(classes=environment.priorities)
    return [Priorities("priorities", args, site.options())] if args.classes else []


def declare_fluid(environment: Environment, site: Site) -> list[Fluid]:
    """Fluid, if any model is cached."""
    args = arguments.fluid_args(environment)
    return [Fluid("fluid", args, site.on_nodes())] if args else []


def declare_platforms(environment: Environment, site: Site) -> list[pulumi.Resource]:
    """What runtimes need of the cluster, each once; gives what models wait for."""
    components: dict[Platform, pulumi.Resource] = {}
    for platform, models in models_by_platform(environment).items():
        args = platform.args(environment, models, site.cluster_id)
        if args is not None:
            earlier = [components[need] for need in platform.needs if need in components]
            options = site.on_nodes(*earlier)
            components[platform] = platform.component(platform.name, args, options)
    awaited = awaited_platforms(environment)
    return [component for platform, component in components.items() if platform in awaited]


def declare_metrics(
    environment: Environment,
    site: Site,
    secrets: Secrets,
    namespace: Sequence[pulumi.Resource],
) -> list[GpuMetrics]:
    """The way of metrics to the autoscaler, and what shows them to people."""
    dashboards = arguments.dashboards_args(environment, ours=site.cluster is not None)
    if dashboards is not None:
        Dashboards("dashboards", dashboards, site.options(*namespace))
    args = arguments.gpu_metrics_args(
        environment, site.cluster_id, secrets.prometheus_url, secrets.prometheus_token
    )
    return [GpuMetrics("gpu-metrics", args, site.on_nodes(*namespace))] if args else []


def declare_service(
    environment: Environment,
    model: Model,
    pools: list[PlacementPool],
    site: Site,
    needed: Sequence[pulumi.Resource],
) -> Served:
    """The model's service, by whichever way it is served."""
    runtime = RUNTIMES[model.serve.kind]
    shared = arguments.model_args(environment, model, pools)
    args = runtime.args(environment, model, shared)
    return runtime.component(model.name, args, site.options(*needed))


def export_address(namespace: str, model: Model, host: pulumi.Output[str]) -> None:
    """What a person needs to ask a model, and to load it: GATEWAY is the ingress' address."""
    name = model.server.served_name or model.name
    question = {"model": name, "messages": [{"role": "user", "content": "你好"}]}
    body = json.dumps({**question, "max_tokens": 512}, ensure_ascii=False)
    load = json.dumps({**question, "max_tokens": 10}, ensure_ascii=False)
    kind = "-H 'Content-Type: application/json'"
    if model.api_key_secret is not None:
        kind += f' -H "Authorization: Bearer {key_command(namespace, model.api_key_secret)}"'
    # Whoever finds no pod waits for one, and hey by itself for no more than 20 seconds.
    [section] = model.serve.sections.values()
    wait = getattr(section, "request_seconds", None) or REQUEST_SECONDS
    url = "http://$GATEWAY/v1/chat/completions"
    pulumi.export(f"{model.name}_host", host)
    pulumi.export(
        f"{model.name}_curl",
        host.apply(lambda known: f"curl -H 'Host: {known}' {kind} -d '{body}' {url}"),
    )
    pulumi.export(
        f"{model.name}_load",
        host.apply(
            lambda known: f"hey -z 2m -c 5 -t {wait} -m POST -host {known} {kind} -d '{load}' {url}"
        ),
    )


def key_command(namespace: str, secret: str) -> str:
    """What a shell puts a model's key in place of; the key itself is in no output."""
    path = f"-o jsonpath='{{.data.{API_KEY}}}'"
    return f"$(kubectl --namespace {namespace} get secret {secret} {path} | base64 -d)"


def export_run_command(number: int, test: LoadTestSection) -> None:
    """How a load test is asked for that is only declared."""
    key = f"{PROJECT}:load_tests[{number}].run"
    command = f"pulumi config set --path '{key}' first && pulumi up"
    pulumi.export(f"{test.name}_run_command", command)


def declare_store(environment: Environment, store: Store, site: Site) -> MadeStore | None:
    """The bucket or file system of a store, where the stack creates one."""
    in_cloud = pulumi.ResourceOptions(providers=[site.cloud] if site.cloud else None)
    if store.oss and store.oss.create:
        return ModelBucket(store.name, arguments.bucket_args(environment, store), in_cloud)
    if store.nas and store.nas.server is None:
        network = given(site.network)
        args = arguments.file_system_args(
            environment,
            store,
            _prefix(),
            network.vpc_id,
            network.vswitch_ids,
        )
        return ModelFileSystem(store.name, args, in_cloud)
    return None


def declare_claim(
    environment: Environment,
    name: str,
    volume: Volume,
    site: Site,
    stores: Mapping[str, MadeStore | None],
    namespace: Sequence[pulumi.Resource],
    *,
    writable: bool = False,
) -> list[ModelStore]:
    """The claim on a folder of a store; nothing where the store is itself a claim."""
    if given(environment.store(volume.store)).claim:
        return []
    made = stores[volume.store]
    args = arguments.claim_args(
        environment,
        name,
        volume,
        _prefix(),
        site.issuer,
        made.server if isinstance(made, ModelFileSystem) else None,
        writable=writable,
    )
    claim = ModelStore(name, args, site.options(*namespace, *([made] if made else [])))
    if not writable:
        pulumi.export(f"{name}_upload_command", claim.upload_command)
    return [claim]


def declare_results(
    environment: Environment,
    test: LoadTestSection,
    site: Site,
    stores: Mapping[str, MadeStore | None],
    namespace: Sequence[pulumi.Resource],
) -> list[ModelStore]:
    """The claim that keeps a load test's reports, where it has one."""
    if test.results is None:
        return []
    name = arguments.results(test)
    return declare_claim(environment, name, test.results, site, stores, namespace, writable=True)


def declare_cache(
    environment: Environment,
    model: Model,
    pools: list[PlacementPool],
    site: Site,
    after: Sequence[pulumi.Resource],
) -> list[ModelCache]:
    """The model's copy on the cache nodes, where it has one."""
    if model.cache is None:
        return []
    args = arguments.cache_args(environment, model, pools, site.pool_ids.get(model.cache.pool))
    return [ModelCache(model.name, args, site.options(*after))]


def declare_placement(
    environment: Environment,
    workload: Model | Training,
    pools: list[PlacementPool],
    site: Site,
    namespace: Sequence[pulumi.Resource],
) -> Placement:
    """The order of pools for a workload's pods."""
    labels = selected_labels(workload)
    args = arguments.placement_args(environment, workload, pools, labels)
    return Placement(workload.name, args, site.options(*namespace))


def _prefix() -> str:
    return arguments.name_prefix(pulumi.get_project(), pulumi.get_stack())
