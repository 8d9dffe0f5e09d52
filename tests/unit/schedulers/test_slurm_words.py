"""Slurm's words in ours."""

from __future__ import annotations

import pytest

from sciflow.model.state import State
from sciflow.schedulers.slurm_words import STATES, explain_reason, state_and_reason, way_out


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("PENDING", State.PENDING),
        ("CONFIGURING", State.RUNNING),
        ("COMPLETING", State.RUNNING),
        ("SUSPENDED", State.RUNNING),
        ("REQUEUED", State.PENDING),
        ("SPECIAL_EXIT", State.PENDING),
        ("BOOT_FAIL", State.NODE_FAIL),
        ("LAUNCH_FAILED", State.NODE_FAIL),
        ("DEADLINE", State.CANCELLED),
        ("REVOKED", State.CANCELLED),
        ("OUT_OF_MEMORY", State.OUT_OF_MEMORY),
    ],
)
def test_words_of_slurm(word: str, state: State) -> None:
    """Each has a state of ours."""
    assert STATES[word] is state


def test_our_own_states_are_no_words_of_slurm() -> None:
    """It does not know when results were not good enough."""
    assert not {"UPSTREAM_FAILED", "CRITERIA_NOT_MET"} & set(STATES)


@pytest.mark.parametrize(
    ("word", "reason", "expected"),
    [
        ("RUNNING", "None", (State.RUNNING, "RUNNING", "")),
        ("RUNNING", "JobHeldUser", (State.RUNNING, "RUNNING", "JobHeldUser")),
        ("FAILED", "NonZeroExitCode", (State.FAILED, "FAILED", "NonZeroExitCode")),
        ("GRONKED", "", (State.UNKNOWN, "GRONKED", "")),
        ("PENDING", "Priority", (State.PENDING, "PENDING", "others with a higher priority come first")),
        ("CANCELLED", "BeginTime", (State.CANCELLED, "CANCELLED", "BeginTime")),
        *(
            (
                word,
                "DependencyNeverSatisfied",
                (State.UPSTREAM_FAILED, word, "what it waits for has failed, so it can never start"),
            )
            for word in ("PENDING", "CANCELLED")
        ),
    ],
)
def test_state_and_reason(word: str, reason: str, expected: tuple[State, str, str]) -> None:
    """What waits is explained; what waits for something that has failed is lost; an unknown word is unknown."""
    assert state_and_reason(word, reason) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("None", "has not been looked at by the scheduler yet"),
        ("", "has not been looked at by the scheduler yet"),
        ("Dependency", "waits for the array job before it"),
        ("job requeued in held state", "put back and held: `scontrol release` lets it go"),
        ("PartitionNodeLimit", "asks for more nodes than its partition has: it will wait for ever"),
        ("QOSMaxJobsPerUserLimit", "as many jobs run as its QOS allows for a user"),
        ("QOSGrpCpuLimit", "all jobs of its QOS together use as many CPUs as its QOS allows"),
        ("AssocGrpBB", "all jobs of its account together use as much burst-buffer space as its account allows"),
        ("ReqNodeNotAvail, UnavailableNodes:n1", "nodes that it could use are down, drained or reserved"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "nodes that it could use are down, drained or reserved",
        ),
        ("FrontEndDown", "the front end that would start it is down"),
        ("MoonInTheWay", "Slurm says: MoonInTheWay"),
    ],
)
def test_reasons_to_wait_are_told_in_plain_words(reason: str, expected: str) -> None:
    """The longer word before the shorter; Slurm's own where we have none."""
    assert explain_reason(reason) == expected


def test_every_refusal_has_a_way_out() -> None:
    """Also one that nobody has seen before."""
    assert way_out("Job submit PLUGIN says no") == "the same command tries again what was not submitted"
    full = "QOSMaxSubmitJobPerUserLimit Job violates accounting/QOS policy (job submit limit, size and/or time limits)"
    assert way_out(full).startswith("as much is queued as you may have")
    assert "room" in way_out("write error: No space left on device")
    assert way_out("Required partition not available (inactive or drain)").startswith("the partition is down")
