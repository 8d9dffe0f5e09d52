"""Tables, figures and a report of what is packaged: the same for the same run."""

from __future__ import annotations

from dataclasses import replace

from sciflow.figures.chosen import Titled, chosen
from sciflow.figures.time_axis import told_anywhere
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.packaged_run import PackagedRun
from sciflow.report.facts import Facts, facts_of
from sciflow.report.methods import methods_of
from sciflow.report.page import page
from sciflow.report.shown import MOST_PAGES, shown

MOST = 6  # figures, where the workflow does not declare more
_ENDINGS = (".png", ".svg")


def gather_tables(packaged: PackagedRun, contents: Contents) -> None:
    """Take in one row per combination: parameters, then metrics, then the state."""
    text = packaged.results.to_dataframe().to_csv(index=False, lineterminator="\n")
    contents.add(layout.TABLE, text.encode(), "one row for each combination: parameters, metrics, state")


def gather_pictures(packaged: PackagedRun, contents: Contents, with_figures: bool = True) -> Facts:
    """Take in the report, and the figures that the workflow declares, then those that show most.

    Nothing in them tells when or where they were made: they are of the run's own time.

    Parameters
    ----------
    with_figures
        Whether figures are drawn.

    Returns
    -------
    Facts
        What the report says.
    """
    results, when = packaged.results, packaged.when.timestamp()
    facts = replace(facts_of(results, results.observations, as_of=when), path=layout.RUN)
    declared = len(packaged.manifest.get("visualizations") or {})
    with told_anywhere():
        drawn = chosen(results, results.observations, max(MOST, declared) if with_figures else 0)
    for one in drawn.pictures:
        _take(one, contents)
    for name, why in drawn.missing.items():
        contents.warnings.append(f"figure `{name}` could not be made: {why}")
    methods = methods_of(results, results.observations).to_text()
    # Only templates that come with sciflow or are the user's own: whatever lies around here has no part in it.
    text = page(facts, [shown(one) for one in drawn.pictures], drawn.missing, methods, packaged.run.path, when)
    contents.add(layout.REPORT, text.encode(), "all that the run has shown, on one page")
    return facts


def _take(figure: Titled, contents: Contents) -> None:
    pages = min(figure.picture.pages, MOST_PAGES)
    for number in range(pages):
        name = figure.name if pages == 1 else f"{figure.name}-{number + 1}"
        for ending in _ENDINGS:
            image = figure.picture.image(ending, number)
            contents.add(f"{layout.FIGURES}/{name}{ending}", image, figure.title)
