"""Programs are started, watched, limited and ended, each with its record."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shim.conftest import Prepare, Serve

# A function says that it is there by writing its process id; the test waits for it at the other end of a pipe.
MEET = """
import os, signal, subprocess, sys, threading, time
def meet(*pids):
    with open(os.path.join(os.path.dirname(__file__), "pids"), "w") as file:
        print(os.getpid(), *pids, file=file)
"""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@pytest.fixture
def met(tmp_path: Path) -> Iterator[Callable[[], list[int]]]:
    """Give a function that waits for a program to say its process ids."""
    os.mkfifo(tmp_path / "pids")
    pipe = os.open(tmp_path / "pids", os.O_RDWR | os.O_NONBLOCK)

    def wait() -> list[int]:
        assert select.select([pipe], [], [], 30)[0], "the program says nothing"
        return [int(one) for one in os.read(pipe, 1000).split()]

    yield wait
    os.close(pipe)


def test_indices_run_at_once_with_a_record_each(prepare: Prepare, serve: Serve) -> None:
    """Programs that wait for each other are all there."""
    program = """
import os
def work(i, n):
    mine, other = (os.path.join(os.path.dirname(__file__), str(one)) for one in (i, (i + 1) % n))
    with open(other, "wb") as file: file.write(b"x")
    with open(mine, "rb") as file: return int(file.read(1) == b"x") + i
"""
    run = prepare(program, parameters={"i": [0, 1, 2], "n": [3]})
    pipes = [run.path.parent / name for name in "012"]
    for pipe in pipes:
        os.mkfifo(pipe)
    held = [os.open(pipe, os.O_RDWR) for pipe in pipes]
    found = serve(run).run_to_end(0, 1, 2)
    for pipe in held:
        os.close(pipe)
    assert [one["state"] for one in found] == ["COMPLETED"] * 3
    assert [run.results(index=index) for index in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("listens", [True, False])
def test_a_cancelled_program_ends(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool], listens: bool
) -> None:
    """It gets a polite signal and some time, and then no more time; its record says that it was cancelled."""
    run = prepare(f"{MEET}def work():\n    {'' if listens else DEAF}\n    meet()\n    time.sleep(1000)")
    served = serve(run)
    served.start(0)
    (pid,) = met()
    served.cancel(0)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"
    assert gone(pid)
    assert run.facts()["signal"] == (signal.SIGTERM if listens else signal.SIGKILL)
    assert run.facts()["error"] == "cancelled"


def test_a_function_may_stop_in_order(prepare: Prepare, serve: Serve, met: Callable[[], list[int]]) -> None:
    """One that asks its context ends by itself, and what it returns is kept, but it is cancelled all the same."""
    run = prepare(f"""{MEET}
def work(context):
    meet()
    while not context.should_stop(): signal.sigtimedwait([], 0.01)
    return "in order"
""")
    served = serve(run)
    served.start(0)
    met()
    served.cancel(0)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"
    assert run.facts()["exit_code"] == 0
    assert run.results() == "in order"


def test_one_is_cancelled_and_the_others_go_on(prepare: Prepare, serve: Serve, met: Callable[[], list[int]]) -> None:
    """A cancelled index is one index; one that is not there is none."""
    run = prepare(
        f"{MEET}\ndef work(x):\n    if x: return x\n    meet()\n    time.sleep(1000)", parameters={"x": [0, 1]}
    )
    served = serve(run)
    served.start(0)
    met()
    served.cancel(1)
    assert served.run_to_end(1)[0]["state"] == "COMPLETED"
    served.cancel(0)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("kind", ["function", "command"])
def test_a_program_over_its_time_is_ended(prepare: Prepare, kind: str, deaf: bool) -> None:
    """The state is TIMEOUT and the error names the limit, whether the program listens or not."""
    if kind == "function":
        task = {"name": "work", "python": "work"}
    else:
        task = {"name": "work", "command": f"{'trap : TERM; ' if deaf else ''}while true; do sleep 0.05; done"}
    resources = {"max_runtime": "00:00:01"}
    program = f"{MEET}def work():\n    {DEAF if deaf else ''}\n    time.sleep(1000)"
    run = prepare(program, {**task, "resources": resources})
    assert run.execute().returncode == 124
    facts = run.facts()
    assert (facts["state"], facts["error"]) == ("TIMEOUT", "ran longer than the 1 s it asked for")
    assert 0.9 < facts["end"] - facts["start"] < 10


def test_a_program_that_listens_is_warned(prepare: Prepare) -> None:
    """Before the limit it hears of it and can end in order: what it returns is kept, but it is TIMEOUT all the same."""
    program = f"""{MEET}
def work(context):
    while not context.should_stop(): signal.sigtimedwait([], 0.01)
    return "in order"
"""
    run = prepare(program, {"name": "work", "python": "work", "resources": {"max_runtime": "00:00:03"}})
    assert run.execute().returncode == 124
    facts = run.facts()
    assert (facts["state"], facts["exit_code"], facts["signal"]) == ("TIMEOUT", 0, 0)
    assert run.results() == "in order"
    assert facts["end"] - facts["start"] > 2.5


def test_a_script_that_traps_is_warned(prepare: Prepare) -> None:
    """Bash hears it too."""
    command = "trap 'echo warned; exit 0' USR1; while true; do sleep 0.05; done"
    run = prepare("", {"name": "work", "command": command, "resources": {"max_runtime": "00:00:02"}})
    assert run.execute().returncode == 0
    assert run.log() == "warned\n"


@pytest.mark.parametrize("kind", ["function", "command"])
def test_a_program_over_its_memory_is_ended(prepare: Prepare, kind: str) -> None:
    """It takes more step by step, and is stopped before the machine is; the error says how much."""
    grow = "import time\nblocks = []\nfor _ in range(100):\n    blocks.append(b'x' * 30_000_000); time.sleep(0.02)\n"
    program = "def work():\n    exec(GROW)\nGROW = " + repr(grow)
    task = {"python": "work"} if kind == "function" else {"command": f"python3 -c {grow!r}".replace("'b", "b")}
    if kind == "command":
        task = {"command": "python3 {{ workflow_dir }}/grow.py"}
    run = prepare(program, {"name": "work", **task, "resources": {"memory_gb": 0.3}})
    (run.path.parent / "grow.py").write_text(grow)
    assert run.execute().returncode == 137
    facts = run.facts()
    assert facts["state"] == "OUT_OF_MEMORY"
    assert facts["error"].startswith("used 0.")
    assert facts["error"].endswith("of the 0.30 GB it asked for")
    assert run.record().members["resources"].attributes["peak_rss_bytes"] > 0.3 * 2**30


def test_memory_that_processes_share_counts_once(prepare: Prepare) -> None:
    """A pool of processes that look at the same data is not over its limit."""
    program = """
import multiprocessing, time
def look(_):
    time.sleep(0.1)
    return sum(DATA[::4096])
def work():
    global DATA
    DATA = bytearray(150_000_000)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        return sum(pool.map(look, range(12), chunksize=1))
"""
    run = prepare(program, {"name": "work", "python": "work", "resources": {"memory_gb": 0.4}})
    run.execute()
    assert (run.facts()["state"], run.facts()["error"]) == ("COMPLETED", "")
    assert run.record().members["resources"].attributes["peak_rss_bytes"] > 0.4 * 2**30


BACKGROUND = {
    "in the background": "sleep 1000 & echo $! > {fifo}",
    "by nohup": "nohup sleep 1000 > /dev/null & echo $! > {fifo}",
    "in a session of its own": "setsid sleep 1000 & echo $! > {fifo}",
    "twice removed": "mkfifo said; (setsid bash -c 'sleep 1000 & echo $! > {fifo}; echo > said; wait' &); read < said",
    "without a variable": "(env -i setsid sleep 1000 & echo $! > {fifo})",
}


@pytest.mark.parametrize("kind", ["command", "function"])
@pytest.mark.parametrize("how", BACKGROUND)
def test_what_a_program_leaves_running_is_ended(
    prepare: Prepare,
    serve: Serve,
    met: Callable[[], list[int]],
    gone: Callable[[int], bool],
    how: str,
    kind: str,
) -> None:
    """Nothing is left behind, wherever it has been put, and nobody waits for it."""
    command = BACKGROUND[how].format(fifo="{{ workflow_dir }}/pids")
    program = (
        f"import os\ndef work(): os.system({command!r}.replace('{{{{ workflow_dir }}}}', os.path.dirname(__file__)))"
    )
    run = prepare(program, {"name": "work", **({"command": command} if kind == "command" else {"python": "work"})})
    served = serve(run)
    served.start(0)
    (left,) = met()
    assert served.wait_for("ended", 0)["state"] == "COMPLETED"
    assert gone(left)


def test_the_background_of_a_program_that_runs_is_left_alone(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool]
) -> None:
    """The end of one index does not end a daemon that another one uses."""
    daemon = "(setsid sleep 1000 & echo $! > {{ workflow_dir }}/pids); read < {{ workflow_dir }}/go"
    command = f"if [ {{{{ x }}}} = 0 ]; then {daemon}; fi"
    run = prepare("", {"name": "work", "command": command}, parameters={"x": [0, 1]})
    os.mkfifo(run.path.parent / "go")
    served = serve(run)
    served.start(0)
    (daemon_pid,) = met()
    assert served.run_to_end(1)[0]["state"] == "COMPLETED"
    os.kill(daemon_pid, 0)
    (run.path.parent / "go").write_text("\n")
    assert served.wait_for("ended", 0)["state"] == "COMPLETED"
    assert gone(daemon_pid)


@pytest.mark.parametrize("kind", ["function", "command"])
def test_hanging_up_stops_everything(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool], kind: str
) -> None:
    """A driver that has gone leaves nothing running, and a record of what was."""
    task = {"command": "echo $$ > {{ workflow_dir }}/pids; sleep 1000"} if kind == "command" else {"python": "work"}
    run = prepare(f"{MEET}def work():\n    meet()\n    time.sleep(1000)", {"name": "work", **task})
    served = serve(run)
    served.start(0)
    (pid,) = met()
    assert served.close() == 0
    assert gone(pid)
    assert (run.facts()["state"], run.facts()["error"]) == ("CANCELLED", "the run was stopped")


@pytest.mark.parametrize("kind", ["function", "command"])
def test_a_killed_supervisor_takes_its_programs_along(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool], kind: str
) -> None:
    """The kernel ends them."""
    command = 'exec python3 -c \'import os,time; print(os.getpid(), file=open("{{ workflow_dir }}/pids", "w")); '
    task = {"command": command + "time.sleep(1000)'"} if kind == "command" else {"python": "work"}
    run = prepare(f"{MEET}def work():\n    meet()\n    time.sleep(1000)", {"name": "work", **task})
    served = serve(run)
    served.start(0)
    (pid,) = met()
    served.process.kill()
    assert gone(pid)


def test_what_a_killed_supervisor_has_left_is_ended_before_the_next_attempt(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool]
) -> None:
    """Two attempts never work in one directory at the same time."""
    command = "if [ -e again ]; then exit; fi; touch again; sleep 1000 & echo $! $$ > {{ workflow_dir }}/pids; wait"
    run = prepare("", {"name": "work", "command": command})
    first = serve(run)
    first.start(0)
    left, program = met()
    first.process.kill()
    assert gone(program)
    os.kill(left, 0)
    second = serve(run)
    second.start(0, attempt=2)
    assert second.wait_for("ended", 0)["state"] == "COMPLETED"
    assert gone(left)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return {'x': 1, 'm': [numpy.zeros(2)] * 2, **{f'm{i}': 'x' * 30_000 for i in range(3)}}", ""),
        ("return {'n' * 70_000: 1}", "its results cannot be recorded: "),
    ],
)
def test_what_cannot_be_recorded_fails_its_index_only(prepare: Prepare, serve: Serve, body: str, message: str) -> None:
    """The record says why, and the supervisor goes on."""
    run = prepare(f"import numpy\ndef work(x):\n    if x: {body}", parameters={"x": [1, 0]})
    served = serve(run)
    first, second = served.run_to_end(0, 1)
    assert second["state"] == "COMPLETED"
    assert first["state"] == ("FAILED" if message else "COMPLETED")
    assert run.facts()["error"].startswith(message)


def test_leavings_of_a_killed_attempt_are_not_taken_for_this_one(prepare: Prepare, serve: Serve) -> None:
    """An old outcome or log of the same attempt does not make a result."""
    run = prepare("", {"name": "work", "command": "true", "extract": {"m": {"stdout": r"m=(\d)"}}})
    for name in ("records/work.0/0000/.0.1.outcome", "logs/work.0/0.1.out"):
        (run.path / name).parent.mkdir(parents=True)
        (run.path / name).write_text("m=1\n")
    [ended] = serve(run).run_to_end(0)
    assert ended["error"] == r"ValueError: nothing in what it printed matches `m=(\d)`"


def test_success_is_judged(prepare: Prepare) -> None:
    """A rule over metrics and parameters decides, and says so when it cannot."""
    task = {"name": "work", "python": "work", "success": "y > x"}
    program = "def work(x): return {'y': 1} if x < 5 else {}"
    run = prepare(program, task, parameters={"x": [0, 2, 5]})
    for index in range(3):
        run.execute(index=index)
    states = [run.facts(index=index)["state"] for index in range(3)]
    assert states == ["COMPLETED", "CRITERIA_NOT_MET", "CRITERIA_NOT_MET"]
    assert run.facts(index=1)["error"] == "`y > x` does not hold"
    assert run.facts(index=2)["error"] == "`y > x` cannot be judged: name 'y' is not defined"


def test_use_is_measured(prepare: Prepare) -> None:
    """Time, CPU and memory of a program are in its record."""
    program = """
import time
def work():
    block = b"x" * 50_000_000
    began = time.process_time()
    while time.process_time() - began < 0.4: pass
"""
    run = prepare(program)
    assert run.execute().returncode == 0
    used = run.record().members["resources"]
    assert used.attributes["user_cpu_seconds"] + used.attributes["system_cpu_seconds"] > 0.3
    assert used.attributes["peak_rss_bytes"] > 50_000_000
    assert used.attributes["wall_seconds"] > 0.4
    assert used.attributes["samples"] >= 2


def test_half_an_outcome_does_not_stay(prepare: Prepare) -> None:
    """Neither what this attempt has left unfinished, nor one of the same number before it."""
    run = prepare("def work(): import os; os.kill(os.getpid(), 9)")
    partial = run.path / "records/work.0/0000/.0.1.outcome.partial"
    partial.parent.mkdir(parents=True)
    partial.write_text("half")
    assert run.execute().returncode == 1
    assert [one.name for one in partial.parent.iterdir()] == ["0.1.h5"]


@pytest.mark.parametrize("way", ["serve", "one"])
def test_what_a_killed_supervisor_left_is_ended(
    prepare: Prepare, serve: Serve, met: Callable[[], list[int]], gone: Callable[[int], bool], way: str
) -> None:
    """What a script had started does not run on beside the same instance started anew."""
    command = (
        "if [ ! -e {{ workflow_dir }}/again ]; then (echo $BASHPID > {{ workflow_dir }}/pids; exec sleep 1000); fi"
    )
    run = prepare("", {"name": "work", "command": command})
    served = serve(run)
    served.start(0)
    (left,) = met()
    served.process.kill()
    served.process.wait()
    os.kill(left, 0)
    (run.path.parent / "again").touch()
    if way == "serve":
        serve(run).start(0)
    else:
        run.execute()
    assert gone(left)
