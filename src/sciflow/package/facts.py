"""`package.json`: what is in a package, what was left out and why, and how it is run again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.digests import file_digest
from sciflow.store.results import INSTANCES
from sciflow_shim.files import format_ranges

# Kind → what begins with these is of it; the first that fits.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "instructions": (layout.README, layout.REPRODUCE),
    "project": (f"{layout.PROJECT}/",),
    "records": (f"{layout.RUN}/records/", f"{layout.RUN}/sealed/"),
    "logs": (f"{layout.RUN}/logs/",),
    "scripts": (f"{layout.RUN}/scripts/",),
    "result files": (f"{layout.RUN}/work/",),
    "run": (f"{layout.RUN}/",),
    "tables": ("results/",),
    "figures": (f"{layout.FIGURES}/",),
    "report": (layout.REPORT,),
    "environment": ("environment/",),
    "licence and citation": (layout.LICENSE, layout.CITATION),
}


def state_of(packaged: PackagedRun) -> dict[str, Any]:
    """How complete the run is.

    Returns
    -------
    dict
        `complete`; `counts`: state → how many task instances have it; `missing`: array job → state → ranges of the
        indices that are not completed; `combinations` and `completed`: how many there are, and how many have results.
    """
    table = packaged.results.tables.table(INSTANCES)
    rows = list(zip(table["array"], table["index"], table["state"], strict=True)) if table.count else []
    counts = Counter(state for _, _, state in rows)
    missing: dict[str, dict[str, list[int]]] = {}
    for array, index, state in rows:
        if state != State.COMPLETED.value:
            missing.setdefault(array, {}).setdefault(state, []).append(index)
    return {
        "complete": set(counts) == {State.COMPLETED.value},
        "counts": {state.value: counts[state.value] for state in State if state.value in counts},
        "missing": {
            array: {state: format_ranges(sorted(indices)) for state, indices in sorted(of_array.items())}
            for array, of_array in missing.items()
        },
        "combinations": len(packaged.results),
        "completed": packaged.results.completed,
    }


def facts_of_package(
    packaged: PackagedRun, contents: Contents, folder: Path, redacted: Mapping[str, int], more: Mapping[str, Any]
) -> bytes:
    """The text of `package.json`.

    Parameters
    ----------
    folder
        The payload, in which all lies that the package has but its metadata.
    redacted
        Path → how many secrets were taken out of it.
    more
        How it is run again.
    """
    facts = {
        "format": layout.FORMAT,
        "name": packaged.name,
        "sciflow": version("sciflow"),
        "run": packaged.manifest["run"],
        "workflow": packaged.manifest["workflow"],
        "created": packaged.manifest["created"],
        "when": packaged.when.isoformat(),
        "state": state_of(packaged),
        **more,
        "left_out": [asdict(one) for one in contents.left_out],
        "redacted": dict(sorted(redacted.items())),
        "warnings": list(contents.warnings),
        "contents": _kinds(contents),
        "files": [{"path": path, "sha256": file_digest(folder / path)} for path in sorted(contents.entries)],
    }
    return (json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode()


def _kinds(contents: Contents) -> dict[str, list[str]]:
    """Kind → the folders and files of it."""
    found: dict[str, dict[str, None]] = {}
    for path in sorted(contents.entries):
        kind = next((kind for kind, begins in _KINDS.items() if path.startswith(begins)), "other")
        place = next((one for one in _KINDS.get(kind, ()) if one.endswith("/") and path.startswith(one)), path)
        found.setdefault(kind, {})[place] = None
    return {kind: list(places) for kind, places in found.items()}
