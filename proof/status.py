"""Breaks stacks that are up, one thing after another, and has `status` say what is broken, and why.

Scheduler, controllers, quotas and webhooks are the real ones, and say it in their own words. What
only a kubelet, KEDA or cert-manager would say is written where they write it.

Does not prove what a kubelet or a cloud says in all its releases.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from plan.model import Plan
from plan.objects import section
from sandbox import binaries
from sandbox.conditions import NodeConditions
from sandbox.kubernetes.client import ApiClient, Manifest, StatusError
from sandbox.run import Sandbox
from status.cluster import Connection, Kind
from status.model import Finding, Stage, Status, Way
from status.pods import SCHEDULING_SECONDS
from status.trail import SETTLING_SECONDS
from status.ways import status_of
from tests.crd_schemas import CRDS
from tests.stacks.environments import GONE, ROOT, Raw, merged, planned, raw_of

from .step import Row, Say, Skipped, Step

SECONDS: Final = 150
"""Longest until something is said, or is well again."""
MANAGER: Final = "proof"
NAMESPACE: Final = "inference"
CARDS: Final = "nvidia.com/gpu"
STACKS: Final[Mapping[str, Raw]] = {
    # Another pool that grows would be the scheduler's way out of what is broken.
    "dev": {"pools[t4].autoscale": GONE, "pools[t4].size": 1},
    "hybrid": {
        "pools[elastic].autoscale": GONE,
        "pools[elastic].size": 2,
    },
}
"""What is changed in a stack file before it comes up."""


class Ahead(Connection):
    """Asks a cluster whose clock can be put forward: what takes its time need not be waited for."""

    seconds: float = 0

    def list(self, kind: Kind, namespace: str | None = None) -> tuple[list[Manifest], datetime]:
        """As the cluster says it, that much later."""
        manifests, now = super().list(kind, namespace)
        return manifests, now + timedelta(seconds=self.seconds)


@dataclass
class StatusScene:
    """A stack that is up, and its cluster."""

    of: Plan
    client: ApiClient
    connection: Ahead

    def status(self) -> Status:
        """What is said of it now."""
        return status_of(self.of, self.connection)

    def way(self, model: str) -> Way:
        """What is said of a model."""
        return next(way for way in self.status().ways if way.name == model)

    @contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """Has it be so many seconds later for who looks at the cluster."""
        self.connection.seconds = seconds
        try:
            yield
        finally:
            self.connection.seconds = 0

    def all(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """Objects of a kind."""
        return self.client.list_objects(api_version, kind)

    def get(self, api_version: str, kind: str, name: str) -> dict[str, Any]:
        """The first object of a kind whose name begins so."""
        entries = (entry for entry in self.all(api_version, kind))
        return next(entry for entry in entries if entry["metadata"]["name"].startswith(name))

    def pods(self, model: str) -> list[dict[str, Any]]:
        """Pods of a model or a job that are not about to end, the latest revision's first."""
        labels = ("serving.knative.dev/service", "serving.kserve.io/inferenceservice", "job-name")
        pods = [
            pod
            for pod in self.all("v1", "Pod")
            if model in (section(pod, "metadata", "labels").get(label) for label in labels)
            and "deletionTimestamp" not in pod["metadata"]
        ]
        return sorted(pods, key=_age, reverse=True)

    def restart(self, model: str) -> None:
        """Deletes the pods of a model; its controller makes others."""
        for pod in self.pods(model):
            self.client.delete(pod)

    def merge(self, manifest: Manifest, change: Manifest, subresource: str = "") -> None:
        """Changes an object."""
        self.client.merge(manifest, change, MANAGER, subresource)

    def says(self, pod: Manifest, **container: Any) -> None:
        """Has a kubelet say of the first container of a pod how it is; the pod is not ready."""
        entry = {
            "name": pod["spec"]["containers"][0]["name"],
            "image": pod["spec"]["containers"][0]["image"],
            "imageID": "",
            "ready": False,
            "started": False,
            "restartCount": 0,
            **container,
        }
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        states = {"PodScheduled": "True", "Ready": "False", "ContainersReady": "False"}
        conditions = [
            {"type": type_, "status": state, "lastTransitionTime": now}
            for type_, state in states.items()
        ]
        status = {"phase": "Running", "conditions": conditions, "containerStatuses": [entry]}
        self.merge(pod, {"status": status}, "status")

    def event(self, about: Manifest, reason: str, message: str) -> None:
        """Has somebody say something of an object."""
        names = {key: about["metadata"][key] for key in ("name", "namespace", "uid")}
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{names['name']}.{reason.lower()}", "namespace": NAMESPACE},
            "involvedObject": {"kind": about["kind"], **names},
            "reason": reason,
            "message": message,
            "type": "Warning",
            "lastTimestamp": now,
        }
        self.client.apply(event, MANAGER, force=True)


def _age(pod: Manifest) -> tuple[str, str]:
    about = pod["metadata"]
    revision = str(about.get("labels", {}).get("serving.knative.dev/revision"))
    return revision, str(about["creationTimestamp"])


Break = Callable[[StatusScene], AbstractContextManager[Callable[[], None]]]
"""Breaks something until the context ends; gives what is done again before each look."""


@dataclass(frozen=True)
class Breakage:
    """A way to break a stack, and what has to be said then."""

    case: str
    breaks: Break
    link: str
    why: str
    """Part of the sentence."""
    or_why: str = ""
    """Another one that is as right; empty where there is none."""
    stack: str = "dev"
    model: str = "qwen"
    state: Stage = Stage.BROKEN
    note: str = ""
    """Part of what is noted beside."""
    later: float = 0
    """How far the clock is put forward in which it is looked at: status gives the scheduler, or a
    controller, some time until it calls a thing broken."""


def _nothing() -> None:
    """Nothing has to be done again."""


@contextmanager
def _patched(
    scene: StatusScene, entries: Sequence[Manifest], change: Manifest, subresource: str = ""
) -> Iterator[Callable[[], None]]:
    """Objects with a change, which is written again before each look, and taken back at the end."""

    def write() -> None:
        for entry in entries:
            scene.merge(entry, change, subresource)

    write()
    yield write
    for entry in entries:
        with suppress(StatusError):
            scene.merge(entry, _undone(entry, change), subresource)


def _undone(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A change that takes another one back; what was not there before goes."""
    return {
        key: _undone(section(before, key), value) if isinstance(value, Mapping) else before.get(key)
        for key, value in change.items()
    }


def _gpu_nodes(scene: StatusScene) -> list[dict[str, Any]]:
    return [node for node in scene.all("v1", "Node") if CARDS in node["status"]["allocatable"]]


@contextmanager
def _on_nodes(
    scene: StatusScene, change: Manifest, subresource: str = ""
) -> Iterator[Callable[[], None]]:
    nodes = _gpu_nodes(scene)
    with _patched(scene, nodes, change, subresource):
        scene.restart("qwen")
        yield _nothing


@contextmanager
def _taint(scene: StatusScene) -> Iterator[Callable[[], None]]:
    nodes = _gpu_nodes(scene)
    taint = {"key": "broken", "value": "yes", "effect": "NoSchedule"}
    for node in nodes:
        scene.merge(node, {"spec": {"taints": [*node["spec"]["taints"], taint]}})
    scene.restart("qwen")
    yield _nothing
    for node in nodes:
        scene.merge(node, {"spec": {"taints": node["spec"]["taints"]}})


def _changed(edit: Callable[[dict[str, Any]], None]) -> Break:
    """Breaks the Knative Service by an edit of its template."""

    @contextmanager
    def broken(scene: StatusScene) -> Iterator[Callable[[], None]]:
        service = scene.get("serving.knative.dev/v1", "Service", "qwen")
        template = service["spec"]["template"]
        changed = _copy(template)
        edit(changed)
        scene.merge(service, {"spec": {"template": changed}})
        yield _nothing
        for key in set(changed["metadata"]["annotations"]) - {*template["metadata"]["annotations"]}:
            template["metadata"]["annotations"][key] = None
        scene.merge(service, {"spec": {"template": template}})

    return broken


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if isinstance(value, list) else value


def _huge(template: dict[str, Any]) -> None:
    resources = template["spec"]["containers"][0]["resources"]
    resources["requests"]["cpu"] = resources["limits"]["cpu"] = "500"


def _objects(*manifests: Manifest, seconds: float = 0) -> Break:
    """Breaks a model by objects, once they are in force and its pod is made anew."""

    @contextmanager
    def broken(scene: StatusScene) -> Iterator[Callable[[], None]]:
        for manifest in manifests:
            scene.client.apply(manifest, MANAGER, force=True)
        time.sleep(seconds)
        scene.restart("qwen")
        yield _nothing
        for manifest in manifests:
            scene.client.remove(manifest)

    return broken


@contextmanager
def _restricted(scene: StatusScene) -> Iterator[Callable[[], None]]:
    entry = scene.get("v1", "Namespace", NAMESPACE)
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    with _patched(scene, [entry], {"metadata": {"labels": labels}}):
        scene.restart("qwen")
        yield _nothing


@contextmanager
def _nowhere(scene: StatusScene) -> Iterator[Callable[[], None]]:
    """Traffic for a revision that is not there."""
    entry = scene.get("serving.knative.dev/v1", "Service", "qwen")
    scene.merge(entry, {"spec": {"traffic": [{"revisionName": "qwen-00099", "percent": 100}]}})
    yield _nothing
    scene.merge(entry, {"spec": {"traffic": entry["spec"].get("traffic")}})


@contextmanager
def _held(scene: StatusScene) -> Iterator[Callable[[], None]]:
    """A policy that somebody has deleted, and a finalizer holds."""
    entry = scene.get("scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy", "qwen")
    scene.merge(entry, {"metadata": {"finalizers": ["proof.invalid/hold"]}})
    scene.client.delete(entry)
    yield _nothing
    scene.merge(entry, {"metadata": {"finalizers": None}})
    scene.client.apply(_anew(entry), "pulumi-kubernetes")


def _container(**container: Any) -> Break:
    """Breaks a model by what a kubelet says of its container."""

    @contextmanager
    def broken(scene: StatusScene) -> Iterator[Callable[[], None]]:
        pod = scene.pods("qwen")[0]
        scene.says(pod, **container)
        yield _nothing
        scene.restart("qwen")

    return broken


@contextmanager
def _mount(scene: StatusScene) -> Iterator[Callable[[], None]]:
    pod = scene.pods("qwen")[0]
    scene.says(pod, state={"waiting": {"reason": "ContainerCreating"}})
    message = 'MountVolume.SetUp failed for volume "models": rpc error: code = DeadlineExceeded'
    scene.event(pod, "FailedMount", message)
    yield _nothing
    scene.restart("qwen")


@contextmanager
def _late(scene: StatusScene) -> Iterator[Callable[[], None]]:
    """A revision whose pod waits for a node that was asked for, until its deadline has passed."""

    def asked_for() -> None:
        for pod in scene.pods("qwen")[:1]:
            if not pod["spec"].get("nodeName"):
                scene.event(pod, "TriggeredScaleUp", "pod triggered scale-up")

    with _changed(_huge_and_hurried)(scene):
        yield asked_for


def _huge_and_hurried(template: dict[str, Any]) -> None:
    _huge(template)
    template["metadata"]["annotations"]["serving.knative.dev/progress-deadline"] = "20s"


def _status(api_version: str, kind: str, name: str, **status: Any) -> Break:
    """Breaks an object by its status, against its controller, which writes it anew each time."""

    @contextmanager
    def broken(scene: StatusScene) -> Iterator[Callable[[], None]]:
        entry = scene.get(api_version, kind, name)
        with _patched(scene, [entry], {"status": status}, "status") as write, _insisting(write):
            yield _nothing

    return broken


@contextmanager
def _insisting(write: Callable[[], None]) -> Iterator[None]:
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.02):
            with suppress(StatusError):
                write()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@contextmanager
def _unclaimed(scene: StatusScene) -> Iterator[Callable[[], None]]:
    """A claim whose volume is not there."""
    claim = scene.get("v1", "PersistentVolumeClaim", "finetune")
    volume = scene.get("v1", "PersistentVolume", claim["spec"]["volumeName"])
    for entry in (claim, volume):
        scene.client.delete(entry)
        with suppress(StatusError):
            scene.merge(entry, {"metadata": {"finalizers": None}})
    scene.client.apply(_anew(claim), MANAGER, force=True)
    yield _nothing
    entry = _anew(volume)
    for key in ("uid", "resourceVersion"):
        entry["spec"]["claimRef"].pop(key, None)
    scene.client.apply(entry, MANAGER, force=True)


def _anew(manifest: Manifest) -> dict[str, Any]:
    """An object as it can be made again."""
    about = manifest["metadata"]
    names = {key: about[key] for key in ("name", "namespace") if key in about}
    spec = _copy(manifest["spec"])
    head = {key: manifest[key] for key in ("apiVersion", "kind")}
    return {**head, "metadata": names, "spec": spec}


@contextmanager
def _without_priority(scene: StatusScene) -> Iterator[Callable[[], None]]:
    entry = scene.get("scheduling.k8s.io/v1", "PriorityClass", "inference")
    scene.client.delete(entry)
    yield _nothing
    about = {"name": entry["metadata"]["name"]}
    scene.client.apply({**entry, "metadata": about}, "pulumi-kubernetes")


@contextmanager
def _without_flag(scene: StatusScene) -> Iterator[Callable[[], None]]:
    entry = scene.get("v1", "ConfigMap", "config-features")
    configuration = scene.get("serving.knative.dev/v1", "Configuration", "qwen")
    with _patched(scene, [entry], {"data": {"kubernetes.podspec-priorityclassname": "disabled"}}):
        time.sleep(3)
        scene.client.delete(configuration)
        yield _nothing


@contextmanager
def _selector(scene: StatusScene) -> Iterator[Callable[[], None]]:
    entry = scene.get("scheduling.alibabacloud.com/v1alpha1", "ResourcePolicy", "qwen")
    change = {"spec": {"selector": {"release": "other"}}}
    with _patched(scene, [entry], change) as again:
        yield again


@contextmanager
def _more_important(scene: StatusScene) -> Iterator[Callable[[], None]]:
    """Pods that take every card that inference does not have."""
    fillers = [_filler(number) for number in range(2)]
    for pod in fillers:
        scene.client.apply(pod, MANAGER)
    yield _nothing
    for pod in fillers:
        scene.client.remove(pod)


def _filler(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"filler-{number}", "namespace": NAMESPACE},
        "spec": {
            "priorityClassName": "inference-high-priority",
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {"name": "c", "image": "c", "resources": {"limits": {CARDS: "1"}}},
            ],
        },
    }


@contextmanager
def _lost(scene: StatusScene) -> Iterator[Callable[[], None]]:
    name = scene.pods("qwen")[0]["spec"]["nodeName"]
    node = scene.get("v1", "Node", name)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    ready = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    ready |= {"message": "Kubelet stopped posting node status.", "lastTransitionTime": now}
    with _patched(scene, [node], {"status": {"conditions": [ready]}}, "status") as again:
        yield again


@contextmanager
def _certificate(scene: StatusScene) -> Iterator[Callable[[], None]]:
    hosts = [
        rule["host"]
        for ingress in scene.all("networking.k8s.io/v1", "Ingress")
        for rule in ingress["spec"]["rules"]
        if ingress["metadata"]["name"].startswith("qwen-chat")
    ]
    entry = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "door", "namespace": NAMESPACE},
        "spec": {"dnsNames": hosts, "secretName": "door", "issuerRef": {"name": "acme"}},
    }
    scene.client.apply(entry, MANAGER)
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "DoesNotExist",
        "message": "Issuing certificate as Secret does not exist",
        "lastTransitionTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    scene.merge(entry, {"status": {"conditions": [condition]}}, "status")
    yield _nothing
    scene.client.remove(entry)


@contextmanager
def _keda(scene: StatusScene) -> Iterator[Callable[[], None]]:
    entry = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "qwen-chat", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"name": "qwen-chat-predictor"}},
    }
    scene.client.apply(entry, MANAGER)
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "ScaledObjectCheckFailed",
        "message": "error creating the scaler: prometheus is not reached",
    }
    scene.merge(entry, {"status": {"conditions": [condition]}}, "status")
    yield _nothing
    scene.client.remove(entry)


def _measured(breaks: Break) -> Break:
    """Breaks something while the HPA sees its metric, which it says itself every 15 seconds."""

    @contextmanager
    def broken(scene: StatusScene) -> Iterator[Callable[[], None]]:
        scaler = scene.get("autoscaling/v2", "HorizontalPodAutoscaler", "qwen-chat")
        condition = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}
        with breaks(scene) as again:

            def both() -> None:
                again()
                scene.merge(scaler, {"status": {"conditions": [condition]}}, "status")

            yield both

    return broken


@contextmanager
def _as_it_is(scene: StatusScene) -> Iterator[Callable[[], None]]:
    yield _nothing


QUOTA: Final = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "cards", "namespace": NAMESPACE},
    "spec": {"hard": {"requests.nvidia.com/gpu": "1"}},
}
WEBHOOK: Final = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": "away"},
    "webhooks": [
        {
            "name": "away.policies.invalid",
            "clientConfig": {"url": "https://127.0.0.1:9/validate"},
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 2,
        }
    ],
}
LIMITS: Final = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small", "namespace": NAMESPACE},
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]},
}
POLICY: Final = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "owners.policies.invalid"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ]
        },
        "validations": [
            {"expression": "has(object.metadata.labels.owner)", "message": "a pod has an owner"}
        ],
    },
}
BINDING: Final = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "owners"},
    "spec": {"policyName": "owners.policies.invalid", "validationActions": ["Deny"]},
}
WALL: Final = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "wall", "namespace": NAMESPACE},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}
BACK_OFF: Final = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
CUDA: Final = "CUDA driver version is insufficient for CUDA runtime version"


def _ended(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


NO_METRIC: Final = "cannot read its metric"
"""What a sandbox has broken from the beginning: no Prometheus scrapes its pods."""
BROKEN: Final[Sequence[Breakage]] = (
    Breakage(
        "taint",
        _taint,
        "pods",
        "does not tolerate: broken=yes:NoSchedule",
        later=SCHEDULING_SECONDS,
    ),
    Breakage(
        "cordoned",
        lambda scene: _on_nodes(scene, {"spec": {"unschedulable": True}}),
        "pods",
        "its nodes are cordoned",
        later=SCHEDULING_SECONDS,
    ),
    Breakage(
        "too large, and the old revision answers",
        _changed(_huge),
        "pods",
        "more than any of its nodes has: cpu 5000",
        note="still answers",
        later=SCHEDULING_SECONDS,
    ),
    Breakage(
        "no card",
        lambda scene: _on_nodes(
            scene, {"status": {"capacity": {CARDS: None}, "allocatable": {CARDS: None}}}, "status"
        ),
        "pods",
        "have no GPU to give",
        later=SCHEDULING_SECONDS,
    ),
    Breakage("quota", _objects(QUOTA), "service", "the quota is used up"),
    Breakage(
        "webhook refuses", _objects(WEBHOOK), "service", 'failed calling webhook "away.policies'
    ),
    Breakage(
        "a policy of the cluster refuses",
        _objects(POLICY, BINDING, seconds=5),
        "service",
        "a policy of the cluster refuses it",
    ),
    Breakage(
        "security level of the namespace",
        _restricted,
        "service",
        "the security level of the namespace refuses",
    ),
    Breakage("LimitRange", _objects(LIMITS, seconds=12), "service", "a LimitRange of the name"),
    Breakage("nobody is let in", _objects(WALL), "door", "lets nobody reach its pods"),
    Breakage("traffic for no revision", _nowhere, "outcome", "qwen-00099"),
    Breakage(
        "image cannot be pulled",
        _container(state={"waiting": {"reason": "ErrImagePull", "message": "manifest unknown"}}),
        "pods",
        "cannot pull the image",
    ),
    Breakage(
        "OOMKilled",
        _container(state=BACK_OFF, lastState=_ended(137, "OOMKilled"), restartCount=3),
        "pods",
        "used more memory in its container",
    ),
    Breakage(
        "crash loop",
        _container(state=BACK_OFF, lastState=_ended(1), restartCount=3),
        "pods",
        "ends with exit code 1, 3 times",
    ),
    Breakage(
        "CUDA driver too old",
        _container(state=BACK_OFF, lastState=_ended(1, message=CUDA), restartCount=3),
        "pods",
        "NVIDIA driver is too old",
    ),
    Breakage(
        "probe waits",
        _container(state={"running": {"startedAt": "2126-01-01T00:00:00Z"}}),
        "pods",
        "loads its model: 0 s of 30 min",
        state=Stage.COMING,
    ),
    Breakage("mount fails", _mount, "pods", "cannot mount a volume: MountVolume.SetUp failed"),
    # Whichever says it first: Knative of the revision, or Kubernetes of its Deployment.
    Breakage(
        "progress deadline",
        _late,
        "revision",
        "is not ready",
        or_why="has passed its progress deadline",
        note="still answers",
    ),
    Breakage(
        "Dataset not bound",
        _status("data.fluid.io/v1alpha1", "Dataset", "qwen", phase="NotBound"),
        "cache",
        "is NotBound",
        later=SETTLING_SECONDS,
    ),
    Breakage(
        "DataLoad failed",
        _status("data.fluid.io/v1alpha1", "DataLoad", "qwen", phase="Failed"),
        "cache",
        "has failed",
    ),
    Breakage(
        "claim pending",
        _unclaimed,
        "volume",
        "is Pending",
        model="finetune",
    ),
    Breakage("deleted and held", _held, "deletion", "waits for proof.invalid/hold"),
    Breakage("priority missing", _without_priority, "priority", "is not in the cluster"),
    Breakage("policy selects nothing", _selector, "policy", "its selector is release=other"),
    Breakage(
        "training gave way",
        _more_important,
        "pods",
        "gave way",
        model="finetune",
        state=Stage.COMING,
    ),
    Breakage("node lost", _lost, "pods", "has not been ready for"),
    Breakage("feature flag off", _without_flag, "service", "Knative refuses a field"),
    Breakage(
        "metric missing",
        _as_it_is,
        "autoscaler",
        NO_METRIC,
        stack="hybrid",
        model="qwen-queue",
    ),
    Breakage(
        "KEDA not ready",
        _measured(_keda),
        "autoscaler",
        "is not ready: error creating the scaler",
        stack="hybrid",
        model="qwen-chat",
    ),
    Breakage(
        "ingress without address",
        _measured(_status("networking.k8s.io/v1", "Ingress", "qwen-chat", loadBalancer=None)),
        "door",
        "has no address",
        stack="hybrid",
        model="qwen-chat",
        later=SETTLING_SECONDS,
    ),
    Breakage(
        "certificate not ready",
        _measured(_certificate),
        "door",
        "Issuing certificate as Secret does not exist",
        stack="hybrid",
        model="qwen-chat",
    ),
)
"""What is broken, in the order in which it is."""


def attempt(scene: StatusScene, broken: Breakage) -> Row:
    """Breaks something, waits until the right thing is said, and until all is well again."""
    faults = []
    # What was broken before it may have moved others about, who settle a little later.
    settled = _heals(scene, broken.model)
    before = scene.way(broken.model)
    if not settled:
        faults.append(f"{broken.model} is not well before: {_words(before.first)}")
    way: Way = before
    start = time.monotonic()
    with broken.breaks(scene) as again, scene.later(broken.later):
        while time.monotonic() - start < SECONDS:
            again()
            way = scene.way(broken.model)
            if _is_said(way, broken):
                break
            time.sleep(1)
        took = time.monotonic() - start
    if not _is_said(way, broken):
        want = f"{broken.state.name} {broken.link}: ... {broken.why} ... {broken.note}"
        faults.append(f"it says {_words(way.first)} ({way.note}), but it should be {want}")
    if not _heals(scene, broken.model):
        faults.append(
            f"it is not well again after {SECONDS} s: {_words(scene.way(broken.model).first)}"
        )
    return Row(
        f"{broken.stack}: {broken.case}", f"{_words(way.first)} ({took:.0f} s)", tuple(faults)
    )


def _is_said(way: Way, broken: Breakage) -> bool:
    finding = way.first
    return (
        finding is not None
        and (finding.state, finding.link) == (broken.state, broken.link)
        and (broken.why in finding.why or (broken.or_why or broken.why) in finding.why)
        and broken.note in way.note
    )


def _is_well(way: Way) -> bool:
    return all(NO_METRIC in finding.why for finding in way.findings)


def _heals(scene: StatusScene, model: str) -> bool:
    start = time.monotonic()
    while time.monotonic() - start < SECONDS:
        if _is_well(scene.way(model)):
            return True
        time.sleep(1)
    return False


def _words(finding: Finding | None) -> str:
    return f"{finding.link}: {finding.subject} {finding.why}" if finding else "nothing"


@contextmanager
def up(stack: str, folder: Path) -> Iterator[StatusScene]:
    """A stack on nodes, as it is changed for this step.

    Raises:
        RuntimeError: It does not come up.
    """
    raw = merged(raw_of(stack), STACKS[stack])
    definitions = CRDS if CRDS.is_dir() else None
    conditions = NodeConditions(node_seconds=1)
    box = Sandbox(ROOT, stack, folder, definitions, conditions)
    try:
        with box.running():
            box.configure(lambda settings: settings.update(raw))
            outcome = box.up()
            if outcome.errors:
                raise RuntimeError("; ".join(outcome.errors))
            [(name, path)] = box.kubeconfigs.items()
            client = box.clusters.find(name).client
            scene = StatusScene(planned(raw, stack=stack), client, Ahead(path))
            _prepare(scene)
            yield scene
    finally:
        box.remove()


def _definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _prepare(scene: StatusScene) -> None:
    """Installs the resource types of KEDA and cert-manager, which no sandbox runs."""
    for of in (
        ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects"),
        ("cert-manager.io", "v1", "Certificate", "certificates"),
    ):
        scene.client.apply(_definition(*of), MANAGER)


def _give_addresses(scene: StatusScene) -> None:
    """Gives each Ingress an address, as its controller would."""
    address = {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}
    for ingress in scene.all("networking.k8s.io/v1", "Ingress"):
        scene.merge(ingress, {"status": address}, "status")


def run(say: Say, cases: Sequence[Breakage] = BROKEN) -> Iterator[Row]:
    """A row per situation.

    Raises:
        Skipped: Go is missing, or a program cannot be had.
    """
    if reason := binaries.why_unavailable(nodes=True):
        raise Skipped(reason)
    for stack in STACKS:
        if not (breakages := [broken for broken in cases if broken.stack == stack]):
            continue
        say(f"{stack} comes up with nodes")
        try:
            with (
                tempfile.TemporaryDirectory(prefix="proof-") as folder,
                up(stack, Path(folder) / "box") as scene,
            ):
                yield _healthy(stack, scene)
                yield from (attempt(scene, broken) for broken in breakages)
        except RuntimeError as failed:
            yield Row(f"{stack}: up", "failed", (str(failed),))


def _healthy(stack: str, scene: StatusScene) -> Row:
    """Nothing is said of a stack that is well, but for what a sandbox has broken by nature."""
    start = time.monotonic()
    faults = ["it was never looked at"]
    while faults and time.monotonic() - start < SECONDS:
        _give_addresses(scene)
        status = scene.status()
        faults = [
            _words(finding)
            for way in status.ways
            for finding in way.findings
            if NO_METRIC not in finding.why
        ]
        faults += [*status.drift, *status.unseen]
        time.sleep(1 if faults else 0)
    return Row(f"{stack}: healthy", f"{len(scene.status().ways)} models and jobs", tuple(faults))


STEP: Final = Step("status", run, seconds=400)

if __name__ == "__main__":
    import sys

    from rich.console import Console

    from . import __main__ as proof

    names = sys.argv[1:]
    cases = [broken for broken in BROKEN if not names or broken.case in names]
    step = Step(STEP.name, lambda say: run(say, cases))
    sys.exit(0 if proof.prove([step], Console(highlight=False)) else 1)
