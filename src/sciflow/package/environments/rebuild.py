"""Builds the environment of a package again: what its lock names, and nothing else that its files say."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.environments.environment import read_environments, recorded_environment
from sciflow.package.environments.installers import Installer, installer
from sciflow.package.environments.surroundings import MISSING, Difference, differences

MOST_ATTEMPTS = 48  # to find out which distributions cannot be installed
_MOST_TOLD = 12
# Of these the run needs none, unless its code does: that they cannot be had is a difference, and no error.
_INSTALLERS = frozenset({"pip", "setuptools", "uv", "wheel"})
_LARGEST_LOCK = 4_000_000  # bytes


@dataclass(frozen=True)
class Built:
    """An environment that was built.

    Attributes
    ----------
    python
        Its interpreter.
    log
        What was started for it, and what that said.
    differences
        How it differs from the recorded one, in Python and what is installed; the worst first.
    not_installed
        Distribution → why it is not in it, of those that the lock names.
    """

    python: Path
    log: Path
    differences: Sequence[Difference] = ()
    not_installed: Mapping[str, str] = field(default_factory=dict)


def build_environment(
    package_folder: Path,
    into: Path,
    *,
    wheels: Path | None = None,
    offline: bool = False,
    python: str | None = None,
    allow_different: bool = False,
    build_sources: bool = False,
) -> Built:
    """Make a virtual environment and install what the package's lock names, and the package's wheels.

    `uv` does it where it is there, else `venv` and `pip`; which indexes they ask is as the user has set it up for
    them. No code of the package is run but what is installed, and that of sources only with `build_sources`.

    Parameters
    ----------
    package_folder
        The package, or its payload.
    into
        A folder that is not there yet; beside it comes the log, with ``.log`` after its name.
    wheels
        A folder of wheels: all comes from there, and no index is asked.
    offline
        Whether nothing is downloaded: uv takes what it has kept from earlier, pip what `wheels` has.
    python
        The version or the path of the interpreter; by default the recorded version, or the nearest that is there.
    allow_different
        Whether it goes on when something cannot be installed.
    build_sources
        Whether what has no wheel is built from its sources, which runs their code.

    Returns
    -------
    Built
        The interpreter, and how the environment differs from the recorded one.

    Raises
    ------
    PackageError
        Where the lock holds anything but names and versions, no Python is there, or something cannot be installed
        and that is not allowed; nothing is left behind then but the log.
    """
    payload = package_folder / layout.PAYLOAD
    payload = payload if payload.is_dir() else package_folder
    document, recorded = read_environments(payload), recorded_environment(payload)
    wanted, own = read_lock(payload / layout.REQUIREMENTS), _own_wheels(payload / layout.WHEELS)
    if wheels is not None and not wheels.is_dir():
        raise PackageError(f"`{wheels}` is no folder of wheels")
    if into.exists():
        raise PackageError(f"`{into}` is there already", hint="name a folder that is not there yet")
    into.parent.mkdir(parents=True, exist_ok=True)
    tool = installer(into, wheels, offline=offline, build_sources=build_sources)
    tool.built_anyway = frozenset(_needed_by_sciflow())
    try:
        tool.make(python or _recorded_python(recorded))
        missing = _install(tool, wanted, own)
        if not allow_different:
            _refuse(
                {name: why for name, why in missing.items() if name not in _INSTALLERS}, tool, _way_out(offline, wheels)
            )
    except BaseException:
        shutil.rmtree(into, ignore_errors=True)
        raise
    found = differences(_installed(recorded), tool.installed())
    return Built(tool.python, tool.log, [_with_reason(one, missing, document) for one in found], missing)


def read_lock(path: Path) -> dict[str, str]:
    """Distribution → version, from the lock of a package; nothing where there is none.

    The file is a stranger's: it may name versions, and say nothing to pip or uv.

    Raises
    ------
    PackageError
        For a line that is no comment and not ``name==version``.
    """
    try:
        if path.stat().st_size > _LARGEST_LOCK:
            raise PackageError(f"`{layout.REQUIREMENTS}` is larger than any list of versions")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise PackageError(f"`{layout.REQUIREMENTS}` is no text: {error}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, version = _requirement(line.strip(), number)
        if found.setdefault(name, version) != version:
            raise PackageError(f"line {number} of `{layout.REQUIREMENTS}` names another version of `{name}` again")
    return found


def _requirement(line: str, number: int) -> tuple[str, str]:
    try:
        asked = Requirement(line)
        specifiers = list(asked.specifier)
        if len(specifiers) == 1 and specifiers[0].operator == "==" and not (asked.url or asked.extras or asked.marker):
            return canonicalize_name(asked.name), str(Version(specifiers[0].version))
    except (InvalidRequirement, InvalidVersion):
        pass
    raise PackageError(
        f"line {number} of `{layout.REQUIREMENTS}` is not `name==version`: `{line[:200]}`",
        hint="options, addresses and paths are not taken from a package: install them by hand if you trust it",
    )


def _own_wheels(folder: Path) -> list[Path]:
    """The wheels of the package.

    Raises
    ------
    PackageError
        For a file whose name is not that of a wheel.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in found:
        try:
            parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise PackageError(f"`{layout.WHEELS}/{path.name}` is no wheel") from error
    return [path.resolve() for path in found]


def _recorded_python(recorded: Mapping[str, Any]) -> str:
    """The recorded version of Python, of numbers only; that which runs where none was recorded."""
    facts = recorded.get("python")
    version = str(facts.get("version", "")) if isinstance(facts, Mapping) else ""
    found = re.match(r"3\.\d{1,3}(?:\.\d{1,3})?(?=\D|$)", version)
    return found[0] if found else ".".join(map(str, sys.version_info[:3]))


def _install(tool: Installer, wanted: Mapping[str, str], own: Sequence[Path]) -> dict[str, str]:
    """Install everything, and find what cannot be: distribution → why.

    The lock is complete, so that nothing is looked up beyond it; only the package's own wheels may need more.
    """
    missing: dict[str, str] = {}
    attempts = 0
    parts = [[f"{name}=={version}" for name, version in wanted.items()]] if wanted else []
    while parts:
        part = parts.pop()
        attempts += 1
        said = tool.install(part, with_needed=False)
        if said and len(part) > 1 and attempts < MOST_ATTEMPTS:
            half = len(part) // 2
            parts += [part[half:], part[:half]]
        elif said:
            missing.update({one.partition("==")[0]: said for one in part})
    # What sciflow needs is known to be no stranger's choice, so that it may be built: not all of it has wheels.
    needed = [asked for name, asked in _needed_by_sciflow().items() if name not in wanted] if own else []
    if needed:
        tool.install(needed, with_needed=False)  # where that fails, so does the next, and tells why
    for path in own:
        if said := tool.install([str(path)], with_needed=True):
            missing[path.name] = said
    return missing


def _needed_by_sciflow() -> dict[str, str]:
    """Name → requirement, of what the sciflow that is running needs by its own metadata."""
    asked = [Requirement(one) for one in metadata.requires("sciflow") or []]
    return {
        str(canonicalize_name(one.name)): f"{one.name}{one.specifier}"
        for one in asked
        if one.marker is None or one.marker.evaluate({"extra": ""})
    }


def _installed(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recorded environment is built again: that of Python."""
    return {name: recorded[name] for name in ("python", "distributions") if name in recorded}


def _with_reason(one: Difference, missing: Mapping[str, str], document: Mapping[str, Any]) -> Difference:
    if one.grade != MISSING:
        return one
    name = one.subject.removeprefix("distribution ")
    reasons = document.get("not_on_index")
    why = missing.get(name) or (str(reasons.get(name, "")) if isinstance(reasons, Mapping) else "")
    return Difference(
        one.subject, one.grade, one.recorded, one.present, f"{one.affects} ({why})" if why else one.affects
    )


def _refuse(missing: Mapping[str, str], tool: Installer, way_out: str) -> None:
    if not missing:
        return
    shown = [f"  {name}: {why}" for name, why in list(missing.items())[:_MOST_TOLD]]
    if len(missing) > _MOST_TOLD:
        shown.append(f"  … and {len(missing) - _MOST_TOLD} more")
    count = f"{len(missing)} distribution{'' if len(missing) == 1 else 's'}"
    first = f"{count} of the package cannot be installed; all that was said is in `{tool.log}`"
    raise PackageError("\n".join([first, *shown]), hint=way_out)


def _way_out(offline: bool, wheels: Path | None) -> str:
    where = "put their wheels into that folder" if wheels else "name a folder of their wheels"
    return ", or ".join(filter(None, (where, "let it download" if offline else "", "allow a different environment")))
