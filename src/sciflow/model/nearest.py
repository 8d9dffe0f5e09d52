"""The known name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that offers the nearest of the known names, or all of them."""
    names = [str(one) for one in known]
    close = difflib.get_close_matches(str(name), names, n=3)
    if close:
        return "did you mean " + " or ".join(f"`{one}`" for one in close) + "?"
    shown = ", ".join(f"`{one}`" for one in names[:20])
    return f"known are {shown}{', …' if len(names) > 20 else ''}" if names else ""
