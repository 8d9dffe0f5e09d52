"""The cells of the matrix that are played on this machine, with real processes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from faults import matrix as m
from sciflow.store.records import read_state
from sciflow_shim import files

COUNT = 5
STRIKE = Path(__file__).with_name("strike")
WORKFLOW = """
name: matrix
parameters: {x: {range: [0, 5]}}
recovery: {retries: 3}
tasks:
  - name: work
    python: programs:work
    resources: {memory_gb: 0.3, max_runtime: "0:00:06"}
  - name: after
    python: programs:after
    depends_on: [work]
  - name: total
    python: programs:total
    depends_on: [after]
    over: all
"""
PROGRAMS = """
import json, os, sys, time
sys.path.insert(0, {strike!r})
from striking import once, strike

def work(x, context):
    play = json.loads(os.environ["PROGRAM"])
    if x == 2 and play:
        if play["is_second"] and context.attempt == 1:
            raise ValueError("a first failure")
        if play["how"] and (play["is_second"] or play["at"] in ("start", "running")) and once():
            if play["at"] != "start":
                time.sleep(0.2)
            if play["how"] == "memory":
                held = bytearray(600_000_000)
                time.sleep(60)
            elif play["how"] == "time":
                time.sleep(60)
            else:
                strike(play["how"])
                time.sleep(60)
    return {{"y": x * x}}

def after(work):
    return {{"z": work["y"] + 1}}

def total(after):
    return {{"sum": sum(one["z"] for one in after)}}
"""
_HOW = {
    **{m.SUBMITTER: "driver", m.NODE: "all", m.PROGRAM: "program", m.SHIM: "shim"},
    **{m.MEMORY: "memory", m.TIME: "time", m.DISK: "full"},
}
_SHIM, _CLI = r"sciflow_shim.*work\.0", "-m sciflow "
_FINAL = r"/records/work\.0/0000/2\.\d+\.h5$"


class Scene:
    """One play: a sweep in a folder of its own, what strikes it, and the person who gives the commands.

    Parameters
    ----------
    folder
        Where it is played.
    cell
        What is played.
    """

    def __init__(self, folder: Path, cell: m.Cell) -> None:
        self.folder, self.cell = folder, cell
        self.said: list[str] = []
        (folder / "workflow.yaml").write_text(WORKFLOW)
        (folder / "programs.py").write_text(PROGRAMS.format(strike=str(STRIKE)))

    def play(self) -> None:
        """Run it, let it go wrong, and give the same command again, and `retry`, until all is completed."""
        is_second = self.cell.moment == m.RETRYING
        trap, how = self._trap(), _HOW.get(self.cell.fault, "")
        program = {"at": self.cell.moment, "how": "" if trap else how, "is_second": is_second}
        code = self._command("run", "workflow.yaml", PROGRAM=program, TRAP={} if is_second else trap)
        if self.cell.moment == m.COLLECTING:  # which `run` does as its last
            self._tear()
            code = self._command("collect", PROGRAM={}, TRAP={}) or 1
        elif self.cell.fault == m.TORN and not is_second:
            self._tear()
            code = 1
        for number in range(8):
            if code == 0:
                return
            words = (
                ("retry",)
                if number % 2 == 0 and list(self.folder.glob("sciflow-runs/matrix/2*"))
                else ("run", "workflow.yaml")
            )
            code = self._command(*words, PROGRAM=program, TRAP=trap if is_second else {})
            if self.cell.fault == m.TORN and is_second and number == 0:
                self._tear()
                code = 1
        raise AssertionError("it is never complete:\n" + "\n".join(self.said))

    def check(self) -> None:
        """It did go wrong; the table is what it should be, and nothing was completed twice."""
        assert (self.folder / "struck").exists(), self.said
        assert self._command("collect", "--export", "table.csv", PROGRAM={}, TRAP={}) == 0, self.said
        with (self.folder / "table.csv").open() as file:
            rows = [
                (int(row["x"]), int(float(row["y"])), int(float(row["z"])), int(float(row["sum"])))
                for row in csv.DictReader(file)
            ]
        whole = sum(x * x + 1 for x in range(COUNT))
        assert rows == [(x, x * x, x * x + 1, whole) for x in range(COUNT)]
        counts: Counter[str] = Counter()
        for path in self._run().glob("records/*/*/*.h5"):
            index, _ = files.split_attempt(path.name)
            state = read_state(str(path), index)
            counts[f"{path.parts[-3]}[{index}]"] += state is not None and state.state.is_success
        assert len(counts) == 2 * COUNT + 1
        assert set(counts.values()) == {1}, counts

    def _run(self) -> Path:
        [run] = self.folder.glob("sciflow-runs/matrix/2*")
        return run

    def _trap(self) -> dict[str, str]:
        """What goes wrong at a file of sciflow's own; nothing where the program is the place."""
        fault, moment, how = self.cell.fault, self.cell.moment, _HOW.get(self.cell.fault, "")
        if moment == m.WRITING:
            return {"event": "os.rename", "who": _SHIM, "path": _FINAL, "how": how}
        if moment == m.FINISHING and fault != m.TORN:
            return {
                "event": "os.remove",
                "who": _SHIM,
                "path": r"/work\.0/0000/\.2\.1\.outcome$",
                "how": how,
                "beside": "2.1.h5",
            }
        if fault == m.TORN:
            return {}
        if moment == m.SUBMIT:
            return {
                "event": "os.rename",
                "who": _CLI,
                "path": r"/matrix/\d{8}-",
                "how": "all" if how == "driver" else how,
            }
        if moment == m.COLLECTING:
            path = rf"/{files.RESULTS}$"
            return {"event": "os.rename", "who": _CLI, "path": path, "how": "all" if how == "driver" else how}
        if moment == m.RETRYING and fault == m.DISK:
            return {"event": "open", "who": _CLI, "path": r"/journal\.jsonl$", "how": how}
        return {}

    def _tear(self) -> None:
        """Tear the last record of the index, where that is the fault."""
        if self.cell.fault == m.TORN and not (self.folder / "struck").exists():
            path = max(self._run().glob("records/work.0/0000/2.*.h5"), key=lambda one: files.split_attempt(one.name))
            path.write_bytes(path.read_bytes()[:100])
            (self.folder / "struck").mkdir()

    def _command(self, *words: str, **plays: dict[str, object] | dict[str, str]) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "sciflow", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(STRIKE),
                "PLAY": str(self.folder),
                "SCIFLOW_GRACE_SECONDS": "0.5",
                "PROGRAM": json.dumps(plays["PROGRAM"]),
                **({"TRAP": json.dumps(plays["TRAP"])} if plays["TRAP"] else {}),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.said.append(
            f"$ sciflow {' '.join(words)}\n{done.stdout[-1500:]}{done.stderr[-1500:]}\n[{done.returncode}]"
        )
        return done.returncode
