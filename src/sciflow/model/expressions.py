"""Expressions: one line of arithmetic and comparison over parameters, read once and evaluated often.

The text is parsed with `ast`, every node is compared with a short list of what is allowed, and the tree is compiled.
Nothing else of Python can be reached: no attributes, no subscripts, no functions but those in `FUNCTIONS`.
"""

from __future__ import annotations

import ast
import functools
import math
import warnings
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from sciflow.errors import ExpressionError

LONGEST_TEXT = 10_000
DEEPEST_NESTING = 100
LARGEST_INTEGER_BITS = 4096
LONGEST_REPETITION = 10_000


_SEQUENCES: Any = (str, tuple, list)


class _RefusedError(Exception):
    """What an expression may not do; becomes an `ExpressionError` that names the expression."""


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > LARGEST_INTEGER_BITS:
        raise _RefusedError(f"a power with more than {LARGEST_INTEGER_BITS} binary digits is not allowed")
    result = base**exponent
    if isinstance(result, complex):
        raise _RefusedError("a fractional power of a negative number is not a real number")
    return result


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, _SEQUENCES):
        _check_repetition(left, right)
    elif isinstance(right, _SEQUENCES):
        _check_repetition(right, left)
    return left * right


def _check_repetition(sequence: str | tuple[Any, ...] | list[Any], count: Any) -> None:
    if isinstance(count, int) and len(sequence) * count > LONGEST_REPETITION:
        raise _RefusedError(f"a repetition longer than {LONGEST_REPETITION} is not allowed")
    # Lists of lists of lists would multiply each bounded length with the next.
    if not isinstance(sequence, str) and any(isinstance(item, _SEQUENCES) for item in sequence):
        raise _RefusedError("repeating a sequence of sequences is not allowed")


def _modulo(left: Any, right: Any) -> Any:
    # A format such as "%1000000000d" would build a text of that width.
    if isinstance(left, str):
        raise _RefusedError("formatting text with % is not allowed")
    return left % right


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        raise _RefusedError("the text of a tuple or list is not allowed")
    return str(value)


def _round(number: Any, digits: int | None = None) -> Any:
    # Rounding an integer to minus a billion digits computes 10 to that power.
    if digits is not None and abs(digits) > 400:
        raise _RefusedError("rounding to more than 400 digits is not allowed")
    return round(number, digits)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{function.__name__: function for function in (min, max, abs, int, float, bool, len, sum)},
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan")},
    "floor": math.floor,
    "ceil": math.ceil,
    "round": _round,
    "str": _text,
}
CONSTANTS = {"pi": math.pi}
_GUARDS: dict[type[ast.operator], Callable[..., Any]] = {ast.Pow: _power, ast.Mult: _times, ast.Mod: _modulo}
# The names carry brackets, which no parameter can have, so that a parameter called `max` leaves `max(...)` alone.
_GLOBALS: dict[str, Any] = {
    "__builtins__": {},
    **{f"{name}()": function for name, function in FUNCTIONS.items()},
    **{f"{node.__name__}()": guard for node, guard in _GUARDS.items()},
}
_OPERATIONS = (ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Not, ast.USub, ast.UAdd)
_ALLOWED = (
    *(ast.Expression, ast.Constant, ast.Tuple, ast.List, ast.Name, ast.Load),
    *_OPERATIONS,
    *_OPERATORS,
    *(ast.boolop, ast.cmpop),
)
_SPOKEN = {
    "Attribute": "an attribute (`.name`)",
    "Subscript": "a subscript (`[...]`)",
    "Lambda": "a lambda",
    "JoinedStr": "an f-string",
    "NamedExpr": "an assignment (`:=`)",
    "Starred": "a star (`*`)",
    "LShift": "a shift (`<<`)",
    "RShift": "a shift (`>>`)",
    "Dict": "a dict",
    "Set": "a set",
    "BitAnd": "`&` (write `and`)",
    "BitOr": "`|` (write `or`)",
    "BitXor": "`^` (write `**` for a power)",
    "Invert": "`~` (write `not`)",
}


class Expression:
    """One expression over named values.

    Parameters
    ----------
    text
        Arithmetic, comparisons, ``and``/``or``/``not``, ``in``, conditional expressions, literals, tuples, lists, and
        calls of `FUNCTIONS`; `CONSTANTS` have their values.
    where
        Where the text was written, for messages.

    Attributes
    ----------
    names : frozenset of str
        The values that it needs.

    Raises
    ------
    ExpressionError
        Naming the expression and what is not allowed in it.
    """

    __slots__ = ("_code", "names", "text", "where")

    def __init__(self, text: str, where: str = "") -> None:
        self.text = text
        self.where = where
        if not isinstance(text, str):
            raise ExpressionError(f"{self._label()}: a text is needed, not {type(text).__name__}")
        try:
            self._code, self.names = _compiled(text)
        except _RefusedError as refusal:
            raise ExpressionError(f"{self._label()}: {refusal}") from None

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Work the expression out.

        Parameters
        ----------
        values
            Name → value; may hold more than `names`.

        Raises
        ------
        ExpressionError
            Where that fails, naming the expression and the values that it used.
        """
        try:
            # The code was compiled from a tree of allowed nodes; there are no builtins to reach.
            return eval(self._code, _GLOBALS, values)
        except Exception as error:
            raise self._failure(error, values) from error

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __reduce__(self) -> tuple[type[Expression], tuple[str, str]]:
        return Expression, (self.text, self.where)

    def _label(self) -> str:
        text = str(self.text)
        shown = text if len(text) <= 120 else f"{text[:80]}…"
        return f"{self.where}: expression `{shown}`" if self.where else f"expression `{shown}`"

    def _failure(self, error: Exception, values: Mapping[str, Any]) -> ExpressionError:
        missing = sorted(self.names - set(values))
        if missing:
            # Imported where it is needed: it brings pydantic, which a sound expression does without.
            from sciflow.model.nearest import nearest

            return ExpressionError(
                f"{self._label()} names `{missing[0]}`, which is not known here", hint=nearest(missing[0], values)
            )
        used = ", ".join(f"{name} = {_short(values[name])}" for name in sorted(self.names))
        return ExpressionError(f"{self._label()} cannot be evaluated: {error}{f', with {used}' if used else ''}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> tuple[CodeType, frozenset[str]]:
    if len(text) > LONGEST_TEXT:
        raise _RefusedError(f"{len(text)} characters are too many ({LONGEST_TEXT} at most)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd but valid spellings, such as "\d" in a text
            tree = ast.parse(" ".join(text.split("\n")).strip(), mode="eval")
            names: set[str] = set()
            code = compile(ast.fix_missing_locations(_checked(tree, names, 0)), "<expression>", "eval")
    except SyntaxError as error:
        raise _RefusedError(f"it cannot be read: {error.msg}") from None
    except ValueError as error:
        raise _RefusedError(f"it cannot be read: {error}") from None
    except (RecursionError, MemoryError):
        raise _RefusedError("it is nested too deeply") from None
    return code, frozenset(names)


def _checked(node: Any, names: set[str], depth: int) -> Any:
    """Return the node with guarded operators, collecting the names that it needs."""
    if depth > DEEPEST_NESTING:
        raise _RefusedError(f"it is nested deeper than {DEEPEST_NESTING} levels")
    if not isinstance(node, _ALLOWED):
        kind = type(node).__name__
        spoken = "a comprehension" if kind.endswith("Comp") or kind == "GeneratorExp" else _SPOKEN.get(kind, kind)
        raise _RefusedError(f"{spoken} is not allowed")
    if isinstance(node, ast.Name):
        return _checked_name(node, names)
    if isinstance(node, ast.Constant) and not isinstance(node.value, (bool, int, float, str, type(None))):
        raise _RefusedError(f"the literal {_short(node.value)} is not allowed")
    if isinstance(node, ast.Call):
        return _checked_call(node, names, depth)
    if isinstance(node, ast.Compare):
        _check_identity(node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            setattr(node, field, _checked(value, names, depth + 1))
        elif isinstance(value, list):
            setattr(node, field, [_checked(item, names, depth + 1) for item in value])
    if isinstance(node, ast.BinOp) and type(node.op) in _GUARDS:
        return _call(type(node.op).__name__, [node.left, node.right])
    return node


def _checked_name(node: ast.Name, names: set[str]) -> ast.expr:
    if node.id.startswith("_"):
        raise _RefusedError(f"the name `{node.id}` is not allowed: it starts with an underscore")
    if node.id in CONSTANTS:
        return ast.Constant(CONSTANTS[node.id])
    names.add(node.id)
    return node


def _checked_call(node: ast.Call, names: set[str], depth: int) -> ast.expr:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        called = f"`{node.func.id}`" if isinstance(node.func, ast.Name) else "anything but a name"
        raise _RefusedError(f"calling {called} is not allowed (only {', '.join(sorted(FUNCTIONS))})")
    if node.keywords:
        raise _RefusedError("keyword arguments are not allowed")
    return _call(node.func.id, [_checked(argument, names, depth + 1) for argument in node.args])


def _check_identity(node: ast.Compare) -> None:
    for comparison, right in zip(node.ops, node.comparators, strict=True):
        is_none = isinstance(right, ast.Constant) and right.value is None
        if isinstance(comparison, (ast.Is, ast.IsNot)) and not is_none:
            raise _RefusedError("`is` is not allowed but with None (write `==`)")


def _call(name: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(func=ast.Name(id=f"{name}()", ctx=ast.Load()), args=arguments, keywords=[])
