"""`pbsnodes`: the nodes."""

from __future__ import annotations

import json

from unit.schedulers.fake.pbs_desk import PbsDesk


def test_a_node_says_what_it_has_and_what_runs_there(desk: PbsDesk) -> None:
    """Also when it is down."""
    job = desk.submit("-J 0-1 -l select=1:ncpus=16:mem=1gb")
    desk.run(1.0)
    facts = json.loads(desk.type("pbsnodes -a -F json").out)["nodes"]["n1"]
    assert (facts["state"], facts["resources_available"]["ngpus"]) == ("job-busy", 8)
    assert facts["jobs"] == [job.replace("[]", "[0]"), job.replace("[]", "[1]")]
    assert facts["resources_assigned"] == {"mem": "2097152kb", "ncpus": 32}
    desk.cluster.kill_node("n1")
    assert json.loads(desk.type("pbsnodes n1 -F json").out)["nodes"]["n1"]["state"] == "down"
    assert desk.type("pbsnodes -l").out.split() == ["n1", "down"]
    assert "    state = down\n" in desk.type("pbsnodes -a").out
    assert desk.type("pbsnodes -a -F dsv").out.startswith("Name: n1|Mom=n1|")


def test_what_it_refuses(desk: PbsDesk) -> None:
    """No question, an unknown node, no server."""
    assert (desk.type("pbsnodes").code, desk.type("pbsnodes n7").code, desk.type("pbsnodes -Z").code) == (1, 1, 2)
    desk.cluster.faults.silence("controller", 60.0)
    assert desk.type("pbsnodes -a").err.endswith("pbsnodes: cannot connect to server virtual, error=15010\n")
