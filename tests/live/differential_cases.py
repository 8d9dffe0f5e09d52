"""What is played on a real Slurm and on the virtual cluster."""

import re
from collections.abc import Callable, Generator, Sequence

from live.replay import Case, Stage, accounted
from sciflow.schedulers.fake.real import MARK

Steps = Generator[Callable[[], bool]]
_SQUEUE = ("squeue", "-h", "-t", "all", "-o", "%F|%K|%i|%j|%t|%T|%r|%N|%C|%D|%m|%l|%P|%u|%y", "-j")
_SACCT = ("sacct", "-n", "-P", "-o", "JobID,JobName,State,ExitCode,NodeList,AllocCPUS,ReqMem,Timelimit,Partition", "-j")


# Of what was put back a busy Slurm sometimes writes down no more than that: its name is `allocation` then, for one.
_SURE = ("sacct", "-n", "-P", "-o", "JobID,State,ExitCode,NodeList", "-j")


def _end(stage: Stage, besides: str = "", account: Sequence[str] = _SACCT) -> Steps:
    """Wait until all of a case has ended, and note down what both witnesses say."""
    yield lambda: stage.is_over(*stage.jobs)
    yield accounted(stage)
    jobs = ",".join(job for job in stage.jobs if job != besides)
    stage.note_rows("squeue", *_SQUEUE, jobs)
    stage.note_rows("sacct", *account, jobs)
    times = ("sacct", "-X", "-n", "-P", "-o", "JobID,State,Submit,Start,End", "-j")
    stage.note_rows("sacct times", *times, jobs)
    # Of what was cancelled before it started, Slurm sometimes tells that time as its start, and sometimes none.
    rows = stage.notes["sacct times"]
    stage.notes["sacct times"] = [re.sub(r"(\|CANCELLED[^|]*\|TIME)\|(TIME|None)", r"\1|", row) for row in rows]


def exit_codes(stage: Stage) -> Steps:
    """Codes, signals, and commands that there are not."""
    words = [
        "exit 0",
        "exit 3",
        "kill -9 $$",
        "kill -15 $$",
        "exit 137",
        "exit 200",
        "nothing_of_that_name",
        "false|true",
    ]
    lines = "\n".join(f"{index}) {word};;" for index, word in enumerate(words))
    stage.submit(f"--array=0-{len(words) - 1}", script=f"case $SLURM_ARRAY_TASK_ID in\n{lines}\nesac")
    job = stage.submit(script="exit 137")
    yield from _end(stage)
    said = stage.ask("scontrol", "show", "job", job).out.split()
    stage.notes["true code"] = [one for one in said if one.startswith(("JobState", "Reason", "ExitCode"))]


def time_limit(stage: Stage) -> Steps:
    """A walltime that the scheduler enforces, on one that ends when it is told to."""
    job = stage.submit("--time=1", script="exec sleep 100")
    deaf = stage.submit("--time=1", script="trap '' TERM; for i in {1..100}; do sleep 1; done")
    yield lambda: set(stage.states(job).values()) == set(stage.states(deaf).values()) == {"RUNNING"}
    for one in (job, deaf):
        stage.ask("scontrol", "update", f"JobId={one}", "EndTime=now+1")
    yield from _end(stage)


def dependencies(stage: Stage) -> Steps:
    """Every kind, on an array job of which one index fails."""
    first = stage.submit("--array=0-2", script="sleep 1; exit $((SLURM_ARRAY_TASK_ID == 1))", name="first")
    other = stage.submit(script="sleep 1", name="other")
    held = stage.submit("--hold", name="held")
    kinds = {
        "ok": (f"--dependency=afterok:{first}",),
        "ok-one": (f"--dependency=afterok:{first}_2",),
        "any": (f"--dependency=afterany:{first}:{other}",),
        "not": (f"--dependency=afternotok:{first}",),
        "not-other": (f"--dependency=afternotok:{other}",),
        "corr": (f"--dependency=aftercorr:{first}", "--array=0-2"),
        "corr-killed": (f"--dependency=aftercorr:{first}", "--array=0-2", "--kill-on-invalid-dep=yes"),
        "killed": (f"--dependency=afterok:{first}", "--kill-on-invalid-dep=yes"),
        "either": (f"--dependency=afterok:{other}?afterok:{held}",),
        "both": (f"--dependency=afterok:{other},afterany:{held}",),
        "started": (f"--dependency=after:{first}",),
    }
    jobs = {name: stage.submit(*options, name=name) for name, options in kinds.items()}
    single = stage.submit("--dependency=singleton", name="first")
    stuck = [jobs[name] for name in ("ok", "not-other", "corr")]

    def is_still() -> bool:
        others = [job for name, job in jobs.items() if job not in stuck and name != "both"]
        never = all("DependencyNeverSatisfied" in stage.reasons(job).values() for job in stuck)
        corr = sorted(stage.states(jobs["corr"]).values())
        return never and stage.is_over(single, *others) and corr == ["COMPLETED", "COMPLETED", "PENDING"]

    yield is_still
    stage.note_rows("when nothing more happens", *_SQUEUE, ",".join(stage.jobs))
    stage.note_rows("what they wait for", "squeue", "-h", "-o", "%F|%E", "-j", ",".join(stage.jobs))
    stage.ask("scancel", *stuck, jobs["both"], held)
    yield from _end(stage)


def throttle(stage: Stage) -> Steps:
    """Two at a time, then all."""
    job = stage.submit("--array=0-4%2", script="while test ! -e go; do sleep 0.1; done")
    yield lambda: sorted(stage.reasons(job).values()) == ["JobArrayTaskLimit", "None", "None"]
    stage.note_rows("two run", *_SQUEUE, job)
    for name, option in {"as a table": "-a", "as a long table": "-l", "one by one": "-r"}.items():
        stage.note_rows(name, "squeue", "-h", option, "-j", job)
        stage.notes[name] = [re.sub(r" \d:\d\d ", " TIME ", line) for line in stage.notes[name]]
    stage.note("more at once", "scontrol", "update", f"JobId={job}", "ArrayTaskThrottle=3")
    yield lambda: list(stage.states(job).values()).count("RUNNING") == 3
    stage.note_rows("three run", *_SQUEUE, job)
    stage.place.write("go", "")
    yield from _end(stage)


def cancelling(stage: Stage) -> Steps:
    """What waits, what runs, one by one and all of it."""
    held = stage.submit("--hold", "--array=0-4%2", script="exit 0")
    plain = stage.submit("--hold", script="exit 0")
    later = stage.submit("--begin=now+1hour", "--array=1-3", script="exit 0")
    runs = stage.submit("--array=0-1", script="exec sleep 100")
    yield lambda: set(stage.states(runs).values()) == {"RUNNING"}
    stage.note("one that waits", "scancel", f"{held}_[1-2]")
    stage.note("one that runs", "scancel", f"{runs}_0")
    stage.note("unknown index", "scancel", f"{held}_99")
    yield lambda: stage.states(runs).get("0") == "CANCELLED"
    stage.note_rows("some are gone", *_SQUEUE, f"{held},{runs}")
    stage.note("all", "scancel", held, plain, later, runs)
    # Whether Slurm's accounting has heard by then which indices are gone is a matter of seconds.
    yield from _end(stage, besides=held)
    stage.note("one that has ended", "scancel", runs)


def shapes(stage: Stage) -> Steps:
    """How lists of indices are written."""
    lists = [
        "0-3",
        "1-10:3",
        "5,3,9",
        "1-3,2-4",
        "7",
        "[1-3]",
        "08-11",
        "1-3%0",
        "1-5%2",
        "1-13:2",
        "1-11:2",
        "1,1",
        "0-900:100",
        "1-3%x",
        "2-3,",
    ]
    for one in lists:
        stage.submit("--hold", f"--array={one}")
    yield lambda: all(stage.states(job) for job in stage.jobs)
    jobs = ",".join(stage.jobs)
    stage.note_rows("lists", "squeue", "-h", "-o", "%i|%F|%K", "-j", jobs)
    stage.note_rows("one by one", "squeue", "-h", "-r", "-o", "%i|%K", "-j", stage.jobs[0])
    stage.ask("scancel", *stage.jobs)
    yield from _end(stage)


def put_back(stage: Stage) -> Steps:
    """One that runs, and one that has ended, go back into the queue and start again."""
    script = 'test -n "$SLURM_RESTART_COUNT" && exit 0; exec sleep 100'
    runs, failed = stage.submit(script=script), stage.submit(script='test -n "$SLURM_RESTART_COUNT" || exit 5')
    yield lambda: stage.states(runs) == {"N/A": "RUNNING"} and stage.states(failed) == {"N/A": "FAILED"}
    for job in (runs, failed):
        stage.note(f"requeue {job == runs}", "scontrol", "requeue", job)
    yield lambda: stage.reasons(runs) == stage.reasons(failed) == {"N/A": "BeginTime"}
    # A busy real node that has not quite ended the first start takes the second for it, and lets it fail.
    steps = ("sacct", "-n", "-P", "-D", "-o", "JobID,State", "-j", runs)
    yield lambda: f"{runs}.batch|CANCELLED" in stage.ask(*steps).out
    stage.note_rows("back", *_SQUEUE, f"{runs},{failed}")
    for job in (runs, failed):
        stage.note(f"start {job == runs}", "scontrol", "update", f"JobId={job}", "StartTime=now")
    yield from _end(stage, account=_SURE)
    stage.note_rows("all starts", *_SURE, f"{runs},{failed}", "-D", "-X")


def no_folder(stage: Stage) -> Steps:
    """Output that cannot be written, and a folder that is not there to start in."""
    stage.submit("--output=not/there/%j.out")
    stage.submit("--chdir=/not/there", script="pwd > $SLURM_SUBMIT_DIR/pwd")
    yield from _end(stage)


def holding(stage: Stage) -> Steps:
    """Held, told to begin later, released, and changed meanwhile."""
    job = stage.submit("--hold", "--array=0-1", "--time=10", "--comment=why not", "--nice=5")
    later = stage.submit("--begin=now+1hour")
    yield lambda: stage.reasons(job) == {"0-1": "JobHeldUser"} and stage.reasons(later) == {"N/A": "BeginTime"}
    stage.note_rows("waits", "squeue", "-h", "-o", "%i|%r|%R|%S|%M|%L|%k|%E|%q|%a|%Z", "-j", f"{job},{later}")
    # Not `Nice` of what is held: a real Slurm whose priorities are those of the order lets it go by that.
    for word in ("TimeLimit=20", "Name=other", "Foo=1", "Dependency=foo:1", "TimeLimit=abc"):
        stage.note(word, "scontrol", "update", f"JobId={job}", word)
    stage.note("Nice=7", "scontrol", "update", f"JobId={later}", "Nice=7")
    yield lambda: stage.reasons(job) == {"0-1": "JobHeldUser"} and stage.reasons(later) == {"N/A": "BeginTime"}
    stage.note_rows("changed", *_SQUEUE, f"{job},{later}")
    stage.note("release", "scontrol", "release", job)
    stage.note("now", "scontrol", "update", f"JobId={later}", "StartTime=now")
    yield from _end(stage)
    stage.note("finished", "scontrol", "update", f"JobId={later}", "Nice=9")


def environment(stage: Stage) -> Steps:
    """What job scripts find in their environment."""
    ways = {
        "plain": (),
        "array": ("--array=3-7:2", "--cpus-per-task=2"),
        "tasks": ("--ntasks=2", "--time=5", "--account=proj"),
        "gpus": ("--gres=gpu:1",),
        "none": ("--export=NONE", "--comment=x"),
        "some": ("--export=ALL,FOO=3",),
    }
    # What shells set, and the mark by which the virtual cluster knows the processes of a job.
    own = "|".join(f"^{one}=" for one in ("_", "SHLVL", "PWD", "OLDPWD", "LANG", "SHELL", MARK))
    for name, options in ways.items():
        script = f"/usr/bin/env | grep -Ev '{own}' > env-{name}-${{SLURM_ARRAY_TASK_ID:-0}}"
        stage.submit(*options, script=script, name=name)
    yield from _end(stage)
    for path in sorted(stage.place.folder.glob("env-*")):
        stage.notes[path.name] = sorted(_shape(stage.plain(line)) for line in path.read_text().splitlines())


def _shape(line: str) -> str:
    """A variable and its value; of what is the site's own only how it looks."""
    name, _, value = line.partition("=")
    own = ("SLURM_CLUSTER_NAME", "SLURM_SUBMIT_HOST", "SLURM_TASK_PID", "SLURM_WORKING_CLUSTER")
    if name in ("PATH", "SLURM_CONF"):
        return f"{name}=…"
    if name not in (*own, "SLURM_JOB_ID", "SLURM_JOBID"):
        return line
    return f"{name}={re.sub(r'[a-z.]+', 'a', re.sub(r'[0-9]+', '1', value))}"


def patterns(stage: Stage) -> Steps:
    """Where logs go by the patterns in their names."""
    stage.submit("--array=4", "--output=out-%x-%a-%u-%3a-%%-%n.txt", name="many")
    stage.submit("--output=plain-%x-%s.txt", "--error=err-%x.txt", name="two")
    yield from _end(stage)
    logs = [path.name for form in ("out-*", "plain-*", "err-*") for path in stage.place.folder.glob(form)]
    stage.notes["logs"] = sorted(stage.plain(name) for name in logs)


def refusals(stage: Stage) -> Steps:
    """What `sbatch` does not take, with its words and exit codes; and what it takes for the same."""
    bad = [
        "--foo", "-Y 1", "--ti=1", "--no", "--requeue=3", "--time=abc", "--time=", "--time=1:2:3:4", "--time=1.5",
        "--mem=1X", "--mem=1.5G", "--mem=-5", "--mem=100 --mem-per-cpu=3", "--mem-per-cpu=abc", "--nodes=abc",
        "--nodes=2-1", "--ntasks=0", "--ntasks=abc", "-c 4k", "--gres=foo:1", "--gres=", "--constraint=a",
        "--nodelist=n9", "--exclude=n[1-3]", "--dependency=foo:1", "--dependency=afterok", "--dependency=afterok:abc",
        "--dependency=expand:1", "--nice=-5", "--nice=99999999999", "--signal=R", "--signal=FOO@3",
        "--kill-on-invalid-dep=foo", "--open-mode=foo", "--mail-type=foo", "--exclusive=foo", "--partition=nope",
        "--reservation=x", "--licenses=foo:1", "--begin=foo", "--begin=now+5x", "--begin=1h", "--begin=",
        "--begin=25:00",
        "--begin=4pm", "--begin=uts1", "--begin=2030-01-01T25:00", "--uid=3", "--gid=3", "--array=a", "--array=-1",
        "--array=5-2", "--array=1-3:0", "--array=0-10001", "--array=1-10000000000", "--parsable=3", "--comment",
        "--mem=99999999", "--gres=gpu:3", "nofile", "--wrap=true nofile",
    ]  # fmt: skip
    for one in bad:
        stage.note(one, "sbatch", *one.split(" "), stdin="#!/bin/sh\ntrue\n")
    for name, text in {"none": "", "words": "hello\n", "dos": "#!/bin/sh\r\ntrue\r\n"}.items():
        stage.note(f"a script of {name}", "sbatch", stdin=text)
    stage.note("a directive", "sbatch", stdin="#!/bin/sh\n#SBATCH --time=abc\n")
    stage.note("too long a list", "sbatch", "--array=" + "1,1" * 1366, stdin="#!/bin/sh\n")
    yield lambda: True


def spellings(stage: Stage) -> Steps:
    """Options in all their spellings, and how they are shown again."""
    ways = [
        "-t 30", "-t 30:00", "-t 1-12", "-t1-00:00:00", "--time 1-2:3", "--ti=90:90", "-t UNLIMITED", "-t 0", "-t 0:05",
        "--time=-1", "-n 2 -c 3", "-c 2", "-n 3", "--cpus-per-task 4", "--mem=1000K", "--mem 1G", "--mem=2T",
        "--mem-per-cpu=1G -c 2", "--gres=gpu:1", "--gres=gpu", "--gpus-per-node=2", "-w n1", "-x n[1-2]", "-x n2,n1",
        "-p short", "-p gpu", "--nice", "--nice=7", "--comment=x", "-A acc", "-q normal", "-D /tmp",
        "--ntasks-per-node=3",
        "--begin=2030-01-20T12:34", "--begin=010130", "--begin=2030-02-30", "-N 1", "-J other",
        "--kill-on-invalid-dep=YES",
        "--mail-type=END,FAIL", "--open-mode=a", "--signal=B:USR1@60", "-QH", "--array=1-3 -a 4",
    ]  # fmt: skip
    form = "%l|%m|%C|%c|%D|%b|%x|%n|%y|%P|%q|%a|%k|%Z|%j|%S|%K|%r"
    for one in ways:
        memory = [] if "--mem" in one else ["--mem=100"]
        call = ["sbatch", "--parsable", "-H", "-o", "/dev/null", *memory, *one.split(" "), "--wrap", "true"]
        said = stage.ask(*call)
        job = said.out.strip()
        stage.jobs += [job] if job else []
        if job:
            stage.note(one, "squeue", "-h", "-o", form, "-j", job)
        else:
            stage.notes[one] = [
                f"exit {said.code}",
                *(stage.plain(line) for line in (said.out + said.err).splitlines()),
            ]
    stage.ask("scancel", "--state=PENDING", "--name=wrap,other")
    yield lambda: True


def questions(stage: Stage) -> Steps:
    """What other commands say of what there is not."""
    asked = [
        "squeue -h -j 999999", "squeue -h -j 999999,999998", "squeue -h -j abc", "squeue -t FOO", "squeue --foo",
        "squeue -h -p nope", "squeue -h -n nope", "sacct -j abc", "sacct -j 5_[1-2]", "sacct -n -j 999999",
        "sacct -o foo",
        "sacct -s FOO", "sacct -S foo", "sacct --foo", "scancel", "scancel abc", "scancel 999999", "scancel --foo",
        "scontrol foo", "scontrol show", "scontrol hold", "scontrol show job 999999", "scontrol show node n9",
        "scontrol show partition nope", "scontrol update foo=3", "scontrol update jobid=999999 nice=3",
        "scontrol hold 999999",
        "scontrol update nodename=n1 state=down reason=x", "scontrol show hostnames n[1-3]", "scontrol ping",
        "sinfo --foo", "sdiag --foo", "sinfo -h -o %P|%l|%c|%m|%G|%D|%a", "sinfo -h -e -o %P|%l|%c|%m|%G|%D|%a",
        "squeue --version", "sbatch --version", "sacct --version",
    ]  # fmt: skip
    for one in asked:
        stage.note(one, *one.split(" "))
    yield lambda: True


def node_death(stage: Stage) -> Steps:
    """A node dies: what cannot be put back has failed, and the rest waits for two minutes."""
    lost = stage.submit("--nodelist=n2", "--no-requeue", script="exec sleep 100")
    back = stage.submit("--nodelist=n2", script="exec sleep 100")
    yield lambda: stage.states(lost) == stage.states(back) == {"N/A": "RUNNING"}
    stage.place.kill_node("n2")
    yield lambda: stage.states(lost) == {"N/A": "NODE_FAIL"} and stage.states(back) == {"N/A": "PENDING"}
    stage.note_rows("dead", *_SQUEUE, f"{lost},{back}")
    stage.ask("scancel", back)
    # What Slurm's accounting makes of one that is cancelled while it is put back differs from time to time.
    yield from _end(stage, besides=back)


CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        *(exit_codes, time_limit, dependencies, throttle, cancelling, shapes, put_back, no_folder, holding),
        *(environment, patterns, refusals, spellings, questions, node_death),
    )
}
