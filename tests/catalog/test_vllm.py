import re

import pytest

from components.catalog.vllm import MINIMUM_DRIVER, table, vllm_image
from components.catalog.vllm.architectures import ARCHITECTURES, model_architecture
from components.serving import Quantization
from components.serving.vllm_rules import REPLACED
from reference.vllm.flags import read_choices, read_keys
from reference.vllm.parsers import (
    REASONING,
    TOOL,
    read_architectures,
    read_connectors,
    read_parsers,
    read_variables,
)
from reference.vllm.sources import Sources


@pytest.mark.parametrize(
    ("image", "release", "cuda"),
    [
        ("registry/kube-ai/vllm:0.4.1", "0.4.1", 12),
        ("vllm/vllm-openai:v0.4.1", "0.4.1", 12),
        ("vllm/vllm-openai:v0.19.9", "0.19.9", 12),
        ("vllm/vllm-openai:v0.20.0", "0.20.0", 13),
        ("vllm/vllm-openai:v0.28.0-cu129", "0.28.0", 12),
        ("vllm/vllm-openai:v0.19.0-cu130", "0.19.0", 13),
        ("vllm/vllm-openai:v0.11.0-x86_64-cu129", "0.11.0", 12),
        ("registry:5000/mirror/vllm-openai:v0.28.0", "0.28.0", 13),
        ("vllm.example.com:5000/vllm-openai:v0.19.0", "0.19.0", 12),
        (f"vllm/vllm-openai:v0.28.0@sha256:{'0c12' * 16}", "0.28.0", 13),
        (f"vllm/vllm-openai:v0.28.0-cu129@sha256:{'0c13' * 16}", "0.28.0", 12),
        ("vllm/vllm-openai:v0.20.0rc1", "0.20.0", 13),
        ("vllm/vllm-openai:0.9.0.post1", "0.9.0", 12),
        ("vllm/vllm-openai:v0.10.1.1", "0.10.1", 12),
        ("registry/acme/vllm-openai:v0.9.1-cu128-mirror", "0.9.1", 12),
        ("registry/mirror/docker.io-vllm-vllm-openai:v0.9.1", "0.9.1", 12),
        ("registry/ascend/vllm-ascend:v0.9.1", "0.9.1", 0),
        ("registry/q9t5s3a7/vllm-cpu-release-repo:v0.19.0", "0.19.0", 0),
        ("registry/inference-nv-pytorch:25.09-vllm0.10.2-pytorch2.8-cu130", "0.10.2", 13),
        ("registry/inference-nv-pytorch:25.02-vllm0.7.2-sglang0.4.3-cuda12.4", "0.7.2", 12),
        ("registry/rocm/vllm:rocm6.4.1_vllm_0.10.0_20250812", "0.10.0", 0),
        ("registry/runner:cuda12.9-vllm0.11.2", "0.11.2", 12),
    ],
)
def test_a_tag_tells_version_and_cuda(image: str, release: str, cuda: int):
    match = vllm_image(image)
    assert match is not None
    assert (match.release, match.cuda) == (release, cuda)


@pytest.mark.parametrize(
    "image",
    [
        "vllm/vllm-openai",
        "vllm/vllm-openai:latest",
        "vllm/vllm-openai:nightly",
        f"vllm/vllm-openai@sha256:{'0c12' * 16}",
        "registry:5000/mirror/sglang:v0.5.0",
        "vllm.example.com:5000/sglang:v0.5.0",
        "registry/vllm-team/sglang:v0.4.6",
        "registry/vllm/text-embeddings:0.7.0",
        "registry/lmcache/vllm-openai:v0.3.9.post2",
        "registry/mirror/lmcache/vllm-openai:v0.3.9",
        "registry/ai-dynamo/vllm-runtime:0.5.1",
        "registry/rhaiis/vllm-cuda-rhel9:3.2.0",
        "registry/opea/vllm:0.1.0",
        "registry/acme/vllm-router:0.1.5",
        "registry/acme/vllm-chat-app:0.5.2",
        "registry/acme/vllm:1.2.0",
        "registry/acme/vllm:0.1.0",
        "registry/acme/vllm:2025.09.01",
        "registry/acme/vllm:20250901",
        "registry/acme/vllm:0.8",
        "registry/nvidia/vllm:25.09-py3",
    ],
)
def test_what_a_tag_does_not_tell_is_not_guessed(image: str):
    assert vllm_image(image) is None


def test_versions_are_compared_as_numbers():
    older, newer = vllm_image("vllm:0.9.0"), vllm_image("vllm:0.10.2")
    assert older is not None
    assert newer is not None
    assert older.version < newer.version


def test_every_cuda_that_a_plain_tag_has_needs_a_known_driver():
    assert {12, 13} <= set(MINIMUM_DRIVER)


def test_the_table_begins_with_the_articles_release_and_says_when_it_was_read():
    assert table.releases()[0] == (0, 4, 1)
    assert list(table.releases()) == sorted(table.releases())
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", table.table_date())


@pytest.mark.parametrize("kind", sorted({*ARCHITECTURES.values()}))
def test_every_architecture_of_a_model_is_one_that_some_release_has(kind: str):
    assert table.lifetime("architectures", kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Qwen/Qwen3-8B", "Qwen3ForCausalLM"),
        ("Qwen3-30B-A3B-Instruct-2507-FP8", "Qwen3MoeForCausalLM"),
        ("Qwen/Qwen3-Embedding-8B", "Qwen3ForCausalLM"),
        ("Qwen3-VL-Reranker-2B", "Qwen3VLForConditionalGeneration"),
        ("Qwen3-VL-235B-A22B-Instruct", "Qwen3VLMoeForConditionalGeneration"),
        ("Qwen3.5-397B-A17B", "Qwen3_5MoeForConditionalGeneration"),
        ("Qwen-7B-Chat-Int8", "QWenLMHeadModel"),
        ("/models/DeepSeek-V3.2-Exp/", "DeepseekV32ForCausalLM"),
        ("DeepSeek-R1-0528", "DeepseekV3ForCausalLM"),
        ("DeepSeek-R1-Distill-Qwen-7B", None),
        ("DeepSeek-R1-0528-Qwen3-8B", None),
        ("GLM-4.5-Air", "Glm4MoeForCausalLM"),
        ("GLM-4.6V", None),
        ("gemma-3-27b-it", "Gemma3ForConditionalGeneration"),
        ("our-qwen3-8b", None),
        ("Qwen1.5-7B-Chat", None),
    ],
)
def test_a_name_tells_the_architecture_of_a_known_model_alone(name: str, kind: str | None):
    assert model_architecture(name) == kind


def test_every_format_that_a_release_loads_can_be_asked_for():
    assert {*Quantization} == table.names("quantization")


@pytest.mark.parametrize(
    ("version", "method", "capability"),
    [
        ((0, 4, 1), "fp8", 9.0),
        ((0, 9, 2), "fp8", 8.0),
        ((0, 13, 0), "fp8", 8.0),
        ((0, 19, 0), "fp8", 7.5),
        ((0, 13, 0), "gptq_marlin", 8.0),
        ((0, 19, 0), "gptq_marlin", 7.5),
        ((0, 28, 0), "auto_gptq", 6.0),
        ((0, 28, 0), "auto_awq", 7.5),
        ((0, 4, 1), "awq", 7.5),
        ((0, 27, 0), "bitsandbytes", 7.0),
        ((0, 28, 0), "bitsandbytes", None),
        ((0, 24, 0), "gguf", None),
        ((0, 99, 0), "fp8", 7.5),
        ((0, 3, 0), "fp8", 9.0),
    ],
)
def test_a_format_needs_what_its_release_says(
    version: table.Version, method: str, capability: float | None
):
    assert table.release(version).quantization.get(method) == capability


def test_the_oldest_release_has_a_closed_list_of_formats():
    methods = {"aqlm", "awq", "fp8", "gptq", "marlin", "squeezellm"}
    assert set(table.release((0, 4, 1)).quantization) == methods


@pytest.mark.parametrize("flag", sorted(REPLACED))
def test_what_takes_the_place_of_a_flag_is_known_when_it_is_gone(flag: str):
    since = table.gone_since("flags", flag, (0, 32, 0))
    assert since
    for word in re.findall(r"--[a-z-]+", REPLACED[flag]):
        assert table.release(since).flag(word) == word


def test_flags_of_vllm_serve_alone_are_known_by_release():
    alone = {flag for version in table.releases() for flag in table.release(version).serve}
    assert alone == {
        *("--config", "--headless", "--data-parallel-start-rank", "-dpr"),
        *("--api-server-count", "-asc", "--grpc"),
    }
    assert table.release((0, 19, 0)).serve == {"--grpc"}
    assert table.release((0, 20, 0)).serve == frozenset()


@pytest.mark.parametrize("version", [(0, 8, 5), (0, 9, 2), (0, 19, 0), (0, 33, 0)])
def test_the_module_knows_all_flags_but_those_of_vllm_serve_alone(version: table.Version):
    release = table.release(version)
    assert set(release.of_module.flags) == set(release.flags) - release.serve
    assert release.serve <= set(release.flags)


@pytest.mark.parametrize("flag", ["--system-prompt", "--version", "--url"])
def test_flags_of_other_commands_of_vllm_are_none_of_the_server(flag: str):
    """`vllm chat` and the command `vllm` itself have them, in releases from 0.5.2 on."""
    assert flag not in table.names("flags")


@pytest.mark.parametrize(
    ("key", "name", "first", "last"),
    [
        ("tool_parsers", "hermes", (0, 6, 3), None),
        ("tool_parsers", "qwen3_coder", (0, 10, 0), None),
        ("tool_parsers", "minimax", (0, 9, 2), (0, 23, 0)),
        ("reasoning_parsers", "deepseek_r1", (0, 7, 1), None),
        ("reasoning_parsers", "qwen3", (0, 9, 0), None),
        ("variables", "VLLM_ATTENTION_BACKEND", (0, 4, 2), (0, 14, 1)),
        ("variables", "VLLM_USE_V1", (0, 6, 4), (0, 11, 0)),
        ("variables", "VLLM_USE_MODELSCOPE", (0, 4, 2), None),
        ("kv_connectors", "LMCacheConnectorV1", (0, 8, 5), None),
        ("kv_connectors", "P2pNcclConnector", (0, 9, 2), (0, 23, 0)),
        ("ec_connectors", "ECExampleConnector", (0, 13, 0), None),
        ("keys", "--compilation-config.pass_config.enable_fusion", (0, 9, 0), (0, 12, 0)),
        ("keys", "--compilation-config.pass_config.fuse_norm_quant", (0, 12, 0), None),
    ],
)
def test_names_are_known_by_release(
    key: str, name: str, first: table.Version, last: table.Version | None
):
    assert table.lifetime(key, name) == table.Span(first, last)
    for version in table.releases():
        knows = first <= version <= (last or version)
        assert (name in table.names(key, version)) == knows


def test_the_oldest_release_has_no_table_of_variables_and_no_parsers():
    for key in ("tool_parsers", "reasoning_parsers", "variables"):
        assert table.names(key, (0, 4, 1)) == frozenset()


REGISTERED = {
    "vllm/tool_parsers/__init__.py": '_TOOL_PARSERS_TO_REGISTER = {"a": ("file", "Class")}',
    "vllm/entrypoints/openai/tool_parsers/b.py": (
        '@ToolParserManager.register_module("b")\nclass B: ...\n'
        '@ToolParserManager.register_module(["c", "d"])\nclass C: ...\n'
        '@ToolParserManager.register_module(name="e", force=True)\nclass E: ...\n'
        "@other\nclass F: ...\n"
    ),
    "vllm/reasoning/g.py": '@ReasoningParserManager.register_module("g")\nclass G: ...\n',
    "vllm/envs.py": (
        'environment_variables: dict = {"VLLM_A": lambda: 1, "CUDA_HOME": lambda: 2,\n'
        '"VLLM_B": lambda: bool(int(os.getenv("VLLM_B", "0"))), "VLLM_PORT": get_vllm_port,\n'
        '"VLLM_C": lambda: float(os.environ.get("VLLM_C", "1")) if "VLLM_C" in os.environ else 0,\n'
        '"VLLM_D": env_with_choices("VLLM_D", None, ["X", "y"]),\n'
        '"VLLM_E": env_with_choices("VLLM_E", None, ["X", "y"], case_sensitive=False),\n'
        '"VLLM_F": env_with_choices("VLLM_F", None, others),\n'
        '"VLLM_G": lambda: os.getenv("VLLM_G", "0") == "1", "VLLM_H": lambda: platform in ("a",),\n'
        '"VLLM_I": lambda: os.environ.get("VLLM_I", "").lower() in ("true", "1")}'
    ),
    "vllm/distributed/kv_transfer/kv_connector/factory.py": (
        'KVConnectorFactory.register_connector(\n    "H", "vllm.h", "H")\n'
        "def get(name, **more):\n    return more\n"
    ),
    "vllm/model_executor/models/registry.py": (
        '_MODELS = {"I": ("i", "I"), "J": ("llama", "Llama")}\n_ALL = {**_MODELS}\n'
        '_PREVIOUSLY_SUPPORTED_MODELS = {"K": "0.23.0"}\n'
    ),
}


def test_names_are_read_however_a_release_registers_them():
    sources = Sources(REGISTERED)
    assert read_parsers(sources, TOOL) == ["a", "b", "c", "d", "e"]
    assert read_parsers(sources, REASONING) == ["g"]
    assert read_variables(sources) == {
        **{"VLLM_A": "", "VLLM_B": "int", "VLLM_C": "float"},
        **{"VLLM_D": ["X", "y"], "VLLM_E": ["x", "y"], "VLLM_F": "", "VLLM_PORT": "int"},
        **{"VLLM_G": {"on": ["1"]}, "VLLM_H": "", "VLLM_I": {"on": ["1", "true"]}},
    }
    assert read_variables(Sources({})) == {}
    assert read_connectors(sources, "kv") == ["H"]
    assert read_connectors(sources, "ec") == []
    assert read_architectures(sources) == ["I", "J"]


FLAGS = {
    "vllm/config/cache.py": (
        'Kind = Literal["a", "b"]\nTwice = Literal["a"]\n'
        "class CacheConfig:\n    plain: Kind\n    maybe: Literal[1, 8] | None\n"
        "    free: Kind | str\n    unclear: Twice\n    widened: Kind\n"
    ),
    "vllm/config/other.py": 'Twice = Literal["c"]\n',
    "vllm/engine/arg_utils.py": (
        "class EngineArgs:\n    @staticmethod\n    def add_cli_args(parser):\n"
        "        kwargs = get_kwargs(CacheConfig)\n"
        '        kwargs["widened"]["choices"] = [*kwargs["widened"]["choices"], "c"]\n'
        + "".join(
            f'        parser.add_argument("--{name}", **kwargs["{name}"])\n'
            for name in ("plain", "maybe", "free", "unclear", "widened")
        )
        + '        parser.add_argument("--listed", choices=["x", "y"])\n'
        '        parser.add_argument("--asked", choices=get_args(Kind))\n'
        '        parser.add_argument("--dynamic", choices=list(NAMES))\n'
    ),
}


def test_only_choices_that_stand_there_plainly_are_read():
    offered = {"--plain": ["a", "b"], "--maybe": ["1", "8"], "--listed": ["x", "y"]}
    offered |= {"--asked": ["a", "b"]}
    assert read_choices(Sources(FLAGS)) == offered


KEYS = {
    "vllm/config/compilation.py": (
        "class Mode(enum.Enum):\n    NONE = 0\n    BOTH = (1, 2)\n    def name(self): ...\n"
        'class Shapes(str, enum.Enum):\n    BACKED = "backed"\n'
        "class Other(enum.IntEnum):\n    ONE = 1\n"
        "class AttentionConfig:\n    backend: Mode | None = None\n"
        "    def parse(cls, value):\n        if value.lower() == 'auto':\n            return None\n"
        "        return Mode[value.upper()]\n"
        "class PassConfig:\n    enable_sp: bool = None\n    shapes: Shapes = Shapes.BACKED\n"
        "class CompilationConfig:\n    mode: Mode | None = None\n    other: Other = Other.ONE\n"
        "    pass_config: PassConfig = None\n    free: dict[str, Any] = None\n"
        "    def parse(cls, value):\n        return Mode[value.upper()]\n"
    ),
    "vllm/engine/arg_utils.py": (
        "class EngineArgs:\n    compilation_config: CompilationConfig = None\n"
        "    attention_config: AttentionConfig = None\n"
        "    @staticmethod\n    def add_cli_args(parser):\n"
        '        parser.add_argument("--compilation-config")\n'
        '        parser.add_argument("--attention-config")\n'
    ),
}


def test_keys_are_read_within_keys_and_enums_as_vllm_finds_them():
    flag = "--compilation-config"
    assert read_keys(Sources(KEYS)) == {
        "--attention-config.backend": ["BOTH", "NONE", "auto"],
        f"{flag}.mode": ["BOTH", "NONE"],
        f"{flag}.other": [],
        f"{flag}.pass_config": [],
        f"{flag}.pass_config.enable_sp": [],
        f"{flag}.pass_config.shapes": ["backed"],
        f"{flag}.free": [],
    }


@pytest.mark.parametrize(
    ("name", "version", "form"),
    [
        ("VLLM_PORT", (0, 28, 0), "int"),
        ("VLLM_USE_V1", (0, 10, 2), "int"),
        ("VLLM_USE_V1", (0, 28, 0), ""),
        ("VLLM_USE_MODELSCOPE", (0, 27, 1), table.Switch(("true",))),
        ("VLLM_USE_MODELSCOPE", (0, 28, 0), table.Switch(("1", "true"))),
        ("VLLM_HOST_IP", (0, 28, 0), ""),
        ("VLLM_CHAT_TEMPLATE_RENDER_TIMEOUT", (0, 33, 0), "float"),
        ("VLLM_WORKER_MULTIPROC_METHOD", (0, 28, 0), ("spawn", "fork")),
        ("VLLM_OF_A_PLUGIN", (0, 28, 0), ""),
    ],
)
def test_variables_are_known_by_what_reads_them(
    name: str, version: table.Version, form: str | tuple[str, ...] | table.Switch
):
    assert table.variable_form(name, version) == form
