"""Rules over what may run and be taken away: quotas and disruption budgets."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from components.args import Fault, Words
from components.quantity import is_quantity, parse
from plan.model import Plan
from plan.objects import Manifest, items, kind_of, name_of, namespace_of, section
from plan.pods import Pods, containers, pods_in

from .model import Finding, Settings

_COUNTED: Final = ("pods", "count/pods")
"""Names by which a quota bounds pods themselves."""
_EVERY: Final = "100%"
_NONE: Final = ("0", "0%")


def empty_quotas(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Quotas by which pods of the stack can never start."""
    pods = [pods for group in pods_in(plan).values() for pods in group]
    for resource in plan.resources:
        manifest = resource.manifest
        if manifest is None:
            continue
        if kind_of(manifest) == ("", "ResourceQuota"):
            there = [each for each in pods if each.namespace == namespace_of(manifest)]
            for name, most in section(manifest, "spec", "hard").items():
                if _amount(most) == 0 and any(_asks(each, name) for each in there):
                    want = "more, or left out"
                    why = f"pods of the stack in {namespace_of(manifest)} ask for it"
                    yield resource, Fault(f"spec.hard[{name}]", most, want, why)
        elif kind_of(manifest) == ("scheduling.sigs.k8s.io", "ElasticQuotaTree"):
            for field, fault in _tree(section(manifest, "spec", "root"), "spec.root"):
                yield resource, Fault(field, *fault)


def _asks(pods: Pods, limited: str) -> bool:
    """Whether some pods count for a resource of a quota, such as `requests.nvidia.com/gpu`."""
    resource = limited.removeprefix("requests.").removeprefix("limits.")
    return resource in _COUNTED or any(
        _amount(section(container, "resources", part).get(resource))
        for _, container in containers(pods)
        for part in ("requests", "limits")
    )


def _tree(quota: Mapping[str, Any], path: str) -> Iterator[tuple[str, tuple[Any, str, str]]]:
    """Nodes of a tree that guarantee more than they may use."""
    most = section(quota, "max")
    for name, least in section(quota, "min").items():
        bound = _amount(most.get(name))
        if bound is not None and (amount := _amount(least)) is not None and bound < amount:
            want = f"{least} or more, as min has it"
            why = "the bound covers what is guaranteed, or the scheduler refuses the tree"
            yield f"{path}.max[{name}]", (most[name], want, why)
    for number, child in enumerate(items(quota, "children")):
        yield from _tree(child, f"{path}.children[{child.get('name', number)}]")


def _amount(value: object) -> Any:
    """A quantity as a number; None where it is none, or not known yet."""
    text = str(value)
    return parse(text) if is_quantity(text) else None


def stuck_nodes(plan: Plan, _: Settings) -> Iterator[Finding]:
    """Disruption budgets that let no pod go, so that no node with one is ever drained."""
    replicas = _most_replicas(plan)
    for resource in plan.resources:
        manifest = resource.manifest
        if manifest is None or kind_of(manifest) != ("policy", "PodDisruptionBudget"):
            continue
        spec = section(manifest, "spec")
        why = "no node with one of the pods is drained, upgraded or scaled in"
        most, least = (spec.get(field) for field in ("maxUnavailable", "minAvailable"))
        if most is not None and str(most) in _NONE:
            yield resource, Fault("spec.maxUnavailable", most, "1 or more", why)
        if least is None:
            continue
        wanted = section(spec, "selector", "matchLabels")
        bounds = [
            bound
            for pods, bound in replicas
            if pods.namespace == namespace_of(manifest) and wanted.items() <= pods.labels.items()
        ]
        if least == _EVERY or (bounds and isinstance(least, int) and least >= max(bounds)):
            got = Words(f"{least} of at most {max(bounds)}") if bounds else least
            want = "fewer than there are replicas at the most"
            yield resource, Fault("spec.minAvailable", got, want, why)


def _most_replicas(plan: Plan) -> list[tuple[Pods, int]]:
    """Pods, and how many of them there may be at the most, where the stack says so."""
    scaled = {
        (namespace_of(manifest), section(manifest, "spec", "scaleTargetRef").get("name")): most
        for manifest in plan.manifests("HorizontalPodAutoscaler")
        if isinstance(most := section(manifest, "spec").get("maxReplicas"), int)
    }
    bounded = []
    groups = pods_in(plan)
    for resource in plan.resources:
        manifest = resource.manifest
        if manifest is None or (read := _REPLICAS.get(kind_of(manifest))) is None:
            continue
        most = scaled.get((namespace_of(manifest), name_of(manifest)), read(manifest))
        if isinstance(most, int) and most:
            bounded += [(pods, most) for pods in groups.get(resource.urn, ())]
    return bounded


def _own(manifest: Manifest) -> object:
    return section(manifest, "spec").get("replicas", 1)


def _predictor(manifest: Manifest) -> object:
    return section(manifest, "spec", "predictor").get("maxReplicas")


def _revision(manifest: Manifest) -> object:
    notes = section(manifest, "spec", "template", "metadata", "annotations")
    text = str(notes.get("autoscaling.knative.dev/max-scale", ""))
    return int(text) if text.isdecimal() else None


_REPLICAS: Final[Mapping[tuple[str, str], Callable[[Manifest], object]]] = MappingProxyType(
    {
        ("apps", "Deployment"): _own,
        ("apps", "StatefulSet"): _own,
        ("serving.kserve.io", "InferenceService"): _predictor,
        ("serving.knative.dev", "Service"): _revision,
    }
)
"""How many replicas an object has at the most; 0 and None where it has no bound."""
