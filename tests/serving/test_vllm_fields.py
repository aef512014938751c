"""The flags of a server that its fields say, and what a release knows of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.args import faults_of
from components.catalog.vllm import LOAD_FORMATS
from components.serving import LoadFormat, ModelServer, Vllm
from tests.cloud.refusals import refusal

from .arguments import server

NEWEST = "registry/vllm:v0.33.0"


def words(image: str = NEWEST, **fields: Any) -> str:
    vllm = {"served_model_name": "qwen", **fields}
    return " ".join(ModelServer.of(server(image=image, vllm=vllm)).command_line())


def sentences(image: str = NEWEST, **fields: Any) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        ModelServer.model_validate(
            server(image=image, vllm={"served_model_name": "qwen", **fields})
        )
    return [str(fault) for fault in faults_of(refused.value)]


LORA = {"adapters": [{"name": "sql", "path": "/lora/sql"}, {"name": "law", "path": "/lora/law"}]}


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({"model": "Qwen/Qwen3-8B", "revision": "v1"}, "--model Qwen/Qwen3-8B --revision v1"),
        ({"aliases": ["chat", "gpt-4"]}, "--served-model-name qwen chat gpt-4"),
        ({"max_model_len": "auto"}, "--max-model-len auto"),
        ({"max_model_len": -1}, "--max-model-len auto"),
        ({"max_model_len": "8k"}, "--max-model-len 8000"),
        ({"max_model_len": "8K"}, "--max-model-len 8192"),
        ({"max_model_len": "25.6k"}, "--max-model-len 25600"),
        ({"max_model_len": "1M"}, "--max-model-len 1048576"),
        ({"max_model_len": "8192"}, "--max-model-len 8192"),
        ({"load_format": "runai_streamer"}, "--load-format runai_streamer"),
        ({"lora": LORA}, "--lora-modules sql=/lora/sql law=/lora/law"),
        ({"lora": LORA}, "--enable-lora"),
        ({"lora": {**LORA, "max_loras": 2, "max_rank": 64}}, "--max-loras 2 --max-lora-rank 64"),
        ({"tool_call_parser": "hermes"}, "--tool-call-parser hermes"),
        ({"tool_call_parser": "hermes"}, "--enable-auto-tool-choice"),
        ({"reasoning_parser": "qwen3"}, "--reasoning-parser qwen3"),
        ({"sleep_mode": True}, "--enable-sleep-mode"),
    ],
    ids=str,
)
def test_a_field_is_its_flag(fields: dict[str, Any], flags: str):
    assert f" {flags} " in f"{words(**fields)} "


def test_what_is_left_out_says_nothing():
    for flag in ("lora", "revision", "load-format", "parser", "sleep", "auto-tool"):
        assert flag not in words()


def test_a_parser_of_reasoning_is_switched_on_where_the_release_asks_for_it():
    assert "--enable-reasoning" in words("registry/vllm:0.8.5", reasoning_parser="deepseek_r1")
    assert "--enable-reasoning" not in words("registry/vllm:0.9.0", reasoning_parser="qwen3")


@pytest.mark.parametrize(
    ("image", "fields", "part"),
    [
        ("vllm:0.13.0", {"max_model_len": "auto"}, "0.14.0 was the first"),
        (NEWEST, {"max_model_len": "8x"}, "8k (8000) or 8K (8192), or auto"),
        (NEWEST, {"max_model_len": "1.5K"}, "no fraction of 1024"),
        (NEWEST, {"max_model_len": 0}, "1 or more, or auto"),
        ("vllm:0.24.0", {"load_format": "gguf"}, "0.5.5 to 0.23.0 do"),
        ("vllm:0.6.5", {"load_format": "runai_streamer"}, "0.6.6 and later do"),
        ("vllm:0.5.4", {"load_format": "sharded_state"}, "0.5.5 and later do"),
        ("vllm:0.7.3", {"lora": {**LORA, "max_rank": 512}}, "0.8.0 was the first to take it"),
        ("vllm:0.11.0", {"lora": {**LORA, "max_rank": 1}}, "0.11.1 was the first to take it"),
        (NEWEST, {"lora": {**LORA, "max_rank": 24}}, "one of 1, 8, 16, 32"),
        ("vllm:0.6.6", {"sleep_mode": True}, "does not know --enable-sleep-mode; 0.7.0 and later"),
        ("vllm:0.5.5", {"tool_call_parser": "hermes"}, "--tool-call-parser; 0.6.0 and later do"),
        ("vllm:0.5.1", {"compile_cache": "/c"}, "0.5.3 was the first"),
        (NEWEST, {"revision": "v1"}, "vllm.model a hub's name"),
        (NEWEST, {"hub": "modelscope"}, "files below a mount are of no hub"),
        (NEWEST, {"model": "a b"}, "the name of a model in a hub"),
        (NEWEST, {"model": "/mnt/../etc"}, "the name of a model in a hub"),
        (NEWEST, {"lora": LORA, "extra_args": ["--max-loras", "2"]}, "vllm.lora set instead"),
        (
            NEWEST,
            {"sleep_mode": True, "extra_args": ["--enable-sleep-mode"]},
            "vllm.sleep_mode set",
        ),
    ],
    ids=str,
)
def test_what_the_release_does_not_take_is_refused(image: str, fields: dict[str, Any], part: str):
    [sentence] = sentences(image, **fields)
    assert part in sentence


@pytest.mark.parametrize(
    ("image", "fields"),
    [
        ("vllm:0.14.0", {"max_model_len": "auto"}),
        ("vllm:0.23.0", {"load_format": "gguf"}),
        ("vllm:0.8.0", {"lora": {**LORA, "max_rank": 512}}),
        ("registry/any:1", {"max_model_len": "auto", "load_format": "ipc_cache"}),
        (NEWEST, {"extra_args": ["--enable-lora", "--lora-modules", "sql=/lora/sql"]}),
        (NEWEST, {"model": "s3://models/qwen", "load_format": "runai_streamer"}),
        (NEWEST, {"model": "/mnt/models/qwen/q4.safetensors"}),
    ],
    ids=str,
)
def test_what_the_release_takes_is_accepted(image: str, fields: dict[str, Any]):
    assert words(image, **fields)


def test_every_load_format_has_its_releases():
    assert {kind.value for kind in LoadFormat} == LOAD_FORMATS.keys()


def test_a_length_of_other_languages_is_the_number_that_they_give():
    assert Vllm.of({"served_model_name": "qwen", "max_model_len": 8192}).max_model_len == 8192


def test_a_server_is_asked_for_by_any_of_its_names():
    fields = {"aliases": ["chat"], "lora": LORA}
    names = ModelServer.of(
        server(image=NEWEST, vllm={"served_model_name": "qwen", **fields})
    ).served_names
    assert names == ["qwen", "chat", "sql", "law"]


def test_the_names_of_a_command_are_read_as_vllm_reads_them():
    command = [
        "vllm",
        "serve",
        "/mnt/models/qwen",
        "--port",
        "8080",
        "--served-model-name",
        "a",
        "b",
    ]
    command += ["--enable-lora", "--lora-modules", '{"name": "sql", "path": "/mnt/models/qwen/l"}']
    args = ModelServer.of(server(image=NEWEST, vllm=None, command=command))
    assert args.served_names == ["a", "b", "sql"]
    assert args.served_name == "a"


@pytest.mark.parametrize(
    "command",
    [
        ["vllm", "serve", "/mnt/models/qwen", "--port", "8080", "--served_model_name", "a"],
        ["sh", "-c", "vllm serve /mnt/models/qwen --port 8080 --served-model-name 'a'"],
        ["vllm", "serve", "/mnt/models/qwen", "--port", "8080", "--served-model-name=a"],
    ],
)
def test_the_name_that_clients_use_is_the_first_that_vllm_reads(command):
    assert ModelServer.of(server(image=NEWEST, vllm=None, command=command)).served_name == "a"


def test_variables_follow_from_fields():
    vllm = {"served_model_name": "qwen", "model": "Qwen/Qwen3-8B", "hub": "modelscope"}
    args = ModelServer.of(server(image=NEWEST, vllm={**vllm, "compile_cache": "/cache"}))
    variables = args.variables(downloads=True)
    assert variables["VLLM_USE_MODELSCOPE"] == "True"
    assert variables["VLLM_CACHE_ROOT"] == "/cache"
    assert variables["HF_HOME"] == "/mnt/models/qwen/huggingface"
    assert variables["MODELSCOPE_CACHE"] == "/mnt/models/qwen/modelscope"
    assert "HF_HUB_OFFLINE" not in variables


def test_a_variable_that_a_field_sets_is_not_set_twice():
    vllm = {"served_model_name": "qwen", "compile_cache": "/cache"}
    with pytest.raises(ValidationError, match=r"compile_cache sets it"):
        ModelServer.model_validate(server(vllm=vllm, env={"VLLM_CACHE_ROOT": "/other"}))


@pytest.mark.parametrize(
    "model", ["hf://Qwen/Qwen3-8B", "oss://llm/qwen", "https://hub/Qwen/Qwen3-8B"]
)
def test_addresses_that_vllm_does_not_know_are_refused(model: str) -> None:
    """KServe's storage initializer knows some of them."""
    words = ["python3", "-m", "vllm.entrypoints.openai.api_server", "--model", model]
    raw = server(vllm=None, command=[*words, "--port", "8080"], image="registry/vllm:0.19.0")
    typed = server(vllm={"served_model_name": "qwen", "model": model})
    for field, values in (("command", raw), ("vllm.model", typed)):
        sentence = f"{field} is '{model}', but it must be the name of a model in a hub"
        assert sentence in refusal(ModelServer, values)
