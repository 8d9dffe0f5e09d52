"""The attributes of jobs: what always holds of them, whatever happens."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from sciflow.schedulers.fake.pbs.attributes import write_ranges
from unit.schedulers.fake.pbs_desk import Course, PbsDesk

COURSES = st.builds(Course, st.sampled_from([1.0, 5.0, 30.0]), st.sampled_from([0, 3]), st.booleans())
DEEDS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(["", "-J 0-4", "-J 0-4%2", "-J 0-4 -h", "-r n"]), COURSES),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 10.0, 400.0]), st.none()),
    st.tuples(st.sampled_from(["qdel", "qhold", "qrls", "some"]), st.integers(0, 3), st.none()),
    st.tuples(st.sampled_from(["kill", "revive"]), st.none(), st.none()),
)


def do(desk: PbsDesk, jobs: list[str], deed: tuple[str, Any, Any]) -> None:
    """Do something, as far as it can be done."""
    word, what, course = deed
    if word == "submit":
        jobs.append(desk.submit(what, *[course] * 5, name=f"job{len(jobs)}"))
    elif word == "wait":
        desk.run(what)
    elif word == "kill":
        desk.cluster.kill_node("n1")
    elif word == "revive":
        desk.cluster.revive_node("n1")
    elif word == "some" and jobs:
        desk.type(f"qdel '{jobs[what % len(jobs)].replace('[]', '[1-2]')}'")
    elif jobs:
        desk.type(f"{word} '{jobs[what % len(jobs)]}'")


@given(st.lists(DEEDS, max_size=12), st.booleans())
def test_what_is_told_fits_together(deeds: list[tuple[str, Any, Any]], has_history: bool) -> None:
    """Of each sub-job one thing is told, and the array job counts them all; nothing that is over comes back."""
    with tempfile.TemporaryDirectory() as folder:
        desk = PbsDesk(Path(folder), has_history)
        jobs: list[str] = []
        over: set[str] = set()
        for deed in deeds:
            do(desk, jobs, deed)
            told = desk.jobs(options="-t -x" if has_history else "-t")
            for job in jobs:
                check(job, told, over, has_history)
            over = {name for name, facts in told.items() if facts["job_state"] in ("F", "X")}


def check(job: str, told: dict[str, dict[str, Any]], over: set[str], has_history: bool) -> None:
    """Look at what is told of a job."""
    if job not in told:
        assert not has_history
        return
    whole = told[job]
    assert job not in over or whole["job_state"] == "F"
    if "[]" not in job:
        assert ("exec_host" in whole) == (whole["job_state"] == "R" or whole.get("stime") is not None)
        return
    subs = {name: told[name] for name in (job.replace("[]", f"[{number}]") for number in range(5))}
    counts = {name: int(count) for name, count in re.findall(r"(\w+):(\d+)", whole["array_state_count"])}
    states = [one["job_state"] for one in subs.values()]
    if whole["job_state"] == "F":
        assert set(states) == {"F"}
        assert counts["Expired"] == sum("array_index" not in one for one in subs.values())
    else:
        assert counts == {
            "Queued": states.count("Q"),
            "Running": states.count("R"),
            "Exiting": 0,
            "Expired": states.count("X"),
        }
        assert "F" not in states
    for name, one in subs.items():
        assert name not in over or one["job_state"] in ("F", "X")
        assert ("array_index" in one) == ("run_count" in one) == ("exec_host" in one)
        assert one["job_state"] != "R" or "Exit_status" not in one


def test_ranges() -> None:
    """As they are written of what remains."""
    assert write_ranges([4, 8, 9]) == "4,8-9"
    assert write_ranges([6, 7, 8]) == "6-8"
    assert write_ranges([]) == ""
