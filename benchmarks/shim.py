"""What the shim adds to an array index that starts cold, beside a bare array script and submitit's part in the job.

    python benchmarks/shim.py [--quick] [--without-submitit]

An index is run as Slurm runs it, by the rendered script, without a Slurm. The floor is what a careful user writes: a
bash script that starts a small Python program, which calls the function and writes its result as JSON. submitit comes
from the package index into a folder of its own; its part is what its job script starts, `python -u -m
submitit.core._submit FOLDER`, without the `srun` that it puts before it. All three call the same function with the
same interpreter, in turn, with modules compiled once as usual. System calls, files that are opened or looked for, and
processes are counted by strace, in a run of their own. With `--quick` the programs that are sampled run for 10
seconds instead of 120.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
from measure import Cost, median, run, show

from sciflow.engine import Engine
from sciflow.loading import load_workflow

WORK = """
import time
def work(x):
    return {"y": x * x, "begun": time.clock_gettime(time.CLOCK_MONOTONIC)}
def wait(x):
    time.sleep(x)
"""
FLOOR_PROGRAM = """
import json, sys
import work
task, x = sys.argv[1], int(sys.argv[2])
with open(f"out/{x}.json", "w") as file:
    json.dump({"x": x, "result": getattr(work, task)(x)}, file)
"""
FLOOR_JOB = "#!/bin/bash\nexec %s one.py $1 $2\n"
SUBMITIT_JOB = "#!/bin/bash\nSUBMITIT_LOCAL_JOB_ID=$2 exec %s -u -m submitit.core._submit %s > log/$2.out 2>&1\n"
PICKLE_JOB = """
import sys
from submitit.core.utils import DelayedSubmission, JobPaths
import work
for x in range(int(sys.argv[1])):
    job = DelayedSubmission(work.work, x)
    job.set_timeout(10, 0)
    job.dump(JobPaths("log", job_id=str(x)).submitted_pickle)
"""
BUSY = "import time; end = time.monotonic() + %d\nwhile time.monotonic() < end: sum(range(1000)); time.sleep(0.02)"
# The largest process of a command, as one sees it who is small: a process counts what it was before it became another.
LARGEST = """
import os, resource, sys
if os.fork() == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execvp(sys.argv[1], sys.argv[1:])
os.wait()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
TIMES = 15
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)")
PROCESSES = ("fork", "vfork", "clone", "clone3")


@dataclass(frozen=True)
class Way:
    """One way to run an index: its command, and how to read the moment at which the function began."""

    name: str
    command: Callable[[int], Sequence[str]]
    begun: Callable[[int], float]
    folder: Path


@dataclass(frozen=True)
class Traced:
    """What strace has counted in one run."""

    calls: int
    opened: int
    processes: int


def cold(ways: Sequence[Way]) -> None:
    """Print what an index costs that starts cold, for each way; the first one is the floor."""
    costs: dict[str, list[Cost]] = {way.name: [] for way in ways}
    starts: dict[str, list[float]] = {way.name: [] for way in ways}
    for turn in range(TIMES + 1):
        for way in ways:
            launched = time.clock_gettime(time.CLOCK_MONOTONIC)
            cost = run(way.command(turn), way.folder)
            if turn:  # the first one compiles modules and captures the environment, once for all
                costs[way.name].append(cost)
                starts[way.name].append(way.begun(turn) - launched)
    traced = {way.name: trace(way.command(TIMES + 1), way.folder) for way in ways}
    sizes = {way.name: largest(way.command(TIMES + 2), way.folder) for way in ways}
    floor = ways[0].name
    for way in ways:
        ours = way.name == "sciflow"
        cpu = median(costs[way.name], "cpu")
        start = statistics.median(starts[way.name])
        one, base = traced[way.name], traced[floor]
        show(f"{way.name}: CPU of an index", cpu * 1000, "ms")
        show(f"{way.name}: wall until the user's code starts", start * 1000, "ms")
        if way.name == floor:
            show(f"{floor}: system calls", one.calls, "")
            show(f"{floor}: opened files", one.opened, "")
            show(f"{floor}: largest process", sizes[floor], "MB")
            continue
        late = start / statistics.median(starts[floor])
        show("… CPU beyond the floor", (cpu - median(costs[floor], "cpu")) * 1000, "ms", 60 if ours else None)
        show("… the user's code starts later by a factor of", late, "", 1.5 if ours else None)
        show("… system calls beyond the floor", one.calls - base.calls, "", 1000 if ours else None)
        show("… opened files beyond the floor", one.opened - base.opened, "", 60 if ours else None)
        show("… processes beyond the floor", one.processes - base.processes, "")
        show("… largest process beyond the floor's", sizes[way.name] - sizes[floor], "MB", 15 if ours else None)


def largest(command: Sequence[str], folder: Path) -> float:
    """Megabytes of the largest process of a command."""
    measured = [sys.executable, "-S", "-E", "-c", LARGEST, *command]
    return int(subprocess.run(measured, cwd=folder, capture_output=True, text=True, check=True).stdout) / 1024


def trace(command: Sequence[str], folder: Path) -> Traced:
    """Count what a command and all that it starts ask of the kernel."""
    log = folder / "strace.log"
    run(["strace", "-f", "-qq", "-s", "0", "-o", str(log), *command], folder)
    names = []
    for line in log.read_text(errors="replace").splitlines():
        match = CALL.match(line)
        if match and "resumed>" not in line and "+++" not in line and "---" not in line:
            names.append((match[1], " = -1 " in line))
    opened = [failed for name, failed in names if name in ("open", "openat", "openat2")]
    made = [name for name, _ in names if name in PROCESSES]
    return Traced(len(names), len(opened), len(made))


def resident(ours: Sequence[str], floor: Sequence[str], folder: Path) -> None:
    """Print the memory that a waiting function's index takes in all, pages that are shared counted once."""
    sizes = []
    for command in (floor, ours):
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        sizes.append(sum(_proportional(pid) for pid in [process.pid, *_descendants(process.pid)]) / 2**20)
        process.wait()
    show("sciflow: memory of all its processes beyond the floor's", sizes[1] - sizes[0], "MB", 15)


def _proportional(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(r"^Pss: +(\d+) kB", text, re.M)[0]) * 1024


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *_descendants(int(child))]
    return found


def sampling(title: str, script: Sequence[str], seconds: int, folder: Path) -> None:
    """Print the share of a core that the supervisor takes while a program runs, and of the program's time in all."""
    process = subprocess.Popen(script, cwd=folder, stdout=subprocess.DEVNULL)
    time.sleep(min(2.0, seconds / 4))
    begin, before = time.monotonic(), _cpu(process.pid)
    time.sleep(seconds * 0.9 - min(2.0, seconds / 4))
    after, end = _cpu(process.pid), time.monotonic()
    last = after
    while process.poll() is None:
        last = _cpu(process.pid) or last
        time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"{title}: the index ended with {process.returncode}")
    show(f"sampling {title}, share of a core", (after - before) / (end - begin) * 100, "%", 0.5)
    show(f"… the supervisor's CPU from start to end, of {seconds} s", last / seconds * 100, "%", 1)


def _cpu(pid: int) -> float:
    """Seconds of CPU time of a process itself; 0 once it has ended."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def storage(script: Sequence[str], record: Path, folder: Path) -> None:
    """Print how many bytes a record adds to a result of 1 MB."""
    run(script, folder)
    with h5py.File(record) as file:
        dataset: Any = file["results/values"]
        data = dataset.size * dataset.dtype.itemsize
    size = record.stat().st_size
    show("record of a 1 MB result, beyond the data", size - data, "bytes")
    show("… share of the data", (size - data) / data * 100, "%", 5)


def many(title: str, ours: Sequence[str], floor: Sequence[str], folder: Path, count: int, budget: float | None) -> None:
    """Print what many short instances take by one command, beside a floor that does the same ones."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for _ in range(3):
        for command, kept in zip((ours, floor), costs, strict=True):
            kept.append(run(command, folder))
    mine, bare = (median(kept, "wall") for kept in costs)
    show(f"{title}: wall for each", mine / count * 1000, "ms")
    show("… floor: a loop that starts each, wall", bare / count * 1000, "ms")
    show("… ratio", mine / bare, "", budget)


MANY = """
name: many
parameters: {x: {range: [0, %d]}}
tasks: [{name: short, command: "echo {{ x }} > out"}]
"""
MANY_FLOOR = """
import subprocess
for x in range(%d):
    subprocess.run(["bash", "-c", f"echo {x} > out/{x}"], check=True)
"""
WORKFLOW = """
name: cold
parameters: {x: {range: [0, %d]}}
tasks:
  - {name: work, python: "work:work"}
  - {name: wait, python: "work:wait", parameters: [x]}
  - {name: sleep, command: "sleep %d"}
  - {name: busy, command: "for i in {1..20}; do %s busy.py & done; wait", inputs: [busy.py]}
  - {name: large, python: "large:large"}
"""
PROFILE = "name: site\nscheduler: slurm\n"
LARGE = "def large():\n    import numpy\n    return {'values': numpy.random.default_rng(1).random(131072)}\n"


def prepare(folder: Path, seconds: int) -> Path:
    """Write the workflow, its plan and the floor; returns the run directory."""
    busy = folder / "busy.py"
    for name, text in (("work.py", WORK), ("large.py", LARGE), ("one.py", FLOOR_PROGRAM), ("busy.py", BUSY % seconds)):
        (folder / name).write_text(text)
    (folder / "out").mkdir()
    (folder / "job.sh").write_text(FLOOR_JOB % sys.executable)
    text = (WORKFLOW % (TIMES + 3, seconds, sys.executable)).replace("busy.py &", f"{busy} &")
    (folder / "workflow.yaml").write_text(text)
    (folder / "site.yaml").write_text(PROFILE)
    engine = Engine(profile=str(folder / "site.yaml"), runs=folder / "runs")
    engine.write_plan(engine.compile(load_workflow(str(folder / "workflow.yaml"))), folder / "run")
    return folder / "run"


def submitit_way(folder: Path) -> Way:
    """Install submitit in a folder of its own, and pickle a job for each index."""
    packages = folder / "packages"
    install = ["pip", "install", "--quiet", "--python", sys.executable, "--target", str(packages), "submitit"]
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, *install], check=True)
    (folder / "log").mkdir()
    os.environ["SUBMITIT_EXECUTOR"] = "local"
    environment = {**os.environ, "PYTHONPATH": f"{packages}:{folder}"}
    (folder / "submitit.sh").write_text(
        SUBMITIT_JOB.replace("exec", f"PYTHONPATH={packages}:{folder} exec") % (sys.executable, folder / "log")
    )
    make = [sys.executable, "-c", PICKLE_JOB, str(TIMES + 3)]
    subprocess.run(make, cwd=folder, env=environment, check=True)

    def begun(index: int) -> float:
        outcome, value = pickle.loads((folder / "log" / f"{index}_0_result.pkl").read_bytes())
        assert outcome == "success", value
        return value["begun"]

    return Way("submitit", lambda index: ["bash", "submitit.sh", "work", str(index)], begun, folder)


def record(directory: Path, array: str, index: int) -> Path:
    """The record of the first attempt."""
    return directory / "records" / array / "0000" / f"{index}.1.h5"


def main() -> None:
    """Measure and print."""
    seconds = 10 if "--quick" in sys.argv else 120
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
        os.environ.pop(name, None)  # modules are compiled once, as where nobody has said otherwise
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        directory = prepare(folder, seconds)

        def script(array: str, index: int) -> list[str]:
            os.environ.update(SLURM_SUBMIT_DIR=str(directory), SLURM_ARRAY_TASK_ID=str(index))
            return ["bash", str(directory / "scripts" / f"{array}.sh")]

        def begun(index: int) -> float:
            with h5py.File(record(directory, "work.0", index)) as file:
                return float(file["metrics"].attrs["begun"])  # type: ignore[arg-type]

        def floor_begun(index: int) -> float:
            return json.loads((folder / "out" / f"{index}.json").read_text())["result"]["begun"]

        ways = [
            Way("floor", lambda index: ["bash", "job.sh", "work", str(index)], floor_begun, folder),
            Way("sciflow", lambda index: script("work.0", index), begun, folder),
        ]
        if "--without-submitit" not in sys.argv:
            ways.append(submitit_way(folder))
        cold(ways)
        resident(script("wait.0", 3), ["bash", "job.sh", "wait", "3"], folder)
        storage(script("large.0", 0), record(directory, "large.0", 0), folder)
        (folder / "many.yaml").write_text(MANY % 200)
        (folder / "many.py").write_text(MANY_FLOOR % 200)
        ours = [sys.executable, "-m", "sciflow", "run", "many.yaml", "--fresh", "--json"]
        many("200 short commands, not packed, here", ours, [sys.executable, "many.py"], folder, 200, None)
        sampling(f"a program that sleeps for {seconds} s", script("sleep.0", 0), seconds, folder)
        sampling("20 processes that work", script("busy.0", 0), seconds, folder)


if __name__ == "__main__":
    main()
