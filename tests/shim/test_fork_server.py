"""A function that is loaded once and forked for each index is, for each, as if it had been loaded for it alone."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shim.conftest import Prepare, Serve

PATH = "os.path.join(os.path.dirname(__file__), 'loaded')"
ON_THE_NODE = """
import os, threading
if "ON_THE_NODE" in os.environ: {}
def work(x=0): pass
"""
COUNTS = f"import os\nwith open({PATH}, 'a') as file: file.write('x')\n"


def test_a_function_is_loaded_once(prepare: Prepare, serve: Serve) -> None:
    """However many indices run, its module is imported once."""
    run = prepare(COUNTS + "def work(x): return x", parameters={"x": [0, 1, 2]})
    loaded = run.path.parent / "loaded"
    loaded.unlink()
    assert [one["state"] for one in serve(run).run_to_end(0, 1, 2)] == ["COMPLETED"] * 3
    assert loaded.read_text() == "x"
    assert [run.results(index=index) for index in range(3)] == [0, 1, 2]


def test_indices_do_not_see_each_other(prepare: Prepare, serve: Serve) -> None:
    """What one changes in its module, its directory or its environment the next does not find."""
    program = """
import os
seen = []
def work(x):
    found = {"seen": len(seen), "folder": os.getcwd(), "variable": os.environ.get("LEFT", "")}
    seen.append(x); os.chdir("/"); os.environ["LEFT"] = "x"
    return found
"""
    run = prepare(program, parameters={"x": [0, 1]})
    served = serve(run)
    for index in (0, 1):
        served.run_to_end(index)
        assert run.results(index=index) == {"seen": 0, "folder": str(run.path.parent), "variable": ""}


def test_random_numbers_differ(prepare: Prepare, serve: Serve) -> None:
    """Nobody draws the numbers of another, unless the module has seeded them on purpose."""
    program = """
import random
import numpy
def work(x): return [random.random(), numpy.random.random()]
"""
    run = prepare(program, parameters={"x": [0, 1, 2]})
    serve(run).run_to_end(0, 1, 2)
    drawn = [run.results(index=index) for index in range(3)]
    assert len({one[0] for one in drawn}) == 3
    assert len({one[1] for one in drawn}) == 3


def test_a_seed_on_purpose_is_kept(prepare: Prepare, serve: Serve) -> None:
    """A module that seeds NumPy gives what it gives in a process of its own."""
    program = "import numpy\nnumpy.random.seed(5)\ndef work(x): return numpy.random.random()"
    run = prepare(program, parameters={"x": [0, 1]})
    serve(run).run_to_end(0)
    run.execute(index=1)
    assert run.results(index=0) == run.results(index=1)


def test_what_a_module_prints_or_opens_belongs_to_all(prepare: Prepare, serve: Serve) -> None:
    """A file that it opened can be read in every index; what it printed when imported is in nobody's log."""
    program = """import os
print("importing")
data = os.open(__file__, os.O_RDONLY)
def work(x):
    print("working", x)
    return os.pread(data, 7, 1)
"""
    run = prepare(program, parameters={"x": [0, 1]})
    serve(run).run_to_end(0, 1)
    assert [run.results(index=index) for index in (0, 1)] == [b"mport o"] * 2
    assert [run.log(index=index) for index in (0, 1)] == ["working 0\n", "working 1\n"]


def test_a_module_that_fails_fails_each_index(prepare: Prepare, serve: Serve) -> None:
    """With its own words, and for as long as it fails."""
    program = """
import os
if os.path.exists(os.path.join(os.path.dirname(__file__), 'broken')): raise OSError("no licence")
def work(x): return x
"""
    run = prepare(program, parameters={"x": [0, 1, 2]})
    broken = run.path.parent / "broken"
    broken.touch()
    served = serve(run)
    assert [one["error"] for one in served.run_to_end(0, 1)] == ["OSError: no licence"] * 2
    broken.unlink()
    assert served.run_to_end(2)[0]["state"] == "COMPLETED"


def test_a_module_that_ends_the_process_fails_each_index(prepare: Prepare, serve: Serve) -> None:
    """The record says how it ended; the next index tries it anew."""
    run = prepare(ON_THE_NODE.format("os._exit(3)"), parameters={"x": [0, 1]})
    run.environment["ON_THE_NODE"] = "1"
    served = serve(run)
    for index in (0, 1):
        (found,) = served.run_to_end(index)
        assert found["state"] == "FAILED"
        assert found["error"] == "the process that holds its function ended with exit code 3"


def test_a_module_that_never_loads_is_over_its_time(prepare: Prepare, serve: Serve) -> None:
    """The time limit counts from the start, and what hangs is not waited for."""
    task = {"name": "work", "python": "work", "resources": {"max_runtime": "00:00:01"}}
    run = prepare(ON_THE_NODE.format("threading.Event().wait()"), task)
    run.environment["ON_THE_NODE"] = "1"
    served = serve(run)
    assert served.run_to_end(0)[0]["state"] == "TIMEOUT"


def test_cancelling_what_never_loads_ends(prepare: Prepare, serve: Serve) -> None:
    """Hanging up does not wait for it either."""
    run = prepare(ON_THE_NODE.format("threading.Event().wait()"))
    run.environment["ON_THE_NODE"] = "1"
    served = serve(run)
    served.start(0)
    served.cancel(0)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"
    served.start(0, attempt=2)
    assert served.close() == 0
    assert run.facts(attempt=2)["state"] == "CANCELLED"


def test_a_killed_server_fails_what_runs_and_nothing_more(prepare: Prepare, serve: Serve) -> None:
    """Its children end with it; the next index gets another server."""
    program = """
import os
def work(x):
    if x: return x
    with open(os.path.join(os.path.dirname(__file__), "parent"), "w") as file: print(os.getppid(), file=file)
    os.read(os.open(os.path.join(os.path.dirname(__file__), "never"), os.O_RDWR), 1)
"""
    run = prepare(program, parameters={"x": [0, 1]})
    for name in ("parent", "never"):
        os.mkfifo(run.path.parent / name)
    served = serve(run)
    served.start(0)
    served.wait_for("started", 0)
    os.kill(int((run.path.parent / "parent").read_text()), signal.SIGKILL)
    found = served.wait_for("ended", 0)
    assert found["error"] == "the process that holds its function was killed by signal 9 (SIGKILL)"
    assert served.run_to_end(1)[0]["state"] == "COMPLETED"


def test_a_polite_signal_to_all_gives_children_their_time(prepare: Prepare, serve: Serve) -> None:
    """A scheduler that ends a job signals every process of it; the server does not take its children along."""
    program = """
import os, signal
def work(context):
    with open("pipe", "w") as file: print(os.getppid(), file=file)
    while not context.should_stop(): signal.sigtimedwait([], 0.01)
    return "in order"
"""
    run = prepare(program)
    os.mkfifo(run.path.parent / "pipe")
    served = serve(run)
    served.start(0)
    served.wait_for("started", 0)
    os.kill(int((run.path.parent / "pipe").read_text()), signal.SIGTERM)
    os.kill(served.process.pid, signal.SIGTERM)
    assert served.wait_for("ended", 0)["state"] == "CANCELLED"
    assert run.results() == "in order"
