"""More combinations in a workflow file."""

import stat
from pathlib import Path

import pytest

from sciflow.analysis.optima.extension import extend, to_paste, workflow_file_of
from sciflow.errors import ResultError
from sciflow.loading import load_workflow

HEAD = """\
# What this is about.
name: growth   # a name
parameters:
  x: [1, 2]
  mode: [fast, "no"]
"""
TASKS = """\
tasks:
  - name: grow
    command: echo {{ x }} {{ mode }}
"""
ROWS = [{"x": 1.5, "mode": "fast"}, {"x": 1, "mode": "1e3"}]
INCLUDED = {
    "none": HEAD + TASKS + "# the end",
    "before": HEAD + 'include:\n- {x: 7, mode: "no"} # first\n\n# about tasks\n' + TASKS,
    "indented": HEAD + "include:\n    - x: 7\n      mode: fast   # first\n\n    # more?\n" + TASKS,
    "in brackets": HEAD + "include: [{x: 7, mode: fast}] # all\n" + TASKS,
    "lines in brackets": HEAD + "include: [\n  {x: 7, mode: fast},  # one\n]\n" + TASKS,
    "empty": HEAD + "include: []\n" + TASKS,
    "returns": (HEAD + TASKS).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("layout", INCLUDED)
def test_only_lines_are_added(layout: str, tmp_path: Path) -> None:
    """Whatever the layout of `include`: comments and all else stay, the workflow has the combinations, once."""
    path = tmp_path / "growth.yaml"
    before = INCLUDED[layout]
    path.write_bytes(before.encode())
    path.chmod(0o640)
    size = len(load_workflow(path).space)
    assert extend(path, ROWS) == 2
    after = path.read_bytes().decode()
    assert len(load_workflow(path).space) == size + 2
    characters = iter(after)
    assert all(one in characters for one in before)  # all of it, in its order
    assert ("\r\n" in after) == (layout == "returns")
    assert after.count("\n") - after.count("\r\n") == (0 if layout == "returns" else after.count("\n"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert extend(path, ROWS) == 0
    assert path.read_bytes().decode() == after
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ("{name: growth, tasks: [{name: a, command: b}]}", ROWS, "written in braces as a whole"),
        (HEAD + "include: &rows\n  - {x: 1, mode: fast}\nexclude: *rows\n" + TASKS, ROWS, "cannot be extended"),
        (HEAD + "exclude: &rows [{x: 1, mode: fast}]\ninclude: *rows\n" + TASKS, ROWS, "no safe place"),
        (HEAD + TASKS, [{"x": 1}], "does not say `mode`"),
        (HEAD + TASKS + "---\nname: other\n", ROWS, "cannot be extended"),
        (HEAD + "include:\n" + TASKS, ROWS, "`include` is no list"),
    ],
)
def test_what_cannot_be_done_safely_is_not_done(
    text: str, rows: list[dict[str, object]], message: str, tmp_path: Path
) -> None:
    """The file stays as it is, and the hint has the lines to add by hand."""
    path = tmp_path / "growth.yaml"
    path.write_text(text)
    with pytest.raises(ResultError) as caught:
        extend(path, rows)
    assert message in caught.value.message
    assert caught.value.hint.startswith("add this to it by hand:\ninclude:\n  - {x: 1")
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_program_is_shown_what_to_paste(tmp_path: Path) -> None:
    """Nothing is written into Python."""
    path = tmp_path / "growth.py"
    path.write_text("workflow = None\n")
    with pytest.raises(ResultError) as caught:
        extend(path, ROWS)
    assert "    {'x': 1.5, 'mode': 'fast'}," in caught.value.hint
    assert to_paste(ROWS).splitlines()[2] == '  - {x: 1, mode: "1e3"}'


def test_the_workflow_file_is_found_by_the_name_of_its_workflow(tmp_path: Path) -> None:
    """Where exactly one has it; other files may be anything."""
    (tmp_path / "a.yaml").write_text(HEAD + TASKS)
    (tmp_path / "b.yaml").write_text("[: nonsense")
    (tmp_path / "c.yml").write_text("name: other\n")
    assert workflow_file_of(tmp_path, "growth") == tmp_path / "a.yaml"
    assert workflow_file_of(tmp_path, "nobody") is None
    (tmp_path / "d.yml").write_text(HEAD + TASKS)
    assert workflow_file_of(tmp_path, "growth") is None
