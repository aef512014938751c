"""Cases of the rules of `stacks.checks.serving`."""

from typing import Final

from ..environments import GONE, Raw, dev, existing, hybrid
from .cases import Case, refusals, surprises
from .parts import CHAT, COPY, LLM_SPLIT, PROMETHEUS, at_port, llm, load_test, scale

ALONE: Raw = {"models[qwen-queue]": GONE}


READING: Final = {
    "models[chat]": GONE,
    f"{LLM_SPLIT}.prefill.scale": {
        "min": 1,
        "max": 2,
        "metric": "vllm_num_requests_waiting",
        "target": 4,
    },
}
CASES = [
    Case(
        "metrics_have_an_adapter",
        "a metric without the adapter that serves it",
        hybrid,
        {**ALONE, "gpu_metrics": GONE},
        (
            "gpu_metrics is missing, but it must be given, for models[qwen-"
            "chat].serve.kserve.scale.metric: without its adapter nobody tells the autoscaler "
            "DCGM_CUSTOM_PROCESS_SM_UTIL."
        ),
        {**ALONE, "gpu_metrics": GONE, CHAT: scale("cpu", 80)},
    ),
    Case(
        "metrics_have_an_adapter",
        "a metric of ACK's exporter where it is not",
        existing,
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("DCGM_CUSTOM_PROCESS_SM_UTIL")}},
        },
        (
            "models[qwen].serve.kserve.scale.metric is 'DCGM_CUSTOM_PROCESS_SM_UTIL', but it must "
            "be one of vllm_num_requests_waiting, vllm_kv_cache_usage, vllm_num_requests_running, "
            "gpu_utilization: only ACK's GPU exporter reports it."
        ),
        {
            "gpu_metrics": PROMETHEUS,
            "models[qwen].serve": {"kserve": {"scale": scale("gpu_utilization")}},
        },
    ),
    Case(
        "metrics_have_a_source",
        "Managed Service for Prometheus without its address",
        hybrid,
        {"prometheus_url": GONE},
        (
            "prometheus_url is missing, but it must be set, by `pulumi config set --secret ack-"
            "inference:prometheus_url`: the adapter asks Managed Service for Prometheus, whose "
            "address opens it."
        ),
        {"prometheus_token": {"secure": "v1:A:B"}},
    ),
    Case(
        "metrics_have_a_source",
        "an address in plain beside the secret one",
        hybrid,
        {"gpu_metrics.url": "http://prometheus:9090"},
        (
            "gpu_metrics.url is given, but it must be left out: the adapter asks Managed Service "
            "for Prometheus, at the secret prometheus_url."
        ),
        {},
    ),
    Case(
        "metrics_have_a_source",
        "metrics of an existing cluster without its Prometheus",
        existing,
        {"gpu_metrics": {}},
        (
            "gpu_metrics.url is missing, but it must be given: the adapter asks the Prometheus of "
            "the cluster."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a secret address for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_url": {"secure": "v1:A:B"}},
        (
            "prometheus_url is given, but it must be left out: the adapter asks the Prometheus of "
            "the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "metrics_have_a_source",
        "a token for an existing cluster",
        existing,
        {"gpu_metrics": PROMETHEUS, "prometheus_token": {"secure": "v1:A:B"}},
        (
            "prometheus_token is given, but it must be left out: the adapter asks the Prometheus "
            "of the cluster, at gpu_metrics.url."
        ),
        {"gpu_metrics": PROMETHEUS},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache whose readers in an IDC cannot reach it",
        hybrid,
        {"models[qwen-chat].cache": COPY},
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "edge_pools[idc].interconnected": True},
    ),
    Case(
        "caches_reach_their_readers",
        "a cache on machines of an IDC that cannot be reached",
        hybrid,
        {
            "models[qwen-chat].cache": {**COPY, "pool": "idc"},
            "models[qwen-chat].placement.pools": ["elastic"],
        },
        (
            "models[qwen-chat].cache is given, but it must be left out, or "
            "edge_pools[idc].interconnected true where it is so: machines of idc cannot reach the "
            "pods that hold the copy."
        ),
        {"models[qwen-chat].cache": COPY, "models[qwen-chat].placement.pools": ["elastic"]},
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that keeps a pod",
        dev,
        {"load_tests": [load_test(scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.scale.min 0: with 1 it always keeps a pod."
        ),
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model with a reserve instance",
        dev,
        {
            "load_tests": [load_test(scenario={"cold_start": {}})],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen].serve.knative.reserve: a reserve instance answers as long as there is "
            "no replica."
        ),
        {
            "load_tests": [load_test()],
            "models[qwen].serve.knative.scale.min": 0,
            "models[qwen].serve.knative.reserve": {},
        },
    ),
    Case(
        "cold_starts_begin_without_a_pod",
        "a cold start of a model that no Knative serves",
        hybrid,
        {"load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})]},
        (
            "load_tests[spike].scenario.cold_start is given, but it must be left out, or "
            "models[qwen-chat].serve.kserve served by Knative: while there is no pod, only Knative "
            "keeps a request waiting."
        ),
        {
            "load_tests": [load_test(model="qwen-chat", scenario={"cold_start": {}})],
            "models[qwen-chat].serve.kserve": {
                "scale": {"min": 0, "max": 2, "metric": "concurrency", "target": 2}
            },
            "knative": {},
        },
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
        "metrics_have_a_source",
        "an address that only the adapter would ask",
        hybrid,
        {"gpu_metrics.adapter": False},
        (
            "prometheus_url is given, but it must be left out, or gpu_metrics.adapter true: the "
            "adapter alone asks there."
        ),
        {"gpu_metrics.adapter": False, "prometheus_url": GONE},
    ),
    Case(
        "metrics_have_an_adapter",
        "pods that read prompts, and scale on what nobody tells",
        llm,
        {**READING, "gpu_metrics": GONE, "prometheus_url": GONE},
        (
            "gpu_metrics is missing, but it must be given, for "
            f"{LLM_SPLIT}.prefill.scale.metric: without its adapter nobody tells the autoscaler "
            "vllm_num_requests_waiting."
        ),
        READING,
    ),
]
SURPRISES = [
    Case(
        "one_adapter_serves_external_metrics",
        "two adapters for one API",
        hybrid,
        {"keda": True},
        (
            "keda is true and gpu_metrics is given: ack-alibaba-cloud-metrics-adapter registers "
            "external.metrics.k8s.io as KEDA does, and the last one to be installed has it. Where "
            "KEDA scales all models, set gpu_metrics.adapter to false."
        ),
        {"keda": True, "gpu_metrics.adapter": False, "prometheus_url": GONE},
    ),
]


test_it_is_refused_in_one_sentence, test_what_is_just_inside_is_accepted = refusals(CASES)
test_it_is_a_warning, test_what_is_just_inside_is_none = surprises(SURPRISES)
