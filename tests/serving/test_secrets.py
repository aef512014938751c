import pytest

from components.serving.secrets import secret_faults, secret_word_faults

KEY = "hf_" + "a" * 20


@pytest.mark.parametrize(
    "name",
    [
        *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "hf_token", "hubToken", "MODELSCOPE_API_TOKEN"),
        *("VLLM_API_KEY", "OPENAI_APIKEY", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY"),
        *("ALIBABA_CLOUD_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "accessKeySecret"),
        *("PGPASSWORD", "DB_PASSWD", "KEY_PASSPHRASE", "CLIENT_SECRET", "SSH_PRIVATE_KEY"),
        *("MYSQL_PWD", "DB_PASS", "GITHUB_PAT", "OSS_AK", "SK", "AZURE_STORAGE_KEY", "LICENSE_KEY"),
        *("AZURE_STORAGE_CONNECTION_STRING", "GOOGLE_CREDENTIALS_JSON", "HF_TOKEN_"),
        *("TOKEN", "HF_TOKEN_2", "AZURE_CREDENTIALS", "my.secret"),
    ],
)
def test_a_variable_that_is_called_as_a_secret_is_refused_without_its_value(name: str):
    [fault] = secret_faults("env", {name: "anything"})
    assert fault.field == f"env[{name}]"
    assert f"the key {name} of a Secret that secret_env names" in str(fault)
    assert "anything" not in str(fault)


@pytest.mark.parametrize(
    "value",
    [
        KEY,
        "sk-" + "a1" * 16,
        "ms-0a1b2c3d-0000-1111-2222-333344445555",
        "LTAI" + "5tQw" * 5,
        "AKIA" + "A1B2" * 4,
        "ghp_" + "a" * 36,
        "github_pat_" + "a" * 22,
        "glpat-" + "a" * 20,
        "nvapi-" + "a" * 30,
        "https://ci:word@registry.example.com",
        "-----BEGIN RSA PRIVATE KEY-----",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
        f"--header=Bearer {KEY}",
        "Authorization: Bearer abcdefghijkl",
        "authorization=Basic dXNlcjpwYXNzd29yZA==",
        "AccountName=a;AccountKey=" + "a1" * 10 + "==;",
    ],
)
def test_a_value_that_looks_like_a_key_is_refused_whatever_it_is_called(value: str):
    [variable] = secret_faults("env", {"EXTRA": value})
    [word] = secret_word_faults("command", ["serve", value])
    assert (variable.field, word.field) == ("env[EXTRA]", "command[1]")
    assert value not in f"{variable}{word}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("TOKENIZERS_PARALLELISM", "false"), ("MAX_NEW_TOKENS", "512"), ("MAX_TOKEN", "512")],
        *[("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"), ("USE_SECRET", "True"), ("HF_TOKEN", "")],
        *[("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"), ("TLS_PRIVATE_KEY", "/etc/tls.key")],
        *[("EOS_TOKEN", "</s>"), ("SECRET_NAME", "hub"), ("KEY", "value"), ("CACHE_KEY", "v1")],
        *[("HF_ENDPOINT", "https://hf-mirror.com"), ("MODEL", "sk-learn"), ("HF_HOME", "/hf_x")],
        *[("EOS_TOKEN", "im_end"), ("PAD_TOKEN", "[PAD]"), ("HF_TOKEN", "$(HUB_TOKEN)")],
        *[("USE_TOKEN", "enabled"), ("TOKEN", "4k"), ("PWD", "a"), ("FIRST_PASS", "fast")],
        *[("TOKENIZER_PATH", "a"), ("KEYCLOAK_URL", "a"), ("VLLM_API_KEY_HEADER", "X-Key")],
        *[("NOTE", "a bearer token is asked for"), ("HEADER", "Bearer $(HUB_TOKEN)")],
        *[("PROXY", "http://proxy:3128"), ("TASK", "mask-" + "a" * 20)],
    ],
)
def test_what_only_sounds_like_a_secret_passes(name: str, value: str):
    assert list(secret_faults("env", {name: value})) == []


@pytest.mark.parametrize("name", ["API_KEY", "DB_PASSWORD", "SECRET"])
def test_a_password_of_digits_is_one(name: str):
    assert [*secret_faults("env", {name: "12345678"})]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sglang", "--api-key", "a-word"], "command[2] is --api-key with its value in plain"),
        (["sglang", "--api_key=a-word"], "command[1] is --api_key with its value in plain"),
        (["sh", "-c", "HF_TOKEN=a-word torchrun x.py"], "command[2] is HF_TOKEN with its value"),
        (["sh", "-c", "export HF_TOKEN='a-word'; torchrun"], "command[2] is HF_TOKEN with its"),
        (["sh", "-c", "x --hub_token a-word --y"], "command[2] is --hub_token with its value in"),
    ],
)
def test_a_flag_that_is_called_as_a_secret_is_refused_without_its_value(
    words: list[str], sentence: str
):
    [fault] = secret_word_faults("command", words)
    assert str(fault).startswith(sentence)
    assert "a-word" not in str(fault)


@pytest.mark.parametrize(
    "words",
    [
        ["sglang", "--api-key", "$(KEY)"],
        ["sh", "-c", 'sglang --api-key "$KEY" --port 80'],
        ["sh", "-c", "export HF_TOKEN=$(cat /run/token) && train"],
        ["train", "--eos_token", "im_end", "--use_auth_token", "True", "--max-token=512"],
        ["train", "--tokenizer", "qwen", "--token", "--verbose", "--api-key-file", "key"],
    ],
)
def test_a_flag_that_only_sounds_like_a_secret_passes(words: list[str]):
    assert list(secret_word_faults("command", words)) == []


def test_a_flag_that_another_rule_judges_is_left_to_it():
    assert list(secret_word_faults("command", ["vllm", "--api-key", "a"], ["--api-key"])) == []


def test_nothing_is_no_secret():
    assert [*secret_faults("env", None), *secret_word_faults("command", None)] == []
