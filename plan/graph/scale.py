"""Which objects run pods for a model or a job, and how many: Knative, KServe, groups, HPAs, Jobs.

Beside models and jobs of the kinds we know, whatever runs a number of pods is read: a Deployment,
and a kind of tomorrow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final

from components.crds.knative_annotations import AUTOSCALING
from components.crds.knative_autoscaling import DEFAULT_TARGETS, pod_autoscaling
from components.crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    DEPLOYMENT_MODE,
    AutoscalerClass,
    DeploymentMode,
    deployment_name,
)
from components.crds.llm_inference_service_labels import workload_name
from components.crds.role_based_group_labels import ADAPTER
from components.serving.keda_scale import pod_series

from .. import kinds
from ..objects import Manifest, Objects, items, kind_of, name_of, namespace_of, section
from ..pods import Pods, pods_of
from .model import (
    Activation,
    Completion,
    Hours,
    Missing,
    Number,
    ReplicaRange,
    ReservePods,
    ScaleTarget,
    Share,
)

_CANARY: Final = "nginx.ingress.kubernetes.io/canary"
_NEWEST: Final = "the newest revision"
# "Serverless" is the older word for it, which KServe's webhook rewrites.
_ON_KNATIVE: Final = (DeploymentMode.KNATIVE, "Serverless")
_RESERVE: Final = "knative.aliyun.com/reserve-instance"
_TEMPLATE: Final = "spec.template.spec"


@dataclass(frozen=True)
class WorkloadKind:
    """A kind of object that runs pods."""

    title: str
    pod_spec: str
    """Path of the pods that do the work, unlike those of a transformer."""
    scale: Callable[[Objects, Manifest], ReplicaRange | Completion | Missing]

    def pods(self, manifest: Manifest) -> Pods:
        """Those pods; empty where their template is not known yet."""
        working = (pods for pods in pods_of(manifest) if pods.path == self.pod_spec)
        return next(working, Pods(namespace_of(manifest), {}, {}, self.pod_spec))


def workloads(objects: Objects) -> Iterator[tuple[WorkloadKind, Manifest]]:
    """Each model and each job with its kind, models first."""
    for key, kind in MODELS.items():
        yield from ((kind, manifest) for manifest in objects.of(*key))
    for manifest in objects.of(*kinds.LLM_INFERENCE_SERVICE):
        if section(manifest, "spec", "prefill"):
            yield _PREFILL, manifest
    for manifest in objects.of(*kinds.ROLES):
        for number, role in enumerate(items(section(manifest, "spec"), "roles")):
            within, title = f"spec.roles[{number}].", f"RoleBasedGroup, role {role['name']},"
            path = next((of.path for of in pods_of(manifest) if of.path.startswith(within)), "")
            yield WorkloadKind(title, path, partial(_instances, role)), manifest
    listed = {*MODELS, *JOBS, kinds.ROLES}
    for manifest in objects:
        key = kind_of(manifest)
        pods = None if key in listed else next(pods_of(manifest), None)
        if pods and ("replicas" in section(manifest, "spec") or _scaled_range(objects, manifest)):
            yield WorkloadKind(key[1], pods.path, _replicas), manifest
    for key, kind in JOBS.items():
        yield from ((kind, manifest) for manifest in objects.of(*key))


def number(value: object) -> Number:
    """A number as it is written, in a manifest or in an annotation."""
    if value is None:
        return None
    text = value if isinstance(value, str) else str(value)
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _knative(_: Objects, service: Manifest) -> ReplicaRange:
    template = section(service, "spec", "template")
    notes = section(template, "metadata", "annotations")
    reserve = ReservePods(
        number(notes.get(f"{_RESERVE}-replicas", 1)), str(notes.get(f"{_RESERVE}-type", "eci"))
    )
    return ReplicaRange(
        number(notes.get(f"{AUTOSCALING}min-scale", 0)),
        number(notes.get(f"{AUTOSCALING}max-scale")),
        (_filled(notes, section(template, "spec").get("containerConcurrency")),),
        reserve if notes.get(_RESERVE) == "enable" else None,
    )


def _filled(notes: Mapping[str, Any], limit: object) -> ScaleTarget:
    """What Knative holds a pod to."""
    metric = str(notes.get(f"{AUTOSCALING}metric", "concurrency"))
    value = number(notes.get(f"{AUTOSCALING}target"))
    return ScaleTarget(metric, value, pod_autoscaling(notes, limit))


def _kserve(objects: Objects, service: Manifest) -> ReplicaRange | Missing:
    """By an HPA beside it, or else by KServe's own HPA, KEDA or Knative below it."""
    deployment = deployment_name(name_of(service))
    if scaled := _scaled_range(objects, service, "Deployment", deployment):
        return scaled
    notes = section(service, "metadata", "annotations")
    if notes.get(AUTOSCALER_CLASS) == AutoscalerClass.EXTERNAL:
        return Missing(kinds.HPA[1], deployment)
    predictor = section(service, "spec", "predictor")
    if sources := items(section(predictor, "autoScaling"), "metrics"):
        return _bounded({**predictor, "metrics": sources})
    metric, value = predictor.get("scaleMetric"), predictor.get("scaleTarget")
    if metric in DEFAULT_TARGETS or notes.get(DEPLOYMENT_MODE) in _ON_KNATIVE:
        autoscaling = {"metric": metric, "target": None if value is None else str(value)}
        set_here = {
            f"{AUTOSCALING}{key}": text for key, text in autoscaling.items() if text is not None
        }
        target = _filled({**notes, **set_here}, predictor.get("containerConcurrency"))
    else:
        target = ScaleTarget(str(metric or "cpu"), number(80 if value is None else value))
    return _bounded(predictor, target)


def _by_keda(spec: Mapping[str, Any]) -> ReplicaRange:
    """What a ScaledObject says: figures, hours, and when it goes to no pod."""
    triggers = list(items(spec, "triggers"))
    asked = [(each, section(each, "metadata")) for each in triggers if each.get("type") != "cron"]
    crons = [section(each, "metadata") for each in triggers if each.get("type") == "cron"]
    hpa = section(spec, "advanced", "horizontalPodAutoscalerConfig", "behavior", "scaleDown")
    rules = [
        (
            pod_series(str(metadata.get("query"))),
            _asked(trigger),
            metadata.get("activationThreshold", 0),
        )
        for trigger, metadata in asked
    ]
    activation = Activation(
        tuple((name, number(value)) for of_pods, name, value in rules if not of_pods),
        tuple((name, number(value)) for of_pods, name, value in rules if of_pods),
        number(spec.get("pollingInterval", 30)),
        number(spec.get("cooldownPeriod", 300)),
    )
    least = spec.get("minReplicaCount", 0)
    return ReplicaRange(
        number(least),
        number(spec.get("maxReplicaCount", 100)),
        tuple(
            ScaleTarget(
                _asked(trigger),
                number(metadata.get("threshold")),
                is_whole=trigger.get("metricType") == "Value",
            )
            for trigger, metadata in asked
        ),
        hours=tuple(
            Hours(
                str(metadata.get("start")),
                str(metadata.get("end")),
                str(metadata.get("timezone")),
                number(metadata.get("desiredReplicas")),
            )
            for metadata in crons
        ),
        activation=None if least else activation,
        looks_back_seconds=number(hpa.get("stabilizationWindowSeconds", 300)),
    )


def _asked(trigger: Mapping[str, Any]) -> str:
    """Name of a trigger, or else its query."""
    return str(trigger.get("name") or f"the query {section(trigger, 'metadata').get('query')}")


def _replicas(objects: Objects, manifest: Manifest) -> ReplicaRange:
    replicas = section(manifest, "spec").get("replicas")
    return _scaled_range(objects, manifest) or _exactly(replicas)


def _exactly(replicas: object) -> ReplicaRange:
    """So many, whatever happens."""
    return ReplicaRange(number(replicas), number(replicas))


def _groups(objects: Objects, manifest: Manifest) -> ReplicaRange:
    """Groups of pods, which an HPA counts as one each."""
    size = section(manifest, "spec", "leaderWorkerTemplate").get("size", 1)
    return replace(_replicas(objects, manifest), pods_each=number(size))


def _llm(objects: Objects, service: Manifest, *role: str) -> ReplicaRange:
    """By an HPA beside it, by KServe's own scaling, or so many as it says."""
    spec = section(service, "spec", *role)
    groups, parallel = "worker" in spec, section(spec, "parallelism")
    name = workload_name(name_of(service), prefill=bool(role), groups=groups)
    each = Decimal(parallel["data"]) // parallel["dataLocal"] if groups else None
    scaled = _scaled_range(objects, service, kinds.GROUPS[1] if groups else "Deployment", name)
    scaling = section(spec, "scaling")
    if scaled is None and scaling:
        scaled = _bounded(scaling, ScaleTarget("wva_desired_replicas", None))
    return replace(scaled or _exactly(spec.get("replicas", 1)), pods_each=each)


def _instances(role: Mapping[str, Any], objects: Objects, group: Manifest) -> ReplicaRange:
    """Instances of a role, which an HPA scales by the adapter that the controller makes."""
    each = number(section(role, "leaderWorkerPattern").get("size"))
    adapter = f"{name_of(group)}-{role['name']}"
    scaled = _scaled_range(objects, group, ADAPTER, adapter)
    return replace(scaled or _exactly(role.get("replicas", 1)), pods_each=each)


def _scaled_range(
    objects: Objects, manifest: Manifest, kind: str = "", name: str = ""
) -> ReplicaRange | None:
    """What an HPA, or else KEDA, scales an object to, or another kind and name beside it."""
    target = namespace_of(manifest), kind or str(manifest["kind"]), name or name_of(manifest)
    for key, read in ((kinds.HPA, _bounded), (kinds.SCALED_OBJECT, _by_keda)):
        for scaler in objects.by(_scaled, *key).get(target, ()):
            return read(section(scaler, "spec"))
    return None


def _scaled(scaler: Manifest) -> tuple[str, str, str]:
    target = section(scaler, "spec", "scaleTargetRef")
    return namespace_of(scaler), str(target.get("kind")), str(target.get("name"))


def _bounded(spec: Mapping[str, Any], *targets: ScaleTarget) -> ReplicaRange:
    """Bounds, and metrics, where a spec lists them."""
    sources = (section(source) for metric in items(spec, "metrics") for source in metric.values())
    listed = tuple(_target(source) for source in sources if source)
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
    return ReplicaRange(number(least), number(most), targets or listed)


def _target(source: Mapping[str, Any]) -> ScaleTarget:
    """A metric by its name; a query of KServe's has that of the server which is asked."""
    metric = section(source, "metric") or source
    values = (value for key, value in section(source, "target").items() if key != "type")
    return ScaleTarget(str(metric.get("name") or metric.get("backend")), number(next(values, None)))


def _job(_: Objects, job: Manifest) -> Completion:
    counts = {"completions": 1, "parallelism": 1, "backoffLimit": 6, **section(job, "spec")}
    return Completion(
        *(number(counts[key]) for key in ("completions", "parallelism", "backoffLimit"))
    )


def shares_of(objects: Objects, manifest: Manifest) -> Iterator[Share]:
    """Who gets the requests to a model: revisions of Knative, or another model of KServe."""
    kind, spec = kind_of(manifest), section(manifest, "spec")
    if kind == kinds.KNATIVE_SERVICE:
        for target in items(spec, "traffic"):
            receiver = str(target.get("revisionName") or _NEWEST)
            tag = f" (also by tag {target['tag']})" if target.get("tag") else ""
            yield Share(number(target.get("percent", 0)), f"{receiver}{tag}")
    if kind != kinds.INFERENCE_SERVICE:
        return
    percent = number(section(spec, "predictor").get("canaryTrafficPercent"))
    if percent is not None:
        yield Share(percent, _NEWEST)
    about = f"{name_of(manifest)}-{namespace_of(manifest)}."
    for ingress in objects.by(_shared, "networking.k8s.io", "Ingress").get(about, ()):
        notes = section(ingress, "metadata", "annotations")
        rule = items(section(ingress, "spec"), "rules")[0]
        service = section(items(section(rule, "http"), "paths")[0], "backend", "service")
        name = str(service.get("name")).removesuffix("-predictor")
        yield Share(number(notes[f"{_CANARY}-weight"]), name)


def _shared(ingress: Manifest) -> str:
    """Beginning of the host that a weighted Ingress shares, as KServe makes it of a model."""
    notes = section(ingress, "metadata", "annotations")
    rules = items(section(ingress, "spec"), "rules")
    if f"{_CANARY}-weight" not in notes or not rules:
        return ""
    return f"{str(rules[0].get('host')).partition('.')[0]}."


MODELS: Final = {
    kinds.KNATIVE_SERVICE: WorkloadKind("Knative Service", _TEMPLATE, _knative),
    kinds.INFERENCE_SERVICE: WorkloadKind("KServe InferenceService", "spec.predictor", _kserve),
    kinds.LLM_INFERENCE_SERVICE: WorkloadKind("KServe LLMInferenceService", "spec.template", _llm),
    kinds.GROUPS: WorkloadKind(
        kinds.GROUPS[1], "spec.leaderWorkerTemplate.leaderTemplate.spec", _groups
    ),
}
_PREFILL: Final = WorkloadKind(
    "prefill of a KServe LLMInferenceService",
    "spec.prefill.template",
    lambda objects, service: _llm(objects, service, "prefill"),
)
JOBS: Final = {kinds.JOB: WorkloadKind("Job", _TEMPLATE, _job)}
