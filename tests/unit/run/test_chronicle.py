"""What was done about a run while it went on, for people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.cause import Cause
from sciflow.run.chronicle import chronicle
from sciflow.run.decide import Action, Decision
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim import files


@pytest.fixture
def told(chain: RunDirectory) -> Callable[..., list[str]]:
    """Return a function that gives the lines of the chronicle: (events, decisions)."""

    def tell(events: list[dict[str, Any]], decisions: tuple[Decision, ...] = ()) -> list[str]:
        Journal(chain.journal, lambda: 1000.0).append(events)
        return chronicle(chain, observe(chain), decisions).splitlines()

    return tell


def moment(seconds: float) -> str:
    """Return a time as it is shown."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def test_nothing_has_happened(told: Callable[..., list[str]], chain: RunDirectory) -> None:
    """How the run is now, and that nothing was to be done."""
    assert told([]) == [
        f"# Run {chain.run_id} of chain",
        "",
        "Now: 9 PENDING.",
        "",
        "## What was done",
        "",
        "Nothing had to be tried again.",
        "",
        "## What was not tried again",
        "",
        "Nothing.",
    ]


def test_what_was_done_is_told_in_order(told: Callable[..., list[str]]) -> None:
    """What was handed over, tried again and why, and nodes; small jobs and what each index did are left out."""
    retry = {"event": "retry", "array": "a.0", "indices": "0-2", "variant": "r1", "memory": 1, "seconds": 1}
    lines = told(
        [
            {"event": "intent", "array": "a.0", "name": "a.0.run.1", "indices": "0-3"},
            {"event": "submitted", "array": "a.0", "name": "a.0.run.1", "job": "7"},
            {"event": "intent", "array": "tend", "name": "tend.run.2", "indices": "0"},
            retry | {"cause": "out_of_memory", "error": "used N GB", "counts": True, "why": "with more memory: 1 → 2"},
            retry | {"indices": "3", "cause": "preempted", "error": "", "counts": False, "why": "again"},
            {"event": "exclude", "node": "n9", "until": 5000.0, "why": "6 of 6 failed on it"},
            {"event": "include", "node": "n9"},
            {"event": "intent", "array": "a.0", "name": "a.0.run.3", "indices": "3"},
            {"event": "refused", "array": "a.0", "name": "a.0.run.3", "error": "no such account"},
            {"event": "withdrawn", "array": "a.0", "indices": "3", "elements": "3", "is_refused": False}
            | {"error": "no such account"},
            {"event": "cancel", "array": "b.0", "indices": "0-3"},
        ]
    )
    done = lines[lines.index("## What was done") + 2 : lines.index("## What was not tried again") - 1]
    assert done == [
        f"- {moment(1000)} `a.0[0-3]` was handed over as `a.0.run.1`",
        f"- {moment(1000)} 3 × `a.0[0-2]` out of memory (used N GB): with more memory: 1 → 2",
        f"- {moment(1000)} 1 × `a.0[3]` preempted: again",
        f"- {moment(1000)} node `n9` is avoided until {moment(5000)}: 6 of 6 failed on it",
        f"- {moment(1000)} node `n9` is used again",
        f"- {moment(1000)} `a.0[3]` was handed over as `a.0.run.3`",
        f"- {moment(1000)} `a.0.run.3` was refused: no such account",
        f"- {moment(1000)} `a.0[3]` is not tried again: no such account",
        f"- {moment(1000)} `b.0[0-3]` was cancelled",
    ]


def test_brakes_are_told(told: Callable[..., list[str]], chain: RunDirectory) -> None:
    """When each was put on, why, and when it was released."""
    (chain / files.BRAKES).mkdir()
    facts = {"format": 1, "array": "a.0", "time": 2000.0, "ended": 12, "failed": 12, "error": "ValueError: no"}
    (chain / files.brake("a.0")).write_text(json.dumps(facts))
    line = f"- {moment(2000)} `a.0` was held back: 12 of the first 12 failed: ValueError: no"
    assert line in told([])
    released = chain / files.released_brake("a.0", 1)
    (chain / files.brake("a.0")).rename(released)
    until = released.stat().st_mtime
    assert f"{line}, released {moment(until)}" in told([])


def test_what_was_not_tried_again_is_told_with_the_reason(told: Callable[..., list[str]], tmp_path: Path) -> None:
    """Those of the same kind together; what was tried again is not among them."""
    why = "it failed twice with the same error"
    given_up = [Decision(("a.0", i), Cause.APPLICATION_ERROR, "e", Action.GIVEN_UP, why) for i in (3, 1)]
    again = Decision(("a.0", 2), Cause.TIMEOUT, "", Action.MORE_TIME)
    held = Decision(("b.0", 0), Cause.UPSTREAM_FAILED, "", Action.LEFT, "something that it needs is not tried again")
    lines = told([], (*given_up, again, held))
    assert lines[-2:] == [
        f"- 2 × `a.0[1,3]` application error, given up: {why}",
        "- 1 × `b.0[0]` upstream failed, left alone: something that it needs is not tried again",
    ]
