"""A run directory that holds nothing but a manifest: which figures its workflow declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sciflow.analysis.table import RunTable
from sciflow.store.columns import Table
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables


def told_run(folder: Path, visualizations: Mapping[str, Any]) -> RunTable:
    """Make one; its tables are empty."""
    run = RunDirectory(folder)
    run.manifest.write_text(json.dumps({"format": 1, "visualizations": dict(visualizations)}))
    names = ("combinations", "instances", "attempts")
    return RunTable(run, Tables({name: Table.of({}) for name in names}, {"combinations": 0}))
