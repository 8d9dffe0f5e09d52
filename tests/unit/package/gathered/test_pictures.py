"""Tables, figures and the report of a package."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered import pictures
from sciflow.package.gathered.pictures import gather_pictures
from sciflow.package.opened_run import opened_run
from sciflow.store.layout import RunDirectory


def test_the_table_has_all_combinations_with_parameters_then_metrics(unpacked: Path) -> None:
    """It can be read by anything that reads CSV."""
    table = pd.read_csv(unpacked / layout.TABLE)
    assert list(table) == ["size", "temperature", "energy", "heat", "state"]
    assert table["energy"].tolist() == [8.5, 8.5, 16.5, 16.5]


def test_the_report_is_of_the_runs_own_time_and_place(unpacked: Path, spins: Path) -> None:
    """It neither says where the run lies now, nor when it was packaged, nor anything of the temporary folder."""
    text = (unpacked / layout.REPORT).read_text(encoding="utf-8")
    assert str(spins) not in text
    assert "sciflow-package-" not in text
    assert spins.name in text


def test_a_figure_that_cannot_be_made_is_a_warning(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is made without it, and says why."""
    monkeypatch.setattr(pictures, "MOST", 1)  # no others are drawn for that
    manifest = finished / "manifest.json"
    figure = '"visualizations": {"none": {"type": "line", "x_axis": "nothing", "value": "y"}}'
    manifest.write_text(manifest.read_text().replace('"visualizations": {}', figure))
    contents = Contents()
    with opened_run(RunDirectory(finished), "none") as packaged:
        gather_pictures(packaged, contents)
    [text] = contents.warnings
    assert text.startswith("figure `none` could not be made: ")
    assert not any(path.startswith("figures/none") for path in contents.entries)


def test_without_figures_there_is_a_report(finished: Path) -> None:
    """Figures are left out of it as well."""
    contents = Contents()
    with opened_run(RunDirectory(finished), "none") as packaged:
        gather_pictures(packaged, contents, with_figures=False)
    assert list(contents.entries) == [layout.REPORT]
