"""The options of `qsub`, on the command line and in the script."""

from __future__ import annotations

import pytest

from sciflow.schedulers.fake.pbs.options import read_directives
from unit.schedulers.fake.pbs_desk import PbsDesk

REFUSED = [
    *((f"-J {one}", 2) for one in ("1,3,7", "0-2,5-7", "3", "3-3", "5-2", "0-9:0", "a-b", "''")),
    *(("-J 0-9%x", 166), ("-J 0-9 -r n", 2), ("-J 0-10000", 3), ("-J 0-9%2 -W max_run_subjobs=3", 2)),
    *((f"-N {one}", 2) for one in ("'a b'", "a/b", "a:b", "a[0]", "é", "a" * 231)),
    *(("-j x", 2), ("-k d", 2), ("-k ''", 2), ("-k ned", 2), ("-r x", 2), ("-a now", 2), ("-o ''", 2), ("-p high", 2)),
    *(("-l walltime=24h", 166), ("-l select=1:mem=-1gb", 166), ("-l place=nowhere", 166), ("-l foo=1", 187)),
    *(("-l select=1:foo=1", 187), ("-l select=1 -l ncpus=2", 5), ("-l nodes=1:ppn=4:gpus=1", 241), ("-Z", 2)),
    *(("-W depend=afterok:1[3].virtual", 2), ("-W depend=aftercorr:1", 2), ("-W nonsense=1", 154)),
    *(("-q nosuch", 170), ("-q main@elsewhere", 160)),
]


@pytest.mark.parametrize(("options", "code"), REFUSED)
def test_what_is_refused(desk: PbsDesk, options: str, code: int) -> None:
    """With PBS's exit code, and nothing is submitted."""
    answer = desk.type(f"qsub {options} s.sh")
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith(("qsub: ", "Unknown Host."))
    assert desk.type("qselect -x").out == ""


@pytest.mark.parametrize(
    ("text", "indices"),
    [("0-3", [0, 1, 2, 3]), ("0-20:5", [0, 5, 10, 15, 20]), ("01-03", [1, 2, 3]), ("3-4:2", [3]), ("0-9:20", [0])],
)
def test_the_indices_of_an_array_job(desk: PbsDesk, text: str, indices: list[int]) -> None:
    """A first, a last and a step; a step may leave only one."""
    job = desk.submit(f"-J {text}")
    assert list(desk.cluster.jobs[job.partition("[")[0]].indices) == indices
    assert desk.job(job)["array_indices_submitted"] == text


def test_directives_end_with_the_first_command() -> None:
    """Blanks may stand before them, others' lines are not read, quotes hold."""
    text = "#!/bin/bash\n  #PBS -N first\n##PBS -N no\n#pbs -N no\n#PBS -A 'a b' -h\n\necho\n#PBS -N late\n"
    assert read_directives(text).letters == {"N": "first", "A": "a b", "h": ""}
    assert read_directives("#MY -N one\n", "#MY").letters == {"N": "one"}


def test_a_directive_has_no_comment_behind_it(desk: PbsDesk) -> None:
    """It would be read as something else."""
    (desk.folder / "c.sh").write_text("#PBS -l walltime=00:10:00 # ten minutes\n")
    answer = desk.type("qsub c.sh")
    assert (answer.code, answer.err) == (1, "qsub: directive error: -l walltime=00:10:00 # ten minutes \n")


def test_the_command_line_wins(desk: PbsDesk) -> None:
    """Over the script; resources are added to each other, variables replace each other."""
    (desk.folder / "d.sh").write_text("#PBS -N script\n#PBS -l walltime=60\n#PBS -v A=1\n#PBS -p 3\n")
    job = desk.type("qsub -N line -l select=2:ncpus=3 -v B=2 -h d.sh").out.strip()
    facts = desk.job(job)
    assert (facts["Job_Name"], facts["Priority"]) == ("line", 3)
    assert facts["Resource_List"] == {
        **{"ncpus": 6, "nodect": 2, "place": "free", "select": "2:ncpus=3", "walltime": "00:01:00"}
    }
    assert facts["Variable_List"].get("B") == 2
    assert "A" not in facts["Variable_List"]


def test_old_spellings(desk: PbsDesk) -> None:
    """Nodes and cores, as they were asked for before there were chunks."""
    one = desk.job(desk.submit("-h -l nodes=2:ppn=4"))["Resource_List"]
    assert (one["select"], one["ncpus"], one["place"]) == ("2:ncpus=4:mpiprocs=4", 8, "scatter")
    other = desk.job(desk.submit("-h -l ncpus=4,mem=8gb"))["Resource_List"]
    assert (other["select"], other["mem"], other["place"]) == ("1:ncpus=4:mem=8gb", "8gb", "pack")


def test_none_at_once_never_starts(desk: PbsDesk) -> None:
    """It says so, and starts when it may."""
    job = desk.submit("-J 0-1%0")
    desk.run(10.0)
    facts = desk.job(job)
    assert (facts["job_state"], facts["comment"]) == (
        *("Q", "Not Running: Number of concurrent running subjobs limit reached"),
    )
    assert desk.type(f"qalter -W max_run_subjobs=1 '{job}'").code == 0
    desk.run(10.0)
    assert desk.job(job)["array_state_count"] == "Queued:1 Running:1 Exiting:0 Expired:0"
