"""Command lines of other servers than vLLM: where they listen, and how many cards they take."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from ..args import Fault, Words
from ..catalog.registries import registry_of
from ..catalog.sglang import sglang_flags
from ..hosts import LOOPBACK
from .server import ModelServer
from .sglang_exclusions import full_flag
from .sglang_rules import sglang_faults, together_faults
from .vllm_command import statements
from .vllm_rules import UNREACHED_LOOPBACK

HEALTH_SECONDS: Final = 5
"""Longest that a server takes to say that it is ready, where no more is known of it."""


@dataclass(frozen=True)
class ServerProgram:
    """A server, and what its flags are called."""

    name: str
    """As its makers write it."""
    starts: tuple[tuple[str, ...], ...]
    """Words that start it, each followed by its flags."""
    host: str
    """Address at which it listens by itself."""
    port: int
    """Port at which it listens by itself."""
    host_flag: str = "--host"
    port_flag: str = "--port"
    model_flags: tuple[str, ...] = ()
    """Flags with the model; beside them the first word may be it."""
    sizes: tuple[tuple[str, ...], ...] = ()
    """Spellings of the flags of which the cards are the product, each 1 by itself."""
    nodes: tuple[str, ...] = ()
    """Flags with which it is not known here how many of the cards are this pod's."""
    files: tuple[str, ...] = ()
    """Flags with a file of further flags."""
    files_stand_apart: bool = False
    """Whether such a file is read only as the next word, and passed over behind an equals sign."""
    within: Mapping[str, str] | None = None
    """By switch, a flag of `sizes` that then takes no cards of its own."""
    capability: float = 0
    """Compute capability below which it exits; 0 where that is not known."""
    health: str | None = None
    """Path that answers once the model is loaded, where it has no `/health`."""
    health_seconds: int = HEALTH_SECONDS
    """Longest that path takes while the server is well."""
    in_full: Callable[[str], str] | None = None
    """Writes a flag in full that is begun, where the server takes the beginning for it."""


def _sglang_flag(spelled: str) -> str:
    """A flag of SGLang's parser, which is argparse's; of whichever release."""
    return full_flag(spelled, sglang_flags(None))


HEALTH: Final = "/health"
"""Path of vLLM, SGLang, TensorRT-LLM, LMDeploy and others; that of `health_path` by default."""
# sglang 0.2.15 to 0.5.23, srt/server_args.py and srt/arg_groups/fields/; cli/serve.py.
SGLANG: Final = ServerProgram(
    "SGLang",
    (("-m", "sglang.launch_server"), ("sglang", "serve")),
    "127.0.0.1",
    30000,
    model_flags=("--model-path", "--model"),
    sizes=(
        ("--tp-size", "--tensor-parallel-size", "--tp"),
        ("--pp-size", "--pipeline-parallel-size", "--pp"),
        ("--dp-size", "--data-parallel-size", "--dp"),
    ),
    nodes=("--nnodes", "--gpu-id-step", "--num-gpus"),
    files=("--config",),
    # prepare_server_args of 0.5.3 and 0.5.23: findings/sglang-config-with-an-equals-sign.sh.
    files_stand_apart=True,
    within={"--enable-dp-attention": "--dp-size"},
    # srt/model_executor/model_runner.py, "SGLang only supports sm75 and above.", 0.2.15 to 0.5.23.
    capability=7.5,
    # From 0.5.2 on it waits up to 20 s for a token: findings/sglang-health-takes-a-second.sh.
    health_seconds=25,
    in_full=_sglang_flag,
)
ENGINES: Final = (
    SGLANG,
    # NVIDIA/TensorRT-LLM, tensorrt_llm/commands/serve.py, main of 2026.
    ServerProgram(
        "TensorRT-LLM",
        (("trtllm-serve", "serve"), ("trtllm-serve",)),
        "localhost",
        8000,
        sizes=(
            ("--tp-size", "--tensor-parallel-size"),
            ("--pp-size", "--pipeline-parallel-size"),
            ("--cp-size", "--context-parallel-size"),
        ),
        nodes=("--gpus-per-node",),
        files=("--config", "--config-file", "-c", "--extra-llm-api-options"),
    ),
    # InternLM/lmdeploy, lmdeploy/cli/serve.py, main of 2025.
    ServerProgram(
        "LMDeploy",
        (("lmdeploy", "serve", "api_server"),),
        "0.0.0.0",  # noqa: S104  what it does, not what is done here
        23333,
        host_flag="--server-name",
        port_flag="--server-port",
        sizes=(("--tp",),),
        nodes=("--dp", "--nnodes"),
    ),
    # triton-inference-server.github.io/pytriton, "Deploying in Cluster"; KServe's protocol v2.
    ServerProgram(
        "Triton",
        (("tritonserver",),),
        "0.0.0.0",  # noqa: S104  what it does, not what is done here
        8000,
        host_flag="--http-address",
        port_flag="--http-port",
        model_flags=("--model-repository", "--model-store"),
        health="/v2/health/ready",
    ),
    # ollama/ollama issue 1378. Where it listens says OLLAMA_HOST, which its image sets.
    ServerProgram("Ollama", (("ollama", "serve"),), "", 0, health="/"),
)
"""Servers whose images say neither address nor port in variables: llama.cpp's and TGI's do."""


PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vllm": "vLLM",
        "sglang": "SGLang",
        "tensorrt-llm": "TensorRT-LLM",
        "lmdeploy": "LMDeploy",
        "tritonserver": "Triton",
        "ollama": "Ollama",
        "text-generation-inference": "TGI",
        "text-embeddings-inference": "TEI",
        "llama.cpp": "llama.cpp",
    }
)
"""Servers by what images of their makers are called: vllm/vllm-openai, lmsysorg/sglang,
nvcr.io/nvidia/tensorrt-llm and tritonserver, openmmlab/lmdeploy, ollama/ollama,
ghcr.io/huggingface/text-generation-inference and text-embeddings-inference,
ghcr.io/ggml-org/llama.cpp."""


def program_of(image: str) -> str | None:
    """The server that an image is of by its name; None where that names none, or several.

    Args:
        image: An image reference.
    """
    name = image.lower().removeprefix(f"{registry_of(image).host}/")
    named = {
        program
        for word, program in PROGRAMS.items()
        if re.search(rf"(?<![a-z]){re.escape(word)}", name)
    }
    return named.pop() if len(named) == 1 else None


@dataclass(frozen=True)
class EngineCommand:
    """What a command line tells such a server."""

    engine: ServerProgram
    flags: Mapping[str, str]
    """By flag with dashes, its value; "" for a switch."""
    first: str | None
    """The word before all flags, which may be the model."""
    is_whole: bool
    """Whether all flags are seen: none stands in a file, or in what a shell fills in."""
    unread: tuple[str, str] | None = None
    """A flag with a file that the server passes over, and the file."""
    words: Sequence[str] = ()
    """What follows the server's name, as it stands."""
    is_module: bool = False
    """Whether a module of Python is started, and no program of the image."""

    @property
    def model(self) -> str | None:
        """Path or hub name of the model; None where it is not said, or by a shell."""
        flagged = [self.flags[flag] for flag in self.engine.model_flags if flag in self.flags]
        return next((name for name in [*flagged, self.first] if name and name[0] not in "$`"), None)

    @property
    def cards(self) -> int | None:
        """Cards of a replica; None where it is not known."""
        if (
            not self.engine.sizes
            or not self.is_whole
            or any(flag in self.flags for flag in self.engine.nodes)
        ):
            return None
        inside = {
            size for switch, size in (self.engine.within or {}).items() if switch in self.flags
        }
        sizes = [
            next((self.flags[flag] for flag in spellings if flag in self.flags), "1")
            for spellings in self.engine.sizes
            if spellings[0] not in inside
        ]
        return math.prod(map(int, sizes)) if all(size.isdecimal() for size in sizes) else None


def read_engine(words: Sequence[str]) -> EngineCommand | None:
    """What a container's command tells one of `ENGINES`; None where it starts none of them.

    Args:
        words: A command in exec form. `sh -c` and what stands before the server are seen through.
    """
    for statement in statements(words):
        programs = [word.rpartition("/")[2] for word in statement]
        for place in range(len(programs)):
            for engine in ENGINES:
                for start in engine.starts:
                    if tuple(programs[place : place + len(start)]) == start:
                        command = _read(engine, statement[place + len(start) :])
                        return replace(command, is_module=start[0] == "-m")
    return None


def _read(engine: ServerProgram, words: Sequence[str]) -> EngineCommand:
    flags: dict[str, str] = {}
    unread: tuple[str, str] | None = None
    last = ""
    for word in words:
        if re.match(r"--?[A-Za-z]", word):
            spelled, equals, value = word.partition("=")
            flag = spelled.replace("_", "-")
            flag = engine.in_full(flag) if engine.in_full else flag
            if equals and engine.files_stand_apart and flag in engine.files:
                unread, last = (flag, value), ""
                continue
            flags[flag] = value
            last = "" if equals else flag
        elif last:
            flags[last], last = word, ""
    first = next(iter(words), "-")
    hidden = any(word[:1] in "$`" and not word.startswith("$(") for word in words)
    is_whole = not hidden and not any(flag in flags for flag in engine.files)
    model = None if first.startswith("-") else first
    return EngineCommand(engine, flags, model, is_whole, unread, words)


def health_seconds(server: ModelServer) -> int:
    """Longest that a server may take to say that it is ready, before it counts as not."""
    command = read_engine(server.command or [])
    return command.engine.health_seconds if command else HEALTH_SECONDS


def engine_faults(server: ModelServer) -> Iterator[Fault]:
    """Refuses a command by which the server listens where nobody asks, or takes other cards.

    Not for a runtime that adds the flags itself.
    """
    command = read_engine(server.command or [])
    if command is None:
        return
    engine, flags = command.engine, command.flags
    # `sglang serve` has flags of its own where it serves models that draw.
    if engine is SGLANG and command.is_module:
        yield from sglang_faults("server.command", command.words, server.image)
        if command.is_whole:
            yield from together_faults("server.command", command.words, server.image)
    if command.unread:
        flag, file = command.unread
        joined, apart = Words(f"one with {flag}={file}"), f"one with {flag} {file}, in two words"
        why = f"{engine.name} reads no file behind an equals sign, and starts without what it says"
        yield Fault("server.command", joined, apart, why)
    host = flags.get(engine.host_flag, engine.host if command.is_whole else "")
    if re.fullmatch(LOOPBACK, host, re.IGNORECASE):
        by_itself = engine.host_flag not in flags
        without = f"one without {engine.host_flag}, by which {engine.name} listens at {host}"
        got = Words(without if by_itself else f"one with {engine.host_flag} {host}")
        want = f"one with {engine.host_flag} 0.0.0.0"
        yield Fault("server.command", got, want, UNREACHED_LOOPBACK)
    port = flags.get(engine.port_flag, str(engine.port) if command.is_whole else "")
    if port.isdecimal() and int(port) not in (0, server.port):
        without = f"without {engine.port_flag} ({engine.port})"
        got = Words(f"one with {engine.port_flag} {port}" if engine.port_flag in flags else without)
        want = f"one with {engine.port_flag} {server.port}, or server.port {port}"
        yield Fault("server.command", got, want, "requests and probes go to port")
    if engine.health and server.health_path == HEALTH:
        why = f"{engine.name} has no {HEALTH}, and the pod never is ready"
        yield Fault("server.health_path", HEALTH, engine.health, why)
    cards = command.cards
    if cards is not None and server.gpus and cards != server.gpus:
        got = Words(f"one that takes {cards} card{'' if cards == 1 else 's'}")
        why = f"{engine.name} starts one process per card"
        yield Fault("server.command", got, f"resources.gpus ({server.gpus})", why)
