"""Captures the environment that a run executes in."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sciflow_shim.fingerprint import cpu_model

COMMAND_TIMEOUT = 2.0
INTERPRETER_TIMEOUT = 20.0  # a first start from a busy shared file system is slow, and there is no record without it
COMPILERS = ("cc", "gcc", "g++", "gfortran", "clang", "nvcc", "icx")
MPI_LAUNCHERS = ("mpirun", "mpiexec")

# Differs between the indices of one array, so it belongs to a record and not to what they share.
OF_ONE_INDEX = r"(SLURM|PBS|SCIFLOW|PMI|OMPI_COMM)_.*|TMPDIR|.*VISIBLE_DEVICES|GPU_DEVICE_ORDINAL"
DISTRIBUTION = r"(?P<name>.+?)(?:-(?P<version>\d[^-]*))?(?:-py\d[^-]*)?(?:-[^-]+)?\.(?:dist|egg)-info"
INTERPRETER_QUESTION = (
    "import json, platform, sys; print(json.dumps([sys.executable, platform.python_version(), "
    "platform.python_implementation(), sys.prefix, sys.path]))"
)

Run = Callable[..., Any]


def capture(
    root: str = "/",
    environ: Mapping[str, str] = os.environ,
    run: Run | None = None,
    interpreter: str = sys.executable,
    extra: Iterable[str] = (),
) -> dict[str, Any]:
    """Describe the machine and the software of a run, without anything secret.

    Parameters
    ----------
    root
        The folder under which /etc and /proc are read.
    environ
        The environment variables of the run.
    run
        Starts a command as `subprocess.run` does, which is the default.
    interpreter
        The Python whose distributions count. Another one than this is asked, and so is this one when it was started
        isolated or without its site-packages.
    extra
        Names of further environment variables to keep.

    Returns
    -------
    dict
        Nested dicts of plain values and lists of strings. What is not there is absent; a command that failed is
        there with what it said.
    """
    if run is None:
        import subprocess

        run = subprocess.run
    python, search_path = _python(interpreter, environ, run)
    installed = _installed(search_path)
    captured = {
        "os": _operating_system(root),
        "cpu": _cpu(root),
        "memory": _memory(root),
        "gpu": _gpus(root, environ, run),
        "python": python,
        "distributions": {name: version for name, (version, _) in installed.items()},
        "sources": _sources(installed),
        "modules": [name for name in environ.get("LOADEDMODULES", "").split(":") if name],
        "conda": _conda(environ),
        "virtual_environment": environ.get("VIRTUAL_ENV", ""),
        "container": _container(root, environ),
        "compilers": _tools(COMPILERS, environ, run),
        "mpi": _tools(MPI_LAUNCHERS, environ, run),
        "locale": {name: environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if name in environ},
        "variables": _shared_variables(environ, extra),
    }
    return redacted({name: value for name, value in captured.items() if value})


def digest(captured: Mapping[str, Any]) -> str:
    """Give the SHA-256 of a captured environment, in whatever order its keys are."""
    text = json.dumps(captured, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def distributions(search_path: Iterable[str]) -> dict[str, str]:
    """List installed distributions by the names of their metadata folders.

    Parameters
    ----------
    search_path
        The folders to look in; the first that has a distribution counts, as for an import.

    Returns
    -------
    dict
        Name, normalised as package indexes do, → version; sorted. A metadata file is opened only where the name of
        its folder holds no version.
    """
    return {name: version for name, (version, _) in _installed(search_path).items()}


def _installed(search_path: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Give the version and the metadata folder of each distribution."""
    found: dict[str, tuple[str, str]] = {}
    for folder in search_path:
        for entry in _listed(folder):
            match = re.fullmatch(DISTRIBUTION, entry) if entry.endswith("-info") else None
            if match:
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                path = f"{folder}/{entry}"
                if name not in found:
                    found[name] = (match["version"] or _metadata_version(path), path)
    return dict(sorted(found.items()))


def _sources(installed: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """Tell where those distributions are from that were not installed by name from an index, as PEP 610 has it.

    Only their users know that they are not on any index, so that nothing else can install them again.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, (_, folder) in installed.items():
        text = _text(f"{folder}/direct_url.json", 65536)
        try:
            told = json.loads(text) if text else {}
        except ValueError:
            told = {}
        if isinstance(told, dict) and isinstance(told.get("url"), str):
            version_control = _within(told, "vcs_info")
            facts = {
                "url": _without_user(told["url"]),
                "version_control": version_control.get("vcs"),
                "commit": version_control.get("commit_id"),
                "subdirectory": told.get("subdirectory"),
            }
            found[name] = {key: value for key, value in facts.items() if value and isinstance(value, str)}
            found[name]["editable"] = _within(told, "dir_info").get("editable") is True
    return found


def _within(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _without_user(url: str) -> str:
    """Take user, password, query and fragment out of a URL: tokens stand there. `git` as the user of SSH stays."""
    url = re.split(r"[?#]", url, maxsplit=1)[0]
    return re.sub(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)(?!git@)[^/]*@", r"\1", url)


def _python(interpreter: str, environ: Mapping[str, str], run: Run) -> tuple[dict[str, str], list[str]]:
    if interpreter == sys.executable and not (sys.flags.no_site or sys.flags.isolated):
        import platform

        values = [interpreter, platform.python_version(), platform.python_implementation(), sys.prefix, sys.path]
    else:
        answer = _output([interpreter, "-c", INTERPRETER_QUESTION], environ, run, INTERPRETER_TIMEOUT)
        if "error" in answer:
            return {"executable": interpreter, **answer}, []
        try:
            values = json.loads(answer["output"].rpartition("\n")[2])
        except ValueError:
            return {"executable": interpreter, "error": f"answered {answer['output'][-500:]!r}"}, []
    names = ("executable", "version", "implementation", "prefix")
    return dict(zip(names, values)), values[4]


def _operating_system(root: str) -> dict[str, str]:
    system = os.uname()
    found = {"system": system.sysname, "kernel": system.release, "machine": system.machine}
    release = _pairs(_text(f"{root}/etc/os-release"), "=")
    for key, name in (("PRETTY_NAME", "name"), ("ID", "id"), ("VERSION_ID", "version")):
        if key in release:
            found[name] = release[key].strip("\"'")
    return found


def _cpu(root: str) -> dict[str, Any]:
    path = f"{root}/proc/cpuinfo"
    blocks = [_pairs(block, ":") for block in _text(path).split("\n\n") if block.startswith("processor")]
    found: dict[str, Any] = {"model": cpu_model(path), "logical_cores": len(blocks) or os.cpu_count() or 0}
    physical = {(block.get("physical id", ""), block["core id"]) for block in blocks if "core id" in block}
    if physical:
        found["physical_cores"] = len(physical)
    first = blocks[0] if blocks else {}
    flags = first.get("flags", first.get("Features", ""))  # the second on ARM
    if flags:
        found["flags"] = sorted(flags.split())
    return found


def _memory(root: str) -> dict[str, int]:
    words = _pairs(_text(f"{root}/proc/meminfo"), ":").get("MemTotal", "").split()
    return {"total_bytes": int(words[0]) * 1024} if words else {}


def _gpus(root: str, environ: Mapping[str, str], run: Run) -> dict[str, Any]:
    driver = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)", _text(f"{root}/proc/driver/nvidia/version"))
    folder = f"{root}/proc/driver/nvidia/gpus"
    about = [_pairs(_text(f"{folder}/{gpu}/information"), ":") for gpu in sorted(_listed(folder))]
    models = [pairs["Model"] for pairs in about if "Model" in pairs]
    if driver and models:
        return {"driver": driver[1], "models": models}
    program = _which("nvidia-smi", environ)
    if not program:
        return {"driver": driver[1]} if driver else {}
    answer = _output([program, "--query-gpu=driver_version,name", "--format=csv,noheader"], environ, run)
    if "error" in answer:
        return answer
    rows = [line.partition(", ") for line in answer["output"].splitlines()]
    return {"driver": rows[0][0], "models": [row[2] for row in rows]} if rows else {}


def _conda(environ: Mapping[str, str]) -> dict[str, Any]:
    prefix = environ.get("CONDA_PREFIX")
    if not prefix:
        return {}
    # <name>-<version>-<build>.json
    files = (name[:-5].rsplit("-", 2) for name in _listed(f"{prefix}/conda-meta") if name.endswith(".json"))
    packages = {parts[0]: f"{parts[1]}={parts[2]}" for parts in files if len(parts) == 3}
    return {"prefix": prefix, "environment": environ.get("CONDA_DEFAULT_ENV", ""), "packages": packages}


def _container(root: str, environ: Mapping[str, str]) -> dict[str, str]:
    for kind, variable in (("apptainer", "APPTAINER_CONTAINER"), ("singularity", "SINGULARITY_CONTAINER")):
        if environ.get(variable):
            return {"kind": kind, "image": environ[variable]}
    for kind, path in (("docker", ".dockerenv"), ("podman", "run/.containerenv")):
        if os.access(f"{root}/{path}", os.F_OK):
            return {"kind": kind}
    match = re.search(r"docker|kubepods|libpod|containerd|lxc", _text(f"{root}/proc/self/cgroup"))
    return {"kind": match[0]} if match else {}


def _tools(names: Iterable[str], environ: Mapping[str, str], run: Run) -> dict[str, dict[str, str]]:
    """Give the path of those programs that are there, and the first line of `--version` that has one."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        path = _which(name, environ)
        if path:
            answer = _output([path, "--version"], environ, run)
            if "output" in answer:
                lines = answer["output"].splitlines() or [""]
                # The first line of nvcc has no number.
                answer = {"version": next((line for line in lines if re.search(r"\d\.\d", line)), lines[0])}
            found[name] = {"path": path, **answer}
    return found


def _which(name: str, environ: Mapping[str, str]) -> str | None:
    for folder in environ.get("PATH", "").split(":"):
        path = f"{folder}/{name}"
        if folder and os.access(path, os.X_OK):
            return path
    return None


def _output(
    command: list[str], environ: Mapping[str, str], run: Run, timeout: float = COMMAND_TIMEOUT
) -> dict[str, str]:
    """Give what a command printed as `output`, or as `error` why it did not."""
    from subprocess import DEVNULL, TimeoutExpired

    try:
        done = run(
            command,
            env=dict(environ),
            timeout=timeout,
            stdin=DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except TimeoutExpired:
        return {"error": f"no answer within {timeout:g} s"}
    except OSError as error:
        return {"error": str(error)}
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        return {"error": f"exit code {done.returncode}: {said[:500]}".rstrip(": ")}
    return {"output": done.stdout.strip()}


def _shared_variables(environ: Mapping[str, str], extra: Iterable[str]) -> dict[str, str]:
    from sciflow_shim.redaction import redact_environment

    kept = redact_environment(environ, extra)
    return {name: value for name, value in kept.items() if not re.fullmatch(OF_ONE_INDEX, name)}


def redacted(value: Any) -> Any:
    """Give nested dicts and lists without secrets, in texts that any file format takes."""
    from sciflow_shim.redaction import redact

    if isinstance(value, str):
        return redact(value).encode(errors="replace").decode()  # file names may hold bytes that no file format takes
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {name: redacted(item) for name, item in value.items()}
    return value


def _metadata_version(path: str) -> str:
    text = _text(f"{path}/METADATA", 65536) or _text(f"{path}/PKG-INFO", 65536) or _text(path, 65536)
    match = re.search(r"^Version: *(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else ""


def _pairs(text: str, separator: str) -> dict[str, str]:
    """Read lines of a name and a value; of a name that comes again, the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, sign, value = line.partition(separator)
        if sign:
            found.setdefault(name.strip(), value.strip())
    return found


def _text(path: str, size: int = -1) -> str:
    """Read a file from its start; nothing where there is no such file."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(size)
    except OSError:
        return ""


def _listed(folder: str) -> list[str]:
    """List a folder; nothing where there is none."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
