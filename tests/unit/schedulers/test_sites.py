"""Which scheduler is asked."""

from __future__ import annotations

import pytest

from sciflow.errors import ProfileError
from sciflow.schedulers.sites import detect_site
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

SLURM: dict[str, str | Answer] = {
    "scontrol": "ClusterName = lab\nMaxArraySize = 10001\n",
    "sinfo": "main*|infinite|8|16000|(null)|2|up\n",
    "sacctmgr": "",
}


def test_the_scheduler_that_is_here_is_asked() -> None:
    """Slurm before a `qstat` that it may have brought along."""
    assert detect_site(ScriptedTransport(qstat="slurm-torque", **SLURM), "a")[0].scheduler == "slurm"
    pbs = ScriptedTransport(
        qstat=["pbs_version = 23.06.06\n", '{"Server": {"srv": {"default_queue": "workq"}}}', '{"Queue": {}}'],
        pbsnodes='{"nodes": {}}',
    )
    profile, _ = detect_site(pbs, "a")
    assert (profile.name, profile.scheduler) == ("a", "pbs")


def test_without_any_all_that_was_looked_for_is_named() -> None:
    """And where it may be."""
    with pytest.raises(ProfileError, match=r"no command `scontrol` .* no command `qstat`") as caught:
        detect_site(ScriptedTransport(), "a")
    assert "login node" in caught.value.hint


def test_a_scheduler_that_does_not_answer_is_said() -> None:
    """Where another one is here that does, its commands may be for another cluster."""
    down = {**SLURM, "scontrol": refusal("Unable to contact")}
    with pytest.raises(ProfileError, match="Slurm does not answer: Unable to contact"):
        detect_site(ScriptedTransport(**down), "a")
    with pytest.raises(ProfileError, match="Slurm does not answer: Unable to contact"):
        detect_site(ScriptedTransport(qstat=refusal("qstat: cannot connect to server", 255), **down), "a")
    both = ScriptedTransport(
        qstat=["pbs_version = 23.06.06\n", '{"Server": {"srv": {"job_history_enable": "True"}}}', '{"Queue": {}}'],
        pbsnodes='{"nodes": {}}',
        **down,
    )
    profile, notes = detect_site(both, "a")
    assert (profile.scheduler, notes) == ("pbs", ["Slurm does not answer: Unable to contact"])
