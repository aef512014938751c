"""Has vLLM's own parsers read every command line that something of this repository renders.

Each line is read by the parser of its release, whose wheel pip fetches once. Where there is no such
release, or no wheel is to be had, the line is held against the table of the catalog. Beside the
lines, every value of the typed fields is tried that the component takes for those releases.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pulumi

from components.catalog.vllm import VllmImage
from components.catalog.vllm.table import Version, release_name, releases
from components.serving import ModelServer
from components.serving.vllm import LORA_RANKS, Convert, Dtype, LoadFormat, Quantization, Runner
from components.serving.vllm_command import read_arguments, server_arguments
from components.serving.vllm_rules import command_faults
from reference.vllm.sources import download

from .command_lines import CommandLine, command_lines
from .step import Row, Say, Skipped, Step

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".venv" / "proof" / "vllm"
"""Has a folder per release with the Python files of its wheel."""
WORKER: Final = "from proof.vllm_parser import worker; worker()"
ADAPTER: Final = {"name": "sql", "path": "/mnt/models/qwen/sql"}
FIELDS: Final = {
    "quantization": Quantization,
    "dtype": Dtype,
    "runner": Runner,
    "convert": Convert,
    "trust_remote_code": (True, False),
    "tensor_parallel_size": (1, 2),
    "aliases": (["chat", "gpt-4"],),
    "max_model_len": (8192, "8k", "8K", "auto"),
    "load_format": LoadFormat,
    "lora": (
        *({"adapters": [ADAPTER], "max_loras": 2, "max_rank": rank} for rank in LORA_RANKS),
        {"adapters": [ADAPTER, {"name": "law", "path": "/mnt/models/qwen/law"}]},
    ),
    "tool_call_parser": ("hermes", "mistral"),
    "sleep_mode": (True,),
}
"""By field of `vllm`, the values that it may have."""


def wheel(release: str) -> Path | None:
    """The folder of a release's unpacked wheel, in WHEELS or kept from before; None without."""
    folders = [Path(os.environ["WHEELS"])] if os.environ.get("WHEELS") else []
    return next(
        (folder / release for folder in (*folders, CACHE) if (folder / release / "vllm").is_dir()),
        None,
    )


def fetched(release: str, say: Say) -> Path:
    """The folder of a release's unpacked wheel, which pip fetches where it is not there yet.

    Raises:
        LookupError: There is no wheel to be had; the message says so in a sentence.
    """
    folder = wheel(release)
    if folder is not None:
        return folder
    say(f"Fetching the wheel of vLLM {release}, some 100 to 500 MB; this is done once.")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        new = Path(scratch) / release
        with zipfile.ZipFile(download(release, Path(scratch))) as archive:
            archive.extractall(new, [n for n in archive.namelist() if n.endswith(".py")])
        shutil.move(new, CACHE / release)
    return CACHE / release


def refused(folder: Path, lines: Sequence[Sequence[str]]) -> list[str | None]:
    """By command line, what the release's own parser says where it refuses it; else None.

    Raises:
        LookupError: The parser cannot be run here.
    """
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", WORKER],
        input=json.dumps([str(folder), [list(line) for line in lines]]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise LookupError(f"its parser does not run: {done.stderr.strip().splitlines()[-1]}")
    refusals: list[str | None] = json.loads(done.stdout.splitlines()[-1])
    return refusals


def table_fault(line: CommandLine) -> str | None:
    """What the table of the catalog has against a command line; None where it has nothing."""
    image = VllmImage(line.release, cuda=12) if line.release else None
    command = read_arguments(line.words, line.release)
    faults = command_faults(command, line.words, image, answers=line.answers)
    return next(map(str, faults), None)


def field_lines(release: Version) -> Iterator[CommandLine]:
    """A command line for each value of a typed field that a release is said to take."""
    for field, values in FIELDS.items():
        for value in values:
            server = {
                "image": f"registry/vllm:{release_name(release)}",
                "mount_path": "/mnt/models/qwen",
                "resources": {"cpu": "8", "memory": "32Gi", "gpus": 1},
                "vllm": {"served_model_name": "qwen", field: value},
            }
            if field == "tensor_parallel_size":
                server["resources"] = {"cpu": "8", "memory": "32Gi", "gpus": value}
            try:
                words = server_arguments(ModelServer.of(server).command_line())
            except pulumi.RunError:
                continue
            yield CommandLine(f"vllm.{field} {value}", release, words or ())


def run(say: Say) -> Iterator[Row]:
    """Runs a parser per release; raises Skipped where none could be run."""
    say("Planning stacks, examples, pages and cases; this takes minutes.")
    by_release: dict[Version | None, list[CommandLine]] = defaultdict(list)
    for line in command_lines():
        by_release[line.release].append(line)
    parsers = 0
    for release in sorted(by_release, key=lambda version: version or ()):
        rendered = by_release[release]
        fields = list(field_lines(release)) if release in releases() else []
        name = f"vLLM {release_name(release)}" if release else "vLLM of an unknown release"
        try:
            refusals = _by_parser(release, [*rendered, *fields], say)
        except LookupError as why:
            yield _row(name, rendered, [table_fault(line) for line in rendered], f"table: {why}")
        else:
            parsers += 1
            yield _row(name, [*rendered, *fields], refusals, f"parser, {len(fields)} of the fields")
    if not parsers:
        raise Skipped("no parser of vLLM could be run: the lines were held against the table.")


def _by_parser(release: Version | None, lines: Sequence[CommandLine], say: Say) -> list[str | None]:
    if release not in releases():
        raise LookupError("the table has no such release")
    return refused(fetched(release_name(release), say), [line.words for line in lines])


def _row(name: str, lines: Sequence[CommandLine], refusals: Sequence[str | None], how: str) -> Row:
    faults = tuple(
        f"{line.where}: {' '.join(line.words)}: {sentence}"
        for line, sentence in zip(lines, refusals, strict=True)
        if sentence is not None
    )
    return Row(name, f"{len(lines)} lines by the {how}", faults)


STEP: Final = Step("vllm-command-lines", run, seconds=480)
