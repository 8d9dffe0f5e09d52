"""The states of a task instance."""

from __future__ import annotations

import json

from sciflow.model.state import State


def test_only_completed_is_a_success() -> None:
    """Results may be used of what is completed, and of nothing else."""
    assert [state for state in State if state.is_success] == [State.COMPLETED]


def test_what_may_still_change_is_not_final() -> None:
    """Pending, running and unknown instances may still end well; all others have ended."""
    assert {state.name for state in State if not state.is_final} == {"PENDING", "RUNNING", "UNKNOWN"}


def test_every_state_is_open_a_success_or_a_failure() -> None:
    """No state is two of these, and none is nothing."""
    for state in State:
        assert [not state.is_final, state.is_success, state.is_failure].count(True) == 1


def test_states_are_their_words() -> None:
    """A state is printed, compared and written as its word."""
    for state in State:
        assert str(state) == f"{state}" == state.name
        assert State(state.name) is state
        assert json.loads(json.dumps([state])) == [state.name]
