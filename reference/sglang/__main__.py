"""`python -m reference.sglang`: reads the releases, and writes the table of the catalog.

Each wheel is fetched by pip, read and thrown away: some 0.3 GB in all.
"""

import ast
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ..releases import download, spans, text

TABLE: Final = Path(__file__).parents[2] / "components/catalog/sglang_releases.json"
LINES: Final[Mapping[str, int]] = {
    # Release, and its last repair.
    **{"0.4.2": 4, "0.4.3": 4, "0.4.4": 4, "0.4.5": 3, "0.4.6": 5, "0.4.7": 1, "0.4.8": 1},
    **{"0.4.9": 6, "0.4.10": 2, "0.5.1": 3, "0.5.2": 0, "0.5.3": 3, "0.5.4": 3, "0.5.5": 3},
    **{"0.5.6": 2, "0.5.7": 0, "0.5.8": 1, "0.5.9": 0, "0.5.10": 1, "0.5.11": 0, "0.5.12": 1},
    **{"0.5.13": 1, "0.5.14": 0, "0.5.15": 1, "0.5.16": 0, "0.5.17": 0, "0.5.18": 0, "0.5.19": 0},
    **{"0.5.20": 0, "0.5.21": 0, "0.5.22": 0, "0.5.23": 0},
}
RELEASES: Final = tuple(
    f"{line}.post{repair}" if repair else line
    for line, last in LINES.items()
    for repair in range(last + 1)
)
READ: Final = (
    "sglang/srt/server_args.py",
    "sglang/srt/arg_groups/",
    "sglang/srt/function_call",
    "sglang/srt/parser/reasoning_parser.py",
    "sglang/srt/reasoning_parser.py",
)
PARSERS: Final[Mapping[str, str]] = {
    "--tool-call-parser": "ToolCallParserEnum",
    "--reasoning-parser": "DetectorMap",
}
"""By flag, the table of a class whose keys it takes; `auto` too where its parser has that."""
PLATFORMS: Final = ("manylinux_2_34_x86_64", "manylinux2014_x86_64", "any")


def fetched(release: str) -> dict[str, ast.Module]:
    """By path, the files of a release that say what its server is told."""
    names = [word for name in PLATFORMS for word in ("--platform", name)]
    with tempfile.TemporaryDirectory() as folder:
        options = ("--python-version", "3.12", *names)
        wheel = download("sglang", release, Path(folder), (options,))
        with zipfile.ZipFile(wheel) as archive:
            paths = [n for n in archive.namelist() if n.startswith(READ) and n.endswith(".py")]
            return {path: ast.parse(archive.read(path)) for path in paths}


def read_flags(files: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """By spelling of a flag, the only values that it takes, sorted; none is any.

    Flags are added to the parser one by one; in later releases most are made of annotated fields.
    """
    lists = {name: values for tree in files.values() for name, values in _lists(tree)}
    flags: dict[str, list[str]] = {}
    for tree in (tree for path, tree in files.items() if "arg" in path):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".add_argument"):
                words = [word.value for word in node.args if isinstance(word, ast.Constant)]
                spelled = [str(word) for word in words if str(word).startswith("-")]
                flags |= _spelled(spelled, node.keywords, lists)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                flags |= _of_field(node.target.id, node.annotation, lists)
    for flag, table in PARSERS.items():
        names = [name for tree in files.values() for name in _keys(tree, table)]
        if flag in flags:
            flags[flag] = sorted({*names, *flags[flag]}) if names else []
    return dict(sorted(flags.items()))


def _keys(tree: ast.Module, table: str) -> Iterator[str]:
    """Keys of a table that stands under a name, in a class or not."""
    for node in ast.walk(tree):
        target = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and target.id == table and isinstance(value, ast.Dict):
            yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))


def _lists(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Lists of texts that a module binds at its top, also sums of such lists."""
    for node in tree.body:
        value = getattr(node, "value", None)
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        for target in targets if isinstance(value, ast.List) else ():
            if isinstance(target, ast.Name) and (texts := _texts(value)):
                yield target.id, texts


def _texts(node: ast.expr | None) -> list[str]:
    """The texts of a list; none where it has others too."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return []
    texts = [str(entry.value) for entry in node.elts if isinstance(entry, ast.Constant)]
    return texts if len(texts) == len(node.elts) else []


def _spelled(
    spelled: list[str], keywords: list[ast.keyword], lists: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    values: list[str] = []
    for word in keywords:
        if word.arg == "choices":
            listed = lists.get(word.value.id, []) if isinstance(word.value, ast.Name) else []
            values = sorted(set(listed or _texts(word.value)))
            if isinstance(word.value, ast.BinOp) and _texts(word.value.left) == ["auto"]:
                values = ["auto"]
        if word.arg == "action" and ast.unparse(word.value).endswith("BooleanOptionalAction"):
            spelled = [*spelled, *(f"--no-{flag[2:]}" for flag in spelled)]
    return dict.fromkeys(spelled, values)


def _of_field(
    name: str, annotation: ast.expr, lists: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    """The flag of a field `name: A[type, Arg(...)]`, or of one with its help alone."""
    if not isinstance(annotation, ast.Subscript) or not isinstance(annotation.slice, ast.Tuple):
        return {}
    if ast.unparse(annotation.value) not in ("A", "Annotated"):
        return {}
    about = annotation.slice.elts[1]
    keywords = about.keywords if isinstance(about, ast.Call) else []
    arguments = {word.arg: word.value for word in keywords}
    if isinstance(no := arguments.get("no_cli"), ast.Constant) and no.value:
        return {}
    spelling = arguments.get("cli_name")
    flag = spelling.value if isinstance(spelling, ast.Constant) else f"--{name.replace('_', '-')}"
    flags = _spelled([str(flag), *_texts(arguments.get("aliases"))], keywords, lists)
    literal = next(
        (
            part
            for part in ast.walk(annotation.slice.elts[0])
            if isinstance(part, ast.Subscript) and ast.unparse(part.value) == "Literal"
        ),
        None,
    )
    if literal is not None and "choices" not in arguments:
        values = _texts(literal.slice) or _texts(ast.List(elts=[literal.slice]))
        flags = dict.fromkeys(flags, sorted(values))
    return flags


if __name__ == "__main__":
    by_release = {release: read_flags(fetched(release)) for release in RELEASES}
    content = {
        "read": datetime.now(UTC).date().isoformat(),
        "releases": [*by_release],
        "flags": spans(by_release),
    }
    TABLE.write_text(text(json.loads(json.dumps(content))))
