"""A paragraph for the methods of a paper: what the run knows, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.report.methods import Methods, methods_of
from sciflow.store.columns import Table
from unit.analysis.measured_run import MeasuredRun
from unit.figures.observed import grid, observed

CODE = {"commit": "0123456789abcdef0123", "remote": "https://example.org/code.git", "dirty": True}


def told(folder: Path, count: int, manifest: dict[str, Any], **facts: Any) -> Methods:
    """The methods of a run of some instances on Slurm, of which each held 4 cores for an hour."""
    made = MeasuredRun(folder, {"size": list(range(count))})
    for number in range(count):
        state = "OUT_OF_MEMORY" if number == 1 else "FAILED" if number == 2 else "COMPLETED"
        more = {"end": 1.0e9 + 3600, "host": f"node{number % 2}", "memory": 100}
        made.add(number, state, seconds=3600, cpu=1800, **more)
    document = json.loads(made.run.manifest.read_text()) | manifest
    made.run.manifest.write_text(json.dumps(document))
    results = made.results()
    results.tables.facts |= {"combinations": count, "completed": max(0, count - 2) or 1} | facts
    machines = {"environment": ["e"], "hosts": [2], "cpu_model": ["CPU 9000"], "logical_cores": [64]}
    machines |= {"memory_bytes": [256 * 1024**3], "distribution": ["Linux 9"], "python": ["3.12.1"]}
    results.tables.by_name["environments"] = Table.of(machines)
    seen = observed(grid(size=list(range(count))), {"energy": lambda size: size})
    return methods_of(results, seen)


def test_it_says_what_is_known(tmp_path: Path) -> None:
    """Versions, space, scheduler, dates, machines, counts, what failed, core-hours, and the code."""
    text = told(tmp_path / "run", 5, {"sciflow": "1.2.3", "code": CODE}).to_text()
    assert text == (
        "The workflow solving (1 task: solve) was run with sciflow 1.2.3 (run 20250101-000000-aa). "
        "It covered 5 combinations of 1 parameter (size: 0, 1, 2, 3 and 4). "
        "It was run by Slurm with the cluster profile site on 9 September 2001 (UTC). "
        "It used 2 nodes with CPU 9000 (64 logical cores and 256 GiB of memory), under Linux 9 and Python 3.12.1. "
        "5 task instances took 5 attempts; 3 of 5 combinations were completed. "
        "2 task instances did not succeed (1 ran out of memory and 1 failed). "
        "It held 20 core-hours, with 2.5 hours of CPU time; "
        "attempts that did not succeed held 8 core-hours of them. "
        "The code was commit 0123456789ab of https://example.org/code.git, with changes that were not committed."
    )


def test_one_is_no_many(tmp_path: Path) -> None:
    """One instance, one attempt, one node, one combination, and nothing that failed."""
    text = told(tmp_path / "run", 1, {"code": {"commit": "0123456789abcdef0123", "dirty": False}}).to_text()
    assert "1 task instance took 1 attempt; 1 of 1 combination was completed." in text
    assert "It used 1 node with" in text
    assert "did not succeed" not in text
    assert "It held 4 core-hours" in text
    assert text.endswith("The code was commit 0123456789ab.")
    assert "values from" not in text


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    """A run that was only planned has no machines, dates or core-hours; without a commit the digest stands."""
    made = MeasuredRun(tmp_path / "run", {"size": [1, 2]})
    document = json.loads(made.run.manifest.read_text()) | {"code": {"sha256": "abc"}}
    made.run.manifest.write_text(json.dumps(document))
    results = made.results()
    results.tables.facts |= {"combinations": 2, "completed": 0}
    text = methods_of(results, observed(grid(size=[1, 2]), {})).to_text()
    assert "It covered 2 combinations of 1 parameter (size: 1 and 2)." in text
    assert "0 of 2 combinations were completed." in text.lower()
    assert "When this was written, 2 task instances were not over yet." in text
    assert text.endswith("Of the code no commit is known; its SHA-256 is abc.")
    assert not any(word in text for word in ("node", "core-hour", "UTC", "None", "nan"))


def test_what_was_fixed_and_what_was_taken_over_is_told(tmp_path: Path) -> None:
    """A parameter with one value is named with it; attempts of earlier runs are counted, with the run."""
    run = MeasuredRun(tmp_path / "run", {"size": [1, 2]})
    run.add(0, run="20250101-000000-aa", seconds=1)
    run.add(1, run="20241231-000000-bb", seconds=1)
    results = run.results()
    results.tables.facts |= {"combinations": 2, "completed": 2}
    text = methods_of(results, observed({"x": [2]}, {})).to_text()
    assert "1 attempt of these was made by earlier runs (20241231-000000-bb)." in text
    assert "Fixed was x = 2." in text


def test_repeats_and_designs_are_told(tmp_path: Path) -> None:
    """Seeds by their values where these are few; how a sample was drawn."""
    results = MeasuredRun(tmp_path / "run", {"size": [1]}).results()
    results.tables.facts |= {"combinations": 6, "completed": 0}
    rows = grid(rate=[0.1, 0.25, 0.9], seed=[7, 8])
    text = methods_of(results, observed(rows, {}, repeats=["seed"], sampled=["rate"], design="lhs")).to_text()
    assert (
        "It covered 6 combinations of 1 parameter and repeats (rate: 3 drawn values from 0.1 to 0.9), "
        "drawn by Latin hypercube sampling. Each setting was repeated 2 times (seed: 7 and 8)."
    ) in text


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_names_are_marked_and_words_escaped(tmp_path: Path, form: str) -> None:
    """A name of a task is code; what has a meaning in LaTeX or Markdown is escaped in words."""
    methods = told(tmp_path / "run", 5, {"workflow": "a_b", "profile": {"scheduler": "slurm", "name": "x_y"}})
    if form == "latex":
        assert methods.to_latex().startswith(r"The workflow \texttt{a\_b} (1 task: \texttt{solve}) was run")
        assert r"profile \texttt{x\_y} on 9 September" in methods.to_latex()
    else:
        assert methods.to_markdown().startswith("The workflow `a_b` (1 task: `solve`) was run")
        assert str(methods) == methods.to_text()
