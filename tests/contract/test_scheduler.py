"""What every scheduler must do: submit, query, cancel, and hold to dependencies and requests."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.records import read_state

MakeSite = Callable[[ExperimentalWorkflow], Any]
DONE = State.COMPLETED


def workflow_of(x: list[int], *tasks: tuple[Any, ...], **resources: Any) -> ExperimentalWorkflow:
    """Make a workflow over one axis; each task is (name, function) or (name, function, depends_on, over)."""
    workflow = ExperimentalWorkflow("contract")
    for name, function, *more in tasks:
        depends_on, over = (*more, (), ())[:2] if more else ((), ())
        workflow.add_task(name, function, depends_on=depends_on, over=over, resources=resources.get(name))
    workflow.add_parameter_space({"x": x})
    return workflow


def test_what_was_submitted_waits_and_then_is_done(make_site: MakeSite) -> None:
    """Every index is pending at first and completed at the end; job ids are texts, one for each array."""

    def first(x):
        return {"y": x}

    def second(first):
        return {"z": first["y"]}

    site = make_site(workflow_of([1, 2, 3], ("first", first), ("second", second, "first")))
    jobs = site.submit_all()
    assert all(isinstance(job, str) and job for job in jobs.values())
    assert len(set(jobs.values())) == 2
    assert site.states(jobs) == {"first.0": [State.PENDING] * 3, "second.0": [State.PENDING] * 3}
    site.finish()
    assert site.states(jobs) == {"first.0": [DONE] * 3, "second.0": [DONE] * 3}


def test_unknown_jobs_are_left_out(make_site: MakeSite) -> None:
    """A question about jobs that nobody knows has no answer, which is no error and no state."""
    site = make_site(workflow_of([1], ("task", lambda x: None)))
    assert site.scheduler.query(["987654321", "task.0"]) == {}
    [job] = site.submit_all().values()
    assert set(site.scheduler.query([job, "no such job"])) == {job}
    assert site.scheduler.query([]) == {}
    site.finish()


def test_every_index_runs_exactly_once(make_site: MakeSite, notebook: Any) -> None:
    """Of many indices none is left out and none runs twice, and each leaves one record."""
    note = notebook.note

    def task(x, context):
        note(f"{x} {context.index} {context.attempt}")

    site = make_site(workflow_of(list(range(60)), ("task", task)))
    site.submit_all()
    site.finish()
    assert Counter(notebook.lines()) == Counter({f"{x} {x} 1": 1 for x in range(60)})
    records = list(site.run.records("task.0"))
    assert {(one.index, one.attempt) for one in records} == {(index, 1) for index in range(60)}
    assert {getattr(read_state(one.path), "state", None) for one in records} == {DONE}


def test_only_the_indices_that_were_submitted_run(make_site: MakeSite, notebook: Any) -> None:
    """Some indices can be submitted, each as the attempt that it is; the others have no state."""
    note = notebook.note

    def task(x, context):
        note(f"{context.index} {context.attempt}")

    site = make_site(workflow_of([10, 20, 30, 40, 50], ("task", task)))
    [array] = site.plan.arrays
    job = site.submit(array, {1: 1, 4: 1})
    site.finish()
    assert sorted(notebook.lines()) == ["1 1", "4 1"]
    assert site.states({"task.0": job}) == {"task.0": [DONE, DONE]}
    assert {one.index for one in site.run.records("task.0")} == {1, 4}


def test_an_index_starts_when_the_same_index_before_it_is_done(make_site: MakeSite, notebook: Any) -> None:
    """Element by element: `later[1]` runs while `earlier[0]` still does."""
    signal, wait_for = notebook.signal, notebook.wait_for

    def earlier(x):
        if x == 0:
            wait_for("later-1-ran")

    def later(earlier, x):
        signal(f"later-{x}-ran")

    site = make_site(workflow_of([0, 1], ("earlier", earlier), ("later", later, "earlier")))
    assert [one.kind for one in site.plan.arrays[1].after] == ["element"]
    if not site.waits_by_index:
        pytest.skip("here array jobs wait for array jobs as wholes only")
    jobs = site.submit_all()
    site.finish()
    assert site.states(jobs) == {"earlier.0": [DONE] * 2, "later.0": [DONE] * 2}


def test_an_index_starts_after_the_same_index_before_it(make_site: MakeSite, notebook: Any) -> None:
    """Wherever that is: its own result is there."""
    note = notebook.note

    def earlier(x):
        note(f"earlier {x}")
        return {"y": x * 10}

    def later(earlier, x):
        note(f"later {x} {earlier['y']}")

    site = make_site(workflow_of([1, 2, 3], ("earlier", earlier), ("later", later, "earlier")))
    jobs = site.submit_all()
    site.finish()
    assert site.states(jobs) == {"earlier.0": [DONE] * 3, "later.0": [DONE] * 3}
    lines = notebook.lines()
    assert all(lines.index(f"earlier {x}") < lines.index(f"later {x} {x * 10}") for x in (1, 2, 3))


def test_an_index_that_needs_all_starts_after_all(make_site: MakeSite, notebook: Any) -> None:
    """The whole array: what gathers starts after the last index, whatever their order."""
    note = notebook.note

    def earlier(x):
        note(f"earlier {x}")
        return {"y": x}

    def gather(earlier):
        note("gather")
        return {"sum": sum(one["y"] for one in earlier)}

    site = make_site(workflow_of([5, 1, 3, 2], ("earlier", earlier), ("gather", gather, "earlier", "all")))
    assert [one.kind for one in site.plan.arrays[1].after] == ["whole"]
    jobs = site.submit_all()
    site.finish()
    assert notebook.lines()[-1] == "gather"
    assert len(notebook.lines()) == 5
    assert site.states(jobs)["gather.0"] == [DONE]


def test_a_task_that_all_need_runs_first(make_site: MakeSite, notebook: Any) -> None:
    """One instance before many: all wait for it."""
    note = notebook.note

    def prepare():
        note("prepare")
        return {"y": 7}

    def use(prepare, x):
        note(f"use {prepare['y']}")

    site = make_site(workflow_of([1, 2, 3], ("prepare", prepare), ("use", use, "prepare")))
    jobs = site.submit_all()
    site.finish()
    assert notebook.lines() == ["prepare"] + ["use 7"] * 3
    assert site.states(jobs) == {"prepare.0": [DONE], "use.0": [DONE] * 3}


def test_a_failed_index_holds_back_only_what_needs_it(make_site: MakeSite, notebook: Any) -> None:
    """Its own line of tasks ends, and what gathers everything; all others complete."""
    note = notebook.note

    def first(x):
        if x == 2:
            raise ValueError("no good")
        return {"y": x}

    def second(first, x):
        note(f"second {x}")

    def third(second, x):
        note(f"third {x}")

    def gather(first):
        note("gather")

    tasks = [("first", first), ("second", second, "first"), ("third", third, "second")]
    site = make_site(workflow_of([1, 2, 3], *tasks, ("gather", gather, "first", "all")))
    jobs = site.submit_all()
    site.finish()
    held = State.UPSTREAM_FAILED
    assert site.states(jobs) == {
        "first.0": [DONE, State.FAILED, DONE],
        "second.0": [DONE, held, DONE],
        "third.0": [DONE, held, DONE],
        "gather.0": [held],
    }
    assert sorted(notebook.lines()) == ["second 1", "second 3", "third 1", "third 3"]


def test_indices_run_side_by_side(make_site: MakeSite, notebook: Any) -> None:
    """As many run at once as there is room for: four that wait for each other all end."""
    signal, wait_for = notebook.signal, notebook.wait_for

    def task(x):
        signal(f"here-{x}")
        for other in range(4):
            wait_for(f"here-{other}")

    site = make_site(workflow_of([0, 1, 2, 3], ("task", task)))
    jobs = site.submit_all()
    site.finish()
    assert site.states(jobs) == {"task.0": [DONE] * 4}


def test_requests_are_never_exceeded(make_site: MakeSite, notebook: Any) -> None:
    """At no moment do the indices that run hold more cores, memory or GPUs together than there are."""
    note = notebook.note
    held = {"wide": (3, 1, 0), "big": (1, 3, 0), "fast": (1, 0.5, 1), "plain": (1, 0, 0)}

    def task_named(name):
        def task(x):
            note(f"+ {name}")
            sum(range(3_000_000))  # long enough for others to start meanwhile
            note(f"- {name}")

        return task

    requests = {n: {"cpu_cores": c, "memory_gb": m or None, "gpus": g} for n, (c, m, g) in held.items()}
    site = make_site(workflow_of(list(range(12)), *((name, task_named(name)) for name in held), **requests))
    jobs = site.submit_all()
    site.finish()
    assert {one for array in site.states(jobs).values() for one in array} == {DONE}
    running: Counter[str] = Counter()
    most = 0
    for line in notebook.lines():
        sign, name = line.split()
        running[name] += 1 if sign == "+" else -1
        total = [sum(count * held[one][kind] for one, count in running.items()) for kind in range(3)]
        assert total[0] <= 4, running
        assert total[1] <= 4, running
        assert total[2] <= 2, running
        most = max(most, running.total())
    assert most > 1


def test_a_request_that_can_never_be_met_is_refused(make_site: MakeSite, impossible: list[dict[str, int]]) -> None:
    """What no machine there has is an error at submission, not a job that waits for ever."""
    from dataclasses import replace

    site = make_site(workflow_of([1], ("task", lambda x: None)))
    [array] = site.plan.arrays
    for more in impossible:
        greedy = replace(array, resources=array.resources._replace(**more))
        with pytest.raises(SchedulerError, match=r"`task\.0`"):
            site.submit(greedy, {0: 1})


def test_states_go_forward(make_site: MakeSite) -> None:
    """An index is pending, then running, then final; never back, and what is heard agrees with what is told."""

    def first(x):
        if x == 1:
            raise ValueError

    site = make_site(workflow_of([0, 1, 2], ("first", first), ("second", lambda first, x: None, "first")))
    jobs = site.submit_all()
    seen: dict[tuple[str, int], list[State]] = {}

    def look(event: dict[str, Any]) -> None:
        known = site.states(jobs)
        for array, all_states in known.items():
            for index, state in enumerate(all_states):
                history = seen.setdefault((array, index), [State.PENDING])
                if history[-1] is not state:
                    history.append(state)
        if event["event"] == "ended":
            assert known[event["array"]][event["index"]] == State(event["state"])

    site.finish(look)
    way = [State.PENDING, State.RUNNING]
    assert {place: history[-1] for place, history in seen.items()} == {
        **{(name, index): DONE for name in ("first.0", "second.0") for index in (0, 2)},
        ("first.0", 1): State.FAILED,
        ("second.0", 1): State.UPSTREAM_FAILED,
    }
    for history in seen.values():  # what is short may have run unseen, between two looks
        assert history[:-1] in (way, way[:1])


def test_limits_are_told(make_site: MakeSite) -> None:
    """What one array job may hold is known before anything is submitted."""
    limits = make_site(workflow_of([1], ("task", lambda x: None))).scheduler.limits()
    for most in (limits.highest_index, limits.indices_per_array):
        assert most is None or most > 0
