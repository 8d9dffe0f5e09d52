"""A report as a file."""

import itertools
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import ResultError, SciflowWarning, TemplateError
from sciflow.execution import open_run
from sciflow.loading import load_workflow
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from unit.lists_as_tables import tables_of


class Page(HTMLParser):
    """What a page holds: elements by name with their attributes, and its text, but for scripts and styles.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._parts: list[str] = []
        self._is_read = True
        self.feed(path.read_text(encoding="utf-8"))
        self.text = re.sub(r"\s+", " ", "".join(self._parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._is_read = tag not in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        """Read on; cells of a table are words apart."""
        self._is_read = True
        if tag in ("td", "th"):
            self._parts.append(" ")

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self._is_read:
            self._parts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., Page]:
    """Return a function that reports on columns: parameters, metrics, then states."""

    def make(parameters: dict[str, list[Any]], metrics: dict[str, list[Any]], states: list[str] | None = None) -> Page:
        count = len(next(iter(parameters.values())))
        columns = {**parameters, **metrics, "state": states or ["COMPLETED"] * count}
        tables = tables_of(columns, {}, list(parameters), list(metrics), {"workflow": "made up"})
        path = tmp_path / "report.html"
        Results(RunDirectory(tmp_path / "20250101-000000-aa"), tables).report(path, figures=0)
        return Page(path)

    return make


def test_a_run_with_failures(finished: Path, tmp_path: Path) -> None:
    """The report has counts, the best, failures with their logs and what to type, resources and machines."""
    path = tmp_path / "report.html"
    written = open_run(finished).results().report(path, maximize=["y"])
    page = Page(path)
    assert "3 of 4 combinations are completed" in page.text
    assert "ended with failures" in page.text
    assert "The largest values of y" in page.text
    assert re.search(r"place x value 1 4 16 2 2 4 3 1 1 ", page.text)
    assert "1 × square: application error" in page.text
    assert "What square.0[2] has printed: y=9" in page.text
    assert f"sciflow logs {written.facts.run} 'square.0[2]'" in page.text
    assert f"sciflow retry {written.facts.run} -n" in page.text
    assert "1 × half: upstream failed" in page.text
    assert "core-hours" in page.text
    assert open_run(finished).results().methods().to_text() in page.text
    assert "installed package" in page.text
    assert all(one["alt"] and (one["src"] or "").startswith("data:image/png;base64,") for one in page.of("img"))
    assert page.of("img")


def test_a_page_may_load_and_run_nothing_else(finished: Path, tmp_path: Path) -> None:
    """The page forbids a browser everything but its own images and its own script, and refers to nothing outside."""
    path = tmp_path / "report.html"
    open_run(finished).results().report(path)
    page = Page(path)
    policy = next(one["content"] for one in page.of("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-[A-Za-z0-9+/]{43}='; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )
    outside = [one for _, attributes in page.elements for name, one in attributes.items() if name in ("src", "href")]
    assert all((one or "").startswith(("data:image/png;base64,", "#")) for one in outside)
    headings = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(following - one <= 1 for one, following in itertools.pairwise(headings))
    assert all(one.get("scope") for one in page.of("th"))


HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[31mred\x1b[0m\x00\u202e",
    "-- <!-- ]]> &amp; &#60;",
    "مرحبا 温度 🙂 $x^2$",
]


@pytest.mark.filterwarnings("ignore:no font that is installed has:sciflow.errors.SciflowWarning")
def test_whatever_a_value_is_it_stays_text(page_of: Callable[..., Page]) -> None:
    """Values that would like to be elements, templates, commands of a terminal or formulas are shown to the letter."""
    page = page_of({"name": HOSTILE}, {"y": [1.0, 2, 3, 4, 5, 6], "<b>bold</b>": HOSTILE})
    assert len(page.of("script")) == 1
    assert not [one for one in page.of("img") if "onerror" in one]
    assert not [one for name, one in page.elements if name == "b" and "bold" in one]
    for one in (HOSTILE[0], HOSTILE[1], HOSTILE[2], "red\ufffd\ufffd", HOSTILE[4], HOSTILE[5], "<b>bold</b>"):
        assert one in page.text, one


def test_a_figure_that_cannot_be_made_is_told(project: Path, tmp_path: Path) -> None:
    """A declared figure that does not fit what was measured does not stop the report, which says why."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["parameters"]["unused"] = [1, 2]
    document["visualizations"] = {"odd": {"type": "line", "x_axis": "x", "value": "y", "series": "unused"}}
    (project / "workflow.yaml").write_text(json.dumps(document))
    with pytest.warns(SciflowWarning, match="no task uses the parameter `unused`"):
        results = Engine().execute_parameter_sweep(load_workflow("workflow.yaml"))
    written = results.report(tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert "Figure odd could not be made: y does not depend on unused" in page.text
    assert list(written.figures.missing) == ["odd"]
    assert page.of("img")


def test_no_metric_at_all(page_of: Callable[..., Page]) -> None:
    """A run without metrics has a report that says so."""
    page = page_of({"x": [1, 2]}, {})
    assert "No metric has a number" in page.text
    assert "2 of 2 combinations are completed" in page.text


def test_many_combinations_are_shortened_saying_so(page_of: Callable[..., Page], tmp_path: Path) -> None:
    """Of very many combinations the first are listed, and how many there are and how to get all is told."""
    count = 2_000
    page = page_of({"x": list(range(count))}, {"y": [float(one % 7) for one in range(count)]})
    assert "The first 500 of 2,000 combinations" in page.text
    assert "--export table.csv" in page.text
    assert (tmp_path / "report.html").stat().st_size < 1_000_000


def test_one_that_is_there_is_replaced_by_a_whole_one_alone(finished: Path, tmp_path: Path) -> None:
    """Where a report cannot be made, the one that is there stays as it is, and nothing else is left."""
    results = open_run(finished).results()
    path = tmp_path / "reports" / "report.html"
    path.parent.mkdir()
    path.write_text("the old one")
    with pytest.raises(ResultError, match="there is no metric `speed`"):
        results.report(path, maximize=["speed"])
    (path.parent.parent / "project" / "templates" / "report").mkdir(parents=True)
    template = path.parent.parent / "project" / "templates" / "report" / "report.html.j2"
    template.write_text("{{ facts.nothing }}")
    with pytest.raises(TemplateError, match="has no attribute 'nothing'"):
        results.report(path, figures=0)
    assert path.read_text() == "the old one"
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]
    template.unlink()
    results.report(path, figures=0)
    assert path.read_text().startswith("<!DOCTYPE html>")


def test_where_it_cannot_be_written(finished: Path, tmp_path: Path) -> None:
    """The folder is made; where that cannot be, and for an ending that is no format, it is said, with the way out."""
    results = open_run(finished).results()
    assert results.report(tmp_path / "new" / "report.html", figures=0).path.is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultError, match="nothing can be written to") as refused:
        results.report(tmp_path / "file" / "report.html", figures=0)
    assert refused.value.hint == "name another folder"
    with pytest.raises(ResultError, match=r"`\.docx` of `.*` is no format of reports") as refused:
        results.report(tmp_path / "report.docx")
    assert ".html" in refused.value.hint


def test_a_template_of_ones_own(finished: Path, tmp_path: Path) -> None:
    """A project's template extends the bundled one, and says other things in a block of it."""
    folder = tmp_path / "project" / "templates" / "report"
    folder.mkdir(parents=True)
    (folder / "report.html.j2").write_text(
        '{% extends "bundled/report/report.html.j2" %}'
        "{% block methods %}<section><h2>Group of A. &amp; B.</h2><p>{{ facts.workflow }}</p></section>{% endblock %}"
    )
    path = tmp_path / "report.html"
    open_run(finished).results().report(path, figures=0)
    page = Page(path)
    assert "Group of A. & B." in page.text
    assert "3 of 4 combinations are completed" in page.text


def test_a_run_that_goes_on_says_so(staged: RunDirectory, leave_record: Callable[..., Path], tmp_path: Path) -> None:
    """The report of a run that is being driven shows what there is, and that this is not the end."""
    leave_record(staged, "square.0", 0, y=1)
    path = tmp_path / "report.html"
    with hold(staged.lock, patience=0.0):
        written = open_run(staged.path).collect().report(path, figures=0)
    page = Page(path)
    assert written.facts.situation == "running"
    assert "This run is not over" in page.text
    assert "1 COMPLETED" in page.text


def test_one_of_which_nothing_has_begun(staged: RunDirectory, tmp_path: Path) -> None:
    """A run of which nothing has begun has a report, too."""
    path = tmp_path / "report.html"
    written = open_run(staged.path).collect().report(path, figures=0)
    page = Page(path)
    assert written.facts.situation == "not finished"
    assert "0 of 4 combinations are completed" in page.text
    assert "No attempt has left a record yet" in page.text


def test_one_whose_records_are_gone(finished: Path, tmp_path: Path) -> None:
    """Where only the results were kept, they alone tell what failed and why."""
    results = open_run(finished).results()
    for name in ("records", "logs", "journal.jsonl"):
        path = finished / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    path = tmp_path / "report.html"
    results.report(path, figures=0)
    page = Page(path)
    assert "1 × square: application error" in page.text
    assert "ended with failures" in page.text
