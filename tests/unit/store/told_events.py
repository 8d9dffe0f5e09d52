"""Events of a journal, and what submissions make of them."""

from __future__ import annotations

from typing import Any

from sciflow.store.submissions import Submissions


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


def retry(indices: str, array: str = "a.0", variant: str = "", memory: int = 0, seconds: int = 0) -> dict[str, Any]:
    """Return the event of a decision to try indices again."""
    said = {"variant": variant, "memory": memory, "seconds": seconds, "why": "with more time"}
    known = {"cause": "timeout", "error": "too slow", "counts": True}
    return {"event": "retry", "array": array, "indices": indices, **said, **known}


def hear(found: Submissions, event: dict[str, Any], time: float = 100.0) -> None:
    """Let submissions hear of one more event."""
    assert found.hear({"time": time, **event})


def links(found: Submissions, element: int, index: int | None = None) -> list[str]:
    """Return the names of the submissions in an element's last round, or an index's."""
    last_round = found.round_of("a.0", element, index)
    assert last_round is not None
    return [one.name for one in last_round.links]


def last(found: Submissions, element: int) -> str:
    """Return the name of the last submission of an element."""
    submissions = found.round_of("a.0", element)
    assert submissions is not None
    return submissions.links[-1].name
