"""The sampler, on recorded /proc trees and on the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sciflow_shim import sampler
from sciflow_shim.sampler import ProcessTree, Sample, next_interval

TICK = 1 / sampler.TICKS_PER_SECOND
ROOT = 100


class RecordedProc:
    """A /proc in a folder."""

    def __init__(self, folder: Path, lists_children: bool) -> None:
        self.folder = folder
        self.lists_children = lists_children
        (folder / "meminfo").write_text("MemTotal: 1 kB\n")

    def put(
        self,
        pid: int,
        parent: int,
        *,
        name: str = "a.out",
        group: int = ROOT,
        session: int = ROOT,
        cpu: tuple[int, int, int, int] = (0, 0, 0, 0),
        start: int = 1,
        rss_kib: int = 1000,
        io: tuple[int, int] = (0, 0),
        switches: tuple[int, int] = (0, 0),
        tasks: dict[int, str] | None = None,
    ) -> None:
        """Write a process; `tasks` are its threads and the pids that each has started."""
        place = self.folder / str(pid)
        tasks = tasks or {pid: ""}
        user, system, child_user, child_system = cpu
        place.mkdir(exist_ok=True)
        (place / "stat").write_text(
            f"{pid} ({name}) S {parent} {group} {session} 0 -1 4194304 9 9 9 9 {user} {system} {child_user} "
            f"{child_system} 20 0 {len(tasks)} 0 {start} 999999 77 18446744073709551615 1 1\n"
        )
        (place / "status").write_text(
            f"Name:\t{name}\nVmRSS:\t{rss_kib:8d} kB\nThreads:\t{len(tasks)}\nCpus_allowed_list:\t0-1\n"
            f"voluntary_ctxt_switches:\t{switches[0]}\nnonvoluntary_ctxt_switches:\t{switches[1]}\n"
        )
        (place / "io").write_text(f"rchar: {io[0]}\nwchar: {io[1]}\nread_bytes: 5\nwrite_bytes: 5\n")
        for task, children in tasks.items():
            (place / "task" / str(task)).mkdir(parents=True, exist_ok=True)
            if self.lists_children:
                (place / "task" / str(task) / "children").write_text(children)

    def end(self, pid: int) -> None:
        """Take a process away."""
        self.forget(pid, "stat", "status", "io")

    def forget(self, pid: int, *names: str) -> None:
        """Take files of a process away."""
        for name in names:
            (self.folder / str(pid) / name).unlink()

    def tree(self) -> ProcessTree:
        """Make the tree below the root."""
        return ProcessTree(ROOT, proc=str(self.folder), clock=lambda: 7.0)


@pytest.fixture(params=[True, False], ids=["children listed", "scanned"])
def proc(request: pytest.FixtureRequest, tmp_path: Path) -> RecordedProc:
    """Give a /proc of a kernel that lists children, and one of a kernel that does not."""
    return RecordedProc(tmp_path, request.param)


@pytest.fixture
def scanned(tmp_path: Path) -> RecordedProc:
    """Give a /proc of a kernel that does not list children."""
    return RecordedProc(tmp_path, lists_children=False)


def test_one_process_is_read(proc: RecordedProc) -> None:
    """Each number of a sample comes from its place in /proc."""
    proc.put(ROOT, 1, cpu=(1, 2, 10, 20), rss_kib=3, io=(4, 5), switches=(6, 7), tasks={100: "", 101: ""})
    tree = proc.tree()
    assert tree.sample() == Sample(7.0, 3 * 1024, 11 * TICK, 22 * TICK, 4, 5, 2, 1, 6, 7)
    assert tree.sample(now=8.5).time == 8.5
    assert tree.cost > 0


def test_descendants_are_summed_and_strangers_are_not(proc: RecordedProc) -> None:
    """Children of any thread and their children count; the rest of the machine does not."""
    proc.put(1, 0, session=1, group=1, tasks={1: "100 50 "})
    proc.put(50, 1, session=50, group=50, cpu=(1000, 0, 0, 0), tasks={50: "51 "})
    proc.put(51, 50, session=50, group=50)
    proc.put(ROOT, 1, cpu=(1, 0, 0, 0), tasks={100: "102 ", 101: "103 "})
    proc.put(102, ROOT, cpu=(2, 0, 0, 0), io=(1, 1), tasks={102: "104 "})
    proc.put(103, ROOT, cpu=(3, 0, 0, 0), io=(1, 1))
    proc.put(104, 102, cpu=(4, 0, 0, 0), io=(1, 1), session=104, group=104)
    found = proc.tree().sample()
    assert (found.processes, found.threads, found.rss_bytes) == (4, 5, 4 * 1000 * 1024)
    assert (found.user_cpu_seconds, found.read_bytes, found.write_bytes) == (10 * TICK, 3, 3)


@pytest.mark.parametrize("name", ["a b", "a) b", ") S 1 1 (", "((", "))", ""])
def test_names_may_hold_anything(proc: RecordedProc, name: str) -> None:
    """Spaces and parentheses in a program's name do not shift the fields."""
    proc.put(ROOT, 1, name=name, cpu=(1, 2, 0, 0))
    assert proc.tree().sample()[:4] == (7.0, 1000 * 1024, 1 * TICK, 2 * TICK)


def test_processes_may_vanish_at_any_point(proc: RecordedProc) -> None:
    """A process of which some or all files are gone is no error, and what was counted of it stays."""
    proc.put(ROOT, 1, tasks={100: "102 103 104 "})
    proc.put(102, ROOT, io=(5, 6), switches=(7, 8), cpu=(9, 0, 0, 0))
    proc.put(103, ROOT)
    tree = proc.tree()
    before = tree.sample()
    proc.forget(102, "status", "io")
    (proc.folder / "102" / "io").mkdir()  # opens, but cannot be read
    proc.end(103)
    after = tree.sample()
    assert (before.processes, after.processes) == (3, 2)
    assert after.rss_bytes == 1000 * 1024 + 77 * sampler.PAGE_BYTES
    assert after[2:6] == before[2:6]
    assert after[8:] == before[8:]


def test_threads_may_vanish_before_their_children_are_read(tmp_path: Path) -> None:
    """A process that ends between the reading of its state and of its threads has no children."""
    proc = RecordedProc(tmp_path, lists_children=True)
    proc.put(ROOT, 1, tasks={100: "102 ", 101: ""})
    proc.put(102, ROOT)
    tree = proc.tree()
    (tmp_path / "100" / "task").rename(tmp_path / "gone")
    assert tree.sample().processes == 1


def test_a_recycled_pid_of_a_member_is_not_counted(proc: RecordedProc) -> None:
    """A stranger that has got the pid of an ended member does not join."""
    proc.put(ROOT, 1, tasks={100: "102 "})
    proc.put(102, ROOT, cpu=(50, 0, 0, 0))
    tree = proc.tree()
    assert tree.sample().processes == 2
    proc.put(ROOT, 1, cpu=(0, 0, 50, 0))
    proc.put(102, 1, start=2, cpu=(1000, 0, 0, 0), session=9, group=9)
    after = tree.sample()
    assert (after.processes, after.user_cpu_seconds) == (1, 50 * TICK)


def test_a_recycled_pid_within_the_tree_is_counted_as_new(proc: RecordedProc) -> None:
    """A new child with the pid of an ended one counts beside what its parent inherited."""
    proc.put(ROOT, 1, tasks={100: "102 "})
    proc.put(102, ROOT, cpu=(50, 0, 0, 0), switches=(5, 5))
    tree = proc.tree()
    tree.sample()
    proc.put(ROOT, 1, cpu=(0, 0, 50, 0), tasks={100: "102 "})
    proc.put(102, ROOT, start=2, cpu=(1, 0, 0, 0), switches=(1, 2))
    after = tree.sample()
    assert (after.processes, after.user_cpu_seconds) == (2, 51 * TICK)
    assert after[8:] == (6, 7)


def test_a_recycled_root_is_not_counted(proc: RecordedProc) -> None:
    """When the root has ended, its last counters stay, and a process with its pid is another one."""
    proc.put(ROOT, 1, cpu=(5, 6, 0, 0), io=(7, 8), switches=(9, 10))
    tree = proc.tree()
    tree.sample()
    proc.put(ROOT, 1, start=2, cpu=(1000, 0, 0, 0), group=9, session=9)
    assert tree.sample() == Sample(7.0, 0, 5 * TICK, 6 * TICK, 7, 8, 0, 0, 9, 10)


def test_a_child_list_that_is_out_of_date_adds_nobody(tmp_path: Path) -> None:
    """A pid that was listed as a child, but has another parent by now, is not counted."""
    proc = RecordedProc(tmp_path, lists_children=True)
    proc.put(ROOT, 1, tasks={100: "102 "})
    proc.put(102, 1)
    assert proc.tree().sample().processes == 1


def test_cpu_of_an_ended_child_is_counted_once(proc: RecordedProc) -> None:
    """What a parent inherits by waiting is not added to what was counted while the child lived."""
    proc.put(ROOT, 1, cpu=(1, 1, 0, 0), tasks={100: "102 "})
    proc.put(102, ROOT, cpu=(10, 20, 0, 0), io=(30, 40), switches=(2, 3))
    tree = proc.tree()
    before = tree.sample()
    proc.end(102)
    proc.put(ROOT, 1, cpu=(1, 1, 11, 20), io=(30, 40))
    after = tree.sample()
    assert before.user_cpu_seconds == 11 * TICK
    assert after[2:6] == (12 * TICK, 21 * TICK, 30, 40)
    assert after[8:] == (2, 3)


def test_counters_never_fall(proc: RecordedProc) -> None:
    """A parent that inherits nothing, because it ignores SIGCHLD, does not take back what was counted."""
    proc.put(ROOT, 1, tasks={100: "102 "})
    proc.put(102, ROOT, cpu=(10, 20, 0, 0))
    tree = proc.tree()
    tree.sample()
    proc.end(102)
    assert tree.sample()[2:4] == (10 * TICK, 20 * TICK)


def test_orphans_that_were_seen_stay(proc: RecordedProc) -> None:
    """A member whose parent ends still counts, with its new children, and leaves its CPU time when it ends."""
    proc.put(ROOT, 1, tasks={100: "102 "})
    proc.put(102, ROOT, tasks={102: "103 "}, session=102, group=102)
    proc.put(103, 102, session=103, group=103)
    tree = proc.tree()
    tree.sample()
    proc.end(102)
    proc.put(103, 1, cpu=(10, 0, 0, 0), session=103, group=103, tasks={103: "104 "})
    proc.put(104, 103, session=103, group=103)
    assert tree.sample().processes == 3
    proc.end(103)
    proc.put(104, 1, session=103, group=103)
    after = tree.sample()
    assert (after.processes, after.user_cpu_seconds) == (2, 10 * TICK)


@pytest.mark.parametrize(("group", "session"), [(ROOT, 9), (9, ROOT)])
def test_scan_adopts_orphans_of_the_root_that_leads(scanned: RecordedProc, group: int, session: int) -> None:
    """An orphan that was never seen below the root is known by its process group or its session."""
    scanned.put(ROOT, 1)
    scanned.put(102, 1, group=group, session=session)
    scanned.put(103, 1, group=9, session=9)
    assert scanned.tree().sample().processes == 2


def test_scan_adopts_nobody_for_a_root_that_does_not_lead(scanned: RecordedProc) -> None:
    """The job script and the supervisor, whose session the root shares, are not counted."""
    scanned.put(90, 1, group=90, session=90)
    scanned.put(ROOT, 90, group=90, session=90)
    assert scanned.tree().sample().processes == 1


def test_scan_notices_a_root_that_becomes_a_leader(scanned: RecordedProc) -> None:
    """A root that calls setsid after it was first seen adopts orphans too."""
    scanned.put(ROOT, 90, group=90, session=90)
    tree = scanned.tree()
    tree.sample()
    scanned.put(ROOT, 90)
    tree.sample()
    scanned.put(102, 1)
    assert tree.sample().processes == 2


def test_scan_reads_strangers_again_now_and_then(scanned: RecordedProc) -> None:
    """A stranger is not read at each sample, but a child that got its pid is found in the end."""
    scanned.put(ROOT, 1)
    scanned.put(102, 1, group=9, session=9)
    tree = scanned.tree()
    tree.sample()
    scanned.put(102, ROOT, start=2)
    counts = [tree.sample().processes for _ in range(sampler.SCANS_UNTIL_STRANGERS_ARE_READ_AGAIN)]
    assert (counts[0], counts[-1]) == (1, 2)


def test_a_root_that_is_gone_already_gives_zeros(scanned: RecordedProc) -> None:
    """A process that ended before it could be looked at is a sample of nothing."""
    scanned.put(102, 1)
    assert scanned.tree().sample() == Sample(7.0, 0, 0.0, 0.0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """Start a child that has started a child; it works for some ticks of the kernel's clock, then both wait."""
    inner = "import os, sys\nwhile os.times().user < 0.05: pass\nprint(1, flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_real_processes(child: subprocess.Popen[str]) -> None:
    """The kernel of this machine is understood, and says as much at the end as `wait4`."""
    tree = ProcessTree(child.pid)
    running = tree.sample()
    assert (running.processes, running.threads) == (2, 2)
    assert running.rss_bytes > 2 << 20
    assert running.read_bytes > 0
    assert running.voluntary_context_switches > 0
    assert child.stdin is not None
    child.stdin.close()
    _, status, rusage = os.wait4(child.pid, 0)
    child.returncode = status
    ended = tree.sample()
    assert (ended.processes, ended.rss_bytes) == (0, 0)
    assert running.user_cpu_seconds <= ended.user_cpu_seconds <= rusage.ru_utime + 4 * TICK


def test_psutil_stands_in_for_proc(child: subprocess.Popen[str], tmp_path: Path) -> None:
    """Without /proc the same processes are found by psutil."""
    sample = ProcessTree(child.pid, proc=str(tmp_path / "none")).sample(now=3.0)
    assert (sample.time, sample.processes, sample.threads) == (3.0, 2, 2)
    assert sample.rss_bytes > 2 << 20
    assert sample.user_cpu_seconds > 0
    assert sample.voluntary_context_switches > 0


def test_psutil_may_find_nothing(tmp_path: Path) -> None:
    """A process that has ended is a sample of nothing there too."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    tree = ProcessTree(process.pid, proc=str(tmp_path / "none"))
    assert tree.sample(now=3.0) == Sample(3.0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def test_without_proc_and_psutil_ended_children_are_all_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel tells about ended children is better than nothing."""
    subprocess.run([sys.executable, "-c", ""], check=True)
    monkeypatch.setitem(sys.modules, "psutil", None)
    sample = ProcessTree(os.getpid(), proc=str(tmp_path / "none")).sample(now=3.0)
    assert sample.rss_bytes > 1 << 20
    assert sample.user_cpu_seconds + sample.system_cpu_seconds > 0
    assert sample.processes == 0


def test_intervals_grow_with_age() -> None:
    """Waiting starts at 0.1 s, never shrinks as the run grows older, and ends at 10 s."""
    intervals = [next_interval(age / 10) for age in range(10_000)]
    assert intervals == sorted(intervals)
    assert (intervals[0], intervals[-1]) == (0.1, 10.0)


def test_intervals_shrink_near_the_memory_limit() -> None:
    """Half of the limit changes nothing; from there on samples come more often, up to each 0.1 s."""
    intervals = [next_interval(1000, closeness) for closeness in (0.0, 0.5, 0.75, 0.9, 0.99, 1.0, 1.2)]
    assert intervals == pytest.approx([10, 10, 5, 2, 0.2, 0.1, 0.1])


@pytest.mark.parametrize("age", [0.0, 10.0, 1e6])
@pytest.mark.parametrize("closeness", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("cost", [1e-5, 1e-3, 0.1])
def test_sampling_costs_less_than_half_a_percent(age: float, closeness: float, cost: float) -> None:
    """Whatever a sample costs, the waiting between is 200 times as long."""
    assert cost / next_interval(age, closeness, cost) < 0.005


def test_a_sample_is_cheap(child: subprocess.Popen[str]) -> None:
    """A sample of two processes takes a few milliseconds of CPU time at the very most."""
    tree = ProcessTree(child.pid)
    tree.sample()
    costs = []
    for _ in range(50):
        tree.sample()
        costs.append(tree.cost)
    assert sorted(costs)[25] < 0.005


def test_a_process_that_has_ended_holds_nothing_any_more() -> None:
    """Between its end and the moment when somebody notices it is still listed, and counts no memory."""
    program = "held = bytearray(b'x') * 50_000_000; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        tree = ProcessTree(process.pid)
        assert tree.sample(0.0).rss_bytes > 50_000_000
        assert tree.proportional_bytes() > 50_000_000
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert tree.proportional_bytes() == 0
