"""The stack file that describes a cluster, and what it could not say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from components.args import MISSING, Fault
from components.catalog.metrics import METRICS
from components.names import DNS_1123_LABEL
from plan.kinds import GROUPS
from plan.objects import Objects, section
from plan.refused import Refused
from stacks.validation import validate
from status.cluster import LiveCluster
from wizard.draft import KUBECONFIG, PLACEHOLDER, Draft

from . import models, platform
from .autoscalers import BY_CPU
from .availability import availability
from .groups import is_of_one_node, leader_worker, service_sentence
from .nodes import Groups, policy_notes
from .pods import PodReader, Stores, dataset_notes
from .training import CLASS, training
from .workloads import LiveWorkload, Notes, foreign, owner_notes, workloads

TO_ZERO: Final = ("activation", "polling_seconds", "cooldown_seconds")
"""Fields of KEDA that are about the way to no replica and back."""
HIGHEST: Final = 1_000_000_000

Section = dict[str, Any]
RANK: Final[Section] = {
    "name": "adopted-models",
    "value": 0,
    "description": "As pods without a class.",
}
"""PriorityClass of models without one, where other workloads have one."""


@dataclass(frozen=True)
class Description:
    """A cluster as a stack file."""

    draft: Draft
    remarks: Sequence[str]
    """What it could not say, or says otherwise, whichever entries it keeps."""
    workloads: Mapping[str, LiveWorkload]
    """By entry of `models` and `training`, what it describes."""

    @property
    def notes(self) -> list[str]:
        """The remarks, and what becomes of requests to the entries that it keeps."""
        groups = (entry for entry in self.workloads.values() if entry.kind == GROUPS[1])
        return [*self.remarks, *(f"{group}: {service_sentence(group)}" for group in groups)]

    def ranked(self) -> "Description":
        """The same with a priority for each entry."""
        notes = Notes(self.remarks)
        config = _ranked(self.draft.config, notes)
        return replace(self, draft=replace(self.draft, config=config), remarks=notes.sentences)

    def without(self, name: str, sentence: str) -> "Description":
        """The same without an entry that is refused, and why.

        Raises:
            Refused: No model is left.
        """
        notes = Notes(self.remarks)
        notes.say(f"{name} is left out", sentence)
        config = _without(self.draft.config, name)
        if not config["models"]:
            raise Refused("What the cluster has", *notes.sentences)
        rest = {key: entry for key, entry in self.workloads.items() if key != name}
        draft = replace(self.draft, config=config)
        return Description(draft, notes.sentences, rest)


def describe(
    cluster: LiveCluster,
    stack: str,
    namespace: str | None,
    version: str,
    context: str | None = None,
) -> Description:
    """Describes what a cluster serves and trains.

    Args:
        cluster: What it has.
        stack: Name of the stack.
        namespace: The one whose models are described; None for all.
        version: Of Kubernetes, e.g. 1.34; empty where it is not known.
        context: Context of the kubeconfig; None for its current one.

    Raises:
        Refused: There is nothing that a stack file could describe.
    """
    notes = Notes()
    candidates = [*workloads(cluster.objects, namespace, notes)]
    foreign(cluster.objects, namespace, notes)
    several = [workload for workload in candidates if not is_of_one_node(workload, notes)]
    chosen = [*_of_distinct_names(several, notes)]
    described = _Describer(cluster, notes, chosen, version, context).config()
    config, dropped = _sound(described, notes)
    if not config["models"]:
        where = f"Namespace {namespace}" if namespace else "The cluster"
        why = (
            "each of its models is left out, for what is said of it below."
            if any(workload.kind != "Job" for workload in candidates)
            else "it runs no model that a stack file can describe: no Knative Service, "
            "InferenceService, Deployment or LeaderWorkerSet that asks for cards or runs vLLM."
        )
        raise Refused(where, why, *notes.sentences)
    used = {entry["name"] for entry in (*config["models"], *config.get("training", ()))}
    draft = Draft(
        f"A cluster that ran these models before it had this file, which describes it.\n"
        f"See what it makes: ack-inference plan {stack}",
        config,
        _comments(stack, config),
    )
    kept = {workload.entry: workload for workload in chosen if workload.entry in used - dropped}
    return Description(draft, notes.sentences, kept)


def _comments(stack: str, config: Section) -> dict[tuple[str, ...], str]:
    comments = {
        ("kubeconfig",): KUBECONFIG.format(stack=stack),
        ("nodes",): "Nodes that are there, known by their labels.",
        ("stores",): "Claims that are there; nothing of them is changed.",
        ("namespaces",): "The namespace is there.",
        ("models",): "Each is called as the object that it describes.",
    }
    for part, name in platform.NAMES.items():
        comments[(part,)] = f"The cluster has {name}, which the stack leaves as it is."
    return {path: text for path, text in comments.items() if path[0] in config}


def _of_distinct_names(candidates: Sequence[LiveWorkload], notes: Notes) -> Iterator[LiveWorkload]:
    """Workloads of which no two have a name, which a stack file cannot have twice."""
    names: set[str] = set()
    for workload in candidates:
        if workload.entry in names:
            notes.say(
                workload,
                f"another entry is called {workload.entry} already; describe it in a stack file of "
                f"its own, by --namespace {workload.namespace}.",
            )
            continue
        names.add(workload.entry)
        yield workload


class _Describer:
    """Collects the sections of one cluster."""

    def __init__(
        self,
        cluster: LiveCluster,
        notes: Notes,
        chosen: Sequence[LiveWorkload],
        version: str,
        context: str | None,
    ) -> None:
        self.notes, self.chosen = notes, chosen
        self.version, self.context = version, context
        self.objects: Objects = cluster.objects
        self.groups = Groups(self.objects, notes)
        self.stores = Stores(self.objects, notes)
        self.priorities: dict[str, Section] = {}
        self.parts = platform.present(cluster)
        spaces = [workload.namespace for workload in chosen]
        self.spaces = sorted(set(spaces), key=lambda space: (-spaces.count(space), space))

    def config(self) -> Section:
        """Every section, in the order of a stack file."""
        claims: dict[str, LiveWorkload] = {}
        described: list[Section] = []
        jobs: list[Section] = []
        for workload in self.chosen:
            owner_notes(workload, self.notes)
            reader = PodReader(workload, self.stores, self.notes)
            claims |= {
                f"{workload.namespace}/{volume['claim']}": workload for volume in reader.claims()
            }
            if workload.kind == "Job":
                jobs += self._job(workload, reader)
            else:
                described.append(self._model(workload, reader))
        dataset_notes(self.objects, claims, self.notes)
        policy_notes(self.objects, self.chosen, self.notes)
        seconds = max(
            (
                int(model["serve"].get("knative", {}).get("request_seconds", 0))
                for model in described
            ),
            default=0,
        )
        on_knative = any("knative" in model["serve"] for model in described)
        scales = [
            model["serve"]["kserve"]["scale"] for model in described if "kserve" in model["serve"]
        ]
        parts = {
            part: release
            for part, release in self.parts.items()
            if (
                part != "knative" or on_knative or any(s["metric"] == "concurrency" for s in scales)
            )
            and (part not in ("kserve", "cert_manager") or scales)
            and part != "fluid"
        }
        config: Section = {"kubeconfig": PLACEHOLDER}
        config["cluster"] = {
            "profile": "existing",
            **({"version": self.version} if self.version else {}),
            **({"context": self.context} if self.context else {}),
        }
        if self.spaces:
            config["namespace"] = self.spaces[0]
            config["namespaces"] = [{"name": space, "create": False} for space in self.spaces]
        if len(self.spaces) > 1:
            config["network_policies"] = {"enabled": False}
        config |= platform.sections(parts, self.chosen, seconds, self.objects, self.notes)
        if any("leader_worker" in model["serve"] for model in described):
            config["leader_worker_sets"] = {"install": False}
        if any(scale["metric"] in METRICS for scale in scales):
            config["gpu_metrics"] = {"install": False, "dashboards": False}
        if any("keda" in scale or scale["metric"] == "prometheus" for scale in scales):
            config["keda"] = True
        if any("ahpa" in model["serve"].get("knative", {}).get("scale", {}) for model in described):
            config["ahpa"] = True
        if self.groups.cards:
            config["gpus"] = self.groups.cards
        config["nodes"] = self.groups.sections
        config["stores"] = self.stores.sections or self._no_store()
        if self.priorities:
            config["priorities"] = [*self.priorities.values()]
        config["models"] = described
        if jobs:
            config["training"] = jobs
        return _ranked(config, self.notes) if self.priorities else config

    def _no_store(self) -> list[Section]:
        self.notes.say(
            "Stores",
            "no model mounts a claim, and a stack file names one store at least; the claim "
            "llm-models stands there, which nothing mounts.",
        )
        return [{"name": "models", "claim": {"name": "llm-models"}}]

    def _place(self, workload: LiveWorkload) -> Section:
        """Namespace, placement and priority of a model or a job."""
        place: Section = {"placement": {"pools": self.groups.of(workload)}}
        if workload.namespace != self.spaces[0]:
            place["namespace"] = workload.namespace
        name = str(workload.pods.spec.get("priorityClassName") or "")
        if name and (entry := self._priority(name, workload)):
            place["priority"] = entry
        return place

    def _priority(self, name: str, workload: LiveWorkload) -> str | None:
        priority_class = self.objects.get("scheduling.k8s.io", "PriorityClass", name)
        if name.startswith("system-") or priority_class is None or not DNS_1123_LABEL.allows(name):
            why = (
                "is Kubernetes' own"
                if name.startswith("system-")
                else "was not read"
                if priority_class is None
                else "has a name with more than letters, digits and '-'"
            )
            self.notes.say(
                workload, f"its PriorityClass {name} {why}; the stack file gives it none."
            )
            return None
        if priority_class.get("globalDefault"):
            self.notes.say(
                f"PriorityClass {name}",
                "it is the cluster's default, which the stack would not keep: leave "
                "globalDefault to a class beside the stack.",
            )
        value = min(HIGHEST, int(priority_class.get("value", 0)))
        entry: Section = {"name": name, "value": value}
        if priority_class.get("preemptionPolicy") == "Never":
            entry["preempts"] = False
        if text := priority_class.get("description"):
            entry["description"] = str(text)
        self.priorities[name] = entry
        return name

    def _model(self, workload: LiveWorkload, reader: PodReader) -> Section:
        serve: Section
        if workload.kind == "Knative Service":
            serve = {"knative": models.knative(workload, self.notes)}
        elif workload.kind == "InferenceService":
            serve = {"kserve": models.kserve(workload, self.objects, self.notes)}
        elif workload.kind == GROUPS[1]:
            serve = {"leader_worker": leader_worker(workload, reader, self.objects, self.notes)}
        else:
            serve = models.deployment(workload, self.objects, self.notes, self._runtime())
        return {
            "name": workload.entry,
            **reader.model(),
            **self._place(workload),
            **availability(workload, self.objects, self.notes),
            "serve": models.bounded(serve, workload, self.notes),
        }

    def _runtime(self) -> str:
        """What serves a Deployment's model: KServe, unless the cluster has Knative alone."""
        return "knative" if "knative" in self.parts and "kserve" not in self.parts else "kserve"

    def _job(self, workload: LiveWorkload, reader: PodReader) -> list[Section]:
        job = training(workload, reader, self.notes)
        if job is None:
            return []
        place = self._place(workload)
        if "priority" not in place:
            self.priorities[CLASS["name"]] = dict(CLASS)
            place["priority"] = CLASS["name"]
            self.notes.say(
                workload,
                "it has no PriorityClass, and a training job gives way to models: the stack makes "
                f"{CLASS['name']} of value {CLASS['value']} for it.",
            )
        return [{**job, **place}]


def _sound(config: Section, notes: Notes) -> tuple[Section, set[str]]:
    """A stack file without the entries that it would be refused for; notes tell why.

    Raises:
        Refused: It would be refused for something else.
    """
    dropped: set[str] = set()
    for _ in range(2 * len([*config["models"], *config.get("training", ())]) + 1):
        if not config["models"]:
            return config, dropped
        validation = validate(config)
        if not validation.sentences:
            return config, dropped
        guilty: dict[tuple[str, str], list[Fault]] = {}
        for fault in validation.faults:
            if match := re.match(r"(models|training)\[([^\]]+)\]", fault.field):
                guilty.setdefault((match[1], match[2]), []).append(fault)
        if not guilty:
            raise Refused("What the cluster has", *validation.sentences, *notes.sentences)
        for (key, name), fields in guilty.items():
            before = next(entry for entry in config[key] if entry["name"] == name)
            smaller = _pruned(before, fields)
            if smaller is not None:
                entries = [smaller if e["name"] == name else e for e in config[key]]
                config = {**config, key: entries}
            else:
                config = _without(config, name)
                dropped.add(name)
            for fault in fields:
                part = fault.field.rpartition(".")[0] if fault.got is MISSING else fault.field
                subject = name if smaller is None else part
                instead = _instead(fault.field, before, smaller)
                notes.say(f"{subject} is left out", f"{fault}{instead}")
    raise Refused("What the cluster has", *notes.sentences)


def _instead(field: str, before: Section, after: Section | None) -> str:
    """What stands in place of a field of a scale that is left out."""
    if after is None or "serve.kserve.scale." not in field:
        return ""
    old, new = (entry["serve"]["kserve"]["scale"] for entry in (before, after))
    if BY_CPU.items() <= new.items() and not BY_CPU.items() <= old.items():
        return f" The stack file has {BY_CPU['metric']} there."
    return f" The stack file has {new['min']} there." if field.endswith(".scale.min") else ""


def _ranked(config: Mapping[str, Any], notes: Notes) -> Section:
    """With a priority for those that have none, which policies ask for where others have one."""
    classes = [*config.get("priorities", ())]
    ranked = dict(config)
    for key in ("models", "training"):
        entries = []
        for entry in config.get(key, ()):
            if "priority" not in entry:
                notes.say(
                    f"Model {entry['name']}",
                    f"it has no PriorityClass, and the policies ask for one: the stack makes "
                    f"{RANK['name']} for it, of value {RANK['value']}, as pods without one have.",
                )
                classes = [*(c for c in classes if c["name"] != RANK["name"]), dict(RANK)]
                entry = {**entry, "priority": RANK["name"]}
            entries.append(entry)
        if entries:
            ranked[key] = entries
    first = {key: value for key, value in ranked.items() if key not in ("models", "training")}
    last = {key: value for key, value in ranked.items() if key in ("models", "training")}
    return {**first, "priorities": classes, **last}


def _pruned(entry: Section, faults: Sequence[Fault]) -> Section | None:
    """An entry without the parts that are refused; None where one is no part that can go."""
    live = section(entry, "serve", "kserve", "scale")
    for fault in faults:
        path = fault.field.partition("].")[2]
        if match := re.match(r"serve\.kserve\.scale\.(.+)", path):
            before = entry["serve"]["kserve"]["scale"]
            scale = _other_scale(before, match[1], live)
            if scale == before == live:
                return None
            serve = {**entry["serve"]["kserve"], "scale": scale}
            entry = {**entry, "serve": {"kserve": serve}}
        elif match := re.fullmatch(r"serve\.(\w+)\.annotations\[([^\]]+)\]", path):
            serve = entry["serve"][match[1]]
            rest = {k: v for k, v in serve.get("annotations", {}).items() if k != match[2]}
            serve = {**serve, "annotations": rest}
            entry = {**entry, "serve": {match[1]: serve}}
        elif match := re.match(r"serve\.(\w+)\.(rollout|canary|reserve)\b", path):
            rest = {key: part for key, part in entry["serve"][match[1]].items() if key != match[2]}
            entry = {**entry, "serve": {match[1]: rest}}
        elif match := re.fullmatch(r"server\.env\[([^\]]+)\]", path):
            env = {key: text for key, text in entry["server"]["env"].items() if key != match[1]}
            server = {key: part for key, part in entry["server"].items() if key != "env"}
            entry = {**entry, "server": {**server, **({"env": env} if env else {})}}
        elif match := re.match(r"topology_spread|pod_disruption_budget", path):
            entry = {key: part for key, part in entry.items() if key != match[0]}
        elif match := re.match(r"(volumes|sidecars|init_containers)\[([^\]]+)\]", path):
            parts = [part for part in entry.get(match[1], ()) if part["name"] != match[2]]
            entry = {**entry, match[1]: parts}
        else:
            return None
    return entry


def _other_scale(scale: Section, path: str, live: Mapping[str, Any]) -> Section:
    """A scale without what is refused at a path in it: that alone, if the rest stands without.

    Args:
        scale: As it is left of what the cluster has.
        path: Field that is refused.
        live: As the cluster has it.
    """
    least = max(1, scale["min"])
    keda = scale.get("keda", {})
    if path == "min":
        rest = {key: value for key, value in keda.items() if key not in TO_ZERO}
        return {**scale, "min": least, **({"keda": rest} if keda else {})}
    if path == "scale_down_seconds":
        return {key: value for key, value in scale.items() if key != path}
    part = path.partition("keda.")[2].partition(".")[0].partition("[")[0]
    if part in live.get("keda", {}):
        rest = {key: value for key, value in keda.items() if key != part}
        return {**scale, "keda": rest} if "keda" in scale else scale
    return {**BY_CPU, "min": least, "max": max(least, scale["max"])}


def _without(config: Mapping[str, Any], name: str) -> Section:
    """A stack file without an entry, and without what only that used."""
    sections = {
        key: [entry for entry in config[key] if entry["name"] != name]
        for key in ("models", "training")
        if key in config
    }
    return _unused_left_out({**config, **sections})


def _unused_left_out(config: Section) -> Section:
    """Without groups of nodes and priorities that nothing is left to use."""
    entries = [*config["models"], *config.get("training", ())]
    pools = {pool for entry in entries for pool in entry["placement"]["pools"]}
    classes = {entry.get("priority") for entry in entries}
    rest = {**config, "nodes": [group for group in config["nodes"] if group["name"] in pools]}
    if "priorities" in config:
        rest["priorities"] = [c for c in config["priorities"] if c["name"] in classes]
    return {key: value for key, value in rest.items() if value != [] or key == "models"}


def live_version(answer: Mapping[str, Any]) -> str:
    """Kubernetes' version as a stack file has it, from what /version says."""
    minor = re.match(r"\d+", str(answer.get("minor", "")))
    return f"{answer.get('major')}.{minor[0]}" if minor and section(answer) else ""
