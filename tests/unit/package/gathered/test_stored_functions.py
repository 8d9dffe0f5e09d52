"""Functions that were stored are given by a module, whatever their tasks are called and their source looks like."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

from sciflow.package import layout
from sciflow.package.gathered.stored_functions import Stored, functions_module


def test_the_module_gives_each_function_by_a_name_of_its_own(tmp_path: Path) -> None:
    """Tasks whose names differ only in what Python has no letter for have functions of their own."""
    stored = [Stored("a-b", 1, "", ""), Stored("a.b", 2, "", ""), Stored("3é", 3, "", "")]
    for number, one in enumerate(stored):
        place = tmp_path / one.place
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(pickle.dumps((len, max, min)[number]))
    path = tmp_path / layout.FUNCTIONS
    path.write_text(functions_module(stored), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("given", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert [getattr(module, one.name) for one in stored] == [len, max, min]


def test_a_source_stays_a_comment() -> None:
    """Nothing of a source is run, also where it has lines that only some programs take for lines."""
    source = 'def f():\n\n    return """\nraise SystemExit\x0craise SystemExit\u2028raise SystemExit\r1"""\n'
    text = functions_module([Stored("f", 1, "", source)])
    code = compile(text, "given", "exec")
    assert "SystemExit" not in code.co_names
    assert "# def f():\n#\n#     return" in text
