"""Where pods go while pools grow and shrink: manifests of a stack, scheduler, and autoscaler.

The scheduler is the real one with our plugin, the autoscaler is the sandbox's own. As in
`scheduling`, each scenario goes wrong once something that it needs is taken away.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Final, Protocol

from components.catalog.labels import INSTANCE_TYPE
from components.serving.knative_model import RESERVE
from plan.machines import ANY, SPOT_STRATEGY, ZONE, Facts, LivePool
from sandbox import binaries
from sandbox.conditions import NodeConditions
from sandbox.controllers import running
from sandbox.controllers.controller import ControlPlane
from sandbox.controllers.core import AUTOSCALER, ENDS
from sandbox.controllers.knative import KNATIVE, requests_in_hand
from sandbox.kubernetes.client import ApiClient
from sandbox.nodes.autoscaler import CONDITIONS, FACTS, take_away
from sandbox.nodes.manifests import POOL
from sandbox.private import write_private
from tests.stacks.environments import Raw, dev, hybrid, merged, planned, prod

from . import knative
from .board import (
    LONGEST_SECONDS,
    PENDING,
    Board,
    Client,
    Places,
    Wrong,
    control_plane,
    is_ready,
)
from .cluster import MANAGER, ClusterClock, bind_claim, until
from .scheduling import WAIT_SECONDS, SchedulingScenario, in_time, rows, sooner
from .simulated import SimulatedCluster
from .stack_objects import Manifest, StackObjects, stack_objects
from .step import Row, Say, Skipped, Step

CONDITIONS_OF_A_DAY: Final = NodeConditions(
    node_seconds=1.5,
    idle_seconds=WAIT_SECONDS + 4,  # A node that came too early waits for its pod.
    image_seconds=0,
    start_seconds=0,
    stop_seconds=1,
    job_seconds=0,
)
STILL_SECONDS: Final = 12.0
"""Where nothing happens for so long, no node is coming: on a busy machine one takes its time."""
SHRINK_SECONDS: Final = CONDITIONS_OF_A_DAY.idle_seconds + 30
"""Longest until an idle node is gone."""

Nodes = Mapping[str, int]
"""Nodes by pool; pools without any are left out."""


class Scaling(Protocol):
    """An autoscaler, and the cloud that it buys nodes of."""

    client: Client

    def stop(self) -> None:
        """Ends the autoscaler, and forgets what it knew."""

    def start(self) -> None:
        """Has it begin."""

    def say_pools(self, pools: Sequence[LivePool]) -> None:
        """Says which pools there are."""

    def sell_out(self, offers: Sequence[tuple[str, str]]) -> None:
        """Says of which zones and instance types the cloud has no more, and of no others."""

    def take_away(self, node: str) -> None:
        """Takes a node away, its pods first."""


class SandboxScaling:
    """The sandbox's autoscaler, in a process of its own beside the real controllers."""

    def __init__(self, plane: ControlPlane) -> None:
        """Speaks to it by files in the folder of the sandbox."""
        self.client: Client = plane.client
        self._plane = plane

    def stop(self) -> None:
        """Ends the process."""
        running.end_controllers(self._plane, [AUTOSCALER])

    def start(self) -> None:
        """Starts it."""
        running.start(self._plane, [AUTOSCALER])

    def say_pools(self, pools: Sequence[LivePool]) -> None:
        """Says which pools there are."""
        document = asdict(Facts(groups=tuple(pools)))
        write_private(self._plane.sandbox / FACTS, json.dumps(document))

    def sell_out(self, offers: Sequence[tuple[str, str]]) -> None:
        """Says of which zones and instance types the cloud has no more, and of no others."""
        conditions = replace(CONDITIONS_OF_A_DAY, sold_out=tuple(offers))
        conditions.write(self._plane.sandbox / CONDITIONS)

    def take_away(self, node: str) -> None:
        """Takes a node away, its pods first."""
        take_away(self._plane.client, node)


class ScaledBoard(Board):
    """Workloads on pools that an autoscaler grows and shrinks."""

    def __init__(
        self, scaling: Scaling, objects: StackObjects, clock: ClusterClock | None = None
    ) -> None:
        """Clears the cluster, and has the autoscaler begin anew with the pools of a stack."""
        scaling.stop()
        super().__init__(scaling.client, objects, clock)
        self._scaling = scaling
        self._pools = dict(objects.pools)
        self._names = {pool.id: pool.name for pool in self._pools.values()}
        self.sell_out()
        self._scaling.say_pools([*self._pools.values()])
        scaling.start()
        least = {name: pool.least for name, pool in self._pools.items()}
        until(lambda: self._ready_nodes() == least, LONGEST_SECONDS, self.clock)

    def resize(self, pool: str, size: int) -> None:
        """Says how many machines a pool has that nobody scales."""
        self._pools[pool] = replace(self._pools[pool], least=size, most=size)
        self._scaling.say_pools([*self._pools.values()])

    def sell_out(self, *offers: tuple[str, str]) -> None:
        """Says of which zones and instance types the cloud has no more, and of no others."""
        self._scaling.sell_out(offers)

    def take_away(self, node: str) -> None:
        """Takes a node away, as the cloud does with a spot instance: drains it first."""
        self._scaling.take_away(node)

    def expect(
        self, places: Places, seconds: float = LONGEST_SECONDS, quiet: float = STILL_SECONDS
    ) -> float:
        """As `Board.expect`: a node that is coming takes longer than what the scheduler does."""
        return super().expect(places, seconds, quiet)

    def _ready_nodes(self) -> dict[str, int]:
        return {name: len(self.nodes_of(name)) for name in self._pools}

    def pool_of(self, node: Manifest) -> str:
        """Name of the pool of a node."""
        id_ = str(node["metadata"]["labels"][POOL])
        return self._names.get(id_, id_)

    def nodes_of(self, pool: str) -> list[Manifest]:
        """The nodes of a pool that are ready."""
        return [
            node
            for node in self.client.list_objects("v1", "Node")
            if node["metadata"]["labels"][POOL] == self._pools[pool].id and is_ready(node)
        ]

    def expect_nodes(self, nodes: Nodes, seconds: float = SHRINK_SECONDS) -> None:
        """Returns once there are these nodes.

        Raises:
            Wrong: There are others after a while.
        """

        def there() -> Nodes:
            self.look_at_nodes()
            return Counter(node["metadata"]["labels"][POOL] for node in self._nodes.values())

        if until(lambda: there() == nodes, seconds, self.clock) is None:
            raise Wrong(f"nodes: {dict(there())}, but it must be {dict(nodes)}")

    def look_at_nodes(self) -> None:
        """Notes which nodes there are."""
        nodes = self.client.list_objects("v1", "Node")
        self._note_ready(nodes)
        for node in nodes:
            pool = node["metadata"]["labels"][POOL] = self.pool_of(node)
            self._pools_of_nodes[node["metadata"]["name"]] = pool
        self._nodes = {node["metadata"]["name"]: node for node in nodes}


def _idc_full(board: ScaledBoard) -> str:
    board.scale("qwen-chat", 1)
    board.expect({"qwen-chat": {"idc": 1}})
    board.scale("qwen-chat", 2)
    board.expect({"qwen-chat": {"idc": 1, PENDING: 1}})
    board.expect({"qwen-chat": {"idc": 1, "elastic": 1}})
    board.grow_old("qwen-chat")
    board.resize("idc", 2)
    board.expect_nodes({"default": 3, "idc": 2, "elastic": 1})
    board.scale("qwen-chat", 3)
    board.expect({"qwen-chat": {"idc": 2, "elastic": 1}})
    board.ready_pods("qwen-chat")
    board.scale("qwen-chat", 2)
    # Elsewhere the newest pod goes first, which is one of idc.
    board.expect({"qwen-chat": {"idc": 2}})
    board.expect_nodes({"default": 3, "idc": 2})
    return "idc, then a node of elastic; its pod goes first, though older, and its node after it"


def _one_machine(objects: StackObjects) -> StackObjects:
    idc = replace(objects.pools["idc"], least=1, most=1)
    return replace(objects, pools={**objects.pools, "idc": idc})


def _spot_taken_away(board: ScaledBoard) -> str:
    board.scale("qwen", 1)
    board.expect({"qwen": {PENDING: 1}})
    board.expect({"qwen": {"t4": 1}})
    [node] = board.nodes_of("t4")
    if node["metadata"]["labels"][SPOT_STRATEGY] == "NoSpot":
        raise Wrong("the node is no spot instance")
    board.sell_out((ANY, node["metadata"]["labels"][INSTANCE_TYPE]))
    begun = board.clock.monotonic()
    board.take_away(node["metadata"]["name"])
    board.expect({"qwen": {PENDING: 1}})
    board.expect({"qwen": {"a10": 1}}, 3 * WAIT_SECONDS, quiet=2 * WAIT_SECONDS)
    if (seconds := board.clock.monotonic() - begun) < WAIT_SECONDS:
        raise Wrong(f"a10 after {seconds:.1f} s, but it must be {WAIT_SECONDS} s, the time-out")
    board.sell_out()
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 1, PENDING: 1}})
    board.expect({"qwen": {"a10": 1, "t4": 1}})
    return f"pending, then a10 after {seconds:.1f} s; the next pod on a new spot node"


def _spot_first() -> Raw:
    changes = {"pools[t4].spot": {}, "models[qwen].placement.pools": ["t4", "a10"]}
    return merged(dev(), changes)


def _to_zero_and_back(board: ScaledBoard) -> str:
    seconds = []
    for _ in range(2):
        board.expect_nodes(_AT_REST)
        board.scale("qwen", 1)
        board.expect({"qwen": {PENDING: 1}})
        seconds.append(board.expect({"qwen": {"t4": 1}}))
        board.expect_nodes({**_AT_REST, "t4": 1})
        board.scale("qwen", 0)
        board.expect({})
    board.expect_nodes(_AT_REST)
    return " and ".join(f"a node of t4 after {each:.1f} s, and none again" for each in seconds)


_AT_REST: Final = {"system": 2, "a10": 2, "cache": 2}


def _on_t4() -> Raw:
    return merged(dev(), {"models[qwen].placement.pools": ["t4"]})


def _zone_sold_out(board: ScaledBoard) -> str:
    board.sell_out(("cn-shanghai-b", _T4))
    board.scale("embed", 1)
    after = board.expect({"embed": {"t4": 1}}, seconds=WAIT_SECONDS - 1)
    [node] = board.nodes_of("t4")
    if (zone := node["metadata"]["labels"][ZONE]) != "cn-shanghai-l":
        raise Wrong(f"the node is in {zone}, but it must be in cn-shanghai-l")
    return f"t4 in the other zone, after {after:.1f} s"


_T4: Final = "ecs.gn6i-c24g1.6xlarge"
_A10: Final = "ecs.gn7i-c32g1.8xlarge"
_TWICE_AS_LARGE: Final = "ecs.gn7i-c32g1.16xlarge"


def _type_sold_out(board: ScaledBoard) -> str:
    board.sell_out((ANY, _T4), (ANY, _A10))
    begun = board.clock.monotonic()
    board.scale("embed", 1)
    board.expect({"embed": {PENDING: 1}})
    board.stays({"embed": {PENDING: 1}}, WAIT_SECONDS - 2)
    board.expect({"embed": {"a10-spot": 1}}, 3 * WAIT_SECONDS)
    seconds = board.clock.monotonic() - begun
    [node] = board.nodes_of("a10-spot")
    if (size := node["metadata"]["labels"][INSTANCE_TYPE]) != _TWICE_AS_LARGE:
        raise Wrong(f"the node is {size}, but it must be {_TWICE_AS_LARGE}")
    return f"a10-spot after {seconds:.1f} s, time-out {WAIT_SECONDS} s, of its second type"


def play_day(board: ScaledBoard) -> str:
    """A day of the stack dev: evening, night, morning, noon, evening."""
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}})
    board.train("finetune", 3)
    night = {"qwen": {"a10": 1}, "finetune": {"a10": 1, "t4": 2}}
    board.expect(night)
    board.expect_nodes({**_AT_REST, "t4": 2})
    board.scale("qwen", 2)
    # A10 before T4: training gives way there, and goes on where a node comes for it.
    board.expect({"qwen": {"a10": 2}, "finetune": {"t4": 2, PENDING: 1}})
    board.expect({"qwen": {"a10": 2}, "finetune": {"t4": 3}})
    board.scale("qwen", 4)
    # T4 is at its most: three of four cards are of training, which gives way on one.
    board.expect({"qwen": {"a10": 2, "t4": 2}, "finetune": {"t4": 2, PENDING: 1}})
    board.expect_nodes({**_AT_REST, "t4": 4})
    board.scale("qwen", 2)
    board.expect({"qwen": {"a10": 2}, "finetune": {"t4": 3}})
    board.scale("qwen", 1)
    board.expect({"qwen": {"a10": 1}, "finetune": {"t4": 3}})
    figures = in_time(board)
    for pod in board.pods("finetune"):
        board.client.merge(pod, {"metadata": {"annotations": {ENDS: "0"}}}, MANAGER)
    board.expect_nodes(_AT_REST)
    return f"{figures}; t4 from none to 4 nodes and back"


SCENARIOS: Final = (
    SchedulingScenario(
        "a day, scaled",
        play_day,
        needs=("ResourcePolicy", "priority", "tolerations", "autoscaler"),
    ),
    SchedulingScenario(
        "IDC full", _idc_full, hybrid, _one_machine, needs=("ResourcePolicy", "autoscaler")
    ),
    SchedulingScenario(
        "spot node taken away", _spot_taken_away, _spot_first, sooner, ("ResourcePolicy",)
    ),
    SchedulingScenario(
        "min 0 and back", _to_zero_and_back, _on_t4, needs=("tolerations", "autoscaler")
    ),
    SchedulingScenario("a zone sold out", _zone_sold_out, prod, sooner, ("autoscaler",)),
    SchedulingScenario("a type sold out", _type_sold_out, prod, sooner, ("ResourcePolicy",)),
)


def simulated(objects: StackObjects) -> ScaledBoard:
    """A board of the simulator."""
    cluster = SimulatedCluster(objects, CONDITIONS_OF_A_DAY)
    return ScaledBoard(cluster, objects, cluster)


def run(say: Say) -> Iterator[Row]:
    """A row per scenario, and one for each thing that it cannot do without.

    Raises:
        Skipped: Go is missing, or a program cannot be had.
    """
    if reason := binaries.why_unavailable(nodes=True):
        raise Skipped(reason)
    with control_plane(say) as plane:
        for scenario in SCENARIOS:
            yield from rows(
                scenario, lambda objects: ScaledBoard(SandboxScaling(plane), objects), simulated
            )
        yield _reserve_row(plane, say)


def _reserve_row(plane: ControlPlane, say: Say) -> Row:
    """A model with a reserve instance: Knative takes its pods away, and the pool its nodes.

    The instance itself is made by ACK's Knative alone, so what is seen of it is what the pods say.
    """
    raw = merged(_on_t4(), knative.TO_ZERO)
    scaled = ScaledBoard(SandboxScaling(plane), stack_objects(raw))
    running.start(plane, [KNATIVE], say)
    client = plane.client
    [service] = knative.prepare(client, planned(raw))
    about = service["metadata"]
    for volume in service["spec"]["template"]["spec"]["volumes"]:
        if claim := volume.get("persistentVolumeClaim"):
            bind_claim(client, about["namespace"], claim["claimName"])
    key = f"{about['namespace']}.{about['name']}"
    client.apply(service, MANAGER)
    seen, faults = [], []
    for load in (1, 0, 1):
        client.apply(requests_in_hand({key: load}), MANAGER, force=True)
        begun = time.monotonic()
        try:
            scaled.expect_nodes({**_AT_REST, **({"t4": 1} if load else {})}, knative.READY_SECONDS)
        except Wrong as wrong:
            faults.append(f"{load} requests in hand: {wrong}")
        seen.append(f"{load}->{load} ({time.monotonic() - begun:.0f} s)")
    if not (pods := knative.pods_of(client, service)):
        faults.append("there is no pod")
    if any(pod["metadata"]["annotations"].get(RESERVE) != "enable" for pod in pods):
        faults.append("a pod lacks the annotation of a reserve instance")
    if until(lambda: _is_on(client, service, scaled.nodes_of("t4")), LONGEST_SECONDS) is None:
        faults.append("the pod is not on the node that came for it")
    return Row("reserve instance", f"requests -> nodes of t4: {', '.join(seen)}", tuple(faults))


def _is_on(client: ApiClient, service: Manifest, nodes: Sequence[Manifest]) -> bool:
    """Whether all pods of a service are on some nodes."""
    names = {node["metadata"]["name"] for node in nodes}
    return {pod["spec"].get("nodeName") for pod in knative.pods_of(client, service)} == names


STEP: Final = Step("scenarios", run, seconds=430)
