"""What a Slurm cluster of the tests is like, and its configuration files."""

import os
import pwd
import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SlurmOptions:
    """What a cluster is like; what a test does not care about is as on a small, quick one."""

    nodes: int = 2
    cpus: int = 8
    """Of each node. Slurm believes it, whatever the machine has."""
    memory_mb: int = 16000
    """Of each node."""
    gpus: int = 0
    """Of each node; they have numbers, and nothing more."""
    max_array_size: int = 10001
    """One more than the largest array index."""
    max_job_count: int = 50000
    min_job_age: int = 300
    """Seconds for which the controller knows a job that has ended."""
    partitions: Mapping[str, str] = field(
        default_factory=lambda: {
            "main": "Default=YES MaxTime=INFINITE",
            "short": "MaxTime=12:00:00",
            "gpu": "MaxTime=2-00:00:00",
        }
    )
    """Name → what the configuration says of it. All nodes are in each."""
    accounting: bool = True
    enforce: str = ""
    """`AccountingStorageEnforce`, such as `associations,limits,qos`."""
    cgroup: bool = False
    """Whether control groups follow processes and limit memory; see `cgroup_obstacle`."""
    extra: tuple[str, ...] = ()
    """More lines for `slurm.conf`."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, outside the range from which outgoing connections take theirs."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found: list[int] = []
    with ExitStack() as held:
        # In random order, so that two clusters that start together hardly ever choose the same.
        for port in random.SystemRandom().sample(range(10000, max(first, 20000)), 1000):
            listener = held.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free ports")


class SlurmPlace:
    """The private directory of a cluster, and its ports.

    Parameters
    ----------
    directory
        Exists and is empty; short, because paths of sockets are limited to 107 bytes.
    options
        What the cluster is like.
    """

    def __init__(self, directory: Path, options: SlurmOptions) -> None:
        self.directory, self.options = directory, options
        self.conf = directory / "etc" / "slurm.conf"
        self.munge = directory / "munge" / "munge.sock"
        self.mysql = directory / "mysql" / "my.sock"
        self.controller_port, self.database_port, *self.node_ports = free_ports(2 + options.nodes)
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        # Control groups are named after the node, for the whole machine.
        prefix = f"n{os.getpid()}x" if options.cgroup else "n"
        self.nodes = [f"{prefix}{number}" for number in range(1, options.nodes + 1)]

    def write(self) -> None:
        """Make the directories, and write the key and all configuration files."""
        for name in ("etc", "munge", "mysql", "run", "log", "state", "spool"):
            (self.directory / name).mkdir()
        # The key needs no secrecy from the tests' user, but munged insists on it.
        self._write("munge/munge.key", os.urandom(128), 0o400)
        self._write("etc/slurm.conf", self.slurm_conf().encode())
        self._write("etc/slurmdbd.conf", self.slurmdbd_conf().encode(), 0o600)
        self._write("etc/cgroup.conf", self.cgroup_conf().encode())
        self._write("etc/plugstack.conf", b"")
        if self.options.gpus:
            # Slurm wants devices; their numbers get into CUDA_VISIBLE_DEVICES.
            for number in range(self.options.gpus):
                (self.conf.parent / f"nvidia{number}").symlink_to("/dev/null")
            devices = f"{self.conf.parent}/nvidia[0-{self.options.gpus - 1}]"
            self._write("etc/gres.conf", f"Name=gpu File={devices}\n".encode())

    def slurm_conf(self) -> str:
        """Return `slurm.conf`."""
        here, options, host = self.directory, self.options, socket.gethostname().split(".")[0]
        gres = f" Gres=gpu:{options.gpus}" if options.gpus else ""
        lines = [
            "ClusterName=lab",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={self.controller_port}",
            f"SlurmUser={self.user}",
            f"SlurmdUser={self.user}",
            "AuthType=auth/munge",
            f"AuthInfo=socket={self.munge}",
            f"SlurmctldPidFile={here}/run/slurmctld.pid",
            f"SlurmdPidFile={here}/run/slurmd.%n.pid",
            f"SlurmctldLogFile={here}/log/slurmctld.log",
            f"SlurmdLogFile={here}/log/slurmd.%n.log",
            f"StateSaveLocation={here}/state",
            f"SlurmdSpoolDir={here}/spool/%n",
            # Else the one of a Slurm that is installed here would be looked for.
            f"PlugStackConfig={here}/etc/plugstack.conf",
            f"ProctrackType=proctrack/{'cgroup' if options.cgroup else 'linuxproc'}",
            f"TaskPlugin=task/{'cgroup' if options.cgroup else 'none'}",
            "MpiDefault=none",
            "ReturnToService=2",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            # Without it every job takes all memory of its node.
            "DefMemPerCPU=100",
            # Take the configured cores and memory for true, and start what can start at once.
            "SlurmdParameters=config_overrides",
            "SchedulerParameters=batch_sched_delay=0,bf_interval=2,sched_interval=5",
            "KillWait=5",
            "SlurmdTimeout=10",
            f"MinJobAge={options.min_job_age}",
            f"MaxArraySize={options.max_array_size}",
            f"MaxJobCount={options.max_job_count}",
            *self._accounting(),
            *(["GresTypes=gpu"] if options.gpus else []),
            *(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={options.cpus}"
                f" RealMemory={options.memory_mb}{gres} State=UNKNOWN"
                for node, port in zip(self.nodes, self.node_ports, strict=True)
            ),
            *(f"PartitionName={name} Nodes=ALL State=UP {more}" for name, more in options.partitions.items()),
            *options.extra,
        ]
        return "\n".join(lines) + "\n"

    def slurmdbd_conf(self) -> str:
        """Return `slurmdbd.conf`."""
        lines = [
            "AuthType=auth/munge",
            f"AuthInfo=socket={self.munge}",
            "DbdHost=localhost",
            f"DbdPort={self.database_port}",
            f"SlurmUser={self.user}",
            "StorageType=accounting_storage/mysql",
            # By the socket that MYSQL_UNIX_PORT names, as whoever runs this.
            "StorageHost=localhost",
            f"StorageUser={self.user}",
            "StorageLoc=slurm_lab",
            f"LogFile={self.directory}/log/slurmdbd.log",
            f"PidFile={self.directory}/run/slurmdbd.pid",
        ]
        return "\n".join(lines) + "\n"

    def cgroup_conf(self) -> str:
        """Return `cgroup.conf`: version 1 in any case, because slurmd otherwise insists on a mounted version 2."""
        limits = "ConstrainRAMSpace=yes\n" if self.options.cgroup else ""
        return f"CgroupPlugin=cgroup/v1\n{limits}"

    def _accounting(self) -> list[str]:
        lines = ["JobAcctGatherType=jobacct_gather/linux", "JobAcctGatherFrequency=1"]
        if not self.options.accounting:
            return [*lines, "AccountingStorageType=accounting_storage/none"]
        lines += [
            "AccountingStorageType=accounting_storage/slurmdbd",
            "AccountingStorageHost=127.0.0.1",
            f"AccountingStoragePort={self.database_port}",
            # The private munge again; without it the credentials of another one are sent.
            f"AccountingStoragePass={self.munge}",
        ]
        if self.options.gpus:
            lines.append("AccountingStorageTRES=gres/gpu")
        if self.options.enforce:
            lines.append(f"AccountingStorageEnforce={self.options.enforce}")
        return lines

    def _write(self, name: str, content: bytes, mode: int = 0o644) -> None:
        path = self.directory / name
        path.write_bytes(content)
        path.chmod(mode)
