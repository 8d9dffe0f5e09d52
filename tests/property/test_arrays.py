"""Array jobs: how instances are split within a site's limits, and what waits for what."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.parameters import ParameterSpace
from sciflow.model.profile import Limits
from sciflow.model.resources import Resources
from sciflow.planning.arrays import Placement, chunk_length, dependency
from sciflow.planning.layout import Layout
from sciflow.planning.projection import Projection, Relation

LIMITS = st.builds(
    Limits,
    highest_index=st.none() | st.integers(0, 9),
    indices_per_array=st.none() | st.integers(1, 9),
)
CODES = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def placed(codes: list[int], limits: Limits) -> Placement:
    """Place instances with requests of as many cores as their code."""
    requests = [Resources(cpu_cores=code + 1) for code in range(4)]
    return Placement("t", Layout(np.array(codes, dtype=np.int64), requests, [1] * 4), limits)


@given(CODES, LIMITS)
def test_every_instance_is_somewhere_exactly_once(codes: list[int], limits: Limits) -> None:
    """Indices are 0 … count-1 in each array job, in the order of the instances, all with the request of the array."""
    placement = placed(codes, limits)
    found = list(itertools.chain(*(members.tolist() for members in placement.members)))
    assert sorted(found) == list(range(len(codes)))
    for number, (array, members) in enumerate(zip(placement.arrays, placement.members, strict=True)):
        assert array.name == f"t.{number}"
        assert array.count == len(members) > 0
        assert members.tolist() == sorted(members.tolist())
        assert placement.index_of[members].tolist() == list(range(array.count))
        assert set(placement.array_of[members].tolist()) == {number}
        assert {codes[one] + 1 for one in members} == {array.resources.cpu_cores}


@given(CODES, LIMITS)
def test_no_array_is_larger_than_the_site_allows(codes: list[int], limits: Limits) -> None:
    """The highest index caps the index and the count caps the count; no array is smaller than it needs to be."""
    placement = placed(codes, limits)
    for array in placement.arrays:
        assert limits.highest_index is None or array.count - 1 <= limits.highest_index
        assert limits.indices_per_array is None or array.count <= limits.indices_per_array
    longest = chunk_length(limits) or len(codes)
    assert len(placement.arrays) == sum(-(-codes.count(code) // longest) for code in set(codes))


@given(CODES, LIMITS, st.data())
def test_where_and_array_of_agree(codes: list[int], limits: Limits, data: st.DataObject) -> None:
    """`where` gives the place of each instance in the order asked for, neighbours of one array together."""
    placement = placed(codes, limits)
    asked = data.draw(st.lists(st.integers(0, len(codes) - 1), max_size=20))
    found = placement.where(np.array(asked, dtype=np.int64))
    places = [(name, index) for name, indices in found for index in indices.tolist()]
    assert places == [(f"t.{placement.array_of[one]}", int(placement.index_of[one])) for one in asked]
    assert all(one[0] != other[0] for one, other in itertools.pairwise(found))


class Edge(NamedTuple):
    """Two tasks over one space, placed under limits of their own, and the naive truth of who needs whom."""

    later: Placement
    earlier: Placement
    relation: Relation
    needs: list[set[int]]


@st.composite
def edges(draw: st.DrawFn) -> Edge:
    """Tasks of some parameters each, with a few distinct requests."""
    axes: dict[str, Any] = {name: list(range(draw(st.integers(1, 4)))) for name in "abc"}
    space = ParameterSpace.from_document(axes, constraints=draw(st.sampled_from([[], ["a <= b"], ["a + b + c != 2"]])))
    chosen = [draw(st.sets(st.sampled_from("abc"))) for _ in range(2)]
    later, earlier = (Projection(space, tuple(name for name in "abc" if name in names)) for names in chosen)
    needs: list[set[int]] = [set() for _ in range(len(later))]
    for combination in range(len(space)):
        needs[later.of_combination[combination]].add(int(earlier.of_combination[combination]))
    placements = [
        Placement(
            task,
            Layout(
                np.array(draw(st.lists(st.integers(0, 1), min_size=len(one), max_size=len(one))), dtype=np.int64),
                [Resources(1), Resources(2)],
                [1, 1],
            ),
            draw(LIMITS),
        )
        for task, one in (("later", later), ("earlier", earlier))
    ]
    return Edge(placements[0], placements[1], Relation(later, earlier), needs)


@given(edges())
def test_dependencies_are_those_of_the_instances(edge: Edge) -> None:
    """Element-wise exactly where index i needs index i alone; otherwise all arrays that hold what is needed."""
    for members in edge.later.members:
        after = dependency(members, edge.relation, edge.earlier)
        twins = [
            array.name
            for array, others in zip(edge.earlier.arrays, edge.earlier.members, strict=True)
            if [{one} for one in others.tolist()] == [edge.needs[one] for one in members.tolist()]
        ]
        needed = {f"earlier.{edge.earlier.array_of[one]}" for mine in members.tolist() for one in edge.needs[mine]}
        if twins and not edge.relation.many:
            assert [(one.array, one.kind) for one in after] == [(twins[0], "element")]
        else:
            assert {one.kind for one in after} == {"whole"}
            assert [one.array for one in after] == sorted(needed, key=lambda name: int(name.rpartition(".")[2]))
