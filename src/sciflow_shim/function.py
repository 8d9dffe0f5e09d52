"""Runs the user's Python function, in a process of its own."""

from __future__ import annotations

import os
import sys

from sciflow_shim.array import Array
from sciflow_shim.outcome import Outcome
from sciflow_shim.record_format import sha256

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable

    from sciflow_shim.context import TaskContext

TRACEBACK_LIMIT = 8_000  # characters that a record keeps
# What is loaded only when it is needed, and what that loads in turn.
_LATE = frozenset(
    (
        *("array", "copy", "pathlib", "pickle", "traceback", "_compat_pickle", "_colorize", "fnmatch", "glob"),
        *("ipaddress", "linecache", "ntpath", "textwrap", "token", "tokenize", "urllib", "weakref", "_weakrefset"),
        *("struct", "hashlib", "contextlib"),
    )
)


def load_function(array: Array) -> Callable[..., Any]:
    """Import or unpickle a task's function.

    Raises
    ------
    FileChanged
        Where a module of the project is no longer what it was when the run was planned: what it gives now would be
        kept as results of the old code.
    """
    stored = array.task["function"]
    for path, digest in stored.get("modules", {}).items():
        _check_module(path, digest)
    _load_what_is_hidden(stored["path"])
    for folder in reversed(stored["path"]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    if "pickle" in stored:
        import pickle

        with open(array.path(stored["pickle"]), "rb") as file:
            return pickle.load(file)
    __import__(stored["module"])
    found: Any = sys.modules[stored["module"]]
    for part in stored["qualname"].split("."):
        found = getattr(found, part)
    return found


def _load_what_is_hidden(folders: list[str]) -> None:
    """Load modules of Python's own before files of the project, such as a `token.py`, could be taken for them."""
    for folder in folders:
        try:
            names = {name.partition(".")[0] for name in os.listdir(folder)}
        except OSError:  # its modules are not found either, and that is said
            continue
        if not _LATE.isdisjoint(names):
            import contextlib  # noqa: F401
            import hashlib  # noqa: F401
            import traceback  # noqa: F401

            from sciflow_shim import context, packing, record  # noqa: F401

            __import__("array")
            return


def _check_module(path: str, digest: str) -> None:
    try:
        with open(path, "rb") as file:
            content = file.read()
        found = sha256(len(content))
        found.update(content)
        if found.hexdigest() == digest:
            return
        problem = ""
    except OSError as error:
        problem = f"cannot be read any more: {error.strerror}"
    from sciflow_shim.inputs import CHANGED, FileChanged  # only where there is something to say

    raise FileChanged(path, problem or CHANGED)


def call_function(
    array: Array, line: dict[str, Any], facts: dict[str, Any], work: str, function: Callable[..., Any] | None
) -> tuple[Outcome, int]:
    """Call a function with what it names; every way in which it can end becomes an outcome and an exit code.

    Parameters
    ----------
    array
        The array job.
    line
        What the index is to do.
    facts
        The index, its attempt, seed and surroundings.
    work
        The instance's working directory.
    function
        The function when it has been loaded already.
    """
    outcome = Outcome()
    context: TaskContext | None = None
    code = 1
    try:
        function = function or load_function(array)
        positional, named, context = _arguments(array, line, facts, work, outcome)
        value = function(*positional, **named)
        from sciflow_shim import packing  # not before the user's code has started

        packing.pack_returned(outcome, value, _base(work))
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        _keep_error(outcome, error, f"the function called sys.exit({error.code!r}) instead of returning")
    except BaseException as error:  # a record must say how it ended, whatever it was
        _keep_error(outcome, error, _text(error))
    if context:
        context.finish()
    return outcome, code


def _arguments(
    array: Array, line: dict[str, Any], facts: dict[str, Any], work: str, outcome: Outcome
) -> tuple[list[Any], dict[str, Any], TaskContext | None]:
    parameters = {name: _hashable(value) for name, value in line["parameters"].items()}
    facts = {**facts, "parameters": parameters}
    inputs: Mapping[str, Any] = {}
    if array.header["upstream"]:
        from sciflow_shim.upstream import Upstream  # only for those that are given something

        inputs = Upstream(array, line, facts["index"])
    context: TaskContext | None = None
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, source, is_positional in array.task["arguments"]:
        if source == "parameter":
            value = parameters[name]
        elif source == "result":
            value = inputs[name]
        elif source == "parameters":
            value = dict(parameters)
        elif source == "inputs":
            value = {task: inputs[task] for task in inputs}
        else:
            from sciflow_shim.context import TaskContext  # only for those who ask for it

            value = context = TaskContext(facts, work, outcome)
        if is_positional:
            positional.append(value)
        else:
            named[name] = value
    if array.task["keywords"]:
        named = {**{name: value for name, value in parameters.items() if name not in named}, **named}
    return positional, named, context


def _hashable(value: Any) -> Any:
    # JSON has no tuples; axes have no lists.
    return tuple(_hashable(one) for one in value) if isinstance(value, list) else value


def _base(work: str) -> str:
    try:
        return work if os.path.isdir(work) else os.getcwd()
    except FileNotFoundError:  # the function removed the directory that it was in
        return work


def _keep_error(outcome: Outcome, error: BaseException, message: str) -> None:
    import traceback

    lines = traceback.format_exception(type(error), error, _users_frames(error))
    outcome.error = {
        "type": type(error).__name__,
        "message": message[:2_000],
        "traceback": "".join(lines)[-TRACEBACK_LIMIT:],
    }
    try:
        sys.stderr.write("".join(lines))
    except Exception:  # the program closed or replaced it; the record has it all
        return


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:
        return f"<its text cannot be made: {type(second).__name__}>"


def _users_frames(error: BaseException) -> Any:
    here = os.path.dirname(os.path.abspath(__file__))
    frames = error.__traceback__
    while frames is not None and os.path.dirname(os.path.abspath(frames.tb_frame.f_code.co_filename)) == here:
        frames = frames.tb_next
    return frames or error.__traceback__
