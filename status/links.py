"""The links of a model's way: each reader looks at one, and says what keeps it from holding.

In the order of the way. What a later link only repeats of an earlier one is said last: that a
service is not ready comes after the pods that are why.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from components.crds.leader_worker_labels import REVISION, SET_NAME, WORKER_INDEX
from components.crds.llm_inference_service_labels import workload_name
from plan import kinds
from plan.graph import model as graph
from plan.objects import Manifest, items, name_of, namespace_of, pairs, section, text_of

from . import kueue
from .doors import door, gateway, walls
from .files import imported, volumes
from .messages import text
from .model import UP_AGAIN, Finding, Stage
from .pods import LINK, condition, duration, is_ready, pod_finding, seconds_since
from .refusals import is_refusal, refused
from .rooms import ENDED
from .scalers import autoscaler
from .trail import LABELS, Trail, carries, created, ended, gone, is_available, settling, words_of

_NO_ROOM: Final = ("highest_sums_fit", "training_gives_way")
"""Rows of pods for which all nodes are full."""
_UNSCHEDULABLE: Final = "Unschedulable"
"""Reason of a revision whose pod has no node at this moment."""
_BACK_OFF: Final = (
    "has no pod: its controller waits before it makes new ones, the longer the more have given "
    "way or failed, and 10 min at most"
)
"""Pods that a failure policy ignores count for that too. findings/job-counts-each-preemption.sh"""


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
        yield gone(trail, "priority", *key, str(name), "priorities_are_known")


def policy(trail: Trail) -> Iterator[Finding]:
    """The ResourcePolicies that should select its pods."""
    group, kind = kinds.RESOURCE_POLICY
    if not trail.sees(group, kind):
        return
    for planned in trail.workload.policies:
        live = trail.find(group, kind, planned.name)
        if live is None:
            yield gone(trail, "policy", group, kind, planned.name)
            continue
        selector = section(live, "spec", "selector")
        strays = [pod for pod in trail.pods if not carries(pod, selector) and not ended(pod)]
        if strays:
            yield Finding(
                Stage.BROKEN,
                "policy",
                f"{kind} {planned.name}",
                f"does not select pod {name_of(strays[0])}: its selector is "
                f"{pairs(selector) or 'empty'}, so that pods take any node that will do",
                f"put back the labels, or run {UP_AGAIN}",
            )


def service(trail: Trail) -> Iterator[Finding]:
    """Its own object: there, and taken by its controller."""
    group, kind = trail.key
    name = name_of(trail.planned)
    if trail.live is None:
        if trail.seen and not _cleaned_up(trail):
            yield gone(trail, "service", group, kind, name)
        return
    for condition_type in ("ConfigurationsReady", "PredictorReady", "Ready"):
        entry = condition(trail.live, condition_type)
        says = text(entry.get("message"))
        if entry.get("status") == "False" and is_refusal(says):
            yield refused(f"{kind} {name}", says)
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
    if is_refusal(says):
        yield refused(subject, says)
    elif gone:
        why = f"says that it is ready, but its revision {ready} is gone"
        remedy = f"look at Knative's controller, and run {UP_AGAIN}"
        yield Finding(Stage.BROKEN, "service", subject, why, remedy)


def _cleaned_up(trail: Trail) -> bool:
    """Whether a Job may have ended and been taken away by itself."""
    return trail.key[1] == "Job" and "ttlSecondsAfterFinished" in section(trail.planned, "spec")


def creation(trail: Trail) -> Iterator[Finding]:
    """Pods that cannot even be made: quota, a webhook, a class that is missing."""
    for deployment in trail.deployments:
        entry = condition(deployment, "ReplicaFailure")
        if entry.get("status") == "True":
            yield refused(f"Deployment {name_of(deployment)}", text(entry.get("message")))
            return
    if trail.key[1] == "Job" and not trail.pods:
        event = trail.cluster.warning(
            "Job", trail.namespace, name_of(trail.planned), "FailedCreate"
        )
        subject = f"Job {name_of(trail.planned)}"
        if event:
            yield refused(subject, text(event.get("message")))
        elif trail.live is not None and _runs(trail.live) and trail.sees("", "Pod"):
            yield Finding(Stage.COMING, LINK, subject, _BACK_OFF)


def _runs(job: Manifest) -> bool:
    """Whether a Job has neither ended nor been suspended."""
    ends = (condition(job, kind).get("status") for kind in ("Complete", "Failed"))
    return "True" not in ends and section(job, "spec").get("suspend") is not True


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
        yield _suspended(trail.live)


def _suspended(job: Manifest) -> Finding:
    """A Job that makes no pods: Kueue's, which suspends it again, or somebody's."""
    subject = f"Job {name_of(job)}"
    if kueue.queue_name(job):
        why = f"is suspended until {kueue.queue_of(job)} admits it"
        workloads = f"kubectl describe workloads.kueue.x-k8s.io -n {namespace_of(job)}"
        remedy = f"wait, or look at what its Workload says ({workloads}): resumed by hand, it is "
        remedy += "suspended again"
        return Finding(Stage.COMING, LINK, subject, why, remedy, kueue.GATE)
    return Finding(Stage.COMING, LINK, subject, "is suspended", "resume it: spec.suspend false")


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
        says = words_of(entry)
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
    yield from _held_update(trail)


def _late(trail: Trail, deployment: Manifest, entry: Mapping[str, Any]) -> Finding:
    """A deadline that passed; KServe's is shorter than a long start, and means nothing then."""
    since = seconds_since(trail.cluster, created(deployment))
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


def _held_update(trail: Trail) -> Iterator[Finding]:
    """An update of groups that makes none anew, for old ones that are not ready.

    It goes from the last group to the first, and counts those below against what may be missing.
    findings/lws-update-waits-for-what-it-would-mend.sh
    """
    for live in _sets_of_groups(trail):
        yield from _held_groups(trail, live)


def _sets_of_groups(trail: Trail) -> Iterator[Manifest]:
    """The LeaderWorkerSets of a model: itself, or what KServe makes where a replica is several."""
    if trail.key == kinds.GROUPS and trail.live is not None:
        yield trail.live
    elif trail.key == kinds.LLM_INFERENCE_SERVICE:
        for prefill in (False, True):
            name = workload_name(name_of(trail.planned), prefill=prefill, groups=True)
            if groups := trail.find(*kinds.GROUPS, name):
                yield groups


def _held_groups(trail: Trail, live: Manifest) -> Iterator[Finding]:
    progress = condition(live, "UpdateInProgress")
    if progress.get("status") != "True":
        return
    name = name_of(live)
    leaders = trail.find("apps", "StatefulSet", name) or {}
    latest = section(leaders, "spec", "template", "metadata", "labels").get(REVISION)
    leading = {WORKER_INDEX: "0", SET_NAME: name}
    groups = sorted(
        (pod for pod in trail.pods if carries(pod, leading)), key=_ordinal, reverse=True
    )
    old = [pod for pod in groups if not carries(pod, {REVISION: latest})]
    waits = [pod for pod in groups if pod not in old and not is_ready(pod)]
    if not latest or not old or waits or not is_ready(old[0]):
        return  # It goes on: what it waits for is new, or the next group to be made anew.
    bounds = section(live, "spec", "rolloutStrategy", "rollingUpdateConfiguration")
    spare = [bounds.get("maxSurge", 0), bounds.get("maxUnavailable", 1)]
    if not all(isinstance(bound, int) for bound in spare):
        return
    held = [pod for pod in old if not is_ready(pod)]
    if held and len(held) >= sum(spare):
        since = seconds_since(trail.cluster, progress.get("lastTransitionTime"))
        late = since >= trail.server.startup_seconds
        patch = '{"spec":{"rolloutStrategy":{"rollingUpdateConfiguration":{"maxUnavailable":'
        patch += f"{len(held) + 1}}}}}}}}}"
        yield Finding(
            Stage.BROKEN if late else Stage.COMING,
            "revision",
            f"LeaderWorkerSet {name}",
            f"updates no group for {duration(since)}, since {name_of(held[0])} of the old version "
            "is not ready",
            _way_on(trail, name, patch) if late else "",
        )


def _way_on(trail: Trail, name: str, patch: str) -> str:
    """What gets an update going: KServe would put back a bound of a set that it made."""
    if trail.key == kinds.GROUPS:
        return (
            f"`kubectl patch leaderworkerset {name} -n {trail.namespace} --type merge -p '{patch}'`"
        )
    return (
        f"`kubectl delete leaderworkerset {name} -n {trail.namespace}`, which ends the groups that "
        "still serve: KServe makes it anew"
    )


def _ordinal(pod: Manifest) -> int:
    """The number at the end of a pod's name."""
    number = name_of(pod).rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


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
    if trail.key not in LABELS or trail.key == kinds.GROUPS:
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
        state = settling(trail, trail.live)
        why = "its controller has not looked at it yet"
        remedy = "look at the controller's pods" if state is Stage.BROKEN else ""
        yield Finding(state, "outcome", subject, why, remedy)
        return
    entry = condition(trail.live, "Ready")
    if entry.get("status") == "False":
        says = words_of(entry)
        event = trail.cluster.warning(trail.key[1], trail.namespace, name_of(trail.planned))
        last = text((event or {}).get("message"))
        also = f"; its controller says {last}" if last and last not in says else ""
        remedy = f"do as the message says; what somebody changed by hand, {UP_AGAIN} puts back"
        yield Finding(Stage.BROKEN, "outcome", subject, f"is not ready: {says}{also}", remedy)
    elif entry.get("status") == "Unknown":
        says = words_of(entry) or "nothing is said yet"
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
