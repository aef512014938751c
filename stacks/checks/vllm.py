"""vLLM releases against cards and drivers."""

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from components.args import MISSING, Fault
from components.catalog.gpus import Gpu
from components.catalog.model_shapes import (
    BLOCK,
    block_width,
    known_length,
    known_shape,
    lacks_draft,
    named_parameters,
    spelled_alike,
)
from components.catalog.vllm import (
    BACKENDS,
    BFLOAT16_CAPABILITY,
    BLACKWELL_CAPABILITY,
    BLACKWELL_LEFT_OUT,
    BLACKWELL_SINCE,
    FLOAT16_BY_ITSELF_SINCE,
    LEAST_CAPABILITY,
    MINIMUM_DRIVER,
    V1_CAPABILITY,
    V1_ON_NEWER_CARDS,
    V100_CAPABILITY,
    V100_DROPPED,
    VllmImage,
    other_hardware,
    vllm_image,
)
from components.catalog.vllm.architectures import model_architecture
from components.catalog.vllm.table import (
    Span,
    any_release,
    lifetime,
    release,
    release_name,
    releases,
    table_date,
)
from components.quantity import GIB, gib, parse
from components.serving.kv_transfer import TRANSFER_FLAG
from components.serving.vllm import read_length
from components.serving.vllm_amounts import ENGINE
from components.serving.vllm_command import VllmCommand
from components.serving.vllm_mappings import transfer_settings, values_of
from components.serving.vllm_parallel import TENSOR

from ..sections.environment import Environment
from ..sections.models import ModelSection, nodes_of
from ..sections.pools import AnyPoolSection
from .rules import check, warning
from .sharing import SHARE_FLAG, memory_gib
from .views import (
    commands,
    model_name,
    models,
    section_of,
    section_pools,
    server_field,
    server_variables,
)

OTHER_FORMATS: Final = r"[-_.](?P<name>gguf|mlx|exl2|exl3|onnx|openvino|coreml)(-\w*bit)?$"
"""How models end in hubs that are stored for llama.cpp, MLX, ExLlama and other runtimes. Of these
formats some releases of vLLM load GGUF, and no other: components/catalog/vllm/releases.json."""
GGUF_OF_A_HUB: Final = Span((0, 12, 0), (0, 23, 0))
"""Releases that load `owner/name:Q4_K_M`: is_remote_gguf of vllm/transformers_utils."""
FEWER_BITS: Final = r"(?i)awq|gptq|int[48]|fp[48]|[248]-?bit|w[48]a|bnb|gguf|quant|q[2-8]_"
"""What names of models have in them that are quantized."""
EIGHT_BITS: Final = r"(?i)^(?!.*(int4|w4a|4-?bit)).*(int8|fp8|w8a|8-?bit)"
"""The same of 8 bits."""
SIXTEEN_BITS: Final = r"(?i)(?<![a-z\d])(bf|fp)16"
"""The same of models that somebody stored in 16 bits, whatever their makers did."""
LENGTHENING: Final = frozenset({"--hf-overrides", "--rope-scaling", "--rope-theta"})
"""Flags by which a model gets other positions than config.json has."""
NAMED_FORMATS: Final = MappingProxyType(
    {r"-fp8$": "fp8", r"-awq$": "awq", r"(^|-)gpt-oss-(20|120)b$": "mxfp4"}
)
"""By how names of models end, the format that their config.json has vLLM take."""
FORMAT_IN_NAME: Final = MappingProxyType(
    {"awq": r"[-_]awq$", "gptq": r"[-_]gptq([-_]int[348])?$", "fp8": r"[-_]fp8$"}
)
"""By kind of format, how names end of models that are stored so."""
FORMAT_OF_FLAG: Final = MappingProxyType(
    {"awq": r"^(auto_)?awq", "gptq": r"^(auto_)?gptq", "fp8": r"^fp8$", "bnb": r"^bitsandbytes$"}
)
"""By kind of format, the values of --quantization that are for no other."""
BLACKWELL_CUDA: Final = r"cu(da)?-?(12\.?[89]|1[3-9])"
"""How a tag says CUDA 12.8 or later, which has code for Blackwell."""
CACHE_FLAG: Final = "--kv-cache-dtype"
BACKEND_FLAG: Final = "--attention-backend"
EXPERT_FLAG: Final = "--enable-expert-parallel"
"""Flag by which a card has whole experts, and not a part of each."""
BLOCKS_SPLIT_SINCE: Final = (0, 31, 0)
"""The first release that makes smaller blocks, or pads: resolve_fp8_moe_weight_block_shape of
vllm/model_executor/layers/fused_moe/oracle/fp8.py. Before: vllm-project/vllm issue 17569."""
FP8_CACHE_DROPPED: Final = (0, 24, 0)
"""The first release in which no attention keeps an FP8 cache on older cards: vllm/v1/attention/
backends/flashinfer.py and triton_attn.py of 0.24.0 to 0.33.0, read 2026-11-30."""
FP8_CACHE_CAPABILITY: Final = 8.0
"""The compute capability that it then needs."""
OFFLOADED: Final = "--cpu-offload-gb"
"""Flag by which weights lie in the pod's memory."""
STREAMED: Final = MappingProxyType({"runai_streamer": True, "runai_streamer_sharded": False})
"""Formats that Run:ai's streamer loads, and whether each process reads all files of the model."""
STREAM_LIMIT: Final = "RUNAI_STREAMER_MEMORY_LIMIT"
"""Variable with the memory that a process of it takes, in bytes."""
STREAM_BYTES: Final = 40_000_000_000
"""What it takes by itself: file_streamer/requests_iterator.py of runai-model-streamer 0.15.7 to
0.17.1. See findings/runai-streamer-keeps-the-weights.sh."""
ALLOWED: Final = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
"""Variable with which vLLM takes more tokens than there are positions."""
DECODE_CONTEXT: Final = "--decode-context-parallel-size"
"""Flag by which cards that hold the same heads of keys share out the tokens of these."""
HYBRIDS: Final = ("KimiLinear", "Qwen3Next", "Qwen3_5")
"""How architectures begin of models whose layers without attention keep a state in their place."""
STATELESS_CONNECTORS: Final[Mapping[str, Span]] = MappingProxyType(
    {
        "LMCacheConnectorV1": Span((0, 19, 1), (0, 33, 0)),
        "OffloadingConnector": Span((0, 19, 1), (0, 19, 1)),
    }
)
"""Connectors without SupportsHMA, by the releases that were read so: vllm/distributed/kv_transfer/
kv_connector/v1/ of 0.19.1, 0.28.0 and 0.33.0. LMCache/LMCache pull 1436 and vllm-project/vllm issue
42911 have the error."""
ALLOCATOR: Final = "PYTORCH_CUDA_ALLOC_CONF"
"""Variable with settings of PyTorch's memory on a card."""
GROWING: Final = "expandable_segments:True"
"""What vLLM looks for in it: segments whose addresses may come to stand for other memory."""
SLEEP: Final = "--enable-sleep-mode"
POOLED: Final = (SLEEP, "--enable-cumem-allocator")
"""Flags by which memory comes from a pool of vLLM's own."""
POOL_REFUSES: Final = Span((0, 10, 2), (0, 19, 1))
"""Releases whose pool exits with such segments: vllm/device_allocator/cumem.py of 0.10.2, 0.13.0
and 0.19.1; that of 0.28.0 turns them off meanwhile. Read 2026-11-30."""
CONNECTORS_REFUSE: Final = Span((0, 28, 0), (0, 33, 0))
"""Releases that exit with such segments and a connector: _verify_kv_transfer_compat of
vllm/config/vllm.py, 0.28.0 and 0.33.0. Read 2026-11-30."""
RERANKER: Final = r"qwen3-(?P<sees>vl-)?reranker-(?!.*seq-?cls)"
"""How names of Qwen's rerankers begin, whose config.json is that of a model that writes: QwenLM/
Qwen3-Embedding issues 15 and 24, vllm-project/vllm pull 19260, read 2026-11-30."""
ALL_MEMORY_REFUSED_SINCE: Final = (0, 9, 1)
"""The first release that compares what it may take with what is free: vllm/v1/worker/gpu_worker.py,
later utils.py beside it."""


@warning
def models_fill_their_cards(environment: Environment) -> Iterator[str]:
    """Weights that leave no room for the KV cache."""
    for path, model, command in commands(environment):
        size, text = _weights(model, command)
        for section, pool in section_pools(environment, model):
            gpu = environment.card(pool)
            if gpu is None or model.server.vllm is None or OFFLOADED in command.flags:
                continue
            share = model.server.vllm.gpu_memory_utilization or 1
            cards = memory_gib(model.resources_of(section), pool, gpu)
            room = cards * share * nodes_of(section)
            if size >= room:
                yield (
                    f"{path}.{text}, and a replica on pool {pool.name} "
                    f"has {room:.1f} GiB of GPU memory for weights and KV cache together: it may "
                    "fail to load."
                )


@warning
def streams_fit_their_pods(environment: Environment) -> Iterator[str]:
    """Run:ai's streamer reads ahead into memory that counts, where vLLM's own loader maps files."""
    for path, model, command in commands(environment):
        form = command.flags.get("--load-format", "")
        loader = command.flags.get("--model-loader-extra-config", "")
        limit = _stream_limit(model, loader)
        if form not in STREAMED or limit is None:
            continue
        size, text = _weights(model, command)
        for section in model.serve.sections.values():
            resources = model.resources_of(section)
            shares = not STREAMED[form] or "distributed" in loader
            readers = 1 if shares else max(resources.gpus, 1)
            need = min(size, limit / GIB) * readers
            if need >= gib(resources.memory):
                who = f"each of {readers} processes" if readers > 1 else "vLLM"
                yield (
                    f"{path}.{text}, and with {form} {who} reads ahead into the pod's own memory, "
                    f"{need:.0f} GiB in all, of {resources.memory}: the container is ended for "
                    f"want of it. {STREAM_LIMIT}: '4000000000' in server.env bounds what each "
                    "process takes, in bytes."
                )
                break


def _stream_limit(model: ModelSection, loader: str) -> float | None:
    """Bytes that a process of the streamer takes at the most; None where a cluster knows alone."""
    if "memory_limit" in loader or STREAM_LIMIT in (model.server.secret_env or {}):
        return None
    text = model.server.variables().get(STREAM_LIMIT, str(STREAM_BYTES))
    if not re.fullmatch(r"-1|\d+", text):
        return None
    return float(text) if text != "-1" else math.inf


def _weights(model: ModelSection, command: VllmCommand) -> tuple[float, str]:
    """Size of a model's files in GiB, or the least that a hub's can be; and what says it."""
    if model.volume is not None:
        return float(gib(model.volume.size)), f"volume.size is {model.volume.size}"
    name = model_name(model, command)
    shape = known_shape(name)
    parameters = shape.parameters if shape else named_parameters(name) or 0
    stored = shape.stored if shape else 2
    least = _least_weights(model, command, parameters, stored) / GIB
    field = f"server.{server_field(model, 'model')}"
    return least, f"{field} is {name}, whose weights take {least:.1f} GiB or more by its name"


@warning
def longest_sequences_fit_their_cards(environment: Environment) -> Iterator[str]:
    """VLLM starts only where one request of the longest sequence fits the KV cache.

    What is counted is the least that it takes, and what is left of a card the most: so nobody is
    warned whose model starts.
    """
    for path, model, command in commands(environment):
        name = model_name(model, command)
        shape, limit = known_shape(name), longest_sequence(command)
        length = limit or _own_length(name, command)
        if shape is None or not shape.keeps_all or not length or _is_elsewhere(command):
            continue
        token = shape.cache_bytes(_cache_number(command))
        for section, pool in section_pools(environment, model):
            gpu = environment.card(pool)
            if gpu is None:
                continue
            cards = memory_gib(model.resources_of(section), pool, gpu) * nodes_of(section)
            weights = _least_weights(model, command, shape.parameters, shape.stored) / GIB
            room = cards * _share(command) - weights
            need = length * token / GIB
            if 0 < room < need:
                field = f"{path}.server.{server_field(model, 'max_model_len')}"
                text = f"gives a request up to {length:,} tokens, which"
                if not limit:
                    text = "says no --max-model-len" if model.server.vllm is None else "is left out"
                    text += (
                        f", and a request then gets up to the model's own {length:,} tokens: they"
                    )
                yield (
                    f"{field} {text} take {need:.1f} GiB "
                    f"of KV cache in a model of the shape that {name} has by "
                    f"its name, and a replica on pool {pool.name} has {room:.1f} GiB for it at the "
                    f"most, beside {weights:.1f} GiB of weights: vLLM then exits when it starts. "
                    f"Fewer than {_rounded(room * GIB / token):,} fit; other or more cards hold "
                    "more."
                )


def _is_elsewhere(command: VllmCommand) -> bool:
    """Whether weights lie in the pod's memory, or prompts are read without a cache."""
    flags = command.flags
    is_pooling = flags.get("--runner") == "pooling" or "--task" in flags
    return is_pooling or OFFLOADED in flags


def longest_sequence(command: VllmCommand) -> int:
    """Tokens of the longest sequence; 0 where nothing says it."""
    try:
        length = int(read_length(command.flags.get("--max-model-len", "0")))
    except ValueError:
        return 0
    return max(0, length)


def _own_length(name: str, command: VllmCommand) -> int:
    """Tokens of the longest sequence that a model has by itself; 0 where something else decides."""
    is_told = {"--max-model-len", *LENGTHENING} & command.flags.keys()
    return 0 if is_told or not command.is_whole else known_length(name) or 0


@warning
def sequences_are_no_longer_than_the_models(environment: Environment) -> Iterator[str]:
    """VLLM exits where it is told more tokens than config.json has positions for."""
    for path, model, command in commands(environment):
        name, length = model_name(model, command), longest_sequence(command)
        longest = known_length(name)
        is_allowed = any(ALLOWED in env for _, env in server_variables(model))
        if longest is None or length <= longest or is_allowed or LENGTHENING & command.flags.keys():
            continue
        yield (
            f"{path}.server.{server_field(model, 'max_model_len')} gives a request up to "
            f"{length:,} tokens, and {name} has {longest:,} by its name: unless its config.json "
            "says more, vLLM exits when it starts. Give no more than that, or a rope scaling by "
            "--hf-overrides."
        )


@warning
def tokens_are_shared_out_by_cards_with_the_same_heads(environment: Environment) -> Iterator[str]:
    """Only cards that hold the same heads of keys can share out the tokens of these.

    verify_with_parallel_config of vllm/config/model.py, 0.19.1, 0.28.0 and 0.33.0.
    """
    for path, model, command in commands(environment):
        name = model_name(model, command)
        shape, size, cards = (
            known_shape(name),
            command.number(DECODE_CONTEXT),
            command.number(TENSOR),
        )
        keys = shape.key_heads if shape else None
        if shape is None or keys is None or not size or not cards or size < 2:
            continue
        most, queries = cards // keys, shape.heads // keys
        if cards > keys and size <= most and queries % size == 0:
            continue
        fit = [str(count) for count in (2, 4, 8) if count <= most and queries % count == 0]
        may_be = f"With these cards it may be {' or '.join(fit)}"
        what = may_be if fit and cards > keys else "Leave it out, or take more cards"
        yield (
            f"{path}.server has {DECODE_CONTEXT} {size} beside {cards} cards for each layer, and "
            f"{name} has {keys} heads of keys and {shape.heads} of attention by its name: only "
            f"cards beyond {keys} hold the same heads, and vLLM exits when it starts. {what}."
        )


@warning
def drafts_come_from_layers_that_are_there(environment: Environment) -> Iterator[str]:
    """Without a draft vLLM looks for layers of the model's own that predict several tokens."""
    for path, model, command in commands(environment):
        name = model_name(model, command)
        values = values_of(command, "--speculative-config") or {}
        method = values.get("method")
        is_own = isinstance(method, str) and method.endswith("mtp") and not values.get("model")
        if is_own and lacks_draft(name):
            yield (
                f"{path}.server has vLLM draft by {method}, and {name} is by its name a model "
                "without layers for that: it exits when it starts. Take ngram, or eagle3 with a "
                "draft that was trained for it."
            )


@warning
def connectors_keep_the_states_of_hybrids(environment: Environment) -> Iterator[str]:
    """Of such models vLLM keeps caches of several kinds, which not every connector knows."""
    for path, _, kind, name, image, command in _architectures(environment):
        connector = transfer_settings(command).get("kv_connector")
        if "--kv-offloading-size" in command.flags and connector is None:
            connector = "OffloadingConnector"
        span = STATELESS_CONNECTORS.get(connector) if isinstance(connector, str) else None
        if span and span.has(image.version) and kind.startswith(HYBRIDS):
            yield (
                f"{path}.server hands its KV cache to {connector}, and {name} is by its name of "
                f"the architecture {kind}, most of whose layers keep a state in its place: with "
                f"that connector vLLM {image.release} cannot keep both, and exits when it starts. "
                "Leave it out, or take a connector that can: NixlConnector, or "
                "OffloadingConnector of a later release."
            )


@check
def segments_that_grow_suit_the_server(environment: Environment) -> Iterator[Fault]:
    """Memory whose addresses change is of no use to what keeps these."""
    for path, model, command in commands(environment):
        image, flags = vllm_image(model.server.image), command.flags
        for field, env in server_variables(model):
            if image is None or GROWING not in env.get(ALLOCATOR, ""):
                continue
            who = ""
            if SLEEP in flags and POOL_REFUSES.has(image.version):
                who = SLEEP
            elif CONNECTORS_REFUSE.has(image.version) and not any(flag in flags for flag in POOLED):
                who = _keeper(model, command)
            if who:
                want = f"without {GROWING}, or left out, beside {who}"
                why = f"vLLM {image.release} exits when it starts with both"
                yield Fault(f"{path}.{field}.env[{ALLOCATOR}]", env[ALLOCATOR], want, why)


def _keeper(model: ModelSection, command: VllmCommand) -> str:
    """What hands the KV cache over, or keeps it elsewhere; empty where nothing does."""
    if transfer_settings(command).get("kv_connector"):
        return TRANSFER_FLAG
    if "--kv-offloading-size" in command.flags:
        return "--kv-offloading-size"
    llm = model.serve.llm
    parts = {
        "serve.roles": model.serve.roles,
        "serve.llm.prefill": llm and llm.prefill,
        "serve.llm.kv_offload": llm and llm.kv_offload,
    }
    return next((field for field, part in parts.items() if part), "")


@warning
def rerankers_are_told_that_they_rank(environment: Environment) -> Iterator[str]:
    """By its config.json such a model writes, and nobody finds an address to rank at."""
    for path, model, command in commands(environment):
        name = model_name(model, command)
        short = name.rstrip("/").rpartition("/")[2].lower().replace("_", "-")
        match = re.match(RERANKER, short)
        if match and not any(flag.startswith("--hf-overrides") for flag in command.flags):
            kind = f"Qwen3{'VL' if match['sees'] else ''}ForSequenceClassification"
            yield (
                f"{path}.server has vLLM serve {name}, which by its config.json is a model that "
                "writes: /rerank and /score are not there, or rank by chance. Give it "
                f'--hf-overrides {{"architectures": ["{kind}"], "classifier_from_token": ["no", '
                '"yes"], "is_original_qwen3_reranker": true}; and have requests, or '
                "--chat-template, bring the template of its model card."
            )


@warning
def experts_are_of_models_that_have_some(environment: Environment) -> Iterator[str]:
    """VLLM exits where it is to share out experts that there are none of."""
    for path, model, command in commands(environment):
        name = model_name(model, command)
        shape, llm = known_shape(name), model.serve.llm
        field = f"server.{server_field(model, 'extra_args')} has {EXPERT_FLAG}"
        if llm is not None and llm.parallelism is not None and llm.parallelism.expert:
            field = "serve.llm.parallelism.expert is true"
        elif EXPERT_FLAG not in command.flags:
            continue
        if shape is not None and shape.active is None:
            yield (
                f"{path}.{field}, and {name} is a model without experts by its name: vLLM then "
                "exits when it starts. Leave it out."
            )


def _share(command: VllmCommand) -> float:
    """Share of a card that vLLM takes: what it is told, or all of it."""
    text = command.flags.get(SHARE_FLAG, "")
    return float(text) if re.fullmatch(r"[01]?\.\d+", text) else 1.0


def _cache_number(command: VllmCommand) -> float:
    """Least bytes of a number in the KV cache, by the format that is asked for."""
    text = command.flags.get("--kv-cache-dtype", "auto")
    return {"auto": 2.0, "bfloat16": 2.0, "float16": 2.0}.get(text, 1.0 if "8" in text else 0.5)


def _least_weights(
    model: ModelSection, command: VllmCommand, parameters: float, stored: float
) -> float:
    """Least bytes of a model's weights: as they are published, or in the bits that a name tells."""
    name = model_name(model, command)
    fewer = "--quantization" in command.flags or re.search(FEWER_BITS, name)
    eight = re.search(EIGHT_BITS, name)
    stored = 2 if re.search(SIXTEEN_BITS, name) else stored
    least = parameters * ((1 if eight else 0.5) if fewer else stored)
    return min(least, float(parse(model.volume.size))) if model.volume else least


def _rounded(tokens: float) -> int:
    """Down to what people write."""
    return int(tokens) // 1024 * 1024 or int(tokens)


@warning
def models_are_of_a_format_that_is_read(environment: Environment) -> Iterator[str]:
    """Of a model that is stored for another program, vLLM finds no config.json."""
    for path, model, command in commands(environment):
        name, field = model.volume.path if model.volume else "", "volume.path"
        if model.server.loads_from_a_hub:
            name, field = command.model or "", f"server.{server_field(model, 'model')}"
        repository, _, file = name.rstrip("/").partition(":")
        match = re.search(OTHER_FORMATS, repository, re.IGNORECASE)
        if match and (about := _unread(match["name"].lower(), file, command, model.server.image)):
            form = match["name"].upper()
            yield f"{path}.{field} is {name}, by its name a model in the format {form}, {about}."


def _unread(form: str, file: str, command: VllmCommand, image_name: str) -> str:
    """Why a model in another program's format is not loaded; nothing where it is."""
    image = vllm_image(image_name)
    formats = release(image.version).quantization if image else any_release().quantization
    about = f"vLLM {image.release}" if image else "vLLM"
    if form not in formats:
        life = lifetime("quantization", form)
        return f"which {about} does not load" + (f"; {life} do" if life else "")
    if file:
        loads = image is None or GGUF_OF_A_HUB.has(image.version)
        return "" if loads else f"which {about} loads from no hub; {GGUF_OF_A_HUB} do"
    is_file = (command.model or "").lower().endswith(f".{form}")
    return "" if is_file else "of which vLLM loads one file: name it in server.vllm.model"


@warning
def images_are_for_the_cards(environment: Environment) -> Iterator[str]:
    """An image that is built for other hardware finds no card, or does not start."""
    for path, model in models(environment):
        image, sections = model.server.image, model.serve.sections.values()
        hardware = other_hardware(image)
        if hardware and any(model.resources_of(section).needs_card for section in sections):
            yield (
                f"{path}.server.image is {image}, which is vLLM for {hardware} by its name, and "
                "its pods ask for an NVIDIA card, which that leaves idle, or does not start on."
            )


@warning
def servers_ask_for_their_cards(environment: Environment) -> Iterator[str]:
    """An image for NVIDIA's cards exits where it sees none, and takes others' where it does."""
    for path, model, _ in commands(environment):
        image, sections = vllm_image(model.server.image), model.serve.sections.values()
        requests = [model.resources_of(section) for section in sections]
        if (
            image is None
            or not image.cuda
            or any(resources.needs_card or resources.extended for resources in requests)
        ):
            continue
        yield (
            f"{path}.server.resources.gpus is 0, and server.image is vLLM {image.release}, whose "
            "name tells no other hardware than NVIDIA's cards: it exits on a node without any, and "
            "on a node with some takes what other pods were given. Ask for cards, or name an image "
            "for CPUs."
        )


@warning
def cards_keep_memory_for_their_driver(environment: Environment) -> Iterator[str]:
    """What CUDA itself takes of a card is not free when vLLM looks."""
    for path, model, command in commands(environment):
        image = vllm_image(model.server.image)
        if image is None or image.version < ALL_MEMORY_REFUSED_SINCE:
            continue
        if re.fullmatch(r"1(\.0*)?", command.flags.get(SHARE_FLAG, "")):
            vllm = model.server.vllm
            field = "command" if vllm is None else "vllm.gpu_memory_utilization"
            yield (
                f"{path}.server.{field} is all of a card's memory: vLLM {image.release} exits when "
                "less is free as it starts, and CUDA has taken its part by then. Give 0.95."
            )


@check
def vllm_runs_on_the_cards(environment: Environment) -> Iterator[Fault]:
    """Releases drop cards, and number formats need newer ones."""
    for path, model, command in commands(environment):
        image = vllm_image(model.server.image)
        if image and not image.cuda:
            continue
        for pool in environment.placed(model.reach):
            gpu = environment.card(pool)
            if gpu is None:
                continue
            if gpu.compute_capability < LEAST_CAPABILITY:
                want = f"another server, or placed without pool {pool.name}"
                why = f"vLLM needs compute capability {LEAST_CAPABILITY}, {pool.gpu} has "
                why += f"{gpu.compute_capability}"
                yield Fault(f"{path}.server.image", model.server.image, want, why)
                continue
            is_old = gpu.compute_capability <= V100_CAPABILITY
            if image and image.version >= V100_DROPPED and is_old:
                want = f"a vLLM below 0.9.0, or placed without pool {pool.name}"
                why = f"vLLM {image.release} has no kernels for {pool.gpu}"
                yield Fault(f"{path}.server.image", model.server.image, want, why)
            if image and not _has_blackwell(image, gpu, model.server.image):
                want = f"vLLM {release_name(BLACKWELL_SINCE)} or later but "
                want += f"{release_name(BLACKWELL_LEFT_OUT)}, or placed without pool {pool.name}"
                why = f"the image of vLLM {image.release} has no code for compute capability "
                why += f"{gpu.compute_capability}, which {pool.gpu} has"
                yield Fault(f"{path}.server.image", model.server.image, want, why)
            yield from _engine_faults(path, model, pool, gpu)
            yield from _backend_faults(path, model, command, pool, gpu)
            yield from _method_faults(path, model, command, pool, gpu)
            yield from _cache_faults(path, model, command, pool, gpu)
            yield from _dtype_faults(path, model, command, pool, gpu)


@check
def releases_still_load_their_models(environment: Environment) -> Iterator[Fault]:
    """Architectures that a release no longer loads, told by the model's name."""
    for path, model, kind, name, image, _ in _architectures(environment):
        life = lifetime("architectures", kind)
        if life and life.last and image.version > life.last:
            release = release_name(life.last)
            want = f"vLLM {release} or earlier, or a newer model"
            why = f"{name} is by its name of the architecture {kind}, and vLLM {release} was the "
            why += "last release to load that"
            see = "docs/guides/upgrade.md"
            yield Fault(f"{path}.server.image", model.server.image, want, why, see)


@warning
def releases_are_as_new_as_their_models(environment: Environment) -> Iterator[str]:
    """VLLM exits where config.json names an architecture that it does not know yet."""
    for path, _, kind, name, image, _ in _architectures(environment):
        life = lifetime("architectures", kind)
        if life and image.version < life.first:
            first = release_name(life.first)
            yield (
                f"{path}.server.image is vLLM {image.release}, and {name} is by its name of the "
                f"architecture {kind}, which vLLM {first} is the first release to load: an older "
                f"one exits when it starts, unless its Transformers know the model. Take {first} "
                "or later."
            )


def _architectures(
    environment: Environment,
) -> Iterator[tuple[str, ModelSection, str, str, VllmImage, VllmCommand]]:
    """Models of a known architecture: path, model, architecture, name, release and command."""
    for path, model, command in commands(environment):
        name, image = model_name(model, command), vllm_image(model.server.image)
        kind = model_architecture(name)
        if kind and image and "--hf-overrides" not in command.flags:
            yield path, model, kind, name, image, command


@warning
def releases_are_in_the_table(environment: Environment) -> Iterator[str]:
    """What the table does not hold, and what is validated then."""
    oldest, newest = releases()[0], releases()[-1]
    for path, model, command in commands(environment):
        image = vllm_image(model.server.image)
        if command.is_omni:
            continue
        if image is None:
            yield (
                f"{path}.server.image does not tell its release of vLLM: flags and formats are "
                "validated against what any release knows, the driver against none. A tag that "
                "begins with the release, e.g. v0.19.0-mirror, tells it."
            )
        elif not oldest <= image.version <= newest:
            age, nearest = ("older", oldest) if image.version < oldest else ("newer", newest)
            yield (
                f"{path}.server.image is vLLM {image.release}, which is {age} than what is known "
                f"here: its flags and formats are validated against {release_name(nearest)}, read "
                f"{table_date()}."
            )


def _has_blackwell(image: VllmImage, gpu: Gpu, reference: str) -> bool:
    """Whether an image has code for a card, by its release or by the CUDA that its tag says."""
    is_new = image.version >= BLACKWELL_SINCE and image.version != BLACKWELL_LEFT_OUT
    is_new = is_new or re.search(BLACKWELL_CUDA, reference) is not None
    return is_new or gpu.compute_capability < BLACKWELL_CAPABILITY


def _engine_faults(
    path: str, model: ModelSection, pool: AnyPoolSection, gpu: Gpu
) -> Iterator[Fault]:
    """An engine that is asked for does not fall back to another one."""
    image = vllm_image(model.server.image)
    for place, env in server_variables(model):
        is_asked_for = env.get(ENGINE) == "1" and image and V1_ON_NEWER_CARDS.has(image.version)
        if image and is_asked_for and gpu.compute_capability < V1_CAPABILITY:
            why = f"vLLM {image.release} exits with it on cards below compute capability "
            why += f"{V1_CAPABILITY}, and {pool.gpu} of pool {pool.name} has "
            why += f"{gpu.compute_capability}"
            yield Fault(f"{path}.{place}.env[{ENGINE}]", "1", "left out", why)


def _backend_faults(
    path: str, model: ModelSection, command: VllmCommand, pool: AnyPoolSection, gpu: Gpu
) -> Iterator[Fault]:
    """A backend that is named is not replaced by another one."""
    name = command.flags.get(BACKEND_FLAG, "").upper()
    least, most = BACKENDS.get(name, (0, math.inf))
    if not least <= gpu.compute_capability <= most:
        bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
        want = f"left out, or placed without pool {pool.name}"
        why = f"{name} runs on compute capability {bounds}, {pool.gpu} has "
        why += f"{gpu.compute_capability}, and vLLM exits when it starts"
        field = f"{path}.server.{server_field(model, 'extra_args')}"
        yield Fault(field, f"{BACKEND_FLAG} {name}", want, why)


def _method_faults(
    path: str, model: ModelSection, command: VllmCommand, pool: AnyPoolSection, gpu: Gpu
) -> Iterator[Fault]:
    image, method = vllm_image(model.server.image), command.flags.get("--quantization")
    knowledge = release(image.version) if image else any_release()
    minimum = knowledge.quantization.get(method or "")
    if method is None or minimum is None or gpu.compute_capability >= minimum:
        return
    want = f"another format, or placed without pool {pool.name}"
    about = f" in vLLM {image.release}" if image else ""
    why = f"{method} needs compute capability {minimum}{about}, {pool.gpu} has "
    why += f"{gpu.compute_capability}"
    yield Fault(f"{path}.server.{server_field(model, 'quantization')}", method, want, why)


def _cache_faults(
    path: str, model: ModelSection, command: VllmCommand, pool: AnyPoolSection, gpu: Gpu
) -> Iterator[Fault]:
    """Cards before Ampere are left with Triton's attention, which refuses FP8 there."""
    image, form = vllm_image(model.server.image), command.flags.get("--kv-cache-dtype", "")
    if (
        form.startswith("fp8")
        and image
        and image.version >= FP8_CACHE_DROPPED
        and gpu.compute_capability < FP8_CACHE_CAPABILITY
    ):
        why = f"vLLM {image.release} keeps a KV cache in FP8 on cards of compute capability "
        why += f"{FP8_CACHE_CAPABILITY} or more, and {pool.gpu} has {gpu.compute_capability}"
        field = f"{path}.server.{server_field(model, 'extra_args')}"
        want = f"auto, or placed without pool {pool.name}"
        yield Fault(field, f"--kv-cache-dtype {form}", want, why)


@warning
def formats_of_names_run_on_the_cards(environment: Environment) -> Iterator[str]:
    """Without --quantization, config.json says the format of the weights, and names do too."""
    for path, model, command in commands(environment):
        image, name = vllm_image(model.server.image), spelled_alike(model_name(model, command))
        method = next((kind for key, kind in NAMED_FORMATS.items() if re.search(key, name)), None)
        if method is None or "--quantization" in command.flags or (image and not image.cuda):
            continue
        knowledge = release(image.version) if image else any_release()
        minimum, about = knowledge.quantization.get(method), f" {image.release}" if image else ""
        for pool in environment.placed(model.reach):
            gpu = environment.card(pool)
            if gpu and minimum and gpu.compute_capability < minimum:
                yield (
                    f"{path}.server.image is vLLM{about}, which loads {method} on cards of compute "
                    f"capability {minimum} or more, and {pool.gpu} of pool {pool.name} has "
                    f"{gpu.compute_capability}: {model_name(model, command)} is in that format by "
                    "its name, and the server then exits when it starts. Take another format of "
                    "the model, or other cards."
                )


@warning
def formats_of_names_are_asked_for(environment: Environment) -> Iterator[str]:
    """What config.json says of the weights, a flag may not say otherwise."""
    for path, model, command in commands(environment):
        name = model_name(model, command)
        stored = _family(FORMAT_IN_NAME, name)
        method, cache = (command.flags.get(flag, "") for flag in ("--quantization", CACHE_FLAG))
        loaded = _family(FORMAT_OF_FLAG, method)
        if stored and loaded and stored != loaded:
            yield (
                f"{path}.server has vLLM take {method}, and {name} is stored in {stored} by its "
                "name: of another format than config.json says, vLLM exits when it starts. Leave "
                "--quantization out, or take another model."
            )
        if stored == "fp8" and cache == "fp8_e5m2":
            yield (
                f"{path}.server has vLLM keep the KV cache in {cache}, and {name} is stored in FP8 "
                "by its name: with such weights vLLM takes fp8 or auto alone, and exits when it "
                "starts."
            )


def _family(patterns: Mapping[str, str], text: str) -> str | None:
    """The kind of format that a text speaks of."""
    return next((kind for kind, key in patterns.items() if re.search(key, text.lower())), None)


@warning
def layers_in_bitsandbytes_stay_whole(environment: Environment) -> Iterator[str]:
    """Weights that are stored in bitsandbytes cannot be cut: bitsandbytes_loader.py, to 0.27.1."""
    for path, model, command in commands(environment):
        name, cards = model_name(model, command), command.number(TENSOR) or 1
        if cards > 1 and re.search(r"(?i)(?<![a-z])bnb(?![a-z])", name):
            yield (
                f"{path}.server splits each layer over {cards} cards, and {name} is stored in "
                "bitsandbytes by its name, whose layers vLLM does not split: it exits when it "
                "starts. Take one card, --pipeline-parallel-size, or another format of the model."
            )


@warning
def experts_are_split_by_whole_blocks(environment: Environment) -> Iterator[str]:
    """Weights in FP8 have a scale for each block, which no two cards can share."""
    for path, model, command in commands(environment):
        image, name = vllm_image(model.server.image), model_name(model, command)
        width, cards = block_width(name), command.number(TENSOR) or 1
        splits_blocks = image is None or image.version < BLOCKS_SPLIT_SINCE
        if width and splits_blocks and width % (BLOCK * cards) and EXPERT_FLAG not in command.flags:
            fit = [str(count) for count in (1, 2, 4, 8) if not width % (BLOCK * count)]
            yield (
                f"{path}.server splits each expert over {cards} cards, and {name} is stored by its "
                f"name in FP8 with a scale for each {BLOCK} of an expert's {width} rows: "
                f"{width // cards} rows for a card are no whole blocks, and vLLM exits when it "
                f"starts. Cards that do: {' or '.join(fit)}; with {EXPERT_FLAG} each card has "
                "whole experts."
            )


def _dtype_faults(
    path: str, model: ModelSection, command: VllmCommand, pool: AnyPoolSection, gpu: Gpu
) -> Iterator[Fault]:
    """Cards before Ampere have no bfloat16, in which most models are stored."""
    image = vllm_image(model.server.image)
    if gpu.compute_capability >= BFLOAT16_CAPABILITY:
        return
    dtype = command.flags.get("--dtype", "auto")
    field = f"{path}.server.{server_field(model, 'dtype')}"
    if dtype == "bfloat16":
        want = f"another format, or placed without pool {pool.name}"
        why = f"{dtype} needs compute capability {BFLOAT16_CAPABILITY}, {pool.gpu} has "
        why += f"{gpu.compute_capability}"
        yield Fault(field, dtype, want, why)
    old = image and image.version < FLOAT16_BY_ITSELF_SINCE
    if image and old and dtype == "auto" and "--quantization" not in command.flags:
        why = f"most models are stored as bfloat16, which {pool.gpu} does not have; half loads "
        why += f"any of them, and vLLM {image.release} does not choose it by itself, as 0.9.0 and "
        why += "later do"
        yield Fault(field, MISSING, "half", why)


@check
def drivers_run_the_image(environment: Environment) -> Iterator[Fault]:
    """CUDA 13 needs a newer driver than most nodes have."""
    for path, model in models(environment):
        image = vllm_image(model.server.image)
        if image is None:
            continue
        for pool in environment.placed(model.reach):
            yield from _driver_faults(f"{section_of(pool)}.driver", pool, image, path)


def _driver_faults(
    field: str, pool: AnyPoolSection, image: VllmImage, path: str
) -> Iterator[Fault]:
    minimum = MINIMUM_DRIVER.get(image.cuda)
    if minimum is None or pool.gpu is None:
        return
    why = f"{path}.server.image is vLLM {image.release} with CUDA {image.cuda}"
    if pool.driver is None:
        if image.cuda >= max(MINIMUM_DRIVER):
            yield Fault(field, MISSING, f"given, at {minimum} or later", why)
    elif int(pool.driver.split(".")[0]) < minimum:
        want = f"{minimum} or later"
        if image.cuda > min(MINIMUM_DRIVER):
            want += ", or the image one with -cu129 in its tag"
        yield Fault(field, pool.driver, want, why)
