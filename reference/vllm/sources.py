"""The Python files of one release, as text and trees: nothing of them is run."""

import ast
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from .. import releases

PLATFORMS: Final = ((), ("--python-version", "3.10", "--platform", "manylinux1_x86_64"))
"""Options of pip by which a wheel is had: those of old releases are for Python 3.10 at the most."""
READ: Final = re.compile(
    r"vllm/(config(/.*)?|engine/(arg_utils|metrics)|scripts|utils/argparse_utils"
    r"|entrypoints/(openai|common|launchers)/cli_args|entrypoints/cli/serve"
    r"|(entrypoints|renderers)/chat_utils(/types)?|(v1/)?attention/backends/registry"
    r"|v1/(metrics/(loggers|perf)|spec_decode/metrics)|model_executor/layers/quantization/.*"
    r"|envs|reasoning/.*|tool_parsers/.*|entrypoints/openai/(tool|reasoning)_parsers/.*"
    r"|distributed/\w+/\w+_connector/factory|model_executor/models/(registry|__init__))\.py"
)
"""Files of a wheel that tell what the table has."""


class Sources:
    """What a release consists of."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self._trees: dict[str, ast.Module] = {}

    def tree(self, path: str) -> ast.Module:
        """A file as a tree."""
        if path not in self._trees:
            self._trees[path] = ast.parse(self.texts[path])
        return self._trees[path]

    def under(self, *prefixes: str) -> Iterator[ast.Module]:
        """Trees of the files whose path starts with one of the prefixes."""
        return (self.tree(path) for path in self.texts if path.startswith(prefixes))

    def classes(self, *prefixes: str) -> dict[str, ast.ClassDef]:
        """By name, the classes that those files have at their top."""
        return {
            node.name: node
            for tree in self.under(*prefixes)
            for node in tree.body
            if isinstance(node, ast.ClassDef)
        }


def load(release: str, cache_folder: Path | None) -> Sources:
    """The sources of a release: from the folder of that name, or else from its wheel."""
    folder = cache_folder / release if cache_folder else None
    if folder and folder.is_dir():
        files = (path for path in folder.rglob("*.py"))
        named = ((path.relative_to(folder).as_posix(), path) for path in files)
        return Sources({name: path.read_text() for name, path in named if READ.fullmatch(name)})
    with tempfile.TemporaryDirectory() as scratch:
        try:
            return _from_wheel(download(release, Path(scratch)))
        except LookupError as missing:
            sys.exit(str(missing))


def download(release: str, folder: Path) -> Path:
    """Has pip fetch the wheel of x86 Linux; it is some 100 to 500 MB.

    Raises:
        LookupError: There is none, or no index is reached.
    """
    return releases.download("vllm", release, folder, PLATFORMS)


def _from_wheel(wheel: Path) -> Sources:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if READ.fullmatch(name)]
        return Sources({name: archive.read(name).decode() for name in names})
