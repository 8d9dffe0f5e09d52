"""The same commands on a real Slurm and on the virtual cluster, and what they answer in words that can be compared."""

import re
import socket
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from live.account import Account
from live.slurm_cluster import SlurmCluster
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Call, answer
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.slurm.words import HOST
from sciflow.transport.base import Answer

NODES, CORES, MEMORY_MB, GPUS = 2, 64, 16_000, 2
FIRST = 7_001  # of the ids of jobs: no other number looks like one
PATIENCE = 150.0  # seconds for all cases together; a machine with a load of 20 needs half a minute for a quiet second
STEP = 0.2
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
FINISHED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}


class RealPlace:
    """A real Slurm, as its ordinary user."""

    names: ClassVar = {f" {socket.gethostname().split('.')[0]} ": " HOST "}

    def __init__(self, cluster: SlurmCluster) -> None:
        self.cluster = cluster
        self.account = cluster.account
        self.folder = cluster.account.folder("differential")

    def run(self, argv: Sequence[str], variables: Mapping[str, str], stdin: str = "") -> Answer:
        """Run a command."""
        done = self.account.run(*argv, cwd=self.folder, env=variables, input=stdin, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        self.account.write(self.folder / name, text, 0o755)

    def kill_node(self, name: str) -> None:
        """Let a node die."""
        self.cluster.kill_node(name)

    def pause(self) -> None:
        """Let a little time pass."""
        time.sleep(STEP)


class FakePlace:
    """The virtual cluster, set up as the real one is; job scripts are really run."""

    names: ClassVar = {f" {HOST} ": " HOST "}

    def __init__(self, account: Account, folder: Path) -> None:
        self.account, self.folder = account, folder
        nodes = make_nodes(NODES, CORES, MEMORY_MB / 1024, GPUS)
        longest = float("inf")
        partitions = (
            Partition("main", longest=longest),
            Partition("short", longest=12 * 3600.0, is_default=False),
            Partition("gpu", longest=48 * 3600.0, is_default=False),
        )
        self.body = RealBody()
        rules = Rules(partitions, kill_wait=5.0, first_id=FIRST)
        self.cluster = VirtualCluster(nodes, self.body, SLURM, VirtualClock(time.time()), rules)

    def run(self, argv: Sequence[str], variables: Mapping[str, str], stdin: str = "") -> Answer:
        """Run a command."""
        own = {**self.account.environment, **variables}
        return answer(self.cluster, Call(tuple(argv), self.folder, own, stdin, self.account.name, self.account.uid))

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text)

    def kill_node(self, name: str) -> None:
        """Let a node die."""
        self.cluster.kill_node(name)

    def pause(self) -> None:
        """Let a little virtual time pass; as much of real time where job scripts run."""
        end = self.cluster.clock() + STEP
        self.cluster.run(until=lambda: self.cluster.clock() >= end, seconds=STEP)

    def close(self) -> None:
        """End what runs."""
        self.body.close()


Place = RealPlace | FakePlace


@dataclass
class Stage:
    """One case at one place: what it has submitted, and what it was told.

    Attributes
    ----------
    jobs
        The ids of its jobs, in their order.
    notes
        What of → the lines of the answer, in words that can be compared.
    """

    place: Place
    name: str
    seen: list[tuple[str, str, str, str]] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def submit(self, *options: str, script: str = "", name: str = "") -> str:
        """Submit a script, and return the id of the job."""
        label = f"{self.name}-{name or len(self.jobs)}"
        words = ["sbatch", "--parsable", "--mem=100", "--time=60", f"--job-name={label}"]
        if not any(one.startswith(("--output", "-o")) for one in options):
            words.append("--output=/dev/null")
        said = self.place.run([*words, *options], {}, f"#!/bin/bash\n{script}\n")
        assert said.code == 0, f"{self.name}: {options}: {said.complaint}"
        self.jobs.append(said.out.strip())
        return self.jobs[-1]

    def ask(self, *argv: str, **variables: str) -> Answer:
        """Run a command."""
        return self.place.run(argv, variables)

    def note(self, what: str, *argv: str, stdin: str = "", **variables: str) -> None:
        """Run a command, and note down its exit code and all that it says, line by line."""
        said = self.place.run(argv, {"SLURM_BITSTR_LEN": "0", **variables}, stdin)
        lines = [self.plain(line) for line in (said.out + said.err).splitlines()]
        self.notes[what] = [f"exit {said.code}", *lines]

    def note_rows(self, what: str, *argv: str) -> None:
        """Run a command, and note down what it says whatever the order of its lines."""
        self.note(what, *argv)
        self.notes[what] = [self.notes[what][0], *sorted(self.notes[what][1:])]

    def plain(self, text: str) -> str:
        """Words that are the same at both places: names for ids, places and times."""
        for place, job in enumerate(self.jobs):
            text = re.sub(rf"(?<![\d.:]){job}(?!\d)", f"J{place + 1}", text)
        account = self.place.account
        text = re.sub(r"(?<![\w\[])n[12]\b", "NODE", text)  # which of them has room is a matter of milliseconds
        names = {
            str(self.place.folder): "HERE",
            str(account.home): "~",
            str(account.uid): "UID",
            account.name: "USER",
            "/usr/bin/": "",
        }
        for old, new in {**names, **self.place.names}.items():
            text = text.replace(old, new)
        return re.sub(r" +", " ", re.sub(MOMENT, "TIME", text)).strip()

    def states(self, job: str) -> dict[str, str]:
        """Return indices, as `squeue` writes them, → state, of the last look."""
        return {indices: state for one, indices, state, _ in self.seen if one == job}

    def reasons(self, job: str) -> dict[str, str]:
        """Return indices → why they are in their state, of the last look."""
        return {indices: reason for one, indices, _, reason in self.seen if one == job}

    def is_over(self, *jobs: str) -> bool:
        """Whether jobs have ended, all of them."""
        return all(self.states(job) and set(self.states(job).values()) <= FINISHED for job in jobs)


Case = Callable[[Stage], Generator[Callable[[], bool]]]


def play(place: Place, cases: Mapping[str, Case]) -> dict[str, Stage]:
    """Play all cases side by side: each goes on when what it waits for has come true."""
    stages = {name: Stage(place, name) for name in cases}
    waiting: dict[str, tuple[Generator[Callable[[], bool]], Callable[[], bool]]]
    waiting = {name: (case(stages[name]), lambda: True) for name, case in cases.items()}
    end = time.monotonic() + PATIENCE
    while waiting:
        seen = _look(place)
        for name, (steps, is_so) in list(waiting.items()):
            stages[name].seen = seen
            if is_so():
                try:
                    waiting[name] = (steps, next(steps))
                except StopIteration:
                    del waiting[name]
        if time.monotonic() > end:
            rows = "\n".join("|".join(row) for row in seen)
            raise AssertionError(f"not seen within {PATIENCE:g} s in {place}: what {list(waiting)} wait for\n{rows}")
        place.pause()
    return stages


def _look(place: Place) -> list[tuple[str, str, str, str]]:
    said = place.run(["squeue", "-h", "-t", "all", "-o", "%F|%K|%T|%r"], {"SLURM_BITSTR_LEN": "0"})
    assert said.code == 0, said.complaint
    rows = [line.split("|", 3) for line in said.out.splitlines()]
    return [(job, indices, state, reason) for job, indices, state, reason in rows]


def accounted(stage: Stage) -> Callable[[], bool]:
    """Whether accounting knows the ends of all jobs of a case that have ended; it is asked once a second."""
    last = [0.0]

    def look() -> bool:
        if time.monotonic() - last[0] < 1.0 and isinstance(stage.place, RealPlace):
            return False
        last[0] = time.monotonic()
        said = stage.ask("sacct", "-X", "-n", "-P", "-j", ",".join(stage.jobs), "-o", "JobID,State,End")
        rows = [line.split("|") for line in said.out.splitlines()]
        known = {(name.partition("_")[0], state.split()[0]) for name, state, _ in rows}
        seen = [(job, state) for job, _, state, _ in stage.seen if job in stage.jobs]
        return known == set(seen) and len(rows) >= len(seen) and all(end != "Unknown" for _, _, end in rows)

    return look
