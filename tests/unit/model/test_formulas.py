"""Formulas: expressions and functions as rules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.expressions import Expression
from sciflow.model.formulas import FunctionFormula, formula_document, read_formula


def steps(size: int, *, factor: int = 200) -> int:
    """Steps of a run."""
    return factor * size**2


class Limit:
    """A rule with a number in it."""

    def __call__(self, size: int) -> bool:
        """Whether the size is below it."""
        return size < 3


def test_texts_become_expressions_and_functions_formulas() -> None:
    """Both know the names that they need."""
    assert isinstance(read_formula("a < b", "here"), Expression)
    formula = read_formula(steps, "here")
    assert isinstance(formula, FunctionFormula)
    assert formula.names == {"size"}
    assert formula.text == "steps"
    assert formula.evaluate({"size": 2, "other": 3}) == 800


def test_an_argument_with_a_default_is_taken_if_it_is_a_parameter() -> None:
    """Otherwise the default stands."""
    formula = FunctionFormula(steps, "here").bound_to(frozenset({"size", "factor", "more"}))
    assert formula.names == {"size", "factor"}
    assert formula.evaluate({"size": 2, "factor": 10}) == 40
    assert FunctionFormula(steps, "here").bound_to(frozenset({"size"})).names == {"size"}


@pytest.mark.parametrize("rule", [lambda *sizes: 1, lambda **sizes: 1, lambda size, /: 1, dict.fromkeys, min])
def test_functions_that_name_nothing_are_refused(rule: Callable[..., Any]) -> None:
    """What is to be passed must be said by name."""
    with pytest.raises(WorkflowError, match="here: `") as caught:
        read_formula(rule, "here")
    assert "names the parameters" in caught.value.hint


def test_a_function_that_fails_is_named_with_its_values() -> None:
    """The original exception stays attached."""
    formula = FunctionFormula(steps, "derived parameter `n`")
    with pytest.raises(WorkflowError) as caught:
        formula.evaluate({"size": "x"})
    assert caught.value.message.startswith("derived parameter `n`: `steps(size = 'x')` fails with TypeError: ")
    assert isinstance(caught.value.__cause__, TypeError)


def test_functions_are_described_with_their_source() -> None:
    """Also behind a partial; an object has none of its own."""
    described = formula_document(read_formula(steps, "here"))
    assert described["callable"] == "steps"
    assert "factor * size**2" in described["source"]
    partial = formula_document(read_formula(functools.partial(steps, factor=2), "here"))
    assert "functools.partial" in partial["callable"]
    assert partial["source"] == described["source"]
    assert formula_document(read_formula(Limit(), "here"))["source"] is None
    assert formula_document(read_formula("a < b", "here")) == "a < b"


def test_what_is_no_formula() -> None:
    """A description of a function points to the table; anything else to expressions."""
    with pytest.raises(WorkflowError, match="function `steps` cannot be made again") as caught:
        read_formula({"callable": "steps", "source": None}, "here")
    assert "from_table" in caught.value.hint
    for written in (True, 3, ["a < b"], {}):
        with pytest.raises(WorkflowError, match="here is ") as caught:
            read_formula(written, "here")
        assert "expression in quotes" in caught.value.hint
