"""The environment is captured completely, quickly and without secrets."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sciflow_shim import environment
from sciflow_shim.environment import capture, digest, distributions
from sciflow_shim.redaction import REDACTED

CPU = """processor\t: {0}
model name\t: AMD EPYC 7742 64-Core Processor
physical id\t: 0
core id\t\t: {1}
flags\t\t: sse fpu avx
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd0c\n"


def write(path: Path, text: str = "") -> Path:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def program(folder: Path, name: str) -> str:
    """Put a program there that only has to exist."""
    path = write(folder / name)
    path.chmod(0o755)
    return str(path)


def answers(**outputs: str | tuple[int, str, str] | Exception) -> Callable[..., Any]:
    """Make a `subprocess.run` that answers by the name of the program: what it prints, how it ends, or fails."""

    def run(command: list[str], **options: Any) -> SimpleNamespace:
        assert options["timeout"] > 0
        assert "PATH" in options["env"]
        answer = outputs[Path(command[0]).name.replace("-", "_").replace("+", "p")]
        if isinstance(answer, Exception):
            raise answer
        code, out, err = (0, answer, "") if isinstance(answer, str) else answer
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return run


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Give the files of a node with two cores of two threads each."""
    root = tmp_path / "root"
    write(root / "etc/os-release", 'NAME="Rocky Linux"\nPRETTY_NAME="Rocky Linux 9.4"\nID="rocky"\nVERSION_ID="9.4"\n')
    write(root / "proc/cpuinfo", "\n".join(CPU.format(i, i % 2) for i in range(4)))
    write(root / "proc/meminfo", "MemTotal:       1000 kB\nMemFree: 5 kB\n")
    write(root / "proc/self/cgroup", "0::/slurm/job_7\n")
    return root


def test_capture_describes_the_machine(machine: Path) -> None:
    """System, processor and memory come from the files of the node."""
    found = capture(str(machine), {"PATH": "/none"})
    system = os.uname()
    assert found["os"] == {
        "system": system.sysname,
        "kernel": system.release,
        "machine": system.machine,
        "name": "Rocky Linux 9.4",
        "id": "rocky",
        "version": "9.4",
    }
    assert found["cpu"] == {
        "model": "AMD EPYC 7742 64-Core Processor",
        "logical_cores": 4,
        "physical_cores": 2,
        "flags": ["avx", "fpu", "sse"],
    }
    assert found["memory"] == {"total_bytes": 1024000}
    assert found["python"]["executable"] == sys.executable
    assert found["python"]["prefix"] == sys.prefix
    assert found["distributions"]["pytest"] == pytest.__version__
    assert not {"gpu", "modules", "conda", "container", "compilers", "mpi", "locale"} & set(found)


def test_capture_of_an_arm_node(machine: Path) -> None:
    """Other architectures name things differently, and do not tell their cores."""
    write(machine / "proc/cpuinfo", ARM)
    found = capture(str(machine), {"PATH": "/none"})["cpu"]
    assert found == {"model": "0xd0c", "logical_cores": 1, "flags": ["asimd", "fp"]}


def test_capture_without_proc(tmp_path: Path) -> None:
    """Where there is nothing to read, what is known without it remains."""
    found = capture(str(tmp_path), {"PATH": ""})
    assert found["cpu"] == {"model": os.uname().machine, "logical_cores": os.cpu_count()}
    assert "memory" not in found
    assert set(found["os"]) == {"system", "kernel", "machine"}


def test_capture_holds_plain_values_only() -> None:
    """What is captured on this machine, with its real programs, can be stored: texts, numbers and lists of texts."""

    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert all(isinstance(name, str) for name in value)
            for item in value.values():
                check(item)
        elif isinstance(value, list):
            assert all(isinstance(item, str) for item in value)
        else:
            assert isinstance(value, (str, int, float, bool))

    found = capture()
    check(found)
    assert json.loads(json.dumps(found)) == found


def test_software_environment_is_captured(machine: Path, tmp_path: Path) -> None:
    """Modules, conda and its packages, the virtual environment and the locale are there."""
    conda = tmp_path / "conda"
    for name in ("hdf5-1.14.3-nompi_h1.json", "python-dateutil-2.9.0-py_0.json", "history", "odd.json"):
        write(conda / "conda-meta" / name)
    environ = {
        "PATH": "",
        "LOADEDMODULES": "gcc/12.2:openmpi/4.1",
        "CONDA_PREFIX": str(conda),
        "CONDA_DEFAULT_ENV": "lab",
        "VIRTUAL_ENV": "/home/anna/venv",
        "LANG": "C.UTF-8",
        "LC_ALL": "C",
    }
    found = capture(str(machine), environ)
    assert found["modules"] == ["gcc/12.2", "openmpi/4.1"]
    assert found["conda"] == {
        "prefix": str(conda),
        "environment": "lab",
        "packages": {"hdf5": "1.14.3=nompi_h1", "python-dateutil": "2.9.0=py_0"},
    }
    assert found["virtual_environment"] == "/home/anna/venv"
    assert found["locale"] == {"LC_ALL": "C", "LANG": "C.UTF-8"}


@pytest.mark.parametrize(
    ("environ", "path", "expected"),
    [
        ({"APPTAINER_CONTAINER": "/a.sif"}, "", {"kind": "apptainer", "image": "/a.sif"}),
        ({"SINGULARITY_CONTAINER": "/s.sif"}, ".dockerenv", {"kind": "singularity", "image": "/s.sif"}),
        ({}, ".dockerenv", {"kind": "docker"}),
        ({}, "run/.containerenv", {"kind": "podman"}),
        ({}, "proc/self/cgroup", {"kind": "kubepods"}),
    ],
)
def test_containers_are_recognised(machine: Path, environ: dict[str, str], path: str, expected: dict[str, str]) -> None:
    """A container shows in the variables, in a file, or in the name of a cgroup."""
    if path:
        write(machine / path, "0::/kubepods/besteffort/pod1\n")
    assert capture(str(machine), {"PATH": "", **environ})["container"] == expected


def test_compilers_and_mpi_are_asked_for_their_version(machine: Path, tmp_path: Path) -> None:
    """Of those on the path the path and the line with the version are kept; the others are absent."""
    bin_folder = tmp_path / "bin"
    paths = {name: program(bin_folder, name) for name in ("gcc", "nvcc", "icx", "mpirun")}
    write(bin_folder / "clang")  # not executable
    run = answers(
        gcc="gcc (GCC) 12.2.0\nCopyright (C) 2022\n",
        nvcc="nvcc: NVIDIA (R) Cuda compiler driver\nCopyright\nCuda compilation tools, release 12.4, V12.4.131\n",
        icx="",
        mpirun="mpirun (Open MPI) 4.1.5\n\nReport bugs\n",
    )
    found = capture(str(machine), {"PATH": f"/none::{bin_folder}"}, run)
    assert found["compilers"] == {
        "gcc": {"path": paths["gcc"], "version": "gcc (GCC) 12.2.0"},
        "nvcc": {"path": paths["nvcc"], "version": "Cuda compilation tools, release 12.4, V12.4.131"},
        "icx": {"path": paths["icx"], "version": ""},
    }
    assert found["mpi"] == {"mpirun": {"path": paths["mpirun"], "version": "mpirun (Open MPI) 4.1.5"}}


def test_failing_commands_are_recorded_as_their_error(machine: Path, tmp_path: Path) -> None:
    """A program that fails, hangs, says nothing or cannot be started leaves what went wrong, without secrets."""
    bin_folder = tmp_path / "bin"
    for name in ("cc", "gcc", "g++", "clang", "gfortran"):
        program(bin_folder, name)
    run = answers(
        cc=(1, "", "no licence: token=abc123\n"),
        gcc=subprocess.TimeoutExpired("gcc", 2),
        gpp=OSError("Exec format error"),
        clang=(2, "", ""),
        gfortran=(3, "on stdout", ""),
    )
    found = capture(str(machine), {"PATH": str(bin_folder)}, run)["compilers"]
    assert {name: tool["error"] for name, tool in found.items()} == {
        "cc": f"exit code 1: no licence: token={REDACTED}",
        "gcc": "no answer within 2 s",
        "g++": "Exec format error",
        "clang": "exit code 2",
        "gfortran": "exit code 3: on stdout",
    }


def test_gpus_of_the_kernel_module(machine: Path) -> None:
    """With the driver's files in /proc no program is started."""
    folder = machine / "proc/driver/nvidia"
    write(
        folder / "version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5\nGCC version: 12\n"
    )
    for gpu in ("0000:41:00.0", "0000:01:00.0"):
        write(folder / "gpus" / gpu / "information", "Model: \t\t NVIDIA A100\nIRQ:   \t 5\n")
    found = capture(str(machine), {"PATH": ""})["gpu"]
    assert found == {"driver": "550.54.15", "models": ["NVIDIA A100", "NVIDIA A100"]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550.54, NVIDIA H200\n550.54, NVIDIA H200\n", {"driver": "550.54", "models": ["NVIDIA H200", "NVIDIA H200"]}),
        ((9, "", "no driver"), {"error": "exit code 9: no driver"}),
        ("", None),
    ],
)
def test_gpus_by_nvidia_smi(machine: Path, tmp_path: Path, answer: Any, expected: dict[str, Any] | None) -> None:
    """Without those files the driver's program is asked."""
    program(tmp_path / "bin", "nvidia-smi")
    found = capture(str(machine), {"PATH": str(tmp_path / "bin")}, answers(nvidia_smi=answer))
    assert found.get("gpu") == expected


def test_driver_without_a_visible_gpu(machine: Path) -> None:
    """A driver is recorded even where the job sees no GPU."""
    write(machine / "proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.1  x\n")
    assert capture(str(machine), {"PATH": ""})["gpu"] == {"driver": "570.1"}


def test_another_interpreter_is_asked(machine: Path, tmp_path: Path) -> None:
    """The distributions are those of the interpreter that the run uses."""
    write(tmp_path / "site/Foo_Bar-1.2.dist-info/METADATA")
    answer = json.dumps(["/opt/python", "3.9.1", "CPython", "/opt", [str(tmp_path / "site")]])
    found = capture(str(machine), {"PATH": ""}, answers(python=answer), interpreter="/opt/python")
    assert found["python"] == {
        "executable": "/opt/python",
        "version": "3.9.1",
        "implementation": "CPython",
        "prefix": "/opt",
    }
    assert found["distributions"] == {"foo-bar": "1.2"}


def test_an_interpreter_that_does_not_start_is_recorded(machine: Path) -> None:
    """A missing interpreter is no error of the capture."""
    found = capture(str(machine), {"PATH": ""}, interpreter="/none/python")
    assert found["python"]["executable"] == "/none/python"
    assert "No such file" in found["python"]["error"]
    assert "distributions" not in found


@pytest.mark.parametrize("answer", ["hello", ""])
def test_an_interpreter_that_says_something_else_is_recorded(machine: Path, answer: str) -> None:
    """An answer that cannot be read is kept as the error."""
    found = capture(str(machine), {"PATH": ""}, answers(python=answer), interpreter="/opt/python")
    assert found["python"] == {"executable": "/opt/python", "error": f"answered {answer!r}"}


def test_what_an_interpreter_says_first_is_skipped(machine: Path) -> None:
    """A site customisation that greets does not spoil the answer."""
    answer = "welcome\n" + json.dumps(["/opt/python", "3.9.1", "CPython", "/opt", []])
    found = capture(str(machine), {"PATH": ""}, answers(python=answer), interpreter="/opt/python")
    assert found["python"]["version"] == "3.9.1"


def test_bytes_that_are_no_text_are_replaced(machine: Path) -> None:
    """A variable that is not UTF-8 can still be stored."""
    assert capture(str(machine), {"PATH": "/caf\udce9"})["variables"] == {"PATH": "/caf?"}


@pytest.mark.parametrize("flag", ["-I", "-S"])
def test_a_bare_interpreter_asks_itself(flag: str) -> None:
    """A shim that was started quickly, without site-packages, still finds what is installed there."""
    source = str(Path(environment.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {source!r}); from sciflow_shim.environment import capture; "
        "print(capture(environ={'PATH': ''})['distributions'].get('pytest'))"
    )
    done = subprocess.run([sys.executable, flag, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == pytest.__version__


def test_variables_are_allowed_redacted_and_shared(machine: Path) -> None:
    """Unlisted variables, secrets, and what differs between the indices of an array are not captured."""
    environ = {
        "PATH": "",
        "OMP_NUM_THREADS": "4",
        "SECRET_SAUCE": "x",
        "CONDA_PROMPT_MODIFIER": "https://u:p4ss@host/",
        "SLURM_JOB_ID": "7",
        "PBS_ARRAY_INDEX": "3",
        "SCIFLOW_INDEX": "3",
        "CUDA_VISIBLE_DEVICES": "1",
        "CUDA_HOME": "/opt/cuda",
        "TMPDIR": "/tmp/7",
        "LAB_NODE": "n1",
        "LAB_KEY": "k",
    }
    assert capture(str(machine), environ, extra=["LAB_*"])["variables"] == {
        "CONDA_PROMPT_MODIFIER": f"https://u:{REDACTED}@host/",
        "CUDA_HOME": "/opt/cuda",
        "LAB_KEY": REDACTED,
        "LAB_NODE": "n1",
        "OMP_NUM_THREADS": "4",
        "PATH": "",
    }


def test_secrets_do_not_come_in_by_other_ways(machine: Path) -> None:
    """Texts from anywhere are redacted, not only variables."""
    environ = {"PATH": "", "APPTAINER_CONTAINER": "docker://u:p4ss@registry/x", "LOADEDMODULES": "a:token=abcdefgh1"}
    text = json.dumps(capture(str(machine), environ))
    assert "p4ss" not in text
    assert "abcdefgh1" not in text


def test_distributions_are_read_from_names(tmp_path: Path) -> None:
    """All kinds of metadata folders give a normalised name and a version; the first on the path counts."""
    first, second = tmp_path / "first", tmp_path / "second"
    for name in (
        "Ruamel.yaml.clib-0.2.8.dist-info",
        "torch-2.2.0+cu118.dist-info",
        "scikit_learn-1.4.0rc1.dist-info",
        "old-1.0-py3.9.egg-info",
        "oldest-2.0-py2.7-linux_x86_64.egg-info",
        "numpy",
        "notes.txt",
        "empty.egg-info",
    ):
        (first / name).mkdir(parents=True)
    write(first / "developed.egg-info/PKG-INFO", "Metadata-Version: 2.1\nName: developed\nVersion: 3.1\n\nVersion: 9\n")
    write(first / "strange.dist-info/METADATA", "Name: strange\nVersion: 0.1\n")
    write(first / "file.egg-info", "Name: file\nVersion: 7\n")
    write(second / "torch-1.0.dist-info/METADATA")
    write(second / "late-1.0.dist-info/METADATA")
    assert distributions([str(first), str(tmp_path / "none"), str(second)]) == {
        "developed": "3.1",
        "empty": "",
        "file": "7",
        "late": "1.0",
        "old": "1.0",
        "oldest": "2.0",
        "ruamel-yaml-clib": "0.2.8",
        "scikit-learn": "1.4.0rc1",
        "strange": "0.1",
        "torch": "2.2.0+cu118",
    }


def test_distributions_agree_with_the_standard_library() -> None:
    """What is installed here is listed with the versions that importlib.metadata reads."""
    found = distributions(sys.path)
    for name in ("pytest", "numpy", "pyyaml", "typing-extensions", "import-linter"):
        assert found[name] == importlib.metadata.version(name)


def test_what_is_from_no_index_tells_where_it_is_from(machine: Path, tmp_path: Path) -> None:
    """Folders, repositories and addresses are told without secrets; what cannot be read is left out."""
    urls = {
        "edited-1.0": {"url": "file:///home/ada/edited", "dir_info": {"editable": True}},
        "cloned-2.0": {
            "url": "https://ada:hunter22@git.example.org/ada/cloned.git",
            "vcs_info": {"vcs": "git", "commit_id": "0123abc", "requested_revision": "main"},
            "subdirectory": "python",
        },
        "by_ssh-2.1": {"url": "ssh://git@git.example.org/ada/by-ssh", "vcs_info": {"vcs": "git", "commit_id": 7}},
        "fetched-3.0": {"url": "https://tok@example.org/f-3.0.whl?key=abc#sha256=1", "archive_info": {}},
        "odd-1.0": ["no", "mapping"],
        "empty-1.0": {"dir_info": []},
    }
    for name, told in urls.items():
        write(tmp_path / f"{name}.dist-info/direct_url.json", json.dumps(told))
    write(tmp_path / "torn-1.0.dist-info/direct_url.json", '{"url": ')
    write(tmp_path / "usual-1.0.dist-info/METADATA")

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        answer = ["/python", "3.11.7", "CPython", "/", [str(tmp_path)]]
        return subprocess.CompletedProcess([], 0, json.dumps(answer), "")

    found = capture(str(machine), {"PATH": ""}, run, "/python")
    assert found["sources"] == {
        "by-ssh": {"url": "ssh://git@git.example.org/ada/by-ssh", "version_control": "git", "editable": False},
        "cloned": {
            "url": "https://git.example.org/ada/cloned.git",
            "version_control": "git",
            "commit": "0123abc",
            "subdirectory": "python",
            "editable": False,
        },
        "edited": {"url": "file:///home/ada/edited", "editable": True},
        "fetched": {"url": "https://example.org/f-3.0.whl", "editable": False},
    }
    assert set(found["distributions"]) == {"by-ssh", "cloned", "edited", "empty", "fetched", "odd", "torn", "usual"}


def test_digest_depends_on_content_only() -> None:
    """The order of keys does not matter, any value does."""
    assert digest({"a": 1, "b": {"c": ["x"]}}) == digest({"b": {"c": ["x"]}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest({})) == 64
