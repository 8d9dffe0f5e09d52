"""Memory and durations: read, compared and printed."""

from __future__ import annotations

import re

_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d{1,2})(?::(\d{1,2}))?")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|min|m|h|hours?|d|days?|w)", re.IGNORECASE)
_SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400, "w": 604800}
_KIB = {"k": 1, "m": 2, "g": 3, "t": 4}


def parse_memory(text: str) -> int:
    """Read ``512M``, ``8 GB`` or ``1.5GiB`` as bytes; units are binary, as in Slurm and PBS.

    Raises
    ------
    ValueError
        For anything else.
    """
    match = _MEMORY.fullmatch(text.strip())
    if not match or not match[2]:
        raise ValueError(f"`{text}` is no amount of memory; write it like `8G` or `512M`")
    return round(float(match[1]) * 1024 ** _KIB[match[2].lower()])


def parse_duration(text: str) -> int:
    """Read ``90 min``, ``12h``, ``02:30:00`` or ``1-12:00:00`` as seconds.

    ``H:MM`` is hours and minutes, so ``1:30`` means ninety minutes.

    Raises
    ------
    ValueError
        For anything else.
    """
    text = text.strip()
    if match := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    if match := _AMOUNT.fullmatch(text):
        unit = match[2].lower()
        return round(float(match[1]) * _SECONDS[unit.removesuffix("s") if len(unit) > 1 else unit])
    raise ValueError(f"`{text}` is no duration; write it like `90 min`, `12h` or `02:30:00`")


def format_memory(size: float) -> str:
    """Print bytes for people: ``8 GB``, ``512 MB``; binary units."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1024:
            return f"{size:.3g} {unit}" if size < 100 else f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.3g} TB"


def format_duration(seconds: float) -> str:
    """Print seconds for people: ``0.2 s``, ``3 min 20 s``, ``12 h``, ``2 d 4 h``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    parts, rest = [], round(seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2])
