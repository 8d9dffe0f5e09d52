"""What witnesses said, and how long that is remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement
from sciflow.model.statement import Testimony as Answers  # pytest takes the name for a test
from sciflow.store.statements import Observed, Witness, read_observed, write_observed
from sciflow_shim import files

WAITS = Statement(State.PENDING, "PENDING", "waits for free cores, memory or GPUs")
RUNS = Statement(State.RUNNING, "RUNNING", "", 100.0, None, "n[1-2]")
DONE = Statement(State.COMPLETED, "COMPLETED", "", 100.0, 110.0, "n1", "0:0")
CANCELLED = Statement(State.CANCELLED, "CANCELLED", "by 1001", None, 110.0, "", "0:0")


def heard(observed: Observed, now: float, errors: dict[str, str] | None = None, **answers: Any) -> Observed:
    """Let witnesses answer: witness → job → index → statement."""
    observed.hear(Answers(answers, errors or {}), now)
    return observed


# --- hearing


def test_nobody_has_said_anything_at_first() -> None:
    """Neither of a job nor of an index."""
    assert Observed().said(CONTROLLER, "7", 0) is None


def test_the_last_answer_counts() -> None:
    """What is not said any more is forgotten, unless it was final."""
    observed = heard(Observed(), 1.0, controller={"7": {0: WAITS, 1: RUNS, 2: DONE, 3: RUNS}})
    heard(observed, 2.0, controller={"7": {0: RUNS, 3: DONE}})
    assert [observed.said(CONTROLLER, "7", index) for index in range(4)] == [RUNS, None, DONE, DONE]
    assert observed.witnesses[CONTROLLER].time == 2.0


def test_what_was_final_and_is_not_any_more_has_been_put_back() -> None:
    """A word of today is better than one of yesterday."""
    observed = heard(Observed(), 1.0, controller={"7": {0: DONE}})
    heard(observed, 2.0, controller={"7": {0: WAITS}})
    assert observed.said(CONTROLLER, "7", 0) == WAITS


def test_jobs_that_are_not_asked_about_keep_what_was_final() -> None:
    """What runs is not remembered without being asked about."""
    observed = heard(Observed(), 1.0, controller={"7": {0: DONE, 1: RUNS}, "8": {0: RUNS}})
    heard(observed, 2.0, controller={"8": {0: RUNS}})
    assert observed.said(CONTROLLER, "7", 0) == DONE
    assert observed.said(CONTROLLER, "7", 1) is None


def test_witnesses_are_apart() -> None:
    """One knows nothing of what the other said."""
    observed = heard(Observed(), 1.0, controller={"7": {0: RUNS}}, accounting={"7": {0: WAITS}})
    assert (observed.said(CONTROLLER, "7", 0), observed.said(ACCOUNTING, "7", 0)) == (RUNS, WAITS)


def test_what_is_said_of_the_rest_counts_for_those_without_a_word_of_their_own() -> None:
    """As in the one row of a job of which all was cancelled."""
    observed = heard(Observed(), 1.0, accounting={"7": {0: DONE, REST: CANCELLED}})
    assert observed.said(ACCOUNTING, "7", 0) == DONE
    assert observed.said(ACCOUNTING, "7", 5) == CANCELLED
    assert observed.said(ACCOUNTING, "8", 5) is None


def test_a_witness_that_does_not_answer_keeps_its_last_word() -> None:
    """Since when it is silent, and why, is noted; the first time counts until it answers again."""
    observed = heard(Observed(), 1.0, controller={"7": {0: RUNS}})
    heard(observed, 2.0, {CONTROLLER: "no route"})
    heard(observed, 3.0, {CONTROLLER: "still none"})
    witness = observed.witnesses[CONTROLLER]
    assert observed.said(CONTROLLER, "7", 0) == RUNS
    assert (witness.time, witness.silent_since, witness.error) == (1.0, 2.0, "still none")
    heard(observed, 4.0, controller={"7": {0: RUNS}})
    witness = observed.witnesses[CONTROLLER]
    assert (witness.time, witness.silent_since, witness.error) == (4.0, None, "")


def test_a_witness_that_never_answered_has_no_time() -> None:
    """It is silent from the first question on."""
    observed = heard(Observed(), 2.0, {ACCOUNTING: "it is off"})
    assert observed.witnesses == {ACCOUNTING: Witness({}, None, 2.0, "it is off")}


def test_what_is_missed_keeps_its_time() -> None:
    """Until it is missed no more; what was not asked about stays as it was."""
    observed = Observed()
    observed.miss({"7": [0, 1, 2], "8": [0]}, {("7", 1), ("7", 2), ("8", 0)}, 10.0)
    assert observed.missed == {"7": {1: 10.0, 2: 10.0}, "8": {0: 10.0}}
    observed.miss({"7": [0, 2, 3]}, {("7", 2), ("7", 3)}, 20.0)
    assert observed.missed == {"7": {1: 10.0, 2: 10.0, 3: 20.0}, "8": {0: 10.0}}
    observed.miss({"7": [1, 2, 3], "8": [0]}, set(), 30.0)
    assert observed.missed == {}


# --- the file


def test_what_was_observed_comes_back_from_its_file(tmp_path: Path) -> None:
    """All of it: every witness, what stands for the rest, silences, and what is missed."""
    path = tmp_path / "observed.json"
    statements = {**dict.fromkeys(range(1000), WAITS), 17: RUNS, 1000: DONE}
    observed = heard(
        Observed(),
        1.5,
        {ACCOUNTING: "cannot be reached"},
        controller={"7": statements, "8": {}, "9": {REST: CANCELLED}},
    )
    observed.miss({"7": [3, 4], "8": [0]}, {("7", 3), ("7", 4), ("8", 0)}, 2.5)
    write_observed(path, observed)
    assert read_observed(path) == observed


def test_neighbours_of_which_the_same_is_said_stand_together(tmp_path: Path) -> None:
    """A hundred thousand indices that wait are one line."""
    path = tmp_path / "observed.json"
    write_observed(path, heard(Observed(), 1.0, controller={"7": dict.fromkeys(range(100_000), WAITS)}))
    assert path.stat().st_size < 500
    document = json.loads(path.read_text())
    assert document["format"] == files.FORMAT
    assert document["witnesses"]["controller"]["jobs"]["7"][0][:2] == ["0-99999", "PENDING"]
    assert read_observed(path).said(CONTROLLER, "7", 99_999) == WAITS


def test_without_a_file_nothing_was_observed(tmp_path: Path) -> None:
    """Nobody has asked yet."""
    assert read_observed(tmp_path / "observed.json") == Observed()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"format": 1}',
        '{"format": 1, "witnesses": {"controller": {}}, "missed": {}}',
        '{"format": 1, "witnesses": {}, "missed": {"7": [["a-b", 1.0]]}}',
        '{"format": 1, "witnesses": {"c": {"time": 1, "silent_since": null, "error": "",'
        ' "jobs": {"7": [["0", "ODD", "ODD"]]}}}, "missed": {}}',
        '{"format": 1, "witnesses": {"c": {"time": 1, "silent_since": null, "error": "",'
        ' "jobs": {"7": [["0", "RUNNING"]]}}}, "missed": {}}',
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    """It is no reason to believe that nothing was observed."""
    path = tmp_path / "observed.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"observed\.json"):
        read_observed(path)


def test_a_damaged_file_may_be_removed(tmp_path: Path) -> None:
    """The way out is told: what it held can be asked for again."""
    path = tmp_path / "observed.json"
    path.write_text('{"format": 1}')
    with pytest.raises(RunError) as caught:
        read_observed(path)
    assert caught.value.message == f"`{path}` cannot be read: KeyError('witnesses')"
    assert caught.value.hint == "remove it; the scheduler is asked again"


def test_a_file_of_a_newer_sciflow_is_told(tmp_path: Path) -> None:
    """It is not damaged."""
    path = tmp_path / "observed.json"
    path.write_text(json.dumps({"format": files.FORMAT + 1}))
    with pytest.raises(RunError, match="use a newer sciflow"):
        read_observed(path)
