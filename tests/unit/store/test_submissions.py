"""What a run has handed to a scheduler, from its journal."""

from __future__ import annotations

from typing import Any

from sciflow.store.submissions import Submissions, Submitted


def told(*events: dict[str, Any]) -> Submissions:
    """Let submissions hear of events, a second apart."""
    submissions = Submissions()
    for second, event in enumerate(events):
        assert submissions.hear({"time": float(second), **event})
    return submissions


def intent(name: str, indices: str = "0-3", array: str = "a.0") -> dict[str, Any]:
    """Return the event of an intent."""
    return {"event": "intent", "array": array, "name": name, "indices": indices}


def submitted(name: str, job: str, array: str = "a.0") -> dict[str, Any]:
    """Return the event of a submission."""
    return {"event": "submitted", "array": array, "name": name, "job": job}


def last(found: Submissions, element: int) -> str:
    """Return the name of the last submission of an element."""
    submissions = found.round_of("a.0", element)
    assert submissions is not None
    return submissions.links[-1].name


def test_an_intent_is_open_until_its_job_is_known() -> None:
    """Then the job is known by its id and its name."""
    found = told(intent("a.1"))
    assert found.open == [Submitted("a.0", "a.1", frozenset({0, 1, 2, 3}), 0.0)]
    assert found.jobs == {}
    found = told(intent("a.1"), submitted("a.1", "7"))
    assert found.open == []
    assert found.jobs == {"7": "a.1"}


def test_a_refusal_leaves_it_open_and_a_later_job_forgets_it() -> None:
    """Why it was refused is known in between."""
    refused = {"event": "refused", "array": "a.0", "name": "a.1", "error": "no such partition"}
    assert told(intent("a.1"), refused).open[0].error == "no such partition"
    found = told(intent("a.1"), refused, intent("a.1"), submitted("a.1", "7"))
    assert found.by_name["a.1"].error == ""


def test_the_first_try_counts_for_the_time() -> None:
    """From then on a job of that name may be there."""
    assert told(intent("a.1"), intent("a.1")).by_name["a.1"].since == 0.0


def test_each_index_has_its_last_submission() -> None:
    """Later ones of the same array job come before earlier ones."""
    found = told(
        intent("a.1"), submitted("a.1", "7"), intent("b.2", "0", "b.0"), intent("a.3", "1,3"), submitted("a.3", "9")
    )
    assert [last(found, element) for element in range(4)] == ["a.1", "a.3", "a.1", "a.3"]
    assert [one.name for one in found.of_array("a.0")] == ["a.1", "a.3"]
    assert found.round_of("c.0", 0) is None


def test_what_is_added_later_is_seen() -> None:
    """Also where the last submissions have been asked for before."""
    found = told(intent("a.1"))
    assert last(found, 2) == "a.1"
    found.add(Submitted("a.0", "a.2", frozenset({2}), 5.0))
    assert last(found, 2) == "a.2"


def test_cancellations_are_by_index() -> None:
    """With their time."""
    found = told({"event": "cancel", "array": "a.0", "indices": "0-1,5"})
    assert found.cancelled == {("a.0", 0): 0.0, ("a.0", 1): 0.0, ("a.0", 5): 0.0}


def test_events_of_other_kinds_are_none_of_its_business() -> None:
    """Nor are those about a name of which no intent tells."""
    found = Submissions()
    for event in (
        {"event": "started", "array": "a.0", "index": 0},
        submitted("nobody", "7"),
        {"event": "refused", "array": "a.0", "name": "nobody", "error": "no"},
    ):
        assert not found.hear({"time": 0.0, **event})
    assert found == Submissions()
