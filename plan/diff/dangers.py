"""How dangerous a change is, in the words of somebody who has to answer for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .. import kinds
from ..changes import parse_path
from ..model import name_in, type_name
from .claims import CLAIM, held
from .compare import ChangeKind, ResourceChange, StackDiff
from .gateways import GATEWAY, left_alone
from .handover import handed_over
from .keda import in_the_way
from .kserve import INFERENCE_SERVICE, LLM_INFERENCE_SERVICE, left_behind
from .reach import moved_hosts, moved_region
from .report import StackReport
from .sharing import switched
from .upgrades import drained, fewer, kept


@dataclass(frozen=True)
class Danger:
    """What it means to lose a resource."""

    noun: str
    replaced: str
    deleted: str


_DANGERS: Final[Mapping[str, Danger]] = MappingProxyType(
    {
        kinds.CLUSTER: Danger(
            "cluster",
            "a new one is made, everything that runs in the old one is made again in it, and the "
            "old one is deleted",
            "everything that runs in it ends",
        ),
        kinds.BUCKET: Danger(
            "bucket",
            "the new one is empty, and OSS does not delete the old one while it holds objects",
            "OSS refuses that while it holds objects",
        ),
        kinds.FILE_SYSTEM: Danger(
            "file system", "the new one is empty, and the files in the old one are lost",
            "the files in it are lost",
        ),
        kinds.LOG_PROJECT: Danger(
            "log project", "the new one is empty, and the logs in the old one are lost",
            "the logs in it are lost, audit logs of the API server too",
        ),
        "alicloud:vpc/network:Network": Danger(
            "VPC", "everything in it is made again in a new one", "nothing can be left in it"
        ),
        kinds.CONNECTION: Danger(
            "connection to the cluster",
            "if it leads to another cluster, every object is made again there",
            "its objects are deleted first",
        ),
        "kubernetes:core/v1:Namespace": Danger(
            "namespace", "everything in it is deleted", "everything in it is deleted"
        ),
        kinds.SWITCH: Danger(
            "vSwitch",
            "what has an address in the old one has to leave it before it can be deleted",
            "nothing can be left in it",
        ),
        kinds.NAT_GATEWAY: Danger(
            "NAT gateway",
            "connections to the Internet break meanwhile",
            "nodes and pods lose their way to the Internet",
        ),
        kinds.PUBLIC_ADDRESS: Danger(
            "public address",
            "whoever lets in nodes and pods by it, a registry say, has to be told the new one",
            "whoever lets in nodes and pods by it lets them in no more",
        ),
        kinds.NODE_POOL: Danger(
            "node pool",
            "its nodes go, with the pods on them, and new ones come",
            "its nodes go, with the pods on them",
        ),
        "alicloud:nas/mountTarget:MountTarget": Danger(
            "mount target",
            "pods that use it lose their files until they are made again",
            "pods that use it lose their files",
        ),
        "kubernetes:serving.knative.dev/v1:Service": Danger(
            "model", "it answers nobody until the new one is ready", "it answers nobody any more"
        ),
        INFERENCE_SERVICE: Danger(
            "model", "it answers nobody until the new one is ready", "it answers nobody any more"
        ),
        LLM_INFERENCE_SERVICE: Danger(
            "model", "all its pods end, and it answers nobody until new ones are ready",
            "it answers nobody any more",
        ),
        "kubernetes:workloads.x-k8s.io/v1alpha2:RoleBasedGroup": Danger(
            "model", "all its roles end, and it answers nobody until new ones are ready",
            "it answers nobody any more",
        ),
        "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": Danger(
            "model", "all its groups end, and it answers nobody until a new one is ready",
            "it answers nobody any more",
        ),
        GATEWAY: Danger(
            "gateway",
            "its load balancer gets another address, and no model behind it answers meanwhile",
            "its load balancer goes with its address, and no model behind it answers any more",
        ),
        "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": Danger(
            "route", "requests that it leads end with 404 meanwhile",
            "requests that it leads end with 404",
        ),
        "kubernetes:inference.networking.k8s.io/v1:InferencePool": Danger(
            "pool of pods", "requests to its model end with 500 meanwhile",
            "requests to its model end with 500",
        ),
        "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferencePool": Danger(
            "pool of pods", "requests to its model end with 500 meanwhile",
            "requests to its model end with 500",
        ),
        "kubernetes:gateway.envoyproxy.io/v1alpha1:SecurityPolicy": Danger(
            "policy of keys", "whoever reaches the gateway gets in without a key meanwhile",
            "whoever reaches the gateway gets in without a key",
        ),
        "kubernetes:gateway.envoyproxy.io/v1alpha1:BackendTrafficPolicy": Danger(
            "policy of traffic", "nothing is limited, and no picker chooses pods, meanwhile",
            "nothing is limited any more, and no picker chooses pods",
        ),
        kinds.KNATIVE_SERVING: Danger(
            "Knative", "no model scales or answers meanwhile", "no model is served by it any more"
        ),
        kinds.ADDON: Danger(
            "add-on", "it is installed anew", "what needs it stops working"
        ),
        kinds.HELM_RELEASE: Danger(
            "Helm release",
            "it is installed anew",
            "what it installed is removed; CRDs stay only if the chart says so",
        ),
        "kubernetes:scheduling.k8s.io/v1:PriorityClass": Danger(
            "priority", "no pod that names it is made meanwhile",
            "a pod that still names it is not made",
        ),
        CLAIM: Danger(
            "claim", "pods have to move to the new one", "pods that mount it do not start"
        ),
        "kubernetes:data.fluid.io/v1alpha1:Dataset": Danger(
            "cached dataset", "the cache is filled again", "models read their store again"
        ),
        "kubernetes:networking.k8s.io/v1:NetworkPolicy": Danger(
            "network policy",
            "every pod of the cluster reaches the namespace meanwhile",
            "every pod of the cluster reaches the namespace",
        ),
        "kubernetes:scheduling.sigs.k8s.io/v1beta1:ElasticQuotaTree": Danger(
            "tree of quotas",
            "no group is guaranteed anything meanwhile",
            "no group is guaranteed anything, and pods preempt by priority alone",
        ),
        "kubernetes:batch/v1:Job": Danger(
            "job", "it is stopped and begins again", "it is stopped"
        ),
    }
)  # fmt: skip
"""By type token, the worst first. A type that is missing here needs no sentence."""

_ORDER: Final = {type_: rank for rank, type_ in enumerate(_DANGERS)}
_KINDS: Final = list(ChangeKind)


def by_danger(changes: Iterable[ResourceChange]) -> list[ResourceChange]:
    """The most dangerous first."""

    def rank(change: ResourceChange) -> tuple[bool, int, int, str]:
        worth = _ORDER.get(change.resource.type, len(_ORDER))
        return not change.kind.is_loss, worth, _KINDS.index(change.kind), change.resource.name

    return sorted(changes, key=rank)


def alarms(section: StackReport) -> list[str]:
    """What somebody has to know of a stack who reads no further; nothing of one that is refused."""
    refused = [f"A policy refuses it: {sentence}" for sentence in section.violations]
    return [*headlines(section.diff), *refused] if section.diff else []


def headlines(diff: StackDiff) -> list[str]:
    """One sentence per loss that follows from nothing else, the worst first."""
    changes = {change.urn: change for change in diff.resources}
    sentences = []
    for change in by_danger(changes.values()):
        danger = _DANGERS.get(change.resource.type)
        if change.kind.is_loss and danger and not _roots(change, changes):
            sentences.append(_sentence(change, danger, changes))
    refused = [
        f"`pulumi up` refuses this: {change.resource.name} is protected."
        for change in by_danger(diff.resources)
        if diff.protected(change)
    ]
    freed = [
        f"Protection is taken off {name_in(urn)}: from now on it can be deleted."
        for urn in diff.unprotected
    ]
    leftovers = [
        sentence for loss in by_danger(diff.resources) for sentence in left_behind(diff, loss)
    ]
    asked = [*switched(diff), *drained(diff), *fewer(diff), *left_alone(diff), *in_the_way(diff)]
    asked += handed_over(diff)
    lost = [*moved_region(diff), *sentences, *held(diff), *moved_hosts(diff)]
    return [*lost, *asked, *refused, *freed, *leftovers, *kept(diff)]


def _sentence(change: ResourceChange, danger: Danger, changes: Mapping[str, ResourceChange]) -> str:
    name = change.resource.name
    if change.kind is ChangeKind.DELETED:
        successor = next((new for new in changes.values() if _succeeds(new, change)), None)
        if successor:
            kind = type_name(successor.resource.type)
            return f"This deletes the {danger.noun} {name}, and makes one of another kind: {kind}."
        return f"This deletes the {danger.noun} {name}: {danger.deleted}."
    causes = dict.fromkeys(
        _short(changed.path) for changed in change.properties if changed.replaces
    )
    why = f" (another {', '.join(causes)})" if causes else ""
    dragged = sum(change.urn in _roots(candidate, changes) for candidate in changes.values())
    more = f" {_resources(dragged)}." if dragged else ""
    return f"This replaces the {danger.noun} {name}{why}: {danger.replaced}.{more}"


def _succeeds(created: ResourceChange, deleted: ResourceChange) -> bool:
    return created.kind is ChangeKind.CREATED and created.resource.name == deleted.resource.name


def _short(path: str) -> str:
    return ".".join(map(str, parse_path(path)[:2]))


def _resources(count: int) -> str:
    return "1 other resource follows" if count == 1 else f"{count} other resources follow"


def _roots(change: ResourceChange, changes: Mapping[str, ResourceChange]) -> set[str]:
    """URNs of the replaced resources that it all begins with; empty for one of these."""
    roots = set()
    for urn in change.because:
        cause = changes.get(urn)
        if cause is not None and cause.kind is ChangeKind.REPLACED:
            roots |= _roots(cause, changes) or {urn}
    return roots
