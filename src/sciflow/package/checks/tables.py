"""Whether tables, counts and the lock follow from the records: they are made again, and compared cell by cell."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sciflow.errors import PackageError, SciflowError
from sciflow.package import layout
from sciflow.package.checks.records import BROKEN
from sciflow.package.checks.result_files import check_result_files
from sciflow.package.checks.verification import Problem
from sciflow.package.checks.workflow import check_workflow
from sciflow.package.contents import Contents
from sciflow.package.crate.attempts import gather_attempts
from sciflow.package.environments.environment import captured_environments, locked_environment, read_environments
from sciflow.package.environments.environment import requirements as requirements_of
from sciflow.package.facts import state_of
from sciflow.package.gathered.pictures import gather_tables
from sciflow.package.opened_run import opened_run
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import RunDirectory
from sciflow.store.results import ARRAYS, ATTEMPTS, COMBINATIONS, ENVIRONMENTS, INSTANCES, METRICS, Tables, read_tables
from sciflow_shim import files
from sciflow_shim.redaction import REDACTED

_RESULTS = f"{layout.PAYLOAD}/{layout.RUN}/{files.RESULTS}"
_FACTS = f"{layout.PAYLOAD}/{layout.FACTS}"
_ENVIRONMENTS = f"{layout.PAYLOAD}/{layout.ENVIRONMENT_FACTS}"


def check_tables(payload: Path, facts: Mapping[str, Any]) -> tuple[int, list[Problem]]:
    """Collect the run of a package again, elsewhere, and compare what follows from it with what the package says.

    Returns
    -------
    tuple
        How many cells were compared, and what is another one.
    """
    try:
        with opened_run(RunDirectory(payload / layout.RUN), "verified") as packaged:
            count, problems = _of_results(packaged, payload)
            for path, gather in ((layout.TABLE, gather_tables), (layout.ATTEMPTS, gather_attempts)):
                contents = Contents()
                gather(packaged, contents)
                more, found = _of_csv(payload / path, bytes(contents.entries[path].source), path)
                count, problems = count + more, problems + found
            problems += _of_state(packaged, facts)
            problems += check_workflow(packaged, payload)
            problems += check_result_files(packaged, payload, facts)
            problems += _of_environment(packaged, payload, facts)
    except (SciflowError, *BROKEN) as error:
        text = error.message if isinstance(error, SciflowError) else f"{type(error).__name__}: {error}"
        return 0, [Problem("unreadable", f"{layout.PAYLOAD}/{layout.RUN}", f"it cannot be collected again: {text}")]
    return count, problems


def _of_results(packaged: PackagedRun, payload: Path) -> tuple[int, list[Problem]]:
    try:
        told = read_tables(payload / layout.RUN / files.RESULTS)
        made = packaged.results.tables
        names = [COMBINATIONS, INSTANCES, ATTEMPTS, ENVIRONMENTS, ARRAYS]
        names += [f"{METRICS}/{task}" for task in packaged.plan.tasks]
        count, wrong = 0, [
            f"it says `{name}` {_shown(told.facts.get(name))}, and by the records it is {_shown(value)}"
            for name, value in json.loads(json.dumps(made.facts)).items()
            if name in ("run", "workflow", "parameters", "metrics", "combinations", "completed", "states", "units")
            and told.facts.get(name) != value
        ]  # fmt: skip
        for name in names:
            more, found = _of_table(name, told, made)
            count, wrong = count + more, wrong + found
    except (SciflowError, *BROKEN) as error:
        return 0, [Problem("unreadable", _RESULTS, str(error))]
    return count, [Problem("contradiction", _RESULTS, _first(wrong))] if wrong else []


def _of_table(name: str, told: Tables, made: Tables) -> tuple[int, list[str]]:
    there, here = told.table(name), made.table(name)
    if there.count != here.count or set(there) != set(here):
        if there.count != here.count:
            return 0, [f"its table `{name}` has {there.count} rows, and by the records there are {here.count}"]
        other = sorted(set(there) ^ set(here))
        return 0, [f"its table `{name}` has other columns than follow from the records: {', '.join(other)}"]
    wrong = []
    for column in here:
        for row, (one, other) in enumerate(zip(there[column], here[column], strict=True)):
            if one != other and not (one != one and other != other):  # NaN is not even the same as itself
                where = f"its table `{name}`, column `{column}`, row {row + 1}"
                wrong.append(f"{where}, says {_shown(one)}, and by the records it is {_shown(other)}")
                break
    return here.count * len(here), wrong


def _of_csv(path: Path, made: bytes, name: str) -> tuple[int, list[Problem]]:
    """A table for people, cell by cell."""
    place = f"{layout.PAYLOAD}/{name}"
    try:
        there = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    except FileNotFoundError:
        return 0, []  # which the promises tell
    except (ValueError, OSError, csv.Error) as error:
        return 0, [Problem("unreadable", place, str(error))]
    here = list(csv.reader(io.StringIO(made.decode(), newline="")))
    if there[:1] != here[:1]:
        return 0, [Problem("contradiction", place, f"its columns are not {', '.join(f'`{one}`' for one in here[0])}")]
    wrong = []
    if len(there) != len(here):
        wrong.append(f"it has {len(there) - 1} rows, and by the records there are {len(here) - 1}")
    for row, (one, other) in enumerate(zip(there, here, strict=False)):
        if len(one) != len(other):
            wrong.append(f"row {row} has {len(one)} cells")
        for column, cell, wanted in zip(here[0], one, other, strict=False):
            if not _is_same(cell, wanted):
                wrong.append(f"column `{column}`, row {row}, says `{cell}`, and by the records it is `{wanted}`")
    problems = [Problem("contradiction", place, _first(wrong))] if wrong else []
    return len(here) * len(here[0]), problems


def _is_same(cell: str, wanted: str) -> bool:
    """Whether two cells say the same, with numbers as numbers, and but for secrets that were taken out."""
    if cell == wanted or (REDACTED in cell and REDACTED not in wanted):
        return True
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False


def _of_state(packaged: PackagedRun, facts: Mapping[str, Any]) -> list[Problem]:
    wrong = []
    told = {name: facts[name] for name in ("run", "workflow", "created") if name in facts}
    wanted: dict[str, Any] = {name: packaged.manifest[name] for name in told}
    told |= {f"state.{name}": value for name, value in facts.get("state", {}).items()}
    wanted |= {f"state.{name}": value for name, value in state_of(packaged).items()} if "state" in facts else {}
    for name, value in wanted.items():
        if told.get(name) != value:
            wrong.append(f"it says `{name}` {_shown(told.get(name))}, and by the run it is {_shown(value)}")
    return [Problem("contradiction", _FACTS, _first(wrong))] if wrong else []


def _of_environment(packaged: PackagedRun, payload: Path, facts: Mapping[str, Any]) -> Iterator[Problem]:
    """What was captured, and the lock that was made of it."""
    try:
        told = read_environments(payload)
    except PackageError:
        return  # which others tell
    captured = dict(captured_environments(packaged))
    made = json.loads(json.dumps(captured))
    for name in sorted({*made, *told["environments"]}):
        path = packaged.run / files.environment(name)
        if path.is_file() and not captured.get(name, {}).get("captured"):
            yield Problem(
                "unreadable", f"{layout.PAYLOAD}/{layout.RUN}/{files.environment(name)}", "no record is in it"
            )
        elif made.get(name) != told["environments"].get(name) and layout.ENVIRONMENT_FACTS not in facts["redacted"]:
            why = f"what it says of the environment `{name}` is not what the run has recorded"
            yield Problem("contradiction", _ENVIRONMENTS, why)
    locked = next(iter(captured), "")
    if told.get("locked") != locked or facts.get("environment") != locked:
        why = f"the lock is that of `{told.get('locked')}`, and most attempts were made in `{locked}`"
        yield Problem("contradiction", _ENVIRONMENTS, why)
    elif locked and (payload / layout.REQUIREMENTS).is_file():
        lock = locked_environment(locked, captured[locked]["captured"])
        here = _pins(requirements_of(lock, captured[locked]["attempts"]))
        there = _pins((payload / layout.REQUIREMENTS).read_text(encoding="utf-8", errors="replace"))
        if here != there:
            first = min({*here} ^ {*there})
            why = f"`{first}` is {'not what the run had' if first in there else 'what the run had, and is not in it'}"
            yield Problem("contradiction", f"{layout.PAYLOAD}/{layout.REQUIREMENTS}", why)


def _pins(text: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return sorted(line for line in lines if line)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _first(wrong: Sequence[str], most: int = 3) -> str:
    more = f"; and {len(wrong) - most} more" if len(wrong) > most else ""
    return "; ".join(wrong[:most]) + more
