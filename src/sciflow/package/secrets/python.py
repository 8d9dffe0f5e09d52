"""Secrets in Python by what its statements say, also over several lines."""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Iterator

from sciflow.package.secrets.names import is_token, stands_for_a_value
from sciflow_shim.redaction import REDACTED, redact

_LITERAL = re.compile(r"(\"\"\"|'''|\"|')((?:\\.|(?!\1).)+)\1", re.DOTALL)
_SETTERS = frozenset(["setdefault", "setenv", "putenv", "getenv", "setattr", "setitem"])
_OPTIONS = frozenset(["add_argument", "option", "Option", "add_option"])

Named = tuple[str, ast.expr | None, bool]  # name, value, and whether it is a variable of the environment


def python_secrets(text: str) -> list[tuple[int, int]]:
    """Begin and end of what stands in literals that have names of secrets; nothing of what is no Python."""
    tree = _parsed(text)
    if tree is None:
        return []
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    found = set()
    for node in ast.walk(tree):
        for name, value, is_variable in _named(node):
            for one in _constants(value):
                if _is_secret(name, one.value, is_variable):
                    found.update(_insides(text, starts, one))
    return sorted(found)


def _parsed(text: str) -> ast.AST | None:
    # Cells of a notebook have lines for other programs.
    for source in (text, re.sub(r"(?m)^([ \t]*)[%!]", r"\1#", text)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # of another Python, or none at all
    return None


def _named(node: ast.AST) -> Iterator[Named]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _assigned(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign):
        yield from _assigned(node.target, node.value)
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value, False
    elif isinstance(node, ast.arguments):
        positional = [*node.posonlyargs, *node.args]
        pairs = zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
        for argument, default in [*pairs, *zip(node.kwonlyargs, node.kw_defaults, strict=True)]:
            yield argument.arg, default, False
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield _text(key), value, False
    elif isinstance(node, ast.List | ast.Tuple):
        yield from _after_options(node.elts)
    elif isinstance(node, ast.Call):
        yield from _called(node)


def _assigned(target: ast.expr, value: ast.expr | None) -> Iterator[Named]:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _assigned(one, its)
    elif isinstance(target, ast.Subscript):
        yield _text(target.slice), value, _name(target.value) == "environ"
    else:
        yield _name(target), value, False


def _called(call: ast.Call) -> Iterator[Named]:
    function = _name(call.func)
    is_get = function == "get" and isinstance(call.func, ast.Attribute) and _name(call.func.value) == "environ"
    if function in _SETTERS or is_get:
        for before, value in zip(call.args, call.args[1:], strict=False):
            yield _text(before), value, is_get or function.endswith("env")
    elif function in _OPTIONS:
        names = [_text(one).lstrip("-") for one in call.args]
        yield from ((name, one.value, False) for one in call.keywords if one.arg == "default" for name in names)


def _after_options(values: list[ast.expr]) -> Iterator[Named]:
    for before, value in itertools.pairwise(values):
        option = _text(before)
        if re.fullmatch(r"--[\w-]+", option) and not _text(value).startswith("-"):
            yield option.lstrip("-"), value, False


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _constants(value: ast.expr | None) -> Iterator[ast.Constant]:
    """The literals that a value is made of."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes):
        yield value
    elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        yield from (*_constants(value.left), *_constants(value.right))
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from _constants(one)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        yield from _constants(value.func.value)  # `"…".encode()`


def _is_secret(name: str, value: object, is_variable: bool) -> bool:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = " ".join(text.replace('"', " ").split())
    if not name or len(text) < 4 or stands_for_a_value(text) or REDACTED in text:
        return False
    if is_token(name) and not is_variable and not (len(text) >= 8 and re.search(r"\d", text)):
        return False
    return redact(f'{name} = "{text}"').startswith(f'{name} = "{REDACTED}')


def _insides(text: str, starts: list[int], node: ast.Constant) -> Iterator[tuple[int, int]]:
    first = _place(text, starts, node.lineno, node.col_offset)
    last = _place(text, starts, node.end_lineno or node.lineno, node.end_col_offset or 0)
    for match in _LITERAL.finditer(text, first, last):
        yield match.span(2)


def _place(text: str, starts: list[int], line: int, column: int) -> int:
    """The place in a text of what Python counts in bytes of a line."""
    begin = starts[line - 1]
    end = starts[line] if line < len(starts) else len(text)
    return begin + len(text[begin:end].encode()[:column].decode())
