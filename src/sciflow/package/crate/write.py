"""The RO-Crate of a package: what is in it and how it came about, for machines that know nothing of sciflow."""

from __future__ import annotations

from pathlib import Path

from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.crate.actions import add_actions
from sciflow.package.crate.files import add_attempts, add_files, add_left_out
from sciflow.package.crate.graph import ROOT, Graph
from sciflow.package.crate.instances import Told, told_instances
from sciflow.package.crate.people import add_people, agent
from sciflow.package.crate.workflow import add_workflow
from sciflow.package.gathered.people import People
from sciflow.package.packaged_run import PackagedRun
from sciflow_shim import files

_RO_CRATE = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_CRATE = ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0")
_RUN_CRATES = (
    ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"),
)


def write_crate(packaged: PackagedRun, contents: Contents, folder: Path, people: People) -> Path:
    """Write the metadata of a package whose files lie in their places already, cleaned of secrets.

    Of a large run it tells samples and failures one by one; all attempts stand in `results/attempts.csv`, which
    `gather_attempts` takes in. Of a run in which nothing was tried yet it tells the workflow alone, since the profiles
    of runs want something that was done.

    Parameters
    ----------
    packaged, contents, people
        The run, what of it was taken in, and who made it.
    folder
        The payload of the package.

    Returns
    -------
    Path
        The file that was written.
    """
    graph = Graph()
    told = told_instances(packaged)
    is_tried = any(one.instances for one in told.values())
    _add_root(graph, packaged, told, people, is_tried)
    add_people(graph, people)
    main = next(path for path in (layout.WORKFLOW, f"{layout.RUN}/{files.MANIFEST}") if (folder / path).is_file())
    graph.add_file(main, ("SoftwareSourceCode", "ComputationalWorkflow", "HowTo"))
    add_files(graph, contents, folder)
    add_attempts(graph)
    add_left_out(graph, contents)
    if layout.README in graph:
        graph.say(layout.README, about={"@id": ROOT})
    described = add_workflow(graph, packaged, told, main)
    add_actions(graph, packaged, told, described, agent(graph, people), folder)
    return graph.write(folder)


def _add_root(graph: Graph, packaged: PackagedRun, told: dict[str, Told], people: People, is_tried: bool) -> None:
    profiles = [
        graph.add(address, "CreativeWork", name=name, version=version)
        for address, name, version in (*(_RUN_CRATES if is_tried else ()), _WORKFLOW_CRATE)
    ]
    graph.say(layout.CRATE, conformsTo=[{"@id": _RO_CRATE}, {"@id": _WORKFLOW_CRATE[0]}])
    graph.say(
        ROOT,
        name=people.title or packaged.name,
        description=_about(packaged, told, people),
        datePublished=packaged.when.isoformat(timespec="seconds"),
        keywords=", ".join(people.keywords),
        identifier=f"https://doi.org/{people.doi}" if people.doi else packaged.name,
        isBasedOn=people.source,
        conformsTo=profiles,
    )


def _about(packaged: PackagedRun, told: dict[str, Told], people: People) -> str:
    states: dict[str, int] = {}
    for one in told.values():
        for state, count in one.states.items():
            states[state] = states.get(state, 0) + count
    total, done = sum(states.values()), states.get(State.COMPLETED.value, 0)
    counts = f"The run {packaged.run.run_id} of the workflow {packaged.plan.workflow}"
    if done == total:
        counts += f": complete, with {total:,} task instances for {packaged.plan.combinations:,} combinations."
    else:
        rest = ", ".join(f"{n:,} {state}" for state, n in sorted(states.items()) if state != State.COMPLETED.value)
        counts += f": PARTIAL, {done:,} of {total:,} task instances are completed, and {rest}."
    return f"{people.description.rstrip('. ')}. {counts}" if people.description else counts
