"""Rendered job scripts and the schema of workflow files, as they are kept for review."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sciflow
import sciflow_shim
from sciflow import assets
from sciflow.errors import TemplateError
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.model.site_options import joined
from sciflow.planning.render import ScriptRenderer

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "docs" / "reference" / "workflow.schema.json"
HOSTILE = 'it\'s "$(touch hit)" `touch hit` \\ ; touch hit\nexport B=2 #é漢'

ARRAYS = {
    "plain": ArrayJob("train.0", "train", 4, Resources()),
    "dependent": ArrayJob(
        "relax-2.1",
        "relax-2",
        1,
        Resources(8, 16 * GIB, 1, 5400),
        (Dependency("train.0", "element"), Dependency("prepare.0", "whole")),
    ),
}
PROFILES: dict[str, dict[str, Any]] = {
    "bare": {},
    "modules": {
        "name": HOSTILE,
        "modules": ["gcc/12", "openmpi"],
        "setup": ["ulimit -s unlimited"],
        "environment": {"OMP_NUM_THREADS": 8, "OMP_PROC_BIND": True},
    },
    "hostile": {"environment": {"HOSTILE": HOSTILE, "EMPTY": "", "DASH": "-rf", "STAR": "*"}},
}
START = """import sys; sys.path = [one for one in sys.path if one]
from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))"""


def script(profile: str, array: str, python: str = "/usr/bin/python3") -> str:
    """Render a script with the bundled template, wherever the user has others."""
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "local", **PROFILES[profile]})
    return rendered(made, ARRAYS[array], python)


def rendered(profile: ClusterProfile, array: ArrayJob, python: str = "/usr/bin/python3") -> str:
    """Render a script with the bundled template and the options that the profile gives."""
    return ScriptRenderer(profile, python, partial(assets.read_template, HERE))(replace(array, options=joined(profile)))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("array", ARRAYS)
def test_local_scripts(
    profile: str,
    array: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_as_golden: Callable[[Path, str], None],
) -> None:
    """A script is the one that was reviewed, and bash can read it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    text = script(profile, array)
    subprocess.run(["bash", "-n"], input=text.encode(), check=True, timeout=20)
    same_as_golden(HERE / "local" / f"{profile}-{array}.sh", text)


SITES: dict[str, dict[str, Any]] = {
    "bare": {"partition": "compute"},
    "full": {
        **{"partition": "gpu,long", "account": "physics", "qos": "normal", "reservation": "maintenance"},
        **{"constraint": "[rack1|rack2]&a100", "licenses": "matlab:1,fluent@server:2", "gpu_type": "a100"},
        "directives": ["--mail-type=FAIL", "--exclusive"],
        "modules": ["gcc/12"],
        "setup": ["source /opt/env.sh"],
        "environment": {"GREETING": HOSTILE},
        "requeue": False,
        "limits": {"running_indices": 50, "seconds_to_kill": 5},
    },
}
JOBS = {
    "plain": ARRAYS["plain"],
    "dependent": replace(ARRAYS["dependent"], begin=datetime(2031, 5, 17, 22, tzinfo=timezone.utc)),
    "mpi": ArrayJob("flow.0", "flow", 1000, Resources(4, 64 * GIB, 4, 129_600, nodes=2, mpi_tasks=8)),
    "nodes": ArrayJob("flow.1", "flow", 2, Resources(1, 1, 0, 59, nodes=3)),
    "fused": replace(
        ArrayJob("prepare.0", "prepare", 4, Resources(1, GIB, 0, 600), riders=("train.0", "score.0")),
        together=Resources(8, 4 * GIB, 1, 8100),
    ).submitted_first,
}


@pytest.mark.parametrize("profile", SITES)
@pytest.mark.parametrize("array", JOBS)
def test_slurm_scripts(
    profile: str,
    array: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_as_golden: Callable[[Path, str], None],
) -> None:
    """A script is the one that was reviewed, with each word of profile and task in its place, and bash can read it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **SITES[profile]})
    text = rendered(made, JOBS[array])
    subprocess.run(["bash", "-n"], input=text.encode(), check=True, timeout=20)
    same_as_golden(HERE / "slurm" / f"{profile}-{array}.sh", text)


PBS_SITES: dict[str, dict[str, Any]] = {
    "bare": {},
    "full": {
        "partition": "workq",
        "account": "proj-1",
        "directives": ["-P project", "-W umask=022"],
        "modules": ["gcc/12"],
        "setup": ["ulimit -s unlimited"],
        "environment": {"OMP_PROC_BIND": True},
        "limits": {"running_indices": 50, "seconds_to_kill": 10},
    },
}


@pytest.mark.parametrize("profile", PBS_SITES)
@pytest.mark.parametrize("array", JOBS)
def test_pbs_scripts(
    profile: str,
    array: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same_as_golden: Callable[[Path, str], None],
) -> None:
    """As for Slurm; start times stand there on the clock of the machine."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "pbs", **PBS_SITES[profile]})
    text = rendered(made, JOBS[array])
    monkeypatch.undo()
    time.tzset()
    subprocess.run(["bash", "-n"], input=text.encode(), check=True, timeout=20)
    same_as_golden(HERE / "pbs" / f"{profile}-{array}.sh", text)


def test_what_pbs_has_no_word_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way out."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "pbs", "qos": "night"})
    with pytest.raises(TemplateError, match="task `train` says `qos: night`") as caught:
        rendered(made, ARRAYS["plain"])
    assert "directives" in caught.value.hint


def test_a_slurm_script_finds_its_run_and_its_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a job from where it was submitted; by hand from its own place and its argument, whatever Slurm has set."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run, spool = tmp_path / "the run's", tmp_path / "spool"
    (run / "scripts").mkdir(parents=True)
    spool.mkdir()
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nprintf "%s\\0" "${@:3}" "$PYTHONPATH"\n')
    python.chmod(0o755)
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm"})
    text = rendered(made, ARRAYS["plain"], str(python))
    (run / "scripts" / "train.0.sh").write_text(text)
    (spool / "slurm_script").write_text(text)  # where slurmd puts it
    told = {"PATH": os.environ["PATH"], "SLURM_SUBMIT_DIR": str(run), "SLURM_ARRAY_TASK_ID": "3"}
    calls = [
        ([f"{spool}/slurm_script"], told),
        ([f"{run}/scripts/train.0.sh", "3"], {**told, "SLURM_SUBMIT_DIR": "/x"}),
    ]
    for words, environment in calls:
        done = subprocess.run(["bash", *words], cwd=spool, env=environment, capture_output=True, check=True, timeout=20)
        assert done.stdout.decode().split("\0") == [str(run), "train.0", "3", f"{run}/shim", ""]


@pytest.mark.parametrize("folder", ["run", "it's $(touch hit) `x` \"é"])
def test_a_local_script_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Real bash starts the shim of this run with its arguments; variables have their values, and nothing else runs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    run, elsewhere = tmp_path / folder, tmp_path / "elsewhere"
    (run / "scripts").mkdir(parents=True)
    elsewhere.mkdir()
    python = run / "my 'python"
    python.write_text('#!/bin/bash\nprintf "%s\\0" "$@" "$PYTHONPATH" "$HOSTILE" "$EMPTY" "$DASH" "$STAR"\n')
    python.chmod(0o755)
    (run / "scripts" / "train.0.sh").write_text(script("hostile", "plain", str(python)))
    done = subprocess.run(
        [shutil.which("bash") or "bash", f"{run}/scripts/train.0.sh", "17"],
        cwd=elsewhere,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": "/mine"},
        capture_output=True,
        check=True,
        timeout=20,
    )
    assert done.stdout.decode().split("\0") == [
        *("-c", START, str(run), "train.0", "17"),
        f"{run}/shim:/mine",
        *(HOSTILE, "", "-rf", "*", ""),
    ]
    assert list(elsewhere.iterdir()) == []
    assert sorted(one.name for one in run.iterdir()) == ["my 'python", "scripts"]


def test_neither_setup_nor_the_current_directory_disturb_the_shim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What set-up lines print is no answer, and a `signal.py` of the user's is not Python's."""
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    (run / "scripts").mkdir(parents=True)
    (run / "shim").symlink_to(Path(sciflow_shim.__file__).parents[1])
    elsewhere.mkdir()
    for name in ("signal", "json", "array", "selectors"):
        (elsewhere / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    monkeypatch.setitem(PROFILES, "talks", {"setup": ["echo Loading gcc"]})
    (run / "scripts" / "train.0.sh").write_text(script("talks", "plain", sys.executable))
    done = subprocess.run(
        ["bash", f"{run}/scripts/train.0.sh", "x"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Loading gcc\nusage: python -m sciflow_shim")


def test_a_local_script_needs_an_index(tmp_path: Path) -> None:
    """Without one it says how it is used."""
    path = tmp_path / "train.0.sh"
    path.write_text(script("bare", "plain"))
    done = subprocess.run(["bash", str(path)], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode != 0
    assert "usage: bash scripts/train.0.sh INDEX" in done.stderr


def test_the_schema_of_workflow_files(same_as_golden: Callable[[Path, str], None]) -> None:
    """What editors are given is what the reader takes."""
    same_as_golden(SCHEMA, json.dumps(sciflow.workflow_schema(), indent=2, ensure_ascii=False) + "\n")
