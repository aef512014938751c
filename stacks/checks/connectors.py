"""What keeps a server's KV cache beside its cards, and what collects its traces."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from components.catalog.model_shapes import known_shape
from components.quantity import gib, plain
from components.serving.vllm_amounts import LMCACHE_SIZE, lmcache_size, uses_lmcache
from components.serving.vllm_command import VllmCommand

from ..sections.environment import Environment
from ..sections.models import ModelSection, RuntimeSection
from .rules import warning
from .views import commands, model_name

_DISK: Final = "LMCACHE_LOCAL_DISK"
_DISK_SIZE: Final = "LMCACHE_MAX_LOCAL_DISK_SIZE"
_FILE: Final = "LMCACHE_CONFIG_FILE"
"""File that may say what variables do not."""
_TRACES: Final = "--otlp-traces-endpoint"
_PROTOCOL: Final = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
"""The one variable that vLLM reads of it: vllm/tracing/otel.py of 0.19.0 and 0.33.0."""
_OF_ALL_SIGNALS: Final = "OTEL_EXPORTER_OTLP_PROTOCOL"
_BY_HTTP: Final = "http/protobuf"
_GRPC_PORT: Final = 4317
_HTTP_PORT: Final = 4318
"""Ports of a collector for each: opentelemetry.io, "OTLP Specification"."""


@warning
def lmcache_fits_each_card(environment: Environment) -> Iterator[str]:
    """Each worker of LMCache takes the size for itself, and vLLM has one per card.

    findings/lmcache-sizes-are-of-each-card.sh.
    """
    for path, model, command in commands(environment):
        shape = known_shape(model_name(model, command))
        is_latent = shape is not None and shape.key_heads is None
        for field, env, section in _pods(path, model) if uses_lmcache(command) else ():
            resources = model.resources_of(section)
            cards, memory = max(1, resources.gpus), gib(resources.memory)
            size = lmcache_size(command, env)
            if is_latent or not size < memory <= size * cards:
                continue
            about = f"[{LMCACHE_SIZE}] is {env[LMCACHE_SIZE]}" if LMCACHE_SIZE in env else ""
            about = about or f" lacks {LMCACHE_SIZE}, which is {plain(size)} then"
            yield (
                f"{field}{about}: LMCache takes so many GiB for each card, {plain(size * cards)} "
                f"of the pod's memory ({resources.memory}), and the pod is killed as it starts. "
                "Only where attention is latent, as DeepSeek's is, the first card alone takes "
                "them. Give what each card may have."
            )


@warning
def lmcache_has_a_size_on_disk(environment: Environment) -> Iterator[str]:
    """The folder alone does nothing: the size is 0 by default.

    findings/lmcache-sizes-are-of-each-card.sh.
    """
    for path, model, command in commands(environment):
        for field, env, _ in _pods(path, model) if uses_lmcache(command) else ():
            if env.get(_DISK) and _DISK_SIZE not in env and _FILE not in env:
                yield (
                    f"{field}[{_DISK}] is {env[_DISK]}: without {_DISK_SIZE}, in GiB for each "
                    "card, LMCache keeps nothing there."
                )


@warning
def traces_reach_their_collector(environment: Environment) -> Iterator[str]:
    """A protocol or a path that vLLM takes otherwise loses all traces, and the server is ready.

    findings/vllm-traces-by-http-go-nowhere.sh.
    """
    for path, model, command in commands(environment):
        for _, env, _ in _pods(path, model):
            if why := _lost(command, env):
                yield f"{path}.server has {_TRACES} {command.flags[_TRACES]}: {why}."


def _lost(command: VllmCommand, env: Mapping[str, str]) -> str:
    """Why no trace arrives; nothing where they may."""
    address, protocol = command.flags.get(_TRACES) or "", env.get(_PROTOCOL, "")
    parts = re.fullmatch(r"(?:https?://)?([^/$]+)(/.*)?", address)
    if parts is None:
        return ""
    if protocol == _BY_HTTP and (parts[2] or "/") == "/":
        return (
            f"with {_PROTOCOL} {_BY_HTTP} vLLM posts to that very address, where a collector "
            f"answers 404. Write {address.rstrip('/')}/v1/traces"
        )
    general = env.get(_OF_ALL_SIGNALS, "")
    if not protocol and general.startswith("http") and _port(address) != _GRPC_PORT:
        return (
            f"vLLM does not read {_OF_ALL_SIGNALS} ({general}), and speaks gRPC to it. Write "
            f"{_PROTOCOL}, and an address that ends with /v1/traces"
        )
    if not protocol and _port(address) == _HTTP_PORT:
        return (
            f"vLLM speaks gRPC to it, and {_HTTP_PORT} is a collector's port for HTTP. Write 4317, "
            f"or {_PROTOCOL} {_BY_HTTP} and an address that ends with /v1/traces"
        )
    return ""


def _port(address: str) -> int | None:
    try:
        return urlsplit(address if "://" in address else f"//{address}").port
    except ValueError:
        return None


def _pods(
    path: str, model: ModelSection
) -> Iterator[tuple[str, Mapping[str, str], RuntimeSection]]:
    """The variables of each kind of a model's pods, with their field path and their section.

    Those that are alike come once.
    """
    seen: list[tuple[Mapping[str, str], object]] = []
    for kind, section in model.serve.sections.items():
        env, resources = model.env_of(section), model.resources_of(section)
        if (env, resources) not in seen:
            seen.append((env, resources))
            own = getattr(section, "env", None)
            yield f"{path}.serve.{kind}.env" if own else f"{path}.server.env", env, section
