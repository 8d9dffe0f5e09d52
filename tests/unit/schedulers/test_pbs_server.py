"""What counts as an answer of a PBS server."""

from __future__ import annotations

import pytest

from sciflow.errors import SchedulerError, TransportError
from sciflow.schedulers.pbs_server import PATIENCE, PbsServer
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

NO_HISTORY = "PBS is not configured to maintain job history"


def server(**answers: str | Answer | list[str | Answer]) -> tuple[PbsServer, ScriptedTransport]:
    """Return a server that answers as it is told to."""
    transport = ScriptedTransport(**answers)
    return PbsServer(transport), transport


def test_nothing_is_asked_about_no_job() -> None:
    """Without an id it would tell of all jobs of all users."""
    pbs, transport = server()
    assert pbs.known([]) == {}
    assert transport.calls == []


@pytest.mark.parametrize("said", ["", '{"timestamp": 1}', "Welcome to the cluster!\n"])
def test_an_answer_that_tells_of_no_job_is_none(said: str) -> None:
    """It would say with its exit code that all are unknown."""
    pbs, _ = server(qstat=said)
    with pytest.raises(SchedulerError, match="`qstat` tells of no job"):
        pbs.known(["7.srv"])


def test_that_all_are_unknown_is_an_answer() -> None:
    """By its exit code."""
    pbs, _ = server(qstat=Answer(153, '{"timestamp": 1}', "qstat: Unknown Job Id 7.srv"))
    assert pbs.known(["7.srv"]) == {}


@pytest.mark.parametrize("code", [160, 162, 255])
def test_no_server_is_no_answer(code: int) -> None:
    """Whatever else stands there."""
    pbs, _ = server(qstat=Answer(code, '{"timestamp": 1}', "qstat: cannot connect to server srv"))
    with pytest.raises(TransportError, match="PBS does not answer: qstat: cannot connect"):
        pbs.known(["7.srv"])


def test_lines_without_history_are_asked_for_without_it() -> None:
    """An odd value spoils the first answer there, too."""
    off = Answer(0, "{}", NO_HISTORY)
    lines = "Job Id: 7.srv\x1fJob_Name=a\x1fjob_state=R\n"
    pbs, transport = server(qstat=[off, '{"Jobs": {"7.srv": nan}}', lines])
    assert pbs.known(["7.srv"]) == {"7.srv": {"Job_Name": "a", "job_state": "R"}}
    assert ["-x" in call.command for call in transport.calls] == [True, False, False]


def test_an_answer_that_breaks_off_is_none() -> None:
    """Those of which it does not tell any more would be taken for gone."""
    lines = "Job Id: 7.srv\x1fJob_Name=a\x1fjob_state=R\nJob Id: 8.srv\x1fJob_Na"
    pbs, transport = server(qstat=['{"Jobs": {"7.srv": {"job_state": "R"}, "8.sr', lines])
    with pytest.raises(SchedulerError, match="cannot be read: it breaks off"):
        pbs.known(["7.srv", "8.srv"])
    assert transport.programs == ["qstat", "qstat"]


def test_control_characters_do_not_spoil_an_answer() -> None:
    """Some versions write letters of other languages so."""
    pbs, _ = server(qstat='{"Jobs": {"7.srv": {"Account_Name": "\x03", "job_state": "R"}}}')
    assert pbs.known(["7.srv"])["7.srv"]["job_state"] == "R"


def test_jobs_are_selected_among_those_that_are_over_too() -> None:
    """Where there is no history, the question about it lists nothing and exits with 0: it is asked again without."""
    pbs, transport = server(qselect=["7.srv\n8[].srv\n"])
    assert pbs.select("-N", "a") == ["7.srv", "8[].srv"]
    assert transport.calls[0].command == ["qselect", "-x", "-N", "a"]
    pbs, transport = server(qselect=[Answer(0, "", f"qselect: {NO_HISTORY}\n"), "8[].srv\n", ""])
    assert pbs.select("-N", "a") == ["8[].srv"]
    assert pbs.select("-N", "b") == []
    assert [call.command[1] for call in transport.calls] == ["-x", "-N", "-N"]


def test_every_command_has_its_time() -> None:
    """Else one would wait for ever for a server that hangs; and it answers in English."""
    pbs, transport = server(qselect="", qstat=Answer(153, "{}", ""))
    pbs.select("-N", "a")
    pbs.known(["7.srv"])
    pbs.heard(pbs.run(["qselect"]))
    assert {call.seconds for call in transport.calls} == {PATIENCE}
    assert {call.variables["LC_ALL"] for call in transport.calls} == {"C"}
    with pytest.raises(SchedulerError, match="Unauthorized"):
        pbs.heard(refusal("qalter: Unauthorized Request", 159))
