"""The file between the user's program and its supervisor."""

from __future__ import annotations

import array
from pathlib import Path

import pytest

from sciflow_shim.outcome import Outcome, read_outcome


def test_all_of_an_outcome_comes_back(tmp_path: Path) -> None:
    """Facts come back as they were, and results say where their bytes are."""
    path = tmp_path / "x.outcome"
    outcome = Outcome()
    outcome.metrics = {"a": 1, "b": float("inf"), "c": "ü\udcff"}
    outcome.order = ["a", "b", "c", "d", "e", "f"]
    outcome.artifacts = [{"name": "z", "path": "/z"}]
    outcome.error = {"type": "ValueError", "message": "no"}
    outcome.returned = "mapping"
    outcome.notes = {"n": 1}
    outcome.add_result("d", "<f8", [2], array.array("d", [1.5, 2.5]), kind="list")
    outcome.add_result("e", "<f8", [0], b"")
    outcome.add_result("f", "|u1", [3], b"xyz")
    outcome.write(str(path))
    found = read_outcome(str(path))
    assert found is not None
    for name in ("metrics", "order", "artifacts", "error", "returned", "notes"):
        assert getattr(found, name) == getattr(outcome, name)
    data = path.read_bytes()
    slices = [data[one["offset"] : one["offset"] + one["length"]] for one in found.results]
    assert slices == [array.array("d", [1.5, 2.5]).tobytes(), b"", b"xyz"]
    assert [one["attributes"] for one in found.results] == [{"kind": "list"}, {}, {}]
    assert [path.name for path in tmp_path.iterdir()] == ["x.outcome"]


def test_no_outcome_is_none(tmp_path: Path) -> None:
    """A program that left nothing left nothing."""
    assert read_outcome(str(tmp_path / "x")) is None


@pytest.mark.parametrize("length", [0, 7, 16, 30])
def test_a_torn_outcome_is_an_error(tmp_path: Path, length: int) -> None:
    """Half a header is not taken for an outcome."""
    outcome = Outcome()
    outcome.metrics = {"a": 1}
    outcome.write(str(tmp_path / "x"))
    data = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(data[:length])
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        read_outcome(str(tmp_path / "x"))


def test_forgetting_takes_the_bytes_along(tmp_path: Path) -> None:
    """The bytes of what stays are still those of what stays."""
    outcome = Outcome()
    for name, data in (("a", b"1"), ("t/x", b"22"), ("t/y", b"33"), ("b", b"4444")):
        outcome.add_result(name, "|u1", [len(data)], data)
    outcome.order = ["a", "t", "b"]
    outcome.forget("t")
    outcome.forget("never there")
    assert outcome.order == ["a", "b"]
    outcome.write(str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes().endswith(b"14444")
