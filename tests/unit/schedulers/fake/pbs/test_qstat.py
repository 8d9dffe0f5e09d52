"""`qstat`: how it is asked, and what it tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.fake.pbs.face import PbsFace
from unit.schedulers.fake.pbs_desk import Course, PbsDesk


def told(desk: PbsDesk, line: str) -> list[str]:
    """Return the ids of which a question tells."""
    return list(json.loads(desk.type(line).out).get("Jobs", {}))


def test_several_at_once(desk: PbsDesk) -> None:
    """In order, each once; of those that are not known nothing is said, unless none is."""
    array, plain = desk.submit("-J 0-1"), desk.submit()
    answer = desk.type(f"qstat -E -t -x -f -F json 999 {plain} '{array}' {plain}")
    assert (answer.code, answer.err) == (0, "")
    subs = [array.replace("[]", f"[{number}]") for number in (0, 1)]
    assert list(json.loads(answer.out)["Jobs"]) == [array, *subs, plain]
    answer = desk.type("qstat -E -x -f -F json 998 999")
    assert (answer.code, answer.err) == (153, "qstat: Unknown Job Id 999.virtual\n")


def test_without_that_only_the_first_is_told(desk: PbsDesk, tmp_path: Path) -> None:
    """By some versions."""
    (tmp_path / "other").mkdir()
    other = PbsDesk(tmp_path / "other", face=PbsFace(tells_first_only=False))
    for one, count in ((desk, 1), (other, 2)):
        jobs = [one.submit(), one.submit()]
        assert len(told(one, f"qstat -f -F json {' '.join(jobs)}")) == count
        assert one.type(f"qstat -f -F json {jobs[0]} 999").code == 153


def test_what_is_over_is_told_if_asked_for(desk: PbsDesk) -> None:
    """Otherwise it is an error of its own."""
    job = desk.submit("", Course(1.0))
    desk.run(5.0)
    assert told(desk, f"qstat -x -f -F json {job}") == [job]
    answer = desk.type(f"qstat -f -F json {job}")
    assert (answer.code, "use -x or -H" in answer.err) == (35, True)
    assert (told(desk, "qstat -f -F json"), told(desk, "qstat -x -f -F json")) == ([], [job])


def test_it_is_told_for_two_weeks(desk: PbsDesk) -> None:
    """Then nothing is known of it."""
    job = desk.submit("", Course(1.0))
    desk.run(15 * 86_400.0)
    assert desk.type(f"qstat -x {job}").code == 153


def test_without_history(forgetful: PbsDesk) -> None:
    """What is over is gone; a question about it tells nothing at all, and is no error."""
    over, lives = forgetful.submit("", Course(1.0)), forgetful.submit("", name="lives")
    forgetful.run(5.0)
    assert forgetful.type(f"qstat -f -F json {over}").code == 153
    answer = forgetful.type(f"qstat -x -f -F json {lives}")
    assert (answer.code, "Jobs" in answer.out) == (0, False)
    assert answer.err == f"qstat: PBS is not configured to maintain job history {lives}\n"
    assert told(forgetful, "qstat -f -F json") == [lives]


def test_without_a_server(desk: PbsDesk) -> None:
    """There is JSON even so, with nothing in it."""
    job = desk.submit()
    desk.cluster.faults.silence("controller", 60.0)
    answer = desk.type(f"qstat -E -x -f -F json {job}")
    assert answer.code == 255
    assert "Jobs" not in json.loads(answer.out)
    desk.run(61.0)
    assert told(desk, f"qstat -E -x -f -F json {job}") == [job]


@pytest.mark.parametrize("options", ["-F json", "-f -F json -u chen", "-f -F xml", "-Z"])
def test_options_that_do_not_go_together(desk: PbsDesk, options: str) -> None:
    """It says how it is used."""
    answer = desk.type(f"qstat {options}")
    assert (answer.code, answer.err.startswith("qstat: ")) == (2, True)


def test_sub_jobs(desk: PbsDesk) -> None:
    """By their own identifiers, and ranges of them."""
    job = desk.submit("-J 0-4")
    some = [job.replace("[]", f"[{number}]") for number in (1, 2)]
    assert told(desk, f"qstat -f -F json '{job.replace('[]', '[1-2]')}'") == some
    assert desk.type(f"qstat '{job.replace('[]', '[77]')}'").code == 153


def test_an_odd_identifier(desk: PbsDesk) -> None:
    """It is a queue that there is not, or none at all."""
    assert desk.type("qstat abc").code == 170
    assert desk.type("qstat 1.elsewhere").code == 1


def test_lists_for_people(desk: PbsDesk) -> None:
    """Of all jobs, of array jobs, of somebody's."""
    array, plain = desk.submit("-J 0-1"), desk.submit("", name="a" * 20)
    lines = desk.type("qstat").out.splitlines()
    assert lines[0].split() == ["Job", "id", "Name", "User", "Time", "Use", "S", "Queue"]
    assert [line.split()[0] for line in lines[2:]] == [array, plain]
    assert lines[3].split()[1] == "a" * 14 + "*"
    assert [line.split()[0] for line in desk.type("qstat -J").out.splitlines()[2:]] == [array]
    assert desk.type("qstat -u nobody").out == ""


def test_the_server_and_its_queues(desk: PbsDesk) -> None:
    """What a site is detected by."""
    desk.submit("-J 0-1")
    desk.submit("-h")
    desk.run(1.0)

    def facts(option: str, kind: str, name: str) -> dict[str, Any]:
        return json.loads(desk.type(f"qstat -{option} -f -F json").out)[kind][name]

    server = facts("B", "Server", "virtual")
    assert (server["default_queue"], server["max_array_size"], server["job_history_enable"]) == ("main", 10_000, "True")
    assert server["state_count"].split() == [
        *("Transit:0", "Queued:0", "Held:1", "Waiting:0", "Running:0", "Exiting:0", "Begun:1"),
    ]
    queue = facts("Q", "Queue", "main")
    assert (queue["total_jobs"], queue["resources_assigned"]["ncpus"], queue["started"]) == (2, 2, "True")
