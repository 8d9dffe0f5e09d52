from sciflow.schedulers.slurm_reasons import NEVER
from unit.schedulers.fake.conftest import MINUTE, Desk


def test_first_in_first_out_as_far_as_there_is_room(desk: Desk) -> None:
    """Four cores run four indices; the fifth starts when one has ended, and a job that does not fit waits longer."""
    desk.submit("many", "--array=0-4")
    desk.submit("wide", "--array=0-0", "--cpus-per-task=2")
    desk.cluster.run()
    assert [number for name, number, _ in desk.body.started if name == "many"] == [0, 1, 2, 3, 4]
    assert [node for _, _, node in desk.body.started[:4]] == ["n1", "n1", "n2", "n2"]
    assert desk.cluster.clock() == 1_000_000.0 + 20 * MINUTE


def test_index_by_index(desk: Desk) -> None:
    """An index starts when the same index has ended well, and is removed where that has failed."""
    desk.body.codes = {("first", 1): 3}
    first = desk.submit("first", "--array=0-1")
    second = desk.submit("second", "--array=0-1", "--kill-on-invalid-dep=yes", f"--dependency=aftercorr:{first}")
    desk.cluster.run()
    assert desk.words(first) == ["COMPLETED", "FAILED"]
    assert desk.words(second) == ["COMPLETED", "CANCELLED"]
    assert desk.cluster.jobs[second].indices[1].reason == NEVER


def test_all_of_it_however_it_ends(desk: Desk) -> None:
    """What waits for a whole job starts when its last index has ended."""
    desk.body.codes = {("first", 1): 3}
    first = desk.submit("first", "--array=0-5")
    second = desk.submit("second", "--array=0-0", f"--dependency=afterany:{first}")
    desk.cluster.run()
    assert desk.words(second) == ["COMPLETED"]
    assert desk.body.started[-1][0] == "second"


def test_the_first_of_several(desk: Desk) -> None:
    """A job starts when any of those has ended that it waits for."""
    short = desk.submit("short", "--array=0-0")
    long = desk.submit("long", "--array=0-3")
    tend = desk.submit("tend", f"--dependency=afterany:{short}?afterany:{long}")
    desk.cluster.run()
    assert desk.cluster.jobs[tend].indices[0].start == 1_000_000.0 + 10 * MINUTE


def test_a_job_that_nobody_knows_has_ended(desk: Desk) -> None:
    """What waits for a job that was forgotten, or never was, starts at once."""
    first = desk.submit("first", "--array=0-0")
    desk.body.codes = {("first", 0): 1}
    desk.cluster.run()
    desk.cluster.clock.sleep(desk.cluster.rules.remembered)
    second = desk.submit("second", "--array=0-0", f"--dependency=aftercorr:{first},afterany:9")
    desk.cluster.run()
    assert desk.words(second) == ["COMPLETED"]


def test_a_lost_node_puts_back_what_ran_there(desk: Desk) -> None:
    """It is missed after a while, and its indices wait two minutes more; without requeue they have failed."""
    first = desk.submit("first", "--array=0-1")
    other = desk.submit("other", "--array=0-0", "--no-requeue")
    desk.cluster.run(seconds=MINUTE)
    desk.cluster.kill_node("n1")
    desk.cluster.kill_node("n2")
    desk.cluster.run(seconds=MINUTE)
    assert desk.words(first) == ["PENDING", "PENDING"]
    assert desk.words(other) == ["NODE_FAIL"]
    desk.cluster.revive_node("n2")
    desk.cluster.run()
    assert desk.words(first) == ["COMPLETED", "COMPLETED"]
    assert [index.restarts for index in desk.cluster.jobs[first].indices.values()] == [1, 1]
    assert [node for _, _, node in desk.body.started[-2:]] == ["n2", "n2"]


def test_time_and_preemption(desk: Desk) -> None:
    """What runs too long is told to end, and has; who is preempted comes back."""
    long = desk.submit("long", "--array=0-0", "--time=00:05:00")
    short = desk.submit("short", "--array=0-0")
    desk.cluster.run(seconds=MINUTE)
    desk.cluster.preempt(desk.cluster.jobs[short].indices[0])
    desk.cluster.run()
    assert desk.words(long) == ["TIMEOUT"]
    assert desk.words(short) == ["COMPLETED"]
    assert desk.cluster.jobs[short].indices[0].restarts == 1


def test_who_is_deaf_is_killed(desk: Desk) -> None:
    """A job that does not end when it is told to is killed after a while."""
    desk.body.stop = lambda cluster, index: None
    job = desk.submit("deaf", "--array=0-0", "--time=00:05:00")
    desk.cluster.run()
    index = desk.cluster.jobs[job].indices[0]
    assert index.word == "TIMEOUT"
    assert index.end == 1_000_000.0 + 5 * MINUTE + desk.cluster.rules.late + desk.cluster.rules.kill_wait


def test_begin_throttle_and_excluded_nodes(desk: Desk) -> None:
    """It starts when it may, as many at once as it says, and not where it must not."""
    desk.submit("late", "--array=0-3%1", f"--begin=uts{1_000_000 + 3600}", "--exclude=n1")
    desk.cluster.run(seconds=3599)
    assert not desk.body.started
    desk.cluster.run(seconds=10)
    assert desk.body.started == [("late", 0, "n2")]
    desk.cluster.run()
    assert len(desk.body.started) == 4


def test_what_cannot_be_is_refused(desk: Desk) -> None:
    """In Slurm's words: too wide, too long, too many, an option that there is not."""
    assert "Requested node configuration is not available" in desk.submit("wide", "--array=0-0", "--cpus-per-task=3")
    assert "Requested time limit is invalid" in desk.submit("long", "--array=0-0", "--time=25:00:00")
    assert "Invalid job array specification" in desk.submit("many", "--array=0-10001")
    assert "invalid partition specified: nope" in desk.submit("where", "--array=0-0", "--partition=nope")
    assert desk.submit("odd", "--array=0-0", "--wall=3").startswith("sbatch: unrecognized option '--wall'")
    assert not desk.cluster.jobs
