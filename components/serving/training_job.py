"""Training that uses idle GPUs, gives way to inference, and resumes."""

import hashlib
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from ..args import Args, Fault, Output, T, Words, child_options  # noqa: F401
from ..crds.affinity import NodeAffinity, Toleration
from ..crds.formats import dns_1035_faults, image_faults
from ..crds.model import check
from .server import ABSOLUTE, Resources, folder_faults

LONGEST_NAME = 57
"""Characters of a Job's name; the host name of a pod adds `-` and an index, and has 63."""
CHECKPOINT_DIR = "CHECKPOINT_DIR"
"""Environment variable that tells the program where its checkpoint is."""
GENERATION = "ack-inference/generation"
"""Label of a pod that says of which declaration of its job it is."""


class TrainingJobArgs(Args):
    """A job that may be preempted at any time."""

    image: str
    """Image reference with a tag or digest."""
    command: list[str] = Field(min_length=1)
    """Command line in exec form. It has to resume by itself from what the checkpoint holds."""
    resources: Resources
    """CPU, memory and GPUs of one pod."""
    namespace: pulumi.Input[str]
    """Namespace of the job."""
    labels: dict[str, str]
    """Labels of the pods: what the placement's policy selects."""
    priority_class: pulumi.Input[str]
    """PriorityClass of the pods, below that of the models."""
    checkpoint_claim: pulumi.Input[str]
    """Claim, writable by all pods, that outlives a preemption."""
    checkpoint_folder: str | None = None
    """Folder of the claim. Default: all of it."""
    checkpoint_path: str
    """Absolute path at which the claim is mounted; in the variable CHECKPOINT_DIR too."""
    env: dict[str, str] | None = None
    """Further environment variables."""
    tolerations: list[Toleration] | None = None
    """Tolerations of the placement."""
    node_affinity: NodeAffinity | None = None
    """Node affinity of the placement."""
    parallelism: int | None = Field(default=1, ge=1)
    """Pods at a time. Default 1."""
    retries: int | None = Field(default=3, ge=0)
    """Failures of its own that the job survives; a preemption is none. Default 3."""
    grace_seconds: int | None = Field(default=30, ge=1)
    """Time to save a checkpoint after SIGTERM; inference waits for as long. Default 30."""

    def _faults(self) -> Iterator[Fault]:
        yield from image_faults("image", self.image)
        yield from folder_faults("checkpoint_folder", self.checkpoint_folder)
        if not re.match(ABSOLUTE, self.checkpoint_path):
            want = "an absolute path without ':', such as /checkpoint"
            why = "the claim is mounted there"
            yield Fault("checkpoint_path", self.checkpoint_path, want, why)
        if CHECKPOINT_DIR in (self.env or {}):
            why = f"it is checkpoint_path ({self.checkpoint_path}), where the claim is mounted"
            yield Fault(f"env[{CHECKPOINT_DIR}]", Words("given"), "left out", why)


class TrainingJob(pulumi.ComponentResource):
    """A Job whose pods make room for inference and start again from their checkpoint."""

    job_name: pulumi.Output[str]
    """Name of the Job."""

    def __init__(
        self, name: str, args: TrainingJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TrainingJobArgs.of(args)
        check(f"TrainingJob {name}", name_faults(name))

        super().__init__("ack-inference:index:TrainingJob", name, args.dump(), opts)

        kubernetes.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": name,
                "namespace": args.namespace,
                "labels": args.labels,
                "annotations": dict(NO_WAIT),
            },
            spec=kept_apart(name, job_spec(args)),
            # The pod template of a Job is immutable, and its name is ours.
            opts=child_options(self, opts, delete_before_replace=True),
        )

        self.job_name = pulumi.Output.from_input(name)
        self.register_outputs({"job_name": self.job_name})


def name_faults(name: str) -> Iterator[Fault]:
    """Refuses a name of which no host name of a pod can be made."""
    why = "pods are called after the job"
    if len(name) > LONGEST_NAME:
        yield Fault(
            "name", name, f"{LONGEST_NAME} long at most, which leaves room for an index", why
        )
    else:
        yield from dns_1035_faults("name", name, why)


NO_WAIT = MappingProxyType(
    {"pulumi.com/skipAwait": "true", "pulumi.com/deletionPropagation": "background"}
)
"""An update waits neither for the end of a new job nor for that of an old one.

`pulumi.com/waitFor` would hold for an update alone: a refresh asks whether the job has ended, and
records one that has not as broken, so that the next preview shows an update of nothing.
pulumi-kubernetes v4.32.0, provider/pkg/await/await.go, Read; and metadata/overrides.go, which has
`skipAwait` hold for the deletion of a Job too. Pods keep generations apart instead.
"""


def kept_apart(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A Job's body whose pods wait until those of an earlier declaration of it are gone.

    They would read a checkpoint that the others still write. Any change of the template is another
    generation, and replaces the Job.
    """
    template = spec["template"]
    text = pulumi.Output.json_dumps(template, sort_keys=True)
    generation = text.apply(lambda known: hashlib.sha256(known.encode()).hexdigest()[:8])
    expressions = [
        {"key": "batch.kubernetes.io/job-name", "operator": "In", "values": [name]},
        {"key": GENERATION, "operator": "NotIn", "values": [generation]},
    ]
    # Every node has this label, and all that run Linux the same value: so it holds on all of them.
    others = {
        "labelSelector": {"matchExpressions": expressions},
        "topologyKey": "kubernetes.io/os",
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [others]}}
    about, pod = template["metadata"], template["spec"]
    labels = {**about["labels"], GENERATION: generation}
    affinity = {**pod.get("affinity", {}), **apart}
    return {
        **spec,
        "template": {
            "metadata": {**about, "labels": labels},
            "spec": {**pod, "affinity": affinity},
        },
    }


def job_spec(args: TrainingJobArgs) -> Any:
    """The body of the Job."""
    return {
        "parallelism": args.parallelism,
        "completions": args.parallelism,
        "completionMode": "Indexed",
        "backoffLimit": args.retries,
        # Preemption and drains set this condition; they do not count as failures.
        # https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                }
            ]
        },
        "template": {"metadata": {"labels": args.labels}, "spec": _pod(args)},
    }


def _pod(args: TrainingJobArgs) -> dict[str, object]:
    affinity = (
        {"affinity": {"nodeAffinity": args.node_affinity.manifest()}} if args.node_affinity else {}
    )
    folder = {"subPath": args.checkpoint_folder} if args.checkpoint_folder else {}
    env = {**(args.env or {}), CHECKPOINT_DIR: args.checkpoint_path}
    return {
        # The failure policy needs pods that are not restarted in place.
        "restartPolicy": "Never",
        "priorityClassName": args.priority_class,
        "terminationGracePeriodSeconds": args.grace_seconds,
        "automountServiceAccountToken": False,
        # Services of the namespace would become environment variables.
        "enableServiceLinks": False,
        "tolerations": [toleration.manifest() for toleration in args.tolerations or []],
        **affinity,
        "containers": [
            {
                "name": "training",
                "image": args.image,
                "command": args.command,
                "env": [{"name": key, "value": value} for key, value in sorted(env.items())],
                "resources": args.resources.manifest(),
                "volumeMounts": [
                    {"name": "checkpoint", "mountPath": args.checkpoint_path, **folder}
                ],
                "securityContext": {"allowPrivilegeEscalation": False},
            }
        ],
        "volumes": [
            {
                "name": "checkpoint",
                "persistentVolumeClaim": {"claimName": args.checkpoint_claim},
            }
        ],
    }
