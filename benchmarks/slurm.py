"""A sweep on a real Slurm by `sciflow submit --wait`, beside a hand-written array script and beside submitit.

    python benchmarks/slurm.py [COMBINATIONS] [--without-submitit | --packed]

The floor is what a careful user writes: an `sbatch --array` script that starts a small Python program for each index,
a loop that waits until `squeue` is empty, and a few lines that gather. All do the same function on the same cluster, a
private one that is started here from Debian's packages (`bash .ci/install-slurm`), one after the other. submitit comes
from the package index into a folder of its own. With `--packed` there are 32 array indices, each of which does its
share of the combinations: the floor in a loop of one Python program, sciflow each in a process of its own, recorded.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from measure import show

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from live.account import Account, ordinary_account  # noqa: E402
from live.slurm_cluster import SlurmCluster  # noqa: E402
from live.slurm_conf import SlurmOptions  # noqa: E402

FUNCTION = "def work(x):\n    return {'y': x * x}\n"
FLOOR_PROGRAM = """
import json, sys
from work import work
x = int(sys.argv[1])
with open(f"out/{x}.json", "w") as file:
    json.dump({"x": x, **work(x)}, file)
"""
PACKED_PROGRAM = """
import json, sys
from work import work
first, last = int(sys.argv[1]) * int(sys.argv[2]), (int(sys.argv[1]) + 1) * int(sys.argv[2])
for x in range(first, min(last, int(sys.argv[3]))):
    with open(f"out/{x}.json", "w") as file:
        json.dump({"x": x, **work(x)}, file)
"""
PACKED_JOB = "#!/bin/bash\n#SBATCH --output=/dev/null\nexec python one.py $SLURM_ARRAY_TASK_ID %d %d\n"
FLOOR_JOB = "#!/bin/bash\n#SBATCH --output=/dev/null\nexec python one.py $SLURM_ARRAY_TASK_ID\n"
FLOOR = """
import json, pathlib, subprocess, sys, time
count, indices = int(sys.argv[1]), int(sys.argv[2])
pathlib.Path("out").mkdir()
job = subprocess.check_output(["sbatch", "--parsable", f"--array=0-{indices - 1}", "job.sh"], text=True).strip()
while subprocess.check_output(["squeue", "-h", "-j", job], text=True):
    time.sleep(2)
rows = [json.loads(path.read_text()) for path in pathlib.Path("out").glob("*.json")]
pathlib.Path("table.json").write_text(json.dumps(sorted(rows, key=lambda row: row["x"])))
assert len(rows) == count
"""
WORKFLOW = """
name: sweep
parameters: {x: {range: [0, %d]}}
tasks: [{name: work, python: "work:work"%s}]
"""
PACKED_INDICES = 32
PROFILE = "name: site\nscheduler: slurm\nlimits: {highest_index: 10000}\n"
SUBMITIT = """
import sys, submitit
from work import work
count = int(sys.argv[1])
executor = submitit.AutoExecutor(folder="log")
setup = ["export PYTHONPATH=" + sys.argv[2]]
executor.update_parameters(timeout_min=10, slurm_array_parallelism=count, slurm_setup=setup)
jobs = executor.map_array(work, range(count))
results = [job.result() for job in jobs]
assert len(results) == count
"""
COUNTING = '#!/bin/bash\necho "$0" >> "$CALLS"\nexec /usr/bin/%s "$@"\n'


@dataclass
class Cost:
    """What one way of doing the sweep took."""

    wall: float
    rpcs: dict[str, int]
    calls: dict[str, int]
    steps: int
    cpu_ms: float
    files: int
    kilobytes: float


class Bench:
    """One cluster, and one folder for each way of doing the sweep."""

    def __init__(self, cluster: SlurmCluster, count: int, pack: int = 1) -> None:
        self.cluster = cluster
        self.account: Account = cluster.account
        self.count = count
        self.pack = pack
        self.indices = -(-count // pack)
        self.tools = self.account.folder("tools")
        for name in ("sbatch", "squeue", "sacct", "scontrol", "scancel"):
            self.account.write(self.tools / name, COUNTING % name, 0o755)

    @property
    def workflow(self) -> str:
        """The workflow file."""
        packed = f", resources: {{combinations_per_index: {self.pack}}}" if self.pack > 1 else ""
        return WORKFLOW % (self.count, packed)

    def floor(self) -> Cost:
        """What a hand-written array script costs."""
        programs = {"one.py": FLOOR_PROGRAM, "job.sh": FLOOR_JOB}
        if self.pack > 1:
            programs = {"one.py": PACKED_PROGRAM, "job.sh": PACKED_JOB % (self.pack, self.count)}
        folder = self.folder("floor", {**programs, "floor.py": FLOOR})
        return self.cost(folder, "python", "floor.py", str(self.count), str(self.indices))

    def ours(self) -> Cost:
        """What sciflow costs."""
        folder = self.folder("ours", {"workflow.yaml": self.workflow, "site.yaml": PROFILE})
        return self.cost(folder, "sciflow", "submit", "workflow.yaml", "--profile", "site.yaml", "--wait")

    def folder(self, name: str, files: dict[str, str]) -> Path:
        """Make a folder with the function and some files."""
        made = self.account.folder(name)
        for file, text in {"work.py": FUNCTION, **files}.items():
            self.account.write(made / file, text)
        return made

    def cost(self, folder: Path, *command: str | Path, packages: str = "") -> Cost:
        """Run a command to all results, and count what it cost."""
        calls = folder.parent / f"{folder.name}.calls"
        self.account.write(calls, "")
        path = f"{self.tools}:{self.account.environment['PATH']}"
        variables = {"CALLS": str(calls), "PATH": path, "PYTHONPATH": packages}
        self.cluster.reset_rpcs()
        begin = time.time()
        self.account.run(*command, cwd=folder, env=variables, timeout=3000)
        wall = time.time() - begin
        # Messages of the nodes' own, which bundle what they have to tell as it comes, are nobody's work.
        counts = self.cluster.rpc_counts().items()
        rpcs = {n: k for n, k in counts if n.startswith("REQUEST_") and n not in ("REQUEST_STATS_INFO", "REQUEST_PING")}
        named = [Path(line).name for line in calls.read_text().split()]
        files = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_uid == self.account.uid]
        steps, cpu = self._accounted(begin)
        size = sum(path.stat().st_size for path in files) / 1024
        return Cost(wall, rpcs, {n: named.count(n) for n in set(named)}, steps, cpu, len(files), size)

    def _accounted(self, begin: float) -> tuple[int, float]:
        """Job steps in the accounting, and milliseconds of CPU time for each index."""
        since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(begin))
        ask = ["sacct", "-n", "-P", "-S", since, "-o", "JobID,TotalCPU,State"]

        def rows() -> list[list[str]]:
            return [line.split("|") for line in self.cluster.command(*ask).stdout.splitlines()]

        def is_written() -> bool:
            return sum(row[2] == "COMPLETED" and "." not in row[0] for row in rows()) >= self.indices

        self.cluster.wait_for(is_written, "the accounting of all indices")
        steps = [row for row in rows() if "." in row[0]]
        return len(steps), sum(_seconds(row[1]) for row in steps) / self.count * 1000


def _seconds(text: str) -> float:
    """Read ``00:00.427`` or ``1-02:03:04``."""
    days, _, clock = text.rpartition("-")
    total = 0.0
    for part in clock.split(":"):
        total = total * 60 + float(part)
    return total + 86400 * int(days or 0)


def submit_times(bench: Bench, times: int = 5) -> tuple[float, float]:
    """Median seconds of `sciflow submit` and of a bare `sbatch`, of as many indices, in turn; nothing of it starts."""
    ours: list[float] = []
    floor: list[float] = []
    never = "schedule: {policy: not_before, not_before: 2099-01-01 00:00}\n"
    for _ in range(times):
        folder = bench.folder("submit", {"workflow.yaml": bench.workflow + never, "site.yaml": PROFILE})
        bench.account.write(folder / "job.sh", FLOOR_JOB)
        for kept, command in (
            (ours, ["sciflow", "submit", "workflow.yaml", "--profile", "site.yaml"]),
            (floor, ["sbatch", "--begin=2099-01-01", f"--array=0-{bench.indices - 1}", "job.sh"]),
        ):
            begin = time.perf_counter()
            bench.account.run(*command, cwd=folder)
            kept.append(time.perf_counter() - begin)
    bench.cluster.command("scancel", "-u", bench.account.name)
    return sorted(ours)[times // 2], sorted(floor)[times // 2]


def report(name: str, cost: Cost, floor: Cost, count: int, is_ours: bool) -> None:
    """Print what one way cost, beside the floor."""
    rpcs = sum(cost.rpcs.values())
    show(f"{name}: all results, wall", cost.wall, "s")
    show(f"{name}: … ratio to the floor", cost.wall / floor.wall, "")
    show(f"{name}: calls of sbatch", cost.calls.get("sbatch", 0), "", 1 if is_ours else None)
    show(f"{name}: other calls of Slurm's commands", sum(cost.calls.values()) - cost.calls.get("sbatch", 0), "")
    show(f"{name}: RPCs per index", rpcs / count, "", 1.1 if is_ours else None)
    show(f"{name}: accounting steps per index", cost.steps / count, "", 1 if is_ours else None)
    show(f"{name}: CPU per index", cost.cpu_ms, "ms")
    show(f"{name}: … beyond the floor", cost.cpu_ms - floor.cpu_ms, "ms", 60 if is_ours else None)
    show(f"{name}: files left per index", cost.files / count, "", 3 if is_ours else None)
    show(f"{name}: kB left per index", cost.kilobytes / count, "kB")
    for rpc, number in sorted(cost.rpcs.items(), key=lambda item: -item[1])[:6]:
        print(f"    {number:7d} {rpc}")


def main() -> None:
    """Measure and print."""
    words = [word for word in sys.argv[1:] if word.isdecimal()]
    count = int(words[0]) if words else 1000
    with ordinary_account() as account, tempfile.TemporaryDirectory(prefix="submitit-", dir="/tmp") as packages:
        cluster = SlurmCluster(account, SlurmOptions())
        cluster.start()
        try:
            if "--packed" in sys.argv:
                bench = Bench(cluster, count, -(-count // PACKED_INDICES))
                floor, sweep = bench.floor(), bench.ours()
                report("packed floor", floor, floor, count, is_ours=False)
                report("packed sciflow", sweep, floor, count, is_ours=True)
                show("packed: ratio of wall times", sweep.wall / floor.wall, "", 1.5)
                return
            bench = Bench(cluster, count)
            ours, bare = submit_times(bench)
            show("sciflow submit, wall", ours, "s", 1.1 * bare + 1)
            show("… a bare sbatch of as many indices", bare, "s")
            floor = bench.floor()
            report("floor", floor, floor, count, is_ours=False)
            sweep = bench.ours()
            report("sciflow", sweep, floor, count, is_ours=True)
            if "--without-submitit" not in sys.argv:
                target = ["pip", "install", "--quiet", "--python", sys.executable, "--target", packages, "submitit"]
                subprocess.run([Path(sys.executable).with_name("uv"), *target], check=True)
                subprocess.run(["chmod", "-R", "a+rX", packages], check=True)
                folder = bench.folder("submitit", {"many.py": SUBMITIT})
                peer = bench.cost(folder, "python", "many.py", str(count), f"{packages}:{folder}", packages=packages)
                report("submitit", peer, floor, count, is_ours=False)
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
