"""The workflow of a package: a file that says all that was run, whatever the workflow was written in."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from sciflow.model.exported import space_document
from sciflow.model.resources import GIB
from sciflow.model.site_options import SiteOptions
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered.project import Project
from sciflow.package.gathered.stored_functions import Stored, functions_module
from sciflow.package.gathered.workflow_text import workflow_text
from sciflow.package.packaged_run import PackagedRun
from sciflow.package.restricted import restricted
from sciflow.store.space import read_space
from sciflow_shim import files

_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_AMOUNTS = {
    "cpu_cores": lambda asked: asked.cpu_cores,
    "memory_gb": lambda asked: asked.memory_bytes / GIB,
    "gpus": lambda asked: asked.gpus,
    "max_runtime_hours": lambda asked: asked.runtime_seconds / 3600,
    "nodes": lambda asked: asked.nodes,
    "mpi_tasks": lambda asked: asked.mpi_tasks,
}


class Again(NamedTuple):
    """Whether and how a package is run again, as `package.json` tells it.

    Attributes
    ----------
    functions
        Task → where its function is.
    why_not
        Why it cannot be; empty where it can.
    """

    functions: dict[str, dict[str, str]]
    why_not: tuple[str, ...]

    def to_document(self, project: Project) -> dict[str, Any]:
        """What `package.json` has of it."""
        return {
            "import_path": list(project.import_path),
            "moved": dict(sorted(project.moved.items())),
            "functions": self.functions,
            "reproducible": not self.why_not,
            "why_not": list(self.why_not),
        }


def gather_workflow(packaged: PackagedRun, contents: Contents, project: Project) -> Again:
    """Take in the workflow as a file that can be run anywhere, and the functions that were stored.

    What belongs to the site where it ran (partition, account, start times) is left out, and told in its comment.
    """
    path = packaged.run / files.WORKFLOW
    if not path.is_file():
        return Again({}, ("the run was made by a sciflow that did not keep its workflow",))
    kept = json.loads(path.read_bytes())
    document, notes = with_space(packaged, dict(kept["workflow"]))
    stored: list[Stored] = []
    functions: dict[str, dict[str, str]] = {}
    tasks = []
    for task in document["tasks"]:
        name = task["name"]
        task = dict(task)
        if "command" not in task:
            task["python"], functions[name] = _function(packaged, name, stored)
        _say_request(packaged, task, kept["unsaid"].get(name, ()), notes)
        _leave_site(task, notes)
        _say_gathered(packaged, task)
        tasks.append(_here(task, project, str(packaged.manifest["directory"])))
    document["tasks"] = tasks
    _warn_of_fixed_paths(packaged, contents, project)
    if policy := document.pop("schedule", None):
        notes.append(f"it started by the policy {json.dumps(policy)}; this one starts at once")
    contents.add(layout.WORKFLOW, workflow_text(document, packaged.run.run_id, notes).encode(), "all that was run")
    for one in stored:
        contents.add(one.place, packaged.run / one.kept, f"the function of `{one.task}`")
    if stored:
        contents.add(layout.FUNCTIONS, functions_module(stored).encode(), "functions that could not be imported")
    return Again(functions, ())


def with_space(packaged: PackagedRun, document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The document with its parameter space: by its rules, or listed where these are functions or random numbers."""
    space = packaged.manifest["space"]
    if "table" not in space:
        document |= space_document(space, packaged.manifest.get("roles", {}).get("repeats", []))
        return document, []
    combinations = list(read_space(packaged.run, dict(packaged.manifest)))
    note = "its combinations came of functions or of random numbers: they are listed"
    return restricted(document, combinations), [note]


def _function(packaged: PackagedRun, task: str, stored: list[Stored]) -> tuple[str, dict[str, str]]:
    """How the file names a task's function, and where it is."""
    facts = json.loads((packaged.run / files.task_file(task)).read_bytes())["function"]
    if "module" in facts:
        reference = f"{facts['module']}:{facts['qualname']}"
        if _REFERENCE.fullmatch(reference):
            return reference, {"module": facts["module"], "qualname": facts["qualname"]}
    source = packaged.run / files.CODE / f"{task}.py"
    text = source.read_text(encoding="utf-8") if source.is_file() else ""
    one = Stored(task, len(stored) + 1, str(facts["pickle"]), text)
    stored.append(one)
    return f"{Path(layout.FUNCTIONS).stem}:{one.name}", {"pickle": f"{layout.RUN}/{facts['pickle']}"}


def _say_request(packaged: PackagedRun, task: dict[str, Any], unsaid: Iterable[str], notes: list[str]) -> None:
    """Ask for the most that a function has worked out, where one has."""
    arrays = [array.resources for array in packaged.plan.arrays if array.task == task["name"]]
    for name in unsaid:
        amount = max((_AMOUNTS[name](asked) for asked in arrays), default=0)
        if amount:
            task["resources"] = {**task.get("resources", {}), name: amount}
            notes.append(f"a function worked `{name}` of task `{task['name']}` out: here it is the most of all")


def _leave_site(task: dict[str, Any], notes: list[str]) -> None:
    """Leave out what means something on one cluster only."""
    request = task.get("resources", {})
    left = {name: value for name, value in request.items() if name in SiteOptions.model_fields}
    if policy := task.pop("schedule", None):
        left["schedule"] = policy
    rest = {name: value for name, value in request.items() if name not in left}
    task.pop("resources", None)
    if rest:
        task["resources"] = rest
    if left:
        notes.append(f"of task `{task['name']}`, these words were for the cluster where it ran: {json.dumps(left)}")


def _say_gathered(packaged: PackagedRun, task: dict[str, Any]) -> None:
    """Name all that a task gathers over: where combinations are listed, nothing tells what follows from what."""
    over = task.get("over")
    if not over or over == "all":
        return
    derived = packaged.manifest.get("roles", {}).get("derived", {})
    tasks = packaged.manifest["tasks"]
    before = {name for one in task.get("depends_on", ()) for name in tasks[one]["parameters"]}
    more = [name for name, axes in derived.items() if name in before and name not in over and set(axes) & set(over)]
    task["over"] = [*over, *more]


def _here(task: dict[str, Any], project: Project, directory: str) -> dict[str, Any]:
    """A task with the paths that its files have in the package."""
    moved = project.moved
    if "files" in task:
        task["files"] = {name: _deck(deck, directory, moved) for name, deck in task["files"].items()}
    if "inputs" in task:
        found = [path for one in task["inputs"] for path in _inputs(one, directory, moved)]
        task["inputs"] = list(dict.fromkeys(found))
    if "command" in task:
        places = {directory: "{{ workflow_dir }}"}
        for old, new in moved.items():
            up = os.path.relpath(old, directory)
            for written in (old, f"{{{{ workflow_dir }}}}/{up}", f"{{{{workflow_dir}}}}/{up}"):
                places[written] = f"{{{{ workflow_dir }}}}/{new}"
        task["command"] = _replaced_in_templates(_replaced(task["command"], places), moved)
    return task


def _replaced_in_templates(command: str, moved: Mapping[str, str]) -> str:
    """A command with other folders before names that it makes of parameters: `/data/{{ size }}.csv`."""
    folders = {str(Path(old).parent): str(Path(new).parent) for old, new in moved.items()}
    for old, new in folders.items():
        pattern = rf"(?<![\w./-]){re.escape(old)}/(?=[^\s/\"']*\{{\{{)"
        command = re.sub(pattern, lambda _, new=new: f"{{{{ workflow_dir }}}}/{new}/", command)
    return command


def _warn_of_fixed_paths(packaged: PackagedRun, contents: Contents, project: Project) -> None:
    """Tell which functions name a file that has another place now: nobody can change that for them."""
    for task in packaged.manifest["tasks"]:
        texts = _texts_of(packaged, contents, project, task)
        _warn_of_own_ways(packaged, contents, project, task, texts)
        for place, text in texts.items():
            for old, new in project.moved.items():
                if old in text:
                    contents.warnings.append(
                        f"`{place}` of task `{task}` names `{old}`, which is here as `{layout.PROJECT}/{new}`: where "
                        "the old path is not at hand, change that by hand before you run it again"
                    )


def _warn_of_own_ways(
    packaged: PackagedRun, contents: Contents, project: Project, task: str, texts: Mapping[str, str]
) -> None:
    """Tell which functions read inputs from elsewhere that they find by themselves, as by `../data`."""
    facts = json.loads((packaged.run / files.task_file(task)).read_bytes())
    if not facts.get("function"):
        return  # of a command, the paths are written anew
    for old in packaged.manifest["tasks"][task].get("inputs") or ():
        new = project.moved.get(old)
        if new and not any(old in text for text in texts.values()):
            way = os.path.relpath(old, packaged.manifest["directory"])
            contents.warnings.append(
                f"the function of task `{task}` finds its input `{way}` by itself, and it is here as "
                f"`{layout.PROJECT}/{new}`: unless the function is told where, as by a parameter, it will not find it "
                "when it is run again; an input in a folder beside the workflow's file keeps its place"
            )


def _texts_of(packaged: PackagedRun, contents: Contents, project: Project, task: str) -> dict[str, str]:
    """Place in the package → text, of what a function is made of."""
    function = json.loads((packaged.run / files.task_file(task)).read_bytes()).get("function") or {}
    home = str(packaged.manifest["directory"])
    noted = [project.moved.get(name, _inside(name, home)) for name in function.get("modules", {})]
    entries = {place: contents.entries.get(place) for place in (f"{layout.PROJECT}/{name}" for name in noted)}
    found = {
        place: entry.source.decode(errors="replace")
        for place, entry in entries.items()
        if entry is not None and isinstance(entry.source, bytes)
    }
    source = packaged.run / files.CODE / f"{task}.py"
    if function and not function.get("module") and source.is_file():
        found[f"{layout.RUN}/{files.CODE}/{task}.py"] = source.read_text(encoding="utf-8")
    return found


def _deck(deck: str, directory: str, moved: Mapping[str, str]) -> str:
    path = str((Path(directory) / deck).resolve())
    return moved.get(path, _inside(deck, directory))


def _inputs(written: str, directory: str, moved: Mapping[str, str]) -> list[str]:
    """The paths that an input means in the package: itself, or what its pattern stood for elsewhere."""
    inside = _inside(written, directory)
    if not Path(inside).is_absolute() and ".." not in Path(inside).parts:
        return [inside]
    path = Path(directory) / written
    if there := moved.get(str(path.resolve())):  # one file, or a folder that is whole
        return [there]
    whole = str(path.parent.resolve() / path.name)
    return [new for old, new in sorted(moved.items()) if fnmatchcase(old, whole)] or [whole]


def _inside(path: str, directory: str) -> str:
    """A path in the workflow's directory from there, any other one as it is."""
    return str(Path(path).relative_to(directory)) if Path(path).is_relative_to(directory) else path


def _replaced(text: str, places: Mapping[str, str]) -> str:
    """A command with other paths: those that stand there as whole paths, the longest first."""
    for old in sorted(places, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./-]){re.escape(old)}(?![\w.-])", lambda _, new=places[old]: new, text)
    return text
