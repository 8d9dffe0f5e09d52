"""What a Slurm cluster allows, as a profile."""

from __future__ import annotations

import pytest

from sciflow.errors import ProfileError
from sciflow.model.profile import Capacity, Limits, Partition
from sciflow.schedulers.slurm_site import detect_site, read_partitions
from sciflow.transport.base import Answer
from unit.scripted import ScriptedTransport, refusal

CONFIG = "ClusterName             = lab\nKillWait                = 30 sec\nMaxArraySize            = 10001\n"
NODES = "main*|infinite|8|16000|gpu:2|2|up\n"


def site(**changed: str | Answer) -> ScriptedTransport:
    """Make a site whose commands answer."""
    answers: dict[str, str | Answer] = {"scontrol": CONFIG, "sinfo": NODES, "sacctmgr": "project|normal,long|100\n"}
    return ScriptedTransport(**{**answers, **changed})


def test_a_site_becomes_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three questions, and all that they tell."""
    monkeypatch.setenv("USER", "sci")
    transport = site()
    profile, notes = detect_site(transport, "mine")
    assert notes == []
    assert (profile.name, profile.scheduler, profile.description) == ("mine", "slurm", "the Slurm cluster lab")
    assert profile.partitions == {
        "main": Partition(cpu_cores=8, memory_gb=15.625, gpus=2, nodes=2, default=True),
    }
    assert profile.limits == Limits(highest_index=10000, submitted_indices=100, seconds_to_kill=30)
    assert (profile.accounts, profile.qos_names) == (("project",), ("normal", "long"))
    assert profile.capacity == Capacity()
    assert profile.default_partition == "main"
    assert transport.calls[2].command == [
        *("sacctmgr", "-nP", "show", "associations", "user=sci", "format=Account,QOS,MaxSubmitJobs")
    ]


def test_without_a_name_it_is_asked_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whoever runs this."""
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 1001)
    transport = site()
    detect_site(transport, "mine")
    assert "user=1001" in transport.calls[2].command


@pytest.mark.parametrize(
    ("rows", "accounts", "qualities", "most"),
    [
        ("", (), (), None),
        ("project||\n", ("project",), (), None),
        ("a|normal|10\nb|normal,long|200\na|short|\n", ("a", "b"), ("normal", "long", "short"), 200),
        ("|normal|\nWelcome!\n", (), ("normal",), None),
    ],
)
def test_accounts_and_qualities_of_service(
    rows: str, accounts: tuple[str, ...], qualities: tuple[str, ...], most: int | None
) -> None:
    """Each once, in order; of several limits the largest, since nobody knows which account will be named."""
    profile, _ = detect_site(site(sacctmgr=rows), "mine")
    assert (profile.accounts, profile.qos_names, profile.limits.submitted_indices) == (accounts, qualities, most)


def test_what_cannot_be_found_out_is_noted() -> None:
    """A site without accounting, or without its command, has a profile all the same."""
    profile, notes = detect_site(
        site(sacctmgr=refusal("You are not running a supported accounting_storage plugin\n")), "m"
    )
    assert notes == ["accounts are not known: You are not running a supported accounting_storage plugin"]
    assert profile.accounts == ()
    transport = site()
    del transport.answers["sacctmgr"]
    _, notes = detect_site(transport, "m")
    assert notes == ["accounts are not known: there is no command `sacctmgr` on this machine"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scontrol": refusal("Unable to contact slurm controller\n")}, "Slurm does not answer: Unable to contact"),
        ({"sinfo": refusal("Unable to contact slurm controller\n")}, "`sinfo` does not answer: Unable to contact"),
    ],
)
def test_a_slurm_that_does_not_answer_has_no_profile(changed: dict[str, Answer], message: str) -> None:
    """Nothing is made up."""
    with pytest.raises(ProfileError, match=message):
        detect_site(site(**changed), "mine")


def test_a_cluster_without_a_name_has_a_description() -> None:
    """A plain one."""
    assert detect_site(site(scontrol="MaxArraySize = 1001\n"), "m")[0].description == "a Slurm cluster"


def test_the_largest_of_a_partitions_nodes_counts() -> None:
    """Nodes of several kinds have a row each; their number is summed."""
    text = (
        "short|30:00|16+|64000+|(null)|10|up\n"
        "short|30:00|64|256000|gpu:a100:4(S:0-1),gpu:t4:2,mps:100|2|up\n"
        "down*|infinite|128|1|(null)|5|inact\n"
        "empty|infinite|0|0|(null)|0|up\n"
    )
    assert read_partitions(text) == {
        "short": Partition(cpu_cores=64, memory_gb=250, gpus=6, nodes=12, max_runtime="0-00:30:00")
    }


@pytest.mark.parametrize(
    ("longest", "seconds"),
    [
        ("infinite", None),
        ("UNLIMITED", None),
        ("n/a", None),
        ("1-00:00:00", 86_400),
        ("10-12:30:15", 10 * 86_400 + 45_015),
        ("12:00:00", 43_200),
        ("30:00", 1800),
        ("1:30", 90),
        ("2-12", 2 * 86_400 + 43_200),
        ("2-12:30", 2 * 86_400 + 45_000),
    ],
)
def test_times_are_read_as_slurm_writes_them(longest: str, seconds: int | None) -> None:
    """`30:00` is half an hour: minutes and seconds, unless days stand before it."""
    assert read_partitions(f"p|{longest}|1|1000|(null)|1|up\n")["p"].runtime_seconds == seconds
