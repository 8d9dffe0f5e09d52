"""Brakes: what holds back the rest of an array job."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.store.brakes import Brake, read_brakes, release
from sciflow.store.layout import RunDirectory
from sciflow_shim import files


def put_on(run: RunDirectory, array: str, time: float = 100.0, failed: int = 10) -> Path:
    """Leave a brake, as the shim does."""
    path = run / files.brake(array)
    path.parent.mkdir(exist_ok=True)
    facts = {"array": array, "time": time, "ended": 12, "failed": failed, "error": "ValueError: no"}
    path.write_text(json.dumps({"format": files.FORMAT, **facts}))
    return path


def test_a_run_has_no_brakes_at_first(staged: RunDirectory) -> None:
    """Nor a folder of them."""
    assert read_brakes(staged) == {}
    assert not release(staged, "square.0")


def test_a_brake_is_read_by_its_array_job(staged: RunDirectory) -> None:
    """With its reason; what is just being written is passed over."""
    path = put_on(staged, "square.0")
    path.with_name(".total.0.node.17").write_text("{")
    [(array, [brake])] = read_brakes(staged).items()
    assert array == "square.0"
    assert brake == Brake("square.0", 100.0, 12, 10, "ValueError: no")
    assert brake.reason == "held back: 10 of the first 12 failed: ValueError: no"


def test_a_brake_is_released_and_stays_known(staged: RunDirectory) -> None:
    """As many of them as there were, each with the time at which it was released; attempts before that do not count."""
    for number, second in enumerate((1000, 2000), 1):
        path = put_on(staged, "square.0")
        os.utime(path, (5.0, 5.0))
        assert release(staged, "square.0")
        assert not path.exists()
        released = staged / files.released_brake("square.0", number)
        assert released.stat().st_mtime > 1e9
        os.utime(released, (second, second))
    put_on(staged, "square.0", failed=11)
    found = read_brakes(staged)["square.0"]
    assert [(one.released, one.failed) for one in found] == [(1000.0, 10), (2000.0, 10), (None, 11)]


def test_only_the_brake_of_one_array_job_is_released(staged: RunDirectory) -> None:
    """Also where the name of one begins with that of another."""
    for array in ("a.1", "a.11", "a.1.0"):
        put_on(staged, array)
    assert release(staged, "a.1")
    assert {array: [one.released is None for one in found] for array, found in read_brakes(staged).items()} == {
        "a.1": [False],
        "a.11": [True],
        "a.1.0": [True],
    }


@pytest.mark.parametrize(
    ("released", "moment", "was_on"),
    [
        (None, None, True),
        (300.0, None, False),
        (None, 97.9, False),
        (None, 98.0, True),
        (None, 1e9, True),
        (300.0, 302.0, True),
        (300.0, 302.1, False),
    ],
)
def test_a_brake_was_on_from_when_it_was_put_on_until_it_was_released(
    released: float | None, moment: float | None, was_on: bool
) -> None:
    """Clocks of nodes differ a little; where no time is known, what counts is whether it is on."""
    assert Brake("a.0", 100.0, 12, 10, "", released).was_on(moment) == was_on


def test_a_brake_that_cannot_be_read_is_told(staged: RunDirectory) -> None:
    """The node holds back all the same, and nobody knows why."""
    put_on(staged, "square.0").write_text("{")
    with pytest.raises(RunError, match=r"brakes/square\.0\.json` cannot be read"):
        read_brakes(staged)
