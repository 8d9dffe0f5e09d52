"""Reports as files: HTML with everything, or one page of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sciflow.analysis.observations import Observations
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.figures.chosen import MOST, Chosen, chosen
from sciflow.figures.dashboard import FORMATS as PAGE_FORMATS
from sciflow.figures.dashboard import dashboard
from sciflow.figures.files import keep
from sciflow.figures.gallery import make_folder
from sciflow.report.facts import Facts, facts_of
from sciflow.report.methods import methods_of
from sciflow.report.page import page
from sciflow.report.shown import shown

FORMATS = (".html", *PAGE_FORMATS)


@dataclass(frozen=True)
class Written:
    """A report that was written: where, what it says, and its figures."""

    path: Path
    facts: Facts
    figures: Chosen


def check_format(path: Path) -> None:
    """Refuse a file whose ending is no format of reports.

    Raises
    ------
    ResultError
        Saying which there are.
    """
    if path.suffix not in FORMATS:
        raise ResultError(
            f"`{path.suffix}` of `{path}` is no format of reports", hint=f"known are {', '.join(FORMATS)}"
        )


def report(
    results: RunTable,
    observations: Observations,
    path: str | Path,
    maximize: Sequence[str] = (),
    minimize: Sequence[str] = (),
    as_of: float | None = None,
    figures: int = MOST,
) -> Written:
    """Write what a run has shown into one file that needs no other.

    Parameters
    ----------
    results, observations
        What was collected of the run.
    path
        The file: one that is there is replaced once the new one is whole. Its folder is made.
    maximize, minimize
        The metrics of which the largest and the smallest value is the best.
    as_of
        When it was collected.
    figures
        How many figures there are at most.

    Raises
    ------
    ResultError
        For an ending that is no format, a metric that there is not, or where the file cannot be written.
    TemplateError
        Where a template is missing, or cannot be rendered.
    """
    target = Path(path)
    check_format(target)
    make_folder(target.parent)
    facts = facts_of(results, observations, maximize, minimize, as_of)
    if target.suffix in PAGE_FORMATS:
        made = dashboard(results, observations, maximize, minimize, facts.as_of, figures)
        drawn, content = Chosen(made.pictures, made.missing), made.image(target.suffix)
    else:
        drawn = chosen(results, observations, figures)
        content = page(
            facts, [shown(one) for one in drawn.pictures], drawn.missing, _methods(results, observations), Path()
        )
    keep(target, content)
    return Written(target, facts, drawn)


def _methods(results: RunTable, observations: Observations) -> str:
    """The paragraph for a paper; empty where only the results were kept, and not what they come from."""
    is_known = results.run.manifest.is_file() and results.run.plan.is_file()
    return methods_of(results, observations).to_text() if is_known else ""
