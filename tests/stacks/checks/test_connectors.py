"""Cases of the rules of `stacks.checks.connectors`."""

from typing import Any, Final

from ..environments import Raw, existing, merged, warnings
from .cases import Case, surprises

LMCACHE: Final = '{"kv_connector": "LMCacheConnectorV1", "kv_role": "kv_both"}'
IN_ITS_OWN_PROCESS: Final = LMCACHE.replace("ConnectorV1", "MPConnector")
SIZE: Final = "LMCACHE_MAX_LOCAL_CPU_SIZE"
DISK: Final = "LMCACHE_LOCAL_DISK"
HTTP: Final = {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}


def served(env: dict[str, str], *words: str) -> dict[str, Any]:
    """A model on four cards with 128 GiB."""
    return {
        "nodes[gpu].allocatable": {"cpu": "60", "memory": "240Gi", "gpus": 4},
        "models[qwen].server.image": "registry/vllm:0.28.0",
        "models[qwen].server.env": env,
        "models[qwen].server.resources": {"gpus": 4, "cpu": "8", "memory": "128Gi"},
        "models[qwen].server.vllm": {
            "served_model_name": "qwen",
            "tensor_parallel_size": 4,
            "extra_args": list(words),
        },
    }


def with_lmcache(env: dict[str, str]) -> dict[str, Any]:
    return served(env, "--kv-transfer-config", LMCACHE)


def traced(address: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    return served(env or {}, "--otlp-traces-endpoint", address)


SAID: Final = (
    "LMCache takes so many GiB for each card, {sum} of the pod's memory (128Gi), and the pod is "
    "killed as it starts. Only where attention is latent, as DeepSeek's is, the first card alone "
    "takes them. Give what each card may have."
)

SURPRISES = [
    Case(
        "lmcache_fits_each_card",
        "a size that is meant for all cards",
        existing,
        with_lmcache({SIZE: "100"}),
        f"models[qwen].server.env[{SIZE}] is 100: {SAID.format(sum=400)}",
        with_lmcache({SIZE: "31.5"}),
    ),
    Case(
        "lmcache_fits_each_card",
        "a size that just does not fit",
        existing,
        with_lmcache({SIZE: "32"}),
        f"models[qwen].server.env[{SIZE}] is 32: {SAID.format(sum=128)}",
        served({SIZE: "32"}, "--kv-transfer-config", IN_ITS_OWN_PROCESS),
    ),
    Case(
        "lmcache_has_a_size_on_disk",
        "a folder alone",
        existing,
        with_lmcache({DISK: "file:///cache"}),
        f"models[qwen].server.env[{DISK}] is file:///cache: without LMCACHE_MAX_LOCAL_DISK_SIZE, "
        "in GiB for each card, LMCache keeps nothing there.",
        with_lmcache({DISK: "file:///cache", "LMCACHE_MAX_LOCAL_DISK_SIZE": "50"}),
    ),
    Case(
        "traces_reach_their_collector",
        "an address without a path, by HTTP",
        existing,
        traced("http://collector:4318", HTTP),
        "models[qwen].server has --otlp-traces-endpoint http://collector:4318: with "
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL http/protobuf vLLM posts to that very address, where a "
        "collector answers 404. Write http://collector:4318/v1/traces.",
        traced("http://collector:4318/v1/traces", HTTP),
    ),
    Case(
        "traces_reach_their_collector",
        "the protocol of all signals, which vLLM does not read",
        existing,
        traced("http://collector:4318", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
        "models[qwen].server has --otlp-traces-endpoint http://collector:4318: vLLM does not read "
        "OTEL_EXPORTER_OTLP_PROTOCOL (http/protobuf), and speaks gRPC to it. Write "
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, and an address that ends with /v1/traces.",
        traced("http://collector:4317", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
    ),
    Case(
        "traces_reach_their_collector",
        "gRPC to a collector's port for HTTP",
        existing,
        traced("collector:4318"),
        "models[qwen].server has --otlp-traces-endpoint collector:4318: vLLM speaks gRPC to it, "
        "and 4318 is a collector's port for HTTP. Write 4317, or "
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL http/protobuf and an address that ends with "
        "/v1/traces.",
        traced("collector:4317"),
    ),
]

test_it_warns, test_it_is_silent_at_the_edge = surprises(SURPRISES)


def said_of(raw: Raw, what: str) -> list[str]:
    return [sentence for sentence in warnings(raw) if what in sentence]


def test_lmcache_without_a_size_takes_its_own_for_each_card() -> None:
    changes = with_lmcache({}) | {
        "models[qwen].server.resources": {"gpus": 4, "cpu": "4", "memory": "20Gi"}
    }
    [sentence] = said_of(merged(existing(), changes), "LMCache takes")
    assert sentence.startswith(f"models[qwen].server.env lacks {SIZE}, which is 5 then: LMCache")
    changes["models[qwen].server.env"] = {"LMCACHE_CONFIG_FILE": "/mnt/models/qwen/lmcache.yaml"}
    assert not said_of(merged(existing(), changes), "LMCache takes")


def test_lmcache_of_latent_attention_takes_its_size_once() -> None:
    for model, warned in (("DeepSeek-R1", False), ("Llama-3.1-70B", True)):
        changes = {**with_lmcache({SIZE: "100"}), "models[qwen].volume.path": f"/{model}"}
        assert bool(said_of(merged(existing(), changes), "LMCache takes")) is warned


def test_lmcache_takes_none_for_sure_where_prefill_is_apart() -> None:
    apart = {"LMCACHE_ENABLE_PD": "True", "LMCACHE_LOCAL_CPU": "False"}
    for size in ("100", "1000"):
        changes = with_lmcache({SIZE: size, **apart})
        assert not said_of(merged(existing(), changes), "LMCache takes")
