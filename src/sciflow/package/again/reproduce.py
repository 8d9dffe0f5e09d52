"""A package is run again in a clean place, and what comes of it is compared with what is in the package."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sciflow.assets import bundled, profile_names, user_configuration
from sciflow.errors import PackageError
from sciflow.loading import load_profile
from sciflow.model.document import Document
from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.again.compare import compare_runs
from sciflow.package.again.differences import differences
from sciflow.package.again.environment import How, WantedEnvironment, built, check_here
from sciflow.package.again.recorded import RecordedRun
from sciflow.package.again.rerun import Program, Ran, clean_variables, rerun
from sciflow.package.again.selection import Wanted, chosen, in_words
from sciflow.package.again.tolerances import Tolerances
from sciflow.package.again.verdict import Asked, Package, Verdict
from sciflow.package.again.workplace import Workplace, inside, tasks_without, without_tasks
from sciflow.package.bags.archive import opened
from sciflow.package.bags.bag import MANIFEST
from sciflow.package.checks.verify import whole_package
from sciflow.package.environments.surroundings import differences as surrounding_differences
from sciflow.package.restricted import restricted
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.results import ARRAYS, ENVIRONMENTS, read_tables

Told = Callable[[str], None]
VERDICT = "verdict.json"
RUN_AGAIN = "run-again.yaml"  # what was asked of the workflow, beside it


@dataclass(frozen=True)
class Opened:
    """A package that lies open.

    Attributes
    ----------
    payload
        The folder of its payload.
    digest
        That of the list of its files' checksums, which stays as it is when verdicts are added.
    facts
        Its `package.json`.
    there
        The run in it.
    """

    payload: Path
    digest: str
    facts: Mapping[str, Any]
    there: RecordedRun

    @property
    def environment(self) -> Mapping[str, Any]:
        """The environment that its lock is made of, as it was captured."""
        return self.there.environment(str(self.facts.get("environment") or ""))

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of its attempts."""
        return {name: str(value) for name, value in self.environment.get("variables", {}).items()}

    def import_path(self, folder: Path) -> list[Path]:
        """Where its program finds modules, once the project is laid out in a folder.

        Raises
        ------
        DamagedError
            For a path that would lead out of it.
        """
        return [inside(folder, str(path)) for path in self.facts.get("import_path", ())]


def reproduce(
    package: str | Path,
    into: str | Path | None = None,
    *,
    profile: str = "local",
    sample: int | None = None,
    seed: int = 0,
    combinations: Sequence[Wanted] = (),
    environment: How = "build",
    wheels: str | Path | None = None,
    offline: bool = False,
    allow_different: bool = False,
    tolerances: Tolerances | None = None,
    told: Told = lambda _: None,
) -> Verdict:
    """Run a package again, all of it or a sample, in a clean folder, and compare.

    Parameters
    ----------
    package
        A folder, a ``.zip`` or a ``.tar.gz``. It is not changed.
    into
        The folder in which it is run, which stays: empty, not there yet, or that of an earlier call, with which this
        one then goes on. By default that of the package's file with ``-reproduced``, in the working directory.
    profile
        The cluster profile; with a queue the workflow is submitted and waited for.
    sample, seed
        How many combinations, and by which seed they are drawn; by default all.
    combinations
        Which combinations: each an expression over parameters, or the values of some; one is enough.
    environment
        ``build`` makes the recorded environment anew; ``here`` takes that of sciflow itself, as it is.
    wheels, offline
        A folder of wheels, and whether nothing may be downloaded.
    allow_different
        Go on in an environment that lacks something, or has other versions.
    tolerances
        How much values may differ.
    told
        Hears what is being done, in a few words.

    Raises
    ------
    PackageError
        Where this is no package, the folder is in it or not empty, there is no such combination, or the environment
        cannot be had, or differs and may not.
    DamagedError
        Where the package's bytes are not those that were packed, or it contradicts itself.
    """
    tolerances = tolerances or Tolerances()
    wanted = WantedEnvironment(environment, None if wheels is None else Path(wheels), offline, allow_different)
    named, is_queued = _profile(profile)
    asked = Asked(sample, seed, tuple(map(in_words, combinations)), profile, environment, tolerances.to_document())
    with looked_through(Path(package)) as found:
        tolerances.check(_names(found.there))
        place = Workplace(Path(into or _folder_of(Path(package))), found.digest)
        if place.folder.is_relative_to(Path(package).resolve()):
            text = f"`{place.folder}` lies in the package, which would be damaged by what is written there"
            raise PackageError(text, hint="name a folder outside of it with `--into`")
        place.check()
        some = chosen(found.there, sample, seed, combinations) if sample is not None or combinations else None
        ready = None
        if environment == "here":
            project = place.folder if place.project.is_dir() else found.payload
            ready = check_here(found.environment, found.import_path(project), wanted)
        told(f"laying the project out in {place.folder}")
        place.prepare(found.payload)
        verdict = _blank(found, asked, place)
        workflow = _workflow(found, place, verdict, some)
        if workflow is not None:
            if ready is None:
                told(f"building the environment in {place.environment}")
                ready = built(found.payload, place.environment, wanted)
            verdict.surroundings = ready.differences
            # Where the workflow is, its modules are found anyway, and behind those of sciflow.
            modules = [one for one in found.import_path(place.folder) if one != place.project]
            variables = clean_variables(os.environ, found.variables, ready.python, modules)
            told(f"running {workflow}")
            program = Program(ready.python, workflow, place.folder, named, is_queued, variables)
            _compare(verdict, found, rerun(program, told), tolerances)
    verdict.when = _now()
    verdict.write(place.folder / VERDICT)
    return verdict


@contextmanager
def looked_through(package: Path) -> Iterator[Opened]:
    """A package that lies open, once it is found to be valid, as `sciflow verify` has it.

    Raises
    ------
    PackageError
        Where it is no package, or of a newer format.
    DamagedError
        Where it is not as it was packed, or contradicts itself: what came of it would say nothing of the package.
    """
    with opened(package) as folder:
        facts = whole_package(folder, package)
        payload = folder / layout.PAYLOAD
        run = RunDirectory(payload / layout.RUN)
        yield Opened(payload, content_digest(folder), facts, RecordedRun(run, read_tables(run.results)))


def content_digest(folder: Path) -> str:
    """SHA-256 of the list of a package's checksums, which verdicts that are added to it do not change."""
    added = (f"{layout.PAYLOAD}/{layout.VERDICTS}/", f"{layout.PAYLOAD}/{layout.CRATE}")
    lines = (folder / MANIFEST).read_text(encoding="utf-8").split("\n")
    kept = sorted(line for line in lines if line and not line.split(None, 1)[-1].startswith(added))
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _folder_of(package: Path) -> str:
    """The folder in which a package is run again, named by its file: what a package calls itself may lead anywhere."""
    name = package.resolve().name
    ending = next((one for one in (".zip", ".tar.gz", ".tgz") if name.lower().endswith(one)), "")
    return f"{name[: len(name) - len(ending)]}-reproduced"


def _profile(name: str) -> tuple[str, bool]:
    """A cluster profile as it can be named from anywhere, and whether it has a queue."""
    has_queue = load_profile(name, Path.cwd()).has_queue
    path = Path(name) if name.endswith((".yaml", ".yml")) else profile_names(Path.cwd())[name]
    # The bundled ones and those of the user are found by name from anywhere, each sciflow's own.
    is_own = path.is_relative_to(bundled("cluster_profiles")) or path.is_relative_to(user_configuration())
    return name if is_own else str(path.resolve()), has_queue


def _names(there: RecordedRun) -> list[tuple[str, str]]:
    """Task and name of all values: those of the first completed instance of each task, and all arrays and metrics."""
    found: dict[tuple[str, str], None] = {}
    seen: set[str] = set()
    for key in there:
        if key[0] in seen:
            continue
        instance = there.instance(key)
        if instance.state == State.COMPLETED.value:
            seen.add(instance.task)
            values = there.values(instance)
            found |= dict.fromkeys((instance.task, name) for name in (*values.metrics, *values.results, *values.files))
    tasks = there.tables.facts.get("metric_tasks", {})
    found |= {(task, name.removeprefix(f"{task}.")): None for name, task in tasks.items()}
    arrays = there.tables.table(ARRAYS)
    found |= dict.fromkeys(zip(arrays["task"], arrays["name"], strict=True) if arrays.count else ())
    return list(found)


def _blank(found: Opened, asked: Asked, place: Workplace) -> Verdict:
    facts = found.facts
    package = Package(str(facts["name"]), str(facts["run"]), str(facts["workflow"]), found.digest)
    machine = {"system": platform.system(), "machine": platform.machine(), "python": platform.python_version()}
    return Verdict(package, asked, _now(), machine=machine, folder=place.folder)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _workflow(found: Opened, place: Workplace, verdict: Verdict, some: list[dict[str, Any]] | None) -> Path | None:
    """The workflow that is run: as it is in the package, or what of it is wanted and has its inputs.

    Where there is none, it is None, and the verdict says why.
    """
    workflow = place.folder / layout.WORKFLOW
    if not workflow.is_file():
        verdict.reasons = [*found.facts.get("why_not", ()), f"the package has no `{layout.WORKFLOW}` that could be run"]
        return None
    missing = list(place.fetch(found.facts.get("left_out", ())))
    verdict.reasons = [one.why for one in missing]
    if tasks := tasks_without(missing, found.there.manifest):
        verdict.reasons.append(f"without that, {', '.join(f'`{task}`' for task in tasks)} cannot run")
    if some is None and not tasks:
        return workflow
    document = without_tasks(Document(workflow.read_text(encoding="utf-8"), str(workflow), PackageError).value, tasks)
    if not document["tasks"]:
        return None
    rest = place.project / RUN_AGAIN
    document = document if some is None else restricted(document, some)
    write_whole(rest, json.dumps(document, ensure_ascii=False, indent=1) + "\n")  # which is YAML too
    return rest


def _compare(verdict: Verdict, found: Opened, ran: Ran, tolerances: Tolerances) -> None:
    if ran.why:
        verdict.reasons = [*verdict.reasons, ran.why]
    if ran.run is None:
        return
    here = RecordedRun(ran.run, read_tables(ran.run.results))
    is_sample = verdict.asked.sample is not None or bool(verdict.asked.where)
    verdict.run = ran.run.path
    verdict.comparison = compare_runs(found.there, here, tolerances, is_sample)
    redacted = found.facts.get("redacted", {})
    verdict.differences = differences(found.there, here, is_sample, verdict.comparison.seeds, redacted)
    known = {one.subject: one for one in verdict.surroundings}  # these may say why something could not be installed
    verdict.surroundings = [
        known.get(one.subject, one) for one in surrounding_differences(found.environment, here.environment())
    ]
    verdict.machine = {**verdict.machine, **_machine(here)}


def _machine(here: RecordedRun) -> dict[str, str]:
    """On what kind of machine most attempts were made."""
    table = here.tables.table(ENVIRONMENTS)
    if not table.count:
        return {}
    row = max(range(table.count), key=lambda one: table["attempts"][one] or 0)
    names = {"system": "system", "machine": "machine", "cpu": "cpu_model", "python": "python"}
    return {name: str(table[column][row]) for name, column in names.items() if table[column][row]}
