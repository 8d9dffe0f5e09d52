"""`plan --simulate`: when it would be done, and what would change that."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sciflow.cli.simulation import _part_of, describe
from sciflow.simulation.simulate import simulate
from unit.cli.conftest import Command
from unit.simulation.conftest import NOW, compile_tasks

SITE = """
name: site
scheduler: slurm
partitions: {main: {nodes: 2, cpu_cores: 4, default: true}}
"""


@pytest.fixture
def sweep(project: Path) -> Path:
    """Return a project with a profile, whose tasks ask for ten minutes and for nothing."""
    (project / "site.yaml").write_text(SITE)
    return project


def test_it_is_said_when_it_would_be_done(sciflow: Command, sweep: Path) -> None:
    """As text, and nothing is left on the disk; without a queue, as under the profile of any Slurm."""
    before = sorted(sweep.rglob("*"))
    answer = sciflow("plan", "workflow.yaml", "--simulate", "nodes=1x2c")
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith("workflow squares on profile generic-slurm: 4 combinations, ")
    assert lines[1].startswith("on 1 node of 2 cores: done in 20 min, ")
    assert any(line.startswith("square.0        4        2") for line in lines)
    assert "note: `half` asks for no walltime and counts as taking no time: " in answer.out
    assert sorted(sweep.rglob("*")) == before


def test_as_json(sciflow: Command, sweep: Path) -> None:
    """The plan's document, and the simulation in it."""
    document = sciflow(
        *("plan", "workflow.yaml", "--profile", "site.yaml", "--simulate", "profile"),
        *("--runtime", "square=x min", "--runtime", "half=0.1", "--json"),
    ).json
    assert document["workflow"] == "squares"
    simulation = document["simulation"]
    assert simulation["nodes"] == [{"count": 2, "cores": 4, "memory": 0, "gpus": 0, "partition": ""}]
    assert simulation["runtimes"] == {"square": "x min", "half": "0.1"}
    outcome = simulation["outcomes"]["as planned"]
    assert outcome["seconds"] == 4 * 60 + 360
    assert [one["name"] for one in outcome["arrays"]] == ["square.0", "half.0"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--simulate", "16x64"], 1, "`16x64` in `16x64` says no number of nodes and cores"),
        (["--simulate", "1x1c", "--runtime", "squar=1"], 1, "did you mean `square`?"),
        (["--simulate", "1x1c", "--runtime", "square"], 2, "--runtime square says nothing"),
        (["--simulate", "1x1c", *("--runtime", "square=1") * 2], 2, "--runtime square is said more than once"),
        (["--simulate", "1x1c", "-o", "review"], 2, "--simulate writes nothing"),
        (["--load", "0.5"], 2, "--load has a meaning only with --simulate"),
        (["--simulate", "1x1c", "--load", "70"], 1, "others cannot use 70 of the cores"),
        (["--runtime", "square=1"], 2, "--runtime has a meaning only with --simulate"),
        (["--simulate", "profile"], 1, "profile `generic-slurm` does not say how many nodes there are"),
    ],
)
def test_what_is_wrong_is_named(sciflow: Command, sweep: Path, arguments: list[str], code: int, told: str) -> None:
    """And nothing is written."""
    answer = sciflow("plan", "workflow.yaml", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert told in answer.err
    assert not (sweep / "review").exists()


WORK: dict[str, Any] = {"resources": {"max_runtime": "1 h", "cpu_cores": 2}}


def described(folder: Path, nodes: str = "1x4c", **tasks: Any) -> str:
    """Return what is said of a simulation."""
    return describe(simulate(compile_tasks(folder, **tasks), nodes, now=NOW))


def test_many_array_jobs_of_a_task_are_one_line(tmp_path: Path) -> None:
    """Of five or more, the task's own figures."""
    few = described(tmp_path, x=range(4), profile={"limits": {"highest_index": 0}}, work=WORK)
    many = described(tmp_path, x=range(5), profile={"limits": {"highest_index": 0}}, work=WORK)
    assert [line.split()[:3] for line in few.splitlines() if line.startswith("work.")] == [
        [f"work.{number}", "1", "1"] for number in range(4)
    ]
    assert [line.split()[:3] for line in many.splitlines() if line.startswith("work.")] == [["work.0-4", "5", "2"]]


def test_gpus_are_said_where_they_are_used(tmp_path: Path) -> None:
    """How many of their hours, beside those of the cores."""
    gpu = {"resources": {"max_runtime": "1 h", "gpu": True}}
    assert "GPUs: 3 of 4 GPU-hours used, 75%\n" in described(tmp_path, "1x4c,2gpu", x=range(3), work=gpu)
    assert "GPU" not in described(tmp_path, "1x4c,2gpu", x=range(3), work=WORK).partition("\n\n")[2]


def test_how_near_it_comes_to_the_best_is_said(tmp_path: Path) -> None:
    """Three hours of two cores on four: the second hour is half empty."""
    assert "no other order on these nodes ends sooner\n" in described(tmp_path, x=range(4), work=WORK)
    odd = described(tmp_path, x=range(3), work=WORK)
    assert "could end before 2031-05-14" in odd
    assert "30 min sooner: 75% of a perfect packing\n" in odd


def test_times_are_those_of_the_zone_of_the_schedule(tmp_path: Path) -> None:
    """As in the plan, and its offset is said."""
    hours = {"policy": "off_peak", "preferred_hours": "22:00-06:00", "timezone": "Asia/Tokyo"}
    at_once = described(tmp_path, x=range(4), schedule={**hours}, work=WORK)
    assert "  2031-05-15 01:00+09:00  2031-05-15 03:00+09:00  " in at_once
    later = described(tmp_path, x=range(4), schedule={**hours, "timezone": "America/Chicago"}, work=WORK)
    assert "  2031-05-14 22:00-05:00  2031-05-15 00:00-05:00  " in later
    assert re.search(r"done in .*, Thu 2031-05-15 00:00-05:00\n", later)


@pytest.mark.parametrize(
    ("share", "said"), [(0.375, "38%"), (0.478, "48%"), (0.9999, "99%"), (1 - 1e-12, "100%"), (0.0, "0%")]
)
def test_shares_are_rounded(share: float, said: str) -> None:
    """As Python does; all of it is said only of all."""
    assert _part_of(share) == said


def test_the_document_is_json(tmp_path: Path) -> None:
    """What `--json` prints of it has no numbers that JSON lacks."""
    simulation = simulate(compile_tasks(tmp_path, x=range(3), work=WORK), "1x4c", now=NOW)
    assert json.loads(json.dumps(simulation.to_document(), allow_nan=False))
