"""What every scheduler must do when indices are cancelled."""

from collections.abc import Callable
from typing import Any

from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow

MakeSite = Callable[[ExperimentalWorkflow], Any]
DONE = State.COMPLETED


def workflow_of(x: list[int], *tasks: tuple[Any, ...]) -> ExperimentalWorkflow:
    """Make a workflow over one axis; each task is (name, function) or (name, function, depends_on)."""
    workflow = ExperimentalWorkflow("contract")
    for name, function, *depends_on in tasks:
        workflow.add_task(name, function, depends_on=depends_on)
    workflow.add_parameter_space({"x": x})
    return workflow


def test_cancelled_indices_do_not_run(make_site: MakeSite, notebook: Any) -> None:
    """Some indices can be taken back before they start; what needs them is held back, the others run."""
    note = notebook.note

    def first(x):
        note(f"first {x}")

    def second(first, x):
        note(f"second {x}")

    site = make_site(workflow_of([1, 2, 3], ("first", first), ("second", second, "first")))
    jobs = site.submit_all()
    site.cancel("first.0", jobs["first.0"], [1])
    site.cancel("second.0", jobs["second.0"], [2])
    site.finish()
    assert site.states(jobs) == {
        "first.0": [DONE, State.CANCELLED, DONE],
        "second.0": [DONE, State.UPSTREAM_FAILED, State.CANCELLED],
    }
    assert sorted(notebook.lines()) == ["first 1", "first 3", "second 1"]


def test_a_whole_job_can_be_cancelled(make_site: MakeSite, notebook: Any) -> None:
    """Without indices, all that has not ended of a job is cancelled; other jobs are not touched."""
    note = notebook.note
    site = make_site(workflow_of([1, 2], ("one", lambda x: note("one")), ("other", lambda x: note("other"))))
    jobs = site.submit_all()
    site.cancel("one.0", jobs["one.0"])
    site.finish()
    assert site.states(jobs) == {"one.0": [State.CANCELLED] * 2, "other.0": [DONE] * 2}
    assert notebook.lines() == ["other"] * 2
    site.cancel("other.0", jobs["other.0"])
    assert site.states(jobs)["other.0"] == [DONE] * 2


def test_a_running_index_can_be_cancelled(make_site: MakeSite, notebook: Any) -> None:
    """A program that runs is stopped; its neighbours and its own checkpointing are not disturbed."""
    note, signal, wait_for = notebook.note, notebook.signal, notebook.wait_for

    def task(x, context):
        if x != 2:
            wait_for("stopped")
            return
        import signal as signals
        import time

        previous = signals.getsignal(signals.SIGTERM)

        def stop(number, frame):
            note("asked to stop")
            signal("stopped")
            if callable(previous):
                previous(number, frame)

        signals.signal(signals.SIGTERM, stop)
        signal("running")
        while not context.should_stop():
            time.sleep(0.05)  # `pause` would sleep through a signal that comes just before it

    site = make_site(workflow_of([1, 2, 3], ("task", task)))
    jobs = site.submit_all()
    started: list[int] = []

    def hear(event: dict[str, Any]) -> None:
        if event["event"] == "started":
            started.append(event["index"])
            if event["index"] == 1:
                wait_for("running")
                site.cancel("task.0", jobs["task.0"], [1])

    site.finish(hear)
    # A scheduler may tell all processes of a job, and so does the shim: some are told twice.
    assert set(notebook.lines()) == {"asked to stop"}
    assert site.states(jobs) == {"task.0": [DONE, State.CANCELLED, DONE]}
    assert sorted(started) == [0, 1, 2]
