"""What a Python function asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.functions import Argument, bind

PARAMETERS = ("rate", "size")
UPSTREAM = ("prepare",)


def sources(function: Callable[..., Any]) -> dict[str, str]:
    """Bind a function; argument → source."""
    return {argument.name: argument.source for argument in bind(function, "train", PARAMETERS, UPSTREAM).arguments}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda rate, prepare: 0, {"rate": "parameter", "prepare": "result"}),
        (lambda params, upstream, ctx: 0, {"params": "parameters", "upstream": "inputs", "ctx": "context"}),
        (lambda config, inputs, context: 0, {"config": "parameters", "inputs": "inputs", "context": "context"}),
        (lambda rate, verbose=False: 0, {"rate": "parameter"}),
        (lambda *more, size=1: 0, {"size": "parameter"}),
        (lambda: 0, {}),
        (lambda verbose=False: 0, {}),
    ],
)
def test_arguments_are_matched_by_name(function: Any, expected: dict[str, str]) -> None:
    """Parameters, earlier results, everything as a dict, and the context; defaults stand for what is not known."""
    assert sources(function) == expected


def test_a_parameter_wins_over_a_word_with_a_meaning() -> None:
    """A task named like a parameter does not exist; a word for everything is one only if no parameter has it."""
    assert bind(lambda x: 0, "t", ("x",), ("x",)).arguments == (Argument("x", "parameter"),)


def test_what_a_binding_tells() -> None:
    """Positional arguments are marked; `**kwargs` and `params` want all parameters."""

    def positional(rate: float, /, size: int) -> None: ...

    binding = bind(positional, "t", PARAMETERS, ())
    assert binding.arguments == (Argument("rate", "parameter", True), Argument("size", "parameter"))
    assert (binding.parameters, binding.wants_all_parameters) == (("rate", "size"), False)
    assert bind(lambda rate, **rest: 0, "t", PARAMETERS, ()).wants_all_parameters
    assert bind(lambda parameters: 0, "t", PARAMETERS, ()).wants_all_parameters


def test_objects_and_methods_can_be_called_too() -> None:
    """Everything that Python can call and whose arguments it knows is a function."""

    class Model:
        def __call__(self, rate: float) -> None: ...

        def fit(self, size: int) -> None: ...

    assert sources(Model()) == {"rate": "parameter"}
    assert sources(Model().fit) == {"size": "parameter"}


@pytest.mark.parametrize(
    ("function", "asked", "hint"),
    [
        (lambda learning: 0, "learning", ""),
        (lambda rate, sice: 0, "sice", "did you mean `size`? "),
        (lambda preparation: 0, "preparation", "did you mean `prepare`? "),
        (lambda rates=1: 0, "rates", "did you mean `rate`"),
        (lambda paramz: 0, "paramz", "did you mean `params`"),
    ],
)
def test_a_function_that_asks_for_nothing_known(function: Any, asked: str, hint: str) -> None:
    """The task, the argument, what there is and the way out are named; an optional near miss counts too."""
    with pytest.raises(WorkflowError) as caught:
        bind(function, "train", PARAMETERS, UPSTREAM)
    assert caught.value.message == (
        f"task `train`: its function asks for `{asked}`, which is neither a parameter (`rate`, `size`) "
        "nor an earlier task (`prepare`)"
    )
    assert caught.value.hint.startswith(hint)
    assert caught.value.hint.endswith("give it a default, or ask for `params`, `inputs` or `context`")


def test_where_there_is_nothing_to_ask_for() -> None:
    """The message says that there are no parameters and no earlier tasks."""
    with pytest.raises(WorkflowError, match=r"neither a parameter \(none\) nor an earlier task \(none\)"):
        bind(lambda x: 0, "t", (), ())


def test_what_cannot_be_called_or_read() -> None:
    """The task and the object are named."""
    not_a_function: Any = 5
    with pytest.raises(WorkflowError, match="task `t` has 5 for its function, which cannot be called"):
        bind(not_a_function, "t", (), ())
    with pytest.raises(WorkflowError, match=r"the arguments of task `t`'s function .*min.* cannot be read") as caught:
        bind(min, "t", (), ())
    assert "wrap it in a function of your own" in caught.value.hint
