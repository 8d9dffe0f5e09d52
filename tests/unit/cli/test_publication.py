"""The verb that tells how a run was made, for a paper."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]


def test_methods_are_a_paragraph(sciflow: Command, finished: Path, tmp_path: Path) -> None:
    """As text, as LaTeX, into a file, as JSON; what failed is told."""
    answer = sciflow("methods")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("The workflow ")
    assert "3 of 4 combinations were completed." in answer.out
    assert "did not succeed" in answer.out
    target = tmp_path / "methods.tex"
    answer = sciflow("methods", finished.name, "--format", "latex", "-o", target)
    assert answer.out == f"methods: {target}\n"
    assert r"\texttt{" in target.read_text()
    document = sciflow("methods", finished.name, "--json").json
    assert (document["run"], document["format"], document["file"]) == (finished.name, "text", None)
    assert document["methods"].startswith("The workflow ")


def test_a_figure_for_a_journal_has_a_caption(sciflow: Command, finished: Path, tmp_path: Path) -> None:
    """As wide as its column, without notes; measures that cannot be are refused before anything is collected."""
    target = tmp_path / "y.svg"
    answer = sciflow("plot", "--type", "line", "--value", "y", "--x", "x", "--journal", "aps", "-o", target)
    assert answer.code == 0
    assert "  caption: y against x. y: 1 of 4 have no value (1 FAILED)." in answer.out
    assert 'width="243pt"' in target.read_text()  # 3 3/8 inches
    answer = sciflow("plot", "--journal", "natur")
    assert answer.code == 1
    assert "did you mean `nature`?" in answer.err
