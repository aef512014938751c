"""Cases of the rules of `stacks.runtimes.kserve`."""

from ..environments import hybrid
from .cases import Case, refusals
from .parts import ACK_KSERVE, ASKED, CHAT, at_port, scale

CASES = [
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that KServe does not run on",
        hybrid,
        {"cluster.version": "1.31.9-aliyun.1"},
        (
            "cluster.version is '1.31.9-aliyun.1', but it must be 1.32 or later: the pinned KServe"
            " needs it."
        ),
        {"cluster.version": "1.32.1-aliyun.1"},
    ),
    Case(
        "kserve_runs_on_the_kubernetes",
        "a Kubernetes that only a KServe of other charts runs on",
        hybrid,
        {"cluster.version": "1.31"},
        "cluster.version is '1.31', but it must be 1.32 or later: the pinned KServe needs it.",
        {"cluster.version": "1.31", "kserve": {"chart": ACK_KSERVE}},
    ),
    Case(
        "keda_is_there",
        "a query that nobody asks",
        hybrid,
        {CHAT: ASKED},
        (
            "keda is False, but it must be true, once KEDA is installed: "
            "models[qwen-chat].serve.kserve.scale.metric is prometheus, which KEDA asks for."
        ),
        {CHAT: ASKED, "keda": True},
    ),
    Case(
        "metrics_come_from_one_port",
        "vLLM's metrics at a port where nobody looks",
        hybrid,
        {CHAT: scale("vllm_kv_cache_usage", 1), **at_port(8081)},
        (
            "models[qwen-chat].server.port is 8081, but it must be 8080, as of the other models "
            "that are scaled on vLLM's metrics: these are collected at one port, and a model "
            "without them never scales."
        ),
        {**at_port(8081)},
    ),
    Case(
        "kserve_has_cert_manager",
        "KServe without cert-manager",
        hybrid,
        {"cert_manager": "absent"},
        (
            "cert_manager is 'absent', but it must be 'install' or 'present': KServe's webhooks "
            "get their certificate from it."
        ),
        {"cert_manager": "present"},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
