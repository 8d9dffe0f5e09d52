"""Kinds of fields that several values have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from sciflow_shim import files

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def one_or_more(value: Any) -> Any:
    """Take one text for a list of one."""
    return (value,) if isinstance(value, str) else value


def _variables(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    for name, text in value.items():
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} cannot name an environment variable; use letters, digits and `_`")
        if isinstance(text, str) and "\0" in text:
            raise ValueError(f"`{name}` holds a NUL, which no environment variable can")
    return {name: files.as_text(text) if isinstance(text, int | float) else text for name, text in value.items()}


NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_SCALARS = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}

Names = Annotated[tuple[str, ...], BeforeValidator(one_or_more), WithJsonSchema(NAMES_SCHEMA)]
Variables = Annotated[dict[str, str], BeforeValidator(_variables), WithJsonSchema(_SCALARS)]
