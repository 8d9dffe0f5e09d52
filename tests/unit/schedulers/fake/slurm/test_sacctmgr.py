from pathlib import Path

from sciflow.model.statement import ACCOUNTING
from unit.schedulers.fake.slurm.conftest import Terminal

COMMAND = ("sacctmgr", "-nP", "show", "associations", "user=chen")


def test_associations(tmp_path: Path) -> None:
    """Each user has one, with the limit of the site, if there is one."""
    limited = Terminal(tmp_path, submitted_indices=10)
    assert limited.says(*COMMAND, "format=Account,QOS,MaxSubmitJobs") == ["project|normal|10"]
    assert Terminal(tmp_path).says(*COMMAND, "format=Account,MaxSubmit%8") == ["project|"]
    assert limited.says("sacctmgr", "list", "assoc", "user=chen", "format=user,account") == [
        "      User    Account ",
        "---------- ---------- ",
        "      chen    project ",
    ]


def test_complaints(terminal: Terminal) -> None:
    """There is nothing to be changed, and a database may not answer."""
    assert "nothing else" in terminal.complains("sacctmgr", "-i", "add", "account", "x")[1][0]
    assert terminal.complains(*COMMAND, "format=foo") == (1, [" Unknown field 'foo'"])
    terminal.cluster.faults.silence(ACCOUNTING, 60.0)
    code, lines = terminal.complains(*COMMAND)
    assert (code, lines[-1]) == (1, "sacctmgr: error: Sending PersistInit msg: Connection refused")
