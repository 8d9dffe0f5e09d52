"""What a run was made with: exact versions to install again, and everything that was captured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.environments.surroundings import matters, part
from sciflow.package.environments.wheel import sciflow_wheel
from sciflow.package.packaged_run import PackagedRun
from sciflow.report.text import plain
from sciflow.store.layout import RunDirectory
from sciflow.store.results import ATTEMPTS
from sciflow_shim import files
from sciflow_shim.record_reader import RecordGroup, read_record

FORMAT = 1  # of `environments.json`
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_SIMPLE = re.compile(r"[\w@%+=:,./ -]*")  # values of variables that any shell and recipe takes
_OF_CONDA = re.compile(r"[A-Za-z0-9_.!+-]+")


@dataclass(frozen=True)
class LockedEnvironment:
    """The environment that a package can build again.

    Attributes
    ----------
    digest
        Its name; empty where none was captured.
    captured
        All that was.
    versions
        Distribution → version, of those that an index has.
    not_on_index
        Distribution → why it cannot be installed by name and version, of the others.
    variables
        Those that change what numerical programs compute.
    python
        The version of Python; empty where it is not known.
    """

    digest: str = ""
    captured: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    not_on_index: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """The version of Python; empty where it is not known."""
        found = str(part(self.captured, "python").get("version", ""))
        return found if re.fullmatch(r"\d+\.\d+[\w.+]*", found) else ""


def gather_environment(packaged: PackagedRun, contents: Contents) -> LockedEnvironment:
    """Take in exact versions, all that was captured, and the wheel of the sciflow that makes the package.

    The lock is that of the environment in which most attempts were made.
    """
    environments = dict(captured_environments(packaged))
    digest = next(iter(environments), "")
    locked = locked_environment(digest, environments[digest]["captured"] if digest else {})
    document = {
        "format": FORMAT,
        "locked": digest,
        "not_on_index": dict(locked.not_on_index),
        "variables": dict(locked.variables),
        "environments": environments,
    }
    contents.add(layout.ENVIRONMENT_FACTS, _json(document), "everything that was captured of where it ran")
    name, wheel = sciflow_wheel()
    contents.add(f"{layout.WHEELS}/{name}", wheel, "the sciflow that made this package")
    if (here := version("sciflow")) != packaged.manifest["sciflow"]:
        text = f"the run was made by sciflow {packaged.manifest['sciflow']}, and the wheel is that of {here}"
        contents.warnings.append(text)
    if not digest:
        contents.warnings.append("no environment was captured, so that there is nothing to install it from again")
        return locked
    if len(environments) > 1:
        text = f"attempts were made in {len(environments)} environments; the versions are those of most of them"
        contents.warnings.append(text)
    about = "exact versions of what was installed, for `uv pip install -r` and `pip install -r`"
    contents.add(layout.REQUIREMENTS, requirements(locked, environments[digest]["attempts"]).encode(), about)
    if told := conda_file(locked):
        contents.add(layout.CONDA, told.encode(), "the conda environment, with versions and builds")
    if modules := modules_file(locked):
        contents.add(layout.MODULES, modules.encode(), "the modules that were loaded")
    return locked


def captured_environments(packaged: PackagedRun) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name → how many attempts were made in it, on which hosts, and what was captured; that of most attempts first."""
    table = packaged.results.tables.table(ATTEMPTS)
    counts: dict[str, int] = {}
    hosts: dict[str, set[str]] = {}
    if table.count:
        for name, host in zip(table["environment"], table["host"], strict=True):
            if name:
                counts[name] = counts.get(name, 0) + 1
                hosts.setdefault(name, set()).update([host] if host else [])
    found = {name: captured_environment(packaged.run, name) for name in counts}
    for name in sorted(counts, key=lambda name: (not found[name], -counts[name], name)):
        yield name, {"attempts": counts[name], "hosts": sorted(hosts[name]), "captured": found[name]}


def captured_environment(run: RunDirectory, digest: str) -> dict[str, Any]:
    """What was captured of an environment; nothing where its file is not there, as when its capture was cut off."""
    try:
        return _plain(read_record(run / files.environment(digest)))
    except (FileNotFoundError, ValueError):
        return {}


def read_environments(payload: Path) -> dict[str, Any]:
    """What a package says of its environments, as `gather_environment` has written it.

    Parameters
    ----------
    payload
        The folder that holds `package.json`.

    Raises
    ------
    PackageError
        Where the file is not there, cannot be read or is of a newer format.
    """
    path = payload / layout.ENVIRONMENT_FACTS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PackageError(f"the package has no `{layout.ENVIRONMENT_FACTS}`") from None
    except (ValueError, RecursionError) as error:
        raise PackageError(f"`{layout.ENVIRONMENT_FACTS}` cannot be read: {error}") from error
    number = document.get("format") if isinstance(document, dict) else None
    if not isinstance(number, int) or not isinstance(document.get("environments"), dict):
        raise PackageError(f"`{layout.ENVIRONMENT_FACTS}` does not say what it is to say")
    if number > FORMAT:
        text = f"`{layout.ENVIRONMENT_FACTS}` has format {number}, and this sciflow reads up to {FORMAT}"
        raise PackageError(text, hint="install a newer sciflow")
    return document


def recorded_environment(payload: Path) -> dict[str, Any]:
    """What was captured of the environment of which the package's lock is; nothing where none was.

    Raises
    ------
    PackageError
        As for `read_environments`.
    """
    document = read_environments(payload)
    return dict(part(part(part(document, "environments"), str(document.get("locked"))), "captured"))


def locked_environment(digest: str, captured: Mapping[str, Any]) -> LockedEnvironment:
    """Part what was captured into what an index has and what it has not."""
    versions: dict[str, str] = {}
    others: dict[str, str] = {}
    sources = part(captured, "sources")
    for name, told in sorted(part(captured, "distributions").items()):
        if why := _why_not(str(name), str(told), part(sources, str(name))):
            others[one_line(str(name))] = why
        else:
            versions[str(name)] = str(Version(str(told)))
    variables = {name: str(value) for name, value in sorted(part(captured, "variables").items()) if matters(name)}
    return LockedEnvironment(digest, captured, versions, others, variables)


def _why_not(name: str, told: str, source: Mapping[str, Any]) -> str:
    """Why a distribution cannot be had from an index by name and version; empty where it can."""
    if name == "sciflow":
        return f"sciflow itself: its wheel is in `{layout.WHEELS}`"
    url = one_line(str(source.get("url", "")), 500)
    if source.get("version_control"):
        commit = source.get("commit")
        return f"from {source['version_control']}: {source['version_control']}+{url}{f'@{commit}' if commit else ''}"
    if url.startswith("file:"):
        return f"from the folder {url}" + (", as it was at any time" if source.get("editable") else "")
    if url:
        return f"from {url}"
    if not _NAME.fullmatch(name) or canonicalize_name(name) != name:
        return "no index has a distribution of such a name"
    try:
        Version(told)
    except InvalidVersion:
        return "its version is not known" if not told else f"`{one_line(told, 100)}` is no version that an index has"
    return ""


def requirements(locked: LockedEnvironment, attempts: int) -> str:
    """The text of the lock, in which what no index has stands as a comment."""
    system, python = part(locked.captured, "os"), part(locked.captured, "python")
    where = " ".join(str(system[name]) for name in ("system", "machine", "name") if name in system)
    header = [
        f"What was installed where {attempts} attempt{'' if attempts == 1 else 's'} of the run were made:",
        f"{python.get('implementation', 'Python')} {locked.python or '(version not known)'} on {where}.",
        "Install it, from the folder in which this file is, by one of",
        "    uv pip install -r requirements.txt wheels/*.whl",
        "    pip install -r requirements.txt wheels/*.whl",
    ]
    lines = [f"# {one_line(line)}" for line in header]
    recorded = part(locked.captured, "distributions")
    for name in sorted({*locked.versions, *locked.not_on_index}):
        if name in locked.not_on_index:
            told = f"not on an index: {name} {recorded.get(name, '')} ({locked.not_on_index[name]})"
            lines.append(f"# {one_line(told)}")
            continue
        exact = Version(locked.versions[name])
        if exact.local:
            lines.append(f"# {name} was {exact}: built elsewhere, from the sources of this version")
        lines.append(f"{name}=={exact.public}")
    return "\n".join(lines) + "\n"


def conda_file(locked: LockedEnvironment) -> str:
    """The text of `conda.yaml`; empty where there was no conda."""
    conda = part(locked.captured, "conda")
    told = {str(name): str(one) for name, one in part(conda, "packages").items()}
    packages = [
        f"{name}={one}" for name, one in sorted(told.items()) if all(map(_OF_CONDA.fullmatch, [name, *one.split("=")]))
    ]
    if not packages:
        return ""
    by_pip = [f"{name}=={exact}" for name, exact in locked.versions.items() if name not in told]
    document = {
        "name": Path(str(conda.get("environment") or "")).name or "packaged",
        "channels": ["conda-forge", "defaults"],
        "dependencies": [*packages, *([{"pip": by_pip}] if by_pip else [])],
    }
    header = "# From which channel each package came was not captured: add others if some are not found.\n"
    return header + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)


def modules_file(locked: LockedEnvironment) -> str:
    """The text of `modules.txt`, in the order in which they were loaded; empty where none were."""
    found = locked.captured.get("modules")
    names = [str(one) for one in found] if isinstance(found, list) else []
    lines = [f"module load {name}" for name in names if _SIMPLE.fullmatch(name) and " " not in name]
    return "".join(f"{line}\n" for line in lines)


def one_line(text: str, longest: int = 500) -> str:
    """A text as a comment can hold it: without secrets and line breaks, of a bounded length."""
    return " ".join(plain(text, longest).split())


def simple_variables(locked: LockedEnvironment) -> dict[str, str]:
    """The variables that matter and whose values no shell or recipe reads as anything else."""
    return {name: value for name, value in locked.variables.items() if _SIMPLE.fullmatch(value)}


def _plain(group: RecordGroup) -> dict[str, Any]:
    """A group of a record as JSON has it."""
    found: dict[str, Any] = {name: _value(value) for name, value in group.attributes.items()}
    for name, member in group.members.items():
        found[name] = _plain(member) if isinstance(member, RecordGroup) else _value(getattr(member, "value", None))
    return dict(sorted(found.items()))


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode(errors="backslashreplace")
