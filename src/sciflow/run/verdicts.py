"""What is concluded of one submitted index, from its record, the links of its chain, and what witnesses say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.run.judge import Evidence, Verdict, judge
from sciflow.run.status import IndexStatus
from sciflow.store.brakes import Brake
from sciflow.store.records import RecordState
from sciflow.store.rounds import Round
from sciflow.store.statements import Observed
from sciflow.store.submitted import Submitted


@dataclass(frozen=True)
class Case:
    """One index, and what there is to judge it by besides its record.

    `jobs` are the jobs of its array job that the journal knows of, and `before` tells of what it waits for index by
    index, by array job.
    """

    array: ArrayJob
    index: int
    observed: Observed
    jobs: set[str]
    is_cancelled: bool
    before: Mapping[str, IndexStatus]

    @property
    def upstream(self) -> str:
        """What it waits for in vain."""
        return ", ".join(
            f"{name}[{self.index}] is {one.state}"
            for name, one in self.before.items()
            if one.is_over and one.state is not State.COMPLETED
        )


def judged(case: Case, record: RecordState | None, found: Round, now: float) -> tuple[Verdict, bool]:
    """The verdict on an index, and whether its record is of the round of submissions that counts.

    Of a chain, the link counts that left the record; when that has ended for its time, the one after it.
    """
    links = [one for one in found.links if one.job]
    known = None if record is not None and _is_older(record, links[0]) else record
    first = next((i for i, one in enumerate(links) if known is not None and known.job == one.job), 0)
    if known is not None and known.job and known.job != links[first].job and known.job in case.jobs:
        known = None  # of an earlier round
    verdict = judge(_evidence(case, links[first], known), now)
    if known is None and found.array != case.array.name:
        return _of_rider(case, verdict), False
    for number, link in enumerate(links[first + 1 :], first + 2):
        if verdict.state is not State.TIMEOUT:
            break
        following = judge(_evidence(case, link, None), now)
        if following.state in (State.UPSTREAM_FAILED, State.UNKNOWN):
            break  # it never started
        if following.state is State.PENDING:
            text = f"it goes on from its checkpoint, as link {number} of {case.array.links}: {following.reason}"
            following = replace(following, reason=text)
        verdict, known = following, None
    is_left = first == len(links) - 1 and len(links) < case.array.links
    if is_left and verdict.state is State.TIMEOUT and known is not None and _goes_on(known):
        link = f"link {len(links) + 1} of {case.array.links}"
        if case.is_cancelled:
            return Verdict(State.CANCELLED, f"it was cancelled before {link} was submitted"), True
        text = f"it goes on from its checkpoint, as {link}: it has not been submitted yet"
        return Verdict(State.PENDING, text, is_settled=False), True
    return verdict, known is not None


def _of_rider(case: Case, verdict: Verdict) -> Verdict:
    """The verdict on one that has left no record in a job in which others run before it.

    What the scheduler says is said of the whole job: as long as it runs, of the one whose turn it is, and when it has
    ended, of the first that has not completed.
    """
    if not case.upstream:
        waited = [name for name, one in case.before.items() if one.state is not State.COMPLETED]
        if not waited or verdict.state is State.PENDING:
            return verdict
        text = f"its turn comes after {waited[0]}, which runs in the same array index"
        return Verdict(State.PENDING, text, is_settled=False, statement=verdict.statement)
    is_settled = all(one.is_settled for one in case.before.values() if one.is_over)
    if case.is_cancelled:
        return Verdict(State.CANCELLED, "it was cancelled before its turn came", "", is_settled, verdict.statement)
    text = "what runs before it in the same array index has not completed"
    return Verdict(State.UPSTREAM_FAILED, text, case.upstream, is_settled, verdict.statement)


def _goes_on(record: RecordState) -> bool:
    """Whether the shim let the next link start: what is killed before it can say so leaves no final record."""
    return record.state is State.TIMEOUT and record.checkpoint_left


def or_held(verdict: Verdict, brakes: Sequence[Brake]) -> Verdict:
    """What a brake did not let start has ended without a trace of its own."""
    said = verdict.statement
    if said is not None and verdict.state in (State.FAILED, State.UNKNOWN):
        for brake in brakes:
            if brake.was_on(said.end):
                return replace(verdict, state=State.CANCELLED, reason=brake.reason, error=brake.reason, is_settled=True)
    return verdict


def _is_older(record: RecordState, first: Submitted) -> bool:
    """Whether a record that names no job was left before anything of a round was submitted."""
    return not record.job and record.state.is_final and record.end < first.since


def _evidence(case: Case, one: Submitted, record: RecordState | None) -> Evidence:
    observed, element = case.observed, case.array.element(case.index)
    controller = observed.witnesses.get(CONTROLLER)
    answered = [witness.time for witness in observed.witnesses.values() if witness.time is not None]
    return Evidence(
        record=record,
        controller=observed.said(CONTROLLER, one.job, element),
        accounting=observed.said(ACCOUNTING, one.job, element),
        heard=controller.time if controller and controller.time else max(answered, default=None),
        is_blind=controller is None or controller.silent_since is not None,
        was_asked=controller is not None and (controller.time or 0.0) >= one.since,
        missed_since=observed.missed.get(one.job, {}).get(element),
        is_cancelled=case.is_cancelled,
        is_alone=case.array.pack == 1 and one.array == case.array.name,
        upstream=case.upstream,
        is_tied=any(after.kind == "element" for after in case.array.after),
    )
