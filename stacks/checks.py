"""Rules across the sections of a stack file: each would only show as a pod that never starts.

A check is one function from an environment to faults. `CHECKS` says which sections it reads, so
that a section that is refused already is not judged again.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from components.args import MISSING, Fault, Words, nearest
from components.catalog.charts import KNATIVE_SERVING_MINIMUM, KNATIVE_SERVING_VERSION
from components.catalog.gpus import GPUS
from components.catalog.instances import FLANNEL_PODS, GIB, Allocatable, allocatable
from components.catalog.metrics import METRICS, MetricsFlavor, Origin, offered
from components.catalog.regions import oss_internal_endpoint, region_of
from components.catalog.vllm import (
    MINIMUM_CAPABILITY,
    MINIMUM_DRIVER,
    V100_CAPABILITY,
    V100_DROPPED,
    VllmImage,
    vllm_image,
)
from components.cloud.network import find_network_faults, find_overlap_faults
from components.cloud.node_pool import ImageType
from components.crds.knative_rules import RESERVED_PORTS, RESERVED_VARIABLES
from components.quantity import gib, parse
from components.serving.knative_model import ReserveType
from components.serving.model_cache import WORKER_OVERHEAD, Medium
from components.serving.server import Resources

from .environment import (
    AnyPool,
    CertManagerMode,
    EdgePool,
    Environment,
    Model,
    NetworkPlugin,
    Nodes,
    Placement,
    Pool,
    Profile,
    Training,
    Volume,
)

DAEMONSETS_CPU_MILLIS: Final = 1000
"""CPU that network, storage, metrics and log agents take of each node; a judgement."""
DAEMONSETS_MEMORY: Final = 2 * GIB
"""Memory that they take; a judgement."""
DAEMONSETS_PODS: Final = 10
"""Pods that they are; a judgement."""
KNATIVE_ADDON_NODES: Final = 3
"""Worker nodes that ACK wants before it installs Knative: ACK, "Deploy Knative"."""
KNATIVE_ADDON_KUBERNETES: Final = (1, 28)
"""Lowest Kubernetes version of ACK's Knative add-on: ACK, "Deploy Knative"."""
KSERVE_KUBERNETES: Final = (1, 32)
"""Lowest Kubernetes version of KServe 0.20: KServe, administrator guide, 2026-08."""
RRSA_OSS_KUBERNETES: Final = (1, 26)
"""Lowest Kubernetes version of OSS volumes with RRSA: ACK, "Mount OSS volumes"."""
OSS_READ_GIB_PER_SECOND: Final = 0.16
"""Rate at which a pod reads a model from OSS without a cache: article 000, 15 GB in 90 s."""
NODE_SCALE_OUT_SECONDS: Final = 170
"""From a pod that fits nowhere to a GPU node that is ready: 50 s measured, 120 s for drivers."""

SECTIONS: Final = {Pool: "pools", EdgePool: "edge_pools", Nodes: "nodes"}
"""Sections of the stack file that pools of a kind stand in."""
PLUGINS: Final = {
    Profile.PRO: (NetworkPlugin.TERWAY, NetworkPlugin.FLANNEL),
    Profile.EDGE: (NetworkPlugin.FLANNEL, NetworkPlugin.TERWAY_EDGE),
}
"""Network plugins per kind of cluster: ACK Edge, "Network management"."""

Finder = Callable[[Environment], Iterator[Fault]]


@dataclass(frozen=True)
class Check:
    """A rule, and the fields outside of lists that it depends on."""

    find: Finder
    reads: tuple[str, ...]

    def depends_on(self, fields: Iterable[str]) -> bool:
        """Whether one of the fields is, holds, or lies in one that the rule reads."""
        return any(overlaps(read, field) for read in self.reads for field in fields)


def find_faults(environment: Environment, broken: Collection[str] = ()) -> list[Fault]:
    """Everything that keeps the environment from working.

    Args:
        environment: What the stack file says.
        broken: Fields that are refused already; rules that depend on one are left out.
    """
    checks = [check for check in CHECKS if not check.depends_on(broken)]
    return [fault for check in checks for fault in check.find(environment)]


def overlaps(field: str, other: str) -> bool:
    """Whether one of two field paths is, or lies in, the other."""
    short, long = sorted((field, other), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))


def find_warnings(environment: Environment) -> list[str]:
    """What works, but will surprise."""
    return [sentence for find in WARNINGS for sentence in find(environment)]


# --- names ---------------------------------------------------------------------------------------


def names_are_unique(environment: Environment) -> Iterator[Fault]:
    """Within a section, and for models and jobs, which share a namespace."""
    sections = {
        "pools": [pool.name for pool in environment.pools],
        "edge_pools": [pool.name for pool in environment.edge_pools],
        "nodes": [nodes.name for nodes in environment.nodes],
        "stores": [store.name for store in environment.stores],
        "priorities": [entry.name for entry in environment.priorities],
        "instance_types": [entry.name for entry in environment.instance_types],
        "models": [model.name for model in environment.models],
        "training": [job.name for job in environment.training],
    }
    for section, names in sections.items():
        for name in _repeated(names):
            why = "an entry is known by its name"
            yield Fault(f"{section}[{name}].name", name, "given to one entry only", why)
    for name in set(sections["pools"]) & set(sections["edge_pools"]):
        why = "placements know pools of both kinds by their names"
        yield Fault(f"edge_pools[{name}].name", name, "different from the pool of that name", why)
    for name in set(sections["models"]) & set(sections["training"]):
        want = "different from the model of that name"
        why = "each gets a ResourcePolicy and labels of its name in the same namespace"
        yield Fault(f"training[{name}].name", name, want, why)


def claims_are_unique(environment: Environment) -> Iterator[Fault]:
    """Models, checkpoints and caches have claims of their own in one namespace."""
    cached = {f"{model.name}-dataset": model.name for model in environment.models if model.cache}
    saved = {f"{job.name}-checkpoint": job.name for job in environment.training}
    for model in environment.models:
        field, name = f"models[{model.name}].name", model.name
        if name in cached:
            want = "no name of a cached model with -dataset behind it"
            yield Fault(field, name, want, "Fluid makes a claim of that name for the cache")
        if name in saved:
            want = "no name of a training job with -checkpoint behind it"
            yield Fault(field, name, want, "the job's checkpoint is a claim of that name")
    made = {*cached, *_made_claims(environment)}
    for store in environment.stores:
        if store.claim is not None and store.claim.name in made:
            want = "a claim that is there without this stack"
            why = "the stack, or Fluid for it, makes another claim of that name"
            yield Fault(f"stores[{store.name}].claim.name", store.claim.name, want, why)


# --- cluster and network -------------------------------------------------------------------------


def sections_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """What a cluster of ours needs, an existing one has."""
    if environment.existing:
        why = "an existing cluster is used as it is; name its nodes under nodes"
        for field in ("network", "pools", "edge_pools"):
            if getattr(environment, field):
                yield Fault(field, Words("given"), "left out", why)
        for field in ("kubeconfig", "nodes"):
            if not getattr(environment, field):
                why = "profile existing reaches a cluster by kubeconfig and knows nodes by label"
                yield Fault(field, MISSING, _how_to_give(field), why)
        return
    for field in ("region", "network", "pools"):
        if not getattr(environment, field):
            profile = environment.cluster.profile
            yield Fault(field, MISSING, "given", f"profile {profile} creates a cluster")
    for field in ("kubeconfig", "nodes"):
        if getattr(environment, field):
            why = f"profile {environment.cluster.profile} creates its cluster and its pools"
            yield Fault(field, Words("given"), "left out", why)
    if environment.edge_pools and environment.cluster.profile is not Profile.EDGE:
        why = "only an ACK Edge cluster takes in machines of an IDC"
        yield Fault("edge_pools", Words("given"), "left out, or cluster.profile edge", why)


def plugins_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """ACK and ACK Edge have different network plugins."""
    network, profile = environment.network, environment.cluster.profile
    plugins = PLUGINS.get(profile)
    if network is not None and plugins is not None and network.plugin not in plugins:
        want = " or ".join(map(repr, map(str, plugins)))
        why = f"a cluster of profile {profile} has no other"
        yield Fault("network.plugin", network.plugin, want, why)


def zones_lie_in_the_region(environment: Environment) -> Iterator[Fault]:
    """A vSwitch can only be made in a zone of the region."""
    for zone in environment.network.zones if environment.network else []:
        found = region_of(zone.id)
        if None not in (found, environment.region) and found != environment.region:
            want = f"a zone of {environment.region}"
            why = "the VPC lies in that region"
            yield Fault(f"network.zones[{zone.id}].id", zone.id, want, why)


def address_ranges_are_apart(environment: Environment) -> Iterator[Fault]:
    """VPC, vSwitches, pods and Services share no address."""
    network = environment.network
    if network is None:
        return
    for fault in find_network_faults(network.cidr, network.zones):
        yield fault.under("network")
    ranges = {"network.cidr": network.cidr, "network.service_cidr": network.service_cidr}
    if network.pod_cidr is not None:
        ranges["network.pod_cidr"] = network.pod_cidr
    yield from find_overlap_faults(ranges)


def pools_use_zones_of_the_network(environment: Environment) -> Iterator[Fault]:
    """A pool's vSwitches are the network's."""
    known = [zone.id for zone in environment.network.zones] if environment.network else []
    for pool in environment.pools:
        for zone in pool.zones or []:
            if known and zone not in known:
                why = "a pool's nodes stand in a vSwitch of the network"
                field = f"pools[{pool.name}].zones"
                yield Fault(field, zone, f"one of {', '.join(known)}", why)


def kubernetes_is_new_enough(environment: Environment) -> Iterator[Fault]:
    """Add-ons and volumes have floors; a version that is left out is ACK's newest."""
    version = _minor(environment.cluster.version)
    if version is None:
        return
    floors: list[tuple[tuple[int, int], str]] = []
    knative = any(model.on_knative for model in environment.models)
    if any(model.serve.kserve for model in environment.models) and not environment.kserve.chart:
        floors.append((KSERVE_KUBERNETES, "the pinned KServe needs it"))
    if environment.existing and knative:
        release = environment.knative.version or KNATIVE_SERVING_VERSION
        floor = _minor(KNATIVE_SERVING_MINIMUM.get(release))
        if floor is not None:
            floors.append((floor, f"Knative Serving {release} needs it"))
    elif not environment.existing:
        if knative:
            floors.append((KNATIVE_ADDON_KUBERNETES, "ACK's Knative add-on needs it"))
        if any(store.oss for store in environment.stores):
            floors.append((RRSA_OSS_KUBERNETES, "OSS volumes without an AccessKey need it"))
    for floor, why in floors:
        if version < floor:
            want = f"{floor[0]}.{floor[1]} or later"
            yield Fault("cluster.version", environment.cluster.version, want, why)


def knative_release_is_served(environment: Environment) -> Iterator[Fault]:
    """The operator serves a few releases of Serving."""
    version = environment.knative.version
    if environment.existing and version is not None and version not in KNATIVE_SERVING_MINIMUM:
        want = f"one of {', '.join(KNATIVE_SERVING_MINIMUM)}"
        why = "these are the releases that the pinned Knative operator installs"
        yield Fault("knative.version", version, want, why)


def enough_nodes_carry_the_platform(environment: Environment) -> Iterator[Fault]:
    """Controllers need nodes that are there from the start, and that they may use."""
    if environment.existing or not environment.pools:
        return
    lowest = {pool.name: _lowest_size(pool) for pool in environment.pools}
    knative = any(model.on_knative for model in environment.models)
    if knative and sum(lowest.values()) < KNATIVE_ADDON_NODES:
        got = Words(f"{sum(lowest.values())} nodes at the least")
        want = f"{KNATIVE_ADDON_NODES} nodes or more, over all pools"
        yield Fault("pools", got, want, "ACK installs Knative only on that many")
    if not any(lowest[pool.name] for pool in environment.pools if not pool.is_dedicated):
        want = "a pool with at least one node that is not dedicated to GPU pods"
        why = "the controllers of the platform have nowhere to run"
        yield Fault("pools", Words("dedicated or empty throughout"), want, why)


# --- pools ---------------------------------------------------------------------------------------


def instance_types_are_known(environment: Environment) -> Iterator[Fault]:
    """Fit and node-hours need the size of each type."""
    known = environment.instances
    for pool in environment.pools:
        for name in pool.instance_types:
            if name not in known:
                close = nearest(name, known)
                hint = f" (did you mean {close!r}?)" if close else ""
                want = f"a type of the catalogue{hint}, or described under instance_types"
                why = "whether pods fit depends on its size"
                yield Fault(f"pools[{pool.name}].instance_types", name, want, why)
    for entry in environment.instance_types:
        if entry.gpu is not None and entry.gpu not in GPUS:
            want = f"one of {', '.join(GPUS)}"
            why = "its node label and memory stand in the catalogue"
            yield Fault(f"instance_types[{entry.name}].gpu", entry.gpu, want, why)


def instance_types_have_the_card(environment: Environment) -> Iterator[Fault]:
    """The card that a pool claims is the one its nodes have."""
    for pool in environment.pools:
        for name in pool.instance_types:
            instance = environment.instances.get(name)
            if instance is None or instance.gpu == pool.gpu:
                continue
            have = f"has {instance.gpu}" if instance.gpu else "has no GPU"
            want = instance.gpu or "left out"
            field = f"pools[{pool.name}].gpu"
            yield Fault(field, pool.gpu or MISSING, want, f"{name} {have}")


# --- references ----------------------------------------------------------------------------------


def placements_name_pools(environment: Environment) -> Iterator[Fault]:
    """Each once, each there, and with GPUs where GPUs are asked for."""
    known = [pool.name for pool in environment.all_pools]
    for path, workload in _workloads(environment):
        field = f"{path}.placement.pools"
        for name in workload.placement.pools:
            pool = environment.pool(name)
            if pool is None:
                yield from _unknown(field, name, known, "pods cannot be placed on it")
            elif pool.gpu is None and _resources(workload).gpus:
                want = "a pool with a gpu"
                why = "the pod asks for GPUs and would stay pending"
                yield Fault(field, name, want, why)
        for name in _repeated(workload.placement.pools):
            yield Fault(field, name, "named once", "a pool is tried once")


def caches_name_pools(environment: Environment) -> Iterator[Fault]:
    """A cache needs nodes."""
    known = [pool.name for pool in environment.all_pools]
    for path, model in _models(environment):
        if model.cache and environment.pool(model.cache.pool) is None:
            why = "the copy of the model is kept on its nodes"
            yield from _unknown(f"{path}.cache.pool", model.cache.pool, known, why)


def stores_are_known(environment: Environment) -> Iterator[Fault]:
    """A volume is a folder of a store."""
    known = [store.name for store in environment.stores]
    for path, volume in _volumes(environment):
        if environment.store(volume.store) is None:
            why = "the files are mounted from it"
            yield from _unknown(f"{path}.store", volume.store, known, why)


def stores_suit_the_profile(environment: Environment) -> Iterator[Fault]:
    """On an existing cluster there is neither our VPC nor our RRSA roles."""
    for store in environment.stores if environment.existing else []:
        field = f"stores[{store.name}]"
        why = "profile existing creates nothing in a cloud"
        if store.oss is not None:
            want = "a claim that exists"
            yield Fault(f"{field}.oss", Words("given"), want, why)
        if store.nas is not None and store.nas.server is None:
            yield Fault(f"{field}.nas.server", MISSING, "given", why)


def oss_endpoints_are_internal(environment: Environment) -> Iterator[Fault]:
    """The public endpoint is slower, and its traffic is billed."""
    if environment.region is None:
        return
    internal = oss_internal_endpoint(environment.region)
    for store in environment.stores:
        endpoint = store.oss.endpoint if store.oss else None
        if endpoint is not None and endpoint != internal:
            why = "traffic over another endpoint leaves the VPC, is billed and slower"
            yield Fault(f"stores[{store.name}].oss.endpoint", endpoint, internal, why)


def nas_zones_are_known(environment: Environment) -> Iterator[Fault]:
    """A mount target stands in a vSwitch of the network."""
    known = [zone.id for zone in environment.network.zones] if environment.network else []
    for store in environment.stores:
        zone = store.nas.zone if store.nas else None
        if zone is not None and zone not in known and not environment.existing:
            why = "the mount target stands in a vSwitch of the network"
            yield from _unknown(f"stores[{store.name}].nas.zone", zone, known, why)


def priorities_are_known(environment: Environment) -> Iterator[Fault]:
    """A pod with an unknown PriorityClass is refused by the API server."""
    known = [entry.name for entry in environment.priorities]
    for path, workload in _workloads(environment):
        if workload.priority is not None and workload.priority not in known:
            why = "the API server refuses pods of an unknown PriorityClass"
            yield from _unknown(f"{path}.priority", workload.priority, known, why)


def training_gives_way(environment: Environment) -> Iterator[Fault]:
    """Preemption goes from high to low, so training on shared pools must be lower."""
    values = {entry.name: entry.value for entry in environment.priorities}
    for job in environment.training:
        for model in environment.models:
            shared = set(job.placement.pools) & set(model.placement.pools)
            low, high = values.get(job.priority), values.get(model.priority or "", 0)
            unknown = model.priority is not None and model.priority not in values
            if not shared or low is None or unknown or low < high:
                continue
            want = f"of a value below {high}, the priority of models[{model.name}]"
            why = f"they share {', '.join(sorted(shared))}, and only lower pods are preempted"
            yield Fault(f"training[{job.name}].priority", job.priority, want, why)


# --- fit -----------------------------------------------------------------------------------------


def requests_fit_every_pool(environment: Environment) -> Iterator[Fault]:
    """A pod fits every kind of node that it may land on, beside the node's agents."""
    for path, workload in _workloads(environment):
        resources = _resources(workload)
        section = f"{path}.server.resources" if isinstance(workload, Model) else f"{path}.resources"
        for pool in _placed(environment, workload.placement):
            for node, offer in offers(environment, pool) if pool.gpu or not resources.gpus else []:
                for field, got, room in _shortages(resources, offer):
                    want = f"at most {room} on pool {pool.name}"
                    why = f"{node} offers no more to pods beside its own agents"
                    yield Fault(f"{section}.{field}", got, want, why)


def pods_fit_the_network_plugin(environment: Environment) -> Iterator[Fault]:
    """Under Terway a node holds as many pods as it has addresses."""
    for path, workload in _workloads(environment):
        for pool in _placed(environment, workload.placement):
            for node, offer in offers(environment, pool):
                per_node = offer.gpus // max(1, _resources(workload).gpus or 0) or 1
                if offer.pods is not None and per_node + DAEMONSETS_PODS > offer.pods:
                    got = Words(f"{pool.name} with room for {offer.pods} pods a node")
                    want = f"a pool with room for {per_node + DAEMONSETS_PODS} pods a node"
                    why = f"{node} has no more addresses, and its agents take {DAEMONSETS_PODS}"
                    yield Fault(f"{path}.placement.pools", got, want, why)


def caches_hold_their_models(environment: Environment) -> Iterator[Fault]:
    """A cache that is too small drops what it has just read."""
    for path, model in _models(environment):
        if model.cache is None:
            continue
        size, quota = parse(model.volume.size), parse(model.cache.quota)
        if quota * model.cache.workers < size:
            need = math.ceil(size / model.cache.workers / GIB)
            want = f"at least {need}Gi with {model.cache.workers} workers"
            why = (
                f"the model has {model.volume.size}, and what does not fit is read again each time"
            )
            yield Fault(f"{path}.cache.quota", model.cache.quota, want, why)


def cache_nodes_have_room(environment: Environment) -> Iterator[Fault]:
    """One worker per node, and what it caches in memory is the node's memory."""
    for path, model in _models(environment):
        cache = model.cache
        pool = environment.pool(cache.pool) if cache else None
        if cache is None or pool is None:
            continue
        if isinstance(pool, Pool) and cache.workers > _lowest_size(pool):
            want = f"at most {_lowest_size(pool)}, the nodes of pool {pool.name}"
            why = "a node holds one worker of a cache, and the Dataset waits for all of them"
            yield Fault(f"{path}.cache.workers", cache.workers, want, why)
        need = parse(cache.quota) + WORKER_OVERHEAD
        for node, offer in offers(environment, pool) if cache.medium is Medium.MEM else []:
            if need > offer.memory_bytes:
                room = offer.memory_bytes - WORKER_OVERHEAD
                want = f"at most {room // GIB}Gi on pool {pool.name}"
                why = f"{node} has no more memory beside the worker and the node's agents"
                yield Fault(f"{path}.cache.quota", cache.quota, want, why)


def fluid_runs_on_the_image(environment: Environment) -> Iterator[Fault]:
    """Fluid mounts caches by a CSI plugin that ContainerOS does not carry."""
    why = "Fluid does not support ContainerOS"
    want = f"{ImageType.ALIYUN_LINUX_3} or another image than ContainerOS"
    seen: set[str] = set()
    for model in environment.models:
        if model.cache is None:
            continue
        for name in [model.cache.pool, *model.placement.pools]:
            pool = environment.pool(name)
            on_container_os = isinstance(pool, Pool) and pool.image_type is ImageType.CONTAINER_OS
            if on_container_os and name not in seen:
                seen.add(name)
                yield Fault(f"pools[{name}].image_type", ImageType.CONTAINER_OS, want, why)


# --- vLLM ----------------------------------------------------------------------------------------


def vllm_runs_on_the_cards(environment: Environment) -> Iterator[Fault]:
    """Releases drop cards, and number formats need newer ones."""
    for path, model in _models(environment):
        image = vllm_image(model.server.image)
        for pool in _placed(environment, model.placement):
            gpu = GPUS.get(pool.gpu or "")
            if gpu is None:
                continue
            if (
                image
                and image.version >= V100_DROPPED
                and gpu.compute_capability <= V100_CAPABILITY
            ):
                want = f"a vLLM below 0.9.0, or placed without pool {pool.name}"
                why = f"vLLM {image.release} has no kernels for {pool.gpu}"
                yield Fault(f"{path}.server.image", model.server.image, want, why)
            for field, value in _formats(model):
                minimum = MINIMUM_CAPABILITY.get(value)
                if minimum is not None and gpu.compute_capability < minimum:
                    want = f"another format, or placed without pool {pool.name}"
                    why = f"{value} needs compute capability {minimum}, {pool.gpu} has "
                    why += f"{gpu.compute_capability}"
                    yield Fault(f"{path}.server.vllm.{field}", value, want, why)


def drivers_run_the_image(environment: Environment) -> Iterator[Fault]:
    """CUDA 13 needs a newer driver than most nodes have."""
    for path, model in _models(environment):
        image = vllm_image(model.server.image)
        if image is None:
            continue
        for pool in _placed(environment, model.placement):
            section = SECTIONS[type(pool)]
            yield from _driver_faults(f"{section}[{pool.name}].driver", pool, image, path)


def _driver_faults(field: str, pool: AnyPool, image: VllmImage, path: str) -> Iterator[Fault]:
    minimum = MINIMUM_DRIVER.get(image.cuda)
    if minimum is None or pool.gpu is None:
        return
    why = f"{path}.server.image is vLLM {image.release} with CUDA {image.cuda}"
    if pool.driver is None:
        if image.cuda >= max(MINIMUM_DRIVER):
            yield Fault(field, MISSING, f"given, at {minimum} or later", why)
    elif int(pool.driver.split(".")[0]) < minimum:
        want = f"{minimum} or later, or the image one with -cu129 in its tag"
        yield Fault(field, pool.driver, want, why)


# --- serving -------------------------------------------------------------------------------------


def requests_end_in_time(environment: Environment) -> Iterator[Fault]:
    """Knative refuses a service that allows longer requests than the cluster does."""
    longest = environment.knative.max_request_seconds
    for path, model in _models(environment):
        knative = model.serve.knative
        if knative and (knative.request_seconds or 0) > longest:
            want = f"at most knative.max_request_seconds ({longest})"
            why = "Knative's webhook refuses longer requests"
            yield Fault(f"{path}.serve.knative.request_seconds", knative.request_seconds, want, why)


def reserved_names_are_free(environment: Environment) -> Iterator[Fault]:
    """Ports and variables that Knative's queue-proxy has for itself."""
    for path, model in _models(environment):
        server = model.server
        if not model.on_knative:
            continue
        if server.port in RESERVED_PORTS:
            want = f"none of {', '.join(map(str, sorted(RESERVED_PORTS)))}"
            yield Fault(f"{path}.server.port", server.port, want, "Knative's queue-proxy has it")
        for name in sorted({*RESERVED_VARIABLES, "PORT"} & set(server.env or {})):
            why = "Knative sets this variable itself"
            yield Fault(f"{path}.server.env.{name}", Words("set"), "left out", why)


def reserve_instances_are_offered(environment: Environment) -> Iterator[Fault]:
    """Reserve instances are a feature of ACK's Knative; ECI and ACS need a virtual node."""
    addons = {addon.name for addon in environment.cluster.addons}
    for path, model in _models(environment):
        reserve = model.serve.knative.reserve if model.serve.knative else None
        if reserve is None:
            continue
        field = f"{path}.serve.knative.reserve"
        if environment.existing:
            want = "left out; scale.min of 1 keeps a replica instead"
            yield Fault(field, Words("given"), want, "only ACK's Knative has reserve instances")
        elif reserve.type is not ReserveType.ECS and "ack-virtual-node" not in addons:
            want = "'ecs', or ack-virtual-node added under cluster.addons"
            yield Fault(f"{field}.type", reserve.type, want, "ECI and ACS run on a virtual node")


def metrics_have_an_adapter(environment: Environment) -> Iterator[Fault]:
    """An HPA whose metric nobody serves never adds a pod."""
    flavor = MetricsFlavor.UPSTREAM if environment.existing else MetricsFlavor.ARMS
    names = [metric.name for metric in offered(flavor)]
    for path, model in _models(environment):
        metric = model.serve.kserve.scale.metric if model.serve.kserve else None
        if metric not in METRICS:
            continue
        if environment.gpu_metrics is None:
            want = f"given, for {path}.serve.kserve.scale.metric"
            why = f"without its adapter nobody tells the autoscaler {metric}"
            yield Fault("gpu_metrics", MISSING, want, why)
        elif metric not in names:
            want = f"one of {', '.join(names)}"
            why = "only ACK's GPU exporter reports it"
            yield Fault(f"{path}.serve.kserve.scale.metric", metric, want, why)


def metrics_have_a_source(environment: Environment) -> Iterator[Fault]:
    """The adapter asks one Prometheus."""
    section = environment.gpu_metrics
    if section is None:
        return
    if not environment.existing:
        if environment.prometheus_url is None:
            want = "set, by `pulumi config set --secret ack-inference:prometheus_url`"
            why = "the adapter asks Managed Service for Prometheus, whose address opens it"
            yield Fault("prometheus_url", MISSING, want, why)
        if section.url is not None:
            # Not shown: whoever has that of Managed Service for Prometheus is let in.
            why = "the adapter asks Managed Service for Prometheus, at the secret prometheus_url"
            yield Fault("gpu_metrics.url", Words("given"), "left out", why)
        return
    if section.url is None:
        why = "the adapter asks the Prometheus of the cluster"
        yield Fault("gpu_metrics.url", MISSING, "given", why)
    for field in ("prometheus_url", "prometheus_token"):
        if getattr(environment, field) is not None:
            why = "the adapter asks the Prometheus of the cluster, at gpu_metrics.url"
            yield Fault(field, Words("given"), "left out", why)


def metrics_come_from_one_port(environment: Environment) -> Iterator[Fault]:
    """One PodMonitor collects the metrics of all models."""
    ports = {
        path: model.server.port or 8080
        for path, model in _models(environment)
        if model.serve.kserve and _is_of_vllm(model.serve.kserve.scale.metric)
    }
    for path, port in ports.items():
        if port != (first := min(ports.values())):
            want = f"{first}, as of the other models that are scaled on vLLM's metrics"
            why = "these are collected at one port, and a model without them never scales"
            yield Fault(f"{path}.server.port", port, want, why)


def kserve_has_cert_manager(environment: Environment) -> Iterator[Fault]:
    """KServe's webhooks refuse everything until they have a certificate."""
    served = any(model.serve.kserve for model in environment.models)
    if served and environment.cert_manager is CertManagerMode.ABSENT:
        why = "KServe's webhooks get their certificate from it"
        yield Fault("cert_manager", environment.cert_manager, "'install' or 'present'", why)


def caches_reach_their_readers(environment: Environment) -> Iterator[Fault]:
    """Fluid's pods talk to each other, which machines of an IDC often cannot."""
    for path, model in _models(environment):
        if model.cache is None:
            continue
        for name in dict.fromkeys([model.cache.pool, *model.placement.pools]):
            pool = environment.pool(name)
            if isinstance(pool, EdgePool) and not pool.interconnected:
                want = f"left out, or edge_pools[{name}].interconnected true where it is so"
                why = f"machines of {name} cannot reach the pods that hold the copy"
                yield Fault(f"{path}.cache", Words("given"), want, why)


# --- warnings ------------------------------------------------------------------------------------


def models_fill_their_cards(environment: Environment) -> Iterator[str]:
    """Weights that leave no room for the KV cache."""
    for path, model in _models(environment):
        for pool in _placed(environment, model.placement):
            gpu = GPUS.get(pool.gpu or "")
            if gpu is None or model.server.vllm is None:
                continue
            share = model.server.vllm.gpu_memory_utilization or 1
            room = gpu.memory_gib * max(1, model.server.gpus) * share
            size = float(gib(model.volume.size))
            if size >= room:
                yield (
                    f"{path}.volume.size is {model.volume.size}, and a replica on pool {pool.name} "
                    f"has {room:.1f} GiB of GPU memory for weights and KV cache together: it may "
                    "fail to load."
                )


def replicas_have_cards(environment: Environment) -> Iterator[str]:
    """More replicas than the pools can ever hold."""
    for path, model in _models(environment):
        wanted = model.most_replicas
        pools = [p for p in _placed(environment, model.placement) if isinstance(p, Pool)]
        each = model.server.gpus
        if not each or len(pools) < len(model.placement.pools):
            continue
        most = sum(_most_cards(environment, pool) // each for pool in pools)
        if wanted > most:
            way = "knative" if model.serve.knative else "kserve"
            yield (
                f"{path}.serve.{way}.scale.max is {wanted}, but the pools "
                f"{', '.join(model.placement.pools)} hold {most} replicas at most: the rest would "
                "stay pending."
            )


def starts_take_their_time(environment: Environment) -> Iterator[str]:
    """A start that takes longer than it is allowed to is started over and over."""
    for path, model in _models(environment):
        way = "knative" if model.serve.knative else "kserve"
        serve = model.serve.knative or model.serve.kserve
        if serve is None or model.cache is not None:
            continue
        elastic = any(
            isinstance(pool, Pool) and pool.autoscale
            for pool in _placed(environment, model.placement)
        )
        load = float(gib(model.volume.size)) / OSS_READ_GIB_PER_SECOND
        need = round(load + (NODE_SCALE_OUT_SECONDS if elastic else 0))
        if serve.startup_seconds and serve.startup_seconds < need:
            yield (
                f"{path}.serve.{way}.startup_seconds is {serve.startup_seconds}, but without a "
                f"cache a start is estimated at {need} s ({model.volume.size} at "
                f"{OSS_READ_GIB_PER_SECOND} GiB/s"
                f"{', and a new node' if elastic else ''}): it may never finish."
            )


def machines_reach_the_stores(environment: Environment) -> Iterator[str]:
    """OSS' internal endpoint and NAS answer inside the VPC."""
    if environment.network is None or environment.network.dedicated_line:
        return
    for path, model in _models(environment):
        edge = [p for p in _placed(environment, model.placement) if isinstance(p, EdgePool)]
        if edge:
            yield (
                f"{path}.volume is read over the VPC's own network, and network.dedicated_line is "
                f"false: machines of {', '.join(pool.name for pool in edge)} read it only over a "
                "leased line or a VPN."
            )


def private_clusters_need_a_way_in(environment: Environment) -> Iterator[str]:
    """`up` talks to the API server."""
    if not environment.existing and environment.cluster.public_endpoint is None:
        yield (
            "The API server has a private address only: run `pulumi up` where it can be reached "
            "(a runner in the VPC, a VPN), or set cluster.public_endpoint.allowed_cidrs."
        )


# --- helpers -------------------------------------------------------------------------------------


def offers(environment: Environment, pool: AnyPool) -> list[tuple[str, Allocatable]]:
    """What each kind of node of a pool offers to our pods, its agents taken off."""
    if not isinstance(pool, Pool):
        return [("the node", _declared(pool.allocatable))] if pool.allocatable else []
    return [
        (name, _without_agents(allocatable(instance, _pods(environment, instance.terway_pods))))
        for name in pool.instance_types
        if (instance := environment.instances.get(name)) is not None
    ]


def _pods(environment: Environment, terway_pods: int | None) -> int | None:
    network = environment.network
    terway = network is None or network.plugin is NetworkPlugin.TERWAY
    return terway_pods if terway else FLANNEL_PODS


def _without_agents(whole: Allocatable) -> Allocatable:
    return Allocatable(
        whole.cpu_millis - DAEMONSETS_CPU_MILLIS,
        whole.memory_bytes - DAEMONSETS_MEMORY,
        whole.gpus,
        whole.pods,
    )


def _declared(resources: Resources) -> Allocatable:
    cpu, memory = int(parse(resources.cpu) * 1000), int(parse(resources.memory))
    return Allocatable(cpu, memory, resources.gpus or 0, None)


def _shortages(resources: Resources, offer: Allocatable) -> Iterator[tuple[str, object, str]]:
    if parse(resources.cpu) * 1000 > offer.cpu_millis:
        yield "cpu", resources.cpu, f"{offer.cpu_millis}m"
    if parse(resources.memory) > offer.memory_bytes:
        yield "memory", resources.memory, f"{offer.memory_bytes // 2**20}Mi"
    if (resources.gpus or 0) > offer.gpus:
        yield "gpus", resources.gpus, str(offer.gpus)


def _most_cards(environment: Environment, pool: Pool) -> int:
    nodes = pool.autoscale.max if pool.autoscale else pool.size or 0
    known = [environment.instances[name].gpus for name in pool.instance_types]
    return nodes * min(known, default=0)


def _lowest_size(pool: Pool) -> int:
    return (pool.autoscale.min or 0) if pool.autoscale else pool.size or 0


def _formats(model: Model) -> Iterator[tuple[str, str]]:
    vllm = model.server.vllm
    if vllm and vllm.quantization:
        yield "quantization", vllm.quantization.value
    if vllm and vllm.dtype:
        yield "dtype", vllm.dtype.value


def _is_of_vllm(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].series.origin is Origin.VLLM


def _models(environment: Environment) -> Iterator[tuple[str, Model]]:
    for model in environment.models:
        yield f"models[{model.name}]", model


def _workloads(environment: Environment) -> Iterator[tuple[str, Model | Training]]:
    yield from _models(environment)
    for job in environment.training:
        yield f"training[{job.name}]", job


def _volumes(environment: Environment) -> Iterator[tuple[str, Volume]]:
    for path, model in _models(environment):
        yield f"{path}.volume", model.volume
    for job in environment.training:
        yield f"training[{job.name}].checkpoint", job.checkpoint


def _made_claims(environment: Environment) -> Iterator[str]:
    claims = [(model.name, model.volume) for model in environment.models]
    claims += [(f"{job.name}-checkpoint", job.checkpoint) for job in environment.training]
    for name, volume in claims:
        store = environment.store(volume.store)
        if store is not None and store.claim is None:
            yield name


def _resources(workload: Model | Training) -> Resources:
    return workload.server.resources if isinstance(workload, Model) else workload.resources


def _placed(environment: Environment, placement: Placement) -> list[AnyPool]:
    return [pool for name in placement.pools if (pool := environment.pool(name)) is not None]


def _unknown(field: str, name: str, known: list[str], why: str) -> Iterator[Fault]:
    """Nothing where nothing is known: that the section is missing is said once."""
    close = nearest(name, known)
    hint = f" (did you mean {close!r}?)" if close else ""
    if known:
        yield Fault(field, name, f"one of {', '.join(known)}{hint}", why)


def _repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _minor(version: str | None) -> tuple[int, int] | None:
    if version is None:
        return None
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _how_to_give(field: str) -> str:
    if field == "kubeconfig":
        return "set, by `pulumi config set --secret ack-inference:kubeconfig`"
    return "given"


def _check(find: Finder, *reads: str) -> Check:
    return Check(find, reads)


CHECKS: Final = (
    _check(names_are_unique),
    _check(claims_are_unique),
    _check(sections_suit_the_profile, "cluster.profile"),
    _check(plugins_suit_the_profile, "cluster.profile", "network.plugin"),
    _check(zones_lie_in_the_region, "region", "network"),
    _check(address_ranges_are_apart, "network"),
    _check(pools_use_zones_of_the_network, "network"),
    _check(kubernetes_is_new_enough, "cluster", "knative.version"),
    _check(knative_release_is_served, "cluster", "knative.version"),
    _check(enough_nodes_carry_the_platform, "cluster.profile"),
    _check(instance_types_are_known),
    _check(instance_types_have_the_card),
    _check(placements_name_pools),
    _check(caches_name_pools),
    _check(stores_are_known),
    _check(stores_suit_the_profile, "cluster.profile"),
    _check(oss_endpoints_are_internal, "region"),
    _check(nas_zones_are_known, "network", "cluster.profile"),
    _check(priorities_are_known),
    _check(training_gives_way),
    _check(requests_fit_every_pool),
    _check(pods_fit_the_network_plugin),
    _check(caches_hold_their_models),
    _check(cache_nodes_have_room),
    _check(fluid_runs_on_the_image),
    _check(vllm_runs_on_the_cards),
    _check(drivers_run_the_image),
    _check(requests_end_in_time, "knative.max_request_seconds"),
    _check(reserved_names_are_free),
    _check(reserve_instances_are_offered, "cluster.profile"),
    _check(metrics_have_an_adapter, "cluster.profile", "gpu_metrics"),
    _check(
        metrics_have_a_source,
        "cluster.profile",
        "gpu_metrics",
        "prometheus_url",
        "prometheus_token",
    ),
    _check(metrics_come_from_one_port),
    _check(kserve_has_cert_manager, "cert_manager"),
    _check(caches_reach_their_readers),
)

WARNINGS: Final[tuple[Callable[[Environment], Iterator[str]], ...]] = (
    models_fill_their_cards,
    replicas_have_cards,
    starts_take_their_time,
    machines_reach_the_stores,
    private_clusters_need_a_way_in,
)
