"""Training that uses idle GPUs, gives way to inference, and resumes."""

import hashlib
import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, Words, check, child_options
from ..bindings import kubernetes
from ..catalog.pulumi_annotations import DELETION_PROPAGATION, SKIP_AWAIT
from ..crds.affinity import NodeAffinity, Toleration
from ..crds.formats import ImageReference
from ..names import DNS_1035_LABEL, ByteSize, SecretName
from .secrets import secret_word_faults
from .server import (
    ABSOLUTE,
    SHARED_MEMORY_PATH,
    FolderOfClaim,
    Resources,
    program_faults,
    shared_memory_faults,
    shared_memory_size,
)
from .variables import env_faults, in_order

LONGEST_NAME = 57
"""Characters of a Job's name; the host name of a pod adds `-` and an index, and has 63."""
CHECKPOINT_DIR = "CHECKPOINT_DIR"
"""Environment variable that tells the program where its checkpoint is."""
GENERATION = "ack-inference/generation"
"""Label of a pod that says of which declaration of its job it is."""
MASTER_PORT = 29500
"""Port at which the first pod is met: PyTorch's own default."""
RENDEZVOUS_SECONDS = 1800
"""How long torchrun waits for all pods. Its own 600 s are less than a new node with a large image
may take; a pod that waits keeps its cards."""
COMPLETION_INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']"
"""Field of a pod that has its number, from 0 on, in an indexed Job."""


class TrainingJobArgs(Args):
    """A job that may be preempted at any time."""

    image: ImageReference
    """Image reference with a tag or digest."""
    command: list[str] = Field(min_length=1)
    """Command line in exec form. It has to resume by itself from what the checkpoint holds."""
    resources: Resources
    """CPU, memory and GPUs of one pod."""
    namespace: Input[str]
    """Namespace of the job."""
    labels: dict[str, str]
    """Labels of the pods: what the placement's policy selects."""
    priority_class: Input[str]
    """PriorityClass of the pods, below that of the models."""
    checkpoint_claim: Input[str]
    """Claim, writable by all pods, that outlives a preemption."""
    checkpoint_folder: FolderOfClaim | None = None
    """Folder of the claim. Default: all of it."""
    checkpoint_path: str
    """Absolute path at which the claim is mounted; in the variable CHECKPOINT_DIR too."""
    checkpoint_per_rank: bool | None = None
    """Whether each pod has a folder of its own, called as its number. Default false: all pods see
    the same files, of which the program lets one pod write each."""
    model_claim: Input[str] | None = None
    """Claim that holds a base model, mounted read-only. Left out, there is none."""
    model_folder: FolderOfClaim | None = None
    """Folder of that claim. Default: all of it."""
    model_path: str | None = None
    """Absolute path at which the base model is mounted. Given with `model_claim`."""
    env: dict[str, str] | None = None
    """Further environment variables; those that the job sets for a rendezvous can be overridden."""
    secret_env: list[SecretName] | None = None
    """Names of existing Secrets whose keys become environment variables, e.g. a hub token."""
    shared_memory: ByteSize | None = Field(default=None, examples=["16Gi"])
    """Size of /dev/shm, e.g. 16Gi, out of `resources.memory`. Default: half of it with more than
    one card; with one, the container runtime's 64 MiB."""
    image_pull_secrets: list[SecretName] | None = None
    """Names of existing Secrets to pull the image with."""
    tolerations: list[Toleration] | None = None
    """Tolerations of the placement."""
    node_affinity: NodeAffinity | None = None
    """Node affinity of the placement."""
    parallelism: int = Field(default=1, ge=1)
    """Pods at a time, which find each other by MASTER_ADDR and NODE_RANK."""
    retries: int = Field(default=3, ge=0)
    """Failures of its own that the job survives; a preemption is none, but it ends the other pods
    of the job, which is one."""
    grace_seconds: int = Field(default=30, ge=1)
    """Time to save a checkpoint after SIGTERM; inference waits for as long. A program that then
    ends with 0 has completed its pod, which is not started again: it has to end with another
    code."""

    def _faults(self) -> Iterator[Fault]:
        yield from self._path_faults()
        yield from env_faults("env", self.env)
        yield from program_faults("command", self.command)
        yield from secret_word_faults("command", self.command)
        yield from shared_memory_faults(self.resources, self.shared_memory)
        if CHECKPOINT_DIR in (self.env or {}):
            why = f"it is checkpoint_path ({self.checkpoint_path}), where the claim is mounted"
            yield Fault(f"env[{CHECKPOINT_DIR}]", Words("given"), "left out", why)

    def _path_faults(self) -> Iterator[Fault]:
        if (self.model_claim is None) != (self.model_path is None):
            got = MISSING if self.model_path is None else self.model_path
            want = "given with model_claim, and left out without it"
            yield Fault("model_path", got, want, "the base model is mounted there")
        mounted = [SHARED_MEMORY_PATH]
        for field in ("checkpoint_path", "model_path"):
            path: str | None = getattr(self, field)
            if path is None:
                continue
            if not re.match(ABSOLUTE, path):
                want = "an absolute path without ':', such as /checkpoint"
                yield Fault(field, path, want, "the claim is mounted there")
            elif (path.rstrip("/") or "/") in mounted:
                yield Fault(field, path, "unique", "another volume is mounted there")
            mounted.append(path.rstrip("/") or "/")


class TrainingJob(pulumi.ComponentResource):
    """A Job whose pods make room for inference and start again from their checkpoint.

    Several pods find each other through a headless Service of the job's name.
    """

    job_name: pulumi.Output[str]
    """Name of the Job."""

    def __init__(
        self, name: str, args: TrainingJobArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = TrainingJobArgs.of(args)
        check(f"TrainingJob {name}", name_faults(name))

        super().__init__("ack-inference:index:TrainingJob", name, args.dump(), opts)

        rendezvous = []
        if is_distributed(args):
            service = kubernetes.core.v1.Service(
                f"{name}-rendezvous",
                metadata={"name": name, "namespace": args.namespace, "labels": args.labels},
                spec=rendezvous_spec(name),
                opts=child_options(self, opts),
            )
            rendezvous.append(service)
        kubernetes.batch.v1.Job(
            f"{name}-job",
            metadata={
                "name": name,
                "namespace": args.namespace,
                "labels": args.labels,
                "annotations": dict(NO_WAIT),
            },
            spec=kept_apart(name, job_spec(name, args)),
            # The pod template of a Job is immutable, and its name is ours.
            opts=child_options(self, opts, delete_before_replace=True, depends_on=rendezvous),
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
        yield from DNS_1035_LABEL.faults("name", name, why)


NO_WAIT = MappingProxyType({SKIP_AWAIT: "true", DELETION_PROPAGATION: "background"})
"""An update waits neither for the end of a new job nor for that of an old one.

In the background the old Job is gone at once: in the foreground, which is the default, it stays
until its pods have ended, and nobody waits for that, so that the API server refuses a new one.

`pulumi.com/waitFor` would hold for an update alone: a refresh asks whether the job has ended, and
records one that has not as broken, so that the next preview shows an update of nothing.
pulumi-kubernetes v4.32.0, provider/pkg/await/await.go, Read; and metadata/overrides.go, which has
`skipAwait` hold for the deletion of a Job too. Pods keep generations apart instead.
"""


def kept_apart(name: str, spec: dict[str, Any]) -> Any:
    """A Job's body whose pods wait until those of an earlier declaration of it are gone.

    They would read a checkpoint that the others still write. Any change of the template is another
    generation, and replaces the Job.
    """
    template = spec["template"]
    text = pulumi.Output.json_dumps(template, sort_keys=True)
    generation = text.apply(lambda content: hashlib.sha256(content.encode()).hexdigest()[:8])
    expressions = [
        {"key": "batch.kubernetes.io/job-name", "operator": "In", "values": [name]},
        {"key": GENERATION, "operator": "NotIn", "values": [generation]},
    ]
    # Every node has this label, and all that run Linux the same value: so it holds on all of them.
    term = {"labelSelector": {"matchExpressions": expressions}, "topologyKey": "kubernetes.io/os"}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
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


def is_distributed(args: TrainingJobArgs) -> bool:
    """Whether the job has several pods, which have to meet."""
    return args.parallelism > 1


def rendezvous_spec(name: str) -> Any:
    """The body of the headless Service by which the pods of a job find each other.

    https://kubernetes.io/docs/tasks/job/job-with-pod-to-pod-communication/
    """
    return {
        "clusterIP": "None",
        "selector": {"job-name": name},
        # The first pod has to be found while it still waits for the others.
        "publishNotReadyAddresses": True,
        "ports": [{"name": "rendezvous", "port": MASTER_PORT}],
    }


def job_spec(name: str, args: TrainingJobArgs) -> Any:
    """The body of the Job of a name."""
    pods = args.parallelism
    return {
        "parallelism": pods,
        "completions": pods,
        "completionMode": "Indexed",
        # Pods that lose one of their number fail too, each counted by itself.
        "backoffLimit": args.retries * pods,
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
        "template": {"metadata": {"labels": args.labels}, "spec": _pod(name, args)},
    }


def _pod(name: str, args: TrainingJobArgs) -> dict[str, object]:
    affinity = (
        {"affinity": {"nodeAffinity": args.node_affinity.manifest()}} if args.node_affinity else {}
    )
    pull = [{"name": secret} for secret in args.image_pull_secrets or []]
    env_from = [{"secretRef": {"name": secret}} for secret in args.secret_env or []]
    volumes = _volumes(args)
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
        **({"imagePullSecrets": pull} if pull else {}),
        # Pods of an indexed Job are called `<job>-<index>`; with it, so are their addresses.
        **({"subdomain": name} if is_distributed(args) else {}),
        "containers": [
            {
                "name": "training",
                "image": args.image,
                "command": args.command,
                "env": _variables(name, args),
                **({"envFrom": env_from} if env_from else {}),
                "resources": args.resources.manifest(),
                "volumeMounts": [mount for mount, _ in volumes],
                "securityContext": {"allowPrivilegeEscalation": False},
            }
        ],
        "volumes": [volume for _, volume in volumes],
    }


def _variables(name: str, args: TrainingJobArgs) -> list[dict[str, Any]]:
    """Variables of a pod by name: the user's over those of the rendezvous."""
    cards = args.resources.gpus
    values = {
        **({"PET_NPROC_PER_NODE": str(cards)} if cards > 1 else {}),
        **(_rendezvous(name, args.parallelism) if is_distributed(args) else {}),
        **(args.env or {}),
        CHECKPOINT_DIR: args.checkpoint_path,
    }
    return [
        {"name": key, "value": value} if isinstance(value, str) else {"name": key, **value}
        for key, value in in_order(values).items()
    ]


def _rendezvous(name: str, pods: int) -> dict[str, Any]:
    """How the pods of a job find each other, and which one each is.

    MASTER_ADDR, MASTER_PORT, RANK and WORLD_SIZE are what PyTorch's `env://` reads, for programs
    that run one process per pod; torchrun sets them anew for each of its processes, and takes what
    its command line leaves out from PET_*. https://docs.pytorch.org/docs/stable/elastic/run.html
    """
    rank = {"valueFrom": {"fieldRef": {"fieldPath": COMPLETION_INDEX}}}
    master = {"MASTER_ADDR": f"{name}-0.{name}", "MASTER_PORT": str(MASTER_PORT)}
    nodes = {"NNODES": str(pods), "NODE_RANK": rank}
    torchrun = {f"PET_{key}": value for key, value in {**master, **nodes}.items()}
    return {
        **master,
        **nodes,
        **torchrun,
        "PET_RDZV_CONF": f"timeout={RENDEZVOUS_SECONDS}",
        "RANK": rank,
        "WORLD_SIZE": str(pods),
    }


def _volumes(args: TrainingJobArgs) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each volume of a pod: where it is mounted, and what it is."""
    checkpoint: dict[str, Any] = {"name": "checkpoint", "mountPath": args.checkpoint_path}
    folder = args.checkpoint_folder
    if args.checkpoint_per_rank:
        # The Job's controller gives every container of an indexed Job this variable.
        rank = "rank-$(JOB_COMPLETION_INDEX)"
        checkpoint["subPathExpr"] = f"{folder.rstrip('/')}/{rank}" if folder else rank
    elif folder:
        checkpoint["subPath"] = folder
    claim: dict[str, Any] = {"claimName": args.checkpoint_claim}
    volumes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (checkpoint, {"name": "checkpoint", "persistentVolumeClaim": claim})
    ]
    if args.model_claim is not None and args.model_path is not None:
        part = {"subPath": args.model_folder} if args.model_folder else {}
        model = {"name": "model", "mountPath": args.model_path, "readOnly": True, **part}
        source = {"claimName": args.model_claim, "readOnly": True}
        volumes.append((model, {"name": "model", "persistentVolumeClaim": source}))
    if size := shared_memory_size(args.resources, args.shared_memory):
        shared = {"name": "shared-memory", "mountPath": SHARED_MEMORY_PATH}
        memory = {"medium": "Memory", "sizeLimit": size}
        volumes.append((shared, {"name": "shared-memory", "emptyDir": memory}))
    return volumes
