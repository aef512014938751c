"""Whence vLLM reads what it is told to load, and whom it tells about it."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from .vllm_command import Option, VllmCommand

NO_USAGE_STATS: Final[Mapping[str, str]] = MappingProxyType(
    {"DO_NOT_TRACK": "1", "VLLM_NO_USAGE_STATS": "1"}
)
"""Keep vLLM from reporting its use: https://docs.vllm.ai/en/latest/usage/usage_stats/, 2026-11."""
OFFLINE: Final[Mapping[str, str]] = MappingProxyType(
    {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
)
"""Keep Hugging Face's libraries from asking the hub, which cannot be reached from the mainland:
https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables. ModelScope's
library has no such switch (read in 1.40.2), and vLLM asks it for nothing that is a local path."""

_SOURCES: Final = ("--hf-config-path", "--speculative-model", "--tokenizer")
"""Flags whose one value is a path or the name of something in a hub."""

_FILES: Final = (
    *("--chat-template", "--config", "--reasoning-parser-plugin", "--tool-parser-plugin"),
    *("--allowed-local-media-path", "--generation-config"),
)
"""Flags whose value is the path of a file or a folder, or a text."""
FILE_VARIABLES: Final = (
    *("VLLM_LOGGING_CONFIG_PATH", "LMCACHE_CONFIG_FILE", "MOONCAKE_CONFIG_PATH"),
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""Variables with the path of a file without which vLLM, a connector or what asks a hub fails:
vllm/logger.py of 0.19.0; the manuals of LMCache, Mooncake and requests, read 2026-11."""


def sources(command: VllmCommand) -> Iterator[tuple[str, str]]:
    """Every path or hub name that a server loads from, each with the flag that says it."""
    if command.model is not None:
        yield "--model", command.model
    for option in command.options:
        if option.name in _SOURCES and option.values:
            yield option.spelled, option.values[0]
        elif option.name == "--lora-modules":
            yield from ((option.spelled, path) for path in _adapters(option))
        elif option.name == "--speculative-config" and option.values:
            dotted = option.spelled.endswith(".model")
            model = option.values[0] if dotted else _json(option.values[0]).get("model")
            if isinstance(model, str) and model not in ("ngram", "[ngram]"):
                yield option.spelled, model


def files(command: VllmCommand) -> Iterator[tuple[str, str]]:
    """Every path of a file that a server reads besides a model, each with the flag that says it."""
    for option in command.options:
        if option.name in _FILES and option.values:
            yield option.spelled, option.values[0]


MODELSCOPE_CACHE: Final = "MODELSCOPE_CACHE"
"""Variable with the folder that ModelScope's library downloads to."""


def hub_caches(folder: str) -> dict[str, str]:
    """Variables that have hubs' libraries keep in a folder what they download.

    https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables;
    modelscope/hub/utils/utils.py of ModelScope 1.40.2.
    """
    root = folder.rstrip("/")
    return {"HF_HOME": f"{root}/huggingface", MODELSCOPE_CACHE: f"{root}/modelscope"}


def is_hub_name(model: str) -> bool:
    """Whether a model is the name of one in a hub: no absolute path, and no address of a bucket."""
    return not model.startswith(("/", ".", "$", "`", "~")) and "://" not in model


def is_offline(command: VllmCommand, mount_path: str) -> bool:
    """Whether a server needs no hub: it has a model below its mount, and nothing by a hub's name.

    Args:
        command: What vLLM is told.
        mount_path: Where the model is mounted.
    """
    if command.model is None or not command.is_whole:
        return False
    return is_below(command.model, mount_path) and all(
        source.startswith("/") for _, source in sources(command)
    )


def is_below(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder, or lies in it."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def adapter_names(option: Option) -> Iterator[str]:
    """Names of LoRA adapters: `name=path`, or JSON."""
    for value in option.values:
        name = _json(value).get("name") if value.startswith("{") else value.partition("=")[0]
        if isinstance(name, str) and name:
            yield name


def _adapters(option: Option) -> Iterator[str]:
    """Paths of LoRA adapters: `name=path`, or JSON."""
    for value in option.values:
        path = _json(value).get("path") if value.startswith("{") else value.partition("=")[2]
        if isinstance(path, str) and path:
            yield path


def _json(text: str) -> Mapping[str, object]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
