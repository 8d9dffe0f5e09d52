"""A Slurm cluster with accounting, started by the tests in a private directory."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from live.account import Account
from live.daemons import Daemon, DaemonError
from live.processes import end_processes, wait_until
from live.slurm_conf import SlurmOptions, SlurmPlace
from live.slurm_daemons import SlurmDaemons

HIERARCHIES = Path("/sys/fs/cgroup")


def cgroup_obstacle() -> str | None:
    """Return why control groups cannot follow processes and limit memory here; None if they can."""
    if os.geteuid():
        return "needs root: control groups"
    for name in ("freezer", "memory", "cpuset", "devices"):
        folder = HIERARCHIES / name
        if not os.access(folder / "cgroup.procs", os.W_OK):
            return f"no writable control group version 1: {folder}"
        try:
            probe = tempfile.mkdtemp(prefix="sciflow-", dir=folder)
        except OSError as error:
            return f"no writable control group version 1: {error}"
        Path(probe).rmdir()
    return None


class SlurmCluster:
    """A cluster of its own: munged, mariadbd, slurmdbd, slurmctld and one slurmd for each node.

    Parameters
    ----------
    account
        The ordinary user whose jobs run there.
    options
        What the cluster is like.

    Attributes
    ----------
    account
        The user, in an environment in which Slurm's commands find this cluster.
    nodes
        Names of the nodes.
    daemons
        Name → daemon, in the order in which they were started. That of a node has the node's name.
    """

    def __init__(self, account: Account, options: SlurmOptions) -> None:
        self.options = options
        self.directory = Path(tempfile.mkdtemp(prefix="sciflow-slurm-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.place = SlurmPlace(self.directory, options)
        self.nodes = self.place.nodes
        self.environment = {"SLURM_CONF": str(self.place.conf)}
        self.account = account.on(self.environment)
        self.daemons: dict[str, Daemon] = {}
        self._made = SlurmDaemons(self.place)

    def start(self) -> None:
        """Start everything, and wait until jobs can run and are accounted for.

        Raises
        ------
        DaemonError
            With the end of the log; the directory stays, for a closer look, and nothing of it runs.
        """
        try:
            self.place.write()
            for daemon in self._made.all():
                self.daemons[daemon.name] = daemon
                daemon.start()
            nodes = [self._made.node(name) for name in self.nodes]
            self.daemons.update((daemon.name, daemon) for daemon in nodes)
            for daemon in nodes:
                daemon.launch()
            for daemon in nodes:
                daemon.wait()
            if self.options.accounting:
                wait_until(self._made.is_registered, "the cluster in the accounting")
        except BaseException as error:
            # What it was that failed matters more than what this then cannot end.
            with suppress(Exception):
                self._end()
            if isinstance(error, (AssertionError, DaemonError, OSError)):
                raise DaemonError(f"{error}\nthe cluster's directory is kept: {self.directory}") from error
            shutil.rmtree(self.directory)
            raise

    def stop(self) -> None:
        """End all jobs and all that was started, and remove the directory; nothing happens the second time."""
        self._end()
        if self.directory.exists():
            shutil.rmtree(self.directory)

    def command(
        self, *argv: str, input: str | None = None, check: bool = True, as_root: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """Run one of Slurm's commands on this cluster.

        Parameters
        ----------
        *argv
            The command.
        input
            What it reads.
        check
            Whether it is an error if it fails.
        as_root
            As whoever runs the daemons, who may do everything; else as the ordinary user.
        """
        if not as_root:
            return self.account.run(*argv, input=input, check=check)
        environment = {**self.account.environment, **self._made.environment}
        done = subprocess.run(
            argv, input=input or "", env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{argv} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def hasty(self) -> Account:
        """Return the user as one whose commands give up a silent controller after two seconds instead of ten."""
        conf = self.place.conf.with_name("hasty.conf")
        conf.write_text(f"{self.place.conf.read_text()}MessageTimeout=2\n")
        return self.account.on({"SLURM_CONF": str(conf)})

    def stop_daemon(self, name: str, kill: bool = False) -> None:
        """Stop `slurmctld`, `slurmdbd` or another daemon; jobs live on."""
        self.daemons[name].stop(kill)

    def start_daemon(self, name: str) -> None:
        """Start a daemon again, and wait until it answers."""
        self.daemons[name].start()

    def kill_node(self, name: str, noticed: bool = True) -> None:
        """Let a node die: its daemon, and all processes of its jobs.

        Parameters
        ----------
        name
            Which.
        noticed
            Whether the controller is told, as by a health check, so that its jobs are NODE_FAIL at once. Else it finds
            out after half a minute.
        """
        self.daemons[name].stop(kill=True)
        end_processes({**self.environment, "SLURMD_NODENAME": name})
        if noticed:
            self.command("scontrol", "update", f"nodename={name}", "state=down", "reason=died", as_root=True)

    def restart_node(self, name: str) -> None:
        """Start the daemon of a node that died, and wait until the controller holds the node for usable."""
        self.daemons[name].start()

    def accounted(self, job: str) -> dict[str, str]:
        """Return job id or `<job id>_<index>` → state of what the accounting knows of a job; it lags by seconds.

        A state counts only when it is not final or has an end, because Slurm first writes final ones without.
        """
        rows = self.command("sacct", "-X", "-n", "-P", "-j", job, "-o", "JobID,End,State").stdout.splitlines()
        split = [row.split("|") for row in rows]
        waiting = ("PENDING", "RUNNING", "REQUEUED")
        return {name: state for name, end, state in split if end != "Unknown" or state in waiting}

    def rpc_counts(self) -> dict[str, int]:
        """Return how often each kind of message has reached the controller, by Slurm's names.

        The question itself is one `REQUEST_STATS_INFO`.
        """
        text = self.command("sdiag", as_root=True).stdout
        section = text.partition("by message type")[2].partition("Remote Procedure Call")[0]
        return {name: int(count) for name, count in re.findall(r"^\s+(\w+)\s+\(.*?\)\s+count:(\d+)", section, re.M)}

    def reset_rpcs(self) -> None:
        """Begin to count anew."""
        self.command("sdiag", "-r", as_root=True)

    def add_association(self, project: str = "project", *limits: str) -> None:
        """Let the ordinary user charge a project, as `AccountingStorageEnforce=associations` demands.

        Parameters
        ----------
        project
            Slurm's account.
        *limits
            Such as `MaxSubmitJobs=10`.
        """
        for what in (["account", project], ["user", self.account.name, f"Account={project}", *limits]):
            # Adding what is there ends with 1.
            self.command("sacctmgr", "-i", "add", *what, check=False, as_root=True)
        shown = ["sacctmgr", "-nP", "show", "assoc", f"user={self.account.name}", "format=account"]
        assert project in self.command(*shown, as_root=True).stdout.split()

    def wait_for(self, happened: Callable[[], bool], what: str) -> None:
        """Wait until something is true, with the state of the queue in the error if it never is."""
        try:
            wait_until(happened, what)
        except AssertionError as error:
            queue = self.command("squeue", "-t", "all", check=False).stdout
            raise AssertionError(f"{error}\n{queue}") from None

    def _end(self) -> None:
        """End everything, in the order that leaves no daemon without the one that it talks to."""
        daemons = list(self.daemons.values())
        for daemon in daemons:
            # Nodes need not wait for each other.
            if daemon.name in self.nodes:
                daemon.ask_to_end()
        for daemon in reversed(daemons):
            daemon.stop()
        # Steps outlive their slurmd and would try for ever to report to it; jobs, and commands that wait for them.
        end_processes(self.environment)
        self._remove_control_groups()

    def _remove_control_groups(self) -> None:
        if self.options.cgroup:
            for node in self.nodes:
                for top in HIERARCHIES.glob(f"*/slurm_{node}"):
                    # The kernel's files in it cannot be removed and need not be.
                    for folder, _, _ in os.walk(top, topdown=False):
                        Path(folder).rmdir()
