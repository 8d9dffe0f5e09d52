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
