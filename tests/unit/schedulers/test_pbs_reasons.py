"""PBS's comments, and what they mean."""

from __future__ import annotations

import pytest

from sciflow.schedulers.pbs_reasons import reason_of
from sciflow.schedulers.reasons import Limit

_ROOM = "waits for free cores, memory or GPUs"
_FIRST = "others with a higher priority come first"


@pytest.mark.parametrize(
    ("comment", "text", "limit"),
    [
        ("Insufficient amount of resource: ncpus (R: 8 A: 4 T: 64)", _ROOM, None),
        ("Insufficient amount of queue resource: walltime (R: 8 A: 4 T: 64)", "waits for free walltime", None),
        ("Insufficient amount of server resource: foo (R: 8 A: 4 T: 64)", "waits for free `foo`", None),
        ("Not enough free nodes available", _ROOM, None),
        ("host set host=n1 has too few free resources", _ROOM, None),
        ("Job would interfere with a top job", _FIRST, None),
        ("Job would conflict with reservation or top job", _FIRST, None),
        ("Job would break strict sorted order", _FIRST, None),
        ("Queue not started.", "its queue is stopped", None),
        (
            "Job will run in nonprimetime only",
            "waits for the hours, outside of prime time, in which its queue runs",
            None,
        ),
        ("Job will run in primetime only", "waits for the hours of prime time, in which its queue runs", None),
        ("Job will cross into primetime", "could not end before prime time begins or ends", None),
        ("Job has zero shares for fairshare", "the share of its owner is used up", None),
        (
            "Number of concurrent running subjobs limit reached",
            "as many of its indices run as may run at once",
            None,
        ),
        (
            "User has reached queue workq running job limit.",
            "as many jobs run as its queue allows for a user",
            Limit("queue", "user", "jobs", "jobs"),
        ),
        (
            "Server job limit has been reached.",
            "as many jobs run as its server allows",
            Limit("server", "all", "jobs", "jobs"),
        ),
        (
            "Queue workq job limit reached for group lab",
            "as many jobs run as its queue allows for a group",
            Limit("queue", "group", "jobs", "jobs"),
        ),
        (
            "would exceed user ann's limit on resource ncpus in complex",
            "as many cores are in use as its server allows for a user",
            Limit("server", "user", "cores", "ncpus"),
        ),
        (
            "would exceed overall limit on resource mem in queue workq",
            "as much memory is in use as its queue allows for all together",
            Limit("queue", "all", "memory", "mem"),
        ),
        (
            "Queue workq per-project limit reached on resource ngpus",
            "as many GPUs are in use as its queue allows for a project",
            Limit("queue", "project", "GPUs", "ngpus"),
        ),
        ("node limit of the moon reached", "as many jobs run as are allowed (node limit of the moon reached)", None),
        ("Foo bar", "PBS says: Not Running: Foo bar", None),
    ],
)
def test_comments(comment: str, text: str, limit: Limit | None) -> None:
    """In plain words, with the limit that binds; what nobody knows as it is."""
    reason = reason_of(f"Not Running: {comment}")
    assert (reason.text, reason.limit) == (text, limit)
    assert not reason.is_hopeless


def test_numbers_are_told_apart_from_the_reason() -> None:
    """They change from one look to the next."""
    reason = reason_of("Not Running: Insufficient amount of resource: ncpus (R: 8 A: 4 T: 64)")
    assert reason.detail == "cores: 8 asked for, 4 of 64 free"


def test_what_can_never_run() -> None:
    """It waits for ever."""
    reason = reason_of("Can Never Run: Insufficient amount of resource: mem (R: 8gb A: 4gb T: 4gb)")
    assert reason.is_hopeless
    assert reason.text.startswith("no node has what it asks for: it will wait for ever (Insufficient")
