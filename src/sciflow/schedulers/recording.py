"""Records what the scheduler of a site answers, with stand-ins for all names: for tests, and to be shown to others.

Only harmless questions are asked, and of jobs only about those of who asks.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sciflow.errors import SciflowError, TransportError
from sciflow.schedulers import pbs_answers, pbs_site, redacted, slurm, slurm_site
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.redacted import JOB_NAME, Redact, kept, name_of
from sciflow.schedulers.sites import NOT_FOUND
from sciflow.schedulers.stand_ins import StandIns
from sciflow.transport.base import Answer, Transport

MOST_JOBS = 50  # those that a recording tells of at most
_KINDS = ("user", "account", "host", "job", "path")


@dataclass(frozen=True)
class Recording:
    """One answer.

    Attributes
    ----------
    name
        What it is called.
    command
        The call.
    answer
        What came back.
    version
        What the scheduler calls itself.
    redact
        The rule by which names are taken out of its output.
    """

    name: str
    command: tuple[str, ...]
    answer: Answer
    version: str
    redact: Redact

    def document(self) -> dict[str, str | int]:
        """What is written of it."""
        answer = self.answer
        return {
            "command": shlex.join(self.command),
            "version": self.version,
            "code": answer.code,
            "out": answer.out,
            "err": answer.err,
        }


def record(transport: Transport, names: StandIns) -> list[Recording]:
    """Ask the scheduler that is here, and put stand-ins in place of all names in its answers.

    Raises
    ------
    SciflowError
        Where there is neither Slurm nor PBS.
    """
    versions = {command: _version(transport, command) for command in ("scontrol", "qstat")}
    slurm_is_up = versions["scontrol"] and not transport.run(["scontrol", "show", "config"]).code
    if "pbs_version" in versions["qstat"] and not slurm_is_up:
        return without_names(list(_ask_pbs(transport, versions["qstat"])), names)
    if versions["scontrol"]:
        return without_names(list(_ask_slurm(transport, versions["scontrol"])), names)
    raise SciflowError(
        "neither Slurm nor PBS is found here", hint="run it where the scheduler's commands are, such as a login node"
    )


def _version(transport: Transport, command: str) -> str:
    """What a scheduler calls itself; nothing where there is none."""
    try:
        answer = transport.run([command, "--version"])
    except TransportError:
        return ""
    return "" if answer.code == NOT_FOUND else (answer.out or answer.err).strip()


def without_names(recordings: Sequence[Recording], names: StandIns) -> list[Recording]:
    """Put stand-ins in place of all names, the same in all recordings."""
    names.of("user", getpass.getuser())
    names.number(str(os.getuid()))
    names.host(socket.gethostname())
    for one in recordings:  # names that are met first in a free text are known after this
        _without_names(one, names)
    return [_without_names(one, names) for one in recordings]


def _without_names(one: Recording, names: StandIns) -> Recording:
    out = one.redact(one.answer.out, names)
    err = redacted.free(one.answer.err, names)
    command = tuple(redacted.free(word, names) if place else word for place, word in enumerate(one.command))
    return Recording(one.name, command, Answer(one.answer.code, out, err), one.version, one.redact)


def write(recordings: Sequence[Recording], folder: Path) -> list[Path]:
    """Write each into a file of its own, in a new folder.

    Raises
    ------
    SciflowError
        Where the folder is there and not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SciflowError(f"`{folder}` is there already", hint="give a new or empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{one.name}.json" for one in recordings]
    for path, one in zip(paths, recordings, strict=True):
        path.write_text(json.dumps(one.document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return paths


QUEUE = redacted.columns(kept, kept, JOB_NAME, kept, kept, kept, lambda names, text: names.hosts(text), redacted.reason)
ACCOUNTING = redacted.columns(
    kept, JOB_NAME, redacted.canceller, kept, kept, kept, lambda names, text: names.hosts(text)
)
NODES = redacted.columns(*[kept] * 7)
ASSOCIATIONS = redacted.columns(name_of("account"), kept, kept)


def _ask_slurm(transport: Transport, version: str) -> Iterator[Recording]:
    user = getpass.getuser()
    since = ["-S", "now-1days", "-u", user]
    associations = ["sacctmgr", "-nP", "show", "associations", f"user={user}", "format=Account,QOS,MaxSubmitJobs"]
    questions: dict[str, tuple[Sequence[str], Redact]] = {
        "scontrol-config": (["scontrol", "show", "config"], redacted.settings),
        "scontrol-partition": (["scontrol", "show", "partition"], redacted.settings),
        "sinfo": (slurm_site.NODES_COMMAND, NODES),
        "squeue": (slurm.QUEUE_COMMAND, QUEUE),
        "sacct": (["sacct", "-X", "-n", "-P", *since, "-o", slurm.ACCOUNTING_COLUMNS], ACCOUNTING),
        "sacctmgr": (associations, ASSOCIATIONS),
    }
    for name, (command, rule) in questions.items():
        try:
            yield Recording(name, tuple(command), transport.run(command, variables=slurm.VARIABLES), version, rule)
        except TransportError as error:  # a command that is not there is worth knowing, too
            yield Recording(name, tuple(command), Answer(127, "", f"{error.message}\n"), version, redacted.free)


def _ask_pbs(transport: Transport, version: str) -> Iterator[Recording]:
    server = PbsServer(transport)
    for name, command in (
        ("qstat-server", pbs_site.SERVER_COMMAND),
        ("qstat-queues", pbs_site.QUEUES_COMMAND),
        ("pbsnodes", pbs_site.NODES_COMMAND),
    ):
        yield Recording(name, tuple(command), server.run(command), version, redacted.attributes)
    mine = server.select("-u", getpass.getuser())[-MOST_JOBS:]
    if mine:
        for form, rule in (("json", redacted.attributes), ("dsv", redacted.separated)):
            command = pbs_answers.query_command(mine, form, server.keeps_history)
            yield Recording(f"qstat-jobs-{form}", tuple(command), server.run(command), version, rule)


def replaced(names: StandIns) -> str:
    """How many names of each kind have a stand-in, for people."""
    return ", ".join(f"{names.count(kind)} × {kind}" for kind in _KINDS if names.count(kind))
