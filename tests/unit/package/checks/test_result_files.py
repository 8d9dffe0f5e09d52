from pathlib import Path
from typing import Any

from sciflow.package.checks.result_files import check_result_files
from sciflow.package.checks.verification import Problem
from sciflow.package.opened_run import opened_run
from sciflow.store.layout import RunDirectory


def told(payload: Path, facts: dict[str, Any]) -> list[Problem]:
    """What is wrong with the files that are results."""
    with opened_run(RunDirectory(payload / "run"), "spins_v1") as packaged:
        return list(check_result_files(packaged, payload, facts))


def test_results_without_their_secrets_cannot_be_compared(payload: Path, facts: dict[str, Any]):
    """What was taken out of them is marked, and the package says so."""
    assert told(payload, facts) == []


def test_a_result_that_is_not_what_its_record_has_is_told(payload: Path, facts: dict[str, Any]):
    """By its digest, whatever is said of what was taken out of it; not where the package says so itself."""
    [first, second] = sorted((payload / "run/work/simulate").rglob("out.txt"))
    first.write_text("other")
    second.unlink()
    found = told(payload, facts)
    name = first.relative_to(payload / "run").as_posix()
    gone = second.relative_to(payload).as_posix()
    assert {(one.kind, one.path) for one in found} == {
        ("contradiction", f"data/run/{name}"),
        ("missing", f"data/{gone}"),
    }
    facts["warnings"] = [f"`{name}` has changed since its record was written: it is in the package as it is now"]
    facts["left_out"] = [{"path": gone}, {"path": "run/work"}]
    assert told(payload, facts) == []
