from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.fake.transport import VirtualTransport
from sciflow.schedulers.slurm_site import detect_site
from unit.schedulers.fake.slurm.conftest import Terminal


def test_the_table(terminal: Terminal) -> None:
    """As Slurm prints it: nodes that look alike are together."""
    terminal.submit("-c", "3", "-x", "n2")
    terminal.run(1.0)
    assert terminal.says("sinfo") == [
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST",
        "main*        up   infinite      1    mix n1",
        "main*        up   infinite      1   idle n2",
        "short        up   12:00:00      1    mix n1",
        "short        up   12:00:00      1   idle n2",
        "gpu          up 2-00:00:00      1    mix n1",
        "gpu          up 2-00:00:00      1   idle n2",
    ]
    assert terminal.says("sinfo", "-s", "-p", "short") == [
        "PARTITION AVAIL  TIMELIMIT   NODES(A/I/O/T) NODELIST",
        "short        up   12:00:00          1/1/0/2 n[1-2]",
    ]
    assert terminal.says("sinfo", "-h", "-p", "main", "-o", "%C %c %m %G %f") == [
        "3/5/0/8 8 16000 gpu:2 fast,new",
        "0/8/0/8 8 16000 gpu:2 (null)",
    ]


def test_node_by_node(terminal: Terminal) -> None:
    """With the partitions of each; a node that does not answer has a star."""
    terminal.cluster.kill_node("n2")
    assert terminal.says("sinfo", "-N", "-p", "main") == [
        "NODELIST   NODES PARTITION STATE ",
        "n1             1     main* idle  ",
        "n2             1     main* down* ",
    ]
    assert terminal.says("sinfo", "-N", "-l", "-n", "n1", "-p", "gpu")[1:] == [
        "NODELIST   NODES PARTITION       STATE CPUS    S:C:T MEMORY TMP_DISK WEIGHT AVAIL_FE REASON              ",
        "n1             1       gpu        idle 8       8:1:1  16000        0      1 fast,new none                ",
    ]
    assert terminal.says("sinfo", "-h", "-N", "-t", "idle", "-o", "%N %T") == ["n1 idle"] * 3
    assert terminal.says("sinfo", "-h", "-n", "n2", "-p", "gpu", "-o", "%P %T %F") == ["gpu down* 0/0/1/1"]


def test_complaints(terminal: Terminal) -> None:
    """Of what there is not, and of a controller that does not answer."""
    assert terminal.complains("sinfo", "-t", "foo")[1][0] == 'sinfo: error: Bad state string: "foo"'
    assert "--format" in terminal.complains("sinfo", "-O", "nodes")[1][0]
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    words = "slurm_load_partitions: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("sinfo") == (1, [words])


def test_sciflow_detects_the_site(terminal: Terminal) -> None:
    """Its partitions, what their nodes have, limits and accounts; without accounting, no accounts."""
    profile, notes = detect_site(VirtualTransport(terminal.cluster), "fake")
    assert (profile.description, profile.accounts, notes) == ("the Slurm cluster virtual", ("project",), [])
    assert profile.limits.highest_index == 10_000
    main, short = profile.partitions["main"], profile.partitions["short"]
    assert (main.cpu_cores, main.memory_gb, main.gpus, main.nodes, main.default) == (8, 15.625, 2, 2, True)
    assert (main.max_runtime, short.max_runtime) == (None, short.max_runtime)
    terminal.cluster.faults.silence(ACCOUNTING, 60.0)
    profile, notes = detect_site(VirtualTransport(terminal.cluster), "fake")
    assert (profile.accounts, len(notes)) == ((), 1)
