"""Models of a stack file, from Knative Services, InferenceServices and Deployments."""

import re
from collections.abc import Mapping
from typing import Any, Final

from components.crds.knative_annotations import AHPA, AUTOSCALING, PROGRESS_DEADLINE
from components.crds.kserve_annotations import AUTOSCALER_CLASS, DEPLOYMENT_MODE, StrategyType
from components.serving.knative_model import RESERVE, SCALE_STRATEGY
from components.serving.pod import STARTUP_SECONDS
from plan.kinds import KNATIVE_SERVICE
from plan.objects import Objects, items, section, text_of

from .autoscalers import BY_CPU, hpa_scale, keda_scale, own_scale
from .workloads import OWNERS, LiveWorkload, Notes, number

DEFAULT_RESERVE: Final = "eci"
"""What ACK takes where no annotation says it: "Configure reserved instances", 2026-10."""
SYSTEM_NOTES: Final = (
    "serving.knative.dev/creator",
    "serving.knative.dev/lastModifier",
    "kubectl.kubernetes.io/",
    "client.knative.dev/",
    "deployment.kubernetes.io/",
    "kubectl.",
    "pulumi.com/",
    "run.googleapis.com/",
    *{f"{key.partition('/')[0]}/" for key in OWNERS},
)
"""Beginnings of annotations that tools keep for themselves."""
KNATIVE_FIELDS: Final[Mapping[str, str]] = {
    "target-utilization-percentage": "target_utilization_percent",
    "window": "window_seconds",
    "panic-window-percentage": "panic_window_percent",
    "panic-threshold-percentage": "panic_threshold_percent",
    "scale-down-delay": "scale_down_delay_seconds",
    "scale-to-zero-pod-retention-period": "zero_retention_seconds",
}
"""Annotations of Knative's autoscaler, and the fields of `scale` that they come of."""
WITHOUT_BOUND: Final = 100
"""Most replicas where an object has no bound, which a stack file has to say."""
MOST: Final = 1000
"""Most replicas that a stack file can say: `KnativeScale` and `KServeScale`."""

Section = dict[str, Any]


def knative(workload: LiveWorkload, notes: Notes) -> Section:
    """`serve.knative` of a Knative Service."""
    template = section(workload.manifest, "spec", "template")
    annotations = dict(section(template, "metadata", "annotations"))
    spec = section(template, "spec")
    scaling = {
        key.removeprefix(AUTOSCALING): str(annotations.pop(key))
        for key in list(annotations)
        if key.startswith(AUTOSCALING)
    }
    scaler = scaling.pop("class", "kpa.autoscaling.knative.dev")
    is_ahpa = scaler == AHPA and "target" in scaling
    if not scaler.startswith("kpa.") and not is_ahpa:
        without = " without a target" if scaler == AHPA else ""
        notes.say(
            workload,
            f"its autoscaler is {scaler}{without}; a stack file has Knative's own, the KPA, and "
            "ACK's AHPA with a target.",
        )
    scale: Section = {"min": _whole(scaling.pop("min-scale", scaling.pop("minScale", "0")))}
    most = _whole(scaling.pop("max-scale", scaling.pop("maxScale", "0")))
    if not most:
        most = max(WITHOUT_BOUND, scale["min"])
        notes.say(
            workload,
            f"it has no max-scale, and may have any number of replicas; a stack file has a bound, "
            f"for which {most} stands.",
        )
    scale["max"] = most
    metric = scaling.pop("metric", "cpu" if scaler.startswith("hpa.") else "concurrency")
    target = scaling.pop("target", None)
    if metric in ("concurrency", "rps") or (is_ahpa and metric == "rt"):
        scale |= {"metric": metric, **({"target": number(target)} if target else {})}
    else:
        counted = f", of which its target is {target}" if target else ""
        notes.say(
            workload,
            f"it is scaled on {metric}{counted}; a stack file has concurrency and rps, and on "
            "AHPA rt. Its entry has none, with which Knative counts requests in hand.",
        )
    for key, name in KNATIVE_FIELDS.items():
        if value := scaling.pop(key, None):
            if is_ahpa:
                notes.say(workload, f"its {AUTOSCALING}{key} is left out, which AHPA does not ask.")
            else:
                scale[name] = int(_seconds(value))
    if is_ahpa:
        strategy = annotations.pop(SCALE_STRATEGY, None)
        scale["ahpa"] = {"strategy": strategy} if strategy else {}
    if scaling:
        notes.say(
            workload,
            f"a stack file has no field for {', '.join(f'{AUTOSCALING}{key}' for key in scaling)}; "
            "they stand in serve.knative.annotations.",
        )
        annotations |= {f"{AUTOSCALING}{key}": value for key, value in scaling.items()}
    serve: Section = {"scale": scale, "startup_seconds": startup_of(workload, annotations)}
    if limit := spec.get("containerConcurrency"):
        serve["concurrency_limit"] = int(limit)
    serve["request_seconds"] = int(spec.get("timeoutSeconds") or 300)
    if any(key.startswith(RESERVE) for key in annotations):
        serve["reserve"] = _reserve(annotations)
    if shares := _traffic(workload):
        serve["traffic"] = shares
    if kept := own_annotations(annotations):
        serve["annotations"] = kept
    return serve


def _reserve(annotations: dict[str, str]) -> Section:
    """ACK's reserve instance, whose annotations are taken out of the others."""
    kept = {key: annotations.pop(key) for key in list(annotations) if key.startswith(RESERVE)}
    kept.pop(RESERVE, None)
    reserve: Section = {"type": kept.pop(f"{RESERVE}-type", DEFAULT_RESERVE)}
    reserve["replicas"] = int(kept.pop(f"{RESERVE}-replicas", "1"))
    return {**reserve, **({"annotations": kept} if kept else {})}


def _traffic(workload: LiveWorkload) -> list[Section]:
    shares = items(section(workload.manifest, "spec"), "traffic")
    if all(share.get("latestRevision") and not share.get("tag") for share in shares):
        return []
    return [
        {
            key: value
            for key, value in {
                "revision": share.get("revisionName"),
                "latest": True if share.get("latestRevision") else None,
                "percent": share.get("percent"),
                "tag": share.get("tag"),
            }.items()
            if value is not None
        }
        for share in shares
    ]


def kserve(workload: LiveWorkload, objects: Objects, notes: Notes) -> Section:
    """`serve.kserve` of an InferenceService."""
    predictor = section(workload.manifest, "spec", "predictor")
    annotations = dict(section(workload.manifest, "metadata", "annotations"))
    mode, scaler = annotations.pop(DEPLOYMENT_MODE, None), annotations.pop(AUTOSCALER_CLASS, None)
    target = f"{workload.name}-predictor"
    on_knative = mode in ("Serverless", "Knative") if mode else _is_on_knative(workload, objects)
    least = int(predictor.get("minReplicas", 1))
    most = int(predictor.get("maxReplicas") or max(least, 1))
    for part in ("transformer", "explainer"):
        if section(workload.manifest, "spec", part):
            notes.say(workload, f"its {part} is left out: a stack file has predictors alone.")
    if on_knative:
        wanted = number(
            predictor.get("scaleTarget") or predictor.get("containerConcurrency") or 100
        )
        scale = {"metric": "concurrency", "target": wanted, "min": least, "max": most}
        if not predictor.get("maxReplicas"):
            scale["max"] = max(WITHOUT_BOUND, least)
            notes.say(
                workload, f"it has no maxReplicas; {scale['max']} stands in the stack file for it."
            )
    else:
        scale = _standard(workload, predictor, scaler, target, objects, notes)
    if mode and not on_knative:
        notes.say(
            workload,
            f"it says that its mode is {mode}, which the stack leaves to KServe's own "
            "configuration: have defaultDeploymentMode Standard in ConfigMap "
            "inferenceservice-config before.",
        )
    serve: Section = {"scale": scale, "startup_seconds": startup_of(workload, annotations)}
    if seconds := predictor.get("timeout"):
        serve["request_seconds"] = int(seconds)
    if not on_knative and (grace := predictor.get("terminationGracePeriodSeconds")):
        serve["grace_seconds"] = int(grace)
    if on_knative and (percent := predictor.get("canaryTrafficPercent")) is not None:
        serve["canary"] = {"percent": int(percent)}
    if not on_knative and (
        rollout := _rollout(workload, section(predictor, "deploymentStrategy"), notes)
    ):
        serve["rollout"] = rollout
    if kept := own_annotations(annotations):
        serve["annotations"] = kept
    return serve


def _rollout(workload: LiveWorkload, strategy: Mapping[str, Any], notes: Notes) -> Section:
    """`rollout` of a Deployment's strategy; empty where it is as Kubernetes has it."""
    rollout: Section = {}
    if strategy.get("type") == StrategyType.RECREATE:
        rollout["type"] = str(StrategyType.RECREATE)
    amounts = section(strategy, "rollingUpdate")
    for key, name in (("maxSurge", "max_surge"), ("maxUnavailable", "max_unavailable")):
        amount = amounts.get(key)
        if isinstance(amount, int):
            rollout[name] = amount
        elif amount not in (None, "25%"):
            notes.say(
                workload,
                f"its strategy of updates has {key} {amount}; serve.kserve.rollout.{name} is a "
                "number of pods, so write what it comes to.",
            )
    if rollout.get("max_surge") == 0 and "max_unavailable" not in rollout:
        rollout["max_unavailable"] = 1
        notes.say(
            workload,
            "its strategy of updates has maxSurge 0 and a share as maxUnavailable; "
            "serve.kserve.rollout.max_unavailable is 1, the fewest that replace any.",
        )
    return rollout


def _is_on_knative(workload: LiveWorkload, objects: Objects) -> bool:
    """Whether Knative serves an InferenceService that does not say it: what stands below tells."""
    target = f"{workload.name}-predictor"
    return objects.get(*KNATIVE_SERVICE, target, workload.namespace) is not None


def _standard(
    workload: LiveWorkload,
    predictor: Mapping[str, Any],
    scaler: str | None,
    target: str,
    objects: Objects,
    notes: Notes,
) -> Section:
    """`scale` of a model that an HPA scales: KServe's own, or one beside it."""
    if scaler in ("external", "none"):
        scale = keda_scale(workload, target, objects, notes)
        if scale := scale or hpa_scale(workload, target, objects, notes):
            return scale
    least = int(predictor.get("minReplicas", 1))
    most = int(predictor.get("maxReplicas") or least)
    if scaler == "keda" and (asked := own_scale(predictor)):
        if asked["metric"] != "prometheus":
            least = max(1, least)
        return {**asked, "min": least, "max": max(1, least, most)}
    if scaler in ("keda", "none"):
        notes.say(
            workload,
            f"its autoscaler is {scaler}, and nothing is there that a stack file scales by; it "
            "has one that scales on CPU between its bounds.",
        )
    least = max(1, least)
    metric = str(predictor.get("scaleMetric", "cpu"))
    return {
        "metric": metric if metric in ("cpu", "memory") else "cpu",
        "target": number(predictor.get("scaleTarget") or 80),
        "min": least,
        "max": max(least, most),
    }


def deployment(workload: LiveWorkload, objects: Objects, notes: Notes, runtime: str) -> Section:
    """`serve` of a Deployment, which this project serves by KServe, or else by Knative."""
    replicas = int(section(workload.manifest, "spec").get("replicas", 1))
    startup = startup_of(workload, {})
    if runtime == "knative":
        scale: Section = {"metric": "concurrency", "min": replicas, "max": max(1, replicas)}
        notes.say(
            workload,
            "a stack file serves by KServe or Knative, and the cluster has Knative: it becomes "
            f"Knative Service {workload.entry}, whose pods come beside those of the Deployment. "
            "Send requests to the new host, then delete the Deployment, its Service and its HPA.",
        )
        return {"knative": {"scale": scale, "startup_seconds": startup}}
    scale = (
        keda_scale(workload, workload.name, objects, notes)
        or hpa_scale(workload, workload.name, objects, notes)
        or {**BY_CPU, "min": max(1, replicas), "max": max(1, replicas)}
    )
    notes.say(
        workload,
        f"a stack file serves by KServe or Knative: it becomes InferenceService {workload.entry}, "
        f"for which KServe makes Deployment and Service {workload.entry}-predictor, beside those "
        "that are there. Send requests to the new host, then delete the Deployment, its Service "
        "and its HPA.",
    )
    rollout = _rollout(workload, section(workload.manifest, "spec", "strategy"), notes)
    serve: Section = {"scale": scale, "startup_seconds": startup}
    return {"kserve": {**serve, **({"rollout": rollout} if rollout else {})}}


def bounded(serve: Section, workload: LiveWorkload, notes: Notes) -> Section:
    """`serve` with bounds that a stack file can hold; where it has smaller ones, a note says so."""
    for block in serve.values():
        scale = block["scale"]
        bounds = {key: min(MOST, scale[key]) for key in ("min", "max")}
        if any(scale[key] != bound for key, bound in bounds.items()):
            notes.say(
                workload,
                f"it has {scale['min']} to {scale['max']} replicas, and a stack file {MOST} at the "
                f"most: {bounds['min']} to {bounds['max']} stand there. Divide it among several "
                "models.",
            )
        block["scale"] = scale | bounds
    return serve


def own_annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Annotations that are the user's own."""
    dropped = (*SYSTEM_NOTES, PROGRESS_DEADLINE)
    return {key: str(value) for key, value in annotations.items() if not key.startswith(dropped)}


def startup_of(workload: LiveWorkload, annotations: Mapping[str, str]) -> int:
    """Longest start: of the start-up probe, or of Knative's deadline."""
    probe = section(workload.server, "startupProbe")
    by_probe = int(probe.get("periodSeconds", 10)) * int(probe.get("failureThreshold", 3))
    told = by_probe if probe else int(_seconds(annotations.get(PROGRESS_DEADLINE, "0s")))
    return min(86400, max(60, told)) if told else STARTUP_SECONDS


def _seconds(text: str) -> float:
    """A Go duration, or a bare number."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)(h|m|s|)", text))


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"\d+", text) else 0


def host_domain(workload: LiveWorkload) -> str | None:
    """Domain below which a model answers, as its status says."""
    url = text_of(section(workload.manifest, "status"), "url")
    host = url.partition("://")[2].partition(":")[0].partition("/")[0]
    for prefix in (
        f"{workload.name}.{workload.namespace}.",
        f"{workload.name}-{workload.namespace}.",
    ):
        if host.startswith(prefix):
            return host.removeprefix(prefix)
    return None


def ingress_class(workload: LiveWorkload, objects: Objects) -> str | None:
    """IngressClass of the Ingress that KServe has made for a model."""
    for ingress in objects.of("networking.k8s.io", "Ingress"):
        about = section(ingress, "metadata")
        if about.get("name") == workload.name and about.get("namespace") == workload.namespace:
            return text_of(section(ingress, "spec"), "ingressClassName") or None
    return None
