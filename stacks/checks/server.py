"""What a server's command line says, against what its pod has."""

from collections.abc import Iterator

from components.args import Fault
from components.serving.vllm_parallel import TENSOR
from components.serving.vllm_sources import is_below, sources

from ..environment import Environment
from .rules import check, warning
from .views import models, mount_paths


@check()
def paths_are_mounted(environment: Environment) -> Iterator[Fault]:
    """A path under no mount is not there, and vLLM ends with an error that names a hub."""
    for path, model in models(environment):
        command, mounts = model.server.vllm_command, mount_paths(model)
        for flag, source in sources(command) if command else []:
            if source.startswith("/") and not any(is_below(source, mount) for mount in mounts):
                section = "command" if model.server.vllm is None else "vllm.extra_args"
                want = f"below {' or '.join(mounts)}"
                why = f"{flag} reads it, and nothing else is mounted"
                yield Fault(f"{path}.server.{section}", source, want, why)


@warning
def tensor_parallel_divides_the_heads(environment: Environment) -> Iterator[str]:
    """VLLM refuses a size that does not divide the attention heads, and few have odd factors."""
    for path, model in models(environment):
        command = model.server.vllm_command
        size = command.number(TENSOR) if command else None
        if size and size & (size - 1):
            yield (
                f"{path}.server splits each layer over {size} cards: vLLM starts only if {size} "
                "divides the attention heads of the model, and those of most are 28, 32, 40 or 64. "
                "1, 2, 4 or 8 cards do; --pipeline-parallel-size splits by layers instead."
            )
