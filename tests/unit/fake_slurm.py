"""Slurm's commands as small programs on PATH, over a folder in which they keep their queue."""

from __future__ import annotations

import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo", "sacctmgr")
PROGRAM = """#!{python} -sE
import os, re, subprocess, sys
from pathlib import Path

state, words = Path({state!r}), sys.argv[1:]
name = Path(sys.argv[0]).name
with (state / "calls").open("a") as file:
    file.write(" ".join([name, *words]) + "\\n")
if (state / f"{{name}}.says").exists():
    print((state / f"{{name}}.says").read_text(), end="")
    sys.exit(0)
if (state / f"{{name}}.fails").exists():
    sys.exit((state / f"{{name}}.fails").read_text())
rows = [line.split("|", 7) for line in (state / "queue").read_text().splitlines()]


def indices(text):
    for part in text.partition("%")[0].strip("[]").split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def submit():
    script = words[-1]
    said = dict(word.partition("=")[::2] for word in words[:-1])
    own = re.search("^#SBATCH --array=(.*)$", Path(script).read_text(), re.M)
    job = str(1 + max([int(row[0]) for row in rows], default=100))
    if own is None:  # a small job, which waits for ever
        rows.append([job, "N/A", said["--job-name"], "PENDING", "N/A", "N/A", "", "Dependency"])
    for index in indices(said.get("--array") or own[1]) if own else ():
        row = [job, str(index), said["--job-name"], "PENDING", "N/A", "N/A", "", "Resources"]
        if not (state / "hold").exists():
            place = dict(SLURM_SUBMIT_DIR=os.getcwd(), SLURM_ARRAY_JOB_ID=job, SLURM_ARRAY_TASK_ID=str(index))
            log = re.search("^#SBATCH --output=(.*)$", Path(script).read_text(), re.M)[1]
            with open(log.replace("%a", str(index)).replace("%A", job), "w") as log:
                done = subprocess.run(["bash", script], env={{**os.environ, **place}}, stdout=log, stderr=log)
            ended = "FAILED" if done.returncode else "COMPLETED"
            row[3:] = [ended, "1", "2", "n1", "NonZeroExitCode" if done.returncode else "None"]
        rows.append(row)
    print(job)


def cancel():
    for word in words:
        job, _, some = word.partition("_")
        for row in rows:
            if row[0] == job and (not some or int(row[1]) in indices(some)) and row[3] == "PENDING":
                row[3:] = ["CANCELLED", "5", "5", "", "Resources"]


def control():
    if words[0] != "update":
        sys.exit("scontrol: error: Slurm accounting storage is disabled")
    job = words[1].removeprefix("JobId=")
    if not any(row[0] == job and row[3] == "PENDING" for row in rows):
        sys.exit("Job is no longer pending execution for job " + job)


def show():
    form = words[words.index("-o") + 1]
    for job, index, name, word, start, end, node, reason in rows:
        if "-n" in words and name not in words[words.index("-n") + 1].split(","):
            continue
        if form == "%K" and word not in ("PENDING", "RUNNING"):
            continue
        known = {{"%F": job, "%K": index, "%j": name, "%T": word, "%S": start, "%e": end, "%N": node, "%r": reason}}
        print(re.sub("%.", lambda one: known[one[0]], form))


actions = {{"sbatch": submit, "scancel": cancel, "squeue": show, "scontrol": control}}
if name not in actions:
    sys.exit(f"{{name}}: error: Slurm accounting storage is disabled")
actions[name]()
(state / "queue").write_text("".join("|".join(row) + "\\n" for row in rows))
"""


class FakeSlurm:
    """A cluster that runs an array job at once, index by index, when it is submitted; or holds it for ever.

    Small jobs that are no array jobs wait for ever.

    Parameters
    ----------
    folder
        Where the commands and their queue are.
    """

    def __init__(self, folder: Path) -> None:
        self.state, self.bin = folder / "state", folder / "bin"
        self.state.mkdir(parents=True)
        self.bin.mkdir()
        (self.state / "queue").touch()
        (self.state / "calls").touch()
        for name in COMMANDS:
            path = self.bin / name
            path.write_text(PROGRAM.format(python=sys.executable, state=str(self.state)))
            path.chmod(0o755)

    def hold(self, is_held: bool = True) -> None:
        """Let what is submitted from now on wait, or run at once."""
        if is_held:
            (self.state / "hold").touch()
        else:
            (self.state / "hold").unlink()

    def says(self, command: str, text: str) -> None:
        """Let a command print a text, and do nothing."""
        (self.state / f"{command}.says").write_text(text)

    def fails(self, command: str, text: str) -> None:
        """Let a command fail with a text."""
        (self.state / f"{command}.fails").write_text(text)

    def works(self, command: str) -> None:
        """Let a command do again what it does."""
        for kind in ("says", "fails"):
            (self.state / f"{command}.{kind}").unlink(missing_ok=True)

    def calls(self, command: str = "") -> list[str]:
        """Return the commands that were called, with their arguments."""
        lines = (self.state / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(command)]

    def queue(self) -> list[list[str]]:
        """Return job, index and state of all that was submitted."""
        rows = [line.split("|") for line in (self.state / "queue").read_text().splitlines()]
        return [[row[0], row[1], row[3]] for row in rows]
