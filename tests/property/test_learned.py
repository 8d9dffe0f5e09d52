"""Plans by what was learned: whatever that was, each instance gets what it needs, and who needs whom stays true."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.errors import PlanError
from sciflow.model.advice import Advice, Wanted
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled
from sciflow_shim import files

TASKS = ("draw", "melt", "mean")
LONGEST, MOST = 4 * 3600, 16 * GIB
Known = dict[tuple[str, int, int], Wanted]


def known_by(chance: np.random.Generator, share: float, shape: tuple[int, int]) -> Known:
    """Something learned of a share of the instances: amounts close to each other, and far from each other."""
    found = {}
    for key in ((task, x, y) for task in TASKS for x in range(shape[0]) for y in range(shape[1])):
        if chance.random() < share:
            amounts = [float(chance.choice([0.0, 1.0, 1.1, 1.2, 5.0, 20.0])) for _ in range(3)]
            memory, seconds, expected = amounts[0] * GIB, amounts[1] * 1000, amounts[2] * 300
            found[key] = Wanted(int(memory), int(seconds), int(chance.integers(5)), expected, 0.9)
    return found


def compiled_by(wanted: Known, shape: tuple[int, int], site: dict[str, Any], pack: int | None) -> Compiled:
    """Compile three tasks over x and y: two instance by instance, one that gathers over y."""
    workflow = ExperimentalWorkflow("melting")
    workflow.add_parameter_space({"x": list(range(shape[0])), "y": list(range(shape[1]))})
    asks: dict[str, Any] = {"memory_gb": "1 + x % 2", "max_runtime_hours": 2}
    workflow.add_task("draw", command="echo {{ x }} {{ y }}", resources={**asks, "combinations_per_index": pack})
    workflow.add_task("melt", command="echo {{ x }} {{ y }}", depends_on=["draw"], resources={"max_runtime_hours": 1})
    workflow.add_task("mean", command="echo {{ x }}", depends_on=["melt"], over=["y"])
    by_task = {
        task: lambda parameters, task=task: wanted.get((task, parameters["x"], parameters.get("y", 0)), Wanted())
        for task in ("draw", "melt", "mean")
    }
    partition = {"max_runtime": "4 h", "memory_gb": 16, "cpu_cores": 8, "default": True, **site}
    profile = ClusterProfile.model_validate(
        {"name": "site", "scheduler": "slurm", "partitions": {"main": partition}, "limits": {"highest_index": 6}}
    )
    return build_plan(workflow, profile, advice=Advice("r", by_task))


@st.composite
def plans(draw: st.DrawFn) -> tuple[Known, Compiled]:
    """Something learned of some instances, and the plan by that."""
    shape = draw(st.sampled_from([(1, 1), (2, 3), (7, 4), (9, 5), (12, 4)]))
    chance = np.random.default_rng(draw(st.integers(0, 10**6)))
    wanted = known_by(chance, draw(st.sampled_from([0.1, 0.9, 1.0])), shape)
    nodes = draw(st.sampled_from([{}, {"nodes": 1}, {"nodes": 40}]))
    try:
        return wanted, compiled_by(wanted, shape, nodes, draw(st.sampled_from([None, 2])))
    except PlanError as error:  # what the user packs may be too long together, and is refused
        if "packs 2 combinations" not in error.hint:
            raise
        return {}, compiled_by({}, shape, nodes, None)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_each_gets_what_it_needs(planned: tuple[Known, Compiled]) -> None:
    """And those that share an array index all of their time together; nothing exceeds what the site has."""
    wanted, compiled = planned
    for array in compiled.plan.arrays:
        members, projection = compiled.members(array).tolist(), compiled.projections[array.task]
        found = [projection.parameters(one) for one in members]
        needs = [wanted.get((array.task, one["x"], one.get("y", 0)), Wanted()) for one in found]
        assert array.resources.memory_bytes <= MOST
        assert array.resources.runtime_seconds <= LONGEST
        assert array.resources.memory_bytes >= max(min(need.memory_bytes, MOST) for need in needs)
        for element in range(array.elements):
            together = [needs[index].runtime_seconds for index in array.of_element(element)]
            assert array.resources.runtime_seconds >= min(sum(together), LONGEST)
        if array.task == "draw" and not any(need.memory_bytes for need in needs):
            assert {1 + one["x"] % 2 for one in found} == {array.resources.memory_bytes / GIB}


@settings(max_examples=40, deadline=None)
@given(plans())
def test_every_instance_is_there_once(planned: tuple[Known, Compiled]) -> None:
    """In an order of its own, by which the lines are written."""
    _, compiled = planned
    for task, projection in compiled.projections.items():
        arrays = [array for array in compiled.plan.arrays if array.task == task]
        members = [one for array in arrays for one in compiled.members(array).tolist()]
        assert sorted(members) == list(range(len(projection)))
        lines = [json.loads(line) for array in arrays for line in compiled.array_lines(array)]
        assert [line["instance"] for line in lines] == members
        assert all(line["parameters"] == projection.parameters(line["instance"]) for line in lines)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_who_needs_whom_stays_true(planned: tuple[Known, Compiled]) -> None:
    """What was element-wise is so; what gathers finds each of its instances, in the space's order, and waits for it."""
    wanted, compiled = planned
    arrays = compiled.plan.arrays
    is_learned = any(one.memory_bytes or one.runtime_seconds for (task, _, _), one in wanted.items() if task != "mean")
    is_packed = compiled.workflow.resources["draw"].combinations_per_index is not None
    for array in arrays if is_learned and not is_packed else ():
        if array.task == "melt":
            twin = compiled.header(array)["upstream"]["draw"]["array"]
            assert compiled.members(compiled.plan.array(twin)).tolist() == compiled.members(array).tolist()
            assert [(one.array, one.kind) for one in array.after] == [(twin, "element")]
    instance = {
        (array.name, index): one for array in arrays for index, one in enumerate(compiled.members(array).tolist())
    }
    relation = compiled.relations["mean", "melt"]
    for array in arrays:
        for line in map(json.loads, compiled.array_lines(array)) if array.task == "mean" else ():
            if relation.many:
                places = [
                    (name, index) for name, text in line["upstream"]["melt"] for index in files.parse_ranges(text)
                ]
                assert [instance[place] for place in places] == relation.needed(line["instance"]).tolist()
                assert {name for name, _ in places} <= {one.array for one in array.after}


def test_what_a_user_packs_too_tightly_is_refused() -> None:
    """What was learned does not make two of three hours fit into four."""
    wanted = {("draw", 0, y): Wanted(runtime_seconds=3 * 3600) for y in range(2)}
    with pytest.raises(PlanError, match="asks for 6 h, but partition `main` allows 4 h"):
        compiled_by(wanted, (1, 2), {}, 2)
