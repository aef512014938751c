"""The loop that keeps the nodes of a cluster as its pools want them."""

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

from plan.machines import Facts, LivePool, pools

from ..cloud.cloud_file import CloudFile
from ..conditions import read_node_conditions
from ..kubernetes.client import ApiClient, Manifest, StatusError
from ..private import write_private
from .scaling import Coming, Snapshot, decide, idle_nodes, is_agent

CLOUD: Final = "cloud.json"
"""File of the cloud, in the folder of a sandbox."""
CONDITIONS: Final = "conditions.json"
"""File of the conditions, there too."""
FACTS: Final = "nodes.json"
"""File of what the stack file says of nodes, there too."""
STATE: Final = "autoscaler.json"
"""File in the folder of a cluster: what the last round saw, for who looks at it."""
MANAGER: Final = "autoscaler"
SECONDS: Final = 1.0
"""Pause between two rounds, at the least."""

DRAIN_SECONDS: Final = 30
"""How long pods have to leave a node that is taken away."""

_POLICY: Final = "scheduling.alibabacloud.com/v1alpha1"


class Autoscaler:
    """Adds and removes the nodes of one cluster, round by round."""

    def __init__(self, client: ApiClient, sandbox: Path, cluster: Path) -> None:
        """Finds the files that it reads.

        Args:
            client: Speaks to the cluster.
            sandbox: Folder of the sandbox.
            cluster: Folder of the cluster, called as its ID.
        """
        self._client = client
        self._sandbox = sandbox
        self._cluster = cluster
        self._cloud = CloudFile(sandbox / CLOUD)
        self._coming: list[Coming] = []
        self._idle_since: dict[str, float] = {}
        self._marked: set[str] = set()
        self._seen: set[str] = set()

    def work(self) -> None:
        """Goes on for ever."""
        while True:
            begun = time.monotonic()
            # The API server is away, or an object changed meanwhile: the next round will do.
            with contextlib.suppress(requests.RequestException, StatusError):
                self.round()
            # A large cluster is looked at less often: others need the processor too.
            time.sleep(max(SECONDS, 2 * (time.monotonic() - begun)))

    def round(self) -> None:
        """Does once what there is to do."""
        now = time.monotonic()
        conditions = read_node_conditions(self._sandbox / CONDITIONS)
        all_pools = pools(
            self._cloud.resources(),
            read_facts(self._sandbox / FACTS),
            self._cluster.name,
            conditions.machines,
        )
        cluster = self._look()
        self._remember_idle(cluster, now)
        new = {pool.id for pool in all_pools} - self._seen
        decision = decide(
            all_pools, cluster, self._coming, self._idle_since, conditions, now, first=new
        )
        self._coming += decision.bought
        self._seen |= new
        self._remove(decision.removed)
        for node in [node for node in self._coming if node.due <= now]:
            self._client.apply(node.manifest, MANAGER)
            self._coming.remove(node)
        self._tell(all_pools, decision.notes)

    def _look(self) -> Snapshot:
        kinds = (
            ("v1", "Node"),
            ("v1", "Pod"),
            ("v1", "PersistentVolumeClaim"),
            (_POLICY, "ResourcePolicy"),
        )
        return Snapshot(*(self._client.list_objects(*kind) for kind in kinds))

    def _remember_idle(self, cluster: Snapshot, now: float) -> None:
        self._idle_since = {name: self._idle_since.get(name, now) for name in idle_nodes(cluster)}

    def _remove(self, names: list[str]) -> None:
        """Keeps pods off a node in one round, and removes it in the next."""
        marked = self._marked
        self._marked = set()
        for name in names:
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
            if name in marked:
                self._client.delete(node)
            else:
                self._cordon(node, True)
                self._marked.add(name)
        for name in marked.difference(names):
            self._cordon({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}, False)

    def _cordon(self, node: Manifest, unschedulable: bool) -> None:
        with contextlib.suppress(StatusError):  # It may be gone.
            self._client.merge(node, {"spec": {"unschedulable": unschedulable}}, MANAGER)

    def _tell(self, all_pools: list[LivePool], notes: Mapping[str, str]) -> None:
        state: dict[str, Any] = {
            "pools": [
                {
                    "id": pool.id,
                    "name": pool.name,
                    "least": pool.least,
                    "most": pool.most,
                    "coming": sum(node.pool_id == pool.id for node in self._coming),
                }
                for pool in all_pools
            ],
            "notes": dict(notes),
        }
        write_private(self._cluster / STATE, json.dumps(state))


def read_facts(path: Path) -> Facts:
    """What the stack file says of nodes; nothing where it has not said it yet."""
    return Facts.of(json.loads(path.read_text())) if path.exists() else Facts()


def take_away(client: ApiClient, name: str, seconds: float = DRAIN_SECONDS) -> None:
    """Takes a node away, as the cloud does with a spot instance: drains it first.

    Args:
        client: Speaks to the cluster.
        name: Name of the node.
        seconds: How long its pods have; ECS gives five minutes' notice.
    """
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    client.merge(node, {"spec": {"unschedulable": True}}, MANAGER)
    until = time.monotonic() + seconds
    while pods := [pod for pod in client.list_objects("v1", "Pod") if _is_on(pod, name)]:
        if time.monotonic() > until:
            break
        for pod in pods:
            if "deletionTimestamp" not in pod["metadata"]:
                client.evict(pod)
        time.sleep(0.2)
    client.delete(node)


def _is_on(pod: Manifest, node: str) -> bool:
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return pod["spec"].get("nodeName") == node and not ended and not is_agent(pod)
