"""A run on two nodes that never was: what figures of machines are tried on."""

from __future__ import annotations

from pathlib import Path

from sciflow.figures.numbers import Source
from unit.analysis.measured_run import GIB, MeasuredRun
from unit.figures.observed import DATA

BEGAN = 1_000_000_000.0


class MachineRun(MeasuredRun):
    """Six instances, each with 8 GB and two hours on four cores; attempts are added by `ran`."""

    def __init__(self, folder: Path, count: int = 6) -> None:
        super().__init__(folder, {"x": list(range(count))})

    def ran(
        self,
        number: int,
        begin: float,
        seconds: float,
        node: str = "n1",
        state: str = "COMPLETED",
        attempt: int = 1,
        cpu: float | None = None,
        memory: float | None = None,
    ) -> None:
        """Add an attempt that began so many seconds after the run."""
        start = BEGAN + begin
        end = None if state in ("RUNNING", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL") else start + seconds
        self.add(
            number, state, attempt, start, seconds=seconds, cpu=cpu, memory=memory, end=end, node=node, host=f"{node}.x"
        )

    def handed(self, indices: str, begin: float) -> None:
        """Hand indices to the scheduler, so many seconds after the run began."""
        self.note(event="intent", array="solve.0", name=f"solve.{begin}", indices=indices, time=BEGAN + begin)

    def tried_again(self, index: int, cause: str, begin: float) -> None:
        """Decide to try an index again."""
        more = {"variant": "a", "seconds": 0, "error": "", "counts": True, "memory": 16 * GIB, "cause": cause}
        self.note(event="retry", array="solve.0", indices=str(index), time=BEGAN + begin, **more)

    def source(self) -> Source:
        """What a figure is made of; the observations are others."""
        return Source(DATA["grid"](), self.results())


def with_failures(folder: Path) -> MachineRun:
    """Two indices at a time on the first node, one on the second; one is killed for its memory and tried again."""
    run = MachineRun(folder)
    run.handed("0-5", 0.0)
    run.ran(0, 10, 100, cpu=200, memory=4096)
    run.ran(1, 10, 50, state="OUT_OF_MEMORY", cpu=100, memory=8192)
    run.ran(2, 10, 100, "n10", cpu=400, memory=1024)
    run.ran(3, 60, 50, cpu=100, memory=2048)
    run.ran(4, 110, 7200, "n10", state="TIMEOUT", cpu=7200, memory=512)
    run.tried_again(1, "out_of_memory", 70)
    run.handed("1", 70.0)
    run.ran(1, 110, 100, attempt=2, cpu=400, memory=9000)
    return run
