"""The links of a model's way: each reader looks at one, and says what keeps it from holding.

In the order of the way. What a later link only repeats of an earlier one is said last: that a
service is not ready comes after the pods that are why.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

from components.crds.kserve_annotations import (
    AUTOSCALER_CLASS,
    KSERVE_VISIBILITY,
    AutoscalerClass,
)
from components.crds.leader_worker_labels import SET_NAME
from components.crds.role_based_group_labels import GROUP_NAME, ROLE_NAME
from plan import kinds
from plan.fit import matches
from plan.graph import model as graph
from plan.graph.gateways import GATEWAY_API, picker_of, pools_of, routes_to
from plan.graph.volumes import dataset_of
from plan.objects import (
    Manifest,
    Objects,
    items,
    kind_of,
    name_of,
    namespace_of,
    pairs,
    section,
    text_of,
)
from plan.pods import Pods, label_to_find, labels_to_try

from .cluster import LiveCluster
from .messages import text
from .model import UP_AGAIN, Finding, Stage
from .pods import (
    LINK,
    Log,
    Server,
    condition,
    duration,
    is_ready,
    pod_finding,
    seconds_since,
    young,
)
from .rooms import ENDED, Rooms

SETTLING_SECONDS: Final = 120
"""How long a controller is given for its first answer; a Dataset without caches takes as long."""

_APP: Final = "app.kubernetes.io"
_BY_KEDA: Final = "keda_is_there"
_NO_ROOM: Final = ("highest_sums_fit", "training_gives_way")
"""Rows of pods for which all nodes are full."""
_UNSCHEDULABLE: Final = "Unschedulable"
"""Reason of a revision whose pod has no node at this moment."""
_LABELS: Final = {
    kinds.KNATIVE_SERVICE: "serving.knative.dev/service",
    kinds.INFERENCE_SERVICE: "serving.kserve.io/inferenceservice",
    # Of the pods of its roles; those of its endpoint picker have not this one of ours.
    kinds.LLM_INFERENCE_SERVICE: "release",
    kinds.GROUPS: SET_NAME,
    kinds.ROLES: GROUP_NAME,
    kinds.JOB: "batch.kubernetes.io/job-name",
}
"""The label by which the pods of a kind name what they belong to."""
_SERVERS: Final = {
    kinds.KNATIVE_SERVICE: "user-container",
    kinds.INFERENCE_SERVICE: "kserve-container",
}
"""What the container is called to which a template gives no name."""


@dataclass(frozen=True)
class Trail:
    """A model or a job as it is planned, and the cluster that it should be in."""

    cluster: LiveCluster
    rooms: Rooms
    planned: Manifest
    """Its Knative Service, InferenceService, Job or another object that runs pods."""
    others: Objects
    """Everything that the stack plans for the cluster."""
    workload: graph.Workload
    template: Pods
    log: Log

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.workload.namespace

    @property
    def key(self) -> tuple[str, str]:
        """Group and kind of its object."""
        return kind_of(self.planned)

    @property
    def seen(self) -> bool:
        """Whether its object would have been seen."""
        return self.sees(*self.key)

    def sees(self, group: str, kind: str) -> bool:
        """Whether an object of its namespace would have been seen."""
        return self.cluster.sees(group, kind, self.namespace)

    @cached_property
    def live(self) -> Manifest | None:
        """Its object in the cluster."""
        return self.find(*self.key, name_of(self.planned))

    def find(self, group: str, kind: str, name: str) -> Manifest | None:
        """An object of its namespace."""
        return self.cluster.objects.get(group, kind, name, self.namespace)

    @cached_property
    def pods(self) -> Sequence[Manifest]:
        """Its pods, the latest revision's first."""
        label = _LABELS.get(self.key)
        if label is None:
            makers = [self.live, *self.cluster.owned(self.live, "ReplicaSet")] if self.live else []
            pods = [pod for maker in makers for pod in self.cluster.owned(maker, "Pod")]
        else:
            index = self.cluster.objects.by(_BY_LABEL[label], "", "Pod")
            pods = [*index.get(name_of(self.planned), ())]
        here = (pod for pod in pods if namespace_of(pod) == self.namespace and self._counts(pod))
        return sorted(here, key=_made, reverse=True)

    def _counts(self, manifest: Manifest) -> bool:
        """Whether a pod or a Deployment is of its role, and of a revision that counts.

        That is the latest, or one that answers: of others Knative may leave pods that wait.
        """
        revision = section(manifest, "metadata", "labels").get("serving.knative.dev/revision")
        status = section(self.live, "status")
        named = {
            text_of(status, "latestCreatedRevisionName"),
            text_of(status, "latestReadyRevisionName"),
            *(text_of(entry, "revisionName") for entry in items(status, "traffic")),
        } - {""}
        if self.key == kinds.ROLES:
            own = section(manifest, "metadata", "labels").get(ROLE_NAME)
            return bool(own == self.template.labels.get(ROLE_NAME))
        return self.key != kinds.KNATIVE_SERVICE or not named or revision in named

    @cached_property
    def server(self) -> Server:
        """Its container that answers."""
        boxes = items(self.template.spec, "containers") or [section(self.template.spec, "model")]
        name = str(boxes[0].get("name") or _SERVERS.get(self.key, ""))
        for container in boxes:
            probe = section(container, "startupProbe")
            if probe:
                waits = int(probe.get("failureThreshold", 3)) * int(probe.get("periodSeconds", 10))
                return Server(name, waits + int(probe.get("initialDelaySeconds", 0)))
        return Server(name)

    @cached_property
    def deployments(self) -> Sequence[Manifest]:
        """Deployments that run its pods, the latest first; of Knative, without those of old."""
        label = _LABELS.get(self.key)
        if label is None:
            return [self.live] if self.live else []
        index = self.cluster.objects.by(_BY_LABEL[label], "apps", "Deployment")
        deployments = index.get(name_of(self.planned), ())
        here = (
            item
            for item in deployments
            if namespace_of(item) == self.namespace and self._counts(item)
        )
        return sorted(here, key=_made, reverse=True)


def _label_index(label: str) -> Callable[[Manifest], str]:
    return lambda manifest: str(section(manifest, "metadata", "labels").get(label, ""))


_BY_LABEL: Final[Mapping[str, Callable[[Manifest], str]]] = {
    label: _label_index(label) for label in _LABELS.values()
}


def _carries(pod: Manifest, wanted: Mapping[str, Any]) -> bool:
    return bool(wanted) and wanted.items() <= section(pod, "metadata", "labels").items()


def _made(manifest: Manifest) -> str:
    return str(section(manifest, "metadata").get("creationTimestamp", ""))


def _says(entry: Mapping[str, Any]) -> str:
    """What a condition says, or else why it is so."""
    return text(entry.get("message")) or text(entry.get("reason"))


def _settling(trail: Trail, manifest: Manifest) -> Stage:
    """How far an object is that its controller has not brought to its end."""
    return Stage.COMING if young(trail.cluster, manifest, SETTLING_SECONDS) else Stage.BROKEN


def _gone(trail: Trail, link: str, group: str, kind: str, name: str, row: str = "") -> Finding:
    subject = f"{kind} {name}"
    if (group, kind) in trail.cluster.absent:
        why = f"the cluster knows no {kind} ({group}): its CRD is not installed"
        return Finding(Stage.BROKEN, link, subject, why, f"run {UP_AGAIN}, or install it", row)
    why = "is not in the cluster"
    return Finding(Stage.BROKEN, link, subject, why, f"run {UP_AGAIN}", row)


def namespace(trail: Trail) -> Iterator[Finding]:
    """Its namespace: one that is on its way out takes nothing in."""
    there = trail.cluster.objects.get("", "Namespace", trail.namespace)
    if section(there, "status").get("phase") == "Terminating":
        since = duration(
            seconds_since(trail.cluster, section(there, "metadata").get("deletionTimestamp"))
        )
        why = f"is being deleted, for {since}: nothing is made in it any more"
        remedy = f"wait until it is gone, and run {UP_AGAIN}; its conditions say what it waits for"
        yield Finding(Stage.BROKEN, "namespace", f"Namespace {trail.namespace}", why, remedy)


def deletion(trail: Trail) -> Iterator[Finding]:
    """What it is made of, and somebody has deleted: it works on until whoever uses it has gone."""
    for manifest in _parts(trail):
        about = section(manifest, "metadata")
        if "deletionTimestamp" not in about:
            continue
        since = duration(seconds_since(trail.cluster, about["deletionTimestamp"]))
        holders = ", ".join(map(str, about.get("finalizers") or ()))
        why = f"is being deleted, for {since}" + (f", and waits for {holders}" if holders else "")
        remedy = f"end the pods that use it, so that it goes, and run {UP_AGAIN}"
        subject = f"{manifest['kind']} {name_of(manifest)}"
        yield Finding(Stage.BROKEN, "deletion", subject, why, remedy)


def _parts(trail: Trail) -> Iterator[Manifest]:
    """Its claims with their volumes and caches, its policies, and its own object, if there."""
    for volume in items(trail.template.spec, "volumes"):
        name = section(volume, "persistentVolumeClaim").get("claimName")
        claim = trail.find(*kinds.CLAIM, str(name)) if name else None
        bound = text_of(section(claim, "spec"), "volumeName")
        cache = [trail.find(kinds.FLUID, kind, str(name)) for kind in ("Dataset", "JindoRuntime")]
        there = trail.cluster.objects.get("", "PersistentVolume", bound) if bound else None
        yield from filter(None, [there, *cache, claim])
    group, kind = kinds.RESOURCE_POLICY
    policies = (trail.find(group, kind, planned.name) for planned in trail.workload.policies)
    yield from filter(None, [*policies, trail.live])


def sight(trail: Trail) -> Iterator[Finding]:
    """Whether anything can be said of it at all."""
    kinds = [key[1] for key in (trail.key, ("", "Pod")) if not trail.sees(*key)]
    if kinds:
        why = f"may not be listed in namespace {trail.namespace}"
        remedy = "have the rights of `ack-inference doctor STACK --rbac`"
        yield Finding(Stage.UNSEEN, "sight", " and ".join(kinds), why, remedy)


def priority(trail: Trail) -> Iterator[Finding]:
    """The PriorityClass that its pods name."""
    name = trail.template.spec.get("priorityClassName")
    key = ("scheduling.k8s.io", "PriorityClass")
    if name and trail.cluster.sees(*key) and trail.cluster.objects.get(*key, name) is None:
        yield _gone(trail, "priority", *key, str(name), "priorities_are_known")


def imported(trail: Trail) -> Iterator[Finding]:
    """Jobs of the stack that fill the folders which it reads, before anything else does."""
    volumes = items(trail.template.spec, "volumes")
    owners = [trail.workload.name, *(f"{trail.workload.name}-{v.get('name')}" for v in volumes)]
    index = trail.others.by(_fills, *kinds.JOB)
    for owner in owners if trail.sees(*kinds.JOB) else ():
        for planned in index.get((trail.namespace, owner), ()):
            job = trail.find(*kinds.JOB, name_of(planned))
            subject = f"Job {name_of(planned)}"
            failed = condition(job or {}, "Failed")
            if job is None:
                yield _gone(trail, "import", *kinds.JOB, name_of(planned))
            elif failed.get("status") == "True":
                says = _says(failed)
                why = f"has failed, and its folder is not whole: {says}"
                remedy = (
                    f"mend what its log says (status shows it as {name_of(planned)}), then "
                    f"`pulumi up --replace '**Job::{owner}-import'`"
                )
                yield Finding(Stage.BROKEN, "import", subject, why, remedy, "an import failed")
            elif condition(job, "Complete").get("status") != "True":
                since = duration(seconds_since(trail.cluster, _made(job)))
                yield Finding(Stage.COMING, "import", subject, f"fills the folder: {since} so far")


def _fills(job: Manifest) -> tuple[str, str]:
    """Namespace, and whose folder a Job of an import fills; empty for any other."""
    labels = section(job, "metadata", "labels")
    fills = labels.get(f"{_APP}/name") == "model-import"
    return namespace_of(job), str(labels.get(f"{_APP}/instance", "")) if fills else ""


def volumes(trail: Trail) -> Iterator[Finding]:
    """Claims, and what fills them: volume, or Dataset, runtime and load."""
    for volume in items(trail.template.spec, "volumes"):
        claim = section(volume, "persistentVolumeClaim").get("claimName")
        if not isinstance(claim, str):
            continue
        if trail.others.get(*kinds.DATASET, claim, trail.namespace):
            yield from _cache(trail, claim)
        else:
            yield from _claim(trail, claim)


def _cache(trail: Trail, name: str) -> Iterator[Finding]:
    """A Dataset, what it mounts, its runtime, and the loads that fill it."""
    planned = trail.others.get(*kinds.DATASET, name, trail.namespace)
    for mount in items(section(planned, "spec"), "mounts"):
        scheme, _, rest = str(mount.get("mountPoint")).partition("://")
        if scheme == "pvc":
            yield from _claim(trail, rest.partition("/")[0])
    if not trail.sees(*kinds.DATASET):
        return
    dataset = trail.find(*kinds.DATASET, name)
    if dataset is None:
        yield _gone(trail, "cache", *kinds.DATASET, name)
        return
    phase = text_of(section(dataset, "status"), "phase")
    if phase != "Bound":
        yield _unbound(trail, dataset, phase or "NotBound")
        return
    loads = trail.others.by(dataset_of, *kinds.DATA_LOAD)
    for load in loads.get((trail.namespace, name), ()):
        yield from _load(trail, dataset, name_of(load))


def _unbound(trail: Trail, dataset: Manifest, phase: str) -> Finding:
    """Why no cache serves a Dataset: its runtime, the pods of that, or its own words."""
    name = name_of(dataset)
    subject = f"Dataset {name}"
    runtime = trail.find(*kinds.JINDO_RUNTIME, name)
    if runtime is None and trail.sees(*kinds.JINDO_RUNTIME):
        return _gone(trail, "cache", *kinds.JINDO_RUNTIME, name)
    for pod in trail.cluster.objects.by(_BY_RELEASE, "", "Pod").get(name, ()):
        if namespace_of(pod) == trail.namespace and (
            finding := pod_finding(trail.cluster, trail.rooms, pod, Server(), trail.log)
        ):
            why = f"its cache is not there ({phase}): pod {name_of(pod)} {finding.why}"
            return Finding(finding.state, "cache", subject, why, finding.remedy, finding.row)
    says = next(
        (
            text(entry.get("message"))
            for entry in items(section(dataset, "status"), "conditions")
            if entry.get("status") == "False" or entry.get("type") == "Failed"
        ),
        "",
    )
    status = section(runtime, "status")
    parts = {key: status.get(f"{key}Phase") for key in ("master", "worker", "fuse")}
    phases = ", ".join(f"{key} {value}" for key, value in parts.items() if value)
    why = f"is {phase}" + (f": {says or phases}" if says or phases else "")
    state = Stage.BROKEN if phase == "Failed" else _settling(trail, dataset)
    remedy = "look at the pods of the cache, and at Fluid's controllers in fluid-system"
    remedy = remedy if state is Stage.BROKEN else ""
    return Finding(state, "cache", subject, why, remedy, "caches_name_pools")


_BY_RELEASE: Final = _label_index("release")


def _load(trail: Trail, dataset: Manifest, name: str) -> Iterator[Finding]:
    load = trail.find(*kinds.DATA_LOAD, name)
    if load is None or not trail.sees(*kinds.DATA_LOAD):
        return
    status = section(load, "status")
    phase, subject = text_of(status, "phase"), f"DataLoad {name}"
    cached = text_of(section(dataset, "status", "cacheStates"), "cachedPercentage")
    share = f", {cached} of the files are cached" if cached else ""
    if phase == "Failed":
        says = next((text(c.get("message")) for c in items(status, "conditions")), "")
        yield Finding(
            Stage.BROKEN,
            "cache",
            subject,
            f"has failed{f': {says}' if says else ''}{share}",
            "look at its job's pods; pods read the store itself meanwhile",
            "caches_hold_their_models",
        )
    elif phase != "Complete":
        since = duration(seconds_since(trail.cluster, _made(load)))
        yield Finding(Stage.COMING, "cache", subject, f"fills the cache: {since} so far{share}")


def _claim(trail: Trail, name: str) -> Iterator[Finding]:
    """A claim, and the volume that it is bound to."""
    if not trail.sees(*kinds.CLAIM):
        return
    claim = trail.find(*kinds.CLAIM, name)
    subject = f"{kinds.CLAIM[1]} {name}"
    if claim is None:
        remedy = f"run {UP_AGAIN}" if trail.others.get(*kinds.CLAIM, name) else "create the claim"
        yield Finding(
            Stage.BROKEN, "volume", subject, "is not in the cluster", remedy, "stores_are_known"
        )
        return
    phase = text_of(section(claim, "status"), "phase")
    if phase == "Bound":
        return
    event = trail.cluster.warning(kinds.CLAIM[1], trail.namespace, name)
    says = text((event or {}).get("message"))
    volume = text_of(section(claim, "spec"), "volumeName")
    if not says and volume and trail.cluster.objects.get("", "PersistentVolume", volume) is None:
        says = f"its volume {volume} is not in the cluster"
    yield Finding(
        Stage.BROKEN,
        "volume",
        subject,
        f"is {phase or 'Pending'}{f': {says}' if says else ''}",
        f"it never binds again by itself: bring volume {volume} back, or delete the claim and run "
        f"{UP_AGAIN}; the files are where the volume had them"
        if phase == "Lost"
        else "look at the volume that it names, and at what made it",
        "stores_are_known",
    )


def policy(trail: Trail) -> Iterator[Finding]:
    """The ResourcePolicies that should select its pods."""
    group, kind = kinds.RESOURCE_POLICY
    if not trail.sees(group, kind):
        return
    for planned in trail.workload.policies:
        live = trail.find(group, kind, planned.name)
        if live is None:
            yield _gone(trail, "policy", group, kind, planned.name)
            continue
        selector = section(live, "spec", "selector")
        strays = [pod for pod in trail.pods if not _carries(pod, selector) and not ended(pod)]
        if strays:
            yield Finding(
                Stage.BROKEN,
                "policy",
                f"{kind} {planned.name}",
                f"does not select pod {name_of(strays[0])}: its selector is "
                f"{pairs(selector) or 'empty'}, so that pods take any node that will do",
                f"put back the labels, or run {UP_AGAIN}",
            )


def ended(pod: Manifest) -> bool:
    """Whether a pod is over, or about to be."""
    phase = section(pod, "status").get("phase")
    return phase in ENDED or "deletionTimestamp" in section(pod, "metadata")


def service(trail: Trail) -> Iterator[Finding]:
    """Its own object: there, and taken by its controller."""
    group, kind = trail.key
    name = name_of(trail.planned)
    if trail.live is None:
        if trail.seen and not _cleaned_up(trail):
            yield _gone(trail, "service", group, kind, name)
        return
    for condition_type in ("ConfigurationsReady", "PredictorReady", "Ready"):
        entry = condition(trail.live, condition_type)
        says = text(entry.get("message"))
        if entry.get("status") == "False" and _is_refusal(says):
            yield _refused(f"{kind} {name}", says)
            return
    yield from _stale(trail, f"{kind} {name}")


def _stale(trail: Trail, subject: str) -> Iterator[Finding]:
    """An object that says True as it did before its controller was refused what it has to make."""
    live = trail.live or {}
    ready = text_of(section(live, "status"), "latestReadyRevisionName")
    gone = (
        ready
        and trail.sees(kinds.KNATIVE, "Revision")
        and not trail.find(kinds.KNATIVE, "Revision", ready)
    )
    if not gone and is_ready(live):
        return
    event = trail.cluster.warning(trail.key[1], trail.namespace, name_of(trail.planned))
    says = text((event or {}).get("message"))
    if _is_refusal(says):
        yield _refused(subject, says)
    elif gone:
        why = f"says that it is ready, but its revision {ready} is gone"
        remedy = f"look at Knative's controller, and run {UP_AGAIN}"
        yield Finding(Stage.BROKEN, "service", subject, why, remedy)


def _cleaned_up(trail: Trail) -> bool:
    """Whether a Job may have ended and been taken away by itself."""
    return trail.key[1] == "Job" and "ttlSecondsAfterFinished" in section(trail.planned, "spec")


def _is_refusal(message: str) -> bool:
    words = ("admission webhook", "denied the request", "must not set the field", "is forbidden")
    return any(word in message for word in words)


class _Refusal(NamedTuple):
    """Who refuses an object, told by a part of what it says."""

    words: str
    who: str
    remedy: str
    link: str = "service"
    row: str = ""


_REFUSALS: Final = (
    _Refusal(
        "must not set the field",
        "Knative refuses a field",
        f"turn the feature flag on again in the ConfigMap config-features, as {UP_AGAIN} does",
    ),
    _Refusal(
        "exceeded quota",
        "the quota is used up",
        "raise the quota of the namespace, or ask for less",
        row="quotas_hold_what_always_runs",
    ),
    _Refusal(
        "no PriorityClass",
        "a priority is missing",
        f"run {UP_AGAIN}",
        "priority",
        "priorities_are_known",
    ),
    _Refusal(
        "failed calling webhook",
        "a webhook is away",
        "look at the pods behind the webhook, and at its certificate",
    ),
    _Refusal(
        "violates PodSecurity",
        "the security level of the namespace refuses its pods",
        "lower pod-security.kubernetes.io/enforce of the namespace, or let the pods be as it wants",
    ),
    _Refusal(
        " per Container is ",
        "a LimitRange of the namespace refuses its pods",
        "widen the LimitRange, or ask for what it allows",
    ),
    _Refusal(
        " per Pod is ",
        "a LimitRange of the namespace refuses its pods",
        "widen the LimitRange, or ask for what it allows",
    ),
    _Refusal(
        "error looking up service account",
        "a service account is missing",
        f"make it again, or run {UP_AGAIN} where the stack makes it",
    ),
    _Refusal(
        "ValidatingAdmissionPolicy",
        "a policy of the cluster refuses it",
        "do as the policy says, or have its owner leave the namespace out",
    ),
    _Refusal(
        "denied the request",
        "a webhook refuses it",
        "do as the webhook says, or have its owner leave the namespace out",
    ),
    _Refusal(
        "because it is being terminated",
        "its namespace is being deleted",
        f"wait until the namespace is gone, and run {UP_AGAIN}",
        "namespace",
    ),
    _Refusal("", "admission refuses it", "mend what the refusal names"),
)
"""In this order; the last one takes all."""


def _refused(subject: str, says: str) -> Finding:
    refusal = next(refusal for refusal in _REFUSALS if refusal.words in says)
    why = f"is held up: {refusal.who}: {says}"
    return Finding(Stage.BROKEN, refusal.link, subject, why, refusal.remedy, refusal.row)


def creation(trail: Trail) -> Iterator[Finding]:
    """Pods that cannot even be made: quota, a webhook, a class that is missing."""
    for deployment in trail.deployments:
        entry = condition(deployment, "ReplicaFailure")
        if entry.get("status") == "True":
            yield _refused(f"Deployment {name_of(deployment)}", text(entry.get("message")))
            return
    if trail.key[1] == "Job" and not trail.pods:
        event = trail.cluster.warning(
            "Job", trail.namespace, name_of(trail.planned), "FailedCreate"
        )
        if event:
            yield _refused(f"Job {name_of(trail.planned)}", text(event.get("message")))


def replicas(trail: Trail) -> Iterator[Finding]:
    """Deployments and groups that somebody has set to none, though the stack wants some always.

    Knative does so by itself, where nobody asks.
    """
    scale = trail.workload.scale
    least = scale.least if isinstance(scale, graph.ReplicaRange) else None
    if trail.key == kinds.KNATIVE_SERVICE or not isinstance(least, Decimal) or least < 1:
        return
    groups = [trail.live] if trail.live and trail.key == kinds.GROUPS else []
    for manifest in [*trail.deployments, *groups]:
        if section(manifest, "spec").get("replicas") == 0:
            kind, name = str(manifest["kind"]), name_of(manifest)
            why = f"is set to 0, which no autoscaler undoes: the stack wants {least} at the least"
            remedy = f"kubectl scale {kind.lower()} -n {trail.namespace} {name} --replicas {least}"
            yield Finding(Stage.BROKEN, "service", f"{kind} {name}", why, remedy)


def pods(trail: Trail) -> Iterator[Finding]:
    """Its pods, each with what keeps it from being ready; a job's until it has completed."""
    if trail.live is not None and condition(trail.live, "Complete").get("status") == "True":
        return
    job = trail.key == kinds.JOB
    for pod in _telling(trail.pods):
        finding = pod_finding(trail.cluster, trail.rooms, pod, trail.server, trail.log)
        full = finding and finding.row in _NO_ROOM and not pod["spec"].get("nodeName")
        if finding and job and full and (event := _preemption(trail)):
            why = f"gave way ({text(event.get('message'))}), and starts again when a card is free"
            finding = Finding(Stage.COMING, LINK, finding.subject, why, "", "training_gives_way")
        if finding:
            yield finding
    if job and trail.live is not None and section(trail.live, "spec").get("suspend") is True:
        remedy = "resume it: spec.suspend false"
        yield Finding(Stage.COMING, LINK, f"Job {name_of(trail.planned)}", "is suspended", remedy)


def _telling(pods: Sequence[Manifest]) -> Sequence[Manifest]:
    """Pods that are there; of those that have failed the last, where no other has come since."""
    there = [pod for pod in pods if section(pod, "status").get("phase") not in ENDED]
    return there or pods[:1]


def _preemption(trail: Trail) -> Manifest | None:
    """The latest event of a pod of a job that gave way; the pod itself is gone by then."""
    names = re.compile(rf"{re.escape(name_of(trail.planned))}-(?:\d+-)?[a-z0-9]{{5}}")
    events = trail.cluster.objects.by(_reason, "", "Event").get("Preempted", ())
    return next(
        (
            event
            for event in events
            if namespace_of(event) == trail.namespace
            and names.fullmatch(str(section(event, "involvedObject").get("name")))
        ),
        None,
    )


def _reason(event: Manifest) -> str:
    return str(event.get("reason"))


def revision(trail: Trail) -> Iterator[Finding]:
    """What Knative says of the latest revision where an older one answers, and of deadlines."""
    status = section(trail.live, "status")
    latest, ready = (
        text_of(status, "latestCreatedRevisionName"),
        text_of(status, "latestReadyRevisionName"),
    )
    if latest and latest != ready:
        manifest = trail.find(kinds.KNATIVE, "Revision", latest)
        entry = condition(manifest or {}, "Ready")
        says = _says(entry)
        still = f"; {ready} still answers" if ready else ""
        if entry.get("reason") == _UNSCHEDULABLE and trail.pods:
            # Its pods say whether that is for good.
            why = f"has no node for a pod yet{still}"
            yield Finding(Stage.COMING, "revision", f"Revision {latest}", why)
        elif entry.get("status") == "False":
            yield Finding(
                Stage.BROKEN,
                "revision",
                f"Revision {latest}",
                f"is not ready: {says}{still}",
                "name an image that Knative's controller can look up, with its pull secret"
                if "fetch image" in says
                else "mend what its pods say, and run `pulumi up`",
                "registries_are_in_reach"
                if "fetch image" in says
                else "starts_take_their_time"
                if "ProgressDeadline" in str(entry)
                else "",
            )
        elif ready:
            yield Finding(
                Stage.COMING,
                "revision",
                f"Revision {latest}",
                f"comes up; {ready} still answers",
            )
    for deployment in trail.deployments:
        entry = condition(deployment, "Progressing")
        if entry.get("reason") == "ProgressDeadlineExceeded" and not is_available(deployment):
            yield _late(trail, deployment, entry)


def is_available(deployment: Manifest) -> bool:
    """Whether a Deployment has the pods that it wants."""
    return condition(deployment, "Available").get("status") == "True"


def _late(trail: Trail, deployment: Manifest, entry: Mapping[str, Any]) -> Finding:
    """A deadline that passed; KServe's is shorter than a long start, and means nothing then."""
    since = seconds_since(trail.cluster, _made(deployment))
    if trail.key[0] == kinds.KSERVE and since < trail.server.startup_seconds:
        why = (
            f"KServe's own deadline has passed, and the model has until "
            f"{duration(trail.server.startup_seconds)}: {duration(since)} so far"
        )
        return Finding(Stage.COMING, "revision", f"Deployment {name_of(deployment)}", why)
    return Finding(
        Stage.BROKEN,
        "revision",
        f"Deployment {name_of(deployment)}",
        f"has passed its progress deadline: {text(entry.get('message'))}",
        "mend what its pods say; or a longer startup_seconds, or a cache",
        "starts_take_their_time",
    )


def autoscaler(trail: Trail) -> Iterator[Finding]:
    """Its HPA or ScaledObject: does it read its metric."""
    wanted = section(trail.planned, "metadata", "annotations").get(AUTOSCALER_CLASS)
    if wanted == AutoscalerClass.KEDA and kinds.SCALED_OBJECT in trail.cluster.absent:
        name = name_of(trail.planned)
        yield _gone(trail, "autoscaler", *kinds.SCALED_OBJECT, name, _BY_KEDA)
    for scaled in _scaled(trail, *kinds.SCALED_OBJECT):
        entry = condition(scaled, "Ready")
        if entry.get("status") == "False":
            yield Finding(
                Stage.BROKEN,
                "autoscaler",
                f"ScaledObject {name_of(scaled)}",
                f"is not ready: {text(entry.get('message'))}",
                "look at KEDA's operator, and at the address of Prometheus",
                _BY_KEDA,
            )
    for scaler in _scaled(trail, *kinds.HPA):
        entry = condition(scaler, "ScalingActive")
        idle = entry.get("reason") == "ScalingDisabled"
        if not sees_its_metric(scaler) and not idle:
            says = text(entry.get("message"))
            remedy, row = _metric_remedy(says)
            yield Finding(
                Stage.BROKEN,
                "autoscaler",
                f"{kinds.HPA[1]} {name_of(scaler)}",
                f"cannot read its metric: {says}",
                remedy,
                row,
            )
    yield from _without_scaler(trail)


def _metric_remedy(says: str) -> tuple[str, str]:
    """What to do where an HPA cannot read a metric, and the row that explains it.

    Messages of the HPA controller of Kubernetes 1.34, `pkg/controller/podautoscaler`.
    """
    if "missing request for" in says:
        return (
            "have whoever puts that container into the pod give it a request, or scale on what "
            "needs none",
            "",
        )
    if "external metric" in says:
        why = "look at KEDA's operator, and whether Prometheus scrapes the pods"
        return why, "signals_are_collected"
    if "resource metrics API" in says:
        return (
            "look at metrics-server in kube-system and its APIService: CPU and memory come of it",
            "",
        )
    if "metrics API" in says and "registered" in says:
        why = (
            "look at the metrics adapter's pods and its APIService; where there is none, give "
            "gpu_metrics"
        )
        return why, "metrics_have_an_adapter"
    why = "look at the metrics adapter, and whether Prometheus scrapes the pods"
    return why, "metrics_have_a_source"


def sees_its_metric(scaler: Manifest) -> bool:
    """Whether an HPA knows its metric; without it, what it wants says nothing."""
    return condition(scaler, "ScalingActive").get("status") != "False"


def autoscalers(trail: Trail) -> Iterator[Manifest]:
    """What scales it now: an HPA, or Knative's own autoscaler of the revision that answers."""
    yield from _scaled(trail, *kinds.HPA)
    ready = text_of(section(trail.live, "status"), "latestReadyRevisionName")
    scaler = trail.find("autoscaling.internal.knative.dev", "PodAutoscaler", ready)
    if scaler is not None:
        yield scaler


def _scaled(trail: Trail, group: str, kind: str) -> Iterator[Manifest]:
    """Autoscalers in the cluster of its object, or of a Deployment of it."""
    index = trail.cluster.objects.by(_target, group, kind)
    for name in dict.fromkeys([name_of(trail.planned), *map(name_of, trail.deployments)]):
        yield from index.get((trail.namespace, name), ())


def _target(scaler: Manifest) -> tuple[str, str]:
    return namespace_of(scaler), str(section(scaler, "spec", "scaleTargetRef").get("name"))


def _without_scaler(trail: Trail) -> Iterator[Finding]:
    """An autoscaler of the stack that is not there."""
    name = name_of(trail.planned)
    for group, kind, row in ((*kinds.HPA, ""), (*kinds.SCALED_OBJECT, _BY_KEDA)):
        index = trail.others.by(_target, group, kind)
        for target in (name, f"{name}-predictor") if trail.sees(group, kind) else ():
            for planned in index.get((trail.namespace, target), ()):
                if trail.find(group, kind, name_of(planned)) is None:
                    yield _gone(trail, "autoscaler", group, kind, name_of(planned), row)


def door(trail: Trail) -> Iterator[Finding]:
    """The way in: the address of its Ingress, and its certificate."""
    name = name_of(trail.planned)
    own = trail.others.get("networking.k8s.io", "Ingress", name, trail.namespace)
    is_hidden = own is None and KSERVE_VISIBILITY in section(trail.planned, "metadata", "labels")
    for ingress in trail.cluster.objects.by(_in_front_of, "networking.k8s.io", "Ingress").get(
        (trail.namespace, name), ()
    ):
        if is_hidden and section(ingress, "metadata").get("ownerReferences"):
            yield Finding(
                Stage.BROKEN,
                "door",
                f"Ingress {name_of(ingress)}",
                "is one that KServe made before, and leads past the keys and limits of the gateway",
                "delete it: KServe takes none away of a model that is cluster-local",
            )
        elif not items(section(ingress, "status", "loadBalancer"), "ingress"):
            yield Finding(
                _settling(trail, ingress),
                "door",
                f"Ingress {name_of(ingress)}",
                "has no address: no controller has taken it, class "
                f"{section(ingress, 'spec').get('ingressClassName') or 'none'}",
                "install a controller for this class, and look at its Service",
                "ingresses_have_a_controller",
            )
    for certificate in _certificates(trail):
        entry = condition(certificate, "Ready")
        if entry.get("status") != "True":
            issues = condition(certificate, "Issuing").get("status") == "True"
            failures = section(certificate, "status").get("failedIssuanceAttempts")
            state = Stage.COMING
            if entry.get("status") == "False":
                state = _settling(trail, certificate) if issues and not failures else Stage.BROKEN
            yield Finding(
                state,
                "door",
                f"Certificate {name_of(certificate)}",
                f"is not ready: {text(entry.get('message')) or 'nothing is said yet'}",
                "look at its CertificateRequest and its Issuer",
            )


def gateway(trail: Trail) -> Iterator[Finding]:
    """The way by a gateway: it answers, its route leads, its pool has a picker that works."""
    for pool in pools_of(trail.others, trail.template):
        yield from _pool(trail, pool)
        picker = trail.others.get("apps", "Deployment", picker_of(pool), trail.namespace)
        if picker is not None:
            yield from _picker(trail, picker)
        name = f"{name_of(pool)}-picked"
        behind = trail.others.get(GATEWAY_API, "HTTPRoute", name, trail.namespace)
        routes = [*routes_to(trail.others, pool), *([behind] if behind else [])]
        parents = [parent for route in routes for parent in items(route["spec"], "parentRefs")]
        spaces = {
            str(parent.get("name")): str(parent.get("namespace") or trail.namespace)
            for parent in parents
        }
        for name, space in spaces.items():
            yield from _gateway(trail, name, space)
        for route in routes:
            yield from _route(trail, name_of(route))


def _gateway(trail: Trail, name: str, space: str) -> Iterator[Finding]:
    if not trail.cluster.sees(GATEWAY_API, "Gateway", space):
        return
    live = trail.cluster.objects.get(GATEWAY_API, "Gateway", name, space)
    if live is None:
        yield _gone(trail, "gateway", GATEWAY_API, "Gateway", name)
    elif condition(live, "Programmed").get("status") != "True":
        refused = condition(live, "Accepted").get("status") == "False"
        says = text(condition(live, "Accepted" if refused else "Programmed").get("message"))
        why = says or "no controller of its GatewayClass has taken it"
        remedy = "look at its GatewayClass, at the controller's pods, and at its load balancer"
        yield _unsettled(trail, live, f"does not answer: {why}", remedy)


def _route(trail: Trail, name: str) -> Iterator[Finding]:
    if not trail.sees(GATEWAY_API, "HTTPRoute"):
        return
    live = trail.find(GATEWAY_API, "HTTPRoute", name)
    if live is None:
        yield _gone(trail, "gateway", GATEWAY_API, "HTTPRoute", name)
        return
    parents = items(section(live, "status"), "parents")
    if not parents:
        why = "no gateway has taken it"
        yield _unsettled(trail, live, why, "look at the listeners of its Gateway")
    for parent in parents:
        yield from _conditions(trail, live, parent, "do as the message says")


def _pool(trail: Trail, pool: Manifest) -> Iterator[Finding]:
    group, _ = kind_of(pool)
    if not trail.sees(group, "InferencePool"):
        return
    live = trail.find(group, "InferencePool", name_of(pool))
    if live is None:
        yield _gone(trail, "gateway", group, "InferencePool", name_of(pool))
        return
    parents = items(section(live, "status"), "parents")
    controllers = {text_of(parent, "controllerName") for parent in parents} - {""}
    if len(controllers) > 1:
        why = f"has two controllers: {' and '.join(sorted(controllers))}"
        remedy = "have one of them manage it: each brings a picker of its own"
        yield Finding(Stage.BROKEN, "gateway", f"InferencePool {name_of(live)}", why, remedy)
    for parent in parents:
        yield from _conditions(trail, live, parent, "look at the Service of its picker")


def _conditions(
    trail: Trail, live: Manifest, parent: Mapping[str, Any], remedy: str
) -> Iterator[Finding]:
    """What a Gateway says of what refers to it, where it does not take it."""
    for entry in items(parent, "conditions"):
        if entry.get("type") in ("Accepted", "ResolvedRefs") and entry.get("status") == "False":
            of = section(parent, "parentRef").get("name")
            says = _says(entry)
            yield _unsettled(trail, live, f"is not taken by Gateway {of}: {says}", remedy)


def _picker(trail: Trail, planned: Manifest) -> Iterator[Finding]:
    name = name_of(planned)
    if not trail.sees("apps", "Deployment"):
        return
    live = trail.find("apps", "Deployment", name)
    if live is None:
        yield _gone(trail, "gateway", "apps", "Deployment", name)
    elif not is_available(live):
        why = "has no pod that works: no request passes the gateway"
        remedy = f"kubectl --namespace {trail.namespace} describe deployment {name}"
        yield _unsettled(trail, live, why, f"look at its pods: `{remedy}`")


def _unsettled(trail: Trail, live: Manifest, why: str, remedy: str) -> Finding:
    subject = f"{live['kind']} {name_of(live)}"
    return Finding(_settling(trail, live), "gateway", subject, why, remedy)


def walls(trail: Trail) -> Iterator[Finding]:
    """NetworkPolicies by which nobody reaches its pods, though these are ready.

    Whom a policy lets in is not worked out: one rule of any of them, and nothing is said.
    """
    pods = [pod for pod in trail.pods if not ended(pod)]
    if trail.key[1] == "Job" or not pods:
        return
    labels = section(pods[0], "metadata", "labels")
    index = trail.cluster.objects.by(_walled, "networking.k8s.io", "NetworkPolicy")
    likely = [p for key in labels_to_try(labels) for p in index.get((trail.namespace, key), ())]
    policies = [
        policy
        for policy in likely
        if matches(section(policy, "spec", "podSelector"), labels)
        and "Ingress" in (section(policy, "spec").get("policyTypes") or ["Ingress"])
    ]
    if policies and not any(items(section(policy, "spec"), "ingress") for policy in policies):
        names = ", ".join(map(name_of, policies))
        remedy = "take it away, or let in whoever asks and scales: `kubectl describe networkpolicy`"
        yield Finding(
            Stage.BROKEN, "door", f"NetworkPolicy {names}", "lets nobody reach its pods", remedy
        )


def _walled(policy: Manifest) -> tuple[str, str]:
    selector = section(policy, "spec", "podSelector", "matchLabels")
    return namespace_of(policy), label_to_find(selector)


def _certificates(trail: Trail) -> Sequence[Manifest]:
    """Certificates of its hosts, each once."""
    by_host = trail.cluster.certificates
    certificates = [entry for host in sorted(_hosts(trail)) for entry in by_host.get(host, ())]
    return [*{namespace_of(c) + "/" + name_of(c): c for c in certificates}.values()]


def _in_front_of(ingress: Manifest) -> tuple[str, str]:
    for owner in section(ingress, "metadata").get("ownerReferences") or ():
        return namespace_of(ingress), str(owner.get("name"))
    return namespace_of(ingress), name_of(ingress)


def _hosts(trail: Trail) -> set[str]:
    """Hosts at which a model answers, as its object says, or its Ingress does."""
    url = text_of(section(trail.live, "status"), "url")
    hosts = {url.partition("://")[2].partition("/")[0].partition(":")[0]}
    ingresses = trail.cluster.objects.by(_in_front_of, "networking.k8s.io", "Ingress")
    for ingress in ingresses.get((trail.namespace, name_of(trail.planned)), ()):
        hosts |= {str(rule.get("host")) for rule in items(section(ingress, "spec"), "rules")}
    return hosts - {"", "None"}


def outcome(trail: Trail) -> Iterator[Finding]:
    """What its object says in the end; said only where no link before it explains it."""
    if trail.live is None:
        return
    subject = f"{trail.key[1]} {name_of(trail.planned)}"
    if trail.key == kinds.JOB:
        entry = condition(trail.live, "Failed")
        if entry.get("status") == "True":
            why = f"has failed: {text(entry.get('message')) or entry.get('reason')}"
            remedy = f"read the log of its last pod, delete the Job, and run {UP_AGAIN}"
            yield Finding(Stage.BROKEN, "outcome", subject, why, remedy)
        return
    if trail.key not in _LABELS or trail.key == kinds.GROUPS:
        if not is_available(trail.live) and items(section(trail.live, "status"), "conditions"):
            entry = condition(trail.live, "Available")
            yield Finding(Stage.COMING, "outcome", subject, text(entry.get("message")))
        return
    status = section(trail.live, "status")
    generation = section(trail.live, "metadata").get("generation", 0)
    if (
        not items(status, "conditions")
        or status.get("observedGeneration", generation) != generation
    ):
        state = _settling(trail, trail.live)
        why = "its controller has not looked at it yet"
        remedy = "look at the controller's pods" if state is Stage.BROKEN else ""
        yield Finding(state, "outcome", subject, why, remedy)
        return
    entry = condition(trail.live, "Ready")
    if entry.get("status") == "False":
        says = _says(entry)
        event = trail.cluster.warning(trail.key[1], trail.namespace, name_of(trail.planned))
        last = text((event or {}).get("message"))
        also = f"; its controller says {last}" if last and last not in says else ""
        remedy = f"do as the message says; what somebody changed by hand, {UP_AGAIN} puts back"
        yield Finding(Stage.BROKEN, "outcome", subject, f"is not ready: {says}{also}", remedy)
    elif entry.get("status") == "Unknown":
        says = _says(entry) or "nothing is said yet"
        yield Finding(Stage.COMING, "outcome", subject, f"comes up: {says}")


def note(trail: Trail) -> str:
    """What is worth a word of one that is well: a job that is over, an older revision."""
    if condition(trail.live or {}, "Complete").get("status") == "True":
        return "completed"
    status = section(trail.live, "status")
    ready = text_of(status, "latestReadyRevisionName")
    latest = text_of(status, "latestCreatedRevisionName")
    return f"{ready} still answers" if ready and ready != latest else ""


LINKS: Final[Sequence[Callable[[Trail], Iterator[Finding]]]] = (
    sight,
    namespace,
    deletion,
    priority,
    imported,
    volumes,
    policy,
    service,
    creation,
    replicas,
    pods,
    revision,
    autoscaler,
    door,
    gateway,
    walls,
)
"""Every link, in the order of the way; `outcome` is asked where none of them is broken."""
