"""A cluster in which all of a stack is up, as lists of an API server show it, and ways to break it.

Made from what the stack plans: each object with the status that its controller gives it, and below
it what Knative, KServe and Kubernetes make of it.
"""

import copy
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from components.crds.kserve_annotations import KSERVE_VISIBILITY
from components.crds.leader_worker_labels import SET_NAME, WORKER_INDEX
from components.crds.role_based_group_labels import GROUP_NAME, ROLE_NAME
from plan.model import Plan
from plan.objects import Objects, items
from plan.pods import pods_of
from status.cluster import LiveCluster

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
CARD: Final = {"aliyun.accelerator/nvidia_name": "NVIDIA-A10"}
Manifest = dict[str, Any]


def ago(seconds: float) -> str:
    """A time as the API server writes it."""
    return f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def conditions(**states: str) -> list[Manifest]:
    """Conditions by type, a minute old."""
    return [
        {"type": type_, "status": state, "lastTransitionTime": ago(3600)}
        for type_, state in states.items()
    ]


class Live:
    """A cluster that a test breaks; healthy at first."""

    def __init__(self, planned: Plan) -> None:
        self.planned = planned
        self.objects: list[Manifest] = [*_cluster(planned)]

    def cluster(self, **more: Any) -> LiveCluster:
        """What a reader sees of it."""
        return LiveCluster(Objects(self.objects), NOW, **more)

    def get(self, kind: str, name: str = "") -> Manifest:
        """The first object of a kind whose name begins so."""
        return next(
            manifest
            for manifest in self.objects
            if manifest["kind"] == kind and manifest["metadata"]["name"].startswith(name)
        )

    def all(self, kind: str) -> list[Manifest]:
        """Every object of a kind."""
        return [manifest for manifest in self.objects if manifest["kind"] == kind]

    def remove(self, kind: str, name: str = "") -> None:
        """Deletes an object."""
        self.objects.remove(self.get(kind, name))

    def status(self, kind: str, name: str = "", **changes: Any) -> Manifest:
        """Changes fields of a status."""
        manifest = self.get(kind, name)
        manifest["status"] = {**manifest.get("status", {}), **changes}
        return manifest

    def condition(self, kind: str, name: str, type_: str, status: str, **more: str) -> Manifest:
        """Sets a condition."""
        manifest = self.get(kind, name)
        entries = manifest.setdefault("status", {}).setdefault("conditions", [])
        entries[:] = [entry for entry in entries if entry["type"] != type_]
        entry = {"type": type_, "status": status, "lastTransitionTime": ago(600), **more}
        entries.append(entry)
        return manifest

    def event(
        self, kind: str, name: str, reason: str, message: str, type_: str = "Warning"
    ) -> None:
        """Adds an event, a minute old."""
        about = self.get(kind, name)["metadata"]
        self.objects.append(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {
                    "name": f"{about['name']}.{reason}",
                    "namespace": about.get("namespace", "default"),
                },
                "involvedObject": {
                    "kind": kind,
                    "name": about["name"],
                    "namespace": about.get("namespace", "default"),
                },
                "reason": reason,
                "message": message,
                "type": type_,
                "lastTimestamp": ago(60),
            }
        )

    def pending(self, name: str, **labels: str) -> Manifest:
        """Takes a pod off its node, which the scheduler says it has none for."""
        pod = self.get("Pod", name)
        pod["spec"].pop("nodeName", None)
        pod["status"] = {"phase": "Pending", "conditions": conditions(PodScheduled="False")}
        pod["status"]["conditions"][0]["message"] = "0/3 nodes are available: 3 of a reason."
        return pod

    def container(
        self, name: str, state: Manifest, last: Manifest | None = None, **more: Any
    ) -> None:
        """Sets the state of the main container of a pod, which is not ready then."""
        pod = self.get("Pod", name)
        pod["status"]["conditions"] = conditions(PodScheduled="True", Ready="False")
        entry = {**pod["status"]["containerStatuses"][0], "ready": False, "state": state}
        entry["started"] = False
        pod["status"]["containerStatuses"][0] = {**entry, "lastState": last or {}, **more}


def _cluster(planned: Plan) -> Iterator[Manifest]:
    yield _node("gpu-0", {"node.kubernetes.io/instance-type": "ecs.gn7i-c32g1.8xlarge", **CARD}, 2)
    yield _node("cpu-0", {"node.kubernetes.io/instance-type": "ecs.g7.2xlarge"}, 0)
    for manifest in copy.deepcopy(planned.manifests()):
        about = manifest.setdefault("metadata", {})
        about |= {"uid": f"{manifest['kind']}-{about.get('name')}", "generation": 1}
        about["creationTimestamp"] = ago(7200)
        is_core = (manifest["apiVersion"], manifest["kind"]) == ("v1", "Service")
        maker = None if is_core else _MADE.get(manifest["kind"])
        yield manifest
        if maker:
            yield from maker(manifest)


def _node(name: str, labels: Mapping[str, str], cards: int) -> Manifest:
    allocatable = {"cpu": "96", "memory": "512Gi", "pods": "64"} | (
        {"nvidia.com/gpu": str(cards)} if cards else {}
    )
    taints = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**labels, "ack.node.gpu.schedule": "default"}},
        "spec": {"taints": taints if cards else []},
        "status": {"allocatable": allocatable, "conditions": conditions(Ready="True")},
    }


def _child(
    api_version: str, kind: str, name: str, owner: Manifest, labels: Mapping[str, str], **more: Any
) -> Manifest:
    reference = {"kind": owner["kind"], "name": owner["metadata"]["name"]}
    reference["uid"] = owner["metadata"]["uid"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": dict(labels),
            "uid": f"{kind}-{name}",
            "creationTimestamp": ago(7000),
            "ownerReferences": [reference],
        },
        **more,
    }


def _pod(owner: Manifest, of: Manifest, name: str, labels: Mapping[str, str]) -> Manifest:
    template = next(iter(pods_of(of)))
    spec = copy.deepcopy(dict(template.spec))
    # What a placement asks for by the ID of a pool is not known in a plan.
    spec.pop("affinity", None)
    spec |= {"nodeName": "gpu-0", "nodeSelector": CARD}
    spec["priority"] = 1000 if of["kind"] != "Job" else 10
    spec["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    entry = {
        "name": items(spec, "containers")[0].get("name", "user-container"),
        "image": "registry.invalid/vllm:v0.9.1",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": ago(6900)}},
    }
    status = {
        "phase": "Running",
        "conditions": conditions(PodScheduled="True", Ready="True"),
        "containerStatuses": [entry],
    }
    pod = _child("v1", "Pod", name, owner, {**template.labels, **labels}, spec=spec, status=status)
    return pod


def _deployment(
    owner: Manifest, of: Manifest, name: str, labels: Mapping[str, str]
) -> Iterator[Manifest]:
    status = {"conditions": conditions(Available="True", Progressing="True")}
    deployment = _child("apps/v1", "Deployment", name, owner, labels, spec={}, status=status)
    replicas = _child("apps/v1", "ReplicaSet", f"{name}-7f", deployment, labels, spec={})
    yield from (deployment, replicas, _pod(replicas, of, f"{name}-7f-abc", labels))


def _knative(service: Manifest) -> Iterator[Manifest]:
    name = service["metadata"]["name"]
    revision = f"{name}-00001"
    service["status"] = {
        "observedGeneration": 1,
        "conditions": conditions(ConfigurationsReady="True", Ready="True", RoutesReady="True"),
        "latestCreatedRevisionName": revision,
        "latestReadyRevisionName": revision,
        "url": f"http://{name}.inference.example.com",
    }
    labels = {"serving.knative.dev/service": name, "serving.knative.dev/revision": revision}
    status = {"conditions": conditions(Ready="True", ResourcesAvailable="True")}
    manifest = _child(
        "serving.knative.dev/v1", "Revision", revision, service, labels, status=status
    )
    yield manifest
    yield _child(
        "autoscaling.internal.knative.dev/v1alpha1",
        "PodAutoscaler",
        revision,
        manifest,
        labels,
        spec={"scaleTargetRef": {"name": f"{revision}-deployment"}},
        status={"desiredScale": 1, "actualScale": 1, "conditions": conditions(Ready="True")},
    )
    yield from _deployment(manifest, service, f"{revision}-deployment", labels)


def _kserve(service: Manifest) -> Iterator[Manifest]:
    name = service["metadata"]["name"]
    service["status"] = {
        "observedGeneration": 1,
        "conditions": conditions(PredictorReady="True", IngressReady="True", Ready="True"),
        "url": f"http://{name}-inference.example.com",
    }
    labels = {"serving.kserve.io/inferenceservice": name}
    yield from _deployment(service, service, f"{name}-predictor", labels)
    if KSERVE_VISIBILITY not in service["metadata"].get("labels", {}):
        yield left_ingress(service)


def left_ingress(service: Manifest) -> Manifest:
    """The Ingress that KServe makes of a model, and takes away only with it."""
    name = service["metadata"]["name"]
    spec = {
        "ingressClassName": "nginx",
        "rules": [{"host": f"{name}-inference.example.com"}],
    }
    status = {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}
    return _child("networking.k8s.io/v1", "Ingress", name, service, {}, spec=spec, status=status)


def _groups(groups: Manifest) -> Iterator[Manifest]:
    name, spec = groups["metadata"]["name"], groups["spec"]
    groups["status"] = {"conditions": conditions(Available="True", Progressing="False")}
    labels = {SET_NAME: name, "leaderworkerset.sigs.k8s.io/group-index": "0"}
    leaders = _child("apps/v1", "StatefulSet", name, groups, labels, spec={})
    leader = _pod(leaders, groups, f"{name}-0", {**labels, WORKER_INDEX: "0"})
    workers = _child("apps/v1", "StatefulSet", f"{name}-0", leader, labels, spec={})
    yield from (leaders, leader, workers)
    for number in range(1, spec["leaderWorkerTemplate"]["size"]):
        yield _pod(workers, groups, f"{name}-0-{number}", {**labels, WORKER_INDEX: str(number)})


def _llm(service: Manifest) -> Iterator[Manifest]:
    name = service["metadata"]["name"]
    service["status"] = {
        "observedGeneration": 1,
        "conditions": conditions(MainWorkloadReady="True", RouterReady="True", Ready="True"),
    }
    yield from _deployment(service, service, f"{name}-kserve", {"release": name})


def _roles(group: Manifest) -> Iterator[Manifest]:
    name = group["metadata"]["name"]
    group["status"] = {"conditions": conditions(Ready="True"), "observedGeneration": 1}
    for role in group["spec"]["roles"]:
        labels = {GROUP_NAME: name, ROLE_NAME: role["name"]}
        yield _pod(group, group, f"{name}-{role['name']}-0", labels)


def _job(job: Manifest) -> Iterator[Manifest]:
    name = job["metadata"]["name"]
    job["status"] = {"active": 1, "ready": 1}
    yield _pod(job, job, f"{name}-0-abc", {"batch.kubernetes.io/job-name": name})


def _scaler(scaler: Manifest) -> Iterator[Manifest]:
    current = {"averageValue": "12"}
    metrics = [
        {"type": "Pods", "pods": {"metric": entry["pods"]["metric"], "current": current}}
        for entry in scaler["spec"]["metrics"]
    ]
    scaler["status"] = {
        "conditions": conditions(AbleToScale="True", ScalingActive="True"),
        "desiredReplicas": 1,
        "currentReplicas": 1,
        "currentMetrics": metrics,
    }
    return iter(())


def _phase(phase: str) -> Any:
    def set_phase(manifest: Manifest) -> Iterator[Manifest]:
        manifest["status"] = {"phase": phase}
        if manifest["kind"] == "Dataset":
            # Fluid makes a claim of its name, which pods mount.
            yield _child("v1", "PersistentVolumeClaim", manifest["metadata"]["name"], manifest, {})

    return set_phase


_MADE: Final = {
    "Service": _knative,
    "InferenceService": _kserve,
    "LLMInferenceService": _llm,
    "LeaderWorkerSet": _groups,
    "RoleBasedGroup": _roles,
    "Job": _job,
    "HorizontalPodAutoscaler": _scaler,
    "PersistentVolumeClaim": _phase("Bound"),
    "PersistentVolume": _phase("Bound"),
    "Dataset": _phase("Bound"),
    "DataLoad": _phase("Complete"),
}
