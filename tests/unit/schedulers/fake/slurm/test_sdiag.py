import re

from sciflow.model.statement import CONTROLLER
from unit.schedulers.fake.slurm.conftest import Terminal


def test_calls_and_jobs_are_counted(terminal: Terminal) -> None:
    """By the messages that commands send; root can begin anew."""
    terminal.submit("--array=0-2")
    terminal.says("squeue")
    terminal.says("squeue")
    terminal.run(1.0)
    text = terminal.type("sdiag").out
    counts = dict(re.findall(r"^\t(\w+)\s+\(\s*\d+\) count:(\d+)", text, re.MULTILINE))
    assert counts == {"REQUEST_JOB_INFO": "2", "REQUEST_SUBMIT_BATCH_JOB": "1", "REQUEST_STATS_INFO": "1", "chen": "4"}
    assert "Jobs submitted: 3\nJobs started:   3\n" in text
    assert terminal.complains("sdiag", "-r") == (1, ["slurm_reset_statistics: Access/permission denied"])
    terminal.says("sdiag", "-r", number=0)
    assert "REQUEST_JOB_INFO " not in terminal.type("sdiag").out


def test_silence(terminal: Terminal) -> None:
    """Has an exit code of its own."""
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    words = "slurm_get_statistics: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("sdiag") == (255, [words])
