"""A package is checked: every byte, what it promises, what ran, and how the machine here differs."""

from __future__ import annotations

from pathlib import Path

from sciflow.errors import DamagedError, PackageError
from sciflow.package import layout
from sciflow.package.bags.archive import opened
from sciflow.package.bags.bag import BAGIT
from sciflow.package.checks.code_that_ran import check_code
from sciflow.package.checks.integrity import check_payload, check_tag_files
from sciflow.package.checks.promises import check_promises, check_records, check_run, read_facts
from sciflow.package.checks.verification import Problem, Verification
from sciflow.package.environments.environment import recorded_environment
from sciflow.package.environments.surroundings import differences, present, worst
from sciflow_shim import files


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
    """Check a package that is open already.

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
    payload = folder / layout.PAYLOAD
    if not (folder / BAGIT).is_file() and not payload.is_dir():
        raise PackageError(f"`{folder}` is no package: it has neither `{BAGIT}` nor `{layout.PAYLOAD}`")
    facts = verification.facts = read_facts(payload)
    count, problems = check_tag_files(folder)
    verification.checked("files of the bag", count, problems)
    verification.checked("files of the package", *check_payload(folder))
    verification.checked("documents of the run", *check_run(payload))
    verification.checked("promises", *check_promises(payload, facts))
    # What is known to be damaged is not given to those who read HDF5.
    damaged = {problem.path for problem in verification.problems}
    if f"{layout.PAYLOAD}/{layout.RUN}/{files.RESULTS}" not in damaged:
        verification.checked("records of completed task instances", *check_records(payload, facts))
    count, problems, notes = check_code(payload, facts)
    verification.checked("files of the project by the run's own digests", count, problems)
    verification.notes += notes
    if (payload / layout.ENVIRONMENT_FACTS).is_file():
        _compare_environment(payload, verification)


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
