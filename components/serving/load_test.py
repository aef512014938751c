"""A load test that runs in the cluster, next to the model it measures."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Fault, Input, check, child_options
from ..bindings import kubernetes
from ..crds.formats import ImageReference
from ..quantity import plain
from .load_generators import (
    FILES_PATH,
    GENERATORS,
    MODEL_PATH,
    RESULTS_PATH,
    Generator,
    GeneratorRow,
    Load,
    longest_seconds,
    scenario_faults,
)
from .scenarios import ColdStart, Connections, Prompt, Scenario
from .server import API_KEY, FolderOfClaim, KeySecretName
from .training_job import name_faults
from .vllm_sources import OFFLINE

RUN: Final = "^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$"
"""Form of what tells runs of a test apart: it becomes part of a Job's name."""
KUBECTL_IMAGE: Final = "registry.k8s.io/kubectl:v1.34.3"
"""kubectl as Kubernetes publishes it: kubernetes/kubernetes, build/server-image, 2026-11."""

_START_SECONDS: Final = 900
"""Longest until a pod's containers run: its image is pulled first; an estimate."""
_USER: Final = 65532
"""User of the pods; any would do that is not root."""
_ACCOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where kubectl looks for its token."""


class LoadTestArgs(Args):
    """How a model is loaded, and where that runs."""

    scenario: Scenario
    """How the model is loaded: exactly one of the kinds."""
    prompt: Prompt | None = None
    """What every request asks. inference-perf takes words for tokens, drawn at random."""
    url: Input[str]
    """Address of the model inside the cluster, e.g. `http://qwen.inference.svc.cluster.local`."""
    served_model_name: str = Field(min_length=1)
    """Name that clients put into `model`."""
    namespace: Input[str]
    """Namespace of the model and of the test."""
    run: str | None = Field(default=None, pattern=RUN, examples=["first"])
    """Tells runs of one test apart. Another value starts it again, and nothing else does."""
    generator: Generator = Generator.INFERENCE_PERF
    """Program that sends the requests."""
    image: ImageReference | None = None
    """Image of the generator with a tag or digest. Default: the one that its makers publish; hey
    has none."""
    model_claim: Input[str] | None = None
    """Claim that holds the model's files. inference-perf reads the tokenizer from it."""
    model_folder: FolderOfClaim | None = None
    """Folder of the claim. Default: all of it."""
    trust_remote_code: bool = False
    """Runs Python code that the model's tokenizer ships with."""
    pod_labels: dict[str, str] | None = None
    """Labels that the model's pods have, and no others. A cold start waits until none is left."""
    kubectl_image: ImageReference = KUBECTL_IMAGE
    """Image that has kubectl, for a cold start. The default is Kubernetes' own, whose registry
    cannot be reached from mainland China."""
    results_claim: Input[str] | None = None
    """Claim, writable by user 65532, that keeps the reports. Left out, the log alone has them."""
    results_folder: FolderOfClaim | None = None
    """Folder of the claim, in which each run gets one of its own. Default: all of it."""
    connections: Connections = Connections.NEW
    """Whether each request opens one. By default as somebody who has just come."""
    api_key_secret: KeySecretName | None = None
    """Name of an existing Secret whose `VLLM_API_KEY` is the key that the model asks for."""
    ttl_seconds: int | None = Field(default=None, ge=0)
    """When Kubernetes removes the finished Job. Left out, never: an update that looks for it after
    a refresh would start it again."""

    def _faults(self) -> Iterator[Fault]:
        generator = self.generator
        row = GENERATORS[generator]
        yield from (fault.under("scenario") for fault in scenario_faults(generator, self.scenario))
        if self.image is None and row.image is None:
            why = f"nobody publishes an image of {generator}"
            yield Fault("image", MISSING, "given", why)
        if row.reads_the_model and self.model_claim is None:
            why = f"{generator} reads the model's tokenizer, and no hub is asked for it"
            yield Fault("model_claim", MISSING, "given", why)
        if self.scenario.cold_start and not self.pod_labels:
            why = "a cold start waits until no pod with them is left"
            yield Fault("pod_labels", self.pod_labels or MISSING, "given", why)


class LoadTest(pulumi.ComponentResource):
    """A Job that loads a model once and reports; it runs on any node without taints."""

    job_name: pulumi.Output[str]
    """Name of the Job."""
    log_command: pulumi.Output[str]
    """Command that shows the log, at whose end is the summary."""

    def __init__(
        self, name: str, args: LoadTestArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = LoadTestArgs.of(args)
        job = job_name(name, args.run)
        check(f"LoadTest {name}", name_faults(job))

        super().__init__("ack-inference:index:LoadTest", name, args.dump(), opts)

        run = f"-{args.run}" if args.run else ""
        labels = {"app.kubernetes.io/name": "load-test", "app.kubernetes.io/instance": name}
        about: Any = {"name": job, "namespace": args.namespace, "labels": labels}
        files = kubernetes.core.v1.ConfigMap(
            f"{name}-files{run}",
            metadata=about,
            data=pulumi.Output.from_input(args.url).apply(lambda url: files_of(job, args, url)),
            immutable=True,
            opts=child_options(self, opts, ignore_changes=["data"]),
        )
        # An update is done once the Job is there, and a refresh does not ask whether it has ended:
        # see `NO_WAIT` of the training job. Each run has a name of its own, so none waits either.
        wait = {"pulumi.com/skipAwait": "true"}
        once: Any = {**about, "annotations": wait}
        rights = self._declare_rights(name, args, labels, opts) if args.scenario.cold_start else []
        kubernetes.batch.v1.Job(
            f"{name}-job{run}",
            metadata=once,
            spec=job_spec(name, args, labels),
            # It has run as it was declared: an edit or a new release is for the next run.
            opts=child_options(
                self,
                opts,
                depends_on=[files, *rights],
                ignore_changes=["spec"],
                delete_before_replace=True,
            ),
        )

        self.job_name = pulumi.Output.from_input(job)
        self.log_command = pulumi.Output.format(
            "kubectl logs --namespace {0} --container load job/{1}", args.namespace, job
        )
        self.register_outputs({"job_name": self.job_name, "log_command": self.log_command})

    def _declare_rights(
        self,
        name: str,
        args: LoadTestArgs,
        labels: dict[str, str],
        opts: pulumi.ResourceOptions | None,
    ) -> list[pulumi.Resource]:
        """Lets the pod that waits for an idle model see pods, and nothing else."""
        shared = account_name(name)
        about: Any = {"name": shared, "namespace": args.namespace, "labels": labels}
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=about,
            automount_service_account_token=False,
            opts=child_options(self, opts),
        )
        role = kubernetes.rbac.v1.Role(
            f"{name}-role",
            metadata=about,
            rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
            opts=child_options(self, opts),
        )
        binding = kubernetes.rbac.v1.RoleBinding(
            f"{name}-binding",
            metadata=about,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": shared},
            subjects=[{"kind": "ServiceAccount", "name": shared, "namespace": args.namespace}],
            opts=child_options(self, opts, depends_on=[account, role]),
        )
        return [account, role, binding]


def job_name(name: str, run: str | None) -> str:
    """Name of the Job of a run."""
    return f"{name}-{run}" if run else name


def account_name(name: str) -> str:
    """Name of the ServiceAccount that waits for an idle model."""
    return f"{name}-load-test"


def deadline_seconds(scenario: Scenario) -> int:
    """When Kubernetes ends a test that does not end by itself."""
    return _START_SECONDS + longest_seconds(scenario)


def files_of(job: str, args: LoadTestArgs, url: str) -> dict[str, str]:
    """Files that the generator is given."""
    return _row(args).files(_load(job, args), url)


def job_spec(name: str, args: LoadTestArgs, labels: dict[str, str]) -> Any:
    """The body of the Job: one pod, once."""
    ttl = {} if args.ttl_seconds is None else {"ttlSecondsAfterFinished": args.ttl_seconds}
    return {
        # A second try would measure a model that the first one has warmed up.
        "backoffLimit": 0,
        "activeDeadlineSeconds": deadline_seconds(args.scenario),
        **ttl,
        "template": {"metadata": {"labels": labels}, "spec": _pod(name, args)},
    }


def _row(args: LoadTestArgs) -> GeneratorRow:
    return GENERATORS[args.generator]


def _load(job: str, args: LoadTestArgs) -> Load:
    return Load(
        scenario=args.scenario,
        prompt=args.prompt or Prompt(),
        model=args.served_model_name,
        results=job,
        trust_remote_code=args.trust_remote_code,
        connections=args.connections,
    )


def _pod(name: str, args: LoadTestArgs) -> dict[str, Any]:
    waiting: dict[str, Any] = {}
    if (cold_start := args.scenario.cold_start) is not None:
        waiting["serviceAccountName"] = account_name(name)
        waiting["initContainers"] = [_until_idle(args, cold_start)]
    return {
        "restartPolicy": "Never",
        # Of the containers, only the one that waits for an idle model has a token.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **waiting,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_generator(name, args)],
        "volumes": _volumes(name, args),
    }


def _confined() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _from_url(url: Input[str], make: Callable[[str], list[str]]) -> Input[list[str]]:
    """What is made of an address: at once where it is known, so that no engine has to be there."""
    if isinstance(url, str):
        return make(url)
    return pulumi.Output.all(url).apply(lambda values: make(values[0]))


def _generator(name: str, args: LoadTestArgs) -> dict[str, Any]:
    row, job = _row(args), job_name(name, args.run)
    folder = {"subPath": args.results_folder} if args.results_folder else {}
    mounts = [
        {"name": "files", "mountPath": FILES_PATH, "readOnly": True},
        {"name": "results", "mountPath": RESULTS_PATH, **folder},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  the container's own
    ]
    if row.reads_the_model:
        part = {"subPath": args.model_folder} if args.model_folder else {}
        mounts.append({"name": "model", "mountPath": MODEL_PATH, "readOnly": True, **part})
    # Tables in the log are as wide as this, or figures are cut off.
    env = {"COLUMNS": "160", "HOME": "/tmp", **OFFLINE}  # noqa: S108
    reference = {"secretKeyRef": {"name": args.api_key_secret, "key": API_KEY}}
    key = [{"name": "API_KEY", "valueFrom": reference}] if args.api_key_secret else []
    return {
        "name": "load",
        "image": args.image or row.image,
        "command": _from_url(args.url, lambda url: row.command(_load(job, args), url)),
        "env": [*key, *({"name": name, "value": value} for name, value in sorted(env.items()))],
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
        "volumeMounts": mounts,
        "securityContext": _confined(),
    }


def _until_idle(args: LoadTestArgs, cold_start: ColdStart) -> dict[str, Any]:
    """Waits until the model has no pod; where there is none, kubectl is done at once."""
    selector = ",".join(f"{key}={value}" for key, value in sorted((args.pod_labels or {}).items()))
    return {
        "name": "until-idle",
        "image": args.kubectl_image,
        "command": [
            *("kubectl", "wait", "pod", "--for=delete", f"--selector={selector}"),
            *(f"--timeout={plain(cold_start.idle_seconds)}s", "--namespace", args.namespace),
        ],
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108  where kubectl keeps a cache
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "128Mi"},
        },
        "volumeMounts": [
            {"name": "account", "mountPath": _ACCOUNT_PATH, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
        ],
        "securityContext": _confined(),
    }


def _volumes(name: str, args: LoadTestArgs) -> list[dict[str, Any]]:
    claim = args.results_claim
    volumes: list[dict[str, Any]] = [
        {"name": "files", "configMap": {"name": job_name(name, args.run)}},
        {"name": "scratch", "emptyDir": {}},
        {
            "name": "results",
            **({"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}),
        },
    ]
    if _row(args).reads_the_model:
        source = {"claimName": args.model_claim, "readOnly": True}
        volumes.append({"name": "model", "persistentVolumeClaim": source})
    if args.scenario.cold_start:
        root = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        sources = [{"serviceAccountToken": {"path": "token"}}, {"configMap": root}]
        volumes.append({"name": "account", "projected": {"sources": sources}})
    return volumes
