"""Models behind a gateway, as stacks have them: who is asked, and who answers.

Does not prove that the real parts do so: `proof routing` sends requests through them.
"""

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from plan.cost import bill
from plan.diff.compare import compare
from plan.diff.dangers import headlines
from plan.graph import graph_of
from plan.model import Plan, Resource
from plan.pods import pods_in
from plan.words import steps

from .checks.test_gateway import ack, edge, envoy, groups, routers
from .environments import GONE, Raw, merged, planned, refusal

GATEWAY_API: Final = "kubernetes:gateway.networking.k8s.io/v1"
ENVOY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1"
POOL: Final = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
OLD_POOL: Final = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferencePool"
OBJECTIVE: Final = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferenceObjective"
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
NAME: Final = "X-Gateway-Model-Name"


def named(plan: Plan, type_: str) -> dict[str, Resource]:
    return {one.inputs["metadata"]["name"]: one for one in plan.of(type_)}


def specs(raw: Raw, kind: str) -> dict[str, Any]:
    type_ = kind if kind.startswith("kubernetes:") else f"{GATEWAY_API}:{kind}"
    return {name: one.inputs["spec"] for name, one in named(planned(raw), type_).items()}


VISIBILITY: Final = "networking.kserve.io/visibility"


def test_a_model_behind_a_gateway_has_no_address_that_leads_past_its_keys() -> None:
    """KServe makes an Ingress of each InferenceService that is not cluster-local."""
    for raw, label in ((envoy(), "cluster-local"), (routers(), None)):
        plan = planned(raw)
        for service in plan.of("kubernetes:serving.kserve.io/v1beta1:InferenceService"):
            assert service.inputs["metadata"]["labels"].get(VISIBILITY) == label
    outputs = planned(envoy()).outputs
    assert "qwen_curl" not in outputs
    assert outputs["qwen_host"] == "models.example.org"


def container(raw: Raw, name: str) -> Any:
    spec = specs(raw, DEPLOYMENT)[name]
    return spec["template"]["spec"]["containers"][0]


def told(raw: Raw, name: str) -> Any:
    """How a picker is told to choose."""
    args = container(raw, name)["args"]
    return json.loads(args[args.index("--config-text") + 1])


def shares(rule: Any) -> list[tuple[Any, Any, dict[str, str]]]:
    """Of each backend of a rule: its name, its weight, and the headers that it is given."""
    return [
        (
            backend["name"],
            backend.get("weight"),
            {
                header["name"]: header["value"]
                for entry in backend.get("filters", ())
                for header in entry["requestHeaderModifier"]["set"]
            },
        )
        for backend in rule["backendRefs"]
    ]


def asked(rule: Any) -> list[str]:
    headers = (match["headers"] for match in rule.get("matches", ()))
    return [header["value"] for [header] in headers if header["name"] == NAME]


# --- Envoy Gateway -------------------------------------------------------------------------------


def test_requests_go_by_the_name_in_their_body_and_their_model_is_named_in_a_header() -> None:
    [rule] = specs(envoy(), "HTTPRoute")["coder-route"]["rules"]
    assert asked(rule) == ["coder"]
    assert shares(rule) == [("models-pickers", None, {"x-model-backend": "coder"})]


def test_a_canary_gets_its_share_of_every_name_with_its_own_priorities() -> None:
    rules = specs(envoy(), "HTTPRoute")["qwen-route"]["rules"]
    assert [asked(rule) for rule in rules] == [["qwen"], ["qwen-legal"]]
    for number, rule in enumerate(rules):
        assert [(weight, headers) for _, weight, headers in shares(rule)] == [
            (
                weight,
                {"x-model-backend": model, "x-gateway-inference-objective": f"{model}-{number}"},
            )
            for model, weight in (("qwen", 90), ("qwen-next", 10))
        ]
    objectives = specs(envoy(), OBJECTIVE)
    assert {name: spec["priority"] for name, spec in objectives.items()} == {
        **{"qwen-0": 10, "qwen-1": 0},
        **{"qwen-next-0": 10, "qwen-next-1": 0},
    }
    assert "qwen-next-route" not in specs(envoy(), "HTTPRoute")


def test_behind_the_gateway_each_model_has_a_picker_and_its_header_leads_to_it() -> None:
    plan = planned(envoy())
    for model in ("qwen", "qwen-next", "coder"):
        route = named(plan, f"{GATEWAY_API}:HTTPRoute")[f"{model}-picked"].inputs["spec"]
        assert [parent["name"] for parent in route["parentRefs"]] == ["models-pickers"]
        [rule] = route["rules"]
        assert rule["matches"] == [{"headers": [{"name": "x-model-backend", "value": model}]}]
        [backend] = rule["backendRefs"]
        assert (backend["name"], backend["port"]) == (f"{model}-predictor", 80)
        policies = named(plan, f"{ENVOY}:EnvoyExtensionPolicy")
        [processor] = policies[f"{model}-picked"].inputs["spec"]["extProc"]
        assert processor["backendRefs"] == [{"name": f"{model}-picker", "port": 9002}]
        traffic = named(plan, f"{ENVOY}:BackendTrafficPolicy")[f"{model}-picked"].inputs["spec"]
        [source] = traffic["loadBalancer"]["endpointOverride"]["extractFrom"]
        assert source == {"header": "x-gateway-destination-endpoint"}


def test_a_request_that_names_no_model_is_read_too_and_answered_by_nobody() -> None:
    """Envoy asks the program that reads bodies of requests that have a route alone."""
    [rule] = specs(envoy(), "HTTPRoute")["models-unknown"]["rules"]
    assert "matches" not in rule
    assert shares(rule) == [("models-pickers", None, {})]


def test_with_hosts_alone_no_body_is_read() -> None:
    hosts = {f"models[{name}].route": {"host": f"{name}.example.org"} for name in ("qwen", "coder")}
    raw = envoy(**{**hosts, "models[qwen-next].route": GONE, "gateway.host": GONE})
    assert "body-router" not in specs(raw, DEPLOYMENT)
    route = specs(raw, "HTTPRoute")["coder-route"]
    assert route["hostnames"] == ["coder.example.org"]
    assert "matches" not in route["rules"][0]


def test_a_picker_is_told_how_to_choose() -> None:
    weights = {
        name: {
            plugin["pluginRef"]: plugin["weight"]
            for plugin in told(envoy(), f"{name}-picker")["schedulingProfiles"][0]["plugins"]
        }
        for name in ("qwen", "coder")
    }
    load = {"queue-scorer": 2, "kv-cache-utilization-scorer": 2}
    assert weights == {"qwen": {**load, "prefix-cache-scorer": 3}, "coder": load}
    assert told(envoy(), "qwen-picker")["featureGates"] == ["flowControl"]
    assert "featureGates" not in told(envoy(), "coder-picker")


def test_tokens_are_told_by_the_picker_and_charged_to_the_key() -> None:
    plugins = {plugin["type"]: plugin for plugin in told(envoy(), "qwen-picker")["plugins"]}
    [attribute] = plugins["request-attribute-reporter"]["parameters"]["attributes"]
    policy = specs(envoy(), f"{ENVOY}:BackendTrafficPolicy")["qwen-picked"]
    requests, tokens = policy["rateLimit"]["global"]["rules"]
    client = [{"headers": [{"name": "x-client-id", "type": "Distinct"}]}]
    assert requests == {"clientSelectors": client, "limit": {"requests": 60, "unit": "Minute"}}
    key = {"namespace": attribute["key"]["namespace"], "key": attribute["key"]["name"]}
    assert tokens["limit"] == {"requests": 200000, "unit": "Hour"}
    assert tokens["cost"] == {
        "request": {"from": "Number", "number": 0},
        "response": {"from": "Metadata", "metadata": key},
    }


def test_no_client_may_say_where_a_request_goes_or_whose_it_is() -> None:
    [policy] = specs(envoy(), f"{ENVOY}:ClientTrafficPolicy").values()
    removed = policy["headers"]["earlyRequestHeaders"]["remove"]
    decided = {
        header
        for route in specs(envoy(), "HTTPRoute").values()
        for rule in route["rules"]
        for match in rule.get("matches", ())
        for header in [match["headers"][0]["name"].lower()]
    }
    [keys] = specs(envoy(), f"{ENVOY}:SecurityPolicy").values()
    told_by_key = keys["apiKeyAuth"]["forwardClientIDHeader"]
    assert {*removed} >= {
        *decided,
        told_by_key,
        "x-gateway-destination-endpoint",
        "x-gateway-inference-objective",
    }


def test_the_address_of_redis_stays_in_its_secret_and_refusals_say_when_to_ask_again() -> None:
    [release] = [one for one in planned(envoy()).of(RELEASE) if one.inputs["name"] == "eg"]
    config = release.inputs["values"]["config"]["envoyGateway"]
    reference = {"secretKeyRef": {"name": "redis-address", "key": "url"}}
    assert config["rateLimit"]["backend"]["redis"] == {"urlRef": reference}
    [container_] = [config["provider"]["kubernetes"]["rateLimitDeployment"]["container"]]
    assert {"name": "LIMIT_RESET_HEADER", "value": "Retry-After"} in container_["env"]


def test_only_the_gateway_in_front_has_a_load_balancer() -> None:
    services = {
        name: spec["provider"]["kubernetes"]["envoyService"]["type"]
        for name, spec in specs(envoy(), f"{ENVOY}:EnvoyProxy").items()
    }
    assert services == {"models": "LoadBalancer", "models-pickers": "ClusterIP"}


def test_models_of_another_namespace_may_attach_and_are_let_through() -> None:
    raw = envoy(
        **{
            "models[coder].namespace": "code",
            "stores[+]": {"name": "code", "claim": {"name": "llm-models", "namespace": "code"}},
            "models[coder].volume.store": "code",
        }
    )
    [grant] = [one.inputs["spec"] for one in planned(raw).resources if "grant" in one.name]
    assert [source["namespace"] for source in grant["from"]] == ["inference", "code"]
    for gateway in specs(raw, "Gateway").values():
        assert gateway["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "All"}}
    [parent] = specs(raw, "HTTPRoute")["coder-route"]["parentRefs"]
    assert parent == {"name": "models", "namespace": "inference"}


@pytest.mark.parametrize("base", [envoy, ack, edge], ids=["envoy", "ack", "edge"])
def test_no_two_pools_select_the_same_pods(base: Any) -> None:
    plan = planned(base())
    pods = [each for group in pods_in(plan).values() for each in group]
    pools = [one.inputs["spec"]["selector"] for type_ in (POOL, OLD_POOL) for one in plan.of(type_)]
    wanted = [selector.get("matchLabels", selector) for selector in pools]
    assert wanted
    for labels in wanted:
        assert sum(labels.items() <= each.labels.items() for each in pods) == 1
    assert len({json.dumps(labels, sort_keys=True) for labels in wanted}) == len(wanted)


def test_of_groups_of_pods_the_leaders_are_asked_alone() -> None:
    raw = merged(groups(), {"gateway": {}, "models[0].route": {}})
    name = raw["models"][0]["name"]
    assert specs(raw, POOL)[name]["selector"]["matchLabels"] == {
        "leaderworkerset.sigs.k8s.io/name": name,
        "leaderworkerset.sigs.k8s.io/worker-index": "0",
    }


def test_a_certificate_comes_from_its_issuer() -> None:
    raw = envoy(**{"gateway.tls": {"issuer": "letsencrypt"}})
    [certificate] = specs(raw, "kubernetes:cert-manager.io/v1:Certificate").values()
    assert certificate["dnsNames"] == ["models.example.org"]
    [listener] = specs(raw, "Gateway")["models"]["listeners"]
    assert listener["tls"]["certificateRefs"] == [{"name": certificate["secretName"]}]


# --- ACK -----------------------------------------------------------------------------------------


def test_on_ack_a_route_leads_to_pools_and_the_pool_says_how_a_pod_is_chosen() -> None:
    [rule] = specs(ack(), "HTTPRoute")["qwen-route"]["rules"]
    assert asked(rule) == ["qwen"]
    assert [(b["group"], b["kind"], b["name"], b["weight"]) for b in rule["backendRefs"]] == [
        ("inference.networking.k8s.io", "InferencePool", "qwen", 90),
        ("inference.networking.k8s.io", "InferencePool", "qwen-next", 10),
    ]
    notes = named(planned(ack()), POOL)["qwen"].inputs["metadata"]["annotations"]
    assert notes["inference.networking.x-k8s.io/routing-strategy"] == "PREFIX_CACHE"


def test_a_release_before_v1_gets_the_group_labels_and_port_that_it_knows() -> None:
    pool = specs(edge(), OLD_POOL)["qwen-hangzhou"]
    assert pool["selector"] == {"app": "isvc.qwen-hangzhou-predictor"}
    assert pool["targetPortNumber"] == 8080
    [rule] = specs(edge(), "HTTPRoute")["qwen-hangzhou-route"]["rules"]
    assert rule["backendRefs"][0]["group"] == "inference.networking.x-k8s.io"
    assert specs(edge(), POOL) == {}


def test_on_edge_each_pool_has_a_gateway_that_its_models_attach_to() -> None:
    proxies = specs(edge(), f"{ENVOY}:EnvoyProxy")
    assert sorted(proxies) == ["models-hangzhou", "models-ningbo"]
    for spec in proxies.values():
        service = spec["provider"]["kubernetes"]["envoyService"]
        assert service["type"] == "NodePort"
        assert service["annotations"] == {"openyurt.io/topologyKeys": "openyurt.io/nodepool"}
        assert spec["provider"]["kubernetes"]["envoyDeployment"]["pod"]["nodeSelector"]
    for name, route in specs(edge(), "HTTPRoute").items():
        pool = name.removeprefix("qwen-").removesuffix("-route")
        assert [parent["name"] for parent in route["parentRefs"]] == [f"models-{pool}"]


def test_the_gateway_of_ack_is_private_unless_it_is_asked_to_be_public() -> None:
    address = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type"
    for public, type_ in ((False, "intranet"), (True, "internet")):
        [spec] = specs(ack(**{"gateway.public": public}), f"{ENVOY}:EnvoyProxy").values()
        service = spec["provider"]["kubernetes"]["envoyService"]
        assert service["annotations"][address] == type_


def test_a_model_of_knative_is_told_by_an_annotation_and_has_no_pool_of_ours() -> None:
    notes = {"knative.example.com/ai-gateway": "inference"}
    raw = ack(
        **{
            "models[qwen].route.canaries": [],
            "models[qwen-next].route": GONE,
            "models[qwen].serve": {"knative": {"scale": {"target": 4, "min": 1, "max": 1}}},
            "gateway.knative_annotations": notes,
        }
    )
    plan = planned(raw)
    [service] = plan.of("kubernetes:serving.knative.dev/v1:Service")
    assert notes.items() <= service.inputs["metadata"]["annotations"].items()
    config = {
        patch.inputs["metadata"]["name"]: patch.inputs["data"]
        for patch in plan.of("kubernetes:core/v1:ConfigMapPatch")
    }
    assert config["config-network"] == {
        "ingress.class": "gateway-api.ingress.networking.knative.dev"
    }
    assert plan.of(POOL) == []


# --- routers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "routing", "command", "policy", "threshold"),
    [
        ("vllm", "DEFAULT", ["vllm-router"], "power_of_two", "0"),
        ("sglang", "DEFAULT", ["sglang-router", "launch"], "cache_aware", "0"),
        ("sglang", "PREFIX_CACHE", ["sglang-router", "launch"], "cache_aware", "4"),
    ],
)
def test_a_router_finds_the_pods_of_its_model(
    kind: str, routing: str, command: list[str], policy: str, threshold: str
) -> None:
    raw = routers(**{"gateway.router": kind, "models[coder].route": {"routing": routing}})
    program = container(raw, "coder-router")
    words = program["args"]
    assert program["command"] == command
    assert words[words.index("--selector") + 1 :] == ["app=isvc.coder-predictor"]
    assert words[words.index("--policy") + 1] == policy
    assert words[words.index("--balance-abs-threshold") + 1] == threshold
    assert words[words.index("--service-discovery-port") + 1] == "8080"
    assert specs(raw, "Gateway") == {}


def test_vllms_router_keeps_no_prefix() -> None:
    raw = routers(**{"gateway.router": "vllm", "models[coder].route": {"routing": "PREFIX_CACHE"}})
    sentence = refusal(raw)
    assert sentence.startswith("models[coder].route.routing is 'PREFIX_CACHE', but it must be")
    assert "router: sglang" in sentence


# --- what a plan says ----------------------------------------------------------------------------


def test_a_plan_tells_the_way_of_a_request() -> None:
    [model] = [each for each in graph_of(planned(envoy())).workloads if each.name == "qwen-next"]
    answers = {step.need: step.answer for step in steps(model)}
    assert answers["gateway"] == (
        "Gateway models (https://models.example.org) -> 10 % of requests for qwen or qwen-legal -> "
        "picker qwen-next-picker (same beginnings, shortest queue, requests wait while all pods "
        "are busy)"
    )
    assert answers["limits"] == (
        "60 requests per minute of each key, 200000 tokens per hour of each key"
    )


@pytest.mark.parametrize(("base", "count"), [(ack, 1), (edge, 0), (envoy, 0)])
def test_a_load_balancer_that_ack_makes_is_billed(base: Any, count: int) -> None:
    """One behind NodePorts is none, and that of another cluster is its owner's."""
    names = [line.name for line in bill(planned(base())).fees]
    assert names.count("gateway load balancer") == count


def test_a_public_gateway_is_billed_by_its_traffic() -> None:
    """All else that is public is taken out of the plan before."""
    for public in (False, True):
        plan = planned(ack(**{"gateway.public": public}))
        rest = [one for one in plan.resources if "eip" not in one.type.lower()]
        counted = bill(replace(plan, resources=rest)).by_use
        assert ("public addresses and their traffic" in counted) is public


def test_who_takes_a_gateway_away_is_told_what_goes_with_it() -> None:
    gone = {f"models[{name}].route": GONE for name in ("qwen", "qwen-next")}
    diff = compare(planned(ack()), planned(ack(**{"gateway": GONE, **gone})))
    told = headlines(diff)
    assert (
        "This deletes the gateway gateway-gateway: its load balancer goes with its address, and no "
        "model behind it answers any more."
    ) in told
    assert any(sentence.startswith("This deletes the policy of keys") for sentence in told)
    assert any(sentence.startswith("This deletes the pool of pods qwen-pool") for sentence in told)
