"""Expressions: what they compute, and what they refuse."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest

from sciflow.errors import ExpressionError
from sciflow.model.expressions import DEEPEST_NESTING, FUNCTIONS, Expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200 * size ** 2", 51200),
        ("-size + +1.5 - size % 5 // 1", -15.5),
        ("size / 64", 0.25),
        ("size <= 32 or temperature < 2.5", True),
        ("not size > 3 and temperature", False),
        ("1 < temperature <= 2", False),
        ("method in ('cg', 'gmres') and method not in ['lu']", True),
        ("'cg' * 2 + method if size == 16 else None", "cgcgcg"),
        ("2 * (1, 2)", (1, 2, 1, 2)),
        ("[0.5] * 2", [0.5, 0.5]),
        ("missing is None and size is not None", True),
        ("max(size, 3) + min(size, 3) + abs(-1) + round(2.567, 1) + len('ab')", 24.6),
        ("round(2.567)", 3),
        ("floor(2.7) + ceil(2.2) + int('4') + sum([1, 2])", 12),
        ("str(size) + str(1.5)", "161.5"),
        ("bool(0) or float('2')", 2.0),
        ("sqrt(4) + exp(0) + log(1) + log2(8) + log10(100)", 8.0),
        ("sin(0) + cos(0) + tan(0)", 1.0),
        ("2 * pi", 2 * math.pi),
        (" size +\n  1\n", 17),
        ("'a' == \"a\"", True),
        ("True and not False", True),
        ("(-8) ** 3", -512),
        ("2.0 ** 0.5", 2.0**0.5),
        ("0 ** 10 ** 9 + 2 ** -1", 0.5),
    ],
)
def test_values(text: str, expected: Any) -> None:
    """Expressions give what Python would."""
    values = {"size": 16, "temperature": 2.5, "method": "cg", "missing": None}
    result = Expression(text).evaluate(values)
    assert result == expected
    assert type(result) is type(expected)


def test_names_are_the_values_that_are_needed() -> None:
    """Functions and constants are no names; a parameter may be called like a function."""
    expression = Expression("max(max, a) + b * pi", where="here")
    assert expression.names == {"max", "a", "b"}
    assert expression.evaluate({"max": 1, "a": 2, "b": 0}) == 2
    assert expression.text == "max(max, a) + b * pi"
    assert repr(expression) == "Expression('max(max, a) + b * pi')"


def test_an_expression_can_be_pickled() -> None:
    """It comes back with its text and place, and works."""
    again = pickle.loads(pickle.dumps(Expression("a + 1", where="here")))
    assert (again.text, again.where, again.evaluate({"a": 1})) == ("a + 1", "here", 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x.real", "an attribute"),
        ("x[0]", "a subscript"),
        ("lambda: 1", "a lambda"),
        ("f'{x}'", "an f-string"),
        ("[i for i in x]", "a comprehension"),
        ("sum(i for i in x)", "a comprehension"),
        ("{1: 2}", "a dict"),
        ("(y := 1)", "an assignment"),
        ("max(*x)", "a star"),
        ("1 << 9", "a shift"),
        ("x & 1", "write `and`"),
        ("~x", "write `not`"),
        ("x ^ 2", "write `**`"),
        ("x @ x", "MatMult is not allowed"),
        ("_x", "starts with an underscore"),
        ("__import__('os')", "calling `__import__` is not allowed"),
        ("eval('1')", "calling `eval` is not allowed"),
        ("x.y()", "calling anything but a name"),
        ("max(1, 2, key=abs)", "keyword arguments"),
        ("x is 1", "write `==`"),
        ("1j", "the literal 1j"),
        ("b'x'", "the literal b'x'"),
        ("...", "the literal Ellipsis"),
        ("", "cannot be read"),
        ("a b", "cannot be read"),
        ("x = 1", "cannot be read"),
        ("import os", "cannot be read"),
        ("'\0'", "cannot be read"),
        ("'\ud800'", "cannot be read"),
        ("9" * 5000, "cannot be read"),
        (3, "a text is needed, not int"),
        (["a"], "a text is needed, not list"),
    ],
)
def test_what_is_not_allowed(text: Any, reason: str) -> None:
    """Everything but arithmetic is refused when it is read, naming the expression and its place."""
    with pytest.raises(ExpressionError) as caught:
        Expression(text, where="constraint 2")
    assert reason in caught.value.message
    assert caught.value.message.startswith("constraint 2: expression `")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + "1" + ")" * 100_000,
        "(" * 4000 + "1" + ")" * 4000,
        "-" * 9000 + "1",
        "x" + "**x" * 3000,
        "1" + "+1" * 4900,
        "not " * (DEEPEST_NESTING + 1) + "x",
        "max(" * (DEEPEST_NESTING + 1) + "1" + ")" * (DEEPEST_NESTING + 1),
        "1 + " * 3000,
    ],
    ids=lambda text: f"{text[:6]}x{len(text)}",
)
def test_huge_and_deep_texts_are_refused(text: str) -> None:
    """Neither the parser nor the compiler comes down, and the message stays short."""
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2 ** 10 ** 9", "a power with more than"),
        ("x ** 10 ** 6", "a power with more than"),
        ("'a' * 10 ** 9", "a repetition longer than"),
        ("10 ** 8 * [0]", "a repetition longer than"),
        ("True * ('a' * 6000 + 'a' * 6000)", "a repetition longer than"),
        ("[[0] * 5] * 5", "a sequence of sequences"),
        ("'%1000000000d' % 5", "formatting text"),
        ("round(5, -10 ** 9)", "rounding to more than"),
        ("str([0] * 5)", "the text of a tuple or list"),
        ("(-8) ** 0.5", "not a real number"),
        ("1 / (x - 3)", "division by zero, with x = 3"),
        ("x + 'a'", "unsupported operand"),
        ("10.0 ** 1000", "cannot be evaluated"),
        ("int('1' * 5000)", "cannot be evaluated"),
        ("1 / 0", "division by zero"),
        ("long + 1", "with long = 'aaaaaaaaaaaa"),
    ],
)
def test_what_fails_while_it_is_evaluated(text: str, reason: str) -> None:
    """Errors name the expression and the values it used; nothing eats the machine."""
    with pytest.raises(ExpressionError) as caught:
        Expression(text, where="here").evaluate({"x": 3, "long": "a" * 1000})
    assert reason in caught.value.message
    assert f"here: expression `{text}` cannot be evaluated" in caught.value.message
    assert len(caught.value.message) < 250


def test_an_unknown_name_is_offered_its_nearest() -> None:
    """The message names what is not known, the hint what is meant."""
    with pytest.raises(ExpressionError) as caught:
        Expression("temperatur > 1").evaluate({"temperature": 2.0, "size": 1})
    assert "`temperatur`, which is not known here" in caught.value.message
    assert "`temperature`" in caught.value.hint


def test_nothing_of_python_can_be_reached() -> None:
    """The names behind the allowed functions are no identifiers, and there are no builtins."""
    for name in ("print", "__builtins__", "open", *FUNCTIONS):
        try:
            expression = Expression(name)
        except ExpressionError:
            continue
        with pytest.raises(ExpressionError, match="not known here"):
            expression.evaluate({})
