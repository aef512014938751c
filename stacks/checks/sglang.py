"""SGLang's releases against cards, models and what is mounted."""

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from components.args import Fault
from components.catalog.model_shapes import ModelShape, known_length, known_shape, lacks_draft
from components.catalog.sglang import Version, sglang_name, sglang_releases, sglang_version
from components.catalog.vllm.architectures import model_architecture
from components.quantity import gib, parse
from components.serving.engines import SGLANG, EngineCommand, read_engine
from components.serving.sglang_exclusions import ALGORITHM, DATA, DRAFT, TENSOR
from components.serving.sglang_rules import sglang_faults, together_faults
from components.serving.vllm_sources import is_below

from ..sections.environment import Environment
from ..sections.models import ModelSection, nodes_of
from .rules import check, warning
from .server import IMAGE_FOLDERS
from .sharing import memory_gib
from .views import models, mount_paths, section_pools, server_variables

BACKENDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"fa3": (8.0, 9.9), "trtllm_mha": (10.0, math.inf), "trtllm_mla": (10.0, math.inf)}
)
"""By attention backend, the compute capabilities between which it reads prompts: srt/server_args.py
and srt/layers/attention/attention_registry.py of 0.5.3.post3 to 0.5.18, and srt/arg_groups/ of
0.5.23, read 2026-11-30."""
BACKENDS_SINCE: Final[Version] = (0, 5, 3, 3)
"""The first release that was read to exit with another card."""
FORMATS: Final[Mapping[str, float]] = MappingProxyType(
    {
        **dict.fromkeys(("awq_marlin", "blockwise_int8", "fp8", "gptq_marlin", "mxfp4"), 8.0),
        **dict.fromkeys(("modelopt", "modelopt_fp8", "w8a8_fp8"), 8.9),
        "awq": 7.5,
        "w4afp8": 9.0,
    }
)
"""By value of --quantization, the compute capability below which SGLang exits: `get_min_capability`
in srt/layers/quantization/ of 0.4.6.post5 to 0.5.23, where all of them say the same."""
LENGTH_FLAG: Final = "--context-length"
LENGTH_REFUSED_SINCE: Final[Version] = (0, 5, 3, 3)
"""The first release that was read to exit with more tokens than the model has: srt/configs/
model_config.py; 0.4.6.post5 goes on with them."""
ALLOWED: Final = "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN"
"""Variable with which it goes on."""
LENGTHENING: Final = "--json-model-override-args"
"""Flag by which a model gets other positions than config.json has."""
KEPT: Final = "--hicache-size"
"""Flag with the GB of the KV cache that each card keeps in the pod's memory, whatever else it
says: srt/mem_cache/memory_pool_host.py of 0.5.3.post3 and 0.5.9, pool_host/base.py of 0.5.23."""
HIERARCHY: Final = "--enable-hierarchical-cache"
TEMPLATE: Final = "--chat-template"
"""Flag with the path of a template, or the name of one that SGLang has."""
SOURCES: Final = "/sgl-workspace"
"""Folder of SGLang's own images with its sources, and the templates among them."""
FEWER_BYTES: Final = ("--quantization", "--torchao-config", "--cpu-offload-gb")
"""Flags by which weights take less of the cards than their files say."""


def sglang_commands(
    environment: Environment,
) -> Iterator[tuple[str, ModelSection, EngineCommand]]:
    """The models that SGLang serves, each with its field path and its command line."""
    for path, model in models(environment):
        command = read_engine(model.server.command or [])
        if command is not None and command.engine is SGLANG:
            yield path, model, command


def served_name(model: ModelSection, command: EngineCommand) -> str:
    """What the files of a model are called: their hub's name, or else their folder."""
    name = command.model or ""
    if model.volume is None or (name and not name.startswith("/")):
        return name
    source = model.volume.source
    if source and (hub := source.huggingface or source.modelscope):
        return hub
    return model.volume.path.rstrip("/").rpartition("/")[2]


@check
def served_models_are_told_what_their_release_knows(environment: Environment) -> Iterator[Fault]:
    """`sglang serve` has the flags of a model that writes, where its name tells that it is one."""
    for path, model, command in sglang_commands(environment):
        name, image = served_name(model, command), model.server.image
        kind = command.flags.get("--model-type", "auto")
        writes = known_shape(name) is not None or model_architecture(name) is not None
        is_other = command.is_module or model.serve.roles or kind not in ("auto", "llm")
        if is_other or not (kind == "llm" or writes):
            continue
        words = _without_kind(command)
        field = f"{path}.server.command"
        yield from sglang_faults(field, words, image)
        if command.is_whole:
            yield from together_faults(field, words, image)


def _without_kind(command: EngineCommand) -> list[str]:
    """What the parser of such a model is given: `--model-type` is read before."""
    words: list[str] = []
    for word in command.words:
        if words and words[-1] == "--model-type":
            words.pop()
        elif not word.startswith("--model-type="):
            words.append(word)
    return words


@check
def files_of_sglang_are_mounted(environment: Environment) -> Iterator[Fault]:
    """A draft or an adapter below no mount is not there."""
    for path, model, command in sglang_commands(environment):
        mounts = mount_paths(model)
        for flag, source in _sources(command):
            if source.startswith("/") and not any(is_below(source, mount) for mount in mounts):
                want = f"below {' or '.join(mounts)}" if mounts else "a hub's name, or volume given"
                why = f"{flag} reads it, and nothing {'else ' if mounts else ''}is mounted"
                yield Fault(f"{path}.server.command", source, want, why)


def _sources(command: EngineCommand) -> Iterator[tuple[str, str]]:
    """What is loaded beside the model: by flag, paths and names of hubs."""
    for flag in (DRAFT, "--tokenizer-path"):
        if value := command.flags.get(flag):
            yield flag, value
    is_adapter = False
    for word in command.words:
        if word.startswith("--"):
            flag, _, value = word.partition("=")
            is_adapter = flag.replace("_", "-") == "--lora-paths"
            word = value
        if is_adapter and word and not word.startswith("{"):
            yield "--lora-paths", word.partition("=")[2] or word


@check
def sglang_runs_on_the_cards(environment: Environment) -> Iterator[Fault]:
    """A backend or a format that is named is not replaced by another one."""
    for path, model, command in sglang_commands(environment):
        version, field = sglang_version(model.server.image), f"{path}.server.command"
        for _, pool in section_pools(environment, model):
            gpu = environment.card(pool)
            if gpu is None:
                continue
            capability, elsewhere = gpu.compute_capability, f"placed without pool {pool.name}"
            for flag in ("--attention-backend", "--prefill-attention-backend"):
                name = command.flags.get(flag, "")
                least, most = BACKENDS.get(name, (0, math.inf))
                is_refused = _is_read(version, BACKENDS_SINCE)
                if is_refused and not least <= capability <= most:
                    bounds = f"{least} or more" if most == math.inf else f"{least} to {most}"
                    why = f"{name} runs on compute capability {bounds}, "
                    why += f"{pool.gpu} has {capability}, and SGLang exits when it starts"
                    want = f"another one, or left out, or {elsewhere}"
                    yield Fault(field, f"{flag} {name}", want, why)
            method = command.flags.get("--quantization", "")
            minimum = FORMATS.get(method)
            if minimum is not None and capability < minimum:
                why = f"{method} needs compute capability {minimum} in SGLang, {pool.gpu} has "
                why += f"{capability}"
                want = f"another format, or {elsewhere}"
                yield Fault(field, f"--quantization {method}", want, why)


def _is_read(version: Version | None, since: Version) -> bool:
    """Whether a release was read, and is as late as another one."""
    return version is not None and since <= version <= sglang_releases()[-1]


@warning
def sglang_releases_are_in_the_table(environment: Environment) -> Iterator[str]:
    """What the table does not hold is not validated."""
    oldest, newest = sglang_releases()[0], sglang_releases()[-1]
    for path, model, _ in sglang_commands(environment):
        version = sglang_version(model.server.image)
        if version is not None and not oldest <= version <= newest:
            age = "older" if version < oldest else "newer"
            yield (
                f"{path}.server.image is SGLang {sglang_name(version)}, which is {age} than what "
                f"is known here ({sglang_name(oldest)} to {sglang_name(newest)}): whether it "
                "knows the flags of its command is not validated."
            )


@warning
def sglang_finds_its_templates(environment: Environment) -> Iterator[str]:
    """A template that is a file, and below no mount, has to be part of the image."""
    for path, model, command in sglang_commands(environment):
        file = command.flags.get(TEMPLATE, "")
        folders = [*mount_paths(model), *IMAGE_FOLDERS, SOURCES]
        if file.startswith("/") and not any(is_below(file, folder) for folder in folders):
            yield (
                f"{path}.server starts SGLang with {TEMPLATE} {file}, which lies below no mount: "
                "it starts only if the image has that."
            )


@warning
def sglang_models_fill_their_cards(environment: Environment) -> Iterator[str]:
    """Weights that leave no room for the KV cache."""
    for path, model, command in sglang_commands(environment):
        copies = _copies(command)
        if model.volume is None or copies is None or not _takes_its_size(command):
            continue
        size = float(gib(model.volume.size))
        for section, pool in section_pools(environment, model):
            gpu = environment.card(pool)
            if gpu is None:
                continue
            cards = memory_gib(model.resources_of(section), pool, gpu) * nodes_of(section)
            room = cards * _share(command) / copies
            if size >= room:
                yield (
                    f"{path}.volume.size is {model.volume.size}, and a copy of the model on pool "
                    f"{pool.name} has {room:.1f} GiB of GPU memory for weights and KV cache "
                    "together: SGLang may fail to load."
                )


def _takes_its_size(command: EngineCommand) -> bool:
    """Whether weights lie on the cards as they lie in their files."""
    return command.is_whole and not any(flag in command.flags for flag in FEWER_BYTES)


def _copies(command: EngineCommand) -> int | None:
    """Copies of the whole model on the cards of a replica; None where it is not known."""
    inside = "--enable-dp-attention" in command.flags
    text = "1" if inside else command.flags.get(DATA, "1")
    return max(int(text), 1) if text.isdecimal() else None


def _share(command: EngineCommand) -> float:
    """Share of a card that SGLang takes for weights and cache: what it is told, or all of it."""
    text = command.flags.get("--mem-fraction-static", "")
    return float(text) if re.fullmatch(r"0?\.\d+", text) else 1.0


@warning
def caches_of_sglang_fit_their_pod(environment: Environment) -> Iterator[str]:
    """What cards keep beside them is taken at the start, of the memory of the pod."""
    for path, model, command in sglang_commands(environment):
        text, split = command.flags.get(KEPT, ""), command.flags.get(TENSOR, "1")
        if HIERARCHY not in command.flags or not (text.isdecimal() and split.isdecimal()):
            continue
        for section in model.serve.sections.values():
            memory = model.resources_of(section).memory
            cards = -(-int(split) // nodes_of(section))
            if int(text) * cards * 10**9 >= parse(memory):
                yield (
                    f"{path}.server.command has {KEPT} {text}: {cards} card{'s'[: cards > 1]} of a "
                    f"pod keep{'s'[: cards < 2]} so many GB each in its memory from the start on, "
                    f"and resources.memory is {memory}. The pod is killed; give it more, or keep "
                    "less."
                )
                break


@warning
def sglang_splits_layers_evenly(environment: Environment) -> Iterator[str]:
    """SGLang refuses cards that do not get as many heads each."""
    for path, model, command in sglang_commands(environment):
        name = served_name(model, command)
        shape, cards = known_shape(name), _cards_of_a_layer(command)
        if shape is None or cards is None or shape.splits_over(cards):
            continue
        keys = f" and {shape.key_heads} of keys and values" if shape.key_heads else ""
        fit = _fitting(shape)
        yield (
            f"{path}.server.command splits the attention of each layer over {cards} cards, and "
            f"{name} has {shape.heads} heads{keys} by its name: SGLang exits when it starts where "
            f"they cannot be shared out evenly. {fit} cards do; --pp-size splits by layers instead."
        )


def _fitting(shape: ModelShape) -> str:
    counts = [str(count) for count in (1, 2, 4, 8, 16) if shape.splits_over(count)]
    return " or ".join([", ".join(counts[:-1]), counts[-1]]) if len(counts) > 1 else counts[0]


def _cards_of_a_layer(command: EngineCommand) -> int | None:
    """Cards over which the attention of a copy is split; None where it is not known."""
    flags = command.flags
    size = "--attn-dp-size" if "--attn-dp-size" in flags else DATA
    shared = size != DATA or "--enable-dp-attention" in flags
    texts = [flags.get(TENSOR, "1"), flags.get(size, "1") if shared else "1"]
    if not command.is_whole or not all(text.isdecimal() for text in texts):
        return None
    cards, copies = map(int, texts)
    return cards // copies if copies and cards % copies == 0 else None


@warning
def sglang_sequences_are_no_longer_than_the_models(environment: Environment) -> Iterator[str]:
    """SGLang exits where it is told more tokens than config.json has positions for."""
    for path, model, command in sglang_commands(environment):
        name, text = served_name(model, command), command.flags.get(LENGTH_FLAG, "")
        longest = known_length(name)
        version = sglang_version(model.server.image)
        is_allowed = any(ALLOWED in env for _, env in server_variables(model))
        if longest is None or not text.isdecimal() or int(text) <= longest or is_allowed:
            continue
        if LENGTHENING in command.flags or not _is_read(version, LENGTH_REFUSED_SINCE):
            continue
        yield (
            f"{path}.server.command gives a request up to {int(text):,} tokens, and {name} has "
            f"{longest:,} by its name: unless its config.json says more, SGLang exits when it "
            f"starts. Give {LENGTH_FLAG} no more than that, or a rope scaling by {LENGTHENING}."
        )


@warning
def drafts_have_weights_of_their_own(environment: Environment) -> Iterator[str]:
    """Without a draft SGLang takes the model itself for one, which has no such layers."""
    for path, model, command in sglang_commands(environment):
        name = served_name(model, command)
        algorithm = command.flags.get(ALGORITHM, "").upper()
        is_plain = lacks_draft(name)
        if algorithm in ("EAGLE", "EAGLE3", "NEXTN") and DRAFT not in command.flags and is_plain:
            yield (
                f"{path}.server.command has {ALGORITHM} {algorithm} without {DRAFT}, and {name} "
                "is by its name a model without layers that draft: SGLang then loads the model a "
                "second time in their place, and exits. Name a draft that was trained for it."
            )


@warning
def halves_of_a_split_server_are_asked_together(environment: Environment) -> Iterator[str]:
    """A server of one role answers no request by itself."""
    for path, model, command in sglang_commands(environment):
        role = command.flags.get("--disaggregation-mode", "null")
        if role in ("prefill", "decode") and model.serve.roles is None:
            yield (
                f"{path}.server.command has --disaggregation-mode {role}, and requests come to "
                f"the server of {path}.serve.{model.serve.kind} directly: without a router that "
                "asks one of each role, none is answered. serve.roles has both, and a router."
            )
