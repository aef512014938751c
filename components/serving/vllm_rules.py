"""Validates the flags of vLLM's server against its release, and against the pod that it runs in."""

import json
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from ..args import Fault, Words, nearest
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import (
    SWITCH,
    VALUE,
    VALUES,
    Release,
    Version,
    any_release,
    choices,
    gone_since,
    lifetime,
    release,
    release_name,
    releases,
    texts,
)
from ..hosts import LOOPBACK
from .vllm import REASONING_BY_PARSER_SINCE, model_faults
from .vllm_command import (
    MODULES,
    UNFILLED,
    Option,
    VllmCommand,
    base_flag,
    read_arguments,
    server_arguments,
)
from .vllm_field_rules import PARSERS, load_format_faults, method_faults, parser_faults
from .vllm_mappings import DOTTED_SINCE, IN_A_SHELL, mapping_faults, mappings
from .vllm_parallel import SIZES

SECRET_FLAGS: Final = MappingProxyType({"--api-key": "VLLM_API_KEY", "--hf-token": "HF_TOKEN"})
"""Flags with a secret, and the environment variable that vLLM reads instead."""
UNDERSCORES_SINCE: Final[Version] = (0, 5, 1)
"""vllm/utils.py, FlexibleArgumentParser: takes `--max_model_len` too."""
SERVE_SINCE: Final[Version] = (0, 5, 5)
"""vllm/scripts.py: the first release whose wheel has a command `vllm`."""
UNREACHED_LOOPBACK: Final = (
    "neither a probe nor the Service reaches a loopback address: the pod never is ready"
)
"""Why a server may not listen there."""
_TLS: Final = ("--ssl-keyfile", "--ssl-certfile", "--ssl-ca-certs")
_UNREACHED: Final = MappingProxyType(
    {
        "--grpc": "vllm serve then speaks gRPC instead of HTTP",
        "--headless": "the server then has no API",
        "--uds": "the server then listens on no port",
    }
)
"""Flags of a server that no HTTP request reaches, and why."""
_LIKENESS: Final = 0.75
"""How close a flag has to be to one that was meant; many are alike at their beginning."""
_NEEDS: Final = MappingProxyType(
    {
        # vllm/entrypoints/openai/cli_args.py, validate_parsed_serve_args, 0.7.0 to 0.33.0.
        "--enable-auto-tool-choice": ("--tool-call-parser", "vLLM exits"),
        "--enable-reasoning": ("--reasoning-parser", "vLLM exits"),
        # vllm/config/parallel.py, 0.10.2 to 0.33.0.
        "--enable-eplb": ("--enable-expert-parallel", "vLLM exits"),
        # vllm/v1/worker/lora_model_runner_mixin.py and its forerunners: LoRA is not enabled.
        "--lora-modules": ("--enable-lora", "vLLM loads no adapter"),
    }
)
"""By flag, another that it needs, and what vLLM does without."""
_OLD_NEEDS: Final = MappingProxyType(
    {"--reasoning-parser": ("--enable-reasoning", "vLLM leaves the reasoning in the answer")}
)
"""The same of releases before REASONING_BY_PARSER_SINCE: vllm/entrypoints/openai/serving_chat.py,
0.7.1 to 0.8.5."""
_NUMBERS: Final[Mapping[str, tuple[Callable[[str], float], str]]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                *("--port", "--max-num-seqs", "--seed", "--max-loras", "--max-logprobs"),
                *("--max-log-len", "--num-gpu-blocks-override", "--api-server-count"),
                *("--stream-interval", *SIZES),
            ),
            (int, "a whole number"),
        ),
        **dict.fromkeys(
            ("--cpu-offload-gb", "--swap-space", "--kv-offloading-size", "--mm-processor-cache-gb"),
            (float, "a number of GiB, without the unit"),
        ),
    }
)
"""By flag, what argparse reads its value as: vllm/engine/arg_utils.py, 0.4.1 to 0.33.0. Neither 8k
nor 8K is read but as --max-model-len, --max-num-batched-tokens and --kv-cache-memory-bytes."""
_UNSAID: Final = rf"None$|$|{IN_A_SHELL}"
"""A value that says nothing, or what a shell fills in: optional_type, vllm/engine/arg_utils.py."""
_DASH: Final = r"^-?[\u2010-\u2015\u2212]+(?=[A-Za-z])"
_SHARE: Final = "--gpu-memory-utilization"
_JUDGED: Final = ("--dtype", "--load-format", "--reasoning-parser")
"""Flags whose values have a rule of their own."""
_DTYPES: Final = ("auto", "half", "float16", "bfloat16", "float", "float32")
"""Values of --dtype: vllm/engine/arg_utils.py, 0.4.1, to vllm/config/model.py, 0.33.0."""
_OF_A_KEY: Final = MappingProxyType({"--attention-backend": "--attention-config.backend"})
"""By flag, the key of another one that it stands for, and whose values it takes."""
JSON_SINCE: Final[Version] = (0, 10, 0)
"""vllm/engine/arg_utils.py: up to 0.9.2, `image=4` stands for {"image": 4} too."""
_JSON: Final = (
    "--default-chat-template-kwargs",
    "--hf-overrides",
    "--limit-mm-per-prompt",
    "--media-io-kwargs",
    "--mm-processor-kwargs",
    "--model-loader-extra-config",
    "--override-generation-config",
    "--rope-scaling",
)
"""Flags whose value is JSON with keys of the model, or of a loader."""
# What the release notes and the sources of the last release that knew a flag say of it.
REPLACED: Final = MappingProxyType(
    {
        "--task": "--runner pooling (vllm.runner), and --convert (vllm.convert) for a generative "
        "model",
        "--disable-log-requests": "left out: requests are logged only with --enable-log-requests",
        "--num-scheduler-steps": "left out: the scheduler no longer works in steps",
        "--multi-step-stream-outputs": "left out: the scheduler no longer works in steps",
        "--swap-space": "left out: what is put back is computed again",
        "--num-lookahead-slots": "left out",
        "--use-v2-block-manager": "left out: there is no other",
        "--enable-reasoning": "--reasoning-parser alone",
        "--guided-decoding-backend": "--structured-outputs-config.backend",
        "--rope-scaling": "--hf-overrides",
        "--rope-theta": "--hf-overrides",
        "--override-pooler-config": "--pooler-config",
        "--override-neuron-config": "--additional-config",
        "--max-seq-len-to-capture": "left out, or --compilation-config",
        "--speculative-model": "--speculative-config",
        "--num-speculative-tokens": "--speculative-config",
        "--device": "left out: it is found out",
        "--worker-use-ray": "--distributed-executor-backend ray",
        "--engine-use-ray": "left out",
        "--disable-frontend-multiprocessing": "left out",
        "--qlora-adapter-name-or-path": "--lora-modules",
        "--disable-async-output-proc": "left out",
        "--preemption-mode": "left out: what is put back is computed again",
    }
)
"""By flag that is gone, what to write instead."""
REPLACED_VALUES: Final = MappingProxyType(
    # vllm/config/model.py, 0.12.0: tasks of the runner generate, which is what auto finds too.
    dict.fromkeys(
        ("--task auto", "--task generate", "--task transcription"),
        "left out, or --runner generate (vllm.runner)",
    )
)
"""The same by flag and value, where another value has another successor."""


def extra_faults(
    words: Sequence[str], image: VllmImage | None, fields: Mapping[str, str]
) -> Iterator[Fault]:
    """Validates `vllm.extra_args`.

    Args:
        words: Its items.
        image: The release, where the tag tells it.
        fields: By flag that follows from a field, that field.
    """
    field = "vllm.extra_args"
    command = read_arguments(words, image.version if image else None)
    features = _features(image, is_serve=False)
    yield from _spaced_faults(field, words)
    yield from _file_faults(field, words)
    yield from _unfilled_faults(field, words)
    further: list[Option] = []
    for option in command.options:
        faults = list(_field_flag_faults(field, option, features, fields))
        yield from faults
        if not faults:
            further.append(option)
    yield from _faults(field, replace(command, options=tuple(further)), image, features, models=0)
    yield from _need_faults(field, command, features, image, fields)
    yield from mapping_faults(field, command, image)
    yield from _parser_faults(field, command, image)


def command_faults(
    command: VllmCommand,
    words: Sequence[str],
    image: VllmImage | None,
    field: str = "command",
    *,
    answers: bool = True,
) -> Iterator[Fault]:
    """Validates a command that starts vLLM.

    Args:
        command: What was read of it.
        words: The words as they stand in the field.
        image: The release, where the tag tells it.
        field: Which field has it.
        answers: Whether requests come to it. A worker of several nodes has no probe, and no Service
            leads to it.
    """
    starts_with_vllm = any(word.rpartition("/")[2] == "vllm" for word in words)
    if image and image.version < SERVE_SINCE and starts_with_vllm:
        want = "python3 -m vllm.entrypoints.openai.api_server --model <path> and its flags"
        why = f"vLLM {image.release} has no command vllm; {release_name(SERVE_SINCE)} was the first"
        yield Fault(field, Words("vllm serve"), want, why)
    arguments = server_arguments(words) or ()
    yield from _spaced_faults(field, arguments)
    yield from _file_faults(field, arguments)
    features = _features(image, command.is_serve)
    yield from _faults(field, command, image, features, models=1, answers=answers)
    yield from _need_faults(field, command, features, image)
    yield from mapping_faults(field, command, image)
    yield from _parser_faults(field, command, image)
    if command.model is None and command.is_whole:
        got = Words("one that names no model")
        want = "one with the path of the model, e.g. server.mount_path"
        yield Fault(field, got, want, "vLLM would load a model of its own choice from a hub")
    if command.model and "://" in command.model:
        yield from model_faults(field, command.model, "vLLM loads it")
    method = command.flags.get("--quantization", "None")
    if method != "None":
        yield from method_faults(field, method, image)
    elif command.model and command.model.endswith(".gguf"):
        yield from method_faults(field, "gguf", image)


def _features(image: VllmImage | None, is_serve: bool) -> Release:
    """What the server knows: all of its release by `vllm serve`, less by its module."""
    if image is None:
        return any_release()
    return release(image.version) if is_serve else release(image.version).of_module


def _unfilled_faults(field: str, words: Sequence[str]) -> Iterator[Fault]:
    """A variable that only a shell would fill in, where there is none."""
    for word in words:
        value = word.partition("=")[2] if word.startswith("-") else word
        if re.fullmatch(UNFILLED, value):
            want = "$(NAME) for a variable of env or of a Secret in secret_env"
            why = "no shell reads it, and vLLM would get the text as it stands"
            yield Fault(field, word, want, why)


def _need_faults(
    field: str,
    command: VllmCommand,
    features: Release,
    image: VllmImage | None,
    fields: Collection[str] = (),
) -> Iterator[Fault]:
    """A flag that does nothing good without another, which may follow from a field."""
    old = image is not None and image.version < REASONING_BY_PARSER_SINCE
    for flag, (requirement, otherwise) in {**_NEEDS, **(_OLD_NEEDS if old else {})}.items():
        lacks = flag in command.flags and not {requirement} & {*command.flags, *fields}
        if lacks and command.is_whole and {flag, requirement} <= features.flags.keys():
            yield Fault(field, flag, f"given with {requirement}", f"without it {otherwise}")


def _parser_faults(field: str, command: VllmCommand, image: VllmImage | None) -> Iterator[Fault]:
    """Names of parsers in flags."""
    flags = command.flags if command.is_whole else {}
    for flag, parser in PARSERS.items():
        name, looked_at = flags.get(flag, ""), parser.condition in flags
        if name and looked_at and parser.plugin not in flags and not re.match(IN_A_SHELL, name):
            yield from parser_faults(field, flag, name, image)


def _json_faults(field: str, flag: str, option: Option, image: VllmImage | None) -> Iterator[Fault]:
    """A value that has to be JSON, or begins like it, and is none."""
    value = option.values[0] if option.values else ""
    dotted = "." in option.spelled
    since = {"--limit-mm-per-prompt": JSON_SINCE, "--compilation-config": DOTTED_SINCE}.get(flag)
    others_pass = since is not None and (image is None or image.version < since)
    needed = flag in {*_JSON, *mappings()} and not others_pass
    if dotted or not needed or value in ("", "None") or re.match(IN_A_SHELL, value):
        return
    try:
        json.loads(value)
    except ValueError:
        got = Words(f"{option.spelled} with a value that is no JSON")
        want = 'JSON such as {"key": 1}, its keys and texts in double quotes'
        why = "vLLM exits when it starts"
        if value[0] in "'\"" and value[0] == value[-1]:
            want = f"the same without the quotes {value[0]} around it"
            why += ": no shell takes them away here"
        if value.startswith("{") and '"' not in value and "'" not in value:
            why += "; a shell takes quotes away, unless the whole is in single quotes"
        yield Fault(field, got, want, why)


def _spaced_faults(field: str, words: Sequence[str]) -> Iterator[Fault]:
    """A flag and more in one item: for argparse, whatever has a blank is no flag but a positional.

    Releases with a positional take it for the model without a word; the others exit.
    """
    for word in words:
        if not re.match(r"--?[A-Za-z][^\s=]*\s", word):
            continue
        try:
            parts = shlex.split(word)
        except ValueError:
            parts = word.split()
        secret = any(part.partition("=")[0] in SECRET_FLAGS for part in parts)
        want = "one item per word" if secret else f"{len(parts)} items, {', '.join(parts)}"
        got = Words("several words in one item") if secret else word
        yield Fault(field, got, want, "each item reaches vLLM as one word")


def _file_faults(field: str, words: Sequence[str]) -> Iterator[Fault]:
    """A file of flags that vLLM passes over: it looks for the word --config.

    vllm/utils/argparse_utils.py of 0.33.0, and what was before it from 0.6.0 on:
    findings/vllm-config-file-and-false.sh.
    """
    for word in words:
        flag, equals, file = word.partition("=")
        if flag == "--config" and equals:
            got, want = Words(f"one with {word}"), f"one with {flag} {file}, in two words"
            why = "vLLM reads no file behind an equals sign, and starts without what it says"
            yield Fault(field, got, want, why)


def _field_flag_faults(
    field: str, option: Option, features: Release, fields: Mapping[str, str]
) -> Iterator[Fault]:
    """A flag that a field sets, spelled in full or begun."""
    base = base_flag(option.spelled, features)
    flags = {features.main(flag) for flag in features.candidates(base)} | {option.name}
    flags |= {f"--{flag.removeprefix('--no-')}" for flag in flags if flag.startswith("--no-")}
    if base.startswith("--") and base != "--":
        flags |= {flag for flag in fields if flag.startswith(base)}
    if set_by := sorted({fields[flag] for flag in flags if flag in fields}):
        why = "of a flag that is given twice, vLLM takes the last"
        if base not in fields:
            why += ", and the beginning of a flag stands for the flag"
        want = f"left out, and {' or '.join(set_by)} set instead"
        yield Fault(field, base, want, why)


def _faults(
    field: str,
    command: VllmCommand,
    image: VllmImage | None,
    features: Release,
    models: int,
    *,
    answers: bool = True,
) -> Iterator[Fault]:
    for option in command.options:
        fault = _spelling_fault(field, option, features, image)
        if fault is not None:
            if not command.is_omni:
                yield fault
            continue
        flag = features.flag(base_flag(option.spelled, features))
        if flag is not None:
            yield from _value_faults(field, option, features.flags[flag])
            yield from _json_faults(field, flag, option, image)
            yield from _choice_faults(field, flag, option, image)
            yield from _secret_faults(field, flag, option)
            if answers:
                yield from _reach_faults(field, flag, option)
            if flag == "--load-format" and option.values:
                yield from load_format_faults(field, option.values[0], image)
    dashed = [word for word in command.loose if re.match(_DASH, word)]
    for word in dashed:
        want = f"--{re.sub(_DASH, '', word)}"
        yield Fault(field, word, want, "it begins with a dash that is no hyphen")
    # A word with a blank is validated by itself, and a shell may make nothing of a variable.
    loose = [word for word in command.loose if not re.search(r"[\s$`]", word)]
    if len(loose) > models and not dashed and not command.is_omni:
        got = Words("a word that belongs to no flag")
        want = "flags, each with as many words as it takes"
        yield Fault(field, got, want, f"vLLM would take it for {_TAKEN[models]}")


_TAKEN: Final = ("the model, or exit", "a second model, and exit")


def _spelling_fault(
    field: str, option: Option, features: Release, image: VllmImage | None
) -> Fault | None:
    base = base_flag(option.spelled, features)
    about = f"vLLM {image.release}" if image else "no release of vLLM that is known"
    if image and image.version < UNDERSCORES_SINCE and "_" in option.spelled.partition(".")[0]:
        return Fault(field, option.spelled, base, f"{about} takes dashes only")
    # Also where it is the beginning of another: --config, of --config-format.
    if base in features.serve and base not in features.flags:
        want = "left out" if base in _UNREACHED else "left out, or given to vllm serve in a command"
        why = f"{about} knows it in vllm serve alone, and python -m {MODULES[0]} exits"
        return Fault(field, option.spelled, want, why)
    candidates = features.candidates(base)
    mains = sorted({features.main(flag) for flag in candidates})
    if len(mains) == 1:
        return None
    if mains:
        want = f"written in full: {', '.join(mains[:6])}"
        return Fault(field, option.spelled, want, "it may stand for any of them, and vLLM exits")
    return Fault(field, option.spelled, *_unknown(base, option.values, features, image, about))


def _unknown(
    base: str, values: Sequence[str], features: Release, image: VllmImage | None, about: str
) -> tuple[str, str]:
    """What a flag that the release does not know must be, and why."""
    life = lifetime("flags", base)
    if life is None or image is None:
        like = nearest(base, features.flags, _LIKENESS)
        want = f"left out (did you mean {like}?)" if like else "left out"
        if image is None:
            return want, f"{about} has it"
        return want, f"{about} does not know it, and exits when it starts"
    if (since := gone_since("flags", base, image.version)) is not None:
        spelled = " ".join([base, *values[:1]])
        replaced = REPLACED_VALUES.get(spelled) or REPLACED.get(base)
        want = replaced or nearest(base, features.flags) or "left out"
        why = f"it is gone since vLLM {release_name(since)}, and {about} exits when it starts"
        return want, why
    first = release_name(life.first)
    want = f"left out, or the image {first} or later"
    return want, f"vLLM {first} was the first to know it"


def _value_faults(field: str, option: Option, kind: str) -> Iterator[Fault]:
    """Words that follow a flag, against those that it takes."""
    got = option.spelled
    if kind in (VALUE, VALUES) and not option.values:
        yield Fault(field, got, f"{got} and its value", "the flag takes a value, and has none")
    value = option.values[0] if option.values else ""
    if option.name in _NUMBERS and not re.match(_UNSAID, value):
        read, want = _NUMBERS[option.name]
        try:
            read(value)
        except ValueError:
            yield Fault(field, f"{got} {value}", want, "vLLM exits when it starts")
    if option.name == "--dtype" and value and value not in _DTYPES and value[0] not in "$`":
        yield Fault(field, value, f"one of {', '.join(_DTYPES)}", "vLLM exits when it starts")
    if option.name == _SHARE and re.match(r"[^$`]", value) and not _is_share(value):
        want = "a number above 0, 1 at most"
        yield Fault(field, f"{got} {value}", want, "it is a share of a card's memory")
    if kind == SWITCH and option.values:
        why = "the flag is a switch, and takes no value"
        yield Fault(field, Words(f"{got} with a value"), f"{got} alone", why)


def _choice_faults(
    field: str, flag: str, option: Option, image: VllmImage | None
) -> Iterator[Fault]:
    """A value that the parser of the release does not offer."""
    if image is None or image.version > releases()[-1] or "." in option.spelled or flag in _JUDGED:
        return
    key = _OF_A_KEY.get(flag)
    offered = texts(key, image.version) if key else choices(flag, image.version)
    plain = {_spelled_alike(choice) for choice in offered}
    for value in option.values if offered else ():
        if _spelled_alike(value) not in plain and not re.match(_UNSAID, value):
            want = _closest(value, offered) or f"one of {', '.join(offered)}"
            yield Fault(field, f"{flag} {value}", want, "vLLM exits when it starts")


def _closest(value: str, offered: Sequence[str]) -> str | None:
    """The value that may be meant: of numbers the next higher one, or else the highest."""
    if not value.isdecimal() or not all(choice.isdecimal() for choice in offered):
        # FLASH_ATTN_VLLM_V1 of older releases is FLASH_ATTN of newer ones.
        short = value.removesuffix("_VLLM_V1")
        return short if short in offered else nearest(value, offered)
    numbers = sorted(map(int, offered))
    return str(next((number for number in numbers if number >= int(value)), numbers[-1]))


def _spelled_alike(value: str) -> str:
    """A value as parsers read it that make no difference between its spellings."""
    return value.lower().replace("-", "_")


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


def _reach_faults(field: str, flag: str, option: Option) -> Iterator[Fault]:
    """What the probes and the Service could not reach."""
    value = option.values[0] if option.values else ""
    if flag == "--host" and re.fullmatch(LOOPBACK, value, re.IGNORECASE):
        yield Fault(field, f"{flag} {value}", "left out, or 0.0.0.0", UNREACHED_LOOPBACK)
    if flag in _UNREACHED:
        why = f"{_UNREACHED[flag]}, and neither a probe nor the Service reaches it"
        yield Fault(field, flag, "left out", why)
    if flag in _TLS:
        why = "probes and the Service speak HTTP to the server: TLS ends at the gateway in front"
        yield Fault(field, flag, "left out", why)


def _secret_faults(field: str, flag: str, option: Option) -> Iterator[Fault]:
    """What everybody could read."""
    value = option.values[0] if option.values else ""
    if flag in SECRET_FLAGS and option.values and not re.search(IN_A_SHELL, value):
        variable = SECRET_FLAGS[flag]
        want = f"left out, and key {variable} of a Secret in secret_env set instead"
        why = "in plain it stands in the stack file, in Pulumi's state and in the pod's manifest"
        yield Fault(field, Words(f"{flag} with its value"), want, why)
