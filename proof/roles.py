"""Prefill and decode apart, before the real scheduler: what the example stack renders.

The controller of RoleBasedGroups is simulated (`sandbox/nodes/roles.py`). Each case is played again
without what it needs, or with what the plan refuses, and has to go wrong.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.crds.role_based_group_labels import (
    API_VERSION,
    EXCLUSIVE_TOPOLOGY,
    GANG,
    GROUP_NAME,
    KIND,
    POLICY,
    ROLE_NAME,
)
from components.serving.pod_group import POD_GROUP, POD_GROUP_SIZE
from sandbox import binaries
from sandbox.controllers import running
from sandbox.controllers.controller import ControlPlane
from sandbox.controllers.role_based_groups import CONTROLLER
from sandbox.kubernetes import installs
from tests.stacks.environments import ROOT, configuration, merged, planned

from .board import NAMESPACE, PAUSE_SECONDS, Board, Wrong, control_plane, is_ready
from .cluster import until
from .stack_objects import Manifest, stack_objects
from .step import Row, Say, Skipped, Step

EXAMPLE: Final = ROOT / "examples" / "stacks" / "Pulumi.prefill-and-decode.yaml"
SECONDS: Final = 45.0
STILL_SECONDS: Final = 8.0
"""Where nothing is placed for so long, nothing is."""
MANAGER: Final = "proof"
ZONE: Final = "topology.kubernetes.io/zone"
INSTANCES: Final = 8
"""Instances that both roles are scaled to."""

Take = Callable[[list[Manifest]], list[Manifest]]
"""Changes the objects of a model before they are applied."""


class GroupStage:
    """A cluster with nodes, and one model of the example on it."""

    def __init__(self, plane: ControlPlane, model: str, take: Take, **changes: Any) -> None:
        """Clears the cluster; nodes come first, by `nodes`, then the model by `begin`."""
        self.client = plane.client
        raw = merged(configuration(EXAMPLE), changes)
        for kind in (KIND, POLICY):
            for manifest in self.client.list_objects(API_VERSION, kind):
                self.client.remove(manifest)
        self.board = Board(plane.client, stack_objects(raw))
        self.model = model
        self.objects = take([*_objects(raw, model)])

    def begin(self) -> None:
        """Applies the model, strictly, as Pulumi does."""
        for manifest in self.objects:
            self.client.apply(manifest, MANAGER, force=True)

    def scale(self, role: str, instances: int) -> None:
        """What an autoscaler says of a role, at the adapter that the controller made."""
        adapter = {
            "apiVersion": API_VERSION,
            "kind": "RoleBasedGroupScalingAdapter",
            "metadata": {"name": f"{self.model}-{role}", "namespace": NAMESPACE},
        }
        if until(lambda: self.client.get(adapter) is not None, SECONDS) is None:
            raise Wrong(f"the controller made no adapter {self.model}-{role}")
        self.client.merge(adapter, {"spec": {"replicas": instances}}, MANAGER, "scale")

    def placed(self) -> Counter[str]:
        """Pods with a node, by role."""
        return Counter(_role(pod) for pod in self._pods() if "nodeName" in pod["spec"])

    def ready(self) -> Counter[str]:
        """Pods that answer, by role."""
        return Counter(_role(pod) for pod in self._pods() if is_ready(pod))

    def made(self) -> Counter[str]:
        """Pods, by role."""
        return Counter(map(_role, self._pods()))

    def zones(self) -> dict[str, set[str]]:
        """Zones in which servers of each group are."""
        nodes = {n["metadata"]["name"]: n for n in self.client.list_objects("v1", "Node")}
        zones: dict[str, set[str]] = {}
        for pod in self._pods(every=True):
            if name := pod["spec"].get("nodeName"):
                group = pod["metadata"]["labels"][GROUP_NAME]
                zones.setdefault(group, set()).add(nodes[name]["metadata"]["labels"][ZONE])
        return zones

    def expect(self, what: str, holds: Callable[[], bool], seconds: float = SECONDS) -> float:
        """Returns once something holds, after how long.

        Raises:
            Wrong: It does not in time.
        """
        after = until(holds, seconds)
        if after is None:
            raise self._wrong(what)
        return after

    def expect_still(self, what: str, holds: Callable[[], bool]) -> None:
        """Returns once something has held for a while.

        Raises:
            Wrong: It does not.
        """
        if until(lambda: not holds(), STILL_SECONDS) is not None:
            raise self._wrong(what)

    def _wrong(self, what: str) -> Wrong:
        counts = ", ".join(f"{count} {role}" for role, count in sorted(self.placed().items()))
        return Wrong(f"{counts or 'no pod'} with a node, but it must be that {what}")

    def _pods(self, *, every: bool = False) -> list[Manifest]:
        return [
            pod
            for pod in self.board.pods()
            if every or pod["metadata"]["labels"].get(GROUP_NAME) == self.model
            if _role(pod) != "router"
        ]


def _objects(raw: dict[str, Any], model: str) -> Iterator[Manifest]:
    """The group of a model and its policy, with pods that mount nothing."""
    for resource in planned(raw, preview=False).resources:
        manifest = resource.inputs
        if manifest.get("kind") in (KIND, POLICY) and manifest["metadata"]["name"] == model:
            yield _bare(copy.deepcopy(dict(manifest)))


def _bare(manifest: Manifest) -> Manifest:
    for template in _templates(manifest):
        spec = template["spec"]
        spec.pop("volumes", None)
        spec.pop("serviceAccountName", None)
        for container in spec["containers"]:
            container.pop("volumeMounts", None)
    return manifest


def _templates(manifest: Manifest) -> Iterator[Manifest]:
    for role in manifest["spec"].get("roles", ()):
        pattern = role.get("leaderWorkerPattern") or role["standalonePattern"]
        yield pattern["template"]


def _role(pod: Manifest) -> str:
    return str(pod["metadata"]["labels"].get(ROLE_NAME))


# --- what is taken -------------------------------------------------------------------------------


def as_rendered(objects: list[Manifest]) -> list[Manifest]:
    """Nothing is."""
    return objects


def without_gang(objects: list[Manifest]) -> list[Manifest]:
    """The labels by which ACK's scheduler knows the pods of a gang."""
    for manifest in objects:
        for template in _templates(manifest):
            for label in (POD_GROUP, POD_GROUP_SIZE):
                template["metadata"]["labels"].pop(label, None)
    return objects


def without_policy(objects: list[Manifest]) -> list[Manifest]:
    """The CoordinatedPolicy."""
    return [manifest for manifest in objects if manifest["kind"] != POLICY]


def with_another_name(objects: list[Manifest]) -> list[Manifest]:
    """The name by which the controller finds the policy: upstream's samples have another one."""
    for manifest in objects:
        if manifest["kind"] == POLICY:
            manifest["metadata"]["name"] += "-scaling-policy"
    return objects


def with_coordination(objects: list[Manifest]) -> list[Manifest]:
    """A skew beside a gang, which the plan refuses."""
    [group] = objects
    scaling = {"maxSkew": "10%", "progression": "OrderScheduled"}
    rule = {"name": "both", "roles": ["prefill", "decode"], "strategy": {"scaling": scaling}}
    for role in group["spec"]["roles"][:2]:
        role["replicas"] = 2
    for template in [*_templates(group)][:2]:
        template["metadata"]["labels"][POD_GROUP_SIZE] = "8"
    policy = {**group, "kind": POLICY, "spec": {"policies": [rule]}}
    return [policy, group]


def with_pod_group(objects: list[Manifest]) -> list[Manifest]:
    """The controller's annotation for gangs, which the plan refuses on a cluster of ACK."""
    objects[0]["metadata"]["annotations"] = {GANG: "true"}
    return without_gang(objects)


def with_upstreams_topology(objects: list[Manifest]) -> list[Manifest]:
    """The controller's annotation for a topology of one's own, in place of our affinity."""
    for manifest in objects:
        manifest["metadata"]["annotations"] = {EXCLUSIVE_TOPOLOGY: ZONE}
        for template in _templates(manifest):
            for kind in ("podAffinity", "podAntiAffinity"):
                template["spec"].get("affinity", {}).pop(kind, None)
    return objects


# --- what is played ------------------------------------------------------------------------------


def _lands_whole(stage: GroupStage) -> str:
    stage.board.add_nodes("h20", 3)
    stage.begin()
    stage.expect("all pods are there", lambda: stage.made().total() == 4)
    stage.expect_still("no pod has a node while one lacks it", lambda: stage.placed().total() == 0)
    stage.board.add_nodes("h20", 1)
    after = stage.expect("all four have one", lambda: stage.placed().total() == 4)
    return f"3 nodes for 4 pods: none has one; with the fourth, all have, {after:.1f} s later"


def _lands_at_all(stage: GroupStage) -> str:
    stage.board.add_nodes("h20", 8)
    stage.begin()
    size = sum(2 * role.get("replicas", 1) for role in stage.objects[-1]["spec"]["roles"][:2])
    after = stage.expect("all have one", lambda: stage.placed().total() == size)
    return f"{size} pods on 8 nodes, {after:.1f} s later"


def _keeps_pace(stage: GroupStage) -> str:
    stage.board.add_nodes("a10", INSTANCES)
    stage.board.add_nodes("l20", 2)
    stage.begin()
    stage.expect("one of each is ready", lambda: stage.ready() == {"prefill": 1, "decode": 1})
    for role in ("prefill", "decode"):
        stage.scale(role, INSTANCES)
    most = _watch(stage, STILL_SECONDS)
    bound = 0.5 + 1 / INSTANCES
    if most > bound:
        raise Wrong(f"progress is {most:.0%} apart, but it must be at most {bound:.0%}")
    stage.board.add_nodes("l20", INSTANCES - 2)
    both = {"prefill": INSTANCES, "decode": INSTANCES}
    after = stage.expect(f"both are {INSTANCES}", lambda: stage.ready() == both)
    return (
        f"at most {most:.0%} apart while decode lacks nodes; both {INSTANCES} {after:.1f} s later"
    )


def _watch(stage: GroupStage, seconds: float) -> float:
    """The largest difference of both roles' progress over a while, in instances that are ready."""
    end, most = stage.board.clock.monotonic() + seconds, 0.0
    while stage.board.clock.monotonic() < end:
        ready = stage.ready()
        most = max(most, abs(ready["prefill"] - ready["decode"]) / INSTANCES)
        stage.board.clock.sleep(PAUSE_SECONDS)
    return most


def _has_a_zone(stage: GroupStage) -> str:
    stage.board.add_nodes("a10", 2)
    stage.board.add_nodes("l20", 2)
    stage.begin()
    stage.expect("one of each has one", lambda: stage.placed() == {"prefill": 1, "decode": 1})
    [zones] = stage.zones().values()
    if len(zones) != 1:
        raise Wrong(f"it is in {', '.join(sorted(zones))}, but it must be one zone")
    return f"prefill and decode are in {zones.pop()} together"


@dataclass(frozen=True)
class RoleCase:
    """A play, and with what it goes wrong."""

    name: str
    model: str
    play: Callable[[GroupStage], str]
    wrong: Sequence[tuple[str, Take]]
    changes: Sequence[tuple[str, Any]] = ()
    """What the stack file has otherwise."""


CASES: Final = (
    RoleCase(
        "groups of two pods land together or not at all",
        "deepseek",
        _lands_whole,
        [("without the gang", without_gang)],
    ),
    RoleCase(
        "a gang lands where there is room",
        "deepseek",
        _lands_at_all,
        [
            ("with a skew beside it, which is refused", with_coordination),
            ("by upstream's annotation, which is refused", with_pod_group),
        ],
    ),
    RoleCase(
        "prefill and decode scale within their skew",
        "qwen",
        _keeps_pace,
        [
            ("without the policy", without_policy),
            ("with the policy under another name", with_another_name),
        ],
    ),
    RoleCase(
        "a group that has a zone for itself finds one",
        "qwen",
        _has_a_zone,
        [("by upstream's annotation, which is never written", with_upstreams_topology)],
        [("models[qwen].serve.roles.exclusive_topology", ZONE)],
    ),
)


def _run(say: Say) -> Iterator[Row]:
    if reason := binaries.why_unavailable(nodes=True):
        raise Skipped(reason)
    with control_plane(say) as plane:
        installs.install(plane.client, installs.CHARTS["rbgs"], None)
        running.start(plane, (CONTROLLER,), say)
        for case in CASES:
            changes = dict(case.changes)
            try:
                yield Row(
                    case.name, case.play(GroupStage(plane, case.model, as_rendered, **changes))
                )
            except Wrong as wrong:
                yield Row(case.name, "", (str(wrong),))
            for how, take in case.wrong:
                title = f"{case.name}, {how}"
                try:
                    case.play(GroupStage(plane, case.model, take, **changes))
                    yield Row(title, "", ("it holds all the same, but it must go wrong",))
                except Wrong as wrong:
                    yield Row(title, f"goes wrong: {wrong}")


STEP: Final = Step("roles", _run, seconds=400)
