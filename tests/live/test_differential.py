"""The virtual cluster answers as a real Slurm does: the same commands on both, compared."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from live.differential_cases import CASES
from live.replay import CORES, FIRST, GPUS, NODES, FakePlace, RealPlace, Stage, play
from live.slurm_cluster import SlurmCluster

Lines = tuple[list[str], list[str]]
# Case and note → the lines that only the real one has, and those that only the virtual one has.
DIFFERENCES: Mapping[tuple[str, str], Lines] = {
    # The virtual cluster does not write down whether a script that is too long ended when told to, or was killed.
    ("time_limit", "sacct"): (["J2.batch|batch|CANCELLED|0:9|NODE|1|||"], ["J2.batch|batch|CANCELLED|0:15|NODE|1|||"]),
    # Slurm reads the environment of a login, which the account of these tests has none of; the virtual one has the
    # five variables that every login sets.
    ("environment", "env-none-0"): ([], ["HOME=~", "LOGNAME=USER", "PATH=…", "USER=USER"]),
    # Slurm guesses at the number of nodes of what waits; the virtual cluster has jobs of one node.
    ("spellings", "-n 2 -c 3"): (
        ["UNLIMITED|100M|6|3|2|N/A|||0|main|normal|(null)|(null)|HERE|wrap|N/A|N/A|JobHeldUser"],
        ["UNLIMITED|100M|6|3|1|N/A|||0|main|normal|(null)|(null)|HERE|wrap|N/A|N/A|JobHeldUser"],
    ),
    # Slurm does not look at what is held; the virtual cluster refuses at once what none of its nodes can hold.
    ("spellings", "--mem=2T"): (
        ["exit 0", "UNLIMITED|2T|1|1|1|N/A|||0|main|normal|(null)|(null)|HERE|wrap|N/A|N/A|JobHeldUser"],
        [
            "exit 1",
            "sbatch: error: Memory specification can not be satisfied",
            "sbatch: error: Batch job submission failed: Requested node configuration is not available",
        ],
    ),
}


def test_fake_and_real(make_cluster: Callable[..., SlurmCluster], tmp_path: Path) -> None:
    """States, reasons, exit codes, rows, refusals and variables are the same, but for the differences named above."""
    real = RealPlace(make_cluster(nodes=NODES, cpus=CORES, gpus=GPUS, extra=(f"FirstJobId={FIRST}",)))
    fake = FakePlace(real.account, tmp_path)
    with ThreadPoolExecutor(1) as aside:
        told = aside.submit(play, fake, CASES)
        truth = play(real, CASES)
    fake.close()
    assert _differences(truth, told.result()) == dict(DIFFERENCES)


def _differences(real: Mapping[str, Stage], fake: Mapping[str, Stage]) -> dict[tuple[str, str], Lines]:
    found = {}
    for case, stage in real.items():
        for what in {**stage.notes, **fake[case].notes}:
            one, other = stage.notes.get(what, ["not noted"]), fake[case].notes.get(what, ["not noted"])
            one, other = _as_far_as_written(one, other)
            if one != other:
                found[case, what] = (_besides(one, other), _besides(other, one))
    return found


def _as_far_as_written(real: Sequence[str], fake: Sequence[str]) -> Lines:
    """The rows that `_SACCT` asks for; of a job only job, state, exit code and node where Slurm tells no more.

    A busy Slurm sometimes writes down the end of a short job and loses its beginning: its name is `allocation` then.
    """
    rows = [row.split("|") for row in real]
    bare = {row[0] for row in rows if len(row) > 4 and row[1] == "allocation"}
    return _shortened(real, bare), _shortened(_without_lost_indices(real, fake), bare)


def _without_lost_indices(real: Sequence[str], fake: Sequence[str]) -> list[str]:
    """The fake's rows, without the index of an array of one where Slurm has lost that with its beginning."""
    told = {re.split(r"[|.]", row)[0] for row in real}
    lost = {job for job in told if not any(other.startswith(f"{job}_") for other in told)}
    return [
        re.sub(r"^(J\d+)_\d+(?=[|.])", lambda found: found[1] if found[1] in lost else found[0], row) for row in fake
    ]


def _shortened(lines: Sequence[str], bare: set[str]) -> list[str]:
    rows = [(line, line.split("|")) for line in lines]
    return ["|".join([row[0], *row[2:5]]) if row[0] in bare else line for line, row in rows]


def _besides(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    return [line for line in lines if line not in others]
