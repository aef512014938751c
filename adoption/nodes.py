"""Groups of nodes of a stack file, from where pods are told to run and from the nodes that are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from components.catalog.gpus import GPUS
from components.catalog.labels import GPU_CARD, GPU_RESOURCE, GPU_SCHEDULE
from components.catalog.sharing import GPU_CORES, GPU_MEMORY, MIG_PREFIX, GpuSharing
from components.names import dashed
from components.quantity import binary, parse
from components.versions import version_numbers
from plan.kinds import RESOURCE_POLICY
from plan.objects import Manifest, Objects, items, name_of, pairs, section, text_of, texts_of
from plan.pods import policies_of

from .names import label, unused
from .workloads import LiveWorkload, Notes

PRODUCT: Final = "nvidia.com/gpu.product"
"""Card of a node, as NVIDIA's GPU feature discovery labels it."""
DRIVERS: Final = ("ack.aliyun.com/nvidia-driver-version", "nvidia.com/cuda.driver-version.full")
"""Driver of a node: of ACK, and of GPU feature discovery 0.17 and later."""
CARDS: Final = "aliyun.accelerator/nvidia_count"
"""Cards of a node, as ACK labels it."""
OWN_TAINTS: Final = "node.kubernetes.io/"
"""Taints of Kubernetes itself, which come and go."""

Section = dict[str, Any]
Selector = Mapping[str, str]


@dataclass
class Groups:
    """The groups of nodes that workloads run on, each known by its labels."""

    objects: Objects
    notes: Notes
    sections: list[Section] = field(default_factory=list)
    cards: list[Section] = field(default_factory=list)
    """Cards that the catalogue does not know."""

    def of(self, workload: LiveWorkload) -> list[str]:
        """Names of the groups that a workload may run on, the preferred ones first."""
        selectors = [*self._selectors(workload)]
        if not selectors:
            selector = self._of_cards()
            selectors = [selector]
            self.notes.say(
                workload,
                "no label says on which nodes it runs; the stack file has it run on those with "
                f"{pairs(selector)}.",
            )
        return list(dict.fromkeys(self._group(selector, workload) for selector in selectors))

    def _group(self, selector: Selector, workload: LiveWorkload) -> str:
        for section_ in self.sections:
            if section_["node_selector"] == selector:
                return str(section_["name"])
        nodes = [node for node in self.objects.of("", "Node") if _carries(node, selector)]
        group: Section = {
            "name": self._name(selector),
            **self._card(selector, nodes),
            "node_selector": dict(selector),
            **_driver(nodes),
            **_sharing(nodes, workload),
        }
        if nodes:
            group["allocatable"] = _smallest(nodes)
            group["taints"] = _taints(nodes)
        else:
            self.notes.say(
                f"Nodes with {pairs(selector)}",
                "there is none now: what they offer is not known, and their taints are taken to be "
                "what the pods tolerate.",
            )
            group["taints"] = _tolerated(workload)
            if "gpu" not in group:
                group["allocatable"] = _asked(workload)
        self.sections.append({key: value for key, value in group.items() if value != []})
        return str(group["name"])

    def _name(self, selector: Selector) -> str:
        value = next(iter(selector.values()))
        text = dashed(f"{value}", 40)
        name = text if re.match("[a-z]", text) and text not in ("true", "false") else ""
        key = next(iter(selector)).rpartition("/")[2]
        return unused(name or label(key, "nodes"), {group["name"] for group in self.sections})

    def _card(self, selector: Selector, nodes: Sequence[Manifest]) -> Section:
        labels = [section(node, "metadata", "labels") for node in nodes] or [selector]
        for of_node in labels:
            label = of_node.get(GPU_CARD) or of_node.get(PRODUCT)
            if label is None:
                continue
            for name, card in GPUS.items():
                if card.label == label:
                    return {"gpu": name}
            described = _described(str(label), of_node)
            if described:
                if described not in self.cards:
                    self.cards.append(described)
                return {"gpu": described["name"]}
        return {}

    def _selectors(self, workload: LiveWorkload) -> Iterator[Selector]:
        """Labels of nodes that the pods ask for, in their order."""
        spec = workload.pods.spec
        base = {key: str(value) for key, value in section(spec, "nodeSelector").items()}
        affinity = section(spec, "affinity", "nodeAffinity")
        required = section(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
        preferred = sorted(
            items(affinity, "preferredDuringSchedulingIgnoredDuringExecution"),
            key=lambda term: -int(term.get("weight") or 0),
        )
        terms = [
            selector
            for term in items(required, "nodeSelectorTerms")
            for selector in self._of_term(workload, term)
        ]
        wished = [
            selector
            for term in preferred
            for selector in self._of_term(workload, section(term, "preference"))
        ]
        units = [
            {key: str(value) for key, value in section(unit, "nodeSelector").items()}
            for policy in policies_of(self.objects, workload.pods)
            for unit in items(section(policy, "spec"), "units")
        ]
        if terms:
            terms.sort(key=lambda term: wished.index(term) if term in wished else len(wished))
            order = [unit for unit in units if unit in terms]
            terms = [*order, *(term for term in terms if term not in order)]
        elif not base:
            terms = [unit for unit in units if unit] or wished
        for term in terms or [{}]:
            if selector := {**base, **term}:
                yield selector

    def _of_term(self, workload: LiveWorkload, term: Mapping[str, Any]) -> list[Selector]:
        """What a term of an affinity asks for, one selector per value of a label."""
        selectors: list[Selector] = [{}]
        for expression in items(term, "matchExpressions"):
            values = texts_of(expression, "values")
            if expression.get("operator") != "In" or not values:
                self.notes.say(
                    workload,
                    f"its node affinity asks for {expression.get('key')} "
                    f"{expression.get('operator')}, which no group of nodes can say: a group is "
                    "known by labels and their values.",
                )
                continue
            key = text_of(expression, "key")
            selectors = [{**selector, key: value} for selector in selectors for value in values]
        return [selector for selector in selectors if selector]

    def _of_cards(self) -> Selector:
        """A label that the nodes with cards carry, and no others."""
        nodes = self.objects.of("", "Node")
        with_cards = [node for node in nodes if _amount(node, GPU_RESOURCE)]
        for key in (GPU_CARD, PRODUCT):
            values = {section(node, "metadata", "labels").get(key) for node in with_cards}
            if len(values) == 1 and (value := values.pop()):
                return {key: str(value)}
        return {"nvidia.com/gpu.present": "true"}


def _carries(node: Manifest, selector: Selector) -> bool:
    return selector.items() <= section(node, "metadata", "labels").items()


def _described(label: str, labels: Mapping[str, Any]) -> Section | None:
    """A card that the catalogue does not know, from what GPU feature discovery says of it."""
    memory, major = labels.get("nvidia.com/gpu.memory"), labels.get("nvidia.com/gpu.compute.major")
    if memory is None or major is None:
        return None
    minor = labels.get("nvidia.com/gpu.compute.minor", "0")
    return {
        "name": re.sub(r"[^A-Za-z0-9._-]", "-", label)[:63],
        "memory_gib": int(memory) // 1024,
        "compute_capability": float(f"{major}.{minor}"),
    }


def _driver(nodes: Sequence[Manifest]) -> Section:
    versions = {
        str(version)
        for node in nodes
        for key in DRIVERS
        if (version := section(node, "metadata", "labels").get(key))
    }
    return {"driver": min(versions, key=version_numbers)} if versions else {}


def _sharing(nodes: Sequence[Manifest], workload: LiveWorkload) -> Section:
    """How nodes hand out their cards: by their label, or else by what the pods ask for."""
    ways = {section(node, "metadata", "labels").get(GPU_SCHEDULE) for node in nodes}
    told = [way.value for way in GpuSharing if way.label in ways]
    limits = section(workload.server, "resources", "limits")
    if not told and any(name.startswith(MIG_PREFIX) for name in limits):
        told = [GpuSharing.MIG.value]
    elif not told and GPU_CORES in limits:
        told = [GpuSharing.CORE_MEM.value]
    elif not told and GPU_MEMORY in limits:
        told = [GpuSharing.SHARE.value]
    is_usual = not told or told[0] == GpuSharing.EXCLUSIVE
    return {} if is_usual else {"gpu_sharing": told[0]}


def _amount(node: Manifest, resource: str) -> Decimal:
    return Decimal(parse(str(section(node, "status", "allocatable").get(resource, "0"))))


def _smallest(nodes: Sequence[Manifest]) -> Section:
    """What the smallest of some nodes offers, of each resource."""
    cpu = min(_amount(node, "cpu") for node in nodes)
    memory = min(_amount(node, "memory") for node in nodes)
    return {
        "cpu": _cpus(cpu),
        "memory": binary(int(memory) // 2**20 * 2**20),
        "gpus": min(map(_cards, nodes)),
    }


def _cards(node: Manifest) -> int:
    """Cards of a node, also of one that hands out parts of them alone."""
    whole = int(_amount(node, GPU_RESOURCE))
    return whole or int(section(node, "metadata", "labels").get(CARDS, 0))


def _cpus(amount: Decimal) -> str:
    return str(int(amount)) if amount == int(amount) else f"{int(amount * 1000)}m"


def _taints(nodes: Sequence[Manifest]) -> list[Section]:
    """Taints that all of some nodes carry."""
    every = [
        [
            {key: str(taint[key]) for key in ("key", "value", "effect") if taint.get(key)}
            for taint in items(section(node, "spec"), "taints")
            if not str(taint.get("key")).startswith(OWN_TAINTS)
        ]
        for node in nodes
    ]
    return [taint for taint in every[0] if all(taint in others for others in every)]


def _asked(workload: LiveWorkload) -> Section:
    """Nodes for what the container that serves asks for, with room for as much again."""
    resources = section(workload.server, "resources")
    wanted = {**section(resources, "limits"), **section(resources, "requests")}
    memory = int(parse(str(wanted.get("memory", "32Gi"))))
    return {
        "cpu": _cpus(2 * Decimal(parse(str(wanted.get("cpu", "8"))))),
        "memory": binary(2 * memory // 2**20 * 2**20),
        "gpus": int(wanted.get(GPU_RESOURCE, 1)),
    }


def _tolerated(workload: LiveWorkload) -> list[Section]:
    taints = []
    for toleration in items(workload.pods.spec, "tolerations"):
        key = text_of(toleration, "key")
        if not key or key.startswith(OWN_TAINTS):
            continue
        taint = {"key": key, "value": text_of(toleration, "value")}
        effect = text_of(toleration, "effect") or "NoSchedule"
        taints.append({k: v for k, v in {**taint, "effect": effect}.items() if v})
    return taints


def policy_notes(objects: Objects, workloads: Sequence[LiveWorkload], notes: Notes) -> None:
    """Says what becomes of ResourcePolicies, which profile existing has none of."""
    for policy in objects.of(*RESOURCE_POLICY):
        placed = [str(entry) for entry in workloads if policy in policies_of(objects, entry.pods)]
        if placed:
            notes.say(
                f"ResourcePolicy {section(policy, 'metadata').get('namespace')}/{name_of(policy)}",
                f"its order is kept in placement.pools of {', '.join(placed)}, and on profile "
                "existing it becomes a preferred node affinity: units with a maximum and "
                "preemption by unit are ACK Pro's, with profile pro and cluster.id.",
            )
