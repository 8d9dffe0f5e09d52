"""Submissions of one element that belong together, and which of them was the last."""

from __future__ import annotations

from dataclasses import dataclass, field

from sciflow.store.retries import Retry
from sciflow.store.submitted import Submitted


@dataclass(frozen=True)
class Round:
    """The submissions of one element that belong together: one, or the links of a chain.

    Attributes
    ----------
    only
        The indices that are run in it; None for all of the element.
    before
        The round before this one.
    """

    links: tuple[Submitted, ...]
    only: frozenset[int] | None = None
    before: Round | None = None

    def of_index(self, index: int) -> Round | None:
        """The last round, of this one and those before, in which an index was run."""
        found: Round | None = self
        while found is not None and found.only is not None and index not in found.only:
            found = found.before
        return found

    def since(self, job: str) -> list[Submitted]:
        """Its submissions that have job ids, from the one of a job on; all of them where that is none of these."""
        links = [one for one in self.links if one.job]
        return links[next((i for i, one in enumerate(links) if one.job == job), 0) :]

    @property
    def array(self) -> str:
        """The array job in whose indices it runs: its own, or the one with which it is fused."""
        return self.links[0].array

    @property
    def last_job(self) -> str:
        """The job id of its last submission that has one."""
        return next((one.job for one in reversed(self.links) if one.job), "")


@dataclass
class Rounds:
    """The rounds of all elements, of which each knows the one before it."""

    _by_array: dict[str, dict[int, Round]] = field(default_factory=dict)

    def of(self, array: str, element: int) -> Round | None:
        """The last round of an element."""
        return self._by_array.get(array, {}).get(element)

    def add(self, submission: Submitted, array: str, due: dict[int, Retry]) -> None:
        """Take in a submission of an array job, or one in which it rides; what was due of it is so no more."""
        rounds = self._by_array.setdefault(array, {})
        shared: dict[tuple[int, int], Round] = {}  # neighbours have the same rounds: they are held once
        for element in submission.indices:
            retry = due.pop(element, None)
            before = rounds.get(element)
            key = (id(before), id(retry))
            if key not in shared:
                shared[key] = _next_round(submission, retry, before)
            rounds[element] = shared[key]

    def take_back(self, void: Submitted) -> None:
        """Let all be as it was before a submission, which was the last of its elements or is none of theirs."""
        rounds = self._by_array[void.array]  # only what is tried again is withdrawn, and that rides nowhere
        for element in void.indices:
            found = rounds[element]
            if void in found.links:
                if found.before is None:
                    del rounds[element]
                else:
                    rounds[element] = found.before


def _next_round(submission: Submitted, retry: Retry | None, before: Round | None) -> Round:
    if retry is not None:
        return Round((submission,), None if retry.elements is None else retry.indices, before)
    if before is None or submission.link == 1:
        return Round((submission,), None, before)
    # One that was refused or cut off is not among them any more where others of its elements need none meanwhile.
    earlier = (one for one in before.links if one.link < submission.link)
    return Round((*earlier, submission), before.only, before.before)
