"""How a function gets to the node: by import path where it can be imported there, else pickled with its source."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.loading import is_workflow_module
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
    source = _source(function)
    if source:
        (folder / files.CODE / f"{task}.py").write_text(source, encoding="utf-8")
    path = import_path(directory)
    if module := _importable(function):
        return {"module": module, "qualname": function.__qualname__, "path": path}
    name = f"{files.CODE}/{task}.pickle"
    (folder / name).write_bytes(_pickled(function, task))
    return {"pickle": name, "path": path}


def import_path(directory: Path) -> list[str]:
    """The project's own folders on the import path: the workflow's, and what the user has added."""
    installed = {Path(sysconfig.get_paths()[kind]) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    installed.add(Path(sys.prefix))
    found = [str(directory.resolve())]
    for entry in sys.path:
        folder = Path(entry or ".").resolve()
        if folder.is_dir() and not any(one == folder or one in folder.parents for one in installed):
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
    if found is not function or importlib.util.find_spec(module) is None:
        return ""
    return module


def _pickled(function: Callable[..., Any], task: str) -> bytes:
    import cloudpickle

    scripts = [module for module in _workflow_modules() if module.__name__ in sys.modules]
    for module in scripts:
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
        for module in scripts:
            cloudpickle.unregister_pickle_by_value(module)


def _workflow_modules() -> list[ModuleType]:
    return [module for name, module in list(sys.modules.items()) if is_workflow_module(name)]


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):  # typed at a prompt, or no Python function
        return ""
