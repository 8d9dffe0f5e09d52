"""Run: one execution of a plan, by its directory, while it goes on and ever after."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.errors import RunError, TransportError
from sciflow.model.state import State
from sciflow.run.follow import follow, track, wait, while_driven
from sciflow.run.status import RunStatus
from sciflow.run.track import Reader, observe, read_plan
from sciflow.schedulers.registry import connect
from sciflow.store.layout import RunDirectory, find_run
from sciflow.store.manifest import (
    has_manners,
    has_queue,
    read_manners,
    read_policies,
    read_profile,
    read_recovery,
    scheduler_name,
)
from sciflow.store.records import read_states

if TYPE_CHECKING:
    import pandas as pd

    from sciflow.analysis.advice.advise import RunAdvice
    from sciflow.analysis.efficiency import RunEfficiency
    from sciflow.model.plan import Plan
    from sciflow.model.profile import ClusterProfile
    from sciflow.results import Results
    from sciflow.run.bad_nodes import Suspect
    from sciflow.run.decide import Decision
    from sciflow.run.drive import Watch
    from sciflow.run.errands import Chained
    from sciflow.run.recover import Recovered
    from sciflow.run.seal import Sealed
    from sciflow.run.submit import Handed
    from sciflow.run.tend import Tended
    from sciflow.run.terms import Terms
    from sciflow.run.why import Explanation
    from sciflow.run.wish import Wish
    from sciflow.schedulers.base import QueueScheduler


class Run:
    """One execution of a plan, by its directory.

    Parameters
    ----------
    directory
        The run directory.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory

    def __repr__(self) -> str:
        return f"<Run {self.run_id}>"

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.directory.run_id

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @property
    def plan(self) -> Plan:
        """What the run does."""
        return read_plan(self.directory)

    @property
    def profile(self) -> ClusterProfile:
        """The cluster profile of the run, as it was when the run was made."""
        return read_profile(self.directory)

    def status(self, offline: bool = False) -> RunStatus:
        """What is known of every array index now.

        Parameters
        ----------
        offline
            Ask no scheduler: judge by the run directory alone.
        """
        return self._look(read_states, offline)

    def _look(self, read: Reader, offline: bool = False) -> RunStatus:
        if offline or not has_queue(self.directory):
            return observe(self.directory, read=read)
        return track(self.directory, self.plan, self._connect(), read=read)

    def suspects(self, status: RunStatus | None = None) -> list[Suspect]:
        """The nodes that `retry` would avoid from now on; changes nothing."""
        import time

        from sciflow.run.causes import classify
        from sciflow.run.recover import to_avoid

        if not (has_queue(self.directory) and self._connect().avoids_nodes):
            return []
        status, recovery = status or self.status(), read_recovery(self.directory)
        return to_avoid(status, classify(self.directory, status), recovery, time.time())

    def why(self, places: Mapping[str, Iterable[int]] | None = None) -> Explanation:
        """Say why what waits of it waits, which limit binds, and what other requests would change; changes nothing.

        Parameters
        ----------
        places
            Array job → indices, where only some are meant.
        """
        import time

        from sciflow.run.own_reasons import Site
        from sciflow.run.why import explain

        scheduler = self._connect() if has_queue(self.directory) else None
        site = Site(self.profile, read_policies(self.directory))
        return explain(self.directory, self.status(), scheduler, site, time.time(), places)

    def submit(self) -> Handed:
        """Hand over what no scheduler has yet; see `sciflow.run.submit.submit`."""
        handed = self.hand_over()
        handed.check()
        return handed

    def hand_over(self) -> Handed:
        """As `submit`; what the scheduler refuses is told and not raised."""
        from sciflow.run.submit import submit

        return submit(self.directory, self.plan, self._connect, self._terms())

    def follow(self) -> Iterator[RunStatus]:
        """Give the status again and again, until nothing more will happen; what waits to be submitted is fed."""
        if not has_queue(self.directory):
            return while_driven(lambda: observe(self.directory))
        return follow(lambda: observe(self.directory), self._ask_and_feed)

    def wait(self, seconds: float | None = None) -> RunStatus:
        """Wait until nothing more will happen.

        Parameters
        ----------
        seconds
            How long at most.

        Raises
        ------
        RunError
            Where it takes longer, or nobody drives a run on this machine.
        """
        return wait(self.follow(), seconds)

    def decide(self, wish: Wish | None = None, status: RunStatus | None = None) -> list[Decision]:
        """What `retry` would do about each failure, and why; changes nothing.

        Parameters
        ----------
        wish
            As for `retry`.
        status
            What is known of the run, where that has just been asked.
        """
        from sciflow.run.causes import classify
        from sciflow.run.retry import decide
        from sciflow.run.wish import Wish

        status, recovery = status or self.status(), read_recovery(self.directory)
        failures = classify(self.directory, status)
        return decide(self.directory, self.plan, status, failures, self.profile, recovery, wish or Wish())

    def retry(self, wish: Wish | None = None, watch: Watch | None = None) -> Recovered:
        """Try again what has failed, and what depends on it, within the bounds of the run's recovery policy.

        In a queue it is submitted; on this machine it is run to its end.

        Parameters
        ----------
        wish
            What is meant, and how; by default all failures that are tried again by themselves.
        watch
            As for `sciflow.run.drive.drive`.

        Raises
        ------
        RunError, SchedulerError, TransportError
            As for `submit`; but what the scheduler refuses of this stands in `handed.refused`.
        """
        from sciflow.run.autonomy import is_autonomous
        from sciflow.run.recover import recover, recover_here
        from sciflow.run.variants import renderer_of
        from sciflow.run.wish import Wish

        run, profile, recovery = self.directory, self.profile, read_recovery(self.directory)
        render, wish = renderer_of(run), wish or Wish()
        if not has_queue(run):
            return recover_here(run, self.plan, profile, recovery, render, wish, watch)
        self.status()  # what has ended meanwhile is known then
        done = recover(run, self.plan, self._connect, profile, recovery, self._terms(), render, wish)
        if is_autonomous(run):
            self.chain()
        return done

    def tend(self, is_chained: bool = False) -> Tended:
        """Retry within bounds, submit what did not fit, and collect; see `sciflow.run.tend.tend`.

        Parameters
        ----------
        is_chained
            Whether the small job is at it which nobody watches: then the next one of it follows, or the end.
        """
        from sciflow.run.tend import tend

        following = self.chain if is_chained else None
        return tend(self.directory, self.status, self.retry, self.collect, following)

    def become_autonomous(self) -> None:
        """From now on small jobs tend the run, one after another, until nothing more will happen."""
        from sciflow.run.autonomy import begin_tending

        begin_tending(self.directory, self.profile, sys.executable)

    def chain(self) -> Chained | None:
        """See to it that an autonomous run is tended by one job; None where nothing more will happen."""
        from sciflow.run.errands import chain

        return chain(self.directory, self.plan, self._connect, waking=self._waking_time)

    def cancel(self, places: Mapping[str, Iterable[int]] | None = None) -> dict[str, list[int]]:
        """Cancel what is not over: all, or some indices of some array jobs; gives what was cancelled.

        Parameters
        ----------
        places
            Array job → indices.

        Raises
        ------
        RunError
            For a run on this machine, which is stopped where it is driven.
        """
        from sciflow.run.cancel import cancel

        if not has_queue(self.directory):
            raise RunError(f"run `{self.run_id}` is driven on this machine", hint="stop it with Ctrl-C where it runs")
        counts = {array.name: array.count for array in self.plan.arrays}
        for array, indices in (places or {}).items():
            if array not in counts or not all(index in range(counts[array]) for index in indices):
                known = ", ".join(f"`{name}` 0-{count - 1}" for name, count in counts.items())
                raise RunError(f"run `{self.run_id}` has no `{array}` {sorted(indices)}", hint=f"it has {known}")
        self.status()  # what has ended meanwhile is not there to be cancelled
        chosen = None if places is None else {array: set(indices) for array, indices in places.items()}
        if places is None:
            from sciflow.run.autonomy import end_tending

            end_tending(self.directory, self._connect)
        return cancel(self.directory, self.plan, self._connect, chosen)

    def collect(self, verify: bool = False, join_arrays: bool = False) -> Results:
        """Join all records into the results; also while the run goes on, and where it has been copied to.

        Parameters
        ----------
        verify
            Read every byte of every record again, not only those that are new or have changed.
        join_arrays
            Also join result arrays of the same shape and type into one dataset each, in `arrays.h5`.
        """
        from sciflow.results import Results
        from sciflow.run.collect import collect

        return Results(self.directory, collect(self.directory, self._look, verify, join_arrays))

    def efficiency(self) -> RunEfficiency:
        """How much of what was asked for was used, by what is there now; see `Results.efficiency`."""
        return self.collect().efficiency()

    def advise(self, chance: float = 0.95) -> RunAdvice:
        """What to ask for the next time, by what is there now; see `Results.advise`."""
        return self.collect().advise(chance)

    def to_dataframe(self, table: str = "combinations") -> pd.DataFrame:
        """A table of what is there now: ``combinations``, ``instances``, ``attempts``, …; collects what is new."""
        return self.collect().to_dataframe(table)

    def series(self, task: str, number: int, attempt: int | None = None) -> pd.DataFrame:
        """What an instance of a task has used over time: memory, CPU and I/O; read from its record, also while it runs.

        Parameters
        ----------
        task, number
            Which instance.
        attempt
            Which attempt; by default the last that can be read.

        Raises
        ------
        RunError, ResultError
            For an instance that there is not, or that has left no record.
        """
        from sciflow.analysis.stored import read_series
        from sciflow.run.inspect import locate

        array, index = locate(self.directory, f"{task}[{number}]")
        return read_series(self.directory, array, index, self.plan.array(array).element(index), attempt)

    def seal(self) -> Sealed:
        """Fold records and logs of a run that has ended into few files, where everything still finds them.

        Raises
        ------
        RunError
            Where it has not ended.
        """
        from sciflow.run.seal import seal

        return seal(self.directory, self.plan, self.status())

    def unseal(self) -> int:
        """Give back what was folded, as single files; going on with a run does that by itself."""
        from sciflow.run.seal import unseal
        from sciflow.store.lock import hold

        with hold(self.directory.lock, patience=0.0):
            return unseal(self.directory)

    def _terms(self) -> Terms:
        from sciflow.run.autonomy import RESERVED, is_autonomous
        from sciflow.run.recover import terms_of

        manners = read_manners(self.directory)
        profile = self.profile.model_copy(update={"manners": manners})
        terms = terms_of(profile, read_recovery(self.directory), read_policies(self.directory))
        if not is_autonomous(self.directory):
            return terms
        return replace(terms, reserved=RESERVED if self._waking_time(0.0) is None else 2 * RESERVED)

    def _waking_time(self, now: float) -> float | None:
        """When the throttles of the run may have to be changed next, whatever ends before."""
        from sciflow.run.errands import waking_time

        return waking_time(read_manners(self.directory), self.profile.timezone, now)

    def _connect(self, keep_open: Sequence[int] = ()) -> QueueScheduler:
        return connect(scheduler_name(self.directory), self.directory, keep_open)

    def _ask_and_feed(self) -> RunStatus:
        status = self._fed(track(self.directory, self.plan, self._connect()))
        if has_manners(self.directory) and not status.is_finished:
            status.notes += self._keep_manners(status)
        return status

    def _fed(self, status: RunStatus) -> RunStatus:
        if any(one.state is State.PENDING and one.said is None and not one.is_settled for one in status.everyone()):
            try:
                if self.submit().jobs:
                    return observe(self.directory)
            except (RunError, TransportError) as error:
                status.notes.append(error.message)  # somebody else feeds it, or later there is an answer
        return status

    def _keep_manners(self, status: RunStatus) -> list[str]:
        """Change the throttles that are to be others by now; says what was done."""
        from sciflow.run.manners import keep_by_itself

        conduct = self._terms().conduct
        if conduct is None:
            return []
        try:
            return keep_by_itself(self.directory, self.plan, self._connect, conduct, status).described()
        except RunError as error:
            return [error.message]  # somebody else is at it, who sees to it

    def results(self) -> Results:
        """The results as they were last collected."""
        from sciflow.results import Results

        return Results(self.directory)


def open_run(name: str | Path | None = None, runs: str | Path | None = None) -> Run:
    """Open a run by its directory, its id, or `latest`, the default.

    Raises
    ------
    RunError
        Where there is none.
    """
    return Run(find_run(name, runs))
