"""What people read, and what programs get, of efficiency and advice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.cli.describe_advice import advice_document, describe_advice
from sciflow.cli.describe_efficiency import describe_efficiency, efficiency_document
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from unit.analysis.measured_run import MeasuredRun
from unit.cli.conftest import Command

SIZES = [10, 20, 50, 100, 200, 400]


@pytest.fixture
def growing(tmp_path: Path) -> Results:
    """Return the results of 48 instances over six sizes, of which some were killed for memory and one has failed."""
    run = MeasuredRun(tmp_path, {"size": SIZES, "solver": ["cg", "lu"], "seed": [1, 2, 3, 4]})
    for number, one in enumerate(run.combinations):
        factor = (1.6 if one["solver"] == "lu" else 1.0) * (1 + 0.01 * one["seed"])
        use = {"memory": 200 + 0.04 * factor * one["size"] ** 2, "seconds": factor * 2 * one["size"] ** 1.5}
        state = "OUT_OF_MEMORY" if use["memory"] > 8192 else "FAILED" if number == 7 else "COMPLETED"
        run.add(number, state, cpu=1.02 * use["seconds"], **use)
    return run.results()


def test_advice_is_read_in_eighty_columns(growing: Results) -> None:
    """How memory grows, what that is known from, what to write, what a chance costs; only expressions are longer."""
    text = describe_advice(growing.advise(0.9), "RUN")
    for part in (
        "solve: 43 COMPLETED, 1 FAILED, 4 OUT_OF_MEMORY",
        "memory grows like size^2.00 (",
        "depends on `solver` (cg: × 1, lu: × 1.61), above 200 MB; least squares of logarithms over 43",
        "stopped before the end: 4 of 47; they count as more memory and time than they had",
        "1 FAILED by themselves",
        "1.02 of 4 cores were busy",
        "cpu_cores: 1",
        " * size**2 * (1 if solver == 'cg' else 1.6",
        "fewer GB-hours",
        "next: sciflow plan WORKFLOW --learn-from RUN",
    ):
        assert part in " ".join(text.split()), part
    assert all(len(line) <= 80 for line in text.splitlines() if "max_runtime_hours" not in line)
    chances = [line.split()[0] for line in text.splitlines() if line.strip().startswith("0.")]
    assert chances == ["0.5", "0.9", "0.95", "0.99"]


def test_the_document_has_what_the_words_say(growing: Results) -> None:
    """Method, exponents with bounds, factors, what would have fitted, the request and the trade."""
    document = advice_document(growing.advise(0.9))
    solve = document["tasks"]["solve"]
    memory = solve["memory"]
    assert (memory["method"], memory["measured"], memory["at_least"]) == ("power law", 43, 4)
    assert memory["exponents"]["size"]["low"] < 2.001
    assert memory["exponents"]["size"]["high"] > 1.999
    assert memory["factors"]["solver"][1] == {"value": "lu", "factor": pytest.approx(1.6, rel=0.01)}
    assert memory["would_have_fitted"] >= 0.8
    assert solve["ask"]["cpu_cores"] == 1
    assert solve["resources"]["memory"] == f"{solve['ask']['memory_bytes'] // 1024**2}M"
    assert set(solve["expressions"]) == {"memory_gb", "max_runtime_hours"}
    assert [one["chance"] for one in solve["trade"]] == [0.5, 0.9, 0.95, 0.99]
    assert document["chance"] == 0.9


def test_efficiency_is_read_as_that_of_seff(growing: Results) -> None:
    """A row for each task, the lines of `seff`, and what was lost to which end."""
    text = describe_efficiency(growing.efficiency(), "RUN")
    for part in (
        "solve: 43 of 48 attempts completed, 4 cores each",
        "CPU efficiency: 25.5% of",
        "core-walltime",
        "of 8 GB",
        "of 2 h",
        "lost to 4 attempts that ended OUT_OF_MEMORY:",
        "next: sciflow advise RUN",
    ):
        assert part in text, part
    assert max(map(len, text.splitlines())) <= 80
    document = efficiency_document(growing.efficiency())
    assert document["tasks"]["solve"]["cpu"] == pytest.approx(0.255)
    assert document["total"]["lost"]["OUT_OF_MEMORY"]["attempts"] == 4
    assert document["total"]["idle_core_hours"] > document["total"]["cpu_hours"]


def test_of_gpus_there_is_a_column(tmp_path: Path) -> None:
    """Where there are any."""
    run = MeasuredRun(tmp_path, {"x": [1]}, {"cpu_cores": 1, "gpus": 1})
    run.add(0, seconds=3600.0, cpu=60.0, mean_gpu_utilisation_percent=80.0)
    text = describe_efficiency(run.results().efficiency(), "RUN")
    assert "GPU efficiency: 80.0% of 1 GPU-hours" in text
    assert " GPU " in text.splitlines()[1]


@pytest.mark.parametrize(
    ("attempts", "said"),
    [
        ([], "no memory can be advised: no instance is completed"),
        (["FAILED"], "no time can be advised: no instance is completed"),
        (["OUT_OF_MEMORY"], "no memory can be advised: all that ran were stopped before their end"),
        (["COMPLETED"], "1 measured cannot show a chance of 0.95: what is asked for may suffice or not"),
        (["COMPLETED", "RUNNING"], "stopped before the end: 1 of 2; they count as more memory and time than they had"),
        (["COMPLETED"] * 3, "3 measured cannot show a chance of 0.95: what is asked for suffices with at least 0.5"),
    ],
)
def test_what_is_not_known_is_said(tmp_path: Path, attempts: list[str], said: str) -> None:
    """From nothing at all to three that completed, and while it still runs."""
    run = MeasuredRun(tmp_path, {"x": [1, 2, 3, 4]})
    for number, state in enumerate(attempts):
        run.add(number, state, memory=100, seconds=600.0, cpu=600.0)
    assert said in " ".join(describe_advice(run.results().advise(), "RUN").split())


def test_without_attempts_there_is_no_efficiency(tmp_path: Path) -> None:
    """And that is said."""
    found = MeasuredRun(tmp_path, {"x": [1]}).results().efficiency()
    assert "no attempt has left a record" in describe_efficiency(found, "RUN")


def test_of_a_run_on_this_machine_both_can_be_asked(sciflow: Command, finished: Path) -> None:
    """By its directory, in words and as JSON; a chance that is none is refused."""
    answer = sciflow("efficiency", finished)
    assert answer.code == 0
    assert "square: 3 of 4 attempts completed" in answer.out
    assert sciflow("efficiency", finished, "--json").json["tasks"]["square"]["attempts"] == 4
    answer = sciflow("advise", finished, "--chance", "0.9")
    assert answer.code == 0
    assert "square: 3 COMPLETED, 1 FAILED" in answer.out
    document = sciflow("advise", finished, "--json").json
    assert document["tasks"]["square"]["walltime"]["measured"] == 3
    assert document["tasks"]["half"]["instances"] == 4
    assert sciflow("advise", finished, "--chance", "1").code == 2


def test_before_anything_has_run_both_say_so(
    sciflow: Command, squares: ExperimentalWorkflow, staged: Callable[..., Path]
) -> None:
    """A plan without records is no error."""
    path = getattr(staged, "path", staged)
    assert "no attempt has left a record" in sciflow("efficiency", path).out
    assert "no instance is completed" in sciflow("advise", path).out
