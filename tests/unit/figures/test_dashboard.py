"""One page about a run."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import ResultError
from sciflow.figures.dashboard import Dashboard, Fact, dashboard
from sciflow.figures.dashboard_page import A4
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.figures.observed import observed
from unit.lists_as_tables import tables_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., Dashboard]:
    """Return a function that makes the page of a run of these columns: parameters, metrics, states of instances."""

    def make(
        parameters: dict[str, list[Any]],
        metrics: dict[str, list[Any]],
        states: list[str] | None = None,
        repeats: Sequence[str] = (),
        **asked: Any,
    ) -> Dashboard:
        count = len(next(iter(parameters.values())))
        states = states or ["COMPLETED"] * count
        instances = {"task": ["solve"] * count, "state": states, "array": ["solve.0"] * count}
        columns = {**parameters, **metrics, "state": states}
        facts = {"workflow": "melting"}
        tables = tables_of(columns, instances, list(parameters), list(metrics), facts)
        results = Results(RunDirectory(tmp_path / "20250101-000000-aa"), tables)
        known = observed(parameters, metrics, repeats=repeats) if repeats else results.observations
        return dashboard(results, known, **asked)

    return make


def test_what_it_says(page_of: Callable[..., Dashboard]) -> None:
    """The page says how much is there, where both ends of a metric are, and how the instances of each task are."""
    made = page_of({"x": [1, 2, 3]}, {"y": [4.0, 2.0, None]}, ["COMPLETED", "COMPLETED", "FAILED"], as_of=1.8e9)
    assert made.title == "melting"
    assert made.subtitle == "run 20250101-000000-aa: ended with failures, as of 2027-01-15 08:00 UTC"
    assert made.counts[0] == Fact("combinations", "2 of 3 completed (67%)")
    assert made.counts[1] == Fact("x", "3 values: 1, 2, 3")
    assert made.best == (Fact("smallest y", "2 at x = 2"), Fact("largest y", "4 at x = 1"))
    assert made.states == {"solve": {"COMPLETED": 2, "FAILED": 1}}
    assert [one.picture.kind for one in made.pictures][:1] == ["line"]


def test_what_is_best_is_what_was_asked_for(page_of: Callable[..., Dashboard]) -> None:
    """Where it is said which values are good, there is one best for each; a metric that there is not is refused."""
    columns = {"x": [1, 2]}, {"y": [4.0, 2.0]}
    assert page_of(*columns, maximize=["y"]).best == (Fact("best y", "4 at x = 1"),)
    assert page_of(*columns, minimize=["y"]).best == (Fact("best y", "2 at x = 2"),)
    with pytest.raises(ResultError, match="there is no metric `z`"):
        page_of(*columns, maximize=["z"])


def test_numbers_have_the_digits_that_their_spread_allows(page_of: Callable[..., Dashboard]) -> None:
    """A mean of repeats ends where its standard deviation does, two digits of it; what may be as good is counted."""
    columns = {"x": [1, 1, 2, 2], "seed": [1, 2, 1, 2]}
    made = page_of(columns, {"y": [7.6545, 7.8545, 7.6, 7.8]}, repeats=["seed"], maximize=["y"])
    assert made.best == (Fact("best y", "7.75 ± 0.14 (mean ± sd, n = 2) at x = 1; 1 others cannot be told from it"),)


def test_notes_that_have_no_room_end_with_dots(page_of: Callable[..., Dashboard], tmp_path: Path) -> None:
    """Nobody takes a part of a note for all of it."""
    columns = {f"a_parameter_with_a_long_name_{number}": [1, 2] for number in range(12)}
    path = page_of(columns, {"y": [4.0, 2.0]}).save(tmp_path / "page.svg")
    texts = ["".join(one.itertext()) for one in ET.parse(path).iter(f"{SVG}text")]
    assert any(one.endswith(" …") for one in texts)


def test_it_is_one_page_of_paper(page_of: Callable[..., Dashboard], tmp_path: Path) -> None:
    """The page is as large as A4, holds its texts as text, and nothing of it is outside, whatever the names are."""
    odd = "<&> $x^2$ ünïcode λ Ж " + "long" * 40
    made = page_of({odd: [1, 2, 3], "b": ["p", "q", "r"]}, {"y": [1.0, 2.0, 3.0]})
    path = made.save(tmp_path / "page.svg")
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    assert (root.attrib["width"], root.attrib["height"]) == (f"{A4[0] * 72:.6g}pt", f"{A4[1] * 72:.6g}pt")
    texts = ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]
    assert "melting" in texts
    assert "States of the instances of each task" in texts
    assert any(one.startswith("<&> $x^2$") for one in texts)


def test_without_anything_to_draw(page_of: Callable[..., Dashboard]) -> None:
    """A run of which nothing is measured has a page that says so."""
    made = page_of({"x": [1]}, {}, ["PENDING"])
    assert made.pictures == ()
    assert made.image(".pdf").startswith(b"%PDF-")


def test_what_is_refused(page_of: Callable[..., Dashboard], tmp_path: Path) -> None:
    """A format that there is not, and a folder that is not there, are refused."""
    made = page_of({"x": [1]}, {}, ["PENDING"])
    with pytest.raises(ResultError, match=r"`\.bmp` is no format of dashboards"):
        made.save(tmp_path / "page.bmp")
    with pytest.raises(ResultError, match="cannot be written: No such file"):
        made.save(tmp_path / "nowhere" / "page.png")
