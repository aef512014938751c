"""Validates flags of vLLM whose value is a mapping: as JSON, or key by key with dots.

What each release takes was read off its wheel (`keys` of the table), and what it does with the rest
was seen with its own parser: 0.7.3, 0.8.5, 0.9.2, 0.10.2, 0.11.2, 0.13.0, 0.19.1, 0.28.0, 0.33.0.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from ..args import Fault, Words, nearest
from ..catalog.vllm import VllmImage
from ..catalog.vllm.table import Version, lifetime, names, release_name, releases, texts
from .kv_transfer import TRANSFER_FLAG
from .vllm_command import Option, VllmCommand

DOTTED_SINCE: Final[Version] = (0, 9, 0)
"""vLLM's FlexibleArgumentParser: the first release that takes `--flag.key value`."""
METHOD_SINCE: Final[Version] = (0, 11, 0)
"""The first release that guesses no method of a model with layers of its own for it (DeepSeek-V3):
SpeculativeConfig.__post_init__ of vllm/config/speculative.py."""
DASHES_SINCE: Final[Version] = (0, 26, 0)
"""The first release that takes dashes in keys of --speculative-config: vllm/engine/arg_utils.py."""
IN_A_SHELL: Final = r"[$`]"
"""How a value begins that a shell, or Kubernetes, fills in."""

_LEVEL: Final = "--optimization-level"
_COMPILATION: Final = "--compilation-config"
_SPECULATIVE: Final = "--speculative-config"
_SHORT: Final = MappingProxyType(
    {
        "--spec-method": "method",
        "--spec-model": "model",
        "--spec-tokens": "num_speculative_tokens",
    }
)
"""Flags that are keys of --speculative-config."""
_DRAFTED: Final = (
    "custom_class",
    "dflash",
    "draft_model",
    "eagle",
    "eagle3",
    "medusa",
    "mlp_speculator",
)
"""Methods with weights, or a class, of their own: SpeculativeConfig, 0.8.2 to 0.33.0."""
_CONNECTORS: Final = MappingProxyType({TRANSFER_FLAG: "kv", "--ec-transfer-config": "ec"})
"""Flags that hand something over, and how their keys begin: vllm/config/{kv,ec}_transfer.py."""
CPU_BYTES_SINCE: Final[Version] = (0, 14, 0)
"""The first release whose OffloadingConnector is told bytes and no blocks: vllm/v1/kv_offload."""
_RENAMED: Final = MappingProxyType(
    {
        "ECSharedStorageConnector": "ECExampleConnector",
        "LMCacheConnector": "LMCacheConnectorV1",
        "PyNcclConnector": "P2pNcclConnector",
        "SharedStorageConnector": "ExampleConnector",
    }
)
"""By connector that is gone, the one that does the same: the registrations of 0.8.5 to 0.13.0."""
# By key that is gone, what its last releases named in its place: vllm/config/compilation.py of
# 0.11.2, 0.12.0 and 0.14.1, vllm/config/pooler.py of 0.14.1.
_REPLACED: Final = MappingProxyType(
    {
        f"{_COMPILATION}.level": "mode",
        f"{_COMPILATION}.full_cuda_graph": "cudagraph_mode FULL",
        f"{_COMPILATION}.use_cudagraph": "cudagraph_mode",
        f"{_COMPILATION}.pass_config.enable_fusion": "fuse_norm_quant and fuse_act_quant",
        f"{_COMPILATION}.pass_config.enable_attn_fusion": "fuse_attn_quant",
        f"{_COMPILATION}.pass_config.enable_noop": "eliminate_noops",
        f"{_COMPILATION}.pass_config.enable_sequence_parallelism": "enable_sp",
        f"{_COMPILATION}.pass_config.enable_async_tp": "fuse_gemm_comms",
        f"{_COMPILATION}.pass_config.enable_fi_allreduce_fusion": "fuse_allreduce_rms",
        f"{_SPECULATIVE}.speculative_model": "model",
        "--pooler-config.normalize": "use_activation",
        "--pooler-config.softmax": "use_activation",
        "--pooler-config.activation": "use_activation",
    }
)


def mapping_faults(field: str, command: VllmCommand, image: VllmImage | None) -> Iterator[Fault]:
    """Validates the keys of mappings, in whichever form they stand."""
    for option in command.options:
        yield from _form_faults(field, option, image)
    for flag in sorted({option.name for option in command.options} & mappings()):
        dotted, whole = _forms(command, flag)
        if dotted and whole:
            got = Words(f"{whole[-1].spelled} with JSON and {dotted[0].spelled}")
            want = "all of it as JSON, or all of it key by key"
            yield Fault(field, got, want, "of the two vLLM takes the keys alone")
        values = _by_key(dotted) if dotted else _of_json(whole[-1])
        if isinstance(values, dict):
            yield from _key_faults(field, flag, values, image)
        elif values is not None and not _is_level(flag, values, whole[-1], image):
            got, want = Words(f"{flag} with JSON that is no mapping"), 'one such as {"key": 1}'
            if flag == _COMPILATION and type(values) is int:
                keys = _keys_of(flag, image.version if image else None)
                name = "mode" if "mode" in keys else "level"
                got, want = Words(f"{flag} {values}"), f'{{"{name}": {values}}}'
            yield Fault(field, got, want, "vLLM exits when it starts")
    yield from _speculative_faults(field, command, image)
    for flag, prefix in _CONNECTORS.items():
        yield from _connector_faults(field, flag, prefix, values_of(command, flag), image)


@functools.cache
def mappings() -> frozenset[str]:
    """Flags whose value is a mapping with keys of vLLM's own, in some release."""
    return frozenset(name.partition(".")[0] for name in names("keys"))


def _form_faults(field: str, option: Option, image: VllmImage | None) -> Iterator[Fault]:
    """A form that the release reads as something else, or not at all."""
    if image is None:
        return
    flag, _, key = option.spelled.partition(".")
    value = option.values[0] if option.values else ""
    is_level = not key and re.match(rf"[0-3]$|{IN_A_SHELL}", value)
    if option.name == _LEVEL and flag == "-O" and not is_level:
        want = f"-cc.{key}" if key else "one of 0, 1, 2, 3, or -cc with the mapping"
        why = f"to vLLM {image.release} -O is a level"
        if key:
            why += f", here '.{key}', and a word after it is the model that it loads"
        yield Fault(field, option.spelled, want, why)
    elif key and image.version < DOTTED_SINCE:
        want = f"{flag} with JSON"
        why = f"vLLM {image.release} takes no keys with dots; {release_name(DOTTED_SINCE)} was the "
        yield Fault(field, option.spelled, want, f"{why}first")


def _forms(command: VllmCommand, flag: str) -> tuple[list[Option], list[Option]]:
    """The options by which a mapping is given: key by key, and as JSON."""
    options = [option for option in command.options if option.name == flag]
    dotted = [option for option in options if "." in option.spelled]
    return dotted, [option for option in options if option not in dotted]


def _by_key(options: Sequence[Option]) -> dict[str, Any]:
    """What keys with dots come to, each in the mapping of the one before it."""
    values: dict[str, Any] = {}
    for option in options:
        *outer, key = option.spelled.removesuffix("+").split(".")[1:]
        inner = values
        for name in outer:
            inner = mapping if isinstance(mapping := inner.setdefault(name, {}), dict) else {}
        inner[key] = _read(option.values[0] if option.values else None)
    return values


def _of_json(option: Option) -> Any:
    """What the JSON of a flag says; None where it is none, or not known here."""
    text = option.values[0] if option.values else ""
    try:
        return None if re.match(IN_A_SHELL, text) else json.loads(text)
    except ValueError:
        return None


def _read(text: str | None) -> Any:
    """A value as vLLM reads that of a key: JSON, or else text."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _is_level(flag: str, value: object, option: Option, image: VllmImage | None) -> bool:
    """Whether it is a number in place of the compilation's mapping."""
    takes_number = option.spelled == "-O" or image is None or image.version < DOTTED_SINCE
    return flag == _COMPILATION and isinstance(value, int) and takes_number


def _key_faults(
    field: str, flag: str, values: Mapping[str, Any], image: VllmImage | None
) -> Iterator[Fault]:
    """Keys that the release does not know, and texts that it does not take for one."""
    version = image.version if image else None
    if version and version > releases()[-1]:
        return
    keys = _keys_of(flag, version)
    if not keys:
        return
    dashes = flag == _SPECULATIVE and (version is None or version >= DASHES_SINCE)
    about = f"vLLM {image.release}" if image else "no release of vLLM that is known"
    for spelled, value in values.items():
        key = spelled.replace("-", "_") if dashes else spelled
        name = f"{flag}.{key}"
        if key not in keys:
            want = _REPLACED.get(name) or nearest(key, keys) or "left out"
            why = "exits with it, or passes over it" if image else "has that key"
            why = f"{about} {why}"
            if image and (life := lifetime("keys", name)):
                why += f"; {life} know it"
            yield Fault(field, name, want, why)
            continue
        if isinstance(value, dict):
            yield from _key_faults(field, name, value, image)
        offered = texts(name, version)
        plain = {text.lower().replace("-", "_") for text in offered}
        if isinstance(value, str) and plain and value.lower().replace("-", "_") not in plain:
            if re.match(IN_A_SHELL, value):
                continue
            want = nearest(value, offered) or f"one of {', '.join(offered)}"
            why = f"{about} does not know it" if image else f"{about} knows it"
            yield Fault(field, f"{name} {value}", want, why)


def _keys_of(name: str, version: Version | None) -> set[str]:
    """The keys of a flag's mapping, or of one in it; none where any will do."""
    rest = (
        key.removeprefix(f"{name}.") for key in names("keys", version) if key.startswith(f"{name}.")
    )
    return {key for key in rest if "." not in key}


def values_of(command: VllmCommand, flag: str) -> dict[str, Any] | None:
    """What a flag's mapping says; None where it is not given, not clear, or not known here."""
    dotted, whole = _forms(command, flag)
    is_clear = bool(dotted) != bool(whole) and all(option.values for option in dotted)
    if not command.is_whole or not is_clear:
        return None
    values = _by_key(dotted) if dotted else _of_json(whole[-1])
    return values if isinstance(values, dict) else None


def transfer_settings(command: VllmCommand) -> dict[str, Any]:
    """What hands the KV cache over or keeps it, as far as the command line says it clearly."""
    return values_of(command, TRANSFER_FLAG) or {}


def _speculative_faults(
    field: str, command: VllmCommand, image: VllmImage | None
) -> Iterator[Fault]:
    """What SpeculativeConfig has to be told, whichever release it is of."""
    short = {key: command.flags[flag] for flag, key in _SHORT.items() if command.flags.get(flag)}
    values = values_of(command, _SPECULATIVE)
    if values is None:
        if not short or _SPECULATIVE in command.flags or not command.is_whole:
            return
        values = {}
    for key in sorted(short.keys() & values.keys()):
        flag = next(flag for flag, name in _SHORT.items() if name == key)
        yield Fault(field, flag, f"left out, or {key} of {_SPECULATIVE}", "vLLM exits with both")
    settings = {key.replace("-", "_"): value for key, value in {**values, **short}.items()}
    method, model = settings.get("method"), settings.get("model")
    tokens = settings.get("num_speculative_tokens")
    guesses = image is None or image.version < METHOD_SINCE
    why = "vLLM exits when it starts"
    if method is None and model is None and not (guesses and tokens is not None):
        want = "given its method, e.g. ngram or mtp, or the model that drafts"
        yield Fault(field, _SPECULATIVE, want, why)
    elif method in _DRAFTED and model is None:
        want = "given the model that drafts"
        yield Fault(field, f"{_SPECULATIVE} with method {method}", want, why)
    by_itself = method == "suffix" or (model is not None and model not in ("ngram", "[ngram]"))
    if tokens is None and (method == "ngram" or not by_itself):
        want = "given num_speculative_tokens, e.g. 3"
        yield Fault(field, _SPECULATIVE, want, f"{why}: only a draft model may have its own")
    elif isinstance(tokens, int) and tokens < 1:
        yield Fault(field, f"{_SPECULATIVE} with {tokens} tokens", "given 1 or more", why)


def _connector_faults(
    field: str,
    flag: str,
    prefix: str,
    values: Mapping[str, Any] | None,
    image: VllmImage | None,
) -> Iterator[Fault]:
    """A connector and the server's part in it, of which each needs the other."""
    if values is None:
        return
    connector, role = f"{prefix}_connector", f"{prefix}_role"
    name = values.get(connector)
    if name is None:
        yield Fault(field, flag, f"given {connector}", "without it vLLM hands nothing over")
    elif values.get(role) is None:
        want = f"given {role}, e.g. {prefix}_both"
        yield Fault(field, flag, want, "vLLM exits when it starts")
    if isinstance(name, str) and values.get(f"{connector}_module_path") is None:
        yield from _connector_name_faults(field, f"{flag}.{connector}", prefix, name, image)
    extra = f"{connector}_extra_config"
    yield from _extra_config_faults(field, f"{flag}.{extra}", name, values.get(extra) or {}, image)


def _connector_name_faults(
    field: str, key: str, prefix: str, name: str, image: VllmImage | None
) -> Iterator[Fault]:
    """A connector that the release does not have, under a name that others have, or nearly so.

    A plugin of the image may bring one of another name.
    """
    column = f"{prefix}_connectors"
    offered = names(column, image.version) if image else names(column)
    if name in offered or not offered or (image and image.version > releases()[-1]):
        return
    life, renamed = lifetime(column, name), _RENAMED.get(name)
    meant = renamed if renamed in offered else None if life else nearest(name, offered)
    if life is None and meant is None:
        return
    why = f"vLLM {image.release} exits when it starts" if image else "no release of vLLM has it"
    if life is not None:
        why += f": {life} have it"
    want = meant or f"another one, or given with {prefix}_connector_module_path"
    yield Fault(field, f"{key} {name}", want, why)


def _extra_config_faults(
    field: str, key: str, name: object, values: object, image: VllmImage | None
) -> Iterator[Fault]:
    """What a connector has to be told beside its name: others take what they are given."""
    if not isinstance(values, dict) or image is None or image.version > releases()[-1]:
        return
    needed = None
    if name == "MultiConnector":
        needed, like = "connectors", "a list of connectors, each with kv_connector and kv_role"
    elif name == "OffloadingConnector" and "spec_name" not in values:
        in_bytes = image.version >= CPU_BYTES_SINCE
        needed = "cpu_bytes_to_use" if in_bytes else "num_cpu_blocks"
        like = "bytes of the node's memory" if in_bytes else "a number of blocks"
    if needed is not None and values.get(needed) is None:
        want = f"given {needed}, {like}"
        yield Fault(field, f"{key} of {name}", want, f"vLLM {image.release} exits when it starts")
