"""Names of files that are taken in, and that not every system can write when a package is unpacked."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What Windows keeps for devices, signs that it has for other purposes, and ends that it cuts off.
_NOT_EVERYWHERE = re.compile(
    r'.*[<>:"|?*].*|.*[. ]|(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?', re.IGNORECASE | re.DOTALL
)


def doubts_of_names(paths: Iterable[str]) -> list[str]:
    """What there is to say of files whose names Windows cannot have: where they are unpacked there, they lack."""
    found = sorted(path for path in paths if any(_NOT_EVERYWHERE.fullmatch(part) for part in path.split("/")))
    if not found:
        return []
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    have = "have a name" if len(found) > 1 else "has a name"
    return [f"`{found[0]}`{more} {have} that Windows cannot write: the package is to be unpacked elsewhere"]
