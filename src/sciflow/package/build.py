"""A package is made: everything is gathered, written beside its place, checked into a bag, and put there whole."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.errors import PackageError
from sciflow.execution import Run, open_run
from sciflow.package.bags.archive import check_target, is_archive, is_bag, require_space, write_archive
from sciflow.package.bags.bag import make_bag, name_problem
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.crate.attempts import gather_attempts
from sciflow.package.crate.write import write_crate
from sciflow.package.environments.environment import gather_environment
from sciflow.package.environments.recipes import gather_recipes
from sciflow.package.facts import facts_of_package, state_of
from sciflow.package.gathered.inputs import gather_inputs
from sciflow.package.gathered.instructions import gather_instructions
from sciflow.package.gathered.kept_files import gather_kept_digests
from sciflow.package.gathered.licences import doubts_of
from sciflow.package.gathered.names import doubts_of_names
from sciflow.package.gathered.people import People, author_of, gather_people
from sciflow.package.gathered.pictures import gather_pictures, gather_tables
from sciflow.package.gathered.project import gather_project
from sciflow.package.gathered.run_files import LARGEST, gather_run_files
from sciflow.package.gathered.workflow_document import gather_workflow
from sciflow.package.layout import FACTS, PROJECT, README, REPRODUCE
from sciflow.package.opened_run import checked_name, default_name, named, opened_run
from sciflow.package.packaged_run import PackagedRun
from sciflow.package.secrets.cleaning import (
    refuse_secret_parameters,
)
from sciflow.package.written import size_of, write_files
from sciflow.report.facts import Facts
from sciflow.results import Results
from sciflow.store.layout import RunDirectory, read_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Told = Callable[[str], None]
_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to have in a package beyond what every package has.

    Attributes
    ----------
    with_figures
        Whether figures are drawn.
    largest
        Bytes above which an input or a result file is left out, and its digest told instead.
    authors, license
        As `sciflow.package.gathered.people.gather_people` takes them.
    """

    with_figures: bool = True
    largest: int = LARGEST
    authors: tuple[str, ...] = ()
    license: str = ""


class Package:
    """A package of a run, which is made when it is exported.

    Parameters
    ----------
    run
        The run.
    name
        The package's name.
    wish
        What it is to hold.

    Attributes
    ----------
    state
        How complete the run was when the package was made, as `sciflow.package.facts.state_of` gives it.
    """

    def __init__(self, run: RunDirectory, name: str, wish: Wish) -> None:
        self.run = run
        self.name = name
        self.wish = wish
        self.state: dict[str, Any] = {}
        self.contents: Contents | None = None

    def __repr__(self) -> str:
        return f"<Package {self.name} of run {self.run.run_id}>"

    @property
    def left_out(self) -> list[LeftOut]:
        """What belongs to the run and is not in the package; known once it was exported."""
        return list(self.contents.left_out) if self.contents else []

    @property
    def warnings(self) -> list[str]:
        """What there is to say about the package; known once it was exported."""
        return list(self.contents.warnings) if self.contents else []

    def export(self, target: str | Path, *, overwrite: bool = False, told: Told = lambda _: None) -> Path:
        """Write the package: one file, or a folder.

        The run is read as it is now, and not changed. The same run gives the same bytes, whoever exports it and where.

        Parameters
        ----------
        target
            Where to. A name that ends in ``.zip`` or ``.tar.gz`` is that of the file. A folder that is there, or a name
            that ends in a slash, gets the file ``<name>.zip``, unless that folder is a package itself. Any other name
            is that of a new folder, which is the package.
        overwrite
            Whether a package that is there already is replaced.
        told
            Hears what is being done, in a few words.

        Returns
        -------
        pathlib.Path
            Where the package is.

        Raises
        ------
        PackageError
            Where something is there already, the place is in the run or in another package, the ending is that of an
            archive that sciflow does not write, or the disk is too small: before anything is written.
        RunError
            Where the run directory is damaged or of a newer format.
        """
        if not str(target).strip():
            raise PackageError(f"`{target}` names no file", hint="name a `.zip`, a `.tar.gz`, or a folder")
        place = _place(Path(target), str(target).endswith("/"), self.name)
        check_target(place, overwrite=overwrite)
        if is_bag(place.parent):
            hint = "name a place outside of it, or replace it: `--overwrite`, or `overwrite=True` in Python"
            raise PackageError(f"`{place}` lies in a package, which would be damaged by it", hint=hint)
        if place.resolve().is_relative_to(self.run.path):
            raise PackageError(f"`{place}` lies in the run that is packaged", hint="name a place outside of it")
        with opened_run(self.run, self.name) as packaged:
            told("reading the run")
            gathered = gather(packaged, self.wish, told)
            _check_room(gathered.contents, place)
            _write(gathered, place, overwrite, told)
            self.state = state_of(packaged)
        self.contents = gathered.contents
        return place


def create_package(
    run: Run | Results | RunDirectory | str | Path | None = None,
    name: str | None = None,
    *,
    runs: str | Path | None = None,
    with_figures: bool = True,
    largest: int = LARGEST,
    authors: Sequence[str] = (),
    license: str = "",
) -> Package:
    """Prepare a package of a run; `Package.export` makes it.

    Parameters
    ----------
    run
        The run, its results, its directory, its id, or ``latest``, which is the default. It may be anywhere, also
        where nothing can be written, and in any state.
    name
        The package's name, which is that of the folder in its archive; by default that of the workflow and the run.
    runs
        The folder of all runs.
    with_figures
        Whether figures are drawn.
    largest
        Bytes above which an input or a result file is left out, and its digest told instead.
    authors
        ``Ada Lovelace <ada@example.org> (0000-0002-1825-0097)``; address and ORCID may be left out. By default those
        of the workflow's `metadata`, the project's ``CITATION.cff`` or ``pyproject.toml``.
    license
        The licence by SPDX's name, such as ``CC-BY-4.0``; by default as for the authors, or by the text of the
        project's ``LICENSE``.

    Raises
    ------
    RunError
        Where there is no such run.
    PackageError
        For a name that no folder can have, or an author that cannot be read.
    """
    if isinstance(run, Run):
        directory = run.directory
    elif isinstance(run, Results):
        directory = run.run
    else:
        directory = run if isinstance(run, RunDirectory) else open_run(run, runs).directory
    for one in authors:
        author_of(one)
    if isinstance(largest, bool) or not isinstance(largest, int) or largest < 0:
        raise PackageError(f"`{largest}` is no size in bytes")
    wish = Wish(with_figures, largest, tuple(authors), license)
    directory = named(directory, read_document(directory.manifest))
    return Package(directory, checked_name(default_name(directory) if name is None else name), wish)


@dataclass(frozen=True)
class Gathered:
    """What goes into a package: its files, who made it, what its report says, and how it is run again."""

    packaged: PackagedRun
    contents: Contents
    people: People
    facts: Facts
    how: dict[str, Any]


def gather(packaged: PackagedRun, wish: Wish, told: Told = lambda _: None) -> Gathered:
    """All that goes into a package but what is made of what is there: the crate's metadata and the bag."""
    contents = Contents()
    _refuse_secret_parameters(packaged)
    told("gathering the files of the run")
    gather_run_files(packaged, contents, wish.largest)
    gather_kept_digests(packaged, contents)
    told("gathering the environment")
    locked = gather_environment(packaged, contents)
    gather_recipes(packaged, contents, locked)
    told("gathering the project and its inputs")
    project = gather_project(packaged, contents)
    lacking = gather_inputs(packaged, contents, project, wish.largest)
    again = gather_workflow(packaged, contents, project)
    again = again._replace(why_not=(*again.why_not, *lacking))
    how = {"environment": locked.digest, **again.to_document(project)}
    told("gathering tables, figures and the report" if wish.with_figures else "gathering tables and the report")
    gather_tables(packaged, contents)
    gather_attempts(packaged, contents)
    facts = gather_pictures(packaged, contents, wish.with_figures)
    people = gather_people(packaged, contents, wish.authors, wish.license)
    contents.warnings.extend(doubts_of(people.license))
    _leave_out_bad_names(contents)
    contents.warnings.extend(doubts_of_names(contents.entries))
    return Gathered(packaged, contents, people, facts, how)


def _place(target: Path, is_folder: bool, name: str) -> Path:
    """The file, or the new folder, that a target means; a folder that is a package already means itself."""
    if is_bag(target):
        return target
    return target / f"{name}.zip" if is_folder or (target.is_dir() and not is_archive(target)) else target


def _leave_out_bad_names(contents: Contents) -> None:
    """Leave out files whose names a bag cannot have: users' programs name files as they like."""
    for path in list(contents.entries):
        if why := name_problem(path):
            entry = contents.entries.pop(path)
            contents.left_out.append(LeftOut(path, path.partition("/")[2], why, size_of(entry)))


def _refuse_secret_parameters(packaged: PackagedRun) -> None:
    """Refuse a run whose parameters hold secrets: they stand in all records."""
    table = packaged.results.tables.combinations
    axes = {name: set(map(str, table[name])) for name in packaged.results.parameters if name in table}
    refuse_secret_parameters(axes, {task: one["parameters"] for task, one in packaged.manifest["tasks"].items()})


def _check_room(contents: Contents, place: Path) -> None:
    """Refuse a disk that cannot hold the files, and the archive beside them."""
    sizes = map(size_of, contents.entries.values())
    copies = 2 if is_archive(place) else 1
    require_space(_existing(place), copies * sum(sizes), place)


def _existing(place: Path) -> Path:
    """The nearest folder around a place that is there."""
    return next(folder for folder in place.absolute().parents if folder.is_dir())


def _write(gathered: Gathered, place: Path, overwrite: bool, told: Told) -> None:
    packaged, contents = gathered.packaged, gathered.contents
    around = _existing(place)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", suffix=".partial", dir=around) as beside:
            folder = Path(beside, packaged.name)
            told(f"writing {len(contents.entries)} files")
            redacted = write_files(contents, folder)
            _tell_redacted_code(contents, redacted)
            # These tell of what was written, and of what turned out to hold secrets.
            gather_instructions(packaged, contents, gathered.people, gathered.facts, gathered.how, redacted)
            redacted |= write_files(contents, folder, (README, REPRODUCE))
            text = facts_of_package(packaged, contents, folder, redacted, gathered.how)
            contents.add(FACTS, text, "what is in the package, what was left out and why, and how it is run again")
            write_files(contents, folder, (FACTS,))
            told("describing it for machines")
            write_crate(packaged, contents, folder, gathered.people)
            told("computing checksums")
            make_bag(folder, _bag_info(gathered), packaged.when)
            told(f"writing {place}")
            write_archive(folder, place, packaged.when, overwrite=overwrite)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
        what = f"`{error.filename}` is refused: {error.strerror}" if error.filename else error.strerror
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some space, or choose a place on another disk" if is_full else ""
        raise PackageError(f"`{place}` cannot be written: {what}", hint=hint) from error


def _tell_redacted_code(contents: Contents, redacted: Mapping[str, int]) -> None:
    code = [path for path in redacted if path.startswith(f"{PROJECT}/")]
    if code:
        text = f"secrets were taken out of the project's code, which may need them to run again: {', '.join(code)}"
        contents.warnings.append(text)


def _bag_info(gathered: Gathered) -> dict[str, str]:
    packaged, people = gathered.packaged, gathered.people
    info = {
        "External-Identifier": packaged.name,
        "External-Description": f"Run {packaged.run.run_id} of the workflow {packaged.plan.workflow}",
        "Contact-Name": ", ".join(one.name for one in people.authors),
    }
    return {name: text for name, text in info.items() if text}
