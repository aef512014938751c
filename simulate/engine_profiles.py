"""How fast vLLM is with a model on a card: a roofline, fitted on measured rows.

A step reads the weights and the contexts of its answers from the card's memory, or is bound by its
matrices. Sizes of both come from the model's shape, rates from the card's row in the catalogue,
times a share that is reached. Fitted on:

- bandwidth, compute and overheads of releases before 0.8: nm-vllm 0.5.0 on A10G, ShareGPT,
  Mistral-7B GPTQ at 0.5, 1, 2.5 and 5 requests a second, and Llama-2-7B at 0.5
  (neuralmagic/nm-vllm, branch nm-gh-pages, 2024-06-06);
- memory that is neither weights nor cache: KAITO's gpu-benchmarks on A10, Llama-3.1-8B at 16
  requests a second (kaito-project/kaito, 2025-09);
- overheads of later releases: BLIS v0.7.15, llama-2-7b on A100, prompts of up to 128 tokens, one
  request and 64 (BLIS was itself trained on vLLM). No engine's own figures were found.

`proof/engine_model.py` holds the rest of these sources against it, and says how far it is off.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Self

from components.catalog.gpus import GPUS, Gpu
from components.catalog.model_shapes import ModelShape, known_shape, spelled_alike
from components.catalog.sharing import GpuSharing, mig_gib
from components.catalog.vllm import vllm_image
from components.catalog.vllm.table import Version
from components.quantity import GIB, parse
from components.serving.server import ModelServer
from components.serving.vllm import Quantization
from components.serving.vllm_parallel import TENSOR
from stacks.sections.models import ModelSection
from stacks.sections.pools import AnyPoolSection

from .server import EngineProfile
from .times import Band


class Unprofiled(Exception):
    """A model's speed on a card cannot be told; the message says why in a sentence."""


_PARAMETERS: Final = re.compile(r"(?:(\d+)x)?(\d+(?:\.\d+)?)b(?![a-z])")
_ACTIVE: Final = re.compile(r"-a(\d+(?:\.\d+)?)b(?![a-z])")
_SHARED_OF_EXPERTS: Final = 0.83
"""Share of the product in a name such as 8x7B: attention is there once (46.7 of 56 in Mixtral)."""


def shape_of(names: Sequence[str], weight_bytes: float | None, per_parameter: float) -> ModelShape:
    """The shape of a model.

    Args:
        names: What it is called: folder, hub's name, served name, the surest first.
        weight_bytes: Size of its files; None where that is not known.
        per_parameter: Bytes of a parameter.

    Raises:
        Unprofiled: Neither tells how large it is.
    """
    for name in names:
        if (shape := known_shape(name)) is not None:
            return shape
    for name in map(spelled_alike, names):
        if match := _PARAMETERS.search(_ACTIVE.sub("", name)):
            experts, size = match.groups()
            parameters = float(size) * 1e9 * (int(experts) * _SHARED_OF_EXPERTS if experts else 1)
            active = _ACTIVE.search(name)
            return derived_shape(parameters, float(active[1]) * 1e9 if active else None)
    if weight_bytes is None:
        raise Unprofiled(
            "neither its name nor a volume tells how large it is: give the number of its "
            "parameters, in a name such as qwen-7b or to the simulation"
        )
    return derived_shape(weight_bytes / per_parameter)


def derived_shape(parameters: float, active: float | None = None) -> ModelShape:
    """A shape of usual proportions: 12 x layers x width^2, 128 of width a layer, 8 key heads."""
    layers = max(1, round((parameters / (12 * 128**2)) ** (1 / 3)))
    hidden = 128 * layers
    return ModelShape(parameters, layers, hidden, hidden, 1024, active=active, assumption=True)


_FOUR_BITS: Final = 0.52
"""Bytes of a parameter in 4 bits, its group's scale and zero point in it: 4.16 GB of Mistral-7B."""
_EIGHT: Final = frozenset(
    {
        Quantization.FP8,
        Quantization.FBGEMM_FP8,
        Quantization.FP8_PER_BLOCK,
        Quantization.FP8_PER_CHANNEL,
        Quantization.FP8_PER_TENSOR,
        Quantization.PTPC_FP8,
        Quantization.DEEPSEEK_V4_FP8,
        Quantization.MODELOPT,
        Quantization.MODELOPT_MXFP8,
        Quantization.MXFP8,
        Quantization.INT8_PER_CHANNEL_WEIGHT_ONLY,
        Quantization.EXPERTS_INT8,
        Quantization.TPU_INT8,
        Quantization.HUMMING,
    }
)
_OWN: Final = frozenset({Quantization.COMPRESSED_TENSORS, Quantization.ONLINE, Quantization.QUARK})
"""Formats of several widths: what the model is called tells."""
_SIXTEEN: Final = r"(?<![a-z\d])(bf|fp)16"
"""What names have in them of models that somebody stored in 16 bits, whatever their makers did."""
_FP8_SINCE: Final = 8.9
"""Compute capability from which on matrices are multiplied in 8 bits, twice as fast."""


@dataclass(frozen=True)
class Precision:
    """In what numbers a model is held and multiplied."""

    bytes: float = 2.0
    """Bytes of a parameter in the card's memory."""
    multiplied: bool = False
    """Whether matrices are multiplied in these 8 bits; else they are made 16 bits first."""


def precision_of(names: Sequence[str], quantization: str | None, dtype: str | None) -> Precision:
    """The numbers of a model, by what the server is told and what the model is called."""
    text = " ".join(names).lower()
    multiplied = re.search(r"fp8|w8a8", f"{quantization} {text}") is not None
    if quantization and quantization not in _OWN:
        eight = quantization in _EIGHT or re.search(r"int8|w8a|8bit", text)
        return Precision(1.0, multiplied) if eight else Precision(_FOUR_BITS)
    if re.search(r"int4|awq|w4a|4bit|mxfp4|nvfp4|gptq(?!.*int8)", text):
        return Precision(_FOUR_BITS)
    if re.search(r"fp8|int8|w8a|8bit", text):
        return Precision(1.0, multiplied)
    return Precision(4.0 if dtype == "float32" else 2.0)


@dataclass(frozen=True)
class Efficiency:
    """What of a card's rates an engine reaches."""

    bandwidth: Band
    """Share of the memory's bandwidth."""
    compute: Band
    """Share of the matrix compute."""


_NM: Final = "nm-vllm 0.5.0 on A10G, 2024-06-06; Qwen2.5-7B on A100, vLLM 0.6.3, 2024-11"
_BANDWIDTH: Final = Band(0.6, 0.72, 0.88, _NM)
_COMPUTE: Final = Band(0.4, 0.65, 0.75, _NM)
_ELSEWHERE: Final = "as A10, within wider bounds"
_OTHERS: Final = Efficiency(
    Band(0.6, 0.72, 0.88, _ELSEWHERE, assumption=True),
    Band(0.35, 0.6, 0.75, _ELSEWHERE, assumption=True),
)
# Before Ampere there is no FlashAttention 2. AutoAWQ on a T4 reads 390 to 430 tokens a second of
# Mistral-7B, 9 % of its compute (pull 92, 2023-10-03), which is the lower bound.
_OLD: Final = Efficiency(
    Band(0.5, 0.65, 0.85, _ELSEWHERE, assumption=True),
    Band(0.09, 0.4, 0.6, "AutoAWQ pull 92, 2023-10-03; as A10", assumption=True),
)
_EFFICIENCIES: Final[Mapping[str, Efficiency]] = MappingProxyType(
    {
        "NVIDIA-A10": Efficiency(_BANDWIDTH, _COMPUTE),
        "NVIDIA-A100-SXM4-80GB": Efficiency(_BANDWIDTH, _OTHERS.compute),
        "NVIDIA-A800-SXM4-80GB": Efficiency(_BANDWIDTH, _OTHERS.compute),
    }
)
_AMPERE: Final = 8.0


def efficiency_of(card: Gpu) -> Efficiency:
    """What of a card's rates an engine reaches."""
    if card.compute_capability < _AMPERE:
        return _OLD
    return _EFFICIENCIES.get(card.label or "", _OTHERS)


def rates_of(card: Gpu) -> tuple[float, float, bool]:
    """Bytes and operations a second of a card, and whether they are those of a similar one.

    That is the one of the nearest compute capability, then memory, times its share of that memory.
    """
    if card.bandwidth_gbs is not None and card.tflops is not None:
        return card.bandwidth_gbs * 1e9, card.tflops * 1e12, False

    def distance(other: Gpu) -> tuple[float, int]:
        capability = abs(other.compute_capability - card.compute_capability)
        return capability, abs(other.memory_gib - card.memory_gib)

    similar = min(GPUS.values(), key=distance)
    share = min(1.0, card.memory_gib / similar.memory_gib)
    bandwidth = (card.bandwidth_gbs or (similar.bandwidth_gbs or 0) * share) * 1e9
    return bandwidth, (card.tflops or (similar.tflops or 0) * share) * 1e12, True


@dataclass(frozen=True)
class Overheads:
    """What an engine's own work takes."""

    step: Band
    """Seconds of each step."""
    sequence: Band
    """Seconds of each answer in a step."""
    request: Band
    """Seconds before a request is in the queue."""


_OF_RELEASES: Final[tuple[tuple[Version, Overheads], ...]] = (
    (
        (0, 8, 0),
        Overheads(
            Band(0.0005, 0.0009, 0.004, "BLIS v0.7.15, llama-2-7b on A100"),
            Band(0.00001, 0.00004, 0.0003, "BLIS v0.7.15, llama-2-7b on A100"),
            Band(0.006, 0.0155, 0.025, "BLIS v0.7.15, llama-2-7b on A100"),
        ),
    ),
    (
        (0, 0, 0),
        Overheads(
            Band(0.0015, 0.0021, 0.004, _NM),
            Band(0.0002, 0.00028, 0.0006, _NM),
            Band(0.004, 0.0064, 0.015, _NM),
        ),
    ),
)
_CHUNKED_SINCE: Final[Version] = (0, 8, 0)
# vllm/engine/arg_utils.py, 0.10 to 0.33: tokens of a step and requests in it where no flag says.
_LARGE_GIB: Final = 70
_LARGE: Final = (8192, 1024)
_SMALL: Final = (2048, 256)
# Cards of a node are joined by PCIe 4 or NVLink. Each layer adds up the parts of all cards twice:
# seconds of the exchange itself, and bytes a second.
_LINK: Final[Mapping[bool, tuple[float, float]]] = MappingProxyType(
    {False: (15e-6, 20e9), True: (8e-6, 200e9)}
)
_BESIDE: Final = Band(1.5, 2.4, 3.5, "KAITO, Llama-3.1-8B on A10 at 16 req/s, 2025-09")
"""GiB of a card that are neither weights nor cache."""
_USUAL_WIDTH: Final = 4096
"""Width of the layers of that model: narrower ones need less."""
_BESIDE_LARGE: Final = Band(2.5, 4.5, 6.5, "four times the tokens in a step", assumption=True)
_USUAL_ANSWERS: Final = 8
"""Answers in a step for which experts of a mixture are read from memory."""


@dataclass(frozen=True)
class EngineEstimate:
    """How fast an engine is, as a band."""

    fast: EngineProfile
    likely: EngineProfile
    slow: EngineProfile
    source: str
    """What it was worked out from."""
    assumption: bool
    """Whether some part of it was measured by nobody."""

    def at(self, place: float) -> EngineProfile:
        """The fast engine at 0, the likely one at 0.5, the slow one at 1: as `Band.at`, nearest."""
        return self.fast if place < 0.25 else self.slow if place > 0.75 else self.likely

    def scaled(self, prefill: float = 1.0, decode: float = 1.0) -> Self:
        """The same with other times, as `EngineProfile.scaled`."""
        fast, likely, slow = (
            engine.scaled(prefill, decode) for engine in (self.fast, self.likely, self.slow)
        )
        return replace(self, fast=fast, likely=likely, slow=slow)


@dataclass(frozen=True)
class EngineSettings:
    """What an engine is told, with vLLM's defaults."""

    release: Version | None = None
    """Release of vLLM; None is taken for the newest."""
    tensor: int = 1
    """Cards that each layer is split over."""
    pipeline: int = 1
    """Parts of the model that stand on other cards, one after another."""
    memory_share: float = 0.9
    """Share of a card's memory that the engine takes."""
    longest: int | None = None
    """Tokens of a request at most; None is what the cache holds."""
    sequences: int | None = None
    """Requests that are answered at the same time, at most."""
    budget: int | None = None
    """Tokens of a step, at most."""
    chunked: bool | None = None
    """Whether parts of prompts are read beside answers; None is the release's own."""
    cache_bytes: float = 2.0
    """Bytes of a number in the KV cache."""


def engine_estimate(
    shape: ModelShape,
    precision: Precision,
    card: Gpu,
    settings: EngineSettings = EngineSettings(),
    *,
    memory_gib: float | None = None,
    rates: float = 1.0,
) -> EngineEstimate:
    """How fast vLLM is with a model on a card.

    Args:
        shape: The model.
        precision: Its numbers.
        card: The card.
        settings: What the engine is told.
        memory_gib: Memory of each card that it takes its share of; None is all of it.
        rates: Share of each card's bandwidth and compute that it gets.

    Raises:
        Unprofiled: The model does not fit the card.
    """
    bandwidth, compute, guessed = rates_of(card)
    bandwidth, compute = bandwidth * rates, compute * rates
    memory = memory_gib or card.memory_gib
    efficiency = efficiency_of(card)
    release = settings.release or (99, 0, 0)
    overheads = next(row for since, row in _OF_RELEASES if release >= since)
    beside = _BESIDE_LARGE if memory >= _LARGE_GIB else _BESIDE
    beside = beside.times(min(1.0, shape.hidden / _USUAL_WIDTH))
    bands = (efficiency.bandwidth, efficiency.compute, beside, *vars(overheads).values())

    # The upper end of it may leave the cache nothing, where the likely value leaves it something.
    weights = shape.weight_bytes(precision.bytes) / settings.tensor / settings.pipeline / GIB
    most = max(beside.likely, (memory * settings.memory_share - weights) * 0.9)

    def profile(place: float) -> EngineProfile:
        step, sequence, request = (band.at(place) for band in vars(overheads).values())
        return _profile(
            shape,
            precision,
            card,
            settings,
            bandwidth=bandwidth * efficiency.bandwidth.at(1 - place),
            compute=compute * efficiency.compute.at(1 - place),
            beside=min(beside.at(place), most) * GIB,
            memory=memory * GIB,
            overheads=(step, sequence, request),
        )

    source = "; ".join(dict.fromkeys(band.source for band in bands))
    assumption = guessed or shape.assumption or rates < 1 or any(band.assumption for band in bands)
    return EngineEstimate(profile(0), profile(0.5), profile(1), source, assumption)


def _profile(
    shape: ModelShape,
    precision: Precision,
    card: Gpu,
    settings: EngineSettings,
    *,
    bandwidth: float,
    compute: float,
    beside: float,
    memory: float,
    overheads: tuple[float, float, float],
) -> EngineProfile:
    cards = settings.tensor
    weights = shape.weight_bytes(precision.bytes)
    per_token = shape.cache_bytes(settings.cache_bytes)
    room = (memory * settings.memory_share - beside) * cards * settings.pipeline - weights
    tokens = int(room / per_token)
    if tokens < 1:
        need = (weights / cards / settings.pipeline + beside) / settings.memory_share / GIB
        have = f"{memory / GIB:.0f}"
        raise Unprofiled(
            f"its weights and what vLLM needs beside take {need:.0f} GiB of a card that has {have}"
        )
    chunked = _is_chunked(settings)
    longest = min(settings.longest or tokens, tokens)
    large = memory >= _LARGE_GIB * GIB and card.compute_capability > _AMPERE
    budget, sequences = _LARGE if large and chunked else _SMALL
    sequences = settings.sequences or sequences
    budget = settings.budget or (budget if chunked else max(longest, budget))
    active = (shape.active or shape.parameters) - shape.embedding
    read = _read_bytes(shape, weights) - (0 if shape.tied else 2 * shape.embedding)
    fast = 2 if precision.multiplied and card.compute_capability >= _FP8_SINCE else 1
    step, sequence, request = overheads
    exchange, link = _LINK[card.nvlink]
    exchanged = 2 * shape.layers * 2 * shape.hidden * 2 * (cards - 1) / cards / link
    return EngineProfile(
        step_seconds=step + (2 * shape.layers * exchange if cards > 1 else 0),
        weight_seconds=read / cards / bandwidth,
        token_seconds=2 * active / cards / (compute * fast) + exchanged,
        sequence_seconds=sequence,
        context_seconds=per_token / cards / bandwidth,
        pair_seconds=4 * shape.layers * shape.query / cards / compute,
        request_seconds=request,
        kv_tokens=tokens,
        longest=longest,
        max_sequences=sequences,
        budget=max(budget, sequences + 1) if chunked else budget,
        chunked=chunked,
    )


def _read_bytes(shape: ModelShape, weights: float) -> float:
    """What of the weights a step with some answers reads: of a mixture, the experts they go to."""
    if shape.active is None:
        return weights
    share = shape.active / shape.parameters
    return weights * (1 - (1 - share) ** _USUAL_ANSWERS)


def _is_chunked(settings: EngineSettings) -> bool:
    if settings.chunked is not None:
        return settings.chunked
    return settings.release is None or settings.release >= _CHUNKED_SINCE


def profile_of(
    model: ModelSection, pool: AnyPoolSection, card: Gpu, shape: ModelShape | None = None
) -> EngineEstimate:
    """How fast a model of a stack file is on the nodes of a pool.

    Args:
        model: The model.
        pool: A pool that it is placed on.
        card: The pool's card.
        shape: The model's shape, where neither its name nor its volume tells.

    Raises:
        Unprofiled: One of the three does not tell enough.
    """
    server = model.server
    resources = server.resources
    shape, precision = _weights_of(model, shape)
    settings = settings_of(server)
    cards = settings.tensor * settings.pipeline
    settings = replace(settings, pipeline=max(settings.pipeline, model.replica_gpus // cards))
    if not resources.is_part:
        memory, rates = float(card.memory_gib), 1.0
    else:
        memory = mig_gib(resources.mig) if resources.mig else resources.gpu_gib
        rates = (resources.gpu_cores or 100 * min(1.0, memory / card.memory_gib)) / 100
        told = server.vllm is not None and "gpu_memory_utilization" in server.vllm.model_fields_set
        if told and pool.gpu_sharing is GpuSharing.SHARE:
            memory = card.memory_gib  # Nothing isolates the part: the share is one of the card.
    return engine_estimate(
        shape,
        precision,
        card,
        settings,
        memory_gib=memory,
        rates=rates,
    )


def download_bytes(model: ModelSection) -> float:
    """What a pod downloads of a model in a hub: its weights, by its name.

    Raises:
        Unprofiled: The name does not tell how large it is.
    """
    shape, precision = _weights_of(model, None)
    return shape.weight_bytes(precision.bytes)


def _weights_of(model: ModelSection, shape: ModelShape | None) -> tuple[ModelShape, Precision]:
    """The shape of a model and its numbers, by its names, its flags and the size of its files."""
    names = [*_names(model)]
    command = model.server.vllm_command
    flags = command.flags if command else {}
    precision = precision_of(names, flags.get("--quantization"), flags.get("--dtype"))
    size = float(parse(model.volume.size)) if model.volume else None
    shape = shape or shape_of(names, size, precision.bytes)
    is_told = "--quantization" in flags or re.search(_SIXTEEN, " ".join(names).lower())
    if precision == Precision() and shape.stored < precision.bytes and not is_told:
        # Its makers publish it in fewer bits, and nothing says that somebody made it otherwise.
        precision = Precision(shape.stored, multiplied=shape.stored == 1)
    if size is not None and size < shape.weight_bytes(precision.bytes):
        # Its files are smaller: it is in fewer bits than its name says.
        precision = replace(precision, bytes=max(_FOUR_BITS, size / shape.parameters))
    return shape, precision


def settings_of(server: ModelServer) -> EngineSettings:
    """What a server's command line tells the engine."""
    image, command = vllm_image(server.image), server.vllm_command
    if command is None:
        return EngineSettings(tensor=max(1, server.resources.whole_cards))
    flags, number = command.flags, command.number
    on, off = (f"--{word}enable-chunked-prefill" in flags for word in ("", "no-"))
    share = flags.get("--gpu-memory-utilization", "")
    return EngineSettings(
        release=image.version if image else None,
        tensor=number(TENSOR) or max(1, server.resources.whole_cards),
        pipeline=number("--pipeline-parallel-size") or 1,
        memory_share=float(share) if re.fullmatch(r"0?\.\d+|1(\.0+)?", share) else 0.9,
        longest=number("--max-model-len"),
        sequences=number("--max-num-seqs"),
        budget=number("--max-num-batched-tokens"),
        chunked=on if on or off else None,
        cache_bytes=1.0 if flags.get("--kv-cache-dtype", "").startswith(("fp8", "int8")) else 2.0,
    )


def _names(model: ModelSection) -> Iterator[str]:
    command = model.server.vllm_command
    if model.volume is not None:
        yield model.volume.path.rstrip("/").rpartition("/")[2]
    if command is not None and command.model:
        yield command.model
    yield from model.server.served_names
    yield model.server.mount_path.rstrip("/").rpartition("/")[2]
    yield model.name
