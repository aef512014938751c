"""The links of a model's way to its files: imports, claims, and caches before them."""

from collections.abc import Iterator, Mapping
from typing import Final

from plan import kinds
from plan.graph.volumes import dataset_of
from plan.objects import Manifest, items, name_of, namespace_of, section, text_of

from .messages import text
from .model import UP_AGAIN, Finding, Stage
from .pods import Server, condition, duration, pod_finding, seconds_since
from .trail import Trail, created, gone, label_index, settling, words_of

_APP: Final = "app.kubernetes.io"


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
                yield gone(trail, "import", *kinds.JOB, name_of(planned))
            elif failed.get("status") == "True":
                says = words_of(failed)
                why = f"has failed, and its folder is not whole: {says}"
                remedy = (
                    f"mend what its log says (status shows it as {name_of(planned)}), then "
                    f"`pulumi up --replace '**Job::{owner}-import'`"
                )
                yield Finding(Stage.BROKEN, "import", subject, why, remedy, "an import failed")
            elif condition(job, "Complete").get("status") != "True":
                since = duration(seconds_since(trail.cluster, created(job)))
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
        yield gone(trail, "cache", *kinds.DATASET, name)
        return
    phase = text_of(section(dataset, "status"), "phase")
    if phase != "Bound":
        yield _unbound(trail, dataset, phase or "NotBound")
        return
    yield from _short_of_pods(trail, name)
    loads = trail.others.by(dataset_of, *kinds.DATA_LOAD)
    for load in loads.get((trail.namespace, name), ()):
        yield from _load(trail, dataset, name_of(load))


def _unbound(trail: Trail, dataset: Manifest, phase: str) -> Finding:
    """Why no cache serves a Dataset: its runtime, the pods of that, or its own words."""
    name = name_of(dataset)
    subject = f"Dataset {name}"
    runtime = trail.find(*kinds.JINDO_RUNTIME, name)
    if runtime is None and trail.sees(*kinds.JINDO_RUNTIME):
        return gone(trail, "cache", *kinds.JINDO_RUNTIME, name)
    for pod, finding in _pods(trail, name):
        why = f"its cache is not there ({phase}): pod {pod} {finding.why}"
        return Finding(finding.state, "cache", subject, why, finding.remedy, finding.row)
    says = next(
        (
            text(entry.get("message"))
            for entry in items(section(dataset, "status"), "conditions")
            if entry.get("status") == "False" or entry.get("type") == "Failed"
        ),
        "",
    )
    phases = ", ".join(f"{part} {phase}" for part, phase in _phases(runtime).items())
    why = f"is {phase}" + (f": {says or phases}" if says or phases else "")
    state = Stage.BROKEN if phase == "Failed" else settling(trail, dataset)
    remedy = "look at the pods of the cache, and at Fluid's controllers in fluid-system"
    remedy = remedy if state is Stage.BROKEN else ""
    return Finding(state, "cache", subject, why, remedy, "caches_name_pools")


def _short_of_pods(trail: Trail, name: str) -> Iterator[Finding]:
    """A cache that is Bound, whose master or some of whose workers are not ready.

    Fluid leaves the Dataset Bound then, and its condition Ready:
    findings/fluid-stays-bound-without-workers.sh.
    """
    phases = _phases(trail.find(*kinds.JINDO_RUNTIME, name))
    short = [f"{part} {phases[part]}" for part in _SERVES if phases.get(part) in _SHORT]
    if not short:
        return
    why = f"is not whole, though its Dataset is Bound: {', '.join(short)}"
    pod, finding = next(_pods(trail, name), ("", None))
    if finding is not None:
        why, row = f"{why}; pod {pod} {finding.why}", finding.row or "caches_name_pools"
        yield Finding(finding.state, "cache", f"JindoRuntime {name}", why, finding.remedy, row)
        return
    remedy = f"look at the StatefulSets {name}-jindofs-master and {name}-jindofs-worker: they make "
    remedy += "no pods, or fewer"
    yield Finding(Stage.BROKEN, "cache", f"JindoRuntime {name}", why, remedy, "caches_name_pools")


_SERVES: Final = ("master", "worker")
"""Parts of a cache without which readers wait, or read the store; a fuse comes with its reader."""
_SHORT: Final = frozenset({"NotReady", "PartialReady"})
"""Phases of master and workers of which some or all are not ready (api/v1alpha1, Fluid 1.0.8)."""


def _phases(runtime: Manifest | None) -> Mapping[str, str]:
    """What a JindoRuntime says of its parts, as far as it says it."""
    status = section(runtime, "status")
    phases = {part: text_of(status, f"{part}Phase") for part in (*_SERVES, "fuse")}
    return {part: phase for part, phase in phases.items() if phase}


def _pods(trail: Trail, name: str) -> Iterator[tuple[str, Finding]]:
    """Pods of a cache that do not run, and why."""
    for pod in trail.cluster.objects.by(_BY_RELEASE, "", "Pod").get(name, ()):
        if namespace_of(pod) == trail.namespace and (
            finding := pod_finding(trail.cluster, trail.rooms, pod, Server(), trail.log)
        ):
            yield name_of(pod), finding


_BY_RELEASE: Final = label_index("release")


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
        since = duration(seconds_since(trail.cluster, created(load)))
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
