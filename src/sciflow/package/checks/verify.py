"""A package is checked: every byte, what it promises, what ran, and how the machine here differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sciflow.errors import DamagedError, PackageError
from sciflow.package import layout
from sciflow.package.bags.archive import opened
from sciflow.package.bags.bag import BAGIT
from sciflow.package.checks.code_that_ran import check_code
from sciflow.package.checks.crate import check_crate
from sciflow.package.checks.integrity import check_payload, check_tag_files
from sciflow.package.checks.promises import check_facts, check_promises, document_of, read_facts
from sciflow.package.checks.records import check_records, check_run
from sciflow.package.checks.tables import check_tables
from sciflow.package.checks.verification import Problem, Verification
from sciflow.package.environments.environment import recorded_environment
from sciflow.package.environments.surroundings import differences, present, worst

_MOST_TOLD = 5  # of what is wrong, in one message
_NOT_COMPARED = (
    f"by their digests alone, and not by what they say, were checked: `{layout.README}`, `{layout.REPORT}`, "
    f"`{layout.FIGURES}`, `{layout.CRATE}`, `{layout.REPRODUCE}`, recipes and wheels in `environment`, "
    f"scripts and the shim in `{layout.RUN}`"
)


def verify(path: str | Path, into: Path | None = None) -> Verification:
    """Check a package. Nothing of it is run, and nothing is unpickled.

    Parameters
    ----------
    path
        A folder, a ``.zip`` or a ``.tar.gz``.
    into
        Where an archive is unpacked for the time; else where the system has such places.

    Returns
    -------
    Verification
        The verdict and what it rests on.

    Raises
    ------
    PackageError
        Where there is no package, it cannot be read, or it is of a newer format.
    """
    verification = Verification(str(path))
    try:
        with opened(Path(path), into) as folder:
            verify_folder(folder, verification)
    except DamagedError as error:
        verification.checked("the archive", 1, [Problem("refused", "", error.message)])
    return verification


def verify_folder(folder: Path, verification: Verification) -> None:
    """Check a package that is open already, and compare the machine here with that of the run.

    Parameters
    ----------
    folder
        The package's folder.
    verification
        What was found is added to this.

    Raises
    ------
    PackageError
        Where the folder is no package, or one of a newer format.
    """
    check_package(folder, verification)
    payload = folder / layout.PAYLOAD
    if (payload / layout.ENVIRONMENT_FACTS).is_file():
        _compare_environment(payload, verification)


def check_package(folder: Path, verification: Verification) -> None:
    """Check all that does not depend on where it is checked; as `verify_folder`."""
    payload = folder / layout.PAYLOAD
    if not (folder / BAGIT).is_file() and not payload.is_dir():
        is_payload = (folder / layout.FACTS).is_file()
        way_out = "this is the payload of one: name the folder above it" if is_payload else ""
        raise PackageError(f"`{folder}` is no package: it has neither `{BAGIT}` nor `{layout.PAYLOAD}`", hint=way_out)
    facts = verification.facts = read_facts(payload)
    verification.checked("files of the bag", *check_tag_files(folder))
    verification.checked("files of the package", *check_payload(folder))
    verification.checked("what the package says of itself", *check_facts(folder))
    verification.checked("promises", *check_promises(folder, facts))
    verification.checked("entities of the crate", *check_crate(payload))
    verification.checked("documents of the run", *check_run(payload))
    verification.checked("records", *check_records(payload))
    count, problems, notes = check_code(payload, facts)
    verification.checked("files of the project by the run's own digests", count, problems)
    # What is known to be broken is not collected again, nor given to those who read HDF5.
    run = f"{layout.PAYLOAD}/{layout.RUN}/"
    if not any(problem.path == "" or problem.path.startswith(run) for problem in verification.problems):
        verification.checked("cells of tables by the records", *check_tables(payload, facts))
    verification.notes += [*notes, *_verdicts(payload), _NOT_COMPARED]


def _verdicts(payload: Path) -> Iterator[str]:
    """What those who ran it again say that they have found; nobody can check that here."""
    for path in sorted((payload / layout.VERDICTS).glob("*.json")):
        said = document_of(path)
        asked, instances = said.get("asked"), said.get("instances")
        sample = asked.get("sample") if isinstance(asked, dict) else None
        counts = instances if isinstance(instances, dict) else {}
        what = "all of it" if sample is None else f"a sample of {sample}"
        told = ", ".join(f"{count} {state}" for state, count in counts.items())
        yield f"verdict of {said.get('when', '?')}, on {what}: {said.get('verdict', '?')}{f' ({told})' if told else ''}"


def whole_package(folder: Path, package: str | Path) -> Mapping[str, Any]:
    """What a package that is open says of itself, once it is found to be valid.

    Parameters
    ----------
    folder
        The package's folder.
    package
        What it is called in messages.

    Raises
    ------
    PackageError
        Where the folder is no package, or one of a newer format.
    DamagedError
        Where it is not as it was packed, is incomplete, or contradicts itself.
    """
    verification = Verification(str(package))
    check_package(folder, verification)
    if found := verification.problems:
        told = "; ".join(f"`{one.path}`: {one.why}" if one.path else one.why for one in found[:_MOST_TOLD])
        more = f"; and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        way_out = f"`sciflow verify {package}` says all that is wrong with it"
        raise DamagedError(f"`{package}` is {verification.verdict}: {told}{more}", hint=way_out)
    return verification.facts


def _compare_environment(payload: Path, verification: Verification) -> None:
    """How the machine here differs from the one whose versions are locked: graded, and no reason for a verdict."""
    try:
        recorded = recorded_environment(payload)
    except PackageError as error:
        place = f"{layout.PAYLOAD}/{layout.ENVIRONMENT_FACTS}"
        verification.checked("environments", 1, [Problem("unreadable", place, error.message)])
        return
    found = differences(recorded, present()) if recorded else []
    verification.environment = {
        "compared": bool(recorded),
        "grade": worst(found),
        "differences": [one.to_document() for one in found],
    }
