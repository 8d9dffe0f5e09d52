"""The verb `statistics`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

WORKFLOW = """\
name: growth
tasks:
  - name: grow
    command: test {{ a }}{{ b }} != 21; echo "y=$(( {{ a }} * 10 + {{ b }} ))"
    extract: {y: {stdout: 'y=(\\d+)', type: int}}
parameters:
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sciflow: Command) -> Callable[..., str]:
    """Return a function that runs a sweep over some parameters, and gives its id."""
    monkeypatch.chdir(tmp_path)

    def of(parameters: str, second: str = "b") -> str:
        text = WORKFLOW.replace("{{ b }}", f"{{{{ {second} }}}}") + parameters
        (tmp_path / "growth.yaml").write_text(text)
        return Path(sciflow("run", "growth.yaml", "--json").json["path"]).name

    return of


def test_a_page_says_what_matters_most_first(run: Callable[..., str], sciflow: Command) -> None:
    """With coverage; what is missing is said once, and what does not apply with its reason."""
    run("  a: [1, 2, 3]\n  b: [1, 2]\n")
    answer = sciflow("statistics", "y")
    lines = answer.out.splitlines()
    assert (answer.code, answer.err) == (0, "")
    assert lines[0] == "y: 5 of 6 values; what matters most: a (100% of the variation)"
    assert lines[1] == "note: 1 of 6 have no value (1 FAILED); this is of the others"
    titles = [one for one, under in pairwise(lines) if under and set(under) == {"-"}]
    assert [one.split()[0] for one in titles] == ["effects", "analysis", "trends", "correlations", "outliers"]
    assert answer.out.count("have no value (1 FAILED)") == 1
    assert lines[-1] == "(5 of 6 combinations completed)"


def test_the_document_has_all_numbers(run: Callable[..., str], sciflow: Command) -> None:
    """Tables as rows, and what is missing as null."""
    name = run("  a: [1, 2, 3]\n  b: [1, 2]\n")
    document = sciflow("statistics", name, "y", "--json").json
    assert document["coverage"] == {"present": 5, "total": 6}
    assert document["effects"]["sizes"][0]["term"] == "a"
    assert document["anova"]["table"][-1]["F"] is None
    assert document["trends"]["table"][0]["direction"] == "rises"
    assert document["refused"] == {}
    assert sciflow("statistics", "y", "--minimum-coverage", "0.9").code == 1


def test_seeds_in_a_list_are_asked_for(run: Callable[..., str], sciflow: Command) -> None:
    """A parameter that is called as repeats are may be told to be one."""
    run("  a: [1, 3]\n  seed: [2, 4]\n", "seed")
    assert "say so: --repeats seed" in sciflow("statistics", "y").out
    answer = sciflow("statistics", "y", "--repeats", "seed")
    assert "say so" not in answer.out
    assert "seed" not in answer.out.partition("outliers of")[0]


def test_a_sampled_space_has_sensitivity(run: Callable[..., str], sciflow: Command) -> None:
    """By the design of the space, as it was drawn for the run; the plan says how many points it has."""
    run("  a: {integers: [3, 6]}\n  b: {integers: [3, 9]}\nsample: {method: morris, count: 3, seed: 1}\n")
    assert "note: `morris`: 3 trajectories × (2 axes + 1) = 9 points" in sciflow("plan", "growth.yaml").out
    document = sciflow("statistics", "y", "--json").json
    rows = document["sensitivity"]["indices"]
    assert [row["parameter"] for row in rows] == ["a", "b"]
    assert document["sensitivity"]["method"] == "morris"
    assert "effects" not in document


def test_what_is_no_metric_is_refused(run: Callable[..., str], sciflow: Command) -> None:
    """A parameter is none, and one word too many is none either."""
    run("  a: [1, 3]\n  b: [1]\n")
    answer = sciflow("statistics", "a")
    assert answer.code == 1
    assert "`a` is a parameter, and no metric" in answer.err
    assert sciflow("statistics", "x", "y", "z").code == 2
