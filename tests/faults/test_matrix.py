"""Every fault at every moment: what a person does then leaves the same table as if nothing had gone wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from faults import local_cells, matrix, virtual_cells
from sciflow.schedulers.fake.pbs.site import TWO_WEEKS


def identify(cell: matrix.Cell) -> str:
    """Name a cell."""
    return f"{cell.fault}, {cell.moment}"


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return the table of a run in which nothing goes wrong."""
    scene = virtual_cells.Scene(tmp_path_factory.mktemp("unharmed"), None)
    table = scene.play()
    scene.check()
    assert table["state"].tolist() == ["COMPLETED"] * virtual_cells.COUNT
    return table


def played(person: str) -> list[matrix.Cell]:
    """Return the cells that a person meets: when results are collected, no job is left that tends the run."""
    found = list(matrix.cells(matrix.VIRTUAL))
    if person != virtual_cells.TEND:
        return found
    killed = (matrix.SUBMITTER, matrix.RETRYING)
    return [one for one in found if one.moment != matrix.COLLECTING and (one.fault, one.moment) != killed]


PLAYS = [
    pytest.param(
        *(person, cell),
        id=f"{person}: {identify(cell)}",
        marks=[] if person == virtual_cells.PATIENT else pytest.mark.slow,
    )
    for person in virtual_cells.PERSONS
    for cell in played(person)
]


@pytest.mark.parametrize(("person", "cell"), PLAYS)
def test_on_the_virtual_cluster(person: str, cell: matrix.Cell, unharmed: pd.DataFrame, tmp_path: Path) -> None:
    """All completes, nothing twice, and the table is the same."""
    count = 0
    for scene, table in virtual_cells.play(cell, tmp_path, person):
        scene.check()
        pd.testing.assert_frame_equal(table, unharmed)
        count += 1
    assert count


# On a PBS: what it does in another way than a Slurm. It has no accounting that could be silent.
ON_PBS = [
    (matrix.NODE, matrix.RUNNING),
    (matrix.NODE, matrix.FINISHING),
    (matrix.SHIM, matrix.RUNNING),
    (matrix.MEMORY, matrix.RUNNING),
    (matrix.TIME, matrix.RUNNING),
    (matrix.PREEMPTED, matrix.RUNNING),
    (matrix.TORN, matrix.RETRYING),
]
ON_PBS_CELLS = [cell for cell in matrix.cells(matrix.VIRTUAL) if cell.fault != matrix.ACCOUNTING]
PLAYS_ON_PBS = [
    pytest.param(
        *(person, remembered, cell),
        id=f"{person}, {'history' if remembered else 'no history'}: {identify(cell)}",
        marks=[]
        if person == virtual_cells.PATIENT and not remembered and (cell.fault, cell.moment) in ON_PBS
        else pytest.mark.slow,
    )
    for person in (virtual_cells.PATIENT, virtual_cells.TEND)
    for remembered in (0.0, TWO_WEEKS)
    for cell in played(person)
    if cell in ON_PBS_CELLS
]


@pytest.mark.parametrize(("person", "remembered", "cell"), PLAYS_ON_PBS)
def test_on_a_virtual_pbs(
    person: str, remembered: float, cell: matrix.Cell, unharmed: pd.DataFrame, tmp_path: Path
) -> None:
    """All completes there as well, whether or not it knows what is over: nothing twice, and the table is the same."""
    count = 0
    for scene, table in virtual_cells.play(cell, tmp_path, person, "pbs", remembered=remembered):
        scene.check()
        pd.testing.assert_frame_equal(table, unharmed)
        count += 1
    assert count


ALWAYS = {
    *((matrix.NODE, matrix.RUNNING), (matrix.MEMORY, matrix.RUNNING)),
    *((matrix.SHIM, matrix.WRITING), (matrix.TORN, matrix.RETRYING)),
}
TOGETHER = [
    pytest.param(cell, id=identify(cell), marks=[] if (cell.fault, cell.moment) in ALWAYS else pytest.mark.slow)
    for cell in matrix.cells(matrix.VIRTUAL)
]


@pytest.mark.parametrize("cell", TOGETHER)
def test_packed_on_the_virtual_cluster(cell: matrix.Cell, unharmed: pd.DataFrame, tmp_path: Path) -> None:
    """The same where several combinations run in an array index: the table is that of those that ran alone."""
    for scene, table in virtual_cells.play(cell, tmp_path, pack=virtual_cells.PACKED):
        scene.check()
        pd.testing.assert_frame_equal(table, unharmed)


FUSED = [
    pytest.param(
        *(person, fused, cell),
        id=f"{person}, {fused}: {identify(cell)}",
        marks=[] if person == virtual_cells.PATIENT and (cell.fault, cell.moment) in ALWAYS else pytest.mark.slow,
    )
    for person in virtual_cells.PERSONS
    for fused in ("work", "after")
    for cell in played(person)
]


@pytest.mark.parametrize(("person", "fused", "cell"), FUSED)
def test_fused_on_the_virtual_cluster(
    person: str, fused: str, cell: matrix.Cell, unharmed: pd.DataFrame, tmp_path: Path
) -> None:
    """The same where two tasks run one after another in an array index, whichever of them is hit."""
    for scene, table in virtual_cells.play(cell, tmp_path, person, fused=fused):
        scene.check()
        pd.testing.assert_frame_equal(table, unharmed)


QUICK = (matrix.RUNNING, matrix.COLLECTING)  # each of the others takes its seconds as well
HERE = [
    pytest.param(cell, id=identify(cell), marks=[] if cell.moment in QUICK else pytest.mark.slow)
    for cell in matrix.cells(matrix.LOCAL)
]


@pytest.mark.parametrize("cell", HERE)
def test_on_this_machine(cell: matrix.Cell, tmp_path: Path) -> None:
    """All completes, nothing twice, and the table is the same, with real processes that are really killed."""
    scene = local_cells.Scene(tmp_path, cell)
    scene.play()
    scene.check()


def test_every_cell_is_played_or_says_why_not() -> None:
    """Of all cells none is forgotten."""
    everything = {(fault, moment) for fault in matrix.FAULTS for moment in matrix.MOMENTS}
    for scheduler in matrix.SCHEDULERS:
        cells = {matrix.Cell(scheduler, *place) for place in everything}
        assert {cell for cell in cells if not matrix.reason(cell)} == set(matrix.cells(scheduler))
    for place, test in matrix.LIVE.items():
        assert place in everything
        file, _, name = test.partition("::")
        assert f"def {name}(" in (matrix.ROOT / "tests" / "live" / file).read_text(encoding="utf-8")


def test_the_page_has_this_matrix() -> None:
    """What is written is what is played; `python tests/faults/matrix.py docs/concepts/recovery.md` writes it."""
    text = matrix.PAGE.read_text(encoding="utf-8")
    print(matrix.table())
    assert matrix.written_into(text) == text
