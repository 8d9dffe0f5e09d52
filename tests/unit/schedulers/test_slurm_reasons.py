"""Slurm's reasons to wait, and what they mean."""

from __future__ import annotations

import pytest

from sciflow.schedulers.slurm_reasons import reason_of

# Single reasons of Slurm 22.05 and 25.05, as these print them.
_SINGLE = """
AccountingPolicy AccountNotAllowed AssociationJobLimit AssociationResourceLimit AssociationTimeLimit BadConstraints
BeginTime BurstBufferOperation BurstBufferResources BurstBufferStageIn Cleaning Constraints DeadLine Dependency
DependencyNeverSatisfied FedJobLock FrontEndDown InvalidAccount InvalidQOS JobArrayTaskLimit JobHeldAdmin JobHeldUser
JobHoldMaxRequeue Licenses MaxMemPerLimit NodeDown None PartitionConfig PartitionDown PartitionInactive
PartitionNodeLimit PartitionTimeLimit PowerNotAvail PowerReserved Priority Prolog QOSJobLimit QOSNotAllowed
QOSResourceLimit QOSTimeLimit QOSUsageThreshold ReqNodeNotAvail Reservation ReservationDeleted ReservationInvalid
Resources SchedDefer SystemFailure
"""
# Limits: the words that each of them is made of, as the same two print them.
_GRP = (
    "BB BBMinutes BBRunMinutes Billing BillingMinutes BillingRunMinutes CPUMinutesLimit CPURunMinutesLimit CpuLimit "
    "Energy EnergyMinutes EnergyRunMinutes GRES GRESMinutes GRESRunMinutes JobsLimit License LicenseMinutes "
    "LicenseRunMinutes MemLimit NodeLimit NodeMinutes NodeRunMinutes SubmitJobsLimit Unknown UnknownMinutes "
    "UnknownRunMinutes WallLimit"
)
_MAX = (
    "BBMinutesPerJob BBPerJob BBPerNode BillingMinutesPerJob BillingPerJob BillingPerNode CpuMinutesPerJobLimit "
    "CpuPerJobLimit CpuPerNode EnergyMinutesPerJob EnergyPerJob EnergyPerNode GRESMinutesPerJob GRESPerJob GRESPerNode "
    "LicenseMinutesPerJob LicensePerJob NodeMinutesPerJob NodePerJobLimit UnknownMinutesPerJob UnknownPerJob "
    "UnknownPerNode WallDurationPerJobLimit"
)
_LIMITS = [
    *(f"{holder}Grp{one}" for holder in ("Assoc", "QOS") for one in _GRP.split()),
    *(f"{holder}Max{one}" for holder in ("Assoc", "QOS") for one in _MAX.split()),
    *(f"AssocGrp{one}" for one in ("MemMinutes", "MemRunMinutes")),
    *(f"QOSGrp{one}" for one in ("MemoryMinutes", "MemoryRunMinutes")),
    *(f"AssocMax{one}" for one in ("JobsLimit", "SubmitJobLimit", "MemPerJob", "MemPerNode", "MemMinutesPerJob")),
    *(f"QOSMax{one}" for one in ("JobsPerUserLimit", "SubmitJobPerUserLimit", "CpuPerUserLimit", "NodePerUserLimit")),
    *(f"QOSMaxMemory{one}" for one in ("PerJob", "PerNode", "PerUser", "MinutesPerJob")),
    *(f"QOSMax{one}PerUser" for one in ("BB", "Billing", "Energy", "GRES", "License", "Unknown")),
    *(f"Max{one}PerAccount" for one in ("BB", "Billing", "Cpu", "Energy", "GRES", "Jobs", "License", "Memory", "Node")),
    *(f"Max{one}PerAccount" for one in ("SubmitJobs", "Unknown")),
    *(f"QOSMin{one}" for one in ("BB", "Billing", "CpuNotSatisfied", "Energy", "GRES", "License", "Memory", "Node")),
]


@pytest.mark.parametrize("code", _SINGLE.split())
def test_every_single_reason_has_words(code: str) -> None:
    """None of Slurm's list is shown as it is."""
    assert not reason_of(code).text.startswith("Slurm says")
    assert reason_of(code).limit is None


@pytest.mark.parametrize("code", _LIMITS)
def test_every_limit_has_words(code: str) -> None:
    """Whose it is, and of what it is, is read out of its name; what can be done is told."""
    reason = reason_of(code)
    assert reason.limit is not None
    assert reason.advice
    assert reason.limit.holder == ("account" if code.startswith("Assoc") else "QOS")
    assert reason.is_hopeless == ("PerJob" in code or "PerNode" in code or "Min" in code.partition("QOS")[2][:3])


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AssocGrpCpuLimit", "all jobs of its account together use as many CPUs as its account allows"),
        ("QOSMaxCpuPerUserLimit", "your jobs use as many CPUs as its QOS allows for a user"),
        ("QOSMaxMemoryPerUser", "your jobs use as much memory as its QOS allows for a user"),
        ("AssocMaxJobsLimit", "as many jobs run as its account allows"),
        ("MaxJobsPerAccount", "as many jobs run as its QOS allows for an account"),
        ("QOSMaxSubmitJobPerUserLimit", "as many jobs are queued as its QOS allows for a user"),
        (
            "AssocMaxWallDurationPerJobLimit",
            "asks for more walltime than its account allows for a job: it will wait for ever",
        ),
        ("QOSMinCpuNotSatisfied", "asks for fewer CPUs than its QOS wants at least: it will wait for ever"),
        (
            "AssocGrpCPUMinutesLimit",
            "all jobs of its account together have used up the CPU-minutes that its account allows",
        ),
        (
            "QOSGrpCPURunMinutesLimit",
            "all jobs of its QOS together that run may still use as many CPU-minutes as its QOS allows",
        ),
        ("ReqNodeNotAvail(Unavailable:n1)", "nodes that it could use are down, drained or reserved"),
    ],
)
def test_limits_in_words(code: str, text: str) -> None:
    """Short enough to be read, and with all that the name says."""
    assert reason_of(code).text == text


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    """A reason that looks like a limit and is none does not become one."""
    for code in ("AssocGrpMoonlight", "MaxSomethingPerUser", "GrpLimit"):
        assert reason_of(code).text == f"Slurm says: {code}"
        assert reason_of(code).limit is None
