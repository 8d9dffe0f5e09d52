"""The parameter space as a whole."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace, combination_id

AXES = {"size": [16, 32], "temperature": [1.5, 2.0, 3.0]}


def test_combinations_are_numbered_with_the_last_axis_fastest() -> None:
    """From both ends, by any integer, and no further."""
    space = ParameterSpace.from_document(AXES)
    assert (len(space), space.raw_size) == (6, 6)
    assert space.names == space.axis_names == ("size", "temperature")
    assert space.derived_names == ()
    assert space[1] == space[np.int64(1)] == space[-5] == {"size": 16, "temperature": 2.0}
    assert [space[i] for i in range(6)] == list(space)
    for index in (6, -7):
        with pytest.raises(IndexError, match=f"combination {index} of 6"):
            space[index]
    with pytest.raises(TypeError):
        space["size"]  # pyright: ignore[reportArgumentType]


def test_the_length_of_a_plain_product_is_known_without_enumerating() -> None:
    """Also with derived parameters and included combinations."""
    axes = {name: range(100_000) for name in "abc"}
    space = ParameterSpace.from_document(axes, derived={"d": "1 / 0"}, include=[{"a": -1, "b": 0, "c": 0}])
    assert len(space) == 10**15 + 1
    assert space.values_at(0, ["a"]) == {"a": 0}


def test_no_axes_make_one_empty_combination() -> None:
    """A workflow without parameters runs once."""
    space = ParameterSpace.from_document({})
    assert (len(space), list(space), space[0], space.factors) == (1, [{}], {}, ())
    assert space.raw_positions().tolist() == [0]
    assert space.index_of({}) == 0
    assert len(space.with_constraint("True")) == 1
    with pytest.raises(WorkflowError, match="no combination is left of 1: constraint `False` removes 1"):
        len(space.with_constraint("False"))


def test_fluent_methods_return_new_spaces() -> None:
    """The space that they start from stays as it is."""
    space = ParameterSpace.from_document(AXES)
    more = (
        space.with_axes({"seed": {"repeat": 2}, "size": [8]})
        .with_derived("area", "size ** 2")
        .with_constraint("area < 100 and temperature > 1.5")
        .with_constraint(lambda temperature: temperature < 3)
    )
    assert len(space) == 6
    assert more.names == ("size", "temperature", "seed", "area")
    assert len(more) == 2
    assert {tuple(row.values())[:2] for row in more} == {(8, 2.0)}
    assert more.with_derived("area", "size").to_document()["derived"] == {"area": "size"}


@pytest.mark.parametrize(
    ("rule", "reason", "hint"),
    [
        ("sise < 3", "constraint `sise < 3` names `sise`", "`size`"),
        (lambda sise: True, "names `sise`", "`size`"),
        ("size <", "constraint 1: expression `size <`", ""),
        (True, "constraint 1 is True", "expression in quotes"),
    ],
)
def test_constraints_that_name_nothing_known(rule: Any, reason: str, hint: str) -> None:
    """The error comes when the rule is given, whichever way that is."""
    for make in (
        lambda: ParameterSpace.from_document(AXES, constraints=[rule]),
        lambda: ParameterSpace.from_document(AXES).with_constraint(rule),
    ):
        with pytest.raises(WorkflowError) as caught:
            make()
        assert reason in caught.value.message
        assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("axes", "rules", "reason"),
    [
        ([1, 2], {}, "[1, 2] is no mapping of axes"),
        ({"params": [1]}, {}, "`params` cannot be the name"),
        ({"\u00b5": [1], "\u03bc": [2]}, {}, "two axes that Python reads as"),
        ({"a": 3}, {}, "here: axis `a` is the single value 3"),
        ({"a": [1]}, {"exclude": [{"b": 1}]}, "exclusion {'b': 1} names `b`"),
        ({"a": [1]}, {"exclude": [3]}, "exclusion is 3"),
    ],
)
def test_what_is_no_space(axes: Any, rules: Any, reason: str) -> None:
    """Messages start with where the space was written."""
    with pytest.raises(WorkflowError) as caught:
        ParameterSpace.from_document(axes, **rules, where="here")
    assert reason in caught.value.message
    assert caught.value.message.startswith("here: ")


def test_a_document_says_everything() -> None:
    """Forms are written out as lists, and the document makes an equal space after a trip through JSON."""
    space = ParameterSpace.from_document(
        {"a": {"range": [3]}, "b": {"values": [(1, 2), None], "when": "a > 0"}, "c": [4, 5, 6]},
        zip_groups=[("a", "c")],
        constraints="a < c",
        derived={"d": "a + c"},
        include=[{"a": 9, "b": (3,), "c": 9}],
        exclude=[{"a": 1, "b": None}],
    )
    assert space.to_document() == {
        "axes": {"a": [0, 1, 2], "b": {"values": [{"tuple": [1, 2]}, None], "when": "a > 0"}, "c": [4, 5, 6]},
        "zip_groups": [["a", "c"]],
        "constraints": ["a < c"],
        "derived": {"d": "a + c"},
        "include": [{"a": 9, "b": {"tuple": [3]}, "c": 9}],
        "exclude": [{"a": 1, "b": None}],
    }
    again = ParameterSpace.from_document(**json.loads(json.dumps(space.to_document())))
    assert space.is_declarative
    assert again == space
    assert hash(again) == hash(space)
    assert list(again) == list(space)
    assert copy.deepcopy(space) == space


def test_spaces_differ_with_their_types_and_the_order_of_axes() -> None:
    """Both change what combination has which number or id."""
    space = ParameterSpace.from_document({"a": [1], "b": [2]})
    assert space != ParameterSpace.from_document({"b": [2], "a": [1]})
    assert space != ParameterSpace.from_document({"a": [1.0], "b": [2]})
    assert space != {"a": 1}
    assert repr(space) == "<ParameterSpace of a, b: 1 raw positions>"
    assert repr(ParameterSpace.from_document({})) == "<ParameterSpace of nothing: 1 raw positions>"


def test_functions_and_samples_are_reloaded_as_tables() -> None:
    """Their documents describe them; the recorded rows make the same combinations, with the same ids."""
    axes = {"u": {"uniform": [0, 1], "when": "on"}, "on": [True, False]}
    sample = {"method": "sobol", "count": 5, "seed": 2}
    space = ParameterSpace.from_document(axes, sample=sample, derived={"twice": lambda u: None if u is None else 2 * u})
    assert not space.is_declarative
    assert "power of 2" in space.notes[0]
    document = json.loads(json.dumps(space.to_document()))
    assert document["axes"]["u"] == {"uniform": [0.0, 1.0], "when": "on"}
    assert document["sample"] == sample
    assert "lambda u" in document["derived"]["twice"]["source"]
    with pytest.raises(WorkflowError, match="cannot be made again"):
        ParameterSpace.from_document(**document)
    assert not ParameterSpace.from_document(axes, sample=sample).is_declarative

    rows = json.loads(json.dumps([list(row.values()) for row in space]))
    table = ParameterSpace.from_table(space.names, rows)
    assert table.is_declarative
    assert list(map(combination_id, table)) == list(map(combination_id, space))
    assert [factor.names for factor in table.factors] == [space.names]


def test_roles_say_what_parameters_are_for() -> None:
    """Which only repeat, which were drawn and how, and from which axes derived ones follow."""
    space = ParameterSpace.from_document(
        {"size": [8, 16], "rate": {"uniform": [0, 1]}, "seed": {"repeat": [5, 6]}, "run": {"repeat": 2}},
        sample={"method": "sobol", "count": 4, "seed": 1},
        derived={"cells": "size ** 2", "step": "rate / cells", "one": "1"},
    )
    assert space.roles == {
        "repeats": ["seed", "run"],
        "sampled": ["rate"],
        "design": "sobol",
        "derived": {"cells": ["size"], "step": ["rate", "size"], "one": []},
    }
    assert ParameterSpace.from_document({}).roles == {"repeats": [], "sampled": [], "design": None, "derived": {}}


def test_tables() -> None:
    """Of one column, of none; empty ones and rows that do not fit are errors."""
    assert list(ParameterSpace.from_table(["a"], [[1], [2]])) == [{"a": 1}, {"a": 2}]
    assert list(ParameterSpace.from_table([], [[]])) == [{}]
    for names, rows, reason in (
        (["a"], [], "a table of 0 rows"),
        ([], [[], []], "a table of 2 rows and 0 names"),
        (["a", "b"], [[1, 2], [1]], "row 1 has 1 values for 2 names"),
        (["a", "a"], [[1, 2]], "a name occurs twice among a, a"),
        (["a", "b"], [[1, 2], [1, 2]], "equal values at positions 0 and 1"),
    ):
        with pytest.raises(WorkflowError, match=reason):
            ParameterSpace.from_table(names, rows)


def test_a_plain_space_needs_no_heavy_library() -> None:
    """Neither importing nor using one loads NumPy, SciPy, pandas or pydantic."""
    program = """
import sys
from sciflow.model.parameters import ParameterSpace
space = ParameterSpace.from_document({"a": [1, 2], "b": {"linspace": [0, 1, 3]}}, derived={"c": "a + b"})
assert space.index_of(space[5]) == 5 and len(list(space)) == 6
print(sorted({"numpy", "scipy", "pandas", "pydantic"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
