"""Flags of the OpenAI server, read from where its parser is put together."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from .sources import Sources

SWITCH: Final = "switch"
VALUE: Final = "value"
OPTIONAL: Final = "optional"
"""With a value or without."""
VALUES: Final = "values"
"""With one value or more."""

_CONFIG: Final = (
    *("vllm/config", "vllm/engine/arg_utils", "vllm/entrypoints/", "vllm/renderers/"),
    *("vllm/attention/", "vllm/v1/attention/"),
)
_MAPPINGS: Final = {"speculative_config": "SpeculativeConfig"}
"""By field of EngineArgs that is a plain mapping, the class that vLLM makes of it later."""
_OWN: Final = {
    "target_model_config",
    "target_parallel_config",
    "draft_model_config",
    "draft_parallel_config",
    "enable_chunked_prefill",
    "disable_log_stats",
}
"""Fields of SpeculativeConfig that vLLM sets itself."""
_SERVE_ADDS: Final = "serve_parser.add_argument"
"""How the command `vllm serve` adds a flag of its own, from 0.5.2 on."""
_NO_VALUE: Final = {"store_true", "store_false", "store_const", "count", "help", "version"}


@dataclass
class Keywords:
    """What `add_argument` is told of a flag, as far as it says how many words follow."""

    action: str | None = None
    nargs: str | None = None
    more: list[str] = field(default_factory=list)
    """Other spellings."""
    choices: list[str] | None = None
    """The values that it takes; None where others may do, or nobody can tell."""

    @property
    def kind(self) -> str:
        """How many words follow."""
        if self.action in _NO_VALUE or self.action in _PAIRS or self.nargs == "0":
            return SWITCH
        return {"?": OPTIONAL, "*": VALUES, "+": VALUES}.get(self.nargs or "", VALUE)


_PAIRS: Final = {"BooleanOptionalAction", "EnableDisableAction"}


def read_flags(sources: Sources) -> dict[str, str]:
    """By spelling, the kind of a flag, or the flag that it is short for."""
    reader = _Reader(sources)
    return _flags(reader, reader.arguments()) | read_serve_flags(sources)


def read_choices(sources: Sources) -> dict[str, list[str]]:
    """By flag, the only values that its parser takes, where the sources say them plainly."""
    choices: dict[str, list[str]] = {}
    for spellings, keywords in _Reader(sources).arguments():
        if keywords.choices and keywords.kind != SWITCH:
            longs = [word for word in spellings if word.startswith("--")]
            choices[longs[0] if longs else spellings[0]] = sorted(keywords.choices)
    return choices


def read_keys(sources: Sources) -> dict[str, list[str]]:
    """By flag and key, e.g. `--kv-transfer-config.kv_role`, the only texts that it takes.

    They are the fields of the class that vLLM makes of the flag's JSON, and of the classes that it
    makes of mappings in there. None where others may do.
    """
    reader = _Reader(sources)
    flags = _flags(reader, reader.arguments())
    return {
        f"{flag}.{key}": sorted(set(values))
        for field, owner in reader.mappings().items()
        if (flag := f"--{field.replace('_', '-')}") in flags
        for key, values in reader.keys(owner)
    }


def read_serve_flags(sources: Sources) -> dict[str, str]:
    """Of these, the ones of `vllm serve` alone, which the module of the server does not know."""
    reader = _Reader(sources)
    known = _flags(reader, reader.arguments())
    added = _flags(reader, reader.serve_arguments())
    return {flag: kind for flag, kind in added.items() if flag not in known}


def _flags(reader: "_Reader", arguments: Iterable[tuple[list[str], Keywords]]) -> dict[str, str]:
    flags: dict[str, str] = {}
    for spellings, keywords in arguments:
        longs = [word for word in spellings if word.startswith("--")]
        main = longs[0] if longs else spellings[0]
        flags[main] = keywords.kind
        flags |= {word: main for word in spellings if word != main}
        if keywords.action in _PAIRS:
            flags |= {f"--no-{word[2:]}": SWITCH for word in longs}
            if reader.inverts:
                flags |= {word: SWITCH for long in longs for word in _inverse(long)}
    return flags


def _inverse(flag: str) -> Iterator[str]:
    for prefix, opposite in (("--enable-", "--disable-"), ("--disable-", "--enable-")):
        if flag.startswith(prefix):
            yield opposite + flag.removeprefix(prefix)


class _Reader:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.classes = sources.classes(*_CONFIG)
        self.aliases = {
            target.id: node.value
            for tree in sources.under(*_CONFIG)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        } | {
            node.target.id: node.value
            for tree in sources.under(*_CONFIG)
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
        }
        names = [name for tree in sources.under(*_CONFIG) for name in _assigned(tree)]
        self.ambiguous = {name for name in names if names.count(name) > 1}
        self.inverts = any("EnableDisableAction" in text for text in sources.texts.values())

    def arguments(self) -> Iterator[tuple[list[str], Keywords]]:
        for function, owner in self._functions():
            scope = self._scope(function, owner)
            for node in ast.walk(function):
                if isinstance(node, ast.For):
                    yield from self._looped(node, scope)
                elif isinstance(node, ast.Call) and _called(node) == "add_argument":
                    yield from self._argument(node, scope, owner)

    def serve_arguments(self) -> Iterator[tuple[list[str], Keywords]]:
        """What `vllm serve` adds to the server's parser by itself."""
        for tree in self.sources.under("vllm/entrypoints/cli/serve", "vllm/scripts"):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == _SERVE_ADDS:
                    yield from self._argument(node, {}, None)

    def _functions(self) -> Iterator[tuple[ast.FunctionDef, ast.ClassDef | None]]:
        """Whatever adds arguments to the server's parser."""
        for name in ("EngineArgs", "AsyncEngineArgs", "BaseFrontendArgs", "FrontendArgs"):
            owner = self.classes.get(name)
            for node in owner.body if owner else []:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("add_cli_args"):
                    # An inherited loop over the fields is run for the class that is asked.
                    runs_for = self.classes["FrontendArgs"] if "Frontend" in name else owner
                    yield node, runs_for
        for tree in self.sources.under(
            "vllm/entrypoints/openai/cli_args",
            "vllm/entrypoints/common/cli_args",
            "vllm/entrypoints/launchers/cli_args",
        ):
            for statement in ast.walk(tree):
                if isinstance(statement, ast.FunctionDef) and statement.name == "make_arg_parser":
                    yield statement, None

    def _scope(
        self, function: ast.FunctionDef, owner: ast.ClassDef | None
    ) -> dict[str, dict[str, Keywords] | Keywords]:
        """By variable, the keywords that `get_kwargs` makes of a class, or of one field."""
        scope: dict[str, dict[str, Keywords] | Keywords] = {}
        statements: list[ast.stmt] = [n for n in ast.walk(function) if isinstance(n, ast.stmt)]
        for node in sorted(statements, key=lambda n: n.lineno):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = self._evaluated(node.value, scope, owner)
                if value is not None:
                    scope[node.targets[0].id] = value
        for customizer in [function, *self._customizers(owner)]:
            for inner in ast.walk(customizer):
                _apply(inner, scope)
        return scope

    def _customizers(self, owner: ast.ClassDef | None) -> Iterator[ast.FunctionDef]:
        if owner is None or "Frontend" not in owner.name:
            return
        for name in ("BaseFrontendArgs", "FrontendArgs"):
            for node in self.classes[name].body if name in self.classes else []:
                if isinstance(node, ast.FunctionDef) and node.name == "_customize_cli_kwargs":
                    yield node

    def _evaluated(
        self, node: ast.expr, scope: Mapping[str, object], owner: ast.ClassDef | None
    ) -> dict[str, Keywords] | Keywords | None:
        if isinstance(node, ast.Call) and _called(node) in ("get_kwargs", "_compute_kwargs"):
            name = getattr(node.args[0], "id", "")
            class_ = owner if name == "cls" else self.classes.get(name)
            return self._fields(class_) if class_ else None
        if isinstance(node, ast.Subscript):
            value = self._evaluated(node.value, scope, owner)
            key = node.slice.value if isinstance(node.slice, ast.Constant) else None
            return value.get(str(key)) if isinstance(value, dict) else None
        if isinstance(node, ast.Name):
            entry = scope.get(node.id)
            return entry if isinstance(entry, dict | Keywords) else None
        return None

    def mappings(self) -> dict[str, ast.ClassDef]:
        """By field of the engine's arguments, the class that a mapping for it becomes."""
        names = dict(_MAPPINGS)
        for node in self.classes["EngineArgs"].body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                hints = set(self._hints(node.annotation)) - {"None"}
                if len(hints) == 1:
                    names.setdefault(node.target.id, hints.pop())
        return {
            field: self.classes[name]
            for field, name in names.items()
            if field.endswith("_config") and name in self.classes
        }

    def keys(self, owner: ast.ClassDef) -> Iterator[tuple[str, list[str]]]:
        """Fields that a class is made with, and the only texts that each takes; none is any.

        Of a field that is a mapping with keys of vLLM's own, these follow: `pass_config.enable_sp`.
        """
        for base in owner.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                yield from self.keys(self.classes[base.id])
        for node in owner.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            name, annotation = node.target.id, ast.unparse(node.annotation)
            default = ast.unparse(node.value) if node.value else ""
            is_own = name in _OWN or name.startswith("_") or "init=False" in default
            if not is_own and "ClassVar" not in annotation and "PrivateAttr" not in default:
                hints = set(self._hints(node.annotation)) - {"None"}
                inner = self.classes.get(next(iter(hints))) if len(hints) == 1 else None
                if inner is None or _is_enum(inner):
                    names = self._names(owner, inner) if inner else []
                    yield name, self._texts(node.annotation) if hints == {"Literal"} else names
                    continue
                yield name, []
                yield from ((f"{name}.{key}", texts) for key, texts in self.keys(inner))

    @staticmethod
    def _names(owner: ast.ClassDef, enum: ast.ClassDef) -> list[str]:
        """The texts that a field takes for an Enum: values that are texts, or else its names.

        By name vLLM finds one where it says so itself, as in `CUDAGraphMode[value.upper()]`, and
        beside the names it takes what it compares `value.lower()` with.
        """
        members = [node for node in enum.body if isinstance(node, ast.Assign)]
        values = [_word(node.value) for node in members if isinstance(node.value, ast.Constant)]
        if any(base.endswith("str") or base == "StrEnum" for base in map(ast.unparse, enum.bases)):
            return [value for value in values if value is not None]
        if f"{enum.name}[" not in (text := ast.unparse(owner)):
            return []
        others = re.findall(r"value\.lower\(\) == '(\w+)'", text)
        return [ast.unparse(node.targets[0]) for node in members] + others

    def _texts(self, node: ast.expr) -> list[str]:
        """The texts of Literals, also of those that stand in one another; none is any."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else []
        if isinstance(node, ast.Name):
            is_alias = node.id in self.aliases and node.id not in self.ambiguous
            return self._texts(self.aliases[node.id]) if is_alias else []
        parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return [text for part in parts for text in self._texts(part)]

    def _fields(self, owner: ast.ClassDef) -> dict[str, Keywords]:
        fields: dict[str, Keywords] = {}
        for base in owner.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                fields |= self._fields(self.classes[base.id])
        for node in owner.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                if "ClassVar" in ast.unparse(node.annotation):
                    continue
                fields[node.target.id] = self._keywords(node.annotation)
        return fields

    def _keywords(self, annotation: ast.expr) -> Keywords:
        hints = set(self._hints(annotation))
        if hints == {"bool", "str", "None"}:
            return Keywords(nargs="?")
        if "Literal" in hints and hints <= {"Literal", "None"}:
            return Keywords(choices=self._literals(annotation))
        if "bool" in hints:
            return Keywords(action="BooleanOptionalAction")
        if "Literal" not in hints and hints & {"list", "tuple", "set", "List", "Tuple", "Set"}:
            return Keywords(nargs="+")
        return Keywords()

    def _hints(self, node: ast.expr) -> Iterator[str]:
        """Names of the arms of an annotation."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from self._hints(ast.parse(node.value, mode="eval").body)
        elif isinstance(node, ast.Constant):
            yield "None"
        elif isinstance(node, ast.BinOp):
            yield from self._hints(node.left)
            yield from self._hints(node.right)
        elif isinstance(node, ast.Subscript):
            outer = ast.unparse(node.value).rpartition(".")[2]
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            if outer in ("Optional", "Union"):
                yield from ("None" for _ in [0] if outer == "Optional")
                for arm in inner:
                    yield from self._hints(arm)
            elif outer in ("Annotated", "SkipValidation", "InitVar"):
                yield from self._hints(inner[0])
            else:
                yield outer
        else:
            name = ast.unparse(node).rpartition(".")[2]
            alias = self.aliases.get(name)
            if isinstance(alias, ast.Subscript | ast.BinOp):
                yield from self._hints(alias)
            else:
                yield name

    def _literals(self, node: ast.expr) -> list[str] | None:
        """The values of an annotation's only Literal; None where it is not the only one."""
        names = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        aliases = [name for name in names if name in self.aliases]
        if aliases:
            alias = self.aliases[aliases[0]]
            is_plain = len(aliases) == 1 and "Literal" not in names
            return self._literals(alias) if is_plain and aliases[0] not in self.ambiguous else None
        literals = [
            inner
            for inner in ast.walk(node)
            if isinstance(inner, ast.Subscript) and ast.unparse(inner.value) == "Literal"
        ]
        if len(literals) != 1:
            return None
        part = literals[0].slice
        values = part.elts if isinstance(part, ast.Tuple) else [part]
        plain = [str(value.value) for value in values if isinstance(value, ast.Constant)]
        return plain if len(plain) == len(values) else None

    @staticmethod
    def _looped(
        node: ast.For, scope: Mapping[str, dict[str, Keywords] | Keywords]
    ) -> Iterator[tuple[list[str], Keywords]]:
        """`for key, value in frontend_kwargs.items()`: an argument for each field of a class."""
        calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
        over = node.iter
        if not isinstance(over, ast.Call) or _called(over) != "items":
            return
        table = scope.get(ast.unparse(over.func).partition(".")[0])
        if isinstance(table, dict) and any(_called(call) == "add_argument" for call in calls):
            for name, keywords in table.items():
                yield [f"--{name.replace('_', '-')}", *keywords.more], keywords

    def _argument(
        self,
        node: ast.Call,
        scope: Mapping[str, dict[str, Keywords] | Keywords],
        owner: ast.ClassDef | None,
    ) -> Iterator[tuple[list[str], Keywords]]:
        words = [word.value for word in node.args if isinstance(word, ast.Constant)]
        spellings = [word for word in words if isinstance(word, str) and word.startswith("-")]
        if spellings:
            yield spellings, self._explicit(node, scope, owner)

    def _explicit(
        self,
        node: ast.Call,
        scope: Mapping[str, dict[str, Keywords] | Keywords],
        owner: ast.ClassDef | None,
    ) -> Keywords:
        keywords = Keywords()
        for word in node.keywords:
            if word.arg is None:
                for inner in _spread(word.value):
                    inherited = self._evaluated(inner, scope, owner)
                    if isinstance(inherited, Keywords):
                        keywords = Keywords(
                            inherited.action, inherited.nargs, choices=inherited.choices
                        )
            elif word.arg == "action":
                keywords.action = _word(word.value)
            elif word.arg == "nargs":
                keywords.nargs = _word(word.value)
            elif word.arg == "choices":
                keywords.choices = self._offered(word.value)
        if keywords.action in self.classes:
            keywords.nargs = keywords.nargs or self._own_nargs(self.classes[keywords.action])
        return keywords

    def _offered(self, node: ast.expr) -> list[str] | None:
        """The texts of a list, or of the alias that `get_args` is asked for."""
        if isinstance(node, ast.Call) and _called(node) == "get_args" and len(node.args) == 1:
            return self._literals(node.args[0])
        return _listed(node)

    @staticmethod
    def _own_nargs(action: ast.ClassDef) -> str | None:
        """What an action of vLLM's own passes on, where it decides itself."""
        for node in ast.walk(action):
            if isinstance(node, ast.keyword) and node.arg == "nargs":
                return _word(node.value) if isinstance(node.value, ast.Constant) else None
        return None


def _is_enum(owner: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Enum") for base in owner.bases)


def _spread(node: ast.expr) -> Iterator[ast.expr]:
    """What `**{**a, "b": 1}` spreads."""
    if isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if not key)
    else:
        yield node


def _apply(node: ast.AST, scope: Mapping[str, dict[str, Keywords] | Keywords]) -> None:
    """Assignments to, and deletions from, the keywords of one field."""
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
    for target in targets:
        if not (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)):
            continue
        key, holder = target.slice.value, target.value
        keywords: object = None
        if isinstance(holder, ast.Name):
            keywords = scope.get(holder.id)
        elif isinstance(holder, ast.Subscript) and isinstance(holder.slice, ast.Constant):
            table = scope.get(getattr(holder.value, "id", ""))
            keywords = table.get(str(holder.slice.value)) if isinstance(table, dict) else None
        if not isinstance(keywords, Keywords):
            continue
        if isinstance(node, ast.Assign):
            if key == "flags" and isinstance(node.value, ast.List):
                keywords.more = [str(_word(word)) for word in node.value.elts]
            elif key in ("action", "nargs"):
                setattr(keywords, str(key), _word(node.value))
            elif key == "choices":
                keywords.choices = _listed(node.value)
        elif key == "choices":
            keywords.choices = None
        elif key in ("action", "nargs"):
            setattr(keywords, str(key), None)


def _assigned(tree: ast.Module) -> Iterator[str]:
    """Names that a module binds to a value at its top."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _listed(node: ast.expr) -> list[str] | None:
    """The texts of a list that stands there plainly."""
    try:
        values = ast.literal_eval(node)
    except ValueError:
        return None
    return [str(value) for value in values if value is not None]


def _word(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return None if node.value is None else str(node.value)
    return ast.unparse(node).rpartition(".")[2]


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]
