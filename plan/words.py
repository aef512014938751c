"""The parts of a graph in words: the steps of a way on a terminal, and facts beside a name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from components.catalog.labels import GPU_CARD, GPU_RESOURCE, INSTANCE_TYPE, NODE_POOL_ID
from components.catalog.sharing import GPU_CORES, GPU_MEMORY, MIG_PREFIX
from components.crds.knative_autoscaling import PodAutoscaling
from components.quantity import plain

from .graph import model as graph
from .model import Marker
from .objects import pairs

_SHORT: Final = {
    "PersistentVolumeClaim": "PVC",
    "PersistentVolume": "PV",
    "HorizontalPodAutoscaler": "HorizontalPodAutoscaler of",
}
_READABLE: Final = {GPU_CARD: "", INSTANCE_TYPE: "", NODE_POOL_ID: "pool "}
"""What stands before the value of a label that needs no key."""
_RESOURCES: Final = {
    GPU_RESOURCE: "{} GPU",
    GPU_MEMORY: "{} GiB of a GPU",
    GPU_CORES: "{} % of a GPU",
    "cpu": "{} CPU",
    "memory": "{}",
}


@dataclass(frozen=True)
class WorkloadStep:
    """One thing that a workload needs, and where it comes from."""

    need: str
    answer: str
    broken: bool = False
    """True where it leads nowhere."""


def steps(workload: graph.Workload) -> Iterator[WorkloadStep]:
    """The way of a workload to its pods, files, nodes and priority."""
    scale = workload.scale
    need = "pods" if isinstance(scale, graph.Completion) else "scale"
    yield WorkloadStep(need, _scale(scale), isinstance(scale, graph.Missing))
    for sentence in scaling_sentences(scale):
        yield WorkloadStep("scale", sentence)
    if reserve := _reserve(scale):
        yield WorkloadStep("reserve", reserve)
    if part := _part(workload):
        yield WorkloadStep("card", part)
    if workload.shares:
        yield WorkloadStep("requests", _shares(workload.shares))
    for way in workload.ways:
        yield WorkloadStep("gateway", _way(way), not way.doors)
        if way.limits:
            yield WorkloadStep("limits", ", ".join(way.limits))
    for volume in workload.volumes:
        for files in volume.files:
            yield WorkloadStep("volume", _chain(volume, files), files.missing is not None)
        if volume.cache:
            yield WorkloadStep("cache", _cache(volume.cache), volume.cache.missing is not None)
    for policy in workload.policies:
        yield WorkloadStep("nodes", _policy(policy))
    if not workload.policies:
        nodes = ", then ".join(map(_stop, workload.wishes)) or "any node"
        yield WorkloadStep("nodes", f"{nodes}; no ResourcePolicy selects these pods")
    if workload.priority:
        broken = isinstance(workload.priority, graph.Missing)
        yield WorkloadStep("priority", _priority(workload.priority), broken)


def idle_policies(policies: Iterable[graph.Policy]) -> list[str]:
    """One sentence per ResourcePolicy that selects no pod."""
    return [
        f"ResourcePolicy {policy.namespace}/{policy.name} selects no pod of this plan; its "
        f"selector is {pairs(policy.selector) or 'empty'}."
        for policy in policies
    ]


def facts(node: graph.Node) -> Mapping[str, str]:
    """What is worth knowing of a part, in the order in which it is shown."""
    return {label: text for label, text in _facts(node) if text}


def _scale(scale: graph.ReplicaRange | graph.Completion | graph.Missing) -> str:
    """How many pods there are."""
    match scale:
        case graph.Missing():
            return _missing(scale)
        case graph.Completion():
            pods = f"{scale.completions} to complete, {scale.parallelism} at a time"
            return f"{pods}, {scale.retries} retries"
    counted = "pods" if scale.pods_each is None else f"groups of {scale.pods_each} pods"
    if not scale.targets and scale.least == scale.most:
        single = "1 pod" if scale.pods_each is None else f"1 group of {scale.pods_each} pods"
        return single if scale.least == 1 else f"{scale.least} {counted}"
    most = "any number of" if scale.most is None else scale.most
    targets = " and ".join(map(_target, scale.targets))
    return ", ".join(filter(None, [f"{scale.least}..{most} {counted}", targets]))


def scaling_sentences(
    scale: graph.ReplicaRange | graph.Completion | graph.Missing,
) -> Iterator[str]:
    """When KEDA starts the first pod, when the last one goes, and in which hours there are more."""
    if not isinstance(scale, graph.ReplicaRange):
        return
    for hours in scale.hours:
        yield f"at least {hours.pods} {hours}"
    if (activation := scale.activation) is not None:
        wakes, keeps = (
            [f"{name} is above {value}" for name, value in rules]
            for rules in (activation.wakes, activation.keeps)
        )
        looks = f", looked at every {activation.polling_seconds} s"
        opens = [f"at the start of its hours, '{hours.start}'" for hours in scale.hours]
        starts = [f"when {' or '.join(wakes)}{looks}"] if wakes else []
        yield f"from zero {', or '.join([*starts, *opens]) or 'never: nothing is left to ask for'}"
        ends = [f"{rule.replace(' is above', ' was above')}" for rule in (*wakes, *keeps)]
        opened = ["its hours were open"] if scale.hours else []
        last = " or ".join([*ends, *opened])
        yield f"to zero {activation.cooldown_seconds} s after the last look at which {last}"
    if scale.looks_back_seconds is not None:
        yield f"a pod beyond the fewest goes {scale.looks_back_seconds} s after it was last needed"


def _part(workload: graph.Workload) -> str:
    """The part of a card that each pod has, and what all pods have at the most; empty for others.

    Of each card that its pools have: 0.36 A10 each (8 GiB), 1.09 at the most.
    """
    resources = workload.resources
    gib = int(resources.get(GPU_MEMORY, 0))
    profile = next((key for key in resources if key.startswith(MIG_PREFIX)), "")
    profile = profile.removeprefix(MIG_PREFIX)
    if not gib and not profile:
        return ""
    pools = [pool for stop in workload.stops for pool in stop.pools]
    parts = {
        name: gib / card.memory_gib if gib else 1 / card.mig[profile]
        for pool in pools
        for name, card in pool.gpus.items()
        if (gib and card.memory_gib) or profile in card.mig
    }
    scale = workload.scale
    most = scale.most if isinstance(scale, graph.ReplicaRange) else None
    pods = int(most) if isinstance(most, Decimal) else 0
    each = " or ".join(f"{part:.2f} {name}" for name, part in parts.items()) or "part of a card"
    total = " or ".join(f"{pods * part:.2f}" for part in parts.values())
    size = f"{gib} GiB" if gib else f"MIG {profile}"
    return f"{each} each ({size}){f', {total} at the most' if pods and total else ''}"


def _each_pod(resources: Mapping[str, str]) -> str:
    """What a pod asks for, e.g. `1 GPU, 4 CPU, 16Gi, 1 aliyun/erdma`."""
    amounts = [text.format(resources[key]) for key, text in _RESOURCES.items() if key in resources]
    further = [
        f"MIG {key.removeprefix(MIG_PREFIX)}" if key.startswith(MIG_PREFIX) else f"{count} {key}"
        for key, count in resources.items()
        if key not in _RESOURCES and "/" in key
    ]
    return ", ".join([*amounts, *further])


def _target(target: graph.ScaleTarget) -> str:
    if (scaling := target.knative) is None:
        value = "without a target" if target.value is None else target.value
        return f"{target.metric} {value}{'' if target.is_whole else ' each'}"
    share = f"{plain(scaling.utilization_percent)} % of {_filled_to(scaling)}"
    return f"{scaling.metric} {plain(scaling.per_pod)} each ({share})"


def _filled_to(scaling: PodAutoscaling) -> str:
    """The smaller one of target and limit, which is what counts."""
    target, limit = scaling.target, scaling.limit
    if limit is not None and (target is None or limit < target):
        rest = "" if target is None else f", below target {plain(target)}"
        return f"concurrency limit {limit}{rest}"
    if target is not None:
        return f"target {plain(target)}"
    return f"Knative's default {plain(scaling.total)}"


def _shares(shares: Sequence[graph.Share]) -> str:
    """Who gets the requests; what a single share leaves goes to the model itself."""
    is_part = len(shares) == 1 and shares[0].percent != 100
    texts = [f"{share.percent} % to {share.receiver}" for share in shares]
    return ", ".join([*texts, *(["the rest to what serves already"] if is_part else [])])


def _way(way: graph.RequestWay) -> str:
    """From the gateway to the pods."""
    door = " and ".join(way.doors) or "not in this plan, has to exist already"
    share = "" if way.percent is None else f"{way.percent} % of "
    asked = f"{share}requests for {' or '.join(way.asks)}" if way.asks else f"{share}all requests"
    chooses = f" ({', '.join(way.chooses)})" if way.chooses else ""
    end = f"Service {way.service}" if way.service else f"picker {way.picker}{chooses}"
    return f"Gateway {way.gateway} ({door}) -> {asked} -> {end}"


def _reserve(scale: graph.ReplicaRange | graph.Completion | graph.Missing) -> str:
    reserve = scale.reserve if isinstance(scale, graph.ReplicaRange) else None
    return (
        f"{reserve.replicas} small {reserve.instance} instance kept while idle" if reserve else ""
    )


def _chain(volume: graph.MountedClaim, files: graph.Files) -> str:
    """The links from a claim to what is mounted, as far as they lead."""
    links = [
        f"Dataset {volume.cache.dataset}" if volume.cache else "",
        f"PVC {files.claim}" if files.claim else "",
        f"PV {files.volume}" if files.volume else "",
    ]
    links = [link for link in links if link]
    if files.missing:
        links[-1] = _missing(files.missing)
    elif files.storage_class:
        links.append(f"a new volume of StorageClass {files.storage_class}")
    else:
        links.append(files.address)
    return " -> ".join(links)


def _cache(cache: graph.Cache) -> str:
    if cache.missing:
        return _missing(cache.missing)
    workers = 1 if cache.replicas is None else cache.replicas
    loads = f"DataLoad {', '.join(cache.loads)}" if cache.loads else "the first pod"
    return f"JindoRuntime {cache.dataset}, {workers} x {_quota(cache)}, filled by {loads}"


def _quota(cache: graph.Cache) -> str:
    return " and ".join(f"{quota} {medium}" for quota, medium in cache.levels)


def _policy(policy: graph.Policy) -> str:
    early = policy.preemption is graph.Preemption.BEFORE_NEXT
    preempts = "preempts before the next unit" if early else "preempts after the last unit"
    stops = ", then ".join(map(_stop, policy.stops))
    return f"{stops}; {preempts} (ResourcePolicy {policy.name})"


def _stop(stop: graph.Stop) -> str:
    """Nodes by what selects them; a pool whose ID is not known yet goes by its name."""
    words = []
    for key, values in stop.labels.items():
        names = [pool.name for pool in stop.pools if pool.urn and isinstance(values[0], Marker)]
        text = ",".join(names if key == NODE_POOL_ID and names else map(str, values))
        words.append(f"{_READABLE.get(key, f'{key}=')}{text}")
    notes = [
        "" if stop.most_pods is None else f"at most {stop.most_pods} pods",
        "waits for new nodes" if stop.waits else "",
    ]
    aside = ", ".join(filter(None, notes))
    kind = "" if stop.resource == "ecs" else f"{stop.resource} "
    return f"{kind}{' '.join(words) or 'any node'}{f' ({aside})' if aside else ''}"


def _priority(priority: graph.Priority | graph.Missing) -> str:
    if isinstance(priority, graph.Missing):
        return _missing(priority)
    return f"{priority.name} ({priority.value})"


def _facts(node: graph.Node) -> Iterable[tuple[str, str]]:
    match node:
        case graph.Cluster():
            yield "region", node.region
            yield "zones", ", ".join(node.zones)
            yield "size", node.size
            yield "version", node.version
            yield "API server", {None: "", True: "public", False: "private"}[node.public]
        case graph.Pool(urn=""):
            yield "label", ", ".join(f"{key}={'|'.join(v)}" for key, v in node.labels.items())
        case graph.Pool(cost=cost):
            nodes, gpus = (cost.nodes, cost.gpus_per_node) if cost else (None, None)
            base = cost.mix.base if cost and cost.mix else "[unknown]"
            yield "nodes", str(nodes or ("join by command" if node.edge else "not known"))
            yield "GPU", f"{gpus or '?'} x {' or '.join(node.cards)}" if node.cards else ""
            yield "types", ", ".join(cost.instance_types if cost else ())
            yield "spot", f"above {base} on demand" if cost and cost.spot else ""
        case graph.Store():
            yield "bucket", node.bucket
            yield "redundancy", node.redundancy
            yield "type", node.storage_type
        case graph.Cache():
            yield "workers", "" if node.replicas is None else str(node.replicas)
            yield "each", _quota(node)
            yield "of", _folders(node.files)
        case graph.Workload():
            yield from _workload_facts(node)
        case graph.Group(urns=urns):
            yield "made of", "1 resource" if len(urns) == 1 else f"{len(urns)} resources"


def _workload_facts(workload: graph.Workload) -> Iterator[tuple[str, str]]:
    scale = _scale(workload.scale)
    is_job = isinstance(workload.scale, graph.Completion)
    yield "scale", "" if is_job else scale
    yield "requests", _shares(workload.shares) if workload.shares else ""
    yield "gateway", "; ".join(map(_way, workload.ways))
    yield "reserve", _reserve(workload.scale)
    yield "pods", scale if is_job else ""
    yield "each pod", _each_pod(workload.resources)
    yield "image", workload.image.rpartition("/")[2]
    yield "files", _folders(workload.files)
    yield "priority", _priority(workload.priority) if workload.priority else ""
    yield "preempts", workload.preemption or ""


def _folders(links: Sequence[graph.Files]) -> str:
    """Files by store and folder, e.g. `models:/Qwen-7B-Chat-Int8`."""
    return ", ".join(
        f"{files.store.name}:{files.path}" if files.path else files.store.name for files in links
    )


def _missing(link: graph.Missing) -> str:
    kind = _SHORT.get(link.kind, link.kind)
    return f"{kind} {link.name} (not in this plan, has to exist already)"
