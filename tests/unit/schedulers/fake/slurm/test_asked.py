import pytest

from unit.schedulers.fake.slurm.conftest import GIB, Terminal

MIB = 1 << 20


@pytest.mark.parametrize(
    ("options", "cores", "memory", "gpus"),
    [
        ("", 1, 0, 0), ("-c 2", 2, 0, 0), ("-n 2 -c 3", 6, 0, 0), ("--ntasks-per-node=4", 4, 0, 0),
        ("--mem=100", 1, 100 * MIB, 0), ("--mem=2G", 1, 2 * GIB, 0), ("--mem=1000K", 1, MIB, 0),
        ("--mem=100MB", 1, 100 * MIB, 0),
        ("--mem-per-cpu=1G -c 4", 4, 4 * GIB, 0), ("--mem-per-gpu=1G -G 2", 1, 2 * GIB, 2),
        ("--mem=0", 1, 16_000 * MIB, 0),
        ("--gres=gpu", 1, 0, 1), ("--gres=gpu:2", 1, 0, 2), ("--gres=gpu:a100:2", 1, 0, 2), ("--gres=none", 1, 0, 0),
        ("--gpus=2", 1, 0, 2), ("--gpus-per-node=a100:1", 1, 0, 1), ("--gpus-per-task=1 -n 2", 2, 0, 2),
        ("--exclusive", 8, 0, 0), ("--mincpus=3", 3, 0, 0), ("-N 1 -n 2", 2, 0, 0),
    ],
)  # fmt: skip
def test_resources(terminal: Terminal, options: str, cores: int, memory: int, gpus: int) -> None:
    """Tasks, cores, memory by node, core or GPU, and GPUs in all spellings."""
    request = terminal.cluster.jobs[terminal.submit(*options.split())].request
    assert (request.cores, request.memory, request.gpus) == (cores, memory, gpus)


@pytest.mark.parametrize(
    ("options", "excluded"),
    [
        ("", set()), ("-x n1", {"n1"}), ("-x n[1-2]", {"n1", "n2"}), ("-w n1", {"n2"}), ("-w n[1-2] -x n2", {"n2"}),
        ("-C fast|new", {"n2"}), ("-C [fast|new]", {"n2"}),
    ],
)  # fmt: skip
def test_nodes(terminal: Terminal, options: str, excluded: set[str]) -> None:
    """Named nodes and features of which one is enough leave the others out."""
    assert set(terminal.cluster.jobs[terminal.submit(*options.split())].request.excluded) == excluded


def test_features_that_are_all_asked_for(terminal: Terminal) -> None:
    """Stand in the request; what no node has is refused."""
    assert terminal.cluster.jobs[terminal.submit("-C", "fast&new")].request.features == ("fast", "new")
    words = "sbatch: error: Batch job submission failed: Invalid feature specification"
    assert terminal.complains("sbatch", "-C", "fast&old", "--wrap=true") == (1, [words])


def test_several_nodes_are_refused_in_words_of_its_own(terminal: Terminal) -> None:
    """Who plans with them must not be misled."""
    code, lines = terminal.complains("sbatch", "-N", "2", "--wrap=true")
    assert (code, len(lines)) == (1, 2)
    assert lines[0] == "sbatch: error: the virtual cluster has no jobs of several nodes, and this one asks for 2"
