"""What is tried again is written down first: by array job and request, each with the script that is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.cause import Cause
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.decide import Action, Decision
from sciflow.run.retry import Again, note, release_all
from sciflow.run.sizing import Ask
from sciflow.run.track import observe, read_plan
from sciflow.run.variants import renderer_of
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files

GIB = 1024**3
ONE = Ask(GIB, 3600)  # as the plan has it


def again(index: int, ask: Ask = ONE, cause: Cause = Cause.NODE_FAILURE, **facts: Any) -> Decision:
    """Return the decision to try an index of `a.0` again."""
    return Decision(("a.0", index), cause, facts.pop("error", ""), facts.pop("action", Action.AGAIN), ask=ask, **facts)


Stage = Callable[..., RunDirectory]


@pytest.fixture
def stage(tmp_path: Path, stage_for_queue: Stage) -> Stage:
    """Return a function that stages a run of eight `a`: (more resources)."""

    def make(**resources: Any) -> RunDirectory:
        workflow = ExperimentalWorkflow("again", tmp_path)
        request = {"cpu_cores": 1, "memory_gb": 1, "max_runtime": "1 h", **resources}
        workflow.add_task("a", command="echo {{ x }}", resources=request)
        workflow.add_parameter_space({"x": list(range(8))})
        return stage_for_queue(workflow)

    return make


def write(run: RunDirectory, *decisions: Decision) -> list[Again]:
    """Write down what was decided."""
    plan = read_plan(run)
    return note(run, plan, observe(run, plan), Journal(run.journal), decisions, renderer_of(run))


def events(run: RunDirectory) -> list[dict[str, Any]]:
    """Return what the journal says of it."""
    wanted = ("indices", "elements", "variant", "memory", "seconds", "cause", "error", "counts", "why")
    found = [event for event in Journal(run.journal).events() if event["event"] == "retry"]
    return [{name: event[name] for name in wanted if name in event} for event in found]


def variants(run: RunDirectory) -> list[str]:
    """Return the scripts that are there besides that of the plan."""
    return sorted(path.stem.partition("@")[2] for path in (run / "scripts").glob("a.0@*.sh"))


def test_what_is_not_tried_again_is_not_written_down(stage: Stage) -> None:
    """Given up, left alone, or not yet decided."""
    run = stage()
    actions = [Action.GIVEN_UP, Action.LEFT, Action.NOT_YET]
    assert write(run, *[again(i, action=action) for i, action in enumerate(actions)]) == []
    assert (events(run), variants(run)) == ([], [])


def test_the_same_request_needs_no_script_of_its_own(stage: Stage) -> None:
    """That of the plan is run, by the same indices; the journal says why, cause by cause."""
    run = stage()
    [one] = write(
        run,
        again(3),
        again(1),
        again(5, cause=Cause.APPLICATION_ERROR, error="ValueError in a.py:3"),
        again(6, cause=Cause.PREEMPTED),
    )
    assert (one.array.name_on_node, one.indices, one.elements) == ("a.0", [1, 3, 5, 6], [1, 3, 5, 6])
    common = {"variant": "", "memory": GIB, "seconds": 3600, "error": "", "counts": True, "why": "again"}
    assert events(run) == [
        {**common, "indices": "1,3", "cause": "node_failure"},
        {**common, "indices": "5", "cause": "application_error", "error": "ValueError in a.py:3"},
        {**common, "indices": "6", "cause": "preempted", "counts": False},
    ]
    assert variants(run) == []


def test_each_request_has_a_script(stage: Stage) -> None:
    """Those with the same request are run by the same one, now and later."""
    run = stage()
    more, most = Ask(2 * GIB, 3600), Ask(GIB, 7200)
    facts = {"cause": Cause.OUT_OF_MEMORY, "action": Action.MORE_MEMORY, "why": "1 GB → 2 GB"}
    groups = write(run, again(0, more, **facts), again(1, most), again(2), again(3, more, **facts))
    assert [(one.array.name_on_node, one.indices) for one in groups] == [
        ("a.0@r1", [0, 3]),
        ("a.0@r2", [1]),
        ("a.0", [2]),
    ]
    assert variants(run) == ["r1", "r2"]
    assert read_document(run.header("a.0@r1"))["request"]["memory_bytes"] == 2 * GIB
    assert read_document(run.header("a.0@r2"))["request"]["runtime_seconds"] == 7200
    assert events(run)[0]["why"] == "with more memory: 1 GB → 2 GB"
    again_later = write(run, again(4, more), again(5, Ask(4 * GIB, 3600)))
    assert [one.array.variant for one in again_later] == ["r1", "r3"]
    assert run.script("a.0@r1").stat().st_mode & 0o111


def test_a_script_that_nobody_has_decided_upon_is_left_to_itself(stage: Stage) -> None:
    """Who was killed before the journal said so has left it; the next one takes another name."""
    run = stage()
    run.script("a.0@r1").write_text("half of")
    [one] = write(run, again(0, Ask(2 * GIB, 3600)))
    assert one.array.variant == "r2"
    assert run.script("a.0@r1").read_text() == "half of"


def test_a_chain_that_is_tried_again_has_links_of_the_same_request(tmp_path: Path, stage_for_queue: Stage) -> None:
    """Each but the first goes on from the checkpoint of the one before."""
    workflow = ExperimentalWorkflow("long", tmp_path)
    request = {"max_runtime": "20 h", "memory_gb": 1}
    workflow.add_task("a", command="echo {{ x }}", resources=request, checkpoints=True)
    workflow.add_parameter_space({"x": [1, 2]})
    run = stage_for_queue(workflow, "partitions: {short: {max_runtime: 12 h, default: true}}\n")
    seconds = read_plan(run).arrays[0].resources.runtime_seconds
    write(run, again(0, Ask(2 * GIB, seconds)))
    assert variants(run) == ["next", "r1", "r1-next"]
    assert "goes_on" not in read_document(run.header("a.0@r1"))
    following = read_document(run.header("a.0@r1-next"))
    assert following["goes_on"] is True
    assert following["request"]["memory_bytes"] == 2 * GIB


# --- packed


def test_of_several_in_an_array_index_only_what_failed_is_run(stage: Stage) -> None:
    """With the walltime of as many as are run at most, and the most that one of them asks for."""
    run = stage(combinations_per_index=4, max_runtime="10 min")
    [one] = write(run, again(1, Ask(GIB, 600)), again(2, Ask(2 * GIB, 600)), again(7, Ask(2 * GIB, 600)))
    assert (one.array.name_on_node, one.indices, one.elements, one.most_members) == ("a.0@r1", [1, 2, 7], [0, 1], 2)
    header = read_document(run.header("a.0@r1"))
    assert (header["only"], header["members"]) == ("1-2,7", 2)
    assert header["request"]["memory_bytes"] == 2 * GIB
    assert header["request"]["runtime_seconds"] == 1200
    [event] = events(run)
    assert (event["indices"], event["elements"], event["seconds"]) == ("1-2,7", "0-1", 600)


def test_array_indices_that_need_different_amounts_are_apart(stage: Stage) -> None:
    """Each script runs its own; also the same request has a new one, as it names others."""
    run = stage(combinations_per_index=4, max_runtime="10 min")
    groups = write(run, again(1, Ask(GIB, 600)), again(7, Ask(2 * GIB, 600)))
    assert [(one.array.variant, one.indices) for one in groups] == [("r1", [1]), ("r2", [7])]
    assert [read_document(run.header(f"a.0@{name}"))["only"] for name in ("r1", "r2")] == ["1", "7"]
    [later] = write(run, again(2, Ask(GIB, 600)))
    assert later.array.variant == "r3"
    assert read_document(run.header("a.0@r3"))["only"] == "2"


def test_of_several_causes_in_an_array_index_all_are_due(stage: Stage) -> None:
    """One line of the journal each, and one submission for all."""
    run = stage(combinations_per_index=4, max_runtime="10 min")
    write(run, again(1, Ask(GIB, 600)), again(2, Ask(GIB, 600), cause=Cause.PREEMPTED))
    submissions = observe(run).submissions
    due = submissions.due("a.0", 0)
    assert due is not None
    assert due.indices == {1, 2}
    assert [event["counts"] for event in events(run)] == [True, False]


# --- brakes


def test_only_what_was_held_back_is_released(stage: Stage) -> None:
    """Those that were not are not named."""
    run = stage()
    assert release_all(run, ["a.0"]) == []
    (run / files.BRAKES).mkdir()
    (run / files.brake("a.0")).write_text("{}")
    assert release_all(run, ["b.0", "a.0"]) == ["a.0"]
    assert release_all(run, ["a.0"]) == []
