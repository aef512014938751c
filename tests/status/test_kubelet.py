"""Each way in which a kubelet does not start a container or gives up a pod, and what helps then.

Does not prove that a kubelet says it in these words: `python -m proof status` breaks a real one.
"""

from typing import Any

import pytest

from status.model import Stage
from tests.status.live import Live, ago, conditions
from tests.status.test_situations import CHAT, QWEN, assessed, first, plan_of

BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}


def waiting(reason: str, message: str = "") -> Live:
    """A pod whose container waits for a reason."""
    live = Live(plan_of("dev"))
    live.container(QWEN, {"waiting": {"reason": reason, "message": message}})
    return live


@pytest.mark.parametrize(
    "reason",
    [
        "ImageInspectError",
        "SignatureValidationFailed",
        "PreCreateHookError",
        "PostStartHookError",
        "ContainerCannotRun",
    ],
)
def test_a_container_that_waits_for_a_failure_is_not_on_its_way(reason):
    finding = first(assessed(waiting(reason, "why it is so")), "qwen")
    assert (finding.state, finding.link) == (Stage.BROKEN, "pods")
    assert finding.why.endswith(": why it is so")
    assert finding.remedy


@pytest.mark.parametrize("reason", ["", "PodInitializing", "ContainerCreating"])
def test_a_container_that_is_being_made_is_on_its_way(reason):
    assert first(assessed(waiting(reason)), "qwen").state is Stage.COMING


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("couldn't find key api-key in Secret inference/keys", "a Secret of secret_env"),
        ('secret "keys" not found', "a Secret of secret_env"),
        ('configmap "settings" not found', "create the ConfigMap"),
        ("couldn't find key a in ConfigMap inference/settings", "create the ConfigMap"),
        ("container has runAsNonRoot and image will run as root", "runAsNonRoot"),
        ("container has runAsNonRoot and image has non-numeric user (app)", "runAsNonRoot"),
        ('failed to prepare subPath for volumeMount "m" of container "c"', "the folder"),
        ("failed to sync secret cache: timed out waiting for the condition", "API server"),
        ("services have not yet been read at least once, cannot construct envvars", "API server"),
        ('object "inference"/"keys" not registered', "API server"),
        ("something else", "mend what the message names"),
    ],
)
def test_what_a_container_cannot_be_set_up_for_is_told_by_the_message(message, remedy):
    finding = first(assessed(waiting("CreateContainerConfigError", message)), "qwen")
    assert remedy in finding.remedy
    assert ("Secret" in finding.remedy) == ("create" in finding.remedy and "ecret" in message)


@pytest.mark.parametrize(
    ("reason", "message", "remedy"),
    [
        ("ErrImagePull", "pull access denied, repository does not exist", "image_pull_secrets"),
        ("ErrImagePull", "unexpected status: 401 Unauthorized", "image_pull_secrets"),
        ("ErrImagePull", "docker.io/vllm/vllm-openai:v9: not found", "a tag that its registry"),
        ("ErrImagePull", "429 Too Many Requests - toomanyrequests: You have reached", "so often"),
        ("ErrImagePull", "no match for platform in manifest: not found", "the architecture"),
        ("ErrImagePull", "x509: certificate signed by unknown authority", "trust its registry"),
        ("ErrImagePull", "http: server gave HTTP response to HTTPS client", "speak HTTP with it"),
        ("ErrImagePull", "write /var/lib/containerd/x: no space left on device", "larger system"),
        ("ErrImagePull", "dial tcp: lookup registry: i/o timeout", "that the nodes reach"),
        ("ErrImagePull", "docker.io/acme/vllm:build-401: not found", "a tag that its registry"),
        ("ErrImagePull", "mkdir /var/lib/containerd/x: permission denied", "that the nodes reach"),
        ("RunContainerError", 'exec: "vllm": executable file not found in $PATH', "the command of"),
        ("RunContainerError", "nvidia-container-cli: initialization error: nvml", "nvidia-smi"),
        (
            "RunContainerError",
            "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.9, please "
            "update your driver to a newer version",
            "a newer driver",
        ),
        ("RunContainerError", "something else", "mend what the message names"),
    ],
)
def test_what_helps_a_container_that_is_not_started_is_told_by_the_message(reason, message, remedy):
    assert remedy in first(assessed(waiting(reason, message)), "qwen").remedy


@pytest.mark.parametrize(
    ("says", "remedy"),
    [
        ('configmap "settings" not found', "create what the message names"),
        ('secret "keys" not found', "create what the message names"),
        ("references non-existent secret key: a", "create what the message names"),
        ("failed to sync configmap cache: timed out waiting for the condition", "API server"),
        ("driver name csi not found in the list of registered CSI drivers", "the driver's pod"),
        ("rpc error: code = DeadlineExceeded", "the store's address"),
    ],
)
def test_what_helps_a_volume_that_is_not_mounted_is_told_by_the_message(says, remedy):
    live = waiting("ContainerCreating")
    live.event("Pod", QWEN, "FailedMount", f'MountVolume.SetUp failed for volume "v" : {says}')
    finding = first(assessed(live), "qwen")
    assert says in finding.why
    assert remedy in finding.remedy


def test_while_the_kubelet_backs_off_its_event_says_why_an_image_is_not_pulled():
    live = waiting("ImagePullBackOff", 'Back-off pulling image "i"')
    live.event("Pod", QWEN, "Failed", "Error: ImagePullBackOff")
    assert 'Back-off pulling image "i"' in first(assessed(live), "qwen").why
    live = waiting("ImagePullBackOff", 'Back-off pulling image "i"')
    live.event("Pod", QWEN, "Failed", 'Failed to pull image "i": 401 Unauthorized')
    assert first(assessed(live), "qwen").why.endswith("401 Unauthorized")
    live = waiting("ImagePullBackOff", 'Back-off pulling image "i": ErrImagePull: no such host')
    live.event("Pod", QWEN, "Failed", 'Failed to pull image "i": 401 Unauthorized')
    assert first(assessed(live), "qwen").why.endswith("no such host")


@pytest.mark.parametrize(
    ("reason", "message", "remedy"),
    [
        ("Evicted", "The node was low on resource: memory.", "server.resources.memory"),
        ("Evicted", "The node was low on resource: ephemeral-storage.", "a larger disk"),
        ("Evicted", 'Usage of EmptyDir volume "cache" exceeds the limit "1Gi".', "a claim"),
        ("Evicted", "The node had condition: [DiskPressure].", "a larger disk"),
        ("Evicted", 'Usage of EmptyDir volume "memory" exceeds the limit "1Gi".', "a claim"),
        ("Evicted", "The node had condition: [MemoryPressure].", "server.resources.memory"),
        ("Evicted", "The node was low on resource: pids.", "so many processes"),
        ("UnexpectedAdmissionError", "no healthy devices present", "device plugin"),
        ("TopologyAffinityError", "Resources cannot be allocated with Topology locality", "NUMA"),
        ("VolumeAttachmentLimitExceeded", "attachment limit exceeded", "takes no more disks"),
        ("TaintToleration", "node(s) had taints", "node gpu-0 offers"),
        ("UnexpectedPredicateFailureType", "which is unexpected", "node gpu-0 offers"),
        ("Preempting", "Preempted in order to admit critical pod", "cannot do without"),
        ("NodeShutdown", "Pod was rejected as the node is shutting down.", "shut down"),
        ("DeadlineExceeded", "Pod was active on the node longer than", "more time"),
        ("NodeAffinity", "Pod was rejected", "node gpu-0 offers"),
        ("OutOfnvidia.com/gpu", "Node didn't have enough resource", "node gpu-0 offers"),
        ("Terminated", "Pod was terminated in response to imminent node shutdown", "shut down"),
        ("SomethingNew", "of tomorrow", f"kubectl describe pod -n inference {QWEN}-7f-abc"),
        (None, None, "kubectl describe pod"),
    ],
)
def test_what_helps_a_pod_that_its_node_gave_up_is_told_by_the_reason(reason, message, remedy):
    live = Live(plan_of("dev"))
    live.get("Pod", QWEN)["status"] = {"phase": "Failed", "reason": reason, "message": message}
    finding = first(assessed(live), "qwen")
    assert finding.state is Stage.BROKEN
    assert remedy in finding.remedy


def test_the_server_is_named_before_what_fails_beside_it():
    live = waiting("ImagePullBackOff", "manifest unknown")
    statuses = live.get("Pod", QWEN)["status"]["containerStatuses"]
    beside: dict[str, Any] = {"name": "agent", "ready": False, "state": BACK_OFF, "restartCount": 5}
    statuses.insert(0, {**beside, "lastState": {"terminated": {"exitCode": 1}}})
    assert "cannot pull the image" in first(assessed(live), "qwen").why


def test_a_liveness_probe_that_ends_a_server_is_said():
    live = Live(plan_of("dev"))
    ended = {"terminated": {"exitCode": 137, "reason": "Error"}}
    live.container(QWEN, BACK_OFF, ended, restartCount=3)
    message = "Container user-container failed liveness probe, will be restarted"
    live.event("Pod", QWEN, "Killing", message, "Normal")
    finding = first(assessed(live), "qwen")
    assert "fails its liveness probe, 3 times so far" in finding.why
    assert "logs" not in finding.remedy


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("missing request for cpu in container istio-proxy of Pod p", "give it a request"),
        ("unable to fetch metrics from resource metrics API: not found", "metrics-server"),
        ("no metrics returned from resource metrics API", "metrics-server"),
        ("no custom metrics API (custom.metrics.k8s.io) registered", "gpu_metrics"),
        ("unable to get external metric s0-prometheus", "KEDA"),
        ("the server could not find the metric for pods", "Prometheus scrapes"),
    ],
)
def test_what_helps_an_autoscaler_without_its_metric_is_told_by_the_message(message, remedy):
    live = Live(plan_of("hybrid"))
    live.condition(
        "HorizontalPodAutoscaler", "qwen-chat", "ScalingActive", "False", message=message
    )
    finding = first(assessed(live), "qwen-chat")
    assert remedy in finding.remedy
    assert (finding.link, "Prometheus" in finding.remedy) == (
        "autoscaler",
        remedy in ("KEDA", "Prometheus scrapes"),
    )
    assert live.get("Pod", CHAT)["status"]["conditions"] == conditions(
        PodScheduled="True", Ready="True"
    )


def test_a_revision_whose_image_knative_cannot_resolve_has_no_pods_to_mend():
    live = Live(plan_of("dev"))
    live.status("Service", "qwen", latestCreatedRevisionName="qwen-00002")
    says = 'Unable to fetch image "i": failed to resolve image to digest: 401'
    revision = live.get("Revision", "qwen")
    about = {**revision["metadata"], "name": "qwen-00002", "creationTimestamp": ago(60)}
    entry = {"type": "Ready", "status": "False", "reason": "ContainerMissing", "message": says}
    live.objects.append({**revision, "metadata": about, "status": {"conditions": [entry]}})
    finding = first(assessed(live), "qwen")
    assert finding.link == "revision"
    assert "Knative's controller can look up" in finding.remedy


def test_a_claim_that_has_lost_its_volume_is_told_that_it_never_binds_again():
    live = Live(plan_of("dev"))
    live.status("PersistentVolumeClaim", "finetune", phase="Lost")
    assert "never binds again" in first(assessed(live), "finetune").remedy
    live.status("PersistentVolumeClaim", "finetune", phase="Pending")
    assert "never binds again" not in first(assessed(live), "finetune").remedy
