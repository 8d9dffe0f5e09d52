"""The text of commands and input decks for each task instance, from Jinja templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

from sciflow.errors import WorkflowError, WorkflowFileError
from sciflow.model.nearest import nearest
from sciflow.model.task import Task
from sciflow.planning.quoting import Raw, RunPath, RunValue, fill_in
from sciflow_shim import files

# What a command is redirected to is written by it, and no part of its code.
_BESIDE_WORKFLOW = re.compile(r"(?<!>)(?<!> )\{\{\s*workflow_dir\s*\}\}/([^\s\"'{}();|&<>]+)")


class EarlierResults:
    """One earlier task instance as templates see it: outputs are paths, other results come when the job starts."""

    def __init__(self, task: Task, instance: str, parameters: Mapping[str, Any]) -> None:
        self._task = task
        self._instance = instance
        self.parameters = parameters

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        if name in self._task.outputs:
            return RunPath(f"{files.work(self._task.name, self._instance)}/{name}")
        if self._task.kind == "command" and name not in self._task.extract:
            raise KeyError(f"task `{self._task.name}` has no output or metric `{name}`")
        return RunValue(self._task.name, str(name))


class CommandTemplate:
    """A task's command and input decks.

    Parameters
    ----------
    task
        The task.
    directory
        The workflow's directory: ``workflow_dir`` in templates, and where templates of `files` are.
    parameters
        The names of the parameters that templates may mention.
    before
        The names of the earlier tasks that they may mention.

    Attributes
    ----------
    parameters, inputs : frozenset of str
        Those that they do mention.
    wants_all_parameters : bool
        Whether the command reads the file that holds all parameters.
    """

    def __init__(self, task: Task, directory: Path, parameters: Collection[str], before: Collection[str]) -> None:
        assert task.command is not None
        self.task = task
        self.directory = directory.resolve()
        self.where = f"the command of task `{task.name}`"
        self._values: list[Any] = []
        # With `pass_context` Jinja does not fold constants, so values are marked in the order of the text.
        shell = _environment(jinja2.pass_context(lambda _context, value: self._mark(value)))
        plain = _environment(_deck_text)
        mentioned, inputs = set[str](), set[str]()
        self._command = self._compiled(shell, task.command, self.where, parameters, mentioned, inputs, before)
        self.sources: dict[str, str] = {}
        self._decks: dict[str, jinja2.Template] = {}
        for target, source in task.files.items():
            where = f"`{source}`, the template of `{target}` in task `{task.name}`"
            self.sources[source] = _read(self.directory / source, where)
            self._decks[target] = self._compiled(
                plain, self.sources[source], where, parameters, mentioned, inputs, before
            )
        self.parameters = frozenset(mentioned | _in_environment(task.command, parameters))
        self.wants_all_parameters = "parameters.json" in task.command
        self.inputs = frozenset(inputs)
        # Files beside the workflow that the command names are as much part of its code as the command.
        named = {name for name in _BESIDE_WORKFLOW.findall(task.command) if (self.directory / name).is_file()}
        self.code_files = sorted(named)

    def render(self, parameters: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        """The command for one instance, values quoted for bash."""
        self._values.clear()
        text = self._filled(self._command, parameters, inputs, self.where)
        return fill_in(text, self._values, self.where)

    def render_files(self, parameters: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, str]:
        """The input decks for one instance."""
        return {
            target: self._filled(template, parameters, inputs, f"file `{target}` of task `{self.task.name}`")
            for target, template in self._decks.items()
        }

    def _mark(self, value: Any) -> str:
        if isinstance(value, jinja2.Undefined):
            str(value)  # StrictUndefined says what is missing
        self._values.append(value)
        return f"\x02{len(self._values) - 1}\x03"

    def _filled(
        self, template: jinja2.Template, parameters: Mapping[str, Any], inputs: Mapping[str, Any], where: str
    ) -> str:
        names = {name: value for name, value in parameters.items() if name in self.parameters}
        try:
            return template.render({**names, "inputs": inputs, "workflow_dir": str(self.directory)})
        except jinja2.TemplateError as error:
            raise WorkflowError(f"{where} cannot be rendered: {error.message}") from error
        except Exception as error:  # filters and tests of a template fail in their own ways
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise WorkflowError(f"{where} cannot be rendered at {dict(names)}: {text}") from error

    def _compiled(
        self,
        environment: jinja2.Environment,
        text: str,
        where: str,
        parameters: Collection[str],
        mentioned: set[str],
        inputs: set[str],
        before: Collection[str],
    ) -> jinja2.Template:
        if "\x02" in text or "\x03" in text:
            raise WorkflowError(f"{where} holds a control character (\\x02 or \\x03)")
        try:
            tree = environment.parse(text)
        except jinja2.TemplateSyntaxError as error:
            raise WorkflowError(f"{where} is no template, line {error.lineno}: {error.message}") from None
        for name in sorted(jinja2.meta.find_undeclared_variables(tree)):
            if name in parameters:
                mentioned.add(name)
            elif name not in ("inputs", "workflow_dir"):
                raise WorkflowError(
                    f"{where} mentions `{name}`, which is no parameter",
                    hint=nearest(name, [*parameters, "inputs", "workflow_dir"]),
                )
        inputs |= _mentioned_inputs(tree, where, before)
        return environment.from_string(text)


def _environment(finalize: Callable[..., str]) -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, finalize=finalize, keep_trailing_newline=True, autoescape=False
    )
    environment.filters["raw"] = lambda value: Raw(_deck_text(value))
    return environment


def _deck_text(value: Any) -> str:
    if isinstance(value, RunPath | RunValue | jinja2.Undefined):
        return str(value)
    return files.as_text(value)


def _in_environment(command: str, parameters: Collection[str]) -> set[str]:
    """The parameters that a command takes as environment variables."""
    variables = re.findall(r"\$\{?(?:SCIFLOW_PARAMETER_)?(\w+)", command)
    return set(parameters).intersection(variables)


def _mentioned_inputs(tree: jinja2.nodes.Template, where: str, before: Collection[str]) -> set[str]:
    """The earlier tasks that a template names; all of them where it uses `inputs` as a whole."""
    named, whole = set[str](), 0
    for node in tree.find_all((jinja2.nodes.Getattr, jinja2.nodes.Getitem)):
        target = node.node
        if isinstance(target, jinja2.nodes.Name) and target.name == "inputs":
            constant = node.arg if isinstance(node, jinja2.nodes.Getitem) else None
            task = node.attr if isinstance(node, jinja2.nodes.Getattr) else getattr(constant, "value", None)
            if task is None:
                continue
            whole -= 1
            if task not in before:
                raise WorkflowError(
                    f"{where} reads `inputs.{task}`, which is no task before it",
                    hint=nearest(str(task), before) or "name it in `depends_on`",
                )
            named.add(task)
    whole += sum(1 for node in tree.find_all(jinja2.nodes.Name) if node.name == "inputs")
    return set(before) if whole > 0 else named


def _read(path: Path, where: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise WorkflowFileError(f"{where} cannot be read from `{path}`: {reason}") from None
