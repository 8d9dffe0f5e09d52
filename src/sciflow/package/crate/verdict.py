"""What those who ran a package again have found, added to its crate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from sciflow.package import layout
from sciflow.package.crate.files import add_one
from sciflow.package.crate.graph import ROOT, as_list, fragment, opened
from sciflow.package.crate.people import not_stated


@dataclass(frozen=True)
class VerdictFacts:
    """What a crate says of a verdict.

    Attributes
    ----------
    verdict
        In a word: ``reproduced``.
    summary
        In a sentence or two, for people.
    start, end
        When it was run again.
    sciflow
        The version that ran it again.
    user
        Who did so; empty where that is not to be said.
    """

    verdict: str
    summary: str
    start: datetime
    end: datetime
    sciflow: str
    user: str = ""


def add_verdict(folder: Path, path: str, facts: VerdictFacts) -> Path:
    """Add a verdict to the crate of a package: its file, and that the run was done again.

    It is no failure of an action where the results differ: the run was done again, and that is what it showed.

    Parameters
    ----------
    folder
        The payload of the package.
    path
        The verdict's file in it, which is there already.
    facts
        What to say of it.

    Returns
    -------
    Path
        The metadata, as it is now.
    """
    graph = opened(folder)
    file = add_one(graph, folder, path, f"the verdict of running it again: {facts.verdict}")
    engine = graph.add(
        fragment("sciflow", facts.sciflow),
        "SoftwareApplication",
        name="sciflow",
        softwareVersion=facts.sciflow,
        url={"@id": layout.README},
    )
    about = "the user account that ran it again"
    who = (
        graph.add(fragment("user", facts.user), "Person", name=facts.user, description=about)
        if facts.user
        else not_stated(graph)
    )
    action = graph.add(
        fragment("verdict", PurePosixPath(path).stem),
        "CreateAction",
        name=f"run again: {facts.verdict}",
        description=facts.summary,
        instrument=engine,
        agent=who,
        startTime=facts.start,
        endTime=facts.end,
        object=as_list(graph.said(ROOT, "mainEntity")),
        result=file,
        actionStatus="http://schema.org/CompletedActionStatus",
    )
    graph.link(ROOT, "mentions", [action])
    return graph.write(folder)
