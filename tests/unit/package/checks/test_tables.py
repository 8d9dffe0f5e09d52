import os
from pathlib import Path
from typing import Any

import h5py

from sciflow.package.checks.tables import check_tables
from unit.package.checks.conftest import edit


def told(payload: Path, facts: dict[str, Any]) -> dict[str, str]:
    """File → what is wrong with it, where kinds are contradictions."""
    _, problems = check_tables(payload, facts)
    assert {problem.kind for problem in problems} <= {"contradiction"}
    return {problem.path: problem.why for problem in problems}


def test_what_follows_from_the_records_is_no_contradiction(payload: Path, facts: dict[str, Any]):
    """All tables, counts and the lock are made again, cell by cell, of what is in the package alone."""
    count, problems = check_tables(payload, facts)
    assert problems == []
    assert count > 200


def test_a_changed_cell_of_any_table_is_named_with_both_values(payload: Path, facts: dict[str, Any]):
    """The table in which a paper's number stands, the list of attempts, and the collected tables."""
    edit(payload / "results/combinations.csv", "4,2.0,8.5,17.0,COMPLETED", "4,2.0,8.5,17.5,FAILED")
    edit(payload / "results/attempts.csv", "analyse.0,1,1,", "analyse.0,1,2,")
    with h5py.File(payload / "run/results.h5", "r+") as file:
        heat = file["combinations/heat"]
        assert isinstance(heat, h5py.Dataset)
        heat[0] = 99.0
    found = told(payload, facts)
    assert found["data/results/combinations.csv"] == (
        "column `heat`, row 2, says `17.5`, and by the records it is `17.0`; "
        "column `state`, row 2, says `FAILED`, and by the records it is `COMPLETED`"
    )
    assert "column `attempt`, row 4, says `2`" in found["data/results/attempts.csv"]
    assert "column `heat`, row 1, says 99.0, and by the records it is 22.66" in found["data/run/results.h5"]
    assert len(found) == 3


def test_rows_and_columns_that_no_record_gives_are_told(payload: Path, facts: dict[str, Any]):
    """Another row, and another name of a column."""
    edit(payload / "results/combinations.csv", "4,2.0,8.5,17.0,COMPLETED\n", "")
    edit(payload / "results/attempts.csv", "exit_code", "exit")
    found = told(payload, facts)
    assert "it has 3 rows, and by the records there are 4" in found["data/results/combinations.csv"]
    assert "its columns are not `task`" in found["data/results/attempts.csv"]


def test_counts_are_counted_again(payload: Path, facts: dict[str, Any]):
    """What `package.json` says of the run's state and name is what the records say."""
    facts["state"] = {**facts["state"], "completed": 5, "counts": {"COMPLETED": 7}}
    facts["workflow"] = "spuns"
    why = told(payload, facts)["data/package.json"]
    assert "`state.completed` 5, and by the run it is 4" in why
    assert '`workflow` "spuns", and by the run it is "spins"' in why
    assert '`state.counts` {"COMPLETED": 7}' in why


def test_a_lock_that_is_not_of_the_recorded_environment_is_told(payload: Path, facts: dict[str, Any]):
    """A version in the lock, and what is said to have been captured."""
    lock = payload / "environment/requirements.txt"
    pin = next(line for line in lock.read_text().splitlines() if line.startswith("numpy=="))
    edit(lock, pin, "numpy==1.0.0")
    assert told(payload, facts) == {"data/environment/requirements.txt": "`numpy==1.0.0` is not what the run had"}
    edit(payload / "environment/environments.json", '"attempts": 6', '"attempts": 5')
    assert "is not what the run has recorded" in told(payload, facts)["data/environment/environments.json"]


def test_an_environment_that_cannot_be_read_is_told(payload: Path, facts: dict[str, Any]):
    """Bytes that are no record have not been captured anywhere."""
    [path] = (payload / "run/environments").iterdir()
    path.write_bytes(os.urandom(5000))
    _, problems = check_tables(payload, facts)
    assert ("unreadable", f"data/run/environments/{path.name}") in {(one.kind, one.path) for one in problems}
