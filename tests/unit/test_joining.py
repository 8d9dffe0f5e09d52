"""Several runs of one workflow, asked as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow import join_runs, open_run
from sciflow.errors import RunError
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.lists_as_tables import tables_of


def test_runs_come_as_what_one_has(staged: RunDirectory, tmp_path: Path) -> None:
    """A run, its directory, its results or a part of them: the same combinations, once."""
    run = open_run(staged.path)
    results = run.collect()
    joined = join_runs([run, str(staged.path), results, results.select(x=2)])
    assert len(joined.observations) == len(results) == 4
    assert set(joined.to_dataframe()["run"]) == {run.run_id}
    newer = {"x": [9], "state": ["COMPLETED"]}
    facts = {"workflow": results.observations.workflow}
    more = Results(RunDirectory(tmp_path / "29990101-000000-aa"), tables_of(newer, {}, ["x"], [], facts))
    assert len(join_runs([more, run]).select(x=(3, None)).observations) == 3  # 3, 4 and 9
    with pytest.raises(RunError, match="there is no run `gone`"):
        join_runs(["gone"])
