"""What is recorded at a site reads like what was answered there, without the names in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sciflow.model.statement import Statement
from sciflow.schedulers import pbs_answers, redacted, slurm, slurm_site
from sciflow.schedulers.recording import ACCOUNTING, ASSOCIATIONS, NODES, QUEUE
from sciflow.schedulers.stand_ins import StandIns

HERE = Path(__file__).parent
SLURM = HERE / "slurm-22.05"
JOBS = {str(number): "" for number in range(1, 12)}


def _facts(path: Path) -> dict[str, str]:
    return json.loads(path.read_text(encoding="utf-8"))


PBS = [path for path in sorted((HERE / "pbs-23.06").glob("*.json")) if '"Jobs"' in _facts(path)["out"]]


@pytest.mark.parametrize("name", ["squeue-running", "squeue-cancelled", "squeue-submitted"])
def test_the_controller_of_a_slurm(name: str) -> None:
    """States, reasons and times are the same."""
    text = (SLURM / f"{name}.txt").read_text()
    before, after = slurm.read_queue(text, JOBS), slurm.read_queue(QUEUE(text, StandIns()), JOBS)
    before.pop("8")  # its name has a `|` in it
    assert any(before.values())
    for job, indices in before.items():
        assert {i: one._replace(node="") for i, one in indices.items()} == {
            i: one._replace(node="") for i, one in after[job].items()
        }


@pytest.mark.parametrize("name", ["sacct-running", "sacct-cancelled"])
def test_the_accounting_of_a_slurm(name: str) -> None:
    """States, exit codes and times are the same; who cancelled is another number."""
    text = (SLURM / f"{name}.txt").read_text()
    said = ACCOUNTING(text, StandIns())
    before, after = slurm.read_accounting(text, JOBS), slurm.read_accounting(said, JOBS)
    assert any(before.values())
    for job, indices in before.items():
        assert {i: one._replace(node="", reason="") for i, one in indices.items()} == {
            i: one._replace(node="", reason="") for i, one in after[job].items()
        }
    assert "65534" not in said


def test_the_site_of_a_slurm() -> None:
    """Partitions and limits are the same, and so is how many jobs an account may have."""
    text = (SLURM / "scontrol-config.txt").read_text()
    said = redacted.settings(text, StandIns())
    assert slurm.read_limits(said) == slurm.read_limits(text)
    for name in ("127.0.0.1", "/lab", "= lab\n", "munge.sock", " vm("):
        assert name in text
        assert name not in said
    text = (SLURM / "sinfo.txt").read_text()
    assert slurm_site.read_partitions(NODES(text, StandIns())) == slurm_site.read_partitions(text)
    assert ASSOCIATIONS((SLURM / "sacctmgr.txt").read_text(), StandIns()) == "account1|normal|10\n"


@pytest.mark.parametrize("path", PBS, ids=lambda path: path.stem)
def test_the_jobs_of_a_pbs(path: Path) -> None:
    """States, exit codes and times are the same, under ids that have another server's name."""
    text, names = _facts(path)["out"], StandIns()
    said = redacted.attributes(text, names)
    known = pbs_answers.read_json(text)
    jobs = {job: "" for job in known if "[" not in job or "[]" in job}
    before = pbs_answers.read_statements(known, jobs, {})
    after = pbs_answers.read_statements(pbs_answers.read_json(said), {names.job_ids(job): "" for job in jobs}, {})
    assert {names.job_ids(job): {i: _bare(one) for i, one in found.items()} for job, found in before.items()} == {
        job: {i: _bare(one) for i, one in found.items()} for job, found in after.items()
    }
    for name in ("sci@", "/home/", ".vm"):
        assert name not in said


def _bare(one: Statement) -> Statement:
    """What is said of an index, but for names."""
    return one._replace(node="", reason=one.reason.partition("by ")[0])


def test_a_pbs_that_answers_in_one_line_a_job() -> None:
    """What is asked for where its JSON is none."""
    text, names = _facts(HERE / "pbs-23.06" / "dsv.json")["out"], StandIns()
    before = pbs_answers.read_dsv(text)
    after = pbs_answers.read_dsv(redacted.separated(text, names))
    assert [names.job_ids(job) for job in before] == list(after)
    for old, new in zip(before.values(), after.values(), strict=True):
        assert set(old) == set(new)
        for key in ("job_state", "Exit_status", "ctime", "substate", "resources_used.mem", "Resource_List.select"):
            assert old.get(key) == new.get(key)
        assert len(old["Variable_List"]) == len(new["Variable_List"])
