"""What an update would change of what is there, field by field."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.crds.formats import seconds
from components.quantity import is_quantity, parse
from components.secret_forms import is_secret_value
from components.serving.server import SHARED_MEMORY_PATH
from plan.kinds import HELM_RELEASE, HPA, SCALED_OBJECT
from plan.model import Marker, Plan
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

from .models import SYSTEM_NOTES
from .pods import MODULE
from .workloads import LiveWorkload

MOST_TEXT: Final = 200
PROBE: Final[Mapping[str, Any]] = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
}
"""What the API server makes of a probe that leaves them out."""
POD: Final[Mapping[str, Any]] = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
    "enableServiceLinks": True,
    "automountServiceAccountToken": True,
    "serviceAccountName": "default",
    "serviceAccount": "default",
    "containerConcurrency": 0,
    "timeoutSeconds": 300,
    "idleTimeoutSeconds": 0,
    "preemptionPolicy": "PreemptLowerPriority",
    "hostNetwork": False,
}
"""The same of a pod, and of Knative's fields beside it."""
CONTAINER: Final[Mapping[str, Any]] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "securityContext": {},
    "resizePolicy": [],
}
"""The same of a container."""
OBJECT: Final[Mapping[str, Any]] = {
    "spec.completionMode": "NonIndexed",
    "spec.parallelism": 1,
    "spec.completions": 1,
    "spec.backoffLimit": 6,
    "spec.suspend": False,
    "spec.manualSelector": False,
    "spec.podReplacementPolicy": "TerminatingOrFailed",
    "spec.predictor.minReplicas": 1,
    "spec.predictor.autoScaling": {},
    "spec.traffic": [{"latestRevision": True, "percent": 100}],
    "preemptionPolicy": "PreemptLowerPriority",
    "globalDefault": False,
    "spec.startupPolicy": "LeaderCreated",
    "spec.leaderWorkerTemplate.restartPolicy": "RecreateGroupOnPodRestart",
    "spec.rolloutStrategy.type": "RollingUpdate",
    "spec.networkConfig": {"subdomainPolicy": "Shared"},
}
"""The same of whole objects."""
MADE: Final = ("controller-uid", "job-name", "pod-template-hash", "pod-template-generation")
"""Ends of labels that controllers set."""
PROGRAMS: Final = (MODULE, ("vllm", "serve"))
"""Beginnings of command lines that are told by themselves."""
ABSENT: Final = "nothing"
HIDDEN: Final = re.compile(r"(^|\.)(env|words)(\[|$)|annotations\[|lifecycle")
"""Paths whose values are not shown: one may be a key."""


@dataclass(frozen=True)
class FieldDifference:
    """A field that an update would change."""

    subject: str
    """The object."""
    field: str
    """Path in it, by the names of containers, mounts and variables."""
    live: object
    """What is there; `ABSENT` where it is not."""
    planned: object
    """What the stack would have; likewise."""

    def __str__(self) -> str:
        if self.live == ABSENT:
            return f"{self.subject}: {self.field} is added{self._shown(self.planned, ': ')}."
        if self.planned == ABSENT:
            return f"{self.subject}: {self.field} is taken away{self._shown(self.live, ', ')}."
        if HIDDEN.search(self.field):
            return f"{self.subject}: {self.field} becomes another."
        live, planned = _text(self.live), _text(self.planned)
        return f"{self.subject}: {self.field} is {live}, and becomes {planned}."

    def _shown(self, value: object, before: str) -> str:
        return "" if HIDDEN.search(self.field) else f"{before}{_text(value)}"


def differences(
    plan: Plan, objects: Objects, workloads: Mapping[str, LiveWorkload]
) -> Iterator[FieldDifference | str]:
    """What the stack's first update would change: fields, objects that come, objects that stay.

    Args:
        plan: The stack's plan.
        objects: What the cluster has.
        workloads: By name of a model or a job, what it describes.
    """
    planned = [manifest for manifest in plan.manifests() if manifest["kind"] != "Namespace"]
    for manifest in planned:
        counterpart = _there(manifest, objects)
        workload = workloads.get(name_of(manifest))
        if counterpart is not None:
            yield from compare(manifest, counterpart, workload)
        elif workload is not None and [*pods_of(manifest)]:
            yield f"{_subject(manifest)} is created, in place of {workload}."
            yield from _between_pods(manifest, workload)
        else:
            yield f"{_subject(manifest)} is created."
    yield from _scalers(planned, objects, workloads)
    for resource in plan.resources:
        if resource.type == HELM_RELEASE:
            yield f"Helm release {resource.name} is installed."


def objects_there(plan: Plan, objects: Objects) -> Iterator[Manifest]:
    """Objects of a plan that the cluster has already."""
    for manifest in plan.manifests():
        if counterpart := _there(manifest, objects):
            yield counterpart


def _there(manifest: Manifest, objects: Objects) -> Manifest | None:
    is_namespaced = "namespace" in section(manifest, "metadata")
    namespace = namespace_of(manifest) if is_namespaced else None
    return objects.get(*kind_of(manifest), name_of(manifest), namespace)


def _scalers(
    planned: Sequence[Manifest], objects: Objects, workloads: Mapping[str, LiveWorkload]
) -> Iterator[str]:
    """HPAs and ScaledObjects that stay, and would go on scaling what the stack scales."""
    ours = {(kind_of(manifest), name_of(manifest)) for manifest in planned}
    targets = {
        (entry.namespace, f"{name}-predictor")
        for name, entry in workloads.items()
        if entry.kind == "InferenceService"
    }
    for scaler in (*objects.of(*HPA), *objects.of(*SCALED_OBJECT)):
        target = text_of(section(scaler, "spec", "scaleTargetRef"), "name")
        owned = section(scaler, "metadata").get("ownerReferences")
        is_ours = (kind_of(scaler), name_of(scaler)) in ours
        if (namespace_of(scaler), target) in targets and not is_ours and not owned:
            yield (
                f"{_subject(scaler)} stays, and scales the Deployment {target} beside the stack's "
                "own: delete it right before the first update."
            )


def compare(
    manifest: Manifest, counterpart: Manifest, workload: LiveWorkload | None = None
) -> Iterator[FieldDifference]:
    """Fields of an object that an update would change."""
    subject = _subject(manifest)
    yield from _pairs(subject, _outside(manifest), _outside(counterpart))
    live = [*pods_of(counterpart)]
    planned = [*pods_of(manifest)]
    if not planned or not live:
        return
    pods = live[0]
    if section(pods.spec, "model") and workload is not None:
        pods = workload.pods
    yield from _pairs(subject, _pod(planned[0]), _pod(pods))
    # Workers of a LeaderWorkerSet, which are made as its leaders are if they have no own template.
    for entry in planned[1:]:
        same = next((candidate for candidate in live if candidate.path == entry.path), pods)
        place = f"{subject}, {entry.path.split('.')[-2]}"
        yield from _pairs(place, _pod(entry), _pod(same))


def _between_pods(manifest: Manifest, workload: LiveWorkload) -> Iterator[FieldDifference]:
    """How the pods of an object that takes another's place differ from that one's."""
    planned = next(pods_of(manifest))
    yield from _pairs(_subject(manifest), _pod(planned), _pod(workload.pods))


def _pairs(
    subject: str, planned: Mapping[str, Any], live: Mapping[str, Any]
) -> Iterator[FieldDifference]:
    for field in sorted(planned.keys() | live.keys()):
        planned_value, live_value = planned.get(field, ABSENT), live.get(field, ABSENT)
        if isinstance(planned_value, Marker) or _same(planned_value, live_value):
            continue
        if (
            field.endswith("words")
            and isinstance(planned_value, list)
            and isinstance(live_value, list)
        ):
            yield from _words(subject, field, planned_value, live_value)
            continue
        yield FieldDifference(subject, field, live_value, planned_value)


def _words(
    subject: str, field: str, planned: Sequence[str], live: Sequence[str]
) -> Iterator[FieldDifference]:
    """Words of a command line that come and go; a value may be a key, so that flags alone show."""
    place = field.removesuffix("words")
    common = 0
    for planned_word, live_word in zip(planned, live, strict=False):
        if planned_word != live_word:
            break
        common += 1
    added = [word.partition("=")[0] for word in planned[common:] if word.startswith("-")]
    gone = [word.partition("=")[0] for word in live[common:] if word.startswith("-")]
    for flag in added:
        if flag not in gone:
            yield FieldDifference(subject, f"{place}flag {flag}", ABSENT, flag)
    for flag in gone:
        if flag not in added:
            yield FieldDifference(subject, f"{place}flag {flag}", flag, ABSENT)
    if not set(added) ^ set(gone):
        yield FieldDifference(subject, f"{place}words", "others", "these")


def _subject(manifest: Manifest) -> str:
    kind, about = str(manifest["kind"]), section(manifest, "metadata")
    name = (
        f"{about['namespace']}/{name_of(manifest)}" if "namespace" in about else name_of(manifest)
    )
    is_knative = kind == "Service" and "knative" in str(manifest["apiVersion"])
    return f"{'Knative Service' if is_knative else kind} {name}"


def _outside(manifest: Manifest) -> dict[str, Any]:
    """An object without its pods, its status and what the API server and tools add."""
    fields: dict[str, Any] = {}
    paths = [pods.path for pods in pods_of(manifest)]

    def walk(value: object, path: str) -> None:
        if path in paths and "predictor" not in path:
            return
        if isinstance(value, Mapping) and value:
            for key, inner in value.items():
                if path in paths and key in _IN_PODS:
                    continue
                if path.endswith(("labels", "annotations")):
                    if not _is_made(str(key)):
                        fields[f"{path}[{key}]"] = inner
                    continue
                walk(inner, f"{path}.{key}" if path else str(key))
        elif value not in (None, {}, []):
            fields[path] = value

    about = section(manifest, "metadata")
    body = {
        key: value
        for key, value in manifest.items()
        if key not in ("apiVersion", "kind", "metadata", "status")
    }
    metadata = {key: about[key] for key in ("labels", "annotations") if about.get(key)}
    walk({"metadata": metadata, **body}, "")
    template = section(manifest, "spec", "template", "metadata")
    for key in ("labels", "annotations"):
        for label in section(template, key):
            fields.pop(f"spec.template.metadata.{key}[{label}]", None)
    fields |= _template(manifest)
    if manifest["kind"] == "Job":
        fields = {k: v for k, v in fields.items() if not k.startswith("spec.selector")}
    return {key: value for key, value in fields.items() if OBJECT.get(key, _NOTHING) != value}


_NOTHING: Final = object()
_IN_PODS: Final = (
    *("containers", "initContainers", "volumes", "tolerations", "affinity", "nodeSelector"),
    *("priorityClassName", "imagePullSecrets", "model", *POD),
)
"""Fields of a pod, which stand beside KServe's own in a predictor."""


def _template(manifest: Manifest) -> dict[str, Any]:
    """Labels and annotations of a template, without what controllers set."""
    template = section(manifest, "spec", "template", "metadata")
    return {
        f"spec.template.metadata.{kind}[{key}]": value
        for kind in ("labels", "annotations")
        for key, value in section(template, kind).items()
        if not _is_made(str(key))
    }


def _is_made(key: str) -> bool:
    return key.startswith((*SYSTEM_NOTES, "ack-inference/")) or key.endswith(MADE)


def _pod(pods: Pods) -> dict[str, Any]:
    """A pod in a form in which two that do the same are the same."""
    spec = pods.spec
    containers = items(spec, "containers")
    fields: dict[str, Any] = {}
    serving = _serving(containers)
    for container in containers:
        name = "server" if container is serving else f"containers[{container.get('name')}]"
        fields |= _container(name, container, spec)
    for container in items(spec, "initContainers"):
        fields |= _container(f"initContainers[{container.get('name')}]", container, spec)
    handled = {
        *("containers", "initContainers", "volumes", "tolerations", "affinity", "nodeSelector"),
        *("imagePullSecrets", "model", "nodeName", "priority"),
    }
    for key, value in spec.items():
        if key not in handled and value not in (None, {}, []) and POD.get(key, _NOTHING) != value:
            if key in _PREDICTOR:
                continue
            fields[key] = value
    fields["nodes"] = _nodes(spec)
    tolerations = [_toleration(entry) for entry in items(spec, "tolerations")]
    fields["tolerations"] = sorted(tolerations)
    affinity = section(spec, "affinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        if value := affinity.get(kind):
            fields[kind] = value
    if preferred := section(affinity, "nodeAffinity").get(
        "preferredDuringSchedulingIgnoredDuringExecution"
    ):
        fields["preferred nodes"] = preferred
    fields["imagePullSecrets"] = [text_of(ref, "name") for ref in items(spec, "imagePullSecrets")]
    return {key: value for key, value in fields.items() if value not in ([], {}, None)}


_PREDICTOR: Final = (
    *("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "scaleMetricType", "labels"),
    *("annotations", "timeout", "canaryTrafficPercent", "autoScaling", "deploymentStrategy"),
    *("batcher", "logger"),
)
"""Fields of KServe in a predictor, which are compared with the object."""


def _serving(containers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The container that serves: of KServe the one of its name, else the first with cards."""
    named = [entry for entry in containers if entry.get("name") == "kserve-container"]
    with_cards = [
        entry for entry in containers if any("gpu" in key for key in _requests(entry, "limits"))
    ]
    return next(iter([*named, *with_cards, *containers]), {})


def _requests(container: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    return section(container, "resources", part)


def _container(name: str, container: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    words = [*texts_of(container, "command"), *texts_of(container, "args")]
    program = next((p for p in PROGRAMS if tuple(words[: len(p)]) == p), ())
    fields: dict[str, Any] = {
        f"{name}.image": container.get("image"),
        f"{name}.program": " ".join(program),
        f"{name}.words": words[len(program) :],
    }
    secrets = set()
    for variable in items(container, "env"):
        reference = section(variable, "valueFrom", "secretKeyRef")
        if reference and reference.get("key") == variable.get("name"):
            secrets.add(text_of(reference, "name"))
            continue
        fields[f"{name}.env[{variable.get('name')}]"] = variable.get(
            "value", variable.get("valueFrom", "")
        )
    secrets |= {
        text_of(section(source, kind), "name")
        for source in items(container, "envFrom")
        for kind in ("secretRef", "configMapRef")
        if section(source, kind)
    }
    fields[f"{name}.envFrom"] = sorted(secrets)
    limits, requests = _requests(container, "limits"), _requests(container, "requests")
    for resource, amount in limits.items():
        fields[f"{name}.resources.limits[{resource}]"] = str(amount)
    for resource, amount in {**limits, **requests}.items():
        fields[f"{name}.resources.requests[{resource}]"] = str(amount)
    fields[f"{name}.ports"] = [
        {key: value for key, value in port.items() if (key, value) != ("protocol", "TCP")}
        for port in items(container, "ports")
    ]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if section(container, probe):
            fields[f"{name}.{probe}"] = _probe(section(container, probe))
    policy = container.get("imagePullPolicy")
    if policy not in (None, "IfNotPresent"):
        fields[f"{name}.imagePullPolicy"] = policy
    fields |= {
        f"{name}.{key}": value
        for key, value in container.items()
        if key not in _READ and CONTAINER.get(key, _NOTHING) != value
    }
    fields |= _mounts(name, container, spec)
    return {key: value for key, value in fields.items() if value not in ([], {}, None, "")}


_READ: Final = (
    *("name", "image", "command", "args", "env", "envFrom", "ports", "resources", "volumeMounts"),
    *("startupProbe", "readinessProbe", "livenessProbe", "imagePullPolicy"),
)
"""Fields of a container that are compared in a form of their own."""


def _probe(probe: Mapping[str, Any]) -> dict[str, Any]:
    http = {k: v for k, v in section(probe, "httpGet").items() if v not in ("HTTP", None)}
    body = {k: v for k, v in probe.items() if PROBE.get(k, _NOTHING) != v}
    return {**body, **({"httpGet": http} if http else {})}


def _mounts(name: str, container: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """What a container sees at which path, whatever the volume is called."""
    volumes = {text_of(volume, "name"): volume for volume in items(spec, "volumes")}
    mounts: dict[str, Any] = {}
    for mount in items(container, "volumeMounts"):
        volume = volumes.get(text_of(mount, "name"), {})
        claim = section(volume, "persistentVolumeClaim")
        source = {k: v for k, v in volume.items() if k != "name"}
        read_only = bool(mount.get("readOnly") or claim.get("readOnly"))
        if claim:
            source = {"claim": claim.get("claimName")}
        entry = {**source, "subPath": mount.get("subPath"), "readOnly": read_only or None}
        path = text_of(mount, "mountPath").rstrip("/") or "/"
        if path == SHARED_MEMORY_PATH and "emptyDir" in volume:
            entry = {"emptyDir": volume["emptyDir"]}
        mounts[f"{name}.mounts[{path}]"] = {k: v for k, v in entry.items() if v is not None}
    return mounts


def _nodes(spec: Mapping[str, Any]) -> list[str]:
    """On which nodes a pod may run, one entry per choice; by labels or by affinity is the same."""
    base = {key: str(value) for key, value in section(spec, "nodeSelector").items()}
    required = section(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    choices: list[str] = []
    for term in items(required, "nodeSelectorTerms") or [{}]:
        selectors = [dict(base)]
        constraints: list[str] = []
        for expression in items(term, "matchExpressions"):
            key, values = text_of(expression, "key"), texts_of(expression, "values")
            if expression.get("operator") == "In":
                selectors = [{**s, key: value} for s in selectors for value in values]
            else:
                constraints.append(f"{key} {expression.get('operator')} {' '.join(values)}".strip())
        choices += [
            ", ".join([*(f"{k}={v}" for k, v in sorted(s.items())), *sorted(constraints)])
            for s in selectors
        ]
    return sorted(choice for choice in choices if choice)


def _toleration(toleration: Mapping[str, Any]) -> str:
    operator = toleration.get("operator", "Equal")
    value = f"={toleration.get('value', '')}" if operator == "Equal" else ""
    return f"{toleration.get('key', '')}{value}:{toleration.get('effect', '')}"


def _same(planned_value: object, live_value: object) -> bool:
    """Whether two values are one, quantities by their size."""
    if planned_value == live_value:
        return True
    if isinstance(planned_value, list) and isinstance(live_value, list):
        pairs = zip(planned_value, live_value, strict=False)
        return len(planned_value) == len(live_value) and all(_same(*pair) for pair in pairs)
    if isinstance(planned_value, Mapping) and isinstance(live_value, Mapping):
        keys = planned_value.keys() | live_value.keys()
        return all(
            _same(planned_value.get(key, ABSENT), live_value.get(key, ABSENT)) for key in keys
        )
    texts = (str(planned_value), str(live_value))
    lengths = [*map(seconds, texts)]
    if None not in lengths and lengths[0] == lengths[1]:
        return True
    return all(map(is_quantity, texts)) and parse(texts[0]) == parse(texts[1])


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if is_secret_value(text):
        return "a text that looks like a key or a password"
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} and more"
