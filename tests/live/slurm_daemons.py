"""The daemons of a Slurm cluster, in the order in which they start."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from live.daemons import SYSTEM_PATH, Daemon, DaemonError
from live.slurm_conf import SlurmPlace

# Program → the Debian package that has it.
NEEDED = {
    "munged": "munge",
    "munge": "munge",
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "mariadb": "mariadb-client-core",
    "slurmdbd": "slurmdbd",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
}


def missing_packages() -> list[str]:
    """Return the Debian packages without which no cluster can be started here."""
    return sorted({package for program, package in NEEDED.items() if not shutil.which(program, path=SYSTEM_PATH)})


class SlurmDaemons:
    """Makes the daemons of one cluster, and asks them.

    Parameters
    ----------
    place
        Where they live.
    """

    def __init__(self, place: SlurmPlace) -> None:
        self.place = place
        self.environment = {
            "PATH": SYSTEM_PATH,
            "LC_ALL": "C",
            "HOME": str(place.directory),
            "SLURM_CONF": str(place.conf),
            "MYSQL_UNIX_PORT": str(place.mysql),
        }
        # A starting MariaDB removes what looks like its tables from its temporary directory, also those of others.
        self._database_environment = {**self.environment, "TMPDIR": str(place.mysql.parent / "tmp")}

    def all(self) -> Iterator[Daemon]:
        """Make them one by one; each may be started before the next is asked for."""
        yield self._munged()
        if self.place.options.accounting:
            self._make_database()
            yield self._mariadbd()
            yield self._daemon("slurmdbd", ["slurmdbd", "-D"], ["sacctmgr", "-n", "show", "cluster"])
        controller = ["slurmctld", "-D", "-f", str(self.place.conf)]
        yield self._daemon("slurmctld", controller, ["scontrol", "ping"], "is UP")

    def node(self, name: str) -> Daemon:
        """Make the daemon of one node; its steps inherit the node's name, by which they are found."""
        argv = ["slurmd", "-D", "-f", str(self.place.conf), "-N", name]
        daemon = self._daemon(name, argv, ["sinfo", "-h", "-n", name, "-o", "%T"])
        daemon.environment = {**self.environment, "SLURMD_NODENAME": name}
        daemon.is_ready = lambda: self.is_up(name)
        return daemon

    def is_up(self, node: str) -> bool:
        """Say whether the controller holds this node for usable; a star would mean that it does not answer."""
        return self.ask(
            "sinfo", "-h", "-n", node, "-o", "%T", "-p", next(iter(self.place.options.partitions))
        ).strip() in {
            "idle",
            "mixed",
            "allocated",
            "completing",
        }

    def is_registered(self) -> bool:
        """Say whether the accounting knows the cluster."""
        return "lab" in self.ask("sacctmgr", "-nP", "show", "cluster", "format=cluster")

    def ask(self, *argv: str) -> str:
        """Run a command as whoever runs the daemons, and return what it prints, or nothing if it failed."""
        done = subprocess.run(argv, env=self.environment, cwd="/", capture_output=True, text=True, check=False)
        return (done.stdout or "\n") if done.returncode == 0 else ""

    def _daemon(self, name: str, argv: list[str], question: list[str], answer: str = "") -> Daemon:
        log = self.place.directory / "log" / f"{name}.out"

        def is_ready() -> bool:
            said = self.ask(*question)
            return bool(said) and answer in said

        return Daemon(name, argv, self.environment, log, is_ready)

    def _munged(self) -> Daemon:
        folder, socket = self.place.directory / "munge", self.place.munge
        argv = ["munged", "-F", f"--key-file={folder}/munge.key", f"--socket={socket}"]
        argv += [f"--{kind}-file={folder}/munge.{kind}" for kind in ("pid", "log", "seed")]
        return self._daemon("munged", argv, ["munge", "-n", "-S", str(socket)])

    def _make_database(self) -> None:
        argv = ["mariadb-install-db", "--no-defaults", "--force", "--auth-root-authentication-method=socket"]
        argv += ["--skip-test-db", f"--datadir={self.place.directory}/mysql/data"]
        argv += ["--user=root"] if os.geteuid() == 0 else [f"--auth-root-socket-user={self.place.user}"]
        environment = self._database_environment
        Path(environment["TMPDIR"]).mkdir()
        done = subprocess.run(argv, env=environment, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode:
            raise DaemonError(f"{argv[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}")

    def _mariadbd(self) -> Daemon:
        folder = self.place.directory / "mysql"
        argv = ["mariadbd", "--no-defaults", f"--datadir={folder}/data", f"--socket={self.place.mysql}"]
        argv += [f"--pid-file={folder}/my.pid", "--skip-networking", "--innodb-log-file-size=8M"]
        # Nothing here has to survive a loss of power.
        argv += ["--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0"]
        argv += ["--innodb-lock-wait-timeout=900", *(["--user=root"] if os.geteuid() == 0 else [])]
        question = ["mariadb", "--no-defaults", "-S", str(self.place.mysql), "-e", "select 1"]
        daemon = self._daemon("mariadbd", argv, question)
        daemon.environment = self._database_environment
        return daemon
