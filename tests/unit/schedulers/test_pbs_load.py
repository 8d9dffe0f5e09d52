"""How busy PBS is, by `pbsnodes` and `qstat`."""

from __future__ import annotations

from typing import Any

from sciflow.model.load import PartitionLoad
from sciflow.schedulers.pbs_load import read_load

TITLE = """Job id            Name             User              Time Use S Queue
----------------  ---------------- ----------------  -------- - -----
"""


def node(state: str = "free", cores: int = 8, **more: Any) -> dict[str, Any]:
    """Return the attributes of a node."""
    return {"state": state, "resources_available": {"ncpus": cores}, **more}


def test_cores_of_nodes_that_are_up() -> None:
    """Nodes of a queue's own stand under its name, all others under none."""
    nodes = [node(), node("job-busy"), node("down"), node("state-unknown,down"), node("offline"), node(queue="fast")]
    assert read_load(nodes, None, "chen").partitions == {"": PartitionLoad(16), "fast": PartitionLoad(8)}
    assert read_load([], None, "chen").partitions == {"": PartitionLoad(0)}


def test_others_wait_who_would_start_if_there_were_room() -> None:
    """Those that are held, wait for a time or run do not; long names are cut by `qstat`."""
    rows = f"""{TITLE}101.srv           solve            chen              0 Q workq
102[].srv         solve            ada               0 Q workq
103.srv           solve            ada               00:00:00 R workq
104.srv           solve            ada               0 H workq
105.srv           solve            ada               0 W workq
106.srv           solve            ada               0 Q queue_of_the_fast
107.srv           solve            somebody_with_a_                0 Q workq
"""
    nodes = [node(jobs=["103.srv/0"]), node(queue="queue_of_the_fastest")]
    found = read_load(nodes, rows.replace("queue_of_the_fast\n", "queue_of_the_fas\n"), "chen").partitions
    assert found == {"": PartitionLoad(8, 2), "queue_of_the_fastest": PartitionLoad(8, 1)}
    # The queue of the sixth is cut at another place here, so that its name is nobody's.
    assert read_load(nodes, rows, "somebody_with_a_long_name").partitions[""].waiting == 3


def test_where_others_are_hidden_it_is_not_known_whether_they_wait() -> None:
    """A node runs a job that `qstat` does not tell of."""
    mine = f"{TITLE}101[].srv         solve            chen              0 B workq\n"
    assert read_load([node(jobs=["101[3].srv/0"])], mine, "chen").partitions[""].waiting == 0
    assert read_load([node(jobs="99.srv/0")], mine, "chen").partitions[""].waiting is None
    assert read_load([node()], "", "chen").partitions[""].waiting == 0
