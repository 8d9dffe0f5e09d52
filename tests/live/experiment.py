"""A workflow in a folder of the ordinary user, and the `sciflow` command as that user types it."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from live.account import Account
from live.slurm_cluster import SlurmCluster

PROFILE = """
name: site
scheduler: slurm
shared: true
limits: {highest_index: 10000, seconds_to_kill: 5}
"""


class Experiment:
    """A workflow, its programs and a cluster profile.

    Parameters
    ----------
    cluster
        Where it runs.
    files
        Name → text, of the files beside the workflow.
    profile
        More lines of the profile `site.yaml`.
    folder
        The folder's name.
    """

    def __init__(
        self, cluster: SlurmCluster, files: Mapping[str, str], profile: str = "", folder: str = "experiment"
    ) -> None:
        self.cluster = cluster
        self.account: Account = cluster.account
        self.folder = self.account.folder(folder)
        for name, text in {"site.yaml": PROFILE + profile, **files}.items():
            self.account.write(self.folder / name, text)

    def sciflow(self, *words: str | Path, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Type a command; its exit code is compared, unless it is None."""
        done = self.account.type("sciflow", *words, cwd=self.folder)
        assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def ask(self, *words: str | Path, code: int | None = 0) -> Any:
        """Type a command with `--json`, and return its answer."""
        return json.loads(self.sciflow(*words, "--json", code=code).stdout)

    def submit(self, *words: str, code: int | None = 0) -> Any:
        """Submit the workflow, and return the answer."""
        return self.ask("submit", "workflow.yaml", "--profile", "site.yaml", *words, code=code)

    def status(self, *words: str) -> Any:
        """Return the status as JSON has it."""
        return self.ask("status", *words, code=None)

    def states(self, task: str, *words: str) -> dict[str, int]:
        """Return state → how many instances of a task have it."""
        return self.status(*words)["tasks"][task]

    def wait_until(self, happened: Callable[[Any], bool], what: str) -> Any:
        """Ask for the status until something is true of it, and return it."""
        found: list[Any] = []

        def look() -> bool:
            found.append(self.status())
            return happened(found[-1])

        self.cluster.wait_for(look, what)
        return found[-1]

    @property
    def run(self) -> Path:
        """The newest run's directory."""
        return (self.folder / "sciflow-runs" / "latest").resolve()

    def jobs(self) -> Counter[str]:
        """Return the unique name of each job that the controller knows of the newest run → how many jobs have it."""
        rows = self.account.run("squeue", "-h", "--me", "-t", "all", "-o", "%F|%j|%r").stdout.splitlines()
        # One that was refused is shown as failed for a while, as if it were a job.
        names = {(job, name) for job, name, reason in (row.split("|", 2) for row in rows) if reason != "BadConstraints"}
        return Counter(name for _, name in names if self.run.name in name)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind in the newest run's journal."""
        lines = (self.run / "journal.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]
