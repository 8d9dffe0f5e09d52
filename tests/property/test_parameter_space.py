"""Parameter spaces against a naive product with filters, and what must hold of all of them."""

from __future__ import annotations

import itertools
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace, combination_id

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x02\x03"), max_size=5),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
NAMES = ("a", "b", "c", "d")


class Written(NamedTuple):
    """A space as a user writes it; all values are small integers, conditional ones may be None."""

    axes: dict[str, Any]
    rules: dict[str, Any]


@st.composite
def written_spaces(draw: st.DrawFn) -> Written:
    """Spaces with every kind of rule; some leave nothing, or exclude what is not there."""
    names = NAMES[: draw(st.integers(1, 4))]
    lengths = {name: draw(st.integers(1, 4)) for name in names}
    zipped = draw(st.sampled_from(["", "ab", "ac", "db"]))
    zipped = zipped if set(zipped) <= set(names) else ""
    for name in zipped:
        lengths[name] = lengths[zipped[0]]
    axes: dict[str, Any] = {}
    for name in names:
        axes[name] = draw(st.lists(st.integers(0, 6), min_size=lengths[name], max_size=lengths[name], unique=True))
    # Chains of conditions, each looking at the axis before.
    for before, name in itertools.pairwise(names):
        if draw(st.booleans()):
            limit = draw(st.integers(0, 6))
            axes[name] = {"values": axes[name], "when": f"{before} is not None and {before} <= {limit}"}
    row = st.fixed_dictionaries({name: st.integers(0, 6) for name in names})
    listed = {name: axis["values"] if isinstance(axis, dict) else axis for name, axis in axes.items()}
    listed_row = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in listed.items()})
    rules = {
        "zip_groups": [list(zipped)] if zipped else [],
        "constraints": draw(
            st.lists(
                st.builds("({} or 0) + ({} or 0) {} {}".format, *[st.sampled_from((*names, "x"))] * 2,
                          st.sampled_from(["<=", ">=", "!="]), st.integers(0, 8)),
                max_size=2,
            )
        ),
        "derived": {"x": f"({names[-1]} or 0) * 2", "y": "x + 1"},
        "include": [_with_inactive(axes, one) for one in draw(st.lists(row | listed_row, max_size=3))],
        "exclude": [
            {name: one[name] for name in draw(st.sets(st.sampled_from(names), min_size=1))}
            for one in draw(st.lists(listed_row, max_size=1))
        ],
    }  # fmt: skip
    return Written(axes, rules)


def _with_inactive(axes: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    seen = dict(row)
    for name, axis in axes.items():
        if isinstance(axis, dict) and not eval(axis["when"], {}, seen):
            seen[name] = None
    return seen


def naive(written: Written) -> list[dict[str, Any]]:
    """Every combination, by building the whole product and filtering it."""
    axes, rules = written
    zipped = rules["zip_groups"][0] if rules["zip_groups"] else []
    groups: list[tuple[str, ...]] = []
    for name in axes:
        group = tuple(zipped) if name in zipped else (name,)
        if group not in groups:
            groups.append(group)
    values = {name: axis["values"] if isinstance(axis, dict) else axis for name, axis in axes.items()}
    blocks = [list(zip(*(values[name] for name in group), strict=True)) for group in groups]
    product = [
        dict(zip(itertools.chain(*groups), itertools.chain(*parts), strict=True))
        for parts in itertools.product(*blocks)
    ]
    rows: list[dict[str, Any]] = []
    for row in (_with_inactive(axes, {name: one[name] for name in axes}) for one in product):
        if row not in rows:
            rows.append(row)
    for partial in rules["exclude"]:
        if not any(partial.items() <= row.items() for row in rows):
            raise WorkflowError("matches nothing")
        rows = [row for row in rows if not partial.items() <= row.items()]
    full = [_derived(written, row) for row in rows]
    full = [row for row in full if all(eval(rule, {}, dict(row)) for rule in rules["constraints"])]
    for row in rules["include"]:
        if _derived(written, row) not in full:
            full.append(_derived(written, row))
    if not full:
        raise WorkflowError("nothing left")
    return full


def _derived(written: Written, row: dict[str, Any]) -> dict[str, Any]:
    x = eval(written.rules["derived"]["x"], {}, dict(row))
    return {**row, "x": x, "y": x + 1}


def _made(written: Written) -> tuple[ParameterSpace, list[dict[str, Any]]] | None:
    try:
        expected = naive(written)
    except WorkflowError:
        with pytest.raises(WorkflowError):
            len(ParameterSpace.from_document(written.axes, **written.rules))
        return None
    return ParameterSpace.from_document(written.axes, **written.rules), expected


@settings(max_examples=200, deadline=None)
@given(written_spaces())
def test_size_and_order_equal_a_naive_product(written: Written) -> None:
    """Size, order, values and the order of names are those of a product that is built and filtered; so are errors."""
    made = _made(written)
    if made is None:
        return
    space, expected = made
    assert list(space) == expected
    assert [list(row) for row in space] == [list(space.names)] * len(expected)
    assert len(space) == len(expected)
    assert [space[i] for i in range(len(space))] == expected
    assert [space[i - len(space)] for i in range(len(space))] == expected


@settings(max_examples=100, deadline=None)
@given(written_spaces())
def test_every_combination_is_found_at_its_number(written: Written) -> None:
    """`index_of` is the inverse of `space[i]`, with and without the derived values."""
    made = _made(written)
    if made is None:
        return
    space, expected = made
    for number, row in enumerate(expected):
        assert space.index_of(row) == number
        assert space.index_of({name: row[name] for name in space.axis_names}) == number


@settings(max_examples=100, deadline=None)
@given(written_spaces())
def test_raw_positions_and_factors_describe_the_same_combinations(written: Written) -> None:
    """Every combination can be read off its raw position, by `values_at` and by the factors."""
    made = _made(written)
    if made is None:
        return
    space, expected = made
    raws = space.raw_positions()
    assert str(raws.dtype) == "int64"
    assert [space.values_at(raw, space.names) for raw in raws.tolist()] == expected
    assert [space.values_at(raw, ("y",)) for raw in raws.tolist()] == [{"y": row["y"]} for row in expected]
    for raw, row in zip(raws.tolist(), expected, strict=True):
        for factor in space.factors:
            position = raw // factor.stride % len(factor)
            assert all(row[name] in (None, factor.values(name)[position]) for name in factor.names)


@settings(max_examples=100, deadline=None)
@given(written_spaces(), st.randoms())
def test_ids_are_unique_and_stable(written: Written, random: Any) -> None:
    """Different combinations have different ids; the order of names does not matter."""
    made = _made(written)
    if made is None:
        return
    _, expected = made
    assert len({combination_id(row) for row in expected}) == len(expected)
    for row in expected:
        names = list(row)
        random.shuffle(names)
        assert combination_id({name: row[name] for name in names}) == combination_id(row)


@settings(max_examples=100, deadline=None)
@given(written_spaces())
def test_documents_make_equal_spaces(written: Written) -> None:
    """A document that went through JSON makes an equal space with the same combinations."""
    made = _made(written)
    if made is None:
        return
    space, expected = made
    again = ParameterSpace.from_document(**json.loads(json.dumps(space.to_document())))
    assert space.is_declarative
    assert again == space
    assert hash(again) == hash(space)
    assert list(again) == expected


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=3), min_size=1))
def test_any_allowed_values_survive_a_round_trip(axes: dict[str, list[Any]]) -> None:
    """Whatever values are allowed come back from JSON as they were, of the same types."""
    distinct = {name: list(dict.fromkeys(values)) for name, values in axes.items()}
    space = ParameterSpace.from_document(distinct)
    again = ParameterSpace.from_document(**json.loads(json.dumps(space.to_document())))
    assert repr(list(again)) == repr(list(space))
    assert [space.index_of(row) for row in space] == list(range(len(space)))


@given(VALUES, VALUES)
def test_ids_tell_values_apart_by_type_too(one: Any, other: Any) -> None:
    """Two values have one id exactly if they are written the same in Python."""
    assert (combination_id({"a": one}) == combination_id({"a": other})) == (repr(one) == repr(other))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["random", "lhs", "sobol"]),
    st.integers(1, 40),
    st.integers(0, 2**32),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.integers(-5, 5),
    st.integers(0, 9),
)
def test_samples_stay_in_their_bounds_and_repeat(
    method: str, count: int, seed: int, low: float, width: float, first: int, more: int
) -> None:
    """Sampled values are of the right kind and within bounds, and the same for the same seed."""
    axes = {
        "u": {"uniform": [low, low + width]},
        "g": {"loguniform": [width, width * 100]},
        "n": {"integers": [first, first + more]},
        "k": {"choice": ["x", ("y", 1)]},
        "extra": [1, 2],
    }
    sample = {"method": method, "count": count, "seed": seed}
    space = ParameterSpace.from_document(axes, sample=sample)
    assert len(space) == 2 * count
    for row in space:
        assert low <= row["u"] <= low + width
        assert width <= row["g"] <= width * 100
        assert type(row["n"]) is int
        assert first <= row["n"] <= first + more
        assert row["k"] in ("x", ("y", 1))
    assert list(ParameterSpace.from_document(axes, sample=sample)) == list(space)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32), st.integers(1, 4))
def test_latin_hypercubes_have_one_point_in_each_stratum(count: int, seed: int, dimensions: int) -> None:
    """Cut into as many strata as points, every axis has one point in each."""
    axes = {name: {"uniform": [0, count]} for name in NAMES[:dimensions]}
    space = ParameterSpace.from_document(axes, sample={"method": "lhs", "count": count, "seed": seed})
    for name in axes:
        assert sorted(int(row[name]) for row in space) == list(range(count))


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 2**63))
def test_more_repeats_keep_the_seeds_of_fewer(few: int, more: int, seed: int) -> None:
    """The first seeds do not change when repeats are added, and all differ."""
    small, large = (
        [row["s"] for row in ParameterSpace.from_document({"s": {"repeat": n, "seed": seed}})]
        for n in (few, few + more)
    )
    assert large[:few] == small
    assert len(set(large)) == len(large)
    assert all(0 <= one < 2**31 for one in large)
