"""Which array jobs a policy holds for: conditions on what they ask for."""

from __future__ import annotations

import operator
import re
from typing import Annotated

from pydantic import AfterValidator

from sciflow.model.resources import GIB, Resources
from sciflow.model.validation import Value

_CONDITION = re.compile(r"(>=|<=|>|<|==|=)\s*(\d+(?:\.\d+)?)")
_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
}


def _is_a_condition(text: str) -> str:
    if not _CONDITION.fullmatch(text.strip()):
        raise ValueError(f"`{text}` is no condition; write it like `>= 4`")
    return text


Condition = Annotated[str, AfterValidator(_is_a_condition)]


class AppliesTo(Value):
    """What an array job asks for where a policy holds for it: all conditions that are said, such as ``">= 4"``.

    `cpu_cores`, `memory_gb`, `gpus` and `runtime_hours` are those of one array index, `core_hours` those of all.
    """

    cpu_cores: Condition | None = None
    memory_gb: Condition | None = None
    gpus: Condition | None = None
    runtime_hours: Condition | None = None
    core_hours: Condition | None = None

    def holds(self, request: Resources, elements: int = 1) -> bool:
        """Whether an array job of so many indices is meant; what it does not ask for counts as none."""
        asked = {
            "cpu_cores": request.all_cores,
            "memory_gb": request.memory_bytes / GIB,
            "gpus": request.gpus,
            "runtime_hours": request.runtime_seconds / 3600,
            "core_hours": request.core_hours * elements,
        }
        return all(_compare(asked[name], text) for name, text in self.said().items())

    def said(self) -> dict[str, str]:
        """The conditions, by what they are about."""
        return {name: text for name in type(self).model_fields if (text := getattr(self, name)) is not None}

    def describe(self) -> str:
        """Say the conditions in one line."""
        return " and ".join(f"{name.replace('_', ' ')} {text.strip()}" for name, text in self.said().items())


def _compare(amount: float, text: str) -> bool:
    match = _CONDITION.fullmatch(text.strip())
    assert match is not None
    return _COMPARE[match[1]](amount, float(match[2]))
