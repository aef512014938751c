"""Cases of the rules of `stacks.platforms.gateway`, and of what a route asks for."""

from functools import partial
from typing import Any

from components.crds.gateway_names import ADDRESS_TYPE

from ..environments import GONE, Raw, configuration, merged
from ..example_stacks import FOLDER
from .cases import Case, refusals, surprises
from .parts import ATTACHED, ENVOY, GATEWAY, llm
from .parts import LLM_CHAT as CHAT
from .parts import LLM_SPLIT as SPLIT


def example(name: str, **changes: Any) -> Raw:
    """A stack file of the examples."""
    return merged(configuration(FOLDER / f"Pulumi.{name}.yaml"), changes)


envoy = partial(example, "gateway-envoy")
ack = partial(example, "gateway-ack")
groups = partial(example, "multi-node")


edge = partial(example, "gateway-edge")


def routers(**changes: Any) -> Raw:
    """A router before each model, and no gateway."""
    gateway = {"flavor": "router", "picker": {"image": "registry.example.org/vllm-router:0.1.17"}}
    plain = {f"models[{name}].route": {} for name in ("qwen", "qwen-next", "coder")}
    return envoy(**{"gateway": gateway, **plain, **changes})


EDGE = "models[qwen-hangzhou]"
ON_EDGE = {
    f"{EDGE}.serve": {"llm": {"scale": {"max": 1}, "router": {"scheduler": False}}},
    f"{EDGE}.route": GONE,
}

ON_KNATIVE = {
    "models[qwen].route.canaries": [],
    "models[qwen-next].route": GONE,
    "models[qwen].serve": {"knative": {"scale": {"target": 4, "min": 0, "max": 1}}},
}
"""A model of Knative behind the gateway."""
BY_KNATIVE = {
    **ON_KNATIVE,
    "gateway.knative_annotations": {"knative.example.com/ai-gateway": "inference"},
}
"""The same, where ACK's Knative makes its way."""

CASES = [
    Case(
        "routes_have_a_gateway",
        "a route of no gateway",
        envoy,
        {
            "gateway": GONE,
            "models[qwen-next].route": GONE,
            "models[coder].route": GONE,
            "models[qwen].route": {},
        },
        (
            "models[qwen].route is given, but it must be left out, or gateway given: `gateway: "
            "{}` takes the defaults: it is a way behind the gateway."
        ),
        {},
    ),
    Case(
        "routes_have_a_gateway",
        "a gateway of no model",
        envoy,
        {"models[qwen].route": GONE, "models[qwen-next].route": GONE, "models[coder].route": GONE},
        (
            "gateway is given, but it must be left out, or a model with `route: {}`: no model is "
            "behind it."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "ACK's add-on in a cluster of another kind",
        envoy,
        {"gateway.flavor": "ack"},
        (
            "gateway.flavor is 'ack', but it must be 'envoy' or 'router' on an existing cluster: "
            "the add-on belongs to a cluster of ACK that the stack knows."
        ),
        {"gateway.flavor": "envoy"},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a release of ACK's add-on with Envoy Gateway",
        envoy,
        {"gateway.version": "v1.4.0-apsara.4"},
        (
            "gateway.version is given, but it must be left out with flavor envoy: ACK's add-on "
            "has it."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a Redis that ACK's add-on does not read",
        ack,
        {"gateway.limit_store": {"url": "redis.redis:6379"}},
        (
            "gateway.limit_store is given, but it must be left out with flavor ack: ACK's add-on "
            "is told its Redis by addon_config."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "pickers without the type of their pools",
        envoy,
        {"gateway.inference_types": False},
        (
            "gateway.inference_types is False, but it must be true, once the cluster has them: "
            "pickers read InferencePools, whose type no chart brings: see docs/guides/gateway.md."
        ),
        {"gateway.inference_types": True},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a pool of the old group for upstream's picker",
        envoy,
        {"gateway.api_version": "v1alpha2", "models[qwen].route.priorities": {}},
        "gateway.api_version is 'v1alpha2', but it must be 'v1': upstream's picker reads it.",
        {"gateway.api_version": "v1"},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a router that nobody publishes",
        routers,
        {"gateway.picker": GONE},
        (
            "gateway.picker.image is missing, but it must be given with flavor router: nobody "
            "publishes an image of a router: build one with its PyPI package."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "keys at a router",
        routers,
        {"gateway.keys_secret": "keys"},
        (
            "gateway.keys_secret is given, but it must be left out with flavor router: with "
            "flavor router there is no gateway."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a canary of a router",
        routers,
        {"models[qwen].route.canaries": [{"model": "qwen-next", "percent": 10}]},
        (
            "models[qwen].route.canaries is given, but it must be left out with flavor router: a "
            "router of one model has none."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a GatewayClass that nobody makes",
        envoy,
        {"gateway": {"install": False, "inference_types": True}},
        (
            "gateway.class_name is missing, but it must be given with install false: the stack "
            "makes a GatewayClass with what it installs alone."
        ),
        {"gateway": {"install": False, "inference_types": True, "class_name": "eg"}},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a picker beside that of ACK's add-on",
        ack,
        {"gateway.picker": {"replicas": 2}},
        (
            "gateway.picker is given, but it must be left out with flavor ack: ACK's add-on brings "
            "its own."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a Service of ACK's picker that nobody asks",
        envoy,
        {"gateway.picker_service": "inference-gateway-ext-proc"},
        (
            "gateway.picker_service is given, but it must be left out with flavor envoy: ACK's "
            "picker is behind it."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a counter of tokens that nobody loads",
        envoy,
        {"gateway.telemetry_image": "registry.example.org/counter:1"},
        (
            "gateway.telemetry_image is given, but it must be left out with flavor envoy: ACK's "
            "gateway counts tokens by it."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a name of an add-on that nobody installs",
        envoy,
        {"gateway.addon": "ack-gateway"},
        (
            "gateway.addon is given, but it must be left out with flavor envoy: ACK's add-on is "
            "called so."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "a kind of router where there is none",
        envoy,
        {"gateway.router": "sglang"},
        (
            "gateway.router is given, but it must be left out with flavor envoy: no router is "
            "before a model."
        ),
        {},
    ),
    Case(
        "settings_are_of_the_flavor",
        "proxies of a gateway that is none",
        routers,
        {"gateway.replicas": 3},
        (
            "gateway.replicas is given, but it must be left out with flavor router: with flavor "
            "router there is no gateway."
        ),
        {"gateway.picker.replicas": 3},
    ),
    Case(
        "one_setting_says_who_reaches_it",
        "an address that is said to be private, and is not",
        ack,
        {"gateway.annotations": {ADDRESS_TYPE: "internet"}},
        (
            f"gateway.annotations[{ADDRESS_TYPE}] is 'internet', but it must be left out, and "
            "gateway.public true: it decides what is warned of and billed."
        ),
        {"gateway.public": True},
    ),
    Case(
        "one_setting_says_who_reaches_it",
        "an address that is said twice to be private",
        ack,
        {"gateway.annotations": {ADDRESS_TYPE: "intranet"}},
        (
            f"gateway.annotations[{ADDRESS_TYPE}] is 'intranet', but it must be left out, and "
            "gateway.public false: it decides what is warned of and billed."
        ),
        {"gateway.annotations": {"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-id": "a"}},
    ),
    Case(
        "one_setting_says_who_reaches_it",
        "a public address of a load balancer that nobody knows",
        envoy,
        {"gateway.public": True},
        (
            "gateway.public is True, but it must be left out, and gateway.annotations as the "
            "cluster's load balancers want them: whose they are is not known."
        ),
        {"gateway.annotations": {ADDRESS_TYPE: "internet"}},
    ),
    Case(
        "one_setting_says_who_reaches_it",
        "a public address of the nodes of a pool",
        edge,
        {"gateway.public": True},
        (
            "gateway.public is True, but it must be left out on profile edge: it is reached by the "
            "NodePorts of its nodes."
        ),
        {},
    ),
    Case(
        "RouteLimit",
        "two limits in one",
        envoy,
        {"gateway.limits": [{"requests": 1, "tokens": 9, "per": "minute"}]},
        (
            "gateway.limits[0].requests is given beside tokens, but it must be the only one of "
            "requests, tokens: a limit counts one of them."
        ),
        {
            "gateway.limits": [
                {"requests": 1, "per": "minute"},
                {"tokens": 9, "per": "minute"},
            ]
        },
    ),
    Case(
        "GatewaySection",
        "two limits of one kind",
        envoy,
        {"gateway.limits": [{"tokens": 9, "per": "hour"}, {"tokens": 8, "per": "hour"}]},
        (
            "gateway.limits[1] is of tokens per hour, but it must be of another kind than "
            "limits[0]: the lower one of the two always holds."
        ),
        {"gateway.limits": [{"tokens": 9, "per": "hour"}, {"tokens": 90, "per": "day"}]},
    ),
    Case(
        "Route",
        "two limits of one kind for one model",
        envoy,
        {
            "models[coder].route.limits": [
                {"requests": 9, "per": "second"},
                {"requests": 8, "per": "second"},
            ]
        },
        (
            "models[coder].route.limits[1] is of requests per second, but it must be of another "
            "kind than limits[0]: the lower one of the two always holds."
        ),
        {"models[coder].route.limits": [{"requests": 9, "per": "second"}]},
    ),
    Case(
        "LimitStore",
        "a Redis without its port",
        envoy,
        {"gateway.limit_store": {"url": "redis.redis"}},
        (
            "gateway.limit_store.url is given otherwise, but it must be a host and a port, such as "
            "redis.redis.svc:6379: while the rate limit service cannot connect, nothing is limited."
        ),
        {"gateway.limit_store": {"url": "redis://redis.redis:6379/1"}},
    ),
    Case(
        "the_release_knows_what_is_asked",
        "a release of another form",
        ack,
        {"gateway.version": "1.4"},
        (
            "gateway.version is '1.4', but it must be a release such as v1.4.0-apsara.4: what it "
            "knows goes by it."
        ),
        {"gateway.version": "v1.6.1-apsara.3"},
    ),
    Case(
        "the_release_knows_what_is_asked",
        "prefixes before the release that knows them",
        ack,
        {
            "gateway.version": "v1.3.0-aliyun.2",
            "gateway.limits": [],
            "models[qwen].route": {"host": "models.example.org", "routing": "PREFIX_CACHE"},
            "models[qwen-next].route": GONE,
        },
        (
            "gateway.version is 'v1.3.0-aliyun.2', but it must be v1.4.0-aliyun.1 or later: "
            "prefix-aware routing came with it."
        ),
        {
            "gateway.version": "v1.3.0-aliyun.2",
            "gateway.limits": [],
            "models[qwen].route": {"host": "models.example.org"},
            "models[qwen-next].route": GONE,
        },
    ),
    Case(
        "the_release_knows_what_is_asked",
        "InferencePool v1 before the release that knows it",
        ack,
        {"gateway.version": "v1.4.0-apsara.3", "gateway.api_version": "v1"},
        (
            "gateway.version is 'v1.4.0-apsara.3', but it must be v1.4.0-apsara.4 or later: "
            "InferencePool v1 came with it."
        ),
        {"gateway.version": "v1.4.0-apsara.3"},
    ),
    Case(
        "the_release_knows_what_is_asked",
        "a route before releases lead to pools",
        ack,
        {
            "gateway.version": "v1.3.0-aliyun.1",
            "gateway.limits": [],
            "models[qwen].route": {"host": "models.example.org"},
            "models[qwen-next].route": GONE,
        },
        (
            "gateway.version is 'v1.3.0-aliyun.1', but it must be v1.3.0-aliyun.2 or later: a "
            "route to an InferencePool came with it."
        ),
        {
            "gateway.version": "v1.3.0-aliyun.2",
            "gateway.limits": [],
            "models[qwen].route": {"host": "models.example.org"},
            "models[qwen-next].route": GONE,
        },
    ),
    Case(
        "gateway_api_runs_on_the_kubernetes",
        "a cluster too old for the Gateway API",
        ack,
        {
            "cluster.version": "1.31",
            "kserve": {
                "chart": {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
            },
        },
        (
            "cluster.version is '1.31', but it must be 1.32 or later: release v1.5.1 of add-on "
            "gateway-api needs it."
        ),
        {
            "cluster.version": "1.31",
            "gateway.gateway_api_version": "v1.1.0",
            "kserve": {
                "chart": {"flavor": "ack", "chart": "oci://registry/ack-kserve", "version": "1.0.0"}
            },
        },
    ),
    Case(
        "gateway_api_runs_on_the_kubernetes",
        "a release of the Gateway API of another form",
        ack,
        {"gateway.gateway_api_version": "latest"},
        (
            "gateway.gateway_api_version is 'latest', but it must be a release such as v1.5.1: "
            "ACK takes it."
        ),
        {"gateway.gateway_api_version": "v1.3.0"},
    ),
    Case(
        "limits_are_counted_somewhere",
        "limits that nobody counts",
        envoy,
        {"gateway.limit_store": GONE},
        (
            "gateway.limit_store is missing, but it must be given: the address of a Redis: "
            "models[qwen] has limits, and all proxies count them together."
        ),
        {"gateway.limit_store": GONE, "gateway.limits": [], "models[coder].route": {}},
    ),
    Case(
        "limits_are_counted_somewhere",
        "limits of the gateway for a model that says none",
        envoy,
        {"gateway.limit_store": GONE, "models[coder].route": {"limits": []}},
        (
            "gateway.limit_store is missing, but it must be given: the address of a Redis: "
            "models[qwen] has limits, and all proxies count them together."
        ),
        {
            "gateway.limit_store": GONE,
            **{f"models[{name}].route.limits": [] for name in ("qwen", "qwen-next", "coder")},
        },
    ),
    Case(
        "requests_tell_their_model",
        "a name of two models",
        envoy,
        {"models[coder].server.vllm.served_model_name": "qwen"},
        (
            "models[coder].route is by name qwen, but it must be one that asks for another name "
            "than models[qwen], or with a host of its own: requests that say model qwen would be "
            "those of both."
        ),
        {"models[coder].server.vllm.served_model_name": "qwen-coder"},
    ),
    Case(
        "requests_tell_their_model",
        "an adapter called as another model",
        envoy,
        {"models[coder].server.vllm.served_model_name": "qwen-legal"},
        (
            "models[coder].route is by name qwen-legal, but it must be one that asks for another "
            "name than models[qwen], or with a host of its own: requests that say model "
            "qwen-legal would be those of both."
        ),
        {},
    ),
    Case(
        "requests_tell_their_model",
        "a host of two models",
        envoy,
        {
            "models[coder].route.host": "models.example.org",
            "models[qwen].route.canaries": [],
            "models[qwen-next].route.host": "models.example.org",
        },
        (
            "models[coder].route.host is 'models.example.org', but it must be another one than "
            "that of models[qwen-next]: a host leads to one."
        ),
        {"models[coder].route.host": "models.example.org"},
    ),
    Case(
        "requests_tell_their_model",
        "a host that the gateway does not answer",
        envoy,
        {"models[coder].route.host": "coder.example.org"},
        (
            "models[coder].route.host is 'coder.example.org', but it must be left out, "
            "models.example.org, or gateway.host left out: the gateway answers no other host."
        ),
        {"gateway.host": GONE, "models[coder].route.host": "coder.example.org"},
    ),
    Case(
        "requests_tell_their_model",
        "a host above all that the gateway answers",
        envoy,
        {"gateway.host": "*.llm.example.org", "models[coder].route.host": "llm.example.org"},
        (
            "models[coder].route.host is 'llm.example.org', but it must be left out, a host below "
            "llm.example.org, or gateway.host left out: the gateway answers no other host."
        ),
        {
            "gateway.host": "*.llm.example.org",
            "models[coder].route.host": "a.coder.llm.example.org",
        },
    ),
    Case(
        "requests_tell_their_model",
        "a host that the certificate for all right below a domain is not for",
        envoy,
        {
            "gateway.host": "*.llm.example.org",
            "gateway.tls": {"issuer": "letsencrypt"},
            "cert_manager": "present",
            "models[coder].route.host": "a.coder.llm.example.org",
        },
        (
            "models[coder].route.host is 'a.coder.llm.example.org', but it must be a host right "
            "below llm.example.org: a certificate for *.llm.example.org is for no name with more "
            "dots."
        ),
        {
            "gateway.host": "*.llm.example.org",
            "gateway.tls": {"issuer": "letsencrypt"},
            "cert_manager": "present",
            "models[coder].route.host": "coder.llm.example.org",
        },
    ),
    Case(
        "routes_lead_to_pods",
        "a model that KServe runs on Knative",
        envoy,
        {
            "knative": {"install": False},
            "models[coder].serve.kserve.scale": {"metric": "concurrency", "target": 4, "max": 3},
        },
        (
            "models[coder].route is given, but it must be left out, or serve.kserve with another "
            "metric: a picker sends requests to pods, past Knative's activator, which starts one "
            "where there is none, and past queue-proxy, which counts what it scales on."
        ),
        {},
    ),
    Case(
        "routes_lead_to_pods",
        "a model of Knative that a pool would pass by",
        ack,
        ON_KNATIVE,
        (
            "models[qwen].route is given, but it must be left out, or gateway.knative_annotations"
            " given, by which Knative makes it itself: a picker sends requests to pods, past "
            "Knative's activator, which starts one where there is none, and past queue-proxy, "
            "which counts what it scales on."
        ),
        BY_KNATIVE,
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share of nobody",
        envoy,
        {
            "models[qwen].route.canaries": [{"model": "qwen-3", "percent": 10}],
            "models[qwen-next].route": GONE,
        },
        (
            "models[qwen].route.canaries[qwen-3].model is 'qwen-3', but it must be the name of "
            "another entry of models that has a `route`: its pods get the share."
        ),
        {},
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share of an adapter",
        envoy,
        {
            "models[qwen].route.canaries": [{"model": "qwen-legal", "percent": 10}],
            "models[qwen-next].route": GONE,
        },
        (
            "models[qwen].route.canaries[qwen-legal].model is 'qwen-legal', but it must be the "
            "name of another entry of models that has a `route`: its pods get the share, and "
            "models[qwen] answers to this name: who asks for an adapter or an alias, gets it."
        ),
        {},
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share of a model that is not behind the gateway",
        envoy,
        {"models[qwen-next].route": GONE},
        (
            "models[qwen].route.canaries[qwen-next].model is 'qwen-next', but it must be the name"
            " of another entry of models that has a `route`: its pods get the share."
        ),
        {},
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share with a host of its own",
        envoy,
        {"models[qwen-next].route.host": "models.example.org"},
        (
            "models[qwen].route.canaries[qwen-next].model is 'qwen-next', but it must be a model "
            "without canaries and without a host of its own: it gets the requests of this one "
            "alone."
        ),
        {},
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share of another namespace",
        envoy,
        {
            "models[qwen-next].namespace": "next",
            "stores": [
                {"name": "models", "claim": {"name": "llm-models"}},
                {"name": "next", "claim": {"name": "llm-models", "namespace": "next"}},
            ],
            "models[qwen-next].volume.store": "next",
            "models[qwen-next].volumes": GONE,
            "models[qwen-next].server.vllm.lora": GONE,
        },
        (
            "models[qwen].route.canaries[qwen-next].model is 'qwen-next', but it must be one in "
            "namespace inference: a route leads to pools of its own namespace."
        ),
        {},
    ),
    Case(
        "canaries_answer_for_their_model",
        "a share that lacks an adapter",
        envoy,
        {"models[qwen-next].server.vllm.lora": GONE},
        (
            "models[qwen].route.canaries[qwen-next].model is 'qwen-next', but it must be one that"
            " serves qwen-legal too: its share of those requests would end with 404."
        ),
        {},
    ),
    Case(
        "keys_are_asked_once",
        "a key at the gateway and one behind it",
        envoy,
        {"models[coder].api_key_secret": "coder-key"},
        (
            "models[coder].api_key_secret is given, but it must be left out behind it: the "
            "gateway asks for gateway.keys_secret in the same header, and removes it."
        ),
        {"models[coder].api_key_secret": "coder-key", "gateway.keys_secret": GONE},
    ),
    Case(
        "certificates_are_for_a_host",
        "a certificate of no host",
        envoy,
        {"gateway.tls": {"issuer": "letsencrypt"}, "gateway.host": GONE},
        (
            "gateway.host is missing, but it must be given with tls.issuer: the certificate is "
            "for it."
        ),
        {"gateway.tls": {"issuer": "letsencrypt"}},
    ),
    Case(
        "certificates_are_for_a_host",
        "an issuer of no cert-manager",
        envoy,
        {"gateway.tls": {"issuer": "letsencrypt"}, "cert_manager": "absent"},
        (
            "gateway.tls.issuer is 'letsencrypt', but it must be left out, and secret given; or "
            "cert_manager install or present: it is one of cert-manager's."
        ),
        {"cert_manager": "absent"},
    ),
    Case(
        "pools_have_their_gateways",
        "a gateway of each pool in a cloud",
        ack,
        {"gateway.node_pools": ["a10"]},
        (
            "gateway.node_pools is ['a10'], but it must be left out off profile edge: elsewhere "
            "one gateway reaches all nodes."
        ),
        {},
    ),
    Case(
        "parts_have_their_own_names",
        "a model called as the picker of another one",
        envoy,
        {"models[coder].name": "qwen-picker"},
        (
            "models[qwen-picker].name is 'qwen-picker', but it must be another one: models[qwen] "
            "has a Service of that name."
        ),
        {"models[coder].name": "qwen-coder"},
    ),
    Case(
        "moderation_has_its_keys",
        "moderation without keys",
        ack,
        {
            "gateway.content_safety": {"endpoint": "green-cip-vpc.cn-beijing.aliyuncs.com"},
            "content_safety_access_key": {"secure": "v1:AAAA:AAAA"},
        },
        (
            "content_safety_secret_key is missing, but it must be set, by `pulumi config set "
            "--secret ack-inference:content_safety_secret_key`: content moderation signs its "
            "requests with it."
        ),
        {
            "gateway.content_safety": {"endpoint": "green-cip-vpc.cn-beijing.aliyuncs.com"},
            "content_safety_access_key": {"secure": "v1:AAAA:AAAA"},
            "content_safety_secret_key": {"secure": "v1:AAAA:AAAA"},
        },
    ),
    Case(
        "moderation_has_its_keys",
        "keys of no moderation",
        ack,
        {"content_safety_secret_key": {"secure": "v1:AAAA:AAAA"}},
        (
            "content_safety_secret_key is set, but it must be left out without "
            "gateway.content_safety: content moderation signs its requests with it."
        ),
        {},
    ),
    Case(
        "Environment",
        "an AccessKey in plain",
        ack,
        {
            "gateway.content_safety": {"endpoint": "green-cip-vpc.cn-beijing.aliyuncs.com"},
            "content_safety_access_key": "LTAI5tExampleExampleExam1",
            "content_safety_secret_key": {"secure": "v1:AAAA:AAAA"},
        },
        (
            "content_safety_access_key is given in plain, but it must be a secret, set by `pulumi"
            " config set --secret ack-inference:content_safety_access_key`: in plain, everyone "
            "who reads the stack file could use it."
        ),
        {},
    ),
    Case(
        "Route",
        "priorities of what does not wait",
        envoy,
        {"models[qwen].route": {"priorities": {"qwen": 10}}, "models[qwen-next].route": GONE},
        (
            "models[qwen].route.queueing is False, but it must be true with priorities: nothing "
            "waits without it, and what does not wait has no order."
        ),
        {
            "models[qwen].route": {"queueing": True, "priorities": {"qwen": 10}},
            "models[qwen-next].route": GONE,
        },
    ),
    Case(
        "Route",
        "shares of more than all requests",
        envoy,
        {
            "models[qwen].route.canaries": [
                {"model": "qwen-next", "percent": 60},
                {"model": "coder", "percent": 50},
            ]
        },
        (
            "models[qwen].route.canaries is 110, but it must be at most 100 percent together: "
            "they share its requests."
        ),
        {"models[qwen].route.canaries": [{"model": "qwen-next", "percent": 100}]},
    ),
    Case(
        "Route",
        "a share given twice",
        envoy,
        {
            "models[qwen].route.canaries": [
                {"model": "qwen-next", "percent": 10},
                {"model": "qwen-next", "percent": 20},
            ]
        },
        (
            "models[qwen].route.canaries[qwen-next].model is 'qwen-next', but it must be given "
            "once: it has one share."
        ),
        {},
    ),
    Case(
        "RouteLimit",
        "a limit of nothing",
        envoy,
        {"gateway.limits": [{"per": "minute"}]},
        (
            "gateway.limits[0].requests is missing, but it must be given, or else tokens: a limit"
            " counts one of them."
        ),
        {"gateway.limits": [{"requests": 1, "per": "second"}]},
    ),
    Case(
        "LimitStore",
        "limits in two places",
        envoy,
        {"gateway.limit_store": {"url": "redis.redis:6379", "secret": "redis"}},
        (
            "gateway.limit_store.url is given beside secret, but it must be the only one of url, "
            "secret: limits are counted in one place."
        ),
        {"gateway.limit_store": {"secret": "redis"}},
    ),
    Case(
        "LimitStore",
        "a password in plain",
        envoy,
        {"gateway.limit_store": {"url": "redis://:secret@redis.redis:6379"}},
        (
            "gateway.limit_store.url is given with a password, but it must be an address without "
            "a password, or secret in its place: it would be in state in clear."
        ),
        {"gateway.limit_store": {"url": "redis.redis:6379"}},
    ),
    Case(
        "ModelRouteArgs",
        "a priority of a name that nobody asks for",
        envoy,
        {
            "models[qwen].route.priorities": {"qwen-3": 1},
            "models[qwen-next].route": {"queueing": True, "priorities": {"qwen": 1}},
        },
        (
            "models[qwen].route.priorities[qwen-3] is 'qwen-3', but it must be one of qwen, "
            "qwen-legal: no request asks for it here."
        ),
        {},
    ),
    Case(
        "GatewaySection",
        "settings of what is not installed",
        ack,
        {"gateway": {"install": False, "gateway_api_version": "v1.5.1"}},
        (
            "gateway.gateway_api_version is given, but it must be left out with install false: "
            "the cluster has the gateway, and nothing is installed."
        ),
        {"gateway": {"install": False}},
    ),
    Case(
        "routes_have_a_gateway",
        "a gateway to which nobody attaches",
        llm,
        {**GATEWAY, f"{CHAT}.router.gateway.name": "models"},
        (
            "gateway is given, but it must be left out, or a model with `route: {}`: no model is "
            "behind it."
        ),
        {**GATEWAY, f"{CHAT}.router.gateway": {"name": "models", "namespace": "inference"}},
    ),
    Case(
        "Route",
        "two who choose pods for the same requests",
        llm,
        {**GATEWAY, "models[chat].route": {}},
        (
            "models[chat].route is given, but it must be left out beside serve.llm.router, or that "
            "left out: KServe makes a route and a pool for the same pods, and two pickers see half "
            "each."
        ),
        {**GATEWAY, "models[chat].route": {}, f"{CHAT}.router": GONE},
    ),
    Case(
        "routes_of_kserve_have_a_listener",
        "a listener that the Gateway lacks",
        llm,
        {
            **ATTACHED,
            f"{CHAT}.router.gateway": {
                "name": "models",
                "namespace": "inference",
                "listener": "https",
            },
        },
        (
            f"{CHAT}.router.gateway.listener is 'https', but it must be left out, or http: the "
            "Gateway has this one."
        ),
        {
            **ATTACHED,
            f"{CHAT}.router.gateway": {
                "name": "models",
                "namespace": "inference",
                "listener": "http",
            },
        },
    ),
    Case(
        "routes_of_kserve_have_a_listener",
        "a route by two gateways on edge",
        edge,
        {**ON_EDGE, f"{EDGE}.placement.pools": ["hangzhou", "ningbo"]},
        (
            f"{EDGE}.placement.pools is ['hangzhou', 'ningbo'], but it must be pools of which one "
            "has a gateway, or serve.llm.router.gateway given: each pool has a Gateway of its own, "
            "and KServe's route leads by one."
        ),
        ON_EDGE,
    ),
    Case(
        "routes_of_kserve_lead_to_what_is_known",
        "a pool behind Envoy Gateway",
        llm,
        {**ENVOY, SPLIT: {"scale": {"max": 1}}},
        (
            f"{CHAT}.router.scheduler is True, but it must be false, or router left out and "
            "`route: {}`, which has a picker: KServe's route leads to an InferencePool, and Envoy "
            "Gateway takes Services alone (v1.9.1, internal/gatewayapi/validate.go)."
        ),
        {**ENVOY, SPLIT: {"scale": {"max": 1}}, f"{CHAT}.router": {"scheduler": False}},
    ),
    Case(
        "routes_of_kserve_lead_to_what_is_known",
        "prefill behind Envoy Gateway",
        llm,
        {**ENVOY, f"{CHAT}.router": {"scheduler": False}},
        (
            f"{SPLIT}.router.scheduler is True, but it must be that of a router.gateway which "
            "knows InferencePools: KServe's route leads to an InferencePool, and Envoy Gateway "
            "takes Services alone (v1.9.1, internal/gatewayapi/validate.go)."
        ),
        {
            **ENVOY,
            f"{CHAT}.router": {"scheduler": False},
            f"{SPLIT}.router": {"gateway": {"name": "models", "namespace": "gateways"}},
        },
    ),
    Case(
        "the_release_knows_what_is_asked",
        "an add-on without the pools that KServe makes",
        llm,
        {**ATTACHED, "gateway.version": "v1.4.0-apsara.3"},
        (
            "gateway.version is 'v1.4.0-apsara.3', but it must be v1.4.0-apsara.4 or later: "
            "InferencePool v1, which KServe makes, came with it."
        ),
        ATTACHED,
    ),
    Case(
        "keys_are_asked_once",
        "a key of the model's own behind a gateway with keys",
        llm,
        {**ATTACHED, "gateway.keys_secret": "keys", "models[chat].api_key_secret": "key"},
        (
            "models[chat].api_key_secret is given, but it must be left out behind it: the gateway "
            "asks for gateway.keys_secret in the same header, and removes it."
        ),
        {**ATTACHED, "gateway.keys_secret": "keys"},
    ),
]

ENGINES = "models[coder].server.vllm.extra_args"
TWO_CARDS = {"models[coder].server.resources.gpus": 2}
COPIES = {"llm": {"scale": {"max": 1}, "parallelism": {"data": 2}}}
SEEN_ALONE = (
    "models[coder].server has 2 engines in each pod, and the route's picker reads queue and cache "
    "of the first one alone: a pod counts as idle while its others are full. Have one in each pod, "
    "and more replicas."
)
SURPRISES = [
    Case(
        "pickers_see_one_engine",
        "two engines in a pod",
        envoy,
        {**TWO_CARDS, ENGINES: ["--data-parallel-size", "2"]},
        SEEN_ALONE,
        {**TWO_CARDS, ENGINES: ["--pipeline-parallel-size", "2"]},
    ),
    Case(
        "pickers_see_one_engine",
        "two engines in a pod of an LLMInferenceService",
        envoy,
        {**TWO_CARDS, "models[coder].serve": COPIES},
        SEEN_ALONE,
        {"models[coder].serve": {"llm": {"scale": {"max": 1}}}},
    ),
    Case(
        "gateways_are_closed",
        "a door beside the gateway of KServe's route",
        llm,
        {
            **ATTACHED,
            "models[chat].ingress": {"host": "chat.example.org", "tls": {"secret": "chat-tls"}},
        },
        (
            "models[chat].ingress leads past the gateway: at chat.example.org nobody is asked for "
            "a key of it, and its limits count nothing."
        ),
        ATTACHED,
    ),
    Case(
        "gateways_are_closed",
        "a door beside the gateway",
        envoy,
        {"models[coder].ingress": {"host": "coder.example.org", "tls": {"secret": "coder-tls"}}},
        (
            "models[coder].ingress leads past the gateway: at coder.example.org nobody is asked "
            "for a key of it, and its limits count nothing."
        ),
        {},
    ),
    Case(
        "gateways_are_closed",
        "keys in plain HTTP",
        envoy,
        {"gateway.tls": GONE},
        (
            "gateway.keys_secret is given and gateway.tls is not: clients send their keys by "
            "plain HTTP, and everyone on the way reads them."
        ),
        {},
    ),
    Case(
        "gateways_are_closed",
        "an issuer that has to prove all hosts of a domain",
        envoy,
        {
            "gateway.host": "*.llm.example.org",
            "gateway.tls": {"issuer": "letsencrypt"},
            "cert_manager": "present",
        },
        (
            "gateway.tls.issuer has to prove all of *.llm.example.org: Let's Encrypt and others of "
            "ACME take a DNS record for that alone, so that the ClusterIssuer needs a solver dns01."
        ),
        {"gateway.host": "*.llm.example.org"},
    ),
    Case(
        "gateways_are_closed",
        "a gateway for the internet",
        ack,
        {"gateway.public": True, "gateway.keys_secret": GONE},
        (
            "gateway.public is true, and nobody is asked for a key: the whole internet may use "
            "the models. Set gateway.keys_secret."
        ),
        {"gateway.public": True},
    ),
    Case(
        "gateways_are_closed",
        "a gateway without limits",
        envoy,
        {"gateway.limits": [], "models[coder].route": {}},
        (
            "gateway.limits is empty: one client can take all cards of a model for itself. Limit "
            "requests or tokens, of each key."
        ),
        {},
    ),
    Case(
        "a_pool_answers_its_own_clients",
        "a model in two pools with a gateway each",
        edge,
        {"models[qwen-hangzhou].placement.pools": ["hangzhou", "ningbo"]},
        (
            "models[qwen-hangzhou].route leads to pods in pools hangzhou, ningbo: the gateway of "
            "one pool sends requests to pods of the others too, which it may not reach. Give each "
            "pool a model of its own."
        ),
        {},
    ),
    Case(
        "a_pool_answers_its_own_clients",
        "a canary in another pool",
        edge,
        {
            "models[qwen-hangzhou].route.canaries": [{"model": "qwen-ningbo", "percent": 10}],
            "models[qwen-ningbo].route": {},
        },
        (
            "models[qwen-hangzhou].route leads to pods in pools hangzhou, ningbo: the gateway of "
            "one pool sends requests to pods of the others too, which it may not reach. Give each "
            "pool a model of its own."
        ),
        {},
    ),
    Case(
        "the_addon_is_told",
        "an add-on that nobody told",
        ack,
        {},
        (
            "gateway.addon_config is empty, and the add-on ack-gateway-with-inference-extension "
            "has to enable the inference extension and name the Redis of limits: no page has the "
            "keys, `cs.get_kubernetes_addon_metadata` tells them. Without, the first update ends "
            "at a resource type that is missing."
        ),
        {"gateway.addon_config": {"enableInferenceExtension": True}},
    ),
    Case(
        "the_addon_is_told",
        "requests that would not wait on ACK",
        ack,
        {"models[qwen].route.queueing": True},
        (
            "route.queueing is true, and gateway.pool_annotations is empty: ACK's picker lets "
            "requests wait by an annotation of the pool, whose name no page has."
        ),
        {
            "models[qwen].route.queueing": True,
            "gateway.pool_annotations": {"example.com/queueing": "true"},
        },
    ),
    Case(
        "the_addon_is_told",
        "an AccessKey that the object has in clear",
        ack,
        {
            "gateway.content_safety": {"endpoint": "green-cip-vpc.cn-beijing.aliyuncs.com"},
            "content_safety_access_key": {"secure": "v1:AAAA:AAAA"},
            "content_safety_secret_key": {"secure": "v1:AAAA:AAAA"},
        },
        (
            "gateway.content_safety: ACK's ACKTrafficFilter has its AccessKey in clear. Whoever "
            "may read that type in the namespace has the key: give it to a RAM user that may use "
            "content moderation and nothing else."
        ),
        {},
    ),
    Case(
        "knative_at_zero_is_woken",
        "a model of Knative at zero",
        ack,
        BY_KNATIVE,
        (
            "models[qwen].serve.knative.scale.min is 0 behind the gateway: no page says that the "
            "pool which ACK's Knative makes sends a request to the activator while there is no "
            "pod. min 1 keeps one."
        ),
        {**BY_KNATIVE, "models[qwen].serve.knative.scale.min": 1},
    ),
    Case(
        "routes_of_kserve_are_not_ours",
        "limits that hold for other routes",
        llm,
        {**ATTACHED, "gateway.limits": [{"requests": 60, "per": "minute"}]},
        (
            "gateway.limits do not hold for models[chat], models[split]: KServe makes the route of "
            "serve.llm.router, and no limit is of it. Without the router, `route: {}` has them."
        ),
        {
            **GATEWAY,
            "gateway.limits": [{"requests": 60, "per": "minute"}],
            "models[moe].route": {},
        },
    ),
    Case(
        "pickers_of_kserve_are_asked",
        "a picker that ACK's gateway does not ask",
        llm,
        ATTACHED,
        (
            "models[split].serve.llm.router has an endpoint picker, and ACK's gateway by itself "
            "asks its own, which takes pods of prefill and decode for alike. It asks KServe's once "
            "the Deployment envoy-gateway in envoy-gateway-system has the variable SELF_HOST_EPP "
            "true. No page names a key of gateway.addon_config for it."
        ),
        {**ATTACHED, SPLIT: {"scale": {"max": 1}}},
    ),
]


test_a_gateway_that_would_not_work_is_refused, test_the_nearest_one_is_accepted = refusals(CASES)
test_a_gateway_that_surprises_is_warned_of, test_its_neighbour_is_not = surprises(SURPRISES)
