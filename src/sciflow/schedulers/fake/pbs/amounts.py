"""Amounts as PBS reads and writes them: memory, times, chunks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MEMORY = re.compile(r"(\d+)([kmgtp]?)([bw]?)", re.IGNORECASE)
_MOMENT = re.compile(r"((?:(?:(?:(\d\d)?(\d\d))?(\d\d))?(\d\d))?)(\d\d)(\d\d)(?:\.(\d\d))?")
_COUNTED = ("mem", "ncpus", "ngpus", "mpiprocs")
_RESOURCES = ("ncpus", "mem", "ngpus", "mpiprocs", "ompthreads", "vnode", "host", "arch", "vmem", "software")


class Wrong(Exception):
    """What a command of PBS does not take, in its own words, and its exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def read_memory(text: str) -> int | None:
    """Bytes of ``8gb``, ``8G``, ``100m``; a plain number is bytes. None for what is no amount."""
    match = _MEMORY.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " ") * (8 if match[3].lower() == "w" else 1)


def read_walltime(text: str) -> float | None:
    """Seconds of ``[[H:]M:]S``, rounded up; None for what is no time."""
    parts = text.split(":")
    if len(parts) > 3 or not all(re.fullmatch(r"\d+(\.\d+)?", one) for one in parts):
        return None
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return float(math.ceil(total))


def write_walltime(seconds: float) -> str:
    """Seconds as ``HH:MM:SS``, with any number of hours."""
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def zone_of(variables: Mapping[str, str]) -> tzinfo | None:
    """Return the zone of who calls, in which the commands themselves read and write times; None for this machine's."""
    try:
        return ZoneInfo(variables["TZ"])
    except (KeyError, ValueError, ZoneInfoNotFoundError):
        return None


def read_moment(text: str, now: float, zone: tzinfo | None) -> float | None:
    """Seconds since the epoch of ``[[[[CC]YY]MM]DD]hhmm[.SS]``; None for what is no time.

    A time of day that has passed is one of tomorrow, and a day that a month has not got is one of the next month.
    """
    match = _MOMENT.fullmatch(text)
    if match is None or int(match[6]) > 23 or int(match[7]) > 59:
        return None
    here = datetime.fromtimestamp(now, zone)
    century, year, month, day = match[2], match[3], int(match[4] or here.month), int(match[5] or here.day)
    if not 1 <= month <= 12:
        return None
    whole_year = int(f"{century or str(here.year)[:2]}{year}") if year else here.year
    first = datetime(whole_year, month, 1, int(match[6]), int(match[7]), int(match[8] or 0), tzinfo=zone)
    moment = first + timedelta(days=day - 1)
    if moment.timestamp() < now and match[5] is None:
        moment += timedelta(days=1)
    return moment.timestamp()


def write_moment(seconds: float, zone: tzinfo | None) -> str:
    """Seconds since the epoch as ``Mon Nov 23 00:29:32 2026``."""
    return datetime.fromtimestamp(seconds, zone).strftime("%a %b %d %H:%M:%S %Y")


def write_minute(seconds: float) -> str:
    """Seconds since the epoch as comments have it, on the clock of the server: ``Mon Nov 23 at 00:31``."""
    return datetime.fromtimestamp(seconds).strftime("%a %b %d at %H:%M")


@dataclass(frozen=True)
class Chunks:
    """What ``select`` asks for: how many chunks, and what all of them have together; `texts` as it is shown.

    `first` is what the first chunk asks for.
    """

    count: int
    totals: Mapping[str, int]
    texts: Mapping[str, str | int]
    first: Mapping[str, str]


def read_select(text: str) -> Chunks:
    """What ``2:ncpus=4:mem=8gb+1:ncpus=1`` asks for.

    Raises
    ------
    Wrong
        For resources that there are not, or amounts that are none.
    """
    first: dict[str, str] = {}
    count, unit = 0, ""
    totals: dict[str, int] = dict.fromkeys(_COUNTED, 0)
    for chunk in text.split("+"):
        head, *parts = chunk.split(":")
        if not head.isdecimal():
            head, parts = "1", [head, *parts]
        count += int(head)
        asked = {"ncpus": "1"} | dict(_asked(parts))
        unit = unit or asked.get("mem", "").lstrip("0123456789").lower().rstrip("bw")
        for name in totals:
            totals[name] += int(head) * _amount(name, asked.get(name, "0"))
        first = first or asked
    texts: dict[str, str | int] = {name: total for name, total in totals.items() if total and name != "mem"}
    if "mem=" in text:
        size = 1024 ** " kmgtp".index(unit or " ")
        texts["mem"] = f"{totals['mem'] // size}{unit}b" if totals["mem"] % size == 0 else f"{totals['mem']}b"
    return Chunks(count, totals, texts, first)


def _asked(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _RESOURCES or not equals:
            raise Wrong(f"qsub: Unknown resource: {name}", 187)
        yield name, value


def _amount(name: str, text: str) -> int:
    found = read_memory(text) if name == "mem" else int(text) if text.isdecimal() else None
    if found is None:
        raise Wrong(f"qsub: Illegal attribute or resource value select.{name}", 166)
    return found
