"""Lists of nodes as Slurm writes and reads them: ``n[1-3,7],login``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sciflow.schedulers.fake.slurm.lists import write_list


def read_hosts(text: str) -> list[str]:
    """The names in a list of nodes, in order."""
    names: list[str] = []
    for part in re.findall(r"[^,\[\]]*\[[^\]]*\][^,]*|[^,]+", text):
        match = re.fullmatch(r"(.*?)\[(.*)\](.*)", part)
        if match is None:
            names.append(part)
            continue
        for item in match[2].split(","):
            first, dash, last = item.partition("-")
            numbers = range(int(first), int(last if dash else first) + 1)
            names += [f"{match[1]}{number:0{len(first)}d}{match[3]}" for number in numbers]
    return names


def write_hosts(names: Iterable[str]) -> str:
    """A list of nodes, with those together that differ by their number only."""
    groups: dict[tuple[str, int], list[int]] = {}
    for name in names:
        match = re.fullmatch(r"(.*?)(0|[1-9]\d*|\d+)", name)
        prefix, digits = (match[1], match[2]) if match else (name, "")
        width = len(digits) if digits.startswith("0") and len(digits) > 1 else 0
        groups.setdefault((prefix, width if digits else -1), []).append(int(digits or 0))
    return ",".join(_written(prefix, width, sorted(numbers)) for (prefix, width), numbers in groups.items())


def _written(prefix: str, width: int, numbers: list[int]) -> str:
    if width < 0:
        return prefix
    if len(numbers) == 1:
        return f"{prefix}{numbers[0]:0{width}d}"
    ranges = re.sub(r"\d+", lambda one: f"{int(one[0]):0{width}d}", write_list(numbers, steps=False))
    return f"{prefix}[{ranges}]"
