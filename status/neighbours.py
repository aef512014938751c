"""Controllers of the cluster that change what the stack makes, and that its stack file names not.

Nothing is broken by them today. Of what they will do, a sentence each.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.quantity import parse
from plan import kinds
from plan.objects import (
    Manifest,
    grouped,
    items,
    kind_of,
    name_of,
    namespace_of,
    section,
    text_of,
    texts_of,
)

from . import kueue
from .trail import Trail, ended

VPA: Final = ("autoscaling.k8s.io", "VerticalPodAutoscaler")
_MEMORY: Final = "memory"
_REFUSED: Final = "is refused that update while it serves, for the label that Kueue puts on"
_UPDATED: Final = {
    ("apps", "Deployment"): _REFUSED,
    kinds.GROUPS: _REFUSED,
    kinds.JOB: "is suspended, which ends its pods, until that queue has room",
}
"""What a LocalQueue that is called default does with what was there before it."""


def neighbours(trails: Sequence[Trail]) -> Iterator[str]:
    """A sentence per controller that acts on a model or a job, and was not asked to."""
    for trail in trails:
        yield from _resized(trail)
        yield from _queued(trail)
        yield from _moved(trail)


def _resized(trail: Trail) -> Iterator[str]:
    """Whether an autoscaler may give its pods less memory than loading takes.

    findings/vpa-forgets-what-loading-takes.sh
    """
    targets = [name_of(trail.planned), *map(name_of, trail.deployments)]
    index = grouped(trail.cluster.objects.of(*VPA), _target)
    for name in dict.fromkeys(targets):
        for scaler in index.get((trail.namespace, name), ()):
            mode = text_of(section(scaler, "spec", "updatePolicy"), "updateMode") or "Recreate"
            if mode != "Off" and _shrinks(scaler, trail):
                yield (
                    f"{VPA[1]} {trail.namespace}/{name_of(scaler)} ({mode}) gives pods of {name} "
                    "another memory than the stack file says, and its limit with it. Three days "
                    "after a start it has forgotten what loading takes, and the next one is "
                    "killed: give it minAllowed.memory of what the stack file says, or updateMode "
                    '"Off".'
                )


def _target(scaler: Manifest) -> tuple[str, str]:
    return namespace_of(scaler), text_of(section(scaler, "spec", "targetRef"), "name")


def _shrinks(scaler: Manifest, trail: Trail) -> bool:
    """Whether it may set the memory of the container that serves to less than is planned."""
    policies = {
        text_of(policy, "containerName"): policy
        for policy in items(section(scaler, "spec", "resourcePolicy"), "containerPolicies")
    }
    policy = policies.get(trail.server.name, policies.get("*", {}))
    if policy.get("mode") == "Off" or policy.get("controlledValues") == "RequestsOnly":
        return False
    if _MEMORY not in (texts_of(policy, "controlledResources") or (_MEMORY,)):
        return False
    least, wanted = section(policy, "minAllowed").get(_MEMORY), _memory(trail)
    return least is None or wanted is None or _amount(least) < _amount(wanted)


def _memory(trail: Trail) -> object:
    """Memory that its container asks for; None where the plan does not say it."""
    boxes = items(trail.template.spec, "containers") or [section(trail.template.spec, "model")]
    needs: Mapping[str, Any] = section(boxes[0], "resources")
    return section(needs, "requests").get(_MEMORY) or section(needs, "limits").get(_MEMORY)


def _amount(quantity: object) -> float:
    try:
        return float(parse(str(quantity)))
    except ValueError:
        return 0.0


def _queued(trail: Trail) -> Iterator[str]:
    """Whether it stands in a queue of Kueue's that nobody asked for, or will.

    A LocalQueue that is called `default` takes in whatever is made in its namespace.
    findings/kueue-default-queue-takes-models-in.sh
    """
    if kueue.queue_name(trail.planned) or kueue.QUEUE in trail.template.labels:
        return
    pods = [pod for pod in trail.pods if not ended(pod)]
    makers = [trail.live] if trail.live else []
    for manifest in [*makers, *trail.deployments, *pods]:
        if kueue.queue_name(manifest):
            yield (
                f"{_subject(manifest)} stands in {kueue.queue_of(manifest)}, and the stack file "
                "does not say so: new pods wait for that queue's quota, and are deleted for "
                "others' sake whatever their budget. Give a LocalQueue that is called default "
                "another name, and have the object made anew: Kueue lets nobody take off the label."
            )
            return
    if trail.find(*kueue.LOCAL_QUEUE, kueue.DEFAULT) is None:
        return
    for manifest in [*makers, *trail.deployments]:
        if kind_of(manifest) in _UPDATED:
            yield (
                f"LocalQueue {trail.namespace}/{kueue.DEFAULT} takes in whatever its namespace "
                f"has: at its next update, {_subject(manifest)} {_UPDATED[kind_of(manifest)]}. "
                "Give the queue another name."
            )
            return


def _moved(trail: Trail) -> Iterator[str]:
    """Whether the descheduler has ended pods of it: events are kept for an hour.

    findings/descheduler-moves-models-to-nodes-without-cards.sh
    """
    makers = "|".join(re.escape(name_of(maker)) for maker in trail.deployments)
    pods = re.compile(rf"({makers})-[a-z0-9]+-[a-z0-9]{{5}}")
    events = trail.cluster.objects.by(_by_descheduler, "", "Event").get(trail.namespace, ())
    strategies = [
        text_of(event, "reason")
        for event in events
        if makers and pods.fullmatch(text_of(section(event, "involvedObject"), "name"))
    ]
    if strategies:
        yield (
            f"The descheduler has ended pods of {name_of(trail.planned)} in the last hour "
            f"({', '.join(sorted({*strategies}))}): whether another node has a card for "
            "them it asks only with nodeFit: true in its DefaultEvictor. A pod with "
            "server.shared_memory it leaves alone, unless it is told not to."
        )


def _by_descheduler(event: Manifest) -> str:
    """Namespace of an event that tells of an eviction: evictions.go of v0.36.0, 2026-12-01."""
    mine = event.get("action") == "Descheduled" and event.get("type") == "Normal"
    return text_of(section(event, "involvedObject"), "namespace") if mine else ""


def _subject(manifest: Manifest) -> str:
    return f"{manifest['kind']} {namespace_of(manifest)}/{name_of(manifest)}"
