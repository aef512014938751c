"""Shapes of models: what their weights and their KV cache take."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class ModelShape:
    """What of a model decides how large and how fast it is; numbers are of `config.json`."""

    parameters: float
    """All its parameters."""
    layers: int
    hidden: int
    """Width of a layer."""
    query: int
    """Width of all heads of attention."""
    key: int
    """Width of the heads of keys, and of values, which the cache holds."""
    vocabulary: int = 0
    """Tokens that it knows; 0 where that is not known."""
    tied: bool = False
    """Whether tokens go in and out by the same matrix."""
    active: float | None = None
    """Parameters that a token goes through; None where it is all of them."""
    assumption: bool = False
    """Whether it was derived from the number of parameters."""

    keeps_all: bool = True
    """Whether each layer keeps all tokens, and none the last ones alone."""
    head: int = 128
    """Width of a head of attention."""
    stored: float = 2
    """Bytes of a parameter as its makers publish it; of several formats, the least on average."""
    caching: int | None = None
    """Layers whose cache grows with every token; None where all layers' does. Others keep a window
    of tokens, or a state of one size, which is left out here."""

    @property
    def heads(self) -> int:
        """Heads of attention."""
        return self.query // self.head

    @property
    def key_heads(self) -> int | None:
        """Heads of keys, and of values; None of latent attention, which has none."""
        return None if self.key % self.head else self.key // self.head

    def splits_over(self, cards: int) -> bool:
        """Whether each layer can be split over so many cards: every one has as many heads.

        vLLM v0.28.0: verify_with_parallel_config of vllm/config/model.py, and QKVParallelLinear of
        vllm/model_executor/layers/linear.py.
        """
        keys = self.key_heads or cards
        return self.heads % cards == 0 and (keys % cards == 0 or cards % keys == 0)

    @property
    def embedding(self) -> float:
        """Parameters of the matrix by which tokens go in."""
        return float(self.vocabulary * self.hidden)

    def weight_bytes(self, per_parameter: float) -> float:
        """Size of the weights; the matrices of tokens stay in 16 bits."""
        tokens = self.embedding * (1 if self.tied else 2)
        return per_parameter * (self.parameters - tokens) + 2 * tokens

    def cache_bytes(self, per_number: float) -> float:
        """Size of a token in the KV cache."""
        return 2 * (self.caching or self.layers) * self.key * per_number


_QWEN: Final = 151_936
_QWEN_3_5: Final = 248_320
_LLAMA_3: Final = 128_256
_DEEPSEEK: Final = r"deepseek-(v3|r1)(?!.*distill)(?!.*\b(?!671b|685b)[\d.]+b\b)"
"""DeepSeek's own, and none of the smaller models that are called after them."""
# By what a model is called; config.json of each on Hugging Face, read 2026-11. Of a mixture of
# experts, what a token goes through is of its model card.
SHAPES: Final[Mapping[str, ModelShape]] = MappingProxyType(
    {
        # Of four layers one has attention, the others a state of one size: THUDM/slime,
        # scripts/models/qwen3.5-*.sh and qwen3-next-80B-A3B.sh; vllm-project/vllm issue 49064 of
        # the 27B. Qwen3.6 has the architecture of 3.5: `ARCHITECTURES`. Read 2026-11-30.
        r"qwen3\.5-397b-a17b": ModelShape(
            397e9, 60, 4096, 8192, 512, _QWEN_3_5, active=17e9, head=256, caching=15
        ),
        r"qwen3\.[56]-35b-a3b": ModelShape(
            35e9, 40, 2048, 4096, 512, _QWEN_3_5, active=3e9, head=256, caching=10
        ),
        r"qwen3\.[56]-27b": ModelShape(27e9, 64, 5120, 6144, 1024, _QWEN_3_5, head=256, caching=16),
        r"qwen3-(coder-)?next(-80b-a3b)?": ModelShape(
            79.7e9, 48, 2048, 4096, 512, _QWEN, active=3e9, head=256, caching=12
        ),
        # Half of the layers keep the last 128 tokens; experts are published in MXFP4, all else in
        # 16 bits: openai/gpt-oss, README and model card. Read 2026-11-30.
        r"gpt-oss-120b": ModelShape(
            116.8e9, 36, 2880, 4096, 512, 201_088, active=5.1e9, head=64, stored=0.55, caching=18
        ),
        r"gpt-oss-20b": ModelShape(
            20.9e9, 24, 2880, 4096, 512, 201_088, active=3.6e9, head=64, stored=0.64, caching=12
        ),
        # Published in FP8: ModelCloud/GPTQModel, gptqmodel/hf_minimax_m2; huggingface/transformers,
        # minimax_m2.md. Read 2026-11-30.
        r"minimax-m2(?!\d)": ModelShape(
            229e9, 62, 3072, 6144, 1024, 200_064, active=10e9, stored=1
        ),
        # zai-org/GLM-4.5, README; tilert's model_args of GLM-4.5-Air. Read 2026-11-30.
        r"glm-4\.5-air": ModelShape(106e9, 46, 4096, 12288, 1024, 151_552, active=12e9),
        # DeepSeek-V3's architecture with half its heads: MoonshotAI/Kimi-K2, README. K2 is in FP8,
        # from K2-Thinking on its experts are in 4 bits. Read 2026-11-30.
        r"kimi-k2(-instruct|-base)": ModelShape(
            1.02e12, 61, 7168, 8192, 288, 163_840, active=32e9, stored=1
        ),
        r"kimi-k2(-thinking|\.[567])": ModelShape(
            1.02e12, 61, 7168, 8192, 288, 163_840, active=32e9, stored=0.55
        ),
        r"qwen3-235b-a22b": ModelShape(235.1e9, 94, 4096, 8192, 512, _QWEN, active=22e9),
        r"qwen3-(coder-)?30b-a3b": ModelShape(30.5e9, 48, 2048, 4096, 512, _QWEN, active=3.3e9),
        r"qwen3-32b": ModelShape(32.8e9, 64, 5120, 8192, 1024, _QWEN),
        r"qwen3-14b": ModelShape(14.8e9, 40, 5120, 5120, 1024, _QWEN),
        r"qwen3-8b": ModelShape(8.19e9, 36, 4096, 4096, 1024, _QWEN),
        r"qwen3-4b": ModelShape(4.02e9, 36, 2560, 4096, 1024, _QWEN, tied=True),
        r"qwen3-1\.7b": ModelShape(1.72e9, 28, 2048, 2048, 1024, _QWEN, tied=True),
        r"qwen3-0\.6b": ModelShape(0.6e9, 28, 1024, 2048, 1024, _QWEN, tied=True),
        r"qwen2(\.5)?-72b": ModelShape(72.7e9, 80, 8192, 8192, 1024, _QWEN),
        r"qwen2\.5-(coder-)?32b|qwq-32b|distill-qwen-32b": ModelShape(
            32.8e9, 64, 5120, 5120, 1024, _QWEN
        ),
        r"qwen2\.5-(coder-)?14b|distill-qwen-14b": ModelShape(14.8e9, 48, 5120, 5120, 1024, _QWEN),
        r"qwen2(\.5)?-(coder-|math-)?7b|distill-qwen-7b": ModelShape(
            7.62e9, 28, 3584, 3584, 512, _QWEN
        ),
        r"qwen2\.5-(coder-)?3b": ModelShape(3.09e9, 36, 2048, 2048, 256, _QWEN, tied=True),
        r"qwen2(\.5)?-(coder-|math-)?1\.5b|distill-qwen-1\.5b": ModelShape(
            1.54e9, 28, 1536, 1536, 256, _QWEN, tied=True
        ),
        r"qwen2(\.5)?-(coder-)?0\.5b": ModelShape(
            0.49e9, 24, 896, 896, 128, _QWEN, tied=True, head=64
        ),
        r"^(qwen-)?qwen(1\.5)?-14b": ModelShape(14.2e9, 40, 5120, 5120, 5120, _QWEN),
        r"^(qwen-)?qwen(1\.5)?-7b": ModelShape(7.72e9, 32, 4096, 4096, 4096, _QWEN),
        r"llama-2-70b": ModelShape(69.0e9, 80, 8192, 8192, 1024, 32_000),
        r"llama-2-13b": ModelShape(13.0e9, 40, 5120, 5120, 5120, 32_000),
        r"llama-2-7b": ModelShape(6.74e9, 32, 4096, 4096, 4096, 32_000),
        r"llama-3\.1-405b": ModelShape(405.9e9, 126, 16384, 16384, 1024, _LLAMA_3),
        r"llama-3(\.[13])?-70b|distill-llama-70b": ModelShape(
            70.6e9, 80, 8192, 8192, 1024, _LLAMA_3
        ),
        r"llama-3(\.1)?-8b|distill-llama-8b": ModelShape(8.03e9, 32, 4096, 4096, 1024, _LLAMA_3),
        r"llama-3\.2-3b": ModelShape(3.21e9, 28, 3072, 3072, 1024, _LLAMA_3, tied=True),
        r"llama-3\.2-1b": ModelShape(1.24e9, 16, 2048, 2048, 512, _LLAMA_3, tied=True, head=64),
        r"mixtral-8x7b": ModelShape(46.7e9, 32, 4096, 4096, 1024, 32_000, active=12.9e9),
        r"mistral-nemo": ModelShape(12.2e9, 40, 5120, 4096, 1024, 131_072),
        # Of 0.1 alone layers keep the last 4096 tokens.
        r"mistral-7b": ModelShape(7.24e9, 32, 4096, 4096, 1024, 32_000, keeps_all=False),
        r"yi-34b": ModelShape(34.4e9, 60, 7168, 7168, 1024, 64_000),
        # Its cache has 576 numbers for a token and layer in all: multi-head latent attention. Its
        # weights are published in FP8: deepseek-ai/DeepSeek-V3, README.
        _DEEPSEEK: ModelShape(671e9, 61, 7168, 16384, 288, 129_280, active=37e9, stored=1),
    }
)
"""By a pattern of what a model is called."""

_LENGTHENED: Final = r"\d+k\b|yarn|long|r1-0528-qwen"
"""What names of models have in them whose longest sequence is not that of their kind."""
# What vLLM takes where it is told none: max_position_embeddings of config.json, by reports of its
# own messages and of the makers, read 2026-11-30: QwenLM/Qwen3 issues 679 and 1133 (instruct models
# of Qwen2 and Qwen2.5), 295 (Qwen1.5) and Qwen2.5-Math issue 59; vllm-project/vllm issues 10517
# (Llama 3.1) and 12865 (DeepSeek's distilled ones); OpenRLHF/OpenRLHF issue 336 (Llama 3);
# deepseek-ai/DeepSeek-V2 issue 83; configurations of Qwen3 and of Qwen2.5-7B-Instruct-1M that
# programs quote. Of Whisper it is max_target_positions, which vLLM reads so.
# Of BGE two positions are never used: FlagOpen/FlagEmbedding issue 990, vllm-project/vllm issue
# 25865.
LENGTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        r"qwen2\.5-(7b|14b)-instruct-1m": 1_010_000,
        r"qwen3-.*-2507|qwen3-coder-": 262_144,
        r"qwen3-(0\.6|1\.7|4|8|14|32)b(?!.*base)": 40_960,
        r"qwen3-(30b-a3b|235b-a22b)(?!.*base)": 40_960,
        r"qwen2\.5-math-": 4096,
        r"qwen2(\.5)?-(coder-)?[\d.]+b-instruct": 32_768,
        r"(?<!code)qwen1\.5-[\d.]+b-chat": 32_768,
        r"deepseek-r1-distill-(qwen|llama)": 131_072,
        _DEEPSEEK: 163_840,
        r"llama-3\.[123]-\d+b": 131_072,
        r"llama-3-\d+b": 8192,
        r"llama-2-\d+b": 4096,
        r"bge-(m3|reranker-v2-m3)$": 8192,
        r"bge-((large|base|small)-(zh|en)|reranker-(large|base)$)": 512,
        r"whisper-(tiny|base|small|medium|large)": 448,
    }
)
"""Longest sequence in tokens, by a pattern of what a model is called."""

BLOCK: Final = 128
"""Rows and columns of a matrix that have a scale of their own, in FP8 as its makers store it."""
# moe_intermediate_size of config.json, read 2026-11-30: vllm-project/vllm issues 17569 (235B, 192
# for each of 8 cards) and 25292 (30B), pull 48173 (MiniMax-M2); QwenLM/Qwen3-VL issue 1554;
# sgl-project/sglang pull 8344 (480B, 320 for each of 8; 2560 too in THUDM/slime, scripts/models)
# and issue 10852 (Next); ROCm/ATOM issue 1944 (Qwen3.6).
_WIDTHS: Final[Mapping[str, int]] = MappingProxyType(
    {
        r"qwen3-(coder-|vl-)?30b-a3b(?!\d)(.*-)?fp8$": 768,
        r"qwen3-(vl-)?235b-a22b(.*-)?fp8$": 1536,
        r"qwen3-coder-480b-a35b(.*-)?fp8$": 2560,
        r"qwen3-next-80b-a3b(.*-)?fp8$": 512,
        r"qwen3\.6-35b-a3b(.*-)?fp8$": 512,
        r"minimax-m2(\.\d)?$": 1536,
    }
)


def block_width(name: str) -> int | None:
    """Rows of an expert of a model that is stored in FP8 by blocks, by its name; None of others."""
    text = spelled_alike(name)
    return next((width for key, width in _WIDTHS.items() if re.search(key, text)), None)


_UNDRAFTED: Final = (
    r"(meta-)?(qwen(1\.5|2|2\.5|3)-(?!.*next)|qwq-|llama-[23]|mistral-(7b|nemo|small)|mixtral-|yi-)"
)
"""How names of models begin whose files have no layers that predict several tokens: DeepSeek-V3,
GLM-4.5, Qwen3-Next and MiMo were among the first that have some, as the lists of models in SGLang's
`_handle_eagle_family` and vLLM's `MTPModelTypes` of 2026 say."""


def lacks_draft(name: str) -> bool:
    """Whether a model is known by its name to have no layers of its own by which to draft."""
    return re.match(_UNDRAFTED, re.split(r"/", name.lower().replace("_", "-"))[-1]) is not None


def spelled_alike(name: str) -> str:
    """A name of a model without what hubs and folders spell in different ways."""
    return re.sub(r"[_/\s]", "-", name.lower())


def known_shape(name: str) -> ModelShape | None:
    """The shape of a model by its name; None of one that the table lacks."""
    text = spelled_alike(name)
    return next((shape for pattern, shape in SHAPES.items() if re.search(pattern, text)), None)


_IN_SIXTEEN_BITS: Final = (
    r"(meta-)?(qwen|qwq-|qvq-|internvl|gemma-[23]-|llama-3|glm-4|minicpm|phi-[34])"
)
"""How names of families begin that their makers publish in 16 bits, unless a name says otherwise:
docs/models/supported_models.md of vLLM and the model cards that it names, read 2026-12-01."""
_ROUNDED: Final = 0.95
"""Least share of what a name says of the parameters: Llama 3.2's 11B has 10.7."""


def named_parameters(name: str) -> float | None:
    """The least parameters that a model has by its name; None where that does not tell.

    Of several numbers the least counts, and none of what a token goes through (`a3b`).
    """
    short = name.rstrip("/").rpartition("/")[2].lower()
    sizes = re.findall(r"(?<![a-z\d.])(\d+(?:[._]\d+)?)b(?![a-z\d])", short)
    if not sizes or not re.match(_IN_SIXTEEN_BITS, short):
        return None
    return min(float(size.replace("_", ".")) for size in sizes) * 1e9 * _ROUNDED


def known_length(name: str) -> int | None:
    """The longest sequence of a model by its name, in tokens; None of one that the table lacks."""
    text = spelled_alike(name)
    if re.search(_LENGTHENED, text):
        return None
    return next((length for key, length in LENGTHS.items() if re.search(key, text)), None)
