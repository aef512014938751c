"""What scales a model: an HPA or a ScaledObject over its Deployment, or KServe's own block."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.catalog.metrics import METRICS
from components.serving.keda_scale import COOLDOWN_SECONDS, POLLING_SECONDS, AuthMode
from components.serving.kserve_model import KServeMetric
from plan.kinds import HPA, SCALED_OBJECT
from plan.objects import Manifest, Objects, items, name_of, namespace_of, section, text_of

from .workloads import LiveWorkload, Notes, number

PAUSED: Final = "autoscaling.keda.sh/paused"
"""Begins the annotations by which KEDA leaves a Deployment as it is, or at a number of replicas."""
MOST_REPLICAS: Final = 100
"""What KEDA takes where a ScaledObject has no `maxReplicaCount`."""
_RESOURCES: Final = (KServeMetric.CPU, KServeMetric.MEMORY)
_READ: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset(
        {
            *("scaleTargetRef", "triggers", "advanced", "minReplicaCount", "maxReplicaCount"),
            *("pollingInterval", "cooldownPeriod", "initialCooldownPeriod"),
        }
    ),
    "advanced": frozenset({"horizontalPodAutoscalerConfig", "scalingModifiers"}),
    "advanced.horizontalPodAutoscalerConfig": frozenset({"name", "behavior"}),
    "advanced.horizontalPodAutoscalerConfig.behavior": frozenset({"scaleDown"}),
    "advanced.horizontalPodAutoscalerConfig.behavior.scaleDown": frozenset(
        {"stabilizationWindowSeconds"}
    ),
}
"""Fields of a ScaledObject that are read, by the path that they are below."""
_TRIGGER: Final = frozenset({"type", "name", "metadata", "metricType", "authenticationRef"})
_METADATA: Final = frozenset(
    {"serverAddress", "query", "threshold", "activationThreshold", "authModes", "metricName"}
)

Section = dict[str, Any]
BY_CPU: Final[Section] = {"metric": "cpu", "target": 80}
"""How a model is scaled whose own way a stack file does not have."""


def hpa_scale(
    workload: LiveWorkload, target: str, objects: Objects, notes: Notes
) -> Section | None:
    """`scale` of what an HPA does with a Deployment; None where there is no HPA for it."""
    metric_names = ", ".join(metric.value for metric in KServeMetric)
    for scaler in objects.of(*HPA):
        spec = section(scaler, "spec")
        about = section(scaler, "metadata")
        is_for = text_of(section(spec, "scaleTargetRef"), "name") == target
        if not is_for or about.get("namespace") != workload.namespace:
            continue
        scale: Section = {
            "min": int(spec.get("minReplicas", 1)),
            "max": int(spec.get("maxReplicas", 1)),
        }
        metrics = [entry for metric in items(spec, "metrics") if (entry := _metric(metric))]
        if not metrics:
            notes.say(
                workload,
                f"HPA {about.get('name')} scales it on what no metric of a stack file is; the "
                f"stack file has cpu. Metrics are {metric_names}.",
            )
            return {**scale, **BY_CPU}
        if len(metrics) > 1 or len(items(spec, "metrics")) > 1:
            notes.say(
                workload,
                f"HPA {about.get('name')} has several metrics; the stack file has the first that "
                "it knows.",
            )
        chosen = {**scale, **metrics[0]}
        names = [text_of(section(m, "pods", "metric"), "name") for m in items(spec, "metrics")]
        if chosen["metric"] in METRICS and chosen["metric"] not in names:
            notes.say(
                workload,
                f"HPA {about.get('name')} scales it on {' and '.join(names)}, of which the stack "
                f"file has {chosen['metric']}: have the cluster's adapter serve it by that name, "
                "or gpu_metrics.install true.",
            )
        return {**chosen, **_window(spec)} if chosen["metric"] in METRICS else chosen
    return None


def _metric(metric: Mapping[str, Any]) -> Section | None:
    """Metric and target of an HPA's entry; None of one that a stack file does not know."""
    if metric.get("type") == "Pods":
        value = section(metric, "pods", "target").get("averageValue")
        if (name := _metric_name(metric)) and value is not None:
            return {"metric": name, "target": number(value)}
    return _share(metric)


def _metric_name(metric: Mapping[str, Any]) -> str | None:
    """What a stack file calls the metric of pods that an HPA names, by it or by its series."""
    spelled = text_of(section(metric, "pods", "metric"), "name").replace(":", "_")
    for name, entry in METRICS.items():
        if spelled in (name, *(series.replace(":", "_") for series in entry.series.names)):
            return name
    return None


def _share(metric: Mapping[str, Any]) -> Section | None:
    """The same of an entry about a share of what the pods ask for; None of any other."""
    name = text_of(section(metric, "resource"), "name")
    share = section(metric, "resource", "target").get("averageUtilization")
    if name in _RESOURCES and share is not None:
        return {"metric": name, "target": number(share)}
    return None


def _window(block: Mapping[str, Any]) -> Section:
    """`scale_down_seconds` of a block with a `behavior`; empty where it has none."""
    seconds = section(block, "behavior", "scaleDown").get("stabilizationWindowSeconds")
    return {} if seconds is None else {"scale_down_seconds": int(seconds)}


def own_scale(predictor: Mapping[str, Any]) -> Section | None:
    """`metric` and `target` of KServe's own block, and the query; None of what has no word here."""
    block = section(predictor, "autoScaling")
    for metric in items(block, "metrics"):
        query = section(metric, "external", "metric")
        value = section(metric, "external", "target").get("value")
        if query.get("backend") == "prometheus" and value is not None:
            asked = {"server": text_of(query, "serverAddress"), "query": text_of(query, "query")}
            scale = {"metric": "prometheus", "target": number(value), "query": asked}
            return {**scale, **_window(block)}
        if share := _share(metric):
            return share
    return None


def keda_scale(
    workload: LiveWorkload, target: str, objects: Objects, notes: Notes
) -> Section | None:
    """`scale` of what a ScaledObject does with a Deployment; None where there is none for it."""
    scalers = [
        scaler
        for scaler in objects.of(*SCALED_OBJECT)
        if _is_over(section(scaler, "spec", "scaleTargetRef"), target)
        and namespace_of(scaler) == workload.namespace
    ]
    if not scalers:
        return None
    first, *others = scalers
    for other in others:
        notes.say(
            workload,
            f"ScaledObject {name_of(other)} scales it beside {name_of(first)}; the stack file has "
            "what the latter says.",
        )
    return _ScaledObjectReader(workload, first, notes).scale()


def _is_over(reference: Mapping[str, Any], target: str) -> bool:
    is_deployment = reference.get("kind", "Deployment") == "Deployment"
    return is_deployment and text_of(reference, "name") == target


class _ScaledObjectReader:
    """Reads the ScaledObject of a workload."""

    def __init__(self, workload: LiveWorkload, scaler: Manifest, notes: Notes) -> None:
        self._workload, self._name, self._notes = workload, name_of(scaler), notes
        self._spec = section(scaler, "spec")
        for annotation in section(scaler, "metadata", "annotations"):
            if annotation.startswith(PAUSED):
                self._say(f"is held by the annotation {annotation}; the stack's would scale.")

    def _say(self, sentence: str) -> None:
        self._notes.say(self._workload, f"ScaledObject {self._name} {sentence}")

    def scale(self) -> Section | None:
        """The whole of it; None where it asks for nothing that a stack file knows."""
        low = int(self._spec.get("minReplicaCount", 0))
        high = int(self._spec.get("maxReplicaCount", MOST_REPLICAS))
        bounds: Section = {"min": low, "max": max(low, high, 1)}
        if bounds["max"] != high:
            self._say(f"has maxReplicaCount {high}; the stack file has {bounds['max']}.")
        for path, fields in _READ.items():
            part = section(self._spec, *filter(None, path.split(".")))
            self._say_without(path, part, fields)
        figures = [*self._figures()]
        if not figures:
            return self._by_resource(bounds)
        first, *others = figures
        scale: Section = {
            **bounds,
            "metric": first["metric"],
            "target": first["target"],
            "query": {"server": first["server"], "query": first["query"]},
        }
        advanced = section(self._spec, "advanced")
        scale |= _window(section(advanced, "horizontalPodAutoscalerConfig"))
        if section(advanced, "scalingModifiers"):
            self._say("has a formula over its triggers, and a stack file takes the highest answer.")
        return {**scale, "keda": self._keda(first, others, low)}

    def _say_without(self, path: str, part: Mapping[str, Any], fields: frozenset[str]) -> None:
        """Tells what of a part is not read, by name alone: a header may hold a key."""
        for field in part:
            if field not in fields:
                name = f"{path}.{field}" if path else field
                self._say(f"has {name}, which a stack file has no field for; it is left out.")

    def _keda(self, first: Section, others: list[Section], low: int) -> Section:
        keda: Section = {}
        if others:
            keda["server"] = first["server"]
            fields = ("metric", "target", "query", "activation")
            keda["triggers"] = [
                {field: entry[field] for field in fields if field in entry} for entry in others
            ]
        if schedule := self._schedule():
            keda["schedule"] = schedule
        if authentication := first.get("authentication"):
            keda["authentication"] = authentication
        if low == 0:
            if "activation" in first:
                keda["activation"] = first["activation"]
            keda["polling_seconds"] = int(self._spec.get("pollingInterval", POLLING_SECONDS))
            keda["cooldown_seconds"] = int(self._spec.get("cooldownPeriod", COOLDOWN_SECONDS))
        return keda

    def _figures(self) -> Iterator[Section]:
        """Triggers that ask a Prometheus, of which all are to ask one and sign in alike."""
        first: Section | None = None
        triggers = items(self._spec, "triggers")
        asks = any(text_of(trigger, "type") == "prometheus" for trigger in triggers)
        for index, trigger in enumerate(triggers):
            kind = text_of(trigger, "type")
            if kind not in ("prometheus", "cron", *_RESOURCES):
                called = kind or "without a type"
                self._say(f"has a trigger {called}, and a stack file prometheus and cron alone.")
            elif kind in _RESOURCES and asks:
                self._say(f"scales on {kind} beside a query, which a stack file does not.")
            if kind != "prometheus":
                continue
            figure = self._figure(trigger)
            first = first or figure
            if any(figure.get(key) != first.get(key) for key in ("server", "authentication")):
                # An address may hold a password.
                self._say(
                    f"asks another Prometheus by triggers[{index}] than by the first one, or signs "
                    "in otherwise; a stack file has one for all, so that trigger is left out."
                )
                continue
            self._say_without("triggers", trigger, _TRIGGER)
            self._say_without("triggers.metadata", section(trigger, "metadata"), _METADATA)
            yield figure

    def _figure(self, trigger: Mapping[str, Any]) -> Section:
        metadata = section(trigger, "metadata")
        figure: Section = {
            "metric": "prometheus",
            "server": text_of(metadata, "serverAddress"),
            "target": number(metadata.get("threshold", 0)),
            "query": text_of(metadata, "query"),
        }
        if activation := number(metadata.get("activationThreshold", 0)):
            figure["activation"] = activation
        if trigger.get("metricType") == "Value":
            self._say(
                "takes an answer as it is (metricType Value); a stack file divides that of a query "
                "by the replicas."
            )
        reference = section(trigger, "authenticationRef")
        if reference.get("kind") == "ClusterTriggerAuthentication":
            self._say(
                f"signs in by ClusterTriggerAuthentication {reference.get('name')}; a stack file "
                "names one of the model's namespace."
            )
        elif reference:
            modes = str(metadata.get("authModes", AuthMode.BASIC)).split(",")
            mode, *others = map(str.strip, modes)
            if others:
                self._say(
                    f"signs in by {' and '.join([mode, *others])}; the stack file has {mode}."
                )
            figure["authentication"] = {"name": text_of(reference, "name"), "mode": mode}
        return figure

    def _schedule(self) -> Section | None:
        hours = [
            section(trigger, "metadata")
            for trigger in items(self._spec, "triggers")
            if text_of(trigger, "type") == "cron"
        ]
        zones = [text_of(entry, "timezone") for entry in hours]
        if len({*zones}) > 1:
            self._say(f"has hours of {' and '.join(sorted({*zones}))}; those of {zones[0]} stay.")
        windows = [
            {
                "start": text_of(entry, "start"),
                "end": text_of(entry, "end"),
                "replicas": number(entry.get("desiredReplicas", 1)),
            }
            for entry, zone in zip(hours, zones, strict=True)
            if zone == zones[0]
        ]
        return {"time_zone": zones[0], "windows": windows} if windows else None

    def _by_resource(self, bounds: Section) -> Section | None:
        """`scale` by CPU or memory, which KServe does itself."""
        shares = [*self._shares()]
        if not shares:
            self._say("asks for nothing that a stack file scales by: write its scale by hand.")
            return None
        if self._schedule():
            self._say("has hours, which go with a query alone; they are left out.")
        first, *others = shares
        for other in others:
            self._say(f"scales on {other['metric']} too; the stack file has {first['metric']}.")
        least = max(1, bounds["min"])
        return {**first, "min": least, "max": max(least, bounds["max"])}

    def _shares(self) -> Iterator[Section]:
        """Triggers on a share of what the pods ask for, of CPU or memory."""
        for trigger in items(self._spec, "triggers"):
            metadata, kind = section(trigger, "metadata"), text_of(trigger, "type")
            value = metadata.get("value")
            if kind not in _RESOURCES or value is None:
                continue
            # KEDA had the type of a target among the metadata before.
            if trigger.get("metricType", metadata.get("type")) == "AverageValue":
                self._say(f"holds {kind} at {value} a pod; a stack file has a share in percent.")
                continue
            if name := text_of(metadata, "containerName"):
                self._say(f"looks at {kind} of the container {name}; the stack file at the pod's.")
            yield {"metric": kind, "target": number(value)}
