"""When array jobs begin and end at the earliest."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sciflow import Engine, ExperimentalWorkflow
from sciflow.model.plan import ArrayJob, Dependency, Plan, Wave
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.earliest import Earliest, at_once

NOW = datetime(2031, 5, 17, 12, tzinfo=timezone.utc)
HOUR = 3600
SITE: dict[str, Any] = {"name": "site", "scheduler": "slurm"}


def job(name: str, elements: int, hours: float, *after: tuple[str, Any], **more: Any) -> ArrayJob:
    """An array job of one core each."""
    request = Resources(runtime_seconds=round(hours * HOUR))
    waits = tuple(Dependency(*one) for one in after)
    return ArrayJob(name, name.partition(".")[0], elements, request, waits, **more)


def hours(arrays: list[ArrayJob], canaries: int = 0, **profile: Any) -> dict[str, tuple[float | None, float | None]]:
    """Array job → hours from now until its start and its end."""
    plan = Plan("w", "site", 1, tuple(arrays))
    earliest = Earliest(plan, ClusterProfile.model_validate(SITE | profile), NOW, canaries)

    def passed(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - NOW) / timedelta(hours=1)

    spans = {name: earliest.of(names) for name, names in [(one.name, [one.name]) for one in arrays]}
    spans["all"] = earliest.of(one.name for one in arrays)
    return {name: (passed(span.start), passed(span.end)) for name, span in spans.items()}


def test_the_longest_chain_of_requests_is_a_bound() -> None:
    """Where the profile says nothing of nodes, all run side by side; links of a chain come one after another."""
    arrays = [
        job("a.0", 100, 1),
        job("b.0", 100, 2, ("a.0", "element"), links=3),
        job("c.0", 1, 0.5, ("a.0", "whole"), ("b.0", "whole")),
    ]
    assert hours(arrays) == {"a.0": (0, 1), "b.0": (1, 7), "c.0": (7, 7.5), "all": (0, 7.5)}


def test_the_same_index_goes_on_while_others_run() -> None:
    """With 10 at a time the first of `b` begins when the first of `a` has ended, and the last when the last has."""
    arrays = [job("a.0", 100, 1), job("b.0", 100, 0.5, ("a.0", "element"))]
    assert hours(arrays, limits={"running_indices": 10}) == {"a.0": (0, 10), "b.0": (1, 10.5), "all": (0, 10.5)}


def test_nothing_begins_before_its_begin_time() -> None:
    """What waits for it follows; waves are counted from their own begin, with all that comes later."""
    tonight, tomorrow = NOW + timedelta(hours=10), NOW + timedelta(hours=34)
    waves = (Wave(0, 40, tonight), Wave(40, 30, tomorrow))
    arrays = [job("a.0", 70, 1, begin=tonight, waves=waves), job("b.0", 1, 1, ("a.0", "whole"))]
    assert hours(arrays, limits={"running_indices": 10}) == {"a.0": (10, 37), "b.0": (37, 38), "all": (10, 38)}
    assert hours(arrays, limits={"running_indices": 2})["a.0"] == (10, 49)


def test_what_asks_for_no_runtime_ends_nobody_knows_when() -> None:
    """Nor is it known when that begins which waits for it."""
    arrays = [job("a.0", 4, 0), job("b.0", 4, 1, ("a.0", "element")), job("c.0", 4, 1)]
    assert hours(arrays) == {"a.0": (0, None), "b.0": (None, None), "c.0": (0, 1), "all": (0, None)}


def test_all_work_before_an_end_has_to_be_done_on_the_nodes_that_there_are() -> None:
    """Two array jobs of 80 core-hours each share 8 cores, in the order of submission; what gathers waits for both."""
    nodes: dict[str, Any] = {"partitions": {"all": {"nodes": 2, "cpu_cores": 4, "default": True}}}
    arrays = [job("a.0", 80, 1), job("a.1", 80, 1), job("b.0", 1, 1, ("a.0", "whole"), ("a.1", "whole"))]
    assert hours(arrays, **nodes) == {"a.0": (0, 10), "a.1": (0, 20), "b.0": (20, 21), "all": (0, 21)}


@pytest.mark.parametrize(
    ("resources", "profile", "expected"),
    [
        (Resources(4), {}, None),
        (Resources(4), {"limits": {"running_indices": 7}}, 7),
        (Resources(4), {"capacity": {"nodes": 3, "cpu_cores": 10}}, 6),
        (Resources(1, 5 * GIB), {"capacity": {"nodes": 3, "cpu_cores": 10, "memory_gb": 16}}, 9),
        (Resources(1, gpus=2), {"capacity": {"nodes": 3, "cpu_cores": 10, "gpus": 4}}, 6),
        (Resources(4, nodes=2), {"capacity": {"nodes": 7, "cpu_cores": 4}}, 3),
        (Resources(2, mpi_tasks=8, nodes=2), {"capacity": {"nodes": 4, "cpu_cores": 16}}, 4),
        (Resources(4), {"capacity": {"nodes": 3, "cpu_cores": 10}, "limits": {"running_indices": 5}}, 5),
        (Resources(2), {"scheduler": "local", "capacity": {"cpu_cores": 9}, "limits": {"running_indices": 1}}, 4),
    ],
)
def test_how_many_run_side_by_side(resources: Resources, profile: dict[str, Any], expected: int | None) -> None:
    """As many as the profile lets run, and as its nodes have room for: cores, memory and GPUs, on whole nodes."""
    array = ArrayJob("a.0", "a", 100, resources)
    assert at_once(resources, array, ClusterProfile.model_validate(SITE | profile)) == expected


def test_what_is_alike_takes_turns_on_the_nodes() -> None:
    """The second of two array jobs that ask for the same ends when both have had room; others may end before."""
    place: dict[str, Any] = {"partitions": {"main": {"cpu_cores": 8, "nodes": 1, "default": True}}}
    arrays = [job("a.0", 24, 1), job("a.1", 16, 1), job("b.0", 8, 1)]
    assert hours(arrays, **place) == {"a.0": (0, 3), "a.1": (0, 5), "b.0": (0, 1), "all": (0, 6)}
    throttled = hours(arrays, **place, limits={"running_indices": 4})
    assert throttled == {"a.0": (0, 6), "a.1": (0, 4), "b.0": (0, 2), "all": (0, 6)}


def test_canaries_run_alone() -> None:
    """The others begin when they have ended, in as many rounds as these need; too few to be cut have none."""
    arrays = [job("a.0", 60, 1), job("b.0", 1, 0.5, ("a.0", "whole")), job("c.0", 6, 1)]
    assert hours(arrays, 3, limits={"running_indices": 20}) == {
        "a.0": (0, 4),
        "b.0": (4, 4.5),
        "c.0": (0, 1),
        "all": (0, 4.5),
    }


def test_manners_bound_how_many_run_at_once() -> None:
    """By a share of the cores, by core-hours, and by day and by night; one runs in any case."""
    arrays = [job("a.0", 40, 5)]
    nodes = {"partitions": {"main": {"cpu_cores": 20, "nodes": 1, "default": True}}, "timezone": "UTC"}
    assert hours(arrays, **nodes)["a.0"] == (0, 10)
    assert hours(arrays, **nodes, manners={"share": 0.5})["a.0"] == (0, 20)
    assert hours(arrays, **nodes, manners={"core_hours": 3})["a.0"] == (0, 200)
    # It is Saturday noon, and night until Monday at 8:00; from then on two run at once.
    assert hours(arrays, manners={"running_by_day": 2, "running_by_night": 20}, **nodes)["a.0"] == (0, 10)
    slow = {"running_by_day": 2, "running_by_night": 4}
    assert hours(arrays, manners=slow, **nodes)["a.0"] == (0, 55)


@pytest.mark.parametrize("nodes", [1, 3])
def test_no_simulation_ends_sooner(nodes: int) -> None:
    """A plan that is played on the same nodes ends as early as the bound, or later."""
    workflow = ExperimentalWorkflow("w")
    workflow.add_task("a", lambda x: {"y": x}, resources={"cpu_cores": 2, "max_runtime_hours": "x + 1"})
    workflow.add_task("b", lambda a, x: {"z": x}, depends_on=["a"], resources={"max_runtime": "30 min"})
    workflow.add_task("c", lambda b: {"s": 1}, depends_on=["b"], over="all", resources={"max_runtime": "10 min"})
    workflow.add_parameter_space({"x": range(9)})
    simulation = Engine().simulate(workflow, f"{nodes}x4c", now=NOW)
    place = ClusterProfile.model_validate(SITE | {"capacity": {"nodes": nodes, "cpu_cores": 4}})
    end = Earliest(simulation.plan, place, NOW).of(one.name for one in simulation.plan.arrays).end
    assert end is not None
    assert NOW + timedelta(hours=9) < end <= NOW + timedelta(seconds=simulation.outcome.seconds)
