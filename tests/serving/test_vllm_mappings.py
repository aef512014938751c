"""Mappings of vLLM's: what its own parsers, or SpeculativeConfig behind them, take and refuse."""

import json

import pytest

from components.catalog.vllm.table import names, releases, texts
from components.serving import ModelServer
from tests.cloud.refusals import refusal

from .test_vllm_rules import started, typed

MODULE = "vllm.entrypoints.openai.api_server"
SPECULATIVE = "--speculative-config"
TRANSFER = "--kv-transfer-config"
COMPILATION = "--compilation-config"
NGRAM = {"method": "ngram", "num_speculative_tokens": 3}


def as_json(flag: str, **keys: object) -> list[str]:
    return [flag, json.dumps(keys)]


def offloading(**extra: object) -> list[str]:
    told = {"kv_connector": "OffloadingConnector", "kv_role": "kv_both"}
    return as_json(TRANSFER, **told, kv_connector_extra_config=extra)


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ("0.19.0", as_json(SPECULATIVE, **NGRAM)),
        ("0.19.0", as_json(SPECULATIVE, model="ngram", num_speculative_tokens=3)),
        ("0.19.0", as_json(SPECULATIVE, model="/mnt/models/x/draft")),
        ("0.19.0", as_json(SPECULATIVE, method="suffix")),
        ("0.19.0", as_json(SPECULATIVE, method="eagle3", model="/m/e", num_speculative_tokens=2)),
        ("0.28.0", as_json(SPECULATIVE, method="deepseek_mtp", num_speculative_tokens=1)),
        # Models with such layers of their own were known by their type.
        ("0.10.2", as_json(SPECULATIVE, num_speculative_tokens=1)),
        ("0.26.0", [SPECULATIVE, '{"method": "ngram", "num-speculative-tokens": 3}']),
        ("0.19.0", [f"{SPECULATIVE}.method=ngram", f"{SPECULATIVE}.num_speculative_tokens", "3"]),
        ("0.19.0", ["-sc.method", "suffix"]),
        ("0.28.0", ["--spec-method", "ngram", "--spec-tokens", "3"]),
        ("0.28.0", ["--spec-tokens", "3", SPECULATIVE, '{"method": "ngram"}']),
        ("0.19.0", [SPECULATIVE, "$(DRAFT)"]),
        ("0.19.0", [f"{SPECULATIVE}.method", "$(METHOD)", f"{SPECULATIVE}.model", "/m/x"]),
        ("0.11.2", ["-O.mode", "3"]),
        ("0.12.0", ["-O.mode", "3"]),
        ("0.11.2", as_json("-O", level=3)),
        ("0.33.0", ["-O", "2"]),
        ("0.33.0", ["-O2"]),
        ("0.33.0", ["-cc.mode", "3"]),
        ("0.33.0", ["-cc.pass_config.fuse_norm_quant=true", "-cc.cudagraph_capture_sizes+", "1,2"]),
        ("0.17.1", as_json(COMPILATION, level=3)),
        ("0.8.5", [COMPILATION, "3"]),
        ("0.8.5", [COMPILATION, "{'level': 3}"]),
        ("0.19.0", as_json(TRANSFER, kv_connector="NixlConnector", kv_role="kv_both")),
        ("0.19.0", [f"{TRANSFER}.kv_connector=NixlConnector", f"{TRANSFER}.kv_role=kv_both"]),
        ("0.19.0", ["--structured-outputs-config.backend", "XGrammar"]),
        # Keys within keys, and what a connector is told, each as its release has it.
        ("0.12.0", as_json(COMPILATION, pass_config={"enable_fusion": True})),
        (
            "0.13.0",
            as_json(COMPILATION, pass_config={"fuse_norm_quant": True}, mode="vllm_compile"),
        ),
        ("0.28.0", as_json(COMPILATION, cudagraph_mode="full_decode_only", mode=3)),
        ("0.28.0", as_json(COMPILATION, inductor_compile_config={"any": {"key": 1}})),
        ("0.10.0", as_json(TRANSFER, kv_connector="LMCacheConnector", kv_role="kv_both")),
        ("0.28.0", as_json(TRANSFER, kv_connector="AcmeStore", kv_role="kv_both")),
        (
            "0.28.0",
            as_json(
                TRANSFER,
                kv_connector="NIXLConnector",
                kv_connector_module_path="acme.nixl",
                kv_role="kv_both",
            ),
        ),
        ("0.13.0", offloading(num_cpu_blocks=1000)),
        ("0.14.0", offloading(cpu_bytes_to_use=2**30)),
        ("0.28.0", offloading(spec_name="AcmeSpec", spec_module_path="acme")),
        (
            "0.28.0",
            [
                *(f"{TRANSFER}.kv_connector=OffloadingConnector", f"{TRANSFER}.kv_role=kv_both"),
                f"{TRANSFER}.kv_connector_extra_config.cpu_bytes_to_use=1073741824",
            ],
        ),
        # What a newer release added is not known here.
        ("0.99.0", as_json("--pooler-config", something_new=1)),
        ("0.99.0", as_json(TRANSFER, kv_connector="NIXLConnector", kv_role="kv_both")),
    ],
)
def test_mappings_that_the_release_takes_pass(release: str, words: list[str]):
    assert ModelServer.of(typed(release, *words)).command_line()


@pytest.mark.parametrize(
    ("release", "words", "sentence"),
    [
        (
            "0.19.0",
            as_json(SPECULATIVE, method="ngram"),
            "is '--speculative-config', but it must be given num_speculative_tokens, e.g. 3: vLLM "
            "exits when it starts: only a draft model may have its own.",
        ),
        ("0.19.0", [f"{SPECULATIVE}.method", "mtp"], "must be given num_speculative_tokens"),
        ("0.28.0", ["--spec-method", "ngram"], "must be given num_speculative_tokens, e.g. 3"),
        (
            "0.11.0",
            as_json(SPECULATIVE, num_speculative_tokens=1),
            "is '--speculative-config', but it must be given its method, e.g. ngram or mtp, or the",
        ),
        (
            "0.19.0",
            as_json(SPECULATIVE, method="eagle3", num_speculative_tokens=3),
            "is '--speculative-config with method eagle3', but it must be given the model that dra",
        ),
        ("0.19.0", as_json(SPECULATIVE, **{**NGRAM, "num_speculative_tokens": 0}), "1 or more"),
        (
            "0.28.0",
            ["--spec-method", "ngram", *as_json(SPECULATIVE, **NGRAM)],
            "is '--spec-method', but it must be left out, or method of --speculative-config: vLLM ",
        ),
        (
            "0.19.0",
            as_json(SPECULATIVE, **{**NGRAM, "speculative_model": "x"}),
            "is '--speculative-config.speculative_model', but it must be model: vLLM 0.19.0 exits ",
        ),
        (
            "0.25.1",
            [SPECULATIVE, '{"method": "ngram", "num-speculative-tokens": 3}'],
            "is '--speculative-config.num-speculative-tokens', but it must be num_speculative_tok",
        ),
        (
            "0.19.0",
            as_json(SPECULATIVE, **{**NGRAM, "method": "mpt"}),
            "is '--speculative-config.method mpt', but it must be mtp: vLLM 0.19.0 does not know",
        ),
        (
            "0.19.0",
            [SPECULATIVE, '["ngram"]'],
            'is --speculative-config with JSON that is no mapping, but it must be one such as {"k',
        ),
        (
            "0.19.0",
            [COMPILATION, "true"],
            "is --compilation-config with JSON that is no mapping, b",
        ),
        (
            "0.19.0",
            [*as_json(SPECULATIVE, method="ngram"), f"{SPECULATIVE}.num_speculative_tokens", "5"],
            "must be all of it as JSON, or all of it key by key: of the two vLLM takes the keys al",
        ),
        (
            "0.8.5",
            [f"{SPECULATIVE}.model", "/m/x"],
            "is '--speculative-config.model', but it must be --speculative-config with JSON: vLLM "
            "0.8.5 takes no keys with dots; 0.9.0 was the first.",
        ),
        ("0.8.5", ["--limit-mm-per-prompt.image", "2"], "takes no keys with dots"),
        ("0.19.0", [f"{SPECULATIVE}.method"], f"must be {SPECULATIVE}.method and its value"),
        (
            "0.13.0",
            ["-O.mode", "3"],
            "is '-O.mode', but it must be -cc.mode: to vLLM 0.13.0 -O is a level, here '.mode', an",
        ),
        ("0.33.0", as_json("-O", mode=3), "is '-O', but it must be one of 0, 1, 2, 3, or -cc"),
        ("0.33.0", ["-O4"], "is '-O', but it must be one of 0, 1, 2, 3"),
        ("0.12.0", ["-O.levels", "3"], "is '--compilation-config.levels', but it must be level"),
        ("0.12.0", as_json("-O", mode=3), "is '-O', but it must be one of 0, 1, 2, 3, or -cc"),
        (
            "0.9.0",
            [COMPILATION, "3"],
            'is --compilation-config 3, but it must be {"level": 3}: vLLM exits when it starts.',
        ),
        ("0.11.1", [COMPILATION, "3"], 'must be {"mode": 3}: vLLM exits when it starts.'),
        (
            "0.18.0",
            as_json(COMPILATION, level=3),
            "is '--compilation-config.level', but it must be mode: vLLM 0.18.0 exits with it, or p"
            "asses over it; 0.6.5 to 0.17.1 know it.",
        ),
        ("0.12.0", as_json(COMPILATION, full_cuda_graph=True), "must be cudagraph_mode FULL"),
        ("0.19.0", ["-cc.full_cuda_graph", "true"], "must be cudagraph_mode FULL"),
        (
            "0.19.0",
            as_json(TRANSFER, kv_connector="NixlConnector"),
            "is '--kv-transfer-config', but it must be given kv_role, e.g. kv_both: vLLM exits whe",
        ),
        (
            "0.19.0",
            as_json(TRANSFER, kv_role="kv_both"),
            "must be given kv_connector: without it vLLM hands nothing over.",
        ),
        (
            "0.19.0",
            as_json(TRANSFER, kv_connector="NixlConnector", kv_role="both"),
            "is '--kv-transfer-config.kv_role both', but it must be kv_both: vLLM 0.19.0 does not ",
        ),
        ("0.33.0", as_json("--ec-transfer-config", ec_connector="x"), "must be given ec_role"),
        (
            "0.28.0",
            as_json(COMPILATION, pass_config={"enable_fusion": True}),
            "is '--compilation-config.pass_config.enable_fusion', but it must be fuse_norm_quant "
            "and fuse_act_quant: vLLM 0.28.0 exits with it, or passes over it; 0.9.0 to 0.12.0 kno",
        ),
        (
            "0.28.0",
            ["-cc.pass_config.fuse_norm=true", "-cc.mode", "3"],
            "is '--compilation-config.pass_config.fuse_norm', but it must be fuse_norm_quant: vLL",
        ),
        (
            "0.28.0",
            as_json(COMPILATION, cudagraph_mode="FULL_DECODE"),
            "is '--compilation-config.cudagraph_mode FULL_DECODE', but it must be FULL_DECODE_ONLY",
        ),
        (
            "0.28.0",
            as_json(TRANSFER, kv_connector="NIXLConnector", kv_role="kv_both"),
            "is '--kv-transfer-config.kv_connector NIXLConnector', but it must be NixlConnector: v",
        ),
        (
            "0.28.0",
            as_json(TRANSFER, kv_connector="LMCacheConnector", kv_role="kv_both"),
            "is '--kv-transfer-config.kv_connector LMCacheConnector', but it must be "
            "LMCacheConnectorV1: vLLM 0.28.0 exits when it starts: 0.8.0 to 0.10.0 have it.",
        ),
        (
            "0.28.0",
            as_json(TRANSFER, kv_connector="PyNcclConnector", kv_role="kv_producer"),
            "must be another one, or given with kv_connector_module_path: vLLM 0.28.0 exits when",
        ),
        (
            "0.12.0",
            as_json("--ec-transfer-config", ec_connector="ECCPUConnector", ec_role="ec_producer"),
            "must be another one, or given with ec_connector_module_path: vLLM 0.12.0 exits when",
        ),
        (
            "0.28.0",
            as_json(TRANSFER, kv_connector="MultiConnector", kv_role="kv_both"),
            "is '--kv-transfer-config.kv_connector_extra_config of MultiConnector', but it must be "
            "given connectors, a list of connectors, each with kv_connector and kv_role: vLLM 0.28",
        ),
        (
            "0.28.0",
            offloading(num_cpu_blocks=1000),
            "is '--kv-transfer-config.kv_connector_extra_config of OffloadingConnector', but it "
            "must be given cpu_bytes_to_use, bytes of the node's memory: vLLM 0.28.0 exits when it",
        ),
        ("0.13.0", offloading(cpu_bytes_to_use=2**30), "must be given num_cpu_blocks, a number of"),
        ("0.19.0", as_json("--pooler-config", normalize=True), "must be use_activation"),
        ("0.19.0", ["--structured-outputs-config", "xgrammar"], "with a value that is no JSON"),
    ],
)
def test_mappings_that_the_release_does_not_take_are_refused(
    release: str, words: list[str], sentence: str
):
    assert sentence in refusal(ModelServer, typed(release, *words))


def test_a_command_is_read_alike():
    words = ["python3", "-m", MODULE, "--model", "/mnt/models/qwen", "--port", "8080"]
    raw = started("0.19.0", *words, *as_json(SPECULATIVE, method="ngram"))
    assert "command is '--speculative-config', but it must be given num_spec" in refusal(
        ModelServer, raw
    )


def test_an_image_that_does_not_tell_its_release_may_be_of_any() -> None:
    for words in (["-O.mode", "3"], ["-O", "3"], [f"{SPECULATIVE}.method", "suffix"]):
        raw = {**typed("0.19.0", *words), "image": "registry/vllm:latest"}
        assert ModelServer.of(raw).command_line()


def test_what_stands_in_a_file_is_not_asked_for():
    words = ["--config", "/etc/vllm.yaml", *as_json(SPECULATIVE, method="ngram")]
    assert ModelServer.of(typed("0.19.0", *words)).command_line()


def test_a_parser_of_reasoning_needs_its_switch_before_it_is_one():
    words = ["python3", "-m", MODULE, "--model", "/mnt/models/qwen", "--port", "8080"]
    words += ["--reasoning-parser", "deepseek_r1"]
    sentence = "'--reasoning-parser', but it must be given with --enable-reasoning: without it vLLM"
    assert sentence in refusal(ModelServer, started("0.8.5", *words))
    assert ModelServer.of(started("0.9.0", *words)).command_line()
    assert ModelServer.of(started("0.8.5", *words, "--enable-reasoning")).command_line()


def test_a_switch_whose_parser_is_a_field_lacks_nothing():
    raw = typed("0.8.5", "--enable-reasoning", reasoning_parser="deepseek_r1")
    assert "without it vLLM exits" not in refusal(ModelServer, raw)


def test_the_table_has_the_keys_of_each_release():
    """Does not prove that it has them all: vLLM's parsers were asked key by key."""
    newest = releases()[-1]
    assert f"{SPECULATIVE}.num_speculative_tokens" in names("keys", (0, 8, 2))
    assert f"{COMPILATION}.mode" not in names("keys", (0, 10, 2))
    assert f"{SPECULATIVE}.target_model_config" not in names("keys")
    assert {"ngram", "mtp", "eagle3"} <= {*texts(f"{SPECULATIVE}.method", newest)}
    assert texts(f"{TRANSFER}.kv_role", None) == ()  # 0.8.5 takes any text, and exits later
    assert texts(f"{SPECULATIVE}.model", newest) == ()
