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
from stacks.checks.images import image_sources
from stacks.needs import Needs
from stacks.runtimes import needs_of

from .checks import parts
from .checks.parts import ATTACHED, LLM_CHAT, LLM_SPLIT
from .checks.test_gateway import BY_KNATIVE, ack, edge, envoy, groups, routers
from .environments import GONE, Raw, accepted, merged, planned, refusal

GATEWAY_API: Final = "kubernetes:gateway.networking.k8s.io/v1"
ENVOY: Final = "kubernetes:gateway.envoyproxy.io/v1alpha1"
POOL: Final = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
OLD_POOL: Final = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferencePool"
OBJECTIVE: Final = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferenceObjective"
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
NAME: Final = "X-Gateway-Model-Name"


def named(plan: Plan, type_: str) -> dict[str, Resource]:
    return {resource.inputs["metadata"]["name"]: resource for resource in plan.of(type_)}


def specs(raw: Raw, kind: str) -> dict[str, Any]:
    type_ = kind if kind.startswith("kubernetes:") else f"{GATEWAY_API}:{kind}"
    return {name: resource.inputs["spec"] for name, resource in named(planned(raw), type_).items()}


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


def test_no_proxy_keeps_requests_from_replicas_that_have_room() -> None:
    """Envoy hands on 1024 at a time. Does not prove that what is set holds; the finding does."""
    policies = specs(envoy(), f"{ENVOY}:BackendTrafficPolicy").values()
    limits = {
        target["name"]: spec["circuitBreaker"] for spec in policies for target in spec["targetRefs"]
    }
    picked = {f"{model}-picked" for model in ("qwen", "qwen-next", "coder")}
    assert limits.keys() == picked | specs(envoy(), "Gateway").keys()
    for policy in specs(envoy(), f"{ENVOY}:EnvoyExtensionPolicy").values():
        for processor in policy["extProc"]:
            [backend] = processor["backendRefs"]
            limits[backend["name"]] = processor["backendSettings"]["circuitBreaker"]
    assert {"qwen-picker", "body-router"} < limits.keys()
    for of_one in limits.values():
        assert len(of_one) == 3
        assert min(of_one.values()) > 10000


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
    [release] = [
        release for release in planned(envoy()).of(RELEASE) if release.inputs["name"] == "eg"
    ]
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
    [grant] = [
        resource.inputs["spec"] for resource in planned(raw).resources if "grant" in resource.name
    ]
    assert [source["namespace"] for source in grant["from"]] == ["inference", "code"]
    for gateway in specs(raw, "Gateway").values():
        assert gateway["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "All"}}
    [parent] = specs(raw, "HTTPRoute")["coder-route"]["parentRefs"]
    assert parent == {"name": "models", "namespace": "inference"}


@pytest.mark.parametrize("base", [envoy, ack, edge], ids=["envoy", "ack", "edge"])
def test_no_two_pools_select_the_same_pods(base: Any) -> None:
    plan = planned(base())
    pods = [pod for group in pods_in(plan).values() for pod in group]
    pools = [
        resource.inputs["spec"]["selector"]
        for type_ in (POOL, OLD_POOL)
        for resource in plan.of(type_)
    ]
    selectors = [selector.get("matchLabels", selector) for selector in pools]
    assert selectors
    for labels in selectors:
        assert sum(labels.items() <= pod.labels.items() for pod in pods) == 1
    assert len({json.dumps(labels, sort_keys=True) for labels in selectors}) == len(selectors)


def test_of_groups_of_pods_the_leaders_are_asked_alone() -> None:
    raw = merged(groups(), {"gateway": {}, "models[0].route": {}})
    name = raw["models"][0]["name"]
    assert specs(raw, POOL)[name]["selector"]["matchLabels"] == {
        "leaderworkerset.sigs.k8s.io/name": name,
        "leaderworkerset.sigs.k8s.io/worker-index": "0",
    }


ROLES: Final = {
    "prefill": {"scale": {"min": 1, "max": 1}, "request_seconds": 900},
    "decode": {"scale": {"min": 1, "max": 1}},
    "router": {"image": "registry.example.org/vllm-router:0.1.17"},
}
FEW: Final = {"limits": [{"requests": 9, "per": "minute"}]}


def split(base: Any = envoy, **route: Any) -> Raw:
    """A model whose prefill and decode are apart, behind a gateway."""
    name = "coder" if base is envoy else "qwen-next"
    return merged(
        base(), {f"models[{name}].serve": {"roles": ROLES}, f"models[{name}].route": route}
    )


def test_requests_for_roles_go_to_their_router_and_no_picker_is_asked() -> None:
    plan = planned(split(**FEW))
    [rule] = named(plan, f"{GATEWAY_API}:HTTPRoute")["coder-picked"].inputs["spec"]["rules"]
    assert rule["backendRefs"] == [{"name": "coder", "port": 80}]
    assert rule["timeouts"] == {"request": "900s"}
    service = named(plan, "kubernetes:core/v1:Service")["coder"].inputs["spec"]
    assert service["ports"][0]["port"] == 80
    assert service["selector"]["rbg.workloads.x-k8s.io/role-name"] == "router"
    assert "coder" not in named(plan, POOL)
    assert "coder-picker" not in named(plan, DEPLOYMENT)
    assert "coder-picked" not in named(plan, f"{ENVOY}:EnvoyExtensionPolicy")
    policy = named(plan, f"{ENVOY}:BackendTrafficPolicy")["coder-picked"].inputs["spec"]
    assert "loadBalancer" not in policy
    assert policy["rateLimit"]["global"]["rules"][0]["limit"] == {"requests": 9, "unit": "Minute"}


def test_roles_may_be_the_canary_of_a_model_whose_requests_wait() -> None:
    lora = {"models[qwen-next].server.vllm.served_model_name": "qwen", "gateway.limits": []}
    changes = {"models[qwen-next].serve": {"roles": ROLES}, "models[qwen-next].route": {}}
    [urgent, *_] = specs(merged(envoy(), {**lora, **changes}), "HTTPRoute")["qwen-route"]["rules"]
    assert [(name, weight) for name, weight, _ in shares(urgent)] == [
        ("models-pickers", 90),
        ("models-pickers", 10),
    ]
    routes = specs(merged(envoy(), {**lora, **changes}), "HTTPRoute")
    assert routes["qwen-next-picked"]["rules"][0]["backendRefs"] == [
        {"name": "qwen-next", "port": 80}
    ]


def test_on_ack_a_host_leads_to_the_router_of_roles() -> None:
    raw = merged(
        split(ack, host="models.example.org", limits=[]), {"models[qwen].route.canaries": []}
    )
    [rule] = specs(raw, "HTTPRoute")["qwen-next-route"]["rules"]
    assert rule["backendRefs"] == [{"name": "qwen-next", "port": 80}]
    assert [*specs(raw, POOL)] == ["qwen"]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (
            split(),
            "models[coder].route.limits is of tokens, but it must be of requests alone: the picker "
            "tells how many tokens an answer took, and none is asked.",
        ),
        (
            split(**FEW, routing="PREFIX_CACHE"),
            "models[coder].route.routing is 'PREFIX_CACHE', but it must be DEFAULT: its own router "
            "chooses the pods of a request, and no picker is asked.",
        ),
        (
            split(**FEW, queueing=True),
            "models[coder].route.queueing is True, but it must be false: its own router chooses "
            "the pods of a request, and no picker is asked.",
        ),
        (
            merged(split(ack), {"models[qwen].route.canaries": []})
            | {"models": [split(ack)["models"][1]]},
            "models[qwen-next].route.host is missing, but it must be given on ACK: no page says "
            "that ACK's gateway reads names in bodies for a Service.",
        ),
        (
            merged(routers(), {"models[coder].serve": {"roles": ROLES}}),
            "models[coder].route is given, but it must be left out with flavor router: its own "
            "router chooses the pods of a request, and no picker is asked.",
        ),
    ],
)
def test_what_a_picker_does_is_refused_where_roles_have_their_router(
    raw: Raw, sentence: str
) -> None:
    assert refusal(raw) == sentence


def test_on_ack_roles_share_no_requests_with_pools() -> None:
    route = {"host": "models.example.org", "canaries": [{"model": "qwen-next", "percent": 10}]}
    changes = {"models[qwen].serve": {"roles": ROLES}, "models[qwen].route": route}
    assert refusal(merged(ack(), changes)) == (
        "models[qwen].route.canaries is given, but it must be left out on ACK: a route of ACK "
        "would have pools beside a Service."
    )


# --- LLMInferenceServices ------------------------------------------------------------------------

LLM: Final = "kubernetes:serving.kserve.io/v1alpha2:LLMInferenceService"


def llm(base: Any, **serve: Any) -> Raw:
    """A gateway's example whose last model is served by an LLMInferenceService."""
    name = "coder" if base is envoy else "qwen-next"
    changes = {f"models[{name}].serve": {"llm": {"scale": {"max": 1}, **serve}}}
    if "router" in serve:
        changes[f"models[{name}].route"] = GONE
        if base is ack:
            changes["models[qwen].route.canaries"] = []
    if base is envoy:
        # What is there has to be set, and is not what this is about.
        changes |= {"cert_manager": "present"}
    return merged(base(), changes)


@pytest.mark.parametrize("base", [ack, envoy])
def test_a_pool_has_the_pods_that_kserves_service_leads_to(base: Any) -> None:
    name = "coder" if base is envoy else "qwen-next"
    plan = planned(llm(base))
    pool = named(plan, POOL)[name].inputs["spec"]
    assert pool["targetPorts"] == [{"number": 8000}]
    assert pool["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "llminferenceservice",
        "kserve.io/component": "workload",
    }
    [model] = [workload for workload in graph_of(plan).workloads if workload.name == name]
    assert "gateway" in {step.need for step in steps(model)}
    if base is envoy:
        [rule] = named(plan, f"{GATEWAY_API}:HTTPRoute")["coder-picked"].inputs["spec"]["rules"]
        assert rule["backendRefs"] == [{"name": "coder-kserve-workload-svc", "port": 8000}]


@pytest.mark.parametrize(
    ("base", "router"), [(ack, {}), (envoy, {"scheduler": False})], ids=["ack", "envoy"]
)
def test_kserves_route_leads_to_the_gateway_of_the_stack_which_comes_first(
    base: Any, router: Any
) -> None:
    name, plan = "coder" if base is envoy else "qwen-next", planned(llm(base, router=router))
    service = named(plan, LLM)[name].inputs["spec"]["router"]
    assert service["gateway"]["refs"] == [{"name": "models", "namespace": "inference"}]
    assert "models" in named(plan, f"{GATEWAY_API}:Gateway")
    [release] = [r for r in plan.of(RELEASE) if r.inputs["name"] == "kserve-llmisvc-resources"]
    gateways = {r.urn for r in plan.of(f"{GATEWAY_API}:Gateway")}
    assert gateways <= {*release.dependencies}
    # The gateway brings the types of pools, or the cluster has them: Helm takes them but once.
    assert release.inputs["values"]["kserve"]["llmisvc"]["createGIECRDs"] is False
    curl = str(plan.outputs[f"{name}_gateway_curl"])
    assert f"https://models.example.org/inference/{name}/v1/chat/completions" in curl
    assert "Bearer $KEY" in curl


def test_a_gateway_of_kserves_routes_alone_asks_no_picker_and_takes_the_models_namespaces() -> None:
    raw = llm(envoy, router={"scheduler": False})
    volume = {"models[coder].volume": GONE, "models[coder].server.vllm.model": "Qwen/Qwen3-8B"}
    gone = {f"models[{name}]": GONE for name in ("qwen", "qwen-next")}
    types = {"gateway.inference_types": GONE, "gateway.limits": GONE, "gateway.limit_store": GONE}
    space = {"models[coder].namespace": "team", "namespaces": [{"name": "team"}]}
    alone = merged(raw, {**volume, **gone, **types, **space})
    environment = accepted(alone)
    sources = image_sources(environment, Needs(needs_of(environment)))
    assert not {"gateway.picker.image", "gateway.body_router.image"} & {s.field for s in sources}
    [(name, spec)] = specs(alone, "Gateway").items()
    assert name == "models"
    assert spec["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "All"}}


def test_a_certificate_comes_from_its_issuer() -> None:
    raw = envoy(**{"gateway.tls": {"issuer": "letsencrypt"}})
    [certificate] = specs(raw, "kubernetes:cert-manager.io/v1:Certificate").values()
    assert certificate["dnsNames"] == ["models.example.org"]
    [listener] = specs(raw, "Gateway")["models"]["listeners"]
    assert listener["tls"]["certificateRefs"] == [{"name": certificate["secretName"]}]


def test_a_certificate_comes_after_cert_manager() -> None:
    plan = planned(ack(**{"gateway.tls": {"issuer": "letsencrypt"}}))
    [certificate] = plan.of("kubernetes:cert-manager.io/v1:Certificate")
    [release] = [r for r in plan.of(RELEASE) if r.inputs["name"] == "cert-manager"]
    assert release.urn in certificate.dependencies


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
    notes = BY_KNATIVE["gateway.knative_annotations"]
    plan = planned(ack(**BY_KNATIVE))
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
    # Its own address is the one at which it is asked.
    assert VISIBILITY not in service.inputs["metadata"].get("labels", {})
    assert "qwen_curl" in plan.outputs


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
    [model] = [
        workload
        for workload in graph_of(planned(envoy())).workloads
        if workload.name == "qwen-next"
    ]
    answers = {step.need: step.answer for step in steps(model)}
    assert answers["gateway"] == (
        "Gateway models (https://models.example.org) -> 10 % of requests for qwen or qwen-legal -> "
        "picker qwen-next-picker (same beginnings, shortest queue, requests wait while all pods "
        "are busy)"
    )
    assert answers["limits"] == (
        "60 requests per minute of each key, 200000 tokens per hour of each key"
    )


def way(raw: Raw, name: str, title: str = "") -> str | None:
    """What a plan says of the gateway before a model."""
    [model] = [
        workload
        for workload in graph_of(planned(raw)).workloads
        if workload.name == name and title in workload.title
    ]
    answers = [step.answer for step in steps(model) if step.need == "gateway"]
    assert len(answers) < 2, "a gateway behind the one in front is no second way"
    return answers[0] if answers else None


def test_a_plan_tells_the_way_to_the_router_of_roles() -> None:
    """No pool selects it: its Service gets the requests, past the gateway behind or not."""
    split = {
        "models[coder].serve": {"roles": {**SPLIT, "router": {"image": "registry/router:1"}}},
        "nodes[l40s].allocatable.gpus": 8,
        "models[coder].route": {"limits": [{"requests": 60, "per": "minute"}]},
    }
    assert way(envoy(**split), "coder", "role router") == (
        "Gateway models (https://models.example.org) -> requests for coder -> Service coder"
    )
    assert way(envoy(**split), "coder", "role decode") is None
    on_ack = {"gateway": {"host": "m.example.org"}, "cluster.version": "1.34"}
    raw = merged(parts.roles(), {**on_ack, "models[qwen].route": {"host": "m.example.org"}})
    assert way(raw, "qwen", "role router") == (
        "Gateway models (http://m.example.org) -> requests for m.example.org -> Service qwen"
    )


SPLIT: Final = {role: {"scale": {"min": 1, "max": 1}} for role in ("prefill", "decode")}


def test_a_plan_tells_the_way_by_a_route_of_kserve() -> None:
    attached = merged(parts.llm(), {**ATTACHED, "gateway.host": "m.example.org"})
    assert way(attached, "chat") == (
        "Gateway models (http://m.example.org) -> requests for /inference/chat -> picker "
        "chat-epp-service"
    )
    assert way(attached, "split", "prefill of") is None
    assert way(attached, "moe") is None
    plain = {f"{LLM_CHAT}.router": {"scheduler": False}}
    assert str(way(merged(attached, plain), "chat")).endswith(
        "/inference/chat -> Service chat-kserve-workload-svc"
    )
    shared = {
        f"{path}.router": {"group": "chat", "weight": weight}
        for path, weight in ((LLM_CHAT, 9), (LLM_SPLIT, 1))
    }
    assert "-> 90 % of requests for /inference/chat" in str(way(merged(attached, shared), "chat"))


@pytest.mark.parametrize(("base", "count"), [(ack, 1), (edge, 0), (envoy, 0)])
def test_a_load_balancer_that_ack_makes_is_billed(base: Any, count: int) -> None:
    """One behind NodePorts is none, and that of another cluster is its owner's."""
    names = [line.name for line in bill(planned(base())).fees]
    assert names.count("gateway load balancer") == count


def test_models_behind_the_gateway_need_no_ingress_controller() -> None:
    """KServe makes no Ingress of them, and a load balancer that nobody answers costs money."""

    def brings_one(**changes: Any) -> bool:
        plan = planned(ack(**changes))
        addons = {
            addon.inputs["name"] for addon in plan.of("alicloud:cs/kubernetesAddon:KubernetesAddon")
        }
        billed = any("ingress load balancer" in str(line) for line in bill(plan).lines)
        assert ("nginx-ingress-controller" in addons) is billed
        return billed

    assert not brings_one()
    door = {"host": "qwen.example.org", "tls": {"secret": "qwen-tls"}}
    assert brings_one(**{"models[qwen].ingress": door})
    assert brings_one(**{"models[qwen].route.canaries": [], "models[qwen-next].route": GONE})


def test_a_public_gateway_is_billed_by_its_traffic() -> None:
    """All else that is public is taken out of the plan before."""
    for public in (False, True):
        plan = planned(ack(**{"gateway.public": public}))
        rest = [resource for resource in plan.resources if "eip" not in resource.type.lower()]
        counted = bill(replace(plan, resources=rest)).by_use
        assert ("public addresses and their traffic" in counted) is public


@pytest.mark.parametrize(
    ("changes", "gone", "now"),
    [
        (
            {"gateway.tls": GONE},
            "models.example.org by HTTPS (port 443)",
            "models.example.org by HTTP (port 80)",
        ),
        (
            {"gateway.host": "llm.example.org"},
            "models.example.org by HTTPS (port 443)",
            "llm.example.org by HTTPS (port 443)",
        ),
    ],
)
def test_clients_whom_a_gateway_answers_no_more_are_told_where(
    changes: dict[str, Any], gone: str, now: str
) -> None:
    lines = headlines(compare(planned(envoy()), planned(envoy(**changes))))
    assert (
        f"The gateway gateway-gateway answers no more at {gone}, but at {now}: its clients have to "
        "ask there."
    ) in lines
    removals = headlines(compare(planned(envoy()), planned(envoy(**{"gateway.host": GONE}))))
    assert not [line for line in removals if "answers no more" in line]


def test_who_takes_a_gateway_away_is_told_what_goes_with_it() -> None:
    gone = {f"models[{name}].route": GONE for name in ("qwen", "qwen-next")}
    diff = compare(planned(ack()), planned(ack(**{"gateway": GONE, **gone})))
    lines = headlines(diff)
    assert (
        "This deletes the gateway gateway-gateway: its load balancer goes with its address, and no "
        "model behind it answers any more."
    ) in lines
    assert any(sentence.startswith("This deletes the policy of keys") for sentence in lines)
    assert any(sentence.startswith("This deletes the pool of pods qwen-pool") for sentence in lines)
