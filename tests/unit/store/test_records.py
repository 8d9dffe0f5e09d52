"""Records as the host reads them."""

import random
from pathlib import Path

import pytest

from sciflow.model.state import State
from sciflow.store.records import error_text, read_state, read_summary
from sciflow_shim.record import Dataset, Group, write_record

FACTS = {"state": "FAILED", "error_type": "ValueError", "error": "no", "start": 10.0, "end": 12.5, "parameters": "{}"}


def write(path: Path, seal: bool = True, **facts: object) -> str:
    """Write a small record."""
    root = Group({**FACTS, **facts})
    root.members["metrics"] = Group({"loss": 0.5, "label": "x", "n": 3})
    root.members["results"] = Group({}, {"grid": Dataset(bytes(48), "<f8", (2, 3))})
    root.members["resources"] = Group({"peak_rss_bytes": 4096})
    root.members["artifacts"] = Group({}, {"0": Group({"name": "plot", "path": "work/plot.png", "size": 7})})
    write_record(str(path), root, seal=seal)
    return str(path)


def test_the_state_of_a_record_is_how_the_attempt_ended(tmp_path: Path) -> None:
    """State, error in one line, and seconds come from the record's attributes."""
    known = read_state(write(tmp_path / "a.h5"))
    assert known is not None
    assert (known.state, known.error, known.seconds) == (State.FAILED, "ValueError: no", 2.5)


def test_a_clock_that_was_set_back_gives_no_negative_time(tmp_path: Path) -> None:
    """An end before the start counts as no time at all."""
    known = read_state(write(tmp_path / "a.h5", end=3.0))
    assert known is not None
    assert known.seconds == 0.0


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"error_type": "ValueError", "error": "no"}, "ValueError: no"),
        ({"error_type": "", "error": "killed"}, "killed"),
        ({"error_type": "KeyError", "error": ""}, "KeyError"),
        ({}, ""),
    ],
)
def test_an_error_is_one_line(facts: dict[str, str], text: str) -> None:
    """Type and message are joined, and what is missing leaves no colon."""
    assert error_text(facts) == text


def test_a_summary_has_all_scalars(tmp_path: Path) -> None:
    """Metrics, parameters and resources come as they are; arrays by shape, artifacts by their attributes."""
    summary = read_summary(write(tmp_path / "a.h5", parameters='{"x": [1, 2], "ü": null}'))
    assert summary is not None
    assert summary.parameters == {"x": [1, 2], "ü": None}
    assert summary.metrics == {"loss": 0.5, "label": "x", "n": 3}
    assert summary.resources == {"peak_rss_bytes": 4096}
    assert summary.arrays == {"grid": (2, 3)}
    assert summary.artifacts == [{"name": "plot", "path": "work/plot.png", "size": 7}]
    assert summary.facts["state"] == "FAILED"
    assert "parameters" not in summary.facts


def test_an_unsealed_record_is_no_result(tmp_path: Path) -> None:
    """An interim record tells a state, and is never counted."""
    path = write(tmp_path / "a.h5", seal=False, state="RUNNING")
    assert read_state(path) is not None
    assert read_summary(path) is None


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """A record of which one byte was changed, or the end is missing, gives no numbers."""
    whole = Path(write(tmp_path / "a.h5")).read_bytes()
    damaged = tmp_path / "b.h5"
    for position in range(0, len(whole), 7):
        damaged.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert read_summary(str(damaged)) is None, position
        damaged.write_bytes(whole[:position])
        assert read_summary(str(damaged)) is None, position
        assert read_state(str(damaged)) is None, position


@pytest.mark.parametrize("name", ["nothing.h5", "folder"])
def test_what_is_no_record_is_none(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are no records."""
    (tmp_path / "folder").mkdir()
    assert read_state(str(tmp_path / name)) is None
    assert read_summary(str(tmp_path / name)) is None


def test_an_unknown_state_is_no_state(tmp_path: Path) -> None:
    """A word that is no state is not passed on."""
    assert read_state(write(tmp_path / "a.h5", state="BROKEN")) is None


def test_a_record_without_metrics_is_no_result(tmp_path: Path) -> None:
    """A sealed file that lacks what records have is not counted."""
    write_record(str(tmp_path / "a.h5"), Group(dict(FACTS)), seal=True)
    assert read_summary(str(tmp_path / "a.h5")) is None


def test_a_flipped_bit_makes_no_other_state(tmp_path: Path) -> None:
    """The state is read without a look at every byte; what is read is the truth, or nothing."""
    whole = Path(write(tmp_path / "a.h5", state="COMPLETED", error="", error_type="")).read_bytes()
    damaged, chance = tmp_path / "damaged.h5", random.Random(20310514)
    found = 0
    for _ in range(1000):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        damaged.write_bytes(data)
        state = read_state(str(damaged))
        assert state is None or state.state is State.COMPLETED
        assert read_summary(str(damaged)) is None
        found += state is None
    assert found > 100


OWN = '  File "/home/u/project/train.py", line 88, in fit\n    loss()\n'
PACKAGE = '  File "/home/u/.venv/lib/python3.11/site-packages/numpy/core.py", line 7, in norm\n    raise\n'
STANDARD = '  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode\n    raise\n'
SHIM = '  File "/runs/w/1/shim/sciflow_shim/context.py", line 9, in save\n    raise\n'


@pytest.mark.parametrize(
    ("frames", "origin"),
    [
        ((OWN,), "train.py:88 in fit"),
        ((OWN, PACKAGE, STANDARD, SHIM), "train.py:88 in fit"),
        (('  File "/p/a.py", line 1, in f\n', OWN), "train.py:88 in fit"),
        (('  File "<frozen importlib._bootstrap>", line 1, in _call\n',), ""),
        ((OWN, '  File "/p/broken.py", line 3\n    def (\n'), "broken.py:3"),
        (("  | " + OWN.lstrip(),), "train.py:88 in fit"),
        ((PACKAGE,), ""),
        ((), ""),
    ],
)
def test_the_origin_of_an_error_is_in_the_users_code(tmp_path: Path, frames: tuple[str, ...], origin: str) -> None:
    """It is the innermost line of a traceback that is neither of Python, nor of a package, nor of the shim."""
    traceback = "".join(("Traceback (most recent call last):\n", *frames, "ValueError: no\n")) if frames else ""
    known = read_state(write(tmp_path / "a.h5", traceback=traceback))
    assert known is not None
    assert (known.error_type, known.origin) == ("ValueError", origin)


@pytest.mark.parametrize(
    ("nodes", "node"), [("n17", "n17"), ("n[1-2]", ""), ("n1,n2", ""), ("", ""), ("a-b.c_d", "a-b.c_d")]
)
def test_the_node_is_the_schedulers_where_there_is_one(tmp_path: Path, nodes: str, node: str) -> None:
    """A list of several nodes names none, and neither does a machine without a scheduler."""
    known = read_state(write(tmp_path / "a.h5", host="login", SLURM_JOB_NODELIST=nodes))
    assert known is not None
    assert known.node == node


def test_how_a_program_ended_is_known(tmp_path: Path) -> None:
    """Exit code, signal and start come from the attributes."""
    known = read_state(write(tmp_path / "a.h5", exit_code=-1, signal=9))
    assert known is not None
    assert (known.exit_code, known.signal, known.start, known.was_killed) == (-1, 9, 10.0, True)


@pytest.mark.parametrize(
    ("state", "facts", "expected"),
    [
        ("TIMEOUT", {"found": True, "time": 3.0, "left_files": 2, "left_time": 11.0}, (True, 11.0, 3.0)),
        ("RUNNING", {"found": False, "left_files": 1, "left_time": 11.0}, (True, 11.0, 0.0)),
        ("CANCELLED", {"found": True, "time": 3.0}, (False, 0.0, 3.0)),
        ("PREEMPTED", None, (False, 0.0, 0.0)),
        ("FAILED", {"found": False, "left_files": 1, "left_time": 11.0}, (False, 0.0, 0.0)),
    ],
)
def test_a_checkpoint_counts_where_one_may_go_on(
    tmp_path: Path, state: str, facts: dict[str, object] | None, expected: tuple[bool, float, float]
) -> None:
    """Whether files are left, and when they were written, is read of attempts that were ended before their time."""
    root = Group({**FACTS, "state": state})
    if facts is not None:
        root.members["checkpoint"] = Group(facts)
    write_record(str(tmp_path / "a.h5"), root, seal=True)
    known = read_state(str(tmp_path / "a.h5"))
    assert known is not None
    assert (known.checkpoint_left, known.left_time, known.found_time) == expected
