"""Reads a project's stack file into the configuration that the engine would hand to the program."""

import difflib
import hashlib
import json
import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final

import yaml

from .refused import Refused

PROJECT_FILE: Final = "Pulumi.yaml"
_FOLDER: Final = "stackConfigDir"
"""Key of the project's file with the folder of stack files."""

_STACK_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_KEY: Final = re.compile(r"[^:]+:(config:)?[^:]+")
_WRITTEN: Final = frozenset(
    {"config", "environment", "encryptedkey", "encryptionsalt", "secretsprovider"}
)
"""Keys at the top of a stack file that are there still after `pulumi config set`, which leaves all
others out: findings/pulumi-config-set-writes-anchors-out.sh, Pulumi 3.259.0, 2026-11-30."""


@dataclass(frozen=True)
class StackFile:
    """What the two files of a stack say."""

    project: str
    stack: str
    config: Mapping[str, str]
    """Full keys (`ack-inference:region`) to values: text as it is, anything else as JSON."""
    secret_keys: frozenset[str]
    """Keys of `config` with a secret in them; a placeholder stands in its place."""
    program: str = "."
    """Where the project says that its program is."""
    environments: tuple[str, ...] = ()
    """Environments of Pulumi ESC that it imports, which are not opened here."""
    shared: tuple[str, ...] = ()
    """Keys at its top that Pulumi does not know, such as YAML that others are made of."""


def own_settings(file: StackFile) -> dict[str, Any]:
    """What a stack says to this program, as values: keys without the project's name.

    A placeholder stands where a secret does.
    """
    prefix = f"{file.project}:"
    return {
        key.removeprefix(prefix): {"secure": "set"} if key in file.secret_keys else parsed(text)
        for key, text in file.config.items()
        if key.startswith(prefix)
    }


def read_stack(root: Path, stack: str) -> StackFile:
    """Reads `Pulumi.yaml` and `Pulumi.<stack>.yaml` of a project folder.

    Raises:
        Refused: A file is missing, is not YAML, or is not what the engine reads.
    """
    project, defaults, program = _project(root)
    path = stack_path(root, stack)
    document = _mapping(path, "a stack file")
    if misplaced := _misplaced(document, project):
        raise Refused(path.name, f"{path.name}: {misplaced}")
    section = document.get("config") or {}
    if not isinstance(section, Mapping):
        raise Refused(
            path.name,
            f"{path.name}: config is {section!r}, but it must be a section of keys and values, "
            f"such as {project}:region: cn-beijing.",
        )
    faults = [
        f"{path.name}: {key!r} under config must read <namespace>:<name>, such as "
        f"{project}:{_name_below(project, key, value)}."
        for key, value in section.items()
        if not (isinstance(key, str) and _KEY.fullmatch(key))
    ]
    if faults:
        raise Refused(path.name, *faults)
    stated = {key.replace(":config:", ":"): value for key, value in section.items()}
    values = {**defaults, **stated}
    plain = {key: _without_secrets(value) for key, value in values.items()}
    return StackFile(
        project=project,
        stack=stack,
        program=program,
        config={key: _text(value) for key, value in plain.items()},
        secret_keys=frozenset(key for key, value in values.items() if value != plain[key]),
        environments=_environments(document.get("environment")),
        shared=tuple(key for key in map(str, document) if key not in _WRITTEN),
    )


def _name_below(project: str, key: object, value: object) -> str:
    """A name for an entry that has no namespace: the first in it, where its key is the project."""
    names = [*value] if key == project and isinstance(value, Mapping) else []
    return str(next(iter(names), key)).rpartition(":")[2]


def _misplaced(document: Mapping[str, Any], project: str) -> str | None:
    """What a file without `config` has in its place, which the engine does not read."""
    keys = [] if "config" in document else [*map(str, document)]
    misplaced = next((key for key in keys if key.startswith(f"{project}:")), None)
    if misplaced is not None:
        return (
            f"{misplaced} stands at the top, but it must stand below config: Pulumi reads it there."
        )
    close = difflib.get_close_matches("config", keys, n=1, cutoff=0.7)
    return f"{close[0]} is no key of a stack file, but it must be config." if close else None


def _environments(section: object) -> tuple[str, ...]:
    """What a stack file imports: a list of names, or a section with `imports` or values."""
    imports = section.get("imports", ["environment"]) if isinstance(section, Mapping) else section
    entries = imports if isinstance(imports, list) else []
    # An entry may be a section of its name and of how it is merged.
    names = [next(iter(entry), "") if isinstance(entry, Mapping) else entry for entry in entries]
    return tuple(map(str, names))


def parsed(text: str) -> Any:
    """A value of a configuration as it was written, before it became text or JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def stack_names(root: Path) -> list[str]:
    """The stacks of a project that have a file."""
    files = _stack_folder(root).glob("Pulumi.*.yaml")
    return sorted(_stack_of(path.name) for path in files if path.is_file())


def _stack_of(file: str) -> str:
    """The stack of a file such as `Pulumi.dev.yaml`; a name stays as it is."""
    return file.removeprefix("Pulumi.").removesuffix(".yaml")


def project_beside(root: Path) -> str:
    """The text of a project's file for a folder in which the file of a stack lies beside it."""
    text = (root / PROJECT_FILE).read_text(encoding="utf-8")
    if _stack_folder(root) == root:
        return text
    document = {**_mapping(root / PROJECT_FILE, "a project file")}
    document.pop(_FOLDER, None)
    if isinstance(document.get("config"), str):
        del document["config"]
    return yaml.safe_dump(document, sort_keys=False)


def _stack_folder(root: Path) -> Path:
    """Where stack files lie: beside Pulumi.yaml, or in the folder that it names.

    The engine reads `config` as that folder where it is text: pulumi/sdk v3.259.0,
    go/common/workspace/project.go, RewriteConfigPathIntoStackConfigDir.
    """
    path = root / PROJECT_FILE
    try:
        document = _mapping(path, "a project file") if path.is_file() else {}
    except Refused:  # Whoever reads the project says so.
        return root
    folder = document.get(_FOLDER) or document.get("config")
    # The engine joins an absolute path to the project's folder too: ProjectStackPath, paths.go.
    return root / folder.lstrip("/") if isinstance(folder, str) else root


def path_of(root: Path, stack: str) -> Path:
    """Where the file of a stack is, or would be.

    Raises:
        Refused: No stack can be called so.
    """
    if not _STACK_NAME.fullmatch(stack):
        last = stack.rpartition("/")[2]
        name, about = _stack_of(last), "what stands before it is of the backend"
        if name != last:
            about = "that is the stack of this file"
        meant = f" Give {name!r}: {about}." if name != stack else ""
        raise Refused(
            f"Stack {stack!r}",
            f"{stack!r} is not the name of a stack: it may hold letters, digits, '-', '_' and '.', "
            f"and no folder.{meant}",
        )
    return _stack_folder(root) / f"Pulumi.{stack}.yaml"


def stack_path(root: Path, stack: str) -> Path:
    """The file of a stack.

    Raises:
        Refused: There is none.
    """
    path = path_of(root, stack)
    if path.is_file():
        return path
    names = stack_names(root)
    close = difflib.get_close_matches(_stack_of(stack), names, n=1)
    meant = f"Did you mean {close[0]!r}? " if close else ""
    hint = f"The stacks here are {', '.join(names)}." if names else "There is no other stack file."
    short = path.relative_to(root) if path.is_relative_to(root) else path
    if other := _other_ending(path):
        hint = f"{other} is there: rename it, since the engine reads stack files with the ending "
        hint += f"of {PROJECT_FILE} alone."
    raise Refused(f"Stack {stack!r}", f"{short} does not exist. {meant}{hint}")


def _other_ending(path: Path) -> str | None:
    """The file of that name with another ending that the engine knows, if there is one.

    pulumi/sdk v3.259.0, go/common/encoding and ProjectStackPath of go/common/workspace/paths.go.
    """
    others = (path.with_name(path.name.removesuffix(".yaml") + end) for end in (".yml", ".json"))
    return next((other.name for other in others if other.is_file()), None)


def project_path(root: Path) -> Path:
    """The file of a project.

    Raises:
        Refused: There is none.
    """
    path = root / PROJECT_FILE
    if not path.is_file() and (other := _other_ending(path)):
        raise Refused(
            f"Folder {str(root)!r}",
            f"{PROJECT_FILE} does not exist in it, and {other} is not read here: rename it, and "
            "the stack files with it, which the engine reads with the same ending.",
        )
    if not path.is_file():
        raise Refused(
            f"Folder {str(root)!r}",
            f"{PROJECT_FILE} does not exist in it; go to the folder of the Pulumi project, or name "
            "it with --project.",
        )
    return path


def _project(root: Path) -> tuple[str, Mapping[str, Any], str]:
    """Name of a project, what it configures for all of its stacks, and where its program is."""
    path = project_path(root)
    document = _mapping(path, "a project file")
    name, section = document.get("name"), document.get("config") or {}
    section = {} if isinstance(section, str) else section
    if not isinstance(name, str):
        raise Refused(path.name, f"{path.name}: name must be the name of the project, as text.")
    if not isinstance(section, Mapping):
        raise Refused(path.name, f"{path.name}: config must be a section of keys and values.")
    entries = {key if ":" in key else f"{name}:{key}": entry for key, entry in section.items()}
    configured = {
        key: value for key, entry in entries.items() if (value := _default(entry)) is not None
    }
    return name, configured, str(document.get("main") or ".")


def _default(entry: object) -> object:
    """The value in a declaration such as `{type: string, default: x}`."""
    return entry.get("value", entry.get("default")) if isinstance(entry, Mapping) else entry


def _mapping(path: Path, what: str) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Refused(path.name, f"{path.name}, line {line}: this is no text in UTF-8.") from None
    try:
        document = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise Refused(path.name, _yaml_fault(path.name, text, error)) from None
    except yaml.YAMLError as error:
        raise Refused(path.name, f"{path.name} is not YAML: {_one_line(error)}.") from None
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise Refused(
            path.name,
            f"{path.name} holds {_kind(document)}, but {what} must be sections of keys and values.",
        )
    return document


def _yaml_fault(name: str, text: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    lines = text.splitlines()
    if mark and mark.line < len(lines) and lines[mark.line][mark.column :].startswith("\t"):
        return f"{name}{place}: here is a tab, and YAML is indented by blanks."
    while_ = f" ({error.context})" if error.context else ""
    return f"{name}{place}: {error.problem or 'this is not YAML'}{while_}."


# libyaml's parser where PyYAML was built with it: ten times as fast.
_SafeLoader: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class _Loader(_SafeLoader):  # type: ignore[misc, valid-type]
    """YAML as the engine reads it: no key twice, and `on` and `12:30` are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        marks: dict[str, yaml.Mark] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in marks and key.value != "<<":
                first = marks[key.value].line + 1
                problem = f"{key.value} was given in line {first} already; keep one of the two"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            marks[key.value] = key.start_mark
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("timestamp", r"\d{4}-\d\d?-\d\d?([Tt ]\d\d?:\d\d?:\d\d?\S*)?", [*"0123456789"]),
    (
        "int",
        r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|0[0-7_]*|[1-9][0-9_]*)",
        [*"-+0123456789"],
    ),
    ("float", r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?", [*"-+.0123456789"]),
    ("merge", "<<", ["<"]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )

_TIME: Final = re.compile(
    r"(\d{4})-(\d+)-(\d+)(?:([Tt ])(\d+):(\d+):(\d+)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?"
)
_LONGEST: Final = 400
"""Digits above which no number is read: the engine's YAML takes 1e400 for text too."""
_ROUND: Final = 1e21
"""From which on Go writes a whole number with an exponent."""


def _time(_: yaml.Loader, node: yaml.ScalarNode) -> str:
    """A date or a time as the engine hands it over: not as it was written, but as Go prints it.

    Which are times says allowedTimestampFormats of gopkg.in/yaml.v3 v3.0.1.
    """
    match = _TIME.fullmatch(node.value)
    if match is None:
        return str(node.value)
    *numbers, separator, hour, minute, second, part, zone = match.groups(default="")
    is_zoned = separator in ("T", "t")
    try:
        day = date(*map(int, numbers))
        clock = time(int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return str(node.value)
    if is_zoned != bool(zone):
        return str(node.value)
    is_utc = zone in ("", "Z", "+00:00", "-00:00")
    offset = "+0000 UTC" if is_utc else f"{zone} {zone}".replace(":", "")
    return f"{day} {clock}{part.rstrip('0').rstrip('.')} {offset}"


def _whole(_: yaml.Loader, node: yaml.ScalarNode) -> int | str:
    text = node.value.replace("_", "")
    if len(text) > _LONGEST:
        return str(node.value)
    is_octal = re.fullmatch("[-+]?0[0-7]+", text)
    return int(text, 8 if is_octal else 0)


def _number(_: yaml.Loader, node: yaml.ScalarNode) -> float | str:
    """A number; one without a fraction is whole, as Go's JSON has it."""
    number = float(node.value.replace("_", ""))
    if math.isinf(number):
        return str(node.value)
    return int(number) if number.is_integer() and abs(number) < _ROUND else number


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _time)
_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def _is_secret(value: object) -> bool:
    return isinstance(value, Mapping) and list(value) == ["secure"]


def _without_secrets(value: object) -> object:
    if _is_secret(value):
        return _placeholder(value)
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    return value


def _placeholder(secret: object) -> str:
    """The same text for the same encrypted value, so that plans can be compared."""
    return f"[secret {hashlib.sha256(repr(secret).encode()).hexdigest()[:12]}]"


def _text(value: object) -> str:
    # Of nothing at all the engine makes an empty text: pulumi/pkg v3.259.0.
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _kind(document: object) -> str:
    return "a list" if isinstance(document, list) else f"only {document!r}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
