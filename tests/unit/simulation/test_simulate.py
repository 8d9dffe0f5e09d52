"""A compiled plan on nodes that are made up."""

from __future__ import annotations

import json

import pytest

from sciflow.errors import PlanError
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


def test_among_others_the_middle_of_three_ways_is_shown(compiled: Compile) -> None:
    """The shortest and the longest are told, the same each time; and a plan takes longer than it would alone."""
    made = compiled(x=range(24), work=WORK)
    alone = simulate(made, "2x8c,64g", now=NOW, is_varied=False).outcome
    first, again = (simulate(made, "2x8c,64g", now=NOW, load=0.9, is_varied=False) for _ in range(2))
    assert first.outcome == again.outcome
    assert first.outcome.seconds > alone.seconds
    assert first.outcome.core_hours == alone.core_hours
    assert first.notes[1].startswith("others use about 90% of the cores; in 3 ways in which they might come, it takes ")
    assert first.to_document()["load"] == 0.9


@pytest.mark.parametrize("load", [-0.1, 1.0, 70])
def test_others_cannot_use_all(compiled: Compile, load: float) -> None:
    """A share is less than one."""
    with pytest.raises(PlanError, match="others cannot use") as caught:
        simulate(compiled(x=[1], work=WORK), "1x8c", now=NOW, load=load)
    assert caught.value.hint == "write a share of them, like `0.7`"
