from typing import Any

import pytest

from components.serving import ModelServer
from tests.cloud.refusals import refusal

from .arguments import server

MODULE = "vllm.entrypoints.openai.api_server"


def image(release: str) -> str:
    return f"docker.io/vllm/vllm-openai:v{release}"


def typed(release: str, *words: str, **fields: Any) -> dict[str, Any]:
    vllm = {"served_model_name": "qwen", "extra_args": list(words), **fields}
    return server(image=image(release), vllm=vllm)


def started(release: str, *words: str) -> dict[str, Any]:
    # What says no port is found where vLLM listens by itself.
    port = 8080 if "--port" in words else 8000
    return server(image=image(release), vllm=None, command=list(words), port=port)


@pytest.mark.parametrize(
    ("words", "release"),
    [
        (["--task", "embed"], "0.12.0"),
        (["--runner=pooling"], "no tag tells it"),
        (["--enable-prefix-caching"], "0.4.1"),
        (["--no-enable-prefix-caching"], "0.28.0"),
        (["--num-scheduler-steps", "8"], "0.6.3"),
        (["--swap-space", "4"], "0.9.2"),
        (["--disable-log-requests"], "0.9.2"),
        (["--disable-log-requests"], "0.33.0"),
        (["--limit-mm-per-prompt.image", "2"], "0.28.0"),
        (["--compilation-config.mode", "3"], "0.28.0"),
        (["-O3"], "0.28.0"),
        (["-O3"], "0.9.2"),
        (["-O=3"], "0.28.0"),
        (["--max_num_seqs", "8"], "0.28.0"),
        (["--max-num-s", "8"], "0.9.2"),
        (["--hf-overrides", '{"a b": 1}'], "0.28.0"),
        (['--hf-overrides={"a b": 1}'], "0.28.0"),
        (["--enable-lora", "--lora-modules", "a=/x", "b=/y"], "0.28.0"),
        (["--enable-auto-tool-choice", "--tool-call-parser", "hermes"], "0.19.0"),
        (["--enable-reasoning", "--reasoning-parser", "deepseek_r1"], "0.8.5"),
        (["--limit-mm-per-prompt", "image=4"], "0.9.2"),
        (["--limit-mm-per-prompt", '{"image": 4}'], "0.19.0"),
        (["--speculative-config", '{"method": "ngram", "num_speculative_tokens": 3}'], "0.19.0"),
        (["--speculative-config", "$(DRAFT)"], "0.19.0"),
        (["--speculative-config.method", "suffix"], "0.19.0"),
        (["--load-format", "gguf"], "0.23.0"),
        (["--load-format", "safetensors"], "0.28.0"),
        (["--load-format", "sharded_state"], "0.5.5"),
        (["--load-format", "of-a-plugin"], "0.28.0"),
        (["--max-num-seqs", "$(SEQS)"], "0.28.0"),
        (["--host", "0.0.0.0"], "0.28.0"),  # noqa: S104
        (["--host", "::"], "0.28.0"),
        (["--api-key", "$(KEY)"], "0.28.0"),
        (["--chat-template", "{{ a }} --b"], "0.28.0"),
        (["--seed", "-1"], "0.28.0"),
        (["--max-num-seqs", "8"], "0.99.0"),
    ],
)
def test_flags_that_the_release_knows_pass(words: list[str], release: str):
    raw = server(vllm={"served_model_name": "q", "extra_args": words})
    has_release = release[0].isdigit()
    raw["image"] = image(release) if has_release else "registry/vllm:latest"
    if words[0] == "--runner=pooling":
        raw["vllm"] = {"served_model_name": "q", "runner": "pooling"}
    assert ModelServer.of(raw).command_line()


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        (
            "0.28.0",
            ["--task", "embed"],
            "vllm.extra_args is '--task', but it must be --runner pooling (vllm.runner), and "
            "--convert (vllm.convert) for a generative model: it is gone since vLLM 0.13.0",
        ),
        ("0.13.0", ["--task=embed"], "vllm.extra_args is '--task', but it must be --runner"),
        ("0.28.0", ["--swap-space", "4"], "vllm.extra_args is '--swap-space', but it must be left"),
        (
            "0.28.0",
            ["--disable-log-requests"],
            "vllm.extra_args is '--disable-log-requests', but it must be left out: requests",
        ),
        ("0.28.0", ["--num-scheduler-steps", "8"], "vllm.extra_args is '--num-scheduler-steps'"),
        (
            "0.4.1",
            ["--enable-auto-tool-choice"],
            "vllm.extra_args is '--enable-auto-tool-choice', but it must be left out, or the image",
        ),
        (
            "0.28.0",
            ["--max-num-sequences", "8"],
            "vllm.extra_args is '--max-num-sequences', but it must be left out (did you "
            "mean --max-num-seqs?): vLLM 0.28.0",
        ),
        ("0.4.1", ["--max_num_seqs", "8"], "vllm.extra_args is '--max_num_seqs', but it must be -"),
        ("0.28.0", ["--enable-pre"], None),
        ("0.28.0", ["--max-num", "8"], "vllm.extra_args is '--max-num', but it must be written in"),
        ("0.28.0", ["--max-model", "8"], "vllm.extra_args is '--max-model', but it must be left"),
        ("0.28.0", ["--gpu-memory", "1"], "vllm.extra_args is '--gpu-memory', but it must be left"),
        ("0.28.0", ["--gpu_mem=1"], "vllm.extra_args is '--gpu-mem', but it must be left out, and"),
        ("0.28.0", ["--quant", "awq"], "vllm.extra_args is '--quant', but it must be left out"),
        ("0.28.0", ["--tensor", "2"], "vllm.extra_args is '--tensor', but it must be left out, an"),
        ("0.28.0", ["--run", "pooling"], "vllm.extra_args is '--run', but it must be left out"),
        ("0.28.0", ["--no-trust-remote-code"], "vllm.extra_args is '--no-trust-remote-code'"),
        ("0.28.0", ["-tp", "2"], "vllm.extra_args is '-tp', but it must be left out, and vllm.te"),
        ("0.28.0", ["-q=awq"], "vllm.extra_args is '-q', but it must be left out, and vllm.quanti"),
        ("0.28.0", ["--port", "9000"], "vllm.extra_args is '--port', but it must be left out, and"),
        (
            "0.28.0",
            ["--max-num-seqs 64 --enable-prefix-caching"],
            "vllm.extra_args is '--max-num-seqs 64 --enable-prefix-caching', but it must be 3 "
            "items, --max-num-seqs, 64, --enable-prefix-caching: each item reaches vLLM as one",
        ),
        ("0.28.0", ["--seed 1"], "vllm.extra_args is '--seed 1', but it must be 2 items, --seed,"),
        ("0.28.0", ["--config=/m/f.yaml"], "vllm.extra_args is one with --config=/m/f.yaml, but"),
        ("0.28.0", ["--seed"], "vllm.extra_args is '--seed', but it must be --seed and its value"),
        ("0.28.0", ["--enable-lora=true"], "vllm.extra_args is --enable-lora with a value, but it"),
        ("0.28.0", ["--enable-lora", "true"], "vllm.extra_args is a word that belongs to no flag"),
        ("0.28.0", ["--seed", "1", "2"], "vllm.extra_args is a word that belongs to no flag, but"),
        ("0.28.0", ["/mnt/models/x"], "vllm.extra_args is a word that belongs to no flag, but it"),
        ("0.28.0", ["--host", "127.0.0.1"], "vllm.extra_args is '--host 127.0.0.1', but it must"),
        ("0.28.0", ["--host=LocalHost"], "vllm.extra_args is '--host LocalHost', but it must be"),
        ("0.28.0", ["--host", "::1"], "vllm.extra_args is '--host ::1', but it must be left out"),
        ("0.28.0", ["--uds", "/run/s"], "vllm.extra_args is '--uds', but it must be left out: the"),
        ("0.28.0", ["--ssl-keyfile", "/k"], "vllm.extra_args is '--ssl-keyfile', but it must be"),
        (
            "0.28.0",
            ["--api-key", "sk-1"],
            "vllm.extra_args is --api-key with its value, but it must be left out, and key "
            "VLLM_API_KEY of a Secret in secret_env set instead: in plain",
        ),
        (
            "0.28.0",
            ["--temperature", "0.8"],
            "vllm.extra_args is '--temperature', but it must be left out: vLLM 0.28.0",
        ),
        (
            "0.19.0",
            ["--enable-auto-tool-choice"],
            "vllm.extra_args is '--enable-auto-tool-choice', but it must be given with "
            "--tool-call-parser: without it vLLM exits",
        ),
        (
            "0.19.0",
            ["--lora-modules", "a=/x"],
            "vllm.extra_args is '--lora-modules', but it must be given with --enable-lora: without "
            "it vLLM loads no adapter",
        ),
        (
            "0.19.0",
            ["--speculative-config", "{'method': 'ngram'}"],
            "vllm.extra_args is --speculative-config with a value that is no JSON, but it must be "
            'JSON such as {"key": 1}, its keys and texts in double quotes: vLLM exits',
        ),
        (
            "0.19.0",
            ["--limit-mm-per-prompt", "'{\"image\": 4}'"],
            "vllm.extra_args is --limit-mm-per-prompt with a value that is no JSON, but it must be "
            "the same without the quotes ' around it: vLLM exits when it starts: no shell takes",
        ),
        ("0.10.0", ["--limit-mm-per-prompt", "image=4"], "vllm.extra_args is --limit-mm-per-pro"),
        (
            "0.28.0",
            ["--load-format", "bitsandbytes"],
            "vllm.extra_args is 'bitsandbytes', but it must be another one",
        ),
        (
            "0.28.0",
            ["--"],
            "vllm.extra_args is '--', but it must be left out: vLLM 0.28.0 does not",
        ),
        (
            "0.28.0",
            ["\u2014max-num-seqs", "8"],
            "vllm.extra_args is '\u2014max-num-seqs', but it must be --max-num-seqs: it be",
        ),
        ("0.28.0", ["--headless"], "vllm.extra_args is '--headless', but it must be left out: the"),
        (
            "0.28.0",
            ["--grpc"],
            "vllm.extra_args is '--grpc', but it must be left out: vllm serve then speaks gRPC "
            "instead of HTTP, and neither a probe nor the Service reaches it",
        ),
        ("0.28.0", ["-dp", "two"], "vllm.extra_args is '-dp two', but it must be a whole number: "),
        ("0.11.0", ["--max-num-seqs", "1k"], "vllm.extra_args is '--max-num-seqs 1k', but it must"),
        ("0.11.0", ["--seed=x"], "vllm.extra_args is '--seed x', but it must be a whole number: "),
        ("0.11.0", ["--seed", "None"], None),
        ("0.11.0", ["--cpu-offload-gb", "9G"], "vllm.extra_args is '--cpu-offload-gb 9G', but it"),
        (
            "0.28.0",
            ["--api-key", "$VLLM_API_KEY"],
            "vllm.extra_args is '$VLLM_API_KEY', but it must be $(NAME) for a variable of env or "
            "of a Secret in secret_env: no shell reads it",
        ),
        ("0.28.0", ["--seed=${SEED}"], "vllm.extra_args is '--seed=${SEED}', but it must be $(N"),
        ("0.28.0", ["--hf-token", "hf_1"], "vllm.extra_args is --hf-token with its value, but it"),
    ],
)
def test_flags_that_break_the_server_are_refused(
    release: str, words: list[str], sentence: str | None
):
    if sentence is None:
        assert ModelServer.of(typed(release, *words))
    else:
        assert refusal(ModelServer, typed(release, *words)).startswith(sentence)


@pytest.mark.parametrize(
    ("release", "words", "want"),
    [
        ("0.9.2", ["--api-server-count", "2"], "left out, or given to vllm serve in a command"),
        ("0.9.1", ["-asc", "2"], "left out, or given to vllm serve in a command"),
        ("0.9.0", ["-dpr", "1"], "left out, or given to vllm serve in a command"),
        ("0.8.5", ["--config", "/x.yaml"], "left out, or given to vllm serve in a command"),
        ("0.9.0", ["--headless"], "left out"),
        ("0.19.1", ["--grpc"], "left out"),
    ],
)
def test_a_flag_of_vllm_serve_alone_is_refused_where_the_module_is_started(
    release: str, words: list[str], want: str
):
    must = f"is '{words[0]}', but it must be {want}: vLLM {release} knows it in vllm serve alone, "
    must += f"and python -m {MODULE} exits."
    assert refusal(ModelServer, typed(release, *words)) == f"vllm.extra_args {must}"
    module = ["python3", "-m", MODULE, "--model", "/m", *words]
    assert refusal(ModelServer, started(release, *module)) == f"command {must}"


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("0.9.2", ["--api-server-count", "2"]),
        ("0.9.1", ["-asc", "2"]),
        ("0.8.5", ["--config", "/x.yaml"]),
    ],
)
def test_a_flag_of_vllm_serve_passes_in_vllm_serve(release: str, words: list[str]):
    assert ModelServer.of(started(release, "vllm", "serve", "/m", *words))
    cli = ["python3", "-m", "vllm.entrypoints.cli.main", "serve", "/m", *words]
    assert ModelServer.of(started(release, *cli))


@pytest.mark.parametrize(
    ("release", "words"),
    [("0.10.0", ["--api-server-count", "2"]), ("0.10.0", ["--config", "/x.yaml"])],
)
def test_a_flag_that_both_servers_know_passes_in_both(release: str, words: list[str]):
    assert ModelServer.of(typed(release, *words))
    assert ModelServer.of(started(release, "vllm", "serve", "/m", *words))


@pytest.mark.parametrize(
    ("release", "flag"), [("0.9.2", "--headless"), ("0.19.0", "--grpc"), ("0.28.0", "--grpc")]
)
def test_a_server_that_no_request_reaches_is_refused_in_vllm_serve_too(release: str, flag: str):
    sentence = refusal(ModelServer, started(release, "vllm", "serve", "/m", flag))
    assert sentence.startswith(f"command is '{flag}', but it must be left out: ")
    assert sentence.endswith("and neither a probe nor the Service reaches it.")


@pytest.mark.parametrize("words", [["--api-key", "sk-1"], ["--api-key=sk-1"], ["--api-key sk-1"]])
def test_a_key_is_not_shown_where_it_is_refused(words: list[str]):
    assert "sk-1" not in refusal(ModelServer, typed("0.28.0", *words))


def test_a_flag_that_no_release_has_is_refused_without_knowing_the_release():
    raw = server(image="registry/vllm:latest", vllm={"served_model_name": "q"})
    raw["vllm"]["extra_args"] = ["--no-such-flag"]
    assert "no release of vLLM that is known has it" in refusal(ModelServer, raw)
    raw["vllm"]["extra_args"] = ["--task", "embed"]
    assert ModelServer.of(raw)


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        ("0.28.0", ["vllm", "serve", "/m", "--task", "embed"], "command is '--task', but it must"),
        ("0.28.0", ["sh", "-c", "vllm serve /m --host 127.0.0.1"], "command is '--host 127.0.0.1'"),
        ("0.28.0", ["vllm", "serve", "/m", "/n"], "command is a word that belongs to no flag, but"),
        ("0.4.1", ["vllm", "serve", "/m"], "command is vllm serve, but it must be python3 -m vllm"),
        ("0.28.0", ["vllm", "serve", "/m", "-q", "gguf"], "command is 'gguf', but it must be ano"),
        (
            "0.28.0",
            ["python3", "-m", MODULE, "--model=/m", "--api-key", "sk"],
            "command is --api-key with its",
        ),
        ("0.28.0", ["vllm", "serve", "--seed", "1"], "command is one that names no model, but it"),
        ("0.28.0", ["vllm", "serve", "/m", "--dtype", "fp16"], "command is 'fp16', but it must be"),
        (
            "0.28.0",
            ["vllm", "serve", "/m", "--gpu-memory-utilization", "95"],
            "command is '--gpu-memory-utilization 95', but it must be a number above 0, 1 at most",
        ),
        ("0.28.0", ["vllm", "serve", "/m.gguf"], "command is 'gguf', but it must be another form"),
        ("0.28.0", ["vllm", "serve", "/m", "--seed 1"], "command is '--seed 1', but it must be 2"),
        ("0.28.0", ["vllm", "serve", "/m", "--seed", "$SEED"], "command is '$SEED', but it must"),
        (
            "0.28.0",
            ["sh", "-c", 'vllm serve /m --hf-overrides {"a":"b"}'],
            "command is --hf-overrides with a value that is no JSON, but it must be JSON such as "
            '{"key": 1}, its keys and texts in double quotes: vLLM exits when it starts; a shell '
            "takes quotes away, unless the whole is in single quotes",
        ),
        ("0.28.0", ["vllm", "serve", "/m", "--max", "8"], "command is '--max', but it must be wri"),
        (
            "0.28.0",
            ["sh", "-c", "vllm serve /m --config=/m/flags.yaml"],
            "command is one with --config=/m/flags.yaml, but it must be one with --config "
            "/m/flags.yaml, in two words: vLLM reads no file behind an equals sign, and starts "
            "without what it says",
        ),
    ],
)
def test_a_full_command_is_judged_alike(release: str, words: list[str], sentence: str):
    assert refusal(ModelServer, started(release, *words)).startswith(sentence)


def test_what_vllm_omni_knows_beside_vllm_passes_in_its_command():
    """Its stages have cards of their own, which no flag tells."""
    words = ["vllm", "serve", "/mnt/models/qwen", "--port", "8080", "--stage-configs-path", "/s"]
    raw = {**started("omni", *words, "--omni"), "image": "docker.io/vllm/vllm-omni:v0.18.0"}
    raw["resources"] = {**raw["resources"], "gpus": 2}
    ModelServer.of(raw)
    assert "'--stage-configs-path', but" in refusal(ModelServer, {**raw, "command": words})


@pytest.mark.parametrize(
    "words",
    [
        ["vllm", "serve", "/m", "--port", "8080"],
        ["vllm", "serve", "--enable-lora", "/m"],
        ["vllm", "serve", "/m", "--config", "/m/flags.yaml"],
        ["vllm", "serve", "/m", "--port", "8080", "--max-model", "4096"],
        ["sh", "-c", "vllm serve /m --port $PORT $MORE"],
        ["sh", "-c", "vllm serve /m --api-key $KEY"],
        ["vllm", "serve", "/m", "-q", "None", "--dtype=float", "--gpu-memory-utilization=.9"],
        ["sh", "-c", "vllm serve /m --dtype $DTYPE --gpu-memory-utilization $SHARE"],
        ["sh", "-c", "vllm serve /m  # not --task embed: it's gone\n"],
        ["sh", "-c", 'vllm serve /m --hf-overrides \'{"a": "b"}\''],
        ["python3", "-m", "sglang.launch_server", "--no-such-flag"],
    ],
)
def test_a_full_command_that_runs_passes(words: list[str]):
    assert ModelServer.of(started("0.28.0", *words))


@pytest.mark.parametrize(
    ("release", "fields", "sentence"),
    [
        ("0.9.2", {"runner": "pooling"}, "vllm.runner is 'pooling', but it must be left out, and"),
        ("0.9.2", {"convert": "embed"}, "vllm.convert is 'embed', but it must be left out, and"),
        (
            "0.28.0",
            {"quantization": "gguf"},
            "vllm.quantization is 'gguf', but it must be another format, or another release: vLLM "
            "0.28.0 does not load it; 0.5.5 to 0.23.0 do",
        ),
        ("0.28.0", {"quantization": "bitsandbytes"}, "vllm.quantization is 'bitsandbytes', but"),
        ("0.4.1", {"quantization": "compressed-tensors"}, "vllm.quantization is 'compressed-tens"),
        ("0.4.1", {"quantization": "gptq_marlin"}, "vllm.quantization is 'gptq_marlin', but it m"),
    ],
)
def test_fields_are_judged_by_release(release: str, fields: dict[str, Any], sentence: str):
    assert refusal(ModelServer, typed(release, **fields)).startswith(sentence)


@pytest.mark.parametrize(
    ("release", "fields"),
    [
        ("0.28.0", {"runner": "pooling", "convert": "embed"}),
        ("0.23.0", {"quantization": "gguf"}),
        ("0.27.1", {"quantization": "bitsandbytes"}),
        ("0.28.0", {"quantization": "compressed-tensors"}),
        ("0.19.0", {"quantization": "moe_wna16"}),
        ("0.28.0", {"quantization": "auto_gptq"}),
        ("0.4.1", {"quantization": "squeezellm"}),
    ],
)
def test_fields_that_the_release_knows_pass(release: str, fields: dict[str, Any]):
    assert ModelServer.of(typed(release, **fields))


@pytest.mark.parametrize(
    ("release", "words", "fields"),
    [
        ("0.28.0", [], {"tool_call_parser": "qwen3_coder", "reasoning_parser": "qwen3"}),
        ("0.10.0", [], {"tool_call_parser": "glm4_moe"}),
        ("0.7.2", [], {"reasoning_parser": "deepseek_r1"}),
        ("0.6.6", [], {"tool_call_parser": "hermes"}),
        # The names stand in the code there, and not in a table.
        ("0.6.1", [], {"tool_call_parser": "hermes"}),
        # A newer release may have more.
        ("0.99.0", [], {"tool_call_parser": "of_tomorrow"}),
        ("0.28.0", ["--tool-parser-plugin", "/opt/own.py"], {"tool_call_parser": "own"}),
        ("0.28.0", ["--reasoning-parser-plugin=/opt/own.py"], {"reasoning_parser": "own"}),
        # Nobody looks at it.
        ("0.28.0", ["--tool-call-parser", "of_nobody"], {}),
        ("0.28.0", ["--reasoning-parser", "$(PARSER)"], {}),
        ("0.28.0", ["--reasoning-parser="], {}),
    ],
)
def test_parsers_that_the_release_has_pass(release: str, words: list[str], fields: dict[str, str]):
    assert ModelServer.of(typed(release, *words, **fields)).command_line()


@pytest.mark.parametrize(
    ("release", "words", "fields", "sentence"),
    [
        (
            "0.28.0",
            [],
            {"tool_call_parser": "qwen3"},
            "vllm.tool_call_parser is 'qwen3', but it must be qwen3_xml: vLLM 0.28.0 exits when it "
            "starts: it has that name for reasoning alone (--reasoning-parser).",
        ),
        (
            "0.28.0",
            [],
            {"reasoning_parser": "hermes"},
            "vllm.reasoning_parser is 'hermes', but it must be a parser of reasoning that it has: "
            "vLLM 0.28.0 exits when it starts: it has that name for tool calls alone "
            "(--tool-call-parser).",
        ),
        (
            "0.28.0",
            [],
            {"tool_call_parser": "of_nobody"},
            "vllm.tool_call_parser is 'of_nobody', but it must be a parser of tool calls that it "
            "has: vLLM 0.28.0 exits when it starts.",
        ),
        (
            "0.9.2",
            [],
            {"tool_call_parser": "qwen3_coder"},
            "vllm.tool_call_parser is 'qwen3_coder', but it must be another parser, or another "
            "release: vLLM 0.9.2 exits when it starts: 0.10.0 and later have it.",
        ),
        (
            "0.28.0",
            [],
            {"tool_call_parser": "minimax"},
            "vllm.tool_call_parser is 'minimax', but it must be minimax_m3: vLLM 0.28.0 exits when "
            "it starts: 0.9.2 to 0.23.0 have it.",
        ),
        (
            "0.28.0",
            ["--enable-auto-tool-choice", "--tool-call-parser=hermes2"],
            {},
            "vllm.extra_args is 'hermes2', but it must be hermes: vLLM 0.28.0 exits when it "
            "starts.",
        ),
        (
            "0.28.0",
            ["--reasoning-parser", "deepseek-r1"],
            {},
            "vllm.extra_args is 'deepseek-r1', but it must be deepseek_r1: vLLM 0.28.0 exits when "
            "it starts.",
        ),
    ],
)
def test_parsers_that_the_release_lacks_are_refused(
    release: str, words: list[str], fields: dict[str, str], sentence: str
):
    assert refusal(ModelServer, typed(release, *words, **fields)) == sentence


def test_parsers_of_a_command_are_validated_too():
    words = ["vllm", "serve", "/mnt/models/qwen", "--reasoning-parser", "qwen2"]
    assert refusal(ModelServer, started("0.28.0", *words)) == (
        "command is 'qwen2', but it must be qwen3: vLLM 0.28.0 exits when it starts."
    )


@pytest.mark.parametrize("task", ["generate", "transcription", "auto"])
def test_a_task_that_writes_text_is_left_out(task: str):
    want = "left out, or --runner generate (vllm.runner): it is gone since vLLM 0.13.0"
    for words in (["--task", task], [f"--task={task}"]):
        assert f"but it must be {want}" in refusal(ModelServer, typed("0.28.0", *words))


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("0.28.0", ["--kv-cache-dtype", "fp8_e4m3"]),
        ("0.28.0", ["--kv-cache-dtype=auto"]),
        ("0.28.0", ["--scheduling-policy", "priority"]),
        # Its parser takes either spelling.
        ("0.28.0", ["--moe-backend", "Deep-Gemm"]),
        ("0.28.0", ["--mm-encoder-attn-dtype", "None"]),
        ("0.28.0", ["--kv-cache-dtype", "$(DTYPE)"]),
        ("0.99.0", ["--scheduling-policy", "of_tomorrow"]),
        # Any backend of a plugin may do.
        ("0.28.0", ["--attention-backend", "CUSTOM"]),
        ("0.19.0", ["--attention-backend", "flash_attn"]),
        ("0.19.0", ["--attention-backend", "auto"]),
        ("0.8.4", ["--block-size", "16"]),
    ],
)
def test_values_that_the_release_offers_pass(release: str, words: list[str]):
    assert ModelServer.of(typed(release, *words)).command_line()


@pytest.mark.parametrize(
    ("release", "words", "got", "want"),
    [
        ("0.28.0", ["--kv-cache-dtype", "fp8_e5m3"], "--kv-cache-dtype fp8_e5m3", "fp8_e5m2"),
        ("0.8.5", ["--kv-cache-dtype", "nvfp4"], "--kv-cache-dtype nvfp4", "one of auto, fp8, "),
        ("0.28.0", ["--scheduling_policy=prio"], "--scheduling-policy prio", "priority"),
        ("0.8.4", ["--block-size", "12"], "--block-size 12", "16"),
        ("0.19.0", ["--enable-lora", "--max-lora-rank", "17"], "--max-lora-rank 17", "32"),
        ("0.8.4", ["--block-size", "999"], "--block-size 999", "128"),
        (
            "0.19.0",
            ["--chat-template-content-format", "list"],
            "--chat-template-content-format list",
            "one of auto, openai, string",
        ),
        ("0.19.0", ["--attention-backend", "FLASH_INFER"], "--attention-backend FLASH_INFER", "FL"),
        ("0.8.1", ["--reasoning-parser", "qwen3", "--enable-reasoning"], "qwen3", "another par"),
    ],
)
def test_values_that_the_release_does_not_offer_are_refused(
    release: str, words: list[str], got: str, want: str
):
    sentence = refusal(ModelServer, typed(release, *words))
    assert sentence.startswith(f"vllm.extra_args is {got!r}, but it must be {want}")
    assert "vLLM" in sentence
    assert "exits when it starts" in sentence
