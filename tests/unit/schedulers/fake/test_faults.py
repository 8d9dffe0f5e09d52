from pathlib import Path

import pytest

from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.face import Call, answer
from sciflow.schedulers.fake.faults import Chances, Faults
from sciflow.schedulers.fake.request import Refused
from unit.schedulers.fake.conftest import Desk
from unit.schedulers.fake.yard import HOUR, MINUTE, NOW, Yard

DAY = 24 * HOUR
ALL = Chances(
    node_dies=5.0, node_away=HOUR, job_killed=0.5, out_of_memory=0.5, controller_down=10.0, accounting_down=10.0,
    down_for=HOUR,
)  # fmt: skip


def story(seed: int) -> tuple[list[tuple[str, int, int]], float]:
    """Play two days with all that can go wrong; gives how the indices ended, and when."""
    yard = Yard()
    yard.cluster.faults.let_loose(yard.cluster, ALL, seed)
    job = yard.submit("job", 60)
    yard.run(seconds=2 * DAY)
    return [(one.word, one.signal, one.restarts) for one in job.indices.values()], job.last_end


def test_the_same_seed_brings_the_same() -> None:
    """Killed by somebody, by the kernel, with its node or not at all; another seed brings something else."""
    ends, last = story(3)
    assert (ends, last) == story(3)
    assert (ends, last) != story(4)
    assert {word for word, _, _ in ends} == {"COMPLETED", "FAILED", "OUT_OF_MEMORY"}
    assert any(restarts for _, _, restarts in ends)


def test_witnesses_are_away_for_a_while() -> None:
    """Each of them several times in two days, and not all the time."""
    yard = Yard()
    yard.cluster.faults.let_loose(yard.cluster, ALL, 1)
    silent = {CONTROLLER: 0, ACCOUNTING: 0}
    for _ in range(2 * 24 * 6):
        yard.run(seconds=10 * MINUTE)
        for witness in silent:
            silent[witness] += yard.cluster.faults.is_silent(witness)
    assert all(20 < count < 250 for count in silent.values())


def test_what_comes_by_chance_is_waited_for_by_nobody() -> None:
    """A cluster without jobs comes to rest, and a job that waits for a dead node is waited for."""
    yard = Yard()
    yard.cluster.faults.let_loose(yard.cluster, Chances(node_dies=50.0), 1)
    job = yard.submit("job", 30)
    yard.run()
    assert {one.word for one in job.indices.values()} == {"COMPLETED"}
    assert any(one.restarts for one in job.indices.values())
    before = yard.cluster.clock()
    yard.run()
    assert yard.cluster.clock() < before + DAY


def test_replies_get_lost_as_often_as_is_said() -> None:
    """By chance, or as many as are asked for."""
    yard = Yard()
    faults = yard.cluster.faults
    faults.lose_replies(2)
    assert [faults.takes_reply() for _ in range(3)] == [True, True, False]
    faults.let_loose(yard.cluster, Chances(lost_reply=0.25), 1)
    assert 200 < sum(faults.takes_reply() for _ in range(1000)) < 300


def test_answers_break_off_in_the_middle_of_a_line(desk: Desk) -> None:
    """Only those to questions, and the adapter takes none of it for the truth."""
    job = desk.submit("first", "--array=0-3")
    desk.cluster.run(seconds=MINUTE)
    desk.cluster.faults.break_off(2)
    testimony = desk.scheduler.testify({job: "first"}, {job: {0}})
    assert testimony.answers == {}
    assert {witness for witness, said in testimony.errors.items() if "breaks off" in said} == {CONTROLLER, ACCOUNTING}
    faults = desk.cluster.faults
    faults.let_loose(desk.cluster, Chances(truncated=1.0), 2)
    text = "a|b\nc|d\ne|f\n"
    parts = {faults.cut(text) for _ in range(200)}
    assert all(text.startswith(part) and not part.endswith("\n") and part for part in parts)
    assert len(parts) > 6


def test_who_asks_too_often_is_told_so(desk: Desk) -> None:
    """And may ask again later; a command counts, whatever it does."""
    desk.cluster.faults.let_loose(desk.cluster, Chances(calls_per_minute=3))
    call = Call(("squeue", "-h"), Path("/"))
    codes = [answer(desk.cluster, call).code for _ in range(4)]
    assert codes == [0, 0, 0, 1]
    assert "slow down" in answer(desk.cluster, call).err
    desk.cluster.clock.sleep(60.0)
    assert answer(desk.cluster, call).code == 0


def test_by_script() -> None:
    """Silence is never cut short by a shorter one, and a refusal says what was asked for."""
    clock = VirtualClock(NOW)
    faults = Faults(clock)
    faults.silence(CONTROLLER, 60.0)
    faults.silence(CONTROLLER, 10.0)
    clock.sleep(59.0)
    assert faults.is_silent(CONTROLLER)
    assert not faults.is_silent(ACCOUNTING)
    clock.sleep(1.0)
    assert not faults.is_silent(CONTROLLER)
    faults.refuse("qos")
    with pytest.raises(Refused, match="qos"):
        faults.check_submission()
    faults.check_submission()
