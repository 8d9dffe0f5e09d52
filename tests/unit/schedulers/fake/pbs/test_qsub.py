"""`qsub`: what is taken, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.schedulers.fake.pbs_desk import Course, PbsDesk


def test_the_answer_is_the_identifier_and_nothing_else(desk: PbsDesk) -> None:
    """Of an array job with its brackets."""
    assert [desk.type(f"qsub {one} s.sh").out for one in ("", "-J 0-1")] == ["101.virtual\n", "102[].virtual\n"]


@pytest.mark.parametrize("arguments", ["nofile.sh", "."])
def test_no_script(desk: PbsDesk, arguments: str) -> None:
    """A file that is not there, or is a folder."""
    assert desk.type(f"qsub {arguments}").code == 1


def test_a_script_with_other_line_ends(desk: PbsDesk) -> None:
    """Those of Windows are refused."""
    (desk.folder / "w.sh").write_bytes(b"#!/bin/bash\r\necho\r\n")
    answer = desk.type("qsub w.sh")
    assert (answer.code, answer.err) == (1, "qsub: script contains cr, lf\n")


def test_scripts_have_no_arguments(desk: PbsDesk) -> None:
    """And options come first."""
    for arguments in ("s.sh a b", "s.sh -N late"):
        answer = desk.type(f"qsub {arguments}")
        assert answer.code == 2
        assert answer.err.startswith("usage: qsub")


def test_a_command_in_place_of_a_script(desk: PbsDesk) -> None:
    """Its arguments are kept as they are."""
    job = desk.type("qsub -- /bin/echo 'a b' '$HOME'").out.strip()
    facts = desk.job(job)
    assert facts["Job_Name"] == "STDIN"
    assert facts["executable"] == "<jsdl-hpcpa:Executable>/bin/echo</jsdl-hpcpa:Executable>"
    assert "exec /bin/echo 'a b' '$HOME'" in desk.cluster.jobs["101"].ordered.text


def test_a_lost_reply_is_no_refusal(desk: PbsDesk) -> None:
    """The job is there, and found by its name."""
    desk.cluster.faults.lose_replies()
    assert desk.type("qsub -N once s.sh").code == 162
    assert desk.type("qselect -N once").out == "101.virtual\n"


def test_a_job_of_the_default_name(desk: PbsDesk) -> None:
    """It is called as its script, where that can be a name."""
    assert desk.job(desk.type("qsub -h s.sh").out.strip())["Job_Name"] == "s.sh"
    (desk.folder / "my script.sh").write_text("echo\n")
    assert desk.type("qsub -h 'my script.sh'").code == 2


def test_what_no_node_has_is_taken(desk: PbsDesk) -> None:
    """It waits for ever, and says so; where a site has limits of its own, they are kept."""
    job = desk.submit("-l select=1:ncpus=64")
    desk.run(5.0)
    assert desk.job(job)["comment"] == "Can Never Run: Insufficient amount of resource: ncpus (R: 64 A: 32 T: 32)"


def test_a_site_with_limits(tmp_path: Path) -> None:
    """Over them is an error at once."""
    desk = PbsDesk(tmp_path, takes_impossible=False)
    assert desk.type("qsub -l select=1:ncpus=64 s.sh").code == 188


def test_an_array_counts_as_its_sub_jobs(tmp_path: Path) -> None:
    """As many may be queued; what has ended makes room."""
    desk = PbsDesk(tmp_path, submitted_indices=4)
    desk.submit("-J 0-2", *[Course(1.0)] * 3)
    assert desk.type("qsub -J 0-1 s.sh").code == 38
    desk.run(10.0)
    assert desk.type("qsub -J 0-3 s.sh").code == 0


def test_an_interactive_job_is_refused(desk: PbsDesk) -> None:
    """Nobody sits at a terminal there; the script of a call must not run as a batch job in its place."""
    for arguments in ("-I", "-I s.sh", "-N name -I"):
        answer = desk.type(f"qsub {arguments}")
        assert (answer.code, answer.out) == (1, "")
        assert "must be a terminal" in answer.err
    assert not desk.cluster.jobs


def test_the_version_is_told(desk: PbsDesk) -> None:
    """By every command, and where the server does not answer, too."""
    desk.cluster.faults.silence("controller", 60)
    for command in ("qsub", "qstat", "qdel", "pbsnodes"):
        assert desk.type(f"{command} --version").out == "pbs_version = 23.06.06\n"
