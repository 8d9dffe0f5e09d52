"""How a function gets to the node: by import path where it can be imported there, else pickled with its source."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.loading import is_workflow_module
from sciflow.planning.code_digest import reached_modules
from sciflow.planning.project_modules import is_installed
from sciflow.store.digests import file_digest
from sciflow_shim import files


def write_payload(function: Callable[..., Any], task: str, folder: Path, directory: Path) -> dict[str, Any]:
    """Write what the node needs to call a function; gives its place in the task's file.

    Parameters
    ----------
    function
        The task's function.
    task
        The task's name.
    folder
        The run directory.
    directory
        The workflow's directory, from which its modules are imported.

    Raises
    ------
    WorkflowError
        For a function that can neither be imported nor stored.
    """
    source = source_of(function)
    if source:
        (folder / files.CODE / f"{task}.py").write_text(source, encoding="utf-8")
    facts = {"path": import_path(directory), "modules": modules(function)}
    if module := _importable(function):
        return {"module": module, "qualname": function.__qualname__, **facts}
    name = f"{files.CODE}/{task}.pickle"
    (folder / name).write_bytes(_pickled(function, task))
    return {"pickle": name, **facts}


def modules(function: Callable[..., Any]) -> dict[str, str]:
    """File → SHA-256 of the project's modules that the node imports for a function, not of those stored with it."""
    found = {}
    for name, path in reached_modules(function).items():
        is_stored = name == "__main__" or is_workflow_module(name) or (name in sys.modules and not _is_found(name))
        if not is_stored:
            found[str(path.resolve())] = file_digest(path)
    return found


def import_path(directory: Path) -> list[str]:
    """The project's own folders on the import path: the workflow's, and what the user has added."""
    found = [str(directory.resolve())]
    for entry in sys.path:
        folder = Path(entry or ".").resolve()
        if folder.is_dir() and not is_installed(folder):
            found.append(str(folder))
    return list(dict.fromkeys(found))


def _importable(function: Callable[..., Any]) -> str:
    """The module from which a function can be imported; empty where it cannot."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "<none>")
    if module in (None, "__main__") or "<" in name or is_workflow_module(module):
        return ""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return module if found is function and _is_found(module) else ""


def _is_found(module: str) -> bool:
    """Whether an interpreter of its own would find the same module; one that was loaded by hand it would not."""
    locations, name, spec = None, "", None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        specs = (finder.find_spec(name, locations) for finder in sys.meta_path)
        spec = next((one for one in specs if one is not None), None)
        if spec is None:
            return False
        locations = spec.submodule_search_locations
    file = getattr(sys.modules[module], "__file__", None)
    return file is None or spec is None or spec.origin is None or Path(spec.origin).resolve() == Path(file).resolve()


def _pickled(function: Callable[..., Any], task: str) -> bytes:
    import cloudpickle

    scripts = {module.__name__: module for module in _workflow_modules()}
    own = getattr(function, "__module__", None)
    if own in sys.modules and own != "__main__" and not _is_found(own):
        scripts[own] = sys.modules[own]
    for module in scripts.values():
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(function)
    except Exception as error:  # pickling runs the code of whatever the function refers to
        raise WorkflowError(
            f"the function of task `{task}` cannot be stored: {type(error).__name__}: {error}",
            hint="it refers to something that lives in this process only (an open file, a lock, a connection): "
            "open it inside the function",
        ) from error
    finally:
        for module in scripts.values():
            cloudpickle.unregister_pickle_by_value(module)


def _workflow_modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if is_workflow_module(name)]


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function, as a run keeps it; empty where there is none."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):  # typed at a prompt, or no Python function
        return ""
