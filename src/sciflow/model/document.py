"""YAML text to plain values, strictly: every problem has a line, and every value a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from sciflow.errors import SciflowError

_PREFIX = "tag:yaml.org,2002:"
_KNOWN_TAGS = {_PREFIX + name for name in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map", "value")}
# The core schema of YAML 1.2: `no` and `on` are words, `22:30` is text, and `1e-3` is a number.
_CORE = (
    (re.compile(r"~|null|Null|NULL|"), lambda _text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[2:], 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", "", 1))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _text: float("nan")),
)
_MOST_VALUES = 2_000_000  # aliases of aliases can make a small text enormous
Path = tuple[int | str, ...]


class Document:
    """Plain values read from YAML text, and the line of each.

    Parameters
    ----------
    text
        The text.
    name
        The file's name, for messages.
    error
        The exception to raise.

    Attributes
    ----------
    value : object
        What the text says.

    Raises
    ------
    SciflowError
        Of class `error`: for text that is no YAML, for a key that stands twice, and for tags.
    """

    def __init__(self, text: str, name: str, error: type[SciflowError]) -> None:
        self.name = name
        self._error = error
        self._lines: dict[Path, int] = {}
        self._count = 0
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as problem:
            raise self._explained(problem, text) from None
        except yaml.reader.ReaderError as problem:
            line = text.count("\n", 0, problem.position) + 1
            raise error(
                f"{name}, line {line}: the character {chr(problem.character)!r} is not allowed in YAML"
            ) from None
        except RecursionError:
            raise error(f"{name} is nested too deeply") from None
        self.value: Any = self._read(node, ()) if node is not None else None

    def locate(self, path: Path) -> str:
        """Where a value stands: ``file.yaml, line 7``."""
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self.name}, line {self._lines.get(path, 1)}"

    def _explained(self, problem: yaml.MarkedYAMLError, text: str) -> SciflowError:
        mark = problem.problem_mark or problem.context_mark
        number = mark.line + 1 if mark else 1
        line = (text.splitlines() or [""])[min(number, len(text.splitlines())) - 1] if text else ""
        if "\t" in line[: len(line) - len(line.lstrip())] or "'\\t'" in str(problem.problem):
            return self._error(f"{self.name}, line {number}: indented with a tab", hint="YAML indents with spaces only")
        return self._error(f"{self.name}, line {number}: {problem.problem}", hint=f"the line is: {line.strip()}")

    def _read(self, node: yaml.Node, path: Path) -> Any:
        self._lines[path] = node.start_mark.line + 1
        self._count += 1
        if self._count > _MOST_VALUES or len(path) > 100:
            raise self._error(f"{self.name} is too large or nested too deeply", hint="aliases multiply what they name")
        if node.tag not in _KNOWN_TAGS:
            raise self._error(
                f"{self.locate(path)}: the tag `{node.tag}` has no meaning here", hint="write plain values"
            )
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._read(one, (*path, number)) for number, one in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(f"{self.name}, line {line}: a key must be a word")
            name = str(key.value)
            if name in seen:
                raise self._error(f"{self.name}, line {line}: `{name}` stands twice; first in line {seen[name]}")
            seen[name] = line
            read = self._read(value, (*path, name))
            self._lines[(*path, name)] = line
            yield name, read

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        if node.style is not None:  # quoted, or a block of text
            return node.value
        for pattern, convert in _CORE:
            if pattern.fullmatch(node.value):
                try:
                    return convert(node.value)
                except ValueError as problem:
                    raise self._error(f"{self.locate(path)}: {problem}") from None
        return node.value
