"""PBS's commands: what is asked, and what happens when there is no answer."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import SchedulerError, TransportError
from sciflow.model.load import PartitionLoad
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.pbs import AT_ONCE, PbsScheduler
from sciflow.schedulers.pbs_server import PATIENCE
from sciflow.schedulers.pbs_submission import clock, needs_map
from sciflow.transport.base import Answer
from sciflow_shim import files
from unit.scripted import ScriptedTransport, refusal

ARRAY = ArrayJob("train.0", "train", 1000, Resources())
NAME = "train.0.20260105-101500-4a3f1.2"


def scheduler(run: Path, **answers: str | Answer | list[str | Answer]) -> tuple[PbsScheduler, ScriptedTransport]:
    """Make a scheduler, and what its commands answer."""
    (run / "arrays").mkdir(exist_ok=True)
    transport = ScriptedTransport(**answers)
    return PbsScheduler(transport, run), transport


def submission(run: Path, *indices: int, array: ArrayJob = ARRAY, **more: Any) -> Submission:
    """Make a submission of some indices."""
    return Submission(array, run / "scripts" / "train.0.sh", dict.fromkeys(indices, 1), NAME, **more)


def answer(**jobs: dict[str, Any]) -> str:
    """Return what `qstat` says of jobs."""
    return json.dumps({"timestamp": 1, "Jobs": jobs})


@pytest.mark.parametrize(
    ("indices", "option"),
    [
        ((3, 4, 5), "3-5"),
        ((2, 6, 10), "2-10:4"),
        ((17,), "17-18:2"),
        ((3, 17, 42), "0-2"),
    ],
)
def test_indices_are_named_as_far_as_it_can_be(tmp_path: Path, indices: tuple[int, ...], option: str) -> None:
    """A range with a step; one alone by a step that leaves it alone; all others by their places in a map."""
    pbs, transport = scheduler(tmp_path, qsub="7[].srv\n")
    assert pbs.submit(submission(tmp_path, *indices)) == "7[].srv"
    [call] = transport.calls
    logs = f"{tmp_path}/logs/train.0/^array_index^.{NAME}.job"
    assert call.command == ["qsub", "-f", "-N", NAME, "-J", option, "-o", logs, "scripts/train.0.sh"]
    assert (call.cwd, call.seconds) == (tmp_path, PATIENCE)
    kept = tmp_path / files.index_map(NAME)
    assert (kept.read_text().split() if kept.exists() else []) == (["3", "17", "42"] if option == "0-2" else [])


def test_a_whole_array_job_says_its_indices_in_its_script(tmp_path: Path) -> None:
    """So does one of a single index."""
    pbs, _ = scheduler(tmp_path)
    assert "-J" not in pbs.call(submission(tmp_path, *range(1000)))
    alone = pbs.call(submission(tmp_path, 0, array=ArrayJob("train.0", "train", 1, Resources())))
    assert "-J" not in alone
    assert f"/^array_index^.{NAME}.job" in alone


def test_no_more_run_at_once(tmp_path: Path) -> None:
    """Also of some indices."""
    pbs, _ = scheduler(tmp_path)
    assert "-J 3-5%20" in pbs.call(submission(tmp_path, 3, 4, 5, at_once=20))


def test_only_what_lives_is_waited_for(tmp_path: Path) -> None:
    """PBS would delete what depends on a job that it has forgotten; and of an array it can only be the whole."""
    known = answer(**{"5[].srv": {"job_state": "B"}, "6.srv": {"job_state": "F"}})
    pbs, transport = scheduler(tmp_path, qstat=known, qsub="7[].srv\n")
    after = (After("5[].srv", "element"), After("6.srv", "whole"), After("4.srv", "whole"))
    pbs.submit(submission(tmp_path, *range(1000), after=after))
    assert transport.calls[0].command == ["qstat", "-E", "-x", "-f", "-F", "json", "5[].srv", "6.srv", "4.srv"]
    assert shlex.join(transport.calls[1].command).startswith(f"qsub -f -N {NAME} -W 'depend=afterany:5[].srv' -o")


def test_start_times_are_on_the_clock_of_who_submits(tmp_path: Path) -> None:
    """To the second; also that of the plan, which the script says on the clock of who made it."""
    pbs, _ = scheduler(tmp_path)
    assert f"-a {clock(1795394440.0)}" in pbs.call(submission(tmp_path, 1, begin=1795394440.0))
    planned = replace(ARRAY, begin=datetime(2031, 5, 17, 22, tzinfo=timezone.utc))
    own = f"-a {clock(planned.begin.timestamp())} "  # type: ignore[union-attr]
    assert own in pbs.call(submission(tmp_path, *range(1000), array=planned))
    assert f"-a {clock(1795394440.0)}" in pbs.call(submission(tmp_path, 1, array=planned, begin=1795394440.0))
    assert "-a" not in pbs.call(submission(tmp_path, 1)).split()
    assert len(clock(1795394440.0)) == len("202611230040.40")


def test_an_errand_waits_for_the_first_of_its_jobs_that_lives(tmp_path: Path) -> None:
    """PBS knows no "or"."""
    known = answer(**{"5[].srv": {"job_state": "F"}, "6.srv": {"job_state": "R"}, "8.srv": {"job_state": "Q"}})
    pbs, transport = scheduler(tmp_path, qstat=known, qsub="9.srv\n")
    errand = Errand(tmp_path / "scripts" / "tend.sh", "tend.1.3", ("5[].srv", "6.srv", "8.srv"))
    assert pbs.send(errand) == "9.srv"
    assert transport.calls[1].command == [
        *["qsub", "-f", "-N", "tend.1.3", "-W", "depend=afterany:6.srv", "-o"],
        f"{tmp_path}/logs/tend.1.3.out",
        "scripts/tend.sh",
    ]


def test_what_waits_can_wait_for_more(tmp_path: Path) -> None:
    """By another dependency in place of its own."""
    known = answer(**{"5[].srv": {"job_state": "B"}, "6.srv": {"job_state": "R"}})
    pbs, transport = scheduler(tmp_path, qstat=known, qalter="")
    pbs.postpone("7[].srv", [After("5[].srv", "whole"), After("6.srv", "whole")])
    assert transport.calls[1].command == ["qalter", "-W", "depend=afterany:5[].srv:6.srv", "7[].srv"]


def test_cancelling_some_indices(tmp_path: Path) -> None:
    """By ranges, all at once; by places where the job has a map."""
    whole = answer(**{"7[].srv": {"Job_Name": NAME, "job_state": "B"}})
    pbs, transport = scheduler(tmp_path, qstat=whole, qdel="")
    pbs.cancel("7[].srv", [3, 4, 9])
    assert [call.command for call in transport.calls[1:]] == [["qdel", "7[3-4].srv", "7[9].srv"]]
    (tmp_path / files.index_map(NAME)).write_text("3\n9\n40\n41\n")
    pbs.cancel("7[].srv", [9, 41])
    assert [call.command for call in transport.calls[3:]] == [["qdel", "7[1].srv", "7[3].srv"]]
    pbs.cancel("7[].srv")
    assert transport.calls[-1].command == ["qdel", "7[].srv"]


def test_many_are_cancelled_by_few_commands(tmp_path: Path) -> None:
    """Every second one of two thousand."""
    whole = answer(**{"7[].srv": {"Job_Name": NAME, "job_state": "B"}})
    pbs, transport = scheduler(tmp_path, qstat=whole, qdel="")
    pbs.cancel("7[].srv", range(0, 2000, 2))
    calls = [call.command for call in transport.calls if call.command[0] == "qdel"]
    assert [len(call) - 1 for call in calls] == [AT_ONCE, AT_ONCE]
    assert [target for call in calls for target in call[1:]] == [f"7[{i}].srv" for i in range(0, 2000, 2)]


def test_one_real_refusal_among_others_is_said(tmp_path: Path) -> None:
    """The exit code is that of one of them."""
    said = "qdel: Job has finished 7[3].srv\nqdel: Server could not connect to MOM 7[9].srv\n"
    whole = answer(**{"7[].srv": {"Job_Name": NAME, "job_state": "B"}})
    pbs, _ = scheduler(tmp_path, qstat=whole, qdel=refusal(said, 35))
    with pytest.raises(SchedulerError, match=r"does not cancel some of 7\[\]\.srv: .*MOM 7\[9\]\.srv") as caught:
        pbs.cancel("7[].srv", [3, 9])
    assert "qdel -W force" in caught.value.hint
    over = refusal("qdel: Job has finished 7[3].srv\nqdel: Request invalid for finished array subjob 7[9].srv\n", 55)
    pbs, transport = scheduler(tmp_path, qstat=whole, qdel=over)
    pbs.cancel("7[].srv", [3, 9])
    assert transport.programs == ["qstat", "qdel"]


def test_what_waits_for_a_job_that_ends_in_this_moment_is_submitted_again(tmp_path: Path) -> None:
    """A server without history has deleted it without a word, and it waits for the others then."""
    off = Answer(0, '{"timestamp": 1}', "qstat: PBS is not configured to maintain job history 5[].srv\n")
    both = answer(**{"5[].srv": {"job_state": "B"}, "6[].srv": {"job_state": "Q"}})
    later = answer(**{"6[].srv": {"job_state": "B"}})
    gone = refusal("qstat: Unknown Job Id 7[].srv", 153)
    there = answer(**{"8[].srv": {"job_state": "H"}})
    told = Answer(gone.code, "{}", gone.err)
    pbs, transport = scheduler(tmp_path, qstat=[off, both, told, later, there], qsub=["7[].srv\n", "8[].srv\n"])
    after = (After("5[].srv", "element"), After("6[].srv", "whole"))
    assert pbs.submit(submission(tmp_path, *range(1000), after=after)) == "8[].srv"
    first, second = (call.command for call in transport.calls if call.command[0] == "qsub")
    assert "depend=afterany:5[].srv:6[].srv" in first
    assert "depend=afterany:6[].srv" in second
    assert transport.answers["qstat"] == []


def test_with_history_nothing_is_looked_up_after_a_submission(tmp_path: Path) -> None:
    """What has ended is known there, and lets start what waits for it."""
    pbs, transport = scheduler(tmp_path, qstat=answer(**{"5[].srv": {"job_state": "B"}}), qsub="7[].srv\n")
    pbs.submit(submission(tmp_path, *range(1000), after=(After("5[].srv", "whole"),)))
    assert transport.programs == ["qstat", "qsub"]


@pytest.mark.parametrize("folder", ["it's", 'a"b', "a\\b", "a\nb", "^array_index^"])
def test_a_folder_that_jobs_would_not_find_is_refused(tmp_path: Path, folder: str) -> None:
    """PBS hands its name on to jobs among variables, in which some characters do not stay what they are."""
    pbs = PbsScheduler(ScriptedTransport(), tmp_path / folder)
    with pytest.raises(SchedulerError, match="which PBS does not hand on") as caught:
        pbs.submit(submission(tmp_path / folder, 1))
    assert "--runs" in caught.value.hint


def test_a_folder_may_have_spaces_and_commas(tmp_path: Path) -> None:
    """They arrive as they are."""
    (tmp_path / "a b, c").mkdir()
    pbs, transport = scheduler(tmp_path / "a b, c", qsub="7[].srv\n")
    pbs.submit(submission(tmp_path / "a b, c", 1))
    assert f"{tmp_path}/a b, c/logs/train.0/^array_index^.{NAME}.job" in transport.calls[0].command


def test_a_refusal_to_cancel_is_said(tmp_path: Path) -> None:
    """In PBS's own words."""
    pbs, _ = scheduler(tmp_path, qdel=refusal("qdel: Unauthorized Request  7.srv", 159))
    with pytest.raises(SchedulerError, match=r"does not cancel 7\.srv: qdel: Unauthorized"):
        pbs.cancel("7.srv")


def test_places_of_a_map_are_told_as_indices(tmp_path: Path) -> None:
    """The map is found by the name of the job."""
    facts = {"exec_host": "n1/0", "Exit_status": 3, "job_state": "X", "array_index": 1, "substate": 93}
    known = answer(**{"7[].srv": {"Job_Name": NAME, "job_state": "B"}, "7[1].srv": facts})
    pbs, _ = scheduler(tmp_path, qstat=known)
    (tmp_path / files.index_map(NAME)).write_text("3\n17\n42\n")
    [(index, one)] = pbs.testify({"7[].srv": NAME}, {}).answers[CONTROLLER]["7[].srv"].items()
    assert (index, one.state, one.exit) == (17, State.FAILED, "3:0")
    assert pbs.query(["7[].srv"]) == {"7[].srv": {17: State.FAILED}}


def test_what_is_no_job_id_is_not_asked_about(tmp_path: Path) -> None:
    """It would spoil the question about all."""
    pbs, transport = scheduler(tmp_path, qstat=answer(**{"7.srv": {"job_state": "R"}}))
    assert pbs.query(["7.srv", "task.0", "no such job", ""]) == {"7.srv": {0: State.RUNNING}}
    assert transport.calls[0].command[-1] == "7.srv"
    assert pbs.query(["task.0"]) == {}


def test_one_odd_value_does_not_spoil_the_answer(tmp_path: Path) -> None:
    """Where it is no JSON, lines are asked for."""
    lines = "Job Id: 7.srv\x1fJob_Name=a\x1fjob_state=F\x1fExit_status=0\x1fexec_host=n1/0\x1fsubstate=92\n"
    pbs, transport = scheduler(tmp_path, qstat=['{"Jobs": {"7.srv": {"Variable_List": nan}}', lines])
    assert pbs.query(["7.srv"]) == {"7.srv": {0: State.COMPLETED}}
    assert transport.calls[1].command[5:9] == ["-F", "dsv", "-D", "\x1f"]


def test_what_is_queued_is_counted_by_index(tmp_path: Path) -> None:
    """Of array jobs those that wait and run."""
    known = answer(
        **{
            "5[].srv": {"job_state": "B", "array_state_count": "Queued:4 Running:3 Exiting:1 Expired:3"},
            "6.srv": {"job_state": "R"},
        }
    )
    pbs, _ = scheduler(tmp_path, qstat=known, qselect="5[].srv\n6.srv\n")
    assert pbs.queued() == 9
    assert scheduler(tmp_path, qselect="")[0].queued() == 0


def test_no_server_is_no_answer(tmp_path: Path) -> None:
    """Nothing is known then, and nothing is looked up in vain."""
    pbs, _ = scheduler(tmp_path, qselect=refusal("qselect: cannot connect to server srv (errno=15010)", 162))
    with pytest.raises(TransportError, match="PBS does not answer"):
        pbs.find({"a": 0.0})
    assert pbs.testify({}, {}).answers == {}


def test_it_cannot_be_told_where_not_to_run(tmp_path: Path) -> None:
    """So no node is said to be avoided."""
    assert not scheduler(tmp_path)[0].avoids_nodes


def test_evenly_spaced_indices_need_no_map() -> None:
    """Two always are."""
    assert not needs_map([3])
    assert not needs_map([3, 17])
    assert needs_map([3, 17, 42])


def test_how_many_run_at_once_is_said_and_changed(tmp_path: Path) -> None:
    """Behind the indices where it is not what the script says, and by `qalter` later; not of what is over."""
    pbs, transport = scheduler(
        tmp_path, qalter=["", refusal("qalter: Job has finished 7[].srv", 35), refusal("cannot connect", 255)]
    )
    assert "-J 0-999%20" in pbs.call(submission(tmp_path, *range(1000), throttle=20))
    assert pbs.throttle("7[].srv", 20)
    assert not pbs.throttle("7[].srv", 20)
    with pytest.raises(TransportError):
        pbs.throttle("7[].srv", 20)
    assert transport.calls[0].command == ["qalter", "-W", "max_run_subjobs=20", "7[].srv"]


def test_where_it_cannot_be_changed_that_is_said(tmp_path: Path) -> None:
    """Older versions know no such attribute."""
    pbs, _ = scheduler(tmp_path, qalter=refusal("qalter: illegal -W value", 2))
    with pytest.raises(
        SchedulerError, match=r"how many indices of job 7\[\].srv run at once: qalter: illegal -W value"
    ) as caught:
        pbs.throttle("7[].srv", 20)
    assert "older versions cannot" in caught.value.hint


def test_its_load_is_asked_in_one_question_each(tmp_path: Path) -> None:
    """About others only where that is wanted."""
    nodes = json.dumps({"nodes": {"n1": {"state": "free", "resources_available": {"ncpus": 8}}}})
    pbs, transport = scheduler(tmp_path, pbsnodes=nodes, qstat="")
    assert pbs.load(is_of_others=False).partitions == {"": PartitionLoad(8)}
    assert [one.command for one in transport.calls] == [["pbsnodes", "-a", "-F", "json"]]
    assert pbs.load(is_of_others=True).partitions == {"": PartitionLoad(8, 0)}
