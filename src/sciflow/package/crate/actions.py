"""What was done, by whom, and what it took, as a crate has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.crate.environment import add_environment, add_image
from sciflow.package.crate.files import add_one
from sciflow.package.crate.graph import ROOT, Graph, Reference, fragment, moment
from sciflow.package.crate.instances import MOST_NEEDS, Instance, Told
from sciflow.package.crate.values import add_metric, add_resources, add_value
from sciflow.package.crate.workflow import Described
from sciflow.package.packaged_run import PackagedRun
from sciflow.run.needs import Place
from sciflow_shim import files

COMPLETED, FAILED = "http://schema.org/CompletedActionStatus", "http://schema.org/FailedActionStatus"
_RESULTS = (f"{layout.RUN}/{files.RESULTS}", layout.TABLE, layout.ATTEMPTS)


def add_actions(
    graph: Graph, packaged: PackagedRun, told: Mapping[str, Told], described: Described, who: Reference, folder: Path
) -> None:
    """Say what was done: the run as a whole, its steps, and those instances that are told one by one."""
    controls: list[Reference] = []
    actions: list[Reference] = []
    records = _records(graph, packaged, told, described, folder)
    inputs = {task: _inputs(graph, packaged, described, task) for task in told}
    for task, of_task in told.items():
        own = [_action(graph, packaged, one, described, who, records, inputs[task]) for one in of_task.instances]
        if own:
            controls.append(_control(graph, task, of_task, own, described, who))
        actions += own
    if not actions:
        return
    run = _run(graph, packaged, told, described, who)
    engine = graph.add(
        fragment("orchestration"),
        "OrganizeAction",
        name=f"sciflow {graph.said(described.engine['@id'], 'softwareVersion')} carried out the workflow",
        instrument=described.engine,
        agent=who,
        object=controls,
        result=run,
        actionStatus=graph.said(run["@id"], "actionStatus"),
        error=graph.said(run["@id"], "error"),
        **_span(packaged),
    )
    graph.link(ROOT, "mentions", [run, engine, *actions])


def _span(packaged: PackagedRun) -> dict[str, Any]:
    """When the first attempt started, and when the last thing happened."""
    attempts = packaged.results.tables.attempts
    starts = [one for one in attempts.get("start", ()) if one is not None]
    ends = [one for one in attempts.get("end", ()) if one is not None]
    return {
        "startTime": moment(min(starts)) if starts else None,
        "endTime": moment(max([packaged.when.timestamp(), *ends])),
    }


def _run(
    graph: Graph, packaged: PackagedRun, told: Mapping[str, Told], described: Described, who: Reference
) -> Reference:
    states = _states(told)
    is_over = all(State(state).is_final for state in states)
    failed = sum(count for state, count in states.items() if State(state).is_failure)
    about = f"The run {packaged.run.run_id}: {_counted(states)}."
    if not is_over:
        about += " It was not finished: its end is when last anything was heard of it."
    return graph.add(
        fragment("run", packaged.run.run_id),
        "CreateAction",
        name=f"run {packaged.run.run_id} of {packaged.plan.workflow}",
        description=f"{about} All attempts stand in `{layout.ATTEMPTS}`.",
        instrument=described.workflow,
        agent=who,
        object=described.values,
        environment=add_environment(graph, packaged),
        containerImage=add_image(graph, packaged),
        result=[{"@id": quote(path)} for path in _RESULTS if quote(path) in graph],
        actionStatus=FAILED if failed else COMPLETED if is_over else None,
        error=_counted({state: n for state, n in states.items() if State(state).is_failure}) if failed else None,
        **_span(packaged),
    )


def _control(
    graph: Graph, task: str, told: Told, own: list[Reference], described: Described, who: Reference
) -> Reference:
    failures = {state: count for state, count in told.states.items() if State(state).is_failure}
    total = sum(told.states.values())
    told_here = f"; {len(own):,} of {total:,} are told here" if len(own) < total else ""
    return graph.add(
        fragment("step", task),
        "ControlAction",
        name=f"the step {task}",
        description=f"{_counted(told.states)}{told_here}",
        instrument=described.steps[task],
        agent=who,
        object=own,
        actionStatus=FAILED if failures else COMPLETED if set(told.states) == {State.COMPLETED.value} else None,
        error=_counted(failures) if failures else None,
    )


def _action(
    graph: Graph,
    packaged: PackagedRun,
    one: Instance,
    described: Described,
    who: Reference,
    records: Mapping[Place, Reference],
    inputs: list[Reference],
) -> Reference:
    parts = ("action", one.array, one.index)
    given = [
        add_value(graph, name, value, [described.inputs[one.task, name]]) for name, value in one.parameters.items()
    ]
    units = packaged.results.tables.facts.get("units", {})
    results = [
        add_metric(
            graph, fragment(*parts, "metric", name), name, value, described.outputs[one.task, name], units.get(name, "")
        )
        for name, value in one.metrics.items()
    ]
    record = records.get((one.array, one.index))
    read = [records[place] for place in one.needs if place in records]
    end = one.facts.get("end")
    unknown_end = "" if end is not None else " When it ended is not known: the time is when the run last was heard of."
    return graph.add(
        fragment(*parts),
        "CreateAction",
        name=f"{one.task}, index {one.index} of {one.array}, attempt {one.attempt}",
        description=f"{one.state.value} on {one.facts.get('host', 'an unknown host')}.{unknown_end}",
        instrument=described.tools[one.task],
        agent=who,
        startTime=moment(one.facts["start"]) if "start" in one.facts else None,
        endTime=moment(packaged.when if end is None else end),
        object=[*given, *inputs, *read],
        result=[*([record] if record else [{"@id": quote(layout.ATTEMPTS)}]), *results],
        actionStatus=COMPLETED if one.is_success else FAILED,
        error=None if one.is_success else _error(one),
        resourceUsage=add_resources(graph, parts, one.facts),
    )


def _records(
    graph: Graph, packaged: PackagedRun, told: Mapping[str, Told], described: Described, folder: Path
) -> dict[Place, Reference]:
    """The files that hold the records of what is told, and those that were read for what came out well."""
    instances = [one for of_task in told.values() for one in of_task.instances]
    wanted = {(one.array, one.index) for one in instances}
    wanted |= {place for one in instances if one.is_success for place in one.needs}
    table = packaged.results.tables.instances
    found: dict[Place, Reference] = {}
    names = ("task", "array", "index", "record")
    for task, array, index, record in zip(*(table[name] for name in names), strict=True) if wanted else ():
        if (array, index) in wanted and (path := _record_file(folder, array, record)):
            id = quote(path)
            about = f"the record of {task}, index {index} of {array}"
            found[array, index] = {"@id": id} if id in graph else add_one(graph, folder, path, about)
            graph.link(id, "exampleOfWork", described.records.get(task, ()))
    return found


def _record_file(folder: Path, array: str, record: str | None) -> str:
    """The file that holds a record: its own, or that into which the records of its array job were folded."""
    paths = (f"{layout.RUN}/{path}" for path in (record, files.sealed_records(array)) if path)
    return next((path for path in paths if (folder / path).is_file()), "")


def _inputs(graph: Graph, packaged: PackagedRun, described: Described, task: str) -> list[Reference]:
    """The files that a task read, in the package or left out of it; of many the first."""
    paths = [f"{layout.PROJECT}/{path}" for path in packaged.manifest["tasks"].get(task, {}).get("inputs", ())]
    there = [id for id in map(quote, paths) if id in graph][:MOST_NEEDS]
    for id in there:
        graph.link(id, "exampleOfWork", [described.files_of(graph, task)])
    left_out = [id for id in (fragment("left-out", path) for path in paths) if id in graph]
    return [{"@id": id} for id in (there + left_out)[:MOST_NEEDS]]


def _error(one: Instance) -> str:
    kind, text = str(one.facts.get("error_type", "")), str(one.facts.get("error", ""))
    said = f"{kind}: {text}" if kind and text and not text.startswith(kind) else text or kind
    return f"{one.state.value}: {said}" if said else one.state.value


def _states(told: Mapping[str, Told]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in told.values():
        for state, count in one.states.items():
            found[state] = found.get(state, 0) + count
    return found


def _counted(states: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "nothing"
