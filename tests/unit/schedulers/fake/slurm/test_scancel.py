import pytest

from sciflow.model.statement import CONTROLLER
from unit.schedulers.fake.slurm.conftest import Terminal


@pytest.fixture
def queued(terminal: Terminal) -> Terminal:
    """Return a terminal at which two jobs run in part, and one is held."""
    terminal.submit("--array=0-3%2", name="first")
    terminal.submit("--array=0-1", "-p", "short", "-A", "proj", name="second")
    terminal.submit("--hold", name="third")
    terminal.run(1.0)
    return terminal


@pytest.mark.parametrize(
    ("options", "cancelled"),
    [
        ("1", "1_0 1_1 1_2 1_3"), ("1_[1-2]", "1_1 1_2"), ("1_3 3", "1_3 3_0"), ("1000001", "1_1"),
        ("-n second", "2_0 2_1"),
        ("-t PD", "1_2 1_3 3_0"), ("-p short", "2_0 2_1"), ("-A proj", "2_0 2_1"), ("-w n2", ""),
        ("--me -t R", "1_0 1_1 2_0 2_1"),
        ("-t R 1", "1_0 1_1"), ("999", ""), ("1_9", ""), ("1.batch", "1_0 1_1 1_2 1_3"), ("-u nobody", ""),
    ],
)  # fmt: skip
def test_what_is_cancelled(queued: Terminal, options: str, cancelled: str) -> None:
    """By ids, raw ids, indices and filters; what there is not is no error."""
    assert queued.says("scancel", *options.split()) == []
    queued.run(5.0)
    ends = [
        index for job in queued.cluster.jobs.values() for index in job.indices.values() if index.word == "CANCELLED"
    ]
    assert " ".join(f"{one.job.id}_{one.number}" for one in ends) == cancelled
    assert {one.by for one in ends} <= {1001}


def test_whose_it_is_not(queued: Terminal) -> None:
    """Others' jobs are not touched, but by root."""
    queued.says("sbatch", "--hold", "--wrap=true", number=0)
    words = "scancel: error: Kill job error on job id 4: Access/permission denied"
    assert queued.complains("scancel", "4") == (210, [words])
    queued.says("scancel", "-t", "PD")
    queued.says("scancel", "3", number=0)
    assert [queued.cluster.jobs[job].indices[0].word for job in ("3", "4")] == ["CANCELLED", "PENDING"]


def test_signals(queued: Terminal) -> None:
    """TERM lets it end and KILL ends it, both as if by itself; others cannot be sent."""
    queued.says("scancel", "-s", "KILL", "1_0")
    queued.says("scancel", "--signal=TERM", "1_1")
    queued.run(5.0)
    first = queued.cluster.jobs["1"].indices
    assert [(first[one].word, first[one].code, first[one].signal) for one in (0, 1)] == [
        ("FAILED", 0, 9),
        ("FAILED", 143, 0),
    ]
    assert "can be sent TERM and KILL" in queued.complains("scancel", "-s", "USR1", "1_2")[1][0]
    assert queued.complains("scancel", "-s", "FOO", "1_2") == (1, ["Unknown job signal: FOO"])


def test_complaints(terminal: Terminal) -> None:
    """Of no job, of what is none, and of a controller that does not answer."""
    assert terminal.complains("scancel") == (1, ["scancel: error: No job identification provided"])
    assert terminal.complains("scancel", "abc") == (1, ["scancel: error: Invalid job id abc"])
    said = terminal.type("scancel", "-v", "9")
    assert (said.code, said.err) == (0, "scancel: error: Kill job error on job id 9: Invalid job id specified\n")
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    words = "scancel: error: Kill job error on job id 1: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("scancel", "1") == (8, [words])
