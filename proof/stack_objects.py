"""What a stack puts into a cluster to be scheduled: pools as nodes, and workloads as their pods.

The manifests are those of the plan. A Deployment stands for what Knative and KServe make of a
model, with the labels that they add.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from plan.machine_facts import planned_pools
from plan.machines import LivePool
from plan.pods import pods_of
from tests.stacks.environments import Raw, accepted, planned

_KUBERNETES: Final = "kubernetes:"
_POLICY: Final = "scheduling.alibabacloud.com/v1alpha1"
_NO_POD_FIELDS: Final = (
    *("containerConcurrency", "responseStartTimeoutSeconds", "timeoutSeconds"),  # Knative
    *("annotations", "labels", "maxReplicas", "minReplicas", "timeout"),  # KServe
)

Manifest = dict[str, Any]
Change = Callable[[Manifest], None]
"""Takes something away from the template of a pod."""


@dataclass(frozen=True)
class StackObjects:
    """Objects of a stack, as far as scheduling looks at them."""

    pools: Mapping[str, LivePool]
    """By name."""
    priorities: tuple[Manifest, ...]
    policies: tuple[Manifest, ...]
    models: Mapping[str, Manifest]
    """Deployments of no replicas, by the name of the model."""
    jobs: Mapping[str, Manifest]
    """Training, by name."""

    def with_pods(self, change: Change) -> "StackObjects":
        """The same, with something taken away from every pod."""

        def changed(workloads: Mapping[str, Manifest]) -> dict[str, Manifest]:
            copies = copy.deepcopy(dict(workloads))
            for workload in copies.values():
                change(workload["spec"]["template"]["spec"])
            return copies

        return replace(self, models=changed(self.models), jobs=changed(self.jobs))

    def with_policy(self, **fields: Any) -> "StackObjects":
        """The same, with fields of every ResourcePolicy set. `units` has an entry per unit."""
        policies = copy.deepcopy(self.policies)
        units = fields.pop("units", [])
        for policy in policies:
            policy["spec"].update(fields)
            for unit, change in zip(policy["spec"]["units"], units, strict=False):
                unit.update(change)
        return replace(self, policies=policies)


def stack_objects(raw: Raw) -> StackObjects:
    """The objects of an accepted stack file. IDs are those that a plan of `pulumi up` has."""
    plan = planned(raw, preview=False)
    resources = [resource for resource in plan.resources if resource.type.startswith(_KUBERNETES)]
    manifests = [_plain(resource.inputs) for resource in resources]
    return StackObjects(
        pools=planned_pools(plan, accepted(raw), machines=2),
        priorities=_of(manifests, "scheduling.k8s.io/v1", "PriorityClass"),
        policies=_of(manifests, _POLICY, "ResourcePolicy"),
        models=dict(_models(manifests)),
        jobs={
            job["metadata"]["name"]: _without_claims(job)
            for job in _of(manifests, "batch/v1", "Job")
        },
    )


def _of(manifests: list[Manifest], api_version: str, kind: str) -> tuple[Manifest, ...]:
    return tuple(
        manifest
        for manifest in manifests
        if (manifest.get("apiVersion"), manifest.get("kind")) == (api_version, kind)
    )


def _models(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for manifest in manifests:
        if manifest.get("kind") not in ("Service", "InferenceService"):
            continue
        for pods in pods_of(manifest):
            name = manifest["metadata"]["name"]
            deployment = {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": pods.namespace},
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": dict(pods.labels)},
                    "template": {
                        "metadata": {"labels": dict(pods.labels)},
                        "spec": copy.deepcopy(dict(pods.spec)),
                    },
                },
            }
            yield name, _without_claims(_as_deployment(deployment))


def _as_deployment(deployment: Manifest) -> Manifest:
    """Fills in what Knative and KServe do, and leaves out what is theirs alone."""
    spec = deployment["spec"]["template"]["spec"]
    for field in _NO_POD_FIELDS:
        spec.pop(field, None)
    for number, container in enumerate(spec["containers"]):
        container.setdefault("name", f"container-{number}")
    return deployment


def _without_claims(workload: Manifest) -> Manifest:
    """Mounts nothing: whether a claim is bound has no part in where a pod goes."""
    workload = copy.deepcopy(workload)
    spec = workload["spec"]["template"]["spec"]
    spec.pop("volumes", None)
    spec.pop("serviceAccountName", None)
    for container in [*spec["containers"], *spec.get("initContainers", ())]:
        container.pop("volumeMounts", None)
    return workload


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(inputs, default=str))
    return document
