"""The submissions of an element that belong together: one, or the links of a chain."""

from __future__ import annotations

from unit.store.told_events import intent, links, retry, submitted, told


def test_the_links_of_a_chain_are_one_round() -> None:
    """Each says which one it is; what only some elements have belongs to these."""
    found = told(
        intent("a.1"),
        submitted("a.1", "7"),
        {**intent("a.2"), "variant": "next", "link": 2},
        submitted("a.2", "8"),
        {**intent("a.3", "1"), "variant": "next", "link": 3},
    )
    assert links(found, 0) == ["a.1", "a.2"]
    assert links(found, 1) == ["a.1", "a.2", "a.3"]
    one = found.round_of("a.0", 1)
    assert one is not None
    assert [(link.variant, link.link) for link in one.links] == [("", 1), ("next", 2), ("next", 3)]
    assert (one.last_job, one.before, one.only) == ("8", None, None)


def test_a_link_that_was_refused_makes_room_for_that_of_fewer_elements() -> None:
    """One of them needed none any more when it was tried again; the other still has that which was refused."""
    found = told(
        intent("a.1", "0-1"),
        submitted("a.1", "7"),
        {**intent("a.2", "0-1"), "link": 2},
        {"event": "refused", "array": "a.0", "name": "a.2", "error": "full"},
        {**intent("a.3", "1"), "link": 2},
        submitted("a.3", "8"),
    )
    assert links(found, 0) == ["a.1", "a.2"]
    assert links(found, 1) == ["a.1", "a.3"]


def test_from_a_link_on_are_those_of_which_something_can_be_heard() -> None:
    """From the first, where it is not known which one it was; and none without a job id."""
    found = told(
        intent("a.1"),
        submitted("a.1", "7"),
        {**intent("a.2"), "link": 2},
        submitted("a.2", "8"),
        {**intent("a.3"), "link": 3},
    ).round_of("a.0", 0)
    assert found is not None
    assert [[one.name for one in found.since(job)] for job in ("7", "8", "", "99")] == [
        ["a.1", "a.2"],
        ["a.2"],
        ["a.1", "a.2"],
        ["a.1", "a.2"],
    ]


def test_a_round_without_a_job_id_has_none() -> None:
    """It was cut off, or refused."""
    found = told(intent("a.1")).round_of("a.0", 0)
    assert found is not None
    assert (found.last_job, found.since("")) == ("", [])


def test_elements_that_go_the_same_way_share_their_rounds() -> None:
    """Of a hundred thousand elements there are not a hundred thousand rounds."""
    found = told(intent("a.1", "0-9999"), submitted("a.1", "7"), retry("5"), {**intent("a.2", "5"), "variant": "r1"})
    rounds = {id(found.round_of("a.0", element)) for element in range(10_000)}
    assert len(rounds) == 2
