"""`qselect`: bare ids."""

from __future__ import annotations

from unit.schedulers.fake.pbs_desk import Course, PbsDesk


def test_by_what_jobs_are_chosen(desk: PbsDesk) -> None:
    """By name, user, state, account and queue; what is over only if that is asked for."""
    over, held = desk.submit("", Course(1.0), name="over"), desk.submit("-h -A mine", name="held")
    array = desk.submit("-J 0-1", name="array")
    desk.run(5.0)
    chosen = {
        "": [held, array],
        "-x": [over, held, array],
        "-x -N over": [over],
        "-N over": [],
        "-s H": [held],
        "-s B": [array],
        "-A mine": [held],
        "-q main -J": [array],
        "-u chen": [held, array],
        "-u nobody": [],
    }
    for options, ids in chosen.items():
        answer = desk.type(f"qselect {options}")
        assert (answer.code, answer.out.split()) == (0, ids), options


def test_without_history_nothing_of_the_past_is_listed(forgetful: PbsDesk) -> None:
    """Nor of what lives; that is said, and no error."""
    forgetful.submit("-h")
    answer = forgetful.type("qselect -x")
    assert (answer.code, answer.out) == (0, "")
    assert "not configured to maintain job history" in answer.err
    assert forgetful.type("qselect").out == "101.virtual\n"
    assert forgetful.type("qselect -Z").code == 2
