"""What each component of an environment is given: pure functions of what the stack file says.

For values that only exist later (IDs, addresses), `placeholders` stand.
"""

import functools
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import pulumi

from components import cloud, platform, serving
from components.args import Args
from components.catalog.labels import GPU_CARD, GPU_SCHEDULE, INSTANCE_TYPE, NODE_POOL_ID
from components.catalog.metrics import METRICS, SIGNALS, Origin
from components.catalog.prices import NODE_LIST, NODES
from components.catalog.sharing import ERDMA, ERDMA_ADDON, SHARING_ADDON, GpuSharing
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import release_name
from components.crds import Toleration
from components.crds.fluid_names import LONGEST_NAME as LONGEST_DATASET_NAME
from components.crds.llm_inference_service_labels import workload_name
from components.serving.placement import distinct_tolerations, node_affinity

from . import placeholders
from .needs import GATEWAY, KNATIVE, KSERVE, Needs
from .sections.environment import Environment
from .sections.load_tests import LoadTestSection
from .sections.models import ModelSection, PodVolumeSection, RoleSection, scales_of
from .sections.network import NetworkPlugin
from .sections.pools import AnyPoolSection, EdgePoolSection, NodesSection, PoolSection
from .sections.stores import FilesSection, StoreSection, VolumeSection
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
GATEWAY_PROXIES: Final = ("envoy-gateway-system",)
"""Namespace of the proxies of the gateway before the models, ACK's and Envoy Gateway's."""
CACHE_CONTROLLERS: Final = ("fluid-system",)
"""Namespace of Fluid's controllers."""
PROMETHEUS: Final = ("arms-prom", "monitoring")
"""Namespaces of the agent of Managed Service for Prometheus, and of a Prometheus by custom."""
DEFAULT_PORT: Final = 8080
"""Port of a server that names none."""
SHARE_OF_A_PART: Final = 0.9
"""What vLLM takes of its part of a card where the stack file says nothing."""


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
        section: What it calls as `kind` does is handed over as it is. Where a list or mapping is
            empty unless it is given, and `kind` may lack it, an empty one is left out.
        fields: Whatever is called otherwise, comes from elsewhere, or is not handed over as it is.
    """
    for field in kind.model_fields.keys() & type(section).model_fields.keys() - fields.keys():
        value, unless_given = getattr(section, field), type(section).model_fields[field].default
        may_lack = unless_given in ([], {}) and kind.model_fields[field].default is None
        if value or not may_lack:
            fields[field] = value
    return kind(**fields)


def _account(environment: Environment) -> dict[str, Any]:
    """What everything in the account is given."""
    return {"tags": environment.tags or None, "resource_group_id": environment.resource_group_id}


# --- cloud ---------------------------------------------------------------------------------------


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


# --- platform ------------------------------------------------------------------------------------


def fluid_args(environment: Environment) -> platform.FluidArgs | None:
    """Fluid, if any model is cached. Its chart tolerates every taint by itself."""
    section = environment.fluid
    if not section.install or not environment.has_caches:
        return None
    return platform.FluidArgs(chart=made_of(platform.FluidChart, section))


def gpu_metrics_args(environment: Environment) -> platform.GpuMetricsArgs | None:
    """The way of metrics to the autoscaler, if the environment has one; the token is not here."""
    section = environment.gpu_metrics
    if section is None or not section.install:
        return None
    secret = environment.prometheus_url is not None or not environment.existing
    endpoint = None
    if section.adapter:
        url = placeholders.PROMETHEUS_URL if secret else required(section.url)
        endpoint = platform.PrometheusEndpoint(url=url)
    return made_of(
        platform.GpuMetricsArgs,
        section,
        flavor=metrics_flavor(environment),
        prometheus=endpoint,
        adapter=None if section.adapter else False,
        cluster_id=cluster_id(environment) if section.exporter else None,
        vllm=platform.VllmMonitor(
            namespaces=list(
                dict.fromkeys(namespace_of(environment, model) for model in environment.models)
            ),
            port=_metrics_port(environment),
            **_monitored(environment),
        ),
    )


def _monitored(environment: Environment) -> dict[str, str]:
    """The label of monitored pods: our own, where pods are not all KServe's."""
    label = next(iter(pod_labels(environment.models[0])), None)
    has_groups = any(model.is_grouped for model in environment.models)
    return {"pod_label": label} if label and has_groups else {}


def metrics_flavor(environment: Environment) -> platform.MetricsFlavor:
    """Whose Prometheus it is: Alibaba's on the stack's own cluster."""
    return platform.MetricsFlavor.UPSTREAM if environment.existing else platform.MetricsFlavor.ARMS


def _metrics_port(environment: Environment) -> int:
    """The port of models that are scaled on vLLM's metrics, which have one; else of any model."""
    models = [*filter(is_scaled_on_vllm, environment.models)] or environment.models
    return min((model.port for model in models), default=DEFAULT_PORT)


def is_scaled_on_vllm(model: ModelSection) -> bool:
    """Whether a model is scaled on a metric that vLLM itself reports."""
    scales = [each for part in model.serve.sections.values() for each in scales_of(part).values()]
    metrics = [METRICS.get(scale.metric or "") for scale in scales]
    is_asked = any(metric and metric.series.origin is Origin.VLLM for metric in metrics)
    return is_asked or bool(signals_of(model))


def signals_of(model: ModelSection) -> list[tuple[str, serving.KedaMetric]]:
    """Metrics of vLLM that KEDA scales a model on, each with its field in the stack file."""
    fields: list[tuple[str, serving.KedaMetric]] = []
    for path, scale in model.serve.keda_scales.items():
        if scale.keda is None:
            continue
        fields.append((f"{path}.metric", serving.KedaMetric(scale.metric)))
        for index, trigger in enumerate(scale.keda.triggers):
            fields.append((f"{path}.keda.triggers[{index}].metric", trigger.metric))
    return [(field, metric) for field, metric in fields if metric in SIGNALS]


def dashboards_args(environment: Environment) -> platform.DashboardsArgs | None:
    """Grafana's dashboards, if the environment has metrics and wants them."""
    section = environment.gpu_metrics
    if section is None or not section.dashboards:
        return None
    return made_of(
        platform.DashboardsArgs,
        section,
        flavor=metrics_flavor(environment),
        namespace=section.dashboards_namespace or environment.namespace,
        objectives=None if environment.alerts is None else True,
        vllm_releases=_vllm_releases(environment),
    )


def alerts_args(environment: Environment) -> platform.AlertsArgs | None:
    """Rules on the models, if the environment wants them."""
    section = environment.alerts
    if section is None:
        return None
    metrics = environment.gpu_metrics
    return made_of(
        platform.AlertsArgs,
        section,
        flavor=metrics_flavor(environment),
        models=[_alerted(environment, model) for model in environment.models],
        namespace=section.namespace or environment.namespace,
        rule_labels=section.rule_labels or (metrics and metrics.monitor_labels),
        labels=metrics and metrics.labels,
        honor_labels=metrics and metrics.honor_labels,
    )


def _alerted(environment: Environment, model: ModelSection) -> platform.AlertedModel:
    image, prices = vllm_image(model.server.image), environment.prices
    pools = environment.placed(model.reach)
    # Of several roles, one may have all that it may have, and another one none.
    scales = [section.scale for section in model.serve.sections.values()]
    most = scales[0].max if len(scales) == 1 and scales[0].max > scales[0].min else None
    pods, replicas, workload = _alerted_pods(model)
    return platform.AlertedModel(
        name=model.name,
        namespace=namespace_of(environment, model),
        pods=pods,
        replicas=replicas,
        workload=workload,
        max_replicas=most,
        vllm=release_name(image.version) if image and image.version else None,
        objective=model.slo,
        dataset=dataset_name(environment, model) if model.cache else None,
        spot=any(isinstance(pool, PoolSection) and pool.spot for pool in pools),
        prices=replica_prices(environment, model),
        currency=prices.currency if prices else NODE_LIST.currency,
    )


def _alerted_pods(model: ModelSection) -> tuple[str, str, str]:
    """Names of a model's pods, the series of its replicas, and the names of what has them."""
    name, deployments = model.name, "kube_deployment_spec_replicas"
    if model.serve.leader_worker is not None:
        return rf"{name}-[0-9]+(-[0-9]+)?", "kube_statefulset_replicas", name
    if model.serve.llm is not None:
        groups = model.pods_per_replica > 1
        kind = "kube_statefulset_replicas" if groups else deployments
        owner = workload_name(name, groups=groups)
        # Those that read prompts are called after another Deployment.
        role = "(prefill-)?" if model.serve.llm.prefill else ""
        return rf"{owner}-{role}[^-]+(-[^-]+)?", kind, owner
    if model.serve.roles is not None:
        roles = f"{name}-({'|'.join(model.serve.roles.engines)})"
        return rf"{roles}-[0-9]+(-[0-9]+)?", "kube_statefulset_replicas", roles
    kserve = model.serve.kserve
    owner = name if kserve is None else f"{name}-predictor"
    if kserve is None or kserve.scale.on_knative:
        owner = f"{owner}-[0-9]{{5}}-deployment"
    return f"{owner}-.+", deployments, owner


def replica_prices(environment: Environment, model: ModelSection) -> list[platform.InstancePrice]:
    """What a pod costs on each type of node; nothing where that of one is not known."""
    own, cards = environment.prices, model.server.resources.whole_cards
    if model.serve.roles is not None:
        return []  # Its pods are of several sizes.
    listed = {} if own and own.currency != NODE_LIST.currency else NODES
    on_demand = {
        **{name: float(price) for name, price in listed.get(environment.region or "", {}).items()},
        **(own.nodes_hourly if own else {}),
    }
    prices: dict[str, float] = {}
    for pool in map(environment.pool, model.placement.pools):
        spot = own.spot_hourly if own and isinstance(pool, PoolSection) and pool.spot else {}
        for name in pool.instance_types if isinstance(pool, PoolSection) else [""]:
            hourly, instance = {**on_demand, **spot}.get(name), environment.instances.get(name)
            if hourly is None or instance is None or not cards or not instance.gpus:
                return []
            prices[name] = max(prices.get(name, 0), round(hourly * cards / instance.gpus, 6))
    return [
        platform.InstancePrice(instance_type=name, hourly=price) for name, price in prices.items()
    ]


def _vllm_releases(environment: Environment) -> list[str] | None:
    """The releases of vLLM that serve; None where an image does not tell its own."""
    images = [vllm_image(model.server.image) for model in environment.models]
    versions = {image.version for image in images if image}
    if not versions or None in images:
        return None
    return [release_name(version) for version in sorted(versions)]


@dataclass(frozen=True)
class Folder:
    """A folder of a store that a model, a job or a load test has."""

    name: str
    """Name of the one that does."""
    field: str
    """Field path of the folder."""
    owner: str
    """What the claim of the folder belongs to, and is called after."""
    namespace: str
    """Namespace of the one that has it."""

    @property
    def name_field(self) -> str:
        """Field path of the name."""
        return f"{self.field.rpartition('.')[0]}.name"


@dataclass(frozen=True)
class MountedFolder(Folder):
    """A folder that is mounted."""

    volume: VolumeSection


@dataclass(frozen=True)
class ImportedFolder(Folder):
    """A folder that the stack fills before it is read."""

    files: FilesSection
    server: serving.ModelServer | TrainingSection
    """The container that reads it, whose image imports where no other is named."""

    @property
    def import_owner(self) -> str:
        """What the claim belongs to by which the folder is filled."""
        return f"{self.owner}-import"

    @property
    def volume(self) -> VolumeSection:
        """The store, of which the import makes the folder: what is not there is not mounted."""
        return VolumeSection(store=self.files.store, size=self.files.size)


def _files(workload: ModelSection | TrainingSection) -> Iterator[tuple[str, str, FilesSection]]:
    """Folders of models that a workload reads: field path, what the claim belongs to, folder."""
    if isinstance(workload, TrainingSection):
        if workload.volume:
            yield f"training[{workload.name}].volume", base_model(workload), workload.volume
        return
    path = f"models[{workload.name}]"
    if workload.volume:
        yield f"{path}.volume", workload.name, workload.volume
    for volume in workload.volumes:
        if volume.files:
            yield f"{path}.volumes[{volume.name}]", volume_owner(workload, volume), volume.files


def mounts(environment: Environment) -> Iterator[MountedFolder]:
    """Every folder of a store that is mounted."""
    for workload in _workloads(environment):
        name, space = workload.name, namespace_of(environment, workload)
        if isinstance(workload, TrainingSection):
            field, owner = f"training[{name}].checkpoint", checkpoint(workload)
            yield MountedFolder(name, field, owner, space, workload.checkpoint)
        for field, owner, files in _files(workload):
            yield MountedFolder(name, field, owner, space, files.read)
    for test in environment.load_tests:
        if test.results:
            path = f"load_tests[{test.name}].results"
            space = namespace_of_test(environment, test)
            yield MountedFolder(test.name, path, results(test), space, test.results)


def imports(environment: Environment) -> Iterator[ImportedFolder]:
    """Every folder that the stack fills."""
    for workload in _workloads(environment):
        yield from imports_of(environment, workload)


def imports_of(
    environment: Environment, workload: ModelSection | TrainingSection
) -> Iterator[ImportedFolder]:
    """Those of a model or a training job."""
    server = workload if isinstance(workload, TrainingSection) else workload.server
    space = namespace_of(environment, workload)
    for field, owner, files in _files(workload):
        if files.source:
            yield ImportedFolder(workload.name, field, owner, space, files, server)


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
    shows = bool(metrics and metrics.dashboards and not metrics.dashboards_namespace)
    shows = shows or bool(environment.alerts and not environment.alerts.namespace)
    used = [namespace_of(environment, workload) for workload in _workloads(environment)]
    listed = [section.name for section in environment.namespaces]
    return list(dict.fromkeys([*([environment.namespace] if shows else []), *used, *listed]))


def created_namespaces(environment: Environment) -> list[str]:
    """Those of them that the stack creates: none that has to be there for a claim or a Secret."""
    present = {namespace_of_claim(environment, store) for store in environment.stores}
    folders = [mount for mount in mounts(environment) if _has_secret(environment, mount)]
    present |= {mount.namespace for mount in folders}
    present |= {section.name for section in environment.namespaces if not section.create}
    return [
        name
        for name in used_namespaces(environment)
        if name not in present and name not in SYSTEM_NAMESPACES
    ]


def _has_secret(environment: Environment, mount: MountedFolder) -> bool:
    """Whether a folder is read by a Secret, which is in the namespace before the stack is."""
    store = environment.store(mount.volume.store)
    return store is not None and store.oss is not None and not store.is_read_by_role


def namespace_args(environment: Environment, needs: Needs) -> list[platform.TeamNamespaceArgs]:
    """What namespaces are made of, beside the stack's own one where it has no rules."""
    created = created_namespaces(environment)
    quotas = {section.name: section.quota for section in environment.namespaces}
    isolation = isolation_of(environment, needs)
    every = (
        platform.TeamNamespaceArgs(
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


def isolation_of(environment: Environment, needs: Needs) -> platform.Isolation | None:
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
        *(GATEWAY_PROXIES if needs.sections(GATEWAY) else ()),
        *(CACHE_CONTROLLERS if environment.has_caches else ()),
        *PROMETHEUS,
        *_namespaces_of_prometheus(environment),
    ]
    # Of vSwitches that exist, nobody says the addresses; those of the VPC are pods' too.
    nodes = [zone.cidr for zone in network.zones if zone.cidr is not None] if network else []
    return platform.Isolation(
        namespaces=list(dict.fromkeys([*gateways, *section.allow_namespaces])),
        cidrs=list(dict.fromkeys([*nodes, *section.allow_cidrs])),
    )


def _namespaces_of_prometheus(environment: Environment) -> Iterator[str]:
    """Namespace of a Prometheus in the cluster, by its address there."""
    url = environment.gpu_metrics.url if environment.gpu_metrics else None
    host = (urlsplit(url or "").hostname or "").split(".")
    if host[2:3] == ["svc"]:
        yield host[1]


def elastic_quota_args(environment: Environment) -> platform.ElasticQuotasArgs | None:
    """The tree of quotas, where there is one."""
    section = environment.elastic_quota
    return platform.ElasticQuotasArgs(groups=section.groups) if section else None


def volume_owner(model: ModelSection, volume: PodVolumeSection) -> str:
    """Name of a further volume of a model, to which a claim belongs."""
    return f"{model.name}-{volume.name}"


def import_args(environment: Environment, imported: ImportedFolder) -> serving.ModelImportArgs:
    """The Job that fills a folder."""
    source = required(imported.files.source)
    claim, _ = claim_and_folder(environment, imported.import_owner, imported.volume)
    return serving.ModelImportArgs(
        source=source,
        namespace=imported.namespace,
        claim=required(claim),
        folder=imported.files.folder.strip("/"),
        size=imported.files.size,
        image=source.image or imported.server.image,
        image_pull_secrets=imported.server.image_pull_secrets or None,
    )


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
    volume = required(model.volume).read
    digest = _digest(model.name, required(environment.store(volume.store)), volume)
    name = f"{model.name}-dataset-{digest}"
    if len(name) <= LONGEST_DATASET_NAME:
        return name
    return f"{model.name[: LONGEST_DATASET_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def _digest(owner: str, store: StoreSection, volume: VolumeSection) -> str:
    """Tells sources apart."""
    bucket, server = store.oss and store.oss.bucket, store.nas and store.nas.server
    if store.cpfs:
        server = f"{store.cpfs.file_system_id or ''}@{store.cpfs.server or ''}"
    claim = store.claim and store.claim.name
    return _source_digest(owner, store.name, bucket, server, claim, volume.path, volume.size)


@functools.lru_cache(maxsize=1024)
def _source_digest(*source: str | None) -> str:
    """Of texts, since sections with lists in them are no keys of a cache."""
    return hashlib.sha256(json.dumps(source).encode()).hexdigest()[:8]


def claim_args(
    environment: Environment,
    owner: str,
    volume: VolumeSection,
    prefix: str,
    namespace: str,
    *,
    writable: bool = False,
    written: str | None = None,
) -> cloud.ModelStoreArgs:
    """The claim on a folder of a bucket or file system.

    Args:
        environment: What the stack file says.
        owner: The model that it is of, or the checkpoint.
        volume: The folder.
        prefix: What begins the name of the RAM role that reads a bucket, see `name_prefix`.
        namespace: Namespace of the claim.
        writable: Whether pods may write.
        written: Folder of a bucket that they may write to. Default: all that is mounted.
    """
    store = required(environment.store(volume.store))
    if [store.oss, store.nas, store.cpfs].count(None) != 2:
        raise Unresolved(store.name)
    oss = nas = cpfs = None
    if store.oss:
        region, key = required(environment.region), store.oss.kms_key_id
        by_role = {
            "role_name": role_name(prefix, owner),
            "oidc_issuer_url": placeholders.ISSUER_URL,
            "oidc_provider_arn": placeholders.ISSUER_ARN,
            "tags": environment.tags or None,
        }
        oss = made_of(
            cloud.OssStore,
            store.oss,
            region=region,
            path=volume.path,
            written_path=written,
            # A wildcard stands for the account, which has the key as it has the bucket.
            kms_key_arn=f"acs:kms:{region}:*:key/{key}" if key else None,
            **({} if store.oss.secret else by_role),
        )
    if store.nas:
        server = store.nas.server or placeholders.mount_target(store.name)
        nas = cloud.NasStore(server=server, path=volume.path)
    if store.cpfs:
        cpfs = made_of(cloud.CpfsStore, store.cpfs, path=volume.path)
    return cloud.ModelStoreArgs(
        claim_name=claim_name(environment, owner, volume),
        namespace=namespace,
        size=volume.size,
        oss=oss,
        nas=nas,
        cpfs=cpfs,
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
    environment: Environment, model: ModelSection, pools: list[serving.PlacementPool]
) -> serving.ModelCacheArgs:
    """The model's copy on the cache nodes, for pods on its pools."""
    tier = required(model.cache)
    pool = _pool(environment, tier.pool)
    source = claim_and_folder(environment, model.name, required(model.volume).read)
    return serving.ModelCacheArgs(
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
    pools: list[serving.PlacementPool],
    labels: dict[str, str],
) -> serving.PlacementArgs:
    """The order of pools for the workload's pods, which carry the labels."""
    return serving.PlacementArgs(
        selector=labels,
        pools=pools,
        namespace=namespace_of(environment, workload),
        preempt_policy=workload.placement.preempt_policy,
        enforcer=enforcer(environment),
    )


def enforcer(environment: Environment) -> serving.Enforcer:
    """What keeps the order of pools: a ResourcePolicy wherever its scheduler is."""
    return (
        serving.Enforcer.NODE_AFFINITY if environment.existing else serving.Enforcer.RESOURCE_POLICY
    )


def placement_pools(
    environment: Environment, workload: ModelSection | TrainingSection | RoleSection
) -> list[serving.PlacementPool]:
    """The pools of a workload, as all that is declared for it sees them."""
    return [
        serving.PlacementPool(
            name=pool.name,
            node_selector=node_selector(environment, pool),
            autoscaled=isinstance(pool, PoolSection) and pool.autoscale is not None,
            tolerations=tolerations(pool) or None,
        )
        for pool in (_pool(environment, name) for name in required(workload.placement).pools)
    ]


def pod_labels(workload: ModelSection | TrainingSection) -> dict[str, str]:
    """Labels that we put on a workload's pods."""
    return {"release": workload.name}


def node_selector(environment: Environment, pool: AnyPoolSection) -> dict[str, pulumi.Input[str]]:
    """Labels that only the pool's nodes carry: its card, or its ID where pools share a card."""
    if isinstance(pool, NodesSection):
        return dict(pool.node_selector)
    sharing = [sibling for sibling in environment.all_pools if sibling.gpu == pool.gpu]
    card = environment.card(pool)
    if isinstance(pool, PoolSection) and card and card.label and len(sharing) == 1:
        return {GPU_CARD: card.label}
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
    environment: Environment, model: ModelSection, pools: list[serving.PlacementPool]
) -> serving.ModelArgs:
    """What a model is given whoever serves it: on its cache, or else on its claim."""
    claim, folder = (
        (dataset_name(environment, model), None)
        if model.cache
        else claim_and_folder(environment, model.name, model.volume and model.volume.read)
    )
    return made_of(
        serving.ModelArgs,
        model,
        server=server(environment, model),
        namespace=namespace_of(environment, model),
        labels=pod_labels(model),
        claim=claim,
        sub_path=folder,
        volumes=[pod_volume(environment, model, volume) for volume in model.volumes] or None,
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
        priority_class=model.priority,
        disruption_budget=model.pod_disruption_budget,
        cluster_local=environment.is_behind_gateway(model) or None,
        wait_seconds=environment.waits.service_seconds,
    )


def pod_volume(
    environment: Environment, model: ModelSection, volume: PodVolumeSection
) -> serving.PodVolume:
    """A further volume of a model's pod: a store's folder is a claim of it."""
    claim, folder = volume.claim, None
    if volume.store is not None:
        files = required(volume.files).read
        claim, folder = claim_and_folder(environment, volume_owner(model, volume), files)
    return made_of(serving.PodVolume, volume, claim=claim, folder=folder)


def training_args(
    environment: Environment, job: TrainingSection, pools: list[serving.PlacementPool]
) -> serving.TrainingJobArgs:
    """The Job of a training, with its checkpoint."""
    claim, folder = claim_and_folder(environment, checkpoint(job), job.checkpoint)
    model, part = claim_and_folder(environment, base_model(job), job.volume and job.volume.read)
    return made_of(
        serving.TrainingJobArgs,
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
        tolerations=distinct_tolerations(pools) or None,
        node_affinity=node_affinity(pools, enforcer(environment)),
    )


def checkpoint(job: TrainingSection) -> str:
    """Name of a job's checkpoint, to which a claim belongs."""
    return f"{job.name}-checkpoint"


def base_model(job: TrainingSection) -> str:
    """Name of the model that a job starts from, to which a claim belongs."""
    return f"{job.name}-model"


def server(environment: Environment, model: ModelSection) -> serving.ModelServer:
    """The container of a model, with its part of a card, and the Secret of its key."""
    update: dict[str, Any] = {}
    secret, secrets = model.api_key_secret, model.server.secret_env or []
    if secret is not None and secret not in secrets:
        update["secret_env"] = [*secrets, secret]
    share = _share_of_a_card(environment, model)
    if share is not None and model.server.vllm is not None:
        update["vllm"] = model.server.vllm.model_copy(update={"gpu_memory_utilization": share})
    return model.server.model_copy(update=update) if update else model.server


def memory_share(part_gib: int, card_gib: int, share: float = SHARE_OF_A_PART) -> float:
    """The share of a card that a share of a part of it is, rounded down to a percent."""
    return math.floor(100 * share * part_gib / card_gib) / 100


def _share_of_a_card(environment: Environment, model: ModelSection) -> float | None:
    """What vLLM takes of a card of which it has a part that nothing isolates; None elsewhere.

    A pod may land on any of its pools, so that the largest of their cards counts.
    """
    vllm, part = model.server.vllm, model.server.resources.gpu_gib
    if vllm is None or not part or "gpu_memory_utilization" in vllm.model_fields_set:
        return None
    sizes = [
        card.memory_gib
        for pool in environment.placed(model.placement)
        if pool.gpu_sharing is GpuSharing.SHARE and (card := environment.card(pool))
    ]
    return memory_share(part, max(sizes)) if sizes else None


def load_test_args(
    environment: Environment, test: LoadTestSection, url: str, labels: dict[str, str]
) -> serving.LoadTestArgs:
    """The Job of a load test, next to its model.

    Args:
        environment: What the stack file says.
        test: The load test.
        url: Address of the model inside the cluster.
        labels: Labels that the model's pods have, and no others.
    """
    model = required(environment.model(test.model))
    # The tokenizer is small: the store has it on every node, and no cache has to come there.
    claim, folder = claim_and_folder(environment, model.name, model.volume and model.volume.read)
    results_claim, results_folder = claim_and_folder(environment, results(test), test.results)
    vllm = model.server.vllm
    return made_of(
        serving.LoadTestArgs,
        test,
        url=test.url or url,
        served_model_name=test.served_name or model.server.served_name or model.name,
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
