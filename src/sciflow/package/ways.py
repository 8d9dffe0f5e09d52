"""By which metrics a workflow looks for a best, and which way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def ways_asked(manifest: Mapping[str, Any]) -> dict[str, tuple[bool, ...]]:
    """Metric → whether its largest or its smallest value is the best: both, where nobody has said."""
    found: dict[str, tuple[bool, ...]] = {}
    shown: list[str] = []
    for figure in (manifest.get("visualizations") or {}).values():
        found |= dict.fromkeys(figure.get("maximize") or (), (True,))
        found |= dict.fromkeys(figure.get("minimize") or (), (False,))
        shown += [name for name in (figure.get("value"), *(figure.get("values") or ())) if name]
    return {**dict.fromkeys(shown, (True, False)), **found}
