"""vLLM's own argument parser, without a GPU: what the wheel needs and is not here is stood in for.

`python -m proof.vllm_parser RELEASE [FOLDER]` has the parser of that release read every vLLM
command line of the stacks and examples, and ends with 1 if one is refused. FOLDER holds unpacked
wheels, in folders called by their release; without it pip fetches the wheel. It is run in a process
of its own: the stand-ins take the place of torch and of what is built on it.
"""

import contextlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import io
import json
import re
import subprocess
import sys
import tempfile
import types
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

_OPERATORS: Final = [
    "add",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "truediv",
    "rtruediv",
    "floordiv",
    "rfloordiv",
    "mod",
    "rmod",
    "pow",
    "and",
    "rand",
    "xor",
    "neg",
    "invert",
]
# Modules of vLLM that register kernels or look for a device as soon as they are imported.
_LEFT_OUT: Final = (
    "vllm.compilation",
    "vllm.distributed",
    "vllm.ir",
    "vllm.kernels",
    "vllm.reasoning",
    "vllm.renderers",
    "vllm.tool_parsers",
)
_BUILT: Final = ("vllm._C", "vllm._moe_C", "vllm._version", "vllm.vllm_flash_attn")
_MODULES: Final = (
    "vllm.entrypoints.common.cli_args",
    "vllm.entrypoints.launchers.cli_args",
    "vllm.entrypoints.openai.cli_args",
)


class _Anything(type):
    """A class whose attributes are classes of the same kind, and which bears what is done to it."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and isinstance(args[0], type | types.FunctionType):
            return args[0]  # used as a decorator
        return type.__call__(cls)

    def __or__(cls, other: Any) -> Any:
        return Any

    __ror__ = __or__

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __len__(cls) -> int:
        return 0

    def __contains__(cls, item: Any) -> bool:
        return False

    def __lt__(cls, other: Any) -> bool:
        return False

    __le__ = __lt__

    def __gt__(cls, other: Any) -> bool:
        return True

    __ge__ = __gt__


class _Base(metaclass=_Anything):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __init_subclass__(cls, **kwargs: Any) -> None:
        pass

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.any_schema()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _stand_in(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return args[0] if len(args) == 1 and not kwargs and callable(args[0]) else self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __lt__(self, other: Any) -> bool:
        return False

    __le__ = __lt__

    def __gt__(self, other: Any) -> bool:
        return True

    __ge__ = __gt__


for _owner in (_Anything, _Base):
    setattr(_owner, "__radd__", lambda self, other: other)  # noqa: B010
    for _operator in _OPERATORS:
        setattr(_owner, f"__{_operator}__", lambda self, *_: self)


class _Platform(_Base):
    """A CUDA device, as far as the parser asks."""

    device_type = device_name = "cuda"
    supported_quantization: Final[list[str]] = []

    def is_cuda(self) -> bool:
        return True

    def _no(self) -> bool:
        return False

    is_cpu = is_rocm = is_tpu = is_xpu = is_neuron = is_hpu = is_unspecified = _no

    def pre_register_and_update(self, parser: Any) -> None:
        pass


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return "99.0.0"
        if name.startswith("__"):
            raise AttributeError(name)
        value = _stand_in(name)
        setattr(self, name, value)
        return value


class _Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for what no other finder has."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or (top == "vllm" and not name.startswith(_BUILT)):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> types.ModuleType:
        module = _Module(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _LeftOut(_Absent):
    """Finds a stand-in for parts of vLLM before they are found themselves."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if any(name == part or name.startswith(f"{part}.") for part in _LEFT_OUT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None


def _stand_in(name: str) -> Any:
    return _Anything(name, (_Base,), {"__module__": "stand_in"})


def real_parser(folder: Path) -> Any:
    """The parser of the wheel that is unpacked in a folder. Changes how this process imports."""
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _LeftOut())
    sys.meta_path.append(_Absent())
    sys.modules["regex"] = re
    installed = importlib.metadata.version

    def version(name: str) -> str:
        try:
            return installed(name)
        except importlib.metadata.PackageNotFoundError:
            return "99.0.0"

    importlib.metadata.version = version
    platforms = _Module("vllm.platforms")
    platforms.__path__ = [str(folder / "vllm/platforms")]
    platforms.__dict__["current_platform"] = _Platform()
    sys.modules["vllm.platforms"] = platforms
    utilities = importlib.import_module("vllm.utils.argparse_utils")
    for name in _MODULES:
        if (folder / f"{name.replace('.', '/')}.py").exists():
            module = importlib.import_module(name)
            return module.make_arg_parser(utilities.FlexibleArgumentParser())
    raise LookupError("the wheel has no parser where releases from 0.12.0 on have it")


def refusals(folder: Path, lines: Sequence[Sequence[str]]) -> list[str]:
    """What the parser says of the command lines that it refuses."""
    parser = real_parser(folder)
    found = []
    for line in lines:
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                parser.parse_args(list(line))
        except SystemExit:
            found.append(f"{' '.join(line)}: {said.getvalue().strip().splitlines()[-1]}")
    return found


def lines_of_the_stacks(root: Path) -> list[tuple[str, tuple[int, int, int], list[str]]]:
    """Of every model of every stack file: where, which release, and the server's arguments."""
    import yaml

    from components.catalog.vllm import vllm_image
    from components.serving.vllm_command import server_arguments
    from stacks.judge import judge

    found = []
    for path in sorted(root.glob("Pulumi.*.yaml")):
        config = yaml.safe_load(path.read_text())["config"]
        environment = judge({k.partition(":")[2]: v for k, v in config.items()}).environment
        for model in environment.models if environment else []:
            image = vllm_image(model.server.image)
            arguments = server_arguments(model.server.command_line())
            if image and arguments:
                found.append((f"{path.name} {model.name}", image.version, list(arguments)))
    return found


def unpacked(release: str, into: Path) -> Path:
    """Has pip fetch the wheel of a release, and unpacks its Python files."""
    tags = ["--only-binary", ":all:", "--no-deps", "--no-cache-dir", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *tags, "--dest", str(into)]
    subprocess.run([*command, f"vllm=={release}"], check=True)  # noqa: S603
    wheel = next(into.glob("vllm-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into, [n for n in archive.namelist() if n.endswith(".py")])
    wheel.unlink()
    return into


def main(release: str, cached: str | None = None) -> int:
    """Holds the stacks' command lines of one release against its parser."""
    version = tuple(map(int, release.split(".")))
    root = Path(__file__).parents[1]
    lines = [(where, words) for where, at, words in lines_of_the_stacks(root) if at == version]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(cached) / release if cached else unpacked(release, Path(scratch))
        program = "from proof.vllm_parser import worker; worker()"
        given = json.dumps([str(folder), [words for _, words in lines]])
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-W", "ignore", "-c", program],
            input=given,
            capture_output=True,
            text=True,
            cwd=root,
            check=False,
        )
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        return 2
    refused = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(f"vLLM {release}: {len(lines)} command lines, {len(refused)} refused\n")
    sys.stdout.writelines(f"{each}\n" for each in refused)
    return 1 if refused else 0


def worker() -> None:
    """Reads a folder and command lines from standard input, and writes what is refused."""
    folder, lines = json.load(sys.stdin)
    sys.stdout.write(f"\n{json.dumps(refusals(Path(folder), lines))}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
