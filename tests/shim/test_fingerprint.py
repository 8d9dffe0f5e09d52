"""Whether an environment was captured already is told by what decides which software runs, and by nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sciflow_shim.fingerprint import cpu_model, fingerprint

CPU = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t\t: fpu vme\n\n"
ARM = "processor\t: 0\nCPU part\t: 0xd0c\n\n"


def write(path: Path, text: str) -> Path:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def a_fingerprint(tmp_path: Path, **environ: str) -> str:
    """Take the fingerprint of a made-up environment."""
    return fingerprint(environ, "/opt/python", [str(tmp_path / "site"), ""], proc=str(tmp_path / "proc"))


def test_fingerprint_changes_with_what_matters(tmp_path: Path) -> None:
    """Modules, conda, threads, an installation and another processor are each another environment."""
    (tmp_path / "site").mkdir()
    cpuinfo = write(tmp_path / "proc/cpuinfo", CPU)
    seen = [a_fingerprint(tmp_path)]
    for name in ("LOADEDMODULES", "CONDA_PREFIX", "VIRTUAL_ENV", "PATH", "OMP_NUM_THREADS"):
        seen.append(a_fingerprint(tmp_path, **{name: "x"}))
    os.utime(tmp_path / "site", ns=(1, 1))
    seen.append(a_fingerprint(tmp_path))
    cpuinfo.write_text(ARM)
    seen.append(a_fingerprint(tmp_path))
    seen.append(fingerprint({}, "/opt/other", [str(tmp_path / "site"), ""], proc=str(tmp_path / "proc")))
    seen.append(fingerprint({}, "/opt/python", ["/none"], proc=str(tmp_path / "proc")))
    assert len(set(seen)) == len(seen)


def test_fingerprint_is_the_same_for_all_indices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the variables of one index nor what it writes into its working directory make it another one."""
    (tmp_path / "site").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    before = fingerprint({}, search_path=[str(tmp_path / "site"), str(tmp_path / "work"), ""])
    os.utime(tmp_path / "work", ns=(1, 1))
    environ = {"SLURM_ARRAY_TASK_ID": "7", "TMPDIR": "/tmp/7", "CUDA_VISIBLE_DEVICES": "1", "SCIFLOW_INDEX": "7"}
    assert fingerprint(environ, search_path=[str(tmp_path / "site"), str(tmp_path / "work"), ""]) == before


def test_fingerprint_of_this_process_is_stable_and_cheap() -> None:
    """It is taken in each index: within 1 ms, and as a name that a file can have."""
    first = fingerprint()
    assert first.isalnum()
    costs = []
    for _ in range(20):
        began = time.thread_time()
        assert fingerprint() == first
        costs.append(time.thread_time() - began)
    assert min(costs) < 0.001


def test_fingerprint_takes_any_bytes(tmp_path: Path) -> None:
    """A variable that is not UTF-8 is no error."""
    assert a_fingerprint(tmp_path, PATH="/caf\udce9") != a_fingerprint(tmp_path)


def test_a_processor_has_a_name_everywhere(tmp_path: Path) -> None:
    """That of x86 or ARM, and the machine's where the kernel tells none."""
    assert cpu_model(str(write(tmp_path / "x86", CPU))) == "Some CPU @ 2.00GHz"
    assert cpu_model(str(write(tmp_path / "arm", ARM))) == "0xd0c"
    assert cpu_model(str(write(tmp_path / "none", "processor : 0\n"))) == os.uname().machine
    assert cpu_model(str(tmp_path / "missing")) == os.uname().machine
