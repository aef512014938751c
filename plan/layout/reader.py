"""Reads a layout from planned objects by the names and labels that the cluster itself goes by.

IDs may be known, as in a plan of the engine's, or not, as in one made without it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from components.catalog.labels import GPU_RESOURCE
from components.crds.scheduling import WAIT_FOR_SCALING, PreemptPolicy

from ..cost import CLUSTER
from ..model import Plan, Resource
from ..objects import Manifest, Objects, items, name_of, namespace_of, section
from ..pods import Pods, containers, pods_of, policies_of
from ..render import type_name
from ..tariff import tariff
from ..ways import Way, followed
from .files import FLUID, Stores, files_text
from .groups import COMPONENTS, Groups, by_name, name_in, text_of, type_in
from .model import Cache, Element, Layout, Preemption, Stop, Workload
from .pools import Labels, Pools, asked_for, labels_of

_CONNECTION: Final = "pulumi:providers:kubernetes"
_PLACEMENT: Final = f"{COMPONENTS}Placement"
_PRIORITY: Final = "scheduling.k8s.io"
_SWITCH: Final = "alicloud:vpc/switch:Switch"


def layout(plan: Plan) -> Layout:
    """What runs where, if a plan is carried out."""
    return _Reader(plan).read()


class _Reader:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.objects = Objects(plan)
        self.groups = Groups(plan)
        self.pools = Pools(plan, self.groups)
        self.stores = Stores(plan, self.objects, self.groups)

    def read(self) -> Layout:
        clusters = _clusters(self.plan, self.groups)
        caches = [self._cache(one) for one in self.objects.of(FLUID, "Dataset")]
        workloads = [self._workload(found, way) for found, way in followed(self.objects)]
        pools, stores = self.pools.all, self.stores.all
        told = _union(one.urns for one in [*clusters, *pools, *caches, *stores, *workloads])
        return Layout(
            clusters,
            pools,
            caches,
            stores,
            [_with_yielding(one, workloads) for one in workloads],
            _others(self.plan, self.groups, told),
        )

    def _cache(self, dataset: Manifest) -> Cache:
        name, namespace = name_of(dataset), namespace_of(dataset)
        owner = self.groups.owner(dataset)
        runtime = section(self.objects.get(FLUID, "JindoRuntime", name, namespace), "spec")
        levels = items(section(runtime, "tieredstore"), "levels")
        facts = {
            "workers": str(runtime.get("replicas", "")),
            "each": " and ".join(f"{one.get('quota')} {one.get('mediumtype')}" for one in levels),
            "of": files_text([*self.stores.mounted(dataset, namespace)]),
        }
        affinity = section(dataset, "spec", "nodeAffinity", "required")
        pools = [
            pool
            for term in items(affinity, "nodeSelectorTerms")
            for pool in self.pools.carrying(labels_of(term), owner)
        ]
        element = self.groups.element(owner, "Fluid cache", facts)
        return Cache(**vars(element), pools=tuple(dict.fromkeys(pools)))

    def _workload(self, found: Manifest, way: Way) -> Workload:
        owner = self.groups.owner(found)
        pods = next(pods_of(found), Pods(way.namespace, {}, {}, ""))
        policies = policies_of(self.objects, pods)
        class_ = self.objects.get(_PRIORITY, "PriorityClass", pods.spec.get("priorityClassName"))
        value = class_.get("value") if class_ else None
        preemption = _preemption(class_, policies)
        files = [
            each
            for volume in items(pods.spec, "volumes")
            if (claim := section(volume, "persistentVolumeClaim").get("claimName")) is not None
            for each in self.stores.behind(pods.namespace, str(claim))
        ]
        steps = {step.need: step.answer for step in way.steps}
        facts = {
            **{need: steps.get(need, "") for need in ("scale", "reserve", "pods")},
            **_container_facts(pods),
            "files": files_text(files),
            "priority": steps.get("priority", ""),
            "preempts": preemption or "",
        }
        element = self.groups.element(owner, way.kind, facts, way.name)
        placed_by = _union(self.groups.members(self.groups.owner(one)) for one in policies)
        urns = element.urns | placed_by | _union(one.urns for one in files)
        return Workload(
            **{**vars(element), "urns": urns},
            stops=tuple(self._stops(pods, policies, owner)),
            preemption=preemption,
            priority=value if isinstance(value, int) else None,
            caches=tuple(dict.fromkeys(one.cache for one in files if one.cache)),
            stores=tuple(dict.fromkeys(one.store for one in files)),
        )

    def _stops(self, pods: Pods, policies: Sequence[Manifest], owner: Resource) -> Iterator[Stop]:
        """The units of the policy, or else what the pods ask for by themselves."""
        if policies:
            owner = self.groups.owner(policies[0])
            tries = [_unit(one) for one in items(section(policies[0], "spec"), "units")]
        else:
            tries = [(labels, False, None) for labels in asked_for(pods.spec)]
        names = self._placed(pods)
        if len(names) != len(tries):
            names = [""] * len(tries)
        for (labels, waits, most_pods), name in zip(tries, names, strict=True):
            yield Stop(self.pools.carrying(labels, owner, name), waits, most_pods)

    def _placed(self, pods: Pods) -> Sequence[str]:
        """Names of the pools in the placement of some pods, whose IDs may not be known."""
        for one in self.plan.of(_PLACEMENT):
            namespace, wanted = one.inputs.get("namespace"), section(one.inputs, "selector")
            if namespace == pods.namespace and wanted.items() <= pods.labels.items():
                return [str(pool.get("name")) for pool in items(one.inputs, "pools")]
        return []


def _clusters(plan: Plan, groups: Groups) -> list[Element]:
    if not plan.of(CLUSTER):
        return [
            Element(groups.name(one), "existing cluster", urns=groups.members(one))
            for one in plan.of(_CONNECTION)
        ]
    zones = {text_of(one.inputs, "zoneId") for one in plan.of(_SWITCH)}
    place = {"region": tariff(plan).region or "", "zones": ", ".join(sorted(zones - {""}))}
    return [
        groups.element(
            one, _cluster_title(one), {**place, **_cluster_facts(one)}, text_of(one.inputs, "name")
        )
        for one in plan.of(CLUSTER)
    ]


def _cluster_title(one: Resource) -> str:
    if text_of(one.inputs, "profile") == "Edge":
        return "ACK Edge"
    return "ACK Pro" if text_of(one.inputs, "clusterSpec").startswith("ack.pro") else "ACK"


def _cluster_facts(one: Resource) -> Mapping[str, str]:
    return {
        "size": text_of(one.inputs, "clusterSpec"),
        "version": text_of(one.inputs, "version"),
        "API server": "public" if one.inputs.get("slbInternetEnabled") is True else "private",
    }


def _others(plan: Plan, groups: Groups, told: frozenset[str]) -> list[Element]:
    """What has not been told of, by the component around it."""
    left: dict[str, list[Resource]] = defaultdict(list)
    for one in plan.resources:
        if one.custom and one.urn not in told:
            left[groups.top(one)].append(one)
    return by_name(
        Element(
            name_in(urn),
            type_name(type_in(urn)),
            {"made of": "1 resource" if len(members) == 1 else f"{len(members)} resources"},
            urn,
            frozenset(one.urn for one in members),
        )
        for urn, members in left.items()
    )


def _container_facts(pods: Pods) -> Mapping[str, str]:
    """What the main container asks for, and what it runs."""
    found = (one for path, one in containers(pods) if ".initContainers[" not in path)
    main = next(found, {})
    limits, requests = (section(main, "resources", one) for one in ("limits", "requests"))
    wanted = {**limits, **requests}
    words = {GPU_RESOURCE: "{} GPU", "cpu": "{} CPU", "memory": "{}"}
    return {
        "each pod": ", ".join(
            text.format(wanted[key]) for key, text in words.items() if key in wanted
        ),
        "image": str(main.get("image", "")).rpartition("/")[2],
    }


def _unit(unit: Mapping[str, Any]) -> tuple[Labels, bool, int | None]:
    labels = {key: [value] for key, value in section(unit, "nodeSelector").items()}
    return labels, WAIT_FOR_SCALING in section(unit, "podLabels"), unit.get("max")


def _preemption(class_: Manifest | None, policies: Sequence[Manifest]) -> Preemption | None:
    if class_ and class_.get("preemptionPolicy") == "Never":
        return Preemption.NEVER
    if not policies:
        return None
    policy = section(policies[0], "spec").get("preemptPolicy")
    early = policy == PreemptPolicy.BEFORE_NEXT_UNIT
    return Preemption.BEFORE_NEXT if early else Preemption.AFTER_ALL


def _with_yielding(workload: Workload, workloads: Sequence[Workload]) -> Workload:
    """Finds who gives way: whoever has less priority in one of the pools."""
    if workload.preemption in (None, Preemption.NEVER) or workload.priority is None:
        return workload
    names = [
        one.name
        for one in workloads
        if (one.priority or 0) < workload.priority and one.pools & workload.pools
    ]
    return replace(workload, yielding=tuple(names))


def _union(sets: Iterator[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)
