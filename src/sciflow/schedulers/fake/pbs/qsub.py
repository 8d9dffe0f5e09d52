"""`qsub`: takes a job script."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong, zone_of
from sciflow.schedulers.fake.pbs.depend import tell_them, tied
from sciflow.schedulers.fake.pbs.names import SERVER, name_of
from sciflow.schedulers.fake.pbs.options import Options, read_directives, read_options, split_call
from sciflow.schedulers.fake.pbs.replies import no_server
from sciflow.schedulers.fake.request import Order, Refused
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_OVER = ("qsub: Job violates queue and/or server resource limits", 188)
_WORDS = {
    "partition": ("qsub: Unknown queue", 170),
    "partition down": ("qsub: Queue is not enabled", 173),
    "index": ("qsub: Illegal attribute or resource value ", 166),
    "width": ("qsub: Array job exceeds server or queue size limit", 3),
    "reservation": ("qsub: Unauthorized Request ", 159),
    "account": ("qsub: Unauthorized Request ", 159),
    "ids": ("qsub: Job with requested ID already exists", 163),
    "queued": ("qsub: would exceed complex's per-user limit", 38),
    **dict.fromkeys(("time", "nodes", "memory", "gpus", "features"), _OVER),
}
# No command of the virtual cluster has a terminal, wherever it was called.
_NO_TERMINAL = "qsub:\tstandard input and output must be a terminal for \n\tinteractive job submission"
_OWN = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL")  # what of the submitter a job is told, as PBS_O_…


def qsub(cluster: VirtualCluster, call: Call) -> Answer:
    """Take a job script, or refuse it in PBS's words."""
    try:
        order = _read(cluster, call)
        silent = no_server(cluster, "qsub")
        if silent is not None:
            return silent
        job = cluster.submit(order)
    except Wrong as wrong:
        return Answer(wrong.code, "", f"{str(wrong).rstrip(chr(10))}\n")
    except Refused as refused:
        words, code = _WORDS.get(refused.why, ("qsub: Error (15004) submitting job", 156))
        return Answer(code, "", f"{words}\n")
    job.notes["never"] = order.details["never"]
    tell_them(job, order.dependency)
    if cluster.faults.takes_reply():
        return Answer(162, "", f"qsub: cannot connect to server {SERVER} (errno=15010)\n")
    return Answer(0, f"{name_of(job)}\n", "")


def _read(cluster: VirtualCluster, call: Call) -> Order:
    own = call.variables
    given, rest = split_call(call.argv[1:])
    if "I" in given.letters:
        raise Wrong(_NO_TERMINAL, 1)
    command = _command(call)
    if command:
        path, text = call.directory / "STDIN", "#!/bin/sh\nexec " + shlex.join(command) + "\n"
        directives = Options()
    else:
        path, text = _script(call, rest)
        directives = read_directives(text, given.letters.get("C", own.get("PBS_DPREFIX", "#PBS")))
    zone = zone_of(own)
    read = read_options(given.over(directives), path.name, cluster.clock(), zone, own)
    home = own.get("HOME", str(call.directory))
    queue = read.request.partition or _default_queue(cluster)
    exported = read.details["variables"] | {f"PBS_O_{name}": own[name] for name in _OWN if name in own}
    exported |= {
        "PBS_O_WORKDIR": str(call.directory),
        "PBS_O_SYSTEM": "Linux",
        "PBS_O_QUEUE": queue,
        "PBS_O_HOST": SERVER,
    }
    words = list(call.argv[1:])
    details = read.details | {
        "home": home,
        "queue": queue,
        "exported": exported,
        "arguments": _arguments(words),
    }
    if command:
        details["executable"] = f"<jsdl-hpcpa:Executable>{command[0]}</jsdl-hpcpa:Executable>"
        arguments = "".join(f"<jsdl-hpcpa:Argument>{one}</jsdl-hpcpa:Argument>" for one in command[1:])
        details["argument list"] = arguments or None
    return Order(
        request=read.request,
        script=path,
        directory=call.directory,
        dependency=tied(read.dependency, cluster),
        text=text,
        variables=_login(call, home) | exported,
        call=shlex.join(call.argv),
        details=details,
        user=call.user,
        number=call.number,
    )


def _command(call: Call) -> list[str]:
    """What stands behind ``--``, which is run in place of a script."""
    return list(call.argv[call.argv.index("--") + 1 :]) if "--" in call.argv else []


def _script(call: Call, rest: list[str]) -> tuple[Path, str]:
    if len(rest) > 1:
        raise Wrong(usage.QSUB, 2)
    if not rest or rest == ["-"]:
        path, text = call.directory / "STDIN", call.stdin
    else:
        path = Path(call.directory, rest[0])
        if path.is_dir():
            raise Wrong("qsub: script not a file", 1)
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise Wrong("qsub: script file:: No such file or directory", 1) from error
    if "\r\n" in text:
        raise Wrong("qsub: script contains cr, lf", 1)
    return path, text


def _arguments(words: list[str]) -> str:
    """The arguments of the call as they are shown: those with blanks or quotes in quotes."""
    return " ".join(shlex.quote(one) for one in words)


def _default_queue(cluster: VirtualCluster) -> str:
    partition = cluster.rules.partition("")
    return partition.name if partition is not None else ""


def _login(call: Call, home: str) -> dict[str, str]:
    """The environment that a job finds: that of its user after a login, and nothing of who submits."""
    return {
        "HOME": home,
        "USER": call.user,
        "LOGNAME": call.user,
        "SHELL": call.variables.get("SHELL", "/bin/bash"),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }
