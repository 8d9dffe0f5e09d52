"""What is concluded of one submitted index: by its record, the links of its chain, and what witnesses say of these."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement
from sciflow.run.judge import PATIENCE, Verdict
from sciflow.run.status import IndexStatus
from sciflow.run.verdicts import Case, judged, or_held
from sciflow.store.brakes import Brake
from sciflow.store.records import RecordState
from sciflow.store.rounds import Round
from sciflow.store.statements import Observed, Witness
from sciflow.store.submitted import Submitted

NOW = 2_000_000_000.0
ARRAY = ArrayJob("relax.0", "relax", 4, Resources(), links=3)
WAITS = Statement(State.PENDING, "PENDING", "waits for the array job before it")
NEVER = Statement(State.UPSTREAM_FAILED, "CANCELLED", "what it waits for has failed, so it can never start")
RUNS = Statement(State.RUNNING, "RUNNING", "", NOW - 50, None, "n2")


def ended(state: State, word: str = "", code: str = "0:0") -> Statement:
    """Return what is said of an index that has ended."""
    return Statement(state, word or state.value, "", NOW - 200, NOW - 100, "n1", code)


TIMEOUT, COMPLETED = ended(State.TIMEOUT), ended(State.COMPLETED)


def record(job: str, state: State, has_checkpoint: bool = True, end: float = NOW - 100) -> RecordState:
    """Return what the record of an attempt in a job says."""
    return RecordState(state, "", 100.0, job=job, end=end, host="n1", checkpoint_left=has_checkpoint, left_time=5.0)


def case_of(*said: Statement | None, array: ArrayJob = ARRAY, is_cancelled: bool = False) -> Case:
    """Return the case of index 1, of whose jobs 101, 102, … accounting and the controller say the same."""
    jobs = {str(101 + number): {1: one} for number, one in enumerate(said) if one is not None}
    missed = {str(101 + number): {1: NOW - 2 * PATIENCE} for number, one in enumerate(said) if one is None}
    witnesses = {CONTROLLER: Witness(dict(jobs), NOW), ACCOUNTING: Witness(dict(jobs), NOW)}
    known = {str(number) for number in range(90, 110)}
    return Case(array, 1, Observed(witnesses, missed), known, is_cancelled, {})


def round_of(count: int, first: int = 101) -> Round:
    """Return a round of so many links."""
    names = range(first, first + count)
    return Round(
        tuple(
            Submitted("relax.0", f"n{job}", frozenset({1}), NOW - 1000, str(job), link=link)
            for link, job in enumerate(names, 1)
        )
    )


def state_of(
    case: Case, left: RecordState | None, links: int = 3, found: Round | None = None
) -> tuple[State, bool, bool]:
    """Return the state, whether it is settled, and whether the record is of the round."""
    verdict, is_of_round = judged(case, left, found or round_of(links), NOW)
    return verdict.state, verdict.is_settled, is_of_round


SAID = {"W": WAITS, "R": RUNS, "T": TIMEOUT, "C": COMPLETED, "N": NEVER, "F": ended(State.FAILED)}
SAID |= {"X": ended(State.CANCELLED), "L": ended(State.NODE_FAIL)}
# Job and state of the last record, what is said of the three links, and what follows: the state, whether that is
# settled, and whether the record is of the round.
CASES: dict[str, tuple[str, str, State, bool, bool]] = {
    "the first waits": ("", "WWW", State.PENDING, False, False),
    "the first runs": ("101 RUNNING", "RWW", State.RUNNING, False, True),
    "it was done at once": ("101 COMPLETED", "CCC", State.COMPLETED, True, True),
    "it is done, and others wait to see that": ("101 COMPLETED", "CWW", State.COMPLETED, True, True),
    "its time was up, and the second waits": ("101 TIMEOUT", "TWW", State.PENDING, False, False),
    "its time was up, and the second runs": ("101 TIMEOUT", "TRW", State.RUNNING, False, False),
    "the second runs, as its record says": ("102 RUNNING", "TRW", State.RUNNING, False, True),
    "the second is done": ("102 COMPLETED", "TCW", State.COMPLETED, True, True),
    "the second has failed": ("102 FAILED", "TFN", State.FAILED, True, True),
    "the third waits": ("102 TIMEOUT", "TTW", State.PENDING, False, False),
    "all had too little time": ("103 TIMEOUT", "TTT", State.TIMEOUT, True, True),
    "without a checkpoint none follows": ("101 TIMEOUT without checkpoint", "TNN", State.TIMEOUT, True, True),
    "it was killed for its time": ("101 RUNNING", "TNN", State.TIMEOUT, False, True),
    "the second was killed for its time, before it left a record": ("101 TIMEOUT", "TTN", State.TIMEOUT, False, False),
    "the first has failed": ("101 FAILED", "FNN", State.FAILED, True, True),
    "the second was cancelled while it waited": ("101 TIMEOUT", "TXN", State.CANCELLED, False, False),
    "the second lost its node": ("102 RUNNING", "TLW", State.PENDING, False, True),
    "nobody has heard of the second": ("101 TIMEOUT", "T--", State.TIMEOUT, True, True),
    "the second found nothing to go on from": ("101 TIMEOUT", "TCC", State.TIMEOUT, True, True),
}


@pytest.mark.parametrize("name", CASES)
def test_of_a_chain_the_link_counts_that_came_furthest(name: str) -> None:
    """Where one has ended for its time, the next one counts, unless it can never start."""
    told, said, *expected = CASES[name]
    job, state, *without = told.split(" ", 2) if told else ("", "")
    left = record(job, State(state), not without) if told else None
    assert state_of(case_of(*map(SAID.get, said)), left) == tuple(expected)


def test_which_link_goes_on_is_told() -> None:
    """With the reason why it waits."""
    verdict, _ = judged(case_of(TIMEOUT, WAITS, WAITS), record("101", State.TIMEOUT), round_of(3), NOW)
    assert verdict.reason == "it goes on from its checkpoint, as link 2 of 3: waits for the array job before it"
    verdict, _ = judged(case_of(TIMEOUT, TIMEOUT, WAITS), record("102", State.TIMEOUT), round_of(3), NOW)
    assert verdict.reason == "it goes on from its checkpoint, as link 3 of 3: waits for the array job before it"


# --- links that were not submitted


@pytest.mark.parametrize(("links", "job"), [(1, "101"), (2, "102")])
def test_a_link_that_was_not_submitted_yet_is_still_to_come(links: int, job: str) -> None:
    """So it is not over, and whoever follows the run submits it."""
    verdict, is_of_round = judged(case_of(TIMEOUT, TIMEOUT), record(job, State.TIMEOUT), round_of(links), NOW)
    assert (verdict.state, verdict.is_settled, is_of_round) == (State.PENDING, False, True)
    expected = f"it goes on from its checkpoint, as link {links + 1} of 3: it has not been submitted yet"
    assert verdict.reason == expected


@pytest.mark.parametrize("left", [record("101", State.TIMEOUT, has_checkpoint=False), record("101", State.RUNNING)])
def test_a_link_that_would_never_start_is_not_to_come(left: RecordState) -> None:
    """Without a checkpoint, or killed before it could say that there is one."""
    assert state_of(case_of(TIMEOUT), left, 1)[0] is State.TIMEOUT


def test_a_link_that_was_cancelled_before_it_was_submitted_is_not_to_come() -> None:
    """Though its time was up before, it is cancelled: whoever tries again what was too slow leaves it alone."""
    case = case_of(TIMEOUT, is_cancelled=True)
    verdict, _ = judged(case, record("101", State.TIMEOUT), round_of(1), NOW)
    assert (verdict.state, verdict.is_settled) == (State.CANCELLED, True)
    assert verdict.reason == "it was cancelled before link 2 of 3 was submitted"


def test_a_link_that_waited_when_it_was_cancelled_is_cancelled() -> None:
    """Slurm forgets such an index at once, as if it had never been there."""
    case = case_of(TIMEOUT, None, None, is_cancelled=True)
    verdict, _ = judged(case, record("101", State.TIMEOUT), round_of(3), NOW)
    assert (verdict.state, verdict.is_settled) == (State.CANCELLED, True)


def test_what_is_no_chain_has_no_links_to_come() -> None:
    """Its time was up, and that is all."""
    case = case_of(TIMEOUT, array=replace(ARRAY, links=1))
    assert state_of(case, record("101", State.TIMEOUT), 1) == (State.TIMEOUT, True, True)


# --- rounds


def test_the_record_of_an_earlier_round_counts_no_more() -> None:
    """What is tried again has no record of its own at first; also that of an earlier link that came last."""
    for job in ("95", "96"):
        left = record(job, State.FAILED)
        assert state_of(case_of(WAITS, WAITS, WAITS), left) == (State.PENDING, False, False)
        assert state_of(case_of(RUNS, WAITS, WAITS), left) == (State.RUNNING, False, False)


def test_a_record_of_a_job_that_nobody_knows_counts() -> None:
    """Its job id was lost, or somebody has submitted it by hand."""
    assert state_of(case_of(WAITS, array=replace(ARRAY, links=1)), record("700", State.COMPLETED), 1) == (
        State.COMPLETED,
        True,
        True,
    )


@pytest.mark.parametrize(("end", "state"), [(NOW - 1001, State.PENDING), (NOW - 999, State.COMPLETED)])
def test_a_record_without_a_job_counts_if_it_is_younger_than_the_round(end: float, state: State) -> None:
    """It was left by hand: before anything was tried again, or meanwhile."""
    assert state_of(case_of(WAITS, WAITS, WAITS), record("", State.COMPLETED, end=end))[0] is state


def test_links_without_a_job_id_are_none() -> None:
    """A submission that was cut off is not there until it is found."""
    found = round_of(2)
    cut_off = replace(found, links=(found.links[0], replace(found.links[1], job="")))
    verdict, _ = judged(case_of(TIMEOUT), record("101", State.TIMEOUT), cut_off, NOW)
    assert (verdict.state, verdict.is_settled) == (State.PENDING, False)


# --- brakes


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN])
def test_what_a_brake_did_not_let_start_is_cancelled(state: State) -> None:
    """It has left no trace of its own but its exit code."""
    brake = Brake("relax.0", NOW - 300, 12, 12, "ValueError: no")
    verdict = Verdict(state, "x", "x", False, ended(State.FAILED, code="75:0"))
    held = or_held(verdict, [brake])
    assert (held.state, held.is_settled) == (State.CANCELLED, True)
    assert held.reason == held.error == "held back: 12 of the first 12 failed: ValueError: no"
    for one in (replace(brake, time=NOW), replace(brake, released=NOW - 200)):
        assert or_held(verdict, [one]) == verdict
    assert or_held(verdict, []) == verdict


@pytest.mark.parametrize("state", [State.COMPLETED, State.TIMEOUT, State.PENDING])
def test_a_brake_has_nothing_to_do_with_other_ends(state: State) -> None:
    """Nor with what nobody has said anything of."""
    brake = Brake("relax.0", NOW - 300, 12, 12, "ValueError: no")
    verdict = Verdict(state, "x", statement=ended(State.FAILED))
    assert or_held(verdict, [brake]) == verdict
    unheard = Verdict(State.UNKNOWN, "x")
    assert or_held(unheard, [brake]) == unheard


# --- what it waits for


@pytest.mark.parametrize(
    ("state", "told"), [(State.COMPLETED, ""), (State.FAILED, "a.0[1] is FAILED"), (State.RUNNING, "")]
)
def test_what_will_not_complete_before_it_is_told(state: State, told: str) -> None:
    """Only what is over."""
    assert replace(case_of(RUNS), before={"a.0": IndexStatus(state)}).upstream == told
