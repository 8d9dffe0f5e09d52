"""Runs the user's command under bash, and takes its metrics out of what it left."""

from __future__ import annotations

import json
import os
import re
import signal

from sciflow_shim import files, packing
from sciflow_shim.array import Array
from sciflow_shim.artifacts import describe_file
from sciflow_shim.outcome import Outcome
from sciflow_shim.upstream import Upstream

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

LONGEST_ARGUMENT = 100_000  # bytes; Linux takes 128 KiB in one argument
_FORTRAN = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))[dD]([-+]?\d+)\s*")  # double precision: 1.5D+03
_INPUT = re.compile("\x02input:([^\x03?]*)\\?([^\x03]*)\x03")
_INPUT_VARIABLE = re.compile(r"SCIFLOW_INPUT_[A-Za-z0-9_]+")
# Variables without which, or with other values of which, no program starts.
_NOT_FOR_PARAMETERS = frozenset(
    (
        *("PATH", "HOME", "SHELL", "USER", "TMPDIR", "PWD", "IFS", "ENV", "BASH_ENV"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONHOME"),
    )
)


def prepare(array: Array, line: dict[str, Any], index: int, work: str) -> dict[str, str]:
    """Write what a command finds in its working directory, and give the variables it finds in its environment."""
    os.makedirs(work, exist_ok=True)
    parameters = line["parameters"]
    _write(os.path.join(work, "parameters.json"), json.dumps(parameters, ensure_ascii=False, indent=1))
    checkpoint = os.path.join(work, files.CHECKPOINT)
    os.makedirs(checkpoint, exist_ok=True)
    variables = {"SCIFLOW_RUN_DIR": array.run, "SCIFLOW_CHECKPOINT_DIR": checkpoint}
    for name, value in parameters.items():
        text = files.as_text(value)
        variables["SCIFLOW_PARAMETER_" + name] = text
        if name not in _NOT_FOR_PARAMETERS:
            variables[name] = text
    inputs = Upstream(array, line, index)
    if len(inputs):
        results = {task: inputs[task] for task in inputs}
        _write(os.path.join(work, "inputs.json"), json.dumps(_plain(results), ensure_ascii=False, indent=1))
        variables.update(_input_variables(results, line))
    for target, text in line.get("files", {}).items():
        path = os.path.join(work, target)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, _with_inputs(text.replace(files.RUN_MARK, array.run), variables, target))
    variables.update(array.task["environment"])
    return variables


def _input_variables(results: dict[str, Any], line: dict[str, Any]) -> dict[str, str]:
    """The results that the command or its decks name: all of them may be more than an environment can hold."""
    named = set(_INPUT_VARIABLE.findall("\n".join([line["command"], *line.get("files", {}).values()])))
    variables = {}
    for task, values in results.items():
        for name, value in values.items() if isinstance(values, dict) else ():
            variable = files.input_variable(task, name)
            if variable not in named:
                continue
            if value is not None and not isinstance(value, (str, int, float, os.PathLike)):
                kind = type(value).__name__
                raise ValueError(f"result `{name}` of task `{task}` is a {kind}: commands get single values only")
            variables[variable] = files.as_text(_plain(value))
    return variables


def _with_inputs(text: str, variables: dict[str, str], target: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise ValueError(f"`{target}` cannot be written: {match[2]}")
        return variables[match[1]]

    return _INPUT.sub(replaced, text)


def execute(text: str, variables: dict[str, str]) -> None:
    """Become bash, running the command; a line that fails ends it. Does not return."""
    environment = {**os.environ, **variables}
    # What is ignored when bash starts it cannot trap, and programs in a pipe would not end with it.
    for number in (signal.SIGUSR1, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    arguments = ["bash", "-e", "-o", "pipefail"]
    if len(text.encode()) < LONGEST_ARGUMENT:
        arguments += ["-c", text]
    else:
        descriptor = os.memfd_create("command", 0)
        os.write(descriptor, text.encode())
        arguments.append(f"/proc/self/fd/{descriptor}")
    os.execvpe("bash", arguments, environment)


def gather(array: Array, work: str, log: str) -> Outcome:
    """Take metrics and outputs from what a command left.

    Raises
    ------
    ValueError
        For a metric that is not there or has the wrong type.
    FileNotFoundError
        For an output or a file that is not there.
    """
    outcome = Outcome()
    outcome.returned = "mapping"
    declared = array.task.get("results", {})
    for name, rule in array.task["extract"].items():
        problem = "ResultMissing"
        try:
            found = _located(rule, work, log)
            problem = "ResultType"
            value = _converted(name, found, rule["type"])
        except (OSError, ValueError) as error:
            if name not in declared:
                raise
            outcome.lacking[name] = [problem, _why(error, work)]
        else:
            packing.pack(outcome, name, value, work)
    for output in array.task["outputs"]:
        path = os.path.join(work, output)
        if not os.path.exists(path):
            if output in declared:
                continue
            raise FileNotFoundError(f"the command ended well, but its output `{output}` is not there")
        outcome.order.append(output)
        outcome.artifacts.append(describe_file(output, path))
    return outcome


def _why(error: OSError | ValueError, work: str) -> str:
    """Why a declared result could not be taken."""
    if isinstance(error, OSError) and error.filename:
        return f"`{os.path.relpath(error.filename, work)}` cannot be read: {error.strerror}"
    return str(error)


def _located(rule: dict[str, Any], work: str, log: str) -> Any:
    if "stdout" in rule:
        return _matched(rule["stdout"], log, "what it printed")
    if "log" in rule:
        return _matched(rule["pattern"], os.path.join(work, rule["log"]), f"`{rule['log']}`")
    if "json_file" in rule:
        return _from_json(os.path.join(work, rule["json_file"]), rule["key"])
    if "csv" in rule:
        return _from_csv(os.path.join(work, rule["csv"]), rule["column"], rule["row"])
    return _from_hdf5(os.path.join(work, rule["hdf5"]), rule["dataset"])


def _converted(name: str, found: Any, kind: str) -> Any:
    try:
        return [_typed(one, kind) for one in found] if isinstance(found, list) else _typed(found, kind)
    except (TypeError, ValueError):
        raise ValueError(f"metric `{name}` is {found!r}, which is no {kind}") from None


def _typed(value: Any, kind: str) -> Any:
    if kind == "bool":
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        text = str(value).strip().lower()
        if text not in words:
            raise ValueError(value)
        return words[text]
    if kind == "int" and isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    if kind == "float" and isinstance(value, str) and (match := _FORTRAN.fullmatch(value)):
        value = f"{match[1]}e{match[2]}"
    return {"float": float, "int": int, "str": str}[kind](value)


def _matched(pattern: str, path: str, where: str) -> str:
    found = None
    with open(path, encoding="utf-8", errors="replace") as file:
        for text in file:
            for match in re.finditer(pattern, text):
                found = match  # the last one counts: programs print progress before results
    if found is None:
        raise ValueError(f"nothing in {where} matches `{pattern}`")
    return found[1] if found.re.groups else found[0]


def _from_json(path: str, key: str) -> Any:
    with open(path, encoding="utf-8") as file:
        value = json.load(file)
    for part in key.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ValueError(f"`{os.path.basename(path)}` has no `{key}`") from None
    return value


def _from_csv(path: str, column: str, row: str | int) -> Any:
    import csv

    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        if column not in (reader.fieldnames or ()):
            raise ValueError(f"`{os.path.basename(path)}` has no column `{column}` but {reader.fieldnames}")
        values = [line[column] for line in reader]
    if row == "all":
        return values
    try:
        return values[0 if row == "first" else -1 if row == "last" else int(row)]
    except IndexError:
        raise ValueError(f"`{os.path.basename(path)}` has {len(values)} rows, no row {row}") from None


def _from_hdf5(path: str, dataset: str) -> Any:
    import h5py  # only where a task asks for it

    with h5py.File(path, "r") as file:
        if dataset not in file:
            raise ValueError(f"`{os.path.basename(path)}` has no dataset `{dataset}`")
        found: Any = file[dataset]
        value = found[()]
    return value.tolist() if hasattr(value, "tolist") else value


def _plain(values: Any) -> Any:
    """Results as JSON has them: numbers, texts and paths; arrays stay in the record."""
    if isinstance(values, list):
        rows: list[Any] = [_plain(one) for one in values]
        parameters = getattr(values, "parameters", None)
        return [{"parameters": p, "results": r} for p, r in zip(parameters, rows)] if parameters is not None else rows
    if isinstance(values, dict):
        return {name: _plain(value) for name, value in values.items()}
    if isinstance(values, os.PathLike):
        return os.fspath(values)
    return values if isinstance(values, (str, int, float, bool)) or values is None else f"<{type(values).__name__}>"


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
