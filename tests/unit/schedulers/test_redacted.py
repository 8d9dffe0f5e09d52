import re

from hypothesis import given
from hypothesis import strategies as st

from sciflow.schedulers import redacted
from sciflow.schedulers.recording import ACCOUNTING, QUEUE
from sciflow.schedulers.slurm import read_accounting, read_queue
from sciflow.schedulers.stand_ins import StandIns

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-.äß 0123456789", min_size=1, max_size=12).filter(lambda t: t == t.strip())
HOSTS = st.from_regex(r"[a-z]{2,8}(-[a-z]{1,3})?\d{0,4}(\.[a-z]{3,6}\.edu)?", fullmatch=True)
WORDS = st.sampled_from(["PENDING", "RUNNING", "COMPLETED", "FAILED", "TIMEOUT"])
INDICES = st.sampled_from(["0", "17", "N/A", "0-3,7%2", "2-8:2"])


@given(st.lists(st.tuples(INDICES, NAMES, WORDS, HOSTS), max_size=8))
def test_what_the_controller_says_of_states_stays(rows: list[tuple[str, str, str, str]]) -> None:
    """Whatever jobs and nodes are called; the same names have the same stand-ins, others have others."""
    lines = [f"{job}|{where}|{name}|{word}|17|18|{host}|None" for job, (where, name, word, host) in enumerate(rows)]
    text, jobs = "\n".join(lines), {str(job): "" for job in range(len(rows))}
    names = StandIns()
    said = QUEUE(text, names)
    before, after = read_queue(text, jobs), read_queue(said, jobs)
    shown = [line.split("|") for line in said.splitlines()]
    assert len({cells[2] for cells in shown}) == len({name for _, name, _, _ in rows})
    assert all(re.fullmatch(r"job\d+", cells[2]) for cells in shown)
    assert all(re.fullmatch(r"host\d+|node[a-z]*\d+", cells[6]) for cells in shown)
    for job, indices in before.items():
        assert {index: one._replace(node="") for index, one in indices.items()} == {
            index: one._replace(node="") for index, one in after[job].items()
        }


@given(st.integers(0, 99_999), NAMES, HOSTS)
def test_what_accounting_says_stays(number: int, name: str, host: str) -> None:
    """Also who has cancelled it, by another number."""
    text = f"5_[0-3]|{name}|CANCELLED by {number}|0:15|17|18|{host}\n"
    said = ACCOUNTING(text, StandIns())
    [before], [after] = read_accounting(text, {"5": ""}).values(), read_accounting(said, {"5": ""}).values()
    assert {(one.state, one.exit, one.start, one.end) for one in before.values()} == {
        (one.state, one.exit, one.start, one.end) for one in after.values()
    }
    assert {one.reason for one in after.values()} == {"by 1001"}


def test_settings_that_nobody_knows_are_not_told() -> None:
    """Numbers, times and plugins stay; hosts and paths have stand-ins, also those with a number of their own."""
    text = (
        "ClusterName             = prometheus\n"
        "SlurmctldHost[0]        = head01.uni.edu(10.1.2.3)\n"
        "MaxArraySize            = 1001\n"
        "KillWait                = 30 sec\n"
        "SelectType              = select/cons_tres\n"
        "NewFeature              = token=abcdef\n"
        "Prolog                  = /etc/slurm/prolog\n"
    )
    assert redacted.settings(text, StandIns()) == (
        "ClusterName             = cluster1\n"
        "SlurmctldHost[0]        = host1\n"
        "MaxArraySize            = 1001\n"
        "KillWait                = 30 sec\n"
        "SelectType              = select/cons_tres\n"
        "NewFeature              = [redacted]\n"
        "Prolog                  = /path1\n"
    )
    line = (
        "   AllowGroups=physics AllowAccounts=ALL Nodes=gpu-a[01-04],cn17 MaxTime=UNLIMITED OverSubscribe=NO Odd=chen"
    )
    assert redacted.settings(line, StandIns()) == (
        "   AllowGroups=[redacted] AllowAccounts=ALL Nodes=node[01-04],nodeb17 MaxTime=UNLIMITED OverSubscribe=NO "
        "Odd=[redacted]"
    )


def test_json_that_is_none_keeps_its_mistakes() -> None:
    """What stands in a line that cannot be read is told by its shape alone."""
    text = '{\n"Jobs": {\n"7.head": {\n"Job_Name": 1e5,\n"Odd": none of "it,\n second line"\n}\n}\n}\n'
    assert redacted.attributes(text, StandIns()) == (
        '{\n"Jobs": {\n"7.host1": {\n"Job_Name": 0x0,\n"Odd": xxxx xx "xx,\n xxxxxx xxxx"\n}\n}\n}\n'
    )


def test_of_limits_and_owners_the_users_are_not_told() -> None:
    """The numbers stay, and so do those that stand for all."""
    lines = ('{"Queue": {', ' "max_queued": "[u:chen=5],[u:PBS_GENERIC=3]",', ' "acl_users": "chen@*,+li@head.uni.edu"')
    assert redacted.attributes("\n".join(lines), StandIns()).splitlines()[1:] == [
        ' "max_queued": "[u:user1=5],[u:PBS_GENERIC=3]",',
        ' "acl_users": "user1@*,+user2@host1"',
    ]


KEPT = {key for key, role in redacted._OF_PBS.items() if role is redacted.kept}
SECRETS = st.sampled_from(
    ["zqname", "zq name", "zq7", "zq.uni.edu", "zq/plugin", "/home/zq/x", "zq@zq.uni.edu", "1:a=zq:host=zq"]
)
KEYS = st.sampled_from(sorted(set(redacted._OF_PBS) - KEPT)) | st.from_regex(r"[A-Z][a-p]{3,8}", fullmatch=True)


@given(st.lists(st.tuples(KEYS, SECRETS), max_size=6), st.sampled_from(["Job_Array", "Resource_List", "Variable_List"]))
def test_no_value_tells_anything_that_is_not_known_to_be_harmless(pairs: list[tuple[str, str]], above: str) -> None:
    """Whichever attribute it has; but for those of the queue, which are listed."""
    facts = ",\n".join(f'   "{key}": "{value}"' for key, value in pairs)
    text = f'{{\n "Jobs": {{\n  "7.zq": {{\n  "{above}": {{\n{facts}\n  }}\n }}\n }}\n}}\n'
    said = redacted.attributes(text, StandIns())
    assert "zq" not in said
    assert said.count("\n") == text.count("\n")
    line = "\x1f".join(["Job Id: 7.zq", *(f"{above}.{key}={value}" for key, value in pairs if "=" not in value)])
    assert "zq" not in redacted.separated(line, StandIns())


@given(st.from_regex(r"[A-Z][a-p]{3,12}(Host|Addr)?", fullmatch=True), SECRETS)
def test_no_setting_does(key: str, value: str) -> None:
    """A plugin's name is one."""
    if key not in redacted._OF_SLURM and value != "zq/plugin":
        assert "zq" not in redacted.settings(f"{key}   = {value}\n", StandIns())
