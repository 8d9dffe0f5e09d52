"""Text of users, programs and schedulers as a page can show it: no secrets, and nothing that only a terminal obeys."""

from __future__ import annotations

import math
import re
from typing import Any

from sciflow_shim.redaction import redact

LONGEST = 4000  # characters of one text
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])|\x9b[0-?]*[ -/]*[@-~]")
# Control characters, those that turn the direction of what follows, halves of characters, and what is no character.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def plain(text: str, longest: int = LONGEST) -> str:
    """A text without secrets, colours of a terminal and characters that nobody sees, of a bounded length."""
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text) - longest:,} more characters)"
    if not text.isprintable():
        text = _TERMINAL.sub("", text).replace("\r\n", "\n")
        # As a terminal shows it: what stands behind a carriage return stands over what was before it.
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return redact(text)


def tail(text: str, lines: int = 20, width: int = 240) -> tuple[str, bool]:
    """The last lines of a log, and whether that is not all of it."""
    found = plain(text, len(text)).rstrip().split("\n")
    last = [line if len(line) <= width else f"{line[:width]}…" for line in found[-lines:]]
    return "\n".join(last), len(found) > lines or last != found


def value_text(value: Any) -> str:
    """A value of a table: floats with six digits, nothing for what is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return plain(str(value), 200)


def counted(count: int, noun: str) -> str:
    """A count with its noun: ``1 value``, ``3 values``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def percent(share: float) -> str:
    """A share as text."""
    return "unknown" if math.isnan(share) else "< 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def hours(value: float) -> str:
    """Hours of cores as text."""
    return "unknown" if math.isnan(value) else f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
