"""A Python with sciflow that an ordinary user can run, wherever the one that runs the tests lies."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import sciflow

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROJECT = Path(__file__).parents[2]
# All that the command and the analysis load.
CHECK = "import sciflow.cli.main, click, h5py, jinja2, matplotlib, numpy, pandas, paramiko, psutil, pydantic, yaml"


def python_for(run: Run, home: Path) -> Path:
    """Return an interpreter that runs for this user and has sciflow, with the command `sciflow` beside it.

    The one that runs the tests is taken where the user may. Else it is a virtual environment in `home`, made of the
    system's Python of the same version, which sees the project and the installed packages, or copies of them where
    they lie behind a closed directory, as with a checkout in root's home.

    Parameters
    ----------
    run
        `Account.run` of the user.
    home
        A directory of the user.

    Raises
    ------
    RuntimeError
        When there is no Python of that version for the user.
    """
    if _works(run, Path(sys.executable)) and Path(sys.executable).with_name("sciflow").exists():
        return Path(sys.executable)
    python = _virtual_environment(run, home / "python")
    packages = next(python.parents[1].glob("lib/python*/site-packages"))
    source = Path(sciflow.__file__).parents[1]
    path = packages / "sciflow.pth"
    path.write_text(f"{source}\n{sysconfig.get_path('purelib')}\n")
    if not _works(run, python):
        path.write_text(f"{_copy_of_project(home / 'project')}\n")
        _copy_distributions(packages)
    done = run(python, "-c", CHECK, check=False)
    if done.returncode:
        raise RuntimeError(f"{python} of the tests' user lacks something\n{done.stderr}")
    return python


def _works(run: Run, python: Path) -> bool:
    try:
        return run(python, "-c", CHECK, check=False).returncode == 0
    except PermissionError:
        return False


def _virtual_environment(run: Run, folder: Path) -> Path:
    """Make a virtual environment that the user can run, with the command `sciflow`; packages come later."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (
        f"/usr/bin/python{version}",
        f"/usr/local/bin/python{version}",
        getattr(sys, "_base_executable", ""),
    ):
        try:
            made = run(candidate, "-m", "venv", "--without-pip", folder, check=False)
        except OSError:
            continue
        if made.returncode == 0:
            break
    else:
        raise RuntimeError(f"no Python {version} that an ordinary user can run: install python{version}")
    python = folder / "bin" / "python"
    command = folder / "bin" / "sciflow"
    command.write_text(f"#!{python}\nfrom sciflow.cli.main import main\n\nmain()\n")
    command.chmod(0o755)
    return python


def _copy_of_project(folder: Path) -> Path:
    """Copy what a source tree needs to run, and return the folder to import from."""
    for name in ("src", "templates", "cluster_profiles"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / "src"


def _copy_distributions(packages: Path) -> None:
    """Copy all distributions that sciflow needs, and what says that it is installed."""
    for distribution in (metadata.distribution("sciflow"), *_needed("sciflow", set())):
        for file in distribution.files or ():
            # Commands, what is compiled by each interpreter, and pointers to the source stay behind.
            if file.parts[0] != ".." and "__pycache__" not in file.parts and file.suffix != ".pth":
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(str(file.locate()), target)


def _needed(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    for requirement in metadata.requires(name) or ():
        needed = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        # What is not installed is for another platform, or an extra.
        if needed not in seen and any(True for _ in metadata.distributions(name=needed)):
            seen.add(needed)
            yield metadata.distribution(needed)
            yield from _needed(needed, seen)
