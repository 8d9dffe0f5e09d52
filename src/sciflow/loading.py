"""Workflows and profiles from files: `workflow.yaml`, `experiment.py`, `experiment.py:name`, and profiles by name."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from sciflow import assets
from sciflow.calendars.files import filled
from sciflow.errors import ProfileError, WorkflowError, WorkflowFileError
from sciflow.model.document import Document
from sciflow.model.nearest import nearest
from sciflow.model.profile import ClusterProfile
from sciflow.model.validation import validated
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.model.workflow_file import read_workflow

_MODULE = "sciflow_workflow_"
_loading: list[str] = []
_directories: set[Path] = set()  # of all workflows that were loaded


class _Reached(BaseException):
    def __init__(self, workflow: ExperimentalWorkflow) -> None:
        super().__init__()
        self.workflow = workflow


def is_workflow_module(name: str) -> bool:
    """Whether a module is a workflow's own program, which must not be run a second time on the node."""
    return name.startswith(_MODULE)


def stop_if_loading(workflow: ExperimentalWorkflow) -> None:
    """End the loading of a program that has come to the point of running its workflow."""
    if _loading:
        raise _Reached(workflow)


def load_workflow(target: str | Path) -> ExperimentalWorkflow:
    """Load a workflow from a file.

    Parameters
    ----------
    target
        ``workflow.yaml``, ``experiment.py`` or ``experiment.py:name``.

    Raises
    ------
    WorkflowFileError
        Where there is no such file, or no workflow in it.
    """
    target = str(target)
    name, colon, attribute = target.rpartition(":")
    path = Path(name if colon and name.endswith(".py") else target)
    if not path.is_file():
        raise WorkflowFileError(f"there is no workflow file `{path}`", hint="`sciflow init` makes one to start from")
    if path.suffix == ".py":
        workflow = _from_program(path, attribute if colon and name.endswith(".py") else "")
    else:
        workflow = _from_document(path)
    workflow.source = path.resolve()
    return workflow


def _from_document(path: Path) -> ExperimentalWorkflow:
    if path.suffix not in (".yaml", ".yml"):
        raise WorkflowFileError(f"`{path}` is neither `.yaml` nor `.py`")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowFileError(f"`{path}` cannot be read: {getattr(error, 'strerror', None) or error}") from None
    directory = path.resolve().parent
    return read_workflow(text, str(path), directory, lambda one, where: _function(one, directory, where), filled)


def load_profile(name: str, project: Path) -> ClusterProfile:
    """Load a cluster profile by its name, or from a ``.yaml`` file.

    Raises
    ------
    ProfileError
        Where there is none, or something in it is wrong.
    """
    known = assets.profile_names(project)
    path = Path(name) if name.endswith((".yaml", ".yml")) else known.get(name)
    if path is None or not path.is_file():
        raise ProfileError(f"there is no cluster profile `{name}`", hint=nearest(name, known))
    document = Document(path.read_text(encoding="utf-8"), str(path), ProfileError)
    if not isinstance(document.value, dict):
        raise ProfileError(f"{path} holds no mapping", hint="it needs `name:` and `scheduler:`")
    return validated(ClusterProfile, document.value, str(path), ProfileError, document.locate)


def _from_program(path: Path, wanted: str) -> ExperimentalWorkflow:
    module = _module(path)
    found: dict[str, ExperimentalWorkflow] = {}
    _loading.append(str(path))
    try:
        assert module.__spec__ is not None
        assert module.__spec__.loader is not None
        module.__spec__.loader.exec_module(module)
    except _Reached as reached:
        if not wanted:
            return reached.workflow
    except (Exception, SystemExit) as error:
        if isinstance(error, WorkflowError):
            raise
        raise WorkflowFileError(f"`{path}` fails when it is loaded: {type(error).__name__}: {error}") from error
    finally:
        _loading.pop()
    found = {name: one for name, one in vars(module).items() if isinstance(one, ExperimentalWorkflow)}
    if wanted:
        if wanted not in found:
            raise WorkflowFileError(f"`{path}` has no workflow named `{wanted}`", hint=nearest(wanted, found))
        return found[wanted]
    distinct = {id(one): name for name, one in found.items()}
    if len(distinct) != 1:
        names = ", ".join(f"`{name}`" for name in found)
        raise WorkflowFileError(
            f"`{path}` has {'several workflows: ' + names if found else 'no workflow'}",
            hint=f"name one: `{path}:{next(iter(found))}`" if found else "make one with `sciflow.ExperimentalWorkflow`",
        )
    return next(iter(found.values()))


class _FromSource(SourceFileLoader):
    """Compiles a program each time: bytecode that is kept is old where a file changes twice within a second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _module(path: Path) -> ModuleType:
    resolved = path.resolve()
    _put_on_path(resolved.parent)
    name = _MODULE + resolved.stem
    spec = importlib.util.spec_from_file_location(name, resolved, loader=_FromSource(name, str(resolved)))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    return module


def _function(reference: str, directory: Path, where: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    _put_on_path(directory)
    known = sys.modules.get(module)
    beside = directory / (module.partition(".")[0] + ".py")
    if (
        known is not None
        and beside.is_file()
        and Path(getattr(known, "__file__", None) or "").resolve() != beside.resolve()
    ):
        del sys.modules[module]  # of the same name, but of another workflow
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise WorkflowFileError(
            f"{where}: `{reference}` cannot be imported: {error}", hint=f"modules are looked for in `{directory}`"
        ) from None
    except AttributeError:
        raise WorkflowFileError(f"{where}: module `{module}` has no `{name}`") from None
    except Exception as error:
        raise WorkflowFileError(f"{where}: `{module}` fails when imported: {type(error).__name__}: {error}") from error
    return found


def _put_on_path(directory: Path) -> None:
    _forget_others(directory)
    _directories.add(directory)
    with contextlib.suppress(ValueError):
        sys.path.remove(str(directory))
    sys.path.insert(0, str(directory))


def _forget_others(directory: Path) -> None:
    """Forget modules of workflows loaded before that have the names of modules of this one."""
    others = _directories - {directory}
    for name, module in list(sys.modules.items()):
        if "." in name or not others.intersection(_homes(module)) or directory in _homes(module):
            continue
        if (directory / f"{name}.py").is_file() or (directory / name).is_dir():
            for one in [one for one in sys.modules if one == name or one.startswith(name + ".")]:
                del sys.modules[one]


def _homes(module: ModuleType) -> set[Path]:
    """The directories in which a module, or package, lies."""
    folders = getattr(module, "__path__", None)
    file = getattr(module, "__file__", None)
    paths = list(folders) if folders is not None else [file] if isinstance(file, str) else []
    return {Path(path).resolve().parent for path in paths}
