"""How busy Slurm is, by `sinfo` and `squeue`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.load import PartitionLoad
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.schedulers.slurm_load import read_load
from unit.scripted import ScriptedTransport

NODES = "main*|48/16/32/96\ngpu|0/8/0/8\n"


def test_cores_of_nodes_that_are_up() -> None:
    """Busy or not; those of others are neither, and the default has a star. Others are not asked about."""
    load = read_load(NODES, None, "chen")
    assert load.default == "main"
    assert load.partitions == {"main": PartitionLoad(64), "gpu": PartitionLoad(8)}


def test_rows_of_one_partition_are_added_and_greetings_passed_over() -> None:
    """A site's wrapper may print a line, and versions may tell nodes apart."""
    assert read_load("Welcome!\nmain|1/2/3/6\nmain|4/0/0/4\n", None, "chen").partitions == {"main": PartitionLoad(7)}


@pytest.mark.parametrize(
    ("row", "waiting"),
    [
        ("ada|main|PENDING|4|Priority", 1),
        ("ada|main|PENDING|4|Resources", 1),
        ("ada|main|PENDING|4|None", 1),
        ("ada|gpu,main|PENDING|4|Priority", 1),
        ("chen|main|PENDING|4|Priority", 0),
        ("ada|gpu|PENDING|4|Priority", 0),
        ("ada|main|PENDING|4|Dependency", 0),
        ("ada|main|PENDING|4|BeginTime", 0),
        ("ada|main|PENDING|4|JobHeldUser", 0),
        ("ada|main|PENDING|4|QOSMaxCpuPerUserLimit", 0),
        ("ada|main|RUNNING|4|None", 0),
    ],
)
def test_others_wait_who_would_start_if_there_were_room(row: str, waiting: int) -> None:
    """Not those who wait for a time, for a job, or at a limit of their own."""
    text = f"eve|gpu|RUNNING|1|None\n{row}\n"
    assert read_load(NODES, text, "chen").partitions["main"].waiting == waiting


def test_where_others_are_hidden_it_is_not_known_whether_they_wait() -> None:
    """More cores are busy than mine, and nobody else is to be seen."""
    mine = "chen|main|RUNNING|40|None\nchen|main|PENDING|40|Priority\n"
    assert read_load(NODES, mine, "chen").partitions["main"].waiting is None
    assert read_load(NODES, mine.replace("40", "48"), "chen").partitions["main"].waiting == 0
    assert read_load("main*|0/64/0/64\n", "", "chen").partitions["main"].waiting == 0


def test_it_is_asked_in_one_question_each() -> None:
    """About others only where that is wanted; an answer that breaks off is none."""
    transport = ScriptedTransport(sinfo=NODES, squeue="")
    slurm = SlurmScheduler(transport, Path("/run"))
    slurm.load(is_of_others=False)
    assert [one.command for one in transport.calls] == [["sinfo", "-h", "-o", "%P|%C"]]
    slurm.load(is_of_others=True)
    assert len(transport.calls) == 3
    torn = SlurmScheduler(ScriptedTransport(sinfo=NODES[:-1]), Path("/run"))
    with pytest.raises(SchedulerError, match="breaks off"):
        torn.load(is_of_others=False)
