"""Formulas: the rules of a parameter space, each an expression or a function of parameters."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.expressions import Expression


class FunctionFormula:
    """A Python function whose arguments are parameters.

    Parameters
    ----------
    function
        Called with the parameters that its signature names; an argument with a default is left alone where no
        parameter has its name.
    where
        What it is for, for messages.

    Attributes
    ----------
    names : frozenset of str
        The arguments that it needs.

    Raises
    ------
    WorkflowError
        Where the signature cannot be read, or does not say by name what is needed.
    """

    def __init__(self, function: Callable[..., Any], where: str) -> None:
        import inspect

        self.function = function
        self.where = where
        self.text = getattr(function, "__qualname__", repr(function))
        try:
            arguments = inspect.signature(function).parameters.values()
        except (ValueError, TypeError) as error:
            raise self._unreadable("has no signature that Python can read") from error
        if any(one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY) for one in arguments):
            raise self._unreadable("takes arguments that have no name of their own")
        self.names = frozenset(one.name for one in arguments if one.default is one.empty)
        self._optional = frozenset(one.name for one in arguments) - self.names

    def bound_to(self, known: frozenset[str]) -> FunctionFormula:
        """Take those optional arguments too that are among the parameters."""
        bound = FunctionFormula(self.function, self.where)
        bound.names = self.names | (self._optional & known)
        return bound

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Call the function.

        Raises
        ------
        WorkflowError
            Where it raises, naming the function and what it was called with.
        """
        used = {name: values[name] for name in self.names}
        try:
            return self.function(**used)
        except Exception as error:
            given = ", ".join(f"{name} = {used[name]!r}" for name in sorted(used))
            raise WorkflowError(
                f"{self.where}: `{self.text}({given})` fails with {type(error).__name__}: {error}"
            ) from error

    def to_document(self) -> dict[str, Any]:
        """Write down the function's name, and its source where there is one."""
        import inspect

        # A class instance has no source of its own, and a typed-in function may have none at all.
        plain = inspect.unwrap(self.function)
        plain = plain.func if isinstance(plain, functools.partial) else plain
        try:
            source = inspect.getsource(plain)
        except (OSError, TypeError):
            source = None
        return {"callable": self.text, "source": source}

    def _unreadable(self, problem: str) -> WorkflowError:
        return WorkflowError(
            f"{self.where}: `{self.text}` {problem}", hint="wrap it in a function that names the parameters it needs"
        )


Formula = Expression | FunctionFormula


def read_formula(written: Any, where: str) -> Formula:
    """Read an expression's text or a function.

    Raises
    ------
    WorkflowError
        For anything else.
    """
    if isinstance(written, str):
        return Expression(written, where)
    if callable(written):
        return FunctionFormula(written, where)
    if isinstance(written, Mapping) and "callable" in written:
        raise WorkflowError(
            f"{where}: the function `{written['callable']}` cannot be made again from its description",
            hint="load the recorded combinations with `ParameterSpace.from_table`",
        )
    raise WorkflowError(f"{where} is {written!r}", hint="write an expression in quotes, or give a function")


def formula_document(formula: Formula) -> Any:
    """Write a formula for JSON: the text of an expression, the description of a function."""
    return formula.text if isinstance(formula, Expression) else formula.to_document()
