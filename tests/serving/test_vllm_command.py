import pytest

from components.serving.vllm_command import expanded, read_command

MODULE = "vllm.entrypoints.openai.api_server"


@pytest.mark.parametrize(
    "words",
    [
        ["vllm", "serve", "/m", "--port", "80"],
        ["/usr/local/bin/vllm", "serve", "/m", "--port=80"],
        ["python3", "-m", MODULE, "--model", "/m", "--port", "80"],
        ["python", "-u", "-m", MODULE, "--model=/m", "--port", "80"],
        ["python3", "-m", "vllm.entrypoints.cli.main", "serve", "/m", "--port", "80"],
        ["env", "HF_HUB_OFFLINE=1", "vllm", "serve", "/m", "--port", "80"],
        ["sh", "-c", "vllm serve /m --port 80"],
        ["/bin/bash", "-ec", "cd /tmp && exec vllm serve /m --port 80 2>&1 | tee log"],
        ["sh", "-c", "set -e\nexport A=1\nvllm serve /m \\\n  --port 80\n"],
        ["sh", "-c", "# it's started\nvllm serve /m --port 80  # --task embed\n"],
        ["bash", "-eo", "pipefail", "-c", "vllm serve /m --port 80 | tee log"],
        ["tini", "--", "bash", "-lc", f"A=1 python3 -m {MODULE} --model '/m' --port 80; true"],
    ],
)
def test_a_server_is_seen_however_it_is_started(words: list[str]):
    command = read_command(words)
    assert command is not None
    assert (command.model, command.number("--port")) == ("/m", 80)
    assert set(command.flags) <= {"--port", "--model"}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["vllm"],
        ["vllm", "bench", "serve"],
        ["python3", "-m", "sglang.launch_server", "--port", "80"],
        ["sh", "-c", "vllm serve 'open"],
        ["sh", "-c"],
    ],
)
def test_what_starts_no_server_of_vllm_has_no_flags(words: list[str]):
    assert read_command(words) is None


@pytest.mark.parametrize(
    ("words", "flag", "value"),
    [
        (["--max_model_len", "8"], "--max-model-len", "8"),
        (["--max_model_len=8"], "--max-model-len", "8"),
        (["-tp", "2"], "--tensor-parallel-size", "2"),
        (["-tp=2"], "--tensor-parallel-size", "2"),
        (["-pp", "2"], "--pipeline-parallel-size", "2"),
        (["-q", "awq"], "--quantization", "awq"),
        (["--enforce-eager"], "--enforce-eager", ""),
        (["--seed", "-1"], "--seed", "-1"),
        (["--seed", "1", "--seed", "2"], "--seed", "2"),
        (["--hf-overrides", '{"a": -1}'], "--hf-overrides", '{"a": -1}'),
        (['--hf-overrides={"a": "b=c"}'], "--hf-overrides", '{"a": "b=c"}'),
    ],
)
def test_a_flag_has_one_name_and_the_value_that_counts(words: list[str], flag: str, value: str):
    command = read_command(["vllm", "serve", "/m", *words])
    assert command is not None
    assert (command.model, dict(command.flags)) == ("/m", {flag: value})


@pytest.mark.parametrize("value", ["two", "$CARDS", "", "-1", "1.5"])
def test_a_value_that_is_no_whole_number_is_not_guessed(value: str):
    command = read_command(["vllm", "serve", "/m", "-tp", value])
    assert command is not None
    assert command.number("--tensor-parallel-size") is None


@pytest.mark.parametrize(
    ("words", "filled"),
    [
        (["vllm", "--port", "$(PORT)"], ["vllm", "--port", "80"]),
        (["vllm", "--port=$(PORT)"], ["vllm", "--port=80"]),
        (["vllm", "$PORT", "$$(PORT)", "$(NO)"], ["vllm", "$PORT", "$$(PORT)", "$(NO)"]),
        (["sh", "-c", "vllm $PORT ${PORT} $(PORT)"], ["sh", "-c", "vllm 80 80 80"]),
        (
            ["sh", "-c", r"vllm \$PORT ${PORT:-1} $PORTS"],
            ["sh", "-c", r"vllm \$PORT ${PORT:-1} $PORTS"],
        ),
    ],
)
def test_variables_are_filled_in_as_kubernetes_and_a_shell_do(words: list[str], filled: list[str]):
    assert expanded(words, {"PORT": "80"}) == filled


def test_a_model_behind_its_flag_goes_before_a_loose_word():
    command = read_command(["vllm", "serve", "/m", "--model", "/n"])
    assert command is not None
    assert command.model == "/n"
