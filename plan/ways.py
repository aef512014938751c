"""Follows each workload through a plan as the cluster would: scale, volumes, nodes, priority.

Every link is looked up among the planned objects by the names and labels that the cluster itself
goes by, so that a link which leads nowhere shows before anything is created. Beside models and jobs
of the kinds we know, whatever runs a number of pods is followed: a Deployment, and a kind of
tomorrow.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from components.catalog.labels import GPU_CARD, INSTANCE_TYPE, NODE_POOL_ID
from components.crds.knative_annotations import AUTOSCALING
from components.crds.knative_autoscaling import DEFAULT_TARGETS, PodAutoscaling, pod_autoscaling
from components.crds.kserve import DEPLOYMENT_MODE, DeploymentMode
from components.crds.scheduling import WAIT_FOR_SCALING
from components.quantity import plain

from .model import Marker, Plan
from .objects import Manifest, Objects, items, kind_of, name_of, namespace_of, section
from .pods import Pods, pods_of, policies_of

_AUTOSCALING: Final = "autoscaling"
_BATCH: Final = "batch"
_CORE: Final = ""
_FLUID: Final = "data.fluid.io"
_KNATIVE: Final = "serving.knative.dev"
_KSERVE: Final = "serving.kserve.io"
_PRIORITY: Final = "scheduling.k8s.io"
_SCHEDULING: Final = "scheduling.alibabacloud.com"
# "Serverless" is the older word for it, which KServe's webhook rewrites.
_ON_KNATIVE: Final = (DeploymentMode.KNATIVE, "Serverless")
_TEMPLATE: Final = "spec.template.spec"


@dataclass(frozen=True)
class Step:
    """One thing that a workload needs, and where it comes from."""

    need: str
    answer: str
    broken: bool = False
    """True where the plan does not hold what the answer names."""


@dataclass(frozen=True)
class Way:
    """How a workload gets its replicas, its files and its nodes."""

    kind: str
    namespace: str
    name: str
    steps: tuple[Step, ...]


def ways(plan: Plan) -> list[Way]:
    """The way of each model and each job of a plan, models first."""
    return [way for _, way in followed(Objects(plan))]


def followed(objects: Objects) -> Iterator[tuple[Manifest, Way]]:
    """Each model and each job with its way, models first."""
    for workload, found in _workloads(objects):
        own = workload.own_steps(objects, found)
        steps = (*own, *_pod_steps(objects, workload.pods(found)))
        yield found, Way(workload.title, namespace_of(found), name_of(found), steps)


def idle_policies(plan: Plan) -> list[str]:
    """One sentence per ResourcePolicy that selects no pod of the plan."""
    objects = Objects(plan)
    busy = {
        id(policy)
        for found in objects
        for pods in pods_of(found)
        for policy in policies_of(objects, pods)
    }
    return [
        f"ResourcePolicy {namespace_of(policy)}/{name_of(policy)} selects no pod of this plan; "
        f"its selector is {_pairs(section(policy, 'spec', 'selector')) or 'empty'}."
        for policy in objects.of(_SCHEDULING, "ResourcePolicy")
        if id(policy) not in busy
    ]


@dataclass(frozen=True)
class _Workload:
    """A kind of object that starts pods."""

    title: str
    group: str
    kind: str
    pod_spec: str
    """Path of the pods that do the work, unlike those of a transformer."""
    own_steps: Callable[[Objects, Manifest], Iterable[Step]]

    def pods(self, found: Manifest) -> Pods:
        """Those pods; empty where their template is not known yet."""
        there = (pods for pods in pods_of(found) if pods.path == self.pod_spec)
        return next(there, Pods(namespace_of(found), {}, {}, self.pod_spec))


def _workloads(objects: Objects) -> Iterator[tuple[_Workload, Manifest]]:
    for workload in _MODELS:
        yield from ((workload, found) for found in objects.of(workload.group, workload.kind))
    for found in objects:
        pods = next(pods_of(found), None)
        if pods is not None and _is_scaled(objects, found):
            group, kind = kind_of(found)
            yield _Workload(kind, group, kind, pods.path, _scaled_steps), found
    yield from ((_JOB, found) for found in objects.of(_JOB.group, _JOB.kind))


def _is_scaled(objects: Objects, found: Manifest) -> bool:
    """Whether it is of another kind than those we know, and runs a number of pods."""
    known = kind_of(found) in {(one.group, one.kind) for one in (*_MODELS, _JOB)}
    return not known and (
        "replicas" in section(found, "spec")
        or _scaler(objects, namespace_of(found), found["kind"], name_of(found)) is not None
    )


def _scaled_steps(objects: Objects, found: Manifest) -> Iterator[Step]:
    scaler = _scaler(objects, namespace_of(found), found["kind"], name_of(found))
    if scaler is None:
        yield Step("scale", f"{section(found, 'spec').get('replicas')} pods")
    else:
        yield _scale(section(scaler, "spec"), _hpa_metrics(section(scaler, "spec")))


def _scaler(objects: Objects, namespace: str, kind: str, name: str) -> Manifest | None:
    """The HPA that scales an object."""
    scalers = objects.by(_scaled, _AUTOSCALING, "HorizontalPodAutoscaler")
    return next(iter(scalers.get((namespace, kind, name), ())), None)


def _scaled(scaler: Manifest) -> tuple[str, str, str]:
    target = section(scaler, "spec", "scaleTargetRef")
    return namespace_of(scaler), str(target.get("kind")), str(target.get("name"))


def _scale(bounds: Mapping[str, Any], metric: str) -> Step:
    least, most = bounds.get("minReplicas", 1), bounds.get("maxReplicas", "any number of")
    return Step("scale", f"{least}..{most} pods, {metric}")


def _knative_steps(_: Objects, service: Manifest) -> Iterator[Step]:
    template = section(service, "spec", "template")
    notes = section(template, "metadata", "annotations")

    def autoscaling(key: str, default: str) -> Any:
        return notes.get(f"{AUTOSCALING}{key}", default)

    bounds = f"{autoscaling('min-scale', '0')}..{autoscaling('max-scale', 'any number of')}"
    limit = section(template, "spec").get("containerConcurrency")
    yield Step("scale", f"{bounds} pods, {_knative_metric(notes, limit)}")

    reserve = "knative.aliyun.com/reserve-instance"
    if notes.get(reserve) == "enable":
        replicas, kind = notes.get(f"{reserve}-replicas", "1"), notes.get(f"{reserve}-type", "eci")
        yield Step("reserve", f"{replicas} small {kind} instance kept while idle")


def _knative_metric(notes: Mapping[str, Any], limit: Any) -> str:
    """What counts: the share of the smaller one of target and limit to which a pod is filled."""
    scaling = pod_autoscaling(notes, limit)
    if scaling is None:
        metric = notes.get(f"{AUTOSCALING}metric", "concurrency")
        return f"{metric} {notes.get(f'{AUTOSCALING}target', 'without a target')} each"
    share = f"{plain(scaling.utilization_percent)} % of {_knative_target(scaling)}"
    return f"{scaling.metric} {plain(scaling.per_pod)} each ({share})"


def _knative_target(scaling: PodAutoscaling) -> str:
    target, limit = scaling.target, scaling.limit
    if limit is not None and (target is None or limit < target):
        rest = "" if target is None else f", below target {plain(target)}"
        return f"concurrency limit {limit}{rest}"
    if target is not None:
        return f"target {plain(target)}"
    return f"Knative's default {plain(scaling.total)}"


def _kserve_steps(objects: Objects, service: Manifest) -> Iterator[Step]:
    deployment = f"{name_of(service)}-predictor"
    scaler = _scaler(objects, namespace_of(service), "Deployment", deployment)
    predictor = section(service, "spec", "predictor")
    external = f"{_KSERVE}/autoscalerClass"
    if scaler:
        bounds, metric = section(scaler, "spec"), _hpa_metrics(section(scaler, "spec"))
    elif section(service, "metadata", "annotations").get(external) == "external":
        yield _missing("scale", f"HorizontalPodAutoscaler of {deployment}")
        return
    else:
        bounds, metric = predictor, _kserve_metric(service, predictor)
    yield _scale(bounds, metric)


def _kserve_metric(service: Manifest, predictor: Mapping[str, Any]) -> str:
    """What KServe's own HPA, KEDA or Knative below it goes by."""
    if sources := items(section(predictor, "autoScaling"), "metrics"):
        return _hpa_metrics({"metrics": sources})
    notes = section(service, "metadata", "annotations")
    metric, target = predictor.get("scaleMetric"), predictor.get("scaleTarget")
    if metric in DEFAULT_TARGETS or notes.get(DEPLOYMENT_MODE) in _ON_KNATIVE:
        told = {"metric": metric, "target": None if target is None else str(target)}
        given = {f"{AUTOSCALING}{key}": text for key, text in told.items() if text is not None}
        return _knative_metric({**notes, **given}, predictor.get("containerConcurrency"))
    return f"{metric or 'cpu'} {80 if target is None else target} each"


def _hpa_metrics(spec: Mapping[str, Any]) -> str:
    sources = [
        source for metric in items(spec, "metrics") for source in metric.values() if section(source)
    ]
    return " and ".join(
        f"{_metric_name(section(source, 'metric') or section(source))} "
        f"{_hpa_target(section(source, 'target'))} each"
        for source in sources
    )


def _metric_name(metric: Mapping[str, Any]) -> object:
    """Its name; a query of KServe's has that of the server which is asked."""
    return metric.get("name") or metric.get("backend")


def _hpa_target(target: Mapping[str, Any]) -> object:
    return next((value for key, value in target.items() if key != "type"), "without a target")


def _job_steps(_: Objects, job: Manifest) -> Iterator[Step]:
    spec = section(job, "spec")
    pods = f"{spec.get('completions', 1)} to complete, {spec.get('parallelism', 1)} at a time"
    yield Step("pods", f"{pods}, {spec.get('backoffLimit', 6)} retries")


_MODELS: Final = (
    _Workload("Knative Service", _KNATIVE, "Service", _TEMPLATE, _knative_steps),
    _Workload(
        "KServe InferenceService", _KSERVE, "InferenceService", "spec.predictor", _kserve_steps
    ),
)
_JOB: Final = _Workload("Job", _BATCH, "Job", _TEMPLATE, _job_steps)


def _pod_steps(objects: Objects, pods: Pods) -> Iterator[Step]:
    for volume in items(pods.spec, "volumes"):
        claim = section(volume, "persistentVolumeClaim").get("claimName")
        if claim is not None:
            yield from _claim_steps(objects, pods.namespace, str(claim))
    yield from _node_steps(objects, pods)
    priority = pods.spec.get("priorityClassName")
    if priority is not None:
        found = objects.get(_PRIORITY, "PriorityClass", priority)
        yield (
            Step("priority", f"{priority} ({found.get('value')})")
            if found
            else _missing("priority", f"PriorityClass {priority}")
        )


def _claim_steps(objects: Objects, namespace: str, claim: str) -> Iterator[Step]:
    """A claim is bound to a volume, or Fluid made it for the dataset of its name."""
    dataset = objects.get(_FLUID, "Dataset", claim, namespace)
    if dataset is None:
        yield _claim_step(objects, namespace, claim)
        return
    for mount in items(section(dataset, "spec"), "mounts"):
        source = str(mount.get("mountPoint"))
        within = f"Dataset {claim} -> "
        if source.startswith("pvc://"):
            under, _, _ = source.removeprefix("pvc://").partition("/")
            yield _claim_step(objects, namespace, under, within)
        else:
            yield Step("volume", f"{within}{source}")
    yield _cache_step(objects, namespace, claim)


def _claim_step(objects: Objects, namespace: str, claim: str, within: str = "") -> Step:
    found = objects.get(_CORE, "PersistentVolumeClaim", claim, namespace)
    link = f"{within}PVC {claim}"
    if found is None:
        return _missing("volume", link)
    spec = section(found, "spec")
    wanted = section(spec, "selector", "matchLabels")
    name = spec.get("volumeName") or _pairs(wanted)
    if not name:
        class_ = spec.get("storageClassName") or "(the default)"
        return Step("volume", f"{link} -> a new volume of StorageClass {class_}")
    volume = next(
        (
            one
            for one in objects.of(_CORE, "PersistentVolume")
            if name == name_of(one)
            or (wanted and _contains(section(one, "metadata", "labels"), wanted))
        ),
        None,
    )
    link = f"{link} -> PV {name_of(volume) if volume else name}"
    return Step("volume", f"{link} -> {_store(volume)}") if volume else _missing("volume", link)


def _store(volume: Manifest) -> str:
    spec = section(volume, "spec")
    attributes = section(spec, "csi", "volumeAttributes")
    path = f"/{str(attributes.get('path', '')).lstrip('/')}"
    if "bucket" in attributes:
        return f"oss://{attributes['bucket']}{path}"
    if "server" in attributes:
        return f"nas://{attributes['server']}{path}"
    sources = (key for key in sorted(spec) if key in _VOLUME_SOURCES)
    return next(sources, "a store that is not known")


_VOLUME_SOURCES: Final = {"csi", "hostPath", "local", "nfs"}


def _cache_step(objects: Objects, namespace: str, dataset: str) -> Step:
    runtime = objects.get(_FLUID, "JindoRuntime", dataset, namespace)
    if runtime is None:
        return _missing("cache", f"JindoRuntime {dataset}")
    spec = section(runtime, "spec")
    quota = " and ".join(
        f"{level.get('quota')} {level.get('mediumtype')}"
        for level in items(section(spec, "tieredstore"), "levels")
    )
    every = objects.by(_dataset_of, _FLUID, "DataLoad")
    loads = [name_of(load) for load in every.get((namespace, dataset), ())]
    filled = f"filled by DataLoad {', '.join(loads)}" if loads else "filled by the first pod"
    return Step("cache", f"JindoRuntime {dataset}, {spec.get('replicas', 1)} x {quota}, {filled}")


def _dataset_of(load: Manifest) -> tuple[str, str]:
    dataset = section(load, "spec", "dataset")
    return str(dataset.get("namespace", namespace_of(load))), str(dataset.get("name"))


def _node_steps(objects: Objects, pods: Pods) -> Iterator[Step]:
    policies = policies_of(objects, pods)
    for policy in policies:
        spec = section(policy, "spec")
        units = ", then ".join(
            _unit(unit, pool)
            for unit, pool in zip_longest(items(spec, "units"), _pool_names(objects, policy))
            if unit
        )
        early = spec.get("preemptPolicy") == "BeforeNextUnit"
        preempts = "preempts before the next unit" if early else "preempts after the last unit"
        yield Step("nodes", f"{units}; {preempts} (ResourcePolicy {name_of(policy)})")
    if not policies:
        where = ", then ".join(map(_selector, _wanted_labels(pods.spec)))
        yield Step("nodes", f"{where or 'any node'}; no ResourcePolicy selects these pods")


def _wanted_labels(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Labels of the nodes that a pod asks for by itself, those it prefers first."""
    if selector := section(pod, "nodeSelector"):
        yield selector
    affinity = section(pod, "affinity", "nodeAffinity")
    preferred = items(affinity, "preferredDuringSchedulingIgnoredDuringExecution")
    required = section(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
    terms = [
        section(one, "preference")
        for one in sorted(preferred, key=lambda one: -int(one.get("weight", 0)))
    ] or items(required, "nodeSelectorTerms")
    for term in terms:
        yield {
            rule.get("key", ""): ",".join(map(str, rule.get("values", [rule.get("operator")])))
            for rule in items(term, "matchExpressions")
        }


def _pool_names(objects: Objects, policy: Manifest) -> list[str]:
    """Names of the pools in a policy of ours, whose IDs only the cloud can give."""
    return [
        str(pool.get("name"))
        for placement in objects.placements.get(name_of(policy), ())
        for pool in items(placement.inputs, "pools")
    ]


def _unit(unit: Mapping[str, Any], pool: str | None) -> str:
    labels = section(unit, "nodeSelector")
    if pool and isinstance(labels.get(NODE_POOL_ID), Marker):
        labels = {**labels, NODE_POOL_ID: pool}
    notes = [
        f"at most {unit['max']} pods" if "max" in unit else "",
        "waits for new nodes" if WAIT_FOR_SCALING in section(unit, "podLabels") else "",
    ]
    resource = unit.get("resource", "ecs")
    kind = "" if resource == "ecs" else f"{resource} "
    aside = ", ".join(filter(None, notes))
    return f"{kind}{_selector(labels)}{f' ({aside})' if aside else ''}"


_READABLE: Final = {GPU_CARD: "", INSTANCE_TYPE: "", NODE_POOL_ID: "pool "}


def _selector(labels: Mapping[str, Any]) -> str:
    words = [f"{_READABLE.get(key, f'{key}=')}{value}" for key, value in labels.items()]
    return " ".join(words) or "any node"


def _contains(labels: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return wanted.items() <= labels.items()


def _missing(need: str, what: str) -> Step:
    return Step(need, f"{what} (not in this plan, has to exist already)", broken=True)


def _pairs(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items())
