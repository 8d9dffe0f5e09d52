"""How much a value may differ and still count as the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sciflow.errors import PackageError
from sciflow.model.nearest import nearest

_FORMS = (
    "`NAME=1e-3` (relative), `NAME=rel:1e-6`, `NAME=abs:0.01`, `NAME=rel:1e-6,abs:1e-9`, `NAME=exact`, `NAME=ignore`"
)
_WILD = frozenset("*?[")


@dataclass(frozen=True)
class Rule:
    """How much one value may differ.

    Attributes
    ----------
    relative, absolute
        A difference within either counts as none: relative to what the package holds, or as it is.
    is_ignored
        It is not compared at all.
    is_given
        Somebody has asked for it, so that it counts for whole numbers too.
    """

    relative: float = 0.0
    absolute: float = 0.0
    is_ignored: bool = False
    is_given: bool = True

    def allows(self, difference: float, size: float) -> bool:
        """Whether a difference from something of a size is within it."""
        return difference <= self.absolute or difference <= self.relative * size

    def to_document(self) -> dict[str, Any]:
        """The rule as JSON has it."""
        return {"ignored": True} if self.is_ignored else {"relative": self.relative, "absolute": self.absolute}

    def __str__(self) -> str:
        if self.is_ignored:
            return "ignored"
        parts = [f"{word} {value:g}" for word, value in (("rel", self.relative), ("abs", self.absolute)) if value]
        return " or ".join(parts) or "exact"


# Another library for linear algebra, or the same on another processor, adds up in another order: that changes the last
# digits of a float, of which this leaves out six. Nothing absolute, since nobody but the author knows how large a value
# of no meaning is. Whole numbers, texts and truth values have no last digits.
DEFAULT = Rule(relative=1e-9, is_given=False)


@dataclass(frozen=True)
class Tolerances:
    """Which rule counts for which value.

    Attributes
    ----------
    rules
        Name → rule: `accuracy`, `train.accuracy` where only that task's is meant, or with wildcards. The last that
        fits counts.
    default
        That of all other floats.
    """

    rules: tuple[tuple[str, Rule], ...] = ()
    default: Rule = DEFAULT

    @classmethod
    def of(cls, texts: Iterable[str]) -> Tolerances:
        """Read what a person writes: ``accuracy=1e-3``, ``loss=rel:1e-6``, ``log=ignore``.

        Raises
        ------
        PackageError
            For what is none of these.
        """
        return cls(tuple(_rule(text) for text in texts))

    def rule(self, task: str, name: str) -> Rule:
        """The rule for a value of a task."""
        for pattern, rule in reversed(self.rules):
            if fnmatchcase(name, pattern) or fnmatchcase(f"{task}.{name}", pattern):
                return rule
        return self.default

    def check(self, known: Sequence[tuple[str, str]]) -> None:
        """Refuse rules for what there is not.

        Parameters
        ----------
        known
            Task and name of all values.

        Raises
        ------
        PackageError
            For a name that no value has.
        """
        for pattern, _ in self.rules:
            if not any(fnmatchcase(name, pattern) or fnmatchcase(f"{task}.{name}", pattern) for task, name in known):
                names = list(dict.fromkeys(name for _, name in known))
                what = "fits no value" if _WILD & set(pattern) else "is no value"
                raise PackageError(f"tolerance for `{pattern}`: that {what} of the package", nearest(pattern, names))

    def to_document(self) -> dict[str, Any]:
        """The rules as JSON has them."""
        return {
            "default": self.default.to_document(),
            "rules": [{"name": name, **rule.to_document()} for name, rule in self.rules],
        }


def _rule(text: str) -> tuple[str, Rule]:
    name, sign, said = (part.strip() for part in text.rpartition("="))
    if not sign or not name or not said:
        raise PackageError(f"tolerance `{text}` cannot be read", f"it is one of {_FORMS}")
    if said in ("exact", "ignore"):
        return name, Rule(is_ignored=said == "ignore")
    found = {"rel": 0.0, "abs": 0.0}
    for part in said.split(","):
        kind, colon, number = (one.strip() for one in part.rpartition(":"))
        kind = kind if colon else "rel"
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if kind not in found or not 0 <= value < math.inf:
            raise PackageError(f"tolerance `{text}` cannot be read: `{part.strip()}`", f"it is one of {_FORMS}")
        found[kind] = value
    return name, Rule(found["rel"], found["abs"])
