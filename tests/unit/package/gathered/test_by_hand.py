"""What is typed by hand in a package works without sciflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sciflow.package.gathered.by_hand import call_by_hand, moved_folders

_FUNCTION = {"module": "models.pend", "qualname": "Pendulum.swing"}


def _facts(*arguments: tuple[str, str, bool], **more: Any) -> dict[str, Any]:
    return {"function": _FUNCTION, "arguments": [list(one) for one in arguments], "keywords": False, **more}


@pytest.mark.parametrize("keywords", [False, True])
def test_a_function_is_called_with_the_values_that_it_had(tmp_path: Path, keywords: bool) -> None:
    """Those that it takes and no others, whatever signs stand in them."""
    code = "class Pendulum:\n    def swing(length, name, **more): return f'{length} {name} {more}'\n"
    (tmp_path / "my lib" / "models").mkdir(parents=True)
    (tmp_path / "my lib" / "models" / "pend.py").write_text(code)
    (tmp_path / "run" / "arrays").mkdir(parents=True)
    values = {"length": 0.5, "name": 'it\'s "a" $HOME', "other": [1, None]}
    line = {"instance": 0, "parameters": values}
    (tmp_path / "run" / "arrays" / "swing.0.jsonl").write_text(json.dumps(line) + "\n{}\n")
    facts = _facts(("length", "parameter", False), ("name", "parameter", False), keywords=keywords)
    command = call_by_hand(facts, "swing.0", line, ["project", "my lib"])
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    more = {"other": [1, None]} if keywords else {}
    assert done.stdout == f"{values['length']} {values['name']} {more}\n"


@pytest.mark.parametrize(
    "facts",
    [
        _facts(("before", "result", False)),
        {**_facts(), "function": {"pickle": "code/f.pickle"}},
        {**_facts(), "function": {"module": "a;b", "qualname": "f"}},
        {**_facts(), "function": None},
    ],
)
def test_what_takes_more_than_parameters_has_no_line(facts: dict[str, Any]) -> None:
    """Results of other tasks, and functions that are stored, are not had by a line."""
    assert call_by_hand(facts, "a.0", {"parameters": {}}, ["project"]) == ""
    assert call_by_hand(_facts(), "a.0", {"parameters": {"x": {"special": 1}}}, ["project"]) == ""


def test_moved_files_are_told_by_their_folders() -> None:
    """The outermost folder stands for what lies in it as it did; a file that lies otherwise is named itself."""
    assert moved_folders(
        {
            "/data/set": "outside/inputs/1-set",
            "/data/set/a.txt": "outside/inputs/1-set/a.txt",
            "/data/set/inner/b.txt": "outside/inputs/1-set/inner/b.txt",
            "/other/c.txt": "outside/2-other/c.txt",
            "/other/d.txt": "e.txt",
        }
    ) == [
        ("/data/set", "project/outside/inputs/1-set"),
        ("/other", "project/outside/2-other"),
        ("/other/d.txt", "project/e.txt"),
    ]
    assert moved_folders({}) == []
