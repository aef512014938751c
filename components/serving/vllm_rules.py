"""Judges the flags of vLLM's server against its release, and against the pod that it runs in."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
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
    gone_since,
    lifetime,
    release,
    release_name,
    releases,
)
from .vllm import Vllm
from .vllm_command import Option, VllmCommand, base_flag, read_arguments

SECRET_FLAGS: Final = MappingProxyType({"--api-key": "VLLM_API_KEY", "--hf-token": "HF_TOKEN"})
"""Flags with a secret, and the environment variable that vLLM reads instead."""
UNDERSCORES_SINCE: Final[Version] = (0, 5, 1)
"""vllm/utils.py, FlexibleArgumentParser: takes `--max_model_len` too."""
SERVE_SINCE: Final[Version] = (0, 5, 5)
"""vllm/scripts.py: the first release whose wheel has a command `vllm`."""

_LOOPBACK: Final = r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?"
_TLS: Final = ("--ssl-keyfile", "--ssl-certfile", "--ssl-ca-certs")
_IN_A_SHELL: Final = r"[$`]"
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


def field_faults(vllm: Vllm, image: VllmImage | None) -> Iterator[Fault]:
    """Judges fields whose flag, or whose value, some releases do not know."""
    if image is None:
        return
    known = release(image.version)
    for field, flag in (("runner", "--runner"), ("convert", "--convert")):
        value = getattr(vllm, field)
        if value is not None and flag not in known.flags:
            want = "left out, and --task in extra_args where the model needs it"
            why = f"vLLM {image.release} does not know {flag}; {_span('flags', flag)} do"
            yield Fault(f"vllm.{field}", value, want, why)
    if vllm.quantization:
        yield from method_faults("vllm.quantization", vllm.quantization.value, image)


def method_faults(field: str, method: str, image: VllmImage | None) -> Iterator[Fault]:
    """A format of quantized weights that the release does not load."""
    if image is None or method in release(image.version).quantization:
        return
    if lifetime("quantization", method) is None:
        want = nearest(method, release(image.version).quantization) or "a format of vLLM"
        yield Fault(field, method, want, f"vLLM {image.release} does not load it")
        return
    why = f"vLLM {image.release} does not load it; {_span('quantization', method)} do"
    yield Fault(field, method, "another format, or another release", why)


def _span(key: str, name: str) -> str:
    """E.g. `0.4.1 to 0.23.0`."""
    life = lifetime(key, name)
    if life is None:
        return "no release"
    first, last = life
    if last == releases()[-1]:
        return f"{release_name(first)} and later"
    return f"{release_name(first)} to {release_name(last)}"


def extra_faults(
    words: Sequence[str], image: VllmImage | None, ours: Mapping[str, str]
) -> Iterator[Fault]:
    """Judges `vllm.extra_args`.

    Args:
        words: Its items.
        image: The release, where the tag tells it.
        ours: Flags that follow from fields, with the field.
    """
    field = "vllm.extra_args"
    command = read_arguments(words, image.version if image else None)
    known = release(image.version) if image else any_release()
    yield from _spaced_faults(field, words)
    further: list[Option] = []
    for option in command.options:
        faults = list(_ours_faults(field, option, known, ours))
        yield from faults
        if not faults:
            further.append(option)
    yield from _faults(field, replace(command, options=tuple(further)), image, models=0)


def command_faults(
    command: VllmCommand, words: Sequence[str], image: VllmImage | None
) -> Iterator[Fault]:
    """Judges a `command` that starts vLLM.

    Args:
        command: What was read of it.
        words: The words as they stand in the field.
        image: The release, where the tag tells it.
    """
    starts_with_vllm = any(word.rpartition("/")[2] == "vllm" for word in words)
    if image and image.version < SERVE_SINCE and starts_with_vllm:
        want = "python3 -m vllm.entrypoints.openai.api_server --model <path> and its flags"
        why = f"vLLM {image.release} has no command vllm; {release_name(SERVE_SINCE)} was the first"
        yield Fault("command", Words("vllm serve"), want, why)
    yield from _faults("command", command, image, models=1)
    if method := command.flags.get("--quantization"):
        yield from method_faults("command", method, image)


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
        shown = "one item per word" if secret else f"{len(parts)} items, {', '.join(parts)}"
        got = Words("several words in one item") if secret else word
        yield Fault(field, got, shown, "each item reaches vLLM as one word")


def _ours_faults(
    field: str, option: Option, known: Release, ours: Mapping[str, str]
) -> Iterator[Fault]:
    """A flag that a field sets, spelled in full or begun."""
    base = base_flag(option.spelled, known)
    flags = {known.main(flag) for flag in known.candidates(base)} | {option.name}
    flags |= {f"--{flag.removeprefix('--no-')}" for flag in flags if flag.startswith("--no-")}
    if base.startswith("--"):
        flags |= {flag for flag in ours if flag.startswith(base)}
    if set_by := sorted({ours[flag] for flag in flags if flag in ours}):
        why = "of a flag that is given twice, vLLM takes the last"
        if base not in ours:
            why += ", and the beginning of a flag stands for the flag"
        want = f"left out, and {' or '.join(set_by)} set instead"
        yield Fault(field, base, want, why)


def _faults(
    field: str, command: VllmCommand, image: VllmImage | None, models: int
) -> Iterator[Fault]:
    known = release(image.version) if image else any_release()
    for option in command.options:
        fault = _spelling_fault(field, option, known, image)
        if fault is not None:
            yield fault
            continue
        flag = known.flag(base_flag(option.spelled, known))
        if flag is not None:
            yield from _value_faults(field, option, known.flags[flag])
            yield from _reach_faults(field, flag, option)
    # A word with a blank is judged by itself, and a shell may make nothing of a variable.
    loose = [word for word in command.loose if not re.search(r"[\s$`]", word)]
    if len(loose) > models:
        got = Words("a word that belongs to no flag")
        want = "flags, each with as many words as it takes"
        yield Fault(field, got, want, f"vLLM would take it for {_TAKEN[models]}")


_TAKEN: Final = ("the model, or exit", "a second model, and exit")


def _spelling_fault(
    field: str, option: Option, known: Release, image: VllmImage | None
) -> Fault | None:
    base = base_flag(option.spelled, known)
    about = f"vLLM {image.release}" if image else "no release of vLLM that is known"
    if image and image.version < UNDERSCORES_SINCE and "_" in option.spelled.partition(".")[0]:
        return Fault(field, option.spelled, base, f"{about} takes dashes only")
    candidates = known.candidates(base)
    mains = sorted({known.main(flag) for flag in candidates})
    if len(mains) == 1:
        return None
    if mains:
        want = f"written in full: {', '.join(mains[:6])}"
        return Fault(field, option.spelled, want, "it may stand for any of them, and vLLM exits")
    return Fault(field, option.spelled, *_unknown(base, known, image, about))


def _unknown(base: str, known: Release, image: VllmImage | None, about: str) -> tuple[str, str]:
    """What a flag that the release does not know must be, and why."""
    life = lifetime("flags", base)
    if life is None or image is None:
        like = nearest(base, known.flags)
        knows = about if image is None else f"{about} does not know it, and"
        want = like or "a flag of vLLM"
        return want, "no release of vLLM that is known has it" if image is None else (
            f"{knows} exits when it starts"
        )
    if (since := gone_since("flags", base, image.version)) is not None:
        want = REPLACED.get(base) or nearest(base, known.flags) or "left out"
        why = f"it is gone since vLLM {release_name(since)}, and {about} exits when it starts"
        return want, why
    first = release_name(life[0])
    want = f"left out, or the image {first} or later"
    return want, f"vLLM {first} was the first to know it"


def _value_faults(field: str, option: Option, kind: str) -> Iterator[Fault]:
    """Words that follow a flag, against those that it takes."""
    got = option.spelled
    if kind in (VALUE, VALUES) and not option.values and "." not in option.spelled:
        yield Fault(field, got, f"{got} and its value", "the flag takes a value, and has none")
    if kind == SWITCH and option.values:
        why = "the flag is a switch, and takes no value"
        yield Fault(field, Words(f"{got} with a value"), f"{got} alone", why)


def _reach_faults(field: str, flag: str, option: Option) -> Iterator[Fault]:
    """What the probes and the Service could not reach, or everybody could read."""
    value = option.values[0] if option.values else ""
    if flag == "--host" and re.fullmatch(_LOOPBACK, value, re.IGNORECASE):
        why = "neither a probe nor the Service reaches a loopback address: the pod never is ready"
        yield Fault(field, f"{flag} {value}", "left out, or 0.0.0.0", why)
    if flag == "--uds":
        why = "the server then listens on no port, and neither a probe nor the Service reaches it"
        yield Fault(field, flag, "left out", why)
    if flag in _TLS:
        why = "probes and the Service speak HTTP to the server: TLS ends at the gateway in front"
        yield Fault(field, flag, "left out", why)
    if flag in SECRET_FLAGS and option.values and not re.search(_IN_A_SHELL, value):
        variable = SECRET_FLAGS[flag]
        want = f"left out, and key {variable} of a Secret in secret_env set instead"
        why = "in plain it stands in the stack file, in Pulumi's state and in the pod's manifest"
        yield Fault(field, Words(f"{flag} with its value"), want, why)
