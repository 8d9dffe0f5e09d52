"""What is known of the records of a run without reading them: states, and whether a file is where it belongs."""

from __future__ import annotations

from sciflow.model.plan import Plan
from sciflow.store.collected import KnownFile
from sciflow.store.inventory import place_of
from sciflow.store.layout import RunDirectory
from sciflow.store.records import TORN, RecordState, read_states


class KnownRecords:
    """The records of a run that have been read before.

    Parameters
    ----------
    run, plan
        The run, and what it does.
    run_id
        The id that its records state.
    files
        Path from the run directory → what is known of it.
    """

    def __init__(self, run: RunDirectory, plan: Plan, run_id: str, files: dict[str, KnownFile]) -> None:
        self.run_id = run_id
        self.files = files
        self._root = str(run.path)
        self._jobs = {array.name: array for array in plan.arrays}

    def read_states(self, path: str, index: int) -> dict[int, RecordState] | None:
        """Index → how its attempt ended, as `sciflow.store.records.read_states`, from what has been read.

        A record that is none of this run's tells of nothing.
        """
        known = self.files.get(name := path[len(self._root) + 1 :])
        if known is None:
            return read_states(path, index)  # it has come meanwhile, and counts the next time
        if known.seal == TORN and not known.states:
            return None
        return known.states if self.is_own(name, known) else {}

    def is_own(self, name: str, known: KnownFile) -> bool:
        """Whether a record is where it says that it belongs; torn ones belong where they are."""
        array, index, attempt = place_of(name)
        if index < 0 or array not in self._jobs:
            return False
        count = self._jobs[array].count
        if known.seal == TORN and known.says[0] == "":
            return index < (self._jobs[array].elements if attempt else count)
        run, its_array, its_index, its_attempt = known.says
        if known.states and all(one >= count for one in known.states):
            return False
        if attempt == 0:  # taken over from another run, whose name and place it keeps
            return True
        said = (run, its_array, its_index if its_index >= 0 else index, its_attempt if its_attempt >= 0 else attempt)
        return said == (self.run_id, array, index, attempt)
