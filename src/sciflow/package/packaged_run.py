"""The run that is packaged, as all parts of a package see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sciflow.model.plan import Plan
    from sciflow.results import Results
    from sciflow.store.layout import RunDirectory


@dataclass(frozen=True)
class PackagedRun:
    """The run that is packaged.

    Attributes
    ----------
    name
        The package's name, and that of the folder in its archive.
    run
        The run directory.
    manifest, plan
        What was asked, and what it came to.
    results
        What was collected of it.
    when
        When the last thing happened in the run, in UTC: every date in the package is this one, or one of the run's own,
        so that the same run packaged again gives the same bytes.
    """

    name: str
    run: RunDirectory
    manifest: Mapping[str, Any]
    plan: Plan
    results: Results
    when: datetime
