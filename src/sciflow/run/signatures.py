"""What errors have in common: texts without what differs from index to index."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 120  # characters of a signature
_PATH = r"(?<![\w.…])/(?:[^\s/'\"`:,;()\[\]]+/)+([^\s/'\"`:,;()\[\]]*)"
_NUMBER = r"0[xX][0-9a-fA-F]+|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_PARTS = re.compile(
    # What is in backticks is a name or a rule, and codes and signals say what happened: these are kept.
    rf"(?P<quoted>`[^`\n]*`)|(?P<kept>\b(?:code|signal|Errno) -?\d+(?::\d+)?)|(?P<path>{_PATH})|(?P<number>{_NUMBER})"
)


@lru_cache(maxsize=4096)
def normalised(text: str) -> str:
    """The first line of an error with `N` for its numbers and with the last part of its paths alone, shortened."""
    line = _PARTS.sub(_common, text.partition("\n")[0].strip())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _common(match: re.Match[str]) -> str:
    if match["quoted"]:
        return re.sub(_PATH, r"…/\1", match["quoted"])
    if match["path"]:
        return "…/" + re.sub(_NUMBER, "N", match["path"].rpartition("/")[2])
    return match["kept"] or "N"
