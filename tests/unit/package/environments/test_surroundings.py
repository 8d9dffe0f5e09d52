"""How an environment differs from a recorded one is graded, and each difference says what it may affect."""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.package.environments.surroundings import (
    COMPATIBLE,
    DIFFERENT,
    GRADES,
    MISSING,
    SAME,
    differences,
    matters,
    present,
    worst,
)

_RECORDED: dict[str, Any] = {
    "os": {"system": "Linux", "kernel": "5.14.0", "machine": "x86_64", "name": "Rocky Linux 9.4", "id": "rocky"},
    "cpu": {"model": "AMD EPYC 7742", "flags": ["avx", "avx2", "fma", "fpu"]},
    "gpu": {"driver": "550.54", "models": ["A100", "A100"]},
    "python": {"version": "3.11.7", "implementation": "CPython", "executable": "/a/python"},
    "distributions": {"numpy": "1.26.4", "torch": "2.2.0+cu118", "odd": "unknown"},
    "modules": ["gcc/13.2", "openmpi/4.1.6"],
    "conda": {"packages": {"zlib": "1.3=h1", "numpy": "1.26.4=py311"}},
    "container": {"kind": "apptainer", "image": "a.sif"},
    "compilers": {"gcc": {"path": "/usr/bin/gcc", "version": "gcc 13.2"}, "icx": {"path": "/x", "error": "no"}},
    "mpi": {"mpirun": {"path": "/usr/bin/mpirun", "version": "mpirun (Open MPI) 4.1.6"}},
    "locale": {"LANG": "C.UTF-8"},
    "variables": {"OMP_NUM_THREADS": "4", "PATH": "/bin"},
}


def _changed(place: str, value: Any) -> dict[str, Any]:
    """Give the environment with one value set, or without it."""
    found = copy.deepcopy(_RECORDED)
    part, _, name = place.partition("/")
    owner = found[part] if name else found
    if value is None:
        del owner[name or part]
    else:
        owner[name or part] = value
    return found


def test_nothing_differs_from_itself() -> None:
    """There is no difference then, and each subject is the same where these are asked for as well."""
    assert differences(_RECORDED, _RECORDED) == []
    assert worst([]) == SAME
    same = differences(_RECORDED, _RECORDED, with_same=True)
    assert {one.grade for one in same} == {SAME}
    assert {"python", "os", "kernel", "architecture", "cpu", "gpu", "gpu driver", "container", "module gcc"} <= {
        one.subject for one in same
    }


@pytest.mark.parametrize(
    ("place", "value", "subject", "grade", "affects"),
    [
        ("python/version", "3.11.9", "python", COMPATIBLE, "mended"),
        ("python/version", "3.12.1", "python", DIFFERENT, "library"),
        ("python/implementation", "PyPy", "python", DIFFERENT, "compiled"),
        ("python", None, "python", MISSING, "compiled"),
        ("distributions/numpy", "1.26.9", "distribution numpy", COMPATIBLE, "mended"),
        ("distributions/numpy", "1.27.0", "distribution numpy", DIFFERENT, "results"),
        ("distributions/numpy", "2.0.0", "distribution numpy", DIFFERENT, "results"),
        ("distributions/numpy", "1.26.5rc1", "distribution numpy", DIFFERENT, "results"),
        ("distributions/numpy", "1!1.26.4", "distribution numpy", DIFFERENT, "results"),
        ("distributions/torch", "2.2.0+cu121", "distribution torch", COMPATIBLE, "built"),
        ("distributions/odd", "other", "distribution odd", DIFFERENT, "results"),
        ("distributions/numpy", None, "distribution numpy", MISSING, "imports"),
        ("os/name", "Rocky Linux 9.5", "os", COMPATIBLE, "system libraries"),
        ("os", {"system": "Linux", "kernel": "5.14.0", "machine": "x86_64", "id": "debian"}, "os", DIFFERENT, "system"),
        ("os/kernel", "6.1", "kernel", COMPATIBLE, "timing"),
        ("os/machine", "aarch64", "architecture", DIFFERENT, "last digits"),
        ("cpu/model", "AMD EPYC 9", "cpu", COMPATIBLE, "times"),
        ("cpu/flags", ["avx", "avx2", "avx512f", "fpu"], "cpu", DIFFERENT, "last digits"),
        ("gpu/models", ["H100"], "gpu", DIFFERENT, "last digits"),
        ("gpu/driver", "560", "gpu driver", COMPATIBLE, "newer"),
        ("gpu", None, "gpu", MISSING, "fail"),
        ("modules", ["gcc/13.2"], "module openmpi", MISSING, "found"),
        ("modules", ["gcc/13.2", "openmpi/5"], "module openmpi", DIFFERENT, "versions"),
        ("conda", None, "conda", MISSING, "conda"),
        ("conda/packages", {"zlib": "1.3=h2", "numpy": "0=0"}, "", SAME, ""),
        ("conda/packages", {"zlib": "1.4=h2"}, "conda package zlib", DIFFERENT, "results"),
        ("container", None, "container", MISSING, "beside Python"),
        ("container/kind", "docker", "container", DIFFERENT, "beside Python"),
        ("compilers/gcc", None, "compiler gcc", MISSING, "fails"),
        ("compilers/gcc", {"version": "gcc 14"}, "compiler gcc", DIFFERENT, "last digits"),
        ("mpi/mpirun", {"error": "no answer"}, "mpi mpirun", DIFFERENT, "ranks"),
        ("locale", {"LC_ALL": "de_DE"}, "locale", COMPATIBLE, "sorted"),
        ("variables/OMP_NUM_THREADS", "8", "variable OMP_NUM_THREADS", DIFFERENT, "threads"),
        ("variables/OMP_NUM_THREADS", None, "variable OMP_NUM_THREADS", MISSING, "threads"),
        ("variables/PYTHONHASHSEED", "0", "variable PYTHONHASHSEED", DIFFERENT, "order of sets"),
        ("variables/TZ", "UTC", "variable TZ", DIFFERENT, "local times"),
        ("variables/PATH", "/other", "", SAME, ""),
    ],
)
def test_each_difference_has_its_grade(place: str, value: Any, subject: str, grade: str, affects: str) -> None:
    """What is another one is told alone, with its grade and what it may affect."""
    found = differences(_RECORDED, _changed(place, value))
    assert worst(found) == grade
    assert [one.subject for one in found if one.grade == grade] == ([subject] if subject else [])
    assert all(affects in one.affects for one in found)
    assert [json.loads(json.dumps(one.to_document()))["what"] for one in found] == [one.what for one in found]


def test_the_worst_comes_first_and_is_told_in_a_sentence() -> None:
    """A sentence has both values, and those that are not there as nothing."""
    here = _changed("distributions/numpy", None)
    here["python"]["version"] = "3.11.9"
    here["cpu"]["flags"] = ["avx", "fpu", "avx512f"]
    found = differences(_RECORDED, here)
    assert [one.grade for one in found] == [MISSING, DIFFERENT, COMPATIBLE]
    assert found[0].what.startswith("distribution numpy: 1.26.4 there, nothing here; code that imports")
    assert "without avx2, fma and with avx512f" in found[1].what


def test_what_is_here_is_captured_as_it_was_there() -> None:
    """It is compared with itself without a difference, and names the variables that matter."""
    here = present()
    assert here["python"]["executable"] == sys.executable
    assert differences(here, json.loads(json.dumps(here))) == []
    assert matters("OMP_NUM_THREADS")
    assert not matters("PATH")


_TEXT = st.text("ab.01 ", max_size=5)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(_RECORDED)), _ANYTHING))
def test_what_a_stranger_wrote_is_compared_all_the_same(recorded: dict[str, Any]) -> None:
    """Whatever stands where values should be, there are grades and no error."""
    for found in (differences(recorded, _RECORDED), differences(_RECORDED, recorded)):
        assert {one.grade for one in found} <= set(GRADES)
        assert all(isinstance(one.what, str) for one in found)
