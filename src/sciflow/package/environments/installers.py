"""Starts uv, or venv and pip, to make an environment and to install into it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sciflow.errors import PackageError
from sciflow.package.environments.surroundings import distributions_in

OLDEST = (3, 10)  # on which sciflow runs
_NEWEST_MINOR = 20  # that is looked for
_LONGEST = 1800.0  # seconds of one start of an installer
_MOST_SAID = 400  # characters
# What would let programs see more than the environment.
_NOT_PASSED_ON = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
)
_MORE_PLACES = frozenset({"PIP_FIND_LINKS", "PIP_CONSTRAINT", "UV_FIND_LINKS", "UV_CONSTRAINT", "UV_CONFIG_FILE"})
# What pip calls it, what uv does, and what uv has called it before.
_INDEXES = (
    ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"),
)


def installer(into: Path, wheels: Path | None, *, offline: bool, build_sources: bool) -> Installer:
    """The installer that is there: uv, or else pip."""
    uv = uv_program()
    made: Installer = Uv(uv, into) if uv else Pip(into)
    made.wheels = wheels.resolve() if wheels else None
    made.offline = offline
    made.build_sources = build_sources
    return made


def uv_program() -> str | None:
    """Where uv is: on the path, or beside the Python that runs; None where it is not."""
    beside = Path(sys.executable).with_name("uv")
    return shutil.which("uv") or (str(beside) if os.access(beside, os.X_OK) else None)


class Installer:
    """Makes one environment, and installs into it.

    Attributes
    ----------
    into
        The environment's folder.
    log
        What was started, and what it said.
    wheels
        The only place to install from, where there is one.
    offline, build_sources
        Whether nothing is downloaded, and whether sources are built.
    built_anyway
        Distributions that are built from sources where they have no wheel, whatever is said.
    """

    knows_versions = False  # whether an interpreter can be asked for by its version

    def __init__(self, into: Path) -> None:
        self.into = into.absolute()
        self.log = self.into.with_name(f"{into.name}.log")
        self.wheels: Path | None = None
        self.offline = False
        self.build_sources = False
        self.built_anyway: frozenset[str] = frozenset()

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.into / "bin" / "python"

    def make(self, python: str) -> None:
        """Make the environment with a Python of that version or path, or else the nearest that is there.

        Raises
        ------
        PackageError
            Where there is no Python that sciflow runs on.
        """
        said = ""
        for candidate in self._candidates(python):
            said = self._start(self._making(candidate))
            if not said:
                return
            shutil.rmtree(self.into, ignore_errors=True)
        oldest = ".".join(map(str, OLDEST))
        text = f"no environment can be made with Python {python} or any other that is here{f': {said}' if said else ''}"
        raise PackageError(text, hint=f"install Python {python}, or at least {oldest}")

    def install(self, what: Sequence[str], *, with_needed: bool) -> str:
        """Install by name and version, or from files; say why it failed, or nothing.

        Parameters
        ----------
        what
            ``name==version``, or with `with_needed` absolute paths of wheels.
        with_needed
            Whether also what these need and is not there yet is installed.
        """
        options = [] if with_needed else ["--no-deps"]
        if not self.build_sources:
            names = [re.split("[^A-Za-z0-9._-]", one, maxsplit=1)[0] for one in what]
            only = [":all:"] if with_needed else [name for name in names if name.lower() not in self.built_anyway]
            options += [word for name in only for word in ("--only-binary", name)]
        if self.wheels:
            options += ["--no-index", "--find-links", str(self.wheels)]
        return self._start([*self._installing(), *options, *what])

    def installed(self) -> dict[str, Any]:
        """Python and what is installed, as an environment's capture has it; no program is started for it."""
        text = (self.into / "pyvenv.cfg").read_text(encoding="utf-8")
        version = re.search(r"^version(?:_info)? *= *(\d+\.\d+\.\d+\w*)", text, re.MULTILINE)
        implementation = re.search(r"^implementation *= *(\w+)", text, re.MULTILINE)
        return {
            "python": {
                "executable": str(self.python),
                "version": version[1] if version else "",
                "implementation": implementation[1]
                if implementation
                else sys.implementation.name.replace("cp", "CP", 1),
            },
            "distributions": distributions_in(sorted(self.into.glob("lib/*/site-packages"))),
        }

    def environment(self) -> dict[str, str]:
        """The variables of the programs that are started: the user's, by which indexes and certificates are chosen."""
        found = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
        found["PYTHONNOUSERSITE"] = "1"
        if self.wheels:  # nothing that the user has set up adds another place
            found = {name: value for name, value in found.items() if name not in _MORE_PLACES}
            found |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "true"}
        return found

    def _making(self, python: str) -> list[str]:
        raise NotImplementedError

    def _installing(self) -> list[str]:
        raise NotImplementedError

    def _candidates(self, python: str) -> Iterator[str]:
        """Paths or versions of interpreters to try, the wanted one first."""
        if not re.fullmatch(r"3\.\d{1,3}(\.\d+)?", python):
            yield python
            return
        if self.knows_versions:
            yield from dict.fromkeys([python, ".".join(python.split(".")[:2])])
        elif python == ".".join(map(str, sys.version_info[:3])):
            yield sys.executable
        wanted = int(python.split(".")[1])
        minors = sorted(range(OLDEST[1], _NEWEST_MINOR + 1), key=lambda minor: (abs(minor - wanted), minor))
        for minor in minors:
            if minor == sys.version_info[1]:
                yield sys.executable
            if found := shutil.which(f"python3.{minor}"):
                yield found

    def _start(self, command: Sequence[str]) -> str:
        """Start a program; give why it failed, or nothing. What it says goes into the log."""
        try:
            done = subprocess.run(
                command,
                env=self.environment(),
                cwd=self.into.parent,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=_LONGEST,
            )
            said, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired:
            said, code = f"no end within {_LONGEST:g} s", 1
        except OSError as error:
            said, code = str(error), 1
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{said.rstrip()}\n")
        return (_reason(said) or f"exit code {code}") if code else ""


class Uv(Installer):
    """Makes and installs with uv."""

    knows_versions = True

    def __init__(self, program: str, into: Path) -> None:
        super().__init__(into)
        self.program = program

    def environment(self) -> dict[str, str]:
        """As for pip; and who has chosen an index for pip alone has chosen it for uv."""
        found = super().environment()
        found.setdefault("UV_NATIVE_TLS", "true")  # trust the certificates that the system trusts, as pip does
        for theirs, ours, same in _INDEXES:
            if found.get(theirs) and not any(name in found for name in (ours, same)):
                found[ours] = found[theirs]
        return found

    def _making(self, python: str) -> list[str]:
        downloads = ["--no-python-downloads", "--offline"] if self._takes_what_is_here(python) else []
        return [self.program, "venv", "--no-project", *downloads, "--python", python, str(self.into)]

    def _takes_what_is_here(self, python: str) -> bool:
        """Whether no interpreter is downloaded: the recorded patch version is not worth it."""
        return self.offline or self.wheels is not None or python.count(".") > 1

    def _installing(self) -> list[str]:
        offline = ["--offline"] if self.offline or self.wheels else []
        return [self.program, "pip", "install", *offline, "--python", str(self.python)]


class Pip(Installer):
    """Makes and installs with what comes with Python."""

    def _making(self, python: str) -> list[str]:
        return [python, "-m", "venv", str(self.into)]

    def _installing(self) -> list[str]:
        offline = ["--no-index"] if self.offline else []
        words = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", *offline]
        return [str(self.python), *words]


def _reason(said: str) -> str:
    """What of all that an installer said tells why it failed, in one line."""
    lines = [line.strip(" ×│╰─▶├") for line in said.splitlines()]
    lines = [
        line for line in lines if line and not line.startswith(("Using Python", "WARNING:", "warning:", "[notice]"))
    ]
    first = next((place for place, line in enumerate(lines) if re.match(r"(?i)error:", line)), len(lines) - 3)
    chosen = lines[max(first, 0) :]
    return " ".join(" ".join(chosen).split())[:_MOST_SAID]
