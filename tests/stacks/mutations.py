"""How valid stack files are broken at random."""

import copy
import typing
from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import Any, Final

from hypothesis import strategies as st
from pydantic import BaseModel

from components.validation_errors import field_at, keys_at
from stacks.sections.environment import Environment

from .environments import CASE_FILES, NAMES, Raw, configuration, raw_of

Path = tuple[str | int, ...]
Draw = st.DrawFn
T = typing.TypeVar("T")

_WORDS: Final = (
    "a10 t4 system cache gpu qwen finetune models checkpoints shared inference-high-priority "
    "training-low-priority qwen-dataset finetune-checkpoint NVIDIA-A10 default kube-system "
    "knative-serving A10 T4 L20 V100 H100 x 1 0 -1 15Gi 0Gi 1Ki 1.5Gi 1e3 1e999 500m 100G 1E ecs "
    "eci rps gptq_marlin fp8 half bfloat16 SSD HDD AfterAllUnits / /dev /mnt /a:b 1.34 "
    "1.27.1-aliyun.1 1.34.1-aliyun.1 1.20 1.23 10.0.0.0/16 10.0.0.1/16 192.168.0.0/20 "
    "172.20.0.0/16 cn-hangzhou cn-hangzhou-b cn-beijing-h true a.b/c ecs.g7.xlarge "
    "ecs.gn7i-c32g1.32xlarge ecs.gn6i-c16g1.4xlarge http://x a_b -a a- A knative "
    "ack-pod-identity-webhook metrics-server ack-virtual-node CHECKPOINT_DIR PORT K_SERVICE "
    "Performance ContainerOS flannel terway terway-edge edge idc elastic qwen-chat cpu memory "
    "concurrency gpu_utilization vllm_num_requests_waiting DCGM_CUSTOM_PROCESS_SM_UTIL install "
    "absent present np1a2b3c upstream ack registry/vllm:0.9.0 "
    "docker.io/vllm/vllm-openai:v0.28.0 ack.node.gpu.schedule nvidia.com/gpu"
)
TEXTS: Final = _WORDS.split()
ODD_TEXTS: Final = ["", " ", "ü", "名前", "a\nb", "\ud800", "a" * 63, "a" * 64, "x" * 5000]
NUMBERS: Final = [
    *(0, 1, 2, 3, 7, 8, 10, 60, 100, 600, 601, 1000, 1001, 3600, 8012, 8080, 65535, 65536, 86400),
    *(2**31 - 1, 2**31, 10**18, 10**30, 10**40, -1, -(2**63), 0.5, 0.95, 1.0, 1.5, 1e9, 1e-9),
    *(1e308, -1e308, 5e-324, float("inf")),
]
JUNK: Final[list[Any]] = [None, [], {}, "x", 3, True, 1.5, {"a": {"b": [1, None]}}, [[{}]]]

SMALL: Final = [stack for stack in NAMES if len(raw_of(stack)["models"]) == 1]
"""Stacks that are tried more often, since they are validated faster."""
BASES: Final = [partial(raw_of, stack) for stack in [*NAMES, *SMALL * 4]] + [
    partial(copy.deepcopy, configuration(path)) for path in sorted(CASE_FILES.glob("c00_*.yaml"))
]
"""What makes a file that is then broken: a stack's, or one from public reports."""

names = st.one_of(
    st.from_regex(r"[a-z]([-a-z0-9]{0,198}[a-z0-9])?", fullmatch=True),
    st.builds(
        lambda letter, count: letter * count, st.sampled_from("aZ9-_.é"), st.integers(1, 200)
    ),
)
"""Names of 1 to 200 letters, of which many are no label."""
stack_names = st.one_of(
    st.sampled_from(["dev", "prod", "Dev", "pr-17", "v1.2", "a_b", "x" * 100, "-", "9"]),
    st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True),
)
"""Names that Pulumi takes for a stack."""
texts = st.one_of(st.sampled_from(TEXTS), st.sampled_from(ODD_TEXTS), st.text(max_size=8), names)
numbers = st.one_of(st.sampled_from(NUMBERS), st.integers(-5, 5000))


@st.composite
def broken_files(draw: Draw, most: int = 4) -> tuple[str, Raw]:
    """A stack's name, and a file after one to `most` changes."""
    stack = draw(stack_names)
    raw = draw(st.sampled_from(BASES))()
    for _ in range(draw(st.integers(1, most))):
        places = _places(raw)
        if places:
            draw(st.sampled_from(CHANGES))(draw, raw, _pick(draw, places), places)
    return stack, raw


def _drop(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    del _holder(raw, place)[place[-1]]


def _duplicate(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    holder = _holder(raw, place)
    if isinstance(holder, list):
        holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(holder[place[-1]]))  # type: ignore[index]


def _retype(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    _holder(raw, place)[place[-1]] = copy.deepcopy(draw(st.sampled_from(JUNK)))


def _swap(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    """Crosses references, or whole sections, of one type."""
    source = _holder(raw, place)
    alike = [path for path in places if type(_value(raw, path)) is type(_value(raw, place))]
    partner = _pick(draw, alike)
    target = _holder(raw, partner)
    mine, counterpart = copy.deepcopy(source[place[-1]]), copy.deepcopy(target[partner[-1]])
    source[place[-1]] = counterpart
    if place[: len(partner)] != partner and partner[: len(place)] != place:
        target[partner[-1]] = mine


def _perturb(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    holder, value = _holder(raw, place), _value(raw, place)
    if isinstance(value, bool):
        holder[place[-1]] = not value
    elif isinstance(value, int | float):
        holder[place[-1]] = draw(numbers)
    elif isinstance(value, str):
        holder[place[-1]] = draw(texts)


def _add(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    """Sets a key that the file leaves out, to something of its type."""
    path = _pick(draw, [(), place])
    holder = _value(raw, path)
    unset = [key for key in keys_at(Environment, path) if isinstance(holder, dict)]
    if unset := [key for key in unset if key not in holder]:
        key = _pick(draw, unset)
        holder[key] = _of_type(draw, (*path, key))


def _rename(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    """Calls an entry otherwise, and what refers to it too."""
    named = [path for path in places if path[-1] == "name" and isinstance(_value(raw, path), str)]
    if named:
        old, new = _value(raw, _pick(draw, named)), draw(names)
        for path in places:
            if _value(raw, path) == old:
                _holder(raw, path)[path[-1]] = new


def _dangle(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    """Leaves out, or empties, a whole section that others may refer to."""
    key = _pick(draw, sorted(raw))
    if draw(st.booleans()):
        del raw[key]
    else:
        raw[key] = type(raw[key])()


def _invent(draw: Draw, raw: Raw, place: Path, places: list[Path]) -> None:
    value = _value(raw, place)
    if isinstance(value, dict):
        value[draw(texts)] = draw(texts)
    elif isinstance(value, list):
        value.append(draw(texts))


CHANGES: Final = [
    *(_drop, _duplicate, _retype, _swap, _perturb, _perturb, _add, _add, _invent),
    *(_rename, _rename, _dangle),
]


def _pick(draw: Draw, options: Sequence[T]) -> T:
    """One of many; unlike `sampled_from`, it does not look at them all first."""
    return options[draw(st.integers(0, len(options) - 1))]


def _places(value: object) -> list[Path]:
    """Paths of everything in a file, what holds another before it."""
    paths: list[Path] = []
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, node = waiting.pop()
        if path:
            paths.append(path)
        if isinstance(node, dict | list):
            entries = node.items() if isinstance(node, dict) else enumerate(node)
            waiting += [((*path, key), inner) for key, inner in entries]
    return paths


def _value(raw: Any, path: Path) -> Any:
    for step in path:
        raw = raw[step]
    return raw


def _holder(raw: Raw, path: Path) -> Any:
    return _value(raw, path[:-1])


def _of_type(draw: Draw, path: Path) -> Any:
    info = field_at(Environment, path)
    if info is None:
        return draw(texts)
    if info.examples and draw(st.integers(0, 3)):
        return info.examples[0]
    return _of(draw, info.annotation)


def _of(draw: Draw, annotation: Any) -> Any:
    arguments = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
    if typing.get_origin(annotation) is list:
        return [_of(draw, arguments[0]) for _ in range(draw(st.integers(0, 2)))]
    if typing.get_origin(annotation) is dict:
        return {draw(texts): _of(draw, arguments[-1]) for _ in range(draw(st.integers(0, 2)))}
    if arguments:
        return _of(draw, arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return draw(st.sampled_from([*annotation])).value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {
            name: info.examples[0] if info.examples else _of(draw, info.annotation)
            for name, info in annotation.model_fields.items()
            if info.is_required() or not draw(st.integers(0, 3))
        }
    return draw({bool: st.booleans(), int: numbers, float: numbers}.get(annotation, texts))
