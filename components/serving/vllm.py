"""Flags of vLLM's server, as fields."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from ..args import Args, Because, Fault, TextForm, refuse, repeated
from ..catalog.vllm.table import Version, names
from ..keys import snake
from .vllm_parallel import tensor_share


class Quantization(StrEnum):
    """Weight formats that some release of vLLM loads; which one, and on which card, is validated.

    https://docs.vllm.ai/en/latest/features/quantization/
    """

    AQLM = "aqlm"
    """AQLM, 2 bits; up to 0.10.0."""
    AUTO_ROUND = "auto-round"
    """AutoRound; 0.9.0 to 0.14.1, then `inc`."""
    AUTO_AWQ = "auto_awq"
    """AWQ with the kernel that the card has; from 0.24.0 on."""
    AUTO_GPTQ = "auto_gptq"
    """GPTQ with the kernel that the card has; from 0.22.0 on."""
    AWQ = "awq"
    """AWQ, 4 bits."""
    AWQ_MARLIN = "awq_marlin"
    """AWQ with Marlin kernels: faster; from Ampere on up to 0.13.0, from Turing on later."""
    BITBLAS = "bitblas"
    """BitBLAS."""
    BITSANDBYTES = "bitsandbytes"
    """bitsandbytes, 4 or 8 bits; up to 0.27.1."""
    COMPRESSED_TENSORS = "compressed-tensors"
    """compressed-tensors, as LLM Compressor writes them."""
    CPU_AWQ = "cpu_awq"
    """AWQ on CPUs."""
    CPU_GPTQ = "cpu_gptq"
    """GPTQ on CPUs."""
    DEEPSEEK_V4_FP8 = "deepseek_v4_fp8"
    """8-bit floating point of DeepSeek V4."""
    DEEPSPEEDFP = "deepspeedfp"
    """DeepSpeed, 6 or 8 bits."""
    EXPERTS_INT8 = "experts_int8"
    """Experts in 8 bits, made while loading."""
    FBGEMM_FP8 = "fbgemm_fp8"
    """FBGEMM, 8-bit floating point."""
    FP8 = "fp8"
    """8-bit floating point: Hopper at 0.4.1, Ampere up to 0.13.0, Turing and later since."""
    FP8_PER_BLOCK = "fp8_per_block"
    """8-bit floating point by block, made while loading."""
    FP8_PER_CHANNEL = "fp8_per_channel"
    """8-bit floating point by channel, made while loading."""
    FP8_PER_TENSOR = "fp8_per_tensor"
    """8-bit floating point by tensor, made while loading."""
    FP_QUANT = "fp_quant"
    """FP-Quant, 4 bits, for Blackwell."""
    GGUF = "gguf"
    """GGUF, llama.cpp's format; up to 0.23.0."""
    GPT_OSS_MXFP4 = "gpt_oss_mxfp4"
    """MXFP4 of gpt-oss."""
    GPTQ = "gptq"
    """GPTQ, 2 to 8 bits."""
    GPTQ_BITBLAS = "gptq_bitblas"
    """GPTQ with BitBLAS kernels."""
    GPTQ_MARLIN = "gptq_marlin"
    """GPTQ with Marlin kernels: faster; from Ampere on up to 0.13.0, from Turing on later."""
    GPTQ_MARLIN_24 = "gptq_marlin_24"
    """GPTQ, 2:4 sparse."""
    HQQ = "hqq"
    """HQQ."""
    HUMMING = "humming"
    """Humming kernels."""
    INC = "inc"
    """Intel Neural Compressor's."""
    INT8_PER_CHANNEL_WEIGHT_ONLY = "int8_per_channel_weight_only"
    """8-bit integers by channel, made while loading."""
    IPEX = "ipex"
    """For Intel CPUs and GPUs."""
    MARLIN = "marlin"
    """Marlin; up to 0.10.1."""
    MODELOPT = "modelopt"
    """NVIDIA ModelOpt, 8-bit floating point."""
    MODELOPT_FP4 = "modelopt_fp4"
    """NVIDIA ModelOpt, NVFP4."""
    MODELOPT_MIXED = "modelopt_mixed"
    """NVIDIA ModelOpt, mixed."""
    MODELOPT_MXFP8 = "modelopt_mxfp8"
    """NVIDIA ModelOpt, MXFP8."""
    MOE_WNA16 = "moe_wna16"
    """Experts in 4 or 8 bits, from GPTQ or AWQ."""
    MXFP4 = "mxfp4"
    """MXFP4."""
    MXFP8 = "mxfp8"
    """MXFP8."""
    NEURON_QUANT = "neuron_quant"
    """For AWS Neuron."""
    NVFP4 = "nvfp4"
    """NVFP4; 0.8.0 to 0.8.5, then `modelopt_fp4`."""
    NVFP4_PER_TOKEN = "nvfp4_per_token"  # noqa: S105
    """NVFP4 by token, made while loading."""
    ONLINE = "online"
    """Made while loading, as `--quantization-config` says."""
    PETIT_NVFP4 = "petit_nvfp4"
    """NVFP4 on AMD cards."""
    PTPC_FP8 = "ptpc_fp8"
    """8-bit floating point by token and channel, for AMD cards."""
    QQQ = "qqq"
    """QQQ, 4 bits, activations in 8."""
    QUARK = "quark"
    """AMD Quark's."""
    RTN = "rtn"
    """Rounding to the nearest, made while loading."""
    SPARSEML = "sparseml"
    """SparseML; 0.4.3 alone."""
    SQUEEZELLM = "squeezellm"
    """SqueezeLLM, 4 bits; up to 0.6.0."""
    TORCHAO = "torchao"
    """TorchAO."""
    TPU_INT8 = "tpu_int8"
    """8 bits on TPUs."""


class Dtype(StrEnum):
    """Number formats of vLLM."""

    AUTO = "auto"
    """As the model has it."""
    HALF = "half"
    """The same as float16."""
    FLOAT16 = "float16"
    """16 bits, which every card has."""
    BFLOAT16 = "bfloat16"
    """16 bits with the range of float32, from Ampere on."""
    FLOAT32 = "float32"
    """32 bits: twice the memory."""


FIELD_BY_FLAG: Final[Mapping[str, str]] = MappingProxyType(
    {
        "--port": "server.port",
        "--model": "server.mount_path or vllm.model",
        "--served-model-name": "vllm.served_model_name",
        "--gpu-memory-utilization": "vllm.gpu_memory_utilization",
        "--max-model-len": "vllm.max_model_len",
        "--quantization": "vllm.quantization",
        "-q": "vllm.quantization",
        "--dtype": "vllm.dtype",
        "--tensor-parallel-size": "vllm.tensor_parallel_size",
        "-tp": "vllm.tensor_parallel_size",
        "--trust-remote-code": "vllm.trust_remote_code",
        "--runner": "vllm.runner",
        "--convert": "vllm.convert",
    }
)
"""Flags that follow from fields."""


OPTIONAL_FLAGS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "revision": ("--revision",),
        "load_format": ("--load-format",),
        "lora": ("--enable-lora", "--lora-modules", "--max-loras", "--max-lora-rank"),
        "reasoning_parser": ("--reasoning-parser", "--enable-reasoning"),
        "tool_call_parser": ("--tool-call-parser", "--enable-auto-tool-choice"),
        "sleep_mode": ("--enable-sleep-mode",),
    }
)
"""By field, the flags that follow from it where it is given; else `extra_args` may have them."""
REASONING_BY_PARSER_SINCE: Final[Version] = (0, 9, 0)
"""vllm/engine/arg_utils.py: before, a parser is used with --enable-reasoning alone."""


_KEY_PLACES: Final = MappingProxyType(
    {"--api-key": "api_key_secret of the model", "--hf-token": "secret_env of the server"}
)
"""Where a flag with a secret has its Secret."""


class Hub(StrEnum):
    """Where models are published."""

    HUGGINGFACE = "huggingface"
    """Hugging Face, or what the variable HF_ENDPOINT names."""
    MODELSCOPE = "modelscope"
    """ModelScope, which answers from mainland China."""


class LoadFormat(StrEnum):
    """How weights are read; which release knows which one is validated.

    https://docs.vllm.ai/en/latest/models/extensions/
    """

    AUTO = "auto"
    """safetensors, or else PyTorch's files."""
    HF = "hf"
    """safetensors or PyTorch's files, never Mistral's."""
    PT = "pt"
    """PyTorch's files."""
    SAFETENSORS = "safetensors"
    """safetensors alone."""
    NPCACHE = "npcache"
    """PyTorch's files, with a copy as arrays beside them."""
    DUMMY = "dummy"
    """Numbers drawn at random, to measure without weights."""
    MISTRAL = "mistral"
    """Mistral's consolidated files."""
    TENSORIZER = "tensorizer"
    """Streams what CoreWeave's tensorizer wrote."""
    SHARDED_STATE = "sharded_state"
    """Files of which each card reads its own."""
    GGUF = "gguf"
    """GGUF; up to 0.23.0."""
    BITSANDBYTES = "bitsandbytes"
    """bitsandbytes; up to 0.27.1."""
    RUNAI_STREAMER = "runai_streamer"
    """Streams safetensors by many threads: Run:ai Model Streamer."""
    RUNAI_STREAMER_SHARDED = "runai_streamer_sharded"
    """The same for files of which each card reads its own."""
    FASTSAFETENSORS = "fastsafetensors"
    """safetensors straight into the memory of the card."""
    INSTANTTENSOR = "instanttensor"
    """safetensors by InstantTensor."""
    MODELEXPRESS = "modelexpress"
    """By NVIDIA ModelExpress."""
    IPC_CACHE = "ipc_cache"
    """Out of a daemon on the node that holds the weights."""


AUTO_LENGTH: Final = -1
"""What stands for auto as a length."""
_LENGTH: Final = re.compile(r"(?P<whole>\d+)(?P<part>\.\d+)?(?P<unit>[kKmM])?")
_UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {"k": 10**3, "K": 2**10, "m": 10**6, "M": 2**20}
)


def read_length(value: Any) -> Any:
    """A number of tokens as vLLM's parser reads it: 8k is 8000, 8K is 8192, auto is -1.

    human_readable_int of vllm/utils/argparse_utils.py, 0.33.0; known since 0.8.4. vLLM is given the
    number, which every release takes.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() == "auto":
        return AUTO_LENGTH
    match = _LENGTH.fullmatch(text)
    if match is None or (match["part"] and match["unit"] not in ("k", "m")):
        want = "a number of tokens such as 8192, 8k (8000) or 8K (8192), or auto"
        raise refuse("", value, want, "vLLM reads no other, and no fraction of 1024")
    unit = _UNITS[match["unit"]] if match["unit"] else 1
    return (
        int(float(match["whole"] + match["part"]) * unit)
        if match["part"]
        else int(match["whole"]) * unit
    )


SequenceLength = Annotated[
    int,
    BeforeValidator(read_length),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": -1}, {"type": "string"}]}),
]
"""Type of a number of tokens, or of what vLLM reads as one."""


def model_faults(field: str, model: str, why: str) -> Iterator[Fault]:
    """Refuses what is neither a path nor the name of a model in a hub.

    Of addresses vLLM knows three: SUPPORTED_SCHEMES of vllm/transformers_utils/runai_utils.py,
    0.19.1 and 0.33.0. KServe's hf://, oss:// and pvc:// are none of them. Of a repository with
    several files of GGUF, the format behind a colon names one: gguf_utils.py beside it, 0.19.1.
    """
    form = r"/[^:]+|(s3|gs|az)://\S+|[\w.-]+(/[\w.-]+(:[\w+-]+)?)?"
    if not re.fullmatch(form, model) or ".." in model.split("/"):
        want = "the name of a model in a hub, such as Qwen/Qwen2.5-7B-Instruct, or a path"
        yield Fault(field, model, want, why)


ModelName = Annotated[str, TextForm(model_faults), Because("vLLM loads it")]
"""Type of what vLLM loads: the name of a model in a hub, an absolute path, or s3://... and such."""


class LoraAdapter(Args):
    """A LoRA adapter, which clients ask for by its name."""

    name: str = Field(min_length=1, pattern=r"^[^\s=]+$", examples=["sql"])
    """Name that clients put into `model`."""
    path: ModelName
    """Folder of its files: a path below a mount, e.g. of an entry of `volumes`, or a hub's name."""


LORA_RANKS: Final = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM makes room for: vllm/config/lora.py, 0.33.0."""


class Lora(Args):
    """LoRA adapters that are served beside their model."""

    adapters: list[LoraAdapter] = Field(min_length=1)
    """The adapters."""
    max_loras: int | None = Field(default=None, ge=1)
    """Adapters in one batch. Left out, vLLM's 1: requests for others wait. Each takes memory."""
    max_rank: int | None = Field(default=None, ge=1)
    """Highest rank of an adapter: one of 8, 16, 32, 64, 128, 256, 320, 512 where the release knows
    it. Left out, vLLM's 16; an adapter of a higher one is not loaded."""

    def _faults(self) -> Iterator[Fault]:
        for name in repeated(adapter.name for adapter in self.adapters):
            why = "clients ask for an adapter by its name"
            yield Fault(f"adapters[{name}].name", name, "given to one adapter only", why)
        if self.max_rank is not None and self.max_rank not in LORA_RANKS:
            want = f"one of {', '.join(map(str, LORA_RANKS))}"
            yield Fault("max_rank", self.max_rank, want, "vLLM exits when it starts")


class Runner(StrEnum):
    """What vLLM runs a model for; known from 0.10.1 on, where it took the place of `--task`."""

    AUTO = "auto"
    """What the model's architecture is for."""
    GENERATE = "generate"
    """Writing text."""
    POOLING = "pooling"
    """Embeddings, classes, scores."""


class Convert(StrEnum):
    """What vLLM makes of a model of another kind, under the runner pooling."""

    AUTO = "auto"
    """What the model's files suggest."""
    NONE = "none"
    """Nothing: the model is used as it is."""
    EMBED = "embed"
    """A model that writes text gives embeddings."""
    CLASSIFY = "classify"
    """A model that writes text tells classes."""


class Vllm(Args):
    """Flags of vLLM's OpenAI-compatible server. What is left out keeps vLLM's default."""

    model: ModelName | None = None
    """Name of a model in a hub, for a model without a volume, which each new pod then downloads; or
    a file or folder below a mount. Default: `mount_path`."""
    revision: str | None = Field(default=None, pattern=r"^[\w./-]+$", examples=["main"])
    """Commit, tag or branch of the hub's model. A commit alone stays the same."""
    hub: Hub | None = None
    """Hub that has the model. Default: Hugging Face, unless `env` has VLLM_USE_MODELSCOPE."""
    served_model_name: str
    """Name that clients put into `model`."""
    aliases: list[str] | None = None
    """Further names that clients may put there."""
    max_model_len: SequenceLength | None = None
    """Longest sequence, prompt and answer together, in tokens: 8192, 8k (8000), 8K (8192); or auto
    (-1), the longest that the card has memory for, from 0.14.0 on."""
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)
    """Share of a card's memory that vLLM takes. vLLM's own default changed over time."""
    quantization: Quantization | None = None
    """Format of quantized weights. Left out, vLLM reads it from the model."""
    dtype: Dtype | None = None
    """Number format of weights and activations. Cards before Ampere have no bfloat16."""
    tensor_parallel_size: int | None = Field(default=None, ge=1)
    """Cards that each layer is split over. Default: `resources.gpus`, divided by the pipeline and
    data parallel sizes in `extra_args`: together they are the cards of a replica."""
    trust_remote_code: bool | None = None
    """Runs Python code that the model ships with."""
    runner: Runner | None = None
    """What the model is run for, e.g. pooling for embeddings. Left out, the model tells."""
    convert: Convert | None = None
    """What is made of a model that writes text, e.g. embed. Left out, the model tells."""
    load_format: LoadFormat | None = None
    """How weights are read, e.g. runai_streamer. Left out, vLLM's own: auto."""
    lora: Lora | None = None
    """LoRA adapters that are served beside the model."""
    tool_call_parser: str | None = Field(default=None, pattern=r"^[\w-]+$", examples=["hermes"])
    """Parser of tool calls in answers, as the release calls it, e.g. hermes: with it the model may
    call tools by its own choice."""
    reasoning_parser: str | None = Field(default=None, pattern=r"^[\w-]+$", examples=["qwen3"])
    """Parser that tells reasoning from answer, as the release calls it, e.g. qwen3."""
    sleep_mode: bool | None = None
    """Lets the model give up the card's memory while it sleeps. Its API is there only with
    VLLM_SERVER_DEV_MODE 1 in `env`, which opens vLLM's other development API too."""
    compile_cache: str | None = Field(default=None, pattern=r"^/[^:]+$", examples=["/cache/vllm"])
    """Folder below a writable entry of `volumes` that keeps compiled kernels for the next start
    (VLLM_CACHE_ROOT). Left out, each new pod compiles them again."""
    extra_args: list[str] | None = None
    """Further flags, one word per item, as vLLM of this release spells them."""

    @classmethod
    def place_of(cls, key: str) -> str | None:
        """The field that sets a flag of vLLM, or else the list that takes it."""
        flag = f"--{snake(key).replace('_', '-')}"
        for field, flags in OPTIONAL_FLAGS.items():
            if flag in flags:
                return repr(field)
        if flag in _KEY_PLACES or flag in FIELD_BY_FLAG:
            return _KEY_PLACES.get(flag) or FIELD_BY_FLAG[flag]
        return f"{flag} in extra_args" if flag in names("flags") else None

    def _faults(self) -> Iterator[Fault]:
        if self.max_model_len is not None and self.max_model_len < 1 and not self.fits_the_card:
            want = "1 or more, or auto"
            yield Fault("max_model_len", self.max_model_len, want, "it is a number of tokens")
        adapters = {adapter.name for adapter in self.lora.adapters} if self.lora else set()
        names = [self.served_model_name]
        for alias in self.aliases or []:
            if alias in names or not re.fullmatch(r"[^\s-]\S*", alias):
                want = "a name without blanks, given once, that begins with no dash"
                yield Fault("aliases", alias, want, "clients put it into `model`")
            names.append(alias)
        for name in names:
            if name in adapters:
                want = "different from the names of the model"
                why = "vLLM answers to it with the model itself"
                yield Fault(f"lora.adapters[{name}].name", name, want, why)

    @property
    def fits_the_card(self) -> bool:
        """Whether the longest sequence is what the card has memory for."""
        return self.max_model_len == AUTO_LENGTH

    @property
    def names(self) -> list[str]:
        """Every name that clients may put into `model`."""
        adapters = self.lora.adapters if self.lora else []
        return [self.served_model_name, *(self.aliases or []), *(entry.name for entry in adapters)]

    @property
    def field_by_flag(self) -> dict[str, str]:
        """By flag that follows from a field, that field."""
        present = [field for field in OPTIONAL_FLAGS if getattr(self, field) is not None]
        flags = {flag: f"vllm.{field}" for field in present for flag in OPTIONAL_FLAGS[field]}
        return {**FIELD_BY_FLAG, **flags}


def vllm_flags(vllm: Vllm, port: int, mount_path: str, gpus: int) -> list[str]:
    """The flags of a server.

    Args:
        vllm: What its fields say.
        port: Port that it listens on.
        mount_path: Folder of the model, where no other is named.
        gpus: Cards of the replica.
    """
    share = tensor_share(gpus, vllm.extra_args or [])
    parallel = vllm.tensor_parallel_size or (share if share > 1 else None)
    lora = vllm.lora
    values: dict[str, object] = {
        "--port": port,
        "--model": vllm.model or mount_path,
        "--revision": vllm.revision,
        "--served-model-name": [vllm.served_model_name, *(vllm.aliases or [])],
        "--gpu-memory-utilization": vllm.gpu_memory_utilization,
        "--max-model-len": "auto" if vllm.fits_the_card else vllm.max_model_len,
        "--quantization": vllm.quantization,
        "--dtype": vllm.dtype,
        "--tensor-parallel-size": parallel,
        "--runner": vllm.runner,
        "--convert": vllm.convert,
        "--load-format": vllm.load_format,
        "--lora-modules": [f"{entry.name}={entry.path}" for entry in lora.adapters] if lora else [],
        "--max-loras": lora and lora.max_loras,
        "--max-lora-rank": lora and lora.max_rank,
        "--tool-call-parser": vllm.tool_call_parser,
        "--reasoning-parser": vllm.reasoning_parser,
    }
    switches = {
        "--enable-lora": lora,
        "--enable-auto-tool-choice": vllm.tool_call_parser,
        "--enable-sleep-mode": vllm.sleep_mode,
        "--trust-remote-code": vllm.trust_remote_code,
    }
    flags = [word for flag, value in values.items() if value for word in (flag, *_words(value))]
    flags += [flag for flag, is_on in switches.items() if is_on]
    return [*flags, *(vllm.extra_args or [])]


def _words(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]
