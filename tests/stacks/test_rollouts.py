"""Shares of requests, budgets and spreading, as a cluster gets them."""

from typing import Any, Final

from components.crds.knative import RevisionTemplate
from components.crds.knative_features import features
from plan.graph import graph_of
from plan.model import Plan, Resource
from plan.words import steps
from tests import crd_schemas

from .checks.parts import NEXT, with_next
from .environments import Raw, dev, hybrid, merged, planned

TRAFFIC: Final = "models[qwen].serve.knative.traffic"
CANARY: Final = "models[qwen-chat].serve.kserve.canary"
SPREAD: Final[Raw] = {
    "topology_spread": [{"topology": "zone", "required": True}, {"topology": "node"}],
    "pod_disruption_budget": {"min_available": 1},
}
CONSTRAINTS: Final = [
    {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "matchLabelKeys": ["pod-template-hash"],
        "nodeTaintsPolicy": "Honor",
    },
    {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["pod-template-hash"],
        "nodeTaintsPolicy": "Honor",
    },
]

SERVICES: Final = (
    "kubernetes:serving.knative.dev/v1:Service",
    "kubernetes:serving.kserve.io/v1beta1:InferenceService",
)


def of(plan: Plan, kind: str) -> list[Resource]:
    return [resource for resource in plan.resources if resource.inputs.get("kind") == kind]


def spread(raw: Raw, model: str) -> Raw:
    return merged(raw, {f"models[{model}].{field}": value for field, value in SPREAD.items()})


def knative_service(raw: Raw) -> Resource:
    [service] = planned(raw).of("kubernetes:serving.knative.dev/v1:Service")
    return service


def template(service: Resource) -> dict[str, Any]:
    pod: dict[str, Any] = service.inputs["spec"]["template"]
    return pod


def test_a_share_goes_to_the_newest_revision_and_the_rest_to_the_one_before() -> None:
    shares = [{"revision": "qwen-00001"}, {"latest": True, "percent": 10, "tag": "next"}]
    service = knative_service(merged(dev(), {TRAFFIC: shares}))
    assert service.inputs["spec"]["traffic"] == [
        {"percent": 90, "revisionName": "qwen-00001", "latestRevision": False},
        {"percent": 10, "latestRevision": True, "tag": "next"},
    ]


def test_one_number_takes_all_requests_back() -> None:
    shares = [{"revision": "qwen-00001"}, {"latest": True, "percent": 0}]
    service = knative_service(merged(dev(), {TRAFFIC: shares}))
    assert [share["percent"] for share in service.inputs["spec"]["traffic"]] == [100, 0]


def test_shares_begin_and_end_without_a_new_revision() -> None:
    """Its template stays as it is, so that no pod starts anew."""
    shares = [{"revision": "qwen-00001"}, {"latest": True, "percent": 10}]
    shared = knative_service(merged(dev(), {TRAFFIC: shares}))
    assert template(shared) == template(knative_service(dev()))


def test_a_model_of_kserve_shares_its_host_with_another_one_by_a_weight() -> None:
    plan = planned(merged(with_next()(), {CANARY: {**NEXT, "model": "next"}}))
    [ingress] = of(plan, "Ingress")
    assert ingress.inputs["metadata"]["name"] == "qwen-chat-canary-route"
    assert ingress.inputs["metadata"]["namespace"] == "inference"
    notes = ingress.inputs["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/canary"] == "true"
    assert notes["nginx.ingress.kubernetes.io/canary-weight"] == "10"
    assert ingress.inputs["spec"]["ingressClassName"] == "nginx"
    [rule] = ingress.inputs["spec"]["rules"]
    assert rule["host"] == plan.outputs["qwen-chat_host"]
    assert rule["http"]["paths"] == [
        {
            "path": "/",
            "pathType": "Prefix",
            "backend": {"service": {"name": "next-predictor", "port": {"number": 80}}},
        }
    ]


def test_a_share_is_given_once_both_models_are_there() -> None:
    plan = planned(merged(with_next()(), {CANARY: {**NEXT, "model": "next"}}))
    [ingress] = of(plan, "Ingress")
    services = [urn for urn in ingress.dependencies if "InferenceService::" in urn]
    assert sorted(urn.rpartition("::")[2] for urn in services) == [
        "next-service",
        "qwen-chat-service",
    ]


def test_knative_below_kserve_shares_between_revisions_by_itself() -> None:
    counted = {"metric": "concurrency", "target": 2, "max": 2}
    changes = {CANARY: NEXT, "models[qwen-chat].serve.kserve.scale": counted}
    plan = planned(merged(hybrid(), changes))
    [service] = [s for s in of(plan, "InferenceService") if s.name == "qwen-chat-service"]
    assert service.inputs["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert of(plan, "Ingress") == []


def test_replicas_on_knative_are_spread_by_a_flag_that_the_stack_sets() -> None:
    raw = spread(dev(), "qwen")
    service = knative_service(raw)
    labels = template(service)["metadata"]["labels"]
    assert template(service)["spec"]["topologySpreadConstraints"] == [
        {**constraint, "labelSelector": {"matchLabels": labels}} for constraint in CONSTRAINTS
    ]
    flag = "kubernetes.podspec-topologyspreadconstraints"
    assert flag in features(RevisionTemplate.model_validate(template(service)))
    maps = [r for r in planned(raw).resources if r.inputs.get("kind") == "ConfigMap"]
    assert any(r.inputs.get("data", {}).get(flag) == "enabled" for r in maps)


def test_replicas_on_kserve_are_spread_too() -> None:
    plan = planned(spread(hybrid(), "qwen-chat"))
    [service] = [s for s in of(plan, "InferenceService") if s.name == "qwen-chat-service"]
    predictor = service.inputs["spec"]["predictor"]
    assert predictor["topologySpreadConstraints"] == [
        {**constraint, "labelSelector": {"matchLabels": predictor["labels"]}}
        for constraint in CONSTRAINTS
    ]


def test_a_budget_counts_the_pods_of_its_model_alone() -> None:
    for raw, model in ((dev(), "qwen"), (hybrid(), "qwen-chat")):
        [budget] = of(planned(spread(raw, model)), "PodDisruptionBudget")
        assert budget.inputs["metadata"] == {"name": model, "namespace": "inference"}
        assert budget.inputs["spec"] == {
            "minAvailable": 1,
            "selector": {"matchLabels": {"release": model}},
            # Of pods that never come up too: findings/budget-keeps-what-is-not-ready.sh.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }


@crd_schemas.needs_crds
def test_services_that_share_and_spread_fit_their_crds() -> None:
    shares = [{"revision": "qwen-00001"}, {"latest": True, "percent": 10, "tag": "next"}]
    plans = [
        planned(spread(merged(dev(), {TRAFFIC: shares}), "qwen")),
        planned(spread(hybrid(), "qwen-chat")),
    ]
    services = [r for plan in plans for kind in SERVICES for r in plan.of(kind)]
    assert len(services) == 3
    assert [line for r in services for line in crd_schemas.errors(r.manifest)] == []


def requests(plan: Plan, model: str) -> list[str]:
    """What a plan says of who gets the requests to a model."""
    [workload] = [run for run in graph_of(plan).workloads if run.name == model]
    return [step.answer for step in steps(workload) if step.need == "requests"]


def test_a_plan_says_who_gets_the_requests() -> None:
    shares = [{"revision": "qwen-00001"}, {"latest": True, "percent": 10, "tag": "next"}]
    assert requests(planned(merged(dev(), {TRAFFIC: shares})), "qwen") == [
        "90 % to qwen-00001, 10 % to the newest revision (also by tag next)"
    ]
    plan = planned(merged(with_next()(), {CANARY: {**NEXT, "model": "next"}}))
    assert requests(plan, "qwen-chat") == ["10 % to next, the rest to what serves already"]
    assert requests(plan, "next") == []
    counted = {"metric": "concurrency", "target": 2, "max": 2}
    changes = {CANARY: NEXT, "models[qwen-chat].serve.kserve.scale": counted}
    assert requests(planned(merged(hybrid(), changes)), "qwen-chat") == [
        "10 % to the newest revision, the rest to what serves already"
    ]
