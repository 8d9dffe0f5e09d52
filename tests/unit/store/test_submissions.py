"""What a run has handed to a scheduler, from its journal."""

from __future__ import annotations

from sciflow.store.retries import Refusal, Retry
from sciflow.store.submissions import Submissions
from sciflow.store.submitted import Submitted
from unit.store.told_events import hear, intent, last, links, retry, submitted, told


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


def test_after_a_refusal_the_next_try_counts_for_the_time() -> None:
    """What the scheduler said before was about nothing: it is not asked in vain about what is submitted now."""
    refused = {"event": "refused", "array": "a.0", "name": "a.1", "error": "as much is queued as may be"}
    found = told(intent("a.1"), refused)
    hear(found, intent("a.1"), 300.0)
    assert found.by_name["a.1"].since == 300.0


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


# --- trying again


def test_what_is_decided_is_due_until_it_was_submitted() -> None:
    """Only for the elements that are named; the decision is known for ever."""
    found = told(intent("a.1"), submitted("a.1", "7"), retry("1,3", variant="r1", memory=3, seconds=60))
    one = found.due("a.0", 1)
    assert one is found.due("a.0", 3) is not None
    assert one == Retry("a.0", frozenset({1, 3}), None, "r1", 3, 60, "timeout", "too slow", True, 2.0)
    assert found.due("a.0", 0) is found.due("b.0", 1) is None
    hear(found, {**intent("a.2", "1"), "variant": "r1"})
    assert found.due("a.0", 1) is None
    assert found.due("a.0", 3) is one
    hear(found, {**intent("a.3", "3"), "variant": "r1"})
    assert found.due("a.0", 3) is None
    assert found.retries == [one]
    assert found.variants() == {("a.0", 1): "r1", ("a.0", 3): "r1"}


def test_a_retry_begins_a_round_of_its_own() -> None:
    """Its links are not those of the round before, which is known as well."""
    found = told(
        intent("a.1"),
        submitted("a.1", "7"),
        {**intent("a.2"), "variant": "next", "link": 2},
        retry("2", variant="r1"),
        {**intent("a.3", "2"), "variant": "r1"},
        {**intent("a.4", "2"), "variant": "r1-next", "link": 2},
    )
    assert links(found, 2) == ["a.3", "a.4"]
    assert links(found, 1) == ["a.1", "a.2"]
    one = found.round_of("a.0", 2)
    assert one is not None
    assert one.before is not None
    assert [link.name for link in one.before.links] == ["a.1", "a.2"]


def test_a_later_decision_takes_the_place_of_one_that_was_not_carried_out() -> None:
    """Both are known."""
    found = told(retry("1-2", variant="r1"), retry("2", variant="r2"))
    assert [found.due("a.0", element).variant for element in (1, 2)] == ["r1", "r2"]  # type: ignore[union-attr]
    assert len(found.retries) == 2
    assert found.variants() == {("a.0", 1): "r1", ("a.0", 2): "r2"}


def test_what_is_tried_again_is_not_cancelled_any_more() -> None:
    """Until somebody cancels it again."""
    cancel = {"event": "cancel", "array": "a.0", "indices": "0-1"}
    found = told(cancel, retry("1"))
    assert found.cancelled == {("a.0", 0): 0.0}
    hear(found, {**cancel, "indices": "1"}, time=9.0)
    assert found.cancelled == {("a.0", 0): 0.0, ("a.0", 1): 9.0}


def test_of_a_packed_element_only_some_indices_may_be_tried_again() -> None:
    """For the others the round before is the last; for the element as a whole it is this one."""
    found = told(
        intent("a.1", "0-1"),
        submitted("a.1", "7"),
        {**retry("3,5", variant="r1"), "elements": "1"},
        {**intent("a.2", "1"), "variant": "r1"},
    )
    assert links(found, 1) == ["a.2"]
    assert [links(found, 1, index) for index in (3, 4, 5)] == [["a.2"], ["a.1"], ["a.2"]]
    assert links(found, 0, 2) == ["a.1"]


def test_of_a_packed_element_some_have_failed_of_this_and_some_of_that() -> None:
    """Two decisions of the same variant are carried out in one submission; of another variant the later one counts."""
    first, second = {**retry("3", variant="r1"), "elements": "1"}, {**retry("4", variant="r1"), "elements": "1"}
    found = told(first, {**second, "cause": "out_of_memory"})
    due = found.due("a.0", 1)
    assert due is not None
    assert (due.indices, due.cause) == (frozenset({3, 4}), "out_of_memory")
    assert [one.indices for one in found.retries] == [frozenset({3}), frozenset({4})]
    hear(found, {**retry("5", variant="r2"), "elements": "1"})
    due = found.due("a.0", 1)
    assert due is not None
    assert (due.indices, due.variant) == (frozenset({5}), "r2")


def test_canaries_are_known() -> None:
    """They are submissions like others, which tell that they run ahead."""
    found = told({**intent("a.1", "0,3"), "is_ahead": True}, intent("a.2", "1-2"))
    assert [(one.name, one.is_ahead) for one in found.of_array("a.0")] == [("a.1", True), ("a.2", False)]


# --- nodes


def test_nodes_are_avoided_until_somebody_trusts_them() -> None:
    """With the time; who is trusted stays so, however often it was avoided before."""
    found = told(
        {"event": "exclude", "node": "n1", "until": 100.0, "why": "x"},
        {"event": "exclude", "node": "n2", "until": 90.0, "why": "x"},
        {"event": "exclude", "node": "n1", "until": 200.0, "why": "x"},
        {"event": "include", "node": "n2"},
    )
    assert (found.avoided, found.trusted) == ({"n1": 200.0}, {"n2"})


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


def test_what_did_not_come_to_pass_leaves_all_as_it_was() -> None:
    """Of two that were tried again, one was refused: its round, and that it was cancelled; the amount is remembered."""
    found = told(intent("a.1"), submitted("a.1", "7"), {"event": "cancel", "array": "a.0", "indices": "2"})
    hear(found, retry("1-2", memory=18), 10.0)
    assert ("a.0", 2) not in found.cancelled
    hear(found, intent("a.2", "1-2"), 11.0)
    assert last(found, 2) == "a.2"
    gone = {"event": "withdrawn", "array": "a.0", "indices": "1-2", "elements": "1-2", "error": "no"}
    hear(found, gone | {"name": "a.2", "memory": 18, "seconds": 5, "is_refused": True}, 12.0)
    assert (last(found, 2), found.cancelled) == ("a.1", {("a.0", 2): 2.0})
    assert (found.retries, found.has_due, found.open) == ([], False, [])
    assert found.refusals["a.0", 1] == [Refusal(18, 5, "no")]
    assert found.withdrawn == {("a.0", 1): "no", ("a.0", 2): "no"}
    hear(found, retry("1", memory=15), 13.0)
    assert found.withdrawn == {("a.0", 2): "no"}
    assert found.refusals["a.0", 1] == [Refusal(18, 5, "no")]
