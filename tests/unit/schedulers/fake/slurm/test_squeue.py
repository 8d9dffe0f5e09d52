import pytest

from sciflow.model.statement import CONTROLLER
from unit.schedulers.fake.slurm.conftest import Terminal

FORM = ("squeue", "-h", "-o")


@pytest.fixture
def busy(terminal: Terminal) -> Terminal:
    """Return a terminal at which three jobs were submitted: two at a time, held, and by somebody else."""
    terminal.submit("--array=0-5%2", "-t", "1-12", name="throttled")
    terminal.submit("--hold", "-p", "short", "--comment=why not", "--nice=5", "-A", "proj", name="a_name_that_is_long")
    terminal.says("sbatch", "--begin=now+1hour", "--wrap=true", number=0)
    terminal.run(61.0)
    return terminal


def test_the_table(busy: Terminal) -> None:
    """As Slurm prints it: by partition, state and priority, in columns that are cut."""
    assert busy.says("squeue") == [
        "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)",
        "         1_[2-5%2]      main throttle     chen PD       0:00      1 (JobArrayTaskLimit)",
        "                 3      main     wrap     root PD       0:00      1 (BeginTime)",
        "               1_0      main throttle     chen  R       1:01      1 n1",
        "               1_1      main throttle     chen  R       1:01      1 n1",
        "                 2     short a_name_t     chen PD       0:00      1 (JobHeldUser)",
    ]


def test_the_long_table(busy: Terminal) -> None:
    """Begins with the date, and has time limits."""
    assert busy.says("squeue", "-l", "-p", "main", "--me")[:3] == [
        "Wed Nov 25 03:29:13 2026",
        "             JOBID PARTITION     NAME     USER    STATE       TIME TIME_LIMI  NODES NODELIST(REASON)",
        "         1_[2-5%2]      main throttle     chen  PENDING       0:00 1-12:00:0      1 (JobArrayTaskLimit)",
    ]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ("-j 1", ["1_[2-5%2]", "1_0", "1_1"]), ("-j 1_1", ["1_1"]), ("-j 1_3", ["1_[2-5%2]"]), ("-j 2,3", ["3", "2"]),
        ("-t R", ["1_0", "1_1"]), ("-t PD -u chen", ["1_[2-5%2]", "2"]), ("--me -p short", ["2"]), ("-u 0", ["3"]),
        ("-n throttled -t running", ["1_0", "1_1"]), ("-r -t PD -j 1", ["1_2", "1_3", "1_4", "1_5"]),
        ("-A proj", ["2"]), ("-w n1", ["1_0", "1_1"]), ("-t CD", []), ("-u nobody", []), ("-p nope", []),
    ],
)  # fmt: skip
def test_what_is_asked_for(busy: Terminal, options: str, rows: list[str]) -> None:
    """By ids, states, users, partitions, names, accounts and nodes."""
    assert busy.says("squeue", "-h", *options.split(), "-o", "%i") == rows


def test_formats(busy: Terminal) -> None:
    """Widths cut and align, to the right with a dot; letters stand for all that is known of a job."""
    form = "<%.6j|%6u|%3P>%F %K %A %T %M %l %L %D %C %r %y %k %a %q %Z"
    line = (
        f"<a_name|chen  |sho>2 N/A 2 PENDING 0:00 12:00:00 12:00:00 1 1 JobHeldUser 5 why not proj normal {busy.folder}"
    )
    assert busy.says(*FORM, form, "-j", "2") == [line]
    assert busy.says("squeue", "-o", "%i %.3T", "-j", "2") == ["JOBID STA", "2 PEN"]
    assert busy.says("squeue", "-h", "-j", "2", SQUEUE_FORMAT="%j") == ["a_name_that_is_long"]


def test_times(busy: Terminal) -> None:
    """When it was submitted, has started or may, and must end: in the form that is asked for."""
    assert busy.says(*FORM, "%V %S %e", "-j", "1_0") == ["2026-11-25T03:28:12 2026-11-25T03:28:12 2026-11-26T15:28:12"]
    assert busy.says(*FORM, "%S %e", "-j", "3", SLURM_TIME_FORMAT="%s") == ["1795580892 NONE"]
    assert busy.says(*FORM, "%S %e", "-j", "2") == ["N/A N/A"]


def test_long_lists_are_cut(terminal: Terminal) -> None:
    """At 64 characters, unless `SLURM_BITSTR_LEN` lets them be longer."""
    list_ = ",".join(str(one) for one in (*range(1, 100, 2), 100))
    job = terminal.submit("--hold", f"--array={list_}")
    [cut] = terminal.says(*FORM, "%K", "-j", job)
    assert cut == f"{list_[:60]}..."
    assert terminal.says(*FORM, "%K", "-j", job, SLURM_BITSTR_LEN="0") == [list_.replace("99,100", "99-100")]


def test_how_long_it_is_remembered(terminal: Terminal) -> None:
    """What has ended is told for some minutes where all is asked for."""
    job = terminal.submit("--array=0-1")
    terminal.run(600.0)
    assert terminal.says(*FORM, "%i %T %r", "-t", "all") == ["1_0 COMPLETED None", "1_1 COMPLETED None"]
    assert terminal.says(*FORM, "%i", "-j", job) == []
    terminal.cluster.clock.sleep(301.0)
    assert terminal.complains("squeue", "-j", job) == (1, ["slurm_load_jobs error: Invalid job id specified"])


def test_split_records(terminal: Terminal) -> None:
    """Those which wait each for another, or were put back, have rows of their own."""
    first = terminal.submit("--array=0-1", name="first")
    each = terminal.submit("--array=0-1", f"--dependency=aftercorr:{first}")
    terminal.run(1.0)
    assert terminal.says(*FORM, "%i %K", "-j", each) == ["2_0 0", "2_1 1"]
    assert terminal.says("scontrol", "requeue", "1_0") == []
    terminal.run(10.0)
    assert terminal.says(*FORM, "%i %r", "-j", first, "-t", "PD") == ["1_0 BeginTime"]


def test_complaints(terminal: Terminal) -> None:
    """Of what there is not, and of a controller that does not answer."""
    assert terminal.complains("squeue", "-j", "abc") == (1, ["squeue: error: Invalid job id: abc"])
    assert terminal.complains("squeue", "-t", "FOO")[1][0] == "squeue: error: Invalid job state specified: FOO"
    assert "--format" in terminal.complains("squeue", "-O", "jobid")[1][0]
    terminal.cluster.faults.silence(CONTROLLER, 60.0)
    words = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    assert terminal.complains("squeue") == (1, [words])
