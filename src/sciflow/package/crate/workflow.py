"""The workflow, its tools and its steps, as a crate has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from sciflow.package import layout
from sciflow.package.crate.files import add_recipes
from sciflow.package.crate.graph import ROOT, Graph, Reference, fragment
from sciflow.package.crate.instances import Told
from sciflow.package.crate.values import add_value, add_values, type_of
from sciflow.package.packaged_run import PackagedRun
from sciflow_shim import files

_PARAMETER_PROFILE = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"


@dataclass
class Described:
    """What of a workflow stands in a crate, for those who refer to it.

    Attributes
    ----------
    workflow, engine
        The workflow, and sciflow.
    tools, steps
        Task → what it runs, and its step.
    inputs, outputs
        (Task, name of a parameter or a metric) → what stands for it.
    records
        Task → what stands for its records; and those of the tasks that read them.
    values
        All values of each parameter.
    """

    workflow: Reference
    engine: Reference
    tools: dict[str, Reference] = field(default_factory=dict)
    steps: dict[str, Reference] = field(default_factory=dict)
    inputs: dict[tuple[str, str], Reference] = field(default_factory=dict)
    outputs: dict[tuple[str, str], list[Reference]] = field(default_factory=dict)
    records: dict[str, list[Reference]] = field(default_factory=dict)
    values: list[Reference] = field(default_factory=list)

    def files_of(self, graph: Graph, task: str) -> Reference:
        """What stands for the files that a task reads, which its tool has as an input."""
        about = f"a file that `{task}` reads"
        formal = _formal(graph, fragment("task", task, "files"), "files", "File", about, required=True)
        graph.link(self.tools[task]["@id"], "input", [formal])
        return formal


def add_workflow(graph: Graph, packaged: PackagedRun, told: Mapping[str, Told], main: str) -> Described:
    """Say what the workflow consists of, and what its parts exchange."""
    engine = _engine(graph, packaged)
    id = quote(main)
    described = Described({"@id": id}, engine)
    connections: dict[str, list[Reference]] = {id: []}
    workflow_inputs = _workflow_inputs(graph, packaged, described)
    outputs: list[Reference] = []
    for task in packaged.plan.tasks:
        described.steps[task] = {"@id": f"{id}#{quote(task)}"}
        connections[task] = _add_inputs(graph, described, task, told[task], workflow_inputs)
        connections[id] += _add_metrics(graph, packaged, described, task, told[task], outputs)
    for task in packaged.plan.tasks:
        connections[task] += _add_reads(graph, packaged, described, task, told)
    for position, task in enumerate(packaged.plan.tasks, 1):
        described.tools[task] = _tool(graph, packaged, described, task)
        _step(graph, packaged, described, task, position, connections[task])
    tried = [described.tools[task] for task in packaged.plan.tasks if told[task].instances]
    graph.say(
        id,
        name=packaged.plan.workflow,
        description=_about(packaged),
        version=str(packaged.manifest.get("identity") or packaged.run.run_id),
        url={"@id": layout.README},
        conformsTo=graph.add(
            _WORKFLOW_PROFILE, "CreativeWork", name="Bioschemas ComputationalWorkflow", url=_WORKFLOW_PROFILE
        ),
        programmingLanguage=_language(graph, packaged),
        license=graph.said(ROOT, "license"),
        creator=graph.said(ROOT, "author"),
        dateCreated=packaged.manifest.get("created"),
        input=list(workflow_inputs.values()),
        output=outputs,
        step=[described.steps[task] for task in packaged.plan.tasks],
        hasPart=tried or list(described.tools.values()),
        connection=connections[id],
        buildInstructions=add_recipes(graph),
    )
    graph.say(ROOT, mainEntity={"@id": id})
    return described


def _about(packaged: PackagedRun) -> str:
    counts = packaged.plan.instances
    tasks = ", ".join(f"{task} ({count:,})" for task, count in counts.items())
    return f"{packaged.plan.combinations:,} combinations of parameters; tasks, with their instances: {tasks}"


def _engine(graph: Graph, packaged: PackagedRun) -> Reference:
    version = str(packaged.manifest.get("sciflow") or "unknown")
    return graph.add(
        fragment("sciflow", version),
        "SoftwareApplication",
        name="sciflow",
        description="turns a workflow and a parameter space into job arrays, follows them, and keeps what happened",
        softwareVersion=version,
        url={"@id": layout.README},
        softwareRequirements=_python(graph, packaged),
    )


def _python(graph: Graph, packaged: PackagedRun) -> Reference | None:
    version = str(packaged.manifest.get("python") or "")
    if not version:
        return None
    address = "https://www.python.org/"
    return graph.add(
        fragment("python", version), "SoftwareApplication", name="Python", softwareVersion=version, url=address
    )


def _language(graph: Graph, packaged: PackagedRun) -> Reference:
    return graph.add(
        "#sciflow-workflow",
        "ComputerLanguage",
        name="sciflow workflow document",
        alternateName="sciflow",
        version=str(packaged.manifest.get("sciflow") or "unknown"),
        url={"@id": layout.README},
    )


def _workflow_inputs(graph: Graph, packaged: PackagedRun, described: Described) -> dict[str, Reference]:
    """Parameter → what stands for it in the workflow; with all values that it had."""
    found = {}
    table = packaged.results.tables.combinations
    for name in packaged.results.parameters:
        values = table.get(name, [])
        found[name] = _formal(
            graph, fragment("parameter", name), name, type_of(values), f"the parameter `{name}`", required=True
        )
        described.values.append(add_values(graph, name, values, found[name]))
    for reference in described.values:  # the values of many are told as text
        told = graph.said(reference["@id"], "value")
        if isinstance(told, str):
            graph.say(graph.said(reference["@id"], "exampleOfWork")["@id"], additionalType="Text")
    return found


def _formal(graph: Graph, id: str, name: str, kind: str, about: str, required: bool | None = None) -> Reference:
    profile = graph.add(_PARAMETER_PROFILE, "CreativeWork", name="Bioschemas FormalParameter", url=_PARAMETER_PROFILE)
    return graph.add(
        id,
        "FormalParameter",
        name=name,
        additionalType=kind,
        description=about,
        valueRequired=required,
        conformsTo=profile,
    )


def _add_inputs(
    graph: Graph,
    described: Described,
    task: str,
    told: Told,
    workflow_inputs: Mapping[str, Reference],
) -> list[Reference]:
    """The parameters of a task, and how they come from those of the workflow."""
    connections = []
    for name, value in told.parameters.items():
        kind = str(graph.said(workflow_inputs[name]["@id"], "additionalType"))
        about = f"the parameter `{name}`, as `{task}` takes it"
        own = _formal(graph, fragment("task", task, "parameter", name), name, kind, about, required=True)
        described.inputs[task, name] = own
        add_value(graph, name, value, [own])
        connections.append(_connection(graph, workflow_inputs[name], own))
    return connections


def _add_metrics(
    graph: Graph,
    packaged: PackagedRun,
    described: Described,
    task: str,
    told: Told,
    outputs: list[Reference],
) -> list[Reference]:
    """The metrics of a task of which a value is told, and how they become those of the workflow."""
    connections = []
    titles = {
        column.removeprefix(f"{task}."): column
        for column, owner in packaged.results.tables.facts["metric_tasks"].items()
        if owner == task
    }
    for name in dict.fromkeys(name for one in told.instances for name in one.metrics):
        kind = type_of(one.metrics.get(name) for one in told.instances)
        about = f"the metric `{name}` of `{task}`"
        own = _formal(graph, fragment("task", task, "metric", name), name, kind, about)
        described.outputs[task, name] = [own]
        if name in titles:
            of_all = _formal(graph, fragment("metric", titles[name]), titles[name], kind, about)
            described.outputs[task, name].append(of_all)
            outputs.append(of_all)
            connections.append(_connection(graph, own, of_all))
    return connections


def _add_reads(
    graph: Graph, packaged: PackagedRun, described: Described, task: str, told: Mapping[str, Told]
) -> list[Reference]:
    """What a task reads of the records of earlier ones."""
    facts = packaged.manifest["tasks"].get(task, {})
    connections = []
    for before in dict.fromkeys([*facts.get("depends_on", ()), *facts.get("reads", ())]):
        if before not in told or not told[before].instances:
            continue
        made = _record(graph, described, before)
        about = f"the record of `{before}` that `{task}` reads"
        own = _formal(graph, fragment("task", task, "reads", before), before, "File", about, required=True)
        described.records[before].append(own)
        described.inputs[task, before] = own
        connections.append(_connection(graph, made, own))
    return connections


def _record(graph: Graph, described: Described, task: str) -> Reference:
    if task not in described.records:
        about = f"the record of an instance of `{task}`: its metrics, results and what it used"
        described.records[task] = [_formal(graph, fragment("task", task, "record"), "record", "File", about)]
    return described.records[task][0]


def _connection(graph: Graph, source: Reference, target: Reference) -> Reference:
    id = fragment("connection", source["@id"][1:], target["@id"][1:])
    return graph.add(id, "ParameterConnection", sourceParameter=source, targetParameter=target)


def _tool(graph: Graph, packaged: PackagedRun, described: Described, task: str) -> Reference:
    facts = packaged.manifest["tasks"].get(task, {})
    inputs = [reference for (owner, _), reference in described.inputs.items() if owner == task]
    outputs = [references[0] for (owner, _), references in described.outputs.items() if owner == task]
    command = facts.get("command")
    source = next((path for path in _sources(packaged, task) if quote(path) in graph), layout.README)
    return graph.add(
        fragment("task", task),
        "SoftwareApplication",
        name=task,
        description=f"the command `{command}`" if command else f"a {facts.get('kind', 'function')} of the project",
        softwareVersion=str(facts.get("recipe") or packaged.manifest.get("identity") or "unknown"),
        url={"@id": quote(source)},
        input=inputs,
        output=[*described.records.get(task, [])[:1], *outputs],
        softwareRequirements=[one for one in (_python(graph, packaged), described.engine) if one],
    )


def _sources(packaged: PackagedRun, task: str) -> Iterable[str]:
    """Where in the package one may read what a task does."""
    yield f"{layout.RUN}/{files.CODE}/{task}.py"
    for array in packaged.plan.arrays:
        if array.task == task:
            yield f"{layout.RUN}/{files.script(array.name)}"


def _step(
    graph: Graph, packaged: PackagedRun, described: Described, task: str, position: int, connections: list[Reference]
) -> None:
    before = packaged.manifest["tasks"].get(task, {}).get("depends_on", ())
    after = f", after {', '.join(f'`{one}`' for one in before)}" if before else ""
    graph.add(
        described.steps[task]["@id"],
        "HowToStep",
        name=task,
        description=f"step {position}: `{task}`{after}",
        position=str(position),
        workExample=described.tools[task],
        connection=connections,
    )
