"""A compiled plan on nodes that are made up."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.simulation import play
from sciflow.simulation import simulate as module
from sciflow.simulation.simulate import simulate
from unit.simulation.conftest import HOUR, NOW, Compile

WORK = {"resources": {"max_runtime": "1 h", "memory_gb": 2}}


def test_it_says_what_it_rests_on(compiled: Compile) -> None:
    """Walltimes that were asked for, runtimes that were said, tasks that say nothing, and what would not be ready."""
    made = compiled(x=[1, 2], first={}, work=WORK)
    asked = simulate(made, "1x8c", now=NOW)
    assert asked.notes == (
        "every index runs as long as it asks for: an upper bound",
        "nobody else is on these nodes, and nothing fails",
        "`first` asks for no walltime and counts as taking no time: `--runtime first='20 min'` says more",
    )
    said = simulate(made, "1x8c", {"work": "x", "first": 0.5}, NOW)
    assert said.notes[0].startswith(
        "`work` runs x, `first` runs 0.5 h, as was said; all else runs as long as it asks for"
    )
    assert said.notes[2].startswith("1 instance of `work` would take longer than asked for: ")
    assert said.outcome.seconds == HOUR


def test_the_nodes_may_be_those_of_the_profile(compiled: Compile) -> None:
    """Two nodes with room for one of three each."""
    profile = {"partitions": {"main": {"nodes": 2, "cpu_cores": 8, "memory_gb": 3, "default": True}}}
    assert simulate(compiled(x=[1, 2, 3], profile=profile, work=WORK), "nodes=profile", now=NOW).outcome.seconds == 7200


def test_of_a_large_plan_only_itself_is_played(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other ways would take several times as long; it is said that they are left out."""
    made = compiled(x=range(8), work=WORK)
    assert len(simulate(made, "1x8c", now=NOW).outcomes) == 3
    assert len(simulate(made, "1x8c", now=NOW, is_varied=False).outcomes) == 1
    monkeypatch.setattr(module, "MOST_VARIED", 7)
    large = simulate(made, "1x8c", now=NOW)
    assert list(large.outcomes) == ["as planned"]
    assert large.notes[-1] == "other ways are left out for more than 7 array indices: there are 8"


def test_it_is_a_document(compiled: Compile) -> None:
    """All of it can be written as JSON."""
    document = json.loads(json.dumps(simulate(compiled(x=[1], work=WORK), "2x8c,4g", now=NOW).to_document()))
    assert document["nodes"] == [{"count": 2, "cores": 8, "memory": 4 * 1024**3, "gpus": 0, "partition": ""}]
    outcome = document["outcomes"]["as planned"]
    assert (outcome["seconds"], outcome["used"], outcome["packing"]) == (HOUR, 1 / 16, 1.0)
    assert outcome["arrays"][0]["name"] == "work.0"


def test_a_long_backlog_gets_what_others_leave(compiled: Compile) -> None:
    """Half of the cores, twice the time; the hours of the nodes are those that are left."""
    made = compiled(x=range(48), work=WORK)
    alone, among = (simulate(made, "2x8c,64g", now=NOW, load=load, is_varied=False) for load in (0, 0.5))
    assert (alone.outcome.seconds, among.outcome.seconds) == (3 * HOUR, 6 * HOUR)
    assert (among.outcome.core_hours, among.outcome.available, among.cores) == (48, 48, 8)
    assert among.notes[1].startswith("others use 8 of 16 cores all the time, close together; what is left is all for ")
    document = among.to_document()
    assert (document["load"], document["left"][0]["count"]) == (0.5, 1)


def test_others_may_leave_too_little_for_one_index(compiled: Compile) -> None:
    """It is refused, and not promised for some time."""
    made = compiled(x=[1], work={"resources": {"max_runtime": "1 h", "cpu_cores": 8}})
    with pytest.raises(PlanError, match=r"8 cores, .* where others use 0.5 of the cores") as caught:
        simulate(made, "1x8c", now=NOW, load=0.5)
    assert caught.value.hint == "give a smaller share, or more nodes"


def test_many_nodes_cost_no_more_than_can_be_used(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two indices never need more than two nodes of a kind, and no others are made."""
    made: list[int] = []

    class Counting(VirtualCluster):
        def __init__(self, nodes: Any, *rest: Any) -> None:
            made.append(len(nodes))
            super().__init__(nodes, *rest)

    monkeypatch.setattr(play, "VirtualCluster", Counting)
    assert simulate(compiled(x=[1, 2], work=WORK), "20000x64c", now=NOW).outcome.seconds == HOUR
    assert made == [2]


def test_for_many_nodes_and_indices_other_ways_are_left_out(compiled: Compile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them would take as long again."""
    monkeypatch.setattr(module, "MOST_LOOKS", 31)
    large = simulate(compiled(x=range(8), work=WORK), "4x1c", now=NOW)
    assert list(large.outcomes) == ["as planned"]
    assert large.notes[-1] == "other ways are left out for so many nodes and array indices: there are 8 indices"


def deadline(compiled: Compile, hours: int, **more: Any) -> tuple[str, ...]:
    """Return the notes on three hours of work that are to be done in some hours."""
    when = (NOW + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")
    made = compiled(x=range(24), schedule={"policy": "deadline", "deadline": when}, work=WORK, **more)
    return simulate(made, "1x8c", now=NOW).notes


def test_whether_the_deadline_is_kept_is_said_first(compiled: Compile) -> None:
    """And if it is not, by how much it is missed, and in which other ways it would be kept; of fewer at once none."""
    assert deadline(compiled, 5)[0] == "the deadline 2031-05-14 21:00 is kept, with 2 h to spare"
    assert deadline(compiled, 2)[0] == "the deadline 2031-05-14 18:00 is missed by 1 h, as planned"
    assert deadline(compiled, 3, recovery={"canaries": 4})[0] == (
        "the deadline 2031-05-14 19:00 is missed by 1 h, kept by: all at once now"
    )


def test_a_deadline_that_so_few_at_once_cannot_keep_is_refused(compiled: Compile) -> None:
    """That needs no simulation."""
    with pytest.raises(PlanError, match="the earliest possible end is 2031-05-14 22:00"):
        deadline(compiled, 4, profile={"limits": {"running_indices": 4}})


def test_what_chains_lose_is_said(compiled: Compile) -> None:
    """The time between the warning and the end of each link but the last."""
    site = {"partitions": {"main": {"max_runtime": "4 h", "default": True}}}
    made = compiled(x=[1], profile=site, work={"checkpoints": True, "resources": {"max_runtime": "10 h"}})
    assert simulate(made, "1x8c", now=NOW).notes[-1] == (
        "`work` goes on in up to 3 links; the last 2 min of each before the last count as lost"
    )


def test_what_takes_no_time_is_not_limited(compiled: Compile) -> None:
    """All of it is over at once however few may run."""
    made = compiled(x=range(4), work=WORK, post={"depends_on": ["work"]})
    assert list(simulate(made, "1x2c", now=NOW).outcomes) == ["as planned"]
