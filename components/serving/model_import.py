"""Fills a folder of a store with a model, from a hub, a bucket or a registry."""

import hashlib
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pkgutil import get_data
from typing import Annotated, Any, Final

import pulumi
from pydantic import Field

from ..args import MISSING, Args, Because, Fault, Input, child_options, one_of_faults
from ..bindings import kubernetes
from ..catalog.regions import is_region
from ..crds.formats import ImageReference
from ..hosts import url_form
from ..names import ByteSize, SecretName
from ..quantity import gib
from .server import FolderOfClaim

KINDS: Final = ("huggingface", "modelscope", "oss", "oci")
"""Fields of a source of which exactly one says where it is."""
STORE_PATH: Final = "/store"
"""Where the Job sees the store."""
LEAST_SECONDS: Final = 1800
"""Shortest wait: a node, an image and a small model."""
SECONDS_PER_GIB: Final = 60
"""Wait per GiB: 17 MiB/s, which any hub that works at all gives; an assumption."""
LONGEST_NAME: Final = 63 - len("-import-00000000-xxxxx")
"""Characters of a name of which a Job and its pods are called."""
_HUB_ID: Final = r"[\w.-]+/[\w.-]+"
_BUCKET: Final = r"(oss://)?[a-z0-9][a-z0-9-]{1,61}[a-z0-9](/[^\s]*)?"
_REPOSITORY: Final = r"[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+"
_FORMS: Final = {
    "huggingface": (_HUB_ID, "owner and name, such as Qwen/Qwen2.5-7B-Instruct"),
    "modelscope": (_HUB_ID, "owner and name, such as Qwen/Qwen2.5-7B-Instruct"),
    "oss": (_BUCKET, "a bucket and a folder, such as oss://models/Qwen2.5-7B-Instruct"),
    "oci": (_REPOSITORY, "a registry and a repository without a tag, such as ghcr.io/acme/qwen"),
}
_COMMIT: Final = r"[0-9a-f]{40}|sha256:[0-9a-f]{64}"
_HUB: Final = "https://hf-mirror.example.com"


class ImportSource(Args):
    """Whence a folder's files come: exactly one of `huggingface`, `modelscope`, `oss` and `oci`."""

    huggingface: str | None = Field(default=None, examples=["Qwen/Qwen2.5-7B-Instruct"])
    """A model of Hugging Face: owner and name."""
    modelscope: str | None = Field(default=None, examples=["Qwen/Qwen2.5-7B-Instruct"])
    """A model of ModelScope: owner and name. It answers from mainland China."""
    oss: str | None = Field(default=None, examples=["oss://models/Qwen2.5-7B-Instruct"])
    """A folder of another bucket, also of another account or region, read by keys."""
    oci: str | None = Field(default=None, examples=["ghcr.io/acme/qwen"])
    """An artifact of a registry, whose layers are files with names, as `oras push` makes them."""
    revision: str = Field(min_length=1, max_length=128, pattern=r"^[\w.:/-]+$", examples=["v1.0.0"])
    """Commit, tag or branch of a hub; tag or digest of an artifact; of a bucket's folder, what you
    call its present state. Another one is imported anew, beside this one. A commit or a digest
    stays the same."""
    files: list[str] | None = None
    """Files that are wanted, as patterns such as `*.safetensors`. Left out, all."""
    sha256: dict[str, str] | None = None
    """SHA-256 of files, by their path, which the import holds them against. A hub's large files and
    an artifact's are held against what their source says in any case."""
    endpoint: Annotated[str, url_form(_HUB), Because("the source is asked there")] | None = None
    """Address of the hub, the bucket or the registry, e.g. a mirror of Hugging Face in mainland
    China. Default: the makers' own, of a bucket the public one of its region."""
    region: str | None = Field(default=None, examples=["cn-hangzhou"])
    """Region of the bucket. Given with `oss`."""
    secret: Annotated[SecretName, Because("the keys stay in the cluster")] | None = None
    """Name of an existing Secret in the namespace with the source's keys: HF_TOKEN;
    MODELSCOPE_API_TOKEN; OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET; OCI_USERNAME and
    OCI_PASSWORD."""
    image: ImageReference | None = None
    """Image that has python3, of the Job that imports; it needs nothing else. Default: that of the
    server or the training job, as vLLM's images have it."""
    wait_seconds: int | None = Field(default=None, ge=60)
    """How long an update waits for the import. Default: 30 minutes and a minute for each GiB. What
    takes longer goes on, and the next update waits again."""

    def _faults(self) -> Iterator[Fault]:
        if choice := [*one_of_faults(self, KINDS, "a folder has one source")]:
            yield from choice
            return
        kind, name = self.kind, self.name
        pattern, want = _FORMS[kind]
        if not re.fullmatch(pattern, name) or ".." in name.split("/"):
            yield Fault(kind, name, want, "the import asks for it")
        if self.region is None and kind == "oss":
            why = "requests to a bucket are signed for its region"
            yield Fault("region", MISSING, "given with oss", why)
        elif self.region is not None and kind != "oss":
            want = "left out without oss"
            yield Fault("region", self.region, want, "no other source is asked by its region")
        elif self.region is not None and not is_region(self.region):
            want = "a region such as 'cn-beijing'"
            yield Fault("region", self.region, want, "the bucket's address is named after it")
        for path, digest in (self.sha256 or {}).items():
            if not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
                why = "the file is held against it"
                yield Fault(f"sha256[{path}]", digest, "64 hexadecimal digits", why)
        for path in self.files or []:
            if path.startswith("/") or ".." in path.split("/"):
                yield Fault("files", path, "a pattern within the source", "it selects its files")

    @property
    def kind(self) -> str:
        """The field that says where it is."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), KINDS[0])

    @property
    def name(self) -> str:
        """What it is called there."""
        return str(getattr(self, self.kind) or "")

    @property
    def is_pinned(self) -> bool:
        """Whether the revision stays the same: a commit, a digest, or a name that is one's own."""
        return self.kind == "oss" or re.fullmatch(_COMMIT, self.revision) is not None

    @property
    def folder(self) -> str:
        """Name of the folder of the revision."""
        name = re.sub(r"[^\w.-]", "-", self.revision.removeprefix("sha256:")).strip(".-") or "files"
        return name[:12] if re.fullmatch(_COMMIT, self.revision) else name


class ModelImportArgs(Args):
    """What is imported, and where to."""

    source: ImportSource
    """Whence the files come."""
    namespace: Input[str]
    """Namespace of the claim and of the Job."""
    claim: Input[str]
    """Claim, writable, of the store."""
    folder: FolderOfClaim
    """Folder of the claim that is filled. It is made."""
    size: ByteSize = Field(examples=["15Gi"])
    """Size of the files, e.g. 15Gi; an update waits by it."""
    image: ImageReference
    """Image that has python3; it needs nothing else."""
    image_pull_secrets: list[SecretName] | None = None
    """Names of existing Secrets to pull the image with."""
    retries: int = Field(default=6, ge=0)
    """Pods that may fail; each goes on where the one before it ended."""


class ModelImport(pulumi.ComponentResource):
    """A Job that fills a folder of a store once; an update waits for its end.

    Another source, revision or selection is another Job. It runs on any node without taints.
    """

    job_name: pulumi.Output[str]
    """Name of the Job."""
    log_command: pulumi.Output[str]
    """Command that shows how far it is."""

    def __init__(
        self, name: str, args: ModelImportArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        args = ModelImportArgs.of(args)

        super().__init__("ack-inference:index:ModelImport", name, args.dump(), opts)

        job = job_name(name, args)
        seconds = wait_seconds(args)
        kubernetes.batch.v1.Job(
            f"{name}-import",
            metadata={"name": job, "namespace": args.namespace, "labels": _labels(name)},
            spec=job_spec(name, args),
            opts=child_options(
                self,
                opts,
                custom_timeouts=pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s"),
                # Where the name stays, so does nothing else of a Job's pods: they are immutable.
                delete_before_replace=True,
            ),
        )

        self.job_name = pulumi.Output.from_input(job)
        self.log_command = pulumi.Output.format(
            "kubectl --namespace {0} logs --follow job/{1}", args.namespace, job
        )
        self.register_outputs({"job_name": self.job_name, "log_command": self.log_command})


def job_name(name: str, args: ModelImportArgs) -> str:
    """Name of the Job: another one for other files."""
    wanted = json.dumps([_told(args), args.image], sort_keys=True)
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    return f"{name[:LONGEST_NAME].rstrip('-')}-import-{digest}"


def wait_seconds(args: ModelImportArgs) -> int:
    """How long an update waits for it."""
    by_size = LEAST_SECONDS + SECONDS_PER_GIB * math.ceil(gib(args.size))
    return args.source.wait_seconds or by_size


def job_spec(name: str, args: ModelImportArgs) -> Any:
    """The body of the Job: one pod, which another one replaces where it left off."""
    source = args.source
    keys = [{"secretRef": {"name": source.secret}}] if source.secret else []
    pull = [{"name": secret} for secret in args.image_pull_secrets or []]
    return {
        "backoffLimit": args.retries,
        "podFailurePolicy": {
            "rules": [
                # What the program refuses, another pod would refuse too.
                {
                    "action": "FailJob",
                    "onExitCodes": {"containerName": "import", "operator": "In", "values": [2]},
                },
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                },
            ]
        },
        "template": {
            "metadata": {"labels": _labels(name)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                **({"imagePullSecrets": pull} if pull else {}),
                "containers": [
                    {
                        "name": "import",
                        "image": args.image,
                        "command": ["python3", "-c", program()],
                        "env": [{"name": "IMPORT", "value": json.dumps(_told(args))}],
                        **({"envFrom": keys} if keys else {}),
                        "resources": {
                            "requests": {"cpu": "500m", "memory": "512Mi"},
                            "limits": {"memory": "512Mi"},
                        },
                        "volumeMounts": [{"name": "store", "mountPath": STORE_PATH}],
                        # Without its capabilities, root does not write to what others own.
                        "securityContext": {"allowPrivilegeEscalation": False},
                    }
                ],
                "volumes": [{"name": "store", "persistentVolumeClaim": {"claimName": args.claim}}],
            },
        },
    }


@cache
def program() -> str:
    """What the Job runs, with the standard library alone."""
    return (get_data(__package__, "import_program.py") or b"").decode()


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "model-import", "app.kubernetes.io/instance": name}


def _told(args: ModelImportArgs) -> dict[str, Any]:
    """What the program is told."""
    source = args.source
    settings = {
        "kind": source.kind,
        "name": source.name.removeprefix("oss://"),
        "revision": source.revision,
        "files": source.files,
        "sha256": source.sha256,
        "endpoint": source.endpoint,
        "region": source.region,
        "folder": f"{STORE_PATH}/{args.folder}",
    }
    return {key: value for key, value in settings.items() if value}
