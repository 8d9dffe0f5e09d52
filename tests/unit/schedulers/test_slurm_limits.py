"""Limits and what is used of them, as Slurm 22.05 showed them to an ordinary user."""

from __future__ import annotations

import pytest

from sciflow.schedulers.slurm_limits import limits_command, read_limit
from sciflow.schedulers.slurm_reasons import reason_of

_QOS = """\
Current Association Manager state
QOS Records
QOS=tight(2) UsageRaw=0.000000 GrpJobs=N(2) GrpJobsAccrue=N(8) GrpSubmitJobs=N(10) GrpWall=N(0.00) \
GrpTRES=cpu=3(2),mem=N(200),energy=N(0),node=N(1),billing=N(2),gres/gpu=4(1) GrpTRESMins=cpu=N(0),mem=N(0) \
GrpTRESRunMins=cpu=N(120),mem=N(12000) MaxWallPJ=120 MaxTRESPJ=cpu=4 MaxTRESPN= MaxTRESMinsPJ= MinPrioThresh=  \
MinTRESPJ=cpu=2 PreemptMode=OFF Priority=0 Account Limits= project={MaxJobsPA=N(2) MaxSubmitJobsPA=N(10) \
MaxTRESPA=cpu=7(2),mem=N(200)} User Limits= 65534={MaxJobsPU=2(2) MaxSubmitJobsPU=N(10) \
MaxTRESPU=cpu=2(2),mem=1000(200),energy=N(0)} 1001={MaxJobsPU=9(1) MaxTRESPU=cpu=8(1)}
"""
_ASSOC = """\
Current Association Manager state
Association Records
ClusterName=lab Account=project UserName= Partition= Priority=0 ID=3 ParentAccount=root(1) GrpJobs=N(3) \
GrpSubmitJobs=N(15) GrpWall=N(0.00) GrpTRES=cpu=6(3),mem=N(300) GrpTRESMins=cpu=100000(12),mem=N(0) \
GrpTRESRunMins=cpu=500(180),mem=N(18000) MaxJobs= MaxSubmitJobs= MaxWallPJ= MaxTRESPJ=
ClusterName=lab Account=project UserName=nobody(65534) Partition= ID=4 ParentAccount= GrpJobs=N(3) \
GrpTRES=cpu=N(3),mem=N(300) MaxJobs=3(3) MaxSubmitJobs= MaxWallPJ=60 MaxTRESPJ=cpu=4,mem=2000
"""


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("QOSMaxJobsPerUserLimit", "limit 2, 2 in use"),
        ("QOSMaxCpuPerUserLimit", "limit 2, 2 in use"),
        ("QOSMaxMemoryPerUser", "limit 1000 MB, 200 MB in use"),
        ("QOSGrpCpuLimit", "limit 3, 2 in use"),
        ("QOSGrpGRES", "limit 4, 1 in use"),
        ("QOSMaxWallDurationPerJobLimit", "limit 120 min"),
        ("QOSMaxCpuPerJobLimit", "limit 4"),
        ("QOSMinCpuNotSatisfied", "least 2"),
        ("MaxCpuPerAccount", "limit 7, 2 in use"),
        ("QOSGrpMemLimit", ""),
        ("AssocGrpCpuLimit", "limit 6, 3 in use"),
        ("AssocGrpCPUMinutesLimit", "limit 100000, 12 in use"),
        ("AssocGrpCPURunMinutesLimit", "limit 500, 180 in use"),
        ("AssocMaxJobsLimit", "limit 3, 3 in use"),
        ("AssocMaxCpuPerJobLimit", "limit 4"),
        ("AssocMaxWallDurationPerJobLimit", "limit 60 min"),
        ("AssocGrpJobsLimit", ""),
    ],
)
def test_the_value_of_a_limit(code: str, value: str) -> None:
    """Of this user and no other, with what is used; nothing where none is set there."""
    limit = reason_of(code).limit
    assert limit is not None
    text, name = (_QOS, "tight") if limit.holder == "QOS" else (_ASSOC, "project")
    assert read_limit(text, limit, name, "nobody", 65534) == value


def test_only_the_records_in_question_are_asked_for() -> None:
    """A site may have thousands of accounts."""
    qos, account = reason_of("QOSGrpCpuLimit").limit, reason_of("AssocGrpCpuLimit").limit
    assert qos is not None
    assert account is not None
    show = ["scontrol", "-o", "show", "assoc_mgr"]
    assert limits_command(qos, "project", "tight") == [*show, "flags=qos", "qos=tight"]
    assert limits_command(account, "project", "tight") == [*show, "flags=assoc", "accounts=project"]


def test_records_of_others_say_nothing() -> None:
    """Another account's, another QOS's, and an answer that holds none."""
    for code, text in {
        "QOSGrpCpuLimit": _QOS,
        "AssocGrpCpuLimit": _ASSOC,
        "QOSMaxCpuPerUserLimit": "nothing here\n",
    }.items():
        limit = reason_of(code).limit
        assert limit is not None
        assert read_limit(text, limit, "other", "nobody", 65534) == ""
