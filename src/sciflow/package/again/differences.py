"""What was put into a run that was made again, and was not in the packaged one: code, inputs, parameters, requests."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from sciflow.package import layout
from sciflow.package.again.moved_paths import is_only_moved
from sciflow.package.again.recorded import RecordedRun
from sciflow.package.gathered.kept_files import kept_files
from sciflow.run.recipe_changes import changed_parts, in_words
from sciflow.store.layout import read_document
from sciflow_shim import files
from sciflow_shim.redaction import REDACTED, redact

CODE, INPUT, PARAMETER, SEED, SETTING, PLACE = "code", "input", "parameter", "seed", "setting", "place"
_MOST = 5  # names or values in a sentence
_LONGEST = 200  # characters of a command
# What a task is made of, as a recipe has it, by the kind of difference that it is.
_OF_CODE = (
    "function",
    "command",
    "files",
    "extract",
    "outputs",
    "results",
    "success",
    "kind",
    "over",
    "missing",
    "programs",
)
_OF_SETTINGS = ("profile", "environment", "setup")


@dataclass(frozen=True)
class Difference:
    """One thing that was put in differently.

    Attributes
    ----------
    kind
        ``code``, ``input``, ``parameter``, ``seed``, ``setting`` or ``place``.
    what
        In words.
    names
        The files, parameters or settings that it is about.
    tasks
        The tasks that it is known to reach; empty where it is all of them, or nobody knows.
    """

    kind: str
    what: str
    names: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """The difference as JSON has it."""
        return {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(self).items()}


def differences(
    there: RecordedRun,
    here: RecordedRun,
    is_sample: bool = False,
    seeds: int = 0,
    redacted: Mapping[str, Any] | None = None,
) -> list[Difference]:
    """What was put into the new run that was not in the packaged one.

    Parameters
    ----------
    there, here
        The packaged run, and the new one.
    is_sample
        Parameters that the new run lacks were left out on purpose.
    seeds
        How many instances started from another seed of sciflow's, as the comparison has found.
    redacted
        Path in the package → how many secrets were taken out of it: without them nothing can do quite the same.
    """
    found = list(_redactions(redacted or {}, there.manifest))
    found += _code(there, here, {name for one in found for name in (*one.names, *one.tasks)})
    found += _inputs(there.manifest, here.manifest, {name for one in found for name in one.names})
    found += _files_near(there, here, {name for one in found for name in one.names})
    found += _parameters(there, here, is_sample)
    if seeds:
        text = f"{seeds} task instance{'s' if seeds > 1 else ''} started from another seed, which sciflow gave them"
        found.append(Difference(SEED, text))
    return [*found, *_settings(there.manifest, here.manifest), *_places(there, here)]


def _redactions(redacted: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Difference]:
    """What ran with secrets that were taken out of the package."""
    tasks = tuple(name for name, one in manifest["tasks"].items() if REDACTED in str(one.get("command") or ""))
    home = f"{layout.PROJECT}/"
    names = tuple(path.removeprefix(home) for path in redacted if path.startswith(home) and path != layout.WORKFLOW)
    for what, places, of in ((f"the command of {_listed(tasks)}", (), tasks), (_listed(names), names, ())):
        if places or of:
            yield Difference(CODE, f"{what} held secrets, which were taken out of the package", places, of)


def _code(there: RecordedRun, here: RecordedRun, told: Collection[str]) -> Iterator[Difference]:
    names = _changed_files(there, here)
    inputs = _declared(there) | _declared(here)
    # What is declared as an input is no code, also where a command names it.
    others = [name for name in names or () if name not in told and inputs.isdisjoint([name, *_folders(name)])]
    recipes = _recipes(there.manifest, here.manifest)
    functions = tuple(task for task, parts in recipes.items() if "function" in parts)
    if others:
        yield Difference(CODE, f"the code in {_listed(others)} is another one", tuple(others), functions)
    for task, parts in recipes.items():
        own = [part for part in parts if part in _OF_CODE]
        if "function" in own and not _is_function_changed(there, here, task, names):
            own.remove("function")
        if "command" in own and task in told:
            own.remove("command")
        if "command" in own and is_only_moved(there.manifest, here.manifest, task):
            own.remove("command")
        if "command" in own:
            own.remove("command")
            yield _command(task, *(one.manifest["tasks"][task].get("command") for one in (there, here)))
        if words := in_words(own):
            yield Difference(CODE, f"task `{task}`: {', '.join(words)}", tasks=(task,))


def _command(task: str, there: str | None, here: str | None) -> Difference:
    """Both commands of a task."""
    told = [f"`{_shortened(redact(one))}`" if one else "none" for one in (there, here)]
    return Difference(CODE, f"task `{task}`: its command: {told[0]} there, {told[1]} here", tasks=(task,))


def _shortened(command: str) -> str:
    words = " ".join(command.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def _declared(one: RecordedRun) -> set[str]:
    """The files and folders that the tasks of a run declare as inputs; none of a run that has not kept its workflow."""
    path = one.run / files.WORKFLOW
    tasks = read_document(path)["workflow"]["tasks"] if path.is_file() else []
    home = PurePosixPath(str(one.manifest.get("directory") or "/"))
    return {_path_in(home, str(home / name)) for task in tasks for name in task.get("inputs") or ()}


def _folders(name: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(name).parents]


def _is_function_changed(there: RecordedRun, here: RecordedRun, task: str, names: list[str] | None) -> bool:
    """Whether a function does something else, where its recipe is another one.

    A recipe knows the values that a function takes from its module, such as the path of its own folder: where neither
    its source nor any file of the code has changed, it does the same in another place.
    """
    sources = [_source(one, task) for one in (there, here)]
    are_stored = [_is_stored(one, task) for one in (there, here)]
    if are_stored[0] != are_stored[1]:  # what was stored in a run is imported in its package
        return None not in sources and sources[0] != sources[1]
    if None in sources or sources[0] != sources[1]:
        return True
    return all(are_stored) or names is None


def _source(one: RecordedRun, task: str) -> str | None:
    try:
        return (one.run / files.CODE / f"{task}.py").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _is_stored(one: RecordedRun, task: str) -> bool:
    """Whether a run holds a function with all that it takes from elsewhere, since it could not be imported."""
    return (one.run / files.CODE / f"{task}.pickle").is_file()


def _changed_files(there: RecordedRun, here: RecordedRun) -> list[str] | None:
    """The files of code that are others now, or are gone; None where one of the runs has not noted them."""
    before, now = (_files_of_code(one) for one in (there, here))
    if not before or not now:
        return None
    known = set(now.values())  # what came from another folder has another place in a package
    return [name for name, digest in before.items() if now.get(name) != digest and digest not in known]


def _files_of_code(one: RecordedRun) -> dict[str, str]:
    """File → digest, of all modules and programs that a run has noted; by their paths in the workflow's folder."""
    code = one.manifest.get("code") or {}
    noted = [code.get("modules", {}), code.get("files", {})]
    for task in one.manifest["tasks"]:
        path = one.run / files.task_file(task)
        if path.is_file():
            noted.append((read_document(path).get("function") or {}).get("modules", {}))
    home = PurePosixPath(str(one.manifest.get("directory") or "/"))
    return {_path_in(home, name): digest for digests in noted for name, digest in digests.items()}


def _path_in(home: PurePosixPath, name: str) -> str:
    path = PurePosixPath(name)
    return str(path.relative_to(home)) if path.is_relative_to(home) else name


def _recipes(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, list[str]]:
    """Task → the parts of its recipe that are others, of tasks that both runs have."""
    before, now = there["tasks"], here["tasks"]
    found = {
        task: changed_parts(before[task].get("recipe_parts", {}), facts.get("recipe_parts", {}))
        for task, facts in now.items()
        if task in before
    }
    return {task: parts for task, parts in found.items() if parts}


def _inputs(there: Mapping[str, Any], here: Mapping[str, Any], told: Collection[str]) -> Iterator[Difference]:
    before, now = there.get("inputs") or {}, here.get("inputs") or {}
    known = set(before.values())
    for name, digest in now.items():
        # It may have another place in a package.
        if before.get(name) != digest and digest not in known and name not in told:
            tasks = tuple(task for task, facts in here["tasks"].items() if name in facts.get("inputs", ()))
            what = "has other bytes" if name in before else "was not there"
            yield Difference(INPUT, f"input file `{name}` {what}", (name,), tasks)


def _files_near(there: RecordedRun, here: RecordedRun, told: Collection[str]) -> Iterator[Difference]:
    """Files beside the code that nobody has declared, and that programs may have read."""
    before, now = kept_files(there.run), kept_files(here.run)
    for name in sorted(before.keys() & now.keys() - set(told)):
        if before[name] != now[name]:
            yield Difference(INPUT, f"file `{name}`, which lies with the code, has other bytes", (name,))


def _parameters(there: RecordedRun, here: RecordedRun, is_sample: bool) -> Iterator[Difference]:
    repeats = (there.manifest.get("roles") or {}).get("repeats", ())
    before, now = there.parameter_values(), here.parameter_values()
    for name in dict.fromkeys([*before, *now]):
        new = [one for one in now.get(name, []) if one not in before.get(name, [])]
        gone = [] if is_sample else [one for one in before.get(name, []) if one not in now.get(name, [])]
        if new or gone:
            words = [f"{_values(values)} {word}" for values, word in ((new, "came in"), (gone, "fell out")) if values]
            kind, role = (SEED, ", which only repeats") if name in repeats else (PARAMETER, "")
            yield Difference(kind, f"parameter `{name}`{role}: {', '.join(words)}", (name,))


def _settings(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[Difference]:
    for part in _OF_SETTINGS:
        tasks = tuple(task for task, parts in _recipes(there, here).items() if part in parts)
        if tasks:
            yield Difference(SETTING, f"{in_words([part])[0]}, of {_listed(tasks)}", (part,), tasks)


def _places(there: RecordedRun, here: RecordedRun) -> Iterator[Difference]:
    profiles = [one.manifest.get("profile") or {} for one in (there, here)]
    names = [f"`{one.get('name')}` ({one.get('scheduler')})" for one in profiles]
    if names[0] != names[1]:
        yield Difference(PLACE, f"cluster profile {names[0]} became {names[1]}", ("profile",))
    if (version := there.manifest.get("sciflow")) != here.manifest.get("sciflow"):
        yield Difference(PLACE, f"sciflow {version} became {here.manifest.get('sciflow')}", ("sciflow",))
    before, now = _requests(there), _requests(here)
    for task, request in now.items():
        for name, word in (("cpu_cores", "cores"), ("gpus", "GPUs")):
            was = before.get(task, request).get(name, set())
            if was != request[name]:
                counts = f"{_values(sorted(was))} {word} became {_values(sorted(request[name]))}"
                text = f"what an instance of `{task}` asks for: {counts}"
                yield Difference(PLACE, text, (name,), (task,))


def _requests(one: RecordedRun) -> dict[str, dict[str, set[int]]]:
    """Task → how many cores and GPUs its instances asked for."""
    found: dict[str, dict[str, set[int]]] = {}
    for array in read_document(one.run.plan)["arrays"]:
        asked = found.setdefault(array["task"], {"cpu_cores": set(), "gpus": set()})
        for name, values in asked.items():
            values.add(int(array["resources"].get(name) or 0))
    return found


def _listed(names: Any) -> str:
    shown = ", ".join(f"`{name}`" for name in list(names)[:_MOST])
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown


def _values(values: Any) -> str:
    shown = ", ".join(json.dumps(value, ensure_ascii=False) for value in values[:_MOST])
    return f"{shown} and {len(values) - _MOST} more" if len(values) > _MOST else shown
