"""A small run of a project in which secrets lie everywhere that people leave them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sciflow.engine import Engine
from sciflow.loading import load_workflow

# None of these may be in a package; each has another shape, and comes in another way.
SECRETS = {
    "in the address of the remote": "glpat-Xy12Zw34Uv56Ts78Rq90",
    "on the command line": "hunter2-correct-horse",
    "in an address on the command line": "s3cr3tPassw0rdOfUrl",
    "in the environment of a task": "sk_live_Zz99Yy88Xx77Ww66Vv55Uu44",
    "in what was printed": "AKIAABCDEFGHIJKLMNOP",
    "in the source": "hf_QwErTyUiOpAsDfGhJkLzXcVbNm12345678",
    "in a result file": "npm_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
}
_WORKFLOW = """
name: spins
description: Energies of small spins
parameters:
  size: [4, 8]
  temperature: [1.5, 2.0]
tasks:
  - name: simulate
    command: >-
      echo E=$(( {{{{ size }}}} * 2 )).5; : --password={line} postgres://ada:{url}@db.example.org/runs;
      echo "key {printed}"; echo "_authToken={file}" > out.txt
    outputs: [out.txt]
    environment: {{API_TOKEN: "{environment}"}}
    extract: {{energy: {{stdout: 'E=(\\S+)', type: float, unit: J}}}}
  - name: analyse
    python: spins_code:analyse
    inputs: [field.csv]
    depends_on: [simulate]
visualizations:
  e_vs_t: {{type: line, x_axis: temperature, value: heat, series: size}}
metadata:
  authors: ["Ada Lovelace <ada@example.org> (0000-0002-1825-0097)"]
  license: CC-BY-4.0
  keywords: spins, energy
"""
_CODE = """
TOKEN = "{source}"


def analyse(simulate, size, temperature):
    return {{"heat": simulate["energy"] / temperature * size}}
"""


def make_spins(folder: Path) -> Path:
    """Make the project, run it, and give the run directory."""
    secrets = list(SECRETS.values())
    names = ("remote", "line", "url", "environment", "printed", "source", "file")
    said = dict(zip(names, secrets, strict=True))
    (folder / "workflow.yaml").write_text(_WORKFLOW.format(**said))
    (folder / "spins_code.py").write_text(_CODE.format(**said))
    (folder / "field.csv").write_text("0.1\n" * 100)
    (folder / "LICENSE").write_text("Creative Commons Attribution 4.0 International\n")
    git = ["git", "-C", str(folder), "-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["remote", "add", "origin", f"https://oauth2:{said['remote']}@gitlab.example.org/ada/spins.git"],
        ["add", "."],
        ["commit", "-qm", "spins"],
    ):
        subprocess.run([*git, *words], check=True)
    results = Engine(runs=folder / "runs").execute_parameter_sweep(load_workflow(folder / "workflow.yaml"))
    return results.run.path
