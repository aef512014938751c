"""Kubernetes' own controllers and scheduler, and kwok, which stands for kubelets and machines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from .. import binaries
from ..conditions import NodeConditions
from ..nodes.autoscaler import STATE
from ..private import write_private
from .controller import PYTHON, Controller, ControlPlane, Daemon
from .health import listens
from .scheduler import SCHEDULER

KWOK_VERSION: Final = "v0.7.0"
ENDS: Final = "sandbox.ack-inference/ends"
"""Annotation that ends the containers of a pod with the exit code that it says, `0` or `1`."""
POD_CIDR: Final = "10.128.0.0/9"
"""Where kwok takes addresses of pods from."""

_GPU: Final = '.spec.containers[].resources.requests["nvidia.com/gpu"]'
_GPU_PART: Final = '.spec.containers[].resources.requests["aliyun.com/gpu-mem"]'
_OWNER: Final = ".metadata.ownerReferences[].kind"
_ENDS: Final = f'.metadata.annotations["{ENDS}"]'

CONTROLLERS: Final[Mapping[str, str]] = {
    # What our objects become.
    "deployment-controller": "Deployments of KServe and Knative become ReplicaSets",
    "replicaset-controller": "and these pods",
    "statefulset-controller": "Fluid's masters and workers",
    "daemonset-controller": "Fluid's FUSE clients, and agents of charts",
    "job-controller": "training, load tests, DataLoads",
    "cronjob-controller": "DataLoads by the clock",
    "horizontal-pod-autoscaler-controller": "KServe's models",
    "disruption-controller": "PodDisruptionBudgets, which preemption respects",
    "persistentvolume-binder-controller": "claims of stores, which pods wait for",
    "persistentvolumeclaim-protection-controller": "a claim stays while a pod mounts it",
    "persistentvolume-protection-controller": "a volume stays while a claim has it",
    "resourcequota-controller": "quotas of namespaces",
    # What pods and Services need to be of use.
    "serviceaccount-controller": "a pod is refused without its account",
    "root-ca-certificate-publisher-controller": "a ConfigMap that pods mount",
    "endpoints-controller": "Knative's activator reads Endpoints",
    "endpointslice-controller": "which pods a Service has",
    # What happens to pods when nodes come and go.
    "node-lifecycle-controller": "marks nodes that are not ready",
    "taint-eviction-controller": "and ends the pods there",
    "pod-garbage-collector-controller": "ends the pods of a node that is gone",
    # What is deleted with what.
    "namespace-controller": "empties a namespace that is deleted",
    "garbage-collector-controller": "deletes what an owner leaves behind",
    "ttl-after-finished-controller": "Jobs that say how long they stay",
}
"""Controllers of kube-controller-manager that run, and what for.

Left out is what speaks to a cloud or a kubelet (routes, attach-detach, expand, certificates of
nodes, node IPAM: kwok hands out addresses), and what no object of ours uses (bootstrap tokens,
replication controllers, ClusterRole aggregation is done by the API server's own hooks).
"""


def _manager_daemons(plane: ControlPlane) -> list[Daemon]:
    certs = plane.folder / "certs"
    arguments = [
        f"--kubeconfig={plane.kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--service-account-private-key-file={certs / 'apiserver.key'}",
        f"--root-ca-file={certs / 'apiserver.crt'}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={plane.port('kube-controller-manager')}",
        # A claim whose volume comes later is bound by the next round alone: 15 s by default.
        "--pvclaimbinder-sync-period=2s",
        # One user, who need not be protected from this one.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]
    return [Daemon("kube-controller-manager", "kube-controller-manager", arguments)]


def _manager_ready(plane: ControlPlane) -> str:
    about = {"name": "default", "namespace": "default"}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about}
    return "" if plane.client.get(account) else "the account of the namespace default"


CONTROLLER_MANAGER: Final = Controller(
    "kube-controller-manager",
    binaries.KUBERNETES_VERSION,
    _manager_daemons,
    kinds=frozenset({("v1", "Namespace")}),
    ready=_manager_ready,
)


def _kwok_daemons(plane: ControlPlane) -> list[Daemon]:
    path = plane.folder / "kwok.yaml"
    write_private(path, yaml.safe_dump_all(stages(plane.conditions)))
    arguments = [
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={path}",
        "--manage-all-nodes=true",
        f"--cidr={POD_CIDR}",
        f"--server-address=127.0.0.1:{plane.port('kwok')}",
        # Without leases nobody hears of a node for 50 s, and its pods count as not ready for good.
        "--node-lease-duration-seconds=40",
        # Where the API server looks for each node's kubelet: Fluid's stand-in listens there.
        f"--node-port={plane.port('kubelet')}",
    ]
    return [Daemon("kwok", "kwok", arguments)]


def _kwok_ready(plane: ControlPlane) -> str:
    return "" if listens(plane.port("kwok")) else "its server to listen"


KWOK: Final = Controller("kwok", KWOK_VERSION, _kwok_daemons, ready=_kwok_ready)


def stages(conditions: NodeConditions) -> list[dict[str, Any]]:
    """What kwok does to pods in place of a kubelet: pull, start, end and remove.

    kwok's own stages, which are left out where a pod has any of these, end each pod of a Job at
    once. Nodes keep kwok's own.
    """
    alive = [_absent(".metadata.deletionTimestamp")]
    running = [*alive, _in(".status.phase", "Running")]
    return [
        _stage(
            "pod-pulls",
            [*alive, _in(".status.phase", "Pending"), _absent(".status.startTime")],
            0,
            _PULLS,
        ),
        _stage(
            "pod-starts",
            [*alive, _in(".status.phase", "Pending"), _exists(".status.startTime")],
            conditions.image_seconds + conditions.start_seconds,
            _RUNS,
        ),
        _stage("pod-succeeds", [*running, _in(_ENDS, "0")], 0, _ended("Succeeded", 0)),
        _stage("pod-fails", [*running, _in(_ENDS, "1")], 0, _ended("Failed", 1)),
        _stage(
            "pod-of-a-job-succeeds",
            [*running, _in(_OWNER, "Job"), _absent(_GPU), _absent(_GPU_PART), _absent(_ENDS)],
            conditions.job_seconds,
            _ended("Succeeded", 0),
        ),
        _stage("pod-goes", [_exists(".metadata.deletionTimestamp")], conditions.stop_seconds),
    ]


_PULLS: Final = """
conditions:
- {type: Initialized, status: "False", reason: ContainersNotInitialized, \
lastTransitionTime: {{ Now | Quote }}}
- {type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ Now | Quote }}}
startTime: {{ Now | Quote }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
"""

_RUNS: Final = """
{{ $now := Now }}
phase: Running
podIP: {{ PodIPWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") \
(or .metadata.name "") (or .metadata.namespace "") | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  restartCount: 0
  {{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
  {{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, \
finishedAt: {{ $now | Quote }}}}
  {{ end }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
"""


def _ended(phase: str, code: int) -> str:
    reason = "Error" if code else "Completed"
    return f"""
{{{{ $now := Now }}}}
phase: {phase}
conditions:
- {{type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: ContainersReady, status: "False", reason: PodCompleted, \
lastTransitionTime: {{{{ $now | Quote }}}}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: {{{{ .image | Quote }}}}
  ready: false
  started: false
  restartCount: 0
  state: {{terminated: {{exitCode: {code}, reason: {reason}, startedAt: {{{{ $now | Quote }}}}, \
finishedAt: {{{{ $now | Quote }}}}}}}}
{{{{ end }}}}
"""


def _stage(
    name: str, conditions: list[dict[str, Any]], seconds: float, status: str | None = None
) -> dict[str, Any]:
    """A step in the life of a pod that meets conditions; without a status it is removed."""
    removed = {"finalizers": {"empty": True}, "delete": True}
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchExpressions": conditions},
            "delay": {"durationMilliseconds": int(seconds * 1000)},
            "next": removed if status is None else {"statusTemplate": status},
        },
    }


def _in(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}


def _exists(key: str) -> dict[str, Any]:
    return {"key": key, "operator": "Exists"}


def _absent(key: str) -> dict[str, Any]:
    return {"key": key, "operator": "DoesNotExist"}


def _autoscaler_daemons(plane: ControlPlane) -> list[Daemon]:
    arguments = ["-m", "sandbox.nodes", str(plane.sandbox), str(plane.folder)]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return [Daemon("autoscaler", PYTHON, arguments, environment)]


def _autoscaler_ready(plane: ControlPlane) -> str:
    return "" if (plane.folder / STATE).exists() else "the end of its first round"


AUTOSCALER: Final = Controller(
    "the simulated GOATScaler", "0.6", _autoscaler_daemons, ready=_autoscaler_ready
)

CONTROL_PLANE: Final = (CONTROLLER_MANAGER, KWOK, SCHEDULER, AUTOSCALER)
"""What runs in every sandbox with nodes, in the order in which it starts."""
