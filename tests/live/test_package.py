"""A run of a real Slurm is packed, verified, and run again on that Slurm from its package alone."""

import json
import shutil

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

WORKFLOW = """
name: packed
parameters: {x: [1, 2, 3], seed: {repeat: 2}}
tasks:
  - name: square
    command: "sh {{ workflow_dir }}/square.sh {{ x }} {{ seed }}"
    inputs: [offset.txt]
    extract: {y: {stdout: 'y=(\\d+)', type: int}}
    resources: {memory: 100M, max_runtime: 1m, partition: main}
  - name: total
    depends_on: [square]
    over: [seed]
    python: sums:total
    resources: {memory: 200M, max_runtime: 1m}
"""
PROGRAM = 'read -r offset < "$(dirname "$0")/offset.txt"\necho "y=$(($1 * $1 + offset + $2 % 7))"\n'
SUMS = 'def total(square):\n    return {"sum": sum(one["y"] for one in square)}\n'


def test_a_run_is_packed_and_run_again(cluster: SlurmCluster) -> None:
    """All values come out as they were, though nothing is left of the folder in which they were first computed."""
    files = {"workflow.yaml": WORKFLOW, "square.sh": PROGRAM, "sums.py": SUMS, "offset.txt": "4\n"}
    first = Experiment(cluster, files, folder="first")
    done = first.submit("--wait")
    assert done["tasks"] == {"square": {"COMPLETED": 6}, "total": {"COMPLETED": 3}}
    second = Experiment(cluster, {}, folder="second")
    first.sciflow("package", "-o", second.folder / "square.zip", "--no-figures")
    shutil.rmtree(first.folder)
    assert second.ask("verify", "square.zip")["verdict"] == "valid"
    again = ("reproduce", "square.zip", "--profile", "site.yaml", "--environment", "here", "--into", "again")
    verdict = second.ask(*again)
    assert verdict["verdict"] == "reproduced", verdict
    assert verdict["instances"] == {"reproduced": 9}, verdict
    (journal,) = (second.folder / "again" / "runs").glob("packed/*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [one["array"] for one in events if one["event"] == "submitted"] == ["square.0", "total.0"]
