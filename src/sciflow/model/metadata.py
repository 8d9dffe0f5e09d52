"""What a task wants to be recorded beyond what every record holds."""

from __future__ import annotations

import re

from pydantic import field_validator

from sciflow.model.fields import Names
from sciflow.model.validation import Value

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")
_COMMAND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class MetadataRequest(Value):
    """Environment variables, commands whose output tells of the node, and files that a program leaves."""

    variables: Names = ()
    commands: dict[str, str] = {}
    files: Names = ()

    @field_validator("variables")
    @classmethod
    def _are_variables(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(
                    f"{name!r} names no environment variable; write its name, or how the names of several begin, "
                    "like `FFTW_*`"
                )
        return value

    @field_validator("commands")
    @classmethod
    def _are_commands(cls, value: dict[str, str]) -> dict[str, str]:
        for name, command in value.items():
            if not _COMMAND.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a command; use letters, digits, `_`, `-` and `.`")
            if not command.strip() or "\0" in command:
                raise ValueError(f"the command `{name}` is {command!r}, which is no line for bash")
        return value

    @field_validator("files")
    @classmethod
    def _stay_inside(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path or path.startswith("/") or ".." in path.split("/") or "\0" in path:
                raise ValueError(f"{path!r} does not stay inside the working directory")
        return value
