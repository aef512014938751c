"""What the controller of RoleBasedGroups makes of them: pods, adapters, PodGroups, and their pace.

python -m sandbox.nodes.roles CLUSTER

Written after github.com/sgl-project/rbg v0.7.0 (01df6fc, 2026-06-04), whose module cannot be had:
names and labels of pods, adapters, gangs, dependencies, coordinated scaling, and updates one
instance after another. It makes pods itself, where the real one makes RoleInstances in between.
"""

import contextlib
import hashlib
import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from components.crds.role_based_group_labels import (
    ADAPTER,
    API_VERSION,
    COMPONENT_INDEX,
    COMPONENT_NAME,
    EXCLUSIVE_TOPOLOGY,
    GANG,
    GANG_TIMEOUT,
    GROUP_NAME,
    INSTANCE_NAME,
    KIND,
    POLICY,
    PREFIX,
    ROLE_NAME,
)
from components.crds.role_based_group_rules import pod_name
from plan.objects import items, name_of, namespace_of, section
from plan.pods import leader_template

from ..kubernetes import server
from ..kubernetes.client import ApiClient, Manifest, StatusError, UnknownKind

MANAGER: Final = "rbgs-manager"
SECONDS: Final = 0.3
POD_GROUP: Final = "pod-group.scheduling.sigs.k8s.io/name"
UNSET: Final = f"{PREFIX}/group-unique-hash"
REVISION: Final = "controller-revision-hash"


@dataclass(frozen=True)
class RoleState:
    """How far a role is."""

    desired: int
    """Instances that it should have."""
    current: int
    """Instances that there are."""
    scheduled: int
    """Pods that have a node: the controller compares them with instances."""
    ready: int
    """Instances whose pods are all ready."""

    @property
    def progress(self) -> float:
        """From none to all."""
        if self.desired == 0:
            return 0.0 if self.current else 1.0
        return self.current / self.desired


def next_sizes(states: Mapping[str, RoleState], skew: float, progression: str) -> dict[str, int]:
    """Instances that roles which keep pace may have now.

    Args:
        states: The roles, by name.
        skew: Most difference of their progress, 0 to 1.
        progression: What the next step waits for; "" for nothing.
    """
    growing = [state for state in states.values() if state.current < state.desired]
    reached = {"OrderScheduled": "scheduled", "OrderReady": "ready"}.get(progression)
    if reached and any(getattr(state, reached) < state.current for state in growing):
        return {name: state.current for name, state in states.items()}
    limit = min((state.progress for state in growing), default=1.0) + skew
    return {name: _next_size(state, limit) for name, state in states.items()}


def _next_size(state: RoleState, limit: float) -> int:
    if state.current >= state.desired:
        return state.desired
    if state.progress >= limit:
        return state.current
    return min(state.desired, max(math.ceil(limit * state.desired), state.current + 1))


class RoleGroups:
    """Keeps the RoleBasedGroups of one cluster."""

    def __init__(self, client: ApiClient) -> None:
        """Begins with none."""
        self._client = client

    def work(self) -> None:
        """Goes on for ever."""
        while True:
            with contextlib.suppress(requests.RequestException, StatusError):
                self.round()
            time.sleep(SECONDS)

    def round(self) -> None:
        """Does once what there is to do."""
        groups = self._client.list_objects(API_VERSION, KIND)
        pods = self._client.list_objects("v1", "Pod") if groups else []
        policies = self._client.list_objects(API_VERSION, POLICY) if groups else []
        for group in groups:
            if "deletionTimestamp" not in group["metadata"]:
                with contextlib.suppress(StatusError):
                    self._keep(group, [*_of(group, pods)], policies)

    def _keep(self, group: Manifest, pods: list[Manifest], policies: Sequence[Manifest]) -> None:
        roles = {role["name"]: role for role in group["spec"]["roles"]}
        if not self._has_pod_group(group):
            return
        if self._scales(group, roles):
            return  # What it wrote comes back with the next round.
        states = {name: _state(role, pods) for name, role in roles.items()}
        sizes = {name: state.desired for name, state in states.items()}
        for policy in policies:
            # By its name alone, as the controller looks for it.
            if (namespace_of(policy), name_of(policy)) == (namespace_of(group), name_of(group)):
                sizes |= _coordinated(policy, states)
        for name, role in roles.items():
            before = (states.get(dependency) for dependency in role.get("dependencies") or ())
            if all(state and state.ready >= state.desired for state in before):
                self._make(group, role, [pod for pod in pods if _role(pod) == name], sizes[name])
        self._tell(group, states)

    def _has_pod_group(self, group: Manifest) -> bool:
        """Makes the PodGroup of a gang; without its resource type the controller does nothing."""
        notes = group["metadata"].get("annotations") or {}
        if notes.get(GANG) != "true":
            return True
        size = sum(role["replicas"] * _pods_each(role) for role in group["spec"]["roles"])
        spec = {"minMember": size, "scheduleTimeoutSeconds": int(notes.get(GANG_TIMEOUT, 60))}
        about = self._owned(group, name_of(group))
        with contextlib.suppress(UnknownKind):
            version = "scheduling.x-k8s.io/v1alpha1"
            pod_group = {"apiVersion": version, "kind": "PodGroup", "metadata": about, "spec": spec}
            self._client.apply(pod_group, MANAGER, force=True)
            return True
        return False

    def _scales(self, group: Manifest, roles: Mapping[str, dict[str, Any]]) -> bool:
        """Makes adapters, and gives roles what autoscalers have said to them; whether it wrote."""
        changed = False
        for name, role in roles.items():
            if not section(role, "scalingAdapter").get("enable"):
                continue
            about = self._owned(group, f"{name_of(group)}-{name}", {ROLE_NAME: name})
            adapter = {"apiVersion": API_VERSION, "kind": ADAPTER, "metadata": about}
            live_adapter = self._client.get(adapter)
            if live_adapter is None:
                target = {"name": name_of(group), "role": name}
                spec = {"scaleTargetRef": target, "replicas": role["replicas"]}
                live_adapter = self._client.apply({**adapter, "spec": spec}, MANAGER)
            replicas = section(live_adapter, "spec").get("replicas", role["replicas"])
            selector = f"{GROUP_NAME}={name_of(group)},{ROLE_NAME}={name}"
            status = {"phase": "Bound", "replicas": role["replicas"], "selector": selector}
            if live_adapter.get("status") != status:
                self._client.merge(adapter, {"status": status}, MANAGER, "status")
            if replicas != role["replicas"]:
                role["replicas"], changed = replicas, True
        if changed:
            self._client.merge(group, {"spec": {"roles": [*roles.values()]}}, MANAGER)
        return changed

    def _owned(
        self, group: Manifest, name: str, labels: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Metadata of what goes with a group."""
        owner = {key: group[key] for key in ("apiVersion", "kind")}
        owner |= {"name": name_of(group), "uid": group["metadata"]["uid"], "controller": True}
        return {
            "name": name,
            "namespace": namespace_of(group),
            "labels": {GROUP_NAME: name_of(group), **(labels or {})},
            "ownerReferences": [owner],
        }

    def _make(self, group: Manifest, role: Manifest, pods: list[Manifest], size: int) -> None:
        """Has so many instances of a role, and replaces one of an older template."""
        due = [pod for number in range(size) for pod in self._instance(group, role, number)]
        names, due_names = set(map(name_of, pods)), set(map(name_of, due))
        for pod in due:
            if name_of(pod) not in names:
                self._client.apply(pod, MANAGER)
        for surplus in pods:
            if name_of(surplus) not in due_names:
                self._client.delete(surplus)
        self._replace_old(role, pods)

    def _replace_old(self, role: Manifest, pods: Sequence[Manifest]) -> None:
        """Ends the last instance of an older template, once all others are ready."""
        partition = section(role, "rolloutStrategy", "rollingUpdate").get("partition", 0)
        old: dict[int, list[Manifest]] = {}
        for pod in pods:
            labels = pod["metadata"]["labels"]
            number = int(labels[INSTANCE_NAME].rpartition("-")[2])
            if labels[REVISION] != _revision(role) and number >= int(partition):
                old.setdefault(number, []).append(pod)
        for pod in old[max(old)] if old and all(map(_is_ready, pods)) else ():
            self._client.delete(pod)

    def _instance(self, group: Manifest, role: Manifest, number: int) -> Iterator[dict[str, Any]]:
        """The pods of an instance of a role."""
        several = section(role, "leaderWorkerPattern")
        pattern = several or section(role, "standalonePattern")
        instance = pod_name(name_of(group), role["name"], number)
        notes = group["metadata"].get("annotations") or {}
        for index in range(_pods_each(role)):
            template = pattern["template"]
            labels = {ROLE_NAME: role["name"], INSTANCE_NAME: instance, REVISION: _revision(role)}
            labels[COMPONENT_NAME] = role["name"]
            name = instance
            if several:
                name = pod_name(name_of(group), role["name"], number, index)
                labels[COMPONENT_NAME] = "worker" if index else "leader"
                labels[COMPONENT_INDEX] = str(index)
                template = dict(template if index else leader_template(role) or template)
            if notes.get(GANG) == "true":
                labels[POD_GROUP] = name_of(group)
            about = self._owned(group, name, {**section(template, "metadata", "labels"), **labels})
            about["annotations"] = dict(section(template, "metadata", "annotations"))
            spec = {**template["spec"], "hostname": name}
            if topology := notes.get(EXCLUSIVE_TOPOLOGY):
                spec["affinity"] = {**section(spec, "affinity"), **_near(group, topology)}
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}

    def _tell(self, group: Manifest, states: Mapping[str, RoleState]) -> None:
        is_ready = all(s.desired == s.current == s.ready for s in states.values())
        statuses = [
            {"name": name, "replicas": state.current, "readyReplicas": state.ready}
            for name, state in states.items()
        ]
        condition = {
            "type": "Ready",
            "status": str(is_ready),
            "reason": "AllRolesReady" if is_ready else "RoleNotReady",
            "message": "All roles are ready" if is_ready else "Not all role ready",
        }
        generation = group["metadata"]["generation"]
        status = {
            "conditions": [condition],
            "observedGeneration": generation,
            "roleStatuses": statuses,
        }
        if group.get("status") != status:
            self._client.merge(group, {"status": status}, MANAGER, "status")


def _near(group: Manifest, topology: str) -> dict[str, Any]:
    """The affinity that the controller writes, by a label that it gives to no pod."""
    key = f"{namespace_of(group)}/{name_of(group)}"
    value = hashlib.sha1(key.encode(), usedforsecurity=False).hexdigest()
    expression = {"key": UNSET, "operator": "In", "values": [value]}
    term = {"topologyKey": topology, "labelSelector": {"matchExpressions": [expression]}}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _of(group: Manifest, pods: Sequence[Manifest]) -> Iterator[Manifest]:
    for pod in pods:
        about = pod["metadata"]
        labels = about.get("labels") or {}
        belongs = labels.get(GROUP_NAME) == name_of(group) and ROLE_NAME in labels
        is_here = about["namespace"] == namespace_of(group) and "deletionTimestamp" not in about
        if belongs and is_here:
            yield pod


def _role(pod: Manifest) -> str:
    return str(pod["metadata"]["labels"].get(ROLE_NAME, ""))


def _pods_each(role: Manifest) -> int:
    return int(section(role, "leaderWorkerPattern").get("size", 1))


def _state(role: Manifest, pods: Sequence[Manifest]) -> RoleState:
    role_pods = [pod for pod in pods if _role(pod) == role["name"]]
    instances: dict[str, list[Manifest]] = {}
    for pod in role_pods:
        instances.setdefault(pod["metadata"]["labels"][INSTANCE_NAME], []).append(pod)
    ready = (len(of) == _pods_each(role) and all(map(_is_ready, of)) for of in instances.values())
    scheduled = sum("nodeName" in pod["spec"] for pod in role_pods)
    return RoleState(role["replicas"], len(instances), scheduled, sum(ready))


def _is_ready(pod: Manifest) -> bool:
    conditions = items(section(pod, "status"), "conditions")
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _coordinated(policy: Manifest, states: Mapping[str, RoleState]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for rule in items(section(policy, "spec"), "policies"):
        scaling = section(rule, "strategy", "scaling")
        if scaling:
            skew = float(str(scaling.get("maxSkew", "100%")).removesuffix("%")) / 100
            role_states = {name: states[name] for name in rule["roles"]}
            for name, size in next_sizes(role_states, skew, scaling.get("progression", "")).items():
                sizes[name] = min(size, sizes.get(name, size))
    return sizes


def _revision(role: Manifest) -> str:
    patterns = {key: value for key, value in role.items() if key.endswith("Pattern")}
    return hashlib.sha256(json.dumps(patterns, sort_keys=True).encode()).hexdigest()[:10]


def main(cluster: str) -> None:
    """Works on the cluster whose API server was started in a folder."""
    api_server = server.find(Path(cluster))
    if api_server is None:
        raise SystemExit(f"there is no API server in {cluster}")
    RoleGroups(api_server.client).work()


if __name__ == "__main__":
    main(*sys.argv[1:])
