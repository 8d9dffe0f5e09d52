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


def test_a_scheduler_that_does_not_answer_is_no_other_one() -> None:
    """It is the one that is here."""
    with pytest.raises(ProfileError, match="Slurm does not answer"):
        detect_site(ScriptedTransport(qstat="", **{**SLURM, "scontrol": refusal("Unable to contact")}), "a")
