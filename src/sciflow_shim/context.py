"""What a function gets when it asks for `context`."""

from __future__ import annotations

import copy
import os
import pickle
import signal
from pathlib import Path
from typing import Any

from sciflow_shim import files, packing
from sciflow_shim.outcome import Outcome


class Parameters(dict):
    """An instance's parameters; one that it does not depend on says how it could."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(
            f"`{name}` is none of the parameters that tell the instances of this task apart "
            f"({', '.join(self) or 'it has none'}); name it in the function's signature or in `parameters=[...]`"
        )


class TaskContext:
    """The surroundings of one task instance.

    Attributes
    ----------
    parameters : dict
        The instance's parameters.
    task, instance, run, array : str
        Where it stands: task, instance id, run directory and array job.
    index, attempt : int
        Array index, and how often it was started.
    seed : int
        A 31-bit number that belongs to this instance, the same in every attempt and run.
    """

    def __init__(self, facts: dict[str, Any], working_directory: str, outcome: Outcome) -> None:
        self.parameters: dict[str, Any] = Parameters(facts["parameters"])
        self.task: str = facts["task"]
        self.instance: str = facts["instance"]
        self.run: str = facts["run"]
        self.array: str = facts["array"]
        self.index: int = facts["index"]
        self.attempt: int = facts["attempt"]
        self.seed: int = facts["seed"]
        self._work = Path(working_directory)
        self._outcome = outcome
        self._series: dict[str, list[list[float]]] = {}
        self._stop = False
        self._process = os.getpid()
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._remember)

    def _remember(self, number: int, _frame: Any) -> None:
        if os.getpid() == self._process:
            self._stop = True
        else:  # a process that the function has started, which is to end as if there were no context
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    @property
    def working_directory(self) -> Path:
        """A directory of its own, the same in every attempt."""
        self._work.mkdir(parents=True, exist_ok=True)
        return self._work

    @property
    def checkpoint_directory(self) -> Path:
        """Where checkpoints go; what is there at the start came from an earlier attempt."""
        path = self._work / files.CHECKPOINT
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log_metric(self, name: str, value: float, step: float | None = None) -> None:
        """Record a number; with `step`, one more point of a series, whose last value is the metric."""
        if step is not None:
            self._series.setdefault(name, []).append([float(step), float(value)])
        packing.pack(self._outcome, name, value, str(self._work))

    def save_array(self, name: str, values: Any, unit: str = "") -> None:
        """Record an array under a name, as it is now."""
        packing.pack(self._outcome, name, copy.copy(values), str(self._work))
        if unit and self._outcome.results and self._outcome.results[-1]["name"] == name:
            self._outcome.results[-1]["attributes"]["units"] = unit

    def save_artifact(self, path: str | os.PathLike[str], name: str = "") -> None:
        """Record a file: its path, size and SHA-256; relative paths start from the working directory."""
        packing.pack(self._outcome, name or os.path.basename(os.fspath(path)), Path(path), str(self._work))

    def checkpoint(self, state: Any) -> None:
        """Keep a state from which a later attempt can go on; the one before is replaced whole."""
        path = self.checkpoint_directory / "state.pickle"
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            pickle.dump(state, file, protocol=pickle.HIGHEST_PROTOCOL)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def restore(self, default: Any = None) -> Any:
        """The state that the last `checkpoint` kept, or `default` where there is none."""
        path = self._work / files.CHECKPOINT / "state.pickle"
        if not path.exists():
            return default
        try:
            with path.open("rb") as file:
                state = pickle.load(file)
        except Exception as error:
            raise RuntimeError(
                f"the checkpoint `{path}` cannot be read, and is left as it is: {type(error).__name__}: {error}; "
                "with other code than it was written by? Remove it to start from the beginning"
            ) from error
        self._outcome.notes["restored"] = True
        return state

    def should_stop(self) -> bool:
        """Whether the time limit is near, or the run is being stopped.

        A function that was told so and returns is not done: its attempt is no success, and the next one goes on from
        its checkpoint.
        """
        if self._stop:
            self._outcome.notes["stopped"] = True
        return self._stop

    def finish(self) -> None:
        """Hand the series over; called when the function has returned."""
        import array

        for name, points in self._series.items():
            flat = array.array("d", [number for point in points for number in point])
            self._outcome.add_result(f"{name}.series", "<f8", [len(points), 2], flat, kind="series")
