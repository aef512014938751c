"""The pods that objects start, whatever their kind, and the policies that select them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.crds.leader_worker_labels import SET_NAME, WORKER_INDEX
from components.crds.llm_inference_service_labels import pod_labels, serving_labels
from components.crds.role_based_group_labels import GROUP_NAME, ROLE_NAME

from . import kinds
from .model import Plan, kept
from .objects import MAPPINGS, Manifest, Objects, items, kind_of, name_of, namespace_of, section

_PLACES: Final = ("template.spec", "spec.predictor", "spec.transformer", "spec.explainer")
"""Ends of the paths at which every template, and every component of KServe, has a pod spec."""
_LEAVES: Final = (str, int, float, type(None))
"""Most values of an object, with nothing in them to look through."""


@dataclass(frozen=True)
class Pods:
    """Pods that an object starts from one template."""

    namespace: str
    labels: Mapping[str, Any]
    """With those that Knative or KServe add."""
    spec: Mapping[str, Any]
    path: str
    """Where the pod spec stands in the object, e.g. `spec.template.spec`."""


def pods_of(manifest: Manifest) -> Iterator[Pods]:
    """The pods that an object starts, one entry per template; none where its kind starts none.

    A pod spec is known by its place in a template or by its list of containers, not by the kind
    around it, so that a Deployment, a CronJob and a kind of tomorrow are read alike.
    """
    for path, labels, spec in _pod_specs(_unpatched(manifest), "", {}):
        added = _added_labels(manifest, path)
        yield Pods(namespace_of(manifest), {**labels, **added}, spec, path)


@kept
def pods_in(plan: Plan) -> Mapping[str, Sequence[Pods]]:
    """The pods that each object of a plan starts, by the URN of its resource."""
    return {
        resource.urn: tuple(pods_of(manifest))
        for resource in plan.resources
        if (manifest := resource.manifest) is not None
    }


def containers(pods: Pods) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container of some pods with its path in the object, those that prepare first.

    KServe may have a `model` in a container's place.
    """
    for key in ("initContainers", "containers"):
        for number, container in enumerate(items(pods.spec, key)):
            yield f"{pods.path}.{key}[{container.get('name', number)}]", container
    if model := section(pods.spec, "model"):
        yield f"{pods.path}.model", model


def selects(policy: Manifest, pods: Pods) -> bool:
    """Whether a ResourcePolicy places some pods."""
    selector = section(policy, "spec", "selector")
    return namespace_of(policy) == pods.namespace and selector.items() <= pods.labels.items()


def policies_of(objects: Objects, pods: Pods) -> Sequence[Manifest]:
    """The ResourcePolicies that place some pods, by name."""
    by_label = objects.by(_selected, *kinds.RESOURCE_POLICY)
    likely = (
        policy
        for label in labels_to_try(pods.labels)
        for policy in by_label.get((pods.namespace, label), ())
    )
    return sorted((policy for policy in likely if selects(policy, pods)), key=name_of)


def label_to_find(selector: Mapping[str, Any]) -> str:
    """The label by which an index holds a selector; empty for one that selects everything."""
    return min((f"{key}={value}" for key, value in selector.items()), default="")


def labels_to_try(labels: Mapping[str, Any]) -> list[str]:
    """Where in such an index a selector stands, if it selects what carries some labels."""
    return ["", *(f"{key}={value}" for key, value in labels.items())]


def _selected(policy: Manifest) -> tuple[str, str]:
    return namespace_of(policy), label_to_find(section(policy, "spec", "selector"))


def _pod_specs(
    value: object, path: str, labels: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            if not isinstance(item, _LEAVES):
                yield from _pod_specs(item, f"{path}[{number}]", {})
    elif isinstance(value, MAPPINGS):
        if path.endswith(_PLACES) or isinstance(value.get("containers"), list):
            yield path, labels, value
        for key, inner in value.items():
            if not isinstance(inner, _LEAVES):
                above = section(value, "metadata", "labels") if key == "spec" else {}
                yield from _pod_specs(inner, f"{path}.{key}" if path else key, above)


def _unpatched(manifest: Manifest) -> Manifest:
    """A RoleBasedGroup with what its patches make of leaders, in place of the patches."""
    if kind_of(manifest) != kinds.ROLES:
        return manifest
    roles = [_role(role) for role in items(section(manifest, "spec"), "roles")]
    return {**manifest, "spec": {"roles": roles}}


def _role(role: Mapping[str, Any]) -> Mapping[str, Any]:
    group = section(role, "leaderWorkerPattern")
    leader = leader_template(role)
    if leader is None:
        return role
    pattern = {"leaderTemplate": leader, "template": group["template"]}
    return {**role, "leaderWorkerPattern": pattern}


def leader_template(role: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The pod of a leader of a role, by its strategic merge patch; None where it has none."""
    group = section(role, "leaderWorkerPattern")
    template, patch = section(group, "template"), section(group, "leaderTemplatePatch", "spec")
    if not patch:
        return None
    own = {part["name"]: part for part in items(patch, "containers")}
    containers = items(section(template, "spec"), "containers")
    whole = [{**part, **own.get(part.get("name"), {})} for part in containers]
    return {**template, "spec": {**section(template, "spec"), "containers": whole}}


def _added_labels(manifest: Manifest, path: str) -> Mapping[str, Any]:
    """Labels that a controller puts on the pods of a template, beside the template's own."""
    kind = kind_of(manifest)
    if kind == kinds.ROLES:
        number = int(path.partition("[")[2].partition("]")[0])
        role = items(section(manifest, "spec"), "roles")[number].get("name")
        return {GROUP_NAME: name_of(manifest), ROLE_NAME: role}
    if kind == kinds.KNATIVE_SERVICE:
        return {
            f"{kinds.KNATIVE}/{role}": name_of(manifest) for role in ("service", "configuration")
        }
    if kind == kinds.GROUPS:
        added = {SET_NAME: name_of(manifest)}
        return {**added, WORKER_INDEX: "0"} if path.endswith("leaderTemplate.spec") else added
    if kind == kinds.LLM_INFERENCE_SERVICE:
        role = {".prefill.": ("prefill",), ".router.": ("router", "scheduler"), "": ()}
        steps = next(steps for part, steps in role.items() if part in path)
        labels = section(manifest, "spec", *steps, "labels")
        answers = not any(part in f".{path}." for part in (".worker.", ".router."))
        of_service = serving_labels if answers else pod_labels
        return {**labels, **of_service(name_of(manifest))}
    if kind == kinds.INFERENCE_SERVICE:
        component = path.removeprefix("spec.").partition(".")[0]
        return {
            **section(manifest, "metadata", "labels"),
            **section(manifest, "spec", component, "labels"),
            "app": f"isvc.{name_of(manifest)}-{component}",
            f"{kinds.KSERVE}/inferenceservice": name_of(manifest),
        }
    return {}
