"""Reads command lines that start a training program once per card: torchrun and its like."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .vllm_command import statements


class Launcher(StrEnum):
    """What starts the processes of a training job."""

    TORCHRUN = "torchrun"
    """PyTorch's: https://docs.pytorch.org/docs/stable/elastic/run.html."""
    ACCELERATE = "accelerate"
    """Hugging Face's: https://huggingface.co/docs/accelerate/package_reference/cli."""
    DEEPSPEED = "deepspeed"
    """DeepSpeed's: https://www.deepspeed.ai/getting-started/."""


@dataclass(frozen=True)
class Launch:
    """What a launcher is told."""

    launcher: Launcher
    flags: Mapping[str, str]
    """By flag with dashes, e.g. `--nproc-per-node`, its value; "" for a switch."""

    def number(self, flag: str) -> int | None:
        """The value of a flag as a whole number; None where there is none, or no number."""
        value = self.flags.get(flag, "")
        return int(value) if re.fullmatch(r"\d{1,6}", value) else None


_MODULES: Final = {
    "torch.distributed.run": Launcher.TORCHRUN,
    "torch.distributed.launch": Launcher.TORCHRUN,
    "accelerate.commands.launch": Launcher.ACCELERATE,
    "deepspeed.launcher.runner": Launcher.DEEPSPEED,
}


def read_launch(words: Sequence[str]) -> Launch | None:
    """What a container's command tells a launcher; None where it starts none.

    Args:
        words: A command in exec form. `sh -c` and what stands before the launcher are seen through.
    """
    for statement in statements(words):
        for place, word in enumerate(statement):
            name, rest = word.rpartition("/")[2], statement[place + 1 :]
            if name in (Launcher.TORCHRUN, Launcher.DEEPSPEED):
                return Launch(Launcher(name), _flags(rest))
            if name == Launcher.ACCELERATE and rest[:1] == ["launch"]:
                return Launch(Launcher.ACCELERATE, _flags(rest[1:]))
            if word == "-m" and rest and rest[0] in _MODULES:
                return Launch(_MODULES[rest[0]], _flags(rest[1:]))
    return None


def _flags(words: Sequence[str]) -> dict[str, str]:
    """The launcher's own flags: those before the program that it starts."""
    flags: dict[str, str] = {}
    last = ""
    for word in words:
        if word in ("-m", "--module") or (not word.startswith("-") and not last):
            break
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            last = "" if equals else name.replace("_", "-")
            flags[name.replace("_", "-")] = value
        elif word.endswith((".py", ".sh")):
            break
        else:
            flags[last], last = word, ""
    return flags
