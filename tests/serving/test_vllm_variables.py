"""Variables that vLLM, or Hugging Face's libraries, cannot read."""

from typing import Any

import pytest

from components.serving import ModelServer
from tests.cloud.refusals import refusal

from .test_vllm_rules import typed


def server(release: str, **env: str) -> dict[str, Any]:
    return {**typed(release), "env": env}


@pytest.mark.parametrize(
    ("release", "env", "sentence"),
    [
        (
            "0.28.0",
            {"VLLM_PORT": "tcp://10.0.0.1:8000"},
            "env[VLLM_PORT] is 'tcp://10.0.0.1:8000', but it must be a whole number, such as 0 or "
            "1: vLLM 0.28.0 fails where it reads it.",
        ),
        ("0.10.2", {"VLLM_USE_V1": "true"}, "must be a whole number"),
        (
            "0.11.0",
            {"VLLM_USE_V1": "0"},
            "env[VLLM_USE_V1] is '0', but it must be left out: vLLM 0.11.0 has no other engine",
        ),
        ("0.28.0", {"VLLM_LOGGING_LEVEL": "DEBG"}, "must be DEBUG: vLLM 0.28.0 exits when it"),
        ("0.28.0", {"VLLM_IMAGE_FETCH_TIMEOUT": "30s"}, "must be a whole number"),
        ("0.28.0", {"VLLM_LOG_STATS_INTERVAL": "10s"}, "must be a number, such as 0.5"),
        (
            "0.28.0",
            {"VLLM_WORKER_MULTIPROC_METHOD": "spwan"},
            "env[VLLM_WORKER_MULTIPROC_METHOD] is 'spwan', but it must be spawn: vLLM 0.28.0 fails",
        ),
        ("0.28.0", {"VLLM_KV_CACHE_LAYOUT": "blocks"}, "must be one of NHD, HND"),
        (
            "0.19.0",
            {"VLLM_USE_MODELSCOPE": "1"},
            "env[VLLM_USE_MODELSCOPE] is '1', but it must be 'true': vLLM 0.19.0 takes anything "
            "else for off, without an error.",
        ),
        ("0.28.0", {"VLLM_NO_USAGE_STATS": "True"}, "is 'True', but it must be '1': vLLM 0.28.0"),
        ("0.28.0", {"VLLM_ENFORCE_STRICT_TOOL_CALLING": "yes"}, "must be '1' or 'true'"),
        (
            "0.28.0",
            {"HF_ENDPOINT": "hf-mirror.com"},
            "env[HF_ENDPOINT] is 'hf-mirror.com', but it must be an address with its scheme, such "
            "as https://hf-mirror.com: requests to the hub begin with it, and fail without one.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(release: str, env: dict[str, str], sentence: str):
    assert sentence in refusal(ModelServer, server(release, **env))


@pytest.mark.parametrize(
    ("release", "env"),
    [
        ("0.28.0", {"VLLM_PORT": "12345", "VLLM_LOG_STATS_INTERVAL": "10"}),
        ("0.28.0", {"VLLM_PORT": "$(PORT_OF_A_SECRET)", "HF_ENDPOINT": "$(MIRROR)"}),
        ("0.28.0", {"VLLM_USE_MODELSCOPE": "true", "VLLM_LOGGING_LEVEL": "DEBUG"}),
        ("0.10.2", {"VLLM_USE_V1": "0", "VLLM_LOGGING_LEVEL": "debug"}),
        ("0.10.2", {"VLLM_LOGGING_LEVEL": "TRACE", "VLLM_CONFIGURE_LOGGING": "0"}),
        ("0.28.0", {"VLLM_USE_MODELSCOPE": "1", "VLLM_NO_USAGE_STATS": "no"}),
        ("0.19.0", {"VLLM_USE_MODELSCOPE": "TRUE", "VLLM_NO_USAGE_STATS": "1"}),
        ("0.28.0", {"VLLM_FLOAT32_MATMUL_PRECISION": "HIGH", "VLLM_OF_A_PLUGIN": "x"}),
        ("0.28.0", {"HF_ENDPOINT": "https://hf-mirror.com"}),
        # What a newer release reads is not known here.
        ("0.99.0", {"VLLM_WORKER_MULTIPROC_METHOD": "forkserver"}),
    ],
)
def test_what_can_be_read_passes(release: str, env: dict[str, str]):
    assert ModelServer.of(server(release, **env)).env == env


def test_other_servers_have_variables_of_their_own():
    raw = {**server("0.28.0", VLLM_PORT="x"), "command": ["serve"], "image": "registry/own:1"}
    del raw["vllm"]
    assert ModelServer.of(raw).env == {"VLLM_PORT": "x"}
