"""Flags of SGLang's server against its release."""

import ast

import pytest

from components.catalog.sglang import sglang_name, sglang_version
from components.serving.engines import engine_faults
from components.serving.server import ModelServer
from reference.sglang.__main__ import read_flags

from .test_vllm_rules import started

LISTENS = ("--model-path", "/mnt/models/qwen", "--host", "0.0.0.0", "--port", "8080")  # noqa: S104


def faults(tag: str, *words: str, program: tuple[str, ...] = ()) -> list[str]:
    program = program or ("python3", "-m", "sglang.launch_server")
    raw = started("0.19.0", *program, *LISTENS, *words)
    server = ModelServer.of({**raw, "image": f"docker.io/lmsysorg/sglang:{tag}"})
    return [str(fault) for fault in engine_faults(server)]


@pytest.mark.parametrize(
    ("tag", "words", "sentence"),
    [
        (
            "v0.5.3",
            ("--foo", "1"),
            "server.command is '--foo', but it must be left out: SGLang 0.5.3 does not know it, "
            "and exits when it starts.",
        ),
        (
            "v0.5.3-cu126",
            ("--max-model-len", "8192"),
            "server.command is '--max-model-len', but it must be --context-length: it is a flag "
            "of vLLM, and SGLang exits when it starts.",
        ),
        (
            "v0.5.6",
            ("--enable-ep-moe",),
            "server.command is '--enable-ep-moe', but it must be --ep-size: SGLang 0.5.4 was the "
            "last to know it, and SGLang 0.5.6 exits when it starts.",
        ),
        (
            "v0.4.6.post5-cu124",
            ("--moe-a2a-backend", "deepep"),
            "or the image 0.4.10.post2 or later: SGLang 0.4.10.post2 was the first to know it.",
        ),
        ("v0.5.3", ("--attention-backend", "flash_infer"), "but it must be flashinfer: SGLang"),
        ("v0.5.3", ("--reasoning-parser=deepseek_r1",), "but it must be deepseek-r1: SGLang"),
        ("v0.5.3", ("--tool-call-parser", "hermes"), "'--tool-call-parser hermes', but it must"),
        ("v0.5.3", ("--pp_size", "1"), "is '--pp_size', but it must be --pp-size: SGLang takes"),
        ("v0.5.3", ("--mem-fraction-static", "90"), "but it must be a number between 0 and 1"),
        # Of an image that does not tell its release.
        ("latest", ("--contex-length", "8192"), "(did you mean --context-length?): no release of"),
    ],
)
def test_flags_with_which_the_release_exits_are_refused(
    tag: str, words: tuple[str, ...], sentence: str
):
    [fault] = faults(tag, *words)
    assert sentence in fault


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("v0.5.3", ("--tp", "1", "--mem-fraction-static", "0.9")),
        ("v0.5.3", ("--attention-backend", "$(BACKEND)")),
        ("v0.5.4", ("--enable-ep-moe",)),
        ("v0.5.23", ("--tool-call-parser", "hermes", "--reasoning-parser", "auto")),
        ("v0.99.0", ("--of-tomorrow",)),
        ("latest", ("--enable-ep-moe",)),
    ],
)
def test_flags_that_the_release_knows_pass(tag: str, words: tuple[str, ...]):
    assert faults(tag, *words) == []


def test_an_image_that_tells_no_release_may_know_flags_that_are_newer():
    assert faults("latest", "--brand-new-flag", "1") == []
    assert faults("latest", "--max-model-len", "8192") != []
    assert faults("latest", "--mem_fraction_static", "0.8") != []
    assert faults("latest", "--mem-fraction-statc", "0.8") != []


OVERLAPPING = ("--lora-paths", "sql=owner/sql", "--enable-lora-overlap-loading")
DRAFT = ("--speculative-draft-model-path", "owner/draft")
STEPS = ("--speculative-algorithm", "EAGLE3", *DRAFT, "--speculative-num-steps", "3")


@pytest.mark.parametrize(
    ("tag", "words", "sentence"),
    [
        (
            "v0.5.23",
            ("--pp", "1"),
            "is '--pp', but it must be written in full: --pp-async-batch-depth, "
            "--pp-max-micro-batch-size, --pp-size: it may stand for any of them, and SGLang exits",
        ),
        (
            "v0.5.23",
            ("--lora-paths", "sql=owner/sql", "--max-loaded-loras", "2"),
            "is '--max-loaded-loras 2', but it must be at least --max-loras-per-batch (8): SGLang",
        ),
        (
            "v0.5.9",
            ("--lora-paths", "sql=owner/sql", "--enable-lora-overlap-loading"),
            "is '--enable-lora-overlap-loading', but it must be given with --max-loaded-loras: ",
        ),
        (
            "v0.5.9",
            ("--lora-paths", "a=b/c", "--enable-lora-overlap-loading", "--max-loaded-loras", "17"),
            "is '--max-loaded-loras 17', but it must be 8 to 16: twice --max-loras-per-batch (8)",
        ),
        (
            "v0.5.9",
            ("--enable-lora", "--max-lora-rank", "64"),
            "is '--enable-lora', but it must be given with --lora-target-modules, or with",
        ),
        (
            "v0.5.23",
            STEPS,
            "is '--speculative-num-steps', but it must be given with --speculative-eagle-topk",
        ),
        (
            "v0.5.9",
            ("--speculative-algo", "EAGLE", *DRAFT, "--speculative-num-draft-tokens", "4"),
            "is '--speculative-num-draft-tokens', but it must be given with --speculative-num-s",
        ),
        (
            "v0.5.23",
            ("--speculative-algorithm", "DFLASH"),
            "DFLASH', but it must be given with --speculative-draft-model-path: SGLang 0.5.23 ex",
        ),
        (
            "latest",
            ("--speculative-algorithm", "mtp"),
            "'--speculative-algorithm mtp', but it must be NEXTN: vLLM calls it so, and SGLang ex",
        ),
        (
            "v0.5.9",
            ("--tp", "1", "--dp", "3", "--enable-dp-attention"),
            "is '--dp-size 3', but it must be a divisor of --tp-size (1), whose cards the copies",
        ),
        (
            "v0.5.23",
            ("--attn-dp-size", "3"),
            "is '--attn-dp-size 3', but it must be a divisor of --tp-size (1), whose cards the",
        ),
        (
            "v0.5.9",
            ("--served-model-name", "qwen:7b"),
            "'--served-model-name qwen:7b', but it must be a name without a colon: a colon sepa",
        ),
        (
            "v0.5.9",
            ("--enable-hierarchical-cache", "--disable-radix-cache"),
            "'--enable-hierarchical-cache', but it must be left out beside --disable-radix-cache",
        ),
    ],
)
def test_flags_that_do_not_go_together_are_refused(tag: str, words: tuple[str, ...], sentence: str):
    [fault] = faults(tag, *words)
    assert sentence in fault


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        # An adapter says what it needs.
        ("v0.5.9", ("--enable-lora", "--lora-paths", "sql=owner/sql")),
        ("v0.5.9", ("--enable-lora", "--max-lora-rank", "8", "--lora-target-modules", "all")),
        (
            "v0.5.9",
            (*OVERLAPPING, "--max-loaded-loras", "2", "--max-loras-per-batch", "1"),
        ),
        # All three numbers, none, or what adapts them.
        ("v0.5.23", ("--speculative-algorithm", "EAGLE3", *DRAFT)),
        ("v0.5.23", (*STEPS, "--speculative-eagle-topk", "1")),
        ("v0.5.23", (*STEPS, "--speculative-adaptive")),
        # A draft of Gemma 4 makes another algorithm of it, which has numbers of its own.
        ("v0.5.23", ("--speculative-algorithm", "EAGLE", *DRAFT, "--speculative-num-steps", "3")),
        ("v0.5.3", ("--served-model-name", "qwen:7b")),
        ("v0.5.23", ("--served-model-name", "s3://bucket/qwen")),
        ("v0.5.9", ("--enable-hierarchical-cache",)),
        ("v0.5.9", ("--enable-dp-attention",)),
        # A file may have the others.
        ("v0.5.9", ("--enable-lora", "--config", "/etc/sglang.yaml")),
        # The beginning of one flag, in one or the other spelling.
        ("v0.5.23", ("--tensor-parallel", "1", "--dp", "1", "--speculative-draft-model", "a/b")),
    ],
)
def test_flags_that_go_together_pass(tag: str, words: tuple[str, ...]):
    assert faults(tag, *words) == []


def test_what_serves_models_that_draw_has_flags_of_its_own():
    assert faults("v0.5.6", "--ulysses-degree", "2", program=("sglang", "serve")) == []


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("docker.io/lmsysorg/sglang:v0.5.3-cu126", "0.5.3"),
        ("registry/team/sglang:v0.4.6.post5-cu124", "0.4.6.post5"),
        ("docker.io/lmsysorg/sglang:latest", None),
        ("docker.io/lmsysorg/sglang:v0.5.0rc2-cu126", None),
        ("registry/team/sglang-chat-app:0.5.1", None),
        ("docker.io/vllm/vllm-openai:v0.5.3", None),
    ],
)
def test_a_tag_tells_its_release(image: str, release: str | None):
    version = sglang_version(image)
    assert (version and sglang_name(version)) == release


SOURCES = {
    "sglang/srt/server_args.py": (
        'KINDS = ["a", "b"]\n'
        "class ServerArgs:\n"
        '    plain: A[str, "help"]\n'
        '    named: A[int, Arg(help="h", cli_name="--own", aliases=["--alias"])]\n'
        '    hidden: A[int, Arg(help="h", no_cli=True)]\n'
        '    chosen: A[Literal["x", "y"], Arg(help="h")]\n'
        "    other: int = 1\n"
        "    def add_cli_args(parser):\n"
        '        parser.add_argument("--listed", "-l", choices=KINDS)\n'
        '        parser.add_argument("--free", choices=list(TABLE))\n'
        '        parser.add_argument("--reasoning-parser", choices=["auto"] + parsers())\n'
        '        parser.add_argument("--pair", action=argparse.BooleanOptionalAction)\n'
    ),
    "sglang/srt/parser/reasoning_parser.py": (
        'class ReasoningParser:\n    DetectorMap = {"qwen3": 1, "kimi": 2}\n'
    ),
}


def test_flags_are_read_however_a_release_adds_them():
    assert read_flags({path: ast.parse(text) for path, text in SOURCES.items()}) == {
        "--alias": [],
        "--chosen": ["x", "y"],
        "--free": [],
        "--listed": ["a", "b"],
        "--no-pair": [],
        "--own": [],
        "--pair": [],
        "--plain": [],
        "--reasoning-parser": ["auto", "kimi", "qwen3"],
        "-l": ["a", "b"],
    }
