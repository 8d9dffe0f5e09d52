"""What is not started any more once nearly all that has ended has failed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from sciflow_shim import brake, files

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun, Serve

WRONG = "def work(x):\n    raise ValueError('no such file: potential.dat\\nlook again')"
SOME = "def work(x):\n    if x: raise ValueError('no')"
TOO_SHORT = "import time\ndef work(x, context):\n    if x: context.checkpoint(x)\n    time.sleep(100)"
INDICES = {"x": list(range(60))}
PACKED = {"name": "work", "python": "work", "resources": {"combinations_per_index": 20}}
HELD = "held back: 3 of the first 3 failed: ValueError: no such file: potential.dat"


def braked(prepare: Prepare, program: str = WRONG, number: int = 3, **options: Any) -> PreparedRun:
    """Return a run whose array job has a brake."""
    run = prepare(program, *options.pop("tasks", ()), parameters=INDICES, **options)
    run.change_header(brake=number)
    return run


def document(run: PreparedRun) -> dict[str, Any]:
    """Return what stands in the brake; nothing where there is none."""
    path = run.path / files.brake("work.0")
    return json.loads(path.read_text()) if path.exists() else {}


def apply(run: PreparedRun, index: int = 59) -> None:
    """Let one more index fail, as far as the brake knows."""
    brake.apply(run.array(), index, 1, [(time.time(), "FAILED", False, "ValueError: no")])


def test_the_last_of_the_first_few_sets_it(prepare: Prepare) -> None:
    """Two failures are not three; it says what has failed, in one line."""
    run = braked(prepare)
    for index in range(2):
        assert run.execute(index=index).returncode == 1
        assert not (run.path / files.BRAKES).exists()
    before = time.time()
    assert run.execute(index=2).returncode == 1
    found = document(run)
    assert before < found.pop("time") < time.time()
    error = "ValueError: no such file: potential.dat"
    assert found == {"format": 1, "array": "work.0", "ended": 3, "failed": 3, "error": error}
    assert [one.name for one in (run.path / files.BRAKES).iterdir()] == ["work.0.json"]


def test_what_is_held_back_leaves_nothing(prepare: Prepare) -> None:
    """No attempt, no record, no log: a line, and an exit code of its own; so it is of a variant."""
    run = braked(prepare)
    for index in range(3):
        run.execute(index=index)
    run.put_variant("r1")
    before = run.traces()
    for variant in ("", "r1"):
        held = run.execute(index=17, variant=variant)
        assert (held.returncode, held.stdout) == (files.HELD_CODE, "")
        assert held.stderr == f"work.0[17] {HELD}\n"
    assert run.traces() == before


def test_when_it_is_released_all_goes_on(prepare: Prepare) -> None:
    """What started before does not count any more; what starts now may set it again."""
    run = braked(prepare)
    for index in range(3):
        run.execute(index=index)
    for number in (1, 2):
        path = run.path / files.brake("work.0")
        path.rename(run.path / files.released_brake("work.0", number))
        for index in range(3):
            assert run.execute(index=index).returncode == 1
            assert bool(document(run)) == (index == 2)
    assert (document(run)["ended"], document(run)["failed"]) == (3, 3)
    assert run.execute().returncode == files.HELD_CODE


def test_only_its_own_releases_count(prepare: Prepare) -> None:
    """The folder may hold those of other array jobs, and files of nobody."""
    run = braked(prepare)
    for index in range(2):
        run.leave("FAILED", "ValueError: no", index=index)
    (run.path / files.BRAKES).mkdir()
    for name in ("work.1.1.released.json", "work.0.x.released.json", "other.0.json", "work.0.1.json"):
        (run.path / files.BRAKES / name).touch()
    apply(run)
    assert document(run)["failed"] == 3


@pytest.mark.parametrize(
    ("states", "failed"),
    [
        (["FAILED"] * 9, 10),
        (["FAILED"] * 8, 0),
        (["OUT_OF_MEMORY", "CRITERIA_NOT_MET", "TIMEOUT"] * 3, 10),
        (["COMPLETED", *["FAILED"] * 8], 9),
        (["COMPLETED", "COMPLETED", *["FAILED"] * 8], 0),
        (["CANCELLED", "UPSTREAM_FAILED", *["FAILED"] * 8], 0),
        (["RUNNING"] * 9, 0),
        ([*["RUNNING"] * 40, *["FAILED"] * 9], 10),
        (["FAILED"] * 39, 40),
        (["FAILED"] * 40, 0),
        (["COMPLETED"] * 4 + ["FAILED"] * 35, 36),
        (["COMPLETED"] * 5 + ["FAILED"] * 34, 0),
    ],
)
def test_nearly_all_of_the_first_must_have_failed(prepare: Prepare, states: list[str], failed: int) -> None:
    """Ten at least and forty at most, nine of ten of them failures; what still runs has not ended."""
    run = braked(prepare, number=10)
    for index, state in enumerate(states):
        run.leave(state, "ValueError: no", index=index)
    apply(run)
    assert document(run).get("failed", 0) == failed


def test_the_most_frequent_error_is_told(prepare: Prepare) -> None:
    """One that stands out is not what holds the others back; a long one is cut."""
    run = braked(prepare, number=4)
    for index, error in enumerate(["OSError: full", "KeyError: " + "x" * 500, "KeyError: " + "x" * 500]):
        run.leave("FAILED", error, index=index)
    apply(run)
    found = document(run)
    assert found["error"] == ("KeyError: " + "x" * 500)[:200]
    apply(run)  # what is there already is left alone
    assert document(run) == found


def test_what_came_from_another_run_or_is_torn_does_not_count(prepare: Prepare) -> None:
    """Nor does what lies there besides."""
    run = braked(prepare)
    for index in range(3):
        run.leave("FAILED", "ValueError: no", index=index, attempt=0)
    folder = (run.path / files.record("work.0", 0, 1)).parent
    (folder / "5.1.h5").write_bytes(b"torn")
    (folder / "notes.txt").touch()
    apply(run)
    assert document(run) == {}


def test_who_was_stopped_and_can_go_on_has_not_failed(prepare: Prepare) -> None:
    """A time limit without a checkpoint is a failure, one with a checkpoint is none."""
    task = {"name": "work", "python": "work", "resources": {"max_runtime": "00:00:01"}}
    run = braked(prepare, TOO_SHORT, 2, tasks=[task])
    for index in (0, 1):
        assert run.execute(index=index).returncode == 124
    assert document(run) == {}
    run = braked(prepare, TOO_SHORT, 1, tasks=[task], name="again")
    run.execute(index=1)
    assert document(run) == {}
    run.execute(index=0)
    assert document(run) == {}
    run.path.joinpath(files.record("work.0", 1, 1)).unlink()
    run.execute(index=0)
    assert document(run)["failed"] == 2


def test_of_many_that_fail_at_once_one_sets_it(prepare: Prepare) -> None:
    """Whoever comes when ten have failed; the file is whole, and those that come later leave nothing."""
    run = braked(prepare, number=10)
    for start in range(0, 16, 4):
        processes = [
            subprocess.Popen(run.command("work.0", str(index)), env=run.environment, stderr=subprocess.PIPE, text=True)
            for index in range(start, start + 4)
        ]
        for process in processes:
            process.communicate(timeout=60)
    found = document(run)
    assert 10 <= found["failed"] == found["ended"] <= 13
    assert [one.name for one in (run.path / files.BRAKES).iterdir()] == ["work.0.json"]
    ran = len(list(run.path.glob("records/*/*/*")))
    assert found["ended"] <= ran < 16
    before = run.traces()
    later = [run.execute(index=index) for index in (20, 21)]
    assert [one.returncode for one in later] == [75, 75]
    assert run.traces() == before


def test_the_first_one_wins(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two have counted at once, the second one leaves the first one's; so it does without hard links."""
    run = braked(prepare, number=1)
    run.leave("RUNNING")
    link = os.link

    def late(source: str, target: str) -> None:
        if not document(run):
            (run.path / files.brake("work.0")).write_text('{"first": true}')
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    apply(run)
    assert document(run) == {"first": True}
    (run.path / files.brake("work.0")).unlink()

    def unknown(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    apply(run)
    assert document(run)["failed"] == 1
    assert [one.name for one in (run.path / files.BRAKES).iterdir()] == ["work.0.json"]


def test_one_that_cannot_be_set_is_no_failure(prepare: Prepare) -> None:
    """The index has failed anyhow; what is wrong is said."""
    run = braked(prepare, number=1)
    (run.path / files.BRAKES).touch()
    ended = run.execute()
    assert ended.returncode == 1
    assert "sciflow_shim: the brake of `work.0` cannot be set: " in ended.stderr
    assert run.facts()["state"] == "FAILED"


def test_one_that_cannot_be_read_holds_all_the_same(prepare: Prepare) -> None:
    """Somebody has put it there; one that has just gone holds nobody."""
    run = braked(prepare)
    (run.path / files.BRAKES).mkdir()
    (run.path / files.brake("work.0")).write_text("{")
    held = run.execute()
    assert held.returncode == files.HELD_CODE
    assert f"`{run.path / files.brake('work.0')}` cannot be read: " in held.stderr
    (run.path / files.brake("work.0")).unlink()
    assert brake.why(run.array()) == ""


def test_without_a_number_there_is_none(prepare: Prepare) -> None:
    """An array job of an earlier sciflow, or of somebody who wants none, starts all."""
    run = prepare(WRONG, parameters=INDICES)
    for index in range(4):
        assert run.execute(index=index).returncode == 1
    assert not (run.path / files.BRAKES).exists()


def test_serving_says_what_is_held_back(prepare: Prepare, serve: Serve) -> None:
    """The answer comes at once, and what was asked for has not begun; released, it does."""
    run = braked(prepare)
    served = serve(run)
    assert [one["state"] for one in served.run_to_end(0, 1, 2)] == ["FAILED"] * 3
    before = run.traces()
    served.start(3, attempt=2)
    held = served.wait_for("ended", 3)
    expected = {"event": "ended", "index": 3, "attempt": 2, "state": "CANCELLED", "error": HELD, "seconds": 0.0}
    assert held == expected
    assert run.traces() == before
    (run.path / files.brake("work.0")).rename(run.path / files.released_brake("work.0", 1))
    assert served.run_to_end(4)[0]["state"] == "FAILED"


def states(run: PreparedRun, element: int) -> dict[str, Any]:
    """Return index → state, as the record of an array index tells."""
    members = run.record(index=element)["members"].members
    return {name: member.attributes["state"] for name, member in members.items()}


def test_of_a_pack_the_rest_is_held_back(prepare: Prepare) -> None:
    """Its own failures count as soon as they are there; what has not begun has no place in its record."""
    run = braked(prepare, tasks=[PACKED], profile="generic-slurm")
    ended = run.execute()
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"work.0[3-19] {HELD}"
    assert states(run, 0) == {"0": "FAILED", "1": "FAILED", "2": "FAILED"}
    assert run.facts()["error"] == f"3 of 20 did not complete: 0-2; {HELD}"
    before = run.traces()
    held = run.execute(index=2)
    assert (held.returncode, held.stderr) == (75, f"work.0[40-59] {HELD}\n")
    assert run.traces() == before


def test_what_other_packs_tell_counts_too(prepare: Prepare) -> None:
    """Each of their combinations; one that has completed something ends well all the same."""
    run = braked(prepare, SOME, 25, tasks=[PACKED], profile="generic-slurm")
    assert run.execute(index=0).returncode == 0
    assert document(run) == {}
    assert run.execute(index=1).returncode == 1
    assert (document(run)["ended"], document(run)["failed"]) == (25, 24)
    assert list(states(run, 1)) == ["20", "21", "22", "23", "24"]
    (run.path / files.brake("work.0")).unlink()
    run.change_header(brake=5)
    brake.apply(run.array(), 1, 1, [(time.time(), "FAILED", False, "ValueError: no")])
    assert document(run) == {}  # there are more than twenty


def test_a_pack_that_completed_something_ends_well(prepare: Prepare) -> None:
    """What follows index by index looks at the record of each."""
    program = """
import os
def work(x):
    os.makedirs("run/brakes", exist_ok=True)
    with open("run/brakes/work.0.json", "w") as file:
        file.write('{"failed": 9, "ended": 9, "error": "OSError: full"}')
"""
    run = braked(prepare, program, tasks=[PACKED], profile="generic-slurm")
    ended = run.execute()
    held = "held back: 9 of the first 9 failed: OSError: full"
    assert (ended.returncode, ended.stderr) == (0, f"work.0[1-19] {held}\n")
    assert states(run, 0) == {"0": "COMPLETED"}
    assert (run.facts()["state"], run.facts()["error"]) == ("FAILED", held)
