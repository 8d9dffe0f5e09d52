"""Where output goes."""

from __future__ import annotations

import pytest

from sciflow.schedulers.fake.pbs.face import PBS
from unit.schedulers.fake.pbs_desk import PbsDesk


@pytest.mark.parametrize(
    ("options", "output", "errors"),
    [
        ("", "{here}/work.o101", "{here}/work.e101"),
        ("-j oe", "{here}/work.o101", "{here}/work.o101"),
        ("-j eo", "{here}/work.e101", "{here}/work.e101"),
        ("-J 0-3", "{here}/work.o101.0", "{here}/work.e101.0"),
        ("-J 0-3 -o log/^array_index^.out -e /tmp/x", "{here}/log/0.out", "/tmp/x"),
        ("-o srv:/tmp/a:b -e log/", "/tmp/a:b", "{here}/log/101.virtual.ER"),
        ("-J 0-3 -o log", "{here}/log/101[0].virtual.OU", "{here}/work.e101.0"),
        ("-k oe -o /tmp/x", "{home}/work.o101", "{home}/work.e101"),
        ("-k oed -o /tmp/x", "/tmp/x", "{here}/work.e101"),
    ],
)
def test_where_output_goes(
    desk: PbsDesk, monkeypatch: pytest.MonkeyPatch, options: str, output: str, errors: str
) -> None:
    """By default where it was submitted; into a folder by the id of the job; kept in place or at home."""
    monkeypatch.setenv("HOME", "/home/me")
    (desk.folder / "log").mkdir()
    job = desk.submit(options)
    [index, *_] = desk.cluster.jobs["101"].indices.values()
    places = {"here": desk.folder, "home": "/home/me"}
    assert str(PBS.output(index)) == output.format(**places)
    assert str(PBS.errors(index)) == errors.format(**places)
    assert desk.job(job)["Output_Path"].startswith("virtual:/")
