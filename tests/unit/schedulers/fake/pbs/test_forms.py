"""The forms of an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.schedulers.fake.pbs.face import PbsFace
from unit.schedulers.fake.pbs_desk import PbsDesk


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("007", 7),
        ("1e5", 100_000),
        ("1e999", None),
        ("true", True),
        ("[1]", [1]),
        ("x", "x"),
        ("", ""),
        ("nope", "nope"),
    ],
)
def test_what_looks_like_something_else_becomes_that(desk: PbsDesk, text: str, value: Any) -> None:
    """In JSON, but for names."""
    job = desk.submit(f"-h -A 1e5 -v 'A={text}'", name="123")
    facts = desk.job(job)
    assert facts["Variable_List"]["A"] == value
    assert (facts["Job_Name"], facts["Account_Name"]) == ("123", "1e5")


def test_an_older_version_changes_names_too(tmp_path: Path) -> None:
    """Numbers, and nothing else."""
    desk = PbsDesk(tmp_path, face=PbsFace(retypes_names=True))
    facts = desk.job(desk.submit("-h -A true -v A=null", name="123"))
    assert (facts["Job_Name"], facts["Account_Name"], facts["Variable_List"]["A"]) == (123, "true", "null")


def test_lines_for_machines(desk: PbsDesk) -> None:
    """One job a line, with any delimiter; resources by their full names."""
    job = desk.submit("-h -v 'A=1\n2'")
    [line] = desk.type(f"qstat -f -F dsv -D '~' {job}").out.splitlines()
    parts = line.split("~")
    assert parts[:2] == [f"Job Id: {job}", "Job_Name=work"]
    assert "Resource_List.ncpus=1" in parts
    assert "A=1\\n2" in line


def test_text_is_broken_where_it_is_long(desk: PbsDesk) -> None:
    """Unless a wide one is asked for."""
    job = desk.submit(f"-h -A {'x' * 200}")
    assert max(map(len, desk.type(f"qstat -f {job}").out.splitlines())) < 81
    assert f"    Account_Name = {'x' * 200}\n" in desk.type(f"qstat -f -w {job}").out


def test_it_is_json_with_tabs(desk: PbsDesk) -> None:
    """As PBS writes it, with its time."""
    text = desk.type("qstat -f -F json").out
    assert text.startswith(f'{{\n\t"timestamp":\t{int(desk.cluster.clock())},\n\t"pbs_version":\t"23.06.06",\n')
    assert json.loads(text)["pbs_server"] == "virtual"
