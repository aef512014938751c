"""What a cluster serves and trains, by whatever kind of object."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE
from components.catalog.sharing import field_of
from components.catalog.vllm import is_of_vllm
from components.crds.kserve_annotations import SERVING_CONTAINER
from components.quantity import is_quantity, parse
from components.serving.vllm_command import read_command
from plan import kinds
from plan.objects import (
    Manifest,
    Objects,
    items,
    kind_of,
    name_of,
    namespace_of,
    section,
    text_of,
    texts_of,
)
from plan.pods import Pods, pods_of
from status.cluster import ADOPTED, KINDS
from status.rooms import ENDED

from .names import is_label, label, longest_in

_KINDS: Final = {
    *("Namespace", "Node", "PersistentVolumeClaim", "Pod", "Deployment", "StatefulSet", "Job"),
    *("HorizontalPodAutoscaler", "Ingress", "PriorityClass", "ResourcePolicy", "Dataset"),
    *("JindoRuntime", "Service", "InferenceService", "ScaledObject", kinds.GROUPS[1]),
}
READ: Final = (*(kind for kind in KINDS if kind.kind in _KINDS), *ADOPTED)
"""Kinds that are listed. Secrets are none of them: their names stand in the pods."""
BY_HAND: Final[Mapping[str, str]] = {
    kinds.LLM_INFERENCE_SERVICE[1]: "llm",
    kinds.ROLES[1]: "roles",
}
"""Kinds that a stack file has and adopt does not read, with the field of `serve` that makes one."""
SYSTEM: Final = (
    "kube-system",
    "knative-serving",
    "kourier-system",
    "kserve",
    "fluid-system",
    "cert-manager",
)
"""Namespaces of the platform, which no model is in."""

OWNERS: Final[Mapping[str, str]] = {
    "argocd.argoproj.io/tracking-id": "Argo CD's application",
    "argocd.argoproj.io/instance": "Argo CD's application",
    "kustomize.toolkit.fluxcd.io/name": "Flux' Kustomization",
    "helm.toolkit.fluxcd.io/name": "Flux' HelmRelease",
    "meta.helm.sh/release-name": "Helm's release",
}
"""Annotations and labels by which other tools know what is theirs: argo-cd.readthedocs.io, Resource
Tracking (3.3); fluxcd.io, Kustomization and HelmRelease; helm.sh, Labels and Annotations."""

ACCOUNT_VOLUME: Final = "kube-api-access-"
"""Begins the name of the volume with the token of a pod's account."""


def without_nulls(value: Any) -> Any:
    """An object without its nulls, which say as much as what is left out."""
    if isinstance(value, Mapping):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_nulls(part) for part in value if part is not None]
    return value


def number(value: object) -> int | float | str:
    """A number as a person writes it; a text that is none as it is, which is refused by its field.

    Kubernetes' own amounts, such as 500m, are numbers too.
    """
    text = str(value)
    try:
        amount = float(parse(text) if is_quantity(text) else text)
    except ValueError:
        return text
    return int(amount) if amount.is_integer() else amount


class Notes:
    """What could not be said, or is said otherwise, as sentences."""

    def __init__(self, sentences: Sequence[str] = ()) -> None:
        self.sentences = [*sentences]

    def say(self, subject: object, sentence: str) -> None:
        """Keeps a sentence about something, once."""
        text = f"{subject}: {sentence}"
        if text not in self.sentences:
            self.sentences.append(text)


@dataclass(frozen=True)
class LiveWorkload:
    """An object that starts pods with a model or a training in them."""

    manifest: Manifest
    pods: Pods
    server: Mapping[str, Any] = field(default_factory=dict)
    """The container that serves or trains."""

    @property
    def kind(self) -> str:
        """The kind of the object."""
        is_knative = kind_of(self.manifest) == kinds.KNATIVE_SERVICE
        return "Knative Service" if is_knative else str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """Name of the object."""
        return name_of(self.manifest)

    @property
    def entry(self) -> str:
        """What its entry of a stack file is called; in place of a Deployment it may be renamed."""
        longest = longest_in(self.namespace)
        if self.kind != "Deployment" or is_label(self.name, longest):
            return self.name
        return label(self.name, "model", longest)

    @property
    def namespace(self) -> str:
        """Namespace of the object."""
        return namespace_of(self.manifest)

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def workloads(objects: Objects, namespace: str | None, notes: Notes) -> Iterator[LiveWorkload]:
    """The models and training jobs of a cluster, those that others have made left out.

    Args:
        objects: What the cluster has.
        namespace: The one that is looked into; None for all but the platform's.
        notes: Is told of what runs on cards and is neither.
    """
    served = (kinds.KNATIVE_SERVICE, kinds.INFERENCE_SERVICE, ("apps", "Deployment"), kinds.GROUPS)
    for group, kind in (*served, kinds.JOB, ("apps", "StatefulSet"), ("", "Pod")):
        for manifest in objects.of(group, kind):
            about, space = section(manifest, "metadata"), namespace_of(manifest)
            wanted = space == namespace if namespace else space not in SYSTEM
            if not wanted or about.get("ownerReferences"):
                continue
            workload = _workload(objects, manifest)
            if workload is None or not _is_for_models(workload):
                continue
            if model := section(workload.pods.spec, "model"):
                kind_of_model = text_of(section(model, "modelFormat"), "name") or "its format"
                notes.say(
                    workload,
                    f"KServe's own runtime for {kind_of_model} serves it, and no pod is there that "
                    "would show image and command: it is left out. Adopt it while a replica runs.",
                )
                continue
            if kind in ("StatefulSet", "Pod"):
                notes.say(
                    f"{kind} {space}/{name_of(manifest)}",
                    "it runs on cards or serves by vLLM, and no entry of a stack file makes such "
                    "an object. Make it a Deployment, or leave it beside the stack.",
                )
            elif kind == "Job" and _has_ended(manifest):
                notes.say(workload, "it has ended, and is left out.")
            else:
                yield workload


def owner_notes(workload: LiveWorkload, notes: Notes) -> None:
    """Says which other tool keeps an object, and would go on doing so beside a stack."""
    about = section(workload.manifest, "metadata")
    marks = {**section(about, "labels"), **section(about, "annotations")}
    for key, whose in OWNERS.items():
        if mark := text_of(marks, key):
            notes.say(
                workload,
                f"it is of {whose} {mark.partition(':')[0]}, which puts back or deletes what the "
                "stack changes: take it out of there before the first update, in a way that leaves "
                "the object.",
            )
            return


def _workload(objects: Objects, manifest: Manifest) -> LiveWorkload | None:
    """A workload with the container that serves: of KServe's own runtimes, as its pods show it."""
    pods = next(
        (entry for entry in pods_of(manifest) if "predictor" in entry.path or _is_plain(manifest)),
        None,
    ) or (_bare(manifest) if manifest["kind"] == "Pod" else None)
    if pods is None:
        return None
    if section(pods.spec, "model"):
        pods = _running(objects, manifest) or pods
    containers = items(pods.spec, "containers")
    serving = [entry for entry in containers if entry.get("name") == SERVING_CONTAINER]
    with_cards = [entry for entry in containers if _asks_for_cards(entry)]
    with_vllm = [entry for entry in containers if runs_vllm(entry)]
    ranked = [*serving, *with_vllm, *with_cards, *containers]
    return LiveWorkload(manifest, pods, ranked[0] if ranked else {})


def _is_plain(manifest: Manifest) -> bool:
    return str(manifest["kind"]) != "InferenceService"


def _bare(manifest: Manifest) -> Pods:
    return Pods(namespace_of(manifest), {}, section(manifest, "spec"), "spec")


def _running(objects: Objects, service: Manifest) -> Pods | None:
    """A pod of an InferenceService, which shows what its runtime has made of it."""
    for pod in objects.of("", "Pod"):
        labels = section(pod, "metadata", "labels")
        if labels.get(f"{kinds.KSERVE}/inferenceservice") == name_of(service) and namespace_of(
            pod
        ) == namespace_of(service):
            return Pods(namespace_of(pod), labels, _as_asked(section(pod, "spec")), "spec")
    return None


def _as_asked(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A pod's body without what admission and controllers have put into it."""

    def without_token(container: Mapping[str, Any]) -> dict[str, Any]:
        mounts = [
            mount
            for mount in items(container, "volumeMounts")
            if not text_of(mount, "name").startswith(ACCOUNT_VOLUME)
        ]
        return {**container, "volumeMounts": mounts}

    return {
        **{key: value for key, value in spec.items() if key not in ("nodeName", "priority")},
        "containers": [
            without_token(entry)
            for entry in items(spec, "containers")
            if entry.get("name") != "queue-proxy"
        ],
        "initContainers": [*map(without_token, items(spec, "initContainers"))],
        "volumes": [
            entry
            for entry in items(spec, "volumes")
            if not text_of(entry, "name").startswith(ACCOUNT_VOLUME)
        ],
    }


def foreign(objects: Objects, namespace: str | None, notes: Notes) -> None:
    """Tells of what else makes pods with a model or a training in them, by the pods themselves.

    Args:
        objects: What the cluster has.
        namespace: The one that is looked into; None for all but the platform's.
        notes: Is told of each maker once.
    """
    for pod in objects.of("", "Pod"):
        space = namespace_of(pod)
        is_over = section(pod, "status").get("phase") in ENDED
        if is_over or not (space == namespace if namespace else space not in SYSTEM):
            continue
        if not any(_asks_for_cards(c) or runs_vllm(c) for c in items(pod["spec"], "containers")):
            continue
        maker = _maker(objects, pod)
        if maker is not None:
            kind = str(maker["kind"])
            way = (
                f"a stack file serves so by serve.{BY_HAND[kind]}, which adopt does not write"
                if kind in BY_HAND
                else "no entry of a stack file is made of such an object"
            )
            notes.say(
                f"{kind} {space}/{maker.get('name')}",
                f"its pods run on cards or serve by vLLM, and {way} ({maker.get('apiVersion')}): "
                "leave it beside the stack, or write the entry by hand.",
            )


def _maker(objects: Objects, pod: Manifest) -> Mapping[str, Any] | None:
    """The object of another tool that is behind a pod; None where it is one that is read.

    Owners are followed as far as they are read. A ReplicaSet is not: its Deployment is known by the
    name and the hash of the template.
    """
    space, manifest = namespace_of(pod), pod
    while owners := section(manifest, "metadata").get("ownerReferences") or ():
        chosen = next((entry for entry in owners if entry.get("controller")), owners[0])
        owner: Mapping[str, Any] = chosen
        group, name = str(owner.get("apiVersion")).rpartition("/")[0], str(owner.get("name"))
        kind = str(owner.get("kind"))
        if kind in BY_HAND:
            return owner
        if group in (kinds.KNATIVE, kinds.KSERVE) or "kind" not in owner:
            return None
        if kind == "ReplicaSet":
            digest = str(section(pod, "metadata", "labels").get("pod-template-hash"))
            kind, name = "Deployment", name.removesuffix(f"-{digest}")
        above = objects.get(group, kind, name, space)
        if above is None:
            return owner
        manifest = above
    return None


def words_of(container: Mapping[str, Any]) -> list[str]:
    """Command and arguments of a container, as they are."""
    return [*texts_of(container, "command"), *texts_of(container, "args")]


def runs_vllm(container: Mapping[str, Any]) -> bool:
    """Whether a container runs vLLM, by its command or by its image."""
    return is_of_vllm(text_of(container, "image")) or read_command(words_of(container)) is not None


def _asks_for_cards(container: Mapping[str, Any]) -> bool:
    resources = {
        **section(container, "resources", "requests"),
        **section(container, "resources", "limits"),
    }
    return any(name == GPU_RESOURCE or field_of(name) for name in resources)


def _is_for_models(workload: LiveWorkload) -> bool:
    containers = items(workload.pods.spec, "containers")
    if workload.kind == "InferenceService":
        return True
    return any(_asks_for_cards(entry) or runs_vllm(entry) for entry in containers)


def _has_ended(job: Manifest) -> bool:
    return any(
        condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True"
        for condition in items(section(job, "status"), "conditions")
    )
