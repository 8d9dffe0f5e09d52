"""What a person reads and types who has a package, and may never have heard of sciflow."""

from __future__ import annotations

import html
import json
import math
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import jinja2

from sciflow import assets
from sciflow.analysis.overview import Extreme
from sciflow.errors import TemplateError
from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.facts import state_of
from sciflow.package.gathered.by_hand import call_by_hand, moved_folders
from sciflow.package.gathered.people import People
from sciflow.package.packaged_run import PackagedRun
from sciflow.report.facts import Facts, ParameterFacts
from sciflow.report.methods import methods_of
from sciflow.report.text import counted, plain, value_text
from sciflow.store.layout import read_document
from sciflow_shim import files

OLDEST_PYTHON = "3.10"  # on which sciflow runs
_MOST_LEFT_OUT = 20
_SHOWN = 2  # the index by which it is explained what an index is
_LONGEST = 300  # characters of a cell
_PLACES: Mapping[str, str] = {  # in the order in which a person looks
    layout.TABLE: "the results as a table",
    layout.REPORT: "the results in a browser",
    f"{layout.FIGURES}/": "figures, as pixels and as vectors",
    f"{layout.PROJECT}/": "the code that was run, and the workflow in `packaged-workflow.yaml`",
    "environment/": "versions of everything that was installed, and recipes for containers",
    f"{layout.RUN}/manifest.json": "what was asked: workflow, parameters, versions, commit",
    f"{layout.RUN}/plan.json": "what that came to: job arrays, their order and what they asked for",
    f"{layout.RUN}/scripts/": "the job scripts that ran, and the templates they were made of",
    f"{layout.RUN}/arrays/": "one line for each index of a job array: its parameters, and its command",
    f"{layout.RUN}/records/": "one HDF5 file for each attempt: parameters, results, resources used, errors",
    f"{layout.RUN}/sealed/": "the same, many in one zip",
    f"{layout.RUN}/logs/": "what was printed",
    f"{layout.RUN}/work/": "files that are results",
    f"{layout.RUN}/journal.jsonl": "what happened, in order",
    f"{layout.RUN}/results.h5": "all tables in one HDF5 file",
    layout.LICENSE: "under which terms it may be used",
    layout.CITATION: "how it is cited",
    layout.FACTS: "what is in here and what is not, for programs",
    layout.CRATE: "the same and where it comes from, as RO-Crate has it",
}


def gather_instructions(
    packaged: PackagedRun,
    contents: Contents,
    people: People,
    facts: Facts,
    how: Mapping[str, Any],
    redacted: Mapping[str, int],
) -> None:
    """Take in `README.md` and `reproduce.sh`; after everything else was gathered.

    Parameters
    ----------
    people
        Who made it.
    facts
        What its report says.
    how
        How it is run again: `reproducible`, and `why_not`, which says what stands against it.
    redacted
        Path → how many secrets were taken out of it.

    Raises
    ------
    TemplateError
        Where a template is missing, or cannot be rendered.
    """
    told = {**_told(packaged, contents, people, facts, how), "redacted": sum(redacted.values())}
    contents.add(layout.README, _rendered("package/README.md.j2", packaged, told), "what this is, for people")
    script = {"python": OLDEST_PYTHON, "wheels": layout.WHEELS, "version": version("sciflow")}
    contents.add(layout.REPRODUCE, _rendered("package/reproduce.sh.j2", packaged, script), "runs all of it again")


def _told(
    packaged: PackagedRun, contents: Contents, people: People, facts: Facts, how: Mapping[str, Any]
) -> dict[str, Any]:
    state, arrays = state_of(packaged), list(_arrays(packaged, how.get("import_path", ())))
    return {
        "name": packaged.name,
        "title": people.title,
        "description": people.description,
        "made": _made(packaged, people, facts),
        "lacks": list(_lacks(state, facts)),
        "computed": _computed(state),
        "parameters": [{"name": one.name, "levels": one.values, "part": _part(one)} for one in facts.parameters],
        "tasks": [
            {
                "name": one.name,
                "does": one.does if one.does != "function" else _function(packaged, one.name)[0],
                "after": one.after,
                "total": one.total,
                "completed": one.states.get(State.COMPLETED, 0),
            }
            for one in facts.tasks
        ],
        "methods": methods_of(packaged.results, packaged.results.observations).to_markdown(),
        "metrics": list(_metrics(facts)),
        "has_figures": any(path.startswith(f"{layout.FIGURES}/") for path in contents.entries),
        "places": [(path, about) for path, about in _PLACES.items() if _is_there(path, contents)],
        "left_out": contents.left_out[:_MOST_LEFT_OUT],
        "warnings": contents.warnings,
        "more_left_out": max(0, len(contents.left_out) - _MOST_LEFT_OUT),
        "reproducible": how.get("reproducible", False),
        "why_not": how.get("why_not", ()),
        "python": OLDEST_PYTHON,
        "arrays": arrays,
        "by_hand": _by_hand(packaged, arrays),
        "directory": packaged.manifest["directory"],
        "moved": moved_folders(how.get("moved", {})),
        "authors": [_author(one) for one in people.authors],
        "user": people.user,
        "license": people.license,
        "license_text": people.license_text,
        "doi": people.doi,
        "has_license": layout.LICENSE in contents.entries,
        "has_citation": layout.CITATION in contents.entries,
        "missing": state["missing"],
        "has_project": any(path.startswith(f"{layout.PROJECT}/") for path in contents.entries),
        "has_requirements": layout.REQUIREMENTS in contents.entries,
        "layout": layout,
    }


def _is_there(path: str, contents: Contents) -> bool:
    if path in (layout.FACTS, layout.CRATE):
        return True  # they are made of all that was gathered
    return path in contents.entries or (path.endswith("/") and any(one.startswith(path) for one in contents.entries))


def _made(packaged: PackagedRun, people: People, facts: Facts) -> str:
    who = " and ".join(one.name for one in people.authors[:2]) if people.authors else f"the user `{people.user}`"
    who += " and others" if len(people.authors) > 2 else ""
    span = facts.span
    times = [time for time in (span.start, span.end) if math.isfinite(time)]
    days = [f"{datetime.fromtimestamp(time, timezone.utc):%Y-%m-%d}" for time in times]
    when = f" on {days[0]}" if len(set(days)) == 1 else f" between {days[0]} and {days[-1]}" if days else ""
    made_with = f"sciflow {packaged.manifest.get('sciflow', '')}".strip()
    run, workflow = packaged.manifest["run"], packaged.plan.workflow
    return f"made by {who}{when}, with {made_with}, as run `{run}` of the workflow `{workflow}`"


def _lacks(state: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """What a reader must know before all else: that it is not the whole."""
    if state["complete"]:
        return
    counts = ", ".join(f"{count} {name}" for name, count in state["counts"].items())
    yield (
        f"The run is not complete ({facts.situation}): {state['completed']} of "
        f"{counted(state['combinations'], 'combination')} have all their results. Its task instances are: {counts}."
    )
    if facts.gathering:
        yield f"Beyond that, {facts.gathering}."


def _computed(state: Mapping[str, Any]) -> str:
    count = state["combinations"]
    if count == 1:
        return "One combination of parameters:"
    return f"{counted(count, 'combination')} of parameters, of which {state['completed']:,} are completed:"


def _part(one: ParameterFacts) -> str:
    """What part a parameter plays, in words that need no explanation."""
    if one.part == "axis":
        return "varied" if one.count > 1 else "fixed"
    return one.part


def _metrics(facts: Facts) -> Iterator[dict[str, Any]]:
    varied = {one.name for one in facts.parameters if one.count > 1}
    ends = {(one.metric.name, one.is_largest): one for one in facts.extremes}
    for one in facts.described:
        name = one.metric.name
        told: dict[str, Any] = {"name": name, "unit": one.metric.unit or "", "count": one.coverage.present}
        for key, is_largest in (("smallest", False), ("largest", True)):
            end = ends.get((name, is_largest))
            told[key] = value_text(end.value) if end else one.example
            told[f"{key}_at"] = _where(end, varied) if end else ""
        yield told


def _where(end: Extreme, varied: Collection[str]) -> str:
    said = ", ".join(f"{name} = {value_text(value)}" for name, value in end.parameters.items() if name in varied)
    more = f" (mean of {end.count})" if end.count > 1 else ""
    return f"{said}{more}" + (f", and {end.ties} more" if end.ties else "")


def _arrays(packaged: PackagedRun, import_path: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Of each array job: what its first index ran."""
    for array in packaged.plan.arrays:
        path = packaged.run.lines(array.name)
        with path.open(encoding="utf-8") as file:
            line = json.loads(file.readline() or "{}")
        function, source = _function(packaged, array.task)
        yield {
            "name": array.name,
            "task": array.task,
            "count": array.count,
            "shown": min(_SHOWN, array.count - 1),
            "command": plain(str(line["command"])).rstrip() if line.get("command") else "",
            "function": function,
            "source": source,
            "call": call_by_hand(
                read_document(packaged.run / files.task_file(array.task)), array.name, line, import_path
            ),
            "called_with": json.dumps(line.get("parameters", {}), ensure_ascii=False),
            "after": packaged.manifest["tasks"][array.task]["depends_on"],
        }


def _by_hand(packaged: PackagedRun, arrays: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The array of which an index runs anywhere: functions and inputs are looked for where they were.

    What needs no other results comes first.
    """
    fit = [one for one in arrays if one["command"] and not packaged.manifest["tasks"][one["task"]].get("inputs")]
    return min(fit, key=lambda one: len(one["after"]), default=None)


def _function(packaged: PackagedRun, task: str) -> tuple[str, str]:
    """A task's function, and where its source is; both empty for a command."""
    document = read_document(packaged.run / files.task_file(task))
    function = document.get("function") or {}
    if not function:
        return "", ""
    named = ":".join(filter(None, (function.get("module"), function.get("qualname")))) or f"{task}"
    source = f"{files.CODE}/{task}.py"
    has_source = (packaged.run / source).is_file()
    return named, f"{layout.RUN}/{source}" if has_source else f"{layout.PROJECT}/"


def _author(one: Any) -> str:
    more = ", ".join(filter(None, (one.affiliation, one.orcid)))
    return f"{one.name} ({more})" if more else one.name


def _rendered(name: str, packaged: PackagedRun, told: Mapping[str, Any]) -> bytes:
    project = packaged.run.path  # which has no templates of its own: what lies around here has no part in it
    found = assets.read_template(project, name)
    if found is None:
        raise TemplateError(f"there is no template `{name}`", hint="install sciflow again: it is one of its own")
    text, where = found
    made = jinja2.Environment(  # noqa: S701 - Markdown and shell
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    made.filters.update(cell=cell, code=code, fenced=fenced, quote=shlex.quote)
    try:
        return made.from_string(text).render(told).encode("utf-8", errors="backslashreplace")
    except jinja2.TemplateError as error:
        raise TemplateError(f"`{where}` cannot be rendered: {error}") from error


def cell(value: Any) -> str:
    """A value within a table of Markdown, where nothing of it is markup of the table's."""
    text = " ".join(plain(str(value), _LONGEST).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def code(value: Any) -> str:
    """A text as code within Markdown, whatever stands in it; empty for none."""
    text = " ".join(plain(str(value), _LONGEST).split())
    if not text:
        return ""
    if "\\|" in text:  # of which no two readers of Markdown make the same
        return f"<code>{html.escape(text, quote=False).replace('|', '&#124;')}</code>"
    longest = max((len(run) for run in _runs_of_backticks(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def fenced(text: str) -> str:
    """A text as a block of code within Markdown, whatever stands in it."""
    fence = "`" * max(3, *(len(run) + 1 for run in _runs_of_backticks(text)), 3)
    return f"{fence}\n{text}\n{fence}"


def _runs_of_backticks(text: str) -> Sequence[str]:
    return [run for run in "".join(char if char == "`" else " " for char in text).split() if run]
