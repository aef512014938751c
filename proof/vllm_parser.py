"""vLLM's own argument parser, without a GPU: what the wheel needs and is not here is stood in for.

It is run in a process of its own (`worker`): the stand-ins take the place of torch and of what is
built on it. Releases from 0.4.1 to 0.33.0 were run.
"""

import argparse
import contextlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import inspect
import io
import json
import re
import sys
import types
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
    "vllm.attention.layer",
    "vllm.compilation",
    "vllm.distributed",
    "vllm.ir",
    "vllm.kernels",
    "vllm.model_executor.layers.fused_moe",
    "vllm.reasoning",
    "vllm.renderers",
    "vllm.sampling_params",
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
        return type.__call__(cls, *args, **kwargs)

    def __or__(cls, _: Any) -> Any:
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

    def __lt__(cls, _: Any) -> bool:
        return False

    __le__ = __lt__

    def __gt__(cls, _: Any) -> bool:
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

    def __lt__(self, _: Any) -> bool:
        return False

    __le__ = __lt__

    def __gt__(self, _: Any) -> bool:
        return True

    __ge__ = __gt__


for _owner in (_Anything, _Base):
    setattr(_owner, "__radd__", lambda self, operand: operand)  # noqa: B010
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
        if spec.name == "torch":
            long = types.SimpleNamespace(min=-(2**63), max=2**63 - 1)
            module.__dict__["iinfo"] = lambda _: long
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


def real_parser(folder: Path) -> argparse.ArgumentParser:
    """The parser of the wheel that is unpacked in a folder. Changes how this process imports."""
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, _LeftOut())
    sys.meta_path.append(_Absent())
    sys.modules["regex"] = re
    installed = importlib.metadata.version

    def version(distribution_name: str) -> str:
        try:
            return installed(distribution_name)
        except importlib.metadata.PackageNotFoundError:
            return "99.0.0"

    importlib.metadata.version = version
    if (folder / "vllm/platforms").is_dir():
        platforms = _Module("vllm.platforms")
        platforms.__path__ = [str(folder / "vllm/platforms")]
        platforms.__dict__["current_platform"] = _Platform()
        sys.modules["vllm.platforms"] = platforms
    name = next(name for name in _MODULES if (folder / f"{name.replace('.', '/')}.py").exists())
    make: Any = importlib.import_module(name).make_arg_parser
    # The oldest make one of argparse's by themselves.
    parser: argparse.ArgumentParser = (
        make(_parser_class()()) if inspect.signature(make).parameters else make()
    )
    return parser


def _parser_class() -> type[argparse.ArgumentParser]:
    """The kind of parser that vLLM has, wherever the release has it."""
    for name in ("vllm.utils.argparse_utils", "vllm.utils"):
        with contextlib.suppress(ModuleNotFoundError):
            parser = getattr(importlib.import_module(name), "FlexibleArgumentParser", None)
            if isinstance(parser, type) and issubclass(parser, argparse.ArgumentParser):
                return parser
    return argparse.ArgumentParser


def refusals(folder: Path, lines: Sequence[Sequence[str]]) -> list[str | None]:
    """By command line, what the parser says where it refuses it; else None."""
    parser = real_parser(folder)
    return [_refusal(parser, line) for line in lines]


def _refusal(parser: argparse.ArgumentParser, line: Sequence[str]) -> str | None:
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            parser.parse_args(list(line))
    except SystemExit:
        return errors.getvalue().strip().splitlines()[-1]
    return None


def worker() -> None:
    """Reads a folder and command lines from standard input, and writes what is refused."""
    folder, lines = json.load(sys.stdin)
    sys.stdout.write(f"\n{json.dumps(refusals(Path(folder), lines))}\n")
