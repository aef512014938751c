"""Adds to a module what an addition names, wherever that stands in it.

An addition is a module that holds nothing but what is new: imports, fields in a class of a name,
entries in a mapping of a name, and entries of the mapping, or arguments of the call, that a
function of a name returns. No line of the module around it has to be as it was.
"""

import ast

Spans = dict[str, tuple[int, int]]
"""Where the text of each entry begins and ends, by its name."""


def added(text: str, addition: str) -> str:
    """A module with an addition; what it has under the same name is replaced."""
    for statement in ast.parse(addition).body:
        if isinstance(statement, ast.ImportFrom):
            text = _with_import(text, ast.unparse(statement))
        else:
            text = _with_entries(text, addition, statement)
    return text


def entries(addition: str) -> dict[str, str]:
    """The text of everything that an addition adds, but imports, by name."""
    return {
        name: addition[start:end]
        for statement in ast.parse(addition).body
        if not isinstance(statement, ast.ImportFrom)
        for name, (start, end) in _spans(addition, statement).items()
    }


def _with_import(text: str, line: str) -> str:
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    if line in map(ast.unparse, imports):
        return text
    lines = text.splitlines(keepends=True)
    lines.insert(imports[-1].end_lineno or 0, f"{line}\n")
    return "".join(lines)


def _with_entries(text: str, addition: str, statement: ast.stmt) -> str:
    separator = "\n" if isinstance(statement, ast.ClassDef) else ",\n"
    for name, (start, end) in _spans(addition, statement).items():
        spans = _spans(text, _called(text, _name(statement)))
        last_start, last_end = [*spans.values()][-1]
        old, new = _column(addition, start), _column(text, last_start)
        entry = addition[start:end].replace(f"\n{' ' * old}", f"\n{' ' * new}")
        if name in spans:
            text = text[: spans[name][0]] + entry + text[spans[name][1] :]
        else:
            text = f"{text[:last_end]}{separator}{' ' * new}{entry}{text[last_end:]}"
    return text


def _name(statement: ast.stmt) -> str:
    match statement:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _called(text: str, name: str) -> ast.stmt:
    named = [statement for statement in ast.parse(text).body if _name(statement) == name]
    assert len(named) == 1, f"the module has {len(named)} of the name {name}"
    return named[0]


def _spans(text: str, statement: ast.stmt) -> Spans:
    if isinstance(statement, ast.ClassDef):
        return _fields(text, statement)
    if isinstance(statement, ast.FunctionDef):
        [*_, last] = statement.body
        assert isinstance(last, ast.Return), f"{statement.name} returns nothing at its end"
        value = last.value
    else:
        assert isinstance(statement, ast.Assign | ast.AnnAssign)
        value = statement.value
        # A mapping may stand in a call, as that of MappingProxyType.
        value = next((node for node in ast.walk(value) if isinstance(node, ast.Dict)), value)
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return {ast.unparse(k): _span(text, k, v) for k, v in pairs if k is not None}
    assert isinstance(value, ast.Call), ast.dump(statement)
    return {keyword.arg or "**": _span(text, keyword, keyword) for keyword in value.keywords}


def _fields(text: str, statement: ast.ClassDef) -> Spans:
    """Fields with the docstrings below them."""
    spans: Spans = {}
    name = ""
    for node in statement.body:
        if isinstance(node, ast.AnnAssign):
            name = ast.unparse(node.target)
            spans[name] = _span(text, node, node)
        elif name and isinstance(node, ast.Expr):
            spans[name] = spans[name][0], _span(text, node, node)[1]
        else:
            name = ""
    return spans


def _span(
    text: str, first: ast.expr | ast.stmt | ast.keyword, last: ast.expr | ast.stmt | ast.keyword
) -> tuple[int, int]:
    return (
        _offset(text, first.lineno, first.col_offset),
        _offset(text, last.end_lineno or 0, last.end_col_offset or 0),
    )


def _offset(text: str, line: int, column: int) -> int:
    """A place in a text; columns of syntax trees count bytes."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())


def _column(text: str, offset: int) -> int:
    return offset - (text.rfind("\n", 0, offset) + 1)
