"""Indices that are forked from one loaded module share nothing that they would not share as processes of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun, Serve

INDICES = {"x": [0, 1, 2]}


def served(run: PreparedRun, serve: Serve) -> list[Any]:
    """What three indices return that are forked from one module."""
    assert [one["state"] for one in serve(run).run_to_end(0, 1, 2)] == ["COMPLETED"] * 3
    return [run.results(index=index) for index in range(3)]


@pytest.mark.parametrize(
    ("made", "draw"),
    [
        ("numpy.random.default_rng()", "rng.random()"),
        ("numpy.random.Generator(numpy.random.MT19937())", "rng.random()"),
        ("numpy.random.default_rng(numpy.random.SeedSequence().spawn(2)[1])", "rng.random()"),
        ("numpy.random.default_rng()", "rng.spawn(1)[0].random()"),
        ("numpy.random.SeedSequence()", "int(rng.generate_state(1)[0])"),
        ("numpy.random.RandomState()", "rng.normal()"),
        ("numpy.random.mtrand._rand", "numpy.random.random()"),
        ("random.Random()", "rng.random()"),
        ("random", "rng.random()"),
    ],
)
@pytest.mark.parametrize("drawn", [False, True])
def test_nobody_draws_the_numbers_of_another(prepare: Prepare, serve: Serve, made: str, draw: str, drawn: bool) -> None:
    """A generator that the module has made without a seed is each index's own, also after it has drawn from it."""
    program = f"import random\nimport numpy\nrng = {made}\n{draw if drawn else ''}\ndef work(x): return {draw}"
    run = prepare(program, parameters=INDICES)
    assert len(set(served(run, serve))) == 3


@pytest.mark.parametrize(
    ("made", "draw"),
    [
        ("numpy.random.default_rng(5)", "rng.random()"),
        ("numpy.random.default_rng([1, 2])", "rng.random()"),
        ("numpy.random.default_rng(122807528840384100672342137672332424406)", "rng.random()"),
        ("numpy.random.default_rng()\nrng.bit_generator.state = numpy.random.PCG64(7).state", "rng.random()"),
        ("numpy.random.RandomState(5)", "rng.normal()"),
        ("numpy.random.seed(5)", "numpy.random.normal()"),
        ("random.Random(5)", "rng.random()"),
        ("random.Random()\nrng.setstate(random.Random(5).getstate())", "rng.random()"),
        ("random.seed(42)", "random.random()"),
        ("random\nrandom.setstate(random.Random(5).getstate())", "random.random()"),
    ],
)
def test_a_seed_on_purpose_is_kept(prepare: Prepare, serve: Serve, made: str, draw: str) -> None:
    """Forked or alone, an index goes on where the module has left its generator."""
    run = prepare(f"import random\nimport numpy\nrng = {made}\n{draw}\ndef work(x): return {draw}", parameters=INDICES)
    found = served(run, serve)
    assert run.execute().returncode == 0
    assert found == [run.results()] * 3


def test_a_file_has_a_position_for_each(prepare: Prepare, serve: Serve, tmp_path: Path) -> None:
    """What one reads of a file that the module has opened does not move another, and all begin where it was."""
    program = """
import os, sys
file = open(os.path.join(os.path.dirname(__file__), "data"), "rb", buffering=0)
file.read(2)
def work(x): return file.read(3).decode()
"""
    (tmp_path / "data").write_text("abcdefgh")
    run = prepare(program + "file.close() if 'pytest' in sys.modules else None\n", parameters=INDICES)
    assert served(run, serve) == ["cde"] * 3


def test_an_appended_file_is_kept(prepare: Prepare, serve: Serve) -> None:
    """What all write to the end of a file stays whole."""
    program = """
import os, sys
log = open(os.path.join(os.path.dirname(__file__), "log"), "a", buffering=1)
if 'pytest' in sys.modules: log.close()
def work(x): print("line", x, file=log)
"""
    run = prepare(program, parameters=INDICES)
    served(run, serve)
    assert sorted((run.path.parent / "log").read_text().split("\n")) == ["", "line 0", "line 1", "line 2"]


def test_a_file_without_a_name_has_a_position_for_each(prepare: Prepare, serve: Serve) -> None:
    """What has been deleted can be opened once more."""
    program = """
import sys, tempfile
hidden = tempfile.TemporaryFile()
hidden.write(b"hidden"); hidden.seek(0)
if 'pytest' in sys.modules: hidden.close()
def work(x): return hidden.read().decode()
"""
    assert served(prepare(program, parameters=INDICES), serve) == ["hidden"] * 3


COUNTS = "import os\nwith open(os.path.join(os.path.dirname(__file__), 'loaded'), 'a') as file: file.write('x')\n"


def test_threads_of_a_module_work_in_each_index(prepare: Prepare, serve: Serve) -> None:
    """A module that has started threads is loaded anew by each index: a fork would have none of them."""
    program = """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
pool.submit(int).result()
def work(x): return pool.submit(abs, -x).result()
"""
    run = prepare(COUNTS + program, parameters=INDICES)
    (run.path.parent / "loaded").unlink()
    assert served(run, serve) == [0, 1, 2]
    assert (run.path.parent / "loaded").read_text() == "x" * 4


def test_threads_that_stand_a_fork_do_not_matter(prepare: Prepare, serve: Serve) -> None:
    """NumPy's own linear algebra ends its threads before a fork."""
    program = "import numpy\nMADE = numpy.ones((300, 300)) @ numpy.ones((300, 300))\ndef work(x): return MADE[0, x] * 1"
    task = {"name": "work", "python": "work", "resources": {"cpu_cores": 2}}
    run = prepare(COUNTS + program, task, parameters=INDICES)
    (run.path.parent / "loaded").unlink()
    assert served(run, serve) == [300.0] * 3
    assert (run.path.parent / "loaded").read_text() == "x"


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a compiler")
def test_openmp_used_by_a_module_does_not_hang_its_indices(prepare: Prepare, serve: Serve, tmp_path: Path) -> None:
    """Its runtime waits in a fork for threads that are not there."""
    (tmp_path / "sum.c").write_text(
        "double work(int n) {\n  double s = 0;\n"
        "  #pragma omp parallel for reduction(+:s)\n  for (int i = 0; i < n; i++) s += i;\n  return s;\n}\n"
    )
    library = tmp_path / "sum.so"
    subprocess.run(
        ["gcc", "-fopenmp", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "sum.c")], check=True, timeout=60
    )
    program = f"""
import ctypes
library = ctypes.CDLL({str(library)!r})
library.work.restype = ctypes.c_double
WARM = library.work(10)
def work(x): return library.work(10 + x)
"""
    task = {"name": "work", "python": "work", "resources": {"cpu_cores": 2, "max_runtime": "00:00:20"}}
    run = prepare(program, task, parameters=INDICES)
    assert served(run, serve) == [45.0, 55.0, 66.0]
