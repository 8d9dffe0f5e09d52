"""Recipes of containers are made of what was captured."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from sciflow.package.environments.environment import LockedEnvironment, locked_environment
from sciflow.package.environments.recipes import docker_quoted, recipe

_CAPTURED: dict[str, Any] = {
    "python": {"version": "3.11.7", "implementation": "CPython"},
    "os": {"id": "rocky", "name": "Rocky Linux 9\nRUN evil", "machine": "x86_64"},
    "compilers": {"gcc": {"version": "gcc 13.2"}, "nvcc": {"version": "12.1"}, "gfortran": {"error": "no answer"}},
    "mpi": {"mpirun": {"version": "mpirun (Open MPI) 4.1.6"}},
    "conda": {"packages": {"zlib": "1.3=h1"}},
    "variables": {"OMP_NUM_THREADS": "4", "MKL_CBWR": "AVX2 STRICT", "MKL_X": "$(evil)", "OMP_Y": "1\nRUN evil"},
    "distributions": {"numpy": "1.26.4", "mine": "0.1"},
    "sources": {"mine": {"url": "https://example.org/mine", "version_control": "git", "commit": "abc"}},
}
_DOCKERFILE = """\
FROM docker.io/library/python:3.11.7-slim-bookworm
RUN apt-get update \\
 && apt-get install -y --no-install-recommends gcc gfortran git libc6-dev libopenmpi-dev openmpi-bin \\
 && rm -rf /var/lib/apt/lists/*
ENV MKL_CBWR="AVX2 STRICT"
ENV OMP_NUM_THREADS="4"
COPY environment /package/environment
RUN python -m pip install --no-cache-dir -r /package/environment/requirements.txt /package/environment/wheels/*.whl
COPY . /package
WORKDIR /package
CMD ["bash"]
"""


def _recipe(template: str, captured: dict[str, Any]) -> str:
    return recipe(f"package/{template}", "Spins_v1.0", locked_environment("d", captured))


def test_a_dockerfile_has_what_the_run_had() -> None:
    """Its instructions are these, and its comments tell what the image has not or has in another version."""
    text = _recipe("Dockerfile.j2", _CAPTURED)
    lines = text.splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("#")) == _DOCKERFILE
    for told in (
        "docker build -f environment/Dockerfile -t spins-v1-0 .",
        "# The run was made on Rocky Linux 9 RUN evil: system libraries",
        "# The run had gcc: gcc 13.2.\n",
        "# The run had gfortran: of unknown version.\n",
        "# The run had nvcc: 12.1. To have it, start from an image of NVIDIA",
        "# The run had conda, which this image has not: see environment/conda.yaml.",
        "# Not installed: mine, from git: git+https://example.org/mine@abc.",
        "# The variable MKL_X had a value that is not repeated here",
        "# The variable OMP_Y had a value",
    ):
        assert told in text


def test_a_definition_for_apptainer_has_the_same() -> None:
    """Its sections install and set the same, and values are quoted as shells read them."""
    text = _recipe("apptainer.def.j2", _CAPTURED)
    sections = dict(re.findall(r"^%(\w+)\n((?:(?!%).*\n)*)", text, re.MULTILINE))
    assert list(sections) == ["files", "post", "environment", "runscript"]
    assert "Bootstrap: docker\nFrom: docker.io/library/python:3.11.7-slim-bookworm\n" in text
    assert "apt-get install -y --no-install-recommends gcc gfortran git libc6-dev libopenmpi-dev" in sections["post"]
    exported = [shlex.split(line)[1] for line in sections["environment"].splitlines() if line]
    assert exported == ["LC_ALL=C.UTF-8", "MKL_CBWR=AVX2 STRICT", "OMP_NUM_THREADS=4"]


def test_a_run_on_the_same_system_has_nothing_to_tell() -> None:
    """Neither packages nor notes are made up."""
    captured = {"python": _CAPTURED["python"], "os": {"id": "debian", "version": "12", "machine": "x86_64"}}
    text = _recipe("Dockerfile.j2", captured)
    assert "apt-get" not in text
    assert text.count("#") == 2


@pytest.mark.parametrize(
    ("captured", "told"),
    [
        ({"os": {"machine": "aarch64"}}, "build this on such a machine"),
        ({"python": {"version": "3.10.13", "implementation": "PyPy"}}, "made with PyPy"),
        ({"mpi": {"mpiexec": {"version": "HYDRA build details: 4.1"}}}, "libmpich-dev mpich"),
        ({"mpi": {"mpiexec": {"version": "Intel(R) MPI"}}}, "it is not installed here"),
        ({"python": {"version": "3.14.0rc2+local"}}, "python:3.14.0rc2-slim"),
    ],
)
def test_what_is_unusual_is_told(captured: dict[str, Any], told: str) -> None:
    """Other processors, interpreters and kinds of MPI."""
    assert told in _recipe("Dockerfile.j2", {"python": _CAPTURED["python"], **captured})


def test_values_are_quoted_for_docker() -> None:
    """Nothing in them is read as a variable or an escape."""
    assert docker_quoted('a "b" $C \\') == '"a \\"b\\" \\$C \\\\"'


def test_a_version_that_is_none_is_not_known() -> None:
    """What a stranger wrote there does not get into a recipe."""
    assert LockedEnvironment("d", {"python": {"version": "3.11\nRUN evil"}}).python == ""
    assert LockedEnvironment("d", {"python": "3.11"}).python == ""
