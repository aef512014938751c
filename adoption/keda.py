"""How KEDA scales a model: from a ScaledObject over its Deployment, or from KServe's own block."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.serving.keda_scale import COOLDOWN_SECONDS, POLLING_SECONDS, AuthMode
from components.serving.kserve_model import KServeMetric
from plan.kinds import SCALED_OBJECT
from plan.objects import Objects, items, name_of, namespace_of, section, text_of

from .workloads import LiveWorkload, Notes, number

MOST_REPLICAS: Final = 100
"""What KEDA takes where a ScaledObject has no `maxReplicaCount`."""
_RESOURCES: Final = (KServeMetric.CPU, KServeMetric.MEMORY)

Section = dict[str, Any]


def own_scale(predictor: Mapping[str, Any]) -> Section | None:
    """`metric`, `target` and `query` of KServe's own block for KEDA; None where it asks nobody."""
    for metric in items(section(predictor, "autoScaling"), "metrics"):
        query = section(metric, "external", "metric")
        value = section(metric, "external", "target").get("value")
        if query.get("backend") == "prometheus" and value is not None:
            asked = {"server": text_of(query, "serverAddress"), "query": text_of(query, "query")}
            return {"metric": "prometheus", "target": number(value), "query": asked}
    return None


def keda_scale(
    workload: LiveWorkload, target: str, objects: Objects, notes: Notes
) -> Section | None:
    """`scale` of what a ScaledObject does with a Deployment; None where there is none for it."""
    for scaler in objects.of(*SCALED_OBJECT):
        spec = section(scaler, "spec")
        reference = section(spec, "scaleTargetRef")
        is_deployment = reference.get("kind", "Deployment") == "Deployment"
        is_for = is_deployment and text_of(reference, "name") == target
        if is_for and namespace_of(scaler) == workload.namespace:
            return _ScaledObjectReader(workload, name_of(scaler), spec, notes).scale()
    return None


class _ScaledObjectReader:
    """Reads the ScaledObject of a workload."""

    def __init__(
        self, workload: LiveWorkload, name: str, spec: Mapping[str, Any], notes: Notes
    ) -> None:
        self._workload, self._name, self._spec, self._notes = workload, name, spec, notes

    def _say(self, sentence: str) -> None:
        self._notes.say(self._workload, f"ScaledObject {self._name} {sentence}")

    def scale(self) -> Section | None:
        """The whole of it; None where it asks for nothing that a stack file knows."""
        low = int(self._spec.get("minReplicaCount", 0))
        high = int(self._spec.get("maxReplicaCount", MOST_REPLICAS))
        bounds: Section = {"min": low, "max": max(low, high, 1)}
        for field in ("idleReplicaCount", "fallback"):
            if field in self._spec:
                self._say(f"has {field}, which a stack file has no field for; it is left out.")
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
        behavior = section(advanced, "horizontalPodAutoscalerConfig", "behavior", "scaleDown")
        if (window := behavior.get("stabilizationWindowSeconds")) is not None:
            scale["scale_down_seconds"] = int(window)
        if section(advanced, "scalingModifiers"):
            self._say("has a formula over its triggers, and a stack file takes the highest answer.")
        return {**scale, "keda": self._keda(first, others, low)}

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
        for trigger in items(self._spec, "triggers"):
            kind = text_of(trigger, "type")
            if kind not in ("prometheus", "cron", *_RESOURCES):
                self._say(f"has a trigger {kind}, and a stack file prometheus and cron alone.")
            if kind != "prometheus":
                continue
            figure = self._figure(trigger)
            first = first or figure
            if any(figure.get(key) != first.get(key) for key in ("server", "authentication")):
                self._say(
                    f"asks {figure['server']} beside {first['server']}, or signs in otherwise; a "
                    "stack file has one Prometheus for all, so that trigger is left out."
                )
                continue
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
            figure["authentication"] = {"name": text_of(reference, "name"), "mode": modes[0]}
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
                "replicas": int(entry.get("desiredReplicas", 1)),
            }
            for entry, zone in zip(hours, zones, strict=True)
            if zone == zones[0]
        ]
        return {"time_zone": zones[0], "windows": windows} if windows else None

    def _by_resource(self, bounds: Section) -> Section | None:
        """`scale` by CPU or memory, which KServe does itself."""
        for trigger in items(self._spec, "triggers"):
            value = section(trigger, "metadata").get("value")
            if trigger.get("type") in _RESOURCES and value is not None:
                if self._schedule():
                    self._say("has hours, which go with a query alone; they are left out.")
                least = max(1, bounds["min"])
                scale = {"metric": text_of(trigger, "type"), "target": int(value)}
                return {**scale, "min": least, "max": max(least, bounds["max"])}
        self._say("asks for nothing that a stack file scales by.")
        return None
